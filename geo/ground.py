"""What of a site people can use, and how many it holds: ground that is left, floors that are dry, area per person.

``survey`` measures each site once against the map: buildings on it, strips that collapsing buildings cover, gaps to
fire sources, steep ground, the way to major hazards. ``usable`` puts a scenario on it, ``rooms`` makes people of it.
Losses of one kind are measured exactly on the outlines, each beyond the ones before it; shares that a raster tells
(water, other hazards, slope) are taken as spread evenly over what is left. What is not known is NaN and takes nothing
away; it is said.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo import hazards, windows
from geo import heights as building_heights
from geo.curves import Sourced, Word
from geo.derived import slope
from geo.exposures import Faced
from geo.hazards import ExposureParams, Grid, Hazard
from geo.membership import NONE, smallest_holding
from geo.overlays import areas_of_growing, sound
from geo.reasons import Finding, Severity

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

LEAST_M = 0.01
"""Smallest rubble strip or gap, metres, that is looked at."""
NOTHING_M2 = 1e-6
"""Ground smaller than this is rounding."""
ROUND = 16
"""Straight pieces a quarter of a round corner is drawn with."""


class SiteParams(Sourced):
    """What of a site can be used."""

    subject = "site"

    open_usable_share: float = Field(gt=0, le=1, description="Share of open ground that can be used, 0-1.")
    floor_usable_share: float = Field(gt=0, le=1, description="Share of floor area that can be used, 0-1.")
    collapse_hazards: tuple[Word, ...] = Field(description="Hazards in which buildings may collapse.")
    collapse_always: bool = Field(description="Whether ground beside buildings counts as lost on any day.")
    own_buildings_stand: bool = Field(
        description="Whether a site's own buildings stand: they shed no rubble and their floors hold people."
    )
    unknown_height_m: float = Field(
        ge=0, le=100, description="Height of a building of which neither height nor storeys are known, metres."
    )
    fire_gap_m: float = Field(ge=0, le=500, description="Distance of usable ground from fire sources, metres.")
    fire_sources: tuple[Word, ...] = Field(description="Kinds of facilities and areas that are fire sources.")
    major_gap_m: float = Field(ge=0, le=10_000, description="Distance of shelters from major hazards, metres.")
    major_hazards: tuple[Word, ...] = Field(description="Kinds of facilities and areas that are major hazards.")
    major_hazard_in: tuple[Word, ...] = Field(
        description="Hazards in which a shelter near a major hazard is not usable."
    )
    max_slope_deg: float = Field(ge=0, le=90, description="Steepest ground that people can stay on, degrees.")
    wet_floor_m: float = Field(
        ge=0, le=5, description="Depth of water at a building above which its ground floor is lost, metres."
    )
    wet_floor_share: float = Field(
        ge=0, le=1, description="Share of a building under water up to which its ground floor is kept, 0-1."
    )

    def collapse(self, kinds: Collection[str]) -> bool:
        """Whether buildings may collapse where hazards of these kinds are in force."""
        return self.collapse_always or not set(kinds).isdisjoint(self.collapse_hazards)


@dataclass(frozen=True, eq=False)
class Own:
    """Buildings that stand on sites, one row a building: its site, outline, footprint and floor, square metres."""

    site: Ints
    shapes: Shapes
    footprint_m2: Floats
    floor_m2: Floats

    def __repr__(self) -> str:
        return f"Own({len(self.site)} buildings on {len(np.unique(self.site))} sites)"


@dataclass(frozen=True, eq=False)
class Survey:
    """What no scenario changes of the sites (n,).

    ``table`` has ``SURVEYED`` columns, indexed like the sites; ``own`` the buildings on them.
    """

    table: pd.DataFrame
    own: Own

    def __repr__(self) -> str:
        near = int(self.table["near_major_hazard"].sum())
        return f"Survey({len(self.table)} sites, {self.own!r}, {near} near a major hazard)"


SURVEYED = (
    "site_m2", "floor_m2", "share_built", "share_fire_gap", "share_rubble", "share_steep", "heights_assumed",
    "major_hazard_m", "near_major_hazard",
)  # fmt: skip
"""Columns of a survey.

