"""Vector tiles on demand: what lies in a tile is found by a tree, clipped, simplified, put on the tile's own grid.

Form: Mapbox Vector Tile 2.1. A layer is prepared once (``prepare``: projected, indexed), after which a tile costs
what is in it. Everything but the last step works on whole arrays; the bytes are written by mapbox-vector-tile.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tiles.grid import MAX_LAT, MAX_ZOOM, Tile, to_world

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
TILE_PX = 512
"""A vector tile is shown at this width; sizes in pixels are meant at its own zoom."""


class TileParams(BaseModel):
    """How fine a tile is, and how much it may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extent: int = Field(default=4096, ge=256, le=32768, description="Units along a tile's side (count).")
    buffer: int = Field(default=96, ge=0, le=1024, description="Drawn beyond the tile's edge (units of the tile).")
    simplify: float = Field(default=3.0, ge=0, le=64, description="Finer detail is left out (units of the tile).")
    max_features: int = Field(default=10_000, ge=1, le=100_000, description="Most features in a tile (count).")
    max_bytes: int = Field(default=500_000, ge=1_000, description="Most bytes of a tile before compression (bytes).")


DEFAULT = TileParams()


@dataclass(frozen=True, eq=False)
class Source:
    """A layer made ready for tiles.

    ``shapes`` (n,) in world units, ``properties`` (n,) what travels with each, ``min_zoom`` (n,) the first zoom at
    which each is shown, ``weight`` (n,) which stay when there are too many: the greater first.
    """

    name: str
    shapes: Geometries
    properties: Sequence[Mapping[str, Any]]
    min_zoom: Ints
    weight: Floats
    tree: shapely.STRtree

    def __post_init__(self) -> None:
        if not len(self.shapes) == len(self.properties) == len(self.min_zoom) == len(self.weight):
            raise ValueError(f"layer {self.name}: one set of properties, zoom and weight for every shape")

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"Source({self.name}: {len(self)} shapes)"


@dataclass(frozen=True)
class Encoded:
    """A tile's bytes, the features drawn, and those left out because there were too many."""

    body: bytes
    drawn: int
    left_out: int


def prepare(
    name: str, frame: gpd.GeoDataFrame, *, columns: Sequence[str] = (), min_zoom: Ints | None = None,
    weight: Floats | None = None,
) -> Source:  # fmt: skip
    """Project a table in any CRS to world units and index it; rows without a shape inside the web map are left out.

    ``columns`` travel with the shapes, missing values do not. Without ``weight``, larger shapes come first.
    """
    shapes = _of_one_kind(_projected(frame))
    there = np.flatnonzero(~(shapely.is_missing(shapes) | shapely.is_empty(shapes)))
    shapes = shapes[there]
    heavy = _size(shapes) if weight is None else weight[there]
    first = np.zeros(len(there), dtype=np.int64) if min_zoom is None else min_zoom[there]
    rows = _properties(frame.iloc[there], [c for c in columns if c in frame.columns])
    return Source(name, shapes, rows, first, heavy, shapely.STRtree(shapes))


def _projected(frame: gpd.GeoDataFrame) -> Geometries:
    """Shapes in world units. What lies beyond the web map is cut away before it is projected."""
    degrees = np.asarray(frame.geometry.to_crs("EPSG:4326").to_numpy(), dtype=object)
    box = shapely.bounds(degrees)
    outside = (box[:, 1] < -MAX_LAT) | (box[:, 3] > MAX_LAT) | (box[:, 0] < -180) | (box[:, 2] > 180)
    if outside.any():
        degrees[outside] = shapely.clip_by_rect(degrees[outside], -180, -MAX_LAT, 180, MAX_LAT)
    return np.asarray(shapely.transform(degrees, lambda xy: np.column_stack(to_world(xy[:, 0], xy[:, 1]))))


