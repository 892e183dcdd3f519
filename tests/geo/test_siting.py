"""The order of conversion: towns solved by eye, its laws, every order tried, and the assignment of least walking."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data import standards
from geo import assignment, siting
from geo.errors import InputError
from geo.siting import LATER, Order, SitingParams
from tests.geo.towns import Town, pairs, some_towns

PARAMS = SitingParams.of(standards.load())


def found(town: Town, existing: int = 0, **given_: object) -> Order:
    return siting.in_order(pairs(town), town.people, town.room, existing=existing, **given_)  # type: ignore[arg-type]


# Place 0 reaches site 0; place 1 sites 0 and 1; place 2 sites 1 and 2; nobody reaches site 3.
ROW = Town([(0,), (0, 1), (1, 2), ()], [40, 50, 60, 7], [70, 100, 30, 500])


def test_the_order_by_eye() -> None:
    order = found(ROW)
    # Site 1 takes places 1 and 2 up to its 100; site 0 then place 0 and, as 1 moves over, the last 10 of place 2.
    assert order.alone.tolist() == [70, 100, 30, 0]
    assert (order.chosen.tolist(), order.gain.tolist(), order.before) == ([1, 0], [100, 50], 0)
    assert order.served.tolist() == [0, 100, 150]
    assert order.newly().tolist() == [40, 50, 60, 0] and order.unserved().tolist() == [0, 0, 0, 7]
    assert order.newly(1).sum() == 100 and order.at_most(2).tolist() == [0, 0, 0, 0]


def test_what_exists_comes_first() -> None:
    order = found(Town(ROW.reach, ROW.people, [70, 100, 30, 500]), existing=1)
    assert order.before == 70 and order.chosen.tolist() == [0] and order.gain.tolist() == [80]
    assert order.load.tolist() == [70, 80, 0, 0], "row 0 of the candidates is site 1"


def test_who_is_in_the_shelters_that_exist_stays_served() -> None:
    held = assignment.assign(pairs(ROW).where(pairs(ROW).site == 0), ROW.people, np.array([70, 0, 0, 0]))
    order = found(ROW, existing=1, held=held)
    assert order.unserved(0).tolist() == held.unserved.tolist()
    assert (order.newly() <= held.unserved).all()


def test_equal_gains_are_told_apart_by_rank() -> None:
    twins = Town([(0, 1), (0, 1)], [5, 5], [6, 6])
    assert found(twins).chosen.tolist() == [0, 1]
    assert found(twins, rank=np.array([1, 0])).chosen.tolist() == [1, 0]


def test_most() -> None:
    assert found(ROW, most=1).chosen.tolist() == [1]
    assert found(ROW, most=0).gain.tolist() == []


def test_nobody_and_nothing() -> None:
    empty = found(Town([], [], []))
    assert empty.chosen.tolist() == [] and empty.served.tolist() == [0] and empty.newly().tolist() == []
    nobody = found(Town([(0,)], [0], [9]))
    assert nobody.chosen.tolist() == [] and nobody.alone.tolist() == [0]
    assert siting.phased(empty, np.zeros(0), each=1.0, budgets=np.array([5.0])).people.tolist() == [0]


@pytest.mark.parametrize(
    ("people", "room", "existing"), [([1], [1, 1], 0), ([-1], [1], 0), ([1], [-1], 0), ([1], [1], 2)]
)
def test_what_does_not_fit_is_refused(people: list[int], room: list[int], existing: int) -> None:
    with pytest.raises(InputError):
        siting.in_order(pairs(Town([(0,)], [1], [1])), np.array(people), np.array(room), existing=existing)


# -- laws and oracles ----------------------------------------------------------------------------------------------


@given(some_towns(), st.data())
def test_each_step_adds_what_no_other_exceeds(town: Town, data: st.DataObject) -> None:
    existing = data.draw(st.integers(0, len(town.room)))
    order, open_ = found(town, existing), list(range(existing))
    assert order.before == town.most(open_)
    for step, (candidate, gain) in enumerate(zip(order.chosen.tolist(), order.gain.tolist(), strict=True)):
        left = [s for s in range(existing, len(town.room)) if s not in open_]
        gains = {s - existing: town.most([*open_, s]) - town.most(open_) for s in left}
        assert gain == gains[candidate] == max(gains.values())
        assert all(order.at_most(step)[c] >= g for c, g in gains.items())
        assert step or [order.alone[c] for c in gains] == list(gains.values())
        open_.append(existing + candidate)
    assert (np.diff(order.gain) <= 0).all() and (order.gain > 0).all()
    assert order.served[-1] == town.most(range(len(town.room))), "whoever could be sheltered is"
    assert (order.load <= town.room).all() and order.load.sum() == order.served[-1]


@given(some_towns(), st.data())
def test_sums_are_those_of_the_assignment_with_least_walking(town: Town, data: st.DataObject) -> None:
    existing = data.draw(st.integers(0, len(town.room)))
    here = np.arange(len(town.room)) < existing
    how = data.draw(st.sampled_from([assignment.assign, assignment.nearest_first]))
    held = how(pairs(town).where(here[pairs(town).site]), town.people, np.where(here, town.room, 0))
    order = found(town, existing, held=held)
    for opened in range(len(order.chosen) + 1):
        there = np.isin(np.arange(len(town.room)), np.r_[np.arange(existing), existing + order.chosen[:opened]])
        best = assignment.assign(pairs(town), town.people, np.where(there, town.room, 0))
        assert order.served[opened] == best.served
        assert order.unserved(opened).sum() == best.unserved.sum() and (order.unserved(opened) >= 0).all()
    assert (order.unserved() <= held.unserved).all(), "nobody loses a place"


@given(some_towns(), st.randoms(use_true_random=False), st.integers(0, 3))
def test_the_order_of_rows_decides_nothing(town: Town, chance: object, existing: int) -> None:
    existing = min(existing, len(town.room))
    places, more = np.arange(len(town.people)), np.arange(existing, len(town.room))
    chance.shuffle(places), chance.shuffle(more)  # type: ignore[attr-defined]
    sites = np.r_[np.arange(existing), more].astype(np.int64)
    new = {int(s): i for i, s in enumerate(sites)}
    moved = Town([sorted(new[s] for s in town.reach[p]) for p in places], town.people[places], town.room[sites])
    names = np.arange(len(town.people)), np.arange(len(town.room))
    one = found(town, existing, names=names)
    other = found(moved, existing, names=(places, sites), rank=more)
    assert (one.chosen + existing).tolist() == sites[other.chosen + existing].tolist()
    assert one.gain.tolist() == other.gain.tolist()
    assert one.newly()[places].tolist() == other.newly().tolist()


@given(some_towns(most=5), st.data())
def test_the_phases_lie_between_what_is_done_and_the_bound(town: Town, data: st.DataObject) -> None:
    order, n = found(town), len(town.room)
    fixed = np.array(data.draw(st.lists(st.integers(0, 40), min_size=n, max_size=n)), dtype=float)
    each = data.draw(st.sampled_from([0.0, 0.5, 2.0]))
    budgets = np.array(data.draw(st.lists(st.integers(0, 60), min_size=1, max_size=3)), dtype=float)
    phases = siting.phased(order, fixed, each=each, budgets=budgets)
    assert (np.diff(phases.people) >= 0).all() and (phases.people <= order.gain.sum()).all()
    for money, people, at_most in zip(phases.money, phases.people, phases.at_most, strict=True):
        best = 0
        for some in (list(c) for k in range(n + 1) for c in combinations(range(n), k)):
            left = money - fixed[some].sum()
            if left >= 0:
                best = max(best, town.most(some) if each == 0 else min(town.most(some), int(left / each)))
        assert people <= best <= at_most


# -- money ---------------------------------------------------------------------------------------------------------


def test_what_a_phase_does_not_finish_the_next_one_does() -> None:
    phases = siting.phased(found(ROW), np.full(4, 50.0), each=1.0, budgets=np.array([100.0, 60.0, 45.0]))
    # 100 people at site 1 cost 150: the first phase opens it and makes it ready for 50, the second for the others, and
    # 10 are left of its 160; with 45 more site 0 is opened for 50, and 5 people find room.
    assert phases.cost.tolist() == [150, 100]
    assert (phases.phase.tolist(), phases.whole.tolist()) == ([1, 3], [2, LATER])
    assert phases.people.tolist() == [50, 100, 105] and phases.opened.tolist() == [1, 1, 2]
    assert phases.at_most.tolist() == [50, 100, 105], "none of these can be beaten, and it is known"


def test_without_money_nothing_opens() -> None:
    phases = siting.phased(found(ROW), np.full(4, 50.0), each=1.0, budgets=np.zeros(3))
    assert phases.phase.tolist() == [LATER, LATER] and phases.people.tolist() == phases.at_most.tolist() == [0, 0, 0]


def test_budgets_follow_from_the_communities_or_are_the_planners() -> None:
    assert PARAMS.budgets(10).tolist() == [1500, 3000, 3000]
    mine = SitingParams.model_validate(PARAMS.model_dump() | {"phase_budgets": ("200", "auto", "0", "50.5")})
    assert mine.budgets(2).tolist() == [200, 600, 0, 50.5]
    with pytest.raises(ValidationError, match="should be numbers from 0, or auto"):
        SitingParams.model_validate(PARAMS.model_dump() | {"phase_budgets": ("-3",)})
