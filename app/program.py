"""The program as a name: another as soon as a rule, a word or a table of it is changed."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from pathlib import Path

ENDINGS = (".py", ".toml", ".csv")
"""What decides a result: code, words and numbers; not what Python leaves beside them."""


def digest(*parts: Path, without: Path | None = None) -> str:
    """Hex digits over the source in folders, or in single files, wherever they lie; not over the folder ``without``."""
    sha = hashlib.sha256()
    for part in parts:
        for path in _source(part, without):
            sha.update(path.relative_to(part.parent).as_posix().encode() + b"\0" + path.read_bytes())
    return sha.hexdigest()


def _source(part: Path, without: Path | None) -> Iterator[Path]:
    files = sorted(path for path in part.rglob("*") if path.suffix in ENDINGS) if part.is_dir() else [part]
    return (path for path in files if without is None or not path.is_relative_to(without))
