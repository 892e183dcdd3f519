"""Streets as the corridors are sought on them: cut at doors, the trunk one node, thinned, and in parts.

Only what can matter is kept, and every step is exact. Streets are cut where terminals have doors. All nodes of the
trunk and the exits become one node, the root. Streets that lead nowhere are dropped, and chains of streets without a
choice become one. What hangs together only at the root falls apart: nothing bought in one part helps another.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

from geo.network import Network
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROOT = 0
"""The node that stands for the trunk and the exits."""
NO = 1 << 44
"""A price that nobody pays: the street cannot become a corridor of that class."""
NEAR_M = 0.01
"""A door this near the end of a street, metres, stands at the end."""
GONE = -1


@dataclass(frozen=True, eq=False)
class Pieces:
    """Streets cut at doors: piece ``p`` is ``edge`` from ``from_m`` to ``to_m`` along its drawing, from ``u`` to ``v``.

    Node 0 is the root. Terminal ``t`` has its doors at the nodes ``door[first[t]:first[t + 1]]``, none where no street
    that may be used passes one. ``nodes`` is how many nodes there are.
    """

    edge: Ints
    from_m: Floats
    to_m: Floats
    u: Ints
    v: Ints
    first: Ints
    door: Ints
    nodes: int

    def __repr__(self) -> str:
        return f"Pieces({len(self.edge)} of {len(np.unique(self.edge))} streets, {len(self.first) - 1} terminals)"

    @property
    def length_m(self) -> Floats:
        """Metres of each piece, (pieces,)."""
        return self.to_m - self.from_m

    def doors(self, terminal: int) -> Ints:
        """The nodes of a terminal's doors."""
        return self.door[self.first[terminal] : self.first[terminal + 1]]


def cut(network: Network, kept: Mask, rooted: Mask, barred: Mask, doors: Snaps, *, terminals: int) -> Pieces:
    """The streets that are ``kept`` (edges,) cut at the doors; nodes that are ``rooted`` (nodes,) become the root.

    ``doors.place`` is the terminal. Streets on which both ends are the root stay, as doors may lie on them. At nodes
    that are ``barred`` and not rooted every street ends for itself.
    """
    begin, end, count = _ends(network, barred & ~rooted)
    on = np.flatnonzero(doors.found)
    edge, along, whole = doors.edge[on], doors.along_m[on], network.length_m[doors.edge[on]]
    node = np.select([along <= NEAR_M, along >= whole - NEAR_M], [begin[edge], end[edge]], GONE)
    middle = np.flatnonzero((node == GONE) & kept[edge])
    spots, which = np.unique(np.column_stack([edge[middle], along[middle]]), axis=0, return_inverse=True)
    node[middle] = count + which.ravel()
    streets = np.flatnonzero(kept)
    rows = [(streets, np.zeros(len(streets)), begin[streets])]
    rows += [(spots[:, 0].astype(np.int64), spots[:, 1], count + np.arange(len(spots)))]
    rows += [(streets, network.length_m[streets], end[streets])]
    at_edge, at_m, at_node = (np.concatenate(column) for column in zip(*rows, strict=True))
    order = np.lexsort((at_m, at_edge))
    at_edge, at_m, at_node = at_edge[order], at_m[order], at_node[order]
    joined = np.flatnonzero(at_edge[1:] == at_edge[:-1])
    label = np.arange(1, count + len(spots) + 1)
    label[: len(rooted)][rooted] = ROOT
    first, door = _by_terminal(doors.place[on], np.where(node == GONE, GONE, label[node]), terminals)
    ends = (label[at_node[joined]], label[at_node[joined + 1]])
    return Pieces(at_edge[joined], at_m[joined], at_m[joined + 1], *ends, first, door, len(label) + 1)


