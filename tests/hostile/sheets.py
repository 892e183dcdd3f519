"""CSV and Excel: formulas, columns without end, quotes without end, XML that grows."""

from __future__ import annotations

import io
import zipfile
from collections.abc import Callable

import openpyxl

from tests.hostile import seeds
from tests.hostile.maker import case

HEAD = b"name,lon,lat,capacity\n"
ROW = b"a,118.8,32.05,5\n"
SPREADSHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
LAUGHS = (
    b"<!DOCTYPE x [<!ENTITY a 'ha'>"
    + b"".join(b"<!ENTITY %c '%s'>" % (98 + i, b"&%c;" % (97 + i) * 10) for i in range(12))
    + b"]>"
)
OUTSIDE = b'<!DOCTYPE x [<!ENTITY a SYSTEM "../secret.txt">]>'
OUTSIDE_DTD = b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">'


def workbook(**changed: bytes) -> bytes:
    """The sound workbook with parts replaced or added, named without their folder xl/."""
    with zipfile.ZipFile(io.BytesIO(seeds.xlsx())) as sound:
        parts = {name: sound.read(name) for name in sound.namelist()}
    return seeds.zipped(parts | {f"xl/{name}": content for name, content in changed.items()})


def sheet(inner: bytes, before: bytes = b"", dimension: bytes = b"A1:D2") -> bytes:
    """A workbook whose one sheet has these rows."""
    text = (
        b"<?xml version='1.0'?>"
        + before
        + f"<worksheet xmlns='{SPREADSHEET}'>".encode()
        + b"<dimension ref='"
        + dimension
        + b"'/><sheetData>"
        + inner
        + b"</sheetData></worksheet>"
    )
    return workbook(**{"worksheets/sheet1.xml": text})


def cell(place: str, value: str) -> bytes:
    return f'<c r="{place}" t="inlineStr"><is><t>{value}</t></is></c>'.encode()


TOP = (
    b'<row r="1">' + b"".join(cell(f"{c}1", n) for c, n in zip("ABC", ("name", "lon", "lat"), strict=True)) + b"</row>"
)
SECOND = b'<row r="2">' + cell("A2", "a") + b'<c r="B2"><v>118.8</v></c><c r="C2"><v>32.05</v></c></row>'


def with_formulas() -> bytes:
    book = openpyxl.Workbook()
    book.active.append(["name", "lon", "lat", "capacity"])
    book.active.append(['=HYPERLINK("http://127.0.0.1:9","x")', 118.8, 32.05, "=cmd|'/c calc'!A0"])
    book.active.append(["+cmd|' /c calc'!A0", 118.8, 32.05, 3])
    buffer = io.BytesIO()
    book.save(buffer)
    return buffer.getvalue()


def merged(areas: str) -> bytes:
    text = (f"<?xml version='1.0'?><worksheet xmlns='{SPREADSHEET}'><sheetData>").encode() + TOP + SECOND
    return workbook(
        **{"worksheets/sheet1.xml": text + f"</sheetData><mergeCells>{areas}</mergeCells></worksheet>".encode()}
    )


def strings(content: bytes) -> bytes:
    head = f"<?xml version='1.0'?><sst xmlns='{SPREADSHEET}' count='1' uniqueCount='1'><si><t>".encode()
    return workbook(**{"sharedStrings.xml": head + content + b"</t></si></sst>"})


def noise() -> bytes:
    """Bytes that pack badly, so that a large part is no bomb by its ratio."""
    import random

    return random.Random(1).randbytes(1 << 20).hex().encode()


def repeat(content: bytes, times: int) -> Callable[[], bytes]:
    return lambda: content * times


