"""Because of which street: drawn, and by law."""

from __future__ import annotations

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import causes, circles, network
from geo.causes import Losses
from geo.network import Network
from tests.geo.drawn import positions, ways
from tests.geo.drawn_services import Spots, bound, opened, service

# the station at a; a-b-c-d in a row, and a way round b-c by the north
#
#    e f
#  a b c d
ROW = positions(" ef\nabcd")
CHAINS: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {}, "be": {}, "ef": {}, "fc": {}}
HOMES: Spots = [(50, -100), (150, -100), (250, -100), (300, -100)]


def town() -> Network:
    return network.build(ways(ROW, CHAINS))


def lost(
    *, closed: tuple[int, ...] = (), slower: dict[int, float] | None = None, gone: bool = False, minutes: float = 5.5
) -> Losses:
    net, params = town(), service(minutes=minutes)
    at = bound(net, [(0, -100)], HOMES)
    normal = circles.reached(opened(net), at, params=params)
    there = at.of_stations(np.array([not gone]))
    now = circles.reached(opened(net, closed=closed, slower=slower), there, params=params)
    return causes.losses(normal, now, out_of_service=np.array([gone]))


def test_nothing_changes_on_an_ordinary_day() -> None:
    found = lost()
    assert found.added_s.tolist() == [0, 0, 0, 0]
    assert set(found.cause) == {"none"} and not found.lost.any() and (found.edge == -1).all()


def test_a_closed_street_sends_round_and_is_named() -> None:
    found = lost(closed=(1,))
    assert found.added_s.tolist() == [0, np.inf, 200, 200]
    assert found.cause.tolist() == ["none", "closed", "closed", "closed"]
    assert found.edge.tolist() == [-1, 1, 1, 1]
    assert found.lost.tolist() == [False, True, True, True]


def test_of_two_closed_streets_the_first_from_the_station_is_named() -> None:
    found = lost(closed=(0, 2))
    assert found.edge.tolist() == [0, 0, 0, 0]
    assert np.isinf(found.added_s).all()


def test_the_most_slowed_street_is_named() -> None:
    found = lost(slower={0: 1.5, 1: 1.9}, minutes=9)
    assert found.added_s.tolist() == [25, 50 + 45, 50 + 90, 50 + 90]
    assert found.cause.tolist() == ["slowed"] * 4
    assert found.edge.tolist() == [0, 0, 1, 1]
    assert not found.lost.any()


def test_a_station_out_of_service_leaves_no_street_to_blame() -> None:
    found = lost(gone=True)
    assert found.cause.tolist() == ["station"] * 4
    assert (found.edge == -1).all() and found.lost.all()


def test_who_never_had_a_way_loses_nothing() -> None:
    net = network.build(ways(positions("ab cd"), {"ab": {}, "cd": {}}))
    at = bound(net, [(0, 0)], [(350, 0)])
    normal = circles.reached(opened(net), at, params=service(minutes=9))
    now = circles.reached(opened(net, closed=(0,)), at, params=service(minutes=9))
    found = causes.losses(normal, now, out_of_service=np.array([False]))
    assert np.isnan(found.added_s).all() and found.cause.tolist() == ["none"] and not found.lost.any()


@settings(max_examples=60, deadline=None)
@given(st.sets(st.integers(0, 5)), st.dictionaries(st.integers(0, 5), st.floats(1, 4), max_size=4), st.booleans())
def test_every_later_place_has_one_cause_and_a_street_that_changed(
    closed: set[int], slower: dict[int, float], gone: bool
) -> None:
    found = lost(closed=tuple(closed), slower=slower, gone=gone)
    later = found.added_s > 0
    assert (found.cause[~later] == "none").all()
    assert np.isin(found.cause[later], ["closed", "slowed", "station"]).all()
    assert set(found.edge[found.cause == "closed"].tolist()) <= closed
    assert set(found.edge[found.cause == "slowed"].tolist()) <= set(slower)
    assert not (found.added_s < 0).any()
