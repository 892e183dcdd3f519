"""Further ways: drawn, by law, and against every way there is."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import data.standards
from geo import detours, network, paths, routing, splits
from geo.detours import AlternativeParams, Disjoint
from geo.network import Network
from geo.paths import Path
from geo.routing import Graph
from geo.snapping import Snaps
from tests.geo.drawn import ORIGIN, positions, ways
from tests.geo.every_way import City, Trip, cities, every_piece, snaps
from tests.geo.test_routing import directions, open_graph, place

PARAMS = AlternativeParams.of(data.standards.load())

# two blocks; s is the shelter; every side 100 m
#
#   a b c
#   d e f g    f-g leads to the house in the dead end
SPOTS = positions("abc\ndefg")
BLOCKS: dict[str, dict[str, str]] = {"abc": {}, "def": {}, "be": {}, "ad": {}, "cf": {}, "fg": {}}


def town(chains: dict[str, dict[str, str]] = BLOCKS) -> Network:
    return network.build(ways(SPOTS, chains))


def walked(net: Network, way: Path | None) -> str:
    """The letters a way comes by."""
    assert way is not None
    node = np.where(way.to_m > way.from_m, net.v[way.edge], net.u[way.edge])[:-1]
    return "".join(chr(net.node_id[n]) for n in node)


def test_two_ways_round_the_block() -> None:
    net = town()
    found = detours.disjoint(open_graph(net), place(net, (50, 0)), place(net, (50, -100)))
    assert sorted(walked(net, w) for w in (found.first, found.second)) == ["ad", "be"]
    assert [w.total_s for w in (found.first, found.second) if w is not None] == [200, 200]
    assert not len(found.bottleneck)


def test_the_shortest_way_is_given_up_where_it_stands_in_the_way_of_two() -> None:
    """From a to f: the quick a-b-e-f uses what both long ones need; the best pair is a-b-c-f and a-d-e-f."""
    net = town()
    seconds = np.full(len(net.u), 100.0)
    quick = {frozenset("ab"), frozenset("be"), frozenset("ef")}
    for e in range(len(net.u)):
        if frozenset((chr(net.node_id[net.u[e]]), chr(net.node_id[net.v[e]]))) in quick:
            seconds[e] = 10.0
    graph = open_graph(net, seconds=seconds)
    found = detours.disjoint(graph, place(net, (0, 0)), place(net, (200, -100)))
    assert sorted(walked(net, w) for w in (found.first, found.second)) == ["bc", "de"]


def test_a_dead_end_is_the_bottleneck() -> None:
    net = town()
    found = detours.disjoint(open_graph(net), place(net, (280, -100)), place(net, (0, 0)))
    assert found.first is not None and found.second is None
    assert found.bottleneck.tolist() == [np.flatnonzero(net.way == 5)[0]]
    assert "1 streets" in repr(found)


def test_two_ways_that_share_only_the_dead_end() -> None:
    net = town()
    found = detours.disjoint(open_graph(net), place(net, (280, -100)), place(net, (0, 0)), least_shared=True)
    assert sorted(walked(net, w) for w in (found.first, found.second)) == ["fcb", "fed"]
    assert len(found.bottleneck) == 1


def test_no_way_at_all() -> None:
    net = town({"abc": {}, "def": {}})
    found = detours.disjoint(open_graph(net), place(net, (50, 0)), place(net, (50, -100)))
    assert found.first is None and found.second is None and not len(found.bottleneck)
    assert "no way" in repr(found)


def test_a_place_that_met_no_street_and_no_sources_have_no_way() -> None:
    net = town()
    lost = Snaps(np.zeros(1, dtype=np.int64), np.full(1, -1), np.full(1, np.nan), np.full(1, np.nan))
    assert detours.disjoint(open_graph(net), lost, place(net, (0, 0))).first is None
    assert detours.disjoint(open_graph(net), place(net, (0, 0)), lost).first is None
    assert detours.disjoint(open_graph(net), place(net, (0, 0)), place(net)).first is None


def test_two_doors_of_one_shelter_or_two_shelters() -> None:
    """The nearer shelter has doors on both sides of the block; the other lies farther off."""
    net = town()
    doors = place(net, (0, -50), (100, -50), (200, -50))
    doors = Snaps(np.array([0, 0, 1]), doors.edge, doors.along_m, doors.off_m)
    one = detours.disjoint(open_graph(net), place(net, (40, 0)), doors)
    two = detours.disjoint(open_graph(net), place(net, (40, 0)), doors, different_sources=True)
    assert [(w.source, w.door) for w in (one.first, one.second) if w is not None] == [(0, 0), (0, 1)]
    assert [(w.source, w.door) for w in (two.first, two.second) if w is not None] == [(0, 0), (1, 2)]
    only = detours.disjoint(open_graph(net), place(net, (40, 0)), place(net, (0, -50)), different_sources=True)
    assert only.second is None and not len(only.bottleneck)


def test_one_way_streets_bind_both_ways() -> None:
    net = town()
    both = np.ones(len(net.u), dtype=bool)
    graph = directions(net, net.length_m, both, net.way != 3)  # a-d only from a to d
    there = detours.disjoint(graph, place(net, (0, 0)), place(net, (0, -100)))
    back = detours.disjoint(graph, place(net, (0, -100)), place(net, (0, 0)))
    assert there.second is not None and back.second is None


def test_a_door_at_a_barrier_is_reached_by_its_own_street_only() -> None:
    """A wall at b: from d to the wall's western side there is a-b alone, from e b-e does not lead there."""
    net = network.build(ways(SPOTS, BLOCKS, barriers={"b": {"barrier": "wall"}}))
    barred = np.array([chr(n) == "b" for n in net.node_id])
    graph = open_graph(net, barred=barred)
    west = next(e for e in range(len(net.u)) if {chr(net.node_id[net.u[e]]), chr(net.node_id[net.v[e]])} == {"a", "b"})
    at_wall = net.length_m[west] if chr(net.node_id[net.v[west]]) == "b" else 0.0
    door = Snaps(np.zeros(1, dtype=np.int64), np.array([west]), np.array([at_wall]), np.zeros(1))
    found = detours.disjoint(graph, place(net, (150, -100)), door)
    assert found.first is not None and found.first.total_s == 350
    assert found.second is None and found.bottleneck.tolist()[-1] == west
    forest = routing.nearest(graph.reverse, door)
    starts = routing.join(graph, forest, place(net, (150, -100)), door)
    traced = paths.trace(graph, forest, starts, place(net, (150, -100)), door, 0)
    assert traced is not None and traced.edge.tolist() == found.first.edge.tolist()


