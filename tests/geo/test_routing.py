"""Shortest paths: drawn, by law, and against networkx."""

from __future__ import annotations

import itertools

import networkx as nx
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import network, routing, snapping
from geo.network import Network
from geo.routing import Graph
from geo.snapping import Snaps
from tests.geo.drawn import ORIGIN, positions, ways

# one block: a-b-c in the north, d-e-f in the south, b-e between; every side 100 m
#
#   a b c
#   d e f      z stands alone
BLOCK = positions("abc\ndef   z")
CHAINS: dict[str, dict[str, str]] = {"abc": {}, "def": {}, "be": {}, "ad": {}, "cf": {}}


def town(chains: dict[str, dict[str, str]] = CHAINS) -> Network:
    return network.build(ways(BLOCK, chains))


def open_graph(net: Network, *, seconds: np.ndarray | None = None, barred: np.ndarray | None = None) -> Graph:
    seconds = net.length_m if seconds is None else seconds
    return routing.graph(net, seconds, seconds, barred=barred)


def directions(net: Network, seconds: np.ndarray, along: np.ndarray, against: np.ndarray) -> Graph:
    return routing.graph(net, np.where(along, seconds, np.nan), np.where(against, seconds, np.nan))


def place(net: Network, *xy: tuple[float, float]) -> Snaps:
    points = shapely.points(np.array([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in xy]).reshape(-1, 2))
    return snapping.snap(net, points, usable=np.ones(len(net.u), dtype=bool), max_m=1000)


def walk(net: Network, graph: Graph, places: Snaps, sources: Snaps) -> list[float]:
    forest = routing.nearest(graph.reverse, sources)
    return routing.seconds(routing.join(graph, forest, places, sources).cost_ms).tolist()


def test_from_mid_street_to_mid_street_by_the_shorter_end() -> None:
    net = town()
    assert walk(net, open_graph(net), place(net, (30, 0)), place(net, (100, -40))) == [110]


def test_on_the_same_street_one_walks_straight_along_it() -> None:
    net = town()
    assert walk(net, open_graph(net), place(net, (30, 0)), place(net, (80, 0))) == [50]


def test_a_one_way_street_sends_round_the_block() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, np.where(net.way == 0, np.nan, net.length_m))
    # from x=80 back to x=30 on a-b: on to b, down to e, west to d, up to a, then 30 m in
    assert walk(net, graph, place(net, (80, 0)), place(net, (30, 0))) == [20 + 100 + 100 + 100 + 30]


def test_a_barred_node_is_not_passed_but_both_its_sides_are_reached() -> None:
    net_b = network.build(ways(BLOCK, {"abc": {}}, barriers={"b": {"barrier": "wall"}}))
    barred = np.array([chr(n) == "b" for n in net_b.node_id])
    graph = open_graph(net_b, barred=barred)
    assert walk(net_b, graph, place(net_b, (30, 0), (130, 0)), place(net_b, (0, 0))) == pytest.approx(
        [30, np.nan], nan_ok=True
    )


def test_no_path_is_nan() -> None:
    net = town({"abc": {}, "def": {}})
    assert np.isnan(walk(net, open_graph(net), place(net, (0, -100)), place(net, (0, 0)))[0])


def test_a_closed_street_cannot_be_walked() -> None:
    net = town()
    seconds = np.where(net.way == 2, np.nan, net.length_m)
    assert walk(net, open_graph(net, seconds=seconds), place(net, (100, 0)), place(net, (100, -100))) == [300]


def test_the_limit_is_included() -> None:
    net = town({"ab": {}, "bc": {}})
    forest = routing.nearest(open_graph(net), place(net, (0, 0)), max_s=100)
    reached = {chr(n): c for n, c in zip(net.node_id, forest.cost_ms, strict=True)}
    assert reached == {"a": 0, "b": 100_000, "c": -1}
    exact = routing.nearest(open_graph(net), place(net, (0, 0)), max_s=200)
    assert exact.cost_ms.max() == 200_000


def test_of_equally_near_sources_the_first_wins() -> None:
    net = town()
    sources = place(net, (200, 0), (0, 0))
    forest = routing.nearest(open_graph(net), sources)
    assert dict(zip(map(chr, net.node_id), forest.source, strict=True))["b"] == 0


