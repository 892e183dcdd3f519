from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from data import osm
from geo.errors import CrsError, UnreadableError
from geo.tables import AREAS, BOUNDARIES, BUILDINGS, FACILITIES, LINES, SHELTERS, checked
from tests.data.osm.drawn import Town, street

TABLES = {"buildings": BUILDINGS, "facilities": FACILITIES, "shelters": SHELTERS, "areas": AREAS, "lines": LINES,
          "boundaries": BOUNDARIES}  # fmt: skip


def test_a_map_of_nothing_but_a_street_has_empty_tables_with_the_right_columns(tmp_path: Path) -> None:
    found = osm.read(street().write(tmp_path / "a.osm"))
    for name, schema in TABLES.items():
        table = getattr(found, name)
        assert len(checked(table, schema)) == 0
        assert set(table.columns) >= {column.name for column in schema.columns}
    assert (len(found.ways), found.crs, found.date) == (1, "EPSG:32631", None)
    assert found.counts["streets"] == 1
    assert "1 streets, 0 buildings" in repr(found)


def test_every_table_keeps_its_schema(tmp_path: Path) -> None:
    town = street().box(2, 0, 10, 9, 9, building="yes", amenity="school").box(3, 20, 10, 9, 9, leisure="park")
    town.line(4, (0, 50), (9, 50), waterway="river").box(5, 40, 10, 9, 9, place="suburb")
    found = osm.read(town.write(tmp_path / "a.osm"))
    for name, schema in TABLES.items():
        table = getattr(found, name)
        assert len(checked(table, schema)) == 1 + (name == "shelters")
        assert table.columns[-1] == "geometry" or name == "boundaries"
        assert table.crs == found.crs


def test_counts_say_everything_by_a_known_name(tmp_path: Path) -> None:
    found = osm.read(street().write(tmp_path / "a.osm"))
    assert found.counts.keys() == osm.COUNTS.keys()
    assert all(text.endswith((".", "…")) for text in osm.COUNTS.values())


def test_nothing_is_dropped_without_a_count(tmp_path: Path) -> None:
    """Every object of interest is in a table or in a count."""
    town = street().line(2, (0, 5), (9, 5), highway="construction").line(3, (0, 6), (9, 6), building="yes")
    town.line(4, (0, 7), (9, 7), landuse="forest").node(900, 1, 1, building="yes").node(901, 2, 2, leisure="park")
    town.way(5, [900, 777], highway="path").line(6, (0, 8), (9, 8), amenity="school")
    counts = osm.read(town.write(tmp_path / "a.osm")).counts
    left_out = {
        "streets_not_built": 1, "buildings_not_closed": 1, "areas_not_closed": 2, "buildings_without_outline": 1,
        "open_ground_without_outline": 1, "ways_without_line": 1, "facilities_cut_off": 1,
    }  # fmt: skip
    assert counts.keys() == osm.COUNTS.keys()
    assert {name: counts[name] for name in left_out} == left_out


def test_the_crs_can_be_given(tmp_path: Path) -> None:
    path = street().write(tmp_path / "a.osm")
    found = osm.read(path, crs="EPSG:28992")
    assert found.crs == found.ways.crs == found.buildings.crs == "EPSG:28992"
    apart = np.hypot(np.diff(found.ways.x), np.diff(found.ways.y))
    assert np.allclose(apart, 50, rtol=0.002)


@pytest.mark.parametrize("crs", ["EPSG:4326", "EPSG:2263", "nonsense"])
def test_a_crs_that_is_not_metric_is_refused(tmp_path: Path, crs: str) -> None:
    with pytest.raises(CrsError):
        osm.read(street().write(tmp_path / "a.osm"), crs=crs)


def test_a_map_without_streets_is_refused(tmp_path: Path) -> None:
    town = Town().box(2, 0, 10, 9, 9, building="yes").line(3, (0, 0), (9, 0), highway="proposed")
    with pytest.raises(UnreadableError, match=r"streets.*none in the file"):
        osm.read(town.write(tmp_path / "a.osm"))


def test_bounds_are_the_files_else_those_of_the_buildings_else_of_the_streets(tmp_path: Path) -> None:
    plain = osm.read(street().write(tmp_path / "a.osm"))
    built = osm.read(street().box(2, 0, 10, 9, 9, building="yes").write(tmp_path / "b.osm"))
    said = street().write(tmp_path / "c.osm", head='<bounds minlat="52" minlon="2" maxlat="53" maxlon="4"/>')
    assert osm.read(said).bounds == (2, 52, 4, 53)
    widths = [found.bounds[2] - found.bounds[0] for found in (plain, built)]
    assert np.allclose(widths, [100 / 67_900, 9 / 67_900], rtol=0.01)


def test_hostile_text_is_only_text(tmp_path: Path) -> None:
    name = "<script>alert(1)</script>{{7*7}}\u202e'\";--"
    found = osm.read(street().box(2, 0, 10, 9, 9, building="yes", name=name).write(tmp_path / "a.osm"))
    assert found.buildings["name"].tolist() == [name]
