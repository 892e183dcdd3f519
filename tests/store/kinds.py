"""Kinds of storage, the same to whoever uses a workspace: folders, and a database with folders as its caches."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from psycopg.sql import SQL, Identifier

from app.settings import Settings
from app.store import Workspace
from app.store.ledger import metadata
from app.store.opening import opened
from app.store.register import SCHEMA, Register

KINDS = ("folders", "postgis")


@dataclass(frozen=True)
class Store:
    """An empty storage of one kind."""

    kind: str
    database: str

    @property
    def is_shared(self) -> bool:
        return bool(self.database)

    def open(self, path: Path) -> Workspace:
        """The workspace with this folder, as a process opens it."""
        return opened(Settings.read(workspace=path, database=self.database))


@pytest.fixture(scope="module")
def registered(database: str) -> str:
    """The module's database, with a register in its newest form."""
    Register.open(Path("nowhere"), database).close()
    return database


@pytest.fixture(params=KINDS)
def store(request: pytest.FixtureRequest) -> Store:
    """Each kind of storage."""
    return request.getfixturevalue("shared") if request.param == "postgis" else Store(request.param, "")


@pytest.fixture
def shared(registered: str) -> Store:
    """A database alone."""
    emptied(registered)
    return Store("postgis", registered)


def emptied(url: str) -> None:
    """Take everything out of a database, which is quicker than to make another."""
    with psycopg.connect(url, autocommit=True, options=f"-csearch_path={SCHEMA}") as connection:
        names = ", ".join(table.name for table in metadata.sorted_tables)
        connection.execute(f"TRUNCATE {names} CASCADE")
        made = r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^(run|study)_'"
        for (schema,) in connection.execute(made).fetchall():
            connection.execute(SQL("DROP SCHEMA {} CASCADE").format(Identifier(schema)))


def every_file(folder: Path) -> dict[str, bytes]:
    """What is in a folder, but for lock files and what says of a cache that it is one."""
    paths = [p for p in sorted(folder.rglob("*")) if p.is_file() and p.suffix != ".lock" and p.name != ".cache-of"]
    return {str(p.relative_to(folder)): p.read_bytes() for p in paths}
