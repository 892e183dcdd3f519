"""What the loss of a street costs: drawn, by law, and against closing every street and walking anew."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import closures, critical, evacuation, network, routing
from geo.critical import Critical, CriticalParams
from geo.network import Network
from geo.snapping import Snaps
from geo.usable import Passage, Usable
from tests.geo.drawn import positions, ways
from tests.geo.every_way import City, Trip, cities, snaps
from tests.geo.test_routing import place

PARAMS = CriticalParams.of(standards.load()).model_copy(update={"rank_by": "all"})
EVERY = PARAMS.model_copy(update={"streets": 1000})
MINUTES = 15.0

# two banks, one bridge b-e of two segments with a lane off it at m; homes in the west, the shelter in the east
#
#   a b m e f      and a footbridge c - d far to the south
#
#     c   d
BANKS = positions("abmef\n.\n.\n.\n.\n.\n.\n cn d")
BRIDGE = {"highway": "residential", "bridge": "yes", "name": "桥"}
TWO_BANKS: dict[str, dict[str, str]] = {"ab": {}, "bme": BRIDGE, "mn": {}, "ef": {}, "bc": {}, "cd": {}, "de": {}}


def open_ways(net: Network, forward_s: np.ndarray, backward_s: np.ndarray, **more: object) -> Usable:
    """Streets with these times, for walkers."""
    shut = np.isnan(forward_s) & np.isnan(backward_s)
    edges, nodes = np.zeros(len(net.u)), np.zeros(len(net.x), dtype=bool)
    passage = Passage(forward_s, backward_s, np.where(shut, "closed", None).astype(object), nodes, True, None, edges, 0)
    graph = routing.graph(net, forward_s, backward_s, **more)  # type: ignore[arg-type]
    return Usable(net, passage, graph, edges.astype(bool), 0)


def weighed(
    ways_: Usable, homes: Snaps, doors: Snaps, people: np.ndarray, *, minutes: float = MINUTES,
    params: CriticalParams = EVERY,
) -> Critical:  # fmt: skip
    walks = evacuation.walk_to_nearest(ways_, homes, doors, speed_ms=1.0)
    return critical.weigh(walks, doors, people, max_minutes=minutes, speed_ms=1.0, params=params)


def at_1_ms(net: Network) -> Usable:
    return open_ways(net, net.length_m, net.length_m)


def rows(found: Critical, homes: int) -> dict[str, object]:
    table = critical.table(found, pd.Series(["k"] * homes, dtype=object))
    return {row["street_id"]: row for _, row in table.iterrows()}


def test_the_one_bridge_of_two_banks_costs_the_most() -> None:
    net = network.build(ways(BANKS, TWO_BANKS))
    homes, doors = place(net, (30, 0), (60, 0)), place(net, (350, 0))
    found = rows(weighed(at_1_ms(net), homes, doors, np.array([4, 2])), 2)
    bridge = found["w2-0"]
    # by the footbridge it is 700 m down, 300 m over, 707 m up instead of 200 m over: beyond a quarter of an hour
    assert (bridge["people"], bridge["people_lost"], bridge["people_later"]) == (6, 6, 0)
    assert bridge["people_minutes"] == 6 * 15 and bridge["street_ids"] == "w2-0 w2-1" and bridge["bridge"]
    assert (bridge["length_m"], bridge["name"], bridge["geometry"].geom_type) == (200, "桥", "LineString")
    # who lives on the first street loses it with it; so does who enters from the last
    assert found["w1-0"]["people_living"] == 6 and found["w1-0"]["people_minutes"] == 90
    assert found["w4-0"]["people_lost"] == 6 and found["w4-0"]["people_living"] == 0
    assert set(found) == {"w1-0", "w2-0", "w4-0"}


def test_with_more_time_the_way_round_is_what_the_bridge_costs() -> None:
    net = network.build(ways(BANKS, TWO_BANKS))
    homes, doors = place(net, (30, 0), (60, 0)), place(net, (350, 0))
    found = rows(weighed(at_1_ms(net), homes, doors, np.array([4, 2]), minutes=60.0), 2)
    longer = 700 + 300 + np.hypot(100, 700) - 200
    bridge = found["w2-0"]
    assert (bridge["people_lost"], bridge["people_later"]) == (0, 6)
    assert bridge["people_minutes"] == pytest.approx(6 * longer / 60, rel=1e-6)
    assert bridge["added_s_mean"] == bridge["added_s_max"] == pytest.approx(longer, abs=0.01)
    assert found["w1-0"]["people_minutes"] == 6 * 60 and np.isnan(found["w1-0"]["added_s_max"])


def test_the_segments_of_a_bridge_are_lost_together_and_nothing_else_is() -> None:
    chains = {"ab": BRIDGE, "bm": {}, "me": BRIDGE, "ef": {**BRIDGE, "bridge": "no"}}
    net = network.build(ways(BANKS, chains | {"mn": {}, "cd": BRIDGE, "nd": BRIDGE}))
    assert critical.together(net).tolist() == [0, 1, 2, 3, 4, 5, 6]
    whole = network.build(ways(BANKS, TWO_BANKS))
    assert critical.together(whole).tolist() == [0, 1, 1, 2, 3, 4, 5, 6]
    cut = replace(whole, way=np.array([0, 1, 2, 3, 1, 4, 5, 6]))
    assert critical.together(cut).tolist() == [0, 1, 2, 3, 4, 5, 6, 7]


LADDER = positions("abcd\nefgh", step_m=60)
RUNGS: dict[str, dict[str, str]] = {"abcd": {}, "efgh": {}, "ae": {}, "bf": {}, "cg": {}, "dh": {}}


def test_a_ladder_has_a_way_round_every_rung() -> None:
    net = network.build(ways(LADDER, RUNGS))
    homes, doors = place(net, (0, -30)), place(net, (180, -30))
    found = rows(weighed(at_1_ms(net), homes, doors, np.array([10])), 1)
    # along one side of 180 m each segment costs two rungs at most: none here, because both sides are as long
    assert {name: row["people_minutes"] for name, row in found.items()} == {"w3-0": 150, "w6-0": 150}


def test_a_closure_forces_down_a_rung_and_up_again() -> None:
    net = network.build(ways(LADDER, RUNGS))
    homes, doors = place(net, (30, 0)), place(net, (150, 0))
    found = rows(weighed(at_1_ms(net), homes, doors, np.array([3])), 1)
    assert found["w1-1"]["people_minutes"] == 3 * 120 / 60 and found["w1-1"]["people_later"] == 3


def test_nobody_or_nothing_gives_an_empty_table_with_its_columns() -> None:
    net = network.build(ways(LADDER, RUNGS))
    nowhere = place(net)
    for homes, doors in ((nowhere, place(net, (0, 0))), (place(net, (0, 0)), nowhere)):
        found = weighed(at_1_ms(net), homes, doors, np.ones(len(homes), dtype=np.int64))
        table = critical.table(found, pd.Series(["k"] * len(homes), dtype=object))
        assert len(table) == 0 and list(table.columns) == [*critical.COLUMNS, "geometry"]
        assert {name: str(table[name].dtype) for name in critical.COLUMNS} == critical.COLUMNS


def test_the_worst_community_is_named() -> None:
    net = network.build(ways(BANKS, TWO_BANKS))
    homes, doors = place(net, (-0, 0), (30, 0), (60, 0)), place(net, (350, 0))
    found = weighed(at_1_ms(net), homes, doors, np.array([1, 2, 3]))
    table = critical.table(found, pd.Series(["x", "y", "x"], dtype=object)).set_index("street_id")
    bridge = table.loc["w2-0"]
    assert (bridge["communities"], bridge["community_id"], bridge["community_people_minutes"]) == (2, "x", 60.0)


# -- laws and oracles ----------------------------------------------------------------------------------------------


def town_of(data: st.DataObject) -> tuple[City, Snaps, Snaps, np.ndarray]:
    city = data.draw(cities())
    homes = data.draw(snaps(city.net, rows=data.draw(st.integers(1, 6))))
    doors = data.draw(snaps(city.net, rows=data.draw(st.integers(1, 4)), places=2))
    people = np.array(data.draw(st.lists(st.integers(0, 5), min_size=len(homes), max_size=len(homes))))
    return city, homes, doors, people


def ways_of(city: City, without: int | None = None) -> Usable:
    gone = np.arange(len(city.net.u)) == without
    forward, backward = (np.where(gone, np.nan, s) for s in (city.forward_s, city.backward_s))
    return open_ways(city.net, forward, backward, forbidden=city.forbidden)


def still(city: City, doors: Snaps, without: int | None = None) -> Snaps:
    return doors.where(ways_of(city, without).usable[doors.edge])


def loss_ms(old: np.ndarray, new: np.ndarray, people: np.ndarray, limit_ms: int, lost_ms: int) -> tuple[int, int]:
    """Person-milliseconds and people lost, place by place; costs of -1: no way."""
    total = lost = 0
    for before, after, n in zip(old.tolist(), new.tolist(), people.tolist(), strict=True):
        if not 0 <= before <= limit_ms:
            continue
        gone = not 0 <= after <= limit_ms
        lost += n * gone
        total += n * (lost_ms if gone else after - before)
    return total, lost


@settings(max_examples=60, deadline=None)
@given(st.data(), st.sampled_from([1.0, 3.0, 15.0]))
def test_every_street_costs_what_walking_anew_without_it_does(data: st.DataObject, minutes: float) -> None:
    city, homes, doors, people = town_of(data)
    found = weighed(ways_of(city), homes, still(city, doors), people, minutes=minutes)
    now = evacuation.walk_to_nearest(ways_of(city), homes, still(city, doors), speed_ms=1.0)
    limit_ms = round(minutes * 60_000)
    for edge in range(len(city.net.u)):
        group = found.group[edge]
        without = evacuation.walk_to_nearest(ways_of(city, edge), homes, still(city, doors, edge), speed_ms=1.0)
        costs = (now.starts.cost_ms, without.starts.cost_ms)
        expected = loss_ms(*costs, people, limit_ms, found.lost_ms)
        assert (found.losses.ms[group], found.losses.lost[group]) == expected
        assert found.bounds.least_ms[group] <= expected[0] <= found.bounds.most_ms[group]
        if not found.bounds.people[group]:
            assert expected == (0, 0)


@settings(max_examples=20, deadline=None)
@given(st.data())
def test_every_street_costs_what_trying_every_way_says(data: st.DataObject) -> None:
    city, homes, doors, people = town_of(data)
    found = weighed(ways_of(city), homes, still(city, doors), people)

    def ms(without: int | None) -> np.ndarray:
        left = still(city, doors, without)
        gone = np.arange(len(city.net.u)) == without
        open_city = replace(
            city, forward_s=np.where(gone, np.nan, city.forward_s), backward_s=np.where(gone, np.nan, city.backward_s)
        )
        trips = [
            Trip(open_city, homes.where(np.arange(len(homes)) == i), left, np.zeros(len(left)))
            for i in range(len(homes))
        ]
        shut = ~ways_of(city, without).usable[homes.edge]
        found_ms = [None if closed else trip.shortest_ms() for trip, closed in zip(trips, shut, strict=True)]
        return np.array([-1 if cost is None else cost for cost in found_ms])

    before = ms(None)
    for edge in range(len(city.net.u)):
        total, lost = loss_ms(before, ms(edge), people, 900_000, found.lost_ms)
        # A share of a street is rounded to milliseconds once here and once there.
        assert found.losses.ms[found.group[edge]] == pytest.approx(total, abs=4 * int(people.sum()))
        assert found.losses.lost[found.group[edge]] == lost


@settings(max_examples=40, deadline=None)
@given(st.data(), st.integers(1, 4))
def test_the_first_ranks_are_those_of_trying_all(data: st.DataObject, count: int) -> None:
    city, homes, doors, people = town_of(data)
    way = (ways_of(city), homes, still(city, doors), people)
    every, few = weighed(*way), weighed(*way, params=EVERY.model_copy(update={"streets": count}))
    assert few.ranked.tolist() == every.ranked[:count].tolist() and few.proven.all()
    assert few.losses.tried.sum() <= every.losses.tried.sum()
    hasty = weighed(*way, params=EVERY.model_copy(update={"streets": count, "tries": 1}))
    first = hasty.ranked[hasty.proven].tolist()
    assert first == every.ranked[: len(first)].tolist()


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_losing_two_streets_never_costs_less_than_losing_one(data: st.DataObject) -> None:
    city, homes, doors, people = town_of(data)
    walks = evacuation.walk_to_nearest(ways_of(city), homes, still(city, doors), speed_ms=1.0)

    def cost(group: np.ndarray) -> np.ndarray:
        tree = closures.tree(walks, still(city, doors), people, group=group, limit_s=900, speed_ms=1.0)
        tops = closures.tops(tree, int(group.max()) + 1)
        most = np.full(len(tops.first) - 1, 1)
        return closures.costliest(tree, tops, most, count=100, tries=100, lost_ms=900_000).ms

    apart = np.arange(len(city.net.u))
    pair = data.draw(st.lists(st.sampled_from(apart.tolist()), min_size=1, max_size=2))
    both, single, whole = np.where(np.isin(apart, pair), pair[0], apart), cost(apart), cost(np.zeros_like(apart))
    assert (single >= 0).all()
    assert single[pair].max() <= cost(both)[pair[0]] <= whole[0]


@settings(max_examples=30, deadline=None)
@given(st.data())
def test_the_order_of_places_and_doors_changes_nothing(data: st.DataObject) -> None:
    city, homes, doors, people = town_of(data)
    left = still(city, doors)
    one = weighed(ways_of(city), homes, left, people)
    order = np.array(data.draw(st.permutations(range(len(homes)))))
    turned = Snaps(np.arange(len(homes)), homes.edge[order], homes.along_m[order], homes.off_m[order])
    back = left.where(np.arange(len(left))[::-1])
    two = weighed(ways_of(city), turned, back, people[order])
    assert one.ranked.tolist() == two.ranked.tolist()
    assert one.losses.ms.tolist() == two.losses.ms.tolist()
