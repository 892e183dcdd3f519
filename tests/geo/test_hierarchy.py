"""The contraction hierarchy: drawn, by law, and against scipy's Dijkstra."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.sparse import coo_array
from scipy.sparse.csgraph import dijkstra

from data import osm
from geo import dissection, hierarchy, network, routing
from geo.errors import InputError
from geo.hierarchy import Hierarchy, Order
from tests import shared_data
from tests.geo.drawn import positions


@dataclass(frozen=True)
class Arcs:
    """A network as the hierarchy takes it."""

    first: np.ndarray
    head: np.ndarray
    cost_ms: np.ndarray
    x: np.ndarray
    y: np.ndarray

    @property
    def tail(self) -> np.ndarray:
        return np.repeat(np.arange(len(self.x)), np.diff(self.first))

    def order(self) -> Order:
        return hierarchy.order(self.first, self.head, self.x, self.y)

    def customise(self, order: Order) -> Hierarchy:
        return hierarchy.customise(order, self.first, self.head, self.cost_ms)

    def cheapest(self) -> np.ndarray:
        """What scipy's Dijkstra says of every pair; -1 where there is no path."""
        n = len(self.x)
        best = np.full((n, n), np.inf)
        open_ = self.cost_ms >= 0
        np.minimum.at(best, (self.tail[open_], self.head[open_]), self.cost_ms[open_])
        tail, head = np.nonzero(np.isfinite(best))
        found = dijkstra(coo_array((best[tail, head], (tail, head)), shape=(n, n)).tocsr())
        return np.where(np.isfinite(found), found, -1).astype(np.int64)


def rows(tail: np.ndarray, head: np.ndarray, cost_ms: np.ndarray, x: np.ndarray, y: np.ndarray) -> Arcs:
    by_tail = np.argsort(tail, kind="stable")
    first = np.r_[0, np.cumsum(np.bincount(tail, minlength=len(x)))].astype(np.int64)
    return Arcs(first, head[by_tail].astype(np.int32), cost_ms[by_tail].astype(np.int32), x, y)


# two quarters and the one bridge between them; every side takes 100 s, each half of the bridge 50
TOWN = positions("""
a b c       i j k
d e f - h - l m n
g           o
""")
STREETS = "ab bc de ef ad be cf dg ij jk lm mn il jm kn lo fh hl"


def town(streets: str = STREETS, one_way: str = "") -> tuple[Arcs, dict[str, int]]:
    number = {letter: i for i, letter in enumerate(sorted(TOWN))}
    both = [(a, b) for a, b in streets.split()] + [(b, a) for a, b in streets.split()]
    pairs = np.array([(number[a], number[b]) for a, b in both + [(a, b) for a, b in one_way.split()]]).reshape(-1, 2)
    cost = np.where((pairs == number["h"]).any(axis=1), 50_000, 100_000)
    x, y = np.array([TOWN[letter] for letter in number]).T
    return rows(pairs[:, 0], pairs[:, 1], cost, x, y), number


def seconds(arcs: Arcs, order: Order, way: str) -> float:
    """From the first letter to the second."""
    number = {letter: i for i, letter in enumerate(sorted(TOWN))}
    return hierarchy.distance(arcs.customise(order), number[way[0]], number[way[1]]) / 1000


def test_over_the_bridge() -> None:
    arcs, number = town()
    of = arcs.order()
    assert [seconds(arcs, of, way) for way in ("ac", "ak", "gn", "hh")] == [200, 700, 600, 0]
    way = hierarchy.path(arcs.customise(of), number["g"], number["o"])
    assert "".join(sorted(TOWN)[i] for i in way) == "gdefhlo"


def test_without_the_bridge_there_is_no_path() -> None:
    arcs, number = town()
    shut = replace(arcs, cost_ms=np.where(arcs.head == number["h"], -1, arcs.cost_ms).astype(np.int32))
    assert seconds(shut, arcs.order(), "ak") == -0.001
    assert seconds(shut, arcs.order(), "hk") == 350
    assert hierarchy.path(shut.customise(arcs.order()), number["a"], number["k"]).tolist() == []


def test_closed_streets_may_as_well_be_left_out() -> None:
    whole, _ = town()
    part, number = town(STREETS.replace(" ef", ""), one_way="fe")
    of = whole.order()
    assert seconds(part, of, "eh") == 100 + 100 + 100 + 50
    assert seconds(part, of, "he") == 150
    towards = hierarchy.nearest(part.customise(of).reverse, np.array([number["h"]]))
    assert towards.cost_ms[number["e"]] == 350_000


