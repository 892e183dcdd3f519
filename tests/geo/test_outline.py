"""The outline of what is reached: drawn, by law, and its length inside against shapely."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
import shapely.ops
from hypothesis import given
from hypothesis import strategies as st
from shapely import LineString, MultiPolygon, Point

from data import standards
from geo.errors import InputError
from geo.outline import DEFAULT, NOTHING, OutlineParams, Streets, outline, outlines
from geo.reach import Drawn
from tests.geo.held import inside_m

CORNER = np.array([600_000.0, 5_800_000.0])
FINE_M = 1.0
"""Side of a fine cell: where reached and other streets meet, an outline is as true as that."""

Line = list[tuple[float, float]]


def drawn(*lines: Line) -> Drawn:
    """Lines in metres from the south-west corner."""
    xy = np.array([point for line in lines for point in line], dtype=float).reshape(-1, 2)
    start = np.cumsum([0, *map(len, lines)]).astype(np.int64)
    return Drawn(xy[:, 0] + CORNER[0], xy[:, 1] + CORNER[1], start)


def placed(each: Line) -> LineString:
    """A line in its place."""
    return LineString(np.array(each) + CORNER)


def places(*at: tuple[float, float]) -> np.ndarray:
    return np.array(at, dtype=float).reshape(-1, 2) + CORNER


def draw(
    *, reached: list[Line], others: list[Line] = [], barriers: list[Line] = [], above: list[Line] = [],  # noqa: B006
    at: tuple[tuple[float, float], ...] = (), params: OutlineParams = DEFAULT,
) -> MultiPolygon:  # fmt: skip
    """The outline of lines given from the south-west corner."""
    return outline(drawn(*reached), drawn(*others), drawn(*barriers), above=drawn(*above), places=places(*at),
                   params=params)  # fmt: skip


def holds(polygon: MultiPolygon, x: float, y: float) -> bool:
    return bool(shapely.contains_xy(polygon, CORNER[0] + x, CORNER[1] + y))


def within(polygon: MultiPolygon, *lines: Line) -> float:
    return float(inside_m(polygon, drawn(*lines)).sum())


class TestDrawn:
    """Small places, metres from their south-west corner; fine cells are a metre."""

    def test_a_street_claims_itself_and_the_ground_round_it(self) -> None:
        street = [(0.0, 0.0), (300.0, 0.0)]
        found = draw(reached=[street])
        assert within(found, street) == pytest.approx(300)
        assert holds(found, 150, 75)
        assert not holds(found, 150, 100)

    def test_a_bridge_over_water(self) -> None:
        """::

        ─────────  north bank, not reached but over the bridge
        ≈≈≈≈│≈≈≈≈  shores at 40 and 100 m
        ────┴────  south bank, reached
        """
        shores = [[(-900.0, 40.0), (900.0, 40.0)], [(-900.0, 100.0), (900.0, 100.0)]]
        banks = [[(-200.0, 20.0), (200.0, 20.0)], [(-200.0, 120.0), (200.0, 120.0)]]
        bridge = [(3.0, 20.0), (3.0, 120.0)]
        found = draw(reached=banks, above=[bridge], barriers=shores)
        assert within(found, *banks, bridge) == pytest.approx(900)
        assert len(found.geoms) == 1
        assert holds(found, 100, 37), "to the shore"
        assert not any(holds(found, 100, y) for y in range(42, 99)), "no water beside the bridge"
        across = found.intersection(placed([(-200, 70), (200, 70)]))
        assert across.length < 3

    def test_a_slanted_bridge_is_no_wider_than_itself(self) -> None:
        shores = [[(-900.0, 0.0), (900.0, 0.0)], [(-900.0, 200.0), (900.0, 200.0)]]
        bridge = [(0.0, -10.0), (160.0, 210.0)]
        found = draw(reached=[[(-90.0, -10.0), (0.0, -10.0)]], above=[bridge], barriers=shores)
        water = shapely.Polygon(placed([(-900, 0), (900, 0), (900, 200), (-900, 200)]))
        over = shapely.intersection(found, water)
        assert within(found, bridge) == pytest.approx(np.hypot(160, 220))
        assert shapely.difference(over, placed(bridge).buffer(2.5)).area == 0

    def test_water_is_not_jumped_over(self) -> None:
        shore = [(-900.0, 10.0), (900.0, 10.0)]
        found = draw(reached=[[(0.0, 0.0), (300.0, 0.0)]], barriers=[shore])
        assert holds(found, 150, 8)
        assert not holds(found, 150, 12)

    def test_a_slanted_wall_has_no_holes(self) -> None:
        wall = [(-300.0, -310.0), (300.0, 290.0)]
        found = draw(reached=[[(-100.0, 0.0), (-50.0, 0.0)]], barriers=[wall])
        beyond = shapely.Polygon(placed([(-299, -311), (301, 289), (300, -311)]))
        assert found.intersection(beyond).area == 0
        assert holds(found, -60, -40)

    def test_a_dead_end_cut_in_mid_street(self) -> None:
        found = draw(reached=[[(0.0, 0.0), (123.4, 0.0)]], others=[[(123.4, 0.0), (300.0, 0.0)]])
        assert within(found, [(0, 0), (123.4, 0)]) == pytest.approx(123.4)
        assert within(found, [(123.4, 0), (300, 0)]) <= FINE_M
        assert not holds(found, 140, 30), "ground beside the other half is the other half's"

    def test_two_parallel_streets_of_which_one_is_not_reached(self) -> None:
        ours, theirs = [(0.0, 1.0), (300.0, 1.0)], [(0.0, 4.0), (300.0, 4.0)]
        found = draw(reached=[ours], others=[theirs])
        assert within(found, ours) == pytest.approx(300)
        assert within(found, theirs) == 0
        assert not holds(found, 150, 30)

    def test_slanted_parallel_streets(self) -> None:
        ours, theirs = [(0.0, 0.0), (300.0, 170.0)], [(1.5, -2.6), (301.5, 167.4)]
        found = draw(reached=[ours], others=[theirs])
        assert within(found, ours) == pytest.approx(np.hypot(300, 170))
        assert within(found, theirs) == 0

    def test_an_overpass_is_in_only_where_it_crosses(self) -> None:
        street, overpass = [(0.0, 0.5), (300.0, 0.5)], [(150.5, -200.0), (150.5, 200.0)]
        found = draw(reached=[street], others=[overpass])
        assert within(found, street) == pytest.approx(300)
        assert 0 < within(found, overpass) <= FINE_M
        assert len(found.geoms) == 1

    def test_a_one_way_pair(self) -> None:
        """There and back on two carriageways 12 m apart; on one the time runs out."""
        there, back = [(0.0, 0.0), (300.0, 0.0)], [(300.0, 12.0), (200.0, 12.0)]
        left = [(200.0, 12.0), (0.0, 12.0)]
        found = draw(reached=[there, back], others=[left])
        assert within(found, there, back) == pytest.approx(400)
        assert within(found, left) <= FINE_M

    def test_a_facility_in_mid_street_and_one_off_every_street(self) -> None:
        at = ((100.0, 0.0), (150.0, 140.0), (250.0, 4.1))
        found = draw(
            reached=[[(0.0, 0.0), (200.0, 0.0)]], others=[[(200.0, 0.0), (300.0, 0.0)]],
            barriers=[[(245.0, 4.0), (255.0, 4.0)]], at=at,
        )  # fmt: skip
        assert all(holds(found, *place) for place in at)

    def test_a_tiny_piece(self) -> None:
        tiny = [(0.0, 0.0), (0.001, 0.0)]
        found = draw(reached=[tiny], others=[[(0.001, 0.0), (100.0, 0.0)], [(-100.0, 0.0), (0.0, 0.0)]])
        assert within(found, tiny) == pytest.approx(0.001)
        assert 0 < found.area < 10

    def test_nothing_reached(self) -> None:
        found = draw(reached=[], others=[[(0.0, 0.0), (100.0, 0.0)]], barriers=[[(0.0, 5.0), (100.0, 5.0)]])
        assert found.is_empty
        assert found.geom_type == "MultiPolygon"

    def test_only_a_facility(self) -> None:
        assert holds(draw(reached=[], others=[[(0.0, 3.0), (90.0, 3.0)]], at=((0.0, 0.0),)), 0, 0)

    def test_a_park_in_a_wide_block_is_a_hole(self) -> None:
        block = [(0.0, 0.0), (400.0, 0.0), (400.0, 400.0), (0.0, 400.0), (0.0, 0.0)]
        found = draw(reached=[block])
        assert len(found.geoms[0].interiors) == 1
        assert not holds(found, 200, 200)
        filled = draw(reached=[block], params=OutlineParams(fill_m=250))
        assert len(filled.geoms[0].interiors) == 0

    def test_a_closed_street_is_a_hole(self) -> None:
        block = [(0.0, 0.0), (100.0, 0.0), (100.0, 100.0), (0.0, 100.0), (0.0, 0.0)]
        inner = [(30.0, 50.0), (70.0, 50.0)]
        found = draw(reached=[block], others=[inner])
        assert within(found, inner) == 0
        assert len(found.geoms[0].interiors) == 1

    def test_an_island_in_a_lake(self) -> None:
        """A hole holds ground that is a part of its own."""
        lake = [(100 + 150 * np.cos(a), 100 + 150 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60)]
        shore = [(100 + 60 * np.cos(a), 100 + 60 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60)]
        round_it = [(100 + 200 * np.cos(a), 100 + 200 * np.sin(a)) for a in np.linspace(0, 2 * np.pi, 60)]
        found = draw(reached=[round_it, [(80.0, 100.0), (120.0, 100.0)]], barriers=[lake, shore])
        assert found.is_valid
        assert len(found.geoms) == 2
        assert holds(found, 100, 100)
        assert not holds(found, 100, 200)


def test_a_large_place_has_larger_cells() -> None:
    """20 by 20 km in at most a million cells are cells of 24 m and fine cells of 3."""
    far = [[(0.0, 0.0), (20_000.0, 0.0)], [(0.0, 0.0), (0.0, 20_000.0)]]
    found = draw(reached=far, others=[[(20_000.0, 0.0), (21_000.0, 0.0)]])
    assert within(found, *far) == pytest.approx(40_000)
    assert within(found, [(20_000, 0), (21_000, 0)]) <= 3.001
    steps = np.abs(np.diff(shapely.get_coordinates(found), axis=0)).ravel()
    assert np.allclose(steps / 1.5, np.rint(steps / 1.5), atol=1e-6)


def test_what_is_no_number_is_refused_at_once() -> None:
    nowhere = Drawn(np.array([0.0, np.nan]), np.array([0.0, 1.0]), np.array([0, 2]))
    with pytest.raises(InputError) as refused:
        outline(nowhere, NOTHING, nowhere)
    assert len(refused.value.faults) == 2


def test_the_defaults_are_those_of_the_standards() -> None:
    assert OutlineParams.of(standards.load()) == OutlineParams()


# Whole metres bring streets that share points, run along cell borders, and cross in corners.
metre = st.integers(0, 160)
line = st.lists(st.tuples(metre, metre), min_size=2, max_size=4, unique=True)
network = st.lists(line, min_size=1, max_size=8)
shares = st.lists(st.tuples(st.floats(0, 1), st.floats(0, 1)), min_size=8, max_size=8)
walls = st.lists(line, max_size=3)


def split(lines: list[Line], at: list[float]) -> tuple[list[Line], list[Line]]:
    """Each line's part up to a share of its length, and the rest."""
    near, far = [], []
    for each, share in zip(lines, at, strict=False):
        whole = LineString(each)
        for kept, low, high in ((near, 0, share), (far, share, 1)):
            if high - low > 1e-6:
                kept.append([*shapely.ops.substring(whole, low, high, normalized=True).coords])
    return near, far


