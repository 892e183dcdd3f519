"""Following searches back: the streets that lead each place to its own site, one after the other.

A search from a site (``gates.Between``) leaves every state with its milliseconds. From a place one goes on by the arc
that explains them, to the smallest state and by the smallest edge where several do, as ``buckets.trace`` decides.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.buckets import CLOSED, NEVER, NOTHING, UNREACHED
from geo.errors import Fault, InputError, refuse
from geo.gates import UNKNOWN, Between, Homes, Scratch, in_threads, straight
from geo.routing import Graph
from geo.search import THREADS

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Keys = NDArray[np.uint64]
Rows = NDArray[np.uint32]

_U = np.uint64


@dataclass(frozen=True)
class Ways:
    """The way of each row, street by street: row ``r`` walks the steps ``first[r]:first[r + 1]``.

    A step is an ``edge``, ``along`` its drawing or against it, at ``cost_ms``; all (steps,). Who sets out in mid-street
    walks only ``out_share`` of the first street, who arrives in mid-street only ``in_share`` of the last; NaN where
    there is no such part, (rows,). Who ``stays`` (rows,) on their own street walks ``out_share`` of it and nothing
    else. Parts of less than half a millisecond are no steps. ``way_ms`` (rows,) is the whole from door to door, -1
    where there is no way, and ``door`` the row of the doors arrived at, -1 without a way.
    """

    first: Ints
    edge: Int32s
    along: Mask
    cost_ms: Int32s
    out_share: Floats
    in_share: Floats
    stays: Mask
    way_ms: Ints
    door: Ints

    def __len__(self) -> int:
        return len(self.way_ms)

    def __repr__(self) -> str:
        return f"Ways({len(self)} rows, {len(self.edge)} steps, {int((self.way_ms < 0).sum())} without a way)"

    @property
    def row(self) -> Ints:
        """The row of each step, (steps,)."""
        return np.repeat(np.arange(len(self)), np.diff(self.first))

    @property
    def share(self) -> Floats:
        """How much of its street each step covers, (steps,), from 0 to 1."""
        share = np.ones(len(self.edge))
        for at, part in ((self.first[:-1], self.out_share), (self.first[1:] - 1, self.in_share)):
            some = ~np.isnan(part)
            share[at[some]] = part[some]
        return share


@dataclass(frozen=True)
class Some:
    """The ways of some ``rows``."""

    rows: Ints
    ways: Ways


@dataclass(frozen=True)
class _Part:
    """The part of a street with which each row sets out, or arrives; ``cost_ms`` 0 where there is none, (rows,)."""

    edge: Ints
    along: Mask
    cost_ms: Ints
    share: Floats

    @property
    def walked(self) -> Mask:
        """Which rows have such a part."""
        return self.cost_ms > 0


def walk_each(between: Between, place: Ints, site: Ints, done: Callable[[Some], None]) -> None:
    """Search once for each site that somebody goes to, and hand over the ways of its rows.

    InputError where a row names a place or a site that there is not.
    """
    counted = (("places", place, len(between.homes)), ("sites", site, between.gates.sites))
    strange = [(name, n, row[(row < 0) | (row >= n)]) for name, row, n in counted]
    refuse(InputError, [Fault(f"rows of {n} {name}", f"row {row[0]}", name) for name, n, row in strange if len(row)])
    order = np.argsort(site, kind="stable")
    named, begin = np.unique(site[order], return_index=True)
    rows = np.split(order, begin[1:])
    # What the threads share is made before they start.
    homes = between.homes
    _ = homes.by_place, homes.along, homes.share, between.graph.reverse, between.place_ms

    def work(part: int) -> None:
        at = Scratch.of(between.graph, follow=True)
        for i in range(part, len(named), THREADS):
            done(Some(rows[i], _walked(between, int(named[i]), place[rows[i]], at)))

    in_threads(work)


@dataclass(frozen=True)
class _Starts:
    """How each row sets out: milliseconds to the door (``NEVER``: no way), then one of two, -1 where it is the other.

    ``out`` is the way out of the place, ``state`` where it leads; ``own_door`` the row of a door on its own street.
    """

    ms: Ints
    out: Ints
    state: Ints
    own_door: Ints


def _walked(between: Between, site: int, place: Ints, at: Scratch) -> Ways:
    """The ways of ``place`` (rows,) to one site."""
    count = between.search(site, at, _targets(between.homes, place))
    start = _started(between, site, place, at.keys)
    whole, root = _measured(between, site, start, at)
    leaving, arriving = _leaving(between, place, start), _arriving(between, root)
    first = np.r_[0, np.cumsum(whole + leaving.walked + arriving.walked)].astype(np.int64)
    arc = np.zeros(first[-1], dtype=np.int64)
    _lay(first[:-1] + leaving.walked, between.graph.head, start.state, at.arc, arc)
    _forget(at.keys, at.arc, at.touched, count)
    edge, along, cost_ms = _streets(between.graph, arc, first, leaving, arriving)
    out_share, in_share = (np.where(part.walked, part.share, np.nan) for part in (leaving, arriving))
    door = np.where(start.own_door >= 0, start.own_door, _taken(between.gates.root.source, root, NOTHING))
    way_ms = np.where(start.ms < NEVER, start.ms + between.place_ms[place], NOTHING)
    return Ways(first, edge, along, cost_ms, out_share, in_share, start.own_door >= 0, way_ms, door)


def _started(between: Between, site: int, place: Ints, keys: Keys) -> _Starts:
    """The cheapest way of each row, as far as the site serves."""
    homes = between.homes
    own_ms, own_door = _own_street(between, site, place)
    ms, out = _choose(keys, place, homes.by_place, homes.root.state, homes.root.cost_ms, own_ms)
    near = (ms < NEVER) & (ms / 1000 + between.place_s[place] <= between.limit_s[site])
    out, own_door = np.where(near, out, NOTHING), np.where(near & (out < 0), own_door, NOTHING)
    return _Starts(np.where(near, ms, NEVER), out, _taken(homes.root.state, out, NOTHING), own_door)


def _measured(between: Between, site: int, start: _Starts, at: Scratch) -> tuple[Ints, Ints]:
    """How many whole streets each row walks, and the root of the gates where its way ends, -1 where there is none."""
    graph, root, mine = between.graph, between.gates.root, between.gates.roots_of(site)
    _stand(at.keys, root.state[mine], root.cost_ms[mine], at.arc)
    whole, ends = _measure(at.keys, graph.first, graph.head, graph.cost_ms, start.state, at.arc)
    return whole, np.where(ends < 0, NOTHING, ends + mine.start)


def _streets(graph: Graph, arc: Ints, first: Ints, leaving: _Part, arriving: _Part) -> tuple[Int32s, Mask, Int32s]:
    """Edge, direction and milliseconds of all steps; ``arc`` knows those over whole streets."""
    edge, along, cost_ms = graph.edge[arc], graph.along[arc], graph.cost_ms[arc]
    for part, where in ((leaving, first[:-1]), (arriving, first[1:] - 1)):
        at, some = where[part.walked], part.walked
        edge[at], along[at], cost_ms[at] = part.edge[some], part.along[some], part.cost_ms[some]
    return edge, along, cost_ms


def _taken(values: NDArray[Any], row: Ints, nothing: float) -> NDArray[Any]:
    """The values of some rows, ``nothing`` for row -1."""
    out = np.full(len(row), nothing, dtype=values.dtype)
    out[row >= 0] = values[row[row >= 0]]
    return out


def _leaving(between: Between, place: Ints, start: _Starts) -> _Part:
    """The part with which each row sets out; for those who stay on their own street, all of it."""
    homes, gates, stays = between.homes, between.gates, start.own_door >= 0
    here = homes.share[place]
    gap = _taken(gates.share, start.own_door, 0) - here
    along = np.where(stays, gap >= 0, _taken(homes.along, start.out, False))
    all_ms = np.where(stays, start.ms - _taken(gates.extra_ms, start.own_door, 0), 0)
    share = np.where(stays, np.abs(gap), np.where(along, 1 - here, here))
    return _Part(homes.places.edge[place], along, all_ms + _taken(homes.root.cost_ms, start.out, 0), share)


def _arriving(between: Between, root: Ints) -> _Part:
    """The part with which each row arrives, by the root its way ends at."""
    gates = between.gates
    door, along = _taken(gates.root.source, root, NOTHING), _taken(gates.along, root, False)
    there = _taken(gates.share, door, 0)
    share = np.where(along, there, 1 - there)
    return _Part(_taken(gates.doors.edge, door, NOTHING), along, _taken(gates.part_ms, root, 0), share)


def _targets(homes: Homes, place: Ints) -> Ints:
    """The states that the ways out of these places lead to."""
    begin, count = homes.by_place[place], homes.by_place[place + 1] - homes.by_place[place]
    way_out = np.arange(count.sum()) + np.repeat(begin - np.cumsum(count) + count, count)
    return np.unique(homes.root.state[way_out])


def _own_street(between: Between, site: int, place: Ints) -> tuple[Ints, Ints]:
    """The nearest of the site's doors on each row's own street, milliseconds and row; ``NEVER`` and -1: none."""
    graph, gates, places = between.graph, between.gates, between.homes.places
    rows = gates.of_site(site)
    doors = (rows, gates.doors.edge[rows], gates.doors.along_m[rows], gates.extra_ms[rows])
    streets = (graph.forward_ms, graph.backward_ms, graph.length_m)
    return _nearest_on(*doors, places.edge[place], places.along_m[place], *streets)


@njit(cache=True, nogil=True)
def _nearest_on(
    row: Ints,
    door_edge: Ints,
    door_m: Floats,
    extra_ms: Ints,
    edge: Ints,
    along_m: Floats,
    forward_ms: Ints,
    backward_ms: Ints,
    length_m: Floats,
) -> tuple[Ints, Ints]:  # pragma: no cover
    """Doors are sorted by edge, then row; of equally near ones the first counts."""
    best, door = np.full(len(edge), NEVER), np.full(len(edge), NOTHING)
    for i in range(len(edge)):
        e = edge[i]
        d = np.searchsorted(door_edge, e) if e >= 0 else len(row)
        while d < len(row) and door_edge[d] == e:
            ms = straight(forward_ms[e], backward_ms[e], length_m[e], door_m[d] - along_m[i])
            if ms < NEVER and ms + extra_ms[d] < best[i]:
                best[i], door[i] = ms + extra_ms[d], row[d]
            d += 1
    return best, door


@njit(cache=True, nogil=True)
def _choose(
    keys: Keys, place: Ints, first: Ints, state: Ints, part_ms: Ints, own_ms: Ints
) -> tuple[Ints, Ints]:  # pragma: no cover
    """The cheapest way out of each row, milliseconds to the door and row of the way out; -1: by the own street."""
    best, out = own_ms.copy(), np.full(len(place), NOTHING)
    for i in range(len(place)):
        for j in range(first[place[i]], first[place[i] + 1]):
            key = keys[state[j]]
            if key != UNREACHED and np.int64(key) + part_ms[j] < best[i]:
                best[i], out[i] = np.int64(key) + part_ms[j], j
    return best, out


@njit(cache=True, nogil=True)
def _stand(keys: Keys, state: Ints, root_ms: Ints, arc: Ints) -> None:  # pragma: no cover
    """Note where ways end: root ``r`` as -2 - r, where nothing is better; of equals the first."""
    for r in range(len(state)):
        if keys[state[r]] == _U(root_ms[r]) and arc[state[r]] == UNKNOWN:
            arc[state[r]] = -2 - r


@njit(cache=True, nogil=True)
def _measure(
    keys: Keys, first: Ints, head: Int32s, cost_ms: Int32s, state: Ints, arc: Ints
) -> tuple[Ints, Ints]:  # pragma: no cover
    """How many whole streets each row walks from its state, and the root where it ends; -1 where it has no state."""
    steps, root = np.zeros(len(state), np.int64), np.full(len(state), NOTHING)
    for i in range(len(state)):
        at = state[i]
        while at >= 0:
            a = _onward(keys, first, head, cost_ms, at, arc)
            if a < 0:
                root[i] = -2 - a
                break
            steps[i] += 1
            at = np.int64(head[a])
    return steps, root


@njit(cache=True, nogil=True)
def _onward(keys: Keys, first: Ints, head: Int32s, cost_ms: Int32s, state: int, arc: Ints) -> int:  # pragma: no cover
    """The arc by which one goes on: to the smallest state that explains the cost, by the smallest edge; noted."""
    if arc[state] == UNKNOWN:
        for a in range(first[state], first[state + 1]):
            key = keys[head[a]]
            if cost_ms[a] != CLOSED and key != UNREACHED and key + _U(cost_ms[a]) == keys[state]:
                arc[state] = a
                break
    return int(arc[state])


@njit(cache=True, nogil=True)
def _lay(begin: Ints, head: Int32s, state: Ints, arc: Ints, out: Ints) -> None:  # pragma: no cover
    """The whole streets of each row, one after the other from ``begin``; ``out`` in place."""
    for i in range(len(state)):
        at, n = state[i], begin[i]
        while at >= 0 and arc[at] >= 0:
            out[n] = arc[at]
            at, n = np.int64(head[arc[at]]), n + 1


@njit(cache=True, nogil=True)
def _forget(keys: Keys, arc: Ints, touched: Rows, count: int) -> None:  # pragma: no cover
    for i in range(count):
        keys[touched[i]] = UNREACHED
        arc[touched[i]] = UNKNOWN


def in_order(found: list[Some], n: int) -> Ways:
    """The ways of all rows in their order."""
    count = np.zeros(n, dtype=np.int64)
    for some in found:
        count[some.rows] = np.diff(some.ways.first)
    all_ = _blank(np.r_[0, np.cumsum(count)].astype(np.int64))
    for some in found:
        part = some.ways
        to = np.repeat(all_.first[some.rows] - part.first[:-1], np.diff(part.first)) + np.arange(part.first[-1])
        for name in ("edge", "along", "cost_ms"):
            getattr(all_, name)[to] = getattr(part, name)
        for name in ("out_share", "in_share", "stays", "way_ms", "door"):
            getattr(all_, name)[some.rows] = getattr(part, name)
    return all_


def _blank(first: Ints) -> Ways:
    """Room for ways of so many steps each; still without a way."""
    rows, steps = len(first) - 1, int(first[-1])
    return Ways(
        first, np.empty(steps, dtype=np.int32), np.empty(steps, dtype=bool), np.empty(steps, dtype=np.int32),
        np.full(rows, np.nan), np.full(rows, np.nan), np.zeros(rows, dtype=bool),
        np.full(rows, NOTHING, dtype=np.int64), np.full(rows, NOTHING, dtype=np.int64),
    )  # fmt: skip
