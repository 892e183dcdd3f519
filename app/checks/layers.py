"""What a layer is: its size, frame, extent, columns and their values, where it comes from."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pyproj import CRS

from app.checks.findings import found_here, listed
from app.checks.ground import Ground, boxed
from app.checks.params import CheckParams
from app.checks.reading import Read, shapes
from app.checks.report import Box, ColumnModel, FindingModel, LayerCheck, worst_first
from app.texts import words
from data import columns, given, streetlines, vectors
from data.extents import distance_km, in_degrees
from data.osm import Extract
from data.study import Layer
from geo.crs import WGS84
from geo.errors import CrsError
from geo.network import WAY_TAGS
from geo.shifts import NAMES as SHIFTED

FEW_WORDS = 12
"""Up to so many different texts the commonest are named."""
NAMED_MAX = 5
"""So many of the commonest texts are named."""
SAID = ("source", "licence", "attribution", "date")
"""What a layer should say of where it comes from."""
WHOLE = ("hazard", "elevation", "communities")
"""Kinds that should say something of all the ground."""
SPREAD = ("shelters",)
"""Kinds that should be spread over most of it."""
MAP_TABLES = ("buildings", "facilities", "shelters", "areas", "lines", "boundaries")


def extent(read: Read) -> Box | None:
    """Where a layer lies in degrees; None when that is not known."""
    if isinstance(read.content, Extract):
        return read.content.bounds
    try:
        if (grid := read.grid) is not None:
            return in_degrees(grid.bounds, crs=grid.crs, where=read.layer.file)
        if (table := read.table) is not None and len(table):
            xmin, ymin, xmax, ymax = map(float, table.total_bounds)
            return in_degrees((xmin, ymin, xmax, ymax), crs=table.crs.to_string(), where=read.layer.file)
    except CrsError:  # its reader has said so
        return None
    return None


def checked(
    read: Read, ground: Ground | None, known: float | None, more: Iterable[FindingModel], limits: CheckParams
) -> LayerCheck:
    """A layer as the report has it.

    ``known`` is the share of the ground for which a raster has values, ``more`` what was found of the layer together
    with others.
    """
    layer, box = read.layer, extent(read)
    cover = None if ground is None or box is None else _cover(read, box, ground) if known is None else known
    apart = None if ground is None or box is None else distance_km(box, ground.extent)
    own = () if apart is None or apart > 0 else tuple(_reach(layer, cover, limits))
    return LayerCheck(
        layer_id=layer.layer_id,
        called=layer.called,
        kind=layer.kind,
        file=layer.file,
        sha256=read.sha256,
        readable=read.usable,
        **_size(read),
        **_frame(read),
        extent=box,
        covers_share=cover,
        distance_km=apart,
        unit=layer.unit,
        columns=tuple(_columns(read)),
        unused=tuple(_unused(read)),
        **{name: getattr(layer, name) for name in SAID},
        conversions=tuple(dict.fromkeys((*layer.conversions, *read.conversions))),
        findings=worst_first((*read.findings, *own, *more, *_unsaid(read))),
    )


def _cover(read: Read, box: Box, ground: Ground) -> float:
    """Share of the ground that outlines of communities cover, else the box in which a layer lies."""
    if read.layer.kind == "communities" and read.table is not None:
        return ground.within(shapely.union_all(shapes(read.table)))
    return ground.within(boxed(box, crs=WGS84, into=ground.crs))


def _reach(layer: Layer, cover: float | None, limits: CheckParams) -> Iterator[FindingModel]:
    """What is to be said of a layer that should cover the study and does not."""
    least = limits.cover_share if layer.kind in WHOLE else limits.thin_share if layer.kind in SPREAD else 0.0
    if cover is not None and cover < least:
        yield found_here("covers_part", "warning", layer_id=layer.layer_id, share=f"{cover:.0%}")


def _unsaid(read: Read) -> Iterator[FindingModel]:
    """What a layer does not say of where it comes from."""
    layer = read.layer
    lacking = [words(f"check.{name}") for name in SAID if not getattr(layer, name)]
    if lacking and layer.file and read.usable:
        yield found_here("origin_not_said", "info", layer_id=layer.layer_id, names=listed(lacking))


def _size(read: Read) -> dict[str, Any]:
    """Rows, cells, what a map holds, and geometry types."""
    if isinstance(read.content, Extract):
        held = {name: len(getattr(read.content, name)) for name in MAP_TABLES}
        return {"contents": {"streets": len(read.content.ways), **held}}
    if (grid := read.grid) is not None:
        return {"cells": int(grid.values.size)}
    if (table := read.table) is None:
        return {}
    return {"rows": len(table), "geometry": tuple(sorted(map(str, table.geometry.geom_type.dropna().unique())))}


def _frame(read: Read) -> dict[str, str | None]:
    """The coordinate system of the file, as a code and in words."""
    crs = _crs(read)
    if crs is None:
        return {}
    if crs in SHIFTED:
        return {"crs": str(crs), "crs_name": SHIFTED[str(crs)]}
    code = CRS.from_user_input(crs).to_epsg()
    name = str(CRS.from_user_input(crs).name)
    return {"crs": f"EPSG:{code}" if code else name, "crs_name": name}


def _crs(read: Read) -> Any:
    if read.layer.crs in SHIFTED:
        return read.layer.crs
    if isinstance(read.content, Extract):
        return WGS84
    if (grid := read.grid) is not None:
        return grid.crs
    return read.raw.table.crs if read.raw is not None else read.layer.crs


def _columns(read: Read) -> Iterator[ColumnModel]:
    """The columns of a table that are used, and their values; the values of a raster."""
    if (grid := read.grid) is not None:
        yield _measured("value", grid.values[~np.isnan(grid.values)], int(np.isnan(grid.values).sum()))
    if (table := read.table) is None:
        return
    theirs = _theirs(read)
    for name in [str(column) for column in table.columns if column in theirs or column in read.layer.constants]:
        said = {"theirs": theirs.get(name, ""), "constant": read.layer.constants.get(name)}
        yield _described(name, table[name]).model_copy(update=said)


def _theirs(read: Read) -> dict[str, str]:
    """Our name of each column that the file gives -> the file's own."""
    if read.raw is None or read.table is None:
        return {str(name): "" for name in read.table.columns if name != "geometry"} if read.table is not None else {}
    there = {str(name).strip().casefold(): str(name) for name in _headers(read.raw)}
    named = {name: there[name.casefold()] for name in map(str, read.table.columns) if name.casefold() in there}
    said = {name: column for name, column in read.layer.columns.items() if name in read.table.columns}
    return named | _recognised(read) | said


