"""Shortest paths under a hazard, on arrays.

A ``Graph`` holds the arcs that a profile may use with their cost in whole milliseconds: integers make sums exact,
ties decidable and results the same on every machine. ``nearest`` grows a forest from many sources at once with a
bucket queue (``geo.buckets``; R. B. Dial, Algorithm 360, doi:10.1145/363269.363610; buckets wider than one as in
delta-stepping, U. Meyer and P. Sanders, doi:10.1016/S0196-6774(03)00076-2): exact, and without a heap's logarithm.
No path is -1 inside this module and NaN outside it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.buckets import BUCKETS, NEVER, NOTHING, grow, pour
from geo.network import Network
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """Arcs in compressed rows: node ``n`` has arcs ``first[n]:first[n + 1]`` to ``head`` at ``cost_ms`` by ``edge``.

    ``forward_ms`` and ``backward_ms`` (edges,) keep each edge's whole cost along and against its drawing, ``NEVER``
    where closed; ``u`` and ``v`` its ends and ``length_m`` its length, for starts and ends in mid-street.
    """

    first: Ints
    head: Int32s
    cost_ms: Int32s
    edge: Int32s
    forward_ms: Ints
    backward_ms: Ints
    u: Ints
    v: Ints
    length_m: Floats
    barred: Mask

    def __len__(self) -> int:
        return len(self.first) - 1

    def __repr__(self) -> str:
        return f"Graph({len(self)} nodes, {len(self.head)} arcs)"

    @cached_property
    def reverse(self) -> Graph:
        """The same streets with every direction turned round: paths *towards* become paths *from*."""
        return _graph(len(self), self.u, self.v, self.backward_ms, self.forward_ms, self.length_m, self.barred)


@dataclass(frozen=True)
class Forest:
    """For every node the nearest source: ``cost_ms`` (-1: no path), ``source`` row, and the ``via`` edge towards it.

    ``parent`` is the next node on the way to the source; -1 at a root and where there is no path. At a root ``via`` is
    the edge the source lies on, -1 where the source lies at the node itself.
    """

    cost_ms: Ints
    source: Ints
    via: Ints
    parent: Ints


def graph(network: Network, seconds: Floats, *, along: Mask, against: Mask, barred: Mask | None = None) -> Graph:
    """The arcs open to a profile.

    ``seconds`` (edges,) is the time for the whole edge, NaN or infinity where closed; ``along`` and ``against``
    (edges,) say which directions are allowed; ``barred`` (nodes,) marks nodes that nobody passes. An open edge costs
    at least one millisecond, so that every step of a path brings it nearer.
    """
    barred = np.zeros(len(network.x), dtype=bool) if barred is None else barred
    finite = np.isfinite(seconds)
    ms = np.where(finite, np.maximum(np.rint(np.where(finite, seconds, 0) * 1000), 1), NEVER).astype(np.int64)
    forward, backward = np.where(along, ms, NEVER), np.where(against, ms, NEVER)
    return _graph(len(network.x), network.u, network.v, forward, backward, network.length_m, barred)


def _graph(n: int, u: Ints, v: Ints, forward: Ints, backward: Ints, length_m: Floats, barred: Mask) -> Graph:
    edges = np.arange(len(u))
    tail, head = np.r_[u, v], np.r_[v, u]
    cost, edge = np.r_[forward, backward], np.r_[edges, edges]
    open_ = (cost < NEVER) & ~barred[tail] & ~barred[head]
    tail, head, cost, edge = tail[open_], head[open_], cost[open_], edge[open_]
    order = np.lexsort((edge, head, tail))
    first = np.r_[0, np.cumsum(np.bincount(tail, minlength=n))].astype(np.int64)
    arcs = (head[order].astype(np.int32), cost[order].astype(np.int32), edge[order].astype(np.int32))
    return Graph(first, *arcs, forward, backward, u, v, length_m, barred)


def nearest(graph: Graph, sources: Snaps, *, extra_s: Floats | None = None, max_s: float = np.inf) -> Forest:
    """From each node, the nearest of many sources in mid-street, going *out from* the sources.

    ``sources.place`` names the source a row belongs to; ``extra_s`` (rows,) is added at each row, e.g. the last
    metres to the door. Of sources equally near, the one with the smaller number wins. ``max_s`` itself is within.
    For ways *towards* the sources ask the reversed graph.
    """
    extra = np.zeros(len(sources)) if extra_s is None else extra_s
    roots = _roots(graph, sources, np.rint(extra * 1000).astype(np.int64))
    limit = NEVER - 1 if np.isinf(max_s) else np.int64(np.floor(max_s * 1000 + 1e-6))
    width = _bucket_width(graph)
    return Forest(*grow(graph.first, graph.head, graph.cost_ms, graph.edge, *roots, limit, width))


@dataclass(frozen=True)
class Starts:
    """How each place joins a forest: ``cost_ms`` to its source (-1: no path), ``source``, and the first ``node``.

    ``node`` is -1 where there is no path and where the way to the source stays on the place's own edge.
    """

    cost_ms: Ints
    source: Ints
    node: Ints


def join(graph: Graph, forest: Forest, places: Snaps, sources: Snaps, *, extra_s: Floats | None = None) -> Starts:
    """The cheapest way from each place in mid-street to the forest's sources.

    ``graph`` is the one in the direction of travel (from the places), ``forest`` was grown from ``sources`` on its
    reverse with the same ``extra_s``. A source on the place's own edge is reached along it without a node.
    """
    extra = np.rint((np.zeros(len(sources)) if extra_s is None else extra_s) * 1000).astype(np.int64)
    found = places.found
    edge, along = places.edge[found], places.along_m[found]
    to_u, to_v = _end_costs(graph, edge, along)
    by_u, by_v = _through(forest, graph.u[edge], to_u), _through(forest, graph.v[edge], to_v)
    own = _own_street(graph, edge, along, sources, extra)
    cost, source, node = (np.column_stack(column) for column in zip(by_u, by_v, own, strict=True))
    best = np.lexsort((source, cost), axis=1)[:, 0]
    row = np.arange(len(edge))
    return _spread(found, cost[row, best], source[row, best], node[row, best])


def _through(forest: Forest, node: Ints, cost_ms: Ints) -> tuple[Ints, Ints, Ints]:
    """Cost, source and node of the way by one end of the place's edge."""
    reached = (forest.cost_ms[node] >= 0) & (cost_ms < NEVER)
    cost = np.where(reached, cost_ms + forest.cost_ms[node], NEVER)
    return cost, np.where(reached, forest.source[node], NEVER), np.where(reached, node, NOTHING)


