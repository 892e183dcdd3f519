from __future__ import annotations

import zipfile
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import openpyxl
import pytest

from data import sheets, vectors
from geo.errors import ColumnError, UnreadableError

Rows = Sequence[Sequence[Any]]


def csv(folder: Path, text: str, encoding: str = "utf-8") -> Path:
    path = folder / "a.csv"
    path.write_bytes(text.encode(encoding))
    return path


def book(folder: Path, merged: Sequence[str] = (), **tables: Rows) -> Path:
    path, made = folder / "a.xlsx", openpyxl.Workbook()
    made.remove(made.active)
    for title, rows in tables.items():
        sheet = made.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        for area in merged:
            sheet.merge_cells(area)
    made.save(path)
    return path


@pytest.mark.parametrize("separator", [",", ";", "\t", "|"])
@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "gb18030"])
def test_csv_of_every_kind(tmp_path: Path, separator: str, encoding: str) -> None:
    lines = [
        ["名称", "经度", "纬度", "备注"],
        ["鼓楼公园", "118.78", "32.06", '"大, 有水;井|是"'],
        ["山西路广场", "118.77", "32.07", ""],
    ]
    path = csv(tmp_path, "\n".join(separator.join(line) for line in lines) + "\n", encoding)
    table = vectors.read(path, crs="EPSG:4326").table
    assert table["名称"].tolist() == ["鼓楼公园", "山西路广场"]
    assert table.geometry.iloc[0].coords[0] == (118.78, 32.06)
    assert table["备注"].tolist() == ["大, 有水;井|是", None]


def test_a_japanese_csv(tmp_path: Path) -> None:
    path = csv(tmp_path, "名称,緯度,経度\n焼津市立総合病院,34.83,138.30\n", "cp932")
    found = vectors.read(path, crs="EPSG:4326")
    assert found.table["名称"].tolist() == ["焼津市立総合病院"]
    assert found.conversions == ("CP932 -> UTF-8",)


def test_titles_above_the_header(tmp_path: Path) -> None:
    path = csv(tmp_path, "南京市避难场所一览表,,\n单位：民政局,,2024年\n名称,经度,纬度\nA,118,32\n")
    sheet = sheets.read_csv(path, where="a.csv")
    assert (list(sheet.table.columns), sheet.table["经度"].tolist()) == (["名称", "经度", "纬度"], [118.0])
    assert [(note.code, note.count) for note in sheet.notes] == [("titles_above_header", 2)]


def test_rows_are_numbered_as_a_spreadsheet_shows_them(tmp_path: Path) -> None:
    text = '避难场所一览表,,\n"2024年\n12月",,\n\n名称,经度,纬度\nA,118,32\n,,\n\n"B\nC",118,32\nD,,\n'
    sheet = sheets.read_csv(csv(tmp_path, text), where="a.csv")
    assert (sheet.table["名称"].tolist(), (sheet.table.index + 1).tolist()) == (["A", "B\nC", "D"], [5, 8, 9])
    rows = [["避难场所一览表"], [None], ["名称", "经度", "纬度"], ["A", 118, 32], [None], ["D", 1, 2]]
    sheet = sheets.read_xlsx(book(tmp_path, 表=rows), where="a.xlsx")
    assert (sheet.table["名称"].tolist(), (sheet.table.index + 1).tolist()) == (["A", "D"], [4, 6])


def test_decimal_commas(tmp_path: Path) -> None:
    path = csv(tmp_path, "name;lon;lat;area;code\nA;3,01234;52,5;1.475,5;007\nB;3,1;52,6;20,25;010\n")
    sheet = sheets.read_csv(path, where="a.csv")
    assert sheet.table["lon"].tolist() == [3.01234, 3.1]
    assert sheet.table["area"].tolist() == [1475.5, 20.25]
    assert sheet.table["code"].tolist() == ["007", "010"]  # a name, not a number
    assert [note.code for note in sheet.notes] == ["decimal_comma"]


def test_rows_longer_than_the_header_are_refused(tmp_path: Path) -> None:
    with pytest.raises(UnreadableError, match="a CSV table"):
        vectors.read(csv(tmp_path, "name,lon,lat\nA,3,52\nB,3,52,x,y\n"))


def test_rows_that_look_like_headers_are_none(tmp_path: Path) -> None:
    path = csv(tmp_path, "A1,B1,C1,lon,lat\n男,no,type,3,52\nno,no,yes,3,52\n")
    assert len(vectors.read(path, crs="EPSG:4326").table) == 2


