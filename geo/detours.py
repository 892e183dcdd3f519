"""Further ways to shelter: two that share no street, and others worth knowing.

Two ways with the least sum are found by J. Suurballe and R. Tarjan's method (doi:10.1002/net.3230140209): a first
shortest way, then a second in what the first leaves, where it may undo parts of the first. The forest that led
everybody to the sources bounds from below what is left to go, so both searches look only where it matters. They run
on the graph with the place and the doors put in (``geo.splits``).

Where turn states let one street appear as several arcs, a pair may come out that uses a street twice: then each of
the two uses is forbidden in turn, the cheapest outcome first, until the cheapest pair is a true one.
"""

from __future__ import annotations

import heapq
import itertools
from collections import Counter, defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from geo.buckets import NEVER, NOTHING
from geo.curves import Sourced
from geo.paths import Path
from geo.routing import Forest, Graph
from geo.snapping import Snaps
from geo.splits import Split, Stretch, enter, put_in

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

NO_EDGES: Ints = np.zeros(0, dtype=np.int64)
"""What stands against two ways where nothing does."""
AVOIDED = 10_000.0
"""How many times dearer a street gets that is used only where nothing else leads on."""
NEAR_M = 0.01
"""Ways that differ by less than this length, metres, are one."""
TRIES_PER_WAY = 5
"""How many ways are looked at for each that is wanted."""
TRIES = 200
"""How many pairs with a street used twice are taken apart before the search for a true pair is given up."""


class AlternativeParams(Sourced):
    """When a further way is worth showing."""

    subject = "path"

    longer_share: float = Field(ge=0, le=5, description="how much longer than the best, as a share of it")
    shared_share: float = Field(ge=0, le=1, description="largest share of its length in common with a way shown")
    penalty_share: float = Field(gt=0, le=10, description="how much dearer a street gets by each use, as a share")


@dataclass(frozen=True)
class Disjoint:
    """Two ways, and what stands against two.

    ``first`` None: no way at all. ``second`` None: no second way that shares no street with the first; ``first`` is
    then the shortest, and ``bottleneck`` names the edges that every way must use, in the order the first comes by them
    (empty where it is not a street that lacks but another source, or a set of streets in turns). ``least`` is
    False where the search for a pair was given up (``TRIES``), which turn restrictions alone can bring about.
    """

    first: Path | None
    second: Path | None
    bottleneck: Ints
    least: bool = True

    def __repr__(self) -> str:
        ways = [f"{way.total_s:.0f} s" for way in (self.first, self.second) if way is not None]
        return f"Disjoint({' and '.join(ways) or 'no way'}, {len(self.bottleneck)} streets all must use)"


def disjoint(
    graph: Graph,
    place: Snaps,
    sources: Snaps,
    *,
    extra_s: Floats | None = None,
    forest: Forest | None = None,
    different_sources: bool = False,
    least_shared: bool = False,
) -> Disjoint:
    """Two ways from a place (one row) to sources that share no street in any direction, with the least sum of times.

    ``graph`` is the one in the direction of travel. Both ways may lead to one source, and to one door from two sides,
    unless ``different_sources``. The two halves of the place's own street, and of a door's, are streets of their own.
    Within the pair no street is used twice. ``least_shared``: where there is no such pair, the second is the way that
    shares with the first only what every way must use (and the source, where there is only one). ``forest`` is
    ``routing.nearest`` on ``graph.reverse`` with the same ``extra_s``, for callers who have it.
    """
    doors = enter(graph, sources, extra_s=extra_s, forest=forest, different_sources=different_sources)
    return two(put_in(doors, place), least_shared=least_shared)


def two(split: Split, *, least_shared: bool = False) -> Disjoint:
    """As ``disjoint`` where the place and the doors are in the graph already."""
    shortest = _search(split, split.shut, split.potential, [])
    if not shortest.steps:
        return Disjoint(None, None, NO_EDGES)
    pair, least = _true_pair(split, [])
    if pair is not None:
        return Disjoint(*_ways(split, pair), NO_EDGES, least)
    narrow = _must_use(split, shortest.steps)
    shared, _ = _true_pair(split, narrow) if least_shared else (None, True)
    first, second = (split.way(shortest.steps), None) if shared is None else _ways(split, shared)
    return Disjoint(first, second, _edges(narrow), least)


