from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import geopandas as gpd
import networkx as nx
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import streetlines
from geo import network
from geo.errors import ColumnError, CrsError, UnreadableError
from geo.network import WAY_TAGS, Ways
from geo.reasons import Sentence

CRS = "EPSG:32651"
EAST, NORTH = 300_000.0, 1_600_000.0
Line = list[tuple[float, float]]


def file(folder: Path, *lines: Line | shapely.Geometry, crs: str | None = CRS, name: str = "a.gpkg",
         **columns: list[object]) -> Path:  # fmt: skip
    shapes = [shapely.LineString(line) if isinstance(line, list) else line for line in lines]
    moved = [shape if shape is None else shapely.affinity.translate(shape, EAST, NORTH) for shape in shapes]
    told = columns or {"highway": ["residential"] * len(moved)}
    gpd.GeoDataFrame(told, geometry=moved, crs=crs).to_file(folder / name)
    return folder / name


def read(path: Path, **more: object) -> tuple[Ways, dict[str, Sentence]]:
    lines, notes = streetlines.read(path, into=CRS, **more)  # type: ignore[arg-type]
    ways, said = streetlines.ways([lines])
    return ways, {note.code: note for note in (*notes, *said)}


def pieces(ways: Ways) -> int:
    """Parts of the network that are not joined."""
    net = network.build(ways)
    return nx.number_connected_components(nx.Graph(zip(net.u.tolist(), net.v.tolist(), strict=True)))


# joining


def test_lines_with_a_common_vertex_are_joined(tmp_path: Path) -> None:
    """
    ::

        0────50────100
              │
             -30
    """
    ways, notes = read(file(tmp_path, [(0, 0), (50, 0), (100, 0)], [(50, 0), (50, -30)]))
    assert (ways.start.tolist(), ways.node.tolist()) == ([0, 3, 5], [1, 2, 3, 2, 4])
    assert (pieces(ways), len(network.build(ways).u), notes) == (1, 3, {})


def test_a_crossing_without_a_vertex_is_not_joined_and_counted(tmp_path: Path) -> None:
    """A cross of two streets, and one over a bridge, which needs no vertex."""
    lines = [[(0, 0), (100, 0)], [(50, -30), (50, 30)], [(70, -30), (70, 30)], [(90, -30), (90, 30)]]
    ways, notes = read(file(tmp_path, *lines, highway=["road"] * 4, bridge=["no", None, "yes", None],
                            layer=[None, None, None, "-1"]))  # fmt: skip
    assert pieces(ways) == 4
    assert notes["streets_crossings"].en.startswith("1 pairs of streets cross without a shared point")
    assert streetlines.crossings(ways) == 1


@pytest.mark.parametrize(("short_m", "joined"), [(0.0, True), (0.3, True), (0.49, True), (0.6, False), (3.0, False)])
def test_a_street_that_ends_just_short_of_another_in_mid_line_is_joined(
    tmp_path: Path, short_m: float, joined: bool
) -> None:
    ways, notes = read(file(tmp_path, [(0, 0), (100, 0)], [(50, -30), (50, -short_m)]))
    assert pieces(ways) == (1 if joined else 2)
    assert ("streets_ends_joined" in notes) == joined
    net = network.build(ways)
    assert sorted(round(m, 2) for m in net.length_m) == ([30, 50, 50] if joined else [30 - round(short_m, 2), 100])


def test_an_end_near_a_vertex_takes_that_vertex(tmp_path: Path) -> None:
    ways, _ = read(file(tmp_path, [(0, 0), (50, 0), (100, 0)], [(50.2, -30), (50.2, -0.3)]))
    assert (pieces(ways), len(np.unique(ways.node))) == (1, 4)


def test_ends_that_nearly_meet_are_joined(tmp_path: Path) -> None:
    ways, _ = read(file(tmp_path, [(0, 0), (50, 0)], [(50.3, 0), (100, 0)], [(50, 0.3), (50, 60)]))
    assert pieces(ways) == 1


def test_close_vertices_of_one_line_stay_apart(tmp_path: Path) -> None:
    """A finely drawn bend is no knot: only rounding makes vertices one."""
    bend = [(0.3 * i, 0.0) for i in range(200)]
    ways, _ = read(file(tmp_path, bend))
    assert len(ways.node) == 200
    assert network.build(ways).length_m.sum() == pytest.approx(0.3 * 199)


def test_rounding_of_coordinates_does_not_part_streets(tmp_path: Path) -> None:
    ways, _ = read(file(tmp_path, [(0, 0), (50, 0), (100, 0)], [(50.004, 0.003), (50, -30)]))
    assert pieces(ways) == 1


