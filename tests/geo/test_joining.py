"""Small and thin pieces of ground join a neighbour: drawn."""

from __future__ import annotations

import numpy as np
import shapely

from geo import blocks, joining
from geo.blocks import NOBODY
from geo.joining import Least

#  ┌────┬─┬──────┐     widths 40, 5, 55; the thin one has the same border with both, a river (worth 0.1) on its left
#  │    │ │      │
#  └────┴─┴──────┘
GROUND = shapely.box(0, 0, 100, 50)
LINES = np.array([shapely.LineString([(x, -1), (x, 51)]) for x in (40, 45)], dtype=object)


def joined(least: Least, worth: tuple[float, float], wet: tuple[int, ...] = ()) -> list[float]:
    """The areas of what is left, from the west."""
    divided = blocks.divide(GROUND, LINES)
    n, start = len(divided), np.arange(len(divided))
    is_wet = np.isin(shapely.bounds(divided.shapes)[:, 0], wet)
    piece = np.where(is_wet, 0, NOBODY)
    ground = joining.Ground.of(divided, start, piece, is_wet, np.array(worth)[divided.line[divided.inner]])
    first = ground.joined(start, least=least)
    assert set(first) <= set(range(n))
    west = {row: shapely.bounds(divided.shapes[first == row])[:, 0].min() for row in set(first)}
    return [float(shapely.area(divided.shapes[first == row]).sum()) for row in sorted(west, key=west.__getitem__)]


def test_a_thin_piece_joins_where_the_border_is_worth_most() -> None:
    thin = Least(0, 0, 10)
    assert joined(thin, (0.1, 1.0)) == [2000, 3000]
    assert joined(thin, (1.0, 0.1)) == [2250, 2750]


def test_a_small_piece_joins_and_what_has_no_neighbour_stays() -> None:
    assert joined(Least(300, 0, 0), (0.1, 1.0)) == [2000, 3000]
    assert joined(Least(1e6, 1e6, 0), (0.1, 1.0)) == [5000]
    assert joined(Least(0, 0, 0), (0.1, 1.0)) == [2000, 250, 2750]


def test_land_joins_water_last_and_water_has_its_own_least() -> None:
    assert joined(Least(300, 0, 0), (0.1, 1.0), wet=(45,)) == [2250, 2750]
    assert joined(Least(0, 2800, 0), (0.1, 1.0), wet=(45,)) == [2000, 3000]
