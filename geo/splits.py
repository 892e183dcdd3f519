"""The graph with one place and the doors of the sources put in: a street with a door in its middle is two streets.

Searches that weigh streets one by one (``geo.detours``) run on it. From the forest that led everybody to the sources
every node knows what is left to go; with the place and the doors put in, that stays exact to the millisecond.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo.buckets import NEVER, NOTHING
from geo.paths import Path, Steps, along_arcs, arcs_on, extra_ms, path, share_ms
from geo.routing import Forest, Graph, nearest
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]

Stretch = tuple[int, float, float]
"""An edge (-1: none), and from where to where along its drawing, in metres."""


@dataclass(frozen=True, kw_only=True)
class _Columns:
    """Pieces of streets and links, a row each.

    ``tail``, ``head``, ``cost_ms``, ``edge`` (-1: a link), ``from_m``, ``to_m``, ``often`` (may be used twice) and
    ``door`` (row of the sources; -1).
    """

    tail: Ints
    head: Ints
    cost_ms: Ints
    edge: Ints
    from_m: Floats
    to_m: Floats
    often: Mask
    door: Ints


@dataclass(frozen=True, kw_only=True)
class _Entered(_Columns):
    """The graph's arcs, then pieces and links, over its states, then ``goal``, then new nodes.

    The columns describe arc ``len(graph.head) + i``. Of those that leave a node ``newest`` is the last (``i``, -1:
    none), ``older`` the one before each. ``base_ms`` are the costs of the graph's arcs, ``shut`` (all arcs) is what may
    not be used, ``potential`` what is left to go from each node, ``NEVER`` where no source is reached.
    """

    graph: Graph
    sources: Snaps
    extra: Ints
    newest: Ints
    older: Ints
    base_ms: Ints
    shut: Mask
    potential: Ints

    @property
    def goal(self) -> int:
        """The node behind all sources."""
        return len(self.graph)


@dataclass(frozen=True, kw_only=True)
class Doors(_Entered):
    """The graph with the doors of all sources put in, and no place yet: made once, used for any number of places.

    ``on`` tells for each edge that is cut its doors (rows of the sources) and its arcs, ``source`` the node of each
    source; ``different``: each source may be reached once only.
    """

    forest: Forest
    different: bool
    on: dict[int, tuple[list[int], Ints]]
    source: dict[int, int]

    def __repr__(self) -> str:
        return f"Doors({self.graph}, {len(self.source)} sources with {len(self.sources)} doors)"


@dataclass(frozen=True, kw_only=True)
class Split(_Entered):
    """The graph with the doors of all sources and one place put in, which is the node ``place``.

    Where ways are sought on dearer streets, ``true_ms`` and the graph keep the true costs.
    """

    true_ms: Ints
    place: int

    def __repr__(self) -> str:
        return f"Split({self.graph}, {len(self.tail)} pieces and links)"

    @property
    def whole(self) -> int:
        """How many arcs the graph has; those from here on are pieces and links."""
        return len(self.graph.head)

    def ends(self, arc: int) -> tuple[int, int]:
        """The nodes that an arc leads from and to."""
        i = arc - self.whole
        if i < 0:
            return int(self.graph.tail[arc]), int(self.graph.head[arc])
        return int(self.tail[i]), int(self.head[i])

    def cost(self, arc: int) -> int:
        """What an arc costs in truth, milliseconds."""
        i = arc - self.whole
        return int(self.graph.cost_ms[arc] if i < 0 else self.true_ms[i])

    def stretch(self, arc: int) -> Stretch:
        """What an arc covers; edge -1 for a link."""
        i = arc - self.whole
        if i < 0:
            edge = int(self.graph.edge[arc])
            return edge, 0.0, float(self.graph.length_m[edge])
        low, high = float(self.from_m[i]), float(self.to_m[i])
        return int(self.edge[i]), min(low, high), max(low, high)

    def once(self, arc: int) -> bool:
        """Whether an arc is a link that may be used once only."""
        i = arc - self.whole
        return i >= 0 and self.edge[i] < 0 and not self.often[i]

    def over(self, edge: int, low: float, high: float) -> Ints:
        """Every arc that covers some of a stretch."""
        pieces = (self.edge == edge) & (np.minimum(self.from_m, self.to_m) < high)
        pieces &= np.maximum(self.from_m, self.to_m) > low
        return np.concatenate([arcs_on(self.graph, edge), np.flatnonzero(pieces) + self.whole])

    def under(self, way: Path) -> Ints:
        """Every arc that covers some of what a way uses, in either direction."""
        first, arcs = self.graph.by_edge
        whole = [arcs[first[edge] : first[edge + 1]].astype(np.int64) for edge in dict.fromkeys(way.edge.tolist())]
        near = np.flatnonzero(np.isin(self.edge, way.edge))
        row, stretch = np.nonzero(self.edge[near, None] == way.edge)
        low, high = np.minimum(self.from_m[near], self.to_m[near])[row], np.maximum(self.from_m, self.to_m)[near][row]
        least, most = np.minimum(way.from_m, way.to_m)[stretch], np.maximum(way.from_m, way.to_m)[stretch]
        covers = (low < most) & (high > least)
        return np.concatenate([np.zeros(0, dtype=np.int64), *whole, np.unique(near[row[covers]]) + self.whole])

    def weighed(self, base_ms: Ints, more: Floats) -> Split:
        """The same streets at other costs: the graph's arcs at ``base_ms``, pieces by ``more`` (edges,) as a share."""
        added = np.where(self.edge >= 0, np.rint(self.true_ms * more[self.edge]), 0).astype(np.int64)
        return replace(self, base_ms=base_ms, cost_ms=self.true_ms + added)

    def way(self, arcs: Iterable[int]) -> Path:
        """Arcs from the place to the goal as a way."""
        every = np.array([*arcs], dtype=np.int64)
        door = int(self.door[every[every >= self.whole] - self.whole].max())
        runs = np.split(every, np.flatnonzero(np.diff(every < self.whole)) + 1)
        steps = [along_arcs(self.graph, r) if r[0] < self.whole else self._pieces(r - self.whole) for r in runs]
        return path(steps, int(self.sources.place[door]), door, int(self.extra[door]))

    def _pieces(self, new: Ints) -> Steps:
        new = new[self.edge[new] >= 0]
        return Steps(self.edge[new], self.from_m[new], self.to_m[new], self.true_ms[new])


