"""Who may go where, tag by tag."""

from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import standards
from geo import access, network
from geo.access import ALLOWS
from geo.city import PlanParams
from geo.conditions import moment
from geo.network import RESTRICTIONS, Network
from geo.profiles import ProfileParams
from geo.tags import Tags
from tests.geo.drawn import positions, ways

LINE = positions("abcd")
PARAMS = PlanParams.of(standards.load())
WALK, WHEELCHAIR, STROLLER = PARAMS.walk, PARAMS.wheelchair, PARAMS.stroller
CAR, ENGINE, AMBULANCE = PARAMS.car, PARAMS.fire_engine, PARAMS.ambulance
ONE = {"highway": "residential"}
FOOT = {"highway": "footway"}


def street(**tags: str) -> Network:
    return network.build(ways(LINE, {"abcd": tags}))


def reason(profile: ProfileParams, tags: dict[str, str]) -> str | None:
    found: str | None = access.closed(Tags(street(**tags).tags), profile)[0]
    return found


def both_ways(profile: ProfileParams, tags: dict[str, str]) -> list[bool]:
    return [bool(mask[0]) for mask in access.directions(Tags(street(**tags).tags), profile)]


def stops(profile: ProfileParams, tags: dict[str, str]) -> bool:
    net = network.build(ways(LINE, {"abcd": {}}, barriers={"b": tags}))
    barred = np.flatnonzero(access.barred(net, profile)).tolist()
    assert barred in ([], [int(net.barrier_node[0])])
    return bool(barred)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"highway": "residential"}, None),
        ({"highway": "cycleway"}, None),
        ({"highway": "motorway"}, "motor_road"),
        ({"highway": "trunk"}, None),
        ({"highway": "trunk", "motorroad": "yes"}, "motor_road"),
        ({"highway": "motorway", "foot": "yes"}, None),
        ({"highway": "service", "access": "private"}, None),
        ({"highway": "service", "access": "no"}, "no_access"),
        ({"highway": "service", "access": "no", "foot": "designated"}, None),
        ({"highway": "service", "access": "no", "foot": "unknown"}, "no_access"),
        ({"highway": "service", "access": "military"}, "no_access"),
        ({"highway": "secondary", "foot": "use_sidepath"}, "no_access"),
        ({"highway": "footway", "foot": "no"}, "no_access"),
        ({"highway": "construction", "foot": "yes"}, "not_a_street"),
    ],
)
def test_tags_close_a_street_to_walkers(tags: dict[str, str], expected: str | None) -> None:
    assert reason(WALK, tags) == expected


@pytest.mark.parametrize(
    ("profile", "tags", "expected"),
    [
        (WHEELCHAIR, FOOT, None),
        (WHEELCHAIR, FOOT | {"wheelchair": "no"}, "no_wheelchair"),
        (STROLLER, FOOT | {"wheelchair": "no"}, None),
        (WHEELCHAIR, FOOT | {"kerb": "raised"}, "kerb"),
        (WHEELCHAIR, FOOT | {"kerb": "lowered"}, None),
        (WALK, FOOT | {"kerb": "raised"}, None),
        (WHEELCHAIR, {"highway": "motorway"}, "motor_road"),
    ],
)
def test_what_closes_a_street_to_wheels(profile: ProfileParams, tags: dict[str, str], expected: str | None) -> None:
    assert reason(profile, tags) == expected


@pytest.mark.parametrize(
    ("tags", "car", "engine"),
    [
        (ONE, None, None),
        ({"highway": "motorway"}, None, None),
        (FOOT, "not_for_vehicles", "not_for_vehicles"),
        (FOOT | {"motor_vehicle": "yes"}, None, None),
        (FOOT | {"access": "yes"}, "not_for_vehicles", "not_for_vehicles"),
        (FOOT | {"emergency": "designated", "access": "no"}, "not_for_vehicles", None),
        ({"highway": "steps", "motor_vehicle": "yes"}, "not_for_vehicles", "not_for_vehicles"),
        ({"highway": "pedestrian"}, "not_for_vehicles", None),
        ({"highway": "pedestrian", "motor_vehicle": "no"}, "not_for_vehicles", None),
        ({"highway": "busway"}, "not_for_vehicles", None),
        (ONE | {"access": "private"}, None, None),
        (ONE | {"access": "no"}, "no_access", None),
        (ONE | {"access": "no", "vehicle": "yes"}, None, None),
        (ONE | {"vehicle": "no", "motor_vehicle": "destination"}, None, None),
        (ONE | {"motor_vehicle": "no", "vehicle": "yes"}, "no_access", None),
        (ONE | {"motorcar": "no", "motor_vehicle": "yes"}, "no_access", None),
        (ONE | {"motor_vehicle": "agricultural"}, "no_access", None),
        (ONE | {"emergency": "no"}, None, "no_access"),
        (ONE | {"access": "military"}, "no_access", "no_access"),
        ({"highway": "service", "service": "emergency_access"}, "no_access", None),
        (ONE | {"maxheight": "2.5"}, None, "too_low"),
        (ONE | {"maxheight": "12'6\""}, None, None),
        (ONE | {"maxheight": "11'"}, None, "too_low"),
        (ONE | {"maxheight": "default"}, None, None),
        (ONE | {"maxwidth": "2.4 m"}, None, "too_narrow"),
        (ONE | {"maxwidth": "2.5"}, None, None),
        (ONE | {"maxweight": "7.5 t"}, None, "too_heavy"),
        (ONE | {"maxweight": "20 st"}, None, None),
        ({"highway": "proposed", "emergency": "yes"}, "not_a_street", "not_a_street"),
    ],
)
def test_tags_close_a_street_to_vehicles(tags: dict[str, str], car: str | None, engine: str | None) -> None:
    assert (reason(CAR, tags), reason(ENGINE, tags)) == (car, engine)


