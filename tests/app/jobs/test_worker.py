"""A worker and the processes that do its jobs: real ones, killed, stopped and overloaded."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from app.jobs import Job, JobParams, Jobs, Said
from app.jobs.jobs import DIED
from app.jobs.roll import Roll
from app.jobs.worker import last_of
from app.store.register import Register
from tests.app import hand_made
from tests.app.jobs.made import child_of, settings
from tests.app.jobs.nursery import Nursery, is_gone, nursery

PATIENCE_S = 60.0


class Shop:
    """A workspace, its queue, and workers that are killed when the test ends."""

    def __init__(self, folder: Path, nursery: Nursery) -> None:
        self.settings = settings(folder)
        self.jobs = Jobs(Register.open(folder), params=JobParams.of(self.settings))
        self.nursery = nursery
        self._workers: list[int] = []

    def worker(self, **given: Any) -> int:
        """The process id of a new worker."""
        self._workers.append(self.nursery.worker(self.settings.model_copy(update=given)))
        return self._workers[-1]

    def put(self, kind: str, **asked: Any) -> str:
        return self.jobs.submit(kind, asked, caller="ann", study_id="kampen").job.job_id

    def wait(self, job_id: str, until: Callable[[Job], bool] = lambda job: job.ended) -> Job:
        """The job as soon as it is so."""
        end = time.monotonic() + PATIENCE_S
        while not until(job := self.jobs.get(job_id)):
            assert time.monotonic() < end, job
            time.sleep(0.02)
        return job

    def child(self, worker: int) -> int:
        """The process that does the worker's job, as soon as there is one."""
        end = time.monotonic() + PATIENCE_S
        while (found := child_of(worker)) is None:
            assert time.monotonic() < end
            time.sleep(0.01)
        return found

    def close(self) -> None:
        for worker in self._workers:
            if not is_gone(worker):
                os.kill(worker, signal.SIGKILL)
        self.jobs.register.close()


@pytest.fixture(scope="module")
def brood() -> Iterator[Nursery]:
    with nursery() as made:
        yield made


@pytest.fixture
def shop(folder: Path, brood: Nursery) -> Iterator[Shop]:
    made = Shop(folder, brood)
    yield made
    made.close()


def problem(job: Job) -> dict[str, Any]:
    assert job.problem is not None
    return dict(job.problem)


def test_what_becomes_of_jobs_one_after_the_other(shop: Shop) -> None:
    """One worker for all of these: each job has a process of its own, and none harms the next."""
    shop.settings = shop.settings.model_copy(update={"job_memory": 256 << 20, "job_cpu_s": 1, "job_nice": 7})
    kinds = ("nap", "refuse", "fail", "slip", "hoard", "spin", "die", "none", "talk")
    ids = {kind: shop.put(kind, s=0.4) for kind in kinds}
    worker = shop.worker()
    assert os.getpriority(os.PRIO_PROCESS, shop.child(worker)) >= 0
    ended = {kind: shop.wait(job_id) for kind, job_id in ids.items()}
    assert {kind: job.state for kind, job in ended.items()} == {
        "nap": "done", "refuse": "failed", "fail": "failed", "slip": "failed", "hoard": "failed", "spin": "failed",
        "die": "parked", "none": "failed", "talk": "done",
    }  # fmt: skip
    assert ended["nap"].result == {"slept_s": 0.4} and ended["nap"].progress == 1.0
    told = {kind: problem(job) for kind, job in ended.items() if job.problem is not None}
    assert {kind: said["code"] for kind, said in told.items()} == {
        "refuse": "columns", "fail": "storage", "slip": "internal", "hoard": "limit-memory", "spin": "limit-time",
        "die": "lost", "none": "not-found",
    }  # fmt: skip
    assert len(told["refuse"]["faults"]) == 2 and told["refuse"]["faults"][0]["where"] == "…/studies/town/表.csv"
    assert "表.csv：需要：{}列" in told["refuse"]["detail_zh"] and told["refuse"]["exit"] == 1
    assert "/secret" not in repr([told["fail"], told["slip"]]) and str(shop.settings.workspace) not in repr(told)
    assert "SIGKILL" in told["die"]["detail"] and ended["die"].attempts == 3
    assert not is_gone(worker)


def test_what_a_job_says_is_told_but_not_faster_than_anybody_reads(shop: Shop) -> None:
    job_id = shop.put("talk")
    shop.worker()
    done = shop.wait(job_id)
    events = shop.jobs.events(job_id, limit=10_000)
    took = (done.ended_at or 0) - (done.started_at or 0)
    assert sum(event.kind == "progress" for event in events) <= took * 4 + 3
    lines = [event.said["log"] for event in events if event.kind == "log"]
    assert lines[0] == "line 0\\x1b[2J" and len(lines) == 1000
    assert [event for event in events if event.kind == "stage"][-1].said["stage"] == "step 4999"


