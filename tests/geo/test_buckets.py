"""The bucket queue: drawn, by law, and against scipy."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from geo import buckets
from geo.buckets import BATCH, BUCKETS, CLOSED, NEVER, NOTHING, UNREACHED, Ints

Forest = tuple[Ints, Ints, Ints, Ints]


@dataclass(frozen=True)
class Arcs:
    """Arcs in compressed rows, each its own edge unless said otherwise."""

    first: np.ndarray
    head: np.ndarray
    cost_ms: np.ndarray
    edge: np.ndarray

    @property
    def tail(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.first) - 1), np.diff(self.first))


@dataclass(frozen=True)
class Roots:
    state: np.ndarray
    cost_ms: np.ndarray
    source: np.ndarray
    edge: np.ndarray


def rows(n: int, *arcs: tuple[int, int, int], edge: list[int] | None = None) -> Arcs:
    tail, head, cost = np.array(arcs, dtype=np.int64).reshape(-1, 3).T
    order = np.argsort(tail, kind="stable")
    first = np.r_[0, np.cumsum(np.bincount(tail, minlength=n))].astype(np.int64)
    edges = np.arange(len(tail)) if edge is None else np.array(edge)
    return Arcs(first, head[order].astype(np.int32), cost[order].astype(np.int32), edges[order].astype(np.int32))


def roots(*starts: tuple[int, int, int] | tuple[int, int, int, int]) -> Roots:
    """State, cost, source, and an edge where there is one."""
    table = np.array([(*start, NOTHING)[:4] for start in starts], dtype=np.int64).reshape(-1, 4)
    return Roots(*(np.ascontiguousarray(column) for column in table.T))


def grow(arcs: Arcs, start: Roots, limit: int = int(NEVER) - 1) -> Forest:
    every = (arcs.first, arcs.head, arcs.cost_ms, arcs.edge)
    return buckets.grow(*every, start.state, start.cost_ms, start.source, start.edge, limit)


# 0 --10--> 1 --10--> 2 --10--> 3       4 stands alone
LINE = rows(5, (0, 1, 10), (1, 2, 10), (2, 3, 10))


def test_along_a_one_way_line() -> None:
    cost, source, via, parent = grow(LINE, roots((1, 5, 7)))
    assert cost.tolist() == [-1, 5, 15, 25, -1]
    assert source.tolist() == [-1, 7, 7, 7, -1]
    assert via.tolist() == [-1, -1, 1, 2, -1]
    assert parent.tolist() == [-1, -1, 1, 2, -1]


def test_the_limit_is_included() -> None:
    assert grow(LINE, roots((0, 0, 0)), 20)[0].tolist() == [0, 10, 20, -1, -1]
    assert grow(LINE, roots((0, 0, 0)), 19)[0].tolist() == [0, 10, -1, -1, -1]
    assert grow(LINE, roots((0, 1, 0)), 0)[0].tolist() == [-1] * 5


def test_of_equally_near_sources_the_smaller_number_wins_also_behind_it() -> None:
    both = rows(4, (0, 2, 10), (1, 2, 10), (2, 3, 1))
    for starts in (roots((0, 0, 5), (1, 0, 4)), roots((1, 0, 4), (0, 0, 5))):
        assert grow(both, starts)[1].tolist() == [5, 4, 4, 4]


def test_of_ways_equally_good_the_smaller_state_and_edge_lead() -> None:
    cost, _, via, parent = grow(rows(4, (0, 1, 5), (0, 2, 5), (2, 3, 5), (1, 3, 5), (1, 3, 5)), roots((0, 0, 0)))
    assert (cost[3], parent[3], via[3]) == (10, 1, 3)


def test_of_roots_equally_good_the_smaller_edge_counts_and_a_root_before_an_arc() -> None:
    for starts in (roots((0, 0, 0), (1, 10, 0, 9), (1, 10, 0, 8)), roots((1, 10, 0, 8), (1, 10, 0, 9), (0, 0, 0))):
        _, _, via, parent = grow(LINE, starts)
        assert (parent[1], via[1]) == (NOTHING, 8)


def test_a_closed_arc_is_not_there() -> None:
    assert grow(rows(3, (0, 1, int(CLOSED)), (1, 2, 1)), roots((0, 0, 0)))[0].tolist() == [0, -1, -1]


def test_nothing_to_start_from_and_nowhere_to_go() -> None:
    assert grow(LINE, roots())[0].tolist() == [-1] * 5
    assert grow(rows(2), roots((1, 3, 0)))[0].tolist() == [-1, 3]
    assert [len(column) for column in grow(rows(0), roots())] == [0, 0, 0, 0]


def test_arcs_and_roots_that_lie_more_than_a_ring_ahead() -> None:
    month = 2_000_000_000
    short = [(i, i + 1, 1) for i in range(2, 200)]
    arcs = rows(201, (0, 1, month), (1, 2, month), *short)
    cost = grow(arcs, roots((0, 0, 0), (190, 3 * BUCKETS, 1)))[0]
    assert cost[[1, 2, 189]].tolist() == [month, 2 * month, 2 * month + 187]
    assert cost[[190, 200]].tolist() == [3 * BUCKETS, 3 * BUCKETS + 10]


def test_a_root_dearer_than_any_cost_is_never_reached() -> None:
    assert grow(LINE, roots((0, 0, 500), (4, 2**62, 3)))[0].tolist() == [0, 10, 20, 30, -1]


def test_more_waits_in_a_bucket_than_is_taken_out_at_once() -> None:
    n = 5 * BATCH
    star = rows(n + 1, *((0, i, 8) for i in range(1, n + 1)), *((i, i + 1, 8) for i in range(1, n)))
    assert grow(star, roots((0, 0, 0)))[0].tolist() == [0, *[8] * n]
    everywhere = roots(*((i, i % 3, i) for i in range(1, n + 1)))
    assert grow(star, everywhere)[0].tolist() == [-1, *(i % 3 for i in range(1, n + 1))]


def test_keys_say_cost_and_source() -> None:
    cost, source = np.array([0, 7, -1, 2**40]), np.array([3, 0, -1, 1])
    keys = buckets.keys_of(cost, source, 2)
    assert (keys == UNREACHED).tolist() == [False, False, True, False]
    again = buckets.costs_and_sources(keys.reshape(2, 2), 2)
    assert again[0].tolist() == cost.reshape(2, 2).tolist()
    assert again[1].tolist() == source.reshape(2, 2).tolist()
    assert buckets.source_bits(np.array([0]), np.array([4]), np.zeros(0, dtype=np.int64)) == 3


def test_a_search_with_targets_stops_when_they_are_final() -> None:
    line = rows(2001, *((i, i + 1, 100) for i in range(2000)))
    keys, touched = np.full(2001, UNREACHED), np.empty(2002, dtype=np.uint32)
    arcs = buckets.unsigned(line.first, line.head, line.cost_ms)
    goal, start = np.array([50, 20]), (np.zeros(1, dtype=np.int64), np.zeros(1, dtype=np.uint64))
    count = int(buckets.spread(keys, *arcs, *start, 0, buckets.ceiling(NEVER - 1, 0), goal, touched))
    assert keys[goal].tolist() == [5000, 2000]
    assert 51 <= count < 100
    assert sorted(touched[:count]) == list(range(count))


# -- laws and oracle ---------------------------------------------------------------------------------------------


@st.composite
def searches(draw: st.DrawFn) -> tuple[Arcs, Roots]:
    """Any arcs, doubled and looped ones too, few different costs so that ties are many, and any roots."""
    n = draw(st.integers(1, 12))
    state = st.integers(0, n - 1)
    cost = st.sampled_from([1, 2, 3, 64, 65, 1000, 70_000, int(CLOSED)])
    arcs = draw(st.lists(st.tuples(state, state, cost), max_size=40))
    edge = draw(st.lists(st.integers(0, 9), min_size=len(arcs), max_size=len(arcs)))
    start = st.tuples(state, st.sampled_from([0, 1, 2, 64, 70_000]), st.integers(0, 5), st.integers(-1, 3))
    return rows(n, *arcs, edge=edge), roots(*draw(st.lists(start, max_size=6)))


def brute(arcs: Arcs, start: Roots) -> tuple[np.ndarray, np.ndarray]:
    """Cost and source by relaxing all arcs until nothing moves."""
    n = len(arcs.first) - 1
    best: list[tuple[float, int]] = [(np.inf, NOTHING)] * n
    for state, cost, source in zip(start.state, start.cost_ms, start.source, strict=True):
        best[state] = min(best[state], (int(cost), int(source)))
    for _ in range(n):
        for tail, head, cost in zip(arcs.tail, arcs.head, arcs.cost_ms, strict=True):
            if cost != CLOSED:
                best[head] = min(best[head], (best[tail][0] + int(cost), best[tail][1]))
    reached = [cost < np.inf for cost, _ in best]
    return (
        np.array([int(cost) if ok else NOTHING for (cost, _), ok in zip(best, reached, strict=True)]),
        np.array([source if ok else NOTHING for (_, source), ok in zip(best, reached, strict=True)]),
    )


@settings(max_examples=300, deadline=None)
@given(searches())
def test_cost_and_source_equal_brute_force(search: tuple[Arcs, Roots]) -> None:
    cost, source = brute(*search)
    found = grow(*search)
    assert np.array_equal(found[0], cost)
    assert np.array_equal(found[1], source)


@settings(max_examples=200, deadline=None)
@given(searches(), st.randoms(use_true_random=False))
def test_order_of_roots_changes_nothing(search: tuple[Arcs, Roots], chance: np.random.Generator) -> None:
    arcs, start = search
    order = list(range(len(start.state)))
    chance.shuffle(order)
    columns = (start.state, start.cost_ms, start.source, start.edge)
    shuffled = Roots(*(column[np.array(order, dtype=np.int64)] for column in columns))
    for one, other in zip(grow(arcs, start), grow(arcs, shuffled), strict=True):
        assert np.array_equal(one, other)


@settings(max_examples=200, deadline=None)
@given(searches(), st.integers(0, 3000))
def test_a_limit_keeps_just_what_lies_within(search: tuple[Arcs, Roots], limit: int) -> None:
    whole, part = grow(*search), grow(*search, limit)
    within = (whole[0] >= 0) & (whole[0] <= limit)
    for one, other in zip(whole, part, strict=True):
        assert np.array_equal(np.where(within, one, NOTHING), other)


@settings(max_examples=200, deadline=None)
@given(searches())
def test_every_way_leads_home_by_arcs_that_are_there(search: tuple[Arcs, Roots]) -> None:
    arcs, start = search
    cost, source, via, parent = grow(arcs, start)
    known = {(int(s), int(c), int(o), int(e)) for s, c, o, e in zip(*vars(start).values(), strict=True)}
    there = {
        (int(t), int(h), int(c), int(e))
        for t, h, c, e in zip(arcs.tail, arcs.head, arcs.cost_ms, arcs.edge, strict=True)
    }
    for state in np.flatnonzero(cost >= 0).tolist():
        if parent[state] < 0:
            assert (state, cost[state], source[state], via[state]) in known
        else:
            step = cost[state] - cost[parent[state]]
            assert (parent[state], state, step, via[state]) in there
            assert source[parent[state]] == source[state]
    assert (via[cost < 0] == NOTHING).all()
    assert (parent[cost < 0] == NOTHING).all()


@pytest.mark.parametrize("seed", range(3))
def test_a_large_random_graph_equals_scipy(seed: int) -> None:
    rng = np.random.default_rng(seed)
    n, m = 20_000, 60_000
    tail, head = rng.integers(0, n, (2, m))
    cost = np.exp(rng.uniform(np.log(1), np.log(10 ** (3 + 3 * seed)), m)).astype(np.int64)
    arcs = rows(n, *zip(tail.tolist(), head.tolist(), cost.tolist(), strict=True))
    start = rng.choice(n, 20, replace=False)
    cheapest = np.lexsort((cost, head, tail))
    kept = cheapest[np.r_[True, np.diff(tail[cheapest] * n + head[cheapest]) > 0]]
    matrix = coo_array((cost[kept].astype(float), (tail[kept], head[kept])), shape=(n, n)).tocsr()
    far = dijkstra(matrix, indices=start)
    found = grow(arcs, roots(*((int(s), 0, i) for i, s in enumerate(start))))
    nearest = far.min(axis=0)
    assert np.array_equal(found[0], np.where(np.isinf(nearest), NOTHING, nearest))
    assert np.array_equal(found[1], np.where(np.isinf(nearest), NOTHING, far.argmin(axis=0)))
