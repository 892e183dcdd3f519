"""Corridors that join every shelter twice: drawn, by law, and against a solver of whole numbers."""

from __future__ import annotations

import itertools
from dataclasses import dataclass, replace

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.optimize import Bounds, LinearConstraint, milp
from scipy.sparse import coo_array

from data import standards
from geo import lifeline_map, lifelines, network
from geo.errors import ColumnError
from geo.lifelines import LifelineParams, Lifelines
from geo.network import Network
from geo.snapping import Snaps
from geo.trunk_roads import CorridorParams
from geo.usable import Usable
from tests.geo.drawn import positions, ways
from tests.geo.every_way import letter
from tests.geo.test_critical import at_1_ms
from tests.geo.test_routing import place

PARAMS = LifelineParams.of(standards.load())
CORRIDOR = CorridorParams.of(standards.load()).model_copy(update={"trunk_least_m": 0.0})
PLAIN = PARAMS.model_copy(update={"keep_cost_m": 1.0, "widen_cost_m2": 1.0})
MAIN = {"highway": "primary"}


@dataclass
class Drawn:
    """A town, and what is asked of it."""

    net: Network
    clear_m: np.ndarray
    doors: Snaps
    asks: list[str]

    @property
    def trunk(self) -> np.ndarray:
        return lifelines.trunk_of(self.net, self.clear_m, params=CORRIDOR)

    def found(self, *, usable: Usable | None = None, params: LifelineParams = PLAIN) -> Lifelines:
        table = pd.DataFrame({"terminal_id": [f"t{i}" for i in range(len(self.asks))], "asks": self.asks})
        return lifelines.connect(
            usable or at_1_ms(self.net), self.clear_m, self.trunk, table, self.doors, params=params,
            corridor=CORRIDOR,
        )  # fmt: skip


def town(drawing: str, chains: dict[str, dict[str, str]], *spots: tuple[float, float], asks: str = "e") -> Drawn:
    net = network.build(ways(positions(drawing), chains))
    wanted = [{"e": "emergency", "f": "fixed"}[kind] for kind in (asks * len(spots))[: len(spots)]]
    return Drawn(net, np.full(len(net.u), 10.0), place(net, *spots), wanted)


# a trunk road a-b-c on top, two streets down to a ring road's lower side
#
#   a  b  c
#   d  e  f
RING = "abc\ndef"
STREETS: dict[str, dict[str, str]] = {"abc": MAIN, "ad": {}, "be": {}, "cf": {}, "de": {}, "ef": {}}


def test_from_mid_street_the_corridor_leaves_by_both_ends() -> None:
    found = town(RING, STREETS, (50, -100)).found()
    assert (found.cost, found.bound, found.closed) == (300.0, 300.0, True)
    assert found.terminals[["ways", "length_1_m", "length_2_m"]].to_numpy().tolist() == [[2, 150, 150]]
    rows = found.corridors.set_index("street_id")
    assert set(rows.index) == {"w2-0", "w3-0", "w5-0"}
    assert rows.loc["w5-0", ["from_m", "to_m"]].to_numpy().tolist() == [[0, 50], [50, 100]]
    assert (found.corridors["terminals"] == 1).all() and (found.corridors["short_m"] == 0).all()
    assert "two ways that share no street, 150 m and 150 m" in found.terminals["text_en"][0]


def test_what_two_share_is_paid_once() -> None:
    alone = [town(RING, STREETS, at).found().cost for at in ((50, -100), (150, -100))]
    both = town(RING, STREETS, (50, -100), (150, -100)).found()
    assert alone == [300, 300] and both.cost == both.bound == 400
    assert (both.terminals["ways"] == 2).all() and "w3-0" not in set(both.corridors["street_id"])


def test_behind_a_single_street_it_is_joined_once_and_the_street_is_named() -> None:
    behind = town(RING + "\ng h", STREETS | {"dg": {"name": "桥路"}, "gh": {}}, (100, -200))
    found = behind.found()
    row = found.terminals.iloc[0]
    assert (row["ways"], row["reason"], row["bottleneck"]) == (1, "single_street", "w7-0; w8-0")
    # 200 m to the ring, 150 m more to the trunk at the nearest; beyond the single street there are two ways
    assert found.cost == 200 + 100 + 200 and row["length_1_m"] == 300 and row["length_2_m"] == 400
    assert "桥路 (w7-0)" in row["text_en"] and "必须经过桥路（w7-0）" in row["text_zh"]
    assert [f.code for f in lifeline_map.findings(found)] == ["lifelines_joined_once"]


