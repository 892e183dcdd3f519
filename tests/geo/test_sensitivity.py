"""How results move with thresholds: laws, and the same numbers computed from the beginning."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from geo import readied, sensitivity, situation
from geo.city import City, PlanParams
from geo.hazards import Hazard
from geo.thresholds import SensitivityParams
from tests.geo.test_one_point import BOTH
from tests.geo.test_plan import DEFAULTS, FLOOD, NORMAL, city, water

STEPS = DEFAULTS.sensitivity


def town(room: tuple[float, float], *hazards: Hazard) -> City:
    made = city(*hazards, shelters=BOTH)
    return replace(made, shelters=made.shelters.assign(capacity=[*room]))


def params(**walk: float) -> PlanParams:
    return DEFAULTS.model_copy(update={"walk": DEFAULTS.walk.model_copy(update=walk)})


def served(of: City, with_: PlanParams) -> int:
    return situation.of(readied.prepare(of, params=with_), FLOOD if of.hazards else NORMAL).refuge.assigned.served


def shallow(depth: float) -> Hazard:
    """On b-c, and on c-e twice as deep."""
    there = [(c, r) for c in (11, 12) for r in range(3, 7)]
    deep = [(c, r) for c in (14, 15) for r in range(6, 9)]
    one, two = water(*there, depth=depth), water(*deep, depth=2 * depth)
    return replace(one, grid=replace(one.grid, values=one.grid.values + two.grid.values))


@settings(max_examples=6, deadline=None)
@given(st.tuples(st.integers(0, 1200), st.integers(0, 1200)), st.floats(0.05, 1), st.floats(1, 8))
def test_more_speed_and_room_never_serve_fewer_and_deeper_water_never_more(
    room: tuple[int, int], depth: float, minutes: float
) -> None:
    base = readied.prepare(town(room, shallow(depth)), params=params(max_minutes=minutes))
    found = sensitivity.moved(situation.of(base, FLOOD), params=STEPS)
    for name, way in (("speed", 1), ("room", 1), ("limit", 1), ("depth", -1)):
        rows = found.table[found.table["variant"] == name]
        steps = np.r_[0, rows["step"] * way]
        order = np.argsort(steps)
        assert (np.diff(np.r_[0, rows["people_served_change"]][order]) >= 0).all(), (name, rows)


def test_each_variant_is_what_the_whole_city_gives_anew() -> None:
    """Twice the limit is reached at twice the speed; half the room holds half; water as deep as that closes."""
    of, walk = town((600, 300), shallow(0.45)), params(max_minutes=1.5)
    steps = SensitivityParams(speed_shares=("0.5",), room_shares=("-0.5",), depth_m=("0.1",), limit_minutes=("1",))
    base = readied.prepare(of, params=walk)
    now = situation.of(base, FLOOD)
    before = base.hazards["flood"].grid.values.copy()
    found = sensitivity.moved(now, params=steps).table.set_index("variant")["people_served"]
    assert found["speed"] == served(of, params(max_minutes=1.5 * 1.5))
    assert found["limit"] == served(of, params(max_minutes=2.5))
    assert found["room"] == served(town((300, 150), shallow(0.45)), walk)
    wetter = shallow(0.45)
    values = np.where(wetter.grid.values > 0, wetter.grid.values + 0.1, 0)
    deeper = replace(wetter, grid=replace(wetter.grid, values=values.astype(np.float32)))
    assert found["depth"] == served(town((600, 300), deeper), walk)
    assert (base.hazards["flood"].grid.values == before).all()


def test_communities_that_stand_otherwise_are_named() -> None:
    """With no walk to speak of the east is lost."""
    now = situation.of(readied.prepare(town((5000, 5000)), params=params(max_minutes=6)), NORMAL)
    steps = STEPS.model_copy(update={"limit_minutes": ("-5.8", "5")})
    found = sensitivity.moved(now, params=steps)
    row = found.table[found.table["variant"] == "limit"].iloc[0]
    assert row["communities_changed"] == (found.communities["variant"] == "limit").sum() > 0
    assert row["label_en"] == "Longest walk -5.8 min"
    assert "depth" not in set(found.table["variant"])


@pytest.mark.parametrize("steps", [("0",), ("0.2", "0.1"), ("-2",), tuple(f"0.{n}" for n in range(11, 25))])
def test_steps_that_are_none_are_refused(steps: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="speed_shares"):
        SensitivityParams.model_validate(STEPS.model_dump() | {"speed_shares": steps})
