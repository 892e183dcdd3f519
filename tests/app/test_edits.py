"""Studies made, changed, computed and taken away over HTTP, as another system does it."""

from __future__ import annotations

import io
import json
import shutil
import zipfile
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient

from app.main import create_app
from app.settings import Settings
from tests.app import drawn_town
from tests.app.command_line import commanded
from tests.app.working import drain
from tests.postgis import Server


class System:
    """Another system: it sends, it follows, it reads."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.settings = Settings(workspace=folder, access="open", **settings)
        self.client = TestClient(create_app(self.settings))

    def __call__(self, method: str, path: str, code: int, **given: Any) -> Any:
        answer = self.client.request(method, path, **given)
        assert answer.status_code == code, answer.text
        self.headers = answer.headers
        if answer.headers.get("content-type", "").endswith("json"):
            return answer.json()
        return answer.content

    def finished(self, submitted: dict[str, Any], state: str = "done") -> dict[str, Any]:
        drain(self.settings)
        job = self("GET", submitted["href"], 200)
        assert job["state"] == state, job
        return job

    def etag(self, study: str = "town") -> str:
        self("GET", f"/api/v1/studies/{study}/definition", 200, headers={"Accept-Encoding": "identity"})
        return self.headers["etag"]

    def make(self, folder: Path) -> None:
        with drawn_town.extract(folder).open("rb") as osm:
            made = self("POST", "/api/v1/studies", 202, data={"study": "town", "name": "小镇"}, files={"osm": osm})
        assert self.headers["location"] == made["href"]
        assert self.finished(made)["result"] == {"study_id": "town", "href": "/api/v1/studies/town"}

    def flood(self, folder: Path) -> dict[str, Any]:
        said = {"kind": "hazard", "hazard": "flood", "unit": "m", "scenario": "flood"}
        with drawn_town.flood(folder).open("rb") as file:
            return self("PUT", "/api/v1/studies/town/layers/deep", 202, data=said, files={"file": file})


@pytest.fixture(scope="module", name="made")
def _made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A workspace with a town that was made over HTTP."""
    folder = tmp_path_factory.mktemp("made")
    System(folder / "workspace").make(folder)
    return folder / "workspace"


@pytest.fixture
def town(made: Path, tmp_path: Path) -> System:
    shutil.copytree(made, tmp_path / "workspace")
    return System(tmp_path / "workspace")


@pytest.fixture(params=["folders", "postgis"])
def anywhere(request: pytest.FixtureRequest, tmp_path: Path) -> System:
    """The town in folders, and in PostgreSQL with a folder as its cache."""
    if request.param == "folders":
        town: System = request.getfixturevalue("town")
        return town
    server: Server = request.getfixturevalue("postgis")
    system = System(tmp_path / "cache", database=server.fresh())
    system.make(tmp_path)
    return system


def test_one_machine_takes_it_and_another_does_it(postgis: Server, tmp_path: Path) -> None:
    """The service on one machine, the worker on another: they share the database and nothing else."""
    database = postgis.fresh()
    service = System(tmp_path / "here", database=database)
    far = Settings(workspace=tmp_path / "there", database=database, access="open")
    with drawn_town.extract(tmp_path).open("rb") as osm:
        service("POST", "/api/v1/studies", 202, data={"study": "town"}, files={"osm": osm})
    drain(far)
    asked = service("POST", "/api/v1/studies/town/runs", 202, json={})
    drain(far)
    run = asked["runs"][0]["href"]
    rows = service("GET", f"{run}/summary", 200)["communities"]
    assert rows and any((tmp_path / "here").rglob("communities.parquet"))
    job = service("POST", f"{run}/exports", 202, json={"format": "csv"})
    drain(far)
    content = service("GET", service("GET", job["href"], 200)["result"]["file"], 200)
    assert "communities.csv" in zipfile.ZipFile(io.BytesIO(content)).namelist()


