"""Rasters of a run as GeoTIFF whose bytes depend on nothing but the grid."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import rasterio
from rasterio.transform import Affine

from geo.hazards import Grid

TILE = 256


def write_grid(grid: Grid, path: Path) -> None:
    """Write a grid as tiled, deflated GeoTIFF in its own CRS; NaN is nodata. OSError where there is no room."""
    rows, columns = grid.values.shape
    # GDAL writes to memory and Python to the disk: GDAL does not tell what it could not write as a file is closed.
    with (
        path.open("wb") as file,
        rasterio.open(
            file,
            "w",
            driver="GTiff",
            height=rows,
            width=columns,
            count=1,
            dtype="float32",
            nodata=float("nan"),
            crs=grid.crs,
            transform=Affine(*grid.transform),
            compress="deflate",
            predictor=3,
            tiled=True,
            blockxsize=TILE,
            blockysize=TILE,
        ) as target,
    ):
        target.write(grid.values.astype(np.float32, copy=False), 1)


def read_grid(path: Path) -> Grid:
    """Read what ``write_grid`` wrote."""
    with rasterio.open(path) as source:
        transform = tuple(source.transform)[:6]
        return Grid(values=source.read(1), transform=transform, crs=source.crs.to_string())
