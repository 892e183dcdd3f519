from __future__ import annotations

import dataclasses
import re
import zipfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.transform import Affine

from data import rasters
from data.standards.class_tables import class_table
from geo.errors import CrsError, FileMissingError, InputError, LimitError, ParameterError, UnreadableError
from geo.hazards import Hazard, expose_points
from geo.reasons import Sentence

CRS = "EPSG:28992"


def tif(path: Path, values: object, *, dtype: str = "float32", crs: str | None = CRS, nodata: float | None = None,
        transform: Affine | None = None, bands: int = 1, scale: float = 1, offset: float = 0,
        **more: Any) -> Path:  # fmt: skip
    array = np.asarray(values, dtype=dtype)
    place = transform or Affine(5, 0, 190_000, 0, -5, 505_000)
    with rasterio.open(path, "w", driver="GTiff", height=array.shape[0], width=array.shape[1], count=bands, dtype=dtype,
                       crs=crs, transform=place, nodata=nodata, **more) as target:  # fmt: skip
        for band in range(bands):
            target.write(array, band + 1)
        if (scale, offset) != (1, 0):
            target.scales, target.offsets = [scale], [offset]
    return path


def codes(notes: Sequence[Sentence]) -> list[str]:
    return [note.code for note in notes]


def test_values_place_and_nodata(tmp_path: Path) -> None:
    """
    ::

        0    0.5   2        -1 is declared: not known
        1   -1     nan
    """
    path = tif(tmp_path / "a.tif", [[0, 0.5, 2], [1, -1, np.nan]], nodata=-1)
    grid, notes = rasters.read(path, unit="m")
    assert np.array_equal(grid.values, np.array([[0, 0.5, 2], [1, np.nan, np.nan]], dtype=np.float32), equal_nan=True)
    assert (grid.crs, grid.transform) == (CRS, (5, 0, 190_000, 0, -5, 505_000))
    assert [(note.code, note.count) for note in notes] == [("raster_unknown", 2)]


@pytest.mark.parametrize(("unit", "expected"), [("m", 12), ("cm", 0.12), ("mm", 0.012), ("ft", 3.6576)])
def test_units_become_metres(tmp_path: Path, unit: str, expected: float) -> None:
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[0, 12]]), unit=unit)
    assert grid.values[0, 1] == pytest.approx(expected)


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"m, cm, mm, ft.*'yards'"):
        rasters.read(tif(tmp_path / "a.tif", [[0, 1]]), unit="yards")


def test_a_scale_hides_no_undeclared_nodata(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 150, 9999], [30, 0, 20]], dtype="uint16", scale=0.01)
    with pytest.raises(InputError, match=r"9999 in 1 cell, undeclared .*--nodata 9999"):
        rasters.read(path, unit="m")
    grid, _ = rasters.read(path, unit="m", nodata=9999)
    assert np.isnan(grid.values[0, 2]) and grid.values[0, 1] == np.float32(1.5)


def test_scale_and_offset_of_the_file_are_applied(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 150]], dtype="int16", scale=0.01, offset=0.5)
    grid, notes = rasters.read(path, unit="m")
    assert grid.values.tolist() == [[0.5, 2.0]]
    assert codes(notes) == ["raster_scaled", "raster_all_known"]


def test_whole_metres_are_said(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [list(range(12))], dtype="int8")
    assert codes(rasters.read(path, unit="m")[1]) == ["raster_whole_metres", "raster_all_known"]
    assert codes(rasters.read(path, unit="cm")[1]) == ["raster_all_known"]


def test_few_whole_numbers_may_be_classes(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[1, 2, 3, 4]], dtype="uint8", nodata=0)
    assert "raster_classes" in codes(rasters.read(path, unit="m")[1])


def test_a_raster_without_water_is_said(tmp_path: Path) -> None:
    assert "raster_all_dry" in codes(rasters.read(tif(tmp_path / "a.tif", [[0, 0, np.nan]]), unit="m")[1])


@pytest.mark.parametrize(("values", "said"), [
    ([[0, 1, -9999]], "-9999 in 1 cell, undeclared"), ([[0, 1, 999]], "999 in 1 cell, undeclared"),
    ([[0, 1, 9999, 9999]], "9999 in 2 cells, undeclared"), ([[0, 3, 255]], "255 in 1 cell, undeclared"),
    ([[0, 1, -0.5]], "1 cell below, down to -0.5"), ([[0, 1, 300, 200]], "2 cells above, up to 300"),
    ([[0, 1, -3.4e38]], r"-3.4e\+38 in 1 cell, undeclared"), ([[np.nan, np.nan]], "no cell with a value"),
    ([[0, 1, 1e20]], r"1e\+20 in 1 cell"), ([[0, 1, 999, 9999]], "(?s)9999 in 1 cell.* 999 in 1 cell"),
])  # fmt: skip
def test_suspicious_values_are_refused_until_named(tmp_path: Path, values: list[list[float]], said: str) -> None:
    with pytest.raises(InputError, match=said) as raised:
        rasters.read(tif(tmp_path / "a.tif", values), unit="m")
    assert "nodata" in str(raised.value)


