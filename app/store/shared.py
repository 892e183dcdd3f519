"""The workspace of several machines: PostgreSQL holds the truth, the folder is a cache of it.

A study is brought down, whole, when it is asked for and is not what the database has; a file of a run when it is read.
Whatever changes a study or adds a run is made in the folder, kept in one transaction, and seen by everybody from then
on. The folder may be thrown away at any time, and is never the only place of anything; nobody edits it by hand.

Who waits for whom: a change holds the study's row, then the study's lock file; whoever brings a study down holds the
lock file and no row. So nobody waits in a circle.
"""

from __future__ import annotations

import contextlib
import secrets
import shutil
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from sqlalchemy import Connection, select
from sqlalchemy.dialects.postgresql import insert

import app.store.blobs as blobs
import app.store.files as files
import app.store.postgis as postgis
import app.store.rows as rows
from app.store.brought import Brought
from app.store.ids import is_id, is_run_id, known_id
from app.store.ledger import secret
from app.store.register import Register
from app.store.runs import Record, Run
from app.store.workspace import DEFINITION, FOLDERS, MARK, Change, Check, Study, Workspace, no_run, no_study
from data.study import StudyFile
from geo.errors import Fault, InputError, RenxingError, StorageError

LOCKED = ".lock"
NAME = "store_id"
"""Under which a database's own name is kept: a cache belongs to one database."""
BRINGING_S = 120.0
"""Seconds for which one waits while another brings a study down."""
TRIES = 3
"""How often a study is brought down when somebody throws the cache away meanwhile."""


@dataclass(frozen=True, repr=False)
class SharedRun(Run):
    """A run whose files are brought down when they are read."""

    bring: Callable[[str, Path], None] = field(compare=False)

    def file(self, name: str, kind: str) -> Path:
        """The file of a layer that must be of this kind: table or raster."""
        path = super().file(name, kind)
        if not path.is_file():
            self.bring(self.layer(name).sha256, path)
        return path


