"""Lines and outlines in metres from shapes in degrees."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from data.osm.raw import Shapes
from data.repair import repaired
from geo.crs import WGS84, reproject

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]
AT_A_TIME = 100_000
"""Polygons made at once: more would need much more memory and save no time."""


def project(shapes: Shapes, *, crs: str) -> Shapes:
    """Shapes in degrees (WGS 84) in a metric CRS; None for what cannot be projected."""

    def metres(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(reproject(xy[:, 0], xy[:, 1], source=WGS84, target=crs))

    projected = np.array(shapely.transform(shapes, metres), dtype=object)
    xmin, ymin, xmax, ymax = shapely.bounds(projected).T
    projected[~np.isfinite(xmin + ymin + xmax + ymax)] = None
    return projected


def rings(x: Floats, y: Floats, start: Ints, size: Ints) -> Shapes:
    """The polygon of each closed line of four or more points: line ``i`` is ``size[i]`` of x and y from ``start[i]``.

    Some at a time, since every polygon is made of a ring that is then let go.
    """
    parts = [
        _rings(x, y, start[at : at + AT_A_TIME], size[at : at + AT_A_TIME]) for at in range(0, len(start), AT_A_TIME)
    ]
    return np.concatenate([np.zeros(0, dtype=object), *parts])


def _rings(x: Floats, y: Floats, start: Ints, size: Ints) -> Shapes:
    indices = np.repeat(np.arange(len(start)), size)
    points = np.arange(int(size.sum())) + (start - np.r_[0, np.cumsum(size)[:-1]])[indices]
    return np.asarray(shapely.polygons(shapely.linearrings(x[points], y[points], indices=indices)), dtype=object)


def sound(areas: Shapes) -> tuple[Shapes, int]:
    """The areas without those that enclose nothing (None), and how many had to be repaired.

    Outlines that cross themselves are repaired to the area they enclose.
    """
    areas = areas.copy()
    crossed = ~shapely.is_valid(areas) & ~shapely.is_missing(areas)
    areas[crossed] = [repaired(area) for area in areas[crossed]]
    areas[~(shapely.area(areas) > 0)] = None
    return areas, int(crossed.sum())
