"""Exposure to a hazard: drawn, by law, and against brute force and exactextract."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
import shapely
from exactextract import exact_extract
from exactextract.raster import NumPyRasterSource
from hypothesis import given
from hypothesis import strategies as st
from numpy.testing import assert_allclose
from shapely import LineString, MultiPolygon, Point, Polygon, box

from data import standards
from geo import hazards
from geo.crs import reproject
from geo.errors import CrsError, InputError
from geo.hazards import EXPOSURE, ExposureParams, Grid, Hazard

CRS = "EPSG:32631"
WEST, NORTH, CELL = 600_000.0, 5_800_000.0, 10.0

# depths in metres, ? where nothing was measured; cells of 10 m, the upper left corner at (WEST, NORTH)
DRAWING = """
0 0 2 4
0 1 ? 4
0 0 0 3
"""


def drawn(drawing: str = DRAWING, *, cell: float = CELL, west: float = WEST, north: float = NORTH) -> Hazard:
    rows = [line.split() for line in drawing.strip().splitlines()]
    values = np.array([[np.nan if c == "?" else float(c) for c in row] for row in rows])
    return flood(Grid(values, (cell, 0, west, 0, -cell, north), CRS))


def flood(grid: Grid) -> Hazard:
    return Hazard("drawn", "flood", "m", grid, dry_is="dry")


def at(col: float, row: float) -> tuple[float, float]:
    return WEST + col * CELL, NORTH - row * CELL


def lines(*chains: list[tuple[float, float]], crs: str = CRS) -> dict[str, np.ndarray | str]:
    xy = np.array([at(*p) for chain in chains for p in chain]).reshape(-1, 2)
    start = np.cumsum([0, *map(len, chains)]).astype(np.int64)
    return {"x": xy[:, 0], "y": xy[:, 1], "start": start, "crs": crs}


def area(*ring: tuple[float, float], holes: tuple[list[tuple[float, float]], ...] = ()) -> Polygon:
    return Polygon([at(*p) for p in ring], [[at(*p) for p in hole] for hole in holes])


def array(*shapes: shapely.Geometry | None) -> np.ndarray:
    return np.array([*shapes, None], dtype=object)[:-1]


def along(*chains: list[tuple[float, float]], hazard: Hazard | None = None, above: float = 0.0) -> list[list[float]]:
    return table(
        hazards.expose_lines(**lines(*chains), hazard=hazard or drawn(), params=ExposureParams(affected_above=above))
    )


def over(*shapes: shapely.Geometry | None, hazard: Hazard | None = None) -> list[list[float]]:
    return table(hazards.expose_areas(array(*shapes), crs=CRS, hazard=hazard or drawn()))


def table(exposure: pd.DataFrame) -> list[list[float]]:
    assert list(exposure.columns) == list(EXPOSURE)
    return exposure.to_numpy().tolist()


def same(found: list[list[float]], *expected: list[float]) -> None:
    assert_allclose(np.array(found), np.array(expected), rtol=1e-9, atol=1e-12)


UNKNOWN = [np.nan, np.nan, 0.0, 1.0]


class TestDrawnLines:
    def test_a_street_along_a_row_meets_each_cell_by_its_length(self) -> None:
        # half of cell 0, all of 0, half of cell 2
        same(along([(0.5, 0.5), (2.5, 0.5)]), [2, 0.5 * 2 / 2, 0.25, 0])

    def test_the_unknown_is_neither_dry_nor_wet(self) -> None:
        # 0, 1, ?, 4 in equal parts
        same(along([(0, 1.5), (4, 1.5)]), [4, 5 / 3, 0.5, 0.25])

    def test_a_street_wholly_in_unknown_cells_has_no_depth(self) -> None:
        same(along([(2.1, 1.2), (2.9, 1.8)]), UNKNOWN)

    def test_beyond_the_raster_is_unknown(self) -> None:
        same(along([(3.5, 0.5), (5.5, 0.5)], [(-3, -3), (-1, -9)]), [4, 4, 0.25, 0.75], UNKNOWN)

    def test_a_long_street_through_the_raster(self) -> None:
        same(along([(-1000, 2.5), (1004, 2.5)]), [3, 0.75, 1 / 2004, 2000 / 2004])

    def test_on_the_border_the_right_and_lower_cell_counts(self) -> None:
        same(along([(2, 0), (2, 1)], [(0, 1), (2, 1)]), [2, 2, 1, 0], [1, 0.5, 0.5, 0])

    def test_along_the_outer_border(self) -> None:
        same(along([(0, 0), (2, 0)], [(0, 3), (2, 3)], [(4, 0), (4, 3)]), [0, 0, 0, 0], UNKNOWN, UNKNOWN)

    def test_through_a_corner_only_the_cells_it_runs_in_count(self) -> None:
        # from cell (0, 0) through the corner straight into cell (1, 1); 2 and 0 beside it are not touched
        same(along([(0.5, 0.5), (1.5, 1.5)]), [1, 0.5, 0.5, 0])

    def test_a_corner_as_a_vertex(self) -> None:
        same(along([(0.5, 0.5), (1, 1), (1.5, 1.5)]), [1, 0.5, 0.5, 0])

    def test_a_repeated_vertex_adds_nothing(self) -> None:
        same(along([(0.5, 0.5), (0.5, 0.5), (2.5, 0.5)]), [2, 0.5, 0.25, 0])

    def test_a_line_without_length_is_a_point(self) -> None:
        same(along([(3.5, 0.5), (3.5, 0.5)], [(2.5, 1.5), (2.5, 1.5)], [(9, 9)]), [4, 4, 1, 0], UNKNOWN, UNKNOWN)

    def test_a_line_without_vertices_is_unknown(self) -> None:
        same(along([], [(3.2, 0.5), (3.4, 0.5)]), UNKNOWN, [4, 4, 1, 0])

    def test_the_threshold_itself_is_not_above_it(self) -> None:
        same(along([(0, 0.5), (4, 0.5)], above=2), [4, 1.5, 0.25, 0])

    def test_no_lines(self) -> None:
        assert along() == []


class TestDrawnAreas:
    def test_a_site_takes_each_cell_by_its_share(self) -> None:
        # a quarter of 0, half of 2, a quarter of 4
        same(over(area((1.5, 0), (3.5, 0), (3.5, 0.5), (1.5, 0.5))), [4, 2, 0.75, 0])

    def test_a_site_smaller_than_a_cell(self) -> None:
        same(over(area((3.4, 2.4), (3.41, 2.4), (3.4, 2.41))), [3, 3, 1, 0])

    def test_a_slanted_border(self) -> None:
        # the lower left triangle over the cells 0 1 / 0 0 of rows 1 and 2: half of the 0s, none of the 1
        same(over(area((0, 1), (2, 3), (0, 3))), [0, 0, 0, 0])
        same(over(area((0, 1), (2, 1), (2, 3))), [1, 0.5, 0.5, 0])

    def test_a_courtyard_does_not_count(self) -> None:
        ring = area((0, 0), (4, 0), (4, 1), (0, 1), holes=([(2, 0.25), (4, 0.25), (4, 0.75), (2, 0.75)],))
        same(over(ring), [4, (2 + 4) / 2 / 3, 1 / 3, 0])

    def test_parts_count_together(self) -> None:
        parts = MultiPolygon([area((0, 0), (1, 0), (1, 1), (0, 1)), area((2, 0), (3, 0), (3, 1), (2, 1))])
        same(over(parts), [2, 1, 0.5, 0])

    def test_unknown_and_beyond_the_raster(self) -> None:
        same(over(area((2, 1), (5, 1), (5, 2), (2, 2))), [4, 4, 1 / 3, 2 / 3])

    @pytest.mark.parametrize("ring", [
        [(-3, -3), (-1, -3), (-1, -1)], [(7, 0), (9, 0), (9, 3)], [(0, 9), (4, 9), (4, 99)],
        [(-9, 0), (-5, 0), (-5, 3)],
    ])  # fmt: skip
    def test_wholly_beyond_the_raster(self, ring: list[tuple[float, float]]) -> None:
        same(over(area(*ring)), UNKNOWN)

    def test_larger_than_the_raster(self) -> None:
        same(over(area((-1, -1), (5, -1), (5, 4), (-1, 4))), [4, 14 / 11, 5 / 30, 19 / 30])

    def test_whichever_way_the_outline_turns(self) -> None:
        shape = area((0.3, 0.2), (3.7, 0.9), (2.2, 2.8), holes=([(1.5, 0.9), (2.5, 1.0), (2.1, 1.4)],))
        same(over(shape.normalize()), *over(shapely.orient_polygons(shape)))
        same(over(shapely.orient_polygons(shape, exterior_cw=True)), *over(shape))

    def test_points_and_flat_shapes_are_looked_up(self) -> None:
        flat = area((3.5, 0.2), (3.5, 0.8), (3.5, 0.2))
        same(over(Point(at(3.5, 2.5)), flat, Point(at(2.5, 1.5))), [3, 3, 1, 0], [4, 4, 1, 0], UNKNOWN)

    def test_no_shape_is_unknown_and_takes_no_neighbour_along(self) -> None:
        site = area((3, 0), (4, 0), (4, 1), (3, 1))
        same(over(None, site, Polygon(), site), UNKNOWN, [4, 4, 1, 0], UNKNOWN, [4, 4, 1, 0])

    def test_no_shapes(self) -> None:
        assert over() == []


class TestPoints:
    def test_the_cell_a_point_lies_in(self) -> None:
        xy = np.array([at(3.5, 2.5), at(2.5, 1.5), at(0.5, 0.5), at(4.0, 0.5), at(3.0, 0.0)])
        found = hazards.expose_points(xy[:, 0], xy[:, 1], crs=CRS, hazard=drawn())
        same(table(found), [3, 3, 1, 0], UNKNOWN, [0, 0, 0, 0], UNKNOWN, [4, 4, 1, 0])

    def test_what_cannot_be_projected_is_unknown(self) -> None:
        found = hazards.expose_points(np.array([np.inf]), np.array([0.0]), crs=CRS, hazard=drawn())
        same(table(found), UNKNOWN)


class TestCombining:
    A = pd.DataFrame([[1, 0.5, 0.5, 0.0], [np.nan, np.nan, 0.0, 1.0], [0, 0, 0.0, 0.0]], columns=list(EXPOSURE))
    B = pd.DataFrame([[3, 0.2, 0.1, 0.8], [2, 1, 0.4, 0.6], [np.nan, np.nan, 0.0, 1.0]], columns=list(EXPOSURE))

    def test_the_worst_of_each(self) -> None:
        worst = [[3, 0.5, 0.5, 0.5], [2, 1, 0.4, 0.6], [0, 0, 0, 1]]
        same(table(hazards.worst([self.A, self.B])), *worst)
        same(table(hazards.worst([self.B, self.A])), *worst)

    def test_the_worst_of_one_is_itself(self) -> None:
        pd.testing.assert_frame_equal(hazards.worst([self.A]), self.A)

    def test_bridges_are_above_the_water_and_say_so(self) -> None:
        bridge = np.array([True, True, False])
        found = hazards.exempt(self.A, bridge)
        assert found.loc[bridge, list(EXPOSURE)].eq(0).all(axis=None)
        assert found["exempt"].tolist() == bridge.tolist()
        assert self.A.loc[0, "max"] == 1, "the input is not changed"
        pd.testing.assert_frame_equal(found.loc[2:, list(EXPOSURE)], self.A.loc[2:])

    def test_exempt_from_all_or_not_at_all(self) -> None:
        a = hazards.exempt(self.A, np.array([True, True, False]))
        b = hazards.exempt(self.B, np.array([True, False, False]))
        assert hazards.worst([a, b])["exempt"].tolist() == [True, False, False]
        assert hazards.worst([a])["exempt"].tolist() == [True, True, False]


class TestGrid:
    def test_it_says_what_it_is(self) -> None:
        assert repr(drawn().grid) == "Grid(3 rows × 4 columns of 10 × 10, 8% unknown, EPSG:32631)"
        assert repr(drawn()).startswith("Hazard(drawn: flood in m, Grid(")

    def test_bounds(self) -> None:
        assert drawn().grid.bounds == (WEST, NORTH - 30, WEST + 40, NORTH)

    @pytest.mark.parametrize(("values", "transform", "said"), [
        (np.zeros(3), (1, 0, 0, 0, -1, 0), "rows × columns"),
        (np.zeros((0, 3)), (1, 0, 0, 0, -1, 0), "rows × columns"),
        (np.zeros((2, 2), dtype=np.int8), (1, 0, 0, 0, -1, 0), "int8"),
        (np.full((2, 2), np.inf), (1, 0, 0, 0, -1, 0), "infinite"),
        (np.zeros((2, 2)), (0, 0, 0, 0, -1, 0), "cell size"),
        (np.zeros((2, 2)), (1, 0, np.nan, 0, -1, 0), "cell size"),
    ])  # fmt: skip
    def test_what_is_no_grid_is_refused(self, values: np.ndarray, transform: tuple[float, ...], said: str) -> None:
        with pytest.raises(InputError, match=said):
            Grid(values, transform, CRS)  # type: ignore[arg-type]

    def test_all_faults_at_once(self) -> None:
        with pytest.raises(InputError) as told:
            Grid(np.zeros(3), (0, 0, 0, 0, 0, 0), CRS)
        assert len(told.value.faults) == 2

    def test_an_unknown_crs_is_refused(self) -> None:
        with pytest.raises(CrsError):
            Grid(np.zeros((2, 2)), (1, 0, 0, 0, -1, 0), "the usual")

    def test_a_hazard_without_a_unit_is_refused(self) -> None:
        with pytest.raises(InputError, match="unit"):
            Hazard("drawn", "flood", "", drawn().grid)


def test_the_standards_fill_the_parameters() -> None:
    assert ExposureParams.of(standards.load()).affected_above == 0.05


# Laws and oracles: random grids with holes in the knowledge, shapes that reach beyond them.

whole_or_not = st.one_of(st.integers(-2, 9).map(float), st.floats(-2, 9, allow_subnormal=False))
points = st.tuples(whole_or_not, whole_or_not)
chains = st.lists(points, min_size=2, max_size=6)


@st.composite
def hazards_(draw: st.DrawFn) -> Hazard:
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    values = rng.integers(0, 4, (draw(st.integers(1, 7)), draw(st.integers(1, 7)))).astype(np.float32)
    values[rng.random(values.shape) < 0.2] = np.nan
    return flood(Grid(values, (CELL, 0, WEST, 0, -CELL, NORTH), CRS))


@st.composite
def polygons(draw: st.DrawFn) -> shapely.Geometry:
    """A valid (multi)polygon, often with a hole, from two random rings."""
    outer, inner = (Polygon([at(*p) for p in draw(st.lists(points, min_size=3, max_size=7))]) for _ in range(2))
    shape = shapely.make_valid(shapely.difference(shapely.make_valid(outer), shapely.make_valid(inner)))
    return MultiPolygon([p for p in shapely.get_parts(shape) if p.geom_type == "Polygon" and p.area > 1e-6])


def cell_boxes(grid: Grid) -> tuple[np.ndarray, np.ndarray]:
    rows, cols = np.indices(grid.values.shape)
    x, y = WEST + cols.ravel() * CELL, NORTH - rows.ravel() * CELL
    return shapely.box(x, y - CELL, x + CELL, y), grid.values.ravel().astype(float)


def brute(pieces: list[shapely.Geometry], hazard: Hazard, measure: np.ufunc) -> list[float]:
    """Exposure by cutting each piece of a shape with every cell's square."""
    boxes, value = cell_boxes(hazard.grid)
    part = sum(measure(shapely.intersection(piece, boxes)) for piece in pieces)
    total, known = measure(pieces).sum(), ~np.isnan(value)
    if part[known].sum() <= 1e-9 * total:
        return UNKNOWN
    mean = (part * np.nan_to_num(value)).sum() / part[known].sum()
    highest = value[known & (part > 1e-7)].max()
    return [highest, mean, part[value > 0].sum() / total, 1 - part[known].sum() / total]


