"""A contraction hierarchy beside searches that need no preparation: what it costs once, and what each question costs.

Towns are drawn to be like streets (mean degree 2.5): the relative neighbourhood graph of points at random, as far as
Delaunay's triangles show it, parted into blocks of 33 x 33 points between which four streets in five are cut, as by
railways and rivers. Real extracts of 7,000 to 10,000 nodes give hierarchies 65 to 95 ranks high, such a town of 10,000
one of 70. Without the blocks it is as hard a case as a plane network of this degree can be: ``plain`` towns.
"""

from __future__ import annotations

from functools import cache

import numpy as np

from geo.hierarchy import Hierarchy, Order
from geo.routing import Graph
from geo.snapping import Snaps
from tests.benchmarks.bench import Prepared, case, folder
from tests.benchmarks.case_streets import EXTRACTS, extract, sources, town_graph

SIZES = ("kampen", "liechtenstein", "town 100000", "plain 100000", "town 300000", "town 1100000")
SPACING_M, BLOCK, KEPT, WALK_M_S = 80.0, 33, 0.2, 1.3
TARGETS = 100

Streets = tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray, np.ndarray]


def drawn(n: int, *, blocks: bool) -> Streets:
    """x, y of each node; tail, head and metres of each street."""
    import geopandas as gpd
    from scipy.spatial import Delaunay

    rng = np.random.default_rng(1)
    place = rng.uniform(0, np.sqrt(n) * SPACING_M, (n, 2))
    place = place[np.argsort(gpd.GeoSeries.from_xy(*place.T).hilbert_distance().to_numpy(), kind="stable")]
    corner = Delaunay(place).simplices.astype(np.int64)
    tail, head, other = (np.concatenate([corner[:, (i + k) % 3] for i in range(3)]) for k in range(3))
    length = np.hypot(*(place[tail] - place[head]).T)
    nearer = np.maximum(*(np.hypot(*(place[end] - place[other]).T) for end in (tail, head))) < length
    pair, side = np.unique(np.minimum(tail, head) * n + np.maximum(tail, head), return_inverse=True)
    tail, head = np.divmod(pair[np.bincount(side, weights=nearer) == 0], n)
    if blocks:
        block = np.floor(place / (SPACING_M * BLOCK))
        kept = (block[tail] == block[head]).all(axis=1) | (rng.random(len(tail)) < KEPT)
        tail, head = tail[kept], head[kept]
    return *place.T, tail, head, np.hypot(*(place[tail] - place[head]).T)


def streets(size: int | str) -> Streets:
    """Those of a real extract, or of a town drawn once and kept."""
    if size in EXTRACTS:
        import data.osm
        from geo import network

        net = network.build(data.osm.read(extract(size)).ways)
        return net.x, net.y, net.u, net.v, net.length_m
    path = folder() / f"{str(size).replace(' ', '-')}.npz"
    if not path.exists():
        kind, n = str(size).split()
        draft = path.with_suffix(".draft.npz")
        np.savez(draft, *drawn(int(n), blocks=kind == "town"))
        draft.rename(path)
    with np.load(path) as kept:
        return tuple(kept[f"arr_{i}"] for i in range(5))


@cache
def town(size: int | str) -> tuple[Graph, np.ndarray, np.ndarray]:
    """The streets on foot, with x and y of each state."""
    x, y, tail, head, length = streets(size)
    return town_graph(len(x), tail, head, length / WALK_M_S), x, y


def ordered(size: int | str) -> Order:
    from geo import hierarchy

    graph, x, y = town(size)
    return hierarchy.order(graph.first, graph.head, x, y)


def customised(size: int | str) -> Hierarchy:
    from geo import hierarchy

    graph = town(size)[0]
    return hierarchy.customise(ordered(size), graph.first, graph.head, graph.cost_ms)


def targets(n: int) -> np.ndarray:
    return np.random.default_rng(3).choice(n, TARGETS, replace=False)


def standing(graph: Graph, states: np.ndarray) -> Snaps:
    """Places at the named nodes; where a node has no street left, on no street."""
    has = np.diff(graph.first)[states] > 0
    edge = np.where(has, graph.edge[np.minimum(graph.first[states], len(graph.edge) - 1)], -1).astype(np.int64)
    along = np.where(graph.u[edge] == states, 0.0, graph.length_m[edge])
    return Snaps(np.arange(len(states)), edge, along, np.zeros(len(states)))


