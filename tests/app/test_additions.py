"""What a person says of a file, and the layer it becomes; no file is opened here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from app.additions import Addition, layer_of, mapping, option_faults
from geo.errors import ParameterError


def said(kind: str = "hazard", *maps: str, **more: Any) -> Addition:
    """An addition as the command line makes it."""
    mapped = mapping(maps)
    return Addition(
        kind, Path("map.tif"), columns=mapped.columns, constants=mapped.constants, class_table=mapped.class_table,
        **more,
    )  # fmt: skip


def test_a_mapping_is_of_columns_of_values_and_of_a_class_table() -> None:
    found = mapping(["people = POP", "kind:=clinic", "a=b:=c", "@japan-flood-rank"])
    assert dict(found.columns) == {"people": "POP", "a": "b:=c"}
    assert dict(found.constants) == {"kind": "clinic"}
    assert found.class_table == "japan-flood-rank"
    assert mapping([]).class_table is None


@pytest.mark.parametrize(("maps", "refused"), [
    (["@no-such-table"], "a class table of @beaufort"), (["@levels", "@beaufort"], "one class table"),
    (["level"], "field=column"), (["level=A", "level:=5"], "level explained once"),
])  # fmt: skip
def test_mappings_that_cannot_be(maps: list[str], refused: str) -> None:
    with pytest.raises(ParameterError, match=refused):
        mapping(maps)


def test_the_unit_is_the_class_tables_where_nobody_says_another() -> None:
    table = said("hazard", "@japan-flood-rank", hazard="flood")
    assert (table.known_unit, layer_of(table).unit, layer_of(table).class_table) == ("m", "m", "japan-flood-rank")
    assert said("hazard", "@beaufort", hazard="wind").known_unit == "m/s"
    assert said("hazard", hazard="landslide").known_unit == "level"
    assert said("hazard", hazard="flood").known_unit == "", "a depth may be in metres, centimetres, feet"
    assert option_faults(table) == []


def test_the_column_and_the_classes_of_outlines_are_told_apart() -> None:
    layer = layer_of(said("hazard", "level=RANK", "3=0.5", "none here=none", "1.0=2", hazard="flood", unit="m"))
    assert layer.columns == {"level": "RANK"}
    assert layer.classes == {"3": 0.5, "none here": 0.0, "1": 2.0}
    one = layer_of(said("hazard", "level:=5", hazard="landslide"))
    assert (one.constants, one.classes, one.columns) == ({"level": "5"}, {}, {})
    named = said("hazard", "value=deep", "table=zones", hazard="flood", unit="m")
    assert layer_of(named).columns == {"value": "deep", "table": "zones"}
    assert option_faults(named) == []


def test_a_table_keeps_every_column_that_was_mapped() -> None:
    layer = layer_of(said("population", "people=POP", "level=L", "people_60plus:=3", time="day"))
    assert (layer.columns, layer.constants) == ({"people": "POP", "level": "L"}, {"people_60plus": "3"})
    assert (layer.classes, layer.unit, layer.time) == ({}, None, "day")


def test_all_that_was_said_of_a_hazard_is_kept() -> None:
    told = {"return_period_y": 100.0, "hours": 6.0, "uncertainty": 0.2, "date": "2024-05", "source": "S",
            "licence": "L", "attribution": "A", "crs": "gcj02", "nodata": -9.0}  # fmt: skip
    layer = layer_of(said(hazard="flood", unit="cm", name="High water 2024", **told))
    assert {name: getattr(layer, name) for name in told} == told
    assert (layer.layer_id, layer.file, layer.hazard) == ("high-water-2024", "inputs/hazard", "flood")


@pytest.mark.parametrize(("addition", "refused"), [
    (said("roads"), "a kind of hazard"),
    (said(hazard="locusts"), "a hazard of flood"),
    (said(hazard="flood"), "the unit of the file's values: m, cm, mm, ft"),
    (said(hazard="flood", unit="yards"), "'yards'"),
    (said("hazard", "1=deep", hazard="flood", unit="m"), "1=deep"),
    (said("hazard", "1=-1", hazard="flood", unit="m"), "1=-1"),
    (Addition("hazard", Path("a.tif"), hazard="flood", unit="m", columns={"1": "1", "1.0": "2"}), "1 explained once"),
    (said("hazard", "people:=4", hazard="landslide"), "people:=4"),
    (said("hazard", hazard="landslide", time="day"), "--time day"),
    (said("communities", unit="m"), "--unit m"),
    (said("communities", "@levels"), "--map @ levels"),
    (said("population", hazard="flood"), "--hazard flood"),
    (said("population", hours=3.0), "--hour 3"),
    (said("shelters", time="night"), "--time night"),
    (said("elevation", "a=b"), "--map only with a table"),
])  # fmt: skip
def test_options_that_a_kind_has_no_use_for(addition: Addition, refused: str) -> None:
    with pytest.raises(ParameterError, match=refused):
        raise ParameterError(*option_faults(addition))


def test_a_raster_of_people_has_a_unit_and_a_time() -> None:
    assert option_faults(said("population", unit="people/km2", time="night")) == []
    assert layer_of(said("population", unit="people/km2")).unit == "people/km2"
