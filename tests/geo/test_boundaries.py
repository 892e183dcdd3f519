"""Outlines cut off by an extract, closed along its edge: drawn, and by law."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import assume, given
from hypothesis import strategies as st
from shapely import LineString, MultiLineString, Polygon, box

from geo.boundaries import Closed, ClosingParams, close

CRS = "EPSG:32631"
WEST, SOUTH = 600_000.0, 5_800_000.0

# The extract is 4 × 2 km; three units meet in X, and only the lines between them are in it.
#
#   2 ┌───────────┬───────────┐
#     │     A     │     B     │
#   1 │           X───────────┤
#     │           │     C     │
#   0 └───────────┴───────────┘
#     0           2           4 km
EXTENT = box(WEST, SOUTH, WEST + 4000, SOUTH + 2000)


def km(*points: tuple[float, float]) -> LineString:
    return LineString([(WEST + 1000 * x, SOUTH + 1000 * y) for x, y in points])


AB, AC, BC = km((2, 1), (2, 2)), km((2, 0), (2, 1)), km((2, 1), (4, 1))


def units(level: float = 10, **outlines: shapely.Geometry) -> gpd.GeoDataFrame:
    columns = {
        "boundary_id": [*outlines], "name": [*outlines], "name_zh": None, "name_en": None,
        "kind": "administrative", "admin_level": float(level),
    }  # fmt: skip
    return gpd.GeoDataFrame(columns, geometry=[*outlines.values()], crs=CRS)


def km2(found: Closed) -> dict[str, float]:
    return dict(zip(found.boundaries["boundary_id"], (found.boundaries.area / 1e6).round(6), strict=True))


def three(ab: LineString = AB, ac: LineString = AC, bc: LineString = BC) -> gpd.GeoDataFrame:
    return units(A=MultiLineString([ab, ac]), B=MultiLineString([ab, bc]), C=MultiLineString([ac, bc]))


class TestDrawn:
    def test_three_units_that_meet_divide_the_extract(self) -> None:
        found = close(three(), extent=EXTENT)
        assert km2(found) == {"A": 4, "B": 2, "C": 2}
        assert found.boundaries["cut_off"].all() and found.left_open == ()
        assert repr(found) == "Closed(3 outlines, 3 of them by the edge, 0 left open)"

    def test_lines_that_run_on_beyond_the_extract(self) -> None:
        beyond = three(km((2, 1), (2, 9)), km((2, -5), (2, 1)), km((2, 1), (7, 1)))
        assert km2(close(beyond, extent=EXTENT)) == {"A": 4, "B": 2, "C": 2}

    def test_lines_that_stop_a_little_before_the_edge(self) -> None:
        short = three(km((2, 1), (2, 1.9)), km((2, 0.1), (2, 1)), km((2, 1), (3.85, 1)))
        assert km2(close(short, extent=EXTENT)) == {"A": 4, "B": 2, "C": 2}
        assert km2(close(short, extent=EXTENT, params=ClosingParams(reach_m=50))) == {}

    def test_one_line_alone_does_not_say_who_is_on_which_side(self) -> None:
        line = km((2, 0), (2, 2))
        found = close(units(A=line, B=line), extent=EXTENT)
        assert km2(found) == {} and found.left_open == ("A", "B")

    def test_a_neighbour_that_is_whole_tells_the_sides(self) -> None:
        # D lies wholly inside, west of the line, and borders A only
        line, square = km((2, 0), (2, 2)), km((0.5, 0.5), (1.5, 0.5), (1.5, 1.5), (0.5, 1.5), (0.5, 0.5))
        around = units(A=MultiLineString([line, square]), B=line, D=Polygon(square))
        found = close(around, extent=EXTENT)
        assert km2(found) == {"A": 3, "B": 4, "D": 1}
        assert found.boundaries.set_index("boundary_id")["cut_off"].to_dict() == {"A": True, "B": True, "D": False}

    def test_a_unit_in_two_pieces(self) -> None:
        # B is a strip between A's two parts, C the corner below A's western part
        upper, lower, right, low = km((1, 1), (1, 2)), km((1, 0), (1, 1)), km((2, 0), (2, 2)), km((0, 1), (1, 1))
        a, b, c = ([upper, right, low], [upper, lower, right], [lower, low])
        found = close(units(A=MultiLineString(a), B=MultiLineString(b), C=MultiLineString(c)), extent=EXTENT)
        assert km2(found) == {"A": 5, "B": 2, "C": 1}

    def test_a_missing_line_is_noticed(self) -> None:
        # without the line between B and C their ground would be taken for A's other half
        found = close(units(A=MultiLineString([AB, AC]), B=AB, C=AC), extent=EXTENT)
        assert km2(found) == {} and set(found.left_open) == {"A", "B", "C"}

    def test_levels_do_not_mix(self) -> None:
        line = km((2, 0), (2, 2))
        districts = units(level=8, P=line, Q=line)
        found = close(gpd.pd.concat([three(), districts], ignore_index=True), extent=EXTENT)
        assert km2(found) == {"A": 4, "B": 2, "C": 2} and found.left_open == ("P", "Q")

    def test_without_a_level_nothing_is_closed(self) -> None:
        assert close(three().assign(admin_level=np.nan), extent=EXTENT).left_open == ("A", "B", "C")

    def test_whole_outlines_stay_as_they_are(self) -> None:
        whole = units(A=box(WEST - 500, SOUTH, WEST + 500, SOUTH + 500))
        found = close(whole, extent=EXTENT)
        assert found.boundaries.geometry.iloc[0].equals(whole.geometry.iloc[0])
        assert not found.boundaries["cut_off"].any()

    def test_no_units(self) -> None:
        found = close(three().iloc[:0], extent=EXTENT)
        assert len(found.boundaries) == 0 and found.left_open == ()

    def test_the_input_is_not_changed(self) -> None:
        given_ = three()
        close(given_, extent=EXTENT)
        assert given_.geometry.geom_type.eq("MultiLineString").all()


# A cell map of Voronoi regions, of which only the lines are known: what comes back is the map itself, as far as told.
seeds = st.lists(st.tuples(st.integers(2, 38), st.integers(2, 18)), min_size=3, max_size=9, unique=True)


@given(seeds)
def test_what_is_closed_is_right(points: list[tuple[int, int]]) -> None:
    xy = np.array(points, dtype=float) * 100 + [WEST, SOUTH]
    cells = shapely.get_parts(shapely.voronoi_polygons(shapely.MultiPoint(xy), extend_to=EXTENT.buffer(9000)))
    truth = shapely.intersection(cells, EXTENT)
    cells = cells[shapely.area(truth) > 1]
    truth = truth[shapely.area(truth) > 1]
    assume(len(truth) >= 3)
    borders = [shapely.intersection(shapely.boundary(c), shapely.union_all(cells[cells != c])) for c in cells]
    lines = [shapely.union_all([p for p in shapely.get_parts(b) if p.geom_type == "LineString"]) for b in borders]
    assume(all(not line.is_empty for line in lines))
    found = close(units(**{f"u{i}": line for i, line in enumerate(lines)}), extent=EXTENT)
    for unit, shape in zip(found.boundaries["boundary_id"], found.boundaries.geometry, strict=True):
        assert shape.symmetric_difference(truth[int(unit[1:])]).area < 1.0
    assert found.boundaries.area.sum() <= EXTENT.area + 1


@pytest.mark.parametrize("turned", [0, 90, 180, 270])
def test_the_direction_of_lines_changes_nothing(turned: int) -> None:
    rows = three()
    rows["geometry"] = rows.geometry.reverse() if turned % 180 else rows.geometry
    rows["geometry"] = rows.geometry.rotate(turned, origin=EXTENT.centroid)
    edge = shapely.affinity.rotate(EXTENT, turned, origin=EXTENT.centroid)
    assert km2(close(rows, extent=edge)) == {"A": 4, "B": 2, "C": 2}
