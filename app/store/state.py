"""How the storage stands: its kind and form, what is in it, and how large it is."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from sqlalchemy import Connection, Table, func, inspect, select, text

import app.store.blobs as blobs
import app.store.files as files
import app.store.ledger as ledger
import app.store.rows as rows
from app.store.backup import TABLES
from app.store.ids import is_run_id
from app.store.migrations import known_form, newest
from app.store.register import Register
from app.store.runs import RECORD
from app.store.workspace import FOLDERS, Workspace


@dataclass(frozen=True)
class State:
    """The storage in numbers; ``sizes`` in bytes, ``counts`` of rows of the register."""

    kind: str
    place: str
    register_form: str | None
    newest_form: str
    studies: int
    runs: int
    sizes: dict[str, int]
    counts: dict[str, int]

    @property
    def is_older(self) -> bool:
        """Whether the register will be brought up to date by the next command that writes."""
        return self.register_form is not None and self.register_form != self.newest_form


def state(workspace: Workspace, register: Register) -> State:
    """How a workspace and its register stand; nothing is changed."""
    with files.storing(workspace.path), register.reading() as connection:
        found = _of_database(connection) if register.is_postgres else _of_folders(workspace, register)
        studies, runs, sizes = found
        there = set(inspect(connection).get_table_names())
        return State(
            kind="postgresql" if register.is_postgres else "folders",
            place=_address(register) if register.is_postgres else str(workspace.path),
            register_form=known_form(connection), newest_form=newest(), studies=studies, runs=runs, sizes=sizes,
            counts={of.name: _count(connection, of) for of in TABLES if of.name in there},
        )  # fmt: skip


def _address(register: Register) -> str:
    """The database as a setting has it, without its password."""
    return register.engine.url.set(drivername="postgresql").render_as_string(hide_password=True)


def _count(connection: Connection, of: Table) -> int:
    return int(connection.execute(select(func.count()).select_from(of)).scalar_one())


def _of_database(connection: Connection) -> tuple[int, int, dict[str, int]]:
    """Studies, runs, and bytes: of everything, of files, and of files nobody names any more."""
    whole = int(connection.execute(text("SELECT pg_database_size(current_database())")).scalar_one())
    if not inspect(connection).has_table(ledger.blob.name):
        return 0, 0, {"database": whole}
    stored = int(connection.execute(select(func.coalesce(func.sum(ledger.blob.c.bytes), 0))).scalar_one())
    sizes = {"database": whole, "files": stored, "unnamed": blobs.unnamed(connection)[1]}
    return (*rows.counted(connection), sizes)


def _of_folders(workspace: Workspace, register: Register) -> tuple[int, int, dict[str, int]]:
    folders = [workspace.root / study_id for study_id in workspace.studies()]
    runs = [p for folder in folders for p in (folder / "runs").glob(f"*/{RECORD}") if is_run_id(p.parent.name)]
    sizes = {name: sum(_size(folder / name) for folder in folders) for name in FOLDERS}
    database = register.engine.url.database
    return len(folders), len(runs), {**sizes, "register": Path(database).stat().st_size if database else 0}


def _size(folder: Path) -> int:
    """Bytes of the files below a folder, those that go meanwhile left out."""
    total = 0
    for path in folder.rglob("*"):
        try:
            total += path.lstat().st_size
        except FileNotFoundError:
            continue
    return total
