"""The register: jobs, keys and who changed what; embedded in SQLite, or in PostgreSQL with the studies themselves.

By default it is ``renxing.db`` in the workspace (WAL, so readers never wait for a writer). With the setting
``database`` it is a schema ``renxing`` of that PostgreSQL database. Opened for writing it is brought up to date
(``app/store/migrations``); one that is newer than this program is refused.
"""

from __future__ import annotations

import contextlib
import os
import sqlite3
import weakref
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError, DBAPIError, OperationalError

from app.store.migrations import SCHEMA, bring_up_to_date, known_form
from geo.errors import Fault, ParameterError, RenxingError, StorageError

FILE = "renxing.db"
WAIT_S = 15.0
"""Seconds for which a writer waits for another."""


class Register:
    """An open register. Connections are made as they are needed; safe to use from many threads, not after a fork."""

    def __init__(self, engine: Engine, *, readonly: bool = False) -> None:
        self.engine = engine
        self.readonly = readonly
        # Whoever drops a register lets go of its connections; a child process never closes its parent's.
        weakref.finalize(self, _let_go, engine, os.getpid()).atexit = False

    def __repr__(self) -> str:
        return f"Register({self.engine.url.render_as_string(hide_password=True)})"

    @property
    def is_postgres(self) -> bool:
        """Whether PostgreSQL holds it."""
        return self.engine.dialect.name == "postgresql"

    @classmethod
    def open(cls, workspace: Path, database: str = "", *, readonly: bool = False) -> Register:
        """The register of a workspace, made or brought up to date.

        With ``readonly`` nothing is changed: an older one is read in the form it has, and one that is not there is
        empty (it has no tables). StorageError when it cannot be had, ConflictError for a newer one.
        """
        if readonly:
            return cls._as_it_is(workspace, database)
        register = cls(_postgres(database) if database else _sqlite(workspace / FILE))
        with told(register):
            if not database:
                workspace.mkdir(parents=True, exist_ok=True)
            bring_up_to_date(register.engine)
        return register

    @classmethod
    def _as_it_is(cls, workspace: Path, database: str) -> Register:
        register = cls(_postgres(database) if database else _readable(workspace / FILE), readonly=True)
        with register.reading() as connection:
            known_form(connection)
        return register

    @contextlib.contextmanager
    def writing(self) -> Iterator[Connection]:
        """A transaction that is kept when the block ends well, and leaves nothing when it does not.

        In SQLite one writer at a time, from the first statement on: what is read inside is still so at the end.
        """
        if self.readonly:
            where = self.engine.url.render_as_string(hide_password=True)
            raise StorageError(Fault("a register opened to be written", "one opened to be read", where))
        with told(self), self.engine.begin() as connection:
            yield connection

    @contextlib.contextmanager
    def reading(self) -> Iterator[Connection]:
        """One state of everything, while it is read."""
        with told(self), self.engine.connect() as connection:
            connection = connection.execution_options(readonly=True)
            if self.is_postgres:
                connection = connection.execution_options(isolation_level="REPEATABLE READ", postgresql_readonly=True)
            yield connection
            connection.rollback()

    def close(self) -> None:
        """Let go of every connection; opened again when one is needed."""
        self.engine.dispose()

    def after_fork(self) -> None:
        """In a child process: forget the parent's connections without closing them for it."""
        self.engine.dispose(close=False)


def _let_go(engine: Engine, owner: int) -> None:
    engine.dispose(close=os.getpid() == owner)


@contextlib.contextmanager
def told(register: Register) -> Iterator[None]:
    """Turn what the database says into a StorageError that says what to do; its secrets stay inside."""
    try:
        yield
    except RenxingError:
        raise  # some are an OSError as well
    except (DBAPIError, psycopg.Error, OSError) as error:
        reason = (str(getattr(error, "orig", error)).splitlines() or [type(error).__name__])[0][:300]
        cure = (
            "Is the server of RENXING_DATABASE running, and may this user write there?" if register.is_postgres
            else "Make room and rights in the workspace, or choose another with --workspace."
        )  # fmt: skip
        where = register.engine.url.render_as_string(hide_password=True)
        raise StorageError(Fault("a register that can be read and written", reason, where, cure)) from error


def _sqlite(path: Path) -> Engine:
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": WAIT_S, "check_same_thread": False})

    @event.listens_for(engine, "connect")
    def on_connect(connection: Any, _: Any) -> None:
        connection.isolation_level = None  # SQLAlchemy's own begin is heard below
        for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={int(WAIT_S * 1000)}"):
            connection.execute(f"PRAGMA {pragma}")

    @event.listens_for(engine, "begin")
    def on_begin(connection: Connection) -> None:
        plain = connection.get_execution_options().get("readonly")
        connection.exec_driver_sql("BEGIN" if plain else "BEGIN IMMEDIATE")

    return engine


def _readable(path: Path) -> Engine:
    """A register that no statement can change; an empty one where there is no file."""
    if not path.is_file():
        return create_engine("sqlite://")
    address = f"{path.resolve().as_uri()}?mode=ro"
    how: dict[str, Any] = {"uri": True, "timeout": WAIT_S, "check_same_thread": False, "isolation_level": None}
    engine = create_engine(f"sqlite:///{path}", creator=lambda: sqlite3.connect(address, **how))
    event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
    return engine


def _postgres(database: str) -> Engine:
    try:
        url = make_url(database)
    except ArgumentError:
        url = None
    if url is None or url.get_backend_name() not in ("postgresql", "postgres"):
        cure = "Write RENXING_DATABASE=postgresql://USER:PASSWORD@HOST:PORT/DATABASE"
        raise ParameterError(Fault("the address of a PostgreSQL database", "another text", "RENXING_DATABASE", cure))
    return create_engine(
        url.set(drivername="postgresql+psycopg"), pool_pre_ping=True, pool_size=5, max_overflow=10,
        connect_args={"connect_timeout": int(WAIT_S), "options": f"-csearch_path={SCHEMA},public"},
    )  # fmt: skip


__all__ = ["FILE", "SCHEMA", "OperationalError", "Register", "told"]
