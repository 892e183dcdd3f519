"""Who goes where when one thing is other than it is: more room at a shelter, one more shelter, other ways.

More room, or one more shelter, lets people move towards it and nobody away: in the flow behind the assignment every
chain of moves that makes it better begins there, and ends where a space becomes free that nobody else wanted (a shelter
of price 0). So only people count whom such a chain can touch: ``_chained`` finds them by the prices, and the assignment
is solved again for them alone, exactly. Where ways change, or people are dealt out nearest first, all are dealt out
again.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import csr_array
from scipy.sparse.csgraph import breadth_first_order

from geo import assignment
from geo.assignment import Assigned
from geo.buckets import NEVER
from geo.pairs import Pairs

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Reach:
    """The places that reach one new site, and their milliseconds door to door, (rows,) each; the number of its id."""

    place: Ints
    cost_ms: Ints
    name: int = 0


@dataclass(frozen=True)
class Outcome:
    """The places at which more are served, or fewer, and how many more (signed), (rows,) each.

    ``used`` is how many more people are at the site that was changed.
    """

    place: Ints
    gain: Ints
    used: int = 0

    @classmethod
    def between(cls, before: Ints, after: Ints, used: int = 0) -> Outcome:
        """From the unserved of all places before and after."""
        place = np.flatnonzero(before != after)
        return cls(place, (before - after)[place], used)

    def __repr__(self) -> str:
        return f"Outcome({self.gain.sum():+,} people served, {self.used:,} at the changed site)"


@dataclass(frozen=True, eq=False)
class Dealt:
    """People as they are dealt out among ``pairs``: ``people`` and ``first`` (places,), ``room`` (sites,).

    ``optimal``: as ``assignment.assign`` does, else nearest first. ``names`` are numbers of the ids of places and of
    sites, by which one of equally good assignments is taken.
    """

    pairs: Pairs
    people: Ints
    first: Ints
    room: Ints
    assigned: Assigned
    optimal: bool
    names: tuple[Ints, Ints]

    def __repr__(self) -> str:
        return f"Dealt({self.assigned!r})"

    @cached_property
    def load(self) -> Ints:
        """People at each site, (sites,)."""
        return self.assigned.load(self.pairs.sites)

    @cached_property
    def full(self) -> Mask:
        """Sites (sites,) where more room may serve more or spare a walk."""
        return np.asarray((self.load >= self.room) & (self.room > 0))

    @cached_property
    def worth_ms(self) -> Ints:
        """Ways longer than that nobody of a place would take, (places,); any way where that serves one more."""
        rows, found = self.assigned, np.zeros(self.pairs.places, dtype=np.int64)
        price = rows.price_ms[rows.site]
        paid = np.where(2 * price >= rows.penalty_ms, NEVER, rows.cost_ms + price.astype(np.int64))
        np.maximum.at(found, rows.place, paid)
        return np.where(rows.unserved > 0, NEVER, found)

    @cached_property
    def wanted(self) -> tuple[Ints, Ints]:
        """Where the pairs of each site begin, (sites + 1,), and those of its pairs that somebody would rather use."""
        kept = np.flatnonzero(self.pairs.cost_ms <= self.worth_ms[self.pairs.place])
        kept = kept[np.argsort(self.pairs.site[kept], kind="stable")]
        return np.searchsorted(self.pairs.site[kept], np.arange(self.pairs.sites + 1)).astype(np.int64), kept

    @cached_property
    def follows(self) -> csr_array:
        """Whether people who are at a full site (column) would rather use another (row), (sites, sites)."""
        rows, n = self.assigned, self.pairs.sites
        _, kept = self.wanted
        priced = np.flatnonzero(rows.price_ms[rows.site] > 0)
        places = self.pairs.places
        there = csr_array((np.ones(len(priced)), (rows.place[priced], rows.site[priced])), shape=(places, n))
        wish = csr_array((np.ones(len(kept)), (self.pairs.site[kept], self.pairs.place[kept])), shape=(n, places))
        return csr_array(wish @ there)

    def again(self, pairs: Pairs, room: Ints) -> Assigned:
        """Everybody dealt out again, by the same rule, over other ways and to other room."""
        if not self.optimal:
            return assignment.nearest_first(pairs, self.people, room, first=self.first)
        return assignment.assign(pairs, self.people, room, first=self.first, warm=self.assigned, names=self.names)

    def with_room(self, site: int, more: int) -> Outcome:
        """With ``more`` places at a site that is there."""
        room = self.room.copy()
        room[site] += more
        if not self.optimal:
            return self._whole(self.pairs, room, site)
        return self._part(_reached(self.follows, np.array([site])), room, site, None)

    def with_site(self, reach: Reach, room: int) -> Outcome:
        """With one more site; it comes last."""
        n = self.pairs.sites
        if not self.optimal:
            return self._whole(self.joined(reach), np.r_[self.room, room], n)
        there = self.assigned.site[self._rows_of(self._takers(reach).place)]
        begun = np.unique(there[self.assigned.price_ms[there] > 0])
        return self._part(_reached(self.follows, begun), np.r_[self.room, room], n, reach)

    def with_pairs(self, pairs: Pairs, room: Ints | None = None) -> Outcome:
        """With other ways to the same sites, and other room."""
        return self._whole(pairs, self.room if room is None else room, 0)

    def joined(self, reach: Reach) -> Pairs:
        """All pairs with those of one more site."""
        old, n = self.pairs, self.pairs.sites
        columns = np.r_[old.place, reach.place], np.r_[old.site, np.full(len(reach.place), n)]
        return Pairs.of(*columns, np.r_[old.cost_ms, reach.cost_ms], places=old.places, sites=n + 1)

    def _whole(self, pairs: Pairs, room: Ints, site: int) -> Outcome:
        found = self.again(pairs, room)
        used = int(found.load(pairs.sites)[site] - np.r_[self.load, 0][site]) if pairs.sites else 0
        return Outcome.between(self.assigned.unserved, found.unserved, used)

    def _rows_of(self, place: Ints) -> Ints:
        """The rows of the assignment of some places, ascending."""
        begin = np.searchsorted(self.assigned.place, place)
        count = np.searchsorted(self.assigned.place, place, side="right") - begin
        return np.repeat(begin - np.r_[0, np.cumsum(count)[:-1]][: len(count)], count) + np.arange(count.sum())

    def _takers(self, reach: Reach) -> Reach:
        kept = reach.cost_ms <= self.worth_ms[reach.place]
        return replace(reach, place=reach.place[kept], cost_ms=reach.cost_ms[kept])

    def _part(self, chained: Ints, room: Ints, site: int, reach: Reach | None) -> Outcome:
        """Solved for the places alone that would rather be at one of the ``chained`` sites, or at the new one."""
        part = self._cut(chained, site, reach)
        old = self.assigned
        held = np.bincount(old.site[part.rows], old.people[part.rows], minlength=len(room)).astype(np.int64)
        # What is not among them is only left: it takes nobody in.
        limit = np.where(np.isin(part.sites, np.r_[chained, site]), room[part.sites], held[part.sites])
        people, first = self.people[part.place], self.first[part.place]
        site_names = np.append(self.names[1], reach.name if reach else 0)
        names = self.names[0][part.place], site_names[part.sites]
        found = assignment.assign(part.pairs, people, limit, first=first, warm=self._then(part), names=names)
        mine, gain = int(np.searchsorted(part.sites, site)), old.unserved[part.place] - found.unserved
        used = int(found.load(len(part.sites))[mine] - np.r_[self.load, 0][site])
        return Outcome(part.place[gain != 0], gain[gain != 0], used)

    def _cut(self, chained: Ints, site: int, reach: Reach | None) -> _Part:
        begin, kept = self.wanted
        pair = np.concatenate([kept[begin[s] : begin[s + 1]] for s in chained] or [kept[:0]])
        new = self._takers(reach) if reach else Reach(pair[:0], pair[:0])
        old = self.assigned
        place = np.unique(np.r_[self.pairs.place[pair], new.place])
        rows = self._rows_of(place)
        stay = rows[~np.isin(old.site[rows], chained)]
        ways = (
            (self.pairs.place[pair], self.pairs.site[pair], self.pairs.cost_ms[pair]),
            (old.place[stay], old.site[stay], old.cost_ms[stay]),
            (new.place, np.full(len(new.place), self.pairs.sites), new.cost_ms),
        )
        at, to, cost = (np.concatenate(column) for column in zip(*ways, strict=True))
        sites = np.unique(np.r_[to, old.site[rows], site])
        # A pair is there once: either somebody would rather use it, or is left where they are by it.
        order = np.lexsort((to, cost, at))
        at, to = np.searchsorted(place, at[order]), np.searchsorted(sites, to[order])
        return _Part(place, sites, rows, Pairs(at, to, cost[order], len(place), len(sites)))

    def _then(self, part: _Part) -> Assigned:
        """The assignment of a part as it stands; a new site, the last one, has no price yet."""
        old, rows = self.assigned, part.rows
        return replace(
            old, place=np.searchsorted(part.place, old.place[rows]), site=np.searchsorted(part.sites, old.site[rows]),
            people=old.people[rows], first=old.first[rows], cost_ms=old.cost_ms[rows],
            unserved=old.unserved[part.place], unserved_first=old.unserved_first[part.place],
            price_ms=old.price_ms[part.sites[part.sites < self.pairs.sites]],
        )  # fmt: skip


@dataclass(frozen=True)
class _Part:
    """Some places and sites (rows of the whole, ascending), the rows of their assignment, and their ways."""

    place: Ints
    sites: Ints
    rows: Ints
    pairs: Pairs


def _reached(follows: csr_array, begun: Ints) -> Ints:
    """All sites from which people would move on when there is room at the first ones, these among them; ascending."""
    found: set[int] = set()
    for site in begun.tolist():
        if site not in found:
            found |= set(breadth_first_order(follows, site, return_predecessors=False).tolist())
    return np.array(sorted(found), dtype=np.int64)
