"""From a place to the street: the nearest usable segment, the point along it, and how far off it lies.

A place is bound to a segment, not to a node: a house in mid-block leaves by both ends of its street. The distance
is kept; a place farther off than the limit is reported as not snapped and never moved silently.
"""

from __future__ import annotations

from collections.abc import Mapping
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

    def where(self, kept: Mask) -> Snaps:
        """The rows that are kept (rows,)."""
        return Snaps(self.place[kept], self.edge[kept], self.along_m[kept], self.off_m[kept])

    def only(self, kept: Mask) -> Snaps:
        """The same rows, those not kept (rows,) as not snapped."""
        return Snaps(self.place, np.where(kept, self.edge, -1), self.along_m, np.where(kept, self.off_m, np.nan))

    def __len__(self) -> int:
        return len(self.edge)

    def __repr__(self) -> str:
        return f"Snaps({len(self)} rows, {int((~self.found).sum())} not snapped)"


@dataclass(frozen=True)
class Indexed:
    """The usable edges of a network with an index over their lines: made once where places come one by one."""

    network: Network
    edges: Ints
    tree: shapely.STRtree

    @classmethod
    def of(cls, network: Network, usable: Mask) -> Indexed:
        """The edges that are ``usable`` (edges,)."""
        edges = np.flatnonzero(usable)
        return cls(network, edges, shapely.STRtree(network.lines[edges]))

    def __repr__(self) -> str:
        return f"Indexed({len(self.edges)} edges)"


def snap(network: Network, places: Geometries, *, usable: Mask, max_m: float) -> Snaps:
    """Bind each place (points or polygons, (n,), network CRS) to the nearest usable edge within ``max_m`` metres.

    ``max_m`` itself is within. Of edges equally near, the one drawn first wins, so that order of input changes nothing.
    """
    return snap_to(Indexed.of(network, usable), places, max_m=max_m)


def snap_to(streets: Indexed, places: Geometries, *, max_m: float) -> Snaps:
    """As ``snap``, for streets that are indexed already."""
    network = streets.network
    place, edge, off_m = _nearest(streets.tree, places, max_m)
    result = _unsnapped(len(places))
    result.edge[place], result.off_m[place] = streets.edges[edge], off_m
    result.along_m[place] = _feet(network.lines[result.edge[place]], places[place])
    return result


def snap_each(network: Network, places: Geometries, *, usable: Mapping[str, Mask], max_m: float) -> dict[str, Snaps]:
    """As ``snap`` for several profiles at once: the nearest street of any, and again where it is not open to one."""
    anybody = np.logical_or.reduce([np.zeros(len(network.u), dtype=bool), *usable.values()])
    first = snap(network, places, usable=anybody, max_m=max_m)
    return {name: _again(network, places, first, usable=mine, max_m=max_m) for name, mine in usable.items()}


def _again(network: Network, places: Geometries, first: Snaps, *, usable: Mask, max_m: float) -> Snaps:
    wrong = np.flatnonzero(first.found)
    wrong = wrong[~usable[first.edge[wrong]]]
    if not len(wrong):
        return first
    other = snap(network, places[wrong], usable=usable, max_m=max_m)
    edge, along_m, off_m = first.edge.copy(), first.along_m.copy(), first.off_m.copy()
    edge[wrong], along_m[wrong], off_m[wrong] = other.edge, other.along_m, other.off_m
    return Snaps(first.place, edge, along_m, off_m)


def _feet(lines: Geometries, places: Geometries) -> Floats:
    """How far along each line the point lies that is nearest to its place (for a polygon: to its outline)."""
    meets = shapely.get_point(shapely.shortest_line(lines, places), 0)
    return np.asarray(shapely.line_locate_point(lines, meets))


def _unsnapped(n: int) -> Snaps:
    return Snaps(np.arange(n), np.full(n, -1, dtype=np.int64), np.full(n, np.nan), np.full(n, np.nan))


def _nearest(lines: shapely.STRtree, places: Geometries, max_m: float) -> tuple[Ints, Ints, Floats]:
    """Place, nearest line and distance for every place that has one; ties go to the first line."""
    # The index's own limit excludes the bound; the next float up includes it.
    limit = np.nextafter(max_m, np.inf)
    pairs, off_m = lines.query_nearest(places, max_distance=limit, return_distance=True)
    order = np.lexsort((pairs[1], pairs[0]))
    first = np.unique(pairs[0][order], return_index=True)[1]
    kept = order[first]
    return pairs[0][kept], pairs[1][kept], off_m[kept]


def entrances(network: Network, sites: Geometries, *, usable: Mask, max_m: float, spread_m: float) -> Snaps:
    """Where walkers can enter each site: several rows a site, sorted by site; no edge where nothing is in reach.

    A site is entered wherever a usable street runs into it, and from every street that lies at most ``spread_m``
    farther off than the nearest one: it does not hang on a single door. Nothing farther than ``max_m`` counts.
    """
    return entrances_to(Indexed.of(network, usable), sites, max_m=max_m, spread_m=spread_m)


def entrances_to(streets: Indexed, sites: Geometries, *, max_m: float, spread_m: float) -> Snaps:
    """As ``entrances``, for streets that are indexed already."""
    network = streets.network
    nearest = snap_to(streets, sites, max_m=max_m)
    within = np.minimum(nearest.off_m + spread_m, max_m)
    met = np.flatnonzero(nearest.found)
    pairs = streets.tree.query(sites[met], predicate="dwithin", distance=within[met])
    place, edge = met[pairs[0]], streets.edges[pairs[1]]
    into = (shapely.get_dimensions(sites[place]) == 2) & shapely.intersects(network.lines[edge], sites[place])
    lost = ~nearest.found
    return _sorted(
        _through(network, sites, place[into], edge[into]),
        _beside(network, sites, place[~into], edge[~into]),
        Snaps(nearest.place[lost], nearest.edge[lost], nearest.along_m[lost], nearest.off_m[lost]),
    )


def _through(network: Network, sites: Geometries, place: Ints, edge: Ints) -> Snaps:
    """Doors where streets run into sites: at both ends of the stretch inside."""
    inside = _crossings(network.lines[edge], sites[place])
    return Snaps(place[inside.row], edge[inside.row], inside.along_m, np.zeros(len(inside.row)))


def _beside(network: Network, sites: Geometries, place: Ints, edge: Ints) -> Snaps:
    """Doors towards streets that pass by: where each comes nearest."""
    lines = network.lines[edge]
    return Snaps(place, edge, _feet(lines, sites[place]), shapely.distance(lines, sites[place]))


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
