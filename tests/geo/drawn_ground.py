"""Ground drawn by hand: areas, lines and streets in metres from a corner."""

from __future__ import annotations

from collections.abc import Sequence

import geopandas as gpd
import numpy as np
import shapely

from geo import network
from geo.network import Network
from geo.tables import AREAS, LINES, NAMES, empty
from tests.geo.drawn import CRS, ORIGIN, ways

X, Y = ORIGIN
Corner = tuple[float, float]


def box(west: float, south: float, east: float, north: float) -> shapely.Polygon:
    return shapely.box(X + west, Y + south, X + east, Y + north)


def areas(*rows: tuple[str, str | None, shapely.Geometry]) -> gpd.GeoDataFrame:
    """Kind, name and outline of each."""
    if not rows:
        return empty(AREAS, crs=CRS)
    columns = {
        "area_id": [f"a{n}" for n in range(len(rows))],
        **{name: np.array([said for _, said, _ in rows], dtype=object) for name in NAMES},
        "kind": [kind for kind, *_ in rows],
    }
    return gpd.GeoDataFrame(columns, geometry=[shape for *_, shape in rows], crs=CRS)


def lines(*rows: tuple[str, str | None, Sequence[Corner]]) -> gpd.GeoDataFrame:
    """Kind, name and corners of each."""
    if not rows:
        return empty(LINES, crs=CRS)
    columns = {
        "line_id": [f"l{n}" for n in range(len(rows))],
        **{name: np.array([said for _, said, _ in rows], dtype=object) for name in NAMES},
        "kind": [kind for kind, *_ in rows],
        "voltage_v": np.full(len(rows), np.nan),
    }
    shapes = [shapely.LineString([(X + x, Y + y) for x, y in corners]) for *_, corners in rows]
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=CRS)


def roads(*rows: tuple[str, str, Corner, Corner]) -> Network:
    """Class, name, start and end of each; they do not meet."""
    letters = [chr(0x4E00 + n) for n in range(2 * len(rows))]
    ends = [(X + x, Y + y) for _, _, *corners in rows for x, y in corners]
    chains = {letters[2 * n] + letters[2 * n + 1]: {"highway": kind, "name": name}
              for n, (kind, name, *_) in enumerate(rows)}  # fmt: skip
    return network.build(ways(dict(zip(letters, ends, strict=True)), chains))
