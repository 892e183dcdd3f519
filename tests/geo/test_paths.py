"""One way from a place to another: drawn, by law, and against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import data.standards
from geo import network, paths, routing
from geo.network import Network
from geo.paths import LegParams, Path
from geo.routing import Graph
from geo.snapping import Snaps
from tests.geo.drawn import ORIGIN, positions, ways
from tests.geo.every_way import City, cities, head, snaps
from tests.geo.test_routing import open_graph, place, split_graph, town

PARAMS = LegParams.of(data.standards.load())


def way(graph: Graph, places: Snaps, sources: Snaps, row: int = 0, *, extra_s: np.ndarray | None = None) -> Path | None:
    forest = routing.nearest(graph.reverse, sources, extra_s=extra_s)
    starts = routing.join(graph, forest, places, sources, extra_s=extra_s)
    return paths.trace(graph, forest, starts, places, sources, row, extra_s=extra_s)


def found(graph: Graph, places: Snaps, sources: Snaps, row: int = 0, *, extra_s: np.ndarray | None = None) -> Path:
    answer = way(graph, places, sources, row, extra_s=extra_s)
    assert answer is not None
    return answer


def drawn_line(net: Network, answer: Path) -> list[tuple[float, float]]:
    xy = shapely.get_coordinates(paths.line(net, answer)) - np.array(ORIGIN)
    return [(round(x, 6) + 0.0, round(y, 6) + 0.0) for x, y in xy.tolist()]


# the block of test_routing: a-b-c in the north, d-e-f in the south, b-e between; every side 100 m


def test_from_mid_street_to_mid_street() -> None:
    net = town()
    answer = found(open_graph(net), place(net, (30, 0)), place(net, (100, -40)))
    assert answer.seconds.tolist() == [70, 40] and answer.length_m == 110 and len(answer) == 2
    assert drawn_line(net, answer) == [(30, 0), (100, 0), (100, -40)]
    assert repr(answer) == "Path(2 stretches, 110 m, 110 s, to source 0)"


def test_along_ones_own_street_without_a_corner() -> None:
    net = town()
    there, back = (found(open_graph(net), place(net, (a, 0)), place(net, (b, 0))) for a, b in ((30, 80), (80, 30)))
    assert (there.from_m.tolist(), there.to_m.tolist()) == ([30], [80])
    assert (back.from_m.tolist(), back.to_m.tolist()) == ([80], [30])
    assert drawn_line(net, back) == [(80, 0), (30, 0)]


def test_a_one_way_street_leads_round_the_block() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, np.where(net.way == 0, np.nan, net.length_m))
    answer = found(graph, place(net, (80, 0)), place(net, (30, 0)))
    assert drawn_line(net, answer) == [(80, 0), (100, 0), (100, -100), (0, -100), (0, 0), (30, 0)]
    assert answer.edge[0] == answer.edge[-1]


def test_from_the_source_it_is_traced_on_the_reverse_and_turned_round() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, np.where(net.way == 0, np.nan, net.length_m))
    answer = found(graph.reverse, place(net, (30, 0)), place(net, (80, 0))).reverse
    assert drawn_line(net, answer) == [(80, 0), (100, 0), (100, -100), (0, -100), (0, 0), (30, 0)]


def test_who_stands_at_the_source_has_no_way_to_go() -> None:
    net = town()
    for spot in ((30, 0), (100, 0)):
        answer = found(open_graph(net), place(net, spot), place(net, spot))
        assert len(answer) == 0 and answer.total_s == 0 and paths.line(net, answer).is_empty
        assert paths.legs(net, answer, params=PARAMS).empty


def test_places_and_sources_at_corners() -> None:
    net = town()
    answer = found(open_graph(net), place(net, (0, 0)), place(net, (200, -100)))
    assert answer.total_s == 300 and len(answer) == 3
    assert drawn_line(net, answer)[0] == (0, 0) and drawn_line(net, answer)[-1] == (200, -100)


def test_no_path_is_none() -> None:
    net = town({"abc": {}, "def": {}})
    assert way(open_graph(net), place(net, (0, -100)), place(net, (0, 0))) is None


def test_of_several_doors_the_one_that_explains_the_cost() -> None:
    net = town()
    doors = place(net, (100, -20), (100, -90))
    doors = Snaps(np.zeros(2, dtype=np.int64), doors.edge, doors.along_m, doors.off_m)
    near, far = (found(open_graph(net), place(net, (30, 0)), doors, extra_s=np.array([e, 0.0])) for e in (10, 500))
    assert (near.door, near.extra_s, near.total_s) == (0, 10, 100)
    assert (far.door, far.extra_s, far.total_s) == (1, 0, 160)


def test_a_loop_street_is_left_by_the_nearer_end() -> None:
    """A loop a-x-y-a of 400 m; the place 100 m along it, the source on a-b."""
    spots = positions("ab\nxy")
    net = network.build(ways(spots, {"ayxa": {}, "ab": {}}))
    at = Snaps(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.array([100.0]), np.zeros(1))
    far = Snaps(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.array([300.0]), np.zeros(1))
    goal = Snaps(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), np.array([50.0]), np.zeros(1))
    graph = open_graph(net)
    length = net.length_m[0]
    assert (found(graph, at, goal).from_m[0], found(graph, at, goal).to_m[0]) == (100, 0)
    assert (found(graph, far, goal).from_m[0], found(graph, far, goal).to_m[0]) == (300, length)
    assert (found(graph, goal, far).from_m[-1], found(graph, goal, far).to_m[-1]) == (length, 300)


def test_of_parallel_streets_the_quicker() -> None:
    spots = positions("a b\n x")
    net = network.build(ways(spots, {"axb": {}, "ab": {}}))
    graph = open_graph(net, seconds=np.array([10.0, 200.0]))
    ends = (
        Snaps(np.zeros(1, dtype=np.int64), np.ones(1, dtype=np.int64), np.array([m]), np.zeros(1)) for m in (0.0, 200.0)
    )
    answer = found(graph, *ends)
    assert answer.edge.tolist() == [0] and answer.total_s == 10


# -- legs ------------------------------------------------------------------------------------------------------------


def test_legs_join_one_street_and_tell_the_turns() -> None:
    #   a b c     north street a-b-c, then south by c-f, then west by f-e
    #     e f
    net = network.build(
        ways(
            positions("abc\n ef"),
            {
                "abc": {"name": "North", "name_zh": "北路", "highway": "primary"},
                "cf": {"name": "East"}, "fe": {}, "be": {},
            },
        )
    )  # fmt: skip
    closed = np.where(net.way == 3, np.nan, net.length_m)
    answer = found(open_graph(net, seconds=closed), place(net, (20, 0)), place(net, (150, -100)))
    table = paths.legs(net, answer, params=PARAMS)
    assert table.columns.tolist() == list(paths.LEG_COLUMNS)
    assert table["name"].tolist() == ["North", "East", None]
    assert table["name_zh"].tolist() == ["北路", None, None]
    assert table["highway"].tolist() == ["primary", "residential", "residential"]
    assert table["length_m"].tolist() == pytest.approx([180, 100, 50])
    assert table["turn"].tolist() == ["depart", "right", "right"]
    assert table["bearing_deg"].tolist() == pytest.approx([90, 180, 270])
    back = paths.legs(net, answer.reverse, params=PARAMS)
    assert back["turn"].tolist() == ["depart", "left", "left"]
    assert table["seconds"].sum() == pytest.approx(answer.total_s)


@pytest.mark.parametrize(
    ("degrees", "turn"),
    [
        *((0, "straight"), (20, "straight"), (-20, "straight"), (21, "slight_right"), (-45, "slight_left")),
        *((46, "right"), (-134, "left"), (135, "sharp_right"), (-169, "sharp_left"), (170, "u_turn"), (180, "u_turn")),
    ],
)
def test_turns_by_their_angle(degrees: float, turn: str) -> None:
    a = np.radians(degrees + 1e-7 * (degrees > 90) - 1e-7 * (0 < degrees <= 45) + 1e-7 * (-90 < degrees < 0))
    spots = {"a": (0.0, 0.0), "b": (0.0, 200.0), "c": (100 * np.sin(a), 200 + 100 * np.cos(a))}
    net = network.build(ways(spots, {"ab": {"name": "One"}, "bc": {"name": "Two"}}))
    answer = Path(np.array([0, 1]), np.zeros(2), net.length_m, net.length_m, 0, 0, 0.0)
    assert paths.legs(net, answer, params=PARAMS)["turn"].tolist() == ["depart", turn]
    assert turn in paths.TURNS


def test_unnamed_streets_are_told_apart_at_a_turn() -> None:
    net = town()
    answer = found(open_graph(net), place(net, (30, 0)), place(net, (200, -40)))
    table = paths.legs(net, answer, params=PARAMS)
    assert table["length_m"].tolist() == pytest.approx([170, 40])  # a-b-c straight on in one, then right
    assert table["turn"].tolist() == ["depart", "right"]


# -- laws and oracle ---------------------------------------------------------------------------------------------------


def assert_leads(city: City, answer: Path, places: Snaps, sources: Snaps, row: int) -> None:
    """Stretch after stretch without a gap, by open directions, whole streets between, no forbidden turn."""
    net, forward = city.net, answer.to_m > answer.from_m
    assert (answer.edge[0], answer.from_m[0]) == (places.edge[row], places.along_m[row]) or places.along_m[row] in (
        0, net.length_m[places.edge[row]],
    )  # fmt: skip
    open_ = np.where(forward, city.forward_s[answer.edge], city.backward_s[answer.edge])
    assert np.isfinite(open_).all()
    steps = [2 * int(e) + (not f) for e, f in zip(answer.edge, forward, strict=True)]
    for i in range(len(steps) - 1):
        length = net.length_m[answer.edge[i]]
        assert answer.to_m[i] == (length if forward[i] else 0)
        assert answer.from_m[i + 1] == (0 if forward[i + 1] else net.length_m[answer.edge[i + 1]])
        ends = net.v if steps[i + 1] % 2 else net.u
        assert head(net, steps[i]) == ends[answer.edge[i + 1]]
    driven = {tuple(steps[i : i + n]) for n in (2, 3, 4) for i in range(len(steps) - n + 1)}
    assert not driven & set(city.forbidden)


@settings(max_examples=250, deadline=None)
@given(cities(turns=4), st.data())
def test_ways_lead_and_take_as_long_as_they_cost(city: City, data: st.DataObject) -> None:
    places = data.draw(snaps(city.net, rows=4))
    sources = data.draw(snaps(city.net, rows=4, places=2))
    extra = np.array([0.0, 3.5, 0.0, 12.0])
    for graph in (city.graph, city.graph.reverse):
        forest = routing.nearest(graph.reverse, sources, extra_s=extra)
        starts = routing.join(graph, forest, places, sources, extra_s=extra)
        for row in range(len(places)):
            answer = paths.trace(graph, forest, starts, places, sources, row, extra_s=extra)
            assert (answer is None) == (starts.cost_ms[row] < 0)
            if answer is None:
                continue
            assert answer.total_s * 1000 == pytest.approx(starts.cost_ms[row], abs=1e-6)
            assert answer.source == starts.source[row] == sources.place[answer.door]
            assert paths.line(city.net, answer).length == pytest.approx(answer.length_m, abs=1e-6)
            if len(answer) and graph is city.graph:
                assert_leads(city, answer, places, sources, row)


@settings(max_examples=60, deadline=None)
@given(cities(turns=0), st.data())
def test_the_whole_way_is_as_short_as_networkx_finds(city: City, data: st.DataObject) -> None:
    places, sources = data.draw(snaps(city.net, rows=1)), data.draw(snaps(city.net, rows=1))
    oracle = split_graph(city.graph, {"p": places, "s": sources})
    answer = way(city.graph, places, sources)
    try:
        expected = nx.shortest_path_length(oracle, ("p", 0), ("s", 0), weight="weight")
    except nx.NetworkXNoPath:
        assert answer is None
        return
    assert answer is not None
    assert answer.total_s == pytest.approx(expected / 1000, abs=0.005)