def test_two_dead_ends_of_one_site_are_two_ways() -> None:
    drawn = town("abc\nd f", {"abc": MAIN, "ad": {}, "cf": {}}, (0, -100), (200, -100))
    one_site = replace(drawn, doors=Snaps(np.zeros(2, np.int64), *(getattr(drawn.doors, n) for n in
                                          ("edge", "along_m", "off_m"))), asks=["emergency"])  # fmt: skip
    assert one_site.found().terminals["ways"].tolist() == [2] and one_site.found().cost == 200
    assert drawn.found().terminals["ways"].tolist() == [1, 1]


def test_those_who_cannot_be_joined_are_told_why_and_none_is_dropped() -> None:
    chains = STREETS | {"gh": {}, "fk": {"highway": "steps"}, "kl": {}}
    drawn = town(RING + "\ngh k\n   l", chains, (50, -200), (300, -250), (50, 0), (50, -100))
    doors = Snaps(np.r_[drawn.doors.place, 4], *(np.r_[a, b] for a, b in (
        (drawn.doors.edge, -1), (drawn.doors.along_m, np.nan), (drawn.doors.off_m, np.nan))))  # fmt: skip
    found = replace(drawn, doors=doors, asks=["emergency"] * 5).found()
    assert found.terminals["reason"].tolist() == ["cut_off", "too_narrow", "on_trunk", "joined", "no_door"]
    assert found.terminals["ways"].tolist() == [0, 0, 2, 2, 0]
    assert found.terminals["length_1_m"].isna().tolist() == [True, True, False, False, True]
    assert drawn.found(usable=at_1_ms(drawn.net)).terminals["terminal_id"].tolist() == ["t0", "t1", "t2", "t3"]
    none = replace(drawn, clear_m=np.full(len(drawn.net.u), 3.0))
    table = pd.DataFrame({"terminal_id": ["x"], "asks": ["fixed"]})
    nowhere = lifelines.connect(at_1_ms(drawn.net), none.clear_m, np.zeros(len(drawn.net.u), bool), table,
                                drawn.doors.where(drawn.doors.place == 0), params=PLAIN, corridor=CORRIDOR)  # fmt: skip
    assert nowhere.terminals["reason"].tolist() == ["no_trunk"] and nowhere.cost == 0


def test_a_street_is_as_wide_as_the_widest_asks_and_widening_is_paid() -> None:
    drawn = town(RING, STREETS, (50, -100), (150, -100), asks="ef")
    drawn.clear_m[:] = [10, 10, 5, 5, 5, 5, np.nan]
    found = drawn.found()
    rows = found.corridors.groupby("street_id").first()
    assert rows.loc["w2-0", "class"] == "emergency" and rows.loc["w4-0", "class"] == "fixed"
    # the shelter for nights goes by e-f, b-e, c-f (7 m) or over the west; what is not known counts as 2 m short
    assert rows["short_m"].to_dict()["w4-0"] == 2 and rows["short_m"].isna().to_dict()["w6-0"]
    assert found.cost == pytest.approx(found.bound) and found.cost == min(_by_hand())
    shown = lifeline_map.layer(found, drawn.net, drawn.clear_m, params=CORRIDOR)
    assert shown.crs == drawn.net.crs and set(shown["state"]) == {"wide_enough", "widen", "not_known"}
    told = shown[(shown["class"] == "fixed") & (shown["state"] == "widen")]["text_en"].tolist()
    assert all("widen by up to 2.0 m over 100 m" in text for text in told)
    assert shown[shown["class"] == "trunk"]["short_m"].tolist() == [5.0]


def _by_hand() -> list[float]:
    """Cost of the two networks that make sense: both by the outer streets, or each by its own pair."""
    fixed, five = 100 * (1 + 2), 100.0
    unknown = 100 * (1 + 2)
    outer = five + five + unknown + fixed + (100 * 3)
    own = five + five + fixed + fixed + unknown
    return [outer, own]


