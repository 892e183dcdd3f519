"""Which rule set says what of a tier, and which tier a site is of."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

import data.standards
from app.parameters import changed, listed
from geo import tiers
from geo.city import PlanParams
from geo.errors import ParameterError
from geo.standards import Standards, Value
from geo.tiers import QUANTITIES, TIERS, Number, TierParams

STANDARDS = data.standards.load()
CHINA = TierParams.of(STANDARDS)


def params(**changes: object) -> TierParams:
    return TierParams.model_validate(CHINA.model_dump() | changes)


def sites(*rows: dict[str, object]) -> pd.DataFrame:
    usual = {"kind": "school", "tier": None, "origin": "official", "area_m2": np.nan, "floor_m2": np.nan}
    return pd.DataFrame([usual | row for row in rows])


def test_chinas_numbers_are_in_force() -> None:
    assert [CHINA.rule(tier).m2_per_person for tier in TIERS] == [0.5, 2.0, 3.0, 4.5, 4.5]
    short = CHINA.rule("short")
    assert (short.distance_m, short.days, short.min_site_m2, short.max_people, short.entrances) == (
        1000, 15, 2000, 5000, 2,
    )  # fmt: skip
    assert np.isnan(CHINA.rule("central").distance_m)


@pytest.mark.parametrize(("rules", "m2"), [
    ("china", (0.5, 2.0, 3.0)), ("sphere", (0.5, 3.5, 3.5)), ("fema", (0.46, 1.86, 3.72)),
    ("japan", (0.825, 1.65, 3.5)),
])  # fmt: skip
def test_every_set_speaks_and_what_it_says_nothing_of_the_other_says(rules: str, m2: tuple[float, ...]) -> None:
    of = params(rules=rules)
    assert tuple(of.rule(tier).m2_per_person for tier in TIERS[:3]) == m2
    assert of.number("short_m") == Number(1000, "china")
    assert (of.number("camp_m2_per_person").value == 45) is (rules == "sphere")


def test_a_study_goes_before_every_set() -> None:
    plan = changed(PlanParams.of(STANDARDS), {"tiers.rules": "sphere", "tiers.short_m": "800"}, where="study.toml")
    assert plan.tiers.number("short_m") == Number(800, "study")
    assert plan.tiers.number("short_m2_per_person") == Number(3.5, "sphere")
    with pytest.raises(ParameterError, match="a number"):
        changed(plan, {"tiers.short_m": "far"}, where="study.toml")
    with pytest.raises(ParameterError, match="of china, fema, japan, sphere"):
        changed(plan, {"tiers.rules": "mars"}, where="study.toml")
    assert "tiers.short_m" in {parameter.name for parameter in listed(plan)}


def test_every_number_of_a_set_says_where_it_is_from() -> None:
    grades = {key: STANDARDS[key].grade for key in STANDARDS if key.startswith("tiers.china.")}
    assert len(grades) >= 25
    assert grades["tiers.china.short_min_site_m2"] == "V"
    assert grades["tiers.china.short_m2_per_person"] == "M"


def test_a_set_that_says_what_no_tier_has_is_refused() -> None:
    with pytest.raises(ValidationError, match=r"not china\.short_colour"):
        params(**{"china.short_colour": 1.0})
    with pytest.raises(ValidationError, match=r"more than 0: mine\.short_m2_per_person"):
        params(**{"mine.short_m2_per_person": 0})


def test_another_file_is_another_set() -> None:
    more = {"tiers.mine.short_m": Value(700, "m", "mine", "", "P", "Mine.")}
    of = TierParams.of(Standards({key: STANDARDS[key] for key in STANDARDS} | more))
    assert of.model_copy(update={"rules": "mine"}).number("short_m") == Number(700, "mine")


def test_all_that_is_in_force_as_a_table() -> None:
    table = tiers.in_force(params(rules="japan", long_days=60))
    assert len(table) == len(TIERS) * len(QUANTITIES)
    told = table.set_index(["tier", "quantity"])
    assert told.loc[("long", "days")].tolist() == [60, "study"]
    assert told.loc[("short", "m2_per_person"), "source"] == "japan"
    assert told.loc[("central", "m"), "source"] == ""


def test_the_tier_is_declared_or_follows_from_the_ground() -> None:
    table = sites(
        {"tier": "central", "area_m2": 10.0}, {"area_m2": 900.0}, {"area_m2": 2000.0}, {"area_m2": 9999.0},
        {"area_m2": 10000.0}, {"area_m2": 1e6}, {"kind": "park", "area_m2": 60000.0},
        {"kind": "park", "area_m2": 60000.0, "origin": "candidate"}, {"kind": "park"}, {}, {"floor_m2": 12000.0},
        {"kind": "park", "tier": "emergency", "origin": "candidate", "area_m2": 60000.0},
    )  # fmt: skip
    found = tiers.tier_of(table, params=CHINA)
    assert found["tier"].tolist() == [
        "central", "emergency", "short", "short", "mid", "long", "long", "emergency", "emergency", "short", "mid",
        "emergency",
    ]  # fmt: skip
    assert found["tier_basis"].tolist() == [
        "declared", "site", "site", "site", "site", "site", "site", "kind", "kind", "kind", "site", "kind",
    ]  # fmt: skip
    assert tiers.tier_of(table.iloc[:0], params=CHINA).columns.tolist() == ["tier", "tier_basis"]


def test_numbers_of_sites_are_those_of_their_tier() -> None:
    tier = pd.Series(["short", "central", None, "camp"], dtype=object)
    assert tiers.of_sites(tier, "m", params=CHINA).tolist() == pytest.approx([1000] + [np.nan] * 3, nan_ok=True)


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 1e6), min_size=2, max_size=8), st.floats(0, 1e5))
def test_more_ground_is_never_a_lower_tier_and_order_changes_nothing(areas: list[float], more: float) -> None:
    rank = {tier: i for i, tier in enumerate(TIERS)}
    table = sites(*({"area_m2": area} for area in areas))
    of = tiers.tier_of(table, params=CHINA)["tier"]
    larger = tiers.tier_of(table.assign(area_m2=table["area_m2"] + more), params=CHINA)["tier"]
    assert (larger.map(rank) >= of.map(rank)).all()
    turned = table.iloc[::-1]
    assert tiers.tier_of(turned, params=CHINA)["tier"].sort_index().tolist() == of.tolist()
