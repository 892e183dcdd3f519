"""Questions over HTTP: from one point, what if, and how results move, on the drawn town."""

from __future__ import annotations

import json
import shutil
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import shapely
from fastapi.testclient import TestClient

from app import held
from app.main import create_app
from app.schemas import RouteOut, SensitivityOut, WhatIfOut
from app.settings import Settings
from app.store import Study, Workspace
from app.told import changed
from geo import what_if
from geo.crs import WGS84, reproject
from geo.errors import InputError
from geo.what_if import Edits, NewShelter
from tests.data.osm.drawn import CRS, EAST, NORTH

JSON = {"Content-Type": "application/json"}
HOSTILE_NAME = "<img src=x onerror=alert(1)>{{7*7}}\u202e"


def degrees(x: float, y: float) -> tuple[float, float]:
    """A point of the drawing, metres, in degrees."""
    lon, lat = reproject(np.array([EAST + x]), np.array([NORTH + y]), source=CRS, target=WGS84)
    return float(lon[0]), float(lat[0])


def square(x: float, y: float, side: float) -> dict[str, Any]:
    ring = [degrees(*corner) for corner in shapely.box(x, y, x + side, y + side).exterior.coords]
    return {"type": "Polygon", "coordinates": [[list(corner) for corner in ring]]}


class Asker:
    """The service over the drawn town with its hall and its flood."""

    def __init__(self, workspace: Path, **settings: int) -> None:
        self.app = create_app(Settings(workspace=workspace, **settings))
        self.client = TestClient(self.app, raise_server_exceptions=False)
        self.study = Workspace.open(workspace).study("town")

    def route(self, x: float, y: float, code: int = 200, **asked: str) -> Any:
        lon, lat = degrees(x, y)
        answer = self.client.get("/api/v1/studies/town/route", params={"from": f"{lon!r},{lat!r}"} | asked)
        assert answer.status_code == code, answer.text
        return answer.json()

    def what_if(self, body: Any, code: int = 200) -> Any:
        sent = body if isinstance(body, bytes) else json.dumps(body).encode()
        answer = self.client.post("/api/v1/studies/town/what-if", content=sent, headers=JSON)
        assert answer.status_code == code, answer.text
        return answer.json()


@pytest.fixture(scope="module")
def asker(housed: Path) -> Asker:
    return Asker(housed)


# from one point


def test_the_way_from_a_house_to_the_hall(asker: Asker) -> None:
    """From 400 m along Main Street 160 m east; the hall stands south of the street, on the right."""
    found = asker.route(400, 10)
    RouteOut.model_validate(found)
    assert (found["code"], found["scenario_id"], found["street"]["name_en"]) == ("found", "normal", "Main Street")
    main = found["ways"][0]
    assert found["shelter"]["name"] == "Hall" and found["shelter"]["room_left"] > 0
    assert main["role"] == "main" and main["length_m"] == pytest.approx(160, abs=1)
    assert main["takes_s"] == pytest.approx((10 + 160 + 20) / 1.2, rel=0.3)
    assert main["takes_s"] < main["elderly_s"]
    assert main["steps_en"][0] == "Go east along Main Street, 160 m."
    assert main["steps_zh"][0] == "沿Main Street向东步行160米。"
    start = main["geometry"]["coordinates"][0]
    assert start == pytest.approx(list(degrees(400, 0)), abs=1e-6)
    assert found["attribution"] == ["© OpenStreetMap contributors"]


def test_who_asks_in_a_wheelchair_is_told_their_own_time(asker: Asker) -> None:
    found = asker.route(400, 10, profile="wheelchair")
    assert found["ways"][0]["takes_s"] == pytest.approx(found["ways"][0]["wheelchair_s"])


def test_a_flooded_street_is_closed(asker: Asker) -> None:
    found = asker.route(120, 10, scenario="flood")
    RouteOut.model_validate(found)
    assert (found["code"], found["ways"], found["shelter"]) == ("street_closed", [], None)
    assert "Main Street" in found["said_en"] and "Main Street" in found["said_zh"]


def test_far_from_every_street_it_says_how_far(asker: Asker) -> None:
    answer = asker.route(5_600, 100, 422)
    assert answer["code"] == "no-overlap"
    assert "5.0 km outside" in answer["detail"]


