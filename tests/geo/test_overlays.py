"""Shapes laid over one another: drawn, and beside shapely on whole unions."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import overlays


def shapes(*given: shapely.Geometry) -> Any:
    return overlays.as_shapes(given)


ONE, TWO = shapely.box(0, 0, 10, 10), shapely.box(20, 0, 30, 10)
BOW = shapely.Polygon([(0, 0), (4, 4), (4, 0), (0, 4)])


def test_what_crosses_itself_is_mended_and_keeps_only_what_has_area() -> None:
    assert shapely.is_valid(overlays.sound(shapes(BOW, ONE))).all()
    mixed = shapely.GeometryCollection([ONE, shapely.LineString([(10, 5), (15, 5)])])
    assert overlays.polygonal(shapes(mixed))[0].equals(ONE)


def test_each_layer_adds_what_it_covers_beyond_those_before() -> None:
    layers = [(np.array([0]), shapes(ONE)), (np.array([0, 1]), shapes(shapely.box(5, 0, 15, 10), TWO))]
    assert overlays.areas_of_growing(3, layers).tolist() == [[100, 50], [0, 100], [0, 0]]
    assert overlays.areas_of_growing(2, []).shape == (2, 0)


def test_parts_in_each_shape_and_nothing_of_what_only_touches() -> None:
    row, other, parts = overlays.cut(
        shapes(ONE, TWO), shapes(shapely.box(8, 0, 22, 10), shapely.box(10, 0, 12, 5), TWO)
    )
    assert (row.tolist(), other.tolist(), shapely.area(parts).tolist()) == ([0, 1, 1], [0, 0, 2], [20, 20, 100])


def test_nothing_in_nothing_out() -> None:
    none = shapes()
    assert len(overlays.sound(none)) == len(overlays.united(np.zeros(0, np.int64), none)) == 0
    assert all(len(found) == 0 for found in overlays.cut(none, shapes(ONE)))
    assert overlays.without(shapes(ONE), none)[0].equals(ONE)


boxes = st.lists(st.tuples(st.integers(0, 9), st.integers(0, 9), st.integers(1, 6), st.integers(1, 6)), max_size=6)


@given(boxes, boxes)
@settings(deadline=None, max_examples=40)
def test_what_is_left_and_what_is_cut_make_the_whole(mine, others) -> None:  # type: ignore[no-untyped-def]
    ours, theirs = (shapes(*(shapely.box(x, y, x + w, y + h) for x, y, w, h in some)) for some in (mine, others))
    left = overlays.without(ours, theirs)
    row, other, parts = overlays.cut(ours, theirs)
    taken = np.zeros(len(ours))
    taken[np.unique(row)] = shapely.area(overlays.united(row, parts))
    assert shapely.area(left) + taken == pytest.approx(shapely.area(ours))
    assert shapely.area(shapely.intersection(left, shapely.union_all(theirs))).max(initial=0) < 1e-9
    assert shapely.area(parts) == pytest.approx(shapely.area(shapely.intersection(ours[row], theirs[other])))
