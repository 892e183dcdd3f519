"""The workspace: nothing lost, nothing half visible, nothing outside it."""

from __future__ import annotations

import multiprocessing
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from app.store import Workspace, files, ids
from app.store.inputs import input_digest, take_in
from app.store.tables import laid_down, read_table, write_table
from data.study import Layer, Scenario, StudyFile
from geo.errors import ConflictError, FileMissingError, NotFoundError, ParameterError, StorageError, UnreadableError
from tests.app.hand_made import CRS, EAST, NORTH, extract, outcome, recipe, saved, study_file, workspace
from tests.source import ROOT

HOSTILE_IDS = [
    "",
    ".",
    "..",
    "../x",
    "/etc",
    "a/b",
    "a\\b",
    "a\0",
    "Ä",
    "A",
    "-a",
    "_a",
    "a" * 65,
    "坎彭",
    "a b",
    "a\n",
    ".new-x",
]


def every_file(folder: Path) -> dict[str, bytes]:
    return {str(p.relative_to(folder)): p.read_bytes() for p in sorted(folder.rglob("*")) if p.is_file()}


# ids


@pytest.mark.parametrize("text", HOSTILE_IDS)
def test_what_is_no_id_names_no_study(text: str, tmp_path: Path) -> None:
    made = workspace(tmp_path)
    assert not ids.is_id(text)
    with pytest.raises(NotFoundError):
        made.study(text)
    with pytest.raises(NotFoundError):
        made.run(text)
    with pytest.raises(NotFoundError):
        made.delete(text)
    with pytest.raises(NotFoundError):
        made.create(study_file().model_copy(update={"study_id": text}), {})


@given(st.text(min_size=1, max_size=80))
def test_a_title_gives_an_id_or_is_refused(title: str) -> None:
    try:
        made = ids.made_id(title, what="study")
    except ParameterError:
        assert not title.strip() or any(ord(c) < 32 or c in "/\\\x7f" or 0x80 <= ord(c) < 0xA0 for c in title)
        return
    assert ids.is_id(made)
    assert ids.made_id(made, what="study") == made


@pytest.mark.parametrize(("title", "made"), [
    ("kampen", "kampen"), ("Kampen aan de IJssel", "kampen-aan-de-ijssel"), ("Düsseldorf", "dusseldorf"),
    ("坎彭", "study-a91ac748"), ("Kampen 坎彭", "study-7b2a0341"),
])  # fmt: skip
def test_titles_by_example(title: str, made: str) -> None:
    assert ids.made_id(title, what="study") == made


def test_titles_in_chinese_stay_apart() -> None:
    assert ids.made_id("鼓楼区", what="study") != ids.made_id("玄武区", what="study")


# files


def test_a_file_is_replaced_whole_or_not_at_all(tmp_path: Path) -> None:
    path = tmp_path / "study.toml"
    files.write(path, b"first")
    with pytest.raises(RuntimeError), files.replacing(path) as handle:
        handle.write(b"half")
        raise RuntimeError
    assert every_file(tmp_path) == {"study.toml": b"first"}


def test_a_copy_is_the_file_and_its_digest(tmp_path: Path) -> None:
    source = tmp_path / "a"
    source.write_bytes(os.urandom(3_000_000))
    assert files.copy(source, tmp_path / "b") == files.digest(source) == files.digest(tmp_path / "b")


def test_the_digest_of_what_is_not_there_is_refused(tmp_path: Path) -> None:
    for path in (tmp_path / "none", tmp_path):
        with pytest.raises(FileMissingError):
            files.digest(path)


def test_only_what_dead_processes_left_is_swept(tmp_path: Path) -> None:
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    gone = tmp_path / f".new-run-00-{dead.pid}"
    (gone / "layers").mkdir(parents=True)
    (tmp_path / f".new-a.toml-00-{dead.pid}").touch()
    (tmp_path / f".new-mine-00-{os.getpid()}").mkdir()
    (tmp_path / ".new-without-a-number").touch()
    assert len(files.sweep(tmp_path)) == 2
    assert sorted(p.name for p in tmp_path.iterdir()) == [f".new-mine-00-{os.getpid()}", ".new-without-a-number"]


