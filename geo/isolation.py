"""Who is cut off: the pieces into which closed streets break the network, and what would join them again.

A piece is what hangs together along open streets, whatever their direction. It is isolated when it is not the largest,
or when no usable shelter (hospital, …) is on it. To reopen the fewest metres: the shortest way from the piece over
streets that are open on an ordinary day and closed now; what is open costs nothing (E. W. Dijkstra, on the pieces
and the nodes between them).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components, dijkstra

from geo.parts import Parts
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NOWHERE = -1
"""The piece of a street that is closed or leads nowhere, and of who lives there."""
SHORTEST_M = 1e-6
"""No street is shorter: zero would be no street at all in a sparse matrix."""


@dataclass(frozen=True, eq=False)
class Broken:
    """The pieces of the network, the largest (by metres) first.

    ``piece`` (edges,) of each street, ``NOWHERE`` where it is closed or leads nowhere; ``at_node`` (nodes,) of each
    node, ``NOWHERE`` where no open street is. ``length_m`` (pieces,) of their streets.
    """

    ways: Usable
    piece: Ints
    at_node: Ints
    length_m: Floats

    def __len__(self) -> int:
        return len(self.length_m)

    def at(self, snaps: Snaps) -> Ints:
        """The piece that each row (rows,) of places or doors is on; ``NOWHERE`` without a street or on none of them."""
        return np.append(self.piece, NOWHERE)[snaps.edge]

    def __repr__(self) -> str:
        return f"Broken({len(self)} pieces, the largest {self.length_m.max(initial=0) / 1000:.1f} km)"


def pieces(ways: Usable) -> Broken:
    """What hangs together along the streets that are open and lead somewhere on an ordinary day."""
    graph, edges, network = ways.graph, len(ways.graph.u), ways.network
    on = np.flatnonzero(ways.joined[graph.edge])
    rows = np.r_[graph.edge[on], graph.edge[on]].astype(np.int64)
    states = edges + np.r_[graph.tail[on], graph.head[on]].astype(np.int64)
    size = edges + len(graph)
    label = connected_components(coo_array((np.ones(len(rows)), (rows, states)), shape=(size, size)), directed=False)[1]
    used = np.unique(graph.edge[on]).astype(np.int64)
    found, first, inverse = np.unique(label[used], return_index=True, return_inverse=True)
    length = np.bincount(inverse, network.length_m[used], minlength=len(found))
    order = np.lexsort((first, -length))
    number = np.full(int(label.max(initial=0)) + 1, NOWHERE, dtype=np.int64)
    number[found[order]] = np.arange(len(found))
    piece = np.full(edges, NOWHERE, dtype=np.int64)
    piece[used] = number[label[used]]
    metres = np.asarray(length[order], dtype=np.float64)
    return Broken(ways, piece, number[label[edges : edges + graph.nodes]], metres)


# -- what would join them ----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Gaps:
    """Closed streets between pieces and nodes: ends ``a`` < ``b`` (gaps,) sorted, ``edge`` the shortest of each."""

    a: Ints
    b: Ints
    edge: Ints
    length_m: Floats
    n: int


def _gaps(broken: Broken, normal: Usable) -> _Gaps:
    """Streets open on an ordinary day and closed now. Vertices are the pieces, then the nodes that are in none."""
    network, pieces_ = broken.ways.network, len(broken)
    barred = broken.ways.graph.barred
    free = normal.joined & ~broken.ways.usable & ~barred[network.u] & ~barred[network.v]
    edge = np.flatnonzero(free)
    vertex = np.where(broken.at_node == NOWHERE, pieces_ + np.arange(len(network.x)), broken.at_node)
    ends = np.sort(np.column_stack([vertex[network.u[edge]], vertex[network.v[edge]]]), axis=1).reshape(-1, 2)
    length = np.maximum(network.length_m[edge], SHORTEST_M)
    order = np.lexsort((edge, length, ends[:, 1], ends[:, 0]))
    order = order[ends[order, 0] != ends[order, 1]]
    first = np.unique(ends[order], axis=0, return_index=True)[1] if len(order) else np.zeros(0, dtype=np.int64)
    kept = order[first]
    return _Gaps(ends[kept, 0], ends[kept, 1], edge[kept], length[kept], pieces_ + len(network.x))


@dataclass(frozen=True)
class Reopened:
    """For each piece the streets (edges) to reopen, in order from it, and their metres; NaN where nothing would do."""

    edges: list[Ints]
    length_m: Floats


def reopened(broken: Broken, normal: Usable, goals: Ints) -> Reopened:
    """The fewest metres of streets to reopen to join each piece to one of the pieces that are ``goals``."""
    gaps = _gaps(broken, normal)
    if not len(goals):
        return Reopened([np.zeros(0, dtype=np.int64)] * len(broken), np.full(len(broken), np.nan))
    joins = csr_array((gaps.length_m, (gaps.a, gaps.b)), shape=(gaps.n, gaps.n))
    far_m, before, _ = dijkstra(joins, directed=False, indices=goals, min_only=True, return_predecessors=True)
    ways = [_back(gaps, before.astype(np.int64), piece) for piece in range(len(broken))]
    length = np.where(np.isfinite(far_m[: len(broken)]), far_m[: len(broken)], np.nan)
    return Reopened(ways, length)


def _back(gaps: _Gaps, before: Ints, vertex: int) -> Ints:
    """The closed streets from a piece to where its search came from."""
    key, edges = gaps.a * gaps.n + gaps.b, []
    while before[vertex] >= 0:
        other = int(before[vertex])
        low, high = min(vertex, other), max(vertex, other)
        edges.append(int(gaps.edge[np.searchsorted(key, low * gaps.n + high)]))
        vertex = other
    return np.array(edges, dtype=np.int64)


# -- the tables --------------------------------------------------------------------------------------------------------


def isolated(
    broken: Broken,
    normal: Usable,
    places: Snaps,
    people: Ints,
    community_id: pd.Series,
    *,
    services: Mapping[str, Snaps],
) -> gpd.GeoDataFrame:
    """One row a piece with people on it that is not the largest or lacks a service; most people first.

    ``places`` are bound to the streets of an ordinary day, ``people`` and ``community_id`` (places,) theirs; who lives
    on a closed street is on no piece. ``services`` are the doors on open streets of what people must reach:
    ``shelter``, ``hospital``. Columns: ``piece`` (its number), ``people``, ``length_m`` of its streets, ``largest``,
    ``communities`` (how many, part or whole), ``community_id`` (that of most of its people), ``reopen_ids`` and
    ``reopen_m``, the streets whose reopening joins it to the largest piece with the fewest metres (empty, 0: none
    needed; None, NaN: nothing would do); and for each service ``<name>_sites`` on it, ``reopen_<name>_ids`` and
    ``reopen_<name>_m`` to join it to a piece that has some. Geometry: its streets.
    """
    on = broken.at(places)
    homes = Parts(on, len(broken))
    sites = {name: _sites(broken, doors) for name, doors in services.items()}
    counted = homes.sums(people)
    lacking = np.any([count == 0 for count in sites.values()] + [np.arange(len(broken)) > 0], axis=0)
    rows = np.flatnonzero((counted > 0) & lacking)
    rows = rows[np.lexsort((rows, -counted[rows]))]
    columns: dict[str, object] = {
        "piece": rows, "people": counted[rows], "length_m": broken.length_m[rows], "largest": rows == 0,
        **_communities(rows, on, people, community_id),
        **_joined("reopen", broken, reopened(broken, normal, np.arange(min(1, len(broken)))), rows),
    }  # fmt: skip
    for name, count in sites.items():
        way = reopened(broken, normal, np.flatnonzero(count))
        columns |= {f"{name}_sites": count[rows], **_joined(f"reopen_{name}", broken, way, rows)}
    lines = [shapely.MultiLineString(list(broken.ways.network.lines[broken.piece == row])) for row in rows]
    return gpd.GeoDataFrame(pd.DataFrame(columns), geometry=gpd.GeoSeries(lines, crs=broken.ways.network.crs))


def _sites(broken: Broken, doors: Snaps) -> Ints:
    """How many different sites have a door on each piece, (pieces,)."""
    on = broken.at(doors)
    both = np.unique(np.column_stack([on, doors.place])[on != NOWHERE], axis=0).reshape(-1, 2)
    return np.bincount(both[:, 0], minlength=len(broken)).astype(np.int64)


def _joined(name: str, broken: Broken, way: Reopened, rows: Ints) -> dict[str, object]:
    """The streets to reopen as a text of ids, and their metres."""
    ids = broken.ways.network.street_ids
    texts = [None if np.isnan(way.length_m[row]) else " ".join(ids[way.edges[row]]) for row in rows]
    return {f"{name}_ids": pd.Series(texts, dtype="object"), f"{name}_m": way.length_m[rows]}


def _communities(rows: Ints, on: Ints, people: Ints, community_id: pd.Series) -> dict[str, object]:
    """How many communities have people on each piece, and which most; of equals the id that comes first."""
    there = (people > 0) & (on != NOWHERE)
    table = pd.DataFrame(
        {"piece": on[there], "id": community_id.to_numpy(dtype=object)[there], "people": people[there]}
    )
    by = (
        table.groupby(["piece", "id"])["people"]
        .sum()
        .reset_index()
        .sort_values(["people", "id"], ascending=[False, True])
    )
    count, most = by.groupby("piece")["id"].size(), by.drop_duplicates("piece").set_index("piece")["id"]
    return {
        "communities": count.reindex(rows, fill_value=0).to_numpy(dtype=np.int64),
        "community_id": pd.Series(most.reindex(rows).to_numpy(), dtype="object"),
    }


def cut_off(walk_s: Floats, people: Ints, on: Ints, homes: Parts) -> pd.DataFrame:
    """Each community's people without any way to a usable shelter, their share, and into how many pieces it is broken.

    ``walk_s`` (places,) is the walk to the nearest usable shelter, however far, NaN without a way; ``on`` (places,) the
    piece each place is on. ``people_no_way``, ``no_way_share`` (0-1, NaN where nobody lives), ``people_street_closed``
    (those of them whose own street is closed or who have none) and ``pieces`` with people of it.
    """
    stuck, everybody = np.isnan(walk_s), homes.sums(people)
    lost = homes.sums(people, stuck)
    there = (people > 0) & (on != NOWHERE) & (homes.part >= 0)
    both = np.unique(np.column_stack([homes.part, on])[there], axis=0).reshape(-1, 2)
    return pd.DataFrame(
        {
            "people_no_way": lost,
            "no_way_share": np.divide(lost, everybody, out=np.full(len(homes), np.nan), where=everybody > 0),
            "people_street_closed": homes.sums(people, stuck & (on == NOWHERE)),
            "pieces": np.bincount(both[:, 0], minlength=len(homes)).astype(np.int64),
        }
    )
