"""A database with caches on several machines: one truth, nothing lost with a cache, plain words when it is gone."""

from __future__ import annotations

import shutil
import threading
from pathlib import Path

import psycopg
import pytest
from sqlalchemy import text

from app.store import Workspace, postgis
from app.store.shared import SharedWorkspace
from data.study import Scenario, StudyFile
from geo.errors import ConflictError, NotFoundError, ParameterError, StorageError
from tests.app.hand_made import extract, outcome, recipe, saved, study_file, workspace
from tests.postgis import Server
from tests.store.kinds import Store, every_file
from tests.store.test_workspace import flood


def machines(store: Store, folder: Path) -> tuple[Workspace, Workspace]:
    """Two machines; the first has made the study."""
    return workspace(folder, of=store.open), store.open(folder / "other")


def test_two_machines_see_each_others_studies_and_runs(shared: Store, tmp_path: Path) -> None:
    here, there = machines(shared, tmp_path)
    run = here.save(recipe(here.study("kampen").file, 1), outcome())
    here.mark_latest(run)
    found = there.run(run.run_id)
    assert there.studies() == ["kampen"] and there.runs("kampen") == [found]
    assert there.latest("kampen") == {"flood": found} and there.has_run("kampen", run.run_id)
    assert found.record == run.record
    assert found.table("demand").equals(run.table("demand"))
    assert found.raster("hazard_flood").grid.crs == run.raster("hazard_flood").grid.crs
    assert every_file(there.study("kampen").folder / "inputs") == {"osm.osm.pbf": b"an extract"}
    there.delete("kampen")
    assert here.studies() == []
    with pytest.raises(NotFoundError):
        here.study("kampen")
    assert not (here.root / "kampen").exists()


def test_an_edit_is_seen_on_the_other_machine_with_its_files(shared: Store, tmp_path: Path) -> None:
    here, there = machines(shared, tmp_path)
    assert there.study("kampen").file == here.study("kampen").file
    here.add_layer("kampen", flood(), extract(tmp_path))
    now = there.study("kampen")
    assert [layer.layer_id for layer in now.file.layers] == ["osm", "flood"]
    assert set(every_file(now.folder / "inputs")) == {"osm.osm.pbf", "flood.osm.pbf"}
    there.remove_layer("kampen", "flood")
    assert set(every_file(here.study("kampen").folder / "inputs")) == {"osm.osm.pbf"}


