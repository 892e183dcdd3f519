"""How many people a building holds, by its use and its floor: at night in its dwellings, by day where they work.

Floor is footprint times storeys: those recorded, else height over storey height, else the median recorded for the kind
of building, else the default.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced
from geo.membership import NONE, smallest_holding

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

LOW_HOUSES = ("bungalow", "static_caravan", "houseboat", "cabin")
HOUSES = (
    *LOW_HOUSES, "house", "detached", "semidetached_house", "semi", "terrace", "terraced_house", "villa", "farm",
)  # fmt: skip
APARTMENTS = ("apartments", "residential", "apartment", "nursing_home")
DORMITORIES = ("dormitory",)
UNTOLD = ("yes", "building", "unclassified")
"""Uses of buildings in which people may live, after OSM's ``building``; in every other use nobody lives."""
EMPTY_LAND = (
    "industrial", "commercial", "farmyard", "farmland", "military", "railway", "education", "medical", "cemetery",
    "quarry", "airfield", "construction", "recreation", "park", "parking",
)  # fmt: skip
"""Land (``AREAS`` kinds) on which a building of untold use is not taken for a dwelling."""
KINDS = ("house", "apartments", "dormitory", "untold")
"""Kinds of dwellings, each with its own storeys and floor per person."""

WORKPLACES: Mapping[str, tuple[str, ...]] = {
    "office": ("office", "commercial", "government", "civic", "public", "townhall", "courthouse", "bank",
               "post_office", "police", "fire_station", "university", "college", "library"),
    "shop": ("retail", "shop", "supermarket", "kiosk", "mall", "department_store", "marketplace", "restaurant"),
    "school": ("school", "kindergarten", "education"),
    "care": ("hospital", "clinic", "medical"),
    "industry": ("industrial", "warehouse", "manufacture", "factory", "works", "hangar", "depot"),
}  # fmt: skip
"""Uses of buildings in which people are by day, by the kind of work done there."""
WORK = tuple(WORKPLACES)


class FloorParams(Sourced):
    """How much floor a person has, at home and at work."""

    subject = "population"
    house_m2_per_person: float = Field(gt=0, description="Dwelling floor per person in houses, square metres.")
    apartments_m2_per_person: float = Field(gt=0, description="Dwelling floor per person in flats, square metres.")
    dormitory_m2_per_person: float = Field(gt=0, description="Dwelling floor per person in dormitories, square metres.")
    dwelling_share: float = Field(gt=0, le=1, description="Share of a dwelling's gross floor that is lived on, 0-1.")
    untold_share: float = Field(
        gt=0, le=1, description="Share of the storeys of buildings of untold use that are dwellings, 0-1."
    )
    house_levels: float = Field(ge=1, le=10, description="Storeys of a house when not recorded.")
    apartments_levels: float = Field(ge=1, le=60, description="Storeys of a block of flats when not recorded.")
    untold_levels: float = Field(ge=1, le=60, description="Storeys of a building of untold use when not recorded.")
    storey_m: float = Field(gt=1, le=10, description="Height of a storey, metres, where only the height is recorded.")
    min_recorded: float = Field(
        ge=1, description="Buildings of a kind with recorded storeys from which their median replaces the default."
    )
    min_dwelling_m2: float = Field(ge=0, description="Smallest footprint in which people live, square metres.")
    max_untold_m2: float = Field(
        gt=0, description="Largest footprint of a building of untold use that is taken for a dwelling, square metres."
    )
    max_told_share: float = Field(
        ge=0, le=1,
        description="Share of buildings whose use is told above which those of untold use are not dwellings, 0-1.",
    )  # fmt: skip
    day_home_share: float = Field(ge=0, le=1, description="Share of residents who are at home by day, 0-1.")
    day_office_m2_per_person: float = Field(gt=0, description="Floor per person in offices by day, square metres.")
    day_shop_m2_per_person: float = Field(gt=0, description="Floor per person in shops by day, square metres.")
    day_school_m2_per_person: float = Field(gt=0, description="Floor per person in schools by day, square metres.")
    day_care_m2_per_person: float = Field(
        gt=0, description="Floor per person in hospitals and clinics by day, square metres."
    )
    day_industry_m2_per_person: float = Field(
        gt=0, description="Floor per person in factories and stores by day, square metres."
    )
    day_levels: float = Field(
        ge=1, le=60, description="Storeys of a place of work when neither they nor its height are recorded."
    )


