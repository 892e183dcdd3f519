"""Shortest-path questions on walking networks up to 1.1 million nodes, beside the libraries that answer them.

A size is how many copies of Liechtenstein's streets lie side by side, each the mirror image of its neighbours and
joined to them along the border; or "town", a made one of a million crossings, where the real data is not here.
"""

from __future__ import annotations

import math
import subprocess
import sys
from importlib import import_module
from types import ModuleType, SimpleNamespace

import numpy as np

from geo import routing, search, updates
from geo.routing import Graph, Roots
from geo.snapping import Snaps
from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case, folder

SIZES = (1, 10, 30, 110, "town")
EXTRACT = "osm/valhalla-liechtenstein-latest.osm.pbf"
SOURCES, DESTINATIONS, POINTS, SHUT = 500, 100, 1000, 50
WALK_MS, DRIVE_MS, MINUTES = 1.2, 8.3, 15
BORDER = 40
"""How many streets lead over each border between two copies."""
PATIENT_WITH = 100_000
"""Nodes beyond which slow rivals are left out."""


# -- networks ----------------------------------------------------------------------------------------------------


def real() -> tuple[np.ndarray, ...]:
    """Ends, lengths and places of Liechtenstein's streets; read once and kept."""
    import data.osm
    from geo import network

    if why_not := shared_data.why_not(EXTRACT):
        raise NotHere(why_not)
    path = folder() / "liechtenstein-streets.npz"
    if not path.exists():
        net = network.build(data.osm.read(shared_data.folder() / EXTRACT).ways)
        np.savez(path, u=net.u, v=net.v, length_m=net.length_m, x=net.x, y=net.y)
    with np.load(path) as kept:
        return tuple(kept[name] for name in ("u", "v", "length_m", "x", "y"))


def tiled(copies: int) -> SimpleNamespace:
    """Copies of the real network in a block, every second one mirrored, so that borders meet."""
    u, v, length_m, x, y = real()
    columns, n = math.ceil(math.sqrt(copies)), len(x)
    x, y = x - x.min(), y - y.min()
    wide, high = x.max() + 30, y.max() + 30
    east, west, north, south = (np.argsort(order, kind="stable")[:BORDER] for order in (-x, x, -y, y))
    parts: list[tuple[np.ndarray, ...]] = []
    for k in range(copies):
        row, column = divmod(k, columns)
        parts.append((u + k * n, v + k * n, length_m))
        if column + 1 < columns and k + 1 < copies:
            edge, gap = (west, x) if column % 2 else (east, wide - x)
            parts.append((edge + k * n, edge + (k + 1) * n, 2 * gap[edge] + 1))
        if k + columns < copies:
            edge, gap = (south, y) if row % 2 else (north, high - y)
            parts.append((edge + k * n, edge + (k + columns) * n, 2 * gap[edge] + 1))
    row, column = np.divmod(np.arange(copies), columns)
    at_x = np.concatenate([c * wide + (wide - x if c % 2 else x) for c in column])
    at_y = np.concatenate([r * high + (high - y if r % 2 else y) for r in row])
    tail, head, length_m = (np.concatenate(values) for values in zip(*parts, strict=True))
    return in_order(at_x, at_y, tail, head, length_m)


def made(side: int = 1050) -> SimpleNamespace:
    """A made town: crossings off a grid's, two thirds of its streets, as many dead ends as real ones have."""
    rng = np.random.default_rng(1)
    node = np.arange(side * side).reshape(side, side)
    tail = np.r_[node[:, :-1].ravel(), node[:-1].ravel()]
    head = np.r_[node[:, 1:].ravel(), node[1:].ravel()]
    kept = rng.random(len(tail)) < 0.65
    x, y = (place.ravel() * 90 + rng.normal(0, 25, side * side) for place in np.meshgrid(*[np.arange(side)] * 2))
    tail, head = tail[kept], head[kept]
    return in_order(x, y, tail, head, 1.2 * np.hypot(x[tail] - x[head], y[tail] - y[head]) + 1)