def test_all_faults_at_once(tmp_path: Path) -> None:
    with pytest.raises(InputError) as raised:
        rasters.read(tif(tmp_path / "a.tif", [[-9999, -0.5, 150, 1]]), unit="m")
    assert len(raised.value.faults) == 3


def test_a_named_value_is_not_known(tmp_path: Path) -> None:
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[0, 1, -9999]]), unit="m", nodata=-9999)
    assert np.isnan(grid.values).tolist() == [[False, False, True]]


@pytest.mark.parametrize("value", [-999.999, -3.4028235e38, -9999, 1e20])
def test_a_value_is_known_again_as_the_refusal_wrote_it(tmp_path: Path, value: float) -> None:
    """-999.999 is -999.9990234375 in a raster of 32-bit numbers."""
    path = tif(tmp_path / "a.tif", [[0, 1, value]])
    with pytest.raises(InputError) as raised:
        rasters.read(path, unit="m")
    said = re.search(r"--nodata (\S+) if", str(raised.value))
    assert said
    grid, _ = rasters.read(path, unit="m", nodata=float(said.group(1)))
    assert np.isnan(grid.values).tolist() == [[False, False, True]]


def test_depths_that_look_like_nodata_in_another_unit_are_depths(tmp_path: Path) -> None:
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[0, 900, 999, 1000]]), unit="mm")
    assert grid.values[0, 2] == pytest.approx(0.999)


def test_a_models_rounding_below_zero_is_dry(tmp_path: Path) -> None:
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[-1e-6, 1]]), unit="m")
    assert grid.values.tolist() == [[0, 1]]


@given(hnp.arrays(np.float32, (3, 4), elements=st.one_of(st.just(np.nan), st.floats(0, 90, width=32))))
def test_what_is_written_is_read(tmp_path_factory: pytest.TempPathFactory, values: np.ndarray) -> None:
    path = tif(tmp_path_factory.mktemp("r") / "a.tif", values)
    if np.isnan(values).all():
        with pytest.raises(InputError):
            rasters.read(path, unit="m")
    else:
        assert np.array_equal(rasters.read(path, unit="m")[0].values, values, equal_nan=True)


def test_crs(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1]], crs=None)
    with pytest.raises(CrsError, match="--crs EPSG:N"):
        rasters.read(path, unit="m")
    assert rasters.read(path, unit="m", crs="EPSG:28992")[0].crs == CRS
    with pytest.raises(CrsError, match="nonsense"):
        rasters.read(path, unit="m", crs="nonsense")


def test_a_turned_raster_keeps_its_turn(tmp_path: Path) -> None:
    turned = Affine(4.0, 3.0, 190_000, 3.0, -4.0, 505_000)  # cells of 5 m
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[0, 1]], transform=turned), unit="m")
    assert grid.transform == pytest.approx(tuple(turned)[:6])


def test_a_raster_whose_first_row_is_the_south(tmp_path: Path) -> None:
    """
    ::

        row 1  │ 3 │ 4 │  north
        row 0  │ 1 │ 2 │  south
    """
    upwards = Affine(5, 0, 190_000, 0, 5, 505_000)
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[1, 2], [3, 4]], transform=upwards), unit="m")
    x, y = np.array([190_001.0, 190_001.0]), np.array([505_001.0, 505_009.0])
    found = expose_points(x, y, crs=CRS, hazard=Hazard("h", "flood", "m", grid))
    assert found["max"].tolist() == [1, 3]


def test_no_place_on_earth(tmp_path: Path) -> None:
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        path = tif(tmp_path / "a.tif", [[0, 1]], transform=Affine.identity())
    with pytest.raises(UnreadableError, match="rows and columns only"):
        rasters.read(path, unit="m")


def test_several_bands_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match=r"3 bands\. Save the one that is meant alone"):
        rasters.read(tif(tmp_path / "a.tif", [[0, 1]], bands=3), unit="m")
    picture = tif(tmp_path / "b.tif", [[0, 1]], dtype="uint8", bands=3, photometric="RGB")
    with pytest.raises(UnreadableError, match="a picture of a map in colours, not values"):
        rasters.read(picture, unit="m")


