from __future__ import annotations

import pytest

from data.hazards import HAZARDS, KINDS, require_unit, usual_unit
from geo import levels, slowing
from geo.errors import ParameterError


@pytest.mark.parametrize("name", HAZARDS)
def test_every_kind_says_what_it_is_in_both_languages(name: str) -> None:
    kind = KINDS[name]
    assert kind.en and any("\u4e00" <= sign <= "\u9fff" for sign in kind.zh)
    assert kind.units[kind.unit] == 1
    assert kind.most > 0 and kind.noun and kind.none_is


def test_what_is_read_is_what_the_plan_has_rules_for() -> None:
    read = {name: kind.unit for name, kind in KINDS.items()}
    assert read == {name: unit for name, unit in levels.UNITS.items() if name not in levels.DERIVED}
    assert {name for name, kind in KINDS.items() if kind.moves} == slowing.MOVE & set(KINDS)
    assert tuple(name for name, kind in KINDS.items() if kind.worse == "less") == levels.FALLING


@pytest.mark.parametrize(("kind", "unit", "factor"), [
    ("flood", "ft", 0.3048), ("flood_velocity", "km/h", 1 / 3.6), ("flood_duration", "d", 24),
    ("wind", "km/h", 1 / 3.6),
    ("flood_arrival", "min", 1 / 60), ("earthquake_pga", "gal", 0.00101972), ("earthquake_pga", "m/s2", 0.101972),
    ("earthquake", "csis", 1), ("collapse", "%", 0.01), ("tsunami", "cm", 0.01),
])  # fmt: skip
def test_units_are_converted(kind: str, unit: str, factor: float) -> None:
    assert require_unit(kind, unit, where="a.tif") == pytest.approx(factor, rel=1e-5)


@pytest.mark.parametrize(("kind", "unit", "said"), [
    ("wind", "level", "--map @beaufort"), ("earthquake", "jma", "Japan's scale has other degrees"),
    ("earthquake", "g", "--hazard earthquake_pga"), ("flood", "yards", "m, cm, mm, ft, found 'yards'"),
])  # fmt: skip
def test_units_that_cannot_be_converted_say_what_to_do(kind: str, unit: str, said: str) -> None:
    with pytest.raises(ParameterError, match=said):
        require_unit(kind, unit, where="a.tif")


def test_only_kinds_beyond_doubt_need_no_unit() -> None:
    assert {name: usual_unit(name) for name in ("landslide", "flood_velocity", "earthquake", "flood", "wind")} == {
        "landslide": "level", "flood_velocity": "m/s", "earthquake": "degree", "flood": "", "wind": "",
    }  # fmt: skip
    assert usual_unit("locusts") == ""
