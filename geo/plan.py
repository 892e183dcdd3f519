"""The whole plan of a city under a scenario: the recipe that calls every other part.

``prepare`` does what no scenario changes (streets, people, communities, walks on a normal day); ``run`` puts one
scenario on it. Everything that comes out is a table; pages, files and pictures are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo import communities as areas_of_planning
from geo import evacuation, hazards, network, population, setbacks, shelters, snapping, summary
from geo.communities import CommunityParams
from geo.evacuation import WalkParams, Walks, Walkways
from geo.hazards import ExposureParams, Hazard
from geo.network import Network, Ways
from geo.population import Population, PopulationParams
from geo.reasons import Sentence, for_shelter
from geo.setbacks import SetbackParams
from geo.shelters import ShelterParams
from geo.snapping import Snaps
from geo.standards import Standards
from geo.summary import StatusParams

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

DEPTHS = {"max": "depth_max_m", "mean": "depth_mean_m", "share_affected": "share_wet", "share_unknown": "share_unknown"}
"""Exposure columns as they are called for water."""
POINT_SITE_M = 5.0
"""Radius of ground, metres, that stands for a site known only as a point."""


@dataclass(frozen=True)
class City:
    """What is known of a place: checked tables in one metric CRS, and hazards in their own.

    ``communities`` and ``demand`` are None when nobody gave them: they are then made from boundaries and buildings.
    ``notes`` are what the loaders found worth saying.
    """

    crs: str
    ways: Ways
    buildings: gpd.GeoDataFrame
    facilities: gpd.GeoDataFrame
    shelters: gpd.GeoDataFrame
    areas: gpd.GeoDataFrame
    lines: gpd.GeoDataFrame
    boundaries: gpd.GeoDataFrame
    communities: gpd.GeoDataFrame | None = None
    demand: gpd.GeoDataFrame | None = None
    hazards: Mapping[str, Hazard] = field(default_factory=dict)
    notes: tuple[Sentence, ...] = ()


@dataclass(frozen=True)
class Scenario:
    """A state of the city and the hazards in force; no hazard is an ordinary day."""

    scenario_id: str
    state: str = "normal"
    hazards: tuple[str, ...] = ()


class PlanParams(BaseModel):
    """Every number a planner may change, by part."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    walk: WalkParams = Field(description="How people walk.")
    shelter: ShelterParams = Field(description="What counts as a shelter.")
    population: PopulationParams = Field(description="How people are estimated from buildings.")
    community: CommunityParams = Field(description="How communities are chosen where none are given.")
    exposure: ExposureParams = Field(description="What counts as touched by a hazard.")
    setback: SetbackParams = Field(description="What the city keeps its distance from.")
    status: StatusParams = Field(description="When a community counts as good, to be watched or bad.")

    @classmethod
    def of(cls, standards: Standards) -> PlanParams:
        """The defaults as the standards give them."""
        return cls.model_validate({name: info.annotation.of(standards) for name, info in cls.model_fields.items()})  # type: ignore[union-attr]


@dataclass(frozen=True)
class Base:
    """What no scenario changes."""

    city: City
    params: PlanParams
    network: Network
    people: Population
    community_id: pd.Series
    communities: gpd.GeoDataFrame
    shelters: gpd.GeoDataFrame
    ways: Walkways
    places: Snaps
    normal: Walks
    doors: Snaps
    notes: tuple[Sentence, ...]

    @property
    def demand(self) -> gpd.GeoDataFrame:
        """One row a place with people."""
        return self.people.demand


@dataclass(frozen=True)
class Plan:
    """A scenario's results: tables by layer name, the headline, its audit, and what must be said beside them."""

    scenario: Scenario
    params: PlanParams
    layers: Mapping[str, gpd.GeoDataFrame]
    headline: Mapping[str, float]
    audit: tuple[summary.Check, ...]
    notes: tuple[Sentence, ...]

    def __repr__(self) -> str:
        h = self.headline
        return f"Plan({self.scenario.scenario_id}: {h['people_served']:.0f} of {h['people']:.0f} people served)"


