"""How a net of streets hangs together, seen from those that lead out: how many ways in, how wide, what every way uses.

Streets have no direction here. A root stands for all streets that lead out. Two ways that share no street lead from the
root to a street exactly where no single street (a bridge of the graph) parts them (K. Menger); bridges by R. Tarjan's
depth-first search (doi:10.1137/0201010). The widest way is the way on a spanning tree of greatest widths (M. Pollack,
doi:10.1287/opre.8.5.733; J. Kruskal's order of joining), so one pass gives it to all.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.network import Network

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NONE = -1
"""The edge, node or link where there is none."""
TWO = 2
"""Ways are counted up to here."""


@dataclass(frozen=True, eq=False)
class Net:
    """Some edges of a network and the spots they join.

    ``edges`` (links,) are edges of the network; ``u``, ``v`` (links,) the spots at their ends: nodes of the network,
    and beyond them one spot of its own for each link's end at a node that nobody passes; the last spot, ``root``,
    stands for all that lead out. ``of`` (edges,) is the link of each edge of the network, -1 where it is none.
    """

    edges: Ints
    u: Ints
    v: Ints
    root: int
    of: Ints
    length_m: Floats

    @property
    def spots(self) -> int:
        """How many spots there are, the root among them."""
        return self.root + 1

    @cached_property
    def neighbours(self) -> tuple[Ints, Ints]:
        """Where each spot's links begin, (spots + 1,), and the links in that order, (2 links,)."""
        ends = np.r_[self.u, self.v]
        first = np.r_[0, np.cumsum(np.bincount(ends, minlength=self.spots))].astype(np.int64)
        return first, np.argsort(ends, kind="stable").astype(np.int64) % max(len(self.u), 1)

    def __repr__(self) -> str:
        return f"Net({len(self.edges)} streets over {self.spots} spots)"


def net(network: Network, open_: Mask, barred: Mask, *, out: Mask) -> Net:
    """The ``open_`` edges (edges,), taken apart at nodes that are ``barred`` (nodes,), joined where they lead ``out``.

    ``out`` (edges,) are the edges of which all ends count as the root, be they open or not.
    """
    edges, nodes = np.flatnonzero(open_).astype(np.int64), len(network.x)
    links = len(edges)
    u, v = network.u[edges].copy(), network.v[edges].copy()
    u[barred[u]] = nodes + np.flatnonzero(barred[u])
    v[barred[v]] = nodes + links + np.flatnonzero(barred[v])
    root = nodes + 2 * links
    leads = np.zeros(root + 1, dtype=bool)
    leads[np.r_[u[out[edges]], v[out[edges]]]] = True
    leads[:nodes] |= np.bincount(np.r_[network.u[out], network.v[out]], minlength=nodes).astype(bool) & ~barred
    of = np.full(len(network.u), NONE, dtype=np.int64)
    of[edges] = np.arange(links)
    return Net(edges, np.where(leads[u], root, u), np.where(leads[v], root, v), root, of, network.length_m[edges])


def pieces(network: Network, edges: Mask) -> tuple[Ints, Floats]:
    """The connected piece of each edge of a choice (edges,), -1 for others; and the length of each piece, metres."""
    chosen, n = np.flatnonzero(edges), len(network.x)
    if not len(chosen):
        return np.full(len(edges), NONE, dtype=np.int64), np.zeros(0)
    ends = (network.u[chosen], network.v[chosen])
    label = connected_components(coo_array((np.ones(len(chosen)), ends), shape=(n, n)), directed=False)[1]
    piece = np.full(len(edges), NONE, dtype=np.int64)
    piece[chosen] = np.unique(label[ends[0]], return_inverse=True)[1]
    return piece, np.bincount(piece[chosen], weights=network.length_m[chosen]).astype(np.float64)


