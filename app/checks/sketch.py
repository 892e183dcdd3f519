"""The study as a small drawing: its outline and main streets, and where each layer lies. Paths only, no words.

Everything is drawn in the study's metric CRS, fitted into a box of ``WIDTH``; y runs down as on a screen. A layer that
lies elsewhere is an arrow at the edge.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from app.checks.ground import Ground, boxed
from app.checks.layers import extent
from app.checks.reading import Read, of_kind, shapes
from app.showing import street_lines
from data.osm import Extract
from geo.crs import WGS84

WIDTH, TALLEST, LOWEST = 640.0, 620.0, 280.0
"""Width of the drawing, and how tall it may be, in its own units."""
MARGIN = 0.08
"""Room round the ground, share of its longer side."""
MOST_POINTS, MOST_STREETS = 1500, 12_000
"""So many places and streets are drawn at most, evenly taken."""
MAIN = frozenset({"motorway", "trunk", "primary", "secondary", "tertiary", "motorway_link", "trunk_link"})
"""Streets by which people know their town."""
COARSE = 1.5
"""What is smaller than this, in units of the drawing, is left out of a line."""
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]
Mask = NDArray[np.bool_]


class Mark(BaseModel):
    """One layer of the drawing."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    layer_id: str = Field(description="The layer.")
    called: str = Field(description="What it is called.")
    kind: str = Field(description="Its kind.")
    form: str = Field(description="area, edge, dots, cells or away: how it is drawn (word).")
    path: str = Field(description="SVG path.")


