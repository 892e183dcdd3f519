"""Which cells of a grid a line runs through and a polygon covers, exactly.

Coordinates here are cells: ``col`` grows to the right, ``row`` downwards, cell ``(r, c)`` is ``[c, c + 1)`` wide and
``[r, r + 1)`` high, so that what lies exactly between two cells belongs to the right and lower one, whichever way a
line was drawn. Lines are cut at every cell border they cross (R. L. Siddon, doi:10.1118/1.595715; J. Amanatides and
A. Woo, Eurographics 1987). Coverage is the signed area between a ring and the right-hand border, summed cell by cell as
font rasterisers do: each piece of an edge adds its trapezoid, and running sums along a row turn those into covered
shares.

Both verbs give one row of ``SUMS`` for each shape; NaN cells and ground beyond the grid stay out of ``known``.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

Int32s = NDArray[np.int32]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Values = NDArray[np.floating]

SUMS = ("total", "known", "weighted", "affected", "highest")
"""Length (or area in cells) in all; of it with a value; value × weight; above the threshold; and the highest value."""
TOTAL, KNOWN, WEIGHTED, AFFECTED, HIGHEST = range(5)
SLIVER = 1e-9
"""Cells. A shorter stretch, or a smaller share of a cell, is rounding: the cell does not count as touched."""
BAND_CELLS = 1 << 15
"""Cells a polygon is drawn into at a time: 256 kB, within a core's own cache."""


def along_lines(values: Values, start: Ints, col: Floats, row: Floats, length: Floats, *, above: float) -> Floats:
    """What each line (lines,) runs through, as ``SUMS`` (lines, 5).

    Line ``i`` has the vertices ``start[i]:start[i + 1]`` of ``col`` and ``row``; ``length[v]`` is the length from
    vertex ``v`` to the next one, in any unit. Not finite coordinates are ground beyond the grid.
    """
    return np.asarray(_along_lines(values, start, col, row, length, above))


def pieces_of_lines(
    values: Values, start: Ints, col: Floats, row: Floats, length: Floats
) -> tuple[Int32s, Floats, Floats]:
    """Every line cut where it crosses from value to value: the line, where the piece ends, and its value; (pieces,).

    Lines as for ``along_lines``. Pieces follow each other from a line's start (0) to its end, in the unit of
    ``length``; neighbouring cells of the same value make one piece. NaN is a stretch without a value or beyond the
    grid. A line without length has one piece from 0 to 0; a line without vertices has none.
    """
    return _pieces_of_lines(values, start, col, row, length)


def overlay(line: Int32s, end: Floats, other_line: Int32s, other_end: Floats) -> tuple[Int32s, Floats, Ints, Ints]:
    """Two cuttings of the same lines as one: line and end of each piece, and the piece of either that it lies in."""
    return _overlay(line, end, other_line, other_end)


def under_polygons(
    values: Values, first_ring: Ints, first_vertex: Ints, outline: Mask, col: Floats, row: Floats, *, above: float
) -> Floats:
    """What each polygon (polygons,) covers, as ``SUMS`` (polygons, 5), areas in cells.

    Polygon ``i`` has the rings ``first_ring[i]:first_ring[i + 1]``, ring ``j`` the vertices
    ``first_vertex[j]:first_vertex[j + 1]``, closed, turning either way; ``outline[j]`` is False for holes.
    """
    return np.asarray(_under_polygons(values, first_ring, first_vertex, outline, col, row, above))


@njit(cache=True, nogil=True)
def _nothing(n: int) -> Floats:  # pragma: no cover
    sums = np.zeros((n, len(SUMS)))
    sums[:, HIGHEST] = -np.inf
    return sums


@njit(cache=True, nogil=True)
def _add(sums: Floats, value: float, weight: float, above: float) -> None:  # pragma: no cover
    """Count a touched cell; NaN is not known and counts nowhere."""
    if np.isnan(value):
        return
    sums[KNOWN] += weight
    sums[WEIGHTED] += weight * value
    if value > above:
        sums[AFFECTED] += weight
    sums[HIGHEST] = max(sums[HIGHEST], value)


@njit(cache=True, nogil=True)
def _along_lines(
    values: Values, start: Ints, col: Floats, row: Floats, length: Floats, above: float
) -> Floats:  # pragma: no cover
    sums = _nothing(len(start) - 1)
    for line in range(len(start) - 1):
        for v in range(start[line], start[line + 1] - 1):
            sums[line, TOTAL] += length[v]
            if length[v] > 0 and np.isfinite(col[v] + row[v] + col[v + 1] + row[v + 1]):
                _along_segment(values, sums[line], col[v], row[v], col[v + 1], row[v + 1], length[v], above)
    return sums


