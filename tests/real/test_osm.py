"""Real extracts, each with its trap (sorted or not, complete or not, packed in every way)."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import osmium
import pyogrio
import pytest
import shapely
from osmium.osm import Way

from data import osm
from data.osm import kinds
from data.osm.scan import scan
from geo.network import build
from geo.tables import AREAS, BOUNDARIES, BUILDINGS, FACILITIES, LINES, SHELTERS, checked

# file, CRS, and what it must hold at least: streets, buildings, facilities
FILES = [
    ("kampen/kampen.osm.pbf", "EPSG:32631", (5400, 29_600, 130)),
    ("osm/nanjing-hongtao45_bbox.osm.xml", "EPSG:4549", (380, 1270, 55)),
    ("osm/nanjing.osm.pbf", "EPSG:4549", (380, 1270, 55)),
    ("osm/helsinki-centre.osm.pbf", "EPSG:32635", (2600, 430, 80)),
    ("osm/beijing-haidian-tsinghua.osm", "EPSG:4548", (650, 500, 8)),
    ("osm/valhalla-test-nyc.osm.pbf", "EPSG:32618", (90, 1400, 3)),
    ("osm/gh-krems.osm.gz", "EPSG:32633", (800, 700, 15)),
    ("osm/osmnx-west-oakland.osm.bz2", "EPSG:32610", (350, 100, 1)),
    ("osm/planetiler-monaco-latest.osm.pbf", "EPSG:32632", (1500, 800, 100)),
    ("osm/valhalla-liechtenstein-latest.osm.pbf", "EPSG:32632", (6000, 10_000, 100)),
]


@cache
def read(path: Path) -> osm.Extract:
    return osm.read(path)


@pytest.mark.parametrize(("name", "crs", "least"), FILES)
def test_every_extract_reads(shared_data: Path, name: str, crs: str, least: tuple[int, int, int]) -> None:
    found = read(shared_data / name)
    sizes = (len(found.ways), len(found.buildings), len(found.facilities))
    assert found.crs == crs
    assert all(size >= few for size, few in zip(sizes, least, strict=True)), sizes
    assert found.counts["streets"] == sizes[0]
    schemas = {"buildings": BUILDINGS, "facilities": FACILITIES, "shelters": SHELTERS, "areas": AREAS, "lines": LINES,
               "boundaries": BOUNDARIES}  # fmt: skip
    for table, schema in schemas.items():
        assert shapely.is_valid(checked(getattr(found, table), schema).geometry.to_numpy()).all()
    assert len(build(found.ways).u) > 0


def test_kampen(shared_data: Path) -> None:
    found = read(shared_data / "kampen/kampen.osm.pbf")
    kinds = found.facilities["kind"].value_counts()
    assert (found.date, found.bounds) == ("2023-01-30", (5.841, 52.524, 5.989, 52.584))
    assert (len(found.buildings), kinds["fire_station"], kinds["hospital"]) == (29_670, 2, 1)
    assert 22 <= kinds["school"] <= 25
    # The picnic shelter and the home for refugees are no places of refuge.
    assert not (found.shelters["origin"] == "mapped").any()
    # A cut-off map still knows the town's quarters, and the river that runs through it.
    assert {"Kampen", "IJsselmuiden", "Grafhorst"} <= set(found.boundaries["name"])
    river = found.areas.set_index("area_id").geometry["r8493790"]
    assert river.area == pytest.approx(1.45e6, rel=0.05)
    assert (found.counts["water_closed_by_edge"], found.counts["water_cut_off"]) == (7, 0)


def test_kampens_houses_have_years_and_its_power_line_towers(shared_data: Path) -> None:
    found = read(shared_data / "kampen/kampen.osm.pbf")
    years = found.buildings["built_year"]
    assert years.notna().mean() > 0.99
    assert 1900 < years.median() < 2000
    assert found.counts["power_towers"] == 34


@pytest.mark.parametrize("name", ["osm/planetiler-monaco-latest.osm.pbf", "osm/helsinki-centre.osm.pbf"])
def test_every_node_and_way_agrees_with_osmiums_own_objects(shared_data: Path, name: str) -> None:
    """libosmium's objects one by one, beside the arrays that are read at once."""
    raw, path = scan(shared_data / name), shared_data / name
    row = {thing: place for place, thing in enumerate(raw.things.ids())}
    chains, seen = raw.things.chains, 0
    for thing in osmium.FileProcessor(path, osmium.osm.NODE | osmium.osm.WAY).with_locations():
        at = row.get(f"{thing.type_str()}{thing.id}")
        tags = {key: value for key, value in dict(thing.tags).items() if kinds.is_read(key)}
        places = known(thing) if isinstance(thing, Way) else [(thing.location.x, thing.location.y)]
        if at is None:
            assert not (isinstance(thing, Way) and kinds.is_of_interest(tags) and len(places) > 1) or cut(thing)
            continue
        first, last = np.searchsorted(chains.of, [at, at + 1])
        points = slice(chains.first[first], chains.first[last])
        mine = list(zip(chains.lon[points].tolist(), chains.lat[points].tolist(), strict=True))
        assert raw.things.tags[at].items() >= tags.items()  # the outline of a square has those of its square too
        assert mine == places or (cut(thing) and set(mine) <= set(places))
        seen += 1
    assert seen == len(raw.things) - len(raw.things.areas)


