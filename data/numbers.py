"""Numbers as people write them in tables: ``１２３``, ``1,200人``, ``475㎡``, ``约500``, ``1.2万``, ``10+``.

What is a number however it is dressed is read, and counted as mended; what is none is lost, and counted. A range or a
``less than`` is no number.
"""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data import headers

Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

_FRACTION = r"(?:0,\d+|\d+,(?:\d{1,2}|\d{4,}))"
_GROUPED = r"[1-9]\d{0,2}(?:[ ,'’]\d{3})+(?:\.\d+)?"
_NUMBER = rf"[-+]?(?:{_GROUPED}|{_FRACTION}|\d+(?:\.\d+)?(?:e[-+]?\d+)?|\.\d+)"
_UNIT = r"(?!以上)[^\d\s+][^\d+]*?|m2|m\^2|km2|ft2"
_DRESSED = re.compile(rf"(?P<number>{_NUMBER})\s*(?P<unit>{_UNIT})?\s*(?P<least>\+|以上)?\Z")
_ABOUT = re.compile(r"(?:约|約|大约|近|approx\.?|about|ca\.?|c\.|~|≈)\s*")
_MINUS = str.maketrans({"\u2212": "-", "\u2013": "-", "\u3000": " ", "\u00a0": " ", "\u202f": " "})
PLACEHOLDER = re.compile(r"-?9{5,}\Z|-9{3,4}\Z|-?2147483647\Z|-2147483648\Z|-32768\Z")
"""Whole numbers that stand for "not known" in files, not for so many."""


@dataclass(frozen=True, eq=False)
class Numbers:
    """Values (rows,) with NaN for nothing, ``mended`` where they were dressed, ``lost`` where no number is."""

    values: Floats
    mended: Mask
    lost: Mask

    def __repr__(self) -> str:
        return f"Numbers({len(self.values)}, {int(self.mended.sum())} mended, {int(self.lost.sum())} lost)"


def dimension(column: str) -> str:
    """What a column of ours is counted in: ``m2``, ``m3``, ``m``, ``s``, ``h``, ``v``, ``people``, … or nothing."""
    if column.startswith(("people", "capacity")):
        return "people"
    end = column.rpartition("_")[2]
    if column in ("entrances", "intensity"):
        return column
    return end if end in ("m2", "m3", "m", "s", "h", "levels", "v") else ""


def read(given: pd.Series[Any], dimension: str = "") -> Numbers:
    """The numbers of a column, in our unit of ``dimension`` where a unit is written behind them."""
    if pd.api.types.is_numeric_dtype(given):
        direct = given.to_numpy(dtype=np.float64, na_value=np.nan)
        none = np.zeros(len(given), dtype=bool)
        return Numbers(np.where(np.isfinite(direct), direct, np.nan), none, none)
    parts = [_one(None if missing(value) else str(value), dimension) for value in given]
    values = np.array([value for value, _ in parts], dtype=np.float64)
    written = np.array([not missing(value) for value in given], dtype=bool)
    mended = np.array([dressed for _, dressed in parts], dtype=bool)
    return Numbers(values, mended & np.isfinite(values), written & ~np.isfinite(values))


def missing(value: object) -> bool:
    """Whether nothing is said: an empty cell, or one of the words for it (``不明``, ``N/A``, ``-``)."""
    if value is None or value is pd.NA or value != value:
        return True
    return isinstance(value, str) and _says_nothing(value)


@lru_cache(maxsize=4096)
def _says_nothing(text: str) -> bool:
    return text.strip().lower() in ("", *headers.content()["missing"]["words"])


@lru_cache(maxsize=65536)
def _one(text: str | None, dimension: str) -> tuple[float, bool]:
    """A number, and whether it had to be undressed; NaN when there is none."""
    if text is None:
        return np.nan, False
    try:
        return (float(text) if "_" not in text and np.isfinite(float(text)) else np.nan), not text.strip().isascii()
    except ValueError:
        pass
    plain = _ABOUT.sub("", unicodedata.normalize("NFKC", text).translate(_MINUS).strip().lower(), count=1)
    found = _DRESSED.match(plain)
    factor = _factor(found["unit"], dimension) if found else None
    if found is None or factor is None:
        return np.nan, False
    return _value(found["number"]) * factor, True


def _factor(unit: str | None, dimension: str) -> float | None:
    return 1.0 if unit is None else headers.unit(unit.strip(), dimension)


def _value(number: str) -> float:
    """A number with commas: groups of three are thousands, anything else behind a comma, or behind 0, a fraction."""
    if re.fullmatch(rf"[-+]?{_FRACTION}", number):
        return float(number.replace(",", "."))
    return float(re.sub(r"[ ,'’]", "", number))


def placeholders(given: pd.Series[Any]) -> Mask:
    """Where a whole number stands that nobody counted: -9999, 999999."""

    def is_one(value: object) -> bool:
        text = str(int(value)) if isinstance(value, (float, np.floating)) and float(value).is_integer() else str(value)
        return PLACEHOLDER.match(text.strip()) is not None

    return np.array([not missing(value) and is_one(value) for value in given], dtype=bool)


def undressed(text: str) -> str:
    """A text for readers of measures: half width, without a unit of storeys or ``and more`` behind it."""
    plain = unicodedata.normalize("NFKC", text).translate(_MINUS).strip()
    return re.sub(r"\s*(?:层|層|階建て?|階|f)?\s*(?:\+|以上)?\Z", "", plain, flags=re.IGNORECASE)
