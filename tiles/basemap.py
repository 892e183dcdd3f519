"""The base map, drawn from the study's own OpenStreetMap extract: which things are shown from which zoom on.

Layers and properties (schema of the tiles): ``areas`` kind · ``lines`` kind, name · ``buildings`` · ``streets`` kind,
name, bridge, tunnel · ``places`` kind, name. Names come with ``name_zh`` and ``name_en`` where they differ. Zooms are
those of the tiles; a tile is shown 512 px wide, so a screen's zoom is one more.
"""

from __future__ import annotations

import functools
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from tiles.grid import MAX_LAT, Tile
from tiles.mvt import DEFAULT, Encoded, TileParams, encode
from tiles.source import Geometries, Source, prepare, zoom_for

Ints = NDArray[np.int64]
MAX_TILE_ZOOM = 15
"""Deepest tile that is made; closer views enlarge it (its grid is finer than 0.3 m)."""
NAMES = ("name", "name_zh", "name_en")
AREA_PX2 = 12.0
"""An area is shown from the zoom on at which it covers this much, square pixels."""
BUILDING_PX2 = 3.0
BUILDINGS_FROM = 13
STREETS: dict[str, tuple[int, tuple[str, ...]]] = {
    "motorway": (4, ("motorway", "trunk")),
    "ramp": (10, ("motorway_link", "trunk_link")),
    "primary": (7, ("primary",)),
    "secondary": (9, ("secondary", "primary_link")),
    "tertiary": (10, ("tertiary", "secondary_link")),
    "minor": (12, ("residential", "unclassified", "living_street", "tertiary_link", "road", "pedestrian")),
    "service": (13, ("service", "track", "busway")),
    "path": (14, ("footway", "path", "cycleway", "steps", "bridleway", "corridor", "platform")),
}
"""Kind of street on the map: first zoom, and the OSM values it stands for."""
LINES = {"river": 7, "canal": 9, "railway": 8, "subway": 13, "tram": 13, "stream": 12, "dyke": 13, "power_line": 13,
         "ditch": 14, "drain": 14, "pipeline": 14, "wall": 15, "dam": 13, "coastline": 4}  # fmt: skip
PLACES = {"city": 3, "town": 6, "city_district": 9, "district": 9, "subdistrict": 10, "borough": 10, "suburb": 10,
          "village": 10, "island": 10, "quarter": 12, "neighbourhood": 13, "hamlet": 12, "locality": 13,
          "isolated_dwelling": 14, "square": 14}  # fmt: skip
PLACE_WEIGHT = {kind: len(PLACES) - i for i, kind in enumerate(PLACES)}


@dataclass(frozen=True, eq=False)
class BaseMap:
    """A study's base map, ready to be cut into tiles."""

    sources: tuple[Source, ...]

    def __repr__(self) -> str:
        return f"BaseMap({', '.join(f'{len(s)} {s.name}' for s in self.sources)})"

    @property
    def bounds(self) -> tuple[float, float, float, float]:
        """West, south, east, north in degrees; the whole web map where nothing is."""
        boxes = np.array([source.bounds for source in self.sources if len(source)]).reshape(-1, 4)
        if not len(boxes):
            return -180.0, -MAX_LAT, 180.0, MAX_LAT
        (west, south), (east, north) = boxes[:, :2].min(axis=0), boxes[:, 2:].max(axis=0)
        return float(west), float(south), float(east), float(north)

    @property
    def nbytes(self) -> int:
        """Memory of the layers, bytes."""
        return sum(source.nbytes for source in self.sources)

    def tile(self, tile: Tile, *, params: TileParams = DEFAULT) -> Encoded:
        """One tile; without bytes where nothing is."""
        return encode(tile, self.sources, params=params)


