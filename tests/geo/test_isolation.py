"""Pieces of a broken network and what would join them: drawn, and against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import isolation, network
from geo.isolation import NOWHERE
from geo.network import Network
from geo.parts import Parts
from geo.snapping import Snaps
from geo.usable import Usable
from tests.geo.drawn import positions, ways
from tests.geo.every_way import City, cities
from tests.geo.test_critical import open_ways
from tests.geo.test_routing import place

# three quarters in a row, west with the school, east with the shelter, joined by b-c, and by c-d or the detour c-x-d
#
#   a b c d e
#       x
ROW = positions("abcde\n  x")
CHAINS: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {}, "de": {}, "cx": {}, "xd": {}}


def row() -> Network:
    return network.build(ways(ROW, CHAINS))


def without(net: Network, *shut: int) -> Usable:
    seconds = np.where(np.isin(np.arange(len(net.u)), shut), np.nan, net.length_m)
    return open_ways(net, seconds, seconds)


HOMES = ((30, 0), (60, 0), (350, 0), (150, 0))
PEOPLE = np.array([4, 2, 3, 5])
COMMUNITY = pd.Series(["west", "mid", "east", "mid"], dtype=object)


def test_nothing_closed_is_one_piece_and_nobody_isolated() -> None:
    net = row()
    broken = isolation.pieces(without(net))
    assert (
        len(broken) == 1 and broken.piece.tolist() == [0] * 6 and repr(broken) == "Broken(1 pieces, the largest 0.6 km)"
    )
    found = isolation.isolated(
        broken, without(net), place(net, *HOMES), PEOPLE, COMMUNITY, services={"shelter": place(net, (400, 0))}
    )
    assert len(found) == 0 and "reopen_shelter_ids" in found.columns


def test_a_quarter_cut_off_is_told_with_the_street_that_would_join_it() -> None:
    net = row()
    now, normal = without(net, 1), without(net)
    doors = {"shelter": place(net, (400, 0)), "hospital": place(net, (0, 0))}
    found = isolation.isolated(isolation.pieces(now), normal, place(net, *HOMES), PEOPLE, COMMUNITY, services=doors)
    assert found["piece"].tolist() == [1, 0] and found["largest"].tolist() == [False, True]
    west, east = (found.iloc[i] for i in (0, 1))
    assert (west["people"], west["communities"], west["community_id"]) == (6, 2, "west")
    assert (west["reopen_ids"], west["reopen_m"], west["reopen_shelter_ids"]) == ("w2-0", 100, "w2-0")
    assert (west["shelter_sites"], west["hospital_sites"], west["reopen_hospital_m"]) == (0, 1, 0)
    assert (east["people"], east["reopen_ids"], east["reopen_hospital_ids"]) == (3, "", "w2-0")
    assert west["geometry"].length == 100 and found.crs == net.crs


def test_the_fewest_metres_lead_over_several_closed_streets() -> None:
    net = row()
    found = isolation.pieces(without(net, 1, 2, 4, 5))
    back = isolation.reopened(found, without(net), np.array([int(found.piece[3])]))
    west = int(found.piece[0])
    assert back.edges[west].tolist() == [1, 2] and back.length_m[west] == 200
    # what was never open cannot be reopened
    never = isolation.reopened(found, without(net, 2), np.array([int(found.piece[3])]))
    assert never.edges[west].tolist() == [1, 4, 5] and never.length_m[west] == pytest.approx(200 + 100 * 2**0.5)
    nothing = isolation.reopened(found, without(net, 1), np.array([int(found.piece[3])]))
    assert nothing.edges[west].tolist() == [] and np.isnan(nothing.length_m[west])
    assert np.isnan(isolation.reopened(found, without(net), np.zeros(0, dtype=np.int64)).length_m).all()


def test_the_share_of_a_community_without_a_way() -> None:
    homes = Parts(np.array([0, 1, 2, 1]), 4)
    on = np.array([1, 1, 0, NOWHERE])
    found = isolation.cut_off(np.array([np.nan, np.nan, 60.0, np.nan]), PEOPLE, on, homes)
    assert found["people_no_way"].tolist() == [4, 7, 0, 0] and found["pieces"].tolist() == [1, 1, 1, 0]
    assert found["no_way_share"].tolist() == pytest.approx([1, 1, 0, np.nan], nan_ok=True)
    assert found["people_street_closed"].tolist() == [0, 5, 0, 0]


def test_everything_closed_and_nobody_there() -> None:
    net = row()
    shut = without(net, *range(6))
    broken = isolation.pieces(shut)
    assert len(broken) == 0 and broken.at(place(net, *HOMES)).tolist() == [NOWHERE] * 4
    nobody = Snaps(*(np.zeros(0, dtype=t) for t in (np.int64, np.int64, float, float)))
    found = isolation.isolated(
        broken,
        without(net),
        nobody,
        np.zeros(0, dtype=np.int64),
        pd.Series([], dtype=object),
        services={"shelter": nobody},
    )
    assert len(found) == 0


@settings(max_examples=60, deadline=None)
@given(cities(streets=12, nodes=8), st.data())
def test_pieces_and_gaps_are_those_of_networkx(city: City, data: st.DataObject) -> None:
    net = city.net
    normal = open_ways(net, city.forward_s, city.backward_s)
    shut = np.array(data.draw(st.lists(st.booleans(), min_size=len(net.u), max_size=len(net.u))))
    now = open_ways(net, *(np.where(shut, np.nan, s) for s in (city.forward_s, city.backward_s)))
    broken = isolation.pieces(now)
    graph = nx.Graph()
    graph.add_edges_from(zip(net.u[now.usable].tolist(), net.v[now.usable].tolist(), strict=True))
    known = {frozenset(part) for part in nx.connected_components(graph)}
    assert {frozenset(np.flatnonzero(broken.at_node == piece).tolist()) for piece in range(len(broken))} == known
    assert (np.diff(broken.length_m) <= 0).all() and broken.length_m.sum() == pytest.approx(
        net.length_m[now.usable].sum()
    )
    every = nx.Graph()
    for edge in np.flatnonzero(normal.usable).tolist():
        u, v = int(net.u[edge]), int(net.v[edge])
        length = 0.0 if now.usable[edge] else float(net.length_m[edge])
        if not every.has_edge(u, v) or every[u][v]["weight"] > length:
            every.add_edge(u, v, weight=length)
    back = isolation.reopened(broken, normal, np.arange(min(1, len(broken))))
    for piece in range(len(broken)):
        node, main = (int(np.flatnonzero(broken.at_node == p)[0]) for p in (piece, 0))
        joined = nx.has_path(every, node, main)
        far = nx.dijkstra_path_length(every, node, main) if joined else np.nan
        assert back.length_m[piece] == pytest.approx(far, nan_ok=True, abs=1e-3)
        assert net.length_m[back.edges[piece]].sum() == pytest.approx(np.nan_to_num(far), abs=1e-3)
        assert shut[back.edges[piece]].all()
