"""One way from a place to another: its streets in order, its line on the map, its legs as one would tell them.

A forest (``routing.nearest``) knows from every state the next one towards the source; ``trace`` follows it from a
place in mid-street to the source's door in mid-street. Further ways are in ``geo.detours``.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd
import shapely
from numba import njit
from numpy.typing import NDArray
from pydantic import Field

from geo.buckets import NEVER, NOTHING
from geo.curves import Sourced
from geo.network import Network
from geo.reach import TOUCH_M, Pieces, drawn
from geo.routing import Forest, Graph, Starts
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Texts = NDArray[np.object_]

LEG_COLUMNS = {
    **dict.fromkeys(("name", "name_zh", "name_en", "highway"), "object"),
    **dict.fromkeys(("length_m", "seconds"), "float64"),
    "turn": "object",
    "bearing_deg": "float64",
}
"""Columns of ``legs`` and their types."""
TURNS = (
    *("depart", "straight", "slight_left", "slight_right", "left", "right"),
    *("sharp_left", "sharp_right", "u_turn"),
)
"""What ``legs`` says of the corner at which a leg begins."""


class LegParams(Sourced):
    """Where one kind of turn ends and the next begins; changes of direction in degrees, straight on is 0."""

    subject = "path"

    straight_deg: float = Field(ge=0, le=180, description="largest change of direction that is straight on (degrees)")
    slight_deg: float = Field(ge=0, le=180, description="largest change of direction that is a slight turn (degrees)")
    sharp_deg: float = Field(ge=0, le=180, description="smallest change of direction that is a sharp turn (degrees)")
    u_turn_deg: float = Field(ge=0, le=180, description="smallest change of direction that is turning round (degrees)")
    turn_over_m: float = Field(gt=0, le=100, description="street over which a direction is taken (metres)")


@dataclass(frozen=True)
class Path:
    """A way as stretches of streets in order of travel, (stretches,) each.

    ``from_m`` and ``to_m`` are metres along the edge's drawing, ``from_m > to_m`` where it is used against it;
    ``seconds`` each stretch takes. No stretch is without length: who already stands there has none. ``source`` is the
    number of the source reached, ``door`` the row of the sources, and ``extra_s`` what that row adds.
    """

    edge: Ints
    from_m: Floats
    to_m: Floats
    seconds: Floats
    source: int
    door: int
    extra_s: float

    def __len__(self) -> int:
        return len(self.edge)

    def __repr__(self) -> str:
        return f"Path({len(self)} stretches, {self.length_m:.0f} m, {self.total_s:.0f} s, to source {self.source})"

    @property
    def length_m(self) -> float:
        """The whole way, metres."""
        return float(np.abs(self.to_m - self.from_m).sum())

    @property
    def total_s(self) -> float:
        """The whole way with the extra time at the door, seconds."""
        return float(self.seconds.sum()) + self.extra_s

    @property
    def reverse(self) -> Path:
        """The same streets the other way round: for ways traced on a reversed graph, which lead *from* the source."""
        low, high = self.to_m[::-1], self.from_m[::-1]
        return Path(self.edge[::-1], low, high, self.seconds[::-1], self.source, self.door, self.extra_s)


@dataclass(frozen=True)
class Steps:
    """Parts of streets one after the other, (steps,) each: also such without length, and one street in parts."""

    edge: Ints
    from_m: Floats
    to_m: Floats
    cost_ms: Ints

    @classmethod
    def one(cls, edge: int, from_m: float, to_m: float, cost_ms: int) -> Steps:
        """A single step."""
        columns = (np.array([value]) for value in (edge, float(from_m), float(to_m), cost_ms))
        return cls(*columns)


def path(steps: list[Steps], source: int, door: int, extra_ms: int) -> Path:
    """Steps as a way: those without length left out, what goes on along one street joined."""
    edge = np.concatenate([s.edge for s in steps]).astype(np.int64)
    low, high = (np.concatenate(c).astype(float) for c in ([s.from_m for s in steps], [s.to_m for s in steps]))
    cost = np.concatenate([s.cost_ms for s in steps]).astype(np.int64)
    kept = low != high
    edge, low, high, cost = edge[kept], low[kept], high[kept], cost[kept]
    goes_on = (edge[1:] == edge[:-1]) & (low[1:] == high[:-1]) & ((high > low)[1:] == (high > low)[:-1])
    first = np.flatnonzero(np.r_[True, ~goes_on][: len(edge)])
    last = np.r_[first[1:], len(edge)][: len(first)] - 1
    ms = np.add.reduceat(cost, first) if len(first) else cost
    return Path(edge[first], low[first], high[last], ms / 1000, int(source), int(door), extra_ms / 1000)


# -- following a forest ----------------------------------------------------------------------------------------------


def trace(
    graph: Graph,
    forest: Forest,
    starts: Starts,
    places: Snaps,
    sources: Snaps,
    row: int,
    *,
    extra_s: Floats | None = None,
) -> Path | None:
    """The way of one place (``row`` of ``places``) to its source; None where there is no path.

    ``graph`` is the one in the direction of travel; ``forest`` was grown from ``sources`` on its reverse and
    ``starts`` is what ``routing.join`` made of both, all with the same ``extra_s`` (rows of ``sources``). The stretches
    take as long as ``starts`` says, the extra time aside.
    """
    if starts.cost_ms[row] < 0:
        return None
    edge, along_m = int(places.edge[row]), float(places.along_m[row])
    extra = extra_ms(sources, extra_s)
    state = int(starts.state[row])
    if state < 0:
        return _on_own_street(graph, edge, along_m, sources, extra, int(starts.source[row]), int(starts.cost_ms[row]))
    out = _leave(graph, edge, along_m, state, int(starts.cost_ms[row] - forest.cost_ms[state]))
    arcs, root = _follow(
        graph.first, graph.head, graph.cost_ms, graph.edge, forest.cost_ms, forest.via, forest.parent, state
    )
    door, last = _arrive(graph, forest, root, sources, extra)
    return path([out, along_arcs(graph, arcs), last], int(sources.place[door]), door, int(extra[door]))


def extra_ms(sources: Snaps, extra_s: Floats | None) -> Ints:
    """The extra time of each row in milliseconds, rounded as ``routing`` rounds it."""
    return np.rint((np.zeros(len(sources)) if extra_s is None else extra_s) * 1000).astype(np.int64)


def along_arcs(graph: Graph, arcs: Ints) -> Steps:
    """Whole streets, as arcs of the graph run over them."""
    edge, along = graph.edge[arcs].astype(np.int64), graph.along[arcs]
    length = graph.length_m[edge]
    return Steps(edge, np.where(along, 0.0, length), np.where(along, length, 0.0), graph.cost_ms[arcs].astype(np.int64))


def _on_own_street(
    graph: Graph, edge: int, along_m: float, sources: Snaps, extra: Ints, source: int, cost_ms: int
) -> Path:
    rows = np.flatnonzero((sources.edge == edge) & (sources.place == source))
    ahead = sources.along_m[rows] >= along_m
    whole = np.where(ahead, graph.forward_ms[edge], graph.backward_ms[edge])
    part = share_ms(whole, np.abs(sources.along_m[rows] - along_m), graph.length_m[edge])
    best = int(np.flatnonzero(np.where(part < NEVER, part + extra[rows], NEVER) == cost_ms)[0])
    door = int(rows[best])
    step = Steps.one(edge, along_m, sources.along_m[door], int(part[best]))
    return path([step], source, door, int(extra[door]))


def share_ms(whole_ms: Ints, part_m: Floats, length_m: float) -> Ints:
    """What parts of a street cost, rounded as in ``routing``; ``NEVER`` where closed unless there is nothing to go."""
    share = part_m / length_m if length_m > 0 else np.zeros(len(part_m))
    cost = np.rint(np.where((whole_ms >= NEVER) | (share == 0), 0, whole_ms) * share)
    return np.where((whole_ms >= NEVER) & (share > 0), NEVER, cost.astype(np.int64))


def arcs_on(graph: Graph, edge: int) -> Ints:
    """Every arc of one edge."""
    first, arcs = graph.by_edge
    return arcs[first[edge] : first[edge + 1]].astype(np.int64)


def _leave(graph: Graph, edge: int, along_m: float, state: int, cost_ms: int) -> Steps:
    """From mid-street to the state at one of its ends, at the cost that ``routing.roots`` gave."""
    length = float(graph.length_m[edge])
    share = along_m / length if length > 0 else 0.0
    arcs = arcs_on(graph, edge)
    along = graph.along[arcs]
    cost = np.rint(graph.cost_ms[arcs] * np.where(along, 1 - share, share)).astype(np.int64)
    fits = np.flatnonzero((graph.head[arcs] == state) & (cost == cost_ms))
    # Who stands at the node itself leaves without a step; of two ways round a loop the shorter counts.
    if cost_ms == 0 and share in (0, 1) and graph.node_of[state] == (graph.u if share == 0 else graph.v)[edge]:
        return Steps.one(edge, along_m, along_m, 0)
    end = np.where(along[fits], length, 0.0)
    return Steps.one(edge, along_m, float(end[np.argmin(np.abs(end - along_m))]), cost_ms)


@njit(cache=True)
def _follow(
    first: Ints, head: Int32s, cost_ms: Int32s, edge: Int32s, reach: Ints, via: Ints, parent: Ints, state: int
) -> tuple[Ints, int]:  # pragma: no cover
    """The arcs from a state to its root, and the root: of parallel arcs the one that the forest counted."""
    size, at = 0, state
    while parent[at] >= 0:
        size, at = size + 1, parent[at]
    arcs = np.empty(size, dtype=np.int64)
    at = state
    for i in range(size):
        to = parent[at]
        for a in range(first[at], first[at + 1]):
            if head[a] == to and edge[a] == via[at] and cost_ms[a] == reach[at] - reach[to]:
                arcs[i] = a
                break
        at = to
    return arcs, at


def _arrive(graph: Graph, forest: Forest, root: int, sources: Snaps, extra: Ints) -> tuple[int, Steps]:
    """The door whose cost explains the root's, and the last part of the way, to it."""
    rows = np.flatnonzero((sources.place == forest.source[root]) & sources.found)
    node, wanted = graph.node_of[root], forest.cost_ms[root]
    for door in rows.tolist():
        edge, along_m = int(sources.edge[door]), float(sources.along_m[door])
        length = float(graph.length_m[edge])
        share = along_m / length if length > 0 else 0.0
        if extra[door] == wanted and share in (0, 1) and node == (graph.u if share == 0 else graph.v)[edge]:
            return door, Steps.one(edge, along_m, along_m, 0)
        for arc in arcs_on(graph, edge).tolist():
            cost = int(np.rint(graph.cost_ms[arc] * (share if graph.along[arc] else 1 - share)))
            on_it = forest.via[root] == edge or (forest.via[root] == NOTHING and cost == 0)
            if on_it and graph.tail[arc] == root and cost + extra[door] == wanted:
                return door, Steps.one(edge, 0.0 if graph.along[arc] else length, along_m, cost)
    raise ValueError("the forest was not grown from these sources on the reverse of this graph")


