"""Who reaches which site, and by which streets: drawn, by law, and against networkx, joins, matrices and traces."""

from __future__ import annotations

from types import SimpleNamespace

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import evacuation, gates, network, paths, reaching, routing, search
from geo.errors import InputError
from geo.pairs import Pairs
from geo.reaching import Flows
from geo.routing import Graph
from geo.snapping import Snaps
from geo.trails import Ways
from tests.geo import every_way
from tests.geo.drawn import ways
from tests.geo.test_routing import BLOCK, cities, directions, open_graph, place, split_graph, town
from tests.geo.test_search import SPOT

# town(): one block a-b-c over d-e-f, every side 100 m, walked at 1 m/s
SPEED = 1.0


def off(snaps: Snaps, *off_m: float) -> Snaps:
    return Snaps(snaps.place, snaps.edge, snaps.along_m, np.array(off_m))


def of_sites(snaps: Snaps, *sites: int) -> Snaps:
    return Snaps(np.array(sites, dtype=np.int64), snaps.edge, snaps.along_m, snaps.off_m)


def rows(pairs: Pairs) -> list[tuple[int, int, float]]:
    seconds = (pairs.cost_ms / 1000).tolist()
    return list(zip(pairs.place.tolist(), pairs.site.tolist(), seconds, strict=True))


def steps(graph: Graph, found: Ways, row: int) -> list[tuple[int, bool, float, float]]:
    """Edge, direction, seconds and share of each step of a row."""
    which = slice(found.first[row], found.first[row + 1])
    columns = (found.edge[which], found.along[which], found.cost_ms[which] / 1000, found.share[which].round(9))
    return list(zip(*(c.tolist() for c in columns), strict=True))


def every(n: int, sites: int) -> tuple[np.ndarray, np.ndarray]:
    """Every place to every site."""
    return np.repeat(np.arange(n), sites), np.tile(np.arange(sites), n)


# -- drawn -----------------------------------------------------------------------------------------------------------


def test_each_place_with_each_site_in_reach_from_door_to_door() -> None:
    net = town()
    homes, doors = off(place(net, (30, 0), (130, 0)), 5, 0), off(place(net, (0, 0), (200, 0)), 0, 7)
    found = reaching.pairs(open_graph(net), homes, doors, limit_s=182, speed_ms=SPEED)
    assert rows(found) == [(0, 0, 35), (0, 1, 182), (1, 1, 77), (1, 0, 130)]
    assert repr(found) == "Pairs(4 of 2 places with 2 sites)"


def test_the_very_limit_is_within_and_each_site_has_its_own() -> None:
    net = town()
    homes, doors = place(net, (30, 0)), place(net, (0, 0), (200, 0))
    for limits, sites in (([30, 170], [0, 1]), ([29.999, 170], [1]), ([np.inf, 0], [0]), ([np.nan, -1], [])):
        found = reaching.pairs(open_graph(net), homes, doors, limit_s=np.array(limits), speed_ms=SPEED)
        assert found.site.tolist() == sites


def test_of_several_doors_the_quickest_counts_with_its_own_last_metres() -> None:
    net = town()
    doors = of_sites(off(place(net, (40, 0), (100, 0)), 100, 3), 0, 0)
    found = reaching.pairs(open_graph(net), place(net, (30, 0)), doors, limit_s=1000, speed_ms=0.5)
    assert rows(found) == [(0, 0, 76)]


def test_who_has_no_street_and_sites_without_doors_are_in_no_pair() -> None:
    net = town({"abc": {}, "def": {}})
    homes, doors = place(net, (0, 0), (9000, 0), (0, -100)), place(net, (100, 0), (9000, 0))
    found = reaching.pairs(open_graph(net), homes, doors, limit_s=np.inf, speed_ms=SPEED, sites=5)
    assert rows(found) == [(0, 0, 100)]
    assert (found.places, found.sites) == (3, 5)