def total(found: Disjoint) -> float | None:
    both = [way.total_s for way in (found.first, found.second) if way is not None]
    return sum(both) if len(both) == 2 else None


def stretches(way: Path) -> list[tuple[int, float, float]]:
    low, high = np.minimum(way.from_m, way.to_m), np.maximum(way.from_m, way.to_m)
    return [*zip(way.edge.tolist(), low.tolist(), high.tolist(), strict=True)]


def overlap(one: Path, two: Path) -> float:
    return sum(max(0.0, min(b, d) - max(a, c)) for e, a, b in stretches(one) for f, c, d in stretches(two) if e == f)


def drawn_trip(data: st.DataObject, city: City, *, rows: int = 3) -> Trip:
    origin = data.draw(snaps(city.net, rows=1))
    # Doors exactly at a junction with turn restrictions are for ``routing.roots`` to get right.
    doors = data.draw(snaps(city.net, rows=rows, places=2))
    extra = np.array(data.draw(st.lists(st.sampled_from([0.0, 4.25, 30.0]), min_size=rows, max_size=rows)))
    return Trip(city, origin, doors, extra)


def assert_pair_is_the_best(trip: Trip, *, different: bool) -> Disjoint:
    found = detours.disjoint(trip.city.graph, trip.place, trip.doors, extra_s=trip.extra_s, different_sources=different)
    shortest, expected = trip.shortest_ms(), trip.pair_ms(different=different)
    assert (found.first is None) == (shortest is None) and found.least
    if expected is None:
        assert found.second is None
        if found.first is not None and shortest is not None:
            assert found.first.total_s == pytest.approx(shortest / 1000, abs=0.004)
        return found
    assert total(found) == pytest.approx(expected / 1000, abs=0.01)
    assert found.first is not None and found.second is not None
    assert overlap(found.first, found.second) == 0
    assert not different or found.first.source != found.second.source
    return found


@settings(max_examples=150, deadline=None)
@given(cities(nodes=5, streets=7, turns=0), st.data(), st.booleans())
def test_the_pair_is_the_best_there_is(city: City, data: st.DataObject, different: bool) -> None:
    assert_pair_is_the_best(drawn_trip(data, city), different=different)


