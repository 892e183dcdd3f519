"""Plans of real cities that are made and run once for all tests, in whatever process of pytest-xdist they run.

Who asks gets a copy of the workspace: what a test runs or changes beside the plan is its own.
"""

from __future__ import annotations

import fcntl
import os
import shutil
from pathlib import Path

import pytest

from tests.real import plans
from tests.real.plans import FullPlan


def plan(factory: pytest.TempPathFactory, name: str, *, folder: str) -> tuple[Path, FullPlan]:
    """The workspace, in a ``folder`` of this name, with a study of ``cities.toml``, and its plan as it is."""
    shared = _made(_together(factory), name)
    copy = factory.mktemp("kept") / folder
    shutil.copytree(shared, copy)
    measured = copy / plans.MEASURED
    measured.write_text(measured.read_text(encoding="utf-8").replace(str(shared), str(copy)), encoding="utf-8")
    return copy, plans.kept(name, copy, _about(name))


def _made(shared: Path, name: str) -> Path:
    """The workspace that all copy; who comes while it is made waits."""
    shared.mkdir(exist_ok=True)
    workspace, done = shared / name, shared / f"{name}.done"
    with (shared / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not done.exists():
            shutil.rmtree(workspace, ignore_errors=True)
            plans.made(name, workspace)
            plans.run(name, workspace, _about(name))
            done.touch()
    return workspace


def _together(factory: pytest.TempPathFactory) -> Path:
    """A folder that all workers of a session have in common: each has its own within one that is theirs together."""
    own = factory.getbasetemp()
    return (own.parent if "PYTEST_XDIST_WORKER" in os.environ else own) / "plans"


def _about(name: str) -> dict[str, object]:
    """What is asked of a plan, with the parameters as they are alone."""
    return {**plans.listed()["plan"][name], "also": []}
