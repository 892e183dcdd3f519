"""What map tags say: words looked up once a distinct value, and measures that are written as text.

Sources: OSM wiki, "Map features/Units", "Key:maxspeed", "Key:maxheight", "Key:maxweight", "Key:incline". A value
that is not understood is NaN, as if nobody had said it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping

import numpy as np
import pandas as pd
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Codes = NDArray[np.int64]
Mask = NDArray[np.bool_]

KMH = {"": 1.0, "km/h": 1.0, "kmh": 1.0, "kph": 1.0, "mph": 1.609344, "knots": 1.852, "knot": 1.852}
METRES = {"": 1.0, "m": 1.0, "cm": 0.01, "mm": 0.001, "ft": 0.3048, "'": 0.3048, "in": 0.0254, '"': 0.0254}
TONNES = {
    **{"": 1.0, "t": 1.0, "tonnes": 1.0, "kg": 0.001, "st": 0.90718474, "ton": 0.90718474},
    **{"lt": 1.0160469088, "lb": 0.00045359237, "lbs": 0.00045359237},
}
_MEASURE = re.compile(r"([+-]?\d+(?:[.,]\d+)?)\s*([a-z/°%'\"]*)")
_FEET = re.compile(r"(\d+(?:\.\d+)?)\s*(?:'|ft)\s*(?:(\d+(?:\.\d+)?)\s*(?:\"|''|in)?)?")
_RATIO = re.compile(r"([+-]?\d+(?:\.\d+)?)\s*:\s*(\d+(?:\.\d+)?)")
_DIGITS = re.compile(r"\d+")


class Tags:
    """A table of text columns, one row a way or a barrier, None where not tagged; each column is coded once."""

    def __init__(self, table: pd.DataFrame) -> None:
        self._table = table
        self._coded: dict[str, tuple[Codes, list[str]]] = {}

    def __len__(self) -> int:
        return len(self._table)

    def __repr__(self) -> str:
        return f"Tags({len(self)} rows, {len(self._table.columns)} columns)"

    def _codes(self, name: str) -> tuple[Codes, list[str]]:
        """The code of each row, -1 where not tagged, and the words that the codes stand for."""
        if name not in self._coded:
            codes, words = self._table[name].factorize()
            self._coded[name] = np.asarray(codes, dtype=np.int64), [str(word) for word in words]
        return self._coded[name]

    def said(self, name: str) -> Mask:
        """Which rows carry the tag at all, (rows,)."""
        return self._codes(name)[0] >= 0

    def among(self, name: str, words: Collection[str]) -> Mask:
        """Which rows have one of the words, (rows,); not tagged is not among them."""
        codes, known = self._codes(name)
        # The last entry answers for code -1.
        return np.array([word in words for word in known] + [False])[codes]

    def read(self, name: str, reader: Callable[[str], float]) -> Floats:
        """Each row's value as a number, (rows,); NaN where not tagged or not understood."""
        codes, known = self._codes(name)
        return np.array([reader(word) for word in known] + [np.nan], dtype=np.float64)[codes]

    def words(self, name: str) -> list[str]:
        """The distinct values of a column."""
        return self._codes(name)[1]

    def replaced(self, name: str, values: Mapping[int, str]) -> Tags:
        """The same tags with some rows of one column said otherwise."""
        column = self._table[name].to_numpy(dtype=object).copy()
        column[list(values)] = list(values.values())
        return Tags(self._table.assign(**{name: pd.Series(column, index=self._table.index, dtype=object)}))


def speed_kmh(text: str, *, limits: Mapping[str, float]) -> float:
    """A speed limit in km/h: ``50``, ``30 mph``, ``walk``, ``NL:urban``, ``DE:zone30``; the lowest of several.

    ``limits`` names what words stand for, by country (``nl:rural``) or anywhere (``rural``), in lower case.
    """
    values = [_one_speed(part.strip().lower(), limits) for part in text.split(";")]
    known = [value for value in values if value > 0]
    return min(known, default=np.nan)


def _one_speed(text: str, limits: Mapping[str, float]) -> float:
    measured = _measured(text, KMH)
    if measured == measured:
        return measured
    zone = text.rpartition(":")[2]
    digits = _DIGITS.search(zone) if ":" in text else None
    return limits.get(text, float(digits.group()) if digits else limits.get(zone, np.nan))


def length_m(text: str) -> float:
    """A width or height in metres: ``3.5``, ``350 cm``, ``12'6"``, ``12 ft``; NaN for ``default``, ``none``, …"""
    text = text.strip().lower()
    feet = _FEET.fullmatch(text)
    return float(feet[1]) * 0.3048 + float(feet[2] or 0) * 0.0254 if feet else _measured(text, METRES)


def mass_t(text: str) -> float:
    """A weight in tonnes: ``7.5``, ``3500 kg``, ``10 st`` (short tons), ``8000 lbs``."""
    return _measured(text.strip().lower(), TONNES)


def incline(text: str) -> float:
    """Rise per length along the way's drawing: ``10%``, ``-5 %``, ``3°``, ``1:12``; NaN for ``up`` and ``down``."""
    text = text.strip().lower()
    ratio = _RATIO.fullmatch(text)
    if ratio and float(ratio[2]):
        return float(ratio[1]) / float(ratio[2])
    found = _MEASURE.fullmatch(text)
    if not found or found[2] not in ("%", "°"):
        return np.nan
    value = float(found[1].replace(",", "."))
    return value / 100 if found[2] == "%" else float(np.tan(np.radians(value))) if abs(value) < 90 else np.nan


def _measured(text: str, units: Mapping[str, float]) -> float:
    found = _MEASURE.fullmatch(text)
    value = float(found[1].replace(",", ".")) * units.get(found[2], np.nan) if found else np.nan
    return value if value > 0 else np.nan
