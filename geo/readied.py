"""A city made ready for any scenario: streets, people, communities, shelters, everybody's ways on an ordinary day."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import communities as areas_of_planning
from geo import (
    coverage,
    dangers,
    ground,
    lattice,
    network,
    population,
    rating,
    reach,
    refuge,
    services,
    shelters,
    snapping,
    summary,
    tallies,
    terrain,
    territories,
    usable,
)
from geo.city import SERVICES, City, PlanParams
from geo.coverage import CoverageParams, Covered, Sites
from geo.dangers import Extent
from geo.exposures import Faced
from geo.ground import Survey
from geo.hazards import Hazard
from geo.membership import smallest_holding
from geo.network import Network, Ways
from geo.population import Population, Time
from geo.reasons import Sentence
from geo.refuge import Pace, Refuge, Seekers
from geo.services import ServiceParams
from geo.snapping import Snaps
from geo.speeds import level_speed_ms
from geo.usable import Usable

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


WALKERS = ("walk", *services.GROUPS.values())
"""Profiles that go on foot: adults, and the groups that walk otherwise."""


@dataclass(frozen=True)
class Base:
    """What no scenario changes.

    ``notes`` are told in every scenario, ``hazard_notes`` by layer id where that hazard, given or derived, is in force.
    """

    city: City
    params: PlanParams
    network: Network
    people: Population
    community_id: pd.Series
    communities: gpd.GeoDataFrame
    parents: gpd.GeoDataFrame
    hazards: Mapping[str, Hazard]
    extent: Extent
    shelters: gpd.GeoDataFrame
    surveyed: Survey
    climb: Floats | None
    usable: Mapping[str, Usable]
    places: Snaps
    seekers: Seekers
    doors: Snaps
    normal: Refuge
    covered: Covered
    notes: tuple[Sentence, ...]
    hazard_notes: Mapping[str, tuple[Sentence, ...]]

    @cached_property
    def street_rows(self) -> Mapping[str, int]:
        """The row of each street by its id."""
        return {str(name): row for row, name in enumerate(self.network.street_ids)}

    @property
    def demand(self) -> gpd.GeoDataFrame:
        """One row a place with people."""
        return self.people.demand

    @cached_property
    def building_rows(self) -> Ints:
        """The row of the building in which each place is, (places,); -1 where it is in none.

        By the building's id where the people are known by building, else by where the point lies that was given.
        """
        buildings, demand = self.city.buildings, self.people.demand
        ids = pd.Index(buildings["building_id"])
        row = np.asarray(ids.get_indexer(pd.Index(demand["building_id"])), dtype=np.int64)
        loose = np.flatnonzero((row < 0) & ~self.people.by_area)
        row[loose] = smallest_holding(_shapes(demand)[loose], _shapes(buildings))
        return row


def prepare(city: City, *, params: PlanParams, time: Time = "night") -> Base:
    """Streets, people, communities, shelters, and everybody's walk and services on an ordinary day or night."""
    ways_known, made = _ways(city, params)
    streets = network.build(ways_known)
    climb = None if city.elevation is None else terrain.climb(streets, city.elevation)
    ways = {name: opened(streets, name, params, climb) for name in _profiles(params)}
    people = _people(city, ways["walk"], params, time)
    units = _communities(city, streets, people.demand, params)
    extent = _extent(city, streets, params)
    known, derived_notes = dangers.of_city(city, extent=extent, params=params)
    there, housed = shelters.in_buildings(city.shelters, city.buildings)
    sites = shelters.in_plan(there, params=params.shelter)
    surveyed, ordinary = survey(city, sites, params), Faced((), city.crs, params.exposure)
    walk = ways["walk"]
    homes = _bound(streets, _shapes(people.demand), ways, params)
    doors = doors_of(walk, sites, params)
    spots = _bound(streets, _shapes(city.facilities), ways, params)
    covered = _covered(city, Sites(city.facilities, sites, homes, spots), ways, params)
    usual = rating.rated(sites, surveyed, doors, doors, ordinary, units.table, way=streets.way, params=params)
    notes = (
        *city.notes,
        *made,
        *people.notes,
        *units.notes,
        *summary.shelter_notes(there, sites),
        *housed,
        *shelters.small_notes(there, params=params.shelter),
        *shelters.large_notes(usual, params=params.shelter),
        *ground.notes(surveyed, params=params.site),
        *summary.island_notes(streets.length_m, walk.island),
        *tallies.station_notes(covered),
    )
    seekers = Seekers(
        homes["walk"], people.demand["people"].to_numpy(dtype=np.int64),
        refuge.first_served(people.demand, params=params.refuge), _beyond(streets, people.demand, params),
        refuge.numbered(people.demand["demand_id"]),
    )  # fmt: skip
    return Base(
        city=city,
        params=params,
        network=streets,
        people=people,
        community_id=areas_of_planning.assign(people.demand, units),
        communities=units.table,
        parents=units.parents,
        hazards=known,
        extent=extent,
        shelters=sites,
        surveyed=surveyed,
        climb=climb,
        usable=ways,
        places=homes["walk"],
        seekers=seekers,
        doors=doors,
        normal=_refuge(walk, seekers, doors, usual, params),
        covered=covered,
        notes=notes,
        hazard_notes={**city.hazard_notes, **derived_notes},
    )


