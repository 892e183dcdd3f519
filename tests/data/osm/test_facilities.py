from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import osm
from data.osm.facilities import each_place_once
from tests.data.osm.drawn import CRS, Town, street


def kept(town: Town, folder: Path) -> dict[str, str | None]:
    table = osm.read(town.write(folder / "a.osm")).facilities
    return dict(zip(table["facility_id"], table["name"], strict=True))


SCHOOL = {"amenity": "school"}


@pytest.mark.parametrize(("grounds", "part", "expected"), [
    # grounds, the building on them, what is left
    ("A", {"building": "school", "name": "A"}, {"w2": "A"}),
    ("A", {"building": "school", "name": "Hall"}, {"w2": "A"}),
    ("A", {"building": "yes", "amenity": "school"}, {"w2": "A"}),
    ("A", {"building": "yes", "amenity": "school", "name": "A"}, {"w2": "A"}),
    ("A", {"building": "yes", "amenity": "school", "name": "B"}, {"w2": "A", "w3": "B"}),
    (None, {"building": "yes", "amenity": "school", "name": "B"}, {"w2": "B"}),
    (None, {"building": "yes", "amenity": "school"}, {"w2": None}),
    ("A", {"building": "yes", "amenity": "kindergarten"}, {"w2": "A", "w3": None}),
])  # fmt: skip
def test_one_place_is_one_row(
    tmp_path: Path, grounds: str | None, part: dict[str, str], expected: dict[str, str | None]
) -> None:
    """
    ::

        ┌──────────────┐
        │ grounds  ┌─┐ │
        │          └─┘ │ a building on them
        └──────────────┘
    """
    named = {"name": grounds} if grounds else {}
    town = street().box(2, 0, 10, 80, 60, **SCHOOL, **named).box(3, 50, 20, 10, 10, **part)
    assert kept(town, tmp_path) == expected


def test_a_point_within_grounds_is_a_part(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 80, 60, **SCHOOL).node(900, 10, 20, **SCHOOL, name="金陵中学")
    table = osm.read(town.write(tmp_path / "a.osm")).facilities
    assert table[["facility_id", "name", "name_zh"]].to_numpy().tolist() == [["w2", "金陵中学", "金陵中学"]]


def test_two_names_on_one_site_stay_two_beside_it(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 80, 60, **SCHOOL)
    town.node(900, 10, 20, **SCHOOL, name="A").node(901, 60, 20, **SCHOOL, name="B")
    assert kept(town, tmp_path) == {"w2": None, "n900": "A", "n901": "B"}


def test_a_facility_drawn_as_way_and_relation_is_one(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 80, 60, **SCHOOL, name="A").box(3, 10, 20, 5, 5)
    town.relation(4, [("w", 2, "outer"), ("w", 3, "inner")], type="multipolygon", **SCHOOL, name="A")
    assert kept(town, tmp_path) == {"r4": "A"}


def test_what_is_out_of_use_or_cut_off_is_counted(tmp_path: Path) -> None:
    town = street().node(900, 5, 5, amenity="fire_station", disused="yes")
    town.line(2, (0, 10), (80, 10), (80, 70), amenity="school")
    found = osm.read(town.write(tmp_path / "a.osm"))
    assert len(found.facilities) == 0
    assert (found.counts["facilities_out_of_use"], found.counts["facilities_cut_off"]) == (1, 1)


def table_of(rows: list[tuple[str, str | None, bool, shapely.Geometry]]) -> gpd.GeoDataFrame:
    kind, name, weak, shape = zip(*rows, strict=True) if rows else ((), (), (), ())
    columns = {
        "facility_id": pd.Series([f"f{i}" for i in range(len(rows))], dtype=object),
        "name": pd.Series(name, dtype=object), "name_zh": pd.Series(name, dtype=object),
        "name_en": pd.Series([None] * len(rows), dtype=object), "kind": pd.Series(kind, dtype=object),
        "weak": np.array(weak, dtype=bool),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=list(shape), crs=CRS)


sizes = st.integers(1, 6)
corners = st.integers(0, 5)
boxes = st.builds(lambda x, y, w, h: shapely.box(x, y, x + w, y + h), corners, corners, sizes, sizes)
points = st.builds(shapely.Point, st.integers(0, 10), st.integers(0, 10))
rows = st.lists(st.tuples(st.sampled_from(["a", "b"]), st.sampled_from([None, "x", "y"]), st.booleans(),
                          st.one_of(boxes, points)), max_size=8)  # fmt: skip


@given(rows)
def test_laws_of_parts(drawn: list[tuple[str, str | None, bool, shapely.Geometry]]) -> None:
    every = table_of(drawn)
    once = each_place_once(every)
    assert set(once["facility_id"]) <= set(every["facility_id"])
    assert set(once["kind"]) == set(every["kind"])  # the last of a kind is never dropped
    assert set(once["name"].dropna()) <= set(every["name"].dropna())
    largest = every.loc[every.area.groupby(every["kind"]).idxmax(), "facility_id"] if len(every) else []
    assert set(largest) <= set(once["facility_id"]) | set(every["facility_id"][every.area == 0])
    alone = every[~np.isin(np.arange(len(every)), touching(every))]
    assert set(alone["facility_id"]) <= set(once["facility_id"])


def touching(table: gpd.GeoDataFrame) -> list[int]:
    """Rows that lie over another row, told the slow way."""
    shapes = table.geometry.tolist()
    return [i for i, a in enumerate(shapes) for j, b in enumerate(shapes) if i != j and a.intersects(b)]