def test_a_study_is_made_flooded_computed_and_taken_away_over_http(anywhere: System, tmp_path: Path) -> None:
    town = anywhere
    assert town("GET", "/api/v1/studies/town", 200)["name"] == "小镇"
    job = town.finished(town.flood(tmp_path))
    assert job["result"]["layer_id"] == "deep"
    asked = town("POST", "/api/v1/studies/town/runs", 202, json={"parameters": {"walk.max_minutes": 12}})
    assert town.headers["location"] == asked["runs"][0]["href"]
    assert [run["scenario_id"] for run in asked["runs"]] == ["normal", "flood"]
    early = town("GET", asked["runs"][1]["href"], 200)
    assert early["state"] == "waiting" and early["job"] == asked["job"]["href"]
    town.finished(asked["job"])
    record = town("GET", asked["runs"][1]["href"], 200)
    assert record["recipe"]["parameters"]["walk"]["max_minutes"] == 12
    assert town("GET", asked["runs"][1]["href"] + "/summary", 200)["communities"]
    again = town("POST", "/api/v1/studies/town/runs", 200, json={"parameters": {"walk.max_minutes": 12}})
    assert again == {"job": None, "runs": [{**run, "state": "done"} for run in asked["runs"]]}
    town("DELETE", "/api/v1/studies/town", 428)
    town("DELETE", "/api/v1/studies/town", 204, headers={"If-Match": town.etag()})
    assert town("GET", "/api/v1/studies/town", 404)["code"] == "not-found"


def test_what_is_asked_twice_is_done_once(anywhere: System) -> None:
    town = anywhere
    one = town("POST", "/api/v1/studies/town/runs", 202, json={}, headers={"Idempotency-Key": "a"})
    same = town("POST", "/api/v1/studies/town/runs", 202, json={}, headers={"Idempotency-Key": "a"})
    joined = town("POST", "/api/v1/studies/town/runs", 202, json={})
    assert one["job"]["job_id"] == same["job"]["job_id"] == joined["job"]["job_id"]
    other = {"parameters": {"walk.max_minutes": 11}}
    refused = town("POST", "/api/v1/studies/town/runs", 422, json=other, headers={"Idempotency-Key": "a"})
    assert refused["code"] == "idempotency"
    town.finished(one["job"])
    assert len(town("GET", "/api/v1/jobs?study=town&state=done", 200)["jobs"]) == 2  # the making of it, and the run


def test_events_are_told_from_where_one_left_off(town: System) -> None:
    asked = town("POST", "/api/v1/studies/town/runs", 202, json={})
    town.finished(asked["job"])
    text = town("GET", asked["job"]["events"], 200).decode()
    events = [dict(line.split(": ", 1) for line in part.splitlines() if ": " in line)
              for part in text.replace("\r", "").split("\n\n") if "data" in part]  # fmt: skip
    ids = [int(event["id"]) for event in events]
    assert ids == sorted(set(ids)) and {"state", "stage"} <= {event["event"] for event in events}
    assert json.loads(events[-1]["data"])["state"] == "done"
    rest = town("GET", asked["job"]["events"], 200, headers={"Last-Event-ID": str(ids[-2])}).decode()
    assert rest.count("id:") == 1


def test_an_edit_is_made_by_who_has_read_what_is_there(town: System) -> None:
    path, first = "/api/v1/studies/town/definition", town.etag()
    said = {"name_zh": "河镇", "parameters": {"walk.max_minutes": 20}}
    assert town("PATCH", path, 428, json=said)["code"] == "precondition-required"
    changed = town("PATCH", path, 200, json=said, headers={"If-Match": first})
    assert (changed["name_zh"], changed["parameters"]) == ("河镇", {"walk.max_minutes": 20})
    second = town.headers["etag"]
    assert second != first and second == f'"{changed["revision"]}"' == town.etag()
    stale = town("PATCH", path, 412, json={"name": "x"}, headers={"If-Match": first})
    assert stale["code"] == "stale" and "revision" in stale["faults"][0]["expected"]
    back = town("PATCH", path, 200, json={"parameters": {"walk.max_minutes": None}}, headers={"If-Match": second})
    assert back["parameters"] == {} and back["name_zh"] == "河镇"
    text = town("GET", path, 200).decode()
    new = text.replace("河镇", "新河镇")
    assert town("PUT", path, 200, content=new.encode(), headers={"If-Match": town.etag()})["name_zh"] == "新河镇"


