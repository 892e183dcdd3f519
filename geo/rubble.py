"""What width of each street is left when the buildings beside it collapse.

Stand at position s along a street's centre line and look square to it. The first wall on one side is d metres off; its
building, H high, throws rubble k·H out from the wall, so that the carriageway, W wide, loses max(0, k·H - (d - W/2)) on
that side. With the larger loss of any building there, left(s) and right(s), the street keeps

    clear = max(0, min over s of W - left(s) - right(s)):

what faces each other counts together, exactly, not the worst of each side. At a bend everything in the fan between the
two perpendiculars on its outer side is looked at from the bend. A wall beyond the ends of a street is beside another
one. Under a building (a passage) nothing is left. Tunnels are not buried; bridges as the parameters say.

Source: GB 50413-2007 (second-hand): width of rubble 2/3 of the height beside rescue trunk roads, else 1/2 to 2/3.
"""

from __future__ import annotations

from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from geo import heights
from geo.curves import Sourced, Word
from geo.network import NO_TUNNEL, Network
from geo.tables import NAMES
from geo.widths import Widths

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

NOBODY = -1
"""The row of the building where none narrows a street."""
LEFT, RIGHT = 0, 1
"""Sides of a street, looking along its drawing."""
COLUMNS = {
    "width_m": "float64",
    "width_basis": "object",
    **dict.fromkeys(("rubble_left_m", "rubble_right_m", "clear_m"), "float64"),
    "blocked_by": "int64",
    "narrowed_at_m": "float64",
}
"""Columns of ``Rubble.table`` and their types."""


class RubbleParams(Sourced):
    """How far collapsing buildings throw rubble onto the streets and the open ground beside them."""

    subject = "rubble"

    trunk_factor: float = Field(ge=0, le=3, description="Throw beside trunk roads, as a share of the height.")
    other_factor: float = Field(ge=0, le=3, description="Throw beside other streets, as a share of the height.")
    open_factor: float = Field(ge=0, le=3, description="Throw onto open ground, as a share of the height.")
    light_uses: tuple[Word, ...] = Field(description="Uses of buildings that throw no rubble.")
    on_bridges: bool = Field(description="Whether rubble counts on bridges; tunnels are never buried.")


@dataclass(frozen=True, eq=False)
class Rubble:
    """What each street keeps of its width after a collapse.

    ``table`` (edges,) has ``COLUMNS``: ``rubble_left_m`` and ``rubble_right_m`` of the carriageway at its narrowest
    place, ``narrowed_at_m`` along the edge (the first of equals; NaN where nothing narrows it), looking along its
    drawing; ``blocked_by`` the row of the building that takes most there, -1 where none does. All NaN where there are
    no buildings: not known. ``trunk`` (edges,) are rescue trunk roads. ``buildings`` (buildings,), by row:
    ``building_id``, names, ``height_m`` as used, ``height_assumed`` where nobody recorded it, ``light`` where it throws
    nothing.
    """

    table: pd.DataFrame
    trunk: Mask
    buildings: pd.DataFrame

    @property
    def known(self) -> bool:
        """Whether there are buildings at all."""
        return len(self.buildings) > 0

    def __repr__(self) -> str:
        narrowed, guessed = int((self.table["blocked_by"] != NOBODY).sum()), int(self.buildings["height_assumed"].sum())
        return f"Rubble({narrowed} of {len(self.table)} streets narrowed, {guessed} heights assumed)"


def clear_widths(
    network: Network, widths: Widths, buildings: gpd.GeoDataFrame, trunk: Mask, *, params: RubbleParams,
    storey_m: float, unknown_height_m: float,
) -> Rubble:  # fmt: skip
    """What each street of the network keeps of its width when the buildings (``geo.tables.BUILDINGS``) collapse.

    ``trunk`` (edges,) are rescue trunk roads (``geo.trunk_roads``).
    A height is what is recorded, else the storeys at ``storey_m``, else ``unknown_height_m``; metres.
    """
    told_m = heights.told(buildings, storey_m=storey_m)
    assumed = np.isnan(told_m)
    height_m = np.where(assumed, unknown_height_m, told_m)
    light = buildings["use"].isin(params.light_uses).to_numpy(dtype=bool)
    shapes = np.asarray(buildings.geometry.to_numpy(), dtype=object)
    throwing = np.flatnonzero(~light & (height_m > 0) & ~shapely.is_missing(shapes))
    found = _narrowest(network, widths.width_m, trunk, shapes[throwing], height_m[throwing], params)
    found[3] = np.r_[throwing, NOBODY][found[3].astype(np.int64)]
    used = buildings[["building_id", *NAMES]].reset_index(drop=True)
    used = used.assign(height_m=height_m, height_assumed=assumed, light=light)
    return Rubble(_table(widths, found, known=len(buildings) > 0), trunk, used)


