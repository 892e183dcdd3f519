"""Who needs a shelter: whole persons, never more than there are; not known is not none."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from data import standards
from data.hazards import HAZARDS
from geo import displaced
from geo.displaced import DisplacedParams
from geo.errors import ParameterError

PARAMS = DisplacedParams.of(standards.load()).model_copy(
    update={"flood": ("0", "0.1", "0.2", "0.5", "1"), "earthquake": ("0", "0", "0.5", "1", "1")}
)


def share(places: int = 5, **levels: list[float]) -> list[float]:
    known = {kind: np.array(values, dtype=float) for kind, values in levels.items()}
    return displaced.share(known, places, params=PARAMS).tolist()


def test_the_hazard_that_displaces_most_counts() -> None:
    assert share(flood=[0, 1, 2, 4, 5]) == [0, 0, 0.1, 0.5, 1]
    assert share(flood=[0, 1, 2, 4, 5], earthquake=[3, 3, 0, 3, 3]) == [0.5, 0.5, 0.1, 0.5, 1]
    assert share(earthquake_pga=[0, 1, 2, 3, 4]) == [0, 0, 0, 0.5, 1], "as the intensity it stands for"
    assert share(flood_arrival=[5, 5, 5, 5, 5]) == share() == [0] * 5, "nothing in force displaces anybody"


def test_what_is_not_known_is_not_none() -> None:
    found = share(3, flood=[np.nan, np.nan, 0], earthquake=[np.nan, 3, np.nan])
    assert np.array_equal(found, [np.nan, 0.5, 0], equal_nan=True)


def test_every_hazard_has_shares_or_says_nothing() -> None:
    for kind in HAZARDS:
        assert len(share(1, **{kind: [3.0]})) == 1
    with pytest.raises(ParameterError, match="meteor"):
        share(1, meteor=[3.0])


TOWN = pd.DataFrame({
    "demand_id": ["a1", "a2", "b1", "b2"], "community_id": ["a", "a", "b", "b"], "people": [10, 10, 7, 3],
    "people_60plus": [4.0, 2.0, 7.0, np.nan],
})  # fmt: skip


def test_people_and_groups_of_each_community() -> None:
    found = displaced.at_places(TOWN, np.array([0.5, 1.0, np.nan, 1.0]))
    assert np.array_equal(found["people_displaced"], [5, 10, np.nan, 3], equal_nan=True)
    assert np.array_equal(found["people_60plus_displaced"], [2, 2, np.nan, np.nan], equal_nan=True)
    units = displaced.by_community(TOWN, found, pd.Series(["b", "a", "c"]))
    assert units["people_displaced"].tolist() == [3, 15, 0]
    assert units["people_displaced_unknown"].tolist() == [7, 0, 0]
    assert np.array_equal(units["people_60plus_displaced"], [np.nan, 4, 0], equal_nan=True)
    assert displaced.of_all(TOWN, found)["people_displaced"] == 18


def test_everybody_and_nobody() -> None:
    everybody = displaced.at_places(TOWN, np.ones(4))
    assert everybody["people_displaced"].tolist() == TOWN["people"].tolist()
    assert np.array_equal(everybody["people_60plus_displaced"], TOWN["people_60plus"], equal_nan=True)
    assert displaced.at_places(TOWN, np.zeros(4))["people_displaced"].sum() == 0
    assert len(displaced.at_places(TOWN.iloc[:0], np.zeros(0))) == 0


place = st.tuples(st.integers(0, 40), st.floats(0, 1), st.floats(0, 1), st.floats(0, 1), st.sampled_from("ab"))


@given(st.lists(place, max_size=20))
def test_nobody_is_displaced_who_is_not_there(rows: list[tuple[int, float, float, float, str]]) -> None:
    people = np.array([n for n, *_ in rows], dtype=np.int64)
    old = np.floor(people * np.array([r[1] for r in rows]))
    town = pd.DataFrame({
        "demand_id": [f"p{i}" for i in range(len(rows))], "community_id": [r[4] for r in rows], "people": people,
        "people_60plus": old, "people_80plus": np.floor(old * np.array([r[2] for r in rows])),
        "people_0_14": np.floor((people - old) * np.array([r[2] for r in rows])),
    })  # fmt: skip
    need = np.array([r[3] for r in rows], dtype=float)
    found = displaced.at_places(town, need)
    gone, gone_old = found["people_displaced"], found["people_60plus_displaced"]
    assert (gone <= people).all() and (gone_old <= gone).all() and (gone_old <= old).all()
    assert (gone_old >= gone + old - people).all(), "who is not old can only be so many"
    assert (found["people_80plus_displaced"] <= gone_old).all()
    assert (found["people_0_14_displaced"] + gone_old <= gone).all()
    units = displaced.by_community(town, found, pd.Series(["a", "b"]))
    for name, total in zip("ab", units["people_displaced"], strict=True):
        assert abs(total - (people * need)[town["community_id"] == name].sum()) <= 0.5 + 1e-3
