"""A small map of a place that was checked, as one SVG file: the lot, what it is near to, zones, streets, a legend.

Everything is drawn from the study's own data: no font, picture, script or address of others. Text from data only ever
becomes a text node, without what an XML file may not hold.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any
from xml.etree import ElementTree

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.legible import legible
from app.sites import Asked
from app.texts import codes, words
from geo import site_check, zoning
from geo.land import Land
from geo.site_check import Checked
from tiles.land import GROUND
from tiles.style import INK, PAPER, Symbol
from tiles.text import Text

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

AROUND_M = 200.0
"""Metres round a lot that are drawn."""
MAP_PX, LEGEND_PX, LINE_PX, FOOT_PX = 460, 300, 20, 34
"""Pixels: side of the map, width of the legend, one of its lines, the foot."""
STREETS, BUILDINGS, SOURCES = 2000, 2000, 8
"""Most streets, buildings and sources that are drawn."""
LETTERS = 38
"""Most letters of a name in the legend, those of Chinese counting twice."""
BARS_M = (10, 20, 50, 100, 200, 500, 1000, 2000, 5000)
SOURCE = "#4a2a82"
BUILT = Symbol(fill="#e2ddd6", line="#c9c2b8", line_px=0.6)
NOT_XML = re.compile("[\ufffe\uffff]|[\U0001fffe\U0001ffff]")
NAMESPACE = "http://www.w3.org/2000/svg"


@dataclass(frozen=True, eq=False)
class Around:
    """What lies round a place, in the land's CRS: ``zones`` (``zone`` and polygons), the nearest ``sources``.

    ``sources`` have ``number`` from 1, ``rule_id``, ``source_id``, ``name``, ``distance_m``, ``standing`` and geometry;
    those that are broken first, then those that are touched.
    """

    asked: Asked
    checked: Checked
    land: Land

    @cached_property
    def window(self) -> shapely.Polygon:
        """The square that is drawn."""
        west, south, east, north = shapely.bounds(self.asked.shape).tolist()
        half = max(east - west, north - south) / 2 + AROUND_M
        x, y = (west + east) / 2, (south + north) / 2
        window: shapely.Polygon = shapely.box(x - half, y - half, x + half, y + half)
        return window

    @cached_property
    def zones(self) -> gpd.GeoDataFrame:
        """The zones within the window, as the map has them."""
        near = self._near(self.land.zones, len(self.land.zones))
        return near.set_geometry(shapely.intersection(near.geometry.to_numpy(), self.window))

    @cached_property
    def buildings(self) -> gpd.GeoDataFrame:
        """Buildings within the window."""
        return self._near(self.land.base.city.buildings, BUILDINGS)

    def _near(self, table: gpd.GeoDataFrame, most: int) -> gpd.GeoDataFrame:
        """The first rows of a table that meet the window."""
        return table.iloc[np.sort(table.sindex.query(self.window, predicate="intersects"))[:most]]

    @cached_property
    def sources(self) -> gpd.GeoDataFrame:
        """The nearest source of each rule that is broken, then touched, then kept, within the window."""
        told = self.checked.rules
        near = told[told["standing"].isin(site_check.MET).to_numpy()]
        rows = [(row, shape) for row in near.to_dict("records") if (shape := self._source(row)) is not None][:SOURCES]
        table = pd.DataFrame([row for row, _ in rows], columns=near.columns)
        shapes = np.array([*(shape for _, shape in rows), None], dtype=object)[:-1]
        numbered = table.assign(number=np.arange(1, len(rows) + 1))
        return gpd.GeoDataFrame(numbered, geometry=shapes, crs=self.land.crs)

    def _source(self, row: Mapping[Any, Any]) -> shapely.Geometry | None:
        """What is seen of a rule's nearest source; None where it lies beyond the window."""
        kept = next((kept for kept in self.land.setbacks.kept if kept.rule_id == row["rule_id"]), None)
        if kept is None or not isinstance(row["source_id"], str) or not len(kept):
            return None
        found = np.sort(kept.tree.query(self.window, predicate="intersects"))
        mine = found[kept.source_id[found] == row["source_id"]]
        if not len(mine):
            return None
        return shapely.intersection(shapely.union_all(kept.shapes[mine]), self.window)

    @cached_property
    def streets(self) -> Shapes:
        """Streets within the window."""
        network = self.land.base.network
        rows = np.sort(network.tree.query(self.window, predicate="intersects"))[:STREETS]
        return np.asarray(network.lines[rows], dtype=object)


