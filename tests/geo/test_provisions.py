"""Needs of those in shelters, the stock there is for them, and what the depots bring by open streets."""

from __future__ import annotations

from dataclasses import replace

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely

from geo import plan, readied
from geo.city import Scenario
from geo.plan import Plan
from geo.tables import SUPPLIES, checked
from tests.geo.drawn import CRS, ORIGIN
from tests.geo.test_plan import DEFAULTS, FLOOD, LOW, NORMAL, city, water

DEPOTS = {"store": (5, 8), "low": (205, -95)}
"""Beside a, and at the end of the low street."""
REGISTER = (
    ("store", "community", "饮用水", 20_000, "升"), ("store", "community", "棉被", 500, "条"),
    ("low", "supermarket", "饮用水", 40_000, "升"), ("low", "supermarket", "沙袋", 9, "个"),
)  # fmt: skip


def supplies(rows: tuple[tuple[str, str, str, float, str], ...] = REGISTER) -> gpd.GeoDataFrame:
    table = pd.DataFrame(rows, columns=["name", "tier", "item", "quantity", "unit"]).astype({"quantity": "float64"})
    points = [shapely.Point(ORIGIN[0] + DEPOTS[name][0], ORIGIN[1] + DEPOTS[name][1]) for name in table["name"]]
    ids = [f"s{row}" for row in range(len(rows))]
    empty = {"name_zh": None, "name_en": None, "expiry": None, "agreement_until": None}
    return checked(gpd.GeoDataFrame(table.assign(supply_id=ids, **empty), geometry=points, crs=CRS), SUPPLIES)


def computed(*hazards: object, scenario: Scenario = NORMAL, listed: gpd.GeoDataFrame | None = None) -> Plan:
    town = replace(city(*hazards), supplies=supplies() if listed is None else listed)  # type: ignore[arg-type]
    return plan.run(readied.prepare(town, params=DEFAULTS), scenario)


def test_without_a_register_there_are_only_needs() -> None:
    found = plan.run(readied.prepare(city(), params=DEFAULTS), NORMAL)
    needs = found.layers["needs"]
    assert (needs["shelter_id"].tolist(), needs["people"].tolist()) == (["shelters0"], [1111])
    assert needs["stay"].tolist() == ["refuge"], "nobody is displaced"
    assert not {"depots", "deliveries"} & {*found.layers} and "cover_days" not in found.headline
    assert needs["water_l"][0] > 0 and not [name for name in found.headline if name.startswith("need_")]


def test_both_depots_bring_what_they_have() -> None:
    found = computed()
    depots, sent = found.layers["depots"].set_index("depot_id"), found.layers["deliveries"]
    assert depots["water_l"].tolist() == [20_000, 40_000]
    assert depots["community_id"].tolist() == ["communities0", "communities1"]
    rows = sent[["depot_id", "shelter_id", "item", "quantity"]].to_numpy().tolist()
    assert rows == [["s2", "shelters0", "water_survival_l", 24_998], ["s0", "shelters0", "blankets", 500]]
    assert sent["drive_s"].is_monotonic_increasing and (sent["drive_s"] > 0).all()
    needs = found.layers["needs"]
    assert needs["blankets_share"].tolist() == [pytest.approx(500 / 1111)] and needs["food_rations_share"].tolist() == [
        0
    ]
    ends = shapely.get_coordinates(sent.geometry.iloc[0])[[0, -1]] - ORIGIN
    assert ends.round().tolist()[1] == [420, 20], "a straight line to the park"


def test_nothing_comes_over_a_closed_street_nor_from_a_depot_under_water() -> None:
    over = computed(LOW, scenario=FLOOD).layers["deliveries"]
    assert set(over["depot_id"]) == {"s0"}
    under = water(*[(column, row) for column in (4, 5) for row in (3, 4, 5)])
    wet = computed(under, scenario=FLOOD).layers["deliveries"]
    assert set(wet["depot_id"]) == {"s2"}


def test_how_long_the_stock_lasts_is_told_of_each_community_and_of_all() -> None:
    found = computed()
    units = found.layers["communities"]
    assert {"cover_days", "cover_limited_by", "cover_short_of", "stock_en", "stock_zh"} <= {*units}
    assert units["stock_zh"].str.endswith("。").all() and units["stock_en"].str.endswith(".").all()
    assert (units["cover_days"].tolist(), units["cover_limited_by"].tolist()) == ([0, 0], ["food_rations"] * 2)
    assert found.headline["cover_days"] == 0, "there is no food"
    assert {"supplies_other", "unmet"} <= {note.code for note in found.notes}


def test_how_long_each_tier_of_the_cloud_store_lasts_everybody_alone() -> None:
    """What the 1 111 in the park drink and eat in a day, held twice or thrice by some."""
    water_l, rations = (DEFAULTS.needs.rate(name) * 1111 for name in ("water_survival_l_day", "food_rations_day"))
    rows = (
        ("store", "community", "饮用水", 2 * water_l, "升"), ("store", "community", "干粮", rations, "人日"),
        ("low", "school", "饮用水", water_l, "升"), ("low", "school", "干粮", 3 * rations, "人日"),
        ("low", "supermarket", "饮用水", 9.0, "升"),
    )  # fmt: skip
    headline = computed(listed=supplies(rows)).headline
    told = {name: days for name, days in headline.items() if name.startswith("cover_days")}
    assert told == pytest.approx({
        "cover_days": 3 + 9 / water_l, "cover_days_community": 1, "cover_days_school": 1,
        "cover_days_supermarket": 0, "cover_days_household": np.nan,
    }, nan_ok=True), "nobody listed any household"  # fmt: skip


def test_a_register_of_nothing_is_no_stock_but_no_fault() -> None:
    none = computed(listed=supplies().iloc[:0])
    assert len(none.layers["depots"]) == len(none.layers["deliveries"]) == 0
    assert none.layers["needs"]["people"].tolist() == [1111]
    assert np.isnan([days for name, days in none.headline.items() if name.startswith("cover_days")]).all()


def test_people_and_depots_without_shelters_need_nothing() -> None:
    town = replace(city(shelters=[]), supplies=supplies())
    found = plan.run(readied.prepare(town, params=DEFAULTS), NORMAL)
    assert len(found.layers["needs"]) == len(found.layers["deliveries"]) == 0
    assert np.isnan(found.headline["clearance_s"])


def test_where_people_stay_for_nights_the_needs_are_theirs() -> None:
    """Deep water at the home of 100: who cannot go home stays in the park at the end of the bridge, here short-term."""
    deep = water(*[(column, row) for column in range(17, 22) for row in range(3, 6)], depth=2.0)
    town = city(deep)
    town = replace(town, shelters=town.shelters.assign(tier=["short"], capacity=[500.0]), supplies=supplies())
    found = plan.run(readied.prepare(town, params=DEFAULTS), FLOOD)
    needs, stay = found.layers["needs"], int(found.layers["shelters"]["stay_people"].sum())
    assert (needs["stay"].tolist(), needs["people"].tolist()) == (["nights"], [stay]) and 0 < stay < 100
    assert found.headline["need_water_l"] == needs["water_l"].sum() > 0
    assert found.headline["need_beds"] == stay
