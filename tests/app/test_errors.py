"""Every error of ours has its own answer, and the answers are what other systems rely on."""

from __future__ import annotations

import inspect

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient

from app import problems
from app.errors import TABLE, answer
from geo import errors
from geo.errors import Fault, RenxingError

OURS = [c for _, c in inspect.getmembers(errors, inspect.isclass) if issubclass(c, RenxingError)]


def client(error: Exception) -> TestClient:
    app = FastAPI()
    problems.install(app)

    @app.get("/fails")
    def fails() -> None:
        raise error

    @app.get("/number/{n}")
    def number(n: int) -> int:
        return n

    return TestClient(app, raise_server_exceptions=False)


def test_every_error_has_a_row_of_its_own() -> None:
    assert set(TABLE) == set(OURS)


def test_codes_are_unique_and_stable() -> None:
    codes = [kind.code for kind in OURS]
    assert len(set(codes)) == len(codes)
    assert all(code == code.lower().replace("_", "-") for code in codes)


@pytest.mark.parametrize("kind", OURS, ids=lambda kind: kind.__name__)
def test_each_error_is_answered_with_its_status(kind: type[RenxingError]) -> None:
    fault = Fault("a raster in metres", "one in feet", "flood.tif", "Give --unit ft.")
    reply = client(kind(fault)).get("/fails")
    body = reply.json()
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.status_code == body["status"] == TABLE[kind].status
    assert body["code"] == kind.code
    assert body["instance"] == "/fails"


def test_a_refusal_carries_every_fault() -> None:
    faults = (Fault("a", "b", "c", "d"), Fault("e", "f"))
    body = client(errors.ColumnError(*faults)).get("/fails").json()
    assert [f["expected"] for f in body["faults"]] == ["a", "e"]
    assert body["detail"] == "c: expected a, found b. d\nexpected e, found f."


@pytest.mark.parametrize("error", [RuntimeError("/secret/path"), errors.StorageError(Fault("x", "y", "/secret/path"))])
def test_what_is_wrong_on_our_side_is_not_told_outside(error: Exception, caplog: pytest.LogCaptureFixture) -> None:
    reply = client(error).get("/fails")
    assert reply.status_code >= 500
    assert "secret" not in reply.text
    assert "secret" in caplog.text
    assert caplog.text.count(reply.json()["detail"].split("under ")[1].split(".")[0]) >= 1


def test_the_title_follows_the_readers_language() -> None:
    reply = client(errors.NotFoundError(Fault("a study", "none"))).get(
        "/fails", headers={"accept-language": "zh-CN,en"}
    )
    assert reply.json()["title"] == "未找到"


def test_unknown_paths_methods_and_values_are_problems_too() -> None:
    asked = client(RuntimeError())
    assert asked.get("/nowhere").json()["code"] == "not-found"
    refused = asked.post("/fails")
    assert (refused.status_code, refused.json()["code"], refused.headers["allow"]) == (405, "method-not-allowed", "GET")
    wrong = asked.get("/number/many").json()
    assert (wrong["status"], wrong["code"], wrong["faults"][0]["where"]) == (422, "parameter", "path.n")
    assert (wrong["faults"][0]["expected"], wrong["faults"][0]["found"]) == ("a whole number", "'many'")
    assert wrong["faults"][0]["fix"]


def test_exit_codes() -> None:
    assert {answer(kind()).exit_code for kind in OURS if issubclass(kind, errors.InputError)} == {1}
    assert answer(errors.InfeasibleError()).exit_code == 3
    assert answer(RuntimeError()).exit_code == 4