def _edges(narrow: Sequence[Stretch]) -> Ints:
    return np.array([*dict.fromkeys(edge for edge, _, _ in narrow if edge >= 0)], dtype=np.int64)


def quickest(split: Split) -> Path | None:
    """The cheapest way from the place; None where there is none."""
    steps = _search(split, split.shut, split.potential, []).steps
    return split.way(steps) if steps else None


def quickest_and_second(split: Split) -> Disjoint:
    """The quickest way of all, and the quickest of those that share least time with it; None where that is the same.

    ``disjoint`` gives the quickest up where it stands in the way of two; here it stays. Then, and where every way must
    use a street (``bottleneck``), the second has something in common with it.
    """
    steps = _search(split, split.shut, split.potential, []).steps
    if not steps:
        return Disjoint(None, None, NO_EDGES)
    first = split.way(steps)
    second = _beside(split, first, [arc for arc in steps if split.once(arc)])
    if second is not None:
        return Disjoint(first, second, NO_EDGES)
    second = quickest(_dearer(split, [first], AVOIDED))
    kept = second if second is not None and shared_m(first, second) < first.length_m - NEAR_M else None
    return Disjoint(first, kept, _edges(_must_use(split, steps)))


def _beside(split: Split, first: Path, links: Sequence[int]) -> Path | None:
    """The quickest way that shares nothing with the first, nor these links."""
    shut = split.shut.copy()
    shut[split.under(first)] = True
    shut[[*links]] = True
    steps = _search(split, shut, split.potential, []).steps
    return split.way(steps) if steps else None


def _common(way: Path, other: Path) -> Iterator[Stretch]:
    """The stretches that two ways both use, in whichever direction."""
    theirs: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for edge, a, b in zip(other.edge.tolist(), other.from_m.tolist(), other.to_m.tolist(), strict=True):
        theirs[edge].append((min(a, b), max(a, b)))
    for edge, a, b in zip(way.edge.tolist(), way.from_m.tolist(), way.to_m.tolist(), strict=True):
        for low, high in theirs.get(edge, ()):
            both = (edge, max(low, min(a, b)), min(high, max(a, b)))
            if both[1] < both[2]:
                yield both


# -- two searches ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Search:
    """A way from the place to the goal, arc by arc (``~arc``: an arc of the first way undone); empty: there is none.

    ``node`` are those reached, ``reach`` what each costs above what its potential promised; ``bridges`` the first way's
    arcs that had to be used a second time.
    """

    steps: list[int]
    node: Ints
    reach: Ints
    bridges: list[int]


@dataclass(frozen=True)
class _Room:
    """What a search writes to, one value a node; between searches ``reach`` is ``NEVER`` and all others ``NOTHING``."""

    reach: Ints
    by: Ints
    before: Ints
    leaves: Ints
    to: Ints
    enters: Ints
    come: Ints

    @classmethod
    def of(cls, nodes: int) -> _Room:
        """Room for so many nodes."""
        return cls(np.full(nodes, NEVER, np.int64), *(np.full(nodes, NOTHING, np.int64) for _ in range(6)))


_SPARE: deque[_Room] = deque(maxlen=4)


