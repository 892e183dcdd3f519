"""What becomes of everybody's walk when one street is closed: exactly, and bounded from both sides beforehand.

All walks together are one tree towards the shelters: states of the network (``geo.routing``), the places as leaves,
and one goal behind every door. Closing streets touches only those whose way leads over them: the nodes below in the
tree. They are settled again from the arcs that lead out of them, by a search that never leaves them (compare G.
Ramalingam and T. Reps, doi:10.1006/jagm.1996.0046). A place or a door on a closed street is closed with it: all its
arcs run on that street.

Beforehand, for all streets at once: whoever is below loses at least what the best arc out of there costs above the
way it replaces, and at most what it costs to walk down the tree to the best such arc and leave by it. Both are found
by sorting the arcs once and handing each to the nodes it leads out of (as R. E. Tarjan does for the sensitivity of
shortest-path trees, Information Processing Letters 14, 1982).
"""

from __future__ import annotations

import heapq
from typing import NamedTuple

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import routing
from geo.buckets import NEVER, NOTHING
from geo.evacuation import Walks
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]


class Tree(NamedTuple):
    """Everybody's walk as one tree; a named tuple, because that is what compiled code takes.

    Nodes are the states of the graph, then ``places`` (rows of the demand), then the goal. Arcs in the direction of
    travel: node ``n`` has ``first[n]:first[n + 1]``, those into it are ``into[into_first[n]:into_first[n + 1]]``.
    ``group`` (arcs,) are the streets that close together, from 0. ``cost_to_go`` (nodes,) is milliseconds to the
    goal, ``NEVER`` beyond ``limit_ms``; ``parent`` and ``up`` the next node and the arc to it; ``down`` milliseconds
    from the goal down the tree, ``NEVER`` where the tree cannot be walked down. Nodes of a subtree are
    ``order[begin[n]:end[n]]``. ``people`` (nodes,) who walk from there, ``allowed_ms`` (nodes,) their longest way,
    ``below`` all people of the subtree, ``spare_ms`` the least any of them has to spare.
    """

    first: Ints
    head: Ints
    cost_ms: Ints
    group: Ints
    tail: Ints
    into_first: Ints
    into: Ints
    cost_to_go: Ints
    parent: Ints
    up: Ints
    down: Ints
    begin: Ints
    end: Ints
    order: Ints
    people: Ints
    allowed_ms: Ints
    below: Ints
    spare_ms: Ints
    places: Ints
    limit_ms: int


class _Arcs(NamedTuple):
    """Arcs in any order: from node ``tail`` to ``head`` along ``edge``."""

    tail: Ints
    head: Ints
    cost_ms: Ints
    edge: Ints


# -- the tree ----------------------------------------------------------------------------------------------------------


def tree(walks: Walks, doors: Snaps, people: Ints, *, group: Ints, limit_s: float, speed_ms: float) -> Tree:
    """The walks of ``evacuation.walk_to_nearest`` (with the same doors and speed) as one tree.

    ``people`` (places,) count where the walk is at most ``limit_s``. ``group`` (edges,) numbers the streets: those
    with the same number close together.
    """
    graph, forest = walks.ways.graph, walks.forest
    places = np.flatnonzero((people > 0) & (walks.walk_s <= limit_s))
    homes = walks.places.where(np.isin(np.arange(len(walks.places)), places))
    goal = len(graph) + len(places)
    arcs = _sorted(_arcs(walks, doors, homes, goal=goal, speed_ms=speed_ms))
    limit_ms = int(_milliseconds(np.array([limit_s]))[0])
    to_go = np.r_[forest.cost_ms, walks.starts.cost_ms[places], 0]
    to_go = np.where((to_go < 0) | (to_go > limit_ms), NEVER, to_go)
    parent = np.r_[forest.parent, walks.starts.state[places], NOTHING]
    parent[(parent == NOTHING) & (to_go < NEVER)] = goal
    own_ms = _milliseconds(limit_s - homes.off_m / speed_ms)
    allowed = np.r_[np.zeros(len(graph), dtype=np.int64), np.maximum(own_ms, to_go[len(graph) : -1]), 0]
    walkers = np.r_[np.zeros(len(graph), dtype=np.int64), people[places], 0]
    return _grown(arcs, group[arcs.edge], to_go, parent, walkers, allowed, places, limit_ms)


