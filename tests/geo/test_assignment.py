"""People to shelters with room: by eye, by law, against a linear programme and against every way there is."""

from __future__ import annotations

from dataclasses import replace
from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import linprog

from geo import exchange
from geo.assignment import Assigned, assign, compared, nearest_first, together
from geo.errors import InputError, LimitError, ParameterError
from geo.pairs import Pairs

Town = tuple[Pairs, np.ndarray, np.ndarray, np.ndarray]
MINUTE = 60_000


def ints(*values: int) -> np.ndarray:
    return np.array(values, dtype=np.int64)


def minutes(rows: dict[str, dict[str, int]], sites: str = "ABC") -> Pairs:
    """Minutes from each place to the sites it reaches."""
    every = [(d, sites.index(s), c * MINUTE) for d, place in enumerate(rows) for s, c in rows[place].items()]
    return Pairs.of(*(ints(*column) for column in zip(*every, strict=True)), places=len(rows), sites=len(sites))


# A street with three shelters and four houses; a minute between two signs
#
#   A--p--q--B--r-----s--C         p to A 3 min, to B 6; q to B 3, to A 6; r to B 3, to C 9; s to C 3, to B 9
STREET = minutes({"p": {"A": 3, "B": 6}, "q": {"A": 6, "B": 3}, "r": {"B": 3, "C": 9}, "s": {"B": 9, "C": 3}})


def named(found: Assigned, places: str = "pqrs", sites: str = "ABC") -> dict[str, int]:
    rows = zip(found.place, found.site, found.people, strict=True)
    return {places[d] + sites[s]: int(n) for d, s, n in rows}


def test_with_room_everybody_goes_to_the_nearest() -> None:
    found = assign(STREET, ints(4, 4, 4, 4), ints(9, 9, 9))
    assert named(found) == {"pA": 4, "qB": 4, "rB": 4, "sC": 4}
    assert found.price_ms.tolist() == [0, 0, 0] and found.gap_ms == 0
    assert found.person_ms == 16 * 3 * MINUTE
    assert repr(found) == "Assigned(16 people to 3 sites in 48 person-minutes, 0 unserved, 0 places split, proved best)"


def test_the_one_who_loses_least_gives_way() -> None:
    """B takes 5 of 8: for q the other way is 3 minutes longer, for r 6."""
    found = assign(STREET, ints(4, 4, 4, 4), ints(9, 5, 9))
    assert named(found) == {"pA": 4, "qA": 3, "qB": 1, "rB": 4, "sC": 4}
    assert found.price_ms.tolist() == [0, 3 * MINUTE, 0]
    assert (found.split, found.partly) == (1, 0)


def test_a_chain_of_moves_lets_somebody_in() -> None:
    """Nearest first, p fills A and r and half of q fill B; the best sends r to C, q to B, and all have a place."""
    people, room = ints(4, 4, 4, 0), ints(4, 4, 4)
    best, usual = assign(STREET, people, room), nearest_first(STREET, people, room)
    assert named(best) == {"pA": 4, "qB": 4, "rC": 4}
    assert named(nearest_first(STREET, people, ints(4, 6, 0))) == {"pA": 4, "qB": 4, "rB": 2}
    assert compared(best, usual).more_served == 0
    assert np.isnan(usual.gap_ms) and np.isnan(usual.price_ms).all() and "gap nan" in repr(usual)


def test_one_more_served_is_worth_any_way() -> None:
    far = minutes({"p": {"A": 1}, "q": {"A": 1, "B": 500}}, "AB")
    found = assign(far, ints(1, 1), ints(1, 1))
    assert named(found, "pq", "AB") == {"pA": 1, "qB": 1}
    beside = compared(
        found, nearest_first(minutes({"q": {"A": 1, "B": 500}, "p": {"A": 1}}, "AB"), ints(1, 1), ints(1, 1))
    )
    assert (beside.more_served, beside.saved_min) == (1, -500)
    assert "+1 people served" in repr(beside)


