"""N-1: what the loss of each single shelter or station costs, and who has more than one in reach.

A shelter that is lost leaves its people to the others' room: everybody is assigned anew, by whoever assigns. A station
has no room that could run out: who loses it waits for the next nearest one, which is found for all places at once.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray

from geo import search
from geo.buckets import NEVER, NOTHING
from geo.gates import homes, straight
from geo.pairs import Pairs
from geo.parts import Parts
from geo.routing import Graph
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MS_PER_MINUTE = 60_000
"""Milliseconds a minute."""
AT_LEAST = 2
"""Who has that many does not depend on a single one."""


# -- shelters ----------------------------------------------------------------------------------------------------------


class Assignment(Protocol):
    """Who goes where, as ``geo.assignment`` says it: rows of place, site, people and milliseconds; and who is left."""

    @property
    def place(self) -> Ints:
        """Rows of places, (rows,)."""

    @property
    def site(self) -> Ints:
        """Rows of sites, (rows,)."""

    @property
    def people(self) -> Ints:
        """Whole persons, (rows,)."""

    @property
    def cost_ms(self) -> Ints:
        """The way of each row, milliseconds."""

    @property
    def unserved(self) -> Ints:
        """People of each place without a site, (places,)."""


Solve = Callable[[Pairs], Assignment]

SHELTER_COLUMNS = {
    "site": "int64",
    "people": "int64",
    "people_unserved": "int64",
    "people_minutes": "float64",
    "substitute": "object",
}
"""Columns of ``without_each`` and their types."""


def without_each(
    now: Assignment, pairs: Pairs, solve: Solve, *, lost_minutes: float, which: Ints | None = None
) -> pd.DataFrame:
    """What the loss of each site costs, one row a site of ``which`` (all without it), in their order.

    ``now`` is how ``solve`` assigns everybody among ``pairs``; it is asked again without one site after another.
    ``people`` are in it now, ``people_unserved`` would be without a site beside those who are today, and
    ``people_minutes`` is what everybody's ways take more, the newly unserved counting ``lost_minutes`` each (below 0
    where they leave shorter ways to others). ``substitute``: ``yes`` where nobody would be left, else ``no``; None
    where nobody is in it. Only sites with people in them are solved for: without the others the assignment stays as it
    is.
    """
    load = np.bincount(now.site, now.people, minlength=pairs.sites).astype(np.int64)
    sites = np.arange(pairs.sites) if which is None else which
    lost = {int(s): _lost(now, solve(pairs.where(pairs.site != s))) for s in sites[load[sites] > 0]}
    left, more_ms = (np.array([lost.get(int(s), (0, 0))[i] for s in sites], dtype=np.int64) for i in (0, 1))
    columns = (sites, load[sites], left, more_ms / MS_PER_MINUTE + left * lost_minutes, _words(load[sites], left))
    return _table(SHELTER_COLUMNS, columns)


def _table(types: Mapping[str, str], columns: Sequence[object]) -> pd.DataFrame:
    named = zip(types.items(), columns, strict=True)
    return pd.DataFrame({name: pd.Series(column, dtype=dtype) for (name, dtype), column in named})


def _lost(now: Assignment, then: Assignment) -> tuple[int, int]:
    """People who are without a site then and not now, and the person-milliseconds more that the others walk."""
    more = int(then.people @ then.cost_ms) - int(now.people @ now.cost_ms)
    return int(then.unserved.sum()) - int(now.unserved.sum()), more


def _words(people: Ints, left: Ints) -> NDArray[np.object_]:
    """Whether somebody else can take those people in."""
    words = np.where(left == 0, "yes", "no").astype(object)
    words[people == 0] = None
    return words


# -- stations ----------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Two:
    """The two nearest stations of each place, (places, 2): NaN seconds and station -1 where there is none."""

    time_s: Floats
    station: Ints

    def __repr__(self) -> str:
        one, two = (~np.isnan(self.time_s)).sum(axis=0)
        return f"Two({len(self.time_s)} places, {one} with a station, {two} with a second)"

    def within(self, limit_s: float) -> Ints:
        """How many of the two are there within ``limit_s`` seconds, itself included, (places,)."""
        return np.asarray((self.time_s <= limit_s).sum(axis=1), dtype=np.int64)


def two_nearest(out: Graph, back: Graph, doors: Snaps, places: Snaps, *, extra_s: Floats, last_s: Floats) -> Two:
    """The nearest station of each place and the next that is another; of equals the smaller number.

    As ``circles.reached`` has it: ``out`` is the graph on which times run out from the ``doors`` (``place``: row of
    the station), ``back`` its reverse; ``extra_s`` (doors,) is added at the door, ``last_s`` (places,) at the place.
    """
    ready, extra_ms = homes(back, places), np.rint(extra_s * 1000).astype(np.int64)
    near = search.k_nearest(out, doors, 2, extra_s=extra_s)
    on = np.flatnonzero(doors.found)
    on = on[np.argsort(doors.edge[on], kind="stable")]
    first = np.searchsorted(doors.edge[on], np.arange(len(back.u) + 1))
    best = (np.full((len(places), 2), NEVER), np.full((len(places), 2), NOTHING, dtype=np.int64))
    root = ready.root
    _by_streets(root.source, root.state, root.cost_ms, near.cost_ms, near.source, *best)
    at_door = (first, doors.place[on], doors.along_m[on], extra_ms[on])
    _on_own_street(places.edge, places.along_m, *at_door, back.forward_ms, back.backward_ms, back.length_m, *best)
    known = best[0] < NEVER
    time_s = np.where(known, best[0], 0) / 1000 + last_s[:, None]
    return Two(np.where(known, time_s, np.nan), best[1])


@njit(cache=True)
def _offer(cost_ms: Ints, station: Ints, place: int, ms: int, who: int) -> None:  # pragma: no cover
    """Put a station in its rank among the two of a place."""
    better = ms < cost_ms[place, 0] or (ms == cost_ms[place, 0] and who < station[place, 0])
    if who == station[place, 0]:
        cost_ms[place, 0] = min(cost_ms[place, 0], ms)
    elif better:
        cost_ms[place, 1], station[place, 1] = cost_ms[place, 0], station[place, 0]
        cost_ms[place, 0], station[place, 0] = ms, who
    elif ms < cost_ms[place, 1] or (ms == cost_ms[place, 1] and who < station[place, 1]):
        cost_ms[place, 1], station[place, 1] = ms, who


@njit(cache=True)
def _by_streets(
    place: Ints, state: Ints, part_ms: Ints, near_ms: Ints, near: Ints, cost_ms: Ints, station: Ints
) -> None:  # pragma: no cover
    """By every way out of each place the two stations nearest to where it leads; the last two in place."""
    for i in range(len(place)):
        for k in range(2):
            if near[state[i], k] != NOTHING:
                _offer(cost_ms, station, place[i], part_ms[i] + near_ms[state[i], k], near[state[i], k])


@njit(cache=True)
def _on_own_street(
    edge: Ints, along_m: Floats, first: Ints, door: Ints, door_m: Floats, extra_ms: Ints, forward_ms: Ints,
    backward_ms: Ints, length_m: Floats, cost_ms: Ints, station: Ints,
) -> None:  # fmt: skip  # pragma: no cover
    """Stations on the place's own street, reached along it; the last two in place."""
    for place in range(len(edge)):
        e = edge[place]
        for i in range(first[e], first[e + 1]) if e >= 0 else range(0):
            ms = straight(forward_ms[e], backward_ms[e], length_m[e], door_m[i] - along_m[place])
            if ms < NEVER:
                _offer(cost_ms, station, place, ms + extra_ms[i], door[i])


