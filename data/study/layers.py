"""One layer of a study, read by the reader of its kind: what a run, a check and an addition all see of it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TypeAlias

import geopandas as gpd
import shapely

from data import given, joined, people, rasters, streetlines, vectors, zones
from data.classes import require_table
from data.extents import Bounds, in_degrees, require_overlap
from data.hazards import KINDS as HAZARDS
from data.hazards import unit_named
from data.standards.class_tables import class_table
from data.study.definition import ELEVATION, LEVEL, STREETS, VALUE, Layer
from data.study.outline import Ground
from geo.crs import WGS84
from geo.derived import KINDS as DERIVED
from geo.errors import Fault, ParameterError
from geo.hazards import Grid, Hazard
from geo.reasons import Finding, Sentence
from geo.shifts import SYSTEMS

CONVERTED = frozenset({"unit_converted", "numbers_undressed", "decimal_comma"})
"""Codes of what is said of numbers that were changed."""
Content: TypeAlias = gpd.GeoDataFrame | Grid | Hazard


@dataclass(frozen=True, eq=False)
class Read:
    """What is in a layer: a table in the study's CRS, a raster or a hazard in its own.

    ``notes`` are to be said of it, ``conversions`` (text) were done to its content.
    """

    layer: Layer
    content: Content
    notes: tuple[Sentence, ...] = ()
    conversions: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Read({self.layer.layer_id}: {self.content!r}, {len(self.notes)} notes)"

    @property
    def table(self) -> gpd.GeoDataFrame:
        """The rows of a layer that is a table."""
        assert isinstance(self.content, gpd.GeoDataFrame)
        return self.content

    @property
    def grid(self) -> Grid | None:
        """The cells of a raster or a hazard; None for a table."""
        if isinstance(self.content, gpd.GeoDataFrame):
            return None
        return self.content.grid if isinstance(self.content, Hazard) else self.content

    @property
    def bounds(self) -> Bounds:
        """Where the layer lies, degrees."""
        if self.grid is not None:
            return in_degrees(self.grid.bounds, crs=self.grid.crs, where=self.layer.file)
        xmin, ymin, xmax, ymax = (float(edge) for edge in shapely.total_bounds(self.table.geometry.to_numpy()))
        return in_degrees((xmin, ymin, xmax, ymax), crs=self.table.crs.to_string(), where=self.layer.file)


def read(layer: Layer, path: Path, *, ground: Ground) -> Read:
    """The content of a layer of any kind but ``osm`` (``data.osm``) and derived hazards (``geo.derived``).

    Raises what the reader of its kind raises, and ParameterError for rows chosen of a raster.
    """
    if layer.where and rasters.is_raster(path):
        cure = "Leave --where out, or give a table."
        raise ParameterError(Fault("rows chosen of a table only", "a raster", str(path), cure))
    if layer.kind == "hazard":
        return _hazard(layer, path, ground)
    if layer.kind == ELEVATION:
        return Read(layer, *rasters.heights(path, crs=layer.crs, nodata=layer.nodata))
    if layer.kind == STREETS:
        content = vectors.read(
            path, crs=layer.crs, columns=layer.columns, near=ground.bounds, into=ground.crs, only=layer.where
        )
        return Read(layer, *_lines(layer, content), content.conversions)
    if layer.kind == "population" and rasters.is_raster(path):
        cells, said = people.read(path, into=ground.crs, unit=layer.unit, crs=layer.crs, nodata=layer.nodata)
        return Read(layer, cells, said, tuple(_converted(layer.unit, "people")))
    return _table(layer, path, ground)


def _lines(layer: Layer, content: vectors.Read) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:
    return streetlines.understood(content, columns=layer.columns, constants=layer.constants)


def _table(layer: Layer, path: Path, ground: Ground) -> Read:
    content = vectors.read(
        path,
        crs=layer.crs,
        columns=layer.columns,
        near=ground.bounds,
        into=ground.crs,
        join=join_of(layer, path, ground),
        only=layer.where,
    )
    columns = {o: theirs for o, theirs in layer.columns.items() if not (content.joined and o in joined.NAMING)}
    table, notes = given.understood(content, layer.kind, columns=columns, constants=layer.constants)
    return Read(layer, table, notes, (*content.conversions, *_of_cells(notes)))


def join_of(layer: Layer, path: Path, ground: Ground) -> vectors.Join | None:
    """What lays people without places on the study's outlines; None for other kinds."""
    if layer.kind != "population":
        return None
    return partial(joined.placed, columns=layer.columns, units=ground.units, where=str(path))


