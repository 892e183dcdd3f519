"""Many questions to one network: a hierarchy ordered once and weighted anew for every hazard and profile.

A customizable contraction hierarchy (J. Dibbelt, B. Strasser, D. Wagner, doi:10.1145/2886843). ``order`` looks only
at who is joined to whom: it ranks the states by nested dissection (``geo.dissection``), contracts them in that order
and keeps every shortcut that any weights could need. ``customise`` gives arcs and shortcuts their cost under one set
of weights, closed streets among them. Then a shortest path climbs from its start and falls to its end: ``distance``
and ``matrix`` meet at common ancestors in the elimination tree, ``nearest`` sweeps all states once up and once down
(D. Delling et al., doi:10.1016/j.jpdc.2012.02.007). All costs are whole milliseconds and equal Dijkstra's exactly.
No path is -1.

When it pays, measured in processor time against the bucket queue of ``geo.routing`` and ``geo.search`` on walking
networks of 7,000 to 1.1 million nodes (``tests/benchmarks/case_hierarchy.py``): on an order that is kept, each new
set of weights pays from the first matrix (500 x 100: 3 to 30 ms against 0.03 to 5.7 s), from 1 to 15 distances, or
from four nearest-of-many for all states (5 to 12 where ``steps`` are wanted as well, which the bucket queue finds on
its way). With the order itself (0.04 s for 7,000 nodes, 4.4 s for 300,000, 29 s for 1.1 million) it pays from one to
six such matrices, but only from 100 to 500 nearest-of-many: for a few of those, do without.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.contraction import NEVER, NOTHING, branches, contract, depths, parents, relax, rows, weigh
from geo.dissection import dissect, neighbours
from geo.errors import Fault, InputError

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]

BLOCK = 512
"""How many sources, and how many targets, a matrix holds in memory at a time."""


@dataclass(frozen=True)
class Order:
    """Ranks and shortcuts of a network, without weights.

    ``rank`` (states,) is a state's place in the order of contraction, such that each branch of the elimination tree
    is a range of ranks; ``depth`` (ranks,) how many ancestors it has. Of rank ``r`` the arcs to higher ranks are
    ``first[r]:first[r + 1]`` to ``head``, ascending; the first leads to the parent. The same arcs by their upper end:
    ``low_first[r]:low_first[r + 1]`` of ``low_arc``, coming from rank ``low_tail``.
    """

    rank: Int32s
    depth: Int32s
    first: Ints
    head: Int32s
    low_first: Ints
    low_arc: Int32s
    low_tail: Int32s

    def __len__(self) -> int:
        return len(self.rank)

    def __repr__(self) -> str:
        return f"Order({len(self)} states, {len(self.head)} arcs and shortcuts, at most {self.height} ranks high)"

    @cached_property
    def state(self) -> Ints:
        """The state of each rank, (ranks,)."""
        return np.argsort(self.rank).astype(np.int64)

    @property
    def height(self) -> int:
        """The most states on a way up the elimination tree."""
        return int(self.depth.max(initial=-1)) + 1


@dataclass(frozen=True)
class Hierarchy:
    """An order under one set of weights: ``up_ms`` and ``down_ms`` (arcs,) climbing and falling, ``NEVER``: no way."""

    order: Order
    up_ms: Ints
    down_ms: Ints

    def __len__(self) -> int:
        return len(self.order)

    def __repr__(self) -> str:
        shut = int(((self.up_ms >= NEVER) & (self.down_ms >= NEVER)).sum())
        return f"Hierarchy({len(self)} states, {len(self.up_ms)} arcs and shortcuts, {shut} closed)"

    @cached_property
    def reverse(self) -> Hierarchy:
        """The same with every direction turned round: ways *towards* become ways *from*."""
        return Hierarchy(self.order, self.down_ms, self.up_ms)


@dataclass(frozen=True)
class Reach:
    """For every state the cost from its nearest source and which that is; -1 where there is no path."""

    cost_ms: Ints
    source: Ints


def order(first: Ints, head: Int32s, x: Floats, y: Floats) -> Order:
    """Rank and contract the states of a network.

    Arcs of state ``s`` are ``first[s]:first[s + 1]`` to ``head``; give all that are open under any weights to come. A
    profile with other turn states needs an order of its own. ``x`` and ``y`` (states,) place the states in the plane,
    in one unit; several may share a place. Where they are wrong the order is worse, and every answer still right.
    """
    start, near = neighbours(first, head)
    state = dissect(first, head, x, y)
    parent = parents(start, near, state, _inverse(state))
    post = branches(parent)
    state, parent = state[post], np.where(parent[post] < 0, NOTHING, _inverse(post)[parent[post]])
    rank = _inverse(state)
    arcs = rows(*contract(start, near, state, rank, parent))
    return Order(rank, depths(parent), *arcs)


def _inverse(sequence: Ints) -> Int32s:
    """The place of each number in a sequence that holds each once."""
    place = np.empty(len(sequence), dtype=np.int32)
    place[sequence] = np.arange(len(sequence), dtype=np.int32)
    return place


def customise(order: Order, first: Ints, head: Int32s, cost_ms: Int32s) -> Hierarchy:
    """Give arcs and shortcuts their cost under new weights.

    The arcs, in compressed rows over the states as for ``order``, are those open now: some of the ordered ones, or
    the same with a negative ``cost_ms`` where closed. Of arcs between the same two states the cheapest counts.
    Raises InputError when an open arc joins states between which the order has neither arc nor shortcut.
    """
    if len(first) != len(order) + 1:
        raise InputError(Fault(f"arcs over {len(order)} states, as ordered", str(len(first) - 1), "hierarchy"))
    up, down = (np.full(len(order.head), NEVER, dtype=np.int64) for _ in range(2))
    strange = weigh(order.rank, order.first, order.head, first, head, cost_ms, up, down)
    if strange:
        raise InputError(Fault("arcs that were there when ordering", f"{strange} others", "hierarchy", "Order anew."))
    relax(order.first, order.head, order.low_first, order.low_arc, order.low_tail, up, down)
    return Hierarchy(order, up, down)


def nearest(hierarchy: Hierarchy, states: Ints, *, cost_ms: Ints | None = None, sources: Ints | None = None) -> Reach:
    """For every state the nearest of many sources, going *out from* them; for *towards* ask ``hierarchy.reverse``.

    A source enters at its state (rows,) with ``cost_ms`` (rows,), 0 by default; ``sources`` (rows,) numbers it, by
    default in the order given. Of sources equally near, the one with the smaller number wins.
    """
    enter = np.zeros(len(states), dtype=np.int64) if cost_ms is None else cost_ms.astype(np.int64)
    number = np.arange(len(states), dtype=np.int64) if sources is None else sources.astype(np.int64)
    of, at = hierarchy.order, hierarchy.order.rank[states]
    cost, source = _sweep(of.first, of.head, hierarchy.up_ms, hierarchy.down_ms, at, enter, number)
    return Reach(cost[of.rank], source[of.rank])


def matrix(hierarchy: Hierarchy, sources: Ints, targets: Ints) -> Ints:
    """Milliseconds from each source state to each target state, (sources, targets); -1 where there is no path."""
    table = np.empty((len(sources), len(targets)), dtype=np.int64)
    of = hierarchy.order
    for top in range(0, len(sources), BLOCK):
        rows = of.rank[sources[top : top + BLOCK]]
        ways = _climbs(of.first, of.head, of.depth, hierarchy.up_ms, rows, of.height)
        for left in range(0, len(targets), BLOCK):
            columns = of.rank[targets[left : left + BLOCK]]
            falls = _climbs(of.first, of.head, of.depth, hierarchy.down_ms, columns, of.height)
            _meet(*ways, of.depth[rows], *falls, of.depth[columns], table[top : top + BLOCK, left : left + BLOCK])
    return table


def distance(hierarchy: Hierarchy, source: int, target: int) -> int:
    """Milliseconds from one state to another, -1 where there is no path."""
    return int(matrix(hierarchy, np.array([source]), np.array([target]))[0, 0])


def steps(reach: Reach, first: Ints, head: Int32s, cost_ms: Int32s) -> Ints:
    """The arc by which each state is reached from its nearest source, (states,); -1 at a source and without a path.

    The arcs are those the hierarchy was customised with, each costing at least 1. Of several the first is taken.
    Followed backwards they make a forest.
    """
    return _steps(reach.cost_ms, reach.source, first, head, cost_ms)


def path(hierarchy: Hierarchy, source: int, target: int) -> Ints:
    """The states along a cheapest way, source and target included; empty where there is none.

    Each shortcut on the way is replaced by the two sides of a triangle below it until only arcs are left.
    """
    of = hierarchy.order
    rise, fall = _climb(of, hierarchy.up_ms, source), _climb(of, hierarchy.down_ms, target)
    common = min(len(rise.ranks), len(fall.ranks))
    met = rise.ranks[:common] == fall.ranks[:common]
    both = np.where(met, rise.cost_ms[:common] + fall.cost_ms[:common], NEVER)
    if not (both < NEVER).any():
        return np.zeros(0, dtype=np.int64)
    top = int(np.argmin(both))
    up = _backtrack(of.first, of.head, hierarchy.up_ms, rise.cost_ms, rise.ranks, top)[::-1]
    down = _backtrack(of.first, of.head, hierarchy.down_ms, fall.cost_ms, fall.ranks, top)
    arcs, rises = np.concatenate([up, down]), np.arange(len(up) + len(down)) < len(up)
    weights = (hierarchy.up_ms, hierarchy.down_ms)
    ranks = _unpack(arcs, rises, of.first, of.head, of.low_first, of.low_arc, of.low_tail, *weights)
    return np.concatenate([[source], of.state[ranks]])


class Climb(NamedTuple):
    """A state's ancestors from the root down to itself, and the cost of climbing to each."""

    cost_ms: Ints
    ranks: Int32s


