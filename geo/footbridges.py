"""Where a footbridge brings people to a shelter: a straight link between two points of the open network.

Its ends are junctions. Whoever walks over it walks from their place to one end, over it at the speed of the level, and
from the other end to a shelter; nobody crosses it twice. So the ways over it follow from four searches, two from each
end, and are those that the network with the link would give. What stands or flows between its ends is not asked.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.spatial import KDTree

from geo import reaching, routing, search
from geo.buckets import NEVER
from geo.pairs import Pairs
from geo.refuge import Pace
from geo.routing import Graph
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

MS = 1000.0
"""Milliseconds a second."""
NEVER_MS = float("inf")
"""No way."""


@dataclass(frozen=True)
class Link:
    """A link between two nodes of the network, ``length_m`` metres; ``people`` is an estimate of whom it may help."""

    node: int
    other: int
    length_m: float
    people: int


@dataclass(frozen=True, eq=False)
class Links:
    """From each node the quickest and the shortest link that brings it nearer to a shelter with room.

    ``node``, ``other``, ``length_m`` (links,), sorted by node; ``after_ms`` (links,) is the time from the node over the
    link to the nearest such shelter, ``before_ms`` (nodes,) without any (infinity: no way).
    """

    node: Ints
    other: Ints
    length_m: Floats
    after_ms: Floats
    before_ms: Floats

    def __len__(self) -> int:
        return len(self.node)

    def __repr__(self) -> str:
        return f"Links({len(self)} from {len(np.unique(self.node))} of {len(self.before_ms)} nodes)"


def links(ways: Usable, doors: Snaps, *, most_m: float, speed_ms: float) -> Links:
    """The links of at most ``most_m`` metres towards ``doors`` (of shelters with room)."""
    before = _to_doors(ways, doors, speed_ms)
    network = ways.network
    there = np.unique(np.r_[network.u[ways.joined], network.v[ways.joined]])
    there = there[~ways.passage.barred[there]]
    goal = there[np.isfinite(before[there])]
    if not len(goal):
        none = np.zeros(0)
        return Links(there[:0], there[:0], none, none, before)
    at = np.column_stack([network.x, network.y])
    near = KDTree(at[there]).sparse_distance_matrix(KDTree(at[goal]), most_m, output_type="ndarray")
    node, other, metres = there[near["i"]], goal[near["j"]], near["v"]
    after = np.rint(metres / speed_ms * MS) + before[other]
    nearer = after < before[node]
    node, other, metres, after = (column[nearer] for column in (node, other, metres, after))
    kept = np.unique(np.r_[_least_of(node, after, other), _least_of(node, metres, other)])
    kept = kept[np.lexsort((other[kept], node[kept]))]
    return Links(node[kept], other[kept], metres[kept], after[kept], before)


def _least_of(node: Ints, value: Floats, other: Ints) -> Ints:
    """The row of the least value of each node; of equals the one whose other end comes first."""
    order = np.lexsort((other, value, node))
    return order[np.unique(node[order], return_index=True)[1]].astype(np.int64)


def _to_doors(ways: Usable, doors: Snaps, speed_ms: float) -> Floats:
    """Milliseconds from each node to the nearest door, (nodes,); infinity where there is no way."""
    forest = routing.nearest(ways.graph.reverse, doors, extra_s=np.nan_to_num(doors.off_m) / speed_ms)
    cost = forest.cost_ms[: ways.graph.nodes].astype(np.float64)
    return np.where(cost < 0, NEVER_MS, cost)


def best(
    found: Links, ways: Usable, places: Snaps, mine: Ints, people: Ints, *, limit_s: float, speed_ms: float, count: int
) -> list[Link]:
    """The links that may help most of ``people`` (places,) at the places ``mine``: ``count`` at most, best first.

    Counted for each link are those who live within a circle from which one end of it may be reached in time: more than
    can be helped; of equals the shorter link comes first. Of links whose ends are near each other one is kept.
    """
    mine = mine[places.found[mine]]
    some = Snaps(mine, places.edge[mine], places.along_m[mine], places.off_m[mine])
    roots = routing.roots(ways.graph, some)
    met = search.within(ways.graph, roots, max_s=limit_s)
    cost = np.full(ways.graph.nodes, NEVER_MS)
    np.minimum.at(cost, ways.graph.node_of[met.state], met.cost_ms)
    late = cost[found.node] + found.before_ms[found.node] > limit_s * MS
    row = np.flatnonzero(late & (cost[found.node] + found.after_ms <= limit_s * MS))
    if not len(row):
        return []
    node, home = found.node[row], np.column_stack(_points(ways, places, mine))
    at = np.column_stack([ways.network.x, ways.network.y])
    radius = (limit_s * MS - found.after_ms[row]) / MS * speed_ms
    held = KDTree(home).query_ball_point(at[node], radius)
    weight = np.array([int(people[mine[rows]].sum()) for rows in held])
    order = np.lexsort((found.other[row], node, found.length_m[row], -weight))
    return _apart(found, row[order], weight[order], at, count)


def _points(ways: Usable, places: Snaps, rows: Ints) -> tuple[Floats, Floats]:
    """Where places meet the streets, between the ends of their street; metres."""
    network, edge = ways.network, places.edge[rows]
    length = network.length_m[edge]
    share = np.divide(places.along_m[rows], length, out=np.zeros(len(rows)), where=length > 0)
    x, y = (at[network.u[edge]] * (1 - share) + at[network.v[edge]] * share for at in (network.x, network.y))
    return x, y


def _apart(found: Links, row: Ints, weight: Ints, at: Floats, count: int) -> list[Link]:
    """The first links (rows) none of which begins and ends nearer to another than that is long."""
    chosen: list[Link] = []
    for one, people in zip(row.tolist(), weight.tolist(), strict=True):
        link = Link(int(found.node[one]), int(found.other[one]), float(found.length_m[one]), people)
        if people and not any(_alike(link, other, at) for other in chosen):
            chosen.append(link)
        if len(chosen) == count:
            break
    return chosen


def _alike(link: Link, other: Link, at: Floats) -> bool:
    apart = max(np.hypot(*(at[a] - at[b])) for a, b in ((link.node, other.node), (link.other, other.other)))
    return bool(apart < max(link.length_m, other.length_m))


def over(ways: Usable, pairs: Pairs, places: Snaps, doors: Snaps, link: Link, *, pace: Pace) -> Pairs:
    """All pairs where the link is there: the old ones, and the ways over it in both directions."""
    limit = np.broadcast_to(np.asarray(pace.limit_s, dtype=np.float64), (pairs.sites,))
    cross_ms = round(link.length_m / pace.speed_ms * MS)
    both = [
        _one_way(ways.graph, places, doors, a, b, cross_ms, limit, pace.speed_ms)
        for a, b in ((link.node, link.other), (link.other, link.node))
    ]
    site = np.unique(np.r_[both[0][1], both[1][1]])
    old = np.flatnonzero(np.isin(pairs.site, site))
    rows = (*both, (pairs.place[old], pairs.site[old], pairs.cost_ms[old]))
    now = Pairs.of(*(np.concatenate(c) for c in zip(*rows, strict=True)), places=pairs.places, sites=pairs.sites)
    return reaching.replaced(pairs, site, now)


def _one_way(
    graph: Graph, places: Snaps, doors: Snaps, node: int, other: int, cross_ms: int, limit_s: Floats, speed_ms: float
) -> tuple[Ints, Ints, Ints]:
    """Place, site and milliseconds of all ways to ``node``, over the link, and from ``other`` to a site."""
    most_s = float(limit_s.max(initial=0))
    to = reaching.pairs(graph, places, _at(graph, node), limit_s=most_s, speed_ms=speed_ms, sites=1)
    ends = Snaps(np.arange(len(doors)), doors.edge, doors.along_m, doors.off_m)
    from_ = reaching.pairs(graph.reverse, ends, _at(graph, other), limit_s=most_s, speed_ms=speed_ms, sites=1)
    site, ms = _least(doors.place[from_.place], from_.cost_ms)
    total = to.cost_ms[:, None] + (cross_ms + ms)[None, :]
    row, column = np.nonzero(total <= np.floor(limit_s[site] * MS + 1e-6)[None, :])
    return to.place[row], site[column], total[row, column]


def _least(site: Ints, ms: Ints) -> tuple[Ints, Ints]:
    order = np.lexsort((ms, site))
    first = np.unique(site[order], return_index=True)[1]
    return site[order[first]], ms[order[first]]


def _at(graph: Graph, node: int) -> Snaps:
    """A door at a node: at the end of one of its open streets."""
    open_ = np.minimum(graph.forward_ms, graph.backward_ms) < NEVER
    edge = int(np.flatnonzero(open_ & ((graph.u == node) | (graph.v == node)))[0])
    along = 0.0 if graph.u[edge] == node else float(graph.length_m[edge])
    zero = np.zeros(1)
    return Snaps(np.zeros(1, dtype=np.int64), np.array([edge]), np.array([along]), zero)
