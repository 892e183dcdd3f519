"""Cells of a raster as polygons: exact, in tiles so that each stays small.

::

    ┌───┬───┬───┬───┐   cells that share a side within a tile are one polygon, a corner joins nothing
    │ ▒ │ ▒ │   │   │   → here two polygons; the hole between cells that meet in a corner touches the
    ├───┼───┼───┼───┤     outline in that corner, and every polygon is valid
    │ ▒ │   │ ▒ │   │
    └───┴───┴───┴───┘

Corners are projected and the sides between them stay straight: within a tile that is off by far less than a cell.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numba import njit
from numpy.typing import NDArray

from geo.crs import reproject
from geo.hazards import Grid
from geo.windows import Extent, window

Ints = NDArray[np.int64]
Labels = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

TILE = 64
"""Cells along the side of a tile: a polygon of it has few enough corners to be looked at quickly."""
_DOWN, _RIGHT = np.array([0, 1, 0, -1]), np.array([1, 0, -1, 0])
"""Ways: east, south, west, north; rows run south."""


@dataclass(frozen=True, eq=False)
class Traced:
    """Polygons round cells: ``shapes`` (n,), how many ``cells`` each has, and the ``row`` and ``col`` of its first."""

    shapes: Shapes
    cells: Ints
    row: Ints
    col: Ints

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"Traced({len(self)} polygons of {self.cells.sum()} cells)"


def polygons(grid: Grid, marked: Mask, *, crs: str, extent: Extent | None = None, tile: int = TILE) -> Traced:
    """The marked cells (rows, cols) of a raster as polygons in ``crs``, at most ``tile`` cells wide and high.

    Only polygons that reach into ``extent`` (smallest x and y, largest x and y, in ``crs``); None: all. Sorted by
    first row, then column. The values of the raster do not matter.
    """
    top, bottom, left, right = window(grid, extent, crs=crs)
    label, count = _labelled(np.pad(marked[top:bottom, left:right], 1), tile)
    at, start, owner, twice = _rings(label)
    corner = np.array([left - 1, top - 1])
    shapes = _polygons(_placed(grid, at + corner, crs), start, owner, twice)
    cells, first = _counted(label, count)
    row, col = np.divmod(first, label.shape[1])
    found = Traced(shapes, cells, row + top - 1, col + left - 1)
    return found if extent is None else _within(found, extent)


def merged(grid: Grid, marked: Mask, *, crs: str, extent: Extent | None = None) -> shapely.MultiPolygon:
    """The marked cells as one shape in ``crs``, without the seams of tiles: for drawing."""
    found = polygons(grid, marked, crs=crs, extent=extent, tile=max(marked.shape) + 1)
    return shapely.MultiPolygon(found.shapes.tolist())


def _within(found: Traced, extent: Extent) -> Traced:
    """Those whose box overlaps the extent; what cannot be projected does not."""
    west, south, east, north = shapely.bounds(found.shapes).T
    keep = (west < extent[2]) & (east > extent[0]) & (south < extent[3]) & (north > extent[1])
    return Traced(found.shapes[keep], found.cells[keep], found.row[keep], found.col[keep])


def _placed(grid: Grid, at: Ints, crs: str) -> Floats:
    """Corners (n, 2) given as column and row, as coordinates in ``crs``."""
    a, b, c, d, e, f = grid.transform
    col, row = at.T.astype(np.float64)
    return np.column_stack(reproject(a * col + b * row + c, d * col + e * row + f, source=grid.crs, target=crs))


def _labelled(marked: Mask, tile: int) -> tuple[Labels, int]:
    """The number of its polygon for each cell, from 1 by first cell; 0 for no cell. The border must not be marked."""
    label = np.zeros(marked.shape, dtype=np.int32)
    return label, _label(marked, tile, label)


@njit(cache=True, nogil=True)
def _label(marked: Mask, tile: int, label: Labels) -> int:  # pragma: no cover
    """Flood each polygon from its first cell, within its tile."""
    count = 0
    waiting = np.empty((marked.size if tile > 1024 else tile * tile + 1, 2), dtype=np.int32)
    for r in range(1, marked.shape[0] - 1):
        for c in range(1, marked.shape[1] - 1):
            if not marked[r, c] or label[r, c]:
                continue
            count += 1
            label[r, c] = count
            waiting[0, 0], waiting[0, 1], left = r, c, 1
            while left:
                left -= 1
                row, col = waiting[left, 0], waiting[left, 1]
                for way in range(4):
                    i, j = row + _DOWN[way], col + _RIGHT[way]
                    same = (i - 1) // tile == (row - 1) // tile and (j - 1) // tile == (col - 1) // tile
                    if same and marked[i, j] and not label[i, j]:
                        label[i, j] = count
                        waiting[left, 0], waiting[left, 1], left = i, j, left + 1
    return count


@njit(cache=True, nogil=True)
def _counted(label: Labels, count: int) -> tuple[Ints, Ints]:  # pragma: no cover
    """How many cells each polygon has, and which is its first in reading order."""
    cells, first = np.zeros(count, dtype=np.int64), np.zeros(count, dtype=np.int64)
    for r in range(label.shape[0]):
        for c in range(label.shape[1]):
            i = label[r, c] - 1
            if i >= 0:
                if cells[i] == 0:
                    first[i] = r * label.shape[1] + c
                cells[i] += 1
    return cells, first


@njit(cache=True, nogil=True)
def _corners(label: Labels) -> int:  # pragma: no cover
    """How many corners all polygons have together."""
    corners = 0
    for r in range(1, label.shape[0] - 1):
        for c in range(1, label.shape[1] - 1):
            own = label[r, c]
            if own:
                for i in (r - 1, r + 1):
                    for j in (c - 1, c + 1):
                        beside, above = label[r, j] == own, label[i, c] == own
                        corners += beside == above and not (beside and label[i, j] == own)
    return corners


def _rings(label: Labels) -> tuple[Ints, Ints, Labels, Ints]:
    """All rings, closed: corners (column, row), where each begins, its polygon from 0, twice its area in cells."""
    corners = _corners(label)
    at, start = np.empty((corners + corners // 4 + 1, 2), dtype=np.int32), np.zeros(corners // 4 + 2, dtype=np.int64)
    owner, twice = np.empty(corners // 4 + 1, dtype=np.int32), np.empty(corners // 4 + 1, dtype=np.int64)
    rings = _walk_all(label, at, start, owner, twice)
    return at[: start[rings]].astype(np.int64), start[: rings + 1], owner[:rings], twice[:rings]


@njit(cache=True, nogil=True)
def _walk_all(label: Labels, at: Labels, start: Ints, owner: Labels, twice: Ints) -> int:  # pragma: no cover
    """Every ring runs along the upper side of a cell: begin there, unless a ring came along before."""
    rings = 0
    done = np.zeros(label.shape, dtype=np.bool_)
    met = np.empty((len(at), 3), dtype=np.int32)
    for r in range(1, label.shape[0] - 1):
        for c in range(1, label.shape[1] - 1):
            if label[r, c] and not done[r, c] and label[r - 1, c] != label[r, c]:
                rings = _walk(label, r, c, done, met, at, start, owner, twice, rings)
    return rings


@njit(cache=True, nogil=True)
def _walk(
    label: Labels, row: int, col: int, done: Mask, met: Labels, at: Labels, start: Ints, owner: Labels, twice: Ints,
    rings: int,
) -> int:  # fmt: skip  # pragma: no cover
    """Round with the polygon to the right; where the way meets itself, the loop is a ring of its own.

    ``at`` holds the finished rings, then the open one; a loop is taken out of the open one by putting it before.
    """
    own, r, c, way, meets = label[row, col], row, col, 0, 0
    n = begin = start[rings]
    while True:
        if way == 0:
            done[r, c] = True
        r, c = r + _DOWN[way], c + _RIGHT[way]
        right, left = _ahead(label, r, c, way)
        if right == own and left != own:
            continue
        crossed = right != own and left == own
        way = (way + 1) % 4 if right != own else (way + 3) % 4
        at[n, 0], at[n, 1], n = c, r, n + 1
        if crossed:
            seen = _seen(met, meets, r, c)
            if seen < 0:
                met[meets, 0], met[meets, 1], met[meets, 2] = r, c, n - 1 - begin
                meets += 1
            else:
                meets, first = seen, begin + met[seen, 2]
                # The loop from there on goes before the open ring, which keeps its corners up to there.
                loop, kept = at[first : n - 1].copy(), at[begin : first + 1].copy()
                rings = _close(loop, begin, at, start, owner, twice, own, rings)
                begin = start[rings]
                at[begin : begin + len(kept)] = kept
                n = begin + len(kept)
        if r == row and c == col and way == 0:
            return _close(at[begin:n].copy(), begin, at, start, owner, twice, own, rings)


@njit(cache=True, nogil=True)
def _ahead(label: Labels, r: int, c: int, way: int) -> tuple[int, int]:  # pragma: no cover
    """What lies ahead of a corner to the right and to the left."""
    if way == 0:
        return label[r, c], label[r - 1, c]
    if way == 1:
        return label[r, c - 1], label[r, c]
    if way == 2:
        return label[r - 1, c - 1], label[r, c - 1]
    return label[r - 1, c], label[r - 1, c - 1]


@njit(cache=True, nogil=True)
def _seen(met: Labels, meets: int, r: int, c: int) -> int:  # pragma: no cover
    for i in range(meets - 1, -1, -1):
        if met[i, 0] == r and met[i, 1] == c:
            return i
    return -1


@njit(cache=True, nogil=True)
def _close(
    ring: Labels, begin: int, at: Labels, start: Ints, owner: Labels, twice: Ints, own: int, rings: int
) -> int:  # pragma: no cover
    """Write a ring at ``begin`` with its first corner again at the end."""
    area = 0
    for i in range(len(ring)):
        j = i + 1 if i + 1 < len(ring) else 0
        area += np.int64(ring[i, 0]) * ring[j, 1] - np.int64(ring[j, 0]) * ring[i, 1]
        at[begin + i] = ring[i]
    at[begin + len(ring)] = ring[0]
    start[rings + 1] = begin + len(ring) + 1
    owner[rings], twice[rings] = own - 1, area
    return rings + 1


def _polygons(xy: Floats, start: Ints, owner: Labels, twice: Ints) -> Shapes:
    """Rings as one polygon an owner: its only ring that turns right on the map is the outline."""
    order = np.lexsort((twice < 0, owner))
    size = np.diff(start)[order]
    ends = np.r_[0, np.cumsum(size)]
    corner = np.arange(ends[-1]) - np.repeat(ends[:-1] - start[:-1][order], size)
    outline = np.r_[np.flatnonzero(twice[order] > 0), len(order)]
    return np.asarray(shapely.from_ragged_array(shapely.GeometryType.POLYGON, xy[corner], (ends, outline)))