def drawn(around: Around, lang: str, credits: str) -> str:
    """The map as SVG; ``credits`` names whom it is owed to."""
    rows = list(_legend(around, lang))
    height = max(MAP_PX, LINE_PX * (len(rows) + 1)) + FOOT_PX
    root = _element("svg", xmlns=NAMESPACE, viewBox=f"0 0 {MAP_PX + LEGEND_PX} {height}", width=MAP_PX + LEGEND_PX,
                    height=height, role="img", font_family="sans-serif", font_size=13, fill=INK)  # fmt: skip
    _text(_add(root, "title"), f"{words('site.title').of(lang)}: {_verdict(around).of(lang)}")
    _defined(root)
    _add(root, "rect", width="100%", height="100%", fill=PAPER)
    _map(_add(root, "g", clip_path="url(#renxing-map)"), around)
    _add(root, "rect", x=0.5, y=0.5, width=MAP_PX - 1, height=MAP_PX - 1, fill="none", stroke="#66737b")
    _bar(root, around)
    _north(root, lang)
    for number, row in enumerate(rows):
        _row(root, MAP_PX + 12, LINE_PX * (number + 1), row)
    foot = _add(root, "text", x=6, y=height - 12, font_size=10, fill="#4b565c")
    _text(foot, _short(credits, 3 * LETTERS))
    return ElementTree.tostring(root, encoding="unicode")


# -- the map -----------------------------------------------------------------------------------------------------------


def _map(group: ElementTree.Element, around: Around) -> None:
    """From below: buildings, streets, zones, sources, the lot."""
    pen = _Pen(group, around.window)
    pen.draw_together(np.asarray(around.buildings.geometry.to_numpy(), dtype=object), BUILT)
    pen.draw_together(around.streets, Symbol(line="#c3cacd", line_px=2))
    for zone, shape in zip(around.zones["zone"], around.zones.geometry, strict=True):
        pen.draw(shape, GROUND[zone])
    for number, shape in zip(around.sources["number"], around.sources.geometry, strict=True):
        pen.draw(shape, Symbol(fill=SOURCE, fill_opacity=0.25, line=SOURCE, line_px=2))
        pen.number(shape, int(number))
    pen.draw(around.asked.shape, Symbol(fill=PAPER, fill_opacity=0.45, line=INK, line_px=3))
    pen.verdict(around.asked.shape, around.checked.verdict)