def _table(widths: Widths, found: Floats, *, known: bool) -> pd.DataFrame:
    width_m, (at_m, left_m, right_m, by) = widths.width_m, found
    lost = (np.minimum(left_m, width_m), np.minimum(right_m, width_m))
    clear_m = np.maximum(width_m - left_m - right_m, 0.0)
    measured = [column if known else np.full(len(width_m), np.nan) for column in (*lost, clear_m)]
    values = (width_m, widths.basis, *measured, by, at_m)
    return pd.DataFrame({
        name: pd.Series(value, dtype=dtype) for (name, dtype), value in zip(COLUMNS.items(), values, strict=True)
    })  # fmt: skip


# -- which buildings are near which stretch ----------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class _Stretches:
    """The straight pieces of the edges that rubble can fall on, one row each.

    ``edge`` its edge, ``from_m`` where it begins along the edge, ``ends`` (stretches, 4) from x, y to x, y; ``last``
    whether the edge ends with it; ``half_m`` half the street's width, ``factor`` the throw as a share of the height.
    """

    edge: Ints
    from_m: Floats
    ends: Floats
    last: Mask
    half_m: Floats
    factor: Floats


def _stretches(network: Network, width_m: Floats, trunk: Mask, params: RubbleParams) -> _Stretches:
    edge = np.repeat(np.arange(len(network.u)), np.diff(network.start))
    first = np.flatnonzero(edge[1:] == edge[:-1]) if len(edge) else np.zeros(0, dtype=np.int64)
    px, py = network.px, network.py
    ends = np.column_stack([px[first], py[first], px[first + 1], py[first + 1]])
    long_m = np.hypot(ends[:, 2] - ends[:, 0], ends[:, 3] - ends[:, 1])
    of = edge[first]
    reached = ~network.edge_is("tunnel", never=NO_TUNNEL) & (params.on_bridges | ~network.edge_is("bridge"))
    kept = np.flatnonzero((long_m > 0) & reached[of])
    of, first_of = of[kept], np.r_[True, np.diff(of[kept]) > 0][: len(kept)]
    # Each edge is summed by itself, so that where its stretches begin does not depend on the edges before it.
    from_m = _running(long_m[kept], first_of)
    factor = np.where(trunk, params.trunk_factor, params.other_factor)
    last = np.r_[first_of[1:], True][: len(kept)]
    return _Stretches(of, from_m, ends[kept], last, width_m[of] / 2, factor[of])


@njit(cache=True, nogil=True)
def _running(long_m: Floats, first: Mask) -> Floats:  # pragma: no cover
    """What lies before each stretch on its edge."""
    before = np.zeros(len(long_m))
    for i in range(1, len(long_m)):
        before[i] = 0.0 if first[i] else before[i - 1] + long_m[i - 1]
    return before


def _narrowest(
    network: Network, width_m: Floats, trunk: Mask, shapes: Shapes, height_m: Floats, params: RubbleParams
) -> Floats:  # fmt: skip
    """Position, loss on the left and on the right, and the building that takes most, (4, edges)."""
    found = np.tile(np.array([[np.nan], [0.0], [0.0], [NOBODY]]), (1, len(network.u)))
    streets = _stretches(network, width_m, trunk, params)
    if not len(shapes) or not len(streets.edge):
        return found
    stretch, building = _near(streets, shapes, height_m)
    wall, first_wall = _walls(shapes)
    _measure(
        found, streets.edge, streets.from_m, streets.ends, streets.last, streets.half_m, streets.factor,
        stretch, building, wall, first_wall, height_m, _ranks(shapes),
    )  # fmt: skip
    return found


def _near(streets: _Stretches, shapes: Shapes, height_m: Floats) -> tuple[Ints, Ints]:
    """Stretch and building of every pair whose boxes, grown by half the width and by the throw, meet; by stretch."""
    (x, y, to_x, to_y), half_m = streets.ends.T, streets.half_m
    low, high = (np.minimum(x, to_x), np.minimum(y, to_y)), (np.maximum(x, to_x), np.maximum(y, to_y))
    tree = shapely.STRtree(shapely.box(low[0] - half_m, low[1] - half_m, high[0] + half_m, high[1] + half_m))
    west, south, east, north = shapely.bounds(shapes).T
    throw_m = height_m * streets.factor.max()
    building, stretch = tree.query(shapely.box(west - throw_m, south - throw_m, east + throw_m, north + throw_m))
    order = np.lexsort((building, stretch))
    return stretch[order].astype(np.int64), building[order].astype(np.int64)


