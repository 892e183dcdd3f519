"""Kinds of jobs made for tests, and workers that do them, each in a process that can be killed."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
from sqlalchemy import delete

from app.jobs.task import Kind, Task
from app.jobs.worker import work
from app.settings import Settings
from app.store.ledger import asked_before, job
from app.store.register import Register
from geo.errors import ColumnError, Fault, StorageError
from tests.app import hand_made

COMPUTED = "computed"
"""File of a workspace with a line for each time that a result was computed: run, process, time."""


def emptied(register: Register) -> None:
    """Forget every job."""
    with register.writing() as connection:
        connection.execute(delete(asked_before))
        connection.execute(delete(job))


def nap(task: Task) -> dict[str, Any]:
    """Sleep so many seconds in ten stages."""
    task.expect(10)
    for step in range(10):
        with task.stage(f"nap {step}"):
            time.sleep(task.asked.get("s", 0.0) / 10)
    task.log("slept well")
    return {"slept_s": task.asked.get("s", 0.0)}


def keep(task: Task) -> dict[str, Any]:
    """Save the run of number ``n``, as computing one does, unless it is there."""
    study = task.workspace.study(str(task.study_id))
    recipe = hand_made.recipe(study.file, n=task.asked["n"])
    there = task.workspace.has_run(study.study_id, recipe.run_id)
    if not there:
        line = f"{recipe.run_id} {os.getpid()} {time.time()}\n"
        with (task.workspace.path / COMPUTED).open("a", encoding="utf-8") as handle:
            handle.write(line)
        with task.stage("keeping the run"):
            task.workspace.save(recipe, hand_made.outcome())
    task.workspace.mark_latest(task.workspace.run(recipe.run_id))
    return {"runs": [{"run_id": recipe.run_id, "scenario_id": "normal", "fresh": not there}]}


def refuse(task: Task) -> dict[str, Any]:
    raise ColumnError(Fault("a column {}", "none", f"{task.workspace.root}/town/表.csv", "Map it."), Fault("x", "y"))


def fail(task: Task) -> dict[str, Any]:
    raise StorageError(Fault("room", "none", "/secret/place"))


def slip(task: Task) -> dict[str, Any]:
    return {"never": {}["/secret/place"]}


def hoard(task: Task) -> dict[str, Any]:
    return {"sum": float(np.ones(1 << 27).sum())}


def spin(task: Task) -> dict[str, Any]:
    while True:
        pass


def die(task: Task) -> dict[str, Any]:
    os.kill(os.getpid(), signal.SIGKILL)
    return {}


def talk(task: Task) -> dict[str, Any]:
    """Say far more than anybody can read."""
    task.expect(5000)
    for step in range(5000):
        with task.stage(f"step {step}"):
            pass
    for line in range(1200):
        task.log(f"line {line}\x1b[2J")
    return {}


MADE: Mapping[str, Kind] = {
    work.__name__: Kind(work) for work in (nap, keep, refuse, fail, slip, hoard, spin, die, talk)
}


def settings(folder: Path, database: str = "", **given: Any) -> Settings:
    """Settings with short times."""
    short = {"job_lease_s": 2, "job_heartbeat_s": 0.3, "queue_jobs": 1000, "queue_jobs_caller": 1000}
    return Settings(workspace=folder, database=database, **(short | given))


def at_work(given: Settings, once: bool = False, seams: Callable[[], None] = lambda: None) -> None:
    """A worker's life in this process, until SIGTERM; the target of a process."""
    stop = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: stop.set())
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    seams()
    work(given, stop=stop, once=once, kinds=MADE)


def child_of(pid: int) -> int | None:
    """The process that does a worker's job now."""
    try:
        found = Path(f"/proc/{pid}/task/{pid}/children").read_text().split()
    except OSError:
        return None
    return int(found[0]) if found else None
