"""Who finds refuge where, on the town of ``test_evacuation``: states, room, and what is told of shelters."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from data import standards
from geo import refuge, snapping, usable
from geo.network import Network
from geo.refuge import Pace, Refuge, RefugeParams, Seekers, Shelters
from tests.geo.test_evacuation import HOMES, PARAMS, RULES, SHELTER, points, town, water

LED = RefugeParams.of(standards.load()).model_copy(update={"household": 1.0})


def found(
    net: Network, homes: np.ndarray, sites: np.ndarray, people: list[int], room: list[int], *,
    depth: np.ndarray | None = None, minutes: float = 15, first: list[int] | None = None, params: RefugeParams = LED,
) -> tuple[Seekers, Refuge]:  # fmt: skip
    faced = [] if depth is None else [water(depth)]
    usual = usable.streets(net, PARAMS, rules=RULES, island_m=0)
    now = usable.streets(net, PARAMS, rules=RULES, island_m=0, faced=faced, normal=usual)
    places = snapping.snap(net, homes, usable=usual.usable, max_m=50)
    doors = snapping.entrances(net, sites, usable=usual.usable, max_m=50, spread_m=0)
    doors = doors.where(doors.found & now.usable[doors.edge])
    rows = np.arange(len(people))
    who = Seekers(places, np.array(people), np.array(first or 0 * rows), rows < 0, rows)
    pace = Pace(minutes * 60, PARAMS.speed_ms)
    there = Shelters(doors, doors, np.array(room, dtype=np.int64), np.arange(len(room)))
    return who, refuge.find(now, who, there, pace=pace, params=params)


def told(
    net: Network, homes: np.ndarray, sites: np.ndarray, people: list[int], room: list[int], **more: object
) -> list:
    who, now = found(net, homes, sites, people, room, **more)
    _, normal = found(net, homes, sites, people, room)
    return refuge.states(who, now, normal.walks).tolist()


def test_every_state_of_a_flooded_town() -> None:
    homes = points((0, 10), (70, 5), (430, 0), (150, 500), (175, 5), (178, 5))
    wet = np.where(np.isin(np.arange(7), [1, 3]), 2.0, 0.0)
    states = told(town(), homes, SHELTER, [1, 1, 1, 1, 1, 1], [1], depth=wet)
    assert states == ["cut_off", "street_closed", "no_shelter", "not_snapped", "full", "served"]


def test_who_has_no_street_and_lives_beyond_the_streets_is_outside_the_data() -> None:
    who, now = found(town(), points((5000, 0)), SHELTER, [3], [9])
    beyond = Seekers(who.places, who.people, who.first, np.array([True]), who.name)
    assert refuge.states(beyond, now, now.walks).tolist() == ["outside_data"]


def test_the_limit_itself_is_within() -> None:
    for minutes, state in ((210 / 60, "served"), (209.9 / 60, "too_far")):
        assert told(town(), HOMES[:1], SHELTER, [5], [9], minutes=minutes) == [state]


def test_without_shelters_nobody_is_served_and_nobody_is_lost() -> None:
    who, now = found(town(), HOMES, points(), [1, 2, 3], [])
    assert refuge.states(who, now, now.walks).tolist() == ["no_shelter", "no_shelter", "not_snapped"]
    assert now.assigned.unserved.tolist() == [1, 2, 3]
    assert not now.on_streets.along.any()


def test_served_people_fill_the_streets_of_their_way() -> None:
    _, now = found(town(), HOMES, SHELTER, [3, 5, 7], [9])
    assert (now.on_streets.along + now.on_streets.against).tolist() == [3, 3, 3, 0, 0, 0, 0]


def test_people_go_on_to_the_next_shelter_when_the_nearest_is_full() -> None:
    """d takes two of five; the others turn back to a."""
    sites = points((180, -20), (0, -5))
    who, now = found(town(), points((170, 5)), sites, [5], [2, 9])
    assert (now.assigned.site.tolist(), now.assigned.people.tolist()) == ([0, 1], [2, 3])
    shelter, walk_s = now.main
    assert (shelter.tolist(), walk_s.tolist()) == ([1], [pytest.approx(5 + 170 + 5)])
    here = pd.Series(["x"], dtype=object)
    inside = refuge.in_shelters(who, now, here, pd.Series(["x", "y"], dtype=object))
    assert inside.to_dict("list") == {
        "people": [2, 3], "people_nearest": [5, 0], "people_from_elsewhere": [0, 3],
    }  # fmt: skip
    place, seconds, people = now.legs()
    assert (place.tolist(), seconds.tolist(), people.tolist()) == ([0, 0], [35, 180], [2, 3])


def test_the_first_are_served_first() -> None:
    homes = points((175, 5), (0, 10))
    _, now = found(town(), homes, SHELTER, [4, 4], [4], first=[1, 3])
    assert now.assigned.unserved.tolist() == [3, 1]
    assert now.assigned.unserved_first.tolist() == [0, 0]


def test_room_in_people() -> None:
    capacity, usable_ = np.array([10.9, np.nan, 5.0]), np.array([True, True, False])
    assert refuge.rooms(capacity, usable_, params=LED, people=100).tolist() == [10, 101, 0]
    strict = LED.model_copy(update={"unknown_room": "none"})
    assert refuge.rooms(capacity, usable_, params=strict, people=100).tolist() == [10, 0, 0]
    free = LED.model_copy(update={"room": "unlimited"})
    assert refuge.rooms(capacity, usable_, params=free, people=100).tolist() == [101, 101, 0]


def test_who_goes_first_is_counted_once() -> None:
    demand = pd.DataFrame({
        "people": [10, 10, 10], "people_60plus": [3.0, np.nan, 6.0], "people_80plus": [1.0, np.nan, 2.0],
        "people_0_14": [2.0, 4.0, 5.0], "people_disabled": [1.0, np.nan, np.nan],
    })  # fmt: skip
    assert refuge.first_served(demand, params=LED).tolist() == [5, 4, 10]
    assert refuge.first_served(demand[["people"]], params=LED).tolist() == [0, 0, 0]


PLACES = st.lists(st.tuples(st.floats(-30, 480), st.floats(-150, 30), st.integers(0, 9)), min_size=1, max_size=8)
ROOMS = st.lists(st.integers(0, 12), min_size=2, max_size=2)
TWO = points((180, -20), (60, -125))


@settings(max_examples=40, deadline=None)
@given(PLACES, ROOMS, st.floats(1, 20), st.floats(0, 20))
def test_people_are_conserved_no_shelter_is_overfull_and_a_longer_walk_serves_no_fewer(
    rows: list[tuple[float, float, int]], room: list[int], minutes: float, more: float
) -> None:
    homes, people = points(*[(x, y) for x, y, _ in rows]), [n for _, _, n in rows]
    served = []
    for limit in (minutes, minutes + more):
        _, now = found(town(), homes, TWO, people, room, minutes=limit)
        load = now.assigned.load(2)
        assert load.sum() + now.assigned.unserved.sum() == sum(people)
        assert (load <= room).all()
        assert now.assigned.gap_ms == 0
        served.append(load.sum())
    assert served[0] <= served[1]


@settings(max_examples=30, deadline=None)
@given(PLACES, ROOMS, st.lists(st.floats(0, 2), min_size=7, max_size=7))
def test_a_flood_never_serves_more(rows: list[tuple[float, float, int]], room: list[int], depth: list[float]) -> None:
    homes, people = points(*[(x, y) for x, y, _ in rows]), [n for _, _, n in rows]
    _, dry = found(town(), homes, TWO, people, room)
    _, wet = found(town(), homes, TWO, people, room, depth=np.array(depth))
    assert wet.assigned.served <= dry.assigned.served


@settings(max_examples=30, deadline=None)
@given(PLACES)
def test_with_room_for_all_everybody_goes_to_the_nearest(rows: list[tuple[float, float, int]]) -> None:
    homes, people = points(*[(x, y) for x, y, _ in rows]), [n for _, _, n in rows]
    _, now = found(town(), homes, TWO, people, [999, 999])
    walk_s = now.walks.walk_s[now.assigned.place]
    assert now.assigned.cost_ms / 1000 == pytest.approx(walk_s, abs=2e-3)
