"""Where people are at night: given, or estimated from the floor area of the buildings they live in.

People are whole persons. Fractions are carried along from one place to the next in the order of ids, so that the total
is the rounded sum, no place is off by a whole person, and the order of the rows changes nothing.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.errors import ColumnError, Fault, refuse
from geo.membership import NONE, smallest_holding
from geo.reasons import Sentence
from geo.standards import Standards
from geo.tables import DEMAND, checked, empty

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

MOST_PEOPLE = 50_000_000
"""More than the largest city has: a larger number in one place is a slip."""


class PopulationParams(BaseModel):
    """How people are estimated from buildings."""

    model_config = ConfigDict(frozen=True, extra="forbid")

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
    street_spacing_m: float = Field(
        gt=0, le=1000, description="Distance of the points on streets at which people known only by area stand, metres."
    )
    max_told_share: float = Field(
        ge=0, le=1,
        description="Share of buildings whose use is told above which those of untold use are not dwellings, 0-1.",
    )  # fmt: skip

    @classmethod
    def of(cls, standards: Standards) -> PopulationParams:
        """The defaults as the standards give them."""
        return cls(**{key: standards.number(f"population.{key}") for key in cls.model_fields})


@dataclass(frozen=True, eq=False)
class Population:
    """Who is where.

    ``demand`` has one row a place with people: DEMAND columns and ``building_id`` (None where it is no building), its
    geometry a point; ``shapes`` (places,) is what stands there, the building's outline or the point itself. ``basis``
    is ``table`` or ``estimate from buildings``; ``total`` is the sum of people.
    """

    demand: gpd.GeoDataFrame
    shapes: Shapes
    basis: str
    notes: tuple[Sentence, ...]

    def __post_init__(self) -> None:
        checked(self.demand, DEMAND)
        people = self.demand["people"]
        found = f"{int((people < 0).sum())} places with fewer, {len(self.shapes)} shapes for {len(people)} places"
        fits = len(self.shapes) == len(people) and (people >= 0).all()
        refuse(ColumnError, [] if fits else [Fault("0 people or more and a shape a place", found, "population")])

    @property
    def total(self) -> int:
        """Everybody."""
        return int(self.demand["people"].sum())

    def __repr__(self) -> str:
        return f"Population({self.total} people at {len(self.demand)} places, {self.basis})"


def whole(people: Floats, ids: Shapes) -> Ints:
    """Whole persons (n,) from fractions (n,) of at least 0: their sum is the rounded sum, each is off by less than one.

    Fractions are handed on in the order of the ids; the order of the rows changes nothing.
    """
    order = np.argsort(ids, kind="stable")
    counted = np.floor(np.cumsum(people[order]) + 0.5)
    result = np.empty(len(people), dtype=np.int64)
    result[order] = np.diff(counted, prepend=0).astype(np.int64)
    return result


def given(table: gpd.GeoDataFrame) -> Population:
    """The people of a table: ``demand_id``, ``people`` (whole or not), points or polygons in a metric CRS.

    Polygons stay together at one point inside. Rows whose people are not known are left out, rows without people too;
    both are counted. Fewer than nobody is refused with ColumnError.
    """
    refuse(ColumnError, _table_faults(table))
    people = table["people"].to_numpy(dtype=np.float64)
    measured = ~np.isnan(people)
    kept = table[measured].assign(people=whole(people[measured], table["demand_id"].to_numpy(dtype=object)[measured]))
    notes = tuple(_table_notes(int((~measured).sum())))
    return _at_places(kept, _column(kept, "building_id"), "table", notes)


def from_buildings(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, params: PopulationParams) -> Population:
    """People estimated from the floor of their dwellings: footprint × storeys × share lived on / floor per person.

    ``buildings`` is a BUILDINGS table, ``areas`` an AREAS table (land use), both in one metric CRS. Storeys are those
    recorded, else height over storey height, else the median recorded for the kind, else the default. Hotels, hospitals
    and the like have no residents. Where most buildings' use is told, one of untold use is taken for a shed.
    """
    ids = buildings["building_id"].to_numpy(dtype=object)
    people = whole(residents(buildings, areas, params=params), ids)
    table = buildings[["geometry"]].assign(demand_id=ids, people=people)
    told = _told_share(buildings)
    notes = tuple(_estimate_notes(int(people.sum()), int((people > 0).sum()), len(buildings), told, params))
    return _at_places(table, ids, "estimate from buildings", notes)


def residents(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, params: PopulationParams) -> Floats:
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


def allocate(
    units: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, *, params: PopulationParams
) -> Population:
    """The known people of units spread over the dwellings in them, in proportion to expected residents.

    ``units`` has ``demand_id``, ``people`` and polygons; each keeps its whole number of people exactly. A dwelling in
    several units belongs to the smallest. A unit without a dwelling keeps its people at one point inside it, counted.
    """
    source = given(units)
    points = np.asarray(buildings.geometry.representative_point().to_numpy(), dtype=object)
    expected = residents(buildings, areas, params=params)
    unit = np.where(expected > 0, smallest_holding(points, source.shapes), NONE)
    ids = buildings["building_id"].to_numpy(dtype=object)
    people = _spread(source.demand["people"].to_numpy(dtype=np.int64), unit, expected, ids)
    homes = buildings[["geometry"]].assign(demand_id=ids, people=people)
    empty_units = np.setdiff1d(np.arange(len(source.demand)), unit)
    rest = source.demand.iloc[empty_units].drop(columns="building_id").set_geometry(source.shapes[empty_units])
    table = gpd.GeoDataFrame(pd.concat([homes, rest.set_crs(buildings.crs)], ignore_index=True), crs=buildings.crs)
    notes = (*source.notes, *_leftover_notes(len(empty_units), int(rest["people"].sum())))
    return _at_places(table, np.append(ids, np.full(len(rest), None, dtype=object)), "table", notes)


def along_streets(people: Population, points: Shapes, metres: Floats, names: Shapes) -> Population:
    """Those known only by an area without dwellings, spread over its streets in proportion to their length.

    ``points`` (n,) stand on streets, each for so many ``metres`` of them; ``names`` are unique. Each area keeps its
    whole number of people exactly; one without a street keeps them at its inner point. A point in several areas belongs
    to the smallest.
    """
    of_area = (shapely.get_dimensions(people.shapes) == 2) & people.demand["building_id"].isna().to_numpy()
    rows = np.flatnonzero(of_area)
    unit = smallest_holding(points, people.shapes[rows]) if len(rows) else np.full(len(points), NONE)
    moved = rows[np.unique(unit[unit != NONE])]
    if not len(moved):
        return people
    here = people.demand["people"].to_numpy(dtype=np.int64)
    units = people.demand["demand_id"].to_numpy(dtype=object)[rows]
    ids = np.array([f"{units[u]}@{name}" for u, name in zip(unit, names, strict=True)], dtype=object)
    walkers = _spread(here[rows], unit, metres, ids)
    stay = np.ones(len(here), dtype=bool)
    stay[moved] = False
    left = people.demand[stay].set_geometry(people.shapes[stay]) if stay.any() else people.demand.iloc[:0]
    there = gpd.GeoDataFrame({"demand_id": ids, "people": walkers}, geometry=points, crs=people.demand.crs)
    table = gpd.GeoDataFrame(pd.concat([left.drop(columns="building_id"), there], ignore_index=True))
    buildings = np.r_[left["building_id"].to_numpy(dtype=object), np.full(len(there), None, dtype=object)]
    kept = tuple(note for note in people.notes if note.code != "no_dwelling")
    notes = (*kept, *_street_notes(len(moved), int(here[moved].sum())))
    return _at_places(table.set_crs(people.demand.crs, allow_override=True), buildings, people.basis, notes)


def _spread(people: Ints, unit: Ints, expected: Floats, ids: Shapes) -> Ints:
    """Each unit's people (units,) over its buildings (buildings,), whole and complete within each unit."""
    inside = unit != NONE
    weight = np.bincount(unit[inside], expected[inside], minlength=len(people))
    result = np.zeros(len(unit), dtype=np.int64)
    order = np.flatnonzero(inside)[np.lexsort((ids[inside].astype(str), unit[inside]))]
    heaped = np.cumsum(people[unit[order]] * expected[order] / weight[unit[order]])
    result[order] = np.diff(np.floor(heaped + 0.5), prepend=0).astype(np.int64)
    return result


