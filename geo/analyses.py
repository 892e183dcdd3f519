"""What follows from who goes where: the ways, how long the streets need, what hangs on which street or shelter.

Each question is asked of a ``Situation`` and answered as layers, and as columns beside communities and shelters.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import (
    clearance,
    critical,
    departures,
    isolation,
    rating,
    reach,
    reaching,
    readied,
    redundancy,
    refuge,
    territories,
    ways_out,
    widths,
)
from geo import communities as areas_of_planning
from geo.clearance import Clearance, Crowd
from geo.critical import CriticalParams
from geo.departures import Departures
from geo.exposures import Faced
from geo.hazards import Hazard
from geo.parts import Parts
from geo.services import GROUPS
from geo.situation import Situation
from geo.snapping import Snaps
from geo.speeds import level_speed_ms
from geo.tables import beside
from geo.tallies import ENGINES, Told
from geo.ways_out import ADULT, Ground, Walker

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WALKING = (ADULT, *GROUPS.values())
"""Profiles that walk; ways are sought for the first."""


# -- the way there -----------------------------------------------------------------------------------------------------


def ground(now: Situation, exposure: pd.DataFrame) -> Ground:
    """What all ways of a scenario share; ``exposure`` is that of its streets."""
    params = now.base.params
    walkers = {name: Walker(now.ways[name], level_speed_ms(getattr(params, name), params)) for name in WALKING}
    return ways_out.ground(
        walkers, now.refuge.doors, now.sites, exposure, close_depth_m=params.walk.close_depth_m, route=params.route,
        legs=params.path,
    )  # fmt: skip


def routes(now: Situation, exposure: pd.DataFrame) -> gpd.GeoDataFrame:
    """The ways of every community to the shelters that take most of its people."""
    rows, unit = now.refuge.assigned, now.base.community_id.to_numpy(dtype=object)
    given = ground(now, exposure)
    return ways_out.routes(given, now.refuge.walks.places, rows.place, rows.site, rows.people, unit)


# -- how long it takes -------------------------------------------------------------------------------------------------


def cleared(now: Situation) -> Clearance:
    """When everybody is in their shelter, with queues at narrow streets and at the gates."""
    params, found = now.base.params, now.refuge
    rows, places, sites = found.assigned, found.walks.places, found.pairs.sites
    ways = reaching.ways(
        found.ways.graph, places, found.doors, rows.place, rows.site, sites=sites, **found.pace._asdict()
    )  # fmt: skip
    crowd = Crowd.of(rows.place, rows.site, rows.people, ways, places=len(places), sites=sites)
    streets = widths.widths(now.base.network, params=params.widths).capacity_people_s
    gates = clearance.gates_people_s(found.doors, sites=sites, params=params.clearance)
    return clearance.clear(crowd, streets, gates, night=now.scenario.time == "night", params=params.clearance)


def on_streets(now: Situation, found: Clearance, streets: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The streets that somebody walks to a shelter: how many each way, their load, and who waits there."""
    moved = now.refuge.on_streets
    flows = streets[["street_id", "name", "name_zh", "name_en", "geometry"]].assign(
        people=moved.along + moved.against, people_along=moved.along, people_against=moved.against
    )
    load = found.streets[["load_h", "wait_person_s", "wait_max_s"]].reset_index(drop=True)
    return beside(flows, load)[flows["people"] > 0].reset_index(drop=True)


# -- what hangs on what ------------------------------------------------------------------------------------------------


def weak_streets(now: Situation) -> gpd.GeoDataFrame:
    """The streets whose loss costs most people-minutes, worst first."""
    found, params = now.refuge, now.base.params
    weighed = critical.weigh(
        found.walks, found.doors, now.base.seekers.people, max_minutes=params.walk.max_minutes,
        speed_ms=found.pace.speed_ms, params=params.critical,
    )  # fmt: skip
    return critical.table(weighed, now.base.community_id)