def enter(
    graph: Graph,
    sources: Snaps,
    *,
    extra_s: Floats | None = None,
    forest: Forest | None = None,
    different_sources: bool = False,
) -> Doors:
    """Put the doors of all sources into the graph, which is the one in the direction of travel.

    ``forest`` is ``routing.nearest`` on ``graph.reverse`` with the same ``extra_s``; it is grown here where it is not
    given. With ``different_sources`` each source may be reached once only.
    """
    forest = nearest(graph.reverse, sources, extra_s=extra_s) if forest is None else forest
    goal, extra = len(graph), extra_ms(sources, extra_s)
    drawing = _Drawing(graph, forest, sources, extra, goal + 1)
    on = drawing.enter()
    drawing.finish(goal, list(drawing.source.values()), often=not different_sources)
    columns = _columns(drawing.rows)
    shut = np.zeros(len(graph.head), dtype=bool)
    shut[np.concatenate([np.zeros(0, dtype=np.int64), *(arcs_on(graph, e) for e in on)])] = True
    left = np.where(forest.cost_ms < 0, NEVER, forest.cost_ms)
    potential = np.r_[left, np.full(drawing.next - goal, NEVER)]
    potential[goal] = 0
    _left_to_go(columns.tail, columns.head, columns.cost_ms, potential, goal)
    newest, older = np.full(drawing.next, NOTHING, dtype=np.int64), np.empty(len(columns.tail), dtype=np.int64)
    _hang(columns.tail, newest, older, 0)
    return Doors(
        graph=graph, forest=forest, sources=sources, extra=extra, different=different_sources, newest=newest,
        older=older, base_ms=graph.cost_ms.astype(np.int64), shut=shut, potential=potential, on=on,
        source=drawing.source, **vars(columns),
    )  # fmt: skip


def put_in(doors: Doors, place: Snaps) -> Split:
    """Put a place (one row) into the graph that has the doors."""
    drawing = _Drawing(
        doors.graph, doors.forest, doors.sources, doors.extra, len(doors.potential) + 1, [], {**doors.source}
    )
    start, known = len(doors.potential), len(doors.tail)
    own = drawing.leave(start, place)
    shut = np.r_[doors.shut, np.zeros(known, dtype=bool)]
    if own >= 0:
        rows, arcs = doors.on.get(own, ([], np.zeros(0, dtype=np.int64)))
        shut[np.r_[arcs_on(doors.graph, own), arcs + len(doors.graph.head)]] = True
        drawing.along(own, rows, through=False)
    drawing.finish(doors.goal, [*drawing.source.values()][len(doors.source) :], often=not doors.different)
    return _joined(doors, drawing, start, shut)


