"""What a study's data is worth: right counts for a drawn town, every refusal told, and nothing that stops the rest."""

from __future__ import annotations

import ast
import datetime
import json
import re
import shutil
import tomllib
from pathlib import Path

import geopandas as gpd
import pytest
import shapely
from fastapi.testclient import TestClient
from rich.cells import cell_len

from app import checking
from app.adding import Addition, add, derive, new_study
from app.checking import Checked, check, checked
from app.checks import words
from app.checks.ages import age_days, aged
from app.checks.ground import boxed, sampled
from app.checks.report import Report, counted, worst_first
from app.cli.findings import print_report
from app.cli.options import Language
from app.main import create_app
from app.maps.check import CheckView, render
from app.settings import Settings
from app.store import Workspace
from app.texts import FOLDER
from app.texts.phrases import in_chinese
from tests.app import drawn_town
from tests.app.command_line import Renxing
from tests.data.osm.drawn import CRS, EAST, NORTH
from tests.source import modules

HOSTILE = '</h1><script>alert(1)</script>{{7*7}}"><img src=x>'


def moved(*shapes: shapely.Geometry) -> list[shapely.Geometry]:
    return [shapely.affinity.translate(shape, EAST, NORTH) for shape in shapes]


def table(path: Path, *shapes: shapely.Geometry, **columns: list[object]) -> Path:
    gpd.GeoDataFrame(columns, geometry=moved(*shapes), crs=CRS).to_crs("EPSG:4326").to_file(path)
    return path


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """The drawn town in an outline 600 m by 300 m, the western 250 m of it under water, with people and stations."""
    folder = tmp_path_factory.mktemp("town")
    outline = table(folder / "outline.geojson", shapely.box(0, -50, 600, 250))
    workspace = Workspace.open(folder / "workspace")
    new_study(workspace, "town", drawn_town.extract(folder), boundary=outline, name=HOSTILE)
    homes = [shapely.Point(20, 10), shapely.Point(580, 210), shapely.Point(300, 100)]
    people = table(folder / "people.geojson", *homes, pop_x=[30, 12, 3], floor=["a", "b", "c"])
    stations = table(folder / "stations.geojson", shapely.Point(590, 160), shapely.Point(100, 10), nr=["S", "F"],
                     kind=["school", "fire_station"])  # fmt: skip
    for kind, path, more in (
        ("population", people, {"columns": {"people": "pop_x"}}), ("facilities", stations, {"columns": {"name": "nr"}}),
        ("hazard", drawn_town.flood(folder), {"hazard": "flood", "unit": "m", "scenario": "flood"}),
    ):  # fmt: skip
        add(workspace, "town", Addition(kind, path, source="us", date="2020", **more))  # type: ignore[arg-type]
    return workspace


@pytest.fixture(scope="module")
def whole(town: Workspace) -> Report:
    return check(town.study("town")).report


@pytest.fixture
def copied(town: Workspace, tmp_path: Path) -> Workspace:
    """The same town, to be spoiled."""
    shutil.copytree(town.path, tmp_path / "workspace")
    return Workspace.open(tmp_path / "workspace")


def definition(workspace: Workspace) -> Path:
    return workspace.study("town").folder / "study.toml"


def layer(report: Report, layer_id: str) -> object:
    return next(one for one in report.layers if one.layer_id == layer_id)


def codes(report: Report, severity: str = "") -> set[tuple[str, str]]:
    return {(f.layer_id, f.code) for f in report.every_finding() if severity in ("", f.severity)}


# a study that can be used


def test_the_verdict_and_what_is_there(whole: Report) -> None:
    needs = {need.key: need for need in whole.needs}
    assert whole.verdict == "yes_with_warnings"
    assert not codes(whole, "error")
    assert (needs["people"].count, needs["people"].source, needs["people"].en) == (45, "given", "")
    assert (needs["fire"].count, needs["fire"].source) == (1, "given")
    assert (needs["education"].count, needs["education"].source) == (2, "map_and_given")
    assert (needs["shelters"].source, needs["shelters"].state, needs["police"].state) == (
        "assumed",
        "assumed",
        "missing",
    )
    assert all(need.en and need.zh for need in whole.needs if need.state != "there")
    assert "Missing: Hospitals and clinics, Police. Assumed: " in whole.verdict_en
    assert "缺少：医院和诊所、派出所。假定：" in whole.verdict_zh
    assert whole.counts == counted(whole.every_finding())


