from __future__ import annotations

import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as hnp
from rasterio.transform import Affine

from data import rasters
from geo.errors import CrsError, FileMissingError, InputError, LimitError, ParameterError, UnreadableError

CRS = "EPSG:28992"


def tif(path: Path, values: object, *, dtype: str = "float32", crs: str | None = CRS, nodata: float | None = None,
        transform: Affine | None = None, bands: int = 1, scale: float = 1, offset: float = 0) -> Path:  # fmt: skip
    array = np.asarray(values, dtype=dtype)
    place = transform or Affine(5, 0, 190_000, 0, -5, 505_000)
    with rasterio.open(path, "w", driver="GTiff", height=array.shape[0], width=array.shape[1], count=bands, dtype=dtype,
                       crs=crs, transform=place, nodata=nodata) as target:  # fmt: skip
        for band in range(bands):
            target.write(array, band + 1)
        if (scale, offset) != (1, 0):
            target.scales, target.offsets = [scale], [offset]
    return path


def codes(notes: tuple[rasters.Sentence, ...]) -> list[str]:
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
    assert notes == ()


@pytest.mark.parametrize(("unit", "expected"), [("m", 12), ("cm", 0.12), ("mm", 0.012), ("ft", 3.6576)])
def test_units_become_metres(tmp_path: Path, unit: str, expected: float) -> None:
    grid, _ = rasters.read(tif(tmp_path / "a.tif", [[0, 12]]), unit=unit)
    assert grid.values[0, 1] == pytest.approx(expected)


def test_an_unknown_unit_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"m, cm, mm, ft.*'yards'"):
        rasters.read(tif(tmp_path / "a.tif", [[0, 1]]), unit="yards")


def test_scale_and_offset_of_the_file_are_applied(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 150]], dtype="int16", scale=0.01, offset=0.5)
    grid, notes = rasters.read(path, unit="m")
    assert grid.values.tolist() == [[0.5, 2.0]]
    assert "raster_whole_metres" not in codes(notes)


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
    ([[0, 1, -9999]], "-9999 in 1 cells, undeclared"), ([[0, 1, 999]], "999 in 1 cells, undeclared"),
    ([[0, 1, 9999, 9999]], "9999 in 2 cells, undeclared"), ([[0, 3, 255]], "255 in 1 cells, undeclared"),
    ([[0, 1, -0.5]], "1 cells below, down to -0.5"), ([[0, 1, 300, 200]], "2 cells above, up to 300"),
    ([[0, 1, -3.4e38]], "1 cells below"), ([[np.nan, np.nan]], "no cell with a value"),
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


def test_no_place_on_earth(tmp_path: Path) -> None:
    with pytest.warns(rasterio.errors.NotGeoreferencedWarning):
        path = tif(tmp_path / "a.tif", [[0, 1]], transform=Affine.identity())
    with pytest.raises(UnreadableError, match="rows and columns only"):
        rasters.read(path, unit="m")


def test_several_bands_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="3 bands"):
        rasters.read(tif(tmp_path / "a.tif", [[0, 1]], bands=3), unit="m")


def test_too_many_cells_are_refused_before_reading(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(rasters, "CELLS_MAX", 5)
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
    assert notes == ()
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


@pytest.mark.parametrize("kind", ["fire", "landslide", "debris", "sand"])
def test_levels(tmp_path: Path, kind: str) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1, 5]], dtype="uint8")
    grid, notes = rasters.read(path, unit="level", kind=kind)
    assert grid.values.tolist() == [[0, 1, 5]]
    assert codes(notes) == ["raster_levels"]
    with pytest.raises(ParameterError, match="'m'"):
        rasters.read(path, unit="m", kind=kind)
    with pytest.raises(InputError, match=r"levels up to 5, found 1 cells above, up to 7. Say what each"):
        rasters.read(tif(tmp_path / "b.tif", [[0, 4, 7]]), unit="level", kind=kind)