def _own_street(graph: Graph, edge: Ints, along_m: Floats, sources: Snaps, extra: Ints) -> tuple[Ints, Ints, Ints]:
    """Cost and source of the nearest source on the place's own edge; ``NEVER`` where there is none."""
    on = np.flatnonzero(sources.found)
    on = on[np.argsort(sources.edge[on], kind="stable")]
    low, high = (np.searchsorted(sources.edge[on], edge, side=side) for side in ("left", "right"))
    place = np.repeat(np.arange(len(edge)), high - low)
    row = on[np.arange(len(place)) - np.repeat(np.r_[0, np.cumsum(high - low)][:-1] - low, high - low)]
    ahead = sources.along_m[row] >= along_m[place]
    whole = np.where(ahead, graph.forward_ms[edge[place]], graph.backward_ms[edge[place]])
    length = graph.length_m[edge[place]]
    gap = np.abs(sources.along_m[row] - along_m[place])
    part = _part(whole, np.divide(gap, length, out=np.zeros_like(gap), where=length > 0))
    total = np.where(part >= NEVER, NEVER, part + extra[row])
    order = np.lexsort((sources.place[row], total, place))
    first = order[np.unique(place[order], return_index=True)[1]]
    cost, source = np.full(len(edge), NEVER), np.full(len(edge), NEVER)
    cost[place[first]], source[place[first]] = total[first], sources.place[row[first]]
    return cost, np.where(cost < NEVER, source, NEVER), np.full(len(edge), NOTHING)