@pytest.mark.parametrize("start", ["", "a,b", "nan,nan", "1e308,0", "5", "5,5,5", "inf,2", "181,0", "\u0660,x", "5;52"])
def test_a_place_that_is_none_is_refused(asker: Asker, start: str) -> None:
    answer = asker.client.get("/api/v1/studies/town/route", params={"from": start})
    assert (answer.status_code, answer.json()["code"]) == (422, "parameter")


def test_what_is_not_there(asker: Asker) -> None:
    assert asker.route(400, 10, 404, scenario="drought")["code"] == "not-found"
    assert asker.route(400, 10, 422, profile="horse")["code"] == "parameter"
    assert asker.client.get("/api/v1/studies/nowhere/route?from=5,52").status_code == 404
    assert asker.what_if({"scenario": "drought"}, 404)["code"] == "not-found"


# what if


def test_what_if_over_http_is_what_geo_gives(asker: Asker) -> None:
    """A shelter at the dry end of 学院路, and the lane beside it closed."""
    lon, lat = degrees(470, 212)
    lane = next(s for s in street_ids(asker.study) if s.startswith("w4-"))
    body = {"scenario": "flood", "add": [{"id": "tent", "lon": lon, "lat": lat, "room": 30, "name": "Tent"}],
            "close": [lane]}  # fmt: skip
    found = asker.what_if(body)
    WhatIfOut.model_validate(found)
    now = held.Cities(cities=1, situations=1).situation(asker.study, "flood")
    x, y = reproject(np.array([lon]), np.array([lat]), source=WGS84, target=now.base.network.crs)
    edits = Edits(add=(NewShelter("tent", shapely.Point(x[0], y[0]), 30, "Tent"),), close=(lane,))
    wanted = changed(what_if.changes(now, what_if.anew(now, edits)), most=5_000)
    assert found["before"] == pytest.approx(wanted["before"], nan_ok=True)
    assert found["after"] == pytest.approx(wanted["after"], nan_ok=True)
    for name, layer in wanted["layers"].items():
        assert found["layers"][name]["rows"] == layer["rows"]
    tent = next(f for f in found["layers"]["shelters"]["features"] if f["properties"]["shelter_id"] == "tent")
    assert tent["geometry"]["coordinates"] == pytest.approx([lon, lat], abs=1e-6)
    assert 0 < tent["properties"]["people"] <= 30


def street_ids(study: Study) -> list[str]:
    return [str(name) for name in held.prepared(study, "night").network.street_ids]


def test_nothing_changed_is_nothing(asker: Asker) -> None:
    found = asker.what_if({})
    WhatIfOut.model_validate(found)
    assert found["before"] == found["after"]
    assert {name: layer["rows"] for name, layer in found["layers"].items()} == dict.fromkeys(
        ("communities", "demand", "shelters", "street_flows"), 0
    )


def test_another_scenario_is_compared(asker: Asker) -> None:
    found = asker.what_if({"scenario": "flood", "against": "normal"})
    assert found["before"]["people_served"] > found["after"]["people_served"]
    assert found["layers"]["demand"]["rows"] > 0


def test_streets_within_a_polygon_are_closed(asker: Asker) -> None:
    found = asker.what_if({"close_within": square(-20, -80, 900)})
    assert found["after"]["people_served"] == 0
    assert found["layers"]["street_flows"]["rows"] > 0


def test_a_long_answer_is_cut_and_says_so(housed: Path) -> None:
    found = Asker(housed, what_if_features=2).what_if({"close_within": square(-20, -80, 900)})
    demand = found["layers"]["demand"]
    assert demand["cut"] and len(demand["features"]) == 2 < demand["rows"]


def test_names_come_back_as_data(asker: Asker) -> None:
    lon, lat = degrees(470, 212)
    found = asker.what_if({"add": [{"lon": lon, "lat": lat, "room": 30, "name": HOSTILE_NAME}]})
    new = next(f["properties"] for f in found["layers"]["shelters"]["features"] if f["id"] == "new-1")
    assert new["name"] == HOSTILE_NAME


