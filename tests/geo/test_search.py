"""Within a limit, the k nearest, and the matrix: drawn, by law, and against networkx and brute force."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import routing, search
from geo.buckets import UNREACHED
from geo.network import Network
from geo.routing import Graph, Roots
from geo.snapping import Snaps
from tests.geo.test_routing import cities, directions, open_graph, place, split_graph, town

# town(): one block a-b-c over d-e-f, every side 100 m, walked at 1 m/s
CITY = tuple[Network, np.ndarray, np.ndarray, np.ndarray]
SPOT = st.tuples(st.floats(-20, 400), st.floats(-450, 20))


def named(net: Network, values: np.ndarray) -> dict[str, object]:
    return dict(zip(map(chr, net.node_id), values.tolist(), strict=True))


def rows(snaps: Snaps, which: list[int], places: list[int]) -> Snaps:
    """Some rows, as the places of these numbers."""
    return Snaps(np.array(places, dtype=np.int64), snaps.edge[which], snaps.along_m[which], snaps.off_m[which])


# -- within ------------------------------------------------------------------------------------------------------


def test_within_holds_what_is_reached_and_the_very_limit() -> None:
    net = town()
    graph = open_graph(net)
    start = routing.roots(graph, place(net, (100, 0)))
    found = search.within(graph, start, max_s=100)
    assert {chr(net.node_id[s]): c for s, c in zip(found.state, found.cost_ms, strict=True)} == {
        "a": 100_000,
        "b": 0,
        "c": 100_000,
        "e": 100_000,
    }
    assert found.state.tolist() == sorted(found.state)
    assert len(search.within(graph, start, max_s=99.999)) == 1
    assert repr(found) == "Reached(4 states, up to 100 s)"


def test_nothing_within_nothing() -> None:
    net = town()
    graph = open_graph(net)
    assert len(search.within(graph, routing.roots(graph, place(net)), max_s=100)) == 0


def test_searches_of_small_and_large_networks_may_follow_each_other() -> None:
    small, large = town({"ab": {}}), town()
    for net, count in ((large, 6), (small, 2), (large, 6), (small, 2)):
        graph = open_graph(net)
        assert len(search.within(graph, routing.roots(graph, place(net, (0, 0))), max_s=np.inf)) == count


def test_searches_in_many_threads_do_not_meet() -> None:
    net = town()
    graph = open_graph(net)
    starts = [routing.roots(graph, place(net, (x, 0))) for x in range(0, 200, 5)]
    alone = [search.within(graph, start, max_s=150).cost_ms.tolist() for start in starts]
    with ThreadPoolExecutor(8) as pool:
        together = list(pool.map(lambda start: search.within(graph, start, max_s=150).cost_ms.tolist(), starts * 20))
    assert together == alone * 20


@settings(max_examples=150, deadline=None)
@given(cities(), st.lists(SPOT, max_size=4), st.floats(0, 2000))
def test_within_is_nearest_cut_off(city: CITY, spots: list[tuple[float, float]], max_s: float) -> None:
    net = city[0]
    graph, sources = directions(*city), place(net, *spots)
    forest = routing.nearest(graph, sources, max_s=max_s)
    found = search.within(graph, routing.roots(graph, sources), max_s=max_s)
    reached = np.flatnonzero(forest.cost_ms >= 0)
    assert np.array_equal(found.state, reached)
    assert np.array_equal(found.cost_ms, forest.cost_ms[reached])
    assert np.array_equal(found.source, forest.source[reached])
    assert all((keys == UNREACHED).all() for keys, _ in search._SPARE)


# -- k nearest ---------------------------------------------------------------------------------------------------


def test_the_two_nearest_of_three_sources() -> None:
    net = town()
    found = search.k_nearest(open_graph(net), place(net, (0, 0), (200, 0), (0, -100)), 2)
    assert named(net, found.source) == {
        "a": [0, 2],
        "b": [0, 1],
        "c": [1, 0],
        "d": [2, 0],
        "e": [2, 0],
        "f": [1, 2],
    }
    assert named(net, found.cost_ms)["c"] == [0, 200_000]
    assert repr(found) == "Several(6 states, up to 2 sources each)"


def test_a_source_with_several_doors_counts_once() -> None:
    net = town({"ab": {}, "bc": {}})
    doors = rows(place(net, (0, 0), (200, 0), (100, 0)), [0, 1, 2], [0, 0, 1])
    found = search.k_nearest(open_graph(net), doors, 3)
    assert named(net, found.source) == {"a": [0, 1, -1], "b": [1, 0, -1], "c": [0, 1, -1]}
    assert named(net, found.cost_ms) == {"a": [0, 100_000, -1], "b": [0, 100_000, -1], "c": [0, 100_000, -1]}


def test_none_nearest() -> None:
    net = town()
    assert search.k_nearest(open_graph(net), place(net, (0, 0)), 0).cost_ms.shape == (6, 0)
    assert (search.k_nearest(open_graph(net), place(net), 2).source == -1).all()


@settings(max_examples=200, deadline=None)
@given(cities(), st.lists(SPOT, min_size=1, max_size=7), st.integers(1, 4), st.data())
def test_k_nearest_equals_one_search_a_source(
    city: CITY, spots: list[tuple[float, float]], k: int, data: st.DataObject
) -> None:
    net = city[0]
    graph, snaps = directions(*city), place(net, *spots)
    numbers = data.draw(st.lists(st.integers(0, 5), min_size=len(spots), max_size=len(spots)))
    sources = rows(snaps, list(range(len(spots))), numbers)
    found = search.k_nearest(graph, sources, k, max_s=1500)
    alone = {o: routing.nearest(graph, only(sources, o), max_s=1500).cost_ms for o in set(numbers)}
    for state in range(len(graph)):
        best = sorted((int(cost[state]), o) for o, cost in alone.items() if cost[state] >= 0)[:k]
        best += [(-1, -1)] * (k - len(best))
        assert list(zip(found.cost_ms[state].tolist(), found.source[state].tolist(), strict=True)) == best


def only(sources: Snaps, number: int) -> Snaps:
    which = np.flatnonzero(sources.place == number).tolist()
    return rows(sources, which, [number] * len(which))


def test_the_nearest_of_several_is_the_nearest() -> None:
    graph, sources = random_town(3000, 40)
    forest, found = routing.nearest(graph, sources), search.k_nearest(graph, sources, 3)
    assert np.array_equal(found.cost_ms[:, 0], forest.cost_ms)
    assert np.array_equal(found.source[:, 0], forest.source)
    assert (np.diff(np.where(found.cost_ms < 0, 2**62, found.cost_ms), axis=1) >= 0).all()


def random_town(n: int, k: int) -> tuple[Graph, Snaps]:
    """A tree with shortcuts, costs over three orders of magnitude, and sources in mid-street."""
    rng = np.random.default_rng(11)
    u = np.r_[np.arange(1, n), rng.integers(0, n, n // 3)]
    v = np.r_[rng.integers(0, np.arange(1, n)), rng.integers(0, n, n // 3)]
    length = np.exp(rng.uniform(np.log(1), np.log(1000), len(u)))

    streets = SimpleNamespace(x=np.zeros(n), u=u, v=v, length_m=length)
    edge = rng.integers(0, len(u), k)
    return routing.graph(streets, length, length), Snaps(
        np.arange(k), edge, length[edge] * rng.uniform(0, 1, k), edge * 0.0
    )


# -- matrix ------------------------------------------------------------------------------------------------------


def test_a_matrix_drawn() -> None:
    net = town()
    origins, destinations = place(net, (30, 0), (0, -100)), place(net, (80, 0), (200, -50), (30, 0))
    found = search.matrix(open_graph(net), origins, destinations)
    assert found.tolist() == [[50, 220, 0], [180, 250, 130]]


def test_a_matrix_on_a_one_way_street_goes_round_the_block() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, np.where(net.way == 0, np.nan, net.length_m))
    both = place(net, (80, 0), (30, 0))
    assert search.matrix(graph, both, both).tolist() == [[0, 350], [50, 0]]


def test_a_matrix_knows_where_nobody_gets() -> None:
    net = town({"abc": {}, "def": {}})
    graph, far = open_graph(net), place(net, (0, 0), (50, -100), (9000, 9000))
    found = search.matrix(graph, far, far)
    assert np.isnan(found).tolist() == [[False, True, True], [True, False, True], [True, True, True]]
    assert search.matrix(graph, place(net), far).shape == (0, 3)
    assert search.matrix(graph, far, place(net)).shape == (3, 0)


def test_a_matrix_counts_the_best_door_and_the_extra_seconds() -> None:
    net = town({"abc": {}})
    doors = rows(place(net, (20, 0), (180, 0), (100, 0)), [0, 1, 2], [0, 0, 1])
    found = search.matrix(
        open_graph(net),
        place(net, (0, 0)),
        doors,
        origin_extra_s=np.array([3.0]),
        destination_extra_s=np.array([500.0, 7.0, 0.0]),
    )
    assert found.tolist() == [[190, 103]]


def test_a_matrix_within_a_limit_includes_it() -> None:
    net = town()
    found = search.matrix(open_graph(net), place(net, (0, 0)), place(net, (150, 0), (151, 0), (20, 0)), max_s=150)
    assert found.tolist()[0][::2] == [150, 20]
    assert np.isnan(found[0, 1])


@settings(max_examples=150, deadline=None)
@given(cities(), st.lists(SPOT, min_size=1, max_size=5), st.lists(SPOT, min_size=1, max_size=5))
def test_a_matrix_equals_one_join_a_destination_and_networkx(
    city: CITY, here: list[tuple[float, float]], there: list[tuple[float, float]]
) -> None:
    net = city[0]
    graph, origins, destinations = directions(*city), place(net, *here), place(net, *there)
    found = search.matrix(graph, origins, destinations)
    oracle = split_graph(graph, {"o": origins, "d": destinations})
    reach = [
        nx.single_source_dijkstra_path_length(oracle, ("o", i)) if ("o", i) in oracle else {} for i in range(len(here))
    ]
    for j in range(len(there)):
        goal = only(destinations, j)
        joined = routing.join(graph, routing.nearest(graph.reverse, goal), origins, goal)
        assert np.array_equal(found[:, j], routing.seconds(joined.cost_ms), equal_nan=True)
        # A few roundings of half a millisecond lie between ours and unrounded sums.
        expected = [paths.get(("d", j), np.nan) / 1000 for paths in reach]
        assert found[:, j].tolist() == pytest.approx(expected, abs=0.005, nan_ok=True)


def test_a_matrix_is_the_same_from_either_side() -> None:
    graph, places = random_town(2000, 30)
    few, many = only_first(places, 7), places
    wide, tall = search.matrix(graph, few, many), search.matrix(graph, many, few)
    assert wide.shape == (7, 30)
    # The town is open both ways; each way round is rounded by itself at its two ends.
    assert np.allclose(wide, tall.T, rtol=0, atol=0.002)


def only_first(places: Snaps, n: int) -> Snaps:
    return rows(places, list(range(n)), list(range(n)))


def test_roots_may_be_given_by_hand() -> None:
    graph, _ = random_town(50, 1)
    start = Roots(*(np.array([value], dtype=np.int64) for value in (4, 250, 9, -1)))
    found = search.within(graph, start, max_s=0.25)
    assert (found.state.tolist(), found.cost_ms.tolist(), found.source.tolist()) == ([4], [250], [9])
