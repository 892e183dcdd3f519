from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from data import given, validity
from geo import shelters

LIST = pd.DataFrame({
    "名称": ["A", "B", "C"],
    "災害種別_洪水": [None, "○", None],
    "災害種別_内水氾濫": ["○", None, None],
    "災害種別_崖崩れ、土石流及び地滑り": [None, None, None],
    "開設される災害の種類（地震・津波）": ["○", None, None],
    "開設される災害の種類（風水害）": [None, None, None],
    "開設される災害の種類（南海トラフ地震臨時情報）": ["○", "○", None],
    "津波浸水想定": ["1", "0", "1"],
})  # fmt: skip


def test_marks_say_for_what_and_for_what_not() -> None:
    found = validity.marked(LIST)
    assert found is not None
    assert found.valid_for.tolist() == ["flood;tsunami;earthquake", "flood", None]
    assert found.invalid_for.tolist() == ["landslide;wind", "landslide;tsunami;earthquake;wind", None]
    assert [(note.code, note.rows) for note in found.notes] == [("hazards_by_marks", ()), ("validity_not_said", (3,))]


@pytest.mark.parametrize(("yes", "no"), [("○", ""), (1, 0), ("yes", "no"), ("是", "否"), (True, False), ("√", None)])
def test_marks_of_every_kind(yes: object, no: object) -> None:
    table = pd.DataFrame({"地震": pd.Series([yes, no], dtype=object), "洪水": pd.Series([no, yes], dtype=object)})
    found = validity.marked(table)
    assert found is not None
    assert found.valid_for.tolist() == ["earthquake", "flood"]
    assert found.invalid_for.tolist() == ["flood", "earthquake"]


def test_columns_of_other_things_are_no_marks() -> None:
    assert (
        validity.marked(pd.DataFrame({"洪水深(m)": [0.5, 1.2], "地震烈度": ["VII", "VIII"], "name": ["a", "b"]}))
        is None
    )


@pytest.mark.parametrize(("text", "found"), [
    ("地震、洪水", "earthquake;flood"), ("flood;fire", "flood;fire"), ("台风/内涝", "wind;flood"), ("战争", "战争"),
    ("", None), (None, None),
])  # fmt: skip
def test_lists_of_hazards(text: str | None, found: str | None) -> None:
    assert validity.listed(text) == found


def test_the_plan_reads_it(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("名称,経度,緯度,災害種別_洪水,災害種別_地震\nA,138.3,34.8,,○\nB,138.3,34.9,○,○\n", encoding="cp932")
    table, _ = given.read(path, "shelters", into="EPSG:32654", crs="EPSG:4326")
    assert shelters.declared_valid(table, ["flood"]).tolist() == [False, True]
    assert shelters.declared_valid(table, ["earthquake"]).tolist() == [True, True]
