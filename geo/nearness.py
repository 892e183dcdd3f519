"""What a map draws, on the cells of a frame: exact distances from their middles to it, and how much of it they hold.

Each stretch of a line looks at the cells it can reach and no others, so that cost grows with what is drawn times the
reach, not with the frame.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geo.frames import Frame

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Values = NDArray[np.float32]
Shapes = NDArray[np.object_]


def spread(values: Values, shapes: Shapes, reach: Sequence[tuple[float, int]], frame: Frame) -> None:
    """Raise levels (rows, cols) near shapes: each of ``reach`` is how far, metres, and the level up to there.

    A cell is as far off as its middle is from the nearest part of a shape; 0 within a polygon. Far bands may be lower
    or higher than near ones: the highest that reaches counts.
    """
    if not len(shapes):
        return
    metres = np.array([far for far, _ in reach])
    level = np.array([of for _, of in reach], dtype=np.float32)
    start, x, y = _chains(shapes)
    near = np.full(frame.shape, np.inf)
    col, row = (x - frame.west) / frame.cell_m, (frame.north - y) / frame.cell_m
    _to_chains(near, start, col, row, metres.max() / frame.cell_m)
    _fill(near, shapes, frame)
    for far, of in zip(metres, level, strict=True):
        np.maximum(values, of, out=values, where=near <= far / frame.cell_m)


def _chains(shapes: Shapes) -> tuple[Ints, Floats, Floats]:
    """Points, lines and rings as chains of vertices: where each begins, and x and y."""
    parts = shapely.get_parts(shapes)
    areal = shapely.get_dimensions(parts) == 2
    chains = np.r_[parts[~areal], shapely.get_rings(parts[areal])]
    xy = shapely.get_coordinates(chains)
    return np.r_[0, np.cumsum(shapely.get_num_coordinates(chains))].astype(np.int64), xy[:, 0], xy[:, 1]


def _fill(near: Floats, shapes: Shapes, frame: Frame) -> None:
    """0 in cells whose middle lies in a polygon."""
    parts = shapely.get_parts(shapes)
    for polygon in parts[shapely.get_dimensions(parts) == 2]:
        start, x, y = _chains(np.array([polygon], dtype=object))
        _fill_rings(near, start, (x - frame.west) / frame.cell_m, (frame.north - y) / frame.cell_m)


@njit(cache=True, nogil=True)
def _to_chains(near: Floats, start: Ints, col: Floats, row: Floats, far: float) -> None:  # pragma: no cover
    """Lower each cell's distance to the nearest stretch of a chain, in cells, where it is at most ``far``."""
    for chain in range(len(start) - 1):
        first, last = start[chain], start[chain + 1] - 1
        for v in range(first, max(last, first + 1)):
            w = min(v + 1, last)
            _to_segment(near, col[v], row[v], col[w], row[w], far)


@njit(cache=True, nogil=True)
def _to_segment(
    near: Floats, col: float, row: float, to_col: float, to_row: float, far: float
) -> None:  # pragma: no cover
    rows, cols = near.shape
    d_col, d_row = to_col - col, to_row - row
    square = d_col * d_col + d_row * d_row
    first, last = max(int(min(row, to_row) - far) - 1, 0), min(int(max(row, to_row) + far) + 1, rows)
    left, right = max(int(min(col, to_col) - far) - 1, 0), min(int(max(col, to_col) + far) + 1, cols)
    for r in range(first, last):
        for c in range(left, right):
            x, y = c + 0.5 - col, r + 0.5 - row
            t = min(max((x * d_col + y * d_row) / square, 0.0), 1.0) if square > 0 else 0.0
            off = np.hypot(x - t * d_col, y - t * d_row)
            if off <= far and off < near[r, c]:
                near[r, c] = off


@njit(cache=True, nogil=True)
def _fill_rings(near: Floats, start: Ints, col: Floats, row: Floats) -> None:  # pragma: no cover
    """Row by row: between the odd and the even crossings of the rings lies the polygon."""
    rows, cols = near.shape
    crossing = np.empty(len(col))
    for r in range(max(int(row.min()) - 1, 0), min(int(row.max()) + 1, rows)):
        at, n = r + 0.5, 0
        for ring in range(len(start) - 1):
            for v in range(start[ring], start[ring + 1] - 1):
                if (row[v] <= at) != (row[v + 1] <= at):
                    crossing[n] = col[v] + (at - row[v]) / (row[v + 1] - row[v]) * (col[v + 1] - col[v])
                    n += 1
        inside = np.sort(crossing[:n])
        for i in range(0, n - 1, 2):
            for c in range(max(int(np.ceil(inside[i] - 0.5)), 0), min(int(np.floor(inside[i + 1] - 0.5)) + 1, cols)):
                near[r, c] = 0.0


@njit(cache=True, nogil=True)
def lay(
    held: Floats, left: Floats, right: Floats, top: Floats, bottom: Floats, amount: Floats
) -> None:  # pragma: no cover
    """Add amounts (n,) to cells (rows, cols), each evenly over its box, which is told in columns and rows.

    What lies beyond the frame is lost; a box without extent is laid on the cell it lies in.
    """
    rows, cols = held.shape
    for i in range(len(amount)):
        wide, high = max(right[i] - left[i], 1e-9), max(bottom[i] - top[i], 1e-9)
        for r in range(max(int(np.floor(top[i])), 0), min(int(np.floor(top[i] + high)) + 1, rows)):
            share = (min(top[i] + high, r + 1.0) - max(top[i], float(r))) / high
            for c in range(max(int(np.floor(left[i])), 0), min(int(np.floor(left[i] + wide)) + 1, cols)):
                held[r, c] += amount[i] * share * (min(left[i] + wide, c + 1.0) - max(left[i], float(c))) / wide
