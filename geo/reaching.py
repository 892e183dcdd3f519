"""From the street graph to who reaches which site, and from an assignment back to the streets.

``pairs`` searches from every site towards the places, as far as its limit goes. ``ways`` follows such searches back
from the places, everybody to their own site and not the nearest, and ``flows`` counts people on the streets of those
ways. Milliseconds, rounding and what decides between equally good ways are those of ``routing.nearest`` and
``routing.join``: the quickest pair of a place is its way to the nearest site. Places and doors count as they are given:
those whose street is closed are to be handed over without it (``Snaps.only``), as ``evacuation`` does.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import buckets, paths
from geo.buckets import NEVER, NO_TARGETS, NOTHING, UNREACHED
from geo.gates import Between, Homes, Scratch, in_threads, off_s, straight
from geo.pairs import Pairs
from geo.paths import Path, Steps
from geo.routing import Graph
from geo.search import THREADS
from geo.snapping import Snaps
from geo.trails import Some, Ways, in_order, walk_each

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Keys = NDArray[np.uint64]
Rows = NDArray[np.uint32]
Chunk = tuple[Int32s, Ints, Ints]
"""Some pairs in any order: places, sites, milliseconds."""

_U = np.uint64


def pairs(
    graph: Graph,
    places: Snaps,
    doors: Snaps,
    *,
    limit_s: float | Floats,
    speed_ms: float,
    sites: int | None = None,
    homes: Homes | None = None,
) -> Pairs:
    """Every site that a place reaches within ``limit_s`` seconds (that very limit included), with its milliseconds.

    ``graph`` is the one in the direction of travel, from ``places`` (one row each; not snapped: in no pair) towards
    ``doors`` (``place``: the row of the site; several a site). ``limit_s`` is one number or one for each site.
    ``speed_ms`` is that of the metres between door and street at both ends. ``sites`` is how many there are, where
    the last ones may have no door; ``homes`` are the places made ready before (``gates.homes``). InputError where these
    do not fit.
    """
    every = Between.of(graph, places, doors, limit_s=limit_s, speed_ms=speed_ms, sites=sites, known=homes)
    return _paired(every, np.arange(every.gates.sites))


def site_pairs(
    graph: Graph,
    places: Snaps,
    doors: Snaps,
    which: Ints,
    *,
    limit_s: float | Floats,
    speed_ms: float,
    sites: int | None = None,
    homes: Homes | None = None,
) -> Pairs:
    """The same for the sites ``which`` alone; the others keep their rows and are in no pair."""
    some = Between.of(graph, places, doors, limit_s=limit_s, speed_ms=speed_ms, sites=sites, known=homes)
    return _paired(some, np.unique(which))


def replaced(known: Pairs, which: Ints, now: Pairs) -> Pairs:
    """``known`` with the pairs of the sites ``which`` taken out and those of ``now`` put in; for what-if questions."""
    sites = max(known.sites, now.sites)
    gone = np.zeros(sites, dtype=bool)
    gone[which] = True
    stays = ~gone[known.site]
    rows = ((known, stays), (now, slice(None)))
    return _sorted([(p.place[k].astype(np.int32), p.site[k], p.cost_ms[k]) for p, k in rows], known.places, sites)


def _paired(of: Between, sites: Ints) -> Pairs:
    found: list[Chunk] = []
    # What the threads share is made before they start.
    _ = of.homes.by_state, of.homes.by_edge, of.graph.reverse, of.place_ms

    def work(part: int) -> None:
        at = Scratch.of(of.graph, places=len(of.homes))
        for site in sites[part::THREADS].tolist():
            place, cost = _reached_from(of, site, at)
            found.append((place, np.full(len(place), site), cost))

    in_threads(work)
    return _sorted(found, len(of.homes), of.gates.sites)


def _reached_from(of: Between, site: int, at: Scratch) -> tuple[Int32s, Ints]:
    """The places that reach one site, and their milliseconds."""
    count = of.search(site, at, NO_TARGETS)
    met = _meet(at.keys, at.touched, count, *of.homes.by_state, at.best, at.met)
    graph, doors, places = of.graph, of.gates.doors, of.homes.places
    ends = (doors.edge, doors.along_m, of.gates.extra_ms, *of.homes.by_edge, places.along_m)
    streets = (graph.forward_ms, graph.backward_ms, graph.length_m)
    met = _meet_on_own(of.gates.of_site(site), *ends, *streets, at.best, at.met, met)
    return _take(at.best, at.met, met, of.place_s, of.place_ms, float(of.limit_s[site]))


@njit(cache=True, nogil=True)
def _better(best: Ints, met: Int32s, n: int, place: int, ms: int) -> int:  # pragma: no cover
    """Note a way of a place if it is the best so far; how many places are noted, returned."""
    if ms < best[place]:
        if best[place] == NEVER:
            met[n] = place
            n += 1
        best[place] = ms
    return n


@njit(cache=True, nogil=True)
def _meet(
    keys: Keys, touched: Rows, count: int, first: Ints, place: Int32s, part_ms: Ints, best: Ints, met: Int32s
) -> int:  # pragma: no cover
    """Let every state reached tell the places whose ways out lead to it; the states are left unreached."""
    n = 0
    for i in range(count):
        state = touched[i]
        ms = np.int64(keys[state])
        for j in range(first[state], first[state + 1]):
            n = _better(best, met, n, place[j], ms + part_ms[j])
        keys[state] = UNREACHED
    return n


@njit(cache=True, nogil=True)
def _meet_on_own(
    rows: Ints,
    door_edge: Ints,
    door_m: Floats,
    extra_ms: Ints,
    first: Ints,
    place: Int32s,
    place_m: Floats,
    forward_ms: Ints,
    backward_ms: Ints,
    length_m: Floats,
    best: Ints,
    met: Int32s,
    n: int,
) -> int:  # pragma: no cover
    """The places on the streets of the doors themselves, who walk straight along them."""
    for d in rows:
        e = door_edge[d]
        for j in range(first[e], first[e + 1]):
            ms = straight(forward_ms[e], backward_ms[e], length_m[e], door_m[d] - place_m[place[j]])
            if ms < NEVER:
                n = _better(best, met, n, place[j], ms + extra_ms[d])
    return n


@njit(cache=True, nogil=True)
def _take(
    best: Ints, met: Int32s, n: int, place_s: Floats, place_ms: Ints, limit_s: float
) -> tuple[Int32s, Ints]:  # pragma: no cover
    """The places noted whose walk is within the limit, and milliseconds from door to door; the notes are wiped."""
    place, cost, kept = np.empty(n, np.int32), np.empty(n, np.int64), 0
    for i in range(n):
        row = met[i]
        if best[row] / 1000.0 + place_s[row] <= limit_s:
            place[kept], cost[kept] = row, best[row] + place_ms[row]
            kept += 1
        best[row] = NEVER
    return place[:kept].copy(), cost[:kept].copy()


def _sorted(chunks: list[Chunk], places: int, sites: int) -> Pairs:
    """Pairs that occur once, dealt out to their places and sorted there; the chunks are used up."""
    bits, count = max(sites - 1, 0).bit_length(), np.zeros(places, dtype=np.int64)
    for place, _, _ in chunks:
        _count(place, count)
    first = np.r_[0, np.cumsum(count)].astype(np.int64)
    keys, at = np.empty(first[-1], dtype=np.uint64), first[:-1].copy()
    while chunks:
        _deal(*chunks.pop(), bits, at, keys)
    _sort_each(first, keys)
    cost, site = buckets.costs_and_sources(keys, bits)
    return Pairs(np.repeat(np.arange(places), count), site, cost, places, sites)


@njit(cache=True, nogil=True)
def _count(place: Int32s, count: Ints) -> None:  # pragma: no cover
    for row in place:
        count[row] += 1


@njit(cache=True, nogil=True)
def _deal(place: Int32s, site: Ints, cost_ms: Ints, bits: int, at: Ints, keys: Keys) -> None:  # pragma: no cover
    """Each pair as one number to its place's rows; ``at`` is where the next one goes."""
    for i in range(len(place)):
        keys[at[place[i]]] = (_U(cost_ms[i]) << _U(bits)) | _U(site[i])
        at[place[i]] += 1


