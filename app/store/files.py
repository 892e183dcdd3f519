"""Writing so that nothing is ever half there.

A file is written under a temporary name in its own folder, synced, renamed, and the folder synced. A folder of
files is built the same way and renamed whole. Temporary names start with ``.new-`` and end in the process id; a
builder holds a lock on its folder, which the system lets go of when the process dies.
"""

from __future__ import annotations

import contextlib
import errno
import fcntl
import hashlib
import os
import secrets
import shutil
import time
from collections.abc import Iterator
from pathlib import Path
from typing import IO, BinaryIO

from geo.errors import ConflictError, Fault, FileMissingError, StorageError

PREFIX = ".new-"
CHUNK = 1 << 20
WAIT_S = 10.0
"""So long a lock is waited for (s)."""
AGAIN_S = 0.02
"""So often it is tried meanwhile (s)."""


@contextlib.contextmanager
def storing(path: Path) -> Iterator[None]:
    """Turn what the system says of ``path`` into a StorageError that says what to do."""
    try:
        yield
    except (StorageError, ConflictError, FileMissingError):
        raise
    except OSError as error:
        cure = "Choose another folder with --workspace, or make room and rights there."
        reason = error.strerror or type(error).__name__
        raise StorageError(Fault("a workspace that can be written", reason, str(path), cure)) from error


def temporary(path: Path) -> Path:
    """A name beside ``path`` that nobody else uses."""
    return path.with_name(f"{PREFIX}{path.name}-{secrets.token_hex(4)}-{os.getpid()}")


def sync_folder(folder: Path) -> None:
    """Make the names in ``folder`` survive a power cut."""
    handle = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


@contextlib.contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """A new file that takes the place of ``path`` when the block ends well, and leaves no trace when it does not."""
    fresh = temporary(path)
    try:
        with fresh.open("wb") as handle:
            fcntl.flock(handle, fcntl.LOCK_EX)
            yield handle
            handle.flush()
            os.fsync(handle.fileno())
        os.replace(fresh, path)
    finally:
        fresh.unlink(missing_ok=True)
    sync_folder(path.parent)


def write(path: Path, content: bytes) -> None:
    """Write ``content`` to ``path``: whole or not at all."""
    with replacing(path) as handle:
        handle.write(content)


def digest(path: Path) -> str:
    """SHA-256 of a file in hex; FileMissingError when it is not there."""
    try:
        with path.open("rb") as handle:
            return hashlib.file_digest(handle, "sha256").hexdigest()
    except (FileNotFoundError, IsADirectoryError):
        raise FileMissingError(Fault("a file", "none there", str(path))) from None


def copy(source: Path, target: Path) -> str:
    """Copy ``source`` to ``target``, whole or not at all; the SHA-256 (hex) of what was copied."""
    sha = hashlib.sha256()
    with source.open("rb") as read, replacing(target) as handle:
        while chunk := read.read(CHUNK):
            sha.update(chunk)
            handle.write(chunk)
    return sha.hexdigest()


@contextlib.contextmanager
def locked(path: Path, *, wait_s: float | None = None) -> Iterator[None]:
    """Hold the lock file ``path`` alone; others wait, WAIT_S unless told. The file stays, empty.

    StorageError when whoever holds it does not let go in time.
    """
    wait_s = WAIT_S if wait_s is None else wait_s
    with path.open("a") as handle:
        _lock(handle, path, wait_s)
        yield


def _lock(handle: IO[str], path: Path, wait_s: float) -> None:
    end = time.monotonic() + wait_s
    while True:
        try:
            return fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= end:
                break
        time.sleep(AGAIN_S)
    cure = "Try again when it is done; if it never is, end the renxing process that hangs."
    found = f"one that another process has held for more than {wait_s:g} s"
    raise StorageError(Fault("a lock that is free", found, str(path), cure))


@contextlib.contextmanager
def building(folder: Path) -> Iterator[Path]:
    """An empty folder that becomes ``folder``, whole, when the block ends well.

    ConflictError when somebody else was first; what was built is then thrown away and theirs stays.
    """
    fresh = temporary(folder)
    fresh.mkdir()
    handle = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield fresh
        _sync_tree(fresh)
        _rename_folder(fresh, folder)
    finally:
        os.close(handle)
        shutil.rmtree(fresh, ignore_errors=True)
    sync_folder(folder.parent)


@contextlib.contextmanager
def scratch(folder: Path, name: str) -> Iterator[Path]:
    """An empty folder in ``folder`` that is gone when the block ends; swept when the process dies."""
    fresh = temporary(folder / name)
    fresh.mkdir(parents=True)
    handle = os.open(fresh, os.O_RDONLY | os.O_DIRECTORY)
    try:
        fcntl.flock(handle, fcntl.LOCK_EX)
        yield fresh
    finally:
        os.close(handle)
        shutil.rmtree(fresh, ignore_errors=True)


def link(source: Path, target: Path) -> None:
    """Let ``target`` be the file ``source`` is now, whatever takes its place later; a copy where links cannot be."""
    target.parent.mkdir(parents=True, exist_ok=True)
    try:
        os.link(source, target)
    except FileNotFoundError:
        raise
    except OSError:
        shutil.copyfile(source, target)


def _sync_tree(folder: Path) -> None:
    for parent, _, files in os.walk(folder):
        for name in files:
            with Path(parent, name).open("rb") as handle:
                os.fsync(handle.fileno())
        sync_folder(Path(parent))


def _rename_folder(fresh: Path, folder: Path) -> None:
    try:
        fresh.rename(folder)
    except OSError as error:
        if error.errno in (errno.ENOTEMPTY, errno.EEXIST):
            raise ConflictError(Fault("a name not in use", "one that is", folder.name)) from None
        raise


def sweep(folder: Path) -> list[str]:
    """Delete what dead processes left half built in ``folder``; their names. The living are left alone."""
    gone = [path for path in sorted(folder.glob(f"{PREFIX}*")) if not _in_use(path)]
    for path in gone:
        if path.is_dir():
            shutil.rmtree(path, ignore_errors=True)
        else:
            path.unlink(missing_ok=True)
    return [path.name for path in gone]


def remove(folder: Path) -> None:
    """Take ``folder`` out of sight at once, then delete it."""
    going = temporary(folder)
    folder.rename(going)
    sync_folder(folder.parent)
    shutil.rmtree(going, ignore_errors=True)


def _in_use(path: Path) -> bool:
    pid = path.name.rpartition("-")[2]
    return not pid.isdecimal() or _alive(int(pid)) or _held(path)


def _alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except (PermissionError, OverflowError):
        return True
    return True


def _held(path: Path) -> bool:
    """Whether a process, perhaps in another container where our process ids mean nothing, still builds here."""
    try:
        handle = os.open(path, os.O_RDONLY)
    except FileNotFoundError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        return True
    finally:
        os.close(handle)
    return False