VALUES = ("yes", "no", "private", "destination", "military", "unknown", None)


@pytest.mark.parametrize("values", list(itertools.product(VALUES, repeat=2)))
def test_the_most_specific_telling_key_decides(values: tuple[str | None, str | None]) -> None:
    """Against the rule said over again: the first of motorcar, motor_vehicle that forbids or allows decides."""
    tags = {k: v for k, v in zip(("motorcar", "motor_vehicle"), values, strict=True) if v}
    telling = [v for v in values if v in ALLOWS or v in CAR.forbids]
    assert reason(CAR, ONE | tags) == ("no_access" if telling and telling[0] in CAR.forbids else None)


@pytest.mark.parametrize(
    ("tags", "along", "against"),
    [
        ({"highway": "residential", "oneway": "yes"}, True, True),
        ({"highway": "footway", "oneway": "yes"}, True, False),
        ({"highway": "footway", "oneway": "-1"}, False, True),
        ({"highway": "residential", "oneway:foot": "yes"}, True, False),
        ({"highway": "footway", "oneway": "yes", "oneway:foot": "no"}, True, True),
    ],
)
def test_only_walkers_one_ways_bind_walkers(tags: dict[str, str], along: bool, against: bool) -> None:
    assert both_ways(WALK, tags) == [along, against]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        (ONE, [True, True]),
        (ONE | {"oneway": "yes"}, [True, False]),
        (ONE | {"oneway": "-1"}, [False, True]),
        (ONE | {"oneway": "reversible"}, [True, True]),
        (ONE | {"junction": "roundabout"}, [True, False]),
        (ONE | {"junction": "circular"}, [True, False]),
        (ONE | {"junction": "roundabout", "oneway": "no"}, [True, True]),
        ({"highway": "motorway"}, [True, False]),
        ({"highway": "motorway_link"}, [True, True]),
        ({"highway": "motorway", "oneway": "-1"}, [False, True]),
    ],
)
def test_one_way_streets_bind_vehicles(tags: dict[str, str], expected: list[bool]) -> None:
    assert both_ways(CAR, tags) == expected


def test_who_is_free_of_one_ways_still_turns_the_roundabout() -> None:
    free = ENGINE.model_copy(update={"oneway": False})
    assert both_ways(free, ONE | {"oneway": "yes"}) == [True, True]
    assert both_ways(free, ONE | {"junction": "roundabout"}) == [True, False]
    assert both_ways(free, {"highway": "motorway", "oneway": "yes"}) == [True, False]


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"barrier": "bollard"}, False),
        ({"barrier": "gate"}, False),
        ({"barrier": "gate", "locked": "yes"}, True),
        ({"barrier": "gate", "access": "private"}, False),
        ({"barrier": "gate", "access": "no"}, True),
        ({"barrier": "wall"}, True),
        ({"barrier": "wall", "foot": "yes"}, False),
        ({"barrier": "lift_gate", "access": "no", "foot": "yes"}, False),
        ({"barrier": "stile"}, False),
    ],
)
def test_barriers_stop_walkers(tags: dict[str, str], expected: bool) -> None:
    assert stops(WALK, tags) == expected


@pytest.mark.parametrize(
    ("tags", "stroller", "wheelchair"),
    [
        ({"barrier": "stile"}, True, True),
        ({"barrier": "cycle_barrier"}, False, True),
        ({"barrier": "cycle_barrier", "wheelchair": "yes"}, False, False),
        ({"barrier": "gate", "wheelchair": "no"}, False, True),
        ({"barrier": "wall"}, True, True),
    ],
)
def test_barriers_stop_wheels(tags: dict[str, str], stroller: bool, wheelchair: bool) -> None:
    assert (stops(STROLLER, tags), stops(WHEELCHAIR, tags)) == (stroller, wheelchair)


