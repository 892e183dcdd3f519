"""Outlines that an extract cuts off, closed along its edge where the neighbours leave only one answer.

An extract holds whole boundary lines or parts of them, but few of the units they go round. Within the extract's own
outline the lines still divide the ground, and every line says which two units of its level it lies between:

::

    ┌────────────┬───────┐      the face left of both lines borders A|B and A|C: it is A;
    │     A      │   B   │      the face across A|B is then B, the one across A|C is C.
    │            ├───────┤      With one line only, neither side can be told: both stay open.
    │            │   C   │
    └────────────┴───────┘
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from pydantic import BaseModel, ConfigDict, Field

from geo.tables import BOUNDARIES, checked

Ints = NDArray[np.int64]
Shapes = NDArray[np.object_]

NEAR_M = 0.01
"""Metres. Lines this near to each other are the same line: noding moves points by less."""
NOBODY = -1
"""Owner of ground that no unit of the level claims, or that is not told yet."""


class ClosingParams(BaseModel):
    """How far a cut-off line may be prolonged."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    reach_m: float = Field(
        default=250.0, ge=0, le=2000,
        description="Farthest the end of a boundary line is prolonged straight to the extract's edge, metres.",
    )  # fmt: skip


DEFAULT = ClosingParams()


@dataclass(frozen=True, eq=False)
class Closed:
    """``boundaries`` in the order given, with ``cut_off`` (whether the extract's edge closes it); ``left_open`` ids."""

    boundaries: gpd.GeoDataFrame
    left_open: tuple[str, ...]

    def __repr__(self) -> str:
        cut = int(self.boundaries["cut_off"].sum())
        return f"Closed({len(self.boundaries)} outlines, {cut} of them by the edge, {len(self.left_open)} left open)"


def close(units: gpd.GeoDataFrame, *, extent: shapely.Polygon, params: ClosingParams = DEFAULT) -> Closed:
    """Close the outlines of administrative units that ``extent`` cuts off.

    ``units`` has the columns of BOUNDARIES; its geometries are polygons, or lines where the outline is incomplete.
    Units of one ``admin_level`` do not overlap. A unit becomes the part of it within ``extent``, in the same CRS; what
    cannot be told is left open. Polygons are returned as they are.
    """
    shapes = np.asarray(units.geometry.to_numpy(), dtype=object).copy()
    whole = shapely.get_dimensions(shapes) == 2
    for level in np.unique(units.loc[~whole, "admin_level"].dropna()):
        rows = np.flatnonzero((units["admin_level"] == level).to_numpy())
        shapes[rows] = np.where(whole[rows], shapes[rows], _closed(shapes[rows], extent, params.reach_m))
    done = shapely.get_dimensions(shapes) == 2
    table = units[done].set_geometry(shapes[done], crs=units.crs).assign(cut_off=~whole[done]).reset_index(drop=True)
    return Closed(checked(table, BOUNDARIES), tuple(units.loc[~done, "boundary_id"]))


def _closed(outlines: Shapes, extent: shapely.Polygon, reach_m: float) -> Shapes:
    """The part of each unit of one level within the extent, (units,); None where it cannot be told."""
    pieces = _divided(outlines, extent, reach_m)
    faces = shapely.get_parts(shapely.polygonize(pieces))
    owner = _owners(faces, pieces, outlines)
    found = [
        shapely.union_all(faces[owner == unit]) if (owner == unit).any() else None for unit in range(len(outlines))
    ]
    return np.array([*found, None], dtype=object)[:-1]


def _divided(outlines: Shapes, extent: shapely.Polygon, reach_m: float) -> Shapes:
    """The extent's edge and all lines in it, cut wherever they meet; loose ends prolonged to the edge."""
    inside = shapely.line_merge(shapely.intersection(shapely.union_all(_lines(outlines)), extent))
    ends = _loose_ends(inside)
    ends = ends[shapely.distance(ends, extent.exterior) <= reach_m]
    ways = shapely.shortest_line(ends, extent.exterior)
    ways = ways[shapely.length(ways) > NEAR_M]
    arrivals = np.append(shapely.get_point(ways, -1), ends[shapely.distance(ends, extent.exterior) <= NEAR_M])
    # A point on a line is off it by a rounding: the edge gets a corner there, so that they meet.
    edge = shapely.snap(extent.exterior, shapely.multipoints(arrivals), NEAR_M)
    return np.asarray(shapely.get_parts(shapely.union_all([inside, edge, *ways])))


def _lines(outlines: Shapes) -> Shapes:
    """Outlines as lines, whether they are closed or not."""
    return np.where(shapely.get_dimensions(outlines) == 2, shapely.boundary(outlines), outlines)


def _loose_ends(lines: shapely.Geometry) -> Shapes:
    """The points at which one line ends and no other goes on."""
    parts = shapely.get_parts(lines)
    xy = shapely.get_coordinates([shapely.get_point(parts, 0), shapely.get_point(parts, -1)])
    points, times = np.unique(xy, axis=0, return_counts=True)
    return np.asarray(shapely.points(points[times == 1]))


def _owners(faces: Shapes, pieces: Shapes, outlines: Shapes) -> Ints:
    """The unit of each face, (faces,); ``NOBODY`` where it cannot be told, or where a line is missing."""
    borders = _borders(faces, pieces, outlines)
    possible = [set(range(NOBODY, len(outlines))) for _ in faces]
    for sides, units in borders:
        for side in sides:
            possible[side] &= units
    pairs = [sides for sides, units in borders if len(sides) == 2 and len(units) == 2]
    while _told_apart(possible, pairs):
        pass
    return np.array([min(p) if len(p) == 1 else NOBODY for p in possible], dtype=np.int64)


def _borders(faces: Shapes, pieces: Shapes, outlines: Shapes) -> list[tuple[tuple[int, ...], set[int]]]:
    """For each piece of boundary the one or two faces beside it, and the two units it lies between."""
    middles = shapely.line_interpolate_point(pieces, 0.5, normalized=True)
    units = _near(middles, _lines(outlines))
    sides = _near(middles, faces)
    return [
        (tuple(sorted(sides[i])), units[i] | ({NOBODY} if len(units[i]) == 1 else set()))
        for i in range(len(pieces)) if units[i]
    ]  # fmt: skip


def _near(points: Shapes, shapes: Shapes) -> list[set[int]]:
    """The rows of the shapes at each point."""
    found: list[set[int]] = [set() for _ in points]
    point, shape = shapely.STRtree(shapes).query(points, predicate="dwithin", distance=NEAR_M)
    for p, s in zip(point, shape, strict=True):
        found[p].add(int(s))
    return found


def _told_apart(possible: list[set[int]], pairs: Sequence[tuple[int, ...]]) -> bool:
    """Strike from each face the unit known to be across a border of it; whether that told anything new.

    The same unit on both sides of its own border means that a line between others is missing: neither side is told.
    """
    before = sum(map(len, possible))
    for here, there in pairs:
        if len(possible[here]) == 1 and possible[here] == possible[there]:
            possible[here], possible[there] = set(), set()
    for pair in pairs:
        for here, there in (pair, pair[::-1]):
            if len(possible[here]) == 1 and possible[here] != possible[there]:
                possible[there] -= possible[here]
    return sum(map(len, possible)) < before