def _spread(found: Mask, cost: Ints, source: Ints, node: Ints) -> Starts:
    """Answers for the snapped places put back among all places."""
    reached = cost < NEVER
    out = [np.full(len(found), NOTHING, dtype=np.int64) for _ in range(3)]
    for target, values in zip(out, (cost, source, node), strict=True):
        target[found] = np.where(reached, values, NOTHING)
    return Starts(*out)


def islands(network: Network, usable: Mask, *, below_m: float) -> Mask:
    """Usable edges (edges,) whose connected piece of the network is shorter than ``below_m`` metres in all.

    Directions do not count. A network that is all shorter than that has no islands: there is nothing else to join.
    """
    n, edges = len(network.x), np.flatnonzero(usable)
    ends = (network.u[edges], network.v[edges])
    piece = connected_components(csr_array((np.ones(len(edges)), ends), shape=(n, n)), directed=False)[1][ends[0]]
    length = np.bincount(piece, weights=network.length_m[edges], minlength=1)
    small = np.zeros(len(usable), dtype=bool)
    small[edges] = length[piece] < min(below_m, length.max())
    return small


def seconds(cost_ms: Ints) -> Floats:
    """Milliseconds as seconds, NaN where there is no path."""
    return np.where(cost_ms < 0, np.nan, cost_ms / 1000.0)


def flows(graph: Graph, forest: Forest, starts: Starts, places: Snaps, people: Ints) -> Ints:
    """People on each edge, (edges,), when everybody walks the way found; a person counts on every edge walked."""
    at_node = np.zeros(len(graph), dtype=np.int64)
    leaves = starts.node >= 0
    np.add.at(at_node, starts.node[leaves], people[leaves])
    carried = np.zeros(len(graph.u), dtype=np.int64)
    # Who stands at the very corner and leaves by it is counted on the way from there, not on the own street as well.
    corner = leaves & (forest.via[starts.node] == places.edge)
    walks = (starts.cost_ms >= 0) & ~corner
    np.add.at(carried, places.edge[walks], people[walks])
    order = np.argsort(forest.cost_ms, kind="stable")[::-1]
    pour(order, forest.parent, forest.via, at_node, carried)
    return carried


def _bucket_width(graph: Graph) -> np.int64:
    """The narrowest bucket such that the dearest arc still fits into the ring."""
    dearest = int(graph.cost_ms.max()) if len(graph.cost_ms) else 1
    return np.int64(dearest // (BUCKETS - 2) + 1)


def _roots(graph: Graph, snaps: Snaps, extra_ms: Ints) -> tuple[Ints, Ints, Ints, Ints]:
    """Nodes reached from mid-street starts: node, milliseconds, source, edge; closed and barred ends left out."""
    found = snaps.found
    edge, place, extra = snaps.edge[found], snaps.place[found], extra_ms[found]
    to_u, to_v = _end_costs(graph, edge, snaps.along_m[found])
    node = np.r_[graph.u[edge], graph.v[edge]]
    part = np.r_[to_u, to_v]
    edge = np.where(part > 0, np.r_[edge, edge], NOTHING)
    open_ = (part < NEVER) & ~graph.barred[node]
    return node[open_], (part + np.r_[extra, extra])[open_], np.r_[place, place][open_], edge[open_]


def _end_costs(graph: Graph, edge: Ints, along_m: Floats) -> tuple[Ints, Ints]:
    """Milliseconds from a point on an edge to its start (against the drawing) and to its end (along it)."""
    length = graph.length_m[edge]
    share = np.divide(along_m, length, out=np.zeros_like(along_m), where=length > 0)
    return _part(graph.backward_ms[edge], share), _part(graph.forward_ms[edge], 1 - share)


def _part(cost_ms: Ints, share: Floats) -> Ints:
    """A share of an edge's cost, in whole milliseconds; ``NEVER`` stays unless there is nothing to go."""
    closed = (cost_ms >= NEVER) & (share > 0)
    return np.where(closed, NEVER, np.rint(np.where(closed | (share == 0), 0, cost_ms) * share)).astype(np.int64)
