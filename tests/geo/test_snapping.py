"""Places meet the nearest usable street, at a point along it."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import network, snapping
from geo.network import Network
from tests.geo.drawn import ORIGIN, positions, ways

# two parallel streets 200 m apart, joined in the east
#
#   a     b
#
#   c     d
TOWN = positions("a  b\n.\nc  d", step_m=100)


@pytest.fixture(name="town")
def _town() -> Network:
    return network.build(ways(TOWN, {"ab": {}, "cd": {}, "bd": {}}))


def at(*places: tuple[float, float]) -> np.ndarray:
    return shapely.points(np.array([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in places]).reshape(-1, 2))


def every(net: Network) -> np.ndarray:
    return np.ones(len(net.u), dtype=bool)


def test_a_house_meets_its_street_in_mid_block(town: Network) -> None:
    snaps = snapping.snap(town, at((120, -30)), usable=every(town), max_m=50)
    assert (snaps.edge[0], snaps.along_m[0], snaps.off_m[0]) == (0, 120, 30)


def test_a_closed_street_is_passed_over_for_the_next(town: Network) -> None:
    snaps = snapping.snap(town, at((120, -30)), usable=np.array([False, True, True]), max_m=500)
    assert (snaps.edge[0], snaps.off_m[0]) == (1, 170)


def test_the_limit_is_included_and_beyond_it_nothing(town: Network) -> None:
    snaps = snapping.snap(town, at((100, 50), (100, 50.001)), usable=every(town), max_m=50)
    assert snaps.found.tolist() == [True, False]
    assert np.isnan(snaps.off_m[1]) and np.isnan(snaps.along_m[1])


def test_equally_near_streets_are_decided_by_order(town: Network) -> None:
    assert snapping.snap(town, at((100, -100)), usable=every(town), max_m=500).edge[0] == 0


def test_a_site_is_entered_where_streets_run_into_it(town: Network) -> None:
    park = shapely.box(ORIGIN[0] + 100, ORIGIN[1] - 50, ORIGIN[0] + 200, ORIGIN[1] + 50)
    doors = snapping.entrances(town, np.array([park]), usable=every(town), max_m=100, spread_m=30)
    assert doors.edge.tolist() == [0, 0]
    assert doors.along_m.tolist() == [100, 200]
    assert doors.off_m.tolist() == [0, 0]


def test_a_site_beside_the_street_is_entered_from_it(town: Network) -> None:
    hall = shapely.box(ORIGIN[0] + 100, ORIGIN[1] + 20, ORIGIN[0] + 120, ORIGIN[1] + 40)
    doors = snapping.entrances(town, np.array([hall]), usable=every(town), max_m=100, spread_m=30)
    assert doors.edge.tolist() == [0]
    assert doors.off_m.tolist() == [20]


def test_a_site_does_not_hang_on_a_single_door(town: Network) -> None:
    hall = shapely.box(ORIGIN[0] + 280, ORIGIN[1] - 60, ORIGIN[0] + 290, ORIGIN[1] - 25)
    doors = snapping.entrances(town, np.array([hall]), usable=every(town), max_m=100, spread_m=30)
    assert dict(zip(doors.edge.tolist(), doors.off_m.tolist(), strict=True)) == {0: 25, 2: 10}
    shut = snapping.entrances(town, np.array([hall]), usable=every(town), max_m=100, spread_m=0)
    assert shut.edge.tolist() == [2]


def test_no_street_no_entrance(town: Network) -> None:
    doors = snapping.entrances(town, at((9000, 0)), usable=every(town), max_m=100, spread_m=30)
    assert doors.found.tolist() == [False]


def test_no_places_and_no_streets_are_answered(town: Network) -> None:
    assert len(snapping.snap(town, at(), usable=every(town), max_m=100)) == 0
    assert not snapping.snap(town, at((0, 0)), usable=~every(town), max_m=100).found.any()


@settings(max_examples=50)
@given(st.lists(st.tuples(st.floats(-200, 500), st.floats(-400, 200)), min_size=1, max_size=12))
def test_the_snap_is_the_nearest_of_all_streets(places: list[tuple[float, float]]) -> None:
    town = network.build(ways(TOWN, {"ab": {}, "cd": {}, "bd": {}}))
    points = at(*places)
    snaps = snapping.snap(town, points, usable=every(town), max_m=10_000)
    brute = shapely.distance(points[:, None], town.lines[None, :]).min(axis=1)
    assert snaps.off_m == pytest.approx(brute)
    feet = shapely.line_interpolate_point(town.lines[snaps.edge], snaps.along_m)
    assert shapely.distance(feet, points) == pytest.approx(brute, abs=1e-6)
