"""The page that says what a study's data is worth before a plan is trusted. No script at all.

Findings are filtered and layers of the drawing switched by boxes and rules of the stylesheet, so the page works where
scripts do not run. Whatever comes from data is text that the template escapes.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from app.checks import words
from app.checks.report import FindingModel, LayerCheck, Report
from app.checks.sketch import Mark, Sketch
from app.maps.guard import MapPage, headers, refuse_foreign
from app.maps.plain import template
from app.maps.view import LANG_CODES, LOCAL, Choice
from app.texts import catalogue
from geo.reasons import SEVERITIES, Severity

SWITCHES = 24
"""So many layers of the drawing have a box to switch them; the stylesheet has a rule for each."""
BEHIND = ("osm", "streets", "elevation")
"""Kinds whose extent is not drawn at first."""


@dataclass(frozen=True)
class CheckView:
    """Everything the page shows; ValueError names the addresses that leave this server.

    ``open_map`` is empty when nothing was computed yet.
    """

    lang: str
    report: Report
    sketch: Sketch | None
    languages: tuple[Choice, ...]
    home: str
    data: str
    open_map: str = ""
    attribution: tuple[str, ...] = ()
    static: str = "/static"
    version: str = ""

    def __post_init__(self) -> None:
        urls = (self.home, self.data, self.open_map, self.static, *(choice.url for choice in self.languages))
        away = [url for url in urls if url and not LOCAL.fullmatch(url)]
        if away:
            raise ValueError(f"addresses must be paths on this server, not {', '.join(map(repr, away))}")


@dataclass(frozen=True)
class Group:
    """The findings of one layer, or of the study as a whole (no layer), worst first."""

    layer: LayerCheck | None
    findings: tuple[FindingModel, ...]

    @property
    def has(self) -> list[Severity]:
        """Severities that occur."""
        return [severity for severity in SEVERITIES if any(f.severity == severity for f in self.findings)]


def groups(report: Report) -> list[Group]:
    """Findings by layer, the group with the worst first, else in the order of the study."""
    every = [Group(None, report.findings), *(Group(layer, layer.findings) for layer in report.layers)]
    return sorted((group for group in every if group.findings), key=lambda group: SEVERITIES.index(group.has[0]))


@dataclass(frozen=True)
class Switch:
    """A layer of the drawing with its number, and whether it is shown at first."""

    number: int
    mark: Mark
    shown: bool


def switches(sketch: Sketch) -> Iterator[Switch]:
    """The layers that are drawn; of several hazards the first is shown."""
    drawn = [mark for mark in sketch.marks if mark.path]
    hazards = [mark for mark in drawn if mark.kind == "hazard" and mark.form == "cells"]
    for number, mark in enumerate(drawn, 1):
        later = mark in hazards[1:]
        yield Switch(number, mark, number > SWITCHES or mark.form == "away" or not (later or mark.kind in BEHIND))


def render(view: CheckView) -> MapPage:
    """The page of a view; ValueError when it would reach for another host."""
    lang, report = view.lang, view.report
    known = catalogue(lang)
    text = template("check.html").render(
        view=view, report=report, sketch=view.sketch, lang=lang, code=LANG_CODES[lang], groups=groups(report),
        switches=list(switches(view.sketch)) if view.sketch else [], most_switches=SWITCHES, severities=SEVERITIES,
        t=lambda key, **gaps: words.word(key, lang, **gaps), say=words, app=known["page.app"],
        all_studies=known["page.all_studies"], language=known["page.language"],
        version=known["page.version"].format(value=view.version),
        name=(report.name_zh if lang == "zh" else None) or report.name,
    )  # fmt: skip
    refuse_foreign(text)
    return MapPage(text, headers(text, scripts=False))
