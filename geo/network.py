"""Streets as a network: ways over shared nodes become segments between junctions.

Two forms of one thing. ``Ways`` is what a map gives: each way a chain of nodes, ways joined where they share a
node. ``Network`` is what routing needs: nodes where something can be decided, and between them segments ("edges")
with their shape. Ways that cross without a shared node (bridges, tunnels) stay apart. Nodes are kept in Hilbert
order, so that neighbours in the city are neighbours in memory.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.errors import ColumnError, Fault, refuse

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

WAY_TAGS = (
    "highway",
    "name",
    "name_zh",
    "name_en",
    "oneway",
    "oneway:foot",
    "foot",
    "access",
    "bicycle",
    "motor_vehicle",
    "motorcar",
    "hgv",
    "emergency",
    "vehicle",
    "motorroad",
    "bridge",
    "tunnel",
    "layer",
    "surface",
    "tracktype",
    "width",
    "lanes",
    "maxspeed",
    "maxspeed:forward",
    "maxspeed:backward",
    "maxheight",
    "maxwidth",
    "maxweight",
    "access:conditional",
    "motor_vehicle:conditional",
    "oneway:conditional",
    "sidewalk",
    "junction",
    "service",
    "covered",
    "area",
    "smoothness",
    "incline",
    "wheelchair",
    "ramp",
    "ramp:wheelchair",
    "ramp:stroller",
    "kerb",
    "lit",
    "ford",
)
"""Text columns of ``Ways.tags`` after ``way_id``: OSM keys, save name_zh and name_en; None where not tagged."""
NO_TUNNEL = ("no", "building_passage", "covered", "flooded")
"""Values of OSM tunnel that are no tunnel, or no shelter from anything."""
BARRIER_TAGS = (
    "barrier",
    "access",
    "foot",
    "bicycle",
    "motor_vehicle",
    "vehicle",
    "locked",
    "emergency",
    "motorcar",
    "hgv",
    "maxwidth",
    "maxheight",
    "wheelchair",
)
"""Text columns of ``Ways.barriers`` after ``node_id``."""
RESTRICTIONS = {
    "restriction_id": "int64",
    "kind": "object",
    "from_way": "int64",
    "via_node": "int64",
    "via_ways": "object",
    "to_way": "int64",
    "excepts": "object",
    "vehicle": "object",
    "condition": "object",
}
"""Columns of ``Ways.restrictions`` and their types: one row a way from which, over which and into which it holds.

