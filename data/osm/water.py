"""Water that the extract cuts off, closed along its edge: a river through the town, the bay it lies on.

Of a river that runs on, an extract holds banks that end at its edge, and no area. Within the extract's outline the
banks still divide the ground, and every bank has water on one side and land on the other:

::

    ┌──────────────┐     so the faces take turns (1 0 1), and the map tells which turn is land:
    │    1   ▪ ▪   │     the one with the streets and houses. Where both have some, or a bank
    ├──────────────┤     ends in the middle, nothing is told and the water stays open.
    │    0         │
    ├──────────────┤
    │   ▪  1       │
    └──────────────┘
"""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from data.osm.raw import Shapes

REACH_M = 250.0
"""Farthest the end of a bank is prolonged to the extent's edge, metres."""
GRID_M = 0.01
"""Lines are joined on a grid of this size, metres: a point on a line is off it by a rounding."""
WET_SHARE_MAX = 0.02
"""Largest share of streets and houses that may stand in the water (jetties, houseboats) before it is not believed."""

Ints = NDArray[np.int64]
Points = NDArray[np.float64]


def close(banks: shapely.Geometry, land: Points, *, extent: shapely.Polygon) -> shapely.Geometry | None:
    """The water within ``extent`` that the lines ``banks`` go round; None where it cannot be told.

    ``land`` are x and y of points on streets and in houses, (n, 2). All in one metric CRS.
    """
    lines = shapely.line_merge(shapely.intersection(banks, extent, grid_size=GRID_M))
    ends = _loose_ends(lines)
    if (shapely.distance(ends, extent.exterior) > REACH_M).any():
        return None
    prolonged = shapely.shortest_line(ends, extent.exterior)
    banks = shapely.union_all([lines, *prolonged[shapely.length(prolonged) > 0]], grid_size=GRID_M)
    pieces = shapely.get_parts(shapely.union_all([banks, extent.exterior], grid_size=GRID_M))
    faces = shapely.get_parts(shapely.polygonize(pieces))
    turn = _turns(faces, pieces[~_on(pieces, extent.exterior)])
    return None if turn is None else _wet(faces, turn, land)


def _loose_ends(lines: shapely.Geometry) -> Shapes:
    """The points at which one line ends and no other goes on."""
    parts = shapely.get_parts(lines)
    parts = parts[~shapely.is_empty(parts)]
    xy = shapely.get_coordinates([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    points, times = np.unique(xy.reshape(-1, 2), axis=0, return_counts=True)
    return np.asarray(shapely.points(points[times == 1]), dtype=object)


def _on(pieces: Shapes, line: shapely.Geometry) -> NDArray[np.bool_]:
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    return np.asarray(shapely.distance(middles, line) <= 2 * GRID_M)


def _turns(faces: Shapes, banks: Shapes) -> Ints | None:
    """0 or 1 for each face, never the same on both sides of a bank; None where that cannot be."""
    beside: dict[int, set[int]] = {face: set() for face in range(len(faces))}
    middles = shapely.line_interpolate_point(banks, 0.5, normalized=True)
    bank, face = shapely.STRtree(faces).query(middles, predicate="dwithin", distance=2 * GRID_M)
    for row in np.unique(bank):
        sides = face[bank == row]
        if len(sides) == 2:
            beside[int(sides[0])].add(int(sides[1]))
            beside[int(sides[1])].add(int(sides[0]))
    turn = np.full(len(faces), -1, dtype=np.int64)
    turn[:1] = 0
    reached = [0] if len(faces) else []
    while reached:
        here = reached.pop()
        for there in beside[here]:
            if turn[there] == turn[here]:
                return None
            if turn[there] < 0:
                turn[there] = 1 - turn[here]
                reached.append(there)
    return turn if (turn >= 0).all() else None


def _wet(faces: Shapes, turn: Ints, land: Points) -> shapely.Geometry | None:
    """The faces of the turn on which nothing stands; None when both turns have streets and houses, or neither."""
    shapely.prepare(faces)
    count = [np.count_nonzero(shapely.contains_xy(face, land[:, 0], land[:, 1])) for face in faces]
    stands = np.bincount(turn, weights=count, minlength=2)
    wet = int(np.argmin(stands))
    if stands[wet] > WET_SHARE_MAX * stands.sum() or not stands.any() or not (turn == wet).any():
        return None
    return shapely.union_all(faces[turn == wet])
