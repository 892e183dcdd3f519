"""Who claims ground: rules round their sources, reserves and refuge; gaps between buildings claim from one thing."""

from __future__ import annotations

import numpy as np
import pytest
import shapely

from data import rules, standards
from geo import claimed, setback_tables, setbacks, tables, uses
from geo.claimed import KEPT_FREE, REFUGE, RESERVE, RESERVED
from geo.curves import LevelTables
from geo.rules import Rules
from geo.setbacks import SetbackParams, Setbacks
from geo.sources import Ground
from geo.uses import UseParams
from geo.zoning import CLAIMED, EVERYBODY, REASONS, Claims
from tests.geo.drawn_land import CRS, X, Y, box, line, table

STANDARDS = standards.load()
OURS = rules.load()
NAMES = ("river", "fault_8_b", "fault_8_c", "fire_separation", "fire_source_shelter")
RULES = Rules({name: OURS.rules[name] for name in NAMES}, OURS.of)
USES = UseParams.of(STANDARDS)


def gathered(*houses: shapely.Polygon) -> Setbacks:
    """A river at x = 0, a fault at x = 700, some houses."""
    layers = {
        "lines": table(tables.LINES, [line([(0, 0), (0, 600)])], kind=["river"]),
        "sources": table(tables.SOURCES, [line([(700, 0), (700, 600)])], kind=["fault"]),
        "buildings": table(tables.BUILDINGS, list(houses), use=["house"] * len(houses)),
        "facilities": tables.empty(tables.FACILITIES, crs=CRS),
    }
    ground = Ground(CRS, (X, Y, X + 800, Y + 600), LevelTables.of(STANDARDS))
    return setbacks.gather(RULES, layers, ground, params=SetbackParams.of(STANDARDS))


def shapes(*found: shapely.Geometry) -> np.ndarray:
    return np.array([*found, None], dtype=object)[:-1]


def test_each_source_of_each_rule_claims_its_ground_for_all() -> None:
    found = gathered(box(300, 300, 310, 310))
    claims = claimed.of_rules(found)
    told = claims.reasons.set_index("reason_id")
    # Ground is judged for a dwelling of class C: what only holds for others conditions it; what is not drawn is None.
    assert told["ground_zone"].to_dict() == {
        "river": "let", "fault_8_b": None, "fault_8_c": "let", "fire_separation": None, "fire_source_shelter": None,
    }  # fmt: skip
    assert told["zone"].to_dict() == dict.fromkeys(NAMES, "let") | {"fire_separation": "prevent"}
    assert list(claims.reasons.columns) == list(REASONS)
    # The fault's second rule is drawn nowhere and asked all the same; no station, no claim.
    names = claims.reasons["reason_id"].to_numpy()[claims.reason]
    assert names.tolist() == ["river", "fault_8_b", "fault_8_c"]
    assert claims.required_m.tolist() == [20, 200, 100] and claims.source_id.tolist() == ["l0", "s0", "s0"]
    assert (claims.whose == EVERYBODY).all()
    # A strip with round ends: within 0.1 % of the distance.
    strip, end = 2 * 20 * 600, np.pi * 20**2
    assert shapely.area(claims.shapes[0]) == pytest.approx(strip + end, rel=1e-3)


def test_a_gap_is_a_claim_on_the_one_thing_that_lacks_it() -> None:
    """5 m north of a house; the other 6 m north of it, as far as required; wall to wall; within a river."""
    found = gathered(box(300, 300, 310, 310))
    lots = shapes(box(300, 315, 310, 325), box(300, 316, 310, 326), box(310, 300, 320, 310))
    what = uses.of(["house"] * 3, params=USES)
    gaps = claimed.between_buildings(found, lots, what, on="planned")
    assert gaps.whose.tolist() == [0] and gaps.required_m.tolist() == [6.0] and gaps.source_id.tolist() == ["b0"]
    assert gaps.reasons["reason_id"].iloc[gaps.reason[0]] == "fire_separation"
    # 1 m of the lot's 10 lies within 6 m of the house.
    assert shapely.area(shapely.intersection(lots[0], gaps.shapes[0])) == pytest.approx(10, rel=1e-2)
    assert len(claimed.between_buildings(found, lots, what, on="standing")) == 0
    assert len(claimed.between_buildings(found, lots, uses.of(["park"] * 3, params=USES), on="planned")) == 0
    nothing = claimed.between_buildings(found, shapes(), uses.of([], params=USES), on="planned")
    assert len(nothing) == 0 and len(nothing.reasons) == len(NAMES)


