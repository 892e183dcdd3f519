"""Which closed streets to raise so that people come to a shelter: stretches of closed street on their way to one.

On the streets of an ordinary day a tree of ways leads from everywhere to the nearest shelter with room; on it a closed
street counts for more than its length (``factor``), so that the ways use few of them. A corridor is what is closed on
one such way. Raising it helps all whose way, own street included, has no other closed street: counted for every
corridor of the tree in one pass from the shelters outwards.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import routing
from geo.buckets import CLOSED, NEVER, NOTHING
from geo.routing import Forest, Graph, Starts
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Corridor:
    """Closed streets (edges, from the shelter outwards), how many metres they are, and whom they may help.

    ``people`` is an estimate: at most so many have no other closed street on this way, and room at ``site``.
    """

    edges: Ints
    length_m: float
    people: int
    site: int

    def __repr__(self) -> str:
        return f"Corridor({len(self.edges)} streets, {self.length_m:.0f} m, about {self.people} people)"


@dataclass(frozen=True, eq=False)
class Corridors:
    """All corridors of one tree, link by link: a link is one closed street and the ``up`` link nearer to the shelter.

    ``edge``, ``up`` (-1: none), ``raised_m`` (metres in all), ``site`` (links,), each after the one it hangs on.
    ``link`` (places,) is the one whose raising, with those before it, opens a place's way; -1 where none does:
    nothing is closed on it, it is too long (``limit_s``), or there is none.
    """

    edge: Ints
    up: Ints
    raised_m: Floats
    site: Ints
    link: Ints

    def __repr__(self) -> str:
        return f"Corridors({len(self.edge)} closed streets)"


def corridors(
    now: Usable, again: Usable, places: Snaps, doors: Snaps, *, factor: float, limit_s: Floats, speed_ms: float
) -> Corridors:
    """The corridors of ``places`` to the nearest of ``doors`` (``place``: row of the site).

    ``again`` are the streets ``now`` with those that the hazard closed as they are on an ordinary day; doors may lie on
    closed streets, which are to be raised as well. ``limit_s`` (sites,) is the longest walk to each.
    """
    closed = again.usable & ~now.usable
    heavy = _heavier(again.graph, closed, factor)
    last_s = np.nan_to_num(doors.off_m) / speed_ms
    forest = routing.nearest(heavy.reverse, doors, extra_s=last_s)
    starts = routing.join(heavy, forest, places, doors, extra_s=last_s)
    order = np.argsort(forest.cost_ms, kind="stable")
    order = order[forest.cost_ms[order] >= 0]
    link, edge, up = _links(order, forest.parent, forest.via, closed)
    site, on = np.full(len(edge), NOTHING), order[link[order] >= 0]
    site[link[on]] = forest.source[on]
    joined = np.where(starts.state >= 0, link[starts.state], NOTHING)
    saved = _saved_ms(forest, starts, closed[places.edge], factor) + np.append(
        _down(up, _whole_ms(again.graph, edge) * (factor - 1)), 0.0
    )[joined]  # fmt: skip
    walk_s = (starts.cost_ms - saved) / 1000 + places.off_m / speed_ms
    near = (starts.cost_ms >= 0) & (walk_s <= np.append(limit_s, -np.inf)[starts.source])
    return _with_own(again, closed, places, near, joined, starts.source, (edge, up, site))


def _whole_ms(graph: Graph, edge: Ints) -> Floats:
    return np.asarray(np.minimum(graph.forward_ms[edge], graph.backward_ms[edge]), dtype=np.float64)


def _saved_ms(forest: Forest, starts: Starts, own_closed: Mask, factor: float) -> Floats:
    """What the factor adds on a place's own street."""
    part = starts.cost_ms - np.where(starts.state >= 0, forest.cost_ms[starts.state], 0)
    return np.asarray(np.where(own_closed, part * (1 - 1 / factor), 0.0))


def _heavier(graph: Graph, closed: Mask, factor: float) -> Graph:
    """The streets with those that are closed taking ``factor`` times as long."""

    def times(cost: Ints, which: Mask, most: int) -> Ints:
        return np.where(which & (cost < most), np.minimum(np.rint(cost * factor), most - 1), cost).astype(np.int64)

    return replace(
        graph,
        cost_ms=times(graph.cost_ms.astype(np.int64), closed[graph.edge], int(CLOSED)).astype(np.int32),
        forward_ms=times(graph.forward_ms, closed, int(NEVER)),
        backward_ms=times(graph.backward_ms, closed, int(NEVER)),
    )


