"""May it be built here, over HTTP: one place, one of the study's lots, many lots; on the drawn town with a river."""

from __future__ import annotations

import json
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
import shapely
from fastapi.testclient import TestClient

from app import held
from app.main import create_app
from app.settings import Settings
from app.site_schemas import LotsOut, SiteCheckOut
from app.store import Workspace
from tests.app import river_town
from tests.app.hand_made import HOSTILE
from tests.app.river_town import FREE, HOME, PARK
from tests.app.test_asking import degrees, square

JSON = {"Content-Type": "application/json"}


class Asker:
    """The service over the town with its river."""

    def __init__(self, workspace: Path, **settings: int) -> None:
        self.app = create_app(Settings(workspace=workspace, **settings))
        self.client = TestClient(self.app, raise_server_exceptions=False)

    def __call__(self, body: Any, code: int = 200, study: str = "river", **headers: str) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.client.post(f"/api/v1/studies/{study}/site-check", content=sent, headers=JSON | headers)
        assert answer.status_code == code, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return river_town.made(tmp_path_factory.mktemp("river"))


@pytest.fixture(scope="module")
def ask(workspace: Path) -> Asker:
    return Asker(workspace)


def lot(box: tuple[float, float, float, float]) -> dict[str, Any]:
    ring = [list(degrees(*corner)) for corner in shapely.box(*box).exterior.coords]
    return {"type": "Polygon", "coordinates": [ring]}


def point(x: float, y: float) -> dict[str, float]:
    return dict(zip(("lon", "lat"), degrees(x, y), strict=True))


def rule(found: dict[str, Any], name: str) -> dict[str, Any]:
    return next(row for row in found["rules"] if row["rule_id"] == name)


# one place


def test_a_home_by_the_river_must_yield_and_says_why(ask: Asker) -> None:
    found = ask({"geometry": lot(HOME), "features": True})
    SiteCheckOut.model_validate(found)
    assert (found["verdict"], found["shares"]["let"], found["area_m2"]) == ("let", 1.0, pytest.approx(1200, abs=1))
    assert found["verdict_en"].startswith("让 yield") and found["verdict_zh"].startswith("让")
    river = rule(found, "river")
    assert (river["standing"], river["distance_m"], river["required_m"], river["grade"]) == ("broken", 0, 20, "P")
    assert river["source_name_en"] == HOSTILE
    assert found["planned"]["class"] == "C" and found["ground"]["community_id"]
    assert "River" in found["said_en"] and "河道" in found["said_zh"]
    assert found["attribution"] == ["© OpenStreetMap contributors"]


def test_every_rule_is_told_broken_ones_first(ask: Asker) -> None:
    standings = [row["standing"] for row in ask({"geometry": lot(HOME)})["rules"]]
    order = ["broken", "touched", "kept", "not_known", "nothing_near", "not_for_it"]
    assert standings == sorted(standings, key=order.index) and set(standings) == {*order} - {"touched"}
    # On its corner, a triangle of half a square metre within the 50 m of the river: too little to count.
    corner = [(349.3, 100), (369.3, 80), (389.3, 100), (369.3, 120), (349.3, 100)]
    found = ask({"geometry": {"type": "Polygon", "coordinates": [[list(degrees(*xy)) for xy in corner]]}})
    first = found["rules"][0]
    assert (found["verdict"], first["rule_id"], first["standing"]) == ("none", "river_side", "touched")
    assert (first["share"], first["required_m"], first["source_name_en"]) == (0, 50, HOSTILE)
    assert all(row["distance_m"] >= row["required_m"] for row in found["rules"] if row["standing"] == "kept")


def test_what_is_planned_decides(ask: Asker) -> None:
    """A hospital of class 乙 with 300 beds is another thing than a park on the same ground."""
    hospital = ask({"geometry": lot(PARK), "use": "医院", "class": "乙", "beds": 300})
    park = ask({"geometry": lot(PARK), "use": "Park"})
    assert (hospital["verdict"], park["verdict"]) == ("let", "none")
    assert hospital["planned"] == {
        "use": "hospital", "class": "B", "people": None, "beds": 300.0, "height_m": None,
        "tags": ["building", "important", "class_b"],
    }  # fmt: skip
    assert (park["planned"]["class"], rule(park, "river")["standing"]) == (None, "not_for_it")


def test_between_20_and_50_m_it_is_built_under_conditions(ask: Asker) -> None:
    found = ask(point(335, 80))
    assert found["verdict"] == "prevent"
    assert (rule(found, "river")["standing"], rule(found, "river_side")["standing"]) == ("kept", "broken")
    assert rule(found, "river")["distance_m"] == pytest.approx(35, abs=0.1)
    assert ask(point(430, 100))["verdict"] == "none"


