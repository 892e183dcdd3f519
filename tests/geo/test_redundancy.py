"""N-1 of shelters and stations: drawn, and against taking each away in turn."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import assignment, redundancy, routing
from geo.pairs import Pairs
from geo.parts import Parts
from geo.redundancy import Two
from tests.geo.every_way import City, cities, snaps
from tests.geo.test_routing import open_graph, place, town

MINUTE = 60_000

# two places, two sites: the first site is a minute from both, the second three minutes from place 0 only
PAIRS = Pairs.of(
    np.array([0, 0, 1]), np.array([0, 1, 0]), np.array([1, 3, 1]) * MINUTE, places=2, sites=3
)  # fmt: skip


def without_each(pairs: Pairs, people: np.ndarray, room: np.ndarray, *, lost_minutes: float) -> pd.DataFrame:
    now = assignment.assign(pairs, people, room)

    def solve(some: Pairs) -> assignment.Assigned:
        return assignment.assign(some, people, room)

    return redundancy.without_each(now, pairs, solve, lost_minutes=lost_minutes)


def test_a_lost_shelter_sends_its_people_to_the_other_or_leaves_them() -> None:
    people, room = np.array([10, 5]), np.array([100, 8, 50])
    found = without_each(PAIRS, people, room, lost_minutes=15)
    assert found["people"].tolist() == [15, 0, 0]
    # eight of place 0 walk two minutes more; two of it and five of place 1 are left, who walked a minute
    assert found["people_unserved"].tolist() == [7, 0, 0]
    assert found["people_minutes"].tolist() == [8 * 2 - 7 * 1 + 7 * 15, 0, 0]
    assert found["substitute"].tolist() == ["no", None, None]


def test_only_shelters_with_people_are_solved_for_and_only_those_asked() -> None:
    asked, (people, room) = [], (np.array([10, 5]), np.array([12, 8, 50]))
    now = assignment.assign(PAIRS, people, room)

    def solve(pairs: Pairs) -> assignment.Assigned:
        asked.append(len(pairs))
        return assignment.assign(pairs, people, room)

    every = redundancy.without_each(now, PAIRS, solve, lost_minutes=15)
    assert asked == [1, 2] and every["substitute"].tolist() == ["no", "no", None]
    some = redundancy.without_each(now, PAIRS, solve, lost_minutes=15, which=np.array([2, 1]))
    assert some["site"].tolist() == [2, 1]
    assert some["people_minutes"].tolist() == every["people_minutes"].tolist()[:0:-1]
    nothing = redundancy.without_each(now, PAIRS, solve, lost_minutes=15, which=np.zeros(0, dtype=np.int64))
    assert len(nothing) == 0 and {c: str(t) for c, t in nothing.dtypes.items()} == redundancy.SHELTER_COLUMNS


@settings(max_examples=40, deadline=None)
@given(st.data())
def test_a_lost_shelter_never_serves_more(data: st.DataObject) -> None:
    rows = data.draw(
        st.lists(st.tuples(*(st.integers(0, n) for n in (4, 3, 20))), max_size=15, unique_by=lambda r: r[:2])
    )
    place_, site, minutes = (np.array([row[i] for row in rows], dtype=np.int64) for i in range(3))
    pairs = Pairs.of(place_, site, minutes * MINUTE, places=5, sites=4)
    people = np.array(data.draw(st.lists(st.integers(0, 9), min_size=5, max_size=5)), dtype=np.int64)
    room = np.array(data.draw(st.lists(st.integers(0, 15), min_size=4, max_size=4)), dtype=np.int64)
    found = without_each(pairs, people, room, lost_minutes=15)
    now = assignment.assign(pairs, people, room)
    for row in found.itertuples():
        gone = assignment.assign(pairs, people, np.where(np.arange(4) == row.site, 0, room))
        assert row.people_unserved == gone.unserved.sum() - now.unserved.sum() >= 0
        more = (gone.person_ms - now.person_ms) / MINUTE + 15 * row.people_unserved
        assert row.people_minutes == pytest.approx(more)
        assert (row.substitute == "yes") == (row.people > 0 and row.people_unserved == 0)


# -- stations --------------------------------------------------------------------------------------------------------


def test_the_second_station_of_a_block() -> None:
    net = town()
    graph = open_graph(net)
    stations, homes = place(net, (0, 0), (200, 0)), place(net, (30, 0), (200, -90), (100, -50))
    two = redundancy.two_nearest(
        graph.reverse, graph, stations, homes, extra_s=np.array([0.0, 5.0]), last_s=np.array([1.0, 0.0, 0.0])
    )
    assert two.station.tolist() == [[0, 1], [1, 0], [0, 1]]
    assert two.time_s.tolist() == [[31, 176], [95, 290], [150, 155]]
    assert two.within(150).tolist() == [1, 1, 1] and two.within(155).tolist() == [1, 1, 2]
    found = redundancy.without_each_station(two, np.array([4, 2, 3]), stations=3, limit_s=200, lost_minutes=15)
    assert found["people"].tolist() == [7, 2, 0] and found["people_only"].tolist() == [0, 2, 0]
    assert found["people_minutes"].tolist() == pytest.approx([(4 * 145 + 3 * 5) / 60, 30, 0])
    assert found["added_s_mean"].tolist() == pytest.approx([(4 * 145 + 3 * 5) / 7, 195, np.nan], nan_ok=True)
    assert found["added_s_max"].tolist() == pytest.approx([145, 195, np.nan], nan_ok=True)
    assert found["substitute"].tolist() == ["yes", "no", None]


def test_a_single_station_has_no_substitute_and_none_serves_nobody() -> None:
    net = town()
    graph = open_graph(net)
    homes = place(net, (30, 0))
    for stations, expected in ((place(net, (0, 0)), [1]), (place(net), [])):
        two = redundancy.two_nearest(
            graph.reverse, graph, stations, homes, extra_s=np.zeros(len(stations)), last_s=np.zeros(1)
        )
        found = redundancy.without_each_station(two, np.array([1]), stations=len(stations), limit_s=60, lost_minutes=15)
        assert found["people_only"].tolist() == expected and np.isnan(two.time_s[:, 1]).all()
        assert {c: str(t) for c, t in found.dtypes.items()} == redundancy.STATION_COLUMNS


@settings(max_examples=60, deadline=None)
@given(st.data())
def test_the_two_nearest_are_those_of_one_search_a_station(data: st.DataObject) -> None:
    city: City = data.draw(cities())
    homes, stations = data.draw(snaps(city.net, rows=4)), data.draw(snaps(city.net, rows=4, places=3))
    extra, last = np.array([0.0, 3.0, 1.0, 0.0]), np.array([0.0, 1.5, 0.0, 2.0])
    two = redundancy.two_nearest(city.graph.reverse, city.graph, stations, homes, extra_s=extra, last_s=last)
    each = np.full((4, 3), np.nan)
    for station in range(3):
        mine = stations.place == station
        forest = routing.nearest(city.graph.reverse, stations.where(mine), extra_s=extra[mine])
        starts = routing.join(city.graph, forest, homes, stations.where(mine), extra_s=extra[mine])
        each[:, station] = routing.seconds(starts.cost_ms) + last
    order = np.argsort(np.where(np.isnan(each), np.inf, each), axis=1, kind="stable")[:, :2]
    expected = np.take_along_axis(each, order, axis=1)
    assert np.array_equal(two.time_s, expected, equal_nan=True)
    assert np.array_equal(two.station, np.where(np.isnan(expected), -1, order))


# -- communities -----------------------------------------------------------------------------------------------------


def test_the_share_with_two_in_reach() -> None:
    homes = Parts(np.array([0, 0, 1, -1]), 3)
    two = Two(np.array([[1.0, 2.0], [1.0, np.nan], [9.0, 9.0], [1.0, 1.0]]), np.zeros((4, 2), dtype=np.int64))
    counts = {"shelter": np.array([2, 1, 5, 2]), "fire": two.within(8)}
    found = redundancy.two_shares(counts, np.array([3, 1, 4, 9]), homes)
    assert list(found.columns) == ["shelter_two_share", "fire_two_share"]
    assert found["shelter_two_share"].tolist() == pytest.approx([0.75, 1, np.nan], nan_ok=True)
    assert found["fire_two_share"].tolist() == pytest.approx([0.75, 0, np.nan], nan_ok=True)