case(
    "formulas.csv",
    "spreadsheet: cells that run programs",
    "accepted",
    lambda: HEAD + b"=cmd|' /c calc'!A0,118.8,32.05,5\n@SUM(1+1)*cmd|' /C calc'!A0,118.8,32.06,6\n-2+3,118.8,32.06,7\n",
)
case(
    "columns.csv",
    "memory: a million columns",
    "limit-properties",
    lambda: b",".join(b"c%d" % i for i in range(1_000_000)) + b"\n" + b",".join([b"1"] * 1_000_000) + b"\n",
)
case(
    "more_columns.csv", "memory: a row of a million cells", "unreadable", lambda: HEAD + ROW + b"1," * 1_000_000 + b"\n"
)
case("long_line.csv", "memory: a line of 100 MB", "limit-text", lambda: HEAD + b"x" * (100 << 20) + b",118.8,32.05,5\n")
case("long_header.csv", "memory: a header of 100 MB", "unreadable", lambda: b"x" * (100 << 20) + b"\n1\n")
case("quote.csv", "time: a quote that never ends", "unreadable", lambda: HEAD + b'"' + ROW * 200_000)
case("quotes.csv", "time: millions of quotes", "unreadable", lambda: HEAD + b'"' * 5_000_001)
case("nul.csv", "reader: NUL in cells", "unreadable", lambda: HEAD + b"a\0b,118.8,32.05,5\n")
case("only_nul.csv", "reader: a megabyte of NUL", "unreadable", lambda: bytes(1 << 20))
case("infinite.csv", "places: degrees of 1e999", "columns", lambda: HEAD + b"a,1e999,-1e999,5\n")
case("infinity.csv", "places: degrees that are words", "columns", lambda: HEAD + b"a,Infinity,NaN,5\n")
case("huge.csv", "places: degrees of 1e308", "crs", lambda: HEAD + b"a,1e308,1e308,5\n")
case(
    "figures.csv",
    "time: a number of a million figures",
    "columns",
    lambda: HEAD + ROW + b"b,118.8,32.05," + b"9" * 1_000_000 + b"\n",
)
case(
    "mixed.csv",
    "encoding: two in one file",
    "unreadable",
    lambda: HEAD + "避难所,118.8,32.05,5\n".encode() + "避难所,118.8,32.05,5\n".encode("gbk") + b"\xff\xfe\x81,1,1,1\n",
)
case("titles.csv", "time: a million empty lines first", "unreadable", lambda: b"\n" * 1_000_000 + HEAD + ROW)
case("separators.csv", "time: nothing but separators", "limit-properties", lambda: b",;\t|" * 500_000 + b"\n")
case(
    "wkt_deep.csv",
    "stack: WKT of 100 000 brackets",
    "limit-depth",
    lambda: (
        b"name;wkt\na;GEOMETRYCOLLECTION(" + b"GEOMETRYCOLLECTION(" * 50_000 + b"POINT(1 1)" + b")" * 50_001 + b"\n"
    ),
)
case("wkt_empty.csv", "shapes: WKT of nothing", "unreadable", lambda: b"name;wkt\na;POINT EMPTY\nb;POLYGON EMPTY\n")
case(
    "wkb_hex.csv",
    "memory: WKB of four billion rings",
    "unreadable",
    lambda: b"name;wkt\na;0103000000FFFFFFFFFFFFFFFF\n",
)
case(
    "angles.csv",
    "time: angles made to be read for ever",
    "columns",
    lambda: HEAD + b"a," + b"1" * 50_000 + b" " * 50_000 + b"x," + "东经".encode() + b" " * 100_000 + b"!,5\n",
)
case("header_escapes.csv", "terminal: escapes in a header", "columns", lambda: b"\x1b[2J,\x1b]0;owned\x07\n1,2\n")
case("passwd.csv", "files: a path for a name", "accepted", lambda: HEAD + b"file:///etc/passwd,118.8,32.05,5\n")
case("utf32.csv", "encoding: UTF-32", "columns", lambda: seeds.csv_text().encode("utf-32"))
case("utf7.csv", "encoding: UTF-7 with a script", "accepted", lambda: HEAD + b"+ADw-script+AD4-,118.8,32.05,5\n")