def prepare(city: City, *, params: PlanParams) -> Base:
    """Streets, people, communities, shelters, and everybody's walk on an ordinary day."""
    streets = network.build(city.ways)
    people = _people(city, params)
    units = _communities(city, people.demand, params)
    sites = shelters.in_plan(city.shelters, params=params.shelter)
    ways = evacuation.walkways(streets, params=params.walk)
    places = snapping.snap(streets, _shapes(people.demand), usable=ways.joined, max_m=params.walk.snap_max_m)
    doors = _doors(ways, sites, params)
    notes = (
        *city.notes,
        *people.notes,
        *units.notes,
        *summary.shelter_notes(city.shelters, sites),
        *summary.island_notes(streets.length_m, ways.island),
    )
    return Base(
        city,
        params,
        streets,
        people,
        areas_of_planning.assign(people.demand, units),
        units.table,
        sites,
        ways,
        places,
        evacuation.walk_to_nearest(ways, places, doors, params=params.walk),
        doors,
        notes,
    )


def run(base: Base, scenario: Scenario) -> Plan:
    """One scenario's plan on a prepared city."""
    faced = [base.city.hazards[name] for name in scenario.hazards]
    wet = _exposures(base, faced)
    ways = evacuation.walkways(base.network, params=base.params.walk, depth_max_m=wet.streets["depth_max_m"].to_numpy())
    doors = _still_open(base.doors, ways)
    sites = _rated(base, {h.kind for h in faced}, wet.sites, _reached(doors, len(base.shelters)))
    usable = _at(doors, sites["usable"].to_numpy()[doors.place])
    walks = evacuation.walk_to_nearest(ways, base.places, usable, params=base.params.walk)
    demand = _demand(base, walks, wet.homes)
    streets = _streets(base, ways, wet.streets)
    sites = _beside(sites, pd.DataFrame({"people_nearest": _drawn(walks, demand, len(sites))}))
    units = summary.by_community(base.communities, demand, sites, params=base.params.status, walk=base.params.walk)
    layers = {"communities": units, "demand": demand, "shelters": sites, "streets": streets}
    layers |= _derived(base, walks, demand, streets)
    headline = summary.headline(demand, sites)
    said = summary.run_notes(demand, streets, with_hazard=bool(faced))
    notes = (*base.notes, *summary.room_notes(sites, int(headline["people_served"])), *said)
    return Plan(
        scenario,
        base.params,
        layers,
        headline,
        summary.audit(units, demand, base.people.total),
        notes,
    )


@dataclass(frozen=True)
class Exposures:
    """What the scenario's hazards do to each street, home and site, in the columns of ``DEPTHS``."""

    streets: pd.DataFrame
    homes: pd.DataFrame
    sites: pd.DataFrame


def _exposures(base: Base, faced: list[Hazard]) -> Exposures:
    net, params = base.network, base.params.exposure
    dry = net.edge_is("bridge")
    return Exposures(
        _depths(
            [
                hazards.exempt(
                    hazards.expose_lines(net.px, net.py, net.start, crs=net.crs, hazard=h, params=params), dry
                )
                for h in faced
            ],
            len(net.u),
        ),
        _depths([_home_exposure(base, h) for h in faced], len(base.demand)),
        _depths(
            [hazards.expose_areas(_grounds(base.shelters), crs=base.city.crs, hazard=h, params=params) for h in faced],
            len(base.shelters),
        ),
    )


def _home_exposure(base: Base, hazard: Hazard) -> pd.DataFrame:
    return hazards.expose_areas(base.people.shapes, crs=base.city.crs, hazard=hazard, params=base.params.exposure)


