"""Rules as they are written: conditions, formulas, what they assume, and what is none of them."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from geo.rules import MOST_M, NO_RULES, OWN, Condition, Formula, Rule, Rules

TOLD: dict[str, Any] = {
    "layer": "sources", "kinds": ("slope",), "distance": "2H <= 50", "assume": {"height_m": 8.0}, "zone": "let",
    "applies_to": ("building",), "standard": "a standard", "grade": "P", "en": "Slope", "zh": "坡",
}  # fmt: skip
NAN = np.nan


def rule(**changes: Any) -> Rule:
    return Rule(**TOLD | changes)


def metres(text: str, *heights: float) -> list[float]:
    return Formula(text).metres({"height_m": np.array(heights)}).tolist()


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2H <= 50", [0.0, 20.0, 50.0]),
        ("2H ≤ 50", [0.0, 20.0, 50.0]),
        ("min(2*H, 50)", [0.0, 20.0, 50.0]),
        ("max(H, 15) / 3", [5.0, 5.0, 40.0]),
        ("10 + 0.5height_m", [10.0, 15.0, 70.0]),
        ("(H - -5) * 2", [10.0, 30.0, 250.0]),
        ("H - 12 + 12", [0.0, 10.0, 120.0]),
        ("2 H", [0.0, 20.0, 240.0]),
    ],
)
def test_a_formula_comes_to_metres(text: str, expected: list[float]) -> None:
    assert metres(text, 0, 10, 120) == pytest.approx(expected)
    assert np.isnan(metres(text, NAN)).all()


@pytest.mark.parametrize(
    "text",
    ["", "H -", "H ** 2", "2 H H", "-5", "5 - H", "1 / 0", "60000", "H > 3", "min(H)", "abs(H)", "__import__('os')",
     "H.real", "'5'", "True", "[1]", "2H <= 50 <= 3", "nan", "1e999", "H if H else 1", "(" * 30 + "H" + ")" * 30 + "+" ,
     "2H <=", "<= 5", "<=", "2H, 3 <=", "H) + (H <= 5",
     "+".join(["H"] * 40), "9" * 200, "\0", "H\n+1)", "lambda: 3"],
)  # fmt: skip
def test_what_is_no_distance_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        rule(distance=text)


def test_a_division_by_zero_is_not_known_and_nothing_is_farther_than_any_distance() -> None:
    """At runtime: of a height of 0 nobody can say 100/H; H = 1 mm would be 100 km."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert metres("100 / H", 0, 50, 0.001) == pytest.approx([NAN, 2.0, MOST_M], nan_ok=True)
        assert np.isnan(metres("H / H", 0)).all()
        assert metres("999999 * H", 1, 0) == [MOST_M, 0.0]
        assert rule(distance="100 / H", assume={"height_m": 0.0}).metres({}, 2).tolist() == pytest.approx(
            [NAN, NAN], nan_ok=True
        )


def test_a_formula_needs_an_assumption_for_what_may_not_be_told() -> None:
    assert rule().metres({"height_m": np.array([NAN, 4.0])}, 2).tolist() == [16.0, 8.0]
    assert rule().metres({}, 3).tolist() == [16.0] * 3
    with pytest.raises(ValidationError, match=r"should say what to assume .* where height_m is not known"):
        rule(assume={})
    # A condition on it says as much: where it is not known the rule does not hold, and no distance is told.
    asked = rule(assume={}, where=("height_m >= 5",))
    height = {"height_m": np.array([NAN, 4.0, 30.0])}
    assert asked.holds(height, 3).tolist() == [False, False, True]
    assert np.isnan(asked.metres(height, 3)).tolist() == [True, False, False]


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("height_m >= 5", [False, True, True, False]), ("height_m > 5", [False, False, True, False]),
        ("height_m <= 5", [True, True, False, False]), ("height_m < 5", [True, False, False, False]),
        ("height_m == 5", [False, True, False, False]), ("height_m != 5", [True, False, True, False]),
        ("height_m is unknown", [False, False, False, True]), ("height_m is known", [True, True, True, False]),
        ("  height_m>=5e0  ", [False, True, True, False]),
    ],
)  # fmt: skip
def test_a_condition_holds(text: str, expected: list[bool]) -> None:
    assert Condition.parse(text).holds(np.array([-3.0, 5.0, 7.0, NAN])).tolist() == expected


@pytest.mark.parametrize(
    "text",
    ["", "height_m", "height_m => 5", "5 <= height_m", "height_m >= H", "height_m >= 5; 1", "height_m is",
     "height_m >= 0x10", "height_m >= nan", "a" * 200 + " >= 1"],
)  # fmt: skip
def test_what_is_no_condition_is_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        rule(where=(text,))


@pytest.mark.parametrize(
    ("changes", "why"),
    [
        ({"where": ("voltage_v >= 5", "colour >= 1")}, "only cover_m, grade, height_m, intensity, .*not colour"),
        ({"layer": "lines"}, "should ask of lines only intensity, voltage_v, not height_m"),
        ({"level": 3}, "should have a level if its layer is hazards, and none otherwise"),
        ({"layer": "hazards", "distance": 0, "assume": {}}, "should have a level"),
        ({"layer": "rivers"}, "layer"), ({"kinds": ()}, "kinds"), ({"zone": "avoid"}, "zone"),
        ({"applies_to": ("class_e",)}, "applies_to"), ({"on": ()}, "on"), ({"grade": "X"}, "grade"),
        ({"distance": True}, "distance"), ({"distance": -1}, "0 to 50,000 metres"), ({"colour": 1}, "colour"),
    ],
)  # fmt: skip
def test_what_does_not_fit_together_is_refused(changes: dict[str, Any], why: str) -> None:
    with pytest.raises(ValidationError, match=why):
        rule(**changes)


def test_sets_are_chosen_with_the_studys_own_and_what_is_not_used_left_out() -> None:
    rules = Rules({"a": rule(), "b": rule(), "c": rule(use=False), "d": rule(use=False)},
                  {"a": "china", "b": "japan", "c": "china", "d": OWN})  # fmt: skip
    assert list(rules.chosen(("china",)).rules) == ["a"]
    assert list(rules.chosen(("japan", "china")).rules) == ["a", "b"]
    own = Rules({**rules.rules, "d": rule()}, rules.of)
    assert list(own.chosen(()).rules) == ["d"]
    assert len(NO_RULES.chosen(("china",))) == 0


@settings(deadline=None, max_examples=40)
@given(st.floats(0, 1e4), st.floats(0, 1e4), st.floats(0, 500), st.floats(0, 500))
def test_a_formula_is_what_python_makes_of_it(a: float, b: float, high: float, higher: float) -> None:
    text = f"min({a:.3f} + H * 2, max({b:.3f}, H)) / 4"
    expected = [min(float(f"{a:.3f}") + h * 2, max(float(f"{b:.3f}"), h)) / 4 for h in (high, higher)]
    assert metres(text, high, higher) == pytest.approx(expected)
