"""From the quickest way to the safest: the choices between time and danger, not one answer.

A street's time counts ``1 + weight × danger`` times; for each of a few weights the cheapest way is found exactly, on
the graph that has the place and the doors put in (``geo.splits``), whose forest on plain times bounds what is left to
go. What no other beats in time, danger and worst exposure is the curve. Danger is a share: 0 is none, 1 a street hit
along all its length that is about to be closed. What is not measured is not safe: it has a danger of its own.
"""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import pandas as pd
from numpy.typing import NDArray
from pydantic import AfterValidator, Field

from geo import detours
from geo.curves import LEVELS, Sourced, Word
from geo.paths import Path
from geo.routing import Graph
from geo.splits import Split

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]


HEAVIEST = 1000
"""The largest weight that can be asked for: beyond it nothing changes."""


def _weights(words: tuple[str, ...]) -> tuple[str, ...]:
    values = [float(word) for word in words]
    if not values or values[0] != 0 or not all(a < b <= HEAVIEST for a, b in itertools.pairwise(values)):
        raise ValueError(f"should be numbers that rise from 0, up to {HEAVIEST}")
    return words


class RouteParams(Sourced):
    """Which ways are shown, and how much a safer one may be longer."""

    subject = "route"

    risk_weights: Annotated[tuple[Word, ...], AfterValidator(_weights)] = Field(
        description="How many times a street's danger counts beside its time (numbers that rise from 0)."
    )
    unknown_danger: float = Field(ge=0, le=1, description="Danger of a street for which no hazard is known (share).")
    near_danger: float = Field(
        ge=0, le=1, description="Danger at the worst level of what only lies near, as a share of what hits."
    )
    longer_share: float = Field(
        ge=0, le=10, description="How much longer than the quickest a sensible way may take, as a share of it."
    )
    longer_minutes: float = Field(
        ge=0, le=120, description="How much longer than the quickest a sensible way may take in any case, minutes."
    )
    shelters_max: int = Field(ge=1, le=20, description="Ways are shown to this number of a community's shelters.")
    cover_share: float = Field(
        gt=0, le=1, description="Share of a community's sheltered people whose shelters are enough to show."
    )

    @property
    def weights(self) -> tuple[float, ...]:
        """The weights as numbers."""
        return tuple(float(word) for word in self.risk_weights)


@dataclass(frozen=True)
class Danger:
    """What a scenario's hazards make of each street on foot, (edges,): see ``danger``.

    ``share`` is the danger, never NaN; ``share_exposed`` and ``share_unknown`` are shares of the street's length, 0
    where no hazard is in force; ``depth_max_m`` and ``level_max`` NaN where not measured or not in force.
    """

    share: Floats
    depth_max_m: Floats
    level_max: Floats
    share_exposed: Floats
    share_unknown: Floats

    def __repr__(self) -> str:
        return (
            f"Danger({int((self.share > 0).sum())} of {len(self.share)} streets, up to {self.share.max(initial=0):.2f})"
        )


def danger(exposure: pd.DataFrame, *, close_depth_m: float, params: RouteParams) -> Danger:
    """The danger of each street (edges,) from the columns of ``geo.exposures``.

    The larger of water (depth as a share of the depth that closes a street, at most 1, × share of the length that is
    wet) and other hazards (level / 5 × share hit, at least ``near_danger``); and ``unknown_danger`` × share unknown.
    """
    depth, level, wet, hit, unknown = (
        exposure[name].to_numpy(dtype=float)
        for name in ("depth_max_m", "level_max", "share_wet", "share_hit", "share_unknown")
    )
    closing = np.minimum(depth / close_depth_m, 1.0) if close_depth_m > 0 else (depth > 0).astype(float)
    # In ``fmax`` what is not in force, NaN, gives way.
    water, others = np.fmax(closing * wet, 0.0), np.fmax(level / LEVELS * np.fmax(hit, params.near_danger), 0.0)
    share_unknown = np.fmax(unknown, 0.0)
    share = np.fmax(water, others) + params.unknown_danger * share_unknown
    return Danger(share, depth, level, np.fmax(np.fmax(wet, hit), 0.0), share_unknown)


@dataclass(frozen=True)
class Weighed:
    """The costs of a graph's arcs at each weight, made once for all places of a scenario."""

    danger: Danger
    weights: tuple[float, ...]
    cost_ms: tuple[Ints, ...]

    def __repr__(self) -> str:
        return f"Weighed({self.danger}, weights {', '.join(f'{w:g}' for w in self.weights)})"


def weigh(graph: Graph, found: Danger, *, params: RouteParams) -> Weighed:
    """What each arc costs when its danger counts 0, 1, … times (``risk_weights``)."""
    plain, share = graph.cost_ms.astype(np.int64), found.share[graph.edge]
    costs = tuple(plain + np.rint(plain * (w * share)).astype(np.int64) for w in params.weights)
    return Weighed(found, params.weights, costs)