def test_a_second_band_may_say_where_values_are(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[7, 200]], dtype="uint8", bands=2, alpha="YES")
    with rasterio.open(path, "r+") as target:
        target.write(np.array([[0, 255]], dtype="uint8"), 2)
    grid, _ = rasters.read(path, unit="mm")
    assert np.array_equal(grid.values, np.array([[np.nan, 0.2]], dtype=np.float32), equal_nan=True)


def test_too_many_cells_are_refused_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasters, "CELLS", dataclasses.replace(rasters.CELLS, most=5))
    with pytest.raises(LimitError, match=r"at most 5 cells, found 6"):
        rasters.read(tif(tmp_path / "a.tif", [[0, 1, 2], [0, 1, 2]]), unit="m")


# classes, and hazards that are not measured


CLASSES = {"1": 2.0, "2": 1.0, "3": 0.3, "4": 0.0}


def test_classes_that_run_the_other_way(tmp_path: Path) -> None:
    """1 is worst, 4 is not flooded, 0 is declared as not known."""
    path = tif(tmp_path / "a.tif", [[1, 2, 3], [4, 0, 1]], dtype="uint8", nodata=0)
    grid, notes = rasters.read(path, unit="m", classes=CLASSES)
    expected = np.array([[2, 1, 0.3], [0, np.nan, 2]], dtype=np.float32)
    assert np.array_equal(grid.values, expected, equal_nan=True)
    assert codes(notes) == ["raster_unknown"]
    assert rasters.read(path, unit="cm", classes=CLASSES)[0].values[0, 0] == pytest.approx(0.02)


def test_a_value_that_nobody_explained_is_refused_with_the_list(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[1, 2, 3, 4, 9]], dtype="uint8")
    with pytest.raises(InputError, match=r"--map explains \(1, 2\), found 1, 2, 3, 4, 9. Add --map 3=VALUE"):
        rasters.read(path, unit="m", classes={"1": 2.0, "2": 1.0})
    with pytest.raises(InputError, match="found 1, 2, 3, 4"):
        rasters.read(path, unit="m", classes={"1": 2.0, "2": 1.0}, nodata=9)


def test_long_lists_of_values_are_cut(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [np.arange(100) / 8])
    with pytest.raises(InputError, match=r"0\.25, .* 1\.375 …"):
        rasters.read(path, unit="m", classes={"0": 0.0})


def test_what_a_class_stands_for_must_be_possible(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[1, 2]], dtype="uint8")
    with pytest.raises(InputError, match="depths up to 100"):
        rasters.read(path, unit="m", classes={"1": 500.0, "2": 0.0})
    with pytest.raises(InputError, match="levels up to 5"):
        rasters.read(path, unit="level", kind="landslide", classes={"1": 6.0, "2": 0.0})


@given(hnp.arrays(np.uint8, (3, 4), elements=st.integers(1, 4)))
def test_every_cell_becomes_what_its_class_stands_for(tmp_path_factory: pytest.TempPathFactory, values: Any) -> None:
    path = tif(tmp_path_factory.mktemp("r") / "a.tif", values, dtype="uint8")
    grid, _ = rasters.read(path, unit="m", classes=CLASSES)
    assert grid.values == pytest.approx(np.vectorize(lambda v: CLASSES[str(v)])(values))


@pytest.mark.parametrize("kind", ["fire", "landslide", "debris", "sand", "wildfire", "debris_flow"])
def test_levels(tmp_path: Path, kind: str) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1, 4.5]])
    grid, notes = rasters.read(path, unit="level", kind=kind)
    assert grid.values.tolist() == [[0, 1, 4.5]]
    assert codes(notes) == ["raster_levels"]
    with pytest.raises(ParameterError, match="'m'"):
        rasters.read(path, unit="m", kind=kind)
    with pytest.raises(InputError, match=r"levels up to 5, found 1 cell above, up to 7. Say what each"):
        rasters.read(tif(tmp_path / "b.tif", [[0, 4, 7]]), unit="level", kind=kind)


@pytest.mark.parametrize("dtype", ["uint8", "float32"])
def test_classes_in_levels_are_asked_which_way_they_run(tmp_path: Path, dtype: str) -> None:
    path = tif(tmp_path / "a.tif", [[1, 2, 3, 4, 4, 4]], dtype=dtype)
    with pytest.raises(InputError) as raised:
        rasters.read(path, unit="level", kind="landslide")
    said = str(raised.value)
    assert "4 (3 cells)" in said
    assert "If 4 is the worst: --map 4=5 --map 3=4 --map 2=2 --map 1=1." in said
    assert "If 1 is the worst: --map 1=5 --map 2=4 --map 3=2 --map 4=none." in said
    grid, notes = rasters.read(path, unit="level", kind="landslide", classes=class_table("@levels"))
    assert grid.values.tolist() == [[1, 2, 3, 4, 4, 4]]
    assert notes == ()


