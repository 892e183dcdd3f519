"""One layer at a time, each by the reader of its kind."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data.extents import in_degrees
from data.study import Layer
from data.study.layers import Read, label, read, require_meeting
from data.study.outline import Ground
from geo.errors import InputError, NoOverlapError, ParameterError, RenxingError
from geo.hazards import Grid, Hazard
from geo.shifts import from_wgs84
from tests.data.osm.drawn import CRS, EAST, NORTH
from tests.data.study.test_city import raster

SQUARE = shapely.box(0, 0, 90, 90)
LINE = shapely.LineString([(0, 0), (100, 0)])


def ground() -> Ground:
    """A study of one kilometre round the drawn town."""
    return Ground(CRS, in_degrees((EAST - 500, NORTH - 500, EAST + 500, NORTH + 500), crs=CRS, where="here"))


def table(path: Path, *shapes: shapely.Geometry, **columns: list[object]) -> Path:
    moved = [shapely.affinity.translate(shape, EAST, NORTH) for shape in shapes]
    gpd.GeoDataFrame(columns, geometry=moved, crs=CRS).to_file(path)
    return path


def layer(kind: str, file: str, **more: Any) -> Layer:
    return Layer(layer_id="a", kind=kind, file=file, **more)  # type: ignore[arg-type]


def looked(path: Path, kind: str, **more: Any) -> Read:
    return read(layer(kind, path.name, **more), path, ground=ground())


@pytest.mark.parametrize(("kind", "shape", "columns", "key"), [
    ("communities", SQUARE, {"name": ["A"]}, "community_id"),
    ("population", shapely.Point(5, 5), {"people": [12]}, "demand_id"),
    ("shelters", SQUARE, {"name": ["Hall"]}, "shelter_id"),
    ("facilities", shapely.Point(5, 5), {"kind": ["clinic"]}, "facility_id"),
    ("buildings", SQUARE, {"use": ["house"]}, "building_id"),
    ("streets", LINE, {"highway": ["residential"]}, "way_id"),
])  # fmt: skip
def test_tables_of_every_kind(
    tmp_path: Path, kind: str, shape: shapely.Geometry, columns: dict[str, list[object]], key: str
) -> None:
    found = looked(table(tmp_path / "a.gpkg", shape, **columns), kind)
    assert (len(found.table), found.table.crs.to_string(), found.grid) == (1, CRS, None)
    assert key in found.table
    west, south, east, north = found.bounds
    assert -180 < west <= east < 180
    assert 52 < south <= north < 53
    assert found.conversions == ()
    assert repr(found).startswith("Read(a: ")


def test_a_kind_that_is_no_table(tmp_path: Path) -> None:
    raster(tmp_path / "dem.tif", [[-3, 2], [3, 40]])
    found = looked(tmp_path / "dem.tif", "elevation")
    assert isinstance(found.content, Grid) and found.grid is found.content
    with pytest.raises(AssertionError):
        _ = found.table


def test_people_in_a_raster_come_as_cells_in_whole_persons(tmp_path: Path) -> None:
    raster(tmp_path / "p.tif", [[100, 0], [np.nan, 300]])
    found = looked(tmp_path / "p.tif", "population", unit="people/ha")
    assert found.table["people"].tolist() == pytest.approx([100, 300], rel=1e-3), "cells of one hectare"
    assert found.conversions == ("people/ha -> people",)


# hazards


def hazard(path: Path, kind: str, unit: str, **more: Any) -> Read:
    return looked(path, "hazard", hazard=kind, unit=unit, **more)


def values(found: Read) -> list[list[float]]:
    assert found.grid is not None
    return found.grid.values.tolist()


def test_a_hazard_is_converted_named_and_keeps_its_uncertainty(tmp_path: Path) -> None:
    raster(tmp_path / "f.tif", [[10.5, 200.5]])
    found = hazard(tmp_path / "f.tif", "flood", "cm", return_period_y=50, hours=6, uncertainty=20)
    of = found.content
    assert isinstance(of, Hazard)
    assert (of.hazard_id, of.kind, of.unit, of.dry_is) == ("a", "flood", "m", "no water")
    assert (of.label_en, of.label_zh) == ("Flood, 1 in 50 years, hour 6", "50年一遇洪水（第6小时）")
    assert of.uncertainty == pytest.approx(0.2)
    assert values(found)[0] == pytest.approx([0.105, 2.005])
    assert found.conversions == ("cm -> m",)


def test_classes_of_a_raster_by_a_known_table_and_one_by_one_on_top(tmp_path: Path) -> None:
    raster(tmp_path / "r.tif", [[1, 2], [3, 4]], dtype="uint8")
    known = hazard(tmp_path / "r.tif", "flood", "m", class_table="japan-flood-rank")
    assert values(known) == [[0.5, 3], [5, 10]]
    ours = hazard(tmp_path / "r.tif", "flood", "m", class_table="japan-flood-rank", classes={"4": 7.5})
    assert values(ours) == [[0.5, 3], [5, 7.5]]
    with pytest.raises(InputError, match="values that --map explains"):
        hazard(tmp_path / "r.tif", "flood", "m", classes={"1": 0.5})


def test_a_class_table_is_for_some_hazards_and_in_one_unit(tmp_path: Path) -> None:
    raster(tmp_path / "r.tif", [[1, 2], [3, 4]], dtype="uint8")
    with pytest.raises(ParameterError, match="a class table for landslide"):
        hazard(tmp_path / "r.tif", "landslide", "level", class_table="japan-flood-rank")
    with pytest.raises(ParameterError, match="unit m, which @japan-flood-rank is in, found 'cm'"):
        hazard(tmp_path / "r.tif", "flood", "cm", class_table="japan-flood-rank")
    with pytest.raises(ParameterError, match="@japan-flood-rank"):
        hazard(tmp_path / "r.tif", "flood", "m", class_table="no such table")


def test_outlines_are_laid_out_over_the_ground_of_the_study_and_a_walk_more(tmp_path: Path) -> None:
    both = table(tmp_path / "z.gpkg", SQUARE, shapely.box(45, 0, 200, 90), RANK=["1", "4"], deep=[0.4, 1.5])
    found = hazard(both, "flood", "m", columns={"level": "deep"})
    grid, ground_m = found.grid, ground().wide
    assert grid is not None and ground_m is not None
    assert (grid.crs, sorted(np.unique(grid.values))) == (CRS, pytest.approx([0, 0.4, 1.5]))
    assert grid.bounds == pytest.approx(ground_m, abs=10)
    cell = abs(grid.transform[0] * grid.transform[4])
    assert (grid.values == np.float32(1.5)).sum() * cell == pytest.approx(155 * 90, rel=0.1)
    ranked = hazard(both, "flood", "m", columns={"value": "RANK"}, class_table="japan-flood-rank")
    assert sorted(np.unique(ranked.grid.values)) == [0, 0.5, 10]  # type: ignore[union-attr]


def test_outlines_may_have_one_value_for_all(tmp_path: Path) -> None:
    found = hazard(table(tmp_path / "z.gpkg", SQUARE, name=["a"]), "landslide", "level", constants={"level": "4"})
    assert sorted(np.unique(found.grid.values)) == [0, 4]  # type: ignore[union-attr]
    assert "zones_area" in [note.code for note in found.notes]


def test_which_way_classes_run_is_asked(tmp_path: Path) -> None:
    raster(tmp_path / "r.tif", [[1, 2], [3, 4]], dtype="uint8")
    with pytest.raises(InputError, match="classes whose order somebody said"):
        hazard(tmp_path / "r.tif", "landslide", "level")
    assert values(hazard(tmp_path / "r.tif", "landslide", "level", class_table="china-geohazard")) == [[5, 3], [2, 0]]


# where a layer lies


def test_coordinates_of_a_chinese_map_service_are_brought_back(tmp_path: Path) -> None:
    lon, lat = from_wgs84(np.array([118.7902]), np.array([32.0501]), "gcj02")
    stations = gpd.GeoDataFrame({"kind": ["fire_station"]}, geometry=gpd.points_from_xy(lon, lat), crs="EPSG:4326")
    stations.to_file(tmp_path / "f.geojson")
    place = Ground("EPSG:4549", (118.6, 31.9, 118.9, 32.2))
    found = read(layer("facilities", "f.geojson", crs="gcj02"), tmp_path / "f.geojson", ground=place)
    west, south, _, _ = found.bounds
    assert (west, south) == pytest.approx((118.7902, 32.0501), abs=1e-6)
    assert found.conversions == ("gcj02 -> EPSG:4326",)
    there = read(layer("facilities", "f.geojson"), tmp_path / "f.geojson", ground=place)
    assert there.bounds[0] - west > 0.004, "some 500 m off where nobody says so"


def test_a_layer_elsewhere_is_refused_where_the_study_is_known(tmp_path: Path) -> None:
    raster(tmp_path / "dem.tif", [[1, 2]])
    found = looked(tmp_path / "dem.tif", "elevation")
    require_meeting(found, ground(), where="dem.tif")
    require_meeting(found, Ground(CRS, None), where="dem.tif")
    with pytest.raises(NoOverlapError, match=r"dem\.tif"):
        require_meeting(found, Ground(CRS, (20.0, 10.0, 21.0, 11.0)), where="dem.tif")


def test_a_file_that_is_no_layer_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.gpkg").write_bytes(b"not a file of any kind")
    for kind in ("communities", "streets", "elevation"):
        with pytest.raises(RenxingError, match=r"a\.gpkg"):
            looked(tmp_path / "a.gpkg", kind)


@pytest.mark.parametrize(("told", "en", "zh"), [
    ((None, None), "Wildfire", "森林草原火灾"), ((100, None), "Wildfire, 1 in 100 years", "100年一遇森林草原火灾"),
    ((None, 1.5), "Wildfire, hour 1.5", "森林草原火灾（第1.5小时）"),
])  # fmt: skip
def test_what_a_hazard_is_called(told: tuple[float | None, float | None], en: str, zh: str) -> None:
    assert label("wildfire", *told) == (en, zh)


def test_some_rows_of_a_table(tmp_path: Path) -> None:
    path = table(tmp_path / "a.geojson", SQUARE, SQUARE, LINE, use=["school", "shop", None], amenity=["a", "b", "c"])
    found = looked(path, "shelters", where=["USE=School"], columns={"name": "amenity", "kind": "use"})
    assert found.table[["name", "kind"]].to_numpy().tolist() == [["a", "school"]]
    assert (found.conversions, found.notes[0].code) == (("where USE=School: 1 of 3 rows",), "rows_chosen")
    roads = looked(path, "streets", where=["use="], columns={"highway": "amenity"})
    assert len(roads.table) == 1
    wet = looked(path, "hazard", hazard="landslide", unit="level", where=["use=shop"], constants={"level": "5"})
    assert wet.conversions[0] == "where use=shop: 1 of 3 rows"


def test_rows_of_a_raster_are_no_rows(tmp_path: Path) -> None:
    raster(tmp_path / "a.tif", [[100, 0]])
    with pytest.raises(ParameterError, match="rows chosen of a table only, found a raster"):
        looked(tmp_path / "a.tif", "population", unit="people", where=["a=b"])
