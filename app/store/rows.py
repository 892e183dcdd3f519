"""Studies and runs as rows of PostgreSQL: what is the truth where a database holds everything."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from pydantic import ValidationError
from sqlalchemy import Connection, Select, delete, func, select, update
from sqlalchemy.dialects.postgresql import insert

import app.store.blobs as blobs
import app.store.files as files
from app.store.inputs import input_files
from app.store.ledger import latest, run, study, study_file
from app.store.runs import Record
from app.store.workspace import DEFINITION, no_study
from data.study import StudyFile
from geo.errors import ConflictError, Fault, UnreadableError

RUNS = "runs/"
"""How the paths of a run's files begin, in ``study_file``."""


@dataclass(frozen=True)
class StudyRow:
    """A study as the database has it: how often it was changed, and its definition as text."""

    study_id: str
    revision: int
    definition: str

    def __repr__(self) -> str:
        return f"StudyRow({self.study_id}, revision {self.revision})"

    def file(self, folder: Path) -> StudyFile:
        """The definition, understood; ``folder`` is where it is said to be."""
        return StudyFile.understood(self.definition, str(folder / DEFINITION))


# -- studies ---------------------------------------------------------------------------------------------------------


def studies(connection: Connection) -> list[str]:
    """Ids of all studies, sorted as Python sorts them."""
    return sorted(connection.execute(select(study.c.study_id)).scalars())


def revision_of(connection: Connection, study_id: str) -> int | None:
    """How often a study was changed; None when there is none."""
    return connection.execute(select(study.c.revision).where(study.c.study_id == study_id)).scalar()


def row_of(connection: Connection, study_id: str, *, alone: bool = False) -> StudyRow:
    """One study; NotFoundError when there is none. ``alone``: whoever else would change it waits for this transaction.

    Runs may still be added to it meanwhile.
    """
    asked = _rows().where(study.c.study_id == study_id)
    found = connection.execute(asked.with_for_update(key_share=True) if alone else asked).first()
    if found is None:
        raise no_study(study_id)
    return StudyRow(*found)


def every_row(connection: Connection) -> list[StudyRow]:
    """Every study, in the order of their ids."""
    return sorted((StudyRow(*found) for found in connection.execute(_rows())), key=lambda row: row.study_id)


def _rows() -> Select[Any]:
    return select(study.c.study_id, study.c.revision, study.c.definition)


def add_study(connection: Connection, file: StudyFile, folder: Path) -> dict[str, str]:
    """A new study with the files in its folder; their digests by path. ConflictError when it is there already."""
    definition = (folder / DEFINITION).read_text(encoding="utf-8")
    row = insert(study).values(study_id=file.study_id, revision=1, definition=definition, changed_at=time.time())
    if connection.execute(row.on_conflict_do_nothing().returning(study.c.study_id)).first() is None:
        raise ConflictError(Fault("a new study", "one of that name", file.study_id, "Choose another name."))
    named = {name: files.digest(folder / name) for name in input_files(file, folder)}
    _name(connection, file.study_id, named, {name: folder / name for name in named})
    return named


def change_study(
    connection: Connection, row: StudyRow, file: StudyFile, folder: Path, known: Mapping[str, str]
) -> None:
    """A study's next revision: its definition, and the files in its folder that it names now.

    ``known`` are digests (path -> SHA-256) of files that are as they were.
    """
    named = {name: known.get(name) or files.digest(folder / name) for name in input_files(file, folder)}
    values = {"revision": row.revision + 1, "definition": file.dump(), "changed_at": time.time()}
    connection.execute(update(study).where(study.c.study_id == row.study_id).values(**values))
    there = inputs_of(connection, row.study_id)
    gone = [name for name in there if there[name] != named.get(name)]
    mine = (study_file.c.study_id == row.study_id, study_file.c.path.in_(gone))
    connection.execute(delete(study_file).where(*mine))
    fresh = {name: sha for name, sha in named.items() if there.get(name) != sha}
    _name(connection, row.study_id, fresh, {name: folder / name for name in fresh})


def inputs_of(connection: Connection, study_id: str) -> dict[str, str]:
    """The files a study's definition names: digest by path in its folder."""
    return {name: sha for name, sha in files_of(connection, study_id).items() if not name.startswith(RUNS)}


def files_of(connection: Connection, study_id: str) -> dict[str, str]:
    """Every file of a study and its runs: digest by path in its folder, in the order of the paths."""
    asked = select(study_file.c.path, study_file.c.sha256).where(study_file.c.study_id == study_id)
    return dict(sorted((str(path), str(sha)) for path, sha in connection.execute(asked)))


