"""Tables that fit the terminal: names fold, columns of numbers that find no room are left out and named."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from rich.cells import cell_len
from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.options import Language
from app.cli.screen import out
from app.texts import words

WORD_CELLS = 10
"""Longest word of a heading that is kept whole, in terminal cells."""
NAME_CELLS = 20
"""Narrowest the first column gets before a column of numbers is left out, in terminal cells."""
LEAST_CELLS = 8
"""Narrowest the first column gets at all, in terminal cells."""
HEADING_LINES = 4
"""Most lines a heading is broken into before names fold."""
BETWEEN = 3
"""Cells each column takes beside its text: a border and a blank on either side."""


class Column(NamedTuple):
    """A heading; numbers stand to the right and may be left out."""

    heading: str
    number: bool = True


def print_table(title: str, columns: Sequence[Column], rows: Sequence[Sequence[object]], lang: Language) -> None:
    """Print a table as wide as there is room; the first column are names, cells are text, never markup.

    Columns of numbers that find no room are left out from the right, but for one, and named below.
    """
    console = out()
    cells = [[cell if isinstance(cell, Text) else Text(str(cell)) for cell in row] for row in rows]
    natural = [max([0, *(row[i].cell_len for row in cells)]) for i in range(len(columns))]
    shown = _shown(columns, natural, console.width)
    widths = _widths(console, [columns[i] for i in shown], [natural[i] for i in shown])
    drawn = Table(title=Text(title), title_justify="left", header_style="bold", expand=False)
    for i, width in zip(shown, widths, strict=True):
        justify = "right" if columns[i].number else "left"
        drawn.add_column(Text(columns[i].heading), justify=justify, overflow="fold", width=width)  # type: ignore[arg-type]
    for row in cells:
        drawn.add_row(*(row[i] for i in shown))
    console.print(drawn)
    if left_out := [column.heading for i, column in enumerate(columns) if i not in shown]:
        dim(words("table.left_out", names="; ".join(left_out)).of(lang))


def dim(text: str) -> None:
    """A line below a table about what it shows."""
    out().print(Text(text, style="dim"), soft_wrap=True)


def _shown(columns: Sequence[Column], natural: Sequence[int], width: int) -> list[int]:
    """Places of the columns that find room: those of words, and numbers from the left, one at least."""
    needs = [BETWEEN + _least(column, cells) for column, cells in zip(columns, natural, strict=True)]
    needs[0] = min(needs[0], BETWEEN + NAME_CELLS)
    room = width - 1 - sum(need for need, column in zip(needs, columns, strict=True) if not column.number)
    numbers: list[int] = []
    for i, column in enumerate(columns):
        if column.number:
            room -= needs[i]
            if room < 0 and numbers:
                break
            numbers.append(i)
    return [i for i, column in enumerate(columns) if not column.number or i in numbers]


def _widths(console: Console, columns: Sequence[Column], natural: Sequence[int]) -> list[int]:
    """Cells for the text of each column: headings in as few lines as there is room for, then names on one line."""
    room = console.width - 1 - BETWEEN * len(columns)
    for lines in range(1, HEADING_LINES + 1):
        widths = [_broken(console, each, _least(each, n), lines) for each, n in zip(columns, natural, strict=True)]
        if sum(widths) <= room:
            return widths
    least = [_least(column, cells) for column, cells in zip(columns, natural, strict=True)]
    return [max(LEAST_CELLS, min(least[0], room - sum(least[1:]))), *least[1:]]


def _least(column: Column, cells: int) -> int:
    """Narrowest width at which no cell and no usual word of the heading is broken."""
    return max(cells, min(max(cell_len(word) for word in column.heading.split() or [""]), WORD_CELLS))


def _broken(console: Console, column: Column, least: int, lines: int) -> int:
    """Narrowest width at which the heading takes at most so many lines."""
    widths = range(least, cell_len(column.heading))
    return next((w for w in widths if len(Text(column.heading).wrap(console, w)) <= lines), max(least, widths.stop))
