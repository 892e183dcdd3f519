"""Searches that answer many questions on one graph: what lies within a limit, the k nearest, and a matrix of times.

All run on the bucket queue of ``geo.buckets`` and are exact. What they need beside the graph – a key and a place in a
list for every state – is kept between searches and put back as it was, so that a small search costs what it reaches,
however large the network is. Searches may run at the same time in several threads; each takes its own.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from geo import buckets, routing
from geo.buckets import BATCH, BUCKETS, CLOSED, NEVER, UNREACHED, bucket_bits, longer, soonest, spread
from geo.routing import Graph, Roots
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Keys = NDArray[np.uint64]
Rows = NDArray[np.uint32]

THREADS = 2
"""How many searches of a matrix run at the same time."""

_U = np.uint64
_ONE = np.uint64(1)


@dataclass(frozen=True)
class Reached:
    """The states within a limit, in ascending order, each with its ``cost_ms`` from the nearest ``source``."""

    state: Ints
    cost_ms: Ints
    source: Ints

    def __len__(self) -> int:
        return len(self.state)

    def __repr__(self) -> str:
        return f"Reached({len(self)} states, up to {self.cost_ms.max(initial=0) / 1000:.0f} s)"


def within(graph: Graph, roots: Roots, *, max_s: float) -> Reached:
    """What is reached from a few roots within ``max_s`` seconds (itself included), the nearest source of each state.

    Takes time by what is reached, not by the size of the network. Of equally near sources the smaller number wins.
    """
    bits = buckets.source_bits(roots.source)
    root_key = buckets.keys_of(roots.cost_ms, roots.source, bits)
    top = buckets.ceiling(_limit_ms(max_s), bits)
    arcs = buckets.unsigned(graph.first, graph.head, graph.cost_ms)
    with _scratch(len(graph)) as (keys, touched):
        count = int(spread(keys, *arcs, roots.state, root_key, bits, top, buckets.NO_TARGETS, touched))
        state = np.sort(touched[:count])
        found = keys[state]
        keys[state] = UNREACHED
    return Reached(state.astype(np.int64), *buckets.costs_and_sources(found, bits))


def _limit_ms(max_s: float) -> int:
    return int(NEVER) - 1 if np.isinf(max_s) else int(np.floor(max_s * 1000 + 1e-6))


_SPARE: deque[tuple[Keys, Rows]] = deque(maxlen=4)


@contextmanager
def _scratch(states: int) -> Iterator[tuple[Keys, Rows]]:
    """Keys that are all unreached, at least ``states`` of them, and room for a list; to be given back the same."""
    try:
        spare = _SPARE.pop()
    except IndexError:
        spare = _fresh(states)
    if len(spare[0]) < states:
        spare = _fresh(states)
    yield spare
    _SPARE.append(spare)


def _fresh(states: int) -> tuple[Keys, Rows]:
    return np.full(states, UNREACHED), np.empty(states + 1, dtype=np.uint32)


@dataclass(frozen=True)
class Several:
    """For every state its nearest sources, (states, k), nearest first; -1 where there are fewer than k."""

    cost_ms: Ints
    source: Ints

    def __repr__(self) -> str:
        return f"Several({len(self.cost_ms)} states, up to {self.cost_ms.shape[1]} sources each)"


def k_nearest(graph: Graph, sources: Snaps, k: int, *, extra_s: Floats | None = None, max_s: float = np.inf) -> Several:
    """From each state the ``k`` nearest different sources, going *out from* them, as ``routing.nearest`` for one.

    Sorted by cost, then by source number. For ways *towards* the sources ask the reversed graph.
    """
    return several(graph, routing.roots(graph, sources, extra_s=extra_s), k, max_s=max_s)


def several(graph: Graph, roots: Roots, k: int, *, max_s: float = np.inf) -> Several:
    """The same from roots; several roots may belong to one source."""
    bits = buckets.source_bits(roots.source)
    labels = np.full(len(graph) * k, UNREACHED)
    root_key = buckets.keys_of(roots.cost_ms, roots.source, bits)
    arcs = buckets.unsigned(graph.first, graph.head, graph.cost_ms)
    if k > 0:
        _spread_several(labels, k, *arcs, roots.state, root_key, bits, buckets.ceiling(_limit_ms(max_s), bits))
    return Several(*buckets.costs_and_sources(labels.reshape(len(graph), k), bits))


@njit(cache=True, nogil=True)
def _spread_several(
    labels: Keys,
    k: int,
    first: Keys,
    head: Rows,
    cost_ms: Rows,
    root: Ints,
    root_key: Keys,
    bits: int,
    top: np.uint64,
) -> None:  # pragma: no cover
    """``buckets.spread`` with up to ``k`` keys a state, sorted and of different sources."""
    cost_bits, shift, width = _U(bits), _U(bits + bucket_bits(cost_ms)), _U(k)
    low, last = (_ONE << cost_bits) - _ONE, _U(k) - _ONE
    ring, mask, now, later, idle = np.zeros(BUCKETS, np.uint32), _U(BUCKETS - 1), _U(0), _U(0), 0
    entry, after, worth = np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint64)
    used, free, queued = _ONE, _U(0), 0
    begin, end, base = np.empty(BATCH + 1, np.uint64), np.empty(BATCH + 1, np.uint64), np.empty(BATCH + 1, np.uint64)
    to, key, m = root.astype(np.uint32), root_key.copy(), _U(len(root))
    if len(root) > 0:
        now = root_key.min() >> shift
    while True:
        if used + m > _U(len(entry)):
            entry, after, worth = longer(entry, m), longer(after, m), longer(worth, m)
        for i in range(m):
            if key[i] < top and _enlist(labels, _U(to[i]) * width, width, key[i], low):
                e = free if free != _U(0) else used
                if free != _U(0):
                    free = _U(after[e])
                else:
                    used += _ONE
                slot = (key[i] >> shift) & mask
                entry[e], worth[e], after[e] = to[i], key[i], ring[slot]
                ring[slot] = e
                queued += 1
        while queued > 0 and ring[now & mask] == 0:
            ring[now & mask], later = later, _U(0)
            now, idle = now + _ONE, idle + 1
        if queued == 0:
            return
        if idle > BUCKETS:
            now = soonest(ring, after, worth) >> shift
        e, taken, arcs, m = _U(ring[now & mask]), _U(0), _U(0), _U(0)
        while e != _U(0) and taken < _U(BATCH):
            state, reach, following = _U(entry[e]), worth[e], _U(after[e])
            if reach >> shift > now:
                after[e], later = later, e
            else:
                after[e], free, queued = free, e, queued - 1
                begin[taken], end[taken], base[taken] = first[state], first[state + _ONE], reach
                arcs += end[taken] - begin[taken]
                taken += _ONE if _listed(labels, state * width, width, reach) else _U(0)
            e = following
        ring[now & mask], idle = e, 0 if taken > _U(0) else idle
        if arcs + _ONE > _U(len(to)):
            to, key = np.empty(2 * (arcs + _ONE), np.uint32), np.empty(2 * (arcs + _ONE), np.uint64)
        for i in range(taken):
            for a in range(begin[i], end[i]):
                reach = base[i] + (_U(cost_ms[a]) << cost_bits)
                to[m], key[m] = head[a], reach
                m += _ONE if reach < labels[_U(head[a]) * width + last] and cost_ms[a] != CLOSED else _U(0)


@njit(cache=True, nogil=True)
def _enlist(labels: Keys, start: np.uint64, k: np.uint64, key: np.uint64, low: np.uint64) -> bool:  # pragma: no cover
    """Put a key into a state's sorted list; False when the list is full of better ones or has its source as near."""
    place, source = start + k - _ONE, key & low
    if key >= labels[place]:
        return False
    for at in range(start, start + k):
        if labels[at] & low == source:
            place = _U(at)
            break
    if labels[place] <= key:
        return False
    while place > start and labels[place - _ONE] > key:
        labels[place] = labels[place - _ONE]
        place -= _ONE
    labels[place] = key
    return True