LON, LAT = degrees(470, 212)
TENT = {"lon": LON, "lat": LAT, "room": 30}
HOSTILE_BODIES: list[tuple[Any, int, str]] = [
    (b"", 422, "parameter"),
    (b"[]", 422, "parameter"),
    (b"{", 422, "parameter"),
    (b'{"add":[{"lon":NaN,"lat":52,"room":3}]}', 422, "parameter"),
    (b'{"add":[{"lon":5,"lat":52,"room":Infinity}]}', 422, "parameter"),
    (b'{"room":{"x":1e999}}', 422, "parameter"),
    (b'{"remove":["\\ud800"]}', 422, "parameter"),
    ({"add": [TENT | {"room": 1e308}]}, 422, "parameter"),
    ({"add": [TENT | {"room": -1}]}, 422, "parameter"),
    ({"add": [TENT | {"id": "x" * 100_000}]}, 422, "parameter"),
    ({"add": [TENT | {"geometry": square(0, 0, 5)}]}, 422, "parameter"),
    ({"add": [{"room": 3}]}, 422, "parameter"),
    ({"add": [TENT | {"id": "a"}, TENT | {"id": "a"}]}, 409, "conflict"),
    ({"add": [{"lon": 5, "lat": 10, "room": 3}]}, 422, "no-overlap"),
    ({"add": [{"lon": 5, "lat": 90, "room": 3}]}, 422, "no-overlap"),
    ({"remove": ["x" * 200]}, 404, "not-found"),
    ({"remove": "x"}, 422, "parameter"),
    ({"close": ["w1-0"] * 500}, 413, "limit"),
    ({"close": ["w1-0"], "open": ["w1-0"]}, 422, "parameter"),
    ({"close_within": {"type": "Polygon", "coordinates": [[[0, 0], [1, 1], [1, 0], [0, 1], [0, 0]]]}}, 422, "input"),
    ({"close_within": {"type": "Polygon", "coordinates": [[[0, 0]] * 3000]}}, 413, "limit"),
    ({"close_within": {"type": "Polygon", "coordinates": [[[1e308, 0], [1e308, 1], [0, 1], [1e308, 0]]]}}, 422, ""),
    ({"close_within": {"type": "Polygon", "coordinates": [[[0, 0]] * 4]}}, 422, "input"),
    ({"close_within": {"type": "Point", "coordinates": [5, 52]}}, 422, "parameter"),
    ({"close_within": {"type": "Polygon", "coordinates": []}}, 422, "parameter"),
    ({"nonsense": 1}, 422, "parameter"),
    (b"[" * 100_000, 400, "bad-request"),
    (b'{"remove":["' + b"x" * 2**20 + b'"]}', 413, "limit-body"),
]


def test_hostile_bodies_are_refused_with_a_code(asker: Asker) -> None:
    for body, status, code in HOSTILE_BODIES:
        said = asker.what_if(body, status)
        assert said["code"] == code or not code, (str(body)[:80], said)
        assert len(json.dumps(said)) < 40_000


# kept ready


def test_two_at_once_prepare_the_city_once_and_a_changed_study_anew(housed: Path, tmp_path: Path) -> None:
    workspace = Workspace.open(shutil.copytree(housed, tmp_path / "own"))
    study = workspace.study("town")
    made: list[str] = []

    def slowly(study: Study, when: str) -> Any:
        made.append(when)
        time.sleep(0.2)
        return held.prepared(study, "night")

    cities = held.Cities(cities=2, situations=2, prepare=slowly)
    with ThreadPoolExecutor(4) as pool:
        found = list(pool.map(lambda _: cities.situation(study, "normal"), range(4)))
    assert made == ["night"] and all(each is found[0] for each in found)
    cities.situation(study, "flood")
    assert made == ["night"]
    definition = study.folder / "study.toml"
    text = definition.read_text(encoding="utf-8")
    definition.write_text(text.replace('name = "Town"', 'name = "City"'), encoding="utf-8")
    cities.situation(workspace.study("town"), "normal")
    assert made == ["night", "night"]


def test_an_error_is_not_kept(asker: Asker) -> None:
    tries: list[int] = []

    def refused(study: Study, when: str) -> Any:
        tries.append(threading.get_ident())
        raise InputError("not today")

    cities = held.Cities(cities=1, situations=1, prepare=refused)
    for _ in range(2):
        with pytest.raises(InputError, match="not today"):
            cities.situation(asker.study, "normal")
    assert len(tries) == 2


# how results move


def test_sensitivity_has_every_variant(asker: Asker) -> None:
    answer = asker.client.get("/api/v1/studies/town/sensitivity", params={"scenario": "flood"})
    assert answer.status_code == 200, answer.text
    found = SensitivityOut.model_validate(answer.json())
    assert {v.variant for v in found.variants} == {"speed", "limit", "room", "depth"}
    for variant in found.variants:
        assert variant.people_served_change == variant.people_served - found.people_served
