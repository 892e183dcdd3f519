"""What a register of supplies holds, by the words and units it was written in: so many litres, rations, pieces.

A bottle has the size written beside it (``550ml``), else a usual one; a box holds what is written (``550ml*24``). A
word or a unit that nobody explained is not known, never nothing. Words and sizes are parameters, from
data/standards/goods.toml.
"""

from __future__ import annotations

import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache
from typing import Annotated

from pydantic import AfterValidator, Field

from geo.curves import Sourced, Word

GOODS: Mapping[str, tuple[str, str, str]] = {
    "water_l": ("L", "water", "饮用水"),
    "food_rations": ("rations", "food", "食品"),
    "tents": ("tents", "tents", "帐篷"),
    "blankets": ("blankets", "blankets", "棉被毛毯"),
    "beds": ("beds", "beds", "床铺"),
    "toilets": ("toilets", "toilets", "移动厕所"),
    "kits": ("kits", "kits of household goods", "生活应急包"),
    "first_aid_kits": ("kits", "first-aid kits", "急救包"),
}
"""Goods by the column they are counted in: unit, English, Chinese."""

_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")
_VOLUME = re.compile(r"(\d+(?:\.\d+)?)\s*(ml|毫升|l|升|リットル)(?![a-z])")
_MASS = re.compile(r"(\d+(?:\.\d+)?)\s*(kg|公斤|千克|キロ|g|克|斤)(?![a-z])")
_TIMES = re.compile(r"[x×*✕]\s*(\d+)|(?<![\d.])(\d+)\s*(?:瓶|本|袋|包|桶|个|食|份|盒|罐|bottles|packs|cans)")
_SIZES: Mapping[str, float] = {
    **{"ml": 0.001, "毫升": 0.001, "l": 1.0, "升": 1.0, "リットル": 1.0},
    **{"g": 0.001, "克": 0.001, "斤": 0.5, "kg": 1.0, "公斤": 1.0, "千克": 1.0, "キロ": 1.0},
}
"""Litres and kilograms in the units that a size is written in."""


def _sizes(words: tuple[str, ...]) -> tuple[str, ...]:
    for word in words:
        name, _, size = word.rpartition("=")
        if not name.strip() or not re.fullmatch(r"\s*\d+(\.\d+)?\s*", size) or not float(size):
            raise ValueError("should be words with a number above 0 each, such as bottle=0.5")
    return words


Words = tuple[Word, ...]
Sizes = Annotated[tuple[Word, ...], AfterValidator(_sizes)]


class GoodsParams(Sourced):
    """Which words mean which goods, and how much a unit of them is."""

    subject = "goods"
    water_words: Words = Field(description="Words in an item's name that mean drinking water.")
    food_words: Words = Field(description="Words in an item's name that mean food.")
    tents_words: Words = Field(description="Words in an item's name that mean tents.")
    blankets_words: Words = Field(description="Words in an item's name that mean blankets.")
    beds_words: Words = Field(description="Words in an item's name that mean beds or mats.")
    toilets_words: Words = Field(description="Words in an item's name that mean toilets.")
    kits_words: Words = Field(description="Words in an item's name that mean kits of household and hygiene goods.")
    first_aid_words: Words = Field(description="Words in an item's name that mean first-aid kits.")
    other_words: Words = Field(description="Words that make an item none of these, whatever else its name says.")
    water_measures: Sizes = Field(description="Litres in a unit of water by volume or mass, each as unit=litres.")
    water_containers: Sizes = Field(
        description="Litres in a container of water whose size is not written, each as unit=litres."
    )
    food_measures: Sizes = Field(description="Rations (number) in a unit of food by mass, each as unit=rations.")
    food_portions: Sizes = Field(description="Rations (number) in a portion of food, each as unit=rations.")
    food_packs: Sizes = Field(description="Rations (number) in a pack of an item, each as word=rations.")
    packs: Words = Field(description="Units of food that are one pack (words).")
    boxes: Words = Field(description="Units that hold several: how many must be written (words).")
    pieces: Words = Field(description="Units of tents, blankets, beds, toilets and kits that are one (words).")


def plain(text: object) -> str:
    """A word as it is compared: half width, small, without blanks around it; empty for what is no text."""
    return "" if not isinstance(text, str) else unicodedata.normalize("NFKC", text).strip().lower()


