"""Who changed what, and when. Rows are added, never changed or taken away."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

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
SAID_MAX = 8_000
"""About so many characters of everything that is kept of what was said."""
ITEMS_MOST = 50
"""Items that are kept of one list or mapping."""
DEPTH_MOST = 4
"""Lists and mappings within one another that are kept."""
BIG, NUMBER, CUT = 2**63, 8, "…"
T = TypeVar("T")


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
    """What is said, every text in it legible, and all of it short however much was sent."""
    kept = _Kept().value(said, 0)
    assert isinstance(kept, dict)
    return kept


class _Kept:
    """What is kept of one entry; counts down what still has room."""

    def __init__(self) -> None:
        self.left = SAID_MAX

    def value(self, value: object, depth: int) -> Any:
        """A value as it is kept."""
        if value is None or isinstance(value, bool):
            return value
        if isinstance(value, int | float) and abs(value) < BIG:  # numbers every reader of JSON takes
            self.left -= NUMBER
            return value
        if isinstance(value, Mapping | list | tuple) and depth >= DEPTH_MOST:
            return CUT
        if isinstance(value, Mapping):
            pairs = {self._text(str(name)): self.value(each, depth + 1) for name, each in self._first(value.items())}
            return pairs | ({CUT: len(value) - len(pairs)} if len(pairs) < len(value) else {})
        if isinstance(value, list | tuple):
            items = [self.value(each, depth + 1) for each in self._first(value)]
            return items + ([CUT] if len(items) < len(value) else [])
        if isinstance(value, int):
            return self._text(hex(value))  # in decimal digits Python refuses the longest
        return self._text(value if isinstance(value, str) else repr(value))

    def _first(self, items: Iterable[T]) -> Iterator[T]:
        """The first items, while there is room."""
        for item in itertools.islice(items, ITEMS_MOST):
            if self.left <= 0:
                return
            self.left -= 1
            yield item

    def _text(self, text: str) -> str:
        short = legible(text, max(0, min(WORD_MAX, self.left)))
        self.left -= len(short)
        return short


def _entry(row: Row[tuple[object, ...]]) -> Entry:
    return Entry(**dict(row._mapping))
