"""Studies on the command line: hazards of the map itself, scenarios, layers taken out again, archives."""

from __future__ import annotations

import io
import json
import zipfile
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from tests.app.command_line import Renxing
from tests.data.osm.drawn import CRS, EAST, NORTH


def test_a_hazard_is_derived_scheduled_and_taken_out_again(town: Renxing) -> None:
    derived = town("derive", "town", "waterside", "--scenario", "risk")
    assert (derived.code, derived.out.strip()) == (0, "town has waterside now")
    told = town("scenario", "town", "risk", "--time", "day", "--state", "alert", "--title-zh", "临水", "--json").json
    risk = told["scenarios"][-1]
    assert (risk["time"], risk["state"], risk["name"], risk["name_zh"], risk["hazards"]) == (
        "day", "alert", "Waterside · risk", "临水", ["waterside"],
    )  # fmt: skip
    runs = town("run", "town", "--json").json["runs"]
    assert [run["scenario_id"] for run in runs] == ["normal", "risk"]
    removed = town("remove", "town", "waterside", "--json").json
    assert [layer["layer_id"] for layer in removed["layers"]] == ["osm"]
    assert removed["scenarios"][-1]["hazards"] == []
    assert town("run", "town", "--json").json["runs"][1]["run_id"] != runs[1]["run_id"]


def kept(town: Renxing) -> dict[str, bytes]:
    """Every file of the workspace; the lock of a study that was about to be edited is none of its content."""
    return {name: content for name, content in town.files().items() if not name.endswith("/.lock")}


@pytest.mark.parametrize(("words", "says"), [
    (("derive", "town", "volcano"), "a hazard of waterside"),
    (("derive", "town", "steep_slope"), "renxing add town elevation FILE"),
    (("scenario", "town", "wet", "--hazard", "flood"), "none yet"),
    (("remove", "town", "flood"), "a layer of the study (osm)"),
])  # fmt: skip
def test_what_cannot_be_is_refused_and_changes_nothing(town: Renxing, words: tuple[str, ...], says: str) -> None:
    before = kept(town)
    said = town(*words)
    assert (said.code, kept(town)) == (1, before), said.err
    assert says in said.err


def test_a_table_of_classes_is_named(town: Renxing, tmp_path: Path) -> None:
    zone = shapely.box(EAST - 50, NORTH - 50, EAST + 250, NORTH + 300)
    zones = gpd.GeoDataFrame({"A31a_105": ["2"]}, geometry=[zone], crs=CRS)
    zones.to_file(tmp_path / "zones.geojson")
    words = ("add", "town", "hazard", tmp_path / "zones.geojson", "--hazard", "flood", "--map", "@japan-flood-rank")
    added = town(*words, "--json")
    assert added.code == 0, added.err
    layer = added.json["layers"][-1]
    assert (layer["unit"], layer["class_table"], layer["classes"]) == ("m", "japan-flood-rank", {})
    refused = town(*words, "--unit", "cm", "--name", "b")
    assert refused.code == 1
    assert "@japan-flood-rank" in refused.err


def test_an_archive_is_replayed_elsewhere(flooded: Renxing, tmp_path: Path) -> None:
    flooded("run", "town")
    out = tmp_path / "town.zip"
    assert flooded("export", "town", "--format", "archive", "--out", out).code == 0
    assert "study.toml" in zipfile.ZipFile(io.BytesIO(out.read_bytes())).namelist()
    elsewhere = flooded.beside(tmp_path / "elsewhere")
    said = elsewhere("replay", out, "--json")
    assert said.code == 0, said.err
    there, here = (place("show", "town", "--json").json["runs"] for place in (elsewhere, flooded))
    assert [{**run, "folder": ""} for run in there] == [{**run, "folder": ""} for run in here]


def test_tables_as_geoparquet(flooded: Renxing, tmp_path: Path) -> None:
    (run,) = flooded("run", "town", "--scenario", "flood", "--json").json["runs"]
    assert flooded("export", "town", "--format", "parquet", "--run", run["run_id"], "--out", tmp_path / "out").code == 0
    (path,) = (tmp_path / "out").rglob("communities.parquet")
    found = gpd.read_parquet(path)
    assert found["people"].sum() == run["headline"]["people"]
    assert found.crs.to_epsg() == 4326


def flooded_layer(runs: dict[str, str]) -> str:
    """The hazard's layer; its scenario has its id."""
    return next(name for name in runs if name.startswith("hazard-"))