def test_what_a_builder_elsewhere_still_holds_is_not_swept(tmp_path: Path) -> None:
    """In another container its process id means nothing here; the lock does."""
    dead = subprocess.Popen([sys.executable, "-c", ""])
    dead.wait()
    with files.building(tmp_path / "run") as fresh:
        elsewhere = fresh.rename(tmp_path / f".new-run-00-{dead.pid}")
        assert files.sweep(tmp_path) == []
        elsewhere.rename(fresh)
    assert (tmp_path / "run").is_dir()


def test_a_folder_is_built_whole_and_the_first_one_stays(tmp_path: Path) -> None:
    with files.building(tmp_path / "run") as fresh:
        (fresh / "a").write_bytes(b"1")
        assert not (tmp_path / "run").exists()
    with pytest.raises(ConflictError), files.building(tmp_path / "run") as fresh:
        (fresh / "a").write_bytes(b"2")
    assert every_file(tmp_path) == {"run/a": b"1"}


# studies


def test_a_study_is_a_folder_that_reads_back(tmp_path: Path) -> None:
    study = workspace(tmp_path).study("kampen")
    assert study.file.layers[0].file == "inputs/osm.osm.pbf"
    assert study.file.layers[0].sha256 == files.digest(tmp_path / "town.osm.pbf")
    assert (study.folder / "inputs/osm.osm.pbf").read_bytes() == b"an extract"
    assert sorted(p.name for p in study.folder.iterdir()) == ["cache", "inputs", "runs", "study.toml"]


def test_a_workspace_that_is_not_there_is_empty_and_stays_so(tmp_path: Path) -> None:
    assert Workspace.open(tmp_path / "none").studies() == []
    assert not (tmp_path / "none").exists()