def test_a_lot_of_the_study_is_judged_for_its_own_use(ask: Asker) -> None:
    assert [ask({"lot_id": name})["verdict"] for name in ("home", "park", "free")] == ["let", "none", "none"]
    home = ask({"lot_id": "home"})
    assert (home["lot_id"], home["planned"]["use"]) == ("home", "residential")
    assert home["geometry"]["type"] in ("Polygon", "MultiPolygon")
    assert ask({"lot_id": "park", "use": "school"})["verdict"] == "let"


def test_a_line_is_a_place_too(ask: Asker) -> None:
    line = {"type": "LineString", "coordinates": [list(degrees(250, 80)), list(degrees(350, 80))]}
    assert ask({"geometry": line})["verdict"] == "let"


# the map


def test_the_map_is_one_file_with_names_as_text(ask: Asker) -> None:
    for language in ("zh", "en"):
        drawn = ask({"geometry": lot(HOME), "language": language})["snippet"]
        root = ElementTree.fromstring(drawn)
        text = " ".join(root.itertext())
        assert "<script" not in drawn and "© OpenStreetMap contributors" in text and " m" in text
        assert "=1+1 <script>alert(1)" in text and "让" in text
        assert re.findall(r"(?:href|src|url)\s*=|https?:(?!//www\.w3\.org/2000/svg)|@import", drawn) == []
        assert set(re.findall(r"url\(([^)]*)\)", drawn)) <= {"#renxing-map", "#renxing-hatch"}
        assert {element.tag.rpartition("}")[2] for element in root.iter()} <= {
            "svg", "title", "defs", "pattern", "path", "clipPath", "rect", "g", "circle", "text",
        }  # fmt: skip


def test_what_is_on_the_map_comes_as_data_too(ask: Asker) -> None:
    found = ask({"geometry": lot(HOME), "features": True, "snippet": False})
    assert found["snippet"] is None
    parts = {feature["properties"]["part"] for feature in found["features"]["features"]}
    assert parts == {"lot", "zone", "source"}
    zones = [f for f in found["features"]["features"] if f["properties"]["part"] == "zone"]
    assert {zone["properties"]["zone"] for zone in zones} >= {"let", "prevent"}
    assert ask({"geometry": lot(HOME)})["features"] is None


# what is refused

CROSSED = {"type": "Polygon", "coordinates": [[list(degrees(x, y)) for x, y in
           ((100, 50), (120, 70), (120, 50), (100, 70), (100, 50))]]}  # fmt: skip
REFUSED: list[tuple[Any, int, str]] = [
    ({"lot_id": "nowhere"}, 404, "not-found"),
    (point(9000, 100), 422, "no-overlap"),
    ({"lon": 5.0, "lat": 89.0}, 422, "no-overlap"),
    ({"geometry": CROSSED}, 422, "input"),
    ({"geometry": {"type": "LineString", "coordinates": [[3, 52], [3, 52]]}}, 422, "input"),
    ({"geometry": square(0, 0, 6000)}, 413, "limit-lot-size"),
    ({"geometry": {"type": "Polygon", "coordinates": [[[3, 52]] * 9000] * 3}}, 413, "limit-lot-vertices"),
    (point(335, 80) | {"use": "hospitel"}, 422, "parameter"),
    (point(335, 80) | {"use": "\u202e<script>"}, 422, "parameter"),
    (point(335, 80) | {"class": "戊"}, 422, "parameter"),
    (point(335, 80) | {"use": "park", "class": "A"}, 422, "parameter"),
    (point(335, 80) | {"beds": -1}, 422, "parameter"),
    (point(335, 80) | {"people": "many"}, 422, "parameter"),
    (point(335, 80) | {"lot_id": "home"}, 422, "parameter"),
    (point(335, 80) | {"colour": "red"}, 422, "parameter"),
    ({"lon": 3.0}, 422, "parameter"),
    ({}, 422, "parameter"),
    ({"type": "FeatureCollection", "features": []}, 422, "parameter"),
    ({"type": "FeatureCollection", "features": [{}]}, 422, "parameter"),
    (b"[]", 422, "parameter"),
    (b'{"lon":NaN,"lat":52}', 422, "parameter"),
    (b"", 422, "parameter"),
    (b"[" * 100_000, 400, "bad-request"),
    (b'{"use":"' + b"x" * 2**20 + b'"}', 413, "limit-body"),
]


