"""Where a study lies: its outline, and the ground round it."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeAlias, cast

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from data import given, standards, vectors
from data.extents import Bounds, in_degrees, in_metres
from data.repair import repaired
from data.study.definition import StudyFile
from geo.errors import Fault, UnreadableError

BEYOND_M = 2000.0
"""How far beyond the outline streets and shelters are kept and outlines of hazards are laid out, metres."""
POINT = 0
"""What shapely calls a point."""
HULL = 0.3
"""How closely an outline follows the points it is drawn round: 0 closest, 1 convex."""


@dataclass(frozen=True)
class Ground:
    """Where a study lies: its metric CRS, and its bounds in degrees; None where that is not known yet.

    ``units`` are the outlines that tables without places are joined to by name (``data.study.units``), in its CRS.
    """

    crs: str
    bounds: Bounds | None
    units: gpd.GeoDataFrame | None = field(default=None, compare=False, repr=False)

    @property
    def wide(self) -> Bounds | None:
        """Smallest x and y, largest x and y in the study's CRS, and a good walk more; None where not known."""
        if self.bounds is None:
            return None
        xmin, ymin, xmax, ymax = in_metres(self.bounds, crs=self.crs)
        return xmin - BEYOND_M, ymin - BEYOND_M, xmax + BEYOND_M, ymax + BEYOND_M


Outline: TypeAlias = shapely.Polygon | shapely.MultiPolygon


def read_outline(study: StudyFile, folder: Path) -> Outline | None:
    """The study's outline in its CRS: the polygons of its file, else the ground round its points; None without a file.

    UnreadableError when the file holds neither.
    """
    if study.boundary is None:
        return None
    content = vectors.read(folder / study.boundary, crs=study.boundary_crs, into=study.crs)
    shapes = content.table.geometry.to_numpy()
    areas = [repaired(s) for s in shapes if s is not None and s.geom_type in given.AREAL]
    outline: shapely.Geometry = shapely.union_all([area for area in areas if area is not None])
    if shapely.is_empty(outline):
        outline = _round_points(shapes[shapely.get_type_id(shapes) == POINT])
    if shapely.is_empty(outline):
        fault = Fault("an outline (polygons or points)", "neither", study.boundary, "Give the place's area.")
        raise UnreadableError(fault)
    return cast(Outline, outline)


def ground_of(study: StudyFile, outline: shapely.Geometry) -> Ground:
    """The ground of a study with an outline in its CRS."""
    xmin, ymin, xmax, ymax = (float(edge) for edge in shapely.bounds(outline))
    return Ground(study.crs, in_degrees((xmin, ymin, xmax, ymax), crs=study.crs, where=str(study.boundary)))


def _round_points(points: NDArray[np.object_]) -> shapely.Geometry:
    """The ground that holds all points, and a margin; empty without points."""
    margin_m = standards.load().number("study.round_points_m")
    return shapely.buffer(shapely.concave_hull(shapely.union_all(points), ratio=HULL), margin_m)
