"""Vector tiles: the fullest one of a made city's buildings, and all of them in one archive.

The tile is at zoom 14; it may hold 10 000 features and 500 kB. The cities have a thousand buildings to each square
kilometre, 25 000 and 400 000 in all.
"""

from __future__ import annotations

import io
import tempfile
from functools import cache
from pathlib import Path

import geopandas as gpd
import mapbox_vector_tile
import numpy as np
import pandas as pd
import pyogrio
import shapely

from tests.benchmarks import made_city
from tests.benchmarks.bench import Prepared, case
from tiles import archive
from tiles.archive import ArchiveParams
from tiles.grid import Tile, containing
from tiles.mvt import DEFAULT, encode, widened
from tiles.source import Source, prepare

ZOOM, DEEPEST = 14, 14


@cache
def buildings(side: int) -> gpd.GeoDataFrame:
    """The buildings of a made city, in degrees."""
    none = np.array([], dtype=object)
    found = made_city.buildings(side, np.random.default_rng(side), none, none)
    return found.to_crs("EPSG:4326")


def columns(frame: gpd.GeoDataFrame) -> list[str]:
    return [name for name in frame.columns if name != "geometry" and frame[name].notna().any()]


@cache
def ready(side: int) -> Source:
    frame = buildings(side)
    return prepare("buildings", frame, columns=columns(frame))


def middle(side: int, zoom: int) -> Tile:
    west, south, east, north = buildings(side).total_bounds
    return containing((west + east) / 2, (south + north) / 2, zoom)


@case("draw a full vector tile", unit="buildings in the city", sizes=(5, 20))
def draw(side: int | str) -> Prepared:
    source, tile = ready(int(side)), middle(int(side), ZOOM)
    return len(source), lambda: encode(tile, [source])


@draw.rival("mapbox-vector-tile")
def draw_mapbox(side: int | str) -> Prepared:
    """The same shapes on the same grid, written by the library; the properties as dictionaries made before."""
    frame, source, tile = buildings(int(side)), ready(int(side)), middle(int(side), ZOOM)
    told = [
        {key: value for key, value in row.items() if not pd.isna(value)}
        for row in frame[columns(frame)].to_dict("records")
    ]

    def work() -> bytes:
        rows = source.heaviest(source.within(widened(tile, DEFAULT), tile.z), DEFAULT.max_features)
        inside = shapely.clip_by_rect(source.opened(rows), *widened(tile, DEFAULT))
        placed = shapely.transform(inside, lambda xy: (xy - tile.world[:2]) / tile.size * DEFAULT.extent)
        coarse = shapely.simplify(placed, DEFAULT.simplify, preserve_topology=False)
        shapes = shapely.orient_polygons(shapely.transform(coarse, np.rint), exterior_cw=False)
        features = [
            {"geometry": shape, "properties": told[row]}
            for row, shape in zip(rows, shapes, strict=True)
            if not shape.is_empty
        ]
        options = {"y_coord_down": True, "check_winding_order": False}
        return bytes(mapbox_vector_tile.encode([{"name": "buildings", "features": features}], default_options=options))

    return len(frame), work


@draw.rival("GDAL's MVT driver")
def draw_gdal(side: int | str) -> Prepared:
    """The tile and its neighbours' edges, as GDAL writes a folder of one zoom from the buildings that lie in it."""
    frame, tile = buildings(int(side)), middle(int(side), ZOOM)
    inside = frame[shapely.intersects(frame.geometry.to_numpy(), shapely.box(*tile.bounds))]

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            gdal(inside, Path(folder, "tiles"), driver="MVT", zooms=(ZOOM, ZOOM), FORMAT="DIRECTORY")

    return len(frame), work


@case("make a layer ready for tiles", unit="buildings", sizes=(5, 20))
def make_ready(side: int | str) -> Prepared:
    frame = buildings(int(side))
    return len(frame), lambda: prepare("buildings", frame, columns=columns(frame))


@case("write an archive of tiles", unit="buildings", sizes=(3, 8))
def write(side: int | str) -> Prepared:
    source, params = ready(int(side)), ArchiveParams(max_zoom=DEEPEST)
    return len(source), lambda: archive.write(io.BytesIO(), [source], name="", attribution="", params=params)


@write.rival("GDAL's PMTiles driver")
def write_gdal(side: int | str) -> Prepared:
    frame = buildings(int(side))

    def work() -> None:
        with tempfile.TemporaryDirectory() as folder:
            gdal(frame, Path(folder, "x.pmtiles"), driver="PMTiles", zooms=(0, DEEPEST))

    return len(frame), work


def gdal(frame: gpd.GeoDataFrame, path: Path, *, driver: str, zooms: tuple[int, int], **options: str) -> None:
    low, high = map(str, zooms)
    pyogrio.write_dataframe(frame, path, layer="buildings", driver=driver, MINZOOM=low, MAXZOOM=high, **options)
