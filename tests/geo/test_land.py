"""A whole town by hand: every verdict, distance and clause with a ruler; the laws of the stages on random ones."""

from __future__ import annotations

import itertools
from dataclasses import replace
from functools import cache
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

import data.rules
from geo import land, plan, readied, site_check, tables, uses, zoning
from geo.city import Scenario
from geo.land import Land
from geo.plan import Plan
from geo.reasons import Finding
from geo.rules import NO_RULES, Rules
from geo.tables import Schema, empty
from geo.zoning import Shapes
from tests.geo import drawn_land as town
from tests.geo.drawn_land import CRS, PARAMS, RULES, box, line, point, table, water

Shape = shapely.Geometry


@cache
def ordinary() -> Plan:
    """The plan of the drawn town on an ordinary day."""
    return plan.run(town.ready(), Scenario("normal"), ground=town.drawn())


def buildings(found: Land) -> pd.DataFrame:
    return found.layers["buildings"].set_index("name")


# -- the drawn town ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "verdict", "let_share", "rules", "told"),
    [
        # 10 m from the river's line: new buildings keep 20 m, those that stand may stay under conditions up to 50 m
        ("at the river", "prevent", 0.0, "river_side", "10 m away, 50 m required"),
        ("beside the river", "prevent", 0.0, "river_side", "25 m away, 50 m required"),
        ("off the river", "none", 0.0, None, "no rule that could be judged"),  # 50 m: as far as required
        ("in the strip", "let", 0.1, "power_330kv", "14 m away, 15 m required, 10% of it"),  # 1 m of its 10
        ("at the strip", "none", 0.0, None, "no rule that could be judged"),  # exactly 15 m
        ("at the fuel", "let", 0.5688, "fuel_ordinary", "8 m away, 14 m required, 57% of it"),
        ("off the fuel", "none", 0.0, None, "no rule that could be judged"),  # 17 m from the pump to its corner
        ("in deep water", "let", 1.0, "flood_deep;flood_wet;combined_serious", "Water of 1.2 m or more (planning"),
        ("in water", "prevent", 0.0, "flood_wet", "Water of 0.3 m or more (planning choice"),
        ("near the fault", "let", 0.5, "fault_8_c", "95 m away, 100 m required, 50% of it (GB 50011-2010 (2016) 4.1.7"),
        ("off the fault", "none", 0.0, None, "no rule that could be judged"),  # exactly 100 m
        ("shed on the fault", "none", 0.0, None, "no rule that could be judged"),  # class D
        ("hospital", "let", 1.0, "fault_8_b", "130 m away, 200 m required (GB 50011-2010 (2016) 4.1.7"),
        ("free", "none", 0.0, None, "no rule that could be judged"),
    ],
)
def test_what_stands_gets_the_verdict_a_ruler_gives(
    name: str, verdict: str, let_share: float, rules: str | None, told: str
) -> None:
    row = buildings(town.drawn()).loc[name]
    assert (row["verdict"], row["rules"]) == (verdict, rules)
    assert row["let_share"] == pytest.approx(let_share, abs=1e-3)
    assert told in row["reason_en"]
    assert row["community_id"] == ("c0" if row.geometry.centroid.x < town.X + 400 else "c1")


def test_the_share_of_a_house_at_the_pump_is_that_of_a_circle() -> None:
    """Half a house wide on either side of the pump's row: the integral of sqrt(14² - y²) - 8 over -5..5."""
    y = np.linspace(-5, 5, 100_001)
    circle = float(np.trapezoid(np.clip(np.sqrt(14**2 - y**2) - 8, 0, 10), y)) / 100
    assert buildings(town.drawn()).loc["at the fuel", "let_share"] == pytest.approx(circle, rel=2e-3)


def test_what_stands_on_ground_to_yield_is_on_the_retreat_list_with_its_people() -> None:
    found = town.drawn().layers["conflicts"]
    told = found[["order", "step", "object", "object_id", "people"]].to_numpy().tolist()
    assert told == [
        [1, 1, "building", "b7", 10.0],  # level 5 of water
        [2, 3, "building", "b12", 0.0],  # the hospital, and
        [3, 3, "facility", "f1", 0.0],  # what the map has as its facility: important ones first
        [4, 3, "building", "b9", 12.0],
        [5, 3, "building", "b5", 8.0],
        [6, 3, "building", "b3", 6.0],
    ]
    assert found["level_max"].iloc[0] == 5
    # The station itself does not yield to itself.
    assert "f0" not in set(found["object_id"])