def known(way: Way) -> list[tuple[int, int]]:
    """The places of a way's nodes as far as they are in the file."""
    return [(node.location.x, node.location.y) for node in way.nodes if node.location.valid()]


def cut(thing: object) -> bool:
    """Whether the file lacks some node of a way."""
    return isinstance(thing, Way) and not all(node.location.valid() for node in thing.nodes)


def test_nanjing(shared_data: Path) -> None:
    found = read(shared_data / "osm/nanjing-hongtao45_bbox.osm.xml")
    assert found.date == "2021-06-12"
    assert "金陵中学" in set(found.facilities["name_zh"])
    schools = found.facilities[found.facilities["kind"] == "school"]
    assert 17 <= len(schools) <= 20  # grounds, buildings and points of one school are one
    assert schools["name"].notna().all()
    # Ways run far out of the box; the box is that of the buildings.
    assert np.allclose(found.bounds, (118.762, 32.034, 118.797, 32.052), atol=0.001)
    assert not (found.shelters["kind"] == "shelter").any()  # two bus shelters


def test_the_same_map_in_two_forms_is_the_same(shared_data: Path) -> None:
    one = read(shared_data / "osm/nanjing-hongtao45_bbox.osm.xml")
    two = read(shared_data / "osm/nanjing.osm.pbf")
    assert set(one.buildings["building_id"]) == set(two.buildings["building_id"])
    assert np.allclose(one.ways.x, two.ways.x, atol=0.02)
    assert (one.ways.node == two.ways.node).all()


def test_an_unsorted_file_loses_nothing(shared_data: Path) -> None:
    found = read(shared_data / "osm/valhalla-test-nyc.osm.pbf")
    assert found.counts["ways_without_line"] == found.counts["ways_cut_by_missing_nodes"] == 0


def test_what_an_extract_lacks_is_counted(shared_data: Path) -> None:
    counts = read(shared_data / "osm/helsinki-centre.osm.pbf").counts
    assert counts["ways_cut_by_missing_nodes"] == 295
    assert counts["ways_without_line"] == 110
    assert counts["boundaries_cut_off"] > 0


def test_streets_agree_with_an_independent_reader(shared_data: Path) -> None:
    """GDAL's own OSM driver, which knows lines but not their nodes."""
    path = shared_data / "kampen/kampen.osm.pbf"
    lines = pyogrio.read_dataframe(path, layer="lines", columns=["osm_id", "highway"])
    theirs = set(lines.loc[lines["highway"].notna(), "osm_id"].astype(int))
    found = read(path).ways
    ours = set(found.tags["way_id"])
    assert len(theirs - ours) < 0.03 * len(ours)  # what is planned, and race tracks
    assert len(ours - theirs) < 0.03 * len(ours)  # squares: areas to GDAL
    both = lines[lines["osm_id"].astype(int).isin(ours)].to_crs(found.crs)
    length = np.hypot(np.diff(found.x), np.diff(found.y))
    way = np.repeat(np.arange(len(found)), np.diff(found.start))
    in_both = np.isin(found.tags["way_id"], both["osm_id"].astype(int))[way[:-1]]
    assert length[(np.diff(way) == 0) & in_both].sum() == pytest.approx(both.length.sum(), rel=1e-3)


def test_buildings_agree_with_an_independent_reader(shared_data: Path) -> None:
    path = shared_data / "kampen/kampen.osm.pbf"
    wanted = {"columns": ["building"], "where": "building IS NOT NULL", "on_invalid": "ignore"}
    theirs = pyogrio.read_dataframe(path, layer="multipolygons", **wanted).to_crs("EPSG:32631")
    ours = read(path).buildings
    assert len(ours) == pytest.approx(len(theirs), rel=0.002)
    assert ours.area.sum() == pytest.approx(theirs.area.sum(), rel=0.002)
