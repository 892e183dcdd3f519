"""The same answers as pages for people: plain tables without any script, every text escaped."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

from app import __version__
from app.legible import legible
from app.maps.guard import MapPage, headers, policy, refuse_foreign
from app.maps.plain import template
from app.maps.view import LANG_CODES, LOCAL, Choice
from app.ogc import documents
from app.ogc import items as found_items
from app.ogc.catalogue import Catalogue, Collection, column_title
from app.ogc.documents import HTML, At
from app.pages import LANGUAGE_NAMES
from app.reference import reference as written_reference
from app.texts import catalogue, section
from tiles.text import Text

Pairs = Sequence[tuple[str, str]]
CELL_MAX = 200
"""Letters of a text in a table; the page of the feature has all of it."""


@dataclass(frozen=True)
class Cell:
    """A text, and where it leads; ``number`` is set to the right."""

    text: str
    url: str = ""
    number: bool = False


@dataclass(frozen=True)
class View:
    """What a page shows: the way here, facts, one table, ways on; ValueError names addresses that leave this server."""

    lang: str
    title: str
    lead: str
    trail: tuple[Choice, ...]
    languages: tuple[Choice, ...]
    ways: tuple[Choice, ...]
    facts: tuple[tuple[str, str], ...] = ()
    head: tuple[str, ...] = ()
    rows: tuple[tuple[Cell, ...], ...] = ()
    attribution: str = ""
    static: str = "/static"
    version: str = __version__

    def __post_init__(self) -> None:
        choices = (*self.trail, *self.languages, *self.ways)
        urls = [*(choice.url for choice in choices), *(cell.url for row in self.rows for cell in row)]
        away = [url for url in urls if url and not LOCAL.fullmatch(url)]
        if away:
            raise ValueError(f"addresses must be paths on this server, not {', '.join(map(repr, away))}")


def render(view: View) -> MapPage:
    """The page of a view; ValueError when it would reach for another host."""
    words = catalogue(view.lang)
    text = template("ogc.html").render(
        view=view, lang=view.lang, code=LANG_CODES[view.lang], words=section("ogc", view.lang), app=words["page.app"],
        language=words["page.language"], version=words["page.version"].format(value=view.version),
    )  # fmt: skip
    refuse_foreign(text)
    return MapPage(text, headers(text, scripts=False))


def reference(description: dict[str, Any]) -> MapPage:
    """An OpenAPI description as a page."""
    plain = {**description, "paths": {path: _plain(item, description) for path, item in description["paths"].items()}}
    text = written_reference(plain)
    return MapPage(text, {"Content-Security-Policy": policy(text, scripts=False)})


def _plain(item: dict[str, Any], description: dict[str, Any]) -> dict[str, Any]:
    """A path with its parameters in full instead of by their name."""
    known = description["components"]["parameters"]
    get = item["get"]
    return {
        "get": {
            **get,
            "parameters": [known.get(each.get("$ref", "").rpartition("/")[2], each) for each in get["parameters"]],
        }
    }


class _Site:
    """What all pages of a catalogue have in common."""

    def __init__(self, found: Catalogue, at: At, path: str, query: Pairs = ()) -> None:
        self.found, self.at, self.path = found, at, path
        self.query = [(name, value) for name, value in query if name not in ("f", "lang")]

    def url(self, path: str, query: Pairs = ()) -> str:
        """The page of a path in the reader's language."""
        return self.at.url(path, [*query, ("f", "html"), ("lang", self.at.lang)])

    def choice(self, key: str, path: str) -> Choice:
        """A way to a page."""
        said = self.at.said(key)
        return Choice(Text(said, said), self.url(path))

    def json(self) -> Choice:
        """The same as JSON."""
        said = self.at.said("as_json")
        return Choice(Text(said, said), self.at.url(self.path, [*self.query, ("f", "json")]))

    def trail(self, *below: tuple[str, str]) -> tuple[Choice, ...]:
        """The ways back: the study, its collections, and what is below them."""
        title = self.found.title
        made = [Choice(title, self.url(self.found.path)), self.choice("collections", f"{self.found.path}/collections")]
        return (*made, *(Choice(Text(said, said), self.url(path)) for said, path in below))

    def view(
        self, title: str, lead: str, *, trail: tuple[Choice, ...], ways: Iterable[Choice] = (), **more: Any
    ) -> MapPage:
        """The page."""
        languages = tuple(
            Choice(Text(said, said), self.at.url(self.path, [*self.query, ("f", "html"), ("lang", code)]),
                   current=code == self.at.lang)
            for code, said in LANGUAGE_NAMES.items()
        )  # fmt: skip
        told = {"attribution": self.found.attribution, **more}
        static = f"{self.at.base}/static"
        return render(View(self.at.lang, title, lead, trail, languages, (*ways, self.json()), static=static, **told))


def landing(found: Catalogue, at: At) -> MapPage:
    """The landing page."""
    site = _Site(found, at, found.path)
    ways = [site.choice("collections", f"{found.path}/collections"), site.choice("doc", f"{found.path}/api"),
            site.choice("conformance", f"{found.path}/conformance")]  # fmt: skip
    runs = [
        Cell(f"{run.record.scenario_id} · {run.run_id}", site.url(f"{found.path}/runs/{run.run_id}"))
        for run in found.runs
    ]
    rows = () if found.run else tuple((cell,) for cell in runs)
    return site.view(found.title.of(at.lang), at.said("lead"), trail=(), ways=ways, head=(at.said("runs"),), rows=rows)


