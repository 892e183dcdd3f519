"""A solved city that is changed without being solved again: sources come and go, streets close, open and slow down.

A ``Solved`` keeps a graph, what its arcs cost now, the roots of its sources and the forest. ``changed`` compares old
with new: a state whose way led over an arc that got dearer, or from a root that is no more, is forgotten with all
states behind it in the tree (G. Ramalingam and T. Reps, doi:10.1006/jagm.1996.0046); the best offers of their
neighbours, of arcs that got cheaper and of all roots are then spread by the same search that solved it. The result
is the one that solving anew would give, ways included. Nothing given is changed: a change copies one key, edge and
parent per state (20 bytes a state, 6 MB for 300,000) and, where streets change, the cost of each arc; the rest of the
time goes by how many states get another way.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import buckets
from geo.buckets import CLOSED, NOTHING, UNREACHED, spread
from geo.routing import Forest, Graph, Roots

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Keys = NDArray[np.uint64]
Rows = NDArray[np.uint32]
Mask = NDArray[np.bool_]

_U = np.uint64
_ONE = np.uint64(1)


@dataclass(frozen=True)
class Into:
    """The arcs by where they lead: those into state ``s`` are ``arc[first[s]:first[s + 1]]``, leaving from ``tail``."""

    first: Ints
    arc: Int32s
    tail: Int32s


@dataclass(frozen=True)
class Solved:
    """A graph, what its arcs cost now (``cost_ms``, ``buckets.CLOSED`` where shut), the roots, and their forest."""

    graph: Graph
    cost_ms: Int32s
    roots: Roots
    forest: Forest
    into: Into

    def __repr__(self) -> str:
        shut, sources = int((self.cost_ms == CLOSED).sum()), len(np.unique(self.roots.source))
        return f"Solved({len(self.graph)} states, {sources} sources, {shut} arcs shut)"


def solve(graph: Graph, roots: Roots) -> Solved:
    """Solve a city from the beginning: each state's nearest source, going out from the sources."""
    arcs = (graph.first, graph.head, graph.cost_ms, graph.edge)
    start = (roots.state, roots.cost_ms, roots.source, roots.edge)
    forest = Forest(*buckets.grow(*arcs, *start, buckets.NEVER - 1))
    return Solved(graph, graph.cost_ms, roots, forest, _into(graph))


def add(solved: Solved, roots: Roots) -> Solved:
    """The city with further sources; a source that is there already gets further roots."""
    return changed(solved, roots=_joined(solved.roots, roots))


def remove(solved: Solved, sources: Ints) -> Solved:
    """The city without the sources of these numbers; numbers that no source has change nothing."""
    return changed(solved, roots=_kept(solved.roots, ~np.isin(solved.roots.source, sources)))


def close(solved: Solved, edges: Ints) -> Solved:
    """The city with these edges shut in both directions. A start on one of them keeps only the node it stands at."""
    arcs = np.isin(solved.graph.edge, edges)
    roots = _kept(solved.roots, ~np.isin(solved.roots.edge, edges))
    return changed(solved, cost_ms=np.where(arcs, CLOSED, solved.cost_ms).astype(np.int32), roots=roots)


def reopen(solved: Solved, edges: Ints, *, roots: Roots | None = None) -> Solved:
    """The city with these edges as they are in its graph. ``roots``: all roots, where some start lies on an edge."""
    arcs = np.isin(solved.graph.edge, edges)
    return changed(solved, cost_ms=np.where(arcs, solved.graph.cost_ms, solved.cost_ms).astype(np.int32), roots=roots)


def _joined(one: Roots, other: Roots) -> Roots:
    return Roots(*(np.r_[getattr(one, f), getattr(other, f)] for f in ("state", "cost_ms", "source", "edge")))


def _kept(roots: Roots, keep: Mask) -> Roots:
    return Roots(*(getattr(roots, f)[keep] for f in ("state", "cost_ms", "source", "edge")))


