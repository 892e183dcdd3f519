"""People to shelters with room, beside what is usual (nearest first) and what is as good (linear programmes, flows).

A town is drawn: places about twelve centres and everywhere, 1 to 35 people each, a dozen sites in reach of a place (or
all: ``dense``), rooms very unequal, for 60, 95 or 130 % of all people. Who asks for the best gives every way the same
penalty for the unserved; ``spopt`` sends whole places to p sites to choose (as many as there are) and has no unserved:
it is asked only where everybody can be served, and may have no answer even there.
"""

from __future__ import annotations

import heapq
from functools import cache

import numpy as np

from geo import assignment
from geo.assignment import Assigned
from geo.pairs import Pairs
from tests.benchmarks.bench import NotHere, Prepared, case
from tests.benchmarks.case_routing import borrowed

SIZES = (
    "dense 200 x 20 for 130 %",
    *("dense 1227 x 141 for 60 %", "dense 1227 x 141 for 95 %", "dense 1227 x 141 for 130 %"),
    *("3000 x 30 for 95 %", "30000 x 300 for 95 %"),
    *("400000 x 300 for 60 %", "400000 x 300 for 95 %", "400000 x 300 for 130 %"),
)
REACH, M_S = 13, 1.2 / 1.3
PATIENT_WITH, LONGEST_S = 200_000, 120
"""Pairs beyond which rivals that take minutes are left out; how long a solver of whole numbers may look."""

Town = tuple[Pairs, np.ndarray, np.ndarray]


@cache
def town(size: int | str) -> Town:
    from scipy.spatial import cKDTree

    words = str(size).removeprefix("dense ").split()
    places, sites, share = int(words[0]), int(words[2]), int(words[4]) / 100
    rng, side = np.random.default_rng(1), 20_000 * np.sqrt(int(words[2]) / 300)
    centre = rng.uniform(0, side, (12, 2))
    at, to = (points(rng, n, centre, side, part) for n, part in ((places, 0.6), (sites, 0.3)))
    reach = 2 * side if str(size).startswith("dense") else side * np.sqrt(REACH / np.pi / sites)
    near = cKDTree(at).query_ball_point(to, reach)
    place = np.concatenate([np.array(rows, dtype=np.int64) for rows in near])
    site = np.repeat(np.arange(sites), [len(rows) for rows in near])
    cost_ms = (np.hypot(*(at[place] - to[site]).T) / M_S * 1000).astype(np.int64)
    people, weight = rng.integers(1, 36, places), rng.lognormal(0, 0.9, sites)
    room = (weight / weight.sum() * people.sum() * share).astype(np.int64)
    return Pairs.of(place, site, cost_ms, places=places, sites=sites), people, room


def points(rng: np.random.Generator, n: int, centre: np.ndarray, side: float, part: float) -> np.ndarray:
    """About the centres, and the rest anywhere."""
    about = centre[rng.integers(0, len(centre), n)] + rng.normal(0, side / 9, (n, 2))
    return np.where((rng.random(n) < part)[:, None], about, rng.uniform(0, side, (n, 2)))


def patient(size: int | str) -> Town:
    drawn = town(size)
    if len(drawn[0]) > PATIENT_WITH:
        raise NotHere(f"left out beyond {PATIENT_WITH:,} pairs for its time")
    return drawn


def penalty(pairs: Pairs) -> int:
    """K, as the head of ``geo.assignment`` asks for it; no power of two here, so that solvers have small numbers."""
    return (pairs.sites + 1) * (int(pairs.cost_ms.max()) + 1)


# -- the best assignment -----------------------------------------------------------------------------------------


@case("people to sites with room", unit="pairs", sizes=SIZES)
def best(size: int | str) -> Prepared:
    pairs, people, room = town(size)
    return len(pairs), lambda: proved(assignment.assign(pairs, people, room))


def proved(found: Assigned) -> Assigned:
    assert found.gap_ms == 0
    return found


@best.rival("nearest first (ours)")
def best_nearest(size: int | str) -> Prepared:
    pairs, people, room = town(size)
    return len(pairs), lambda: assignment.nearest_first(pairs, people, room)


@best.rival("nearest first, plain Python heap")
def best_heap(size: int | str) -> Prepared:
    pairs, people, room = town(size)
    rows = list(zip(pairs.cost_ms.tolist(), pairs.place.tolist(), pairs.site.tolist(), strict=True))

    def work() -> int:
        left, spare, waiting, served = people.tolist(), room.tolist(), rows.copy(), 0
        heapq.heapify(waiting)
        while waiting:
            _, d, s = heapq.heappop(waiting)
            n = min(left[d], spare[s])
            left[d], spare[s], served = left[d] - n, spare[s] - n, served + n
        return served

    return len(pairs), work


@best.rival("nearest first, networkx sorts the pairs")
def best_networkx(size: int | str) -> Prepared:
    import networkx as nx

    pairs, people, room = patient(size)
    graph = nx.Graph()
    names = (pairs.place.tolist(), (pairs.site + pairs.places).tolist(), pairs.cost_ms.tolist())
    graph.add_weighted_edges_from(zip(*names, strict=True))

    def work() -> int:
        left = np.r_[people, room].tolist()
        for d, s, _ in sorted(graph.edges(data="weight"), key=lambda edge: edge[2]):
            n = min(left[d], left[s])
            left[d], left[s] = left[d] - n, left[s] - n
        return sum(left[: pairs.places])

    return len(pairs), work


