"""One scenario's state of the city: hazards in force, the streets and shelters they leave, who finds refuge where."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import dangers, nights, rating, readied, refuge
from geo import exposures as exposed
from geo.city import Scenario
from geo.composite import Combined
from geo.exposures import Faced
from geo.readied import Base
from geo.refuge import Refuge
from geo.snapping import Snaps
from geo.summary import Legs
from geo.tables import beside
from geo.usable import Usable

Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Situation:
    """A city under a scenario.

    ``ways`` are the streets by profile, ``doors`` the shelters' that are open (those of a normal day whose street is),
    ``sites`` the shelters as they can be used, ``refuge`` who goes to which. ``met`` is what the hazards do at each
    place, indexed like the demand; ``nights`` where those stay who cannot go home, None where everybody can.
    """

    base: Base
    scenario: Scenario
    faced: Faced
    combined: Combined | None
    ways: Mapping[str, Usable]
    doors: Snaps
    sites: gpd.GeoDataFrame
    refuge: Refuge
    met: pd.DataFrame
    nights: Refuge | None

    def __repr__(self) -> str:
        return f"Situation({self.scenario.scenario_id}: {self.refuge!r})"

    @cached_property
    def shelters(self) -> gpd.GeoDataFrame:
        """The shelters as they can be used, with the people in them."""
        return _shelters(self)

    @cached_property
    def legs(self) -> tuple[Legs, Legs]:
        """Everybody's walk now and on a normal day."""
        now, normal = (_legs(self.base, state) for state in (self.refuge, self.base.normal))
        return now, normal


def of(base: Base, scenario: Scenario) -> Situation:
    """The state of a city that was made ready, under a scenario."""
    in_force = tuple(base.hazards[name] for name in scenario.hazards)
    faced = Faced(in_force, base.city.crs, base.params.exposure, base.params.levels)
    combined = dangers.together(in_force, extent=base.extent, crs=base.city.crs, params=base.params)
    ways = under(base, faced)
    doors = rating.open_doors(base.doors, ways["walk"])
    sites = readied.rated(base, doors, faced)
    found = base.normal if not faced else readied.refuge_of(base, ways["walk"], doors, sites)
    met = _met(base, faced, combined)
    stay = nights_of(base, met, sites)
    return Situation(base, scenario, faced, combined, ways, doors, sites, found, met, stay)


def nights_of(base: Base, met: pd.DataFrame, sites: gpd.GeoDataFrame, doors: Snaps | None = None) -> Refuge | None:
    """Who of the displaced stays in which shelter, by the ways of an ordinary day (``geo.nights``)."""
    walk, ways_in = base.usable["walk"], base.doors if doors is None else doors
    return nights.find(base.seekers, met, walk, ways_in, sites, pace=base.normal.pace, params=base.params)


def under(base: Base, faced: Faced) -> Mapping[str, Usable]:
    """The streets of every profile as the hazards leave them."""
    if not faced:
        return base.usable
    return {
        name: readied.opened(base.network, name, base.params, base.climb, faced.hazards, normal)
        for name, normal in base.usable.items()
    }


def _met(base: Base, faced: Faced, combined: Combined | None) -> pd.DataFrame:
    """What the hazards do at each place: exposure, levels, and who needs a shelter."""
    found = faced.grounds(base.people.shapes)
    columns = pd.DataFrame({"community_id": base.community_id.to_numpy()}, index=base.demand.index)
    table = beside(base.demand, columns)
    of_kind = dangers.levels_at(table, faced.hazards, params=base.params)
    reached = exposed.hit(found, above=0.0) | dangers.felt(of_kind, len(table))
    told = columns.assign(exposed=reached, **{name: found[name].to_numpy() for name in ("depth_max_m", "level_max")})
    return pd.concat([told, dangers.at_places(table, of_kind, combined, params=base.params)], axis=1)


def demand(now: Situation, rows: Mask | None = None) -> gpd.GeoDataFrame:
    """Every place with people: its walk now and on a normal day, its shelter, and what becomes of its people.

    ``rows`` (places,): only some of them.
    """
    base, ids = now.base, now.sites["shelter_id"].to_numpy(dtype=object)
    told = refuge.at_places(base.seekers, now.refuge, base.normal, ids).set_axis(now.met.index)
    parts = (base.demand, now.met, told, nights.at_places(now.nights, now.met, ids))
    first, *more = parts if rows is None else (part[rows] for part in parts)
    return beside(first, *more)


def _shelters(now: Situation) -> gpd.GeoDataFrame:
    told = refuge.in_shelters(now.base.seekers, now.refuge, now.base.community_id, now.sites["community_id"])
    room = now.sites["capacity_people"].to_numpy(dtype=np.float64)
    limits = refuge.limits(room, params=now.base.params.refuge)
    share = np.divide(
        told["people"], room, out=np.full(len(told), np.nan), where=limits & (now.refuge.room > 0) & (room > 0)
    )
    told = told.assign(load_share=share, capacity_limits=limits)
    return beside(now.sites, told, nights.in_shelters(now.nights, len(told)))


def _legs(base: Base, state: Refuge) -> Legs:
    place, walk_s, people = state.legs()
    return Legs(base.community_id.iloc[place], walk_s, people)
