"""What of Kampen and of Nanjing can be turned into refuge: nobody is mapped there as a shelter."""

from __future__ import annotations

import time
from functools import lru_cache
from pathlib import Path

import numpy as np
import pytest

from data import osm, rasters, standards
from geo import assignment, conversions, convertible, readied, situation
from geo.city import City, PlanParams, Scenario
from geo.conversions import Conversions
from geo.hazards import Hazard
from geo.situation import Situation
from tests import shared_data

KAMPEN = ("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
NANJING = ("osm/nanjing-hongtao45_bbox.osm.xml",)


@lru_cache(maxsize=1)
def base(extract: Path, flood: Path | None) -> readied.Base:
    found = osm.read(extract)
    hazards = {}
    if flood is not None:
        grid, _ = rasters.read(flood, unit="m", kind="flood")
        hazards = {"flood": Hazard("flood", "flood", "m", grid)}
    city = City(found.crs, found.ways, found.buildings, found.facilities, found.shelters, found.areas, found.lines,
                found.boundaries, hazards=hazards)  # fmt: skip
    return readied.prepare(city, params=PlanParams.of(standards.load()))


def of_kampen(*hazards: str) -> tuple[Situation, Conversions]:
    if reason := shared_data.why_not(*KAMPEN):
        pytest.skip(reason)
    extract, flood = (shared_data.folder() / name for name in KAMPEN)
    now = situation.of(base(extract, flood), Scenario("x", hazards=hazards))
    return now, conversions.of(now)


def require_laws(now: Situation, told: Conversions) -> None:
    """Gains fall, add up to what the plan says, and are those of the assignment with the least walking."""
    order, people = told.order, int(now.base.seekers.people.sum())
    assert (np.diff(order.gain) <= 0).all() and order.before == 0, "none is mapped"
    assert told.communities["refuge_gain_people"].sum() == order.gain.sum() == order.newly().sum()
    assert told.headline["people_unserved_converted"] == people - order.served[-1]
    assert len(told.layer) == len(convertible.candidates(now.base))
    assert told.layer[["reason_en", "reason_zh", "dual_en", "dual_zh"]].notna().all(axis=None)
    asked = convertible.Seen(now, convertible.candidates(now.base), None).asked
    open_ = np.isin(np.arange(asked.pairs.sites), order.chosen)
    assert assignment.assign(asked.pairs, asked.people, np.where(open_, asked.room, 0)).served == order.served[-1]
    assert (order.load <= asked.room).all()


@pytest.mark.parametrize(
    ("hazards", "candidates", "gains", "unserved", "phases"),
    [
        ((), 43, [22584, 6049, 5166, 4495, 3075], 4335, [2300, 7100, 11900]),
        (("flood",), 6, [2753, 2223, 1289, 1214, 1148, 538], 46388, [2300, 6800, 9165]),
    ],
    ids=["ordinary day", "flood"],
)
def test_kampen(hazards: tuple[str, ...], candidates: int, gains: list[int], unserved: int, phases: list[int]) -> None:
    now, told = of_kampen(*hazards)
    require_laws(now, told)
    # Where every candidate that can is open, the plan that counts them as open is met to the last person.
    assert told.headline["people_unserved_converted"] == now.refuge.assigned.unserved.sum() == unserved
    assert told.headline["refuge_candidates"] == candidates
    assert told.order.gain[: len(gains)].tolist() == gains
    assert told.phased.people.tolist() == phases, "eight communities at 150 000 CNY a year: one year, two, two"
    began = time.perf_counter()
    conversions.of(now)
    assert time.perf_counter() - began < 6, "65 candidates; 0.6 to 0.9 s on an idle core"


def test_nanjing() -> None:
    if reason := shared_data.why_not(*NANJING):
        pytest.skip(reason)
    now = situation.of(base(shared_data.folder() / NANJING[0], None), Scenario("normal"))
    told = conversions.of(now)
    require_laws(now, told)
    first = told.layer.iloc[0]
    assert (len(told.order.chosen), told.headline["people_unserved_existing"]) == (5, 53489)
    assert first["name"] == "大行宫市民广场" and first["gain_people"] == 30183 and first["kind"] == "square"
    assert told.layer["reason_code"].value_counts().to_dict() == {
        "adds_nobody": 24, "too_small": 9, "proposed": 5, "room_unknown": 5,
    }  # fmt: skip
    assert told.phased.people.tolist() == [14900, 44700, 53489]
    assert (told.phased.at_most >= told.phased.people).all()
