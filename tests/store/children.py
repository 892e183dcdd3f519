"""Processes that open a storage of their own: forked, one after another, from one that has loaded everything.

Run as a program it reads what to do, a line of JSON each: ``add`` a layer, or ``save`` runs until it is killed (after
each it says how many). ``wait`` asks how all that were started have ended.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from app.store import Workspace, migrations, shared
from data.study import Layer
from tests.app.hand_made import outcome, recipe, saved, study_file
from tests.source import ROOT
from tests.store.kinds import Store

LOADED = (migrations, shared)
"""What every child needs: loaded once."""


class Children:
    """Starts processes, and hears of them."""

    def __init__(self, mother: subprocess.Popen[str]) -> None:
        self._mother = mother

    def start(self, what: str, store: Store, path: Path, number: int) -> int:
        """Start one; its process id."""
        self._ask({"do": what, "kind": store.kind, "database": store.database, "path": str(path), "number": number})
        return int(self.heard())

    def heard(self) -> str:
        """The next that one of them says."""
        assert self._mother.stdout is not None
        return self._mother.stdout.readline().strip()

    def ended(self) -> list[int]:
        """How those that were started ended, signals as negative numbers."""
        self._ask({"do": "wait"})
        while not (said := self.heard()).startswith("["):
            pass
        return list(json.loads(said))

    def _ask(self, what: dict[str, object]) -> None:
        assert self._mother.stdin is not None
        self._mother.stdin.write(json.dumps(what) + "\n")
        self._mother.stdin.flush()


@contextmanager
def children() -> Iterator[Children]:
    """Their mother for as long as the block lasts."""
    command = [sys.executable, "-m", "tests.store.children"]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=ROOT) as mother:
        yield Children(mother)
        assert mother.stdin is not None
        mother.stdin.close()


@pytest.fixture(scope="module")
def forked() -> Iterator[Children]:
    """Children for a module of tests."""
    with children() as made:
        yield made


def _add(made: Workspace, number: int) -> None:
    layer = Layer(layer_id=f"flood_{number}", kind="hazard", file="inputs/x.tif", hazard="flood", unit="m")
    made.add_layer("kampen", layer, made.path.parent / "town.osm.pbf")


def _save(made: Workspace, number: int) -> None:
    file = study_file()
    for many in range(10_000):
        run = made.save(recipe(file, 1, **{"walk.max_minutes": number * 10_000 + many}), outcome())
        made.mark_latest(run)
        print(many, flush=True)


def _forked(asked: dict[str, Any]) -> int:
    child = os.fork()
    if child:
        return child
    code = 1
    try:
        do = {"add": _add, "save": _save}[asked["do"]]
        do(Store(asked["kind"], asked["database"]).open(Path(asked["path"])), asked["number"])
        code = 0
    finally:
        os._exit(code)


def _mother() -> None:
    with tempfile.TemporaryDirectory() as folder:
        saved(Path(folder))  # what is slow the first time is behind every child then
    started: list[int] = []
    for line in sys.stdin:
        asked = json.loads(line)
        if asked["do"] == "wait":
            print(json.dumps([os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) for child in started]), flush=True)
            started = []
        else:
            started.append(_forked(asked))
            print(started[-1], flush=True)


if __name__ == "__main__":
    _mother()
