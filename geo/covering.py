"""Covering a need from offers at least cost, exactly: which are taken, and how much of each.

Minimise    sum of cost_i · taken_i  +  piece · number of offers taken
subject to  sum of taken_i >= need,   taken_i = 0 or least_i <= taken_i <= most_i.

``cost_i`` is what a unit of offer i costs, ``piece`` what any offer costs beside, however little is taken of it. An
offer with ``least_i = most_i`` is taken whole or not at all. Solved as a mixed-integer programme by branch and bound
(HiGHS, through scipy); which offers are taken is the solver's, how much of each is then counted in whole units, and the
gap to the solver's lower bound is told, not its word. Where there is no more than is needed, all is taken.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import diags_array, hstack

from geo.errors import Fault, InfeasibleError

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

ROUNDING = 1e-6
"""A gap below this is the solver's rounding."""


@dataclass(frozen=True, eq=False)
class Offers:
    """Offers (offers,): the least and the most that can be taken of each where any is, in whole units, unit cost."""

    least: Ints
    most: Ints
    cost: Floats

    def __len__(self) -> int:
        return len(self.most)

    def __repr__(self) -> str:
        return f"Offers({len(self)}, {int(self.most.sum()):,} units)"


@dataclass(frozen=True, eq=False)
class Covering:
    """``taken`` units of each offer (offers,), what they ``cost`` in all, what is ``short``, and the ``gap``.

    ``gap`` is the share of the cost that a better choice could save at most, 0-1; NaN where nothing was to be chosen.
    """

    taken: Ints
    cost: float
    short: int
    gap: float

    def __repr__(self) -> str:
        some = int((self.taken > 0).sum())
        return f"Covering({int(self.taken.sum()):,} units of {some} offers, short {self.short:,}, gap {self.gap:.2g})"


def cheapest(need: int, offers: Offers, *, piece: float, nodes: int) -> Covering:
    """Cover ``need`` units at least cost; ``nodes`` is how much of the search tree is looked at most

    InfeasibleError when no choice at all is found there.
    """
    if need <= 0 or offers.most.sum() <= need:
        taken = offers.most * (need > 0)
        return Covering(taken, _cost(taken, offers, piece), max(0, need - int(taken.sum())), float("nan"))
    chosen, bound = _solved(need, offers, piece, nodes)
    taken = _filled(need, offers, chosen)
    cost = _cost(taken, offers, piece)
    gap = max(0.0, (cost - bound) / cost) if cost > 0 else 0.0
    return Covering(taken, cost, 0, gap if gap > ROUNDING else 0.0)


def _cost(taken: Ints, offers: Offers, piece: float) -> float:
    return float((taken * offers.cost).sum() + piece * (taken > 0).sum())


def _solved(need: int, offers: Offers, piece: float, nodes: int) -> tuple[Mask, float]:
    """Which offers are taken, and a lower bound of what must be paid.

    In shares of each offer and of the need, so that the solver's tolerances are shares too.
    """
    n, most = len(offers), offers.most.astype(float)
    scale = max(float((most * offers.cost).max()), piece, 1e-9)
    cost = np.r_[most * offers.cost, np.full(n, piece)] / scale
    enough = LinearConstraint(np.r_[most / need, np.zeros(n)][None, :], lb=1)
    share, whether = diags_array(np.ones(n)), diags_array(np.ones(n))
    within = LinearConstraint(hstack([share, -whether], format="csr"), ub=0)
    at_least = LinearConstraint(hstack([share, -diags_array(offers.least / most)], format="csr"), lb=0)
    found = milp(
        cost, integrality=np.r_[np.zeros(n), np.ones(n)], bounds=Bounds(0, 1), constraints=[enough, within, at_least],
        options={"mip_rel_gap": 0.0, "node_limit": nodes},
    )  # fmt: skip
    if found.x is None:
        raise InfeasibleError(Fault("a choice that covers the need", str(found.message), f"{n} offers for {need}"))
    return np.asarray(found.x[n:] > 0.5), float(found.mip_dual_bound) * scale


def _filled(need: int, offers: Offers, chosen: Mask) -> Ints:
    """How much of each chosen offer is taken: the least of all, then of the cheapest until the need is covered."""
    taken = np.where(chosen, offers.least, 0)
    room = np.where(chosen, offers.most - offers.least, 0)
    order = np.argsort(offers.cost, kind="stable")
    before = np.cumsum(room[order]) - room[order]
    taken[order] += np.clip(need - int(taken.sum()) - before, 0, room[order])
    return np.asarray(taken, dtype=np.int64)
