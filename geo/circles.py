"""How far a service reaches: the time to every place, the streets within each ring, and how many stations reach them.

Times run out from the stations (an engine that turns out) or towards them (a walk to the shop), along the streets open
to the profile; turnout counts, and for walkers the last metres at both ends. A place's time is that of the point on
the street it is bound to. The same questions are asked of an ordinary day and of a scenario.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import geopandas as gpd
import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import reach, routing, search
from geo.reach import Pieces
from geo.routing import Forest, Graph, Starts
from geo.services import ServiceParams
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Bound:
    """A service's stations and the people, bound to the streets of its profile.

    ``doors.place`` is the row of the station; ``extra_s`` (doors,) what each adds: turnout, and a walker's last
    metres. ``places`` are the people's, ``last_s`` (places,) their own metres to the street, NaN where not bound.
    """

    stations: gpd.GeoDataFrame
    doors: Snaps
    extra_s: Floats
    places: Snaps
    last_s: Floats

    def of_stations(self, kept: Mask) -> Bound:
        """The doors of some stations (stations,) only; rows of stations stay."""
        mine = kept[self.doors.place]
        return Bound(self.stations, self.doors.where(mine), self.extra_s[mine], self.places, self.last_s)

    def __repr__(self) -> str:
        return f"Bound({len(self.stations)} stations, {len(self.doors)} doors, {len(self.places)} places)"


@dataclass(frozen=True)
class Reach:
    """How soon a service is at each place, and by whom.

    ``time_s`` (places,) NaN where nobody gets there; ``station`` (places,) row of the nearest station, -1 for none.
    ``out`` is the graph in the direction in which the forest grows, ``back`` the other way round.
    """

    params: ServiceParams
    bound: Bound
    out: Graph
    back: Graph
    forest: Forest
    starts: Starts
    time_s: Floats
    station: Ints

    @cached_property
    def by_station(self) -> list[Pieces]:
        """For each station (rows of its table) the stretches it reaches by itself within the service's minutes."""
        return [_alone(self.out, self.bound, row, self.params.minutes) for row in range(len(self.bound.stations))]

    @cached_property
    def depth(self) -> Ints:
        """How many stations are at each place within the service's minutes, its own metres left out, (places,)."""
        places, depth = self.bound.places, np.zeros(len(self.time_s), dtype=np.int64)
        found = np.flatnonzero(places.found)
        depth[found] = covering(stacked(self.by_station), places.edge[found], places.along_m[found])
        return np.where(self.served, np.maximum(depth, 1), 0)

    @cached_property
    def served(self) -> Mask:
        """Which places are reached within the service's minutes, (places,)."""
        return np.asarray(self.time_s <= self.params.minutes * 60)

    def __repr__(self) -> str:
        return f"Reach({int(self.served.sum())} of {len(self.time_s)} places within {self.params.minutes:g} minutes)"


def reached(usable: Usable, bound: Bound, *, params: ServiceParams) -> Reach:
    """The time of a service to every place over streets as they are now; doors on closed streets do not open."""
    there = _still_there(usable, bound)
    graph, turned = usable.graph, usable.graph.reverse
    out, back = (graph, turned) if params.direction == "from" else (turned, graph)
    forest = routing.nearest(out, there.doors, extra_s=there.extra_s)
    starts = routing.join(back, forest, there.places, there.doors, extra_s=there.extra_s)
    time_s = routing.seconds(starts.cost_ms) + there.last_s
    return Reach(params, there, out, back, forest, starts, time_s, starts.source)


def _still_there(usable: Usable, bound: Bound) -> Bound:
    """Doors and places whose street is open."""
    open_ = bound.doors.found & usable.usable[bound.doors.edge]
    own = bound.places.found & usable.usable[bound.places.edge]
    last_s = np.where(own, bound.last_s, np.nan)
    return Bound(bound.stations, bound.doors.where(open_), bound.extra_s[open_], bound.places.only(own), last_s)