@contextmanager
def _room(nodes: int) -> Iterator[_Room]:
    """Room for a search, to be given back as it was: a search costs what it reaches, however large the city is."""
    try:
        room = _SPARE.pop()
    except IndexError:
        room = _Room.of(nodes)
    if len(room.reach) < nodes:
        room = _Room.of(nodes + nodes // 8)
    yield room
    _SPARE.append(room)


def _search(split: Split, shut: Mask, potential: Ints, first_way: Sequence[int]) -> _Search:
    """The cheapest way from the place to the goal in what the first way leaves of the arcs that are not shut."""
    ends = [(arc, *split.ends(arc)) for arc in first_way]
    with _room(len(potential)) as room:
        for arc, tail, head in ends:
            room.leaves[tail], room.to[tail], room.enters[head], room.come[head] = arc, head, arc, tail
        node, reach, steps, bridges = _residual(
            split.graph.first, split.graph.head, split.base_ms, split.newest, split.older, split.head, split.cost_ms,
            shut, split.often, potential, room.leaves, room.to, room.enters, room.come, room.reach, room.by,
            room.before, split.place, split.goal,
        )  # fmt: skip
        for _, tail, head in ends:
            room.leaves[tail] = room.to[tail] = room.enters[head] = room.come[head] = NOTHING
    return _Search(steps[::-1].tolist(), node, reach, bridges.tolist())


@njit(cache=True, nogil=True)
def _residual(
    first: Ints, head: Int32s, cost_ms: Ints, newest: Ints, older: Ints, new_head: Ints, new_ms: Ints,
    shut: Mask, often: Mask, potential: Ints, out_arc: Ints, out_node: Ints, in_arc: Ints, in_node: Ints,
    reach: Ints, by: Ints, before: Ints, place: int, goal: int,
) -> tuple[Ints, Ints, Ints, Ints]:  # fmt: skip  # pragma: no cover
    """Every node reached, its reduced cost, the steps from the goal backwards, and the bridges."""
    arcs, states = len(head), len(first) - 1
    bridges = [np.int64(0) for _ in range(0)]
    touched = [np.int64(place)]
    heap = [(np.int64(0), np.int64(place))]
    reach[place] = 0
    done = False
    while not done:
        while len(heap) > 0:
            d, x = heapq.heappop(heap)
            if d > reach[x]:
                continue
            if x == goal:
                done = True
                break
            arc = first[x] if x < states else np.int64(0)
            last = first[x + 1] if x < states else np.int64(0)
            i = newest[x]
            while arc < last or i >= 0:
                if arc < last:
                    a, y, c, again = arc, np.int64(head[arc]), cost_ms[arc], False
                    arc += 1
                else:
                    a, y, c, again = arcs + i, new_head[i], new_ms[i], often[i]
                    i = older[i]
                if shut[a] or potential[y] == NEVER or (a == out_arc[x] and not again):
                    continue
                to = d + max(c + potential[y] - potential[x], 0)
                if to < reach[y]:
                    if reach[y] == NEVER:
                        touched.append(y)
                    reach[y], by[y], before[y] = to, a, x
                    heapq.heappush(heap, (to, y))
            # The first way's own arcs cost nothing above the potential: undoing one is free.
            if in_arc[x] != NOTHING and d < reach[in_node[x]]:
                y = in_node[x]
                if reach[y] == NEVER:
                    touched.append(y)
                reach[y], by[y], before[y] = d, ~in_arc[x], x
                heapq.heappush(heap, (d, y))
        if done or out_arc[place] == NOTHING:
            break
        # Every way must cross the arc by which the first way leaves what was reached.
        far, at = np.int64(place), np.int64(place)
        while at != goal:
            at = out_node[at]
            if at != goal and reach[at] < NEVER:
                far = at
        bridges.append(out_arc[far])
        y = out_node[far]
        touched.append(y)
        reach[y], by[y], before[y] = reach[far], out_arc[far], far
        heapq.heappush(heap, (reach[y], y))
    return _put_back(np.array(touched), reach, by, before, place, goal, np.array(bridges, dtype=np.int64))


@njit(cache=True, nogil=True)
def _put_back(
    touched: Ints, reach: Ints, by: Ints, before: Ints, place: int, goal: int, bridges: Ints
) -> tuple[Ints, Ints, Ints, Ints]:  # pragma: no cover
    """What a search found, read off; what it wrote on is as it was."""
    costs = reach[touched]
    steps = [np.int64(0) for _ in range(0)]
    at = np.int64(goal)
    while reach[goal] < NEVER and at != place:
        steps.append(by[at])
        at = before[at]
    for node in touched:
        reach[node], by[node], before[node] = NEVER, NOTHING, NOTHING
    return touched, costs, np.array(steps, dtype=np.int64), bridges


# -- from two searches to two ways -------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Pair:
    """The arcs of two ways together, and those that both had to use."""

    arcs: Counter[int]
    bridges: list[int]
    cost_ms: int


def _pair(split: Split, forbidden: Sequence[int]) -> _Pair | None:
    """Two ways that share no arc, with the least sum, and without the forbidden arcs; None where there is no way."""
    shut = split.shut.copy()
    shut[list(forbidden)] = True
    one = _search(split, shut, split.potential, [])
    if not one.steps:
        return None
    most = one.reach[one.node == split.goal][0]
    lowered = np.where(split.potential < NEVER, split.potential - most, NEVER)
    lowered[one.node] += most - np.minimum(one.reach, most)
    other = _search(split, shut, lowered, one.steps)
    arcs = Counter(one.steps)
    for step in other.steps:
        arcs[step if step >= 0 else ~step] += 1 if step >= 0 else -1
    arcs = +arcs
    return _Pair(arcs, other.bridges, sum(n * split.cost(arc) for arc, n in arcs.items()))


def _true_pair(split: Split, exempt: Sequence[Stretch]) -> tuple[_Pair | None, bool]:
    """The cheapest pair that uses no street twice, those exempt aside; False: given up."""
    tried, waiting = set[tuple[int, ...]](), list[tuple[int, tuple[int, ...], _Pair]]()
    branches: list[tuple[int, ...]] = [()]
    for _ in range(TRIES):
        for forbidden in branches:
            pair = None if forbidden in tried else _pair(split, forbidden)
            tried.add(forbidden)
            if pair is not None and all(_covered(split.stretch(arc), exempt) for arc in pair.bridges):
                heapq.heappush(waiting, (pair.cost_ms, forbidden, pair))
        if not waiting:
            return None, True
        _, forbidden, pair = heapq.heappop(waiting)
        twice = next((t for t in _twice(split, pair) if not _covered(t.stretch, exempt)), None)
        if twice is None:
            return pair, True
        branches = [tuple(sorted({*forbidden, arc})) for arc in twice.arcs]
    return None, False


@dataclass(frozen=True)
class _Twice:
    """A stretch of an edge that two arcs of a pair cover."""

    arcs: tuple[int, int]
    stretch: Stretch


def _twice(split: Split, pair: _Pair) -> Iterator[_Twice]:
    """Every stretch that the pair uses twice by different arcs, in the order of the arcs."""
    by_edge: dict[int, list[tuple[int, float, float]]] = defaultdict(list)
    for arc in sorted(pair.arcs):
        edge, low, high = split.stretch(arc)
        for other, low_2, high_2 in by_edge[edge] if edge >= 0 else ():
            both = (max(low, low_2), min(high, high_2))
            if both[0] < both[1]:
                yield _Twice((other, arc), (edge, *both))
        by_edge[edge].append((arc, low, high))


def _covered(stretch: Stretch, exempt: Sequence[Stretch]) -> bool:
    """Whether a stretch lies within one that may be used twice; links may wherever some stretch may."""
    edge, low, high = stretch
    return any(edge in (e, NOTHING) and (edge < 0 or (a <= low and high <= b)) for e, a, b in exempt)


def _must_use(split: Split, shortest: Sequence[int]) -> list[Stretch]:
    """The stretches that every way uses, in the order in which the shortest comes by them; and links (edge -1)."""
    pair = _pair(split, ())
    if pair is None:
        return []
    narrow = [split.stretch(arc) for arc in pair.bridges]
    for twice in _twice(split, pair):
        shut = split.shut.copy()
        shut[split.over(*twice.stretch)] = True
        if not _search(split, shut, split.potential, []).steps:
            narrow.append(twice.stretch)
    order = {edge: i for i, edge in reversed([*enumerate(split.stretch(arc)[0] for arc in shortest)])}
    return sorted(narrow, key=lambda stretch: (order.get(stretch[0], len(order)), stretch))


def _ways(split: Split, pair: _Pair) -> tuple[Path, Path]:
    """The pair as two ways from the place to the goal, the quicker first."""
    left = pair.arcs.copy()
    leaving: dict[int, list[int]] = defaultdict(list)
    for arc in sorted(left, reverse=True):
        leaving[split.ends(arc)[0]] += [arc] * left[arc]
    one, two = (split.way(_walk(split, leaving)) for _ in range(2))
    told = [(way.total_s, way.edge.tolist(), way.from_m.tolist()) for way in (one, two)]
    return (one, two) if told[0] <= told[1] else (two, one)


def _walk(split: Split, leaving: dict[int, list[int]]) -> Iterator[int]:
    """Arcs from the place to the goal, each taken out as it is used."""
    at = split.place
    while at != split.goal:
        arc = leaving[at].pop()
        yield arc
        at = split.ends(arc)[1]


# -- further ways ----------------------------------------------------------------------------------------------------


def alternatives(
    graph: Graph,
    place: Snaps,
    sources: Snaps,
    *,
    count: int,
    params: AlternativeParams,
    besides: Sequence[Path] = (),
    extra_s: Floats | None = None,
    forest: Forest | None = None,
) -> list[Path]:
    """Up to ``count`` sensible further ways from a place (one row) to sources, beyond those known (``besides``).

    Each is found after the streets of those before got dearer (R. Bader and others,
    doi:10.1007/978-3-642-19754-3_5), and kept when it is not much longer than the shortest, shares not too much with
    any kept or known, and goes no needless detour: between leaving a known way and coming back to it, it is not much
    longer either (after I. Abraham and others, doi:10.1145/2444016.2444019). The first, with nothing known, is the
    shortest way itself. Empty where there is no path.
    """
    split = put_in(enter(graph, sources, extra_s=extra_s, forest=forest), place)
    found = _search(split, split.shut, split.potential, []).steps
    if not found:
        return []
    best = split.way(found)
    shown, kept = list(besides), list[Path]()
    dearer = _dearer(split, shown, params.penalty_share)
    for _ in range(TRIES_PER_WAY * count):
        way = split.way(_search(dearer, split.shut, split.potential, []).steps)
        if _sensible(graph, way, best, shown, params):
            kept.append(way)
            shown.append(way)
        if len(kept) == count:
            break
        dearer = _dearer(dearer, [way], params.penalty_share)
    return kept


def _dearer(split: Split, ways: Sequence[Path], by_share: float) -> Split:
    """The same streets, those that the ways use dearer in both directions."""
    base_ms, cost_ms, whole = split.base_ms.copy(), split.cost_ms.copy(), split.whole
    for way in ways:
        arcs = split.under(way)
        base, new = arcs[arcs < whole], arcs[arcs >= whole] - whole
        base_ms[base] += np.ceil(split.graph.cost_ms[base] * by_share).astype(np.int64)
        cost_ms[new] += np.ceil(split.true_ms[new] * by_share).astype(np.int64)
    return replace(split, base_ms=base_ms, cost_ms=cost_ms)


def _sensible(graph: Graph, way: Path, best: Path, shown: Sequence[Path], params: AlternativeParams) -> bool:
    longest = (1 + params.longer_share) * best.total_s
    return way.total_s <= longest and all(
        shared_m(way, other) <= params.shared_share * way.length_m
        and _largest_detour(graph, way, other) <= 1 + params.longer_share
        for other in shown
    )


def shared_m(way: Path, other: Path) -> float:
    """Metres of a way that another uses as well, in whichever direction."""
    return sum((high - low for _, low, high in _common(way, other)), 0.0)


def _largest_detour(graph: Graph, way: Path, other: Path) -> float:
    """How many times as long the way takes as another, at worst, between two nodes that both pass in one order."""
    mine, theirs = _passed(graph, way), dict(reversed(_passed(graph, other)))
    common = [(at_s, theirs[node]) for node, at_s in mine if node in theirs]
    ratios = [(b - a) / (d - c) for (a, c), (b, d) in itertools.pairwise(common) if d > c]
    return max(ratios, default=1.0)


def _passed(graph: Graph, way: Path) -> list[tuple[int, float]]:
    """The nodes at which the stretches of a way end, each with the seconds since the start, in order of travel."""
    node = np.where(way.to_m > way.from_m, graph.v[way.edge], graph.u[way.edge])
    return [*zip(node.tolist()[:-1], np.cumsum(way.seconds).tolist()[:-1], strict=True)]
