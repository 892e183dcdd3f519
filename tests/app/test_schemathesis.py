"""Everything the description promises, tried with what it allows and what it forbids, on a real small study.

New routes are covered as soon as the description has them. RENXING_EXAMPLES=200 tries harder than CI does.
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from zlib import crc32

import mercantile
import pytest
import schemathesis
from fastapi.testclient import TestClient
from hypothesis import HealthCheck, Phase, settings
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from app.main import create_app
from app.settings import Settings
from tests.app import drawn_town
from tests.app.command_line import commanded

EXAMPLES = int(os.environ.get("RENXING_EXAMPLES", "8"))
"""Examples tried of each operation, beside those that its description leads to one by one."""
LATE_S = 5.0
UNENDING = "/events"
SCHEMA = schemathesis.openapi.from_dict(create_app(Settings(workspace=Path("nowhere"))).openapi())
SCHEMA.config.phases.coverage.enabled = EXAMPLES > 50
PLACES: dict[str, list[str]] = {}
"""What there is, by the name of the parameter that asks for it."""
PATHS = sorted(SCHEMA.raw_schema["paths"])


@schemathesis.serializer("application/toml")
def as_toml(_: Any, value: Any) -> bytes:
    """A definition: whatever was drawn, as the text that it is."""
    return value if isinstance(value, bytes) else str(value).encode("utf-8", "surrogatepass")


def listed(files: Any) -> list[tuple[str, Any]]:
    """Parts of a form by name, each as often as it is sent."""
    return list(files.items()) if isinstance(files, dict) else list(files)


def as_file(value: Any) -> Any:
    """A part of a form as it can be sent: whatever was drawn for a file, as its text."""
    if isinstance(value, tuple):
        return (value[0], as_file(value[1]), *value[2:])
    return value if isinstance(value, bytes | str) else str(value)


class Town:
    """The service over the drawn town with a run of its flood, ready for questions."""

    def __init__(self, folder: Path) -> None:
        workspace = folder / "workspace"
        for study in ("town", "spare"):
            commanded(workspace, "new", study, "--osm", drawn_town.extract(folder), "--name", "Town")
        flood = ("--hazard", "flood", "--unit", "m", "--scenario", "flood")
        commanded(workspace, "add", "town", "hazard", drawn_town.flood(folder), *flood)
        commanded(workspace, "add", "town", "shelters", drawn_town.shelters(folder))
        commanded(workspace, "run", "town", "--scenario", "flood")
        limits = {"requests_per_minute": 0, "tiles_per_minute": 0, "queue_jobs_caller": 20}
        self.app = create_app(Settings(workspace=workspace, access="open", disk_free_bytes=0, **limits))
        self.client = TestClient(self.app, raise_server_exceptions=False, client=("127.0.0.1", 5000))
        self._learn()

    def _learn(self) -> None:
        service = self.app.state.service
        (run,) = service.workspace.runs("town")
        job = service.jobs.submit("export", {"run_id": run.run_id, "format": "csv"}, caller="key:a").job
        service.jobs.cancel(job.job_id)
        west, south, east, north = run.layer("communities").bounds
        tile = mercantile.tile((west + east) / 2, (south + north) / 2, 15)
        names = sorted(run.layers)
        PLACES.update(
            study=["town", "town", "spare"], run=[run.run_id], layer=names, collection=names, job=[job.job_id],
            format=["geojson", "csv", "gpkg", "parquet"], z=["15"], x=[str(tile.x)], y=[str(tile.y)],
            feature=["1", "2"],
        )  # fmt: skip
        for asked in ("route?from=4.9,52.4", "check", "sensitivity"):
            self.client.get(f"/api/v1/studies/town/{asked}")
        self.client.post("/api/v1/studies/town/site-check", json={"lon": 4.9, "lat": 52.4})
        self.client.get("/studies/town")

    def asks(self, case: schemathesis.Case) -> Any:
        sent = case.as_transport_kwargs(base_url="http://testserver")
        sent = {name: value for name, value in sent.items() if value is not None and name != "cookies"}
        if isinstance(sent.get("data"), str | bytes):
            sent["content"] = sent.pop("data")
        if "files" in sent:
            sent["files"] = [(name, as_file(value)) for name, value in listed(sent["files"])]
        if case.path.endswith(UNENDING):
            self._end_jobs()
        began = time.perf_counter()
        answer = self.client.request(**sent, follow_redirects=False)
        assert time.perf_counter() - began < LATE_S, f"{case.method} {case.path} took longer than {LATE_S} s"
        answer.request.read()
        return answer

    def _end_jobs(self) -> None:
        """Nobody works here, so what happens to a job would be told for ever."""
        jobs = self.app.state.service.jobs
        for job in jobs.listed(states=("waiting", "running"), limit=1000):
            jobs.cancel(job.job_id)


@pytest.fixture(scope="module")
def town(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Town]:
    yield Town(tmp_path_factory.mktemp("described"))


@SCHEMA.hook
def map_path_parameters(context: Any, path_parameters: dict[str, Any] | None) -> dict[str, Any] | None:
    """Three of four names are of what there is; what is deleted or overwritten is the spare study."""
    found = dict(path_parameters or {})
    harms = context.operation.method in ("delete", "put", "patch")
    for name, value in found.items():
        known = PLACES.get(name, [])
        chance = crc32(str(value).encode("utf-8", "surrogatepass"))
        if known and chance % 4:
            found[name] = "spare" if harms and name == "study" else known[chance // 4 % len(known)]
    return found


@SCHEMA.parametrize()
@settings(
    max_examples=EXAMPLES, deadline=None, phases=[Phase.explicit, Phase.generate], database=None,
    suppress_health_check=list(HealthCheck),
)  # fmt: skip
def test_what_is_answered_is_what_is_described(case: schemathesis.Case, town: Town) -> None:
    answer = town.asks(case)
    assert answer.status_code < 500, answer.text
    checks = [status_code_conformance, content_type_conformance, response_headers_conformance]
    if "json" in answer.headers.get("content-type", ""):
        checks.append(response_schema_conformance)
    case.validate_response(answer, checks=checks)
    if answer.status_code >= 400 and not (case.path == "/login" and answer.status_code == 401):
        a_refusal_is_a_problem(case, answer)


def a_refusal_is_a_problem(case: schemathesis.Case, answer: Any) -> None:
    assert answer.headers["content-type"] == "application/problem+json", (case.path, answer.text)
    if case.method != "HEAD":
        body = answer.json()
        assert body["status"] == answer.status_code and body["code"] and body["title"] and body["detail"]
    assert answer.headers["x-request-id"]


def test_the_description_is_valid_and_covers_every_route() -> None:
    from openapi_spec_validator import validate
    from starlette.routing import BaseRoute

    app = create_app(Settings(workspace=Path("nowhere")))
    validate(app.openapi())

    def paths(routes: list[BaseRoute]) -> Iterator[str]:
        for route in routes:
            inner = getattr(route, "original_router", None) or getattr(route, "router", None)
            if inner is not None:
                yield from paths(inner.routes)
            elif getattr(route, "include_in_schema", False):
                yield route.path  # type: ignore[attr-defined]

    shown = {path.replace(":path}", "}") for path in paths(app.routes) if not path.startswith("/static")}
    assert shown <= set(PATHS)


def test_operations_have_names_of_their_own() -> None:
    names = [
        op["operationId"] for item in SCHEMA.raw_schema["paths"].values() for op in item.values() if "responses" in op
    ]
    assert len(names) == len(set(names)) > 30
