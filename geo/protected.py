"""防: the ground divided into regions, open land reserved in each, and a way in to everything, after a collapse too.

::

    ground ─► regions ─► reserve in each      (not on ground to yield, nor where a collapse throws rubble)
    streets ─► rubble ─► lanes ─► audit of every building and shelter
                  └────► network of corridors to every reserve and shelter, twice
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property, partial

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import (
    access_audit,
    fire_lanes,
    lifeline_map,
    lifelines,
    regions,
    reserve,
    rubble,
    snapping,
    trunk_roads,
    widths,
)
from geo import communities as areas_of_planning
from geo.access_audit import SHARES
from geo.blocks import Ground
from geo.fire_lanes import Lanes
from geo.ground import steep_share
from geo.lifelines import Lifelines
from geo.open_land import Land as Open
from geo.readied import Base
from geo.reasons import Finding, Sentence
from geo.regions import Regions
from geo.reserve import Reserve
from geo.tables import NAMES, beside, without_nan

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

ENGINE = "fire_engine"
"""The profile whose streets are audited."""
WALK = "walk"
"""The profile whose streets may become corridors: what one can walk along can be cleared or widened."""


@dataclass(frozen=True, eq=False)
class Protected:
    """What the second stage comes to, the same in every scenario.

    ``buildings`` and ``shelters`` are the access audit of the city's buildings and the plan's shelters, by their rows.
    """

    base: Base
    units: gpd.GeoDataFrame
    regions: Regions
    reserve: Reserve
    lanes: Lanes
    buildings: pd.DataFrame
    shelters: pd.DataFrame
    lifelines: Lifelines
    terminals: gpd.GeoDataFrame
    hydrants: Shapes

    def __repr__(self) -> str:
        passing = int(self.buildings["passes"].sum())
        return f"Protected({self.reserve!r}, {passing} of {len(self.buildings)} buildings pass, {self.lifelines!r})"

    @cached_property
    def people(self) -> Floats | None:
        """Who lives in each building, (buildings,); None where nobody was counted."""
        base = self.base
        if not base.people.total:
            return None
        row = base.building_rows
        people = base.people.demand["people"].to_numpy(dtype=np.float64)
        return np.bincount(row[row >= 0], people[row >= 0], len(self.buildings)).astype(np.float64)

    @cached_property
    def reserved(self) -> gpd.GeoDataFrame:
        """The lots that are reserved."""
        lots = self.reserve.lots
        return lots[lots["chosen"].to_numpy(dtype=bool)].reset_index(drop=True)


def of(base: Base, units: gpd.GeoDataFrame, ground: Ground, let: Shapes) -> Protected:
    """Regions, reserve, access and corridors of a city that was made ready.

    ``units`` are its communities that have ``ground``, ``let`` the ground to yield, polygons.
    """
    city, params = base.city, base.params
    streets = widths.widths(base.network, params=params.widths)
    trunk = trunk_roads.by_class(base.network, params=params.corridor)
    fallen = rubble.clear_widths(
        base.network, streets, city.buildings, trunk, params=params.rubble, storey_m=params.population.storey_m,
        unknown_height_m=params.site.unknown_height_m,
    )  # fmt: skip
    given = fire_lanes.lanes(base.network, fallen, base.usable[ENGINE], params=params.access, corridor=params.corridor)
    hydrants = city.facilities[city.facilities["kind"].isin(params.access.hydrant_kinds)]
    points = np.asarray(hydrants.geometry.to_numpy(), dtype=object)
    divided = regions.divide(
        ground, base.network if city.ways is not None else None, city.areas, city.lines, params=params.regions,
        buildings=city.buildings,
    )  # fmt: skip
    found = _reserve(base, divided, given, let)
    terminals = _terminals(base, found)
    return Protected(
        base,
        units,
        divided,
        found,
        given,
        access_audit.audit(given, city.buildings.geometry, points, params=params.access),
        access_audit.audit_shelters(given, base.shelters, points, params=params.access, corridor=params.corridor),
        _corridors(base, given, terminals),
        terminals,
        points,
    )


def _reserve(base: Base, divided: Regions, given: Lanes, let: Shapes) -> Reserve:
    """The reserve in every region, on open land that is neither to yield nor a shelter's already."""
    city, params = base.city, base.params
    table = given.rubble.table
    fallen = given.rubble.buildings
    strip_m = np.where(fallen["light"], 0.0, fallen["height_m"]) * params.rubble.open_factor
    sites = np.asarray(base.shelters.geometry[base.shelters["origin"] != "candidate"].to_numpy(), dtype=object)
    steep = (
        None
        if city.elevation is None
        else partial(steep_share, crs=city.crs, heights=city.elevation, params=params.site)
    )
    open_to = given.table["open"].to_numpy(dtype=bool)
    clear_m = np.where(open_to, table["clear_m"].fillna(table["width_m"]), 0.0)
    land = Open(
        city.areas, city.lots, let, sites, np.asarray(city.buildings.geometry.to_numpy(), dtype=object),
        strip_m.astype(np.float64), base.network.lines, table["width_m"].to_numpy(dtype=np.float64), clear_m, steep,
    )  # fmt: skip
    demand = base.people.demand
    points, people = np.asarray(demand.geometry.to_numpy(), dtype=object), demand["people"].to_numpy(dtype=np.int64)
    return reserve.find(divided.table, land, points, people, params=params.reserve)


