"""Small cities of all shapes, and every way through them tried one after the other: slow, simple, surely right."""

from __future__ import annotations

import heapq
import itertools
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

import numpy as np
from hypothesis import strategies as st

from geo import network, routing
from geo.network import Network
from geo.routing import Forest, Graph, Starts
from geo.snapping import Snaps
from tests.geo.drawn import ORIGIN, ways

DONE = "done"
History = tuple[int, ...]
State = tuple[int, History] | tuple[str, int]


@dataclass(frozen=True)
class City:
    """A network, its graph with turn states, and what the graph was made of."""

    net: Network
    graph: Graph
    forbidden: list[History]
    forward_s: np.ndarray
    backward_s: np.ndarray


def letter(i: int) -> str:
    return chr(0x4E00 + i)


@st.composite
def cities(draw: st.DrawFn, *, nodes: int = 5, streets: int = 9, turns: int = 4) -> City:
    """Streets between any two of a few nodes: parallel ones, loops, one-way ones, and forbidden sequences."""
    n = draw(st.integers(2, nodes))
    spots = {letter(i): (ORIGIN[0] + 300 * np.cos(i * 2.4), ORIGIN[1] + 300 * np.sin(i * 2.4)) for i in range(n)}
    pairs = draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)), min_size=1, max_size=streets))
    chains = {}
    for k, (a, b) in enumerate(pairs):
        bends = [letter(100 + 2 * k + i) for i in range(2 if a == b else 1)]
        for i, bend in enumerate(bends):
            x, y = (spots[letter(j)] for j in (a, b))
            spots[bend] = ((x[0] + y[0]) / 2 + 17.0 * k + 40 * i, (x[1] + y[1]) / 2 + 31.0 * (k % 5) + 70 - 50 * i)
        chains["".join([letter(a), *bends, letter(b)])] = {}
    net = network.build(ways(spots, chains))
    times = draw(st.lists(st.sampled_from([7.0, 20.0, 20.001, 55.5, 130.25]), min_size=len(pairs), max_size=len(pairs)))
    shut = draw(st.lists(st.sampled_from(["", "", "", "f", "b"]), min_size=len(pairs), max_size=len(pairs)))
    forward = np.array([np.nan if s == "f" else t for t, s in zip(times, shut, strict=True)])
    backward = np.array([np.nan if s == "b" else t * 1.5 for t, s in zip(times, shut, strict=True)])
    forbidden = [draw(sequences(net)) for _ in range(draw(st.integers(0, turns)))]
    return City(net, routing.graph(net, forward, backward, forbidden=forbidden), forbidden, forward, backward)


@st.composite
def sequences(draw: st.DrawFn, net: Network) -> History:
    """A walk of two to four directed edges."""
    steps = [draw(st.integers(0, 2 * len(net.u) - 1))]
    for _ in range(draw(st.integers(1, 3))):
        at = head(net, steps[-1])
        steps.append(draw(st.sampled_from(out_of(net, at))))
    return tuple(steps)


@st.composite
def snaps(draw: st.DrawFn, net: Network, *, rows: int, places: int | None = None, ends: bool = True) -> Snaps:
    """Points on streets, also exactly at nodes, and several at one point."""
    edge = np.array(draw(st.lists(st.integers(0, len(net.u) - 1), min_size=rows, max_size=rows)), dtype=np.int64)
    choices = [0.3, 0.5, 0.5001, 0.75, *([0.0, 1.0] if ends else [])]
    share = np.array(draw(st.lists(st.sampled_from(choices), min_size=rows, max_size=rows)))
    place = np.arange(rows, dtype=np.int64) % (rows if places is None else places)
    return Snaps(place, edge, np.where(share == 1, net.length_m[edge], share * net.length_m[edge]), np.zeros(rows))