def test_nothing_asked_costs_nothing_and_has_its_columns() -> None:
    found = town(RING, STREETS).found()
    assert (found.cost, found.bound, found.gap) == (0, 0, 0)
    assert {n: str(found.corridors[n].dtype) for n in lifelines.CORRIDORS} == lifelines.CORRIDORS
    assert {n: str(found.terminals[n].dtype) for n in lifelines.TERMINALS} == lifelines.TERMINALS
    shown = lifeline_map.layer(found, town(RING, STREETS).net, np.full(7, 20.0), params=CORRIDOR)
    assert list(shown.columns) == [*lifeline_map.LAYER, "geometry"]


def test_what_does_not_fit_together_is_refused_at_once() -> None:
    drawn = town(RING, STREETS, (50, -100))
    table = pd.DataFrame({"terminal_id": ["x"], "asks": ["strange"]})
    with pytest.raises(ColumnError, match="strange"):
        lifelines.connect(
            at_1_ms(drawn.net), np.zeros(2), drawn.trunk, table, drawn.doors, params=PLAIN, corridor=CORRIDOR
        )


# -- laws and oracles --------------------------------------------------------------------------------------------------


@st.composite
def towns(draw: st.DrawFn, *, nodes: int = 7, streets: int = 12, terminals: int = 4) -> Drawn:
    """Streets between any two of a few nodes, one of them trunk; terminals with one or two doors anywhere."""
    n = draw(st.integers(3, nodes))
    spots = {letter(i): (600_000.0 + 300 * np.cos(i * 2.4), 5_800_000.0 + 300 * np.sin(i * 2.4)) for i in range(n)}
    every = st.tuples(st.integers(0, n - 1), st.integers(0, n - 1)).filter(lambda ends: ends[0] != ends[1])
    chains = {letter(0) + letter(1): MAIN}
    for k, (a, b) in enumerate(draw(st.lists(every, min_size=3, max_size=streets))):
        spots[letter(100 + k)] = (600_000.0 + 37.0 * k, 5_800_500.0 + 29.0 * (k % 5))
        chains[letter(a) + letter(100 + k) + letter(b)] = draw(st.sampled_from([{}, {}, {}, {"highway": "footway"}]))
    net = network.build(ways(spots, chains))
    clear = draw(st.lists(st.sampled_from([1.0, 3.2, 4.0, 6.5, 9.0]), min_size=len(net.u), max_size=len(net.u)))
    count = draw(st.integers(1, terminals))
    place_of = np.array([*range(count), *draw(st.lists(st.integers(0, count - 1), max_size=2))], dtype=np.int64)
    edge = np.array(draw(st.lists(st.integers(0, len(net.u) - 1), min_size=len(place_of), max_size=len(place_of))))
    share = np.array(draw(st.lists(st.sampled_from([0, 0.3, 0.5, 1]), min_size=len(place_of), max_size=len(place_of))))
    doors = Snaps(place_of, edge, share * net.length_m[edge], np.zeros(len(edge)))
    asks = draw(st.lists(st.sampled_from(lifelines.CLASSES), min_size=count, max_size=count))
    return Drawn(net, np.array(clear), doors, asks)


