"""Who works here: each worker holds the lock on a file of its own, which the system lets go of when it dies.

So another worker of the same host knows at once, and need not wait until a lease runs out. The process that does a
worker's job holds the lock as well: a worker counts as dead when both are.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import re
import secrets
import socket
from collections.abc import Iterable, Iterator
from pathlib import Path

import app.store.files as files

FOLDER = "workers"
ENDING = ".lock"
NAME_MAX = 100
OTHER = re.compile(r"[^A-Za-z0-9_-]+")


class Roll:
    """The workers of a workspace on this host."""

    def __init__(self, workspace: Path) -> None:
        self.folder = workspace / FOLDER
        self.host = OTHER.sub("-", socket.gethostname())[:40]

    def __repr__(self) -> str:
        return f"Roll({self.folder}, {self.host})"

    def new_id(self, name: str) -> str:
        """A name that no worker had before: one that is started again is another."""
        return f"{self.host}.{OTHER.sub('-', name)[: NAME_MAX - len(self.host) - 10]}.{secrets.token_hex(4)}"

    @contextlib.contextmanager
    def enrolled(self, worker: str) -> Iterator[None]:
        """Be known to live as long as the block lasts."""
        path = self.folder / f"{worker}{ENDING}"
        with files.storing(path):
            self.folder.mkdir(parents=True, exist_ok=True)
            handle = _held(path)
        try:
            yield
        finally:
            path.unlink(missing_ok=True)
            os.close(handle)

    def dead(self) -> list[str]:
        """The workers of this host that died, until they are struck off."""
        there = sorted(self.folder.glob(f"{self.host}.*{ENDING}")) if self.folder.is_dir() else []
        return [path.name.removesuffix(ENDING) for path in there if _is_free(path)]

    def strike(self, workers: Iterable[str]) -> None:
        """Forget dead workers."""
        for worker in workers:
            (self.folder / f"{worker}{ENDING}").unlink(missing_ok=True)


def _held(path: Path) -> int:
    """A handle that holds the lock of a file which is there: nobody took it away in between."""
    while True:
        handle = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        fcntl.flock(handle, fcntl.LOCK_EX)
        with contextlib.suppress(FileNotFoundError):
            if os.path.samestat(os.fstat(handle), path.stat()):
                return handle
        os.close(handle)


def _is_free(path: Path) -> bool:
    try:
        handle = os.open(path, os.O_RDWR)
    except OSError:
        return False
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:  # held, or a file system without locks: then the lease decides
        return False
    finally:
        os.close(handle)
    return True
