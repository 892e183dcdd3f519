"""Files that are sent: taken into the spool under a name that can do no harm."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from pathlib import Path

from fastapi import UploadFile

from app.store.spool import Spool
from geo.errors import Fault, ParameterError

NAME_MAX = 120
UNSAFE = re.compile(r'[\x00-\x1f\x7f/\\:*?"<>|]')


@dataclass(frozen=True)
class Upload:
    """A file in the spool: what names it, how long it is, and what its sender calls it."""

    sha256: str
    bytes: int
    name: str


def taken(spool: Spool, upload: UploadFile, *, most: int) -> Upload:
    """Keep a file that was sent. ParameterError for an empty one, LimitError for more than ``most`` bytes."""
    name = named_safely(upload.filename)
    kept = spool.keep(upload.file, most=most)
    if not kept.bytes:
        raise ParameterError(Fault("a file", "an empty one", str(name), "Send the file itself."))
    return Upload(kept.sha256, kept.bytes, str(name))


def named_safely(name: str | None) -> Path:
    """The last part of a file's name, without what no file system takes; its endings stay."""
    last = unicodedata.normalize("NFC", name or "").replace("\\", "/").rpartition("/")[2]
    plain = UNSAFE.sub("_", "".join(c for c in last if unicodedata.category(c) not in ("Cc", "Cf", "Cs", "Zl", "Zp")))
    plain = plain.strip(" .")
    if not plain:
        raise ParameterError(Fault("a file with a name", repr((name or "")[:80]), "form", "Send its file name along."))
    endings = "".join(Path(plain).suffixes[-2:])[-24:]
    stem = plain[: len(plain) - len(endings)]
    while len(f"{stem}{endings}".encode()) > NAME_MAX:
        stem = stem[:-1]
    return Path(f"{stem or '_'}{endings}")