def _milliseconds(seconds: NDArray[np.float64]) -> Ints:
    return np.floor(seconds * 1000 + 1e-6).astype(np.int64)


def _arcs(walks: Walks, doors: Snaps, homes: Snaps, *, goal: int, speed_ms: float) -> _Arcs:
    """The streets, the ways out of the homes, the doors, and doors on the homes' own streets."""
    graph, n = walks.ways.graph, len(walks.ways.graph)
    last_s = np.nan_to_num(doors.off_m) / speed_ms
    row = np.arange(len(doors))
    enter = routing.roots(graph.reverse, Snaps(row, doors.edge, doors.along_m, doors.off_m), extra_s=last_s)
    leave = routing.roots(graph, Snaps(np.arange(len(homes)), homes.edge, homes.along_m, homes.off_m))
    extra = np.rint(last_s * 1000).astype(np.int64)
    beside = routing.own_street(graph, homes.edge, homes.along_m, doors, extra)[0]
    own = np.flatnonzero(beside < NEVER)
    parts = [
        (graph.tail, graph.head, graph.cost_ms, graph.edge),
        (n + leave.source, leave.state, leave.cost_ms, homes.edge[leave.source]),
        (enter.state, np.full(len(enter.state), goal), enter.cost_ms, doors.edge[enter.source]),
        (n + own, np.full(len(own), goal), beside[own], homes.edge[own]),
    ]
    return _Arcs(*(np.concatenate(column).astype(np.int64) for column in zip(*parts, strict=True)))


def _sorted(arcs: _Arcs) -> _Arcs:
    order = np.lexsort((arcs.edge, arcs.head, arcs.tail))
    return _Arcs(*(column[order] for column in arcs))


def _rows(of: Ints, nodes: int) -> Ints:
    return np.asarray(np.r_[0, np.cumsum(np.bincount(of, minlength=nodes))], dtype=np.int64)


def _grown(
    arcs: _Arcs, group: Ints, to_go: Ints, parent: Ints, people: Ints, allowed: Ints, places: Ints, limit_ms: int
) -> Tree:
    nodes = len(to_go)
    into = np.argsort(arcs.head, kind="stable")
    first = _rows(arcs.tail, nodes)
    tight = (parent[arcs.tail] == arcs.head) & (to_go[arcs.tail] == arcs.cost_ms + to_go[arcs.head])
    used = np.flatnonzero(tight & (to_go[arcs.tail] < NEVER))[::-1]
    up = np.full(nodes, NOTHING, dtype=np.int64)
    up[arcs.tail[used]] = used
    # By cost, the goal before the states and these before the places: nobody comes before whom their way leads over.
    kind = np.r_[np.full(nodes - 1 - len(places), 1), np.full(len(places), 2), 0]
    there = np.flatnonzero(to_go < NEVER)
    outward = there[np.lexsort((kind[there], to_go[there]))]
    spare = np.where(people > 0, allowed - to_go, NEVER)
    begin, end, order, below, spare = _laid_out(outward, parent, people, spare)
    down = _down(outward, parent, up, first, arcs.head, arcs.cost_ms, group)
    return Tree(
        first, arcs.head, arcs.cost_ms, group, arcs.tail, _rows(arcs.head, nodes), into, to_go, parent, up, down,
        begin, end, order, people, allowed, below, spare, places, limit_ms,
    )  # fmt: skip


@njit(cache=True)
def _laid_out(
    outward: Ints, parent: Ints, people: Ints, spare_ms: Ints
) -> tuple[Ints, Ints, Ints, Ints, Ints]:  # pragma: no cover
    """Where each subtree begins and ends in an order that keeps it together, its people, and their least to spare."""
    begin, size = np.zeros(len(parent), np.int64), np.zeros(len(parent), np.int64)
    below, spare, order = people.copy(), spare_ms.copy(), np.empty(len(outward), np.int64)
    for i in range(len(outward) - 1, 0, -1):
        node = outward[i]
        size[node] += 1
        size[parent[node]] += size[node]
        below[parent[node]] += below[node]
        spare[parent[node]] = min(spare[parent[node]], spare[node])
    free = np.ones(len(parent), np.int64)
    for i in range(len(outward)):
        node = outward[i]
        if i > 0:
            begin[node] = free[parent[node]]
            free[parent[node]] += size[node]
        else:
            size[node] += 1
        free[node] = begin[node] + 1
        order[begin[node]] = node
    return begin, begin + size, order, below, spare


