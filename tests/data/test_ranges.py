from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.ranges import Range, read


@pytest.mark.parametrize(("text", "value", "unit"), [
    ("0.3m未満の区域", 0.3, "m"), ("0.3~0.5m未満の区域", 0.5, "m"), ("5.0~10.0m未満の区域", 10, "m"),
    ("0.5m以上3.0m未満", 3, "m"), ("0.01m以上 ～ 0.3m未満", 0.3, "m"), ("０．５ｍ〜１ｍ", 1, "m"),
    ("0.15～0.5米", 0.5, "m"),
    ("15cm以下", 15, "cm"), ("50厘米以下", 50, "cm"), ("<0.5m", 0.5, "m"), ("0.5 to 1.5 m", 1.5, "m"), ("1~2", 2, ""),
    ("12時間以上24時間未満", 24, "h"), ("72時間以上168時間未満（1週間）", 168, "h"), ("1日以上3日未満", 3, "d"),
    ("浸水なし", 0, ""),
])  # fmt: skip
def test_ranges_count_as_their_upper_end(text: str, value: float, unit: str) -> None:
    assert read(text) == Range(value, unit)


@pytest.mark.parametrize("text", ["20m以上", "20.0m超", ">20 m", "above 20 m", "２０ｍ以上"])
def test_ranges_without_an_upper_end_are_told(text: str) -> None:
    assert read(text) == Range(20, "m", open_=True)


@pytest.mark.parametrize("text", [
    "3", "レベル3", "第3段階", "高", "", "1-in-100", "10年", "0.5m以上1m未満 3m", "100 mm to 0.5 m", "2020", "1,2,3",
])  # fmt: skip
def test_what_may_be_something_else_is_no_range(text: str) -> None:
    assert read(text) is None


@given(
    st.integers(0, 400),
    st.integers(1, 400),
    st.sampled_from(["{}~{}m", "{}m以上{}m未満", "{}-{} m", "{}m～{}m未満の区域"]),
)
def test_any_range_is_its_upper_end(low: int, wide: int, form: str) -> None:
    found = read(form.format(low / 20, (low + wide) / 20))
    assert found == Range((low + wide) / 20, "m")
