"""What a hazard does to streets, sites and points: exact shares of a raster, with the unknown kept apart.

The raster stays as it came; shapes are projected into its CRS. Lines are weighted by length, areas by area. In every
result the shares are of the whole shape: affected, unknown, and the rest is known and not affected.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo import traversal
from geo.crs import known, reproject
from geo.errors import Fault, InputError, refuse
from geo.standards import Standards
from geo.traversal import AFFECTED, HIGHEST, KNOWN, TOTAL, WEIGHTED

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

EXPOSURE = ("max", "mean", "share_affected", "share_unknown")
"""Columns of an exposure, one row a shape.

``max``, ``mean`` are in the hazard's unit, over the known part, NaN where nothing is known; a value of 0 counts as 0.
``share_affected`` is the share of the whole shape known to be above the threshold, ``share_unknown`` the share without
a value: nodata, beyond the raster, or no shape at all. Both 0-1, together at most 1.
"""
ROUNDING = 1e-9
"""A share this close to 0 or 1 is 0 or 1: sums of floating point numbers are no better."""


@dataclass(frozen=True, eq=False)
class Grid:
    """A raster: a value for each cell, NaN where it is not known.

    ::

        column   0   1   2
               ┌───┬───┬───┐ ← (c, f), the upper left corner, in ``crs``
        row 0  │ 0 │ . │ 2 │
               ├───┼───┼───┤   x = a · column + b · row + c
        row 1  │ 0 │ 1 │NaN│   y = d · column + e · row + f
               └───┴───┴───┘

    ``values`` (rows, cols) float32 or float64, finite or NaN; ``transform`` (a, b, c, d, e, f) takes a column and row
    to coordinates in ``crs``; e is negative when north is up. Turned and upside-down rasters are fine.
    """

    values: NDArray[np.floating]
    transform: tuple[float, float, float, float, float, float]
    crs: str

    def __post_init__(self) -> None:
        known(self.crs, where="raster")
        refuse(InputError, _grid_faults(self))

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """Smallest x and y, largest x and y, in ``crs``."""
        rows, cols = self.values.shape
        a, b, c, d, e, f = self.transform
        x = [c, c + a * cols, c + b * rows, c + a * cols + b * rows]
        y = [f, f + d * cols, f + e * rows, f + d * cols + e * rows]
        return min(x), min(y), max(x), max(y)

    def cells(self, x: Floats, y: Floats, *, crs: str) -> tuple[Floats, Floats]:
        """Coordinates (n,) in ``crs`` as columns and rows with fractions; not finite where they cannot be projected."""
        x, y = reproject(x, y, source=crs, target=self.crs)
        a, b, c, d, e, f = self.transform
        if b == 0 and d == 0:
            return (x - c) / a, (y - f) / e
        by = a * e - b * d
        return (e * (x - c) - b * (y - f)) / by, (a * (y - f) - d * (x - c)) / by

    def __repr__(self) -> str:
        rows, cols = self.values.shape
        a, b, _, d, e, _ = self.transform
        unknown = np.isnan(self.values).mean()
        size = f"{np.hypot(a, d):g} × {np.hypot(b, e):g}"
        return f"Grid({rows} rows × {cols} columns of {size}, {unknown:.0%} unknown, {self.crs})"


def _grid_faults(grid: Grid) -> list[Fault]:
    faults = []
    if grid.values.ndim != 2 or grid.values.size == 0 or grid.values.dtype not in (np.float32, np.float64):
        found = f"{grid.values.dtype} of shape {grid.values.shape}"
        faults.append(Fault("rows × columns of float32 or float64", found, "raster"))
    elif np.isinf(grid.values).any():
        faults.append(Fault("numbers, or NaN where not known", "infinite values", "raster", "Name its nodata value."))
    a, b, _, d, e, _ = grid.transform
    if not (np.isfinite(grid.transform).all() and a * e != b * d):
        faults.append(Fault("a cell size and a corner", f"transform {grid.transform}", "raster"))
    return faults


@dataclass(frozen=True, eq=False)
class Hazard:
    """One hazard as a raster of intensities: more is worse, 0 is none, NaN is not known.

    ``kind`` says what it is (flood, …), ``unit`` the unit of the values, ``dry_is`` what 0 means, in words.
    ``uncertainty`` is how much a value may be off, in that unit; 0 where nobody said so. ``hours`` after the beginning
    it is like this, and so often it is expected, once in ``return_period_y`` years; None where nobody said.
    """

    hazard_id: str
    kind: str
    unit: str
    grid: Grid
    dry_is: str = "not affected"
    label_zh: str = ""
    label_en: str = ""
    uncertainty: float = 0.0
    hours: float | None = None
    return_period_y: float | None = None

    @property
    def series(self) -> tuple[str, float | None]:
        """What the frames of one event have in common: kind and return period."""
        return self.kind, self.return_period_y

    def __post_init__(self) -> None:
        where = f"hazard {self.hazard_id}"
        empty = [name for name in ("hazard_id", "kind", "unit") if not getattr(self, name)]
        faults = [Fault(f"a {name}", "nothing", where) for name in empty]
        if not (np.isfinite(self.uncertainty) and self.uncertainty >= 0):
            faults.append(Fault("an uncertainty of 0 or more", f"{self.uncertainty:g}", where))
        refuse(InputError, faults)

    def __repr__(self) -> str:
        return f"Hazard({self.hazard_id}: {self.kind} in {self.unit}, {self.grid!r})"


class ExposureParams(BaseModel):
    """What counts as affected by a hazard."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    affected_above: float = Field(
        default=0.0, ge=0, description="Intensity above which ground is affected, in the hazard's unit; 0: any at all."
    )

    @classmethod
    def of(cls, standards: Standards) -> ExposureParams:
        """The defaults as the standards give them."""
        return cls(affected_above=standards.number("exposure.affected_above"))


