"""Who is at risk now, and after each stage: the drawn town by hand, and everybody counted once at each."""

from __future__ import annotations

from dataclasses import replace
from functools import cache

import numpy as np
import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from geo import conversions, land, situation, stages, tables
from geo.city import Scenario
from geo.land import Land
from geo.parts import Parts
from geo.stages import CAUSES, STAGES, Stages
from tests.geo import drawn_land as town
from tests.geo.drawn_land import box, table, water


def staged(found: Land) -> Stages:
    now = situation.of(found.base, Scenario("normal"))
    return stages.of(found, conversions.of(now, let=found.let))


@cache
def drawn() -> Stages:
    return staged(town.drawn())


def at(name: str) -> int:
    """The row of the place of those who live in a house."""
    return [home for home, (*_, people) in town.HOUSES.items() if people].index(name)


def test_whoever_lives_on_ground_to_yield_is_at_risk_now_and_moved_then() -> None:
    found = drawn()
    moved = {name for name, (*_, people) in town.HOUSES.items() if people and found.moved[at(name)]}
    assert moved == {"in the strip", "at the fuel", "in deep water", "near the fault"}
    assert found.moved.sum() == 6 + 8 + 10 + 12
    for name in moved:
        people = town.HOUSES[name][3]
        assert found.people[:, at(name)].tolist() == [people, 0, 0, 0]
    # The park takes everybody, and a fire engine gets to the free house only as far as 30 m off the street:
    passes = town.drawn().protected.buildings["passes"].to_numpy()
    rows = town.drawn().base.building_rows
    for name, (*_, people) in town.HOUSES.items():
        if people and name not in moved:
            reached = passes[rows[at(name)]] and name != "in water"
            assert found.people[0, at(name)] == (0 if reached else people), name
    assert found.causes["hazard"][:, at("in water")].tolist() == [town.HOUSES["in water"][3]] * 4
    assert found.causes["yield"].sum(axis=1).tolist() == [36, 0, 0, 0]


def test_the_headline_counts_people_buildings_and_facilities() -> None:
    found, told = drawn(), stages.headline(drawn())
    assert told["people_moved"] == 36 and told["people_at_risk_now"] == found.people[0].sum() >= 36
    passes = town.drawn().protected.buildings["passes"].to_numpy()
    let = (town.drawn().layers["buildings"]["verdict"] == "let").to_numpy()
    wet = town.drawn().layers["buildings"]["rules"].fillna("").str.contains("flood").to_numpy()
    assert told["buildings_at_risk_now"] == (let | wet | ~passes).sum()
    assert told["buildings_at_risk_let"] == (~let & (wet | ~passes)).sum()
    # The hospital by the fault; the station is no reason against itself.
    assert [told[f"facilities_at_risk_{stage}"] for stage in STAGES] == [1, 0, 0, 0]


def test_communities_come_to_the_headline() -> None:
    found, base = drawn(), town.drawn().base
    ids = base.communities["community_id"]
    told = stages.by_community(found, Parts.named(base.community_id, ids), ids.index)
    assert told.columns.tolist() == [
        *(f"people_at_risk_{stage}" for stage in STAGES), *(f"people_at_risk_{cause}_now" for cause in CAUSES),
        "people_moved",
    ]  # fmt: skip
    assert told["people_moved"].tolist() == [16, 20]
    headline = stages.headline(found)
    assert {name: told[name].sum() for name in told} == {name: headline[name] for name in told}


def require_laws(found: Land, told: Stages) -> None:
    """At every stage those at risk, moved and safe are everybody; nobody comes to be at risk by a stage."""
    people = found.base.people.demand["people"].to_numpy()
    assert (told.people >= 0).all() and (np.diff(told.people, axis=0) <= 0).all()
    assert (told.people[1:] + told.moved <= people).all() and (told.people[0] <= people).all()
    verdict = land.verdicts_of_people(found)
    assert (told.moved == np.where(verdict == "let", people, 0)).all()
    assert told.moved.sum() == found.headline["people_in_let"]
    assert (np.maximum.reduce([*told.causes.values()]) == told.people).all()
    for table_ in (told.buildings, told.facilities):
        assert not (table_[1:] & ~table_[:-1]).any()


QUICK = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(deadline=None, phases=QUICK, max_examples=3)
@given(st.integers(0, 30), st.integers(0, 20), st.booleans())
def test_every_city_keeps_the_laws(x: int, y: int, candidate: bool) -> None:
    sites = [box(*town.PARK), box(320, 320, 360, 360)][: 1 + candidate]
    shelters = table(
        tables.SHELTERS, sites, kind=["park"] * len(sites), tier=["emergency"] * len(sites),
        origin=["official", "candidate"][: len(sites)], area_m2=[60.0, 2000.0][: len(sites)],
    )  # fmt: skip
    flood = water((20.0 * x, 20.0 * y, 20.0 * x + 200, 20.0 * y + 160, 2.0))
    found = town.of(town.city(shelters=shelters, hazards={"flood": flood}))
    require_laws(found, staged(found))


def test_everybody_in_a_small_park_is_sheltered_when_candidates_open() -> None:
    """60 m² of park and 102 people; a place of 2 000 m² beside it can be turned into refuge."""
    sites = table(
        tables.SHELTERS, [box(*town.PARK), box(320, 320, 360, 360)], kind=["park", "park"], area_m2=[60.0, 1600.0],
        tier=["emergency"] * 2, origin=["official", "candidate"], capacity=[40.0, 1000.0],
    )  # fmt: skip
    found = town.of(town.city(shelters=sites))
    told = staged(found)
    require_laws(found, told)
    before, after = told.people[2].sum(), told.people[3].sum()
    assert before > after
    still = ~found.protected.buildings["passes"].to_numpy()
    rows = found.base.building_rows
    dry = told.causes["hazard"][3] == 0
    assert told.people[3][~still[rows] & dry & (told.moved == 0)].sum() == 0  # who has access has refuge as well


@pytest.mark.parametrize("nobody", [True, False])
def test_a_city_without_people_or_houses_has_nobody_at_risk(nobody: bool) -> None:
    none = tables.empty(tables.DEMAND, crs=town.CRS)
    changes = {"people": {None: none}} if nobody else {"buildings": tables.empty(tables.BUILDINGS, crs=town.CRS)}
    found = town.of(town.city(**changes))
    told = staged(found)
    assert told.people.shape == (4, len(found.base.people.demand))
    if nobody:
        assert told.people.sum() == 0 and stages.headline(told)["people_at_risk_now"] == 0
    else:
        # Of the spots people stand on: the bank is to yield, and the strip ends above the middle of its house.
        assert told.moved.sum() == 3 + 8 + 10 + 12
        assert all(np.isnan(stages.headline(told)[f"buildings_at_risk_{stage}"]) for stage in STAGES)
        assert np.isnan(found.headline["buildings_in_let"])
        assert found.communities_told["buildings_in_let"].isna().all()
        assert stages.headline(told)["facilities_at_risk_now"] == 1


def test_without_facilities_none_is_known_to_be_at_risk() -> None:
    told = staged(town.of(town.city(facilities=tables.empty(tables.FACILITIES, crs=town.CRS))))
    assert all(np.isnan(stages.headline(told)[f"facilities_at_risk_{stage}"]) for stage in STAGES)
    assert stages.headline(told)["buildings_at_risk_now"] > 0


def test_two_runs_are_the_same() -> None:
    other = staged(replace(town.drawn()))
    assert all((getattr(drawn(), name) == getattr(other, name)).all() for name in ("people", "moved", "buildings"))
