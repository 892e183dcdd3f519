from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards, words
from geo import uses
from geo.errors import ParameterError
from geo.rules import TAGS
from geo.uses import ORDINARY, Things, UseParams

PARAMS = UseParams.of(standards.load())


def tags(things: Things, row: int = 0) -> set[str]:
    return {tag for tag, mask in things.tags.items() if mask[row]}


DRAWN = {
    None: {"building", "dwelling", "class_c"}, "yes": {"building", "dwelling", "class_c"},
    "apartments": {"building", "dwelling", "class_c"}, "office": {"building", "class_c"},
    "a word nobody knows": {"building", "class_c"}, " Hospital ": {"building", "important", "class_b"},
    "school;gym": {"building", "important", "class_b"}, "hotel": {"building", "dwelling", "class_c"},
    "nursing_home": {"building", "dwelling", "important", "class_b"}, "shed": {"building", "class_d"},
    "fire_station": {"building", "important", "class_b"}, "warehouse": {"building", "class_c"},
    "park": {"open"}, "hydrant": {"open"}, "assembly_point": {"open", "shelter"},
    "civil_defence": {"building", "shelter", "class_b"}, "nuclear_power_plant": {"building", "class_a"},
}  # fmt: skip


def test_uses_as_rules_tell_them_apart() -> None:
    found = uses.of(list(DRAWN), params=PARAMS)
    assert {use: tags(found, row) for row, use in enumerate(DRAWN)} == DRAWN
    assert dict(zip(DRAWN, found.class_, strict=True))["park"] == ""
    assert found.meets(("shelter", "class_d")).tolist() == [
        bool(of & {"shelter", "class_d"}) for of in DRAWN.values()
    ]  # fmt: skip


def test_many_people_beds_and_storeys_make_any_building_important() -> None:
    nan = np.nan
    found = uses.of(
        ["office"] * 6, people=np.array([nan, 0, 499, 500, 7999, 8000]), height_m=np.array([54.0, *[nan] * 5]),
        params=PARAMS,
    )  # fmt: skip
    assert found.tags["important"].tolist() == [True, False, False, True, True, True]
    assert "".join(found.class_) == "CCCCCB"
    assert tags(uses.of(["shed"], people=np.array([600.0]), params=PARAMS)) == {"building", "important", "class_c"}


def test_a_high_rise_is_above_24_m_and_houses_and_flats_above_27() -> None:
    found = uses.of(["office", "office", "apartments", None, "yes", "hotel", "park", "office"],
                    height_m=np.array([24, 24.1, 27, 27, 27.1, 25, 60, np.nan]), params=PARAMS)  # fmt: skip
    assert found.tags["high"].tolist() == [False, True, False, False, True, True, False, False]
    assert uses.planned("office", height_m=60, params=PARAMS).tags["high"].tolist() == [True]
    assert not uses.planned("office", params=PARAMS).tags["high"].any()


def test_a_place_of_refuge_is_one_whatever_its_use() -> None:
    found = uses.of(["park", "school", "yes"], shelter=np.array([True, True, False]), params=PARAMS)
    assert [tags(found, row) for row in range(3)] == [
        {"open", "shelter"}, {"building", "important", "shelter", "class_b"}, {"building", "dwelling", "class_c"},
    ]  # fmt: skip


def test_what_is_planned() -> None:
    assert tags(uses.planned("hospital", beds=300, params=PARAMS)) == {"building", "important", "class_b"}
    assert tags(uses.planned("hotel", beds=150, params=PARAMS)) == {"building", "dwelling", "important", "class_c"}
    assert tags(uses.planned("office", class_="乙", params=PARAMS)) == {"building", "class_b"}
    assert uses.planned("hospital", class_="c", params=PARAMS).class_.tolist() == ["C"]
    assert tags(uses.planned(None, params=PARAMS)) == tags(ORDINARY) == {"building", "dwelling", "class_c"}
    with pytest.raises(ParameterError, match="a class A, B, C or D"):
        uses.planned("office", class_="E", params=PARAMS)
    with pytest.raises(ParameterError, match="a building, which has a class"):
        uses.planned("park", class_="B", params=PARAMS)


@pytest.mark.parametrize(("said", "wanted"), [
    ("医院", {"building", "important", "class_b"}), ("学校", {"building", "important", "class_b"}),
    ("住宅", {"building", "dwelling", "class_c"}), ("公园", {"open"}), ("仓库", {"building", "class_c"}),
    ("幼儿园", {"building", "important", "class_b"}), ("消防站", {"building", "important", "class_b"}),
    ("应急指挥中心", {"building", "important", "class_b"}),
    ("养老院", {"building", "dwelling", "important", "class_b"}),
    ("避难场所", {"building", "shelter", "class_b"}), ("车库", {"building", "class_d"}), ("广场用地", {"open"}),
])  # fmt: skip
def test_chinese_words_of_uses(said: str, wanted: set[str]) -> None:
    assert tags(uses.planned(words.ours(said, "use"), params=PARAMS)) == wanted


def test_nothing_is_nothing() -> None:
    found = uses.of([], params=PARAMS)
    assert len(found) == 0 and set(found.tags) == set(TAGS) and found.meets(TAGS).shape == (0,)


words_ = st.sampled_from([None, "", "yes", "house", "park", "hospital", "shed", "office", "nuclear_plant", "shelter"])
numbers = st.one_of(st.just(np.nan), st.floats(0, 1e5))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.tuples(words_, numbers, numbers, st.booleans()), max_size=12))
def test_everything_is_open_or_a_building_of_one_class(rows: list[tuple[str | None, float, float, bool]]) -> None:
    use = [row[0] for row in rows]
    people, height, refuge = (np.array([row[i] for row in rows], dtype=float) for i in (1, 2, 3))
    found = uses.of(use, people=people, height_m=height, shelter=refuge.astype(bool), params=PARAMS)
    classes = np.sum([found.tags[f"class_{name}"] for name in "abcd"], axis=0) if rows else np.zeros(0)
    assert (found.tags["open"] ^ found.tags["building"]).all()
    assert (classes == found.tags["building"]).all()
    assert not (found.tags["important"] & found.tags["class_d"]).any()
    more = uses.of(use, people=people + 500, height_m=height, shelter=refuge.astype(bool), params=PARAMS)
    assert (more.tags["important"] >= found.tags["important"]).all()
    alone = [uses.of([u], people=people[i : i + 1], height_m=height[i : i + 1],
                     shelter=refuge[i : i + 1].astype(bool), params=PARAMS) for i, u in enumerate(use)]  # fmt: skip
    assert [one.class_[0] for one in alone] == found.class_.tolist()
