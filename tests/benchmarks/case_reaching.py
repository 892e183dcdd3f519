"""Who reaches which shelter, and everybody's way there: Kampen, and a made town of a million crossings.

The town has 300 shelters of four doors each and 400 000 places; within 15 minutes' walk most places there reach none,
so it is asked within 260 minutes as well, where they reach a dozen.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from functools import lru_cache

import numpy as np

from geo import reaching
from geo.routing import Graph
from geo.snapping import Snaps
from tests.benchmarks.bench import Prepared, case
from tests.benchmarks.case_routing import WALK_MS, networkx_graph, patient, scipy_graph, streets

SIZES = ("kampen", "town, 15 minutes", "town, 260 minutes")
PLACES, SITES, DOORS = 400_000, 300, 4


@dataclass(frozen=True)
class Scene:
    """Places, shelters and streets, and how far one walks."""

    graph: Graph
    homes: Snaps
    doors: Snaps
    sites: int
    limit_s: float

    def how(self) -> dict[str, float]:
        return {"limit_s": self.limit_s, "speed_ms": WALK_MS, "sites": self.sites}


@lru_cache(maxsize=1)
def scene(size: int | str) -> Scene:
    found = kampen() if size == "kampen" else town(float(str(size).split()[1]))
    assert len(found.graph.reverse) and found.homes.found.any()
    return found


def town(minutes: float) -> Scene:
    net, graph = streets("town")
    rng = np.random.default_rng(2)
    edge, corner = rng.integers(0, len(graph.u), PLACES), rng.integers(0, len(graph.u) - DOORS, SITES)
    homes = Snaps(np.arange(PLACES), edge, net.length_m[edge] * rng.random(PLACES), rng.uniform(0, 30, PLACES))
    at = (corner[:, None] + np.arange(DOORS)).ravel()
    doors = Snaps(np.repeat(np.arange(SITES), DOORS), at, np.zeros(len(at)), rng.uniform(0, 30, len(at)))
    return Scene(graph, homes, doors, SITES, minutes * 60)


def kampen() -> Scene:
    """Every building as a place, every shelter with the entrances it has."""
    import data.osm
    from data import standards
    from geo import network, snapping, usable
    from geo.city import PlanParams
    from tests.benchmarks.case_streets import extract

    found, params = data.osm.read(extract("kampen")), PlanParams.of(standards.load())
    walk = usable.streets(
        network.build(found.ways), params.walk, rules=params, island_m=params.walk.island_m
    )  # fmt: skip
    how = {"usable": walk.joined, "max_m": params.walk.snap_max_m}
    homes = snapping.snap(walk.network, found.buildings.geometry.representative_point().to_numpy(), **how)
    doors = snapping.entrances(walk.network, found.shelters.geometry.to_numpy(), spread_m=30, **how)
    return Scene(walk.graph, homes, doors, len(found.shelters), 900)


def corners(of: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """For those who know crossings only: each place at both ends of its street, and the seconds to there."""
    row = np.flatnonzero(of.homes.found)
    edge, along = of.homes.edge[row], of.homes.along_m[row]
    rest = of.graph.length_m[edge] - along
    off = of.homes.off_m[row]
    return np.r_[row, row], np.r_[of.graph.u[edge], of.graph.v[edge]], np.r_[along + off, rest + off] / WALK_MS


def gates(of: Scene) -> list[np.ndarray]:
    """The crossings at which the streets of each site's doors begin and end."""
    on = [of.doors.edge[(of.doors.place == s) & of.doors.found] for s in range(of.sites)]
    return [np.unique(np.r_[of.graph.u[edge], of.graph.v[edge]]) for edge in on]


# -- who reaches which -----------------------------------------------------------------------------------------------


@case("who reaches which shelter", unit="nodes", sizes=SIZES)
def pairs(size: int | str) -> Prepared:
    of = scene(size)
    return len(of.graph), lambda: len(reaching.pairs(of.graph, of.homes, of.doors, **of.how()))


