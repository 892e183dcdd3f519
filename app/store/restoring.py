"""A backup taken in: into an empty workspace of either kind, whole or not at all.

Everything in it is checked before anything is seen: names, sizes, digests, definitions, runs. So a backup of folders is
how studies come into a database, and one of a database how they come out again.
"""

from __future__ import annotations

import re
import shutil
import zipfile
from collections.abc import Iterator, Mapping
from pathlib import Path

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, Table, func, insert, select, text
from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, StatementError

import app.store.files as files
import app.store.packed as packed
import app.store.rows as rows
from app.store.backup import AT_ONCE, FORMAT, MANIFEST, TABLES, Contents, Manifest, as_rows
from app.store.ledger import job
from app.store.migrations import newest
from app.store.register import Register
from app.store.runs import RECORD, Record, read_run
from app.store.workspace import DEFINITION, FOLDERS, LATEST, Workspace, named_as
from data.archives import BROKEN
from data.limits import Limit
from data.study import StudyFile
from geo.errors import ConflictError, Fault, FileMissingError, RenxingError, StorageError, UnreadableError, refuse

AGAIN = "Copy the backup again, or use another one."
NEWER = "Use the version of Renxing that wrote it, or a newer one."
LISTED = Limit("zip-size", 1 << 30, "bytes of the list of what is in a backup", AGAIN)
FILES = Limit("zip-entries", 2_000_000, "files in a backup", AGAIN)
UNPACKED = Limit("zip-size", 1 << 42, "bytes of all files in a backup", AGAIN)
SPARE = 64 << 20
"""Bytes of room that must be left beside what is unpacked."""
NAMES = re.compile(
    r"register/(?:{tables})\.jsonl|studies/{id}/(?:study\.toml|latest\.json|inputs/{file}|runs/{run}/run\.json"
    r"|runs/{run}/layers/{file})".format(
        tables="|".join(of.name for of in TABLES), id="[a-z0-9][a-z0-9_-]{0,63}", run="[0-9a-f]{16}",
        file=r"(?!\.{1,2}(?:/|$))[^/\\\x00-\x1f\x7f]{1,200}",
    )
)  # fmt: skip
"""The paths there may be: nothing that leads anywhere else."""


def restore(archive: Path, workspace: Workspace, register: Register) -> Contents:
    """Take in everything of a backup; what it held, counted.

    Raises FileMissingError, UnreadableError (no backup, a newer one, or one that was changed), LimitError, and
    ConflictError when there are studies, jobs or keys already; then nothing is left behind.
    """
    _require_empty(workspace, register)
    manifest = _manifest(archive)
    with files.storing(workspace.root):
        workspace.path.mkdir(parents=True, exist_ok=True)
        _require_room(archive, workspace.path)
        if register.is_postgres:
            with files.scratch(workspace.path, "restore") as folder:
                _unpack(archive, manifest, folder)
                _into_database(folder, register)
        else:
            _into_folders(archive, manifest, workspace, register)
    with register.reading() as connection:
        jobs = connection.execute(select(func.count()).select_from(job)).scalar_one()
    return Contents.of(manifest.files, jobs=int(jobs), size=archive.stat().st_size)


def _require_empty(workspace: Workspace, register: Register) -> None:
    found = [f"{len(there)} studies ({', '.join(there[:3])})"] if (there := workspace.studies()) else []
    with register.reading() as connection:
        counts = {of.name: connection.execute(select(func.count()).select_from(of)).scalar_one() for of in TABLES}
    found += [f"{n} rows of {name}" for name, n in counts.items() if n]
    cure = "Restore into a new --workspace, or into a new database with RENXING_DATABASE."
    faults = [Fault("an empty workspace to restore into", "; ".join(found), str(workspace.path), cure)] if found else []
    refuse(ConflictError, faults)


def _into_folders(archive: Path, manifest: Manifest, workspace: Workspace, register: Register) -> None:
    """Everything is seen at once: the folder of studies with its new name, the rows when that is done."""
    with files.scratch(workspace.path, "restore") as folder:
        _unpack(archive, manifest, folder)
        with register.writing() as connection, files.building(workspace.root) as fresh:
            _add_rows(connection, folder, str(archive))
            for study in sorted((folder / "studies").glob("*")):
                study.rename(fresh / study.name)


