"""In which order places are turned into shelters: each by the people newly sheltered beside what is there already.

``f(S)`` is the most people whom shelters S can take in, everybody within reach and nobody beyond the room: the value of
a maximum flow from places over shelters. It never falls when a shelter is added, and a shelter adds the less the more
there are (f is monotone and submodular). So of the order that always takes what adds most no gain is larger than the
one before, and its first k serve at least 1 - 1/e (63 %) of the gain of the best k (Nemhauser, Wolsey, Fisher 1978,
doi:10.1007/BF01588971).

Gains are exact. One more shelter draws people along chains that begin at it: somebody unserved in reach, or somebody
from another shelter whose space draws on in the same way; Dinic's blocking flows from the new shelter alone find them
all, and a trial is taken back. A gain worked out earlier bounds a later one, so that only those are worked out again
that may come first (the lazy greedy of Minoux 1978, doi:10.1007/BFb0006528). What a search finds without anybody
unserved stays so for good and is not searched again. Places that reach the same shelters are one. Measured on a slow
core: 400,000 places and 1,000 candidates, 12 in reach of each place, 4 to 8 s; Kampen with 43 candidates 0.09 s, and
57 s where everybody is dealt out anew (``geo.assignment``) for each candidate and step.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Annotated

import numpy as np
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from geo import chains
from geo.assignment import Assigned
from geo.chains import NOT, Flow
from geo.curves import Sourced, Word
from geo.errors import Fault, InputError, refuse
from geo.pairs import Pairs

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

AUTO = "auto"
"""A phase whose budget follows from the number of communities."""
LATER = 0
"""The phase of what no budget reaches."""
ROUNDING = 1e-9
"""People or money this close to more are as many, relative."""
HALVINGS = 100
"""Steps in which a bound under a budget is closed in."""


def _amounts(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        if word != AUTO and not (word.replace(".", "", 1).isdigit()):
            raise ValueError(f"should be numbers from 0, or {AUTO}, not {word!r}")
    return words


Amounts = Annotated[tuple[Word, ...], Field(min_length=1, max_length=9), AfterValidator(_amounts)]


class SitingParams(Sourced):
    """What can be turned into shelters, in what phases and for how much."""

    subject = "siting"

    phase_budgets: Amounts = Field(
        description="Budget of each phase, thousand CNY; auto: years times budget times communities (words)."
    )
    phase_years: Amounts = Field(description="How long each phase lasts, years (numbers as words).")
    community_budget: float = Field(ge=0, description="What a community can spend in a year, thousand CNY.")
    most: int = Field(ge=0, le=1_000_000, description="How many places the order has at most, count.")
    missing_cost: float = Field(
        ge=0, description="Cost of each of water, power and a second way in that is lacking, thousand CNY."
    )
    max_share_let: float = Field(ge=0, le=1, description="Largest share of a site on ground to yield, 0-1.")
    convertible_kinds: tuple[Word, ...] = Field(description="Kinds of facilities that can be turned into shelters.")
    idle_uses: tuple[Word, ...] = Field(description="Uses of lots that lie idle or open (words).")

    def budgets(self, communities: int) -> Floats:
        """The money of each phase, (phases,), thousand CNY."""
        years = [*self.phase_years, *self.phase_years[-1:] * len(self.phase_budgets)]
        usual = [self.community_budget * communities * float(years[i]) for i in range(len(self.phase_budgets))]
        return np.array([u if word == AUTO else float(word) for word, u in zip(self.phase_budgets, usual, strict=True)])


# -- the order -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Order:
    """Candidates in the order in which they should open.

    ``chosen`` (n,) rows of candidates, ``gain`` (n,) people newly sheltered by each, ``alone`` (candidates,) by each if
    it came first; ``before`` people sheltered by what exists; ``load`` (sites,) people at each site in the end, of
    existing ones and candidates. ``tried`` (tries, 3) what was worked out: how many were open, candidate, gain.
    """

    chosen: Ints
    gain: Ints
    alone: Ints
    before: int
    load: Ints
    tried: Ints
    _served: _Served

    def __repr__(self) -> str:
        return (
            f"Order({len(self.chosen)} of {len(self.alone)} candidates, {self.before:,} + {self.gain.sum():,} people)"
        )

    @cached_property
    def served(self) -> Ints:
        """People sheltered when the first 0, 1, … are open, (n + 1,)."""
        return np.asarray(self.before + np.r_[0, np.cumsum(self.gain)], dtype=np.int64)

    def newly(self, opened: int | None = None) -> Ints:
        """People newly sheltered at each place, (places,), by the first so many (None: all)."""
        return self._served.newly(len(self.chosen) if opened is None else opened)

    def unserved(self, opened: int | None = None) -> Ints:
        """People not sheltered at each place, (places,), when the first so many (None: all) are open."""
        return np.asarray(self._served.without - self.newly(opened), dtype=np.int64)

    def at_most(self, opened: int) -> Ints:
        """What each candidate adds at most when the first so many are open, (candidates,); 0 for these themselves."""
        known, then = self.alone.copy(), self.tried[self.tried[:, 0] <= opened]
        known[then[:, 1]] = then[:, 2]
        known[self.chosen[:opened]] = 0
        return known


@dataclass(frozen=True, eq=False)
class _Served:
    """Who is newly served by each step: rows of ``step``, ``group`` and ``people``; of a group the first of ``queue``.

    ``group_of`` (places,) ``NOT`` where a place reaches nothing; ``without`` (places,) people not sheltered before.
    """

    step: Ints
    group: Ints
    people: Ints
    group_of: Ints
    queue: Ints
    without: Ints

    def newly(self, opened: int) -> Ints:
        """The served of each group so far go to its places in the order of the queue."""
        kept, found = self.step < opened, np.zeros(len(self.group_of), dtype=np.int64)
        groups = int(self.group_of.max(initial=NOT)) + 1
        served = np.bincount(self.group[kept], self.people[kept], minlength=groups).astype(np.int64)
        row = self.queue[np.argsort(self.group_of[self.queue], kind="stable")]
        row = row[self.group_of[row] != NOT]
        of, there = self.group_of[row], self.without[row]
        before = np.cumsum(there) - there
        before -= before[np.searchsorted(of, of)] if len(of) else 0
        found[row] = np.clip(served[of] - before, 0, there)
        return found


def in_order(
    pairs: Pairs, people: Ints, room: Ints, *, existing: int = 0, held: Assigned | None = None,
    rank: Ints | None = None, names: tuple[Ints, Ints] | None = None, most: int | None = None,
) -> Order:  # fmt: skip
    """Which candidates to open one after the other, until nobody more is sheltered or ``most`` are open.

    Of the sites the first ``existing`` are there, the others candidates. ``people`` (places,), ``room`` (sites,) whole
    numbers. ``held`` is who goes where in the existing ones: it says whom they leave (where it could shelter more, it
    is made to); None: found here. Of equal gains the least ``rank`` (candidates,) comes first. ``names`` are a number
    for each place and site, so that the order of rows decides nothing; their rows where there are none. Raises
    InputError for sizes that do not fit and numbers below 0.
    """
    refuse(InputError, _faults(pairs, people, room, existing, rank))
    first = existing
    town = _Town.of(pairs, people, np.minimum(room, people.sum()), existing, names, held)
    base = town.flow.left.copy()
    rank = np.arange(pairs.sites - first) if rank is None else rank
    alone = np.array([_gain(town, first + c) for c in range(pairs.sites - first)], dtype=np.int64)
    steps, tried = _greedy(town, alone, rank.tolist(), len(alone) if most is None else most, first)
    chosen, downs = [c for c, _ in steps], [down for _, down in steps]
    gain = np.array([int(amounts.sum()) for _, amounts in downs], dtype=np.int64)
    served = _Served(
        np.repeat(np.arange(len(downs)), [len(groups) for groups, _ in downs]).astype(np.int64),
        np.concatenate([np.zeros(0, dtype=np.int64), *(groups for groups, _ in downs)]),
        np.concatenate([np.zeros(0, dtype=np.int64), *(amounts for _, amounts in downs)]),
        town.group_of, town.queue, _without(town, people, held, base),
    )  # fmt: skip
    before = int(people.sum() - served.without.sum())
    return Order(np.array(chosen, dtype=np.int64), gain, alone, before, town.load(), np.array(tried, dtype=np.int64)
                 .reshape(-1, 3), served)  # fmt: skip


Down = tuple[Ints, Ints]
"""Groups of which somebody is newly served, and how many."""


def _greedy(
    town: _Town, alone: Ints, rank: Sequence[int], most: int, first: int
) -> tuple[list[tuple[int, Down]], list[tuple[int, int, int]]]:
    """The candidates opened with what each serves, and what was worked out on the way."""
    waiting = [(-int(gain), rank[c], c) for c, gain in enumerate(alone)]
    heapq.heapify(waiting)
    known, steps, tried = [0] * len(alone), list[tuple[int, Down]](), list[tuple[int, int, int]]()
    while waiting and waiting[0][0] < 0 and len(steps) < most:
        _, at, candidate = waiting[0]
        if known[candidate] == len(steps):
            heapq.heappop(waiting)
            steps.append((candidate, _opened(town, first + candidate)))
            continue
        gain = _gain(town, first + candidate)
        known[candidate] = len(steps)
        tried.append((len(steps), candidate, gain))
        heapq.heapreplace(waiting, (-gain, at, candidate))
    return steps, tried


def _gain(town: _Town, site: int) -> int:
    """What a site would add now."""
    at = town.row[site]
    return int(chains.drawn(town.flow, at, town.room[at], False))


def _opened(town: _Town, site: int) -> Down:
    """A site is opened: whom it newly serves."""
    at, before = town.row[site], town.flow.left.copy()
    chains.drawn(town.flow, at, town.room[at] - town.load_at(at), True)
    fell = np.flatnonzero(before != town.flow.left)
    return fell, before[fell] - town.flow.left[fell]


def _without(town: _Town, people: Ints, held: Assigned | None, left: Ints) -> Ints:
    """People of each place whom what exists leaves: those of ``held``, the first in the queue less where it can be."""
    without = people.copy() if held is None else held.unserved.astype(np.int64)
    groups = len(left)
    there = np.bincount(town.group_of[town.group_of != NOT], without[town.group_of != NOT], minlength=groups)
    fewer = there.astype(np.int64) - left
    rows = np.flatnonzero(fewer)
    more = _Served(np.zeros(len(rows), dtype=np.int64), rows, fewer[rows], town.group_of, town.queue, without)
    return np.asarray(without - more.newly(1), dtype=np.int64)


def _faults(pairs: Pairs, people: Ints, room: Ints, existing: int, rank: Ints | None) -> Iterator[Fault]:
    ranked = rank is None or rank.shape == (pairs.sites - existing,)
    if (
        people.shape != (pairs.places,)
        or room.shape != (pairs.sites,)
        or not 0 <= existing <= pairs.sites
        or not ranked
    ):
        found = f"{people.shape}, {room.shape}, {existing}"
        yield Fault(f"people ({pairs.places},), room ({pairs.sites},), existing of these", found, "siting")
    for name, numbers in (("people", people), ("room", room)):
        if (numbers < 0).any():
            yield Fault("numbers from 0", f"{int((numbers < 0).sum())} others", f"siting, {name}")


# -- the town ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Town:
    """The flow with ``room`` (rows of the flow) and what its rows are: ``row`` (sites,), ``group_of`` (places,).

    ``queue`` (places,) the places by their names.
    """

    flow: Flow
    room: Ints
    row: Ints
    group_of: Ints
    queue: Ints

    @classmethod
    def of(
        cls, pairs: Pairs, people: Ints, room: Ints, existing: int, names: tuple[Ints, Ints] | None,
        held: Assigned | None,
    ) -> _Town:  # fmt: skip
        """All people where ``held`` says, and as many more as existing sites can take in."""
        place_names, site_names = names or (np.arange(pairs.places), np.arange(pairs.sites))
        by_name = np.argsort(site_names, kind="stable")
        row = np.empty(pairs.sites, dtype=np.int64)
        row[by_name] = np.arange(pairs.sites)
        queue = np.argsort(place_names, kind="stable").astype(np.int64)
        group_of, first, site = chains.alike(pairs, row, queue)
        left = np.bincount(group_of[group_of != NOT], people[group_of != NOT], minlength=len(first) - 1)
        flow = chains.flow(first, site, left.astype(np.int64), pairs.sites)
        town = cls(flow, room[by_name].astype(np.int64), row, group_of, queue)
        if held is not None:
            chains.place(flow, group_of[held.place], row[held.site], held.people)
        for at in np.sort(row[:existing]).tolist():
            chains.drawn(flow, at, max(0, int(town.room[at]) - town.load_at(at)), True)
        return town

    def load_at(self, at: int) -> int:
        """People at one site (its row of the flow)."""
        flow = self.flow
        return int(flow.people[flow.of_site[flow.begin[at] : flow.begin[at + 1]]].sum())

    def load(self) -> Ints:
        """People at each site, (sites,)."""
        found = np.bincount(self.flow.site, self.flow.people, minlength=len(self.row))
        return np.asarray(found[self.row], dtype=np.int64)


# -- money ---------------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Phased:
    """An order cut into phases by what it costs.

    ``phase`` (n,) in which each is opened, from 1, and ``whole`` (n,) in which it is made ready for all its people;
    ``LATER`` beyond all budgets. ``cost`` (n,) of each, ``money`` (phases,) at hand up to each phase, thousand CNY.
    After it ``opened`` (phases,) candidates are open, ``people`` (phases,) are newly sheltered, of ``at_most``
    (phases,), which no other choice for the same money exceeds.
    """

    phase: Ints
    whole: Ints
    cost: Floats
    money: Floats
    opened: Ints
    people: Ints
    at_most: Ints

    def __repr__(self) -> str:
        told = ", ".join(f"{n:,} of at most {most:,}" for n, most in zip(self.people, self.at_most, strict=True))
        return f"Phased({self.opened.tolist()} open, {told} people)"


def phased(order: Order, fixed: Floats, *, each: float, budgets: Floats) -> Phased:
    """The phase of each candidate: the order is kept, and what is left of a budget goes to the next phase.

    ``fixed`` (candidates,) the cost of opening each, ``each`` that of every person it is made ready for, who are those
    newly sheltered: every chain that its room serves begins with somebody who comes to it. One that a budget opens and
    does not make ready for everybody is finished in the next phase: with less room it shelters as many as it has room
    for. Costs and ``budgets`` (phases,) in thousand CNY.
    """
    money, gain = np.cumsum(budgets), order.gain
    cost = fixed[order.chosen] + each * gain
    end = np.cumsum(cost)
    begun = end - each * gain
    phase, whole = (_in_phase(money, spent) for spent in (np.minimum(begun + each, end), end))
    opened = np.array([np.count_nonzero((phase != LATER) & (phase <= i + 1)) for i in range(len(money))], np.int64)
    people = np.array([int(_ready(m - begun, each, gain).sum()) for m in money], dtype=np.int64)
    most = int(gain.sum() + order.at_most(len(gain)).sum())
    at_most = [min(most, _most_for(order, fixed, each, float(m), (0, *opened.tolist()))) for m in money]
    return Phased(phase, whole, cost, money, opened, people, np.array(at_most, dtype=np.int64))


def _in_phase(money: Floats, spent: Floats) -> Ints:
    """The phase, from 1, whose money is enough for what is spent (n,); ``LATER`` where none is."""
    found = np.searchsorted(money * (1 + ROUNDING), spent) + 1
    return np.where(found > len(money), LATER, found).astype(np.int64)


def _ready(left: Floats, each: float, gain: Ints) -> Ints:
    """For how many people each candidate (n,) is ready when so much money is left after opening it."""
    if each == 0:
        return np.where(left >= -ROUNDING * np.abs(left).max(initial=1), gain, 0)
    return np.clip(np.floor(left / each * (1 + ROUNDING) + ROUNDING), 0, gain).astype(np.int64)


def _most_for(order: Order, fixed: Floats, each: float, money: float, opened: Sequence[int]) -> int:
    """More people than that no choice shelters for the money: the least of two bounds over several k.

    Whatever is chosen adds at most, to the first k of the order, what its members add each by itself (submodular). As
    the cost of people depends on how many are sheltered alone, what is left for opening them is known; either parts of
    a candidate may be taken (``_in_parts``), or it counts how many are opened and not which (``_by_number``).
    """
    usual = np.sort(fixed[order.alone > 0])
    there = [(int(order.served[k] - order.before), order.at_most(k)) for k in opened]
    return min(
        min(_in_parts(people, gain, fixed, each, money), _by_number(people, gain, usual, each, money))
        for people, gain in there
    )


def _by_number(there: int, gain: Ints, cheapest: Floats, each: float, money: float) -> int:
    """The largest number of people that any number n of candidates can reach: the n best for the n cheapest."""
    left = money * (1 + ROUNDING) - np.cumsum(cheapest)
    best = there + np.cumsum(np.sort(gain)[::-1][: len(cheapest)])
    paid = left / each * (1 + ROUNDING) + ROUNDING if each else np.full(len(left), np.inf)
    return int(np.floor(np.minimum(best, paid)[left >= 0].max(initial=0.0)))


def _in_parts(there: int, gain: Ints, fixed: Floats, each: float, money: float) -> int:
    """The largest number of people G with G <= there + the best that (money - each x G) opens in parts."""
    kept = np.flatnonzero(gain)
    kept = kept[np.argsort(fixed[kept] / gain[kept], kind="stable")]
    spent, people = np.r_[0.0, np.cumsum(fixed[kept])], np.r_[0.0, np.cumsum(gain[kept])]
    last = np.r_[np.diff(spent) > 0, True]
    spent, people = spent[last], people[last]
    low, high = 0.0, float(there + people[-1])
    for _ in range(HALVINGS):
        middle = (low + high) / 2
        left = money - each * middle
        if left >= 0 and middle <= there + np.interp(left, spent, people):
            low = middle
        else:
            high = middle
    return int(np.floor(high * (1 + ROUNDING) + ROUNDING))