def _ends(network: Network, barred: Mask) -> tuple[Ints, Ints, int]:
    """The nodes at which each edge begins and ends, each its own where nobody passes, and how many there are."""
    nodes, edges = len(barred), len(network.u)
    ends = np.r_[network.u, network.v].astype(np.int64)
    alone = np.flatnonzero(barred[ends])
    ends[alone] = nodes + np.arange(len(alone))
    return ends[:edges], ends[edges:], nodes + len(alone)


def _by_terminal(terminal: Ints, node: Ints, terminals: int) -> tuple[Ints, Ints]:
    """Where the doors of each terminal begin, and their nodes, each once and in order."""
    met = node != GONE
    pairs = np.unique(np.column_stack([terminal[met], node[met]]), axis=0)
    return np.searchsorted(pairs[:, 0], np.arange(terminals + 1)).astype(np.int64), pairs[:, 1].astype(np.int64)


@dataclass(frozen=True, eq=False)
class Chains:
    """Pieces put together where there is no choice: chain ``c`` joins ``u`` and ``v`` at ``cost`` (chains, levels).

    ``chain`` (pieces,) is the chain of each piece, -1 where it can be of no use.
    """

    u: Ints
    v: Ints
    cost: Ints
    chain: Ints

    def __repr__(self) -> str:
        return f"Chains({len(self.u)} of {len(self.chain)} pieces)"


def thin(pieces: Pieces, cost: Ints, *, wanted: Mask) -> Chains:
    """Pieces without what leads nowhere, chains made one; ``cost`` (pieces, levels), ``NO`` where it cannot be.

    ``wanted`` (terminals,) are those whose doors count. Dropping is exact: no least network uses a dead end or a loop.
    """
    kept = np.zeros(pieces.nodes, dtype=bool)
    kept[ROOT] = True
    kept[pieces.door[np.repeat(wanted, np.diff(pieces.first))]] = True
    now = Chains(pieces.u, pieces.v, cost, np.arange(len(pieces.u)))
    while True:
        fewer = _joined(_pruned(now, kept), kept)
        if len(fewer.u) == len(now.u):
            return fewer
        now = fewer


def _pruned(chains: Chains, kept: Mask) -> Chains:
    """Without loops, dead ends and what can be bought at no level."""
    stays = (chains.u != chains.v) & (chains.cost[:, 0] < NO)
    while True:
        ends = np.r_[chains.u[stays], chains.v[stays]]
        dead = (np.bincount(ends, minlength=len(kept)) == 1) & ~kept
        ending = stays & (dead[chains.u] | dead[chains.v])
        if not ending.any():
            return _renumbered(chains, np.where(stays, np.cumsum(stays) - 1, GONE))
        stays &= ~ending


