"""The whole plan of a city under a scenario: the recipe that calls every other part.

``prepare`` does what no scenario changes (streets, people, communities, walks on a normal day); ``run`` puts one
scenario on it. Everything that comes out is a table; pages, files and pictures are made elsewhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd

from geo import (
    access_audit,
    analyses,
    clearance,
    conversions,
    coverage,
    cures,
    dangers,
    land,
    lengths,
    nights,
    provisions,
    refuge,
    rollup,
    situation,
    stages,
    summary,
    tallies,
)
from geo import exposures as exposed
from geo.city import PlanParams, Scenario
from geo.composite import Combined
from geo.critical import CriticalParams
from geo.hazards import Hazard
from geo.land import Land
from geo.parts import Parts
from geo.readied import Base
from geo.reasons import Sentence
from geo.situation import Situation
from geo.tables import beside
from geo.tallies import Told

OF_BUILDINGS = dict.fromkeys(access_audit.SHARES, "buildings_audited")
"""Shares that are of buildings, not of people, and what weighs them."""
SHELTER_CLEARANCE = ["in_90_s", "clearance_s", "gate_wait_s"]
"""Columns of a clearance that are told of each shelter."""


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


def run(base: Base, scenario: Scenario, *, ground: Land | None = None) -> Plan:
    """One scenario's plan on a city that was made ready.

    ``ground`` is what becomes of its land (``geo.land.of(base)``), the same in every scenario; worked out where it is
    not given.
    """
    ground, now = ground or land.of(base), situation.of(base, scenario)
    faced, params = now.faced, base.params
    exposure = faced.streets(base.network, rules=params)
    told, streets = _told(now, situation.demand(now)), _streets(now, exposure, ground)
    weighed = _Weighed.of(now, told, exposure, streets)
    sites = beside(now.shelters, weighed.sites)
    units, by_length = _communities(now, told, sites, weighed)
    demand = beside(told.demand, tallies.at_places(told), weighed.demand)
    supplied = provisions.of(now, sites, units)
    could = conversions.of(now, let=ground.let)
    risks = stages.of(ground, could)
    staged = stages.by_community(risks, Parts.named(base.community_id, units["community_id"]), units.index)
    units = beside(units, supplied.communities, could.communities, ground.communities_told, staged)
    helped = cures.find(now, params=params.cures) if base.people.total else ()
    units = beside(units, cures.by_community(now, helped, params=params.cures)) if helped else units
    layers = {"communities": units, "demand": demand, "shelters": sites, "streets": streets, **weighed.layers}
    layers |= {**_derived(now, demand), **_services(told, units, params.critical), **supplied.layers}
    layers |= {**ground.layers, "refuge_candidates": could.layer}
    layers |= _above(units, base.parents) | ({"fixes": cures.layer(now, helped)} if helped else {})
    headline = _headline(now, told, demand, sites) | {
        **by_length,
        **supplied.headline,
        **could.headline,
        **ground.headline,
        **stages.headline(risks),
    }
    if not base.people.total:
        layers |= {
            name: lengths.uncounted(table) for name, table in layers.items() if name not in ("demand", "cut_off")
        }
        headline |= {name: np.nan for name in headline if name.startswith(("people", "need_"))}
    audit = summary.audit(units, demand, sites, base.people.total)
    notes = (*_notes(now, demand, sites, streets), *weighed.notes, *supplied.notes, *could.notes, *ground.notes)
    return Plan(scenario, params, faced.hazards, now.combined, layers, headline, audit, notes)


@dataclass(frozen=True)
class _Weighed:
    """What follows from who goes where (``geo.analyses``): layers, and columns beside places, shelters, communities."""

    layers: Mapping[str, gpd.GeoDataFrame]
    demand: pd.DataFrame
    sites: pd.DataFrame
    communities: pd.DataFrame
    notes: tuple[Sentence, ...]

    @classmethod
    def of(cls, now: Situation, told: Told, exposure: pd.DataFrame, streets: gpd.GeoDataFrame) -> _Weighed:
        home, ids = now.base.community_id, now.base.communities["community_id"]
        cleared, leaving = analyses.cleared(now), analyses.leaving(now)
        isolated, cut_off = analyses.broken(now, ids)
        units = [
            clearance.by_community(cleared, home, ids),
            analyses.two_shares(now, told, ids),
            cut_off,
            *([leaving.by_community(ids)] if leaving else []),
        ]
        hours = {"leave_by_h": leaving.told} if leaving and leaving.of_people else {}
        return cls(
            {
                "routes": analyses.routes(now, exposure),
                "street_flows": analyses.on_streets(now, cleared, streets),
                "critical_streets": analyses.weak_streets(now),
                "isolated": isolated,
            },
            pd.DataFrame(hours, index=now.base.demand.index),
            pd.concat([cleared.sites[SHELTER_CLEARANCE], analyses.without_each_shelter(now)], axis=1),
            pd.concat(units, axis=1),
            cleared.notes,
        )


def _communities(
    now: Situation, told: Told, sites: gpd.GeoDataFrame, weighed: _Weighed
) -> tuple[gpd.GeoDataFrame, Mapping[str, float]]:
    """One row a community with all that is told of it, and the city's shares by length of street."""
    base, params = now.base, now.base.params
    walks = now.legs
    units = summary.by_community(base.communities, told.demand, sites, walks, params=params.status, walk=params.walk)
    by_length = lengths.street_shares(told, units)
    units = beside(
        units,
        tallies.in_communities(told, units),
        by_length.communities,
        dangers.in_communities(told.demand, units, params=params),
        nights.by_community(told.demand, units["community_id"]),
        weighed.communities,
    )
    if not base.people.total:
        units = lengths.judged(units, params=params.status, walk=params.walk)
    return units, by_length.city