@dataclass(frozen=True, eq=False)
class _Pen:
    """Draws shapes of the land's CRS into a group."""

    group: ElementTree.Element
    window: shapely.Polygon

    @cached_property
    def px_per_m(self) -> float:
        """Pixels a metre."""
        west, _, east, _ = self.window.bounds
        return float(MAP_PX / (east - west))

    def draw(self, shape: shapely.Geometry, symbol: Symbol) -> None:
        """A shape of any kind, to a third of a pixel."""
        for part in shapely.get_parts(shapely.get_parts(shapely.simplify(shape, 0.3 / self.px_per_m))):
            if part.geom_type == "Point":
                ((x, y),) = self.pixels(part)
                _add(self.group, "circle", cx=x, cy=y, r=5, **_paint(symbol))
            elif part.geom_type == "Polygon":
                rings = [self._path(ring, "Z") for ring in (part.exterior, *part.interiors)]
                _add(self.group, "path", d="".join(rings), fill_rule="evenodd", **_paint(symbol))
            elif not part.is_empty:
                _add(self.group, "path", d=self._path(part, ""), **{**_paint(symbol), "fill": "none"})

    def draw_together(self, shapes: Shapes, symbol: Symbol) -> None:
        """Many lines or polygons as one path, to half a pixel."""
        parts = shapely.get_parts(shapely.simplify(shapes, 0.5 / self.px_per_m))
        lines = np.where(shapely.get_dimensions(parts) == 2, shapely.get_exterior_ring(parts), parts)
        xy, line = shapely.get_coordinates(lines, return_index=True)
        if len(xy):
            written = [f"{x:g} {y:g}" for x, y in self._in_pixels(xy).tolist()]
            ends = np.flatnonzero(np.diff(line, append=-1)) + 1
            first = [0, *ends[:-1].tolist()]
            path = "".join(f"M{'L'.join(written[a:b])}" for a, b in zip(first, ends.tolist(), strict=True))
            _add(self.group, "path", d=path, **_paint(symbol))

    def pixels(self, shape: shapely.Geometry) -> list[tuple[float, float]]:
        """Coordinates as pixels, to a tenth."""
        return [(x, y) for x, y in self._in_pixels(shapely.get_coordinates(shape)).tolist()]

    def _in_pixels(self, xy: Floats) -> Floats:
        west, _, _, north = self.window.bounds
        return np.asarray(((xy - [west, north]) * [self.px_per_m, -self.px_per_m]).round(1))

    def _path(self, shape: shapely.Geometry, end: str) -> str:
        return "M" + "L".join(f"{x:g} {y:g}" for x, y in self.pixels(shape)) + end

    def number(self, shape: shapely.Geometry, number: int) -> None:
        """The number of a source onto it."""
        ((x, y),) = self.pixels(shapely.point_on_surface(shape))
        _badge(self.group, x, y, number)

    def verdict(self, shape: shapely.Geometry, verdict: str) -> None:
        """The sign of the verdict onto the lot."""
        ((x, y),) = self.pixels(shapely.point_on_surface(shape))
        beside = 0 if shapely.area(shape) else 18
        sign = _add(self.group, "text", x=x + beside, y=y + 7, text_anchor="middle", font_size=20, font_weight="bold",
                    stroke=PAPER, stroke_width=4, paint_order="stroke")  # fmt: skip
        _text(sign, zoning.SAID[verdict][1])


def _paint(symbol: Symbol) -> dict[str, str | float]:
    fill = "url(#renxing-hatch)" if symbol.hatch else symbol.fill or "none"
    return {
        "fill": fill, "fill_opacity": symbol.fill_opacity, "stroke": symbol.line or "none",
        "stroke_width": symbol.line_px, "stroke_dasharray": " ".join(f"{length:g}" for length in symbol.dash) or "none",
    }  # fmt: skip


def _defined(root: ElementTree.Element) -> None:
    """The slanting lines of ground to yield, and the edge of the map."""
    defs = _add(root, "defs")
    hatch = _add(defs, "pattern", id="renxing-hatch", width=8, height=8, patternUnits="userSpaceOnUse")
    _add(hatch, "path", d="M-2 2L2 -2M0 8L8 0M6 10L10 6", stroke=GROUND[zoning.LET].fill, stroke_width=1.6)
    clip = _add(defs, "clipPath", id="renxing-map")
    _add(clip, "rect", width=MAP_PX, height=MAP_PX)


