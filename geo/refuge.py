"""Who finds refuge where: everybody walks to a usable shelter with room, so that most are served and walks are least.

One ``Refuge`` is one state of the city. The ordinary day, a scenario and every what-if are made the same way: streets
as they are, shelters as they can be used, and from both who reaches which shelter in time and who goes where.
"""

from __future__ import annotations

import zlib
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import Field

from geo import assignment, evacuation, gates, reaching
from geo.assignment import Assigned, Compared
from geo.curves import Sourced, Word
from geo.evacuation import Walks
from geo.gates import Homes
from geo.pairs import Pairs
from geo.reasons import Finding
from geo.redealt import Dealt
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NOBODY = -1
"""The row of no shelter."""


class RefugeParams(Sourced):
    """How people are led to shelters."""

    subject = "refuge"

    order: Literal["optimal", "nearest"] = Field(
        description="Who goes where: optimal (most people served, least walking in all) or nearest (by distance)."
    )
    room: Literal["limited", "unlimited"] = Field(description="Whether the room in shelters limits who is served.")
    unknown_room: Literal["unlimited", "none"] = Field(
        description="What a shelter of unknown room counts as: unlimited or none."
    )
    household: float = Field(
        ge=1, le=50, description="Size of a household that is not parted where that can be, people."
    )
    first: tuple[Word, ...] = Field(description="Groups served first where room is short (columns of people).")


class Pace(NamedTuple):
    """How far people walk to a shelter and how fast between door and street.

    ``limit_s`` seconds, itself included, for all shelters or for each (shelters,); ``speed_ms`` metres a second.
    """

    limit_s: float | Floats
    speed_ms: float


class Trodden(NamedTuple):
    """How many people walk on each street, ``along`` its drawing and ``against`` it, (edges,) each."""

    along: Ints
    against: Ints


@dataclass(frozen=True)
class Seekers:
    """Everybody: where they stand on the streets, how many they are, and who of them goes first when room is short.

    ``people`` and ``first`` (places,) whole persons, ``first`` at most ``people``; ``outside`` (places,) whether a
    place lies beyond the streets of the data; ``name`` (places,) the number of its id (``numbered``).
    """

    places: Snaps
    people: Ints
    first: Ints
    outside: Mask
    name: Ints

    def __repr__(self) -> str:
        return f"Seekers({self.people.sum():,} people at {len(self.people)} places)"


@dataclass(frozen=True)
class Shelters:
    """The shelters as people find them: ``doors`` of usable ones, ``every`` open door, ``room`` and ``name``.

    ``room`` and ``name`` (shelters,): people each takes, and the number of its id (``numbered``).
    """

    doors: Snaps
    every: Snaps
    room: Ints
    name: Ints

    @classmethod
    def of(cls, sites: gpd.GeoDataFrame, column: str, doors: Snaps, *, people: int, params: RefugeParams) -> Shelters:
        """Shelters by their table (``usable``, ``shelter_id``, room in ``column``) and their open doors."""
        usable_ = sites["usable"].to_numpy(dtype=bool)
        room = rooms(sites[column].to_numpy(dtype=np.float64), usable_, params=params, people=people)
        return cls(doors.where(usable_[doors.place]), doors, room, numbered(sites["shelter_id"]))