@pytest.mark.parametrize(
    ("tags", "car", "engine"),
    [
        ({"barrier": "bollard"}, True, True),
        ({"barrier": "bollard", "emergency": "yes"}, True, False),
        ({"barrier": "bollard", "motor_vehicle": "yes"}, False, False),
        ({"barrier": "bollard", "access": "yes"}, True, True),
        ({"barrier": "gate"}, False, False),
        ({"barrier": "gate", "access": "no"}, True, False),
        ({"barrier": "gate", "locked": "yes"}, True, False),
        ({"barrier": "gate", "locked": "yes", "access": "private"}, False, False),
        ({"barrier": "lift_gate"}, False, False),
        ({"barrier": "block"}, True, True),
        ({"barrier": "chain"}, True, False),
        ({"barrier": "height_restrictor", "maxheight": "2.1"}, False, True),
        ({"barrier": "gate", "maxwidth": "2"}, False, True),
        ({"barrier": "gate", "maxwidth": "1.5"}, True, True),
    ],
)
def test_barriers_stop_vehicles(tags: dict[str, str], car: bool, engine: bool) -> None:
    assert (stops(CAR, tags), stops(ENGINE, tags)) == (car, engine)


SCHOOL = {"access:conditional": "no @ (Mo-Fr 07:00-09:00)"}


def test_a_street_closed_by_the_hour() -> None:
    net = street(highway="residential", **SCHOOL)
    for when, expected in (("Tu 08:00", "no_access"), ("Tu 09:00", None), ("Sa 08:00", None)):
        assert access.closed(access.at(net, moment(when)).tags, CAR)[0] == expected
    assert access.closed(access.at(net, None).tags, CAR)[0] is None
    assert net.tags["access"].isna().all(), "the network is not changed"


def test_a_way_that_turns_round_in_the_afternoon() -> None:
    net = street(highway="residential", oneway="yes", **{"oneway:conditional": "-1 @ (12:00-20:00)"})
    morning, later = (access.directions(access.at(net, moment(f"We {h}:00")).tags, CAR) for h in (10, 15))
    assert [m[0] for m in morning] == [True, False] and [m[0] for m in later] == [False, True]


def test_what_is_not_understood_is_counted_and_does_not_bind() -> None:
    net = street(highway="residential", **{"access:conditional": "no @ snow"})
    said = access.at(net, moment("Mo 08:00"))
    assert said.not_understood == 1
    assert access.closed(said.tags, CAR)[0] is None


def restrictions(*rows: tuple[str | None, str | None, str | None]) -> pd.DataFrame:
    filled = [(i, "no_left_turn", 1, 2, (), 3, *row) for i, row in enumerate(rows)]
    return pd.DataFrame(filled, columns=list(RESTRICTIONS)).astype(RESTRICTIONS)


def test_whom_turn_restrictions_bind() -> None:
    early = "no_left_turn @ (Mo-Fr 07:00-09:00)"
    rows = [(None, None, None), ("motorcar;psv", None, None), (None, "hgv", None), (None, "motorcar", None)]
    table = restrictions(*rows, (None, None, early))
    assert access.bound_by(table, CAR, None).tolist() == [True, False, False, True, False]
    assert access.bound_by(table, CAR, moment("Mo 08:00")).tolist() == [True, False, False, True, True]
    assert not access.bound_by(table, ENGINE, None).any() and not access.bound_by(table, WALK, None).any()
    bound = ENGINE.model_copy(update={"turns": True})
    table = restrictions((None, None, None), ("emergency", None, None))
    assert access.bound_by(table, bound, None).tolist() == [True, False]


words = st.sampled_from(["yes", "no", "private", "military", "designated", None])


@given(st.fixed_dictionaries({key: words for key in ("access", "vehicle", "motor_vehicle", "emergency", "foot")}))
def test_whoever_forbids_less_passes_more(tags: dict[str, str | None]) -> None:
    said = ONE | {key: value for key, value in tags.items() if value}
    strict = ENGINE.model_copy(update={"forbids": ("military", "no", "private")})
    assert reason(strict, said) is not None or reason(ENGINE, said) is None


def test_no_streets() -> None:
    net = network.build(ways({}, {}))
    tags = Tags(net.tags)
    assert len(access.closed(tags, CAR)) == len(access.directions(tags, CAR)[0]) == len(access.barred(net, CAR)) == 0
