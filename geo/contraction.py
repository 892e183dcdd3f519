"""The kernels of ``hierarchy``: contraction without weights, then weights by triangles, compiled.

States are contracted one by one in their order; whoever a contracted state is joined to is joined to each other, so
that no way is lost. The result is a chordal graph: its *elimination tree* has as parent of each rank the lowest of
the higher ranks it is joined to, and all of those are its ancestors (J. Dibbelt, B. Strasser, D. Wagner,
doi:10.1145/2886843).
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]

NOTHING = -1
"""No state, no source, no path."""
NEVER = np.int64(2**61)
"""A cost no path has; twice that is still a number."""


@njit(cache=True, nogil=True)
def parents(start: Ints, near: Int32s, state: Ints, rank: Int32s) -> Ints:  # pragma: no cover
    """The parent of each rank in the elimination tree, -1 at a root (J. W. H. Liu, doi:10.1137/0611010)."""
    n = len(state)
    parent, ancestor = np.full(n, NOTHING, np.int64), np.full(n, NOTHING, np.int64)
    for r in range(n):
        for a in range(start[state[r]], start[state[r] + 1]):
            low = np.int64(rank[near[a]])
            while low < r and ancestor[low] != r:
                above = ancestor[low]
                ancestor[low] = r
                if above == NOTHING:
                    parent[low] = r
                    break
                low = above
    return parent


@njit(cache=True, nogil=True)
def branches(parent: Ints) -> Ints:  # pragma: no cover
    """The ranks such that each branch is in one piece and below its root: depth first, from the last to the first."""
    n = len(parent)
    child, sibling = np.full(n + 1, NOTHING, np.int64), np.full(n, NOTHING, np.int64)
    for r in range(n):
        sibling[r], child[parent[r]] = child[parent[r]], r  # roots hang on the last place, which is also -1
    post, place, waiting, count = np.empty(n, np.int64), n, np.empty(n, np.int64), 0
    at = child[n]
    while at != NOTHING or count > 0:
        if at == NOTHING:
            count -= 1
            at = waiting[count]
        place -= 1
        post[place] = at
        if sibling[at] != NOTHING:
            waiting[count] = sibling[at]
            count += 1
        at = child[at]
    return post


@njit(cache=True, nogil=True)
def depths(parent: Ints) -> Int32s:  # pragma: no cover
    """How many ancestors each rank has."""
    depth = np.zeros(len(parent), np.int32)
    for r in range(len(parent) - 1, -1, -1):
        if parent[r] != NOTHING:
            depth[r] = depth[parent[r]] + 1
    return depth


@njit(cache=True, nogil=True)
def contract(
    start: Ints, near: Int32s, state: Ints, rank: Int32s, parent: Ints
) -> tuple[Ints, Int32s]:  # pragma: no cover
    """Of each rank the higher ranks it is joined to once all below are contracted, in compressed rows, unsorted.

    They are its own neighbours and those of its children, without itself.
    """
    n = len(state)
    child, sibling = np.full(n + 1, NOTHING, np.int64), np.full(n, NOTHING, np.int64)
    first, head, seen = np.zeros(n + 1, np.int64), np.empty(2 * len(near) + 16, np.int32), np.full(n, -1, np.int64)
    for r in range(n):
        count, seen[r] = first[r], r
        for a in range(start[state[r]], start[state[r] + 1]):
            h = rank[near[a]]
            if h > r:
                seen[h] = r
                if count == len(head):
                    head = np.append(head, np.empty_like(head))
                head[count] = h
                count += 1
        c = child[r]
        while c != NOTHING:
            for a in range(first[c], first[c + 1]):
                h = head[a]
                if seen[h] != r:
                    seen[h] = r
                    if count == len(head):
                        head = np.append(head, np.empty_like(head))
                    head[count] = h
                    count += 1
            c = sibling[c]
        first[r + 1] = count
        if parent[r] != NOTHING:
            sibling[r], child[parent[r]] = child[parent[r]], r
    return first, head[: first[n]].copy()


@njit(cache=True, nogil=True)
def rows(first: Ints, head: Int32s) -> tuple[Ints, Int32s, Ints, Int32s, Int32s]:  # pragma: no cover
    """The rows sorted, and the same arcs by their upper end: the last five columns of an ``Order``."""
    n = len(first) - 1
    low_first, low_tail, low_arc = np.zeros(n + 1, np.int64), np.empty_like(head), np.empty_like(head)
    for h in head:
        low_first[h + 1] += 1
    low_first = np.cumsum(low_first)
    at = low_first[:-1].copy()
    for r in range(n):
        for a in range(first[r], first[r + 1]):
            low_tail[at[head[a]]] = r
            at[head[a]] += 1
    sorted_, at = np.empty_like(head), first[:-1].copy()
    for r in range(n):
        for j in range(low_first[r], low_first[r + 1]):
            tail = low_tail[j]
            sorted_[at[tail]], low_arc[j] = r, at[tail]
            at[tail] += 1
    return first, sorted_, low_first, low_arc, low_tail


# -- weights ----------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def weigh(
    rank: Int32s, up_first: Ints, up_head: Int32s, first: Ints, head: Int32s, cost_ms: Int32s, up: Ints, down: Ints
) -> int:  # pragma: no cover
    """Enter each arc's cost where it climbs or falls; how many open arcs have no place."""
    strange = 0
    for s in range(len(rank)):
        for a in range(first[s], first[s + 1]):
            r, h = rank[s], rank[head[a]]
            if r == h or cost_ms[a] < 0:
                continue
            low, high = min(r, h), max(r, h)
            at, end = up_first[low], up_first[low + 1]
            while at < end and up_head[at] < high:
                at += 1
            if at == end or up_head[at] != high:
                strange += 1
            elif r < h:
                up[at] = min(up[at], cost_ms[a])
            else:
                down[at] = min(down[at], cost_ms[a])
    return strange


@njit(cache=True, nogil=True)
def relax(
    first: Ints, head: Int32s, low_first: Ints, low_arc: Int32s, low_tail: Int32s, up: Ints, down: Ints
) -> None:  # pragma: no cover
    """Let every arc be as cheap as the two sides of each triangle below it, from the lowest rank up, in place."""
    place = np.empty(len(first) - 1, np.int64)
    for r in range(len(first) - 1):
        for a in range(first[r], first[r + 1]):
            place[head[a]] = a
        for j in range(low_first[r], low_first[r + 1]):
            side = low_arc[j]
            rise, fall = up[side], down[side]
            if rise >= NEVER and fall >= NEVER:
                continue
            for b in range(side + 1, first[low_tail[j] + 1]):
                a = place[head[b]]
                up[a] = min(up[a], fall + up[b])
                down[a] = min(down[a], rise + down[b])
