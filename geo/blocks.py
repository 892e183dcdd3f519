"""Blocks: the ground that streets, railways and rivers divide, and what lies between two neighbours.

::

    ┌─────┬───────┐   Lines are cut where they meet, ends that lead nowhere (╴) divide nothing. What is left are
    │  0  ╪ ╴  1  │   pieces; each piece has a block on either side, or the outside. Blocks together are the whole
    ├─────┴──┬────┤   ground: no gap, no overlap, to the last digit.
    │   2    │  3 │
    └────────┴────┘
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.membership import smallest_holding

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]
Ground = shapely.Polygon | shapely.MultiPolygon

NEAR_M = 0.01
"""Metres. Noding moves points by less."""
PAST_M = 0.1
"""Metres by which a cut is drawn beyond the block, so that it meets its border; what sticks out divides nothing."""
NOBODY = -1
"""The outside of all blocks, and the line of a piece that is only the ground's edge."""


@dataclass(frozen=True, eq=False)
class Blocks:
    """``shapes`` (blocks,) polygons that divide the ground, from the north west, row by row, whatever order lines had.

    ``pieces`` (pieces,) of lines between blocks; ``line`` the row of the line each is of, ``NOBODY`` for the edge of
    the ground; ``sides`` (pieces, 2) the blocks beside it, the lesser first, ``NOBODY`` for the outside.
    """

    shapes: Shapes
    pieces: Shapes
    line: Ints
    sides: Ints

    def __len__(self) -> int:
        return len(self.shapes)

    def __repr__(self) -> str:
        return f"Blocks({len(self)} between {len(self.pieces)} pieces of line)"

    @cached_property
    def length_m(self) -> Floats:
        """Length of each piece, metres, (pieces,)."""
        return np.asarray(shapely.length(self.pieces))

    @cached_property
    def inner(self) -> NDArray[np.bool_]:
        """Which pieces lie between two blocks, (pieces,)."""
        return np.asarray((self.sides[:, 0] != NOBODY) & (self.sides[:, 0] != self.sides[:, 1]))


def divide(ground: Ground, lines: Shapes) -> Blocks:
    """The blocks of a ground that ``lines`` (lines,) divide, all in one metric CRS.

    Where lines run on top of each other, the piece is of the first of them. Without a line there is one block for
    each part of the ground; no block when it is empty.
    """
    noded = shapely.get_parts(shapely.union_all([*_in_one_order(lines), shapely.boundary(ground)]))
    faces = shapely.get_parts(shapely.polygonize(noded))
    shapely.prepare(ground)
    faces = _from_north_west(faces[shapely.intersects(ground, shapely.point_on_surface(faces))])
    sides = _sides(noded, faces)
    beside = (sides != NOBODY).any(axis=1)
    pieces = noded[beside]
    return Blocks(faces, pieces, _source(pieces, lines), np.sort(sides[beside], axis=1))


