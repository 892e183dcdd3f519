from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from data.extents import Bounds, distance_km, in_degrees, overlap, require_overlap
from geo.errors import CrsError, NoOverlapError

KAMPEN, NANJING = (5.84, 52.52, 5.99, 52.58), (118.77, 32.03, 118.80, 32.05)


def test_metres_become_degrees() -> None:
    west, south, east, north = in_degrees((190_000, 505_000, 191_000, 506_000), crs="EPSG:28992", where="flood.tif")
    assert (round(west, 2), round(south, 2), round(east, 2), round(north, 2)) == (5.9, 52.53, 5.92, 52.54)


@pytest.mark.parametrize(("bounds", "crs"), [
    ((190_000.0, 505_000.0, 191_000.0, 506_000.0), "EPSG:4326"), ((5.8, 95.0, 5.9, 96.0), "EPSG:4326"),
])  # fmt: skip
def test_coordinates_that_cannot_be_are_refused(bounds: Bounds, crs: str) -> None:
    with pytest.raises(CrsError, match=r"flood.tif.*--crs EPSG:N"):
        in_degrees(bounds, crs=crs, where="flood.tif")


def test_a_layer_elsewhere_says_where_both_lie_and_how_far_apart() -> None:
    with pytest.raises(NoOverlapError, match=r"118.77.*5.84.*8,\d\d\d km away") as raised:
        require_overlap(KAMPEN, NANJING, where="flood.tif")
    assert raised.value.code == "no-overlap"
    require_overlap(KAMPEN, (5.9, 52.0, 7.0, 53.0), where="flood.tif")


def test_an_edge_in_common_is_no_overlap() -> None:
    assert not overlap((0, 0, 1, 1), (1, 0, 2, 1))
    assert overlap((0, 0, 1, 1), (0.9, 0, 2, 1))


boxes = st.tuples(st.floats(-170, 169), st.floats(-80, 79), st.floats(0.1, 9), st.floats(0.1, 9)).map(
    lambda b: (b[0], b[1], b[0] + b[2], b[1] + b[3])
)


@given(boxes, boxes)
def test_overlap_and_distance_are_the_same_both_ways(one: Bounds, other: Bounds) -> None:
    assert overlap(one, other) == overlap(other, one)
    assert distance_km(one, other) == pytest.approx(distance_km(other, one), abs=1e-6)
    if overlap(one, other):
        assert distance_km(one, other) == 0
