"""The last safe departure: drawn, by law, and against walking forward in time."""

from __future__ import annotations

import heapq

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import departures, network, routing
from geo.departures import DepartureParams, Departures, by_community, closing, closing_sites, depart
from geo.errors import InputError
from geo.network import Network
from geo.routing import Graph
from geo.snapping import Snaps
from tests.geo.drawn import positions, ways
from tests.geo.test_routing import cities, directions, open_graph, place, town
from tests.geo.test_search import CITY, SPOT

PARAMS = DepartureParams.of(standards.load())


def assuming(assume: str, **others: object) -> DepartureParams:
    return PARAMS.model_copy(update={"assume": assume, **others})


# -- when streets close ------------------------------------------------------------------------------------------

#            hour  1      6      12     18
FRAMES = np.array([
    [True, True, True, True],  # hour 1
    [True, True, False, True],  # hour 6
    [True, False, True, True],  # hour 12
    [True, False, True, False],  # hour 18
])  # fmt: skip
HOURS = (1.0, 6.0, 12.0, 18.0)


def test_a_street_closes_between_the_hours_that_are_known() -> None:
    assert closing(FRAMES, HOURS, params=PARAMS).tolist() == [np.inf, 6, 1, 12], "opens again: stays closed"
    assert closing(FRAMES, HOURS, params=assuming("first_closed")).tolist() == [np.inf, 12, 6, 18]
    assert closing(FRAMES, HOURS, params=assuming("interpolated")).tolist() == [np.inf, 9, 3.5, 15]


def test_the_depth_says_when_between_them() -> None:
    depth = np.array([[0, 0.0, 0.0, 0.0], [0, 0.3, 0.9, 0.0], [0, 0.9, 0.1, np.nan], [0, 2.0, 0.0, 0.6]])
    hours = closing(FRAMES, HOURS, params=assuming("interpolated"), depth_m=depth, close_depth_m=0.5)
    # 0.3 → 0.9 m passes 0.5 m after a third of six hours; 0 → 0.9 after five ninths of five; unknown before: half
    assert hours.tolist() == pytest.approx([np.inf, 8, 1 + 5 * 5 / 9, 15])


def test_what_is_closed_in_the_first_frame_closed_after_the_start() -> None:
    closed = np.array([[False], [False]])
    assert closing(closed, (2, 4), params=PARAMS).tolist() == [0]
    assert closing(closed, (2, 4), params=assuming("last_open", start_h=1.5)).tolist() == [1.5]
    assert closing(closed, (2, 4), params=assuming("interpolated")).tolist() == [1]
    assert closing(closed, (2, 4), params=assuming("first_closed")).tolist() == [2]


def test_a_shelter_that_floods_later_does_not_count() -> None:
    assert closing_sites(FRAMES, HOURS, params=PARAMS).tolist() == [np.inf, -np.inf, -np.inf, -np.inf]
    until = closing_sites(FRAMES, HOURS, params=assuming("last_open", lasting=False))
    assert until.tolist() == [np.inf, 6, 1, 12]


def test_frames_that_do_not_fit_are_refused() -> None:
    with pytest.raises(InputError, match="one row of streets an hour"):
        closing(FRAMES, (1, 6), params=PARAMS)
    with pytest.raises(InputError, match="hours that rise"):
        closing(FRAMES, (6, 1, 12, 18), params=PARAMS)
    with pytest.raises(InputError, match="hours that rise from 3"):
        closing(FRAMES, HOURS, params=assuming("last_open", start_h=3))
    net = town()
    with pytest.raises(InputError, match="8 others"):
        depart(open_graph(net), place(net), place(net, (0, 0)), np.full(7, np.nan), np.array([np.nan]))


# -- drawn: a bridge that floods ---------------------------------------------------------------------------------

#   a───b═══c───d      a-b and c-d 600 m of street, b-c 600 m of bridge; on foot at 1 m/s, ten minutes each
RIVER = positions("a     b     c     d")


def river(chains: tuple[str, ...] = ("ab", "bc", "cd")) -> tuple[Network, Graph]:
    net = network.build(ways(RIVER, {chain: {} for chain in chains}))
    return net, open_graph(net)


