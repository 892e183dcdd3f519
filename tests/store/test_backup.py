"""Everything in one file and back, from either kind of storage into either; what is wrong with one is refused."""

from __future__ import annotations

import json
import shutil
import time
import zipfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, insert, select

from app.settings import Settings
from app.store import Workspace, files, ledger
from app.store.backup import MANIFEST, TABLES, Contents, backup
from app.store.opening import opened_whole
from app.store.register import Register
from app.store.restoring import restore
from app.store.shared import SharedWorkspace
from geo.errors import ConflictError, FileMissingError, StorageError, UnreadableError
from tests.app.command_line import Renxing
from tests.app.hand_made import extract, saved
from tests.postgis import Server
from tests.store.kinds import Store, every_file
from tests.store.test_workspace import flood

Change = Callable[[dict[str, bytes]], None]


def whole(store: Store, path: Path, *, readonly: bool = False) -> tuple[Workspace, Register]:
    return opened_whole(Settings.read(workspace=path, database=store.database), readonly=readonly)


def filled(store: Store, folder: Path) -> tuple[Workspace, Register]:
    """A storage with a study, a run, and a row in every table of the register."""
    made, _ = saved(folder, of=store.open)
    made.add_layer("kampen", flood(), extract(folder))
    _, register = whole(store, made.path)
    values: Mapping[str, list[dict[str, Any]]] = {
        "job": [{"job_id": "j1", "kind": "run", "state": "done", "asked": {"n": [1]}, "caller": "key:k", "made_at": 1.5,
                 "attempts": 1, "cancel": False, "progress": 1.0, "result": {"runs": ["坎彭"]}}],
        "job_event": [{"event_id": n, "job_id": "j1", "at": 2.5, "kind": "log", "said": {"text": "x"}} for n in (3, 7)],
        "asked_before": [{"caller": "key:k", "idempotency_key": "i", "digest": "d", "job_id": "j1", "at": 1.0}],
        "api_key": [{"key_id": "k", "name": "城市", "secret_sha256": "0" * 64, "scopes": "read", "made_at": 1.0}],
        "audit": [{"audit_id": 5, "at": 1.0, "caller": "key:k", "action": "edit", "said": {"of": None}}],
    }  # fmt: skip
    with register.writing() as connection:
        for of in TABLES:
            connection.execute(insert(of), values[of.name])
    return made, register


def kept(register: Register) -> dict[str, list[dict[str, Any]]]:
    """The rows of the register."""
    with register.reading() as connection:
        asked = {of.name: connection.execute(select(of).order_by(*of.primary_key.columns)).mappings() for of in TABLES}
        return {name: [dict(row) for row in found] for name, found in asked.items()}


def state(made: Workspace) -> object:
    """What a workspace answers."""
    study = made.study("kampen")
    runs = made.runs("kampen")
    layers = [[files.digest(run.file(one.layer, one.kind)) for one in run.record.layers] for run in runs]
    text = (study.folder / "study.toml").read_bytes()
    records = [run.record for run in runs]
    return study.file, text, every_file(study.folder / "inputs"), records, layers, {
        scenario: run.run_id for scenario, run in made.latest("kampen").items()
    }  # fmt: skip


@pytest.mark.parametrize("into", ["folders", "postgis"])
def test_either_kind_is_restored_into_either(store: Store, into: str, postgis: Server, tmp_path: Path) -> None:
    made, register = filled(store, tmp_path)
    out = tmp_path / "backup.zip"
    held = backup(*whole(store, made.path, readonly=True), out)
    assert held == Contents(studies=1, runs=1, jobs=1, bytes=out.stat().st_size)
    assert out.stat().st_mode & 0o777 == 0o600
    there = Store(into, postgis.fresh() if into == "postgis" else "")
    elsewhere, other = whole(there, tmp_path / "elsewhere")
    assert restore(out, elsewhere, other) == held
    if isinstance(elsewhere, SharedWorkspace):
        assert elsewhere.tidy().runs_laid == 1
    assert state(elsewhere) == state(made) and kept(other) == kept(register)
    again = tmp_path / "again.zip"
    backup(*whole(there, elsewhere.path, readonly=True), again)
    first, second = contents(out), contents(again)
    assert first.keys() == second.keys()
    assert [name for name in first if first[name] != second[name]] == [MANIFEST]
    with other.writing() as connection:
        connection.execute(insert(ledger.audit).values(at=1.0, caller="k", action="a", said={}))
        assert connection.execute(select(func.max(ledger.audit.c.audit_id))).scalar_one() > 5


def contents(archive: Path) -> dict[str, bytes]:
    with zipfile.ZipFile(archive) as opened:
        return {name: opened.read(name) for name in opened.namelist()}


def test_nothing_is_restored_over_something(store: Store, tmp_path: Path) -> None:
    made, register = filled(store, tmp_path)
    out = tmp_path / "backup.zip"
    backup(made, register, out)
    with pytest.raises(ConflictError, match="1 studies \\(kampen\\)"):
        restore(out, made, register)
    made.delete("kampen")
    with pytest.raises(ConflictError, match="1 rows of api_key"):
        restore(out, made, register)
    with pytest.raises(ConflictError, match="--overwrite"):
        backup(made, register, out)