def test_stages_and_progress_keep_the_last_and_logs_keep_all() -> None:
    def said(kind: Any, value: object) -> Said:
        return Said(kind, {kind: value})

    pairs = [("stage", "a"), ("log", 1), ("progress", 0.1), ("stage", "b"), ("log", 2), ("progress", 0.2)]
    every = [said(kind, value) for kind, value in pairs]
    assert last_of(every) == [every[1], every[3], every[4], every[5]]
    assert last_of([]) == []


def test_a_killed_worker_s_job_is_another_s_at_once(shop: Shop) -> None:
    job_id = shop.put("nap", s=1.5)
    first = shop.worker(job_lease_s=60, job_heartbeat_s=1)
    child = shop.child(first)
    shop.wait(job_id, lambda job: job.progress > 0)
    second = shop.worker()
    os.kill(first, signal.SIGKILL)
    killed_at = time.time()
    again = shop.wait(job_id, lambda job: job.attempts == 2)
    assert (again.started_at or 0) - killed_at < 10, "the lease of a minute was not waited for"
    assert is_gone(child) and not is_gone(second)
    assert shop.wait(job_id).state == "done"
    assert [event.said["why"] for event in shop.jobs.events(job_id) if "why" in event.said] == [DIED]


def test_a_killed_process_is_tried_again(shop: Shop) -> None:
    job_id = shop.put("nap", s=1.0)
    worker = shop.worker()
    os.kill(shop.child(worker), signal.SIGKILL)
    done = shop.wait(job_id)
    assert (done.state, done.attempts) == ("done", 2)


def test_a_worker_that_hangs_loses_its_job_when_its_lease_runs_out(shop: Shop) -> None:
    job_id = shop.put("nap", s=0.5)
    first = shop.worker()
    shop.child(first)
    os.kill(first, signal.SIGSTOP)
    shop.worker()
    done = shop.wait(job_id)
    assert (done.state, done.attempts) == ("done", 2)
    os.kill(first, signal.SIGCONT)
    time.sleep(0.5)
    assert shop.jobs.get(job_id) == done, "who lost the lease changes nothing any more"


def test_a_worker_told_to_end_gives_its_job_back(shop: Shop) -> None:
    job_id = shop.put("nap", s=30)
    worker = shop.worker()
    child = shop.child(worker)
    shop.wait(job_id, lambda job: job.state == "running")
    os.kill(worker, signal.SIGTERM)
    code = shop.nursery.wait(worker)
    left = shop.jobs.get(job_id)
    assert (code, left.state, left.attempts, is_gone(child)) == (0, "waiting", 0, True)
    assert list((shop.settings.workspace / "workers").iterdir()) == []


def test_a_running_job_is_cancelled_with_all_that_it_started(shop: Shop) -> None:
    job_id = shop.put("nap", s=30)
    worker = shop.worker()
    child = shop.child(worker)
    shop.wait(job_id, lambda job: job.state == "running")
    shop.jobs.cancel(job_id)
    assert shop.wait(job_id).state == "cancelled" and is_gone(child) and not is_gone(worker)
    assert shop.wait(shop.put("nap")).state == "done"


def test_a_job_that_takes_too_long_is_ended(shop: Shop) -> None:
    job_id = shop.put("nap", s=30)
    shop.worker(job_wall_s=1)
    late = shop.wait(job_id)
    assert late.state == "failed" and problem(late)["code"] == "limit-time"
    assert "最多1秒" in problem(late)["detail_zh"]


def test_a_saved_result_is_not_computed_again(shop: Shop) -> None:
    hand_made.workspace(shop.settings.workspace.parent)
    first, second = shop.put("keep", n=1), shop.put("keep", n=1)
    shop.worker()
    fresh = [(shop.wait(job_id).result or {})["runs"][0]["fresh"] for job_id in (first, second)]
    assert fresh == [True, False]


# who works here


def test_the_roll_knows_the_living_from_the_dead(folder: Path) -> None:
    roll = Roll(folder)
    assert roll.dead() == []
    name, other = roll.new_id("a/../b 坎"), roll.new_id("a/../b 坎")
    assert name != other and "/" not in name and len(name) <= 128
    with roll.enrolled(name):
        assert roll.dead() == [] and list(roll.folder.iterdir()) != []
    assert list(roll.folder.iterdir()) == []
    (roll.folder / f"{name}.lock").touch()
    (roll.folder / "elsewhere.worker.1.lock").touch()
    assert roll.dead() == [name], "of another host nothing is known"
    roll.strike([name])
    assert roll.dead() == []