@njit(cache=True)
def _down(
    outward: Ints, parent: Ints, up: Ints, first: Ints, head: Ints, cost_ms: Ints, group: Ints
) -> Ints:  # pragma: no cover
    """Milliseconds down the tree to each node, along the streets that lead up; the doors begin at 0."""
    down = np.full(len(parent), NEVER)
    down[outward[0]] = 0
    for i in range(1, len(outward)):
        node = outward[i]
        above = parent[node]
        if above == outward[0]:
            down[node] = 0
            continue
        for a in range(first[above], first[above + 1]):
            if head[a] == node and group[a] == group[up[node]] and down[above] < NEVER:
                down[node] = min(down[node], down[above] + cost_ms[a])
    return down


# -- bounds ------------------------------------------------------------------------------------------------------------


class Bounds(NamedTuple):
    """For each group the person-milliseconds its loss costs at least and at most.

    ``people`` are those whose way leads over it, ``residents`` those among them who live on it.
    """

    people: Ints
    residents: Ints
    least_ms: Ints
    most_ms: Ints


class Tops(NamedTuple):
    """The nodes whose way leads over each group at once: ``node[first[g]:first[g + 1]]``, by where they begin."""

    first: Ints
    node: Ints


def tops(tree: Tree, groups: int) -> Tops:
    """The nodes of the tree that each group carries."""
    node = np.flatnonzero(tree.up != NOTHING)
    group = tree.group[tree.up[node]]
    order = np.lexsort((tree.begin[node], group))
    return Tops(_rows(group, groups), node[order])


def bounds(tree: Tree, tops: Tops, *, lost_ms: int) -> Bounds:
    """What the loss of each group costs, from below and above; ``lost_ms`` is what one person counts who is lost."""
    over = _arcs_over(tree)
    above_ms = tree.cost_ms[over] + tree.cost_to_go[tree.head[over]] - tree.cost_to_go[tree.tail[over]]
    leaving = _leaving(tree, over[np.argsort(above_ms, kind="stable")])
    walkable = tree.down[tree.tail[over]] < NEVER
    over = over[walkable]
    by_tree_ms = tree.cost_ms[over] + tree.cost_to_go[tree.head[over]] + tree.down[tree.tail[over]]
    reached = _leaving(tree, over[np.argsort(by_tree_ms, kind="stable")])
    people, least_ms, most_ms = _bounded(tree, tops, leaving, reached, lost_ms)
    homes = np.flatnonzero(tree.people)
    residents = np.bincount(tree.group[tree.up[homes]], tree.people[homes], minlength=len(people)).astype(np.int64)
    return Bounds(people, residents, least_ms, most_ms)


def _arcs_over(tree: Tree) -> Ints:
    """Arcs between nodes of the tree that are not in it."""
    known = (tree.cost_to_go[tree.tail] < NEVER) & (tree.cost_to_go[tree.head] < NEVER)
    known[tree.up[tree.up != NOTHING]] = False
    return np.flatnonzero(known)


@njit(cache=True)
def _leaving(tree: Tree, arcs: Ints) -> Ints:  # pragma: no cover
    """The first of the arcs that leads out of the subtree of each node, (nodes,)."""
    best, lowest = np.full(len(tree.parent), NOTHING, np.int64), np.arange(len(tree.parent))
    goal = len(tree.parent) - 1
    for a in arcs:
        at = tree.begin[tree.head[a]]
        node = _still(lowest, tree.tail[a])
        while node != goal and not tree.begin[node] <= at < tree.end[node]:
            best[node] = a
            lowest[node] = tree.parent[node]
            node = _still(lowest, node)
    return best


@njit(cache=True)
def _still(lowest: Ints, node: int) -> int:  # pragma: no cover
    """The lowest node above that has no arc yet, the way there shortened for the next who ask."""
    found = node
    while lowest[found] != found:
        found = lowest[found]
    while lowest[node] != found:
        lowest[node], node = found, lowest[node]
    return found


