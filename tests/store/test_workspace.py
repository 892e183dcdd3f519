"""The workspace, in folders and in a database: nothing lost, nothing half visible, nothing outside it."""

from __future__ import annotations

import os
import signal
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely

from app.store import Workspace, files, ids
from data.study import Layer, Scenario, StudyFile
from geo.errors import ConflictError, FileMissingError, NotFoundError, StorageError, UnreadableError
from tests.app.hand_made import CRS, EAST, NORTH, extract, outcome, recipe, saved, study_file, workspace
from tests.store.children import Children
from tests.store.kinds import Store, every_file

HOSTILE_IDS = ["", ".", "..", "../x", "/etc", "a/b", "a\\b", "a\0", "Ä", "A", "-a", "_a", "a" * 65, "坎彭", "a b",
               "a\n", ".new-x", "a'; DROP TABLE study; --"]  # fmt: skip


# studies


def test_what_is_no_id_names_no_study(store: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, of=store.open)
    for text in HOSTILE_IDS:
        assert not ids.is_id(text)
        for ask in (made.study, made.run, made.delete, made.runs, made.latest):
            with pytest.raises(NotFoundError):
                ask(text)
        with pytest.raises(NotFoundError):
            made.create(study_file().model_copy(update={"study_id": text}), {})


def test_a_study_is_a_folder_that_reads_back(store: Store, tmp_path: Path) -> None:
    study = workspace(tmp_path, of=store.open).study("kampen")
    assert study.file.layers[0].file == "inputs/osm.osm.pbf"
    assert study.file.layers[0].sha256 == files.digest(tmp_path / "town.osm.pbf")
    assert (study.folder / "inputs/osm.osm.pbf").read_bytes() == b"an extract"
    assert sorted(p.name for p in study.folder.iterdir()) == ["cache", "inputs", "runs", "study.toml"]


def test_a_workspace_that_is_not_there_is_empty_and_stays_so(tmp_path: Path) -> None:
    assert Workspace.open(tmp_path / "none").studies() == []
    assert not (tmp_path / "none").exists()


def test_a_study_is_not_made_twice_and_a_failed_one_leaves_nothing(store: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, of=store.open)
    before = every_file(made.path)
    with pytest.raises(ConflictError, match="Choose another name"):
        made.create(study_file(), {"osm": extract(tmp_path)})
    with pytest.raises(FileMissingError):
        made.create(study_file("other"), {"osm": tmp_path / "none.pbf"})
    assert every_file(made.path) == before
    assert made.studies() == ["kampen"]


def test_an_unknown_study_is_answered_with_those_there_are(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"\(kampen\)"):
        workspace(tmp_path, of=store.open).find("delft")
    with pytest.raises(NotFoundError) as told:
        Workspace(tmp_path).study("delft")
    assert str(told.value) == "the workspace: expected a study of this workspace, found 'delft'."


@pytest.mark.parametrize("path", ["workspace", "."])
def test_a_message_hides_the_place_of_the_workspace_and_no_words(path: str, tmp_path: Path) -> None:
    said = "the workspace has a study. Others are in studies."
    assert Workspace(Path(path)).hidden(said) == said
    for here in (Path(path), tmp_path):
        assert Workspace(here).hidden(f"{here / 'studies/a/study.toml'}, line 3") == "…/studies/a/study.toml, line 3"
    assert Workspace(tmp_path).hidden(f"in {tmp_path}") == "in …"


def test_a_study_is_found_by_the_name_it_was_made_with(store: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, ids.made_id("坎彭", what="study"), of=store.open)
    assert made.find("坎彭").file.name_zh == "坎彭"
    assert made.find(made.studies()[0]).study_id == made.studies()[0]


def test_chinese_paths_and_names(store: Store, tmp_path: Path) -> None:
    folder = tmp_path / "韧性 工作区"
    folder.mkdir()
    made, run = saved(folder, of=store.open)
    assert made.study("kampen").file.name_zh == "坎彭"
    assert run.table("communities")["reason_zh"].tolist() == ["7人被隔断。", "5人可到达。"]


