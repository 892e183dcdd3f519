"""Cells as polygons: every cell once, nothing else, valid whatever the mask."""

from __future__ import annotations

import numpy as np
import pytest
import rasterio.features
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as npst
from numpy.typing import NDArray

from geo import traced
from geo.hazards import Grid

CRS = "EPSG:32631"
NORTH_UP = (10.0, 0.0, 500_000.0, 0.0, -10.0, 5_000_000.0)
TURNED = (6.0, 8.0, 500_000.0, 8.0, -6.0, 5_000_000.0)
MASKS = npst.arrays(np.bool_, npst.array_shapes(min_dims=2, max_dims=2, min_side=1, max_side=14))


def grid(marked: NDArray[np.bool_], transform: tuple[float, ...] = NORTH_UP, crs: str = CRS) -> Grid:
    return Grid(np.zeros(marked.shape, dtype=np.float32), transform, crs)  # type: ignore[arg-type]


def drawn(*rows: str) -> NDArray[np.bool_]:
    return np.array([[letter == "#" for letter in row] for row in rows])


def test_corners_join_nothing_and_holes_stay() -> None:
    marked = drawn("##..#", "#.#..", "###..")
    found = traced.polygons(grid(marked), marked, crs=CRS)
    assert found.cells.tolist() == [7, 1] and found.row.tolist() == [0, 0] and found.col.tolist() == [0, 4]
    assert shapely.area(found.shapes).tolist() == [700, 100]
    assert shapely.get_num_interior_rings(found.shapes).tolist() == [1, 0]
    assert shapely.is_valid(found.shapes).all()


def test_a_tile_ends_a_polygon() -> None:
    marked = drawn("####", "####")
    assert traced.polygons(grid(marked), marked, crs=CRS, tile=2).cells.tolist() == [4, 4]
    assert traced.merged(grid(marked), marked, crs=CRS).area == 800


def test_only_what_reaches_into_the_extent() -> None:
    marked = drawn("#.#.#.#", ".......", "#.#.#.#")
    extent = (500_015.0, 4_999_950.0, 500_045.0, 4_999_995.0)
    found = traced.polygons(grid(marked), marked, crs=CRS, extent=extent)
    assert list(zip(found.row, found.col, strict=True)) == [(0, 2), (0, 4), (2, 2), (2, 4)]
    away = traced.polygons(grid(marked), marked, crs=CRS, extent=(0.0, 0.0, 1.0, 1.0))
    assert len(away) == 0


@settings(max_examples=60, deadline=None)
@given(MASKS, st.integers(1, 15), st.sampled_from([NORTH_UP, TURNED]))
def test_every_cell_once(marked: NDArray[np.bool_], tile: int, transform: tuple[float, ...]) -> None:
    found = traced.polygons(grid(marked, transform), marked, crs=CRS, tile=tile)
    assert shapely.is_valid(found.shapes).all()
    np.testing.assert_allclose(shapely.area(found.shapes), found.cells * 100.0)
    assert found.cells.sum() == marked.sum()
    assert abs(shapely.union_all(found.shapes).area - 100.0 * marked.sum()) < 1e-3
    row, col = np.nonzero(marked)
    a, b, c, d, e, f = transform
    middle = shapely.points(a * (col + 0.5) + b * (row + 0.5) + c, d * (col + 0.5) + e * (row + 0.5) + f)
    inside, _ = shapely.STRtree(found.shapes).query(middle, predicate="within")
    assert np.array_equal(np.sort(inside), np.arange(len(row)))


@settings(max_examples=40, deadline=None)
@given(MASKS)
def test_as_rasterio_draws_them(marked: NDArray[np.bool_]) -> None:
    shapes = rasterio.features.shapes(
        marked.astype(np.uint8), mask=marked, connectivity=4, transform=rasterio.Affine(*NORTH_UP)
    )
    other = [shapely.normalize(shapely.geometry.shape(shape)) for shape, _ in shapes]
    found = traced.polygons(grid(marked), marked, crs=CRS).shapes
    assert sorted(shapely.area(found)) == sorted(shapely.area(other))
    assert all(any(mine.equals(theirs) for theirs in other) for mine in found)


def test_degrees_become_metres() -> None:
    marked = np.ones((40, 40), dtype=bool)
    found = traced.polygons(grid(marked, (0.001, 0, 2.9, 0, -0.001, 52.0), "EPSG:4326"), marked, crs=CRS)
    assert found.shapes[0].area == pytest.approx(40 * 68.7 * 40 * 111.3, rel=0.01)
