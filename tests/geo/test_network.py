"""Ways become segments between junctions."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from geo import network
from geo.errors import ColumnError
from tests.geo.drawn import CRS, positions, ways

# a street with a side street; a bridge passes over without a shared node
#
#       e
#   a b c d
#       f
TOWN = positions("""
  e
abcd
  f
""")


def test_a_way_is_cut_where_another_meets_it() -> None:
    net = network.build(ways(TOWN, {"abcd": {}, "ce": {}}))
    assert sorted(net.length_m) == [100, 100, 200]
    assert sorted(chr(n) for n in net.node_id) == ["a", "c", "d", "e"]


def test_a_bridge_over_the_street_does_not_join_it() -> None:
    net = network.build(ways(TOWN, {"abcd": {}, "ef": {"bridge": "yes", "layer": "1"}}))
    assert len(net.u) == 2
    assert net.edge_is("bridge").tolist() == [False, True]


def test_a_barrier_becomes_a_node() -> None:
    net = network.build(ways(TOWN, {"abcd": {}}, barriers={"b": {"barrier": "gate"}}))
    assert net.length_m.tolist() == [100, 200]
    assert chr(net.node_id[net.barrier_node[0]]) == "b"


def test_a_loop_keeps_its_length_and_shape() -> None:
    places = positions("ab\ndc")
    net = network.build(ways(places, {"abcda": {}}))
    assert net.length_m.tolist() == [400]
    assert net.u[0] == net.v[0]
    assert net.lines[0].length == 400


def test_a_way_that_meets_itself_is_cut_there() -> None:
    places = positions("abc\n ed")
    net = network.build(ways(places, {"abcdeb": {}}))
    assert sorted(net.length_m) == [100, 400]


def test_a_repeated_node_is_dropped_and_counted() -> None:
    net = network.build(ways(TOWN, {"abbcd": {}}))
    assert net.dropped == 1
    assert net.length_m.sum() == 300


def test_segments_are_numbered_along_their_way() -> None:
    net = network.build(ways(TOWN, {"abcd": {}, "ce": {}, "bf": {}}))
    assert net.street_ids.tolist() == ["w1-0", "w1-1", "w1-2", "w2-0", "w3-0"]


def test_pieces_of_a_way_go_on_counting() -> None:
    pieces = ways(TOWN, {"ab": {}, "ce": {}, "cd": {}})
    cut = network.Ways(
        pieces.tags.assign(way_id=[7, 8, 7]), pieces.start, pieces.node, pieces.x, pieces.y, pieces.barriers, CRS
    )
    assert network.build(cut).street_ids.tolist() == ["w7-0", "w8-0", "w7-1"]


def test_no_streets_give_an_empty_network() -> None:
    net = network.build(ways(TOWN, {}))
    assert len(net.u) == len(net.x) == 0
    assert net.streets().columns.tolist()[:2] == ["street_id", "way_id"]


def test_arrays_that_do_not_fit_are_all_named() -> None:
    good = ways(TOWN, {"abcd": {}})
    with pytest.raises(ColumnError, match="one coordinate pair a node") as caught:
        network.Ways(
            good.tags.drop(columns="highway"), good.start, good.node, good.x[:-1], good.y, good.barriers, good.crs
        )
    assert len(caught.value.faults) == 2


@given(st.lists(st.text("abcdef", min_size=2, max_size=6), min_size=1, max_size=8))
def test_length_is_kept_and_shapes_start_and_end_at_nodes(chains: list[str]) -> None:
    given_ways = ways(TOWN, {chain: {} for chain in chains})
    net = network.build(given_ways)
    steps = np.hypot(np.diff(given_ways.x), np.diff(given_ways.y))
    inside = np.ones(len(steps), dtype=bool)
    inside[given_ways.start[1:-1] - 1] = False
    assert net.length_m.sum() == pytest.approx(steps[inside].sum())
    first, last = net.start[:-1], net.start[1:] - 1
    assert np.array_equal(net.px[first], net.x[net.u]) and np.array_equal(net.py[last], net.y[net.v])


@given(st.permutations(["abcd", "ce", "cf", "bf"]))
def test_order_of_ways_does_not_change_the_nodes(chains: list[str]) -> None:
    one, other = (network.build(ways(TOWN, {c: {} for c in order})) for order in (chains, sorted(chains)))
    assert np.array_equal(one.node_id, other.node_id)
    assert sorted(one.length_m) == sorted(other.length_m)