def test_of_equally_near_sources_the_first_wins() -> None:
    arcs, number = town()
    weighed = arcs.customise(arcs.order())
    at = np.array([number[letter] for letter in "kac"])
    reach = hierarchy.nearest(weighed, at)
    assert [reach.source[number[letter]] for letter in "abcn"] == [1, 1, 2, 0]
    renamed = hierarchy.nearest(weighed, at, sources=np.array([9, 8, 7]))
    assert [renamed.source[number[letter]] for letter in "abcn"] == [8, 7, 7, 9]
    late = hierarchy.nearest(weighed, at, cost_ms=np.array([0, 0, 100_001]))
    assert [late.source[number[letter]] for letter in "abcn"] == [1, 1, 2, 0]
    assert late.cost_ms[number["c"]] == 100_001


def test_the_bridge_is_contracted_after_both_quarters() -> None:
    """Two tight quarters of 36 crossings, joined in one place: the narrow place has the highest ranks."""
    side = np.arange(6)
    x, y = (
        np.r_[part.ravel(), part.ravel() + 10 * shift]
        for part, shift in zip(np.meshgrid(side, side), (1, 0), strict=True)
    )
    near = np.hypot(x[:, None] - x, y[:, None] - y) == 1
    near[15 + 2, 36 + 12] = near[36 + 12, 15 + 2] = True
    tail, head = np.nonzero(near)
    arcs = rows(tail, head, np.ones(len(tail)), x.astype(float), y.astype(float))
    assert arcs.order().state[-1] in (17, 48)


def test_a_long_street_becomes_a_low_hierarchy() -> None:
    n = 1000
    arcs = rows(np.arange(n - 1), np.arange(1, n), np.ones(n - 1), np.arange(n, dtype=float), np.zeros(n))
    assert arcs.order().height <= 12
    assert hierarchy.distance(arcs.customise(arcs.order()), 0, n - 1) == n - 1


def test_they_say_what_they_are() -> None:
    arcs, number = town()
    of = arcs.order()
    assert repr(of) == f"Order(15 states, {len(of.head)} arcs and shortcuts, at most {of.height} ranks high)"
    shut = replace(arcs, cost_ms=np.full_like(arcs.cost_ms, -1)).customise(of)
    assert repr(shut) == f"Hierarchy(15 states, {len(of.head)} arcs and shortcuts, {len(of.head)} closed)"
    assert len(shut) == len(of) == len(number)


def test_an_arc_that_was_not_there_needs_a_new_order() -> None:
    arcs, _ = town("ab bc")
    other, _ = town("ab bc ko an")
    with pytest.raises(InputError, match="4 others"):
        other.customise(arcs.order())
    with pytest.raises(InputError, match="15 states"):
        rows(np.zeros(1, int), np.ones(1, int), np.ones(1), np.zeros(2), np.zeros(2)).customise(arcs.order())


def test_no_network_no_sources_no_answers() -> None:
    none = np.zeros(0, dtype=np.int64)
    empty = rows(none, none, none, np.zeros(0), np.zeros(0))
    assert len(hierarchy.nearest(empty.customise(empty.order()), none).cost_ms) == 0
    arcs, _ = town()
    weighed = arcs.customise(arcs.order())
    assert (hierarchy.nearest(weighed, none).cost_ms == -1).all()
    assert (hierarchy.nearest(weighed, none).source == -1).all()
    assert hierarchy.matrix(weighed, none, np.arange(3)).shape == (0, 3)
    assert hierarchy.matrix(weighed, np.arange(3), none).shape == (3, 0)


def test_a_matrix_of_many_blocks_is_one_matrix(monkeypatch: pytest.MonkeyPatch) -> None:
    arcs, _ = town()
    weighed, every = arcs.customise(arcs.order()), np.arange(15)
    monkeypatch.setattr(hierarchy, "BLOCK", 4)
    assert np.array_equal(hierarchy.matrix(weighed, every, every), arcs.cheapest())


# -- laws and oracle ---------------------------------------------------------------------------------------------