def test_nothing_reaches_nothing() -> None:
    net = town()
    none, some = place(net), place(net, (0, 0))
    for homes, doors in ((none, some), (some, none), (none, none)):
        found = reaching.pairs(open_graph(net), homes, doors, limit_s=100, speed_ms=SPEED)
        assert (len(found), found.places, found.sites) == (0, len(homes), len(doors))
    nobody = np.zeros(0, dtype=np.int64)
    flows = reaching.flows(open_graph(net), some, none, nobody, nobody, nobody, speed_ms=SPEED)
    assert not flows.along.any() and len(flows.street_m) == 0 and flows.left == 0
    assert len(reaching.ways(open_graph(net), some, some, nobody, nobody, speed_ms=SPEED)) == 0


def test_what_does_not_fit_is_refused() -> None:
    net = town()
    graph, spot = open_graph(net), place(net, (0, 0))
    with pytest.raises(InputError, match="one limit"):
        reaching.pairs(graph, spot, spot, limit_s=np.ones(2), speed_ms=SPEED)
    with pytest.raises(InputError, match="above 0"):
        reaching.pairs(graph, spot, spot, limit_s=1, speed_ms=0)
    with pytest.raises(InputError, match="of site 3"):
        reaching.pairs(graph, spot, of_sites(spot, 3), limit_s=1, speed_ms=SPEED, sites=2)
    with pytest.raises(InputError, match=r"rows of 1 places, found row 4(.|\n)*rows of 1 sites, found row -1"):
        reaching.ways(graph, spot, spot, np.array([4]), np.array([-1]), speed_ms=SPEED)
    with pytest.raises(InputError, match="made ready"):
        other = gates.homes(graph, place(net))
        reaching.pairs(graph, spot, spot, limit_s=1, speed_ms=SPEED, homes=other)


def test_everybody_walks_to_their_own_site_and_not_the_nearest() -> None:
    net = network.build(ways(BLOCK, {"abc": {}, "be": {}}))
    graph, homes, doors = open_graph(net), place(net, (30, 0), (130, 0)), place(net, (0, 0), (200, 0))
    going, to = np.array([0, 1, 1]), np.array([1, 0, 1])
    found = reaching.flows(graph, homes, doors, going, to, np.array([5, 7, 100]), speed_ms=SPEED)
    assert (found.along.tolist(), found.against.tolist()) == ([5, 105, 0], [7, 7, 0])
    assert found.street_m.tolist() == [170, 130, 70]
    assert repr(found) == "Flows(112 people on 2 streets, 0 without a way)"


def test_round_the_block_to_ones_own_street_one_is_on_it_once() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, np.where(net.way == 0, np.nan, net.length_m))
    homes, doors, one = place(net, (80, 0)), place(net, (30, 0)), np.zeros(1, dtype=np.int64)
    found = reaching.ways(graph, homes, doors, one, one, speed_ms=SPEED)
    walked = steps(graph, found, 0)
    assert [s[2:] for s in walked] == [(20, 0.2), (100, 1), (100, 1), (100, 1), (30, 0.3)]
    assert walked[0][0] == walked[-1][0] == homes.edge[0]
    flows = reaching.flows(graph, homes, doors, one, one, np.array([9]), speed_ms=SPEED)
    assert sorted((flows.along + flows.against).tolist()) == [0, 0, 0, 9, 9, 9, 9]
    assert flows.street_m.tolist() == [350]


def test_a_way_along_ones_own_street_is_one_step() -> None:
    net = town()
    graph, homes, doors = open_graph(net), off(place(net, (80, 0)), 4), off(place(net, (30, 0)), 3)
    found = reaching.ways(graph, homes, doors, *every(1, 1), speed_ms=SPEED)
    assert steps(graph, found, 0) == [(homes.edge[0], False, 50, 0.5)]
    assert (found.stays.tolist(), found.way_ms.tolist(), found.door.tolist()) == ([True], [57_000], [0])
    assert repr(found) == "Ways(1 rows, 1 steps, 0 without a way)"


def test_who_has_no_way_is_told_and_is_on_no_street() -> None:
    net = town({"abc": {}, "def": {}})
    graph, homes, doors = open_graph(net), place(net, (30, 0), (30, -100), (9000, 0)), place(net, (200, 0))
    going, to, people = np.arange(3), np.zeros(3, dtype=np.int64), np.array([1, 20, 300])
    found = reaching.flows(graph, homes, doors, going, to, people, speed_ms=SPEED)
    assert found.way_ms.tolist() == [170_000, -1, -1] and np.isnan(found.street_m).tolist() == [False, True, True]
    assert (found.left, int((found.along + found.against).max())) == (320, 1)
    near = reaching.ways(graph, homes, doors, going, to, speed_ms=SPEED, limit_s=169)
    assert near.way_ms.tolist() == [-1, -1, -1] and len(near.edge) == 0 and (near.door == -1).all()
    assert reaching.way(graph, homes, doors, 1, 0, speed_ms=SPEED) is None


