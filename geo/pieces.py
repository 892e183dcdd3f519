"""Shapes with many corners in pieces with few, so that nearness is soon told; and what stands wall to wall."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

CORNERS = 24
"""Most corners of a piece."""
ROUNDS = 16
"""Most times a polygon is halved."""


def cut(shapes: Shapes) -> tuple[Shapes, Ints]:
    """Shapes (n,) as pieces of at most ``CORNERS`` corners, and the row each is of; together they are the shape."""
    parts, of = shapely.get_parts(shapes, return_index=True)
    many = shapely.get_num_coordinates(parts) > CORNERS
    lines = many & (shapely.get_dimensions(parts) == 1)
    areas = many & (shapely.get_dimensions(parts) == 2)
    stretches, line = _stretches(parts[lines])
    halves, area = _halves(parts[areas])
    found = np.concatenate([parts[~(lines | areas)], stretches, halves])
    row = np.concatenate([of[~(lines | areas)], of[lines][line], of[areas][area]]).astype(np.int64)
    order = np.argsort(row, kind="stable")
    return found[order], row[order]


def _stretches(lines: Shapes) -> tuple[Shapes, Ints]:
    """Lines in stretches that follow each other."""
    found, of = [], []
    for row, line in enumerate(lines):
        xy = shapely.get_coordinates(line)
        starts = range(0, len(xy) - 1, CORNERS - 1)
        found += [shapely.LineString(xy[begin : begin + CORNERS]) for begin in starts]
        of += [row] * len(starts)
    return np.array(found, dtype=object), np.array(of, dtype=np.int64)


def _halves(areas: Shapes) -> tuple[Shapes, Ints]:
    """Polygons halved across their longer side until each has few corners."""
    valid = np.where(shapely.is_valid(areas), areas, shapely.make_valid(areas)) if len(areas) else areas
    parts, of = shapely.get_parts(valid, return_index=True)
    for _ in range(ROUNDS):
        many = shapely.get_num_coordinates(parts) > CORNERS
        if not many.any():
            break
        both = shapely.intersection(parts[many][:, None], _boxes(parts[many]))
        pieces, row = shapely.get_parts(both.ravel(), return_index=True)
        areal = shapely.get_dimensions(pieces) == 2
        of = np.concatenate([of[~many], of[many][row[areal] // 2]])
        parts = np.concatenate([parts[~many], pieces[areal]])
    return parts, of.astype(np.int64)


def _boxes(shapes: Shapes) -> Shapes:
    """The two halves of the box of each shape, (n, 2)."""
    low_x, low_y, high_x, high_y = shapely.bounds(shapes).T
    wide = high_x - low_x >= high_y - low_y
    x, y = np.where(wide, (low_x + high_x) / 2, high_x), np.where(wide, high_y, (low_y + high_y) / 2)
    rest = shapely.box(np.where(wide, x, low_x), np.where(wide, low_y, y), high_x, high_y)
    return np.column_stack([shapely.box(low_x, low_y, x, y), rest])


def blocks(shapes: Shapes, *, gap_m: float) -> Ints:
    """Buildings (n,) that stand wall to wall, directly or by others between them, share a number."""
    if not len(shapes):
        return np.zeros(0, dtype=np.int64)
    one, other = shapely.STRtree(shapes).query(shapes, predicate="dwithin", distance=gap_m)
    joined = coo_array((np.ones(len(one), dtype=np.int8), (one, other)), shape=(len(shapes), len(shapes)))
    return np.asarray(connected_components(joined, directed=False)[1], dtype=np.int64)
