"""Tables of cells, CSV and Excel: where the header stands, what separates the columns, which sheet it is.

Titles above the header, a second line of headers, merged cells and decimal commas are understood and said. Cells stay
as written unless a whole column is numbers; ``007`` is a name, not seven. The index is the row in the sheet from 0,
titles and header counted.
"""

from __future__ import annotations

import csv
import io
import re
import warnings
import zipfile
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np
import pandas as pd

from data import coordinates, encodings, headers, limits
from data.shapefiles import assumed
from geo.errors import Fault, RenxingError, UnreadableError
from geo.reasons import Finding

SEPARATORS = ",;\t|，"
LOOKED_AT = 30
"""So many rows at the top may be titles."""
USUAL = 2
"""A row with so many usual headers is one of headers."""
MERGES_READ_BYTES = 8 << 20
"""Up to this size merged cells of a workbook are read; larger ones are read row by row."""
BREAKS = (
    ValueError, KeyError, IndexError, TypeError, AttributeError, OSError, RuntimeError, EOFError, OverflowError,
    SyntaxError, AssertionError, zipfile.BadZipFile, zlib.error,
)  # fmt: skip
"""What the library raises over a broken workbook; a SyntaxError is one of its XML."""
_DECIMAL_COMMA = re.compile(r"-?\d+,(?:\d{4,}|\d{1,2})\Z")
_EITHER_COMMA = re.compile(r"-?\d{1,3}(?:\.\d{3})*,\d+\Z|-?\d+,\d+\Z")
_PLAIN = re.compile(r"[-+]?(?:0|[1-9]\d{0,14})(?:\.\d*)?(?:[eE][-+]?\d+)?\Z|[-+]?\.\d+\Z|-?0\.\d+\Z")
_MERGED = re.compile(rb"mergeCell\s[^>]*?ref\s*=\s*[\"']([A-Z]{1,3})(\d{1,10}):([A-Z]{1,3})(\d{1,10})")
_UNCOMPUTED = re.compile(rb"</f>\s*(?:<v\s*/>|<v></v>)?\s*</c>")


Cells: TypeAlias = list[list[Any]]
"""Rows of cells; a row ends with its last cell that holds something."""


@dataclass(frozen=True, eq=False)
class Sheet:
    """A table of cells: what is to be said of how it was found, and what was done to its content."""

    table: pd.DataFrame
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Sheet({len(self.table)} rows, {len(self.table.columns)} columns)"


# -- CSV -----------------------------------------------------------------------------------------------------------


def read_csv(path: Path, *, where: str) -> Sheet:
    """The table in a text file. Raises UnreadableError when it is no table or in an unknown encoding."""
    text, guess = encodings.text(path.read_bytes(), where=where)
    layout = _layout(text, where)
    table = _parsed(text, layout, where)
    notes, conversions = [], []
    if guess.encoding not in (encodings.UTF8, encodings.UTF16):
        notes.append(assumed(guess, "file"))
    if guess.encoding != encodings.UTF8:
        conversions.append(f"{guess.encoding} -> UTF-8")
    if layout.titles:
        notes.append(_titles(layout.titles))
    table, commas = _without_decimal_commas(table) if layout.separator != "," else (table, ())
    notes += commas
    return Sheet(_typed(table), tuple(notes), tuple(conversions))


@dataclass(frozen=True)
class _Layout:
    """What separates columns, rows of titles above the header, and lines and rows (blank ones too) above it."""

    separator: str
    titles: int
    lines: int
    rows: int


def _layout(text: str, where: str) -> _Layout:
    """How a text is laid out; LimitError for too many columns."""
    beginning = text[:200_000]
    best = max(SEPARATORS, key=lambda mark: _evenness(_head(beginning, mark)[0]))
    lines, above = _head(beginning, best)
    header = _header_row(lines) or 0
    limits.PROPERTIES.require(len(lines[header]) if lines else 0, where)
    return _Layout(best, header, *(above[header] if lines else (0, 0)))


def _head(text: str, separator: str) -> tuple[list[list[str]], list[tuple[int, int]]]:
    """The first rows that hold something as cells, and how many lines and rows there are above each."""
    reader = csv.reader(io.StringIO(text), delimiter=separator)
    lines, above, before = [], [], 0
    try:
        for row, line in enumerate(reader):
            if any(cell.strip() for cell in line):
                lines.append(line)
                above.append((before, row))
            before = reader.line_num
            if len(lines) == LOOKED_AT:
                break
    except csv.Error:
        pass  # a quote that never ends: what was read so far shows the layout, the parser says what is wrong
    return lines, above


