"""Ground divided among labels: drawn, by law, and against the nearest point."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import network
from geo.territories import samples, territories
from tests.geo.drawn import CRS, ORIGIN, positions, ways

HERE = np.array(ORIGIN)


def ground(width: float = 100, height: float = 100) -> shapely.Geometry:
    return shapely.box(*HERE, HERE[0] + width, HERE[1] + height)


def divide(points: list[tuple[float, float]], label: list[int], area: shapely.Geometry | None = None):
    xy = HERE + np.array(points, dtype=float).reshape(-1, 2)
    return territories(xy, np.array(label, dtype=np.int64), ground=ground() if area is None else area, crs=CRS)


def test_two_points_share_the_ground_at_the_middle() -> None:
    parts = divide([(20, 50), (60, 50)], [7, 3])
    assert parts["label"].tolist() == [3, 7]
    assert shapely.area(parts.geometry.to_numpy()).tolist() == pytest.approx([6000, 4000])


def test_one_label_has_it_all() -> None:
    assert divide([(20, 50), (60, 50)], [1, 1]).area.tolist() == pytest.approx([10_000])


def test_a_place_named_twice_goes_to_the_smaller_label() -> None:
    assert divide([(50, 50), (50, 50)], [2, 1])["label"].tolist() == [1]


def test_ground_in_two_parts_keeps_its_hole_and_its_gap() -> None:
    area = shapely.union_all([shapely.box(*HERE, *(HERE + 40)), shapely.box(*(HERE + 60), *(HERE + 100))])
    parts = divide([(20, 20), (80, 80)], [0, 1], area)
    assert parts.area.tolist() == pytest.approx([1600, 1600])


def test_nothing_to_divide_gives_no_rows() -> None:
    assert len(divide([], [])) == 0
    assert len(divide([(1, 1)], [0], shapely.Polygon())) == 0
    assert divide([], []).columns.tolist() == ["label", "geometry"]


def test_samples_stand_on_their_street_no_farther_apart_than_said() -> None:
    net = network.build(ways(positions("a b c\n    d"), {"abc": {}, "cd": {}}))
    points = samples(net, np.array([True] * len(net.u)), spacing_m=60)
    for edge in range(len(net.u)):
        along = np.sort(points.along_m[points.edge == edge])
        assert np.diff(np.r_[-along[0], along, 2 * net.length_m[edge] - along[-1]]).max() <= 60 + 1e-9


@settings(max_examples=40, deadline=None)
@given(st.lists(st.tuples(st.integers(0, 100), st.integers(0, 100), st.integers(0, 4)), min_size=1, max_size=40))
def test_no_gap_no_overlap_and_every_point_in_its_own(found: list[tuple[int, int, int]]) -> None:
    parts = divide([(x, y) for x, y, _ in found], [label for *_, label in found])
    assert parts.area.sum() == pytest.approx(10_000)
    assert shapely.union_all(parts.geometry.to_numpy()).area == pytest.approx(10_000)
    by_place: dict[tuple[int, int], int] = {}
    for x, y, label in found:
        by_place[x, y] = min(label, by_place.get((x, y), label))
    shapes = dict(zip(parts["label"], parts.geometry, strict=True))
    for (x, y), label in by_place.items():
        assert shapes[label].distance(shapely.Point(HERE[0] + x, HERE[1] + y)) < 1e-6
