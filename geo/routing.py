"""Shortest paths under a hazard, on arrays.

A ``Graph`` holds the arcs that a profile may use with their cost in whole milliseconds: integers make sums exact,
ties decidable and results the same on every machine. ``nearest`` grows a forest from many sources at once with a
bucket queue (``geo.buckets``; R. B. Dial, Algorithm 360, doi:10.1145/363269.363610; buckets wider than one as in
delta-stepping, U. Meyer and P. Sanders, doi:10.1016/S0196-6774(03)00076-2): exact, and without a heap's logarithm.
No path is -1 inside this module and NaN outside it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import connected_components

from geo.buckets import CLOSED, NEVER, NOTHING, grow
from geo.network import Network
from geo.snapping import Snaps
from geo.turns import Arcs, expand

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Graph:
    """Arcs in compressed rows over states: state ``s`` has arcs ``first[s]:first[s + 1]``.

    An arc leads to the state ``head`` at ``cost_ms`` on the network's ``edge``, ``along`` its drawing or against it.
    States ``0 … nodes - 1`` are the network's nodes. Each later one is the node ``node_of`` it as found by who comes
    by one street: up to a barrier, or from where some turn is forbidden (``geo.turns``). ``forward_ms`` and
    ``backward_ms`` (edges,) keep each edge's whole cost along and against its drawing, ``NEVER`` where closed; ``u``
    and ``v`` its ends and ``length_m`` its length, for starts and ends in mid-street.
    """

    first: Ints
    head: Int32s
    cost_ms: Int32s
    edge: Int32s
    along: Mask
    node_of: Int32s
    forward_ms: Ints
    backward_ms: Ints
    u: Ints
    v: Ints
    length_m: Floats
    barred: Mask

    def __len__(self) -> int:
        return len(self.first) - 1

    def __repr__(self) -> str:
        turns = len(self) - self.nodes
        return f"Graph({self.nodes} nodes, {len(self.head)} arcs{f', {turns} states more' if turns else ''})"

    @property
    def nodes(self) -> int:
        """How many nodes the network has."""
        return len(self.barred)

    @cached_property
    def tail(self) -> Int32s:
        """The state each arc leaves, (arcs,)."""
        return np.repeat(np.arange(len(self), dtype=np.int32), np.diff(self.first))

    @cached_property
    def reverse(self) -> Graph:
        """The same streets with every direction turned round: paths *towards* become paths *from*."""
        arcs = Arcs(self.head, self.tail, self.cost_ms, self.edge, ~self.along)
        ends = (self.backward_ms, self.forward_ms, self.u, self.v, self.length_m, self.barred)
        turned = _rows(arcs, self.node_of, *ends)
        vars(turned)["reverse"] = self
        return turned

    @cached_property
    def states_of(self) -> tuple[Ints, Ints]:
        """Where the states of each node begin, (nodes + 1,), and the states in that order, (states,)."""
        first = np.r_[0, np.cumsum(np.bincount(self.node_of, minlength=self.nodes))].astype(np.int64)
        return first, np.argsort(self.node_of, kind="stable").astype(np.int64)

    @cached_property
    def by_edge(self) -> tuple[Ints, Int32s]:
        """Where the arcs of each edge begin, (edges + 1,), and the arcs in that order, (arcs,)."""
        first = np.r_[0, np.cumsum(np.bincount(self.edge, minlength=len(self.u)))].astype(np.int64)
        return first, np.argsort(self.edge, kind="stable").astype(np.int32)


@dataclass(frozen=True)
class Forest:
    """For every state the nearest source: ``cost_ms`` (-1: no path), ``source`` row, and the ``via`` edge towards it.

    ``parent`` is the next state on the way to the source; -1 at a root and where there is no path. At a root ``via`` is
    the edge the source lies on, -1 where the source lies at the node itself.
    """

    cost_ms: Ints
    source: Ints
    via: Ints
    parent: Ints


def graph(
    network: Network,
    forward_s: Floats,
    backward_s: Floats,
    *,
    barred: Mask | None = None,
    forbidden: Collection[Sequence[int]] = (),
) -> Graph:
    """The arcs open to a profile.

    ``forward_s`` and ``backward_s`` (edges,) are the times for the whole edge along and against its drawing, NaN or
    infinity where closed. ``barred`` (nodes,) marks nodes that nobody passes, ``forbidden`` sequences of directed edges
    nobody may follow (``geo.turns``). An open edge costs at least one millisecond, so that every step of a path
    brings it nearer.
    """
    barred = np.zeros(len(network.x), dtype=bool) if barred is None else barred
    forward, backward = _milliseconds(forward_s), _milliseconds(backward_s)
    begin, end, node_of = _ends(network, barred)
    edges = np.arange(len(network.u), dtype=np.int32)
    cost, edge, along = np.r_[forward, backward], np.r_[edges, edges], np.repeat([True, False], len(edges))
    on = cost < NEVER
    arcs = Arcs(np.r_[begin, end][on], np.r_[end, begin][on], cost[on], edge[on], along[on])
    arcs, state_of = expand(arcs, len(node_of), forbidden)
    return _rows(arcs, node_of[state_of], forward, backward, network.u, network.v, network.length_m, barred)


def _ends(network: Network, barred: Mask) -> tuple[Int32s, Int32s, Int32s]:
    """The states at which each edge begins and ends, and the node of each state.

    At a node that nobody passes every street has an end of its own: one may go up to it and come back.
    """
    nodes, edges = len(barred), len(network.u)
    ends = np.r_[network.u, network.v].astype(np.int32)
    alone = np.flatnonzero(barred[ends])
    node_of = np.r_[np.arange(nodes, dtype=np.int32), ends[alone]]
    ends[alone] = nodes + np.arange(len(alone), dtype=np.int32)
    return ends[:edges], ends[edges:], node_of


def _milliseconds(seconds: Floats) -> Ints:
    finite = np.isfinite(seconds) & (seconds * 1000 < CLOSED)
    return np.where(finite, np.maximum(np.rint(np.where(finite, seconds, 0) * 1000), 1), NEVER).astype(np.int64)


def _rows(
    arcs: Arcs, node_of: Int32s, forward: Ints, backward: Ints, u: Ints, v: Ints, length_m: Floats, barred: Mask
) -> Graph:
    order = np.lexsort((arcs.edge, arcs.head, arcs.tail))
    first = np.r_[0, np.cumsum(np.bincount(arcs.tail, minlength=len(node_of)))].astype(np.int64)
    rows = (arcs.head[order], arcs.cost_ms[order].astype(np.int32), arcs.edge[order], arcs.along[order])
    return Graph(first, *rows, node_of, forward, backward, u, v, length_m, barred)


def shut(graph: Graph, edges: Ints) -> Graph:
    """The same streets with some of them (edges) closed in both directions; its reverse comes with it.

    The arcs stay and cost ``buckets.CLOSED``, so that nothing has to be sorted again. Whoever starts or ends on a
    closed street is to be left out by the caller.
    """
    gone = np.zeros(len(graph.u), dtype=bool)
    gone[edges] = True
    there, back = (_without(one, gone) for one in (graph, graph.reverse))
    vars(there)["reverse"], vars(back)["reverse"] = back, there
    return there


def _without(graph: Graph, gone: Mask) -> Graph:
    found = replace(
        graph,
        cost_ms=np.where(gone[graph.edge], CLOSED, graph.cost_ms).astype(np.int32),
        forward_ms=np.where(gone, NEVER, graph.forward_ms),
        backward_ms=np.where(gone, NEVER, graph.backward_ms),
    )
    # What says where arcs lie is the same.
    vars(found).update({name: vars(graph)[name] for name in ("tail", "states_of", "by_edge") if name in vars(graph)})
    return found


@dataclass(frozen=True)
class Roots:
    """Where searches start: a ``state``, what it costs to get there, whose start it is, and the edge it came by.

    ``edge`` is -1 where the start lies at the node itself. A start in mid-street has a row for each way out.
    """

    state: Ints
    cost_ms: Ints
    source: Ints
    edge: Ints


def roots(graph: Graph, snaps: Snaps, *, extra_s: Floats | None = None) -> Roots:
    """The ways out of places in mid-street: by every arc of their edge, and by a node they stand at.

    ``source`` is the row's ``place``; ``extra_s`` (rows,) is added. Places without an edge have no roots.
    """
    row = np.flatnonzero(snaps.found)
    edge, share = snaps.edge[row], _share_along(graph, snaps.edge[row], snaps.along_m[row])
    which, arc = _arcs_of(graph, edge)
    rest = np.where(graph.along[arc], 1 - share[which], share[which])
    part = np.rint(graph.cost_ms[arc] * rest).astype(np.int64)
    ways_out = [(which, graph.head[arc].astype(np.int64), part, np.where(part > 0, edge[which], NOTHING))]
    ways_out += [_standing(graph, end[edge], there) for end, there in ((graph.u, share == 0), (graph.v, share == 1))]
    which, state, part, by = (np.concatenate(column) for column in zip(*ways_out, strict=True))
    extra = 0 if extra_s is None else np.rint(extra_s[row[which]] * 1000).astype(np.int64)
    return Roots(state, part + extra, snaps.place[row[which]], by)


def _standing(graph: Graph, node: Ints, there: Mask) -> tuple[Ints, Ints, Ints, Ints]:
    """The roots of those who stand at a node itself: their rows, every state of the node, no cost and no edge.

    Whoever comes to the node is there, whichever street they came by.
    """
    rows = np.flatnonzero(there & ~graph.barred[node])
    first, states = graph.states_of
    count = first[node[rows] + 1] - first[node[rows]]
    row = np.repeat(rows, count)
    state = states[np.arange(len(row)) - np.repeat(np.cumsum(count) - count - first[node[rows]], count)]
    return row, state, np.zeros(len(row), dtype=np.int64), np.full(len(row), NOTHING, dtype=np.int64)


def _share_along(graph: Graph, edge: Ints, along_m: Floats) -> Floats:
    length = graph.length_m[edge]
    return np.divide(along_m, length, out=np.zeros(len(edge)), where=length > 0)


def _arcs_of(graph: Graph, edge: Ints) -> tuple[Ints, Ints]:
    """Every arc of each edge (n,): the row of the edge, and the arc."""
    first, arcs = graph.by_edge
    count = first[edge + 1] - first[edge]
    row = np.repeat(np.arange(len(edge)), count)
    return row, arcs[first[edge][row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)]


def nearest(graph: Graph, sources: Snaps, *, extra_s: Floats | None = None, max_s: float = np.inf) -> Forest:
    """From each state, the nearest of many sources in mid-street, going *out from* the sources.

    ``sources.place`` names the source a row belongs to; ``extra_s`` (rows,) is added at each row, e.g. the last
    metres to the door. Of sources equally near, the one with the smaller number wins. ``max_s`` itself is within.
    For ways *towards* the sources ask the reversed graph.
    """
    start = roots(graph, sources, extra_s=extra_s)
    limit = NEVER - 1 if np.isinf(max_s) else np.int64(np.floor(max_s * 1000 + 1e-6))
    arcs = (graph.first, graph.head, graph.cost_ms, graph.edge)
    return Forest(*grow(*arcs, start.state, start.cost_ms, start.source, start.edge, limit))


@dataclass(frozen=True)
class Starts:
    """How each place joins a forest: ``cost_ms`` to its source (-1: no path), ``source``, and the first ``state``.

    ``state`` is -1 where there is no path and where the way to the source stays on the place's own edge.
    """

    cost_ms: Ints
    source: Ints
    state: Ints


def join(graph: Graph, forest: Forest, places: Snaps, sources: Snaps, *, extra_s: Floats | None = None) -> Starts:
    """The cheapest way from each place in mid-street to the forest's sources.

    ``graph`` is the one in the direction of travel (from the places), ``forest`` was grown from ``sources`` on its
    reverse with the same ``extra_s``. A source on the place's own edge is reached along it without a node.
    """
    extra = np.rint((np.zeros(len(sources)) if extra_s is None else extra_s) * 1000).astype(np.int64)
    out = roots(graph, Snaps(np.arange(len(places)), places.edge, places.along_m, places.off_m))
    reached = forest.cost_ms[out.state] >= 0
    state = out.state[reached]
    found = np.flatnonzero(places.found)
    own = own_street(graph, places.edge[found], places.along_m[found], sources, extra)
    within = np.flatnonzero(own[0] < NEVER)
    place = np.r_[out.source[reached], found[within]]
    cost = np.r_[out.cost_ms[reached] + forest.cost_ms[state], own[0][within]]
    source = np.r_[forest.source[state], own[1][within]]
    return _cheapest(len(places), place, cost, source, np.r_[state, np.full(len(within), NOTHING)])


def _cheapest(n: int, place: Ints, cost: Ints, source: Ints, state: Ints) -> Starts:
    """Of several ways of each place the cheapest, to the smaller source when equal."""
    order = np.lexsort((state, source, cost, place))
    best = order[np.unique(place[order], return_index=True)[1]]
    out = Starts(*(np.full(n, NOTHING, dtype=np.int64) for _ in range(3)))
    out.cost_ms[place[best]], out.source[place[best]], out.state[place[best]] = cost[best], source[best], state[best]
    return out


def own_street(graph: Graph, edge: Ints, along_m: Floats, sources: Snaps, extra: Ints) -> tuple[Ints, Ints]:
    """Cost and source of the nearest source on the place's own edge; ``NEVER`` and -1 where there is none."""
    on = np.flatnonzero(sources.found)
    on = on[np.argsort(sources.edge[on], kind="stable")]
    low, high = (np.searchsorted(sources.edge[on], edge, side=side) for side in ("left", "right"))
    place = np.repeat(np.arange(len(edge)), high - low)
    row = on[np.arange(len(place)) - np.repeat(np.r_[0, np.cumsum(high - low)][:-1] - low, high - low)]
    ahead = sources.along_m[row] >= along_m[place]
    whole = np.where(ahead, graph.forward_ms[edge[place]], graph.backward_ms[edge[place]])
    part = _part(whole, _share_along(graph, edge[place], np.abs(sources.along_m[row] - along_m[place])))
    total = np.where(part >= NEVER, NEVER, part + extra[row])
    order = np.lexsort((sources.place[row], total, place))
    first = order[np.unique(place[order], return_index=True)[1]]
    cost, source = np.full(len(edge), NEVER), np.full(len(edge), NOTHING)
    cost[place[first]], source[place[first]] = total[first], sources.place[row[first]]
    return cost, np.where(cost < NEVER, source, NOTHING)


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


def _part(cost_ms: Ints, share: Floats) -> Ints:
    """A share of an edge's cost, in whole milliseconds; ``NEVER`` stays unless there is nothing to go."""
    closed = (cost_ms >= NEVER) & (share > 0)
    return np.where(closed, NEVER, np.rint(np.where(closed | (share == 0), 0, cost_ms) * share)).astype(np.int64)
