"""What a reader sees of who goes where: shelters and their room, ways, weak points, needs; with hostile names."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import numpy as np
import pytest
import shapely

from app import views
from app.drawings import DRAWINGS
from app.texts import codes
from tests.app.hand_made import HOSTILE
from tests.app.test_views import Tables, communities
from tiles.layer import Layer
from tiles.text import Text


def at(n: int, **columns: Any) -> gpd.GeoDataFrame:
    return gpd.GeoDataFrame(columns, geometry=[shapely.Point(i, 0) for i in range(n)], crs="EPSG:4326")


def along(n: int, **columns: Any) -> gpd.GeoDataFrame:
    lines = [shapely.LineString([(i, 0), (i, 1)]) for i in range(n)]
    return gpd.GeoDataFrame(columns, geometry=lines, crs="EPSG:4326")


@pytest.fixture(scope="module")
def refuge() -> dict[str, Layer]:
    """One of everything that follows from who goes where; every name is hostile."""
    names = {"name": [HOSTILE, None, None], "name_zh": [None, "二号", None], "name_en": [None] * 3}
    sites = at(3, shelter_id=["s1", "s2", "s3"], **names, kind=["school", "park", "what_if"],
               usable=[True, True, False], people=[10, 0, 0], load_share=[1.0, 0.0, np.nan], capacity_en=["10: …"] * 3,
               capacity_zh=["10人：…"] * 3, substitute=["no", None, None])  # fmt: skip
    demand = at(3, people=[6, 5, 7], state=["served", "full", "cut_off"], walk_s=[60.0, 90.0, np.nan],
                shelter_id=["s1", "s2", None], people_unserved=[0, 1, 7])  # fmt: skip
    units = communities(["bad"], [8]).assign(
        leave_by_h=[2.5], **{"people_too_late_3h": [4], "people_too_late_4.5h": [7]}, fix_en=["Open it."],
        fix_zh=["启用。"], stock_en=["It lasts."], stock_zh=["可保障。"],
    )  # fmt: skip
    way = {"community_id": ["c0"] * 2, "shelter_id": ["s1", "s3"], "role": ["main", "second"], "people": [10, 10]}
    told = {"directions_en": ["Go.\nArrive."] * 2, "directions_zh": ["走。\n到。"] * 2, "walk_s": [60.0, 70.0]}
    held = {
        "communities": units, "shelters": sites, "demand": demand, "routes": along(2, **way, **told),
        "street_flows": along(1, people=[10], load_h=[0.5]), "critical_streets": along(2, rank=[1, 21], people=[9, 1]),
        "isolated": along(1, people=[3], community_id=["c0"], reopen_m=[12.0]),
        "needs": at(1, shelter_id=["s1"], people=[10], water_l=[450.0], supplied_share=[0.5], stay=["nights"]),
        "depots": at(1, depot_id=["d1"], name=["Depot"], tier=["community"], water_l=[100.0]),
        "deliveries": along(1, depot_id=["d1"], shelter_id=["s2"], item=["water_l"], quantity=[100]),
        "fixes": at(1, community_id=["c0"], fix_en=["Open it."], fix_zh=["启用。"]),
    }  # fmt: skip
    return {layer.layer_id: layer for layer in views.layers(Tables(held))}


def test_only_who_is_where_is_seen_at_first(refuge: dict[str, Layer]) -> None:
    assert {name for name, layer in refuge.items() if layer.visible} == {"communities", "shelters", "shelters_load"}
    assert {"routes", "street_flows", "critical_streets", "isolated", "needs", "depots", "deliveries", "fixes",
            "demand_state"} <= refuge.keys()  # fmt: skip


def test_ways_lie_over_flows_and_under_shelters(refuge: dict[str, Layer]) -> None:
    ids = ("street_flows", "demand", "critical_streets", "routes", "depots", "shelters", "shelters_load")
    order = [refuge[name].draw_order for name in ids]
    assert order == sorted(order)


def test_people_by_what_becomes_of_them(refuge: dict[str, Layer]) -> None:
    counts = {row.label.en: row.people for row in refuge["demand_state"].legend}
    assert counts == {"Finds a shelter": 6, "Shelters full": 5, "Cut off": 7}


def test_a_shelter_without_a_share_of_room_has_its_plain_sign_only(refuge: dict[str, Layer]) -> None:
    rows = {row.label.en: (row.features, row.people) for row in refuge["shelters_load"].legend}
    assert rows == {"Nobody in it": (1, 0), "Room left": (0, 0), "Over 90 % full": (0, 0), "Full": (1, 10)}


def test_ids_are_told_by_name_else_by_kind(refuge: dict[str, Layer]) -> None:
    def said(layer: str, column: str) -> dict[str, Text]:
        return dict(next(f for f in refuge[layer].fields if f.column == column).codes)

    assert said("routes", "shelter_id") == {"s1": Text(HOSTILE, HOSTILE), "s3": codes("kind")["what_if"]}
    assert said("routes", "community_id") == {"c0": Text("n0", "n0")}
    assert said("demand", "shelter_id")["s2"].zh == "二号"
    assert said("deliveries", "depot_id") == {"d1": Text("Depot", "Depot")}
    assert said("deliveries", "item")["water_l"] == Text("用水", "Water")


def test_directions_are_steps_in_both_languages(refuge: dict[str, Layer]) -> None:
    (steps,) = (f for f in refuge["routes"].fields if f.kind == "steps")
    assert set(steps.columns) == {"directions", "directions_zh", "directions_en"}


def test_a_rising_flood_says_when_to_leave_and_who_is_too_late(refuge: dict[str, Layer]) -> None:
    fields = {f.column: f for f in refuge["communities"].fields}
    assert fields["leave_by_h"].kind == "hours"
    assert fields["people_too_late_3h"].label == Text("第3小时出发已来不及", "Too late when leaving at hour 3")
    assert fields["people_too_late_4.5h"].only_some
    metres = communities(["bad"], [8]).assign(leave_by_h=[2.5], street_m_too_late_3h=[400])
    (layer,) = views.layers(Tables({"communities": metres}))
    assert {f.column: f.unit.en for f in layer.fields}["street_m_too_late_3h"] == "m"


def test_what_would_help_stands_above_the_numbers(refuge: dict[str, Layer]) -> None:
    columns = [f.column for f in refuge["communities"].fields]
    assert columns.index("reason") < columns.index("fix") < columns.index("people") < columns.index("stock")


def test_seconds_are_told_as_minutes() -> None:
    every = [f for drawing in DRAWINGS for f in drawing.fields]
    assert [f.column for f in every if f.column.endswith("_s") and f.kind != "minutes"] == []
    assert {f.kind for f in every if f.column.endswith("_h")} == {"hours", "load"}


def test_needs_are_told_by_what_is_brought_only_where_stock_is_known(refuge: dict[str, Layer]) -> None:
    assert refuge["needs"].style.column == "supplied_share"
    (layer,) = views.layers(Tables({"needs": at(1, people=[10], water_l=[450.0])}))
    assert (layer.style.kind, [f.column for f in layer.fields]) == ("single", ["people", "water_l"])


def test_room_and_time_stand_in_the_headline_and_who_has_none_where_there_are_any() -> None:
    told = {"people": 10, "people_full": 3, "people_displaced": 5, "people_housed": 2, "shelter_capacity": 7.0,
            "clearance_s": 600.0}  # fmt: skip
    found = {n.key: n for n in views.numbers(Tables({}, headline=told))}
    assert (found["full"].value, found["full"].of, found["housed"].of) == (3, 10, 5)
    assert (found["room"].value, found["clearance"].value, found["clearance"].kind) == (7, 600, "minutes")
    calm = {n.key for n in views.numbers(Tables({}, headline=told | {"people_full": 0, "people_displaced": 0.0}))}
    assert calm & {"full", "housed"} == set()


def test_how_long_stock_lasts_stands_in_the_headline_by_tier_where_it_is_known() -> None:
    told = {"people": 10, "cover_days": 2.5, "cover_days_school": 0.0, "cover_days_household": np.nan}
    found = [n for n in views.numbers(Tables({}, headline=told)) if n.key.startswith("stock")]
    assert [(n.key, n.value, n.kind) for n in found] == [("stock", 2.5, "hours"), ("stock_school", 0, "hours")]
    assert found[1].label.en == "That of schools alone, days" and found[1].label.zh == "其中仅学校储备（天）"