def _climb(order: Order, weight: Ints, state: int) -> Climb:
    rank = order.rank[[state]]
    cost, ranks = _climbs(order.first, order.head, order.depth, weight, rank, order.height)
    length = order.depth[rank[0]] + 1
    return Climb(cost[0, :length], ranks[0, :length])


# -- questions --------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _sweep(
    first: Ints, head: Int32s, up: Ints, down: Ints, at: Int32s, enter: Ints, number: Ints
) -> tuple[Ints, Ints]:  # pragma: no cover
    """Cost and source of each rank: climb from all sources at once, then fall from the highest rank to the lowest."""
    n = len(first) - 1
    cost, source = np.full(n, NEVER), np.full(n, NEVER)
    for i in range(len(at)):
        if enter[i] < cost[at[i]] or (enter[i] == cost[at[i]] and number[i] < source[at[i]]):
            cost[at[i]], source[at[i]] = enter[i], number[i]
    for r in range(n):
        if cost[r] >= NEVER:
            continue
        for a in range(first[r], first[r + 1]):
            h, reach = head[a], cost[r] + up[a]
            if reach < cost[h] or (reach == cost[h] and source[r] < source[h]):
                cost[h], source[h] = reach, source[r]
    for r in range(n - 1, -1, -1):
        best, by = cost[r], source[r]
        for a in range(first[r], first[r + 1]):
            h = head[a]
            reach = cost[h] + down[a]
            if reach < best or (reach == best and source[h] < by):
                best, by = reach, source[h]
        cost[r], source[r] = best, by
    for r in range(n):
        if cost[r] >= NEVER:
            cost[r], source[r] = NOTHING, NOTHING
    return cost, source