def test_how_much_of_the_study_is_covered(whole: Report) -> None:
    """The outline is 600 m by 300 m; water stands on its western 250 m."""
    assert whole.area_km2 == pytest.approx(0.18, rel=0.001)
    flood = whole.scenarios[1].hazards[0]
    assert flood.known_share == 1.0
    assert flood.affected_share == pytest.approx(250 / 600, abs=0.005)
    assert whole.scenarios[0].hazards == ()
    assert layer(whole, "people").covers_share == pytest.approx(560 * 200 / (600 * 300), abs=0.01)


def test_columns_their_names_and_their_values(whole: Report) -> None:
    people = layer(whole, "people")
    column = next(one for one in people.columns if one.name == "people")
    assert (column.theirs, column.minimum, column.median, column.maximum, column.missing) == ("pop_x", 3, 12, 30, 0)
    assert people.unused == ("floor",)
    assert (people.rows, people.geometry, people.crs, people.crs_name) == (3, ("Point",), "EPSG:4326", "WGS 84")
    flood = next(one for one in whole.layers if one.kind == "hazard")
    assert (flood.cells, flood.columns[0].maximum, flood.unit, flood.crs) == (128, 1.0, "m", CRS)
    assert layer(whole, "osm").contents["buildings"] == 25


def test_what_is_not_said_of_a_layer_is_told(whole: Report) -> None:
    found = next(f for f in layer(whole, "people").findings if f.code == "origin_not_said")
    assert (found.en, found.zh) == ("Not said: Licence, Attribution.", "未注明：许可、署名。")


def test_a_given_place_next_to_one_of_the_map_is_told(whole: Report) -> None:
    found = next(f for f in whole.every_finding() if f.code == "near_the_same")
    assert (found.layer_id, found.count, found.rows, found.severity) == ("stations", 1, (1,), "warning")
    assert found.en.endswith(": S.")


def test_every_finding_speaks_both_languages_and_has_a_stable_code(whole: Report) -> None:
    for found in whole.every_finding():
        assert re.fullmatch(r"[a-z0-9_]+", found.code)
        assert found.en and re.search("[\u4e00-\u9fff]", found.zh)
        assert bool(found.do_en) == bool(found.do_zh)
    assert list(whole.every_finding()) == list(worst_first(whole.every_finding()))


# what is wrong


@pytest.fixture
def spoiled(copied: Workspace, tmp_path: Path) -> Report:
    """A file gone, one cut off, one without a coordinate system, a flood far away, a parameter that there is not."""
    folder = copied.study("town").folder
    (folder / "inputs/people.geojson").unlink()
    (folder / "inputs/stations.geojson").write_bytes(b"PK\3\4 no zip")
    (folder / "inputs/bare.csv").write_text("name,kind,lon,lat\nA,clinic,3.001,52.351\n")
    drawn_town.raster(folder / "inputs/far.tif", drawn_town.np.ones((4, 4)), west=EAST + 100_000)
    layers = {"bare": 'kind = "facilities"\nfile = "inputs/bare.csv"',
              "far": 'kind = "hazard"\nhazard = "flood"\nunit = "m"\nfile = "inputs/far.tif"'}  # fmt: skip
    text = "".join(f'\n[[layers]]\nlayer_id = "{name}"\n{rest}\n' for name, rest in layers.items())
    path = definition(copied)
    path.write_text(path.read_text() + text + "\n[parameters]\n'walk.max_minuts' = 9\n")
    return check(copied.study("town")).report