@njit(cache=True, nogil=True)
def _listed(labels: Keys, start: np.uint64, k: np.uint64, key: np.uint64) -> bool:  # pragma: no cover
    """Whether a key still stands in a state's list."""
    found = False
    for at in range(start, start + k):
        found |= labels[at] == key
    return found


def matrix(
    graph: Graph,
    origins: Snaps,
    destinations: Snaps,
    *,
    origin_extra_s: Floats | None = None,
    destination_extra_s: Floats | None = None,
    max_s: float = np.inf,
) -> Floats:
    """Seconds from each origin to each destination, (origins, destinations); NaN where there is no way in ``max_s``.

    Rows and columns are the numbers in ``place``; of several rows of one place the best counts. The extra seconds
    (rows,) are added at each row. Two places on the same street are joined along it as well. Searched from the side
    with fewer places, two at a time, each until all places of the other side are final.
    """
    out = routing.roots(graph, origins, extra_s=origin_extra_s)
    into = routing.roots(graph.reverse, destinations, extra_s=destination_extra_s)
    shape = (_places(origins), _places(destinations))
    limit = _limit_ms(max_s)
    if shape[0] <= shape[1]:
        ms = _searched(graph, out, into, shape, limit)
    else:
        ms = _searched(graph.reverse, into, out, shape[::-1], limit).T.copy()
    row, column, along_ms = _along_own_street(graph, origins, destinations, origin_extra_s, destination_extra_s)
    np.minimum.at(ms, (row, column), along_ms)
    return np.where(ms > min(limit, int(NEVER) - 1), np.nan, ms / 1000.0)