def kind_of(item: str | None, *, params: GoodsParams) -> str | None:
    """Which of ``GOODS`` an item is; None for another thing.

    The longest word found in its name counts. A word of one character must be all of the name but for sizes, and one of
    letters may not touch other letters.
    """
    text = plain(item)
    if any(_stands(word, text) for word in map(plain, params.other_words)):
        return None
    found = [(len(word), name) for word, name in _kinds(params) if _stands(word, text)]
    return max(found, key=lambda pair: pair[0])[1] if found else None


@lru_cache(maxsize=8)
def _kinds(params: GoodsParams) -> tuple[tuple[str, str], ...]:
    lists = (
        *(params.water_words, params.food_words, params.tents_words, params.blankets_words),
        *(params.beds_words, params.toilets_words, params.kits_words, params.first_aid_words),
    )
    return tuple((plain(word), name) for name, words in zip(GOODS, lists, strict=True) for word in words)


def _stands(word: str, text: str) -> bool:
    if not _EASTERN.search(word):
        return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text) is not None
    return word in text if len(word) > 1 else re.split(r"[\s\d(（*×]", text)[0] == word


def amount(
    kind: str, item: str | None, quantity: float, unit: str | None, pack: str | None = None, *, params: GoodsParams
) -> float:
    """How much of a kind of goods ``quantity`` in ``unit`` is: litres, rations or pieces; NaN where it is not known.

    How large a unit is may be written in the item, the unit or ``pack``.
    """
    said, size = plain(unit), " ".join(plain(text) for text in (item, unit, pack))
    each = {"water_l": _litres, "food_rations": _rations}.get(kind, _pieces)(said, size, params)
    return quantity * each


def _litres(unit: str, size: str, params: GoodsParams) -> float:
    """Litres in a unit of water."""
    if (direct := _size(unit, params.water_measures)) is not None:
        return direct
    written = _written(_VOLUME, size)
    if _is_one(unit, params.boxes):
        return _times(size) * _other(written, math.nan)
    usual = _size(unit, params.water_containers)
    return math.nan if usual is None else _other(written, usual)


def _rations(unit: str, size: str, params: GoodsParams) -> float:
    """Rations in a unit of food; a pack by its mass where it is written, else by what is usual for the item."""
    for table in (params.food_measures, params.food_portions):
        if (direct := _size(unit, table)) is not None and not _is_one(unit, params.packs):
            return direct
    pack = next((float(n) for word, n in _pairs(params.food_packs) if _stands(word, size)), math.nan)
    kilograms = _size("kg", params.food_measures)
    mass = _written(_MASS, size)
    each = pack if not math.isnan(pack) or mass is None or kilograms is None else mass * kilograms
    if _is_one(unit, params.boxes):
        return _times(size) * each
    portion = _size(unit, params.food_portions)
    return _other(each, math.nan if portion is None else portion) if _is_one(unit, params.packs) else math.nan


def _pieces(unit: str, size: str, params: GoodsParams) -> float:
    """1 for a unit that counts pieces, and where none is written: what else would be counted?"""
    return 1.0 if not unit or _is_one(unit, params.pieces) else math.nan


def _is_one(unit: str, words: Sequence[str]) -> bool:
    """Whether a unit is one of the words, by itself or before what it holds: ``箱(24瓶)``."""
    return re.split(r"[\s\d(（/*×]", unit)[0] in {plain(word) for word in words} or unit in words


def _pairs(sizes: Sequence[str]) -> list[tuple[str, str]]:
    return [(plain(name), number) for name, _, number in (word.rpartition("=") for word in sizes)]


def _size(unit: str, sizes: Sequence[str]) -> float | None:
    bare = re.split(r"[\s\d(（/*×]", unit)[0] or unit
    return next((float(number) for name, number in _pairs(sizes) if name in (unit, bare)), None)


def _written(pattern: re.Pattern[str], size: str) -> float | None:
    found = pattern.search(size)
    return None if found is None else float(found[1]) * _SIZES[found[2]]


def _times(size: str) -> float:
    """How many a box holds; NaN where it is not written."""
    found = _TIMES.search(size)
    return float(found[1] or found[2]) if found else math.nan


def _other(value: float | None, otherwise: float) -> float:
    return otherwise if value is None or math.isnan(value) else value
