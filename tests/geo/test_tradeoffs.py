"""From quick to safe: a town whose curve one sees, laws, and every weight against networkx."""

from __future__ import annotations

import networkx as nx
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import ValidationError

from data import standards
from geo import detours, network, splits, tradeoffs
from geo.network import Network
from geo.routing import Graph
from geo.snapping import Snaps
from geo.tradeoffs import Curve, Danger, RouteParams
from tests.geo.drawn import positions, ways
from tests.geo.every_way import City, Trip, cities, snaps
from tests.geo.test_routing import open_graph, place

PARAMS = RouteParams.of(standards.load())

# every side 100 m and 100 s; the place is a, the shelter c; b-c lies under water
#
#   a b c
#   d e f
SPOTS = positions("abc\ndef")
NET = network.build(ways(SPOTS, {"ab": {}, "bc": {}, "be": {}, "ad": {}, "de": {}, "ef": {}, "cf": {}}))
NAMES = ["ab", "bc", "be", "ad", "de", "ef", "cf"]


def exposure(**columns: dict[str, float]) -> pd.DataFrame:
    """A dry town but for what is said: column -> street -> value."""
    dry = {"depth_max_m": 0.0, "share_wet": 0.0, "share_unknown": 0.0, "level_max": np.nan, "share_hit": np.nan}
    table = pd.DataFrame(dry, index=range(len(NAMES)))
    for column, values in columns.items():
        for name, value in values.items():
            table.loc[NAMES.index(name), column] = value
    return table


def danger(table: pd.DataFrame, params: RouteParams = PARAMS) -> Danger:
    return tradeoffs.danger(table, close_depth_m=0.5, params=params)


def curve(
    graph: Graph,
    origin: Snaps,
    doors: Snaps,
    found: Danger,
    params: RouteParams = PARAMS,
    extra_s: np.ndarray | None = None,
) -> Curve:
    split = splits.put_in(splits.enter(graph, doors, extra_s=extra_s), origin)
    return tradeoffs.curve(split, tradeoffs.weigh(graph, found, params=params), params=params)


FLOOD = exposure(depth_max_m={"bc": 0.25, "be": 0.05}, share_wet={"bc": 1.0, "be": 1.0})
A, C = place(NET, (0, 0)), place(NET, (200, 0))


def test_a_flooded_short_way_and_a_dry_long_one() -> None:
    """200 s with 50 s of danger; 400 s by d with none; a-b-e-f-c is as long and wet, so it is no choice."""
    found = curve(open_graph(NET), A, C, danger(FLOOD))
    assert found.table[["walk_s", "danger_s", "depth_max_m"]].to_numpy().tolist() == [[200, 50, 0.25], [400, 0, 0]]
    assert found.table["risk_weight"].tolist() == [0, 10]
    assert found.table["share_exposed"].tolist() == [0.5, 0]
    assert found.sensible == 1, "five minutes more are sensible in any case"
    assert repr(found) == "Curve(200 s at 50, 400 s at 0)"


def test_what_takes_too_long_is_not_sensible() -> None:
    strict = PARAMS.model_copy(update={"longer_minutes": 0.0, "longer_share": 0.5})
    assert curve(open_graph(NET), A, C, danger(FLOOD), strict).sensible == 0
    assert curve(open_graph(NET), A, C, danger(FLOOD), strict.model_copy(update={"longer_share": 1.0})).sensible == 1


def test_a_dry_way_is_the_only_choice_and_no_way_is_none() -> None:
    assert len(curve(open_graph(NET), A, C, danger(exposure()))) == 1
    shut = np.where(np.isin(NAMES, ["ab", "ad"]), np.nan, 100.0)
    none = curve(open_graph(NET, seconds=shut), A, C, danger(FLOOD))
    assert (len(none), none.sensible, len(none.table), repr(none)) == (0, -1, 0, "Curve(no way)")


def test_not_measured_is_not_safe() -> None:
    unknown = exposure(share_unknown={"ab": 1.0}, depth_max_m={"ab": np.nan})
    found = danger(unknown)
    assert found.share[0] == PARAMS.unknown_danger and not found.share[1:].any()
    assert curve(open_graph(NET), A, C, found).measured.share_unknown.tolist() == [0.5, 0]


def test_danger_by_hand() -> None:
    """Half a wet street at half the closing depth: 0.25. Level 4 on half the street: 0.4. Level 5 near: a quarter."""
    table = exposure(
        depth_max_m={"ab": 0.25, "bc": 9}, share_wet={"ab": 0.5, "bc": 1}, level_max={"be": 4, "ad": 5},
        share_hit={"be": 0.5},
    )  # fmt: skip
    assert danger(table).share.tolist() == pytest.approx([0.25, 1, 0.4, PARAMS.near_danger, 0, 0, 0])
    assert not danger(table.assign(**dict.fromkeys(table.columns, np.nan))).share.any(), "nothing is in force"
    assert "4 of 7 streets" in repr(danger(table))


