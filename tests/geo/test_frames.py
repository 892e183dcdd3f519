"""Rasters brought onto one frame: drawn, by law, and against shapes."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.testing import assert_array_equal

from geo.crs import reproject
from geo.errors import LimitError
from geo.frames import STEP, Frame, _along, _corners, onto
from geo.hazards import Grid

CRS = "EPSG:32631"
X, Y = 600_000.0, 5_800_000.0
NAN = np.nan


def frame(cell_m: float, rows: int, cols: int, *, crs: str = CRS, x: float = X, y: float = Y) -> Frame:
    return Frame(x, y, cell_m, rows, cols, crs)


def grid(values: list[list[float]], *, cell: float = 10, x: float = X, y: float = Y, crs: str = CRS) -> Grid:
    return Grid(np.array(values, dtype=np.float32), (cell, 0, x, 0, -cell, y), crs)


DRAWN = grid([[0, 2, NAN, 0], [0, 1, NAN, NAN]])


def test_the_same_cells_stay_as_they_are() -> None:
    assert_array_equal(onto(DRAWN, frame(10, 2, 4)), DRAWN.values)


def test_larger_cells_take_the_worst_they_touch() -> None:
    assert_array_equal(onto(DRAWN, frame(20, 1, 2)), [[2, NAN]])


def test_none_is_said_only_where_the_middle_is_known() -> None:
    """Cells of 30 m over 10 m: middles lie in the second and fifth column."""
    assert_array_equal(onto(grid([[0, NAN, 0]] * 3), frame(30, 1, 1)), [[NAN]])
    assert_array_equal(onto(grid([[NAN, 0, NAN]] * 3), frame(30, 1, 1)), [[0]])
    assert_array_equal(onto(grid([[1, NAN, NAN]] * 3), frame(30, 1, 1)), [[1]])


def test_smaller_cells_repeat_what_they_lie_in() -> None:
    assert_array_equal(onto(grid([[1, 0]], cell=10), frame(5, 2, 4)), [[1, 1, 0, 0]] * 2)


def test_beyond_the_raster_nothing_is_known() -> None:
    assert_array_equal(onto(grid([[0, 1]]), frame(10, 1, 4, x=X - 10)), [[NAN, 0, 1, NAN]])


def test_a_frame_lies_on_multiples_of_its_cell() -> None:
    found = Frame.over((X + 1, Y - 39, X + 41, Y - 1), cell_m=10, crs=CRS, cells_max=100)
    assert (found.west, found.north, found.rows, found.cols) == (X, Y, 4, 5)
    assert Frame.over((X, Y - 40, X + 50, Y), cell_m=10, crs=CRS, cells_max=20) == found
    assert Frame.over((0.3, 0.6, 0.9, 0.9), cell_m=0.3, crs=CRS, cells_max=20).shape == (1, 2)
    assert repr(found) == "Frame(4 rows × 5 columns of 10 m, EPSG:32631)"
    with pytest.raises(LimitError, match="cells larger than 10 m"):
        Frame.over((X, Y - 40, X + 50, Y), cell_m=10, crs=CRS, cells_max=19)


CODES = [CRS, "EPSG:4326", "EPSG:3857", "EPSG:28992", "EPSG:25832"]


@st.composite
def grids(draw: st.DrawFn) -> Grid:
    """Rasters of any size, turned or not, in any CRS, with holes, over and beside a square of 400 m."""
    rng = np.random.default_rng(draw(st.integers(0, 2**20)))
    crs, turn = draw(st.sampled_from(CODES)), draw(st.sampled_from([0.0, 0.0, 0.4, 2.1]))
    side = draw(st.floats(7, 160)) * (1 / 90_000 if crs == "EPSG:4326" else 1)
    values = rng.integers(0, 6, (rng.integers(2, 30), rng.integers(2, 30))).astype(np.float32)
    values[rng.random(values.shape) < 0.3] = np.nan
    (west,), (north,) = reproject(np.array([X - 100]), np.array([Y + 100]), source=CRS, target=crs)
    cos, sin = side * np.cos(turn), side * np.sin(turn)
    return Grid(values, (cos, sin, west, sin, -cos, north), crs)


@settings(max_examples=60, deadline=None)
@given(grids(), st.floats(11, 90))
def test_against_shapes(source: Grid, cell_m: float) -> None:
    """The value of a cell is the worst of source cells under the box round its corners, found with shapely."""
    over = frame(cell_m, int(400 / cell_m) + 1, int(400 / cell_m) + 1)
    found = onto(source, over)
    rows, cols = over.shape
    x, y = np.meshgrid(X + cell_m * np.arange(cols + 1), Y - cell_m * np.arange(rows + 1))
    col, row = (at.reshape(x.shape) for at in source.cells(x.ravel(), y.ravel(), crs=CRS))
    for r, c in [(0, 0), (rows // 2, cols // 3), (rows - 1, cols - 1)]:
        corner_c, corner_r = col[r : r + 2, c : c + 2], row[r : r + 2, c : c + 2]
        box = shapely.box(corner_c.min() + 1e-4, corner_r.min() + 1e-4, corner_c.max() - 1e-4, corner_r.max() - 1e-4)
        under = [
            value
            for (i, j), value in np.ndenumerate(source.values)
            if not np.isnan(value) and shapely.box(j, i, j + 1, i + 1).intersects(box)
        ]
        if under and max(under) > 0:
            assert found[r, c] >= max(under)
        assert found[r, c] <= max(under, default=0) or np.isnan(found[r, c]) or touches_a_sliver(corner_c, corner_r)


def touches_a_sliver(*corners: np.ndarray) -> bool:
    """Whether a side of the box lies within a thousandth of a border between two source cells."""
    return any(abs(at - round(at)) < 1e-3 for axis in corners for at in (float(axis.min()), float(axis.max())))


@settings(max_examples=40, deadline=None)
@given(grids(), st.integers(0, 2**20))
def test_worse_cells_never_make_a_frame_better(source: Grid, seed: int) -> None:
    rng = np.random.default_rng(seed)
    worse = Grid(
        source.values + rng.integers(0, 2, source.values.shape).astype(np.float32), source.transform, source.crs
    )
    over = frame(40, 10, 10)
    before, after = onto(source, over), onto(worse, over)
    assert (np.nan_to_num(after, nan=-1) >= np.nan_to_num(before, nan=-1)).all()


def test_interpolated_corners_are_those_projected() -> None:
    """100 m cells over 20 km: the middle of each in another CRS, off by less than a third of a metre."""
    wide = frame(100, 200, 200)
    source = grid([[0.0]], cell=1.0, crs="EPSG:28992")
    corners = _corners(source, wide)
    r = STEP + STEP // 2
    for axis in (0, 1):
        found = np.empty(201)
        _along(corners[axis], r, found)
        exact = source.cells(X + 100.0 * np.arange(201), np.full(201, Y - 100.0 * r), crs=CRS)[axis]
        assert np.abs(found - exact).max() < 0.3
