"""Killed at any moment: nothing that was acknowledged is lost, nothing is half there, nothing is computed twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from tests.postgis import Server
from tests.source import ROOT

KILLS = int(os.environ.get("RENXING_KILLS", "200"))
"""How often something is killed; fewer in PostgreSQL, whose server nobody kills here."""


def campaign(*words: object) -> dict[str, Any]:
    command = [sys.executable, "-m", "tests.app.jobs.campaign", *map(str, words)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode in (0, 1), done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    print(report, done.stderr[-20_000:], sep="\n")
    return report


@pytest.mark.parametrize("engine", ["sqlite", "postgres"])
def test_nothing_is_lost_whoever_is_killed(engine: str, request: pytest.FixtureRequest) -> None:
    server: Server | None = request.getfixturevalue("postgis") if engine == "postgres" else None
    kills = KILLS if server is None else KILLS // 5
    report = campaign(kills, *(["--database", server.fresh()] if server else []))
    assert (report["faults"], report["workers"]) == ([], 2), "none of them ended by itself"
    assert sum(report["kills"].values()) == kills
    assert report["acknowledged"] >= report["runs"] > kills / 10
    assert report["begun"] > report["runs"], "somebody was killed in the middle of computing"