@njit(cache=True)
def _bounded(
    tree: Tree, tops: Tops, leaving: Ints, reached: Ints, lost_ms: int
) -> tuple[Ints, Ints, Ints]:  # pragma: no cover
    groups = len(tops.first) - 1
    people, least, most = np.zeros(groups, np.int64), np.zeros(groups, np.int64), np.zeros(groups, np.int64)
    for g in range(groups):
        end, inner, wide, single = -1, 0, 0, -1
        for i in range(tops.first[g], tops.first[g + 1]):
            node = tops.node[i]
            if tree.begin[node] < end:
                inner += 1
                continue
            end = tree.end[node]
            people[g] += tree.below[node]
            most[g] += tree.below[node] * lost_ms
            if tree.people[node] > 0:
                least[g] += tree.people[node] * lost_ms
            else:
                wide, single = wide + 1, node
                least[g] += tree.below[node] * _at_least(tree, leaving, node, lost_ms)
        # Where more than one subtree is cut off, or one within another, the best arc may lead from one to another.
        if wide == 1 and inner == 0:
            most[g] -= tree.below[single] * (lost_ms - _at_most(tree, reached[single], single, g, lost_ms))
    return people, least, most


@njit(cache=True)
def _at_least(tree: Tree, leaving: Ints, node: int, lost_ms: int) -> int:  # pragma: no cover
    """What everybody below a node loses at least, milliseconds each."""
    a = leaving[node]
    if a == NOTHING:
        return lost_ms
    longer: int = tree.cost_ms[a] + tree.cost_to_go[tree.head[a]] - tree.cost_to_go[tree.tail[a]]
    return min(lost_ms, longer)


@njit(cache=True)
def _at_most(tree: Tree, arc: int, node: int, group: int, lost_ms: int) -> int:  # pragma: no cover
    """What everybody below a node loses at most who walks up to it, down the tree to the arc, and out by it."""
    if arc == NOTHING or tree.group[arc] == group or tree.down[node] == NEVER:
        return lost_ms
    way = tree.cost_ms[arc] + tree.cost_to_go[tree.head[arc]] + tree.down[tree.tail[arc]] - tree.down[node]
    longer: int = way - tree.cost_to_go[node]
    return longer if longer <= tree.spare_ms[node] else lost_ms


# -- one closure, exactly ----------------------------------------------------------------------------------------------


class Losses(NamedTuple):
    """What the loss of groups costs, (groups,): person-milliseconds in all and of those who still get there.

    ``lost`` are people who do not get there in time any more, ``later`` those who get there later, ``longest_ms`` the
    most that one of them walks longer. ``tried`` says which groups were settled at all; the others hold zeros.
    """

    ms: Ints
    later_ms: Ints
    lost: Ints
    later: Ints
    longest_ms: Ints
    tried: Mask


def costliest(
    tree: Tree, tops: Tops, most_ms: Ints, *, count: int, tries: int, lost_ms: int, aside_ms: Ints | None = None
) -> Losses:
    """The groups whose loss costs most, settled in order of their upper bounds ``most_ms``.

    Ends when ``count`` groups cost more than any other can, when all with a bound above 0 are settled, or after
    ``tries``. ``aside_ms`` (groups,) is a part of each cost that does not count for what is most.
    """
    aside = np.zeros(len(most_ms), dtype=np.int64) if aside_ms is None else aside_ms
    order = np.argsort(aside - most_ms, kind="stable")
    order = order[most_ms[order] > 0]
    return Losses(*_costliest(tree, tops, order, most_ms, aside, count, tries, lost_ms))