def refuge_of(base: Base, walk: Usable, doors: Snaps, sites: gpd.GeoDataFrame) -> Refuge:
    """Who finds refuge where along the streets ``walk`` in the shelters as they are rated, by their open doors."""
    return _refuge(walk, base.seekers, doors, sites, base.params)


def _refuge(walk: Usable, seekers: Seekers, doors: Snaps, sites: gpd.GeoDataFrame, params: PlanParams) -> Refuge:
    there = shelters_for(seekers, sites, doors, params)
    return refuge.find(walk, seekers, there, pace=pace(params), params=params.refuge)


def shelters_for(seekers: Seekers, sites: gpd.GeoDataFrame, doors: Snaps, params: PlanParams) -> refuge.Shelters:
    """The shelters as people find them who seek refuge, by their open ``doors``."""
    people = int(seekers.people.sum())
    return refuge.Shelters.of(sites, "capacity_people", doors, people=people, params=params.refuge)


def rated(base: Base, doors: Snaps, faced: Faced) -> gpd.GeoDataFrame:
    """The shelters as hazards and open ``doors`` leave them (``geo.rating``)."""
    known = (base.shelters, base.surveyed, base.doors)
    return rating.rated(*known, doors, faced, base.communities, way=base.network.way, params=base.params)


def survey(city: City, sites: gpd.GeoDataFrame, params: PlanParams) -> Survey:
    """Sites measured against the city's buildings, sources of fire and heights."""
    storey_m = params.population.storey_m
    sources = [city.facilities, city.areas]
    return ground.survey(
        sites, city.buildings, sources, city.elevation, params=params.site, storey_m=storey_m,
        rubble_factor=params.rubble.open_factor,
    )  # fmt: skip


def pace(params: PlanParams) -> Pace:
    """How people walk to shelters."""
    return Pace(params.walk.max_minutes * 60, level_speed_ms(params.walk, params))


def _beyond(streets: Network, demand: gpd.GeoDataFrame, params: PlanParams) -> Mask:
    """Whether each place lies beyond the streets of the data: outside their hull, farther than a place may lie off."""
    hull = shapely.MultiPoint(np.column_stack([streets.x, streets.y])).convex_hull.buffer(params.walk.snap_max_m)
    return np.asarray(~shapely.intersects(hull, _shapes(demand)))


def _ways(city: City, params: PlanParams) -> tuple[Ways, tuple[Sentence, ...]]:
    """The city's streets; where nobody has any, a lattice where people, shelters and facilities are."""
    if city.ways is not None:
        return city.ways, ()
    tables = (*city.people.values(), city.shelters, city.facilities, city.buildings)
    things = [_shapes(table) for table in tables if len(table)]
    if not things and city.outline is not None:
        things = [np.array([city.outline], dtype=object)]
    return lattice.made(things, crs=city.crs, params=params.lattice)


def _profiles(params: PlanParams) -> list[str]:
    """Everybody who moves in a plan: all who walk, and whoever some service sends."""
    return sorted({*WALKERS, *(getattr(params, service).profile for service in SERVICES)})


def opened(
    streets: Network, profile: str, params: PlanParams, climb: Floats | None, faced: tuple[Hazard, ...] = (),
    normal: Usable | None = None,
) -> Usable:  # fmt: skip
    """The streets open to a profile, by its part of the parameters."""
    who, island_m = getattr(params, profile), params.walk.island_m
    return usable.streets(streets, who, rules=params, island_m=island_m, climb=climb, faced=faced, normal=normal)


