"""The grid of tiles: laws of cutting in four, against mercantile and pyproj."""

from __future__ import annotations

import mercantile
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pyproj import Transformer

from tiles.grid import MAX_LAT, MAX_ZOOM, Tile, containing, covering, is_tile, to_degrees, to_world

LON, LAT = st.floats(-180, 180), st.floats(-MAX_LAT, MAX_LAT)
ZOOM = st.integers(0, MAX_ZOOM)


@st.composite
def tiles(draw: st.DrawFn, *, deepest: int = MAX_ZOOM) -> Tile:
    z = draw(st.integers(0, deepest))
    return Tile(z, draw(st.integers(0, 2**z - 1)), draw(st.integers(0, 2**z - 1)))


@given(tiles(deepest=MAX_ZOOM - 1))
def test_four_children_tile_their_parent(tile: Tile) -> None:
    left, top, right, bottom = tile.world
    boxes = [child.world for child in tile.children]
    assert (min(b[0] for b in boxes), min(b[1] for b in boxes)) == (left, top)
    assert (max(b[2] for b in boxes), max(b[3] for b in boxes)) == (right, bottom)
    assert sum((b[2] - b[0]) * (b[3] - b[1]) for b in boxes) == (right - left) * (bottom - top)
    assert [child.parent for child in tile.children] == [tile] * 4


@given(LON, LAT, ZOOM)
def test_a_place_lies_in_its_tile(lon: float, lat: float, z: int) -> None:
    west, south, east, north = containing(lon, lat, z).bounds
    assert west - 1e-9 <= lon <= east + 1e-9
    assert south - 1e-9 <= lat <= north + 1e-9


@given(LON, LAT)
def test_world_and_back(lon: float, lat: float) -> None:
    x, y = to_world(np.array([lon]), np.array([lat]))
    assert 0 <= x[0] <= 1
    assert -1e-9 <= y[0] <= 1 + 1e-9
    back = to_degrees(x, y)
    assert back[0][0] == pytest.approx(lon, abs=1e-9)
    assert back[1][0] == pytest.approx(lat, abs=1e-9)


@given(tiles())
def test_bounds_as_mercantile_has_them(tile: Tile) -> None:
    assert tile.bounds == pytest.approx(tuple(mercantile.bounds(tile.x, tile.y, tile.z)), abs=1e-9)
    assert tile.bounds_m == pytest.approx(tuple(mercantile.xy_bounds(tile.x, tile.y, tile.z)), abs=1e-3)


@given(LON, LAT)
def test_the_projection_is_web_mercator(lon: float, lat: float) -> None:
    x, y = to_world(np.array([lon]), np.array([lat]))
    metres = Transformer.from_crs("EPSG:4326", "EPSG:3857", always_xy=True).transform(lon, lat)
    edge = Tile(0, 0, 0).bounds_m[2]
    assert ((2 * x[0] - 1) * edge, (1 - 2 * y[0]) * edge) == pytest.approx(metres, abs=1e-3)


@given(LON, LAT, st.floats(0, 2), st.floats(0, 2), st.integers(0, 9))
def test_covering_tiles_cover(lon: float, lat: float, wide: float, high: float, z: int) -> None:
    bounds = lon, lat, min(lon + wide, 180), min(lat + high, MAX_LAT)
    boxes = np.array([tile.bounds for tile in covering(bounds, z)])
    assert boxes[:, 0].min() <= bounds[0] + 1e-9
    assert boxes[:, 1].min() <= bounds[1] + 1e-9
    assert boxes[:, 2].max() >= bounds[2] - 1e-9
    assert boxes[:, 3].max() >= bounds[3] - 1e-9


@pytest.mark.parametrize(
    "zxy", [(-1, 0, 0), (23, 0, 0), (0, 1, 0), (0, 0, 1), (3, 8, 0), (3, 0, 8), (3, -1, 0), (3, 0, -1)]
)
def test_what_is_no_tile_is_refused(zxy: tuple[int, int, int]) -> None:
    assert not is_tile(*zxy)
    with pytest.raises(ValueError, match="no tile"):
        Tile(*zxy)


def test_beyond_the_square_is_put_on_its_edge() -> None:
    assert containing(200, 89, 3) == Tile(3, 7, 0)
    assert containing(-200, -89, 3) == Tile(3, 0, 7)
    assert to_world(np.array([0.0]), np.array([90.0]))[1][0] == pytest.approx(0, abs=1e-12)
