"""Shelters as a state of the city leaves them: doors of a normal day, reasons, room."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from geo import rating, readied, situation
from geo.city import Scenario
from geo.exposures import Faced
from geo.readied import Base
from tests.geo.test_plan import DEFAULTS, FLOOD, LOW, RIVER, box, city, water

IN_THE_EAST = water(*[(column, row) for column in range(24, 28) for row in range(3, 7)])
"""On the park at the end of the bridge."""


def prepared(*hazards: object) -> Base:
    return readied.prepare(city(*hazards, shelters=[box(395, -5, 50), box(180, -120, 30)]), params=DEFAULTS)  # type: ignore[arg-type]


def test_a_hazard_opens_no_new_door() -> None:
    base = prepared(LOW)
    now = situation.of(base, FLOOD)
    ways = now.ways["walk"]
    assert ways.usable[now.doors.edge[now.doors.found]].all()
    kept = np.isin(np.arange(len(base.doors)), np.flatnonzero(base.doors.found & ways.usable[base.doors.edge]))
    assert len(now.doors) == len(base.doors.where(kept)) < len(base.doors)


@pytest.mark.parametrize(
    ("hazard", "reasons"),
    [(RIVER, ["usable", "usable"]), (LOW, ["usable", "street_closed"]), (IN_THE_EAST, ["flooded", "usable"])],
    ids=["river", "low street", "park"],
)  # fmt: skip
def test_each_site_and_why(hazard: object, reasons: list[str]) -> None:
    sites = situation.of(prepared(hazard), FLOOD).sites
    assert sites["reason_code"].tolist() == reasons
    assert sites["usable"].tolist() == [code == "usable" for code in reasons]
    assert all(said.endswith("。") for said in sites["reason_zh"])


def test_water_takes_room_and_what_the_list_says_is_kept() -> None:
    base = prepared(water((24, 4)))
    dry, wet = (readied.rated(base, base.doors, Faced(hazards, base.city.crs, base.params.exposure, base.params.levels))
                for hazards in ((), tuple(base.hazards.values())))  # fmt: skip
    assert wet["share_lost"].tolist() == pytest.approx([0.04, 0])
    assert 0 < wet["capacity_people"][0] < dry["capacity_people"][0] == 3000
    assert wet["tier"].tolist() == dry["tier"].tolist() == ["emergency", "emergency"]
    assert list(dry["community_id"]) == ["communities1", "communities0"]


def test_the_doors_of_no_shelters_and_their_tables_are_empty() -> None:
    base = readied.prepare(city(shelters=[]), params=DEFAULTS)
    sites = situation.of(base, Scenario("normal")).sites
    some = situation.of(prepared(), Scenario("normal")).sites
    assert (len(sites), sites.columns.tolist()) == (0, some.columns.tolist())
    assert len(rating.open_doors(base.doors, base.usable["walk"])) == 0


def test_a_closed_shelter_is_not_used_though_it_is_dry() -> None:
    town = city()
    closed = replace(town, shelters=town.shelters.assign(state=["closed"]))
    sites = situation.of(readied.prepare(closed, params=DEFAULTS), Scenario("normal")).sites
    assert sites["reason_code"].tolist() == ["closed"]
