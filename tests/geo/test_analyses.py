"""What follows from who goes where: the drawn bridge that floods at hour 6, and what hangs on one shelter."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pandas as pd
import pytest

from geo import analyses, plan, readied, situation
from geo.city import City, Scenario
from geo.hazards import Hazard
from geo.readied import Base
from tests.geo.drawn import ways
from tests.geo.test_plan import DEFAULTS, FLOOD, NORMAL, RIVER, STREETS, box, city, water

OPEN_BRIDGE: dict[str, dict[str, str]] = {"ab": {}, "bc": {}, "cd": {}, "ce": {}}
"""The town's streets with a ford where it has a bridge: between c and d, the only way to the park."""
FORD = water(*[(column, row) for column in (17, 18) for row in range(20)])
"""Between c and d."""


def frame(of: Hazard, name: str, hours: float | None, *, years: float | None = 100) -> Hazard:
    return replace(of, hazard_id=name, hours=hours, return_period_y=years)


def town(*frames: Hazard, people: bool = True) -> City:
    drawn = replace(city(*frames), ways=ways(STREETS, OPEN_BRIDGE))
    return drawn if people else replace(drawn, people={}, buildings=drawn.buildings.iloc[:0])


RISING = (frame(water(), "h0", 0), frame(water(), "h3", 3), frame(FORD, "h6", 6))
H0 = Scenario("dry", hazards=("h0",))


def test_the_hours_of_the_hazard_in_force_and_of_no_other() -> None:
    others = frame(FORD, "rare", 1, years=500), frame(FORD, "peak", None), frame(RIVER, "wave", 2)
    wave = replace(others[2], kind="tsunami")
    base = readied.prepare(town(*RISING, *others[:2], wave), params=DEFAULTS)

    def known(*hazards: str) -> list[str]:
        return [hazard.hazard_id for hazard in analyses.frames(situation.of(base, Scenario("x", hazards=hazards)))]

    assert known("h6") == known("h0", "wave") == ["h0", "h3", "h6"]
    assert known() == known("peak") == known("rare") == known("wave") == []


def test_who_lives_beyond_the_ford_must_leave_before_it_floods() -> None:
    """It is open at hour 3, so it counts as open until then; homes at a, b and e have to be over it by then."""
    base = readied.prepare(town(*RISING), params=DEFAULTS)
    now = situation.of(base, H0)
    leaving = analyses.leaving(now)
    assert leaving is not None and leaving.of_people and list(leaving.known) == [0, 3, 6]
    walk_h = situation.demand(now)["walk_s"].to_numpy() / 3600
    on_time = leaving.hours[[0, 1, 2, 3]]
    assert (on_time < 3).all() and (on_time > 3 - walk_h).all(), "by hour 3 over the ford, not yet at the park"
    assert on_time[0] < on_time[1], "who lives farther away leaves earlier"
    units = leaving.by_community(base.communities["community_id"])
    assert units["leave_by_h"].tolist() == pytest.approx([on_time[:2].min(), on_time[2:].min()])
    assert units["people_too_late_0h"].tolist() == [0, 0] and units["people_too_late_3h"].tolist() == [11, 1100]
    assert units[["people_any_time", "people_no_way_normally"]].to_numpy().tolist() == [[0, 0], [0, 0]]


def test_where_the_shelter_itself_floods_nobody_has_a_safe_way() -> None:
    drowned = frame(water(*[(column, row) for column in range(17, 28) for row in range(20)]), "h6", 6)
    now = situation.of(readied.prepare(town(RISING[0], drowned), params=DEFAULTS), H0)
    leaving = analyses.leaving(now)
    assert leaving is not None and np.isnan(leaving.told).all()
    assert leaving.by_community(now.base.communities["community_id"])["leave_by_h"].isna().all()


def test_where_nobody_is_counted_metres_of_street_are() -> None:
    base = readied.prepare(town(*RISING, people=False), params=DEFAULTS)
    assert base.people.total == 0
    leaving = analyses.leaving(situation.of(base, H0))
    assert leaving is not None and not leaving.of_people
    units = leaving.by_community(base.communities["community_id"])
    assert {"leave_by_h", "street_m_any_time", "street_m_too_late_3h"} <= {*units} and not units.filter(
        like="people"
    ).size
    assert leaving.weight.sum() == pytest.approx(base.network.length_m.sum(), abs=len(leaving.weight))


def test_a_plan_with_hours_has_each_column_once() -> None:
    base = readied.prepare(town(*RISING), params=DEFAULTS)
    with_hours, without = plan.run(base, H0), plan.run(base, NORMAL)
    for found in (with_hours, without):
        assert [name for name, layer in found.layers.items() if not layer.columns.is_unique] == []
    told = with_hours.layers["demand"]["leave_by_h"]
    assert told.notna().all() and "leave_by_h" not in without.layers["demand"]


def two_parks(*capacity: float, order: str) -> Base:
    drawn = city(shelters=[box(395, -5, 50), box(0, 20, 50)])
    params = DEFAULTS.model_copy(update={"refuge": DEFAULTS.refuge.model_copy(update={"order": order})})
    return readied.prepare(replace(drawn, shelters=drawn.shelters.assign(capacity=list(capacity))), params=params)


@pytest.mark.parametrize("order", ["optimal", "nearest"])
def test_what_the_loss_of_a_shelter_costs_is_what_the_town_without_it_lacks(order: str) -> None:
    """Everybody is led anew by the rule of the plan."""
    now = situation.of(two_parks(1200, 200, order=order), NORMAL)
    told, assigned = analyses.without_each_shelter(now), now.refuge.solved
    lost_ms = DEFAULTS.critical.lost_minutes * 60_000
    for site, capacity in enumerate([(0, 200), (1200, 0)]):
        alone = situation.of(two_parks(*capacity, order=order), NORMAL).refuge.solved
        lost = assigned.served - alone.served
        assert told["people_lost_without"][site] == lost
        more_ms = alone.person_ms - assigned.person_ms + lost * lost_ms
        assert told["people_minutes_without"][site] == pytest.approx(more_ms / 60_000)
    assert told["people_lost_without"].tolist() == [1111 - 200, 0]


def test_the_ways_the_streets_and_the_flows_tell_of_the_same_people() -> None:
    now = situation.of(readied.prepare(city(RIVER), params=DEFAULTS), FLOOD)
    found = plan.run(now.base, FLOOD).layers
    sites, flows = found["shelters"].set_index("shelter_id"), found["street_flows"]
    routes = found["routes"]
    assert set(routes["shelter_id"].dropna()) <= {*sites.index[sites["usable"]]}
    assert (flows["people"] == flows["people_along"] + flows["people_against"]).all() and (flows["people"] > 0).all()
    assert flows["people"].max() <= sites["people"].sum() == 1111
    weak = found["critical_streets"]
    assert len(weak) and set(weak["street_id"]) <= {*flows["street_id"]}


def test_clearance_is_no_shorter_than_the_longest_walk() -> None:
    now = situation.of(readied.prepare(city(), params=DEFAULTS), NORMAL)
    cleared = analyses.cleared(now)
    assert cleared.sites["clearance_s"].max() >= now.refuge.assigned.cost_ms.max() / 1000
    by_unit = pd.Series(now.refuge.assigned.people).sum()
    assert cleared.sites["people"].sum() == by_unit == 1111