def test_several_files_are_joined_where_they_meet(tmp_path: Path) -> None:
    west = streetlines.read(file(tmp_path, [(0, 0), (50, 0)], name="w.gpkg"), into=CRS)[0]
    east = streetlines.read(file(tmp_path, [(50, 0), (90, 0)], name="e.gpkg"), into=CRS)[0]
    ways, _ = streetlines.ways([west, east])
    assert (len(ways), pieces(ways)) == (2, 1)
    again, _ = streetlines.ways([east, west])
    pd.testing.assert_frame_equal(ways.tags, again.tags)
    assert (ways.node == again.node).all()


spots = st.tuples(st.integers(0, 4), st.integers(0, 4)).map(lambda p: (10.0 * p[0], 10.0 * p[1]))
drawn = st.lists(st.lists(spots, min_size=2, max_size=4, unique=True), min_size=1, max_size=8)


def table(lines: list[Line]) -> gpd.GeoDataFrame:
    tags = pd.DataFrame({name: pd.Series([None] * len(lines), dtype=object) for name in WAY_TAGS})
    tags = tags.assign(highway="road", way_id=0)
    return gpd.GeoDataFrame(tags, geometry=[shapely.LineString(line) for line in lines], crs=CRS)


@given(drawn, st.randoms(use_true_random=False))
def test_the_order_of_the_rows_changes_nothing(lines: list[Line], chance: object) -> None:
    first, _ = streetlines.ways([table(lines)])
    chance.shuffle(lines)  # type: ignore[attr-defined]
    again, _ = streetlines.ways([table(lines)])
    pd.testing.assert_frame_equal(first.tags, again.tags)
    for name in ("start", "node", "x", "y"):
        assert np.array_equal(getattr(first, name), getattr(again, name))


@given(drawn)
def test_the_network_is_that_of_the_shared_vertices(lines: list[Line]) -> None:
    """Oracle: networkx over the coordinates themselves."""
    ways, _ = streetlines.ways([table(lines)])
    graph = nx.Graph()
    once = {min(tuple(line), tuple(line[::-1])) for line in lines}
    for line in once:
        graph.add_edges_from(pairwise(line))
    ends = {line[i] for line in once for i in (0, -1)}
    for end in (p for p in ends if sum(p in line for line in once) == 1):
        met = [n for n in once if end not in n and shapely.LineString(n).distance(shapely.Point(end)) < 0.5]
        graph.add_edges_from((end, line[0]) for line in sorted(met)[:1])
    assert pieces(ways) == nx.number_connected_components(graph)
    assert set(zip(ways.x.round(6), ways.y.round(6), strict=True)) == set(graph.nodes)


# what is left out


def test_what_is_left_out_is_counted(tmp_path: Path) -> None:
    many = shapely.MultiLineString([[(0, 20), (50, 20)], [(60, 20), (90, 20)]])
    lines = [[(0, 0), (50, 0)], [(50, 0), (0, 0)], [(0, 9), (0, 9)], [(0, 40), (9, 40)], [(0, 50), (9, 50)], many, None]
    classes = ["road", "road", "road", "construction", "raceway", "path", "road"]
    ways, notes = read(file(tmp_path, *lines, highway=classes))
    assert sorted(ways.tags["highway"]) == ["path", "path", "road"]
    assert {code: note.en.split()[0] for code, note in notes.items()} == {
        "streets_drawn_twice": "1", "streets_without_length": "1", "streets_not_built": "1",
        "streets_not_a_street": "1",
    }  # fmt: skip
    assert all(note.zh for note in notes.values())


def test_a_street_drawn_once_for_each_direction(tmp_path: Path) -> None:
    """Two one-way lines against each other are both kept, a two-way street and its reverse are one."""
    there, back = [(0.0, 0.0), (50.0, 0.0)], [(50.0, 0.0), (0.0, 0.0)]
    assert len(read(file(tmp_path, there, back, highway=["road"] * 2, oneway=[True, True]))[0]) == 2
    path = file(tmp_path, there, back, there, highway=["road"] * 3, oneway=[False] * 3, name="b.gpkg")
    assert len(read(path)[0]) == 1


# columns


def tags_of(path: Path, *names: str, **more: object) -> list[list[object]]:
    return read(path, **more)[0].tags[list(names)].to_numpy().tolist()


