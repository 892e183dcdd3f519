"""From one point the nearest safe shelter with room, on the town of ``test_plan``, and beside searches of a plan."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
import shapely
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import evacuation, one_point, readied, situation, snapping
from geo.city import PlanParams
from geo.hazards import Hazard
from geo.one_point import Answer
from geo.situation import Situation
from geo.speeds import level_speed_ms
from tests.geo.drawn import ORIGIN
from tests.geo.test_plan import DEFAULTS, FLOOD, LOW, NORMAL, box, city, water

#   a b c d    the shelters: 0 north of a, 1 beyond d
#       e
BOTH = [box(-10, 20, 30), box(310, -15, 30)]
BETWEEN = water(*[(column, row) for column in (11, 12) for row in range(3, 7)])
"""On b-c."""


def stood(
    *hazards: Hazard, room: tuple[float, ...] = (np.nan, np.nan), params: PlanParams = DEFAULTS, usable: bool = True
) -> Situation:
    town = city(*hazards, shelters=BOTH if usable else [])
    if usable:
        town = replace(town, shelters=town.shelters.assign(capacity=[*room]))
    return situation.of(readied.prepare(town, params=params), FLOOD if hazards else NORMAL)


def at(x: float, y: float) -> shapely.Point:
    return shapely.Point(ORIGIN[0] + x, ORIGIN[1] + y)


def asked(now: Situation, x: float, y: float, profile: str = "walk") -> Answer:
    return one_point.nearest(one_point.guide(now, profile=profile), at(x, y))


def changed(**walk: float) -> PlanParams:
    return DEFAULTS.model_copy(update={"walk": DEFAULTS.walk.model_copy(update=walk)})


def load(shelter_id: str) -> int:
    """People in a shelter as a plan has it."""
    found = stood().shelters
    return int(found["people"][found["shelter_id"] == shelter_id].iloc[0])


def test_the_nearer_of_two() -> None:
    for x, wanted in ((60, "shelters0"), (240, "shelters1")):
        found = asked(stood(), x, 5)
        assert (found.said.code, found.ways[0]["shelter_id"], found.ways[0]["role"]) == (
            "found", wanted, "main",
        )  # fmt: skip
        assert found.room_left == np.floor(stood().sites["capacity_people"][found.site]) - load(wanted)
    assert found.ways[0]["directions_en"].startswith("Go east along a residential street, ")


def test_who_finds_the_nearer_full_goes_to_the_next() -> None:
    """Who lives next to the nearer shelter takes its one space."""
    found = asked(stood(room=(1, np.nan)), 10, 5)
    assert (found.said.code, found.ways[0]["shelter_id"]) == ("found", "shelters1")


def test_all_full_is_said_with_the_way_to_the_nearest() -> None:
    found = asked(stood(room=(10, 20)), 10, 5)
    assert (found.said.code, found.ways[0]["shelter_id"], found.room_left) == ("full", "shelters0", 0)
    assert "均已满员" in found.said.zh


def test_a_way_beyond_the_limit_is_given_and_said() -> None:
    found = asked(stood(params=changed(max_minutes=0.5)), 120, 5)
    assert (found.said.code, len(found.ways) > 0) == ("too_far", True)
    assert "0.5 min" in found.said.en


def test_reasons_without_a_way() -> None:
    """The west is cut off from everything when its own shelter is under water as well."""
    drowned = water(*[(c, r) for c in range(3, 7) for r in range(2, 5)])
    both = stood(replace(drowned, grid=replace(drowned.grid, values=drowned.grid.values + BETWEEN.grid.values)))
    assert asked(both, 60, 5).said.code in ("cut_off", "street_closed")
    assert asked(stood(LOW), 200, -60).said.code == "street_closed"
    assert asked(stood(usable=False), 60, 5).said.code == "no_shelter"
    near = stood(params=changed(snap_max_m=20))
    assert asked(near, 150, -40).said.code == "not_snapped"
    far = asked(near, 150, 1000)
    assert (far.said.code, far.street) == ("outside_data", None)
    assert "1.0 km" in far.said.en


def test_a_way_that_water_took_is_cut_off() -> None:
    now = stood(BETWEEN)
    gone = replace(now, sites=now.sites.assign(usable=[False, True]))
    assert asked(gone, 60, 5).said.code == "cut_off"


@pytest.mark.parametrize("profile", one_point.PROFILES)
def test_everybody_is_told_their_own_time(profile: str) -> None:
    now = stood()
    found = asked(now, 60, 5, profile)
    own = found.ways[0]["walk_s"]
    assert own * level_speed_ms(getattr(DEFAULTS, profile), DEFAULTS) == pytest.approx(
        asked(now, 60, 5).ways[0]["walk_s"] * level_speed_ms(DEFAULTS.walk, DEFAULTS), rel=0.01
    )
    if profile != "walk":
        assert found.ways[0][f"{profile}_s"] == pytest.approx(own, abs=0.01)


ROOMS = st.sampled_from([1.0, 5000.0])


@settings(max_examples=40, deadline=None)
@given(st.floats(-60, 360), st.floats(-150, 60), st.tuples(ROOMS, ROOMS), st.booleans())
def test_it_is_as_far_as_the_search_of_a_plan_says(x: float, y: float, room: tuple[float, float], wet: bool) -> None:
    """Oracle: the forest that leads everybody to their nearest, from the doors of shelters with room."""
    now = situations(room, wet)
    found = asked(now, x, y)
    walk, spot = now.ways["walk"], np.array([at(x, y)], dtype=object)
    place = snapping.snap(walk.network, spot, usable=now.base.usable["walk"].joined, max_m=DEFAULTS.walk.snap_max_m)
    left = now.sites["usable"].to_numpy() & (now.refuge.room > now.refuge.assigned.load(2))
    doors = now.doors.where(left[now.doors.place])
    walks = evacuation.walk_to_nearest(walk, place, doors, speed_ms=now.refuge.pace.speed_ms)
    if np.isnan(walks.walk_s[0]):
        assert found.said.code not in ("found", "too_far")
    else:
        assert found.ways[0]["walk_s"] == pytest.approx(walks.walk_s[0], abs=1e-6)


KNOWN: dict[tuple[tuple[float, float], bool], Situation] = {}


def situations(room: tuple[float, float], wet: bool) -> Situation:
    """Made once each: hypothesis asks often."""
    key = (room, wet)
    KNOWN[key] = KNOWN.get(key) or stood(*([BETWEEN] if wet else []), room=room)
    return KNOWN[key]
