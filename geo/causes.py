"""Because of which street: where the way of an ordinary day is broken or slowed under a hazard.

On the way that a station takes to a place on an ordinary day, the first closed street from the station on stops it;
where none is closed, the street that costs the most time is named. A place whose station itself is out of service has
no street to blame.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.buckets import NEVER, NOTHING
from geo.circles import Reach

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

CAUSES = ("none", "closed", "slowed", "station", "elsewhere")
"""What makes a service later or lost at a place.

``none`` it is not later, or never came · ``closed`` a street of the way is closed · ``slowed`` streets of the way are
slower · ``station`` its station is out of service · ``elsewhere`` none of these, e.g. the station's own door closed.
"""


@dataclass(frozen=True)
class Losses:
    """What a scenario costs each place: ``added_s`` (places,), infinite where the way is lost, NaN where it never was.

    ``cause`` (places,) one of ``CAUSES``; ``edge`` (places,) the street to blame, -1 for none; ``lost`` (places,) was
    within the service's minutes and is not now.
    """

    added_s: Floats
    cause: NDArray[np.object_]
    edge: Ints
    lost: Mask

    def __repr__(self) -> str:
        return f"Losses({int(self.lost.sum())} of {len(self.lost)} places lose the service)"


def losses(normal: Reach, now: Reach, *, out_of_service: Mask) -> Losses:
    """The places' losses from an ordinary day to now; both for the same stations and places.

    ``out_of_service`` (stations,) are those that would not turn out even if their street were open.
    """
    added = np.where(
        np.isnan(now.time_s), np.where(np.isnan(normal.time_s), np.nan, np.inf), now.time_s - normal.time_s
    )
    broken, slower = _changes(normal, now)
    closed, worst = _blamed(normal, broken, slower)
    gone = np.append(out_of_service, False)[normal.station]
    later = added > 0
    choices = [~later, later & gone, later & (closed >= 0), later & (worst >= 0)]
    cause = np.select(choices, ["none", "station", "closed", "slowed"], default="elsewhere").astype(object)
    edge = np.where(cause == "closed", closed, np.where(cause == "slowed", worst, NOTHING))
    return Losses(added, cause, edge, normal.served & ~now.served)


def _changes(normal: Reach, now: Reach) -> tuple[Mask, Ints]:
    """Which edges are closed now that were open, and by how many milliseconds the others are slower, (edges,)."""
    before = np.minimum(normal.out.forward_ms, normal.out.backward_ms)
    after = np.minimum(now.out.forward_ms, now.out.backward_ms)
    broken = (before < NEVER) & (after >= NEVER)
    return broken, np.where(broken | (before >= NEVER), 0, after - before)


def _blamed(normal: Reach, broken: Mask, slower: Ints) -> tuple[Ints, Ints]:
    """For each place the first broken and the most slowed edge of its way on an ordinary day, -1 for none."""
    forest, starts = normal.forest, normal.starts
    order = np.argsort(forest.cost_ms, kind="stable")
    order = order[forest.cost_ms[order] >= 0]
    closed, worst = _handed_on(order, forest.parent, forest.via, broken, slower)
    # The street of a place that is bound to none is the one added at the end: open, and no slower.
    state, own = starts.state, normal.bound.places.edge
    broken, slower = np.append(broken, False), np.append(slower, 0)
    known = starts.cost_ms >= 0
    closed, worst = (np.where(state >= 0, of_state[state], NOTHING) for of_state in (closed, worst))
    closed = np.where((closed < 0) & known & broken[own], own, closed)
    delay = np.where(worst >= 0, slower[worst], 0)
    worst = np.where(known & (slower[own] * _own_share(normal) > delay), own, worst)
    return np.where(known, closed, NOTHING), np.where(known, worst, NOTHING)


def _own_share(normal: Reach) -> Floats:
    """How much of its own street the way to each place runs along, (places,); 1 where that is not known."""
    starts, own = normal.starts, normal.bound.places.edge
    whole = np.append(np.minimum(normal.out.forward_ms, normal.out.backward_ms), 1)[own]
    by_state = starts.state >= 0
    run = starts.cost_ms - np.where(by_state, normal.forest.cost_ms[starts.state], 0)
    return np.where(by_state, run / whole, 1.0)


@njit(cache=True)
def _handed_on(
    order: Ints, parent: Ints, via: Ints, broken: Mask, slower: Ints
) -> tuple[Ints, Ints]:  # pragma: no cover
    """From the stations outwards: the first broken and the most slowed edge on the way to each state."""
    closed, worst = np.full(len(via), NOTHING, np.int64), np.full(len(via), NOTHING, np.int64)
    for state in order:
        if parent[state] >= 0:
            closed[state], worst[state] = closed[parent[state]], worst[parent[state]]
        if via[state] < 0:
            continue
        if closed[state] < 0 and broken[via[state]]:
            closed[state] = via[state]
        most = slower[worst[state]] if worst[state] >= 0 else 0
        if slower[via[state]] > most:
            worst[state] = via[state]
    return closed, worst