@dataclass(frozen=True)
class Measures:
    """What ways are like, (ways,) each, from street to street.

    ``danger_s`` are seconds times the danger they are spent in. ``depth_max_m`` and ``level_max`` are the worst of any
    street on the way, whole streets counted; NaN where none of them was measured. Shares are of the length, 0 where
    there is none.
    """

    length_m: Floats
    walk_s: Floats
    danger_s: Floats
    depth_max_m: Floats
    level_max: Floats
    share_exposed: Floats
    share_unknown: Floats

    def __len__(self) -> int:
        return len(self.length_m)


def measures(ways: Sequence[Path], found: Danger) -> Measures:
    """Length, time and danger of ways."""
    n = len(ways)
    of = np.repeat(np.arange(n), [len(way) for way in ways]).astype(np.int64)
    none = np.zeros(0)
    edge = np.concatenate([np.zeros(0, dtype=np.int64), *(way.edge for way in ways)])
    length, seconds = (
        np.concatenate([none, *parts])
        for parts in ([np.abs(way.to_m - way.from_m) for way in ways], [way.seconds for way in ways])
    )
    total = np.bincount(of, weights=length, minlength=n).astype(np.float64)
    depth, level = np.full(n, np.nan), np.full(n, np.nan)
    np.fmax.at(depth, of, found.depth_max_m[edge])
    np.fmax.at(level, of, found.level_max[edge])
    exposed, unknown = (
        np.divide(np.bincount(of, weights=length * share[edge], minlength=n), total, out=np.zeros(n), where=total > 0)
        for share in (found.share_exposed, found.share_unknown)
    )
    danger_s = np.bincount(of, weights=seconds * found.share[edge], minlength=n).astype(np.float64)
    return Measures(total, np.array([w.total_s for w in ways]), danger_s, depth, level, exposed, unknown)


@dataclass(frozen=True)
class Curve:
    """The choices of one place, the quickest first: no other is as good in everything and better in something.

    ``ways`` with their ``weights`` (the smallest that gives each) and ``measured``; ``sensible`` is the row of the
    least dangerous that is not too much longer than the quickest. Without a way all are empty, and ``sensible`` is -1.
    """

    ways: tuple[Path, ...]
    weights: tuple[float, ...]
    measured: Measures
    sensible: int

    def __len__(self) -> int:
        return len(self.ways)

    def __repr__(self) -> str:
        told = [f"{s:.0f} s at {d:.0f}" for s, d in zip(self.measured.walk_s, self.measured.danger_s, strict=True)]
        return f"Curve({', '.join(told) or 'no way'})"

    @property
    def table(self) -> pd.DataFrame:
        """One row a choice: ``risk_weight``, the columns of ``Measures``, and whether it is the sensible one."""
        chosen = np.arange(len(self)) == self.sensible
        return pd.DataFrame({"risk_weight": self.weights, **vars(self.measured), "sensible": chosen})


def curve(split: Split, weighed: Weighed, *, params: RouteParams) -> Curve:
    """The choices of the place that is put into the graph ``weighed`` was made of."""
    first = detours.quickest(split)
    if first is None:
        return Curve((), (), measures((), weighed.danger), -1)
    ways, weights = [first], [0.0]
    if weighed.danger.share[first.edge].any():
        for weight, cost_ms in [*zip(weighed.weights, weighed.cost_ms, strict=True)][1:]:
            way = detours.quickest(split.weighed(cost_ms, weight * weighed.danger.share))
            if way is not None:
                ways.append(way)
                weights.append(weight)
    kept = _unbeaten(measures(ways, weighed.danger))
    shown = tuple(ways[i] for i in kept)
    found = measures(shown, weighed.danger)
    return Curve(shown, tuple(weights[i] for i in kept), found, _sensible(found, params))


def _unbeaten(found: Measures) -> list[int]:
    """The rows that no other beats, quickest first; of equals the first."""
    # To the microsecond: sums of the same seconds in another order differ behind that.
    points = np.column_stack(
        [found.walk_s, found.danger_s, np.nan_to_num(found.depth_max_m), np.nan_to_num(found.level_max)]
    )
    points = np.round(points, 6)
    first = np.unique(points, axis=0, return_index=True)[1]
    kept = [
        i
        for i in first.tolist()
        if not (np.all(points <= points[i], axis=1) & np.any(points < points[i], axis=1)).any()
    ]
    return sorted(kept, key=lambda i: (points[i, 0], i))


def _sensible(found: Measures, params: RouteParams) -> int:
    quickest = found.walk_s[0]
    longest = max(quickest * (1 + params.longer_share), quickest + 60 * params.longer_minutes)
    fit = np.flatnonzero(found.walk_s <= longest)
    return int(fit[np.lexsort((found.walk_s[fit], found.danger_s[fit]))[0]])