def test_one_must_be_over_the_bridge_before_it_floods() -> None:
    net, graph = river()
    homes = place(net, (0, 0), (300, 0), (900, 0), (1500, 0), (1800, 0))
    found = depart(graph, homes, place(net, (1800, 0)), np.array([np.inf, 6, np.inf]), np.array([np.inf]))
    # a: 20 minutes to the far end of the bridge; who stands half over it: 5 minutes; beyond it there is no hurry
    minutes = ((6 - found.last_departure_h) * 60).tolist()
    assert minutes == pytest.approx([20, 15, 5, -np.inf, -np.inf])
    assert found.walk_s.tolist() == pytest.approx([np.nan, np.nan, np.nan, 300, 0], nan_ok=True)
    assert found.site.tolist() == [0] * 5
    assert repr(found) == "Departures(5 places: 2 at any time, 3 in time, 0 never)"


def test_the_shelter_on_this_side_is_the_later_way_until_it_closes() -> None:
    net, graph = river()
    home, doors = place(net, (0, 0)), place(net, (1800, 0), (300, 0))
    bridge = np.array([np.inf, 6, np.inf])
    near = depart(graph, home, doors, bridge, np.array([np.inf, np.inf]))
    assert (near.last_departure_h[0], near.site[0], near.walk_s[0], near.state[0]) == (np.inf, 1, 300, -1)
    until = depart(graph, home, doors, bridge, np.array([np.inf, 8]))
    assert (until.last_departure_h[0], until.site[0]) == (8 - 5 / 60, 1)
    early = depart(graph, home, doors, bridge, np.array([np.inf, 3]))
    assert (early.last_departure_h[0], early.site[0]) == (pytest.approx(6 - 20 / 60), 0)
    none = depart(graph, home, doors, bridge, np.array([-np.inf, -np.inf]))
    assert np.isnan(none.last_departure_h[0])
    assert (none.site[0], none.state[0]) == (-1, -1)


def test_a_way_round_that_stays_open_is_taken() -> None:
    net = town()
    close = np.full(len(net.u), np.inf)
    ends = [{chr(net.node_id[u]), chr(net.node_id[v])} for u, v in zip(net.u, net.v, strict=True)]
    close[ends.index({"a", "b"})] = 1.0
    found = depart(open_graph(net), place(net, (0, 0), (50, 0)), place(net, (200, 0)), close, np.array([np.inf]))
    assert found.last_departure_h.tolist() == [np.inf, pytest.approx(1 - 50 / 3600)], "the second stands on it"
    assert found.walk_s[0] == 400
    late = np.where(np.isinf(close), 1.0, 2.0)
    found = depart(open_graph(net), place(net, (0, 0)), place(net, (200, 0)), late, np.array([np.inf]))
    assert found.last_departure_h[0] == pytest.approx(1 - 200 / 3600)


def test_metres_beyond_the_street_count_before_the_shelter_closes_not_before_the_street_does() -> None:
    net, graph = river()
    home, door, extra = place(net, (1500, 0)), place(net, (1800, 0)), np.array([600.0])
    street = np.array([np.inf, np.inf, 4.0])
    shut = depart(graph, home, door, street, np.array([np.inf]), extra_s=extra)
    assert shut.last_departure_h[0] == pytest.approx(4 - 5 / 60)
    full = depart(graph, home, door, street, np.array([4.0]), extra_s=extra)
    assert full.last_departure_h[0] == pytest.approx(4 - 15 / 60)


def test_before_the_first_hour_is_negative_and_no_way_is_none() -> None:
    net, graph = river(("ab", "cd"))
    homes = Snaps(np.arange(3), np.array([0, 0, -1]), np.array([0.0, 600, np.nan]), np.array([0, 0, np.nan]))
    found = depart(graph, homes, place(net, (1800, 0)), np.full(2, np.inf), np.array([np.inf]))
    assert np.isnan(found.last_departure_h).all()
    net, graph = river()
    found = depart(graph, place(net, (0, 0)), place(net, (1800, 0)), np.full(3, 0.0), np.array([np.inf]))
    assert found.last_departure_h.tolist() == pytest.approx([-0.5])
    empty = depart(graph, place(net), place(net), np.full(3, 0.0), np.zeros(0))
    assert len(empty) == 0


