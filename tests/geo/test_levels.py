"""Hazards as levels: bounds as they are written, whatever the raster makes of them."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data import standards
from data.hazards import KINDS
from geo import levels, slowing
from geo.curves import LevelTables
from geo.derived import KINDS as DERIVED_KINDS
from geo.errors import InputError
from geo.hazards import Grid, Hazard

TABLES = LevelTables.of(standards.load())
MEASURED = tuple(LevelTables.model_fields)
RISING = tuple(kind for kind in MEASURED if kind not in levels.FALLING)


def hazard(kind: str, *values: float, unit: str = "", dtype: type = np.float32, uncertainty: float = 0) -> Hazard:
    grid = Grid(np.array([values], dtype=dtype), (10, 0, 0, 0, -10, 0), "EPSG:32631")
    return Hazard("h", kind, unit or levels.UNITS[kind], grid, uncertainty=uncertainty)


def level(kind: str, *values: float, plus: float = 0, dtype: type = np.float32) -> list[float]:
    found = levels.level_grid(hazard(kind, *values, dtype=dtype), TABLES, plus=plus)
    assert found.values.dtype == np.float32
    return found.values[0].tolist()


def test_a_flood_by_its_depth() -> None:
    assert level("flood", 0, 0.04, 0.05, 0.29, 0.31, 0.6, 1.5, 30) == [0, 0, 1, 1, 2, 3, 4, 5]


@pytest.mark.parametrize("dtype", [np.float32, np.float64])
@pytest.mark.parametrize("kind", RISING)
def test_a_level_holds_from_its_bound_on_as_written(kind: str, dtype: type) -> None:
    """0.7 in 32 bits is 0.69999999; a value a ten-thousandth below the bound has not reached it."""
    bounds = [float(word) for word in getattr(TABLES, kind)]
    assert level(kind, *bounds, dtype=dtype) == [1, 2, 3, 4, 5]
    assert level(kind, *(bound * (1 - 1e-3) for bound in bounds), dtype=dtype) == [0, 1, 2, 3, 4]
    tables = TABLES.model_copy(update={kind: ("0.1", "0.3", "0.6", "0.7", "0.9")})
    at = levels.levels_of(kind, np.array([0.1, 0.3, 0.6, 0.7, 0.9], dtype=dtype), tables)
    assert at.tolist() == [1, 2, 3, 4, 5]


def test_of_an_arrival_less_is_worse() -> None:
    assert level("flood_arrival", 0, 1, 1.01, 3, 6, 12, 24, 24.01) == [5, 5, 4, 4, 3, 2, 1, 0]


def test_nobody_measured_is_no_level() -> None:
    for kind in levels.UNITS:
        assert np.isnan(level(kind, np.nan, plus=1)).all(), kind


def test_levels_stay_and_between_two_the_worse_counts() -> None:
    assert level("fire", 0, 0.2, 1, 2.000001, 2.3, 5, 7, -1) == [0, 1, 1, 2, 3, 5, 5, 0]


def test_uncertainty_makes_worse_where_there_is_something() -> None:
    assert level("flood", 0, 0.1, 0.2, 1.0, plus=0.1) == [0, 1, 2, 3], "dry ground stays dry; 0.2 + 0.1 is 0.3"
    assert level("flood_arrival", 25, 7, 0.5, plus=1) == [1, 3, 5], "an hour earlier"
    assert level("landslide", 0, 2, 5, plus=1) == [0, 3, 5]


def test_a_hazard_without_a_rule_is_refused() -> None:
    with pytest.raises(InputError, match="a kind that says what it does"):
        levels.level_grid(hazard("comet", 1, unit="m"), TABLES)
    with pytest.raises(InputError, match="values in g"):
        levels.level_grid(hazard("earthquake_pga", 1, unit="degree"), TABLES)
    with pytest.raises(InputError, match="an uncertainty of 0 or more"):
        hazard("flood", 1, uncertainty=-1)


def test_bounds_rise_or_fall() -> None:
    for wrong in ({"flood": ("0.3", "0.1", "1", "2", "3")}, {"flood_arrival": ("1", "3", "6", "12", "24")}):
        with pytest.raises(ValidationError, match="do not"):
            LevelTables.model_validate(TABLES.model_dump() | wrong)


def test_every_kind_that_can_be_brought_or_derived_has_a_level_in_its_unit() -> None:
    assert {kind: of.unit for kind, of in KINDS.items()} == {
        kind: unit for kind, unit in levels.UNITS.items() if kind not in levels.DERIVED
    }
    assert set(levels.DERIVED) == set(DERIVED_KINDS)
    assert {kind for kind, of in KINDS.items() if of.moves} == slowing.MOVE
    assert {kind for kind, of in KINDS.items() if of.worse == "less"} == set(levels.FALLING)
    assert {kind for kind, unit in levels.UNITS.items() if unit != "level"} == set(MEASURED)


values = st.floats(0, 400, allow_nan=False, width=32)


@settings(max_examples=60, deadline=None)
@given(st.sampled_from(sorted(levels.UNITS)), values, values, st.floats(0, 20))
def test_worse_values_are_never_of_a_lower_level(kind: str, a: float, b: float, plus: float) -> None:
    low, high = level(kind, *sorted((a, b), reverse=kind in levels.FALLING))
    assert low <= high
    assert level(kind, a, plus=plus) >= level(kind, a)
