"""Classes in words as numbers: ``0.3~0.5m未満の区域`` is water up to 0.5 m, ``12時間未満`` less than 12 hours.

A range counts as its upper end, since a plan must hold for the worst of it; one without an upper end (``20m以上``) as
its lower end, which is then too little.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass

WORDS: Mapping[str, tuple[str, ...]] = {
    "m": ("m", "メートル", "メ-トル", "米", "公尺", "metre", "metres", "meter", "meters"),
    "cm": ("cm", "センチ", "厘米", "公分"),
    "mm": ("mm", "ミリ", "毫米"),
    "ft": ("ft", "feet", "foot"),
    "m/s": ("m/s", "米/秒"),
    "km/h": ("km/h", "公里/小时"),
    "h": ("h", "hours", "hour", "時間", "小时", "小時"),
    "d": ("d", "days", "day", "日間", "日", "天"),
    "min": ("min", "minutes", "minute", "分間", "分钟", "分"),
}
"""Units and how they are written."""
NONE = frozenset(
    {"none", "no water", "dry", "not affected", "無", "无", "なし", "浸水なし", "无影响", "不受影响", "未淹没"}
)
"""What stands for nothing at all."""
_UNITS = {word: unit for unit, words in WORDS.items() for word in words}
_UNIT = "|".join(sorted(map(re.escape, _UNITS), key=len, reverse=True))
_NUMBER = re.compile(rf"(?<![\d.])(\d+(?:\.\d+)?)\s*({_UNIT})?(?![a-z\d.])")
_UP_TO = re.compile(r"未満|未满|以下|以内|まで|不足|小于|低于|<|≤|less|below|under|up to|max")
_FROM = re.compile(r"以上|超|より大|大于|高于|>|≥|above|over|more|at least|from")
_BETWEEN = re.compile(rf"\d\s*(?:{_UNIT})?\s*(?:以上|超)?\s*(?:~|〜|-|–|—|―|至|到|から|to|and|以上|超)\s*\d")
_ASIDE = re.compile(r"\(.*?\)")


@dataclass(frozen=True)
class Range:
    """What a text says: ``value`` in ``unit`` (empty where it names none); ``open_`` when it has no upper end."""

    value: float
    unit: str
    open_: bool = False


def read(text: str) -> Range | None:
    """The upper end of the range that a text names; None for a text that names none, or more than one.

    A number alone, without a unit or a word such as 未満 or 以上, is no range: it may be the number of a class.
    """
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    if plain in NONE:
        return Range(0.0, "")
    plain = _ASIDE.sub("", plain) or plain
    found = _NUMBER.findall(plain)
    if not 1 <= len(found) <= 2:
        return None
    numbers, units = [float(number) for number, _ in found], {_UNITS[unit] for _, unit in found if unit}
    up_to, least = bool(_UP_TO.search(plain)), bool(_FROM.search(plain))
    between = len(found) == 2 and (bool(_BETWEEN.search(plain)) or (up_to and least))
    if len(units) > 1 or (len(found) == 2 and not between) or not (units or up_to or least or between):
        return None
    return Range(max(numbers), next(iter(units), ""), open_=len(found) == 1 and least and not up_to)