def _evenness(lines: Sequence[Sequence[str]]) -> tuple[float, int]:
    """How alike the rows are in width: share (0-1) of the commonest width above one, and that width."""
    widths = Counter(len(line) for line in lines if len(line) > 1)
    if not widths:
        return 0.0, 0
    width, count = widths.most_common(1)[0]
    return count / len(lines), width


def _parsed(text: str, layout: _Layout, where: str) -> pd.DataFrame:
    """The rows below the header, by their place in the sheet; those without anything are not there."""
    stream = io.StringIO(text)
    for _ in range(layout.lines):
        stream.readline()
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)  # rows longer than the header
            table = pd.read_csv(
                stream, sep=layout.separator, dtype=str, keep_default_na=False, skipinitialspace=True,
                index_col=False, skip_blank_lines=False,
            ).rename(columns=lambda name: str(name).strip()).fillna("")  # fmt: skip
    except (pd.errors.ParserError, pd.errors.EmptyDataError, pd.errors.ParserWarning) as error:
        raise UnreadableError(Fault("a CSV table", f"“{error}”", where, "Save it again as CSV.")) from error
    table.index = pd.RangeIndex(layout.rows + 1, layout.rows + 1 + len(table))
    return table[(table != "").any(axis=1)]


def _without_decimal_commas(table: pd.DataFrame) -> tuple[pd.DataFrame, list[Finding]]:
    """The table with decimal points, where some number can only have a decimal comma.

    Columns whose commas may as well divide thousands follow only where no number of the table has a point.
    """
    texts = {name: table[name].astype(str).str.strip() for name in table.columns}
    sure = [name for name, text in texts.items() if _all(text, _EITHER_COMMA) and text.str.match(_DECIMAL_COMMA).any()]
    if not sure:
        return table, []
    pointed = any(text.str.fullmatch(r"[-+]?\d+\.\d+").any() for text in texts.values())
    mended = {
        name: text.str.replace(".", "", regex=False).str.replace(",", ".", regex=False)
        for name, text in texts.items() if name in sure or (not pointed and _all(text, _EITHER_COMMA))
    }  # fmt: skip
    names = ", ".join(mended)
    note = Finding("decimal_comma", f"Numbers have a comma for the point: {names}.", f"数字以逗号作小数点：{names}。",
                   "repaired", len(mended))  # fmt: skip
    return table.assign(**mended), [note]


def _all(text: pd.Series[str], pattern: re.Pattern[str]) -> bool:
    """Whether every written cell is like this, and there is one."""
    written = text[text != ""]
    return bool(len(written)) and bool(written.str.match(pattern).all())


# -- Excel ---------------------------------------------------------------------------------------------------------


def read_xlsx(path: Path, name: str | None = None, *, where: str) -> Sheet:
    """The table in a workbook: the sheet called ``name``, else the only one with a table.

    Values of formulas are those the spreadsheet computed when it was saved. Raises UnreadableError with the sheets'
    names when none is a table, or several are.
    """
    cells = _sheets(path, where)
    if name is not None and name in cells:
        cells = {name: cells[name]}
    found = {title: sheet for title, rows in cells.items() if (sheet := _tabled(rows)) is not None}
    placed = {title: sheet for title, sheet in found.items() if _has_place(sheet.table)}
    likely = placed if len(placed) == 1 else found
    if len(likely) != 1:
        raise UnreadableError(_which_sheet(list(cells), list(likely), where))
    ((title, sheet),) = likely.items()
    notes = [*sheet.notes, *_uncomputed(path)]
    if len(cells) > 1:
        others = ", ".join(other for other in cells if other != title)
        notes.append(Finding("sheet_chosen", f"Read from the sheet {title}; not used: {others}.",
                             f"读取工作表“{title}”；未使用：{others}。", value=title))  # fmt: skip
    return replace(sheet, notes=tuple(notes))