def changed(solved: Solved, *, cost_ms: Int32s | None = None, roots: Roots | None = None) -> Solved:
    """The city with other arc costs or other roots; as it is where one is not given.

    ``cost_ms`` (arcs,) int32 is at least 1, ``buckets.CLOSED`` where shut.
    """
    after = replace(
        solved,
        cost_ms=solved.cost_ms if cost_ms is None else cost_ms,
        roots=solved.roots if roots is None else roots,
    )
    bits = buckets.source_bits(solved.roots.source, after.roots.source)
    before = buckets.keys_of(solved.forest.cost_ms, solved.forest.source, bits)
    root_key = buckets.keys_of(after.roots.cost_ms, after.roots.source, bits)
    arcs = np.zeros(0, dtype=np.int64) if cost_ms is None else np.flatnonzero(cost_ms != solved.cost_ms)
    lost = _behind(solved, _uprooted(solved, after.roots.state, root_key, before, bits), _dearer(solved, after, arcs))
    keys = before.copy()
    keys[lost] = UNREACHED
    _spread(after, keys, root_key, lost, arcs, bits)
    moved = np.union1d(np.flatnonzero(keys != before), lost)
    return replace(after, forest=_forest(after, keys, root_key, moved, arcs, bits))


def _uprooted(solved: Solved, state: Ints, root_key: Keys, keys: Keys, bits: int) -> Ints:
    """States that were reached by a root as good as which none is left."""
    offered = np.full(len(keys), UNREACHED)
    np.minimum.at(offered, state, root_key)
    stood = np.unique(solved.roots.state)
    stood = stood[(solved.forest.parent[stood] == NOTHING) & (keys[stood] != UNREACHED)]
    gone: Ints = stood[offered[stood] > keys[stood]]
    return gone


def _dearer(solved: Solved, after: Solved, arcs: Ints) -> Ints:
    """States whose way came by one of the changed arcs that costs more now."""
    arcs = arcs[after.cost_ms[arcs] > solved.cost_ms[arcs]]
    tail, head = _tails(solved.graph, arcs), solved.graph.head[arcs]
    used = (solved.forest.parent[head] == tail) & (solved.forest.via[head] == solved.graph.edge[arcs])
    state: Ints = head[used].astype(np.int64)
    return state


def _tails(graph: Graph, arcs: Ints) -> Ints:
    return np.searchsorted(graph.first, arcs, side="right") - 1


def _behind(solved: Solved, *tops: Ints) -> Ints:
    """The given states and all whose way leads over them, in ascending order."""
    first, head, _ = buckets.unsigned(solved.graph.first, solved.graph.head, solved.graph.cost_ms)
    found = np.unique(np.concatenate(tops))
    return np.sort(_descendants(found, first, head, solved.forest.parent))


@njit(cache=True, nogil=True)
def _descendants(tops: Ints, first: Keys, head: Rows, parent: Ints) -> Ints:  # pragma: no cover
    """The subtrees below some states."""
    known, out, n, at = np.zeros(len(parent), np.bool_), tops.copy(), len(tops), 0
    known[tops] = True
    while at < n:
        tail = out[at]
        at += 1
        for a in range(first[tail], first[tail + 1]):
            state = np.int64(head[a])
            if parent[state] == tail and not known[state]:
                known[state] = True
                if n == len(out):
                    out = buckets.longer(out, _ONE)
                out[n] = state
                n += 1
    return out[:n]


def _spread(after: Solved, keys: Keys, root_key: Keys, lost: Ints, arcs: Ints, bits: int) -> None:
    """Better ``keys`` in place, from all roots, from around the lost states, and over the changed arcs."""
    first, head, cost_ms = buckets.unsigned(after.graph.first, after.graph.head, after.cost_ms)
    tail = _tails(after.graph, arcs)
    over = np.flatnonzero((keys[tail] != UNREACHED) & (after.cost_ms[arcs] != CLOSED))
    by_arc = keys[tail[over]] + (after.cost_ms[arcs[over]].astype(np.uint64) << _U(bits))
    around = _around(keys, lost, after.into.first, after.into.arc, after.into.tail, cost_ms, bits)
    state = np.concatenate([after.roots.state, after.graph.head[arcs[over]].astype(np.int64), lost])
    offered = np.concatenate([root_key, by_arc, around])
    top, touched = buckets.ceiling(buckets.NEVER - 1, bits), np.empty(len(keys) + 1, dtype=np.uint32)
    better = offered < keys[state]
    spread(keys, first, head, cost_ms, state[better], offered[better], bits, top, buckets.NO_TARGETS, touched)


