"""The kernel of ``routing``: shortest-path forests grown with a bucket queue, compiled.

What a state has is one number, its *key*: milliseconds in the high bits, the source's number in the low ones. One
comparison then decides by cost and, of equals, for the smaller source; one sum passes both on. States wait in a ring
of buckets by cost (Dial), in entries that are left behind when a state gets cheaper and skipped when their turn comes.
A bucket spans about an eighth of a usual arc; within it a state may be settled again, so the result is exact for any
width, and many states can be taken at once.

Measured on two walking networks of 1.1 million states, 2.7 and 3.1 million arcs, 500 sources, in seconds: 0.26 and 0.33
with a doubly linked list and four records of 8 bytes a state; 0.16 and 0.19 with one key and left-behind entries;
0.12 and 0.14 when a bucket is worked off in plain loops (take out, look along all arcs, enter what is better), so that
the processor waits for the memory of many states at once; 0.065 and 0.075 with unsigned indices, which need no test for
counting from the end, and a look that keeps or overwrites instead of branching. Head and cost side by side would save
0.005 of that and cost a copy of the graph. Which arc led to a state is not noted on the way but found in one pass
afterwards (0.02), so that it does not depend on the order of events either. The large arrays are numpy's, which asks
the system for large pages; numba's own do not.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Keys = NDArray[np.uint64]
Rows = NDArray[np.uint32]

NOTHING = -1
"""No node, no edge, no source, no path."""
NEVER = np.int64(2**62)
"""A cost no sum reaches: closed, or not reached."""
CLOSED = np.int32(2**31 - 1)
"""The cost of an arc that is kept in its place but not to be used."""
UNREACHED = np.uint64(2**64 - 1)
"""The key of a state that no root has reached."""
CEILING = 2**62
"""No key of a state that is reached is as large."""
BUCKETS = 1 << 12
"""How many buckets the ring has: 16 kB, within a core's innermost cache. What lies farther waits for another round."""
BATCH = 1024
"""How many entries are taken out at once."""

_U = np.uint64
_ONE = np.uint64(1)
NO_TARGETS = np.zeros(0, dtype=np.int64)
"""No state that the search could stop at."""


def grow(
    first: Ints,
    head: Int32s,
    cost_ms: Int32s,
    edge: Int32s,
    root: Ints,
    root_ms: Ints,
    root_source: Ints,
    root_edge: Ints,
    limit: int | np.int64,
) -> tuple[Ints, Ints, Ints, Ints]:
    """Cost, source, edge towards the source and next state of every state; ``NOTHING`` where no root reaches.

    Arcs of state ``s`` are ``first[s]:first[s + 1]``. A root enters at its state with its own cost; ``limit``
    milliseconds are within. Of ways equally good a root's own goes first (the smaller edge), then the one from the
    smaller state, then by the smaller edge.
    """
    bits = source_bits(root_source)
    keys = np.full(len(first) - 1, UNREACHED)
    root_key, touched = keys_of(root_ms, root_source, bits), np.empty(len(keys) + 1, dtype=np.uint32)
    spread(keys, *unsigned(first, head, cost_ms), root, root_key, bits, ceiling(limit, bits), NO_TARGETS, touched)
    del touched
    via, parent = (np.full(len(keys), NOTHING, dtype=np.int64) for _ in range(2))
    trace(keys, *unsigned(first, head, cost_ms), edge, bits, via, parent)
    stand(keys, root, root_key, root_edge, via, parent)
    return *costs_and_sources(keys, bits), via, parent


def source_bits(*source: Ints) -> int:
    """How many low bits of a key the source numbers need."""
    return max((int(s.max()).bit_length() for s in source if len(s)), default=0)


def keys_of(cost_ms: Ints, source: Ints, bits: int) -> Keys:
    """Cost and source as one number; ``UNREACHED`` where the cost is -1."""
    keys = np.empty(cost_ms.shape, dtype=np.uint64)
    _join(cost_ms, source, bits, keys)
    return keys


