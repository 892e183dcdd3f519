"""Where people can be: not in the water, nor on tracks and works; who was put there is moved to the nearest ground.

The nearest ground lies just outside the outlines of all closed land that hangs together.
"""

from __future__ import annotations

from collections.abc import Collection

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.membership import smallest_holding

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

STEP_M = 1.0
"""Who is moved ends this far from the edge of closed land, metres."""


def closed(points: Shapes, areas: gpd.GeoDataFrame, *, kinds: Collection[str]) -> Mask:
    """Whether each point (points,) lies on land of one of the ``kinds``; of several areas there the smallest counts."""
    is_closed = areas["kind"].isin(kinds).to_numpy(dtype=bool)
    if not is_closed.any() or not len(points):
        return np.zeros(len(points), dtype=bool)
    found = smallest_holding(points, _shapes(areas))
    return np.asarray(np.append(is_closed, False)[found])


def nearest_open(points: Shapes, areas: gpd.GeoDataFrame, *, kinds: Collection[str]) -> Shapes:
    """The nearest ground outside all land of the ``kinds``, (points,), for points on such land.

    A point that already is outside stays where it is. All in one metric CRS.
    """
    if not len(points):
        return points
    land = _round(points, _shapes(areas[areas["kind"].isin(kinds).to_numpy(dtype=bool)]))
    if shapely.is_empty(land):
        return points
    shapely.prepare(land)
    stuck = shapely.intersects(land, points)
    result = points.copy()
    result[stuck] = _on_edge(points[stuck], shapely.boundary(land))
    return result


def _round(points: Shapes, land: Shapes) -> shapely.Geometry:
    """All land that hangs together with land under one of the points, one step wider."""
    one, other = shapely.STRtree(land).query(land, predicate="dwithin", distance=2 * STEP_M)
    joined = coo_array((np.ones(len(one), dtype=bool), (one, other)), shape=(len(land), len(land)))
    group = connected_components(joined, directed=False)[1]
    under = np.unique(shapely.STRtree(land).query(points, predicate="intersects")[1])
    return shapely.union_all(shapely.buffer(land[np.isin(group, group[under])], STEP_M))


def _on_edge(points: Shapes, edge: shapely.Geometry) -> Shapes:
    """The nearest place on an edge of each point; of several as near the one furthest west, then south."""
    pieces = _pieces(edge)
    point, piece = shapely.STRtree(pieces).query_nearest(points)
    xy = shapely.get_coordinates(shapely.get_point(shapely.shortest_line(pieces[piece], points[point]), 0))
    order = np.lexsort((xy[:, 1], xy[:, 0], point))
    return np.asarray(shapely.points(xy[order][np.unique(point[order], return_index=True)[1]]), dtype=object)


def _pieces(edge: shapely.Geometry) -> Shapes:
    """An edge as lines between two corners: a tree finds the nearest of many short lines, not of one long one."""
    xy, line = shapely.get_coordinates(shapely.get_parts(edge), return_index=True)
    same = line[1:] == line[:-1]
    return np.asarray(shapely.linestrings(np.stack([xy[:-1][same], xy[1:][same]], axis=1)), dtype=object)


def _shapes(table: gpd.GeoDataFrame) -> Shapes:
    return np.asarray(table.geometry.to_numpy(), dtype=object)
