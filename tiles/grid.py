"""Where a tile lies: the web map's square, cut in four at every zoom.

World units: the web Mercator square (EPSG:3857) as 0–1 from west to east and from north to south, so that tile
``z/x/y`` covers ``x / 2**z`` to ``(x + 1) / 2**z``. The square ends at 85.0511° north and south.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Box = tuple[float, float, float, float]

MAX_ZOOM = 22
MAX_LAT = math.degrees(math.atan(math.sinh(math.pi)))
"""Latitude at which the web map ends, degrees: 85.0511…"""
EDGE_M = math.pi * 6378137.0
"""Half the side of the web Mercator square, metres."""


def is_tile(z: int, x: int, y: int) -> bool:
    """Whether there is such a tile: zoom 0–22, and x and y within it."""
    return 0 <= z <= MAX_ZOOM and 0 <= x < 2**z and 0 <= y < 2**z


@dataclass(frozen=True, order=True)
class Tile:
    """One tile; ValueError for one that cannot be."""

    z: int
    x: int
    y: int

    def __post_init__(self) -> None:
        if not is_tile(self.z, self.x, self.y):
            raise ValueError(f"no tile {self.z}/{self.x}/{self.y}: zoom is 0-{MAX_ZOOM}, x and y are below 2**zoom")

    @property
    def size(self) -> float:
        """Side in world units."""
        return 0.5**self.z

    @property
    def world(self) -> Box:
        """Left, top, right, bottom in world units."""
        return self.x * self.size, self.y * self.size, (self.x + 1) * self.size, (self.y + 1) * self.size

    @property
    def bounds_m(self) -> Box:
        """West, south, east, north in EPSG:3857, metres."""
        left, top, right, bottom = self.world
        return tuple(EDGE_M * side for side in (2 * left - 1, 1 - 2 * bottom, 2 * right - 1, 1 - 2 * top))  # type: ignore[return-value]

    @property
    def bounds(self) -> Box:
        """West, south, east, north in degrees (EPSG:4326)."""
        left, top, right, bottom = self.world
        lon, lat = to_degrees(np.array([left, right]), np.array([bottom, top]))
        return float(lon[0]), float(lat[0]), float(lon[1]), float(lat[1])

    @property
    def parent(self) -> Tile:
        """The tile a zoom above that this one is a quarter of; ValueError at zoom 0."""
        return Tile(self.z - 1, self.x // 2, self.y // 2)

    @property
    def children(self) -> tuple[Tile, ...]:
        """The four tiles a zoom below, west before east, north before south; ValueError at the last zoom."""
        return tuple(Tile(self.z + 1, 2 * self.x + i, 2 * self.y + j) for j in (0, 1) for i in (0, 1))


def to_world(lon: Floats, lat: Floats) -> tuple[Floats, Floats]:
    """Degrees (n,) to world units; latitudes beyond the square are put on its edge."""
    inside = np.radians(np.clip(lat, -MAX_LAT, MAX_LAT))
    return lon / 360 + 0.5, 0.5 - np.arcsinh(np.tan(inside)) / (2 * np.pi)


def to_degrees(x: Floats, y: Floats) -> tuple[Floats, Floats]:
    """World units (n,) to longitude and latitude in degrees."""
    return x * 360 - 180, np.degrees(np.arctan(np.sinh((0.5 - y) * 2 * np.pi)))


def containing(lon: float, lat: float, z: int) -> Tile:
    """The tile of zoom ``z`` in which a place lies; places on the square's edge belong to the last tile inside."""
    x, y = to_world(np.array([lon]), np.array([lat]))
    last = 2**z - 1
    return Tile(z, *(min(max(int(side[0] * 2**z), 0), last) for side in (x, y)))


def covering(bounds: Box, z: int) -> Iterator[Tile]:
    """The tiles of zoom ``z`` that touch ``bounds`` (west, south, east, north in degrees), row by row."""
    west, south, east, north = bounds
    first, last = containing(west, north, z), containing(east, south, z)
    for y in range(first.y, last.y + 1):
        for x in range(first.x, last.x + 1):
            yield Tile(z, x, y)
