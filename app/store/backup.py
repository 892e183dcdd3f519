"""Everything in one file, while the service runs: studies, inputs, runs, and the register without its secrets.

::

    renxing-backup.json                        what is in it: SHA-256 of every file; comes last
    register/<table>.jsonl                     jobs, events, keys (their hashes), who changed what: a row a line
    studies/<study_id>/study.toml, inputs/, runs/<run_id>/run.json and layers/, latest.json

It is one state of everything. From folders: the register as it is first, then every study under its lock as links to
its files, which nobody changes in place; so no run that a job names is missing. From a database: one transaction. The
form is the same, so a backup of one is restored into the other.
"""

from __future__ import annotations

import contextlib
import os
import time
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import BaseModel, ConfigDict, Field
from sqlalchemy import Connection, Table, inspect, select

import app.store.blobs as blobs
import app.store.files as files
import app.store.ledger as ledger
import app.store.packed as packed
import app.store.rows as rows
from app import __version__
from app.store.ids import is_run_id
from app.store.inputs import input_files
from app.store.migrations import known_form
from app.store.register import Register
from app.store.runs import RECORD, SORTED, read_run, written
from app.store.workspace import DEFINITION, LATEST, LOCK, Study, Workspace
from geo.errors import ConflictError, Fault, NotFoundError, StorageError

PATIENT_S = 60.0
"""Seconds for which a backup waits for an edit."""
FORMAT = 1
"""Form of a backup."""
MANIFEST = "renxing-backup.json"
TABLES = (ledger.job, ledger.job_event, ledger.asked_before, ledger.api_key, ledger.audit)
"""What of the register is in a backup: not its secrets, which are made anew."""
PRIVATE = 0o600
"""Its owner alone may read a backup: it holds everything."""
AT_ONCE = 1000
"""Rows that are in memory at a time."""
PARTIAL = ".partial"
"""Ends the name of a study that is not whole yet."""
Part = tuple[str, Iterable[bytes]]


class Manifest(BaseModel):
    """What a backup holds."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    format: int = Field(default=FORMAT, description="Form of the backup (number).")
    program: str = Field(default=__version__, description="Version of Renxing that wrote it.")
    register_form: str | None = Field(description="Form of the register; none where there was none.")
    made_at: float = Field(description="When it was begun (s since 1970, UTC).")
    files: dict[str, str] = Field(description="SHA-256 of each file (hex), by its path.")


@dataclass(frozen=True)
class Contents:
    """What a backup holds, counted."""

    studies: int
    runs: int
    jobs: int
    bytes: int

    @classmethod
    def of(cls, names: Iterable[str], *, jobs: int, size: int) -> Contents:
        """Counted by the paths of the files."""
        parts = [name.split("/") for name in names]
        studies = sum(part[0] == "studies" and part[2:] == [DEFINITION] for part in parts)
        runs = sum(part[2:3] == ["runs"] and part[-1] == RECORD for part in parts)
        return cls(studies, runs, jobs, size)


def backup(workspace: Workspace, register: Register, out: Path, *, overwrite: bool = False) -> Contents:
    """Write everything to ``out``, whole or not at all; the register is read as it is and not changed.

    Raises ConflictError when the file is there and ``overwrite`` is not set, StorageError when something cannot be
    read or written.
    """
    if out.exists() and not overwrite:
        cure = "Choose another --out, or allow it with --overwrite."
        raise ConflictError(Fault("a new file", "one that is there", str(out), cure))
    began = time.time()
    with files.storing(out), contextlib.ExitStack() as held:
        out.parent.mkdir(parents=True, exist_ok=True)
        handle = held.enter_context(files.replacing(out))
        os.fchmod(handle.fileno(), PRIVATE)
        archive = held.enter_context(zipfile.ZipFile(handle, "w"))
        with register.reading() as connection:
            form = known_form(connection)
            digests, jobs = _register_put(archive, connection)
            digests |= _put(archive, _of_database(connection) if register.is_postgres else ())
        if not register.is_postgres:
            digests |= _put(archive, _of_folders(workspace))
        manifest = Manifest(register_form=form, made_at=began, files=digests)
        archive.writestr(packed.entry(MANIFEST), orjson.dumps(manifest.model_dump(), option=SORTED))
    return Contents.of(digests, jobs=jobs, size=out.stat().st_size)


def _put(archive: zipfile.ZipFile, parts: Iterable[Part]) -> dict[str, str]:
    """Write every part; their digests by name."""
    digests = {}
    for name, content in parts:
        entry = packed.entry(name)
        if name.endswith(packed.PACKED):
            entry.compress_type = zipfile.ZIP_STORED
        digests[name] = packed.put(archive, entry, content)
    return digests


# -- the register ----------------------------------------------------------------------------------------------------


def _register_put(archive: zipfile.ZipFile, connection: Connection) -> tuple[dict[str, str], int]:
    """The register's tables that are there, and how many jobs were among them."""
    there = set(inspect(connection).get_table_names())
    counts: dict[str, int] = {}
    parts = [(f"register/{of.name}.jsonl", _lines(connection, of, counts)) for of in TABLES if of.name in there]
    return _put(archive, parts), counts.get(ledger.job.name, 0)