def test_communities_and_who_is_too_late() -> None:
    hours = np.array([5.5, np.inf, np.nan, 0.5, -0.2])
    found = Departures(hours, np.zeros(5, dtype=np.int64), np.zeros(5), np.zeros(5, dtype=np.int64))
    of = pd.Series(["x", "x", "x", "y", "y"])
    table = by_community(found, np.array([10, 20, 5, 0, 7]), of, pd.Series(["y", "x", "z"]), hours=(0, 1, 6))
    assert table["leave_by_h"].tolist() == pytest.approx([-0.2, 5.5, np.nan], nan_ok=True)
    assert table["people_any_time"].tolist() == [0, 20, 0]
    assert table["people_no_way_normally"].tolist() == [0, 5, 0]
    assert table[[f"people_too_late_{h}h" for h in (0, 1, 6)]].to_numpy().tolist() == [[7, 7, 7], [0, 0, 10], [0] * 3]


# -- by law, and against walking forward in time -------------------------------------------------------------------

CLOSES = st.sampled_from([0.0, 0.02, 0.05, 0.1, 0.15, 0.3, np.inf])


def arrives(
    graph: Graph, start: tuple[int, float], doors: Snaps, close_ms: list[float], site_ms: list[float], leave_ms: int
) -> bool:
    """Whether somebody who leaves then and never stops is in some shelter in time: forward, state by state."""
    edge, along_m = start

    def share(e: int, metres: float) -> float:
        return metres / graph.length_m[e] if graph.length_m[e] > 0 else 0.0

    def part(whole: float, of: float) -> float:
        return 0 if of == 0 else np.inf if whole > 2**60 else round(whole * of)

    def passed(now: float, takes: float, e: int) -> float:
        return now + takes if takes == 0 or now + takes <= close_ms[e] else np.inf

    def inside(now: float, door: int) -> bool:
        return now <= site_ms[doors.place[door]] and now < np.inf

    found = np.flatnonzero(doors.found)
    for d in found[doors.edge[found] == edge]:
        ahead = doors.along_m[d] >= along_m
        whole = int((graph.forward_ms if ahead else graph.backward_ms)[edge])
        now = leave_ms + part(whole, share(edge, abs(doors.along_m[d] - along_m)))
        if now <= close_ms[edge] and inside(now, d):
            return True
    at, heap = share(edge, along_m), []
    for a in np.flatnonzero(graph.edge == edge):
        takes = part(int(graph.cost_ms[a]), 1 - at if graph.along[a] else at)
        heapq.heappush(heap, (passed(leave_ms, takes, edge), int(graph.head[a])))
    for node, there in ((graph.u[edge], at == 0), (graph.v[edge], at == 1)):
        if there:
            heapq.heappush(heap, (leave_ms, int(node)))
    seen = set()
    while heap:
        now, s = heapq.heappop(heap)
        if s in seen or now == np.inf:
            continue
        seen.add(s)
        for d in found:
            e, there = doors.edge[d], share(int(doors.edge[d]), doors.along_m[d])
            if s in ({int(graph.u[e])} if there == 0 else {int(graph.v[e])} if there == 1 else set()) and inside(
                now, d
            ):
                return True
            for a in range(graph.first[s], graph.first[s + 1]):
                takes = part(int(graph.cost_ms[a]), there if graph.along[a] else 1 - there)
                if graph.edge[a] == e and inside(passed(now, takes, int(e)), d):
                    return True
        for a in range(graph.first[s], graph.first[s + 1]):
            heapq.heappush(heap, (passed(now, int(graph.cost_ms[a]), int(graph.edge[a])), int(graph.head[a])))
    return False