def conformance(found: Catalogue, at: At) -> MapPage:
    """What is kept to."""
    site = _Site(found, at, f"{found.path}/conformance")
    rows = tuple((Cell(uri),) for uri in documents.CONFORMS)
    head = (at.said("conformance"),)
    return site.view(at.said("conformance"), "", trail=site.trail()[:1], head=head, rows=rows)


def collections(found: Catalogue, at: At) -> MapPage:
    """All collections."""
    site = _Site(found, at, f"{found.path}/collections")
    rows = tuple(
        (Cell(one.title.of(at.lang), site.url(f"{found.path}/collections/{name}")), Cell(name),
         Cell(f"{one.layer.rows:,}", site.url(f"{found.path}/collections/{name}/items"), number=True))
        for name, one in found.collections.items()
    )  # fmt: skip
    head = (at.said("title"), at.said("id"), at.said("items"))
    return site.view(at.said("collections"), found.title.of(at.lang), trail=site.trail()[:1], head=head, rows=rows)


def collection(found: Catalogue, one: Collection, at: At) -> MapPage:
    """One collection."""
    told = documents.collection(found, one, at)
    site = _Site(found, at, f"{found.path}/collections/{one.collection_id}")
    box = ", ".join(map(str, told.extent.spatial.bbox[0])) if told.extent else "–"
    facts = (
        (at.said("id"), told.id), (at.said("items"), f"{one.layer.rows:,}"), (at.said("extent"), box),
        (at.said("crs"), ", ".join(told.crs)),
    )  # fmt: skip
    ways = [site.choice(key, f"{site.path}/{key}") for key in ("items", "queryables")]
    return site.view(
        told.title, told.description, trail=site.trail(), ways=ways, facts=facts, attribution=told.attribution
    )


def queryables(found: Catalogue, one: Collection, at: At) -> MapPage:
    """What a filter may name."""
    path = f"{found.path}/collections/{one.collection_id}"
    site = _Site(found, at, f"{path}/queryables")
    table = one.layer.layer
    rows = tuple(
        (Cell(name), Cell(column_title(table, name).of(at.lang)), Cell(kind))
        for name, kind in one.described.columns.items()
    )  # fmt: skip
    head = (at.said("column"), at.said("title"), at.said("kind"))
    trail = site.trail((one.title.of(at.lang), path))
    return site.view(at.said("queryables"), at.said("queryables_lead"), trail=trail, head=head, rows=rows)


def items(page: found_items.Page, found: Catalogue, one: Collection, pairs: Pairs, at: At) -> MapPage:
    """A page of features as a table."""
    path = f"{found.path}/collections/{one.collection_id}"
    site = _Site(found, at, f"{path}/items", pairs)
    columns = list(one.described.columns)
    rows = tuple(
        (Cell(str(each["id"]), site.url(f"{path}/items/{quote(str(each['id']), safe='')}")),
         *(_cell(each["properties"][name], CELL_MAX) for name in columns))
        for each in page.features
    )  # fmt: skip
    query = [*site.query, ("f", "html"), ("lang", at.lang)]
    turned = found_items.turned(page, one, query, at, HTML)
    ways = [Choice(Text(link.title, link.title), link.href) for link in reversed(turned)]
    first = page.offset + 1 if page.features else 0
    lead = at.said("matched", first=first, last=page.offset + len(page.features), matched=page.matched)
    titles = (at.said("id"), *(column_title(one.layer.layer, name).of(at.lang) for name in columns))
    return site.view(one.title.of(at.lang), lead, trail=site.trail((at.said("collection"), path)), ways=ways,
                     head=titles, rows=rows)  # fmt: skip


def feature(told: Mapping[str, Any], found: Catalogue, one: Collection, at: At) -> MapPage:
    """One feature: every column, and its shape."""
    path = f"{found.path}/collections/{one.collection_id}"
    name = str(told["id"])
    site = _Site(found, at, f"{path}/items/{quote(name, safe='')}")
    rows = [
        (Cell(column_title(one.layer.layer, column).of(at.lang)), Cell(column), _cell(value))
        for column, value in told["properties"].items()
    ]  # fmt: skip
    shape = told["geometry"]
    kind = orjson.loads(orjson.dumps(shape))["type"] if shape is not None else "–"
    rows.append((Cell(at.said("geometry")), Cell("geometry"), Cell(kind)))
    head = (at.said("title"), at.said("column"), at.said("value"))
    trail = site.trail((one.title.of(at.lang), path), (at.said("items"), f"{path}/items"))
    return site.view(legible(name, CELL_MAX), one.title.of(at.lang), trail=trail, head=head, rows=tuple(rows))


def _cell(value: Any, most: int | None = None) -> Cell:
    """A value as a reader sees it: a dash for what is not known."""
    if value is None or (isinstance(value, float) and math.isnan(value)):
        return Cell("–")
    if isinstance(value, bool):
        return Cell("true" if value else "false")
    number = isinstance(value, int | float)
    return Cell(legible(str(value), most), number=number)
