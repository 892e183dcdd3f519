"""Evacuation as the water rises: the last safe departure of each place.

A hazard known at several hours closes street after street and shelter after shelter; on foot one must have passed
each street before it closes and be in a shelter before that does. Searched backwards from the shelters' doors, the
latest time at which one may leave a state v is

    L(v) = max over arcs v → w of min(L(w), close(arc)) - t(arc)

label by label, the latest first: exact, because no arc makes it later (E. W. Dijkstra 1959, doi:10.1007/BF01386390,
with a closing time on every arc). What never closes closes at the end of time, so that among ways that are safe
for ever the shortest is found. That networks change with the water is after G. Lämmel, D. Grether and K. Nagel,
doi:10.1016/j.trc.2009.04.020.

What is assumed: people walk as on the graph that is given, however shallow the water on the way; queues, the time until
people set out and room in shelters are not counted (``geo.clearance``, ``geo.assignment``); a street that opens again
stays closed from its first closing on; before the first hour everything is as on an ordinary day, and a departure
before hour 0 is a negative hour.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from geo.buckets import NEVER, NOTHING
from geo.curves import Sourced
from geo.errors import Fault, InputError, refuse
from geo.paths import extra_ms
from geo.routing import Graph, own_street, roots
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

HOUR_MS = 3_600_000
"""Milliseconds an hour."""
END_MS = np.int64(2**50)
"""The end of time, in milliseconds (36 000 years): when that closes which never does."""
FOR_EVER_MS = END_MS // 2
"""A departure later than this never becomes too late: no way takes as long."""


class DepartureParams(Sourced):
    """When a street counts as closed between two hours that are known."""

    subject = "departures"
    assume: Literal["last_open", "interpolated", "first_closed"] = Field(
        description="When a street closes that is open at one known hour and closed at the next (a word)."
    )
    start_h: float = Field(ge=-1000, le=1000, description="Hour until which everything is as on an ordinary day.")
    lasting: bool = Field(description="Whether only shelters count that stay usable at all hours.")


def closing(
    usable: Mask,
    hours: Sequence[float],
    *,
    params: DepartureParams,
    depth_m: Floats | None = None,
    close_depth_m: float = np.nan,
) -> Floats:
    """The hour at which each street (or shelter) closes, (n,); infinite where it stays usable in all frames.

    ``usable`` (frames, n) says what is usable at each of the ``hours``, which rise. For ``assume = "interpolated"``,
    ``depth_m`` (frames, n) is the greatest depth at each and ``close_depth_m`` the depth that closes: between two
    hours the depth rises evenly; where that explains nothing, the middle between them counts. Dry at ``start_h``.
    """
    refuse(InputError, _frame_faults(usable, hours, params))
    when = np.r_[params.start_h, hours]
    closed = ~usable
    first = np.where(closed.any(axis=0), closed.argmax(axis=0), 0)
    before, after = when[first], when[first + 1]
    if params.assume == "last_open":
        share = np.zeros(usable.shape[1])
    elif params.assume == "first_closed":
        share = np.ones(usable.shape[1])
    else:
        share = _risen(first, depth_m, close_depth_m)
    return np.where(closed.any(axis=0), before + share * (after - before), np.inf)


def closing_sites(usable: Mask, hours: Sequence[float], *, params: DepartureParams) -> Floats:
    """The hour at which each shelter closes, (sites,), as ``closing``; -infinite where it does not count at all.

    With ``lasting`` a shelter that closes at any of the hours does not count: whoever came before would have to leave
    it through the water.
    """
    hour = closing(usable, hours, params=params)
    return np.where(np.isposinf(hour), hour, -np.inf) if params.lasting else hour


def _frame_faults(usable: Mask, hours: Sequence[float], params: DepartureParams) -> list[Fault]:
    faults = []
    if usable.ndim != 2 or len(usable) != len(hours) or not len(hours):
        faults.append(Fault("one row of streets an hour, at least one", f"shape {usable.shape}", "hazard frames"))
    if (np.diff(np.r_[params.start_h, hours]) < 0).any() or not np.isfinite(hours).all():
        found = ", ".join(f"{hour:g}" for hour in hours)
        faults.append(Fault(f"hours that rise from {params.start_h:g} on", found, "hazard frames"))
    return faults


def _risen(first: Ints, depth_m: Floats | None, close_depth_m: float) -> Floats:
    """The share of the time between two frames after which rising water closes each street, 0-1; half if not known."""
    if depth_m is None:
        return np.full(len(first), 0.5)
    levels = np.vstack([np.zeros(len(first)), depth_m])
    n = np.arange(len(first))
    low, high = levels[first, n], levels[first + 1, n]
    explained = (low <= close_depth_m) & (high > close_depth_m)
    share = np.divide(close_depth_m - low, high - low, out=np.full(len(first), 0.5), where=explained)
    return np.asarray(share)


@dataclass(frozen=True, eq=False)
class Departures:
    """The last safe departure of each place, (places,) each.

    ``last_departure_h`` on the clock of the hazard's hours: infinite where one may leave at any time, negative where
    one must have left before hour 0, NaN where there is no way on any day. ``site`` is the row of the site that can
    be reached by leaving then, -1 where there is none; ``walk_s`` the time to it where one may leave at any time, NaN
    elsewhere. ``state`` is the first state of the way on the graph, -1 where it stays on the place's own street.
    """

    last_departure_h: Floats
    site: Ints
    walk_s: Floats
    state: Ints

    def __len__(self) -> int:
        return len(self.last_departure_h)

    def __repr__(self) -> str:
        at = self.last_departure_h
        ever, never = int(np.isposinf(at).sum()), int(np.isnan(at).sum())
        return f"Departures({len(self)} places: {ever} at any time, {len(self) - ever - never} in time, {never} never)"


@dataclass(frozen=True, eq=False)
class Latest:
    """For every state of a graph the latest departure towards a door, and how it goes on.

    ``latest_ms`` milliseconds on the hazard's clock, ``END_MS`` less the way where nothing on it closes, ``NOTHING``
    in ``door`` (row of the doors) where there is no way. ``via`` is the edge and ``parent`` the state that come next;
    at the last state ``parent`` is ``NOTHING`` and ``via`` the door's edge, ``NOTHING`` at the door itself.
    """

    latest_ms: Ints
    door: Ints
    via: Ints
    parent: Ints

    def __repr__(self) -> str:
        return f"Latest({int((self.door >= 0).sum())} of {len(self.door)} states have a way)"


def latest(
    graph: Graph, doors: Snaps, close_h: Floats, site_close_h: Floats, *, extra_s: Floats | None = None
) -> Latest:
    """The latest departure from every state.

    ``graph`` is the one in the direction of travel with every street that is open before the hazard; ``close_h``
    (edges,) and ``site_close_h`` (sites,) from ``closing`` and ``closing_sites``; ``doors.place`` is
    the row of the site. ``extra_s`` (rows of the doors) is the last stretch from the street.
    """
    refuse(InputError, _hour_faults(close_h, site_close_h))
    back, close = graph.reverse, _ms(close_h)
    start = roots(back, Snaps(np.arange(len(doors)), doors.edge, doors.along_m, doors.off_m))
    until = _doors_until(doors, site_close_h, extra_s)
    on, wins = start.source, np.full(len(start.source), END_MS)
    street = start.edge >= 0
    wins[street] = close[start.edge[street]]
    root_ms = np.minimum(until[on], wins) - start.cost_ms
    possible = until[on] > -END_MS
    arcs = (back.first, back.head, back.cost_ms, back.edge)
    kept = (column[possible] for column in (start.state, root_ms, on, start.edge))
    return Latest(*_search(*arcs, close, *kept))


def _hour_faults(close_h: Floats, site_close_h: Floats) -> list[Fault]:
    wrong = int((~(close_h > -np.inf)).sum() + np.isnan(site_close_h).sum())
    return [Fault("hours at which streets and shelters close", f"{wrong} others", "departures")] if wrong else []


def _ms(hours: Floats) -> Ints:
    """Hours as milliseconds; the end of time where infinite, before all time where negative infinite."""
    known = np.isfinite(hours)
    ms = np.rint(np.where(known, hours, 0) * HOUR_MS).astype(np.int64)
    return np.where(known, ms, np.where(hours > 0, END_MS, -END_MS))


def _doors_until(doors: Snaps, site_close_h: Floats, extra_s: Floats | None) -> Ints:
    """Until when one may leave the street at each door, milliseconds; ``-END_MS`` where never."""
    extra = np.zeros(len(doors)) if extra_s is None else np.where(doors.found, extra_s, 0.0)
    until = _ms(site_close_h)[doors.place] - extra_ms(doors, extra)
    return np.where(np.isneginf(site_close_h)[doors.place], -END_MS, until)


def depart(
    graph: Graph,
    places: Snaps,
    doors: Snaps,
    close_h: Floats,
    site_close_h: Floats,
    *,
    extra_s: Floats | None = None,
    found: Latest | None = None,
) -> Departures:
    """The last safe departure of each place: one way at least to a usable site lies open until one has walked it.

    Arguments as for ``latest``, whose result for them is ``found`` where somebody has it already. A place in mid-street
    leaves by either end of its street, or along it to a door on it: before the street closes, even where that door is
    the very spot.
    """
    on = latest(graph, doors, close_h, site_close_h, extra_s=extra_s) if found is None else found
    close = _ms(close_h)
    out = roots(graph, Snaps(np.arange(len(places)), places.edge, places.along_m, places.off_m))
    way = on.door[out.state] >= 0
    ends = np.full(len(out.source), END_MS)
    ends[out.edge >= 0] = close[out.edge[out.edge >= 0]]
    by_end = np.minimum(on.latest_ms[out.state], ends) - out.cost_ms
    own, site, place = _along_own(graph, places, doors, close, _doors_until(doors, site_close_h, extra_s))
    rows = np.r_[out.source[way], place]
    ms = np.r_[by_end[way], own]
    sites = np.r_[doors.place[on.door[out.state[way]]], site]
    return _best(len(places), rows, ms, sites, np.r_[out.state[way], np.full(len(place), NOTHING)])


def _along_own(graph: Graph, places: Snaps, doors: Snaps, close: Ints, until: Ints) -> tuple[Ints, Ints, Ints]:
    """Latest departure, site and row of each place that has a door on its own street.

    ``routing.own_street`` finds the least sum of way and extra time: with the time from a door's closing to the end of
    time as its extra, that is the latest departure.
    """
    row = np.flatnonzero(places.found)
    left = np.full(len(doors), NEVER)
    fine = doors.found & (until > -END_MS)
    left[fine] = END_MS - np.minimum(until[fine], close[doors.edge[fine]])
    open_ = doors.only(fine)
    cost, site = own_street(graph, places.edge[row], places.along_m[row], open_, left)
    on = cost < NEVER
    return END_MS - cost[on], site[on], row[on]


def _best(n: int, place: Ints, ms: Ints, site: Ints, state: Ints) -> Departures:
    """Of several ways of each place the one that may begin last; to the smaller site when equal."""
    order = np.lexsort((state, site, -ms, place))
    best = order[np.unique(place[order], return_index=True)[1]]
    row, at = place[best], ms[best]
    hours, walk_s = np.full(n, np.nan), np.full(n, np.nan)
    ever = at > FOR_EVER_MS
    hours[row] = np.where(ever, np.inf, at / HOUR_MS)
    walk_s[row] = np.where(ever, (END_MS - at) / 1000, np.nan)
    sites, states = np.full(n, NOTHING, dtype=np.int64), np.full(n, NOTHING, dtype=np.int64)
    sites[row], states[row] = site[best], state[best]
    return Departures(hours, sites, walk_s, states)


# -- the search --------------------------------------------------------------------------------------------------


@njit(cache=True)
def _search(
    first: Ints,
    head: Int32s,
    cost_ms: Int32s,
    edge: Int32s,
    close_ms: Ints,
    root: Ints,
    root_ms: Ints,
    root_door: Ints,
    root_edge: Ints,
) -> tuple[Ints, Ints, Ints, Ints]:  # pragma: no cover
    """Latest departure, door, next edge and next state of every state, settled from the latest on.

    Arcs lead away from the doors. Equally late, the smaller door wins, then the one found first.
    """
    n = len(first) - 1
    latest_ms, door = np.full(n, -(2**62), np.int64), np.full(n, NOTHING, np.int64)
    via, parent = np.full(n, NOTHING, np.int64), np.full(n, NOTHING, np.int64)
    when, who, size = np.empty(len(root) + len(head) + 1, np.int64), np.empty(len(root) + len(head) + 1, np.int64), 0
    for r in range(len(root)):
        s = root[r]
        if root_ms[r] > latest_ms[s] or (root_ms[r] == latest_ms[s] and root_door[r] < door[s]):
            latest_ms[s], door[s], via[s] = root_ms[r], root_door[r], root_edge[r]
            size = _push(when, who, size, -root_ms[r], s)
    settled = np.zeros(n, np.bool_)
    while size > 0:
        at, s = -when[0], who[0]
        size = _pop(when, who, size)
        if settled[s] or at < latest_ms[s]:
            continue
        settled[s] = True
        for a in range(first[s], first[s + 1]):
            to, ms = head[a], min(at, close_ms[edge[a]]) - cost_ms[a]
            if settled[to] or ms < latest_ms[to] or (ms == latest_ms[to] and door[s] >= door[to]):
                continue
            if ms > latest_ms[to]:
                size = _push(when, who, size, -ms, to)
            latest_ms[to], door[to], via[to], parent[to] = ms, door[s], edge[a], s
    return latest_ms, door, via, parent


@njit(cache=True)
def _push(when: Ints, who: Ints, size: int, key: int, value: int) -> int:  # pragma: no cover
    """Enter a key in the heap (the smallest on top, of equals the smaller value), in place; how many there are now."""
    i = size
    while i > 0:
        above = (i - 1) // 2
        if when[above] < key or (when[above] == key and who[above] <= value):
            break
        when[i], who[i], i = when[above], who[above], above
    when[i], who[i] = key, value
    return size + 1


@njit(cache=True)
def _pop(when: Ints, who: Ints, size: int) -> int:  # pragma: no cover
    """Take the top off the heap, in place; how many are left."""
    size -= 1
    key, value, i = when[size], who[size], 0
    while 2 * i + 1 < size:
        below = 2 * i + 1
        right = below + 1
        if right < size and (when[right] < when[below] or (when[right] == when[below] and who[right] < who[below])):
            below = right
        if key < when[below] or (key == when[below] and value <= who[below]):
            break
        when[i], who[i], i = when[below], who[below], below
    when[i], who[i] = key, value
    return size


# -- communities -------------------------------------------------------------------------------------------------


def by_community(
    found: Departures,
    people: Ints,
    community_id: pd.Series[str],
    community_ids: pd.Series[str],
    *,
    hours: Sequence[float],
) -> pd.DataFrame:
    """By when everybody must have left, indexed like ``community_ids``.

    ``people`` and ``community_id`` (places,) say who is where. ``leave_by_h`` is the hour by which the last one of
    those who have a way must have left: infinite where nobody's way closes, NaN where nobody has one. People:
    ``people_any_time`` never have to hurry, ``people_no_way_normally`` have none on any day,
    ``people_too_late_<hour>h`` for each of the ``hours`` have a way and have missed it when they leave at that hour. 0
    where there is nobody.
    """
    at, someone = found.last_departure_h, people > 0
    table = pd.DataFrame({"leave_by_h": np.where(someone, at, np.nan)})
    counted = {"people_any_time": np.isposinf(at), "people_no_way_normally": np.isnan(at)}
    counted |= {f"people_too_late_{hour:g}h": at < hour for hour in hours}
    for name, who in counted.items():
        table[name] = np.where(who, people, 0)
    of = community_id.to_numpy(dtype=object)
    sums = table[list(counted)].groupby(of).sum().reindex(community_ids, fill_value=0)
    sums.insert(0, "leave_by_h", table["leave_by_h"].groupby(of).min().reindex(community_ids))
    return sums.set_axis(community_ids.index)