def _grounds(sites: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """The ground of each site; a site known as a point stands for the few metres round it."""
    shapes = _shapes(sites)
    return np.where(shapely.get_dimensions(shapes) == 2, shapes, shapely.buffer(shapes, POINT_SITE_M))


def _depths(exposures: list[pd.DataFrame], n: int) -> pd.DataFrame:
    """The worst of several exposures under their names here; without a hazard nothing is known and nothing is wet."""
    if not exposures:
        return pd.DataFrame(np.nan, index=range(n), columns=list(DEPTHS.values()))
    return hazards.worst(exposures).rename(columns=DEPTHS)[list(DEPTHS.values())]


def _rated(base: Base, kinds: Collection[str], wet: pd.DataFrame, reached: Mask) -> gpd.GeoDataFrame:
    """The shelters with their exposure, whether they are usable and why, their room and their community."""
    sites, params = base.shelters, base.params.shelter
    rating = shelters.rate(
        wet["share_wet"].to_numpy(),
        wet["share_unknown"].to_numpy(),
        valid=shelters.declared_valid(sites, kinds),
        reached_normally=_reached(base.doors, len(sites)),
        reached_now=reached,
        params=params,
    )
    room = shelters.capacities(sites, wet["share_wet"].to_numpy(), params=params)
    said = [
        for_shelter(code, wet=w, unknown=u, depth=d)
        for code, w, u, d in zip(
            rating["reason_code"], wet["share_wet"], wet["share_unknown"], wet["depth_max_m"], strict=True
        )
    ]
    words = pd.DataFrame({"reason_en": [s.en for s in said], "reason_zh": [s.zh for s in said]}, dtype="object")
    unit = areas_of_planning.locate(sites.geometry.representative_point(), base.communities)
    return _beside(sites, rating, words, room, wet, pd.DataFrame({"community_id": unit}))


def _beside(table: gpd.GeoDataFrame, *more: pd.DataFrame) -> gpd.GeoDataFrame:
    """Columns of tables with the same rows side by side, geometry last."""
    parts = [table.drop(columns="geometry"), *(m.set_axis(table.index) for m in more)]
    return gpd.GeoDataFrame(pd.concat(parts, axis=1), geometry=table.geometry, crs=table.crs)


def _at(snaps: Snaps, kept: Mask) -> Snaps:
    return Snaps(snaps.place[kept], snaps.edge[kept], snaps.along_m[kept], snaps.off_m[kept])


def _demand(base: Base, walks: Walks, wet: pd.DataFrame) -> gpd.GeoDataFrame:
    """Every place with people: its walk now and on a normal day, its shelter, and what becomes of it."""
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
            "exposed": (wet["share_wet"] > 0).to_numpy(),
            "depth_max_m": wet["depth_max_m"].to_numpy(),
        }
    )
    return _beside(base.demand, columns)


def _streets(base: Base, ways: Walkways, wet: pd.DataFrame) -> gpd.GeoDataFrame:
    """Every street segment with its exposure and whether walkers may use it."""
    use = pd.DataFrame({"walk_usable": ways.usable, "walk_reason": ways.closed})
    return _beside(base.network.streets(), wet, use)


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


def _people(city: City, params: PlanParams) -> Population:
    """Known people as given, spread over dwellings where they come by unit; estimated where none are known."""
    if city.demand is None:
        return population.from_buildings(city.buildings, city.areas, params=params.population)
    by_unit = len(city.demand) > 0 and (shapely.get_dimensions(_shapes(city.demand)) == 2).all()
    if by_unit and len(city.buildings):
        return population.allocate(city.demand, city.buildings, city.areas, params=params.population)
    return population.given(city.demand)


def _communities(city: City, demand: gpd.GeoDataFrame, params: PlanParams) -> areas_of_planning.Communities:
    if city.communities is not None:
        return areas_of_planning.given(city.communities, demand=demand, params=params.community)
    return areas_of_planning.choose(city.boundaries, demand=demand, params=params.community)


def _shapes(table: gpd.GeoDataFrame) -> NDArray[np.object_]:
    return np.asarray(table.geometry.to_numpy(), dtype=object)


def _doors(ways: Walkways, sites: gpd.GeoDataFrame, params: PlanParams) -> Snaps:
    reach, spread = params.shelter.entrance_max_m, params.shelter.entrance_spread_m
    return snapping.entrances(ways.network, _shapes(sites), usable=ways.joined, max_m=reach, spread_m=spread)


def _still_open(doors: Snaps, ways: Walkways) -> Snaps:
    """The doors of a normal day whose street is open: a hazard opens no new one."""
    return _at(doors, doors.found & ways.usable[doors.edge])


def _reached(doors: Snaps, n: int) -> Mask:
    """Which sites have an entrance from an open street, (sites,)."""
    return np.asarray(np.bincount(doors.place[doors.found], minlength=n) > 0)