def _name(connection: Connection, study_id: str, named: Mapping[str, str], there: Mapping[str, Path]) -> None:
    """Let a study have these files: SHA-256 by path in its folder, and where each is now."""
    blobs.put(connection, {sha256: there[name] for name, sha256 in named.items()})
    if named:
        rows = [{"study_id": study_id, "path": name, "sha256": sha256} for name, sha256 in named.items()]
        connection.execute(insert(study_file), rows)


def take_away(connection: Connection, study_id: str) -> list[str]:
    """Delete a study and its runs; the names of the runs. NotFoundError when it is not there."""
    asked = select(study.c.study_id).where(study.c.study_id == study_id).with_for_update()
    if connection.execute(asked).first() is None:
        raise no_study(study_id)
    gone = list(connection.execute(select(run.c.run_id).where(run.c.study_id == study_id)).scalars())
    connection.execute(delete(study).where(study.c.study_id == study_id))
    return gone


# -- runs ------------------------------------------------------------------------------------------------------------


def add_run(connection: Connection, record: Record, folder: Path) -> None:
    """A new run with the files in its folder.

    ConflictError when it is there already, NotFoundError when its study is not.
    """
    held = (
        select(study.c.study_id).where(study.c.study_id == record.study_id).with_for_update(read=True, key_share=True)
    )
    if connection.execute(held).first() is None:
        raise no_study(record.study_id)
    row = insert(run).values(
        run_id=record.run_id, study_id=record.study_id, scenario_id=record.scenario_id,
        record=record.model_dump(mode="json"), made_at=time.time(),
    )  # fmt: skip
    if connection.execute(row.on_conflict_do_nothing().returning(run.c.run_id)).first() is None:
        raise ConflictError(Fault("a new run", "one that is there", record.run_id))
    inside = {f"{RUNS}{record.run_id}/{layer.file}": layer for layer in record.layers}
    there = {name: folder / layer.file for name, layer in inside.items()}
    _name(connection, record.study_id, {name: layer.sha256 for name, layer in inside.items()}, there)


def record_of(connection: Connection, run_id: str) -> Record | None:
    """One run of any study; None when there is none."""
    found = connection.execute(select(run.c.record).where(run.c.run_id == run_id)).scalar()
    return None if found is None else _understood(run_id, found)


def records_of(connection: Connection, study_id: str) -> list[Record]:
    """Every run of a study, in the order of their names."""
    asked = select(run.c.run_id, run.c.record).where(run.c.study_id == study_id)
    return [_understood(name, said) for name, said in sorted(connection.execute(asked), key=lambda row: str(row[0]))]


def has_run(connection: Connection, study_id: str, run_id: str) -> bool:
    """Whether a study has this run."""
    asked = select(run.c.run_id).where(run.c.run_id == run_id, run.c.study_id == study_id)
    return connection.execute(asked).first() is not None


def run_names(connection: Connection) -> set[str]:
    """The names of all runs."""
    return set(connection.execute(select(run.c.run_id)).scalars())


def counted(connection: Connection) -> tuple[int, int]:
    """How many studies and runs there are."""
    studies, runs = (connection.execute(select(func.count()).select_from(of)).scalar_one() for of in (study, run))
    return int(studies), int(runs)


def mark(connection: Connection, record: Record) -> bool:
    """Remember a run as the one computed last for its scenario; False when it is already."""
    now = latest_of(connection, record.study_id).get(record.scenario_id)
    row = insert(latest).values(study_id=record.study_id, scenario_id=record.scenario_id, run_id=record.run_id)
    keys = [latest.c.study_id, latest.c.scenario_id]
    connection.execute(row.on_conflict_do_update(index_elements=keys, set_={"run_id": record.run_id}))
    return now != record.run_id


def latest_of(connection: Connection, study_id: str) -> dict[str, str]:
    """For each scenario the name of the run computed last."""
    asked = select(latest.c.scenario_id, latest.c.run_id).where(latest.c.study_id == study_id)
    return {str(scenario): str(name) for scenario, name in connection.execute(asked)}


def latest_records(connection: Connection, study_id: str, scenarios: Collection[str]) -> dict[str, Record]:
    """For each of the scenarios the run computed last, in their order; those that have none are left out."""
    named = latest_of(connection, study_id)
    asked = select(run.c.run_id, run.c.record).where(run.c.run_id.in_([named[s] for s in scenarios if s in named]))
    found = {name: _understood(name, said) for name, said in connection.execute(asked)}
    return {scenario: found[named[scenario]] for scenario in scenarios if scenario in named}


def _understood(run_id: str, said: Mapping[str, object]) -> Record:
    try:
        # As JSON, as a run's folder has it: pydantic then reads what JSON cannot say (tuples) as it does there.
        return Record.model_validate_json(orjson.dumps(said))
    except ValidationError as error:
        cure = "Delete the study's run and compute it again."
        raise UnreadableError(Fault("a run as it was written", "another form", f"run {run_id}", cure)) from error