``site_m2`` as stated, else of the outline; ``share_*`` of the outline, 0-1, each beyond those before it, NaN where
there is no outline or nothing is known of what takes it; ``heights_assumed`` (number) buildings beside it whose height
is not known; ``major_hazard_m`` the way to the nearest major hazard, NaN where the map has none.
"""


def survey(
    sites: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, sources: Sequence[gpd.GeoDataFrame], heights: Grid | None, *,
    params: SiteParams, storey_m: float, rubble_factor: float,
) -> Survey:  # fmt: skip
    """Sites (n,) measured against the map, all in one metric CRS.

    ``buildings`` are ``geo.tables.BUILDINGS``, none of them: not known; ``sources`` tables with ``kind`` in which fire
    sources and major hazards are looked for; ``heights`` the ground's, None when not known. ``storey_m`` makes a height
    of storeys, ``rubble_factor`` of a height how far a building throws rubble.
    """
    shapes = np.asarray(sites.geometry.to_numpy(), dtype=object)
    built, outlines = sound(np.asarray(buildings.geometry.to_numpy(), dtype=object)), sound(shapes)
    middles = shapely.point_on_surface(built)
    holds = shapely.STRtree(middles).query(outlines, predicate="contains")
    tall_m = building_heights.told(buildings, storey_m=storey_m)
    strip_m = rubble_factor * np.where(np.isnan(tall_m), params.unknown_height_m, tall_m)
    lost = _lost(outlines, built, holds, _of_kinds(sources, params.fire_sources), tall_m, strip_m, params)
    near_m = _nearest_m(shapes, _of_kinds(sources, params.major_hazards))
    columns = {
        "site_m2": sites["area_m2"].fillna(_areas(shapes)),
        "floor_m2": sites["floor_m2"],
        **lost,
        "share_steep": steep_share(shapes, sites.crs.to_string(), heights, params),
        "major_hazard_m": near_m,
        "near_major_hazard": near_m < params.major_gap_m,
    }
    table = pd.DataFrame({name: np.asarray(columns[name]) for name in SURVEYED}, index=sites.index)
    return Survey(table, _own(outlines, buildings, built, middles))


# -- what the map takes --------------------------------------------------------------------------------------------


def _areas(shapes: Shapes) -> pd.Series[float]:
    area = shapely.area(shapes)
    return pd.Series(np.where(area > 0, area, np.nan))


def _of_kinds(tables: Sequence[gpd.GeoDataFrame], kinds: Collection[str]) -> Shapes:
    found = [np.asarray(table.geometry[table["kind"].isin(kinds)].to_numpy(), dtype=object) for table in tables]
    return sound(np.concatenate([np.zeros(0, dtype=object), *found]))


def _lost(
    sites: Shapes, built: Shapes, holds: Ints, fires: Shapes, tall_m: Floats, strip_m: Floats, params: SiteParams
) -> dict[str, Floats]:
    """The shares of each outline that are built on, then near fire sources, then under rubble; and heights assumed.

    ``holds`` are site and building of those that stand on a site, ``strip_m`` how far each throws rubble.
    """
    n, areal = len(sites), shapely.area(sites) > 0
    site, building = _within(sites, built, strip_m)
    if params.own_buildings_stand:
        others = ~np.isin(site * len(built) + building, holds[0] * len(built) + holds[1])
        site, building = site[others], building[others]
    on = _cut(sites, *_within(sites, built, np.zeros(len(built))), built)
    gaps = _cut(sites, *_within(sites, fires, np.full(len(fires), params.fire_gap_m)), _grown(fires, params.fire_gap_m))
    rubble = _cut(sites, site, building, _grown(built, strip_m, only=building))
    steps = areas_of_growing(n, [on, gaps, rubble]) / np.where(areal, shapely.area(sites), np.nan)[:, None]
    known = areal & bool(len(built))
    assumed = np.bincount(site, weights=np.isnan(tall_m[building]), minlength=n)
    return {
        "share_built": np.where(known, steps[:, 0], np.nan),
        "share_fire_gap": np.where(areal, steps[:, 1], np.nan),
        "share_rubble": np.where(known, steps[:, 2], np.nan),
        "heights_assumed": np.where(known, assumed, np.nan),
    }


def _within(sites: Shapes, others: Shapes, metres: Floats) -> tuple[Ints, Ints]:
    """Site and other of every pair at most so many metres (others,) apart; sites without area have none."""
    areal = np.flatnonzero(shapely.area(sites) > 0)
    other, site = shapely.STRtree(sites[areal]).query(others, predicate="dwithin", distance=metres)
    return areal[site].astype(np.int64), other.astype(np.int64)


def _grown(shapes: Shapes, metres: Floats | float, *, only: Ints | None = None) -> Shapes:
    """Shapes with so much round them, metres; those of ``only`` alone where it is given."""
    grown, wide = shapes.copy(), np.broadcast_to(metres, shapes.shape)
    rows = np.arange(len(shapes)) if only is None else np.unique(only)
    rows = rows[wide[rows] > LEAST_M]
    grown[rows] = shapely.buffer(shapes[rows], wide[rows], quad_segs=ROUND)
    return grown


def _cut(sites: Shapes, site: Ints, other: Ints, shapes: Shapes) -> tuple[Ints, Shapes]:
    """The parts of shapes on sites, and the site of each."""
    return site, np.asarray(shapely.intersection(sites[site], shapes[other]), dtype=object)


def _own(sites: Shapes, buildings: gpd.GeoDataFrame, built: Shapes, middles: Shapes) -> Own:
    """The buildings on sites, each on the smallest that holds it; one storey where none are recorded."""
    site = smallest_holding(middles, sites)
    on = np.flatnonzero(site != NONE)
    footprint = shapely.area(built[on])
    levels = buildings["levels"].to_numpy(dtype=np.float64)[on]
    return Own(site[on], built[on], footprint, footprint * np.nan_to_num(levels, nan=1.0))


def _nearest_m(sites: Shapes, others: Shapes) -> Floats:
    """The straight distance from each site to the nearest other, metres; NaN where there is none."""
    found = np.full(len(sites), np.nan)
    (site, _), metres = shapely.STRtree(others).query_nearest(sites, return_distance=True, all_matches=False)
    found[site] = metres
    return found


def steep_share(sites: Shapes, crs: str, heights: Grid | None, params: SiteParams) -> Floats:
    """The share of each site that is known to be too steep, 0-1; NaN where no slope is known."""
    if heights is None or not len(sites):
        return np.full(len(sites), np.nan)
    west, south, east, north = shapely.total_bounds(sites).tolist()
    near = windows.under(heights, (west, south, east, north), crs=crs, more=2)
    degrees, _ = slope(near, crs=crs)
    steepness = Hazard("slope", "slope", "degree", Grid(degrees, near.transform, near.crs))
    limit = ExposureParams(affected_above=params.max_slope_deg)
    found = hazards.expose_areas(sites, crs=crs, hazard=steepness, params=limit)
    return np.where(found["share_unknown"] == 1, np.nan, found["share_affected"]).astype(np.float64)


def notes(surveyed: Survey, *, params: SiteParams) -> tuple[Finding, ...]:
    """What must be said of the ground of shelters: near a major hazard, not measured, heights or slopes not known."""
    table = surveyed.table
    near, bare = int(table["near_major_hazard"].sum()), int(table["share_built"].isna().sum())
    assumed, flat = int(table["heights_assumed"].sum()), int(table["share_steep"].isna().sum())
    said = [
        ("shelters_near_major_hazard", near, f"{near:,} shelters are less than {params.major_gap_m:,g} m from a major "
         "hazard (site.major_gap_m).",
         f"{near:,}处避难场所距重大危险源不足{params.major_gap_m:,g}米（site.major_gap_m）。"),
        ("ground_not_measured", bare, f"Of {bare:,} shelters it is not known what stands on or beside them: no "
         "outline, or no buildings.", f"{bare:,}处避难场所无边界或无建筑数据，未扣除建筑及其倒塌影响范围。"),
        ("heights_assumed", assumed, f"{assumed:,} buildings beside shelters have no height: "
         f"{params.unknown_height_m:g} m is assumed.",
         f"{assumed:,}栋邻近建筑高度未知，按{params.unknown_height_m:g}米计。"),
        ("shelter_slope_unknown", flat, f"The slope of {flat:,} shelters is not known; none was taken off.",
         f"{flat:,}处避难场所坡度未知，未扣除陡坡。"),
    ]  # fmt: skip
    severity: dict[str, Severity] = {"shelters_near_major_hazard": "warning"}
    return tuple(Finding(code, en, zh, severity.get(code, "info"), n) for code, n, en, zh in said if n)


# -- what a scenario takes -----------------------------------------------------------------------------------------

TAKEN = ("built_m2", "fire_gap_m2", "rubble_m2")
"""Ground of the site that the map takes in this hazard, each beyond those before it; NaN where not known."""
USABLE = ("clear_m2", "open_m2", "usable_floor_m2", "share_lost", *TAKEN)
"""Columns of ``usable``.

