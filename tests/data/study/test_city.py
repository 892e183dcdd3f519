from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import pytest
import rasterio
import shapely
from rasterio.transform import Affine

from data import standards, study
from data.study import Layer, StudyFile
from data.study.clipping import clipped
from geo import plan, readied
from geo.city import PlanParams, Scenario
from geo.errors import FileMissingError, InputError, NoOverlapError, UnreadableError
from tests.data.osm.drawn import CRS, EAST, NORTH, Town, street

OSM = Layer(layer_id="osm", kind="osm", file="inputs/a.osm")
PEOPLE = Layer(layer_id="people", kind="population", file="inputs/people.tif", unit="people")
FLOOD = Layer(layer_id="flood", kind="hazard", file="inputs/flood.tif", hazard="flood", unit="m", return_period_y=100)


def town() -> Town:
    """
    ::

        ┌─┐ ┌─┐            ┌─┐
        └─┘ └─┘    5 km    └─┘   three houses, the last far off; a school by the first
        ─1──2──3─ … ────── 8─9
    """
    drawn = street().box(2, 0, 10, 9, 9, building="house").box(3, 20, 10, 9, 9, building="house", amenity="school")
    drawn.box(4, 5000, 10, 9, 9, building="house", name="far").node(8, 5000, 0).node(9, 5100, 0, barrier="gate")
    return drawn.way(5, [3, 8, 9], highway="tertiary").way(6, [8, 9], highway="path")


def folder_of(tmp_path: Path, drawn: Town | None = None) -> Path:
    inputs = tmp_path / "inputs"
    inputs.mkdir()
    (drawn or town()).write(inputs / "a.osm")
    return tmp_path


def definition(*layers: Layer, boundary: str | None = None) -> StudyFile:
    return StudyFile(study_id="s", name="S", crs=CRS, layers=[OSM, *layers], boundary=boundary)


def flood(path: Path, *, east: float = EAST, north: float = NORTH) -> None:
    place = Affine(10, 0, east - 50, 0, -10, north + 100)
    with rasterio.open(path, "w", driver="GTiff", width=20, height=20, count=1, dtype="float32", crs=CRS,
                       transform=place) as target:  # fmt: skip
        target.write(np.full((20, 20), 0.5, dtype=np.float32), 1)


def table(path: Path, *shapes: shapely.Geometry, **columns: list[object]) -> None:
    moved = [shapely.affinity.translate(shape, EAST, NORTH) for shape in shapes]
    gpd.GeoDataFrame(columns, geometry=moved, crs=CRS).to_file(path)


def test_a_map_alone(tmp_path: Path) -> None:
    found = study.load(definition(), folder_of(tmp_path))
    assert (len(found.buildings), len(found.ways), found.crs) == (3, 3, CRS)
    assert (found.communities, dict(found.people), dict(found.hazards)) == (None, {}, {})
    assert (tmp_path / "cache").is_dir()


def test_what_the_map_leaves_open_is_said(tmp_path: Path) -> None:
    drawn = town().line(20, (0, 70), (9, 70), building="yes").line(21, (0, 80), (9, 80), highway="construction")
    drawn.relation(1, [("w", 20, "outer"), ("w", 99, "outer")], type="multipolygon", natural="water")
    notes = {note.code: note for note in study.load(definition(), folder_of(tmp_path, drawn)).notes}
    assert list(notes) == ["map_streets_not_built", "map_buildings_left_out", "map_water_cut_off"]
    assert notes["map_buildings_left_out"].en == "1 buildings of the map have no whole outline and are left out."
    assert all(note.zh for note in notes.values())


