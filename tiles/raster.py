"""A raster as picture tiles: warped to the web map, coloured by a style, clear where it is dry, unknown or outside."""

from __future__ import annotations

import functools
import io
import math
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.warp import transform_bounds

from tiles.grid import Tile
from tiles.style import Style, palette

MERCATOR = "EPSG:3857"
SIZE_PX = 256
NO_VALUE = -3.0e38


def draw(path: Path, tile: Tile, style: Style, *, size_px: int = SIZE_PX) -> bytes:
    """One PNG tile of the first band; the nearest cell's value counts, as classes must not be mixed.

    A tile that the raster does not touch is empty, and costs nothing.
    """
    with rasterio.open(path) as source:
        if not _touches(source, tile):
            return empty(size_px)
        values = _warped(source, tile, size_px)
    number = style.classify(values.ravel()).reshape(values.shape)
    colours = palette(style)
    drawn = np.array([colour[3] > 0 for colour in colours])[number]
    return _picture(np.where(drawn, number + 1, 0), style) if drawn.any() else empty(size_px)


def maximum(path: Path, *, cells: int = 1024) -> float:
    """The greatest value of the first band, read at no more than ``cells`` a side; NaN when nothing is known."""
    with rasterio.open(path) as source:
        shape = (min(source.height, cells), min(source.width, cells))
        values = source.read(1, masked=True, out_shape=shape).astype(np.float64).filled(np.nan)
    return float(np.nanmax(values)) if np.isfinite(values).any() else math.nan


def _touches(source: rasterio.DatasetReader, tile: Tile) -> bool:
    west, south, east, north = tile.bounds_m
    left, bottom, right, top = transform_bounds(source.crs, MERCATOR, *source.bounds)
    return bool(left < east and right > west and bottom < north and top > south)


def _warped(source: rasterio.DatasetReader, tile: Tile, size_px: int) -> NDArray[np.float64]:
    """Values on the tile's pixels; NaN outside the raster and where it has no data."""
    west, south, east, north = tile.bounds_m
    place = Affine((east - west) / size_px, 0, west, 0, (south - north) / size_px, north)
    with WarpedVRT(
        source, crs=MERCATOR, transform=place, width=size_px, height=size_px, resampling=Resampling.nearest,
        src_nodata=source.nodata, nodata=NO_VALUE, dtype="float64",
    ) as warped:  # fmt: skip
        values: NDArray[np.float64] = warped.read(1)
    return np.where(values <= NO_VALUE, np.nan, values)


def _picture(number: NDArray[np.int64], style: Style) -> bytes:
    """A picture of at most 255 colours: 0 is clear, others are the classes plus one."""
    colours = [(0, 0, 0, 0), *palette(style)]
    image = Image.fromarray(number.astype(np.uint8), mode="P")
    image.putpalette([part for colour in colours for part in colour[:3]])
    body = io.BytesIO()
    image.save(body, "PNG", transparency=bytes(colour[3] for colour in colours))
    return body.getvalue()


@functools.lru_cache(maxsize=4)
def empty(size_px: int = SIZE_PX) -> bytes:
    """A clear tile."""
    body = io.BytesIO()
    image = Image.new("P", (size_px, size_px), 0)
    image.putpalette([0, 0, 0])
    image.save(body, "PNG", transparency=b"\0")
    return body.getvalue()
