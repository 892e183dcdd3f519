"""Pieces of ground that are too small or too thin join a neighbour: the one with which they have most border.

A metre of common border counts what it is worth, so that what is hard to cross stays a border. Land joins water only
where nothing else is beside it. Only areas and lengths are looked at: joining takes no geometry.
"""

from __future__ import annotations

import heapq
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.blocks import NOBODY, Blocks

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]


@dataclass(frozen=True)
class Least:
    """The least area of a piece, square metres, of one that is water, park or green, and the least width, metres.

    A piece's width is its area divided by half its border.
    """

    area_m2: float
    own_m2: float
    width_m: float


@dataclass(eq=False)
class Ground:
    """Pieces of ground while they are joined: area, border, what each is of, what it shares with which neighbour.

    ``piece`` is the water, park or green that most of it is, ``NOBODY`` where it is of none.
    ``near`` holds for each neighbour the common border, metres, and what it is worth. ``into`` is who was joined to
    whom.
    """

    area: list[float]
    border: list[float]
    piece: list[int]
    wet: list[bool]
    near: list[dict[int, tuple[float, float]]]
    into: list[int]

    @classmethod
    def of(cls, divided: Blocks, start: Ints, piece: Ints, wet: Mask, worth: Floats) -> Ground:
        """One piece for each number in ``start`` (blocks,), counted from 0 by first block.

        ``piece`` (blocks,) is the water, park or green that each block lies in, else ``NOBODY``; ``wet`` (blocks,)
        whether that is water; ``worth`` (inner pieces of line,) what a metre of common border counts.
        """
        n = int(start.max(initial=-1)) + 1
        first = np.unique(start, return_index=True)[1]
        inner, length = divided.inner, divided.length_m
        sides = np.where(divided.sides == NOBODY, NOBODY, start[divided.sides]) if n else divided.sides
        apart = sides[:, 0] != sides[:, 1]
        border = [np.bincount(side[kept], length[kept], n) for side in sides.T for kept in [apart & (side != NOBODY)]]
        between = pd.DataFrame({"one": sides[inner, 0], "other": sides[inner, 1], "m": length[inner],
                                "worth": length[inner] * worth})  # fmt: skip
        near: list[dict[int, tuple[float, float]]] = [{} for _ in range(n)]
        shared = between[apart[inner]].assign(
            low=lambda t: t[["one", "other"]].min(axis=1), high=lambda t: t[["one", "other"]].max(axis=1)
        )
        for (low, high), of in shared.groupby(["low", "high"])[["m", "worth"]].sum().iterrows():
            near[low][high] = near[high][low] = (float(of["m"]), float(of["worth"]))
        area = np.bincount(start, shapely.area(divided.shapes), n)
        return cls(area.tolist(), (border[0] + border[1]).tolist(), piece[first].tolist(), wet[first].tolist(), near,
                   list(range(n)))  # fmt: skip

    def joined(self, start: Ints, *, least: Least) -> Ints:
        """Join what is too small or too thin, the smallest first, until nothing is that has a neighbour.

        For each block the first block of the piece that it is in then, (blocks,).
        """
        queue = [(self.area[mine], mine) for mine in range(len(self.area)) if self._slight(mine, least)]
        heapq.heapify(queue)
        while queue:
            area, mine = heapq.heappop(queue)
            if self.into[mine] != mine or self.area[mine] != area or not self.near[mine]:
                continue
            best = self._best(mine)
            self._put(mine, best)
            if self._slight(best, least):
                heapq.heappush(queue, (self.area[best], best))
        return self._first_block(start)

    def _slight(self, mine: int, least: Least) -> bool:
        """Whether a piece is too small or too thin."""
        area_m2 = least.area_m2 if self.piece[mine] == NOBODY else least.own_m2
        return self.area[mine] < area_m2 or 2 * self.area[mine] < least.width_m * self.border[mine]

    def _best(self, mine: int) -> int:
        """The neighbour with most border in common, by worth; water only where nothing else is beside."""
        near = self.near[mine]
        return max(near, key=lambda other: (not self.wet[other], round(near[other][1], 3), near[other][0], -other))

    def _put(self, mine: int, best: int) -> None:
        """Join a piece to a neighbour."""
        self.into[mine] = best
        self.border[best] += self.border[mine] - 2 * self.near[mine][best][0]
        larger = best if self.area[best] >= self.area[mine] else mine
        self.piece[best], self.wet[best] = self.piece[larger], self.wet[larger]
        self.area[best] += self.area[mine]
        for other, (metres, worth) in self.near[mine].items():
            del self.near[other][mine]
            if other != best:
                before = self.near[best].get(other, (0.0, 0.0))
                self.near[best][other] = self.near[other][best] = (before[0] + metres, before[1] + worth)
        self.near[mine] = {}

    def _first_block(self, start: Ints) -> Ints:
        """For each block the first block of what its piece was joined to in the end, (blocks,)."""
        into = np.array(self.into, dtype=np.int64)
        while (into[into] != into).any():
            into = into[into]
        return np.asarray(np.unique(start, return_index=True)[1][into[start]], dtype=np.int64)
