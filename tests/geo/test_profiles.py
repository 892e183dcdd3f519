"""Who moves: the defaults, and what a planner may not say."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from app.parameters import changed
from data import standards
from geo.city import PlanParams
from geo.errors import ParameterError
from geo.profiles import TimeParams, VehicleParams, WalkerParams

STANDARDS = standards.load()
PARAMS = PlanParams.of(STANDARDS)
WALKERS = (PARAMS.walk, PARAMS.elderly, PARAMS.stroller, PARAMS.wheelchair)
VEHICLES = (PARAMS.car, PARAMS.fire_engine, PARAMS.ambulance)


def test_every_number_of_a_profile_has_its_source() -> None:
    for profile in (*WALKERS, *VEHICLES):
        for name in type(profile).model_fields:
            assert STANDARDS[f"{profile.subject}.{name}"].grade


def test_walkers_walk_and_vehicles_drive() -> None:
    assert all(isinstance(p, WalkerParams) and p.family == "walk" for p in WALKERS)
    assert all(isinstance(p, VehicleParams) and p.family == "drive" for p in VEHICLES)
    assert [p.on_wheels for p in WALKERS] == [False, False, True, True]


def test_who_is_quicker_and_who_is_larger() -> None:
    assert PARAMS.walk.speed_ms > PARAMS.elderly.speed_ms > PARAMS.wheelchair.speed_ms
    assert PARAMS.wheelchair.stairs_factor == 0 < PARAMS.stroller.stairs_factor
    assert PARAMS.car.weight_t < PARAMS.ambulance.weight_t < PARAMS.fire_engine.weight_t
    assert PARAMS.car.close_depth_m == PARAMS.ambulance.close_depth_m < PARAMS.fire_engine.close_depth_m


def test_only_emergency_vehicles_pass_what_is_closed_to_the_public() -> None:
    assert "no" in PARAMS.car.forbids
    for vehicle in (PARAMS.fire_engine, PARAMS.ambulance):
        assert vehicle.keys[0] == "emergency" and "no" not in vehicle.forbids and vehicle.opens_locks


def test_the_time_of_day() -> None:
    assert PARAMS.time.moment is None
    said = changed(PARAMS, {"time.clock": "Mo 08:30", "time.night": "true"}, where="--set")
    assert said.time.moment == (0, 510) and said.time.night


def test_what_is_no_time_is_refused() -> None:
    with pytest.raises(ValidationError, match="Mo 08:30"):
        TimeParams(night=False, clock="half past eight")


@pytest.mark.parametrize("words", ["urban", "urban=fast", "urban=0", "=50"])
def test_what_is_no_speed_limit_is_refused(words: str) -> None:
    with pytest.raises(ParameterError, match=r"nl:rural=80"):
        changed(PARAMS, {"drive.limits": words}, where="--set")


def test_words_of_speed_limits() -> None:
    said = changed(PARAMS, {"drive.limits": "Urban=40, nl:rural = 80"}, where="--set")
    assert said.drive.limits_kmh == {"urban": 40, "nl:rural": 80}


def test_a_profile_may_be_changed_word_by_word() -> None:
    said = changed(PARAMS, {"fire_engine.forbids": "military,private", "car.oneway": "false"}, where="--set")
    assert said.fire_engine.forbids == ("military", "private") and said.car.oneway is False
    assert said.ambulance == PARAMS.ambulance
