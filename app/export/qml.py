"""A style as QGIS reads it (QML): one rule a class, so that the desktop shows what the browser shows.

Rules with filters serve all three kinds of style; sizes are in pixels as on the screen, labels in both languages.
"""

from __future__ import annotations

import math
from itertools import pairwise
from xml.etree import ElementTree

from tiles.style import Class, Style, Symbol

DOCTYPE = "<!DOCTYPE qgis PUBLIC 'http://mrcc.com/qgis.dtd' 'SYSTEM'>\n"
VERSION = "3.28"
KINDS = {"point": "marker", "line": "line", "polygon": "fill"}
SHAPES = {"cross": "cross_fill"}
"""Shapes that QGIS calls otherwise than we do."""


def qml(style: Style, geometry: str) -> str:
    """A style for a layer of ``geometry`` (point, line or polygon) as a QML document."""
    kind = KINDS[geometry]
    root = ElementTree.Element("qgis", version=VERSION, styleCategories="Symbology|Rendering")
    renderer = ElementTree.SubElement(root, "renderer-v2", type="RuleRenderer", symbollevels="0", forceraster="0")
    rules = ElementTree.SubElement(renderer, "rules", key="renxing")
    symbols = ElementTree.SubElement(renderer, "symbols")
    for number, (cls, condition) in enumerate(zip(style.classes, conditions(style), strict=True)):
        label = " ".join(dict.fromkeys((cls.label.zh, cls.label.en)))
        rule = ElementTree.SubElement(rules, "rule", key=f"class-{number}", symbol=str(number), label=label)
        if condition:
            rule.set("filter", condition)
        _add_symbol(symbols, str(number), kind, cls.symbol)
    ElementTree.SubElement(root, "layerOpacity").text = f"{style.opacity:g}"
    ElementTree.indent(root)
    return DOCTYPE + ElementTree.tostring(root, encoding="unicode") + "\n"


def conditions(style: Style) -> list[str]:
    """For each class the QGIS expression that is true for its features; empty: for all of them."""
    if style.kind == "single":
        return [""]
    column = f'"{style.column}"'
    some = _between(column, style) if style.kind == "ramp" else [_among(column, cls) for cls in style.classes[:-1]]
    return [*some, "ELSE"]


def _between(column: str, style: Style) -> list[str]:
    edges = [-math.inf, *style.uppers.tolist()]
    return [" AND ".join(_edges(column, low, high)) or f"{column} IS NOT NULL" for low, high in pairwise(edges)]


def _edges(column: str, low: float, high: float) -> list[str]:
    above = [f"{column} > {low:.12g}"] if math.isfinite(low) else []
    below = [f"{column} <= {high:.12g}"] if math.isfinite(high) else []
    return above + below


def _among(column: str, cls: Class) -> str:
    return " OR ".join(f"{column} IS NULL" if v is None else f"{column} = {_literal(v)}" for v in cls.values) or "FALSE"


def _literal(value: str | bool) -> str:
    if isinstance(value, bool):
        return "TRUE" if value else "FALSE"
    return "'" + value.replace("'", "''") + "'"


def _add_symbol(symbols: ElementTree.Element, name: str, kind: str, symbol: Symbol) -> None:
    parent = ElementTree.SubElement(
        symbols, "symbol", type=kind, name=name, alpha="1", force_rhr="0", clip_to_extent="1"
    )
    make = {"marker": _marker, "line": _line, "fill": _fill}[kind]
    layer_class, options = make(symbol)
    layer = ElementTree.SubElement(parent, "layer", {"class": layer_class, "enabled": "1", "locked": "0", "pass": "0"})
    listed = ElementTree.SubElement(layer, "Option", type="Map")
    for key, value in options.items():
        ElementTree.SubElement(listed, "Option", type="QString", name=key, value=value)


def _marker(symbol: Symbol) -> tuple[str, dict[str, str]]:
    return "SimpleMarker", {
        "name": SHAPES.get(symbol.shape, symbol.shape) or "circle",
        "color": _rgba(symbol.fill, symbol.fill_opacity),
        "outline_color": _rgba(symbol.line, symbol.line_opacity),
        "outline_style": "solid" if symbol.line else "no",
        "outline_width": f"{symbol.line_px:g}",
        "outline_width_unit": "Pixel",
        "size": f"{symbol.size_px:g}",
        "size_unit": "Pixel",
    }


def _line(symbol: Symbol) -> tuple[str, dict[str, str]]:
    return "SimpleLine", {
        "line_color": _rgba(symbol.line, symbol.line_opacity),
        "line_style": "solid" if symbol.line else "no",
        "line_width": f"{symbol.line_px:g}",
        "line_width_unit": "Pixel",
        "capstyle": "round",
        "joinstyle": "round",
        "use_custom_dash": "1" if symbol.dash else "0",
        "customdash": ";".join(f"{length:g}" for length in symbol.dash) or "5;2",
        "customdash_unit": "Pixel",
    }


def _fill(symbol: Symbol) -> tuple[str, dict[str, str]]:
    return "SimpleFill", {
        "color": _rgba(symbol.fill, symbol.fill_opacity),
        "style": ("b_diagonal" if symbol.hatch else "solid") if symbol.fill else "no",
        "outline_color": _rgba(symbol.line, symbol.line_opacity),
        "outline_style": ("dash" if symbol.dash else "solid") if symbol.line else "no",
        "outline_width": f"{symbol.line_px:g}",
        "outline_width_unit": "Pixel",
        "joinstyle": "round",
    }


def _rgba(colour: str, opacity: float) -> str:
    """``#rrggbb`` and an opacity 0-1 as QGIS writes colours; nothing is fully transparent."""
    if not colour:
        return "0,0,0,0"
    red, green, blue = (int(colour[i : i + 2], 16) for i in (1, 3, 5))
    return f"{red},{green},{blue},{round(255 * opacity)}"
