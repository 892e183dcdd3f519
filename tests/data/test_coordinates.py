from __future__ import annotations

import math

import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import coordinates
from geo.errors import ColumnError


def degrees(*texts: object) -> list[float]:
    return list(coordinates.degrees(pd.Series(texts, dtype=object)))


@pytest.mark.parametrize("text", [
    "118.79", "118.79°", "118.79E", "E 118.79", "东经118.79度", "１１８．７９", 118.79, "118°47'24\"", "118°47′24″E",
    "东经118度47分24秒", "118 47 24",
])  # fmt: skip
def test_one_longitude_in_every_writing(text: object) -> None:
    assert degrees(text) == pytest.approx([118.79])


@pytest.mark.parametrize(("text", "value"), [
    ("33°51.5'S", -33.8583), ("W 3°10'", -3.1667), ("-0.5", -0.5), ("3,542,311.5", 3542311.5), ("118,79", 118.79),
])  # fmt: skip
def test_other_sides_and_metres(text: str, value: float) -> None:
    assert degrees(text) == pytest.approx([value], abs=1e-4)


@pytest.mark.parametrize("text", ["", "不明", "Nanjing", "118°61'", None, "118°47'99\""])
def test_what_is_no_coordinate(text: object) -> None:
    assert math.isnan(degrees(text)[0])


@settings(max_examples=60, deadline=None)
@given(st.integers(-180 * 3600 * 100, 180 * 3600 * 100))
def test_minutes_and_seconds_come_back(hundredths: int) -> None:
    whole, rest = divmod(abs(hundredths), 360_000)
    minutes, seconds = divmod(rest, 6000)
    text = f"{whole}°{minutes}'{seconds / 100:.2f}\"{'W' if hundredths < 0 else 'E'}"
    assert degrees(text) == pytest.approx([hundredths / 360_000], abs=1e-9)


TABLES = {
    "lon and lat": {"Longitude": [3.0, None], "Latitude": [52.0, 1.0]},
    "Chinese": {"经度(°)": ["3", ""], "纬度(°)": ["52", "1"]},
    "Esri": {"POINT_X": [3.0, None], "POINT_Y": [52.0, None]},
    "WKT": {"geometry": ["POINT (3 52)", None]},
    "EWKT": {"geom": ["SRID=4326;POINT (3 52)", ""]},
    "WKB": {"wkb_geometry": [shapely.to_wkb(shapely.Point(3, 52)), None]},
    "hexadecimal WKB": {"the_geom": [shapely.to_wkb(shapely.Point(3, 52), hex=True), ""]},
    "Amap": {"location": ["3.0,52.0", None]},
    "latitude first": {"纬度经度": ["52.0 3.0", None]},
}


@pytest.mark.parametrize("name", TABLES)
def test_every_way_to_say_where(name: str) -> None:
    found = coordinates.placed(pd.DataFrame(TABLES[name]), {}, where="file")
    assert found.shapes[0].equals(shapely.Point(3, 52))
    assert (found.shapes[1], found.notes) == (None, ())
    assert found.srid == (4326 if name == "EWKT" else None)


def test_a_mapping_says_it() -> None:
    table = pd.DataFrame({"E": [3.0], "N": [52.0], "lon": [0.0], "lat": [0.0]})
    found = coordinates.placed(table, {"lon": "E", "lat": "N"}, where="file")
    assert found.shapes[0].equals(shapely.Point(3, 52))
    with pytest.raises(ColumnError, match="--map lon=COLUMN"):
        coordinates.placed(table[["E", "N"]], {}, where="file")


def test_rows_without_a_coordinate_are_counted() -> None:
    table = pd.DataFrame({"lon": ["3", "east", None], "lat": ["52", "52", None]})
    (note,) = coordinates.placed(table, {}, where="file").notes
    assert (note.code, note.rows, note.value, note.column) == ("coordinates_not_understood", (2,), "east", "lon")
