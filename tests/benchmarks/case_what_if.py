"""What if, and the way from one point, at once: Kampen under its flood, and a made town of 100 000 crossings.

The town has 30 000 places and 300 shelters; its streets are a grid.
"""

from __future__ import annotations

from dataclasses import replace
from functools import lru_cache

import numpy as np
import pandas as pd
import shapely

from data import standards
from geo import evacuation, one_point, readied, situation, what_if
from geo.city import City, PlanParams, Scenario
from geo.hazards import Hazard
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways, no_restrictions
from geo.situation import Situation
from geo.snapping import Snaps
from geo.what_if import Edits, NewShelter
from tests import shared_data
from tests.benchmarks.bench import NotHere, Prepared, case
from tests.benchmarks.case_communities import CRS, ORIGIN, SIDE_M
from tests.benchmarks.case_communities import city as made

SIZES = ("kampen", "town")
COMMUNITIES, CROSSINGS, POINTS = 300, 316, 50
FLOOD = Scenario("flood", "emergency", ("flood",))


def grid() -> Ways:
    """Streets from side to side over the made communities, ``CROSSINGS`` each way."""
    step = np.ceil(np.sqrt(COMMUNITIES)) * SIDE_M / (CROSSINGS - 1)
    number = np.arange(CROSSINGS * CROSSINGS).reshape(CROSSINGS, CROSSINGS)
    node = np.concatenate([number.ravel(), number.T.ravel()])
    tags = pd.DataFrame(
        [{"way_id": i + 1, **dict.fromkeys(WAY_TAGS), "highway": "residential"} for i in range(2 * CROSSINGS)],
        columns=["way_id", *WAY_TAGS],
    )
    return Ways(
        tags=tags, start=np.arange(2 * CROSSINGS + 1) * CROSSINGS, node=node,
        x=ORIGIN[0] + node % CROSSINGS * step, y=ORIGIN[1] + node // CROSSINGS * step,
        barriers=pd.DataFrame(columns=["node_id", *BARRIER_TAGS]), crs=CRS, restrictions=no_restrictions(),
    )  # fmt: skip


def kampen() -> City:
    from data import osm, rasters

    extract, flood = "kampen/kampen.osm.pbf", "kampen/1in100_inundation_map.tif"
    if why_not := shared_data.why_not(extract, flood):
        raise NotHere(why_not)
    found = osm.read(shared_data.folder() / extract)
    depth, _ = rasters.read(shared_data.folder() / flood, unit="m")
    return City(
        found.crs, found.ways, found.buildings, found.facilities, found.shelters, found.areas, found.lines,
        found.boundaries, hazards={"flood": Hazard("flood", "flood", "m", depth)},
    )  # fmt: skip


@lru_cache(maxsize=1)
def stood(size: int | str) -> Situation:
    city = kampen() if size == "kampen" else replace(made(COMMUNITIES), ways=grid())
    return situation.of(readied.prepare(city, params=PlanParams.of(standards.load())), FLOOD)


def shelter(now: Situation) -> Edits:
    """One more shelter for 800 where half of the streets lie on either side."""
    net = now.base.network
    return Edits(add=(NewShelter("new", shapely.Point(np.median(net.x), np.median(net.y)), 800),))


def street(now: Situation) -> Edits:
    """The street that most people walk is closed."""
    flows = now.refuge.on_streets
    return Edits(close=(str(now.base.network.street_ids[np.argmax(flows.along + flows.against)]),))


@case("what if there were one more shelter", unit="places", sizes=SIZES)
def add(size: int | str) -> Prepared:
    now = stood(size)
    return len(now.base.demand), lambda: what_if.changes(now, what_if.apply(now, shelter(now)))


@add.rival("everybody anew")
def add_anew(size: int | str) -> Prepared:
    now = stood(size)
    return len(now.base.demand), lambda: what_if.changes(now, what_if.anew(now, shelter(now)))


@case("what if the busiest street were closed", unit="places", sizes=SIZES)
def close(size: int | str) -> Prepared:
    now = stood(size)
    return len(now.base.demand), lambda: what_if.changes(now, what_if.apply(now, street(now)))


@close.rival("everybody anew")
def close_anew(size: int | str) -> Prepared:
    now = stood(size)
    return len(now.base.demand), lambda: what_if.changes(now, what_if.anew(now, street(now)))


def points(now: Situation) -> list[shapely.Point]:
    rows = np.random.default_rng(4).choice(len(now.base.demand), POINTS, replace=False)
    return list(shapely.centroid(now.base.demand.geometry.to_numpy()[rows]))


@case(f"the way from each of {POINTS} points, one by one", unit="places", sizes=SIZES)
def route(size: int | str) -> Prepared:
    now = stood(size)
    guide, spots = one_point.guide(now), points(now)
    return len(now.base.demand), lambda: [one_point.nearest(guide, spot) for spot in spots]


@route.rival("a search for each point, without its way in words")
def route_searched(size: int | str) -> Prepared:
    """The forest that everybody's way is found with is grown again for each."""
    now = stood(size)
    places, old = now.base.seekers.places, now.refuge
    rows = np.random.default_rng(4).choice(len(places), POINTS, replace=False)
    ones = [Snaps(*(getattr(places, name)[[row]] for name in ("place", "edge", "along_m", "off_m"))) for row in rows]

    def work() -> list[evacuation.Walks]:
        return [evacuation.walk_to_nearest(old.ways, one, old.doors, speed_ms=old.pace.speed_ms) for one in ones]

    return len(places), work