def _which_sheet(there: list[str], likely: list[str], where: str) -> Fault:
    if likely:
        cure = f"Name it: --map table={likely[0]}."
        return Fault("one sheet with a table", f"{len(likely)} ({', '.join(likely[:8])})", where, cure)
    cure = "Give the columns names in one row, with rows below."
    return Fault("a sheet with a table", f"none in {', '.join(there[:8]) or 'no sheet'}", where, cure)


def _sheets(path: Path, where: str) -> dict[str, Cells]:
    """The cells of every sheet that can be seen, with merged cells filled."""
    import openpyxl  # a third of a second to load, and few tables need it

    small = path.stat().st_size <= MERGES_READ_BYTES
    try:
        if small:
            limits.MERGED.require(_merged_count(path), where)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # styles and drop-downs that are not needed here
            book = openpyxl.load_workbook(path, data_only=True, read_only=not small)
            seen = [sheet for sheet in book.worksheets if sheet.sheet_state == "visible"]
            return {sheet.title: _cells(sheet, where, merged=small) for sheet in seen}
    except RenxingError:
        raise
    except BREAKS as error:
        raise UnreadableError(Fault("an Excel file (.xlsx)", f"“{error}”", where, "Save it again.")) from error


def _cells(sheet: Any, where: str, *, merged: bool) -> Cells:
    """The rows of a sheet up to the last cell with something; every cell of a merged column of cells has its value."""
    if not merged:
        return _streamed(sheet, where)
    there = {place: cell.value for place, cell in sheet._cells.items() if cell.value is not None}
    limits.FEATURES.require(max((row for row, _ in there), default=0), where)
    limits.PROPERTIES.require(max((column for _, column in there), default=0), where)
    for area in sheet.merged_cells.ranges:
        top = there.get((area.min_row, area.min_col))
        there |= {} if top is None else {(row, area.min_col): top for row in range(area.min_row, area.max_row + 1)}
    cells: Cells = [[] for _ in range(max((row for row, _ in there), default=0))]
    for row, column in sorted(there):
        filled = cells[row - 1]
        filled += [*[None] * (column - 1 - len(filled)), there[row, column]]
    return cells


def _streamed(sheet: Any, where: str) -> Cells:
    """The same of a large sheet, read row by row."""
    sheet.reset_dimensions()  # what a file says of its own size need not be so
    cells: Cells = []
    for row in sheet.iter_rows(values_only=True):
        width = max((i + 1 for i, cell in enumerate(row) if cell is not None), default=0)
        limits.PROPERTIES.require(width, where)
        cells.append(list(row[:width]))
        limits.FEATURES.require(len(cells), where)
    return cells


def _merged_count(path: Path) -> int:
    """How many cells are merged in all sheets; the library makes an object of each."""
    return sum(
        (_column_number(right) - _column_number(left) + 1) * (int(bottom) - int(top) + 1)
        for part in _sheet_parts(path) for left, top, right, bottom in _MERGED.findall(part)
    )  # fmt: skip


def _column_number(letters: bytes) -> int:
    number = 0
    for letter in letters:
        number = number * 26 + letter - ord("A") + 1
    return number


def _sheet_parts(path: Path) -> Iterator[bytes]:
    """The sheets of a workbook as they are written."""
    with zipfile.ZipFile(path) as archive:
        for name in archive.namelist():
            if name.startswith("xl/worksheets/") and name.endswith(".xml"):
                yield archive.read(name)


def _tabled(cells: Cells) -> Sheet | None:
    """The table in some cells; None when there is none."""
    filled = [i for i, row in enumerate(cells) if any(not _blank(cell) for cell in row)]
    at = _header_row([cells[i] for i in filled])
    if at is None or at + 1 >= len(filled):
        return None
    names, below = _names(cells, filled[at], filled[at + 1])
    width = max((i + 1 for i, name in enumerate(names) if name), default=0)
    body = [[*row[:width], *[None] * (width - len(row))] for row in cells[below:]]
    index = pd.RangeIndex(below, below + len(body))
    table = pd.DataFrame(body, columns=_unique(names[:width]), dtype=object, index=index)
    table = table[[name for name in table.columns if name]]
    table = table[~table.map(_blank).all(axis=1)]
    return Sheet(_typed(table), (_titles(at),) if at else ())


