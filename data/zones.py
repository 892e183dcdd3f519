"""Outlines of hazards (zones with a class, a depth or a text) as rasters: the worst of what lies on a place counts.

::

    ┌────────────┐            0  0  0  0  0
    │ 0.5 m  ┌───┼────┐       0 .5 .5  3  3      where outlines lie on each other the worse wins
    │        │ 3 m    │  →    0 .5 .5  3  3      outside all outlines nothing is affected, as far as the map says
    └────────┼───┘    │       0  0  0  3  3      an outline smaller than a cell still gets the cell it lies in
             └────────┘

A cell belongs to the outline its middle lies in; how far the cells' area is from the outlines' own is said.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from rasterio.features import rasterize
from rasterio.transform import Affine
from scipy.spatial import cKDTree

from data import standards, vectors
from data.hazards import KINDS, Kind
from data.located import Near
from data.nodata import Named
from data.repair import repaired
from data.rows import numbered, told
from data.zonevalues import valued
from geo.errors import Fault, InputError, UnreadableError
from geo.hazards import Grid
from geo.reasons import Finding, counted

CELLS_MAX = 50_000_000
"""Most cells outlines are laid out in; more, and the cells are made larger."""
EARTH_KM = 6371.0
"""Mean radius of the earth."""
Bounds = tuple[float, float, float, float]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Zones:
    """Parts of outlines (n,): polygons in one metric CRS, each with its value in the kind's unit, NaN not known."""

    shapes: Shapes
    values: Floats
    crs: str

    def __repr__(self) -> str:
        return f"Zones({len(self.shapes)} outlines, {len(np.unique(self.values))} values, {self.crs})"


def read(
    path: str | Path, *, kind: str, unit: str, into: str, crs: str | None = None, column: str | None = None,
    classes: Mapping[str, float] | None = None, constants: Mapping[str, str] | None = None,
    nodata: Named = None, cell_m: float | None = None, extent: Bounds | None = None, near: Near | None = None,
    table: str | None = None,
) -> tuple[Grid, tuple[Finding, ...]]:  # fmt: skip
    """Outlines of a hazard as a Grid of square cells in the metric CRS ``into``, and what to say of them.

    ``column`` of the file says how bad each is: a number in ``unit``, a text such as ``0.3~0.5m未満`` (read as its
    upper end), or a class that ``classes`` explains in ``unit``; None takes a column of a usual name. ``constants``
    gives all outlines one value instead: ``{"level": "5"}``. ``nodata`` are numbers that mean not known. ``cell_m`` is
    the cells' width, metres (default: the standards'). ``extent`` (west, south, east, north in ``into``) is the ground
    the Grid covers, by default that of the outlines; ground outside all outlines is 0, unknown (NaN) where less is
    worse. ``near`` and ``table`` are as for ``vectors.read``. Raises what that raises, UnreadableError for points and
    lines, ColumnError, ParameterError and InputError (values that cannot be).
    """
    content = vectors.read(path, crs=crs, into=into, near=near, columns={} if table is None else {vectors.TABLE: table})
    return understood(
        content, kind=kind, unit=unit, column=column, classes=classes, constants=constants, nodata=nodata,
        cell_m=cell_m, extent=extent,
    )  # fmt: skip


def understood(
    found: vectors.Read, *, kind: str, unit: str, column: str | None = None,
    classes: Mapping[str, float] | None = None, constants: Mapping[str, str] | None = None, nodata: Named = None,
    cell_m: float | None = None, extent: Bounds | None = None,
) -> tuple[Grid, tuple[Finding, ...]]:  # fmt: skip
    """What ``vectors.read`` gave, in a metric CRS, as a Grid; the rest as for ``read``."""
    of, where, into = KINDS[kind], str(found.path), str(found.table.crs.to_string())
    frame, said = _areas(found.table, where, extent)
    values, more = valued(
        frame, kind=kind, unit=unit, column=column, classes=classes, constants=constants, nodata=nodata, where=where
    )
    zones, repairs = _parted(frame, values, into)
    grid, laid = _laid_out(zones, of, extent, _cell(cell_m), where)
    return grid, (*found.notes, *said, *more, *repairs, *laid)