@njit(cache=True, nogil=True)
def _climbs(
    first: Ints, head: Int32s, depth: Int32s, weight: Ints, ranks: Int32s, height: int
) -> tuple[Ints, Int32s]:  # pragma: no cover
    """Of each rank (rows,) its ancestors by depth and the cost of climbing to each, (rows, height)."""
    cost, path = np.full((len(ranks), height), NEVER), np.empty((len(ranks), height), np.int32)
    for i in range(len(ranks)):
        r, d = ranks[i], depth[ranks[i]]
        cost[i, d] = 0
        while d >= 0:
            path[i, d] = r
            if cost[i, d] < NEVER:
                for a in range(first[r], first[r + 1]):
                    k = depth[head[a]]
                    cost[i, k] = min(cost[i, k], cost[i, d] + weight[a])
            if d > 0:
                r = head[first[r]]
            d -= 1
    return cost, path


@njit(cache=True, nogil=True)
def _meet(
    ups: Ints, up_path: Int32s, up_depth: Int32s, downs: Ints, down_path: Int32s, down_depth: Int32s, table: Ints
) -> None:  # pragma: no cover
    """The cheapest climb and fall by a common ancestor of each pair, into ``table``."""
    for i in range(len(ups)):
        for j in range(len(downs)):
            common, beyond = 0, min(up_depth[i], down_depth[j]) + 1
            while common < beyond:
                middle = (common + beyond) // 2
                if up_path[i, middle] == down_path[j, middle]:
                    common = middle + 1
                else:
                    beyond = middle
            best = NEVER
            for k in range(common):
                best = min(best, ups[i, k] + downs[j, k])
            table[i, j] = best if best < NEVER else NOTHING