def _dwelling_kind(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, params: PopulationParams) -> Ints:
    """Row in ``KINDS`` of each building, (buildings,); ``NONE`` where nobody lives."""
    use = buildings["use"]
    rules = [use.isin(HOUSES), use.isin(APARTMENTS), use.isin(DORMITORIES), _inhabited(buildings, areas, params)]
    return np.select([np.asarray(rule) for rule in rules], range(len(KINDS)), default=NONE).astype(np.int64)


def _inhabited(buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, params: PopulationParams) -> Mask:
    """Buildings of untold use that are taken for dwellings."""
    untold = buildings["use"].isin(UNTOLD).to_numpy()
    if _told_share(buildings) > params.max_told_share:
        return np.zeros(len(buildings), dtype=bool)
    points = np.asarray(buildings.geometry.representative_point().to_numpy(), dtype=object)
    land = smallest_holding(points, np.asarray(areas.geometry.to_numpy(), dtype=object))
    on_empty_land = np.append(areas["kind"].isin(EMPTY_LAND).to_numpy(), False)[land]
    return np.asarray(untold & ~on_empty_land & (buildings.area <= params.max_untold_m2).to_numpy())


def _told_share(buildings: gpd.GeoDataFrame) -> float:
    return float((~buildings["use"].isin(UNTOLD)).mean()) if len(buildings) else 0.0