def test_every_refusal_is_told_and_the_others_go_on(spoiled: Report) -> None:
    assert spoiled.verdict == "no"
    assert codes(spoiled, "error") == {
        ("people", "file_missing"), ("stations", "unreadable"), ("bare", "crs"), ("far", "no_overlap"),
        ("", "parameter"),
    }  # fmt: skip
    assert ("stations", "file_changed") in codes(spoiled, "warning")
    assert layer(spoiled, "osm").contents["streets"] == 4
    assert layer(spoiled, "far").distance_km == pytest.approx(99, abs=1)
    assert {one.layer_id for one in spoiled.layers if one.readable} >= {"osm"}
    assert next(f for f in spoiled.every_finding() if f.code == "file_missing").do_zh


def test_refusals_are_in_chinese_too(spoiled: Report) -> None:
    said = [f.zh + f.do_zh for f in spoiled.every_finding() if f.code in ("crs", "no_overlap", "file_missing")]
    assert said
    assert not [text for text in said if re.search(r"expected|found|Check|Name|the study", text)]


def test_without_the_spoiled_layers_a_city_is_still_prepared(copied: Workspace) -> None:
    (copied.study("town").folder / "inputs/people.geojson").unlink()
    report = check(copied.study("town")).report
    needs = {need.key: need for need in report.needs}
    assert report.verdict == "no"
    assert needs["people"].source == "estimated"
    assert needs["streets"].count == pytest.approx(1.6, abs=0.1)