def _of_one_kind(shapes: Geometries) -> Geometries:
    """A mixed collection becomes its parts of the highest dimension: a tile's feature is of one kind."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType.GEOMETRYCOLLECTION)
    for i in mixed:
        parts = shapely.get_parts(shapes[i])
        shapes[i] = shapely.union_all(parts[shapely.get_dimensions(parts) == shapely.get_dimensions(shapes[i])])
    return shapes


def _size(shapes: Geometries) -> Floats:
    """Area, then length: whatever makes one shape more to be seen than another."""
    return np.asarray(shapely.area(shapes) + 1e-9 * shapely.length(shapes), dtype=np.float64)


def _properties(frame: pd.DataFrame, columns: Sequence[str]) -> list[dict[str, Any]]:
    listed = [(name, _plain(frame[name])) for name in columns]
    return [{name: values[i] for name, values in listed if values[i] is not None} for i in range(len(frame))]


def _plain(values: pd.Series) -> list[Any]:
    """Python values that a tile can carry; None where missing."""
    known = values.notna().to_numpy()
    if values.dtype == object:
        return [_carried(v) if ok else None for v, ok in zip(values, known, strict=True)]
    return [v if ok else None for v, ok in zip(values.tolist(), known, strict=True)]


def _carried(value: Any) -> str | bool | int | float:
    return value if isinstance(value, str | bool | int | float) else str(value)


def zoom_for(size_px: Floats, *, at_least: float, dimension: int) -> Ints:
    """The first zoom at which a length (dimension 1) or area (2) in world units covers ``at_least`` px or px²."""
    wanted = np.log2(at_least ** (1 / dimension) / TILE_PX) - np.log2(np.maximum(size_px, 1e-30)) / dimension
    return np.asarray(np.clip(np.ceil(wanted - 1e-9), 0, MAX_ZOOM + 1), dtype=np.int64)


def encode(tile: Tile, sources: Sequence[Source], *, params: TileParams = DEFAULT) -> Encoded:
    """One tile of several layers. An empty tile has no bytes.

    When more features lie in it than ``max_features`` or its bytes exceed ``max_bytes``, the lightest of the fullest
    layers are left out.
    """
    found = [_within(tile, source, params) for source in sources]
    there = sum(map(len, found))
    budget = params.max_features
    while True:
        most = _level([len(rows) for rows in found], budget)
        kept = [_heaviest(source, rows, most) for source, rows in zip(sources, found, strict=True)]
        drawn = sum(map(len, kept))
        body = _body(tile, sources, kept, params)
        if len(body) <= params.max_bytes or not drawn:
            return Encoded(body, drawn, there - drawn)
        budget = math.floor(drawn * min(0.9, params.max_bytes / len(body)))


def _level(counts: Sequence[int], budget: int) -> int:
    """The most features a layer may have so that all layers together stay within the budget: small ones stay whole."""
    left, fuller = budget, sorted(counts)
    for i, count in enumerate(fuller):
        if count * (len(fuller) - i) > left:
            return left // (len(fuller) - i)
        left -= count
    return max(counts, default=0)


def _within(tile: Tile, source: Source, params: TileParams) -> Ints:
    """Rows of the shapes that touch the tile and are shown at its zoom, in their order."""
    rows = source.tree.query(shapely.box(*_widened(tile, params)))
    return np.sort(rows[source.min_zoom[rows] <= tile.z])


def _widened(tile: Tile, params: TileParams) -> tuple[float, float, float, float]:
    edge = tile.size * params.buffer / params.extent
    left, top, right, bottom = tile.world
    return left - edge, top - edge, right + edge, bottom + edge


def _heaviest(source: Source, rows: Ints, most: int) -> Ints:
    """The heaviest of the rows, in their order; of equals, those that come first."""
    if len(rows) <= most:
        return rows
    kept = np.argsort(-source.weight[rows], kind="stable")[:most]
    return rows[np.sort(kept)]


def _body(tile: Tile, sources: Sequence[Source], kept: Sequence[Ints], params: TileParams) -> bytes:
    layers = [_layer(tile, source, rows, params) for source, rows in zip(sources, kept, strict=True) if len(rows)]
    layers = [layer for layer in layers if layer["features"]]
    options = {"extents": params.extent, "y_coord_down": True, "check_winding_order": False}
    return bytes(mapbox_vector_tile.encode(layers, default_options=options)) if layers else b""


def _layer(tile: Tile, source: Source, rows: Ints, params: TileParams) -> dict[str, Any]:
    shapes = on_grid(source.shapes[rows], tile, params)
    drawn = np.flatnonzero(~shapely.is_empty(shapes))
    features = [{"geometry": shapes[i], "properties": source.properties[rows[i]]} for i in drawn]
    return {"name": source.name, "features": features}


def on_grid(shapes: Geometries, tile: Tile, params: TileParams) -> Geometries:
    """Shapes in world units (n,) on the tile's whole-number grid: clipped, simplified, outer rings as MVT wants them.

    What is too small to be seen becomes empty.
    """
    dimension = shapely.get_dimensions(shapes)
    put = functools.partial(_placed, tile=tile, extent=params.extent)
    fine = shapely.transform(shapely.clip_by_rect(shapes, *_widened(tile, params)), put)
    coarse = shapely.simplify(fine, params.simplify, preserve_topology=False)
    whole = shapely.transform(coarse, np.rint)
    size = np.select([dimension == 2, dimension == 1], [shapely.area(whole), shapely.length(whole)], default=1.0)
    whole[(size == 0) | (shapely.get_dimensions(whole) != dimension)] = shapely.Point()
    return np.asarray(shapely.orient_polygons(whole, exterior_cw=False))


def _placed(xy: Floats, tile: Tile, extent: int) -> Floats:
    left, top, _, _ = tile.world
    return (xy - (left, top)) / tile.size * extent