@settings(max_examples=150, deadline=None)
@given(cities(nodes=4, streets=6), st.data(), st.booleans())
def test_the_pair_is_the_best_there_is_under_turn_restrictions(
    city: City, data: st.DataObject, different: bool
) -> None:
    assert_pair_is_the_best(drawn_trip(data, city), different=different)


@settings(max_examples=200, deadline=None)
@given(cities(nodes=4, streets=6), st.data())
def test_every_bottleneck_cuts_off_and_nothing_else_does(city: City, data: st.DataObject) -> None:
    trip = drawn_trip(data, city, rows=2)
    found = detours.disjoint(city.graph, trip.place, trip.doors, extra_s=trip.extra_s)
    if found.first is None:
        return
    cuts = {piece[0] for piece in every_piece(trip) if trip.shortest_ms(without=frozenset([piece])) is None}
    assert set(found.bottleneck.tolist()) == (cuts if found.second is None else set())
    assert not cuts or found.second is None


@settings(max_examples=150, deadline=None)
@given(cities(nodes=5, streets=8, turns=0), st.data())
def test_the_least_shared_pair_shares_only_bottlenecks(city: City, data: st.DataObject) -> None:
    trip = drawn_trip(data, city)
    found = detours.disjoint(city.graph, trip.place, trip.doors, extra_s=trip.extra_s, least_shared=True)
    assert (found.first is None) == (found.second is None)
    if found.first is not None and found.second is not None:
        common = {
            e
            for e, a, b in stretches(found.first)
            for f, c, d in stretches(found.second)
            if e == f and min(b, d) > max(a, c)
        }
        assert common <= set(found.bottleneck.tolist())


@settings(max_examples=100, deadline=None)
@given(cities(turns=0), st.data())
def test_there_and_back_have_the_same_sum(city: City, data: st.DataObject) -> None:
    """Between two points, turned round, the pair is the same."""
    a, b = (data.draw(snaps(city.net, rows=1)) for _ in range(2))
    there, back = (detours.disjoint(g, *ends) for g, ends in ((city.graph, (a, b)), (city.graph.reverse, (b, a))))
    assert (total(there) is None) == (total(back) is None)
    if total(there) is not None:
        assert total(there) == pytest.approx(total(back), abs=0.01)


# -- a second beside the quickest ------------------------------------------------------------------------------------


def beside(graph: Graph, origin: Snaps, doors: Snaps, extra_s: np.ndarray | None = None) -> Disjoint:
    return detours.quickest_and_second(splits.put_in(splits.enter(graph, doors, extra_s=extra_s), origin))


def test_the_quickest_stays_where_it_stands_in_the_way_of_two() -> None:
    """From a to f, a-b, b-e and e-f quick: no street all must use, yet every second shares one with the quickest."""
    net = town()
    quick = {frozenset("ab"), frozenset("be"), frozenset("ef")}
    ends = [frozenset((chr(net.node_id[u]), chr(net.node_id[v]))) for u, v in zip(net.u, net.v, strict=True)]
    seconds = np.array([10.0 if pair in quick else 100.0 for pair in ends])
    found = beside(open_graph(net, seconds=seconds), place(net, (0, 0)), place(net, (200, -100)))
    assert (walked(net, found.first), walked(net, found.second), len(found.bottleneck)) == ("be", "de", 0)
    assert found.first is not None and found.second is not None
    assert detours.shared_m(found.first, found.second) == 100


def test_where_all_is_one_street_there_is_no_second() -> None:
    net = town({"abc": {}})
    found = beside(open_graph(net), place(net, (20, 0)), place(net, (180, 0)))
    assert found.first is not None and found.second is None and found.bottleneck.tolist() == [0]


@settings(max_examples=60, deadline=None)
@given(cities(nodes=4, streets=6), st.data())
def test_the_second_is_the_quickest_without_the_streets_of_the_first(city: City, data: st.DataObject) -> None:
    trip = drawn_trip(data, city)
    found = beside(city.graph, trip.place, trip.doors, trip.extra_s)
    shortest = trip.shortest_ms()
    assert (found.first is None) == (shortest is None)
    if found.first is None or shortest is None:
        return
    assert found.first.total_s == pytest.approx(shortest / 1000, abs=0.004)
    used = frozenset[tuple[int, float]]().union(*(trip.pieces(*stretch) for stretch in stretches(found.first)))
    other = trip.shortest_ms(without=used)
    if other is not None:
        assert found.second is not None and overlap(found.first, found.second) == 0
        assert found.second.total_s == pytest.approx(other / 1000, abs=0.004)
        assert not len(found.bottleneck)
    elif found.second is not None:
        assert overlap(found.first, found.second) > 0
    if other is None:
        cuts = {piece[0] for piece in every_piece(trip) if trip.shortest_ms(without=frozenset([piece])) is None}
        assert set(found.bottleneck.tolist()) == cuts