def test_a_chinese_government_sheet(tmp_path: Path) -> None:
    rows = [
        ["成都市应急避难场所一览表", None, None, None, None, None], ["2024年12月", None, None, None, None, None],
        ["序号", "名称", "坐标", None, "面积", "所属区"], [None, None, "经度", "纬度", None, None],
        [1, "人民公园", 104.05, 30.66, "1,200", "青羊区"], [2, "百花潭公园", 104.04, 30.65, 800, None],
        [None, None, None, None, None, None], [3, "武侯祠", 104.04, 30.64, 300, "武侯区"],
    ]  # fmt: skip
    merged = ("A1:F1", "A3:A4", "B3:B4", "C3:D3", "E3:E4", "F3:F4", "F5:F6")
    path = book(tmp_path, merged, 一览表=rows, 说明=[["填表说明"], ["请核对"]])
    found = vectors.read(path, crs="EPSG:4326")
    assert list(found.table.columns) == ["序号", "名称", "经度", "纬度", "面积", "所属区", "geometry"]
    assert found.table["所属区"].tolist() == ["青羊区", "青羊区", "武侯区"]
    assert found.table.index.tolist() == [4, 5, 7]  # rows 5, 6 and 8 of the sheet
    assert found.table.geometry.iloc[2].coords[0] == (104.04, 30.64)
    assert {note.code for note in found.notes} == {"titles_above_header", "sheet_chosen"}


def test_several_sheets_are_asked_and_named(tmp_path: Path) -> None:
    rows = [["name", "lon", "lat"], ["A", 3, 52]]
    path = book(tmp_path, first=rows, second=rows)
    with pytest.raises(UnreadableError, match=r"2 \(first, second\).*--map table=first"):
        vectors.read(path, crs="EPSG:4326")
    assert len(vectors.read(path, crs="EPSG:4326", columns={"table": "second"}).table) == 1
    with pytest.raises(UnreadableError, match="none in only"):
        vectors.read(book(tmp_path, only=[["a note"]]), crs="EPSG:4326")
    with pytest.raises(ColumnError, match="a column lon"):
        vectors.read(book(tmp_path, only=[["name", "size"], ["A", 1]]), crs="EPSG:4326")


def test_cells_of_every_type(tmp_path: Path) -> None:
    rows = [["name", "wkt", "n", "day", "f"], ["A", "POINT (3 52)", 7, datetime(2026, 5, 1), "=1+1"],
            ["B", None, 8.5, None, "#N/A"]]  # fmt: skip
    found = vectors.read(book(tmp_path, one=rows), crs="EPSG:4326")
    assert found.table["n"].tolist() == [7, 8.5]
    assert found.table["day"].iloc[0] == datetime(2026, 5, 1)
    assert found.table["f"].isna().all()  # never computed
    assert [(note.code, note.count) for note in found.notes] == [("formulas_not_computed", 1)]
    assert found.table.geometry.isna().tolist() == [False, True]


def test_large_workbooks_are_read_row_by_row(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "MERGES_READ_BYTES", 0)
    path = book(tmp_path, one=[["title"], ["name", "lon", "lat"], ["A", 3, 52]])
    assert vectors.read(path, crs="EPSG:4326").table["name"].tolist() == ["A"]


def test_a_spoiled_workbook_and_other_office_files(tmp_path: Path) -> None:
    whole, path = book(tmp_path, one=[["name", "lon", "lat"], ["A", 3, 52]]), tmp_path / "b.xlsx"
    with zipfile.ZipFile(whole) as source, zipfile.ZipFile(path, "w") as copy:
        for name in source.namelist():
            copy.writestr(name, b"<sheet" if "sheet1.xml" in name else source.read(name))
    with pytest.raises(UnreadableError, match=r"an Excel file \(\.xlsx\)"):
        vectors.read(path, crs="EPSG:4326")
    for name, said in (("mimetype", r"OpenDocument.*Save it as \.xlsx"), ("word/document.xml", "text document")):
        with zipfile.ZipFile(path, "w") as archive:
            archive.writestr(name, "application/vnd.oasis.opendocument.spreadsheet")
        with pytest.raises(UnreadableError, match=said):
            vectors.read(path)


def test_thousands_stay_where_another_column_has_points(tmp_path: Path) -> None:
    path = tmp_path / "rooms.csv"
    path.write_text("name;lon;lat;capacity;width\nA;5.91;52.55;1,200;12,5\nB;5.92;52.56;2,500;7,25\n", encoding="utf-8")
    table = sheets.read_csv(path, where="x").table
    assert table["width"].tolist() == [12.5, 7.25]
    assert [str(value) for value in table["capacity"]] == ["1,200", "2,500"]
