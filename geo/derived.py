"""Hazards made from the study's own map and heights: near water, steep, near fuel and industry, under lines, old dense.

They say where ground is worse than elsewhere, not what will happen. Each comes as levels 0-5 on square cells in the
study's CRS. Distances are exact from a cell's middle to what is drawn. Where the map has no source of a kind at all,
nothing is known (NaN): not mapped is not none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import AfterValidator, Field
from scipy.ndimage import convolve1d

from geo import windows
from geo.crs import reproject
from geo.curves import LEVELS, Rising, Shares, Sourced, Word
from geo.errors import Fault, InputError
from geo.frames import Frame, onto
from geo.hazards import Grid, Hazard
from geo.nearness import lay, spread
from geo.network import below_ground
from geo.reasons import Finding, Sentence

Floats = NDArray[np.float64]
Values = NDArray[np.float32]
Shapes = NDArray[np.object_]
Found = tuple[Values, tuple[Finding, ...]]

KINDS: Mapping[str, Sentence] = {
    "waterside": Sentence("waterside", "Waterside", "临水地带"),
    "steep_slope": Sentence("steep_slope", "Steep slope", "陡坡"),
    "fuel_industry": Sentence("fuel_industry", "Near fuel and industry", "加油站、储罐和工业周边"),
    "power_line": Sentence("power_line", "Below power lines", "高压线走廊"),
    "old_dense": Sentence("old_dense", "Dense old buildings", "老旧密集建筑"),
}
"""Hazards that can be derived, with their labels."""
BUILT_YEAR = "built_year"
"""Column of buildings with the year they were built, NaN where not known; it need not be there."""


def _numbered(word: str) -> tuple[str, float, int]:
    """``river:20=4`` as ("river", 20.0, 4); ValueError where it is not of this form."""
    name, _, rest = word.partition(":")
    reach, _, level = rest.partition("=")
    return name.strip(), float(reach), int(level)


def _bands(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        try:
            name, reach, level = _numbered(word)
        except ValueError:
            name, reach, level = "", 0.0, 0
        if not (name and 0 < reach <= 5000 and 1 <= level <= LEVELS):
            raise ValueError("should be words such as river:20=4, up to 5000 metres and level 5")
    return words


def _strips(words: tuple[str, ...]) -> tuple[str, ...]:
    if not all(word.partition(":")[0].strip().replace(".", "", 1).isdecimal() for word in words):
        raise ValueError("should be words such as 110:10=3: kilovolts, metres and level")
    return _bands(words)


Bands = Annotated[tuple[Word, ...], Field(min_length=1), AfterValidator(_bands)]
Strips = Annotated[tuple[Word, ...], Field(min_length=1), AfterValidator(_strips)]


class DerivedParams(Sourced):
    """What ground near water, steep ground and so on is worth in levels."""

    subject = "derived"
    cell_m: float = Field(gt=0, le=1000, description="Side of the cells, metres.")
    cells_max: float = Field(ge=1, le=1e8, description="Most cells of a derived hazard (number).")
    waterside: Bands = Field(description="Levels by distance from open water, each as kind:metres=level (number).")
    steep_slope: Rising = Field(description="Slope from which levels 1 to 5 hold, degrees.")
    coarse_m: float = Field(gt=0, description="Cells of the elevation, metres, from which short slopes are not seen.")
    fuel_industry: Bands = Field(description="Levels by distance from fuel and industry, each as kind:metres=level.")
    power_line: Strips = Field(description="Strips of overhead lines, each as kilovolts:metres=level.")
    power_unknown_kv: float = Field(gt=0, description="Voltage taken where none is recorded, kV (number).")
    block_m: float = Field(gt=0, le=2000, description="Side of the square over which density is told, metres.")
    dense_coverage: Shares = Field(description="Share of ground under buildings from which levels 1 to 5 hold.")
    old_before: float = Field(
        ge=0, le=3000, description="Buildings from before this year count as old (year, a number)."
    )
    old_share: float = Field(ge=0, le=1, description="Share of old floor plans from which dense ground is old.")
    low_levels: float = Field(ge=0, description="Storeys up to which a building of unknown age counts as old (number).")
    low_height_m: float = Field(ge=0, description="Height up to which it does where storeys are not known, metres.")
    unsure_level: float = Field(
        ge=0, le=LEVELS, description="Highest level where the age of buildings is not known (number)."
    )


@dataclass(frozen=True)
class _Ground:
    """What a place is made of, and the frame asked for."""

    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    buildings: gpd.GeoDataFrame
    elevation: Grid | None
    frame: Frame
    params: DerivedParams


def derive(
    kind: str, *, areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame, facilities: gpd.GeoDataFrame,
    buildings: gpd.GeoDataFrame, elevation: Grid | None, extent: tuple[float, float, float, float], crs: str,
    params: DerivedParams,
) -> tuple[Hazard, tuple[Finding, ...]]:  # fmt: skip
    """A hazard of ``KINDS`` made from the map or the heights, and what must be said of it.

    Tables as ``geo.tables`` has them, in ``crs``; ``extent`` smallest x and y, largest x and y there. ``buildings`` may
    have the column ``BUILT_YEAR``. Its id and kind are ``kind``. Raises InputError for an unknown kind, and for steep
    slopes without heights; LimitError for too many cells.
    """
    if kind not in KINDS:
        raise InputError(Fault(f"a hazard of {', '.join(KINDS)}", repr(kind), "derived hazard"))
    frame = Frame.over(extent, cell_m=params.cell_m, crs=crs, cells_max=params.cells_max)
    values, findings = _MAKERS[kind](_Ground(areas, lines, facilities, buildings, elevation, frame, params))
    label = KINDS[kind]
    hazard = Hazard(
        kind, kind, "level", frame.grid(values), dry_is="no such ground", label_zh=label.zh, label_en=label.en
    )
    return hazard, findings


def _waterside(ground: _Ground) -> Found:
    below = below_ground(ground.lines)
    lines, hidden = ground.lines[~below], ground.lines[below]
    bands = [_numbered(word) for word in ground.params.waterside]
    values, findings = _near([ground.areas, lines], bands, ground.frame, "water", "水体")
    asked = hidden["kind"].isin({kind for kind, _, _ in bands}).sum()
    if asked:
        said = f"{asked:,} stretches of water in culverts and tunnels are left out."
        findings += (Finding("water_below_ground", said, f"{asked:,}段暗渠和地下水道未计入。", count=int(asked)),)
    return values, findings


def _fuel_industry(ground: _Ground) -> Found:
    bands = [_numbered(word) for word in ground.params.fuel_industry]
    return _near([ground.facilities, ground.areas], bands, ground.frame, "fuel or industry", "加油站、储罐或工业用地")


def _near(
    tables: Sequence[gpd.GeoDataFrame], bands: Sequence[tuple[str, float, int]], frame: Frame, en: str, zh: str
) -> Found:
    """Levels by distance from the rows of each kind; NaN throughout where there is no row of any."""
    values, sources = np.zeros(frame.shape, dtype=np.float32), 0
    for kind in dict.fromkeys(kind for kind, _, _ in bands):
        shapes = np.concatenate([table.geometry.to_numpy()[(table["kind"] == kind).to_numpy()] for table in tables])
        sources += len(shapes)
        reach = [(metres, level) for name, metres, level in bands if name == kind]
        spread(values, shapes, reach, frame)
    if sources:
        return values, ()
    return np.full(frame.shape, np.nan, dtype=np.float32), (_no_source(en, zh),)


def _no_source(en: str, zh: str) -> Finding:
    return Finding(
        "no_source", f"The map has no {en} here: none there, or not mapped, so nearness to it is not known.",
        f"地图中此处没有{zh}：可能没有，也可能未绘制，因此无法判断。", severity="warning",
        do_en="Bring a map that has it, or leave this hazard out.", do_zh="请导入包含该要素的数据，或不使用此项。",
    )  # fmt: skip


def _power_line(ground: _Ground) -> Found:
    lines = ground.lines[ground.lines["kind"] == "power_line"]
    if not len(lines):
        return np.full(ground.frame.shape, np.nan, dtype=np.float32), (_no_source("power lines", "电力线"),)
    kv = lines["voltage_v"].to_numpy(dtype=float) / 1000
    unsaid = np.isnan(kv)
    strips = sorted((float(name), metres, level) for name, metres, level in map(_numbered, ground.params.power_line))
    strip = np.searchsorted([upto for upto, _, _ in strips], np.where(unsaid, ground.params.power_unknown_kv, kv))
    values = np.zeros(ground.frame.shape, dtype=np.float32)
    for i, (_, metres, level) in enumerate(strips):
        of = np.minimum(strip, len(strips) - 1) == i
        spread(values, lines.geometry.to_numpy()[of], [(metres, level)], ground.frame)
    return values, _voltages(int(unsaid.sum()), int((strip == len(strips)).sum()), strips, ground.params)


def _voltages(
    unsaid: int, beyond: int, strips: Sequence[tuple[float, float, int]], params: DerivedParams
) -> tuple[Finding, ...]:
    found: list[Finding] = []
    if unsaid:
        kv = params.power_unknown_kv
        found.append(Finding("voltage_unknown", f"{unsaid:,} power lines have no voltage: taken as {kv:g} kV.",
                             f"{unsaid:,}条电力线没有电压，按{kv:g}千伏处理。", "warning", unsaid))  # fmt: skip
    if beyond:
        kv, metres, _ = strips[-1]
        en = f"{beyond:,} power lines above {kv:g} kV have the strip of {metres:g} m."
        zh = f"{beyond:,}条电力线电压高于{kv:g}千伏，按{metres:g}米保护区处理。"
        found.append(Finding("voltage_beyond", en, zh, "warning", beyond))
    return tuple(found)


def _steep_slope(ground: _Ground) -> Found:
    if ground.elevation is None:
        cure = "Add them: renxing add STUDY elevation FILE."
        raise InputError(Fault("heights of the ground", "none", "derived hazard steep_slope", cure))
    extent = ground.frame.grid(np.zeros(ground.frame.shape, dtype=np.float32)).bounds
    heights = windows.under(ground.elevation, extent, crs=ground.frame.crs, more=2)
    slopes, cell_m = slope(heights, crs=ground.frame.crs)
    bounds = np.array([float(word) for word in ground.params.steep_slope])
    level = np.searchsorted(bounds, slopes, side="right").astype(np.float32)
    level[np.isnan(slopes)] = np.nan
    values = onto(replace(heights, values=level), ground.frame)
    return values, _slopes(cell_m if cell_m > ground.params.coarse_m else 0.0, np.isnan(values))


def _slopes(coarse_m: float, unknown: NDArray[np.bool_]) -> tuple[Finding, ...]:
    """What the heights could not tell; ``coarse_m`` is the size of their cells where that is too large, else 0."""
    found: list[Finding] = []
    if coarse_m:
        en = f"The elevation has cells of {coarse_m:.0f} m: cliffs and cuttings shorter than that are not seen."
        zh = f"高程格网约{coarse_m:.0f}米，短于此的陡坎和边坡无法识别。"
        found.append(Finding("slope_coarse", en, zh, "warning"))
    if unknown.any():
        en = f"The slope of {unknown.mean():.0%} of the ground is not known."
        found.append(
            Finding("slope_unknown", en, f"{unknown.mean():.0%}的地面坡度未知。", "warning", int(unknown.sum()))
        )
    return tuple(found)


def slope(heights: Grid, *, crs: str) -> tuple[Floats, float]:
    """The slope of every cell (rows, cols) in degrees, and the side of a cell in metres, as measured in ``crs``.

    By the eight neighbours (B. Horn 1981, doi:10.1109/PROC.1981.11918); NaN where one of them, or the cell itself, is
    not known, and along the raster's edge. Rasters in degrees are measured row by row.
    """
    z = heights.values.astype(np.float64)
    across_m, down_m = _sides(heights, crs)
    found = np.full(z.shape, np.nan)
    if min(z.shape) >= 3:
        left, right = (z[:-2, k] + 2 * z[1:-1, k] + z[2:, k] for k in (slice(0, -2), slice(2, None)))
        above, below = (z[k, :-2] + 2 * z[k, 1:-1] + z[k, 2:] for k in (slice(0, -2), slice(2, None)))
        rise = np.hypot((right - left) / (8 * across_m[1:-1, None]), (below - above) / (8 * down_m[1:-1, None]))
        found[1:-1, 1:-1] = np.where(np.isnan(z[1:-1, 1:-1]), np.nan, np.degrees(np.arctan(rise)))
    return found, float(np.sqrt(np.median(across_m) * np.median(down_m)))


def _sides(grid: Grid, crs: str) -> tuple[Floats, Floats]:
    """How wide and how high the cells of each row (rows,) are, metres in ``crs``, told at the middle column."""
    rows, cols = grid.values.shape
    a, b, c, d, e, f = grid.transform
    col, row = np.full(rows, cols / 2), np.arange(rows, dtype=np.float64) + 0.5

    def at(col: NDArray[np.floating], row: NDArray[np.floating]) -> tuple[Floats, Floats]:
        x, y = a * col + b * row + c, d * col + e * row + f
        return reproject(np.asarray(x, dtype=np.float64), np.asarray(y, dtype=np.float64), source=grid.crs, target=crs)

    (west, s), (east, n) = at(col - 0.5, row), at(col + 0.5, row)
    (upper_x, upper_y), (lower_x, lower_y) = at(col, row - 0.5), at(col, row + 0.5)
    return np.hypot(east - west, n - s), np.hypot(lower_x - upper_x, lower_y - upper_y)


def _old_dense(ground: _Ground) -> Found:
    """Levels by the share of ground under buildings, where most of the floor plans are old.

    Floor plans count over a square of ``block_m``, each laid evenly over its bounding box. Where no age is known, low
    buildings count as old and the level stays at ``unsure_level`` or below; where nothing is known of them, dense
    counts as old too.
    """
    buildings, frame, params = ground.buildings, ground.frame, ground.params
    if not len(buildings):
        return np.full(frame.shape, np.nan, dtype=np.float32), (_no_source("buildings", "建筑"),)
    aged, low = _aged(buildings, params), _low(buildings, params)

    def dense(counted: NDArray[np.bool_]) -> Floats:
        return _density(buildings, counted, frame, params.block_m)

    sure, old = ~np.isnan(aged), aged == 1
    coverage, known_age = dense(np.full(len(aged), True)), dense(sure)
    bounds = np.array([float(word) for word in params.dense_coverage])
    level = np.searchsorted(bounds, coverage, side="right").astype(np.float32)
    aged_enough = known_age > coverage / 2
    mostly_old = _most(dense(old), known_age, params.old_share)
    mostly_low = _most(dense(low == 1), dense(~np.isnan(low)), params.old_share)
    unsure = np.minimum(np.where(mostly_low, level, 0), params.unsure_level)
    return np.where(aged_enough, np.where(mostly_old, level, 0), unsure).astype(np.float32), _ages(sure, low)


def _most(part: Floats, whole: Floats, share: float) -> NDArray[np.bool_]:
    """Whether at least a share is of a part; also where there is nothing to tell by."""
    return (whole <= 0) | (part >= share * whole)


def _aged(buildings: gpd.GeoDataFrame, params: DerivedParams) -> Floats:
    """1 for old buildings, 0 for others, NaN where the year is not known, (buildings,)."""
    if BUILT_YEAR not in buildings:
        return np.full(len(buildings), np.nan)
    year = buildings[BUILT_YEAR].to_numpy(dtype=float)
    return np.where(np.isnan(year), np.nan, year < params.old_before)


def _low(buildings: gpd.GeoDataFrame, params: DerivedParams) -> Floats:
    """1 for low buildings, 0 for others, NaN where neither storeys nor height are known, (buildings,)."""
    levels, height = (buildings[name].to_numpy(dtype=float) for name in ("levels", "height_m"))
    by_height = np.where(np.isnan(height), np.nan, height <= params.low_height_m)
    return np.where(np.isnan(levels), by_height, levels <= params.low_levels)


def _ages(sure: NDArray[np.bool_], low: Floats) -> tuple[Finding, ...]:
    count, untold = int((~sure).sum()), int((~sure & np.isnan(low)).sum())
    if not count:
        return ()
    return (Finding(
        "age_unknown", f"The age of {count:,} of {len(sure):,} buildings is not known: dense ground is judged by low "
        f"buildings instead, and by density alone where {untold:,} of them have no storeys or height either.",
        f"{len(sure):,}栋建筑中有{count:,}栋建成年代未知：改以低层建筑判断；其中{untold:,}栋亦无层数和高度，仅按密度判断。",
        "warning", count, do_en=f"Bring buildings with a column {BUILT_YEAR}.",
        do_zh=f"请导入含{BUILT_YEAR}列的建筑数据。",
    ),)  # fmt: skip


def _density(buildings: gpd.GeoDataFrame, counted: NDArray[np.bool_], frame: Frame, block_m: float) -> Floats:
    """The share of ground under those counted, over a square round each cell, (rows, cols); less at the edge."""
    shapes = buildings.geometry.to_numpy()[counted]
    west, south, east, north = shapely.bounds(shapes).T
    under, side = np.zeros(frame.shape), frame.cell_m
    lay(under, (west - frame.west) / side, (east - frame.west) / side, (frame.north - north) / side,
        (frame.north - south) / side, shapely.area(shapes) / side**2)  # fmt: skip
    weights = _window(block_m / side)
    share = convolve1d(convolve1d(under, weights, axis=0, mode="constant"), weights, axis=1, mode="constant")
    return np.clip(np.round(share, 9), 0, 1)


def _window(cells: float) -> Floats:
    """Weights, together 1, of the cells in a row that a stretch of so many cells round a middle one covers."""
    beside = max((cells - 1) / 2, 0.0)
    whole = int(beside)
    weights = np.r_[beside - whole, np.ones(2 * whole + 1), beside - whole]
    return np.asarray(weights / weights.sum())


_MAKERS: Mapping[str, Callable[[_Ground], Found]] = {
    "waterside": _waterside, "steep_slope": _steep_slope, "fuel_industry": _fuel_industry,
    "power_line": _power_line, "old_dense": _old_dense,
}  # fmt: skip