def to_the_edge(ground: Ground, lines: Shapes, carried: Mask) -> tuple[Shapes, Ints]:
    """Straight lines from where a line ends, and no other goes on, the shortest way to the edge of the ground.

    Only for lines that are ``carried`` (lines,), and where no line is in the way; with the line each comes from.
    """
    parts, line = shapely.get_parts(lines, return_index=True)
    xy = shapely.get_coordinates([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    _, first, times = np.unique(xy, axis=0, return_index=True, return_counts=True)
    line = np.tile(line, 2)[first[times == 1]]
    ends = shapely.points(xy[first[times == 1]])
    kept = carried[line] & shapely.intersects(ground, ends)
    ends, line = ends[kept], line[kept]
    ways = shapely.shortest_line(ends, shapely.boundary(ground))
    met, _ = shapely.STRtree(lines).query(ways, predicate="intersects")
    free = (np.bincount(met, minlength=len(ways)) == 1) & (shapely.length(ways) > NEAR_M)
    return _longer(ways[free]), line[free]


def cuts(block: shapely.Polygon, points: Floats, weight: Floats, *, usual: float, most: float) -> Shapes:
    """Straight cuts that divide a block until no part has more than ``most`` of the weight of ``points`` (n, 2).

    Each across the part's longer extent, so that parts get about ``usual`` each; lines drawn a little past the border.
    A part whose weight is all in one place stays as it is. The order of the points must not matter to the caller.
    """
    total = float(weight.sum())
    if total <= most:
        return np.zeros(0, dtype=object)
    count = max(2, round(total / usual))
    lines = _cut(block, points, weight, (count // 2) / count)
    parts = shapely.get_parts(shapely.polygonize(shapely.get_parts(shapely.union_all([block.boundary, *lines]))))
    parts = parts[shapely.intersects(block, shapely.point_on_surface(parts))]
    if len(parts) < 2:
        return np.zeros(0, dtype=object)
    part = smallest_holding(np.asarray(shapely.points(points)), parts)
    more = [cuts(parts[n], points[part == n], weight[part == n], usual=usual, most=most) for n in range(len(parts))]
    return np.concatenate([lines, *more])


def _cut(block: shapely.Polygon, points: Floats, weight: Floats, share: float) -> Shapes:
    """One straight cut that leaves about ``share`` of the weight on one side; nothing where all is in one place."""
    along, across = _axes(block)
    if np.ptp(points @ along) <= NEAR_M:
        along, across = across, along
    at = points @ along
    order = np.argsort(at, kind="stable")
    steps = np.flatnonzero(np.diff(at[order]) > NEAR_M)
    if not len(steps):
        return np.zeros(0, dtype=object)
    heaped = np.cumsum(weight[order])
    step = steps[np.argmin(np.abs(heaped[steps] - share * heaped[-1]))]
    middle = along * at[order][step : step + 2].mean()
    far = shapely.length(block.exterior)
    offset = float(shapely.get_coordinates(block.centroid)[0] @ across)
    line = shapely.linestrings([middle + across * (offset - far), middle + across * (offset + far)])
    inside = shapely.get_parts(shapely.intersection(line, block))
    return _longer(inside[shapely.length(inside) > NEAR_M])


def _axes(block: shapely.Polygon) -> tuple[Floats, Floats]:
    """Unit vectors along and across a block's longer extent."""
    corner = shapely.get_coordinates(shapely.minimum_rotated_rectangle(block))[:3]
    sides = np.diff(corner, axis=0)
    length = np.hypot(sides[:, 0], sides[:, 1])
    along = sides[int(length[1] > length[0])] / length.max()
    return along, np.array([-along[1], along[0]])


def _longer(lines: Shapes) -> Shapes:
    """Straight lines of two points, each longer at both ends."""
    ends = shapely.get_coordinates(lines).reshape(-1, 2, 2)
    way = np.diff(ends, axis=1)[:, 0]
    more = PAST_M * way / np.hypot(way[:, 0], way[:, 1])[:, None]
    return np.asarray(shapely.linestrings(np.stack([ends[:, 0] - more, ends[:, 1] + more], axis=1)))


def _in_one_order(lines: Shapes) -> Shapes:
    """The lines in an order of their own: where two cross, the last digit must not depend on how they came."""
    plain = shapely.normalize(lines)
    return np.asarray(plain[np.argsort(shapely.to_wkb(plain), kind="stable")])


def _from_north_west(faces: Shapes) -> Shapes:
    x, y = shapely.get_coordinates(shapely.point_on_surface(faces)).T
    return np.asarray(faces[np.lexsort((x, -y))])


def _sides(pieces: Shapes, faces: Shapes) -> Ints:
    """The faces beside each piece, (pieces, 2): those with its first segment in a ring of theirs."""
    rings, owner = shapely.get_rings(faces, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    mine = shapely.get_coordinates([shapely.get_point(pieces, 0), shapely.get_point(pieces, 1)])
    _, point = np.unique(np.vstack([xy, mine]) @ np.array([1, 1j]), return_inverse=True)
    first = np.flatnonzero(ring[1:] == ring[:-1])
    keys = _keys(point[first], point[first + 1], len(point))
    order = np.argsort(keys, kind="stable")
    keys, face = keys[order], np.append(owner[ring[first]][order], NOBODY)
    start, end = len(xy), len(xy) + len(pieces)
    wanted = _keys(point[start:end], point[end:], len(point))
    low, high = np.searchsorted(keys, wanted, side="left"), np.searchsorted(keys, wanted, side="right")
    return np.column_stack([face[np.where(high - low > n, low + n, -1)] for n in (0, 1)])


def _keys(one: Ints, other: Ints, n: int) -> Ints:
    """A number for each pair of points, whichever comes first."""
    return np.asarray(np.minimum(one, other) * n + np.maximum(one, other))


def _source(pieces: Shapes, lines: Shapes) -> Ints:
    """The first line that each piece lies on, (pieces,)."""
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    piece, line = shapely.STRtree(lines).query(middles, predicate="dwithin", distance=NEAR_M)
    first = np.full(len(pieces), len(lines), dtype=np.int64)
    np.minimum.at(first, piece, line)
    return np.where(first == len(lines), NOBODY, first)