def test_when_short_the_vulnerable_are_served_first_though_farther() -> None:
    town = minutes({"p": {"A": 1}, "q": {"A": 50}}, "A")
    found = assign(town, ints(5, 5), ints(4), first=ints(1, 2))
    assert named(found, "pq", "A") == {"pA": 2, "qA": 2}
    assert found.first.tolist() == [1, 2]
    assert found.unserved.tolist() == [3, 3] and found.unserved_first.tolist() == [0, 0]
    assert found.price_ms[0] == found.penalty_ms - MINUTE, "one more space: one more of p, a minute's way"
    assert found.partly == 2


def test_a_first_person_never_counts_for_two_others() -> None:
    """The first, at q, reaches A only, where they would turn nobody away whom B does not take."""
    town = minutes({"p": {"A": 1, "B": 2}, "q": {"A": 1}, "r": {"B": 1}}, "AB")
    found = assign(town, ints(1, 1, 1), ints(1, 1), first=ints(0, 1, 0))
    assert found.served == 2 and found.served_first == 1
    assert named(found, "pqr", "AB") == {"qA": 1, "rB": 1}


def test_nothing_and_never() -> None:
    none = Pairs.of(ints(), ints(), ints(), places=2, sites=1)
    found = assign(none, ints(3, 0), ints(9), first=ints(1, 0))
    assert len(found) == 0 and found.unserved.tolist() == [3, 0] and found.unserved_first.tolist() == [1, 0]
    empty = assign(Pairs.of(ints(), ints(), ints(), places=0, sites=0), ints(), ints())
    assert len(empty) == 0 and len(empty.unserved) == 0 and empty.gap_ms == 0
    assert len(nearest_first(none, ints(3, 0), ints(9))) == 0


def test_room_without_limit() -> None:
    found = assign(STREET, ints(4, 4, 4, 4), ints(2**62, 2, 2**62))
    assert found.served == 16 and found.load(3).tolist() == [8, 2, 6]
    assert assign(STREET, ints(4, 4, 4, 4), ints(2**62, 2**62, 2**62), warm=found).load(3).tolist() == [4, 8, 4]


def test_what_does_not_fit_is_refused() -> None:
    with pytest.raises(InputError, match="numbers from 0"):
        assign(STREET, ints(1, 1, 1, -1), ints(1, 1, 1))
    with pytest.raises(InputError, match="first"):
        assign(STREET, ints(1, 1, 1, 1), ints(1, 1, 1), first=ints(2, 0, 0, 0))
    with pytest.raises(InputError, match=r"room \(3,\)"):
        nearest_first(STREET, ints(1, 1, 1, 1), ints(1, 1))
    endless = Pairs.of(ints(0), ints(0), ints(2**50), places=1, sites=1)
    with pytest.raises(LimitError):
        assign(endless, ints(1), ints(1))


# -- families ----------------------------------------------------------------------------------------------------


def test_a_split_that_costs_nothing_is_undone() -> None:
    """Both places are as near to both sites: two in parts would be as good, none is better."""
    even = minutes({"p": {"A": 2, "B": 2}, "q": {"A": 2, "B": 2}, "r": {"A": 2, "B": 2}}, "AB")
    assert assign(even, ints(3, 3, 4), ints(5, 5)).split <= 1


def test_parts_become_households_where_there_is_room() -> None:
    """B has room for 5 and takes 4 of r and one of q; with room to spare at A, q goes there altogether."""
    found = assign(STREET, ints(4, 4, 4, 4), ints(9, 5, 9))
    joined = together(found, ints(9, 5, 9), household=2.0)
    assert named(joined.assigned) == {"pA": 4, "qA": 4, "rB": 4, "sC": 4}
    assert (joined.moved, joined.longer_min, joined.split, joined.uneven) == (1, 3, 0, 0)
    assert joined.assigned.gap_ms == 3 * MINUTE and "0 places split" in repr(joined)
    full = together(found, ints(7, 5, 4), household=2.0)
    assert (full.moved, full.split, full.uneven) == (0, 1, 1)
    assert together(found, ints(7, 5, 4), household=1.0).uneven == 0
    with pytest.raises(ParameterError):
        together(found, ints(9, 5, 9), household=0.0)


