"""One scenario's state of the drawn town: what an ordinary day is, what a hazard takes, and whose walk is counted."""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import readied, situation
from geo.city import Scenario
from geo.readied import Base
from tests.geo.test_plan import DEFAULTS, FLOOD, LOW, NORMAL, RIVER, box, changed_to, city, water


def test_an_ordinary_day_is_not_computed_again() -> None:
    base = readied.prepare(city(RIVER), params=DEFAULTS)
    now = situation.of(base, NORMAL)
    assert now.refuge is base.normal and now.ways is base.usable and now.nights is None and now.combined is None
    assert repr(now).startswith("Situation(normal: Refuge(Assigned(1111 people")


def test_where_the_hazard_takes_nothing_it_is_as_on_an_ordinary_day() -> None:
    base = readied.prepare(city(water()), params=DEFAULTS)
    dry, usual = situation.of(base, FLOOD), situation.of(base, NORMAL)
    columns = ["walk_s", "shelter_id", "state", "people_served"]
    assert situation.demand(dry)[columns].equals(situation.demand(usual)[columns])
    assert dry.sites["usable"].tolist() == usual.sites["usable"].tolist()
    assert not dry.met["exposed"].any()


def test_what_the_low_street_takes() -> None:
    now = situation.of(readied.prepare(city(LOW), params=DEFAULTS), FLOOD)
    told = situation.demand(now)
    assert told["state"].tolist() == ["served", "served", "served", "street_closed"]
    assert told["lost_way"].tolist() == [False, False, False, True]
    assert told["in_reach_normal"].all() and told["people_served_normal"].tolist() == [1, 10, 100, 1000]
    sites = now.shelters
    assert (sites["people"].tolist(), sites["load_share"].tolist()) == ([111], [111 / 3000])
    now_s, before_s = now.legs
    assert (now_s.people.tolist(), before_s.people.tolist()) == ([1, 10, 100], [1, 10, 100, 1000])
    assert not np.isnan(now_s.walk_s).any() and not np.isnan(before_s.walk_s).any()


def test_where_room_is_not_counted_no_share_is_told() -> None:
    free = changed_to(DEFAULTS, "refuge", room="unlimited")
    sites = situation.of(readied.prepare(city(), params=free), NORMAL).shelters
    assert sites["load_share"].isna().all() and not sites["capacity_limits"].any()


@lru_cache(maxsize=2)
def with_room(people: int) -> Base:
    """The town without hazards, with a park of 500 in the west and so much room in the east."""
    town = city(shelters=[box(395, -5, 50), box(0, 20, 30)])
    held = replace(town, shelters=town.shelters.assign(capacity=[float(people), 500.0]))
    return readied.prepare(held, params=DEFAULTS)


CELLS = st.lists(st.tuples(st.integers(0, 27), st.integers(2, 12)), max_size=12)


@settings(max_examples=25, deadline=None)
@given(CELLS, CELLS, st.sampled_from([90, 1200]))
def test_more_water_serves_no_more_and_loses_nobody(less: list, more: list, room: int) -> None:
    two = {"a": water(*less), "b": water(*less, *more)}
    base = replace(with_room(room), hazards=two)
    found = [situation.of(base, Scenario(name, hazards=(name,))) for name in two]
    served = [now.refuge.assigned.served for now in found]
    assert served[1] <= served[0] <= base.normal.assigned.served
    for now in found:
        told, sites = situation.demand(now), now.shelters
        assert (told["people_served"] + told["people_unserved"]).tolist() == [1, 10, 100, 1000]
        assert told["people_served"].sum() == sites["people"].sum()
        assert (sites["people"] <= sites["capacity_people"]).all() and not sites["people"][~sites["usable"]].any()
        assert ((told["people_unserved"] == 0) == (told["state"] == "served")).all()
