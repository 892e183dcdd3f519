"""Who changed what, and when. Rows are added, never changed or taken away."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, insert, select

from app import logs
from app.access.scopes import ALL, Caller
from app.legible import legible
from app.store import ledger
from app.store.register import Register

AT_HAND = Caller(None, "command line", ALL, "local")
"""Who sits at the machine and uses the command line."""
WORD_MAX = 500
"""Characters of one word that is kept of what was said."""


@dataclass(frozen=True)
class Entry:
    """One thing that was changed; ``at`` is UTC seconds, None is not known."""

    audit_id: int
    at: float
    caller: str
    address: str | None
    request_id: str | None
    action: str
    study_id: str | None
    said: Mapping[str, Any]

    def __repr__(self) -> str:
        return f"Entry({self.audit_id}: {self.action} by {self.caller})"


def record(
    connection: Connection, caller: Caller, action: str, *, study_id: str | None = None,
    said: Mapping[str, Any] | None = None, request_id: str | None = None,
) -> None:  # fmt: skip
    """Note a change within the transaction that makes it: both are kept, or neither."""
    row = {
        "at": time.time(), "caller": caller.id, "address": caller.address[:64], "action": action,
        "request_id": (request_id or logs.request_id.get())[:64] or None, "study_id": study_id,
        "said": {"key": caller.name, **_short(said or {})} if caller.key_id else _short(said or {}),
    }  # fmt: skip
    connection.execute(insert(ledger.audit).values(row))


def note(
    register: Register, caller: Caller, action: str, *, study_id: str | None = None,
    said: Mapping[str, Any] | None = None,
) -> None:  # fmt: skip
    """Note a change that was made already (in files, say), in a transaction of its own."""
    with register.writing() as connection:
        record(connection, caller, action, study_id=study_id, said=said)


def entries(
    register: Register, *, study_id: str | None = None, before: int | None = None, limit: int = 100
) -> list[Entry]:
    """What was noted, the newest first; of one study, and before one entry, where asked."""
    table = ledger.audit
    wanted = select(table).order_by(table.c.audit_id.desc()).limit(limit)
    if study_id is not None:
        wanted = wanted.where(table.c.study_id == study_id)
    if before is not None:
        wanted = wanted.where(table.c.audit_id < before)
    with register.reading() as connection:
        return [_entry(row) for row in connection.execute(wanted).all()]


def _short(said: Mapping[str, Any]) -> dict[str, Any]:
    """What is said, long or steering words made short and legible."""
    return {name: legible(value, WORD_MAX) if isinstance(value, str) else value for name, value in said.items()}


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(**dict(row._mapping))
