"""The manual's tables say what the program does."""

from __future__ import annotations

from pathlib import Path

import pytest

import data.standards
from geo.city import PlanParams
from geo.evacuation import STATES
from geo.standards import Value
from geo.summary import MEASURES

MANUAL = (Path(__file__).parents[1] / "docs" / "manual.md").read_text(encoding="utf-8")
STANDARDS = data.standards.load()


def row(key: str, value: Value) -> str:
    """A parameter's row of the manual."""
    found = value.value
    shown = ", ".join(found) if isinstance(found, tuple) else f"{found:g}" if isinstance(found, (int, float)) else found
    source = " ".join(part for part in (value.standard, value.clause) if part)
    return f"| `{key}` | {shown} | {value.unit} | {value.grade} | {value.help} *{source}* |"


@pytest.mark.parametrize("key", STANDARDS)
def test_every_standard_has_its_row(key: str) -> None:
    assert row(key, STANDARDS[key]) in MANUAL.splitlines()


def test_every_parameter_with_a_number_comes_from_the_standards() -> None:
    params = PlanParams.of(STANDARDS).model_dump()
    names = {f"{part}.{name}" for part, values in params.items() for name in values}
    assert names - set(STANDARDS) == {"shelter.candidates"}


def test_every_state_and_measure_is_explained() -> None:
    assert [state for state in STATES if f"`{state}`" not in MANUAL] == []
    assert [
        m for m in MEASURES if f"`{m}`" not in MANUAL and m not in ("shelter_m2_per_person", "walk_s_median_normal")
    ] == []
