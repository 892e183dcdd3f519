"""Ground in square cells: which cells lines touch, and which free ground is nearest to what.

Coordinates here are cells: ``col`` grows to the east, ``row`` to the north, cell ``(r, c)`` is ``[c, c + 1]`` wide and
``[r, r + 1]`` high. A line touches every cell that it meets, borders and corners included: nothing slips between two
cells. Borders of the grid are never claimed.

Where a reached street meets another street or a barrier in one cell, the cell is looked at again in ``FINE`` × ``FINE``
fine cells, and claimed in part. Fine coordinates are ``FINE`` times cell coordinates.

The flood grows two claims at once, layer by layer, by four and by eight neighbours in turn (the octagonal distance;
A. Rosenfeld and J. Pfaltz, doi:10.1016/0031-3203(68)90013-7), so that a cell goes to what is nearest over free ground.
"""

from __future__ import annotations

import numpy as np
from numba import njit
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Cells = NDArray[np.uint8]

GROUND, ABOVE, OTHER, BARRIER, BESIDE = 1, 2, 4, 8, 16
"""What touches a cell, as bits: reached streets on the ground, and off it (bridge, tunnel); other streets; barriers;
for a fine cell also whether a wholly claimed cell lies beside it."""
FINE = 8
"""Fine cells along a cell's side: as many as a byte has bits."""
NONE, WHOLE = -1, -2
"""How much of a cell is claimed, where it is not the row of its fine cells."""
TOUCH = 1e-6
"""Cells. What comes this near to a cell touches it: more than rounding, less than a hair."""
FREE, OURS, THEIRS, CLOSED = 0, 1, 2, 3
"""What the flood says of a cell."""


@njit(cache=True, nogil=True)
def mark(cells: Cells, bits: Cells, start: Ints, col: Floats, row: Floats) -> None:  # pragma: no cover
    """Set ``bits[i]`` on every cell (rows, cols) that line ``i``, vertices ``start[i]:start[i + 1]``, touches."""
    for line in range(len(start) - 1):
        for v in range(start[line], start[line + 1] - 1):
            _mark_segment(cells, bits[line], col[v], row[v], col[v + 1], row[v + 1])


@njit(cache=True, nogil=True)
def _mark_segment(
    cells: Cells, bit: int, col: float, row: float, to_col: float, to_row: float
) -> None:  # pragma: no cover
    """Row by row: the columns between where the segment enters the row and where it leaves it."""
    if to_row < row:
        col, row, to_col, to_row = to_col, to_row, col, row
    rows, cols = cells.shape
    slope = (to_col - col) / (to_row - row) if to_row > row else 0.0
    for r in range(max(0, int(np.floor(row - TOUCH))), min(rows, int(np.floor(to_row + TOUCH)) + 1)):
        first, last = _columns(r, col, row, to_col, to_row, slope)
        for c in range(max(0, first), min(cols, last + 1)):
            cells[r, c] |= bit


@njit(cache=True, nogil=True)
def _columns(
    r: int, col: float, row: float, to_col: float, to_row: float, slope: float
) -> tuple[int, int]:  # pragma: no cover
    """First and last column that a segment, drawn upwards, touches in a row."""
    enter, leave = max(row, r - TOUCH), min(to_row, r + 1 + TOUCH)
    a = col if enter == row else col + (enter - row) * slope
    b = to_col if leave == to_row else col + (leave - row) * slope
    return int(np.floor(min(a, b) - TOUCH)), int(np.floor(max(a, b) + TOUCH))


@njit(cache=True, nogil=True)
def flood(cells: Cells, layers: int) -> Cells:  # pragma: no cover
    """Whose each cell is (rows, cols), ``OURS`` after at most ``layers`` steps from where only reached streets are.

    Other streets flood as well and win ties; cells that barriers touch are closed to both.
    """
    rows, cols = cells.shape
    label = np.zeros((rows, cols), dtype=np.uint8)
    queue = np.empty((2, rows * cols), dtype=np.int32)
    count = np.zeros(2, dtype=np.int64)
    for r in range(rows):
        for c in range(cols):
            touch = cells[r, c]
            if r == 0 or c == 0 or r == rows - 1 or c == cols - 1 or touch & BARRIER:
                label[r, c] = CLOSED
            elif touch & (OTHER | GROUND | BESIDE):
                label[r, c] = THEIRS if touch & OTHER else OURS
                queue[label[r, c] - 1, count[label[r, c] - 1]] = r * cols + c
                count[label[r, c] - 1] += 1
    done = np.zeros(2, dtype=np.int64)
    for layer in range(layers):
        if done[0] == count[0] and done[1] == count[1]:
            break
        for whose in (THEIRS, OURS):
            upto = count[whose - 1]
            count[whose - 1] = _grow(label, queue[whose - 1], done[whose - 1], upto, whose, layer % 2 == 1)
            done[whose - 1] = upto
    return label


@njit(cache=True, nogil=True)
def _grow(
    label: Cells, queue: NDArray[np.int32], first: int, last: int, whose: int, wide: bool
) -> int:  # pragma: no cover
    """Take the free neighbours of the newest cells; corner-wise only where neither cell beside is another's."""
    cols = label.shape[1]
    end = last
    for i in range(first, last):
        r, c = queue[i] // cols, queue[i] % cols
        for dr in range(-1, 2):
            for dc in range(-1, 2):
                corner = dr != 0 and dc != 0
                if label[r + dr, c + dc] != FREE or (corner and not wide):
                    continue
                if corner and (label[r + dr, c] not in (FREE, whose) or label[r, c + dc] not in (FREE, whose)):
                    continue
                label[r + dr, c + dc] = whose
                queue[end] = (r + dr) * cols + c + dc
                end += 1
    return end


