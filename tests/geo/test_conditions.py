"""Restrictions by the hour, hour by hour."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo.conditions import DAYS, Answer, Moment, holding, moment
from geo.errors import ParameterError


@pytest.mark.parametrize(
    ("text", "when", "expected"),
    [
        ("no @ (Mo-Fr 07:00-09:00)", "Mo 07:00", "no"),
        ("no @ (Mo-Fr 07:00-09:00)", "Mo 09:00", None),
        ("no @ (Mo-Fr 07:00-09:00)", "Su 08:00", None),
        ("no @ Mo-Fr 07:00-09:00", "We 08:59", "no"),
        ("no @ (07:00-09:00,16:00-18:00)", "Sa 17:00", "no"),
        ("no @ (22:00-06:00)", "Mo 23:00", "no"),
        ("no @ (Sa 22:00-06:00)", "Su 05:59", "no"),
        ("no @ (Sa 22:00-06:00)", "Sa 05:00", None),
        ("no @ (Fr-Mo)", "Su 12:00", "no"),
        ("no @ (Fr-Mo)", "Tu 12:00", None),
        ("no @ (Mo,We 10:00-12:00)", "We 10:30", "no"),
        ("no @ (24/7)", "Th 03:00", "no"),
        ("no @ (Mo-Fr 07:00-09:00; PH off)", "Th 08:00", "no"),
        ("no @ (Mo-Su 07:00-19:00; We off)", "We 08:00", None),
        ("no @ (Mo-Fr 08:00-12:00; We 14:00-16:00)", "We 09:00", None),
        ("delivery @ (06:00-11:00); no @ (11:00-18:00)", "Mo 12:00", "no"),
        ("delivery @ (06:00-11:00); no @ (10:00-18:00)", "Mo 10:30", "no"),
        ("no @ (Mo-Fr AND 07:00-09:00)", "Tu 08:00", "no"),
        ("no @ (Mo-Fr AND 07:00-09:00)", "Tu 10:00", None),
    ],
)
def test_what_holds_when(text: str, when: str, expected: str | None) -> None:
    assert holding(text, moment(when)) == Answer(expected, True)


@pytest.mark.parametrize("text", ["no @ wet", "no @ (weight>7.5)", "no @ (Jun-Aug)", "no", "", "no @ (sunset-sunrise)"])
def test_what_is_not_understood_does_not_hold(text: str) -> None:
    assert holding(text, Moment(0, 0)) == Answer(None, False)


def test_one_clause_that_is_understood_holds_beside_one_that_is_not() -> None:
    assert holding("no @ wet; no @ (07:00-09:00)", moment("Mo 08:00")) == Answer("no", False)


@pytest.mark.parametrize("text", ["", "08:00", "Xx 08:00", "Mo 24:00", "Mo 08:61", "Mo-Fr 08:00"])
def test_what_is_no_moment_is_refused(text: str) -> None:
    with pytest.raises(ParameterError, match="Mo 08:30"):
        moment(text)


days, minutes = st.integers(0, 6), st.integers(0, 24 * 60 - 1)


@given(days, days, minutes, minutes, days, minutes)
def test_against_walking_through_the_week(a: int, b: int, start: int, end: int, day: int, minute: int) -> None:
    """Every minute of the week on which the rule holds, counted out one by one."""
    span = range(start, end if end > start else end + 24 * 60)
    over = {(a + i) % 7 for i in range((b - a) % 7 + 1)}
    held = {((d * 1440) + m) % (7 * 1440) for d in over for m in span}
    text = f"no @ ({DAYS[a]}-{DAYS[b]} {start // 60:02}:{start % 60:02}-{end // 60:02}:{end % 60:02})"
    assert holding(text, Moment(day, minute)).value == ("no" if day * 1440 + minute in held else None)


@given(st.text(max_size=30))
def test_no_text_breaks_it(text: str) -> None:
    assert holding(text, Moment(0, 0)).understood in (True, False)
