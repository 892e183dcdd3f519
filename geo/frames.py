"""One frame of square cells for rasters that do not fit each other.

::

    frame cell        source cells it touches
    ┌─────────┐       ┌───┬───┬───┐
    │    ·    │   on  │ 0 │ 3 │NaN│   →  3, the worst of them
    └─────────┘       └───┴───┴───┘      0 only where the middle · lies on a cell that says so

The worst is taken so that no flooded corner is lost; nothing is said to be unaffected by cells that lie beside it.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Self

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.errors import Fault, LimitError
from geo.hazards import Grid

Floats = NDArray[np.float64]
Values = NDArray[np.float32]

STEP = 32
"""Every so many cells a corner is projected; between them it is interpolated, off by far less than a cell."""
SLIVER = 1e-6
"""Source cells. What a cell overlaps by less is rounding."""
SNAP = 1e-6
"""Cells. An edge this near to a line of the lattice lies on it."""


@dataclass(frozen=True)
class Frame:
    """Square cells of ``cell_m`` metres, north up, ``rows`` × ``cols``, from the corner (``west``, ``north``)."""

    west: float
    north: float
    cell_m: float
    rows: int
    cols: int
    crs: str

    @classmethod
    def over(cls, extent: tuple[float, float, float, float], *, cell_m: float, crs: str, cells_max: float) -> Self:
        """The frame over an extent (smallest x and y, largest x and y, metres in ``crs``), on multiples of the cell.

        Raises LimitError for more than ``cells_max`` cells.
        """
        west, south = (math.floor(at / cell_m + SNAP) for at in extent[:2])
        east, north = (math.ceil(at / cell_m - SNAP) for at in extent[2:])
        rows, cols = max(north - south, 1), max(east - west, 1)
        if rows * cols > cells_max:
            cure = f"Make the cells larger than {cell_m:g} m (composite.cell_m, derived.cell_m)."
            raise LimitError(Fault(f"at most {cells_max:,.0f} cells", f"{rows * cols:,}", "the frame", cure))
        return cls(west * cell_m, north * cell_m, cell_m, rows, cols, crs)

    @property
    def shape(self) -> tuple[int, int]:
        """Rows and columns."""
        return self.rows, self.cols

    @property
    def transform(self) -> tuple[float, float, float, float, float, float]:
        """From column and row to coordinates, as ``Grid`` has it."""
        return self.cell_m, 0.0, self.west, 0.0, -self.cell_m, self.north

    def grid(self, values: NDArray[np.floating]) -> Grid:
        """Values (rows, cols) as a raster in this frame."""
        return Grid(values, self.transform, self.crs)

    def __repr__(self) -> str:
        return f"Frame({self.rows} rows × {self.cols} columns of {self.cell_m:g} m, {self.crs})"


def onto(grid: Grid, frame: Frame) -> Values:
    """A raster of intensities (0 none, NaN not known) in a frame, (rows, cols): the worst of the cells touched.

    A cell of the frame touches the source cells that the box round its four corners overlaps, in the source's rows and
    columns. It is NaN where none of them is known, and also where they know of nothing worse than 0 but the cell's own
    middle lies on an unknown one.
    """
    col, row = _corners(grid, frame)
    found = np.empty(frame.shape, dtype=np.float32)
    _worst(np.ascontiguousarray(grid.values), col, row, found)
    return found


def _corners(grid: Grid, frame: Frame) -> tuple[Floats, Floats]:
    """Columns and rows in the raster of every ``STEP``-th corner of the frame's cells, one more than fits."""
    down = frame.north - frame.cell_m * STEP * np.arange(-(-frame.rows // STEP) + 1)
    right = frame.west + frame.cell_m * STEP * np.arange(-(-frame.cols // STEP) + 1)
    x, y = np.meshgrid(right, down)
    col, row = grid.cells(x.ravel(), y.ravel(), crs=frame.crs)
    return col.reshape(x.shape), row.reshape(x.shape)


@njit(cache=True, nogil=True)
def _along(corners: Floats, r: int, found: Floats) -> None:  # pragma: no cover
    """The corners along the upper edge of row ``r``, interpolated between those projected."""
    i = min(r // STEP, corners.shape[0] - 2)
    low = (r - i * STEP) / STEP
    for c in range(len(found)):
        j = min(c // STEP, corners.shape[1] - 2)
        far = (c - j * STEP) / STEP
        upper = corners[i, j] * (1 - far) + corners[i, j + 1] * far
        lower = corners[i + 1, j] * (1 - far) + corners[i + 1, j + 1] * far
        found[c] = upper * (1 - low) + lower * low


@njit(cache=True, nogil=True)
def _worst(values: NDArray[Any], col: Floats, row: Floats, found: Values) -> None:  # pragma: no cover
    rows, cols = found.shape
    at = np.empty((4, cols + 1))
    _along(col, 0, at[0])
    _along(row, 0, at[1])
    for r in range(rows):
        _along(col, r + 1, at[2])
        _along(row, r + 1, at[3])
        for c in range(cols):
            found[r, c] = _touched(
                values, at[0, c], at[0, c + 1], at[2, c], at[2, c + 1], at[1, c], at[1, c + 1], at[3, c], at[3, c + 1]
            )
        at[0], at[1] = at[2], at[3]


@njit(cache=True, nogil=True)
def _touched(
    values: NDArray[Any], a: float, b: float, c: float, d: float, e: float, f: float, g: float, h: float
) -> float:  # pragma: no cover
    """The worst under four corners, columns ``a`` to ``d`` and rows ``e`` to ``h``."""
    middle_col, middle_row = (a + b + c + d) / 4, (e + f + g + h) / 4
    if not np.isfinite(middle_col + middle_row):
        return np.nan
    rows, cols = values.shape
    left, right = _reach(min(a, b, c, d), max(a, b, c, d), cols)
    top, bottom = _reach(min(e, f, g, h), max(e, f, g, h), rows)
    worst = -1.0
    for r in range(top, bottom):
        for k in range(left, right):
            if values[r, k] > worst:
                worst = values[r, k]
    if worst > 0:
        return worst
    r, k = int(np.floor(middle_row + SLIVER)), int(np.floor(middle_col + SLIVER))
    known = 0 <= r < rows and 0 <= k < cols and not np.isnan(values[r, k])
    return worst if worst == 0 and known else np.nan


@njit(cache=True, nogil=True)
def _reach(low: float, high: float, size: int) -> tuple[int, int]:  # pragma: no cover
    """First and last-but-one cell between two coordinates, within the raster."""
    first = min(max(np.floor(low + SLIVER), 0.0), float(size))
    end = min(max(np.ceil(high - SLIVER), 0.0), float(size))
    return int(first), int(end)