@dataclass(frozen=True)
class Refuge:
    """Who finds refuge where in one state of the city.

    ``walks`` is everybody's way to the nearest usable shelter whatever its room, ``any_way``
    (places,) whether there is a way to some shelter, usable or not; ``pairs`` are the
    shelters within reach, ``solved`` the best assignment and ``assigned`` who goes where: the same with households
    kept together where there is room for it.
    """

    ways: Usable
    there: Shelters
    walks: Walks
    any_way: Mask
    pairs: Pairs
    solved: Assigned
    assigned: Assigned
    pace: Pace

    def __repr__(self) -> str:
        return f"Refuge({self.assigned!r})"

    @property
    def doors(self) -> Snaps:
        """The doors of usable shelters on open streets (``place``: row of the shelter)."""
        return self.there.doors

    @property
    def room(self) -> Ints:
        """People that each shelter takes, (shelters,)."""
        return self.there.room

    @cached_property
    def in_reach(self) -> Mask:
        """Whether a usable shelter is within reach of each place, room or not, (places,)."""
        return np.asarray(np.diff(self.pairs.first) > 0)

    @cached_property
    def homes(self) -> Homes:
        """The places as searches on these streets come upon them."""
        return gates.homes(self.ways.graph, self.walks.places)

    @cached_property
    def main(self) -> tuple[Ints, Floats]:
        """The shelter that most people of each place go to (of equals the nearer), and its walk in seconds.

        Where nobody is served the nearest usable shelter's walk, and no shelter; (places,) each.
        """
        order = np.lexsort((self.assigned.site, self.assigned.cost_ms, -self.assigned.people, self.assigned.place))
        place, row = np.unique(self.assigned.place[order], return_index=True)
        shelter, walk_s = np.full(self.pairs.places, NOBODY, dtype=np.int64), self.walks.walk_s.copy()
        shelter[place] = self.assigned.site[order[row]]
        walk_s[place] = self.assigned.cost_ms[order[row]] / 1000
        return shelter, walk_s

    @cached_property
    def on_streets(self) -> Trodden:
        """How many people walk along each street, each to their own shelter."""
        return self.walked(np.ones(self.pairs.sites, dtype=bool))

    def walked(self, sites: Mask) -> Trodden:
        """How many walk along each street to some of the shelters (shelters,)."""
        rows = self.assigned
        mine = sites[rows.site]
        found = reaching.flows(
            self.ways.graph, self.walks.places, self.doors, rows.place[mine], rows.site[mine], rows.people[mine],
            sites=self.pairs.sites, homes=self.homes, **self.pace._asdict(),
        )  # fmt: skip
        return Trodden(found.along, found.against)

    def legs(self) -> tuple[Ints, Floats, Ints]:
        """The walk of everybody who is served: place, seconds and people, a row for each shelter of a place."""
        return self.assigned.place, self.assigned.cost_ms / 1000, self.assigned.people


def rooms(capacity: Floats, usable: Mask, *, params: RefugeParams, people: int) -> Ints:
    """People that each shelter takes, (shelters,): whole; none where it is not usable.

    ``capacity`` NaN: not known. What is unlimited holds everybody (``people``) and one more.
    """
    found = np.where(limits(capacity, params=params), np.nan_to_num(np.floor(capacity)), people + 1)
    return np.where(usable, np.clip(found, 0, people + 1), 0).astype(np.int64)


def limits(capacity: Floats, *, params: RefugeParams) -> Mask:
    """Whether the room of each shelter limits how many it takes, (shelters,): it is known, or counts as none."""
    known = ~np.isnan(capacity) | (params.unknown_room == "none")
    return np.asarray(known & (params.room == "limited"))


def first_served(demand: pd.DataFrame, *, params: RefugeParams) -> Ints:
    """People at each place who go first, (places,): as many as there are at least of the groups named.

    Groups may overlap: the largest counts, and old people and children together, who are different persons. Groups
    that nobody counted go with the others.
    """
    known = {name: demand[name].fillna(0).to_numpy(dtype=np.int64) for name in params.first if name in demand}
    apart = sum((known[name] for name in ("people_60plus", "people_0_14") if name in known), np.zeros(1, np.int64))
    least = np.max(np.broadcast_arrays(np.zeros(len(demand), dtype=np.int64), apart, *known.values()), axis=0)
    return np.asarray(np.minimum(least, demand["people"].to_numpy(dtype=np.int64)))