@given(hazards_(), st.lists(st.tuples(st.floats(-2, 9), st.floats(-2, 9)), min_size=2, max_size=5))
def test_lines_against_cutting_with_every_cell(hazard: Hazard, chain: list[tuple[float, float]]) -> None:
    # Coordinates a little off the borders: there the oracle would count a stretch twice.
    chain = [(round(c, 3) + 0.00037, round(r, 3) + 0.00053) for c, r in chain]
    # Segment by segment: an intersection would count a stretch once that is walked twice.
    segments = [LineString([at(*a), at(*b)]) for a, b in itertools.pairwise(chain)]
    if sum(segment.length for segment in segments) > 0:
        assert_allclose(along(chain, hazard=hazard)[0], brute(segments, hazard, shapely.length), rtol=1e-6, atol=1e-6)


@given(hazards_(), polygons())
def test_areas_against_cutting_with_every_cell(hazard: Hazard, shape: MultiPolygon) -> None:
    if not shape.is_empty:
        assert_allclose(over(shape, hazard=hazard)[0], brute([shape], hazard, shapely.area), rtol=1e-6, atol=1e-6)


@given(hazards_(), polygons())
def test_areas_against_exactextract(hazard: Hazard, shape: MultiPolygon) -> None:
    if shape.is_empty:
        return
    left, bottom, right, top = hazard.grid.bounds
    raster = NumPyRasterSource(hazard.grid.values, left, bottom, right, top, nodata=np.nan)
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(shape)}
    oracle = exact_extract(raster, [feature], ["mean", "count"])[0]["properties"]
    found = over(shape, hazard=hazard)[0]
    known = (1 - found[3]) * shape.area / CELL**2
    assert known == pytest.approx(oracle["count"], abs=1e-6 * max(1.0, oracle["count"]))
    if oracle["count"] > 1e-5:
        assert found[1] == pytest.approx(oracle["mean"], abs=1e-5 if oracle["count"] < 0.01 else 1e-6)