@st.composite
def floods(
    draw: st.DrawFn,
) -> tuple[CITY, list[tuple[float, float]], list[tuple[float, float]], np.ndarray, np.ndarray]:
    city = draw(cities())
    homes, doors = draw(st.lists(SPOT, min_size=1, max_size=3)), draw(st.lists(SPOT, max_size=3))
    n = len(city[0].u)
    close = np.array(draw(st.lists(CLOSES, min_size=n, max_size=n)))
    sites = np.array(
        draw(st.lists(st.sampled_from([-np.inf, 0.05, 0.1, np.inf]), min_size=len(doors), max_size=len(doors)))
    )
    return city, homes, doors, close, sites


@settings(max_examples=60, deadline=None)
@given(floods())
def test_who_leaves_at_the_last_moment_arrives_and_a_moment_later_does_not(flood: tuple) -> None:  # type: ignore[type-arg]
    city, homes, doors, close, sites = flood
    graph, start, to = directions(*city), place(city[0], *homes), place(city[0], *doors)
    found = depart(graph, start, to, close, sites)
    close_ms, site_ms = (np.rint(hours * 3.6e6).tolist() for hours in (close, sites))
    for row in range(len(start)):
        at = (int(start.edge[row]), float(start.along_m[row]))
        last = found.last_departure_h[row]
        leave_ms = round(last * 3.6e6) if np.isfinite(last) else 10**12 if last > 0 else -(10**12)
        assert arrives(graph, at, to, close_ms, site_ms, leave_ms) == (not np.isnan(last))
        if np.isfinite(last):
            assert not arrives(graph, at, to, close_ms, site_ms, leave_ms + 1)


@settings(max_examples=40, deadline=None)
@given(floods(), st.data())
def test_what_closes_later_makes_nobody_leave_earlier(flood: tuple, data: st.DataObject) -> None:  # type: ignore[type-arg]
    city, homes, doors, close, sites = flood
    graph, start, to = directions(*city), place(city[0], *homes), place(city[0], *doors)
    longer = close + np.array(data.draw(st.lists(CLOSES, min_size=len(close), max_size=len(close))))
    before, after = depart(graph, start, to, close, sites), depart(graph, start, to, longer, sites)
    possible = ~np.isnan(before.last_departure_h)
    assert (after.last_departure_h[possible] >= before.last_departure_h[possible]).all()
    assert np.array_equal(possible, ~np.isnan(after.last_departure_h)), "closing later opens no new way"


@settings(max_examples=40, deadline=None)
@given(floods())
def test_where_nothing_closes_it_is_the_shortest_way(flood: tuple) -> None:  # type: ignore[type-arg]
    city, homes, doors, close, _ = flood
    graph, start, to = directions(*city), place(city[0], *homes), place(city[0], *doors)
    extra = np.linspace(0, 50, len(to))
    found = depart(graph, start, to, np.full(len(close), np.inf), np.full(len(to), np.inf), extra_s=extra)
    usual = routing.join(graph, routing.nearest(graph.reverse, to, extra_s=extra), start, to, extra_s=extra)
    assert np.array_equal(found.walk_s, routing.seconds(usual.cost_ms), equal_nan=True)
    assert np.array_equal(found.site, usual.source)
    assert np.array_equal(np.isposinf(found.last_departure_h), usual.cost_ms >= 0)


@settings(max_examples=40, deadline=None)
@given(floods())
def test_following_the_way_from_a_state_every_street_is_passed_in_time(flood: tuple) -> None:  # type: ignore[type-arg]
    city, _, doors, close, sites = flood
    graph, to = directions(*city), place(city[0], *doors)
    on = departures.latest(graph, to, close, sites)
    assert repr(on) == f"Latest({int((on.door >= 0).sum())} of {len(graph)} states have a way)"
    for state in np.flatnonzero(on.door >= 0):
        now, at = on.latest_ms[state], int(state)
        while on.parent[at] >= 0:
            onward = [
                int(graph.cost_ms[a])
                for a in range(graph.first[at], graph.first[at + 1])
                if graph.edge[a] == on.via[at] and graph.head[a] == on.parent[at]
            ]
            now += min(onward)
            assert now <= close[on.via[at]] * 3.6e6
            at = int(on.parent[at])
            assert now <= on.latest_ms[at]
        assert now <= sites[to.place[on.door[at]]] * 3.6e6
