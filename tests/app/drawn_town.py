"""A town small enough to solve by eye, as files a person would give: an extract, a flood, tables.

::

    y 200  ─────┬───────────────┬──── 学院路     school at the east end
                │               │
    y   0  ─────┴───────────────┴──── Main Street
          x 0   100             500   600
          │ water 1 m │ dry
          x -50       x 250
"""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import rasterio
import shapely
from rasterio.transform import Affine

from tests.data.osm.drawn import CRS, EAST, NORTH, Town


def town() -> Town:
    """Two streets, two lanes between them, houses along both, one school."""
    drawn = Town()
    for i, (x, y) in enumerate([(0, 0), (100, 0), (500, 0), (600, 0), (0, 200), (100, 200), (500, 200), (600, 200)]):
        drawn.node(i + 1, x, y)
    drawn.way(1, [1, 2, 3, 4], highway="residential", name="Main Street")
    drawn.way(2, [5, 6, 7, 8], highway="residential", name="学院路", name__en="Academy Road")
    drawn.way(3, [2, 6], highway="residential").way(4, [3, 7], highway="residential")
    for i in range(12):
        drawn.box(10 + i, 20 + 45 * i, 12, 12, 10, building="house", building__levels="2")
        drawn.box(30 + i, 20 + 45 * i, 212, 12, 10, building="house", building__levels="2")
    drawn.box(60, 560, 150, 60, 40, amenity="school", name="实验小学", name__en="Experimental School")
    drawn.box(61, 565, 155, 50, 30, building="school", building__levels="3")
    return drawn


def extract(folder: Path) -> Path:
    """The town as OSM XML."""
    return town().write(folder / "town.osm")


def raster(path: Path, values: np.ndarray, *, west: float = EAST - 50, crs: str | None = CRS) -> Path:
    """A raster of 50 m cells whose upper left corner is ``west`` and 300 m above the town's zero."""
    rows, columns = values.shape
    with rasterio.open(
        path, "w", driver="GTiff", height=rows, width=columns, count=1, dtype="float32", nodata=-9.0, crs=crs,
        transform=Affine(50, 0, west, 0, -50, NORTH + 300),
    ) as target:  # fmt: skip
        target.write(values.astype(np.float32), 1)
    return path


def flood(folder: Path) -> Path:
    """One metre of water over the western 300 m, dry elsewhere."""
    values = np.zeros((8, 16))
    values[:, :6] = 1.0
    return raster(folder / "flood 1in100.tif", values)


def shelters(folder: Path, **columns: object) -> Path:
    """An official list of one shelter, at the east end of Main Street."""
    hall = shapely.box(EAST + 560, NORTH - 60, EAST + 600, NORTH - 20)
    frame = gpd.GeoDataFrame({"name": ["Hall"], "capacity": [500]} | columns, geometry=[hall], crs=CRS)
    path = folder / "shelters.geojson"
    frame.to_crs("EPSG:4326").to_file(path)
    return path
