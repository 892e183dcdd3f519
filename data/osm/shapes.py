"""Lines and outlines in metres from shapes in degrees."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from data.osm.raw import Shapes
from data.repair import repaired
from geo.crs import WGS84, reproject

LINE, RING_MIN = 1, 4


def project(shapes: Shapes, *, crs: str) -> Shapes:
    """Shapes in degrees (WGS 84) in a metric CRS; None for what cannot be projected."""

    def metres(xy: NDArray[np.float64]) -> NDArray[np.float64]:
        return np.column_stack(reproject(xy[:, 0], xy[:, 1], source=WGS84, target=crs))

    projected = np.array(shapely.transform(shapes, metres), dtype=object)
    xmin, ymin, xmax, ymax = shapely.bounds(projected).T
    projected[~np.isfinite(xmin + ymin + xmax + ymax)] = None
    return projected


def outlines(shapes: Shapes, closed: NDArray[np.bool_]) -> tuple[Shapes, int]:
    """What the shapes enclose, (n,), and how many had to be repaired.

    A closed line becomes a polygon, a polygon stays one, anything else is None. Lines that cross themselves are
    repaired to the area they enclose; what encloses nothing is None.
    """
    areas = np.full(len(shapes), None, dtype=object)
    areal = shapely.get_dimensions(shapes) == 2
    areas[areal] = shapes[areal]
    rings = closed & (shapely.get_dimensions(shapes) == LINE) & (shapely.get_num_coordinates(shapes) >= RING_MIN)
    coordinates, which = shapely.get_coordinates(shapes[rings], return_index=True)
    areas[rings] = shapely.polygons(shapely.linearrings(coordinates, indices=which))
    crossed = ~shapely.is_valid(areas) & ~shapely.is_missing(areas)
    areas[crossed] = [repaired(area) for area in areas[crossed]]
    areas[~(shapely.area(areas) > 0)] = None
    return areas, int(crossed.sum())
