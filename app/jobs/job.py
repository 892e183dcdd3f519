"""What a job is.

::

    waiting ── claim ──► running ── finish ──► done
       ▲                   │ ├───── fail ────► failed        (what it refuses, what it ran out of, a defect of ours)
       ├─ worker stopped ──┘ ├───── cancel ──► cancelled     (also from waiting)
       └─ worker died ───────┴─ once too often ► parked
       ▲
       └── retry ── from failed, cancelled, parked
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["waiting", "running", "done", "failed", "cancelled", "parked"]
STATES: tuple[State, ...] = ("waiting", "running", "done", "failed", "cancelled", "parked")
LIVE: tuple[State, ...] = ("waiting", "running")
ENDED: tuple[State, ...] = ("done", "failed", "cancelled", "parked")
AGAIN: tuple[State, ...] = ("failed", "cancelled", "parked")
"""States from which a job can be tried again."""
Kind = Literal["state", "stage", "progress", "log"]
Json = Mapping[str, Any]


@dataclass(frozen=True)
class Job:
    """A job as it stands. Times are UTC seconds since 1970; ``caller`` is who asked first."""

    job_id: str
    kind: str
    study_id: str | None
    state: State
    asked: Json = field(repr=False)
    caller: str
    made_at: float
    started_at: float | None
    ended_at: float | None
    attempts: int
    cancel: bool
    progress: float
    stage: str | None
    result: Json | None = field(repr=False)
    problem: Json | None = field(repr=False)

    @property
    def ended(self) -> bool:
        """Whether nothing more happens to it unless somebody asks for it again."""
        return self.state in ENDED


@dataclass(frozen=True)
class Asked:
    """An idempotency key, and the digest of the request (method, path, body) that came with it."""

    idempotency_key: str
    digest: str


@dataclass(frozen=True)
class Submitted:
    """The job of a request, and whether it was made for it or was there already."""

    job: Job
    fresh: bool


@dataclass(frozen=True)
class Said:
    """Something a job says: ``{"stage": …, "stage_zh": …}``, ``{"progress": 0-1}``, ``{"log": text}``."""

    kind: Kind
    said: Json


@dataclass(frozen=True)
class Event:
    """Something that was said of a job; later ones have larger ids."""

    event_id: int
    at: float
    kind: Kind
    said: Json


@dataclass(frozen=True)
class Lease:
    """A worker's right to say how a job goes. ``token`` is good until somebody else gets another one."""

    job: Job
    token: str = field(repr=False)


def new_job_id() -> str:
    """A name for a job: twenty hex digits, later ones larger."""
    return f"{int(time.time() * 1000):012x}{secrets.token_hex(4)}"