@njit(cache=True, nogil=True)
def _along_segment(
    values: Values, sums: Floats, col: float, row: float, to_col: float, to_row: float, length: float, above: float
) -> None:  # pragma: no cover
    """Walk from border to border; ``t`` runs from 0 to 1 along the segment and waits while a stretch is a sliver."""
    rows, cols = values.shape
    d_col, d_row = to_col - col, to_row - row
    t, end = _within(col, d_col, cols, 0.0, 1.0)
    t, end = _within(row, d_row, rows, t, end)
    c, r = int(np.floor(col + t * d_col)), int(np.floor(row + t * d_row))
    t_col, t_row = _crossing(col, d_col, c), _crossing(row, d_row, r)
    shortest = SLIVER / max(abs(d_col), abs(d_row), 4 * SLIVER)
    while t < end:
        leave = min(t_col, t_row, end)
        if leave - t > shortest and 0 <= c < cols and 0 <= r < rows:
            _add(sums, values[r, c], (leave - t) * length, above)
            t = leave
        if leave == end:
            return
        if t_col == leave:
            c += 1 if d_col > 0 else -1
            t_col = _crossing(col, d_col, c)
        if t_row == leave:
            r += 1 if d_row > 0 else -1
            t_row = _crossing(row, d_row, r)


@njit(cache=True, nogil=True)
def _pieces_of_lines(
    values: Values, start: Ints, col: Floats, row: Floats, length: Floats
) -> tuple[Int32s, Floats, Floats]:  # pragma: no cover
    rows, cols = values.shape
    room = 2 * len(start) + 16
    line_of, ends, held = np.empty(room, np.int32), np.empty(room), np.empty(room)
    n = 0
    for line in range(len(start) - 1):
        first, at, begin = n, 0.0, 0.0
        for v in range(start[line], start[line + 1] - 1):
            if length[v] <= 0:
                continue
            inside = np.isfinite(col[v] + row[v] + col[v + 1] + row[v + 1])
            # A segment crosses at most one border a cell of its run, within the grid.
            crossed = min(abs(col[v + 1] - col[v]), cols) + min(abs(row[v + 1] - row[v]), rows) if inside else 0.0
            needed = n + int(crossed) + 8
            if needed > len(ends):
                line_of, ends, held = _longer(line_of, needed), _longer(ends, needed), _longer(held, needed)
            begin = at
            at += length[v]
            if inside:
                n = _pieces_of_segment(
                    values, line_of, ends, held, line, first, n, col[v], row[v], col[v + 1], row[v + 1], begin, at
                )
            else:
                n = _put(line_of, ends, held, line, first, n, at, np.nan)
        if at == 0 and start[line + 1] > start[line]:
            if n + 1 > len(ends):
                line_of, ends, held = _longer(line_of, n + 1), _longer(ends, n + 1), _longer(held, n + 1)
            c, r = col[start[line]], row[start[line]]
            known = np.isfinite(c + r) and 0 <= c < cols and 0 <= r < rows
            n = _put(line_of, ends, held, line, first, n, 0.0, values[int(r), int(c)] if known else np.nan)
    return line_of[:n].copy(), ends[:n].copy(), held[:n].copy()


@njit(cache=True, nogil=True)
def _pieces_of_segment(
    values: Values, line_of: Int32s, ends: Floats, held: Floats, line: int, first: int, n: int,
    col: float, row: float, to_col: float, to_row: float, begin: float, end_at: float,
) -> int:  # pragma: no cover  # fmt: skip
    """As ``_along_segment``, but writing down where each stretch ends; what is left over belongs to the last one."""
    rows, cols = values.shape
    d_col, d_row, length = to_col - col, to_row - row, end_at - begin
    t, end = _within(col, d_col, cols, 0.0, 1.0)
    t, end = _within(row, d_row, rows, t, end)
    shortest = SLIVER / max(abs(d_col), abs(d_row), 4 * SLIVER)
    if end - t <= shortest:
        return _put(line_of, ends, held, line, first, n, end_at, np.nan)
    if t > shortest:
        n = _put(line_of, ends, held, line, first, n, begin + t * length, np.nan)
    c, r = int(np.floor(col + t * d_col)), int(np.floor(row + t * d_row))
    t_col, t_row = _crossing(col, d_col, c), _crossing(row, d_row, r)
    while t < end:
        leave = min(t_col, t_row, end)
        if leave - t > shortest and 0 <= c < cols and 0 <= r < rows:
            n = _put(line_of, ends, held, line, first, n, begin + leave * length, values[r, c])
            t = leave
        if leave == end:
            break
        if t_col == leave:
            c += 1 if d_col > 0 else -1
            t_col = _crossing(col, d_col, c)
        if t_row == leave:
            r += 1 if d_row > 0 else -1
            t_row = _crossing(row, d_row, r)
    if 1 - end > shortest:
        return _put(line_of, ends, held, line, first, n, end_at, np.nan)
    if n > first:
        ends[n - 1] = end_at
        return n
    return _put(line_of, ends, held, line, first, n, end_at, np.nan)