def test_what_is_said_at_the_door_is_in_chinese_when_asked(
    town: Renxing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    zone = shapely.box(EAST - 50, NORTH - 50, EAST + 250, NORTH + 300)
    gpd.GeoDataFrame({"A31a_105": ["2"]}, geometry=[zone], crs=CRS).to_file(tmp_path / "内水.geojson")
    words = ("add", "town", "hazard", tmp_path / "内水.geojson", "--hazard", "flood", "--map", "@japan-flood-rank")
    added = town(*words, "--source", "City model", "--licence", "CC-BY-4.0", "--lang", "zh")
    assert added.out.startswith("已将灾害 hazard-") and "(内水)" in added.out
    assert "启动 …" in added.err and "提示：内水：" in added.err and "note:" not in added.err
    refused = town("add", "town", "hazard", tmp_path / "内水.geojson", "--hazard", "flood", "--lang=zh")
    assert refused.code == 1 and "renxing: " in refused.err and "需要：" in refused.err
    monkeypatch.setenv("LC_ALL", "zh_CN.UTF-8")
    assert "renxing: 未找到。" in town("remove", "town", "nothing").err
    assert town("scenario", "town", "wet").out.strip() == "town 已有情景 wet"
    runs = {run["scenario_id"]: run["run_id"] for run in town("run", "town", "--json").json["runs"]}
    flooded = next(run for name, run in runs.items() if name.startswith("hazard-"))
    town("export", "town", "--format", "geojson", "--out", tmp_path / "out", "--run", flooded)
    told = (tmp_path / "out/README.txt").read_text(encoding="utf-8")
    assert "City model (CC-BY-4.0)" in told and "SHA-256" in told and "“内水”" in told
    found = json.loads((tmp_path / "out/communities.geojson").read_text(encoding="utf-8"))
    assert "City model (CC-BY-4.0)" in found["attribution"]
    assert [source["layer_id"] for source in found["sources"]] == [flooded_layer(runs), "osm"]


def test_some_rows_of_a_table_are_taken_kept_and_taken_again(town: Renxing, tmp_path: Path) -> None:
    halls = {"TYPE": ["School", "School", "School", "Shop"], "n": ["100 Orang", "200", "Besar", "5"]}
    shapes = [shapely.box(EAST + 60 * i, NORTH, EAST + 60 * i + 40, NORTH + 40) for i in range(4)]
    gpd.GeoDataFrame(halls, geometry=shapes, crs=CRS).to_file(tmp_path / "halls.gpkg")
    words = ("add", "town", "shelters", tmp_path / "halls.gpkg", "--map", "capacity=n", "--map", "origin:=candidate")
    for where, says in (("TYP=School", "Did you mean TYPE?"), ("TYPE=Hall", "TYPE is School (3), Shop (1)")):
        refused = town(*words, "--where", where)
        assert (refused.code, says in refused.err) == (1, True), refused.err
    added = town(*words, "--where", "type=School", "--json")
    assert added.code == 0, added.err
    assert "Rows with type=School: 3 of 4 taken, 1 left out." in added.err
    layer = added.json["layers"][-1]
    assert (layer["where"], layer["conversions"][0]) == (["type=School"], "where type=School: 3 of 4 rows")
    told = town("check", "town", "--json").json["layers"][-1]
    assert (told["rows"], told["conversions"][0]) == (3, "where type=School: 3 of 4 rows")
    codes = {finding["code"]: finding["count"] for finding in told["findings"]}
    assert (codes["rows_chosen"], codes["values_not_understood"]) == (3, 1)
    definition = town.studies / "town" / "study.toml"
    definition.write_text(definition.read_text(encoding="utf-8").replace("type=School", "type!=School"), "utf-8")
    assert town("check", "town", "--json").json["layers"][-1]["rows"] == 1
    (run,) = town("run", "town", "--json").json["runs"]
    recipe = json.loads(next(town.studies.glob(f"town/runs/{run['run_id']}/run.json")).read_text(encoding="utf-8"))
    assert '["type!=School"]' in json.dumps(recipe)


@pytest.mark.parametrize(("kind", "where", "says"), [
    ("elevation", "a=b", "--where only with a table"), ("shelters", "TYPE", "expected COLUMN=VALUE"),
])  # fmt: skip
def test_rows_that_cannot_be_chosen(town: Renxing, kind: str, where: str, says: str) -> None:
    said = town("add", "town", kind, "none.tif", "--where", where)
    assert (said.code, says in said.err) == (1, True), said.err
