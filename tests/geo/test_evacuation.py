"""Who reaches a shelter before and under a flood, on cities solved by eye."""

from __future__ import annotations

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import evacuation, network, snapping, usable
from geo.city import PlanParams
from geo.evacuation import WalkParams, Walks
from geo.hazards import Grid, Hazard
from geo.network import Network
from geo.snapping import Snaps
from tests.geo.drawn import CRS, ORIGIN, positions, ways

# home a, shelter d; the short way b-c floods, the long way round by e-f stays dry; z is an island
#
#   abcd   z y
#    ef
TOWN = positions("abcd   zy\n.\n ef", step_m=60)
CHAINS: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {}, "be": {}, "ef": {}, "fc": {}, "zy": {}}
RULES = PlanParams.of(standards.load())
PARAMS = RULES.walk.model_copy(update={"speed_ms": 1.0, "snap_max_m": 50.0, "island_m": 0.0})
MIDDLES = {"ab": (30, 0), "bc": (90, 0), "cd": (150, 0), "be": (60, -60), "ef": (90, -120), "fc": (120, -60)}


def town(chains: dict[str, dict[str, str]] = CHAINS) -> Network:
    return network.build(ways(TOWN, chains))


def points(*xy: tuple[float, float]) -> np.ndarray:
    return shapely.points(np.array([(ORIGIN[0] + x, ORIGIN[1] + y) for x, y in xy]).reshape(-1, 2))


def water(depth: np.ndarray) -> Hazard:
    """Water on the middle of each street but the last: cells of 2 m over the town."""
    values = np.zeros((90, 300))
    for (x, y), d in zip(MIDDLES.values(), depth, strict=False):
        values[int((10 - y) // 2), int((x + 10) // 2)] = d
    return Hazard("drawn", "flood", "m", Grid(values, (2, 0, ORIGIN[0] - 10, 0, -2, ORIGIN[1] + 10), CRS))


def walks(
    net: Network, homes: np.ndarray, sites: np.ndarray, *, depth: np.ndarray | None = None, params: WalkParams = PARAMS
) -> Walks:
    faced = [] if depth is None else [water(depth)]
    usual = usable.streets(net, params, rules=RULES, island_m=params.island_m)
    now = usable.streets(net, params, rules=RULES, island_m=params.island_m, faced=faced, normal=usual)
    places = snapping.snap(net, homes, usable=usual.usable, max_m=params.snap_max_m)
    doors = snapping.entrances(net, sites, usable=usual.usable, max_m=params.snap_max_m, spread_m=0)
    doors = Snaps(doors.place, np.where(now.usable[doors.edge], doors.edge, -1), doors.along_m, doors.off_m)
    return evacuation.walk_to_nearest(now, places, doors, speed_ms=params.speed_ms)


HOMES = points((0, 10), (430, 0), (150, 500))
SHELTER = points((180, -20))


def test_the_walk_counts_from_door_to_site() -> None:
    found = walks(town(), HOMES, SHELTER)
    assert found.walk_s.tolist() == pytest.approx([10 + 180 + 20, np.nan, np.nan], nan_ok=True)
    assert found.shelter.tolist() == [0, -1, -1]


def test_deep_water_sends_people_round() -> None:
    depth = np.where(np.arange(7) == 1, 0.6, 0.0)
    assert walks(town(), HOMES, SHELTER, depth=depth).walk_s[0] == 10 + 60 + 120 + 60 + 120 + 60 + 20


def test_water_just_at_the_limit_does_not_close() -> None:
    depth = np.where(np.arange(7) == 1, 0.5, 0.0)
    assert walks(town(), HOMES, SHELTER, depth=depth).walk_s[0] == 210


def test_unknown_depth_does_not_close() -> None:
    assert walks(town(), HOMES, SHELTER, depth=np.full(7, np.nan)).walk_s[0] == 210


def test_steps_are_slower() -> None:
    net = town(CHAINS | {"bc": {"highway": "steps"}})
    assert walks(net, HOMES, SHELTER).walk_s[0] == 210 + 60


@settings(max_examples=60, deadline=None)
@given(
    st.lists(st.tuples(st.floats(-30, 480), st.floats(-150, 30)), min_size=1, max_size=10),
    st.lists(st.floats(0, 2), min_size=7, max_size=7),
    st.lists(st.floats(0, 2), min_size=7, max_size=7),
)
def test_more_water_never_shortens_a_walk(
    homes: list[tuple[float, float]], depth: list[float], more: list[float]
) -> None:
    net = town()
    first = walks(net, points(*homes), SHELTER, depth=np.array(depth))
    second = walks(net, points(*homes), SHELTER, depth=np.array(depth) + np.array(more))
    before, after = np.nan_to_num(first.walk_s, nan=np.inf), np.nan_to_num(second.walk_s, nan=np.inf)
    assert (after >= before - 1e-6).all()