@given(network, shares, walls)
def test_reached_streets_are_in_and_others_out(
    lines: list[Line], at: list[tuple[float, float]], wall: list[Line]
) -> None:
    near, far = split(lines, [max(pair) for pair in at])
    found = draw(reached=near, others=far, barriers=wall, at=((50.0, 50.0),))
    assert found.is_valid
    assert within(found, *near) == pytest.approx(sum(LineString(each).length for each in near), abs=1e-6)
    assert holds(found, 50, 50)
    # Other streets are in only where a reached one, or the facility, is in the same fine cell.
    close = shapely.union_all([*map(LineString, near), Point(50, 50)]).buffer(np.sqrt(2) * FINE_M + 1e-3)
    apart = [shapely.difference(LineString(each), close) for each in far]
    parts = shapely.get_parts(shapely.get_parts([each for each in apart if not each.is_empty]))
    assert within(found, *([*part.coords] for part in parts)) == pytest.approx(0, abs=1e-6)


@given(network, shares, walls)
def test_ground_is_reached_without_crossing_a_barrier(
    lines: list[Line], at: list[tuple[float, float]], wall: list[Line]
) -> None:
    near, far = split(lines, [max(pair) for pair in at])
    found = draw(reached=near, others=far, barriers=wall)
    ours = shapely.union_all([*map(placed, near)])
    thick = shapely.union_all([*map(placed, wall)]).buffer(1e-6)
    parts = shapely.get_parts(shapely.difference(found, thick))
    for part in parts[~shapely.is_empty(parts)]:
        assert part.distance(ours) < np.sqrt(2) * FINE_M