@njit(cache=True, nogil=True)
def refine(cells: Cells, label: Cells, banks: bool) -> tuple[NDArray[np.int32], int]:  # pragma: no cover
    """How each cell is claimed (rows, cols): ``NONE``, ``WHOLE``, or its number among those to look at again; how many.

    Looked at again are cells with a reached street that are not wholly claimed, and with ``banks`` those where a
    barrier, and no other street, runs beside wholly claimed cells or round a corner from them.
    """
    rows, cols = cells.shape
    claim = np.full((rows, cols), NONE, dtype=np.int32)
    count = 0
    for r in range(1, rows - 1):
        for c in range(1, cols - 1):
            touch = cells[r, c]
            if label[r, c] == OURS:
                claim[r, c] = WHOLE
            elif touch & (GROUND | ABOVE) or (banks and touch & BARRIER and not touch & OTHER and _near(label, r, c)):
                claim[r, c] = count
                count += 1
    return claim, count


@njit(cache=True, nogil=True)
def _near(label: Cells, r: int, c: int) -> bool:  # pragma: no cover
    """Whether one of the eight cells round a cell is wholly claimed."""
    for dr in range(-1, 2):
        for dc in range(-1, 2):
            if label[r + dr, c + dc] == OURS:
                return True
    return False


@njit(cache=True, nogil=True)
def mark_fine(
    fine: Cells, claim: NDArray[np.int32], bits: Cells, start: Ints, col: Floats, row: Floats
) -> None:  # pragma: no cover
    """As ``mark``, on the fine cells (refined, FINE, FINE) of the cells in ``claim``."""
    rows, cols = claim.shape
    for line in range(len(start) - 1):
        for v in range(start[line], start[line + 1] - 1):
            a, b = (v, v + 1) if row[v] <= row[v + 1] else (v + 1, v)
            slope = (col[b] - col[a]) / (row[b] - row[a]) if row[b] > row[a] else 0.0
            for r in range(max(0, int(np.floor(row[a] - TOUCH))), min(rows, int(np.floor(row[b] + TOUCH)) + 1)):
                first, last = _columns(r, col[a], row[a], col[b], row[b], slope)
                for c in range(max(0, first), min(cols, last + 1)):
                    if claim[r, c] >= 0:
                        _mark_segment(
                            fine[claim[r, c]], bits[line],
                            (col[v] - c) * FINE, (row[v] - r) * FINE, (col[v + 1] - c) * FINE, (row[v + 1] - r) * FINE,
                        )  # fmt: skip


@njit(cache=True, nogil=True)
def flood_fine(fine: Cells, claim: NDArray[np.int32]) -> Cells:  # pragma: no cover
    """Which fine cells (refined, FINE, FINE) are claimed.

    Those that reached streets touch, and within each cell the ground that is nearest to reached streets or to wholly
    claimed cells beside; then ground that is nobody's yet and lies beside such ground of the next cell.
    """
    label, spread = np.zeros(fine.shape, dtype=np.uint8), np.zeros(len(fine), dtype=np.uint8)
    block = np.zeros((FINE + 2, FINE + 2), dtype=np.uint8)
    for later in (False, True):
        for r in range(1, claim.shape[0] - 1):
            for c in range(1, claim.shape[1] - 1):
                i = claim[r, c]
                if i >= 0:
                    spread[i] = _mark_beside(fine[i], claim, label, r, c, later) or not later
        for i in range(len(fine)):
            if spread[i]:
                for y in range(FINE):
                    for x in range(FINE):
                        block[y + 1, x + 1] = fine[i, y, x] if label[i, y, x] == FREE else BARRIER
                now = flood(block, FINE * FINE)[1:-1, 1:-1]
                for y in range(FINE):
                    for x in range(FINE):
                        label[i, y, x] = now[y, x] if label[i, y, x] == FREE else label[i, y, x]
    claimed = np.zeros(fine.shape, dtype=np.uint8)
    for i in range(len(fine)):
        for y in range(FINE):
            for x in range(FINE):
                claimed[i, y, x] = label[i, y, x] == OURS or fine[i, y, x] & (GROUND | ABOVE) != 0
    return claimed


@njit(cache=True, nogil=True)
def _mark_beside(
    fine: Cells, claim: NDArray[np.int32], label: Cells, r: int, c: int, later: bool
) -> bool:  # pragma: no cover
    """Mark the fine cells beside wholly claimed cells; ``later``: those that are free beside fine cells of ours.

    Whether any was marked.
    """
    marked = False
    mine = label[claim[r, c]]
    for dr, dc in ((0, 1), (1, 0), (0, -1), (-1, 0)):
        other = claim[r + dr, c + dc]
        for i in range(FINE):
            y, x = (i, 0 if dc < 0 else FINE - 1) if dc else (0 if dr < 0 else FINE - 1, i)
            ours = other >= 0 and label[other, (y + dr) % FINE, (x + dc) % FINE] == OURS
            if (ours and mine[y, x] == FREE) if later else other == WHOLE:
                fine[y, x] |= BESIDE
                marked = True
    return marked