def test_only_the_loose_ones_move_where_not_all_can() -> None:
    found = assign(STREET, ints(4, 8, 0, 4), ints(4 + 3, 5, 4))
    assert named(found) == {"pA": 4, "qA": 3, "qB": 5, "sC": 4}
    joined = together(found, ints(7, 6, 4), household=2.0)
    assert named(joined.assigned) == {"pA": 4, "qA": 2, "qB": 6, "sC": 4} and joined.uneven == 0
    filled = together(found, ints(8, 5, 4), household=2.0)
    assert named(filled.assigned) == {"pA": 4, "qA": 4, "qB": 4, "sC": 4} and filled.uneven == 0


# -- law ---------------------------------------------------------------------------------------------------------


@st.composite
def towns(draw: st.DrawFn, places: int = 12, sites: int = 6, people: int = 9) -> Town:
    n, s = draw(st.integers(0, places)), draw(st.integers(1, sites))
    rng, far = np.random.default_rng(draw(st.integers(0, 2**32))), draw(st.sampled_from([2, 20, 5000]))
    d, at = np.nonzero(rng.random((n, s)) < draw(st.sampled_from([0.3, 0.6, 1.0])))
    pairs = Pairs.of(d, at, rng.integers(0, far, len(d)), places=n, sites=s)
    there = rng.integers(0, people, n)
    room = rng.integers(0, int(draw(st.sampled_from([0.6, 1, 3])) * there.sum() / s) + 1, s)
    return pairs, there, room, rng.binomial(there, 0.3)


def check(found: Assigned, pairs: Pairs, people: np.ndarray, room: np.ndarray, first: np.ndarray) -> None:
    """Rows as promised, people conserved, nobody beyond the room."""
    key = found.place * pairs.sites + found.site
    assert (np.diff(key) > 0).all() and (found.people > 0).all()
    for rows, left, of in ((found.people, found.unserved, people), (found.first, found.unserved_first, first)):
        assert np.array_equal(np.bincount(found.place, rows, pairs.places)[: pairs.places] + left, of)
    assert (found.load(pairs.sites) <= room).all() and (found.first <= found.people).all()
    assert (found.unserved_first <= found.unserved).all()
    cost = dict(zip(zip(pairs.place.tolist(), pairs.site.tolist(), strict=True), pairs.cost_ms, strict=True))
    assert [cost[k] for k in zip(found.place.tolist(), found.site.tolist(), strict=True)] == found.cost_ms.tolist()


def programme(pairs: Pairs, people: np.ndarray, room: np.ndarray, first: np.ndarray, penalty: int) -> int:
    """The least objective, as a linear programme of four blocks: others, first, and the unserved of both."""
    n, m = pairs.places, len(pairs)
    of_place, of_site = np.eye(n)[pairs.place].T, np.eye(pairs.sites)[pairs.site].T
    none, stay = np.zeros((n, m)), np.eye(n)
    equal = np.block([[of_place, none, stay, 0 * stay], [none, of_place, 0 * stay, stay]])
    within = np.block([[of_site, of_site, np.zeros((pairs.sites, 2 * n))]])
    cost = np.r_[pairs.cost_ms, pairs.cost_ms, np.full(n, penalty), np.full(n, 2 * penalty)]
    solved = linprog(cost, A_ub=within, b_ub=room, A_eq=equal, b_eq=np.r_[people - first, first], method="highs")
    whole = np.rint(solved.x).astype(np.int64)
    assert np.abs(solved.x - whole).max() < 1e-6
    return int(whole @ cost)