# -- on the map ------------------------------------------------------------------------------------------------------


def line(network: Network, way: Path) -> shapely.LineString:
    """The way as a line in the network's CRS, cut exactly where it begins and ends; empty where it has no length."""
    if not len(way):
        return shapely.LineString()
    parts = drawn(network, Pieces(way.edge, np.minimum(way.from_m, way.to_m), np.maximum(way.from_m, way.to_m)))
    size = np.diff(parts.start)
    first, size_each = np.repeat(parts.start[:-1], size), np.repeat(size, size)
    nth = np.arange(len(parts.x)) - first
    order = first + np.where(np.repeat(way.from_m > way.to_m, size), size_each - 1 - nth, nth)
    return shapely.LineString(_corners_once(np.column_stack([parts.x[order], parts.y[order]])))


def _corners_once(xy: Floats) -> Floats:
    """Vertices (n, 2) without those that repeat the one before; the first and the last stay."""
    new = np.flatnonzero(np.r_[True, np.hypot(*np.diff(xy, axis=0).T) > TOUCH_M])
    return xy[np.r_[new[:-1] if len(new) > 1 else new, len(xy) - 1]]


def legs(network: Network, way: Path, *, params: LegParams) -> pd.DataFrame:
    """The way as one would tell it: one row for each run of stretches along one street, in order of travel.

    Columns: ``name``, ``name_zh``, ``name_en`` (None where unnamed), ``highway`` (the class most of its metres have),
    ``length_m``, ``seconds``, ``turn`` (``TURNS``, by which it is entered) and ``bearing_deg`` (in which direction it
    begins, clockwise from the CRS's north, 0 to 360). Streets are the same where their names are; unnamed ones where
    their class is and the way goes on straight or slightly to a side.
    """
    told = vars(legs_of_each(network, [way], params=params))
    # The types are named: left to itself, pandas makes text of the names and NaN of None.
    return pd.DataFrame({name: pd.Series(told[name], dtype=dtype) for name, dtype in LEG_COLUMNS.items()})


