"""Distances from cells to what is drawn, against shapely."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo.frames import Frame
from geo.nearness import lay, spread

CRS = "EPSG:32631"
FRAME = Frame(600_000.0, 5_800_000.0, 10.0, 20, 25, CRS)


def at(col: float, row: float) -> tuple[float, float]:
    return FRAME.west + 10 * col, FRAME.north - 10 * row


def near(reach: list[tuple[float, int]], *shapes: shapely.Geometry, frame: Frame = FRAME) -> np.ndarray:
    values = np.zeros(frame.shape, dtype=np.float32)
    spread(values, np.array([*shapes, None], dtype=object)[:-1], reach, frame)
    return values


def test_bands_round_a_point() -> None:
    found = near([(10, 3), (30, 1)], shapely.Point(at(10.5, 10.5)))
    assert found[10, 6:15].tolist() == [0, 1, 1, 3, 3, 3, 1, 1, 0]
    assert found[11, 11] == 1, "14 m off"


def test_a_polygon_is_near_all_over_and_its_hole_is_not() -> None:
    ring = shapely.Polygon([at(2, 2), at(18, 2), at(18, 18), at(2, 18)], [[at(6, 6), at(14, 6), at(14, 14), at(6, 14)]])
    found = near([(4, 2)], ring)
    assert found[10, 2:6].tolist() == [2, 2, 2, 2] and found[10, 8] == 0 and found[10, 1] == 0


def test_nothing_drawn_is_near_nothing() -> None:
    assert not near([(50, 5)]).any()
    assert not near([(50, 5)], shapely.Point(at(500, -400))).any()


def test_levels_are_only_raised() -> None:
    values = np.full(FRAME.shape, 2, dtype=np.float32)
    spread(values, np.array([shapely.Point(at(5, 5))], dtype=object), [(30, 4), (100, 1)], FRAME)
    assert set(np.unique(values)) == {2, 4}


def test_amounts_are_laid_over_their_boxes() -> None:
    held = np.zeros((3, 4))
    lay(held, *np.array([[0.5, 3.0], [2.5, 5.0], [1.0, 0.0], [2.0, 1.0], [4.0, 6.0]]))
    assert held.tolist() == [[0, 0, 0, 3], [1, 2, 1, 0], [0, 0, 0, 0]], "half of the second lies beyond"
    lay(held, *np.array([[1.2], [1.2], [2.9], [2.9], [7.0]]))
    assert abs(held[2, 1] - 7) < 1e-5, "a point"


places = st.tuples(st.floats(-10, 35), st.floats(-10, 30))


@st.composite
def shapes(draw: st.DrawFn) -> shapely.Geometry:
    points = [at(*draw(places)) for _ in range(draw(st.integers(1, 5)))]
    if len(points) == 1:
        return shapely.Point(points[0])
    line = shapely.LineString(points)
    return line if draw(st.booleans()) else shapely.buffer(line, draw(st.floats(1, 60)))


@settings(max_examples=60, deadline=None)
@given(st.lists(shapes(), min_size=1, max_size=4), st.floats(0.5, 150))
def test_against_shapely(drawn: list[shapely.Geometry], metres: float) -> None:
    found = near([(metres, 1)], *drawn) == 1
    col, row = np.meshgrid(np.arange(25) + 0.5, np.arange(20) + 0.5)
    middles = shapely.points(FRAME.west + 10 * col, FRAME.north - 10 * row)
    off = np.min([shapely.distance(middles, shape) for shape in drawn], axis=0)
    unsure = np.abs(off - metres) < 1e-6
    assert ((found == (off <= metres)) | unsure).all()