@settings(max_examples=60, deadline=None)
@given(towns())
def test_as_good_as_a_linear_programme(town: Town) -> None:
    pairs, people, room, first = town
    found = assign(pairs, people, room, first=first)
    check(found, *town)
    assert found.gap_ms == 0
    if pairs.places:
        assert found.objective_ms == programme(*town, found.penalty_ms)


@settings(max_examples=30, deadline=None)
@given(towns(places=3, sites=2, people=3))
def test_the_best_of_every_way_there_is(town: Town) -> None:
    """In the order of the three aims, without any penalty."""
    pairs, people, room, first = town
    heads = [(d, k < first[d]) for d in range(pairs.places) for k in range(people[d])]
    cost = dict(zip(zip(pairs.place.tolist(), pairs.site.tolist(), strict=True), pairs.cost_ms.tolist(), strict=True))
    ways = [[None, *(s for s in range(pairs.sites) if (d, s) in cost)] for d, _ in heads]
    best = (0, 0, 0)
    for chosen in product(*ways):
        if all(chosen.count(s) <= room[s] for s in range(pairs.sites)):
            went = [(d, f, s) for (d, f), s in zip(heads, chosen, strict=True) if s is not None]
            best = min(best, (-len(went), -sum(f for _, f, _ in went), sum(cost[d, s] for d, _, s in went)))
    found = assign(pairs, people, room, first=first)
    assert (-found.served, -found.served_first, found.person_ms) == best


@settings(max_examples=60, deadline=None)
@given(towns(), st.data())
def test_warm_equals_cold_through_many_changes(town: Town, data: st.DataObject) -> None:
    """Rooms, people, ways and a new site; the least prices are the same too, for there is only one set of them."""
    pairs, people, room, first = town
    found = assign(pairs, people, room, first=first)
    rng = np.random.default_rng(data.draw(st.integers(0, 2**32)))
    for change in data.draw(
        st.lists(st.sampled_from(["room", "shut", "people", "ways", "site", "farther"]), max_size=5)
    ):
        if change == "room":
            room = rng.integers(0, people.sum() + 2, pairs.sites)
        elif change == "shut":
            room = np.where(np.arange(pairs.sites) == rng.integers(pairs.sites), 0, room)
        elif change == "people":
            people = people + (rng.random(pairs.places) < 0.3)
            first = rng.binomial(people, 0.5)
        elif change == "ways":
            pairs = pairs.where(rng.random(len(pairs)) < 0.8)
        elif change == "farther":
            pairs = Pairs.of(pairs.place, pairs.site, 3 * pairs.cost_ms, places=pairs.places, sites=pairs.sites)
        else:
            new = np.flatnonzero(rng.random(pairs.places) < 0.7)
            rows = (np.r_[pairs.place, new], np.r_[pairs.site, np.full(len(new), pairs.sites)])
            cost = np.r_[pairs.cost_ms, rng.integers(0, 20, len(new))]
            pairs = Pairs.of(*rows, cost, places=pairs.places, sites=pairs.sites + 1)
            room = np.r_[room, rng.integers(0, 20)]
        found, anew = (assign(pairs, people, room, first=first, warm=w) for w in (found, None))
        check(found, pairs, people, room, first)
        assert found.gap_ms == anew.gap_ms == 0
        assert np.array_equal(found.price_ms, anew.price_ms)
        assert (found.served, found.served_first, found.person_ms) == (anew.served, anew.served_first, anew.person_ms)


@settings(max_examples=40, deadline=None)
@given(towns())
def test_a_price_is_what_one_more_space_saves(town: Town) -> None:
    pairs, people, room, first = town
    found = assign(pairs, people, room, first=first)
    for s in range(pairs.sites):
        more = assign(pairs, people, room + (np.arange(pairs.sites) == s), first=first, warm=found)
        assert found.objective_ms - more.objective_ms == found.price_ms[s]
        assert more.served >= found.served