@njit(cache=True, nogil=True)
def _sort_each(first: Ints, keys: Keys) -> None:  # pragma: no cover
    for i in range(len(first) - 1):
        keys[first[i] : first[i + 1]].sort()


# -- ways ------------------------------------------------------------------------------------------------------------


def ways(
    graph: Graph,
    places: Snaps,
    doors: Snaps,
    place: Ints,
    site: Ints,
    *,
    speed_ms: float,
    limit_s: float | Floats = np.inf,
    sites: int | None = None,
    homes: Homes | None = None,
) -> Ways:
    """The quickest way of each row from its ``place`` to its own ``site``, (rows,) each; the rest as for ``pairs``.

    Of ways equally quick it is the one that ``paths.trace`` follows. Where all steps together are too many, ask for
    some rows at a time.
    """
    known = Between.of(graph, places, doors, limit_s=limit_s, speed_ms=speed_ms, sites=sites, known=homes)
    found: list[Some] = []
    walk_each(known, place, site, found.append)
    return in_order(found, len(place))


@dataclass(frozen=True)
class Flows:
    """How many people walk on each street, ``along`` its drawing and ``against`` it, (edges,) each.

    Nobody counts twice on one street in one direction. ``way_ms`` (rows,) is what each row walks from door to door, -1
    where there is no way: nobody of it is on any street. ``street_m`` (rows,) are the metres along streets, NaN there.
    """

    along: Ints
    against: Ints
    way_ms: Ints
    street_m: Floats
    people: Ints

    def __repr__(self) -> str:
        used = int(((self.along + self.against) > 0).sum())
        return f"Flows({self.people.sum():,} people on {used:,} streets, {self.left:,} without a way)"

    @property
    def left(self) -> int:
        """People without a way."""
        return int(self.people[self.way_ms < 0].sum())