def _names(cells: Cells, at: int, after: int) -> tuple[list[str], int]:
    """The columns' names, from one or two lines of headers, and where the rows begin."""
    header = [_named(cell) for cell in cells[at]]
    second = [_named(cell) for cell in cells[after]]
    lower = [name for name, upper in zip(second, header, strict=False) if name and name != upper]
    if lower and all(headers.known(name) for name in lower) and len(lower) < sum(map(bool, header)):
        width = max(len(header), len(second))
        header, second = (names + [""] * (width - len(names)) for names in (header, second))
        return [down or up for up, down in zip(header, second, strict=True)], after + 1
    return header, at + 1


def _named(cell: object) -> str:
    return "" if cell is None else re.sub(r"\s*\n\s*", "", str(cell)).strip()


def _blank(cell: object) -> bool:
    return cell is None or cell != cell or (isinstance(cell, str) and not cell.strip())


def _unique(names: Sequence[str]) -> list[str]:
    """Names told apart: ``面积``, ``面积.1``."""
    seen: Counter[str] = Counter()
    told = []
    for name in names:
        told.append(f"{name}.{seen[name]}" if name and seen[name] else name)
        seen[name] += 1
    return told


def _uncomputed(path: Path) -> list[Finding]:
    """Formulas that were never computed have no value: programs write such files."""
    count = sum(len(_UNCOMPUTED.findall(part)) for part in _sheet_parts(path))
    if not count:
        return []
    return [Finding(
        "formulas_not_computed", f"{count:,} formulas have no value: they were never computed.",
        f"{count:,}个公式没有计算结果。", "warning", count, do_en="Open the file in a spreadsheet and save it.",
        do_zh="请用电子表格软件打开并保存一次。",
    )]  # fmt: skip


# -- both ----------------------------------------------------------------------------------------------------------


def _header_row(lines: Sequence[Sequence[Any]]) -> int | None:
    """The first row with two names, unless it has hardly a usual header and a later one does; None where no row has two
    cells. Names differ from each other, and few of them are numbers.
    """
    names = {i: [cell for cell in line if not _blank(cell)] for i, line in enumerate(lines[:LOOKED_AT])}
    wide = {i: line for i, line in names.items() if len(line) > 1}
    likely = {i: line for i, line in wide.items() if len({str(cell) for cell in line}) == len(line)}
    likely = {i: line for i, line in likely.items() if sum(map(_is_number, line)) * 2 <= len(line)} or wide
    if not likely:
        return None
    usual = {i: sum(map(headers.known, line)) for i, line in likely.items()}
    first, best = next(iter(likely)), max(usual, key=lambda i: usual[i])
    return best if usual[first] < USUAL <= usual[best] else first


def _is_number(cell: object) -> bool:
    return not isinstance(cell, str) or _PLAIN.match(cell.strip()) is not None


def _has_place(table: pd.DataFrame) -> bool:
    return coordinates.says(table, {})


def _titles(above: int) -> Finding:
    en, zh = f"The header is the row below {above} of titles.", f"表头上方有{above}行标题。"
    return Finding("titles_above_header", en, zh, "info", above)


def _typed(table: pd.DataFrame) -> pd.DataFrame:
    """The table with columns of numbers as numbers and nothing as None; rows without anything are not there."""
    columns = {name: _column(table.iloc[:, i]) for i, name in enumerate(table.columns)}
    typed = pd.DataFrame(columns, index=table.index)
    return typed[typed.notna().any(axis=1)] if len(typed.columns) else typed


def _column(given: pd.Series[Any]) -> pd.Series[Any]:
    cells = [_cell(value) for value in given]
    there = [cell for cell in cells if cell is not None]
    if there and all(_plain_number(cell) for cell in there):
        return pd.Series([np.nan if c is None else float(c) for c in cells], index=given.index, dtype=np.float64)
    return pd.Series(cells, index=given.index, dtype=object)


def _cell(value: object) -> Any:
    if _blank(value):
        return None
    return None if isinstance(value, str) and value.strip().lower() in _NOTHING else value


_NOTHING = frozenset({"null", "<null>", "nan", "#n/a", "#ref!", "#value!", "#div/0!", "#name?"})
"""What programs write into cells that hold nothing."""


def _plain_number(cell: object) -> bool:
    if isinstance(cell, bool):
        return False
    return isinstance(cell, (int, float)) or (isinstance(cell, str) and _PLAIN.match(cell.strip()) is not None)