def test_the_ground_is_divided_as_a_ruler_divides_it() -> None:
    """River 40 m wide, strip 30 m, fault 100 m to the east and to the west, a circle, the flood, the park."""
    found, told = town.drawn(), town.drawn().communities_told
    circle = 0.5 * np.pi * 14**2
    west = 40 * 600 + 30 * 400 - 40 * 30 + circle + 100 * 100
    east = 30 * 400 + 200 * 600 - 200 * 30 + circle
    assert told["let_m2"].tolist() == pytest.approx([west, east], rel=1e-3)
    assert told["avoid_m2"].tolist() == pytest.approx([0, 100 * 100], rel=1e-6)
    # 30 m more on both sides of the river, without the strip; water of 0.4 m
    assert told["prevent_m2"].tolist() == pytest.approx([2 * 30 * 570 + 100 * 100, 0], abs=1)
    assert told["buildings_in_let"].tolist() == [2, 3] and told["people_in_let"].tolist() == [16, 20]
    drawn = found.layers["setbacks"].set_index("rule_id")
    # 20 m all along the line, of which 600 m lie in the study
    assert drawn.loc["river", "area_m2"] == pytest.approx(40 * 600, rel=1e-6)
    assert drawn.loc["river", ["zone", "distance", "sources"]].tolist() == ["let", "20", 1]
    assert drawn.loc["fuel_ordinary", "area_m2"] == pytest.approx(np.pi * 14**2, rel=2e-3)
    assert "fault_8_b" not in drawn.index  # asked of buildings of class B alone, and drawn nowhere
    sources = found.layers["setback_sources"].set_index("source_id")
    assert sources.loc["l0", ["name", "distance_m"]].tolist() == ["Long River", 50.0]
    assert sources.loc["s0", "distance_m"] == 400.0  # a special study for class A


def test_a_building_outside_every_community_is_in_the_count_of_the_whole_and_told() -> None:
    """Of the three to move in the east the hospital stands on ground that is no community's: nobody lives there."""
    holed = box(400, 0, town.WIDE, town.HIGH).difference(box(555, 305, 575, 325))
    found = town.of(town.city(communities=town.communities(box(0, 0, 400, town.HIGH), holed)))
    assert found.communities_told["buildings_in_let"].tolist() == [2, 2]
    assert found.headline["buildings_in_let"] == 5 == (found.layers["conflicts"]["object"] == "building").sum()
    (note,) = [note for note in found.notes if note.code == "retreat_outside"]
    assert isinstance(note, Finding) and note.count == 1 and "1 of the 5 buildings" in note.en and "5栋" in note.zh
    assert not [note for note in town.drawn().notes if note.code == "retreat_outside"]


def test_lots_are_judged_for_what_they_are_meant_for() -> None:
    same = box(510, 500, 590, 540)  # from 110 m to 190 m off the fault, 20 m below the line
    found = town.otherwise(lots=town.lots({
        "homes": (same, "residential"), "hospital": (same, "hospital"), "unsaid": (same, None),
        "park": (box(450, 350, 500, 450), "park"),
        "bank": (box(110, 300, 150, 340), "house"), "half in": (box(115, 300, 130, 340), "house"),
        "in the park": (box(450, 350, 550, 450), "house"), "across": (box(400, 350, 500, 450), "house"),
    }))  # fmt: skip
    lots = found.layers["lots"].set_index("lot_id")
    assert lots["verdict"].to_dict() == {
        "homes": "none", "hospital": "let", "park": "avoid", "unsaid": "none",
        "bank": "prevent", "half in": "prevent", "in the park": "avoid", "across": "avoid",
    }  # fmt: skip
    assert lots.loc["hospital", "rules"] == "fault_8_b"
    # 10 of 40 m nearer than 20 m, the rest within 50 m: nothing of it is let as a whole
    assert lots.loc["bank", ["let_share", "prevent_share"]].tolist() == pytest.approx([0.25, 0.75])
    assert lots.loc["bank", "reason_zh"].startswith("防（其中25%应让出）：河道，相距10米，应距20米，占25%")
    assert lots.loc["across", "avoid_share"] == pytest.approx(0.5)
    assert lots.loc["homes", "area_m2"] == pytest.approx(3200)


