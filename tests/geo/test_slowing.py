"""What hazards do to each profile on each street, on streets solved by eye."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.parameters import changed
from data import standards
from geo import curves, network, slowing, usable
from geo.city import PlanParams
from geo.errors import InputError
from geo.hazards import Grid, Hazard
from geo.network import Network
from geo.profiles import ProfileParams
from geo.usable import Passage
from tests.geo.drawn import CRS, ORIGIN, positions, ways

PARAMS = PlanParams.of(standards.load())
WALK, CAR, ENGINE = PARAMS.walk, PARAMS.car, PARAMS.fire_engine
CELL = 50.0

# one street of 200 m over four cells; the raster begins 25 m above it
#
#   a b      ab = |cell 0|cell 1|cell 2|cell 3|
STREET = {"a": ORIGIN, "b": (ORIGIN[0] + 200, ORIGIN[1])}


def street(**tags: str) -> Network:
    return network.build(ways(STREET, {"ab": {"highway": "primary"} | tags}))


def over(kind: str, *values: float, cell: float = CELL, name: str = "drawn") -> Hazard:
    unit = slowing.UNITS.get(kind, "level")
    grid = Grid(np.array([values], dtype=np.float64), (cell, 0, ORIGIN[0], 0, -CELL, ORIGIN[1] + 25), CRS)
    return Hazard(name, kind, unit, grid)


def passed(profile: ProfileParams, *faced: Hazard, rules: PlanParams = PARAMS, **tags: str) -> Passage:
    return usable.passage(street(**tags), profile, rules=rules, faced=faced)


def cap_ms(depth: float, close: float = 0.3) -> float:
    return float(curves.water_speed_kmh(np.array([depth]), close_m=close, params=PARAMS.flood)[0]) / 3.6


FREE = 50 / 3.6


def test_each_piece_takes_its_own_time() -> None:
    found = passed(CAR, over("flood", 0, 0.1, 0.2, 0))
    expected = 100 / FREE + 50 / cap_ms(0.1) + 50 / cap_ms(0.2)
    assert found.forward_s[0] == found.backward_s[0] == pytest.approx(expected)


def test_shallow_water_does_not_slow_who_drives_slower_anyway() -> None:
    assert passed(CAR, over("flood", 0.01, 0.01, 0, 0)).forward_s[0] == pytest.approx(200 / FREE)


def test_one_deep_piece_closes_the_whole_street() -> None:
    found = passed(CAR, over("flood", 0, 0, 0, 0.3))
    assert found.closed[0] == "flooded" and np.isnan(found.forward_s[0]) and np.isnan(found.backward_s[0])


@pytest.mark.parametrize(
    ("depth", "walk", "car", "engine"),
    [
        (0.29, None, None, None),
        (0.3, None, "flooded", None),
        (0.5, None, "flooded", "flooded"),
        (0.51, "flooded", "flooded", "flooded"),
    ],
)
def test_each_profile_has_its_own_depth(depth: float, walk: str | None, car: str | None, engine: str | None) -> None:
    found = [passed(p, over("flood", 0, depth, 0, 0)).closed[0] for p in (WALK, CAR, ENGINE)]
    assert found == [walk, car, engine]


def test_walkers_keep_their_pace_in_shallow_water() -> None:
    assert passed(WALK, over("flood", 0.4, 0.4, 0.4, 0.4)).forward_s[0] == passed(WALK).forward_s[0]


def test_the_unknown_neither_closes_nor_slows_but_is_told() -> None:
    found = passed(CAR, over("flood", np.nan, 0, np.nan, np.nan))
    assert found.closed[0] is None and found.forward_s[0] == passed(CAR).forward_s[0]
    assert found.share_unknown[0] == pytest.approx(0.75)
    assert passed(CAR).share_unknown[0] == 0


def test_fast_water_closes_what_still_water_of_its_depth_does_not() -> None:
    still, fast = over("flood", 0, 0.2, 0, 0), over("flood_velocity", 0, 2.5, 0, 0)
    assert passed(WALK, still).closed[0] is None
    assert passed(WALK, still, fast).closed[0] == "flooded"
    assert passed(WALK, over("flood", 0.2, 0, 0, 0), fast).closed[0] is None, "the fast cell is dry"


def test_rasters_that_do_not_fit_meet_cell_by_cell() -> None:
    """Water on 0-50 m, flow on 40-80 m: only where both are does it close."""
    water = over("flood", 0.2, 0, 0, 0)
    assert passed(CAR, water, over("flood_velocity", 0, 2.5, 0, 0, 0, cell=40)).closed[0] == "flooded"
    assert passed(CAR, water, over("flood_velocity", 0, 0, 2.5, 0, 0, cell=40)).closed[0] is None


def test_depth_times_velocity_closes_by_class() -> None:
    faced = [over("flood", 0, 0.25, 0, 0), over("flood_velocity", 0, 1.9, 0, 0)]  # 0.475 m²/s: H2
    assert [passed(p, *faced).closed[0] for p in (WALK, CAR, ENGINE)] == [None, "flooded", None]


def test_levels_slow_and_close() -> None:
    rules = changed(PARAMS, {"fire_hazard.walk_factors": "0.9,0.5,0,0,0"}, where="test")
    found = passed(WALK, over("fire", 0, 1, 2, 0), rules=rules)
    assert found.forward_s[0] == pytest.approx((100 + 50 / 0.9 + 50 / 0.5) / WALK.speed_ms)
    assert passed(WALK, over("fire", 0, 3, 0, 0), rules=rules).closed[0] == "fire"


def test_sand_caps_the_speed_of_those_who_drive() -> None:
    found = passed(CAR, over("sand", 0, 3, 4, 5))
    assert found.forward_s[0] == pytest.approx(100 / FREE + 50 / (40 / 3.6) + 50 / (20 / 3.6))


def test_several_hazards_the_slowest_of_each_piece() -> None:
    water, fire = over("flood", 0, 0.2, 0.2, 0), over("fire", 0, 0, 2, 2)
    found = passed(CAR, water, fire)
    assert found.forward_s[0] == pytest.approx(50 / FREE + 100 / cap_ms(0.2) + 50 / (0.8 * FREE))


def test_the_first_reason_is_named() -> None:
    faced = [over("landslide", 0, 5, 0, 0), over("flood", 0, 0, 0, 1), over("fire", 5, 0, 0, 0)]
    assert passed(WALK, *faced).closed[0] == passed(WALK, *reversed(faced)).closed[0] == "flooded"
    assert passed(WALK, faced[0], faced[2]).closed[0] == "fire"
    assert passed(WALK, faced[0], highway="motorway").closed[0] == "motor_road", "it was closed before"


def test_two_floods_count_as_the_worse() -> None:
    one, other = over("flood", 0.1, np.nan, 0.2, 0), over("flood", 0, 0.2, 0.1, 0, name="other")
    both = passed(CAR, over("flood", 0.1, 0.2, 0.2, 0))
    assert passed(CAR, one, other).forward_s[0] == pytest.approx(both.forward_s[0])
    assert passed(CAR, one, other).share_unknown[0] == 0


WATER, SLIDES, RUBBLE = {"flood", "tsunami", "storm_surge"}, {"landslide", "debris_flow"}, {"debris", "collapse"}
FIRES = {"fire", "wildfire"}
WORST = {"wind": 60.0, "collapse": 1.0}


@pytest.mark.parametrize(
    ("tags", "out_of_reach_of"),
    [
        ({"bridge": "yes"}, WATER | SLIDES | RUBBLE),
        ({"bridge": "viaduct"}, WATER | SLIDES | RUBBLE),
        ({"bridge": "no"}, set()),
        ({"tunnel": "yes"}, FIRES | SLIDES | RUBBLE | {"sand", "wind"}),
        ({"tunnel": "building_passage"}, set()),
        ({"layer": "1"}, set()),
    ],
)
def test_bridges_and_tunnels(tags: dict[str, str], out_of_reach_of: set[str]) -> None:
    for kind in slowing.REASONS:
        found = passed(WALK, over(kind, *[WORST.get(kind, 5.0)] * 4), **tags)
        assert (found.closed[0] is None) == (kind in out_of_reach_of), kind


def test_a_hazard_may_reach_bridges_when_said_so() -> None:
    rules = changed(PARAMS, {"flood.bridge_exempt": False}, where="test")
    assert passed(WALK, over("flood", 5, 5, 5, 5), rules=rules, bridge="yes").closed[0] == "flooded"


@pytest.mark.parametrize(
    ("kind", "like", "values", "as_if", "reason"),
    [
        ("tsunami", "flood", (0, 0.2, 0.1, 0), (0, 0.2, 0.1, 0), None),
        ("storm_surge", "flood", (0, 0.3, 0, 0), (0, 0.3, 0, 0), "flooded"),
        ("wildfire", "fire", (0, 2, 1, 0), (0, 2, 1, 0), None),
        ("debris_flow", "landslide", (0, 3, 4, 0), (0, 3, 4, 0), "landslide"),
        ("collapse", "debris", (0.005, 0.01, 0.05, 0), (0, 1, 2, 0), None),
        ("collapse", "debris", (0, 0.3, 0, 0), (0, 4, 0, 0), "debris"),
    ],
)
def test_kinds_that_do_what_another_does(
    kind: str, like: str, values: tuple[float, ...], as_if: tuple[float, ...], reason: str | None
) -> None:
    found, same = passed(CAR, over(kind, *values)), passed(CAR, over(like, *as_if))
    assert found.closed[0] == same.closed[0] == reason
    assert found.forward_s[0] == pytest.approx(same.forward_s[0], nan_ok=True)
    assert reason or found.forward_s[0] > passed(CAR).forward_s[0]


@pytest.mark.parametrize(
    ("wind", "walk", "car", "engine"),
    [
        (14.9, None, None, None),
        (20.0, "wind", None, None),
        (25.0, "wind", None, "wind"),
        (29.0, "wind", "wind", "wind"),
    ],
)
def test_wind_stops_walkers_before_high_vehicles_before_cars(
    wind: float, walk: str | None, car: str | None, engine: str | None
) -> None:
    assert [passed(p, over("wind", 0, wind, 0, 0)).closed[0] for p in (WALK, CAR, ENGINE)] == [walk, car, engine]


def test_wind_slows_before_it_stops() -> None:
    strong = over("wind", 0, 15, 15, 0)
    assert passed(WALK, strong).forward_s[0] == pytest.approx((100 + 100 / 0.5) / WALK.speed_ms)
    assert passed(CAR, strong).forward_s[0] == passed(CAR).forward_s[0]
    assert passed(CAR, over("wind", 0, 20, 20, 0)).forward_s[0] == pytest.approx(100 / FREE + 100 / (30 / 3.6))


def test_kinds_without_an_effect_are_not_asked() -> None:
    """Neither their values nor what they do not know: the street stays as on an ordinary day."""
    for kind in slowing.UNITS.keys() - slowing.MOVE:
        found = passed(CAR, over(kind, np.nan, 5, 5, 5))
        assert found.closed[0] is None and found.share_unknown[0] == 0, kind
        assert found.forward_s[0] == passed(CAR).forward_s[0], kind
    beside = passed(CAR, over("flood", 0, 0.1, 0, 0), over("flood_arrival", 0, 0, 0, 0))
    assert beside.forward_s[0] == passed(CAR, over("flood", 0, 0.1, 0, 0)).forward_s[0]


@pytest.mark.parametrize(
    ("hazard", "said"),
    [
        (Hazard("h", "comet", "level", over("fire", 1).grid), "a kind that says what it does"),
        (Hazard("h", "flood", "ft", over("flood", 1).grid), "values in m"),
        (Hazard("h", "fire", "m", over("fire", 1).grid), "values in level"),
    ],
)
def test_a_hazard_without_a_rule_is_refused(hazard: Hazard, said: str) -> None:
    with pytest.raises(InputError, match=said):
        passed(WALK, hazard)


def test_it_says_what_it_is() -> None:
    found = slowing.slowing(street(), CAR, [over("flood", 0.1, 0, 0, 0)], rules=PARAMS)
    assert repr(found) == "Slowing(0 of 1 edges closed, 1 pieces slower)"


# Laws and an oracle: a small town under random hazards.

TOWN = positions("abcd\nefgh\nijkl", step_m=60)
CHAINS: dict[str, dict[str, str]] = {
    **{"abcd": {}, "efgh": {"highway": "steps"}, "ijkl": {"bridge": "yes"}, "aei": {"oneway": "yes"}},
    **{"bfj": {}, "cgk": {"tunnel": "yes"}, "dhl": {"maxspeed": "30"}},
}
NET = network.build(ways(TOWN, CHAINS))
KINDS = tuple(slowing.UNITS)


@st.composite
def hazards_(draw: st.DrawFn, worst: float = 6.0) -> Hazard:
    rng = np.random.default_rng(draw(st.integers(0, 2**16)))
    kind = draw(st.sampled_from(KINDS))
    most = {**dict.fromkeys(WATER, 0.6), "wind": 28.0, "collapse": 0.4}.get(kind, worst)
    values = rng.uniform(0, most, (6, 8)) * (rng.random((6, 8)) < 0.4)
    values[rng.random((6, 8)) < 0.1] = np.nan
    grid = Grid(values, (31.0, 0, ORIGIN[0] - 20, 0, -29.0, ORIGIN[1] + 20), CRS)
    return Hazard("h", kind, slowing.UNITS[kind], grid)


def slowest(*passages: Passage) -> np.ndarray:
    return np.nan_to_num(np.column_stack([np.r_[p.forward_s, p.backward_s] for p in passages]), nan=np.inf)


profiles = st.sampled_from([WALK, PARAMS.wheelchair, CAR, ENGINE])


@settings(max_examples=60, deadline=None)
@given(profiles, hazards_(), hazards_())
def test_another_hazard_never_shortens_a_street(profile: ProfileParams, first: Hazard, second: Hazard) -> None:
    passages = [usable.passage(NET, profile, rules=PARAMS, faced=faced) for faced in ((), [first], [first, second])]
    none, one, both = slowest(*passages).T
    assert (none <= one).all() and (one <= both * (1 + 1e-12) + 1e-9).all()


@settings(max_examples=60, deadline=None)
@given(profiles, hazards_(), hazards_())
def test_the_order_of_hazards_changes_nothing(profile: ProfileParams, first: Hazard, second: Hazard) -> None:
    a, b = (usable.passage(NET, profile, rules=PARAMS, faced=f) for f in ([first, second], [second, first]))
    assert a.closed.tolist() == b.closed.tolist()
    np.testing.assert_allclose(slowest(a), slowest(b), rtol=1e-9)


@settings(max_examples=40, deadline=None)
@given(hazards_(), st.sampled_from([WALK, CAR]))
def test_against_walking_in_small_steps(hazard: Hazard, profile: ProfileParams) -> None:
    """The time of a street, summed over steps of 2 cm, each at the speed of the cell it lies in."""
    if hazard.kind not in slowing.REASONS:
        return
    found = usable.passage(NET, profile, rules=PARAMS, faced=[hazard])
    free = usable.passage(NET, profile, rules=PARAMS)
    away = slowing.exempt(NET, slowing.rule_of(hazard.kind, PARAMS))
    for edge in np.flatnonzero(found.usable & ~away):
        at = (np.arange(int(NET.length_m[edge] / 0.02)) + 0.5) / int(NET.length_m[edge] / 0.02)
        x = NET.x[NET.u[edge]] + at * (NET.x[NET.v[edge]] - NET.x[NET.u[edge]])
        y = NET.y[NET.u[edge]] + at * (NET.y[NET.v[edge]] - NET.y[NET.u[edge]])
        col, row = hazard.grid.cells(x, y, crs=CRS)
        value = hazard.grid.values[row.astype(int), col.astype(int)]
        speed = NET.length_m[edge] / free.forward_s[edge]
        slow = np.array([speed_in(hazard.kind, v, speed, profile) for v in value])
        assert found.forward_s[edge] == pytest.approx((NET.length_m[edge] / len(at) / slow).sum(), rel=5e-3)


def speed_in(kind: str, value: float, speed: float, profile: ProfileParams) -> float:
    """The rule said over again, one value at a time."""
    if np.isnan(value) or value <= 0:
        return speed
    if kind in WATER:
        return speed if profile.family == "walk" else min(speed, cap_ms(value))
    if kind == "wind" and profile.family == "walk":
        return speed / 2 if value >= 15 else speed
    if kind == "wind":
        return min(speed, 30 / 3.6) if value >= 20 else speed
    rule = slowing.rule_of(kind, PARAMS)
    begins = [float(word) for word in PARAMS.levels.collapse]
    level = sum(value >= begin for begin in begins) - 1 if kind == "collapse" else min(int(np.ceil(value)), 5) - 1
    if level < 0:
        return speed
    slower = speed * float(getattr(rule, f"{profile.family}_factors")[level])
    caps = PARAMS.sand.drive_kmh if kind == "sand" and profile.family == "drive" else None
    return min(slower, float(caps[level]) / 3.6) if caps else slower


# -- bounds as they are written, whatever the raster makes of them -------------------------------------------------


def single(kind: str, value: float) -> Hazard:
    """The whole street under one value, kept as rasters keep it: in 32 bits, 0.3 as 0.300000012."""
    unit = slowing.UNITS[kind]
    grid = Grid(np.full((1, 1), value, dtype=np.float32), (400, 0, ORIGIN[0] - 100, 0, -400, ORIGIN[1] + 200), CRS)
    return Hazard(kind, kind, unit, grid)


@pytest.mark.parametrize("depth", [0.1, 0.3, 0.5, 0.7, 1.2])
def test_a_depth_exactly_at_the_limit(depth: float) -> None:
    walker = PARAMS.walk.model_copy(update={"close_depth_m": depth})
    engine = PARAMS.fire_engine.model_copy(update={"close_depth_m": depth})
    assert passed(walker, single("flood", depth)).closed[0] is None, "walkers stop above it"
    assert passed(engine, single("flood", depth)).closed[0] == "flooded", "vehicles stop from it on"


@pytest.mark.parametrize(("depth", "velocity", "closed"), [(0.3, 1.0, False), (0.2, 1.5, False), (0.31, 1.0, True)])
def test_a_class_exactly_at_its_bound(depth: float, velocity: float, closed: bool) -> None:
    # H1 holds up to a product of 0.3 m²/s
    careful = PARAMS.walk.model_copy(update={"close_class": 1})
    found = passed(careful, single("flood", depth), single("flood_velocity", velocity))
    assert (found.closed[0] is not None) == closed


def test_a_film_of_moving_water_closes_nothing() -> None:
    fast = single("flood_velocity", 2.5)
    assert passed(PARAMS.walk, single("flood", 0.05), fast).closed[0] is None
    assert passed(PARAMS.walk, single("flood", 0.06), fast).closed[0] == "flooded"
