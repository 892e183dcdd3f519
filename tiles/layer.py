"""A layer as a reader sees it: what is drawn, how, in which words; whatever draws it finds everything here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Literal

import geopandas as gpd
import numpy as np
import pandas as pd
from numpy.typing import NDArray

from tiles.style import Style, Symbol
from tiles.text import NOTHING, Text

Kind = Literal[
    "name", "sentence", "words", "steps", "text", "code", "codes", "bool", "count", "minutes", "load", "hours",
    "metres", "share", "area",
]  # fmt: skip
"""How a value is written: seconds as minutes, shares as percent, several codes with semicolons between, …

``words`` is a value, ``steps`` a list with a line each, of one column a language; ``hours`` are written as they are,
``load``, hours too, as minutes.
"""
SPOKEN = ("name", "sentence", "words", "steps")
"""Kinds that have one column a language."""
FETCHED_FEATURES = 50_000
"""Layers with more features than this go out as vector tiles instead of in one piece."""
FETCHED_VERTICES = 50_000
"""The same for the vertices of outlines: a tile holds no more of them than can be seen."""

STREET_KM = "street_km"
"""The column of streets reached."""


@dataclass(frozen=True)
class Field:
    """One column as a reader sees it.

    ``missing`` says what no value means where it means more than "not known"; ``codes`` gives the words for codes.
    ``normal`` names the column of the same measure on a normal day, shown beside it where it differs. ``needs`` and
    ``lacks`` name a column that must be known, or must not be, for the field to be shown at all; ``only_some`` leaves
    it out where it is nothing. What is ``SPOKEN`` has one column a language, ``_zh`` and ``_en`` after
    ``column``.
    """

    column: str
    label: Text
    kind: Kind = "text"
    unit: Text = NOTHING
    missing: Text = NOTHING
    codes: Mapping[str, Text] = field(default_factory=dict)
    normal: str = ""
    needs: str = ""
    lacks: str = ""
    only_some: bool = False

    @property
    def columns(self) -> tuple[str, ...]:
        """The columns it may be read from."""
        spoken = (f"{self.column}_zh", f"{self.column}_en") if self.kind in SPOKEN else ()
        return (self.column, *spoken, *([self.normal] if self.normal else ()))


@dataclass(frozen=True)
class Raster:
    """A raster to be drawn: a file that GDAL reads, values in ``unit``."""

    path: Path
    unit: str


@dataclass(frozen=True)
class Row:
    """One line of the legend: how many features the class has, and how many people when the layer counts any.

    ``street_km`` is given instead of people where a layer reaches streets and nobody knows the people.
    """

    label: Text
    symbol: Symbol
    features: int | None = None
    people: int | None = None
    street_km: float | None = None


@dataclass(frozen=True)
class Layer:
    """One layer of a map.

    ``layer_id`` is ours, ``table`` the table or raster it is drawn from: two layers may show one table two ways.
    ``features`` are in EPSG:4326; None for a raster, and in a layer that only describes (``bare``). ``draw_order``:
    higher is drawn later, so on top. ``number`` is the column written onto each polygon when it is not zero; ``named``
    writes the name instead. ``vertices`` are counted where a layer may come as tiles for their sake. ``topic`` brings
    layers of a group together, each then listed under its ``short`` title.
    """

    layer_id: str
    table: str
    title: Text
    group: str
    style: Style
    fields: tuple[Field, ...] = ()
    legend: tuple[Row, ...] = ()
    features: gpd.GeoDataFrame | None = None
    raster: Raster | None = None
    count: int = 0
    vertices: int = 0
    geometry: Literal["point", "line", "polygon", "mixed", "raster"] = "mixed"
    visible: bool = False
    draw_order: int = 0
    number: str = ""
    named: bool = False
    note: Text = NOTHING
    topic: Text = NOTHING
    short: Text = NOTHING

    def __post_init__(self) -> None:
        if self.features is not None and self.features.crs is not None and self.features.crs.to_epsg() != 4326:
            raise ValueError(f"layer {self.layer_id}: features must be in EPSG:4326, not {self.features.crs}")

    def __repr__(self) -> str:
        return f"Layer({self.layer_id}: {self.count} {self.geometry}, {self.delivery})"

    @property
    def delivery(self) -> Literal["geojson", "mvt", "png"]:
        """How it reaches a map: in one piece, as vector tiles, as pictures."""
        if self.geometry == "raster":
            return "png"
        whole = self.count <= FETCHED_FEATURES and self.vertices <= FETCHED_VERTICES
        return "geojson" if whole else "mvt"

    @property
    def columns(self) -> tuple[str, ...]:
        """Every column a map needs of the table, for tiles that carry no more."""
        named = [column for shown in self.fields for column in (*shown.columns, shown.needs, shown.lacks)]
        return tuple(filter(None, dict.fromkeys([*named, self.style.column, self.number])))

    def bare(self) -> Layer:
        """The same layer without its features: enough to describe it."""
        return replace(self, features=None)


def legend(style: Style, frame: gpd.GeoDataFrame, *, people: str = "") -> tuple[Row, ...]:
    """The classes of ``style`` with their counts in ``frame``; classes beside the ramp only when they occur.

    ``people`` names the column of people to add up; without it only features are counted. Where no people of a class
    are known there is no number of them, and the ``street_km`` of a layer that has them stand in.
    """
    number = style.classify(frame[style.column]) if style.column else np.zeros(len(frame), dtype=np.int64)
    counts = np.bincount(number, minlength=len(style.classes))
    heads = _summed(number, frame, people, len(style.classes))
    streets = _summed(number, frame, STREET_KM if people else "", len(style.classes))
    return tuple(
        Row(cls.label, cls.symbol, int(counts[i]), None if heads[i] is None else round(heads[i] or 0),
            streets[i] if heads[i] is None else None)
        for i, cls in enumerate(style.classes)
        if cls.symbol.seen and (cls.always or counts[i])
    )  # fmt: skip


def _summed(number: NDArray[np.int64], frame: gpd.GeoDataFrame, column: str, n: int) -> list[float | None]:
    """The sum of a column in each of ``n`` classes; None where there is no such column or no value is known."""
    if not column or column not in frame.columns:
        return [None] * n
    values = pd.to_numeric(frame[column]).to_numpy(dtype=np.float64, na_value=np.nan)
    if len(values) and np.isnan(values).all():
        return [None] * n
    known, rows = np.bincount(number[~np.isnan(values)], minlength=n), np.bincount(number, minlength=n)
    total = np.bincount(number, weights=np.nan_to_num(values), minlength=n)
    return [float(total[i]) if known[i] or not rows[i] else None for i in range(n)]