@st.composite
def networks(draw: st.DrawFn) -> Arcs:
    """Any directed network: loops, parallel and closed arcs, several at one place, not all of it joined."""
    n = draw(st.integers(1, 24))
    node = st.integers(0, n - 1)
    joined = draw(st.lists(st.tuples(node, node, st.integers(-1, 6) | st.integers(2**31 - 3, 2**31 - 1)), max_size=70))
    tail, head, cost = np.array(joined, dtype=np.int64).reshape(-1, 3).T
    x, y = np.array(draw(st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), min_size=n, max_size=n)), float).T
    return rows(tail, head, cost, x, y)


@settings(max_examples=200, deadline=None)
@given(networks())
def test_every_pair_equals_dijkstra(arcs: Arcs) -> None:
    weighed, every = arcs.customise(arcs.order()), np.arange(len(arcs.x))
    assert np.array_equal(hierarchy.matrix(weighed, every, every), arcs.cheapest())
    assert np.array_equal(hierarchy.matrix(weighed.reverse, every, every), arcs.cheapest().T)


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_nearest_equals_dijkstra(arcs: Arcs, data: st.DataObject) -> None:
    n = len(arcs.x)
    roots = data.draw(st.lists(st.tuples(st.integers(0, n - 1), st.integers(0, 9), st.integers(0, 5)), max_size=6))
    state, enter, number = np.array(roots, dtype=np.int64).reshape(-1, 3).T
    reach = hierarchy.nearest(arcs.customise(arcs.order()), state, cost_ms=enter, sources=number)
    cheapest = arcs.cheapest()
    for s in range(n):
        ways = [(cheapest[a, s] + c, k) for a, c, k in roots if cheapest[a, s] >= 0]
        assert (reach.cost_ms[s], reach.source[s]) == min(ways, default=(-1, -1))


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_a_path_costs_what_it_should(arcs: Arcs, data: st.DataObject) -> None:
    source, target = (data.draw(st.integers(0, len(arcs.x) - 1)) for _ in range(2))
    weighed = arcs.customise(arcs.order())
    way = hierarchy.path(weighed, source, target)
    cost = hierarchy.distance(weighed, source, target)
    assert (len(way) == 0) == (cost < 0)
    if cost >= 0:
        legs = itertools.pairwise(way)
        between = [arcs.cost_ms[(arcs.tail == a) & (arcs.head == b) & (arcs.cost_ms >= 0)].min() for a, b in legs]
        assert (way[0], way[-1], sum(map(int, between))) == (source, target, cost)


@settings(max_examples=150, deadline=None)
@given(networks(), st.data())
def test_steps_lead_back_to_the_source(arcs: Arcs, data: st.DataObject) -> None:
    arcs = replace(arcs, cost_ms=np.where(arcs.cost_ms == 0, 1, arcs.cost_ms))
    at = np.array(data.draw(st.lists(st.integers(0, len(arcs.x) - 1), min_size=1, max_size=5)))
    reach = hierarchy.nearest(arcs.customise(arcs.order()), at)
    step = hierarchy.steps(reach, arcs.first, arcs.head, arcs.cost_ms)
    assert ((step < 0) == (reach.cost_ms <= 0)).all()
    for s in np.flatnonzero(step >= 0):
        before = arcs.tail[step[s]]
        assert arcs.head[step[s]] == s
        assert reach.cost_ms[before] + arcs.cost_ms[step[s]] == reach.cost_ms[s]
        assert reach.source[before] == reach.source[s]


@settings(max_examples=100, deadline=None)
@given(networks(), st.data())
def test_new_weights_on_an_old_order_are_as_good_as_new(arcs: Arcs, data: st.DataObject) -> None:
    """And the order in which weights are tried changes nothing."""
    of, m = arcs.order(), len(arcs.head)
    costs = [np.array(data.draw(st.lists(st.integers(-1, 9), min_size=m, max_size=m)), np.int32) for _ in range(2)]
    others = [replace(arcs, cost_ms=cost) for cost in costs]
    there = [other.customise(of) for other in others]
    back = [other.customise(of) for other in others[::-1]][::-1]
    for other, one, again in zip(others, there, back, strict=True):
        assert one.up_ms.tobytes() == again.up_ms.tobytes() and one.down_ms.tobytes() == again.down_ms.tobytes()
        every = np.arange(len(arcs.x))
        fresh = other.customise(other.order())
        assert np.array_equal(hierarchy.matrix(one, every, every), hierarchy.matrix(fresh, every, every))