def in_order(x: np.ndarray, y: np.ndarray, tail: np.ndarray, head: np.ndarray, length_m: np.ndarray) -> SimpleNamespace:
    """Nodes in Hilbert order, as ``geo.network`` has them."""
    import geopandas as gpd

    order = np.argsort(gpd.GeoSeries.from_xy(x, y).hilbert_distance().to_numpy(), kind="stable")
    place = np.empty(len(order), dtype=np.int64)
    place[order] = np.arange(len(order))
    return SimpleNamespace(x=x[order], y=y[order], u=place[tail], v=place[head], length_m=length_m)


def streets(size: int | str, speed_ms: float = WALK_MS) -> tuple[SimpleNamespace, Graph]:
    net = made() if size == "town" else tiled(int(size))
    seconds = net.length_m / speed_ms
    return net, routing.graph(net, seconds, seconds)  # type: ignore[arg-type]


def places(graph: Graph, n: int, seed: int = 2) -> Snaps:
    """Places at the beginnings of streets, which every library can stand at."""
    edge = np.random.default_rng(seed).choice(len(graph.u), n, replace=False)
    return Snaps(np.arange(n), edge, np.zeros(n), np.zeros(n))


def nodes(graph: Graph, n: int, seed: int = 2) -> np.ndarray:
    return graph.u[places(graph, n, seed).edge]


def one_by_one(graph: Graph, snaps: Snaps) -> list[Roots]:
    """The roots of each place by itself."""
    every = routing.roots(graph, snaps)
    columns = (every.state, every.cost_ms, every.source, every.edge)
    rows = (np.flatnonzero(every.source == place) for place in range(len(snaps)))
    return [Roots(*(column[row] for column in columns)) for row in rows]


# -- rivals ------------------------------------------------------------------------------------------------------


def borrowed(name: str, *, alone: bool = True) -> ModuleType:
    """A library that the project does not need: the one installed, else pip brings it into the bench's own folder.

    Not ``alone``: with what it needs, after which the project's own libraries still come first.
    """
    where = folder() / f"rival-{name}"
    if not where.exists():
        order = [sys.executable, "-m", "pip", "install", "--quiet", "--only-binary", ":all:"]
        order += ["--no-deps"] if alone else []
        subprocess.run([*order, "--target", str(where), name], capture_output=True, check=False, timeout=300)
        where.mkdir(exist_ok=True)
    sys.path.append(str(where))
    try:
        return import_module(name)
    except ImportError as error:
        raise NotHere(f"{name} is neither installed nor brought by pip: {error}") from error


def scipy_graph(graph: Graph) -> object:
    from scipy.sparse import csr_array

    return csr_array((graph.cost_ms / 1000, graph.head, graph.first), shape=(len(graph), len(graph)))


def networkx_graph(graph: Graph) -> object:
    import networkx as nx

    if len(graph) > PATIENT_WITH:
        raise NotHere(f"left out beyond {PATIENT_WITH:,} nodes for its time and memory")
    out = nx.Graph()
    out.add_weighted_edges_from(zip(graph.tail.tolist(), graph.head.tolist(), graph.cost_ms.tolist(), strict=True))
    return out


def patient(graph: Graph) -> None:
    if len(graph) > PATIENT_WITH:
        raise NotHere(f"left out beyond {PATIENT_WITH:,} nodes for its time")


# -- cases -------------------------------------------------------------------------------------------------------


@case("nearest of 500 on streets", unit="nodes", sizes=SIZES)
def nearest(size: int | str) -> Prepared:
    _, graph = streets(size)
    sources = places(graph, SOURCES)
    routing.roots(graph, sources)
    return len(graph), lambda: routing.nearest(graph, sources)


@nearest.rival("scipy")
def nearest_scipy(size: int | str) -> Prepared:
    from scipy.sparse.csgraph import dijkstra

    _, graph = streets(size)
    matrix, start = scipy_graph(graph), nodes(graph, SOURCES)
    return len(graph), lambda: dijkstra(matrix, indices=start, min_only=True, return_predecessors=True)


