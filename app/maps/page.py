"""A study's map as a page. Import it late: Folium takes its time.

The page is Folium's map, a JSON block with everything to be shown, and our own scripts, which build whatever is seen
with ``textContent``. No word of the data goes through a template or into a script.
"""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from app.maps.guard import MapPage, headers, json_for_html, refuse_foreign
from app.maps.verbatim import LocalMap, Page, Verbatim
from app.maps.view import LANG_CODES, Choice, MapView, Number, Standing
from app.texts import catalogue, section
from tiles.basepaint import HALO, PAPER, labels, paints
from tiles.layer import Field, Layer, Row
from tiles.style import Class, Style
from tiles.text import Text

ASSET_SCRIPTS = ("assets/leaflet/leaflet.js", "assets/protomaps-leaflet/protomaps-leaflet.js")
OWN_SCRIPTS = ("words.js", "symbols.js", "basemap.js", "layers.js", "popup.js", "legend.js", "summary.js", "start.js")
STYLES = ("assets/leaflet/leaflet.css", "renxing.css")
MAX_ZOOM = 19


def render(view: MapView) -> MapPage:
    """The page of a view; ValueError when it would reach for another host."""
    page = Page(lang=LANG_CODES[view.lang], title=f"{view.title.of(view.lang)} · {catalogue(view.lang)['page.app']}")
    page.before.add_child(Verbatim(_frame(view.lang), "frame"))
    page.add_child(_map(view))
    block = f'<script type="application/json" id="view">{json_for_html(described(view))}</script>'
    own = "".join(f'<script src="{view.urls.static}/{name}"></script>' for name in OWN_SCRIPTS)
    page.last.add_child(Verbatim(block + own, "own"))
    text = page.render()
    refuse_foreign(text)
    return MapPage(text, headers(text))


def _frame(lang: str) -> str:
    words = section("page", lang)
    return (
        f'<noscript><p class="noscript">{words["noscript"]}</p></noscript>'
        f'<aside id="panel" aria-label="{words["summary"]}"></aside><main id="stage" aria-label="{words["map"]}">'
    )


def _map(view: MapView) -> LocalMap:
    west, south, east, north = view.bounds
    static = view.urls.static
    return LocalMap(
        name="plan",
        scripts=tuple(f"{static}/{name}" for name in ASSET_SCRIPTS),
        styles=tuple(f"{static}/{name}" for name in STYLES),
        location=[(south + north) / 2, (west + east) / 2],
        zoom_start=12,
        max_zoom=MAX_ZOOM,
        zoom_control=False,
        zoom_snap=0.5,
        attribution_control=False,
    )


def described(view: MapView) -> dict[str, Any]:
    """Everything the page's scripts need, as plain values in the page's language."""
    lang = view.lang
    return {
        "lang": lang,
        "locale": LANG_CODES[lang],
        "words": section("page", lang),
        "groups": section("group", lang),
        "title": view.title.of(lang),
        "scenario": view.scenario.of(lang),
        "home": view.home,
        "check": view.check,
        "version": view.version,
        "bounds": view.bounds,
        "urls": asdict(view.urls),
        "attribution": view.attribution,
        "notes": [note.of(lang) for note in view.notes],
        "scenarios": [_choice(choice, lang) for choice in view.scenarios],
        "languages": [_choice(choice, lang) for choice in view.languages],
        "numbers": [_number(number, lang) for number in view.numbers],
        "communities": [_standing(standing, lang) for standing in view.communities],
        "layers": [layer_card(layer, lang) for layer in view.layers],
        "base": _base(),
    }


def _base() -> dict[str, Any]:
    """How the base map is painted."""
    rules = {"paints": [asdict(rule) for rule in paints()], "labels": [asdict(rule) for rule in labels()]}
    return {"paper": PAPER, "halo": HALO, **rules}


def _choice(choice: Choice, lang: str) -> dict[str, Any]:
    return {"label": choice.label.of(lang), "url": choice.url, "current": choice.current, "note": choice.note.of(lang)}


def _number(number: Number, lang: str) -> dict[str, Any]:
    return {**vars(number), "label": number.label.of(lang)}


def _standing(standing: Standing, lang: str) -> dict[str, Any]:
    return {**vars(standing), "name": standing.name.of(lang), "reason": standing.reason.of(lang)}


def layer_card(layer: Layer, lang: str) -> dict[str, Any]:
    """A layer without its features, as plain values in one language."""
    return {
        "id": layer.layer_id,
        "table": layer.table,
        "title": layer.title.of(lang),
        "short": layer.short.of(lang) or layer.title.of(lang),
        "topic": layer.topic.of(lang),
        "group": layer.group,
        "note": layer.note.of(lang),
        "delivery": layer.delivery,
        "geometry": layer.geometry,
        "count": layer.count,
        "visible": layer.visible,
        "order": layer.draw_order,
        "number": layer.number,
        "named": layer.named,
        "style": style_card(layer.style, lang),
        "fields": [_field(field, lang) for field in layer.fields],
        "legend": [_row(row, lang) for row in layer.legend],
    }


def style_card(style: Style, lang: str) -> dict[str, Any]:
    """A style as plain values: the classes, and for a ramp their upper bounds (none: without end)."""
    uppers = [float(upper) if upper != float("inf") else None for upper in style.uppers] if style.kind == "ramp" else []
    classes = [_class(cls, lang) for cls in style.classes]
    return {"kind": style.kind, "column": style.column, "uppers": uppers, "classes": classes, "opacity": style.opacity}


def _class(cls: Class, lang: str) -> dict[str, Any]:
    return {"label": cls.label.of(lang), "symbol": asdict(cls.symbol), "values": list(cls.values)}


def _field(field: Field, lang: str) -> dict[str, Any]:
    words = {name: _in(getattr(field, name), lang) for name in ("label", "unit", "missing")}
    codes = {code: text.of(lang) for code, text in field.codes.items()}
    columns = {name: getattr(field, name) for name in ("column", "kind", "normal", "needs", "lacks", "only_some")}
    return {**columns, **words, "codes": codes}


def _in(text: Text, lang: str) -> str:
    return text.of(lang)


def _row(row: Row, lang: str) -> dict[str, Any]:
    return {**vars(row), "label": row.label.of(lang), "symbol": asdict(row.symbol)}