def _joined(doors: Doors, drawing: _Drawing, start: int, shut: Mask) -> Split:
    """The doors' arcs and then the place's own."""
    own, known, nodes = _columns(drawing.rows), len(doors.tail), drawing.next - start
    potential = np.r_[doors.potential, np.full(nodes, NEVER)]
    _left_to_go(own.tail, own.head, own.cost_ms, potential, len(doors.graph))
    newest = np.r_[doors.newest, np.full(nodes, NOTHING, dtype=np.int64)]
    older = np.r_[doors.older, np.empty(len(own.tail), dtype=np.int64)]
    _hang(own.tail, newest, older, known)
    both = {name: np.r_[getattr(doors, name), column] for name, column in vars(own).items()}
    return Split(
        graph=doors.graph, true_ms=both["cost_ms"], newest=newest, older=older, base_ms=doors.base_ms,
        shut=np.r_[shut, np.zeros(len(own.tail), dtype=bool)], potential=potential, place=start,
        sources=doors.sources, extra=doors.extra, **both,
    )  # fmt: skip


def _columns(rows: list[tuple[float, ...]]) -> _Columns:
    table = np.array(rows, dtype=float).reshape(-1, 8)
    tail, head, cost, edge, door = (table[:, c].astype(np.int64) for c in (0, 1, 2, 3, 7))
    return _Columns(
        tail=tail, head=head, cost_ms=cost, edge=edge, from_m=table[:, 4], to_m=table[:, 5], often=table[:, 6] > 0,
        door=door,
    )  # fmt: skip


@njit(cache=True)
def _hang(tail: Ints, newest: Ints, older: Ints, known: int) -> None:  # pragma: no cover
    """Hang arcs, numbered from ``known``, on the nodes they leave."""
    for i in range(len(tail)):
        older[known + i] = newest[tail[i]]
        newest[tail[i]] = known + i


@njit(cache=True)
def _left_to_go(tail: Ints, head: Ints, cost_ms: Ints, potential: Ints, states: int) -> None:  # pragma: no cover
    """What is left to go from the new nodes: pieces are added in order of travel, so from the last backwards."""
    for i in range(len(tail) - 1, -1, -1):
        if tail[i] >= states and potential[head[i]] < NEVER:
            potential[tail[i]] = min(potential[tail[i]], cost_ms[i] + potential[head[i]])


