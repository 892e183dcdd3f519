"""How long until everybody is in: people walk their ways and queue at streets and gates, first come first served.

A stated simplified model: point queues with a flow capacity, as in the queue simulation of MATSim (A. Horni, K. Nagel,
K. W. Axhausen, eds., The Multi-Agent Transport Simulation MATSim, doi:10.5334/baw; C. Gawron 1998,
doi:10.1142/S0129183198000303), which G. Lämmel, D. Grether and K. Nagel used for people on foot
(doi:10.1016/j.trc.2009.04.020). What it says and does not say:

- The people of a home who go to one shelter set out in groups after a delay, over a set time. A group walks each street
  at free speed and at its end passes the street's capacity, then the gate of the shelter. A group of n people
  occupies a capacity of c people a second for n / c seconds; its first and its last person are followed, so that nobody
  waits where nobody is before them.
- A street's capacity serves both directions together, first come first served: each direction gets as much of the width
  as there are people who want through. All gates of a shelter count as one, as wide as all of them together.
- A queue takes no room: it does not fill the street nor block the crossing behind it, and nobody takes another way
  because of it. Speed in a crowd is that of the queue alone.
- Groups are exact when they are single people; a larger one may shift what comes after it by the time it takes to pass.

More capacity never delays the last person where all streets lead to one gate as a tree. Elsewhere it can: whoever gets
through earlier here may come before others there, as in every network of queues.

Times are whole microseconds inside, so that sums are exact and results the same on every machine.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

import numpy as np
import pandas as pd
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from geo.curves import Sourced
from geo.errors import Fault, InputError, refuse
from geo.reasons import Finding
from geo.snapping import Snaps
from geo.trails import Ways

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

US = 1_000_000
"""Microseconds a second."""
MOST_STEPS = 40_000_000
"""More steps than this are not walked: groups are made larger instead, and that is said."""
TURN_PLACE, TURN_SITE = 0.6180339887498949, 0.7548776662466927
"""Which of its groups a single person is in differs from home to home: shares of a turn that fill the circle evenly."""


class ClearanceParams(Sourced):
    """How people set out, and how gates let them in."""

    subject = "clearance"
    delay_day_min: float = Field(
        ge=0, le=240, description="Time from the alarm until the first set out by day, minutes."
    )
    delay_night_min: float = Field(
        ge=0, le=240, description="Time from the alarm until the first set out at night, minutes."
    )
    spread_min: float = Field(ge=0, le=1440, description="Time from the first who set out until the last, minutes.")
    curve: Literal["uniform", "s_shaped"] = Field(description="How people set out over that time (a word).")
    slices: int = Field(ge=1, le=1000, description="Number of groups, at most, of the people from a home to a shelter.")
    gate_m: float = Field(gt=0, le=50, description="Clear width of a gate that nobody has measured, metres.")
    gates_max: int = Field(ge=1, le=1000, description="Gates that a site has at most where nobody counted them, count.")
    gate_people_min: float = Field(gt=0, le=200, description="People a minute through a standard width (people/min).")
    gate_unit_m: float = Field(gt=0, le=10, description="The standard width of a gate, metres.")


@dataclass(frozen=True, eq=False)
class Crowd:
    """Who walks where: rows (place, site, people) and the way of each.

    Row ``i`` walks the steps ``first[i]:first[i + 1]``: ``edge``, whether ``along`` its drawing, and ``cost_ms``
    milliseconds at free speed. A row without steps stands at the gate. ``off_ms`` (rows,) are the metres between door
    and street at both ends, walked before the first street. Of ``places`` and ``sites`` there may be more.
    """

    place: Ints
    site: Ints
    people: Ints
    first: Ints
    edge: Ints
    along: Mask
    cost_ms: Ints
    off_ms: Ints
    places: int
    sites: int

    @classmethod
    def of(cls, place: Ints, site: Ints, people: Ints, ways: Ways, *, places: int, sites: int) -> Crowd:
        """The rows of an assignment and their ways from ``reaching.ways``; InputError where a row has no way."""
        lost = int((ways.way_ms < 0).sum())
        refuse(InputError, [Fault("a way for every row", f"{lost} rows without", "who walks where")] if lost else [])
        edge, cost = ways.edge.astype(np.int64), ways.cost_ms.astype(np.int64)
        on_streets = np.diff(np.r_[0, np.cumsum(cost)][ways.first])
        off = ways.way_ms - on_streets
        return cls(place, site, people, ways.first, edge, ways.along, cost, off, places, sites)

    def __post_init__(self) -> None:
        refuse(InputError, [Fault(expected, "other arrays", "who walks where") for expected in _unmet(self)])

    def __len__(self) -> int:
        return len(self.place)

    def __repr__(self) -> str:
        return f"Crowd({int(self.people.sum())} people in {len(self)} rows, {len(self.edge)} steps)"


def _unmet(crowd: Crowd) -> list[str]:
    """What a crowd's arrays should be and are not."""
    rows, steps = len(crowd.place), len(crowd.edge)
    fits = (
        len(crowd.site) == len(crowd.people) == len(crowd.off_ms) == rows
        and len(crowd.along) == len(crowd.cost_ms) == steps
    )
    ways = len(crowd.first) == rows + 1 and crowd.first[0] == 0 and crowd.first[-1] == steps
    met = {
        "one value a row and one a step": fits,
        "the steps of every row, one after the other": ways and bool((np.diff(crowd.first) >= 0).all()),
        "whole persons, 0 or more": not rows or bool(crowd.people.min() >= 0),
        "times of 0 or more": not (crowd.cost_ms < 0).any() and not (crowd.off_ms < 0).any(),
        "rows of places": not rows or bool(crowd.place.min() >= 0 and crowd.place.max() < crowd.places),
        "rows of sites": not rows or bool(crowd.site.min() >= 0 and crowd.site.max() < crowd.sites),
    }
    return [expected for expected, holds in met.items() if not holds]