@pytest.mark.parametrize("words", [("1", "3"), ("0", "3", "2"), ("0", "nan"), ("0", "9999"), (), ("0", "x")])
def test_weights_that_do_not_rise_from_0_are_refused(words: tuple[str, ...]) -> None:
    with pytest.raises(ValidationError):
        RouteParams.model_validate({**PARAMS.model_dump(), "risk_weights": words})


def dangers(net: Network, draw: st.DataObject) -> Danger:
    n = len(net.u)
    share = np.array(draw.draw(st.lists(st.sampled_from([0.0, 0.0, 0.1, 0.5, 1.3]), min_size=n, max_size=n)))
    return Danger(share, share / 2, np.full(n, np.nan), np.minimum(share, 1), np.zeros(n))


@settings(max_examples=60, deadline=None)
@given(cities(), st.data())
def test_more_weight_is_never_more_danger_and_none_is_the_quickest(city: City, data: st.DataObject) -> None:
    origin, doors = data.draw(snaps(city.net, rows=1)), data.draw(snaps(city.net, rows=3, places=2))
    extra, risk = np.array([0.0, 4.25, 30.0]), dangers(city.net, data)
    split = splits.put_in(splits.enter(city.graph, doors, extra_s=extra), origin)
    weighed = tradeoffs.weigh(city.graph, risk, params=PARAMS)
    found = tradeoffs.curve(split, weighed, params=PARAMS)
    shortest = Trip(city, origin, doors, extra).shortest_ms()
    assert (len(found) == 0) == (shortest is None)
    if shortest is None:
        return
    costs = [split.weighed(ms, w * risk.share) for w, ms in zip(weighed.weights, weighed.cost_ms, strict=True)]
    each = tradeoffs.measures([way for way in map(detours.quickest, costs) if way is not None], risk)
    assert len(each) == len(weighed.weights)
    # Costs are rounded to the millisecond, street by street.
    assert (np.diff(each.danger_s) <= 0.02).all() and (np.diff(each.walk_s) >= -0.5).all()
    seen = found.measured
    assert seen.walk_s[0] == pytest.approx(shortest / 1000, abs=0.004)
    assert seen.danger_s.min() == pytest.approx(each.danger_s.min(), abs=0.02)
    assert (np.diff(seen.walk_s) >= 0).all() and (np.diff(found.weights) >= 0).all()
    better = (np.diff(seen.danger_s) < 0) | (np.diff(seen.depth_max_m) < 0)
    assert better.all(), "who takes longer is better in something"
    assert seen.danger_s[found.sensible] <= seen.danger_s[0]


@settings(max_examples=60, deadline=None)
@given(cities(turns=0), st.data())
def test_each_weight_costs_what_networkx_finds(city: City, data: st.DataObject) -> None:
    """From node to node, one weight at a time: the way's time and weighted danger add up to the least there is."""
    net, risk = city.net, dangers(city.net, data)
    start, end = (data.draw(st.integers(0, len(net.x) - 1)) for _ in range(2))
    weight = data.draw(st.sampled_from([1.0, 3.0, 10.0, 30.0]))
    town: nx.MultiDiGraph[int] = nx.MultiDiGraph()
    town.add_nodes_from(range(len(net.x)))
    for seconds, a, b in ((city.forward_s, net.u, net.v), (city.backward_s, net.v, net.u)):
        for e in np.flatnonzero(~np.isnan(seconds)).tolist():
            ms = round(seconds[e] * 1000)
            town.add_edge(int(a[e]), int(b[e]), ms=ms + round(ms * weight * risk.share[e]))
    doors = splits.enter(city.graph, at_node(net, end))
    split = splits.put_in(doors, at_node(net, start))
    weighed = tradeoffs.weigh(city.graph, risk, params=PARAMS.model_copy(update={"risk_weights": ("0", f"{weight:g}")}))
    found = detours.quickest(split.weighed(weighed.cost_ms[1], weight * risk.share))
    if not nx.has_path(town, start, end):
        assert found is None
        return
    assert found is not None
    cost = sum(round(s * 1000) + round(round(s * 1000) * weight * risk.share[e])
               for s, e in zip(found.seconds.tolist(), found.edge.tolist(), strict=True))  # fmt: skip
    assert cost == nx.dijkstra_path_length(town, start, end, weight="ms")


def at_node(net: Network, node: int) -> Snaps:
    edge = int(np.flatnonzero((net.u == node) | (net.v == node))[0])
    along = 0.0 if net.u[edge] == node else float(net.length_m[edge])
    return Snaps(np.zeros(1, dtype=np.int64), np.array([edge]), np.array([along]), np.zeros(1))
