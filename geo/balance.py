"""Balanced cells: blocks joined so that each cell is in one piece, has about the same load, and has a good border.

Minimise    sum of ``cost`` over neighbours in different cells  +  ``scale`` · sum of ``strain`` over cells
subject to  every cell in one piece.

``cost`` of two neighbours is what a border between them costs: its length, times less where a main street or a river
runs along it. ``strain`` of a cell with load l (1: what a cell should have) is (l - 1)², and rises steeply beyond
``low`` and ``high``. Solved by joining the lightest cell to its best neighbour until none is too light, then taking two
neighbouring cells at a time and dividing them anew along the best of many straight sweeps (the pairwise recombination
of districting; D. DeFord, M. Duchin, J. Solomon 2021, doi:10.1162/99608f92.eb30390f, without chance), and moving single
blocks. Not the optimum, but no pair of cells can be divided better by a sweep. Nothing is drawn by lot.
"""

from __future__ import annotations

import heapq
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
from numpy.typing import NDArray
from scipy.sparse import coo_array, csr_array
from scipy.sparse.csgraph import connected_components

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

STEEP = 20.0
"""Strain for each unit of load beyond the bounds."""
WAYS = 12
"""Directions in which two cells are swept."""
TRIES = 8
"""How many of the best sweeps are looked at for one that leaves both cells in one piece."""
ROUNDS = 12
"""Most times that all pairs are looked at; a pair that did not change is not looked at again."""
GAIN = 1e-6
"""Least share of the scale by which a change must be better: rounding is no gain."""


@dataclass(frozen=True, eq=False)
class Graph:
    """Blocks and their neighbours.

    ``load`` (blocks,), 1 what one cell should have; ``xy`` (blocks, 2) and ``area`` (blocks,) in metres. ``one`` and
    ``other`` (pairs,) neighbours, each pair once, with the ``cost`` of a border between them.
    """

    load: Floats
    area: Floats
    xy: Floats
    one: Ints
    other: Ints
    cost: Floats

    @cached_property
    def around(self) -> csr_array:
        """The cost between each block and its neighbours, (blocks, blocks)."""
        at = (np.r_[self.one, self.other], np.r_[self.other, self.one])
        return coo_array((np.r_[self.cost, self.cost], at), shape=(len(self.load), len(self.load))).tocsr()


@dataclass(frozen=True)
class Bounds:
    """The least and the greatest load of a cell, and what one unit of strain is worth in metres of border."""

    low: float
    high: float
    scale: float

    def strain(self, load: Floats | float) -> Floats:
        """What loads cost."""
        beyond = np.maximum(0, np.maximum(self.low - np.asarray(load), np.asarray(load) - self.high))
        return np.asarray(self.scale * ((np.asarray(load) - 1) ** 2 + STEEP * beyond))


def cells(graph: Graph, *, bounds: Bounds) -> Ints:
    """The cell of each block, (blocks,), numbered from 0 by their first block.

    A cell may stay too light where no neighbour can take it, or too heavy where one block alone is.
    """
    label = _joined(graph, bounds)
    work = _Work(graph, bounds, label, np.bincount(label, graph.load, len(graph.load)).astype(float))
    for _ in range(ROUNDS):
        changed = work.recombine()
        if not work.shift() and not changed:
            break
    return np.unique(_first_block(work.label), return_inverse=True)[1]


def _first_block(label: Ints) -> Ints:
    """The labels, each replaced by the first block that has it."""
    _, first, inverse = np.unique(label, return_index=True, return_inverse=True)
    return np.asarray(first[inverse])


# -- joining -------------------------------------------------------------------------------------------------------


def _joined(graph: Graph, bounds: Bounds) -> Ints:
    """Cells grown from single blocks: the lightest, of those the smallest, is joined to its best neighbour."""
    load, area = graph.load.tolist(), graph.area.tolist()
    near = _neighbours(graph)
    into = list(range(len(load)))
    queue = [(load[i], area[i], i) for i in range(len(load)) if load[i] < bounds.low]
    heapq.heapify(queue)
    while queue:
        lightness = heapq.heappop(queue)
        cell = lightness[2]
        best = _best_neighbour(cell, near, load, bounds) if (load[cell], area[cell]) == lightness[:2] else None
        if best is None or into[cell] != cell:
            continue
        _join(cell, best, near, load, area, into)
        if load[best] < bounds.low:
            heapq.heappush(queue, (load[best], area[best], best))
    return _roots(into)


