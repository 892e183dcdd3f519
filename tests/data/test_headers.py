from __future__ import annotations

import pytest

from data import headers, words
from data.osm import kinds

KINDS = ("communities", "population", "shelters", "facilities", "buildings", "lots", "supplies", "sources")


def taken(kind: str, *names: str) -> tuple[dict[str, str], dict[str, tuple[str, ...]]]:
    found = headers.guess(names, kind, wanted=headers.usual(kind), fits=lambda ours, theirs: True)
    return dict(found.found), dict(found.doubtful)


@pytest.mark.parametrize(("kind", "ours", "theirs"), [
    ("shelters", "name", "名稱"), ("shelters", "name", "名前"),
    ("shelters", "area_m2", "避难场所面积"), ("shelters", "area_m2", "total_area_m2"),
    ("shelters", "area_m2", "避難所面積平方メートル"), ("shelters", "area_m2", "area_ha"),
    ("shelters", "capacity", "想定収容人数"), ("shelters", "capacity", "CAPACITY"),
    ("shelters", "capacity", "容纳人数(人)"),
    ("population", "people", "常住人口"), ("population", "people", "POP"), ("population", "people", "人口（万人）"),
    ("population", "people", "2020年人口"), ("buildings", "levels", "层数"), ("buildings", "height_m", "建筑高度"),
    ("communities", "name", "DESA"), ("communities", "parent_id", "所属街道"), ("facilities", "kind", "種別"),
    ("supplies", "expiry", "賞味期限"), ("lots", "use", "用地性质"),
])  # fmt: skip
def test_usual_headers(kind: str, ours: str, theirs: str) -> None:
    assert taken(kind, "备注", theirs)[0].get(ours) == theirs


@pytest.mark.parametrize(("kind", "ours", "theirs"), [
    ("shelters", "area_m2", "area"), ("shelters", "area_m2", "人均面积"), ("population", "people", "人口密度"),
    ("population", "people", "population_density_km2"), ("population", "people", "popular"),
    ("buildings", "levels", "地下层数"),
])  # fmt: skip
def test_headers_of_other_things(kind: str, ours: str, theirs: str) -> None:
    assert ours not in taken(kind, theirs)[0]


def test_whole_headers_go_before_words_and_their_order_counts() -> None:
    assert taken("population", "户籍人口", "人口")[0]["people"] == "人口"
    assert taken("communities", "KEL_NAME", "RW")[0] == {"name": "RW", "parent_id": "KEL_NAME"}
    found, doubtful = taken("population", "户籍人口", "流动人口")
    assert "people" not in found and doubtful["people"] == ("户籍人口", "流动人口")


def test_a_column_is_taken_once() -> None:
    for kind in KINDS:
        names = [name for said in headers.usual(kind).values() for name in said.names]
        found = taken(kind, *dict.fromkeys(names))[0]
        assert len(set(found.values())) == len(found)


def test_units_in_headers() -> None:
    assert headers.unit_in("面积（公顷）", "m2") == headers.unit_in("area_ha", "m2") == 10_000
    assert headers.unit_in("人口(万人)", "people") == 10_000
    assert headers.unit_in("面积", "m2") is None and headers.unit_in("height (ft)", "m") == 0.3048


@pytest.mark.parametrize(("word", "ours"), [
    ("公园", "park"), ("小学", "school"), ("体育场馆", "sports"), ("消防署分署", "fire_station"), ("交番", "police"),
    ("派出所", "police"), ("災害拠点病院、救護病院", "hospital"), ("酒店", "hotel"), ("防火水そう", "hydrant"),
    ("Sports Complex", "sports"), ("University/College", "university"), ("动物医院", None), ("分団車庫・詰所", None),
    ("社区卫生服务中心", "clinic"), ("preschool", None),
])  # fmt: skip
def test_kinds_in_words(word: str, ours: str | None) -> None:
    assert words.ours(word, "kind", inside=True) == ours


def test_words_become_kinds_that_the_map_has() -> None:
    mapped = {kind for rules in (kinds.FACILITIES, kinds.BUILT_AS, kinds.OPEN_SPACES)
              for of_key in rules.values() for kind in of_key.values()}  # fmt: skip
    assert set(words.known("kind")) - mapped == {"hotel"}


def test_every_word_stands_once() -> None:
    for subject, said in headers.content()["words"].items():
        every = [word for ours, listed in said.items() if ours != "not" for word in listed]
        assert len(every) == len(set(every)), subject
