"""Rows of the register as jobs and events; every change of a job's state is written here, with its event.

Whoever writes an event holds the job's row: of one job a later event never has a smaller id, nor is seen before it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, Row, insert, select, update
from sqlalchemy.sql import ColumnElement

from app.jobs.job import ENDED, Event, Job, Said, State
from app.store.ledger import job, job_event

SHOWN = [job.c[field.name] for field in fields(Job)]
"""The columns of a job that everybody may see."""


def job_of(row: Row[Any]) -> Job:
    """A row as a job."""
    return Job(**{field.name: getattr(row, field.name) for field in fields(Job)})


def event_of(row: Row[Any]) -> Event:
    """A row as an event."""
    return Event(row.event_id, row.at, row.kind, row.said)


def locked(connection: Connection, *where: ColumnElement[bool]) -> Job | None:
    """The job that meets the conditions, which nobody else changes until the transaction ends; None without one."""
    row = connection.execute(select(*SHOWN).where(*where).with_for_update()).first()
    return None if row is None else job_of(row)


def tell(connection: Connection, job_id: str, now: float, said: Sequence[Said]) -> None:
    """Add events."""
    if said:
        rows = [{"job_id": job_id, "at": now, "kind": each.kind, "said": dict(each.said)} for each in said]
        connection.execute(insert(job_event), rows)


def turn(connection: Connection, of: Job, now: float, state: State, *, why: str = "", **values: Any) -> Job:
    """Put a job in another state and say so; who held it holds it no more unless ``values`` give a new lease."""
    ended = now if state in ENDED else None
    held = {"token": None, "worker": None, "lease_until": None, "cancel": False}
    found = connection.execute(
        update(job).where(job.c.job_id == of.job_id)
        .values(held | {"state": state, "ended_at": ended} | values).returning(*SHOWN)
    ).one()  # fmt: skip
    about = {"state": state, "attempt": found.attempts} | ({"why": why} if why else {})
    told = about | ({"problem": found.problem} if found.problem else {})
    tell(connection, of.job_id, now, [Said("state", told)])
    return job_of(found)