@pytest.mark.parametrize(
    ("said", "where"),
    [
        ({"layers": [{"layer_id": "osm", "kind": "osm", "file": "../../etc/passwd"}]}, "osm"),
        ({"layers": [{"layer_id": "osm", "kind": "osm", "file": "inputs/other.pbf"}]}, "osm"),
        ({"layers": []}, "osm"),
        ({"layers": [{"layer_id": "x", "kind": "lots", "file": "study.toml"}]}, "x"),
        ({"parameters": {"walk.max_minuts": 3}}, "walk.max_minuts"),
        ({"parameters": {"walk.max_minutes": -3}}, "walk.max_minutes"),
        ({"scenarios": [{"scenario_id": "s", "name": "S", "hazards": ["none"]}]}, "none"),
        ({"scenarios": [{"scenario_id": "../s", "name": "S"}]}, "scenario_id"),
        ({"rules": {"river": {"distance": -1}}}, "distance"),
    ],
)
def test_an_edit_that_cannot_be_is_refused_whole(town: System, said: dict[str, Any], where: str) -> None:
    before = town("GET", "/api/v1/studies/town/definition", 200)
    refused = town("PATCH", "/api/v1/studies/town/definition", 422, json=said, headers={"If-Match": "*"})
    assert where in json.dumps(refused, ensure_ascii=False)
    assert town("GET", "/api/v1/studies/town/definition", 200) == before


def test_two_edits_of_one_state_are_not_both_kept(anywhere: System) -> None:
    town = anywhere
    etag = town.etag()
    codes = [
        town.client.patch(
            "/api/v1/studies/town/definition", json={"name": name}, headers={"If-Match": etag}
        ).status_code
        for name in ("one", "two")
    ]
    assert codes == [200, 412]


def test_a_layer_is_replaced_only_by_who_has_read_the_study(anywhere: System, tmp_path: Path) -> None:
    town = anywhere
    town.finished(town.flood(tmp_path))
    said = {"kind": "hazard", "hazard": "flood", "unit": "m"}
    flood = drawn_town.flood(tmp_path).read_bytes()
    path, files = "/api/v1/studies/town/layers/deep", {"file": ("flood.tif", flood)}
    town("PUT", path, 409, data=said, files=files)
    town.finished(town("PUT", path, 202, data=said, files=files, headers={"If-Match": town.etag()}))
    town("DELETE", path, 428)
    gone = town("DELETE", path, 200, headers={"If-Match": town.etag()})
    assert [layer["layer_id"] for layer in gone["layers"]] == ["osm"]


@pytest.mark.parametrize(
    "name",
    ["../../../etc/passwd.tif", "a\r\nSet-Cookie: x.tif", "洪水 深度.tif", "x" * 400 + ".tif", "con.tif",
     "..\\..\\f.tif", "<script>.tif", "$(touch x).tif"],
)  # fmt: skip
def test_a_file_by_any_name_stays_in_its_place(town: System, tmp_path: Path, name: str) -> None:
    said = {"kind": "hazard", "hazard": "flood", "unit": "m"}
    files = {"file": (name, drawn_town.flood(tmp_path).read_bytes())}
    before = {path for path in tmp_path.rglob("*")}
    job = town("PUT", "/api/v1/studies/town/layers/deep", 202, data=said, files=files)
    town.finished(job)
    study = town.settings.workspace / "studies/town"
    assert (study / "inputs/deep.tif").is_file()
    outside = [p for p in tmp_path.rglob("*") if p not in before and town.settings.workspace not in p.parents]
    assert not outside


def test_a_file_that_does_not_fit_is_told_and_leaves_nothing(town: System) -> None:
    files = {"file": ("flood.tif", b"no raster at all")}
    said = {"kind": "hazard", "hazard": "flood", "unit": "m"}
    job = town.finished(town("PUT", "/api/v1/studies/town/layers/deep", 202, data=said, files=files), "failed")
    assert job["problem"]["code"] == "unreadable" and "flood.tif" in job["problem"]["detail"]
    assert str(town.settings.workspace) not in json.dumps(job)
    assert not list((town.settings.workspace / "studies/town/inputs").glob("deep*"))
    for wrong in ({**said, "unit": "stone"}, {"kind": "lots", "hazard": "flood"}, {**said, "map": ["x"]}):
        refused = town("PUT", "/api/v1/studies/town/layers/deep", 422, data=wrong, files=files)
        assert refused["code"] == "parameter"