def flows(
    graph: Graph,
    places: Snaps,
    doors: Snaps,
    place: Ints,
    site: Ints,
    people: Ints,
    *,
    speed_ms: float,
    limit_s: float | Floats = np.inf,
    sites: int | None = None,
    homes: Homes | None = None,
) -> Flows:
    """Everybody on the streets: ``people`` (rows,) walk from their ``place`` to their own ``site`` as in ``ways``."""
    known = Between.of(graph, places, doors, limit_s=limit_s, speed_ms=speed_ms, sites=sites, known=homes)
    carried, seen = np.zeros(2 * len(graph.u), dtype=np.int64), np.full(2 * len(graph.u), NOTHING, dtype=np.int64)
    way_ms, street_m, lock = np.full(len(place), NOTHING), np.full(len(place), np.nan), Lock()

    def count(some: Some) -> None:
        walked, rows = some.ways, some.rows
        with lock:
            _tread(rows, walked.first, walked.edge, walked.along, people, seen, carried)
        metres = np.bincount(walked.row, walked.share * graph.length_m[walked.edge], minlength=len(rows))
        way_ms[rows], street_m[rows] = walked.way_ms, np.where(walked.way_ms < 0, np.nan, metres)

    walk_each(known, place, site, count)
    return Flows(carried[0::2], carried[1::2], way_ms, street_m, people)


@njit(cache=True, nogil=True)
def _tread(
    rows: Ints, first: Ints, edge: Int32s, along: Mask, people: Ints, seen: Ints, carried: Ints
) -> None:  # pragma: no cover
    """Count the people of each row on their streets, once on each in one direction; both last in place."""
    for i in range(len(rows)):
        for step in range(first[i], first[i + 1]):
            there = 2 * edge[step] + (0 if along[step] else 1)
            if seen[there] != rows[i]:
                seen[there] = rows[i]
                carried[there] += people[rows[i]]


def way(graph: Graph, places: Snaps, doors: Snaps, place: int, site: int, *, speed_ms: float) -> Path | None:
    """The way of one place to one site as a ``Path``, with the walk from the street to the door; None without one."""
    home, at = places.where(np.arange(len(places)) == place), np.flatnonzero(doors.place == site)
    mine = doors.where(doors.place == site)
    goal = Snaps(np.zeros(len(mine), dtype=np.int64), mine.edge, mine.along_m, mine.off_m)
    none = np.zeros(1, dtype=np.int64)
    found = ways(graph, home, goal, none, none, speed_ms=speed_ms, sites=1)
    if found.way_ms[0] < 0:
        return None
    door, (from_m, to_m) = int(found.door[0]), _stretches(graph, found, home, goal)
    extra_ms = int(paths.extra_ms(mine, off_s(mine, speed_ms))[door])
    steps = Steps(found.edge.astype(np.int64), from_m, to_m, found.cost_ms.astype(np.int64))
    return paths.path([steps], site, int(at[door]), extra_ms)


def _stretches(graph: Graph, found: Ways, home: Snaps, goal: Snaps) -> tuple[Floats, Floats]:
    """From where to where along its drawing each step of one row goes, metres."""
    length, door = graph.length_m[found.edge], int(found.door[0])
    from_m, to_m = np.where(found.along, 0.0, length), np.where(found.along, length, 0.0)
    if not np.isnan(found.out_share[0]):
        from_m[0] = home.along_m[0]
    if len(length) and (found.stays[0] or not np.isnan(found.in_share[0])):
        to_m[-1] = goal.along_m[door]
    return from_m, to_m