def test_colours_are_no_values(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[1, 2, 4]], dtype="uint8")
    with rasterio.open(path, "r+") as target:
        target.write_colormap(1, {1: (255, 0, 0, 255), 2: (255, 255, 0, 255), 4: (255, 255, 255, 255)})
    with pytest.raises(InputError, match=r"classes with a palette, not values: 1, 2, 4.* --map @.*noah-flood"):
        rasters.read(path, unit="m")
    grid, _ = rasters.read(path, unit="m", classes=class_table("philippines-noah-flood"))
    assert grid.values.tolist() == [[2, 1.5, 0]]


def test_dry_is_said_of_water_alone_and_not_where_somebody_explained_it(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1, 2]], dtype="uint8")
    assert "raster_all_known" in codes(rasters.read(path, unit="m")[1])
    assert codes(rasters.read(path, unit="m", classes={"0": 0.0, "1": 0.5, "2": 2.0})[1]) == []
    assert codes(rasters.read(path, unit="m/s", kind="flood_velocity")[1]) == ["raster_classes"]


def test_velocities(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1.5, -9999]])
    grid, notes = rasters.read(path, unit="m/s", kind="flood_velocity", nodata=-9999)
    assert np.array_equal(grid.values, [[0, 1.5, np.nan]], equal_nan=True)
    assert codes(notes) == ["raster_unknown"]
    with pytest.raises(InputError, match="velocities up to 50"):
        rasters.read(tif(tmp_path / "b.tif", [[0, 70, 80]]), unit="m/s", kind="flood_velocity")
    with pytest.raises(InputError, match="-9999 in 1 cell, undeclared"):
        rasters.read(path, unit="m/s", kind="flood_velocity")


def test_a_film_of_rain_is_said(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[1e-9, 0.001, 0.5, np.nan]])
    assert codes(rasters.read(path, unit="m")[1]) == ["raster_film", "raster_unknown"]
    assert codes(rasters.read(tif(tmp_path / "b.tif", [[0, 0.02, 0.5, np.nan]]), unit="m")[1]) == ["raster_unknown"]


# heights


def test_heights_may_lie_below_the_sea(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[-4.5, 0, 321], [-9999, 12, -1]], nodata=-9999)
    grid, notes = rasters.heights(path)
    assert np.array_equal(grid.values, np.array([[-4.5, 0, 321], [np.nan, 12, -1]], dtype=np.float32), equal_nan=True)
    assert codes(notes) == ["elevation_unknown"]


@pytest.mark.parametrize(("values", "said"), [
    ([[1, -9999]], "1 cell beyond, from -9999 to -9999"), ([[1, 12_000]], "1 cell beyond"),
    ([[np.nan, np.nan]], "no cell with a value"),
])  # fmt: skip
def test_heights_that_no_ground_has_are_refused(tmp_path: Path, values: list[list[float]], said: str) -> None:
    with pytest.raises(InputError, match=said):
        rasters.heights(tif(tmp_path / "a.tif", values))


def srtm() -> bytes:
    """A tile of SRTM: 1 201 × 1 201 heights, big end first; 7 m in the north-west corner, nothing in the south-east."""
    values = np.full((1201, 1201), 100, dtype=">i2")
    values[0, 0], values[-1, -1] = 7, -32768
    return values.tobytes()


def test_a_tile_of_srtm_plain_and_zipped(tmp_path: Path) -> None:
    (tmp_path / "n42e001.hgt").write_bytes(srtm())
    with zipfile.ZipFile(tmp_path / "srtm.zip", "w") as archive:
        archive.writestr("N42E001.hgt", srtm())
    for name in ("n42e001.hgt", "srtm.zip"):
        grid, _ = rasters.heights(tmp_path / name)
        assert (grid.crs, grid.values.shape) == ("EPSG:4326", (1201, 1201))
        assert (grid.values[0, 0], np.isnan(grid.values[-1, -1])) == (7, True)
        assert np.allclose(grid.bounds, (1, 42, 2, 43), atol=0.001)


