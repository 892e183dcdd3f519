"""Some of the rows of a table: ``TYPE=School,Sports Facility`` takes the rows that have one of these values.

::

    COLUMN=VALUE[,VALUE...]   rows with one of the values; no value at all means an empty cell
    COLUMN!=VALUE[,VALUE...]  the others, empty ones too
    COLUMN="SD, SMP",SD       a value with a comma stands in quotes

Columns are those of the file. Columns and values are compared without case, width and blanks around them, numbers as
numbers (``7``, ``7.0``); ``007`` is a name. Of several conditions all must hold.
"""

from __future__ import annotations

import csv
import re
import unicodedata
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from decimal import Decimal
from difflib import get_close_matches
from functools import lru_cache
from typing import Any, Generic, TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.errors import ColumnError, Fault, ParameterError, refuse
from geo.reasons import Finding

COLUMNS_MAX, VALUES_MAX = 30, 8
"""So many columns, and so many values of one, are named where a condition does not fit."""
VALUE_MAX = 60
"""So much of a value is shown."""
NUMBER = re.compile(r"[-+]?(?:(?:0|[1-9]\d{0,14})(?:\.\d*)?|\.\d+)(?:e[-+]?\d{1,3})?\Z")
"""What is compared as a number; ``007`` and what is longer than any count are names."""

Mask = NDArray[np.bool_]
Table = TypeVar("Table", bound=pd.DataFrame)


@dataclass(frozen=True)
class Condition:
    """Rows whose ``column`` has one of the ``values``, or none of them when ``others``; ``text`` is how it was said."""

    text: str
    column: str
    values: tuple[str, ...]
    others: bool = False


@dataclass(frozen=True, eq=False)
class Chosen(Generic[Table]):
    """The rows for which all conditions hold, what is to be said, what was done, and the columns that decided."""

    table: Table
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Chosen({len(self.table)} rows by {', '.join(self.columns) or 'nothing'})"


def conditions(said: Iterable[str]) -> tuple[Condition, ...]:
    """What texts such as ``TYPE=School,Clinic`` ask for; ParameterError with each that is no condition."""
    texts = list(said)
    refuse(ParameterError, faults(texts, "--where"))
    return tuple(_parsed(text) for text in texts)


def faults(said: Iterable[str], where: str) -> Iterator[Fault]:
    """The texts that are no conditions."""
    cure = 'Write COLUMN=VALUE, COLUMN=VALUE,VALUE or COLUMN!=VALUE, and what has a comma in "quotes".'
    for text in said:
        column, mark, values = text.partition("=")
        if not mark or not column.removesuffix("!").strip() or _values(values) is None:
            yield Fault("COLUMN=VALUE[,VALUE…]", repr(text), where, cure)


def chosen(table: Table, said: Sequence[str], *, where: str) -> Chosen[Table]:
    """The rows of a table for which every condition in ``said`` holds, their labels kept; ``where`` names its file.

    Raises ParameterError for what is no condition, and ColumnError for columns that are not there and for conditions
    that leave nothing of a table that has rows.
    """
    asked = conditions(said)
    if not asked:
        return Chosen(table)
    named = _columns(table, asked, where)
    texts = [_texts(table[name]) for name in named]
    masks = [_holds(condition, column) for condition, column in zip(asked, texts, strict=True)]
    taken = np.logical_and.reduce(masks)
    if len(table) and not taken.any():
        raise ColumnError(_nothing(asked, named, texts, masks, where))
    some, all_ = f"{int(taken.sum()):,}", f"{len(table):,}"
    notes = (_said(asked, taken), *_not_found(asked, named, texts))
    told = " and ".join(condition.text for condition in asked)
    return Chosen(table[taken], notes, (f"where {told}: {some} of {all_} rows",), tuple(named))


# -- conditions ----------------------------------------------------------------------------------------------------


def _parsed(text: str) -> Condition:
    column, _, values = text.partition("=")
    others = column.endswith("!")
    return Condition(text.strip(), column.removesuffix("!").strip(), tuple(_values(values) or ()), others)


def _values(text: str) -> list[str] | None:
    """The values between commas; None where they cannot be told apart."""
    try:
        rows = list(csv.reader([text], skipinitialspace=True, strict=True))
    except csv.Error:
        return None
    return [value.strip() for value in rows[0]] if rows and rows[0] else [""]


def _columns(table: pd.DataFrame, asked: Sequence[Condition], where: str) -> list[str]:
    """The file's name of each condition's column."""
    shape = table.geometry.name if isinstance(table, gpd.GeoDataFrame) else None
    names = [str(name) for name in table.columns if name != shape]
    found = [_named(condition.column, names) for condition in asked]
    refuse(ColumnError, [
        _unknown(condition.column, likely, names, where)
        for condition, likely in zip(asked, found, strict=True) if len(likely) != 1
    ])  # fmt: skip
    return [likely[0] for likely in found]


def _named(column: str, names: Sequence[str]) -> list[str]:
    """The columns a condition may mean: the one of that very name, else those alike."""
    return [column] if column in names else [name for name in names if _plain(name) == _plain(column)]


