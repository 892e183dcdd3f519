"""A run as files for other programs: complete, honest about what is missing, the same bytes each time."""

from __future__ import annotations

import csv
import io
import json
import re
import sqlite3
from contextlib import closing
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import pytest
import rasterio
from hypothesis import given
from hypothesis import strategies as st

from app.export import Format, as_csv, as_flatgeobuf, as_geojson, as_geopackage, export
from app.export.qml import conditions, qml
from app.export.sheets import _harmless
from app.export.values import decimals
from app.store import Run
from geo.errors import ConflictError, NotFoundError, StorageError
from tests.app import circles_made
from tests.app.hand_made import HOSTILE, saved
from tiles import evacuation, style
from tiles.style import Style
from tiles.text import Text

QUOTED = re.compile(r"\"[^\"]+\"")
RINGS = style.rings("fire", [5, 10, 15])
STYLES = [
    style.status(), style.walking(), evacuation.shelters(), style.open_streets(), evacuation.flows(), style.depth(px=3),
    style.facilities(), style.lost(), RINGS, style.depths("fire", 3), style.losses(), style.lacking(("a", "b")),
    style.arrivals("fire_s"),
]  # fmt: skip


@pytest.fixture
def run(tmp_path: Path) -> Run:
    return saved(tmp_path)[1]


# values


@pytest.mark.parametrize(("column", "digits"), [
    ("walk_s", 1), ("walk_s_median", 1), ("depth_max_m", 2), ("area_m2", 1), ("share_wet", 4), ("wet_share", 4),
    ("shelter_m2_per_person", 2), ("people", None), ("capacity", None), ("sources", None),
])  # fmt: skip
def test_numbers_have_no_more_digits_than_were_measured(column: str, digits: int | None) -> None:
    assert decimals(column) == digits


# GeoJSON


def test_geojson_is_longitude_first_with_its_attribution(run: Run) -> None:
    found = json.loads(as_geojson(run, "demand"))
    assert found["attribution"] == ["© OpenStreetMap contributors"]
    assert (found["run_id"], found["study_id"], found["scenario_id"]) == (run.run_id, "kampen", "flood")
    assert [feature["id"] for feature in found["features"]] == ["a", "b"]
    lon, lat = found["features"][0]["geometry"]["coordinates"]
    assert 5.9 < lon < 6.1 and 52.4 < lat < 52.7
    first = found["features"][0]["properties"]
    assert (first["walk_s"], first["people"], first["shelter_id"], first["lost_way"]) == (None, 7, None, True)


