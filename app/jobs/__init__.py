"""Work that takes longer than an answer may: a queue in the register, workers in processes of their own."""

from __future__ import annotations

from app.jobs.job import AGAIN, ENDED, LIVE, STATES, Asked, Event, Job, Lease, Said, State, Submitted, new_job_id
from app.jobs.jobs import Jobs
from app.jobs.params import JobParams

__all__ = [
    "AGAIN", "ENDED", "LIVE", "STATES", "Asked", "Event", "Job", "JobParams", "Jobs", "Lease", "Said", "State",
    "Submitted", "new_job_id",
]  # fmt: skip
