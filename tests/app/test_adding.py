"""Studies made of a planner's own files: streets as lines, classes of hazards, heights, one value for every row."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import mercantile
import numpy as np
import openpyxl
import pytest
import shapely
from fastapi.testclient import TestClient

from app.adding import Addition, add, derive, mapping, new_study, nodata_of
from app.checks import reading
from app.emergencies import set_scenario
from app.main import create_app
from app.run import compute
from app.settings import Settings
from app.showing import Shown
from app.store import Run, Study, Workspace
from data import study
from data.study import read_outline
from geo.errors import ColumnError, ConflictError, CrsError, InputError, NoOverlapError, NotFoundError, ParameterError
from geo.reasons import Finding
from tests.app import drawn_town
from tests.data.osm.drawn import CRS, EAST, NORTH
from tiles.text import Text


def table(path: Path, *shapes: shapely.Geometry, crs: str = "EPSG:4326", **columns: list[object]) -> Path:
    moved = [shapely.affinity.translate(shape, EAST, NORTH) for shape in shapes]
    gpd.GeoDataFrame(columns, geometry=moved, crs=CRS).to_crs(crs).to_file(path)
    return path


def streets(folder: Path) -> Path:
    """The streets of the drawn town as lines."""
    lines = [[(0, 0), (100, 0), (500, 0), (600, 0)], [(0, 200), (100, 200), (500, 200), (600, 200)],
             [(100, 0), (100, 200)], [(500, 0), (500, 200)]]  # fmt: skip
    names = {"fclass": ["residential"] * 4, "name": ["Main Street", "学院路", None, None]}
    return table(folder / "streets.geojson", *map(shapely.LineString, lines), **names)


@pytest.fixture
def made(tmp_path: Path) -> Workspace:
    """A workspace with a study of an outline alone."""
    outline = table(tmp_path / "outline.geojson", shapely.box(-20, -70, 700, 300))
    workspace = Workspace.open(tmp_path / "workspace")
    new_study(workspace, "town", None, boundary=outline, name="Town")
    return workspace


def bring(workspace: Workspace, kind: str, path: Path, **more: object) -> Study:
    return add(workspace, "town", Addition(kind, path, **more))[0]  # type: ignore[arg-type]


def named(path: Path, *lines: tuple[object, ...]) -> Path:
    """A workbook with a title, a header and rows."""
    book = openpyxl.Workbook()
    for line in (("各社区人口",), *lines):
        book.active.append(line)
    book.save(path)
    return path


def test_people_without_places_are_laid_on_the_communities(made: Workspace, tmp_path: Path) -> None:
    bring(made, "streets", streets(tmp_path))
    people = named(tmp_path / "people.xlsx", ("街道", "常住人口(万人)"), ("城东", "0.03"), ("城西社区", "0.05"),
                   ("南", "0.01"), ("合计", "0.09"))  # fmt: skip
    with pytest.raises(ColumnError, match="renxing add STUDY communities FILE"):
        bring(made, "population", people)
    halves = [shapely.box(-20, -70, 300, 300), shapely.box(300, -70, 700, 300)]
    bring(made, "communities", table(tmp_path / "units.geojson", *halves, name=["城西社区", "城东社区"]))
    with pytest.raises(ColumnError, match="none in 4 rows"):
        bring(made, "population", people, columns={"name": "常住人口(万人)"})
    (tmp_path / "b.csv").write_text("街道,常住人口(万人)\n城东,0.03\n城西社区,0.05\n南,0.01\n合计,0.09\n")
    said = {"name": "街道", "people": "常住人口(万人)"}
    for path, columns, row in ((people, {}, 5), (tmp_path / "b.csv", said, 4)):
        of, layer, notes = add(made, "town", Addition("population", path, columns=columns))
        codes = {note.code: note for note in notes if isinstance(note, Finding)}
        assert (codes["people_not_joined"].rows, codes["totals_left_out"].rows) == ((row,), (row + 1,))
        assert "100 people" in codes["people_not_joined"].en and "× 10000" in " ".join(layer.conversions)
    read = {one.layer.layer_id: one for one in reading.every(of.file, of.folder, read_outline(of.file, of.folder))}
    assert not any(finding.severity == "error" for one in read.values() for finding in one.findings)
    city = study.load(of.file, of.folder)
    held = city.people[None]
    assert held["people"].tolist() == [300.0, 500.0, 300.0, 500.0]
    assert [edge > EAST + 200 for edge in held.bounds["minx"]] == [True, False, True, False]


def test_several_values_mean_not_known(made: Workspace, tmp_path: Path) -> None:
    bring(made, "streets", streets(tmp_path))
    values = np.zeros((8, 16))
    values[0, :3] = -9999, 999, -0.4
    depth = drawn_town.raster(tmp_path / "flood.tif", values)
    said: tuple[float, ...] = (-9999.0, 999.0)
    with pytest.raises(InputError, match=r"Give --nodata -0\.4 if it means not known"):
        bring(made, "hazard", depth, hazard="flood", unit="metres", nodata=said)
    of = bring(made, "hazard", depth, hazard="flood", unit="feet", nodata=(*said, -0.4))
    assert (of.file.layers[-1].nodata, of.file.layers[-1].unit) == ([-9999.0, 999.0, -0.4], "ft")
    again = study.StudyFile.load(of.folder / "study.toml")
    grid = study.load(again, of.folder).hazards["flood"].grid
    assert (int(np.isnan(grid.values).sum()), float(np.nanmin(grid.values))) == (3, 0.0)
    with pytest.raises(ParameterError, match="Write --nodata -9999 --nodata 999"):
        nodata_of(["-9999,999"])


def test_an_outline_alone_chooses_the_coordinate_system(made: Workspace) -> None:
    file = made.study("town").file
    assert (file.crs, file.layers, file.boundary) == (CRS, [], "inputs/boundary.geojson")


def test_without_streets_it_is_not_computed_and_says_what_to_do(made: Workspace) -> None:
    with pytest.raises(InputError, match="renxing add STUDY streets FILE"):
        compute(made, "town")


def test_neither_extract_nor_outline(tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match="an extract or a boundary"):
        new_study(Workspace.open(tmp_path), "town", None)


def test_an_outline_without_area_makes_no_study(tmp_path: Path) -> None:
    line = table(tmp_path / "line.geojson", shapely.LineString([(0, 0), (9, 9)]))
    workspace = Workspace.open(tmp_path / "workspace")
    with pytest.raises(InputError, match="an outline"):
        new_study(workspace, "town", None, boundary=line)
    assert workspace.studies() == []


def test_lines_people_and_a_shelter_make_a_plan_and_pages(made: Workspace, tmp_path: Path) -> None:
    bring(made, "streets", streets(tmp_path))
    homes = [shapely.Point(20, 10), shapely.Point(580, 210)]
    bring(made, "population", table(tmp_path / "p.geojson", *homes, n=[30, 12]), columns={"people": "n"})
    bring(made, "shelters", drawn_town.shelters(tmp_path))
    bring(made, "hazard", drawn_town.flood(tmp_path), hazard="flood", unit="m", scenario="flood")
    normal, flood = (each.run.record.headline for each in compute(made, "town"))
    assert (normal["people"], normal["people_served"], flood["people_served"]) == (42, 42, 12)
    client = TestClient(create_app(Settings(workspace=made.path)))
    assert client.get("/studies/town?scenario=flood").status_code == 200
    about = client.get("/tiles/town/base.json").json()
    tile = mercantile.tile(*np.mean(np.reshape(about["bounds"], (2, 2)), axis=0), 14)
    found = mapbox_vector_tile.decode(client.get(f"/tiles/town/base/14/{tile.x}/{tile.y}.mvt").content)
    assert {street["properties"].get("name") for street in found["streets"]["features"]} >= {"Main Street", "学院路"}


def test_streets_elsewhere_are_refused(made: Workspace, tmp_path: Path) -> None:
    far = table(tmp_path / "far.geojson", shapely.LineString([(90_000, 0), (91_000, 0)]))
    with pytest.raises(NoOverlapError, match="km away"):
        bring(made, "streets", far)


def test_columns_and_constants_are_kept_in_the_study(made: Workspace, tmp_path: Path) -> None:
    stations = table(tmp_path / "fire.geojson", shapely.Point(20, 10), label=["No. 1"])
    study = bring(made, "facilities", stations, columns={"name": "label"}, constants={"kind": "fire_station"})
    layer = study.file.layers[-1]
    assert (layer.columns, layer.constants) == ({"name": "label"}, {"kind": "fire_station"})
    assert made.study("town").file.layers[-1] == layer


def test_points_without_a_coordinate_system_ask_for_it(made: Workspace, tmp_path: Path) -> None:
    path = table(tmp_path / "clinics.shp", shapely.Point(20, 10), category=["health"])
    path.with_suffix(".prj").unlink()
    with pytest.raises(CrsError, match="--crs EPSG:4326"):
        bring(made, "facilities", path, constants={"kind": "clinic"})
    study = bring(made, "facilities", path, constants={"kind": "clinic"}, crs="EPSG:4326")
    assert study.file.layers[-1].crs == "EPSG:4326"


# hazards


def classes(folder: Path) -> Path:
    """1 is worst, 4 is not flooded."""
    return drawn_town.raster(folder / "classes.tif", np.array([[1, 2, 3, 4] * 4] * 8))


def test_classes_are_kept_and_make_another_run(made: Workspace, tmp_path: Path) -> None:
    bring(made, "streets", streets(tmp_path))
    said = {"1": "2.0", "2": "1", "3": "0.3", "4.0": "none"}
    study = bring(made, "hazard", classes(tmp_path), hazard="flood", unit="m", columns=said, scenario="flood")
    assert study.file.layers[-1].classes == {"1": 2.0, "2": 1.0, "3": 0.3, "4": 0.0}
    first = compute(made, "town", scenarios=["flood"])[0].run
    text = (study.folder / "study.toml").read_text()
    (study.folder / "study.toml").write_text(text.replace("0.3", "0.4"))
    assert compute(made, "town", scenarios=["flood"])[0].run.run_id != first.run_id


@pytest.mark.parametrize(("said", "refused"), [
    ({"1": "2.0"}, "found 1, 2, 3, 4"), ({"1": "deep"}, "1=deep"), ({"1": "-2"}, "1=-2"),
    ({"worst": "2"}, r"values that --map explains \(none\), found 1, 2, 3, 4"),
])  # fmt: skip
def test_classes_that_say_too_little(made: Workspace, tmp_path: Path, said: dict[str, str], refused: str) -> None:
    with pytest.raises(InputError, match=refused):
        bring(made, "hazard", classes(tmp_path), hazard="flood", unit="m", columns=said)
    assert made.study("town").file.layers == []


def test_levels_need_no_unit_and_depths_do(made: Workspace, tmp_path: Path) -> None:
    ranks = classes(tmp_path)
    with pytest.raises(InputError, match="classes whose order somebody said"):
        bring(made, "hazard", ranks, hazard="landslide")
    study = bring(made, "hazard", ranks, hazard="landslide", class_table="levels")
    assert (study.file.layers[-1].unit, study.file.scenarios[-1].name_zh) == ("level", "滑坡 · classes")
    with pytest.raises(ParameterError, match="the unit of the file's values: m, cm, mm, ft, found 'none'"):
        bring(made, "hazard", classes(tmp_path), hazard="flood", name="b")
    with pytest.raises(ParameterError, match="level, found 'm'"):
        bring(made, "hazard", classes(tmp_path), hazard="sand", unit="m", name="b")


def test_frames_of_one_flood_have_names_of_their_own(made: Workspace, tmp_path: Path) -> None:
    one = "Flood, 1 in 25 years"
    for name, first in (("hour-1", one), ("hour-6", f"{one} · hour-1"), ("hour-9", f"{one} · hour-1")):
        more = {"hazard": "flood", "unit": "m", "name": name, "return_period_y": 25.0}
        scenarios = bring(made, "hazard", drawn_town.flood(tmp_path), **more).file.scenarios
        assert scenarios[1].name == first
    assert scenarios[1].name_zh == "25年一遇洪水 · hour-1"
    names = [scenario.name for scenario in scenarios[:3]]
    assert names == ["Normal day", "Flood, 1 in 25 years · hour-1", "Flood, 1 in 25 years · hour-6"]


def test_a_title_that_a_person_chose_stays(made: Workspace, tmp_path: Path) -> None:
    for name, scenario in (("a", "Spring tide"), ("b", ""), ("c", "")):
        bring(made, "hazard", drawn_town.flood(tmp_path), hazard="flood", unit="m", name=name, scenario=scenario)
    names = [scenario.name for scenario in made.study("town").file.scenarios]
    assert names == ["Normal day", "Spring tide", "Flood · b", "Flood · c"]


@pytest.mark.parametrize("said", [["1=1", "1=2"], ["1=1", "1.0=2"], ["1=1", "1:=2"], ["name=A", "name=B"],
                                  ["kind=A", "kind:=clinic"]])  # fmt: skip
def test_what_is_said_twice_is_refused(said: list[str]) -> None:
    with pytest.raises(ParameterError, match=f"explained once, found {said[0]} and {said[1]}"):
        mapping(said)


def test_texts_that_map_nothing_are_named() -> None:
    with pytest.raises(ParameterError) as raised:
        mapping(["people", "=POP", "kind:="])
    assert [fault.found for fault in raised.value.faults] == ["'people'", "'=POP'", "'kind:='"]


def test_one_class_explained_twice_is_refused(made: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"1 explained once, found 1=1 and 1\.0=2"):
        bring(made, "hazard", classes(tmp_path), hazard="flood", unit="m", columns={"1": "1", "1.0": "2"})
    assert made.study("town").file.layers == []


def test_a_refusal_quotes_what_was_written(made: Workspace, tmp_path: Path) -> None:
    with pytest.raises(ParameterError, match=r"found 1:=2\. Write"):
        bring(made, "hazard", classes(tmp_path), hazard="flood", unit="m", constants={"1": "2"})


def test_a_layer_takes_the_place_of_another_with_replace(made: Workspace, tmp_path: Path) -> None:
    first = drawn_town.flood(tmp_path)
    bring(made, "hazard", first, hazard="flood", unit="m", name="rr25", scenario="wet")
    with pytest.raises(ConflictError, match="--replace"):
        bring(made, "hazard", first, hazard="flood", unit="m", name="rr25")
    before = made.study("town").file
    study = bring(made, "hazard", first, hazard="flood", unit="m", name="rr25", uncertainty=0.2, replace=True)
    assert [layer.layer_id for layer in study.file.layers] == [layer.layer_id for layer in before.layers]
    assert study.file.scenarios == before.scenarios and study.file.layers[-1].uncertainty == 0.2
    assert [path.name for path in (study.folder / "inputs").glob("rr25*")] == [Path(study.file.layers[-1].file).name]
    with pytest.raises(ConflictError, match="one of kind hazard"):
        bring(made, "facilities", table(tmp_path / "x.geojson", shapely.Point(20, 10), kind=["school"]), name="rr25",
              replace=True)  # fmt: skip


def test_the_same_table_is_read_anew_with_replace(made: Workspace, tmp_path: Path) -> None:
    file = table(tmp_path / "学校.geojson", shapely.Point(20, 10), kind=["school"])
    study = bring(made, "facilities", file)
    layer = study.file.layers[-1]
    assert (layer.title, layer.called) == ("学校", "学校") and layer.layer_id.startswith("facilities-")
    again = bring(made, "facilities", file, crs="EPSG:4326", replace=True).file.layers[-1]
    assert (again.layer_id, again.sha256, again.crs) == (layer.layer_id, layer.sha256, "EPSG:4326")


def test_what_is_said_of_a_file_names_its_layer(made: Workspace, tmp_path: Path) -> None:
    bring(made, "streets", streets(tmp_path))
    stations = table(tmp_path / "fire.geojson", shapely.Point(20, 10), label=["No. 1"], kind=["消防站"])
    _, _, notes = add(made, "town", Addition("facilities", stations, name="north"))
    assert [(n.code, n.en.split(":")[0], n.zh.split("：")[0]) for n in notes] == [
        ("words_translated", "north", "north"), ("columns_not_used", "north", "north"),
    ]  # fmt: skip
    hazard = Addition("hazard", drawn_town.flood(tmp_path), hazard="flood", unit="m", name="rr25")
    assert [n.en[:6] for n in add(made, "town", hazard)[2]] == ["rr25: "]
    city = study.load(made.study("town").file, made.study("town").folder)
    said = [note.en for note in (*city.notes, *city.hazard_notes["rr25"])]
    assert [text.split(":")[0] for text in said if "not used" in text or "unknown cells" in text] == ["north", "rr25"]


# heights


def test_heights_are_added_once(made: Workspace, tmp_path: Path) -> None:
    path = drawn_town.raster(tmp_path / "dem.tif", np.full((8, 16), -3.0))
    study = bring(made, "elevation", path)
    assert (study.file.layers[-1].kind, len(study.file.scenarios)) == ("elevation", 1)
    with pytest.raises(ParameterError, match="dem in the study already"):
        bring(made, "elevation", path, name="two")
    with pytest.raises(ParameterError, match="--map only with a table or a hazard"):
        bring(made, "elevation", path, name="two", columns={"a": "b"})


def test_a_tile_of_srtm_keeps_its_name(made: Workspace, tmp_path: Path) -> None:
    path = tmp_path / "N52E003.hgt"
    path.write_bytes(np.full((1201, 1201), 9, dtype=">i2").tobytes())
    with pytest.raises(ParameterError, match="under its own name"):
        bring(made, "elevation", path, name="heights")
    study = bring(made, "elevation", path)
    assert study.file.layers[-1].file == "inputs/n52e003.hgt"
    bring(made, "streets", streets(tmp_path))
    assert compute(made, "town")[0].fresh


# taking out again


def test_a_layer_is_taken_out_again(made: Workspace, tmp_path: Path) -> None:
    flood = {"name": "water", "hazard": "flood", "unit": "m", "scenario": "flood"}
    bring(made, "hazard", drawn_town.flood(tmp_path), **flood)
    changed = made.remove_layer("town", "water")
    assert (changed.file.layers, [s.hazards for s in changed.file.scenarios]) == ([], [(), ()])
    assert not list((changed.folder / "inputs").glob("water*"))
    with pytest.raises(NotFoundError, match="water"):
        made.remove_layer("town", "water")
    assert bring(made, "hazard", drawn_town.flood(tmp_path), **flood).file.scenarios[-1].hazards == ("water",)


# places of which nobody has the streets


def test_a_town_without_streets_is_planned_on_a_lattice(tmp_path: Path) -> None:
    homes = table(tmp_path / "people.geojson", *(shapely.Point(300 * i, 0) for i in range(5)), people=[10] * 5)
    hall = table(tmp_path / "hall.geojson", shapely.Point(0, 150), name=["Hall"])
    workspace = Workspace.open(tmp_path / "workspace")
    new_study(workspace, "town", None, boundary=homes, streets="lattice")
    bring(workspace, "population", homes)
    bring(workspace, "shelters", hall)
    run = compute(workspace, "town", overrides={"walk.max_minutes": 15})[0].run
    assert run.record.headline["people"] == 50
    # Along right angles: 150 m up and 300 m a home; 15 minutes at 1.1 m/s are some 990 m.
    walks = run.table("demand").sort_values("walk_s")["walk_s"].to_numpy()
    assert np.allclose(np.diff(walks), walks[1] - walks[0], rtol=0.02)
    assert 10 < run.record.headline["people_served"] < 50
    assert "streets_made" in [note.code for note in run.record.notes]


# day and night, and hazards that the map itself tells of


def runs(workspace: Workspace, *scenarios: str) -> list[Run]:
    return [each.run for each in compute(workspace, "town", scenarios=scenarios)]


def test_people_of_the_day_and_of_the_night_make_two_runs(made: Workspace, tmp_path: Path) -> None:
    bring(made, "streets", streets(tmp_path))
    west, east = shapely.Point(20, 10), shapely.Point(580, 210)
    bring(made, "population", table(tmp_path / "night.geojson", west, people=[40]), name="sleep", time="night")
    bring(made, "population", table(tmp_path / "day.geojson", west, east, people=[3, 90]), name="work", time="day")
    bring(made, "shelters", drawn_town.shelters(tmp_path))
    set_scenario(made, "town", "day", time="day", title="Working day")
    night, day = runs(made, "normal", "day")
    assert night.run_id != day.run_id
    assert (night.record.headline["people"], day.record.headline["people"]) == (40, 93)
    assert sorted(day.table("demand")["people"]) == [3, 90]
    assert [run.record.recipe.scenario["time"] for run in (night, day)] == ["night", "day"]
    assert runs(made, "normal")[0].run_id == night.run_id


@pytest.fixture
def riverside(tmp_path: Path) -> Workspace:
    """The drawn town with its shelter and a river along Main Street, 40 m south of it."""
    extract = drawn_town.town().line(70, (-50, -40), (650, -40), waterway="river").write(tmp_path / "town.osm")
    workspace = Workspace.open(tmp_path / "workspace")
    new_study(workspace, "town", extract)
    bring(workspace, "shelters", drawn_town.shelters(tmp_path))
    return workspace


def served(run: Run) -> list[object]:
    """Who is where, what becomes of them, and how long they walk."""
    found = run.table("demand").sort_values("demand_id")[["demand_id", "state", "walk_s"]]
    return found.fillna({"walk_s": -1}).to_numpy().tolist()


def test_ground_by_the_water_is_a_hazard_that_takes_nobodys_way(riverside: Workspace) -> None:
    derived = derive(riverside, "town", "waterside").file
    assert (derived.layers[-1].file, derived.scenarios[-1].name) == ("", "Waterside")
    normal, water = runs(riverside, "normal", "waterside")
    assert served(water) == served(normal)
    assert [name for name in water.layers if name.startswith("hazard_")] == ["hazard_waterside"]
    levels = water.table("demand")["level_combined"]
    assert set(levels) == {0, 2}, "52 m and more from the river"
    assert normal.table("demand")["level_combined"].isna().all()
    assert water.record.headline["people_displaced"] == 0


def test_with_a_flood_it_is_told_as_one_level(riverside: Workspace, tmp_path: Path) -> None:
    bring(riverside, "hazard", drawn_town.flood(tmp_path), hazard="flood", unit="m", scenario="flood", name="flood")
    (flood,) = runs(riverside, "flood")
    both = derive(riverside, "town", "waterside", scenario="flood").file.scenarios[-1]
    assert (both.name, both.name_zh, both.hazards) == ("Flood + Waterside", "洪水 + 临水地带", ("flood", "waterside"))
    (joint,) = runs(riverside, "flood")
    assert served(joint) == served(flood)
    rasters = {name: layer for name, layer in joint.layers.items() if name.startswith("hazard_")}
    assert sorted(rasters) == ["hazard_combined", "hazard_flood", "hazard_waterside"]
    assert (rasters["hazard_combined"].hazard, rasters["hazard_combined"].unit) == ("combined", "level")
    shown = {layer.layer_id: layer for layer in Shown(joint).layers}
    assert shown["hazard_combined"].title == Text("综合灾害等级", "All hazards together")
    told = joint.table("demand")
    assert (told["level_combined"] == 3).sum() >= 10, "a metre of water is worse"
    assert set(told.loc[told["level_combined"] == 3, "depth_max_m"]) == {1}
    assert set(told.loc[told["depth_max_m"] == 0, "level_combined"]) == {0, 2}
    assert joint.record.headline["people_displaced"] == flood.record.headline["people_displaced"] > 0


def test_what_cannot_be_derived(riverside: Workspace) -> None:
    before = riverside.study("town").file
    with pytest.raises(ParameterError, match="a hazard of waterside, steep_slope"):
        derive(riverside, "town", "volcano")
    with pytest.raises(ParameterError, match="renxing add town elevation FILE"):
        derive(riverside, "town", "steep_slope")
    assert riverside.study("town").file == before
    derive(riverside, "town", "waterside")
    with pytest.raises(ConflictError, match="--name"):
        derive(riverside, "town", "waterside")


def test_two_derived_layers_of_a_kind_are_told_apart(riverside: Workspace) -> None:
    derive(riverside, "town", "waterside", scenario="risk")
    derive(riverside, "town", "waterside", scenario="risk", name="again")
    (run,) = runs(riverside, "risk")
    assert sorted(name for name in run.layers if name.startswith("hazard_")) == [
        "hazard_combined", "hazard_waterside_again", "hazard_waterside_waterside",
    ]  # fmt: skip
