"""A worker in the test's own process: nothing is forked from one in which kernels have run."""

from __future__ import annotations

from app.jobs import JobParams, Jobs
from app.jobs.kinds import KINDS
from app.jobs.problem import problem_of
from app.jobs.task import Task
from app.settings import Settings
from app.store.register import Register


def drain(settings: Settings) -> None:
    """Do every job that waits, as a worker does."""
    jobs = Jobs(Register.open(settings.workspace, settings.database), params=JobParams.of(settings))
    while (lease := jobs.claim("test")) is not None:
        task = Task(lease.job, settings, lambda said, lease=lease: jobs.say(lease, said))
        try:
            result = dict(KINDS[lease.job.kind].run(task))
        except Exception as error:
            jobs.fail(lease, problem_of(error, hidden=task.workspace.hidden))
        else:
            jobs.finish(lease, result)
