"""Studies from planners' own files: lines of streets, classes that run the other way, frames of a flood, heights."""

from __future__ import annotations

import itertools
import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import networkx as nx
import numpy as np
import pytest

from app.cli import main
from data import osm, rasters, streetlines
from data.study import StudyFile
from data.study import load as load_city
from geo import network
from geo.network import Ways
from tests import shared_data

LINES = {
    "marikina/road_networks_marikina.gpkg": "EPSG:32651",
    "pontianak/base_network.gpkg": "EPSG:32749",
    "tacloban/osm_roads.shp": "EPSG:32651",
}
FRAMES = ("rr01-18", "rr02-18", "rr03-18", "rr04-1", "rr04-6", "rr04-12", "rr04-18")


def there(*names: str) -> list[Path]:
    """The paths of shared files; skips the test where they are not."""
    if why_not := shared_data.why_not(*names):
        pytest.skip(why_not)
    return [shared_data.folder() / name for name in names]


Command = Callable[..., str]


@pytest.fixture(name="renxing")
def _renxing(tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Command:
    """Runs a command on one workspace and gives what it said; it must leave with the code expected."""

    def command(*words: str | Path, code: int = 0) -> str:
        monkeypatch.setattr(sys, "argv", ["renxing", *map(str, words), "--workspace", str(tmp_path)])
        with pytest.raises(SystemExit) as left:
            main()
        said = "".join(capfd.readouterr())
        assert int(left.value.code or 0) == code, said
        return said

    return command


def study(workspace: Path, name: str) -> tuple[StudyFile, Path]:
    folder = workspace / "studies" / name
    return StudyFile.load(folder / "study.toml"), folder


def read(name: str) -> tuple[Ways, dict[str, str]]:
    (path,) = there(name)
    lines, notes = streetlines.read(path, into=LINES[name])
    ways, said = streetlines.ways([lines])
    return ways, {note.code: note.en for note in (*notes, *said)}


def parts(ways: Ways) -> Sequence[float]:
    """Length of each connected part of the network as a share of all, the largest first."""
    net = network.build(ways)
    graph = nx.Graph()
    for u, v, length in zip(net.u.tolist(), net.v.tolist(), net.length_m.tolist(), strict=True):
        graph.add_edge(u, v, m=graph.get_edge_data(u, v, {"m": 0.0})["m"] + length)
    sizes = [graph.subgraph(part).size("m") for part in nx.connected_components(graph)]
    return sorted((size / net.length_m.sum() for size in sizes), reverse=True)


@pytest.mark.parametrize(("name", "streets", "largest"), [
    ("marikina/road_networks_marikina.gpkg", 5902, 0.98), ("pontianak/base_network.gpkg", 4212, 0.61),
    ("tacloban/osm_roads.shp", 3076, 0.95),
])  # fmt: skip
def test_lines_become_a_network_that_hangs_together(name: str, streets: int, largest: float) -> None:
    """Pontianak's lines are in six parts in the file: the city lies on both sides of two rivers."""
    ways, _ = read(name)
    assert len(ways) == streets
    assert parts(ways)[0] == pytest.approx(largest, abs=0.02)


def test_pontianak_draws_every_two_way_street_twice() -> None:
    ways, said = read("pontianak/base_network.gpkg")
    assert said["streets_drawn_twice"].startswith("3,089 streets")
    assert ways.tags["oneway"].value_counts().to_dict() == {"no": 3089, "yes": 1123}


def test_crossings_without_a_vertex_are_told_where_nothing_explains_them() -> None:
    """Marikina's have bridges, tunnels and layers; Tacloban's table has no such columns."""
    assert "streets_crossings" not in read("marikina/road_networks_marikina.gpkg")[1]
    assert read("tacloban/osm_roads.shp")[1]["streets_crossings"].startswith("12 pairs")


def test_marikina_with_seven_frames_of_its_flood(tmp_path: Path, renxing: Command) -> None:
    outline, roads, *frames = there(
        "marikina/barangays/Marikina Boundary.shp", "marikina/road_networks_marikina.gpkg",
        *(f"marikina/flood/{frame}.tif" for frame in FRAMES),
    )  # fmt: skip
    renxing("new", "marikina", "--boundary", outline)
    assert "renxing add STUDY streets" in renxing("run", "marikina", code=1)
    renxing("add", "marikina", "streets", roads)
    for frame in frames:
        said = renxing("add", "marikina", "hazard", frame, "--hazard", "flood", "--unit", "m")
        assert "less than 1 cm" in said
    for path in sorted(outline.parent.glob("*.shp")):
        if path != outline:
            renxing("add", "marikina", "communities", path, "--map", f"name:={path.stem}")
    file, folder = study(tmp_path, "marikina")
    assert [scenario.scenario_id for scenario in file.scenarios] == ["normal", *FRAMES]
    city = load_city(file, folder)
    assert city.communities is not None
    assert (len(city.communities), len(city.buildings), dict(city.people)) == (15, 0, {})
    wet = {name: float((hazard.grid.values > 0.5).mean()) for name, hazard in city.hazards.items()}
    assert [wet[name] for name in FRAMES[:3]] == sorted(wet[name] for name in FRAMES[:3])
    growing = [wet[f"rr04-{hour}"] for hour in (1, 6, 12, 18)]
    assert all(early < late for early, late in itertools.pairwise(growing))


def test_marikinas_rising_river_takes_shelters_and_reach_frame_by_frame(tmp_path: Path, renxing: Command) -> None:
    outline, roads, centres, *frames = there(
        "marikina/barangays/Marikina Boundary.shp", "marikina/road_networks_marikina.gpkg",
        "marikina/evacuation_centers.csv", *(f"marikina/flood/rr04-{hour}.tif" for hour in (1, 6, 12, 18)),
    )  # fmt: skip
    renxing("new", "marikina", "--boundary", outline)
    renxing("add", "marikina", "streets", roads)
    renxing("add", "marikina", "shelters", centres, "--crs", "EPSG:4326", "--map", "kind=type")
    for frame in frames:
        renxing("add", "marikina", "hazard", frame, "--hazard", "flood", "--unit", "m")
    said = renxing("run", "marikina", "--json")
    answer, _ = json.JSONDecoder().raw_decode(said[said.index("{") :])
    runs = {run["scenario_id"]: run for run in answer["runs"]}
    told = [runs[name]["headline"] for name in ("normal", "rr04-1", "rr04-6", "rr04-12", "rr04-18")]
    usable = [found["shelters_usable"] for found in told]
    assert usable[0] == 36 and usable[1] < 36
    assert usable == sorted(usable, reverse=True)
    near = [found["shelter_street_share"] for found in told]
    assert near[0] == pytest.approx(0.55, abs=0.03) and near[-1] == pytest.approx(0.26, abs=0.04)
    assert near == sorted(near, reverse=True)
    assert all(found["people"] is None for found in told), "nobody counted them: not known is not zero"
    assert all(found["fire_street_share"] is None for found in told), "no station is in the data"


def test_tacloban_where_one_is_worst_and_four_is_dry(tmp_path: Path, renxing: Command) -> None:
    outline, roads, flood, slide = there(
        "tacloban/Tacloban_GADM_PHL_adm3.shp", "tacloban/osm_roads.shp",
        "tacloban/noah-Leyte_TaclobanCity_Flood_100year.tif", "tacloban/Landslide-Leyte_LandslideHazards.tif",
    )  # fmt: skip
    renxing("new", "tacloban", "--boundary", outline)
    renxing("add", "tacloban", "streets", roads)
    words = ("add", "tacloban", "hazard", flood, "--hazard", "flood", "--unit", "m", "--name", "flood")
    depths = ("--map", "1=2.0", "--map", "2=1.0", "--map", "3=0.3")
    assert "found 1, 2, 3, 4" in renxing(*words, *depths, code=1)
    renxing(*words, *depths, "--map", "4=none")
    levels = ("--map", "1=5", "--map", "2=3", "--map", "3=2", "--map", "4=none")
    renxing("add", "tacloban", "hazard", slide, "--hazard", "landslide", "--name", "slide", *levels)
    city = load_city(*study(tmp_path, "tacloban"))
    raw, _ = rasters.read(flood, unit="m", classes={f"{number}": float(number) for number in range(1, 5)})
    deep = city.hazards["flood"].grid.values
    assert np.array_equal(np.isnan(raw.values), np.isnan(deep))
    for value, depth in ((1, 2.0), (2, 1.0), (3, 0.3), (4, 0.0)):
        assert deep[raw.values == value] == pytest.approx(depth)
    assert (city.hazards["slide"].unit, float(np.nanmax(city.hazards["slide"].grid.values))) == ("level", 5.0)


def test_pontianak_s_points_say_no_coordinate_system_and_no_kind(tmp_path: Path, renxing: Command) -> None:
    region, roads, origins, health, flood = there(
        "pontianak/region.geojson", "pontianak/base_network.gpkg", "pontianak/origins_points.shp",
        "pontianak/osm_health_point.shp", "pontianak/in20t010.tif",
    )  # fmt: skip
    renxing("new", "pontianak", "--boundary", region)
    renxing("add", "pontianak", "streets", roads)
    words = ("add", "pontianak", "facilities", health, "--map", "kind:=clinic")
    assert "--crs EPSG:4326" in renxing(*words, code=1)
    renxing(*words, "--crs", "EPSG:4326")
    people = ("add", "pontianak", "population", origins, "--crs", "EPSG:4326", "--map", "people=values")
    renxing(*people)
    renxing("add", "pontianak", "hazard", flood, "--hazard", "flood", "--unit", "m")
    city = load_city(*study(tmp_path, "pontianak"))
    assert city.facilities["kind"].tolist() == ["clinic"] * 5
    assert city.people[None]["people"].sum() == pytest.approx(444_544, abs=1)


def test_andorra_with_heights_from_a_zipped_tile(tmp_path: Path, renxing: Command) -> None:
    extract, tile = there("osm/valhalla-andorra-latest.osm.pbf", "dem/srtm_N42E001.hgt.zip")
    renxing("new", "andorra", "--osm", extract)
    renxing("add", "andorra", "elevation", tile)
    city = load_city(*study(tmp_path, "andorra"))
    assert city.elevation is not None
    column, row = city.elevation.cells(city.ways.x, city.ways.y, crs=city.crs)
    rows, columns = city.elevation.values.shape
    on = (column >= 0) & (column < columns) & (row >= 0) & (row < rows)
    heights = city.elevation.values[row[on].astype(int), column[on].astype(int)]
    assert on.mean() > 0.99
    assert 700 < np.nanmin(heights) < 1000 < 2000 < np.nanmax(heights) < 3000


@pytest.mark.parametrize(("name", "restrictions"), [
    ("kampen/kampen.osm.pbf", 58), ("osm/valhalla-liechtenstein-latest.osm.pbf", 83),
    ("osm/planetiler-monaco-latest.osm.pbf", 42), ("osm/nanjing-hongtao45_bbox.osm.xml", 4),
])  # fmt: skip
def test_turn_restrictions_of_real_maps(name: str, restrictions: int) -> None:
    (path,) = there(name)
    extract = osm.read(path)
    table = extract.ways.restrictions
    assert len(table) == extract.counts["restrictions"] == restrictions
    ways, nodes = set(extract.ways.tags["way_id"]), set(extract.ways.node.tolist())
    assert set(table["from_way"]) | set(table["to_way"]) <= ways
    assert set(table["via_node"]) <= nodes | {-1}
    assert ((table["via_node"] == -1) == (table["via_ways"].map(len) > 0)).all()
