"""Every operation of the service against every kind of caller, in every mode."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path
from typing import Any

import pytest
from openapi_spec_validator import validate

from app.access import Scope
from app.access.described import HEADER, Operations, scopes_of
from app.access.needs import SCHEME
from tests.app.access.site import FAR, Site

FREE = {"GET /healthz", "GET /readyz", "GET /login", "POST /login", "POST /logout", "GET /metrics"}
"""Operations that ask for no key; /metrics asks by address (tests/app/test_observed.py)."""
QUESTIONS = {
    "POST /api/v1/studies/{study}/what-if", "POST /api/v1/studies/{study}/site-check",
}  # fmt: skip
"""Operations with a body that change nothing."""
ADMIN = {"GET /api/v1/audit"}
CALLERS = {"nobody": set(), **{s.value: {s, Scope.read} for s in Scope}, "admin": set(Scope)}
FILLED = {"run": "0" * 16, "z": "1", "x": "0", "y": "0", "format": "geojson", "collection": "communities"}


def operations(site: Site) -> dict[str, dict[str, Any]]:
    """Every operation by method and path."""
    paths = site.app.openapi()["paths"]
    return {f"{method.upper()} {path}": said for path, item in paths.items() for method, said in item.items()}


def filled(path: str) -> str:
    """A path with something in it that is not there."""
    return re.sub(r"\{(\w+)\}", lambda part: FILLED.get(part[1], "nowhere"), path)


def test_every_operation_needs_a_scope(public: Site) -> None:
    """Whoever adds a route says what it needs; one that changes something needs more than ``read``."""
    for name, said in operations(public).items():
        wanted = scopes_of(said)
        assert bool(wanted) is (name not in FREE), f"{name} needs {wanted or 'nothing'}: give its router needs(…)"
        changes = not name.startswith("GET ") and name not in FREE | QUESTIONS
        beyond = wanted & {Scope.run, Scope.edit, Scope.admin}
        assert bool(beyond) is (changes or name in ADMIN), f"{name} needs {', '.join(wanted)}"


@pytest.mark.parametrize("mode", ["public", "keys"])
def test_callers_do_what_their_key_says_and_no_more(request: pytest.FixtureRequest, mode: str) -> None:
    site: Site = request.getfixturevalue("public" if mode == "public" else "secured")
    unnamed = {Scope.read} if mode == "public" else set()
    wrong = []
    for name, said in operations(site).items():
        method, path = name.split(" ")
        for caller, scopes in CALLERS.items():
            answer = site.ask(method, filled(path), None if caller == "nobody" else caller)
            may = scopes_of(said) <= scopes | unnamed
            expected = {200} if may else {401} if caller == "nobody" else {403}
            found = answer.status_code if answer.status_code in (401, 403) else 200
            free = name in FREE  # /login refuses an empty form, /metrics who is far away
            if found not in expected and not free:
                wrong.append((name, caller, answer.status_code))
    assert wrong == []


def test_on_this_machine_everybody_may_everything(keyless: Path) -> None:
    site = Site(keyless, address="127.0.0.1", seen_as="127.0.0.1:8000")
    for name in operations(site):
        method, path = name.split(" ")
        assert site.ask(method, filled(path)).status_code not in (401, 403) or name in FREE, name


@pytest.mark.parametrize(("address", "seen_as", "headers", "settings"), [
    ("127.0.0.1", "plans.example", {}, {}),  # a proxy here, or a page led here by name (DNS rebinding)
    ("127.0.0.1", "localhost", {"X-Forwarded-For": "203.0.113.7"}, {}),
    ("127.0.0.1", "localhost", {"Forwarded": "for=203.0.113.7"}, {}),
    ("127.0.0.1", "localhost", {"Via": "1.1 nginx"}, {}),
    ("203.0.113.7", "localhost", {}, {}),
    ("127.0.0.1", "localhost", {}, {"host": "0.0.0.0"}),
    ("127.0.0.1", "localhost", {}, {"root_path": "/plans"}),
    ("127.0.0.1", "localhost", {}, {"public_url": "https://plans.example"}),
    ("127.0.0.1", "localhost", {}, {"trusted_proxies": "127.0.0.1"}),
])  # fmt: skip
def test_whatever_may_come_from_elsewhere_changes_nothing(
    folder: Path, address: str, seen_as: str, headers: dict[str, str], settings: dict[str, str]
) -> None:
    site = Site(folder, address=address, seen_as=seen_as, **settings)
    refused = site.ask("DELETE", "/api/v1/studies/nowhere", headers=headers)
    assert (refused.status_code, refused.json()["code"]) == (401, "unauthenticated")
    assert site.get("/api/v1/studies", headers=headers).status_code == 200


def test_refusals_say_what_lacks_in_both_languages(secured: Site) -> None:
    nobody = secured.get("/api/v1/studies")
    assert (nobody.headers["www-authenticate"], nobody.headers["cache-control"]) == (
        'Bearer realm="renxing"',
        "no-store",
    )
    assert nobody.json()["code"] == "unauthenticated"
    lacking = secured.ask("DELETE", "/api/v1/studies/kampen", "run", headers={"Accept-Language": "zh-CN"})
    assert (lacking.status_code, lacking.json()["code"], lacking.json()["title"]) == (
        403,
        "forbidden",
        "此密钥无权进行该操作",
    )
    assert lacking.json()["faults"][0]["expected"] == "a key with the scope edit"
    assert "www-authenticate" not in lacking.headers


@pytest.mark.parametrize("headers", [
    {"Authorization": "Bearer nonsense"}, {"Authorization": "Bearer rx_000000000000_" + "A" * 43}, {"X-API-Key": ""},
    {"X-API-Key": "' OR 1=1 --"}, {"Authorization": "bearer \udcff".encode("latin-1", "ignore").decode() + "x"},
])  # fmt: skip
def test_a_key_that_is_not_good_is_refused_even_where_none_is_needed(public: Site, headers: dict[str, str]) -> None:
    assert public.get("/api/v1/studies", headers=headers).status_code == 401


def test_a_key_is_sent_in_one_of_two_headers(secured: Site) -> None:
    key, other = secured.keys["read"], secured.keys["run"]
    ways: list[tuple[dict[str, str], int]] = [
        ({"X-API-Key": key}, 200), ({"X-API-Key": key, "Authorization": f"Bearer {key}"}, 200),
        ({"X-API-Key": key, "Authorization": f"Bearer {other}"}, 401),
        ({"X-API-Key": key, "Authorization": "Basic dTpw"}, 200),
    ]  # fmt: skip
    for headers, code in ways:
        assert secured.get("/api/v1/studies", headers=headers).status_code == code
    for name in ("key", "api_key", "access_token", "x-api-key", "ticket"):
        assert secured.get(f"/api/v1/studies?{name}={key}").status_code == 401


def test_the_description_says_what_each_operation_needs(public: Site, secured: Site) -> None:
    described = public.app.openapi()
    validate(described)
    assert set(described["components"]["securitySchemes"]) == {SCHEME, HEADER}
    read, run = described["paths"]["/api/v1/studies"]["get"], described["paths"]["/api/v1/studies"]["post"]
    assert read["security"] == [{}, {SCHEME: ["read"]}, {HEADER: ["read"]}]
    assert run["security"] == [{SCHEME: ["read", "edit"]}, {HEADER: ["read", "edit"]}]
    assert {} not in secured.app.openapi()["paths"]["/api/v1/studies"]["get"]["security"]
    needed = Operations(described).needed
    assert needed("POST", "/api/v1/studies/kampen/runs") == [Scope.read, Scope.run]
    assert needed("POST", "/nowhere") == needed("PATCH", "/api/v1/studies") == []


def test_what_nobody_may_change_is_not_even_read(public: Site) -> None:
    said: list[Any] = []

    async def receive() -> Any:
        raise AssertionError("the body was read")

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": "POST", "path": "/api/v1/studies", "query_string": b"", "client": (FAR, 1),
        "headers": [(b"host", b"plans.example"), (b"content-type", b"multipart/form-data; boundary=x")],
    }  # fmt: skip
    asyncio.run(public.app(scope, receive, send))
    assert said[0]["status"] == 401
