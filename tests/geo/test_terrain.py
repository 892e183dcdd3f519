"""Heights between cells, and how much streets rise."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import network, terrain
from geo.hazards import Grid
from tests.geo.drawn import CRS, ORIGIN, positions, ways

# four columns and three rows of 100 m, the upper left corner 50 m west and north of the drawing's first letter
HEIGHTS = np.array([[0, 10, 20, 30], [0, 10, 20, 30], [0, 10, np.nan, 30]], dtype=np.float32)
GRID = Grid(HEIGHTS, (100, 0, ORIGIN[0] - 50, 0, -100, ORIGIN[1] + 50), CRS)


def heights(*xy: tuple[float, float]) -> list[float]:
    points = np.array(xy, dtype=float) + ORIGIN
    return terrain.height(GRID, points[:, 0], points[:, 1], crs=CRS).tolist()


def test_a_cell_has_its_height_in_its_middle_and_the_mean_between() -> None:
    assert heights((0, 0), (100, 0), (150, -30)) == pytest.approx([0, 10, 15])


def test_what_is_not_known_is_not_guessed_but_does_not_spread_either() -> None:
    found = heights((200, -200), (150, -150), (200, -100), (1000, 0))
    assert np.isnan(found).tolist() == [True, True, False, True]


def test_at_the_rim_the_nearest_cell_speaks() -> None:
    assert heights((-50, 50), (-40, 0)) == pytest.approx([0, 0])


def test_streets_rise_along_their_drawing() -> None:
    net = network.build(ways(positions("abcd"), {"ad": {}, "cb": {}}))
    assert terrain.climb(net, GRID).tolist() == pytest.approx([30, -10])


@given(st.floats(0, 300), st.floats(-100, 0))
def test_on_an_even_slope_every_point_has_its_exact_height(x: float, y: float) -> None:
    even = Grid(np.tile(np.arange(5, dtype=np.float64), (4, 1)), GRID.transform, CRS)
    found = terrain.height(even, np.array([ORIGIN[0] + x]), np.array([ORIGIN[1] + y]), crs=CRS)
    assert found[0] == pytest.approx(x / 100, abs=1e-6)