def _storeys(buildings: gpd.GeoDataFrame, kind: Ints, params: PopulationParams) -> Floats:
    """Storeys of each building, (buildings,), at least 1."""
    levels = buildings["levels"].to_numpy(dtype=np.float64)
    height = buildings["height_m"].to_numpy(dtype=np.float64)
    levels = np.where(levels >= 1, levels, np.maximum(np.floor(height / params.storey_m), 1))
    low = buildings["use"].isin(LOW_HOUSES).to_numpy()
    return np.where(np.isnan(levels), np.where(low, 1.0, _usual_storeys(levels, kind, params)[kind]), levels)


def _usual_storeys(levels: Floats, kind: Ints, params: PopulationParams) -> Floats:
    """Storeys of each of ``KINDS`` when not recorded: the median of those recorded, if there are enough."""
    default = {"house": params.house_levels, "untold": params.untold_levels}
    recorded = [levels[(kind == k) & ~np.isnan(levels)] for k in range(len(KINDS))]
    return np.array([
        np.median(known) if len(known) >= params.min_recorded else default.get(name, params.apartments_levels)
        for name, known in zip(KINDS, recorded, strict=True)
    ])  # fmt: skip


def _at_places(table: gpd.GeoDataFrame, building_id: Shapes, basis: str, notes: tuple[Sentence, ...]) -> Population:
    """The rows with people as places."""
    if not len(table):
        none = empty(DEMAND, crs=table.crs.to_string()).assign(building_id=pd.Series(dtype="object"))
        return Population(none, np.zeros(0, dtype=object), basis, notes)
    kept = (table["people"] > 0).to_numpy()
    lived = table[kept]
    columns = {
        "demand_id": lived["demand_id"].to_numpy(dtype=object),
        "people": lived["people"].to_numpy(dtype=np.int64),
        "building_id": building_id[kept],
    }
    points = lived.geometry.representative_point().reset_index(drop=True)
    demand = gpd.GeoDataFrame(columns, geometry=points, crs=table.crs)
    return Population(demand, np.asarray(lived.geometry.to_numpy(), dtype=object), basis, notes)


def _column(table: gpd.GeoDataFrame, name: str) -> Shapes:
    if name in table.columns:
        return np.asarray(table[name].to_numpy(dtype=object))
    return np.full(len(table), None, dtype=object)


def _table_faults(table: gpd.GeoDataFrame) -> Iterator[Fault]:
    missing = [name for name in ("demand_id", "people") if name not in table.columns]
    if missing:
        yield Fault(f"columns {', '.join(missing)}", ", ".join(map(str, table.columns)), "population", "Use --map.")
        return
    bad = table.loc[(table["people"] < 0) | (table["people"] > MOST_PEOPLE), "demand_id"].head(3).tolist()
    if bad:
        yield Fault(f"0 to {MOST_PEOPLE:,} people in one place", "fewer, or more", f"population, rows {bad}")


def _table_notes(unknown: int) -> Iterator[Sentence]:
    if unknown:
        yield Sentence("people_not_known", f"{unknown} rows do not say how many people there are and are left out.",
                       f"{unknown}行未给出人数，未计入。")  # fmt: skip


def _leftover_notes(units: int, people: int) -> Iterator[Sentence]:
    if people:
        yield Sentence(
            "no_dwelling",
            f"{units} units have no dwelling on the map; their {people:,} people are kept at one point inside each.",
            f"{units}个单元内没有已绘制的住宅，其{people:,}人集中放在单元内一点。",
        )


def _street_notes(units: int, people: int) -> Iterator[Sentence]:
    yield Sentence(
        "people_along_streets",
        f"{units} areas have no dwelling on the map; their {people:,} people are spread along their streets.",
        f"{units}个单元内没有已绘制的住宅，其{people:,}人按街道长度分布。",
    )


def _estimate_notes(
    people: int, homes: int, buildings: int, told: float, params: PopulationParams
) -> Iterator[Sentence]:
    yield Sentence(
        "people_estimated",
        f"People are estimated from the floor area of dwellings: {people:,} in {homes:,} of {buildings:,} buildings. "
        "This is not a census.",
        f"人口按住宅建筑面积估算：{buildings:,}栋建筑中{homes:,}栋有居民，共{people:,}人，并非普查数据。",
    )
    if told > params.max_told_share:
        yield Sentence(
            "untold_not_dwellings",
            f"The use of {told:.0%} of the buildings is mapped; the others are taken for sheds and garages.",
            f"{told:.0%}的建筑已标注用途，其余视为附属建筑，不计居民。",
        )