@given(hazards_(), chains)
def test_the_way_a_line_is_drawn_changes_nothing(hazard: Hazard, chain: list[tuple[float, float]]) -> None:
    same(along(chain[::-1], hazard=hazard), *along(chain, hazard=hazard))


@given(hazards_(), chains, st.floats(0.01, 0.99))
def test_cutting_a_line_changes_no_total(hazard: Hazard, chain: list[tuple[float, float]], share: float) -> None:
    (a, b), *_ = itertools.pairwise(chain)
    middle = (a[0] + share * (b[0] - a[0]), a[1] + share * (b[1] - a[1]))
    parts = [[a, middle], [middle, *chain[1:]]]
    length = np.array([LineString([at(*p) for p in part]).length for part in parts])
    if length.sum() > 0:
        found = np.array(along(*parts, hazard=hazard))
        known = length * (1 - found[:, 3])
        whole = along(chain, hazard=hazard)[0]
        assert_allclose(length @ found[:, 2:] / length.sum(), whole[2:], atol=1e-6)
        if known.sum() > 1e-6:
            assert (known * np.nan_to_num(found[:, 1])).sum() / known.sum() == pytest.approx(whole[1], abs=1e-6)
            assert np.nanmax(found[length > 0, 0]) == whole[0]


@given(hazards_(), chains, polygons())
def test_shares_are_shares_and_the_highest_is_no_less_than_the_mean(
    hazard: Hazard, chain: list[tuple[float, float]], shape: MultiPolygon
) -> None:
    found = np.array([*along(chain, hazard=hazard), *over(shape, hazard=hazard)])
    assert ((found[:, 2:] >= 0) & (found[:, 2:] <= 1)).all()
    assert (found[:, 2] + found[:, 3] <= 1 + 1e-9).all()
    assert np.array_equal(np.isnan(found[:, 0]), found[:, 3] == 1)
    known = found[found[:, 3] < 1]
    assert (known[:, 1] <= known[:, 0] + 1e-9).all()