def within(reach_: Reach, minutes: float) -> Pieces:
    """The stretches of street that some station reaches (or is reached from) within ``minutes``."""
    there = reach_.bound
    return reach.within(reach_.out, reach_.forest.cost_ms, there.doors, minutes=minutes, extra_s=there.extra_s)


def _alone(out: Graph, bound: Bound, row: int, minutes: float) -> Pieces:
    """The stretches one station reaches."""
    mine = bound.doors.place == row
    doors, extra = bound.doors.where(mine), bound.extra_s[mine]
    found = search.within(out, routing.roots(out, doors, extra_s=extra), max_s=minutes * 60)
    return reach.beyond(out, found.state, found.cost_ms, doors, minutes=minutes, extra_s=extra)


def stacked(stretches: Sequence[Pieces]) -> Pieces:
    """The stretches of several stations side by side; those of different stations may overlap."""
    if not stretches:
        return Pieces(np.zeros(0, dtype=np.int64), np.zeros(0), np.zeros(0))
    edge = np.concatenate([p.edge for p in stretches])
    low, high = (np.concatenate([getattr(p, name) for p in stretches]) for name in ("from_m", "to_m"))
    return Pieces(edge, low, high)


def starts(reach_: Reach, points: Snaps) -> Starts:
    """How each point (points,) of a street joins the forest: ``source`` is the row of the station that is first."""
    there = reach_.bound
    return routing.join(reach_.back, reach_.forest, points, there.doors, extra_s=there.extra_s)


def seconds_at(reach_: Reach, points: Snaps) -> Floats:
    """How soon the service is at each point (points,) of a street; NaN where nobody gets there."""
    return routing.seconds(starts(reach_, points).cost_ms)


def covering(stretches: Pieces, edge: Ints, along_m: Floats) -> Ints:
    """How many stretches (in any order, overlapping or not) cover each point (points,) of a street, ends included."""
    begun = _count(stretches.edge, stretches.from_m, edge, along_m + reach.TOUCH_M)
    ended = _count(stretches.edge, stretches.to_m, edge, along_m - reach.TOUCH_M)
    return begun - ended


def _count(edges: Ints, at_m: Floats, edge: Ints, along_m: Floats) -> Ints:
    """For each point (points,) how many of the marks (marks,) on its edge lie before it."""
    marks, points = len(edges), len(edge)
    order = np.lexsort((np.r_[np.zeros(marks), np.ones(points)], np.r_[at_m, along_m], np.r_[edges, edge]))
    is_mark = order < marks
    before = np.cumsum(is_mark)
    first = np.searchsorted(np.sort(edges), edge)
    result = np.zeros(points, dtype=np.int64)
    result[order[~is_mark] - marks] = before[~is_mark]
    return result - first


def layered(stretches: Pieces, depth: int) -> Pieces:
    """Where at least ``depth`` of the stretches (in any order, overlapping) lie one on another."""
    edge = np.r_[stretches.edge, stretches.edge]
    at, step = np.r_[stretches.from_m, stretches.to_m], np.r_[np.ones(len(stretches)), -np.ones(len(stretches))]
    order = np.lexsort((-step, at, edge))
    n, edges, low, high = _layer(edge[order], at[order], step[order].astype(np.int64), depth)
    return reach.merged(edges[:n], low[:n], high[:n])


@njit(cache=True)
def _layer(edge: Ints, at: Floats, step: Ints, depth: int) -> tuple[int, Ints, Floats, Floats]:  # pragma: no cover
    """Marks in order as the stretches between them that lie deep enough."""
    out_edge, low, high = np.empty_like(edge), np.empty_like(at), np.empty_like(at)
    n, now = 0, 0
    for i in range(len(edge)):
        before, now = now, now + step[i]
        if before < depth <= now:
            out_edge[n], low[n] = edge[i], at[i]
        elif now < depth <= before:
            high[n] = at[i]
            n += 1
    return n, out_edge, low, high
