"""Layers: what they carry, how they reach a map, and that their legend counts everybody once."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tiles import style
from tiles.layer import FETCHED_FEATURES, FETCHED_VERTICES, Field, Layer, Raster, legend
from tiles.text import NOTHING, Text

TITLE = Text("社区", "Communities")


def frame(statuses: list[str | None], people: list[int] | None = None) -> gpd.GeoDataFrame:
    points = shapely.points(np.zeros((len(statuses), 2)))
    more = {} if people is None else {"people": people}
    return gpd.GeoDataFrame({"status": np.array(statuses, dtype=object), **more}, geometry=points, crs="EPSG:4326")


def layer(**changes: object) -> Layer:
    return Layer(
        **({"layer_id": "c", "table": "c", "title": TITLE, "group": "people", "style": style.status()} | changes)
    )  # type: ignore[arg-type]


STATUSES = st.lists(st.tuples(st.sampled_from(["good", "watch", "bad", "empty", "new", None]), st.integers(0, 1000)))


@given(STATUSES)
def test_the_legend_counts_every_feature_and_everybody_once(rows: list[tuple[str | None, int]]) -> None:
    table = frame([status for status, _ in rows], [people for _, people in rows])
    found = legend(style.status(), table, people="people")
    assert sum(row.features or 0 for row in found) == len(rows)
    assert sum(row.people or 0 for row in found) == sum(people for _, people in rows)


def test_classes_beside_the_ramp_are_listed_only_when_they_occur() -> None:
    few = legend(style.status(), frame(["good", "bad"]))
    assert [(row.label.en, row.features, row.people) for row in few] == [
        ("Good", 1, None),
        ("Watch", 0, None),
        ("Weak", 1, None),
    ]
    more = legend(style.status(), frame(["empty", None]))
    assert [row.label.en for row in more] == ["Good", "Watch", "Weak", "No people known", "Not known"]


def test_a_legend_of_one_class() -> None:
    assert [row.features for row in legend(style.lost(), frame(["x", "y"]))] == [2]


def test_delivery() -> None:
    assert layer(count=FETCHED_FEATURES).delivery == "geojson"
    assert layer(count=FETCHED_FEATURES + 1).delivery == "mvt"
    assert layer(count=1, vertices=FETCHED_VERTICES).delivery == "geojson"
    assert layer(count=1, vertices=FETCHED_VERTICES + 1).delivery == "mvt"
    assert layer(geometry="raster", raster=Raster(Path("x.tif"), "m")).delivery == "png"


def test_features_must_be_in_degrees() -> None:
    with pytest.raises(ValueError, match="EPSG:4326"):
        layer(features=frame(["good"]).to_crs("EPSG:3857"))


def test_bare_describes_without_features() -> None:
    whole = layer(features=frame(["good"]), count=1)
    assert whole.bare().features is None
    assert whole.bare().count == 1
    assert repr(whole) == "Layer(c: 1 mixed, geojson)"


def test_columns_are_those_a_map_needs() -> None:
    fields = (Field("name", TITLE, "name"), Field("people", TITLE, normal="people_normal"), Field("status", TITLE))
    found = layer(fields=fields, number="people_unserved").columns
    assert found == ("name", "name_zh", "name_en", "people", "people_normal", "status", "people_unserved")
    assert Field("reason", TITLE, "sentence").columns == ("reason", "reason_zh", "reason_en")


def test_words_fall_back_to_the_other_language() -> None:
    assert Text("坎彭", "").of("en") == "坎彭"
    assert Text("", "Kampen").of("zh") == "Kampen"
    assert not NOTHING
    assert Text("", "x")


def test_what_is_not_drawn_is_not_in_the_legend() -> None:
    rings = gpd.GeoDataFrame({"minutes": [5.0, 10.0], "people": [3, 4]}, geometry=shapely.points([[0, 0], [1, 1]]))
    (row,) = legend(style.ring_line("fire", [5, 10], 5), rings, people="people")
    assert (row.label.en, row.people) == ("within 5 min", 3)


def test_streets_stand_in_for_people_that_nobody_knows() -> None:
    rings = gpd.GeoDataFrame({"minutes": [5.0, 10.0], "people": [np.nan] * 2, "street_km": [1.5, 4.0]},
                             geometry=shapely.points([[0, 0], [1, 1]]))  # fmt: skip
    found = legend(style.rings("fire", [5, 10]), rings, people="people")
    assert [(row.people, row.street_km) for row in found] == [(None, 1.5), (None, 4.0)]


def test_a_field_brings_the_column_it_depends_on() -> None:
    fields = (Field("people", TITLE, needs="facility_id"), Field("area_km2", TITLE, lacks="kind"))
    assert layer(fields=fields).columns == ("people", "facility_id", "area_km2", "kind", "status")
