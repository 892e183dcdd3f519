"""What jobs take and give: files by their content, between the service that receives them and the worker that reads.

A file is kept whole before the job that names it is acknowledged, under its SHA-256; the same file twice is one. What
no job names any more is swept away.
"""

from __future__ import annotations

import hashlib
import os
import re
import time
from collections.abc import Callable, Collection
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

import app.store.files as files
from geo.errors import Fault, LimitError, NotFoundError

FOLDER = "spool"
SHA256 = re.compile(r"[0-9a-f]{64}")
YOUNG_S = 3600.0
"""Seconds for which a file is kept that no job names yet: its submission may be on its way."""


@dataclass(frozen=True)
class Kept:
    """A file in the spool: the SHA-256 (hex) that names it, and how long it is."""

    sha256: str
    bytes: int


class Spool:
    """The spool of a workspace in a folder of its own."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER

    def __repr__(self) -> str:
        return f"Spool({self.folder})"

    def keep(self, source: BinaryIO, *, most: int | None = None) -> Kept:
        """Keep what ``source`` gives, to its end. LimitError, and nothing is kept, for more than ``most`` bytes."""
        with files.storing(self.folder):
            self.folder.mkdir(parents=True, exist_ok=True)
            part = files.temporary(self.folder / "part")
            try:
                kept = _written(source, part, most)
                os.replace(part, self.folder / kept.sha256)
            finally:
                part.unlink(missing_ok=True)
            files.sync_folder(self.folder)
        return kept

    def made(self, make: Callable[[Path], Path], scratch: Path) -> Kept:
        """Keep the file that ``make`` writes into the folder ``scratch``, which is the caller's."""
        with make(scratch).open("rb") as handle:
            return self.keep(handle)

    def path(self, sha256: str) -> Path:
        """The file of this name. NotFoundError when it was swept away or never was."""
        found = self.folder / sha256
        if not SHA256.fullmatch(sha256) or not found.is_file():
            raise NotFoundError(Fault("a file in the spool", repr(sha256[:80]), "the workspace", "Send it again."))
        return found

    def sweep(self, named: Collection[str], *, now: float | None = None) -> list[str]:
        """Delete the files that nobody names and that are no longer young; their names."""
        since = (time.time() if now is None else now) - YOUNG_S
        with files.storing(self.folder):
            if not self.folder.is_dir():
                return []
            files.sweep(self.folder)
            gone = [p for p in sorted(self.folder.iterdir()) if SHA256.fullmatch(p.name) and p.name not in named]
            gone = [path for path in gone if path.stat().st_mtime < since]
            for path in gone:
                path.unlink(missing_ok=True)
        return [path.name for path in gone]


def _written(source: BinaryIO, part: Path, most: int | None) -> Kept:
    sha, total = hashlib.sha256(), 0
    with part.open("wb") as handle:
        while chunk := source.read(files.CHUNK):
            total += len(chunk)
            if most is not None and total > most:
                raise LimitError(Fault(f"at most {most} bytes", "more", "file"), limit="upload")
            sha.update(chunk)
            handle.write(chunk)
        handle.flush()
        os.fsync(handle.fileno())
    return Kept(sha.hexdigest(), total)
