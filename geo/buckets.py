"""The kernel of ``routing``: a shortest-path forest grown with a bucket queue, compiled.

Nodes wait in a ring of buckets by cost, each bucket a doubly linked list, so that a node that gets cheaper moves
instead of being entered twice. A bucket spans ``width`` milliseconds; within it a node may be settled again when
a cheaper way turns up, so that the result is exact for any width. Ties go to the source with the smaller number.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]

NOTHING = -1
"""No node, no edge, no source, no path."""
NEVER = np.int64(2**62)
"""A cost no sum reaches: closed, or not reached."""
BUCKETS = 1 << 16
"""How many buckets the ring has: 256 kB, within a core's own cache."""


@njit(cache=True)
def grow(
    first: Ints,
    head: Int32s,
    cost_ms: Int32s,
    edge: Int32s,
    root: Ints,
    root_ms: Ints,
    root_source: Ints,
    root_edge: Ints,
    limit: np.int64,
    width: np.int64,
) -> tuple[Ints, Ints, Ints, Ints]:  # pragma: no cover
    """Cost, source, edge towards the source and next node of every node; ``NOTHING`` where no root reaches.

    Arcs of node ``n`` are ``first[n]:first[n + 1]``. A root enters at its node with its own cost; ``limit`` itself is
    within; no arc may cost more than ``(BUCKETS - 2) * width``.
    """
    n = len(first) - 1
    cost, source = np.full(n, NEVER, np.int64), np.full(n, NOTHING, np.int64)
    via, parent = np.full(n, NOTHING, np.int64), np.full(n, NOTHING, np.int64)
    ring, after, before = np.full(BUCKETS, NOTHING, np.int32), np.empty(n, np.int32), np.empty(n, np.int32)
    slot = np.full(n, NOTHING, np.int32)
    # Roots may lie farther apart than the ring is long: they wait in order until their bucket is in the ring.
    waiting = np.argsort(root_ms, kind="mergesort")
    entered, queued, now = 0, 0, np.int64(0)
    while queued > 0 or entered < len(waiting):
        if queued == 0:
            now = max(now, root_ms[waiting[entered]] // width)
        while entered < len(waiting) and root_ms[waiting[entered]] // width < now + BUCKETS - 1:
            r = waiting[entered]
            entered += 1
            if _better(cost, source, root[r], root_ms[r], root_source[r], limit):
                queued += _move(ring, after, before, slot, root[r], (root_ms[r] // width) % BUCKETS)
                cost[root[r]], source[root[r]] = root_ms[r], root_source[r]
                via[root[r]], parent[root[r]] = root_edge[r], NOTHING
        here = now % BUCKETS
        while ring[here] != NOTHING:
            node = ring[here]
            _unlink(ring, after, before, slot, node)
            queued -= 1
            for a in range(first[node], first[node + 1]):
                to, reach = head[a], cost[node] + cost_ms[a]
                if _better(cost, source, to, reach, source[node], limit):
                    queued += _move(ring, after, before, slot, to, (reach // width) % BUCKETS)
                    cost[to], source[to], via[to], parent[to] = reach, source[node], edge[a], node
        now += 1
    return np.where(cost == NEVER, NOTHING, cost), source, via, parent


@njit(cache=True)
def _better(
    cost: Ints, source: Ints, node: np.int64, reach: np.int64, by: np.int64, limit: np.int64
) -> bool:  # pragma: no cover
    """Whether a way of cost ``reach`` from source ``by`` beats what the node has."""
    return bool(reach <= limit and (reach < cost[node] or (reach == cost[node] and by < source[node])))


@njit(cache=True)
def _move(
    ring: Int32s, after: Int32s, before: Int32s, slot: Int32s, node: np.int64, to: np.int64
) -> int:  # pragma: no cover
    """Put the node at the head of a bucket, out of the one it waits in; 1 when it was not waiting, else 0."""
    new = slot[node] == NOTHING
    if not new:
        _unlink(ring, after, before, slot, node)
    after[node], before[node], slot[node] = ring[to], NOTHING, to
    if ring[to] != NOTHING:
        before[ring[to]] = node
    ring[to] = node
    return 1 if new else 0


@njit(cache=True)
def _unlink(ring: Int32s, after: Int32s, before: Int32s, slot: Int32s, node: np.int64) -> None:  # pragma: no cover
    """Take the node out of the bucket it waits in."""
    if before[node] == NOTHING:
        ring[slot[node]] = after[node]
    else:
        after[before[node]] = after[node]
    if after[node] != NOTHING:
        before[after[node]] = before[node]
    slot[node] = NOTHING


@njit(cache=True)
def pour(order: Ints, parent: Ints, via: Ints, at_node: Ints, carried: Ints) -> None:  # pragma: no cover
    """From the farthest node inwards hand everybody on to the next node, counting them on each edge; both in place."""
    for node in order:
        if via[node] >= 0:
            carried[via[node]] += at_node[node]
        if parent[node] >= 0:
            at_node[parent[node]] += at_node[node]
