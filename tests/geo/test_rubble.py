"""What rubble leaves of streets: drawn, by law, and against walking along the street with a measuring rod."""

from __future__ import annotations

import itertools
from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st
from shapely import affinity

from data import standards
from geo import network, rubble, trunk_roads
from geo.network import Network
from geo.rubble import COLUMNS, NOBODY, Rubble, RubbleParams
from geo.trunk_roads import CorridorParams
from geo.widths import WidthParams, widths
from tests.geo.drawn import CRS, ORIGIN, positions, ways

VALUES = standards.load()
PARAMS, CORRIDOR = RubbleParams.of(VALUES), CorridorParams.of(VALUES)
STREET = positions("ab")
ONE = {"ab": {"width": "6"}}


def buildings(
    shapes: Sequence[shapely.Geometry], heights: Sequence[float], *, uses: Sequence[str] | None = None,
    levels: Sequence[float] | None = None,
) -> gpd.GeoDataFrame:  # fmt: skip
    """Buildings drawn from the origin of the drawings, metres east and north."""
    n = len(shapes)
    moved = [affinity.translate(shape, *ORIGIN) for shape in shapes]
    table = {"building_id": [f"h{i}" for i in range(n)], "name": None, "name_zh": None, "name_en": None}
    table |= {"use": list(uses or ["yes"] * n), "levels": np.array(levels or [np.nan] * n, dtype=float)}
    return gpd.GeoDataFrame(table | {"height_m": np.array(heights, dtype=float)}, geometry=moved, crs=CRS)


def left(net: Network, houses: gpd.GeoDataFrame, **changed: object) -> Rubble:
    params = PARAMS.model_copy(update=changed)
    wide = widths(net, params=WidthParams.of(VALUES))
    main = trunk_roads.by_class(net, params=CORRIDOR)
    return rubble.clear_widths(net, wide, houses, main, params=params, storey_m=3.0, unknown_height_m=6.0)


def one(*houses: tuple[shapely.Geometry, float], **tags: str) -> dict[str, float]:
    """What is left of one street of 100 m to the east, 6 m wide unless tags say otherwise."""
    net = network.build(ways(STREET, {"ab": {"width": "6", **tags}}))
    return dict(left(net, buildings([shape for shape, _ in houses], [high for _, high in houses])).table.iloc[0])


NORTH = shapely.box(20, 5, 40, 15)
SOUTH = shapely.box(30, -16, 50, -6)


def test_two_houses_that_face_each_other_take_from_both_sides() -> None:
    # north: 10 m high, wall 5 m off: 5 m of rubble, 2 m to the kerb: 3 m. South: 9 m high, 6 m off: 4.5 - 3 = 1.5 m.
    found = one((NORTH, 10), (SOUTH, 9))
    assert (found["rubble_left_m"], found["rubble_right_m"]) == pytest.approx((3, 1.5))
    assert found["clear_m"] == pytest.approx(6 - 4.5)
    # they face each other from 30 m on; the one in the north takes more
    assert (found["narrowed_at_m"], found["blocked_by"]) == (pytest.approx(30), 0)


def test_houses_that_do_not_face_each_other_do_not_add_up() -> None:
    apart = affinity.translate(SOUTH, 30, 0)
    found = one((NORTH, 10), (apart, 9))
    assert (found["rubble_left_m"], found["rubble_right_m"], found["clear_m"]) == pytest.approx((3, 0, 3))


def test_beside_a_trunk_road_rubble_is_two_thirds_of_the_height() -> None:
    found = one((NORTH, 9), highway="primary")
    assert found["rubble_left_m"] == pytest.approx(9 * 0.667 - 2)
    assert found["clear_m"] == pytest.approx(6 - 9 * 0.667 + 2)


def test_what_stands_askew_takes_most_where_it_is_nearest() -> None:
    # a wall from 5 m off at 20 m to 9 m off at 40 m
    found = one((shapely.Polygon([(20, 5), (40, 9), (40, 20), (20, 20)]), 10))
    assert (found["narrowed_at_m"], found["rubble_left_m"]) == pytest.approx((20, 3))
    # one taller house in the south, abreast from 30 m: there the north has lost 2 m
    both = one((shapely.Polygon([(20, 5), (40, 9), (40, 20), (20, 20)]), 10), (SOUTH, 12))
    assert (both["narrowed_at_m"], both["rubble_left_m"], both["rubble_right_m"]) == pytest.approx((30, 1, 3))


