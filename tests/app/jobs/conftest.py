"""A register on either engine, and a queue whose clock the test moves."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.jobs import Job, JobParams, Jobs
from app.store.register import Register
from tests.app.jobs.made import emptied
from tests.postgis import Server, postgis

__all__ = ["postgis"]
ENGINES = ("sqlite", "postgres")


class Clock:
    """Says the time that a test sets."""

    def __init__(self) -> None:
        self.now = 1_000_000.0

    def __call__(self) -> float:
        return self.now


class Queue(Jobs):
    """A queue with short ways of asking for what tests ask for."""

    def __init__(self, register: Register, **params: object) -> None:
        self.clock = Clock()
        super().__init__(register, params=JobParams.model_validate(params), clock=self.clock)

    def put(self, kind: str = "nap", caller: str = "ann", **asked: object) -> Job:
        return self.submit(kind, asked, caller=caller).job


@pytest.fixture(scope="module", params=ENGINES)
def register(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Register]:
    """A register of each engine, the same for a module."""
    server: Server | None = request.getfixturevalue("postgis") if request.param == "postgres" else None
    made = Register.open(tmp_path_factory.mktemp("register"), server.fresh() if server else "")
    yield made
    made.close()


@pytest.fixture
def queue(register: Register) -> Queue:
    """An empty queue."""
    emptied(register)
    return Queue(register)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """The folder of a workspace."""
    return tmp_path / "workspace"