def _cell(cell_m: float | None) -> float:
    return standards.load().number("hazard.cell_m") if cell_m is None else cell_m


def _areas(frame: gpd.GeoDataFrame, where: str, extent: Bounds | None) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The rows that are outlines; UnreadableError where there is none, with what the file has instead."""
    shapes = frame.geometry.to_numpy()
    areal = (shapely.get_dimensions(shapes) == 2) & ~shapely.is_empty(shapes)
    if not areal.any():
        raise UnreadableError(_no_areas(frame, where, extent))
    others = np.flatnonzero(~areal)
    if not len(others):
        return frame, ()
    said = Finding(
        "zones_not_areas",
        told("{n} rows are no outlines (points, lines or nothing) and say nothing of ground.", len(others)),
        f"{len(others)}行不是面（点、线或空几何），未采用。", "warning",
        count=len(others), rows=numbered(frame.index[others]),
    )  # fmt: skip
    return frame[areal], (said,)


def _no_areas(frame: gpd.GeoDataFrame, where: str, extent: Bounds | None) -> Fault:
    """Why a file without an outline cannot be a hazard: points that are far apart, lines, or nothing."""
    shapes = frame.geometry[frame.geometry.notna() & ~frame.geometry.is_empty]
    dimensions = set(shapely.get_dimensions(shapes.to_numpy()))
    expected = "outlines of the hazard (polygons), or a raster"
    if dimensions == {0}:
        wide = f", for a study {_width_km(extent):,.0f} km wide" if extent else ""
        found = f"{len(shapes):,} points some {_spacing_km(shapes):,.1f} km apart{wide}"
        cure = "Points say nothing of the ground between them: ask for the outlines or the raster of this place."
        return Fault(expected, found, where, cure)
    found = "lines" if dimensions else "no row with a place"
    return Fault(
        expected, found, where, "A line has no area: make an outline of it (QGIS: Buffer)." if dimensions else ""
    )


def _width_km(extent: Bounds) -> float:
    return max(extent[2] - extent[0], extent[3] - extent[1]) / 1000


def _spacing_km(points: gpd.GeoSeries) -> float:
    """The middle distance from a point to the next, along the globe; NaN for one alone."""
    lon, lat = np.radians(shapely.get_coordinates(points.to_crs("EPSG:4326").to_numpy())).T
    on_globe = np.column_stack([np.cos(lat) * np.cos(lon), np.cos(lat) * np.sin(lon), np.sin(lat)])
    distinct = np.unique(on_globe[np.isfinite(on_globe).all(axis=1)], axis=0)
    if len(distinct) < 2:
        return math.nan
    chord = np.asarray(cKDTree(distinct).query(distinct, k=2)[0])[:, 1]
    return float(np.median(2 * np.arcsin(chord / 2)) * EARTH_KM)


def _parted(frame: gpd.GeoDataFrame, values: Floats, crs: str) -> tuple[Zones, tuple[Finding, ...]]:
    """Every part of every outline by itself, mended where it crosses itself; parts may touch or cover each other."""
    parts, of = shapely.get_parts(frame.geometry.to_numpy(), return_index=True)
    wrong = np.flatnonzero(~shapely.is_valid(parts))
    for at in wrong:
        parts[at] = repaired(parts[at])
    there = ~shapely.is_missing(parts)
    whole, again = shapely.get_parts(parts[there], return_index=True)
    zones = Zones(whole, values[of[there][again]], crs)
    if not len(wrong):
        return zones, ()
    rows = np.unique(of[wrong])
    said = Finding(
        "zones_repaired", told("{n} outlines cross themselves and were mended.", len(rows)),
        f"{len(rows)}个面存在自相交，已修复。", "repaired", count=len(rows), rows=numbered(frame.index[rows]),
    )  # fmt: skip
    return zones, (said,)


def _laid_out(
    zones: Zones, of: Kind, extent: Bounds | None, cell_m: float, where: str
) -> tuple[Grid, tuple[Finding, ...]]:
    """The outlines in cells over the extent; those beyond it are left out and counted."""
    bounds = extent or _box(np.asarray(shapely.total_bounds(zones.shapes)))
    within = shapely.intersects(zones.shapes, shapely.box(*bounds))
    if not within.any():
        cure = "Check the file, or name its coordinate system with --crs EPSG:N."
        raise InputError(Fault("outlines in the study", "none: all lie outside it", where, cure))
    inside = Zones(zones.shapes[within], zones.values[within], zones.crs)
    frame = _frame(bounds, cell_m)
    cells, lost = _burned(inside, frame, of)
    grid = Grid(cells, tuple(frame.transform)[:6], zones.crs)
    return grid, tuple(_told(inside, frame, cells, of, lost=lost, beyond=int((~within).sum()), asked_m=cell_m))


@dataclass(frozen=True)
class Frame:
    """Rows and columns of square cells of ``cell_m`` metres whose corners lie on multiples of it."""

    transform: Affine
    rows: int
    columns: int
    cell_m: float


def _frame(bounds: Bounds, cell_m: float) -> Frame:
    """Cells over the bounds, larger than asked where there would be more than ``CELLS_MAX``."""
    west, south, east, north = bounds
    while True:
        left, top = math.floor(west / cell_m), math.ceil(north / cell_m)
        columns, rows = max(math.ceil(east / cell_m) - left, 1), max(top - math.floor(south / cell_m), 1)
        if columns * rows <= CELLS_MAX:
            return Frame(Affine(cell_m, 0, left * cell_m, 0, -cell_m, top * cell_m), rows, columns, cell_m)
        cell_m *= max(math.sqrt(columns * rows / CELLS_MAX), 1.001)


def _burned(zones: Zones, frame: Frame, of: Kind) -> tuple[NDArray[np.float32], int]:
    """Values of the cells, and how many parts were smaller than a cell and got the one that they lie in."""
    outside = 0.0 if of.worse == "more" else np.nan
    order = _from_least(zones.values, of)
    owner = rasterize(
        zip(zones.shapes[order], range(1, len(order) + 1), strict=True), out_shape=(frame.rows, frame.columns), fill=0,
        transform=frame.transform, dtype="int32",
    )  # fmt: skip
    cells = np.concatenate([[outside], zones.values[order]]).astype(np.float32)[owner]
    seen = np.zeros(len(order) + 1, dtype=bool)
    seen[np.unique(owner)] = True
    lost = [at for at in order[~seen[1:]] if not _has_a_middle(zones.shapes[at], frame)]
    _put(cells, zones.shapes[lost], zones.values[lost], frame, of)
    return cells, len(lost)


def _from_least(values: Floats, of: Kind) -> NDArray[np.intp]:
    """The order in which outlines are laid on each other: unknown first, the worst last."""
    badness = values if of.worse == "more" else -values
    return np.argsort(np.where(np.isnan(badness), -np.inf, badness), kind="stable")


def _has_a_middle(shape: shapely.Geometry, frame: Frame) -> bool:
    """Whether the middle of any cell lies in an outline."""
    west, south, east, north = shapely.bounds(shape)
    size, left, top = frame.cell_m, frame.transform.c, frame.transform.f
    x = left + (np.arange(math.floor((west - left) / size), math.ceil((east - left) / size) + 1) + 0.5) * size
    y = top - (np.arange(math.floor((top - north) / size), math.ceil((top - south) / size) + 1) + 0.5) * size
    return bool(shapely.contains_xy(shape, *(axis.ravel() for axis in np.meshgrid(x, y))).any())


def _put(cells: NDArray[np.float32], shapes: Shapes, values: Floats, frame: Frame, of: Kind) -> None:
    """The cell that each small outline lies in gets its value where that is the worse; 0 becomes unknown for NaN."""
    inner = shapely.get_coordinates(shapely.point_on_surface(shapes))
    column = np.floor((inner[:, 0] - frame.transform.c) / frame.cell_m).astype(np.int64)
    row = np.floor((frame.transform.f - inner[:, 1]) / frame.cell_m).astype(np.int64)
    on = (column >= 0) & (column < frame.columns) & (row >= 0) & (row < frame.rows)
    row, column, value = row[on], column[on], values[on].astype(np.float32)
    lacking = np.isnan(value) & (cells[row, column] == 0)
    cells[row[lacking], column[lacking]] = np.nan
    worst: Any = np.fmax if of.worse == "more" else np.fmin
    worst.at(cells, (row, column), value)


def _told(
    zones: Zones, frame: Frame, cells: NDArray[np.float32], of: Kind, *, lost: int, beyond: int, asked_m: float
) -> Iterator[Finding]:
    """What became of the outlines: their area in cells, the small, the unknown and those outside."""
    yield _area(zones, frame, cells, of)
    yield Finding(
        "zones_outside_none" if of.worse == "more" else "zones_outside_unknown",
        f"Ground outside all outlines counts as {of.none_is}, as far as this map says." if of.worse == "more" else
        "Of ground outside all outlines nothing is known.",
        "所有面以外的区域按该图视为不受影响。" if of.worse == "more" else "所有面以外的区域视为未知。",
    )  # fmt: skip
    if frame.cell_m > asked_m:
        yield Finding(
            "zones_cells_larger",
            f"Cells of {asked_m:g} m would be more than {CELLS_MAX:,}: they are {frame.cell_m:.1f} m wide.",
            f"{asked_m:g}米单元将超过{CELLS_MAX}个，已改为{frame.cell_m:.1f}米。", "warning",
        )  # fmt: skip
    if lost:
        yield Finding(
            "zones_small",
            told(f"{{n}} outlines are smaller than a cell of {frame.cell_m:g} m; each got the cell it lies in.", lost),
            f"{lost}个面小于{frame.cell_m:g}米单元，各按其所在单元计。", count=lost,
        )  # fmt: skip
    if beyond:
        yield Finding("zones_beyond", told("{n} outlines lie outside the study and are left out.", beyond),
                      f"{beyond}个面位于研究范围外，未采用。", count=beyond)  # fmt: skip


def _area(zones: Zones, frame: Frame, cells: NDArray[np.float32], of: Kind) -> Finding:
    """The area of the outlines within the frame, what lies on each other once, beside that of their cells."""
    west, north = frame.transform.c, frame.transform.f
    box = shapely.box(west, north - frame.rows * frame.cell_m, west + frame.columns * frame.cell_m, north)
    some = zones.shapes[(zones.values > 0) | np.isnan(zones.values)]
    true = shapely.area(shapely.intersection(shapely.union_all(some), box)) / 10_000
    hit = np.isnan(cells) | (cells > 0) if of.worse == "more" else ~np.isnan(cells)
    count = int(hit.sum())
    laid = count * frame.cell_m**2 / 10_000
    off = abs(laid - true) / true if true else 0.0
    return Finding(
        "zones_area", told(f"{{n}} outlines of {true:,.1f} ha are laid out in {counted(count, 'cell')} of "
                           f"{frame.cell_m:g} m, {laid:,.1f} ha: {off:.1%} off.", len(zones.shapes)),
        f"{len(zones.shapes)}个面（{true:.1f}公顷）栅格化为{count}个{frame.cell_m:g}米单元（{laid:.1f}公顷），"
        f"相差{off:.1%}。", count=len(zones.shapes),
    )  # fmt: skip


def _box(edges: NDArray[np.float64]) -> Bounds:
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north