@best.rival("ortools, SimpleMinCostFlow")
def best_ortools(size: int | str) -> Prepared:
    borrowed("ortools", alone=False)
    from ortools.graph.python import min_cost_flow

    pairs, people, room = town(size)
    n, s, every = pairs.places, pairs.sites, int(people.sum())
    tail = np.r_[pairs.place, np.arange(n), n + np.arange(s)]
    head = np.r_[n + pairs.site, np.full(n + s, n + s)]
    most = np.r_[people[pairs.place], people, np.minimum(room, every)]
    cost = np.r_[pairs.cost_ms, np.full(n, penalty(pairs)), np.zeros(s, dtype=np.int64)]

    def work() -> int:
        flow = min_cost_flow.SimpleMinCostFlow()
        flow.add_arcs_with_capacity_and_unit_cost(tail, head, most, cost)
        flow.set_nodes_supplies(np.arange(n + s + 1), np.r_[people, np.zeros(s, dtype=np.int64), -every])
        assert flow.solve() == flow.OPTIMAL
        return flow.optimal_cost()

    return len(pairs), work


@best.rival("scipy, HiGHS on sparse rows")
def best_scipy(size: int | str) -> Prepared:
    from scipy.optimize import linprog
    from scipy.sparse import csr_array, eye_array, hstack

    pairs, people, room = patient(size)
    row, one = np.arange(len(pairs)), np.ones(len(pairs))
    of_place = csr_array((one, (pairs.place, row)), shape=(pairs.places, len(pairs)))
    of_site = csr_array((one, (pairs.site, row)), shape=(pairs.sites, len(pairs)))
    equal, within = (
        hstack([of_place, eye_array(pairs.places)]),
        hstack([of_site, csr_array((pairs.sites, pairs.places))]),
    )
    # Seconds: in milliseconds the penalties are beyond what its tolerances are made for.
    cost = np.r_[pairs.cost_ms, np.full(pairs.places, penalty(pairs))] / 1000

    def work() -> None:
        assert linprog(cost, A_ub=within, b_ub=room, A_eq=equal, b_eq=people, method="highs").status == 0

    return len(pairs), work


@best.rival("pulp, CBC")
def best_pulp(size: int | str) -> Prepared:
    library = borrowed("pulp")
    pairs, people, room = patient(size)
    rows = list(zip(pairs.place.tolist(), pairs.site.tolist(), pairs.cost_ms.tolist(), strict=True))
    dear = penalty(pairs) / 1000

    def work() -> None:
        model = library.LpProblem("shelters", library.LpMinimize)
        went = [library.LpVariable(f"x{k}", 0) for k in range(len(rows))]
        stay = [library.LpVariable(f"u{d}", 0) for d in range(pairs.places)]
        of_place, of_site = [[u] for u in stay], [[] for _ in range(pairs.sites)]
        for x, (d, s, _) in zip(went, rows, strict=True):
            of_place[d].append(x), of_site[s].append(x)
        ways = library.LpAffineExpression([(x, c / 1000) for x, (_, _, c) in zip(went, rows, strict=True)])
        model += ways + library.LpAffineExpression([(u, dear) for u in stay])
        for those, n in [*zip(of_place, people.tolist(), strict=True)]:
            model += library.lpSum(those) == n
        for those, n in [*zip(of_site, room.tolist(), strict=True)]:
            model += library.lpSum(those) <= n
        if model.solve(library.PULP_CBC_CMD(msg=False, timeLimit=LONGEST_S)) != 1:
            raise NotHere(f"no answer within {LONGEST_S} s")

    return len(pairs), work


@best.rival("spopt, capacitated p-median (whole places)")
def best_spopt(size: int | str) -> Prepared:
    if not str(size).startswith("dense") or not str(size).endswith("130 %"):
        raise NotHere("asked only where all sites are in reach of all places and everybody can be served")
    borrowed("pulp"), borrowed("spopt", alone=False)
    from spopt.locate import PMedian

    pairs, people, room = town(size)
    cost = np.zeros((pairs.places, pairs.sites))
    cost[pairs.place, pairs.site] = pairs.cost_ms / 1000
    import pulp

    def work() -> None:
        model = PMedian.from_cost_matrix(cost, people, pairs.sites, facility_capacities=room)
        quiet = pulp.PULP_CBC_CMD(msg=False, timeLimit=LONGEST_S)
        try:
            model.solve(quiet, results=False)
        except RuntimeError as error:
            raise NotHere(f"no answer within {LONGEST_S} s: {error}") from error
        if model.problem.sol_status != pulp.LpSolutionOptimal:
            raise NotHere(f"not proved the best within {LONGEST_S} s")

    return len(pairs), work


# -- after a change ----------------------------------------------------------------------------------------------


@case("one shelter of 300 less", unit="pairs", sizes=tuple(f"30000 x 300 for {share} %" for share in (60, 95, 130)))
def less(size: int | str) -> Prepared:
    """The tenth by room: one of the large ones."""
    pairs, people, room = town(size)
    before = assignment.assign(pairs, people, room)
    shut = np.where(np.arange(pairs.sites) == np.argsort(room)[-10], 0, room)
    return len(pairs), lambda: proved(assignment.assign(pairs, people, shut, warm=before))


@less.rival("solved anew")
def less_anew(size: int | str) -> Prepared:
    pairs, people, room = town(size)
    shut = np.where(np.arange(pairs.sites) == np.argsort(room)[-10], 0, room)
    return len(pairs), lambda: proved(assignment.assign(pairs, people, shut))
