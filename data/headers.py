"""Which column of a file is which of ours, from what such columns are usually called (``headers.toml``).

Whole headers come first, in the order of their list; words inside headers only when no whole one is there. Two columns
that are as likely as each other are not chosen between: a person is asked.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

from geo.reasons import Finding

FILE = Path(__file__).with_name("headers.toml")
PLACE, ANY = "place", "any"
NO_KINDS = frozenset({"words", "hazards", "hazards_not", "marks", "missing", "units", "units_named"})
"""Parts of the file that do not hold columns."""
_BRACKETED = re.compile(r"[(\[【〔](.*?)[)\]】〕]")
_JOINTS = re.compile(r"[\s_.:/・·\-]+")
_ASCII = re.compile(r"[\x00-\x7f]+\Z")
_LARGE = {"万": 10_000.0, "千": 1_000.0, "百万": 1_000_000.0}
"""Words before a unit, in headers and behind numbers: 万人, 万平方米."""

Fits = Callable[[str, str], bool]
"""Whether a column of this name (second) can be ours (first), by what stands in it."""


@dataclass(frozen=True)
class Usual:
    """What one of our columns is usually called."""

    names: tuple[str, ...] = ()
    words: tuple[str, ...] = ()
    without: tuple[str, ...] = ()
    with_unit: tuple[str, ...] = ()


@dataclass(frozen=True)
class Guess:
    """``found``: our column -> the file's; ``doubtful``: our column -> those of the file that are equally likely."""

    found: Mapping[str, str] = field(default_factory=dict)
    doubtful: Mapping[str, tuple[str, ...]] = field(default_factory=dict)


@lru_cache(maxsize=1)
def content() -> dict[str, Any]:
    """The file as it is: columns by kind, words in values, hazards, marks, units."""
    return tomllib.loads(FILE.read_text(encoding="utf-8"))


@lru_cache(maxsize=64)
def usual(kind: str) -> Mapping[str, Usual]:
    """What the columns of a kind of table are called; a kind's own names count before those for any kind."""
    own, common = content()[kind], {} if kind == PLACE else content()[ANY]
    order = [*own, *(name for name in common if name not in own)]
    return {name: _usual(own.get(name, {}), common.get(name, {})) for name in order}


def _usual(own: Mapping[str, Sequence[str]], common: Mapping[str, Sequence[str]]) -> Usual:
    names = tuple(dict.fromkeys([*own.get("names", ()), *common.get("names", ())]))
    return Usual(names, *(tuple(own.get(part, ())) for part in ("words", "not", "with_unit")))


@lru_cache(maxsize=4096)
def plain(header: str) -> str:
    """A header without what does not count: case, width, blanks and joints, and what stands in brackets."""
    text = unicodedata.normalize("NFKC", header).strip().lower()
    without = _BRACKETED.sub("", text).strip()
    return _JOINTS.sub("", without or text)


@lru_cache(maxsize=1)
def _every_name() -> frozenset[str]:
    kinds = [kind for kind in content() if kind not in NO_KINDS]
    return frozenset(plain(name) for kind in kinds for column in usual(kind).values() for name in column.names)


def known(header: object) -> bool:
    """Whether any kind of table has a column usually called so: a row of such words is a header."""
    return isinstance(header, str) and plain(header) in _every_name()


def guess(headers: Sequence[str], kind: str, *, wanted: Collection[str], fits: Fits) -> Guess:
    """Our columns ``wanted`` of a kind among a file's ``headers``, each header for one of ours."""
    found: dict[str, str] = {}
    doubtful: dict[str, tuple[str, ...]] = {}
    for ours, said in usual(kind).items():
        if ours not in wanted:
            continue
        free = [header for header in headers if header not in found.values()]
        likely = _likely(free, said, lambda header, ours=ours: fits(ours, header))  # type: ignore[misc]
        if len(likely) == 1:
            found[ours] = likely[0]
        elif likely:
            doubtful[ours] = likely
    return Guess(found, doubtful)


def _likely(headers: Sequence[str], said: Usual, fits: Callable[[str], bool]) -> tuple[str, ...]:
    """The headers of the best rank."""
    for name in (*said.names, *said.with_unit):
        unit = name in said.with_unit
        here = [h for h in headers if _is(h, name) and (not unit or unit_in(h, "m2") is not None) and fits(h)]
        if here:
            return tuple(here)
    with_word = [h for h in headers if any(_holds(h, word) for word in said.words)]
    return tuple(h for h in with_word if not any(_holds(h, word) for word in said.without) and fits(h))


def _is(header: str, name: str) -> bool:
    """Whether a header is this name, by itself or with a unit behind it: ``area_ha``."""
    if plain(header) == plain(name):
        return True
    stem, _, end = unicodedata.normalize("NFKC", header).strip().lower().rpartition("_")
    return bool(stem) and plain(stem) == plain(name) and any(end in units for units in content()["units"].values())


def _holds(header: str, word: str) -> bool:
    """Whether a word stands in a header; one of plain letters only where no other letters touch it."""
    text = unicodedata.normalize("NFKC", header).lower()
    if not _ASCII.match(word):
        return word in text
    return re.search(rf"(?<![a-z]){re.escape(word)}(?![a-z])", text) is not None


def unit_in(header: str, dimension: str) -> float | None:
    """How many of ours the unit named in a header is (``面积(公顷)``, ``area_ha``); None where it names none."""
    text = unicodedata.normalize("NFKC", header).strip().lower()
    said = [*_BRACKETED.findall(text), *([text.rpartition("_")[2]] if "_" in text else [])]
    return next((factor for part in said if (factor := unit(part.strip(), dimension)) is not None), None)


def unit(word: str, dimension: str) -> float | None:
    """How many of ours a unit is; None for a word that is no unit of the dimension (``m2``, ``people``, ``m``, …)."""
    units: Mapping[str, float] = content()["units"].get(dimension, {})
    if word in units:
        return float(units[word])
    large = next((large for large in ("百万", "万", "千") if word.startswith(large)), None)
    if large is None:
        return None
    rest = word.removeprefix(large)
    return _LARGE[large] * (float(units[rest]) if rest in units else 1.0) if rest in units or not rest else None


def notes(found: Mapping[str, str], doubtful: Mapping[str, Sequence[str]]) -> tuple[Finding, ...]:
    """What was taken for what, and where two were as likely: what to write."""
    said = []
    if found:
        pairs = ", ".join(f"{ours}={theirs}" for ours, theirs in found.items())
        en, zh = f"Columns recognised by their names: {pairs}.", f"按列名识别：{pairs}。"
        do = ("If one is wrong, say so with --map OURS=YOURS.", "如有误，请用 --map 我方列名=文件列名 指定。")
        said.append(Finding("columns_guessed", en, zh, "info", len(found), do_en=do[0], do_zh=do[1]))
    for ours, theirs in doubtful.items():
        names, first = ", ".join(theirs), f"--map {ours}={theirs[0]}"
        en, zh = (
            f"Several columns could be {ours}: {names}. None was taken.",
            f"多个列都可能是{ours}：{names}。均未采用。",
        )
        do = (f"Write {first}, or another of them.", f"请写 {first}，或其中另一列。")
        said.append(Finding("columns_ambiguous", en, zh, "warning", len(theirs), (), ours, theirs[0], *do))
    return tuple(said)