@njit(cache=True, nogil=True)
def _links(order: Ints, parent: Ints, via: Ints, closed: Mask) -> tuple[Ints, Ints, Ints]:  # pragma: no cover
    """From the shelters outwards: the last link on each state's way, (states,); each link's edge and the one up."""
    link = np.full(len(via), NOTHING, np.int64)
    edge, up, n = np.empty(len(order), np.int64), np.empty(len(order), np.int64), 0
    for state in order:
        above = link[parent[state]] if parent[state] >= 0 else NOTHING
        link[state] = above
        if via[state] >= 0 and closed[via[state]] and (above < 0 or edge[above] != via[state]):
            edge[n], up[n] = via[state], above
            link[state] = n
            n += 1
    return link, edge[:n].copy(), up[:n].copy()


@njit(cache=True, nogil=True)
def _down(up: Ints, each: Floats) -> Floats:  # pragma: no cover
    """What the links up to each one add up to, itself included."""
    total = each.copy()
    for i in range(len(up)):
        if up[i] >= 0:
            total[i] += total[up[i]]
    return total


def _with_own(
    again: Usable, closed: Mask, places: Snaps, near: Mask, link: Ints, site: Ints, links: tuple[Ints, Ints, Ints]
) -> Corridors:
    """The links with one more for each closed street on which places lie that is not on their way already."""
    edge, up, at = links
    own = near & places.found
    own[own] = closed[places.edge[own]]
    own &= np.append(edge, NOTHING)[link] != places.edge
    rows = np.flatnonzero(own)
    keys = np.column_stack([link[rows], places.edge[rows], site[rows]])
    new, which = np.unique(keys, axis=0, return_inverse=True)
    final = np.where(near, link, NOTHING)
    final[rows] = len(edge) + which.ravel()
    edges, ups = np.r_[edge, new[:, 1]].astype(np.int64), np.r_[up, new[:, 0]].astype(np.int64)
    raised = _down(ups, again.network.length_m[edges])
    return Corridors(edges, ups, raised, np.r_[at, new[:, 2]].astype(np.int64), final)


def best(found: Corridors, mine: Ints, people: Ints, spare: Ints, *, most_m: float, near_best: float) -> list[Corridor]:
    """The corridor of at most ``most_m`` metres that may help most of the ``people`` (places,) at the places ``mine``,
    and the shortest one that helps at least ``near_best`` (0-1) as many; none where nobody is helped.

    ``spare`` (sites,) is the room left at each site.
    """
    mine = mine[found.link[mine] >= 0]
    on_edge: dict[int, int] = {}
    for link, n in zip(found.link[mine].tolist(), people[mine].tolist(), strict=True):
        edge = int(found.edge[link])
        on_edge[edge] = on_edge.get(edge, 0) + n
    ends = np.unique(found.link[mine])
    ends = ends[found.raised_m[ends] <= most_m]
    if not len(ends):
        return []
    seen: dict[int, int] = {NOTHING: 0}
    helped = np.array([_helped(found, int(end), on_edge, seen) for end in ends])
    helped = np.minimum(helped, spare[found.site[ends]])
    order = np.lexsort((found.edge[ends], found.raised_m[ends], -helped))
    enough = np.flatnonzero(helped >= near_best * helped.max())
    short = enough[np.lexsort((found.edge[ends[enough]], -helped[enough], found.raised_m[ends[enough]]))]
    chosen = dict.fromkeys((int(order[0]), int(short[0])))
    return [_corridor(found, int(ends[i]), int(helped[i])) for i in chosen if helped[i] > 0]


def _helped(found: Corridors, link: int, on_edge: dict[int, int], seen: dict[int, int]) -> int:
    """People on the streets of a corridor; what is known of its beginnings is in ``seen``, and added to it."""
    chain = []
    while link not in seen:
        chain.append(link)
        link = int(found.up[link])
    total = seen[link]
    for each in reversed(chain):
        total += on_edge.get(int(found.edge[each]), 0)
        seen[each] = total
    return total


def _corridor(found: Corridors, end: int, people: int) -> Corridor:
    edges, link = [], end
    while link >= 0:
        edges.append(int(found.edge[link]))
        link = int(found.up[link])
    return Corridor(np.array(edges[::-1], dtype=np.int64), float(found.raised_m[end]), people, int(found.site[end]))