``kind`` is ``no_left_turn``, ``only_straight_on``, …; ``via_node`` is -1 where it leads over ``via_ways`` (a tuple of
way ids in their order, empty where it leads over a node). Text, None where there is none: ``excepts`` (whom it does not
bind, ``psv;bicycle``), ``vehicle`` (the only one it binds, ``hgv``), ``condition`` (``no_left_turn @ (07:00-09:00)``).
"""


def no_restrictions() -> pd.DataFrame:
    """No turn restriction: no rows, the right columns."""
    return pd.DataFrame({name: pd.Series(dtype=dtype) for name, dtype in RESTRICTIONS.items()})


@dataclass(frozen=True)
class Ways:
    """Streets as a map has them.

    ``tags`` has one row a way; way ``i`` runs over positions ``start[i]:start[i + 1]`` of ``node`` (ids), ``x`` and
    ``y`` (metres in ``crs``). ``barriers`` has one row a node on which something stands (gate, bollard, …).
    ``restrictions`` (``RESTRICTIONS``) are forbidden and prescribed turns.
    """

    tags: pd.DataFrame
    start: Ints
    node: Ints
    x: Floats
    y: Floats
    barriers: pd.DataFrame
    crs: str
    restrictions: pd.DataFrame = field(default_factory=no_restrictions)

    def __post_init__(self) -> None:
        refuse(ColumnError, _way_faults(self))

    def __len__(self) -> int:
        return len(self.tags)

    def __repr__(self) -> str:
        return (
            f"Ways({len(self)} ways over {len(np.unique(self.node))} nodes, {len(self.barriers)} barriers, {self.crs})"
        )


def _way_faults(ways: Ways) -> list[Fault]:
    faults = []
    missing = [c for c in ("way_id", *WAY_TAGS) if c not in ways.tags.columns]
    missing += [c for c in ("node_id", *BARRIER_TAGS) if c not in ways.barriers.columns]
    missing += [c for c in RESTRICTIONS if c not in ways.restrictions.columns]
    if missing:
        faults.append(Fault("a column for every tag", f"none for {', '.join(missing)}", "street ways"))
    if len(ways.start) != len(ways.tags) + 1 or (np.diff(ways.start) < 2).any():
        faults.append(Fault("at least two nodes a way", "offsets that do not fit", "street ways"))
    if not len(ways.node) == len(ways.x) == len(ways.y) == ways.start[-1]:
        faults.append(Fault("one coordinate pair a node", "arrays of other lengths", "street ways"))
    elif not (np.isfinite(ways.x).all() and np.isfinite(ways.y).all()):
        faults.append(Fault("finite coordinates", "NaN or infinity", "street ways"))
    return faults


@dataclass(frozen=True)
class Network:
    """Nodes and the street segments between them.

    Nodes: ``node_id``, ``x``, ``y`` (metres in ``crs``), in Hilbert order. Edges: from node position ``u`` to ``v``
    in the direction the way is drawn, ``length_m`` along the shape, ``way`` the row of ``tags``; the shape of edge
    ``e`` is ``px, py[start[e]:start[e + 1]]``, ends included. ``barrier_node`` gives the node position of each row of
    ``barriers``. ``restrictions`` are those of the ways. ``dropped`` counts segments without length that were left out.
    """

    node_id: Ints
    x: Floats
    y: Floats
    u: Ints
    v: Ints
    length_m: Floats
    way: Ints
    start: Ints
    px: Floats
    py: Floats
    tags: pd.DataFrame
    barriers: pd.DataFrame
    barrier_node: Ints
    dropped: int
    crs: str
    restrictions: pd.DataFrame = field(default_factory=no_restrictions)

    def __repr__(self) -> str:
        km = self.length_m.sum() / 1000
        return f"Network({len(self.x)} nodes, {len(self.u)} edges, {km:.1f} km, {self.crs})"

    @cached_property
    def lines(self) -> NDArray[np.object_]:
        """The shape of every edge as a LineString, (edges,), in ``crs``."""
        xy = np.column_stack([self.px, self.py])
        return np.asarray(shapely.linestrings(xy, indices=np.repeat(np.arange(len(self.u)), np.diff(self.start))))

    @cached_property
    def boxes(self) -> Floats:
        """West, south, east, north of every edge, (edges, 4), metres."""
        first = self.start[:-1]
        sides = [(np.minimum, self.px), (np.minimum, self.py), (np.maximum, self.px), (np.maximum, self.py)]
        return np.column_stack([most.reduceat(at, first) if len(first) else np.zeros(0) for most, at in sides])

    def meeting(self, west: float, south: float, east: float, north: float) -> Mask:
        """Which edges' boxes meet a box (metres in ``crs``), its border included, (edges,)."""
        box = self.boxes
        return (box[:, 0] <= east) & (box[:, 2] >= west) & (box[:, 1] <= north) & (box[:, 3] >= south)

    @cached_property
    def tree(self) -> shapely.STRtree:
        """Spatial index over ``lines``."""
        return shapely.STRtree(self.lines)

    def edge_tag(self, name: str, edges: Ints | None = None) -> NDArray[np.object_]:
        """One tag of each edge's way, (edges,), or of those asked for; None where not tagged."""
        if name not in self._by_way:
            values = self.tags[name].astype("object")
            self._by_way[name] = np.asarray(values.where(values.notna(), None).to_numpy(), dtype=object)
        return self._by_way[name][self.way if edges is None else self.way[edges]]

    @cached_property
    def _by_way(self) -> dict[str, NDArray[np.object_]]:
        """Tags that were asked for, of each way."""
        return {}

    def edge_is(self, name: str, *, never: tuple[str, ...] = ("no",)) -> Mask:
        """Whether each edge's way carries the tag with a value other than ``never``, (edges,)."""
        values = self.tags[name]
        return np.asarray((values.notna() & ~values.isin(never)).to_numpy()[self.way])

    @cached_property
    def aloft(self) -> Mask:
        """Which edges do not run on the ground: bridges and tunnels, (edges,)."""
        return self.edge_is("bridge") | self.edge_is("tunnel", never=NO_TUNNEL)

    def streets(self) -> gpd.GeoDataFrame:
        """One row an edge: street_id, way_id, names, highway, length_m, bridge, tunnel, geometry."""
        columns: dict[str, object] = {"street_id": self.street_ids, "way_id": self.tags["way_id"].to_numpy()[self.way]}
        columns |= {name: self.edge_tag(name) for name in ("name", "name_zh", "name_en", "highway")}
        columns |= {"length_m": self.length_m, "bridge": self.edge_is("bridge"), "tunnel": self.edge_is("tunnel")}
        return gpd.GeoDataFrame(columns, geometry=self.lines, crs=self.crs)

    @cached_property
    def street_ids(self) -> NDArray[np.object_]:
        """``w<way>-<n>``: the n-th segment of its way, counted from 0 along it, (edges,).

        A way that an extract cuts in pieces goes on counting: its pieces follow each other.
        """
        way_id = self.tags["way_id"].to_numpy()[self.way]
        counts = pd.Series(way_id).groupby(way_id).cumcount() if len(way_id) else ()
        return np.array([f"w{w}-{n}" for w, n in zip(way_id, counts, strict=True)], dtype=object)