def test_a_reserve_is_kept_from_building_and_not_from_parks() -> None:
    green, within = box(430, 505, 560, 543), box(450, 512, 480, 540)
    lots = {"green": (green, "green"), "house": (within, "house"), "park": (within, "forest")}
    found = town.otherwise(lots=town.lots(lots))
    reserve = found.layers["reserve"]
    assert reserve["chosen"].tolist() == [True] and reserve["source_id"].tolist() == ["green"]
    assert found.headline["reserve_found_m2"] == pytest.approx(reserve["taken_m2"].sum())
    told = found.layers["lots"].set_index("lot_id")
    assert told["verdict"].to_dict() == {"green": "none", "house": "prevent", "park": "none"}
    assert told.loc["house", "rules"] == "reserve" and "应急留白地块" in told.loc["house", "reason_zh"]


def test_two_runs_are_the_same_to_the_last_byte() -> None:
    one, other = town.drawn(), town.otherwise()
    for name, layer in one.layers.items():
        told = other.layers[name]
        assert layer.geometry.to_wkb().tolist() == told.geometry.to_wkb().tolist(), name
        assert layer.drop(columns="geometry").equals(told.drop(columns="geometry")), name
    assert list(one.headline) == list(other.headline)
    assert [note.en for note in one.notes] == [note.en for note in other.notes]


def test_what_is_told_of_communities_comes_to_the_headline() -> None:
    found = ordinary()
    units = found.layers["communities"]
    summed = ("_m2", "_in_let", "people_without_access")
    for name, value in town.drawn().headline.items():
        if name in units and name.endswith(summed):
            assert units[name].sum() == pytest.approx(value), name
    for name in ("people_moved", "people_at_risk_now", "people_at_risk_avoid", "people_in_let", "let_m2"):
        assert units[name].sum() == pytest.approx(found.headline[name])
    assert found.headline["buildings_in_let"] == (found.layers["conflicts"]["object"] == "building").sum()


def test_the_regions_are_all_the_ground_once() -> None:
    _regions_partition(town.drawn())


def test_the_people_of_a_point_within_a_house_live_there_and_others_on_their_spot() -> None:
    base = town.ready()
    demand = base.people.demand
    assert demand["building_id"].isna().all()
    names = base.city.buildings["name"].to_numpy()[base.building_rows]
    assert names.tolist() == [name for name, (*_, count) in town.HOUSES.items() if count]
    loose = base.people.demand.set_geometry(demand.geometry.translate(0, -30), crs=CRS)
    elsewhere = replace(base, people=replace(base.people, demand=loose, shapes=loose.geometry.to_numpy()))
    assert (elsewhere.building_rows == -1).all()
    verdict = land.verdicts_of_people(replace(town.drawn(), base=elsewhere))
    said = dict(zip(names, verdict, strict=True))
    # 30 m to the south: new homes on the bank yield, the ground at the pump is free, and so is that below the strip
    assert said["at the river"] == "let" and said["beside the river"] == "prevent"
    assert said["at the fuel"] == said["in the strip"] == "none"
    assert said["near the fault"] == "let" or said["near the fault"] == "none"  # on the line of 100 m itself


def test_nothing_is_a_reason_against_itself_but_its_neighbour_is() -> None:
    """Two stations 5 m apart; ids that tables of different things share say nothing."""
    pumps = table(tables.FACILITIES, [point(*town.FUEL), point(405, 100)], kind=["fuel", "fuel"])
    found = town.otherwise(facilities=pumps)
    stations = found.judged.table.iloc[-2:]
    assert stations["verdict"].tolist() == ["let", "let"] and "5 m away, 14 m required" in stations["reason_en"].iloc[0]
    alike = town.otherwise(
        sources=table(tables.SOURCES, [line(town.FAULT)], kind=["fault"], source_id=["b9"]),
        facilities=table(tables.FACILITIES, [point(*town.FUEL)], kind=["fuel"], facility_id=["b5"]),
    )
    assert buildings(alike).loc[["near the fault", "at the fuel"], "verdict"].tolist() == ["let", "let"]
    # The shop in which the pump is drawn is the station's own.
    shop = town.otherwise(facilities=table(tables.FACILITIES, [point(413, 100)], kind=["fuel"]))
    assert buildings(shop).loc["at the fuel", "verdict"] == "none"