@njit(cache=True)
def _costliest(
    tree: Tree, tops: Tops, order: Ints, most_ms: Ints, aside_ms: Ints, count: int, tries: int, lost_ms: int
) -> tuple[Ints, Ints, Ints, Ints, Ints, Mask]:  # pragma: no cover
    n = len(tops.first) - 1
    ms, later_ms, lost, later, longest = (
        np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64), np.zeros(n, np.int64),
        np.zeros(n, np.int64),
    )  # fmt: skip
    tried, now_ms, mark = np.zeros(n, np.bool_), np.full(len(tree.parent), NEVER), np.full(len(tree.parent), -1)
    best = [np.int64(0) for _ in range(0)]
    for g in order[:tries]:
        if len(best) == count and best[0] > most_ms[g] - aside_ms[g]:
            break
        tried[g] = True
        _settle(tree, tops, g, now_ms, mark)
        for i in range(tops.first[g], tops.first[g + 1]):
            for at in range(tree.begin[tops.node[i]], tree.end[tops.node[i]]):
                node = tree.order[at]
                if tree.people[node] == 0 or mark[node] != g:
                    continue
                mark[node] = -1
                more = now_ms[node] - tree.cost_to_go[node]
                if now_ms[node] > tree.allowed_ms[node]:
                    lost[g] += tree.people[node]
                    ms[g] += tree.people[node] * lost_ms
                elif more > 0:
                    later[g] += tree.people[node]
                    later_ms[g] += tree.people[node] * more
                    longest[g] = max(longest[g], more)
        ms[g] += later_ms[g]
        heapq.heappush(best, ms[g] - aside_ms[g])
        if len(best) > count:
            heapq.heappop(best)
    return ms, later_ms, lost, later, longest, tried


@njit(cache=True)
def _settle(tree: Tree, tops: Tops, g: int, now_ms: Ints, mark: Ints) -> None:  # pragma: no cover
    """The cost to go without group ``g`` of all nodes below it, in place: ``now_ms``, and ``mark`` set to ``g``."""
    for i in range(tops.first[g], tops.first[g + 1]):
        for at in range(tree.begin[tops.node[i]], tree.end[tops.node[i]]):
            mark[tree.order[at]], now_ms[tree.order[at]] = g, NEVER
    heap, end = [(np.int64(0), np.int64(0)) for _ in range(0)], 0
    for i in range(tops.first[g], tops.first[g + 1]):
        if tree.begin[tops.node[i]] < end:
            continue
        end = tree.end[tops.node[i]]
        for at in range(tree.begin[tops.node[i]], tree.end[tops.node[i]]):
            node = tree.order[at]
            for a in range(tree.first[node], tree.first[node + 1]):
                head = tree.head[a]
                if tree.group[a] != g and mark[head] != g and tree.cost_to_go[head] < NEVER:
                    now_ms[node] = min(now_ms[node], tree.cost_ms[a] + tree.cost_to_go[head])
            if now_ms[node] <= tree.limit_ms and tree.people[node] == 0:
                heapq.heappush(heap, (now_ms[node], node))
    while len(heap) > 0:
        cost, node = heapq.heappop(heap)
        if cost > now_ms[node]:
            continue
        for i in range(tree.into_first[node], tree.into_first[node + 1]):
            a = tree.into[i]
            tail = tree.tail[a]
            if mark[tail] == g and tree.group[a] != g and cost + tree.cost_ms[a] < now_ms[tail]:
                now_ms[tail] = cost + tree.cost_ms[a]
                if tree.people[tail] == 0 and now_ms[tail] <= tree.limit_ms:
                    heapq.heappush(heap, (now_ms[tail], tail))


class Touched(NamedTuple):
    """The places (rows of the demand) whose walk one closure makes longer, and by how much; -1: lost."""

    place: Ints
    longer_ms: Ints


def touched(tree: Tree, tops: Tops, group: int) -> Touched:
    """Who walks longer without a group of streets, and who does not get there in time any more."""
    node, longer_ms = _touched(tree, tops, group)
    return Touched(tree.places[node - (len(tree.parent) - 1 - len(tree.places))], longer_ms)


@njit(cache=True)
def _touched(tree: Tree, tops: Tops, g: int) -> tuple[Ints, Ints]:  # pragma: no cover
    now_ms, mark = np.full(len(tree.parent), NEVER), np.full(len(tree.parent), -1)
    _settle(tree, tops, g, now_ms, mark)
    node = np.flatnonzero((mark == g) & (tree.people > 0) & (now_ms > tree.cost_to_go))
    return node, np.where(now_ms[node] <= tree.allowed_ms[node], now_ms[node] - tree.cost_to_go[node], NOTHING)
