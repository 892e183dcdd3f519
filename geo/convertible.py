"""Places that could be turned into shelters: which there are, what a scenario leaves of them, and who reaches them.

Candidates are the places that a list or the map names as such, facilities of convertible kinds and lots that lie idle
or open, inside every community or outside: people cross borders to shelter. What exists are shelters that are mapped or
listed; candidates that a plan counts as open (``shelter.candidates``) are none.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import ground, nights, openings, rating, reaching, readied, shelters, suitability, tiers
from geo.assignment import Assigned
from geo.exposures import OF_A_FLOOD, TOLD_ONLY, Faced
from geo.ground import Survey
from geo.pairs import Pairs
from geo.readied import Base
from geo.refuge import Refuge
from geo.shelters import REASONS
from geo.situation import Situation
from geo.snapping import Snaps
from geo.tables import NAMES

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Words = NDArray[np.object_]
Shapes = NDArray[np.object_]

LOT = "lot"
"""The kind of a lot that lies idle or open."""


def candidates(base: Base) -> gpd.GeoDataFrame:
    """Places that could be turned into shelters, ``geo.tables.SHELTERS`` by id, of origin ``candidate``."""
    city, params = base.city, base.params.siting
    known, _ = shelters.in_buildings(city.shelters, city.buildings)
    could = known[(known["origin"] == "candidate").to_numpy()]
    built = city.facilities[city.facilities["kind"].isin(params.convertible_kinds).to_numpy()]
    built = built.rename(columns={"facility_id": "shelter_id"})
    more = [_spots(_elsewhere(built, known)).assign(tier=None)]
    if city.lots is not None:
        idle = city.lots[city.lots["use"].isin(params.idle_uses).to_numpy()]
        idle = idle.rename(columns={"lot_id": "shelter_id"}).assign(kind=LOT)
        more.append(_spots(_elsewhere(idle, known)))
    made, _ = shelters.in_buildings(_joined(more, city.crs), city.buildings)
    found = _joined([could, made], city.crs)
    found = found[~found["shelter_id"].duplicated().to_numpy()]
    return found.sort_values("shelter_id").reset_index(drop=True)


def _joined(tables: Sequence[gpd.GeoDataFrame], crs: str) -> gpd.GeoDataFrame:
    there = [table for table in tables if len(table)] or list(tables[:1])
    return gpd.GeoDataFrame(pd.concat(there, ignore_index=True), geometry="geometry", crs=crs)


def _elsewhere(table: gpd.GeoDataFrame, known: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """What the list of shelters does not name already, by id or by ground: no inner point of one in the other."""
    mine, theirs = _shapes(table), _shapes(known)
    there = table["shelter_id"].isin(known["shelter_id"]).to_numpy().copy()
    there[shapely.STRtree(mine).query(shapely.point_on_surface(theirs), predicate="intersects")[1]] = True
    there[shapely.STRtree(theirs).query(shapely.point_on_surface(mine), predicate="intersects")[0]] = True
    return table[~there]


def _spots(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    names = list(table[[*NAMES, "kind"]].itertuples(index=False, name=None))
    return openings.spots(list(table.geometry), table["shelter_id"].tolist(), names, crs=str(table.crs))


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)


@dataclass(frozen=True, eq=False)
class Seen:
    """Candidates (``table``, n) as a scenario leaves them."""

    now: Situation
    table: gpd.GeoDataFrame
    let: Shapes | None

    @cached_property
    def doors(self) -> Snaps:
        """Their ways in on a normal day."""
        base = self.now.base
        return readied.doors_of(base.usable["walk"], self.table, base.params)

    @cached_property
    def open_doors(self) -> Snaps:
        """Those on open streets."""
        return rating.open_doors(self.doors, self.now.ways["walk"])

    @cached_property
    def surveyed(self) -> Survey:
        """Their ground against the map."""
        return readied.survey(self.now.base.city, self.table, self.now.base.params)

    @cached_property
    def sites(self) -> gpd.GeoDataFrame:
        """As shelters are rated that are open."""
        base = self.now.base
        return rating.rated(
            self.table, self.surveyed, self.doors, self.open_doors, self.now.faced, base.communities,
            way=base.network.way, params=base.params,
        )  # fmt: skip

    @cached_property
    def facts(self) -> pd.DataFrame:
        """What suitability looks at (``suitability.FACTS``)."""
        base = self.now.base
        return suitability.facts(
            self.sites, self.doors, self.surveyed.table["major_hazard_m"].to_numpy(dtype=np.float64),
            base.city.buildings, base.city.facilities, open_air=tiers.open_air(self.table, params=base.params.tiers),
            max_share_unknown=base.params.shelter.max_share_unknown, params=base.params.suitability,
        )  # fmt: skip

    @cached_property
    def suits(self) -> pd.DataFrame:
        """How well they suit (``suitability.PARTS`` and their mean)."""
        params = self.now.base.params
        return suitability.rated(
            self.facts, params=params.suitability, major_gap_m=params.site.major_gap_m,
            collapse=params.site.collapse(self.now.faced.kinds),
        )  # fmt: skip

    @cached_property
    def share_let(self) -> Floats:
        """The share (n,) of each on ground to yield, 0-1, of a point 0 or 1; NaN where that was not looked at."""
        if self.let is None:
            return np.full(len(self.table), np.nan)
        mine = _shapes(self.table)
        ground = shapely.union_all(self.let)
        area, within = shapely.area(mine), shapely.intersects(mine, ground).astype(np.float64)
        cut = shapely.area(shapely.intersection(shapely.make_valid(mine), ground))
        return np.divide(cut, area, out=within, where=area > 0)

    @cached_property
    def why_not(self) -> Words:
        """Why each (n,) cannot be turned into a shelter, whoever is near; None: it can."""
        sites, params = self.sites, self.now.base.params
        room, code = sites["capacity_people"].to_numpy(dtype=np.float64), sites["reason_code"].to_numpy(dtype=object)
        rules = [
            (self.share_let > params.siting.max_share_let, "let"),
            *((code == reason, reason) for reason in REASONS if reason != "usable"),
            (shelters.too_small(self.table, params=params.shelter).to_numpy(), "too_small"),
            (np.isnan(room), "room_unknown"),
            (room < 1, "no_room"),
        ]
        return np.select([mask for mask, _ in rules], [np.full(len(room), name, dtype=object) for _, name in rules],
                         default=np.full(len(room), None, dtype=object))  # fmt: skip

    @cached_property
    def kept(self) -> Ints:
        """The rows of those that can."""
        return np.flatnonzero([why is None for why in self.why_not]).astype(np.int64)

    @cached_property
    def asked(self) -> Asked:
        """Everybody who seeks refuge, on the streets and in the shelters that the scenario leaves."""
        there, capacity = self.now.refuge, self.sites["capacity_people"].to_numpy(dtype=np.float64)
        limit_s = np.full(len(self.kept), float(np.max(there.pace.limit_s)))
        new = _paired(self, there, self.open_doors, limit_s)
        return _asked(self, there, self.now.base.seekers.people, new, capacity)

    @cached_property
    def reached(self) -> Ints:
        """The rows of those kept that somebody can reach."""
        site = np.unique(self.asked.pairs.site[self.asked.people[self.asked.pairs.place] > 0]) - self.asked.existing
        return np.asarray(self.kept[site[site >= 0]])

    @cached_property
    def verdicts(self) -> tuple[list[str], list[str]]:
        """For each (n,) the ids of the hazards known of the city, one at a time, in which it is safe and is not."""
        base, found = self.now.base, np.full((0, len(self.table)), "", dtype=object)
        known = [h for h in base.hazards.values() if h.kind not in (*OF_A_FLOOD, *TOLD_ONLY)]
        for hazard in known:
            found = np.vstack([found, _alone(self, Faced((hazard,), base.city.crs, base.params.exposure,
                                                         base.params.levels))])  # fmt: skip
        ids = np.array([h.hazard_id for h in known], dtype=object)
        safe = [";".join(ids[column == "usable"]) for column in found.T]
        unsafe = [";".join(ids[(column != "usable") & (column != "hazard_unknown")]) for column in found.T]
        return safe, unsafe


def _alone(seen: Seen, faced: Faced) -> Words:
    """What becomes of each candidate (n,) where one hazard alone is in force, its streets apart."""
    base, met = seen.now.base, np.ones(len(seen.table), dtype=bool)
    found = faced.sites(seen.table)
    near = ground.near_hazard(seen.surveyed, faced.kinds, params=base.params.site)
    rated = shelters.rate(
        *(found[name].to_numpy() for name in ("share_wet", "share_hit", "share_unknown")),
        valid=shelters.declared_valid(seen.table, faced.kinds), reached_normally=met, reached_now=met,
        params=base.params.shelter, near_hazard=near,
    )  # fmt: skip
    return rated["reason_code"].to_numpy(dtype=object)


def lacking(seen: Seen) -> dict[str, tuple[Mask, Mask]]:
    """Of each of ``conversion_words.NEEDS`` which candidates (n,) lack it, and of which it is not known."""
    facts, params = seen.facts, seen.now.base.params.suitability
    asked = {"water": facts["water"], "power": facts["power"], "way_in": facts["ways_in"] / params.ways_good}
    return {name: ((value < 1).to_numpy(), value.isna().to_numpy()) for name, value in asked.items()}


def fixed_cost(seen: Seen) -> Floats:
    """What opening each candidate (n,) costs whoever comes, thousand CNY."""
    params = seen.now.base.params
    lacks = np.sum([lacks for lacks, _ in lacking(seen).values()], axis=0, dtype=np.float64)
    return np.asarray(params.cures.open_cost + params.siting.missing_cost * lacks, dtype=np.float64)


# -- who is sheltered ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Asked:
    """People and the sites they reach: existing ones first, then the candidates that are kept."""

    pairs: Pairs
    people: Ints
    room: Ints
    existing: int
    held: Assigned | None
    ids: Words


def for_nights(seen: Seen) -> Asked | None:
    """The displaced, as far as a candidate's tier serves (``geo.nights``); None where nobody is."""
    now, params = seen.now, seen.now.base.params
    who = nights.seekers(now.base.seekers, now.met, params=params)
    if now.nights is None or not who.people.sum():
        return None
    tier = seen.sites["tier"].where(seen.sites["tier"] != "emergency", "short").iloc[seen.kept]
    far_m = tiers.of_sites(tier, "m", params=params.tiers)
    limit_s = np.where(np.isnan(far_m), np.inf, far_m / now.nights.pace.speed_ms)
    capacity = seen.sites["stay_capacity_people"].to_numpy(dtype=np.float64)
    new = _paired(seen, now.nights, seen.doors, limit_s)
    return _asked(seen, now.nights, who.people, new, np.nan_to_num(capacity))


