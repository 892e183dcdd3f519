"""Files by their content in PostgreSQL: each once, in parts, under its SHA-256.

Putting, naming and collecting agree on one rule: who puts a file holds the table ``blob`` until what names it is kept,
and who collects waits for all of them. So no file goes that somebody is about to name.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from pathlib import Path

from sqlalchemy import Connection, func, select, text
from sqlalchemy.dialects.postgresql import insert

import app.store.files as files
from app.store.ledger import blob, blob_part
from geo.errors import Fault, StorageError

PART = 4 << 20
"""Bytes of a part: what is held in memory at a time."""
UNNAMED = (
    "SELECT sha256 FROM blob WHERE NOT EXISTS (SELECT FROM study_file WHERE study_file.sha256 = blob.sha256) "
    "AND NOT EXISTS (SELECT FROM spooled WHERE spooled.sha256 = blob.sha256)"
)


def put(connection: Connection, wanted: Mapping[str, Path]) -> int:
    """Keep files (SHA-256 -> path) that are not there yet; the bytes that were sent.

    In the order of their names, so that two who put the same files wait for each other and never both. StorageError
    when a file is not what its name says: somebody changed it meanwhile.
    """
    return sum(_put(connection, sha256, path) for sha256, path in sorted(wanted.items()))


def _put(connection: Connection, sha256: str, path: Path) -> int:
    size = path.stat().st_size
    row = insert(blob).values(sha256=sha256, bytes=size).on_conflict_do_nothing().returning(blob.c.sha256)
    if connection.execute(row).first() is None:
        return 0
    sha = hashlib.sha256()
    with path.open("rb") as source:
        for number, content in enumerate(iter(lambda: source.read(PART), b"")):
            sha.update(content)
            connection.execute(insert(blob_part).values(sha256=sha256, part=number, content=content))
    _require_same(sha256, sha.hexdigest(), str(path))
    return size


def read(connection: Connection, sha256: str) -> Iterator[bytes]:
    """A file in parts. StorageError when it is not there, or at its end when it is not what its name says."""
    (parts,) = connection.execute(select(func.count()).where(blob_part.c.sha256 == sha256)).one()
    if not parts and connection.execute(select(blob.c.bytes).where(blob.c.sha256 == sha256)).scalar() != 0:
        cure = "Restore the database from a backup."
        raise StorageError(Fault(f"the file {sha256[:16]}… in the database", "none", "RENXING_DATABASE", cure))
    sha = hashlib.sha256()
    for number in range(parts):
        where = (blob_part.c.sha256 == sha256, blob_part.c.part == number)
        content = bytes(connection.execute(select(blob_part.c.content).where(*where)).scalar_one())
        sha.update(content)
        yield content
    _require_same(sha256, sha.hexdigest(), "RENXING_DATABASE")


def bring(connection: Connection, sha256: str, target: Path) -> None:
    """Write a file to ``target``: whole, and what its name says, or not at all."""
    target.parent.mkdir(parents=True, exist_ok=True)
    with files.replacing(target) as handle:
        for content in read(connection, sha256):
            handle.write(content)


def unnamed(connection: Connection) -> tuple[int, int]:
    """The files that nothing names any more: how many, and their bytes."""
    asked = text(f"SELECT count(*), coalesce(sum(bytes), 0) FROM blob WHERE sha256 IN ({UNNAMED})")
    count, size = connection.execute(asked).one()
    return int(count), int(size)


def collect(connection: Connection) -> int:
    """Delete the files that nothing names any more; how many. Waits for whoever is putting files, and they for it."""
    connection.execute(text("LOCK TABLE blob IN SHARE ROW EXCLUSIVE MODE"))
    return connection.execute(text(f"DELETE FROM blob WHERE sha256 IN ({UNNAMED})")).rowcount


def _require_same(named: str, found: str, where: str) -> None:
    if named != found:
        cure = "Try again; if it stays so, restore the study from a backup."
        raise StorageError(Fault(f"the file {named[:16]}…", f"{found[:16]}…", where, cure))