def _lines(connection: Connection, of: Table, counts: dict[str, int]) -> Iterator[bytes]:
    """The rows of a table as JSON, a line each; only the columns that a register of an older form has."""
    has = {column["name"] for column in inspect(connection).get_columns(of.name)}
    asked = select(*(column for column in of.c if column.name in has)).order_by(*of.primary_key.columns)
    for row in connection.execution_options(yield_per=AT_ONCE).execute(asked).mappings():
        counts[of.name] = counts.get(of.name, 0) + 1
        yield orjson.dumps({str(name): value for name, value in row.items()}, option=orjson.OPT_APPEND_NEWLINE)


# -- studies of a database ---------------------------------------------------------------------------------------------


def _of_database(connection: Connection) -> Iterator[Part]:
    """Every file of every study, in the transaction of ``connection``."""
    if not inspect(connection).has_table(ledger.study.name):
        return
    for row in rows.every_row(connection):
        here = f"studies/{row.study_id}"
        yield f"{here}/{DEFINITION}", [row.definition.encode()]
        for name, sha256 in rows.files_of(connection, row.study_id).items():
            yield f"{here}/{name}", blobs.read(connection, sha256)
        for record in rows.records_of(connection, row.study_id):
            yield f"{here}/runs/{record.run_id}/{RECORD}", [written(record)]
        if latest := rows.latest_of(connection, row.study_id):
            yield f"{here}/{LATEST}", [orjson.dumps(latest, option=SORTED | orjson.OPT_INDENT_2)]


# -- studies in folders ------------------------------------------------------------------------------------------------


def _of_folders(workspace: Workspace) -> Iterator[Part]:
    """Every file of every study as it is now, whatever is changed or deleted while they are read."""
    if not workspace.root.is_dir():
        return
    with files.scratch(workspace.root, "backup") as held:
        for study_id in workspace.studies():
            partial = held / f"{study_id}{PARTIAL}"
            try:
                _hold(workspace, study_id, partial)
                partial.rename(held / study_id)
            except (NotFoundError, FileNotFoundError) as error:
                if study_id in workspace.studies():  # else it was deleted while it was looked at
                    raise _incomplete(study_id, error) from error
        for path in sorted(held.glob("*/**/*")):
            if path.is_file() and not path.relative_to(held).parts[0].endswith(PARTIAL):
                yield f"studies/{path.relative_to(held).as_posix()}", packed.pieces(path)


def _incomplete(study_id: str, error: Exception) -> StorageError:
    missing = Path(getattr(error, "filename", None) or study_id).name
    cure = "Bring the file back, or take what names it out of the study: its layer, or the folder of its run."
    return StorageError(Fault("every file of the study", f"no {missing}", study_id, cure))


def _hold(workspace: Workspace, study_id: str, target: Path) -> None:
    """A study as links to its files: an edit waits for it, a run that is written meanwhile is not in it."""
    study: Study = workspace.study(study_id)
    with files.locked(study.folder / LOCK, wait_s=PATIENT_S):
        study = workspace.study(study_id)
        for name in (DEFINITION, *input_files(study.file, study.folder)):
            files.link(study.folder / name, target / name)
        if (study.folder / LATEST).is_file():
            files.link(study.folder / LATEST, target / LATEST)
    for folder in sorted((study.folder / "runs").iterdir()):
        if is_run_id(folder.name) and (folder / RECORD).is_file():
            for name in (RECORD, *(layer.file for layer in read_run(folder).record.layers)):
                files.link(folder / name, target / "runs" / folder.name / name)


def as_rows(lines: Iterable[bytes]) -> Iterator[dict[str, Any]]:
    """The rows of a table of a backup. JSONDecodeError for what is no row."""
    for line in lines:
        row = orjson.loads(line)
        if not isinstance(row, dict):
            raise orjson.JSONDecodeError("expected a row", line.decode("utf-8", "replace"), 0)
        yield row