def test_the_outer_side_of_a_bend_is_looked_at_from_the_bend() -> None:
    # a - b to the east, then south: a house beyond the bend faces neither stretch; its corner is 5 m off
    bent = network.build(ways(positions("ab\n c"), {"abc": {"width": "6"}}))
    found = left(bent, buildings([shapely.box(103, 4, 120, 14)], [10])).table.iloc[0]
    assert found["rubble_left_m"] == pytest.approx(5 - (5 - 3))
    assert found["narrowed_at_m"] == pytest.approx(100)
    # at the end of a street what lies ahead is not beside it
    assert one((shapely.box(103, 4, 120, 14), 10))["blocked_by"] == NOBODY


@pytest.mark.parametrize("tags", [{}, {"tunnel": "building_passage"}, {"covered": "yes"}])
def test_under_a_building_nothing_is_left(tags: dict[str, str]) -> None:
    assert one((shapely.box(20, -10, 30, 10), 3), **tags)["clear_m"] == 0
    assert one((shapely.box(-20, -10, 130, 10), 3), **tags)["clear_m"] == 0


def test_tunnels_are_not_buried_and_bridges_as_told() -> None:
    assert one((NORTH, 30), tunnel="yes")["clear_m"] == 6
    assert one((NORTH, 30), bridge="yes")["clear_m"] == 0
    net = network.build(ways(STREET, {"ab": {"width": "6", "bridge": "yes"}}))
    assert left(net, buildings([NORTH], [30]), on_bridges=False).table["clear_m"][0] == 6


def test_heights_are_recorded_or_storeys_or_assumed_and_light_ones_throw_nothing() -> None:
    net = network.build(ways(STREET, ONE))
    far = [affinity.translate(NORTH, 0, 100 * i) for i in range(4)]
    nan = np.nan
    table = buildings(far, [10, nan, nan, 30], levels=[9, 4, nan, nan], uses=["yes", "yes", "yes", "roof"])
    found = left(net, table)
    assert found.buildings["height_m"].tolist() == [10, 12, 6, 30]
    assert found.buildings["height_assumed"].tolist() == [False, False, True, False]
    assert found.buildings["light"].tolist() == [False, False, False, True]
    assert repr(found) == "Rubble(1 of 1 streets narrowed, 1 heights assumed)"
    assert left(net, table.iloc[3:].set_geometry([table.geometry[0]])).table["clear_m"].tolist() == [6]


def test_without_buildings_nothing_is_known_and_without_streets_there_is_nothing() -> None:
    net = network.build(ways(STREET, ONE))
    found = left(net, buildings([], []))
    assert not found.known
    assert found.table["clear_m"].isna().all()
    assert found.table["blocked_by"].tolist() == [NOBODY]
    empty = left(network.build(ways(STREET, {})), buildings([NORTH], [10]))
    assert list(empty.table.columns) == list(COLUMNS)
    assert len(empty.table) == 0


# -- laws, and a rod along the street ----------------------------------------------------------------------------------

BENT = positions("a  b\n\n  c d", step_m=30.0)
CHAINS = {"abcd": {"width": "6"}}


@st.composite
def houses(draw: st.DrawFn) -> tuple[list[shapely.Geometry], list[float]]:
    """Up to six boxes round the bent street, turned, of 1 to 16 m."""
    n = draw(st.integers(1, 6))
    metres = st.floats(-20, 110, allow_nan=False).map(lambda value: round(value, 1))
    shapes = [
        affinity.rotate(shapely.box(x, y - 90, x + w, y - 90 + d), turn)
        for x, y, w, d, turn in (
            (draw(metres), draw(metres), draw(st.integers(3, 20)), draw(st.integers(3, 20)), draw(st.integers(0, 89)))
            for _ in range(n)
        )
    ]
    return shapes, [float(draw(st.integers(1, 16))) for _ in range(n)]


