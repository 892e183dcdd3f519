"""Who goes to which shelter when room is short: the best that can be done, proved, and what to measure it by.

Symbols: ``n(d)`` people and ``f(d)`` of them to be served first at place d, ``c(d, s)`` milliseconds from d to site s
in reach of it, ``r(s)`` room; ``x(d, s)`` of the others and ``y(d, s)`` of the first go from d to s, ``u(d)`` and
``v(d)`` are unserved. All are whole numbers.

Objective, each among the best of the one before: 1. most people served: least sum of u + v; 2. most of those to be
served first: least sum of v; 3. least person-milliseconds: least sum of c (x + y).
Constraints: sum over s of x(d, s) + u(d) = n(d) - f(d); sum over s of y(d, s) + v(d) = f(d); sum over d of
x(d, s) + y(d, s) <= r(s); all >= 0.

One sum does all three: minimise c (x + y) + K u + 2K v with K > (sites + 1) x the largest c.

- Two assignments differ by chains of moves that visit each site at most once. So a chain changes the time by less than
  K, and none that lowers u + 2v is left undone for the sake of time.
- The sets of people who can be served together form a matroid (a transversal one: spaces are matched to people). There
  a set of the greatest weight, all weights being positive, is always one of the greatest size, and of these one that
  has most of the heavier; weights 1 and 2 therefore never let one first person count for two others.

The problem has whole-numbered solutions because its matrix is that of a flow. Its dual: prices p(s) >= 0 to maximise
sum of (n - f) min(K, c + p) + f min(2K, c + p) - sum of r p, the minimum over the sites in reach. Whatever prices give
is a bound from below for every assignment: ``gap_ms`` is the assignment's sum minus that, worked out from the finished
rows and prices by plain arithmetic; 0 says that nothing better exists.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import exchange, ties
from geo.buckets import NEVER
from geo.errors import Fault, InputError, LimitError, ParameterError, refuse
from geo.exchange import Town
from geo.pairs import Pairs

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]

LARGEST = 2**61
"""Sums that the kernel forms stay below."""


class Groups(NamedTuple):
    """People of one place who are served alike: ``kind`` 0 to be served first, 1 the others."""

    place: Ints
    kind: Ints
    people: Ints


@dataclass(frozen=True)
class Assigned:
    """Rows of who goes where, sorted by place, then site, and who is left.

    ``place``, ``site`` (rows,); ``people`` (rows,) > 0, ``first`` (rows,) of them to be served first, ``cost_ms``
    (rows,) their way; ``unserved`` and ``unserved_first`` (places,) people, the latter among the former; ``price_ms``
    (sites,) what one more space would save: milliseconds, plus ``penalty_ms`` for one more served, twice for one more
    of the first; 0 where there is room. ``gap_ms`` is 0 when proved the best. Prices and gap are NaN where an
    assignment is not made by prices.
    """

    place: Ints
    site: Ints
    people: Ints
    first: Ints
    cost_ms: Ints
    unserved: Ints
    unserved_first: Ints
    price_ms: NDArray[np.float64]
    penalty_ms: int
    gap_ms: float

    def __len__(self) -> int:
        return len(self.place)

    def __repr__(self) -> str:
        proof = {True: "proved best", False: f"gap {self.gap_ms:.0f} ms"}[self.gap_ms == 0]
        of = (
            f"{self.served} people to {len(np.unique(self.site))} sites in {self.person_ms / 60_000:.0f} person-minutes"
        )
        return f"Assigned({of}, {int(self.unserved.sum())} unserved, {self.split} places split, {proof})"

    @cached_property
    def served(self) -> int:
        """People with a place."""
        return int(self.people.sum())

    @cached_property
    def served_first(self) -> int:
        """Of these, people to be served first."""
        return int(self.first.sum())

    @cached_property
    def person_ms(self) -> int:
        """Everybody's ways together."""
        return _total(self.people, self.cost_ms)

    @cached_property
    def objective_ms(self) -> int:
        """Person-milliseconds plus the penalties of the unserved."""
        return self.person_ms + self.penalty_ms * int(self.unserved.sum() + self.unserved_first.sum())

    def load(self, sites: int) -> Ints:
        """People at each site, (sites,)."""
        out = np.zeros(sites, dtype=np.int64)
        np.add.at(out, self.site, self.people)
        return out

    @cached_property
    def parts(self) -> Ints:
        """To how many sites the people of each place go, (places,)."""
        return np.bincount(self.place, minlength=len(self.unserved)).astype(np.int64)

    @property
    def split(self) -> int:
        """Places whose people go to more than one site."""
        return int((self.parts > 1).sum())

    @property
    def partly(self) -> int:
        """Places of whom some are served and some are not."""
        return int(((self.parts > 0) & (self.unserved > 0)).sum())


