"""What lies within a time: drawn, by law, and metre by metre against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import network, reach, routing
from geo.network import Network
from geo.reach import Pieces
from geo.routing import Graph
from geo.snapping import Snaps
from tests.geo.drawn import ORIGIN, positions, ways
from tests.geo.every_way import City, cities, snaps
from tests.geo.test_routing import open_graph, place, split_graph, town


def within(graph: Graph, origins: Snaps, seconds: float, *, extra_s: np.ndarray | None = None) -> Pieces:
    cost = routing.nearest(graph, origins, extra_s=extra_s).cost_ms
    return reach.within(graph, cost, origins, minutes=seconds / 60, extra_s=extra_s)


def told(net: Network, pieces: Pieces) -> list[tuple[str, float, float]]:
    """Pieces by the letters of their edge."""
    ids = [chr(i) for i in net.node_id]
    return [
        (ids[net.u[e]] + ids[net.v[e]], round(float(a), 3), round(float(b), 3))  # whole milliseconds leave less
        for e, a, b in zip(pieces.edge, pieces.from_m, pieces.to_m, strict=True)
    ]


# the block of test_routing at a metre a second: a-b-c in the north, d-e-f in the south, b-e between, 100 m each


def test_streets_are_cut_where_the_time_runs_out() -> None:
    net = town()
    pieces = within(open_graph(net), place(net, (0, 0)), 130)
    assert told(net, pieces) == [("ab", 0, 100), ("bc", 0, 30), ("de", 0, 30), ("be", 0, 30), ("ad", 0, 100)]
    assert repr(pieces) == "Pieces(5 stretches, 0.3 km)"


def test_a_dead_end_reached_from_one_side_only() -> None:
    net = town({"ab": {}, "bc": {}})
    assert told(net, within(open_graph(net), place(net, (0, 0)), 150)) == [("ab", 0, 100), ("bc", 0, 50)]
    assert told(net, within(open_graph(net), place(net, (0, 0)), 500)) == [("ab", 0, 100), ("bc", 0, 100)]


def test_a_street_reached_from_both_ends_keeps_its_middle_unreached() -> None:
    net = town()
    pieces = within(open_graph(net), place(net, (0, 0), (200, 0)), 130)
    assert ("be", 0, 30) in told(net, pieces)
    both = within(open_graph(net), place(net, (0, 0), (100, -100)), 40)
    assert told(net, both) == [("ab", 0, 40), ("de", 60, 100), ("ef", 0, 40), ("be", 60, 100), ("ad", 0, 40)]
    met = within(open_graph(net), place(net, (0, 0), (100, 0)), 50)
    assert told(net, met)[0] == ("ab", 0, 100)


def test_a_one_way_street_is_reached_in_its_direction_only() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, np.where(net.way == 0, np.nan, net.length_m))
    assert told(net, within(graph, place(net, (30, 0)), 50)) == [("ab", 30, 80)]
    # towards it: from the other side
    assert told(net, within(graph.reverse, place(net, (30, 0)), 50)) == [("ab", 0, 30), ("ad", 0, 20)]


def test_a_facility_in_mid_street() -> None:
    net = town()
    assert told(net, within(open_graph(net), place(net, (30, 0)), 20)) == [("ab", 10, 50)]
    assert told(net, within(open_graph(net), place(net, (30, 0)), 40)) == [("ab", 0, 70), ("ad", 0, 10)]


def test_exactly_on_the_limit_is_within() -> None:
    net = town()
    pieces = within(open_graph(net), place(net, (0, 0)), 100)
    assert told(net, pieces) == [("ab", 0, 100), ("ad", 0, 100)]
    assert pieces.to_m.tolist() == [100, 100]


def test_no_time_reaches_nothing_and_a_turnout_takes_from_it() -> None:
    net = town()
    assert len(within(open_graph(net), place(net, (30, 0)), 0)) == 0
    extra = np.array([15.0])
    assert told(net, within(open_graph(net), place(net, (30, 0)), 20, extra_s=extra)) == [("ab", 25, 35)]
    assert len(within(open_graph(net), place(net, (30, 0)), 10, extra_s=extra)) == 0


def test_a_loop_street_is_reached_from_both_its_ends() -> None:
    net = network.build(ways(positions("ab\nxy"), {"ayxa": {}, "ab": {}}))
    length = float(net.length_m[0])
    pieces = within(open_graph(net), place(net, (50, 0)), 100)
    assert told(net, pieces) == [("aa", 0, 50), ("aa", round(length - 50, 3), round(length, 3)), ("ab", 0, 100)]
    assert told(net, within(open_graph(net), place(net, (50, 0)), 400))[0] == ("aa", 0, round(length, 3))


def test_no_origin_reaches_nothing() -> None:
    net = town()
    pieces = within(open_graph(net), place(net), 100)
    assert (len(pieces), len(reach.drawn(net, pieces))) == (0, 0)
    left = reach.rest(pieces, np.arange(len(net.u)), net.length_m)
    assert left.length_m.tolist() == net.length_m.tolist()


def test_what_is_left_of_some_streets() -> None:
    net = town()
    pieces = within(open_graph(net), place(net, (30, 0)), 20)
    left = reach.rest(pieces, np.array([0, 2]), net.length_m)
    assert told(net, left) == [("ab", 0, 10), ("ab", 50, 100), ("de", 0, 100)]
    assert told(net, reach.rest(pieces, np.array([1]), net.length_m)) == [("bc", 0, 100)]


def test_stretches_that_touch_are_one() -> None:
    pieces = reach.merged(np.array([1, 0, 0, 0]), np.array([0.0, 50.0, 0.0, 20.0]), np.array([5.0, 60.0, 30.0, 50.0]))
    assert (pieces.edge.tolist(), pieces.from_m.tolist(), pieces.to_m.tolist()) == ([0, 1], [0, 0], [60, 5])


def test_lines_are_cut_at_the_very_place() -> None:
    """One street with a bend: 100 m east, then 100 m south."""
    net = network.build(ways(positions("ab\n c"), {"abc": {}}))
    assert len(net.u) == 1
    drawing = reach.drawn(
        net, Pieces(np.zeros(3, dtype=int), np.array([20.0, 20.0, 100.0]), np.array([60.0, 150.0, 200.0]))
    )
    xy = [(round(x - ORIGIN[0], 6), round(y - ORIGIN[1], 6)) for x, y in zip(drawing.x, drawing.y, strict=True)]
    assert drawing.start.tolist() == [0, 2, 5, 7]
    assert xy == [(20, 0), (60, 0), (20, 0), (100, 0), (100, -50), (100, 0), (100, -100)]


# -- laws and oracle ---------------------------------------------------------------------------------------------------


def as_set(pieces: Pieces) -> dict[int, shapely.MultiLineString]:
    lines: dict[int, list[tuple[tuple[float, float], tuple[float, float]]]] = {}
    for e, a, b in zip(pieces.edge.tolist(), pieces.from_m.tolist(), pieces.to_m.tolist(), strict=True):
        lines.setdefault(e, []).append(((a, 0.0), (b, 0.0)))
    return {e: shapely.MultiLineString(parts) for e, parts in lines.items()}


@settings(max_examples=150, deadline=None)
@given(cities(), st.data(), st.floats(0, 400), st.floats(0, 400))
def test_a_longer_time_contains_a_shorter(city: City, data: st.DataObject, a: float, b: float) -> None:
    origins = data.draw(snaps(city.net, rows=2))
    less, more = (as_set(within(city.graph, origins, s)) for s in sorted((a, b)))
    for e, lines in less.items():
        assert lines.difference(more[e].buffer(1e-6)).length == pytest.approx(0, abs=1e-6)


@settings(max_examples=150, deadline=None)
@given(cities(), st.data(), st.floats(0, 400))
def test_within_and_rest_are_the_whole(city: City, data: st.DataObject, seconds: float) -> None:
    net = city.net
    pieces = within(city.graph, data.draw(snaps(net, rows=2)), seconds)
    edges = np.array(sorted(data.draw(st.sets(st.integers(0, len(net.u) - 1)))), dtype=np.int64)
    left = reach.rest(pieces, edges, net.length_m)
    inside = pieces.length_m[np.isin(pieces.edge, edges)].sum()
    assert inside + left.length_m.sum() == pytest.approx(net.length_m[edges].sum(), abs=1e-4)
    for part in (pieces, left):
        assert (np.lexsort((part.from_m, part.edge)) == np.arange(len(part))).all()
        assert (part.length_m > 0).all() and (part.from_m >= 0).all() and (part.to_m <= net.length_m[part.edge]).all()
        same = part.edge[1:] == part.edge[:-1]
        assert (part.from_m[1:][same] > part.to_m[:-1][same]).all()


@settings(max_examples=150, deadline=None)
@given(cities(), st.data(), st.floats(0, 400))
def test_lines_are_as_long_as_their_pieces(city: City, data: st.DataObject, seconds: float) -> None:
    pieces = within(city.graph, data.draw(snaps(city.net, rows=2)), seconds)
    drawing = reach.drawn(city.net, pieces)
    xy = np.column_stack([drawing.x, drawing.y])
    for i in range(len(pieces)):
        line = shapely.LineString(xy[drawing.start[i] : drawing.start[i + 1]])
        assert line.length == pytest.approx(pieces.length_m[i], abs=1e-6)
        street = city.net.lines[pieces.edge[i]]
        for end, at in ((0, pieces.from_m[i]), (-1, pieces.to_m[i])):
            assert shapely.Point(line.coords[end]).distance(street.interpolate(at)) == pytest.approx(0, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(cities(nodes=4, streets=5, turns=0), st.data(), st.sampled_from([0.0, 10.0, 20.0, 61.3, 150.0]), st.booleans())
def test_every_metre_as_networkx_has_it(city: City, data: st.DataObject, seconds: float, reverse: bool) -> None:
    """A point is within where networkx walks to it in time; points within rounding of the limit may be either."""
    net, graph = city.net, city.graph.reverse if reverse else city.graph
    origins = data.draw(snaps(net, rows=2))
    edge, at = every_metre(net)
    points = Snaps(np.arange(len(edge)), edge, at, np.zeros(len(edge)))
    oracle = split_graph(graph, {"o": origins, "p": points})
    far = nx.multi_source_dijkstra_path_length(oracle, [("o", 0), ("o", 1)])
    pieces = within(graph, origins, seconds)
    for i in range(len(edge)):
        inside = ((pieces.edge == edge[i]) & (pieces.from_m <= at[i] + 1e-6) & (pieces.to_m >= at[i] - 1e-6)).any()
        cost_s = far.get(("p", i), np.inf) / 1000
        assert inside == (cost_s <= seconds) or abs(cost_s - seconds) < 0.01 or seconds == 0


def every_metre(net: Network) -> tuple[np.ndarray, np.ndarray]:
    """A point at every whole metre of every street: edges, and how far along."""
    count = np.floor(net.length_m).astype(int)
    edge = np.repeat(np.arange(len(net.u)), count)
    return edge, np.concatenate([np.arange(n) + 0.5 for n in count])
