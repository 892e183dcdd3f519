from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data import osm
from data.osm.extract import Extract
from tests.data.osm.drawn import Town, degrees, street


def read(town: Town, folder: Path) -> Extract:
    return osm.read(town.write(folder / "a.osm"))


def test_buildings(tmp_path: Path) -> None:
    town = street()
    told = {"building__levels": "4", "height": "12 m", "building__flats": "16", "name": "A"}
    town.box(2, 0, 10, 10, 20, building="apartments", **told)
    town.box(3, 20, 10, 10, 10, building="yes", amenity="school", building__levels="many", height="tall")
    town.box(4, 40, 10, 10, 10, building="no").box(5, 60, 10, 1, 1, building="entrance")
    town.box(6, 80, 10, 10, 10, building__part="yes").line(7, (0, 50), (9, 50), building="house")
    town.node(900, 5, 5, building="house")
    found = read(town, tmp_path)
    table = found.buildings
    assert table["building_id"].tolist() == ["w2", "w3"]
    assert table["use"].tolist() == ["apartments", "school"]
    assert table[["levels", "height_m", "flats"]].to_numpy()[0].tolist() == [4, 12, 16]
    assert table[["levels", "height_m", "flats"]].isna().all(axis=1).tolist() == [False, True]
    assert table["name"].tolist() == ["A", None]
    assert np.allclose(table.area, [200, 100], rtol=0.01)
    said = ("buildings", "buildings_without_outline", "buildings_not_closed", "levels_not_understood")
    assert [found.counts[name] for name in said] == [2, 1, 1, 1]


def test_a_building_with_a_courtyard_is_one_and_drawn_once(tmp_path: Path) -> None:
    """
    ::

        ┌──────────┐   outer way tagged as well, as is the shed in the yard
        │  ┌────┐  │
        │  │ ▢  │  │
        │  └────┘  │
        └──────────┘
    """
    town = street().box(2, 0, 10, 30, 30, building="yes").box(3, 10, 20, 10, 10).box(4, 12, 22, 2, 2, building="shed")
    town.relation(5, [("w", 2, "outer"), ("w", 3, "inner")], type="multipolygon", building="yes")
    found = read(town, tmp_path)
    assert sorted(found.buildings["building_id"]) == ["r5", "w4"]
    assert found.counts["buildings_drawn_twice"] == 1
    assert found.buildings.set_index("building_id").area["r5"] == pytest.approx(800, rel=0.01)


def test_the_same_outline_twice_is_one_building(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 10, 10, building="yes")
    nodes = town.ways[2][0]
    town.way(3, [*nodes[2:4], *nodes[0:3]], building="yes")
    assert len(read(town, tmp_path).buildings) == 1


def test_a_building_inside_another_relations_ring_is_not_lost(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 90, 90).box(3, 30, 40, 10, 10, building="house")
    town.relation(5, [("w", 2, "outer"), ("w", 3, "inner")], type="multipolygon", landuse="forest")
    found = read(town, tmp_path)
    assert found.buildings["building_id"].tolist() == ["w3"]
    assert found.areas["kind"].tolist() == ["forest"]


def test_areas(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 10, 10, natural="water").box(3, 20, 10, 10, 10, landuse="retail")
    town.box(4, 40, 10, 10, 10, highway="pedestrian", area="yes").box(5, 60, 10, 10, 10, highway="footway")
    town.box(6, 80, 10, 9, 9, building="school", amenity="school").line(7, (0, 50), (9, 50), natural="wood")
    town.box(8, 0, 60, 9, 9, amenity="school")
    found = read(town, tmp_path)
    assert dict(zip(found.areas["area_id"], found.areas["kind"], strict=True)) == {
        "w2": "water", "w3": "commercial", "w4": "square", "w8": "education",
    }  # fmt: skip
    assert found.counts["areas_not_closed"] == 1


def test_lines(tmp_path: Path) -> None:
    town = street().line(2, (0, 10), (90, 10), power="line", voltage="380000;110000")
    town.line(3, (0, 20), (90, 20), waterway="river", tunnel="culvert", name="江")
    town.box(4, 0, 30, 9, 9, barrier="city_wall")
    town.line(5, (0, 50), (90, 50), natural="coastline").line(6, (0, 60), (9, 60), power="line", voltage="high")
    table = read(town, tmp_path).lines.set_index("line_id")
    kinds = ["power_line", "river", "wall", "coastline", "power_line"]
    assert table["hazards"].isna().all()
    assert table["kind"].tolist() == kinds
    assert table["voltage_v"].tolist()[0] == 380_000
    assert table["voltage_v"].isna().sum() == 4
    assert table.loc["w3", ["tunnel", "name_zh"]].tolist() == ["culvert", "江"]


