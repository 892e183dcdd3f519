"""Who stays for nights: the displaced, in shelters of a tier that stays open, as far as that tier serves."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import nights, readied, situation
from geo.city import City, PlanParams
from geo.displaced import DISPLACED, PEOPLE
from geo.nights import HOUSED, UNHOUSED
from geo.situation import Situation
from tests.geo.test_plan import DEFAULTS, FLOOD, NORMAL, box, changed_to, city, water

AT_C = water(*[(column, row) for column in range(17, 22) for row in range(3, 6)])
"""Over the home of 100 people east of c, beside the bridge: five of them cannot go home."""


def town(*, tiers: list[str | None], capacity: list[float]) -> City:
    """A park at the end of the bridge and one beside a, each of a tier and with so much room declared."""
    drawn = city(AT_C, shelters=[box(395, -5, 50), box(0, 20, 50)])
    return replace(drawn, shelters=drawn.shelters.assign(tier=tiers, capacity=capacity))


def found(of: City, params: PlanParams = DEFAULTS) -> Situation:
    return situation.of(readied.prepare(of, params=params), FLOOD)


def test_emergency_sites_house_nobody() -> None:
    now = found(town(tiers=["emergency", "emergency"], capacity=[500, 500]))
    told = situation.demand(now)
    home = told["people_displaced"].to_numpy()
    assert home[2] > 0 and not home[[0, 1, 3]].any()
    assert told[HOUSED].tolist() == [0, 0, 0, 0] and told[UNHOUSED].tolist() == home.tolist()
    assert told["stay_id"].isna().all() and told["stay_s"].isna().all()


def test_the_displaced_stay_in_the_nearest_of_a_lasting_tier_and_walk_on_when_it_is_full() -> None:
    now = found(town(tiers=["short", "short"], capacity=[2, 500]), changed_to(DEFAULTS, "refuge", household=1))
    told, sites = situation.demand(now), now.shelters
    assert sites["stay_capacity_people"].tolist() == [2, 500]
    everybody = int(told["people_displaced"].sum())
    assert sites["stay_people"].tolist() == [2, everybody - 2]
    assert (told[HOUSED].sum(), told[UNHOUSED].sum()) == (everybody, 0)
    assert told["stay_id"][2] == "shelters1" and told["stay_s"][2] > 200
    units = nights.by_community(told, pd.Series(["communities0", "communities1", "nowhere"]))
    assert units[HOUSED].tolist() == [0, everybody, 0]
    assert nights.headline(told) == {HOUSED: everybody, UNHOUSED: 0}


def test_a_tier_serves_no_farther_than_its_rule_says() -> None:
    near = changed_to(DEFAULTS, "tiers", short_m=200.0)
    now = found(town(tiers=["short", "short"], capacity=[2, 500]), near)
    assert now.shelters["stay_people"].tolist() == [2, 0]
    assert situation.demand(now)[UNHOUSED].sum() == situation.demand(now)["people_displaced"].sum() - 2


def test_they_come_before_the_water_closes_the_way_but_not_into_a_shelter_that_it_takes() -> None:
    """All streets between home and shelters are under water; the way is that of an ordinary day."""
    closed = water(*[(column, row) for column in range(0, 24) for row in range(3, 6)])
    both = town(tiers=["short", "short"], capacity=[500, 500])
    now = found(replace(both, hazards={"flood": closed}))
    sites = now.shelters.set_index("shelter_id")
    assert sites["reason_code"].tolist() == ["usable", "flooded"]
    assert sites["stay_people"]["shelters1"] == 0
    assert sites["stay_people"]["shelters0"] == situation.demand(now)["people_displaced"].sum() > 0


def test_without_a_hazard_and_where_nobody_is_displaced_nobody_stays() -> None:
    base = readied.prepare(replace(city(water())), params=DEFAULTS)
    for scenario in (NORMAL, FLOOD):
        now = situation.of(base, scenario)
        assert now.nights is None
        assert situation.demand(now)[[HOUSED, UNHOUSED]].to_numpy().tolist() == [[0, 0]] * 4
        assert now.shelters["stay_people"].tolist() == [0]


def test_where_the_displaced_are_not_known_who_has_a_place_is_not_either() -> None:
    everybody = readied.prepare(city(), params=DEFAULTS).seekers
    columns = {name: [np.nan] * 4 for name in DISPLACED.values()}
    met = pd.DataFrame({PEOPLE: [3.0, np.nan, 0.0, 2.0]} | columns)
    assert nights.seekers(everybody, met, params=DEFAULTS).people.tolist() == [3, 0, 0, 2]
    told = nights.at_places(None, met, np.array([], dtype=object))
    assert told[HOUSED].tolist() == pytest.approx([0, np.nan, 0, 0], nan_ok=True)
    of = pd.DataFrame({"community_id": ["a", "b", "b", "b"], HOUSED: told[HOUSED], UNHOUSED: told[UNHOUSED]})
    units = nights.by_community(of, pd.Series(["a", "b", "c"]))
    assert units[HOUSED].tolist() == [0, 0, 0]
    unknown = nights.by_community(of.iloc[1:2], pd.Series(["b"]))
    assert unknown[HOUSED].isna().all()


@settings(max_examples=8, deadline=None)
@given(st.tuples(st.integers(0, 4), st.integers(0, 4)))
def test_the_displaced_are_conserved_and_no_shelter_is_overfull(room: tuple[int, int]) -> None:
    now = found(town(tiers=["short", "mid"], capacity=[float(people) for people in room]))
    told, sites = situation.demand(now), now.shelters
    assert (told[HOUSED] + told[UNHOUSED]).tolist() == told["people_displaced"].tolist()
    assert sites["stay_people"].sum() == told[HOUSED].sum()
    assert (sites["stay_people"] <= sites["stay_capacity_people"]).all()
    assert told[HOUSED].sum() == min(told["people_displaced"].sum(), sites["stay_capacity_people"].sum())
