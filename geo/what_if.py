"""What if: shelters added, taken away or given other room, streets closed or opened, on a city computed already.

Only what an edit touches is computed again: the searches of the shelters that a street leads to, and from the
assignment as it stood the moves that make it the best one again. The answer is the one that computing everything anew
gives (``anew``), to the last person. Services that drive are not asked again: an edit here is about walks to shelters.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import evacuation, gates, rating, reaching, readied, refuge, search, situation, summary, usable
from geo.errors import Fault, NotFoundError, ParameterError, refuse
from geo.reasons import for_shelter
from geo.refuge import NOBODY, Refuge, Trodden
from geo.routing import Graph, Roots
from geo.situation import Situation
from geo.snapping import Snaps
from geo.tables import SHELTERS
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

REMOVED = "removed"
"""Why a shelter is not usable that a planner took away."""
ROOM_SAID = {
    "capacity_en": "{n} people: as this what-if sets it.",
    "capacity_zh": "{n}人：本次推演设定。",
}
"""What is said of room that a planner gives."""
KIND = "what_if"
"""What a shelter is that a planner drew."""


@dataclass(frozen=True)
class NewShelter:
    """A shelter that is not there yet: its site (point or polygon in the study's CRS) and its room in people."""

    shelter_id: str
    site: shapely.Point | shapely.Polygon | shapely.MultiPolygon
    room: float
    name: str = ""

    def __post_init__(self) -> None:
        if not (np.isfinite(self.room) and self.room >= 0):
            raise ParameterError(Fault("room for 0 people or more", f"{self.room:g}", f"shelter {self.shelter_id}"))


@dataclass(frozen=True)
class Edits:
    """What a planner changes; ids are those of the layers ``shelters`` and ``streets``."""

    add: tuple[NewShelter, ...] = ()
    remove: tuple[str, ...] = ()
    room: Mapping[str, float] = field(default_factory=dict)
    close: tuple[str, ...] = ()
    open: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        wrong = {name: n for name, n in self.room.items() if not (np.isfinite(n) and n >= 0)}
        faults = [Fault("room for 0 people or more", f"{n:g}", f"shelter {name}") for name, n in wrong.items()]
        new = [one.shelter_id for one in self.add]
        twice = sorted({name for name in new if new.count(name) > 1})
        faults += [Fault("each new id once", repr(name), "shelter to be added") for name in twice]
        both = sorted({*self.close} & {*self.open})
        cure = "Take it out of one of the two."
        faults += [Fault("each street closed or opened", f"{name!r} in both", "street", cure) for name in both]
        refuse(ParameterError, faults)

    def __bool__(self) -> bool:
        return any((self.add, self.remove, self.room, self.close, self.open))


@dataclass(frozen=True)
class Changes:
    """What an edit changes: the rows that are different now, by layer, and the city's numbers before and after."""

    before: Mapping[str, float]
    after: Mapping[str, float]
    layers: Mapping[str, gpd.GeoDataFrame]

    def __repr__(self) -> str:
        served = self.after["people_served"] - self.before["people_served"]
        return f"Changes({served:+.0f} people served; {', '.join(f'{len(t)} {n}' for n, t in self.layers.items())})"


def apply(now: Situation, edits: Edits) -> Situation:
    """The city with the edits, computed from what was known before them; ``now`` is not changed."""
    streets, sites, doors = _edited(now, edits)
    old = now.refuge
    seekers, pace = now.base.seekers, old.pace
    there = readied.shelters_for(seekers, sites, doors, now.base.params)
    entrances = there.doors
    walks = evacuation.walk_to_nearest(streets, seekers.places, entrances, speed_ms=pace.speed_ms)
    again = _touched(now, edits, streets, len(sites), entrances)
    homes = old.homes if streets is old.ways else gates.homes(streets.graph, walks.places)
    walks = replace(walks, places=old.walks.places) if streets is old.ways else walks
    fresh = reaching.site_pairs(
        streets.graph, walks.places, entrances, np.flatnonzero(again), sites=len(sites), homes=homes, **pace._asdict()
    )  # fmt: skip
    pairs = reaching.replaced(replace(old.pairs, sites=len(sites)), np.flatnonzero(again), fresh)
    found = refuge.settled(
        streets, seekers, there, walks, pairs, pace=pace, params=now.base.params.refuge, warm=old.solved
    )
    vars(found)["homes"] = homes
    stay = now.nights if sites is now.sites else _nights(now, sites, doors)
    return _with(now, streets, doors, sites, found, stay)


def anew(now: Situation, edits: Edits) -> Situation:
    """The same, computed from the beginning: what ``apply`` must equal."""
    streets, sites, doors = _edited(now, edits)
    found = readied.refuge_of(now.base, streets, doors, sites)
    return _with(now, streets, doors, sites, found, _nights(now, sites, doors))


def _nights(now: Situation, sites: gpd.GeoDataFrame, doors: Snaps) -> Refuge | None:
    """Where people stay for nights in these shelters: by the doors of a normal day, and those of added shelters."""
    added = doors.where(doors.place >= len(now.base.shelters))
    return situation.nights_of(now.base, now.met, sites, _together(now.base.doors, added))


def _with(
    now: Situation, streets: Usable, doors: Snaps, sites: gpd.GeoDataFrame, found: Refuge, stay: Refuge | None
) -> Situation:
    """The situation with the shelters and streets of an edit."""
    ways = {**now.ways, "walk": streets}
    return replace(now, ways=ways, doors=doors, sites=sites, refuge=found, nights=stay)


def changes(before: Situation, after: Situation) -> Changes:
    """The rows of communities, demand, shelters and street flows that differ, as they are after."""
    places, unit = _places_changed(before, after), after.base.community_id
    sites_now, sites_then = after.shelters, before.shelters
    sites = _sites_changed(sites_then, sites_now)
    ids = {*unit[places], *sites_now["community_id"][sites].dropna()}
    there = unit.isin(ids).to_numpy()
    demand = situation.demand(after, there)
    layers = {
        "communities": _communities(after, demand, sites_now, ids),
        "demand": demand[places[there]],
        "shelters": sites_now[sites],
        "street_flows": _flows(before, after),
    }
    return Changes(_headline(before), _headline(after), {name: t.reset_index(drop=True) for name, t in layers.items()})


# -- the edits ---------------------------------------------------------------------------------------------------------


def _edited(now: Situation, edits: Edits) -> tuple[Usable, gpd.GeoDataFrame, Snaps]:
    """Streets, shelters and open doors after the edits."""
    refuse(NotFoundError, _unknown(now, edits))
    streets = _streets(now, edits)
    doors = rating.open_doors(now.doors if not edits.open else every_door(now), streets)
    sites = _as_they_are(_with_room(now.sites, edits), doors, edits)
    if not edits.add:
        return streets, sites, doors
    added, new_doors = _added(now, edits, streets)
    sites = gpd.GeoDataFrame(pd.concat([sites, added], ignore_index=True), crs=sites.crs)
    return streets, sites, _together(doors, replace(new_doors, place=new_doors.place + len(now.sites)))


def every_door(now: Situation) -> Snaps:
    """The city's doors of a normal day, and those of shelters that earlier edits added."""
    return _together(now.base.doors, now.doors.where(now.doors.place >= len(now.base.shelters)))


def _as_they_are(sites: gpd.GeoDataFrame, doors: Snaps, edits: Edits) -> gpd.GeoDataFrame:
    """The shelters with what their doors and the planner leave of them."""
    entered = np.bincount(doors.place[doors.found], minlength=len(sites)) > 0
    gone, usable_ = sites["shelter_id"].isin(edits.remove).to_numpy(), sites["usable"].to_numpy(dtype=bool)
    again = (sites["reason_code"] == "street_closed").to_numpy() & entered
    reason = np.select(
        [gone, usable_ & ~entered, again], [REMOVED, "street_closed", "usable"], sites["reason_code"].to_numpy()
    )
    told = {code: for_shelter(code, wet=np.nan, hit=np.nan, unknown=np.nan, depth=np.nan)
            for code in (REMOVED, "street_closed", "usable")}  # fmt: skip
    rows = np.flatnonzero(reason != sites["reason_code"].to_numpy())
    if not len(rows):
        return sites
    said_en, said_zh = (sites[name].to_numpy(dtype=object).copy() for name in ("reason_en", "reason_zh"))
    for row in rows:
        said_en[row], said_zh[row] = told[reason[row]].en, told[reason[row]].zh
    said = pd.DataFrame({"reason_en": said_en, "reason_zh": said_zh}, index=sites.index, dtype="object")
    return sites.assign(usable=reason == "usable", reason_code=reason, **{str(name): said[name] for name in said})


def _unknown(now: Situation, edits: Edits) -> list[Fault]:
    streets, shelters = now.base.street_rows, {*now.sites["shelter_id"]}
    faults = [Fault("a street of the study", repr(name), "street") for name in (*edits.close, *edits.open)
              if name not in streets]  # fmt: skip
    named = [*edits.remove, *edits.room]
    faults += [Fault("a shelter of the study", repr(name), "shelter") for name in named if name not in shelters]
    taken = [new.shelter_id for new in edits.add if new.shelter_id in shelters]
    return faults + [Fault("a new id", repr(name), "shelter to be added") for name in taken]


def _streets(now: Situation, edits: Edits) -> Usable:
    rows, walk = now.base.street_rows, now.ways["walk"]
    if edits.open:
        walk = usable.reopened(walk, now.base.usable["walk"], np.array([rows[name] for name in edits.open]))
    if edits.close:
        walk = usable.shut(walk, np.array([rows[name] for name in edits.close]))
    return walk


def _with_room(sites: gpd.GeoDataFrame, edits: Edits) -> gpd.GeoDataFrame:
    """The shelters with the room a planner gives them, for hours; for nights they hold at most as many."""
    if not edits.room:
        return sites
    room = sites["shelter_id"].map(dict(edits.room)).astype(np.float64)
    given = room.notna()
    words = {
        at: [said.format(n=f"{n:,.0f}") if new else old for n, new, old in zip(room, given, sites[at], strict=True)]
        for at, said in ROOM_SAID.items()
    }
    return sites.assign(
        capacity_people=room.where(given, sites["capacity_people"]),
        stay_capacity_people=np.fmin(sites["stay_capacity_people"], room.where(given, np.inf)),
        capacity_basis=np.where(given, "declared", sites["capacity_basis"]),
        **{at: pd.Series(said, index=sites.index, dtype="object") for at, said in words.items()},
    )


def _added(now: Situation, edits: Edits, streets: Usable) -> tuple[gpd.GeoDataFrame, Snaps]:
    """The new shelters as they are rated, and their doors on open streets."""
    base, params = now.base, now.base.params
    columns: dict[str, object] = {c.name: None for c in SHELTERS.columns}
    rows = [
        columns | {"shelter_id": new.shelter_id, "name": new.name or None, "kind": KIND, "tier": None,
                   "origin": "candidate", "area_m2": new.site.area or np.nan, "floor_m2": np.nan, "capacity": new.room}
        for new in edits.add
    ]  # fmt: skip
    table = gpd.GeoDataFrame(
        pd.DataFrame(rows, columns=list(columns)), geometry=[new.site for new in edits.add], crs=now.sites.crs
    ).astype({"area_m2": "float64", "floor_m2": "float64", "capacity": "float64"})
    usual = base.usable["walk"]
    doors = readied.doors_of(usual, table, params)
    open_ = rating.open_doors(doors, streets)
    surveyed = readied.survey(base.city, table, params)
    rated = rating.rated(
        table, surveyed, doors, open_, now.faced, base.communities, way=base.network.way, params=params
    )
    return rated.reindex(columns=now.sites.columns), open_


def _together(one: Snaps, other: Snaps) -> Snaps:
    place, edge = (np.r_[getattr(one, f), getattr(other, f)] for f in ("place", "edge"))
    return Snaps(place, edge, np.r_[one.along_m, other.along_m], np.r_[one.off_m, other.off_m])


# -- what they touch ---------------------------------------------------------------------------------------------------


def _touched(now: Situation, edits: Edits, streets: Usable, sites: int, doors: Snaps) -> Mask:
    """Shelters (sites,) whose ways have to be searched again."""
    was, is_ = (np.bincount(d.place, minlength=sites)[:sites] for d in (now.refuge.doors, doors))
    rows, limit_s = now.base.street_rows, now.base.params.walk.max_minutes * 60
    edges = np.array([rows[name] for name in (*edits.close, *edits.open)], dtype=np.int64)
    reached = [
        door.place[near(ways.graph, edges, door, limit_s=limit_s)]
        for ways, door in ((now.refuge.ways, now.refuge.doors), (streets, doors))
    ]
    return np.asarray((was != is_) | np.isin(np.arange(sites), np.concatenate(reached)))


def near(graph: Graph, edges: Ints, doors: Snaps, *, limit_s: float) -> Mask:
    """Doors (rows,) that somebody who walks over one of the edges may reach within the limit; a few more than that."""
    first, states = graph.states_of
    ends = np.unique(np.r_[graph.u[edges], graph.v[edges]])
    stand = np.concatenate([np.zeros(0, dtype=np.int64), *(states[first[node] : first[node + 1]] for node in ends)])
    nothing = np.zeros(len(stand), dtype=np.int64)
    met = search.within(graph, Roots(stand, nothing, nothing, nothing - 1), max_s=limit_s)
    there = np.zeros(graph.nodes + 1, dtype=bool)
    there[graph.node_of[met.state]] = True
    u, v = (np.where(doors.found, ends_of[doors.edge], graph.nodes) for ends_of in (graph.u, graph.v))
    return np.asarray(there[u] | there[v] | np.isin(doors.edge, edges))


# -- what is different -------------------------------------------------------------------------------------------------


def _places_changed(before: Situation, after: Situation) -> Mask:
    """Places (places,) of which something is told otherwise."""
    seekers, normal = before.base.seekers, before.base.normal.walks
    then, now = before.refuge, after.refuge
    (shelter_then, walk_then), (shelter_now, walk_now) = then.main, now.main
    same = (shelter_then == shelter_now) & ((walk_then == walk_now) | (np.isnan(walk_then) & np.isnan(walk_now)))
    same &= then.assigned.unserved == now.assigned.unserved
    same &= (then.walks.shelter == now.walks.shelter) & np.isclose(then.walks.walk_s, now.walks.walk_s, equal_nan=True)
    same &= (refuge.states(seekers, then, normal) == refuge.states(seekers, now, normal)).to_numpy()
    parts = (np.bincount(r.assigned.place, minlength=len(same)) for r in (then, now))
    return np.asarray(~(same & np.equal(*parts) & _stay_alike(before.nights, after.nights, len(same))))


def _stay_alike(then: Refuge | None, now: Refuge | None, places: int) -> Mask:
    """Places (places,) whose displaced people stay where they stayed before."""
    if then is now or then is None or now is None:
        return np.full(places, then is now)
    (site_then, walk_then), (site_now, walk_now) = then.main, now.main
    same = (site_then == site_now) & ((walk_then == walk_now) | (site_now == NOBODY))
    return np.asarray(same & (then.assigned.unserved == now.assigned.unserved))


def _sites_changed(then: gpd.GeoDataFrame, now: gpd.GeoDataFrame) -> Mask:
    """Shelters (after,) of which something is told otherwise, and new ones."""
    told = [
        "usable",
        "reason_code",
        "capacity_people",
        "capacity_basis",
        "people",
        "people_nearest",
        "people_from_elsewhere",
        "stay_people",
    ]
    old = then[told].reindex(range(len(now)))
    same = (old == now[told]) | (old.isna() & now[told].isna())
    return np.asarray(~same.all(axis=1).to_numpy() | (np.arange(len(now)) >= len(then)))


def _communities(
    after: Situation, demand: gpd.GeoDataFrame, sites: gpd.GeoDataFrame, ids: Collection[str]
) -> gpd.GeoDataFrame:
    """The communities named, as walks to shelters leave them."""
    base = after.base
    units = base.communities[base.communities["community_id"].isin(ids)]
    theirs = sites[sites["community_id"].isin(ids)]
    return summary.by_community(
        units.reset_index(drop=True), demand, theirs, after.legs, known=len(sites) > 0, params=base.params.status,
        walk=base.params.walk,
    )  # fmt: skip


def _headline(of: Situation) -> dict[str, float]:
    people, left = of.base.seekers.people, of.refuge.assigned.unserved
    lost = ~of.refuge.any_way & ~np.isnan(of.base.normal.walks.walk_s)
    place, walk_s, legs = of.refuge.legs()
    room = of.sites["capacity_people"].where(of.sites["usable"])
    told = summary.Legs(pd.Series(np.full(len(place), summary.ALL, dtype=object)), walk_s, legs)
    everybody = pd.Series([summary.ALL])
    return {
        "people": float(people.sum()),
        "people_served": float((people - left).sum()),
        "people_unserved": float(left.sum()),
        "people_cut_off": float(people[lost].sum()),
        "shelters_usable": float(of.sites["usable"].sum()),
        "shelter_capacity": float(room.sum()),
        "walk_s_median": float(told.quantiles(everybody, 0.5)[0]),
        "walk_s_p95": float(told.quantiles(everybody, 0.95)[0]),
        "walk_hours": float(of.refuge.assigned.cost_ms @ of.refuge.assigned.people / 3.6e6),
    }


def _flows(before: Situation, after: Situation) -> gpd.GeoDataFrame:
    """Streets along which other numbers walk than before, as they walk now.

    Only ways to shelters are followed that others go to now, or whose ways may lead over a street that changed.
    """
    then, now = before.refuge, after.refuge
    mine = _led_otherwise(then, now) | _on_other_streets(before, after)
    less, more, known = then.walked(mine[: then.pairs.sites]), now.walked(mine), then.on_streets
    along, against = known.along + more.along - less.along, known.against + more.against - less.against
    # What follows from ``then`` need not be found again by whoever asks ``now``.
    vars(now)["on_streets"] = Trodden(along, against)
    edges = np.flatnonzero((more.along != less.along) | (more.against != less.against))
    network = before.base.network
    return gpd.GeoDataFrame(
        {
            "street_id": network.street_ids[edges],
            "people": (along + against)[edges],
            "people_along": along[edges],
            "people_against": against[edges],
        },
        geometry=network.lines[edges],
        crs=network.crs,
    )


def _led_otherwise(then: Refuge, now: Refuge) -> Mask:
    """Shelters (after,) to which others go than before, or from other distances."""
    rows = [pd.MultiIndex.from_arrays([r.assigned.site, r.assigned.place, r.assigned.people, r.assigned.cost_ms])
            for r in (then, now)]  # fmt: skip
    found = np.zeros(now.pairs.sites, dtype=bool)
    for one, other in (rows, rows[::-1]):
        found[one.get_level_values(0)[~one.isin(other)]] = True
    return found


def _on_other_streets(before: Situation, after: Situation) -> Mask:
    """Shelters (after,) whose ways may lead over a street that is open in one of the two and not in the other."""
    then, now = before.refuge, after.refuge
    edges = np.flatnonzero(then.ways.usable != now.ways.usable)
    limit_s = float(np.max(now.pace.limit_s))
    sites = [r.doors.place[near(r.ways.graph, edges, r.doors, limit_s=limit_s)] for r in (then, now)]
    return np.isin(np.arange(now.pairs.sites), np.concatenate(sites))
