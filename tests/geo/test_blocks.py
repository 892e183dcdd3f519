"""The ground that lines divide: drawn, and by law."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import blocks
from geo.blocks import NOBODY

GROUND = shapely.box(0, 0, 300, 200)


def lines(*chains: list[tuple[float, float]]) -> np.ndarray:
    return np.array([*(shapely.LineString(chain) for chain in chains), None], dtype=object)[:-1]


# 200 ┌───────┬───────────────┐
#     │   0   │       1       │
# 100 ├───────┼────╴          │    the second line ends in the open and divides nothing there
#     │   2   │               │
#   0 └───────┴───────────────┘
CROSS = lines([(100, 0), (100, 200)], [(0, 100), (160, 100)])


def test_lines_divide_and_loose_ends_do_not() -> None:
    found = blocks.divide(GROUND, CROSS)
    assert sorted(shapely.area(found.shapes)) == [10_000, 10_000, 40_000]
    between = {(int(a), int(b)): int(line) for (a, b), line in zip(found.sides, found.line, strict=True) if a != NOBODY}
    small, large = [n for n in range(3) if found.shapes[n].area == 10_000], int(np.argmax(shapely.area(found.shapes)))
    assert {pair: line for pair, line in between.items() if large not in pair} == {tuple(small): 1}
    assert {line for pair, line in between.items() if large in pair} == {0}
    assert found.line[found.sides[:, 0] == NOBODY].max() == NOBODY
    assert repr(found) == "Blocks(3 between 7 pieces of line)"


def test_on_top_of_each_other_the_first_line_counts() -> None:
    twice = lines([(100, 0), (100, 200)], [(100, -50), (100, 250)])
    assert set(blocks.divide(GROUND, twice).line[blocks.divide(GROUND, twice).inner].tolist()) == {0}


def test_ground_without_lines_is_one_block_for_each_part() -> None:
    parts = shapely.MultiPolygon([GROUND, shapely.box(500, 0, 600, 100)])
    assert len(blocks.divide(parts, lines())) == 2
    assert len(blocks.divide(shapely.Polygon(), lines())) == 0


def test_a_street_that_ends_in_the_open_goes_on_to_the_edge() -> None:
    ways, of = blocks.to_the_edge(GROUND, CROSS, np.array([True, True]))
    assert of.tolist() == [1]  # the others end at the edge, or meet another
    assert len(blocks.divide(GROUND, np.append(CROSS, ways))) == 4
    assert len(blocks.to_the_edge(GROUND, CROSS, np.array([True, False]))[0]) == 0


def test_a_block_is_cut_until_nobody_has_too_much() -> None:
    points = np.array([(10.0, 50), (60, 150), (110, 50), (290, 150)])
    cuts = blocks.cuts(GROUND, points, np.array([5.0, 5, 5, 5]), usual=5, most=7)
    parts = blocks.divide(GROUND, cuts).shapes
    assert len(parts) == 4 and all(part.geom_type == "Polygon" for part in parts)
    assert sorted(int(n) for n in shapely.STRtree(parts).query(shapely.points(points), predicate="intersects")[1]) == [
        0, 1, 2, 3,
    ]  # fmt: skip


def test_people_at_one_place_cannot_be_parted() -> None:
    assert len(blocks.cuts(GROUND, np.array([[50.0, 50], [50, 50]]), np.array([9.0, 9]), usual=5, most=7)) == 0


ends = st.tuples(st.integers(-20, 320), st.integers(-20, 220))


@given(
    st.lists(st.tuples(ends, ends).filter(lambda line: line[0] != line[1]), max_size=9),
    st.randoms(use_true_random=False),
)
@settings(deadline=None, max_examples=50)
def test_blocks_are_the_whole_ground_whatever_order_lines_come_in(chains, random) -> None:  # type: ignore[no-untyped-def]
    found = blocks.divide(GROUND, lines(*map(list, chains)))
    assert shapely.area(found.shapes).sum() == pytest.approx(GROUND.area, rel=1e-9)
    assert shapely.area(shapely.union_all(found.shapes)) == pytest.approx(GROUND.area, rel=1e-9)
    beside = found.sides != NOBODY
    shared = np.bincount(found.sides[beside], np.repeat(found.length_m, 2)[beside.ravel()], len(found))
    assert shared == pytest.approx(shapely.length(found.shapes), rel=1e-9)  # every border is some piece's
    other = blocks.divide(GROUND, lines(*map(list, random.sample(chains, len(chains)))))
    assert shapely.to_wkb(other.shapes).tolist() == shapely.to_wkb(found.shapes).tolist()
