"""Single changes that might help the people left over in a community, each with a bound and a way to work it out.

Five kinds. ``room``: more places at a full shelter in reach. ``open``: a school, hall or park that is not in use as a
shelter, with the room it has under these hazards. ``site``: a new shelter, on open ground or by a street, with many of
those left around it. ``street``: the closed streets on one way to a shelter with room, raised. ``footbridge``: a
straight link between two junctions of the open network that brings people nearer to a shelter with room
(``geo.footbridges``). Shelters, openings and sites count that somebody who is left reaches by open streets.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo import (
    corridors,
    cure_words,
    exposures,
    footbridges,
    openings,
    rating,
    reach,
    reaching,
    refuge,
    usable,
    what_if,
)
from geo.corridors import Corridor, Corridors
from geo.costs import CureParams
from geo.footbridges import Link, Links
from geo.openings import Openings, Told
from geo.pairs import Pairs
from geo.parts import Parts
from geo.redealt import Dealt, Outcome, Reach
from geo.situation import Situation
from geo.snapping import Snaps
from geo.tables import NAMES
from geo.what_if import Edits, NewShelter

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

NEW_SITE, OPENED = "new", "opened"
"""Ids of new shelters: the first, the community, and a number; of closed ones opened: their own, and the second."""
ROUNDING = 1e-9
"""People this close to a whole number are that many."""


@dataclass(frozen=True, eq=False)
class Change:
    """One change: what it is, where, for how many, how long, what it costs, and how to work it out.

    ``most`` is a bound: no more can be newly served in all than that. ``edits`` are those of ``geo.what_if``, None
    where none says the same: for a footbridge, and for a building that is opened. ``whole``: everybody is dealt out
    again.
    """

    kind: str
    targets: tuple[str, ...]
    what: tuple[str, str]
    room: int
    length_m: float
    cost: float
    most: int
    shape: shapely.Geometry
    edits: Edits | None
    outcome: Callable[[], Outcome] = field(repr=False)
    whole: bool = False

    @property
    def key(self) -> tuple[str, tuple[str, ...], int]:
        """What tells it from every other."""
        return self.kind, self.targets, self.room

    def with_room(self, room: int, params: CureParams) -> Change:
        """The same change with less room: all that is used, so that people go where they went with more."""
        edits, less = self.edits, self.room - room
        if edits and edits.room:
            edits = Edits(room={name: value - less for name, value in edits.room.items()})
        elif edits:
            share = room / self.room
            edits = Edits(
                add=tuple(replace(new, room=float(np.ceil(new.room * share - ROUNDING))) for new in edits.add)
            )
        return replace(self, room=room, cost=params.cost(self.kind, room=room), edits=edits)

    def taking_in(self, people: int, params: CureParams) -> Change:
        """A place opened, made ready for those who come."""
        return replace(self, cost=params.cost(self.kind, room=people))


@dataclass(frozen=True, eq=False)
class Ward:
    """A situation with what the search for cures shares between communities."""

    now: Situation
    params: CureParams

    def __repr__(self) -> str:
        return f"Ward({int(self.left.sum()):,} people left in {len(self.homes)} communities)"

    @property
    def left(self) -> Ints:
        """The unserved of each place, (places,)."""
        left: Ints = self.now.refuge.assigned.unserved
        return left

    @cached_property
    def homes(self) -> Parts:
        """The places by community."""
        return Parts.named(self.now.base.community_id, self.now.base.communities["community_id"])

    @cached_property
    def dealt(self) -> Dealt:
        """Who goes where now."""
        return refuge.dealt(self.now.base.seekers, self.now.refuge, params=self.now.base.params.refuge)

    @cached_property
    def left_in_reach(self) -> Ints:
        """People who are left within reach of each site, (sites,)."""
        pairs = self.dealt.pairs
        found = np.bincount(pairs.site, self.left[pairs.place], minlength=pairs.sites)
        return np.asarray(found, dtype=np.int64)

    @cached_property
    def reachable(self) -> Mask:
        """Sites (sites,) that are usable, or only lack an open street."""
        sites = self.now.sites
        return np.asarray(sites["usable"].to_numpy(dtype=bool) | (sites["reason_code"] == "street_closed").to_numpy())

    @cached_property
    def full_room(self) -> Ints:
        """The room of each of these, (sites,), empty."""
        base, capacity = self.now.base, self.now.sites["capacity_people"].to_numpy(dtype=np.float64)
        everybody = int(base.seekers.people.sum())
        room: Ints = refuge.rooms(capacity, self.reachable, params=base.params.refuge, people=everybody)
        return room

    @cached_property
    def spare(self) -> Ints:
        """Room left at each of these, (sites,)."""
        return np.asarray(np.maximum(0, self.full_room - self.dealt.load))

    @cached_property
    def told(self) -> list[Told]:
        """What is told of each site, (sites,)."""
        return openings.told(self.now.sites)

    @cached_property
    def ids(self) -> set[str]:
        """The ids of all sites."""
        return {each.ident for each in self.told}

    def growth(self, site: int) -> int:
        """By how many people a shelter may grow at most."""
        return int(self.dealt.room[site] * self.params.room_most_share)

    @property
    def speed_ms(self) -> float:
        """Metres a second between door and street, over links and as the crow flies."""
        return self.now.refuge.pace.speed_ms

    @cached_property
    def limit_s(self) -> Floats:
        """The longest walk to each site, (sites,), and to a new one, last."""
        limit = np.asarray(self.now.refuge.pace.limit_s, dtype=np.float64)
        return np.asarray(np.append(np.broadcast_to(limit, (len(self.now.sites),)), limit.max()))

    @cached_property
    def openings(self) -> Openings:
        """What could be opened."""
        return openings.usable(self.now, openings.candidates(self.now))

    @cached_property
    def ground(self) -> gpd.GeoDataFrame:
        """Open ground for new shelters: large enough, out of the hazards, and no shelter yet; by id."""
        base, of = self.now.base, self.now.base.params.shelter
        areas = base.city.areas
        kept = areas["kind"].isin(self.params.site_kinds).to_numpy(dtype=bool) & (
            areas.area.to_numpy() >= of.min_site_m2
        )
        areas = areas[kept].sort_values("area_id").reset_index(drop=True)
        shapes = _shapes(areas)
        taken = np.zeros(len(areas), dtype=bool)
        for table in (self.now.sites, self.openings.table):
            taken[shapely.STRtree(shapes).query(_shapes(table), predicate="intersects")[1]] = True
        lost = exposures.hit(self.now.faced.grounds(shapes), above=of.max_share_wet)
        return areas[~(taken | lost)].reset_index(drop=True)

    @cached_property
    def ground_told(self) -> list[Told]:
        """What is told of each piece of open ground."""
        return openings.told(self.ground.rename(columns={"area_id": "shelter_id"}))

    @cached_property
    def middles(self) -> Floats:
        """A point of each piece of open ground, (ground, 2)."""
        return np.asarray(shapely.get_coordinates(shapely.point_on_surface(_shapes(self.ground))))

    @cached_property
    def at(self) -> Floats:
        """Where places meet their open street, (places, 2); NaN where they meet none."""
        places = self.now.refuge.walks.places
        at = np.full((len(places), 2), np.nan)
        at[places.found] = np.column_stack(reach.points(self.now.base.network, places.where(places.found)))
        return at

    @cached_property
    def new_sites(self) -> tuple[Openings, Ints]:
        """New shelters for those left in each community, and the community that each is for, (sites,)."""
        rows = self.homes.rows()
        shapes, names, of = list[shapely.Geometry](), list[tuple[object, ...]](), list[int]()
        for community in np.flatnonzero(self.homes.sums(self.left)).tolist():
            mine = rows[community][self.left[rows[community]] > 0]
            some, called = _spots(self, mine[self.now.refuge.walks.places.found[mine]])
            shapes, names, of = shapes + some, names + called, of + [community] * len(some)
        idents, numbers = self.now.base.communities["community_id"], pd.Series(of, dtype="int64").groupby(of).cumcount()
        ids = [f"{NEW_SITE}-{idents.iloc[at]}-{number}" for at, number in zip(of, numbers, strict=True)]
        table = openings.spots(shapes, ids, names, crs=str(self.now.sites.crs)).assign(community=np.array(of, np.int64))
        made = openings.usable(self.now, table, unknown_room=int(self.left.sum()))
        return made, made.table["community"].to_numpy(dtype=np.int64)

    @cached_property
    def corridors(self) -> tuple[Corridors, ...]:
        """Ways to shelters with room over closed streets: with few of them, and the quickest."""
        base, streets = self.now.base, self.now.ways["walk"]
        shut = np.flatnonzero(base.usable["walk"].usable & ~streets.usable)
        if not len(shut):
            return ()
        doors = self.doors.where(self.doors.found & (self.spare[self.doors.place] > 0))
        again = usable.reopened(streets, base.usable["walk"], shut)
        return tuple(
            corridors.corridors(
                streets, again, base.places, doors, factor=factor, limit_s=self.limit_s[:-1], speed_ms=self.speed_ms
            )
            for factor in dict.fromkeys((self.params.street_factor, 1.0))
        )

    @cached_property
    def doors(self) -> Snaps:
        """The doors of a normal day, with those of shelters that a planner added."""
        return what_if.every_door(self.now)

    @cached_property
    def links(self) -> Links:
        """The links towards shelters with room."""
        doors = self.now.refuge.doors
        spare = doors.where(self.spare[doors.place] > 0)
        return footbridges.links(self.now.ways["walk"], spare, most_m=self.params.bridge_most_m, speed_ms=self.speed_ms)

    def street(self, edge: int) -> tuple[str, str]:
        """The name of a street in English and Chinese, empty where it has none."""
        network, at = self.now.base.network, np.array([edge])
        name, zh, en = (network.edge_tag(column, at)[0] or "" for column in NAMES)
        return en or name or zh, zh or name or en


def changes(ward: Ward, community: int, mine: Ints) -> list[Change]:
    """The changes that might help those left in one community (its row), at the places ``mine``."""
    return [
        *_rooms(ward, mine),
        *_opens(ward, mine),
        *_sites(ward, community, mine),
        *_streets(ward, mine),
        *_bridges(ward, mine),
    ]


def _reached(pairs: Pairs, mine: Ints) -> Ints:
    """The pairs of some places."""
    count = pairs.first[mine + 1] - pairs.first[mine]
    return np.repeat(pairs.first[mine] - np.r_[0, np.cumsum(count)[:-1]], count) + np.arange(count.sum())


# -- room, openings, new shelters ----------------------------------------------------------------------------------


def _rooms(ward: Ward, mine: Ints) -> list[Change]:
    """More room at each full shelter in reach: for those left here who reach it, and for all who are left and do."""
    pairs = ward.dealt.pairs
    rows = _reached(pairs, mine)
    rows = rows[ward.dealt.full[pairs.site[rows]]]
    here = np.bincount(pairs.site[rows], ward.left[pairs.place[rows]], minlength=pairs.sites).astype(np.int64)
    return [
        _room(ward, int(site), more)
        for site in np.flatnonzero(here)
        for more in dict.fromkeys(min(int(n[site]), ward.growth(int(site))) for n in (here, ward.left_in_reach))
        if more
    ]


def _room(ward: Ward, site: int, more: int) -> Change:
    told, room = ward.told[site], int(ward.dealt.room[site])
    return Change(
        "room", (told.ident,), _called(told), more, 0.0, ward.params.cost("room", room=more), more,
        told.point, Edits(room={told.ident: float(room + more)}),
        lambda: ward.dealt.with_room(site, more),
    )  # fmt: skip


def _called(told: Told) -> tuple[str, str]:
    return cure_words.called(told.name, told.name_zh, told.name_en, told.kind, told.ident)


def _opens(ward: Ward, mine: Ints) -> list[Change]:
    """What could be opened and is reached by somebody who is left here."""
    found = ward.openings
    near = np.unique(found.pairs.site[_reached(found.pairs, mine)])
    return [_opening(ward, found, int(site), "open", int(found.room[site])) for site in near]


def _opening(ward: Ward, of: Openings, site: int, kind: str, room: int) -> Change:
    told = of.told[site]
    what = _called(told) if kind == "open" else _standing(ward, told)
    return Change(
        kind, (told.ident,), what, room, 0.0, ward.params.cost(kind, room=room), room, told.point,
        _added(ward, of, site, room), lambda: ward.dealt.with_site(_reach(ward, of, site), room),
    )  # fmt: skip


def _new_id(ward: Ward, told: Told) -> str:
    """The id of a site as one that is added: a shelter of the plan that is closed keeps its row."""
    return f"{told.ident}-{OPENED}" if told.ident in ward.ids else told.ident


def _reach(ward: Ward, of: Openings, site: int) -> Reach:
    """Who reaches a site, told apart from others by the id that it is added under."""
    (name,) = refuge.numbered([_new_id(ward, of.told[site])]).tolist()
    return replace(of.reach(site), name=name)


def _added(ward: Ward, of: Openings, site: int, room: int) -> Edits | None:
    """The edit that adds a site with so much room; None where its floors give more room than its ground would."""
    told, row = of.told[site], of.table
    if row["floor_m2"].iloc[site] > 0:
        return None
    stated = np.ceil(room / (1 - row["share_lost"].iloc[site]) - ROUNDING)
    return Edits(add=(NewShelter(_new_id(ward, told), told.shape, float(stated), told.name or ""),))


def _sites(ward: Ward, community: int, mine: Ints) -> list[Change]:
    """New shelters in reach of many of those who are left here."""
    found, of = ward.new_sites
    made = []
    for site in np.flatnonzero(of == community).tolist():
        here = int(ward.left[np.intersect1d(found.reach(site).place, mine)].sum())
        room = min(here, int(found.room[site]), ward.params.site_most_people)
        if room:
            made.append(_opening(ward, found, site, "site", room))
    return made


def _standing(ward: Ward, told: Told) -> tuple[str, str]:
    """What a new shelter stands on, or by."""
    street = ward.street(int(ward.now.base.network.tree.nearest(told.point)))
    if told.kind is None:
        return cure_words.standing(None, street)
    return cure_words.standing(cure_words.ground(told.name, told.name_zh, told.name_en, told.kind), street)


def _spots(ward: Ward, mine: Ints) -> tuple[list[shapely.Geometry], list[tuple[object, ...]]]:
    """Spots with most of those left at the places ``mine`` around them: open ground, and dry homes on open streets.

    With each its names and its kind, None by the street.
    """
    count = ward.params.site_tries
    if not len(mine) or not count:
        return [], []
    homes, people, radius = ward.at[mine], ward.left[mine], float(ward.limit_s[-1]) * ward.speed_ms
    low, high = homes.min(axis=0) - radius, homes.max(axis=0) + radius
    near = np.flatnonzero(((ward.middles >= low) & (ward.middles <= high)).all(axis=1))
    on = near[_most_around(ward.middles[near], homes, people, radius, count)]
    dry = mine[~ward.now.met["exposed"].to_numpy(dtype=bool)[mine]]
    by = dry[_most_around(ward.at[dry], homes, people, radius, count)]
    spots = [ward.ground_told[row] for row in on]
    names = [(each.name, each.name_zh, each.name_en, each.kind) for each in spots]
    shapes = [*(each.shape for each in spots), *shapely.points(ward.at[by])]
    return shapes, [*names, *[(None, None, None, None)] * len(by)]


def _most_around(at: Floats, homes: Floats, people: Ints, radius: float, count: int) -> Ints:
    """The points of ``at`` (n, 2) with most people within ``radius`` metres, at most ``count``, none near another."""
    if not len(at) or not len(homes):
        return np.zeros(0, dtype=np.int64)
    held = KDTree(homes).query_ball_point(at, radius)
    around = np.array([int(people[rows].sum()) for rows in held])
    chosen: list[int] = []
    for one in np.lexsort((at[:, 1], at[:, 0], -around)).tolist():
        if not around[one] or len(chosen) == count:
            break
        if all(np.hypot(*(at[one] - at[other])) > radius / 2 for other in chosen):
            chosen.append(one)
    return np.array(chosen, dtype=np.int64)


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)


# -- streets and footbridges ---------------------------------------------------------------------------------------


def _streets(ward: Ward, mine: Ints) -> list[Change]:
    """Closed streets on one way to a shelter with room."""
    most_m, share = ward.params.street_most_m, ward.params.near_best_share
    found = [
        corridor
        for each in ward.corridors
        for corridor in corridors.best(each, mine, ward.left, ward.spare, most_m=most_m, near_best=share)
    ]
    by_streets = {tuple(sorted(one.edges.tolist())): one for one in found}
    return [_street(ward, one, int(ward.left[mine].sum())) for one in by_streets.values()]


def _street(ward: Ward, found: Corridor, most: int) -> Change:
    network = ward.now.base.network
    ids = tuple(str(name) for name in network.street_ids[found.edges])
    return Change(
        "street", ids, cure_words.of_street([ward.street(int(edge)) for edge in found.edges]), 0, found.length_m,
        ward.params.cost("street", length_m=found.length_m), most,
        shapely.line_merge(shapely.MultiLineString(list(network.lines[found.edges]))), Edits(open=ids),
        lambda: _raised(ward, found.edges), whole=True,
    )  # fmt: skip


def _raised(ward: Ward, edges: Ints) -> Outcome:
    """Everybody dealt out again with some streets as on an ordinary day: what ``what_if.apply`` gives."""
    base, now = ward.now.base, ward.now
    streets = usable.reopened(now.refuge.ways, base.usable["walk"], edges)
    places, usual = now.refuge.walks.places, base.seekers.places
    places = usual.only(places.found | np.isin(usual.edge, edges))
    doors = rating.open_doors(ward.doors, streets)
    doors = doors.where(ward.reachable[doors.place])
    limit_s = float(ward.limit_s[:-1].max(initial=0))
    again = np.unique(doors.place[what_if.near(streets.graph, edges, doors, limit_s=limit_s)])
    fresh = reaching.site_pairs(streets.graph, places, doors, again, sites=len(now.sites), **now.refuge.pace._asdict())
    pairs = reaching.replaced(now.refuge.pairs, again, fresh)
    room = np.where(np.bincount(doors.place, minlength=len(now.sites)) > 0, ward.full_room, 0)
    return ward.dealt.with_pairs(pairs, room)


def _bridges(ward: Ward, mine: Ints) -> list[Change]:
    """Links that bring those who are left within reach of room."""
    if not ward.params.bridge_tries or not ward.params.bridge_most_m:
        return []
    limit_s = float(ward.limit_s[:-1].max(initial=0))
    found = footbridges.best(
        ward.links, ward.now.refuge.ways, ward.now.refuge.walks.places, mine, ward.left, limit_s=limit_s,
        speed_ms=ward.speed_ms, count=ward.params.bridge_tries,
    )  # fmt: skip
    return [_bridge(ward, link) for link in found]


def _bridge(ward: Ward, link: Link) -> Change:
    network, found = ward.now.base.network, ward.now.refuge
    ends = [ward.street(_street_of(ward, node)) for node in (link.node, link.other)]
    at = np.column_stack([network.x, network.y])[[link.node, link.other]]

    def outcome() -> Outcome:
        pairs = footbridges.over(found.ways, found.pairs, found.walks.places, found.doors, link, pace=found.pace)
        return ward.dealt.with_pairs(pairs)

    return Change(
        "footbridge", tuple(f"n{network.node_id[node]}" for node in (link.node, link.other)),
        cure_words.between(*ends), 0, link.length_m, ward.params.cost("footbridge", length_m=link.length_m),
        int(ward.left.sum()), shapely.LineString(at), None, outcome, whole=True,
    )  # fmt: skip


def _street_of(ward: Ward, node: int) -> int:
    """An open street at a node: one with a name, if any has."""
    streets = ward.now.ways["walk"]
    network = streets.network
    met = np.flatnonzero(streets.usable & ((network.u == node) | (network.v == node)))
    named = [int(edge) for edge in met if any(ward.street(int(edge)))]
    return named[0] if named else int(met[0])