``clear_m2`` ground that is free, dry and level; ``open_m2`` and ``usable_floor_m2`` the usable shares of it and of the
floors; NaN where ground or floors are not known. ``share_lost`` the share in a hazard's reach, 0 where none is known to
be. ``rubble_m2`` is 0 where no building collapses.
"""


def usable(surveyed: Survey, found: pd.DataFrame, faced: Faced, *, params: SiteParams) -> pd.DataFrame:
    """What is left of the sites (n,) where hazards are in force, ``USABLE`` columns indexed like the survey.

    ``found`` are the exposures of the sites (``Faced.sites``), whose share under water or hit is lost.
    """
    table, collapse = surveyed.table, params.collapse(faced.kinds)
    site_m2 = table["site_m2"].to_numpy(dtype=np.float64)
    shares = table[["share_built", "share_fire_gap", "share_rubble"]].to_numpy(dtype=np.float64) * [1, 1, collapse]
    free = 1 - np.clip(np.nan_to_num(shares).sum(axis=1), 0, 1)
    level = 1 - np.nan_to_num(table["share_steep"].to_numpy(dtype=np.float64))
    lost = _share_lost(found)
    clear, floor = site_m2 * free * level * (1 - lost), _floor_left(surveyed, found, faced, params)
    clear = np.where(clear < NOTHING_M2, 0.0, clear)
    columns = (clear, clear * params.open_usable_share, floor * params.floor_usable_share, lost, *shares.T * site_m2)
    return pd.DataFrame(dict(zip(USABLE, columns, strict=True)), index=table.index)


def _floor_left(surveyed: Survey, found: pd.DataFrame, faced: Faced, params: SiteParams) -> Floats:
    """The floor of each site that is dry, out of other hazards' reach, and stands, square metres."""
    floor: Floats = surveyed.table["floor_m2"].to_numpy(dtype=np.float64)
    floor = floor * _dry_share(surveyed, found, faced, params)
    floor = floor * (1 - np.nan_to_num(found["share_hit"].to_numpy(dtype=np.float64)))
    return floor * (not params.collapse(faced.kinds) or params.own_buildings_stand)


