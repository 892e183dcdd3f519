"""What a study's folder was brought down as, where a database holds the truth: so that it is known what is stale.

A note in the study's cache: the revision, and of every file the digest with the size and time of change it had then. A
file that was touched since is looked at anew.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

import app.store.files as files

FILE = "cache/brought.json"


class Brought(BaseModel):
    """The state of a study's folder."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    revision: int = Field(description="Revision of the study (number).")
    files: dict[str, tuple[str, int, int]] = Field(
        description="Of each file by path: SHA-256 (hex), size (bytes), time of change (nanoseconds)."
    )

    @classmethod
    def read(cls, folder: Path) -> Brought:
        """The note in a study's folder; one that knows nothing where there is none."""
        try:
            return cls.model_validate_json((folder / FILE).read_bytes())
        except (OSError, ValidationError):  # thrown away, or cut off: every file is looked at
            return cls(revision=0, files={})

    @classmethod
    def note(cls, folder: Path, revision: int, digests: Mapping[str, str]) -> None:
        """Write down that the folder holds these files (path -> SHA-256) of this revision."""
        said = cls(revision=revision, files={name: (sha, *_seen(folder / name)) for name, sha in digests.items()})
        files.write(folder / FILE, said.model_dump_json().encode())

    def fits(self, folder: Path, revision: int) -> bool:
        """Whether the folder is as it was brought, and that is this revision."""
        return self.revision == revision and self.same(folder).keys() == self.files.keys()

    def same(self, folder: Path) -> dict[str, str]:
        """The files nobody touched since: digest by path."""
        return {name: sha for name, (sha, *seen) in self.files.items() if _unchanged(folder / name, tuple(seen))}


def _seen(path: Path) -> tuple[int, int]:
    about = path.stat()
    return about.st_size, about.st_mtime_ns


def _unchanged(path: Path, seen: tuple[int, ...]) -> bool:
    try:
        return _seen(path) == seen
    except OSError:
        return False
