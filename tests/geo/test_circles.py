"""How far services reach: drawn, by law, and against counting station by station."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import circles, network
from geo.network import Network
from geo.reach import Pieces
from tests.geo.drawn import positions, ways
from tests.geo.drawn_services import bound, opened, service

# a-b-c in the north, d-e-f in the south, b-e between them; every side 100 m, a stands at (0, 0)
BLOCK = positions("abc\ndef")
CHAINS: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "be": {}, "de": {}, "ef": {}}


def town(chains: dict[str, dict[str, str]] = CHAINS) -> Network:
    return network.build(ways(BLOCK, chains))


def pieces(found: Pieces) -> list[tuple[int, float, float]]:
    return [(int(e), float(a), float(b)) for e, a, b in zip(found.edge, found.from_m, found.to_m, strict=True)]


def test_the_engine_leaves_after_its_turnout_and_arrives_at_the_street() -> None:
    net = town()
    found = circles.reached(opened(net), bound(net, [(0, 0)], [(150, 0)], turnout_s=60), params=service(minutes=5))
    assert found.time_s.tolist() == [210]
    assert found.station.tolist() == [0]


def test_the_very_minute_is_within() -> None:
    net = town()
    at = bound(net, [(0, 0)], [(120, 0), (121, 0)])
    assert circles.reached(opened(net), at, params=service(minutes=2)).served.tolist() == [True, False]


def test_one_way_streets_tell_from_and_towards_apart() -> None:
    net, at = town(), lambda n: bound(n, [(0, 0)], [(50, 0)])
    streets = opened(net, one_way=(0,))
    out = circles.reached(streets, at(net), params=service(minutes=9))
    home = circles.reached(streets, at(net), params=service(minutes=9, direction="towards"))
    assert out.time_s.tolist() == [50]
    assert np.isnan(home.time_s).tolist() == [True]


def test_a_station_behind_a_closed_street_does_not_turn_out() -> None:
    net = town()
    at = bound(net, [(50, 0), (200, -100)], [(200, 0)])
    found = circles.reached(opened(net, closed=(0,)), at, params=service(minutes=9))
    assert found.station.tolist() == [1]
    assert found.time_s.tolist() == [400 - 100]


def test_nobody_is_reached_where_there_is_no_station() -> None:
    net = town()
    found = circles.reached(opened(net), bound(net, [], [(0, 0)]), params=service(minutes=9))
    assert np.isnan(found.time_s).all() and found.station.tolist() == [-1] and found.depth.tolist() == [0]
    assert len(circles.within(found, 15)) == 0


def test_depth_counts_the_stations_that_are_there_in_time_also_from_both_ends() -> None:
    net = town()
    at = bound(net, [(0, 0), (200, 0), (200, -100)], [(100, 0), (10, 0), (150, 0)])
    found = circles.reached(opened(net), at, params=service(minutes=2.5))
    assert found.depth.tolist() == [2, 1, 2]


def test_streets_within_are_cut_where_the_time_runs_out() -> None:
    net = town({"ab": {}, "bc": {}})
    found = circles.reached(opened(net), bound(net, [(0, 0)], []), params=service(minutes=9))
    assert pieces(circles.within(found, 2.5)) == [(0, 0, 100), (1, 0, 50)]


def test_layers_of_stretches() -> None:
    stretches = Pieces(np.array([0, 0, 0, 1]), np.array([0.0, 40, 50, 0]), np.array([60.0, 100, 55, 10]))
    assert pieces(circles.layered(stretches, 1)) == [(0, 0, 100), (1, 0, 10)]
    assert pieces(circles.layered(stretches, 2)) == [(0, 40, 60)]
    assert pieces(circles.layered(stretches, 3)) == [(0, 50, 55)]
    assert pieces(circles.layered(stretches, 4)) == []


def test_points_at_the_ends_of_stretches_are_covered() -> None:
    stretches = Pieces(np.array([0, 0, 1]), np.array([0.0, 40, 0]), np.array([60.0, 100, 10]))
    found = circles.covering(stretches, np.array([0, 0, 0, 1, 1, 2]), np.array([0.0, 40, 61, 10, 11, 5]))
    assert found.tolist() == [1, 2, 1, 1, 0, 0]


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0, -100])), min_size=0, max_size=4),
    st.lists(st.tuples(st.integers(0, 200), st.sampled_from([0, -100])), min_size=1, max_size=6),
    st.sets(st.integers(0, 4), max_size=3),
    st.floats(0.2, 6),
    st.sampled_from(["from", "towards"]),
)
def test_time_and_depth_equal_asking_each_station_alone(
    stations: list[tuple[int, int]], homes: list[tuple[int, int]], closed: set[int], minutes: float, direction: str
) -> None:
    net = town()
    streets, params = opened(net, closed=tuple(closed)), service(minutes=minutes, direction=direction)
    found = circles.reached(streets, bound(net, stations, homes), params=params)
    alone = [circles.reached(streets, bound(net, [s], homes), params=params) for s in stations]
    times = np.array([one.time_s for one in alone]).reshape(len(stations), len(homes))
    nearest = np.fmin.reduce(times, axis=0) if len(stations) else np.full(len(homes), np.nan)
    assert np.array_equal(found.time_s, nearest, equal_nan=True)
    assert found.depth.tolist() == (times <= minutes * 60).sum(axis=0).tolist()


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 200), st.floats(0, 5), st.floats(0, 5))
def test_a_longer_time_holds_the_streets_of_a_shorter_one(x: int, one: float, two: float) -> None:
    net = town()
    found = circles.reached(opened(net), bound(net, [(x, 0)], []), params=service(minutes=9))
    small, large = (circles.within(found, minutes) for minutes in sorted((one, two)))
    both = circles.stacked([small, large])
    assert circles.layered(both, 2).length_m.sum() == pytest.approx(small.length_m.sum())
    assert circles.layered(both, 1).length_m.sum() == pytest.approx(large.length_m.sum())


def test_times_equal_networkx() -> None:
    net = town()
    graph = nx.Graph()
    for u, v, length in zip(net.u.tolist(), net.v.tolist(), net.length_m.tolist(), strict=True):
        graph.add_edge(u, v, weight=length)
    corners = [(0, 0), (100, 0), (200, 0), (0, -100), (100, -100), (200, -100)]
    at = bound(net, [(0, -100)], corners)
    found = circles.reached(opened(net), at, params=service(minutes=9))
    node = {
        (round(x - net.x.min()), round(y - net.y.max())): i for i, (x, y) in enumerate(zip(net.x, net.y, strict=True))
    }
    far = nx.single_source_dijkstra_path_length(graph, node[0, -100])
    assert found.time_s.tolist() == [far[node[corner]] for corner in corners]
