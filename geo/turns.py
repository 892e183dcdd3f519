"""Turn restrictions: which streets may not follow each other, and the arcs that keep to it.

A restriction forbids a sequence of directed edges: from a street by a junction (or along further streets) into
another. Who is about to break one must remember where they come from: the graph gets turn states, copies of a node
entered by the first streets of a forbidden sequence, whose arcs lack the forbidden one. States follow the longest
match, as in string search (A. Aho, M. Corasick, doi:10.1145/360825.360855), so that restrictions overlap rightly.
Source of the tags: OSM wiki, "Relation:restriction".
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo.network import Network

Int32s = NDArray[np.int32]
Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Sequences = list[tuple[int, ...]]


@dataclass(frozen=True)
class Arcs:
    """Directed streets, (arcs,) each: from state ``tail`` to ``head``, by ``edge``, ``along`` its drawing or not."""

    tail: Int32s
    head: Int32s
    cost_ms: NDArray[np.integer]
    edge: Int32s
    along: Mask


def directed(edge: int, *, along: bool) -> int:
    """An edge and a direction as one number: twice the edge, one more against its drawing."""
    return 2 * int(edge) + (not along)


# -- from the map's restrictions to forbidden sequences ------------------------------------------------------------


@dataclass(frozen=True)
class Forbidden:
    """Sequences of directed edges that may not be driven, and how many restrictions could not be placed."""

    sequences: Sequences
    not_placed: int

    def __repr__(self) -> str:
        return f"Forbidden({len(self.sequences)} sequences, {self.not_placed} restrictions not placed)"


def forbidden(network: Network, *, binds: Callable[[pd.DataFrame], Mask]) -> Forbidden:
    """What the network's restrictions forbid; ``binds`` says of each (rows,) whether it binds the profile at all.

    ``no_…`` forbids its sequence; ``only_…`` forbids every other way out of its last node. A restriction whose ways do
    not meet on the network (cut off, or drawn wrongly) is counted, and does not bind.
    """
    table = network.restrictions
    rows = table[binds(table)] if len(table) else table
    if not len(rows):
        return Forbidden([], 0)
    restrictions = [_Restriction(*row) for row in rows[list(_Restriction._fields)].itertuples(index=False, name=None)]
    streets = _streets(network, {w for r in restrictions for w in (r.from_way, *r.via_ways, r.to_way)})
    found = [streets.sequences(restriction) for restriction in restrictions]
    return Forbidden(sorted({s for each in found for s in each}), sum(not each for each in found))


class _Restriction(NamedTuple):
    kind: str
    from_way: int
    via_node: int
    via_ways: tuple[int, ...]
    to_way: int


def _streets(network: Network, ways: set[int]) -> _Streets:
    way_id = network.tags["way_id"].to_numpy()[network.way]
    of_way: dict[int, list[int]] = defaultdict(list)
    for edge in np.flatnonzero(np.isin(way_id, list(ways))).tolist():
        of_way[int(way_id[edge])].append(edge)
    ends = np.r_[network.u, network.v]
    first = np.r_[0, np.cumsum(np.bincount(ends, minlength=len(network.x)))]
    at = np.argsort(network.node_id, kind="stable")
    return _Streets(network.u, network.v, of_way, network.node_id[at], at, np.argsort(ends, kind="stable"), first)


@dataclass(frozen=True)
class _Streets:
    """The edges of the ways that restrictions speak of, and everything that leaves their nodes.

    ``leaving[first[n]:first[n + 1]]`` are the edges with an end at node ``n``; those from the number of edges on have
    their second end there. ``ids`` are the node ids in order, ``at`` their nodes.
    """

    u: Ints
    v: Ints
    of_way: dict[int, list[int]]
    ids: Ints
    at: Ints
    leaving: Ints
    first: Ints

    def node(self, node_id: int) -> int | None:
        """The node with this id; None where the network has none."""
        i = int(np.searchsorted(self.ids, node_id))
        return int(self.at[i]) if i < len(self.ids) and self.ids[i] == node_id else None

    def out_of(self, node: int) -> list[int]:
        """Every directed edge that leaves a node."""
        n = len(self.u)
        found = self.leaving[self.first[node] : self.first[node + 1]].tolist()
        return [directed(e, along=True) if e < n else directed(e - n, along=False) for e in found]

    def head(self, step: int) -> int:
        """The node a directed edge leads to."""
        return int(self.u[step // 2] if step % 2 else self.v[step // 2])

    def into(self, way: int, node: int) -> list[int]:
        """The directed edges of a way that lead to a node."""
        return [step ^ 1 for step in self.out(way, node)]

    def out(self, way: int, node: int) -> list[int]:
        """The directed edges of a way that leave a node."""
        edges = self.of_way.get(way, ())
        return [directed(e, along=True) for e in edges if self.u[e] == node] + [
            directed(e, along=False) for e in edges if self.v[e] == node
        ]

    def sequences(self, restriction: _Restriction) -> Sequences:
        """What one restriction forbids; nothing where its ways do not meet."""
        starts = self._approaches(restriction.from_way, restriction.via_node, restriction.via_ways)
        only, to_way = restriction.kind.startswith("only_"), restriction.to_way
        return [(*way, last) for way in starts for last in self._last(to_way, self.head(way[-1]), only=only)]

    def _last(self, to_way: int, node: int, *, only: bool) -> list[int]:
        wanted = self.out(to_way, node)
        if not only or not wanted:
            return wanted
        return [step for step in self.out_of(node) if step not in wanted]

    def _approaches(self, from_way: int, via_node: int, via: Sequence[int]) -> Iterator[tuple[int, ...]]:
        """Every sequence from the first street to the last node, along the ways between."""
        if not via:
            node = self.node(via_node)
            yield from ((step,) for step in (self.into(from_way, node) if node is not None else ()))
            return
        ends = {self.head(directed(e, along=a)) for e in self.of_way.get(from_way, ()) for a in (True, False)}
        for node in sorted(ends):
            for step in self.into(from_way, node):
                yield from ((step, *rest) for rest in self._along(via, node))

    def _along(self, via: Sequence[int], node: int) -> Iterator[tuple[int, ...]]:
        """The chains of directed edges that follow the ways one after the other from a node; no edge twice."""
        if not via:
            yield ()
            return
        for chain in self._stretches(via[0], node, ()):
            for rest in self._along(via[1:], self.head(chain[-1])):
                yield (*chain, *rest)

    def _stretches(self, way: int, node: int, so_far: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
        """Every stretch of a way that begins at a node, the short ones first."""
        for step in self.out(way, node):
            if all(step // 2 != taken // 2 for taken in so_far):
                yield (*so_far, step)
                yield from self._stretches(way, self.head(step), (*so_far, step))


# -- from forbidden sequences to turn states -----------------------------------------------------------------------


def expand(arcs: Arcs, nodes: int, sequences: Collection[Sequence[int]]) -> tuple[Arcs, Int32s]:
    """The arcs over states and turn states, and the state of which each is a copy, (states,).

    The first ``nodes`` states are those of the arcs given. Without sequences the arcs come back as they are.
    """
    plain = np.arange(nodes, dtype=np.int32)
    if not len(sequences):
        return arcs, plain
    match = _Match(sequences)
    step = 2 * arcs.edge.astype(np.int64) + ~arcs.along
    there = dict(zip(step.tolist(), arcs.head.tolist(), strict=True))
    states = {p: nodes + i for i, p in enumerate(p for p in match.prefixes if p[-1] in there)}
    head = _remembered(arcs.head, step, {p[0]: s for p, s in states.items() if len(p) == 1})
    of_node = np.array([there[p[-1]] for p in states], dtype=np.int32)
    rows = _turn_rows(arcs, step, match, states, of_node)
    grown = Arcs(
        np.r_[arcs.tail, rows[0]], np.r_[head, rows[1]], np.r_[arcs.cost_ms, arcs.cost_ms[rows[2]]],
        np.r_[arcs.edge, arcs.edge[rows[2]]], np.r_[arcs.along, arcs.along[rows[2]]],
    )  # fmt: skip
    return grown, np.r_[plain, of_node]


def _remembered(head: Int32s, step: Ints, states: dict[int, int]) -> Int32s:
    """The heads of the arcs, those that begin a forbidden sequence led into its turn state."""
    if not states:  # the streets that begin them are closed
        return head
    first, state = (np.array(column, dtype=np.int64) for column in zip(*sorted(states.items()), strict=True))
    at = np.minimum(np.searchsorted(first, step), len(first) - 1)
    return np.where(first[at] == step, state[at], head).astype(np.int32)


def _turn_rows(
    arcs: Arcs, step: Ints, match: _Match, states: dict[tuple[int, ...], int], of_node: Int32s
) -> tuple[Int32s, Int32s, Ints]:
    """Tail, head and pattern of the arcs that leave turn states."""
    order = np.argsort(arcs.tail, kind="stable")
    low, high = (np.searchsorted(arcs.tail[order], of_node, side=side).tolist() for side in ("left", "right"))
    tail, head, like = [], [], []
    for (prefix, state), lo, hi in zip(states.items(), low, high, strict=True):
        for arc in order[lo:hi].tolist():
            target = match.next(prefix, int(step[arc]))
            if target is not None:
                tail.append(state)
                head.append(states.get(target, int(arcs.head[arc])))
                like.append(arc)
    return np.array(tail, dtype=np.int32), np.array(head, dtype=np.int32), np.array(like, dtype=np.int64)


class _Match:
    """Which beginnings of forbidden sequences must be remembered, and what follows from each step."""

    def __init__(self, sequences: Collection[Sequence[int]]) -> None:
        self.bad = {tuple(s) for s in sequences}
        self.prefixes = sorted({s[:k] for s in self.bad for k in range(1, len(s))})
        self._known = set(self.prefixes)

    def next(self, prefix: tuple[int, ...], step: int) -> tuple[int, ...] | None:
        """What is remembered after one more step: the longest beginning; None where the step is forbidden."""
        gone = (*prefix, step)
        tails = [gone[i:] for i in range(len(gone))]
        if any(tail in self.bad for tail in tails):
            return None
        return next((tail for tail in tails if tail in self._known), ())
