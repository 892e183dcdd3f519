"""Sentences that a planner can repeat in a meeting."""

from __future__ import annotations

import pytest

from geo import reasons, what_if
from geo.evacuation import STATES
from geo.shelters import REASONS


def community(people: int = 1200, **by_state: int) -> reasons.Sentence:
    return reasons.for_community(people, by_state, minutes=15, median_s=400.0, lost_shelters=0, shelters=2)


def test_everybody_served() -> None:
    found = community(served=1200)
    assert found.en == (
        "All 1,200 people find room in a usable shelter within 15 minutes on foot, half of them within 7 minutes."
    )
    assert found.zh == "全部1,200人可在步行15分钟内到达有空位的可用避难场所，其中一半在7分钟以内。"


def test_nobody_there() -> None:
    assert community(0).code == "empty"


def test_the_greater_cause_comes_first_and_names_the_code() -> None:
    found = community(served=1000, cut_off=50, too_far=150)
    assert found.code == "too_far"
    assert found.en == (
        "200 of 1,200 people are not served: 150 more than 15 minutes on foot from a usable shelter; "
        "50 cut off, every way to a shelter is closed."
    )


@pytest.mark.parametrize(
    ("lost", "all_", "says"), [(1, 3, "1 of 3 shelters here is not usable"), (2, 3, "2 of 3 shelters here are not")]
)
def test_lost_shelters_are_told(lost: int, all_: int, says: str) -> None:
    found = reasons.for_community(
        10, {"cut_off": 10}, minutes=15, median_s=float("nan"), lost_shelters=lost, shelters=all_
    )
    assert says in found.en and f"{all_}处避难场所中有{lost}处" in found.zh


def test_every_state_and_every_rating_has_its_words() -> None:
    assert set(reasons.CAUSES) == set(STATES) - {"served"}
    assert set(reasons.SHELTER_REASONS) == {*REASONS, what_if.REMOVED}


@pytest.mark.parametrize("code", REASONS)
def test_a_shelter_is_explained_in_both_languages(code: str) -> None:
    found = reasons.for_shelter(code, wet=0.25, hit=0.3, unknown=0.6, depth=1.5)
    assert found.en.endswith(".") and found.zh.endswith("。") and "{" not in found.en + found.zh


def test_a_flooded_shelter_says_how_much_and_how_deep() -> None:
    assert reasons.for_shelter("flooded", wet=0.25, hit=0.3, unknown=0, depth=1.5).en == (
        "Not usable: 25% of the site is under water, up to 1.5 m."
    )
    deep = reasons.for_shelter("flooded", wet=0.25, hit=0.3, unknown=0, depth=0.292861)
    assert deep.en.endswith("up to 0.29 m.") and deep.zh.endswith("最深0.29米。")


def test_one_thing_and_many() -> None:
    assert [reasons.counted(n, "outline") for n in (0, 1, 1200)] == ["0 outlines", "1 outline", "1,200 outlines"]


def test_when_nothing_is_left_the_sentence_says_so_plainly() -> None:
    one = reasons.for_community(9, {"cut_off": 9}, minutes=15, median_s=float("nan"), lost_shelters=1, shelters=1)
    all_ = reasons.for_community(9, {"cut_off": 9}, minutes=15, median_s=float("nan"), lost_shelters=4, shelters=4)
    assert one.en.startswith("None of the 9 people are served: 9 cut off") and "全部9人" in one.zh
    assert one.en.endswith("The only shelter here is not usable.")
    assert all_.en.endswith("None of the 4 shelters here is usable.")


def test_a_short_walk_is_a_minute_not_none() -> None:
    found = reasons.for_community(5, {"served": 5}, minutes=15, median_s=8.0, lost_shelters=0, shelters=1)
    assert found.en.endswith("half of them within 1 minute.") and "1分钟" in found.zh


# -- services ----------------------------------------------------------------------------------------------------

STREET = {"name": "Oudestraat", "name_zh": None, "name_en": None}
NAMELESS: dict[str, str | None] = {"name": None, "name_zh": None, "name_en": None}


def test_a_service_that_everybody_has_is_told_in_one_sentence() -> None:
    said = reasons.for_service("fire", 1200, 1200, minutes=5)
    assert said.en == "The fire engine can reach all 1,200 people within 5 minutes."
    assert said.zh == "消防车5分钟内可到达全部1,200人。"
    assert said.code == "covered"


def test_who_loses_a_service_is_told_with_the_streets_to_blame() -> None:
    because = [("closed", STREET, 500), ("station", NAMELESS, 200), ("slowed", NAMELESS, 30)]
    said = reasons.for_service("medical", 1000, 270, minutes=8, lost=730, because=because, later=100, added_s=90)
    assert said.en == (
        "The ambulance can reach 270 of 1,000 people within 8 minutes. 730 lose it: 500 whose way is first cut at "
        "Oudestraat; "
        "200 because their station is out of service; 30 because of other streets. 100 wait longer, half of them "
        "1.5 minutes or more."
    )
    assert said.zh == (
        "救护车8分钟内可到达1,000人中的270人。730人失去该服务：500人的来路首先在Oudestraat中断；200人因所属站点停止服务；"
        "30人因其他道路。100人等待更久，其中一半多等1.5分钟以上。"
    )
    assert said.code == "lost"


def test_one_cause_is_told_once() -> None:
    said = reasons.for_service("police", 10, 0, minutes=10, lost=10, because=[("closed", NAMELESS, 10)])
    assert said.en == (
        "The police can reach none of the 10 people within 10 minutes. Lost: 10 whose way is first cut at an unnamed "
        "street."
    )
    assert "无名道路" in said.zh


def test_nobody_is_nobody_and_no_station_is_said() -> None:
    assert reasons.for_service("fire", 0, 0, minutes=5).code == "empty"
    assert reasons.for_stations("fire", ["fire_station"], 0, 0).code == "no_stations_fire"
    assert "2 of 5" in reasons.for_stations("police", ["police"], 5, 3).en
