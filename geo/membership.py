"""Which outline a point belongs to, when outlines lie inside one another, overlap and leave gaps."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

NONE = -1
"""The row of no outline."""
SLIVER_M2 = 1.0
"""Overlaps and gaps up to this area, square metres, are drawing accuracy."""


def smallest_holding(points: Shapes, outlines: Shapes) -> Ints:
    """The row of the smallest outline that holds each point, (points,); ``NONE`` where none does.

    A point on a border is held by both sides. Of outlines of equal area the earlier row wins. Nested outlines thus give
    the innermost, and every point belongs to exactly one.
    """
    area = shapely.area(outlines)
    rank = np.empty(len(outlines), dtype=np.int64)
    rank[np.argsort(area, kind="stable")] = np.arange(len(outlines))
    outline, point = shapely.STRtree(points).query(outlines, predicate="intersects")
    best = np.full(len(points), len(outlines), dtype=np.int64)
    np.minimum.at(best, point, rank[outline])
    by_rank = np.append(np.argsort(rank), NONE)
    return np.asarray(by_rank[best], dtype=np.int64)


def overlaps(outlines: Shapes) -> tuple[int, float]:
    """Pairs of outlines that overlap, and by how much, square metres."""
    one, other = shapely.STRtree(outlines).query(outlines, predicate="intersects")
    once = one < other
    area = shapely.area(shapely.intersection(outlines[one[once]], outlines[other[once]]))
    return int((area > SLIVER_M2).sum()), float(area[area > SLIVER_M2].sum())


def gaps(outlines: Shapes) -> Floats:
    """Areas of the holes that outlines enclose between them and that are none of their own, square metres."""
    parts = shapely.get_parts(shapely.union_all(outlines))
    holes = [shapely.polygons(shapely.get_interior_ring(part, i))
             for part in parts for i in range(shapely.get_num_interior_rings(part))]  # fmt: skip
    area = shapely.area(np.array(holes, dtype=object)) if holes else np.zeros(0)
    return np.asarray(area[area > SLIVER_M2])
