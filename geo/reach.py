"""Which parts of streets lie within a time: whole streets, and those where the time runs out, cut exactly there.

A piece is a stretch of one edge, from ``from_m`` to ``to_m`` along its drawing. A street of which only one direction
is open is reached as far as one gets in that direction. Time within a street runs evenly.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.buckets import NEVER
from geo.network import Network
from geo.routing import Graph
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

TOUCH_M = 1e-6
"""Metres. Stretches this close to each other are one."""


@dataclass(frozen=True)
class Pieces:
    """Stretches of streets, sorted by ``edge`` and ``from_m``; stretches of one edge do not touch each other."""

    edge: Ints
    from_m: Floats
    to_m: Floats

    def __len__(self) -> int:
        return len(self.edge)

    def __repr__(self) -> str:
        return f"Pieces({len(self)} stretches, {self.length_m.sum() / 1000:.1f} km)"

    def where(self, kept: Mask) -> Pieces:
        """The stretches that are kept (pieces,)."""
        return Pieces(self.edge[kept], self.from_m[kept], self.to_m[kept])

    @property
    def length_m(self) -> Floats:
        """The length of each stretch, (pieces,)."""
        return self.to_m - self.from_m


@dataclass(frozen=True)
class Drawn:
    """Stretches as lines: stretch ``i`` has the vertices ``start[i]:start[i + 1]`` of ``x``, ``y`` (metres)."""

    x: Floats
    y: Floats
    start: Ints

    def __len__(self) -> int:
        return len(self.start) - 1


def within(graph: Graph, cost_ms: Ints, origins: Snaps, *, minutes: float, extra_s: Floats | None = None) -> Pieces:
    """What is reached from ``origins`` within ``minutes`` (that very moment included) in the graph's direction.

    ``cost_ms`` (states,) are the costs from the nearest origin, -1 where there is none, as ``routing.nearest`` gives
    them with the same ``extra_s`` (rows). On a reversed graph: the streets *from* which an origin is reached.
    """
    near = np.flatnonzero(cost_ms >= 0)
    return beyond(graph, near, cost_ms[near], origins, minutes=minutes, extra_s=extra_s)


def beyond(
    graph: Graph, state: Ints, cost_ms: Ints, origins: Snaps, *, minutes: float, extra_s: Floats | None = None
) -> Pieces:
    """As ``within``, from the states reached alone: ``state`` and ``cost_ms`` (reached,) as ``search.within`` gives."""
    limit = np.floor(minutes * 60_000 + 1e-6)
    state, cost_ms = state[cost_ms < limit], cost_ms[cost_ms < limit]
    count = graph.first[state + 1] - graph.first[state]
    row = np.repeat(np.arange(len(state)), count)
    arc = graph.first[state][row] + np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    share = np.minimum((limit - cost_ms[row]) / graph.cost_ms[arc], 1.0)
    edge, along = graph.edge[arc].astype(np.int64), graph.along[arc]
    stretches = _from_end(graph, edge, along, np.zeros(len(edge)), share)
    around = _around(graph, origins, limit, extra_s)
    return merged(*(np.concatenate(column) for column in zip(stretches, around, strict=True)))


def _from_end(graph: Graph, edge: Ints, along: Mask, after: Floats, share: Floats) -> tuple[Ints, Floats, Floats]:
    """The stretch from a share ``after`` the arc's beginning on, over a further ``share`` of it."""
    length = graph.length_m[edge]
    until = np.minimum(after + share, 1.0)
    low, high = np.where(along, after, 1 - until), np.where(along, until, 1 - after)
    return edge, low * length, np.where(high >= 1, length, high * length)


def _around(graph: Graph, origins: Snaps, limit: float, extra_s: Floats | None) -> tuple[Ints, Floats, Floats]:
    """The stretches that begin in mid-street, at the origins themselves."""
    row = np.flatnonzero(origins.found)
    edge, length = origins.edge[row], graph.length_m[origins.edge[row]]
    left = np.maximum(limit - (0.0 if extra_s is None else np.rint(extra_s[row] * 1000)), -1.0)
    at = np.divide(origins.along_m[row], length, out=np.zeros(len(row)), where=length > 0)
    parts = []
    for along, cost in ((True, graph.forward_ms[edge]), (False, graph.backward_ms[edge])):
        share = np.clip(left / cost, 0.0, 1.0) * (left >= 0)
        kept = np.flatnonzero((share > 0) & (cost < NEVER))
        way = np.full(len(kept), along)
        after = np.where(way, at[kept], 1 - at[kept])
        parts.append(_from_end(graph, edge[kept], way, after, share[kept]))
    edges, low, high = (np.concatenate(column) for column in zip(*parts, strict=True))
    return edges, low, high


