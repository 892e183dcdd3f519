"""Words in the values of columns as ours: 公园 is ``park``, 交番 is ``police`` (``headers.toml``)."""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from functools import lru_cache

from data import headers

INSIDE = frozenset({"kind", "source"})
"""Subjects of which a word may stand within a longer value."""
_EASTERN = re.compile(r"[\u3040-\u30ff\u3400-\u9fff]")


@lru_cache(maxsize=16)
def _table(subject: str) -> Mapping[str, str]:
    """Word as plain text -> ours."""
    said = headers.content()["words"][subject]
    return {_plain(word): ours for ours, words in said.items() if ours != "not" for word in words}


@lru_cache(maxsize=16)
def _inside(subject: str) -> Sequence[tuple[str, str]]:
    """Words of Chinese and Japanese that may stand inside a value, the longest first, with ours."""
    long = [(word, ours) for word, ours in _table(subject).items() if _EASTERN.search(word) and len(word) > 1]
    return sorted(long, key=lambda pair: -len(pair[0]))


def _plain(word: str) -> str:
    return re.sub(r"[\s_-]+", "_", unicodedata.normalize("NFKC", word).strip().lower())


def known(subject: str) -> tuple[str, ...]:
    """Our words of a subject (``kind``, ``use``, ``source``, ``tier``, ``level``, ``origin``, ``supply_tier``)."""
    return tuple(ours for ours in headers.content()["words"][subject] if ours != "not")


@lru_cache(maxsize=65536)
def ours(text: str, subject: str, *, inside: bool = False) -> str | None:
    """Our word for a value, None when it is not known; with ``inside`` it may stand within a longer value."""
    plain = _plain(text)
    if plain in _table(subject):
        return _table(subject)[plain]
    excluded = headers.content()["words"][subject].get("not", {}).get("words", ())
    if not inside or any(word in plain for word in excluded):
        return None
    return next((our for word, our in _inside(subject) if word in plain), None)
