"""OpenStreetMap tag values as numbers and names.

Tags are free text: ``height=12``, ``12 m``, ``3'6"``, ``10-12``. What cannot be understood is NaN, never a guess.
"""

from __future__ import annotations

import math
import re
from collections.abc import Mapping
from datetime import date

from geo.tables import NAMES

METRES_PER_FOOT = 0.3048
INCHES_PER_FOOT = 12
HEIGHT_MAX_M = 1000.0
"""Nothing built is taller: a greater height is a slip of the pen."""
LEVELS_MAX = 200.0

YEAR_MIN, YEAR_MAX = 1, 2200
BUILT_KEYS = ("start_date", "construction_date", "year_of_construction")
"""Where the year of a building is written; the first that is there counts."""
CHINESE = (
    "name:zh", "name:zh-Hans", "name:zh_CN", "name:zh-CN", "name:zh-Hans-CN", "name:zh-Hant", "name:zh_TW",
    "name:zh-TW", "name:zh-Hant-TW", "name:zh-HK", "name:zh-Hant-HK",
)  # fmt: skip
"""Where a Chinese name is written; the first that is there counts."""
OTHER_NAMES = ("official_name", "short_name", "alt_name", "loc_name", "old_name", "int_name")
LANGUAGE = re.compile(r"name:[a-z]{2,3}(?:[-_][A-Za-z]+)*\Z")
"""Keys of a name in some language."""

_YEARS = re.compile(r"(?P<first>\d{4})(?:(?P<decade>s)|(?:-\d\d){1,2}|\s*(?:\.\.|-|–)\s*(?P<last>\d{4}))?\??\Z")
_NUMBER = r"\d+(?:[.,]\d+)?|[.,]\d+"
_METRES = re.compile(rf"({_NUMBER})\s*(?:m|metres?|meters?|米)?\Z", re.IGNORECASE)
_FEET = re.compile(rf"({_NUMBER})\s*(?:ft|feet|foot|'|′)\s*(?:({_NUMBER})\s*(?:in|\"|″|''))?\Z", re.IGNORECASE)
_COUNT = re.compile(rf"({_NUMBER})\Z")
_VOLTAGE = re.compile(rf"({_NUMBER})\s*(kv|v)?\Z", re.IGNORECASE)
_GROUPED = re.compile(r"\d{1,3}(?:[ ,'’]\d{3})+\Z")
_BETWEEN = re.compile(r"(?<=[\dm'\"])\s*(?:-|–|—|;|~|to)\s*(?=[\d.,])", re.IGNORECASE)
_ABOUT = re.compile(r"^(?:~|≈|约|ca\.?|c\.|approx\.?|about)\s*", re.IGNORECASE)
_UNIT = re.compile(r"(?:m|metres?|meters?|米|ft|feet|foot|'|′)\Z", re.IGNORECASE)
_HAN = re.compile(r"[\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff]")
_NOT_CHINESE = re.compile(r"[\u3040-\u30ff\uac00-\ud7af]")
_DATE = re.compile(r"\d{4}-\d{2}-\d{2}")


def _number(text: str) -> float:
    return float(text.replace(",", "."))


def _one_height(text: str) -> float:
    if found := _METRES.match(text):
        return _number(found[1])
    if found := _FEET.match(text):
        return (_number(found[1]) + _number(found[2] or "0") / INCHES_PER_FOOT) * METRES_PER_FOOT
    return math.nan


def metres(text: str | None) -> float:
    """A height in metres: metres unless feet are written, a range or list as its mean, NaN when not understood.

    Zero, and more than ``HEIGHT_MAX_M``, count as not understood.
    """
    if text is None:
        return math.nan
    parts = _BETWEEN.split(_ABOUT.sub("", text.strip()))
    unit = _UNIT.search(parts[-1])
    parts = [p if _UNIT.search(p) or not unit or '"' in p else p + unit[0] for p in parts]
    return _within([_one_height(p.strip()) for p in parts], HEIGHT_MAX_M)


def levels(text: str | None) -> float:
    """Storeys: a range or list as its mean; NaN when missing, not understood, zero, or more than ``LEVELS_MAX``."""
    if text is None:
        return math.nan
    parts = _BETWEEN.split(_ABOUT.sub("", text.strip()))
    found = [_COUNT.match(p.strip()) for p in parts]
    return _within([_number(f[1]) if f else math.nan for f in found], LEVELS_MAX)


def _within(parts: list[float], most: float) -> float:
    """The mean of the parts; NaN when one is NaN or the mean is not above zero and up to ``most``."""
    mean = sum(parts) / len(parts)
    return mean if 0 < mean <= most else math.nan


def volts(text: str | None) -> float:
    """The highest of the voltages in ``380000;110000``, in volts; NaN when none is understood."""
    known = [_one_voltage(part.strip()) for part in (text or "").split(";")]
    return max((v for v in known if v > 0), default=math.nan)


def _one_voltage(text: str) -> float:
    found = _VOLTAGE.match(text)
    if not found:
        return math.nan
    return _number(found[1]) * (1000 if (found[2] or "").lower() == "kv" else 1)


def count(text: str | None) -> float:
    """A number of people or flats (``1 200`` and ``1,200`` are twelve hundred); NaN when missing or not understood."""
    text = (text or "").strip()
    if _GROUPED.match(text):
        text = re.sub(r"\D", "", text)
    return float(text) if text.isascii() and text.isdigit() else math.nan


def built_year(tags: Mapping[str, str]) -> float:
    """The year a building was built: a decade or a range as its middle; NaN when not written or not understood."""
    written = next((tags[key] for key in BUILT_KEYS if key in tags), "")
    found = _YEARS.match(_ABOUT.sub("", written.strip()))
    if not found:
        return math.nan
    first = float(found["first"])
    last = float(found["last"] or first) + (9 if found["decade"] else 0)
    return (first + last) / 2 if YEAR_MIN <= first <= last <= YEAR_MAX else math.nan


def names(tags: Mapping[str, str]) -> tuple[str | None, str | None, str | None]:
    """``name``, ``name_zh``, ``name_en``; None when not mapped.

    ``name`` falls back on the Chinese one, and a ``name`` in Han characters without kana or hangul is Chinese too.
    """
    name = tags.get("name")
    zh = next((tags[key] for key in CHINESE if tags.get(key)), None)
    if name and not zh and _HAN.search(name) and not _NOT_CHINESE.search(name):
        zh = name
    return name or zh, zh, tags.get("name:en")


def other_names(tags: Mapping[str, str]) -> str | None:
    """Every other name, old, short, or in any language, ``;`` between them, to search by; None when there is none."""
    keys = [*OTHER_NAMES, *sorted(key for key in tags if LANGUAGE.match(key))]
    every = (part.strip() for key in keys for part in tags.get(key, "").split(";"))
    return ";".join(dict.fromkeys(part for part in every if part and part not in names(tags))) or None


def called(column: str, tags: Mapping[str, str]) -> str | None:
    """One of ``names`` by its column."""
    return names(tags)[NAMES.index(column)]


def day(text: str | None) -> str | None:
    """The date in a time stamp such as ``2023-01-30T01:00:12Z``; None when there is none."""
    found = _DATE.search(text or "")
    if not found:
        return None
    try:
        return date.fromisoformat(found[0]).isoformat()
    except ValueError:
        return None