def test_a_study_is_not_made_twice_and_a_failed_one_leaves_nothing(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    before = every_file(made.path)
    with pytest.raises(ConflictError, match="Choose another name"):
        made.create(study_file(), {"osm": extract(tmp_path)})
    with pytest.raises(FileMissingError):
        made.create(study_file("other"), {"osm": tmp_path / "none.pbf"})
    assert every_file(made.path) == before
    assert made.studies() == ["kampen"]


def test_an_unknown_study_is_answered_with_those_there_are(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match=r"\(kampen\)"):
        workspace(tmp_path).find("delft")
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


def test_a_study_is_found_by_the_name_it_was_made_with(tmp_path: Path) -> None:
    made = workspace(tmp_path, ids.made_id("坎彭", what="study"))
    assert made.find("坎彭").file.name_zh == "坎彭"
    assert made.find(made.studies()[0]).study_id == made.studies()[0]


def test_chinese_paths_and_names(tmp_path: Path) -> None:
    folder = tmp_path / "韧性 工作区"
    folder.mkdir()
    made, run = saved(folder)
    assert made.study("kampen").file.name_zh == "坎彭"
    assert run.table("communities")["reason_zh"].tolist() == ["7人被隔断。", "5人可到达。"]


def flood(layer_id: str = "flood") -> Layer:
    return Layer(layer_id=layer_id, kind="hazard", file=f"inputs/{layer_id}.tif", hazard="flood", unit="m")


def test_a_layer_comes_with_its_scenario_in_one_step(tmp_path: Path) -> None:
    made = workspace(tmp_path)

    def with_scenario(file: StudyFile) -> StudyFile:
        scenario = Scenario(scenario_id="wet", name="Wet", state="emergency", hazards=("flood",))
        return file.model_copy(update={"scenarios": [*file.scenarios, scenario]})

    study = made.add_layer("kampen", flood(), extract(tmp_path), change=with_scenario)
    assert [layer.layer_id for layer in study.file.layers] == ["osm", "flood"]
    assert study.file.scenarios[-1].hazards == ("flood",)
    with pytest.raises(ConflictError, match="--name"):
        made.add_layer("kampen", flood(), extract(tmp_path))


def test_comments_in_study_toml_survive_an_edit(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    path = made.study("kampen").folder / "study.toml"
    path.write_text("# 我的研究\n" + path.read_text(encoding="utf-8"), encoding="utf-8")
    made.add_layer("kampen", flood(), extract(tmp_path))
    assert path.read_text(encoding="utf-8").startswith("# 我的研究\n")


def _add(folder: Path, number: int) -> None:
    Workspace.open(folder / "workspace").add_layer("kampen", flood(f"flood_{number}"), folder / "town.osm.pbf")


def test_layers_added_at_once_are_all_there(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    spawn = multiprocessing.get_context("spawn")
    adding = [spawn.Process(target=_add, args=(tmp_path, number)) for number in range(4)]
    for process in adding:
        process.start()
    for process in adding:
        process.join()
    assert [process.exitcode for process in adding] == [0] * 4
    assert {layer.layer_id for layer in made.study("kampen").file.layers} == {"osm", *(f"flood_{n}" for n in range(4))}


def test_a_deleted_study_is_gone(tmp_path: Path) -> None:
    made, run = saved(tmp_path)
    made.delete("kampen")
    assert made.studies() == []
    assert every_file(made.path) == {}
    with pytest.raises(NotFoundError):
        made.run(run.run_id)


# runs


def test_a_run_reads_back_as_it_was_saved(tmp_path: Path) -> None:
    made, run = saved(tmp_path)
    again = made.run(run.run_id)
    assert again == run
    assert [r.run_id for r in made.runs("kampen")] == [run.run_id]
    assert made.latest("kampen") == {"flood": run}
    assert again.record.headline["people"] == 12
    assert again.record.headline["walk_s_median_normal"] is None
    assert again.record.attribution == ["© OpenStreetMap contributors"]


def test_tables_keep_their_values_and_are_in_the_order_of_their_ids(tmp_path: Path) -> None:
    _, run = saved(tmp_path)
    demand = run.table("demand")
    assert demand.crs.to_epsg() == 4326
    assert demand["demand_id"].tolist() == ["a", "b"]
    assert demand["shelter_id"].tolist() == [None, "s1"]
    assert demand["lost_way"].tolist() == [True, False]
    assert demand["people"].dtype == np.int64
    assert np.isnan(demand["walk_s"][0])
    assert demand["walk_s"][1] == 125.4321


def test_an_empty_layer_keeps_its_columns(tmp_path: Path) -> None:
    _, run = saved(tmp_path)
    assert len(run.table("cut_off")) == 0
    assert list(run.table("cut_off").columns) == list(run.table("demand").columns)
    assert run.layer("cut_off").bounds is None


def test_a_raster_reads_back_with_the_unknown_unknown(tmp_path: Path) -> None:
    _, run = saved(tmp_path)
    kept, given_ = run.raster("hazard_flood"), outcome().rasters["hazard_flood"]
    np.testing.assert_array_equal(kept.grid.values, given_.grid.values)
    assert (kept.grid.transform, kept.grid.crs, kept.hazard, kept.unit) == (
        given_.grid.transform, CRS, "flood", "m",
    )  # fmt: skip
    west, south, east, north = run.layer("hazard_flood").bounds or (0, 0, 0, 0)
    middle = gpd.GeoSeries([shapely.Point(EAST + 300, NORTH + 100)], crs=CRS).to_crs("EPSG:4326")[0]
    assert shapely.box(west, south, east, north).contains(middle)


def test_unknown_layers_and_wrong_kinds_are_named(tmp_path: Path) -> None:
    _, run = saved(tmp_path)
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


def test_a_run_that_is_there_stays_as_it_is(tmp_path: Path) -> None:
    made, run = saved(tmp_path)
    before = every_file(run.folder)
    again = made.save(run.record.recipe, outcome().__class__(tables={}))
    assert again == run
    assert every_file(run.folder) == before


def test_a_run_somebody_changed_is_refused(tmp_path: Path) -> None:
    made, run = saved(tmp_path)
    (run.folder / "run.json").write_text("{}")
    with pytest.raises(UnreadableError, match="run the study again"):
        made.run(run.run_id)


def test_a_run_that_fails_halfway_leaves_nothing(tmp_path: Path) -> None:
    made = workspace(tmp_path)
    bad = outcome().__class__(tables={**outcome().tables, "zz": "not a table"})
    with pytest.raises(AttributeError):
        made.save(recipe(study_file()), bad)
    assert list((made.study("kampen").folder / "runs").iterdir()) == []


SAVING = """
import sys, pathlib
from tests.app.hand_made import outcome, recipe, study_file
from app.store import Workspace
made = Workspace.open(pathlib.Path(sys.argv[1]))
for number in range(int(sys.argv[2]), 10_000):
    made.save(recipe(study_file(), **{"walk.max_minutes": number}), outcome())
    print(number, flush=True)
"""


def test_killed_at_any_moment_only_whole_runs_are_seen(tmp_path: Path) -> None:
    """kill -9 in the middle of writing runs, at moments that chance chooses."""
    made = workspace(tmp_path)
    runs = made.study("kampen").folder / "runs"
    whole = set(every_file(saved(_fresh(tmp_path))[1].folder))
    for first, wait in enumerate(np.random.default_rng(7).uniform(0.0, 0.2, 3)):
        command = [sys.executable, "-c", SAVING, str(made.path), str(first * 1000)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, cwd=ROOT) as writer:
            assert writer.stdout is not None
            assert writer.stdout.readline() == b"%d\n" % (first * 1000)
            time.sleep(wait)
            writer.send_signal(signal.SIGKILL)
        seen = [folder for folder in runs.iterdir() if not folder.name.startswith(".new-")]
        assert [folder.name for folder in seen if set(every_file(folder)) != whole] == []
    found = Workspace.open(made.path).runs("kampen")
    assert len(found) >= 3
    digests = [files.digest(run.folder / "layers/demand.parquet") for run in found]
    assert [run.layer("demand").sha256 for run in found] == digests
    assert [p for p in runs.iterdir() if p.name.startswith(".new-")] == []


def _fresh(folder: Path) -> Path:
    made = folder / "fresh"
    made.mkdir()
    return made


def test_a_file_in_place_of_the_workspace_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "workspace"
    path.touch()
    with pytest.raises(StorageError, match="--workspace"):
        Workspace.open(path).studies()


def test_a_workspace_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    with pytest.raises(StorageError, match="a workspace that can be written"):
        Workspace.open(Path("/proc/renxing")).create(study_file(), {"osm": extract(tmp_path)})


# tables


def test_coordinates_are_kept_to_a_centimetre(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"a_id": ["x"]}, geometry=[shapely.Point(703000.123, 5826000.456)], crs=CRS)
    write_table(laid_down(frame), tmp_path / "t.parquet")
    kept = read_table(tmp_path / "t.parquet")
    assert kept.geometry[0].x == round(kept.geometry[0].x, 7)
    assert kept.to_crs(CRS).geometry[0].distance(frame.geometry[0]) < 0.02
    assert frame.geometry[0].x == 703000.123


# inputs


def test_a_raster_comes_with_the_files_that_say_where_it_lies(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    source = tmp_path / "Flood.ASC"
    source.write_text("ncols 1")
    source.with_suffix(".PRJ").write_text("RD New")
    source.with_suffix(".txt").write_text("not this one")
    file, digest = take_in(source, tmp_path, "flood")
    assert sorted(p.name for p in (tmp_path / "inputs").iterdir()) == ["flood.asc", "flood.prj"]
    assert (file, digest) == ("inputs/flood.asc", input_digest(tmp_path / file))
    (tmp_path / "inputs/flood.prj").write_text("WGS 84")
    assert input_digest(tmp_path / file) != digest


def test_a_shapefile_becomes_one_zip_with_the_same_bytes_each_time(tmp_path: Path) -> None:
    frame = gpd.GeoDataFrame({"n": [1]}, geometry=[shapely.Point(EAST, NORTH)], crs=CRS)
    frame.to_file(tmp_path / "places.shp")
    found = []
    for name in ("one", "other"):
        (tmp_path / name / "inputs").mkdir(parents=True)
        file, digest = take_in(tmp_path / "places.shp", tmp_path / name, "places")
        found.append((file, digest))
        assert gpd.read_file(tmp_path / name / file).geometry[0].equals(frame.geometry[0])
    assert found[0] == found[1]


@pytest.mark.parametrize(("name", "file"), [
    ("Kampen.OSM.PBF", "osm.osm.pbf"), ("a.b.c.tif", "osm.tif"), ("city.osm.xml", "osm.osm.xml"), ("plain", "osm"),
    ("odd.;rm -rf", "osm"), ("x.geo json", "osm"),
])  # fmt: skip
def test_inputs_have_safe_names_that_keep_their_ending(name: str, file: str, tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    (tmp_path / name).write_bytes(b"x")
    assert take_in(tmp_path / name, tmp_path, "osm")[0] == f"inputs/{file}"