@nearest.rival("networkx")
def nearest_networkx(size: int | str) -> Prepared:
    import networkx as nx

    _, graph = streets(size)
    oracle, start = networkx_graph(graph), set(nodes(graph, SOURCES).tolist())
    return len(graph), lambda: nx.multi_source_dijkstra(oracle, start)


def with_a_hub(graph: Graph) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Each street once, and one more node joined to all sources for nothing: many sources for who knows but one."""
    start = np.unique(nodes(graph, SOURCES))
    once = graph.tail <= graph.head
    tail = np.r_[graph.tail[once], np.full(len(start), len(graph))]
    return tail, np.r_[graph.head[once], start], np.r_[graph.cost_ms[once] / 1000, np.zeros(len(start))]


@nearest.rival("rustworkx, from a hub")
def nearest_rustworkx(size: int | str) -> Prepared:
    library = borrowed("rustworkx")
    _, graph = streets(size)
    tail, head, cost = (values.tolist() for values in with_a_hub(graph))
    out = library.PyGraph()
    out.add_nodes_from(range(len(graph) + 1))
    out.add_edges_from(list(zip(tail, head, cost, strict=True)))
    return len(graph), lambda: library.dijkstra_shortest_path_lengths(out, len(graph), float)


@nearest.rival("igraph, from a hub")
def nearest_igraph(size: int | str) -> Prepared:
    borrowed("texttable")
    library = borrowed("igraph")
    _, graph = streets(size)
    tail, head, cost = with_a_hub(graph)
    out = library.Graph(len(graph) + 1, np.column_stack([tail, head]))
    return len(graph), lambda: out.distances(source=[len(graph)], weights=cost.tolist())


@nearest.rival("networkit, from a hub")
def nearest_networkit(size: int | str) -> Prepared:
    library = borrowed("networkit")
    _, graph = streets(size)
    tail, head, cost = with_a_hub(graph)
    out = library.GraphFromCoo((cost, (tail, head)), n=len(graph) + 1, weighted=True, directed=False)
    return len(graph), lambda: library.distance.Dijkstra(out, len(graph), False, False).run().getDistances()


@case("three nearest of 500", unit="nodes", sizes=SIZES)
def three(size: int | str) -> Prepared:
    _, graph = streets(size)
    sources = places(graph, SOURCES)
    routing.roots(graph, sources)
    return len(graph), lambda: search.k_nearest(graph, sources, 3)


@three.rival("scipy, all 500 and sorted")
def three_scipy(size: int | str) -> Prepared:
    from scipy.sparse.csgraph import dijkstra

    _, graph = streets(size)
    patient(graph)
    matrix, start = scipy_graph(graph), nodes(graph, SOURCES)
    return len(graph), lambda: np.sort(np.partition(dijkstra(matrix, indices=start), 2, axis=0)[:3], axis=0)


@three.rival("pandana, prepared")
def three_pandana(size: int | str) -> Prepared:
    import pandas as pd

    library = borrowed("pandana", alone=False)
    net, graph = streets(size)
    patient(graph)
    costs = pd.DataFrame({"s": net.length_m / WALK_MS})
    out = library.Network(*(pd.Series(a) for a in (net.x, net.y, net.u, net.v)), costs, twoway=True)
    start = nodes(graph, SOURCES)
    out.set_pois("all", 1e6, 3, pd.Series(net.x[start]), pd.Series(net.y[start]))
    return len(graph), lambda: out.nearest_pois(1e6, "all", num_pois=3)


def within_of(size: int | str, speed_ms: float) -> Prepared:
    _, graph = streets(size, speed_ms)
    starts = one_by_one(graph, places(graph, POINTS))
    return len(graph), lambda: [len(search.within(graph, start, max_s=MINUTES * 60)) for start in starts]


def within_scipy(size: int | str, speed_ms: float) -> Prepared:
    from scipy.sparse.csgraph import dijkstra

    _, graph = streets(size, speed_ms)
    matrix, start = scipy_graph(graph), nodes(graph, POINTS)
    return len(graph), lambda: [len(dijkstra(matrix, indices=node, limit=MINUTES * 60)) for node in start]


def within_networkx(size: int | str, speed_ms: float) -> Prepared:
    import networkx as nx

    _, graph = streets(size, speed_ms)
    oracle, start, limit = networkx_graph(graph), nodes(graph, POINTS).tolist(), MINUTES * 60_000
    return len(graph), lambda: [
        len(nx.single_source_dijkstra_path_length(oracle, node, cutoff=limit)) for node in start
    ]


@case("15 minutes' walk, 1000 one by one", unit="nodes", sizes=SIZES)
def walks(size: int | str) -> Prepared:
    return within_of(size, WALK_MS)


@walks.rival("scipy")
def walks_scipy(size: int | str) -> Prepared:
    return within_scipy(size, WALK_MS)


@walks.rival("networkx")
def walks_networkx(size: int | str) -> Prepared:
    return within_networkx(size, WALK_MS)


@case("15 minutes' drive, 1000 one by one", unit="nodes", sizes=SIZES)
def drives(size: int | str) -> Prepared:
    return within_of(size, DRIVE_MS)


@drives.rival("scipy")
def drives_scipy(size: int | str) -> Prepared:
    return within_scipy(size, DRIVE_MS)


@drives.rival("networkx")
def drives_networkx(size: int | str) -> Prepared:
    return within_networkx(size, DRIVE_MS)


@case("matrix of 500 by 100", unit="nodes", sizes=SIZES)
def matrix(size: int | str) -> Prepared:
    _, graph = streets(size)
    origins, destinations = places(graph, SOURCES), places(graph, DESTINATIONS, 5)
    routing.roots(graph.reverse, destinations), routing.roots(graph, origins)
    return len(graph), lambda: search.matrix(graph, origins, destinations)


@matrix.rival("scipy")
def matrix_scipy(size: int | str) -> Prepared:
    from scipy.sparse.csgraph import dijkstra

    _, graph = streets(size)
    arcs, start, end = scipy_graph(graph), nodes(graph, DESTINATIONS, 5), nodes(graph, SOURCES)
    return len(graph), lambda: np.vstack([dijkstra(arcs, indices=node)[end] for node in start])


@matrix.rival("igraph")
def matrix_igraph(size: int | str) -> Prepared:
    borrowed("texttable")
    library = borrowed("igraph")
    _, graph = streets(size)
    once = graph.tail <= graph.head
    out = library.Graph(len(graph), np.column_stack([graph.tail[once], graph.head[once]]))
    ends = (nodes(graph, DESTINATIONS, 5).tolist(), nodes(graph, SOURCES).tolist())
    return len(graph), lambda: out.distances(*ends, weights=(graph.cost_ms[once] / 1000).tolist())


@case("one more source in a solved city", unit="nodes", sizes=SIZES)
def add(size: int | str) -> Prepared:
    _, graph = streets(size)
    every = places(graph, SOURCES + 1)
    old, new = (
        Snaps(every.place[r], every.edge[r], every.along_m[r], every.off_m[r]) for r in (slice(1, None), slice(1))
    )
    solved = updates.solve(graph, routing.roots(graph, old))
    return len(graph), lambda: updates.add(solved, routing.roots(graph, new))


@add.rival("solved anew")
def add_anew(size: int | str) -> Prepared:
    return nearest.ways["renxing"](size)


@case("50 streets closed in a solved city", unit="nodes", sizes=SIZES)
def close(size: int | str) -> Prepared:
    _, graph = streets(size)
    solved = updates.solve(graph, routing.roots(graph, places(graph, SOURCES)))
    shut = np.random.default_rng(3).choice(len(graph.u), SHUT, replace=False)
    return len(graph), lambda: updates.close(solved, shut)


@close.rival("solved anew")
def close_anew(size: int | str) -> Prepared:
    return add_anew(size)
