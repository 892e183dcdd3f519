"""Edits of Kampen under its flood: what is computed from what was known equals everything computed anew."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest
import shapely

from data import osm, rasters, standards
from geo import readied, situation, what_if
from geo.city import City, PlanParams, Scenario
from geo.hazards import Hazard
from geo.situation import Situation
from geo.what_if import Edits, NewShelter
from tests import shared_data
from tests.geo.test_what_if import require_same, require_told

KAMPEN = ("kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif")
pytestmark = pytest.mark.skipif(bool(shared_data.why_not(*KAMPEN)), reason=shared_data.why_not(*KAMPEN) or "there")


@lru_cache(maxsize=2)
def before(*hazards: str) -> Situation:
    return situation.of(base(), Scenario("x", hazards=hazards))


@lru_cache(maxsize=1)
def base() -> readied.Base:
    extract, flood = (shared_data.folder() / name for name in KAMPEN)
    found = osm.read(extract)
    grid, _ = rasters.read(flood, unit="m", kind="flood")
    city = City(found.crs, found.ways, found.buildings, found.facilities, found.shelters, found.areas, found.lines,
                found.boundaries, hazards={"flood": Hazard("flood", "flood", "m", grid)})  # fmt: skip
    return readied.prepare(city, params=PlanParams.of(standards.load()))


def some_edits(now: Situation, seed: int) -> Edits:
    """Streets that people walk closed, some opened, a full shelter taken away, one with other room, one new."""
    rng = np.random.default_rng(seed)
    ids, walked = now.base.network.street_ids, now.refuge.on_streets
    busy = np.flatnonzero(walked.along + walked.against > 50)
    wet = np.flatnonzero(now.base.usable["walk"].usable & ~now.ways["walk"].usable)
    used = np.flatnonzero(now.refuge.assigned.load(len(now.sites)))
    names = now.sites["shelter_id"].to_numpy(dtype=object)
    take, change = rng.choice(used, 2, replace=False)
    corner = rng.integers(len(now.base.network.x))
    x, y = (float(at[corner]) for at in (now.base.network.x, now.base.network.y))
    return Edits(
        close=tuple(map(str, ids[rng.choice(busy, 2, replace=False)])),
        open=tuple(map(str, ids[rng.choice(wet, min(2, len(wet)), replace=False)])) if len(wet) else (),
        remove=(str(names[take]),),
        room={str(names[change]): float(rng.integers(0, 400))},
        add=(NewShelter(f"new-{seed}", shapely.Point(x, y), float(rng.integers(50, 900))),),
    )


@pytest.mark.parametrize("hazards", [(), ("flood",)], ids=["ordinary day", "flood"])
def test_edits_one_after_the_other_equal_computing_anew(hazards: tuple[str, ...]) -> None:
    now = before(*hazards)
    for seed in range(3):
        edit = some_edits(now, seed)
        after, anew = what_if.apply(now, edit), what_if.anew(now, edit)
        require_same(after, anew)
        told = what_if.changes(now, after)
        require_told(told, now, after)
        again = what_if.changes(now, anew)
        assert told.after == again.after
        for name, layer in told.layers.items():
            assert layer.equals(again.layers[name]), name
        now = after