def _joined(chains: Chains, kept: Mask) -> Chains:
    """Chains that meet where nothing else does made one."""
    m = len(chains.u)
    ends, edge = np.r_[chains.u, chains.v], np.r_[np.arange(m), np.arange(m)]
    through = (np.bincount(ends, minlength=len(kept)) == 2) & ~kept
    at = np.flatnonzero(through[ends])
    at = at[np.argsort(ends[at], kind="stable")]
    links = coo_array((np.ones(len(at) // 2), (edge[at[::2]], edge[at[1::2]])), shape=(m, m))
    piece = connected_components(links, directed=False)[1].astype(np.int64)
    # A ring that meets nothing has no end, and goes.
    has_end = np.zeros(piece.max(initial=-1) + 1, dtype=bool)
    has_end[piece[edge[~through[ends]]]] = True
    number = np.where(has_end, np.cumsum(has_end) - 1, GONE)
    return _renumbered(chains, number[piece], outer=~through)


def _renumbered(chains: Chains, number: Ints, *, outer: Mask | None = None) -> Chains:
    """Chains by new numbers (-1: dropped); several with one number are one, with the ends that are ``outer``."""
    count = int(number.max(initial=GONE)) + 1
    stays = np.flatnonzero(number != GONE)
    cost = np.zeros((count, chains.cost.shape[1]), dtype=np.int64)
    np.add.at(cost, number[stays], chains.cost[stays])
    ends, of = np.column_stack([chains.u[stays], chains.v[stays]]).ravel(), np.repeat(number[stays], 2)
    if outer is not None:
        ends, of = ends[outer[ends]], of[outer[ends]]
    ends = ends[np.argsort(of, kind="stable")]
    chain = np.where(chains.chain == GONE, GONE, number[chains.chain] if len(number) else GONE)
    return Chains(ends[::2], ends[1::2], np.minimum(cost, NO), chain.astype(np.int64))


@dataclass(frozen=True, eq=False)
class Part:
    """A piece of the problem that has nothing but the root in common with the others.

    Nodes are numbered from 0, the root. Chain ``c`` joins ``u`` and ``v`` at ``cost`` (chains, levels), ascending with
    the level. Terminal ``t`` asks for ``level`` and has doors ``door[first[t]:first[t + 1]]``. ``chain`` and
    ``terminal`` are the numbers in the whole.
    """

    nodes: int
    u: Ints
    v: Ints
    cost: Ints
    first: Ints
    door: Ints
    level: Ints
    chain: Ints
    terminal: Ints

    def __repr__(self) -> str:
        return f"Part({len(self.terminal)} terminals, {self.nodes} nodes, {len(self.u)} chains)"

    @cached_property
    def arcs(self) -> tuple[Ints, Ints, Ints]:
        """Where the arcs of each node begin, (nodes + 1,), and the chain and the other end of each."""
        tail, head = np.r_[self.u, self.v], np.r_[self.v, self.u]
        order = np.argsort(tail, kind="stable")
        first = np.r_[0, np.cumsum(np.bincount(tail, minlength=self.nodes))].astype(np.int64)
        return first, np.r_[np.arange(len(self.u)), np.arange(len(self.u))][order].astype(np.int64), head[order]


def parts(chains: Chains, pieces: Pieces, level: Ints, *, wanted: Mask) -> Iterator[Part]:
    """The parts with ``wanted`` terminals, by their first; a terminal's doors hold what they touch together.

    ``level`` (terminals,) is what each asks for. Terminals with a door at the root are to be left out.
    """
    terminal = np.flatnonzero(wanted)
    row = np.repeat(np.arange(len(pieces.first) - 1), np.diff(pieces.first))
    door, of = pieces.door[wanted[row]], row[wanted[row]]
    inner = (chains.u != ROOT) & (chains.v != ROOT)
    size = pieces.nodes + len(pieces.first)
    links = (np.r_[chains.u[inner], door], np.r_[chains.v[inner], pieces.nodes + of])
    piece = connected_components(coo_array((np.ones(len(links[0])), links), shape=(size, size)), directed=False)[1]
    edge_of, terminal_of = piece[np.maximum(chains.u, chains.v)], piece[pieces.nodes + terminal]
    edges, terminals = np.argsort(edge_of, kind="stable"), np.argsort(terminal_of, kind="stable")
    names, begin = np.unique(terminal_of[terminals], return_index=True)
    low, high = (np.searchsorted(edge_of[edges], names, side=side) for side in ("left", "right"))
    mine = np.split(terminal[terminals], begin[1:]) if len(names) else []
    for which in np.argsort([rows[0] for rows in mine], kind="stable"):
        yield _part(chains, pieces, level, edges[low[which] : high[which]], mine[which])


def _part(chains: Chains, pieces: Pieces, level: Ints, edges: Ints, terminals: Ints) -> Part:
    """One part with its own numbers."""
    doors = [pieces.doors(t) for t in terminals]
    every = np.unique(np.r_[ROOT, chains.u[edges], chains.v[edges], np.concatenate(doors)])
    u, v, door = (np.searchsorted(every, a) for a in (chains.u[edges], chains.v[edges], np.concatenate(doors)))
    first = np.r_[0, np.cumsum([len(d) for d in doors])]
    return Part(len(every), u, v, chains.cost[edges], first, door, level[terminals], edges, terminals)