def _bar(root: ElementTree.Element, around: Around) -> None:
    """A scale bar of a round length, at most a third of the map."""
    per_m = _Pen(root, around.window).px_per_m
    metres = max((m for m in BARS_M if m * per_m <= MAP_PX / 3), default=BARS_M[0])
    x, y = 12, MAP_PX - 14
    _add(root, "path", d=f"M{x} {y - 5}V{y}H{x + metres * per_m:.1f}V{y - 5}", fill="none", stroke=INK, stroke_width=2)
    said = f"{metres / 1000:g} km" if metres >= 1000 else f"{metres:g} m"
    _text(_add(root, "text", x=x + 4, y=y - 7, stroke=PAPER, stroke_width=3, paint_order="stroke"), said)


def _north(root: ElementTree.Element, lang: str) -> None:
    x = MAP_PX - 20
    _add(root, "path", d=f"M{x} 12L{x + 7} 32L{x} 27L{x - 7} 32Z", fill=INK, stroke=PAPER, stroke_width=1)
    _text(_add(root, "text", x=x, y=46, text_anchor="middle", font_size=12), words("site.north").of(lang))


# -- the legend --------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Row:
    """A line of the legend: a symbol or a number, and words."""

    said: str
    symbol: Symbol | None = None
    number: int = 0
    bold: bool = False


def _verdict(around: Around) -> Text:
    return words(f"site.gloss.{around.checked.verdict}")


def _legend(around: Around, lang: str) -> Iterator[_Row]:
    """The verdict, the zones that are there, the sources, streets."""
    yield _Row(_verdict(around).of(lang), bold=True)
    yield _Row(words("site.lot").of(lang), Symbol(fill=PAPER, line=INK, line_px=3))
    for zone in (zone for zone in GROUND if (around.zones["zone"] == zone).any()):
        yield _Row(codes("zone")[zone].of(lang), GROUND[zone])
    for row in around.sources.to_dict("records"):
        known = row.get(f"source_name_{lang}")
        name = known if isinstance(known, str) and known else row[lang]
        yield _Row(f"{name} · {row['distance_m']:.0f} m", number=int(row["number"]))
    if len(around.buildings):
        yield _Row(words("site.buildings").of(lang), BUILT)
    if len(around.streets):
        yield _Row(words("site.streets").of(lang), Symbol(line="#c3cacd", line_px=3))


def _row(root: ElementTree.Element, x: float, y: float, row: _Row) -> None:
    if row.number:
        _badge(root, x + 9, y - 5, row.number)
    elif row.symbol is not None and row.symbol.fill:
        _add(root, "rect", x=x, y=y - 12, width=18, height=13, **_paint(row.symbol))
    elif row.symbol is not None:
        _add(root, "path", d=f"M{x} {y - 5}H{x + 18}", **_paint(row.symbol))
    weight = {"font_weight": "bold"} if row.bold else {}
    _text(_add(root, "text", x=x if row.bold else x + 26, y=y, **weight), _short(row.said, LETTERS))


def _badge(root: ElementTree.Element, x: float, y: float, number: int) -> None:
    _add(root, "circle", cx=x, cy=y, r=8, fill=SOURCE, stroke=PAPER)
    _text(_add(root, "text", x=x, y=y + 4, text_anchor="middle", font_size=11, fill=PAPER), str(number))


def _short(text: str, most: int) -> str:
    """A text cut to the width of so many letters."""
    room = np.cumsum([2 if letter >= "\u2e80" else 1 for letter in text])
    return text if not len(room) or room[-1] <= most else text[: int((room < most).sum())] + "…"


# -- XML ---------------------------------------------------------------------------------------------------------------


def _element(tag: str, **attributes: str | float) -> ElementTree.Element:
    return ElementTree.Element(tag, {_named(name): f"{value}" for name, value in attributes.items()})


def _add(parent: ElementTree.Element, tag: str, **attributes: str | float) -> ElementTree.Element:
    child = _element(tag, **attributes)
    parent.append(child)
    return child


def _named(name: str) -> str:
    """``stroke_width`` as SVG has it; its names in capitals stay."""
    return name.replace("_", "-")


def _text(element: ElementTree.Element, text: str) -> None:
    element.text = NOT_XML.sub("", legible(text))
