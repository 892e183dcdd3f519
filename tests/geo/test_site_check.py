"""May this be built here, and why: places in the drawn town with every rule, and places that are none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

import data.rules
from geo import setbacks, site_check, uses
from geo.errors import InputError
from geo.site_check import BROKEN, KEPT, NOT_FOR_IT, NOTHING_NEAR, RULES, TOUCHED, Checked
from tests.geo import drawn_land as town
from tests.geo.drawn_land import box, line, planned, point

LOT = box(510, 500, 590, 540)
"""110 to 190 m off the fault, 20 m below the power line; the trunk of the town is far."""


def checked(shape: shapely.Geometry, use: str | None = "house", **told: object) -> Checked:
    return site_check.check(town.drawn(), shape, planned(use, **told))


def rule(found: Checked, name: str) -> pd.Series:
    return found.rules.set_index("rule_id").loc[name]


def test_a_hospital_of_class_b_is_told_otherwise_than_a_park_on_the_same_lot() -> None:
    """200 m from the fault for class B, 100 m for houses, none for a park."""
    hospital = checked(LOT, "hospital", class_="乙", beds=300)
    house, park = checked(LOT, "house"), checked(LOT, "park")
    assert [found.verdict for found in (hospital, house, park)] == ["let", "none", "none"]
    broken = rule(hospital, "fault_8_b")
    assert broken[["standing", "source_name_en", "required_m", "grade"]].tolist() == [BROKEN, "East Fault", 200.0, "V"]
    assert broken["distance_m"] == pytest.approx(110) and broken["share"] == pytest.approx(1)
    assert broken["clause"].startswith("4.1.7")
    kept = rule(house, "fault_8_c")
    assert kept[["standing", "required_m", "share"]].tolist() == [KEPT, 100.0, 0.0]
    assert kept["distance_m"] == pytest.approx(110)
    assert rule(house, "fault_8_b")["standing"] == rule(park, "fault_8_c")["standing"] == NOT_FOR_IT
    assert rule(park, "power_330kv")["standing"] == NOT_FOR_IT
    assert checked(LOT, "house", class_="B").verdict == "let"  # the class goes before the use
    assert checked(LOT, "house", people=600).verdict == "none"  # important, but of class C


@pytest.mark.parametrize(
    ("shape", "use", "verdict", "name", "metres"),
    [
        (point(119.9, 300), "house", "let", "river", 19.9),
        (point(120.1, 300), "house", "prevent", "river_side", 20.1),
        (point(150.1, 300), "house", "none", "river_side", 50.1),
        (point(300, 545.1), "house", "let", "power_330kv", 14.9),
        (box(395, 113, 405, 123), "house", "prevent", "fuel_ordinary", 13.0),
        (box(395, 114.01, 405, 124), "house", "none", "fuel_ordinary", 14.01),
        (box(395, 130, 405, 140), "school", "prevent", "fuel_important", 30.0),
        (box(395, 135.01, 405, 145), "school", "none", "fuel_important", 35.01),
        (box(395, 128, 405, 138), "assembly_point", "prevent", "fire_source_shelter", 28.0),
        (box(460, 360, 470, 370), "house", "avoid", "refuge", 0.0),
        (line([(330, 290), (360, 290)]), "house", "none", "river_side", 230.0),
        (box(220, 20, 240, 40), "house", "let", "flood_deep", 0.0),
        (box(220, 120, 240, 140), "house", "prevent", "flood_wet", 0.0),
        (box(335, 315, 345, 325), "house", "prevent", "fire_separation", np.hypot(0, 5)),  # 5 m above "free"
        (box(335, 316, 345, 326), "house", "none", "fire_separation", 6.0),
    ],
)
def test_the_verdict_and_the_distance_are_those_of_a_ruler(
    shape: shapely.Geometry, use: str, verdict: str, name: str, metres: float
) -> None:
    found = checked(shape, use)
    assert found.verdict == verdict, found.reason_en
    row = rule(found, name)
    assert row["distance_m"] == pytest.approx(metres, abs=1e-6)
    assert (row["standing"] == BROKEN) == (verdict != "none")
    assert list(found.rules.columns) == list(RULES)


def test_every_rule_is_told_once_broken_ones_first_and_of_those_far_away_nothing() -> None:
    found = checked(box(110, 300, 150, 340))
    rules = [kept.rule_id for kept in town.drawn().setbacks.kept]
    assert sorted(found.rules["rule_id"]) == sorted(rules)
    order = [site_check.STANDINGS.index(each) for each in found.rules["standing"]]
    assert order == sorted(order)
    assert found.rules["rule_id"].iloc[:2].tolist() == ["river", "river_side"]
    nowhere = found.rules[found.rules["standing"] == NOTHING_NEAR]
    assert {"motorway", "lake", "landslide_special"} <= set(nowhere["rule_id"])
    assert nowhere["source_id"].isna().all() and nowhere["distance_m"].isna().all()
    assert found.shares == pytest.approx({"let": 0.25, "avoid": 0.0, "prevent": 0.75})


@pytest.mark.parametrize(
    ("depth_m", "standing", "verdict", "share"),
    [(-0.01, KEPT, "none", 0), (0.01, TOUCHED, "none", 0), (0.9, TOUCHED, "none", 0), (1.1, BROKEN, "prevent", 1.21)],
)
def test_a_corner_too_small_to_count_is_told_as_one(depth_m: float, standing: str, verdict: str, share: float) -> None:
    """A lot on its corner, 50 m off the river but for so much: a triangle of the depth squared, 1 m² counts."""
    x, y, half = 150 - depth_m, 300, 25
    lot = shapely.Polygon([(town.X + a, town.Y + b) for a, b in
                           ((x, y), (x + half, y - half), (x + 2 * half, y), (x + half, y + half))])  # fmt: skip
    found = checked(lot)
    row = rule(found, "river_side")
    assert (found.verdict, row["standing"]) == (verdict, standing)
    assert row["distance_m"] == pytest.approx(50 - depth_m) and row["required_m"] == 50
    assert row["share"] * lot.area == pytest.approx(share, abs=1e-3)


def test_what_is_told_of_the_ground() -> None:
    deep, dry, edge = (checked(box(x, 20, x + 10, 30)).ground for x in (220, 330, 395))
    assert (deep.level, deep.unknown_share, deep.community_id) == (5.0, 0.0, "c0")
    assert dry.level == 0.0
    assert edge.community_id == "c0"  # its middle lies on the border: one of the two, of equal size the first
    none = site_check.check(town.otherwise(hazards={}), LOT, planned("house")).ground
    assert np.isnan(none.level) and none.unknown_share == 1.0


def test_the_kept_and_the_broken_agree_with_their_distances() -> None:
    """What is told of a rule never speaks against itself."""
    chance = np.random.default_rng(6)
    for x, y, side in zip(
        *(chance.uniform(low, high, 12) for low, high in ((0, 760), (0, 560), (0.5, 40))), strict=True
    ):
        found = checked(box(x, y, x + side, y + side), str(chance.choice(["house", "hospital", "park", "school"])))
        kept, touched, broken = (found.rules[found.rules["standing"] == name] for name in (KEPT, TOUCHED, BROKEN))
        assert (kept["distance_m"] >= kept["required_m"] - setbacks.EXACT_M).all()
        assert ((touched["distance_m"] < touched["required_m"]) | (touched["distance_m"] == 0)).all()
        assert (touched["share"] == 0).all()
        away = broken[broken["required_m"] > 0]
        assert (away["distance_m"] < away["required_m"]).all() and (broken["share"] > 0).all()
        assert found.verdict == "none" or len(broken)


# -- places that are none ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("shape", "why"),
    [
        (shapely.Polygon(), "an empty geometry"),
        (shapely.Point(), "an empty geometry"),
        (shapely.MultiPolygon(), "an empty geometry"),
        (
            shapely.Polygon([(town.X + x, town.Y + y) for x, y in ((10, 10), (90, 90), (90, 10), (10, 90))]),
            "Self-inter",
        ),
        (shapely.Point(np.nan, np.nan), "Invalid Coordinate"),
        (shapely.Point(town.X + 100, np.inf), "Invalid Coordinate"),
        (shapely.GeometryCollection([point(330, 250), LOT]), "a GeometryCollection"),
        (shapely.box(0, 0, 1, 1), "outside"),
        (point(801, 300), "1 m outside"),
    ],
)
def test_what_is_no_place_of_the_study_is_refused(shape: shapely.Geometry, why: str) -> None:
    with pytest.raises(InputError, match=why):
        checked(shape)


def test_any_shape_of_the_study_is_answered() -> None:
    whole = checked(box(0, 0, 800, 600))
    ground = town.drawn().communities_told[["let_m2", "avoid_m2", "prevent_m2"]].sum() / (800 * 600)
    assert list(whole.shares.values()) == pytest.approx(ground.tolist(), abs=2e-3)
    assert whole.verdict == "prevent" and len(whole.rules) >= 90
    assert checked(box(-1000, -1000, 2000, 2000)).verdict in ("prevent", "none")  # larger than the study
    round_ = point(330, 250).buffer(30, quad_segs=2500)
    assert shapely.get_num_coordinates(round_) > 10_000
    assert checked(round_).verdict == "none"
    parts = shapely.union_all([box(105, 200, 115, 210), box(330, 200, 360, 210)])  # a quarter of it at the river
    assert checked(parts).shares["let"] == pytest.approx(0.25)
    holed = box(440, 340, 560, 460).difference(box(449, 349, 551, 451))
    assert checked(holed, "park").verdict == "none"  # all round the park, and none of it
    assert checked(shapely.force_3d(LOT, 5.0), "hospital").verdict == "let"


def test_the_same_question_has_the_same_answer() -> None:
    one, other = (checked(box(100, 520, 140, 560), "hospital") for _ in range(2))
    assert one.rules.equals(other.rules) and one.shares == other.shares and one.reason_zh == other.reason_zh


@settings(deadline=None, max_examples=8)
@given(st.floats(0, 790), st.floats(0, 590), st.floats(0.1, 200), st.sampled_from(["house", "hospital", "park"]))
def test_every_rule_that_is_broken_is_one_that_setbacks_knows(x: float, y: float, side: float, use: str) -> None:
    """The ground of the claims and the plain distances are two ways to the same rules."""
    lot, what, found = box(x, y, x + side, y + side), planned(use), town.drawn()
    told = site_check.check(found, lot, what).rules.set_index("rule_id")["standing"]
    hits = setbacks.lacking(found.setbacks, np.array([lot], dtype=object), what, on="planned")
    names = {found.setbacks.kept[row].rule_id: required - metres for row, metres, required in
             zip(hits["rule"], hits["distance_m"], hits["required_m"], strict=True)}  # fmt: skip
    for name, standing in told.items():
        lacks = names.get(str(name))
        if lacks is None:
            assert standing != BROKEN or name in ("refuge", "reserve"), name
        else:
            assert standing in ((BROKEN,) if lacks > 0.5 else (BROKEN, TOUCHED)), name  # beyond a drawn circle: broken


def test_rules_that_cannot_be_worked_out_leave_their_sources_out() -> None:
    """H is 0 of one dyke and not told of the other; 100/H of the third is 50 m."""
    from geo import tables

    shapes = [line([(x, 0), (x, 600)]) for x in (300, 450, 600)]
    dykes = town.table(tables.SOURCES, shapes, kind=["dyke"] * 3, height_m=[0.0, np.nan, 2.0])
    rules = data.rules.merged(town.RULES, {"wall": {
        "layer": "sources", "kinds": ["dyke"], "distance": "100/H", "where": ["height_m is known"], "zone": "let",
        "applies_to": ["building"], "en": "Wall", "zh": "墙",
    }})  # fmt: skip
    found = town.otherwise(sources=dykes, rules=rules)
    (kept,) = [each for each in found.setbacks.kept if each.rule_id == "wall"]
    assert kept.source_id.tolist() == ["s2"] and kept.distance_m.tolist() == [50.0] and kept.dropped == 1
    at = site_check.check(found, box(630, 480, 640, 490), uses.planned("house", params=town.PARAMS.uses))
    assert rule(at, "wall")[["standing", "distance_m", "required_m"]].tolist() == [BROKEN, 30.0, 50.0]
    assert any(note.code == "sources_without_distance" for note in found.notes)
