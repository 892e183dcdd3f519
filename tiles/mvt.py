"""Vector tiles on demand: what lies in a tile is found, clipped, simplified, put on the tile's own grid, written.

Form: Mapbox Vector Tile 2.1. A layer is prepared once (``tiles.source``), after which a tile costs what is in it. Every
step works on whole arrays.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from tiles import wire
from tiles.grid import Tile
from tiles.source import Source

Geometries = NDArray[np.object_]
Ints = NDArray[np.int64]


class TileParams(BaseModel):
    """How fine a tile is, and how much it may hold."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    extent: int = Field(default=4096, ge=256, le=32768, description="Units along a tile's side (count).")
    buffer: int = Field(default=96, ge=0, le=1024, description="Drawn beyond the tile's edge (units of the tile).")
    simplify: float = Field(default=3.0, ge=0, le=64, description="Finer detail is left out (units of the tile).")
    max_features: int = Field(default=10_000, ge=1, le=100_000, description="Most features in a tile (count).")
    max_bytes: int = Field(default=500_000, ge=1_000, description="Most bytes of a tile before compression (bytes).")


DEFAULT = TileParams()
SAMPLE, ROOMY = 256, 1.5
"""So many features tell what all of them take, and so many times more than would then fit are tried."""


@dataclass(frozen=True)
class Encoded:
    """A tile's bytes, the features drawn, and those left out because there were too many."""

    body: bytes
    drawn: int
    left_out: int


@dataclass(frozen=True, eq=False)
class Drawn:
    """Features of a source ready to be written: the rows chosen, and what is to be seen of them."""

    source: Source
    rows: Ints
    features: wire.Features

    def __len__(self) -> int:
        return len(self.rows)

    def __repr__(self) -> str:
        return f"Drawn({self.source.name}: {len(self)} rows, {len(self.features)} to be seen)"

    def heaviest(self, most: int) -> Drawn:
        """At most ``most`` of the rows, the heaviest."""
        rows = self.source.heaviest(self.rows, most)
        if len(rows) == len(self):
            return self
        seen = np.flatnonzero(np.isin(self.rows[self.features.row], rows))
        features = self.features.take(seen)
        row = np.searchsorted(rows, self.rows[features.row])
        return Drawn(self.source, rows, wire.Features(row, features.kind, features.commands))

    def written(self, extent: int) -> bytes:
        """The layer as it stands in a tile."""
        tags, keys, values = self.source.carried.of(self.rows[self.features.row])
        return wire.layer(self.source.name, extent, self.features, tags, keys, values)


def encode(tile: Tile, sources: Sequence[Source], *, params: TileParams = DEFAULT) -> Encoded:
    """One tile of several layers. An empty tile has no bytes.

    When more features lie in it than ``max_features`` or its bytes exceed ``max_bytes``, the lightest of the fullest
    layers are left out.
    """
    found = [source.within(widened(tile, params), tile.z) for source in sources]
    there = sum(map(len, found))
    most = _level([len(rows) for rows in found], params.max_features)
    fair = [source.heaviest(rows, most) for source, rows in zip(sources, found, strict=True)]
    most = min(most, _fitting(tile, sources, fair, params))
    kept = [
        _drawn(tile, source, source.heaviest(rows, most), params) for source, rows in zip(sources, fair, strict=True)
    ]
    while True:
        drawn = sum(map(len, kept))
        body = b"".join(layer.written(params.extent) for layer in kept)
        if len(body) <= params.max_bytes or not drawn:
            return Encoded(body, drawn, there - drawn)
        most = _level([len(layer) for layer in kept], math.floor(drawn * min(0.9, params.max_bytes / len(body))))
        kept = [layer.heaviest(most) for layer in kept]


def _level(counts: Sequence[int], budget: int) -> int:
    """The most features a layer may have so that all layers together stay within the budget: small ones stay whole."""
    left, fuller = budget, sorted(counts)
    for i, count in enumerate(fuller):
        if count * (len(fuller) - i) > left:
            return left // (len(fuller) - i)
        left -= count
    return max(counts, default=0)


def _fitting(tile: Tile, sources: Sequence[Source], rows: Sequence[Ints], params: TileParams) -> int:
    """About the most features of a layer that ``max_bytes`` hold, rather too many, by what some of them take."""
    counts = [len(some) for some in rows]
    step = sum(counts) // SAMPLE
    if step < 2:
        return max(counts, default=0)
    sample = [_drawn(tile, source, some[::step], params) for source, some in zip(sources, rows, strict=True)]
    size = sum(len(layer.written(params.extent)) for layer in sample)
    return _level(counts, math.ceil(ROOMY * sum(map(len, sample)) * params.max_bytes / max(size, 1)))


def _drawn(tile: Tile, source: Source, rows: Ints, params: TileParams) -> Drawn:
    tolerance = params.simplify / params.extent * tile.size
    shapes = source.opened(rows, tolerance=tolerance / 2)
    grid = wire.Grid(tile.world[:2], params.extent / tile.size, tolerance)
    return Drawn(source, rows, wire.drawn(_clipped(shapes, widened(tile, params)), grid))


def widened(tile: Tile, params: TileParams) -> tuple[float, float, float, float]:
    """Left, top, right, bottom of what is drawn in a tile, world units: the tile and a little beyond its edge."""
    edge = tile.size * params.buffer / params.extent
    left, top, right, bottom = tile.world
    return left - edge, top - edge, right + edge, bottom + edge


def _clipped(shapes: Geometries, box: tuple[float, float, float, float]) -> Geometries:
    """Shapes cut off at a box; what then only touches it becomes empty."""
    dimension = shapely.get_dimensions(shapes)
    inside = np.asarray(shapely.clip_by_rect(shapes, *box), dtype=object)
    inside[shapely.get_dimensions(inside) != dimension] = shapely.Point()
    return inside
