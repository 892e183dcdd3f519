"""Coordinate systems that features can be asked for in: each by its URI, coordinates in the order that it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.crs import WGS84, known, reproject
from geo.errors import Fault, QueryError

Points = NDArray[np.float64]
Shapes = NDArray[np.object_]
CRS84_URI = "http://www.opengis.net/def/crs/OGC/1.3/CRS84"
EPSG_URI = "http://www.opengis.net/def/crs/EPSG/0/{}"
WEB = "EPSG:3857"
DEGREE_DECIMALS = 7
METRE_DECIMALS = 3
SEGMENTS = 32
"""Pieces of each edge of a box in another system: its edges are curves in degrees."""


@dataclass(frozen=True)
class Crs:
    """A system by its URI; ``northing_first`` when its own order of axes is not x before y."""

    uri: str
    code: str
    northing_first: bool
    geographic: bool

    def __repr__(self) -> str:
        return f"Crs({self.uri})"

    def from_degrees(self, shapes: Shapes) -> Shapes:
        """Shapes (n,) in longitude and latitude, in this system to 1e-7 degrees or 1 mm; None where that cannot be."""
        if self == CRS84:
            return shapes
        moved = np.asarray(shapely.transform(shapes, self._forward), dtype=object)
        moved[~np.isfinite(shapely.bounds(moved)).all(axis=1)] = None
        return moved

    def to_degrees(self, shape: shapely.Geometry) -> shapely.Geometry:
        """A shape given in this system in longitude and latitude; QueryError where that cannot be."""
        if self == CRS84:
            return shape
        # The box of what cannot be projected is not finite, whichever corner it is.
        moved = shapely.transform(shape, self._backward)
        if not np.isfinite(shapely.get_coordinates(moved)).all():
            raise QueryError(Fault(f"coordinates in {self.uri}", shapely.to_wkt(shape)[:80]))
        return moved

    def box(self, west: float, south: float, east: float, north: float) -> shapely.Geometry:
        """A box given in this system's order of axes as a shape in longitude and latitude.

        In degrees, west beyond east is a box across the antimeridian.
        """
        if self.northing_first:
            west, south, east, north = south, west, north, east
        if south > north or (west > east and not self.geographic):
            raise QueryError(Fault("the lower corner first", f"{west},{south},{east},{north}", "bbox"))
        if self.geographic and west > east:
            return shapely.union_all([shapely.box(west, south, 180, north), shapely.box(-180, south, east, north)])
        plain = shapely.box(west, south, east, north)
        if self.geographic:
            return plain
        bent = shapely.segmentize(plain, max(east - west, north - south, 1e-9) / SEGMENTS)
        return self.to_degrees(shapely.transform(bent, _turned) if self.northing_first else bent)

    def _forward(self, xy: Points) -> Points:
        x, y = reproject(xy[:, 0], xy[:, 1], source=WGS84, target=self.code)
        moved = np.column_stack((x, y)).round(DEGREE_DECIMALS if self.geographic else METRE_DECIMALS)
        return _turned(moved) if self.northing_first else moved

    def _backward(self, xy: Points) -> Points:
        plain = _turned(xy) if self.northing_first else xy
        x, y = reproject(plain[:, 0], plain[:, 1], source=self.code, target=WGS84)
        return np.column_stack((x, y))


CRS84 = Crs(CRS84_URI, WGS84, northing_first=False, geographic=True)
"""Longitude before latitude on WGS 84, in degrees: how layers are kept, and what is given where nothing is asked."""


@lru_cache(maxsize=256)
def of_code(code: str) -> Crs | None:
    """The system of a code such as ``EPSG:32631``; None for one that is not in EPSG's register."""
    found = known(code)
    authority = found.to_authority(min_confidence=100)
    if authority is None or authority[0] != "EPSG":
        return None
    first = found.axis_info[0].direction.lower()
    plain = f"EPSG:{authority[1]}"
    return Crs(EPSG_URI.format(authority[1]), plain, first in ("north", "south"), found.is_geographic)


@lru_cache(maxsize=256)
def offered(metric: str) -> tuple[Crs, ...]:
    """What a study with this metric CRS offers: CRS84, EPSG:4326, EPSG:3857 and its own."""
    found = [CRS84, of_code(WGS84), of_code(WEB), of_code(metric)]
    return tuple(dict.fromkeys(crs for crs in found if crs is not None))


def chosen(uri: str, offers: Sequence[Crs], *, where: str) -> Crs:
    """The system of a URI; QueryError names those there are."""
    plain = uri.removeprefix("[").removesuffix("]")
    for crs in offers:
        if plain == crs.uri:
            return crs
    raise QueryError(Fault(", ".join(crs.uri for crs in offers), repr(uri[:120]), where))


def _turned(xy: Points) -> Points:
    return xy[:, ::-1].copy()