@pairs.rival("scipy, one site after the other")
def pairs_scipy(size: int | str) -> Prepared:
    """Every place looks at both its corners after each search: arrays have no list of what was reached."""
    from scipy.sparse.csgraph import dijkstra

    of = scene(size)
    matrix, (row, node, part), goals = scipy_graph(of.graph.reverse), corners(of), gates(of)

    def work() -> np.ndarray:
        found = []
        for site, goal in enumerate(goals):
            reach = dijkstra(matrix, indices=goal, limit=of.limit_s, min_only=True)[node] + part
            best = np.full(len(of.homes), np.inf)
            np.minimum.at(best, row, reach)
            near = np.flatnonzero(best <= of.limit_s)
            found.append(np.column_stack([near, best[near], np.full(len(near), site)]))
        rows = np.concatenate(found)
        return rows[np.lexsort(rows.T[::-1])]

    return len(of.graph), work


@pairs.rival("networkx, one site after the other")
def pairs_networkx(size: int | str) -> Prepared:
    import networkx as nx

    of = scene(size)
    oracle, goals = networkx_graph(of.graph), gates(of)
    at_node: dict[int, list[tuple[int, float]]] = defaultdict(list)
    for row, node, part in zip(*(c.tolist() for c in corners(of)), strict=True):
        at_node[node].append((row, part))

    def work() -> list[tuple[int, float, int]]:
        found: list[tuple[int, float, int]] = []
        for site, goal in enumerate(goals):
            reach = nx.multi_source_dijkstra_path_length(oracle, set(goal.tolist()), cutoff=of.limit_s * 1000)
            best: dict[int, float] = {}
            for node, ms in reach.items():
                for row, part in at_node[node]:
                    if ms / 1000 + part <= min(of.limit_s, best.get(row, np.inf)):
                        best[row] = ms / 1000 + part
            found += [(row, seconds, site) for row, seconds in best.items()]
        return sorted(found)

    return len(of.graph), work


@case("one more shelter: who reaches it", unit="nodes", sizes=SIZES)
def one_more(size: int | str) -> Prepared:
    of = scene(size)
    from geo import gates as made

    ready = made.homes(of.graph, of.homes)
    assert len(ready.by_state) and len(ready.by_edge)
    one = np.array([of.sites // 2])
    return len(of.graph), lambda: reaching.site_pairs(of.graph, of.homes, of.doors, one, homes=ready, **of.how())


# -- everybody on the streets ----------------------------------------------------------------------------------------


def going(of: Scene) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Everybody to the second nearest shelter, where there is one."""
    known = reaching.pairs(of.graph, of.homes, of.doors, **of.how())
    count = np.diff(known.first)
    pick = known.first[:-1][count > 0] + (count[count > 0] > 1)
    return known.place[pick], known.site[pick], np.random.default_rng(3).integers(1, 9, len(pick))


@case("everybody's way to their own shelter, counted on the streets", unit="nodes", sizes=SIZES)
def flows(size: int | str) -> Prepared:
    of = scene(size)
    rows = going(of)
    return len(of.graph), lambda: reaching.flows(of.graph, of.homes, of.doors, *rows, **of.how())


@flows.rival("scipy's predecessors, followed in Python")
def flows_scipy(size: int | str) -> Prepared:
    """To the nearer corner of each place's street, on whole streets only, as one would at first."""
    from scipy.sparse.csgraph import dijkstra

    of = scene(size)
    patient(of.graph)
    place, site, people = going(of)
    matrix, goals, ends = scipy_graph(of.graph.reverse), gates(of), of.graph.u[of.homes.edge]

    def work() -> dict[tuple[int, int], int]:
        carried: dict[tuple[int, int], int] = defaultdict(int)
        for s in np.unique(site).tolist():
            _, before, _ = dijkstra(
                matrix, indices=goals[s], limit=of.limit_s, min_only=True, return_predecessors=True
            )  # fmt: skip
            for row in np.flatnonzero(site == s).tolist():
                node = int(ends[place[row]])
                while before[node] >= 0:
                    carried[node, int(before[node])] += int(people[row])
                    node = int(before[node])
        return carried

    return len(of.graph), work


@case("everybody's way to their own shelter, street by street", unit="nodes", sizes=SIZES)
def ways(size: int | str) -> Prepared:
    of = scene(size)
    place, site, _ = going(of)
    return len(of.graph), lambda: reaching.ways(of.graph, of.homes, of.doors, place, site, **of.how())