@dataclass(frozen=True, eq=False)
class Clearance:
    """When everybody is in, and where they wait; seconds from the alarm, NaN where nobody comes or goes.

    ``sites``, a row a site: ``people``, ``in_50_s`` and ``in_90_s`` (when half and nine tenths of them are in),
    ``clearance_s`` (when the last one is), ``gate_wait_s`` (mean at the gate), ``gate_wait_max_s``, ``wait_person_s``
    (at the gate, all together). ``places``, a row a place: ``people``, ``clearance_s`` (when the last one from there is
    in), ``free_s`` (when that would be without queues), ``wait_person_s``, ``delay_max_s`` (the longest one person
    waits on the whole way). ``streets``, a row an edge: ``people_along``, ``people_against``, ``load_h`` (hours of its
    full capacity that they need), ``wait_person_s``, ``wait_max_s``. ``slices`` is how many groups there were at most.
    """

    sites: pd.DataFrame
    places: pd.DataFrame
    streets: pd.DataFrame
    slices: int
    notes: tuple[Finding, ...]

    @property
    def clearance_s(self) -> float:
        """When the last one of all is in, seconds from the alarm; NaN where nobody goes anywhere."""
        return float(self.sites["clearance_s"].max())

    def __repr__(self) -> str:
        waits = self.places["wait_person_s"].sum() + 0.0
        people = int(self.sites["people"].sum())
        mean = f", waiting {waits / people:.0f} s each" if people else ""
        return f"Clearance({people} people in after {self.clearance_s / 60:.0f} min{mean})"


def gates_people_s(doors: Snaps, *, sites: int, params: ClearanceParams, width_m: Floats | None = None) -> Floats:
    """How many people a second the gates of each site let in, (sites,).

    A site has a gate on every street it has a door on, at least one and at most ``gates_max``. ``width_m`` (sites,) is
    the width of all its gates together where somebody measured it, NaN where not.
    """
    on = doors.found
    street = np.unique(np.column_stack([doors.place[on], doors.edge[on]]), axis=0)
    count = np.clip(np.bincount(street[:, 0], minlength=sites), 1, params.gates_max)
    wide = count * params.gate_m
    if width_m is not None:
        wide = np.where(np.isnan(width_m), wide, width_m)
    return np.asarray(wide * params.gate_people_min / params.gate_unit_m / 60)


