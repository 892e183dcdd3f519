"""Who is responsible for which ground: an area divided among labels without gap or overlap.

Every point of the ground belongs to the label of the nearest sample point (a Voronoi diagram, G. Voronoi,
doi:10.1515/crll.1908.134.198, read off the Delaunay triangulation); only the lines between
different labels are kept, so that neighbours share theirs.
"""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray
from scipy.spatial import Delaunay, cKDTree

from geo.network import Network
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


def samples(network: Network, edges: Mask, *, spacing_m: float) -> Snaps:
    """Points on the streets (edges,) chosen, at most ``spacing_m`` apart and half that from the ends of each."""
    edge = np.flatnonzero(edges)
    length = network.length_m[edge]
    count = np.maximum(np.ceil(length / spacing_m), 1).astype(np.int64)
    row = np.repeat(np.arange(len(edge)), count)
    number = np.arange(len(row)) - np.repeat(np.cumsum(count) - count, count)
    along = (number + 0.5) / count[row] * length[row]
    return Snaps(np.arange(len(row)), edge[row], along, np.zeros(len(row)))


def territories(xy: Floats, label: Ints, *, ground: shapely.Geometry, crs: str) -> gpd.GeoDataFrame:
    """The ground (polygon in ``crs``, metres) divided by the label of the nearest point.

    ``xy`` (points, 2), ``label`` (points,) any whole numbers. Columns ``label`` and geometry, one row a label that has
    ground, sorted by label; together the rows are the ground. No points, or no ground: no rows.
    """
    xy, label = _distinct(xy, label)
    if not len(xy) or shapely.is_empty(ground):
        return gpd.GeoDataFrame({"label": np.zeros(0, dtype=np.int64)}, geometry=[], crs=crs)
    parts = _divided(xy, label, ground)
    owner = label[cKDTree(xy).query(shapely.get_coordinates(shapely.point_on_surface(parts)))[1]]
    names = np.unique(owner)
    shapes = [shapely.union_all(parts[owner == name]) for name in names]
    return gpd.GeoDataFrame({"label": names}, geometry=shapes, crs=crs)


def _distinct(xy: Floats, label: Ints) -> tuple[Floats, Ints]:
    """Each place once, with the smallest of its labels."""
    order = np.lexsort((label, xy[:, 1], xy[:, 0]))
    xy, label = xy[order], label[order]
    first = np.r_[True, (np.diff(xy, axis=0) != 0).any(axis=1)] if len(xy) else np.zeros(0, dtype=bool)
    return xy[first], label[first]


def _divided(xy: Floats, label: Ints, ground: shapely.Geometry) -> NDArray[np.object_]:
    """The ground cut along every line between two labels."""
    lines = _borders(xy, label, ground)
    noded = shapely.union_all([*lines, shapely.boundary(ground)])
    parts = shapely.get_parts(shapely.polygonize([noded]))
    shapely.prepare(ground)
    inside = shapely.contains(ground, shapely.point_on_surface(parts))
    return np.asarray(parts[inside])


def _borders(xy: Floats, label: Ints, ground: shapely.Geometry) -> NDArray[np.object_]:
    """The lines between points of different labels, as far as they cross the ground."""
    if len(np.unique(label)) < 2:
        return np.zeros(0, dtype=object)
    west, south, east, north = shapely.bounds(ground)
    # Four far points close every cell that matters; the offset keeps the arithmetic near zero.
    far, middle = (
        10 * max(east - west, north - south, float(np.ptp(xy, axis=0).max())),
        np.array([(west + east) / 2, (south + north) / 2]),
    )
    frame = np.array([(-far, -far), (far, -far), (far, far), (-far, far)])
    net = Delaunay(np.r_[xy - middle, frame])
    tag = np.r_[label, np.full(4, np.iinfo(np.int64).max)]
    centre = _centres(net.points[net.simplices])
    triangle, corner = np.nonzero(net.neighbors > np.arange(len(net.neighbors))[:, None])
    # Two triangles share the side opposite a corner; the line between its ends' cells joins the triangles' centres.
    ends = net.simplices[triangle[:, None], (corner[:, None] + np.array([1, 2])) % 3]
    border = (tag[ends[:, 0]] != tag[ends[:, 1]]) & (ends < len(xy)).all(axis=1)
    sides = np.stack([centre[triangle[border]], centre[net.neighbors[triangle[border], corner[border]]]], axis=1)
    lines = shapely.linestrings(sides + middle)
    near = shapely.intersects(lines, shapely.box(west, south, east, north))
    merged = shapely.line_merge(shapely.multilinestrings(lines[near]))
    return np.asarray(shapely.get_parts(merged))


def _centres(corners: Floats) -> Floats:
    """The centres of the circles round triangles (triangles, 3, 2)."""
    a, b, c = corners[:, 0], corners[:, 1] - corners[:, 0], corners[:, 2] - corners[:, 0]
    twice = 2 * (b[:, 0] * c[:, 1] - b[:, 1] * c[:, 0])
    b2, c2 = (b**2).sum(axis=1), (c**2).sum(axis=1)
    x, y = (c[:, 1] * b2 - b[:, 1] * c2) / twice, (b[:, 0] * c2 - c[:, 0] * b2) / twice
    return np.asarray(a + np.column_stack([x, y]))