def _bound(
    streets: Network, shapes: NDArray[np.object_], ways: Mapping[str, Usable], params: PlanParams
) -> dict[str, Snaps]:
    """Places (n,) bound to the streets of each profile; profiles share what they can."""
    joined = {name: found.joined for name, found in ways.items()}
    return snapping.snap_each(streets, shapes, usable=joined, max_m=params.walk.snap_max_m)


def _covered(city: City, sites: Sites, ways: Mapping[str, Usable], params: PlanParams) -> Covered:
    """Every service of the city on an ordinary day."""
    barriers = coverage.barriers([city.areas, city.lines], params.circle.barriers)
    return coverage.prepare(sites, ways, barriers=barriers, params=_coverage_params(params))


def _coverage_params(params: PlanParams) -> CoverageParams:
    asked: dict[str, ServiceParams] = {name: getattr(params, name) for name in SERVICES}
    walk = ServiceParams(
        kinds=(services.SHELTER,), profile="walk", direction="towards", minutes=params.walk.max_minutes,
        turnout_s=0, max_area_km2=0,
    )  # fmt: skip
    asked[services.SHELTER] = walk
    asked |= {name: walk.model_copy(update={"profile": group}) for name, group in services.GROUPS.items()}
    return CoverageParams(
        services=asked,
        everyday=params.everyday,
        circle=params.circle,
        outline=params.outline,
        walking_ms={name: level_speed_ms(getattr(params, name), params) for name in WALKERS},
        entrance_max_m=params.shelter.entrance_max_m,
        entrance_spread_m=params.shelter.entrance_spread_m,
    )


def _people(city: City, walk: Usable, params: PlanParams, time: Time) -> Population:
    """Known people where they can be; where nobody is known, an estimate from buildings."""
    table, said = population.at(city.people, time)
    if table is None:
        return population.from_buildings(
            city.buildings, city.areas, params=params.population, time=time, assumed=params.groups
        )
    spots = _spots(walk, params) if (shapely.get_dimensions(_shapes(table)) == 2).any() else None
    people = population.place(table, city.buildings, city.areas, spots, params=params.population, assumed=params.groups)
    return replace(people, notes=(*said, *people.notes))


def _spots(walk: Usable, params: PlanParams) -> population.Spots:
    """Points on the streets at which people known only by area may stand."""
    points = territories.samples(walk.network, walk.joined, spacing_m=params.population.street_spacing_m)
    x, y = reach.points(walk.network, points)
    metres = walk.network.length_m[points.edge] / np.bincount(points.edge)[points.edge]
    names = np.char.add(walk.network.street_ids[points.edge].astype(str), np.char.mod("-%d", points.place))
    return population.Spots(np.asarray(shapely.points(x, y)), metres, names.astype(object))


def _communities(
    city: City, streets: Network, demand: gpd.GeoDataFrame, params: PlanParams
) -> areas_of_planning.Communities:
    """Communities as given, else chosen by where people are; where the map has none, cells between its streets."""
    if city.communities is not None:
        return areas_of_planning.given(
            city.communities, demand=demand, params=params.community, boundaries=city.boundaries,
            study_outline=city.outline,
        )  # fmt: skip
    between = None if city.ways is None else areas_of_planning.Streets(streets, params.grids, city.lines)
    extent = city.outline
    if extent is None and not len(demand):
        corners = shapely.MultiPoint(np.column_stack([streets.x, streets.y]))
        extent = corners.convex_hull.buffer(params.community.margin_m)
    return areas_of_planning.choose(
        city.boundaries, demand=demand, params=params.community, extent=extent, streets=between
    )


def _extent(city: City, streets: Network, params: PlanParams) -> Extent:
    """The ground on which hazards are combined: the outline's box, else that of the streets, metres."""
    if city.outline is not None:
        xmin, ymin, xmax, ymax = (float(edge) for edge in shapely.bounds(city.outline))
    else:
        xmin, ymin, xmax, ymax = (float(f(at)) for f in (np.min, np.max) for at in (streets.x, streets.y))
    margin = params.community.margin_m
    return xmin - margin, ymin - margin, xmax + margin, ymax + margin


def _shapes(table: gpd.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(table.geometry.to_numpy(), dtype=object)


def doors_of(ways: Usable, sites: gpd.GeoDataFrame, params: PlanParams) -> Snaps:
    """Where people can enter each site from the streets of an ordinary day."""
    reach, spread = params.shelter.entrance_max_m, params.shelter.entrance_spread_m
    return snapping.entrances_to(ways.indexed, _shapes(sites), max_m=reach, spread_m=spread)