def clear(
    crowd: Crowd,
    capacity_people_s: Floats,
    gate_people_s: Floats,
    *,
    night: bool,
    params: ClearanceParams,
    delay_s: Floats | None = None,
) -> Clearance:
    """When everybody is in, and where they wait.

    ``capacity_people_s`` (edges,) and ``gate_people_s`` (sites,) are people a second, infinite where nothing limits
    them; ``delay_s`` (rows,) is added to when a row's people set out. Raises InputError for a capacity that is not
    above 0. The order of the rows changes nothing.
    """
    capacity = np.r_[capacity_people_s, gate_people_s]
    wrong = int((~(capacity > 0)).sum())
    refuse(InputError, [Fault("capacities above 0", f"{wrong} others", "streets and gates")] if wrong else [])
    delay = np.zeros(len(crowd)) if delay_s is None else delay_s
    groups, slices = _groups(crowd, delay + crowd.off_ms / 1000, night, params)
    service = np.rint(US / capacity).astype(np.int64)
    ways = (crowd.first, crowd.edge.astype(np.int64), crowd.cost_ms.astype(np.int64) * 1000)
    done = _walk(*ways, len(capacity_people_s) + crowd.site, service, groups.row, groups.people, groups.start_us)
    found = _Found(crowd, groups, *done)
    gates = len(capacity_people_s)
    return Clearance(
        _of_sites(found, gates),
        _of_places(found),
        _of_streets(found, capacity_people_s),
        slices,
        _notes(slices, params),
    )


# -- setting out -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Groups:
    """People who set out together, (groups,): the row of the crowd, how many, and when."""

    row: Ints
    people: Ints
    start_us: Ints


def _groups(crowd: Crowd, delay_s: Floats, night: bool, params: ClearanceParams) -> tuple[_Groups, int]:
    """The groups in the order of place, site and departure, and into how many a row was divided at most."""
    slices, length = params.slices, np.diff(crowd.first) + 1
    while slices > 1 and np.dot(np.minimum(crowd.people, slices), length) > MOST_STEPS:
        slices //= 2
    order = np.lexsort((delay_s, crowd.people, crowd.site, crowd.place))
    people, parts = crowd.people[order], np.minimum(crowd.people[order], slices)
    which = np.repeat(np.arange(len(order)), parts)
    nth = np.arange(len(which)) - np.repeat(np.cumsum(parts) - parts, parts)
    size = people[which] // parts[which] + (nth < people[which] % parts[which])
    turn = (crowd.place[order] * TURN_PLACE + crowd.site[order] * TURN_SITE) % 1
    row = order[which]
    share = departed_at((nth + turn[which]) / parts[which], curve=params.curve)
    wait_min = params.delay_night_min if night else params.delay_day_min
    start = np.rint((wait_min * 60 + delay_s[row] + share * params.spread_min * 60) * US)
    return _Groups(row, size.astype(np.int64), start.astype(np.int64)), slices


def departed_at(share: Floats, *, curve: Literal["uniform", "s_shaped"]) -> Floats:
    """When a share (0-1) of the people has set out, as a share of the time they take; shape of ``share``.

    ``s_shaped``: after a share t of the time, 3 t² - 2 t³ of them have.
    """
    if curve == "uniform":
        return share
    return np.asarray(0.5 - np.sin(np.arcsin(1 - 2 * share) / 3))


# -- walking -----------------------------------------------------------------------------------------------------


