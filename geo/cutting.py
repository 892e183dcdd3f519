"""What no network can cost less than: a linear programme over cuts, found as they are missed.

Variables z[c, k] from 0 to 1: chain c is bought at level k or above; z[c, k] >= z[c, k + 1]. Objective: the least sum
of (cost[c, k] - cost[c, k - 1]) z[c, k]. Constraints: for every terminal t of level k, and every set S of nodes with
its doors but without the root, at least 2 chains that leave S are bought at level k, save where a chain leaves S that t
cannot do without: that one is bought. Cuts that do not hold are found by maximum flows and put in, round by round.
What the programme costs is proven in every round: the bound is worked out anew from the prices of the cuts, by weak
duality, so that it does not hang on the solver's accuracy. Solved with scipy's HiGHS, inner points with crossover;
cuts that hold with room to spare leave again. What it buys, in shares, guides the search for networks, the more so as
half of it can always be trusted (K. Jain 2001, doi:10.1007/s004930170004).
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np
from numba import njit
from numpy.typing import NDArray
from scipy.optimize import linprog
from scipy.sparse import csr_array

from geo.thinning import NO, Part

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Floats = NDArray[np.float64]

HOLDS = 1e-6
"""A cut that lacks no more than this is taken to hold."""
CREEP = 1e-5
"""Flow that chains carry which are not bought, so that of equal cuts those with few chains are found."""
LAYERS = 12
"""How many cuts of one terminal are looked for in one round, each beyond the last."""


@dataclass(frozen=True, eq=False)
class Proof:
    """``bound`` on what any network costs; ``share`` (chains, levels) of each that the programme buys.

    ``closed``: no cut lacks anything, so the bound is that of the whole programme. ``work`` is what it took, in
    variables times rounds.
    """

    bound: float
    share: Floats
    closed: bool
    work: int

    def __repr__(self) -> str:
        return f"Proof({self.bound:.0f}, {'all' if self.closed else 'some'} cuts)"


@dataclass(eq=False)
class _Programme:
    """The cuts so far, with a variable for each chain and level that is in one: the others are 0 at no cost."""

    part: Part
    forced: Ints
    column: Ints
    variables: list[tuple[int, int]] = field(default_factory=list)
    cuts: list[Ints] = field(default_factory=list)

    @classmethod
    def of(cls, part: Part, single: list[Ints]) -> _Programme:
        """Without a cut; what terminals cannot do without is bought."""
        forced = np.full(len(part.u), -1)
        for chains, level in zip(single, part.level, strict=True):
            forced[chains] = np.maximum(forced[chains], level)
        made = cls(part, forced, np.full(part.cost.shape, -1))
        for chain in np.flatnonzero(forced >= 0):
            made._variables(np.array([chain]), int(forced[chain]))
        return made

    def _variables(self, chains: Ints, level: int) -> Ints:
        for k in range(level + 1):
            for chain in chains[self.column[chains, k] < 0]:
                self.column[chain, k] = len(self.variables)
                self.variables.append((int(chain), k))
        return np.asarray(self.column[chains, level])

    def add(self, cuts: set[tuple[int, bytes]]) -> None:
        """More cuts, each a level and its chains in order."""
        for level, chains in sorted(cuts):
            self.cuts.append(self._variables(np.frombuffer(chains, dtype=np.int64), level))

    @property
    def costs(self) -> Floats:
        """What each variable costs, (variables,)."""
        chain, level = np.array(self.variables, dtype=np.int64).reshape(-1, 2).T
        below = np.where(level > 0, self.part.cost[chain, level - 1], 0)
        return (self.part.cost[chain, level] - below).astype(np.float64)

    @property
    def least(self) -> Floats:
        """1 for what has to be bought, (variables,)."""
        chain, level = np.array(self.variables, dtype=np.int64).reshape(-1, 2).T
        return (self.forced[chain] >= level).astype(np.float64)

    @property
    def rows(self) -> tuple[csr_array, Floats]:
        """The constraints: rows times variables is at least the right side."""
        links = [np.array([self.column[chain, k - 1], self.column[chain, k]]) for chain, k in self.variables if k > 0]
        every = [*self.cuts, *links]
        size = np.array([len(row) for row in every], dtype=np.int64)
        sign = np.r_[np.ones(size[: len(self.cuts)].sum()), np.tile([1.0, -1.0], len(links))]
        at = (np.repeat(np.arange(len(every)), size), np.concatenate(every) if every else np.zeros(0, dtype=np.int64))
        right = np.r_[np.full(len(self.cuts), 2.0), np.zeros(len(links))]
        return csr_array((sign, at), shape=(len(every), len(self.variables))), right

    def shares(self, solution: Floats) -> Floats:
        """A solution by chain and level, (chains, levels)."""
        found = np.zeros(self.part.cost.shape)
        for (chain, level), value in zip(self.variables, solution, strict=True):
            found[chain, level] = value
        return found


def prove(part: Part, single: list[Ints], *, rounds: int, work: int, most: int) -> Proof:
    """A bound on the cost of every network of a part, by at most so many ``rounds`` of cuts and so much ``work``.

    ``single`` are the chains each terminal cannot do without (``twofold.bridges``); ``most`` is what a network costs
    that is known: when nothing cheaper is left, no more is looked for.
    """
    made, bound, done = _Programme.of(part, single), 0.0, 0
    share = made.shares(made.least)
    for _ in range(rounds):
        missed = _cuts(part, single, share)
        if not missed:
            return Proof(bound, share, True, done)
        if done and done + len(made.variables) > work:
            break
        made.add(missed)
        share, proven = _solved(made)
        bound, done = max(bound, proven), done + len(made.variables)
        if bound > most - 1 + HOLDS:
            break
    return Proof(bound, share, False, done)


def _solved(made: _Programme) -> tuple[Floats, float]:
    """What the programme buys, and what its prices prove; cuts that hold with room to spare are left out from now."""
    costs, least, (rows, right) = made.costs, made.least, made.rows
    limits = [(low, 1.0) for low in least.tolist()]
    found = linprog(costs, -rows, -right, bounds=limits, method="highs-ipm")  # type: ignore[call-overload]
    worth = np.maximum(-found.ineqlin.marginals, 0)
    left = costs - rows.T @ worth
    tight = (rows @ found.x - right)[: len(made.cuts)] < HOLDS
    made.cuts = [cut for cut, held in zip(made.cuts, tight, strict=True) if held]
    return made.shares(found.x), float(right @ worth + np.where(left > 0, least * left, left).sum())


def _cuts(part: Part, single: list[Ints], share: Floats) -> set[tuple[int, bytes]]:
    """Cuts that do not hold, of every terminal: a level, and the chains in order."""
    found: set[tuple[int, bytes]] = set()
    room = (np.zeros(len(part.u)), np.zeros(part.nodes, dtype=np.int64), np.zeros(part.nodes, dtype=np.int64))
    for t, level in enumerate(part.level):
        can, free = part.cost[:, level] < NO, np.zeros(len(part.u), dtype=bool)
        free[single[t]] = True
        doors = part.door[part.first[t] : part.first[t + 1]]
        chains, size = _missed(*part.arcs, part.u, part.v, share[:, level] * can, can, free, doors, *room)
        found |= {(int(level), np.sort(cut).tobytes()) for cut in np.split(chains, np.cumsum(size)) if len(cut)}
    return found


@njit(cache=True, nogil=True)
def _missed(
    first: Ints, chain: Ints, head: Ints, u: Ints, v: Ints, share: Floats, can: Mask, free: Mask, doors: Ints,
    flow: Floats, came: Ints, queue: Ints,
) -> tuple[Ints, Ints]:  # pragma: no cover  # fmt: skip
    """Cuts between the doors and the root that lack some, one behind the other: their chains, and how many each has."""
    flow[:] = 0.0
    room = np.where(can, share + CREEP, 0.0)
    room[free] = 4.0
    cuts, size, sent = [0], [0], 0.0
    cuts.clear()
    size.clear()
    while len(size) < LAYERS and sent < 2.0 - HOLDS:
        more, count = _push(first, chain, head, u, v, room, doors, flow, came, queue)
        if more > 0:
            sent += more
            continue
        inside = came > -2
        begin = len(cuts)
        for i in range(count):
            x = queue[i]
            for a in range(first[x], first[x + 1]):
                c = chain[a]
                if can[c] and not inside[head[a]]:
                    cuts.append(c)
                    room[c] = 4.0
        if len(cuts) == begin:
            break
        size.append(len(cuts) - begin)
    return np.array(cuts, dtype=np.int64), np.array(size, dtype=np.int64)


@njit(cache=True, nogil=True)
def _push(
    first: Ints, chain: Ints, head: Ints, u: Ints, v: Ints, room: Floats, doors: Ints, flow: Floats, came: Ints,
    queue: Ints,
) -> tuple[float, int]:  # pragma: no cover  # fmt: skip
    """More flow from the doors to the root by a way of fewest chains; 0 and how many nodes are reached without it.

    ``came`` has the arc by which each node was reached: -1 a door, -2 none.
    """
    came[:] = -2
    begin, end = 0, 0
    for d in doors:
        came[d] = -1
        queue[end] = d
        end += 1
    while begin < end and came[0] == -2:
        x = queue[begin]
        begin += 1
        for a in range(first[x], first[x + 1]):
            c, y = chain[a], head[a]
            there = flow[c] if u[c] == x else -flow[c]
            if came[y] == -2 and room[c] - there > 1e-9:
                came[y] = a
                queue[end] = y
                end += 1
    if came[0] == -2:
        return 0.0, end
    least, y = 2.0, 0
    while came[y] >= 0:
        c = chain[came[y]]
        x = u[c] + v[c] - y
        least = min(least, room[c] - (flow[c] if u[c] == x else -flow[c]))
        y = x
    y = 0
    while came[y] >= 0:
        c = chain[came[y]]
        x = u[c] + v[c] - y
        flow[c] += least if u[c] == x else -least
        y = x
    return least, end