DEFAULT = ExposureParams()


def expose_lines(
    x: Floats, y: Floats, start: Ints, *, crs: str, hazard: Hazard, params: ExposureParams = DEFAULT
) -> pd.DataFrame:
    """The exposure of lines: ``EXPOSURE`` columns (lines,), weighted by length.

    Line ``i`` has the vertices ``start[i]:start[i + 1]`` of ``x`` and ``y``, metres in ``crs``; lengths are measured
    there. Each segment is cut where it crosses from cell to cell; what runs exactly between two cells belongs to the
    right and lower one. A line without length is looked up like a point.
    """
    col, row = hazard.grid.cells(x, y, crs=crs)
    length = np.append(np.hypot(np.diff(x), np.diff(y)), 0.0)[: len(x)]
    sums = traversal.along_lines(
        np.ascontiguousarray(hazard.grid.values), start, col, row, length, above=params.affected_above
    )
    flat = np.flatnonzero((sums[:, TOTAL] == 0) & (np.diff(start) > 0))
    sums[flat] = _points(hazard.grid, col[start[flat]], row[start[flat]], params=params)
    return _exposure(sums)


@dataclass(frozen=True, eq=False)
class Cuts:
    """Lines cut where they cross from cell to cell, a row a piece, in the order of the lines and along each.

    Piece ``i`` is the stretch of ``line[i]`` from ``from_m[i]`` to ``to_m[i]``, metres along it; ``values[h, i]`` is
    hazard ``h``'s value there, NaN where it is not known. Together the pieces of a line make the whole line.
    """

    line: NDArray[np.int32]
    from_m: Floats
    to_m: Floats
    values: Floats

    def __len__(self) -> int:
        return len(self.line)

    def __repr__(self) -> str:
        lines = len(np.unique(self.line))
        return f"Cuts({len(self)} pieces of {lines} lines by {len(self.values)} hazards)"


def cut_lines(x: Floats, y: Floats, start: Ints, *, crs: str, faced: Sequence[Hazard]) -> Cuts:
    """Lines, given as to ``expose_lines``, cut at the cells of every raster they cross; at least one hazard.

    Several rasters need not fit each other: each piece lies in one cell of each. Cells of the same values that follow
    each other make one piece. A line without length is one piece from 0 to 0; a line without vertices has none.
    """
    length = np.append(np.hypot(np.diff(x), np.diff(y)), 0.0)[: len(x)]
    line, to_m, values = _cut(x, y, start, length, crs, faced[0])
    rows = [values]
    for hazard in faced[1:]:
        other_line, other_to, values = _cut(x, y, start, length, crs, hazard)
        line, to_m, mine, other = traversal.overlay(line, to_m, other_line, other_to)
        rows = [*(row[mine] for row in rows), values[other]]
    begins = np.diff(line, prepend=-1) != 0
    return Cuts(line, np.where(begins, 0.0, np.roll(to_m, 1)), to_m, np.vstack(rows))


def _cut(
    x: Floats, y: Floats, start: Ints, length: Floats, crs: str, hazard: Hazard
) -> tuple[NDArray[np.int32], Floats, Floats]:
    col, row = hazard.grid.cells(x, y, crs=crs)
    return traversal.pieces_of_lines(np.ascontiguousarray(hazard.grid.values), start, col, row, length)


def expose_areas(shapes: Shapes, *, crs: str, hazard: Hazard, params: ExposureParams = DEFAULT) -> pd.DataFrame:
    """The exposure of polygons: ``EXPOSURE`` columns (shapes,), weighted by area, by the exact share of every cell.

    ``shapes`` (n,) are valid Polygons and MultiPolygons in ``crs``. ``max`` is over all cells that a polygon covers in
    part. A shape without area (a point) is looked up where it stands; None and empty shapes are wholly unknown. On a
    raster in degrees all cells count alike: within a city they are.
    """
    xy, first_vertex, outline, first_ring = _rings(shapes)
    col, row = hazard.grid.cells(xy[:, 0], xy[:, 1], crs=crs)
    values = np.ascontiguousarray(hazard.grid.values)
    sums = traversal.under_polygons(values, first_ring, first_vertex, outline, col, row, above=params.affected_above)
    flat = np.flatnonzero((sums[:, TOTAL] == 0) & (shapely.get_num_coordinates(shapes) > 0))
    first = _offsets(shapely.get_num_coordinates(shapes[flat]))[:-1]
    xy = shapely.get_coordinates(shapes[flat])
    col, row = hazard.grid.cells(xy[:, 0], xy[:, 1], crs=crs)
    sums[flat] = _points(hazard.grid, col[first], row[first], params=params)
    return _exposure(sums)


