"""The start page: the studies as cards. No script at all."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.maps.guard import MapPage, headers, refuse_foreign
from app.maps.plain import template
from app.maps.view import LANG_CODES, LOCAL, Choice, Number
from app.texts import catalogue, section
from tiles.text import NOTHING, Text


@dataclass(frozen=True)
class StudyCard:
    """One study: where its map is and what it says; without an address there is no map yet, of it or of a scenario."""

    title: Text
    url: str
    about: Text = NOTHING
    numbers: tuple[Number, ...] = ()
    scenarios: tuple[Choice, ...] = ()
    downloads: tuple[Choice, ...] = ()
    check: Choice | None = None

    def choices(self) -> Iterator[Choice]:
        """Every way that leads on from the card, beside the map's."""
        yield from (*self.scenarios, *self.downloads, *([self.check] if self.check else []))


@dataclass(frozen=True)
class IndexView:
    """Everything the start page shows; ValueError names the addresses that leave this server."""

    lang: str
    studies: tuple[StudyCard, ...]
    languages: tuple[Choice, ...] = ()
    attribution: tuple[str, ...] = ()
    api: str = ""
    static: str = "/static"
    version: str = ""

    def __post_init__(self) -> None:
        choices = [*self.languages, *(c for card in self.studies for c in card.choices())]
        urls = [self.api, self.static, *(card.url for card in self.studies), *(choice.url for choice in choices)]
        away = [url for url in urls if url and not LOCAL.fullmatch(url)]
        if away:
            raise ValueError(f"addresses must be paths on this server, not {', '.join(map(repr, away))}")


def render(view: IndexView) -> MapPage:
    """The start page of a view; ValueError when it would reach for another host."""
    words = catalogue(view.lang)
    text = template("index.html").render(
        view=view, lang=view.lang, code=LANG_CODES[view.lang], words=section("index", view.lang), app=words["page.app"],
        language=words["page.language"], version=words["page.version"].format(value=view.version),
        written=lambda number: _written(number, view.lang),
    )  # fmt: skip
    refuse_foreign(text)
    return MapPage(text, headers(text, scripts=False))


def _written(number: Number, lang: str) -> str:
    """A number of a card: seconds as minutes, shares in per cent, counts with thousands apart, a dash for none."""
    if number.value is None:
        return "–"
    if number.kind == "minutes":
        return f"{number.value / 60:.1f} {catalogue(lang)['page.minutes']}"
    if number.kind == "hours":
        return f"{number.value:.1f}"
    return f"{number.value:.0%}" if number.kind == "share" else f"{number.value:,.0f}"
