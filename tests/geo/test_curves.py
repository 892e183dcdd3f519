"""Curves and classes against the values that their sources give."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from pydantic import ValidationError

from data import standards
from geo import curves
from geo.curves import FloodParams, SandParams
from geo.profiles import Rules

RULES = Rules.of(standards.load())
FLOOD = RULES.flood


def one(value: float) -> np.ndarray:
    return np.array([value])


def test_water_slows_cars_as_published() -> None:
    """DOMAIN's computed values of Pregnolato et al. 2017, rounded to two digits there."""
    depth = np.array([0.05, 0.1, 0.15, 0.2, 0.25, 0.3])
    speed = curves.water_speed_kmh(depth, close_m=0.3, params=FLOOD)
    assert_allclose(speed, [61.55, 40.65, 24.26, 12.36, 4.97, 2.07], atol=0.01)


def test_dry_and_unknown_do_not_slow() -> None:
    assert np.isinf(curves.water_speed_kmh(np.array([0.0, np.nan]), close_m=0.3, params=FLOOD)).all()


def test_the_curve_is_stretched_to_the_depth_that_closes() -> None:
    high = curves.water_speed_kmh(np.array([0.25, 0.5]), close_m=0.5, params=FLOOD)
    assert_allclose(high, curves.water_speed_kmh(np.array([0.15, 0.3]), close_m=0.3, params=FLOOD))


depths = st.floats(0, 3)


@given(depths, depths, st.floats(0.05, 2))
def test_deeper_water_is_never_faster(a: float, b: float, close: float) -> None:
    low, high = curves.water_speed_kmh(np.sort(np.array([a, b])), close_m=close, params=FLOOD)
    assert low >= high > 0


@pytest.mark.parametrize(
    ("depth", "velocity", "expected"),
    [
        *((0.2, 0.5, 1), (0.4, 0.5, 2), (0.6, 0.5, 3), (1.3, 0.2, 4), (0.5, 1.5, 4), (1, 1.5, 5), (0.2, 2.5, 5)),
        *((4.5, 0, 6), (1.5, 3, 6), (0.2, 0, 1), (0.3, 1.0, 1), (0.3, 2.0, 2), (0, 5, 0), (np.nan, np.nan, 0)),
        *((np.nan, 2.5, 5), (0.6, np.nan, 3)),
    ],
)
def test_hazard_classes(depth: float, velocity: float, expected: int) -> None:
    assert curves.hazard_class(one(depth), one(velocity), params=FLOOD) == [expected]


def by_the_table(depth: float, velocity: float) -> int:
    """The rule read off the table, row by row."""
    table = [(0.3, 0.3, 2), (0.6, 0.5, 2), (0.6, 1.2, 2), (1.0, 2.0, 2), (4.0, 4.0, 4)]
    fits = (i for i, (dv, d, v) in enumerate(table, 1) if depth * velocity <= dv and depth <= d and velocity <= v)
    return next(fits, 6)


@given(st.floats(0.001, 6), st.floats(0, 6))
def test_classes_against_the_table(depth: float, velocity: float) -> None:
    assert curves.hazard_class(one(depth), one(velocity), params=FLOOD) == [by_the_table(depth, velocity)]


def test_still_water_has_no_class_by_flow() -> None:
    assert curves.flow_class(one(1.9), one(0.0), params=FLOOD) == [1]
    assert curves.flow_class(one(1.9), one(np.nan), params=FLOOD) == [0]


def test_slope_slows_as_published() -> None:
    """DOMAIN's computed values of Tobler's function relative to the level, but for the gain downhill."""
    slope = np.array([-0.2, -0.1, -0.05, 0, 0.05, 0.1, 0.15, 0.2, 0.3, np.nan])
    free = RULES.slope.model_copy(update={"most": 2.0})
    expected = [0.705, 1, 1.191, 1, 0.839, 0.705, 0.592, 0.497, 0.350, 1]
    assert_allclose(curves.slope_factor(slope, params=free), expected, atol=5e-4)
    assert_allclose(curves.slope_factor(slope, params=RULES.slope), np.minimum(expected, 1), atol=5e-4)


@given(st.floats(-1, 1))
def test_nobody_gains_on_a_slope(slope: float) -> None:
    assert 0 < curves.slope_factor(one(slope), params=RULES.slope)[0] <= 1


def test_levels() -> None:
    level = np.array([0, 1, 1.2, 2, 4, 5, 9, -1, np.nan])
    fire = RULES.fire_hazard.model_copy(update={"walk_factors": ("0.9", "0.7", "0.5", "0.3", "0")})
    assert fire.left(level, family="walk").tolist() == [1, 0.9, 0.7, 0.7, 0.3, 0, 0, 1, 1]
    assert RULES.sand.cap_kmh(level).tolist() == [np.inf, 120, 120, 120, 40, 20, 20, np.inf, np.inf]


@given(st.floats(0, 6), st.floats(0, 6), st.sampled_from(["fire_hazard", "landslide", "debris", "sand"]))
def test_a_higher_level_never_leaves_more(a: float, b: float, kind: str) -> None:
    low, high = min(a, b), max(a, b)
    for family in ("walk", "drive"):
        rule = getattr(RULES, kind)
        assert rule.left(one(low), family=family)[0] >= rule.left(one(high), family=family)[0]


@pytest.mark.parametrize(
    ("field", "value"),
    [
        *(("class_depth_m", ("1", "2", "3")), ("class_depth_m", ("1", "2", "3", "2", "4")), ("class_depth_m", "12345")),
        *(("class_depth_m", ("a", "b", "c", "d", "e")), ("curve_end_m", 0), ("curve_end_m", 3)),
    ],
)
def test_what_is_no_curve_is_refused(field: str, value: object) -> None:
    with pytest.raises(ValidationError):
        FloodParams.model_validate(FLOOD.model_dump() | {field: value})


def test_a_share_above_one_is_refused() -> None:
    with pytest.raises(ValidationError, match="from 0 to 1"):
        SandParams.model_validate(RULES.sand.model_dump() | {"walk_factors": ("1", "1", "1", "1", "2")})


def test_nothing_to_look_up() -> None:
    none = np.zeros(0)
    assert len(curves.hazard_class(none, none, params=FLOOD)) == len(curves.slope_factor(none, params=RULES.slope)) == 0
    assert len(RULES.sand.cap_kmh(none)) == len(curves.water_speed_kmh(none, close_m=0.3, params=FLOOD)) == 0