def test_too_large_a_file_is_refused_before_it_is_read(tmp_path: Path) -> None:
    system = System(tmp_path / "workspace", upload_bytes=5_000, body_bytes=1_000)
    with (tmp_path / "osm.pbf").open("wb") as file:
        file.write(b"x" * 20_000)
    with (tmp_path / "osm.pbf").open("rb") as osm:
        refused = system("POST", "/api/v1/studies", 413, data={"study": "town"}, files={"osm": osm})
    assert refused["code"].startswith("limit")
    assert not list((tmp_path / "workspace").rglob("*.pbf"))
    system("POST", "/api/v1/studies/town/what-if", 413, content=b"x" * 3_000,
           headers={"Content-Type": "multipart/form-data; boundary=x"})  # fmt: skip


def test_a_run_is_exported_once_and_read_as_often_as_one_likes(town: System, tmp_path: Path) -> None:
    asked = town("POST", "/api/v1/studies/town/runs", 202, json={})
    town.finished(asked["job"])
    run = asked["runs"][0]["href"]
    assert "POST" in town("GET", f"{run}/export.zip", 404)["detail"]
    for form, holds in (("geojson", "communities.geojson"), ("gpkg", "run.gpkg"), ("csv", "communities.csv")):
        job = town.finished(town("POST", f"{run}/exports", 202, json={"format": form}))
        content = town("GET", job["result"]["file"], 200)
        assert holds in zipfile.ZipFile(io.BytesIO(content)).namelist()
        assert town("GET", f"{run}/export.zip?format={form}", 200) == content
    town.finished(town("POST", f"{run}/exports", 202, json={"format": "archive"}))
    archive = tmp_path / "again.zip"
    archive.write_bytes(town("GET", f"{run}/export.zip?format=archive", 200))
    commanded(tmp_path / "elsewhere", "replay", archive)


def test_a_job_is_taken_back_and_tried_again(town: System) -> None:
    asked = town("POST", "/api/v1/studies/town/runs", 202, json={})
    run = asked["runs"][0]["href"]
    assert town("DELETE", run, 200)["state"] == "cancelled"
    assert town("POST", asked["job"]["href"] + "/retry", 202)["state"] == "waiting"
    town.finished(asked["job"])
    assert town("DELETE", run, 409)["code"] == "conflict"
    assert town("GET", "/api/v1/jobs/none", 404)["code"] == "not-found"
    assert town("GET", "/api/v1/runs/0123456789abcdef", 404)["code"] == "not-found"


def test_lists_come_in_pages_that_hold_everything_once(town: System) -> None:
    for minutes in range(5, 9):
        asked = town("POST", "/api/v1/studies/town/runs", 202, json={"parameters": {"walk.max_minutes": minutes}})
        town("DELETE", asked["job"]["href"], 200)
    path, found = "/api/v1/jobs?limit=2", []
    while path:
        page = town("GET", path, 200)
        found += [job["job_id"] for job in page["jobs"]]
        path = page["next"]
    assert len(found) == len(set(found)) == 5


def test_a_run_is_the_one_that_was_promised_or_none(town: System) -> None:
    asked = town("POST", "/api/v1/studies/town/runs", 202, json={})
    town("PATCH", "/api/v1/studies/town/definition", 200, json={"name": "Other"}, headers={"If-Match": "*"})
    job = town.finished(asked["job"], "failed")
    assert job["problem"]["code"] == "stale"
    told = town("GET", asked["runs"][0]["href"], 200)
    assert (told["state"], told["problem"]["code"]) == ("failed", "stale")