def _walls(shapes: Shapes) -> tuple[Floats, Ints]:
    """Walls of all rings, (walls, 4) from x, y to x, y; where each building's begin, (buildings + 1,)."""
    parts, building = shapely.get_parts(shapes, return_index=True)
    rings, part = shapely.get_rings(parts, return_index=True)
    xy, ring = shapely.get_coordinates(rings, return_index=True)
    joined = np.flatnonzero(ring[1:] == ring[:-1])
    count = np.bincount(building[part][ring[joined]], minlength=len(shapes))
    return np.column_stack([xy[joined], xy[joined + 1]]), np.r_[0, np.cumsum(count)].astype(np.int64)


def _ranks(shapes: Shapes) -> Ints:
    """An order of buildings that does not depend on the order they are given in: by their boxes."""
    west, south, east, north = shapely.bounds(shapes).T
    rank = np.empty(len(shapes), dtype=np.int64)
    rank[np.lexsort((north, east, south, west))] = np.arange(len(shapes))
    return rank


# -- what rubble takes of a street -------------------------------------------------------------------------------------
#
# A share of a wall that faces a stretch takes from the street what grows or shrinks evenly along it: a slope
# ``(from_m, to_m, takes at from_m, takes at to_m)``. What two slopes of both sides take together is largest at an end
# of one of them, so that looking at all ends is exact.


@njit(cache=True, nogil=True)
def _measure(
    found: Floats, edge: Ints, from_m: Floats, ends: Floats, last: Mask, half_m: Floats, factor: Floats,
    stretch: Ints, building: Ints, wall: Floats, first_wall: Ints, height_m: Floats, rank: Ints,
) -> None:  # fmt: skip  # pragma: no cover
    """Fill the columns of ``found`` (4, edges) of every edge with pairs; pairs are sorted by stretch."""
    i = 0
    while i < len(stretch):
        e, j, walls = edge[stretch[i]], i, 0
        while j < len(stretch) and edge[stretch[j]] == e:
            walls += first_wall[building[j] + 1] - first_wall[building[j]]
            j += 1
        room, count = 2 * walls + 3 * (j - i), 0
        slope, side, by = np.empty((room, 4)), np.empty(room, np.int64), np.empty(room, np.int64)
        for pair in range(i, j):
            s, b = stretch[pair], building[pair]
            reach = half_m[s] + factor[s] * height_m[b]
            here = wall[first_wall[b] : first_wall[b + 1]]
            before = count
            count = _facing(slope, side, count, here, ends[s], from_m[s], reach)
            if not last[s]:
                count = _round(slope, side, count, here, ends[s], ends[s + 1], from_m[s + 1], reach)
            by[before:count] = b
        _worst(found[:, e], slope[:count], side[:count], by[:count], rank)
        i = j


@njit(cache=True, nogil=True)
def _facing(
    slope: Floats, side: Ints, count: int, walls: Floats, ends: Floats, from_m: float, reach: float
) -> int:  # pragma: no cover
    """Add what walls that face a straight stretch take; how many slopes there are then."""
    long = np.hypot(ends[2] - ends[0], ends[3] - ends[1])
    ax, ay = (ends[2] - ends[0]) / long, (ends[3] - ends[1]) / long
    inside = False
    for w in range(len(walls)):
        s0, t0 = _seen(walls[w, 0], walls[w, 1], ends[0], ends[1], ax, ay)
        s1, t1 = _seen(walls[w, 2], walls[w, 3], ends[0], ends[1], ax, ay)
        if (s0 > 0) != (s1 > 0):
            inside ^= t0 + (t1 - t0) * (s0 / (s0 - s1)) > 0
        if max(s0, s1) < 0 or min(s0, s1) > long:
            continue
        a, b = _within(s0, s1, long)
        s0, t0, s1, t1 = s0 + a * (s1 - s0), t0 + a * (t1 - t0), s0 + b * (s1 - s0), t0 + b * (t1 - t0)
        s0, s1 = min(max(s0, 0.0), long), min(max(s1, 0.0), long)
        if t0 * t1 < 0:
            middle = s0 + (s1 - s0) * (t0 / (t0 - t1))
            count = _add(slope, side, count, from_m, s0, t0, middle, 0.0, t0, reach)
            count = _add(slope, side, count, from_m, middle, 0.0, s1, t1, t1, reach)
        else:
            count = _add(slope, side, count, from_m, s0, t0, s1, t1, t0 + t1, reach)
    if inside:
        count = _add(slope, side, count, from_m, 0.0, 0.0, 0.0, 0.0, 1.0, reach)
        count = _add(slope, side, count, from_m, 0.0, 0.0, 0.0, 0.0, -1.0, reach)
    return count


@njit(cache=True, nogil=True)
def _seen(
    x: float, y: float, from_x: float, from_y: float, ax: float, ay: float
) -> tuple[float, float]:  # pragma: no cover
    """A point along and to the left of a direction."""
    return (x - from_x) * ax + (y - from_y) * ay, (y - from_y) * ax - (x - from_x) * ay


