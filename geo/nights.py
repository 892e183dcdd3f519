"""Who stays where for nights: people whom a hazard drives from home, in shelters of a tier that stays open.

They come before the water does, or are brought: ways are those of an ordinary day, shelters those usable in the hazard.

A second question beside the walk to refuge (``geo.refuge``): fewer people, more ground for each, farther ways – a tier
serves as far as its rules say (``geo.tiers``). Dealt out in the same way, exactly.
"""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import refuge, tiers
from geo.city import PlanParams
from geo.displaced import DISPLACED, PEOPLE
from geo.refuge import NOBODY, Pace, Refuge, Seekers, Shelters
from geo.snapping import Snaps
from geo.usable import Usable

HOUSED, UNHOUSED = "people_housed", "people_unhoused"
"""Columns: displaced people with a place for nights, and without."""
COLUMNS = ("stay_id", "stay_s", HOUSED, UNHOUSED)
"""Columns of ``at_places``."""


def seekers(everybody: Seekers, met: pd.DataFrame, *, params: PlanParams) -> Seekers:
    """Who needs a place for nights: the displaced of each place, none where it is not known."""
    people = met[PEOPLE].fillna(0).to_numpy(dtype=np.int64)
    groups = {group: met[column] for group, column in DISPLACED.items() if column in met}
    first = refuge.first_served(pd.DataFrame({"people": people, **groups}), params=params.refuge)
    return Seekers(everybody.places, people, first, everybody.outside, everybody.name)


def find(
    everybody: Seekers, met: pd.DataFrame, ways: Usable, doors: Snaps, sites: gpd.GeoDataFrame, *, pace: Pace,
    params: PlanParams,
) -> Refuge | None:  # fmt: skip
    """Who of the displaced stays in which shelter (``sites``, ``doors``); None where nobody is displaced.

    A shelter is reached from as far as its tier serves, along streets; where no rule says how far, from anywhere.
    """
    who = seekers(everybody, met, params=params)
    total = int(who.people.sum())
    if not total:
        return None
    there = Shelters.of(sites, "stay_capacity_people", doors, people=total, params=params.refuge)
    # A site of the emergency tier that has room for nights serves as a short-term one (``shelters.rooms``).
    tier = sites["tier"].where(sites["tier"] != "emergency", "short")
    far_m = tiers.of_sites(tier, "m", params=params.tiers)
    limit_s = np.where(np.isnan(far_m), np.inf, far_m / pace.speed_ms)
    held = there.doors.where(there.room[there.doors.place] > 0)
    there = Shelters(held, held, there.room, there.name)
    return refuge.find(ways, who, there, pace=Pace(limit_s, pace.speed_ms), params=params.refuge)


def at_places(found: Refuge | None, met: pd.DataFrame, shelter_ids: NDArray[np.object_]) -> pd.DataFrame:
    """For each place where its displaced stay (most of them), ``stay_s`` to walk there, and how many have no place.

    ``COLUMNS`` indexed like ``met``; people NaN where the displaced are not known.
    """
    people = met[PEOPLE].to_numpy(dtype=np.float64)
    if found is None:
        none, nan = np.full(len(met), None, dtype=object), np.full(len(met), np.nan)
        return pd.DataFrame(dict(zip(COLUMNS, (none, nan, people * 0, people * 0), strict=True)), index=met.index)
    shelter, walk_s = found.main
    left = np.where(np.isnan(people), np.nan, found.assigned.unserved)
    columns = (np.r_[shelter_ids, None][shelter], np.where(shelter == NOBODY, np.nan, walk_s), people - left, left)
    return pd.DataFrame(dict(zip(COLUMNS, columns, strict=True)), index=met.index)


def in_shelters(found: Refuge | None, sites: int) -> pd.DataFrame:
    """People who stay in each shelter, ``stay_people`` (sites,)."""
    return pd.DataFrame({"stay_people": found.assigned.load(sites) if found else np.zeros(sites, dtype=np.int64)})


def by_community(demand: pd.DataFrame, community_ids: pd.Series) -> pd.DataFrame:
    """``people_housed`` and ``people_unhoused``, indexed like ``community_ids``; NaN where nobody there is known."""
    sums = demand.groupby("community_id")[[HOUSED, UNHOUSED]].sum(min_count=1)
    nobody = ~community_ids.isin(demand["community_id"]).to_numpy()
    found = sums.reindex(community_ids).set_axis(community_ids.index)
    found.loc[nobody] = 0.0
    return found


def headline(demand: pd.DataFrame) -> Mapping[str, float]:
    """The same for everybody."""
    return {name: float(demand[name].sum(min_count=1)) for name in (HOUSED, UNHOUSED)}