def flood(layer_id: str = "flood") -> Layer:
    return Layer(layer_id=layer_id, kind="hazard", file=f"inputs/{layer_id}.tif", hazard="flood", unit="m")


def test_a_layer_comes_with_its_scenario_in_one_step(store: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, of=store.open)

    def with_scenario(file: StudyFile) -> StudyFile:
        scenario = Scenario(scenario_id="wet", name="Wet", state="emergency", hazards=("flood",))
        return file.model_copy(update={"scenarios": [*file.scenarios, scenario]})

    study = made.add_layer("kampen", flood(), extract(tmp_path), change=with_scenario)
    assert [layer.layer_id for layer in study.file.layers] == ["osm", "flood"]
    assert study.file.scenarios[-1].hazards == ("flood",)
    with pytest.raises(ConflictError, match="--name"):
        made.add_layer("kampen", flood(), extract(tmp_path))


def test_comments_in_study_toml_survive_an_edit(store: Store, tmp_path: Path) -> None:
    made = store.open(tmp_path / "workspace")

    def fill(folder: Path) -> None:
        (folder / "study.toml").write_text("# 我的研究\n" + study_file().dump(), encoding="utf-8")
        (folder / "inputs/osm.osm.pbf").write_bytes(b"an extract")

    path = made.receive("kampen", fill).folder / "study.toml"
    made.add_layer("kampen", flood(), extract(tmp_path))
    assert path.read_text(encoding="utf-8").startswith("# 我的研究\n")


def test_layers_added_at_once_are_all_there(store: Store, forked: Children, tmp_path: Path) -> None:
    """In processes of their own; those of a database on two machines."""
    made = workspace(tmp_path, of=store.open)
    for number in range(6):
        elsewhere = store.is_shared and number % 2
        forked.start("add", store, tmp_path / "elsewhere" if elsewhere else made.path, number)
    assert forked.ended() == [0] * 6
    assert {layer.layer_id for layer in made.study("kampen").file.layers} == {"osm", *(f"flood_{n}" for n in range(6))}


def test_a_deleted_study_is_gone(store: Store, tmp_path: Path) -> None:
    made, run = saved(tmp_path, of=store.open)
    made.delete("kampen")
    assert made.studies() == []
    assert every_file(made.path) == {}
    with pytest.raises(NotFoundError):
        made.run(run.run_id)


# runs


def test_a_run_reads_back_as_it_was_saved(store: Store, tmp_path: Path) -> None:
    made, run = saved(tmp_path, of=store.open)
    again = made.run(run.run_id)
    assert again == run
    assert [r.run_id for r in made.runs("kampen")] == [run.run_id]
    assert made.latest("kampen") == {"flood": run}
    assert again.record.headline["people"] == 12
    assert again.record.headline["walk_s_median_normal"] is None
    assert again.record.attribution == ["© OpenStreetMap contributors"]


def test_tables_keep_their_values_and_are_in_the_order_of_their_ids(store: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=store.open)
    demand = run.table("demand")
    assert demand.crs.to_epsg() == 4326
    assert demand["demand_id"].tolist() == ["a", "b"]
    assert demand["shelter_id"].tolist() == [None, "s1"]
    assert demand["lost_way"].tolist() == [True, False]
    assert demand["people"].dtype == np.int64
    assert np.isnan(demand["walk_s"][0])
    assert demand["walk_s"][1] == 125.4321


def test_an_empty_layer_keeps_its_columns(store: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=store.open)
    assert len(run.table("cut_off")) == 0
    assert list(run.table("cut_off").columns) == list(run.table("demand").columns)
    assert run.layer("cut_off").bounds is None


def test_a_raster_reads_back_with_the_unknown_unknown(store: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=store.open)
    kept, given_ = run.raster("hazard_flood"), outcome().rasters["hazard_flood"]
    np.testing.assert_array_equal(kept.grid.values, given_.grid.values)
    assert (kept.grid.transform, kept.grid.crs, kept.hazard, kept.unit) == (
        given_.grid.transform, CRS, "flood", "m",
    )  # fmt: skip
    west, south, east, north = run.layer("hazard_flood").bounds or (0, 0, 0, 0)
    middle = gpd.GeoSeries([shapely.Point(EAST + 300, NORTH + 100)], crs=CRS).to_crs("EPSG:4326")[0]
    assert shapely.box(west, south, east, north).contains(middle)


