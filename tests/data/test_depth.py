"""How deep shapes are in each other, told without building them."""

from __future__ import annotations

import struct

import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import depth
from data.limits import DEPTH
from geo.errors import LimitError

POINT = shapely.Point(118.8, 32.05)


def nested(levels: int) -> bytes:
    return struct.pack("<BII", 1, 7, 1) * levels + shapely.to_wkb(POINT)


@given(st.integers(0, 60), st.booleans(), st.integers(0, 2))
def test_depth_is_the_number_of_collections_and_the_shape_in_them(levels: int, big: bool, beside: int) -> None:
    shape = POINT
    for _ in range(levels):
        shape = shapely.GeometryCollection([*[shapely.box(0, 0, 1, 1)] * beside, shape])
    assert depth.of_wkb(shapely.to_wkb(shape, byte_order=0 if big else 1)) == levels + 1
    assert depth.of_wkt(shape.wkt) == levels + (2 if beside and levels else 1)


@pytest.mark.parametrize("shape", [
    shapely.MultiPolygon([shapely.box(i, 0, i + 0.5, 1) for i in range(500)]), shapely.box(0, 0, 1, 1).buffer(3, 500),
    shapely.MultiPoint([[i, i, i] for i in range(500)]),
    shapely.box(0, 0, 9, 9) - shapely.MultiPolygon([shapely.box(i / 60, 1, i / 60 + 0.01, 2) for i in range(200)]),
])  # fmt: skip
def test_large_is_not_deep(shape: shapely.Geometry) -> None:
    plain = [shapely.to_wkb(shape), shapely.to_wkb(shape, flavor="iso"), shapely.to_wkb(shape, include_srid=True)]
    assert all(depth.of_wkb(each) <= 2 for each in plain)
    depth.require_shallow([*plain, shape.wkt, None, 5], "x")


@pytest.mark.parametrize("levels", [DEPTH.most, 100_000])
def test_what_is_deep_is_refused(levels: int) -> None:
    for shape in (nested(levels), "GEOMETRYCOLLECTION(" * levels + "POINT(1 1)" + ")" * levels):
        with pytest.raises(LimitError) as refused:
            depth.require_shallow([shape], "x")
        assert refused.value.code == "limit-depth"


@given(st.binary(max_size=400))
def test_noise_is_left_to_the_reader(noise: bytes) -> None:
    assert 0 <= depth.of_wkb(noise) <= DEPTH.most + 1