@dataclass
class Plain:
    """The same town as a list of pieces, made without the module's own cutting: what each may cost at each class."""

    ends: list[tuple[object, object]]
    key: list[tuple[int, float]]
    cost: list[list[float]]
    doors: list[list[object]]

    @classmethod
    def of(cls, drawn: Drawn) -> Plain:
        net = drawn.net
        root = {int(i) for e in np.flatnonzero(drawn.trunk) for i in (net.u[e], net.v[e])}
        prices = lifelines._prices(net, drawn.clear_m, CORRIDOR.needs_m, PLAIN)
        at: dict[int, list[float]] = {e: [0.0, float(net.length_m[e])] for e in range(len(net.u))}
        for edge, along in zip(drawn.doors.edge, drawn.doors.along_m, strict=True):
            at[int(edge)].append(float(along))

        def node(edge: int, along: float) -> object:
            if drawn.trunk[edge]:
                return "root"
            ends = {0.0: int(net.u[edge]), float(net.length_m[edge]): int(net.v[edge])}
            spot = ends.get(along, (edge, along))
            return "root" if spot in root else spot

        made = cls([], [], [], [[] for _ in drawn.asks])
        for edge in np.flatnonzero(~drawn.trunk):
            cuts = sorted(set(at[int(edge)]))
            for low, high in itertools.pairwise(cuts):
                made.ends.append((node(int(edge), low), node(int(edge), high)))
                made.key.append((int(edge), low))
                made.cost.append([round(p * (high - low) * 1000) / 1000 if np.isfinite(p) else np.inf
                                  for p in prices[edge]])  # fmt: skip
        for place_, edge, along in zip(drawn.doors.place, drawn.doors.edge, drawn.doors.along_m, strict=True):
            made.doors[int(place_)].append(node(int(edge), float(along)))
        return made

    def joined(self, terminal: int, pieces: list[int]) -> int:
        """Ways from the terminal to the root that share no piece, at most two (networkx)."""
        if "root" in self.doors[terminal]:
            return 2
        graph = nx.DiGraph()
        graph.add_nodes_from(["root", "terminal"])
        for door in self.doors[terminal]:
            graph.add_edge("terminal", door, capacity=2)
        for p in pieces:
            for a, b in (self.ends[p], self.ends[p][::-1]):
                if a != b:
                    more = graph.get_edge_data(a, b, {"capacity": 0})["capacity"]
                    graph.add_edge(a, b, capacity=more + 1)
        return min(int(nx.maximum_flow_value(graph, "terminal", "root")), 2)

    def allowed(self, level: int) -> list[int]:
        return [p for p in range(len(self.ends)) if np.isfinite(self.cost[p][level])]


def least(plain: Plain, asks: list[int]) -> float:
    """The cheapest network by a solver of whole numbers: two units of flow for each terminal."""
    m, row = len(plain.ends), 0
    entries: list[tuple[int, int, float]] = []
    right: list[tuple[float, float]] = []
    names = sorted({str(e) for ends in plain.ends for e in ends} | {str(d) for doors in plain.doors for d in doors})
    terminals = [
        t for t in range(len(asks)) if plain.joined(t, plain.allowed(asks[t])) and "root" not in plain.doors[t]
    ]
    upper, single = [1.0] * (2 * m), {}
    for t in terminals:
        free = plain.allowed(asks[t])
        single[t] = {p for p in free if plain.joined(t, [q for q in free if q != p]) == 0}
    width = 2 * m
    for t in terminals:
        begin, door = width, width + 2 * m
        width = door + len(set(map(str, plain.doors[t])))
        upper += [2.0] * (width - begin)
        balance: dict[str, list[tuple[int, float]]] = {name: [] for name in names}
        for p, (a, b) in enumerate(plain.ends):
            for k, (tail, head) in enumerate(((a, b), (b, a))):
                balance[str(tail)].append((begin + 2 * p + k, -1.0))
                balance[str(head)].append((begin + 2 * p + k, 1.0))
            room = 2.0 if p in single[t] else 1.0
            for column, value in ((begin + 2 * p, -1.0), (begin + 2 * p + 1, -1.0), (2 * p + asks[t], room)):
                entries.append((row, column, value))
            right.append((0.0, np.inf))
            row += 1
        for k, name in enumerate(sorted(set(map(str, plain.doors[t])))):
            balance[name].append((door + k, 1.0))
        for name in names:
            for column, value in balance[name]:
                entries.append((row, column, value))
            right.append((2.0, 2.0) if name == "root" else (0.0, 0.0))
            row += 1
    for p in range(m):
        for column, value in ((2 * p, 1.0), (2 * p + 1, -1.0)):
            entries.append((row, column, value))
        right.append((0.0, np.inf))
        row += 1
        for level in range(2):
            if not np.isfinite(plain.cost[p][level]):
                upper[2 * p + level] = 0.0
    price = np.zeros(width)
    for p in range(m):
        low, high = (c if np.isfinite(c) else 0.0 for c in plain.cost[p])
        price[2 * p], price[2 * p + 1] = low, max(high - low, 0.0)
    rows, cols, data = (np.array(column) for column in zip(*entries, strict=True))
    matrix = coo_array((data, (rows.astype(int), cols.astype(int))), shape=(row, width)).tocsr()
    whole = np.r_[np.ones(2 * m), np.zeros(width - 2 * m)]
    found = milp(price, integrality=whole, bounds=Bounds(np.zeros(width), np.array(upper)),
                 constraints=LinearConstraint(matrix, *np.array(right).T), options={"mip_rel_gap": 0.0})  # fmt: skip
    assert found.status == 0, found.message
    return float(found.fun)