def _neighbours(graph: Graph) -> list[dict[int, float]]:
    near: list[dict[int, float]] = [{} for _ in graph.load]
    for one, other, cost in zip(graph.one.tolist(), graph.other.tolist(), graph.cost.tolist(), strict=True):
        near[one][other] = near[other][one] = cost
    return near


def _best_neighbour(cell: int, near: list[dict[int, float]], load: list[float], bounds: Bounds) -> int | None:
    """The neighbour with which most border goes, as a share of the lesser border, and the load stays small."""
    around = sum(near[cell].values())

    def fit(other: int) -> tuple[float, int]:
        share = near[cell][other] / max(min(around, sum(near[other].values())), 1e-9)
        return share * (2 - (load[cell] + load[other]) / bounds.high), -other

    possible = [other for other in near[cell] if load[cell] + load[other] <= bounds.high]
    return max(possible, key=fit, default=None)


def _join(
    cell: int, best: int, near: list[dict[int, float]], load: list[float], area: list[float], into: list[int]
) -> None:
    """Put a cell into its neighbour."""
    into[cell] = best
    load[best], area[best] = load[best] + load[cell], area[best] + area[cell]
    for other, cost in near[cell].items():
        del near[other][cell]
        if other != best:
            near[best][other] = near[other][best] = near[best].get(other, 0.0) + cost
    near[cell] = {}


def _roots(into: list[int]) -> Ints:
    """Where each block ended, following who was put into whom."""
    label = np.array(into, dtype=np.int64)
    while (label[label] != label).any():
        label = label[label]
    return label


# -- improving -----------------------------------------------------------------------------------------------------