def test_a_tile_that_does_not_say_where_it_lies_is_refused(tmp_path: Path) -> None:
    (tmp_path / "heights.hgt").write_bytes(srtm())
    with pytest.raises(UnreadableError):
        rasters.heights(tmp_path / "heights.hgt")
    with zipfile.ZipFile(tmp_path / "two.zip", "w") as archive:
        archive.writestr("a.txt", "a")
    with pytest.raises(UnreadableError, match=r"\.hgt in the zip"):
        rasters.heights(tmp_path / "two.zip")


@pytest.mark.parametrize("content", [
    b"", b"hello", b"II*\0" + b"x" * 50, b"{}", b"ncols two", b"\0\0\x27\x0a" + b"\0" * 96,
])  # fmt: skip
def test_what_is_no_raster_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    with pytest.raises(UnreadableError, match=str(path)):
        rasters.read(path, unit="m")


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.tif"
    path.touch()
    with pytest.raises(UnreadableError, match="a GeoTIFF or ASCII grid, found an empty file"):
        rasters.read(path, unit="m")


@pytest.mark.parametrize(("content", "said"), [
    (b"<VRTDataset rasterXSize='1'>", "a VRT, which names other files"), (b"CDF\x01....", "netCDF. Save the one"),
    (b"\x89HDF\r\n\x1a\n", "HDF5"), (b"\x89PNG\r\n", "a picture"), (b"\xff\xd8\xff\xe0", "a picture"),
    (b"%PDF-1.4", "a printed map"), (b"GRIB....", "GRIB"),
])  # fmt: skip
def test_rasters_that_are_not_read_are_told_what_to_do(tmp_path: Path, content: bytes, said: str) -> None:
    path = tmp_path / "a.tif"
    path.write_bytes(content)
    assert rasters.is_raster(path)
    with pytest.raises(UnreadableError, match=said):
        rasters.read(path, unit="m")


def test_outlines_are_told_from_rasters(tmp_path: Path) -> None:
    assert rasters.is_raster(tif(tmp_path / "a.tif", [[0, 1]]))
    zone = gpd.GeoDataFrame({"level": [5]}, geometry=[shapely.box(0, 0, 1, 1)], crs=CRS)
    for name in ("a.geojson", "a.gpkg", "a.fgb"):
        zone.to_file(tmp_path / name)
        assert not rasters.is_raster(tmp_path / name)
    grid = tmp_path / "tiles.gpkg"
    with rasterio.open(grid, "w", driver="GPKG", width=2, height=2, count=1, dtype="uint8", crs="EPSG:4326",
                       transform=Affine(0.1, 0, 5, 0, -0.1, 50)) as target:  # fmt: skip
        target.write(np.ones((1, 2, 2), dtype="uint8"))
    assert rasters.is_raster(grid)
    with pytest.raises(UnreadableError, match="a GeoPackage with a raster"):
        rasters.read(grid, unit="m")


def test_a_cut_off_raster_is_refused(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", np.random.default_rng(1).random((200, 200)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UnreadableError):
        rasters.read(path, unit="m")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        rasters.read(tmp_path / "a.tif", unit="m")


# what a raster does not say


def test_a_collar_of_zeros_is_said(tmp_path: Path) -> None:
    """A raster turned into another coordinate system is often filled up with 0 around what was modelled."""
    values = np.zeros((10, 10))
    values[2:8, 2:8] = 1.25
    notes = rasters.read(tif(tmp_path / "a.tif", values), unit="m")[1]
    assert [(note.code, note.count) for note in notes] == [("raster_zero_collar", 64), ("raster_all_known", 0)]
    values[0, 0] = np.nan
    assert codes(rasters.read(tif(tmp_path / "b.tif", values), unit="m")[1]) == ["raster_unknown"]


def test_the_same_depth_along_the_whole_edge_is_said(tmp_path: Path) -> None:
    values = np.full((5, 6), 7.5)
    values[1:4, 1:5] = 0.25
    notes = rasters.read(tif(tmp_path / "a.tif", values), unit="m")[1]
    assert (notes[0].code, notes[0].count, notes[0].value) == ("raster_same_edge", 18, "7.5")
    assert "raster_same_edge" not in codes(rasters.read(tif(tmp_path / "a.tif", values), unit="m/s", kind="wind")[1])


def test_cells_as_wide_as_a_block_are_said(tmp_path: Path) -> None:
    degrees = Affine(0.0027, 0, 125, 0, -0.0027, 11)
    path = tif(tmp_path / "a.tif", [[0, 1.5, np.nan]], crs="EPSG:4326", transform=degrees)
    notes = rasters.read(path, unit="m")[1]
    assert (notes[-1].code, "301 m wide" in notes[-1].en) == ("raster_coarse", True)