def merged(edge: Ints, from_m: Floats, to_m: Floats) -> Pieces:
    """Stretches (n,) in any order as pieces: what overlaps or touches becomes one, what has no length is left out."""
    order = np.lexsort((to_m, from_m, edge))
    n, edges, low, high = _merge(edge[order].astype(np.int64), from_m[order], to_m[order])
    # An origin at the end of its street has a stretch without length beyond it.
    real = np.flatnonzero(high[:n] > low[:n])
    return Pieces(edges[real], low[real], high[real])


@njit(cache=True)
def _merge(edge: Ints, low: Floats, high: Floats) -> tuple[int, Ints, Floats, Floats]:  # pragma: no cover
    out_edge, out_low, out_high = np.empty_like(edge), np.empty_like(low), np.empty_like(high)
    n = 0
    for i in range(len(edge)):
        if n and out_edge[n - 1] == edge[i] and low[i] <= out_high[n - 1] + TOUCH_M:
            out_high[n - 1] = max(out_high[n - 1], high[i])
        else:
            out_edge[n], out_low[n], out_high[n] = edge[i], low[i], high[i]
            n += 1
    return n, out_edge, out_low, out_high


def rest(pieces: Pieces, edges: Ints, length_m: Floats) -> Pieces:
    """What is left of ``edges`` (sorted, each once) without the pieces; ``length_m`` is of all the network's edges.

    Pieces of other edges do not matter. Left-overs shorter than the touching distance are none.
    """
    mine = np.flatnonzero(np.isin(pieces.edge, edges))
    edge = np.r_[edges, pieces.edge[mine]]
    low = np.r_[np.zeros(len(edges)), pieces.to_m[mine]]
    order = np.lexsort((low, edge))
    ends = np.r_[pieces.from_m[mine], length_m[edges]]
    high = ends[np.lexsort((ends, np.r_[pieces.edge[mine], edges]))]
    edge, low = edge[order], low[order]
    kept = high - low > TOUCH_M
    return Pieces(edge[kept], low[kept], high[kept])


def drawn(network: Network, pieces: Pieces) -> Drawn:
    """The pieces as lines in the network's CRS, cut exactly where they begin and end."""
    size = _sizes(network.start, network.px, network.py, pieces.edge, pieces.from_m, pieces.to_m)
    start = np.r_[0, np.cumsum(size)].astype(np.int64)
    x, y = np.empty(start[-1]), np.empty(start[-1])
    _draw(network.start, network.px, network.py, pieces.edge, pieces.from_m, pieces.to_m, start, x, y)
    return Drawn(x, y, start)


@njit(cache=True)
def _sizes(first: Ints, px: Floats, py: Floats, edge: Ints, low: Floats, high: Floats) -> Ints:  # pragma: no cover
    """How many vertices each piece has: its two ends and what lies strictly between them."""
    size = np.full(len(edge), 2, dtype=np.int64)
    for i in range(len(edge)):
        at = 0.0
        for p in range(first[edge[i]], first[edge[i] + 1] - 2):
            at += np.hypot(px[p + 1] - px[p], py[p + 1] - py[p])
            if low[i] < at < high[i]:
                size[i] += 1
    return size


@njit(cache=True)
def _draw(
    first: Ints, px: Floats, py: Floats, edge: Ints, low: Floats, high: Floats, start: Ints, x: Floats, y: Floats
) -> None:  # pragma: no cover
    for i in range(len(edge)):
        at, to, last = 0.0, start[i], first[edge[i] + 1] - 2
        begun = False
        for p in range(first[edge[i]], last + 1):
            step = np.hypot(px[p + 1] - px[p], py[p + 1] - py[p])
            if not begun and (low[i] < at + step or p == last):
                share = min(max((low[i] - at) / step, 0.0), 1.0) if step > 0 else 0.0
                x[to], y[to] = px[p] + share * (px[p + 1] - px[p]), py[p] + share * (py[p + 1] - py[p])
                to, begun = to + 1, True
            if begun and (high[i] <= at + step or p == last):
                share = min(max((high[i] - at) / step, 0.0), 1.0) if step > 0 else 1.0
                x[to], y[to] = px[p] + share * (px[p + 1] - px[p]), py[p] + share * (py[p + 1] - py[p])
                break
            if low[i] < at + step < high[i]:
                x[to], y[to] = px[p + 1], py[p + 1]
                to += 1
            at += step


def points(network: Network, snaps: Snaps) -> tuple[Floats, Floats]:
    """Where snapped places stand on their streets: x and y (rows,) in the network's CRS; each must be snapped."""
    at = Pieces(snaps.edge, snaps.along_m, snaps.along_m)
    found = drawn(network, at)
    return found.x[found.start[:-1]], found.y[found.start[:-1]]
