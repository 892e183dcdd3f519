"""Files in a zip, put in and taken out in pieces: bytes that depend on nothing but the content, checked on the way."""

from __future__ import annotations

import errno
import hashlib
import zipfile
from collections.abc import Iterable, Iterator
from pathlib import Path

import app.store.files as files
from data.archives import BROKEN
from geo.errors import Fault, UnreadableError

LATE = (1980, 1, 1, 0, 0, 0)
"""The date of everything in a zip: the earliest it can say."""
PACKED = (".parquet", ".tif", ".tiff", ".zip", ".pbf", ".gpkg", ".gz", ".bz2", ".xlsx", ".png")
"""Endings of files that packing makes no smaller."""


def entry(name: str) -> zipfile.ZipInfo:
    """A file in a zip, by its name."""
    made = zipfile.ZipInfo(name, date_time=LATE)
    made.compress_type = zipfile.ZIP_DEFLATED
    made.external_attr = 0o644 << 16
    return made


def pieces(path: Path) -> Iterator[bytes]:
    """A file, piece by piece."""
    with path.open("rb") as source:
        while chunk := source.read(files.CHUNK):
            yield chunk


def put(archive: zipfile.ZipFile, made: zipfile.ZipInfo, content: Iterable[bytes]) -> str:
    """Write a file into a zip; its SHA-256 (hex)."""
    sha = hashlib.sha256()
    with archive.open(made, "w", force_zip64=not made.file_size or made.file_size > 1 << 31) as part:
        for chunk in content:
            sha.update(chunk)
            part.write(chunk)
    return sha.hexdigest()


def take_out(opened: zipfile.ZipFile, name: str, target: Path, sha256: str, *, where: str, cure: str) -> None:
    """Write one file of a zip to ``target``; UnreadableError when it is not what was put in, or longer than said."""
    sha, left = hashlib.sha256(), opened.getinfo(name).file_size
    try:
        with opened.open(name) as part, target.open("wb") as handle:
            while chunk := part.read(files.CHUNK):
                left -= len(chunk)
                if left < 0:
                    break
                sha.update(chunk)
                handle.write(chunk)
    except BROKEN as error:
        if isinstance(error, OSError) and error.errno != errno.EINVAL:
            raise  # the disk, not the archive
        raise UnreadableError(Fault(f"{name} whole", f"“{error}”", where, cure)) from error
    if left or sha.hexdigest() != sha256:
        raise UnreadableError(Fault(f"{name} as it was archived", "something else", where, cure))