def test_a_shelter_added_and_one_taken_away() -> None:
    net = town()
    graph, homes = open_graph(net), place(net, (30, 0), (130, 0))
    before, after = place(net, (0, 0), (200, 0)), of_sites(place(net, (0, 0), (100, 0)), 0, 2)
    ready = gates.homes(graph, homes)
    known = reaching.pairs(graph, homes, before, limit_s=500, speed_ms=SPEED, homes=ready)
    some = np.array([1, 2])
    now = reaching.site_pairs(graph, homes, after, some, limit_s=500, speed_ms=SPEED, sites=3, homes=ready)
    assert rows(now) == [(0, 2, 70), (1, 2, 30)]
    assert rows(reaching.replaced(known, some, now)) == [(0, 0, 30), (0, 2, 70), (1, 2, 30), (1, 0, 130)]


# -- laws ------------------------------------------------------------------------------------------------------------


@st.composite
def scenes(draw: st.DrawFn, *, ends: bool = True) -> SimpleNamespace:
    """A small city of any shape with places and doors, barriers and turn restrictions, and metres at both ends."""
    city = draw(every_way.cities())
    n = len(city.net.x)
    barred = np.array(draw(st.lists(st.sampled_from([False, False, False, True]), min_size=n, max_size=n)))
    graph = routing.graph(city.net, city.forward_s, city.backward_s, barred=barred, forbidden=city.forbidden)
    sites, count = draw(st.integers(1, 3)), draw(st.integers(1, 5))
    homes = draw(every_way.snaps(city.net, rows=count, ends=ends))
    doors = draw(every_way.snaps(city.net, rows=draw(st.integers(1, 5)), places=sites))
    metres = st.sampled_from([0.0, 0.0, 7.25, 40.0, 13.0004])
    there = [draw(st.lists(metres, min_size=len(s), max_size=len(s))) for s in (homes, doors)]
    return SimpleNamespace(graph=graph, homes=off(homes, *there[0]), doors=off(doors, *there[1]), sites=sites)


def joined(scene: SimpleNamespace, site: int, speed_ms: float = SPEED) -> np.ndarray:
    """Milliseconds of every place to one site by ``routing.join``, -1 where there is no way."""
    doors = scene.doors.where(scene.doors.place == site)
    forest = routing.nearest(scene.graph.reverse, doors, extra_s=doors.off_m / speed_ms)
    found = routing.join(scene.graph, forest, scene.homes, doors, extra_s=doors.off_m / speed_ms).cost_ms
    return np.where(found < 0, -1, found + np.rint(scene.homes.off_m / speed_ms * 1000).astype(np.int64))


def dense(pairs: Pairs) -> np.ndarray:
    table = np.full((pairs.places, pairs.sites), -1)
    table[pairs.place, pairs.site] = pairs.cost_ms
    return table


@settings(max_examples=60, deadline=None)
@given(scenes(), st.sampled_from([1.0, 1.3]))
def test_pairs_are_one_join_a_site_and_the_matrix(scene: SimpleNamespace, speed_ms: float) -> None:
    graph, homes, doors = scene.graph, scene.homes, scene.doors
    pairs = reaching.pairs(graph, homes, doors, limit_s=np.inf, speed_ms=speed_ms, sites=scene.sites)
    found = dense(pairs)
    assert np.array_equal(found, np.column_stack([joined(scene, s, speed_ms) for s in range(scene.sites)]))
    extra = {"origin_extra_s": homes.off_m / speed_ms, "destination_extra_s": doors.off_m / speed_ms}
    matrix = search.matrix(graph, homes, doors, **extra)
    assert np.array_equal(routing.seconds(found[:, : matrix.shape[1]]), matrix, equal_nan=True)


