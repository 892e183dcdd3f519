"""Which shelters count, how many they hold, and why not."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import data.standards
from geo import shelters
from geo.ground import USABLE
from geo.reasons import SHELTER_REASONS
from geo.shelters import REASONS, ROOMS, ShelterParams
from geo.snapping import Snaps
from geo.tiers import TierParams

CHINA = TierParams.of(data.standards.load())

PARAMS = ShelterParams(
    candidates="auto",
    min_site_m2=2000,
    large_people=20000,
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


def test_no_shelters_give_empty_tables() -> None:
    none = sites({}).iloc[:0]
    assert len(shelters.in_plan(none, params=PARAMS)) == 0


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


def test_every_reason_has_its_sentence() -> None:
    assert set(REASONS) <= set(SHELTER_REASONS)


def test_what_the_list_says_is_closed_or_damaged_is_not_used() -> None:
    state = pd.Series(["open", "closed", "damaged", None, np.nan], dtype=object)
    dry, yes = np.zeros(5), np.ones(5, dtype=bool)
    rating = shelters.rate(dry, dry, dry, valid=yes, reached_normally=yes, reached_now=yes, params=PARAMS, state=state,
                           near_hazard=np.arange(5) == 4)  # fmt: skip
    assert rating["reason_code"].tolist() == ["usable", "closed", "damaged", "usable", "near_hazard"]


# -- room ----------------------------------------------------------------------------------------------------------


def left(**columns: object) -> pd.DataFrame:
    """What can be used of one site or several: open ground and floors as given, and nothing taken."""
    n = max((len(value) for value in columns.values() if isinstance(value, list)), default=1)
    return pd.DataFrame(dict.fromkeys(USABLE, 0.0) | columns, index=range(n)).astype(float)


def held(table: gpd.GeoDataFrame, of: pd.DataFrame, **changes: object) -> pd.DataFrame:
    params = TierParams.model_validate(CHINA.model_dump() | changes)
    return shelters.rooms(table, of, params=params)


def test_declared_or_by_area_whichever_is_less() -> None:
    capacity = [70.0, 5000.0, np.nan, np.nan, 30.0, 40.0]
    table = sites(*({"capacity": people} for people in capacity))
    room = held(
        table, left(open_m2=[100, 100, 100, np.nan, np.nan, 0], usable_floor_m2=[0, 50, 50, np.nan, np.nan, 30])
    )
    assert room["capacity_people"].tolist() == pytest.approx([70, 300, 300, np.nan, 30, 40], nan_ok=True)
    assert room["capacity_basis"].tolist() == ["declared", "both", "both", "unknown", "declared", "declared"]
    assert room.columns.tolist() == list(ROOMS)


def test_it_says_why() -> None:
    table = sites({"capacity": 900.0}, {"capacity": 500.0}, {"capacity": 80.0}, {}, {})
    of = left(open_m2=[918, 918, np.nan, 918, np.nan], usable_floor_m2=[np.nan] * 5,
              built_m2=[120, 0, np.nan, 0, np.nan], share_lost=[0.1, 0, 0, 0, 0])  # fmt: skip
    room = held(table, of, emergency_m2_per_person=1.5, short_m2_per_person=3)
    assert room["capacity_en"].tolist() == [
        "612 people: declared 900, usable ground 918 m² at 1.5 m². Not usable: 120 m² under buildings, 10% in the "
        "hazard. For nights: 306.",
        "500 people: declared 500; usable ground 918 m² at 1.5 m² would hold 612. For nights: 306.",
        "80 people: as declared; its area is not known. For nights: 80.",
        "612 people: usable ground 918 m² at 1.5 m². For nights: 306.",
        "Room not known: neither people nor area are stated.",
    ]
    assert room["capacity_zh"].iloc[0] == (
        "612人：申报900人，可用场地918平方米，人均1.5平方米。不可用：建筑占地120平方米、10%受灾害影响。可过夜306人。"
    )


def test_nights_are_spent_indoors_and_where_a_tier_stays_open() -> None:
    park, kiosk = {"kind": "park", "area_m2": 60_000.0}, {"floor_m2": 100.0}
    table = sites(
        {"floor_m2": 900.0, "area_m2": 5000.0}, {"floor_m2": 900.0, "tier": "short"}, park | {"origin": "candidate"},
        park | kiosk, park | {"tier": "emergency"}, {"tier": "emergency"}, {"kind": "sports", "area_m2": 900.0},
        park | {"tier": "short", "area_m2": 1e6},
    )  # fmt: skip
    floor = [400, 400, 0, 40, 0, np.nan, np.nan, 0]
    room = held(table, left(open_m2=[1200, 1200, 900, 900, 900, 900, 450, 1e5], usable_floor_m2=floor))
    assert room["tier"].tolist() == [
        "short",
        "short",
        "emergency",
        "long",
        "emergency",
        "emergency",
        "emergency",
        "short",
    ]
    # A school's yard only where the list names it; a park by its kind; bare candidates and emergency sites never.
    assert room["stay_capacity_people"].tolist() == [200, 800, 0, 208, 0, 0, 225, 5000]
    assert room["stay_basis"].tolist() == ["floor", "both", "none", "both", "none", "none", "open", "limit"]


def test_a_camp_by_spheres_rules_takes_the_whole_ground() -> None:
    table = sites({"kind": "park", "area_m2": 9000.0}, {"area_m2": 9000.0, "floor_m2": 700.0})
    of = left(clear_m2=[9000, 9000], open_m2=[5400, 5400], usable_floor_m2=[0, 350])
    assert held(table, of, rules="sphere")["stay_capacity_people"].tolist() == [200, 100]


def test_nobody_stays_who_does_not_fit() -> None:
    table = sites({"floor_m2": 900.0, "area_m2": 5000.0})
    room = held(table, left(usable_floor_m2=100.0), emergency_m2_per_person=5, short_m2_per_person=1)
    assert room[["capacity_people", "stay_capacity_people"]].iloc[0].tolist() == [20, 20]


@settings(max_examples=25, deadline=None)
@given(
    st.floats(0, 1e5), st.floats(0, 1e5), st.floats(0, 1e4) | st.just(np.nan), st.floats(0.1, 10), st.floats(0, 1),
    st.floats(0, 1),
)  # fmt: skip
def test_less_per_person_never_makes_less_room_and_more_hazard_never_more(
    open_m2: float, floor_m2: float, capacity: float, m2: float, lost: float, more: float
) -> None:
    table = sites({"capacity": capacity, "tier": "short", "floor_m2": floor_m2})
    of = left(open_m2=open_m2, usable_floor_m2=floor_m2, share_lost=lost)
    worse = (of * (1 - more)).assign(share_lost=lost + (1 - lost) * more)
    each = {"emergency_m2_per_person": m2, "short_m2_per_person": m2 * 2}
    smaller = {name: value / 2 for name, value in each.items()}
    room, roomier, lessened = held(table, of, **each), held(table, of, **smaller), held(table, worse, **each)
    for name in ("capacity_people", "stay_capacity_people"):
        assert roomier[name].iloc[0] >= room[name].iloc[0] >= lessened[name].iloc[0]


def test_no_sites_have_no_room() -> None:
    room = held(sites({}).iloc[:0], left().iloc[:0])
    assert (len(room), room.columns.tolist()) == (0, list(ROOMS))


# -- ways in -------------------------------------------------------------------------------------------------------


def test_doors_on_one_street_are_one_way_in() -> None:
    place, edge = np.array([0, 0, 0, 1, 2, 2, 3]), np.array([5, 5, 6, 7, -1, -1, 7])
    doors = Snaps(place, edge, np.arange(7.0), np.where(edge < 0, np.nan, 0.0))
    assert shelters.independent_doors(doors, 5).tolist() == [2, 1, 0, 1, 0]
    table = sites({}, {}, {}, {}, {})
    tier = pd.Series(["short", "short", "short", "long", None], dtype=object)
    found = shelters.ways_in(table, doors, tier, params=CHINA)
    assert found["entrances_found"].tolist() == [2, 1, 0, 1, 0]
    assert found["entrances_short"].tolist() == [False, True, True, True, False]
    stated = shelters.ways_in(table.assign(entrances=[1, 2, np.nan, 4, 0]), doors, tier, params=CHINA)
    assert stated["entrances_short"].tolist() == [True, False, True, False, False]


def test_a_point_becomes_the_building_it_stands_in() -> None:
    """Two points in one hall of two storeys, one outside, one whose capacity is stated."""
    hall, hut = shapely.box(0, 0, 40, 25), shapely.box(100, 0, 110, 10)
    buildings = gpd.GeoDataFrame({"levels": [2.0, np.nan]}, geometry=[hall, hut], crs="EPSG:32631")
    spots = [shapely.Point(5, 5), shapely.Point(6, 6), shapely.Point(60, 5), shapely.Point(105, 5)]
    sites = gpd.GeoDataFrame(
        {"area_m2": [np.nan] * 4, "floor_m2": [np.nan] * 4, "capacity": [np.nan, np.nan, np.nan, 30.0]},
        geometry=spots, crs="EPSG:32631",
    )  # fmt: skip
    found, said = shelters.in_buildings(sites, buildings)
    assert found["floor_m2"].tolist() == pytest.approx([2000, np.nan, np.nan, np.nan], nan_ok=True)
    assert found["area_m2"].tolist() == pytest.approx([1000, 0, np.nan, np.nan], nan_ok=True)
    assert found.geometry.iloc[0].equals(hall) and found.geometry.iloc[1] == spots[1]
    assert [(note.code, note.count) for note in said] == [("shelters_in_buildings", 1)]
    assert sites["area_m2"].isna().all()
    assert shelters.in_buildings(sites.iloc[:0], buildings)[1] == ()