def without_each_shelter(now: Situation) -> pd.DataFrame:
    """What the loss of each shelter costs when everybody is led anew, (shelters,).

    ``people_lost_without`` and ``people_minutes_without`` (NaN where it was not asked), ``substitute`` (yes, no; None
    where nobody is in it). Asked of the fullest, at most ``critical.shelters``.
    """
    found, params = now.refuge, now.base.params.critical
    sites = found.pairs.sites
    which = np.argsort(-found.assigned.load(sites), kind="stable")[: params.shelters]
    dealt = refuge.dealt(now.base.seekers, found, params=now.base.params.refuge)
    asked = redundancy.without_each(
        found.solved, found.pairs, lambda pairs: dealt.again(pairs, found.room), lost_minutes=params.lost_minutes,
        which=which,
    ).set_axis(which)  # fmt: skip
    told = asked.reindex(range(sites))[["people_unserved", "people_minutes", "substitute"]]
    told["substitute"] = told["substitute"].astype(object).where(told["substitute"].notna(), None)
    return told.set_axis(["people_lost_without", "people_minutes_without", "substitute"], axis=1)


def without_each_station(told: Told, name: str, *, params: CriticalParams) -> pd.DataFrame:
    """The same of the stations of a service that comes to the people, (stations,)."""
    now = told.coverage.now[name]
    bound = now.bound
    two = redundancy.two_nearest(
        now.out, now.back, bound.doors, bound.places, extra_s=bound.extra_s, last_s=bound.last_s
    )
    found = redundancy.without_each_station(
        two, told.people, stations=len(now.bound.stations), limit_s=now.params.minutes * 60,
        lost_minutes=params.lost_minutes,
    )  # fmt: skip
    return found[["people_only", "people_minutes", "substitute"]].set_axis(
        ["people_lost_without", "people_minutes_without", "substitute"], axis=1
    )


def two_shares(now: Situation, told: Told, ids: pd.Series) -> pd.DataFrame:
    """``<name>_two_share``: the share of each community's people with two shelters, two stations within reach."""
    counts = {"shelter": np.diff(now.refuge.pairs.first)}
    counts |= {name: told.coverage.now[name].depth for name in ENGINES}
    homes = Parts.named(now.base.community_id, ids)
    return redundancy.two_shares(counts, now.base.seekers.people, homes).set_axis(ids.index)


def broken(now: Situation, ids: pd.Series) -> tuple[gpd.GeoDataFrame, pd.DataFrame]:
    """The pieces into which closed streets break the city (layer ``isolated``), and who of communities is cut off."""
    base, walk = now.base, now.ways["walk"]
    pieces = isolation.pieces(walk)
    hospitals = base.city.facilities[base.city.facilities["kind"] == "hospital"]
    services = {
        "shelter": now.refuge.doors,
        "hospital": rating.open_doors(readied.doors_of(base.usable["walk"], hospitals, base.params), walk),
    }
    people, homes = base.seekers.people, Parts.named(base.community_id, ids)
    table = isolation.isolated(pieces, base.usable["walk"], base.places, people, base.community_id, services=services)
    lost = isolation.cut_off(now.refuge.walks.walk_s, people, pieces.at(base.places), homes)
    return table, lost.set_axis(ids.index)


# -- as the water rises ------------------------------------------------------------------------------------------------


def frames(now: Situation) -> Sequence[Hazard]:
    """The hours known of the hazard in force, in their order: those of its kind and return period; none without hours.

    Where several hazards in force have hours, those of the first count.
    """
    for hazard in now.faced.hazards:
        if hazard.hours is not None:
            alike = [h for h in now.base.hazards.values() if h.hours is not None and h.series == hazard.series]
            return sorted(alike, key=lambda h: (h.hours, h.hazard_id)) if len(alike) > 1 else ()
    return ()


