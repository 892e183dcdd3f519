"""The command line as a person uses it: real files, real commands, messages and exit codes."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from itertools import takewhile
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from app.cli.options import ExportFormat
from app.export import Format
from geo.crs import WGS84, reproject
from tests.app import drawn_town
from tests.app.command_line import Renxing, Said
from tests.data.osm.drawn import CRS, EAST, NORTH
from tests.source import ROOT


def command(*words: object) -> list[str]:
    return [sys.executable, "-m", "app.cli", *map(str, words)]


def started(words: list[str]) -> subprocess.Popen[str]:
    """The command as a terminal starts it: whoever runs the tests may have told their processes to ignore ctrl-C."""
    ignored = signal.signal(signal.SIGINT, signal.SIG_DFL)
    try:
        return subprocess.Popen(words, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=ENVIRONMENT)
    finally:
        signal.signal(signal.SIGINT, ignored)


ENVIRONMENT = {**os.environ, "PYTHONPATH": str(ROOT), "COLUMNS": "100"}


# from the extract to the plan


def test_the_main_job(flooded: Renxing, tmp_path: Path) -> None:
    computed = flooded("run", "town", "--json").json["runs"]
    assert [run["scenario_id"] for run in computed] == ["normal", "flood"]
    normal, flood = (run["headline"] for run in computed)
    assert normal["people"] == flood["people"] == normal["people_served"] > 0
    assert 0 < flood["people_served"] < flood["people"]
    assert flood["people_served"] + flood["people_unserved"] == flood["people"]
    assert all(check["ok"] for run in computed for check in run["audit"])
    shown = flooded("show", "town", "--scenario", "flood", "--json").json["runs"][0]
    assert sum(unit["people"] for unit in shown["communities"]) == flood["people"]


def test_the_same_study_gives_the_same_run_and_a_changed_one_another(flooded: Renxing) -> None:
    first = flooded("run", "town", "--json").json["runs"]
    again = flooded("run", "town", "--json").json["runs"]
    other = flooded("run", "town", "--set", "walk.max_minutes=3", "--json").json["runs"]
    assert [run["run_id"] for run in again] == [run["run_id"] for run in first]
    assert [run["computed"] for run in (*first, *again, *other)] == [True, True, False, False, True, True]
    assert not {run["run_id"] for run in other} & {run["run_id"] for run in first}
    # trying out other numbers does not change what the study shows
    assert flooded("show", "town", "--json").json["runs"][0]["run_id"] == first[0]["run_id"]


def test_two_workspaces_hold_the_same_bytes(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    extract, flood = drawn_town.extract(tmp_path), drawn_town.flood(tmp_path)
    found = []
    for name in ("one", "韧性"):
        here = Renxing(tmp_path / name, capfd, monkeypatch)
        here("new", "town", "--osm", extract)
        here("add", "town", "hazard", flood, "--hazard", "flood", "--unit", "m")
        assert here("run", "town").code == 0
        found.append(here.files())
    assert found[0] == found[1]
    assert sum("run.json" in name for name in found[0]) == 2


def test_a_changed_input_is_another_run(flooded: Renxing, tmp_path: Path) -> None:
    first = flooded("run", "town", "--scenario", "flood", "--json").json["runs"][0]["run_id"]
    (file,) = (flooded.studies / "town/inputs").glob("*.tif")
    values = np.zeros((8, 16))
    drawn_town.raster(file, values)
    assert flooded("run", "town", "--scenario", "flood", "--json").json["runs"][0]["run_id"] != first


def test_study_toml_is_edited_by_hand(flooded: Renxing) -> None:
    path = flooded.studies / "town/study.toml"
    path.write_text(path.read_text() + '\n[parameters]\n"walk.max_minutes" = 2\n')
    with_file = flooded("run", "town", "--json").json["runs"]
    path.write_text(path.read_text().replace('"walk.max_minutes" = 2', '"walk.max_minutes" = 15'))
    with_option = flooded("run", "town", "--set", "walk.max_minutes=2", "--json").json["runs"]
    assert [r["run_id"] for r in with_file] == [r["run_id"] for r in with_option]


def test_tables_are_added_and_used(town: Renxing, tmp_path: Path) -> None:
    added = town("add", "town", "shelters", drawn_town.shelters(tmp_path), "--json")
    assert added.code == 0, added.err
    assert added.json["layers"][1]["kind"] == "shelters"
    run = town("run", "town", "--json").json["runs"][0]
    assert run["headline"]["shelters_usable"] >= 1
    assert ", 1 file, " in town("export", "town", "--format", "gpkg", "--out", tmp_path / "town.gpkg").err


def test_a_shapefile_comes_with_all_its_parts(town: Renxing, tmp_path: Path) -> None:
    people = gpd.GeoDataFrame({"POP": [40]}, geometry=[shapely.Point(EAST + 300, NORTH + 10)], crs=CRS)
    people.to_file(tmp_path / "people.shp")
    added = town("add", "town", "population", tmp_path / "people.shp", "--map", "people=POP")
    assert added.code == 0, added.err
    assert (town.studies / "town/inputs/people.zip").is_file()
    assert town("run", "town", "--json").json["runs"][0]["headline"]["people"] == 40


def test_a_boundary_limits_the_study(renxing: Renxing, tmp_path: Path) -> None:
    west = gpd.GeoDataFrame(geometry=[shapely.box(EAST - 10, NORTH - 50, EAST + 250, NORTH + 300)], crs=CRS)
    west.to_crs("EPSG:4326").to_file(tmp_path / "west.geojson")
    extract = drawn_town.extract(tmp_path)
    renxing("new", "whole", "--osm", extract)
    made = renxing("new", "west", "--osm", extract, "--boundary", tmp_path / "west.geojson")
    assert made.code == 0, made.err
    whole, part = (renxing("run", name, "--json").json["runs"][0]["headline"]["people"] for name in ("whole", "west"))
    assert 0 < part < whole


def test_names_in_chinese(renxing: Renxing, tmp_path: Path) -> None:
    made = renxing("new", "鼓楼区", "--osm", drawn_town.extract(tmp_path), "--json")
    assert (made.json["name"], made.err.count("starting …")) == ("鼓楼区", 1)
    assert renxing("run", "鼓楼区").code == 0
    shown = renxing("show", "鼓楼区", "--lang", "zh").out
    assert "鼓楼区" in shown and "平时" in shown and "人" in shown


def test_show_keeps_columns_straight_with_wide_letters(flooded: Renxing) -> None:
    from rich.cells import cell_len

    flooded("run", "town")
    shown = flooded("show", "town", "--lang", "zh").out.splitlines()
    starts = [i for i, line in enumerate(shown) if line.startswith("┏")]
    assert len(starts) == 2 * 2
    for start in starts:
        lines = list(takewhile(lambda line: line.startswith(tuple("┏┃┡│└")), shown[start:]))
        assert len({cell_len(line) for line in lines}) == 1


def test_show_says_why_in_the_language_asked_for(flooded: Renxing) -> None:
    flooded("run", "town")
    assert "84 of 92 people are not served" in flooded("show", "town", "--scenario", "flood", "--lang", "en").out
    assert "92人中有84人得不到避难服务" in flooded("show", "town", "--scenario", "flood", "--lang", "zh").out


def test_the_place_of_a_name_is_fetched(renxing: Renxing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from tests.app.test_place import KNOWN, server
    from tests.data.osm.drawn import degrees

    extract = drawn_town.extract(tmp_path).read_bytes()
    corners = shapely.box(*degrees(-20, -60), *degrees(700, 300))
    known = [{**KNOWN[0], "geojson": json.loads(shapely.to_geojson(corners))}]
    with server(json.dumps(known).encode()) as (nominatim, _), server(extract) as (overpass, _):
        monkeypatch.setenv("RENXING_NOMINATIM_URL", nominatim)
        monkeypatch.setenv("RENXING_OVERPASS_URL", overpass)
        made = renxing("new", "kampen", "--place", "Kampen", "--json")
    assert made.code == 0, made.err
    assert made.json["name"] == KNOWN[0]["display_name"]
    assert made.json["boundary"] == "inputs/boundary.geojson"
    assert renxing("run", "kampen").code == 0


def test_without_a_connection_a_place_is_refused_and_nothing_is_made(
    renxing: Renxing, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("RENXING_NOMINATIM_URL", "http://127.0.0.1:9/")
    said = renxing("new", "kampen", "--place", "Kampen")
    assert (said.code, "--osm FILE" in said.err) == (1, True)
    assert renxing.files() == {}


# refusals: one clear message, exit code 1, nothing lost


def refused(said: Said, *parts: str) -> None:
    assert said.code == 1, said.err
    assert [part for part in parts if part not in said.err] == []
    assert "expected" in said.err and "found" in said.err and "Traceback" not in said.err


def test_missing_truncated_and_wrong_extracts(renxing: Renxing, tmp_path: Path) -> None:
    whole = drawn_town.extract(tmp_path)
    cut = tmp_path / "cut.osm"
    cut.write_bytes(whole.read_bytes()[:-400])
    picture = tmp_path / "picture.osm.pbf"
    picture.write_bytes(b"\x89PNG\r\n" + b"0" * 100)
    refused(renxing("new", "a", "--osm", tmp_path / "none.osm.pbf"), "no such file", "none.osm.pbf")
    refused(renxing("new", "b", "--osm", cut), "a complete OpenStreetMap file", str(cut))
    refused(renxing("new", "c", "--osm", picture), "an OpenStreetMap file", "picture.osm.pbf")
    assert renxing.files() == {}


def test_hazards_that_do_not_fit(town: Renxing, tmp_path: Path) -> None:
    before = town.files()
    good = drawn_town.flood(tmp_path)
    far = drawn_town.raster(tmp_path / "far.tif", np.ones((8, 16)), west=EAST + 50_000)
    nowhere = drawn_town.raster(tmp_path / "nowhere.tif", np.ones((8, 16)), crs=None)
    add = ("add", "town", "hazard")
    refused(town(*add, far, "--hazard", "flood", "--unit", "m"), "a layer that meets the study", "km away", "far.tif")
    refused(town(*add, nowhere, "--hazard", "flood", "--unit", "m"), "a coordinate system", "--crs EPSG:N")
    refused(town(*add, tmp_path / "none.tif", "--hazard", "flood", "--unit", "m"), "none there", "none.tif")
    refused(town(*add, good), "--hazard: expected a hazard of flood", "--unit: expected the unit")
    refused(town(*add, good, "--hazard", "locusts", "--unit", "yards"), "'locusts'", "'yards'")
    refused(town("add", "town", "castles", good), "a kind of hazard, communities", "'castles'")
    assert town.files() == before
    named = town(*add, nowhere, "--hazard", "flood", "--unit", "m", "--crs", CRS)
    assert named.code == 0, named.err


def test_all_faults_of_a_table_in_one_go(town: Renxing, tmp_path: Path) -> None:
    before = town.files()
    path = drawn_town.shelters(tmp_path, capacity=["many"], area_m2=["wide"])
    refused(town("add", "town", "shelters", path), "'many'", "'wide'")
    refused(town("add", "town", "shelters", path, "--map", "name=TITLE"), "'TITLE'")
    assert town.files() == before


def test_a_layer_is_not_added_twice(flooded: Renxing, tmp_path: Path) -> None:
    before = flooded.files()
    refused(flooded("add", "town", "hazard", drawn_town.flood(tmp_path), "--hazard", "flood", "--unit", "m"), "--name")
    refused(flooded("new", "town", "--osm", drawn_town.extract(tmp_path)), "Choose another name")
    assert flooded.files() == before


def test_unknown_parameters_and_values_out_of_range(town: Renxing) -> None:
    said = town("run", "town", "--set", "walk.max_minute=20", "--set", "walk.speed=1")
    refused(said, "walk.max_minutes", "'walk.max_minute'", "'walk.speed'")
    refused(town("run", "town", "--set", "walk.max_minutes=-1", "--set", "walk.speed_ms=fast"), "'-1'", "'fast'")
    refused(town("run", "town", "--set", "walk.max_minutes"), "--set walk.max_minutes=20")
    assert list((town.studies / "town/runs").iterdir()) == []


def test_refusals_of_values_in_plain_words(town: Renxing, tmp_path: Path) -> None:
    said = town("run", "town", "--set", "walk.speed_ms=fast", "--set", "time.clock=noon", "--set", "car.turns=perhaps")
    refused(said, "a number (", "such as Mo 08:30", "true or false (", "docs/manual.md lists every parameter")
    assert "Input should" not in said.err and "input should" not in said.err
    refused(town("run", "town", "--set", "nosuch.x=1"), "walk.max_minutes", "'nosuch.x'")
    for years in ("0", "-5", "nan", "inf"):
        flood = ("hazard", drawn_town.flood(tmp_path), "--hazard", "flood", "--unit", "m")
        added = town("add", "town", *flood, "--return-period", years)
        refused(added, "--return-period: expected years, a number more than 0", "--return-period 100")


def test_unknown_studies_scenarios_and_runs(flooded: Renxing) -> None:
    refused(flooded("run", "delft"), "(town)", "'delft'")
    refused(flooded("run", "../town"), "without slashes")
    refused(flooded("run", "town", "--scenario", "quake"), "(normal, flood)", "'quake'")
    refused(flooded("show", "town"), "renxing run town")
    refused(flooded("export", "town", "--format", "csv", "--out", flooded.workspace / "x"), "renxing run town")


def test_faults_in_study_toml_are_named_with_their_line(flooded: Renxing) -> None:
    path = flooded.studies / "town/study.toml"
    path.write_text(path.read_text().replace('state = "emergency"', 'state = "calm"').replace("name = ", "title = ", 1))
    said = flooded("run", "town")
    refused(said, "line", "'calm'", "title")


def test_a_missing_input_is_named(flooded: Renxing) -> None:
    (file,) = (flooded.studies / "town/inputs").glob("*.tif")
    file.unlink()
    refused(flooded("run", "town"), file.name)


def test_a_workspace_that_cannot_be_written(renxing: Renxing, tmp_path: Path) -> None:
    extract = drawn_town.extract(tmp_path)
    renxing.workspace.write_text("a file")
    refused(renxing("new", "town", "--osm", extract), "a workspace that can be written", "--workspace")
    refused(renxing("show", "town"), "--workspace")
    renxing.workspace = Path("/proc/renxing")
    refused(renxing("new", "town", "--osm", extract), "a workspace that can be written")


def test_a_refusal_in_json(renxing: Renxing) -> None:
    said = renxing("run", "delft", "--json")
    assert said.code == 1
    assert said.json["error"]["code"] == "not-found"
    assert said.json["error"]["faults"][0]["found"] == "'delft'"


def test_usage_errors(renxing: Renxing, tmp_path: Path) -> None:
    wrong = ("new x", "run", "dance", "export x --format pdf --out y", "new x --osm a --place b", "serve --port 65536")
    assert [line for line in wrong if renxing(*line.split()).code != 2] == []


def test_an_internal_error_says_what_to_report(renxing: Renxing, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> None:
        raise KeyError("mislaid")

    monkeypatch.setattr("app.store.Workspace.open", broken)
    said = renxing("show", "town")
    assert said.code == 4
    assert "Please report" in said.err and "KeyError" in said.err and "Traceback" not in said.err
    monkeypatch.setenv("RENXING_DEBUG", "1")
    assert "Traceback" in renxing("show", "town").err


# exports


def test_exports_are_written_once_and_are_the_same_each_time(flooded: Renxing, tmp_path: Path) -> None:
    flooded("run", "town")
    for name, out in (("geojson", "geo"), ("csv", "csv"), ("gpkg", "town.gpkg")):
        words = ("export", "town", "--scenario", "flood", "--format", name, "--out", tmp_path / out)
        first = flooded(*words, "--json")
        assert first.code == 0, first.err
        written = {path: Path(path).read_bytes() for path in first.json["files"]}
        refused(flooded(*words), "--overwrite")
        assert flooded(*words, "--overwrite").code == 0
        assert {path: Path(path).read_bytes() for path in written} == written
    several = flooded("export", "town", "--format", "csv", "--out", tmp_path / "both")
    refused(several, "--scenario ID")


# processes


def test_help_is_quick_and_complete() -> None:
    """What takes its time to load stays out until a command needs it."""
    script = "import sys, app.cli; print(*sorted(n for n in sys.modules if '.' not in n))"
    loaded = subprocess.run([sys.executable, "-c", script], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert not {"geopandas", "pandas", "numpy", "fastapi", "folium", "osmnx", "numba", "rasterio"} & set(loaded.split())
    shown = subprocess.run(command("--help"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in ("sample", "new", "add", "run", "show", "export", "serve") if name not in shown] == []
    said = subprocess.run(command("new", "--help"), cwd=ROOT, capture_output=True, text=True, check=True).stdout
    assert [name for name in ("--osm", "--place", "--boundary") if name not in said.split("╭")[0]] == []


def test_two_at_once_compute_one_run(flooded: Renxing) -> None:
    words = command("run", "town", "--json", "--workspace", flooded.workspace)
    both = [started(words) for _ in range(2)]
    answers = [json.loads(process.communicate()[0]) for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert len({tuple(run["run_id"] for run in answer["runs"]) for answer in answers}) == 1
    assert len(list((flooded.studies / "town/runs").iterdir())) == 2


def test_killed_and_interrupted_runs_leave_nothing_half_visible(flooded: Renxing) -> None:
    runs = flooded.studies / "town/runs"
    words = command("run", "town", "--workspace", flooded.workspace)
    for sign, code in ((signal.SIGKILL, -9), (signal.SIGINT, 130)):
        with started(words) as process:
            assert process.stderr is not None
            while "preparing" not in process.stderr.readline():
                pass
            process.send_signal(sign)
            said = process.stderr.read()
        assert process.returncode == code
        assert "Traceback" not in said
        seen = [path for path in runs.iterdir() if not path.name.startswith(".new-")]
        assert [path for path in seen if not (path / "run.json").is_file()] == []
    assert flooded("run", "town").code == 0
    assert {path.name[0] != "." for path in runs.iterdir()} == {True}


def test_a_scenario_is_called_after_its_hazard_in_both_languages(town: Renxing, tmp_path: Path) -> None:
    flood = drawn_town.flood(tmp_path)
    words = ("add", "town", "hazard", flood, "--hazard", "flood", "--unit", "m", "--json")
    made = [
        town(*words, "--name", "a", "--scenario", "flood"), town(*words, "--name", "b", "--return-period", "100"),
        town(*words, "--name", "c"), town(*words, "--name", "d", "--scenario", "百年一遇"),
        town(*words, "--name", "e", "--scenario", "flood"),
    ][-1].json["scenarios"]  # fmt: skip
    assert [scenario["name_zh"] for scenario in made] == ["平时", "洪水", "100年一遇洪水", "洪水 · c", "百年一遇"]
    assert [scenario["hazards"] for scenario in made] == [[], ["a", "e"], ["b"], ["c"], ["d"]]


def test_a_wrong_variable_is_named(renxing: Renxing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("RENXING_TILE_BYTES", "many")
    refused(renxing("serve", "--port", "0"), "RENXING_TILE_BYTES", "'many'", "bytes")


def test_a_reader_that_has_seen_enough_gets_no_complaint(flooded: Renxing) -> None:
    flooded("run", "town")
    with started(command("show", "town", "--json", "--workspace", flooded.workspace)) as process:
        assert process.stdout is not None and process.stderr is not None
        process.stdout.close()
        assert process.stderr.read() == ""


def test_the_formats_offered_are_those_that_can_be_written() -> None:
    assert [each.value for each in ExportFormat] == [*(each.value for each in Format), "archive"]


@pytest.mark.parametrize(
    ("kind", "header"), [("shelters", "name,lon,lat,usable,share_wet"), ("facilities", "kind,lon,lat,name,usable")]
)
def test_a_table_with_our_own_columns_and_odd_names_comes_through_every_format(
    flooded: Renxing, tmp_path: Path, kind: str, header: str
) -> None:
    lon, lat = reproject(np.array([EAST + 300.0]), np.array([NORTH + 20.0]), source=CRS, target=WGS84)
    path = tmp_path / "名录.csv"
    path.write_text(f"{header}\n{{{{7*7}}}}</script>,{lon[0]},{lat[0]},yes,0.5\n", encoding="utf-8")
    added = flooded("add", "town", kind, path, "--crs", "EPSG:4326")
    assert added.code == 0, added.err
    assert flooded("run", "town", "--set", "shelter.candidates=always").code == 0
    assert flooded("run", "town").code == 0
    for form in ("geojson", "csv", "gpkg"):
        done = flooded("export", "town", "--scenario", "flood", "--format", form, "--out", tmp_path / form)
        assert done.code == 0, done.err
    again = flooded("add", "town", kind, path, "--crs", "EPSG:4326", "--name", "another")
    assert again.code == 1 and "in the study already" in again.err


@pytest.mark.parametrize(("words", "says"), [
    (["--map", "capcity=name"], "expected one of"),
    ([], "rows with a place"),
])  # fmt: skip
def test_a_slip_in_map_and_an_empty_table_are_named(town: Renxing, tmp_path: Path, words: list[str], says: str) -> None:
    path = tmp_path / "empty.csv"
    path.write_text("name,lon,lat\n" + ("A,6.0,52.5\n" if words else ""), encoding="utf-8")
    done = town("add", "town", "shelters", path, "--crs", "EPSG:4326", *words)
    assert done.code == 1 and says in done.err


def test_a_study_of_lines_and_classes(renxing: Renxing, tmp_path: Path) -> None:
    outline = gpd.GeoDataFrame(geometry=[shapely.box(EAST - 20, NORTH - 70, EAST + 700, NORTH + 300)], crs=CRS)
    outline.to_file(tmp_path / "outline.gpkg")
    line = shapely.LineString([(EAST, NORTH), (EAST + 600, NORTH)])
    gpd.GeoDataFrame({"class": ["Local"]}, geometry=[line], crs=CRS).to_file(tmp_path / "lines.gpkg")
    assert renxing("new", "town", "--boundary", tmp_path / "outline.gpkg", "--name", "Town").code == 0
    refused(renxing("run", "town"), "the streets of the study", "renxing add STUDY streets FILE")
    added = renxing("add", "town", "streets", tmp_path / "lines.gpkg", "--map", "surface:=asphalt")
    assert (added.code, "highway=class" in added.err) == (0, True)
    flood = ("add", "town", "hazard", drawn_town.flood(tmp_path), "--hazard", "flood", "--unit", "m")
    refused(renxing(*flood, "--map", "1=2.0"), "found 0, 1", "--map 0=VALUE")
    made = renxing(*flood, "--map", "1=2.0", "--map", "0=none", "--scenario", "flood", "--json")
    assert made.json["layers"][1]["classes"] == {"0": 0.0, "1": 2.0}
    assert renxing("run", "town").code == 0


def test_an_empty_boundary_is_refused(renxing: Renxing, tmp_path: Path) -> None:
    empty = tmp_path / "empty.geojson"
    empty.write_text('{"type": "FeatureCollection", "features": []}', encoding="utf-8")
    done = renxing("new", "town", "--osm", drawn_town.extract(tmp_path), "--boundary", empty)
    assert done.code == 1 and "outline" in done.err