def _headline(now: Situation, told: Told, demand: gpd.GeoDataFrame, sites: gpd.GeoDataFrame) -> dict[str, float]:
    """The city in a few numbers."""
    return {
        **summary.headline(demand, sites, now.legs),
        **tallies.headline(told),
        **dangers.headline(demand, params=now.base.params),
        **nights.headline(demand),
        "clearance_s": float(sites["clearance_s"].max()),
    }


def _notes(
    now: Situation, demand: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, streets: gpd.GeoDataFrame
) -> tuple[Sentence, ...]:
    """What must be said beside the plan."""
    base, faced = now.base, bool(now.faced)
    return (
        *base.notes,
        *_hazard_notes(base, now.scenario),
        *refuge.notes(base.seekers, now.refuge),
        *summary.room_notes(sites),
        *summary.run_notes(demand, streets, with_hazard=faced),
        *(dangers.coarser(base.extent, params=base.params) if faced else ()),
    )


def _told(now: Situation, demand: gpd.GeoDataFrame) -> Told:
    """Every service now, ready to be counted."""
    covered, faced = now.base.covered, bool(now.faced)
    found = coverage.run(covered, now.ways, out_of_service=_out(now)) if faced else coverage.ordinary(covered)
    return Told(covered, found, demand, faced)


def _out(now: Situation) -> set[str]:
    """Ids of facilities that a hazard puts out of service, and of shelters that are not usable."""
    base, sites = now.base, now.sites
    stations = pd.concat([one.bound.stations for one in base.covered.asked.values()]).drop_duplicates("facility_id")
    gone = exposed.hit(now.faced.sites(stations), above=base.params.circle.max_share_affected)
    return {*stations["facility_id"][gone], *sites["shelter_id"][~sites["usable"]]}


def _above(units: gpd.GeoDataFrame, parents: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """What the communities come to in the units above them; no layer where there are none."""
    return {"districts": rollup.rolled_up(units, parents, of=OF_BUILDINGS)} if len(parents) else {}


def _streets(now: Situation, found: pd.DataFrame, ground: Land) -> gpd.GeoDataFrame:
    """Every street segment with its exposure, for each profile whether it may use it, and what a collapse leaves."""
    use: dict[str, object] = {}
    for name, streets in now.ways.items():
        use |= {f"{name}_usable": streets.usable, f"{name}_reason": streets.closed}
    return beside(now.base.network.streets(), found, pd.DataFrame(use), ground.streets_told)


def _services(told: Told, units: gpd.GeoDataFrame, params: CriticalParams) -> dict[str, gpd.GeoDataFrame]:
    """The services' layers; of each station that comes to the people also what its loss would cost."""
    layers = dict(tallies.layers(told, units))
    for name in tallies.ENGINES:
        layers[f"stations_{name}"] = beside(
            layers[f"stations_{name}"], analyses.without_each_station(told, name, params=params)
        )
    return layers


def _derived(now: Situation, demand: gpd.GeoDataFrame) -> dict[str, gpd.GeoDataFrame]:
    """Layers that follow from the others: who is cut off, and the city's own features."""
    city = now.base.city
    points = city.facilities.set_geometry(city.facilities.geometry.representative_point())
    return {
        "cut_off": demand[demand["lost_way"]].reset_index(drop=True),
        "facilities": points,
    }


def _hazard_notes(base: Base, scenario: Scenario) -> tuple[Sentence, ...]:
    """What was found in the hazards in force; what is said of several alike is said once."""
    return tuple(dict.fromkeys(note for name in scenario.hazards for note in base.hazard_notes.get(name, ())))
