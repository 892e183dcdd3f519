"""What people in shelters need: by the profile's numbers, for those sheltered, unknown where they are unknown."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from app.parameters import changed
from data import standards
from geo import needs
from geo.city import PlanParams
from geo.errors import ColumnError
from geo.needs import ITEMS, NeedsParams

STANDARDS = standards.load()
SPHERE = NeedsParams.of(STANDARDS)


def params(**changes: Any) -> NeedsParams:
    return NeedsParams.model_validate(SPHERE.model_dump() | changes)


def needed(people: list[float], given: NeedsParams = SPHERE, **groups: list[float]) -> pd.DataFrame:
    return needs.needed(pd.DataFrame({"people": people, **groups}), params=given)


# Golden: 1 000 people for three days, by hand: 1 000 × 15 L × 3 d = 45 000 L, 1 000 / 20 = 50 toilets, 15 %
# of them accessible: 7.5, so 8. China: 10 L and 3 L a day, 50 a toilet, 2 m2, kits of three.
GOLDEN = {
    "sphere": {"water_l": 45_000, "water_survival_l": 22_500, "food_rations": 3_000, "food_kcal": 6_300_000,
               "space_m2": 3_500, "toilets": 50, "toilets_accessible": 8, "beds": 1_000, "blankets": 1_000, "kits": 200,
               "first_aid_kits": 20},
    "china": {"water_l": 30_000, "water_survival_l": 9_000, "food_rations": 3_000, "food_kcal": 6_300_000,
              "space_m2": 2_000, "toilets": 20, "toilets_accessible": 3, "beds": 1_000, "blankets": 1_000, "kits": 334,
              "first_aid_kits": 20},
}  # fmt: skip


@pytest.mark.parametrize("profile", sorted(GOLDEN))
def test_a_thousand_people_for_three_days(profile: str) -> None:
    found = needed([1000], params(profile=profile)).iloc[0]
    assert found[[*GOLDEN[profile]]].to_dict() == pytest.approx(GOLDEN[profile])
    assert found[["space_disabled_m2", "tents"]].isna().all(), "nobody counted the disabled, or who sleeps outdoors"


def test_groups_are_added_where_they_are_counted() -> None:
    found = needed([100, 100, 100], people_disabled=[10, np.nan, 0], people_outdoors=[11, 0, np.nan])
    assert found["space_disabled_m2"].tolist() == pytest.approx([55.8, np.nan, 0], nan_ok=True)
    assert found["tents"].tolist() == pytest.approx([3, 0, np.nan], nan_ok=True)
    assert found["space_m2"].tolist() == [350] * 3


def test_not_known_is_not_none_and_nobody_needs_nothing() -> None:
    found = needed([np.nan, 0])
    mine = [name for name, item in ITEMS.items() if item.of == "people"]
    assert found.loc[0].isna().all() and (found.loc[1, mine] == 0).all()
    assert needed([]).shape == (0, len(ITEMS))
    both = needs.total(needed([np.nan, 20]))
    assert (both["toilets"], both["rows_unknown"], needs.total(needed([]))["toilets"]) == (1, 1, 0)
    assert np.isnan(needs.total(needed([np.nan]))["toilets"])


def test_a_planner_sets_any_number() -> None:
    plan = changed(PlanParams.of(STANDARDS), {"needs.profile": "china", "needs.water_l_day": "20"}, where="--set")
    assert (plan.needs.rate("water_l_day"), plan.needs.rate("persons_per_toilet")) == (20, 50)
    assert plan.needs.source("water_l_day") == "needs.water_l_day"
    source = STANDARDS[plan.needs.source("persons_per_toilet")]
    assert (source.value, source.grade, source.standard) == (50, "M", "GB 51143-2015")
    assert needs.needed(pd.DataFrame({"people": [10]}), params=plan.needs)["water_l"].tolist() == [600]
    assert needed([10], params(days=1, blankets_each=0))["blankets"].tolist() == [0]


def test_profiles_are_whole_and_named() -> None:
    assert SPHERE.profiles == ("china", "indonesia", "japan", "sphere")
    for profile in SPHERE.profiles:
        assert needed([1], params(profile=profile)).drop(columns=["tents", "space_disabled_m2"]).notna().all(axis=None)
    with pytest.raises(ValidationError, match="one of china, indonesia, japan, sphere"):
        params(profile="mars")
    with pytest.raises(ValidationError, match=r"lacking or unknown: mars\.beds_each"):
        params(**{"mars.water_l_day": 1.0})
    with pytest.raises(ValidationError, match=r"more than 0: sphere\.persons_per_toilet"):
        params(**{"sphere.persons_per_toilet": 0})


def test_what_is_refused() -> None:
    with pytest.raises(ColumnError, match="a column people"):
        needs.needed(pd.DataFrame({"affected": [3]}), params=SPHERE)
    with pytest.raises(ColumnError, match="0 or more"):
        needed([3, -1])


def test_as_one_row_a_need() -> None:
    table = needs.needed(pd.DataFrame({"people": [40, np.nan]}, index=["s1", "s2"]), params=SPHERE)
    rows = needs.listed(table, params=SPHERE)
    assert len(rows) == 2 * len(ITEMS) and rows["row"].tolist() == ["s1"] * len(ITEMS) + ["s2"] * len(ITEMS)
    one = rows[(rows["row"] == "s1") & (rows["item"] == "toilets")].iloc[0]
    assert one.tolist() == ["s1", "toilets", 2, "toilets", "toilets", "厕位", "needs.sphere.persons_per_toilet"]
    assert all(key in STANDARDS for key in rows["source"])


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 5_000), min_size=1, max_size=6), st.sampled_from(SPHERE.profiles), st.integers(1, 30))
def test_laws(people: list[int], profile: str, days: int) -> None:
    """More people never need less; rows need at least what all need as one; longer stays need more of what is eaten."""
    given = params(profile=profile, days=days)
    each, together = needs.total(needed(people, given)), needed([sum(people)], given).iloc[0]
    more, longer = needed([n + 1 for n in people], given), needed(people, params(profile=profile, days=days + 1))
    for name, item in ITEMS.items():
        if item.of != "people":
            continue
        assert together[name] - 1e-6 <= each[name] <= together[name] + 2 * len(people)
        assert (more[name] >= needed(people, given)[name]).all()
        grows = longer[name] >= needed(people, given)[name]
        assert grows.all() if item.way == "daily" else (longer[name] == needed(people, given)[name]).all()