@njit(cache=True, nogil=True)
def _around(
    keys: Keys, lost: Ints, into_first: Ints, into_arc: Int32s, into_tail: Int32s, cost_ms: Rows, bits: int
) -> Keys:  # pragma: no cover
    """What the neighbours of each lost state offer it at best, (lost,); ``UNREACHED`` where nothing."""
    best = np.full(len(lost), UNREACHED, np.uint64)
    for i in range(len(lost)):
        for a in range(into_first[lost[i]], into_first[lost[i] + 1]):
            cost = cost_ms[into_arc[a]]
            if keys[into_tail[a]] != UNREACHED and cost != CLOSED:
                best[i] = min(best[i], keys[into_tail[a]] + (_U(cost) << _U(bits)))
    return best


def _forest(after: Solved, keys: Keys, root_key: Keys, moved: Ints, arcs: Ints, bits: int) -> Forest:
    """The forest as the keys have it, the ways looked up again where one could have become another."""
    first, head, cost_ms = buckets.unsigned(after.graph.first, after.graph.head, after.cost_ms)
    via, parent = after.forest.via.copy(), after.forest.parent.copy()
    beside = _heads(moved, first, head)
    again = np.unique(np.concatenate([moved, beside, after.graph.head[arcs], after.roots.state]))
    _retrace(keys, again, *_arrays(after.into), cost_ms, after.graph.edge, bits, via, parent)
    buckets.stand(keys, after.roots.state, root_key, after.roots.edge, via, parent)
    return Forest(*buckets.costs_and_sources(keys, bits), via, parent)


def _arrays(into: Into) -> tuple[Ints, Int32s, Int32s]:
    return into.first, into.arc, into.tail


@njit(cache=True, nogil=True)
def _heads(tails: Ints, first: Keys, head: Rows) -> Ints:  # pragma: no cover
    """Where the arcs of some states lead."""
    total, n = _U(0), 0
    for tail in tails:
        total += first[tail + 1] - first[tail]
    out = np.empty(np.int64(total), np.int64)
    for tail in tails:
        for a in range(first[tail], first[tail + 1]):
            out[n] = head[a]
            n += 1
    return out


@njit(cache=True, nogil=True)
def _retrace(
    keys: Keys,
    states: Ints,
    into_first: Ints,
    into_arc: Int32s,
    into_tail: Int32s,
    cost_ms: Rows,
    edge: Int32s,
    bits: int,
    via: Ints,
    parent: Ints,
) -> None:  # pragma: no cover
    """For some states what ``buckets.trace`` finds for all: the arc that leads there; both in place."""
    for state in states:
        parent[state], via[state] = NOTHING, NOTHING
        if keys[state] == UNREACHED:
            continue
        for a in range(into_first[state], into_first[state + 1]):
            tail, arc = into_tail[a], into_arc[a]
            if keys[tail] == UNREACHED or cost_ms[arc] == CLOSED:
                continue
            if keys[tail] + (_U(cost_ms[arc]) << _U(bits)) == keys[state] and (
                parent[state] < 0 or (parent[state] == tail and edge[arc] < via[state])
            ):
                parent[state], via[state] = tail, edge[arc]


def _into(graph: Graph) -> Into:
    first = np.zeros(len(graph) + 1, dtype=np.int64)
    arc, tail = (np.empty(len(graph.head), dtype=np.int32) for _ in range(2))
    _turned(graph.first, graph.head, first, arc, tail)
    return Into(first, arc, tail)


@njit(cache=True, nogil=True)
def _turned(
    first: Ints, head: Int32s, into_first: Ints, into_arc: Int32s, into_tail: Int32s
) -> None:  # pragma: no cover
    """The arcs counted into rows by their heads, by tail within a row; the last three in place."""
    n = len(first) - 1
    for a in range(len(head)):
        into_first[head[a] + 1] += 1
    for state in range(n):
        into_first[state + 1] += into_first[state]
    place = into_first[:n].copy()
    for tail in range(n):
        for a in range(first[tail], first[tail + 1]):
            at = place[head[a]]
            place[head[a]] += 1
            into_arc[at], into_tail[at] = a, tail