def test_ways_to_safety_and_streets_that_flood(tmp_path: Path) -> None:
    """
    ::

        1───2───3 ── 4 ── (5)     relation 7: an evacuation route over w1, w2 and w9, which the extract lacks
    """
    town = street().node(4, 150, 0).way(2, [3, 4], highway="service", flood_prone="yes")
    town.line(3, (0, 40), (10, 40), highway="path", evacuation_route="yes").node(900, 5, 5, hazard="landslide")
    told = {"type": "route", "route": "evacuation", "evacuation_route": "flood;tsunami", "name": "R1"}
    found = read(town.relation(7, [("w", 1, ""), ("w", 2, "forward"), ("w", 9, "")], **told), tmp_path)
    table = found.lines.set_index("line_id")
    assert table["kind"].to_dict() == {"w2": "hazard_prone", "w3": "evacuation_route", "r7": "evacuation_route"}
    assert table["hazards"].to_dict() == {"w2": "flood", "w3": "any", "r7": "flood;tsunami"}
    assert (table.loc["r7", "name"], table.loc["r7", "geometry"].length) == ("R1", pytest.approx(150, rel=0.01))
    said = ("evacuation_routes", "evacuation_routes_cut", "streets_hazard_prone", "hazard_points")
    assert [found.counts[name] for name in said] == [1, 1, 1, 1]


def test_how_old_a_building_is_and_of_what(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 10, 10, building="yes", start_date="1930s", building__material="brick")
    town.box(3, 20, 10, 10, 10, building="yes", start_date="long ago", building__structure="wood").box(
        4, 40, 10, 10, 10, building="yes", old_name="Mill", name__ja="ミル")  # fmt: skip
    found = read(town, tmp_path)
    assert found.buildings["built_year"].fillna(-1).tolist() == [1934.5, -1, -1]
    assert found.buildings["material"].tolist() == ["brick", "wood", None]
    assert found.buildings["other_names"].tolist() == [None, None, "Mill;ミル"]
    assert found.counts["built_year_not_understood"] == 1


def test_what_is_seen_and_not_kept_is_counted(tmp_path: Path) -> None:
    town = street().node(900, 5, 5, power="tower").node(901, 6, 6, man_made="surveillance")
    counts = read(town, tmp_path).counts
    assert (counts["power_towers"], counts["cameras"], counts["facilities"]) == (1, 1, 0)


def test_shores_of_water_that_is_cut_off(tmp_path: Path) -> None:
    town = street().line(2, (0, 10), (90, 10), waterway="riverbank_edge")
    town.relation(5, [("w", 2, "outer"), ("w", 99, "outer")], type="multipolygon", natural="water", name="Lake")
    found = read(town, tmp_path)
    assert found.lines[["line_id", "kind", "name"]].to_numpy().tolist() == [["r5-shore", "shore", "Lake"]]
    assert (found.counts["water_cut_off"], found.counts["lines_shore"]) == (1, 1)


def test_boundaries_and_places(tmp_path: Path) -> None:
    told = {"boundary": "administrative", "admin_level": "9", "name": "鼓楼", "population": "1,200"}
    town = street().box(2, 0, -50, 100, 100, **told)
    town.box(3, 0, -50, 50, 100, place="neighbourhood", name="A").box(4, 0, -50, 9, 9, place="square", name="S")
    town.box(5, 0, 0, 9, 9, boundary="place").node(900, 5, 5, place="suburb", name="B", population="700")
    town.node(901, 6, 6, place="farm", name="F").node(902, 7, 7, place="hamlet")
    found = read(town, tmp_path)
    columns = ["boundary_id", "kind", "admin_level", "place", "population", "name_zh", "cut_off"]
    rows = found.boundaries[columns].astype(object).where(found.boundaries[columns].notna(), None)
    assert rows.to_numpy().tolist() == [
        ["w2", "administrative", 9, None, 1200, "鼓楼", False],
        ["w3", "place", None, "neighbourhood", None, None, False],
    ]  # fmt: skip
    assert found.places[["place_id", "kind", "population"]].to_numpy().tolist() == [["n900", "suburb", 700]]


def test_boundaries_that_the_extract_cuts_off_are_closed_along_its_edge(tmp_path: Path) -> None:
    """
    ::

        ┌───────┬───────┬───────┐   three units of one level side by side, of which
        │   A   │   B   │   C   │   the extract holds only the two lines between them
        └───────┴───────┴───────┘
    """
    town = street().line(2, (30, -100), (30, 100)).line(3, (60, -100), (60, 100))
    for number, name, lines in ((1, "A", [2]), (2, "B", [2, 3]), (3, "C", [3])):
        members = [("w", line, "outer") for line in [*lines, 99 + number]]
        town.relation(number, members, type="boundary", boundary="administrative", admin_level="10", name=name)
    corners = [f'{word}="{value:.7f}"' for word, value in _box(-1, -90, 101, 90).items()]
    path = town.write(tmp_path / "a.osm", head=f"<bounds {' '.join(corners)}/>")
    found = osm.read(path)
    assert found.boundaries.set_index("name")["cut_off"].to_dict() == {"A": True, "B": True, "C": True}
    assert np.allclose(found.boundaries.set_index("name").area[["A", "B", "C"]] / 180, [31, 30, 41], atol=0.5)
    assert (found.counts["boundaries_closed_by_edge"], found.counts["boundaries_cut_off"]) == (3, 0)


def _box(west: float, south: float, east: float, north: float) -> dict[str, float]:
    (minlon, minlat), (maxlon, maxlat) = degrees(west, south), degrees(east, north)
    return {"minlat": minlat, "minlon": minlon, "maxlat": maxlat, "maxlon": maxlon}
