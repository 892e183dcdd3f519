from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import dates, numbers


def one(value: object, dimension: str = "people") -> float:
    return float(numbers.read(pd.Series([value], dtype=object), dimension).values[0])


@pytest.mark.parametrize(("written", "dimension", "value"), [
    ("１２３", "", 123), ("1,200人", "people", 1200), ("475㎡", "m2", 475), ("约500", "people", 500), ("10+", "", 10),
    ("1.2万人", "people", 12_000), ("3.5公顷", "m2", 35_000), ("1 200", "", 1200), ("475,5", "", 475.5),
    ("1,234,567.5", "", 1234567.5), ("100 Orang", "people", 100), ("−5", "", -5), ("2亩", "m2", 1333.33),
    ("100名以上", "people", 100), ("10以上", "people", 10), ("0,500", "", 0.5), ("0,125", "", 0.125),
    ("2,500", "", 2500),
])  # fmt: skip
def test_numbers_in_every_dress(written: str, dimension: str, value: float) -> None:
    assert one(written, dimension) == pytest.approx(value, abs=0.01)


@pytest.mark.parametrize("written", ["500-600", ">100", "many", "1m", "475㎡", "1_000", "inf", "nan", "200 0rang"])
def test_what_is_no_number_of_people_is_lost(written: str) -> None:
    found = numbers.read(pd.Series([written, "3"], dtype=object), "people")
    assert np.isnan(found.values[0])
    assert found.lost.tolist() == [written != "nan", False]


@pytest.mark.parametrize("nothing", ["", " ", "不明", "N/A", "-", None, np.nan, pd.NA, "暂无", "#REF!"])
def test_nothing_is_not_lost(nothing: object) -> None:
    found = numbers.read(pd.Series([nothing], dtype=object))
    assert np.isnan(found.values[0]) and not found.lost[0] and not found.mended[0]


@settings(max_examples=60, deadline=None)
@given(st.floats(0, 1e9, allow_nan=False).map(lambda value: round(value, 2)))
def test_groups_and_width_change_nothing(value: float) -> None:
    wide = str.maketrans("0123456789.", "０１２３４５６７８９．")
    assert one(f"{value:,.2f}") == one(f"{value:.2f}".translate(wide)) == one(value) == value


def test_placeholders() -> None:
    given_ = pd.Series([-9999.0, 999999, 9999, "99999", None, "-999", 12], dtype=object)
    assert numbers.placeholders(given_).tolist() == [True, True, False, True, False, True, False]


@pytest.mark.parametrize(("written", "day"), [
    ("2026-05-01", "2026-05-01"), ("2026/5/1", "2026-05-01"), ("2026年5月", "2026-05"), ("令和8年5月1日", "2026-05-01"),
    ("平成元年2月", "1989-02"), ("20260501", "2026-05-01"), (pd.Timestamp("2026-05-01 10:00"), "2026-05-01"),
    ("2026-13-01", None), ("soon", None), ("26", None),
])  # fmt: skip
def test_days(written: object, day: str | None) -> None:
    assert dates.day(written) == day
