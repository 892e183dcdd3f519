"""People without places laid on outlines by name: what is matched, asked, left out."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd
import pytest
import shapely

from data import joined
from geo.errors import ColumnError

CRS = "EPSG:32650"


def units(*names: str, ids: list[str] | None = None, level: list[str] | None = None) -> gpd.GeoDataFrame:
    """Squares beside each other, one a name."""
    columns: dict[str, Any] = {
        "unit_id": ids or [f"u{i}" for i in range(len(names))], "name": list(names),
        "name_zh": [None] * len(names), "name_en": [None] * len(names), "level": level or ["community"] * len(names),
    }  # fmt: skip
    shapes = [shapely.box(100 * i, 0, 100 * i + 100, 100) for i in range(len(names))]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def laid(of: gpd.GeoDataFrame | None, columns: dict[str, str] | None = None, **table: list[Any]) -> joined.Joined:
    return joined.placed(pd.DataFrame(table), columns or {}, units=of, where="people.xlsx")


def codes(found: joined.Joined) -> list[str]:
    return [note.code for note in found.notes]


def west(found: joined.Joined) -> list[float]:
    return [float(edge) for edge in found.frame.bounds["minx"]]


@pytest.mark.parametrize(("theirs", "ours"), [
    ("鼓楼街道", "鼓楼街道"), (" 鼓楼街道 ", "鼓楼"), ("鼓楼", "鼓楼街道办事处"),
    ("ＭＥＮＴＥＮＧ", "Kelurahan Menteng"), ("Kel. Menteng", "menteng"), ("Oak Hill", "oak hill community"),
])  # fmt: skip
def test_names_as_written_and_without_usual_endings(theirs: str, ours: str) -> None:
    found = laid(units("别处", ours), 街道=[theirs, "别处"], 常住人口=[5.0, 7.0])
    assert (west(found), codes(found)) == ([100.0, 0.0], ["people_joined"])


def test_codes_where_no_name_fits() -> None:
    found = laid(units("A", "B", ids=["320106001", "320106002"]), 区划代码=[320106002.0, 320106001.0], 人口=[1.0, 2.0])
    assert (west(found), found.columns[0]) == ([100.0, 0.0], "区划代码")
    with pytest.raises(ColumnError, match="none in 2 rows of 序号, 人口"):  # numbers fit by chance
        laid(units("A", "B", ids=["1", "2"]), 序号=[1.0, 2.0], 人口=[1.0, 2.0])


def test_the_level_that_most_rows_name() -> None:
    of = units("鼓楼区", "鼓楼街道", "湖南路街道", level=["district", "subdistrict", "subdistrict"])
    found = laid(of, name=["鼓楼", "湖南路"], people=[3.0, 4.0])
    assert west(found) == [100.0, 200.0]


def test_who_is_left_out_is_counted() -> None:
    found = laid(units("A1", "B1", "C1"), name=["A1", "Nowhere", "B1", None, "Total"], people=[10, 20, 30, 1, 61])
    by_code = {note.code: note for note in found.notes}
    assert codes(found) == ["people_joined", "totals_left_out", "people_not_joined", "units_without_people"]
    assert by_code["people_not_joined"].rows == (2, 4)
    assert "Nowhere, (empty)" in by_code["people_not_joined"].en and "21 people" in by_code["people_not_joined"].en
    assert "the sum of the others" in by_code["totals_left_out"].en
    assert found.frame["people"].sum() == 40


def test_a_total_that_is_no_sum_is_said() -> None:
    (note,) = [n for n in laid(units("A1"), name=["A1", "合计"], people=[10, 99]).notes if n.code == "totals_left_out"]
    assert "99, while the other rows add up to 10" in note.en


def test_a_name_of_two_outlines_is_asked() -> None:
    of = units("城关镇", "城关村", ids=["x", "y"])
    with pytest.raises(ColumnError, match=r"'城关' in row 1, which is 2 \(x, y\)"):
        laid(of, name=["城关"], people=[1])
    assert west(laid(of, name=["城关村"], people=[1])) == [100.0]


def test_rows_of_one_outline_are_all_counted() -> None:
    found = laid(units("A1"), name=["A1", "A1"], people=[10, 5])
    assert (len(found.frame), codes(found)) == (2, ["people_joined", "units_repeated"])


def test_nothing_to_join_to() -> None:
    with pytest.raises(ColumnError, match="renxing add STUDY communities FILE"):
        laid(None, name=["A1"], people=[1])
    with pytest.raises(ColumnError, match="names or codes of the study's 2 outlines"):
        laid(units("A1", "B1"), name=["X1"], people=[1])