@settings(max_examples=60, deadline=None)
@given(scenes(), st.floats(0, 400), st.data())
def test_a_limit_keeps_what_lies_within_and_the_first_pair_is_the_walk_to_the_nearest(
    scene: SimpleNamespace, limit_s: float, data: st.DataObject
) -> None:
    graph, homes, doors = scene.graph, scene.homes, scene.doors
    everybody = SimpleNamespace(graph=graph, usable=np.ones(len(graph.u), dtype=bool))
    walks = evacuation.walk_to_nearest(everybody, homes, doors, speed_ms=SPEED)  # type: ignore[arg-type]
    walked = walks.walk_s[~np.isnan(walks.walk_s)].tolist()
    limit_s = data.draw(st.sampled_from([limit_s, *walked]))
    whole, near = (reaching.pairs(graph, homes, doors, limit_s=s, speed_ms=SPEED) for s in (np.inf, limit_s))
    served = walks.walk_s <= limit_s
    assert np.array_equal(np.diff(near.first) > 0, served)
    first = near.first[:-1][served]
    assert np.array_equal(near.site[first], walks.shelter[served])
    assert near.cost_ms[first] / 1000 == pytest.approx(walks.walk_s[served], abs=0.0005001)
    exact = whole.where(whole.cost_ms <= limit_s * 1000)
    # The walk to the street is rounded in the pair, not where it is held against the limit.
    assert set(rows(near)) ^ set(rows(exact)) <= {r for r in rows(whole) if abs(r[2] - limit_s) <= 0.001}


@settings(max_examples=60, deadline=None)
@given(scenes(), st.data())
def test_some_sites_some_places_and_what_is_put_in_their_place(scene: SimpleNamespace, data: st.DataObject) -> None:
    graph, homes, doors = scene.graph, scene.homes, scene.doors
    how = {"limit_s": 200.0, "speed_ms": SPEED, "sites": scene.sites}
    whole = reaching.pairs(graph, homes, doors, **how)
    some = np.array(data.draw(st.lists(st.integers(0, scene.sites - 1))), dtype=np.int64)
    part = reaching.site_pairs(graph, homes, doors, some, **how)
    assert rows(part) == rows(whole.where(np.isin(whole.site, some)))
    without = whole.where(~np.isin(whole.site, some))
    assert rows(reaching.replaced(without, some, part)) == rows(whole)
    kept = np.array(data.draw(st.lists(st.booleans(), min_size=len(homes), max_size=len(homes))))
    fewer = reaching.pairs(graph, homes.only(kept), doors, **how)
    assert rows(fewer) == rows(whole.where(kept[whole.place]))


