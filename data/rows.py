"""Findings about rows of a table that was read: how many, the first of them by number, and what stands there.

A table's index keeps the place of each row in its file, counted from 0; people count from 1. Of a sheet (CSV, Excel)
that is the row a spreadsheet shows, title and header rows counted; of other files the feature.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd

from geo.reasons import Finding, Severity

TOLD_ROWS = 5
"""So many rows are named."""
ONE = {"are": "is", "were": "was", "have": "has", "lie": "lies", "do": "does", "cross": "crosses", "come": "comes",
       "themselves": "itself"}  # fmt: skip
"""Verbs of many things, and of one."""
VERBS = re.compile(rf"(?<!they )(?<!rows )(?<!and it )\b({'|'.join(ONE)})\b")
VALUE_MAX = 80
"""So much of a value is shown."""


def numbered(rows: Sequence[Any] | pd.Index[Any]) -> tuple[int, ...]:
    """The first of the rows as people count them."""
    return tuple(int(row) + 1 for row in list(rows[:TOLD_ROWS]))


def listed(rows: Sequence[Any] | pd.Index[Any]) -> str:
    """``row 3``, ``rows 3, 17, 18, 20, 21 and 4 more``: where something stands, for a sentence."""
    first = ", ".join(str(row) for row in numbered(rows))
    more = f" and {len(rows) - TOLD_ROWS:,} more" if len(rows) > TOLD_ROWS else ""
    return f"row{'s' if len(rows) > 1 else ''} {first}{more}"


def found(
    code: str, severity: Severity, en: str, zh: str, *, rows: Sequence[Any] | pd.Index[Any], column: str = "",
    values: pd.Series[Any] | None = None, do: tuple[str, str] = ("", ""),
) -> Finding:  # fmt: skip
    """A finding about ``rows`` (labels of the table's index); ``{n}`` in the texts becomes their number.

    ``values`` is the column as written: what stands in the first of the rows is shown. ``do`` says what to do about it
    in English and Chinese.
    """
    shown = "" if values is None or not len(rows) else str(values.loc[rows[0]])[:VALUE_MAX]
    count = len(rows)
    return Finding(code, told(en, count), zh.replace("{n}", f"{count:,}"), severity, count,
                   numbered(rows), column, shown, *do)  # fmt: skip


def told(en: str, count: int) -> str:
    """A sentence about ``{n}`` things with their number; of a single one its noun, and the verbs that belong to it."""
    if count != 1:
        return en.replace("{n}", f"{count:,}")
    said = re.sub(r"\{n\} (\w+?)s\b", r"1 \1", en, count=1)
    return VERBS.sub(lambda verb: ONE[verb[0]], said) if said != en else en.replace("{n}", "1")


def where(frame: pd.DataFrame | pd.Series[Any], mask: Any) -> pd.Index[Any]:
    """Labels of the rows for which ``mask`` (rows,) holds."""
    return frame.index[np.asarray(mask, dtype=bool)]