class SharedWorkspace(Workspace):
    """Studies in a database, with a folder as their cache."""

    def __init__(self, path: Path, register: Register, *, readers: str = "") -> None:
        super().__init__(path)
        self.register = register
        self.readers = readers
        self._mine = threading.local()

    def __repr__(self) -> str:
        return f"SharedWorkspace({self.path} of {self.register!r})"

    @classmethod
    def join(cls, path: Path, database: str, *, readers: str = "") -> SharedWorkspace:
        """The workspace in a database, with ``path`` as this machine's cache.

        StorageError for a folder with studies of its own, for another database's cache, and when the database cannot be
        had.
        """
        workspace = cls(path, Register.open(path, database), readers=readers)
        with files.storing(path):
            workspace._claim()
            workspace._sweep()
        return workspace

    # -- studies -------------------------------------------------------------------------------------------------

    def studies(self) -> list[str]:
        """Ids of all studies, sorted."""
        with self.register.reading() as connection:
            return rows.studies(connection)

    def readable(self) -> tuple[list[Study], dict[str, RenxingError]]:
        """Every study whose definition can be read, and for the others what is wrong; no file is brought down."""
        with self.register.reading() as connection:
            every = rows.every_row(connection)
        found: list[Study] = []
        broken: dict[str, RenxingError] = {}
        for row in every:
            folder = self.root / row.study_id
            try:
                found.append(Study(folder, row.file(folder)))
            except InputError as error:
                broken[row.study_id] = error
        return found, broken

    def study(self, study_id: str) -> Study:
        """One study, brought down when the cache has not got it as it is now.

        NotFoundError when there is none, InputError says what is wrong in its definition.
        """
        folder = self.root / known_id(study_id, what="study")
        with files.storing(folder):
            for again in reversed(range(TRIES)):
                try:
                    self._bring(study_id)
                    return Study(folder, StudyFile.load(folder / DEFINITION))
                except FileNotFoundError:  # the cache was thrown away meanwhile
                    if not again:
                        raise
        raise AssertionError("unreachable")

    def create(
        self, file: StudyFile, inputs: Mapping[str, Path], *, boundary: Path | None = None, check: Check | None = None
    ) -> Study:
        """Make a study whose layers are copied from ``inputs`` (layer id -> file). ConflictError when it is there."""
        with self._alone(known_id(file.study_id, what="study")):
            return super().create(file, inputs, boundary=boundary, check=check)

    def receive(self, study_id: str, fill: Callable[[Path], None]) -> Study:
        """Make a study whose folder ``fill`` fills (its definition and inputs). ConflictError when it is there."""
        with self._alone(known_id(study_id, what="study")):
            return super().receive(study_id, fill)

    def edit(self, study_id: str, change: Change) -> Study:
        """Change a study's definition: read, changed and kept while its row is held, so no edit is lost anywhere."""
        folder = self.root / known_id(study_id, what="study")
        with files.storing(folder), self.register.writing() as connection:
            row = rows.row_of(connection, study_id, alone=True)
            with self._alone(study_id):
                self._bring_down(connection, row)
                old = StudyFile.load(folder / DEFINITION)
                changed = change(old)
                rows.change_study(connection, row, changed, folder, Brought.read(folder).same(folder))
            if _scenarios(old) != _scenarios(changed):
                self._show(connection, study_id, changed)
        return self.study(study_id)

    def delete(self, study_id: str, *, require: Callable[[StudyFile], None] = lambda _: None) -> None:
        """Delete a study and all its runs. ``require`` may refuse the definition as it is then."""
        with self.register.writing() as connection:
            row = rows.row_of(connection, known_id(study_id, what="study"), alone=True)
            require(row.file(self.root / study_id))
            gone = rows.take_away(connection, known_id(study_id, what="study"))
            postgis.drop(connection, postgis.study_schema(study_id))
        # One transaction for each run: all together would need more locks than a server has.
        for run_id in gone:
            with self.register.writing() as connection:
                postgis.drop(connection, postgis.run_schema(run_id))
        with files.storing(self.path):
            self._forget(study_id)

    # -- runs ----------------------------------------------------------------------------------------------------

    def has_run(self, study_id: str, run_id: str) -> bool:
        """Whether a study has this run, finished."""
        with self.register.reading() as connection:
            return rows.has_run(connection, study_id, run_id)

    def run(self, run_id: str) -> Run:
        """One run of any study."""
        with self.register.reading() as connection:
            record = rows.record_of(connection, run_id) if is_run_id(run_id) else None
        if record is None:
            raise no_run(run_id)
        return self._opened(record)

    def runs(self, study_id: str) -> list[Run]:
        """Every finished run of a study, in the order of their names."""
        with self.register.reading() as connection:
            rows.row_of(connection, known_id(study_id, what="study"))
            return [self._opened(record) for record in rows.records_of(connection, study_id)]

    def mark_latest(self, run: Run) -> None:
        """Remember ``run`` as the one computed last for its scenario, and let the study's views show it."""
        study_id = run.record.study_id
        with self.register.writing() as connection:
            row = rows.row_of(connection, study_id, alone=True)
            if rows.mark(connection, run.record):
                self._show(connection, study_id, row.file(self.root / study_id))

    def latest(self, study_id: str) -> dict[str, Run]:
        """For each scenario the run computed last, in the order of the study's scenarios."""
        with self.register.reading() as connection:
            row = rows.row_of(connection, known_id(study_id, what="study"))
            found = rows.latest_records(connection, study_id, _scenarios(row.file(self.root / study_id)))
        return {scenario: self._opened(record) for scenario, record in found.items()}

    # -- keeping it in order -------------------------------------------------------------------------------------

    def tidy(self) -> Tidied:
        """Make what is missing and take away what nobody needs: tables and views of runs, files nobody names."""
        with self.register.reading() as connection:
            names, laid = rows.run_names(connection), postgis.laid(connection)
        made = [self._lay_again(run_id) for run_id in sorted(names - laid)]
        with self.register.writing() as connection:
            gone = sorted(postgis.laid(connection) - rows.run_names(connection))
        for run_id in gone:
            with self.register.writing() as connection:
                postgis.drop(connection, postgis.run_schema(run_id))
        for run_id in sorted(names & laid if self.readers else ()):
            with self.register.writing() as connection:
                postgis.let_read(connection, postgis.run_schema(run_id), self.readers)
        self._show_every()
        with self.register.writing() as connection:
            collected = blobs.collect(connection)
        return Tidied(runs_laid=sum(made), runs_dropped=len(gone), files_collected=collected)

    def _lay_again(self, run_id: str) -> bool:
        """Make the tables of a run that has none."""
        run = self.run_there(run_id)
        if run is None:
            return False
        for layer in run.record.layers:
            run.file(layer.layer, layer.kind)
        with files.storing(run.folder), self.register.writing() as connection:
            postgis.lay(connection, run.record, run.folder, readers=self.readers)
        return True

    def _show_every(self) -> None:
        for study_id in self.studies():
            with contextlib.suppress(InputError), self.register.writing() as connection:
                row = rows.row_of(connection, study_id, alone=True)
                self._show(connection, study_id, row.file(self.root / study_id))
        with self.register.writing() as connection:
            wanted = {postgis.study_schema(study_id) for study_id in rows.studies(connection)}
            for schema in sorted(postgis.shown(connection) - wanted):
                postgis.drop(connection, schema)

    def _show(self, connection: Connection, study_id: str, file: StudyFile) -> None:
        laid = postgis.laid(connection)
        found = rows.latest_records(connection, study_id, _scenarios(file)).values()
        postgis.show(connection, study_id, [r for r in found if r.run_id in laid], readers=self.readers)

    # -- what a workspace asks of its kind -------------------------------------------------------------------------

    def _taken(self, study_id: str) -> bool:
        with self.register.reading() as connection:
            there = rows.revision_of(connection, study_id) is not None
        if not there:
            self._forget(study_id)
        return there

    def _found(self, file: StudyFile, folder: Path) -> None:
        with self.register.writing() as connection:
            digests = rows.add_study(connection, file, folder)
        Brought.note(folder, 1, {**digests, DEFINITION: files.digest(folder / DEFINITION)})

    def _keep(self, record: Record, folder: Path) -> None:
        with self.register.writing() as connection:
            rows.add_run(connection, record, folder)
            postgis.lay(connection, record, folder, readers=self.readers)

    def _run_of(self, study_id: str, run_id: str) -> Run:
        return self.run(run_id)

    def _opened(self, record: Record) -> Run:
        return SharedRun(self.root / record.study_id / "runs" / record.run_id, record, self._bring_file)

    # -- the cache -------------------------------------------------------------------------------------------------

    def _bring(self, study_id: str) -> None:
        """Let the folder of a study be what the database has; NotFoundError, and no folder, when it has none."""
        with self.register.reading() as connection:
            revision = rows.revision_of(connection, study_id)
        if revision is None:
            self._forget(study_id)
            raise no_study(study_id)
        folder = self.root / study_id
        if Brought.read(folder).fits(folder, revision):
            return
        # Asked anew under the lock: meanwhile another process may have brought down a newer one.
        with self._alone(study_id), self.register.reading() as connection:
            self._bring_down(connection, rows.row_of(connection, study_id))

    def _bring_down(self, connection: Connection, row: rows.StudyRow) -> None:
        """Let a study's folder be this row; its lock file is held."""
        folder = self.root / row.study_id
        if Brought.read(folder).fits(folder, row.revision):
            return
        wanted = rows.inputs_of(connection, row.study_id)
        if (folder / DEFINITION).is_file():
            _fill(connection, folder, row, wanted)
            return
        shutil.rmtree(folder, ignore_errors=True)
        with files.building(folder) as fresh:
            _fill(connection, fresh, row, wanted)

    def _bring_file(self, sha256: str, path: Path) -> None:
        with files.storing(path), self.register.reading() as connection:
            self._claim_anew()
            blobs.bring(connection, sha256, path)

    def _forget(self, study_id: str) -> None:
        """Take a study out of the cache."""
        if not (self.root / study_id).exists():
            return
        with self._alone(study_id), contextlib.suppress(FileNotFoundError):
            files.remove(self.root / study_id)

    @contextlib.contextmanager
    def _alone(self, study_id: str) -> Iterator[None]:
        """Hold the study's lock file on this machine; whoever holds it already goes on."""
        held: set[str] = self._mine.__dict__.setdefault("held", set())
        if study_id in held:
            yield
            return
        with files.storing(self.path):
            self._claim_anew()
            with files.locked(self.root / f".{study_id}{LOCKED}", wait_s=BRINGING_S):
                held.add(study_id)
                try:
                    yield
                finally:
                    held.discard(study_id)

    def _claim(self) -> None:
        """Let the folder be this database's cache. StorageError when it is something else."""
        said = self.path / MARK
        if said.exists():
            if said.read_text(encoding="utf-8") != self._store_id():
                cure = "Delete the folder: it is only a cache. Or choose another --workspace."
                raise StorageError(Fault("the cache of this database", "that of another", str(self.path), cure))
            return
        if Workspace(self.path).studies():
            cure = (
                "Bring them into the database with renxing backup and renxing restore, or choose another --workspace."
            )
            found = "a workspace with studies of its own"
            raise StorageError(Fault("an empty folder to keep a cache in", found, str(self.path), cure))
        self._claim_anew()

    def _claim_anew(self) -> None:
        """The folder as a cache, made again where somebody threw it away."""
        self.root.mkdir(parents=True, exist_ok=True)
        if not (self.path / MARK).exists():
            files.write(self.path / MARK, self._store_id().encode())

    def _store_id(self) -> str:
        """The database's own name, given to it by whoever comes first."""
        if not hasattr(self, "_known_id"):
            made = secrets.token_hex(16).encode()
            with self.register.writing() as connection:
                connection.execute(insert(secret).values(name=NAME, value=made).on_conflict_do_nothing())
                kept = connection.execute(select(secret.c.value).where(secret.c.name == NAME)).scalar_one()
            self._known_id = bytes(kept).decode()
        return self._known_id

    def _sweep(self) -> None:
        """Take out of the cache what dead processes left half built, and studies that are gone."""
        files.sweep(self.root)
        there = [path for path in self.root.iterdir() if is_id(path.name) and path.is_dir()]
        known = set(self.studies())  # asked after the folder was looked at: a study is kept before it is seen there
        for folder in there:
            if folder.name not in known:
                self._forget(folder.name)
            for name in ("", *FOLDERS):
                files.sweep(folder / name)


@dataclass(frozen=True)
class Tidied:
    """What was put in order: runs whose tables were made or taken away, files that nobody named."""

    runs_laid: int
    runs_dropped: int
    files_collected: int


def _scenarios(file: StudyFile) -> list[str]:
    return [scenario.scenario_id for scenario in file.scenarios]


def _fill(connection: Connection, folder: Path, row: rows.StudyRow, wanted: Mapping[str, str]) -> None:
    """Bring down the files that are not there or not the same, then the definition; drop those it does not name."""
    for name in FOLDERS:
        (folder / name).mkdir(exist_ok=True)
    before = Brought.read(folder)
    same = before.same(folder)
    for name, sha256 in wanted.items():
        if same.get(name) != sha256 and not _is(folder / name, sha256):
            blobs.bring(connection, sha256, folder / name)
    files.write(folder / DEFINITION, row.definition.encode())
    for name in before.files.keys() - wanted.keys() - {DEFINITION}:
        (folder / name).unlink(missing_ok=True)
    Brought.note(folder, row.revision, {**wanted, DEFINITION: files.digest(folder / DEFINITION)})


def _is(path: Path, sha256: str) -> bool:
    return path.is_file() and files.digest(path) == sha256
