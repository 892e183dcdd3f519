"""What an operator sees: a line and a count for each request, by the form of its path and never by what was sent."""

from __future__ import annotations

import io
import json
import logging
import re
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from prometheus_client.parser import text_string_to_metric_families

from app import logs
from app.main import create_app
from app.settings import Settings
from tests.app.hand_made import saved

NEVER_A_LABEL = "sEcReT-0123456789abcdef"


@pytest.fixture
def lines() -> Iterator[io.StringIO]:
    """What is logged as JSON; the loggers are as before afterwards."""
    root, ours = logging.getLogger(), logging.getLogger("renxing")
    before = (root.handlers[:], root.level, ours.level)
    out = io.StringIO()
    logs.set_up("json", stream=out)
    yield out
    root.handlers[:], root.level, ours.level = before[0], before[1], before[2]


def told(lines: io.StringIO) -> list[dict]:
    return [json.loads(line) for line in lines.getvalue().splitlines()]


@pytest.fixture
def client(tmp_path: Path) -> TestClient:
    made, _ = saved(tmp_path)
    settings = Settings(workspace=made.path, disk_free_bytes=0)
    return TestClient(create_app(settings), raise_server_exceptions=False, client=("127.0.0.1", 5000))


def samples(client: TestClient, name: str) -> dict[tuple[str, ...], float]:
    """The samples of one name by the values of their labels, in the order of the labels' names."""
    text = client.get("/metrics").text
    found = [sample for family in text_string_to_metric_families(text) for sample in family.samples]
    return {tuple(v for _, v in sorted(s.labels.items())): s.value for s in found if s.name == name}


def test_one_line_a_request_without_what_was_sent(client: TestClient, lines: io.StringIO) -> None:
    answer = client.get(f"/api/v1/studies/{NEVER_A_LABEL}?ticket={NEVER_A_LABEL}", headers={"Cookie": NEVER_A_LABEL})
    (line,) = [line for line in told(lines) if line["logger"] == "renxing.requests"]
    assert line["route"] == "/api/v1/studies/{study}"
    assert (line["method"], line["status"], line["client"], line["key"]) == ("GET", 404, "127.0.0.1", "")
    assert 0 <= line["seconds"] < 60 and line["timestamp"].endswith("Z")
    assert line["request_id"] == answer.headers["x-request-id"]
    assert NEVER_A_LABEL not in lines.getvalue()


@pytest.mark.parametrize(
    ("given", "taken"),
    [("trace-00f067aa0ba902b7", True), ("short", False), ("a" * 65, False), ("évil-token", False), ("a b c d e", False),
     ("../../../etc", False), ("{{7*7}}{{7*7}}", False), ("-leading-dash", False)],
)  # fmt: skip
def test_a_request_is_named_by_the_reader_only_with_a_plain_token(client: TestClient, given: str, taken: bool) -> None:
    named = client.get("/healthz", headers={"X-Request-ID": given.encode()}).headers["x-request-id"]
    assert (named == given) == taken
    assert logs.SAFE_ID.fullmatch(named)


