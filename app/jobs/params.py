"""How patient the queue is, and how much it holds."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from app.settings import Settings

DAY_S = 24 * 3600.0


class JobParams(BaseModel):
    """Times of leases and limits of the queue; what an operator sets is in ``Settings``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    lease_s: float = Field(default=20.0, gt=0, description="A lease without a heartbeat (seconds).")
    heartbeat_s: float = Field(default=4.0, gt=0, description="Between two heartbeats of a worker (seconds).")
    attempts: int = Field(default=3, ge=1, description="Workers that may die over one job (count).")
    queue_most: int = Field(default=100, ge=1, description="Jobs that wait (count).")
    running_most: int = Field(default=4, ge=1, description="Jobs of one caller that wait or run (count).")
    kept_s: float = Field(default=30 * DAY_S, gt=0, description="What ended jobs said, idempotency keys (seconds).")

    @classmethod
    def of(cls, settings: Settings) -> JobParams:
        """As an operator set them."""
        return cls(
            lease_s=settings.job_lease_s, heartbeat_s=settings.job_heartbeat_s, attempts=settings.job_attempts,
            queue_most=settings.queue_jobs, running_most=settings.queue_jobs_caller,
            kept_s=settings.job_kept_days * DAY_S,
        )  # fmt: skip
