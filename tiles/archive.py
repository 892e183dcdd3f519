"""All tiles of some layers in one file: PMTiles 3, which a map reads from a disk or a plain web server, and GDAL opens.

The container is written by the library of its authors, the tiles are those that the service gives. GDAL's own driver
would draw the tiles anew, one layer a file, without first zooms.
"""

from __future__ import annotations

import gzip
import math
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, BinaryIO

import numpy as np
from numpy.typing import NDArray
from pmtiles.tile import Compression, TileType, zxy_to_tileid
from pmtiles.writer import Writer
from pydantic import BaseModel, ConfigDict, Field

from tiles.grid import MAX_ZOOM, Tile
from tiles.mvt import TileParams, encode, widened
from tiles.source import Source

Ints = NDArray[np.int64]
FIELDS = {"number": "Number", "text": "String", "flag": "Boolean"}


class ArchiveParams(BaseModel):
    """How far an archive goes."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    max_zoom: int = Field(default=15, ge=0, le=MAX_ZOOM, description="Deepest zoom (number).")
    max_tiles: int = Field(
        default=20_000, ge=1, le=10**6, description="Most tiles; with more the deepest zooms are left out (count)."
    )
    tile: TileParams = Field(default=TileParams(), description="How much each tile may hold (see its fields).")


@dataclass(frozen=True)
class Archive:
    """What was written: tiles with anything in them, the deepest zoom, features left out of any tile."""

    tiles: int
    max_zoom: int
    left_out: int


def write(file: BinaryIO, sources: Sequence[Source], *, name: str, attribution: str, params: ArchiveParams) -> Archive:
    """Write the tiles of some layers to a new file. Layers without a shape make an archive of one empty tile."""
    zooms = list(_within(_there(sources, params), params.max_tiles))
    writer = Writer(file)  # type: ignore[no-untyped-call]
    written = left_out = 0
    for tiles in zooms:
        for tile in sorted(tiles, key=_order):
            made = encode(tile, sources, params=params.tile)
            left_out += made.left_out
            if made.body or tile.z == 0:
                written += bool(made.body)
                writer.write_tile(_order(tile), gzip.compress(made.body, mtime=0))  # type: ignore[no-untyped-call]
    writer.finalize(_header(sources), _about(sources, name, attribution, len(zooms) - 1))  # type: ignore[no-untyped-call]
    return Archive(written, len(zooms) - 1, left_out)


def _order(tile: Tile) -> int:
    return zxy_to_tileid(tile.z, tile.x, tile.y)


def _there(sources: Sequence[Source], params: ArchiveParams) -> Iterator[list[Tile]]:
    """For each zoom the tiles that any shape's box touches; the first is always there."""
    every = [np.arange(len(source)) for source in sources]
    found = {Tile(0, 0, 0): every}
    for _ in range(params.max_zoom):
        yield list(found)
        found = {
            child: rows
            for tile, above in found.items()
            for child in tile.children
            if any(map(len, rows := _touching(child, sources, above, params.tile)))
        }
    yield list(found)


def _touching(tile: Tile, sources: Sequence[Source], above: Sequence[Ints], params: TileParams) -> list[Ints]:
    box = widened(tile, params)
    return [rows[source.touch(box, rows)] for source, rows in zip(sources, above, strict=True)]


def _within(zooms: Iterator[list[Tile]], most: int) -> Iterator[list[Tile]]:
    """The first zooms that together have at most ``most`` tiles, and the very first."""
    held = 0
    for tiles in zooms:
        held += len(tiles)
        if not tiles or (held > most and tiles[0].z):
            return
        yield tiles


def _header(sources: Sequence[Source]) -> dict[str, Any]:
    boxes = np.array([source.bounds for source in sources if len(source)]).reshape(-1, 4)
    west, south, east, north = (*boxes[:, :2].min(axis=0), *boxes[:, 2:].max(axis=0)) if len(boxes) else (0, 0, 0, 0)
    lon, lat = (west + east) / 2, (south + north) / 2
    zoom = math.floor(math.log2(360 / max(east - west, north - south, 1e-6)))
    sides = {"min_lon": west, "min_lat": south, "max_lon": east, "max_lat": north, "center_lon": lon, "center_lat": lat}
    return {
        "tile_type": TileType.MVT, "tile_compression": Compression.GZIP, "center_zoom": min(zoom, MAX_ZOOM),
        **{f"{side}_e7": round(degrees * 1e7) for side, degrees in sides.items()},
    }  # fmt: skip


def _about(sources: Sequence[Source], name: str, attribution: str, deepest: int) -> dict[str, Any]:
    layers = [
        {"id": source.name, "minzoom": source.first_zoom, "maxzoom": deepest,
         "fields": {key: FIELDS[kind] for key, kind in source.carried.of_kinds()}}
        for source in sources
    ]  # fmt: skip
    return {"name": name, "attribution": attribution, "type": "overlay", "vector_layers": layers}
