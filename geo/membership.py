"""Which outline a point belongs to, when outlines lie inside one another, overlap and leave gaps."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

NONE = -1
"""The row of no outline."""


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