# -- how many ways -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Ways:
    """How many ways lead in, and what hangs on what.

    ``order`` are the spots as a search from the root finds them, those that are not joined to it after all that are;
    ``parent`` (spots,) the spot before each and ``by`` (spots,) the link from it, -1 at a beginning; ``bridge``
    (links,) are links without which something is parted. ``joined`` (spots,) can be reached from the root.
    ``hangs_on`` (spots,) is the nearest bridge that every way from the root to the spot uses, -1 where none is.
    """

    net: Net
    order: Ints
    parent: Ints
    by: Ints
    bridge: Mask
    joined: Mask
    hangs_on: Ints

    @cached_property
    def deep(self) -> Ints:
        """The spot behind each bridge, (links,); -1 for other links."""
        spot = np.full(len(self.net.u), NONE, dtype=np.int64)
        behind = np.flatnonzero(self.by != NONE)
        spot[self.by[behind]] = behind
        return np.where(self.bridge, spot, NONE)

    @property
    def count(self) -> Ints:
        """How many ways that share no street lead from the root to each link, (links,): 0, 1 or 2 for two and more."""
        at = self.net.u
        hung = self.bridge | (self.hangs_on[at] != NONE)
        return np.where(self.joined[at], np.where(hung, 1, TWO), 0).astype(np.int64)

    @property
    def needs(self) -> Ints:
        """The link nearest to each link that every way to it uses, itself where it is a bridge; -1 where none is."""
        return np.where(self.bridge, np.arange(len(self.bridge)), self.hangs_on[self.net.u])

    def behind(self, on: Floats) -> Floats:
        """What is parted from the root by the loss of each link, (links,), without what is on the link itself.

        ``on`` (links,) is what is on each link; nothing is parted by a link that is no bridge or not joined.
        """
        at = np.where(self.bridge, self.deep, self.net.u)
        whole = np.bincount(at, weights=on, minlength=self.net.spots).astype(np.float64)
        _gather(whole, self.order, self.parent)
        parted = self.bridge & self.joined[self.net.u]
        return np.where(parted, whole[self.deep] - on, 0.0)

    def __repr__(self) -> str:
        return f"Ways({int(self.bridge.sum())} of {len(self.bridge)} streets part something)"


def ways(given: Net) -> Ways:
    """How many ways lead in from the root to every link of a net."""
    first, link = given.neighbours
    order, parent, by, low = _search(first, link, given.u, given.v, given.root)
    bridge = np.zeros(len(given.u), dtype=bool)
    found = np.flatnonzero(by != NONE)
    # Nothing below leads back above: the link to it is a bridge.
    bridge[by[found[low[found]]]] = True
    joined, hangs_on = _hung(order, parent, by, bridge, given.root)
    return Ways(given, order, parent, by, bridge, joined, hangs_on)


@njit(cache=True, nogil=True)
def _search(first: Ints, link: Ints, u: Ints, v: Ints, root: int) -> tuple[Ints, Ints, Ints, Mask]:  # pragma: no cover
    """Order, parents and links of a depth-first search from the root, then from every other spot; and parted spots."""
    n = len(first) - 1
    found, low = np.full(n, -1, np.int64), np.empty(n, np.int64)
    order, parent, by = np.empty(n, np.int64), np.full(n, -1, np.int64), np.full(n, -1, np.int64)
    at = first[:-1].copy()
    count = 0
    for i in range(n):
        start = root if i == 0 else i - 1
        if found[start] >= 0:
            continue
        found[start] = low[start] = count
        order[count] = start
        count += 1
        spot = start
        while spot >= 0:
            if at[spot] == first[spot + 1]:
                up = parent[spot]
                if up >= 0:
                    low[up] = min(low[up], low[spot])
                spot = up
                continue
            e = link[at[spot]]
            at[spot] += 1
            other = v[e] if u[e] == spot else u[e]
            if e == by[spot] or other == spot:
                continue
            if found[other] >= 0:
                low[spot] = min(low[spot], found[other])
                continue
            found[other] = low[other] = count
            order[count] = other
            count += 1
            parent[other], by[other] = spot, e
            spot = other
    return order, parent, by, low == found


@njit(cache=True, nogil=True)
def _hung(order: Ints, parent: Ints, by: Ints, bridge: Mask, root: int) -> tuple[Mask, Ints]:  # pragma: no cover
    """Which spots are joined to the root, and the nearest bridge before each."""
    joined, hangs_on = np.zeros(len(order), np.bool_), np.full(len(order), -1, np.int64)
    for spot in order:
        up = parent[spot]
        joined[spot] = spot == root if up < 0 else joined[up]
        if up >= 0:
            hangs_on[spot] = by[spot] if bridge[by[spot]] else hangs_on[up]
    return joined, hangs_on


@njit(cache=True, nogil=True)
def _gather(whole: Floats, order: Ints, parent: Ints) -> None:  # pragma: no cover
    """Add what every spot has to the spot before it, the last first."""
    for i in range(len(order) - 1, -1, -1):
        if parent[order[i]] >= 0:
            whole[parent[order[i]]] += whole[order[i]]


# -- rings and dead ends -----------------------------------------------------------------------------------------------


def ring(found: Ways) -> Mask:
    """The links (links,) of the longest part that no single street holds together; none where nothing is a ring."""
    given, whole = found.net, ~found.bridge
    label = connected_components(
        coo_array((np.ones(int(whole.sum())), (given.u[whole], given.v[whole])), shape=(given.spots,) * 2),
        directed=False,
    )[1]
    length_m = np.bincount(label[given.u[whole]], weights=given.length_m[whole], minlength=1)
    return np.asarray(whole & (label[given.u] == length_m.argmax()))


