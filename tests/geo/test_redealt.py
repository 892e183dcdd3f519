"""One more space, one more shelter: dealt out again in part as in whole, to the last person."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import assignment
from geo.pairs import Pairs
from geo.redealt import Dealt, Outcome, Reach

NAMES = 104_729 * np.arange(6) % 97


def dealt(cost: np.ndarray, people: np.ndarray, room: np.ndarray, first: np.ndarray, *, optimal: bool = True) -> Dealt:
    """A town of (places, sites) milliseconds; below 0: out of reach."""
    place, site = np.nonzero(cost >= 0)
    pairs = Pairs.of(place, site, cost[place, site], places=len(people), sites=len(room))
    # Numbers as of ids: they do not follow the rows, and a site has its own wherever it stands.
    names = 7919 * np.arange(len(people)) % 101, NAMES[: len(room)]
    if optimal:
        found = assignment.assign(pairs, people, room, first=first, names=names)
    else:
        found = assignment.nearest_first(pairs, people, room, first=first)
    return Dealt(pairs, people, first, room, found, optimal, names)


def town_of(data: st.DataObject, *, alike: bool = False) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Ways, people, room and who goes first; many ways ``alike``, or no two."""
    places, sites = data.draw(st.integers(1, 9)), data.draw(st.integers(1, 5))
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32 - 1)))
    # No two sums of large ways are alike: the best assignment is one.
    cost = rng.integers(0, 3 if alike else 2**40, (places, sites + 1))
    cost[rng.random(cost.shape) < rng.choice([0.2, 0.5, 0.8])] = -1
    people = rng.integers(0, 6, places)
    return cost, people, rng.integers(0, 8, sites + 1), rng.integers(0, people + 1)


def same_people(found: Outcome, now: Dealt, whole: Dealt) -> None:
    unserved = now.assigned.unserved.copy()
    unserved[found.place] -= found.gain
    assert unserved.tolist() == whole.assigned.unserved.tolist()


def same(found: Outcome, now: Dealt, whole: Dealt, site: int) -> None:
    same_people(found, now, whole)
    assert found.used == whole.load[site] - (now.load[site] if site < len(now.load) else 0)


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_more_room_in_part_is_more_room_in_whole(data: st.DataObject, optimal: bool) -> None:
    cost, people, room, first = town_of(data)
    now = dealt(cost, people, room, first, optimal=optimal)
    for site in range(len(room)):
        for more in (1, 3, 40):
            then = room + more * (np.arange(len(room)) == site)
            found = now.with_room(site, more)
            same(found, now, dealt(cost, people, then, first, optimal=optimal), site)
            assert 0 <= found.gain.sum() <= more


@settings(max_examples=60, deadline=None)
@given(st.data(), st.booleans())
def test_one_more_shelter_in_part_is_one_more_in_whole(data: st.DataObject, optimal: bool) -> None:
    cost, people, room, first = town_of(data)
    now = dealt(cost[:, :-1], people, room[:-1], first, optimal=optimal)
    place = np.flatnonzero(cost[:, -1] >= 0)
    found = now.with_site(Reach(place, cost[place, -1], int(NAMES[len(room) - 1])), int(room[-1]))
    same(found, now, dealt(cost, people, room, first, optimal=optimal), len(room) - 1)


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_of_ways_alike_the_same_people_are_served_in_part_as_in_whole(data: st.DataObject) -> None:
    cost, people, room, first = town_of(data, alike=True)
    now = dealt(cost[:, :-1], people, room[:-1], first)
    place = np.flatnonzero(cost[:, -1] >= 0)
    found = now.with_site(Reach(place, cost[place, -1], int(NAMES[len(room) - 1])), int(room[-1]))
    same_people(found, now, dealt(cost, people, room, first))
    for site in range(len(now.room)):
        then = now.room + 2 * (np.arange(len(now.room)) == site)
        same_people(now.with_room(site, 2), now, dealt(cost[:, :-1], people, then, first))
        fewer = now.pairs.where(now.pairs.site != site)
        again = now.again(fewer, now.room)
        anew = assignment.assign(fewer, people, now.room, first=first, names=now.names)
        assert (again.place.tolist(), again.site.tolist(), again.people.tolist()) == (
            anew.place.tolist(), anew.site.tolist(), anew.people.tolist()
        )  # fmt: skip


def test_the_part_is_small_where_there_is_room() -> None:
    """Two towns far apart: what is done in one touches nobody of the other."""
    cost = np.array([[5, -1, -1], [9, -1, -1], [-1, 4, -1], [-1, 8, 6]])
    now = dealt(cost, np.array([3, 3, 3, 3]), np.array([3, 3, 9]), np.zeros(4, dtype=np.int64))
    assert now._cut(np.array([0]), 0, None).place.tolist() == [0, 1]
    assert now.full.tolist() == [True, True, False]
    found = now.with_room(0, 2)
    assert (found.place.tolist(), found.gain.tolist(), found.used) == ([1], [2], 2)
    assert now.with_room(1, 2).used == 0