def test_geojson_is_what_gdal_reads(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "shelters.geojson"
    path.write_bytes(as_geojson(run, "shelters"))
    found, kept = pyogrio.read_dataframe(path), run.table("shelters")
    assert found.crs.to_epsg() == 4326
    assert found["shelter_id"].tolist() == kept["shelter_id"].tolist()
    assert all(a.equals(b) for a, b in zip(found.geometry, kept.geometry, strict=True))
    assert found["name"].tolist() == kept["name"].tolist()


def test_an_empty_layer_is_an_empty_collection(run: Run) -> None:
    assert json.loads(as_geojson(run, "cut_off"))["features"] == []


# CSV


def rows(content: bytes) -> list[dict[str, str]]:
    assert content.startswith(b"\xef\xbb\xbf")
    return list(csv.DictReader(io.StringIO(content.decode("utf-8-sig"), newline="")))


def test_csv_opens_in_a_spreadsheet_with_chinese_and_a_point(run: Run) -> None:
    found = rows(as_csv(run, "communities"))
    assert [row["community_id"] for row in found] == ["c1", "c2"]
    assert found[1]["name_zh"] == "核心"
    assert found[0]["walk_s_median"] == ""
    assert (found[1]["walk_s_median"], found[1]["shelter_m2_per_person"]) == ("125.4", "3.14")
    inside = gpd.points_from_xy([float(row["lon"]) for row in found], [float(row["lat"]) for row in found])
    assert run.table("communities").geometry.contains(gpd.GeoSeries(inside, crs="EPSG:4326")).all()


def test_csv_runs_nothing(run: Run) -> None:
    assert rows(as_csv(run, "communities"))[0]["name"] == f"'{HOSTILE}"


@given(st.text())
def test_no_text_starts_a_formula(text: str) -> None:
    assert not str(_harmless(text)).startswith(("=", "+", "-", "@", "\t", "\r"))
    assert str(_harmless(text)).removeprefix("'") == text.removeprefix("'")


def test_an_empty_layer_is_its_heading(run: Run) -> None:
    assert as_csv(run, "cut_off").decode("utf-8-sig").count("\r\n") == 1


# GeoPackage


def tables(path: Path) -> dict[str, gpd.GeoDataFrame]:
    return {name: pyogrio.read_dataframe(path, layer=name) for name, kind in pyogrio.list_layers(path) if kind}


def test_a_geopackage_holds_every_table_with_its_style(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "run.gpkg"
    export(run, Format.gpkg, path)
    found = tables(path)
    assert set(found) == {"communities", "cut_off", "demand", "shelters_points", "shelters_areas", "streets"}
    assert len(found["shelters_points"]) == len(found["shelters_areas"]) == 1
    assert pd.isna(found["demand"].set_index("demand_id")["walk_s"]["a"])
    assert found["communities"]["name"].tolist() == run.table("communities")["name"].tolist()
    with closing(sqlite3.connect(path)) as database:
        styled = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles WHERE useAsDefault"))
        listed = {name for (name,) in database.execute("SELECT table_name FROM gpkg_contents")}
        columns = dict(database.execute("SELECT table_name, column_name FROM gpkg_geometry_columns"))
        named = dict(database.execute("SELECT f_table_name, f_geometry_column FROM layer_styles"))
        (checked,) = database.execute("PRAGMA integrity_check").fetchone()
    assert checked == "ok"
    assert set(styled) == set(found) - {"cut_off"}
    assert {**columns, **named} == columns
    assert listed == {*found, "layer_styles"}
    assert {ElementTree.fromstring(text).tag for text in styled.values()} == {"qgis"}


def test_a_geopackage_says_whose_data_it_stands_on(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "one.gpkg"
    path.write_bytes(as_geopackage(run, "demand"))
    about = pyogrio.read_info(path, layer="demand")["dataset_metadata"]
    assert about["ATTRIBUTION"] == "© OpenStreetMap contributors"
    assert "ODbL-1.0" in about["README"] and run.run_id in about["README"]


# FlatGeobuf


def test_flatgeobuf_keeps_ids_text_and_what_is_missing(run: Run, tmp_path: Path) -> None:
    path = tmp_path / "layer.fgb"
    for name, key in (("demand", "demand_id"), ("shelters", "shelter_id"), ("communities", "community_id")):
        path.write_bytes(as_flatgeobuf(run, name))
        found, kept = pyogrio.read_dataframe(path).set_index(key), run.table(name).set_index(key)
        assert found.crs.to_epsg() == 4326 and set(found.columns) == set(kept.columns)
        found = found.loc[kept.index]
        assert (found.isna() == kept.isna()).all(axis=None)
        assert all(a.equals(b) for a, b in zip(found.geometry, kept.geometry, strict=True))
    assert found["name"].tolist() == kept["name"].tolist()
    assert found["name_zh"].dropna().tolist() == kept["name_zh"].dropna().tolist()
    assert pyogrio.read_info(path)["layer_metadata"]["DESCRIPTION"] == "© OpenStreetMap contributors"
    path.write_bytes(as_flatgeobuf(run, "cut_off"))
    assert len(pyogrio.read_dataframe(path)) == 0


def test_flatgeobuf_has_rows_that_are_nowhere(tmp_path: Path) -> None:
    _, run = circles_made.saved(tmp_path)
    path = tmp_path / "layer.fgb"
    for layer in (layer.layer for layer in run.record.layers if layer.kind == "table"):
        path.write_bytes(as_flatgeobuf(run, layer))
        found, kept = pyogrio.read_dataframe(path), run.table(layer)
        nowhere = (kept.geometry.isna() | kept.geometry.is_empty).sum()
        assert (len(found), (found.geometry.isna() | found.geometry.is_empty).sum()) == (len(kept), nowhere), layer


# styles


@pytest.mark.parametrize("look", STYLES, ids=lambda look: look.column or look.kind)
def test_each_class_is_a_rule_with_its_symbol(look: Style) -> None:
    for geometry, kind in (("point", "marker"), ("line", "line"), ("polygon", "fill")):
        root = ElementTree.fromstring(qml(look, geometry))
        rules, symbols = root.findall(".//rule"), root.findall(".//symbols/symbol")
        assert [rule.get("symbol") for rule in rules] == [symbol.get("name") for symbol in symbols]
        assert len(rules) == len(look.classes)
        assert {symbol.get("type") for symbol in symbols} == {kind}


def true(database: sqlite3.Connection, rule: str, value: float) -> bool:
    """Whether a rule about one column holds for a value."""
    (found,) = database.execute(f"SELECT {re.sub(QUOTED, 'v', rule)} FROM (SELECT ? AS v)", (value,)).fetchone()
    return bool(found)


@pytest.mark.parametrize(
    "look",
    [style.walking(), evacuation.flows(), style.depth(px=3), RINGS, style.losses()],
    ids=lambda look: look.column,
)
def test_a_ramp_s_rules_choose_as_the_map_does(look: Style) -> None:
    """The rules, worked out as SQL, against the classes the tiles use."""
    values = [*look.uppers[np.isfinite(look.uppers)], 0.0, 0.001, 179.9, 180.1, 1e6, 1.0]
    filters = conditions(look)[:-1]
    database = sqlite3.connect(":memory:")
    with closing(database):
        chosen = [
            next((i for i, rule in enumerate(filters) if true(database, rule, value)), len(filters)) for value in values
        ]
    assert chosen == look.classify(np.array(values)).tolist()


def test_categories_name_every_value_and_leave_the_rest_to_the_last() -> None:
    assert conditions(evacuation.shelters()) == ['"usable" = TRUE', '"usable" = FALSE', "ELSE"]
    assert conditions(style.open_streets())[0] == '"walk_reason" IS NULL'
    assert conditions(style.lost()) == [""]


def test_areas_one_on_another_are_seen_through_as_a_whole() -> None:
    """The layer's opacity stands in the style; each ring's own fill is opaque, so that they do not mix."""
    root = ElementTree.fromstring(qml(RINGS, "polygon"))
    assert root.findtext("layerOpacity") == f"{RINGS.opacity:g}"
    assert root.get("styleCategories") == "Symbology|Rendering"
    colours = [o.get("value") or "" for o in root.findall(".//Option[@name='color']")]
    assert {colour.split(",")[3] for colour in colours} == {"255"}
    assert ElementTree.fromstring(qml(style.status(), "polygon")).findtext("layerOpacity") == "1"


def test_nobodys_ground_is_hatched() -> None:
    look = style.divided("facility_id", [], nobody=Text("无", "nobody"), marked=Text("大", "large"))
    root = ElementTree.fromstring(qml(look, "polygon"))
    assert root.find(".//Option[@value='b_diagonal']") is not None
    assert root.find(".//rule").get("filter") == '"facility_id" IS NULL'  # type: ignore[union-attr]


# service circles


def test_circles_come_through_every_format(tmp_path: Path) -> None:
    _, run = circles_made.saved(tmp_path)
    ringed = json.loads(as_geojson(run, "circles_fire"))
    assert ringed["attribution"] == ["© OpenStreetMap contributors"]
    assert [f["properties"]["minutes"] for f in ringed["features"]] == [15, 10, 5]
    assert ringed["features"][1]["properties"]["street_km"] == 0.31
    sheet = {row["facility_id"]: row for row in rows(as_csv(run, "responsibility_fire"))}
    assert (sheet["f1"]["name"], sheet["f2"]["too_large"], sheet[""]["s_p95"]) == (f"'{HOSTILE}", "True", "")
    assert [(row["minutes"], row["lon"]) for row in rows(as_csv(run, "circles_police"))] == [
        ("15.0", ""), ("10.0", ""), ("5.0", ""),
    ]  # fmt: skip
    assert {row["when"] for row in rows(as_csv(run, "community_circles"))} == {"normal", "now"}


def test_every_table_of_a_service_has_a_style_in_the_geopackage(tmp_path: Path) -> None:
    _, run = circles_made.saved(tmp_path)
    path = tmp_path / "run.gpkg"
    export(run, Format.gpkg, path)
    with closing(sqlite3.connect(path)) as database:
        styled = dict(database.execute("SELECT f_table_name, styleQML FROM layer_styles"))
    tables = {layer.layer for layer in run.record.layers if layer.kind == "table"}
    assert tables - set(styled) == {"community_circles", "cut_off", "shelters"}
    assert "&quot;walk_s&quot;" in styled["demand"] and "&quot;walk_reason&quot;" in styled["streets"]


# whole runs


@pytest.mark.parametrize("format", list(Format))
def test_an_export_is_the_same_each_time_and_in_every_workspace(format: Format, tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        _, run = saved(tmp_path / name)
        written = export(run, format, tmp_path / name / "out")
        found.append({str(path.relative_to(tmp_path / name)): path.read_bytes() for path in written})
    assert found[0] == found[1]


def test_a_folder_has_every_layer_the_raster_and_a_readme(run: Run, tmp_path: Path) -> None:
    written = export(run, Format.geojson, tmp_path / "out")
    tables = ("communities", "cut_off", "demand", "shelters", "streets")
    expected = {"README.txt", "hazard_flood.tif", *(f"{name}.geojson" for name in tables)}
    assert {path.name for path in written} == expected
    text = (tmp_path / "out/README.txt").read_text(encoding="utf-8")
    said = (run.run_id, "© OpenStreetMap contributors", "ODbL-1.0", "2023-01-30", "Drawn by hand.", "手绘。", "坎彭")
    assert [part for part in said if part not in text] == []
    with rasterio.open(tmp_path / "out/hazard_flood.tif") as flood:
        assert flood.read(1, masked=True).max() == 4


def test_nothing_is_overwritten_unless_asked(run: Run, tmp_path: Path) -> None:
    out = tmp_path / "out"
    out.mkdir()
    (out / "demand.csv").write_text("mine")
    with pytest.raises(ConflictError, match="--overwrite"):
        export(run, Format.csv, out)
    assert [path.name for path in out.iterdir()] == ["demand.csv"]
    export(run, Format.csv, out, overwrite=True)
    assert (out / "demand.csv").read_text(encoding="utf-8-sig") != "mine"


def test_unknown_layers_and_unwritable_places(run: Run, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="communities"):
        as_geojson(run, "secrets")
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        export(run, Format.csv, tmp_path / "file")
