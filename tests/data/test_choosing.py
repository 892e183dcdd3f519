"""Some of a table's rows: which, in every form a table comes in; what is refused, with what there is instead."""

from __future__ import annotations

import zipfile
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import pytest
import shapely
from hypothesis import given
from hypothesis import strategies as st

from data import choosing, joined, numbers, vectors
from data import given as tables
from geo.errors import ColumnError, ParameterError

CRS = "EPSG:32631"
TYPES = ["School", "sports facility ", "Mosque", None, "School", ""]


def table() -> gpd.GeoDataFrame:
    """Six buildings in a row; ``Seats`` is a number, ``code`` a name."""
    shapes = [shapely.Point(500_000 + 10 * i, 5_700_000) for i in range(len(TYPES))]
    columns = {"TYPE": TYPES, "Seats": [100, 7.0, 40, 7, 12.5, 0], "code": ["007", "7", "a,b", "A", "x", "y"]}
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def rows(*said: str, of: pd.DataFrame | None = None) -> list[int]:
    """Numbers of the rows that conditions take, from 0."""
    return list(choosing.chosen(table() if of is None else of, said, where="a.gpkg").table.index)


@pytest.mark.parametrize(("said", "taken"), [
    (["TYPE=School"], [0, 4]), ([" type = school,SPORTS  Facility"], [0, 1, 4]), (["ＴＹＰＥ=ｓｃｈｏｏｌ"], [0, 4]),
    (["TYPE="], [3, 5]), (["TYPE!="], [0, 1, 2, 4]), (["TYPE!=School"], [1, 2, 3, 5]), (["TYPE=School,"], [0, 3, 4, 5]),
    (["Seats=7"], [1, 3]), (["Seats=7.0,+12.50"], [1, 3, 4]), (["Seats=1e2"], [0]), (["Seats=-0"], [5]),
    (["code=007"], [0]), (["code=7"], [1]), (['code="a,b",x'], [2, 4]), (["code=a"], [3]),
    (["TYPE=School", "Seats=100"], [0]), (["TYPE!=School", "TYPE!=", "seats!=7"], [2]), ([], [0, 1, 2, 3, 4, 5]),
])  # fmt: skip
def test_rows_that_conditions_take(said: list[str], taken: list[int]) -> None:
    assert rows(*said) == taken


def test_cells_that_are_no_text() -> None:
    of = pd.DataFrame({
        "day": pd.to_datetime(["2026-05-01", "NaT"]), "open": [True, False], "n": pd.array([2**53 + 1, None], "Int64"),
        "list": [["a", "b"], None],
    })  # fmt: skip
    assert rows("day=2026-05-01", of=of) == rows("open=true", of=of) == rows("n=9007199254740993", of=of) == [0]
    assert rows("list=\"['a', 'b']\"", of=of) == [0]
    assert rows("day=", of=of) == rows("n=", of=of) == rows("list=", of=of) == [1]


@given(st.lists(st.sampled_from([*TYPES, "7", "07", "ＳＣＨＯＯＬ"]), min_size=1), st.sampled_from(["School", "7", ""]))
def test_a_condition_and_its_opposite_share_the_rows(cells: list[str | None], value: str) -> None:
    def taken(condition: str) -> set[int]:
        try:
            return set(rows(condition, of=pd.DataFrame({"c": pd.Series(cells, dtype=object)})))
        except ColumnError:
            return set()

    one, other = taken(f"c={value}"), taken(f"c!={value}")
    assert (one | other, one & other) == (set(range(len(cells))), set())


def test_what_was_taken_and_left_out_is_told() -> None:
    found = choosing.chosen(table(), ["TYPE=School,Schule", "Seats!=100"], where="a.gpkg")
    assert (found.columns, found.conversions) == (
        ("TYPE", "Seats"), ("where TYPE=School,Schule and Seats!=100: 1 of 6 rows",),
    )  # fmt: skip
    told, misspelt = found.notes
    assert (told.code, told.severity, told.count) == ("rows_chosen", "info", 1)
    assert told.en == "Rows with TYPE=School,Schule and Seats!=100: 1 of 6 taken, 5 left out."
    assert told.zh == "按条件 TYPE=School,Schule 且 Seats!=100 取用6行中的1行，其余5行未取用。"
    assert (misspelt.code, misspelt.severity, misspelt.value) == ("where_value_not_there", "warning", "Schule")
    assert misspelt.do_en == "Did you mean School?"
    assert choosing.chosen(table(), [], where="a.gpkg").notes == ()


@pytest.mark.parametrize("said", ["TYPE", "=School", "!=School", "", 'TYPE="School'])
def test_what_is_no_condition_is_refused(said: str) -> None:
    with pytest.raises(ParameterError, match=r"--where: expected COLUMN=VALUE"):
        choosing.conditions(["TYPE=School", said])


