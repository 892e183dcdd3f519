"""The commands: jobs listed, shown, cancelled and tried again, and a worker that computes real runs."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

from app.jobs import Jobs, Said
from app.jobs.kinds import KINDS
from app.run import compute
from app.store import Workspace
from app.store.register import Register
from tests.app.command_line import Renxing
from tests.app.jobs.made import child_of
from tests.source import ROOT


@pytest.fixture
def queue(renxing: Renxing) -> Jobs:
    return Jobs(Register.open(renxing.workspace))


def test_jobs_on_the_terminal(renxing: Renxing, queue: Jobs) -> None:
    done = queue.submit("run", {"run_ids": ["a"]}, caller="ann", study_id="town").job.job_id
    lease = queue.claim("w")
    assert lease is not None
    queue.say(
        lease, Said("stage", {"stage": "reading the inputs", "stage_zh": "读取输入"}), Said("log", {"log": "\x1b[2J"})
    )
    queue.fail(lease, {"title": "Bad", "title_zh": "不好", "detail": "It is bad.", "detail_zh": "确实不好。"})
    waits = queue.submit("export", {}, caller="ann", study_id="other").job.job_id

    every = renxing("jobs", "--json").json["jobs"]
    assert [(job["job_id"], job["state"]) for job in every] == [(waits, "waiting"), (done, "failed")]
    assert [job["job_id"] for job in renxing("jobs", "--study", "town", "--json").json["jobs"]] == [done]
    assert [job["job_id"] for job in renxing("jobs", "--state", "waiting", "--json").json["jobs"]] == [waits]
    listed, in_chinese = renxing("jobs").out, renxing("jobs", "--lang", "zh").out
    assert waits in listed and "waiting" in listed and "Bad" in listed
    assert "等待中" in in_chinese and "不好" in in_chinese and "导出" in in_chinese

    shown = renxing("jobs", "show", done, "--lang", "zh").out
    assert "读取输入" in shown and "\\x1b[2J" in shown and "\x1b" not in shown and "确实不好。" in shown
    kinds = [event["kind"] for event in renxing("jobs", "show", done, "--json").json["events"]]
    assert kinds == ["state", "state", "stage", "log", "state"]

    assert "cancelled" in renxing("jobs", "cancel", waits).err
    assert "等待中" in renxing("jobs", "retry", waits, "--lang", "zh").err
    assert renxing("jobs", "retry", done, "--json").json["state"] == "waiting"
    refused = renxing("jobs", "retry", done, "--lang", "zh")
    assert refused.code == 1 and "任务状态不允许此操作" in refused.err
    assert renxing("jobs", "show", "none").code == 1


def started(workspace: Path, *words: str) -> subprocess.Popen[bytes]:
    """A worker as a terminal starts it."""
    environment = {**os.environ, "PYTHONPATH": str(ROOT), "RENXING_WORKSPACE": str(workspace)}
    return subprocess.Popen([sys.executable, "-m", "app.cli", "worker", *words], env=environment)


def test_a_worker_killed_over_a_real_run_and_another_that_ends_it(flooded: Renxing, queue: Jobs) -> None:
    workspace = Workspace.open(flooded.workspace)
    asked = {"scenarios": [], "overrides": {}, "run_ids": []}
    job_id = queue.submit("run", asked, caller="ann", study_id="town").job.job_id
    with started(flooded.workspace) as worker:
        while (child := child_of(worker.pid)) is None and worker.poll() is None:
            time.sleep(0.01)
        os.kill(worker.pid, signal.SIGKILL)
    assert child is not None and queue.get(job_id).state == "running"
    with started(flooded.workspace, "--once") as other:
        assert other.wait(120) == 0
    done = queue.get(job_id)
    assert (done.state, done.attempts, done.progress) == ("done", 2, 1.0), done.problem
    assert done.result is not None
    told = {run["scenario_id"]: run["run_id"] for run in done.result["runs"]}
    assert told == {name: run.run_id for name, run in workspace.latest("town").items()}
    assert [each.fresh for each in compute(workspace, "town")] == [False, False]
    stages = [event.said["stage"] for event in queue.events(job_id) if event.kind == "stage"]
    assert stages[-1] == "keeping the run"


def test_every_kind_of_the_contract_is_known() -> None:
    assert {"run", "create_study", "add_layer", "export"} <= set(KINDS)
