"""Both ends of ways through the streets: places in mid-street, and the doors of sites; and one search for each site.

``geo.reaching`` asks who reaches which site and by which streets; here is what its searches start from and come upon.
They go from a site towards the places, on the reversed graph, and cost what they reach, however large the city is.
"""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numba import njit
from numpy.typing import NDArray

from geo import buckets, paths, routing
from geo.buckets import NEVER, UNREACHED, spread
from geo.errors import Fault, InputError, refuse
from geo.routing import Graph, Roots
from geo.search import THREADS
from geo.snapping import Snaps

Ints = NDArray[np.int64]
Int32s = NDArray[np.int32]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Keys = NDArray[np.uint64]
Rows = NDArray[np.uint32]

UNKNOWN = -1
"""The next arc of a state for which nobody has looked yet."""


@dataclass(frozen=True)
class Homes:
    """Places as searches come upon them: by the states their ways out lead to, and by their streets.

    Made once (``homes``), it serves every search on the same graph. ``places`` are numbered by their rows. ``root`` are
    the ways out sorted by place, then state, then edge; their ``source`` is the row of the place.
    """

    graph: Graph
    places: Snaps
    root: Roots

    def __len__(self) -> int:
        return len(self.places)

    def __repr__(self) -> str:
        return f"Homes({len(self)} places, {len(self.root.state)} ways out)"

    @cached_property
    def by_place(self) -> Ints:
        """Where the ways out of each place begin, (places + 1,)."""
        return _starts(self.root.source, len(self))

    @cached_property
    def by_state(self) -> tuple[Ints, Int32s, Ints]:
        """Where the ways out to each state begin, (states + 1,), and in that order their places and milliseconds."""
        order = np.argsort(self.root.state, kind="stable")
        first = _starts(self.root.state, len(self.graph))
        return first, self.root.source[order].astype(np.int32), self.root.cost_ms[order]

    @cached_property
    def by_edge(self) -> tuple[Ints, Int32s]:
        """Where the places of each edge begin, (edges + 1,), and the places in that order."""
        row = np.flatnonzero(self.places.found)
        edge = self.places.edge[row]
        return _starts(edge, len(self.graph.u)), row[np.argsort(edge, kind="stable")].astype(np.int32)

    @cached_property
    def share(self) -> Floats:
        """How far along its street each place lies, (places,), from 0 to 1."""
        return _share(self.graph, self.places)

    @cached_property
    def along(self) -> Mask:
        """Whether each way out runs along the drawing of its street, (ways out,)."""
        return _along(self.graph, self.places, self.root, self.root.cost_ms, out=True)


def homes(graph: Graph, places: Snaps) -> Homes:
    """Places (one row each) made ready for searches on ``graph``, the one in the direction of travel."""
    numbered = _numbered(places)
    found = routing.roots(graph, numbered)
    # By place, then state, then edge, of which a place has one at most beside -1: as one number it sorts much faster.
    key = (found.source * len(graph) + found.state) * 2 + (found.edge >= 0)
    return Homes(graph, numbered, _ordered(found, np.argsort(key, kind="stable")))


@dataclass(frozen=True)
class Gates:
    """The doors of sites, and the states they are entered from.

    Rows of ``doors`` sorted by site, then edge, are ``rows``; those of site ``s`` are ``rows[first[s]:first[s + 1]]``.
    Its states are ``root_first[s]:root_first[s + 1]`` of ``root``, sorted by edge, then door; their ``source`` is the
    row of the door, ``part_ms`` their cost without ``extra_ms`` (doors,), the walk from the street to the door, and
    ``along`` whether the door is approached along the drawing of its street. ``share`` (doors,) is how far along its
    street each door lies, from 0 to 1.
    """

    doors: Snaps
    sites: int
    extra_ms: Ints
    rows: Ints
    first: Ints
    root: Roots
    root_first: Ints
    part_ms: Ints
    along: Mask
    share: Floats

    def __repr__(self) -> str:
        return f"Gates({len(self.rows)} doors of {self.sites} sites)"

    def of_site(self, site: int) -> Ints:
        """The rows of a site's doors, by edge."""
        return self.rows[self.first[site] : self.first[site + 1]]

    def roots_of(self, site: int) -> slice:
        """Which of the roots are a site's."""
        return slice(int(self.root_first[site]), int(self.root_first[site + 1]))


