"""One row a community, and nobody lost on the way."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import summary
from geo.evacuation import STATES, WalkParams
from geo.summary import Legs, StatusParams
from tests.geo import one_by_one

CRS = "EPSG:32631"
WALK = WalkParams.of(standards.load()).model_copy(update={"speed_ms": 1.0, "snap_max_m": 50, "island_m": 0})
STATUS = StatusParams(good_share=0.95, watch_share=0.7)


def units(*names: str) -> gpd.GeoDataFrame:
    boxes = [shapely.box(i * 10, 0, i * 10 + 10, 10) for i in range(len(names))]
    return gpd.GeoDataFrame({"community_id": list(names), "name": list(names)}, geometry=boxes, crs=CRS)


def homes(rows: list[tuple[str, int, str, float]]) -> gpd.GeoDataFrame:
    """Rows of community, people, state, walk in seconds."""
    table = pd.DataFrame(rows, columns=["community_id", "people", "state", "walk_s"])
    table = table.astype({"people": "int64", "walk_s": "float64"})
    table = table.assign(
        walk_s_normal=table["walk_s"],
        nearest_s=table["walk_s"],
        people_served=table["people"].where(table["state"] == "served", 0),
        people_unserved=table["people"].where(table["state"] != "served", 0),
        people_served_normal=table["people"],
        in_reach=table["state"].isin(["served", "full"]),
        in_reach_normal=True,
        exposed=table["state"] == "cut_off",
        lost_way=table["state"].isin(["cut_off", "street_closed"]),
    )
    return gpd.GeoDataFrame(table, geometry=[shapely.Point(0, 0)] * len(table), crs=CRS)


def walks(demand: gpd.GeoDataFrame) -> tuple[Legs, Legs]:
    """The walks of those served now, and as many on a normal day, one row a home."""
    people = demand["people_served"].to_numpy()
    now, normal = (
        Legs(demand["community_id"], demand[column].to_numpy(), people) for column in ("walk_s", "walk_s_normal")
    )
    return now, normal


def by_community(found: gpd.GeoDataFrame, demand: gpd.GeoDataFrame, shelters: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return summary.by_community(found, demand, shelters, walks(demand), params=STATUS, walk=WALK)


def held(demand: gpd.GeoDataFrame, room: float = np.inf) -> gpd.GeoDataFrame:
    """A shelter with everybody in it who is served."""
    column = {"people": [int(demand["people_served"].sum())], "capacity_people": [room], "capacity_limits": [True]}
    return gpd.GeoDataFrame(column, geometry=[shapely.Point(0, 0)], crs=CRS)


def sites(*rows: tuple[str, bool, float, float]) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=["community_id", "usable", "capacity_people", "area_m2"])
    table = table.astype({"usable": "bool", "capacity_people": "float64", "area_m2": "float64"})
    return gpd.GeoDataFrame(table, geometry=[shapely.Point(0, 0)] * len(rows), crs=CRS)


def test_a_community_is_summed_row_by_row() -> None:
    demand = homes([("a", 60, "served", 120), ("a", 30, "served", 600), ("a", 10, "cut_off", np.nan)])
    row = by_community(units("a"), demand, sites(("a", True, 80, 400), ("a", False, 50, 900))).iloc[0]
    expected = {
        "people": 100,
        "people_served": 90,
        "people_unserved": 10,
        "people_cut_off": 10,
        "people_exposed": 10,
        "people_lost_access": 10,
        "shelters": 2,
        "shelters_usable": 1,
        "shelter_capacity": 80,
        "shelter_m2_per_person": 4,
        "walk_s_median": 120,
        "walk_s_p95": 600,
        "status": "watch",
        "reason_code": "cut_off",
    }
    assert {key: row[key] for key in expected} == expected
    assert "1 of 2 shelters here is not usable" in row["reason_en"]


@pytest.mark.parametrize(("served", "status"), [(95, "good"), (94, "watch"), (70, "watch"), (69, "bad"), (0, "bad")])
def test_status_by_share_served(served: int, status: str) -> None:
    demand = homes([("a", served, "served", 60), ("a", 100 - served, "too_far", 2000)])
    assert by_community(units("a"), demand, sites())["status"].tolist() == [status]


def test_a_community_without_people_is_empty_not_bad() -> None:
    row = by_community(units("a"), homes([]), sites()).iloc[0]
    assert (row["status"], row["people"], row["shelter_capacity"]) == ("empty", 0, 0)
    assert np.isnan(row["walk_s_median"]) and np.isnan(row["shelter_m2_per_person"])


def test_unknown_room_is_not_zero_room() -> None:
    table = by_community(units("a"), homes([("a", 1, "served", 1)]), sites(("a", True, np.nan, np.nan)))
    assert np.isnan(table["shelter_capacity"].iloc[0])


def test_unknown_ground_of_a_usable_shelter_is_not_zero_ground() -> None:
    rows = [("a", True, 10.0, np.nan)]
    table = by_community(units("a"), homes([("a", 1, "served", 1)]), sites(*rows))
    assert np.isnan(table["shelter_m2_per_person"].iloc[0])


def test_the_audit_finds_a_lost_person() -> None:
    demand = homes([("a", 5, "served", 1), ("nowhere", 2, "served", 1)])
    table = by_community(units("a"), demand, sites())
    checks = {check.name: check.ok for check in summary.audit(table, demand, held(demand), 7)}
    assert checks["people in the population and in the plan"]
    assert not checks["people in the plan and in the communities"]


ROWS = st.lists(
    st.tuples(st.sampled_from("abc"), st.integers(0, 1000), st.sampled_from(STATES), st.floats(0, 4000)), max_size=30
)


@given(ROWS)
def test_people_are_conserved(rows: list[tuple[str, int, str, float]]) -> None:
    demand = homes(rows)
    table = by_community(units("a", "b", "c"), demand, sites())
    assert all(
        check.ok for check in summary.audit(table, demand, held(demand), sum(people for _, people, _, _ in rows))
    )
    city = summary.headline(demand, sites(), walks(demand))
    for measure in ("people", "people_served", "people_unserved", "people_cut_off", "people_exposed"):
        assert table[measure].sum() == city[measure]


@given(ROWS, st.randoms(use_true_random=False))
def test_order_of_rows_changes_nothing(rows: list[tuple[str, int, str, float]], random: object) -> None:
    shuffled = list(rows)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    one, other = (by_community(units("a", "b", "c"), homes(r), sites()) for r in (rows, shuffled))
    pd.testing.assert_frame_equal(one.drop(columns="geometry"), other.drop(columns="geometry"))


@st.composite
def towns(draw: st.DrawFn) -> tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]:
    """Homes and shelters of which anything may be so, in communities, in none, or outside all of them."""
    walks = st.one_of(st.just(np.nan), st.floats(0, 4000))
    place, flag = st.sampled_from(["a", "b", "c", "outside", None]), st.booleans()
    rows = draw(st.lists(st.tuples(place, st.integers(0, 99), st.sampled_from(STATES), walks), max_size=30))
    demand = homes(rows)  # type: ignore[arg-type]
    flags = {name: draw(st.lists(flag, min_size=len(rows), max_size=len(rows)))
             for name in ("in_reach", "in_reach_normal", "exposed", "lost_way")}  # fmt: skip
    normal = draw(st.lists(walks, min_size=len(rows), max_size=len(rows)))
    demand = demand.assign(walk_s_normal=np.array(normal, dtype=float)).assign(
        **{name: np.array(values, dtype=bool) for name, values in flags.items()}
    )
    known = st.one_of(st.just(np.nan), st.floats(0, 1000))
    return demand, sites(*draw(st.lists(st.tuples(place, flag, known, known), max_size=20)))  # type: ignore[arg-type]


@settings(max_examples=30, deadline=None)
@given(towns())
def test_all_communities_at_once_are_each_alone(town: tuple[gpd.GeoDataFrame, gpd.GeoDataFrame]) -> None:
    demand, shelters = town
    found = by_community(units("b", "a", "empty", "c"), demand, shelters)
    expected = pd.DataFrame([
        one_by_one.community(
            demand[demand["community_id"] == name], shelters[shelters["community_id"] == name], params=STATUS,
            walk=WALK, known=len(shelters) > 0,
        )
        for name in found["community_id"]
    ])  # fmt: skip
    pd.testing.assert_frame_equal(
        pd.DataFrame(found[list(expected)]), expected, check_exact=True, check_dtype=False, check_column_type=False
    )
    everybody = one_by_one.community(demand, shelters, params=STATUS, walk=WALK, known=len(shelters) > 0)
    city = summary.headline(demand, shelters, walks(demand))
    pd.testing.assert_series_equal(pd.Series(city), pd.Series(everybody)[list(city)].astype(float), check_exact=True)
