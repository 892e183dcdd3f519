"""The study's ground: its outline, else what its map or its streets span; and how much of it something covers."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
import shapely
from numpy.typing import NDArray

from app.checks.report import Box
from data.extents import in_degrees
from geo.crs import WGS84, reproject
from geo.hazards import Grid

SAMPLES = 40_000
"""Points at which a raster is looked up in the box of the ground: shares are told to about half a per cent."""
SHARE_DIGITS = 4
"""Digits of a share that mean something."""
EDGE_PIECES = 32
"""Pieces into which each edge of a box is cut before it is projected: degrees are no straight lines in metres."""
Floats = NDArray[np.float64]


@dataclass(frozen=True, eq=False)
class Ground:
    """An area in a metric CRS; ``outlined`` when a person gave it."""

    crs: str
    shape: shapely.Geometry
    outlined: bool

    def __repr__(self) -> str:
        return f"Ground({self.area_km2:.3g} km², {self.crs}, {'outlined' if self.outlined else 'as the map spans'})"

    @property
    def area_km2(self) -> float:
        """Square kilometres."""
        return float(shapely.area(self.shape)) / 1e6

    @cached_property
    def extent(self) -> Box:
        """West, south, east, north in degrees."""
        xmin, ymin, xmax, ymax = map(float, shapely.bounds(self.shape))
        return in_degrees((xmin, ymin, xmax, ymax), crs=self.crs, where="study")

    def within(self, cover: shapely.Geometry) -> float:
        """Share of the ground (0-1) that a shape in its CRS covers."""
        part = shapely.area(shapely.intersection(self.shape, cover)) / shapely.area(self.shape)
        return round(float(part), SHARE_DIGITS)

    @cached_property
    def samples(self) -> Samples:
        """Places all over the ground's box."""
        return sampled(self.shape)

    def looked_up(self, grid: Grid) -> Floats:
        """The grid's value at every sample of the box (rows, columns); NaN where it is not known, or has no cell."""
        x, y = (axis.ravel() for axis in np.meshgrid(self.samples.x, self.samples.y))
        column, row = grid.cells(x, y, crs=self.crs)
        rows, columns = grid.values.shape
        there = np.isfinite(column) & np.isfinite(row) & (column >= 0) & (row >= 0) & (column < columns) & (row < rows)
        found = np.full(len(x), np.nan)
        found[there] = grid.values[row[there].astype(np.int64), column[there].astype(np.int64)]
        return found.reshape(len(self.samples.y), len(self.samples.x))


@dataclass(frozen=True, eq=False)
class Samples:
    """A lattice of points: ``x`` (columns,) and ``y`` (rows,) in metres; ``inside`` (rows, columns) the ground."""

    x: Floats
    y: Floats
    inside: NDArray[np.bool_]
    step_m: float


def share(of: NDArray[np.bool_], ground: Ground) -> float:
    """Share of the ground (0-1) of whose samples (rows, columns) something is true."""
    inside = ground.samples.inside
    return round(float((of & inside).sum() / max(int(inside.sum()), 1)), SHARE_DIGITS)


def sampled(shape: shapely.Geometry) -> Samples:
    """Some ``SAMPLES`` points in the box of a shape, in the middles of equal squares."""
    xmin, ymin, xmax, ymax = map(float, shapely.bounds(shape))
    step = max(float(np.sqrt((xmax - xmin) * (ymax - ymin) / SAMPLES)), 1e-6)
    x, y = (np.arange(low + step / 2, high, step) for low, high in ((xmin, xmax), (ymin, ymax)))
    shapely.prepare(shape)
    inside = shapely.contains_xy(shape, *np.meshgrid(x, y))
    return Samples(x, y, np.asarray(inside), step)


def boxed(bounds: tuple[float, float, float, float], *, crs: str, into: str) -> shapely.Geometry:
    """A box in ``crs`` as a shape in ``into``; empty when it cannot be projected."""
    ring = shapely.segmentize(shapely.box(*bounds), max(_longest(bounds) / EDGE_PIECES, 1e-9))
    x, y = shapely.get_coordinates(ring).T
    x, y = reproject(x, y, source=crs, target=into)
    if not np.isfinite(x + y).all():
        return shapely.Polygon()
    return shapely.make_valid(shapely.Polygon(np.column_stack([x, y])))


def _longest(bounds: tuple[float, float, float, float]) -> float:
    return max(bounds[2] - bounds[0], bounds[3] - bounds[1])


def spanned(extents: list[Box], *, crs: str) -> Ground | None:
    """The ground that extents in degrees span together; None without any, or where they have no area."""
    if not extents:
        return None
    west, south, east, north = (pick(edges) for pick, edges in zip((min, min, max, max), zip(*extents, strict=True),
                                                                   strict=True))  # fmt: skip
    shape = boxed((west, south, east, north), crs=WGS84, into=crs)
    return Ground(crs, shape, outlined=False) if shapely.area(shape) > 0 else None
