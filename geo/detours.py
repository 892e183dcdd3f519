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
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
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
from geo.splits import Split, Stretch, put_in

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

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
    split = put_in(graph, place, sources, extra_s=extra_s, forest=forest, different_sources=different_sources)
    shortest = _search(split, split.shut, split.potential, [])
    if not shortest.steps:
        return Disjoint(None, None, np.zeros(0, dtype=np.int64))
    pair, least = _true_pair(split, [])
    if pair is not None:
        return Disjoint(*_ways(split, pair), np.zeros(0, dtype=np.int64), least)
    narrow = _must_use(split, shortest.steps)
    shared, _ = _true_pair(split, narrow) if least_shared else (None, True)
    first, second = (split.way(shortest.steps), None) if shared is None else _ways(split, shared)
    edges = [*dict.fromkeys(edge for edge, _, _ in narrow if edge >= 0)]
    return Disjoint(first, second, np.array(edges, dtype=np.int64), least)


# -- two searches ------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class _Search:
    """A way from the place to the goal, arc by arc (``~arc``: an arc of the first way undone); empty: there is none.

    ``reach`` what each node costs above what its potential promised; ``bridges`` the first way's arcs that had to be
    used a second time.
    """

    steps: list[int]
    reach: Ints
    bridges: list[int]


def _search(split: Split, shut: Mask, potential: Ints, first_way: Sequence[int]) -> _Search:
    """The cheapest way from the place to the goal in what the first way leaves of the arcs that are not shut."""
    leaves, to, enters, come = (np.full(len(potential), NOTHING, dtype=np.int64) for _ in range(4))
    for arc in first_way:
        tail, head = split.ends(arc)
        leaves[tail], to[tail], enters[head], come[head] = arc, head, arc, tail
    reach, by, before, bridges = _residual(
        split.graph.first, split.graph.head, split.base_ms, split.first, split.order, split.head, split.cost_ms,
        shut, split.often, potential, leaves, to, enters, come, split.place, split.goal,
    )  # fmt: skip
    steps, at = [], split.goal
    while by[at] != -NEVER:
        steps.append(int(by[at]))
        at = before[at]
    return _Search(steps[::-1] if reach[split.goal] < NEVER else [], reach, bridges.tolist())


@njit(cache=True)
def _residual(
    first: Ints, head: Int32s, cost_ms: Ints, new_first: Ints, new_order: Ints, new_head: Ints, new_ms: Ints,
    shut: Mask, often: Mask, potential: Ints, out_arc: Ints, out_node: Ints, in_arc: Ints, in_node: Ints,
    place: int, goal: int,
) -> tuple[Ints, Ints, Ints, Ints]:  # fmt: skip  # pragma: no cover
    """Reduced cost, last step and node before of every node reached on the way to the goal; and the bridges."""
    n, arcs, states = len(potential), len(head), len(first) - 1
    reach, by, before = np.full(n, NEVER, np.int64), np.full(n, -NEVER, np.int64), np.full(n, NOTHING, np.int64)
    bridges = [np.int64(0) for _ in range(0)]
    heap = [(np.int64(0), np.int64(place))]
    reach[place] = 0
    while True:
        while len(heap) > 0:
            d, x = heapq.heappop(heap)
            if d > reach[x]:
                continue
            if x == goal:
                return reach, by, before, np.array(bridges, dtype=np.int64)
            old = first[x + 1] - first[x] if x < states else 0
            for k in range(old + new_first[x + 1] - new_first[x]):
                if k < old:
                    arc = first[x] + k
                    y, c, again = np.int64(head[arc]), cost_ms[arc], False
                else:
                    i = new_order[new_first[x] + k - old]
                    arc, y, c, again = arcs + i, new_head[i], new_ms[i], often[i]
                if shut[arc] or potential[y] == NEVER or (arc == out_arc[x] and not again):
                    continue
                to = d + max(c + potential[y] - potential[x], 0)
                if to < reach[y]:
                    reach[y], by[y], before[y] = to, arc, x
                    heapq.heappush(heap, (to, y))
            # The first way's own arcs cost nothing above the potential: undoing one is free.
            if in_arc[x] != NOTHING and d < reach[in_node[x]]:
                y = in_node[x]
                reach[y], by[y], before[y] = d, ~in_arc[x], x
                heapq.heappush(heap, (d, y))
        if out_arc[place] == NOTHING:
            return reach, by, before, np.array(bridges, dtype=np.int64)
        # Every way must cross the arc by which the first way leaves what was reached.
        far, at = place, place
        while at != goal:
            at = out_node[at]
            if at != goal and reach[at] < NEVER:
                far = at
        bridges.append(out_arc[far])
        y = out_node[far]
        reach[y], by[y], before[y] = reach[far], out_arc[far], far
        heapq.heappush(heap, (reach[y], y))


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
    raised = np.minimum(one.reach, one.reach[split.goal])
    two = _search(split, shut, np.where(split.potential < NEVER, split.potential - raised, NEVER), one.steps)
    arcs = Counter(one.steps)
    for step in two.steps:
        arcs[step if step >= 0 else ~step] += 1 if step >= 0 else -1
    arcs = +arcs
    return _Pair(arcs, two.bridges, sum(n * split.cost(arc) for arc, n in arcs.items()))


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
    split = put_in(graph, place, sources, extra_s=extra_s, forest=forest)
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
        stretches = zip(way.edge.tolist(), *np.sort([way.from_m, way.to_m], axis=0).tolist(), strict=True)
        arcs = np.unique(np.concatenate([np.zeros(0, dtype=np.int64), *(split.over(*s) for s in stretches)]))
        base, new = arcs[arcs < whole], arcs[arcs >= whole] - whole
        base_ms[base] += np.ceil(split.graph.cost_ms[base] * by_share).astype(np.int64)
        cost_ms[new] += np.ceil(split.true_ms[new] * by_share).astype(np.int64)
    return replace(split, base_ms=base_ms, cost_ms=cost_ms)


def _sensible(graph: Graph, way: Path, best: Path, shown: Sequence[Path], params: AlternativeParams) -> bool:
    longest = (1 + params.longer_share) * best.total_s
    return way.total_s <= longest and all(
        _shared_m(way, other) <= params.shared_share * way.length_m
        and _largest_detour(graph, way, other) <= 1 + params.longer_share
        for other in shown
    )


def _shared_m(way: Path, other: Path) -> float:
    """Metres of a way that another uses as well, in whichever direction."""
    theirs: dict[int, list[tuple[float, float]]] = defaultdict(list)
    for edge, a, b in zip(other.edge.tolist(), other.from_m.tolist(), other.to_m.tolist(), strict=True):
        theirs[edge].append((min(a, b), max(a, b)))
    shared = 0.0
    for edge, a, b in zip(way.edge.tolist(), way.from_m.tolist(), way.to_m.tolist(), strict=True):
        shared += sum(max(0.0, min(max(a, b), high) - max(min(a, b), low)) for low, high in theirs.get(edge, ()))
    return shared


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