def build(
    *, streets: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, areas: gpd.GeoDataFrame, lines: gpd.GeoDataFrame,
    places: gpd.GeoDataFrame,
) -> BaseMap:  # fmt: skip
    """The base map of tables in any CRS.

    ``streets`` need ``highway``, the others ``kind`` (buildings: nothing); names, ``bridge`` and ``tunnel`` (OSM
    values or flags) are used where they are there. Empty tables give empty layers.
    """
    sources = (_areas(areas), _lines(lines), _buildings(buildings), _streets(streets), _places(places))
    return BaseMap(sources)


def _areas(table: gpd.GeoDataFrame) -> Source:
    frame = _named(table, kind=table["kind"])
    # Large areas are drawn first, so that the park in the residential area is seen.
    return prepare(
        "areas", _large_first(frame), columns=("kind", *NAMES), min_zoom=functools.partial(_seen, px2=AREA_PX2)
    )


def _large_first(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return frame.iloc[np.argsort(-shapely.area(frame.geometry.to_numpy()), kind="stable")]


def _buildings(table: gpd.GeoDataFrame) -> Source:
    return prepare("buildings", table, min_zoom=functools.partial(_seen, px2=BUILDING_PX2, at_first=BUILDINGS_FROM))


def _seen(shapes: Geometries, *, px2: float, at_first: int = 0) -> Ints:
    """From which zoom on shapes in world units cover ``px2``; nothing waits longer than the deepest tile."""
    return np.clip(zoom_for(shapely.area(shapes), at_least=px2, dimension=2), at_first, MAX_TILE_ZOOM)


def _streets(table: gpd.GeoDataFrame) -> Source:
    kind_of = {value: kind for kind, (_, values) in STREETS.items() for value in values}
    kind = table["highway"].map(kind_of).fillna("path").astype("object")
    rank = {name: i for i, name in enumerate(STREETS)}
    order = np.argsort([-rank[k] for k in kind], kind="stable")
    frame = _named(table, kind=kind, bridge=_flag(table, "bridge"), tunnel=_flag(table, "tunnel")).iloc[order]
    zooms = frame["kind"].map({name: zoom for name, (zoom, _) in STREETS.items()}).to_numpy(dtype=np.int64)
    weight = -frame["kind"].map(rank).to_numpy(dtype=np.float64)
    return prepare("streets", frame, columns=("kind", "bridge", "tunnel", *NAMES), min_zoom=zooms, weight=weight)


def _flag(table: gpd.GeoDataFrame, name: str) -> pd.Series:
    """True where tagged with anything but no; None elsewhere, so that it takes no room in a tile."""
    if name not in table.columns:
        return pd.Series(None, index=table.index, dtype="object")
    yes = table[name].notna() & ~table[name].isin(["no", False])
    flags: pd.Series = yes.astype("object").where(yes, None)
    return flags


def _lines(table: gpd.GeoDataFrame) -> Source:
    frame = _named(table, kind=table["kind"])
    zooms = frame["kind"].map(LINES).fillna(MAX_TILE_ZOOM).to_numpy(dtype=np.int64)
    return prepare("lines", frame, columns=("kind", *NAMES), min_zoom=zooms)


def _places(table: gpd.GeoDataFrame) -> Source:
    frame = _named(table, kind=table["kind"])
    frame = frame.set_geometry(frame.geometry.representative_point())
    zooms = frame["kind"].map(PLACES).fillna(MAX_TILE_ZOOM).to_numpy(dtype=np.int64)
    weight = frame["kind"].map(PLACE_WEIGHT).fillna(0).to_numpy(dtype=np.float64)
    return prepare("places", frame, columns=("kind", *NAMES), min_zoom=zooms, weight=weight)


def _named(table: gpd.GeoDataFrame, **more: pd.Series) -> gpd.GeoDataFrame:
    """Geometry, the given columns, and names: the local one, and others only where they differ from it."""
    local = table["name"] if "name" in table.columns else pd.Series(None, index=table.index, dtype="object")
    names = {"name": local}
    for column in NAMES[1:]:
        if column in table.columns:
            names[column] = table[column].where(table[column] != local, None)
    return gpd.GeoDataFrame({**names, **more}, geometry=table.geometry, crs=table.crs)
