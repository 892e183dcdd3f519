"""A raster of 5 000 × 5 000 cells under streets and under buildings, exactly."""

from __future__ import annotations

from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely

from geo import hazards
from geo.hazards import Grid, Hazard
from tests.benchmarks.bench import NotHere, Prepared, case, folder

CELLS, CELL_M, STREET_M = 5000, 5.0, 25.0
CRS = "EPSG:32631"
WEST, NORTH = 600_000.0, 5_825_000.0
ROOM_M = CELLS * CELL_M - 200
"""Shapes lie this far into the raster, so that none of them leaves it."""
PATIENT_WITH = 100_000
"""Shapes beyond which the rivals take minutes."""


def depths() -> np.ndarray:
    """Smooth water: two thirds dry, the rest up to some metres, as a flood map has it."""
    x, y = np.meshgrid(np.linspace(0, 60, CELLS), np.linspace(0, 60, CELLS))
    return np.maximum(3 * np.sin(x) * np.cos(y / 1.7) - 0.7, 0).astype(np.float32)


def flood() -> Hazard:
    grid = Grid(depths(), (CELL_M, 0, WEST, 0, -CELL_M, NORTH), CRS)
    return Hazard("bench", "flood", "m", grid)


def raster() -> Path:
    """The same raster as a file, which the rivals read; written once."""
    import rasterio

    path = folder() / "depths.tif"
    if not path.exists():
        with rasterio.open(
            path, "w", driver="GTiff", height=CELLS, width=CELLS, count=1, dtype="float32", crs=CRS, nodata=-1,
            transform=rasterio.Affine(CELL_M, 0, WEST, 0, -CELL_M, NORTH), tiled=True,
        ) as target:  # fmt: skip
            target.write(depths(), 1)
    return path


def corners(n: int) -> np.ndarray:
    """Places all over the raster, near ones near each other as in any city's table."""
    xy = np.random.default_rng(1).random((n, 2)) * ROOM_M + [WEST + 100, NORTH - ROOM_M - 100]
    return xy[np.lexsort((xy[:, 0] // 300, xy[:, 1] // 300))]


def streets(n: int) -> tuple[np.ndarray, np.ndarray]:
    """Start and end of straight segments, (n, 2) each."""
    angle = np.random.default_rng(2).random(n) * 2 * np.pi
    start = corners(n)
    return start, start + STREET_M * np.column_stack([np.cos(angle), np.sin(angle)])


def houses(n: int) -> np.ndarray:
    low = corners(n)
    return np.asarray(shapely.box(*low.T, *(low + np.random.default_rng(3).uniform(6, 25, (n, 2))).T), dtype=object)


def few(size: int | str) -> int:
    if int(size) > PATIENT_WITH:
        raise NotHere(f"more than {PATIENT_WITH:,} take minutes")
    return int(size)


@case("expose streets, 5 000² cells", unit="segments", sizes=(10_000, 100_000, 1_000_000))
def lines(size: int | str) -> Prepared:
    n, hazard = int(size), flood()
    xy = np.stack(streets(n), axis=1).reshape(-1, 2)
    x, y, start = xy[:, 0].copy(), xy[:, 1].copy(), np.arange(0, 2 * n + 1, 2)
    return n, lambda: hazards.expose_lines(x, y, start, crs=CRS, hazard=hazard)


@lines.rival("exactextract")
def lines_exactextract(size: int | str) -> Prepared:
    from exactextract import exact_extract

    n, path = few(size), str(raster())
    table = gpd.GeoDataFrame(geometry=shapely.linestrings(np.stack(streets(n), axis=1)), crs=CRS)
    return n, lambda: exact_extract(path, table, ["max", "mean"], output="pandas")


@lines.rival("rasterio, a sample each cell's width")
def lines_sampled(size: int | str) -> Prepared:
    """Not exact: a corner of a cell between two samples is missed."""
    import rasterio

    n, path = few(size), raster()
    start, end = streets(n)
    steps = int(STREET_M / CELL_M) + 1
    share = np.linspace(0, 1, steps)[:, None, None]
    points = (start + share * (end - start)).transpose(1, 0, 2).reshape(-1, 2)

    def work() -> np.ndarray:
        with rasterio.open(path) as source:
            values = np.fromiter((value[0] for value in source.sample(points)), dtype=np.float32, count=len(points))
        return values.reshape(n, steps).max(axis=1)

    return n, work


@case("expose buildings, 5 000² cells", unit="polygons", sizes=(10_000, 100_000))
def areas(size: int | str) -> Prepared:
    n, hazard = int(size), flood()
    shapes = houses(n)
    return n, lambda: hazards.expose_areas(shapes, crs=CRS, hazard=hazard)


@areas.rival("exactextract")
def areas_exactextract(size: int | str) -> Prepared:
    from exactextract import exact_extract

    n, path = few(size), str(raster())
    table = gpd.GeoDataFrame(geometry=houses(n), crs=CRS)
    return n, lambda: exact_extract(path, table, ["max", "mean"], output="pandas")


@case("expose communities, 5 000² cells", unit="polygons", sizes=(1_000,))
def grounds(size: int | str) -> Prepared:
    """Discs of some hundred metres: thousands of cells each."""
    n, hazard = int(size), flood()
    shapes = discs(n)
    return n, lambda: hazards.expose_areas(shapes, crs=CRS, hazard=hazard)


@grounds.rival("exactextract")
def grounds_exactextract(size: int | str) -> Prepared:
    from exactextract import exact_extract

    n, path = int(size), str(raster())
    table = gpd.GeoDataFrame(geometry=discs(n), crs=CRS)
    return n, lambda: exact_extract(path, table, ["max", "mean"], output="pandas")


def discs(n: int) -> np.ndarray:
    radius = np.random.default_rng(4).uniform(20, 420, n)
    middle = np.clip(corners(n), [WEST + 500, NORTH - CELLS * CELL_M + 500], [WEST + CELLS * CELL_M - 500, NORTH - 500])
    return np.asarray(shapely.buffer(shapely.points(middle), radius), dtype=object)
