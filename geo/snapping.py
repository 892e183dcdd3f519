"""From a place to the street: the nearest usable segment, the point along it, and how far off it lies.

A place is bound to a segment, not to a node: a house in mid-block leaves by both ends of its street. The distance
is kept; a place farther off than the limit is reported as not snapped and never moved silently.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import shapely
from numpy.typing import NDArray

from geo.network import Network

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Geometries = NDArray[np.object_]


@dataclass(frozen=True)
class Snaps:
    """Where places meet the network, one row a place unless said otherwise.

    ``place`` row of the place; ``edge`` -1 when nothing usable lies within the limit; ``along_m`` from the edge's
    start; ``off_m`` straight distance from the place to that point, NaN when not snapped.
    """

    place: Ints
    edge: Ints
    along_m: Floats
    off_m: Floats

    @property
    def found(self) -> Mask:
        """Which rows met a street, (rows,)."""
        return self.edge >= 0

    def __len__(self) -> int:
        return len(self.edge)

    def __repr__(self) -> str:
        return f"Snaps({len(self)} rows, {int((~self.found).sum())} not snapped)"


def snap(network: Network, places: Geometries, *, usable: Mask, max_m: float) -> Snaps:
    """Bind each place (points or polygons, (n,), network CRS) to the nearest usable edge within ``max_m`` metres.

    ``max_m`` itself is within. Of edges equally near, the one drawn first wins, so that order of input changes nothing.
    """
    edges = np.flatnonzero(usable)
    place, edge, off_m = _nearest(network.lines[edges], places, max_m)
    result = _unsnapped(len(places))
    result.edge[place], result.off_m[place] = edges[edge], off_m
    line = network.lines[result.edge[place]]
    # A polygon meets the street at the point of the street nearest to its outline.
    meets = shapely.get_point(shapely.shortest_line(line, places[place]), 0)
    result.along_m[place] = shapely.line_locate_point(line, meets)
    return result


def _unsnapped(n: int) -> Snaps:
    return Snaps(np.arange(n), np.full(n, -1, dtype=np.int64), np.full(n, np.nan), np.full(n, np.nan))


def _nearest(lines: Geometries, places: Geometries, max_m: float) -> tuple[Ints, Ints, Floats]:
    """Place, nearest line and distance for every place that has one; ties go to the first line."""
    # The index's own limit excludes the bound; the next float up includes it.
    limit = np.nextafter(max_m, np.inf)
    pairs, off_m = shapely.STRtree(lines).query_nearest(places, max_distance=limit, return_distance=True)
    order = np.lexsort((pairs[1], pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)[1]
    kept = order[first]
    return pairs[0][kept], pairs[1][kept], off_m[kept]


def entrances(network: Network, sites: Geometries, *, usable: Mask, max_m: float) -> Snaps:
    """Where walkers can enter each site: wherever a usable street crosses or runs into it, else the nearest street.

    Several rows a site, sorted by site; a site out of reach of any usable street has none with an edge.
    """
    edges = np.flatnonzero(usable)
    nearest = snap(network, sites, usable=usable, max_m=max_m)
    area = np.flatnonzero(shapely.get_dimensions(sites) == 2)
    pairs = shapely.STRtree(network.lines[edges]).query(sites[area], predicate="intersects")
    inside = _crossings(network.lines[edges[pairs[1]]], sites[area[pairs[0]]])
    place, edge = area[pairs[0]][inside.row], edges[pairs[1]][inside.row]
    crossed = Snaps(place, edge, inside.along_m, np.zeros(len(place)))
    rest = ~np.isin(nearest.place, place)
    return _sorted(crossed, Snaps(*(getattr(nearest, f)[rest] for f in ("place", "edge", "along_m", "off_m"))))


@dataclass(frozen=True)
class _Crossings:
    row: Ints
    along_m: Floats


def _crossings(lines: Geometries, sites: Geometries) -> _Crossings:
    """The ends of each line's stretch within its site, as distances along the line."""
    parts, row = shapely.get_parts(shapely.intersection(lines, sites), return_index=True)
    ends = np.r_[shapely.get_point(parts, 0), shapely.get_point(parts, -1)]
    ends = np.where(shapely.is_missing(ends), np.r_[parts, parts], ends)
    rows = np.r_[row, row].astype(np.int64)
    return _Crossings(rows, shapely.line_locate_point(lines[rows], ends))


def _sorted(*many: Snaps) -> Snaps:
    columns = [np.concatenate([getattr(s, f) for s in many]) for f in ("place", "edge", "along_m", "off_m")]
    order = np.lexsort((columns[2], columns[1], columns[0]))
    return Snaps(*(c[order] for c in columns))
