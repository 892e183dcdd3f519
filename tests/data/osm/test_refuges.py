from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import osm
from data.osm.refuges import floor_areas
from tests.data.osm.drawn import CRS, Town, street


def read(town: Town, folder: Path) -> tuple[gpd.GeoDataFrame, dict[str, int]]:
    found = osm.read(town.write(folder / "a.osm"))
    return found.shelters.set_index("shelter_id"), found.counts


def test_a_school_with_grounds_and_buildings(tmp_path: Path) -> None:
    """
    ::

        ┌──────────────────┐ grounds, 4800 m²
        │ ┌────┐   ┌─┐     │
        │ │ 3  │   │?│     │ one building of three storeys, one of unknown height
        └─┴────┴───┴─┴─────┘
    """
    town = street().box(2, 0, 10, 80, 60, amenity="school", name="A")
    town.box(3, 5, 12, 20, 10, building="school", building__levels="3").box(4, 50, 12, 10, 10, building="yes")
    table, counts = read(town, tmp_path)
    assert table.index.tolist() == ["w2"]
    row = table.loc["w2"]
    assert (row["kind"], row["origin"], row["tier"], row["levels_assumed"]) == ("school", "candidate", None, True)
    assert row["area_m2"] == pytest.approx(4800, rel=0.01)
    assert row["floor_m2"] == pytest.approx(3 * 200 + 100, rel=0.01)
    assert np.isnan(row["capacity"])
    assert (counts["shelters_mapped"], counts["shelters_candidate"]) == (0, 1)


def test_points_have_no_area_and_open_ground_no_floor(tmp_path: Path) -> None:
    town = street().node(900, 5, 5, amenity="library").box(2, 0, 10, 80, 60, leisure="park")
    table, _ = read(town.node(901, 9, 9, leisure="park"), tmp_path)
    assert table[["area_m2", "floor_m2"]].isna().to_numpy().tolist() == [[True, True], [False, True]]
    assert table["tier"].tolist() == [None, "emergency"]
    assert table.index.tolist() == ["n900", "w2"]


def test_mapped_refuges(tmp_path: Path) -> None:
    town = street().node(900, 5, 5, emergency="assembly_point", capacity="300", assembly_point__flood="no",
                         assembly_point__fire="yes", access="private")  # fmt: skip
    town.box(2, 0, 10, 80, 60, amenity="school", emergency__social_facility="shelter", capacity="700")
    town.node(901, 6, 6, amenity="shelter", name="Bus stop")
    town.box(3, 0, 80, 50, 50, leisure="park", name="鼓楼公园应急避难场所", emergency__capacity="5,000")
    table, counts = read(town, tmp_path)
    assert table["origin"].unique().tolist() == ["mapped"]
    assert table["kind"].to_dict() == {"n900": "assembly_point", "w2": "school", "w3": "park"}
    assert table["capacity"].astype(object).where(table["capacity"].notna(), None).to_dict() == {
        "n900": 300, "w2": None, "w3": 5000,  # a school's capacity is its pupils
    }  # fmt: skip
    assert table.loc["n900", ["valid_for", "invalid_for", "access"]].tolist() == ["fire", "flood", "private"]
    assert (counts["shelters_mapped"], counts["shelters_candidate"]) == (3, 0)


def test_a_park_in_a_park_is_one(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 80, 60, leisure="park", name="A").box(3, 10, 20, 10, 10, leisure="park")
    assert read(town, tmp_path)[0].index.tolist() == ["w2"]


def sites(*shapes: shapely.Geometry) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(geometry=list(shapes), crs=CRS)


def houses(*shapes: shapely.Geometry, levels: list[float]) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame({"levels": np.array(levels, dtype=float)}, geometry=list(shapes), crs=CRS)


def test_a_building_on_nested_sites_belongs_to_the_smallest() -> None:
    nested = sites(shapely.box(0, 0, 100, 100), shapely.box(10, 10, 30, 30), shapely.Point(5, 5))
    built = houses(shapely.box(12, 12, 20, 20), shapely.box(50, 50, 60, 60), levels=[2, np.nan])
    floor, assumed = floor_areas(nested, built)
    assert floor[:2].tolist() == [100, 128]
    assert np.isnan(floor[2])
    assert assumed.tolist() == [True, False, False]


places = st.integers(0, 9)


@given(st.lists(st.tuples(places, places, st.integers(1, 9)), max_size=6),
       st.lists(st.tuples(places, places, st.sampled_from([1.0, 2.0, np.nan])), max_size=8))  # fmt: skip
def test_no_floor_is_counted_twice(grounds: list[tuple[int, int, int]], built: list[tuple[int, int, float]]) -> None:
    on = sites(*(shapely.box(10 * x, 10 * y, 10 * (x + n), 10 * (y + n)) for x, y, n in grounds))
    shapes = [shapely.box(10 * x + 4, 10 * y + 4, 10 * x + 6, 10 * y + 6) for x, y, _ in built]
    floor, _ = floor_areas(on, houses(*shapes, levels=[n for _, _, n in built]))
    holds = [any(x <= bx < x + n and y <= by < y + n for x, y, n in grounds) for bx, by, _ in built]
    expected = sum(4 * (1 if np.isnan(n) else n) for (_, _, n), here in zip(built, holds, strict=True) if here)
    assert np.nansum(floor) == expected