def test_the_map_is_read_once(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    study.load(definition(), folder, cache=tmp_path / "elsewhere")
    kept = list((tmp_path / "elsewhere").iterdir())
    before = [path.stat().st_mtime_ns for path in kept]
    study.load(definition(), folder, cache=tmp_path / "elsewhere")
    assert [path.stat().st_mtime_ns for path in kept] == before
    assert not (tmp_path / "cache").exists()


def test_a_changed_map_is_read_again(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    study.load(definition(), folder)
    town().box(7, 50, 10, 9, 9, building="house").write(folder / "inputs/a.osm")
    assert len(study.load(definition(), folder).buildings) == 4


def test_hazards(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    flood(folder / "inputs/flood.tif")
    found = study.load(definition(FLOOD), folder)
    hazard = found.hazards["flood"]
    assert (hazard.kind, hazard.unit, hazard.label_en, hazard.label_zh) == (
        "flood", "m", "Flood, 1 in 100 years", "100年一遇洪水",
    )  # fmt: skip
    assert "raster_all_known" in [note.code for note in found.hazard_notes["flood"]]
    assert "raster_all_known" not in [note.code for note in found.notes], "told where the flood is in force"


def test_a_hazard_elsewhere_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    flood(folder / "inputs/flood.tif", north=NORTH + 300_000)
    with pytest.raises(NoOverlapError, match=r"inputs/flood.tif.*300 km away"):
        study.load(definition(FLOOD), folder)


def test_given_tables_replace_or_add(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    box = shapely.box(-10, -10, 60, 60)
    table(folder / "inputs/c.gpkg", box, name=["A"])
    table(folder / "inputs/p.gpkg", shapely.Point(5, 5), people=[12.5])
    columns = {"name": ["Hall", "X"], "shelter_id": ["w3", "x"], "kind": ["hall", "x"]}
    table(folder / "inputs/s.gpkg", box, shapely.Point(5, 5), **columns)
    table(folder / "inputs/f.gpkg", shapely.Point(5, 5), kind=["police"])
    files = {"communities": "c", "population": "p", "shelters": "s", "facilities": "f"}
    layers = [Layer(layer_id=kind, kind=kind, file=f"inputs/{file}.gpkg") for kind, file in files.items()]  # type: ignore[arg-type]
    found = study.load(definition(*layers), folder)
    assert found.communities is not None
    assert (found.communities["name"].tolist(), found.people[None]["people"].tolist()) == (["A"], [12.5])
    assert found.facilities["kind"].tolist() == ["school", "police"]
    assert found.shelters["shelter_id"].tolist() == ["w3", "given-w3", "x"]
    assert found.shelters["origin"].tolist() == ["candidate", "official", "official"]
    assert found.shelters["valid_for"].tolist() == [None, None, None]
    assert found.shelters["floor_m2"].tolist()[1] == pytest.approx(2 * 81, rel=0.01)


def test_given_buildings_stand_in_the_maps_place(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    table(folder / "inputs/b.gpkg", shapely.box(0, 10, 9, 19), use=["House"])
    found = study.load(definition(Layer(layer_id="b", kind="buildings", file="inputs/b.gpkg")), folder)
    assert found.buildings["use"].tolist() == ["house"]


def test_tables_of_one_kind_are_joined_and_ids_kept_apart(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for name in ("north", "south"):
        table(folder / f"inputs/{name}.gpkg", shapely.box(0, 0, 9, 9), name=[name])
    layers = [Layer(layer_id=n, kind="communities", file=f"inputs/{n}.gpkg") for n in ("north", "south")]
    found = study.load(definition(*layers), folder).communities
    assert found is not None
    assert found[["community_id", "name"]].to_numpy().tolist() == [["c1", "north"], ["south-c1", "south"]]
    assert found["parent_id"].tolist() == [None, None]


def test_a_population_raster(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    flood(folder / "inputs/people.tif")
    found = study.load(definition(PEOPLE), folder).people[None]
    assert (len(found), found["people"].sum()) == (400, 200)


def test_an_outline_keeps_what_is_inside_and_streets_a_walk_beyond(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    table(folder / "inputs/outline.gpkg", shapely.box(-10, -10, 15, 60))
    found = study.load(definition(boundary="inputs/outline.gpkg"), folder)
    assert (len(found.buildings), len(found.facilities), len(found.shelters)) == (1, 0, 1)
    assert found.ways.tags["way_id"].tolist() == [1, 5]
    assert found.ways.barriers["node_id"].tolist() == [9]
    said = next(note for note in found.notes if note.code == "outside_outline")
    assert said.en == "Outside the study's outline and left out: 2 buildings, 1 facilities, 1 streets."
    assert said.zh == "研究范围外未计入：建筑2、设施1、街道1。"


def test_people_inside_and_outside_an_outline_are_all_there(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    flood(folder / "inputs/people.tif")
    whole = study.load(definition(PEOPLE), folder)
    outline = shapely.affinity.translate(shapely.box(-20, -50, 40, 50), EAST, NORTH)
    elsewhere = whole.people[None].union_all().envelope.buffer(99) - outline
    part, rest = (clipped(whole, area).people[None]["people"].sum() for area in (outline, elsewhere))
    assert 0 < part < whole.people[None]["people"].sum() == pytest.approx(part + rest)


def test_an_outline_elsewhere_or_without_area_is_refused(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    table(folder / "inputs/far.gpkg", shapely.box(90_000, 0, 91_000, 900))
    table(folder / "inputs/line.gpkg", shapely.LineString([(0, 0), (9, 9)]))
    with pytest.raises(NoOverlapError):
        study.load(definition(boundary="inputs/far.gpkg"), folder)
    with pytest.raises(UnreadableError, match="an outline"):
        study.load(definition(boundary="inputs/line.gpkg"), folder)


# streets that are given as lines


LINES = Layer(layer_id="lines", kind="streets", file="inputs/lines.gpkg")
ALONG = shapely.LineString([(0, 0), (100, 0), (900, 0)])
ACROSS = shapely.LineString([(100, 0), (100, 300)])


def bare(*layers: Layer, boundary: str | None = None) -> StudyFile:
    return StudyFile(study_id="s", name="S", crs=CRS, layers=list(layers), boundary=boundary)


def test_given_streets_stand_in_the_maps_place(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    table(folder / "inputs/lines.gpkg", ALONG, ACROSS, highway=["tertiary", "path"])
    found = study.load(definition(LINES), folder)
    assert found.ways.tags["highway"].tolist() == ["tertiary", "path"]
    assert len(found.buildings) == 3
    assert len(study.read_map(definition(LINES), folder).ways) == 2


def test_a_study_without_an_extract_has_its_streets_alone(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    table(tmp_path / "inputs/lines.gpkg", ALONG, ACROSS, highway=["tertiary", "path"])
    table(tmp_path / "inputs/outline.gpkg", shapely.box(-10, -10, 950, 400))
    table(tmp_path / "inputs/p.gpkg", shapely.Point(5, 5), people=[12])
    people = Layer(layer_id="p", kind="population", file="inputs/p.gpkg")
    found = study.load(bare(LINES, people, boundary="inputs/outline.gpkg"), tmp_path)
    assert (len(found.ways), found.crs, len(found.people[None])) == (2, CRS, 1)  # type: ignore[arg-type]
    for name in ("buildings", "facilities", "shelters", "areas", "lines", "boundaries"):
        assert (len(getattr(found, name)), getattr(found, name).crs) == (0, CRS)
    assert not (tmp_path / "cache").exists()


def test_such_a_study_is_planned(tmp_path: Path) -> None:
    """One home at the west end, one shelter at the end of the lane: 100 m and 300 m."""
    (tmp_path / "inputs").mkdir()
    table(tmp_path / "inputs/lines.gpkg", ALONG, ACROSS, highway=["tertiary", "path"])
    table(tmp_path / "inputs/p.gpkg", shapely.Point(0, 0), people=[12])
    table(tmp_path / "inputs/s.gpkg", shapely.Point(100, 300), name=["Hall"], capacity=[50])
    layers = [LINES] + [Layer(layer_id=k, kind=k, file=f"inputs/{k[0]}.gpkg") for k in ("population", "shelters")]  # type: ignore[arg-type]
    base = readied.prepare(study.load(bare(*layers), tmp_path), params=PlanParams.of(standards.load()))
    result = plan.run(base, Scenario("normal"))
    assert result.headline["people_served"] == 12
    assert result.layers["demand"]["walk_s"].tolist() == pytest.approx([400 / 1.2], abs=1)


def test_streets_far_from_the_outline_are_refused(tmp_path: Path) -> None:
    (tmp_path / "inputs").mkdir()
    table(tmp_path / "inputs/lines.gpkg", ALONG)
    table(tmp_path / "inputs/far.gpkg", shapely.box(90_000, 0, 91_000, 900))
    with pytest.raises(NoOverlapError, match=r"inputs/lines.gpkg"):
        study.load(bare(LINES, boundary="inputs/far.gpkg"), tmp_path)


def test_restrictions_stay_with_the_streets_they_bind(tmp_path: Path) -> None:
    turn = [("w", 1, "from"), ("n", 3, "via"), ("w", 5, "to")]
    far = [("w", 5, "from"), ("n", 8, "via"), ("w", 6, "to")]
    drawn = town().relation(1, turn, type="restriction", restriction="no_u_turn")
    folder = folder_of(tmp_path, drawn.relation(2, far, type="restriction", restriction="no_right_turn"))
    assert study.load(definition(), folder).ways.restrictions["restriction_id"].tolist() == [1, 2]
    table(folder / "inputs/outline.gpkg", shapely.box(-10, -10, 15, 60))
    clipped = study.load(definition(boundary="inputs/outline.gpkg"), folder)
    assert clipped.ways.restrictions["restriction_id"].tolist() == [1]


# hazards of every kind, heights


def raster(path: Path, values: object, *, dtype: str = "float32") -> None:
    array = np.asarray(values, dtype=dtype)
    place = Affine(100, 0, EAST - 50, 0, -100, NORTH + 100)
    with rasterio.open(path, "w", driver="GTiff", width=array.shape[1], height=array.shape[0], count=1, dtype=dtype,
                       crs=CRS, transform=place) as target:  # fmt: skip
        target.write(array, 1)


def test_hazards_come_in_their_own_units(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    raster(folder / "inputs/a.tif", [[1, 2], [3, 4]], dtype="uint8")
    units = {"flood": "cm", "flood_velocity": "m/s", "landslide": "level"}
    layers = [Layer(layer_id=h, kind="hazard", file="inputs/a.tif", hazard=h, unit=u) for h, u in units.items()]
    with pytest.raises(InputError, match="classes whose order somebody said"):
        study.load(definition(*layers), folder)
    layers[2] = layers[2].model_copy(update={"classes": {"1": 5.0, "2": 3.0, "3": 1.0, "4": 0.0}})
    found = study.load(definition(*layers), folder).hazards
    assert {name: (h.kind, h.unit, h.label_en) for name, h in found.items()} == {
        "flood": ("flood", "m", "Flood"), "flood_velocity": ("flood_velocity", "m/s", "Flood velocity"),
        "landslide": ("landslide", "level", "Landslide"),
    }  # fmt: skip
    assert all(hazard.label_zh for hazard in found.values())
    assert found["flood"].grid.values.ravel().tolist() == pytest.approx([0.01, 0.02, 0.03, 0.04])
    assert found["landslide"].grid.values.tolist() == [[5, 3], [1, 0]]


def test_heights(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    raster(folder / "inputs/a.tif", [[-3, 2], [3, 40]])
    heights = Layer(layer_id="dem", kind="elevation", file="inputs/a.tif")
    found = study.load(definition(heights), folder)
    assert study.load(definition(), folder).elevation is None
    assert found.elevation is not None
    assert found.elevation.values.tolist() == [[-3, 2], [3, 40]]
    table(folder / "inputs/outline.gpkg", shapely.box(-10, -10, 15, 60))
    assert study.load(definition(heights, boundary="inputs/outline.gpkg"), folder).elevation is not None
    with pytest.raises(InputError, match="one layer of kind elevation, found dem, two"):
        study.load(definition(heights, heights.model_copy(update={"layer_id": "two"})), folder)


def test_all_missing_files_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileMissingError) as raised:
        study.load(definition(FLOOD, boundary="inputs/b.geojson"), tmp_path)
    assert len(raised.value.faults) == 3


def test_one_map_is_needed(tmp_path: Path) -> None:
    empty = StudyFile(study_id="s", name="S", crs=CRS)
    with pytest.raises(InputError, match="renxing add STUDY streets"):
        study.load(empty, tmp_path)
    folder_of(tmp_path)
    with pytest.raises(InputError, match="one layer of kind osm, found 2"):
        study.load(definition(OSM.model_copy(update={"layer_id": "two"})), tmp_path)


# -- rules of distance and what they keep away from --------------------------------------------------------------------


def with_sources(tmp_path: Path, *, rules: dict[str, dict[str, object]], boundary: str | None = None) -> StudyFile:
    """A fault 300 m beyond the town's eastern end, 200 km long; a second one, and a dyke, 10 km off."""
    east = shapely.LineString([(5400, -100_000), (5400, 100_000)])
    far = shapely.LineString([(15_400, 0), (15_400, 9)])
    table(tmp_path / "inputs/faults.geojson", east, far, kind=["fault"] * 2, name=["East", "Far"])
    table(tmp_path / "inputs/dykes.geojson", shapely.affinity.translate(far, 1), name=["Dyke"])
    layers = [Layer(layer_id=name, kind="sources", file=f"inputs/{name}.geojson") for name in ("faults", "dykes")]
    layers[1] = layers[1].model_copy(update={"constants": {"kind": "堤防"}})
    return definition(*layers, boundary=boundary).model_copy(update={"rules": rules})


def test_a_city_has_rules_and_what_they_keep_away_from(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    found = study.load(with_sources(tmp_path, rules={"fault_8_c": {"distance": 150}}), folder)
    assert found.rules.rules["fault_8_c"].distance == "150" and found.rules.rules["fault_8_b"].distance == "200"
    assert found.sources is not None and found.sources["name"].tolist() == ["East"]
    xmin, ymin, xmax, ymax = found.sources.total_bounds
    assert (xmin, xmax) == (EAST + 5400, EAST + 5400) and ymax - ymin < 5000  # cut to the study and 2 km round it
    codes = {note.code: note.en for note in found.notes}
    assert codes["rules_changed"].endswith("class C building (distance 150 m, ours 100 m).")
    assert codes["sources_far"] == "2 of 3 sources of rules lie more than 2 km from the study: left out."


def test_a_source_beyond_the_outline_counts_up_to_two_kilometres(tmp_path: Path) -> None:
    folder = folder_of(tmp_path)
    for edge, names in ((5100, ["East"]), (3500, ["East"]), (3300, [])):
        table(tmp_path / "inputs/outline.geojson", shapely.box(-50, -50, edge, 50), name=["outline"])
        found = study.load(with_sources(tmp_path, rules={}, boundary="inputs/outline.geojson"), folder)
        assert found.sources is not None and found.sources["name"].tolist() == names


def test_without_sources_a_city_has_our_rules_all_the_same(tmp_path: Path) -> None:
    found = study.load(definition(), folder_of(tmp_path))
    assert found.sources is None and "river" in found.rules.rules
    with pytest.raises(InputError, match=r"rules\.river\.distance"):
        study.load(definition().model_copy(update={"rules": {"river": {"distance": -1}}}), tmp_path)
