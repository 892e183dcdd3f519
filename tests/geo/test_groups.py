"""Groups of people: whole persons, never more than there are; not known is not nobody."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from data import standards
from geo import groups
from geo.errors import ColumnError
from geo.groups import GROUPS, GroupParams
from tests.geo.drawn_people import ground, units

NONE_ASSUMED = GroupParams.of(standards.load())


def table(people: list[float], **columns: list[float]) -> gpd.GeoDataFrame:
    return units(people, [ground(10, 10, at=20.0 * i) for i in range(len(people))]).assign(**columns)


def counted(people: list[float], params: GroupParams = NONE_ASSUMED, **columns: list[float]) -> pd.DataFrame:
    return groups.counted(table(people, **columns), np.array(people, dtype=np.int64), params=params)[0]


def test_counts_and_shares() -> None:
    found = counted([100, 50], people_60plus=[30, np.nan], share_60plus=[np.nan, 0.2], people_80plus=[4, np.nan])
    assert found["people_60plus"].tolist() == [30, 10]
    assert found["people_80plus"].iloc[0] == 4 and np.isnan(found["people_80plus"].iloc[1])
    assert list(found) == ["people_60plus", "people_80plus"], "nothing is known of the others: no column"


def test_nothing_is_assumed_unless_a_planner_says_so() -> None:
    assert all(np.isnan(NONE_ASSUMED.share(group)) for group in GROUPS)
    assumed = NONE_ASSUMED.model_copy(update={"share_60plus": 0.3})
    rows = table([100, 50], people_60plus=[80, np.nan])
    found, notes = groups.counted(rows, np.array([100, 50]), params=assumed)
    assert found["people_60plus"].tolist() == [80, 15]
    assert [(note.code, note.severity, note.count) for note in notes] == [("people_60plus_assumed", "warning", 50)]


def test_rows_that_do_not_say_are_named() -> None:
    rows = table([100, 50], people_disabled=[7, np.nan])
    found, notes = groups.counted(rows, np.array([100, 50]))
    assert np.isnan(found["people_disabled"].iloc[1])
    assert [(note.code, note.count) for note in notes] == [("people_disabled_not_known", 1)]


@pytest.mark.parametrize(("columns", "said"), [
    ({"people_60plus": [101]}, "people_60plus from 0 to the people"), ({"people_disabled": [-1]}, "disabled from 0"),
    ({"share_60plus": [30]}, "share_60plus from 0 to 1"),
    ({"people_60plus": [10], "people_80plus": [11]}, "people_80plus up to people_60plus"),
    ({"people_60plus": [60], "people_0_14": [41]}, "together up to the people"),
])  # fmt: skip
def test_more_of_a_group_than_people_is_refused(columns: dict[str, list[float]], said: str) -> None:
    with pytest.raises(ColumnError, match=said) as raised:
        counted([100], **columns)
    assert "u0" in str(raised.value)


def test_shares_that_cannot_hold_together_are_refused() -> None:
    with pytest.raises(ValidationError, match="share_80plus should be at most"):
        GroupParams(share_60plus=0.1, share_80plus=0.2, share_0_14="unknown", share_disabled="unknown")
    GroupParams(share_60plus=0.1, share_80plus="unknown", share_0_14=0.9, share_disabled=1)


def demand(**columns: list[object]) -> pd.DataFrame:
    return pd.DataFrame({"community_id": ["a", "a", "b"], "people": [10, 20, 5], **columns})


def test_a_sum_with_somebody_unknown_is_not_known() -> None:
    found = groups.by_community(demand(people_60plus=[1.0, 2.0, np.nan]), pd.Series(["b", "a", "c"]))
    assert list(found) == list(GROUPS)
    assert np.isnan(found["people_60plus"].iloc[0])
    assert found["people_60plus"].tolist()[1:] == [3, 0], "nobody lives in c"
    assert found["people_80plus"].isna().tolist() == [True, True, False]
    assert groups.of_all(demand(people_60plus=[1.0, 2.0, 3.0]))["people_60plus"] == 6
    assert np.isnan(groups.of_all(demand(people_60plus=[1.0, 2.0, np.nan]))["people_60plus"])


row = st.tuples(st.integers(0, 60), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.booleans())


@given(st.lists(row, min_size=1, max_size=8), st.lists(st.tuples(st.integers(0, 7), st.integers(0, 9)), max_size=20))
def test_groups_are_kept_and_lie_within_one_another(
    rows: list[tuple[int, float, float, float, bool]], spots: list[tuple[int, int]]
) -> None:
    people = np.array([n for n, *_ in rows])
    old = np.array([n * share for n, share, *_ in rows])
    oldest = old * np.array([r[2] for r in rows])
    young = (people - old) * np.array([r[3] for r in rows])
    old[np.array([r[4] for r in rows])] = np.nan
    oldest[np.isnan(old)] = np.nan
    given_ = table(people.astype(float).tolist(), people_60plus=old.tolist(), people_80plus=oldest.tolist(),
                   people_0_14=young.tolist())  # fmt: skip
    found, _ = groups.counted(given_, people)
    for name, values in (("people_60plus", old), ("people_80plus", oldest), ("people_0_14", young)):
        if name in found:
            assert abs(found[name].sum() - np.nansum(values)) <= 0.5 + 1e-6
            assert (found[name].isna() == np.isnan(values)).all()

    unit = np.array([u for u, _ in spots if u < len(rows)], dtype=np.int64)
    unit = np.r_[unit, np.arange(len(rows))]
    here = np.bincount(np.arange(len(unit)), minlength=len(unit)) * 0
    for u in range(len(rows)):  # everybody of a unit at its places, unevenly
        at = np.flatnonzero(unit == u)
        here[at[-1]] = people[u] - people[u] // 3
        here[at[0]] += people[u] // 3
    ids = np.array([f"p{i}" for i in range(len(unit))], dtype=object)
    spread = groups.spread(found, unit, here, ids)
    for name in found:
        sums = np.array([spread.loc[unit == u, name].sum(skipna=False) for u in range(len(rows))])
        assert np.array_equal(sums, found[name].to_numpy(), equal_nan=True)
        assert not (spread[name] > here).any()
    if {"people_60plus", "people_80plus"} <= set(found):
        assert not (spread["people_80plus"] > spread["people_60plus"]).any()
    if {"people_60plus", "people_0_14"} <= set(found):
        assert not (spread["people_0_14"] + spread["people_60plus"] > here).any()