@dataclass(frozen=True)
class Legs:
    """The legs of many ways one after the other, (legs,) each: columns as of ``legs``, and the ``way``'s number."""

    way: Ints
    name: Texts
    name_zh: Texts
    name_en: Texts
    highway: Texts
    length_m: Floats
    seconds: Floats
    turn: Texts
    bearing_deg: Floats

    def __len__(self) -> int:
        return len(self.way)

    def __repr__(self) -> str:
        return f"Legs({len(self)} of {len(np.unique(self.way))} ways, {self.length_m.sum():.0f} m)"


def legs_of_each(
    network: Network, ways: Sequence[Path], *, params: LegParams, lines: Sequence[shapely.LineString] | None = None
) -> Legs:
    """As ``legs`` for many ways at once; ``lines`` are theirs as ``line`` draws them, for callers who have them."""
    of = np.repeat(np.arange(len(ways)), [len(way) for way in ways]).astype(np.int64)
    if not len(of):
        text, number = np.zeros(0, dtype=object), np.zeros(0)
        return Legs(of, text, text, text, text, number, number, text, number)
    drawings = np.array([line(network, way) for way in ways] if lines is None else [*lines], dtype=object)
    edge, from_m, to_m, seconds = (
        np.concatenate([getattr(way, name) for way in ways]) for name in ("edge", "from_m", "to_m", "seconds")
    )
    names = [network.edge_tag(tag, edge) for tag in ("name", "name_zh", "name_en", "highway")]
    length = np.abs(to_m - from_m)
    same = _same_street(names, _turns(drawings, of, length, params)[0]) & (of[1:] == of[:-1])
    first = np.flatnonzero(np.r_[True, ~same])
    leg_m = np.add.reduceat(length, first)
    turn, bearing = _turns(drawings, of[first], leg_m, params)
    name, name_zh, name_en = (column[first] for column in names[:3])
    return Legs(
        of[first], name, name_zh, name_en, _mostly(names[3], length, first), leg_m, np.add.reduceat(seconds, first),
        turn, bearing,
    )  # fmt: skip