def test_a_backup_is_taken_while_studies_are_changed(store: Store, tmp_path: Path) -> None:
    """What is changed after it began is not in it, and what it holds fits together."""
    made, register = filled(store, tmp_path)
    out = tmp_path / "backup.zip"
    before = state(made)
    writing = zipfile.ZipFile.open

    def meanwhile(self: zipfile.ZipFile, entry: Any, *given: Any, **more: Any) -> Any:
        if str(getattr(entry, "filename", "")).startswith("studies/kampen/inputs") and "kampen" in made.studies():
            made.remove_layer("kampen", "flood")
            made.delete("kampen")
        return writing(self, entry, *given, **more)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(zipfile.ZipFile, "open", meanwhile)
        backup(made, register, out)
    assert made.studies() == []
    elsewhere, other = whole(Store("folders", ""), tmp_path / "elsewhere")
    restore(out, elsewhere, other)
    assert state(elsewhere) == before


@pytest.fixture(scope="module")
def archive(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("backup")
    out = folder / "backup.zip"
    backup(*filled(Store("folders", ""), folder), out)
    return out


def listed(**changes: object) -> Change:
    """A change of what the backup says it holds."""

    def change(inside: dict[str, bytes]) -> None:
        inside[MANIFEST] = json.dumps(json.loads(inside[MANIFEST]) | changes).encode()

    return change


def added(name: str, content: bytes) -> Change:
    """A file that was added, and listed as if it belonged there."""

    def change(inside: dict[str, bytes]) -> None:
        inside[name] = content
        inside[MANIFEST] = json.dumps(relisted(inside)).encode()

    return change


def relisted(inside: Mapping[str, bytes]) -> dict[str, Any]:
    import hashlib

    digests = {name: hashlib.sha256(content).hexdigest() for name, content in inside.items() if name != MANIFEST}
    found: dict[str, Any] = json.loads(inside[MANIFEST])
    return found | {"files": digests}


def without(name: str) -> Change:
    """A file that is missing."""

    def change(inside: dict[str, bytes]) -> None:
        del inside[name]

    return change


def tampered(inside: dict[str, bytes]) -> None:
    inside["studies/kampen/inputs/osm.osm.pbf"] += b"!"


def without_input(inside: dict[str, bytes]) -> None:
    del inside["studies/kampen/inputs/osm.osm.pbf"]
    inside[MANIFEST] = json.dumps(relisted(inside)).encode()


ROW = json.dumps({"key_id": "x", "name": "n"}).encode()
WRONG: list[tuple[Change, str]] = [
    (tampered, "as it was archived"), (without_input, "no inputs/osm.osm.pbf"),
    (without("register/job.jsonl"), "the files it lists"), (without(MANIFEST), "a zip without it"),
    (listed(format=2), "a newer one, form 2"), (listed(register_form="9999"), "a newer one, form 9999"),
    (listed(more=1), "faults"), (added("studies/../../x", b""), "files of studies"), (added("/etc/x", b""), "files of"),
    (added("studies/kampen/inputs/..", b""), "files of"), (added("studies/kampen/inputs/a/b", b""), "files of"),
    (added("studies/kampen/runs/0123456789abcdef/run.json", b"{}"), "run the study again"),
    (added("studies/kampen/study.toml", b"format = 1"), "study.toml"),
    (added("studies/delft/study.toml", b""), "delft"),
    (added("studies/kampen/latest.json", b"[]"), "scenarios and runs"),
    (added("register/api_key.jsonl", b'{"key": 1}\n'), "columns that are not known"),
    (added("register/api_key.jsonl", ROW + b"\n"), "rows of api_key"), (added("register/audit.jsonl", b"x"), "rows of"),
]  # fmt: skip


@pytest.mark.parametrize(("change", "said"), WRONG)
def test_what_is_wrong_with_a_backup_is_refused(
    change: Change, said: str, archive: Path, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    inside = contents(archive)
    change(inside)
    out = tmp_path / "changed.zip"
    with zipfile.ZipFile(out, "w") as opened:
        for name, content in inside.items():
            opened.writestr(name, content)
    elsewhere, register = whole(Store("folders", ""), tmp_path / "elsewhere")
    with pytest.raises((UnreadableError, ValueError), match=said):
        restore(out, elsewhere, register)
    assert every_file(elsewhere.path).keys() <= {"renxing.db", "renxing.db-shm", "renxing.db-wal"}
    assert all(rows == [] for rows in kept(register).values())


def test_what_is_no_backup_is_refused(tmp_path: Path) -> None:
    elsewhere, register = whole(Store("folders", ""), tmp_path / "elsewhere")
    with pytest.raises(FileMissingError):
        restore(tmp_path / "none.zip", elsewhere, register)
    (tmp_path / "text.zip").write_text("not a zip")
    with pytest.raises(UnreadableError, match="a backup of Renxing"):
        restore(tmp_path / "text.zip", elsewhere, register)


def test_what_has_no_room_is_refused_before_it_is_unpacked(
    archive: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    elsewhere, register = whole(Store("folders", ""), tmp_path / "elsewhere")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: shutil._ntuple_diskusage(1, 1, 1000))
    with pytest.raises(StorageError, match="room for"):
        restore(archive, elsewhere, register)


def test_a_failed_backup_leaves_nothing(tmp_path: Path) -> None:
    made, register = filled(Store("folders", ""), tmp_path)
    run = made.runs("kampen")[0]
    (run.folder / run.record.layers[0].file).unlink()
    out = tmp_path / "out" / "backup.zip"
    with pytest.raises(StorageError, match=r"no communities\.parquet"):
        backup(made, register, out)
    assert list(out.parent.iterdir()) == []


# the command line


@pytest.mark.parametrize("lang", ["en", "zh"])
def test_backup_storage_and_restore_are_commands(renxing: Renxing, tmp_path: Path, lang: str) -> None:
    made, _ = filled(Store("folders", ""), tmp_path)
    assert made.path == renxing.workspace
    said = renxing("storage", "--lang", lang)
    assert said.code == 0 and "0001" in said.out and ("1 runs" in said.out or "1 个运行" in said.out)
    out = tmp_path / "backup.zip"
    assert renxing("backup", "--out", out, "--json", "--lang", lang).json["sha256"] == files.digest(out)
    there = renxing.beside(tmp_path / "elsewhere")
    assert there("restore", out, "--lang", lang).code == 0
    assert there("storage", "--json").json["runs"] == 1
    assert there("storage", "--tidy", "--lang", lang).code == 0
    refused = there("restore", out, "--lang", lang)
    assert refused.code == 1 and ("空工作区" if lang == "zh" else "an empty workspace") in refused.err


def test_the_commands_use_the_database_of_the_environment(
    shared: Store, renxing: Renxing, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    saved(tmp_path, of=shared.open)
    monkeypatch.setenv("RENXING_DATABASE", shared.database)
    found = renxing("storage", "--tidy", "--json").json
    assert (found["kind"], found["studies"], found["runs"], found["sizes"]["unnamed"]) == ("postgresql", 1, 1, 0)
    shown = renxing("show", "kampen", "--json")
    assert shown.json["runs"][0]["run_id"] == shared.open(renxing.workspace).runs("kampen")[0].run_id


# an older register


@pytest.fixture
def newer(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A program whose register has one form more than ours."""
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    from app.store import migrations

    steps = tmp_path / "steps"
    ours = migrations.newest()
    shutil.copytree(migrations.HERE / "versions", steps / "versions", ignore=shutil.ignore_patterns("__pycache__"))
    (steps / "versions/9999_later.py").write_text(
        f'from alembic import op\nimport sqlalchemy as sa\nrevision, down_revision = "9999", "{ours}"\n'
        "branch_labels = depends_on = None\n\n\n"
        'def upgrade():\n    op.add_column("job", sa.Column("later", sa.Integer()))\n',
        encoding="utf-8",
    )

    def script() -> ScriptDirectory:
        config = Config()
        config.set_main_option("script_location", str(steps))
        config.set_main_option("path_separator", "os")
        return ScriptDirectory.from_config(config)

    made, register = filled(Store("folders", ""), tmp_path)
    register.close()
    assert made.path == tmp_path / "workspace"
    monkeypatch.setattr(migrations, "script", script)


def test_an_older_register_is_read_as_it_is_and_changed_by_what_writes(
    newer: None, renxing: Renxing, tmp_path: Path
) -> None:
    path = renxing.workspace / "renxing.db"
    before = path.read_bytes()
    said = renxing("storage", "--json").json
    assert (said["register_form"], said["newest_form"], said["counts"]["job"]) == ("0001", "9999", 1)
    assert renxing("backup", "--out", tmp_path / "old.zip").code == 0
    assert path.read_bytes() == before
    elsewhere = renxing.beside(tmp_path / "elsewhere")
    assert elsewhere("restore", tmp_path / "old.zip").code == 0
    assert elsewhere("storage", "--json").json["register_form"] == "9999"
    Register.open(renxing.workspace).close()
    assert renxing("storage", "--json").json["register_form"] == "9999"


def test_a_register_that_is_not_there_is_empty_and_stays_so(tmp_path: Path) -> None:
    register = Register.open(tmp_path, readonly=True)
    with register.reading() as connection:
        assert connection.execute(select(func.count()).select_from(select(1).subquery())).scalar_one() == 1
    assert list(tmp_path.iterdir()) == []
    held = backup(Workspace.open(tmp_path), register, tmp_path / "empty.zip")
    assert (held.studies, held.runs, held.jobs) == (0, 0, 0)


def test_a_register_opened_to_be_read_cannot_be_written(store: Store, tmp_path: Path) -> None:
    _, register = filled(store, tmp_path)
    register.close()
    began = time.time()
    _, plain = whole(store, tmp_path / "workspace", readonly=True)
    with pytest.raises(StorageError), plain.writing() as connection:
        connection.execute(ledger.job.delete())
    assert time.time() - began < 10