case("formulas.xlsx", "spreadsheet: formulas and links", "accepted:formulas_not_computed", with_formulas)
case(
    "laughs.xlsx",
    "memory: entities of entities",
    "unreadable",
    lambda: sheet(TOP + b'<row r="2">' + cell("A2", "&l;") + b"</row>", before=LAUGHS),
)
case(
    "entity.xlsx",
    "files: an entity that is a file",
    "unreadable",
    lambda: sheet(TOP + SECOND.replace(b"<t>a<", b"<t>&a;<"), before=OUTSIDE),
)
case("dtd.xlsx", "network: a DTD by address", "accepted", lambda: sheet(TOP + SECOND, before=OUTSIDE_DTD))
case("strings.xlsx", "memory: 200 MB of shared text", "limit-zip-ratio", lambda: strings(b"x" * (200 << 20)))
case("long_string.xlsx", "memory: a text of 60 MB that packs badly", "accepted", lambda: strings(noise() * 30))
case(
    "dimension.xlsx",
    "memory: says 2^20 rows by 16 384 columns",
    "accepted",
    lambda: sheet(TOP + SECOND, dimension=b"A1:XFD1048576"),
)
case(
    "far_cell.xlsx",
    "memory: a cell in the last row and column",
    "limit-properties",
    lambda: sheet(TOP + SECOND + b'<row r="1048576"><c r="XFD1048576"><v>1</v></c></row>'),
)
case(
    "far_row.xlsx",
    "time: a cell in the last row",
    "accepted",
    lambda: sheet(TOP + SECOND + b'<row r="1048576"><c r="A1048576"><v>1</v></c></row>'),
)
case(
    "impossible_cell.xlsx",
    "memory: a cell in row ten billion",
    "limit-features",
    lambda: sheet(TOP + SECOND + b'<row r="9999999999"><c r="A9999999999"><v>1</v></c></row>'),
)
case(
    "merged.xlsx",
    "memory: a merged cell as large as the sheet",
    "limit-merged-cells",
    lambda: merged('<mergeCell ref="A1:XFD1048576"/>'),
)
case(
    "merged_many.xlsx",
    "time: 20 000 merged cells on each other",
    "limit-merged-cells",
    lambda: merged('<mergeCell ref="A1:C1048576"/>' * 20_000),
)
case("deep.xlsx", "stack: 100 000 tags in each other", "unreadable", lambda: sheet(TOP + SECOND + b"<a>" * 100_000))
case(
    "attribute.xlsx",
    "memory: an attribute of 10 MB",
    "limit-zip-ratio",
    lambda: sheet(TOP + b'<row r="2" x="' + b"y" * (10 << 20) + b'"/>'),
)
case(
    "macros.xlsm",
    "code: a workbook with macros",
    "accepted",
    lambda: workbook(**{"vbaProject.bin": b"\xd0\xcf\x11\xe0" * 100}),
)
case(
    "no_sheet.xlsx",
    "reader: a workbook without a sheet",
    "unreadable",
    lambda: workbook(**{"workbook.xml": f"<workbook xmlns='{SPREADSHEET}'/>".encode()}),
)
case(
    "other_sheet.xlsx",
    "files: a sheet beyond the workbook",
    "unreadable",
    lambda: workbook(
        **{
            "_rels/workbook.xml.rels": b"<Relationships xmlns='http://schemas.openxmlformats.org/package/2006/relationships'>"
            b"<Relationship Id='rId1' Type='http://schemas.openxmlformats.org/officeDocument/2006/"
            b"relationships/worksheet' Target='../../../secret.txt'/></Relationships>"
        }
    ),
)
case(
    "dates.xlsx",
    "reader: a date of the year 10^300",
    "unreadable",
    lambda: sheet(TOP + b'<row r="2">' + cell("A2", "a") + b'<c r="B2" t="d"><v>9e300</v></c></row>'),
)
