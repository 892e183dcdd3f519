"""A job as other systems read it."""

from __future__ import annotations

import datetime
from typing import Any

from app.jobs import Job
from app.links import here
from app.texts.phrases import in_chinese


def told(job: Job) -> dict[str, Any]:
    """The fields of ``job_schemas.JobOut``."""
    href = here().path(f"/api/v1/jobs/{job.job_id}")
    file = {"file": f"{href}/result"} if "sha256" in (job.result or {}) else {}
    return {
        "stage_zh": in_chinese(job.stage) if job.stage else None,
        "job_id": job.job_id, "kind": job.kind, "study_id": job.study_id, "state": job.state,
        "progress": job.progress, "stage": job.stage, "attempts": job.attempts, "made_at": moment(job.made_at),
        "started_at": moment(job.started_at), "ended_at": moment(job.ended_at),
        "result": None if job.result is None else {**job.result, **file}, "problem": job.problem, "href": href,
        "events": f"{href}/events",
    }  # fmt: skip


def moment(at: float | None) -> str | None:
    """Seconds since 1970 as ISO 8601 in UTC."""
    return None if at is None else datetime.datetime.fromtimestamp(at, datetime.UTC).isoformat(timespec="milliseconds")