def dead_ends(given: Net) -> tuple[Ints, Floats]:
    """Which links are dead ends, and how far their mouths are from where one can drive on.

    The spot through which each link (links,) is left, -1 where it is none: what remains when streets that end are taken
    away, again and again, is no dead end, nor is the root. And the metres from that spot to there, NaN where there is
    none. A loop at the end of a street is a place to turn.
    """
    first, link = given.neighbours
    taken, through = _pruned(first, link, given.u, given.v, given.root)
    mouth = np.full(len(given.u), NONE, dtype=np.int64)
    mouth[taken] = through
    return mouth, _far(taken, through, given.u, given.v, given.length_m, given.root)


@njit(cache=True, nogil=True)
def _pruned(first: Ints, link: Ints, u: Ints, v: Ints, root: int) -> tuple[Ints, Ints]:  # pragma: no cover
    """Links in the order in which they end, and the spot through which each is left."""
    n = len(first) - 1
    degree, gone = np.diff(first), np.zeros(len(u), np.bool_)
    degree[root] += 2
    queue, taken, through = np.empty(n, np.int64), np.empty(len(u), np.int64), np.empty(len(u), np.int64)
    head, tail, count = 0, 0, 0
    for spot in range(n):
        if degree[spot] == 1:
            queue[tail] = spot
            tail += 1
    while head < tail:
        spot = queue[head]
        head += 1
        for i in range(first[spot], first[spot + 1]):
            e = link[i]
            if gone[e]:
                continue
            gone[e] = True
            other = v[e] if u[e] == spot else u[e]
            taken[count], through[count] = e, other
            count += 1
            degree[other] -= 1
            if degree[other] == 1:
                queue[tail] = other
                tail += 1
    return taken[:count], through[:count]


@njit(cache=True, nogil=True)
def _far(taken: Ints, through: Ints, u: Ints, v: Ints, length_m: Floats, root: int) -> Floats:  # pragma: no cover
    """How far the mouth of each link is from where one can drive on, NaN where one never can; 0 for other links."""
    drive_on, whole = np.zeros(root + 1, np.bool_), np.ones(len(u), np.bool_)
    drive_on[root] = True
    whole[taken] = False
    for e in range(len(u)):
        if whole[e]:
            drive_on[u[e]] = drive_on[v[e]] = True
    far_m, mouth_m = np.where(drive_on, 0.0, np.nan), np.zeros(len(u))
    for i in range(len(taken) - 1, -1, -1):
        e, mouth = taken[i], through[i]
        mouth_m[e] = far_m[mouth]
        far_m[u[e] + v[e] - mouth] = far_m[mouth] + length_m[e]
    return mouth_m


# -- how wide ----------------------------------------------------------------------------------------------------------


def widest(given: Net, width_m: Floats) -> tuple[Floats, Ints]:
    """The widest way from the root to and along each link, (links,) metres, and the link where it is narrowest.

    ``width_m`` (links,). The width of a way is its narrowest street's, the link's own among them; NaN and -1 where
    there is no way. Of equally narrow streets the one joined last.
    """
    order = np.argsort(-width_m, kind="stable").astype(np.int64)
    at_m, at = _joined(order, given.u, given.v, width_m, given.root)
    better = np.where(at_m[given.v] > at_m[given.u], given.v, given.u)
    to_m, where = at_m[better], at[better]
    own = width_m <= to_m
    found_m = np.where(own, width_m, to_m)
    there = to_m >= 0
    links = np.arange(len(width_m))
    return np.where(there, found_m, np.nan), np.where(there, np.where(own, links, where), NONE)


@njit(cache=True, nogil=True)
def _joined(order: Ints, u: Ints, v: Ints, width_m: Floats, root: int) -> tuple[Floats, Ints]:  # pragma: no cover
    """The width and the link with which each spot was joined to the root; -1 and -1 where it never was."""
    n = root + 1
    head, following, size = np.arange(n), np.arange(n), np.ones(n, np.int64)
    at_m, at = np.full(n, -1.0), np.full(n, -1, np.int64)
    at_m[root] = np.inf
    for e in order:
        a, b = _head(head, u[e]), _head(head, v[e])
        if a == b:
            continue
        out_a, out_b = at_m[a] >= 0, at_m[b] >= 0
        if out_a != out_b:
            spot = b if out_a else a
            stop = spot
            while True:
                at_m[spot], at[spot] = width_m[e], e
                spot = following[spot]
                if spot == stop:
                    break
        if size[a] < size[b]:
            a, b = b, a
        head[b] = a
        size[a] += size[b]
        following[a], following[b] = following[b], following[a]
    return at_m, at


@njit(cache=True, nogil=True)
def _head(head: Ints, spot: int) -> int:  # pragma: no cover
    """Who speaks for a spot; the way there is halved on the way."""
    while head[spot] != spot:
        head[spot] = head[head[spot]]
        spot = head[spot]
    return spot