def numbered(ids: Iterable[object]) -> Ints:
    """A number for each id, the same wherever it stands."""
    return np.array([zlib.crc32(str(name).encode()) for name in ids], dtype=np.int64)


def find(ways: Usable, seekers: Seekers, there: Shelters, *, pace: Pace, params: RefugeParams) -> Refuge:
    """Who finds refuge where."""
    walks = evacuation.walk_to_nearest(ways, seekers.places, there.doors, speed_ms=pace.speed_ms)
    pairs = reaching.pairs(ways.graph, walks.places, there.doors, sites=len(there.room), **pace._asdict())
    return settled(ways, seekers, there, walks, pairs, pace=pace, params=params)


def settled(
    ways: Usable, seekers: Seekers, there: Shelters, walks: Walks, pairs: Pairs, *, pace: Pace, params: RefugeParams,
    warm: Assigned | None = None,
) -> Refuge:  # fmt: skip
    """The same where everybody's ways are known already; ``warm`` is an assignment to start from."""
    room = there.room
    if params.order == "nearest":
        found = assignment.nearest_first(pairs, seekers.people, room, first=seekers.first)
    else:
        names = (seekers.name, there.name)
        found = assignment.assign(pairs, seekers.people, room, first=seekers.first, warm=warm, names=names)
    together = assignment.together(found, room, household=params.household).assigned
    any_way = _any_way(ways, seekers, there, walks, pace)
    return Refuge(ways, there, walks, any_way, pairs, found, together, pace)


def _any_way(ways: Usable, seekers: Seekers, there: Shelters, walks: Walks, pace: Pace) -> Mask:
    """Whether each place has a way to some shelter, usable or not, (places,)."""
    if len(there.every) == len(there.doors):
        return np.asarray(~np.isnan(walks.walk_s))
    found = evacuation.walk_to_nearest(ways, seekers.places, there.every, speed_ms=pace.speed_ms)
    return np.asarray(~np.isnan(found.walk_s))


def dealt(seekers: Seekers, now: Refuge, *, params: RefugeParams) -> Dealt:
    """Who goes where, to be dealt out otherwise by the same rule."""
    names = (seekers.name, now.there.name)
    return Dealt(now.pairs, seekers.people, seekers.first, now.room, now.solved, params.order == "optimal", names)


def states(seekers: Seekers, now: Refuge, normal: Walks) -> pd.Series:
    """What becomes of each place now, compared with a normal day; one of ``evacuation.STATES``, (places,).

    Of a place that is served in part it is the reason of those who are not.
    """
    reached, before = ~np.isnan(now.walks.walk_s), ~np.isnan(normal.walk_s)
    left = now.assigned.unserved > 0
    rules = [
        ("served", ~left & (now.in_reach | (seekers.people > 0))),
        ("outside_data", ~seekers.places.found & seekers.outside),
        ("not_snapped", ~seekers.places.found),
        ("street_closed", ~now.walks.own_street_open),
        ("no_shelter", ~reached & ~before),
        ("not_usable", ~reached & now.any_way),
        ("cut_off", ~reached),
        ("too_far", ~now.in_reach),
    ]
    chosen = np.select([mask for _, mask in rules], [name for name, _ in rules], default="full")
    return pd.Series(chosen, dtype="object", name="state")


def at_places(seekers: Seekers, now: Refuge, normal: Refuge, shelter_ids: NDArray[np.object_]) -> pd.DataFrame:
    """What is told of each place, (places,): its shelter and walk, its people served and not, and why not."""
    ids = np.r_[shelter_ids, None]
    (shelter, walk_s), (_, walk_s_normal) = now.main, normal.main
    return pd.DataFrame(
        {
            "walk_s": walk_s,
            "walk_s_normal": walk_s_normal,
            "nearest_s": now.walks.walk_s,
            "shelter_id": ids[shelter],
            "nearest_id": ids[now.walks.shelter],
            "shelters_used": np.bincount(now.assigned.place, minlength=len(seekers.people)),
            "state": states(seekers, now, normal.walks).to_numpy(),
            "people_served": seekers.people - now.assigned.unserved,
            "people_unserved": now.assigned.unserved,
            "people_served_normal": seekers.people - normal.assigned.unserved,
            "people_first_unserved": now.assigned.unserved_first,
            "snap_m": seekers.places.off_m,
            "in_reach": now.in_reach,
            "in_reach_normal": normal.in_reach,
            "lost_way": ~now.any_way & ~np.isnan(normal.walks.walk_s),
        }
    )


