"""A solved city that is changed equals the changed city solved anew: drawn, and by law."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import routing, updates
from geo.buckets import CLOSED
from geo.network import Network
from geo.routing import Forest, Graph, Roots
from geo.updates import Solved
from tests.geo.test_routing import cities, directions, open_graph, place, town
from tests.geo.test_search import CITY, SPOT, named, random_town

# town(): one block a-b-c over d-e-f, every side 100 m, walked at 1 m/s


def city(*spots: tuple[float, float]) -> tuple[Network, Solved]:
    net = town()
    graph = open_graph(net)
    return net, updates.solve(graph, routing.roots(graph, place(net, *spots)))


def numbered(roots: Roots, number: int) -> Roots:
    return replace(roots, source=np.full(len(roots.source), number))


def edge_between(net: Network, ends: str) -> np.ndarray:
    u, v = net.node_id[net.u], net.node_id[net.v]
    return np.flatnonzero([{chr(a), chr(b)} == set(ends) for a, b in zip(u, v, strict=True)])


def anew(solved: Solved) -> Forest:
    """The same city from the beginning, the closed arcs really left out."""
    graph, is_open = solved.graph, solved.cost_ms != CLOSED
    first = np.r_[0, np.cumsum(is_open)][graph.first]
    columns = (graph.head[is_open], solved.cost_ms[is_open], graph.edge[is_open], graph.along[is_open])
    names = ("head", "cost_ms", "edge", "along")
    return updates.solve(replace(graph, first=first, **dict(zip(names, columns, strict=True))), solved.roots).forest


def same(one: Forest, other: Forest) -> bool:
    return all(np.array_equal(getattr(one, f.name), getattr(other, f.name)) for f in fields(Forest))


def minutes(net: Network, solved: Solved) -> dict[str, object]:
    return named(net, solved.forest.cost_ms // 1000)


def test_a_new_shelter_takes_the_states_nearest_to_it() -> None:
    net, before = city((0, 0))
    after = updates.add(before, numbered(routing.roots(before.graph, place(net, (200, -50))), 1))
    assert minutes(net, before) == {"a": 0, "b": 100, "c": 200, "d": 100, "e": 200, "f": 300}
    assert minutes(net, after) == {"a": 0, "b": 100, "c": 50, "d": 100, "e": 150, "f": 50}
    assert named(net, after.forest.source) == {"a": 0, "b": 0, "c": 1, "d": 0, "e": 1, "f": 1}
    assert repr(after) == "Solved(6 states, 2 sources, 0 arcs shut)"


def test_a_shelter_that_goes_leaves_its_states_to_the_others() -> None:
    net, before = city((0, 0), (200, -50))
    after = updates.remove(before, np.array([1]))
    assert minutes(net, after) == {"a": 0, "b": 100, "c": 200, "d": 100, "e": 200, "f": 300}
    assert minutes(net, updates.remove(after, np.array([0]))) == dict.fromkeys("abcdef", -1)
    assert same(updates.remove(before, np.array([77])).forest, before.forest)


def test_a_closed_street_sends_round_and_an_open_one_back() -> None:
    net, before = city((0, 0))
    shut = updates.close(before, edge_between(net, "ab"))
    assert minutes(net, shut) == {"a": 0, "b": 300, "c": 400, "d": 100, "e": 200, "f": 300}
    assert repr(shut) == "Solved(6 states, 1 sources, 2 arcs shut)"
    off = updates.close(shut, edge_between(net, "ad"))
    assert minutes(net, off) == {"a": 0, **dict.fromkeys("bcdef", -1)}
    again = updates.reopen(off, np.r_[edge_between(net, "ad"), edge_between(net, "ab")], roots=before.roots)
    assert same(again.forest, before.forest)


def test_a_start_on_a_closed_street_cannot_leave_it() -> None:
    net, before = city((50, 0), (200, 0))
    shut = updates.close(before, edge_between(net, "ab"))
    assert set(shut.forest.source.tolist()) == {1}
    assert same(updates.reopen(shut, edge_between(net, "ab"), roots=before.roots).forest, before.forest)


def test_nothing_given_is_changed() -> None:
    net, before = city((0, 0), (200, -50))
    kept = [np.copy(getattr(before.forest, f.name)) for f in fields(Forest)]
    costs = before.graph.cost_ms.copy()
    updates.remove(updates.close(before, np.arange(4)), np.array([0]))
    assert all(np.array_equal(k, getattr(before.forest, f.name)) for k, f in zip(kept, fields(Forest), strict=True))
    assert np.array_equal(costs, before.graph.cost_ms)
    assert len(net.u) == 7


def test_a_slower_street_keeps_its_states_while_it_is_still_the_best() -> None:
    net, before = city((0, 0))
    slow = np.where(before.graph.edge == edge_between(net, "bc"), 150_000, before.cost_ms).astype(np.int32)
    assert minutes(net, updates.changed(before, cost_ms=slow))["c"] == 250
    fast = np.where(before.graph.edge == edge_between(net, "be"), 1000, before.cost_ms).astype(np.int32)
    assert minutes(net, updates.changed(before, cost_ms=fast))["e"] == 101


def test_an_empty_city_is_changed_into_an_empty_city() -> None:
    net = town({})
    graph = open_graph(net)
    solved = updates.solve(graph, routing.roots(graph, place(net)))
    assert len(updates.close(solved, np.arange(3)).forest.cost_ms) == 0


# -- law ---------------------------------------------------------------------------------------------------------


def starts(draw: st.DrawFn, graph: Graph, net: Network) -> Roots:
    snaps = place(net, *draw(st.lists(SPOT, max_size=4)))
    roots = routing.roots(graph, snaps)
    return replace(roots, source=roots.source + draw(st.integers(0, 3)))


@settings(max_examples=300, deadline=None)
@given(cities(), st.data())
def test_a_changed_city_equals_one_solved_anew(drawn: CITY, data: st.DataObject) -> None:
    net, graph = drawn[0], directions(*drawn)
    solved = updates.solve(graph, starts(data.draw, graph, net))
    edges = st.lists(st.integers(0, len(net.u) - 1), max_size=4)
    for change in data.draw(st.lists(st.sampled_from(["add", "remove", "close", "reopen", "costs"]), max_size=6)):
        if change == "add":
            solved = updates.add(solved, starts(data.draw, graph, net))
        elif change == "remove":
            solved = updates.remove(
                solved, np.array(data.draw(st.lists(st.integers(0, 6), max_size=3)), dtype=np.int64)
            )
        elif change == "close":
            solved = updates.close(solved, np.array(data.draw(edges), dtype=np.int64))
        elif change == "reopen":
            solved = updates.reopen(solved, np.array(data.draw(edges), dtype=np.int64))
        else:
            costs = st.sampled_from([1, 30_000, 100_000, 110_000, int(CLOSED)])
            arcs = data.draw(st.lists(costs, min_size=len(graph.head), max_size=len(graph.head)))
            kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(arcs), max_size=len(arcs))), dtype=bool)
            cost_ms = np.where(kept, solved.cost_ms, np.array(arcs, dtype=np.int32)).astype(np.int32)
            solved = updates.changed(solved, cost_ms=cost_ms)
        assert same(solved.forest, anew(solved))


def test_a_larger_town_through_many_changes() -> None:
    graph, sources = random_town(3000, 30)
    roots, rng = routing.roots(graph, sources), np.random.default_rng(3)
    every = [updates._kept(roots, roots.source == number) for number in range(30)]
    solved = updates.solve(graph, every[0])
    for number in range(1, 30):
        solved = updates.add(solved, every[number])
        if number % 3 == 0:
            solved = updates.remove(solved, rng.integers(0, number, 2))
            solved = updates.close(solved, rng.integers(0, len(graph.u), 40))
        if number % 5 == 0:
            solved = updates.reopen(solved, rng.integers(0, len(graph.u), 2000))
        assert same(solved.forest, anew(solved))
