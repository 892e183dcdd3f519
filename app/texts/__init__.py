"""Every word a reader sees, in Chinese and English: one catalogue a language, equal keys."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import lru_cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from tiles.text import LANGUAGES, Text

FOLDER = Path(__file__).parent


@lru_cache(maxsize=len(LANGUAGES))
def catalogue(lang: str) -> Mapping[str, str]:
    """All words of one language by dotted key (``layer.communities``); KeyError for a language there is not."""
    if lang not in LANGUAGES:
        raise KeyError(f"no catalogue for {lang!r}; there are {', '.join(LANGUAGES)}")
    tree = tomllib.loads((FOLDER / f"{lang}.toml").read_text(encoding="utf-8"))
    return MappingProxyType(dict(_flat(tree)))


def _flat(tree: Mapping[str, Any], above: str = "") -> Iterator[tuple[str, str]]:
    for key, value in tree.items():
        if isinstance(value, dict):
            yield from _flat(value, f"{above}{key}.")
        else:
            yield f"{above}{key}", str(value)


def words(key: str, **values: object) -> Text:
    """The words under a key in both languages, ``{name}`` filled in; KeyError names a key there is not."""
    return Text(**{lang: catalogue(lang)[key].format(**values) for lang in LANGUAGES})


def section(name: str, lang: str) -> dict[str, str]:
    """One section of a catalogue, keys without the section's name."""
    prefix = f"{name}."
    return {key.removeprefix(prefix): text for key, text in catalogue(lang).items() if key.startswith(prefix)}


def codes(name: str) -> dict[str, Text]:
    """The words for the codes of one kind: ``codes("state")["served"]``."""
    return {key: words(f"code.{name}.{key}") for key in section(f"code.{name}", LANGUAGES[0])}