def head(net: Network, step: int) -> int:
    return int(net.u[step // 2] if step % 2 else net.v[step // 2])


def out_of(net: Network, node: int) -> list[int]:
    return [s for s in range(2 * len(net.u)) if int(net.v[s // 2] if s % 2 else net.u[s // 2]) == node]


@dataclass(frozen=True)
class Trip:
    """Every way from one point to the doors of sources (rows, with extra seconds)."""

    city: City
    place: Snaps
    doors: Snaps
    extra_s: np.ndarray

    def whole_ms(self, step: int) -> float:
        seconds = (self.city.backward_s if step % 2 else self.city.forward_s)[step // 2]
        return float(np.rint(seconds * 1000))

    def node_at(self, snaps: Snaps, row: int) -> int | None:
        edge, along = int(snaps.edge[row]), float(snaps.along_m[row])
        if 0 < along < self.city.net.length_m[edge]:
            return None
        return int((self.city.net.u if along == 0 else self.city.net.v)[edge])

    def pieces(self, edge: int, a: float, b: float) -> frozenset[tuple[int, float]]:
        """The pieces into which the doors and the place cut a stretch, by edge and where they begin."""
        points = {0.0, float(self.city.net.length_m[edge])}
        for s in (self.place, self.doors):
            points |= set(s.along_m[s.edge == edge].tolist())
        low, high = min(a, b), max(a, b)
        return frozenset((edge, p) for p, q in itertools.pairwise(sorted(points)) if low <= p and q <= high)

    def along(self, step: int, from_m: float, history: History) -> Iterator[tuple[State, int, frozenset]]:
        """What one comes by on a street entered at ``from_m``: doors in its middle, and its end."""
        edge, length = step // 2, float(self.city.net.length_m[step // 2])
        whole = self.whole_ms(step)
        if np.isnan(whole):
            return
        for row in np.flatnonzero(self.doors.edge == edge).tolist():
            at = float(self.doors.along_m[row])
            if self.node_at(self.doors, row) is None and (at <= from_m if step % 2 else at >= from_m):
                ms = int(np.rint(whole * abs(at - from_m) / length)) + round(self.extra_s[row] * 1000)
                yield (DONE, int(self.doors.place[row])), ms, self.pieces(edge, from_m, at)
        end = 0.0 if step % 2 else length
        ms = int(np.rint(whole * abs(end - from_m) / length))
        yield (head(self.city.net, step), (*history, step)[-4:]), ms, self.pieces(edge, from_m, end)

    def starts(self) -> Iterator[tuple[State, int, frozenset]]:
        node = self.node_at(self.place, 0)
        if node is not None:
            yield (node, ()), 0, frozenset()
            return
        edge = int(self.place.edge[0])
        for step in (2 * edge, 2 * edge + 1):
            yield from self.along(step, float(self.place.along_m[0]), ())
        for row in np.flatnonzero((self.doors.edge == edge) & (self.doors.along_m == self.place.along_m[0])).tolist():
            yield (DONE, int(self.doors.place[row])), round(self.extra_s[row] * 1000), frozenset()

    def after(self, state: State) -> Iterator[tuple[State, int, frozenset]]:
        node, history = state
        assert isinstance(node, int) and isinstance(history, tuple)
        for row in range(len(self.doors)):
            if self.node_at(self.doors, row) == node:
                yield (DONE, int(self.doors.place[row])), round(self.extra_s[row] * 1000), frozenset()
        for step in out_of(self.city.net, node):
            gone = (*history, step)
            if not any(gone[-len(bad) :] == bad for bad in self.city.forbidden):
                yield from self.along(step, 0.0 if step % 2 == 0 else float(self.city.net.length_m[step // 2]), history)

    def shortest_ms(self, *, without: frozenset = frozenset()) -> int | None:
        """The cost of the quickest way, whatever it uses twice; None where there is none."""
        known: dict[State, int] = {}
        heap = [(ms, str(state), state) for state, ms, used in self.starts() if not used & without]
        heapq.heapify(heap)
        while heap:
            cost, _, state = heapq.heappop(heap)
            if state in known:
                continue
            known[state] = cost
            if state[0] == DONE:
                return cost
            for to, ms, used in self.after(state):
                if not used & without:
                    heapq.heappush(heap, (cost + ms, str(to), to))
        return None

    def trails(self) -> dict[tuple[frozenset, int], int]:
        """Every way that uses no piece twice: the pieces, the source, and the least cost."""
        found: dict[tuple[frozenset, int], int] = {}
        stack = [(state, ms, used) for state, ms, used in self.starts()]
        while stack:
            state, cost, used = stack.pop()
            if state[0] == DONE:
                key = (used, int(state[1]))
                found[key] = min(cost, found.get(key, cost))
                continue
            stack += [(to, cost + ms, used | more) for to, ms, more in self.after(state) if not used & more]
        return found

    def pair_ms(self, *, different: bool = False) -> int | None:
        """The least sum of two ways that share no piece."""
        every = sorted(self.trails().items(), key=lambda item: item[1])
        best = None
        for i, ((used, source), cost) in enumerate(every):
            for (used_2, source_2), cost_2 in every[i:]:
                if best is not None and cost + cost_2 >= best:
                    break
                if not used & used_2 and not (different and source == source_2):
                    best = cost + cost_2
        return best


def flows(graph: Graph, forest: Forest, starts: Starts, places: Snaps, people: np.ndarray) -> np.ndarray:
    """People on each street, (edges,), when everybody walks the way found, one after the other.

    A person counts on every street walked; who leaves by the very corner they stand at is on the street from there.
    """
    carried = np.zeros(len(graph.u), dtype=np.int64)
    for place in np.flatnonzero(starts.cost_ms >= 0):
        state, own = starts.state[place], places.edge[place]
        if state < 0 or forest.via[state] != own:
            carried[own] += people[place]
        while state >= 0:
            if forest.via[state] >= 0:
                carried[forest.via[state]] += people[place]
            state = forest.parent[state]
    return carried


def every_piece(trip: Trip) -> Sequence[tuple[int, float]]:
    net = trip.city.net
    return sorted({p for e in range(len(net.u)) for p in trip.pieces(e, 0.0, float(net.length_m[e]))})