def test_extra_seconds_at_a_source_move_the_watershed() -> None:
    net = town()
    sources = place(net, (200, 0), (0, 0))
    forest = routing.nearest(open_graph(net), sources, extra_s=np.array([50.0, 0.0]))
    assert dict(zip(map(chr, net.node_id), forest.source, strict=True))["b"] == 1


def test_no_sources_reach_nothing() -> None:
    net = town()
    forest = routing.nearest(open_graph(net), place(net))
    assert (forest.cost_ms == -1).all()


def test_pieces_that_lead_nowhere_are_islands() -> None:
    net = town({"abc": {}, "de": {}, "fz": {}})
    every = np.ones(len(net.u), dtype=bool)
    assert net.way[routing.islands(net, every, below_m=150)].tolist() == [1]
    assert net.way[routing.islands(net, every, below_m=1000)].tolist() == [0, 1]  # f-z is the longest: it stays
    assert not routing.islands(net, ~every, below_m=1000).any()
    assert routing.islands(town({}), np.zeros(0, dtype=bool), below_m=1000).tolist() == []


# -- laws and oracle ---------------------------------------------------------------------------------------------


@st.composite
def cities(draw: st.DrawFn) -> tuple[Network, np.ndarray, np.ndarray, np.ndarray]:
    """A random grid of streets with random speeds and one-way rules."""
    size = draw(st.integers(2, 5))
    letters = "abcdefghijklmnopqrstuvwxy"
    spots = {
        letters[r * size + c]: (ORIGIN[0] + 90.0 * c + 7 * r, ORIGIN[1] - 110.0 * r)
        for r in range(size)
        for c in range(size)
    }
    pairs = [
        a + b
        for r in range(size)
        for c in range(size)
        for a, b in [
            (letters[r * size + c], letters[r * size + c + 1] if c + 1 < size else ""),
            (letters[r * size + c], letters[(r + 1) * size + c] if r + 1 < size else ""),
        ]
        if b
    ]
    kept = draw(st.lists(st.sampled_from(pairs), min_size=1, unique=True))
    net = network.build(ways(spots, {pair: {} for pair in kept}))
    n = len(net.u)
    speed = draw(st.lists(st.sampled_from([0.5, 1.0, 3.0, 1e-3]), min_size=n, max_size=n))
    along, against = (np.array(draw(st.lists(st.booleans(), min_size=n, max_size=n))) for _ in range(2))
    return net, net.length_m / np.array(speed), along, against


def split_graph(graph: Graph, snaps: dict[str, Snaps]) -> nx.DiGraph:
    """The same city for networkx, every place in mid-street a node of its own; costs unrounded milliseconds."""
    oracle = nx.DiGraph()
    for e in range(len(graph.u)):
        stops = [(0.0, int(graph.u[e])), (float(graph.length_m[e]), int(graph.v[e]))]
        stops += [(float(s.along_m[i]), (k, i)) for k, s in snaps.items() for i in range(len(s)) if s.edge[i] == e]
        stops.sort(key=lambda stop: (stop[0], str(stop[1])))
        for (a, i), (b, j) in itertools.pairwise(stops):
            share = (b - a) / graph.length_m[e]
            for tail, head, cost in ((i, j, graph.forward_ms[e]), (j, i, graph.backward_ms[e])):
                if cost < routing.NEVER or share == 0:
                    known = oracle.get_edge_data(tail, head, {"weight": np.inf})["weight"]
                    oracle.add_edge(tail, head, weight=min(known, float(cost) * share if share else 0.0))
    return oracle


@settings(max_examples=150, deadline=None)
@given(
    cities(), st.lists(st.tuples(st.floats(-20, 400), st.floats(-450, 20)), min_size=2, max_size=8), st.integers(1, 4)
)
def test_walks_equal_networkx(
    city: tuple[Network, np.ndarray, np.ndarray, np.ndarray], spots: list[tuple[float, float]], k: int
) -> None:
    net, seconds, along, against = city
    graph = directions(net, seconds, along, against)
    sources, places = place(net, *spots[:k]), place(net, *spots)
    found = walk(net, graph, places, sources)
    oracle = split_graph(graph, {"s": sources, "p": places})
    starts = [("s", i) for i in range(len(sources)) if ("s", i) in oracle]
    reach = nx.multi_source_dijkstra_path_length(oracle.reverse(), starts) if starts else {}
    expected = [reach.get(("p", i), np.nan) / 1000 for i in range(len(places))]
    # a few roundings of half a millisecond lie between the two
    assert found == pytest.approx(expected, abs=0.005, nan_ok=True)