def test_rules_between_buildings_claim_nothing_of_the_ground_and_are_not_drawn() -> None:
    found = gathered(box(300, 300, 310, 310))
    assert "fire_separation" not in set(
        claimed.of_rules(found).reasons["reason_id"].to_numpy()[claimed.of_rules(found).reason]
    )
    drawn = claimed.drawn(found)
    assert [kept.rule_id for kept in drawn.kept] == [name for name in NAMES if name != "fire_separation"]
    assert "b0" not in set(setback_tables.sources_table(drawn)["source_id"])


def test_reserves_and_places_of_refuge_claim_their_own_ground_and_points_none() -> None:
    sites = table(tables.SHELTERS, [box(0, 0, 10, 10), shapely.Point(X, Y)], kind=["park"] * 2, origin=["official"] * 2)
    claims = claimed.of_lots(sites, "shelter_id", KEPT_FREE)
    assert len(claims) == 1 and claims.source_id.tolist() == ["s0"] and claims.required_m.tolist() == [0]
    assert claims.reasons[["reason_id", "zone", "ground_zone"]].to_numpy().tolist() == [["refuge", "avoid", "avoid"]]
    none = claimed.of_lots(sites.iloc[:0], "shelter_id", RESERVED)
    assert len(none) == 0 and none.reasons["reason_id"].tolist() == [RESERVE]
    assert len(claims.alike(claims)) == 2


def test_reserves_hold_for_what_is_built_and_refuge_for_everything() -> None:
    found = gathered()
    sites = table(tables.SHELTERS, [box(0, 0, 10, 10)], kind=["park"], origin=["official"])
    claims = Claims.joined([claimed.of_rules(found), claimed.of_lots(sites, "shelter_id", RESERVED),
                            claimed.of_lots(sites, "shelter_id", KEPT_FREE)])  # fmt: skip
    what = uses.of(["house", "park", "hospital", "shed", "assembly_point"], params=USES)
    planned = claimed.holds_for(found, claims.reasons, what, on="planned")
    assert dict(zip(claims.reasons["reason_id"], planned.tolist(), strict=True)) == {
        "river": [True, False, True, True, True],
        "fault_8_b": [False, False, True, False, False],
        "fault_8_c": [True, False, False, False, False],
        "fire_separation": [True, False, True, True, False],
        "fire_source_shelter": [False, False, False, False, True],
        RESERVE: [True, False, True, True, False],
        REFUGE: [True] * 5,
    }
    standing = claimed.holds_for(found, claims.reasons, what, on="standing")
    assert not standing[0].any() and not standing[3].any()  # new buildings alone keep from rivers and from each other
    nobody = claimed.holds_for(found, claims.reasons, uses.of([], params=USES), on="ground")
    assert nobody.shape == (len(claims.reasons), 0)


def test_without_rules_there_is_nothing_with_the_right_columns() -> None:
    empty = setbacks.gather(
        Rules({}, {}), {}, Ground(CRS, (0, 0, 1, 1), LevelTables.of(STANDARDS)), params=SetbackParams.of(STANDARDS)
    )
    claims = claimed.of_rules(empty)
    assert len(claims) == 0 and list(claims.reasons.columns) == list(REASONS)
    assert all(len(getattr(claims, name)) == 0 for name in CLAIMED)
    assert claimed.holds_for(empty, claims.reasons, uses.of(["house"], params=USES), on="ground").shape == (0, 1)
    gaps = claimed.between_buildings(empty, shapes(box(0, 0, 1, 1)), uses.of(["house"], params=USES), on="planned")
    assert len(gaps) == 0
