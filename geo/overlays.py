"""Shapes laid over one another, row by row: sound outlines, unions by row, and what each layer adds or takes away."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import shapely
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

NONE = shapely.Polygon()
"""No ground."""
COLLECTION = 7
"""What shapely calls a collection of shapes of several dimensions."""


def as_shapes(found: Sequence[shapely.Geometry]) -> Shapes:
    """Geometries as an array of objects, also where there is none."""
    return np.array([*found, None], dtype=object)[:-1]


def sound(shapes: Shapes) -> Shapes:
    """Outlines without self-crossings, which nothing can be cut with."""
    crossed = np.flatnonzero(~shapely.is_valid(shapes) & ~shapely.is_missing(shapes))
    mended = shapes.copy()
    mended[crossed] = polygonal(np.asarray(shapely.make_valid(shapes[crossed]), dtype=object))
    return mended


def polygonal(shapes: Shapes) -> Shapes:
    """The shapes; of collections, which nothing can be cut with, only what has area."""
    mixed = np.flatnonzero(shapely.get_type_id(shapes) == COLLECTION)
    pure = shapes.copy()
    for row in mixed:
        parts = shapely.get_parts(shapes[row])
        pure[row] = shapely.union_all(parts[shapely.area(parts) > 0])
    return pure


def united(row: Ints, parts: Shapes) -> Shapes:
    """The union of the parts of each row, in the order of the rows."""
    order = np.argsort(row, kind="stable")
    bounds = np.flatnonzero(np.diff(row[order])) + 1
    groups = np.split(parts[order], bounds) if len(row) else []
    return np.fromiter((shapely.union_all(group) for group in groups), dtype=object, count=len(groups))


def areas_of_growing(n: int, layers: Sequence[tuple[Ints, Shapes]]) -> Floats:
    """What each layer of parts adds to the area covered in each row, (n, layers), square metres.

    A layer is the row of each part, and the parts.
    """
    covered = np.full(n, NONE, dtype=object)
    added = []
    for row, parts in layers:
        touched = np.unique(row)
        before = shapely.area(covered[touched])
        covered[touched] = united(np.r_[row, touched], np.r_[parts, covered[touched]])
        gain = np.zeros(n)
        gain[touched] = np.maximum(shapely.area(covered[touched]) - before, 0)
        added.append(gain)
    return np.column_stack(added) if added else np.zeros((n, 0))


def meeting(shapes: Shapes, others: Shapes) -> tuple[Ints, Ints]:
    """The row of each shape and of each other that share a point, by shape and then by other."""
    row, other = shapely.STRtree(others).query(shapes, predicate="intersects")
    order = np.lexsort((other, row))
    return row[order].astype(np.int64), other[order].astype(np.int64)


def without(shapes: Shapes, others: Shapes) -> Shapes:
    """The shapes (n,), less what others cover."""
    row, other = meeting(shapes, others)
    left = np.asarray(shapes, dtype=object).copy()
    touched = np.unique(row)
    left[touched] = shapely.difference(shapes[touched], united(row, others[other]))
    return left


def in_one_order(shapes: Shapes) -> Ints:
    """The rows in an order that hangs on the shapes alone: of two that meet, the last digit must not tell who came."""
    return np.argsort(shapely.to_wkb(shapely.normalize(shapes)), kind="stable")


def cut(shapes: Shapes, others: Shapes) -> tuple[Ints, Ints, Shapes]:
    """The parts of others in shapes: the row of each shape, of each other, and what of the other lies in the shape.

    By shape and then by other; what only touches is left out.
    """
    row, other = meeting(shapes, others)
    parts = others[other]
    whole = np.zeros(len(row), dtype=np.bool_)
    inside = shapely.STRtree(others).query(shapes, predicate="contains")
    whole[np.searchsorted(row * len(others) + other, np.sort(inside[0] * len(others) + inside[1]))] = True
    parts[~whole] = shapely.intersection(shapes[row[~whole]], parts[~whole])
    kept = shapely.area(parts) > 0
    return row[kept], other[kept], polygonal(parts[kept])
