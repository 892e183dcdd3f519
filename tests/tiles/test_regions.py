"""Numbers for areas side by side: neighbours differ, few numbers are enough, the same each time."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from tiles.regions import numbered


def test_a_chessboard_needs_as_many_as_meet_in_a_corner() -> None:
    """Squares that meet in a corner count as neighbours: four numbers, never two alike side by side."""
    squares = [shapely.box(x, y, x + 1, y + 1) for y in range(3) for x in range(3)]
    number = numbered(squares).reshape(3, 3)
    assert number.max() == 3
    assert (np.diff(number, axis=0) != 0).all()
    assert (np.diff(number, axis=1) != 0).all()


def test_areas_apart_are_alike_and_none_is_none() -> None:
    assert numbered([shapely.box(0, 0, 1, 1), shapely.box(5, 5, 6, 6)]).tolist() == [0, 0]
    assert numbered([]).tolist() == []
    assert numbered([shapely.Polygon()]).tolist() == [0]


@given(st.lists(st.tuples(*[st.integers(0, 8)] * 2), min_size=1, max_size=25))
def test_areas_that_touch_never_have_the_same_number(corners: list[tuple[int, int]]) -> None:
    areas = [shapely.box(x, y, x + 2, y + 2) for x, y in corners]
    number = numbered(areas)
    assert all(
        number[i] != number[j] for i in range(len(areas)) for j in range(i) if shapely.intersects(areas[i], areas[j])
    )
    assert number.tolist() == numbered(areas).tolist()