def assign(
    pairs: Pairs, people: Ints, room: Ints, *, first: Ints | None = None, warm: Assigned | None = None,
    names: tuple[Ints, Ints] | None = None,
) -> Assigned:  # fmt: skip
    """The best assignment of ``people`` (places,) to ``room`` (sites,), as this module's head states it.

    ``room`` is a very large number where unlimited; ``first`` (places,) of the people are served first when short;
    ``warm`` is the assignment of a similar town (same places, same sites or fewer: new ones come last) to begin
    from, which changes the time it takes, not how good the result is. Of equally good assignments one is taken
    (``geo.ties``) by ``names``: a number for each place and site, their rows where there are none. Raises
    ``InputError`` for people or room below 0, more first than people and sizes that do not fit; ``LimitError`` when
    sites x ways give too large a penalty.
    """
    first = np.zeros_like(people) if first is None else first
    refuse(InputError, _faults(pairs, people, room, first))
    penalty = _penalty(pairs)
    refuse(LimitError, _too_large(pairs, penalty))
    people, room, first = (numbers.astype(np.int64) for numbers in (people, room, first))
    town, groups = _town(pairs, people, room, first, penalty)
    if warm is not None and not np.isnan(warm.price_ms).any():
        town.price[:-1] = _price_then(warm, pairs.sites, penalty)
        _return(town, groups, *_rows_then(warm, pairs.places))
    exchange.settle(town)
    exchange.repair(town)
    of_place, of_site = (np.arange(pairs.places), np.arange(pairs.sites)) if names is None else names
    ties.settle(town, 2 * of_place[groups.place] + groups.kind, np.append(of_site, -1))
    price = town.price[:-1]
    taken, unserved = _chosen(town, groups, pairs)
    found = _rows(pairs, taken, people, first, unserved, price.astype(float), penalty)
    return replace(found, gap_ms=float(found.objective_ms - _bound(pairs, people, room, first, price, penalty)))


def _faults(pairs: Pairs, people: Ints, room: Ints, first: Ints) -> list[Fault]:
    fits = people.shape == first.shape == (pairs.places,) and room.shape == (pairs.sites,)
    if not fits:
        found = f"{people.shape}, {first.shape} and {room.shape}"
        return [Fault(f"people and first ({pairs.places},), room ({pairs.sites},)", found, "assignment")]
    wrong = {"people": people < 0, "room": room < 0, "first": (first < 0) | (first > people), "ways": pairs.cost_ms < 0}
    return [
        Fault("numbers from 0, first at most people", f"{int(bad.sum())} others", name)
        for name, bad in wrong.items()
        if bad.any()
    ]


def _penalty(pairs: Pairs) -> int:
    """K: the next power of two, so that small changes of a town leave it as it is."""
    return 1 << (4 * (int(pairs.sites) + 1) * (int(pairs.cost_ms.max(initial=0)) + 1)).bit_length()


def _too_large(pairs: Pairs, penalty: int) -> list[Fault]:
    # Prices are handed on as float64, which holds whole numbers below 2^53; a search multiplies them by the sites.
    largest = 2 * penalty * max(256, 4 * (pairs.sites + 2))
    found = f"ways of up to {int(pairs.cost_ms.max(initial=0))} ms and {pairs.sites} sites"
    return [Fault("penalties below 2^61 milliseconds", found, "assignment")] if largest >= LARGEST else []