def costs_and_sources(keys: Keys, bits: int) -> tuple[Ints, Ints]:
    """What keys say, as int64 milliseconds and source numbers of the same shape; ``NOTHING`` where not reached."""
    cost, source = np.empty(keys.shape, dtype=np.int64), np.empty(keys.shape, dtype=np.int64)
    _split(keys.reshape(-1), bits, cost.reshape(-1), source.reshape(-1))
    return cost, source


def ceiling(limit: int | np.int64, bits: int) -> np.uint64:
    """The smallest key beyond ``limit`` milliseconds."""
    return _U(min((int(limit) + 1) << bits, CEILING))


def unsigned(first: Ints, head: Int32s, cost_ms: Int32s) -> tuple[Keys, Rows, Rows]:
    """The same arrays as the kernels want them, nothing copied."""
    return first.view(np.uint64), head.view(np.uint32), cost_ms.view(np.uint32)


@njit(cache=True, nogil=True)
def spread(
    keys: Keys,
    first: Keys,
    head: Rows,
    cost_ms: Rows,
    root: Ints,
    root_key: Keys,
    bits: int,
    top: np.uint64,
    targets: Ints,
    touched: Rows,
) -> np.uint64:  # pragma: no cover
    """Lower ``keys`` (states,) in place until no root and no arc can better one to below ``top``.

    Stops earlier once every one of ``targets`` is final, if there are any. ``touched`` (states + 1,) receives the
    states that were unreached before; how many, is returned. In time proportional to what is reached.
    """
    cost_bits, shift = _U(bits), _U(bits + bucket_bits(cost_ms))
    ring, mask, now, later, idle = np.zeros(BUCKETS, np.uint32), _U(BUCKETS - 1), _U(0), _U(0), 0
    entry, after, worth = np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint32), np.empty(BATCH, np.uint64)
    used, free, queued, count, met = _ONE, _U(0), 0, _U(0), 0
    begin, end, base = (np.empty(BATCH + 1, np.uint64), np.empty(BATCH + 1, np.uint64), np.empty(BATCH + 1, np.uint64))
    # What is to be entered, with one place more than needed: what comes behind the last is overwritten.
    to, key, m = root.astype(np.uint32), root_key.copy(), _U(len(root))
    if len(root) > 0:
        now = root_key.min() >> shift
    while True:
        if used + m > _U(len(entry)):
            entry, after, worth = longer(entry, m), longer(after, m), longer(worth, m)
        for i in range(m):
            state, k = _U(to[i]), key[i]
            if k < keys[state] and k < top:
                touched[count] = state
                count += _ONE if keys[state] == UNREACHED else _U(0)
                keys[state] = k
                e = free if free != _U(0) else used
                if free != _U(0):
                    free = _U(after[e])
                else:
                    used += _ONE
                slot = (k >> shift) & mask
                entry[e], worth[e], after[e] = state, k, ring[slot]
                ring[slot] = e
                queued += 1
        while queued > 0 and ring[now & mask] == 0:
            ring[now & mask], later = later, _U(0)
            now, idle = now + _ONE, idle + 1
            while met < len(targets) and keys[targets[met]] >> shift < now:
                met += 1
        if queued == 0 or met == len(targets) > 0:
            return count
        if idle > BUCKETS:
            now = soonest(ring, after, worth) >> shift
        e, taken, arcs, m = _U(ring[now & mask]), _U(0), _U(0), _U(0)
        while e != _U(0) and taken < _U(BATCH):
            state, k, following = _U(entry[e]), worth[e], _U(after[e])
            if k >> shift > now:
                after[e], later = later, e
            else:
                after[e], free, queued = free, e, queued - 1
                begin[taken], end[taken], base[taken] = first[state], first[state + _ONE], k
                arcs += end[taken] - begin[taken]
                taken += _ONE if keys[state] == k else _U(0)
            e = following
        ring[now & mask], idle = e, 0 if taken > _U(0) else idle
        if arcs + _ONE > _U(len(to)):
            to, key = np.empty(2 * (arcs + _ONE), np.uint32), np.empty(2 * (arcs + _ONE), np.uint64)
        for i in range(taken):
            for a in range(begin[i], end[i]):
                k = base[i] + (_U(cost_ms[a]) << cost_bits)
                to[m], key[m] = head[a], k
                m += _ONE if k < keys[_U(head[a])] and cost_ms[a] != CLOSED else _U(0)


