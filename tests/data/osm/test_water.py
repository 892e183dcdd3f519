from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data.osm.water import close

EXTENT = shapely.box(0, 0, 1000, 1000)
TOWN = np.array([(x, y) for x in range(50, 1000, 100) for y in (50, 150, 850, 950)], dtype=float)


def lines(*parts: list[tuple[float, float]]) -> shapely.Geometry:
    return shapely.MultiLineString(parts)


def test_a_river_through_the_town() -> None:
    """
    ::

        1000 ▪ ▪ ▪ ▪        streets above and below
         600 ────────       two banks
         400 ────────
             ▪ ▪ ▪ ▪
    """
    banks = lines([(-50, 400), (1050, 400)], [(-50, 600), (1050, 600)])
    found = close(banks, TOWN, extent=EXTENT)
    assert found.equals(shapely.box(0, 400, 1000, 600))


def test_banks_that_end_short_of_the_edge_are_prolonged() -> None:
    banks = lines([(80, 400), (930, 400)], [(40, 600), (990, 600)])
    found = close(banks, TOWN, extent=EXTENT)
    assert found.symmetric_difference(shapely.box(0, 400, 1000, 600)).area < 1


def test_an_island_with_houses_is_land() -> None:
    island = [(400, 450), (600, 450), (600, 550), (400, 550), (400, 450)]
    banks = lines([(0, 400), (1000, 400)], [(0, 600), (1000, 600)], island)
    found = close(banks, np.r_[TOWN, [[500, 500]]], extent=EXTENT)
    assert found.area == pytest.approx(200_000 - 20_000)
    assert not found.contains(shapely.Point(500, 500))


def test_a_bay_at_the_edge() -> None:
    found = close(lines([(0, 300), (100, 500), (0, 700)]), TOWN, extent=EXTENT)
    assert found.area == pytest.approx(20_000)


@pytest.mark.parametrize("banks", [
    lines([(0, 400), (500, 400)]),  # ends in the middle
    lines([(-90, -90), (-50, -50)]),  # outside
])  # fmt: skip
def test_what_cannot_be_told_stays_open(banks: shapely.Geometry) -> None:
    assert close(banks, TOWN, extent=EXTENT) is None


def test_one_bank_with_houses_on_both_sides_stays_open() -> None:
    assert close(lines([(0, 500), (1000, 500)]), TOWN, extent=EXTENT) is None


def test_without_streets_and_houses_nothing_is_told() -> None:
    banks = lines([(0, 400), (1000, 400)], [(0, 600), (1000, 600)])
    assert close(banks, np.zeros((0, 2)), extent=EXTENT) is None


def test_a_few_houseboats_do_not_make_land() -> None:
    banks = lines([(0, 400), (1000, 400)], [(0, 600), (1000, 600)])
    crowd = np.repeat(TOWN, 3, axis=0)
    assert close(banks, np.r_[crowd, [[500, 500]]], extent=EXTENT) is not None
    assert close(banks, np.r_[crowd, [[500, 500]] * 20], extent=EXTENT) is None


heights = st.lists(st.integers(20, 980), min_size=2, max_size=6, unique=True).map(sorted)


@given(heights, st.integers(0, 1))
def test_the_water_is_every_second_strip_and_never_where_the_town_is(banks: list[int], first: int) -> None:
    edges = [0, *banks, 1000]
    strips = [shapely.box(0, low, 1000, high) for low, high in pairwise(edges)]
    wet, dry = strips[first::2], strips[1 - first :: 2]
    town = np.array([strip.centroid.coords[0] for strip in dry])
    found = close(lines(*([(0, y), (1000, y)] for y in banks)), town, extent=EXTENT)
    assert found.symmetric_difference(shapely.union_all(wet)).area < 1e-6
    assert not shapely.contains_xy(found, town[:, 0], town[:, 1]).any()