def _into_database(folder: Path, register: Register) -> None:
    with register.writing() as connection:
        _add_rows(connection, folder, MANIFEST)
        for place in sorted((folder / "studies").glob("*")):
            file = StudyFile.load(place / DEFINITION)
            rows.add_study(connection, file, place)
            runs = {path.name: read_run(path).record for path in sorted((place / "runs").iterdir())}
            for name, record in runs.items():
                rows.add_run(connection, record, place / "runs" / name)
            for name in _latest(place).values():
                if name in runs:
                    rows.mark(connection, runs[name])


# -- what is in it -----------------------------------------------------------------------------------------------------


def _manifest(archive: Path) -> Manifest:
    """What the backup says it holds, and whether it does."""
    if not archive.is_file():
        raise FileMissingError(Fault("a backup", "no such file", str(archive), "Check the path."))
    try:
        with zipfile.ZipFile(archive) as opened:
            return _listed(opened, str(archive))
    except RenxingError:
        raise
    except BROKEN as error:
        raise UnreadableError(Fault("a backup of Renxing", f"“{error}”", str(archive), AGAIN)) from error


def _listed(opened: zipfile.ZipFile, where: str) -> Manifest:
    entries = {entry.filename: entry.file_size for entry in opened.infolist()}
    FILES.require(len(opened.infolist()), where)
    UNPACKED.require(sum(entry.file_size for entry in opened.infolist()), where)
    if MANIFEST not in entries:
        raise UnreadableError(Fault(f"a backup with {MANIFEST}", "a zip without it", where, AGAIN))
    LISTED.require(entries[MANIFEST], where)
    said = orjson.loads(opened.read(MANIFEST))
    _refuse_newer(said, where)
    try:
        manifest = Manifest.model_validate(said)
    except ValidationError as error:
        raise UnreadableError(Fault(f"{MANIFEST} of a backup", f"{error.error_count()} faults", where, AGAIN)) from None
    refuse(UnreadableError, [*_faults(manifest, opened, where)])
    return manifest


def _refuse_newer(said: object, where: str) -> None:
    """Said before anything else of it is read: a newer form may be any other."""
    form = said.get("format") if isinstance(said, dict) else None
    if isinstance(form, int) and form > FORMAT:
        raise UnreadableError(Fault(f"a backup of form {FORMAT} or older", f"a newer one, form {form}", where, NEWER))
    register = said.get("register_form") if isinstance(said, dict) else None
    if isinstance(register, str) and register > newest():
        newer = f"a newer one, form {register[:40]}"
        raise UnreadableError(Fault(f"a register of form {newest()} or older", newer, where, NEWER))


def _faults(manifest: Manifest, opened: zipfile.ZipFile, where: str) -> Iterator[Fault]:
    inside, listed = sorted(opened.namelist()), sorted([MANIFEST, *manifest.files])
    if inside != listed:
        odd = sorted(set(inside) ^ set(listed))[:3] or ["a name more than once"]
        yield Fault("the files it lists, each once", f"others: {', '.join(odd)}"[:200], where, AGAIN)
    strange = [name for name in listed if name != MANIFEST and not NAMES.fullmatch(name)]
    if strange:
        yield Fault("files of studies and of the register", repr(strange[0][:80]), where, AGAIN)


def _require_room(archive: Path, folder: Path) -> None:
    """StorageError when what is packed has no room: before it is unpacked, not in the middle."""
    with zipfile.ZipFile(archive) as opened:
        needed = sum(entry.file_size for entry in opened.infolist()) + SPARE
    free = shutil.disk_usage(folder).free
    if needed > free:
        cure = "Make room, or choose another --workspace."
        raise StorageError(Fault(f"room for {needed:,} bytes", f"{free:,}", str(folder), cure))