def _share_lost(found: pd.DataFrame) -> Floats:
    """The share of each site under water or in another hazard's reach, whichever is more; 0 where none is known."""
    shares = found[["share_wet", "share_hit"]].to_numpy(dtype=np.float64)
    return np.asarray(np.nan_to_num(shares).max(axis=1, initial=0.0))


def _dry_share(surveyed: Survey, found: pd.DataFrame, faced: Faced, params: SiteParams) -> Floats:
    """The share of each site's floor that is above water: all but the ground floors of buildings in it.

    Where no building of the site is known, all its floor counts as ground floor, at the deepest water on the site.
    """
    own, n = surveyed.own, len(surveyed.table)
    at = faced.grounds(own.shapes)
    depth, wet = (at[name].to_numpy(dtype=np.float64) for name in ("depth_max_m", "share_wet"))
    lost = (depth > params.wet_floor_m) & (wet > params.wet_floor_share)
    gone = np.where(lost, np.minimum(own.footprint_m2, own.floor_m2), 0.0)
    all_floor = np.bincount(own.site, own.floor_m2, minlength=n)
    known = all_floor > 0
    share = 1 - np.divide(np.bincount(own.site, gone, minlength=n), all_floor, out=np.zeros(n), where=known)
    in_water = (found["depth_max_m"] > params.wet_floor_m) & (found["share_wet"] > params.wet_floor_share)
    return np.where(known, share, np.where(in_water, 0.0, 1.0))


def near_hazard(surveyed: Survey, kinds: Collection[str], *, params: SiteParams) -> Mask:
    """Which sites (n,) are too near to a major hazard for what is in force."""
    near = surveyed.table["near_major_hazard"].to_numpy(dtype=bool)
    return np.asarray(near & (not set(kinds).isdisjoint(params.major_hazard_in)))