@dataclass(frozen=True)
class Leaving:
    """Until when places can be left for a shelter as the hazard rises.

    ``hours`` (places,) on the hazard's clock: infinite where one may leave at any time, negative where it is too late
    at hour 0, NaN where there is no way on any day. Places are those of the demand, or, where nobody's number is known,
    points on the streets; ``weight`` are their people, or metres of street. ``known`` are the hours of the frames.
    """

    hours: Floats
    weight: Ints
    community_id: pd.Series
    known: Sequence[float]
    of_people: bool

    def by_community(self, ids: pd.Series) -> pd.DataFrame:
        """``leave_by_h`` and how many may leave when, indexed like ``ids``; metres (``street_m_…``) without people.

        Where everybody may leave at any time, or nobody can, there is no hour (NaN).
        """
        nowhere = np.full(len(self.hours), -1, dtype=np.int64)
        found = Departures(self.hours, nowhere, np.full(len(self.hours), np.nan), nowhere)
        table = departures.by_community(found, self.weight, self.community_id, ids, hours=self.known)
        table["leave_by_h"] = table["leave_by_h"].where(np.isfinite(table["leave_by_h"]))
        names = {} if self.of_people else {name: str(name).replace("people_", "street_m_") for name in table}
        return table.rename(columns=names)

    @property
    def told(self) -> Floats:
        """The hours where there is one: NaN where one may leave at any time."""
        return np.where(np.isfinite(self.hours), self.hours, np.nan)


def leaving(now: Situation) -> Leaving | None:
    """Until when each place can be left for a shelter as the hazard rises; None where its hours are not known."""
    rising = frames(now)
    if not rising:
        return None
    base, hours = now.base, [float(hazard.hours or 0) for hazard in rising]
    streets, sites = _standing(now, rising)
    close_h = departures.closing(streets, hours, params=base.params.departures)
    site_close_h = departures.closing_sites(sites, hours, params=base.params.departures)
    speed_ms, of_people = now.refuge.pace.speed_ms, bool(base.people.total)
    places, weight, unit = (base.places, base.seekers.people, base.community_id) if of_people else _on_streets(now)
    found = departures.depart(
        base.usable["walk"].graph, places, base.doors, close_h, site_close_h,
        extra_s=np.nan_to_num(base.doors.off_m) / speed_ms,
    )  # fmt: skip
    off_h = np.nan_to_num(places.off_m) / speed_ms / 3600
    return Leaving(found.last_departure_h - off_h, weight, unit, hours, of_people)


def _standing(now: Situation, rising: Sequence[Hazard]) -> tuple[Mask, Mask]:
    """Which streets are open and which shelters stand in each frame, (frames, edges) and (frames, sites).

    A shelter stands whose ground is fit, even when every street to it is closed: who is inside is safe.
    """
    base, params = now.base, now.base.params
    others = tuple(hazard for hazard in now.faced.hazards if hazard.series != rising[0].series)
    streets, sites = [], []
    for frame in rising:
        faced = Faced((*others, frame), base.city.crs, params.exposure, params.levels)
        ways = readied.opened(base.network, "walk", params, base.climb, faced.hazards, base.usable["walk"])
        doors = rating.open_doors(base.doors, ways)
        rated = readied.rated(base, doors, faced)
        streets.append(ways.usable)
        sites.append(rated["reason_code"].isin(["usable", "street_closed"]).to_numpy())
    return np.array(streets), np.array(sites)


def _on_streets(now: Situation) -> tuple[Snaps, Ints, pd.Series]:
    """Points on the streets people walk, the whole metres each stands for, and their communities."""
    base, walk = now.base, now.base.usable["walk"]
    points = territories.samples(base.network, walk.joined, spacing_m=base.params.circle.spacing_m)
    metres = base.network.length_m[points.edge] / np.bincount(points.edge)[points.edge]
    at = gpd.GeoSeries(shapely.points(*reach.points(base.network, points)), crs=base.city.crs)
    unit = areas_of_planning.locate(at, base.communities)
    return points, np.rint(metres).astype(np.int64), pd.Series(unit, dtype=object)