def _paired(seen: Seen, there: Refuge, doors: Snaps, limit_s: Floats) -> Pairs:
    """Which places reach which of the candidates kept."""
    number = np.full(len(seen.table) + 1, -1)
    number[seen.kept] = np.arange(len(seen.kept))
    mine = doors.where(doors.found & (number[doors.place] >= 0))
    return reaching.pairs(
        there.ways.graph, there.walks.places, replace(mine, place=number[mine.place]), limit_s=limit_s,
        speed_ms=there.pace.speed_ms, sites=len(seen.kept),
    )  # fmt: skip


def _asked(seen: Seen, there: Refuge, people: Ints, new: Pairs, capacity: Floats) -> Asked:
    """What exists beside the candidates kept: shelters that are none, with whoever is in them."""
    table = seen.now.sites
    real = (table["origin"] != "candidate").to_numpy(dtype=bool)
    row, old = np.cumsum(real) - 1, there.pairs.where(real[there.pairs.site])
    n = int(real.sum())
    pairs = Pairs.of(
        np.r_[old.place, new.place], np.r_[row[old.site], new.site + n], np.r_[old.cost_ms, new.cost_ms],
        places=old.places, sites=n + new.sites,
    )  # fmt: skip
    room = np.r_[there.room[real], np.clip(np.floor(capacity[seen.kept]), 0, people.sum())].astype(np.int64)
    # Of a plan that counts candidates it is not known who would be where without them.
    held = there.assigned if real.all() and n else None
    ids = np.r_[table["shelter_id"][real].to_numpy(object), seen.table["shelter_id"].iloc[seen.kept].to_numpy(object)]
    return Asked(pairs, people, room, n, held, ids)
