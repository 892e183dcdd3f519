"""Of equally good assignments always the same one is taken, however it was come by."""

from __future__ import annotations

from dataclasses import fields

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import assignment
from geo.assignment import Assigned
from geo.pairs import Pairs


def lattice(ways: list[tuple[int, int, int]], places: int, sites: int) -> Pairs:
    """Ways of few different lengths: most of them tie."""
    rows = np.array(ways or [(0, 0, 1)], dtype=np.int64)
    return Pairs.of(rows[:, 0] % places, rows[:, 1] % sites, 60_000 * (1 + rows[:, 2] % 2), places=places, sites=sites)


def same(one: Assigned, other: Assigned) -> bool:
    names = [f.name for f in fields(Assigned) if f.name in ("place", "site", "people", "first", "cost_ms", "unserved")]
    return all(np.array_equal(getattr(one, name), getattr(other, name)) for name in names)


def test_two_at_two_doors_equally_far() -> None:
    """a and b, one person each, one space at each of two shelters, all a minute away: the pairing is always the same.

    Two assignments are best; whoever stood where before changes nothing.
    """
    pairs = Pairs.of(np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1]), np.full(4, 60_000), places=2, sites=2)
    one = np.array([1, 1])
    cold = assignment.assign(pairs, one, one)
    for before in ([1, 0], [0, 1], [2, 0], [0, 2], [9, 9]):
        warm = assignment.assign(pairs, one, one, warm=assignment.assign(pairs, one, np.array(before)))
        assert same(warm, cold)
        assert warm.gap_ms == 0


TOWNS = st.tuples(
    st.lists(st.tuples(st.integers(0, 9), st.integers(0, 5), st.integers(0, 3)), min_size=1, max_size=50),
    st.lists(st.integers(0, 6), min_size=10, max_size=10),
    st.lists(st.integers(0, 9), min_size=6, max_size=6),
    st.lists(st.integers(0, 9), min_size=6, max_size=6),
    st.lists(st.integers(0, 3), min_size=10, max_size=10),
)


@settings(max_examples=150, deadline=None)
@given(TOWNS)
def test_warm_and_cold_take_the_same_rows(town: tuple[list[tuple[int, int, int]], *tuple[list[int], ...]]) -> None:
    ways, people, room, before, first = town
    pairs, n = lattice(ways, 10, 6), np.array(people)
    old = np.minimum(np.array(first), n)
    cold = assignment.assign(pairs, n, np.array(room), first=old)
    then = assignment.assign(pairs, n, np.array(before), first=old)
    assert same(assignment.assign(pairs, n, np.array(room), first=old, warm=then), cold)


@settings(max_examples=60, deadline=None)
@given(TOWNS)
def test_what_is_taken_is_as_good_and_hardly_splits(
    town: tuple[list[tuple[int, int, int]], *tuple[list[int], ...]],
) -> None:
    ways, people, room, _, _ = town
    pairs, n = lattice(ways, 10, 6), np.array(people)
    found = assignment.assign(pairs, n, np.array(room))
    assert found.gap_ms == 0
    assert (found.load(6) <= room).all()
    assert (found.parts - 1).clip(0).sum() <= 6