class Sketch(BaseModel):
    """The drawing, as SVG paths in a box of ``width`` by ``height``."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    width: float = Field(description="Width, in units of the drawing (number).")
    height: float = Field(description="Height, in units of the drawing (number).")
    ground: str = Field(description="The study's ground (SVG path).")
    water: str = Field(description="Water of the map (SVG path).")
    streets: str = Field(description="Main streets (SVG path).")
    scale_m: float = Field(description="Length that the bar of the scale stands for (metres).")
    scale: float = Field(description="Length of the bar, in units of the drawing (number).")
    marks: tuple[Mark, ...] = Field(description="The layers.")


class _Frame:
    """From metres to the drawing."""

    def __init__(self, ground: Ground) -> None:
        xmin, ymin, xmax, ymax = map(float, shapely.bounds(ground.shape))
        pad = MARGIN * max(xmax - xmin, ymax - ymin)
        wide, tall = xmax - xmin + 2 * pad, ymax - ymin + 2 * pad
        self.height = min(max(WIDTH * tall / wide, LOWEST), TALLEST)
        self.scale = min(WIDTH / wide, self.height / tall)
        self.x0 = (xmin + xmax) / 2 - WIDTH / 2 / self.scale
        self.y1 = (ymin + ymax) / 2 + self.height / 2 / self.scale
        self.box = shapely.box(self.x0, self.y1 - self.height / self.scale, self.x0 + WIDTH / self.scale, self.y1)

    def xy(self, coordinates: Floats) -> Floats:
        """Metres (n, 2) in the drawing."""
        return np.column_stack([(coordinates[:, 0] - self.x0), (self.y1 - coordinates[:, 1])]) * self.scale

    def path(self, things: Shapes) -> str:
        """Lines and outlines inside the box as one path."""
        seen = shapely.simplify(shapely.intersection(things, self.box), COARSE / self.scale / 2)
        return "".join(self._ring(part) for part in _rings(seen))

    def _ring(self, line: shapely.Geometry) -> str:
        xy = self.xy(shapely.get_coordinates(line))
        closed = "Z" if shapely.is_closed(line) else ""
        return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in (xy[:-1] if closed else xy)) + closed


def _rings(things: Shapes) -> Iterator[shapely.Geometry]:
    """Every line and ring of some shapes."""
    for part in shapely.get_parts(things):
        if part.geom_type == "GeometryCollection":
            yield from _rings(shapely.get_parts(part))
        elif part.geom_type == "Polygon" and not part.is_empty:
            yield from (part.exterior, *part.interiors)
        elif part.geom_type in ("LineString", "LinearRing") and not part.is_empty:
            yield part
        elif part.geom_type.startswith("Multi"):
            yield from _rings(shapely.get_parts(part))


def drawn(reads: Sequence[Read], ground: Ground | None, looked: Mapping[str, Floats], *, above: float) -> Sketch | None:
    """The drawing of a study's layers; None where nobody knows where the study is.

    ``looked`` are the values of rasters all over the ground; of hazards those more than ``above`` are drawn.
    """
    if ground is None:
        return None
    frame = _Frame(ground)
    bar = _round_length(WIDTH / 5 / frame.scale)
    return Sketch(
        width=WIDTH,
        height=round(frame.height, 1),
        ground=frame.path(_one(ground.shape)),
        water=_water(reads, frame),
        streets=_streets(reads, frame),
        scale_m=bar,
        scale=round(bar * frame.scale, 1),
        marks=tuple(_mark(read, ground, frame, looked.get(read.layer.layer_id), above) for read in reads),
    )


def _one(shape: shapely.Geometry) -> Shapes:
    return np.array([shape], dtype=object)


def _round_length(metres: float) -> float:
    """1, 2 or 5 times a power of ten, not longer than that."""
    power = 10.0 ** np.floor(np.log10(metres))
    return float(max(step * power for step in (1, 2, 5) if step * power <= metres))


def _extracts(reads: Sequence[Read]) -> list[Extract]:
    return [read.content for read in of_kind(reads, "osm") if isinstance(read.content, Extract)]


def _water(reads: Sequence[Read], frame: _Frame) -> str:
    areas = [shapes(e.areas)[(e.areas["kind"] == "water").to_numpy()] for e in _extracts(reads)]
    large = [of[shapely.area(of) * frame.scale**2 > COARSE * 10] for of in areas]
    return "".join(frame.path(of) for of in large)


def _streets(reads: Sequence[Read], frame: _Frame) -> str:
    """The streets of given layers, else of the map: the main ones where any are known to be."""
    tables = [read.table for read in of_kind(reads, "streets") if read.table is not None]
    tables = tables or [street_lines(extract.ways) for extract in _extracts(reads)]
    found = []
    for table in tables:
        main = table["highway"].isin(MAIN).to_numpy()
        found.append(_few(shapes(table)[main] if main.any() else shapes(table), MOST_STREETS))
    return "".join(frame.path(_long(of, frame)) for of in found)


def _long(lines: Shapes, frame: _Frame) -> Shapes:
    """Lines run together where one goes on as another, without those too short to be seen."""
    runs = shapely.get_parts(shapely.line_merge(shapely.multilinestrings(shapely.get_parts(lines))))
    return np.asarray(runs[shapely.length(runs) * frame.scale > 2 * COARSE], dtype=object)


def _few(things: Shapes, most: int) -> Shapes:
    """At most so many of them, evenly taken."""
    return things[:: max(1, -(-len(things) // most))]


def _mark(read: Read, ground: Ground, frame: _Frame, values: Floats | None, above: float) -> Mark:
    """How one layer is drawn: cells that are affected, outlines, dots, or the box it lies in."""
    form, path = _form(read, ground, frame, None if values is None else np.nan_to_num(values) > above)
    return Mark(layer_id=read.layer.layer_id, called=read.layer.called, kind=read.layer.kind, form=form, path=path)


def _form(read: Read, ground: Ground, frame: _Frame, hit: Mask | None) -> tuple[str, str]:
    box = extent(read)
    if box is None:
        return "nowhere", ""
    around = boxed(box, crs=WGS84, into=ground.crs)
    if not shapely.intersects(around, frame.box):
        return "away", _arrow(around, frame)
    if read.layer.kind == "hazard" and hit is not None:
        return "cells", _cells(hit, ground, frame)
    table = read.table
    if table is None or read.layer.kind == "streets":
        return "edge", frame.path(_one(shapely.boundary(around)))
    if read.layer.kind == "communities":
        return "area", frame.path(shapes(table))
    return "dots", _dots(_few(shapes(table), MOST_POINTS), frame)


def _dots(places: Shapes, frame: _Frame) -> str:
    """A point of no length at each place: round caps make dots of them."""
    inside = places[shapely.intersects(frame.box, places)]
    xy = frame.xy(shapely.get_coordinates(shapely.point_on_surface(inside)))
    return "".join(f"M{x:.1f} {y:.1f}h0" for x, y in xy)


def _cells(hit: Mask, ground: Ground, frame: _Frame) -> str:
    """Samples in a row that are affected, as one bar each."""
    samples = ground.samples
    side = samples.step_m * frame.scale
    edges = np.diff(np.pad((hit & samples.inside).astype(np.int8), ((0, 0), (1, 1))), axis=1)
    row, first = np.nonzero(edges == 1)
    last = np.nonzero(edges == -1)[1]
    corner = frame.xy(np.column_stack([samples.x[first] - samples.step_m / 2, samples.y[row] + samples.step_m / 2]))
    return "".join(
        f"M{x:.1f} {y:.1f}h{n * side:.1f}v{side:.1f}h{-n * side:.1f}z"
        for (x, y), n in zip(corner, last - first, strict=True)
    )


def _arrow(away: shapely.Geometry, frame: _Frame) -> str:
    """An arrow head at the edge of the drawing that points to a place beyond it."""
    middle = np.array([WIDTH / 2, frame.height / 2])
    towards = frame.xy(shapely.get_coordinates(shapely.centroid(away)))[0] - middle
    step = towards / np.hypot(*towards)
    reach = min(*(middle - 14) / np.maximum(np.abs(step), 1e-9))
    tip, across = middle + step * reach, np.array([-step[1], step[0]]) * 9
    foot = tip - step * 20
    corners = (tip, foot + across, foot - across)
    return "M" + "L".join(f"{x:.1f} {y:.1f}" for x, y in corners) + "Z"