def test_what_cannot_be_is_refused_with_a_code(ask: Asker) -> None:
    for body, status, code in REFUSED:
        said = ask(body, status)
        assert said["code"] == code, (str(body)[:80], said)
        assert len(json.dumps(said)) < 40_000
    assert ask({}, 404, study="nowhere")["code"] == "not-found"


def test_refusals_say_what_to_do_in_both_languages(ask: Asker) -> None:
    near = ask(point(335, 80) | {"use": "hospitel"}, 422)["faults"][0]
    assert "hospital" in near["fix"]
    chinese = ask(point(9000, 100), 422, **{"Accept-Language": "zh"})
    assert re.search("[\u4e00-\u9fff]{3}", chinese["detail"]) and "expected" not in chinese["detail"]


# many lots


def collection(*lots: dict[str, Any], **more: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": list(lots), **more}


def feature(box: tuple[float, float, float, float] | dict[str, Any], **properties: Any) -> dict[str, Any]:
    return {"type": "Feature", "geometry": box if isinstance(box, dict) else lot(box), "properties": properties}


def test_many_lots_come_back_whole_each_with_its_verdict(ask: Asker) -> None:
    sent = collection(
        feature(HOME, 名称=HOSTILE, verdict="mine") | {"id": 7}, feature(PARK, use="公园"), feature(FREE),
        feature(CROSSED, n=1), feature((9000, 0, 9010, 10)), feature(FREE, beds="many"),
    )  # fmt: skip
    found = ask(sent)
    LotsOut.model_validate(found)
    rows = [f["properties"] for f in found["features"]]
    assert [row["verdict"] for row in rows] == ["let", "none", "none", None, None, None]
    assert [row["problem"] for row in rows] == [None, None, None, "input", "no-overlap", "parameter"]
    assert (rows[0]["名称"], rows[0]["verdict_given"], found["features"][0]["id"]) == (HOSTILE, "mine", 7)
    assert [f["geometry"] for f in found["features"]] == [f["geometry"] for f in sent["features"]]
    assert (rows[3]["n"], rows[0]["rules"].split(";")[0]) == (1, "river")
    assert found["counts"] == {"let": 1, "avoid": 0, "prevent": 0, "none": 2, "refused": 3}
    assert rows[5]["problem_en"].startswith("features.5.beds: expected a number")


def test_many_are_judged_as_one_is(ask: Asker) -> None:
    boxes = [HOME, PARK, FREE, (310, 60, 360, 100), (0, 10, 60, 60)]
    many = [f["properties"] for f in ask(collection(*map(feature, boxes)))["features"]]
    alone = [ask({"geometry": lot(box), "snippet": False}) for box in boxes]
    assert [row["verdict"] for row in many] == [one["verdict"] for one in alone]
    assert [row["reason_zh"] for row in many] == [one["said_zh"] for one in alone]


def test_what_is_planned_on_all_holds_where_a_lot_says_nothing(ask: Asker) -> None:
    sent = collection(feature(PARK), feature(PARK, use="住宅"), planned={"use": "park"})
    assert [f["properties"]["verdict"] for f in ask(sent)["features"]] == ["none", "let"]
    assert ask(collection(feature(PARK), planned={"use": "hospitel"}))["features"][0]["properties"]["problem"] == (
        "parameter"
    )


def test_how_many_is_a_limit(workspace: Path) -> None:
    few = Asker(workspace, site_check_lots=2, site_check_vertices=12)
    assert few(collection(*[feature(FREE)] * 3), 413)["code"] == "limit-lots"
    assert few(collection(*[feature(CROSSED)] * 2))["counts"]["refused"] == 2
    limits = {limit["name"]: limit["value"] for limit in few.client.get("/limits").json()["limits"]}
    assert limits["site_check_lots"] == 2 and "site_check_extent_m" in limits


def test_degrees_are_asked_for(ask: Asker) -> None:
    old = {"type": "name", "properties": {"name": "urn:ogc:def:crs:OGC:1.3:CRS84"}}
    assert ask(collection(feature(FREE), crs=old, name="lots"))["counts"]["none"] == 1
    metres = {"type": "name", "properties": {"name": "urn:ogc:def:crs:EPSG::28992"}}
    assert ask(collection(feature(FREE), crs=metres), 422)["code"] == "parameter"


# kept ready


def test_who_asks_at_once_waits_for_one_and_the_same(workspace: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    made: list[int] = []
    real = held.land.of

    def slowly(base: Any) -> Any:
        made.append(threading.get_ident())
        return real(base)

    monkeypatch.setattr(held.land, "of", slowly)
    cities = held.Cities(cities=1, situations=1)
    study = Workspace.open(workspace).study("river")
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: cities.land(study), range(4)))
    assert len(made) == 1 and all(each is found[0] for each in found)