@dataclass
class _Drawing:
    """Pieces and links as they are added: tail, head, cost_ms, edge, from_m, to_m, often, door.

    What leads on from where another ends is added later.
    """

    graph: Graph
    forest: Forest
    sources: Snaps
    extra: Ints
    next: int
    rows: list[tuple[float, ...]] = field(default_factory=list)
    source: dict[int, int] = field(default_factory=dict)

    def node(self) -> int:
        """A new node."""
        self.next += 1
        return self.next - 1

    def link(self, tail: int, head: int, cost_ms: int = 0, *, often: bool = True, door: int = NOTHING) -> None:
        """An arc that is no part of a street."""
        self.rows.append((tail, head, cost_ms, NOTHING, 0.0, 0.0, often, door))

    def arrive(self, node: int, door: int) -> None:
        """A link from a node to the source of the door there."""
        number = int(self.sources.place[door])
        if number not in self.source:
            self.source[number] = self.node()
        self.link(node, self.source[number], int(self.extra[door]), door=door)

    def chain(self, tail: int, edge: int, from_m: float, stop_m: list[float], cost_ms: list[int]) -> list[int]:
        """Pieces from a node by stops along an edge, at their costs from it; their nodes, as far as it is open."""
        stops: list[int] = []
        last_m, last_ms = from_m, 0
        for to_m, cost in zip(stop_m, cost_ms, strict=True):
            if cost >= NEVER:
                break
            stops.append(self.node())
            self.rows.append((tail, stops[-1], cost - last_ms, edge, last_m, to_m, last_m == to_m, NOTHING))
            tail, last_m, last_ms = stops[-1], to_m, cost
        return stops

    def end(self, edge: int, along_m: float) -> int:
        """The node at which a point of an edge lies; -1 in mid-street and at a node that nobody passes."""
        if 0 < along_m < self.graph.length_m[edge]:
            return NOTHING
        node = int(self.graph.u[edge] if along_m <= 0 else self.graph.v[edge])
        return NOTHING if self.graph.barred[node] else node

    def states(self, node: int) -> list[int]:
        """A node and its turn states."""
        first, states = self.graph.states_of
        return [int(state) for state in states[first[node] : first[node + 1]]]

    def leave(self, start: int, place: Snaps) -> int:
        """The ways out of the place; its own edge where that is cut in two, else -1."""
        if not place.found[0]:
            return NOTHING
        edge, along_m = int(place.edge[0]), float(place.along_m[0])
        node = self.end(edge, along_m)
        if node >= 0:
            for state in self.states(node):
                self.link(start, state)
            return NOTHING
        on = np.flatnonzero(self.sources.edge == edge)
        at = self.sources.along_m[on]
        self._leave_by(start, edge, along_m, on[np.lexsort((on, at))][np.sort(at) >= along_m], along=True)
        self._leave_by(start, edge, along_m, on[np.lexsort((on, -at))][-np.sort(-at) < along_m], along=False)
        return edge

    def _leave_by(self, start: int, edge: int, along_m: float, doors: Ints, *, along: bool) -> None:
        """From mid-street by the doors that lie ahead to the end, there into every state one can have."""
        graph, length = self.graph, float(self.graph.length_m[edge])
        whole = int((graph.forward_ms if along else graph.backward_ms)[edge])
        arcs = arcs_on(graph, edge)
        heads = np.unique(graph.head[arcs[graph.along[arcs] == along]]).tolist()
        stop_m = self.sources.along_m[doors]
        cost = share_ms(np.full(len(doors), whole), np.abs(stop_m - along_m), length).tolist()
        # The way to the very end is rounded as ``routing.roots`` rounds it.
        share = 1 - along_m / length if along and heads else along_m / length if heads else 0.0
        cost.append(int(np.rint(whole * share)) if heads else int(NEVER))
        stops = self.chain(start, edge, along_m, [*stop_m.tolist(), length if along else 0.0], cost)
        for door, stop in zip(doors.tolist(), stops, strict=False):
            self.arrive(stop, door)
        for state in heads:
            self.link(stops[-1], state)

    def enter(self) -> dict[int, tuple[list[int], Ints]]:
        """The ways in by every door; of each edge that is cut its doors and its arcs."""
        cut: dict[int, list[int]] = {}
        for row in np.flatnonzero(self.sources.found).tolist():
            edge, along_m = int(self.sources.edge[row]), float(self.sources.along_m[row])
            node = self.end(edge, along_m)
            if node >= 0:
                # A state from which the forest does not end here is none of this door's.
                left = [(state, self.forest.cost_ms[state]) for state in self.states(node)]
                for state in [state for state, ms in left if 0 <= ms <= self.extra[row]]:
                    self.arrive(state, row)
            elif self.graph.length_m[edge] > 0:  # at a barrier too a door belongs to its one street
                cut.setdefault(edge, []).append(row)
        return {edge: (rows, self.along(edge, rows, through=True)) for edge, rows in cut.items()}

    def along(self, edge: int, rows: list[int], *, through: bool) -> Ints:
        """One edge with its doors as stops, sorted here, from both its ends; the arcs added, as rows."""
        before = len(self.rows)
        rows.sort(key=lambda row: (self.sources.along_m[row], row))
        for arc in arcs_on(self.graph, edge).tolist():
            self._by_doors(arc, edge, rows, through=through)
        return np.arange(before, len(self.rows), dtype=np.int64)

    def finish(self, goal: int, nodes: list[int], *, often: bool) -> None:
        """Links from sources to the goal."""
        for node in nodes:
            self.link(node, goal, often=often)

    def _by_doors(self, arc: int, edge: int, rows: list[int], *, through: bool) -> None:
        """One arc with its doors as stops, from its tail; on to its head unless the place lies on it."""
        graph, along = self.graph, bool(self.graph.along[arc])
        length, whole = float(graph.length_m[edge]), int(graph.cost_ms[arc])
        begin, end = (0.0, length) if along else (length, 0.0)
        doors = rows if along else rows[::-1]
        at = [float(self.sources.along_m[row]) for row in doors]
        cost = [round(whole * (m / length if along else 1 - m / length)) for m in at]
        if through:
            at, cost = [*at, end], [*cost, whole]
        stops = self.chain(int(graph.tail[arc]), edge, begin, at, cost)
        for stop, door in zip(stops, doors, strict=False):
            self.arrive(stop, door)
        if through:
            self.link(stops[-1], int(graph.head[arc]))