@given(network, shares, walls, st.integers(0, 3), st.sampled_from([0.0, 8.0]))
def test_a_larger_ring_contains_a_smaller(
    lines: list[Line], at: list[tuple[float, float]], wall: list[Line], bridges: int, bank_cell_m: float
) -> None:
    rings = []
    for pick in (min, max):
        shares = [pick(pair) for pair in at]
        near, far = split(lines[bridges:], shares[bridges:])
        above, beyond = split(lines[:bridges], shares)
        rings.append(Streets(drawn(*near), drawn(*far, *beyond), drawn(*above)))
    params = OutlineParams(bank_cell_m=bank_cell_m, fill_m=40)
    small, large = outlines(rings, drawn(*wall), places=places((50, 50)), params=params)
    assert shapely.difference(small, large).area < 1e-6


@given(network, shares, walls, st.randoms(use_true_random=False))
def test_order_and_direction_change_nothing(
    lines: list[Line], at: list[tuple[float, float]], wall: list[Line], chance: object
) -> None:
    near, far = split(lines, [max(pair) for pair in at])
    found = draw(reached=near, others=far, barriers=wall)
    turned = [[each[::-1] for each in reversed(part)] for part in (near, far, wall)]
    assert draw(reached=turned[0], others=turned[1], barriers=turned[2]).equals_exact(found)