def test_a_reader_that_breaks_is_told(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise RuntimeError("boom")

    monkeypatch.setattr("data.study.layers._hazard", fail)
    report = check(copied.study("town")).report
    assert "reader_failed" in {code for _, code in codes(report, "error")}
    assert layer(report, "people").rows == 3


def test_people_without_a_street_are_counted(copied: Workspace, tmp_path: Path) -> None:
    alone = table(tmp_path / "alone.geojson", shapely.Point(300, 240), shapely.Point(20, 10), people=[9, 91])
    add(copied, "town", Addition("population", alone, name="more"))
    path = definition(copied)
    path.write_text(path.read_text() + "\n[parameters]\n'walk.snap_max_m' = 30\n")
    found = {f.code: f for f in check(copied.study("town")).report.every_finding()}["people_off_street"]
    assert (found.count, found.severity) == (2, "warning")  # 9 here, and the 3 at (300, 100)
    assert "12 people (8%)" in found.en


def test_scenarios_that_say_nothing(copied: Workspace) -> None:
    path = definition(copied)
    path.write_text(re.sub(r"\nhazards = \[.*?\]", "", path.read_text()))
    report = check(copied.study("town")).report
    assert {code for _, code in codes(report, "warning")} >= {"hazard_in_no_scenario", "scenario_without_hazard"}


def test_a_hazard_made_of_the_map_is_checked_too(copied: Workspace) -> None:
    derive(copied, "town", "waterside", scenario="risk")
    report = check(copied.study("town")).report
    made = next(layer for layer in report.layers if layer.layer_id == "waterside")
    assert (made.file, made.readable) == ("", True)
    risk = next(one for one in report.scenarios if one.scenario_id == "risk")
    assert [(hazard.en, hazard.zh) for hazard in risk.hazards] == [("Waterside", "临水地带")]
    assert report.verdict != "no"


def test_a_study_that_has_nothing_yet(tmp_path: Path) -> None:
    workspace = Workspace.open(tmp_path)
    outline = table(tmp_path / "outline.geojson", shapely.box(0, 0, 600, 200))
    new_study(workspace, "town", None, boundary=outline)
    found = check(workspace.study("town"))
    assert (found.report.verdict, found.report.layers) == ("no", ())
    assert {need.state for need in found.report.needs if need.key not in ("outline",)} == {"missing"}
    assert found.sketch is not None and found.sketch.ground


# the same answer, quickly


def test_the_answer_depends_on_the_inputs_alone(town: Workspace, copied: Workspace, whole: Report) -> None:
    assert check(copied.study("town")).report.model_dump_json() == whole.model_dump_json()
    assert (whole.today, {one.age_days for one in whole.layers}) == (None, {None})
    assert str(town.path) not in whole.model_dump_json()


def test_it_is_kept_until_something_changes(copied: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    study = copied.study("town")
    first = checked(study)
    with monkeypatch.context() as patch:
        patch.setattr(checking, "check", lambda _: pytest.fail("computed again"))
        assert checked(study) == first
    kept = next(study.cache.glob("check-*.json"))
    kept.write_bytes(kept.read_bytes()[:100])
    assert checked(study) == first
    before = checking.state(study)
    path = study.folder / "inputs/people.geojson"
    path.write_text(path.read_text().replace("30", "31"))
    assert checking.state(study) != before
    assert Checked.model_validate_json(first.model_dump_json()) == first


@pytest.mark.parametrize(("date", "days"), [
    ("2024", 366), ("2024-02", 672), ("2024-02-29", 672), ("2025-12-31", 1), ("2027", 0), ("2023-02-31", None),
    (None, None),
])  # fmt: skip
def test_ages(date: str | None, days: int | None) -> None:
    assert age_days(date, datetime.date(2026, 1, 1)) == days


def test_old_data_is_told_on_a_day(whole: Report) -> None:
    told = aged(whole, datetime.date(2030, 6, 1))
    assert ("people", "data_old") in codes(told, "info")
    assert told.counts["info"] > whole.counts["info"]
    assert words.age(layer(told, "people").age_days, "zh") == "9 年"


# pieces


def test_a_box_in_another_system_is_no_rectangle_there() -> None:
    drawn = boxed((3.0, 52.0, 4.0, 53.0), crs="EPSG:4326", into=CRS)
    assert shapely.get_num_coordinates(drawn) > 100
    assert shapely.area(drawn) == pytest.approx(67_833 * 111_270, rel=0.01)


def test_samples_fill_the_shape_evenly() -> None:
    samples = sampled(shapely.box(0, 0, 1000, 100).union(shapely.box(0, 0, 100, 1000)))
    assert samples.inside.sum() * samples.step_m**2 == pytest.approx(190_000, rel=0.02)


def test_phrases_in_chinese() -> None:
    assert in_chinese("one band of values") == "单波段栅格"
    assert in_chinese("one at 1…2, 3…4, 17 km away") == "位于1…2, 3…4，相距17公里"
    assert in_chinese("depths up to 100") == "不超过100的水深值"
    assert in_chinese("nobody wrote this down") == "nobody wrote this down"


def test_the_drawing_holds_numbers_only(town: Workspace) -> None:
    sketch = check(town.study("town")).sketch
    assert sketch is not None
    paths = [sketch.ground, sketch.water, sketch.streets, *(mark.path for mark in sketch.marks)]
    assert all(re.fullmatch(r"[MLHVZhvz0-9 .-]*", path) for path in paths)
    assert {mark.form for mark in sketch.marks} == {"edge", "dots", "cells"}


# the command


@pytest.fixture
def renxing(copied: Workspace, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Renxing:
    return Renxing(copied.path, capfd, monkeypatch)


def test_the_command_answers_in_json_and_by_its_exit_code(renxing: Renxing, whole: Report) -> None:
    good = renxing("check", "town", "--json")
    assert (good.code, good.json) == (0, whole.model_dump(mode="json"))
    (renxing.studies / "town/inputs/people.geojson").unlink()
    assert renxing("check", "town", "--json", "--today", "2026-01-01").json["today"] == "2026-01-01"
    bad = renxing("check", "town", "--severity", "error")
    assert (bad.code, "✖ The file is not there." in bad.out, "▲ " + "Police" in bad.out) == (1, True, False)


@pytest.mark.parametrize("lang", list(Language))
@pytest.mark.parametrize("width", [58, 80, 160])
def test_it_fits_the_terminal(
    whole: Report, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, width: int, lang: Language
) -> None:
    monkeypatch.setenv("COLUMNS", str(width))
    print_report(whole, lang, least="info")
    lines = capsys.readouterr().out.splitlines()
    told = [line for line in lines if not line.startswith(("Not shown", "宽度不足"))]  # these the terminal wraps
    assert max(map(cell_len, told)) <= width
    assert {"zh": "可以计算方案", "en": "A plan can be computed"}[lang] in "".join(lines)
    assert sum(line.startswith(("▲ ", "· ")) for line in lines) >= len(whole.every_finding())


# the service


@pytest.fixture(scope="module")
def client(town: Workspace) -> TestClient:
    return TestClient(create_app(Settings(workspace=town.path)))


def test_over_http_with_an_etag(client: TestClient, whole: Report) -> None:
    answer = client.get("/api/v1/studies/town/check")
    assert answer.json() == json.loads(whole.model_dump_json())
    again = client.get("/api/v1/studies/town/check", headers={"If-None-Match": answer.headers["ETag"]})
    dated = client.get("/api/v1/studies/town/check?today=2026-01-01")
    assert (again.status_code, dated.json()["today"]) == (304, "2026-01-01")
    assert dated.headers["ETag"] != answer.headers["ETag"]
    assert client.get("/api/v1/studies/town/check?today=soon").status_code == 422
    assert client.get("/api/v1/studies/nowhere/check").status_code == 404


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_the_page_is_strict_and_data_is_text(client: TestClient, lang: str) -> None:
    answer = client.get(f"/studies/town/check?lang={lang}")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy and "script-src" not in policy and "unsafe" not in policy
    assert "<script" not in answer.text and "<img" not in answer.text and 'style="' not in answer.text
    assert "&lt;/h1&gt;&lt;script&gt;" in answer.text and "{{7*7}}" in answer.text
    assert "/api/v1/studies/town/check" in answer.text


FREE = frozenset({
    "name", "name_zh", "name_en", "en", "zh", "do_en", "do_zh", "value", "column", "where", "file", "theirs",
    "source", "licence", "attribution", "date", "crs", "crs_name", "verdict_en", "verdict_zh", "layer_id", "unit",
    "common", "unused", "conversions", "constant",
})  # fmt: skip
"""Fields of a report whose words come from data or from a person."""


def spoilt(value: object, key: str = "") -> object:
    """The same with hostile words wherever words are free."""
    if isinstance(value, dict):
        return {k: v if k == "source" and "essential" in value else spoilt(v, k) for k, v in value.items()}
    if isinstance(value, list):
        return [spoilt(each, key) for each in value]
    return HOSTILE if isinstance(value, str) and key in FREE else value


@pytest.mark.parametrize("lang", ["zh", "en"])
def test_no_word_of_the_data_becomes_markup(whole: Report, lang: str) -> None:
    def tags(report: Report) -> list[str]:
        view = CheckView(lang, report, None, (), "/", "/data", attribution=(HOSTILE,))
        return re.findall(r"<[a-zA-Z/][a-zA-Z0-9]*", render(view).html)

    bad = Report.model_validate(spoilt(whole.model_dump(mode="json")))
    assert bad.layers[1].columns[0].theirs == bad.needs[0].name_en == HOSTILE
    # findings that say nothing more to do and rows without words have fewer tags, never more
    assert sorted(set(tags(bad))) == sorted(set(tags(whole)))
    assert "script" not in "".join(tags(bad)) and "<img" not in tags(bad)


def test_the_pages_lead_to_it(client: TestClient) -> None:
    assert 'href="/studies/town/check?lang=en"' in client.get("/?lang=en").text


def test_every_phrase_fills_its_gaps() -> None:
    known = tomllib.loads((FOLDER / "faults.toml").read_text(encoding="utf-8"))
    for phrase, chinese in known.items():
        words = [f"w{i}w" for i in range(phrase.count("{}"))]
        said = chinese.format(*words)
        assert all(word in said for word in words), phrase
        assert re.search("[\u4e00-\u9fff]", chinese)


def test_what_readers_refuse_is_mostly_known_in_chinese() -> None:
    """Whole phrases in the readers' refusals; a few new ones may wait for their words in ``faults.toml``."""
    calls = [
        node
        for module in modules("data").values()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Call) and getattr(node.func, "id", "") == "Fault"
    ]
    said = [
        part.value for call in calls for i, part in enumerate(call.args) if i != 2 and isinstance(part, ast.Constant)
    ]
    lacking = {phrase for phrase in said if in_chinese(phrase) == phrase}
    assert len(lacking) < 0.25 * len(set(said)), sorted(lacking)