@settings(max_examples=60, deadline=None)
@given(cities(), st.lists(st.tuples(st.floats(-20, 400), st.floats(-450, 20)), min_size=3, max_size=6))
def test_another_source_never_makes_a_way_longer(
    city: tuple[Network, np.ndarray, np.ndarray, np.ndarray], spots: list[tuple[float, float]]
) -> None:
    net, seconds, along, against = city
    graph = directions(net, seconds, along, against)
    fewer, more = (routing.nearest(graph, place(net, *spots[:n])).cost_ms for n in (len(spots) - 1, len(spots)))
    never = routing.NEVER
    assert (np.where(more < 0, never, more) <= np.where(fewer < 0, never, fewer)).all()


@settings(max_examples=60, deadline=None)
@given(cities(), st.tuples(st.floats(-20, 400), st.floats(-450, 20)), st.data())
def test_closing_streets_never_makes_a_way_shorter(
    city: tuple[Network, np.ndarray, np.ndarray, np.ndarray], spot: tuple[float, float], data: st.DataObject
) -> None:
    net, seconds, along, against = city
    shut = np.array(data.draw(st.lists(st.booleans(), min_size=len(seconds), max_size=len(seconds))))
    sources = place(net, spot)
    before, after = (
        routing.nearest(directions(net, s, along, against), sources).cost_ms
        for s in (seconds, np.where(shut, np.nan, seconds))
    )
    never = routing.NEVER
    assert (np.where(after < 0, never, after) >= np.where(before < 0, never, before)).all()


@settings(max_examples=60, deadline=None)
@given(
    cities(), st.lists(st.tuples(st.floats(-20, 400), st.floats(-450, 20)), min_size=1, max_size=5), st.floats(0, 2000)
)
def test_a_limit_keeps_just_what_lies_within(
    city: tuple[Network, np.ndarray, np.ndarray, np.ndarray], spots: list[tuple[float, float]], limit_s: float
) -> None:
    net, seconds, along, against = city
    graph = directions(net, seconds, along, against)
    whole, part = routing.nearest(graph, place(net, *spots)), routing.nearest(graph, place(net, *spots), max_s=limit_s)
    within = (whole.cost_ms >= 0) & (whole.cost_ms <= np.floor(limit_s * 1000 + 1e-6))
    assert np.array_equal(part.cost_ms, np.where(within, whole.cost_ms, -1))


def test_a_network_of_very_different_arcs_is_still_exact() -> None:
    """Arcs of one millisecond beside arcs of a month: buckets are wide and nodes are settled more than once."""
    rng = np.random.default_rng(7)
    n = 400
    spots = {chr(0x4E00 + i): (ORIGIN[0] + x, ORIGIN[1] + y) for i, (x, y) in enumerate(rng.uniform(0, 1000, (n, 2)))}
    chains = {chr(0x4E00 + a) + chr(0x4E00 + b): {} for a, b in rng.integers(0, n, (1500, 2)) if a != b}
    net = network.build(ways(spots, chains))
    seconds = np.exp(rng.uniform(np.log(1e-3), np.log(2e6), len(net.u)))
    both = np.ones(len(net.u), dtype=bool)
    graph = directions(net, seconds, both, both)
    source = Snaps(np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.int64), np.zeros(1), np.zeros(1))
    oracle = nx.MultiDiGraph()
    for e in range(len(net.u)):
        oracle.add_edge(int(net.u[e]), int(net.v[e]), weight=int(graph.forward_ms[e]))
        oracle.add_edge(int(net.v[e]), int(net.u[e]), weight=int(graph.backward_ms[e]))
    reach = nx.single_source_dijkstra_path_length(oracle, int(net.u[0]))
    assert routing.nearest(graph, source).cost_ms.tolist() == [reach.get(i, -1) for i in range(len(net.x))]