@given(network, shares, st.integers(-50, 50), st.integers(-50, 50))
def test_moved_by_whole_cells_it_is_the_same(
    lines: list[Line], at: list[tuple[float, float]], east: int, north: int
) -> None:
    near, far = split(lines, [max(pair) for pair in at])
    moved = [[[(x + 8 * east, y + 8 * north) for x, y in each] for each in part] for part in (near, far)]
    there = draw(reached=moved[0], others=moved[1])
    back = shapely.transform(there, lambda xy: xy - [8 * east, 8 * north])
    assert shapely.symmetric_difference(back, draw(reached=near, others=far)).area < 1e-6


@given(network, line)
def test_length_inside_as_shapely_has_it(lines: list[Line], ring: Line) -> None:
    polygon = placed([*ring, (80, 200)]).buffer(20)
    found = inside_m(polygon, drawn(*lines))
    streets = [placed(each) for each in lines]
    # shapely counts a stretch that a line runs twice only once: ask segment by segment.
    expected = [
        sum(
            shapely.intersection(LineString(pair), polygon).length
            for pair in zip(s.coords[:-1], s.coords[1:], strict=True)
        )
        for s in streets
    ]
    assert found == pytest.approx(expected, abs=1e-5)


def test_length_along_a_border_is_inside() -> None:
    square = shapely.box(*CORNER, *(CORNER + 10))
    assert inside_m(square, drawn([(-5, 10), (15, 10)], [(0, 11), (9, 11)])).tolist() == [10, 0]
    assert inside_m(shapely.Polygon(), drawn([(0, 0), (9, 0)])).tolist() == [0]
    assert inside_m(square, NOTHING).tolist() == []