ROADS = ([(0.0, 0.0), (50.0, 0.0)], [(50.0, 0.0), (90.0, 0.0)], [(90.0, 0.0), (95.0, 0.0)])


def test_a_shapefile_of_geofabrik(tmp_path: Path) -> None:
    path = file(tmp_path, *ROADS, name="roads.shp", osm_id=["11", "12", "13"],
                fclass=["primary", "track_grade2", "steps"],
                oneway=["F", "B", "T"], maxspeed=[50, 0, 0], bridge=["T", "F", "F"], tunnel=["F", "F", "F"],
                layer=[1, 0, 0])  # fmt: skip
    names = ("way_id", "highway", "oneway", "maxspeed", "bridge", "tunnel", "layer")
    assert tags_of(path, *names) == [
        [11, "primary", "yes", "50", "yes", None, "1"], [12, "track", "no", None, None, None, "0"],
        [13, "steps", "-1", None, None, None, "0"],
    ]  # fmt: skip


def test_true_and_false_without_both_are_flags(tmp_path: Path) -> None:
    path = file(tmp_path, *ROADS, highway=["primary"] * 3, oneway=["T", "F", None])
    assert [row[0] for row in tags_of(path, "oneway")] == ["yes", "no", None]


def test_columns_of_other_names_and_other_words(tmp_path: Path) -> None:
    path = file(tmp_path, *ROADS, OSM_TYPE=["Residential", "主干路", "goat track"], 道路名称=["A", "B", None],
                area=[3.5, 4.5, 5.5], motor_vehi=["no", None, None])  # fmt: skip
    ways, notes = read(path)
    assert ways.tags["highway"].tolist() == ["residential", "primary", "road"]
    assert ways.tags["name"].tolist() == ["A", "B", None]
    assert ways.tags["area"].tolist() == [None] * 3, "an area in square metres is no area=yes"
    assert ways.tags["motor_vehicle"].tolist() == ["no", None, None]
    assert ways.tags["way_id"].tolist() == [1, 2, 3]
    assert "1 of 3 streets" in notes["street_class_unknown"].en
    assert "goat track" in notes["street_class_unknown"].en
    assert "highway=OSM_TYPE" in notes["columns_guessed"].en


def test_lines_without_a_class_are_roads_and_it_is_said(tmp_path: Path) -> None:
    ways, notes = read(file(tmp_path, *ROADS, width=[3, 4, 0]))
    assert ways.tags[["highway", "width"]].to_numpy().tolist() == [["road", "3"], ["road", "4"], ["road", None]]
    assert "3 of 3 streets have no class" in notes["street_class_unknown"].en


def test_columns_are_mapped_and_filled(tmp_path: Path) -> None:
    path = file(tmp_path, *ROADS, klasse=["primary", "path", "steps"], type=["a", "b", "c"])
    assert [row[0] for row in tags_of(path, "highway", columns={"highway": "klasse"})] == ["primary", "path", "steps"]
    filled = tags_of(path, "highway", "surface", constants={"highway": "service", "surface": "asphalt"})
    assert filled == [["service", "asphalt"]] * 3


def test_ways_of_openstreetmap_keep_their_numbers(tmp_path: Path) -> None:
    path = file(tmp_path, *ROADS, id=["way/9", "way/9", "way/7"], highway=["road"] * 3)
    ways, _ = read(path)
    assert ways.tags["way_id"].tolist() == [7, 9, 9]
    assert len(set(network.build(ways).street_ids)) == 3


# refusals


def test_what_cannot_be_streets_is_refused(tmp_path: Path) -> None:
    area = shapely.box(0, 0, 9, 9)
    with pytest.raises(ColumnError, match="expected lines, found Polygon"):
        read(file(tmp_path, area, name="p.gpkg"))
    with pytest.raises(ColumnError, match="'heighway'"):
        read(file(tmp_path, *ROADS), columns={"heighway": "x"})
    with pytest.raises(ColumnError, match="'klasse'"):
        read(file(tmp_path, *ROADS), columns={"highway": "klasse"})
    with pytest.raises(UnreadableError, match="none that is a street"):
        read(file(tmp_path, [(0, 0), (9, 9)], highway=["construction"], name="c.gpkg"))
    with pytest.raises(CrsError, match="--crs"):
        nowhere = file(tmp_path, *ROADS, name="n.shp")
        nowhere.with_suffix(".prj").unlink()
        read(nowhere)


def test_a_file_without_lines_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "a.geojson"
    path.write_text('{"type": "FeatureCollection", "features": []}')
    with pytest.raises(UnreadableError, match="lines of streets"):
        read(path)
