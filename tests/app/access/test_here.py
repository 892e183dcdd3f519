"""What is open to the machine itself: by no bare proxy, only until the first key, and to no other site's pages."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from app.access import Scope, audit, keys
from app.store.register import FILE, Register
from geo.errors import Fault, StorageError
from tests.app.access.site import Site
from tests.app.hand_made import saved

LOCAL = {"address": "127.0.0.1", "seen_as": "localhost:8000"}


@pytest.fixture
def fresh(tmp_path: Path) -> Path:
    """A workspace of its own, without a register."""
    return saved(tmp_path)[0].path


def status(site: Site, method: str, path: str, version: str) -> int:
    """The answer to one request as a bare proxy on this machine hands it on."""
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    scope = {
        "type": "http", "method": method, "path": path, "query_string": b"", "client": ("127.0.0.1", 1),
        "http_version": version, "headers": [(b"host", b"localhost:8000"), (b"connection", b"close")],
    }  # fmt: skip
    asyncio.run(site.app(scope, receive, send))
    return int(said[0]["status"])


def test_a_bare_nginx_hands_on_no_rights(opened: Site) -> None:
    assert status(opened, "DELETE", "/api/v1/jobs/nothing", "1.1") == 404
    assert status(opened, "DELETE", "/api/v1/jobs/nothing", "1.0") == 401
    assert status(opened, "GET", "/api/v1/studies", "1.0") == 200


def test_the_first_key_ends_changes_without_one(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("app.access.callers.KEPT_S", 0.0)
    site = Site(fresh, **LOCAL)
    gone = "/api/v1/jobs/nothing"
    assert site.get("/api/v1/studies").status_code == 200
    assert not (fresh / FILE).exists(), "a plain read makes no register"
    assert site.ask("DELETE", gone).status_code == 404
    held = Register.open(fresh)
    key, text = keys.create(held, "first", (Scope.edit, Scope.run), by=audit.AT_HAND)
    assert (site.ask("DELETE", gone).status_code, site.get("/api/v1/studies").status_code) == (401, 200)
    assert site.ask("DELETE", gone, text).status_code == 404
    keys.revoke(held, key.key_id, by=audit.AT_HAND)
    assert site.ask("DELETE", gone).status_code == 401, "a key that was taken back was made all the same"
    held.close()


def test_where_nobody_can_tell_changes_need_a_key(fresh: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    Register.open(fresh).close()
    site = Site(fresh, **LOCAL)

    def broken(_: Register) -> bool:
        raise StorageError(Fault("a register", "none", "here"))

    monkeypatch.setattr(keys, "is_any", broken)
    assert site.ask("DELETE", "/api/v1/jobs/nothing").status_code == 401
    assert site.get("/api/v1/studies").status_code == site.get("/healthz").status_code == 200


@pytest.mark.parametrize(("mode", "origin", "allowed"), [
    ("auto", "https://evil.example", None), ("auto", "http://localhost:3000", None),
    ("auto", "http://localhost:8000.evil.example", None), ("open", "https://evil.example", None),
    ("auto", "null", "*"), ("auto", "http://localhost:8000", "*"), ("auto", None, None),
    ("public", "https://evil.example", "*"), ("public", "null", "*"),
])  # fmt: skip
def test_no_other_site_reads_what_is_open_to_this_machine(
    keyless: Path, mode: str, origin: str | None, allowed: str | None
) -> None:
    site = Site(keyless, access=mode, **LOCAL)
    answer = site.get("/api/v1/studies", headers={"Origin": origin} if origin else {})
    assert (answer.status_code, answer.headers.get("access-control-allow-origin")) == (200, allowed)
    if origin:
        asked = site.client.options("/", headers={"Origin": origin, "Access-Control-Request-Method": "GET"})
        assert asked.headers.get("access-control-allow-origin") == allowed


def test_from_elsewhere_auto_is_public(keyless: Path) -> None:
    answer = Site(keyless).get("/api/v1/studies", headers={"Origin": "https://evil.example"})
    assert answer.headers["access-control-allow-origin"] == "*"
