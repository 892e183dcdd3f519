"""Turn restrictions: drawn crossings, and random cities against a search that remembers its last streets."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import network, routing, turns
from geo.network import Network
from geo.snapping import Snaps
from geo.turns import Forbidden
from tests.geo.drawn import positions, ways
from tests.geo.every_way import City, Trip, cities, snaps

# a crossing, and a way round it by the north-west; every side 100 m
#
#   a b c
#   d e f
#   g h i
SPOTS = positions("abc\ndef\nghi")
CROSSING: dict[str, dict[str, str]] = {"be": {}, "eh": {}, "de": {}, "ef": {}, "ab": {}, "ad": {}, "hi": {}, "if": {}}


def town(*restrictions: Mapping[str, object], chains: Mapping[str, Mapping[str, str]] = CROSSING) -> Network:
    return network.build(ways(SPOTS, chains, restrictions=restrictions))


def every(table: pd.DataFrame) -> np.ndarray:
    return np.ones(len(table), dtype=bool)


def step(net: Network, letters: str) -> int:
    """The directed edge from one letter to another."""
    a, b = letters
    ids = [chr(i) for i in net.node_id]
    for e in range(len(net.u)):
        ends = ids[net.u[e]] + ids[net.v[e]]
        if letters in (ends, ends[::-1]):
            return turns.directed(e, along=ends == letters)
    raise KeyError(a + b)


def told(net: Network, found: Forbidden) -> list[str]:
    """Forbidden sequences by the letters they come by."""
    ids, words = [chr(i) for i in net.node_id], []
    for sequence in found.sequences:
        ends = [(net.v[s // 2], net.u[s // 2]) if s % 2 else (net.u[s // 2], net.v[s // 2]) for s in sequence]
        words.append("".join([ids[ends[0][0]], *(ids[head] for _, head in ends)]))
    return sorted(words)


def at(net: Network, letters: str, along_m: float) -> Snaps:
    """A place on the street between two letters, so many metres from the first."""
    s = step(net, letters)
    along_m = float(net.length_m[s // 2]) - along_m if s % 2 else float(along_m)
    return Snaps(np.zeros(1, dtype=np.int64), np.array([s // 2]), np.array([along_m]), np.zeros(1))


def seconds_between(
    net: Network, start: Snaps, end: Snaps, *, one_way: Sequence[str] = (), backwards: bool = False
) -> float:
    """At one metre a second under all restrictions; ``backwards`` by the search from the other end."""
    forward, backward = net.length_m.copy(), net.length_m.copy()
    for letters in one_way:
        s = step(net, letters)
        (forward if s % 2 else backward)[s // 2] = np.nan
    found = turns.forbidden(net, binds=every)
    graph = routing.graph(net, forward, backward, forbidden=found.sequences)
    if backwards:
        graph, start, end = graph.reverse, end, start
    starts = routing.join(graph, routing.nearest(graph.reverse, end), start, end)
    return float(routing.seconds(starts.cost_ms)[0])


def both_ways(net: Network, start: Snaps, end: Snaps, *, one_way: Sequence[str] = ()) -> float:
    found = [seconds_between(net, start, end, one_way=one_way, backwards=b) for b in (False, True)]
    assert found[0] == pytest.approx(found[1], nan_ok=True)
    return found[0]


NO_LEFT = {"kind": "no_left_turn", "from": "be", "over": "e", "to": "ef"}  # southwards on b-e, left is east


def test_no_left_turn() -> None:
    net = town(NO_LEFT)
    assert told(net, turns.forbidden(net, binds=every)) == ["bef"]
    # straight on, round at h, and right: nobody forbids turning round there
    assert both_ways(net, at(net, "be", 50), at(net, "ef", 50)) == 50 + 100 + 100 + 50
    # where one cannot come back from h nor from d: by h, i and f
    assert both_ways(net, at(net, "be", 50), at(net, "ef", 50), one_way=["eh", "de"]) == 50 + 100 + 100 + 100 + 50
    assert both_ways(town(), at(net, "be", 50), at(net, "ef", 50)) == 100


def test_who_comes_otherwise_may_turn() -> None:
    net = town(NO_LEFT)
    assert both_ways(net, at(net, "de", 50), at(net, "ef", 50)) == 100  # straight on from the west
    assert both_ways(net, at(net, "ef", 50), at(net, "be", 50)) == 100  # the other way round
    assert both_ways(net, at(net, "be", 50), at(net, "eh", 50)) == 100  # straight on from the north


def test_only_straight_on_forbids_every_other_way_out() -> None:
    net = town({"kind": "only_straight_on", "from": "be", "over": "e", "to": "eh"})
    assert told(net, turns.forbidden(net, binds=every)) == ["beb", "bed", "bef"]
    assert both_ways(net, at(net, "be", 50), at(net, "eh", 50)) == 100
    # to the west only by going back round by a and d
    assert both_ways(net, at(net, "be", 50), at(net, "de", 50)) == 50 + 100 + 100 + 50


def test_no_u_turn() -> None:
    chains = {"be": {}, "ab": {}}
    net = town({"kind": "no_u_turn", "from": "be", "over": "e", "to": "be"}, chains=chains)
    assert told(net, turns.forbidden(net, binds=every)) == ["beb"]
    one_way = ["ab"]
    # past one's own door at b, only by turning at the dead end e
    assert np.isnan(both_ways(net, at(net, "be", 90), at(net, "be", 10), one_way=["be", *one_way]))
    free = town(chains=chains)
    assert both_ways(free, at(free, "be", 90), at(free, "be", 10)) == 80


# a dual carriageway: westwards a-b-c is driven c to a, eastwards d-e-f from d to f; b-e links them
DUAL: dict[str, dict[str, str]] = {"abc": {}, "def": {}, "be": {}, "ad": {}, "cf": {}}


def test_no_u_turn_over_the_link_of_a_dual_carriageway() -> None:
    over_link = {"kind": "no_u_turn", "from": "def", "over": ["be"], "to": "abc"}
    net, free = town(over_link, chains=DUAL), town(chains=DUAL)
    rules = ["cb", "ba", "de", "ef", "eb"]
    # way ids name both halves of each carriageway: all the turns over the link from one into the other
    assert set(told(net, turns.forbidden(net, binds=every))) >= {"deba"}
    one_way = {"one_way": rules}
    assert both_ways(free, at(free, "de", 50), at(free, "ba", 50), **one_way) == 50 + 100 + 50
    assert both_ways(net, at(net, "de", 50), at(net, "ba", 50), **one_way) == 50 + 100 + 100 + 100 + 50
    # who starts on the link itself has not come from the carriageway
    assert both_ways(net, at(net, "be", 50), at(net, "ba", 50), **one_way) == 100


def test_two_restrictions_share_their_first_street() -> None:
    no_right = {"kind": "no_right_turn", "from": "be", "over": "e", "to": "de"}
    by_way = {"kind": "no_left_turn", "from": "be", "over": ["eh"], "to": "hi"}
    net = town(NO_LEFT, no_right, by_way)
    assert told(net, turns.forbidden(net, binds=every)) == ["bed", "bef", "behi"]
    assert both_ways(net, at(net, "be", 50), at(net, "eh", 50)) == 100
    assert both_ways(net, at(net, "eh", 50), at(net, "hi", 50)) == 100
    # straight on is all that is left, and then not into i: back at h, up again and out to the east
    assert both_ways(net, at(net, "be", 50), at(net, "ef", 50)) == 50 + 100 + 100 + 50


def test_restrictions_whose_ways_do_not_meet_are_counted() -> None:
    apart = {"kind": "no_left_turn", "from": "ab", "over": "e", "to": "ef"}
    unknown = {"kind": "no_left_turn", "from": "zz", "over": "e", "to": "ef"}
    no_node = {"kind": "no_left_turn", "from": "be", "over": "z", "to": "ef"}
    gap = {"kind": "no_u_turn", "from": "ab", "over": ["if"], "to": "ef"}
    found = turns.forbidden(town(apart, unknown, no_node, gap, NO_LEFT), binds=every)
    assert (len(found.sequences), found.not_placed) == (1, 4)
    assert repr(found) == "Forbidden(1 sequences, 4 restrictions not placed)"


def test_only_those_that_bind_count() -> None:
    net = town({**NO_LEFT, "vehicle": "hgv"}, {"kind": "no_right_turn", "from": "be", "over": "e", "to": "de"})
    found = turns.forbidden(net, binds=lambda table: table["vehicle"].isna().to_numpy())
    assert told(net, found) == ["bed"]
    assert turns.forbidden(net, binds=lambda table: np.zeros(len(table), dtype=bool)) == Forbidden([], 0)
    assert turns.forbidden(town(), binds=every) == Forbidden([], 0)


def test_ways_cut_in_several_edges() -> None:
    """The ways run on beyond the junction and are cut elsewhere: only the parts at the junction count."""
    chains = {"beh": {}, "def": {}, "ab": {}, "ad": {}}
    turn = {"kind": "no_left_turn", "from": "beh", "over": "e", "to": "def"}
    net = town(turn, chains=chains)
    # both halves of both ways meet at e, and the tags do not say which: every turn between them is forbidden
    assert told(net, turns.forbidden(net, binds=every)) == ["bed", "bef", "hed", "hef"]


def test_a_restriction_over_a_way_of_several_edges() -> None:
    """From a-b over b-e-h, which d-e-f cuts at e, into h-i."""
    chains = {"ab": {}, "beh": {}, "def": {}, "hi": {}, "if": {}}
    net = town({"kind": "no_left_turn", "from": "ab", "over": ["beh"], "to": "hi"}, chains=chains)
    assert told(net, turns.forbidden(net, binds=every)) == ["abehi"]
    assert both_ways(net, at(net, "ab", 50), at(net, "hi", 50)) == 50 + 100 + 100 + 100 + 50  # by e, f and i
    assert both_ways(net, at(net, "be", 50), at(net, "hi", 50)) == 50 + 100 + 50


def test_a_restriction_that_begins_on_a_closed_street_changes_nothing() -> None:
    net = town(NO_LEFT)
    closed = np.where(np.arange(len(net.u)) == step(net, "be") // 2, np.nan, net.length_m)
    sequences = turns.forbidden(net, binds=every).sequences
    graph = routing.graph(net, closed, closed, forbidden=sequences)
    assert len(graph) == graph.nodes


def test_without_restrictions_there_are_no_turn_states() -> None:
    net = town()
    graph = routing.graph(net, net.length_m, net.length_m)
    assert len(graph) == graph.nodes == len(net.x)
    bound = routing.graph(net, net.length_m, net.length_m, forbidden=[(step(net, "be"), step(net, "ef"))])
    assert len(bound) == graph.nodes + 1 and bound.node_of[-1] == bound.node_of[list(map(chr, net.node_id)).index("e")]


# -- oracle --------------------------------------------------------------------------------------------------------


def assert_as_by_memory(city: City, places: Snaps, doors: Snaps, extra_s: np.ndarray) -> None:
    """``join`` and ``nearest`` equal a search whose states are a node and the last streets driven."""
    forest = routing.nearest(city.graph.reverse, doors, extra_s=extra_s)
    starts = routing.join(city.graph, forest, places, doors, extra_s=extra_s)
    for row in range(len(places)):
        one = Snaps(places.place[[row]], places.edge[[row]], places.along_m[[row]], places.off_m[[row]])
        expected = Trip(city, one, doors, extra_s).shortest_ms()
        assert starts.cost_ms[row] == pytest.approx(-1 if expected is None else expected, abs=2)


@settings(max_examples=150, deadline=None)
@given(cities(turns=5), st.data())
def test_towards_the_sources_as_by_a_search_with_a_memory(city: City, data: st.DataObject) -> None:
    doors = data.draw(snaps(city.net, rows=3, places=2))
    assert_as_by_memory(city, data.draw(snaps(city.net, rows=3)), doors, np.array([0.0, 4.25, 30.0]))


@settings(max_examples=150, deadline=None)
@given(cities(turns=5), st.data())
def test_from_a_source_as_by_a_search_with_a_memory(city: City, data: st.DataObject) -> None:
    """The reversed graph: from one station to places, asked from the places."""
    places, station = data.draw(snaps(city.net, rows=3)), data.draw(snaps(city.net, rows=1))
    forest = routing.nearest(city.graph, station)
    starts = routing.join(city.graph.reverse, forest, places, station)
    for row in range(len(places)):
        one = Snaps(np.zeros(1, dtype=np.int64), places.edge[[row]], places.along_m[[row]], np.zeros(1))
        expected = Trip(city, station, one, np.zeros(1)).shortest_ms()
        assert starts.cost_ms[row] == pytest.approx(-1 if expected is None else expected, abs=2)
