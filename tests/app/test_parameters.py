"""Parameters by dotted name: defaults, changes, and what is refused."""

from __future__ import annotations

import pytest

from app.parameters import changed, listed, parsed
from data import standards
from geo.city import PlanParams
from geo.errors import ParameterError

DEFAULTS = PlanParams.of(standards.load())


def test_every_parameter_is_listed_with_its_description() -> None:
    found = {parameter.name: parameter for parameter in listed(DEFAULTS)}
    assert found["walk.max_minutes"].value == DEFAULTS.walk.max_minutes
    assert "minutes" in found["walk.max_minutes"].description
    assert len(found) == sum(len(type(getattr(DEFAULTS, part)).model_fields) for part in PlanParams.model_fields)


def test_a_change_changes_nothing_else() -> None:
    params = changed(DEFAULTS, {"walk.max_minutes": "20"}, where="--set")
    assert params.walk.max_minutes == 20
    assert params.model_copy(update={"walk": DEFAULTS.walk}) == DEFAULTS
    assert changed(DEFAULTS, {}, where="--set") == DEFAULTS


def test_every_default_may_be_written_as_text() -> None:
    for parameter in listed(DEFAULTS):
        value = parameter.value
        text = ",".join(map(str, value)) if isinstance(value, tuple) else str(value)
        assert changed(DEFAULTS, {parameter.name: text}, where="--set") == DEFAULTS, parameter.name


def test_all_unknown_names_at_once_with_what_was_meant() -> None:
    with pytest.raises(ParameterError) as error:
        changed(DEFAULTS, {"walk.max_minute": 1, "shelter.room": 1}, where="study.toml")
    assert [fault.found for fault in error.value.faults] == ["'walk.max_minute'", "'shelter.room'"]
    assert "walk.max_minutes" in error.value.faults[0].expected


def test_all_wrong_values_at_once_with_their_range() -> None:
    with pytest.raises(ParameterError) as error:
        changed(DEFAULTS, {"walk.max_minutes": -1, "walk.speed_ms": "fast"}, where="--set")
    assert sorted(fault.where for fault in error.value.faults) == ["--set, walk.max_minutes", "--set, walk.speed_ms"]
    expected = {fault.where.split(", ")[1]: fault.expected for fault in error.value.faults}
    assert expected["walk.max_minutes"].startswith("more than 0 (") and "minutes" in expected["walk.max_minutes"]
    assert expected["walk.speed_ms"].startswith("a number (")
    assert {fault.fix for fault in error.value.faults} == {"docs/manual.md lists every parameter with its range."}


def test_what_an_example_says_keeps_its_letters() -> None:
    with pytest.raises(ParameterError) as error:
        changed(DEFAULTS, {"time.clock": "noon"}, where="--set")
    assert error.value.faults[0].expected.startswith("a weekday and a time such as Mo 08:30")


def test_a_name_that_nothing_comes_near_to_is_answered_with_three() -> None:
    for name in ("nosuch.x", "walk.max_minute", "*"):
        with pytest.raises(ParameterError) as error:
            changed(DEFAULTS, {name: 1}, where="--set")
        said = error.value.faults[0].expected.removeprefix("a parameter such as ").split(", ")
        assert 1 <= len(said) <= 3
        assert set(said) <= {parameter.name for parameter in listed(DEFAULTS)}


def test_param_value_texts() -> None:
    assert parsed(["walk.max_minutes=20", "a = b = c"]) == {"walk.max_minutes": "20", "a": "b = c"}
    with pytest.raises(ParameterError) as error:
        parsed(["walk", "=3", "a=1", "a=2"])
    assert [fault.found for fault in error.value.faults] == ["'walk'", "'=3'", "a"]
