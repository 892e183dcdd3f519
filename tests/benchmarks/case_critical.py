"""What the loss of every street costs: by closing each in one tree of walks, beside searching anew without it."""

from __future__ import annotations

import numpy as np

from geo.snapping import Snaps
from tests.benchmarks.bench import NotHere, Prepared, case
from tests.benchmarks.case_streets import grid_town, town_graph

SHELTERS_PER_NODE = 0.004
LIMIT_S = 900.0


def city(side: int) -> tuple[object, Snaps, Snaps, np.ndarray]:
    """A town whose every street has a home with people, its walks to shelters in mid-street, and the streets."""
    from geo import routing
    from geo.evacuation import Walks
    from geo.usable import Passage, Usable

    n, tail, head, seconds = grid_town(side)
    graph, edges = town_graph(n, tail, head, seconds), len(tail)
    rng = np.random.default_rng(5)

    def midway(edge: np.ndarray, share: float) -> Snaps:
        return Snaps(np.arange(len(edge)), edge, seconds[edge] * share, np.zeros(len(edge)))

    doors = midway(rng.choice(edges, max(2, round(n * SHELTERS_PER_NODE)), replace=False), 0.4)
    homes, people = midway(np.arange(edges), 0.7), rng.integers(1, 50, edges)
    forest = routing.nearest(graph.reverse, doors)
    starts = routing.join(graph, forest, homes, doors)
    nothing = np.zeros(edges)
    passage = Passage(seconds, seconds, np.full(edges, None), np.zeros(n, dtype=bool), False, None, nothing, 0)
    ways = Usable(None, passage, graph, nothing.astype(bool), 0)  # type: ignore[arg-type]
    walks = Walks(
        routing.seconds(starts.cost_ms), starts.source, np.ones(edges, dtype=bool), ways, forest, starts, homes
    )
    return walks, doors, homes, people


def ours(side: int, count: int) -> Prepared:
    from geo import closures

    walks, doors, homes, people = city(side)
    group = np.arange(len(homes))

    def work() -> object:
        tree = closures.tree(walks, doors, people, group=group, limit_s=LIMIT_S, speed_ms=1.2)  # type: ignore[arg-type]
        tops = closures.tops(tree, len(group))
        most = closures.bounds(tree, tops, lost_ms=900_000).most_ms
        return closures.costliest(tree, tops, most, count=count or len(group), tries=len(group), lost_ms=900_000)

    return side**2, work


@case("what the loss of every street costs", unit="nodes", sizes=(30, 100, 250, 1000))
def every(side: int | str) -> Prepared:
    return ours(int(side), 0)


@every.rival("networkx, every street taken out and searched anew")
def every_networkx(side: int | str) -> Prepared:
    """Without homes in mid-street: people stand at one end of their street, shelters at one end of theirs."""
    import networkx as nx

    if int(side) > 30:
        raise NotHere("left out beyond 900 nodes for its time")
    _, tail, head, seconds = grid_town(int(side))
    _, doors, homes, people = city(int(side))
    graph = nx.Graph()
    graph.add_weighted_edges_from(zip(tail.tolist(), head.tolist(), seconds.tolist(), strict=True))
    ends = set(tail[doors.edge].tolist())

    def cost() -> float:
        reached = nx.multi_source_dijkstra_path_length(graph, ends, cutoff=LIMIT_S)
        standing = zip(tail[homes.edge].tolist(), people.tolist(), strict=True)
        return float(sum(n * reached.get(at, LIMIT_S) for at, n in standing))

    def work() -> list[float]:
        found, usual = [], cost()
        for u, v in list(graph.edges):
            weight = graph[u][v]["weight"]
            graph.remove_edge(u, v)
            found.append(cost() - usual)
            graph.add_edge(u, v, weight=weight)
        return found

    return int(side) ** 2, work


@every.rival("this city, every street closed and repaired (geo.updates)")
def every_updates(side: int | str) -> Prepared:
    from geo import routing, updates

    if int(side) > 100:
        raise NotHere("left out beyond 10,000 nodes for its time")
    walks, doors, homes, _ = city(int(side))
    graph = walks.ways.graph  # type: ignore[attr-defined]
    solved = updates.solve(graph.reverse, routing.roots(graph.reverse, doors))
    return int(side) ** 2, lambda: [updates.close(solved, np.array([edge])) for edge in range(len(homes))]


@case("the 50 streets whose loss costs the most", unit="nodes", sizes=(100, 250, 1000))
def top(side: int | str) -> Prepared:
    return ours(int(side), 50)
