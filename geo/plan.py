"""The whole plan of a city under a scenario: the recipe that calls every other part.

``prepare`` does what no scenario changes (streets, people, communities, walks on a normal day); ``run`` puts one
scenario on it. Everything that comes out is a table; pages, files and pictures are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import communities as areas_of_planning
from geo import (
    coverage,
    dangers,
    evacuation,
    lattice,
    lengths,
    network,
    population,
    reach,
    rollup,
    services,
    setbacks,
    shelters,
    snapping,
    summary,
    tallies,
    terrain,
    territories,
    usable,
)
from geo import exposures as exposed
from geo.city import SERVICES, City, PlanParams, Scenario
from geo.composite import Combined
from geo.coverage import CoverageParams, Covered, Sites
from geo.dangers import Extent
from geo.evacuation import Walks
from geo.exposures import Faced
from geo.hazards import Hazard
from geo.network import Network, Ways
from geo.population import Population, Time
from geo.reasons import Sentence, for_shelter
from geo.services import (
    ServiceParams,
)
from geo.snapping import Snaps
from geo.speeds import level_speed_ms
from geo.tallies import Told
from geo.usable import Usable

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


WALKERS = ("walk", *services.GROUPS.values())
"""Profiles that go on foot: adults, and the groups that walk otherwise."""


@dataclass(frozen=True)
class Base:
    """What no scenario changes."""

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
    climb: Floats | None
    usable: Mapping[str, Usable]
    places: Snaps
    normal: Walks
    doors: Snaps
    covered: Covered
    notes: tuple[Sentence, ...]

    @property
    def demand(self) -> gpd.GeoDataFrame:
        """One row a place with people."""
        return self.people.demand


@dataclass(frozen=True)
class Plan:
    """A scenario's results: tables by layer name, the headline, its audit, and what must be said beside them.

    ``faced`` are the hazards in force, ``combined`` their level cell by cell; None where there is none.
    """

    scenario: Scenario
    params: PlanParams
    faced: tuple[Hazard, ...]
    combined: Combined | None
    layers: Mapping[str, gpd.GeoDataFrame]
    headline: Mapping[str, float]
    audit: tuple[summary.Check, ...]
    notes: tuple[Sentence, ...]

    def __repr__(self) -> str:
        h = self.headline
        return f"Plan({self.scenario.scenario_id}: {h['people_served']:.0f} of {h['people']:.0f} people served)"


def prepare(city: City, *, params: PlanParams, time: Time = "night") -> Base:
    """Streets, people, communities, shelters, and everybody's walk and services on an ordinary day or night."""
    ways_known, made = _ways(city, params)
    streets = network.build(ways_known)
    climb = None if city.elevation is None else terrain.climb(streets, city.elevation)
    ways = {name: _open(streets, name, params, climb) for name in _profiles(params)}
    people = _people(city, ways["walk"], params, time)
    units = _communities(city, streets, people.demand, params)
    extent = _extent(city, streets, params)
    known, derived_notes = dangers.of_city(city, extent=extent, params=params)
    sites = shelters.in_plan(city.shelters, params=params.shelter)
    walk = ways["walk"]
    homes = _bound(streets, _shapes(people.demand), ways, params)
    doors = _doors(walk, sites, params)
    spots = _bound(streets, _shapes(city.facilities), ways, params)
    covered = _covered(city, Sites(city.facilities, sites, homes, spots), ways, params)
    notes = (
        *city.notes,
        *made,
        *people.notes,
        *units.notes,
        *derived_notes,
        *summary.shelter_notes(city.shelters, sites),
        *shelters.small_notes(city.shelters, params=params.shelter),
        *summary.island_notes(streets.length_m, walk.island),
        *tallies.station_notes(covered),
    )
    return Base(
        city,
        params,
        streets,
        people,
        areas_of_planning.assign(people.demand, units),
        units.table,
        units.parents,
        known,
        extent,
        sites,
        climb,
        ways,
        homes["walk"],
        evacuation.walk_to_nearest(walk, homes["walk"], doors, speed_ms=level_speed_ms(params.walk, params)),
        doors,
        covered,
        notes,
    )


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


def _open(
    streets: Network,
    profile: str,
    params: PlanParams,
    climb: Floats | None,
    faced: tuple[Hazard, ...] = (),
    normal: Usable | None = None,
) -> Usable:
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