@settings(max_examples=40, deadline=None)
@given(towns(), st.randoms(use_true_random=False))
def test_the_order_of_rows_changes_nothing(town: Town, random: object) -> None:
    pairs, people, room, first = town
    rng = np.random.default_rng(random.randrange(2**32))  # type: ignore[attr-defined]
    d, s = rng.permutation(pairs.places), rng.permutation(pairs.sites)
    mixed = Pairs.of(d[pairs.place], s[pairs.site], pairs.cost_ms, places=pairs.places, sites=pairs.sites)
    there, of_first, spare = np.empty_like(people), np.empty_like(first), np.empty_like(room)
    there[d], of_first[d], spare[s] = people, first, room
    one, other = assign(pairs, people, room, first=first), assign(mixed, there, spare, first=of_first)
    assert one.objective_ms == other.objective_ms
    assert np.array_equal(one.price_ms, other.price_ms[s])


@settings(max_examples=40, deadline=None)
@given(towns())
def test_nearest_first_is_never_better_and_families_lose_nobody(town: Town) -> None:
    pairs, people, room, first = town
    best, usual = (way(pairs, people, room, first=first) for way in (assign, nearest_first))
    check(usual, *town)
    assert usual.objective_ms >= best.objective_ms and compared(best, usual).more_served >= 0
    alike = assign(pairs, people, room)
    assert alike.served == best.served, "serving some first does not lessen how many are served"
    assert alike.split + alike.partly <= 2 * pairs.sites
    joined = together(best, room, household=2.6)
    check(joined.assigned, *town)
    assert joined.assigned.served == best.served and joined.split <= best.split
    assert joined.assigned.gap_ms == round(joined.longer_min * MINUTE)


def large(places: int, sites: int, share: float) -> Town:
    """Places and sites at random in a square, with a dozen in reach."""
    rng = np.random.default_rng(7)
    at, to = rng.random((places, 2)), rng.random((sites, 2))
    metres = np.hypot(*(at[:, None] - to[None]).transpose(2, 0, 1)) * 10_000
    d, s = np.nonzero(metres < 10_000 * np.sqrt(12 / sites / np.pi))
    people, weight = rng.integers(0, 30, places), rng.lognormal(0, 1, sites)
    room = (weight / weight.sum() * people.sum() * share).astype(np.int64)
    return Pairs.of(d, s, (metres[d, s] * 800).astype(np.int64), places=places, sites=sites), people, room, people // 5


@pytest.mark.parametrize("share", [0.6, 0.95, 1.3])
def test_a_larger_town_is_proved_and_repaired(share: float, monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, people, room, first = town = large(3000, 40, share)
    found = assign(pairs, people, room, first=first)
    check(found, *town)
    assert found.gap_ms == 0
    shut = np.where(np.arange(40) == 7, 0, room)
    warm, cold = (assign(pairs, people, shut, first=first, warm=w) for w in (found, None))
    assert warm.gap_ms == cold.gap_ms == 0 and warm.objective_ms == cold.objective_ms
    monkeypatch.setattr(exchange, "FEW", 10**9)
    assert (
        replace(assign(pairs, people, room), penalty_ms=0).person_ms
        == assign(pairs, people, room, warm=found).person_ms
    )


def test_a_pool_that_is_used_up_is_made_anew(monkeypatch: pytest.MonkeyPatch) -> None:
    pairs, people, room, _ = large(1500, 30, 0.9)
    asked: list[int] = []
    made = exchange.heaps
    monkeypatch.setattr(exchange, "FEW", 10**9)
    monkeypatch.setattr(exchange, "heaps", lambda town: asked.append(1) or made(town))
    monkeypatch.setattr(exchange, "SPARE", 0.01)
    assert assign(pairs, people, room).gap_ms == 0
    assert len(asked) > 1
