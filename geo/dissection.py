"""In which order to contract the nodes of a network: nested dissection along its narrow places.

Where few nodes part a city in two, they are contracted last: no shortcut then leads from one part to the other. The
narrow place is found by inertial flow (A. Schild and C. Sommer, doi:10.1007/978-3-319-20086-6_22): sort the nodes
along a line, hold the first and the last 30 % apart by a maximum flow (E. A. Dinic's, over streets of capacity
one), take its minimum cut, keep the best over several lines, and go on in both parts. Nodes with one or two
neighbours need no such care and are contracted first. Everything is decided by numbers and positions alone: the same
network gives the same order.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Int8s = NDArray[np.int8]
Floats = NDArray[np.float64]

LINES = 4
"""How many directions are tried: every 45 degrees."""
SHORE = 0.3
"""Share of the nodes at either end of a line that the cut must keep apart."""
NEAR, FAR, BETWEEN = 0, 1, 2
"""Where a node lies after a cut: in the one part, in the other, or on the narrow place itself."""


def dissect(first: Ints, head: Int32s, x: Floats, y: Floats) -> Ints:
    """The nodes in the order in which to contract them, (nodes,).

    Arcs of node ``n`` are ``first[n]:first[n + 1]`` to ``head``; their direction and number do not count. ``x`` and
    ``y`` (nodes,) are in metres or any other unit; several nodes may share a place.
    """
    start, near = neighbours(first, head)
    peeled, near, size = _peel(start, near)
    kept = np.flatnonzero(size >= 0)
    core = _core(start, near, size, kept)
    angle = np.arange(LINES) * np.pi / LINES
    # Rounded to a thousandth: what is left of a float below that is no place, and ties go to the smaller number.
    sorted_ = [np.argsort(np.round(np.cos(a) * x[kept] + np.sin(a) * y[kept], 3), kind="stable") for a in angle]
    lines = np.array(sorted_, dtype=np.int32)
    _nest(core, lines)
    return np.concatenate([peeled, kept[lines[0]]], dtype=np.int64)


def neighbours(first: Ints, head: Int32s) -> tuple[Ints, Int32s]:
    """Who is joined to whom in either direction: of node ``n``, ``near[start[n]:start[n + 1]]``, ascending."""
    n = len(first) - 1
    tail = np.repeat(np.arange(n), np.diff(first))
    low, high = np.minimum(tail, head), np.maximum(tail, head)
    pair = np.unique((low * n + high)[low < high])
    low, high = np.divmod(pair, max(n, 1))
    tails, heads = np.r_[low, high], np.r_[high, low]
    start = np.r_[0, np.cumsum(np.bincount(tails, minlength=n))].astype(np.int64)
    return start, heads[np.lexsort((heads, tails))].astype(np.int32)


class Core(NamedTuple):
    """Who is near whom in compressed rows; ``back`` is the position of the same pair seen from the other side."""

    start: Ints
    near: Int32s
    back: Int32s


class Marks(NamedTuple):
    """Scratch of the search: per node cell, shore, level and next arc to try; per arc its flow; two lists."""

    cell: Int32s
    shore: Int8s
    level: Int32s
    turn: Ints
    flow: Int8s
    queue: Int32s
    path: Int32s


def _core(start: Ints, near: Int32s, size: Int32s, kept: Ints) -> Core:
    """What is left after peeling, numbered anew."""
    sizes = size[kept].astype(np.int64)
    begin = np.r_[0, np.cumsum(sizes)].astype(np.int64)
    number = np.zeros(len(size), dtype=np.int32)
    number[kept] = np.arange(len(kept), dtype=np.int32)
    tail = np.repeat(np.arange(len(kept)), sizes)
    heads = number[near[np.arange(begin[-1]) - np.repeat(begin[:-1] - start[kept], sizes)]]
    order = np.lexsort((heads, tail))
    back = np.empty(len(order), dtype=np.int32)
    back[np.lexsort((tail, heads[order]))] = np.arange(len(order), dtype=np.int32)
    return Core(begin, heads[order], back)


# -- nodes with one or two neighbours ---------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _peel(start: Ints, near: Int32s) -> tuple[Int32s, Int32s, Int32s]:  # pragma: no cover
    """Contract nodes with at most two neighbours, in rounds of nodes that do not touch, until there are none.

    Returns them in order, the neighbours that then are left, and how many each node has (-1: contracted). Going in
    rounds keeps the hierarchy low: of a long chain half goes in each round.
    """
    n = len(start) - 1
    near, size = near.copy(), (start[1:] - start[:-1]).astype(np.int32)
    order, done, turn = np.empty(n, np.int32), 0, 0
    touched, queued = np.full(n, -1, np.int32), np.full(n, -1, np.int32)
    waiting = np.flatnonzero(size <= 2).astype(np.int32)
    while len(waiting) > 0:
        later, count = np.empty(3 * len(waiting), np.int32), 0
        for v in waiting:
            if touched[v] == turn:
                if queued[v] != turn:
                    queued[v], later[count] = turn, v
                    count += 1
                continue
            order[done] = v
            done += 1
            for i in range(size[v]):
                u = near[start[v] + i]
                _swap(start, near, size, u, v, near[start[v] + 1 - i] if size[v] == 2 else np.int32(-1))
                touched[u] = turn
                if size[u] <= 2 and queued[u] != turn:
                    queued[u], later[count] = turn, u
                    count += 1
            size[v] = -1
        waiting, turn = later[:count], turn + 1
    return order[:done], near, size


@njit(cache=True, nogil=True)
def _swap(
    start: Ints, near: Int32s, size: Int32s, u: np.int32, gone: np.int32, other: np.int32
) -> None:  # pragma: no cover
    """Among the neighbours of ``u`` put ``other`` in the place of ``gone``, unless it is there already or is -1."""
    at, known = start[u], bool(other < 0)
    for i in range(start[u], start[u] + size[u]):
        if near[i] == gone:
            at = i
        elif near[i] == other:
            known = True
    if known:
        size[u] -= 1
        near[at] = near[start[u] + size[u]]
    else:
        near[at] = other


# -- narrow places ----------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _nest(core: Core, lines: Int32s) -> None:  # pragma: no cover
    """Bring each of ``lines`` (lines, nodes), the nodes sorted along it, into an order of contraction, in place.

    A cell is the range ``low:high`` of every line. Cutting it sorts each line's range into near part, far part and
    narrow place, all else in the order it was: so each part is a cell again, and places in the end are ranks.
    """
    n = lines.shape[1]
    marks = Marks(
        np.zeros(n, np.int32),
        np.zeros(n, np.int8),
        np.full(n, -1, np.int32),
        np.zeros(n, np.int64),
        np.zeros(len(core.near), np.int8),
        np.empty(n, np.int32),
        np.empty(n, np.int32),
    )
    label, sorted_ = np.zeros(n, np.int8), np.empty(n, np.int32)
    cells = [(0, n)]
    while len(cells) > 0:
        low, high = cells.pop()
        if high - low <= 2:
            continue
        best, far, between = np.inf, 0, 0
        for d in range(len(lines)):
            best = _cut(core, marks, lines[d, low:high], np.int32(low), best, label)
        for d in range(len(lines)):
            far, between = _sort(lines[d, low:high], label, sorted_)
        for i in range(low, high):
            v = lines[0, i]
            marks.cell[v] = low if i < low + far else low + far if i < low + between else -1
        cells.append((low, low + far))
        cells.append((low + far, low + between))


@njit(cache=True, nogil=True)
def _sort(line: Int32s, label: Int8s, sorted_: Int32s) -> tuple[int, int]:  # pragma: no cover
    """Sort a line by label, stable, in place; where the far part and the narrow place begin."""
    far = between = 0
    for v in line:
        far += label[v] == NEAR
        between += label[v] != BETWEEN
    at = np.array([0, far, between])
    for v in line:
        sorted_[at[label[v]]] = v
        at[label[v]] += 1
    line[:] = sorted_[: len(line)]
    return far, between


@njit(cache=True, nogil=True)
def _cut(
    core: Core, marks: Marks, line: Int32s, cell: np.int32, best: float, label: Int8s
) -> float:  # pragma: no cover
    """Cut a cell across one line; when the cut is better than ``best``, write ``label`` and return its score."""
    m = len(line)
    shore = max(1, int(SHORE * m))
    for i in range(m):
        v = line[i]
        marks.shore[v] = NEAR if i < shore else FAR if i >= m - shore else BETWEEN
        marks.flow[core.start[v] : core.start[v + 1]] = 0
    seeds = _seeds(core, marks, line[:shore], cell, NEAR)
    flow = 0
    while _reach(core, marks, line, seeds, cell, NEAR):
        flow += _fill(core, marks, seeds, cell)
        if flow > best * m / 2:
            return best
    best = _judge(core, marks, line, cell, NEAR, best, label)
    _reach(core, marks, line, _seeds(core, marks, line[m - shore :], cell, FAR), cell, FAR)
    return _judge(core, marks, line, cell, FAR, best, label)


@njit(cache=True, nogil=True)
def _seeds(core: Core, marks: Marks, side: Int32s, cell: np.int32, shore: int) -> Int32s:  # pragma: no cover
    """The nodes of a shore that have neighbours off it."""
    found, count = np.empty(len(side), np.int32), 0
    for v in side:
        for a in range(core.start[v], core.start[v + 1]):
            if marks.cell[core.near[a]] == cell and marks.shore[core.near[a]] != shore:
                found[count] = v
                count += 1
                break
    return found[:count]


@njit(cache=True, nogil=True)
def _reach(
    core: Core, marks: Marks, line: Int32s, seeds: Int32s, cell: np.int32, shore: int
) -> bool:  # pragma: no cover
    """Level of each node by arcs that still take flow, from one shore until the other; whether it was found."""
    for v in line:
        marks.level[v], marks.turn[v] = -1, core.start[v]
    marks.level[seeds], marks.queue[: len(seeds)] = 0, seeds
    done, count, last = 0, len(seeds), len(line)
    sign = 1 if shore == NEAR else -1
    while done < count and marks.level[marks.queue[done]] < last:
        u = marks.queue[done]
        done += 1
        for a in range(core.start[u], core.start[u + 1]):
            v = core.near[a]
            if marks.cell[v] == cell and marks.level[v] < 0 and marks.shore[v] != shore and sign * marks.flow[a] < 1:
                marks.level[v] = marks.level[u] + 1
                if marks.shore[v] == BETWEEN:
                    marks.queue[count] = v
                    count += 1
                else:
                    last = marks.level[v]
    return last < len(line)


@njit(cache=True, nogil=True)
def _fill(core: Core, marks: Marks, seeds: Int32s, cell: np.int32) -> int:  # pragma: no cover
    """Send flow along rising levels until no more goes; how much went."""
    sent = 0
    for seed in seeds:
        u, depth = seed, 0
        while marks.turn[seed] < core.start[seed + 1]:
            a = marks.turn[u]
            if a == core.start[u + 1]:
                depth -= 1
                u = core.near[core.back[marks.path[depth]]]
                marks.turn[u] += 1
                continue
            v = core.near[a]
            if marks.cell[v] != cell or marks.level[v] != marks.level[u] + 1 or marks.flow[a] > 0:
                marks.turn[u] += 1
                continue
            marks.path[depth] = a
            u, depth = v, depth + 1
            if marks.shore[v] == FAR:
                for b in marks.path[:depth]:
                    marks.flow[b] += 1
                    marks.flow[core.back[b]] -= 1
                u, depth, sent = seed, 0, sent + 1
    return sent


@njit(cache=True, nogil=True)
def _judge(
    core: Core, marks: Marks, line: Int32s, cell: np.int32, shore: int, best: float, label: Int8s
) -> float:  # pragma: no cover
    """Label the cell by what is reached from a shore, the narrow place on the side where it has fewer nodes."""
    inside, edge_in, edge_out = 0, 0, 0
    for v in line:
        within = marks.level[v] >= 0 or marks.shore[v] == shore
        inside += within
        if _borders(core, marks, v, cell, shore):
            edge_in += within
            edge_out += not within
    outside = len(line) - inside
    inner = edge_in < edge_out or (edge_in == edge_out and inside > outside)
    inside, outside = (inside - edge_in, outside) if inner else (inside, outside - edge_out)
    score = min(edge_in, edge_out) / max(min(inside, outside), 0.5)
    if score < best:
        for v in line:
            within = marks.level[v] >= 0 or marks.shore[v] == shore
            on_edge = within == inner and _borders(core, marks, v, cell, shore)
            label[v] = BETWEEN if on_edge else NEAR if within else FAR
        return score
    return best


@njit(cache=True, nogil=True)
def _borders(core: Core, marks: Marks, v: np.int32, cell: np.int32, shore: int) -> bool:  # pragma: no cover
    """Whether a node has a neighbour in its cell on the other side of the cut."""
    within = marks.level[v] >= 0 or marks.shore[v] == shore
    for a in range(core.start[v], core.start[v + 1]):
        u = core.near[a]
        if marks.cell[u] == cell and (marks.level[u] >= 0 or marks.shore[u] == shore) != within:
            return True
    return False