def gates(graph: Graph, doors: Snaps, *, sites: int, speed_ms: float) -> Gates:
    """The doors (``place``: row of the site) of ``sites`` sites; ``speed_ms`` is that between street and door.

    InputError where a door belongs to none of the sites.
    """
    strange = np.flatnonzero((doors.place < 0) | (doors.place >= sites))[:1]
    refuse(
        InputError, [Fault(f"doors of {sites} sites", f"one of site {doors.place[row]}", "doors") for row in strange]
    )
    numbered, extra_s = _numbered(doors), off_s(doors, speed_ms)
    root, extra_ms = routing.roots(graph.reverse, numbered, extra_s=extra_s), paths.extra_ms(doors, extra_s)
    root = _ordered(root, np.lexsort((root.source, root.edge, doors.place[root.source])))
    part_ms = root.cost_ms - extra_ms[root.source]
    on = np.flatnonzero(doors.found)
    rows = on[np.lexsort((on, doors.edge[on], doors.place[on]))]
    firsts = (_starts(doors.place[row], sites) for row in (rows, root.source))
    along = _along(graph, numbered, root, part_ms, out=False)
    return Gates(
        numbered, sites, extra_ms, rows, next(firsts), root, next(firsts), part_ms, along, _share(graph, numbered)
    )


def off_s(snaps: Snaps, speed_ms: float) -> Floats:
    """Seconds between door and street, (rows,); 0 where there is no street."""
    return np.asarray(np.nan_to_num(snaps.off_m) / speed_ms)


def _share(graph: Graph, snaps: Snaps) -> Floats:
    """How far along its street each row lies, (rows,), from 0 to 1; 0 where there is no street."""
    share, on = np.zeros(len(snaps)), np.flatnonzero(snaps.found)
    length = graph.length_m[snaps.edge[on]]
    share[on] = np.divide(snaps.along_m[on], length, out=np.zeros(len(on)), where=length > 0)
    return share


def _numbered(snaps: Snaps) -> Snaps:
    return Snaps(np.arange(len(snaps)), snaps.edge, snaps.along_m, snaps.off_m)


def _starts(number: Ints, n: int) -> Ints:
    """Where the rows of each number from 0 to n - 1 begin when sorted by it, (n + 1,)."""
    first = np.zeros(n + 1, dtype=np.int64)
    np.cumsum(np.bincount(number, minlength=n), out=first[1:])
    return first


def _ordered(root: Roots, order: Ints) -> Roots:
    return Roots(root.state[order], root.cost_ms[order], root.source[order], root.edge[order])


def _along(graph: Graph, snaps: Snaps, root: Roots, part_ms: Ints, *, out: bool) -> Mask:
    """Whether one goes along the street's drawing between mid-street and a root's state, ``out`` to it or in from it.

    ``part_ms`` (roots,) is what that part costs.
    """
    edge, share = snaps.edge[root.source], _share(graph, snaps)[root.source]
    by_end = graph.node_of[root.state] == (graph.v if out else graph.u)[edge]
    # A loop has one node at both ends: the direction is that which costs as much, of two the shorter.
    ahead, behind = (1 - share, share) if out else (share, 1 - share)
    fits, fits_back = (
        (whole[edge] < NEVER) & (np.rint(np.where(whole[edge] < NEVER, whole[edge], 0) * part) == part_ms)
        for whole, part in ((graph.forward_ms, ahead), (graph.backward_ms, behind))
    )
    return np.asarray(np.where(graph.u[edge] == graph.v[edge], fits & (~fits_back | (ahead <= behind)), by_end))