def _places(snaps: Snaps) -> int:
    return int(snaps.place.max()) + 1 if len(snaps) else 0


def _searched(graph: Graph, starts: Roots, ends: Roots, shape: tuple[int, int], limit: int) -> Ints:
    """Milliseconds by way of states, ``NEVER`` where there is no path: the rows dealt out to the threads."""
    ms = np.full(shape, NEVER)
    order = np.argsort(starts.source, kind="stable")
    first = np.searchsorted(starts.source[order], np.arange(shape[0] + 1))
    root, root_key = starts.state[order], starts.cost_ms[order].astype(np.uint64)
    arcs = buckets.unsigned(graph.first, graph.head, graph.cost_ms)
    goal = (ends.state, ends.cost_ms, ends.source)

    def work(part: int) -> None:
        with _scratch(len(graph)) as (keys, touched):
            rows = np.arange(part, shape[0], THREADS)
            _fill(keys, *arcs, rows, first, root, root_key, buckets.ceiling(limit, 0), *goal, touched, ms)

    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))
    return ms


@njit(cache=True, nogil=True)
def _fill(
    keys: Keys,
    first: Keys,
    head: Rows,
    cost_ms: Rows,
    rows: Ints,
    root_first: Ints,
    root: Ints,
    root_key: Keys,
    top: np.uint64,
    end_state: Ints,
    end_ms: Ints,
    end_place: Ints,
    touched: Rows,
    ms: Ints,
) -> None:  # pragma: no cover
    """The named rows of the matrix, one search each; ``keys`` is left unreached as it came."""
    for row in rows:
        roots = slice(root_first[row], root_first[row + 1])
        count = spread(keys, first, head, cost_ms, root[roots], root_key[roots], 0, top, end_state, touched)
        for i in range(len(end_state)):
            key = keys[end_state[i]]
            if key != UNREACHED:
                ms[row, end_place[i]] = min(ms[row, end_place[i]], np.int64(key) + end_ms[i])
        for i in range(count):
            keys[_U(touched[i])] = UNREACHED


def _along_own_street(
    graph: Graph, origins: Snaps, destinations: Snaps, origin_extra_s: Floats | None, destination_extra_s: Floats | None
) -> tuple[Ints, Ints, Ints]:
    """Origin, destination and milliseconds of every pair on one street that may be walked from the one to the other."""
    pairs = _on_street(origins, origin_extra_s).merge(_on_street(destinations, destination_extra_s), on="edge")
    edge, gap_m = pairs["edge"].to_numpy(), (pairs["along_m_y"] - pairs["along_m_x"]).to_numpy()
    whole = np.where(gap_m >= 0, graph.forward_ms[edge], graph.backward_ms[edge])
    length_m = graph.length_m[edge]
    share = np.divide(np.abs(gap_m), length_m, out=np.zeros(len(edge)), where=length_m > 0)
    open_ = (whole < NEVER) | (gap_m == 0)
    part = np.rint(np.where(open_ & (share > 0), whole, 0) * share).astype(np.int64)
    ms = part + pairs["extra_ms_x"].to_numpy() + pairs["extra_ms_y"].to_numpy()
    return pairs["place_x"].to_numpy()[open_], pairs["place_y"].to_numpy()[open_], ms[open_]


def _on_street(snaps: Snaps, extra_s: Floats | None) -> pd.DataFrame:
    extra = np.zeros(len(snaps)) if extra_s is None else extra_s
    columns = {"edge": snaps.edge, "along_m": snaps.along_m, "place": snaps.place}
    return pd.DataFrame({**columns, "extra_ms": np.rint(extra * 1000).astype(np.int64)})[snaps.found]
