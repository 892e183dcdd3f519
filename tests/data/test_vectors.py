from __future__ import annotations

import zipfile
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import shapely

from data import limits, vectors
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
    found = vectors.read(write(tmp_path, form)).table.sort_values("n", ignore_index=True)
    assert found[["NAME", "n"]].to_numpy().tolist() == [["金陵", 1.5], ["B", 2]]
    assert np.allclose(found.total_bounds, [3, 52, 3.3, 52.1])
    assert found.crs.to_epsg() == 4326


def test_into_another_crs(tmp_path: Path) -> None:
    found = vectors.read(write(tmp_path, "gpkg"), into="EPSG:32631").table
    assert found.crs.to_epsg() == 32631
    assert abs(found.total_bounds[0] - 500_000) < 1


def test_height_is_dropped(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    gpd.GeoDataFrame(geometry=[shapely.Point(3, 52, 12)], crs="EPSG:4326").to_file(path)
    assert not vectors.read(path).table.geometry.has_z.any()


def test_columns_are_renamed(tmp_path: Path) -> None:
    found = vectors.read(write(tmp_path, "gpkg"), columns={"name": "NAME", "people": "n"}).table
    assert list(found.columns) == ["geometry", "name", "people"]
    assert list(vectors.read(tmp_path / "a.gpkg", columns={"n": "NAME"}).table["n"]) == ["金陵", "B"]
    twice = vectors.read(tmp_path / "a.gpkg", columns={"name": "NAME", "name_zh": "NAME"}).table
    assert twice["name"].tolist() == twice["name_zh"].tolist()


def test_a_mapped_column_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(ColumnError, match=r"'PEOPLE' to use as people.*NAME, n"):
        vectors.read(write(tmp_path, "gpkg"), columns={"people": "PEOPLE", "name": "NAME"})


def test_csv(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("\ufeffname;Longitude;Latitude\n金陵;118.79;32.05\nB;;\n", encoding="utf-8")
    with pytest.raises(CrsError, match="EPSG:4326"):
        vectors.read(path)
    found = vectors.read(path, crs="EPSG:4326").table
    assert found["name"].tolist() == ["金陵", "B"]
    assert (found.geometry.iloc[0].x, found.geometry.isna().tolist()) == (118.79, [False, True])


def test_csv_in_an_older_chinese_encoding_and_with_mapped_coordinates(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_bytes("名称,自东,自北\n金陵中学,118.79,32.05\n".encode("gbk"))
    columns = {"lon": "自东", "lat": "自北", "name": "名称"}
    found = vectors.read(path, crs="EPSG:4326", columns=columns)
    assert found.table["name"].tolist() == ["金陵中学"]
    assert found.conversions == ("GB18030 -> UTF-8",)
    assert [(note.code, note.value) for note in found.notes] == [("encoding_guessed", "GB18030")]
    with pytest.raises(ColumnError, match="--map lon=COLUMN"):
        vectors.read(path, crs="EPSG:4326")


def test_coordinates_that_cannot_be_in_their_crs(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "Point", "coordinates": [190000, 505000]}')
    with pytest.raises(CrsError, match="coordinates of EPSG:4326"):
        vectors.read(path)
    assert vectors.read(path, crs="EPSG:28992").table.crs.to_epsg() == 28992


def test_a_shapefile_without_prj_needs_a_crs_and_without_dbf_is_refused(tmp_path: Path) -> None:
    path = write(tmp_path, "shp")
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError):
        vectors.read(path)
    assert len(vectors.read(path, crs="EPSG:4326").table) == 2
    path.with_suffix(".dbf").unlink()
    with pytest.raises(UnreadableError, match=r"no \.dbf.*Zip all its files"):
        vectors.read(path, crs="EPSG:4326")


def test_several_layers_are_refused_by_name(tmp_path: Path) -> None:
    path = write(tmp_path, "gpkg")
    table().to_file(path, layer="roads")
    with pytest.raises(UnreadableError, match=r"2 \(a, roads\).*--map table=a"):
        vectors.read(path)
    assert len(vectors.read(path, columns={"table": "roads"}).table) == 2


def test_layers_without_geometry_do_not_count(tmp_path: Path) -> None:
    path = write(tmp_path, "gpkg")
    pyogrio.write_dataframe(pd.DataFrame({"a": [1]}), path, layer="notes")
    assert len(vectors.read(path).table) == 2


def test_parquet_without_the_word_geo(tmp_path: Path) -> None:
    path = tmp_path / "a.parquet"
    shapes = shapely.to_wkb(table().geometry.to_numpy())
    pd.DataFrame({"NAME": ["金陵", "B"], "geometry": shapes}).to_parquet(path)
    with pytest.raises(CrsError, match="EPSG:4326"):
        vectors.read(path)
    assert np.allclose(vectors.read(path, crs="EPSG:4326").table.total_bounds, [3, 52, 3.3, 52.1])


def test_json_of_other_kinds(tmp_path: Path) -> None:
    path = tmp_path / "a.json"
    feature = '{"type": "Feature", "properties": {"n": 1}, "geometry": {"type": "Point", "coordinates": [3, 52]}}'
    path.write_text(f"{feature}\n{feature}\n")
    assert len(vectors.read(path).table) == 2
    arcs = '"transform": {"scale": [1, 1], "translate": [3, 52]}, "arcs": [[[0, 0], [1, 0], [0, 1], [-1, -1]]]'
    shapes = '[{"type": null, "properties": {}}, {"type": "Polygon", "arcs": [[0]], "properties": {"name": "A"}}]'
    path.write_text('{"type": "Topology", ' + arcs + ', "objects": {"a": {"type": "GeometryCollection", "geometries": '
                    + shapes + "}}}")  # fmt: skip
    found = vectors.read(path, crs="EPSG:4326")
    assert found.table.index.tolist() == [1]
    assert [(note.code, note.rows) for note in found.notes] == [("rows_without_geometry", (1,))]


def test_geojson_in_an_older_encoding_and_another_system(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    crs = '"crs": {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::4549"}}'
    feature = (
        '{"type": "Feature", "properties": {"名称": "鼓楼公园"}, "geometry": {"type": "Point", "coordinates": '
        "[480000, 3547000]}}"
    )
    path.write_bytes(('{"type": "FeatureCollection", ' + crs + f', "features": [{feature}]}}').encode("gbk"))
    found = vectors.read(path)
    assert found.table["名称"].tolist() == ["鼓楼公园"]
    assert (found.table.crs.to_epsg(), found.conversions) == (4549, ("GB18030 -> UTF-8",))


@pytest.mark.parametrize(("text", "said"), [
    ('{"type": "gdal_streamed_alg", "command_line": "gdal vector pipeline ! read /etc/passwd"}', "not GeoJSON"),
    ('<?xml version="1.0"?><kml><Placemark/></kml>', "KML.*GeoPackage"),
    ("<html><table><tr><td>1</td></tr></table></html>", "web page.*xlsx"),
    ("\xd0\xcf\x11\xe0 old Excel", r"old form \(\.xls\).*save it as \.xlsx"),
    ('{"geometryType": "esriGeometryPoint", "features": [], "type": "x"}', "not GeoJSON"),
])  # fmt: skip
def test_other_forms_are_refused_with_advice(tmp_path: Path, text: str, said: str) -> None:
    path = tmp_path / "a.geojson"
    path.write_bytes(text.encode("latin-1"))
    with pytest.raises(UnreadableError, match=said):
        vectors.read(path)


def test_a_zip_with_chinese_names_of_an_old_pc(tmp_path: Path) -> None:
    table().to_file(tmp_path / "b.shp", encoding="utf-8")
    for named in ("gbk", "utf-8"):
        path, name = tmp_path / f"{named}.zip", "避难场所/一期".encode(named)
        stand_in = "x" * len(name)  # Python would say that a name is UTF-8, as old programs do not
        with zipfile.ZipFile(path, "w") as archive:
            for part in tmp_path.glob("b.*"):
                archive.writestr(stand_in + part.suffix.upper(), part.read_bytes())
            archive.writestr("other.shp", b"")
        path.write_bytes(path.read_bytes().replace(stand_in.encode(), name))
        assert vectors.read(path, columns={"table": "一期"}).table["NAME"].tolist() == ["金陵", "B"]
        with pytest.raises(UnreadableError, match=r"2 \(避难场所/一期.SHP, other.shp\).*--map table=一期"):
            vectors.read(path)


def test_sums_of_columns(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("lon,lat,MALE,FEM\n3,52,10,12\n3,52,5,\n")
    found = vectors.read(path, crs="EPSG:4326", columns={"people": "MALE+FEM"}).table
    assert found["people"].tolist() == pytest.approx([22, np.nan], nan_ok=True)
    with pytest.raises(ColumnError, match="MALE, FEM"):
        vectors.read(path, crs="EPSG:4326", columns={"people": "MALE+WOMEN"})


@pytest.mark.parametrize(("limit", "most"), [("FEATURES", 1), ("PROPERTIES", 1), ("VERTICES", 9)])
def test_limits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, limit: str, most: int) -> None:
    monkeypatch.setattr(limits, limit, replace(getattr(limits, limit), most=most))
    with pytest.raises(LimitError, match=f"at most {most}"):
        vectors.read(write(tmp_path, "gpkg"))


def test_a_zip_bomb_is_refused_unopened(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.shp", b"\0" * 30_000_000)
    with pytest.raises(LimitError, match="times as many bytes unpacked"):
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
