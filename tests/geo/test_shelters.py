"""Which shelters count, how many they hold, and why not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from geo import shelters
from geo.shelters import ShelterParams

PARAMS = ShelterParams(
    candidates="auto",
    min_site_m2=2000,
    open_m2_per_person=1.0,
    floor_m2_per_person=2.0,
    open_usable_share=0.5,
    floor_usable_share=0.6,
    max_share_wet=0.1,
    max_share_unknown=0.5,
    entrance_max_m=200,
    entrance_spread_m=30,
)


def sites(*rows: dict[str, object]) -> gpd.GeoDataFrame:
    usual = {
        "name": None,
        "kind": "school",
        "tier": None,
        "origin": "mapped",
        "area_m2": 5000.0,
        "floor_m2": np.nan,
        "capacity": np.nan,
    }
    table = [{"shelter_id": f"s{i}"} | usual | row for i, row in enumerate(rows)]
    return gpd.GeoDataFrame(table, geometry=[shapely.Point(0, i) for i in range(len(rows))], crs="EPSG:32631")


def test_candidates_count_only_where_no_shelter_is_known() -> None:
    both = sites({}, {"origin": "candidate"})
    only = sites({"origin": "candidate"}, {"origin": "candidate"})
    assert shelters.in_plan(both, params=PARAMS)["shelter_id"].tolist() == ["s0"]
    assert shelters.in_plan(only, params=PARAMS)["shelter_id"].tolist() == ["s0", "s1"]


@pytest.mark.parametrize(("choice", "kept"), [("auto", ["s0"]), ("always", ["s0", "s1"]), ("never", ["s0"])])
def test_the_planner_chooses_about_candidates(choice: str, kept: list[str]) -> None:
    both = sites({}, {"origin": "candidate"})
    assert (
        shelters.in_plan(both, params=PARAMS.model_copy(update={"candidates": choice}))["shelter_id"].tolist() == kept
    )


def test_small_candidates_do_not_count_unknown_ones_and_declared_ones_do() -> None:
    table = sites({"area_m2": 1999.0}, {"area_m2": 2000.0}, {"area_m2": np.nan}, {"area_m2": 10.0, "capacity": 30.0})
    candidates = table.assign(origin="candidate")
    assert shelters.in_plan(candidates, params=PARAMS)["shelter_id"].tolist() == ["s1", "s2", "s3"]
    said = shelters.small_notes(candidates, params=PARAMS)
    assert [(note.code, note.count) for note in said] == [("candidates_too_small", 1)]


def test_what_a_list_calls_a_shelter_is_one_whatever_its_size() -> None:
    table = sites({"area_m2": 12.0}, {"area_m2": 2000.0}).assign(origin="official")
    assert shelters.in_plan(table, params=PARAMS)["shelter_id"].tolist() == ["s0", "s1"]
    assert shelters.small_notes(table, params=PARAMS) == ()


def test_room_is_declared_or_from_floor_or_from_open_ground() -> None:
    table = sites({"capacity": 70.0, "floor_m2": 900.0}, {"floor_m2": 1000.0}, {"floor_m2": 0.0}, {"area_m2": np.nan})
    room = shelters.capacities(table, np.zeros(4), params=PARAMS)
    assert room["capacity_basis"].tolist() == ["declared", "floor", "open", "unknown"]
    assert room["capacity_people"].tolist() == pytest.approx([70, 300, 2500, np.nan], nan_ok=True)


def test_an_emergency_site_is_open_ground_whatever_stands_on_it() -> None:
    park = sites({"kind": "park", "tier": "emergency", "floor_m2": 100.0})
    room = shelters.capacities(park, np.zeros(1), params=PARAMS)
    assert room.iloc[0].tolist() == [2500, "open"]


def test_water_takes_its_share_of_the_room() -> None:
    room = shelters.capacities(sites({"capacity": 100.0}, {"capacity": 100.0}), np.array([0.25, np.nan]), params=PARAMS)
    assert room["capacity_people"].tolist() == [75, 100]


@pytest.mark.parametrize(
    ("wet", "hit", "unknown", "valid", "normally", "now", "reason"),
    [
        (0.0, 0.0, 0.0, True, True, True, "usable"),
        (np.nan, np.nan, np.nan, True, True, True, "usable"),
        (0.1, 0.1, 0.5, True, True, True, "usable"),
        (0.11, 0.0, 0.0, True, True, True, "flooded"),
        (0.0, 0.11, 0.0, True, True, True, "hit"),
        (0.0, 0.0, 0.51, True, True, True, "hazard_unknown"),
        (0.0, 0.0, 0.0, True, True, False, "street_closed"),
        (0.5, 0.0, 0.0, True, False, False, "no_street"),
        (0.5, 0.5, 0.0, False, True, True, "not_valid"),
    ],
)
def test_each_reason(
    wet: float, hit: float, unknown: float, valid: bool, normally: bool, now: bool, reason: str
) -> None:
    rating = shelters.rate(
        np.array([wet]),
        np.array([hit]),
        np.array([unknown]),
        valid=np.array([valid]),
        reached_normally=np.array([normally]),
        reached_now=np.array([now]),
        params=PARAMS,
    )
    assert rating["reason_code"].tolist() == [reason]
    assert rating["usable"].tolist() == [reason == "usable"]


@given(st.floats(0, 1), st.floats(0, 1), st.floats(0, 1e6))
def test_more_water_never_makes_room(wet: float, more: float, capacity: float) -> None:
    table = sites({"capacity": capacity}, {"capacity": capacity})
    room = shelters.capacities(table, np.array([wet, min(wet + more, 1)]), params=PARAMS)["capacity_people"]
    assert room[1] <= room[0]


def test_no_shelters_give_empty_tables() -> None:
    none = sites({}).iloc[:0]
    assert len(shelters.in_plan(none, params=PARAMS)) == 0
    assert shelters.capacities(none, np.zeros(0), params=PARAMS).columns.tolist() == [
        "capacity_people",
        "capacity_basis",
    ]


@pytest.mark.parametrize(
    ("valid_for", "invalid_for", "kinds", "valid"),
    [
        (None, None, {"flood"}, True),
        ("flood;fire", None, {"flood"}, True),
        ("earthquake", None, {"flood"}, False),
        ("flood", None, {"flood", "fire"}, False),
        (None, "flood", {"flood"}, False),
        (None, "flood", {"fire"}, True),
        (None, "flood", set(), True),
    ],
)
def test_what_the_list_says_of_a_hazard_holds(
    valid_for: str | None, invalid_for: str | None, kinds: set[str], valid: bool
) -> None:
    table = sites({"valid_for": valid_for, "invalid_for": invalid_for})
    assert shelters.declared_valid(table, kinds).tolist() == [valid]
    assert shelters.declared_valid(sites({}), kinds).tolist() == [True]