def in_shelters(
    seekers: Seekers, now: Refuge, community_of_place: pd.Series, community_of_site: pd.Series
) -> pd.DataFrame:
    """What is told of each shelter, (shelters,): the people in it, how many of them come from other communities.

    ``people_nearest`` are those in reach whose nearest usable shelter it is, room or not.
    """
    rows = now.assigned
    home = community_of_place.to_numpy(dtype=object)[rows.place]
    there = community_of_site.to_numpy(dtype=object)[rows.site]
    foreign = np.bincount(rows.site, np.where(home == there, 0, rows.people), minlength=now.pairs.sites)
    near = np.bincount(now.walks.shelter[now.in_reach], seekers.people[now.in_reach], minlength=now.pairs.sites)
    return pd.DataFrame({
        "people": rows.load(now.pairs.sites),
        "people_nearest": near.astype(np.int64),
        "people_from_elsewhere": foreign.astype(np.int64),
    })  # fmt: skip


def against_nearest(seekers: Seekers, now: Refuge) -> Compared:
    """What is gained beside sending everybody to the nearest shelter that still has room."""
    usual = assignment.nearest_first(now.pairs, seekers.people, now.room, first=seekers.first)
    return assignment.compared(now.assigned, usual)


def notes(seekers: Seekers, now: Refuge) -> tuple[Finding, ...]:
    """What must be said of how people are led: what it gains, how near it is to the best, and who is parted."""
    if not now.assigned.served:
        return ()
    gained, found = against_nearest(seekers, now), now.assigned
    best_en, best_zh = _proof(found)
    en, zh = _gained(gained)
    said = [Finding("led", f"{en}{best_en}", f"{zh}{best_zh}", count=gained.more_served)]
    if found.split:
        said.append(Finding(
            "homes_parted",
            f"People of {found.split:,} of {len(seekers.people):,} homes are parted between shelters because one alone "
            "has no room for all.",
            f"{len(seekers.people):,}处居住点中有{found.split:,}处的居民因单一场所容量不足被分到多处避难场所。",
            count=found.split,
        ))  # fmt: skip
    return tuple(said)


def _gained(gained: Compared) -> tuple[str, str]:
    minutes = f"{abs(gained.saved_min):,.0f}"
    if gained.more_served > 0:
        return (
            f"Led to shelters with room all together, {gained.more_served:,} more people find a place than if "
            "everybody went to the nearest one that still has room.",
            f"统筹分配后，比各自前往最近且有空位的场所多容纳{gained.more_served:,}人。",
        )
    return (
        f"Led to shelters with room all together, people walk {minutes} minutes less in sum than if each went to "
        "the nearest one that still has room.",
        f"统筹分配后，步行总时间比各自前往最近且有空位的场所少{minutes}分钟。",
    )


def _proof(found: Assigned) -> tuple[str, str]:
    if np.isnan(found.gap_ms):
        return " This run sends people to the nearest (refuge.order).", "本次按就近原则分配（refuge.order）。"
    if found.gap_ms == 0:
        return " No better way exists: proved.", "已证明为最优。"
    minutes = f"{found.gap_ms / 60_000:,.1f}"
    return (
        f" The best that can be is {minutes} person-minutes less; households are kept together for it.",
        f"与理论最优相差{minutes}人·分钟，用于避免拆散家庭。",
    )