def test_a_key_stands_for_its_request_when_all_is_done_too(town: System, tmp_path: Path) -> None:
    key = {"Idempotency-Key": "k"}
    made = town("POST", "/api/v1/studies/town/runs", 202, json={}, headers=key)
    town.finished(made["job"])
    town("PATCH", "/api/v1/studies/town/definition", 200, json={"name": "Other"}, headers={"If-Match": "*"})
    again = town("POST", "/api/v1/studies/town/runs", 202, json={}, headers=key)
    assert [run["run_id"] for run in again["runs"]] == [run["run_id"] for run in made["runs"]]
    assert again["job"]["job_id"] == made["job"]["job_id"] and again["runs"][0]["state"] == "done"
    said = {"kind": "hazard", "hazard": "flood", "unit": "m"}
    files = {"file": ("flood.tif", drawn_town.flood(tmp_path).read_bytes())}
    path = "/api/v1/studies/town/layers/deep"
    sent = town("PUT", path, 202, data=said, files=files, headers={"Idempotency-Key": "l"})
    town.finished(sent)
    same = town("PUT", path, 202, data=said, files=files, headers={"Idempotency-Key": "l"})
    assert same["job_id"] == sent["job_id"] and same["state"] == "done"


def test_of_two_layers_sent_on_one_state_the_later_is_refused(anywhere: System, tmp_path: Path) -> None:
    town, path = anywhere, "/api/v1/studies/town/layers/deep"
    town.finished(town.flood(tmp_path))
    files = {"file": ("flood.tif", drawn_town.flood(tmp_path).read_bytes())}
    match = {"If-Match": town.etag()}
    jobs = [
        town("PUT", path, 202, data={"kind": "hazard", "hazard": "flood", "unit": unit}, files=files, headers=match)
        for unit in ("cm", "ft")
    ]
    drain(town.settings)
    told = [town("GET", job["href"], 200) for job in jobs]
    assert [job["state"] for job in told] == ["done", "failed"] and told[1]["problem"]["code"] == "stale"
    assert 'unit = "cm"' in town("GET", "/api/v1/studies/town/definition", 200).decode()


def test_a_study_that_is_gone_takes_its_jobs_and_keys_along(town: System, tmp_path: Path) -> None:
    run = town("POST", "/api/v1/studies/town/runs", 202, json={})
    town.finished(run["job"])
    waiting = town.flood(tmp_path)
    town("DELETE", "/api/v1/studies/town", 412, headers={"If-Match": '"0"'})
    town("DELETE", "/api/v1/studies/town", 204, headers={"If-Match": "*"})
    assert town("GET", waiting["href"], 200)["state"] == "cancelled"
    assert town("GET", f"/tiles/{run['runs'][0]['run_id']}/communities.json", 404)["code"] == "not-found"
    with drawn_town.extract(tmp_path).open("rb") as osm:
        key = {"Idempotency-Key": "again"}
        made = town("POST", "/api/v1/studies", 202, data={"study": "town"}, files={"osm": osm}, headers=key)
    town.finished(made)
    town("DELETE", "/api/v1/studies/town", 204, headers={"If-Match": "*"})
    with drawn_town.extract(tmp_path).open("rb") as osm:
        anew = town("POST", "/api/v1/studies", 202, data={"study": "town"}, files={"osm": osm}, headers=key)
    assert anew["job_id"] != made["job_id"]


def test_what_is_wrong_with_a_form_is_told_by_its_fields(town: System) -> None:
    files = {"file": ("flood.tif", b"x")}
    refused = town(
        "PUT", "/api/v1/studies/town/layers/deep", 422, data={"kind": "hazard", "hazard": "flood"}, files=files
    )
    assert "--" not in json.dumps(refused) and refused["faults"][0]["where"] == "unit"


@pytest.mark.parametrize("name", ["\x1b[31m" + "A" * 900_000, "\x1b[31mA", "A" * 201])
def test_a_hostile_text_is_refused_before_it_is_written(town: System, name: str) -> None:
    said = {"scenarios": [{"scenario_id": "flood", "name": name}]}
    refused = town("PATCH", "/api/v1/studies/town/definition", 422, json=said, headers={"If-Match": "*"})
    assert "characters" in refused["faults"][0]["expected"] and len(json.dumps(refused)) < 5000
