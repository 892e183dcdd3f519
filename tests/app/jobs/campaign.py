"""Kill -9 at any moment, again and again: ``python -m tests.app.jobs.campaign [KILLS] [--database URL] [--seed N]``.

Two workers do jobs that save real runs; a submitter asks for new ones, for some that are there already, and for some a
second time under the same key. In each round one of them, or the process of a job, is killed at a random moment and
started again. In the end all that was acknowledged must be done, and every run whole, there once and computed once.
"""

from __future__ import annotations

import argparse
import contextlib
import itertools
import json
import os
import random
import signal
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pyarrow.parquet  # noqa: F401  loaded before the first fork, as rasterio is

from app.jobs import LIVE, Asked, Event, Job, JobParams, Jobs
from app.settings import Settings
from app.store.files import PREFIX, digest
from app.store.opening import opened
from app.store.register import Register
from geo.errors import StorageError
from tests.app import hand_made
from tests.app.jobs.made import COMPUTED, at_work, child_of, settings
from tests.app.jobs.nursery import forked, is_gone

ACKNOWLEDGED = "acknowledged"
"""File with a line for each submission that came back: job, number of the run, key."""
STUDY = "kampen"
WORKERS = 2
AHEAD = 6
"""Jobs that wait or run at most; the submitter waits for more."""
DRAIN_S = 90.0
STUCK_S = 30.0
"""Seconds for which no job may be held: a lease of two seconds, and a machine that is busy."""
VICTIMS = {"worker": 6, "child": 8, "submitter": 4, "all": 1}


@dataclass(frozen=True)
class Sent:
    """A submission that was acknowledged."""

    job_id: str
    n: int
    key: str


@dataclass
class Campaign:
    """The processes, and what was done to them."""

    given: Settings
    chance: random.Random
    workers: list[int] = field(default_factory=list)
    submitter: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    began: float = field(default_factory=time.monotonic)

    def run(self, kills: int) -> dict[str, Any]:
        """Kill so many times, let the rest be done, and say what is found; ``faults`` is what must not be."""
        self.submitter = forked(lambda: submit(self.given, self.chance.random()))
        self.workers = [self.worker() for _ in range(WORKERS)]
        for _ in range(kills):
            time.sleep(self.chance.uniform(0.0, 0.2))
            self.kill()
        ended(self.submitter)
        retried = drained(self.given)
        alive = sum(not is_gone(worker) for worker in self.workers)
        for worker in self.workers:
            ended(worker)
        return {"kills": dict(self.killed), "retried": retried, "workers": alive, **found(self.given),
                "seconds": round(time.monotonic() - self.began, 1)}  # fmt: skip

    def worker(self) -> int:
        """Start a worker."""
        return forked(lambda: at_work(self.given))

    def kill(self) -> None:
        """Kill one of them, and start it again."""
        victim = self.chance.choices(list(VICTIMS), list(VICTIMS.values()))[0]
        at = self.chance.randrange(WORKERS)
        child = busy(self.workers[at]) if victim == "child" else None
        if child is not None:
            kill(child)
        else:
            victim = "worker" if victim == "child" else victim
            self.again({"submitter": (), "worker": (at,), "all": range(WORKERS)}[victim], victim != "worker")
        self.killed[victim] += 1

    def again(self, workers: Iterable[int], submitter: bool) -> None:
        """Kill some together, then start them again."""
        for pid in [self.workers[at] for at in workers] + ([self.submitter] if submitter else []):
            kill(pid)
        for at in workers:
            ended(self.workers[at])
            self.workers[at] = self.worker()
        if submitter:
            ended(self.submitter)
            self.submitter = forked(lambda: submit(self.given, self.chance.random()))


def submit(given: Settings, seed: float) -> None:
    """The submitter's life: acknowledged is what it has written down."""
    chance = random.Random(seed)
    queue = queue_of(given)
    with (given.workspace / ACKNOWLEDGED).open("ab", buffering=0) as notes:
        while True:
            before = sent(given)
            again = chance.choice(before) if before and chance.random() < 0.25 else None
            n = again.n if again else chance.randrange(1 << 48)
            key = again.key if again and chance.random() < 0.5 else f"{chance.randrange(1 << 60)}"
            made = queue.submit("keep", {"n": n}, caller="ann", study_id=STUDY, again=Asked(key, str(n)))
            notes.write(f"{made.job.job_id} {n} {key}\n".encode())
            while len(queue.listed(states=LIVE)) >= AHEAD:
                time.sleep(0.02)


def drained(given: Settings) -> int:
    """Wait until nothing is left to do; how many jobs had to be tried again since too many workers died over them."""
    queue, retried, until = queue_of(given), 0, time.monotonic() + DRAIN_S
    while time.monotonic() < until:
        parked = queue.listed(states=("parked",), limit=1000)
        for job in parked:
            queue.retry(job.job_id)
            retried += 1
        if not parked and not queue.listed(states=LIVE):
            break
        time.sleep(0.1)
    queue.register.close()
    return retried


def found(given: Settings) -> dict[str, Any]:
    """What is there in the end, and what should not be."""
    queue = queue_of(given)
    jobs = {job.job_id: job for job in queue.listed(limit=1_000_000)}
    events = {job_id: queue.events(job_id, limit=10_000) for job_id in jobs}
    acknowledged = sent(given)
    held = [stint for each in events.values() for stint in stints(each)]
    faults = [*unfinished(acknowledged, jobs), *of_keys(acknowledged), *of_jobs(jobs, events), *of_runs(given, jobs)]
    faults += [f"held for {stint:.1f} s" for stint in held if stint > STUCK_S]
    faults += twice(given, jobs)
    queue.register.close()
    return {
        "acknowledged": len({each.job_id for each in acknowledged}), "jobs": len(jobs),
        "runs": len({run_of(job) for job in jobs.values()}), "begun": len(begun(given)),
        "attempts": dict(Counter(job.attempts for job in jobs.values())),
        "held_s": round(max(held, default=0.0), 2), "faults": faults,
    }  # fmt: skip