@dataclass(eq=False)
class _Work:
    """Cells while they are improved: the label of each block, the load of each label, and which labels changed.

    ``fresh`` since pairs were last looked at, ``recent`` since single blocks were.
    """

    graph: Graph
    bounds: Bounds
    label: Ints
    load: Floats
    fresh: set[int] = field(default_factory=set)
    recent: set[int] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.fresh = set(np.unique(self.label).tolist())
        self.recent = set(self.fresh)

    def recombine(self) -> bool:
        """Divide every pair of neighbouring cells anew where that is better; whether anything was."""
        fresh, self.fresh = self.fresh, set()
        return any([self._divide(one, other) for one, other in self._pairs() if one in fresh or other in fresh])

    def _pairs(self) -> list[tuple[int, int]]:
        sides = np.sort(np.column_stack([self.label[self.graph.one], self.label[self.graph.other]]), axis=1)
        return [tuple(pair) for pair in np.unique(sides[sides[:, 0] != sides[:, 1]], axis=0).tolist()]

    def _divide(self, one: int, other: int) -> bool:
        """Divide two cells anew, or join them, where that is better; whether it was. Both may have changed by now."""
        rows = np.flatnonzero((self.label == one) | (self.label == other))
        now = self.label[rows] == one
        inner = self.graph.around[rows][:, rows].tocoo()
        if now.all() or not now.any() or _pieces(inner) > 1:
            return False
        least = self._energy(inner, self.load[[one, other]], now) - GAIN * self.bounds.scale
        whole = np.ones(len(rows), dtype=bool)
        joined = float(self.bounds.strain(self.load[one] + self.load[other]))
        found = self._swept(rows, inner, min(least, joined))
        best = whole if found is None and joined < least else found
        if best is not None:
            self._set(rows, best, one, other)
        return best is not None

    def _energy(self, inner: coo_array, loads: Floats, first: NDArray[np.bool_]) -> float:
        cut = inner.data[first[inner.row] != first[inner.col]].sum() / 2
        return float(cut + self.bounds.strain(loads).sum())

    def _swept(self, rows: Ints, inner: coo_array, least: float) -> NDArray[np.bool_] | None:
        """The best division of some blocks in two by a straight sweep that costs less than ``least``; None if none."""
        found = [(energy, way, step, order) for way, order in enumerate(self._orders(rows))
                 for step, energy in self._steps(rows, inner, order, least)]  # fmt: skip
        for _, _, step, order in sorted(found, key=lambda each: each[:3])[:TRIES]:
            first = np.zeros(len(rows), dtype=bool)
            first[order[: step + 1]] = True
            if _in_two(inner, first):
                return first
        return None

    def _orders(self, rows: Ints) -> Iterator[Ints]:
        """The blocks in the order in which a line that moves over them in some direction meets them."""
        xy = self.graph.xy[rows] - self.graph.xy[rows].mean(axis=0)
        for angle in np.arange(WAYS) * np.pi / WAYS:
            yield np.argsort((xy @ np.array([np.cos(angle), np.sin(angle)])).round(3), kind="stable")

    def _steps(self, rows: Ints, inner: coo_array, order: Ints, least: float) -> list[tuple[int, float]]:
        """After which blocks of a sweep a cut costs less than ``least``, and how much."""
        place = np.empty(len(order), dtype=np.int64)
        place[order] = np.arange(len(order))
        once = inner.row < inner.col
        a, b = place[inner.row[once]], place[inner.col[once]]
        change = np.zeros(len(order))
        np.add.at(change, np.minimum(a, b), inner.data[once])
        np.subtract.at(change, np.maximum(a, b), inner.data[once])
        load = np.cumsum(self.graph.load[rows][order])
        energy = np.cumsum(change) + self.bounds.strain(load) + self.bounds.strain(load[-1] - load)
        good = np.flatnonzero(energy[:-1].round(6) < least)
        best = good[np.argsort(energy[good].round(6), kind="stable")[:TRIES]]
        return list(zip(best.tolist(), energy[best].round(6).tolist(), strict=True))

    def _set(self, rows: Ints, first: NDArray[np.bool_], one: int, other: int) -> None:
        # The part with the first block keeps the lesser label, so that labels do not depend on the sweep's direction.
        self.label[rows] = np.where(first == first[0], one, other)
        self.load[one] = self.graph.load[rows[first == first[0]]].sum()
        self.load[other] = self.graph.load[rows[first != first[0]]].sum()
        self.fresh |= {one, other}
        self.recent |= {one, other}

    def shift(self) -> bool:
        """Move single blocks to a neighbouring cell where that is better; whether any was."""
        return any([self._move(block) for block in self._at_borders()])

    def _at_borders(self) -> list[int]:
        one, other = self.label[self.graph.one], self.label[self.graph.other]
        recent, self.recent = np.array(sorted(self.recent), dtype=np.int64), set()
        apart = (one != other) & (np.isin(one, recent) | np.isin(other, recent))
        return np.unique(np.r_[self.graph.one[apart], self.graph.other[apart]]).tolist()  # type: ignore[no-any-return]

    def _move(self, block: int) -> bool:
        around, home = self.graph.around, int(self.label[block])
        span = slice(around.indptr[block], around.indptr[block + 1])
        near, cost = self.label[around.indices[span]], around.data[span]
        cells, inverse = np.unique(near, return_inverse=True)
        border = np.bincount(inverse, cost, len(cells))
        load, stays = self.graph.load[block], border[cells == home].sum()
        strain = self.bounds.strain(self.load[cells] + load) - self.bounds.strain(self.load[cells])
        strain += self.bounds.strain(self.load[home] - load) - self.bounds.strain(self.load[home])
        gain = np.where(cells == home, -np.inf, border - stays - strain)
        to = int(np.argmax(gain.round(6)))
        if gain[to] <= GAIN * self.bounds.scale or not self._stays_whole(block, home):
            return False
        self.label[block] = cells[to]
        self.load[home] -= load
        self.load[cells[to]] += load
        self.fresh |= {home, int(cells[to])}
        self.recent |= {home, int(cells[to])}
        return True

    def _stays_whole(self, block: int, home: int) -> bool:
        """Whether a cell is in one piece, and not empty, without one of its blocks."""
        rows = np.flatnonzero(self.label == home)
        rest = rows[rows != block]
        return len(rest) > 0 and _pieces(self.graph.around[rest][:, rest]) == 1


def _in_two(inner: coo_array, first: NDArray[np.bool_]) -> bool:
    """Whether both parts of some blocks are in one piece."""
    same = first[inner.row] == first[inner.col]
    parts = coo_array((inner.data[same], (inner.row[same], inner.col[same])), shape=inner.shape)
    return _pieces(parts) == 2


def _pieces(graph: coo_array | csr_array) -> int:
    count, _ = connected_components(graph, directed=False)
    return int(count)
