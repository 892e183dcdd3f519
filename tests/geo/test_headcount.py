"""Whole persons: nobody gained, nobody lost, whatever the order."""

from __future__ import annotations

import random

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.headcount import NOBODY, capped, portion, shared, whole

fractions = st.lists(st.floats(0, 50), max_size=30)
places = st.lists(st.tuples(st.integers(0, 40), st.floats(0, 1), st.sampled_from("ab")), max_size=25)
parts = st.lists(st.tuples(st.integers(NOBODY, 2), st.integers(0, 30)), max_size=25)


def names(n: int) -> np.ndarray:
    return np.array([f"w{i}" for i in range(n)], dtype=object)


@given(fractions)
def test_whole_people_add_up_to_the_rounded_sum(people: list[float]) -> None:
    found = whole(np.array(people, dtype=float), names(len(people)))
    assert found.dtype == np.int64 and (found >= 0).all()
    assert abs(found.sum() - sum(people)) <= 0.5 + 1e-9
    assert (np.abs(found - people) < 1 + 1e-9).all()


@given(places, st.integers(0, 99))
def test_the_order_of_rows_changes_nothing(rows: list[tuple[int, float, str]], seed: int) -> None:
    order = random.Random(seed).sample(range(len(rows)), len(rows))
    ids, people = names(len(rows)), np.array([n for n, _, _ in rows], dtype=np.int64)
    share = np.array([s for _, s, _ in rows])
    part = np.array([p for _, _, p in rows], dtype=object)
    unit = np.where(part == "a", 0, 1) if len(rows) else np.zeros(0, dtype=np.int64)
    total = np.array([3, 50])
    for found, again in (
        (whole(people * share, ids), whole((people * share)[order], ids[order])),
        (capped(people * share, people, ids), capped((people * share)[order], people[order], ids[order])),
        (portion(people, share, ids, part=part), portion(people[order], share[order], ids[order], part=part[order])),
        (shared(total, unit, people, ids), shared(total, unit[order], people[order], ids[order])),
    ):
        assert found[order].tolist() == again.tolist()


@given(places)
def test_a_portion_is_never_more_than_there_are_and_adds_up_in_each_part(rows: list[tuple[int, float, str]]) -> None:
    people = np.array([n for n, _, _ in rows], dtype=np.int64)
    share = np.array([s for _, s, _ in rows])
    part = np.array([p for _, _, p in rows], dtype=object)
    found = portion(people, share, names(len(rows)), part=part)
    assert ((found >= 0) & (found <= people)).all()
    for name in set(part):
        assert abs(found[part == name].sum() - (people * share)[part == name].sum()) <= 0.5 + 1e-3


@given(places)
def test_what_is_capped_keeps_its_sum_while_there_is_room(rows: list[tuple[int, float, str]]) -> None:
    most = np.array([n for n, _, _ in rows], dtype=np.int64)
    values = np.array([n * s for n, s, _ in rows])[::-1].copy()  # in others' places: some find no room
    found = capped(values, most, names(len(rows)))
    assert ((found >= 0) & (found <= most)).all()
    assert found.sum() == min(np.floor(values.sum() + 0.5), most.sum())


@given(parts, st.lists(st.integers(0, 300), min_size=3, max_size=3))
def test_every_unit_keeps_its_own(rows: list[tuple[int, int]], total: list[int]) -> None:
    unit, weight = np.array(rows, dtype=np.int64).reshape(-1, 2).T
    found = shared(np.array(total), unit, weight, names(len(rows)))
    for number, people in enumerate(total):
        here = unit == number
        assert found[here].sum() == (people if weight[here].sum() else 0)
        if people <= weight[here].sum():
            assert (found[here] <= weight[here]).all()
    assert not found[unit == NOBODY].any()


def test_a_tie_is_not_lost_to_rounding() -> None:
    """Ten places with half a person each, then three who all go: never four of three."""
    people = np.array([1] * 9 + [3])
    share = np.array([0.5] * 9 + [1.0])
    assert portion(people, share, names(10), part=np.array(["a"] * 10, dtype=object))[9] == 3


def test_shares_of_weights_that_are_not_whole() -> None:
    found = shared(np.array([8]), np.array([0, 0, NOBODY]), np.array([0.1, 0.3, 9.0]), names(3))
    assert found.tolist() == [2, 6, 0]


@pytest.mark.parametrize("of", [whole, capped, shared])
def test_nobody(of: object) -> None:
    none, ids = np.zeros(0, dtype=np.int64), names(0)
    found = {whole: lambda: whole(none, ids), capped: lambda: capped(none, none, ids),
             shared: lambda: shared(none, none, none, ids)}[of]()  # type: ignore[index]  # fmt: skip
    assert len(found) == 0
