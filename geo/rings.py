"""From claimed ground to polygons: its border traced, steps softened, holes given to what they lie in.

Coordinates are fine cells, as in ``geo.cells``. Rings turn left round claimed ground (holes turn right); no ring meets
itself, two may meet in a point.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geo.cells import ABOVE, BARRIER, FINE, GROUND, NONE, OTHER, WHOLE, Cells, Floats, Ints

Claim = NDArray[np.int32]

_STEP_ROW, _STEP_COL = np.array([0, 1, 0, -1]), np.array([1, 0, -1, 0])
"""Ways: east, north, west, south."""
_LEFT_ROW, _LEFT_COL = np.array([0, 0, -1, -1]), np.array([0, -1, -1, 0])
"""The cell ahead to the left of a vertex, by way; ahead to the right it is that of the way before."""


@dataclass(frozen=True, eq=False)
class Ground:
    """Claimed ground: ``claim`` (rows, cols) is ``NONE``, ``WHOLE`` or the row of ``fine`` (refined, FINE, FINE).

    ``touch`` and ``fine_touch`` are the bits of what touches the cells and fine cells.
    """

    claim: Claim
    fine: Cells
    touch: Cells
    fine_touch: Cells


@dataclass(frozen=True, eq=False)
class Rings:
    """Rings, not closed: vertices ``xy`` (vertices, 2), ring ``i`` from ``start[i]`` to ``start[i + 1]``."""

    xy: Floats
    start: Ints

    def __len__(self) -> int:
        return len(self.start) - 1

    def __repr__(self) -> str:
        return f"Rings({len(self)} rings of {len(self.xy)} vertices)"


def trace(ground: Ground) -> Rings:
    """The rings round claimed ground.

    Corners are cut where no reached street touches the cell, and filled where neither another street nor a barrier
    does: half a cell where only whole cells meet, half a fine cell elsewhere.
    """
    sides = _count_sides(ground.claim, ground.fine)
    xy, start = np.empty((3 * sides, 2)), np.zeros(sides + 1, dtype=np.int64)
    rings = _trace(ground.claim, ground.fine, ground.touch, ground.fine_touch, xy, start)
    return Rings(xy[: start[rings]], start[: rings + 1])


def polygon(rings: Rings) -> shapely.MultiPolygon:
    """All rings as one shape; a hole belongs to the smallest ring round it."""
    x, y = rings.xy.T
    following = np.arange(1, len(x) + 1)
    following[rings.start[1:] - 1] = rings.start[:-1]
    twice = x * y[following] - x[following] * y
    area = np.add.reduceat(twice, rings.start[:-1]) / 2 if len(rings) else np.zeros(0)
    part = _owners(rings.xy, rings.start, area)
    order = np.lexsort((area < 0, part))
    size = np.diff(rings.start)[order] + 1
    ends = np.r_[0, np.cumsum(size)]
    vertex = np.arange(ends[-1]) - np.repeat(ends[:-1] - rings.start[:-1][order], size)
    vertex[ends[1:] - 1] = rings.start[:-1][order]
    outline = np.r_[np.flatnonzero(area[order] > 0), len(order)]
    parts = shapely.from_ragged_array(shapely.GeometryType.POLYGON, rings.xy[vertex], (ends, outline))
    return shapely.MultiPolygon(list(parts))


@njit(cache=True, nogil=True)
def _is(claim: Claim, fine: Cells, row: int, col: int) -> bool:  # pragma: no cover
    """Whether a fine cell is claimed."""
    i = claim[row // FINE, col // FINE]
    return bool(i == WHOLE or (i >= 0 and fine[i, row % FINE, col % FINE] != 0))


@njit(cache=True, nogil=True)
def _count_sides(claim: Claim, fine: Cells) -> int:  # pragma: no cover
    """More than the sides between claimed and other ground, counted whole where only whole cells meet."""
    sides = 0
    for r in range(1, claim.shape[0]):
        for c in range(1, claim.shape[1]):
            here, below, left = claim[r, c], claim[r - 1, c], claim[r, c - 1]
            if here >= 0:
                sides += _fine_sides(fine[here])
            sides += (here != below) * (FINE if max(here, below) >= 0 else 1)
            sides += (here != left) * (FINE if max(here, left) >= 0 else 1)
    return sides


@njit(cache=True, nogil=True)
def _fine_sides(fine: Cells) -> int:  # pragma: no cover
    sides = 0
    for y in range(FINE):
        for x in range(FINE):
            sides += (y > 0 and fine[y, x] != fine[y - 1, x]) + (x > 0 and fine[y, x] != fine[y, x - 1])
    return sides


@njit(cache=True, nogil=True)
def _trace(
    claim: Claim, fine: Cells, touch: Cells, fine_touch: Cells, xy: Floats, start: Ints
) -> int:  # pragma: no cover
    """Every ring has a side with other ground to the south: begin there, unless a ring came along before."""
    rings = 0
    done, fine_done = np.zeros(claim.shape, dtype=np.uint8), np.zeros(fine.shape[:2], dtype=np.uint8)
    line, met = np.empty((len(xy), 2)), np.empty((len(start), 2), dtype=np.int64)
    for r in range(1, claim.shape[0]):
        for c in range(1, claim.shape[1]):
            i = claim[r, c]
            if i == NONE or (i == WHOLE and claim[r - 1, c] == WHOLE):
                continue
            for y in range(FINE if i >= 0 else 1):
                for x in range(FINE):
                    row, col = r * FINE + y, c * FINE + x
                    if (fine_done[i, y] if i >= 0 else done[r, c]) >> x & 1 or not _is(claim, fine, row, col):
                        continue
                    if not _is(claim, fine, row - 1, col):
                        rings = _walk(
                            claim, fine, touch, fine_touch, row, col, done, fine_done, line, met, xy, start, rings
                        )
    return rings


@njit(cache=True, nogil=True)
def _walk(
    claim: Claim, fine: Cells, touch: Cells, fine_touch: Cells, row: int, col: int, done: Cells, fine_done: Cells,
    line: Floats, met: Ints, xy: Floats, start: Ints, rings: int,
) -> int:  # fmt: skip  # pragma: no cover
    """Round with the claim to the left; where the way meets itself in a corner, the loop is a ring of its own."""
    r, c, way, n, meets = row, col, 0, 0, 0
    while True:
        if way == 0:
            i = claim[r // FINE, c // FINE]
            if i >= 0:
                fine_done[i, r % FINE] |= 1 << c % FINE
            else:
                done[r // FINE, c // FINE] |= 1 << c % FINE
        r, c = r + _STEP_ROW[way], c + _STEP_COL[way]
        left, right, back = (way + 1) % 4, (way + 3) % 4, (way + 2) % 4
        crossed = _is(claim, fine, r + _LEFT_ROW[right], c + _LEFT_COL[right])
        if not _is(claim, fine, r + _LEFT_ROW[way], c + _LEFT_COL[way]):
            turn, keeps = left, GROUND | ABOVE
            cell = left
        elif crossed:
            turn, keeps = right, OTHER | BARRIER
            cell = back
        else:
            continue
        cut = _chamfer(claim, touch, fine_touch, r, c, r + _LEFT_ROW[cell], c + _LEFT_COL[cell], keeps)
        if cut == 0:
            if turn == left and crossed:
                n, meets, rings = _meet(r * claim.shape[1] * FINE + c, line, n, met, meets, xy, start, rings)
            n = _put(line, n, float(c), float(r))
        else:
            n = _put(line, n, c - cut * _STEP_COL[way], r - cut * _STEP_ROW[way])
            n = _put(line, n, c + cut * _STEP_COL[turn], r + cut * _STEP_ROW[turn])
        way = turn
        if r == row and c == col and way == 0:
            return _ring(line, 0, n, xy, start, rings)


@njit(cache=True, nogil=True)
def _chamfer(
    claim: Claim, touch: Cells, fine_touch: Cells, r: int, c: int, row: int, col: int, keeps: int
) -> float:  # pragma: no cover
    """How much the corner at vertex ``r, c`` gives way in the fine cell ``row, col``; 0 where something keeps it."""
    i = claim[row // FINE, col // FINE]
    if (fine_touch[i, row % FINE, col % FINE] if i >= 0 else touch[row // FINE, col // FINE]) & keeps:
        return 0.0
    if i >= 0 or r % FINE or c % FINE:
        return 0.5
    # Half a cell only where the other three cells at the corner are whole and all alike, so that nothing is in the way.
    alike = 0
    for up in range(-1, 1):
        for over in range(-1, 1):
            other = claim[r // FINE + up, c // FINE + over]
            alike += other == (NONE if i == WHOLE else WHOLE)
    return FINE / 2 if alike == 3 else 0.5


@njit(cache=True, nogil=True)
def _put(line: Floats, n: int, col: float, row: float) -> int:  # pragma: no cover
    """Add a vertex, unless it repeats the last one; drop the last one if it lies straight on the way."""
    if n > 0 and line[n - 1, 0] == col and line[n - 1, 1] == row:
        return n
    if n > 1:
        by_col, by_row = line[n - 1, 0] - line[n - 2, 0], line[n - 1, 1] - line[n - 2, 1]
        if by_col * (row - line[n - 1, 1]) == by_row * (col - line[n - 1, 0]):
            n -= 1
    line[n, 0], line[n, 1] = col, row
    return n + 1


@njit(cache=True, nogil=True)
def _meet(
    vertex: int, line: Floats, n: int, met: Ints, meets: int, xy: Floats, start: Ints, rings: int
) -> tuple[int, int, int]:  # pragma: no cover
    """At a corner that may come up again: give out the loop since the last time, and go on as if from there."""
    for i in range(meets - 1, -1, -1):
        if met[i, 0] == vertex:
            return met[i, 1], i + 1, _ring(line, met[i, 1], n, xy, start, rings)
    met[meets, 0], met[meets, 1] = vertex, n
    return n, meets + 1, rings


@njit(cache=True, nogil=True)
def _ring(line: Floats, first: int, last: int, xy: Floats, start: Ints, rings: int) -> int:  # pragma: no cover
    """Copy a finished ring; its last vertex may repeat the first."""
    if line[last - 1, 0] == line[first, 0] and line[last - 1, 1] == line[first, 1]:
        last -= 1
    begin = start[rings]
    xy[begin : begin + last - first] = line[first:last]
    start[rings + 1] = begin + last - first
    return rings + 1


@njit(cache=True, nogil=True)
def _owners(xy: Floats, start: Ints, area: Floats) -> Ints:  # pragma: no cover
    """For each ring the ring round ground that it is or lies in, (rings,).

    Every hole lies in one of them: when all smaller ones whose box holds it do not, the last one does.
    """
    n = len(area)
    owner = np.arange(n)
    box = np.empty((n, 4))
    for i in range(n):
        ring = xy[start[i] : start[i + 1]]
        box[i] = ring[:, 0].min(), ring[:, 1].min(), ring[:, 0].max(), ring[:, 1].max()
    by_area = np.argsort(area)
    by_area = by_area[area[by_area] > 0]
    for i in range(n):
        if area[i] > 0:
            continue
        # The middle of a side: rings meet in vertices only.
        x, y = (xy[start[i], 0] + xy[start[i] + 1, 0]) / 2, (xy[start[i], 1] + xy[start[i] + 1, 1]) / 2
        chosen = -1
        for j in by_area:
            if area[j] <= -area[i] or not (box[j, 0] <= box[i, 0] and box[j, 1] <= box[i, 1]):
                continue
            if not (box[j, 2] >= box[i, 2] and box[j, 3] >= box[i, 3]):
                continue
            if chosen >= 0 and _holds(xy[start[chosen] : start[chosen + 1]], x, y):
                break
            chosen = j
        owner[i] = chosen
    return owner


@njit(cache=True, nogil=True)
def _holds(ring: Floats, x: float, y: float) -> bool:  # pragma: no cover
    """Whether a ring holds a point that is not on it, by the crossings to the east."""
    inside = False
    j = len(ring) - 1
    for i in range(len(ring)):
        if (ring[i, 1] > y) != (ring[j, 1] > y):
            at = ring[i, 0] + (y - ring[i, 1]) / (ring[j, 1] - ring[i, 1]) * (ring[j, 0] - ring[i, 0])
            inside ^= x < at
        j = i
    return inside
