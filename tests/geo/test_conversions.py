"""What can be turned into refuge, on a road of 400 m: who is added, why not, the words, and what the plan says."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely

from geo import conversions, convertible, readied, situation, tables
from geo.city import City, PlanParams, Scenario
from geo.conversions import COLUMNS, Conversions
from geo.situation import Situation
from tests.geo.drawn import ORIGIN
from tests.geo.test_cures import FULL, RULES, at, table, town

ALWAYS = RULES.model_copy(update={"shelter": RULES.shelter.model_copy(update={"candidates": "always"})})


def found(
    city: City, *, flood: bool = False, let: list[shapely.Geometry] | None = None, params: PlanParams = RULES
) -> tuple[Situation, Conversions]:
    base = readied.prepare(city, params=params)
    now = situation.of(base, Scenario("s", "emergency", ("flood",)) if flood else Scenario("s"))
    return now, conversions.of(now, let=None if let is None else np.array(let, dtype=object))


def could(x: float, room: float) -> tuple[float, float, str, str]:
    return (x, room, "candidate", "open")


def test_a_school_beside_a_full_shelter() -> None:
    now, told = found(town([(0, 100), (400, 30)], [*FULL, could(200, 50), could(300, 20)]))
    # The shelter holds 60 of 130: 70 are left, the one school takes 50 of them, the other the last 20.
    assert now.refuge.assigned.unserved.sum() == 70 == told.headline["people_unserved_existing"]
    layer = told.layer.set_index("candidate_id")
    assert list(told.layer.columns) == [*COLUMNS, "geometry"]
    assert layer["gain_people"].to_dict() == {"shelters1": 50, "shelters2": 20}
    assert layer["cumulative_people"].tolist() == [50, 70] and layer["gain_alone_people"].tolist() == [50, 20]
    assert layer["cost"].tolist() == [50 + 25, 50 + 10] and layer["missing"].tolist() == ["", ""]
    assert layer["phase"].tolist() == [1, 1] and told.headline["people_unserved_phase_1"] == 0
    assert told.communities.to_dict("list") == {"refuge_gain_people": [40, 30], "refuge_candidates": [1, 1]}
    assert [note.code for note in told.notes] == ["conversion_order", "conversion_phases"]
    assert layer["reason_en"].iloc[0] == (
        "No. 1 of 2: 50 more people find refuge; room for 50, 50 for nights; phase 1, 75 thousand CNY."
    )


def test_where_none_is_mapped_the_order_begins_with_nothing() -> None:
    now, told = found(town([(0, 100)], [could(200, 80), could(300, 15)]))
    assert now.refuge.assigned.unserved.sum() == 5, "the plan counts them as open"
    assert told.headline["people_unserved_existing"] == 100
    assert told.headline["people_unserved_converted"] == 5, "all of them open is the plan as it counts them"
    assert told.notes[0].code == "conversion_from_nothing" and told.notes[0].count == 2
    _, beside = found(town([(0, 100)], [(0, 10, "official", "open"), could(200, 80), could(300, 15)]), params=ALWAYS)
    assert beside.order.before == 10 and beside.layer["gain_people"].tolist() == [80, 10]


@pytest.mark.parametrize(
    ("why", "room"), [("flooded", 50.0), ("let", 50.0), ("no_room", 0.0), ("room_unknown", np.nan)]
)
def test_what_is_left_out_says_why(why: str, room: float) -> None:
    ground = [shapely.Point(ORIGIN[0] + 200, ORIGIN[1]).buffer(20)] if why == "let" else None
    city = town([(0, 100)], [*FULL, could(200, room)], wet=(180, 220) if why == "flooded" else None)
    _, told = found(city, flood=why == "flooded", let=ground)
    row = told.layer.iloc[0]
    assert row["reason_code"] == why and np.isnan(row["order"]) and np.isnan(row["gain_people"])
    assert row["reason_en"].startswith("Not proposed") and row["reason_zh"].startswith("不建议")
    assert (row["safe_in"], row["unsafe_in"]) == (("", "flood") if why == "flooded" else ("flood", ""))
    assert told.headline["people_unserved_converted"] == 40 and told.communities["refuge_gain_people"].sum() == 0


def test_nobody_to_add_and_nobody_near() -> None:
    _, told = found(town([(0, 50)], [*FULL, could(200, 80)]))
    assert told.layer["reason_code"].tolist() == ["adds_nobody"]
    lonely, none = found(town([], [*FULL, could(200, 80)]))
    assert none.layer["reason_code"].tolist() == ["not_reached"] and len(lonely.base.demand) == 0
    _, nothing = found(town([(0, 50)], FULL))
    assert len(nothing.layer) == 0 and list(nothing.layer.columns) == [*COLUMNS, "geometry"]


def test_facilities_and_idle_lots_are_candidates_unless_they_are_listed() -> None:
    box = shapely.box(ORIGIN[0] + 280, ORIGIN[1] + 4, ORIGIN[0] + 320, ORIGIN[1] + 44)
    lots = table(tables.LOTS, [box, shapely.affinity.translate(box, 60), shapely.affinity.translate(box, -180)],
                 use=["空闲地", "R2", "vacant"])  # fmt: skip
    halls = table(tables.FACILITIES, [at(200, 5), at(380, 5), at(60, 5)], kind=["sports", "library", "fuel"])
    city = replace(town([(0, 100)], [*FULL, could(200, 30)]), lots=lots, facilities=halls)
    base = readied.prepare(city, params=RULES)
    table_ = convertible.candidates(base)
    # The hall is the listed school, the third lot holds the shelter, the second is lived on.
    assert table_[["shelter_id", "kind"]].to_numpy().tolist() == [
        ["facilities1", "library"], ["lots0", "lot"], ["shelters1", "school"],
    ]  # fmt: skip
    told = conversions.of(situation.of(base, Scenario("s"))).layer.set_index("candidate_id")
    assert told["reason_code"].to_dict() == {
        "facilities1": "room_unknown", "lots0": "proposed", "shelters1": "adds_nobody",
    }  # fmt: skip


def test_the_two_uses_in_words() -> None:
    city = town([(0, 100)], [*FULL, could(200, 50)])
    listed = city.shelters.assign(conversion_h=[np.nan, 2.0], opening=[None, "居委会"], normal_use=[None, "小学操场"],
                                  water=[None, "no"], power=[None, "yes"])  # fmt: skip
    _, told = found(replace(city, shelters=listed))
    row = told.layer.iloc[0]
    assert row["dual_zh"] == (
        "平时：小学操场；急时：紧急避难场所，容纳50人，适用于flood；2小时内转换，启用：居委会；缺供水。"
    )
    assert row["dual_en"] == (
        "Ordinary days: 小学操场; emergency: emergency shelter for 50 people, usable in flood; ready within 2 h, "
        "opened by or when: 居委会; it lacks water."
    )
    assert (row["missing"], row["not_known"], row["suits_water"]) == ("water", "", 0)
    assert row["cost"] == 50 + 0.5 * 40 + 30, "water is to be brought"


def test_nights_have_an_order_of_their_own() -> None:
    city = town([(0, 100)], [(400, 2, "official", "open"), could(300, 50)], wet=(-50, 50))
    roofed = city.shelters.assign(tier=["short", "short"], floor_m2=[500.0, 900.0])
    now, told = found(replace(city, shelters=roofed), flood=True)
    assert now.nights is not None and told.nights is not None
    # Five of a hundred cannot stay at home in two metres of water; two find a bed in what exists.
    assert now.met["people_displaced"].sum() == 5 and told.nights.before == 2
    row = told.layer.iloc[0]
    assert (row["gain_nights_people"], row["gain_nights_alone_people"], row["order_nights"]) == (3, 3, 1)
