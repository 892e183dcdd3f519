"""Nearest ground that is not closed: drawn, and by law."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import standing
from geo.tables import AREAS, empty
from tests.geo.drawn_people import CRS

KINDS = ("water", "industrial")


def land(*pieces: tuple[str, shapely.Geometry]) -> gpd.GeoDataFrame:
    if not pieces:
        return empty(AREAS, crs=CRS)
    return gpd.GeoDataFrame({"kind": [kind for kind, _ in pieces]}, geometry=[shape for _, shape in pieces], crs=CRS)


def points(*xy: tuple[float, float]) -> np.ndarray:
    return np.array([shapely.Point(*one) for one in xy], dtype=object)


def moved(of: np.ndarray, *pieces: tuple[str, shapely.Geometry]) -> list[tuple[float, float]]:
    found = standing.nearest_open(of, land(*pieces), kinds=KINDS)
    return [(round(point.x, 6), round(point.y, 6)) for point in found]


# a lake, works at its east bank, a park beyond
#
#   0    lake    100   works   150   park    250
LAKE, WORKS = ("water", shapely.box(0, 0, 100, 100)), ("industrial", shapely.box(100.5, 0, 150, 100))
PARK, HOMES = ("park", shapely.box(150, 0, 250, 100)), ("residential", shapely.box(110, 40, 130, 60))


def test_closed_land_and_homes_inside_it() -> None:
    spots = points((50, 50), (140, 50), (120, 50), (200, 50), (300, 50))
    found = standing.closed(spots, land(LAKE, WORKS, PARK, HOMES), kinds=KINDS)
    assert found.tolist() == [True, True, False, False, False], "the smaller land counts"


def test_to_the_nearest_bank() -> None:
    assert moved(points((10, 50), (50, 98)), LAKE, PARK) == [(-1, 50), (50, 101)]


def test_past_works_that_hang_together_with_the_lake() -> None:
    assert moved(points((99, 50)), LAKE) == [(101, 50)]
    ((x, y),) = moved(points((99, 49)), LAKE, WORKS)
    assert (x, y) == pytest.approx((100, -1), abs=0.5), "no bank between two that all but touch"
    assert moved(points((140, 50)), LAKE, WORKS) == [(151, 50)]


def test_an_island_is_ground() -> None:
    ring = ("water", shapely.box(0, 0, 100, 100) - shapely.box(40, 40, 60, 60))
    assert moved(points((38, 50)), ring) == [(41, 50)]


def test_who_stands_well_stays() -> None:
    spots = points((200, 50))
    assert moved(spots, LAKE, PARK) == moved(spots) == [(200, 50)]
    assert len(standing.nearest_open(points(), land(LAKE), kinds=KINDS)) == 0
    assert standing.closed(points(), land(LAKE), kinds=KINDS).tolist() == []


boxes = st.tuples(st.integers(0, 90), st.integers(0, 90), st.integers(5, 40), st.integers(5, 40))
spots = st.lists(st.tuples(st.floats(0, 130), st.floats(0, 130)), min_size=1, max_size=6)


@given(st.lists(boxes, min_size=1, max_size=6), spots)
def test_the_nearest_ground_is_open_and_none_is_nearer(
    lakes: list[tuple[int, int, int, int]], xy: list[tuple[float, float]]
) -> None:
    areas = [("water", shapely.box(x, y, x + width, y + height)) for x, y, width, height in lakes]
    water, of = shapely.union_all([shape for _, shape in areas]), points(*xy)
    found = standing.nearest_open(of, land(*areas), kinds=KINDS)
    wet = shapely.intersects(water, of)
    assert not shapely.intersects(water, found[wet]).any()
    ground = shapely.box(-99, -99, 299, 299) - shapely.buffer(water, standing.STEP_M)
    assert shapely.distance(of[wet], found[wet]) == pytest.approx(shapely.distance(of[wet], ground), abs=1e-6)
    dry = ~shapely.dwithin(water, of, 1.1 * standing.STEP_M)
    assert shapely.equals(of[dry], found[dry]).all()
