"""Sums, counts and quantiles of every part at once, beside each part looked up alone."""

from __future__ import annotations

import numpy as np
import pandas as pd
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.membership import NONE
from geo.parts import Parts
from tests.geo import one_by_one

ROWS = st.lists(
    st.tuples(st.integers(NONE, 3), st.integers(0, 20), st.one_of(st.just(np.nan), st.integers(0, 9).map(float))),
    max_size=40,
)


def test_three_houses_in_two_villages() -> None:
    parts = Parts.named(pd.Series(["a", None, "b", "a", "elsewhere"]), pd.Series(["b", "a", "empty"]))
    assert parts.part.tolist() == [1, NONE, 0, 1, NONE]
    assert parts.counts().tolist() == [1, 2, 0]
    assert parts.sums(np.array([1, 10, 100, 1000, 10000])).tolist() == [100, 1001, 0]
    walks = parts.quantiles(np.array([30.0, 1.0, 7.0, 60.0, 1.0]), np.array([9, 1, 1, 1, 1]), 0.5)
    assert walks.tolist()[:2] == [7, 30] and np.isnan(walks[2])
    assert [rows.tolist() for rows in parts.rows()] == [[2], [0, 3], []]


def test_rows_alike_are_one_part_in_the_order_of_their_keys() -> None:
    keys = pd.DataFrame({"edge": [7, 2, 7, 7], "cause": ["slowed", "closed", "closed", "slowed"]})
    assert Parts.grouped(keys).part.tolist() == [2, 0, 1, 2]


def test_no_rows_and_no_parts() -> None:
    none = Parts(np.zeros(0, dtype=np.int64), 2)
    assert none.counts().tolist() == none.sums(np.zeros(0, dtype=np.int64)).tolist() == [0, 0]
    assert np.isnan(none.quantiles(np.zeros(0), np.zeros(0, dtype=np.int64), 0.5)).all()
    nowhere = Parts.named(pd.Series(["a"]), pd.Series([], dtype=object))
    assert len(nowhere) == len(nowhere.rows()) == len(nowhere.quantiles(np.ones(1), np.ones(1), 0.5)) == 0


@settings(max_examples=60, deadline=None)
@given(ROWS, st.floats(0.01, 1))
def test_all_at_once_is_each_alone(rows: list[tuple[int, int, float]], share: float) -> None:
    table = pd.DataFrame(rows, columns=["part", "people", "walk_s"]).astype({"part": int, "people": int})
    table["walk_s"] = table["walk_s"].astype(float)
    parts, people = Parts(table["part"].to_numpy(), 4), table["people"].to_numpy()
    kept = people % 2 == 0
    for part in range(4):
        alone = table[table["part"] == part]
        assert parts.counts()[part] == len(alone) == len(parts.rows()[part])
        assert parts.sums(people)[part] == alone["people"].sum()
        assert parts.sums(people, kept)[part] == alone["people"][kept[alone.index]].sum()
        assert parts.counts(kept)[part] == kept[alone.index].sum()
        expected = one_by_one.quantile(alone["walk_s"], alone["people"], share)
        assert np.array_equal(
            parts.quantiles(table["walk_s"].to_numpy(), people, share)[part], expected, equal_nan=True
        )
