"""One way, two ways that share no street, and further ways, from a place in mid-street to the nearest of many."""

from __future__ import annotations

import itertools

import numpy as np

from geo.routing import Forest, Graph
from geo.snapping import Snaps
from tests.benchmarks.bench import NotHere, Prepared, case
from tests.benchmarks.case_streets import grid_town, town_graph

SHELTERS = 20
PLACES = 50


def city(side: int) -> tuple[Graph, Snaps, Forest, list[Snaps]]:
    """A town, its shelters in mid-street, the forest towards them, and places to ask from."""
    from geo import routing

    n, tail, head, seconds = grid_town(side)
    graph = town_graph(n, tail, head, seconds)
    rng = np.random.default_rng(3)

    def midway(edges: np.ndarray) -> Snaps:
        return Snaps(np.arange(len(edges)), edges, seconds[edges] * 0.4, np.zeros(len(edges)))

    shelters = midway(rng.choice(len(tail), SHELTERS, replace=False))
    places = [midway(np.array([e])) for e in rng.choice(len(tail), PLACES, replace=False)]
    return graph, shelters, routing.nearest(graph.reverse, shelters), places


def weighted(side: int) -> object:
    """The same town for networkx, without the points in mid-street."""
    import networkx as nx

    _, tail, head, seconds = grid_town(side)
    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), seconds.tolist(), strict=True))
    return graph


def corners(side: int) -> tuple[list[int], list[int]]:
    """One end of the street of each place and shelter."""
    _, tail, _, _ = grid_town(side)
    _, shelters, _, places = city(side)
    return [int(tail[p.edge[0]]) for p in places], tail[shelters.edge].tolist()


@case("trace 50 ways in a solved city", unit="nodes", sizes=(100, 550))
def trace(side: int | str) -> Prepared:
    from geo import paths, routing

    graph, shelters, forest, places = city(int(side))
    starts = [routing.join(graph, forest, place, shelters) for place in places]
    return int(side) ** 2, lambda: [
        paths.trace(graph, forest, s, p, shelters, 0) for s, p in zip(starts, places, strict=True)
    ]


@trace.rival("networkx, each way anew")
def trace_networkx(side: int | str) -> Prepared:
    import networkx as nx

    if int(side) > 100:
        raise NotHere("left out beyond 10,000 nodes for its time")
    graph, (starts, ends) = weighted(int(side)), corners(int(side))
    return int(side) ** 2, lambda: [nx.multi_source_dijkstra(graph, set(ends), s) for s in starts]


@case("50 pairs that share no street", unit="nodes", sizes=(30, 100, 550))
def pairs(side: int | str) -> Prepared:
    from geo import detours

    graph, shelters, forest, places = city(int(side))
    return int(side) ** 2, lambda: [detours.disjoint(graph, p, shelters, forest=forest) for p in places]


@pairs.rival("networkx, two searches, the first way taken out (not the least sum)")
def pairs_by_removal(side: int | str) -> Prepared:
    import networkx as nx

    if int(side) > 100:
        raise NotHere("left out beyond 10,000 nodes for its time")
    graph, (starts, ends) = weighted(int(side)), corners(int(side))

    def work() -> int:
        found = 0
        for start in starts:
            _, first = nx.multi_source_dijkstra(graph, set(ends), start)
            rest = graph.copy()  # type: ignore[attr-defined]
            rest.remove_edges_from(itertools.pairwise(first))
            found += len(nx.multi_source_dijkstra(rest, set(ends), start)[1])
        return found

    return int(side) ** 2, work


@pairs.rival("networkx max_flow_min_cost (1 pair of the 50)")
def pairs_by_flow(side: int | str) -> Prepared:
    import networkx as nx

    if int(side) > 30:
        raise NotHere("left out beyond 900 nodes for its time")
    _, tail, head, seconds = grid_town(int(side))
    starts, ends = corners(int(side))
    flow = nx.DiGraph()
    for a, b, s in zip(tail.tolist(), head.tolist(), seconds.tolist(), strict=True):
        flow.add_edge(a, b, weight=round(s * 1000), capacity=1)
        flow.add_edge(b, a, weight=round(s * 1000), capacity=1)
    for end in set(ends):
        flow.add_edge(end, "goal", weight=0, capacity=2)
    flow.add_edge("start", starts[0], weight=0, capacity=2)
    return int(side) ** 2, lambda: nx.max_flow_min_cost(flow, "start", "goal")


@case("3 further ways from each of 50 places", unit="nodes", sizes=(100, 550))
def further(side: int | str) -> Prepared:
    import data.standards
    from geo import detours

    params = detours.AlternativeParams.of(data.standards.load())
    graph, shelters, forest, places = city(int(side))
    return int(side) ** 2, lambda: [
        detours.alternatives(graph, p, shelters, count=3, params=params, forest=forest) for p in places
    ]
