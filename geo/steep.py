"""Steep slopes from heights of the ground: each with its foot, its upper edge and its height.

::

    ────┐ top   the sides between steep cells and higher ones behind them; 10 m from there is Japan's strip above
         ╲
          ╲ face  the steep cells themselves, which join over sides and corners to one slope
           ╲
     toe    └────  the sides towards lower cells; 2 H, at most 50 m, from there is the strip below

The height H of a slope is that from the lowest to the highest of its cells and of those that share a side with one: the
edges lie between the two. Rule: 土砂災害防止法施行令, steep slopes (急傾斜地の崩壊).
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field
from scipy import ndimage

from geo import traced, windows
from geo.crs import reproject
from geo.curves import Sourced
from geo.derived import slope
from geo.hazards import Grid
from geo.reasons import Finding
from geo.windows import Extent

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Labels = NDArray[np.int32]
Shapes = NDArray[np.object_]

KINDS = ("toe", "top", "face")
"""Foot and upper edge of a slope (lines), and the steep ground itself (polygons)."""
COLUMNS = ("source_id", "name", "name_zh", "name_en", "kind", "height_m", "slope_deg")
_NEIGHBOURS = np.ones((3, 3), dtype=bool)
_SIDES = ((-1, 0, (0, 0), (0, 1)), (1, 0, (1, 0), (1, 1)), (0, -1, (0, 0), (1, 0)), (0, 1, (0, 1), (1, 1)))
"""The neighbour over each side (rows, columns), and the two corners of that side."""


class SteepParams(Sourced):
    """What counts as a steep slope."""

    subject = "steep"
    least_deg: float = Field(default=30.0, gt=0, lt=90, description="Slope from which ground is steep, degrees.")
    least_height_m: float = Field(default=5.0, ge=0, le=1000, description="Height from which a slope counts, metres.")
    coarse_m: float = Field(
        default=10.0, gt=0, le=1000, description="Cells of the heights above which strips are uncertain, metres."
    )


DEFAULT = SteepParams()


@dataclass(frozen=True, eq=False)
class _Slopes:
    """Steep cells: ``label`` (rows, cols) from 1, 0 for none; ``height_m`` and ``slope_deg`` (slopes,); ``heights``."""

    heights: Grid
    label: Labels
    height_m: Floats
    slope_deg: Floats


def slopes(
    heights: Grid, *, extent: Extent, crs: str, params: SteepParams = DEFAULT
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The steep slopes in an extent (smallest x and y, largest x and y, in ``crs``), and what must be said of them.

    A row for each slope and kind: ``COLUMNS`` and geometry; ``slope_deg`` is that of its steepest cell. A slope that
    runs on beyond the extent is measured as far as the extent goes. Where heights are not known, nothing is steep.
    """
    top, bottom, left, right = windows.window(heights, extent, crs=crs, more=2)
    if top == bottom:
        return _table([], crs), (_unknown(1.0, 0),)
    part = _part(heights, top, bottom, left, right)
    degrees, cell_m = slope(part, crs=crs)
    found = _told(_joined(part, degrees, params), params)
    kept = np.flatnonzero(found.height_m > 0)
    table = _table([_faces(found, crs), *(_edges(found, kind, crs) for kind in KINDS[:2])], crs)
    return table, _said(cell_m, np.isnan(degrees[1:-1, 1:-1]), len(kept), params)


def _part(heights: Grid, top: int, bottom: int, left: int, right: int) -> Grid:
    a, b, c, d, e, f = heights.transform
    corner = (a, b, c + a * left + b * top, d, e, f + d * left + e * top)
    return replace(heights, values=heights.values[top:bottom, left:right], transform=corner)


def _joined(part: Grid, degrees: Floats, params: SteepParams) -> _Slopes:
    """Steep cells that touch each other, over a side or a corner, are one slope."""
    label, count = ndimage.label(np.nan_to_num(degrees) >= params.least_deg, structure=_NEIGHBOURS)
    numbers = np.arange(1, count + 1)
    steepest = np.asarray(ndimage.maximum(np.nan_to_num(degrees), label, numbers) if count else [], dtype=np.float64)
    z = part.values.astype(np.float64)
    low, high = np.full(count + 1, np.inf), np.full(count + 1, -np.inf)
    for over in (label, *(_shifted(label, rows, cols) for rows, cols, _, _ in _SIDES)):
        of = (over > 0) & np.isfinite(z)
        np.minimum.at(low, over[of], z[of])
        np.maximum.at(high, over[of], z[of])
    rise = (high - low)[1:]
    return _Slopes(part, label.astype(np.int32), rise, steepest)


def _shifted(values: NDArray[Any], rows: int, cols: int, *, beyond: float = 0) -> NDArray[Any]:
    """What stands so many rows and columns further."""
    padded = np.pad(values, 1, constant_values=beyond)
    return padded[1 + rows : padded.shape[0] - 1 + rows, 1 + cols : padded.shape[1] - 1 + cols]


def _told(found: _Slopes, params: SteepParams) -> _Slopes:
    """Slopes that are too low are none."""
    counts = np.r_[False, found.height_m >= params.least_height_m]
    return replace(
        found, label=np.where(counts[found.label], found.label, 0).astype(np.int32),
        height_m=np.where(counts[1:], found.height_m, 0.0),
    )  # fmt: skip


