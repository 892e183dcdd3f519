"""Measures written as text, and words looked up."""

from __future__ import annotations

import math

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import tags
from geo.tags import Tags

LIMITS = {"urban": 50.0, "nl:rural": 80.0, "walk": 7.0, "none": 130.0}


def same(found: float, expected: float | None) -> None:
    assert math.isnan(found) if expected is None else found == pytest.approx(expected)


@pytest.mark.parametrize(
    ("text", "kmh"),
    [
        *(("50", 50), ("50 km/h", 50), ("30 mph", 48.28032), ("30mph", 48.28032), ("10 knots", 18.52), ("walk", 7)),
        *(("none", 130), ("NL:urban", 50), ("nl:rural", 80), ("XX:rural", None), ("DE:zone30", 30), ("DE:zone:20", 20)),
        *(("50;30", 30), ("50; signals", 50), ("signals", None), ("", None), ("fast", None), ("0", None), ("-5", None)),
    ],
)
def test_speed_limits(text: str, kmh: float | None) -> None:
    same(tags.speed_kmh(text, limits=LIMITS), kmh)


@pytest.mark.parametrize(
    ("text", "metres"),
    [
        *(("3.5", 3.5), ("3,5", 3.5), ("3.5 m", 3.5), ("350 cm", 3.5), ("12'", 3.6576), ("12'6\"", 3.81)),
        *(("12 ft", 3.6576), ("12 ft 6 in", 3.81), ("default", None), ("below_default", None), ("", None)),
    ],
)
def test_lengths(text: str, metres: float | None) -> None:
    same(tags.length_m(text), metres)


@pytest.mark.parametrize(
    ("text", "tonnes"),
    [("7.5", 7.5), ("7.5 t", 7.5), ("3500 kg", 3.5), ("10 st", 9.0718474), ("8000 lbs", 3.62873896), ("heavy", None)],
)
def test_weights(text: str, tonnes: float | None) -> None:
    same(tags.mass_t(text), tonnes)


@pytest.mark.parametrize(
    ("text", "slope"),
    [
        *(("10%", 0.1), ("-5 %", -0.05), ("45°", 1), ("1:12", 1 / 12), ("+8%", 0.08), ("up", None), ("down", None)),
        *(("0.1", None), ("90°", None), ("1:0", None), ("steep", None)),
    ],
)
def test_inclines(text: str, slope: float | None) -> None:
    same(tags.incline(text), slope)


@given(st.text(max_size=12))
def test_no_text_breaks_a_reader(text: str) -> None:
    for read in (tags.length_m, tags.mass_t, lambda t: tags.speed_kmh(t, limits=LIMITS)):
        found = read(text)
        assert math.isnan(found) or found > 0
    assert not math.isinf(tags.incline(text))


@given(st.floats(0.5, 20), st.sampled_from(["m", "cm", "mm"]))
def test_a_length_is_the_same_in_every_unit(metres: float, unit: str) -> None:
    value = metres / tags.METRES[unit]
    assert tags.length_m(f"{value:.6f} {unit}") == pytest.approx(metres, rel=1e-4)


TABLE = pd.DataFrame({"surface": ["sand", None, "asphalt", "sand"], "maxheight": ["3", None, "tall", "2"]})


def test_words_of_a_column() -> None:
    found = Tags(TABLE)
    assert found.said("surface").tolist() == [True, False, True, True]
    assert found.among("surface", ("sand", "mud")).tolist() == [True, False, False, True]
    assert not found.among("surface", ()).any()
    assert found.words("surface") == ["sand", "asphalt"]
    assert found.read("maxheight", tags.length_m).tolist() == pytest.approx([3, math.nan, math.nan, 2], nan_ok=True)
    assert repr(found) == "Tags(4 rows, 2 columns)"


def test_some_rows_said_otherwise() -> None:
    found = Tags(TABLE)
    other = found.replaced("surface", {1: "ice"})
    assert other.among("surface", ("ice",)).tolist() == [False, True, False, False]
    assert not found.said("surface")[1]
