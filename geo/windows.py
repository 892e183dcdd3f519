"""The part of a raster that an extent lies on."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from geo.hazards import Grid

Extent = tuple[float, float, float, float]

_EDGE = 33
"""Points along each side of an extent that are projected to find the cells under it."""


def window(grid: Grid, extent: Extent | None, *, crs: str, more: int = 0) -> tuple[int, int, int, int]:
    """The rows and columns (first row, end, first column, end) of a raster that an extent in ``crs`` lies on.

    ``more`` cells round it, within the raster; nothing (0, 0, 0, 0) where they do not meet.
    """
    rows, cols = grid.values.shape
    if extent is None:
        return 0, rows, 0, cols
    west, south, east, north = extent
    x, y = np.linspace(west, east, _EDGE), np.linspace(south, north, _EDGE)
    ones = np.ones(_EDGE)
    col, row = grid.cells(np.r_[x, x, ones * west, ones * east], np.r_[ones * south, ones * north, y, y], crs=crs)
    seen = np.isfinite(col) & np.isfinite(row)
    if not seen.any():
        return 0, 0, 0, 0
    left, right = _span(col[seen], cols, more)
    top, bottom = _span(row[seen], rows, more)
    return (top, bottom, left, right) if top < bottom and left < right else (0, 0, 0, 0)


def _span(at: NDArray[np.float64], size: int, more: int) -> tuple[int, int]:
    low, high = np.floor(at.min()) - more, np.ceil(at.max()) + more
    return int(np.clip(low, 0, size)), int(np.clip(high, 0, size))


def under(grid: Grid, extent: Extent, *, crs: str, more: int) -> Grid:
    """The part of a raster under an extent in ``crs``, with ``more`` cells round it; its first cell where that is none.

    So what is computed of it is not known beyond the raster, and never empty.
    """
    top, bottom, left, right = window(grid, extent, crs=crs, more=more)
    bottom, right = max(bottom, top + 1), max(right, left + 1)
    a, b, c, d, e, f = grid.transform
    corner = (a, b, c + a * left + b * top, d, e, f + d * left + e * top)
    return Grid(grid.values[top:bottom, left:right], corner, grid.crs)