@given(hazards_(), chains, polygons())
def test_nodata_is_not_dry(hazard: Hazard, chain: list[tuple[float, float]], shape: MultiPolygon) -> None:
    dry = flood(Grid(np.zeros_like(hazard.grid.values), hazard.grid.transform, CRS))
    none = flood(Grid(np.full_like(hazard.grid.values, np.nan), hazard.grid.transform, CRS))
    for found in (along(chain, hazard=none), over(shape, hazard=none)):
        same(found, UNKNOWN)
    for found in (along(chain, hazard=dry), over(shape, hazard=dry)):
        assert found[0][0] == 0 or found[0][3] == 1


@given(hazards_(), chains, polygons(), st.integers(-5, 5), st.integers(-5, 5))
def test_moving_everything_by_whole_cells_changes_nothing(
    hazard: Hazard, chain: list[tuple[float, float]], shape: MultiPolygon, right: int, down: int
) -> None:
    moved = flood(Grid(hazard.grid.values, (CELL, 0, at(right, down)[0], 0, -CELL, at(right, down)[1]), CRS))
    there = [(c + right, r + down) for c, r in chain]
    close = {"rtol": 1e-6, "atol": 1e-6}
    # A vertex on a border may round to either side when moved: the highest value is compared for areas only.
    assert_allclose(along(there, hazard=moved)[0][1:], along(chain, hazard=hazard)[0][1:], **close)
    shifted = shapely.transform(shape, lambda xy: xy + np.array([right * CELL, -down * CELL]))
    assert_allclose(over(shifted, hazard=moved), over(shape, hazard=hazard), **close)