@njit(cache=True, nogil=True)
def longer(values: NDArray[Any], more: np.uint64) -> NDArray[Any]:  # pragma: no cover
    """The same values in an array with at least ``more`` places more."""
    out = np.empty(2 * len(values) + int(more), values.dtype)
    out[: len(values)] = values
    return out


@njit(cache=True, nogil=True)
def soonest(ring: Rows, after: Rows, worth: Keys) -> np.uint64:  # pragma: no cover
    """The smallest key that waits: where to go on when a whole round of the ring brought nothing."""
    least = UNREACHED
    for slot in range(len(ring)):
        e = _U(ring[slot])
        while e != _U(0):
            least, e = min(least, worth[e]), _U(after[e])
    return least


@njit(cache=True, nogil=True)
def bucket_bits(cost_ms: Rows) -> int:  # pragma: no cover
    """How many bits of a cost a bucket leaves out: an eighth of the geometric mean of 64 arcs, spread evenly."""
    step, total, n = max(1, len(cost_ms) // 64), 0.0, 0
    for a in range(0, len(cost_ms), step):
        if cost_ms[a] != CLOSED:
            total, n = total + np.log2(cost_ms[a]), n + 1
    return max(0, int(total / n) - 3) if n else 0


@njit(cache=True, nogil=True)
def trace(
    keys: Keys, first: Keys, head: Rows, cost_ms: Rows, edge: Int32s, bits: int, via: Ints, parent: Ints
) -> None:  # pragma: no cover
    """Find the arc that leads to each state, from the smallest state and by the smallest edge; both in place."""
    for tail in range(_U(len(keys))):
        if keys[tail] == UNREACHED:
            continue
        for a in range(first[tail], first[tail + _ONE]):
            state = _U(head[a])
            exact = keys[tail] + (_U(cost_ms[a]) << _U(bits)) == keys[state] and cost_ms[a] != CLOSED
            if exact and (parent[state] < 0 or (parent[state] == np.int64(tail) and edge[a] < via[state])):
                parent[state], via[state] = tail, edge[a]


@njit(cache=True, nogil=True)
def stand(keys: Keys, root: Ints, root_key: Keys, root_edge: Ints, via: Ints, parent: Ints) -> None:  # pragma: no cover
    """Let the states where a root itself is the best way be roots: no parent, the root's edge; both in place."""
    # Of several at one state the smallest edge: first all are taken off the tree, then the edges compared.
    for r in range(len(root)):
        if keys[root[r]] == root_key[r]:
            parent[root[r]], via[root[r]] = NOTHING, CLOSED
    for r in range(len(root)):
        if keys[root[r]] == root_key[r]:
            via[root[r]] = min(via[root[r]], root_edge[r])


@njit(cache=True, nogil=True)
def _join(cost_ms: Ints, source: Ints, bits: int, keys: Keys) -> None:  # pragma: no cover
    """Cost and source into one number; a cost too large for it becomes one beyond every limit."""
    largest = CEILING >> bits
    for i in range(len(keys)):
        cost = _U(min(cost_ms[i], largest))
        keys[i] = (cost << _U(bits)) | _U(source[i]) if cost_ms[i] >= 0 else UNREACHED


@njit(cache=True, nogil=True)
def _split(keys: Keys, bits: int, cost_ms: Ints, source: Ints) -> None:  # pragma: no cover
    """One number into cost and source."""
    low = (_ONE << _U(bits)) - _ONE
    for i in range(len(keys)):
        reached = keys[i] != UNREACHED
        cost_ms[i] = np.int64(keys[i] >> _U(bits)) if reached else NOTHING
        source[i] = np.int64(keys[i] & low) if reached else NOTHING