def residents(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, params: FloorParams) -> Floats:
    """Expected residents of each building, (buildings,), not rounded; 0 where nobody lives."""
    kind = _dwelling_kind(buildings, areas, params)
    footprint = shapely.area(np.asarray(buildings.geometry.to_numpy(), dtype=object))
    floor = footprint * _storeys(buildings, kind, params) * params.dwelling_share
    per_m2 = 1 / np.array([
        params.house_m2_per_person, params.apartments_m2_per_person, params.dormitory_m2_per_person,
        params.apartments_m2_per_person / params.untold_share,
    ])  # fmt: skip
    lived_in = (kind != NONE) & (footprint >= params.min_dwelling_m2)
    return np.where(lived_in, floor * per_m2[kind], 0.0)


def by_day(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, params: FloorParams) -> Floats:
    """Expected people in each building in the daytime, (buildings,), not rounded.

    Residents who stay at home, pupils, and whoever works or buys in shops, offices, hospitals and factories. The
    storeys of buildings of untold use that are not dwellings count as shops. Who comes from elsewhere is counted,
    who goes there is not known: the sum differs from that of the residents.
    """
    home = residents(buildings, areas, params=params)
    shops = np.where(_dwelling_kind(buildings, areas, params) == KINDS.index("untold"), home, 0.0)
    behind = params.apartments_m2_per_person / params.dwelling_share / params.untold_share
    shops *= behind * (1 - params.untold_share) / params.day_shop_m2_per_person
    return home * params.day_home_share + shops + _at_work(buildings, params)


def _at_work(buildings: gpd.GeoDataFrame, params: FloorParams) -> Floats:
    """Expected people in buildings that are places of work, (buildings,); 0 in all others."""
    footprint = shapely.area(np.asarray(buildings.geometry.to_numpy(), dtype=object))
    floor = footprint * np.nan_to_num(_recorded_storeys(buildings, params), nan=params.day_levels)
    per_person = {kind: getattr(params, f"day_{kind}_m2_per_person") for kind in WORK}
    rules = [buildings["use"].isin(WORKPLACES[kind]).to_numpy() for kind in WORK]
    return np.asarray(np.select(rules, [floor / per_person[kind] for kind in WORK], default=0.0))


def _dwelling_kind(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, params: FloorParams) -> Ints:
    """Row in ``KINDS`` of each building, (buildings,); ``NONE`` where nobody lives."""
    use = buildings["use"]
    rules = [use.isin(HOUSES), use.isin(APARTMENTS), use.isin(DORMITORIES), _inhabited(buildings, areas, params)]
    return np.select([np.asarray(rule) for rule in rules], range(len(KINDS)), default=NONE).astype(np.int64)


def _inhabited(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, params: FloorParams) -> Mask:
    """Buildings of untold use that are taken for dwellings."""
    untold = buildings["use"].isin(UNTOLD).to_numpy()
    if told_share(buildings) > params.max_told_share:
        return np.zeros(len(buildings), dtype=bool)
    points = np.asarray(buildings.geometry.representative_point().to_numpy(), dtype=object)
    land = smallest_holding(points, np.asarray(areas.geometry.to_numpy(), dtype=object))
    on_empty_land = np.append(areas["kind"].isin(EMPTY_LAND).to_numpy(), False)[land]
    return np.asarray(untold & ~on_empty_land & (buildings.area <= params.max_untold_m2).to_numpy())


def told_share(buildings: gpd.GeoDataFrame) -> float:
    """Share of buildings whose use is told, 0-1; 0 where there are none."""
    return float((~buildings["use"].isin(UNTOLD)).mean()) if len(buildings) else 0.0


def _storeys(buildings: gpd.GeoDataFrame, kind: Ints, params: FloorParams) -> Floats:
    """Storeys of each building, (buildings,), at least 1."""
    levels = _recorded_storeys(buildings, params)
    low = buildings["use"].isin(LOW_HOUSES).to_numpy()
    return np.where(np.isnan(levels), np.where(low, 1.0, _usual_storeys(levels, kind, params)[kind]), levels)


def _recorded_storeys(buildings: gpd.GeoDataFrame, params: FloorParams) -> Floats:
    """Storeys as recorded or by the height recorded, (buildings,), at least 1; NaN where neither is."""
    levels = buildings["levels"].to_numpy(dtype=np.float64)
    height = buildings["height_m"].to_numpy(dtype=np.float64)
    return np.asarray(np.where(levels >= 1, levels, np.maximum(np.floor(height / params.storey_m), 1)))


def _usual_storeys(levels: Floats, kind: Ints, params: FloorParams) -> Floats:
    """Storeys of each of ``KINDS`` when not recorded: the median of those recorded, if there are enough."""
    default = {"house": params.house_levels, "untold": params.untold_levels}
    recorded = [levels[(kind == k) & ~np.isnan(levels)] for k in range(len(KINDS))]
    return np.array([
        np.median(known) if len(known) >= params.min_recorded else default.get(name, params.apartments_levels)
        for name, known in zip(KINDS, recorded, strict=True)
    ])  # fmt: skip
