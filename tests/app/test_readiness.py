"""Whether the service can do its work: each part is told, and what is wrong makes it 503."""

from __future__ import annotations

import json
import os
import threading
from pathlib import Path

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import text

from app import family, readiness
from app.main import create_app
from app.settings import Settings
from tests.app.hand_made import saved


class Watched:
    """A service without requests but for those of whoever watches it."""

    def __init__(self, folder: Path, **settings: int) -> None:
        self.workspace, _ = saved(folder)
        self.app = create_app(Settings(workspace=self.workspace.path, **({"disk_free_bytes": 0} | settings)))
        self.service = self.app.state.service
        self.client = TestClient(self.app)

    def ready(self) -> dict[str, str]:
        answer = self.client.get("/readyz")
        assert answer.status_code == 200, answer.text
        assert answer.headers["cache-control"] == "no-store"
        return {part["part"]: part["said"] for part in answer.json()["parts"]}

    def wrong(self) -> dict[str, str]:
        answer = self.client.get("/readyz")
        assert (answer.status_code, answer.headers["content-type"]) == (503, "application/problem+json")
        assert answer.json()["code"] == "not-ready"
        assert str(self.workspace.path) not in answer.text
        return {fault["where"]: fault["found"] for fault in answer.json()["faults"]}


@pytest.fixture
def watched(tmp_path: Path) -> Watched:
    return Watched(tmp_path)


def kin(folder: Path, monkeypatch: pytest.MonkeyPatch, **members: int) -> None:
    """Let the process belong to a family of these members."""
    (folder / "members.json").write_text(json.dumps({name.replace("_", "-"): pid for name, pid in members.items()}))
    monkeypatch.setenv(family.FOLDER, str(folder))


def test_every_part_is_told(watched: Watched) -> None:
    assert list(watched.ready()) == ["workspace", "register", "disk", "workers"]
    assert watched.client.get("/healthz").json()["status"] == "ok"


def test_a_workspace_that_cannot_be_read(watched: Watched, tmp_path: Path) -> None:
    watched.workspace.root.rename(tmp_path / "elsewhere")
    watched.workspace.root.touch()
    assert list(watched.wrong()) == ["workspace"]
    assert watched.client.get("/healthz").status_code == 200


def test_a_register_of_another_form(watched: Watched) -> None:
    watched.ready()
    with watched.service.register.writing() as connection:
        connection.execute(text("UPDATE alembic_version SET version_num = 'later'"))
    assert "later" in watched.wrong()["register"]


def test_a_disk_that_is_full(tmp_path: Path) -> None:
    wrong = Watched(tmp_path, disk_free_bytes=2**62).wrong()
    assert list(wrong) == ["disk"] and "RENXING_DISK_FREE_BYTES" in wrong["disk"]


def test_workers_that_are_to_be_there_must_live(
    watched: Watched, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    kin(tmp_path, monkeypatch, server_1=os.getpid(), worker_1=os.getpid())
    assert watched.ready()["workers"] == "1 of 1 run"
    kin(tmp_path, monkeypatch, server_1=os.getpid(), worker_1=2**22 + 1)
    assert list(watched.wrong()) == ["workers"]


def test_workers_elsewhere_are_none_of_its_business(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    watched = Watched(tmp_path, job_workers=0)
    kin(tmp_path, monkeypatch, server_1=os.getpid())
    assert "elsewhere" in watched.ready()["workers"]


def test_told_to_end_it_is_not_ready_and_still_answers(watched: Watched) -> None:
    watched.service.leaving.set()
    assert list(watched.wrong()) == ["service"]
    assert watched.client.get("/api/v1/studies").status_code == 200


def test_what_hangs_makes_it_slow_and_is_looked_at_once(watched: Watched, monkeypatch: pytest.MonkeyPatch) -> None:
    go, asked = threading.Event(), []

    def hangs(held: object) -> None:
        asked.append(held)
        go.wait(30)

    monkeypatch.setattr(readiness, "SLOW_S", 0.05)
    monkeypatch.setattr(readiness, "_workspace", hangs)
    try:
        for _ in range(3):
            assert "slow" in watched.wrong()["service"]
        assert len(asked) == 1
        monkeypatch.setattr(readiness, "SLOW_S", 20.0)
    finally:
        go.set()
    assert "workspace" in watched.ready()
