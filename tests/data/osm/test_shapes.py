from __future__ import annotations

import numpy as np
import pytest
import shapely

from data.osm import shapes
from data.osm.shapes import project, rings, sound


def array(*shapes: shapely.Geometry | None) -> np.ndarray:
    return np.array([*shapes, None], dtype=object)[:-1]


def test_closed_lines_become_polygons() -> None:
    """A triangle, and after a stray point a square, of which the coordinates lie one after the other."""
    x = np.array([0, 2, 2, 0, 9, 0, 3, 3, 0, 0.0])
    y = np.array([0, 0, 2, 0, 9, 0, 0, 3, 3, 0.0])
    found = rings(x, y, np.array([0, 5]), np.array([4, 5]))
    assert shapely.area(found).tolist() == [2, 9]


def test_polygons_made_in_portions_are_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    turn = np.linspace(0, 2 * np.pi, 6)
    x, y = np.tile(np.cos(turn), 7), np.tile(np.sin(turn), 7)
    start, size = np.arange(0, 42, 6), np.full(7, 6)
    at_once = rings(x, y, start, size)
    monkeypatch.setattr(shapes, "AT_A_TIME", 3)
    assert shapely.equals_exact(rings(x, y, start, size), at_once).all()


def test_crossed_outlines_are_repaired_and_flat_ones_are_nothing() -> None:
    bow = shapely.Polygon([(0, 0), (2, 2), (2, 0), (0, 2), (0, 0)])
    flat = shapely.Polygon([(0, 0), (1, 0), (2, 0), (0, 0)])
    given = array(bow, flat, shapely.box(0, 0, 3, 3), None)
    areas, repaired = sound(given)
    assert [None if a is None else a.area for a in areas] == [2, None, 9, None]
    assert repaired == 2
    assert given[0] is bow


def test_nothing_gives_nothing() -> None:
    none = np.zeros(0, dtype=np.int64)
    assert len(rings(np.zeros(0), np.zeros(0), none, none)) == 0
    assert (len(sound(array())[0]), sound(array())[1]) == (0, 0)
    assert len(project(array(), crs="EPSG:32631")) == 0


def test_what_cannot_be_projected_is_none() -> None:
    found = project(array(shapely.Point(3, 52), shapely.Point(3, 120)), crs="EPSG:32631")
    assert abs(found[0].x - 500_000) < 1e-6
    assert found[1] is None