def test_what_nobody_foresaw_is_answered_logged_and_counted(
    client: TestClient, lines: io.StringIO, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("app.readiness.parts", lambda held: 1 / 0)
    answer = client.get("/readyz", headers={"origin": "null"})
    assert (answer.status_code, answer.json()["code"]) == (500, "internal")
    assert {"x-request-id", "x-content-type-options", "access-control-allow-origin"} <= set(answer.headers)
    name = answer.headers["x-request-id"]
    assert name in answer.json()["detail"] and "ZeroDivision" not in answer.text
    failed, request = told(lines)
    assert "ZeroDivisionError" in failed["exception"] and failed["level"] == "error"
    assert {failed["request_id"], request["request_id"]} == {name}
    assert samples(client, "renxing_requests_total")["GET", "/readyz", "500"] == 1


def test_lines_of_libraries_are_of_the_same_form(lines: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("careful", extra={"color_message": "\x1b[1mcareful"})
    logging.getLogger("rasterio").info("never mind")
    (line,) = told(lines)
    assert (line["event"], line["level"], line["logger"]) == ("careful", "warning", "uvicorn.error")
    assert "color_message" not in line


@pytest.mark.parametrize(("form", "quiet"), [("off", True), ("console", False)])
def test_a_person_is_told_as_much_as_wanted(form: logs.Form, quiet: bool, lines: io.StringIO) -> None:
    out = io.StringIO()
    logs.set_up(form, stream=out)
    logs.requests.info("GET /", extra={"request_id": "abcdefgh"})
    logging.getLogger("renxing").warning("careful")
    assert ("GET /" not in out.getvalue()) == quiet
    assert "careful" in out.getvalue() and "\x1b" not in out.getvalue()


def test_labels_are_of_the_program_never_of_the_request(client: TestClient) -> None:
    run = client.get("/api/v1/studies").json()["studies"][0]["study_id"]
    for number in range(30):
        client.get(f"/api/v1/studies/{NEVER_A_LABEL}-{number}")
        client.get(f"/{NEVER_A_LABEL}/{number}")
        client.get(f"/static/{NEVER_A_LABEL}{number}")
        client.request(f"VERB{number}", f"/api/v1/studies/{run}")
    text = client.get("/metrics").text
    assert NEVER_A_LABEL.lower() not in text.lower() and "VERB" not in text
    routes = {key[1] for key in samples(client, "renxing_requests_total")}
    known = set(client.get("/openapi.json").json()["paths"]) | {"other", "/static/{file}", "/openapi.json"}
    assert routes <= known


def test_counts_of_jobs_come_from_the_register(client: TestClient) -> None:
    jobs = client.app.state.service.jobs  # type: ignore[attr-defined]
    made = [jobs.submit("export", {"n": n}, caller="key:a").job for n in range(3)]
    lease = jobs.claim("w")
    assert lease is not None and jobs.finish(lease, {})
    jobs.cancel(made[1].job_id)
    states = samples(client, "renxing_jobs")
    assert {state: n for (state,), n in states.items() if n} == {"waiting": 1, "done": 1, "cancelled": 1}
    assert samples(client, "renxing_job_seconds_count")["export", "done"] == 1
    assert samples(client, "renxing_job_waits_seconds")[()] >= 0


def test_memory_of_this_process_is_told(client: TestClient) -> None:
    ((name, measured),) = samples(client, "renxing_memory_bytes").items()
    assert name == ("server-1",)
    assert 50e6 < measured < 20e9 and sys.platform == "linux"
    assert samples(client, "renxing_cpu_seconds_total")[name] > 0


@pytest.mark.parametrize(
    ("address", "headers", "networks", "let_in"),
    [
        ("127.0.0.1", {}, "127.0.0.0/8,::1/128", True),
        ("::1", {}, "127.0.0.0/8,::1/128", True),
        ("192.0.2.7", {}, "127.0.0.0/8", False),
        ("192.0.2.7", {}, "192.0.2.0/24", True),
        ("127.0.0.1", {"x-forwarded-for": "192.0.2.7"}, "127.0.0.0/8", False),
        ("127.0.0.1", {"via": "1.1 proxy"}, "127.0.0.0/8", False),
        ("127.0.0.1", {}, "", False),
        ("nobody", {}, "127.0.0.0/8", False),
    ],
)
def test_counts_are_for_whom_the_operator_names(
    tmp_path: Path, address: str, headers: dict[str, str], networks: str, let_in: bool
) -> None:
    app = create_app(Settings(workspace=tmp_path, metrics_from=networks))
    answer = TestClient(app, client=(address, 5000)).get("/metrics", headers=headers)
    assert (answer.status_code == 200) == let_in
    assert let_in or answer.headers["content-type"] == "application/problem+json"


def test_requests_of_the_tests_are_silent(client: TestClient, capfd: pytest.CaptureFixture[str]) -> None:
    client.get("/healthz")
    assert capfd.readouterr() == ("", "")


def test_the_form_of_a_time_is_one() -> None:
    assert re.fullmatch(r"[0-9a-f]{16}", logs.named(""))