def below_ground(lines: gpd.GeoDataFrame) -> Mask:
    """Which lines (n,) of the map run in tunnels and culverts, by the column ``tunnel`` where there is one."""
    if "tunnel" not in lines:
        return np.zeros(len(lines), dtype=bool)
    return np.asarray(lines["tunnel"].notna() & ~lines["tunnel"].isin(NO_TUNNEL), dtype=bool)


def build(ways: Ways) -> Network:
    """Cut the ways at every shared node, way end and barrier, and put the nodes in Hilbert order.

    A node is kept where two ways meet, where a way ends or meets itself, and where a barrier stands. Segments of no
    length (a node repeated in a row) are dropped and counted. Edges keep the order of the ways.
    """
    ids, inverse = np.unique(ways.node, return_inverse=True)
    kept = _decisive(ways, ids, inverse)
    first, last, way = _segments(ways, kept[inverse])
    length, start, px, py = _shapes(ways, first, last)
    order, position = _hilbert(ways, ids, inverse, kept)
    real = ~((length == 0) & (inverse[first] == inverse[last]))
    start, px, py = _take(start, px, py, real)
    stands = np.searchsorted(ids, ways.barriers["node_id"].to_numpy(dtype=np.int64))
    at = _first_position(inverse, len(ids))
    return Network(
        node_id=ids[order],
        x=ways.x[at[order]],
        y=ways.y[at[order]],
        u=position[inverse[first]][real],
        v=position[inverse[last]][real],
        length_m=length[real],
        way=way[real],
        start=start,
        px=px,
        py=py,
        tags=ways.tags,
        barriers=ways.barriers,
        barrier_node=position[np.minimum(stands, len(ids) - 1)] if len(ids) else stands,
        dropped=int((~real).sum()),
        crs=ways.crs,
        restrictions=ways.restrictions,
    )


def _decisive(ways: Ways, ids: Ints, inverse: Ints) -> Mask:
    """Which distinct nodes become network nodes, (ids,)."""
    kept = np.bincount(inverse, minlength=len(ids)) > 1
    kept[inverse[ways.start[:-1]]] = True
    kept[inverse[ways.start[1:] - 1]] = True
    return np.asarray(kept | np.isin(ids, ways.barriers["node_id"].to_numpy(dtype=np.int64)))


def _segments(ways: Ways, cut: Mask) -> tuple[Ints, Ints, Ints]:
    """First and last position of each segment, and its way; ``cut`` marks positions (m,) that are nodes."""
    where = np.flatnonzero(cut)
    way = np.searchsorted(ways.start, where, side="right") - 1
    joined = np.flatnonzero(way[1:] == way[:-1])
    return where[joined], where[joined + 1], way[joined]


def _shapes(ways: Ways, first: Ints, last: Ints) -> tuple[Floats, Ints, Floats, Floats]:
    """Length of each segment, and its points copied out so that each segment has its own ends."""
    # Each segment is summed by itself: a running total over the whole city would make lengths depend on its order.
    steps = np.r_[np.hypot(np.diff(ways.x), np.diff(ways.y)), 0.0]
    length = np.add.reduceat(steps, np.column_stack([first, last]).ravel())[::2] if len(first) else np.zeros(0)
    size = last - first + 1
    start = np.r_[0, np.cumsum(size)]
    point = np.arange(start[-1]) - np.repeat(start[:-1] - first, size)
    return length, start, ways.x[point], ways.y[point]


def _take(start: Ints, px: Floats, py: Floats, real: Mask) -> tuple[Ints, Floats, Floats]:
    """The shapes of the real segments only."""
    if real.all():
        return start, px, py
    points = np.repeat(real, np.diff(start))
    return np.r_[0, np.cumsum(np.diff(start)[real])], px[points], py[points]


def _first_position(inverse: Ints, n: int) -> Ints:
    """For each distinct node one position at which it occurs, (n,)."""
    at = np.zeros(n, dtype=np.int64)
    at[inverse[::-1]] = np.arange(len(inverse) - 1, -1, -1)
    return at


def _hilbert(ways: Ways, ids: Ints, inverse: Ints, kept: Mask) -> tuple[Ints, Ints]:
    """Kept nodes in Hilbert order, and each distinct node's position in that order (-1 when not kept)."""
    chosen = np.flatnonzero(kept)
    position = np.full(len(ids), -1, dtype=np.int64)
    if not len(chosen):
        return chosen, position
    at = _first_position(inverse, len(ids))[chosen]
    distance = gpd.GeoSeries.from_xy(ways.x[at], ways.y[at]).hilbert_distance().to_numpy()
    order = chosen[np.lexsort((ids[chosen], distance))]
    position[order] = np.arange(len(order))
    return order, position