def _terminals(base: Base, found: Reserve) -> gpd.GeoDataFrame:
    """What is to be joined twice: every shelter of the plan by its tier, and every reserved lot."""
    sites = base.shelters
    fixed = ~sites["tier"].isin(["emergency"]) & sites["tier"].notna()
    shelters = sites[[*NAMES, "geometry"]].assign(
        terminal_id=sites["shelter_id"], asks=np.where(fixed, "fixed", "emergency"), object="shelter"
    )
    chosen = found.lots[found.lots["chosen"].to_numpy(dtype=bool)]
    lots = chosen[[*NAMES, "geometry"]].assign(terminal_id=chosen["candidate_id"], asks="emergency", object="reserve")
    table = pd.concat([shelters, lots], ignore_index=True)
    return gpd.GeoDataFrame(table, geometry="geometry", crs=base.city.crs)


def _corridors(base: Base, given: Lanes, terminals: gpd.GeoDataFrame) -> Lifelines:
    ways, of = base.usable[WALK], base.params.shelter
    shapes = np.asarray(terminals.geometry.to_numpy(), dtype=object)
    doors = snapping.entrances_to(ways.indexed, shapes, max_m=of.entrance_max_m, spread_m=of.entrance_spread_m)
    clear_m = given.rubble.table["clear_m"].to_numpy(dtype=np.float64)
    trunk = lifelines.trunk_of(base.network, clear_m, params=base.params.corridor)
    return lifelines.connect(
        ways, clear_m, trunk, terminals, doors, params=base.params.lifelines, corridor=base.params.corridor
    )


# -- as tables ---------------------------------------------------------------------------------------------------------


def layers(found: Protected) -> dict[str, gpd.GeoDataFrame]:
    """The tables of the stage: ``regions``, ``reserve``, ``access_audit``, ``blocked_streets``, ``corridors``."""
    base = found.base
    clear_m = found.lanes.rubble.table["clear_m"].to_numpy(dtype=np.float64)
    return {
        "regions": beside(found.regions.table, found.reserve.regions),
        "reserve": found.reserve.lots,
        "access_audit": _audited(found),
        "blocked_streets": _blocked(found),
        "corridors": lifeline_map.layer(found.lifelines, base.network, clear_m, params=base.params.corridor),
        "joined": beside(
            found.terminals.drop(columns=["asks"]), found.lifelines.terminals.drop(columns=["terminal_id"])
        ),
    }


def _audited(found: Protected) -> gpd.GeoDataFrame:
    """Every building and every shelter of the plan with its audit."""
    base = found.base
    parts = []
    for what, table, key, told in (
        ("building", base.city.buildings, "building_id", found.buildings),
        ("shelter", base.shelters, "shelter_id", found.shelters),
    ):
        head = table[[*NAMES, "geometry"]].assign(object=what, object_id=table[key])
        parts.append(beside(head.reset_index(drop=True), told.drop(columns="street").reset_index(drop=True)))
    table = gpd.GeoDataFrame(pd.concat(parts, ignore_index=True), geometry="geometry", crs=base.city.crs)
    unit = areas_of_planning.locate(table.geometry.representative_point(), base.communities)
    rest = [name for name in table.columns if name not in ("object", "object_id", *NAMES, "geometry")]
    return without_nan(
        table.assign(community_id=unit)[["object", "object_id", *NAMES, "community_id", *rest, "geometry"]]
    )