def _holds(condition: Condition, texts: Sequence[str]) -> Mask:
    wanted = {_alike(value) for value in condition.values}
    return np.array([(_alike(text) in wanted) != condition.others for text in texts], dtype=bool)


# -- values --------------------------------------------------------------------------------------------------------


def _texts(given: pd.Series[Any]) -> list[str]:
    """Each cell as text, empty where there is nothing; days without their midnight."""
    return [_text(value) for value in given.array]


def _text(value: object) -> str:
    if isinstance(value, str):
        return value
    if pd.api.types.is_scalar(value) and pd.isna(value):  # type: ignore[call-overload]
        return ""
    return str(value).removesuffix(" 00:00:00").removesuffix(".0")


@lru_cache(maxsize=65536)
def _plain(text: str) -> str:
    """A text without what does not count: case, width, blanks."""
    return " ".join(unicodedata.normalize("NFKC", text).split()).casefold()


@lru_cache(maxsize=65536)
def _alike(text: str) -> str:
    """A value as it is compared: a number in one form."""
    plain = _plain(text)
    return str((Decimal(plain) + 0).normalize()) if NUMBER.match(plain) else plain


# -- what is refused, and said -------------------------------------------------------------------------------------


def _unknown(column: str, likely: Sequence[str], names: Sequence[str], where: str) -> Fault:
    """A column that is not there, or is there more than once; those that are called nearly so come first."""
    if likely:
        cure = "Write it as the file does, capitals too."
        return Fault(f"one column {column!r} to choose rows by", ", ".join(likely), where, cure)
    plain = {_plain(name): name for name in names}
    near = [plain[name] for name in get_close_matches(_plain(column), plain, n=3)]
    there = [*near, *(name for name in names if name not in near)]
    told = ", ".join(there[:COLUMNS_MAX]) + (" …" if len(there) > COLUMNS_MAX else "")
    cure = f"Did you mean {near[0]}?" if near else "Check --where: columns are named as in the file."
    return Fault(f"a column {column!r} to choose rows by", f"columns {told}", where, cure)


def _nothing(
    asked: Sequence[Condition], named: Sequence[str], texts: Sequence[Sequence[str]], masks: Sequence[Mask], where: str
) -> Fault:
    """The condition after which no row is left, with the commonest values of its column until then."""
    left = np.logical_and.accumulate(masks)
    at = int(np.argmin(left.any(axis=1)))
    before = left[at - 1] if at else np.ones(len(texts[at]), dtype=bool)
    known = Counter(text.strip() for text, there in zip(texts[at], before, strict=True) if there)
    told = ", ".join(f"{_shown(value)} ({count:,})" for value, count in known.most_common(VALUES_MAX))
    more = f" … (+{len(known) - VALUES_MAX:,})" if len(known) > VALUES_MAX else ""
    before_it = f" that have {' and '.join(condition.text for condition in asked[:at])}" if at else ""
    found = f"none among {int(before.sum()):,} rows{before_it}; {named[at]} is {told}{more}"
    return Fault(f"rows with {asked[at].text}", found, where, _nearest(asked[at], list(known)))


def _nearest(condition: Condition, known: Sequence[str]) -> str:
    near = [name for value in condition.values for name in _near(value, known)]
    return f"Did you mean {near[0]}?" if near else "Check the values of --where."


def _near(value: str, known: Iterable[str]) -> list[str]:
    """The value that is written most nearly so, if any."""
    plain = {_plain(name): name for name in known if name}
    return [plain[name] for name in get_close_matches(_plain(value), plain, n=1)]


def _shown(value: str) -> str:
    return value[:VALUE_MAX] or "(empty)"


def _said(asked: Sequence[Condition], taken: Mask) -> Finding:
    """How many rows were taken, and how many left out."""
    some, rest = int(taken.sum()), int((~taken).sum())
    each = [condition.text for condition in asked]
    en = f"Rows with {' and '.join(each)}: {some:,} of {len(taken):,} taken, {rest:,} left out."
    zh = f"按条件 {' 且 '.join(each)} 取用{len(taken):,}行中的{some:,}行，其余{rest:,}行未取用。"
    return Finding("rows_chosen", en, zh, "info", some, (), asked[0].column)


def _not_found(asked: Sequence[Condition], named: Sequence[str], texts: Sequence[Sequence[str]]) -> Iterator[Finding]:
    """Values that no row has: they may be misspelt."""
    for condition, name, column in zip(asked, named, texts, strict=True):
        known = {_alike(text): text.strip() for text in column}
        lost = [value for value in condition.values if _alike(value) not in known]
        if not lost or not len(column):
            continue
        told, near = ", ".join(map(_shown, lost[:VALUES_MAX])), _near(lost[0], known.values())
        yield Finding(
            "where_value_not_there", f"No row has {told} in {name}.", f"{name}列中没有：{told}。", "warning", len(lost),
            (), name, lost[0][:VALUE_MAX], f"Did you mean {near[0]}?" if near else "Check its spelling.",
            f"是否应为{near[0]}？" if near else "请检查写法。",
        )  # fmt: skip