@pytest.mark.parametrize(("said", "refused"), [
    (["TYP=School"], r"a column 'TYP' .*found columns TYPE, Seats, code\. Did you mean TYPE\?"),
    (["geometry=1", "b=2"], r"'geometry'(?s:.*)'b'.*named as in the file"),
    (["TYPE=Schol"], r"none among 6 rows; TYPE is School \(2\), \(empty\) \(2\), .*Did you mean School\?"),
    (["TYPE=School", "Seats=7"], r"rows with Seats=7, found none among 2 rows that have TYPE=School; Seats is 100"),
])  # fmt: skip
def test_what_leaves_nothing_is_refused_with_what_there_is(said: list[str], refused: str) -> None:
    with pytest.raises(ColumnError, match=refused):
        rows(*said)


def test_columns_that_differ_by_case_are_told_apart_or_asked() -> None:
    of = pd.DataFrame({"type": ["a"], "TYPE": ["b"]})
    assert rows("type=a", of=of) == [0]
    with pytest.raises(ColumnError, match=r"one column 'Type' .*found type, TYPE"):
        rows("Type=a", of=of)


def test_a_table_without_rows_stays_one() -> None:
    assert rows("TYPE=School", of=table().iloc[:0]) == []


# -- as files ------------------------------------------------------------------------------------------------------


def written(folder: Path, form: str) -> Path:
    path, cells = folder / f"a.{form}", table().drop(columns="geometry").assign(lon=3.0, lat=52.0)
    if form == "csv":
        cells.to_csv(path, index=False)
    elif form == "xlsx":
        cells.to_excel(path, index=False)
    elif form == "plain.parquet":
        cells.to_parquet(path)
    elif form == "parquet":
        table().to_parquet(path)
    elif form == "zip":
        with zipfile.ZipFile(path, "w") as archive:
            archive.write(written(folder, "gpkg"), "a.gpkg")
    else:
        table().to_file(path)
    return path


@pytest.mark.parametrize("form", ["geojson", "gpkg", "shp", "fgb", "zip", "parquet", "plain.parquet", "csv", "xlsx"])
def test_every_form_gives_the_same_rows(tmp_path: Path, form: str) -> None:
    path = written(tmp_path, form)
    crs = "EPSG:4326" if form in ("csv", "xlsx", "plain.parquet") else None
    found = vectors.read(path, crs=crs, columns={"kind": "TYPE"}, only=["type=school,Mosque", "Seats!=40"])
    assert sorted(found.table[["kind", "Seats"]].to_numpy().tolist()) == [["School", 12.5], ["School", 100]]
    assert found.choosing == ("TYPE", "Seats")
    assert found.conversions[-1].endswith(": 2 of 6 rows")
    first = 1 if form in ("csv", "xlsx") else 0
    if form != "fgb":  # which is written in an order of its own
        assert list(found.table.index) == [first, first + 4], "rows keep their number in the file"


def test_places_and_columns_are_those_of_the_rows_taken(tmp_path: Path) -> None:
    """A row left out may lie nowhere and have words for numbers: nobody is told of it."""
    path = tmp_path / "a.csv"
    path.write_text("use,lon,lat,容纳人数\nschool,3.1,52.1,100 Orang\nschool,3.2,52.1,250\nshop,999,999,many\n"
                    "shop,,,lots\nshop,0,0,few\n", encoding="utf-8")  # fmt: skip
    content = vectors.read(path, crs="EPSG:4326", into=CRS, only=["use=school"])
    found, notes = tables.understood(content, "shelters")
    assert found["capacity"].tolist() == [100, 250]
    assert {note.code for note in notes} == {"rows_chosen", "columns_guessed", "numbers_undressed"}


def test_people_are_chosen_before_they_are_joined(tmp_path: Path) -> None:
    path = tmp_path / "a.csv"
    path.write_text("街道,年份,常住人口\n鼓楼,2020,10\n鼓楼,2010,9\n湖南路,2020,20\n别处,2010,7\n", encoding="utf-8")
    columns: dict[str, Any] = {"unit_id": ["a", "b"], "name": ["鼓楼", "湖南路"], "name_zh": None, "name_en": None,
                               "level": "community"}  # fmt: skip
    units = gpd.GeoDataFrame(columns, geometry=[shapely.box(0, 0, 9, 9), shapely.box(9, 0, 18, 9)], crs=CRS)
    join = partial(joined.placed, columns={}, units=units, where="a.csv")
    found = vectors.read(path, join=join, only=["年份=2020"])
    assert (found.table["常住人口"].sum(), found.joined, found.choosing) == (30, True, ("年份",))
    assert [note.code for note in found.notes] == ["rows_chosen", "people_joined"]


@pytest.mark.parametrize("written_", ["100 Orang", "100 jiwa", "100 persons", "100 pessoas", "100 personnes", "100명"])
def test_persons_in_several_languages(written_: str) -> None:
    read = numbers.read(pd.Series([written_, "fix me", "Besar"], dtype=object), "people")
    assert np.array_equal(read.values, [100, np.nan, np.nan], equal_nan=True)
    assert read.lost.tolist() == [False, False, True]