# -- one search a site -----------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Scratch:
    """What one thread needs for its searches, put back after each as it was.

    ``keys`` and ``touched`` as ``buckets.spread`` wants them; ``arc`` (states,) the arc by which one goes on; ``best``
    (places,) the milliseconds of each place, and ``met`` room for the places that have some.
    """

    keys: Keys
    touched: Rows
    arc: Ints
    best: Ints
    met: Int32s

    @classmethod
    def of(cls, graph: Graph, *, places: int = 0, follow: bool = False) -> Scratch:
        """For a graph and so many places; ``follow``: with arcs to go on by."""
        keys, touched = np.full(len(graph), UNREACHED), np.empty(len(graph) + 1, dtype=np.uint32)
        arc = np.full(len(graph) if follow else 0, UNKNOWN, dtype=np.int64)
        return cls(keys, touched, arc, np.full(places, NEVER), np.empty(places, dtype=np.int32))


@dataclass(frozen=True)
class Between:
    """Places and sites on one graph, and how far each site serves: ``limit_s`` (sites,).

    ``place_s`` (places,) is the walk from each place to its street.
    """

    homes: Homes
    gates: Gates
    limit_s: Floats
    place_s: Floats

    @classmethod
    def of(
        cls, graph: Graph, places: Snaps, doors: Snaps, *,
        limit_s: float | Floats, speed_ms: float, sites: int | None, known: Homes | None,
    ) -> Between:  # fmt: skip
        """``known`` are the places made ready before; InputError where things do not fit each other."""
        count = int(doors.place.max(initial=-1)) + 1 if sites is None else sites
        limits, faults = np.asarray(limit_s, dtype=np.float64), []
        if limits.shape not in ((), (count,)):
            faults.append(Fault(f"one limit, or one for each of {count} sites", f"{limits.size}", "limit_s"))
        if not speed_ms > 0:
            faults.append(Fault("a speed above 0 m/s", f"{speed_ms}", "speed_ms"))
        if known is not None and (known.graph is not graph or len(known) != len(places)):
            faults.append(Fault("places made ready on the same graph", repr(known), "homes"))
        refuse(InputError, faults)
        ready, ways_in = (
            homes(graph, places) if known is None else known,
            gates(graph, doors, sites=count, speed_ms=speed_ms),
        )
        return cls(ready, ways_in, np.broadcast_to(limits, (count,)), off_s(places, speed_ms))

    def __repr__(self) -> str:
        return f"Between({self.homes!r}, {self.gates!r})"

    @property
    def graph(self) -> Graph:
        """The streets in the direction of travel."""
        return self.homes.graph

    @cached_property
    def place_ms(self) -> Ints:
        """The walk from each place to its street, (places,)."""
        return np.rint(self.place_s * 1000).astype(np.int64)

    def search(self, site: int, at: Scratch, targets: Ints) -> int:
        """What is reached from a site, into ``at``; stops once ``targets`` are final. How many states, returned."""
        mine, limit_s = self.gates.roots_of(site), float(self.limit_s[site])
        if not limit_s >= 0:
            return 0
        # One millisecond more than the limit: the last word is spoken with the walk to the street, unrounded.
        top = buckets.ceiling(int(NEVER) - 1 if np.isinf(limit_s) else int(limit_s * 1000) + 1, 0)
        back, root = self.graph.reverse, self.gates.root
        arcs = buckets.unsigned(back.first, back.head, back.cost_ms)
        root_key = root.cost_ms[mine].astype(np.uint64)
        return int(spread(at.keys, *arcs, root.state[mine], root_key, 0, top, targets, at.touched))


def in_threads(work: Callable[[int], None]) -> None:
    """Work on every part, 0 to ``search.THREADS`` - 1, at the same time; a fault in one is raised here."""
    with ThreadPoolExecutor(THREADS) as pool:
        list(pool.map(work, range(THREADS)))


@njit(cache=True, nogil=True)
def straight(forward_ms: int, backward_ms: int, length_m: float, gap_m: float) -> int:  # pragma: no cover
    """What ``gap_m`` along a street cost, rounded as in ``routing``; ``NEVER`` where closed and there is a gap."""
    whole = forward_ms if gap_m >= 0 else backward_ms
    share = abs(gap_m) / length_m if length_m > 0 else 0.0
    if share == 0:
        return 0
    return int(NEVER) if whole >= NEVER else int(np.rint(whole * share))
