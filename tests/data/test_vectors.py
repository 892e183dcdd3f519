from __future__ import annotations

import zipfile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from data import vectors
from geo.errors import ColumnError, CrsError, FileMissingError, LimitError, UnreadableError


def table() -> gpd.GeoDataFrame:
    shapes = [shapely.box(3, 52, 3.1, 52.1), shapely.box(3.2, 52, 3.3, 52.1)]
    return gpd.GeoDataFrame({"NAME": ["金陵", "B"], "n": [1.5, 2]}, geometry=shapes, crs="EPSG:4326")


def write(folder: Path, form: str) -> Path:
    path = folder / f"a.{form}"
    if form == "parquet":
        table().to_parquet(path)
    elif form == "zip":
        table().to_file(folder / "b.shp", encoding="utf-8")
        with zipfile.ZipFile(path, "w") as archive:
            for part in folder.glob("b.*"):
                archive.write(part, part.name)
    else:
        table().to_file(path)
    return path


@pytest.mark.parametrize("form", ["geojson", "gpkg", "shp", "zip", "fgb", "parquet"])
def test_every_form_reads_the_same(tmp_path: Path, form: str) -> None:
    found = vectors.read(write(tmp_path, form)).sort_values("n", ignore_index=True)
    assert found[["NAME", "n"]].to_numpy().tolist() == [["金陵", 1.5], ["B", 2]]
    assert np.allclose(found.total_bounds, [3, 52, 3.3, 52.1])
    assert found.crs.to_epsg() == 4326


def test_into_another_crs(tmp_path: Path) -> None:
    found = vectors.read(write(tmp_path, "gpkg"), into="EPSG:32631")
    assert found.crs.to_epsg() == 32631
    assert abs(found.total_bounds[0] - 500_000) < 1


def test_height_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(3, 52, 12)], crs="EPSG:4326").to_file(path)
    assert not vectors.read(path).geometry.has_z.any()


def test_columns_are_renamed(tmp_path: Path) -> None:
    found = vectors.read(write(tmp_path, "gpkg"), columns={"name": "NAME", "people": "n"})
    assert list(found.columns) == ["geometry", "name", "people"]
    assert list(vectors.read(tmp_path / "a.gpkg", columns={"n": "NAME"})["n"]) == ["金陵", "B"]
    twice = vectors.read(tmp_path / "a.gpkg", columns={"name": "NAME", "name_zh": "NAME"})
    assert twice["name"].tolist() == twice["name_zh"].tolist()


def test_a_mapped_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match=r"'PEOPLE' to use as people.*NAME, n"):
        vectors.read(write(tmp_path, "gpkg"), columns={"people": "PEOPLE", "name": "NAME"})


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffname;Longitude;Latitude\n金陵;118.79;32.05\nB;;\n", encoding="utf-8")
    with pytest.raises(CrsError, match="EPSG:4326"):
        vectors.read(path)
    found = vectors.read(path, crs="EPSG:4326")
    assert found["name"].tolist() == ["金陵", "B"]
    assert (found.geometry.iloc[0].x, found.geometry.isna().tolist()) == (118.79, [False, True])


def test_csv_in_an_older_chinese_encoding_and_with_mapped_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("名称,东经,北纬\n金陵中学,118.79,32.05\n".encode("gbk"))
    found = vectors.read(path, crs="EPSG:4326", columns={"lon": "东经", "lat": "北纬", "name": "名称"})
    assert found["name"].tolist() == ["金陵中学"]
    with pytest.raises(ColumnError, match="--map lon=COLUMN"):
        vectors.read(path, crs="EPSG:4326")


def test_coordinates_that_cannot_be_in_their_crs(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "Point", "coordinates": [190000, 505000]}')
    with pytest.raises(CrsError, match="coordinates of EPSG:4326"):
        vectors.read(path)
    assert vectors.read(path, crs="EPSG:28992").crs.to_epsg() == 28992


def test_a_shapefile_without_prj_needs_a_crs_and_without_dbf_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError):
        vectors.read(path)
    assert len(vectors.read(path, crs="EPSG:4326")) == 2
    path.with_suffix(".dbf").unlink()
    with pytest.raises(UnreadableError, match=r"no \.dbf.*Zip all its files"):
        vectors.read(path, crs="EPSG:4326")


def test_several_layers_are_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "gpkg")
    table().to_file(path, layer="roads")
    with pytest.raises(UnreadableError, match=r"2 \(a, roads\)"):
        vectors.read(path)


@pytest.mark.parametrize(("limit", "most"), [("FEATURES_MAX", 1), ("COLUMNS_MAX", 1), ("VERTICES_MAX", 9)])
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    monkeypatch.setattr(vectors, limit, most)
    with pytest.raises(LimitError):
        vectors.read(write(tmp_path, "gpkg"))


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 30_000_000)
    with pytest.raises(LimitError, match="30,000,000 bytes unpacked"):
        vectors.read(path)


@pytest.mark.parametrize("content", [
    b"", b"hello", b"\x89PNG\r\n\x1a\n", b"II*\0", b"<OGRVRTDataSource></OGRVRTDataSource>",
    b"SQLite format 3\0" + b"x" * 99, b"PK\x03\x04", b"{]", b"fgb\x03fgb\0" + b"\xff" * 40, b"PAR1nope",
    b"a,b\n1,2,3\n4", b"\0" * 50,
])  # fmt: skip
def test_what_is_no_table_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "a.dat"
    path.write_bytes(content)
    with pytest.raises((UnreadableError, ColumnError), match=str(path)):
        vectors.read(path, crs="EPSG:4326")


def test_missing(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError):
        vectors.read(tmp_path / "a.gpkg")
    with pytest.raises(UnreadableError, match="a folder"):
        vectors.read(tmp_path)


def test_an_empty_file_is_called_empty(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.touch()
    with pytest.raises(UnreadableError, match="found an empty file"):
        vectors.read(path)
