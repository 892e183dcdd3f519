from __future__ import annotations

import numpy as np
import shapely

from data.osm.shapes import outlines, project


def array(*shapes: shapely.Geometry | None) -> np.ndarray:
    return np.array([*shapes, None], dtype=object)[:-1]


def test_closed_lines_enclose_open_ones_do_not() -> None:
    ring = shapely.LineString([(0, 0), (2, 0), (2, 2), (0, 0)])
    shapes = array(ring, ring, shapely.Point(1, 1), shapely.box(0, 0, 3, 3))
    areas, repaired = outlines(shapes, np.array([True, False, False, True]))
    assert [None if a is None else a.area for a in areas] == [2, None, None, 9]
    assert repaired == 0


def test_crossed_outlines_are_repaired_and_flat_ones_are_nothing() -> None:
    bow = shapely.LineString([(0, 0), (2, 2), (2, 0), (0, 2), (0, 0)])
    flat = shapely.LineString([(0, 0), (1, 0), (2, 0), (0, 0)])
    areas, repaired = outlines(array(bow, flat), np.array([True, True]))
    assert (areas[0].area, areas[1], repaired) == (2, None, 2)


def test_nothing_gives_nothing() -> None:
    areas, repaired = outlines(array(), np.zeros(0, dtype=bool))
    assert (len(areas), repaired) == (0, 0)
    assert len(project(array(), crs="EPSG:32631")) == 0


def test_what_cannot_be_projected_is_none() -> None:
    found = project(array(shapely.Point(3, 52), shapely.Point(3, 120)), crs="EPSG:32631")
    assert abs(found[0].x - 500_000) < 1e-6
    assert found[1] is None
