"""Kampen's buildings and shelters: who reaches which, by which streets, against the matrix and the nearest."""

from __future__ import annotations

from functools import lru_cache

import numpy as np
import pytest

from data import osm, standards
from geo import evacuation, network, reaching, search, snapping, usable
from geo.city import PlanParams
from geo.pairs import Pairs
from geo.snapping import Snaps
from geo.usable import Usable
from tests import shared_data
from tests.geo.every_way import flows

EXTRACT = "kampen/kampen.osm.pbf"
SPEED, LIMIT_S = 1.2, 900.0
pytestmark = pytest.mark.skipif(bool(shared_data.why_not(EXTRACT)), reason=shared_data.why_not(EXTRACT) or "there")


@lru_cache(maxsize=1)
def scene() -> tuple[Usable, Snaps, Snaps, int]:
    """Walkers' streets, every building, every shelter's entrances, and how many shelters there are."""
    found, params = osm.read(shared_data.folder() / EXTRACT), PlanParams.of(standards.load())
    walk = usable.streets(network.build(found.ways), params.walk, rules=params, island_m=params.walk.island_m)
    homes, sites = found.buildings.geometry.representative_point().to_numpy(), found.shelters.geometry.to_numpy()
    places = snapping.snap(walk.network, homes, usable=walk.joined, max_m=params.walk.snap_max_m)
    doors = snapping.entrances(walk.network, sites, usable=walk.joined, max_m=params.walk.snap_max_m, spread_m=30)
    return walk, places, doors, len(sites)


def pairs(limit_s: float) -> Pairs:
    walk, places, doors, sites = scene()
    return reaching.pairs(walk.graph, places, doors, limit_s=limit_s, speed_ms=SPEED, sites=sites)


def test_every_building_with_every_shelter_is_the_matrix() -> None:
    walk, places, doors, sites = scene()
    extra_s = [np.nan_to_num(s.off_m) / SPEED for s in (places, doors)]
    matrix = search.matrix(
        walk.graph, places, doors, origin_extra_s=extra_s[0], destination_extra_s=extra_s[1]
    )  # fmt: skip
    found = pairs(np.inf)
    table = np.full((len(places), sites), np.nan)
    table[found.place, found.site] = found.cost_ms / 1000
    assert np.array_equal(table[:, : matrix.shape[1]], matrix, equal_nan=True)
    assert len(found) > 1_000_000


def test_the_first_within_the_limit_is_the_walk_to_the_nearest() -> None:
    walk, places, doors, _ = scene()
    walks, found = evacuation.walk_to_nearest(walk, places, doors, speed_ms=SPEED), pairs(LIMIT_S)
    served = walks.walk_s <= LIMIT_S
    first = found.first[:-1][served]
    assert np.array_equal(np.diff(found.first) > 0, served)
    assert np.array_equal(found.site[first], walks.shelter[served])
    assert found.cost_ms[first] / 1000 == pytest.approx(walks.walk_s[served], abs=0.0005001)


def test_every_pair_has_a_way_that_takes_as_long_as_it_says() -> None:
    walk, places, doors, sites = scene()
    found = pairs(LIMIT_S)
    walked = reaching.ways(
        walk.graph, places, doors, found.place, found.site, speed_ms=SPEED, limit_s=LIMIT_S, sites=sites
    )  # fmt: skip
    assert np.array_equal(walked.way_ms, found.cost_ms)
    street_ms = np.bincount(walked.row, walked.cost_ms, minlength=len(walked)).astype(np.int64)
    off_ms = sum(
        np.rint(s.off_m[r] / SPEED * 1000).astype(np.int64) for s, r in ((places, found.place), (doors, walked.door))
    )
    assert np.array_equal(street_ms + off_ms, walked.way_ms)


def test_everybody_to_the_nearest_fills_the_same_streets_as_one_by_one() -> None:
    walk, places, doors, _ = scene()
    walks = evacuation.walk_to_nearest(walk, places, doors, speed_ms=SPEED)
    going = np.flatnonzero(walks.shelter >= 0)
    one = np.ones(len(going), dtype=np.int64)
    found = reaching.flows(walk.graph, places, doors, going, walks.shelter[going], one, speed_ms=SPEED)
    known = flows(walk.graph, walks.forest, walks.starts, walks.places, (walks.shelter >= 0).astype(np.int64))
    # One by one counts on their own street also those who do not walk on it: at its very end, or at the door.
    walked = reaching.ways(walk.graph, places, doors, going, walks.shelter[going], speed_ms=SPEED)
    own = np.zeros(len(going), dtype=bool)
    own[walked.row[walked.edge == places.edge[going[walked.row]]]] = True
    more = np.bincount(places.edge[going[~own]], minlength=len(known))
    assert np.array_equal(found.along + found.against + more, known)
    assert found.left == 0 and 0 < more.sum() < 0.001 * known.sum()