@settings(max_examples=60, deadline=None)
@given(towns())
def test_the_cost_lies_between_the_least_and_what_the_bound_allows(drawn: Drawn) -> None:
    found, plain = drawn.found(), Plain.of(drawn)
    best = least(plain, [lifelines.CLASSES.index(kind) for kind in drawn.asks])
    assert found.bound <= best + 1e-3 and best <= found.cost + 1e-3
    assert found.cost <= best / max(1 - found.gap, 1e-9) + 1e-3 and found.cost <= 1.1 * best + 1e-3


@settings(max_examples=60, deadline=None)
@given(towns(nodes=9, streets=18, terminals=5))
def test_ways_are_as_many_as_the_streets_allow_and_stay_when_any_corridor_is_lost(drawn: Drawn) -> None:
    found, plain = drawn.found(), Plain.of(drawn)
    spot = {key: p for p, key in enumerate(plain.key)}
    bought = {
        spot[edge, low]: lifelines.CLASSES.index(kind)
        for edge, low, kind in found.corridors[["edge", "from_m", "class"]].itertuples(index=False)
    }
    for t, (kind, told) in enumerate(zip(drawn.asks, found.terminals["ways"], strict=True)):
        level = lifelines.CLASSES.index(kind)
        mine = [p for p, wide in bought.items() if wide >= level]
        assert told == plain.joined(t, plain.allowed(level)) == plain.joined(t, mine)
        if told == 2:
            assert all(plain.joined(t, [q for q in mine if q != p]) >= 1 for p in mine)
        if told == 1:
            needed = {p for p in mine if plain.joined(t, [q for q in mine if q != p]) == 0}
            free = plain.allowed(level)
            assert needed == {p for p in free if plain.joined(t, [q for q in free if q != p]) == 0}
    assert found.cost >= found.bound - 1e-9
    assert found.cost == pytest.approx(sum(plain.cost[p][level] for p, level in bought.items()))


@settings(max_examples=40, deadline=None)
@given(towns(nodes=9, streets=18, terminals=5), st.randoms(use_true_random=False))
def test_the_order_of_terminals_changes_nothing(drawn: Drawn, chance: object) -> None:
    order = list(range(len(drawn.asks)))
    chance.shuffle(order)  # type: ignore[attr-defined]
    where = np.argsort(order)
    rows = np.array(chance.sample(range(len(drawn.doors)), len(drawn.doors)))  # type: ignore[attr-defined]
    doors = Snaps(
        where[drawn.doors.place[rows]], drawn.doors.edge[rows], drawn.doors.along_m[rows], np.zeros(len(rows))
    )
    one, other = drawn.found(), replace(drawn, doors=doors, asks=[drawn.asks[t] for t in order]).found()
    assert (one.cost, one.bound) == (other.cost, other.bound)
    pd.testing.assert_frame_equal(
        one.corridors.drop(columns="terminal_ids"), other.corridors.drop(columns="terminal_ids")
    )
    told = one.terminals.drop(columns="terminal_id").iloc[order].reset_index(drop=True)
    pd.testing.assert_frame_equal(told, other.terminals.drop(columns="terminal_id"))


@settings(max_examples=40, deadline=None)
@given(towns(nodes=9, streets=18, terminals=5))
def test_one_terminal_more_never_lowers_the_bound(drawn: Drawn) -> None:
    last = len(drawn.asks) - 1
    fewer = replace(drawn, doors=drawn.doors.where(drawn.doors.place < last), asks=drawn.asks[:-1])
    assert fewer.found().bound <= drawn.found().bound + 1e-3