def _unpack(archive: Path, manifest: Manifest, folder: Path) -> None:
    """Everything in a folder, checked: bytes first, then what they say."""
    where = str(archive)
    with zipfile.ZipFile(archive) as opened:
        for name, sha256 in manifest.files.items():
            (folder / name).parent.mkdir(parents=True, exist_ok=True)
            packed.take_out(opened, name, folder / name, sha256, where=where, cure=AGAIN)
    with named_as({str(folder): where}):
        for study in sorted((folder / "studies").glob("*")):
            _require_study(
                study, {n: sha for n, sha in manifest.files.items() if n.startswith(f"studies/{study.name}/")}
            )


def _require_study(folder: Path, digests: Mapping[str, str]) -> None:
    """Its definition and runs are such as this program writes; folders it needs are made."""
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    file = StudyFile.load(folder / DEFINITION)
    found = [Fault(f"the definition of {folder.name}", f"that of {file.study_id}", DEFINITION, AGAIN)]
    refuse(UnreadableError, found if file.study_id != folder.name else [])
    missing = [layer.file for layer in file.layers if layer.file and not (folder / layer.file).is_file()]
    refuse(UnreadableError, [Fault("every file its study names", f"no {name}", folder.name, AGAIN) for name in missing])
    _latest(folder)
    for run in sorted((folder / "runs").iterdir()):
        refuse(UnreadableError, [*_run_faults(read_run(run).record, run, folder.name, digests)])


def _run_faults(record: Record, folder: Path, study_id: str, digests: Mapping[str, str]) -> Iterator[Fault]:
    if (record.run_id, record.recipe.run_id, record.study_id) != (folder.name, folder.name, study_id):
        yield Fault(f"run {folder.name} of {study_id}", f"run {record.run_id} of {record.study_id}", RECORD, AGAIN)
    here = f"studies/{study_id}/runs/{folder.name}"
    for layer in record.layers:
        if digests.get(f"{here}/{layer.file}") != layer.sha256:
            yield Fault(f"layer {layer.layer} as it was computed", "something else", f"run {folder.name}", AGAIN)


def _latest(folder: Path) -> dict[str, str]:
    path = folder / LATEST
    said = orjson.loads(path.read_bytes()) if path.is_file() else {}
    if not isinstance(said, dict) or not all(isinstance(name, str) for name in said.values()):
        raise UnreadableError(Fault("scenarios and runs", "something else", str(path), AGAIN))
    return said


# -- the register ------------------------------------------------------------------------------------------------------


def _add_rows(connection: Connection, folder: Path, where: str) -> None:
    """Every row of the register; UnreadableError for rows it cannot have."""
    for of in TABLES:
        path = folder / "register" / f"{of.name}.jsonl"
        if path.is_file():
            try:
                _add_table(connection, of, path)
            except (StatementError, orjson.JSONDecodeError, KeyError) as error:
                if isinstance(error, DBAPIError) and not isinstance(error, DataError | IntegrityError):
                    raise  # the database, not the backup
                said = str(getattr(error, "orig", None) or error).splitlines()[0][:200]
                raise UnreadableError(Fault(f"rows of {of.name}", said, where, AGAIN)) from error


def _add_table(connection: Connection, of: Table, path: Path) -> None:
    known = set(of.c.keys())
    with path.open("rb") as lines:
        some: list[dict[str, object]] = []
        for row in as_rows(lines):
            if odd := set(row) - known:
                raise KeyError(f"columns that are not known: {', '.join(sorted(odd))[:100]}")
            some.append(row)
            if len(some) == AT_ONCE:
                connection.execute(insert(of), some)
                some = []
        if some:
            connection.execute(insert(of), some)
    _count_on(connection, of)


def _count_on(connection: Connection, of: Table) -> None:
    """Let a number that counts up go on behind those that were given (SQLite does of itself)."""
    counting = of.autoincrement_column
    if connection.dialect.name != "postgresql" or counting is None or of.primary_key.columns.keys() != [counting.name]:
        return
    sequence = connection.execute(
        text("SELECT pg_get_serial_sequence(:table, :column)"), {"table": of.name, "column": counting.name}
    ).scalar()
    if sequence is not None:
        last = connection.execute(select(func.max(counting))).scalar()
        connection.execute(text("SELECT setval(:sequence, :last)"), {"sequence": sequence, "last": last or 1})