def _same_street(names: list[Texts], turn: Texts) -> NDArray[np.bool_]:
    """Whether each stretch after the first is on the street of the one before, (stretches - 1,)."""
    same = np.logical_and.reduce([column[1:] == column[:-1] for column in names[:3]])
    unnamed = np.logical_and.reduce([pd.isna(column[1:]) for column in names[:3]])
    on = np.isin(turn[1:].astype(str), ["straight", "slight_left", "slight_right"])
    return np.asarray(same & (~unnamed | ((names[3][1:] == names[3][:-1]) & on)), dtype=bool)


def _mostly(highway: Texts, length: Floats, first: Ints) -> Texts:
    """The class that most metres of each leg have; of equals the first by its letters."""
    leg = np.searchsorted(first, np.arange(len(highway)), side="right") - 1
    classes, number = np.unique(np.array([h or "" for h in highway], dtype=str), return_inverse=True)
    both, row = np.unique(leg * len(classes) + number, return_inverse=True)
    metres = np.bincount(row, weights=length)
    order = np.lexsort((both, -metres, both // len(classes)))
    best = order[np.unique(both[order] // len(classes), return_index=True)[1]]
    return np.array([str(h) or None for h in classes[both[best] % len(classes)]], dtype=object)


def _turns(drawings: Texts, of: Ints, length: Floats, params: LegParams) -> tuple[Texts, Floats]:
    """The turn by which each part of the ways begins, and its bearing there.

    Parts have these lengths, in order of travel; ``of`` is the number of the way, whose line is in ``drawings``.
    """
    starts = np.flatnonzero(np.r_[True, of[1:] != of[:-1]])
    at = np.concatenate([np.r_[0.0, np.cumsum(part)[:-1]] for part in np.split(length, starts[1:])])
    behind = np.minimum(params.turn_over_m, np.r_[length[0], length[:-1]])
    before, here, after = (
        shapely.get_coordinates(shapely.line_interpolate_point(drawings[of], m))
        for m in (np.maximum(at - behind, 0), at, at + np.minimum(params.turn_over_m, length))
    )
    bearing, came = (np.degrees(np.arctan2(*(b - a).T)) for a, b in ((here, after), (before, here)))
    turn = _turn((bearing - came + 180) % 360 - 180, params)
    turn[starts] = "depart"
    return turn, bearing % 360


def _turn(change_deg: Floats, params: LegParams) -> Texts:
    side, size = np.where(change_deg > 0, "right", "left"), np.abs(change_deg)
    kinds = {
        "u_turn": size >= params.u_turn_deg, "sharp_": size >= params.sharp_deg,
        "straight": size <= params.straight_deg, "slight_": size <= params.slight_deg,
    }  # fmt: skip
    kind = np.select([*kinds.values()], [*kinds], default="")
    sided = ~np.isin(kind, ["u_turn", "straight"])
    return np.where(sided, np.char.add(kind, side), kind).astype(object)
