"""What a map page shows, before it is HTML: words, numbers, layers without features, addresses on this server."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

from tiles.layer import Kind, Layer
from tiles.text import LANGUAGES, NOTHING, Text

LANG_CODES = {"zh": "zh-CN", "en": "en"}
Box = tuple[float, float, float, float]
LOCAL = re.compile(r"/(?![/\\])[^\s\\]*")
"""An address on this server: one slash, and nothing that a browser would read as another host."""


@dataclass(frozen=True)
class Choice:
    """One of several pages to go to: a scenario, a language."""

    label: Text
    url: str
    current: bool = False
    note: Text = NOTHING


@dataclass(frozen=True)
class Number:
    """One number of the headline; None is not known.

    ``of`` is the whole it is a part of, ``normal`` its value on a normal day, ``tone`` how it is meant: good, bad or
    plain.
    """

    key: str
    label: Text
    value: float | None
    kind: Kind = "count"
    of: float | None = None
    normal: float | None = None
    tone: str = "plain"


@dataclass(frozen=True)
class Standing:
    """One community in the list: how it stands, why, and where it lies (degrees); people None where not known."""

    community_id: str
    name: Text
    status: str
    people: int | None
    people_unserved: int | None
    reason: Text
    bounds: Box


@dataclass(frozen=True)
class Urls:
    """Templates of addresses on this server; ``{layer}``, ``{table}``, ``{z}``, ``{x}``, ``{y}`` are filled in."""

    geojson: str
    mvt: str
    png: str
    base: str
    static: str = "/static"


@dataclass(frozen=True)
class MapView:
    """Everything a map page needs; ValueError names the addresses that leave this server."""

    lang: str
    title: Text
    scenario: Text
    layers: tuple[Layer, ...]
    urls: Urls
    bounds: Box
    numbers: tuple[Number, ...] = ()
    communities: tuple[Standing, ...] = ()
    scenarios: tuple[Choice, ...] = ()
    languages: tuple[Choice, ...] = ()
    notes: tuple[Text, ...] = ()
    attribution: tuple[str, ...] = ()
    home: str = "/"
    check: str = "/"
    version: str = ""

    def __post_init__(self) -> None:
        if self.lang not in LANGUAGES:
            raise ValueError(f"a page speaks {' or '.join(LANGUAGES)}, not {self.lang!r}")
        away = [url for url in self._addresses() if not LOCAL.fullmatch(url)]
        if away:
            raise ValueError(f"addresses must be paths on this server, not {', '.join(map(repr, away))}")

    def _addresses(self) -> Iterator[str]:
        yield from vars(self.urls).values()
        yield from (self.home, self.check)
        yield from (choice.url for choice in (*self.scenarios, *self.languages))