STATION_COLUMNS = {
    "station": "int64",
    "people": "int64",
    "people_only": "int64",
    "people_minutes": "float64",
    "added_s_mean": "float64",
    "added_s_max": "float64",
    "substitute": "object",
}
"""Columns of ``without_each_station`` and their types."""


def without_each_station(two: Two, people: Ints, *, stations: int, limit_s: float, lost_minutes: float) -> pd.DataFrame:
    """What the loss of each station costs, one row a station.

    ``people`` are those whose nearest it is and who have it within ``limit_s``; ``people_only`` have no other in time.
    ``people_minutes`` is what the others wait longer, and ``lost_minutes`` for each of these. ``added_s_mean`` and
    ``added_s_max`` tell of all who have another station at all, in time or not; NaN where nobody has. ``substitute``:
    ``yes`` where everybody has another in time, else ``no``; None where nobody is served.
    """
    served = (two.time_s[:, 0] <= limit_s) & (people > 0)
    of = Parts(np.where(served, two.station[:, 0], -1), stations)
    added_s = two.time_s[:, 1] - two.time_s[:, 0]
    only, known = ~(two.time_s[:, 1] <= limit_s), ~np.isnan(added_s)
    mine, alone, more = of.sums(people), of.sums(people, only), of.sums(people, known)
    waited = _sums(of, people * added_s, served & known)
    in_time = _sums(of, people * added_s, served & ~only)
    columns = (
        np.arange(stations),
        mine,
        alone,
        in_time / 60 + alone * lost_minutes,
        np.divide(waited, more, out=np.full(stations, np.nan), where=more > 0),
        of.quantiles(added_s, people, 1.0),
        _words(mine, alone),
    )
    return _table(STATION_COLUMNS, columns)


def _sums(of: Parts, amounts: Floats, kept: Mask) -> Floats:
    return np.asarray(np.bincount(of.part[kept], amounts[kept], minlength=of.n), dtype=np.float64)


# -- communities -------------------------------------------------------------------------------------------------------


def two_shares(counts: Mapping[str, Ints], people: Ints, homes_: Parts) -> pd.DataFrame:
    """The share (0-1) of each community's people with at least two in reach, a column ``<name>_two_share`` each.

    ``counts`` have for each service how many are in reach of each place (places,): ``numpy.diff(pairs.first)`` for
    shelters, ``Two.within`` or ``circles.Reach.depth`` for stations. NaN where nobody lives.
    """
    everybody = homes_.sums(people)
    columns = {}
    for name, count in counts.items():
        backed = homes_.sums(people, count >= AT_LEAST)
        columns[f"{name}_two_share"] = np.divide(
            backed, everybody, out=np.full(len(homes_), np.nan), where=everybody > 0
        )
    return pd.DataFrame(columns, index=range(len(homes_)))