# -- ways -------------------------------------------------------------------------------------------------------------


@njit(cache=True, nogil=True)
def _steps(cost: Ints, source: Ints, first: Ints, head: Int32s, cost_ms: Int32s) -> Ints:  # pragma: no cover
    """For every state the first arc that explains its cost and source."""
    arc = np.full(len(cost), NOTHING, np.int64)
    for s in range(len(cost)):
        if cost[s] < 0:
            continue
        for a in range(first[s], first[s + 1]):
            h = head[a]
            if arc[h] == NOTHING and cost_ms[a] > 0 and cost[s] + cost_ms[a] == cost[h] and source[s] == source[h]:
                arc[h] = a
    return arc


@njit(cache=True, nogil=True)
def _backtrack(
    first: Ints, head: Int32s, weight: Ints, cost: Ints, ranks: Int32s, depth: int
) -> Ints:  # pragma: no cover
    """The climb to the ancestor of a depth, the last arc first: each arc and its lower end, (arcs, 2)."""
    climb, count, d = np.empty((len(cost), 2), np.int64), 0, depth
    while depth < len(cost) - 1:
        d += 1
        if cost[d] >= NEVER:
            continue
        for a in range(first[ranks[d]], first[ranks[d] + 1]):
            if head[a] == ranks[depth] and cost[d] + weight[a] == cost[depth]:
                climb[count, 0], climb[count, 1] = a, ranks[d]
                count, depth = count + 1, d
                break
    return climb[:count]


@njit(cache=True, nogil=True)
def _unpack(
    arcs: Ints,
    rises: NDArray[np.bool_],
    first: Ints,
    head: Int32s,
    low_first: Ints,
    low_arc: Int32s,
    low_tail: Int32s,
    up: Ints,
    down: Ints,
) -> Ints:  # pragma: no cover
    """The rank that each arc of a way leads to, every shortcut replaced by what it stands for."""
    ranks = [np.int64(0) for _ in range(0)]
    waiting = [(arcs[i, 0], arcs[i, 1], rises[i]) for i in range(len(arcs) - 1, -1, -1)]
    while len(waiting) > 0:
        arc, low, rise = waiting.pop()
        found = False
        for j in range(low_first[low], low_first[low + 1]):
            side, below = np.int64(low_arc[j]), np.int64(low_tail[j])
            for b in range(side + 1, first[below + 1]):
                if head[b] == head[arc]:
                    found = down[side] + up[b] == up[arc] if rise else down[b] + up[side] == down[arc]
                    break
            if found:
                # the side taken first is put on top
                waiting.append((b if rise else side, below, np.bool_(True)))
                waiting.append((side if rise else b, below, np.bool_(False)))
                break
        if not found:
            ranks.append(np.int64(head[arc]) if rise else low)
    return np.array(ranks)
