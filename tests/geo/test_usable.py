"""The streets as each profile finds them, on cities solved by eye."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.parameters import changed
from data import standards
from geo import network, usable
from geo.city import PlanParams
from geo.hazards import Grid, Hazard
from geo.network import Network
from geo.profiles import ProfileParams
from geo.usable import Usable
from tests.geo.drawn import CRS, ORIGIN, positions, ways

PARAMS = PlanParams.of(standards.load())
WALK, CAR, ENGINE = PARAMS.walk, PARAMS.car, PARAMS.fire_engine

# a roundabout f-g-k-j (drawn clockwise), a motorway a-f, a footway g-d, a gate at h, an island y-z
#
#   a    d
#     fg h l
#     jk   yz
TOWN = positions("a    d\n  fg h l\n  jk   yz")
CHAINS: dict[str, dict[str, str]] = {
    "af": {"highway": "motorway"},
    "fgkjf": {"highway": "primary", "junction": "roundabout"},
    "gd": {"highway": "footway"},
    "ghl": {"highway": "residential"},
    "yz": {"highway": "residential"},
}
NET = network.build(ways(TOWN, CHAINS, barriers={"h": {"barrier": "gate", "locked": "yes"}}))


def edge(net: Network, ends: str) -> int:
    """The edge drawn from one letter's node to another's."""
    at = {int(node): i for i, node in enumerate(net.node_id)}
    found = np.flatnonzero((net.u == at[ord(ends[0])]) & (net.v == at[ord(ends[1])]))
    return int(found[0])


def found(profile: ProfileParams, net: Network = NET, **more: object) -> Usable:
    return usable.streets(net, profile, rules=PARAMS, island_m=150, **more)  # type: ignore[arg-type]


def seconds(ways_: Usable, ends: str) -> list[float]:
    at = edge(ways_.network, ends)
    return [float(s[at]) for s in (ways_.passage.forward_s, ways_.passage.backward_s)]


def test_walkers() -> None:
    walk = found(WALK)
    assert seconds(walk, "gd") == pytest.approx([np.hypot(200, 100) / WALK.speed_ms] * 2)
    assert walk.closed[edge(NET, "af")] == "motor_road" and np.isnan(seconds(walk, "af")).all()
    assert not np.isnan(seconds(walk, "fg")).any(), "a roundabout is no one-way street to walkers"
    assert (walk.passage.obeys_turns, walk.passage.vehicle) == (False, None)


def test_cars() -> None:
    car = found(CAR)
    assert car.closed[edge(NET, "gd")] == "not_for_vehicles"
    for one_way in ("af", "fg", "gf"):
        there, back = seconds(car, one_way)
        assert there > 0 and np.isnan(back)
    assert (car.passage.obeys_turns, car.passage.vehicle) == (True, "motorcar")


def test_the_locked_gate_opens_to_the_fire_engine_only() -> None:
    gate = int(NET.barrier_node[0])
    assert [bool(found(p).passage.barred[gate]) for p in (WALK, CAR, ENGINE)] == [True, True, False]


def test_islands_lead_nowhere_and_stay_so_under_a_hazard() -> None:
    car = found(CAR)
    assert np.flatnonzero(car.island).tolist() == [edge(NET, "yz")]
    assert (car.joined == (car.usable & ~car.island)).all()
    grid = Grid(np.full((1, 1), 2.0), (9000.0, 0, ORIGIN[0] - 4000, 0, -9000.0, ORIGIN[1] + 4000), CRS)
    drowned = [found(CAR, faced=[Hazard("h", "flood", "m", grid)], normal=n) for n in (car, None)]
    for wet in drowned:
        assert not wet.usable.any() and (wet.island == car.island).all()


def test_the_graph_has_the_open_arcs() -> None:
    for profile in (CAR, ENGINE):
        # the motorway, the roundabout, the two streets at the gate, and the island
        assert len(found(profile).graph.head) == 1 + 2 + 4 + 2
    car, engine = found(CAR).graph, found(ENGINE).graph
    assert len(car) == engine.nodes + 2, "at the gate each of the two streets ends by itself for the car"
    assert len(engine) == engine.nodes


# no left turn from ab into bd
#
#   a b c
#     d
CROSSING = positions("abc\n d")


def test_turn_restrictions_bind_the_car_and_not_the_fire_engine() -> None:
    drawn = ways(CROSSING, {"ab": {}, "bc": {}, "bd": {}})
    row = (1, "no_left_turn", 1, ord("b"), (), 3, None, None, None)
    drawn.restrictions.loc[0] = list(row)
    net = network.build(drawn)
    states = [len(found(p, net).graph) - len(net.x) for p in (CAR, ENGINE, WALK)]
    assert states == [1, 0, 0]
    assert found(CAR, net).turns_not_placed == 0


def test_time_lost_at_junctions() -> None:
    late = changed(PARAMS, {"car.junction_s": 10}, where="test")
    net = network.build(ways(CROSSING, {"ab": {}, "bc": {}, "bd": {}}))
    plain, slow = (usable.passage(net, rules.car, rules=rules) for rules in (PARAMS, late))
    into, out = edge(net, "ab"), edge(net, "bc")
    assert slow.forward_s[into] - plain.forward_s[into] == pytest.approx(10)
    assert slow.backward_s[into] == plain.backward_s[into], "nothing is lost at a dead end"
    assert slow.backward_s[out] - plain.backward_s[out] == pytest.approx(10)


def test_slopes_and_the_hour_come_through() -> None:
    net = network.build(ways(CROSSING, {"ab": {"access:conditional": "no @ (07:00-09:00)"}, "bc": {}, "bd": {}}))
    climb = np.array([np.nan, 10.0, np.nan])
    up = usable.passage(net, WALK, rules=PARAMS, climb=climb)
    assert up.forward_s[1] > up.backward_s[1] == pytest.approx(100 / WALK.speed_ms)
    early = changed(PARAMS, {"time.clock": "Mo 08:00"}, where="test")
    assert usable.passage(net, CAR, rules=early).closed.tolist() == ["no_access", None, None]
    assert usable.passage(net, CAR, rules=PARAMS).closed.tolist() == [None, None, None]


def test_what_the_map_says_wrongly_is_counted() -> None:
    net = network.build(ways(CROSSING, {"ab": {"access:conditional": "no @ wet"}, "bcd": {}}))
    rules = changed(PARAMS, {"time.clock": "Mo 08:00"}, where="test")
    assert usable.passage(net, CAR, rules=rules).not_understood == 1
    assert usable.passage(net, CAR, rules=PARAMS).not_understood == 0


def test_no_streets() -> None:
    none = found(CAR, network.build(ways({}, {})))
    assert len(none.graph.head) == len(none.closed) == 0
    assert repr(none.passage) == "Passage(0 of 0 edges open to motorcar)"


tags = st.fixed_dictionaries(
    {
        "highway": st.sampled_from(["motorway", "primary", "residential", "footway", "steps", "construction", "track"]),
        "oneway": st.sampled_from([None, "yes", "-1", "no", "reversible"]),
        "access": st.sampled_from([None, "no", "private", "yes"]),
        "surface": st.sampled_from([None, "sand", "asphalt", "sett"]),
        "maxspeed": st.sampled_from([None, "30", "none", "walk"]),
        "maxheight": st.sampled_from([None, "2.2", "4"]),
        "wheelchair": st.sampled_from([None, "yes", "no"]),
    }
)
everybody = st.sampled_from(["walk", "elderly", "stroller", "wheelchair", "car", "fire_engine", "ambulance"])


@given(everybody, tags)
def test_a_street_is_open_in_some_direction_or_says_why_not(name: str, said: dict[str, str | None]) -> None:
    net = network.build(ways(CROSSING, {"ab": {k: v for k, v in said.items() if v}}))
    got = usable.passage(net, getattr(PARAMS, name), rules=PARAMS)
    moves = np.isfinite(got.forward_s) | np.isfinite(got.backward_s)
    assert (moves == got.usable).all()
    assert (np.r_[got.forward_s, got.backward_s][np.isfinite(np.r_[got.forward_s, got.backward_s])] > 0).all()


@given(tags)
def test_whoever_is_smaller_passes_where_the_larger_does(said: dict[str, str | None]) -> None:
    net = network.build(ways(CROSSING, {"ab": {k: v for k, v in said.items() if v}}))
    small = ENGINE.model_copy(update={"height_m": 2.0, "width_m": 1.5, "weight_t": 1.0})
    large, lower = (usable.passage(net, p, rules=PARAMS).usable for p in (ENGINE, small))
    assert (lower | ~large).all()