def _faces(found: _Slopes, crs: str) -> gpd.GeoDataFrame:
    """The steep ground of each slope, in pieces that meet in corners at most."""
    ground = traced.polygons(found.heights, found.label > 0, crs=crs, tile=max(found.label.shape) + 1)
    return _rows(found, found.label[ground.row, ground.col], ground.shapes, "face", crs)


def _edges(found: _Slopes, kind: str, crs: str) -> gpd.GeoDataFrame:
    """The sides of steep cells towards lower ground (``toe``) or higher ground (``top``) that is not steep."""
    z = found.heights.values.astype(np.float64)
    of: list[Labels] = []
    ends: list[Ints] = []
    for rows, cols, first, last in _SIDES:
        there = _shifted(z, rows, cols, beyond=np.nan)
        over = there < z if kind == "toe" else there > z
        row, col = np.nonzero((found.label > 0) & (_shifted(found.label, rows, cols) == 0) & over)
        of.append(found.label[row, col])
        ends.append(np.column_stack([col + first[1], row + first[0], col + last[1], row + last[0]]))
    lines = _lines(found.heights, np.concatenate(ends), crs)
    return _rows(found, np.concatenate(of), lines, kind, crs)


def _lines(grid: Grid, ends: Ints, crs: str) -> Shapes:
    """Straight lines between corners (n, 4): column and row, column and row."""
    a, b, c, d, e, f = grid.transform
    col, row = ends.reshape(-1, 2).T.astype(np.float64)
    x, y = reproject(a * col + b * row + c, d * col + e * row + f, source=grid.crs, target=crs)
    return np.asarray(shapely.linestrings(np.column_stack([x, y]).reshape(-1, 2, 2)))


def _rows(found: _Slopes, label: Labels, shapes: Shapes, kind: str, crs: str) -> gpd.GeoDataFrame:
    """One row a slope: its shapes together, lines joined where they meet."""
    order = np.argsort(label, kind="stable")
    numbers, group = np.unique(label[order], return_inverse=True)
    together = shapely.MultiPolygon if kind == "face" else shapely.MultiLineString
    parts = np.split(shapes[order], np.flatnonzero(np.diff(group)) + 1) if len(order) else []
    joined = np.array([together(list(part)) for part in parts], dtype=object)
    return gpd.GeoDataFrame(
        {
            "source_id": _ids(found, numbers), "name": None, "name_zh": None, "name_en": None, "kind": kind,
            "height_m": found.height_m[numbers - 1], "slope_deg": found.slope_deg[numbers - 1],
        },
        geometry=joined if kind == "face" else shapely.line_merge(joined), crs=crs,
    )  # fmt: skip


def _ids(found: _Slopes, numbers: Labels) -> list[str]:
    """Slopes by where their first cell lies: numbers of the raster change with the extent."""
    cells, first = np.unique(found.label.ravel(), return_index=True)
    row, col = np.divmod(first[np.searchsorted(cells, numbers)], found.label.shape[1])
    a, b, c, d, e, f = found.heights.transform
    x, y = a * (col + 0.5) + b * (row + 0.5) + c, d * (col + 0.5) + e * (row + 0.5) + f
    return [f"slope {east:.9g} {north:.9g}" for east, north in zip(x, y, strict=True)]


def _table(parts: list[gpd.GeoDataFrame], crs: str) -> gpd.GeoDataFrame:
    """All rows, sorted by slope and kind; the right columns where there are none."""
    full = [part for part in parts if len(part)]
    if not full:
        columns = {name: pd.Series(dtype="float64" if name[-2:] in ("_m", "eg") else "object") for name in COLUMNS}
        return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=crs), crs=crs)
    table = gpd.GeoDataFrame(pd.concat(full, ignore_index=True), crs=crs)
    return table.sort_values(["source_id", "kind"], ignore_index=True)


def _said(cell_m: float, unknown: Mask, count: int, params: SteepParams) -> tuple[Finding, ...]:
    found = []
    if cell_m > params.coarse_m:
        found.append(Finding(
            "steep_coarse", f"The heights have cells of {cell_m:.0f} m: short steep slopes are not seen, and where a "
            f"slope begins and ends is known to {cell_m:.0f} m only; {count:,} steep slopes are drawn.",
            f"高程格网约{cell_m:.0f}米：短陡坡无法识别，坡顶与坡脚位置误差约{cell_m:.0f}米；共识别{count:,}处陡坡。",
            "warning", count, do_en=f"Bring heights in cells of at most {params.coarse_m:g} m.",
            do_zh=f"请导入格网不大于{params.coarse_m:g}米的高程数据。",
        ))  # fmt: skip
    if unknown.any():
        found.append(_unknown(float(unknown.mean()), int(unknown.sum())))
    return tuple(found)


def _unknown(share: float, count: int) -> Finding:
    return Finding(
        "steep_unknown", f"The slope of {share:.0%} of the ground is not known: steep slopes there are not seen.",
        f"{share:.0%}的地面坡度未知，其中的陡坡无法识别。", "warning", count,
        do_en="Bring heights that cover the study.", do_zh="请导入覆盖研究范围的高程数据。",
    )  # fmt: skip
