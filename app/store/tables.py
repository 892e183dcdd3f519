"""Result tables as GeoParquet whose bytes depend on nothing but the table."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, reproject

Shapes = NDArray[np.object_]
DECIMALS = 7
"""Coordinates are kept to 1e-7 degrees, about a centimetre."""


def laid_down(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table as it is kept: longitude and latitude (EPSG:4326) to 1e-7 degrees, rows in the order of their id."""
    kept = laid_out(frame)
    name = id_column(kept)
    return (kept.sort_values(name, kind="stable") if name else kept).reset_index(drop=True)


def laid_out(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table in longitude and latitude to 1e-7 degrees, its rows in their order."""
    moved = in_degrees(frame.geometry.to_numpy(), source=frame.crs.to_string())
    return frame.set_geometry(gpd.GeoSeries(moved, index=frame.index, crs=WGS84))


def in_degrees(shapes: Shapes, *, source: str) -> Shapes:
    """Shapes (n,) of the CRS ``source`` in longitude and latitude (EPSG:4326), to 1e-7 degrees."""

    def degrees(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        x, y = reproject(xy[:, 0], xy[:, 1], source=source, target=WGS84)
        return np.asarray(np.column_stack((x, y)).round(DECIMALS))

    return np.asarray(shapely.transform(shapes, degrees), dtype=object)


def id_column(frame: gpd.GeoDataFrame) -> str | None:
    """The column that names a row: the first whose name ends in ``_id``; None when there is none."""
    return next((str(c) for c in frame.columns if str(c).endswith("_id")), None)


def write_table(frame: gpd.GeoDataFrame, path: Path) -> None:
    """Write a table as GeoParquet in EPSG:4326."""
    frame.to_parquet(path, index=False, compression="zstd")


def read_table(path: Path) -> gpd.GeoDataFrame:
    """Read what ``write_table`` wrote; text that is missing comes back as None."""
    frame = gpd.read_parquet(path)
    for name in frame.columns[frame.dtypes == "str"]:
        frame[name] = frame[name].astype("object").where(frame[name].notna(), None)
    return frame