@pytest.mark.parametrize("second", [box(300, 0, 800, 600), box(100, 100, 300, 600)], ids=["across", "within"])
def test_ground_of_two_communities_is_that_of_the_smaller(second: shapely.Polygon) -> None:
    found = town.of(town.city(communities=town.communities(box(0, 0, 400, 600), second)))
    _zones_are_disjoint_and_within(found)
    let = shapely.area(shapely.union_all(found.let))
    assert found.headline["let_m2"] == pytest.approx(let, abs=0.1)
    assert found.communities_told["people_in_let"].sum() == 36


# -- what lacks --------------------------------------------------------------------------------------------------------


def without(schema: Schema) -> gpd.GeoDataFrame:
    return empty(schema, crs=CRS)


LACKING: dict[str, dict[str, Any]] = {
    "rules": {"rules": NO_RULES},
    "buildings": {"buildings": without(tables.BUILDINGS)},
    "communities": {"communities": None},
    "shelters": {"shelters": without(tables.SHELTERS)},
    "hazards": {"hazards": {}},
    "people": {"people": {None: without(tables.DEMAND)}},
    "streets": {"ways": None},
    "anything": {
        "ways": None, "people": {}, "communities": None, "hazards": {}, "rules": NO_RULES, "sources": None,
        "buildings": without(tables.BUILDINGS), "facilities": without(tables.FACILITIES),
        "shelters": without(tables.SHELTERS), "lines": without(tables.LINES), "areas": without(tables.AREAS),
    },
}  # fmt: skip


@pytest.mark.parametrize("what", LACKING)
def test_a_study_without_it_has_the_same_tables(what: str) -> None:
    found = land.of(readied.prepare(town.city(**LACKING[what]), params=PARAMS))
    for name, layer in town.drawn().layers.items():
        assert list(found.layers[name].columns) == list(layer.columns), name
    assert list(found.headline) == list(town.drawn().headline)
    assert list(found.communities_told.columns) == list(town.drawn().communities_told.columns)
    assert len(found.layers["buildings"]) == len(found.base.city.buildings)
    assert all(rules is None or isinstance(rules, str) for rules in found.layers["buildings"]["rules"])
    _zones_are_disjoint_and_within(found)
    checked = site_check.check(found, box(330, 300, 340, 310), town.planned("house"))
    assert checked.verdict == "none"
    codes = {note.column for note in found.notes if note.code == "sources_not_known"}  # type: ignore[attr-defined]
    # Nobody knows where motorways are where the streets are made.
    assert ("streets" in codes) == (what == "streets")
    if what == "rules":
        assert set(found.zones["zone"]) == {"avoid"}


def test_nothing_given_for_rules_alone_is_no_sources() -> None:
    none, empty_ = (town.otherwise(sources=table_) for table_ in (None, without(tables.SOURCES)))
    assert none.layers["buildings"]["verdict"].tolist() == empty_.layers["buildings"]["verdict"].tolist()
    assert buildings(none).loc[["hospital", "near the fault"], "verdict"].tolist() == ["none", "none"]


# -- laws --------------------------------------------------------------------------------------------------------------

QUICK = (Phase.explicit, Phase.reuse, Phase.generate)
"""A city takes half a second: what fails is told as it is, not made smaller."""
FEW = Rules(
    {name: RULES.rules[name] for name in (
        "river", "river_side", "power_330kv", "fuel_ordinary", "fuel_important", "fault_8_b", "fault_8_c",
        "flood_deep", "flood_wet", "combined_serious", "fire_separation",
    )}, RULES.of,
)  # fmt: skip
whole = st.integers(0, 39).map(lambda n: 20.0 * n + 3.7)
boxes = st.tuples(whole, whole, st.integers(1, 12), st.integers(1, 12)).map(
    lambda b: box(b[0], b[1] * 0.75, b[0] + 9.3 * b[2], b[1] * 0.75 + 7.1 * b[3])
)
places = st.lists(boxes, min_size=2, max_size=6)
corners = st.lists(st.tuples(whole, whole), min_size=2, max_size=3, unique=True)
used = st.sampled_from(["house", "hospital", "park", "shed", None, "school"])