def _recognised(read: Read) -> dict[str, str]:
    """Our name of each column that was known by what such columns are called -> the file's."""
    found = _found(read)
    return {} if found is None else dict(found.taken)


def _found(read: Read) -> columns.Found | None:
    layer = read.layer
    if read.raw is None or layer.kind not in given.KINDS:
        return None
    said = {*layer.columns, *layer.constants}
    return columns.found(read.raw.table, layer.kind, given.KINDS[layer.kind], said=said, placing=read.raw.placing)


def _headers(raw: vectors.Read) -> list[str]:
    return [str(name) for name in raw.table.columns if name != raw.table.geometry.name]


def _unused(read: Read) -> list[str]:
    """Columns of the file that say nothing here; those that say where a row is do."""
    if read.raw is None or read.table is None:
        return []
    found = _found(read)
    used = {*map(str, read.table.columns), *vectors.PLACING, *read.raw.placing, *read.layer.columns.values()}
    used |= set(found.used) if found is not None else set(streetlines.NAMED) | set(WAY_TAGS)
    plain = {name.strip().casefold() for name in used}
    return [name for name in _headers(read.raw) if name.strip().casefold() not in plain]


def _described(name: str, values: pd.Series[Any]) -> ColumnModel:
    missing = int(values.isna().sum())
    if pd.api.types.is_numeric_dtype(values) and not pd.api.types.is_bool_dtype(values):
        return _measured(name, values.dropna().to_numpy(dtype=np.float64), missing)
    words = values.dropna().astype(str)
    counts = Counter(words)
    common = sorted(counts, key=lambda word: (-counts[word], word))[:NAMED_MAX] if 0 < len(counts) <= FEW_WORDS else []
    return ColumnModel(name=name, missing=missing, distinct=len(counts), common=tuple(common))


def _measured(name: str, numbers: NDArray[Any], missing: int) -> ColumnModel:
    if not len(numbers):
        return ColumnModel(name=name, missing=missing)
    low, middle, high = float(numbers.min()), float(np.median(numbers)), float(numbers.max())
    return ColumnModel(name=name, missing=missing, minimum=_short(low), median=_short(middle), maximum=_short(high))


def _short(number: float) -> float:
    """Six digits: what a raster of single precision knows."""
    return float(f"{number:.6g}")
