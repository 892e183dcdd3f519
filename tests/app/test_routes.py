"""The service: what each address answers, and what it refuses."""

from __future__ import annotations

import csv
import gzip
import io
import json
import os
import signal
import sqlite3
import subprocess
import sys
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

import geopandas
import mapbox_vector_tile
import mercantile
import pytest
from fastapi.testclient import TestClient
from PIL import Image

from app.access.headers import HEADERS
from app.main import create_app
from app.settings import Settings
from data.limits import LIMITS
from tests.app import drawn_town
from tests.app.hand_made import HOSTILE, extract, outcome, recipe, saved, study_file, workspace
from tests.source import ROOT

HOSTILE_PARTS = ["%2e%2e", "..%2f..%2fetc%2fpasswd", "a" * 300, quote("坎彭"), "A", "%00", "-", "' OR 1=1", "{{7*7}}"]


class Site:
    """The service over a hand-made workspace."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.workspace, self.run = saved(folder)
        self.client = TestClient(create_app(Settings(workspace=self.workspace.path, **settings)))
        self.base = f"/api/v1/runs/{self.run.run_id}"

    def get(self, path: str, code: int = 200, **headers: str) -> bytes:
        answer = self.client.get(path, headers={name.replace("_", "-"): value for name, value in headers.items()})
        assert answer.status_code == code, answer.text
        return answer.content

    def json(self, path: str, code: int = 200) -> dict:
        return json.loads(self.get(path, code))

    def tile(self, layer: str, z: int) -> str:
        west, south, east, north = self.run.layer(layer).bounds
        tile = mercantile.tile((west + east) / 2, (south + north) / 2, z)
        return f"/tiles/{self.run.run_id}/{layer}/{tile.z}/{tile.x}/{tile.y}"


@pytest.fixture
def site(tmp_path: Path) -> Site:
    return Site(tmp_path)


# reading studies and runs


def test_studies_and_their_runs(site: Site) -> None:
    listed = site.json("/api/v1/studies")
    assert [study["study_id"] for study in listed["studies"]] == ["kampen"]
    study = site.json(listed["studies"][0]["href"])
    assert (study["name_zh"], study["crs"], study["layers"][0]["licence"]) == ("坎彭", "EPSG:32631", "ODbL-1.0")
    assert [scenario["run_id"] for scenario in study["scenarios"]] == [None, site.run.run_id]
    runs = site.json("/api/v1/studies/kampen/runs")["runs"]
    assert [(run["run_id"], run["latest"]) for run in runs] == [(site.run.run_id, True)]
    assert site.json(runs[0]["href"]) == site.run.record.model_dump(mode="json")


def test_the_summary_has_every_community_with_its_reason(site: Site) -> None:
    found = site.json(f"{site.base}/summary")
    assert sum(row["people"] for row in found["communities"]) == found["headline"]["people"] == 12
    worst = found["communities"][0]
    assert (worst["reason_en"], worst["reason_zh"], worst["walk_s_median"]) == ("7 are cut off.", "7人被隔断。", None)
    assert found["attribution"] == ["© OpenStreetMap contributors"]


def test_every_layer_can_be_downloaded_as_it_says(site: Site) -> None:
    layers = {layer["layer"]: layer for layer in site.json(f"{site.base}/layers")["layers"]}
    assert set(layers) == set(site.run.layers)
    assert layers["hazard_flood"]["downloads"] == {}
    for layer in layers.values():
        for format, path in layer["downloads"].items():
            body = site.get(path)
            if format == "geojson":
                assert len(json.loads(body)["features"]) == layer["rows"]
            elif format == "csv":
                assert len(list(csv.reader(io.StringIO(body.decode("utf-8-sig"))))) == layer["rows"] + 1
            elif format == "parquet":
                assert len(geopandas.read_parquet(io.BytesIO(body))) == layer["rows"]
            elif format == "fgb":
                assert len(geopandas.read_file(io.BytesIO(body))) == layer["rows"]
            else:
                assert body.startswith(b"SQLite format 3\0")


def test_downloads_name_their_file(site: Site) -> None:
    answer = site.client.get(f"{site.base}/layers/demand.csv")
    assert answer.headers["content-disposition"] == 'attachment; filename="kampen-flood-demand.csv"'
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"


def test_a_study_that_cannot_be_read_does_not_hide_the_others(site: Site) -> None:
    site.workspace.create(study_file("delft"), {"osm": extract(site.workspace.path)})
    (site.workspace.root / "delft/study.toml").write_text("format = 1\nnonsense = true\n")
    listed = site.json("/api/v1/studies")
    assert [study["study_id"] for study in listed["studies"]] == ["kampen"]
    assert "nonsense" in listed["unreadable"]["delft"]
    assert str(site.workspace.path) not in json.dumps(listed)
    assert "nonsense" in site.get("/").decode()
    assert site.json("/api/v1/studies/delft", 422)["code"] == "input"


# what is not there


@pytest.mark.parametrize("part", HOSTILE_PARTS)
def test_hostile_names_are_not_found(site: Site, part: str) -> None:
    paths = [
        f"/studies/{part}", f"/api/v1/studies/{part}", f"/api/v1/studies/{part}/runs", f"/api/v1/runs/{part}",
        f"/api/v1/runs/{part}/summary", f"/api/v1/runs/{part}/map", f"{site.base}/layers/{part}.geojson",
        f"/tiles/{part}/streets/1/0/0.mvt", f"/tiles/{part}/base/1/0/0.mvt",
        f"/tiles/{site.run.run_id}/{part}/1/0/0.mvt",
        f"/tiles/{site.run.run_id}/{part}.json", f"/static/{part}", f"/static/assets/{part}",
    ]  # fmt: skip
    for path in paths:
        answer = site.client.get(path)
        assert answer.status_code == 404, path
        assert answer.headers["content-type"] == "application/problem+json"
        assert answer.json()["code"] == "not-found"
        assert str(site.workspace.path) not in answer.text


def test_what_is_not_there_says_neither_where_nor_what_is(site: Site) -> None:
    study = site.json("/api/v1/studies/delft", 404)
    run = site.json(f"/api/v1/runs/{'0' * 16}", 404)
    assert [found["faults"][0]["where"] for found in (study, run)] == ["the workspace"] * 2
    assert study["detail"] == "the workspace: expected a study of this workspace, found 'delft'."
    assert "kampen" not in study["detail"] and str(site.workspace.path) not in run["detail"]


def test_a_refusal_hides_the_place_of_the_workspace(site: Site) -> None:
    site.workspace.create(study_file("delft"), {"osm": extract(site.workspace.path)})
    (site.workspace.root / "delft/study.toml").write_text("format = 1\nnonsense = true\n")
    refused = json.dumps(site.json("/api/v1/studies/delft", 422), ensure_ascii=False)
    assert str(site.workspace.path) not in refused and "…/studies/delft/study.toml" in refused


@pytest.mark.parametrize("tile", ["0/1/0", "23/0/0", "3/8/0", "3/0/8", "1/-1/0", "99999999999999999999/0/0"])
def test_tiles_off_the_map_are_not_found(site: Site, tile: str) -> None:
    for layer in (f"{site.run.run_id}/streets", "kampen/base"):
        assert site.client.get(f"/tiles/{layer}/{tile}.mvt").json()["status"] in (404, 422)


@pytest.mark.parametrize("tile", ["a/0/0", "1.5/0/0", "1e3/0/0"])
def test_what_is_no_number_is_refused(site: Site, tile: str) -> None:
    assert site.json(f"/tiles/{site.run.run_id}/streets/{tile}.mvt", 422)["code"] == "parameter"


def test_a_raster_is_no_table_and_a_table_no_raster(site: Site) -> None:
    for path in (f"{site.base}/layers/hazard_flood.csv", f"/tiles/{site.run.run_id}/hazard_flood/1/0/0.mvt",
                 f"/tiles/{site.run.run_id}/streets/1/0/0.png"):  # fmt: skip
        assert "expected a" in site.json(path, 404)["detail"]
    assert site.json(f"{site.base}/layers/demand.pdf", 422)["code"] == "parameter"


def test_a_study_without_runs_says_how_to_compute_it(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    client = TestClient(create_app(Settings(workspace=made.path)))
    answer = client.get("/studies/kampen")
    assert (answer.status_code, "renxing run kampen" in answer.json()["detail"]) == (404, True)
    assert client.get("/").status_code == 200
    assert client.get("/studies/kampen?scenario=quake").status_code == 404


def test_results_are_never_written_over_and_a_study_goes_only_by_who_has_read_it(site: Site) -> None:
    for verb in ("post", "put", "patch"):
        for path in ("/api/v1/studies/kampen", site.base, f"{site.base}/summary", "/api/v1/audit", "/limits"):
            answer = getattr(site.client, verb)(path)
            assert (answer.status_code, answer.json()["code"]) == (405, "method-not-allowed"), path
    assert site.client.delete(f"{site.base}/summary").status_code == 405
    answer = site.client.delete("/api/v1/studies/kampen")
    assert (answer.status_code, answer.json()["code"]) == (428, "precondition-required")
    assert site.client.delete(site.base).status_code == 409


# tiles


def test_vector_tiles_carry_the_features_and_what_maps_show(site: Site) -> None:
    found = mapbox_vector_tile.decode(site.get(f"{site.tile('streets', 14)}.mvt"))
    (street,) = found["streets"]["features"]
    assert street["properties"]["name"] == "Oudestraat"
    assert street["properties"]["walk_reason"] == "flooded"


def test_picture_tiles_are_clear_where_it_is_dry(site: Site) -> None:
    picture = Image.open(io.BytesIO(site.get(f"{site.tile('hazard_flood', 15)}.png"))).convert("RGBA")
    assert picture.size == (256, 256)
    opacity = {alpha for _, (_, _, _, alpha) in picture.getcolors(65536) or []}
    assert 0 in opacity and max(opacity) > 100


def test_tiles_say_where_they_are(site: Site) -> None:
    streets = site.json(f"/tiles/{site.run.run_id}/streets.json")
    assert streets["tiles"] == [f"http://testserver/tiles/{site.run.run_id}/streets/{{z}}/{{x}}/{{y}}.mvt"]
    assert streets["bounds"] == list(site.run.layer("streets").bounds)
    assert streets["vector_layers"][0]["id"] == "streets"
    assert site.json(f"/tiles/{site.run.run_id}/hazard_flood.json")["tiles"][0].endswith(".png")


def test_limits_are_published_and_kept(tmp_path: Path) -> None:
    site = Site(tmp_path, download_features=1, tile_features=1, tile_bytes=1000)
    limits = {limit["name"]: limit["value"] for limit in site.json("/limits")["limits"]}
    asked = {"download_features": 1, "tile_bytes": 1000, "tile_features": 1}
    assert asked.items() < limits.items()
    assert limits["body_bytes"] == 2**20
    refusal = site.json(f"{site.base}/layers/demand.geojson", 413)
    assert (refusal["code"], refusal["faults"][0]["expected"]) == ("limit-download", "at most 1 features")
    assert f"POST {site.base}/exports" in refusal["faults"][0]["fix"]
    told = {limit["name"]: limit for limit in site.json("/limits")["limits"]}
    assert list(told) == sorted(told)
    assert (told["download_features"]["code"], told["tile_features"]["code"]) == ("limit-download", None)
    assert {limit["code"] for limit in told.values()} >= {f"limit-{limit.code}" for limit in LIMITS}
    assert (told["read_zip_ratio"]["value"], told["tile_zoom"]["value"]) == (100, 22)
    found = mapbox_vector_tile.decode(site.get(f"{site.tile('demand', 10)}.mvt"))
    assert len(found["demand"]["features"]) == 1


# pages


@pytest.mark.parametrize("path", ["/", "/studies/kampen", "/studies/kampen?lang=zh", "/docs"])
def test_pages_are_strict_and_show_no_data_as_markup(site: Site, path: str) -> None:
    answer = site.client.get(path)
    assert answer.headers["content-type"] == "text/html; charset=utf-8"
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy and "sandbox" in policy and "unsafe" not in policy
    assert HOSTILE not in answer.text and "<script>alert" not in answer.text
    assert "http://" not in answer.text.replace("http://testserver", "") and "https://" not in answer.text


def test_pages_speak_the_reader_s_language(site: Site) -> None:
    assert '<html lang="zh-CN">' in site.get("/", accept_language="zh-CN,zh;q=0.9").decode()
    assert '<html lang="en">' in site.get("/", accept_language="fr,en;q=0.5").decode()
    assert '<html lang="zh-CN">' in site.get("/?lang=zh", accept_language="en").decode()
    assert '<html lang="en">' in site.get("/?lang=<script>").decode()


def test_a_study_opens_on_its_emergency(site: Site) -> None:
    normal = site.workspace.save(recipe(study_file(), 0), outcome())
    site.workspace.mark_latest(normal)
    assert site.run.run_id in site.get("/studies/kampen").decode()
    assert normal.run_id in site.get("/studies/kampen?scenario=normal").decode()
    assert normal.run_id in site.get(f"/api/v1/runs/{normal.run_id}/map").decode()


def test_static_files_are_served_with_their_type(site: Site) -> None:
    answer = site.client.get("/static/start.js", headers={"accept-encoding": "gzip"})
    assert "javascript" in answer.headers["content-type"]
    again = site.client.get("/static/start.js", headers={"if-none-match": answer.headers["etag"]})
    assert (again.status_code, answer.headers["cache-control"]) == (304, "public, no-cache")


def test_the_reference_names_every_route(site: Site) -> None:
    text = site.get("/docs").decode()
    assert [path for path in site.json("/openapi.json")["paths"] if f"<code>{path}</code>" not in text] == []


def test_every_answer_is_declared(site: Site) -> None:
    from openapi_spec_validator import validate

    described = site.json("/openapi.json")
    validate(described)
    assert {"Problem", "FaultModel", "Record", "Summary"} <= set(described["components"]["schemas"])
    for path, item in described["paths"].items():
        for operation in item.values():
            good = {code: said for code, said in operation["responses"].items() if code[0] in "23"}
            assert good and "default" in operation["responses"], path
            for said in good.values():
                content = said.get("content", {}).get("application/json")
                if path.startswith("/api/v1") and content:
                    assert content["schema"], path


# headers


def test_runs_are_kept_by_readers(site: Site) -> None:
    paths = [site.base, f"{site.base}/summary", f"{site.base}/layers/demand.geojson", f"{site.tile('streets', 14)}.mvt",
             f"{site.tile('hazard_flood', 14)}.png", "/", "/studies/kampen", "/docs", "/limits",
             "/api/v1/studies", "/api/v1/studies/kampen", "/api/v1/studies/kampen/runs", f"{site.base}/layers",
             "/api/v1/jobs", "/api/v1/audit", f"/tiles/{site.run.run_id}/streets.json"]  # fmt: skip
    tags = []
    for path in paths:
        first = site.client.get(path, headers={"accept-encoding": "gzip"})
        plain = site.client.get(path, headers={"accept-encoding": "identity"})
        assert first.content == plain.content
        for etag in (
            first.headers["etag"],
            plain.headers["etag"],
            f"W/{plain.headers['etag']}",
            '"x", ' + plain.headers["etag"],
        ):
            again = site.client.get(path, headers={"if-none-match": etag})
            assert (again.status_code, again.content) == (304, b"")
        assert site.client.get(path, headers={"if-none-match": '"other"'}).status_code == 200
        tags.append(first.headers["etag"])
    assert len(set(tags)) == len(tags)


def test_large_answers_are_compressed_for_those_who_ask(site: Site) -> None:
    with site.client.stream("GET", f"{site.base}/summary", headers={"accept-encoding": "gzip"}) as answer:
        raw = b"".join(answer.iter_raw())
    assert answer.headers["content-encoding"] == "gzip"
    assert gzip.decompress(raw) == site.get(f"{site.base}/summary", accept_encoding="identity")
    assert "Accept-Encoding" in answer.headers["vary"]


@pytest.mark.parametrize(("said", "zipped"), [
    ("gzip", True), ("br, GZIP ; Q=0.5", True), ("*", True), ("gzip;q=1.000", True), ("gzip;q=0.001, *;q=0", True),
    ("gzip;q=0", False), ("gzip;q=0.000", False), ("*, gzip; q=0", False), ("*;q=0", False), ("notgzip", False),
    ("gzip;q=nan", False), ("gzip;q=", False), ("identity", False),
])  # fmt: skip
def test_gzip_is_for_who_gives_it_a_weight(site: Site, said: str, zipped: bool) -> None:
    answer = site.client.get("/limits", headers={"accept-encoding": said})
    assert (answer.headers.get("content-encoding") == "gzip") is zipped
    assert "read_cells" in answer.text


@pytest.mark.parametrize("path", ["/healthz", "/api/v1/studies", "/nothing", "/", "/static/start.js"])
def test_every_answer_has_safe_headers_and_may_be_read_by_sandboxed_pages(site: Site, path: str) -> None:
    answer = site.client.get(path, headers={"origin": "null"})
    assert set(HEADERS) <= {name.title().replace("X-C", "X-C") for name in answer.headers}
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["access-control-allow-origin"] == "*"


def test_health_and_readiness(site: Site, tmp_path: Path) -> None:
    assert site.json("/healthz")["status"] == "ok"
    ready = site.json("/readyz")
    assert ready["status"] == "ready" and all(part["ok"] for part in ready["parts"])
    assert {part["part"] for part in ready["parts"]} == {"workspace", "register", "disk", "workers"}
    site.workspace.root.rename(tmp_path / "elsewhere")
    site.workspace.root.touch()
    answer = site.json("/readyz", 503)
    assert answer["code"] == "not-ready" and "workspace" in answer["detail"]
    assert str(tmp_path) not in answer["detail"]


# a real server


@contextmanager
def serving(folder: Path, *words: str) -> Iterator[str]:
    """A server in a process of its own; its address."""
    command = [sys.executable, "-m", "app.cli", "serve", "--workspace", str(folder), "--port", "0", *words]
    environment = {**os.environ, "PYTHONPATH": str(ROOT)}
    with subprocess.Popen(
        command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True, env=environment
    ) as process:
        assert process.stdout is not None and process.stderr is not None
        try:
            line = process.stdout.readline()
            assert line.startswith("Renxing is serving at http://127.0.0.1:"), process.stderr.read()
            yield line.split()[-1]
        finally:
            process.send_signal(signal.SIGINT)
            _, said = process.communicate(timeout=30)
    assert process.returncode == 0
    assert "Traceback" not in said


@pytest.mark.parametrize("workers", ["1", "2"])
def test_a_server_says_where_it_is_answers_and_stops(tmp_path: Path, workers: str) -> None:
    made, run = saved(tmp_path)
    with serving(made.path, "--workers", workers) as address:
        with urllib.request.urlopen(f"{address}api/v1/runs/{run.run_id}/summary") as answer:
            assert json.load(answer)["run_id"] == run.run_id
            assert answer.headers["server"] is None
        with urllib.request.urlopen(f"{address}studies/kampen") as answer:
            assert b"<html" in answer.read()


def test_the_base_map_is_drawn_from_the_study_s_own_extract(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    layer = study_file().layers[0].model_copy(update={"file": "inputs/osm.osm"})
    made.create(study_file("town", layers=[layer]), {"osm": drawn_town.extract(tmp_path)})
    client = TestClient(create_app(Settings(workspace=made.path)))
    about = client.get("/tiles/town/base.json").json()
    west, south, east, north = about["bounds"]
    tile = mercantile.tile((west + east) / 2, (south + north) / 2, 14)
    found = mapbox_vector_tile.decode(client.get(f"/tiles/town/base/14/{tile.x}/{tile.y}.mvt").content)
    assert {street["properties"].get("name") for street in found["streets"]["features"]} >= {"Main Street", "学院路"}
    assert len(found["buildings"]["features"]) == 25
    assert about["attribution"] == "© OpenStreetMap contributors"


def test_a_port_in_use_is_refused(tmp_path: Path) -> None:
    made, _ = saved(tmp_path)
    with serving(made.path) as address:
        port = address.rstrip("/").rpartition(":")[2]
        command = [sys.executable, "-m", "app.cli", "serve", "--workspace", str(made.path), "--port", port]
        said = subprocess.run(
            command, capture_output=True, text=True, env={**os.environ, "PYTHONPATH": str(ROOT)}, check=False
        )
    assert said.returncode == 1
    assert "--port 0" in said.stderr


def test_a_geopackage_over_http_is_whole(site: Site, tmp_path: Path) -> None:
    path = tmp_path / "shelters.gpkg"
    path.write_bytes(site.get(f"{site.base}/layers/shelters.gpkg"))
    with sqlite3.connect(path) as database:
        assert database.execute("SELECT count(*) FROM layer_styles").fetchone() == (2,)
    database.close()