@given(hazards_(), polygons())
def test_a_raster_upside_down_or_turned_is_the_same_raster(hazard: Hazard, shape: MultiPolygon) -> None:
    values = hazard.grid.values
    south_up = Grid(values[::-1].copy(), (CELL, 0, WEST, 0, CELL, NORTH - len(values) * CELL), CRS)
    turned = Grid(values.T.copy(), (0, CELL, WEST, -CELL, 0, NORTH), CRS)
    for grid in (south_up, turned):
        assert grid.bounds == hazard.grid.bounds
        assert_allclose(over(shape, hazard=flood(grid)), over(shape, hazard=hazard), rtol=1e-6, atol=1e-6)


@given(hazards_(), st.lists(chains, max_size=4), st.randoms(use_true_random=False))
def test_the_order_of_lines_changes_nothing(hazard: Hazard, many: list[list[tuple[float, float]]], random) -> None:  # type: ignore[no-untyped-def]
    order = list(range(len(many)))
    random.shuffle(order)
    found, shuffled = along(*many, hazard=hazard), along(*(many[i] for i in order), hazard=hazard)
    assert str(shuffled) == str([found[i] for i in order])


def test_the_crs_of_the_lines_changes_next_to_nothing() -> None:
    hazard = flood(Grid(np.random.default_rng(7).random((60, 60)), (CELL, 0, WEST, 0, -CELL, NORTH), CRS))
    given_ = lines([(3, 3), (40, 17), (22, 55)])
    x, y = reproject(given_["x"], given_["y"], source=CRS, target="EPSG:32632")  # type: ignore[arg-type]
    here = hazards.expose_lines(**given_, hazard=hazard)
    there = hazards.expose_lines(x, y, given_["start"], crs="EPSG:32632", hazard=hazard)  # type: ignore[arg-type]
    assert_allclose(there, here, atol=2e-4)


def test_a_wide_polygon_is_drawn_band_by_band() -> None:
    # 1 500 × 1 500 cells are more than one band holds
    values = np.random.default_rng(3).random((1500, 1500))
    hazard = flood(Grid(values, (1, 0, 0, 0, -1, 1500), CRS))
    whole = hazards.expose_areas(array(box(0, 0, 1500, 1500)), crs=CRS, hazard=hazard)
    same(table(whole), [values.max(), values.mean(), 1, 0])
    disc = Point(750, 750).buffer(700, quad_segs=64)
    found = hazards.expose_areas(array(disc), crs=CRS, hazard=hazard)
    raster = NumPyRasterSource(values, 0, 0, 1500, 1500, nodata=np.nan)
    feature = {"type": "Feature", "properties": {}, "geometry": shapely.geometry.mapping(disc)}
    oracle = exact_extract(raster, [feature], ["mean", "max"])[0]["properties"]
    assert found.loc[0, "mean"] == pytest.approx(oracle["mean"], abs=1e-8)
    assert found.loc[0, "max"] == oracle["max"]