@njit(cache=True)
def _walk(
    first: Ints, edge: Ints, cost_us: Ints, gate: Ints, service_us: Ints, row: Ints, people: Ints, start_us: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints]:  # pragma: no cover
    """Walk every group to its gate, event by event.

    ``gate`` (rows,) and ``edge`` number what lets people through, ``service_us`` how long one person takes there.
    Returns for each group when its first and last person are in and how long it walks without queues, and for each
    that lets through twice the waiting of all persons together and the longest.
    """
    n = len(row)
    order = np.argsort(start_us, kind="mergesort")
    when, who, size = np.empty(n, np.int64), np.empty(n, np.int64), n
    at, last_us, free_us = first[row], start_us.copy(), np.zeros(len(service_us), np.int64)
    in_first, in_last, walked = np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64)
    wait_twice, wait_most = np.zeros(len(service_us), np.int64), np.zeros(len(service_us), np.int64)
    for i in range(n):
        who[i], when[i] = order[i], start_us[order[i]]
    # Every group first walks its first street: the heap is in order of time before and is put in order again after.
    for i in range(n):
        group = who[i]
        if at[group] < first[row[group] + 1]:
            cost = cost_us[at[group]]
            when[i], last_us[group], walked[group] = when[i] + cost, last_us[group] + cost, cost
    for i in range(n // 2 - 1, -1, -1):
        _sink(when, who, i, size)
    while size > 0:
        group, now = who[0], when[0]
        k, stop, count = at[group], first[row[group] + 1], people[group]
        here = edge[k] if k < stop else gate[row[group]]
        if k == stop or cost_us[k] > 0:
            begins = max(now, free_us[here])
            free_us[here] = begins + count * service_us[here]
            ends = max(last_us[group], begins + (count - 1) * service_us[here])
            wait_twice[here] += count * (begins - now + ends - last_us[group])
            wait_most[here] = max(wait_most[here], begins - now, ends - last_us[group])
            now, last_us[group] = begins, ends
        if k == stop:
            in_first[group], in_last[group] = now, last_us[group]
            size -= 1
            when[0], who[0] = when[size], who[size]
        else:
            at[group] = k + 1
            cost = cost_us[k + 1] if k + 1 < stop else 0
            walked[group] += cost
            when[0], last_us[group] = now + cost, last_us[group] + cost
        _sink(when, who, 0, size)
    return in_first, in_last, walked, wait_twice, wait_most


@njit(cache=True)
def _sink(when: Ints, who: Ints, i: int, size: int) -> None:  # pragma: no cover
    """Let an entry of the heap sink until neither below is earlier; of equals the smaller group is first."""
    if i >= size:
        return
    t, g = when[i], who[i]
    while True:
        below = 2 * i + 1
        if below >= size:
            break
        right = below + 1
        if right < size and (when[right] < when[below] or (when[right] == when[below] and who[right] < who[below])):
            below = right
        if when[below] > t or (when[below] == t and who[below] > g):
            break
        when[i], who[i], i = when[below], who[below], below
    when[i], who[i] = t, g


# -- telling -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Found:
    """What the walk says of each group and of each street and gate, microseconds."""

    crowd: Crowd
    groups: _Groups
    in_first: Ints
    in_last: Ints
    walked: Ints
    wait_twice: Ints
    wait_most: Ints

    @property
    def free_us(self) -> Ints:
        """When each group would be in without queues."""
        return self.groups.start_us + self.walked


def _latest_s(of: Ints, us: Ints, n: int) -> Floats:
    """The latest of the times of each of ``n``, seconds; NaN where there is none."""
    found = np.full(n, -1, dtype=np.int64)
    np.maximum.at(found, of, us)
    return np.where(found < 0, np.nan, found / US)


def _sum(of: Ints, amount: Ints, n: int) -> Ints:
    """The sum of each of ``n``, exact."""
    total = np.zeros(n, dtype=np.int64)
    np.add.at(total, of, amount)
    return total


def _of_sites(found: _Found, gates: int) -> pd.DataFrame:
    crowd, groups = found.crowd, found.groups
    site, n = crowd.site[groups.row], crowd.sites
    people = _sum(site, groups.people, n)
    waits = found.wait_twice[gates:] / 2 / US
    return pd.DataFrame({
        "people": people,
        "in_50_s": _by_then_s(site, groups.people, found.in_last, people, 50),
        "in_90_s": _by_then_s(site, groups.people, found.in_last, people, 90),
        "clearance_s": _latest_s(site, found.in_last, n),
        "gate_wait_s": np.divide(waits, people, out=np.full(n, np.nan), where=people > 0),
        "gate_wait_max_s": np.where(people > 0, found.wait_most[gates:] / US, np.nan),
        "wait_person_s": waits,
    })  # fmt: skip


def _by_then_s(of: Ints, people: Ints, in_us: Ints, total: Ints, percent: int) -> Floats:
    """When so many per cent of the people of each are in, seconds: a group counts when its last person is."""
    order = np.lexsort((in_us, of))
    so_far = np.cumsum(people[order])
    before = np.r_[0, np.cumsum(total)][:-1]
    wanted = before + -(-total * percent // 100)
    at = np.minimum(np.searchsorted(so_far, wanted), max(len(order) - 1, 0))
    when = in_us[order][at] / US if len(order) else np.zeros(len(total))
    return np.where(total > 0, when, np.nan)


def _of_places(found: _Found) -> pd.DataFrame:
    crowd, groups = found.crowd, found.groups
    place, n = crowd.place[groups.row], crowd.places
    free = found.free_us
    waits = groups.people * (found.in_first + found.in_last - 2 * free)
    return pd.DataFrame({
        "people": _sum(place, groups.people, n),
        "clearance_s": _latest_s(place, found.in_last, n),
        "free_s": _latest_s(place, free, n),
        "wait_person_s": _sum(place, waits, n) / 2 / US,
        "delay_max_s": _latest_s(place, found.in_last - free, n),
    })  # fmt: skip


def _of_streets(found: _Found, capacity_people_s: Floats) -> pd.DataFrame:
    crowd, n = found.crowd, len(capacity_people_s)
    people = np.repeat(crowd.people, np.diff(crowd.first))
    passed = crowd.cost_ms > 0
    along, against = (_sum(crowd.edge[way], people[way], n) for way in (passed & crowd.along, passed & ~crowd.along))
    return pd.DataFrame({
        "people_along": along,
        "people_against": against,
        "load_h": (along + against) / capacity_people_s / 3600,
        "wait_person_s": found.wait_twice[:n] / 2 / US,
        "wait_max_s": found.wait_most[:n] / US,
    })  # fmt: skip


def _notes(slices: int, params: ClearanceParams) -> tuple[Finding, ...]:
    if slices == params.slices:
        return ()
    en = f"Clearance was computed with {slices} groups from each home to a shelter instead of {params.slices}."
    zh = f"疏散完成时间按每处住所至每处避难场所{slices}组（而非{params.slices}组）计算。"
    do_en, do_zh = "Times are a little coarser; nothing needs to be done.", "时间略为粗略，无需处理。"
    return (Finding("clearance_coarser", en, zh, count=slices, do_en=do_en, do_zh=do_zh),)


def by_community(found: Clearance, community_id: pd.Series[str], community_ids: pd.Series[str]) -> pd.DataFrame:
    """The same of each community, indexed like ``community_ids``; ``community_id`` (places,) is where each place is.

    ``people_walking`` (who goes to a shelter), ``clearance_s`` (when the last of them is in), ``free_s`` (when without
    queues), ``delay_s`` (mean wait of a person), ``delay_max_s``. Times are NaN where nobody goes.
    """
    table = found.places.assign(community_id=community_id.to_numpy(dtype=object))
    ways = {"people": "sum", "wait_person_s": "sum", "clearance_s": "max", "free_s": "max", "delay_max_s": "max"}
    sums = table.groupby("community_id").agg(ways).reindex(community_ids)
    people = sums["people"].fillna(0).to_numpy(dtype=np.int64)
    waits = sums["wait_person_s"].to_numpy(dtype=np.float64)
    columns = {
        "people_walking": people,
        **{name: sums[name].to_numpy() for name in ("clearance_s", "free_s")},
        "delay_s": np.divide(waits, people, out=np.full(len(people), np.nan), where=people > 0),
        "delay_max_s": sums["delay_max_s"].to_numpy(),
    }
    return pd.DataFrame(columns, index=community_ids.index)
