"""A real PostgreSQL with PostGIS for the tests, from Debian's packages, in a temporary folder of its own.

One server for each process of tests (pytest-xdist has several), reached through a socket in its folder; it is stopped
by its process id at the end, and by the system when the tests are killed. Nothing is waited for on a disk: what is
proved about power cuts is PostgreSQL's own.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path

import psycopg
import pytest

OWNER = "postgres"
"""Who runs the server when root runs the tests: PostgreSQL refuses root."""
TEMPLATE = "renxing_template"
MISSING = """expected PostgreSQL with PostGIS, found {found}.
Install Debian's packages, as .ci/run does: apt-get install postgresql postgresql-postgis"""
SETTINGS = {
    "listen_addresses": "", "fsync": "off", "synchronous_commit": "off", "full_page_writes": "off", "jit": "off",
    "shared_buffers": "64MB", "max_connections": "60", "logging_collector": "off", "timezone": "UTC",
}  # fmt: skip
START_S, STOP_S = 60.0, 20.0


@dataclass(frozen=True)
class Server:
    """A running server: the folder with its socket, and its process id."""

    folder: Path
    pid: int
    _numbers: count[int]

    def url(self, name: str) -> str:
        """The address of a database, as RENXING_DATABASE has it."""
        return f"postgresql://{OWNER}@/{name}?host={self.folder}"

    def fresh(self) -> str:
        """The address of a new database with PostGIS, empty otherwise."""
        name = f"t{next(self._numbers)}"
        with self.connected(OWNER) as connection:
            connection.execute(f"CREATE DATABASE {name} TEMPLATE {TEMPLATE}")
        return self.url(name)

    def connected(self, name: str) -> psycopg.Connection[tuple[object, ...]]:
        """A connection that keeps every statement at once."""
        return psycopg.connect(self.url(name), autocommit=True)

    def stop(self) -> None:
        """Stop it as a power cut does: every connection breaks in the middle of what it says."""
        os.kill(self.pid, signal.SIGQUIT)


@pytest.fixture(scope="session")
def postgis() -> Iterator[Server]:
    """The server of this process of tests."""
    with serving() as server:
        yield server


@pytest.fixture(scope="module")
def database(postgis: Server) -> str:
    """The address of a fresh database for a module of tests."""
    return postgis.fresh()


@contextmanager
def serving() -> Iterator[Server]:
    """A server for as long as the block lasts."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="rx-pg-"))
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, OWNER)
        _initialised(programs, folder)
        with _started(programs, folder) as process:
            yield _ready(Server(folder, process.pid, count(1)), process)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _programs() -> Path:
    """The folder of the newest server that has PostGIS; fails with what to do where there is none."""
    there = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    found = shutil.which("initdb")
    folders = [path.parent for path in there] + ([Path(found).resolve().parent] if found else [])
    if not folders:
        pytest.fail(MISSING.format(found="no initdb in /usr/lib/postgresql/*/bin nor on the path"))
    extended = [folder for folder in folders if _extensions(folder).joinpath("postgis.control").is_file()]
    if not extended:
        pytest.fail(MISSING.format(found=f"no PostGIS for the server in {folders[-1]}"))
    return extended[-1]


def _extensions(programs: Path) -> Path:
    asked = subprocess.run([programs / "pg_config", "--sharedir"], capture_output=True, text=True, check=True)
    return Path(asked.stdout.strip()) / "extension"


def _as_owner() -> list[str]:
    """What makes a program PostgreSQL's user's, and end with the tests, whatever ends them."""
    end = ["setpriv", "--pdeathsig", "INT"]
    if os.geteuid() != 0:
        return end
    group = str(pwd.getpwnam(OWNER).pw_gid)
    return [*end, "--reuid", OWNER, "--regid", group, "--clear-groups"]


def _initialised(programs: Path, folder: Path) -> None:
    how = ["--auth=trust", "--no-sync", "--encoding=UTF8", "--locale=C.UTF-8", f"--username={OWNER}"]
    command = [*_as_owner(), str(programs / "initdb"), *how, str(folder / "data")]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr


@contextmanager
def _started(programs: Path, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    said = [word for name, value in SETTINGS.items() for word in ("-c", f"{name}={value}")]
    command = [*_as_owner(), str(programs / "postgres"), "-D", str(folder / "data"), "-k", str(folder), *said]
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(command, cwd=folder, stdout=log, stderr=log)
    try:
        yield process
    finally:
        process.send_signal(signal.SIGQUIT)  # at once: its data is thrown away
        process.wait(STOP_S)


def _ready(server: Server, process: subprocess.Popen[bytes]) -> Server:
    """The server once it answers, with the database that the others are copies of."""
    until = time.monotonic() + START_S
    while True:
        try:
            with server.connected(OWNER) as connection:
                connection.execute(f"CREATE DATABASE {TEMPLATE}")
            break
        except psycopg.OperationalError:
            assert process.poll() is None and time.monotonic() < until, (server.folder / "log").read_text()
            time.sleep(0.05)
    with server.connected(TEMPLATE) as connection:
        connection.execute("CREATE EXTENSION postgis")
    return server