def test_dry_is_said_of_water_alone_and_not_where_somebody_explained_it(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1, 2]], dtype="uint8")
    assert "raster_all_known" in codes(rasters.read(path, unit="m")[1])
    assert codes(rasters.read(path, unit="m", classes={"0": 0.0, "1": 0.5, "2": 2.0})[1]) == []
    assert codes(rasters.read(path, unit="m/s", kind="flood_velocity")[1]) == ["raster_classes"]


def test_velocities(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 1.5, -9999]])
    grid, notes = rasters.read(path, unit="m/s", kind="flood_velocity", nodata=-9999)
    assert np.array_equal(grid.values, [[0, 1.5, np.nan]], equal_nan=True)
    assert notes == ()
    with pytest.raises(InputError, match="velocities up to 50"):
        rasters.read(tif(tmp_path / "b.tif", [[0, 70, 80]]), unit="m/s", kind="flood_velocity")
    with pytest.raises(InputError, match="-9999 in 1 cells, undeclared"):
        rasters.read(path, unit="m/s", kind="flood_velocity")


def test_a_film_of_rain_is_said(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[1e-9, 0.001, 0.5, np.nan]])
    assert codes(rasters.read(path, unit="m")[1]) == ["raster_film"]
    assert codes(rasters.read(tif(tmp_path / "b.tif", [[0, 0.02, 0.5, np.nan]]), unit="m")[1]) == []


# heights


def test_heights_may_lie_below_the_sea(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[-4.5, 0, 321], [-9999, 12, -1]], nodata=-9999)
    grid, notes = rasters.heights(path)
    assert np.array_equal(grid.values, np.array([[-4.5, 0, 321], [np.nan, 12, -1]], dtype=np.float32), equal_nan=True)
    assert codes(notes) == ["elevation_unknown"]


@pytest.mark.parametrize(("values", "said"), [
    ([[1, -9999]], "1 cells beyond, from -9999 to -9999"), ([[1, 12_000]], "1 cells beyond"),
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


def test_ascii_grid(tmp_path: Path) -> None:
    path = tmp_path / "a.asc"
    path.write_text("ncols 2\nnrows 1\nxllcorner 190000\nyllcorner 505000\ncellsize 5\nNODATA_value -9\n1.5 -9\n")
    grid, _ = rasters.read(path, unit="m", crs=CRS)
    assert np.array_equal(grid.values, [[1.5, np.nan]], equal_nan=True)


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


def test_outlines_of_hazards_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "flood.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(UnreadableError, match="export it as GeoTIFF"):
        rasters.read(path, unit="m")


def test_a_cut_off_raster_is_refused(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", np.random.default_rng(1).random((200, 200)))
    path.write_bytes(path.read_bytes()[:5000])
    with pytest.raises(UnreadableError):
        rasters.read(path, unit="m")


def test_missing_file(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        rasters.read(tmp_path / "a.tif", unit="m")


def test_people_of_a_raster(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 2.5, -1], [7, 0, np.nan]], nodata=-1)
    table, notes = rasters.people(path, into="EPSG:32631")
    assert table[["demand_id", "people"]].to_numpy().tolist() == [["r0c1", 2.5], ["r1c0", 7]]
    assert codes(notes) == ["people_per_cell"]
    back = table.to_crs(CRS)
    assert np.allclose(back.geometry.x, [190_007.5, 190_002.5])
    assert np.allclose(back.geometry.y, [504_997.5, 504_992.5])


def test_fewer_than_nobody_is_refused(tmp_path: Path) -> None:
    path = tif(tmp_path / "a.tif", [[0, 2.5, -3]])
    with pytest.raises(InputError, match="1 cells below, down to -3"):
        rasters.people(path, into="EPSG:32631")
    assert len(rasters.people(path, into="EPSG:32631", nodata=-3)[0]) == 1


def test_nobody_is_an_empty_table(tmp_path: Path) -> None:
    table, _ = rasters.people(tif(tmp_path / "a.tif", [[0, 0]]), into="EPSG:32631")
    assert (len(table), list(table.columns)) == (0, ["demand_id", "people", "geometry"])
