"""``renxing check-site``: one place, one of the study's lots, a file of lots; on the drawn town with a river."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path
from xml.etree import ElementTree

import geopandas as gpd
import pytest
import shapely

from tests.app import river_town
from tests.app.command_line import Renxing, Said
from tests.app.hand_made import HOSTILE
from tests.app.test_asking import degrees
from tests.data.osm.drawn import CRS


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return river_town.made(tmp_path_factory.mktemp("river"))


class Asking:
    """Commands on the river town."""

    def __init__(self, renxing: Renxing) -> None:
        self.renxing = renxing

    def __call__(self, *words: object) -> Said:
        return self.renxing("check-site", "river", *words)


@pytest.fixture
def ask(workspace: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Asking:
    return Asking(Renxing(workspace, capfd, monkeypatch))


def at(x: float, y: float) -> str:
    return ",".join(map(repr, degrees(x, y)))


def test_the_verdict_in_plain_words_and_every_rule(ask: Asking, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", "160")
    said = ask("--at", at(310, 80), "--use", "医院", "--class", "乙", "--beds", "300", "--lang", "en")
    assert said.code == 0, said.err
    assert said.out.startswith("让 yield: nothing new is built here")
    for words in ("Planned: Hospital, Class B, 300 beds", "broken", "River", "20", "planning choice", "nothing near"):
        assert words in said.out, words
    chinese = ask("--lot", "park", "--lang", "zh").out
    assert chinese.startswith("无：没有规则限制") and "拟建：公园" in chinese and "不适用" in chinese


def test_json_is_what_the_service_says(ask: Asking) -> None:
    found = ask("--lot", "home", "--json").json
    assert (found["study_id"], found["verdict"], found["lot_id"]) == ("river", "let", "home")
    assert found["rules"][0]["rule_id"] == "river" and found["attribution"]


def test_a_map_is_written(ask: Asking, tmp_path: Path) -> None:
    out = tmp_path / "选址 图.svg"
    assert ask("--at", at(310, 80), "--map", out, "--lang", "zh").code == 0
    text = " ".join(ElementTree.parse(out).getroot().itertext())
    assert "=1+1 <script>" in text and "让" in text


@pytest.mark.parametrize("words", [(), ("--at", "3,52", "--lot", "home"), ("--at", "3,52", "--out", "x.csv"),
                                   ("--file", "x.geojson", "--map", "x.svg"), ("--file", "x.csv", "--out", "x.shp"),
                                   ("--at", "3,52", "--beds", "-1")])  # fmt: skip
def test_what_does_not_go_together_is_usage(ask: Asking, words: tuple[str, ...]) -> None:
    assert ask(*words).code == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--at", "5"), "--at: expected longitude,latitude"),
        (("--at", "73,40"), "expected a place within the study"),
        (("--lot", "nowhere"), "expected a lot of the study (it has 3)"),
        (("--lot", "home", "--use", "hospitel"), "Near to it: hospital"),
        (("--lot", "home", "--class", "戊"), "expected a class A, B, C or D"),
        (("--file", "nowhere.geojson"), "nowhere.geojson"),
    ],
)
def test_what_cannot_be_is_refused(ask: Asking, words: tuple[str, ...], told: str) -> None:
    said = ask(*words, "--lang", "en")
    assert (said.code, told in said.err) == (1, True), said.err


def test_a_file_of_lots_comes_back_with_verdicts_and_nothing_lost(ask: Asking, tmp_path: Path) -> None:
    before = ask.renxing.files()
    given, out = river_town.lots(tmp_path / "地块 表.geojson", 备注=["", None, "三"]), tmp_path / "结论.geojson"
    said = ask("--file", given, "--out", out, "--lang", "zh")
    assert said.code == 0, said.err
    assert "共3个地块：让1、避0、防0、无限制2、未判定0" in said.out
    rows = [feature["properties"] for feature in json.loads(out.read_text())["features"]]
    assert [row["地块编号"] for row in rows] == ["home", "park", "free"]
    assert [row["verdict"] for row in rows] == ["let", "none", "none"]
    assert {row["地块名称"] for row in rows} == {HOSTILE} and rows[2]["备注"] == "三"
    assert shapely.equals_exact(gpd.read_file(out).geometry[0], gpd.read_file(given).geometry[0], 1e-6)
    assert ask.renxing.files() == before


def test_rows_as_a_sheet_run_no_formula(ask: Asking, tmp_path: Path) -> None:
    out = tmp_path / "lots.csv"
    assert ask("--file", river_town.lots(tmp_path / "lots.geojson"), "--out", out, "--use", "school").code == 0
    rows = list(csv.DictReader(io.StringIO(out.read_bytes().decode("utf-8-sig"))))
    assert rows[0]["地块名称"] == f"'{HOSTILE}" and rows[0]["verdict"] == "let" and float(rows[0]["lon"]) > 2


def test_a_lot_that_cannot_be_judged_keeps_its_row(ask: Asking, tmp_path: Path) -> None:
    given = tmp_path / "lots.geojson"
    shapes = [river_town.box(*river_town.HOME).centroid, river_town.box(40_000, 0, 40_010, 10)]
    gpd.GeoDataFrame({"n": [1, 2], "beds": ["300", "?"]}, geometry=shapes, crs=CRS).to_crs(4326).to_file(given)
    found = ask("--file", given, "--json").json
    assert [(row["n"], row["verdict"], row["problem"]) for row in found["lots"]] == [
        (1, "let", None), (2, None, "parameter"),
    ]  # fmt: skip
    assert "row 2.beds" in found["lots"][1]["problem_en"] and found["counts"]["refused"] == 1


def test_columns_are_named_and_other_systems_read(ask: Asking, tmp_path: Path) -> None:
    """The same lots as a sheet of points under names of its own, and a file without a CRS in the study's metres."""
    sheet = tmp_path / "lots.csv"
    lon, lat = degrees(310, 80)
    sheet.write_text(f"x,y,what\n{lon!r},{lat!r},公园\n{lon!r},{lat!r},住宅\n", encoding="utf-8")
    words = ("--file", sheet, "--crs", "EPSG:4326", "--column", "lon=x", "--column", "lat=y", "--json")
    assert [row["verdict"] for row in ask(*words, "--column", "use=what").json["lots"]] == ["none", "let"]
    assert [row["verdict"] for row in ask(*words).json["lots"]] == ["let", "let"]
    refused = ask(*words, "--column", "use=用途", "--lang", "en")
    assert refused.code == 1 and "a column 用途" in refused.err
