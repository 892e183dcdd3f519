"""The spool of several machines: in PostgreSQL, with the folder as this machine's cache of it."""

from __future__ import annotations

import time
from collections.abc import Collection
from pathlib import Path
from typing import BinaryIO

from sqlalchemy import delete, select
from sqlalchemy.dialects.postgresql import insert

import app.store.blobs as blobs
import app.store.files as files
from app.store.ledger import spooled
from app.store.register import Register
from app.store.spool import SHA256, YOUNG_S, Kept, Spool
from geo.errors import NotFoundError


def spool_of(workspace: Path, register: Register) -> Spool:
    """The spool that goes with a register: in a folder, or in the database that all machines share."""
    return SharedSpool(workspace, register) if register.is_postgres else Spool(workspace)


class SharedSpool(Spool):
    """Files that one machine takes and another one reads."""

    def __init__(self, workspace: Path, register: Register) -> None:
        super().__init__(workspace)
        self.register = register

    def keep(self, source: BinaryIO, *, most: int | None = None) -> Kept:
        """Keep what ``source`` gives, to its end, for every machine."""
        kept = super().keep(source, most=most)
        row = insert(spooled).values(sha256=kept.sha256, at=time.time())
        with self.register.writing() as connection:
            blobs.put(connection, {kept.sha256: self.folder / kept.sha256})
            again = row.on_conflict_do_update(index_elements=[spooled.c.sha256], set_={"at": row.excluded.at})
            connection.execute(again)
        return kept

    def path(self, sha256: str) -> Path:
        """The file of this name, brought down when another machine took it. NotFoundError when it was swept away."""
        try:
            return super().path(sha256)
        except NotFoundError:
            if not SHA256.fullmatch(sha256) or not self._names(sha256):
                raise
        target = self.folder / sha256
        with files.storing(target), self.register.reading() as connection:
            blobs.bring(connection, sha256, target)
        return target

    def sweep(self, named: Collection[str], *, now: float | None = None) -> list[str]:
        """Let go of the files that nobody names and that are no longer young; their names."""
        gone = super().sweep(named, now=now)
        since = (time.time() if now is None else now) - YOUNG_S
        with self.register.writing() as connection:
            old = select(spooled.c.sha256).where(spooled.c.at < since)
            let_go = {row.sha256 for row in connection.execute(old)} - set(named)
            connection.execute(delete(spooled).where(spooled.c.sha256.in_(let_go)))
        return sorted({*gone, *let_go})

    def _names(self, sha256: str) -> bool:
        with self.register.reading() as connection:
            return connection.execute(select(spooled.c.at).where(spooled.c.sha256 == sha256)).first() is not None