@njit(cache=True, nogil=True)
def _put(
    line_of: Int32s, ends: Floats, held: Floats, line: int, first: int, n: int, end: float, value: float
) -> int:  # pragma: no cover
    """Write a piece down, or lengthen the line's last one when it has the same value."""
    if n > first and (held[n - 1] == value or (np.isnan(held[n - 1]) and np.isnan(value))):
        ends[n - 1] = end
        return n
    line_of[n], ends[n], held[n] = line, end, value
    return n + 1


@njit(cache=True, nogil=True)
def _longer(values: NDArray[Any], least: int) -> NDArray[Any]:  # pragma: no cover
    """The same numbers with more room behind them."""
    longer = np.empty(max(least, 2 * len(values)), values.dtype)
    longer[: len(values)] = values
    return longer


@njit(cache=True, nogil=True)
def _overlay(
    line: Int32s, end: Floats, other_line: Int32s, other_end: Floats
) -> tuple[Int32s, Floats, Ints, Ints]:  # pragma: no cover
    room = len(line) + len(other_line)
    lines, ends = np.empty(room, np.int32), np.empty(room)
    one, two = np.empty(room, np.int64), np.empty(room, np.int64)
    i, j, n = 0, 0, 0
    while i < len(line) and j < len(other_line):
        lines[n], one[n], two[n] = line[i], i, j
        ends[n] = min(end[i], other_end[j])
        last_i = i + 1 == len(line) or line[i + 1] != line[i]
        last_j = j + 1 == len(other_line) or other_line[j + 1] != other_line[j]
        # Both leave the line together, whatever rounding says of its end.
        step_i = last_j if last_i else end[i] <= other_end[j] or last_j
        step_j = last_i if last_j else other_end[j] <= end[i] or last_i
        i += step_i
        j += step_j
        n += 1
    return lines[:n].copy(), ends[:n].copy(), one[:n].copy(), two[:n].copy()


@njit(cache=True, nogil=True)
def _within(at: float, d: float, size: int, t: float, end: float) -> tuple[float, float]:  # pragma: no cover
    """The part of ``t..end`` in which ``at + t * d`` lies in ``[0, size)``; empty when it never does."""
    if d == 0:
        return (t, end) if 0 <= at < size else (1.0, 0.0)
    enter, leave = (0 - at) / d, (size - at) / d
    return max(t, min(enter, leave)), min(end, max(enter, leave))


@njit(cache=True, nogil=True)
def _crossing(at: float, d: float, cell: int) -> float:  # pragma: no cover
    """Where along the segment it leaves the cell's range; computed afresh each time, so that no error adds up."""
    if d == 0:
        return np.inf
    return (cell + 1 - at) / d if d > 0 else (cell - at) / d


@njit(cache=True, nogil=True)
def _under_polygons(
    values: Values, first_ring: Ints, first_vertex: Ints, outline: Mask, col: Floats, row: Floats, above: float
) -> Floats:  # pragma: no cover
    sums = _nothing(len(first_ring) - 1)
    band = np.zeros(max(BAND_CELLS, values.shape[1] + 2))
    turn = np.zeros(len(outline))
    for polygon in range(len(first_ring) - 1):
        first, last = first_ring[polygon], first_ring[polygon + 1]
        area = 0.0
        for ring in range(first, last):
            signed = _signed_area(col, row, first_vertex[ring], first_vertex[ring + 1])
            area += abs(signed) if outline[ring] else -abs(signed)
            turn[ring] = 1.0 if (signed < 0) == outline[ring] else -1.0
        sums[polygon, TOTAL] = area
        if area > 0 and np.isfinite(area):
            rings = first_vertex[first : last + 1]
            _under_polygon(values, sums[polygon], rings, turn[first:last], col, row, above, band)
    return sums


