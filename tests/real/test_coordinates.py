"""Chinese coordinates and honest completeness on real maps: what is shifted is found, what is not is left alone."""

from __future__ import annotations

from functools import cache
from pathlib import Path

import numpy as np
import pyogrio
import pytest
import shapely

import data.osm
from data import standards
from data.osm import Extract
from data.osm.shapes import project
from geo.completeness import Completeness, CompletenessParams, completeness
from geo.offsets import Reference, fits, shift_at, suspect
from geo.shifts import SYSTEMS, shapes_to_wgs84
from tests.geo.drawn import drawn_by

NANJING, HAIDIAN = "osm/nanjing-hongtao45_bbox.osm.xml", "osm/beijing-haidian-tsinghua.osm"
HELSINKI, KAMPEN = "osm/helsinki-centre.osm.pbf", "kampen/kampen.osm.pbf"


@cache
def read(path: Path) -> Extract:
    return data.osm.read(path)


def streets(of: Extract) -> np.ndarray:
    way = np.repeat(np.arange(len(of.ways)), np.diff(of.ways.start))
    return np.asarray(shapely.linestrings(of.ways.x, of.ways.y, indices=way))


def on_the_map(of: Extract) -> list[Reference]:
    places = of.facilities
    return [
        Reference("namesakes", places.geometry.to_numpy(), places["name"].to_numpy(dtype=object)),
        Reference("buildings", of.buildings.geometry.to_numpy()), Reference("streets", streets(of)),
    ]  # fmt: skip


def among_the_buildings(of: Extract, n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Some facilities within the box of the buildings, as they are mapped, and their names."""
    box = shapely.box(*of.buildings.total_bounds)
    places = of.facilities[of.facilities.geometry.intersects(box)]
    chosen = np.random.default_rng(seed).permutation(len(places))[:n]
    return places.geometry.to_numpy()[chosen], places["name"].to_numpy(dtype=object)[chosen]


@pytest.mark.parametrize("n", [10, 20, 50])
@pytest.mark.parametrize("city", [NANJING, HAIDIAN])
def test_facilities_with_their_names(shared_data: Path, city: str, n: int) -> None:
    """Ten are enough with names, also for points some 30 m off; as they are mapped nothing is suspected."""
    of = read(shared_data / city)
    on = on_the_map(of)
    shapes, names = among_the_buildings(of, n, seed=n)
    rough = np.random.default_rng(n).normal(0, 20, (len(shapes), 2))
    points = shapely.points(shapely.get_coordinates(shapely.point_on_surface(shapes)) + rough)
    for layer in (shapes, points):
        assert suspect(layer, reference=on, crs=of.crs, names=names) is None
        for system in SYSTEMS:
            found = suspect(drawn_by(layer, system, of.crs), reference=on, crs=of.crs, names=names)
            assert found is not None and found.system == system


@pytest.mark.parametrize(("city", "place"), [(NANJING, (118.78, 32.043)), (HAIDIAN, (116.32, 40.0))])
def test_facilities_without_names(shared_data: Path, city: str, place: tuple[float, float]) -> None:
    """All of them are enough where they stand in the buildings; ten or twenty say nothing wrong."""
    of = read(shared_data / city)
    on = on_the_map(of)[1:]
    for n in (10, 20, 50):
        shapes, _ = among_the_buildings(of, n, seed=1)
        assert suspect(shapes, reference=on, crs=of.crs) is None
        for system in SYSTEMS:
            found = suspect(drawn_by(shapes, system, of.crs), reference=on, crs=of.crs)
            assert (found is None and n < 50) or (found is not None and found.system == system)
            if found is not None:
                assert found.shift_m == pytest.approx(shift_at(*place, system)[0], rel=0.01)


@pytest.mark.parametrize("city", [NANJING, HAIDIAN])
def test_buildings_and_streets_of_another_source(shared_data: Path, city: str) -> None:
    of = read(shared_data / city)
    on = on_the_map(of)[1:]
    for layer in (of.buildings.geometry.to_numpy()[::7], streets(of)[::2]):
        assert suspect(layer, reference=on, crs=of.crs) is None
        for system in SYSTEMS:
            found = suspect(drawn_by(layer, system, of.crs), reference=on, crs=of.crs)
            assert found is not None and found.system == system


@pytest.mark.parametrize("city", [HELSINKI, KAMPEN])
def test_abroad_a_shift_is_no_chinese_one(shared_data: Path, city: str) -> None:
    of = read(shared_data / city)
    moved = shapely.transform(of.facilities.geometry.to_numpy(), lambda xy: xy + np.array([520.0, 130.0]))
    names = of.facilities["name"].to_numpy(dtype=object)
    assert suspect(moved, reference=on_the_map(of), crs=of.crs, names=names) is None


def test_the_outline_of_haidian_does_not_meet_the_streets_we_have(shared_data: Path) -> None:
    """It is known to be GCJ-02, but passes the extract at 800 m and more: nothing is claimed."""
    of = read(shared_data / HAIDIAN)
    outline = pyogrio.read_dataframe(shared_data / "boundaries-china/conv_110108.geojson").geometry.to_numpy()
    for shapes in (outline, shapes_to_wgs84(outline, "gcj02")):
        assert all(
            fit.system is None for fit in fits(project(shapes, crs=of.crs), reference=on_the_map(of), crs=of.crs)
        )


def judged(path: Path, people: float | None) -> Completeness:
    of = read(path)
    box = project(np.array([shapely.box(*of.bounds)], dtype=object), crs=of.crs)[0]
    params = CompletenessParams.of(standards.load())
    return completeness(
        of.ways, of.buildings, of.facilities, of.shelters, of.areas, of.lines, params=params, people=people, within=box
    )


@pytest.mark.parametrize(("city", "people", "warned"), [
    (KAMPEN, 54_000, {"levels_few", "shelters_few"}),
    ("osm/planetiler-monaco-latest.osm.pbf", 38_000, {"levels_few", "shelters_few"}),
    (NANJING, 120_000, {"levels_few", "shelters_few", "fire_station_none", "kindergarten_none"}),
    (HAIDIAN, 60_000, {"levels_few", "shelters_few", "fire_station_none", "clinic_none"}),
    # 149 buildings beside 19 km of residential streets.
    ("osm/osmnx-west-oakland.osm.bz2", None,
     {"quarters_may_be_missing", "buildings_thin_on_land", "levels_few", "shelters_few"}),
])  # fmt: skip
def test_what_is_warned_of(shared_data: Path, city: str, people: float | None, warned: set[str]) -> None:
    found = judged(shared_data / city, people)
    assert {finding.code for finding in found.findings if finding.severity == "warning"} == warned
    assert found.shares["share"].dropna().between(0, 1).all()