def run(base: Base, scenario: Scenario) -> Plan:
    """One scenario's plan on a prepared city."""
    in_force = tuple(base.hazards[name] for name in scenario.hazards)
    faced = Faced(in_force, base.city.crs, base.params.exposure, base.params.levels)
    combined = dangers.together(in_force, extent=base.extent, crs=base.city.crs, params=base.params)
    ways = _under(base, faced)
    doors = _still_open(base.doors, ways["walk"])
    sites = _rated(base, faced, _reached(doors, len(base.shelters)))
    entrances = doors.where(sites["usable"].to_numpy()[doors.place])
    pace_ms = level_speed_ms(base.params.walk, base.params)
    walks = evacuation.walk_to_nearest(ways["walk"], base.places, entrances, speed_ms=pace_ms)
    told = _told(base, faced, ways, sites, _demand(base, walks, faced, combined))
    streets = _streets(base, ways, faced.streets(base.network, rules=base.params))
    sites = _beside(sites, pd.DataFrame({"people_nearest": _drawn(walks, told.demand, len(sites))}))
    units = summary.by_community(base.communities, told.demand, sites, params=base.params.status, walk=base.params.walk)
    demand = _beside(told.demand, tallies.at_places(told))
    by_length = lengths.street_shares(told, units)
    more = dangers.in_communities(demand, units, params=base.params)
    units = _beside(units, tallies.in_communities(told, units), by_length.communities, more)
    if not base.people.total:
        units = lengths.judged(units, params=base.params.status, walk=base.params.walk)
    layers = {"communities": units, "demand": demand, "shelters": sites, "streets": streets}
    layers |= _derived(base, walks, demand, streets) | tallies.layers(told, units)
    layers |= _above(units, base.parents)
    headline = {**summary.headline(demand, sites), **tallies.headline(told), **by_length.city}
    headline |= dangers.headline(demand, params=base.params)
    if not base.people.total:
        layers |= {
            name: lengths.uncounted(table) for name, table in layers.items() if name not in ("demand", "cut_off")
        }
        headline |= {name: np.nan for name in headline if name.startswith("people")}
    said = summary.run_notes(demand, streets, with_hazard=bool(faced))
    wide = dangers.coarser(base.extent, params=base.params) if faced else ()
    return Plan(
        scenario,
        base.params,
        in_force,
        combined,
        layers,
        headline,
        summary.audit(units, demand, base.people.total),
        (
            *base.notes,
            *_hazard_notes(base.city, scenario),
            *summary.room_notes(sites, int((demand["state"] == "served") @ demand["people"])),
            *said,
            *wide,
        ),
    )


def _under(base: Base, faced: Faced) -> Mapping[str, Usable]:
    """The streets of every profile as they are now."""
    if not faced:
        return base.usable
    return {
        name: _open(base.network, name, base.params, base.climb, faced.hazards, normal)
        for name, normal in base.usable.items()
    }


def _told(
    base: Base, faced: Faced, ways: Mapping[str, Usable], sites: gpd.GeoDataFrame, demand: gpd.GeoDataFrame
) -> Told:
    """Every service now, ready to be counted."""
    covered = base.covered
    now = coverage.run(covered, ways, out_of_service=_out(base, faced, sites)) if faced else coverage.ordinary(covered)
    return Told(covered, now, demand, bool(faced))


def _out(base: Base, faced: Faced, sites: gpd.GeoDataFrame) -> set[str]:
    """Ids of facilities that a hazard puts out of service, and of shelters that are not usable."""
    stations = pd.concat([one.bound.stations for one in base.covered.asked.values()]).drop_duplicates("facility_id")
    gone = exposed.hit(faced.sites(stations), above=base.params.circle.max_share_affected)
    return {*stations["facility_id"][gone], *sites["shelter_id"][~sites["usable"]]}


def _rated(base: Base, faced: Faced, reached: Mask) -> gpd.GeoDataFrame:
    """The shelters with their exposure, whether they are usable and why, their room and their community."""
    sites, params = base.shelters, base.params.shelter
    found = faced.sites(sites)
    rating = shelters.rate(
        found["share_wet"].to_numpy(),
        found["share_hit"].to_numpy(),
        found["share_unknown"].to_numpy(),
        valid=shelters.declared_valid(sites, faced.kinds),
        reached_normally=_reached(base.doors, len(sites)),
        reached_now=reached,
        params=params,
    )
    lost = np.fmax(found["share_wet"].to_numpy(), found["share_hit"].to_numpy())
    room = shelters.capacities(sites, lost, params=params)
    unit = areas_of_planning.locate(sites.geometry.representative_point(), base.communities)
    words = _shelter_words(rating["reason_code"], found)
    return _beside(sites, rating, words, room, found, pd.DataFrame({"community_id": unit}))


def _shelter_words(codes: pd.Series, found: pd.DataFrame) -> pd.DataFrame:
    columns = (found[name] for name in ("share_wet", "share_hit", "share_unknown", "depth_max_m"))
    said = [
        for_shelter(code, wet=wet, hit=hit, unknown=unknown, depth=depth)
        for code, wet, hit, unknown, depth in zip(codes, *columns, strict=True)
    ]
    return pd.DataFrame({"reason_en": [s.en for s in said], "reason_zh": [s.zh for s in said]}, dtype="object")