@settings(max_examples=100, deadline=None)
@given(networks(), st.data())
def test_closing_arcs_never_makes_a_way_shorter(arcs: Arcs, data: st.DataObject) -> None:
    m, every = len(arcs.head), np.arange(len(arcs.x))
    shut = np.array(data.draw(st.lists(st.booleans(), min_size=m, max_size=m)), dtype=bool)
    of = arcs.order()
    closed = replace(arcs, cost_ms=np.where(shut, -1, arcs.cost_ms).astype(np.int32))
    before, after = (hierarchy.matrix(city.customise(of), every, every) for city in (arcs, closed))
    assert (after[before < 0] == -1).all()
    assert ((after >= before) | (after < 0)).all()


@settings(max_examples=100, deadline=None)
@given(networks(), st.data())
def test_neither_places_nor_numbers_change_a_cost(arcs: Arcs, data: st.DataObject) -> None:
    n = len(arcs.x)
    new = np.array(data.draw(st.permutations(range(n))), dtype=np.int64)
    other = rows(new[arcs.tail], new[arcs.head], arcs.cost_ms, np.zeros(n), np.zeros(n))
    found = hierarchy.matrix(other.customise(other.order()), new, new)
    assert np.array_equal(found, arcs.cheapest())


@settings(max_examples=100, deadline=None)
@given(networks())
def test_an_order_holds_every_state_once_below_its_ancestors(arcs: Arcs) -> None:
    of = arcs.order()
    assert np.array_equal(np.sort(dissection.dissect(arcs.first, arcs.head, arcs.x, arcs.y)), np.arange(len(arcs.x)))
    assert np.array_equal(np.sort(of.rank), np.arange(len(arcs.x)))
    tail = np.repeat(np.arange(len(of)), np.diff(of.first))
    assert (of.head > tail).all() and (of.depth[of.head] < of.depth[tail]).all()
    assert np.array_equal(of.head[of.low_arc], np.repeat(np.arange(len(of)), np.diff(of.low_first)))
    assert np.array_equal(of.low_tail, tail[of.low_arc])
    again = arcs.order()
    assert all(getattr(of, name).tobytes() == getattr(again, name).tobytes() for name in ("rank", "head", "low_arc"))


@pytest.fixture(scope="module")
def kampen() -> tuple[Arcs, Hierarchy]:
    """Kampen on foot at 1.3 m/s, every tenth street one-way and every thirteenth closed."""
    if why_not := shared_data.why_not("kampen/kampen.osm.pbf"):
        pytest.skip(why_not)
    net = network.build(osm.read(shared_data.folder() / "kampen" / "kampen.osm.pbf").ways)
    whole = routing.graph(net, net.length_m / 1.3, net.length_m / 1.3)
    of = hierarchy.order(whole.first, whole.head, net.x, net.y)
    street = np.arange(len(net.u))
    forward = np.where(street % 13 == 0, np.nan, net.length_m / 1.3)
    backward = np.where(street % 10 == 0, np.nan, forward)
    graph = routing.graph(net, forward, backward)
    arcs = Arcs(graph.first, graph.head, graph.cost_ms, net.x, net.y)
    return arcs, arcs.customise(of)


def test_kampen_equals_dijkstra(kampen: tuple[Arcs, Hierarchy]) -> None:
    arcs, weighed = kampen
    n = len(arcs.x)
    chosen = np.random.default_rng(5).choice(n, 60, replace=False)
    by_cost = np.lexsort((arcs.cost_ms, arcs.head, arcs.tail))
    pairs, at = np.unique(np.c_[arcs.tail, arcs.head][by_cost], axis=0, return_index=True)
    oracle = dijkstra(coo_array((arcs.cost_ms[by_cost][at], pairs.T), shape=(n, n)).tocsr(), indices=chosen)
    expected = np.where(np.isfinite(oracle), oracle, -1).astype(np.int64)
    assert np.array_equal(hierarchy.matrix(weighed, chosen, np.arange(n)), expected)
    reach = hierarchy.nearest(weighed, chosen)
    assert np.array_equal(reach.cost_ms, np.where(np.isfinite(oracle).any(axis=0), oracle.min(axis=0), -1))
    assert np.array_equal(reach.source, np.where(np.isfinite(oracle).any(axis=0), oracle.argmin(axis=0), -1))


def test_kampen_is_parted_at_narrow_places(kampen: tuple[Arcs, Hierarchy]) -> None:
    """Shortcuts stay within twice the arcs between two nodes, and a way climbs at most some hundred ranks."""
    of = kampen[1].order
    assert of.height < 120
    assert len(of.head) < 2 * len(kampen[0].head)
