"""From one point the nearest safe shelter with room, and the way there; or why there is none.

Nobody is moved for a point: those who have a place in a shelter keep it, and what is left is its room. A point is bound
to its street as a plan binds people's homes, so that a home is told here what the plan counts for it, room aside.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import numpy as np
import shapely
from numpy.typing import NDArray

from geo import directions, routing, snapping, ways_out
from geo.network import Network
from geo.reasons import Sentence
from geo.routing import Forest
from geo.situation import Situation
from geo.snapping import Indexed, Snaps
from geo.speeds import level_speed_ms
from geo.splits import Doors
from geo.usable import Usable
from geo.ways_out import Ground, Walker

Ints = NDArray[np.int64]

PROFILES = ("walk", *ways_out.GROUPS)
"""Who may ask the way: everybody who goes on foot or in a wheelchair."""
MAIN = "main"
"""The role of the quickest way."""
ANSWERS: Mapping[str, tuple[str, str]] = {
    "found": (
        "The nearest safe shelter with room is {shelter}, {minutes} min away.",
        "最近的安全且有空位的避难场所是{shelter_zh}，约{minutes}分钟。",
    ),
    "too_far": (
        "The nearest safe shelter with room is {shelter}, {minutes} min away: more than the {limit:g} min within which "
        "a walk counts.",
        "最近的安全且有空位的避难场所是{shelter_zh}，约{minutes}分钟，超过步行可达时限{limit:g}分钟。",
    ),
    "full": (
        "Every safe shelter that can be reached is full; the nearest is {shelter}, {minutes} min away.",
        "可到达的安全避难场所均已满员；最近的是{shelter_zh}，约{minutes}分钟。",
    ),
    "cut_off": (
        "No open way leads from {street} to a shelter that is safe now.",
        "从{street_zh}出发，目前没有通往安全避难场所的通路。",
    ),
    "no_shelter": (
        "From {street} no way leads to a shelter, not on a normal day either.",
        "从{street_zh}出发，平时也没有通往避难场所的道路。",
    ),
    "street_closed": ("The street here, {street}, is closed.", "所在街道（{street_zh}）已中断。"),
    "not_snapped": (
        "No street that can be used lies within {snap:g} m of this point.",
        "该点{snap:g}米范围内没有可通行的街道。",
    ),
    "outside_data": (
        "This point lies {far} outside the streets of the study.",
        "该点位于研究区街道范围之外，距离{far_zh}。",
    ),
}
"""What is answered; with a way in ``found``, ``too_far`` and ``full``. The others are named as the states of a plan."""


@dataclass(frozen=True)
class Guide:
    """What all points of a situation share for one profile: made once, asked any number of times.

    ``roomy`` are the doors of safe shelters with room left beside the ``load`` (sites,) of people they have;
    ``roomless`` those of all safe shelters, asked only where no other can be reached.
    """

    now: Situation
    profile: str
    ground: Ground
    streets: Indexed
    roomy: Doors
    load: Ints

    def __repr__(self) -> str:
        return f"Guide({self.now.scenario.scenario_id}, {self.profile}: {self.roomy!r})"

    @cached_property
    def roomless(self) -> Doors:
        """The doors of every safe shelter, full or not."""
        return ways_out.enter(self.ground, self.ground.doors)

    @cached_property
    def usual(self) -> Forest:
        """From where a shelter is reached on a normal day."""
        doors = self.now.base.doors
        doors = doors.where(doors.found & self.usual_ways.usable[doors.edge])
        return routing.nearest(self.usual_ways.graph.reverse, doors)

    @cached_property
    def hull(self) -> shapely.Geometry:
        """The ground that the streets span."""
        return hull(self.now.base.network)

    @property
    def usual_ways(self) -> Usable:
        """The streets of a normal day."""
        return self.now.base.usable[self.profile]


@dataclass(frozen=True)
class Answer:
    """What a point is told.

    ``said`` with a code of ``ANSWERS``; ``place`` where the point meets the streets (one row, none: no street);
    ``street_id`` and the street's names, None without one; ``ways`` as rows of ``ways_out.way_from``, the main first,
    ``room_left`` for how many people its shelter has room, NaN where that is not limited.
    """

    said: Sentence
    profile: str
    place: Snaps
    street_id: str | None
    street: tuple[str, str] | None
    ways: tuple[Mapping[str, Any], ...]
    site: int | None = None
    room_left: float = np.nan

    def __repr__(self) -> str:
        return f"Answer({self.said.code}: {self.said.en})"


def guide(now: Situation, *, profile: str = "walk") -> Guide:
    """Everything that is the same for all points of a situation; ``profile`` is one of ``PROFILES``."""
    ground = _ground(now, profile)
    usual = now.base.usable[profile]
    load = now.refuge.assigned.load(len(now.sites))
    left = now.refuge.room > load
    roomy = ways_out.enter(ground, ground.doors.where(left[ground.doors.place]))
    found = Guide(now, profile, ground, Indexed.of(now.base.network, usual.joined), roomy, load)
    # Also what only a point without a way asks for: nobody waits for it then.
    _ = found.roomless, found.usual, found.hull
    return found


def _ground(now: Situation, profile: str) -> Ground:
    """What the way is measured by; who asks walks in the place of the adult."""
    params, ways = now.base.params, now.ways
    walkers = {name: Walker(ways[name], level_speed_ms(getattr(params, name), params)) for name in PROFILES}
    safe = now.sites["usable"].to_numpy(dtype=bool)
    doors = now.doors.where(safe[now.doors.place] & ways[profile].usable[now.doors.edge])
    exposure = now.faced.streets(now.base.network, rules=params)
    close_m = getattr(params, profile).close_depth_m
    return ways_out.ground(
        walkers | {ways_out.ADULT: walkers[profile]}, doors, now.sites, exposure,
        close_depth_m=close_m, route=params.route, legs=params.path,
    )  # fmt: skip


def hull(network: Network) -> shapely.Geometry:
    """The ground that the streets span."""
    return shapely.MultiPoint(np.column_stack([network.x, network.y])).convex_hull


def nearest(of: Guide, point: shapely.Point) -> Answer:
    """The nearest safe shelter with room from a point in the study's CRS, and the way there.

    Where all that can be reached are full it is the nearest of these, and said so.
    """
    base = of.now.base
    place = snapping.snap_to(of.streets, np.array([point], dtype=object), max_m=base.params.walk.snap_max_m)
    if not place.found[0]:
        far_m = float(shapely.distance(of.hull, point))
        return _told(of, "outside_data" if far_m > base.params.walk.snap_max_m else "not_snapped", place, far_m=far_m)
    if not of.now.ways[of.profile].usable[place.edge[0]]:
        return _told(of, "street_closed", place)
    ways = ways_out.way_from(of.ground, of.roomy, place)
    if ways:
        late = ways[0]["walk_s"] > base.params.walk.max_minutes * 60
        return _told(of, "too_far" if late else "found", place, ways)
    ways = ways_out.way_from(of.ground, of.roomless, place)
    return _told(of, "full" if ways else _no_way(of, place), place, ways)


def _no_way(of: Guide, place: Snaps) -> str:
    """Whether a way is lost that there is on a normal day."""
    out = routing.roots(of.usual_ways.graph, place)
    reached = (of.usual.cost_ms[out.state] >= 0).any()
    on_own = np.isin(place.edge, of.now.base.doors.edge[of.now.base.doors.found]).any()
    return "cut_off" if reached or on_own else "no_shelter"


def _told(
    of: Guide, code: str, place: Snaps, ways: list[dict[str, Any]] | None = None, *, far_m: float = np.nan
) -> Answer:
    """The answer with its sentence; the numbers it names are those of the main way."""
    network, found = of.now.base.network, tuple(ways or ())
    street = _street(network, int(place.edge[0])) if place.found[0] else None
    site = _row(of, found[0]["shelter_id"]) if found else None
    gaps: dict[str, object] = dict(zip(("street", "street_zh"), street or ("", ""), strict=True))
    gaps |= dict(zip(("shelter", "shelter_zh"), _name(of, site), strict=True))
    gaps |= dict(zip(("far", "far_zh"), ("", "") if np.isnan(far_m) else directions.distance(far_m), strict=True))
    gaps["minutes"] = math.ceil(found[0]["walk_s"] / 60) if found else 0
    params = of.now.base.params.walk
    en, zh = (text.format(limit=params.max_minutes, snap=params.snap_max_m, **gaps) for text in ANSWERS[code])
    street_id = str(network.street_ids[place.edge[0]]) if place.found[0] else None
    return Answer(Sentence(code, en, zh), of.profile, place, street_id, street, found, site, _room_left(of, site))


def _street(network: Network, edge: int) -> tuple[str, str]:
    """What a street is called in English and Chinese."""
    tags = (network.edge_tag(tag, np.array([edge]))[0] for tag in ("name", "name_zh", "name_en", "highway"))
    return directions.called(*tags)


def _row(of: Guide, shelter_id: str) -> int:
    return int(np.flatnonzero(of.now.sites["shelter_id"].to_numpy(dtype=object) == shelter_id)[0])


def _name(of: Guide, site: int | None) -> tuple[str, str]:
    """What a shelter is called in English and Chinese: its name, else its id."""
    if site is None:
        return "", ""
    sites = of.now.sites
    found = (sites[name].iloc[site] if name in sites else None for name in ("name", "name_zh", "name_en"))
    own, zh, en = (name if isinstance(name, str) else None for name in found)
    return en or own or sites["shelter_id"].iloc[site], zh or own or sites["shelter_id"].iloc[site]


def _room_left(of: Guide, site: int | None) -> float:
    params = of.now.base.params.refuge
    if site is None or params.room == "unlimited":
        return np.nan
    room = float(of.now.sites["capacity_people"].iloc[site])
    return max(float(np.floor(room) - of.load[site]), 0.0)