def _hazard(layer: Layer, path: Path, ground: Ground) -> Read:
    kind, unit = str(layer.hazard), unit_named(str(layer.unit))
    of = HAZARDS[kind]
    done = tuple(_shifted(layer))
    if rasters.is_raster(path):
        grid, notes = rasters.read(
            path, unit=unit, kind=kind, crs=layer.crs, nodata=layer.nodata, classes=_classes(layer)
        )
    else:
        table = {name: title for name, title in layer.columns.items() if name == vectors.TABLE}
        content = vectors.read(
            path, crs=layer.crs, columns=table, near=ground.bounds, into=ground.crs, only=layer.where
        )
        grid, notes = zones.understood(
            content, kind=kind, unit=unit, column=layer.columns.get(VALUE) or layer.columns.get(LEVEL),
            classes=_classes(layer), constants=layer.constants, nodata=layer.nodata, extent=ground.wide,
        )  # fmt: skip
        done = content.conversions
    en, zh = label(kind, layer.return_period_y, layer.hours)
    factor = of.units.get(unit, 1.0)
    hazard = Hazard(
        layer.layer_id, kind, of.unit, grid, of.none_is, label_zh=zh, label_en=en,
        uncertainty=(layer.uncertainty or 0.0) * factor, hours=layer.hours, return_period_y=layer.return_period_y,
    )  # fmt: skip
    return Read(layer, hazard, notes, (*done, *_converted(unit, of.unit)))


def _classes(layer: Layer) -> Mapping[str, float] | None:
    """What the values of a hazard's file stand for: those of a named table, and those said one by one on top."""
    if layer.class_table is None:
        return layer.classes or None
    table = class_table(layer.class_table)
    require_table(table, str(layer.hazard), where=layer.file)
    if layer.unit != table.unit:
        cure = "Leave the unit out, or say each class with --map VALUE=NUMBER."
        raise ParameterError(Fault(f"unit {table.unit}, which @{table.name} is in", repr(layer.unit), layer.file, cure))
    return {**table, **layer.classes} if layer.classes else table


def _of_cells(notes: Iterable[Finding]) -> Iterator[str]:
    """What was done to numbers in cells: another unit, a comma for the point."""
    return (note.en.removesuffix(".") for note in notes if note.code in CONVERTED)


def _shifted(layer: Layer) -> list[str]:
    """How the coordinates of a Chinese map service were brought back."""
    return [f"{layer.crs} -> {WGS84}"] if (layer.crs or "").lower() in SYSTEMS else []


def _converted(unit: str | None, ours: str) -> list[str]:
    """What was done to the values, if anything."""
    return [f"{unit} -> {ours}"] if unit and unit != ours else []


def title_of(layer: Layer) -> tuple[str, str]:
    """What a hazard's layer is called in English and Chinese, a derived one too."""
    if layer.derived:
        named = DERIVED[str(layer.hazard)]
        return named.en, named.zh
    return label(str(layer.hazard), layer.return_period_y, layer.hours)


def label(hazard: str, return_period_y: float | None, hours: float | None = None) -> tuple[str, str]:
    """What a hazard is called in English and Chinese: ``Flood, 1 in 100 years, hour 6``."""
    en, zh = HAZARDS[hazard].en, HAZARDS[hazard].zh
    if return_period_y is not None:
        en, zh = f"{en}, 1 in {return_period_y:g} years", f"{return_period_y:g}年一遇{zh}"
    if hours is not None:
        en, zh = f"{en}, hour {hours:g}", f"{zh}（第{hours:g}小时）"
    return en, zh


def require_meeting(read: Read, ground: Ground, *, where: str) -> None:
    """NoOverlapError when a layer lies elsewhere than its study."""
    if ground.bounds is not None:
        require_overlap(read.bounds, ground.bounds, where=where)