def by_rod(line: shapely.LineString, shapes: Sequence[shapely.Geometry], heights: Sequence[float]) -> float:
    """The narrowest that one finds of 6 m who looks square to the street every 5 cm, and all round at bends."""
    xy = shapely.get_coordinates(line)
    worst = 0.0
    for i, (start, end) in enumerate(itertools.pairwise(xy)):
        along = (end - start) / np.hypot(*(end - start))
        at = start + np.linspace(0, 1, int(np.hypot(*(end - start)) / 0.05) + 1)[:, None] * (end - start)
        square = np.broadcast_to([-along[1], along[0]], at.shape)
        worst = max(worst, (lost(at, square, shapes, heights) + lost(at, -square, shapes, heights)).max())
        if i + 2 < len(xy):
            on = (xy[i + 2] - end) / np.hypot(*(xy[i + 2] - end))
            worst = max(worst, at_bend(end, along, on, shapes, heights))
    return max(6.0 - worst, 0.0)


def at_bend(
    at: np.ndarray, along: np.ndarray, on: np.ndarray, shapes: Sequence[shapely.Geometry], heights: Sequence[float]
) -> float:
    """On its outer side anywhere between the two perpendiculars, on its inner side along them."""
    outer = -np.sign(along[0] * on[1] - along[1] * on[0])
    squares = outer * np.array([[-way[1], way[0]] for way in (along, on)])
    fan = squares[0] + np.linspace(0, 1, 400)[:, None] * (squares[1] - squares[0])
    fan /= np.hypot(*fan.T)[:, None]
    outside = lost(np.broadcast_to(at, fan.shape), fan, shapes, heights).max()
    return float(outside + lost(np.broadcast_to(at, (2, 2)), -squares, shapes, heights).max())


def lost(at: np.ndarray, out: np.ndarray, shapes: Sequence[shapely.Geometry], heights: Sequence[float]) -> np.ndarray:
    """What the carriageway loses on the side to which one looks from each place."""
    rays = shapely.linestrings(np.stack([at, at + out * 60], axis=1))[:, None]
    seen_m = shapely.distance(shapely.points(at)[:, None], shapely.intersection(rays, np.array(shapes)[None]))
    return np.nanmax(np.nan_to_num(np.array(heights) / 2 - (seen_m - 3), nan=0.0), axis=1, initial=0.0)


@settings(max_examples=12, deadline=None)
@given(houses())
def test_the_rod_finds_the_same(drawn: tuple[list[shapely.Geometry], list[float]]) -> None:
    net = network.build(ways(BENT, CHAINS))
    table = buildings(*drawn)
    found = left(net, table).table["clear_m"][0]
    walked = by_rod(net.lines[0], list(table.geometry), drawn[1])
    # between two looks 5 cm apart a wall at 45 degrees comes 5 cm nearer on each side
    assert walked - 0.2 <= found <= walked + 1e-6


@settings(max_examples=15, deadline=None)
@given(houses(), st.randoms(use_true_random=False))
def test_laws(drawn: tuple[list[shapely.Geometry], list[float]], chance) -> None:  # type: ignore[no-untyped-def]
    net = network.build(ways(BENT, CHAINS | {"ad": {"highway": "primary"}}))
    shapes, heights = drawn
    now = left(net, buildings(shapes, heights)).table
    assert (now["clear_m"] <= now["width_m"]).all()
    assert (now["clear_m"] >= 0).all()
    total = now["width_m"] - now["rubble_left_m"] - now["rubble_right_m"]
    assert np.maximum(total, 0).to_numpy() == pytest.approx(now["clear_m"].to_numpy())
    assert ((now["blocked_by"] == NOBODY) == now["narrowed_at_m"].isna()).all()
    row = chance.randrange(len(shapes))
    taller = [high + 5 * (i == row) for i, high in enumerate(heights)]
    assert (left(net, buildings(shapes, taller)).table["clear_m"] <= now["clear_m"]).all()
    fewer = buildings(shapes, heights).drop(index=row).reset_index(drop=True)
    assert (left(net, fewer).table["clear_m"].fillna(now["width_m"]) >= now["clear_m"]).all()
    order = chance.sample(range(len(shapes)), len(shapes))
    again = left(net, buildings([shapes[i] for i in order], [heights[i] for i in order])).table
    assert [-1 if by == NOBODY else order[by] for by in again["blocked_by"]] == now["blocked_by"].tolist()
    same = again.drop(columns="blocked_by")
    assert same.equals(now.drop(columns="blocked_by"))
