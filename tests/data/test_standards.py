from __future__ import annotations

import re

import pytest

from data import standards
from geo.city import PlanParams
from geo.errors import ParameterError
from geo.standards import GRADES, Standards, Value

VALUES = standards.load()


@pytest.mark.parametrize("key", sorted(VALUES))
def test_every_value_says_what_it_is_and_how_sure(key: str) -> None:
    value = VALUES[key]
    assert value.grade in GRADES
    assert value.unit
    assert value.help.endswith(".")
    assert value.standard
    assert value.clause or value.grade in ("P", "M")  # a clause that was seen can be named


def test_what_is_from_memory_is_labelled() -> None:
    assert GRADES["M"] == ("to be confirmed", "待核实")
    assert any(value.grade == "M" for value in VALUES.values())


def test_every_parameter_has_its_default_here() -> None:
    assert PlanParams.of(VALUES).walk.max_minutes == VALUES.number("walk.max_minutes") == 15


@pytest.mark.parametrize(("key", "low", "high"), [
    ("walk.speed_ms", 0.9, 1.4), ("walk.max_minutes", 5, 30), ("walk.close_depth_m", 0.3, 0.5),
    ("tiers.china.emergency_m2_per_person", 0.5, 1), ("tiers.china.short_m2_per_person", 1.5, 3.5),
    ("tiers.china.emergency_min_site_m2", 1000, 2000), ("shelter.min_site_m2", 1000, 2000),
])  # fmt: skip
def test_numbers_lie_where_the_sources_have_them(key: str, low: float, high: float) -> None:
    assert low <= VALUES.number(key) <= high


def test_an_unknown_key_is_named() -> None:
    with pytest.raises(ParameterError, match=re.escape("'walk.speed'")):
        VALUES.number("walk.speed")


def test_a_grade_that_is_none_is_refused() -> None:
    with pytest.raises(ParameterError, match="grade of V, V2, M"):
        Value(1.0, "m", "", "", "X", "")


def test_words_and_numbers_are_not_mixed_up() -> None:
    mixed = Standards({"a.n": Value(1.0, "m", "s", "c", "V", "h."), "a.w": Value(("x",), "kinds", "s", "c", "V", "h.")})
    assert (mixed.number("a.n"), mixed.words("a.w")) == (1.0, ("x",))
    with pytest.raises(ParameterError, match="a number"):
        mixed.number("a.w")
    with pytest.raises(ParameterError, match="a list of words"):
        mixed.words("a.n")
