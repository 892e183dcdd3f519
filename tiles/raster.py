"""A raster as picture tiles: warped to the web map, coloured by a style, clear where it is dry, unknown or outside."""

from __future__ import annotations

import functools
import io
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import rasterio
from numpy.typing import NDArray
from PIL import Image
from rasterio.enums import Resampling
from rasterio.transform import Affine
from rasterio.vrt import WarpedVRT
from rasterio.warp import reproject, transform_bounds

from tiles.grid import EDGE_M, MAX_ZOOM, Tile
from tiles.style import Style, palette

MERCATOR = "EPSG:3857"
SIZE_PX = 256
NO_VALUE = -3.0e38
WHOLE_CELLS = 1_000_000
"""A raster with more cells is drawn from fewer where all of it is seen."""
Floats = NDArray[np.float64]


def draw(path: Path, tile: Tile, style: Style, *, size_px: int = SIZE_PX) -> bytes:
    """One PNG tile of the first band; the nearest cell's value counts, as classes must not be mixed.

    A tile that the raster does not touch is empty, and costs nothing. A view of all of a large raster is drawn from
    every n-th cell of it, which are kept.
    """
    with rasterio.open(path) as source:
        if not _touches(source, tile):
            return empty(size_px)
        whole = _whole(path, path.stat().st_mtime_ns) if _reduced_by(source) > 1 else None
        far = whole is not None and _width_m(tile) / size_px >= whole.cell_m
        values = whole.on(tile, size_px) if whole is not None and far else _warped(source, tile, size_px)
    number = style.classify(values.ravel()).reshape(values.shape)
    colours = palette(style)
    drawn = np.array([colour[3] > 0 for colour in colours])[number]
    return _picture(np.where(drawn, number + 1, 0), style) if drawn.any() else empty(size_px)


@dataclass(frozen=True, eq=False)
class Whole:
    """All of a raster in few cells: ``values`` (rows, columns), NaN where it has no data; ``cell_m`` on the web map."""

    values: NDArray[np.float32]
    place: Affine
    crs: str
    cell_m: float

    def __repr__(self) -> str:
        return f"Whole({' x '.join(map(str, self.values.shape))} cells of {self.cell_m:.0f} m)"

    def on(self, tile: Tile, size_px: int) -> Floats:
        """Values on a tile's pixels; NaN outside."""
        values = np.full((size_px, size_px), np.nan, dtype=np.float32)
        reproject(
            self.values, values, src_transform=self.place, src_crs=self.crs, src_nodata=np.nan,
            dst_transform=_place(tile, size_px), dst_crs=MERCATOR, dst_nodata=np.nan, resampling=Resampling.nearest,
        )  # fmt: skip
        return values.astype(np.float64)


@functools.lru_cache(maxsize=8)
def _whole(path: Path, changed: int) -> Whole:
    """A raster in at most about ``WHOLE_CELLS`` cells; kept as long as the file's time of change stays."""
    with rasterio.open(path) as source:
        by = _reduced_by(source)
        rows, columns = math.ceil(source.height / by), math.ceil(source.width / by)
        values = source.read(1, masked=True, out_shape=(rows, columns)).astype(np.float32).filled(np.nan)
        stretch = Affine(source.width / columns, 0, 0, 0, source.height / rows, 0)
        return Whole(values, source.transform @ stretch, source.crs.to_wkt(), by * _cell_m(source))


def _reduced_by(source: rasterio.DatasetReader) -> int:
    return math.ceil(math.sqrt(source.width * source.height / WHOLE_CELLS))


def _cell_m(source: rasterio.DatasetReader) -> float:
    west, south, east, north = transform_bounds(source.crs, MERCATOR, *source.bounds)
    return float(min((east - west) / source.width, (north - south) / source.height))


def maximum(path: Path, *, cells: int = 1024) -> float:
    """The greatest value of the first band, read at no more than ``cells`` a side; NaN when nothing is known."""
    with rasterio.open(path) as source:
        shape = (min(source.height, cells), min(source.width, cells))
        values = source.read(1, masked=True, out_shape=shape).astype(np.float64).filled(np.nan)
    return float(np.nanmax(values)) if np.isfinite(values).any() else math.nan


def deepest(path: Path) -> int:
    """The zoom from which on closer tiles show nothing more: their pixels are smaller than the raster's cells."""
    with rasterio.open(path) as source:
        cell_m = _cell_m(source)
    return min(max(math.ceil(math.log2(2 * EDGE_M / SIZE_PX / cell_m) - 1e-9), 0), MAX_ZOOM)


def _touches(source: rasterio.DatasetReader, tile: Tile) -> bool:
    west, south, east, north = tile.bounds_m
    left, bottom, right, top = transform_bounds(source.crs, MERCATOR, *source.bounds)
    return bool(left < east and right > west and bottom < north and top > south)


def _warped(source: rasterio.DatasetReader, tile: Tile, size_px: int) -> Floats:
    """Values on the tile's pixels; NaN outside the raster and where it has no data."""
    with WarpedVRT(
        source, crs=MERCATOR, transform=_place(tile, size_px), width=size_px, height=size_px,
        resampling=Resampling.nearest, src_nodata=source.nodata, nodata=NO_VALUE, dtype="float64",
    ) as warped:  # fmt: skip
        values: Floats = warped.read(1)
    return np.where(values <= NO_VALUE, np.nan, values)


def _width_m(tile: Tile) -> float:
    west, _, east, _ = tile.bounds_m
    return east - west


def _place(tile: Tile, size_px: int) -> Affine:
    """Where a tile's pixels lie, EPSG:3857."""
    west, _, _, north = tile.bounds_m
    pixel = _width_m(tile) / size_px
    return Affine(pixel, 0, west, 0, -pixel, north)


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