@st.composite
def somewhere(draw: st.DrawFn) -> dict[str, Any]:
    """Lines, pumps, a fault, a flood and lots at random; houses, streets and people are those of the town."""
    kinds = draw(st.lists(st.sampled_from(["river", "power_line"]), min_size=1, max_size=3))
    lines = table(tables.LINES, [line(draw(corners)) for _ in kinds], kind=kinds, voltage_v=[220_000.0] * len(kinds))
    pumps = draw(st.lists(st.tuples(whole, whole), max_size=2, unique=True))
    wet = draw(
        st.lists(st.tuples(st.integers(0, 30), st.integers(0, 20), st.sampled_from([0.1, 0.4, 2.0])), max_size=3)
    )
    lots = {f"p{k}": (shape, draw(used)) for k, shape in enumerate(draw(places))}
    return {
        "rules": FEW,
        "lines": lines,
        "facilities": table(tables.FACILITIES, [point(*each) for each in pumps], kind=["fuel"] * len(pumps)),
        "sources": table(tables.SOURCES, [line(draw(corners))], kind=["fault"]),
        "hazards": {"flood": water(*[(20.0 * x, 20.0 * y, 20.0 * x + 100, 20.0 * y + 80, m) for x, y, m in wet])},
        "lots": town.lots(lots),
    }


def _zones_are_disjoint_and_within(found: Land) -> None:
    """To the millimetre to which they are drawn: what overlaps is thinner than that."""
    shapes = found.zones.geometry.to_numpy()
    over = [shapely.intersection(one, other) for one, other in itertools.combinations(shapes, 2)]
    over.append(shapely.difference(shapely.union_all(shapes), found.ground))
    assert shapely.is_empty(shapely.buffer(over, -0.0008)).all() and shapely.area(over).sum() < 1.0
    assert shapely.is_valid(shapes).all() and found.zones["rules"].ne("").all()


def _regions_partition(found: Land) -> None:
    shapes = found.protected.regions.table.geometry.to_numpy()
    assert shapely.area(shapes).sum() == pytest.approx(shapely.area(found.ground), rel=1e-9)
    assert shapely.area(shapely.symmetric_difference(shapely.union_all(shapes), found.ground)) < 1e-3


def _verdicts_follow_from_their_reasons(judged: zoning.Judged, things: Shapes, found: Land, whole_share: float) -> None:
    """Each told share comes from the reasons told, and the verdict from the shares."""
    zone = found.claims.reasons["zone"].to_numpy(dtype=object)
    least = PARAMS.zoning.least(shapely.area(things))
    for row in range(len(things)):
        told = judged.table.iloc[row]
        hits = judged.hits[judged.hits["thing"] == row]
        most = {name: hits.loc[zone[hits["reason"]] == name, "share"] for name in zoning.ZONES}
        # A zone's share is at least its largest reason's and at most all of them, each beyond the stronger zones.
        assert told["let_share"] <= most["let"].sum() + 1e-6
        assert told["let_share"] >= most["let"].max() - 1e-6 if len(most["let"]) else told["let_share"] == 0
        shares = [told[f"{name}_share"] for name in zoning.ZONES]
        assert sum(shares) <= 1 + 1e-9
        let, avoid, prevent = (share if share >= least[row] else 0.0 for share in shares)
        # What is of a refuge in part, or must yield in part, is built on under conditions, as `zoning` says.
        expected = (
            "let" if let > 0 and let >= whole_share else "avoid" if avoid >= PARAMS.zoning.avoid_share
            else "prevent" if max(let, avoid, prevent) > 0 else "none"
        )  # fmt: skip
        assert told["verdict"] == expected
        names = found.claims.reasons["reason_id"].to_numpy(dtype=object)[hits["reason"]]
        assert set((told["rules"] or "").split(";")) - {""} == set(names)