@case("order a network", unit="nodes", sizes=SIZES)
def order(size: int | str) -> Prepared:
    from geo import hierarchy

    graph, x, y = town(size)
    return len(graph), lambda: hierarchy.order(graph.first, graph.head, x, y)


@case("new weights for an ordered network", unit="nodes", sizes=SIZES)
def customise(size: int | str) -> Prepared:
    from geo import hierarchy

    graph, of = town(size)[0], ordered(size)
    return len(graph), lambda: hierarchy.customise(of, graph.first, graph.head, graph.cost_ms)


@case("nearest of 500 by hierarchy", unit="nodes", sizes=SIZES)
def nearest(size: int | str) -> Prepared:
    from geo import hierarchy

    weighed = customised(size)
    at = sources(len(weighed))
    return len(weighed), lambda: hierarchy.nearest(weighed, at)


@nearest.rival("hierarchy, with the arcs to it")
def nearest_steps(size: int | str) -> Prepared:
    from geo import hierarchy

    weighed, graph = customised(size), town(size)[0]
    at = sources(len(weighed))

    def work() -> None:
        hierarchy.steps(hierarchy.nearest(weighed, at), graph.first, graph.head, graph.cost_ms)

    return len(weighed), work


@nearest.rival("bucket queue (geo.routing)")
def nearest_buckets(size: int | str) -> Prepared:
    from geo import routing

    graph = town(size)[0]
    snaps = standing(graph, sources(len(graph)))
    return len(graph), lambda: routing.nearest(graph, snaps)


@nearest.rival("scipy")
def nearest_scipy(size: int | str) -> Prepared:
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = town(size)[0]
    n = len(graph)
    costs = csr_array((graph.cost_ms.astype(float), graph.head, graph.first.astype(np.int32)), shape=(n, n))
    return n, lambda: dijkstra(costs, indices=sources(n), min_only=True, return_predecessors=True)


@case("500 x 100 matrix by hierarchy", unit="nodes", sizes=SIZES)
def matrix(size: int | str) -> Prepared:
    from geo import hierarchy

    weighed = customised(size)
    rows, columns = sources(len(weighed)), targets(len(weighed))
    return len(weighed), lambda: hierarchy.matrix(weighed, rows, columns)


@matrix.rival("bucket queue (geo.search), two threads")
def matrix_buckets(size: int | str) -> Prepared:
    from geo import search

    graph = town(size)[0]
    rows, columns = (standing(graph, states) for states in (sources(len(graph)), targets(len(graph))))
    return len(graph), lambda: search.matrix(graph, rows, columns)


@matrix.rival("scipy")
def matrix_scipy(size: int | str) -> Prepared:
    """A tree from each of the 100, which here stands for one towards it: streets are open both ways."""
    from scipy.sparse import csr_array
    from scipy.sparse.csgraph import dijkstra

    graph = town(size)[0]
    n = len(graph)
    costs = csr_array((graph.cost_ms.astype(float), graph.head, graph.first.astype(np.int32)), shape=(n, n))
    return n, lambda: [dijkstra(costs, indices=target)[sources(n)] for target in targets(n)]


@case("one distance by hierarchy", unit="nodes", sizes=SIZES)
def distance(size: int | str) -> Prepared:
    from geo import hierarchy

    weighed = customised(size)
    start, end = int(sources(len(weighed))[0]), int(targets(len(weighed))[0])
    return len(weighed), lambda: hierarchy.distance(weighed, start, end)


@distance.rival("hierarchy, with its path")
def distance_path(size: int | str) -> Prepared:
    from geo import hierarchy

    weighed = customised(size)
    start, end = int(sources(len(weighed))[0]), int(targets(len(weighed))[0])
    return len(weighed), lambda: hierarchy.path(weighed, start, end)


@distance.rival("bucket queue (geo.search)")
def distance_buckets(size: int | str) -> Prepared:
    from geo import search

    graph = town(size)[0]
    start, end = (standing(graph, states[:1]) for states in (sources(len(graph)), targets(len(graph))))
    return len(graph), lambda: search.matrix(graph, start, end)
