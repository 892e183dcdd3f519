"""Tiles that are kept: the last ones in memory, many more on disk, each under what names its content.

A tile on disk stands behind a head with its length and its digest. It is written under a temporary name and renamed,
but not synced: what a power cut leaves torn is seen by its head, and made anew. Archives, which have no such head, are
synced. Any number of processes may share a folder.
"""

from __future__ import annotations

import contextlib
import gzip
import hashlib
import os
import secrets
import struct
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from threading import Lock
from typing import BinaryIO

GZIP_LEVEL = 3
"""Level 5 takes half as long again and saves a fiftieth."""
ZIPPED_FROM = 1000
"""Smaller tiles go out as they are, bytes."""
PNG = b"\x89PNG"
ENTRY_BYTES = 400
"""What an entry of the memory takes beside its bytes."""
HEAD = struct.Struct("<4sB3xQ16s")
MARK = b"RXT1"
NEW = ".new-"
TOUCHED_S = 3600.0
"""A file's time says to within this when it was last asked for, seconds."""
FORGOTTEN_S = 3600.0
"""A temporary file older than this has nobody who writes it, seconds."""
SWEPT_EVERY = 20
"""The folder is swept each time this part of what it may hold has been written."""


@dataclass(frozen=True)
class Packed:
    """A tile as it goes out: its bytes, and whether they are gzipped."""

    body: bytes
    zipped: bool

    def __repr__(self) -> str:
        return f"Packed({len(self.body)} bytes{', gzipped' if self.zipped else ''})"

    @classmethod
    def of(cls, body: bytes) -> Packed:
        """Bytes made small where that is worth while; the same bytes each time."""
        if len(body) < ZIPPED_FROM or body.startswith(PNG):
            return cls(body, zipped=False)
        return cls(gzip.compress(body, GZIP_LEVEL, mtime=0), zipped=True)

    def plain(self) -> bytes:
        """The tile itself."""
        return gzip.decompress(self.body) if self.zipped else self.body


class TileMemory:
    """The last tiles asked for, up to a number of bytes. Safe to use from many threads."""

    def __init__(self, most_bytes: int) -> None:
        self._most = most_bytes
        self._held = 0
        self._kept: OrderedDict[str, Packed] = OrderedDict()
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"TileMemory({len(self._kept)} tiles, {self._held} of {self._most} bytes)"

    def get(self, key: str) -> Packed | None:
        """What is kept under a key."""
        with self._lock:
            if key in self._kept:
                self._kept.move_to_end(key)
            return self._kept.get(key)

    def put(self, key: str, tile: Packed) -> None:
        """Keep a tile; those asked for longest ago make room."""
        with self._lock:
            if (before := self._kept.pop(key, None)) is not None:
                self._held -= len(before.body) + ENTRY_BYTES
            self._kept[key] = tile
            self._held += len(tile.body) + ENTRY_BYTES
            while self._held > self._most and self._kept:
                self._held -= len(self._kept.popitem(last=False)[1].body) + ENTRY_BYTES


class TileFolder:
    """Tiles as files, up to a number of bytes and a twentieth more for each process that writes.

    A folder that cannot be written or read is as good as an empty one: a tile is then made each time.
    """

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most = most_bytes
        self._written = 0
        self._lock = Lock()

    def __repr__(self) -> str:
        return f"TileFolder({self.folder}, at most {self._most} bytes)"

    def get(self, key: str) -> Packed | None:
        """The tile under a key (hex digits); None when it is not there, torn or not readable."""
        try:
            with self._path(key).open("rb") as file:
                content = file.read()
                self._touch(file.fileno())
        except OSError:
            return None
        return _opened(content)

    def put(self, key: str, tile: Packed) -> None:
        """Keep a tile; sweep the folder when much has been written."""
        content = _closed(tile)
        with contextlib.suppress(OSError):
            self._replace(self._path(key), lambda file: file.write(content))

    def archive(self, key: str) -> Path | None:
        """The file of an archive (a name that ends in .pmtiles); None when it is not there."""
        path = self._path(key)
        try:
            with path.open("rb") as file:
                self._touch(file.fileno())
        except OSError:
            return None
        return path

    def add_archive(self, key: str, write: Callable[[BinaryIO], object]) -> Path:
        """Have an archive written, whole or not at all; OSError where it cannot be."""
        return self._replace(self._path(key), write, synced=True)

    def _replace(self, path: Path, write: Callable[[BinaryIO], object], *, synced: bool = False) -> Path:
        """Write a file under another name and rename it; sweep when much has been written."""
        fresh = path.with_name(f"{NEW}{path.name}-{secrets.token_hex(4)}")
        path.parent.mkdir(parents=True, exist_ok=True)
        try:
            with fresh.open("wb") as file:
                write(file)
                file.flush()
                if synced:
                    os.fsync(file.fileno())
            size = fresh.stat().st_size
            os.replace(fresh, path)
        finally:
            fresh.unlink(missing_ok=True)
        if self._due(size):
            self.sweep()
        return path

    def sweep(self) -> int:
        """Delete the tiles asked for longest ago until nine tenths of what may be held are left; how many went."""
        now = time.time()
        found = sorted(self._files(), key=lambda each: each[0])
        held, gone = sum(size for _, size, _ in found), 0
        for asked, size, path in found:
            left_over = path.name.startswith(NEW) and now - asked > FORGOTTEN_S
            if left_over or (held > 0.9 * self._most and not path.name.startswith(NEW)):
                with contextlib.suppress(OSError):
                    path.unlink()
                    held, gone = held - size, gone + 1
        return gone

    def _path(self, key: str) -> Path:
        return self.folder / key[:2] / key

    def _due(self, size: int) -> bool:
        with self._lock:
            self._written += size
            due = self._written > self._most // SWEPT_EVERY
            self._written *= not due
            return due

    def _touch(self, file: int) -> None:
        if time.time() - os.fstat(file).st_mtime > TOUCHED_S:
            with contextlib.suppress(OSError):
                os.utime(file)

    def _files(self) -> Iterator[tuple[float, int, Path]]:
        """Time last asked for, bytes and path of every file."""
        for parent, _, names in os.walk(self.folder):
            for name in names:
                with contextlib.suppress(OSError):
                    known = os.stat(path := Path(parent, name))
                    yield known.st_mtime, known.st_size, path


def _closed(tile: Packed) -> bytes:
    return HEAD.pack(MARK, tile.zipped, len(tile.body), _digest(tile)) + tile.body


def _opened(content: bytes) -> Packed | None:
    """What ``_closed`` wrote; None for anything else."""
    if len(content) < HEAD.size:
        return None
    mark, zipped, length, digest = HEAD.unpack_from(content)
    tile = Packed(content[HEAD.size :], bool(zipped))
    return tile if mark == MARK and length == len(tile.body) and digest == _digest(tile) else None


def _digest(tile: Packed) -> bytes:
    return hashlib.blake2b(tile.body, digest_size=16, salt=b"zipped" if tile.zipped else b"plain").digest()
