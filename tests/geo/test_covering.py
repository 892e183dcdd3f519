"""Covering a need at least cost: drawn, by law, and against every choice there is."""

from __future__ import annotations

from itertools import product

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import covering
from geo.covering import Offers


def offers(*rows: tuple[int, int, float]) -> Offers:
    """Least, most and unit cost of each."""
    least, most, cost = (np.array(column) for column in zip(*rows, strict=True))
    return Offers(least.astype(np.int64), most.astype(np.int64), cost.astype(float))


def taken(need: int, of: Offers, piece: float = 0.0) -> list[int]:
    return [int(units) for units in covering.cheapest(need, of, piece=piece, nodes=10_000).taken]


def test_the_cheapest_first_and_of_the_last_only_what_is_needed() -> None:
    assert taken(150, offers((10, 100, 1.0), (10, 100, 2.0), (10, 100, 3.0))) == [100, 50, 0]


def test_never_less_than_the_least_of_an_offer() -> None:
    """Of the second at least 60 must be taken: 10 less of the first would not save it."""
    assert taken(110, offers((10, 100, 1.0), (60, 100, 2.0))) == [50, 60]


def test_whole_offers_may_give_more_than_is_needed() -> None:
    """80 whole beats 50 and 40 whole, for a need of 70."""
    assert taken(70, offers((50, 50, 1.0), (40, 40, 1.0), (80, 80, 1.0))) == [0, 0, 80]


def test_one_dear_piece_beats_many_cheap_ones_where_pieces_cost() -> None:
    many = offers(*((10, 30, 1.0) for _ in range(4)), (10, 200, 1.2))
    assert taken(120, many) == [30, 30, 30, 30, 0]
    assert taken(120, many, piece=20) == [0, 0, 0, 0, 120]


def test_too_little_is_all_taken_and_short_is_told() -> None:
    found = covering.cheapest(500, offers((10, 100, 1.0), (20, 200, 1.0)), piece=0, nodes=10_000)
    assert found.taken.tolist() == [100, 200] and found.short == 200 and np.isnan(found.gap)
    nothing = covering.cheapest(0, offers((10, 100, 1.0)), piece=5, nodes=10_000)
    assert nothing.taken.tolist() == [0] and nothing.cost == 0
    assert repr(found) == "Covering(300 units of 2 offers, short 200, gap nan)"


some = st.lists(st.tuples(st.integers(1, 40), st.integers(0, 60), st.integers(1, 9)), min_size=1, max_size=7)


@given(some, st.integers(1, 300), st.sampled_from([0.0, 25.0]))
@settings(deadline=None, max_examples=60)
def test_no_choice_is_cheaper(rows: list[tuple[int, int, int]], need: int, piece: float) -> None:
    of = offers(*((least, least + more, cost) for least, more, cost in rows))
    found = covering.cheapest(need, of, piece=piece, nodes=10_000)
    assert found.taken.sum() + found.short >= need
    assert np.all((found.taken == 0) | ((found.taken >= of.least) & (found.taken <= of.most)))
    if not found.short:
        assert found.gap in (0.0,) or np.isnan(found.gap)
        assert found.cost == pytest.approx(min(costs(need, of, piece)), rel=1e-6)


def costs(need: int, of: Offers, piece: float) -> list[float]:
    """What every choice costs that covers the need: the least of each, then the cheapest of those chosen."""
    found = []
    for chosen in product([False, True], repeat=len(of)):
        rows = [row for row in range(len(of)) if chosen[row]]
        if sum(of.most[row] for row in rows) < need:
            continue
        lacking = need - sum(of.least[row] for row in rows)
        cost = sum(of.least[row] * of.cost[row] for row in rows) + piece * len(rows)
        for row in sorted(rows, key=lambda each: of.cost[each]):
            more = max(0, min(lacking, of.most[row] - of.least[row]))
            cost, lacking = cost + more * of.cost[row], lacking - more
        found.append(float(cost))
    return found