@settings(max_examples=40, deadline=None)
@given(st.sets(st.integers(0, 23), min_size=10), st.integers(0, 15), st.integers(0, 15))
def test_a_bottleneck_is_where_networkx_finds_one_way_only(kept: set[int], start: int, end: int) -> None:
    """Parts of a grid of 4 × 4: two ways that share no street where the edge connectivity is at least two."""
    whole = grid(4)
    seconds = np.where(np.isin(np.arange(24), [*kept]), whole.length_m, np.nan)
    streets: nx.Graph[int] = nx.Graph()
    streets.add_nodes_from(range(16))
    streets.add_edges_from((int(whole.u[e]), int(whole.v[e])) for e in kept)
    origin, goal = (place(whole, (whole.x[node] - ORIGIN[0], whole.y[node] - ORIGIN[1])) for node in (start, end))
    found = beside(open_graph(whole, seconds=seconds), origin, goal)
    if start == end:
        assert found.first is not None and len(found.first) == 0
        return
    ways_there = nx.edge_connectivity(streets, start, end)
    assert (found.first is None) == (ways_there == 0)
    assert (len(found.bottleneck) > 0) == (ways_there == 1)
    for e in found.bottleneck.tolist():
        cut = streets.copy()
        cut.remove_edge(int(whole.u[e]), int(whole.v[e]))
        assert not nx.has_path(cut, start, end)


# -- alternatives --------------------------------------------------------------------------------------------------


def grid(side: int) -> Network:
    letters = [chr(0x4E00 + i) for i in range(side * side)]
    spots = {c: (600_000.0 + 100 * (i % side), 5_800_000.0 - 100 * (i // side)) for i, c in enumerate(letters)}
    rows = {"".join(letters[r * side : (r + 1) * side]): {} for r in range(side)}
    columns = {"".join(letters[c::side]): {} for c in range(side)}
    return network.build(ways(spots, rows | columns))


def test_further_ways_are_sensible_and_the_first_is_the_shortest() -> None:
    net = grid(8)
    graph = open_graph(net)
    origin, goal = place(net, (0, 0)), place(net, (700, -500))
    found = detours.alternatives(graph, origin, goal, count=4, params=PARAMS)
    assert found[0].total_s == 1200
    assert len(found) == 4
    for i, way in enumerate(found):
        assert way.total_s <= (1 + PARAMS.longer_share) * 1200
        assert all(overlap(way, other) <= PARAMS.shared_share * way.length_m for other in found[:i])


def test_what_is_known_is_not_shown_again() -> None:
    net = town()
    graph, origin, goal = open_graph(net), place(net, (50, 0)), place(net, (50, -100))
    pair = detours.disjoint(graph, origin, goal)
    known = [way for way in (pair.first, pair.second) if way is not None]
    assert detours.alternatives(graph, origin, goal, count=3, params=PARAMS, besides=known) == []
    assert len(detours.alternatives(graph, origin, goal, count=3, params=PARAMS)) == 2


def test_no_way_has_no_alternatives() -> None:
    net = town({"abc": {}, "def": {}})
    assert (
        detours.alternatives(open_graph(net), place(net, (50, 0)), place(net, (50, -100)), count=2, params=PARAMS) == []
    )


@settings(max_examples=100, deadline=None)
@given(cities(), st.data())
def test_alternatives_are_true_ways_and_the_same_again(city: City, data: st.DataObject) -> None:
    trip = drawn_trip(data, city)
    first, again = (
        detours.alternatives(city.graph, trip.place, trip.doors, count=3, params=PARAMS, extra_s=trip.extra_s)
        for _ in range(2)
    )
    assert [way.edge.tolist() for way in first] == [way.edge.tolist() for way in again]
    shortest = trip.shortest_ms()
    assert bool(first) == (shortest is not None)
    if shortest is not None:
        assert first[0].total_s == pytest.approx(shortest / 1000, abs=0.004)


def test_a_forest_at_hand_saves_growing_one() -> None:
    net = grid(5)
    graph, origin, goal = open_graph(net), place(net, (0, 0)), place(net, (400, -400))
    forest = routing.nearest(graph.reverse, goal)
    ours, theirs = (detours.disjoint(graph, origin, goal, forest=f) for f in (forest, None))
    assert total(ours) == total(theirs) == 1600
