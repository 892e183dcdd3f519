"""Which hazards a shelter is for, from the marks in a list or from words.

Lists of the Japanese kind have a column for each hazard, with a circle where the place is designated; an empty cell
beside circles means that it is not. A row without any mark says nothing.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from data import headers, rows
from geo.reasons import Finding

Mask = NDArray[np.bool_]
BETWEEN = re.compile(r"[;；,，、/／・\s]+")
"""What stands between hazards in a cell."""


@dataclass(frozen=True, eq=False)
class Validity:
    """``valid_for`` and ``invalid_for`` of every row (``flood;fire``; None: nothing is said), from which columns."""

    valid_for: pd.Series[Any]
    invalid_for: pd.Series[Any]
    columns: Mapping[str, tuple[str, ...]]
    notes: tuple[Finding, ...]

    def __repr__(self) -> str:
        return f"Validity({len(self.valid_for)} rows, {', '.join(self.columns)})"


def marked(frame: pd.DataFrame) -> Validity | None:
    """What the columns of marks say; None when the table has none.

    A place may serve in a hazard when one of the columns about it has a mark, and may not when none has.
    """
    of = columns(frame)
    if not of:
        return None
    yes = {name: _yes(frame[name]) for name in of}
    said = np.any([_marks(frame[name]) for name in of], axis=0)
    by_hazard = {hazard: [yes[name] for name in of if hazard in of[name]] for each in of.values() for hazard in each}
    valid = {hazard: np.any(masks, axis=0) & said for hazard, masks in by_hazard.items()}
    invalid = {hazard: ~np.any(masks, axis=0) & said for hazard, masks in by_hazard.items()}
    return Validity(_joined(valid, frame.index), _joined(invalid, frame.index), of, _notes(frame, of, said))


def columns(frame: pd.DataFrame) -> dict[str, tuple[str, ...]]:
    """The columns of marks, and the hazards that each is about."""
    return {str(name): hazards for name in frame.columns if (hazards := _hazards(frame[name], str(name)))}


def _hazards(given: pd.Series[Any], header: str) -> tuple[str, ...]:
    """The hazards that a column of marks is about; empty for any other column."""
    hazards = in_text(header)
    if not hazards or any(word in header for word in headers.content()["hazards_not"]["words"]):
        return ()
    marks = headers.content()["marks"]
    return hazards if {_plain(value) for value in given} <= {"", *marks["yes"], *marks["no"]} else ()


def in_text(text: str) -> tuple[str, ...]:
    """The hazards that a text names, in the order of ``headers.toml``."""
    plain = unicodedata.normalize("NFKC", text).lower()
    found: list[str] = []
    pairs = [(unicodedata.normalize("NFKC", word), hazard)
             for hazard, words in headers.content()["hazards"].items() for word in words]  # fmt: skip
    for word, hazard in sorted(pairs, key=lambda pair: -len(pair[0])):
        if word in plain:
            plain = plain.replace(word, " ")
            found += [each for each in hazard.split(";") if each not in found]
    return tuple(sorted(found, key=_order))


def _order(hazard: str) -> int:
    known = [each for key in headers.content()["hazards"] for each in key.split(";")]
    return known.index(hazard)


def listed(value: object) -> str | None:
    """A cell that lists hazards in any language as ``flood;fire``; words that are not known stay."""
    if value is None or value is pd.NA or value != value or not str(value).strip():
        return None
    parts = [in_text(part) or (part.lower(),) for part in BETWEEN.split(str(value).strip()) if part]
    return ";".join(dict.fromkeys(hazard for part in parts for hazard in part))


def _plain(value: object) -> str:
    if value is None or value is pd.NA or value != value:
        return ""
    if isinstance(value, (float, np.floating)) and float(value).is_integer():
        value = int(value)
    return str(value).strip().lower()


def _yes(given: pd.Series[Any]) -> Mask:
    return np.array([_plain(value) in headers.content()["marks"]["yes"] for value in given], dtype=bool)


def _marks(given: pd.Series[Any]) -> Mask:
    """Where a column of marks holds anything."""
    return np.array([_plain(value) != "" for value in given], dtype=bool)


def _joined(by_hazard: Mapping[str, Mask], index: pd.Index[Any]) -> pd.Series[Any]:
    texts = [";".join(h for h in sorted(by_hazard, key=_order) if by_hazard[h][row]) or None
             for row in range(len(index))]  # fmt: skip
    return pd.Series(texts, index=index, dtype=object)


def _notes(frame: pd.DataFrame, of: Mapping[str, tuple[str, ...]], said: Mask) -> tuple[Finding, ...]:
    told = ", ".join(f"{name} = {' and '.join(hazards)}" for name, hazards in of.items())
    en = f"For which hazards each shelter is: {told}. An empty cell means that it is not for that hazard."
    zh = f"各避难场所适用灾害的列：{told}。空白表示不适用于该灾害。"
    notes = [Finding("hazards_by_marks", en, zh, "info", len(of))]
    if not said.all():
        where = rows.where(frame, ~said)
        en = f"{{n}} shelters have no mark for any hazard ({rows.listed(where)}); for which they are is not known."
        zh = "{n}个避难场所没有任何灾害标记，适用灾害未知。"
        notes.append(rows.found("validity_not_said", "warning", en, zh, rows=where))
    return tuple(notes)