def _beside(table: gpd.GeoDataFrame, *more: pd.DataFrame) -> gpd.GeoDataFrame:
    """Columns of tables with the same rows side by side, geometry last."""
    parts = [table.drop(columns="geometry"), *(m.set_axis(table.index) for m in more)]
    return gpd.GeoDataFrame(pd.concat(parts, axis=1), geometry=table.geometry, crs=table.crs)


def _demand(base: Base, walks: Walks, faced: Faced, combined: Combined | None) -> gpd.GeoDataFrame:
    """Every place with people: its walk now and on a normal day, its shelter, and what becomes of it."""
    found = faced.grounds(base.people.shapes)
    snapped = base.places.found
    state = evacuation.states(base.normal, walks, snapped, params=base.params.walk)
    before = evacuation.states(base.normal, base.normal, snapped, params=base.params.walk)
    ids = np.r_[base.shelters["shelter_id"].to_numpy(dtype=object), None]
    columns = pd.DataFrame(
        {
            "community_id": base.community_id.to_numpy(),
            "walk_s": walks.walk_s,
            "walk_s_normal": base.normal.walk_s,
            "shelter_id": ids[walks.shelter],
            "state": state.to_numpy(),
            "snap_m": base.places.off_m,
            "served_normal": (before == "served").to_numpy(),
            "lost_way": (np.isnan(walks.walk_s) & ~np.isnan(base.normal.walk_s)),
            "exposed": exposed.hit(found, above=0.0),
            "depth_max_m": found["depth_max_m"].to_numpy(),
            "level_max": found["level_max"].to_numpy(),
        }
    )
    demand = _beside(base.demand, columns)
    demand = _beside(demand, dangers.at_places(demand, faced.hazards, combined, params=base.params))
    return demand.assign(exposed=demand["exposed"] | dangers.felt(demand, faced.hazards, params=base.params))


def _above(units: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """What the communities come to in the units above them; no layer where there are none."""
    return {"districts": rollup.rolled_up(units, parents)} if len(parents) else {}


def _streets(base: Base, ways: Mapping[str, Usable], found: pd.DataFrame) -> gpd.GeoDataFrame:
    """Every street segment with its exposure and, for each profile, whether it may use it and why not."""
    use: dict[str, object] = {}
    for name, streets in ways.items():
        use |= {f"{name}_usable": streets.usable, f"{name}_reason": streets.closed}
    return _beside(base.network.streets(), found, pd.DataFrame(use))


def _drawn(walks: Walks, demand: gpd.GeoDataFrame, n: int) -> NDArray[np.int64]:
    """Served people whose nearest usable shelter each one is, (shelters,)."""
    served = (demand["state"] == "served").to_numpy()
    people = demand["people"].to_numpy(dtype=np.int64)
    drawn = np.zeros(n, dtype=np.int64)
    np.add.at(drawn, walks.shelter[served], people[served])
    return drawn


def _derived(
    base: Base, walks: Walks, demand: gpd.GeoDataFrame, streets: gpd.GeoDataFrame
) -> dict[str, gpd.GeoDataFrame]:
    """Layers that follow from the others: who walks along each street, who is cut off, and the city's own features."""
    served = (demand["state"] == "served").to_numpy()
    people = evacuation.street_flows(walks, demand["people"].to_numpy(dtype=np.int64), served=served)
    flows = streets[["street_id", "name", "name_zh", "name_en", "geometry"]].assign(people=people)
    points = base.city.facilities.set_geometry(base.city.facilities.geometry.representative_point())
    return {
        "street_flows": flows[people > 0].reset_index(drop=True),
        "cut_off": demand[demand["lost_way"]].reset_index(drop=True),
        "facilities": points,
        "setback_sources": setbacks.sources(
            [base.city.areas, base.city.lines, base.city.facilities], params=base.params.setback
        ),
    }


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


def _hazard_notes(city: City, scenario: Scenario) -> tuple[Sentence, ...]:
    """What was found in the hazards in force."""
    return tuple(note for name in scenario.hazards for note in city.hazard_notes.get(name, ()))


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


def _doors(ways: Usable, sites: gpd.GeoDataFrame, params: PlanParams) -> Snaps:
    reach, spread = params.shelter.entrance_max_m, params.shelter.entrance_spread_m
    return snapping.entrances(ways.network, _shapes(sites), usable=ways.joined, max_m=reach, spread_m=spread)


def _still_open(doors: Snaps, ways: Usable) -> Snaps:
    """The doors of a normal day whose street is open: a hazard opens no new one."""
    return doors.where(doors.found & ways.usable[doors.edge])


def _reached(doors: Snaps, n: int) -> Mask:
    """Which sites have an entrance from an open street, (sites,)."""
    return np.asarray(np.bincount(doors.place[doors.found], minlength=n) > 0)