@njit(cache=True, nogil=True)
def _under_polygon(
    values: Values, sums: Floats, rings: Ints, turn: Floats, col: Floats, row: Floats, above: float, band: Floats
) -> None:  # pragma: no cover
    """Draw the polygon a few rows at a time into ``band``, then read the rows off."""
    left, right = _window(col[rings[0] : rings[-1]], values.shape[1])
    top, bottom = _window(row[rings[0] : rings[-1]], values.shape[0])
    width = right - left
    if width <= 0:
        return
    step = len(band) // (width + 2)
    smallest = SLIVER * min(1.0, sums[TOTAL])
    for upper in range(top, bottom, step):
        height = min(step, bottom - upper)
        band[: height * (width + 2)] = 0
        for ring in range(len(turn)):
            for v in range(rings[ring], rings[ring + 1] - 1):
                c, r, to_c, to_r = col[v] - left, row[v] - upper, col[v + 1] - left, row[v + 1] - upper
                _draw_edge(band, c, r, to_c, to_r, turn[ring], width, height)
        for r in range(height):
            share = 0.0
            for c in range(width):
                share += band[r * (width + 2) + c]
                if share > smallest:
                    _add(sums, values[upper + r, left + c], min(share, 1.0), above)


@njit(cache=True, nogil=True)
def _signed_area(col: Floats, row: Floats, first: int, last: int) -> float:  # pragma: no cover
    """A ring's area in cells, relative to a vertex so that small shapes far from the origin keep their digits."""
    twice = 0.0
    for v in range(first, last - 1):
        twice += (col[v] - col[first]) * (row[v + 1] - row[first]) - (col[v + 1] - col[first]) * (row[v] - row[first])
    return twice / 2


@njit(cache=True, nogil=True)
def _window(at: Floats, size: int) -> tuple[int, int]:  # pragma: no cover
    """First and last-but-one cell that the coordinates reach, within the grid."""
    low = min(max(np.floor(at.min()), 0.0), float(size))
    high = min(max(np.ceil(at.max()), 0.0), float(size))
    return int(low), int(high)


@njit(cache=True, nogil=True)
def _draw_edge(
    band: Floats, col: float, row: float, to_col: float, to_row: float, turn: float, width: int, height: int
) -> None:  # pragma: no cover
    """Cut an edge at the rows; a row right of the edge is covered by as much as the edge climbs in it."""
    if row == to_row:
        return
    sign = turn if to_row > row else -turn
    if to_row < row:
        col, row, to_col, to_row = to_col, to_row, col, row
    slope = (to_col - col) / (to_row - row)
    upper, lower = max(row, 0.0), min(to_row, float(height))
    for r in range(int(upper), int(np.ceil(lower))):
        a, b = max(upper, float(r)), min(lower, r + 1.0)
        from_col = col + (a - row) * slope
        until_col = to_col if b == to_row else col + (b - row) * slope
        _draw_in_row(band, r * (width + 2), from_col, until_col, sign * (b - a), width)


@njit(cache=True, nogil=True)
def _draw_in_row(
    band: Floats, at: int, col: float, to_col: float, climb: float, width: int
) -> None:  # pragma: no cover
    """Cut a piece of an edge within one row at the columns; what lies beyond the window counts at its border."""
    left, right = min(col, to_col), max(col, to_col)
    if right <= 0 or left >= width:
        band[at + (0 if right <= 0 else width)] += climb
        return
    rate = climb / (right - left) if right > left else 0.0
    if left < 0:
        band[at] += rate * (0 - left)
    if right > width:
        band[at + width] += rate * (right - width)
    inner, outer = max(left, 0.0), min(right, float(width))
    if outer <= np.floor(inner) + 1:
        _draw_trapezoid(band, at, inner, outer, climb if left == inner and right == outer else rate * (outer - inner))
        return
    for c in range(int(inner), int(np.ceil(outer))):
        a, b = max(inner, float(c)), min(outer, c + 1.0)
        _draw_trapezoid(band, at, a, b, rate * (b - a))


@njit(cache=True, nogil=True)
def _draw_trapezoid(band: Floats, at: int, left: float, right: float, climb: float) -> None:  # pragma: no cover
    """A piece within one cell: its cell is covered from the piece to the right, the cells after it wholly."""
    c = int(left)
    share_left = (left + right) / 2 - c
    band[at + c] += climb * (1 - share_left)
    band[at + c + 1] += climb * share_left
