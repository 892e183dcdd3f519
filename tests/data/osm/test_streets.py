from __future__ import annotations

from collections import Counter
from pathlib import Path

import numpy as np

from data.osm.scan import scan
from data.osm.streets import middle, pieces, ways
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways, build
from tests.data.osm.drawn import CRS, EAST, NORTH, Town, street


def read(town: Town, folder: Path) -> tuple[Ways, Counter[str]]:
    raw = scan(town.write(folder / "a.osm"))
    counts: Counter[str] = Counter()
    return ways(raw, pieces(raw, counts), crs=CRS, counts=counts), counts


def test_nodes_coordinates_and_tags(tmp_path: Path) -> None:
    """
    ::

        1───2───3   Main, residential, 100 m
            │
            4       footway, 30 m, with a gate at 4
    """
    town = street().node(4, 50, -30, barrier="gate", foot="no")
    town.way(2, [2, 4], highway="footway", oneway__foot="yes", surface="gravel")
    found, counts = read(town, tmp_path)
    assert found.tags["way_id"].tolist() == [1, 2]
    assert list(found.tags.columns) == ["way_id", *WAY_TAGS]
    told = found.tags.loc[1, ["highway", "oneway:foot", "surface", "name"]].tolist()
    assert told == ["footway", "yes", "gravel", None]
    assert (found.start.tolist(), found.node.tolist()) == ([0, 3, 5], [1, 2, 3, 2, 4])
    assert np.allclose(found.x - EAST, [0, 50, 100, 50, 50], atol=0.02)
    assert np.allclose(found.y - NORTH, [0, 0, 0, 0, -30], atol=0.02)
    assert list(found.barriers.columns) == ["node_id", *BARRIER_TAGS]
    assert found.barriers[["node_id", "barrier", "foot", "access"]].to_numpy().tolist() == [[4, "gate", "no", None]]
    assert counts["streets"] == 2


def test_tags_of_vehicles_limits_and_conditions_are_kept(tmp_path: Path) -> None:
    town = street().node(4, 50, -30, barrier="bollard", emergency="yes", maxwidth="2", wheelchair="no")
    tags = {"maxheight": "3.2", "access__conditional": "no @ flooding", "maxspeed__forward": "30",
            "ramp__stroller": "yes", "hgv": "no"}  # fmt: skip
    found, _ = read(town.way(2, [2, 4], highway="service", **tags), tmp_path)
    names = [name.replace("__", ":") for name in tags]
    assert found.tags.loc[1, names].tolist() == list(tags.values())
    assert found.barriers[["emergency", "maxwidth", "wheelchair", "hgv"]].to_numpy().tolist() == [
        ["yes", "2", "no", None]
    ]


def test_barriers_off_the_streets_are_left_out(tmp_path: Path) -> None:
    found, _ = read(street().node(9, 500, 500, barrier="gate"), tmp_path)
    assert len(found.barriers) == 0


def test_what_is_no_street_is_counted_by_why(tmp_path: Path) -> None:
    town = street()
    for number, kind in enumerate(("construction", "proposed", "raceway", "elevator"), 10):
        town.line(number, (0, number), (10, number), highway=kind)
    town.box(20, 0, 50, 5, 5, highway="platform").box(21, 0, 70, 5, 5, highway="pedestrian", area="yes")
    found, counts = read(town, tmp_path)
    assert found.tags["way_id"].tolist() == [1, 21]
    assert (counts["streets_not_built"], counts["streets_not_a_street"]) == (2, 3)


def test_pieces_of_a_cut_way_have_a_row_each(tmp_path: Path) -> None:
    town = street()
    town.node(5, 200, 0).node(6, 250, 0).way(9, [1, 2, 99, 5, 6], highway="path")
    found, _ = read(town, tmp_path)
    assert found.tags["way_id"].tolist() == [1, 9, 9]
    assert len(build(found).u) == 4


def test_the_middle_is_not_moved_by_a_long_tail(tmp_path: Path) -> None:
    town = street().line(5, (0, 10), (50, 10), (90, 10)).way(6, [1, 2], highway="trunk")
    town.line(7, (50, 0), (200_000, 150_000), highway="motorway")
    raw = scan(town.write(tmp_path / "a.osm"))
    lon, lat = middle(pieces(raw, Counter()))
    assert abs(lon - 3) < 0.01
    assert abs(lat - 52.35) < 0.01
