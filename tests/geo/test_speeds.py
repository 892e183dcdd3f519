"""How fast each profile moves, street by street."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.parameters import changed
from data import standards
from geo import network, speeds
from geo.city import PlanParams
from geo.profiles import ProfileParams
from geo.speeds import Pace
from geo.tags import Tags
from tests.geo.drawn import positions, ways

LINE = positions("ab")
PARAMS = changed(PlanParams.of(standards.load()), {"drive.limit_factor": 1}, where="test")
WALK, WHEELCHAIR, STROLLER, CAR, ENGINE = (
    PARAMS.walk,
    PARAMS.wheelchair,
    PARAMS.stroller,
    PARAMS.car,
    PARAMS.fire_engine,
)


def pace(
    profile: ProfileParams, tags: dict[str, str], *, climb: float | None = None, rules: PlanParams = PARAMS
) -> Pace:
    net = network.build(ways(LINE, {"ab": tags}))
    rise = None if climb is None else np.array([climb])
    return speeds.pace(net, Tags(net.tags), profile, rules=rules, climb=rise)


def kmh(profile: ProfileParams, **tags: str) -> list[float]:
    found = pace(profile, {"highway": "residential"} | tags)
    return [round(float(v[0]) * 3.6, 3) for v in (found.forward_ms, found.backward_ms)]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({}, [20, 20]),
        ({"highway": "primary"}, [50, 50]),
        ({"highway": "primary_link"}, [35, 35]),
        ({"highway": "pedestrian"}, [10, 10]),
        ({"highway": "busway"}, [20, 20]),
        ({"maxspeed": "30"}, [30, 30]),
        ({"maxspeed": "30 mph"}, [48.28, 48.28]),
        ({"maxspeed": "NL:urban"}, [50, 50]),
        ({"maxspeed": "walk"}, [7, 7]),
        ({"maxspeed": "signals"}, [20, 20]),
        ({"maxspeed": "50", "maxspeed:backward": "30"}, [50, 30]),
        ({"maxspeed:forward": "50"}, [50, 20]),
        ({"maxspeed": "none"}, [120, 120]),
        ({"surface": "cobblestone"}, [16, 16]),
        ({"surface": "sand"}, [10, 10]),
        ({"highway": "track", "tracktype": "grade5"}, [7.5, 7.5]),
        ({"smoothness": "bad", "maxspeed": "50"}, [40, 40]),
    ],
)
def test_cars_drive_by_limit_class_and_ground(tags: dict[str, str], expected: list[float]) -> None:
    assert kmh(CAR, **tags) == expected


def test_a_share_of_the_limit_and_of_what_others_drive() -> None:
    rules = changed(PARAMS, {"drive.limit_factor": 0.8, "fire_engine.speed_factor": 1.5}, where="test")
    found = pace(rules.fire_engine, {"highway": "primary", "maxspeed": "50"}, rules=rules)
    assert found.forward_ms[0] * 3.6 == pytest.approx(60)
    fast = pace(rules.fire_engine, {"highway": "motorway", "maxspeed": "130"}, rules=rules)
    assert fast.forward_ms[0] * 3.6 == pytest.approx(rules.fire_engine.max_kmh)


@pytest.mark.parametrize(
    ("profile", "tags", "closed", "speed"),
    [
        (WALK, {"highway": "footway"}, None, 1.2),
        (WALK, {"highway": "steps"}, None, 0.6),
        (WALK, {"highway": "path", "surface": "sand", "smoothness": "impassable"}, None, 1.2),
        (WHEELCHAIR, {"highway": "footway"}, None, 0.8),
        (WHEELCHAIR, {"highway": "footway", "surface": "sett"}, None, 0.48),
        (WHEELCHAIR, {"highway": "footway", "surface": "grass"}, "surface", 0),
        (WHEELCHAIR, {"highway": "footway", "surface": "grass", "wheelchair": "yes"}, None, 0.8),
        (WHEELCHAIR, {"highway": "footway", "smoothness": "very_bad"}, "surface", 0),
        (WHEELCHAIR, {"highway": "steps"}, "steps", 0),
        (WHEELCHAIR, {"highway": "steps", "ramp:wheelchair": "yes"}, None, 0.8),
        (WHEELCHAIR, {"highway": "steps", "ramp:stroller": "yes"}, "steps", 0),
        (STROLLER, {"highway": "steps"}, None, 0.225),
        (STROLLER, {"highway": "steps", "ramp:stroller": "yes"}, None, 0.9),
        (STROLLER, {"highway": "path", "smoothness": "impassable"}, "surface", 0),
        (CAR, {"highway": "track", "smoothness": "impassable"}, "surface", 0),
    ],
)
def test_ground_and_steps(profile: ProfileParams, tags: dict[str, str], closed: str | None, speed: float) -> None:
    found = pace(profile, tags)
    assert found.closed[0] == closed
    assert closed is not None or found.forward_ms[0] == pytest.approx(speed)


def test_uphill_is_slower_and_downhill_gains_nothing() -> None:
    found = pace(WALK, {"highway": "footway"}, climb=10.0)
    assert found.forward_ms[0] == pytest.approx(1.2 * 0.7047, abs=1e-4)
    assert found.backward_ms[0] == pytest.approx(1.2)


def test_the_incline_tag_speaks_where_no_height_is_known() -> None:
    tags = {"highway": "footway", "incline": "10%"}
    assert pace(WALK, tags).forward_ms[0] == pace(WALK, {"highway": "footway"}, climb=10.0).forward_ms[0]
    assert pace(WALK, tags, climb=np.nan).forward_ms[0] == pace(WALK, tags).forward_ms[0]
    assert pace(WALK, tags, climb=0.0).forward_ms[0] == pytest.approx(1.2)


def test_steps_have_their_own_factor_instead_of_a_slope() -> None:
    assert pace(WALK, {"highway": "steps", "incline": "50%"}).forward_ms[0] == pytest.approx(0.6)


@pytest.mark.parametrize(("climb", "closed"), [(8.3, None), (8.4, "too_steep"), (-8.4, "too_steep"), (np.nan, None)])
def test_too_steep_for_a_wheelchair(climb: float, closed: str | None) -> None:
    assert pace(WHEELCHAIR, {"highway": "footway"}, climb=climb).closed[0] == closed
    assert pace(WHEELCHAIR, {"highway": "footway", "wheelchair": "yes"}, climb=climb).closed[0] is None
    assert pace(WALK, {"highway": "footway"}, climb=climb).closed[0] is None


def test_people_walk_slower_at_night_and_cars_do_not() -> None:
    night = changed(PARAMS, {"time.night": True}, where="test")
    assert pace(WALK, {"highway": "footway"}, rules=night).forward_ms[0] == pytest.approx(0.96)
    assert pace(CAR, {"highway": "primary"}, rules=night).forward_ms[0] * 3.6 == pytest.approx(50)


values = st.sampled_from(["50", "30 mph", "none", "signals", "walk", None])


@given(values, values, values, st.sampled_from(["residential", "motorway", "steps", "unheard_of"]))
def test_every_street_has_a_speed(both: str | None, forward: str | None, backward: str | None, highway: str) -> None:
    keys = ("maxspeed", "maxspeed:forward", "maxspeed:backward")
    tags = {k: v for k, v in zip(keys, (both, forward, backward), strict=True) if v}
    found = pace(ENGINE, {"highway": highway} | tags)
    assert 0 < found.forward_ms[0] <= ENGINE.max_kmh / 3.6 and 0 < found.backward_ms[0] <= ENGINE.max_kmh / 3.6
