"""The streets as one profile finds them: how long each takes, which are closed and why, and the graph of the open ones.

``passage`` says what a profile can do on each street, on an ordinary day or under the hazards in force; ``streets``
puts the open ones together so that ways can be found on them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property

import numpy as np
import pandas as pd
from numpy.typing import NDArray

from geo import access, routing, turns
from geo.hazards import Hazard
from geo.network import Network
from geo.profiles import ProfileParams, Rules, VehicleParams
from geo.routing import Graph
from geo.slowing import slowing
from geo.snapping import Indexed
from geo.speeds import pace

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Reasons = NDArray[np.object_]


@dataclass(frozen=True, eq=False)
class Passage:
    """What one profile can do on each street.

    ``forward_s``, ``backward_s`` (edges,) seconds for the whole edge along and against its drawing, NaN where closed to
    it; ``closed`` (edges,) the reason, None where at least one direction is open; ``barred`` (nodes,) nodes nobody of
    this profile passes. ``obeys_turns``: whether turn restrictions bind, those for ``vehicle`` (an OSM access key, None
    for walkers). ``share_unknown`` (edges,) is the share of the length for which a hazard in force is not known: it
    neither closes nor slows. ``not_understood`` counts values of tags by the hour that could not be read.
    """

    forward_s: Floats
    backward_s: Floats
    closed: Reasons
    barred: Mask
    obeys_turns: bool
    vehicle: str | None
    share_unknown: Floats
    not_understood: int

    @property
    def usable(self) -> Mask:
        """Which edges are open in at least one direction, (edges,)."""
        return np.asarray(pd.isna(self.closed))

    def __repr__(self) -> str:
        who = self.vehicle or "walkers"
        return f"Passage({int(self.usable.sum())} of {len(self.closed)} edges open to {who})"


def passage(
    network: Network,
    profile: ProfileParams,
    *,
    rules: Rules,
    climb: Floats | None = None,
    faced: Sequence[Hazard] = (),
) -> Passage:
    """What a profile can do on each street.

    ``climb`` (edges,) is the rise in metres along each edge's drawing, NaN where not known. ``faced`` are the
    hazards in force. Raises InputError for a hazard of a kind or unit that has no rule (``geo.slowing.UNITS``).
    """
    said = access.at(network, rules.time.moment)
    closed = access.closed(said.tags, profile)[network.way]
    moves = pace(network, said.tags, profile, rules=rules, climb=climb)
    closed = np.where(pd.isna(closed), moves.closed, closed)
    along, against = (mask[network.way] for mask in access.directions(said.tags, profile))
    times = [_seconds(network.length_m, speed) for speed in (moves.forward_ms, moves.backward_ms)]
    unknown = np.zeros(len(network.u))
    if faced:
        slow = slowing(network, profile, faced, rules=rules)
        closed, unknown = np.where(pd.isna(closed), slow.closed, closed), slow.share_unknown
        times = [s + slow.longer_s(v) for s, v in zip(times, (moves.forward_ms, moves.backward_ms), strict=True)]
    if isinstance(profile, VehicleParams) and profile.junction_s:
        times = [s + late for s, late in zip(times, _junctions(network, pd.isna(closed), profile), strict=True)]
    open_ = np.asarray(pd.isna(closed))
    forward_s, backward_s = (np.where(open_ & way, s, np.nan) for way, s in zip((along, against), times, strict=True))
    barred = access.barred(network, profile)
    vehicle, obeys = (profile.keys[0], profile.turns) if isinstance(profile, VehicleParams) else (None, False)
    return Passage(forward_s, backward_s, closed, barred, obeys, vehicle, unknown, said.not_understood)


def _seconds(length_m: Floats, speed_ms: Floats) -> Floats:
    return np.asarray(np.divide(length_m, speed_ms, out=np.full(len(length_m), np.nan), where=speed_ms > 0))


def _junctions(network: Network, open_: Mask, profile: VehicleParams) -> tuple[Floats, Floats]:
    """Seconds lost where each edge ends, along and against its drawing: where three or more open streets meet."""
    meet = np.bincount(np.r_[network.u[open_], network.v[open_]], minlength=len(network.x)) >= 3
    late = np.where(meet, profile.junction_s, 0.0)
    return late[network.v], late[network.u]


@dataclass(frozen=True, eq=False)
class Usable:
    """The network as one profile finds it: its ``passage`` and the ``graph`` of the open arcs.

    ``island`` (edges,) marks streets that on an ordinary day lead nowhere: what is drawn of a garden path or a yard
    without its connection. Nobody is bound to them. ``turns_not_placed`` restrictions did not fit the network;
    ``forbidden`` are the sequences of directed edges that nobody may follow.
    """

    network: Network
    passage: Passage
    graph: Graph
    island: Mask
    turns_not_placed: int
    forbidden: tuple[tuple[int, ...], ...] = ()

    @property
    def closed(self) -> Reasons:
        """Why each edge is closed, (edges,): None where it is open."""
        return self.passage.closed

    @property
    def usable(self) -> Mask:
        """Which edges are open, (edges,)."""
        return self.passage.usable

    @cached_property
    def indexed(self) -> Indexed:
        """The streets to which places are bound, with an index over them."""
        return Indexed.of(self.network, self.joined)

    @property
    def joined(self) -> Mask:
        """Open edges that lead somewhere, (edges,)."""
        return self.usable & ~self.island

    def __repr__(self) -> str:
        return f"Usable({int(self.usable.sum())} of {len(self.closed)} edges open, {self.graph!r})"


BY_HAND = "closed_by_hand"
"""Why a street is closed that a planner closed."""


def shut(ways: Usable, edges: Ints) -> Usable:
    """The streets with some more of them (edges) closed by hand, in both directions."""
    passage, gone = ways.passage, np.zeros(len(ways.closed), dtype=bool)
    gone[edges] = True
    closed = np.where(gone & pd.isna(passage.closed), BY_HAND, passage.closed)
    forward_s, backward_s = (np.where(gone, np.nan, s) for s in (passage.forward_s, passage.backward_s))
    now = replace(passage, forward_s=forward_s, backward_s=backward_s, closed=closed)
    return replace(ways, passage=now, graph=routing.shut(ways.graph, np.flatnonzero(gone)))


def reopened(ways: Usable, normal: Usable, edges: Ints) -> Usable:
    """The streets with some of them (edges) as they are on an ordinary day, ``normal``."""
    again = np.zeros(len(ways.closed), dtype=bool)
    again[edges] = True
    was = normal.passage
    forward_s, backward_s = (
        np.where(again, usual, s)
        for s, usual in ((ways.passage.forward_s, was.forward_s), (ways.passage.backward_s, was.backward_s))
    )
    closed = np.where(again, was.closed, ways.passage.closed)
    now = replace(ways.passage, forward_s=forward_s, backward_s=backward_s, closed=closed)
    graph = routing.graph(ways.network, forward_s, backward_s, barred=now.barred, forbidden=ways.forbidden)
    return replace(ways, passage=now, graph=graph)


def streets(
    network: Network,
    profile: ProfileParams,
    *,
    rules: Rules,
    island_m: float,
    climb: Floats | None = None,
    faced: Sequence[Hazard] = (),
    normal: Usable | None = None,
) -> Usable:
    """The streets open to a profile, as a graph.

    Streets joined to less than ``island_m`` metres of streets in all on an ordinary day are islands. ``normal``, the
    same streets on an ordinary day, saves finding its islands again under hazards.
    """
    now = passage(network, profile, rules=rules, climb=climb, faced=faced)
    usual = now if not faced else normal.passage if normal else passage(network, profile, rules=rules, climb=climb)
    island = normal.island if normal else routing.islands(network, usual.usable, below_m=island_m)
    moment = rules.time.moment
    found = turns.forbidden(network, binds=lambda table: access.bound_by(table, profile, moment))
    graph = routing.graph(network, now.forward_s, now.backward_s, barred=now.barred, forbidden=found.sequences)
    return Usable(network, now, graph, island, found.not_placed, tuple(map(tuple, found.sequences)))
