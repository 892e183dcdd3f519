"""A verdict's reasons in words: what asks for the ground, how near, how far it should be, how much of it, by what."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.standards import cited

SHOWN = 12
"""Most reasons that are told in full: more than any place has by the rules that come with the program."""


def in_part(let_share: float, avoid_share: float) -> tuple[str, str]:
    """What shares of a lot that may be built on must yield, and are kept for refuge; nothing where none."""
    parts = ((let_share, "must yield", "应让出"), (avoid_share, "is kept for refuge", "保留作避险场所"))
    said = [(f", {percent(share)} of it {word}", f"其中{percent(share)}{word_zh}") for share, word, word_zh in parts
            if share > 0]  # fmt: skip
    return "".join(word for word, _ in said), f"（{'，'.join(word for _, word in said)}）" if said else ""


def percent(share: float) -> str:
    """A share as people read it: what is not all is never 100 %, what is something never 0 %."""
    return ">99%" if 0.995 <= share < 1 else "<1%" if 0 < share < 0.005 else f"{share:.0%}"


def metres(distance_m: float, required_m: float) -> str:
    """A distance as people read it: to the decimetre where it is short, or where a metre decides."""
    plain = distance_m >= 10 and abs(required_m - distance_m) >= 1
    return f"{distance_m:.0f}" if plain else f"{round(distance_m, 1):g}"


def joined(words: list[str], between: str, more: str) -> str:
    """The first few, and how many more there are."""
    left = len(words) - SHOWN
    return between.join(words[:SHOWN]) + (more.format(n=left) if left > 0 else "")


def told(hits: Mapping[str, NDArray[Any]], reasons: pd.DataFrame) -> Iterator[tuple[str, str, str]]:
    """Each hit: its reason's id, and in English and Chinese what it is, how near, how far it should be, by what."""
    name, en, zh, *law = (reasons[key].tolist() for key in ("reason_id", "en", "zh", "standard", "clause", "grade"))
    laws = {row: cited(*(column[row] for column in law)) for row in np.unique(hits["reason"]).tolist()}
    columns = (hits[key].tolist() for key in ("reason", "distance_m", "required_m", "share"))
    for row, distance, required, share in zip(*columns, strict=True):
        law_en, law_zh = laws[row]
        far = metres(distance, required)
        away = f", {far} m away, {required:g} m required" if required else ""
        away_zh = f"，相距{far}米，应距{required:g}米" if required else ""
        part = "" if share >= 1 else f", {percent(share)} of it"
        part_zh = "" if share >= 1 else f"，占{percent(share)}"
        yield name[row], f"{en[row]}{away}{part} ({law_en})", f"{zh[row]}{away_zh}{part_zh}（{law_zh}）"