def _total(people: Ints, cost_ms: Ints) -> int:
    """The sum of products, exact however large."""
    high, low = np.divmod(cost_ms, 1 << 20)
    return (int(people @ high) << 20) + int(people @ low)


# -- the kernel's view -------------------------------------------------------------------------------------------


def _town(pairs: Pairs, people: Ints, room: Ints, first: Ints, penalty: int) -> tuple[Town, Groups]:
    """Up to two groups a place, those to be served first before the others; all are unserved."""
    size = np.column_stack([first, people - first]).ravel()
    kept = np.flatnonzero(size)
    groups = Groups(kept // 2, kept % 2, size[kept])
    begins = np.r_[0, np.cumsum(np.diff(pairs.first)[groups.place] + 1)].astype(np.int64)
    group, site = (np.empty(begins[-1], dtype=np.int32) for _ in range(2))
    cost, there = np.empty(begins[-1], dtype=np.int64), np.zeros(begins[-1], dtype=np.int64)
    stay = begins[1:] - 1
    cost[stay], site[stay], there[stay] = penalty * (2 - groups.kind), pairs.sites, groups.people
    price, load = (np.zeros(pairs.sites + 1, dtype=np.int64) for _ in range(2))
    town = Town(begins, group, site, cost, there, price, load, np.r_[room, NEVER].astype(np.int64))
    _choices(town, groups, pairs.first, pairs.site, pairs.cost_ms)
    return town, groups


@njit(cache=True, nogil=True)
def _choices(town: Town, groups: Groups, first: Ints, site: Ints, cost: Ints) -> None:  # pragma: no cover
    """Note the sites in reach of each group."""
    for g in range(len(groups.place)):
        i, place = town.first[g], groups.place[g]
        for pair in range(first[place], first[place + 1]):
            town.site[i], town.cost[i] = site[pair], cost[pair]
            i += 1
        town.group[town.first[g] : town.first[g + 1]] = g


def _price_then(warm: Assigned, sites: int, penalty: int) -> Ints:
    """The prices of before in the penalty of now; new sites have none."""
    then, now = warm.price_ms.astype(np.int64)[:sites], np.zeros(sites, dtype=np.int64)
    # A price is some penalties and some milliseconds that are less than half of one.
    now[: len(then)] = then + np.rint(then / warm.penalty_ms).astype(np.int64) * (penalty - warm.penalty_ms)
    return np.maximum(0, now)


def _rows_then(warm: Assigned, places: int) -> tuple[Ints, Ints, Ints, NDArray[np.int64]]:
    """Where the rows of each place begin, their sites and people, and the unserved (places, 2) by kind."""
    first = np.searchsorted(warm.place, np.arange(places + 1)).astype(np.int64)
    unserved = np.column_stack([warm.unserved_first, warm.unserved - warm.unserved_first])
    return first, warm.site, warm.people.copy(), unserved


@njit(cache=True, nogil=True)
def _return(
    town: Town, groups: Groups, first: Ints, site: Ints, left: Ints, unserved: NDArray[np.int64]
) -> None:  # pragma: no cover
    """People go back to where they were, as far as it is still in reach; the others stay unserved; ``left`` falls."""
    for g in range(len(groups.place)):
        place, stay = groups.place[g], town.first[g + 1] - 1
        for row in range(first[place], first[place + 1]):
            for i in range(town.first[g], stay):
                if town.site[i] == site[row]:
                    n = max(0, min(left[row], town.people[stay] - unserved[place, groups.kind[g]]))
                    town.people[i] += n
                    town.people[stay] -= n
                    left[row] -= n


# -- what comes of it --------------------------------------------------------------------------------------------


def _chosen(town: Town, groups: Groups, pairs: Pairs) -> tuple[Ints, Ints]:
    """People of each pair, (pairs,), and the unserved of each place, (places,)."""
    there = np.flatnonzero(town.people)
    of = town.group[there]
    place, within = groups.place[of], there - town.first[of]
    served = town.site[there] < pairs.sites
    taken, unserved = np.zeros(len(pairs), dtype=np.int64), np.zeros(pairs.places, dtype=np.int64)
    np.add.at(taken, (pairs.first[place] + within)[served], town.people[there][served])
    np.add.at(unserved, place[~served], town.people[there][~served])
    return taken, unserved


def _rows(
    pairs: Pairs, taken: Ints, people: Ints, first: Ints, unserved: Ints, price_ms: NDArray[np.float64], penalty: int
) -> Assigned:
    """The pairs that are taken, as rows; the others of a place are unserved before any of its first."""
    kept = np.flatnonzero(taken)
    place, site, there, cost = (values[kept] for values in (pairs.place, pairs.site, taken, pairs.cost_ms))
    unserved_first = np.maximum(0, unserved - (people - first))
    order = np.lexsort((site, place))
    place, site, there, cost = (values[order] for values in (place, site, there, cost))
    of_first = _of_first(place, there, cost, first - unserved_first)
    return Assigned(place, site, there, of_first, cost, unserved, unserved_first, price_ms, penalty, np.nan)


def _of_first(place: Ints, people: Ints, cost_ms: Ints, first: Ints) -> Ints:
    """How many of each row are of the ``first`` (places,) that are served: the quickest ways of a place are theirs."""
    order = np.lexsort((cost_ms, place))
    place, people = place[order], people[order]
    before = np.cumsum(people) - people
    before -= before[np.searchsorted(place, place)]
    out = np.empty_like(people)
    out[order] = np.clip(first[place] - before, 0, people)
    return out


def _bound(pairs: Pairs, people: Ints, room: Ints, first: Ints, price: Ints, penalty: int) -> int:
    """What no assignment can be below, by these prices."""
    least = np.full(pairs.places, 2 * penalty)
    np.minimum.at(least, pairs.place, pairs.cost_ms + price[pairs.site])
    priced = price > 0
    rent = sum(int(r) * int(p) for r, p in zip(room[priced], price[priced], strict=True))
    return _total(people - first, np.minimum(least, penalty)) + _total(first, least) - rent


def nearest_first(pairs: Pairs, people: Ints, room: Ints, *, first: Ints | None = None) -> Assigned:
    """What is usually done: the shortest way of all is walked first, then the next, each while there is room.

    Those to be served ``first`` (places,) choose before all others. Arguments and errors as for ``assign``.
    """
    first = np.zeros_like(people) if first is None else first
    refuse(InputError, _faults(pairs, people, room, first))
    people, room, first = (numbers.astype(np.int64) for numbers in (people, room, first))
    order = np.argsort(pairs.cost_ms, kind="stable")
    left, spare, taken = people.copy(), room.copy(), np.zeros(len(pairs), dtype=np.int64)
    _in_turn(order, pairs.place, pairs.site, left, people - first, spare, taken)
    _in_turn(order, pairs.place, pairs.site, left, np.zeros_like(left), spare, taken)
    return _rows(pairs, taken, people, first, left, np.full(pairs.sites, np.nan), _penalty(pairs))


@njit(cache=True, nogil=True)
def _in_turn(
    order: Ints, place: Ints, site: Ints, left: Ints, down_to: Ints, spare: Ints, taken: Ints
) -> None:  # pragma: no cover
    """Fill sites in this order of pairs until ``down_to`` people of each place are left; the last three in place."""
    for pair in order:
        n = max(0, min(left[place[pair]] - down_to[place[pair]], spare[site[pair]]))
        left[place[pair]] -= n
        spare[site[pair]] -= n
        taken[pair] += n


@dataclass(frozen=True)
class Compared:
    """What the best assignment does better than another of the same people: counts and person-minutes, signed.

    ``saved_min`` person-minutes; it may be below 0 where more people are served, who walk as well.
    """

    more_served: int
    more_first_served: int
    saved_min: float
    each_min: float
    other_each_min: float

    def __repr__(self) -> str:
        served = f"{self.more_served:+d} people served, {self.more_first_served:+d} of the first"
        each = f"{self.each_min:.1f} min each, not {self.other_each_min:.1f}"
        return f"Compared({served}, {self.saved_min:.0f} person-minutes saved, {each})"


def compared(optimal: Assigned, other: Assigned) -> Compared:
    """How far ``other`` stays behind; minutes each are NaN where nobody is served."""
    each = [a.person_ms / 60_000 / a.served if a.served else np.nan for a in (optimal, other)]
    saved = (other.person_ms - optimal.person_ms) / 60_000
    return Compared(optimal.served - other.served, optimal.served_first - other.served_first, saved, *each)


# -- families ----------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Together:
    """An assignment whose parts are whole households where there was room for that.

    ``moved`` people go elsewhere for it and ``longer_min`` person-minutes farther (below 0: nearer). Of the ``split``
    places, people of ``uneven`` stay in parts that no households of the usual size make up.
    """

    assigned: Assigned
    moved: int
    longer_min: float
    split: int
    uneven: int

    def __repr__(self) -> str:
        left = f"{self.split} places split, {self.uneven} of them not between households"
        return f"Together({self.moved} people moved, {self.longer_min:+.1f} person-minutes, {left})"


def together(assigned: Assigned, room: Ints, *, household: float) -> Together:
    """Bring the parts of a split place to whole households of ``household`` people, within ``room``.

    Place by place, the smallest part first: of less than a household it joins the largest; else those who make no
    whole household do; else the part is filled up from the largest; each only where there is room to spare. Nobody
    moves to a site that nobody of the place goes to, nobody loses a space; ways may become longer and are counted.
    It is no search for the best.
    """
    found = f"{household} people"
    refuse(ParameterError, [Fault("households of at least 1", found, "household")] if not household >= 1 else [])
    people, spare = assigned.people.copy(), room - assigned.load(len(room))
    at = np.searchsorted(assigned.place, np.arange(len(assigned.unserved) + 1))
    for place in np.flatnonzero(np.diff(at) > 1):
        _gather(people[at[place] : at[place + 1]], assigned.site[at[place] : at[place + 1]], spare, household)
    after = _with(assigned, people)
    uneven = sum(_uneven(people[at[p] : at[p + 1]], household) for p in np.flatnonzero(after.parts > 1))
    moved = int(np.abs(people - assigned.people).sum()) // 2
    return Together(after, moved, (after.person_ms - assigned.person_ms) / 60_000, after.split, uneven)


def _gather(people: Ints, site: Ints, spare: Ints, household: float) -> None:
    """Move people between the rows of one place; ``people`` (rows,) and ``spare`` (sites,) in place."""
    order = np.argsort(people, kind="stable")
    largest = order[-1]
    for row in order[:-1]:
        loose = people[row] - _whole(int(people[row]), household)
        fill = _whole(int(people[row]) + math.ceil(household), household) - people[row]
        if people[row] < household and spare[site[largest]] >= people[row]:
            moved = people[row]
        elif spare[site[largest]] >= loose:
            moved = loose
        else:
            moved = -fill if loose and min(spare[site[row]], people[largest] - 1) >= fill else 0
        people[row], people[largest] = people[row] - moved, people[largest] + moved
        spare[site[row]], spare[site[largest]] = spare[site[row]] + moved, spare[site[largest]] - moved


def _whole(people: int, household: float) -> int:
    """The most people, not more than these, who are whole households."""
    households = math.floor((people + 0.5) / household)
    return min(people, math.floor(households * household + 0.5))


def _uneven(people: Ints, household: float) -> bool:
    """Whether more than one part of a place is not of whole households; one may be what is left over."""
    parts = [int(n) for n in people if n]
    return sum(n != _whole(n, household) for n in parts) > 1


def _with(assigned: Assigned, people: Ints) -> Assigned:
    """The same rows with other numbers of people, as many of each place."""
    kept = people > 0
    place, site, there, cost = (v[kept] for v in (assigned.place, assigned.site, people, assigned.cost_ms))
    served_first = np.zeros_like(assigned.unserved)
    np.add.at(served_first, assigned.place, assigned.first)
    of_first = _of_first(place, there, cost, served_first)
    after = replace(assigned, place=place, site=site, people=there, first=of_first, cost_ms=cost)
    return replace(after, gap_ms=assigned.gap_ms + after.objective_ms - assigned.objective_ms)
