"""Which outline a point belongs to."""

from __future__ import annotations

import numpy as np
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo.membership import NONE, smallest_holding

# a large square with a small one in it, and a third that overlaps the large one
#
#   0 ┌──────────────┐
#     │   ┌───┐      │
#     │   │ 1 │   ┌──┼───┐
#     │   └───┘   │  │ 2 │
#     └───────────┼──┘   │
#                 └──────┘
OUTLINES = np.array([shapely.box(0, 0, 10, 10), shapely.box(2, 6, 4, 8), shapely.box(8, -2, 14, 5)], dtype=object)


def rows(*xy: tuple[float, float], outlines: np.ndarray = OUTLINES) -> list[int]:
    return smallest_holding(shapely.points(np.array(xy, dtype=float).reshape(-1, 2)), outlines).tolist()


def test_the_smallest_outline_holds_the_point() -> None:
    assert rows((1, 1), (3, 7), (12, 0), (9, 3)) == [0, 1, 2, 2]


def test_nobody_holds_it() -> None:
    assert rows((-1, -1), (12, 9)) == [NONE, NONE]


def test_a_border_belongs_to_the_smaller_side() -> None:
    assert rows((2, 7), (0, 5), (8, 3)) == [1, 0, 2]


def test_of_equal_outlines_the_earlier_one() -> None:
    twice = np.array([OUTLINES[0], OUTLINES[0]], dtype=object)
    assert rows((1, 1), outlines=twice) == [0]


def test_nothing_in_nothing_out() -> None:
    assert rows() == []
    assert rows((1, 1), outlines=np.zeros(0, dtype=object)) == [NONE]


@given(
    st.lists(st.tuples(*[st.integers(0, 8)] * 4), max_size=6), st.lists(st.tuples(*[st.integers(0, 9)] * 2), max_size=6)
)
def test_against_trying_all(boxes: list[tuple[int, int, int, int]], places: list[tuple[int, int]]) -> None:
    outlines = np.array([shapely.box(x, y, x + w + 1, y + h + 1) for x, y, w, h in boxes] + [None], dtype=object)[:-1]
    for place, row in zip(places, rows(*places, outlines=outlines), strict=True):
        holding = [i for i, outline in enumerate(outlines) if outline.intersects(shapely.Point(place))]
        assert row == min(holding, key=lambda i: (outlines[i].area, i), default=NONE)