def test_edits_at_once_on_two_machines_are_all_kept(shared: Store, tmp_path: Path) -> None:
    both = machines(shared, tmp_path)

    def add(number: int) -> None:
        def with_one(file: StudyFile) -> StudyFile:
            one = Scenario(scenario_id=f"s{number}", name="S")
            return file.model_copy(update={"scenarios": [*file.scenarios, one]})

        both[number % 2].edit("kampen", with_one)

    threads = [threading.Thread(target=add, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    for one in both:
        assert {s.scenario_id for s in one.study("kampen").file.scenarios} >= {f"s{n}" for n in range(8)}


def test_one_of_two_who_make_a_study_is_told(shared: Store, tmp_path: Path) -> None:
    _, there = machines(shared, tmp_path)
    with pytest.raises(ConflictError, match="one of that name"):
        there.create(study_file(), {"osm": extract(tmp_path)})


def test_a_cache_thrown_away_loses_nothing(shared: Store, tmp_path: Path) -> None:
    made, run = saved(tmp_path, of=shared.open)
    before = every_file(made.study("kampen").folder / "inputs")
    table = run.table("demand")
    for gone in (made.path, made.root, made.root / "kampen", made.root / "kampen/cache", made.root / "kampen/inputs"):
        shutil.rmtree(gone)
        assert every_file(made.study("kampen").folder / "inputs") == before
        assert made.run(run.run_id).table("demand").equals(table)
    shutil.rmtree(made.path)
    assert made.add_layer("kampen", flood(), extract(tmp_path)).file.layers[-1].layer_id == "flood"
    shutil.rmtree(made.path)
    again = made.save(recipe(made.study("kampen").file, 1, x=1), outcome())
    shutil.rmtree(made.path)
    assert made.run(again.run_id).table("demand").equals(table)
    assert shared.open(made.path).studies() == ["kampen"]


def test_what_somebody_did_to_the_cache_is_undone(shared: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, of=shared.open)
    folder = made.study("kampen").folder
    before = every_file(folder / "inputs"), (folder / "study.toml").read_bytes()
    (folder / "inputs/osm.osm.pbf").write_bytes(b"another!!!")
    (folder / "study.toml").write_text("format = 1")
    made.study("kampen")
    assert (every_file(folder / "inputs"), (folder / "study.toml").read_bytes()) == before


def test_a_folder_of_its_own_is_no_cache_and_a_cache_no_workspace(shared: Store, tmp_path: Path) -> None:
    own = workspace(tmp_path)
    with pytest.raises(StorageError, match="renxing backup"):
        shared.open(own.path)
    assert own.studies() == ["kampen"]
    shared.open(tmp_path / "cache")
    with pytest.raises(StorageError, match="RENXING_DATABASE"):
        Workspace.open(tmp_path / "cache")


def test_the_cache_of_another_database_is_refused(shared: Store, postgis: Server, tmp_path: Path) -> None:
    shared.open(tmp_path / "cache")
    with pytest.raises(StorageError, match="only a cache"):
        SharedWorkspace.join(tmp_path / "cache", postgis.fresh())


def test_a_connection_lost_in_the_middle_leaves_nothing(
    shared: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = workspace(tmp_path, of=shared.open)
    assert isinstance(made, SharedWorkspace)
    lay = postgis.lay

    def cut(connection: object, *given: object, **more: object) -> None:
        pid = connection.execute(text("SELECT pg_backend_pid()")).scalar()  # type: ignore[attr-defined]
        with psycopg.connect(shared.database, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s)", (pid,))
        lay(connection, *given, **more)  # type: ignore[arg-type]

    monkeypatch.setattr(postgis, "lay", cut)
    with pytest.raises(StorageError, match="Is the server of RENXING_DATABASE running"):
        made.save(recipe(study_file(), 1), outcome())
    monkeypatch.setattr(postgis, "lay", lay)
    assert made.runs("kampen") == [] and list((made.root / "kampen/runs").iterdir()) == []
    assert made.save(recipe(study_file(), 1), outcome()).record.study_id == "kampen"


@pytest.mark.parametrize("address", ["postgresql://nobody:hidden@127.0.0.1:1/x", "mysql://x/y", "not one"])
def test_a_database_that_cannot_be_had(address: str, tmp_path: Path) -> None:
    with pytest.raises((StorageError, ParameterError)) as told:
        SharedWorkspace.join(tmp_path / "cache", address)
    assert "RENXING_DATABASE" in str(told.value) and "hidden" not in str(told.value)


def test_files_nobody_names_are_collected_and_no_others(shared: Store, tmp_path: Path) -> None:
    made, run = saved(tmp_path, of=shared.open)
    other = tmp_path / "another.tif"
    other.write_bytes(bytes(9_000_000))
    made.add_layer("kampen", flood(), other)
    made.remove_layer("kampen", "flood")
    assert isinstance(made, SharedWorkspace)
    assert made.tidy().files_collected == 1
    assert made.tidy().files_collected == 0
    shutil.rmtree(made.path)
    assert made.run(run.run_id).table("demand").equals(run.table("demand"))
    made.delete("kampen")
    assert made.tidy().files_collected == len({layer.sha256 for layer in run.record.layers}) + 1


def test_a_large_file_comes_down_as_it_went_up(shared: Store, tmp_path: Path) -> None:
    made, there = machines(shared, tmp_path)
    content = bytes(range(256)) * 40_000
    (tmp_path / "big.tif").write_bytes(content)
    made.add_layer("kampen", flood(), tmp_path / "big.tif")
    assert (there.study("kampen").folder / "inputs/flood.tif").read_bytes() == content
