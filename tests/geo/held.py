"""How much of each line lies within a polygon: the one measure for the outlines of all, ours and others'."""

from __future__ import annotations

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.reach import Drawn

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


def inside_m(polygon: shapely.Geometry, lines: Drawn) -> Floats:
    """The length of each line within a polygon, its border included, in metres, (lines,).

    Each segment is cut where it meets the border, and each part counts by its middle.
    """
    first = np.setdiff1d(np.arange(len(lines.x) - 1), lines.start[1:-1] - 1)
    xy = np.column_stack([lines.x, lines.y])
    a, by = xy[first], xy[first + 1] - xy[first]
    segment, at = _cuts(polygon, a, by)
    order = np.lexsort((at, segment))
    segment, at = segment[order], at[order]
    part = np.flatnonzero(segment[1:] == segment[:-1])
    of, share = segment[part], at[part + 1] - at[part]
    middle = a[of] + by[of] * (at[part] + share / 2)[:, None]
    shapely.prepare(polygon)
    held = shapely.intersects_xy(polygon, middle[:, 0], middle[:, 1])
    line = np.searchsorted(lines.start, first[of], side="right") - 1
    held_m = held * share * np.hypot(by[of, 0], by[of, 1])
    return np.bincount(line, weights=held_m, minlength=len(lines)).astype(float)


def _cuts(polygon: shapely.Geometry, a: Floats, by: Floats) -> tuple[Ints, Floats]:
    """Where segments from ``a`` by ``by`` (n, 2) may pass the border: rows, and shares 0-1 of them, ends included."""
    ends = np.arange(len(a))
    if not len(a) or shapely.is_empty(polygon):
        return np.r_[ends, ends], np.repeat([0.0, 1.0], len(a))
    ring = shapely.get_coordinates(shapely.get_rings(shapely.get_parts(polygon)), return_index=True)
    side = np.flatnonzero(ring[1][1:] == ring[1][:-1])
    border = shapely.linestrings(np.stack([ring[0][side], ring[0][side + 1]], axis=1))
    street = shapely.linestrings(np.stack([a, a + by], axis=1))
    row, met = shapely.STRtree(np.asarray(border)).query(np.asarray(street), predicate="intersects")
    c, d = ring[0][side][met], ring[0][side + 1][met]
    along, across = by[row], d - c
    turn = along[:, 0] * across[:, 1] - along[:, 1] * across[:, 0]
    with np.errstate(divide="ignore", invalid="ignore"):
        crossing = ((c - a[row])[:, 0] * across[:, 1] - (c - a[row])[:, 1] * across[:, 0]) / turn
    # Where both run alike, the side's ends are where the segment may leave it.
    square = np.maximum((along**2).sum(axis=1), np.finfo(float).tiny)
    beside = [((end - a[row]) * along).sum(axis=1) / square for end in (c, d)]
    flat = ~np.isfinite(crossing)
    at = np.clip(np.r_[np.where(flat, beside[0], crossing), beside[1][flat]], 0.0, 1.0)
    return np.r_[ends, ends, row, row[flat]], np.r_[np.zeros(len(a)), np.ones(len(a)), at]