def _blocked(found: Protected) -> gpd.GeoDataFrame:
    """The lanes that a collapse would block, those that cut off most first."""
    street = found.buildings["street"].to_numpy(dtype=np.int64)
    table = access_audit.blocked(found.lanes, street, people=found.people)
    lines = found.base.network.lines[table.index.to_numpy(dtype=np.int64)]
    return gpd.GeoDataFrame(table.reset_index(drop=True), geometry=lines, crs=found.base.city.crs)


def by_community(found: Protected, ids: pd.Series) -> pd.DataFrame:
    """Reserve and access of each community, indexed like ``ids``; NaN where nothing was audited."""
    built = found.base.city.buildings.geometry.representative_point()
    unit = pd.Series(areas_of_planning.locate(built, found.base.communities))
    audited = access_audit.by_community(found.buildings, unit, people=found.people, params=found.base.params.access)
    dealt = reserve.by_community(found.regions.table, found.reserve, found.units).set_index(found.units["community_id"])
    told = pd.concat([dealt.reindex(ids, fill_value=0), audited.reindex(ids)], axis=1)
    return told.assign(buildings_audited=told["buildings_audited"].fillna(0).astype(np.int64)).set_axis(ids.index)


def headline(found: Protected) -> dict[str, float]:
    """The stage in a few numbers; costs in thousand CNY."""
    every = pd.Series(np.full(len(found.buildings), "all", dtype=object))
    audited = access_audit.by_community(found.buildings, every, people=found.people, params=found.base.params.access)
    shares = audited.iloc[0] if len(audited) else pd.Series(np.nan, index=[*SHARES, "people_without_access"])
    totals = found.reserve.regions[["reserve_required_m2", "reserve_found_m2", "reserve_short_m2"]].sum()
    ways = found.lifelines.terminals["ways"]
    return {
        **{str(name): float(value) for name, value in totals.items()},
        **{name: float(shares[name]) for name in (*SHARES, "people_without_access")},
        "regions": float(len(found.regions)),
        "joined_twice": float((ways == 2).sum()), "joined_once": float((ways == 1).sum()),
        "not_joined": float((ways == 0).sum()),
        "corridors_cost": found.lifelines.cost, "corridors_cost_least": found.lifelines.bound,
    }  # fmt: skip


def streets(found: Protected) -> pd.DataFrame:
    """What each street keeps of its width, and what it is to a fire engine, (edges,)."""
    fallen, lanes = found.lanes.rubble, found.lanes.table
    by = np.r_[fallen.buildings["building_id"].to_numpy(dtype=object), np.array([None], dtype=object)]
    kept = fallen.table[["width_m", "width_basis", "rubble_left_m", "rubble_right_m", "clear_m"]]
    blocked = pd.DataFrame({"blocked_by": by[fallen.table["blocked_by"].to_numpy(dtype=np.int64)]})
    told = lanes[["lane", "lane_after", "ways_in", "ways_in_after", "widest_m", "widest_after_m", "corridor_asked_m"]]
    return pd.concat([part.reset_index(drop=True) for part in (kept, blocked, told)], axis=1)


def notes(found: Protected) -> tuple[Sentence, ...]:
    """What must be said of regions, reserve, corridors and access."""
    said = lifeline_map.findings(found.lifelines)
    return (*found.regions.findings, *found.reserve.findings, *said, *_unsure(found))


def _unsure(found: Protected) -> Iterator[Finding]:
    """What the audit had to assume, and what the map does not tell."""
    assumed, n = int(found.lanes.rubble.buildings["height_assumed"].sum()), len(found.buildings)
    if assumed:
        metres = found.base.params.site.unknown_height_m
        yield Finding(
            "rubble_heights_assumed", f"{assumed:,} of {n:,} buildings have no height: {metres:g} m is assumed where "
            "they fall into streets.", f"{n:,}栋建筑中有{assumed:,}栋高度未知，倒塌影响按{metres:g}米计。", "warning",
            assumed,
        )  # fmt: skip
    if n and not found.lanes.by_class:
        yield Finding(
            "trunk_assumed", "The map has no trunk road: the largest ring of streets stands for the trunk network.",
            "地图上没有主干道路，以最大的环状路网代替。", "warning",
        )  # fmt: skip
    if n and found.buildings["hydrant_m"].isna().all():
        yield Finding(
            "hydrants_not_mapped", "No hydrant is mapped: nobody can say how far hydrants reach.",
            "地图上没有消火栓，无法判断其保护范围。", "warning",
        )  # fmt: skip