@njit(cache=True, nogil=True)
def _within(s0: float, s1: float, long: float) -> tuple[float, float]:  # pragma: no cover
    """Which shares of a wall begin and end what lies between 0 and ``long``."""
    if s0 == s1:
        return 0.0, 1.0
    a, b = (0.0 - s0) / (s1 - s0), (long - s0) / (s1 - s0)
    return max(0.0, min(a, b)), min(1.0, max(a, b))


@njit(cache=True, nogil=True)
def _add(
    slope: Floats, side: Ints, count: int, from_m: float, s0: float, t0: float, s1: float, t1: float, left: float,
    reach: float,
) -> int:  # fmt: skip  # pragma: no cover
    """Add one slope, where it takes anything; ``left`` is above 0 on the left."""
    takes0, takes1 = reach - abs(t0), reach - abs(t1)
    if max(takes0, takes1) <= 0:
        return count
    if s1 < s0:
        s0, s1, takes0, takes1 = s1, s0, takes1, takes0
    if s1 == s0:
        takes0 = takes1 = max(takes0, takes1)
    slope[count, 0], slope[count, 1], slope[count, 2], slope[count, 3] = from_m + s0, from_m + s1, takes0, takes1
    side[count] = LEFT if left >= 0 else RIGHT
    return count + 1


@njit(cache=True, nogil=True)
def _round(
    slope: Floats, side: Ints, count: int, walls: Floats, ends: Floats, on: Floats, at_m: float, reach: float
) -> int:  # pragma: no cover
    """Add what walls in the fan on the outer side of a bend take: beyond one stretch and before the next, ``on``."""
    a0, a1 = ends[2] - ends[0], ends[3] - ends[1]
    b0, b1 = on[2] - on[0], on[3] - on[1]
    turn = a0 * b1 - a1 * b0
    nearest = reach
    for w in range(len(walls)):
        x0, y0, x1, y1 = walls[w, 0] - on[0], walls[w, 1] - on[1], walls[w, 2] - on[0], walls[w, 3] - on[1]
        first, last = 0.0, 1.0
        for p, q in ((x0 * a0 + y0 * a1, x1 * a0 + y1 * a1), (-x0 * b0 - y0 * b1, -x1 * b0 - y1 * b1)):
            if p < 0 and q < 0:
                last = -1.0
            elif p < 0:
                first = max(first, p / (p - q))
            elif q < 0:
                last = min(last, p / (p - q))
        if first <= last:
            nearest = min(nearest, _from_origin(x0, y0, x1, y1, first, last))
    if turn == 0.0 or nearest >= reach:
        return count
    return _add(slope, side, count, at_m, 0.0, nearest, 0.0, nearest, -turn, reach)


@njit(cache=True, nogil=True)
def _from_origin(x0: float, y0: float, x1: float, y1: float, first: float, last: float) -> float:  # pragma: no cover
    """How near a line comes to the origin between two shares of it."""
    dx, dy = x1 - x0, y1 - y0
    square = dx * dx + dy * dy
    foot = -(x0 * dx + y0 * dy) / square if square > 0 else first
    foot = min(max(foot, first), last)
    return float(np.hypot(x0 + foot * dx, y0 + foot * dy))


@njit(cache=True, nogil=True)
def _worst(found: Floats, slope: Floats, side: Ints, by: Ints, rank: Ints) -> None:  # pragma: no cover
    """Where the slopes of both sides together take most: position, left, right, building; the first of equals."""
    most = 0.0
    for i in range(len(slope)):
        for end in range(2):
            at = slope[i, end]
            left, left_by = _taken(slope, side, by, rank, LEFT, at)
            right, right_by = _taken(slope, side, by, rank, RIGHT, at)
            if left + right > most or (left + right == most and at < found[0]):
                most = left + right
                found[0], found[1], found[2] = at, left, right
                found[3] = left_by if left > right or (left == right and rank[left_by] < rank[right_by]) else right_by


@njit(cache=True, nogil=True)
def _taken(
    slope: Floats, side: Ints, by: Ints, rank: Ints, of: int, at: float
) -> tuple[float, int]:  # pragma: no cover
    """What the slopes of one side take at a position, and the building that takes most; none takes nothing."""
    most, who = 0.0, NOBODY
    for i in range(len(slope)):
        if side[i] != of or at < slope[i, 0] or at > slope[i, 1]:
            continue
        span = slope[i, 1] - slope[i, 0]
        share = (at - slope[i, 0]) / span if span > 0 else 0.0
        takes = slope[i, 2] + (slope[i, 3] - slope[i, 2]) * share
        if takes > most or (takes == most and who != NOBODY and rank[by[i]] < rank[who]):
            most, who = takes, by[i]
    return most, who
