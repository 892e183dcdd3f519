"""How many ways lead in and how wide: drawn, and against networkx on random little towns."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import network, ways_in
from geo.network import Network
from geo.ways_in import Net
from tests.geo.drawn import positions, ways

# a ring b c e d on a street a - b from the trunk t - a, a cul-de-sac e - f - g, a loop h at the end of d, i - j apart
#
#   t a b c
#       d e f g
#
#       h       i j
TOWN = positions("tabc\n  defg\n\n  h   ij\n  kl")
CHAINS: dict[str, dict[str, str]] = {"ta": {}, "ab": {}, "bc": {}, "ce": {}, "ed": {}, "db": {}, "ef": {}, "fg": {}}
CHAINS |= {"dh": {}, "hklh": {}, "ij": {}}


def town(chains: dict[str, dict[str, str]] = CHAINS) -> tuple[Network, dict[str, int]]:
    """The streets, and the row of each by its chain."""
    return network.build(ways(TOWN, chains)), {chain: row for row, chain in enumerate(chains)}


def net_of(net: Network, out: int, barred: str = "") -> Net:
    edges = np.arange(len(net.u))
    stops = np.isin(net.node_id, [ord(letter) for letter in barred])
    return ways_in.net(net, np.ones(len(edges), dtype=bool), stops, out=edges == out)


def test_ways_in_to_a_ring_a_cul_de_sac_and_what_is_apart() -> None:
    net, row = town()
    found = ways_in.ways(net_of(net, row["ta"]))
    count = dict(zip(row, found.count.tolist(), strict=True))
    # the ring hangs on a - b: one way in; on the trunk itself there are two
    assert count == {"ta": 2, **dict.fromkeys(("ab", "bc", "ce", "ed", "db", "ef", "fg", "dh", "hklh"), 1), "ij": 0}
    assert [list(row)[link] if link >= 0 else "" for link in found.needs] == [
        *("", "ab", "ab", "ab", "ab", "ab", "ef", "fg", "dh", "dh", "ij"),
    ]
    behind = dict(zip(row, found.behind(np.ones(11)).tolist(), strict=True))
    assert behind == {**dict.fromkeys(CHAINS, 0), "ab": 8, "ef": 1, "dh": 1}
    assert repr(found) == "Ways(5 of 11 streets part something)"


def test_a_second_street_to_the_trunk_gives_the_ring_two_ways() -> None:
    net, row = town(CHAINS | {"tc": {}})
    count = dict(zip(row, ways_in.ways(net_of(net, row["ta"])).count.tolist(), strict=True))
    assert [count[chain] for chain in ("ab", "bc", "ed", "ef", "hklh")] == [2, 2, 2, 1, 1]


def test_a_bollard_parts_what_it_stands_on() -> None:
    net, row = town(CHAINS | {"tc": {}})
    count = dict(zip(row, ways_in.ways(net_of(net, row["ta"], barred="c")).count.tolist(), strict=True))
    # nobody turns at c: all three streets there end, and each is entered from its other end
    assert [count[chain] for chain in ("ab", "bc", "ce", "tc")] == [1, 1, 1, 1]


def test_dead_ends_are_left_by_their_mouth_and_a_loop_is_a_place_to_turn() -> None:
    net, row = town()
    given_ = net_of(net, row["ta"])
    mouth, far_m = ways_in.dead_ends(given_)
    dead = {chain: far_m[i] for i, chain in enumerate(row) if mouth[i] != ways_in.NONE}
    assert {chain: far for chain, far in dead.items() if chain != "ij"} == {"ef": 0, "fg": 100}
    assert np.isnan(dead["ij"])
    assert net.node_id[mouth[row["fg"]]] == ord("f")


def test_the_widest_way_and_where_it_is_narrowest() -> None:
    net, row = town(CHAINS | {"tc": {}})
    width_m = {**dict.fromkeys(row, 5.0), "ta": 20, "ab": 3, "tc": 8, "bc": 7, "db": 6, "ed": 4, "fg": 9}
    metres, where = ways_in.widest(net_of(net, row["ta"]), np.array(list(width_m.values())))
    found = dict(
        zip(row, zip(metres.tolist(), [list(row)[i] if i >= 0 else "" for i in where], strict=True), strict=True)
    )
    assert found["ta"] == (20, "ta")
    assert found["ab"] == (3, "ab")
    assert found["bc"] == (7, "bc")
    assert found["ed"] == (4, "ed")
    assert found["fg"] == (5, found["fg"][1])
    assert np.isnan(found["ij"][0])


def test_the_longest_ring_and_pieces() -> None:
    net, row = town()
    found = ways_in.ways(net_of(net, -1))
    assert [chain for chain, is_ring in zip(row, ways_in.ring(found), strict=True) if is_ring] == [
        "bc",
        "ce",
        "ed",
        "db",
    ]
    piece, long_m = ways_in.pieces(net, np.array([chain in ("ta", "ab", "ij") for chain in row]))
    assert (piece[[0, 1, 10]].tolist(), sorted(long_m.tolist())) == ([piece[0], piece[0], piece[10]], [100, 200])
    none = ways_in.ring(ways_in.ways(net_of(town({"ta": {}, "ab": {}})[0], -1)))
    assert not none.any()


# -- random little towns -----------------------------------------------------------------------------------------------

GROUND = positions("abcd\nefgh\nijkl")


@st.composite
def towns(draw: st.DrawFn) -> tuple[Network, int, np.ndarray]:
    """Streets between twelve crossings, some of them twice, one that leads out, and how wide each is."""
    letters = st.sampled_from("abcdefghijkl")
    drawn = draw(st.lists(st.tuples(letters, letters).filter(lambda ends: ends[0] != ends[1]), min_size=2, max_size=22))
    net = network.build(ways(GROUND, {"".join(pair): {} for pair in drawn}))
    wide = draw(st.lists(st.integers(1, 6), min_size=len(net.u), max_size=len(net.u)))
    return net, draw(st.integers(0, len(net.u) - 1)), np.array(wide, dtype=float)


def drawn_with_middles(given_: Net, keep: np.ndarray | None = None) -> nx.MultiGraph:
    """The net as networkx has it, each link cut in the middle by a spot of its own: ``("mid", link)``."""
    graph = nx.MultiGraph()
    graph.add_nodes_from([given_.root, *(("mid", link) for link in range(len(given_.u)))])
    for link, (u, v) in enumerate(zip(given_.u.tolist(), given_.v.tolist(), strict=True)):
        if keep is None or keep[link]:
            graph.add_edges_from([(u, ("mid", link)), (("mid", link), v)])
    return graph


@settings(max_examples=50, deadline=None)
@given(towns())
def test_networkx_counts_the_same_ways(drawn: tuple[Network, int, np.ndarray]) -> None:
    net, out, _ = drawn
    given_ = net_of(net, out)
    found, graph = ways_in.ways(given_), nx.Graph(drawn_with_middles(given_))
    cut = {frozenset(pair) for pair in nx.bridges(graph)}
    on = np.arange(1.0, len(given_.u) + 1)
    behind = found.behind(on)
    for link in range(len(given_.u)):
        middle = ("mid", link)
        # a loop at the root is the trunk itself; simple graphs hold its two halves as one
        expected = 2 if given_.u[link] == given_.v[link] == given_.root else 0
        if not expected and nx.has_path(graph, middle, given_.root):
            expected = min(nx.edge_connectivity(graph, middle, given_.root), 2)
        assert found.count[link] == expected
        halves = [frozenset((end, middle)) for end in (int(given_.u[link]), int(given_.v[link]))]
        assert found.bridge[link] == (given_.u[link] != given_.v[link] and any(half in cut for half in halves))
        without = nx.Graph(drawn_with_middles(given_, np.arange(len(given_.u)) != link))
        reached = nx.node_connected_component(without, given_.root)
        before = nx.node_connected_component(graph, given_.root)
        lost = [other for other in range(len(on)) if other != link and ("mid", other) in before - reached]
        assert behind[link] == sum(on[other] for other in lost)


@settings(max_examples=50, deadline=None)
@given(towns())
def test_networkx_finds_the_same_widest_ways(drawn: tuple[Network, int, np.ndarray]) -> None:
    net, out, wide = drawn
    given_ = net_of(net, out)
    metres, where = ways_in.widest(given_, wide)
    tree = nx.Graph()
    tree.add_node(given_.root)
    for u, v, w in sorted(
        zip(given_.u.tolist(), given_.v.tolist(), wide.tolist(), strict=True), key=lambda row: row[2]
    ):
        tree.add_edge(u, v, wide=w)  # of streets side by side the widest is added last
    tree = nx.maximum_spanning_tree(tree, weight="wide")
    for link, (u, v) in enumerate(zip(given_.u.tolist(), given_.v.tolist(), strict=True)):
        if not nx.has_path(tree, u, given_.root):
            assert np.isnan(metres[link])
            continue
        ways_ = [nx.shortest_path(tree, end, given_.root) for end in (u, v)]
        best = max(min((tree.edges[pair]["wide"] for pair in nx.utils.pairwise(way)), default=np.inf) for way in ways_)
        assert metres[link] == min(best, wide[link]) == wide[where[link]]


@settings(max_examples=50, deadline=None)
@given(towns())
def test_what_is_left_when_ends_are_taken_away_is_no_dead_end(drawn: tuple[Network, int, np.ndarray]) -> None:
    net, out, _ = drawn
    given_ = net_of(net, out)
    graph = drawn_with_middles(given_)
    graph.add_edge(given_.root, given_.root)  # the root drives on by itself
    ends = [node for node in graph if graph.degree(node) == 1]
    while ends:
        graph.remove_nodes_from(ends)
        ends = [node for node in graph if graph.degree(node) <= 1]
    whole = nx.Graph(drawn_with_middles(given_))
    mouth, far_m = ways_in.dead_ends(given_)
    for link in range(len(given_.u)):
        assert (mouth[link] == ways_in.NONE) == (("mid", link) in graph)
    length = {("mid", link): float(metres) for link, metres in enumerate(given_.length_m)}
    weight = lambda a, b, _: (length.get(a, 0) + length.get(b, 0)) / 2  # noqa: E731
    for link in np.flatnonzero(mouth != ways_in.NONE):
        on = [spot for spot in graph if nx.has_path(whole, ("mid", link), spot)]
        if not on:
            assert np.isnan(far_m[link])
            continue
        straight = min(nx.dijkstra_path_length(whole, ("mid", link), spot, weight=weight) for spot in on)
        assert far_m[link] == pytest.approx(straight - length["mid", link] / 2)