def unfinished(acknowledged: list[Sent], jobs: dict[str, Job]) -> Iterator[str]:
    """What was acknowledged and is not done."""
    for each in acknowledged:
        job = jobs.get(each.job_id)
        if job is None or job.state != "done":
            yield f"job {each.job_id} was acknowledged and is {job.state if job else 'lost'}: {job and job.problem}"


def of_keys(acknowledged: list[Sent]) -> Iterator[str]:
    """Keys that came to stand for two jobs."""
    for key, many in Counter(key for key, _ in {(each.key, each.job_id) for each in acknowledged}).items():
        if many > 1:
            yield f"key {key} stands for {many} jobs"


def of_jobs(jobs: dict[str, Job], events: dict[str, list[Event]]) -> Iterator[str]:
    """Jobs that were ended more than once, or were tried more often than they may."""
    for job_id, job in jobs.items():
        states = [event.said["state"] for event in events[job_id] if event.kind == "state"]
        if states.count("done") != 1 or states[-1] != "done" or not 1 <= job.attempts <= 3:
            yield f"job {job_id}: {states}, {job.attempts} attempts"


def of_runs(given: Settings, jobs: dict[str, Job]) -> Iterator[str]:
    """Runs that are not whole, and what was left half built when the workspace is opened again."""
    workspace = opened(given)
    there = [run.run_id for run in workspace.runs(STUDY)]
    wanted = {run_of(job) for job in jobs.values()}
    if sorted(there) != sorted(wanted):
        yield f"{len(there)} runs for {len(wanted)} that were done"
    for run_id in there:
        run = workspace.run(run_id)
        for layer in run.record.layers:
            if digest(run.file(layer.layer, layer.kind)) != layer.sha256:
                yield f"run {run_id}: {layer.file} is not what was written"
    if run_of_latest := {run.run_id for run in workspace.latest(STUDY).values()} - set(there):
        yield f"latest.json names {run_of_latest}"
    yield from (f"left half built: {path}" for path in given.workspace.rglob(f"{PREFIX}*"))


def twice(given: Settings, jobs: dict[str, Job]) -> list[str]:
    """Runs that were begun after one like it had been acknowledged as done."""
    done: dict[str, float] = {}
    for job in jobs.values():
        done[run_of(job)] = min(done.get(run_of(job), float("inf")), job.ended_at or 0.0)
    return [f"run {run} was computed again" for run, at in begun(given) if at > done.get(run, float("inf"))]


def begun(given: Settings) -> list[tuple[str, float]]:
    """Each time that a run was begun to be computed: which, and when."""
    lines = (given.workspace / COMPUTED).read_text(encoding="utf-8").splitlines()
    return [(line.split()[0], float(line.split()[2])) for line in lines]


def stints(events: list[Event]) -> Iterator[float]:
    """Seconds for which a job was held by one worker after the other."""
    states = [event for event in events if event.kind == "state"]
    for event, after in itertools.pairwise(states):
        if event.said["state"] == "running":
            yield after.at - event.at


def run_of(job: Job) -> str:
    """The run that a job saved."""
    return str((job.result or {"runs": [{"run_id": "none"}]})["runs"][0]["run_id"])


def sent(given: Settings) -> list[Sent]:
    """What was acknowledged so far; a line that a killed submitter did not end was not."""
    lines = (given.workspace / ACKNOWLEDGED).read_text().split("\n")[:-1]
    return [Sent(job_id, int(n), key) for job_id, n, key in map(str.split, lines)]


def queue_of(given: Settings) -> Jobs:
    """The queue; waited for, as a client would."""
    while True:
        try:
            return Jobs(Register.open(given.workspace, given.database), params=JobParams.of(given))
        except StorageError:
            time.sleep(0.05)


def busy(worker: int) -> int | None:
    """The process of a worker's job; one is waited for a moment."""
    for _ in range(50):
        if (child := child_of(worker)) is not None:
            return child
        time.sleep(0.005)
    return None


def kill(pid: int) -> None:
    """Kill a process that may be dead already."""
    with contextlib.suppress(ProcessLookupError):
        os.kill(pid, signal.SIGKILL)


def ended(pid: int) -> None:
    """Kill a process of our own."""
    kill(pid)
    os.waitpid(pid, 0)


def main(words: list[str]) -> int:
    """Fight one campaign and print the report."""
    options = argparse.ArgumentParser()
    options.add_argument("kills", nargs="?", type=int, default=1000)
    options.add_argument("--database", default="")
    options.add_argument("--seed", type=int, default=1)
    chosen = options.parse_args(words)
    with tempfile.TemporaryDirectory(prefix="renxing-campaign-") as folder:
        given = settings(Path(folder) / "workspace", chosen.database)
        made = opened(given)
        made.create(hand_made.study_file(STUDY), {"osm": hand_made.extract(Path(folder))})
        (given.workspace / ACKNOWLEDGED).touch()
        (given.workspace / COMPUTED).touch()
        report = Campaign(given, random.Random(chosen.seed)).run(chosen.kills)
    print(json.dumps(report, indent=1))
    return 1 if report["faults"] else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