def expose_points(x: Floats, y: Floats, *, crs: str, hazard: Hazard, params: ExposureParams = DEFAULT) -> pd.DataFrame:
    """The exposure of points (n,) in ``crs``: the value of the cell each lies in, as ``EXPOSURE`` columns."""
    return _exposure(_points(hazard.grid, *hazard.grid.cells(x, y, crs=crs), params=params))


def worst(exposures: Sequence[pd.DataFrame]) -> pd.DataFrame:
    """The worst of several exposures of the same shapes to hazards of one kind: the highest of each column.

    ``max`` and ``mean`` skip what is not known in one but known in another. ``share_affected`` is the largest share, a
    lower bound of what any of them affects; ``share_unknown`` the largest too, as far as it leaves room: ground
    known to be affected by one hazard is not unknown. ``exempt`` holds where it holds in all. At least one exposure.
    """
    first, *others = exposures
    result = first.copy()
    for other in others:
        result = result[list(EXPOSURE)].combine(other[list(EXPOSURE)], np.fmax)
    result["share_unknown"] = np.minimum(result["share_unknown"], 1 - result["share_affected"])
    if all("exempt" in exposure for exposure in exposures):
        result["exempt"] = np.logical_and.reduce([exposure["exempt"].to_numpy() for exposure in exposures])
    return result


def exempt(exposure: pd.DataFrame, rows: Mask) -> pd.DataFrame:
    """The exposure with some rows (n,) taken out of the hazard's reach, e.g. bridges above the water.

    Those become 0 throughout, known by decision rather than measurement: the column ``exempt`` says so.
    """
    kept = np.where(rows[:, None], 0.0, exposure[list(EXPOSURE)].to_numpy())
    return pd.DataFrame(kept, columns=list(EXPOSURE), index=exposure.index).assign(exempt=rows)


def _exposure(sums: Floats) -> pd.DataFrame:
    """``traversal.SUMS`` as exposure columns."""
    total, known_part = sums[:, TOTAL], sums[:, KNOWN]
    nothing = known_part <= 0
    mean = np.divide(sums[:, WEIGHTED], known_part, out=np.full(len(sums), np.nan), where=~nothing)
    columns = {
        "max": np.where(nothing, np.nan, sums[:, HIGHEST]),
        "mean": mean,
        "share_affected": _share(sums[:, AFFECTED], total),
        "share_unknown": 1 - _share(known_part, total),
    }
    return pd.DataFrame(columns)


def _share(part: Floats, total: Floats) -> Floats:
    """Part of total, 0 where there is no total, and rounding taken off both ends."""
    share = np.divide(part, total, out=np.zeros(len(total)), where=(total > 0) & np.isfinite(total))
    share[share < ROUNDING] = 0
    share[share > 1 - ROUNDING] = 1
    return share


def _points(grid: Grid, col: Floats, row: Floats, *, params: ExposureParams) -> Floats:
    """Points in cells (n,) as ``traversal.SUMS``, each of weight 1."""
    rows, cols = grid.values.shape
    inside = (col >= 0) & (col < cols) & (row >= 0) & (row < rows)
    value = np.full(len(col), np.nan)
    value[inside] = grid.values[row[inside].astype(np.int64), col[inside].astype(np.int64)]
    measured = ~np.isnan(value)
    sums = np.zeros((len(col), len(traversal.SUMS)))
    sums[:, TOTAL], sums[:, KNOWN], sums[:, AFFECTED] = 1, measured, value > params.affected_above
    sums[:, WEIGHTED] = sums[:, HIGHEST] = np.where(measured, value, 0)
    return sums


def _rings(shapes: Shapes) -> tuple[Floats, Ints, Mask, Ints]:
    """All rings, as ``traversal.under_polygons`` takes them; only polygons have any.

    Vertices (vertices, 2), the first vertex of each ring, which rings are outlines, and the first ring of each shape.
    """
    areal = (shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes)
    if not areal.any():
        return np.zeros((0, 2)), _offsets(np.zeros(0, dtype=np.int64)), np.zeros(0, dtype=bool), _offsets(areal)
    _, xy, (ring, part, *shape) = shapely.to_ragged_array(shapes[areal], include_z=False)
    outline = np.zeros(len(ring) - 1, dtype=bool)
    outline[part[:-1]] = True
    rings = np.zeros(len(shapes), dtype=np.int64)
    rings[areal] = np.diff(part[shape[0]] if shape else part)
    return xy, ring.astype(np.int64), outline, _offsets(rings)


def _offsets(counts: NDArray[np.integer]) -> Ints:
    return np.concatenate([[0], np.cumsum(counts)]).astype(np.int64)