@settings(deadline=None, phases=QUICK, max_examples=6)
@given(somewhere())
def test_every_city_keeps_the_laws(drawn: dict[str, Any]) -> None:
    found = town.otherwise(**drawn)
    _zones_are_disjoint_and_within(found)
    _regions_partition(found)
    lots = drawn["lots"]
    assert found.lots is not None
    _verdicts_follow_from_their_reasons(found.lots, lots.geometry.to_numpy(), found, PARAMS.zoning.lot_let_share)
    built = found.base.city.buildings.geometry.to_numpy()
    _verdicts_follow_from_their_reasons(found.judged, built, found, PARAMS.zoning.building_let_share)
    people = found.base.people.demand["people"].groupby(land.verdicts_of_people(found).astype(str)).sum()
    assert people.sum() == found.base.people.total and set(people.index) <= set(zoning.VERDICTS)
    listed = found.layers["conflicts"]
    assert listed["people"].sum() == people.get("let", 0) == found.headline["people_in_let"]
    for row, (lot, use) in enumerate(zip(lots.geometry, lots["use"], strict=True)):
        if shapely.intersects(lot, found.ground):
            checked = site_check.check(found, lot, uses.planned(use, params=PARAMS.uses))
            told = found.layers["lots"].iloc[row]
            assert (checked.verdict, checked.reason_en) == (told["verdict"], told["reason_en"])
            assert list(checked.shares.values()) == pytest.approx([told[f"{z}_share"] for z in zoning.ZONES], abs=1e-9)


@settings(deadline=None, phases=QUICK, max_examples=4)
@given(somewhere(), st.sampled_from(["river", "fault_8_c", "fault_8_b", "fuel_ordinary", "power_330kv", "river_side"]),
       st.sampled_from([1.1, 3.0, 100.0]))  # fmt: skip
def test_a_larger_setback_takes_nothing_out_of_let(drawn: dict[str, Any], name: str, factor: float) -> None:
    """Up to distances larger than the city; changed as a study changes them."""
    metres = float(FEW.rules[name].distance) * factor
    wider = data.rules.merged(FEW, {name: {"distance": metres}})
    _lets_no_less(town.otherwise(**drawn), town.otherwise(**drawn | {"rules": wider}))


@settings(deadline=None, phases=QUICK, max_examples=3)
@given(somewhere(), st.integers(0, 30), st.sampled_from([0.1, 0.4, 2.0]))
def test_another_hazard_takes_nothing_out_of_let(drawn: dict[str, Any], at: int, depth: float) -> None:
    more = water((20.0 * at, 0, 20.0 * at + 200, 600, depth), hazard_id="rain")
    hazards = {**drawn["hazards"], "rain": more}
    _lets_no_less(town.otherwise(**drawn), town.otherwise(**drawn | {"hazards": hazards}))


def _lets_no_less(before: Land, after: Land) -> None:
    let = [shapely.union_all(found.let) for found in (before, after)]
    assert let[0].difference(let[1].buffer(0.002)).area < 0.01  # zones are drawn to the millimetre
    for name in ("lots", "buildings"):
        one, other = (found.layers[name]["verdict"] == "let" for found in (before, after))
        assert not (one & ~other).any(), name
    one, other = (set(found.layers["conflicts"]["object_id"]) for found in (before, after))
    assert one <= other


@settings(deadline=None, phases=QUICK, max_examples=2)
@given(somewhere(), st.randoms(use_true_random=False))
def test_the_order_of_what_is_given_changes_nothing(drawn: dict[str, Any], chance: Any) -> None:
    def mixed(rows: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
        return rows.iloc[sorted(range(len(rows)), key=lambda _: chance.random())].reset_index(drop=True)

    shuffled = {name: mixed(value) if isinstance(value, gpd.GeoDataFrame) else value for name, value in drawn.items()}
    one, base = town.otherwise(**drawn), town.ready()
    city = replace(base.city, **shuffled, buildings=mixed(base.city.buildings))
    other = land.of(replace(base, city=city, hazards=drawn["hazards"]))
    for name, key in (("buildings", "building_id"), ("lots", "lot_id"), ("conflicts", "object_id")):
        told = [
            found.layers[name].sort_values(key).drop(columns="geometry").reset_index(drop=True)
            for found in (one, other)
        ]
        pd.testing.assert_frame_equal(*told, rtol=1e-9)
    assert one.layers["conflicts"]["object_id"].tolist() == other.layers["conflicts"]["object_id"].tolist()
    assert one.zones.geometry.to_wkb().tolist() == other.zones.geometry.to_wkb().tolist()
    assert one.zones["rules"].tolist() == other.zones["rules"].tolist()