def test_unknown_layers_and_wrong_kinds_are_named(store: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=store.open)
    with pytest.raises(NotFoundError, match="communities, cut_off"):
        run.table("../run")
    with pytest.raises(NotFoundError, match="expected a table, found a raster"):
        run.table("hazard_flood")


def test_the_same_study_gives_the_same_bytes(tmp_path: Path) -> None:
    found = []
    for name in ("one", "other"):
        (tmp_path / name).mkdir()
        _, run = saved(tmp_path / name)
        found.append((run.run_id, every_file(run.folder)))
    assert found[0] == found[1]


def test_whatever_goes_in_changes_the_name(tmp_path: Path) -> None:
    file = study_file()
    other_input = file.model_copy(update={"layers": [file.layers[0].model_copy(update={"sha256": "0" * 64})]})
    recipes = [
        recipe(file), recipe(file, 1), recipe(other_input), recipe(study_file("delft")),
        recipe(file, **{"walk.max_minutes": 20}), recipe(file).model_copy(update={"program": "1"}),
        recipe(file).model_copy(update={"standards": "6" * 64}), recipe(file).model_copy(update={"format": 2}),
    ]  # fmt: skip
    assert len({r.run_id for r in recipes}) == len(recipes)
    assert all(ids.is_run_id(r.run_id) for r in recipes)


def test_a_run_that_is_there_stays_as_it_is(store: Store, tmp_path: Path) -> None:
    made, run = saved(tmp_path, of=store.open)
    before = every_file(run.folder)
    again = made.save(run.record.recipe, outcome().__class__(tables={}))
    assert again == run
    assert every_file(run.folder) == before


def test_a_run_somebody_changed_is_refused(tmp_path: Path) -> None:
    made, run = saved(tmp_path)
    (run.folder / "run.json").write_text("{}")
    with pytest.raises(UnreadableError, match="run the study again"):
        made.run(run.run_id)


def test_a_run_that_fails_halfway_leaves_nothing(store: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, of=store.open)
    bad = outcome().__class__(tables={**outcome().tables, "zz": "not a table"})
    with pytest.raises(AttributeError):
        made.save(recipe(study_file()), bad)
    assert list((made.study("kampen").folder / "runs").iterdir()) == []


ROUNDS = {"folders": 6, "postgis": 20}


def test_killed_at_any_moment_only_whole_runs_are_seen(store: Store, forked: Children, tmp_path: Path) -> None:
    """kill -9 in the middle of keeping runs, at moments that chance chooses."""
    made = workspace(tmp_path, of=store.open)
    known, acknowledged = set(outcome().tables) | set(outcome().rasters), 0
    for number, wait in enumerate(np.random.default_rng(7).uniform(0.0, 0.3, ROUNDS[store.kind])):
        writer = forked.start("save", store, made.path, number)
        assert forked.heard() == "0"
        time.sleep(wait)
        os.kill(writer, signal.SIGKILL)
        assert forked.ended() == [-signal.SIGKILL]
        acknowledged += 1
    seen = store.open(made.path).runs("kampen")
    assert len(seen) >= acknowledged
    for run in seen:
        assert {layer.layer for layer in run.record.layers} == known
        assert [files.digest(run.file(n, one.kind)) for n, one in run.layers.items()] == [
            one.sha256 for one in run.layers.values()
        ]
    assert made.latest("kampen")["flood"].run_id in {run.run_id for run in seen}
    assert [p for p in (made.root / "kampen/runs").iterdir() if p.name.startswith(".new-")] == []


def test_a_file_in_place_of_the_workspace_is_refused(store: Store, tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    path.touch()
    with pytest.raises(StorageError, match="--workspace"):
        store.open(path).studies()


def test_a_workspace_that_cannot_be_written_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="a workspace that can be written"):
        store.open(Path("/proc/renxing")).create(study_file(), {"osm": extract(tmp_path)})
