"""Real rasters and tables with the traps their makers left in them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data import given, rasters, vectors
from data.extents import in_degrees, require_overlap
from geo.errors import ColumnError, CrsError, InputError, NoOverlapError

KAMPEN = (5.841, 52.524, 5.989, 52.584)


def test_kampens_flood(shared_data: Path) -> None:
    grid, notes = rasters.read(shared_data / "kampen/1in100_inundation_map.tif", unit="m")
    assert (grid.crs, grid.values.shape) == ("EPSG:28992", (2269, 3476))
    assert {note.code for note in notes} == {"raster_whole_metres", "raster_all_known"}
    require_overlap(in_degrees(grid.bounds, crs=grid.crs, where="flood"), KAMPEN, where="flood")


@pytest.mark.parametrize(("name", "unknown"), [("marikina/flood/rr04-18.tif", True), ("pontianak/in20t010.tif", True)])
def test_rasters_with_nodata(shared_data: Path, name: str, unknown: bool) -> None:
    grid, _ = rasters.read(shared_data / name, unit="m")
    assert np.isnan(grid.values).any() is np.bool_(unknown)
    assert np.nanmin(grid.values) == 0


def test_an_ascii_grid(shared_data: Path) -> None:
    grid, _ = rasters.read(shared_data / "jakarta/hazard/Flood_Current_Depth_Jakarta_geographic.asc", unit="m")
    assert grid.crs == "EPSG:4326"


def test_a_flood_elsewhere(shared_data: Path) -> None:
    grid, _ = rasters.read(shared_data / "pontianak/in20t010.tif", unit="m")
    with pytest.raises(NoOverlapError, match="km away"):
        require_overlap(in_degrees(grid.bounds, crs=grid.crs, where="flood"), KAMPEN, where="flood")


def test_classes_are_asked_for_and_then_read(shared_data: Path) -> None:
    path = shared_data / "tacloban/noah-Leyte_TaclobanCity_Flood_100year.tif"
    with pytest.raises(InputError, match=r"classes with a palette, not values: 1, 2, 3, 4.*@philippines-noah-flood"):
        rasters.read(path, unit="m")
    grid, _ = rasters.read(path, unit="m", classes={"1": 2, "2": 1, "3": 0.3, "4": 0})
    assert set(np.unique(grid.values[~np.isnan(grid.values)])) == {np.float32(depth) for depth in (0, 0.3, 1, 2)}


def test_points_without_prj(shared_data: Path) -> None:
    path = shared_data / "pontianak/osm_health_point.shp"
    with pytest.raises(CrsError):
        vectors.read(path)
    assert len(vectors.read(path, crs="EPSG:4326").table) == 5


def test_shelters_from_a_csv_with_a_byte_order_mark(shared_data: Path) -> None:
    path = shared_data / "chengdu/supply_facilities_CLEAN.csv"
    table, _ = given.read(path, "shelters", into="EPSG:4544", crs="EPSG:4326")
    assert len(table) == 1054
    assert table["name_zh"].notna().mean() > 0.99


def test_ids_that_are_not_unique(shared_data: Path) -> None:
    with pytest.raises(ColumnError, match="unique id"):
        given.read(shared_data / "pontianak/region.geojson", "communities", into="EPSG:32749",
                   columns={"community_id": "DESANO"})  # fmt: skip


def test_communities_by_mapping(shared_data: Path) -> None:
    table, _ = given.read(shared_data / "pontianak/region.geojson", "communities", into="EPSG:32749",
                          columns={"name": "DESA", "community_id": "IDDESA"})  # fmt: skip
    assert (len(table), table["name"].notna().all()) == (29, True)