@settings(max_examples=60, deadline=None)
@given(scenes())
def test_ways_are_those_that_trace_follows(scene: SimpleNamespace) -> None:
    graph, homes, doors = scene.graph, scene.homes, scene.doors
    going, to = every(len(homes), scene.sites)
    found = reaching.ways(graph, homes, doors, going, to, speed_ms=SPEED, sites=scene.sites)
    for row, (p, s) in enumerate(zip(going.tolist(), to.tolist(), strict=True)):
        mine = np.flatnonzero(doors.place == s)
        goal = doors.where(doors.place == s)
        forest = routing.nearest(graph.reverse, goal, extra_s=goal.off_m)
        starts = routing.join(graph, forest, homes, goal, extra_s=goal.off_m)
        traced = paths.trace(graph, forest, starts, homes, goal, p, extra_s=goal.off_m)
        way = reaching.way(graph, homes, doors, p, s, speed_ms=SPEED)
        assert (traced is None) == (way is None) == (found.way_ms[row] < 0)
        if traced is None or way is None:
            continue
        for name in ("edge", "from_m", "to_m", "seconds"):
            assert getattr(way, name).tolist() == getattr(traced, name).tolist(), name
        assert (way.source, way.extra_s, way.door) == (s, traced.extra_s, mine[traced.door]) and found.door[
            row
        ] == way.door
        part = steps(graph, found, row)
        last_ms = round(homes.off_m[p] * 1000) + round(way.extra_s * 1000)
        assert round(1000 * sum(seconds for *_, seconds, _ in part)) + last_ms == found.way_ms[row]
        metres = sum(share * graph.length_m[edge] for edge, _, _, share in part)
        assert metres == pytest.approx(way.length_m, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(scenes(), st.data())
def test_flows_count_each_row_once_on_each_of_its_streets(scene: SimpleNamespace, data: st.DataObject) -> None:
    graph, homes, doors = scene.graph, scene.homes, scene.doors
    each = st.tuples(st.integers(0, len(homes) - 1), st.integers(0, scene.sites - 1), st.integers(1, 9))
    going, to, people = np.array(data.draw(st.lists(each, max_size=8)), dtype=np.int64).reshape(-1, 3).T
    how = {"speed_ms": SPEED, "sites": scene.sites}
    walked, found = reaching.ways(graph, homes, doors, going, to, **how), counted(scene, going, to, people)
    along, against = np.zeros(len(graph.u), dtype=np.int64), np.zeros(len(graph.u), dtype=np.int64)
    for row in range(len(going)):
        for edge, ahead in {(e, a) for e, a, *_ in steps(graph, walked, row)}:
            (along if ahead else against)[edge] += people[row]
    assert np.array_equal(found.along, along) and np.array_equal(found.against, against)
    assert np.array_equal(found.way_ms, walked.way_ms)
    metres = sum(p * s * graph.length_m[e] for r, p in enumerate(people) for e, _, _, s in steps(graph, walked, r))
    assert np.nansum(found.street_m * people) == pytest.approx(metres) and found.left == people[walked.way_ms < 0].sum()


def counted(scene: SimpleNamespace, going: np.ndarray, to: np.ndarray, people: np.ndarray) -> Flows:
    return reaching.flows(scene.graph, scene.homes, scene.doors, going, to, people, speed_ms=SPEED, sites=scene.sites)


@settings(max_examples=60, deadline=None)
@given(scenes(ends=False))
def test_everybody_to_the_nearest_fills_the_streets_as_one_by_one(scene: SimpleNamespace) -> None:
    graph, homes, doors = scene.graph, scene.homes, scene.doors
    forest = routing.nearest(graph.reverse, doors, extra_s=doors.off_m)
    starts = routing.join(graph, forest, homes, doors, extra_s=doors.off_m)
    going = np.flatnonzero(starts.cost_ms >= 0)
    to, people = starts.source[going], 10 ** np.arange(len(going))
    walked = reaching.ways(graph, homes, doors, going, to, speed_ms=SPEED)
    # One by one counts who stands at the door as on the street, and twice who comes back to their own.
    streets = [[e for e, *_ in steps(graph, walked, row)] for row in range(len(going))]
    people[[not s or len(set(s)) < len(s) for s in streets]] = 0
    everybody = np.zeros(len(homes), dtype=np.int64)
    everybody[going] = people
    found = counted(scene, going, to, people)
    assert np.array_equal(found.along + found.against, every_way.flows(graph, forest, starts, homes, everybody))


@settings(max_examples=60, deadline=None)
@given(cities(), st.lists(SPOT, min_size=1, max_size=6), st.lists(SPOT, min_size=1, max_size=4), st.floats(10, 900))
def test_pairs_equal_networkx(
    city: tuple[network.Network, np.ndarray, np.ndarray, np.ndarray],
    here: list[tuple[float, float]],
    there: list[tuple[float, float]],
    limit_s: float,
) -> None:
    net = city[0]
    graph, homes, doors = directions(*city), place(net, *here), place(net, *there)
    homes, doors = (off(s, *np.zeros(len(s))) for s in (homes, doors))
    found = reaching.pairs(graph, homes, doors, limit_s=limit_s, speed_ms=SPEED)
    oracle = split_graph(graph, {"h": homes, "d": doors}).reverse()
    expected = {
        (node[1], s): ms
        for s in range(len(doors))
        if ("d", s) in oracle
        for node, ms in nx.single_source_dijkstra_path_length(oracle, ("d", s), cutoff=limit_s * 1000 + 5).items()
        if isinstance(node, tuple) and node[0] == "h"
    }
    ours = {(p, s): ms for p, s, ms in zip(found.place.tolist(), found.site.tolist(), found.cost_ms, strict=True)}
    # A few roundings of half a millisecond lie between ours and unrounded sums, also at the limit.
    assert set(ours) <= set(expected)
    assert all(expected[pair] > limit_s * 1000 - 5 for pair in set(expected) - set(ours))
    assert all(abs(expected[pair] - ms) <= 5 for pair, ms in ours.items())
