"""A circle from one point, from the question to its polygon: streets as the profile finds them, real cities."""

from __future__ import annotations

from functools import lru_cache

import numpy as np

from tests.benchmarks.bench import Prepared, case
from tests.benchmarks.case_streets import extract

POINTS = 20
"""Questions a run, from points spread over the city's streets."""
SIZES = ("kampen", "liechtenstein")


@lru_cache(maxsize=1)
def city(name: str):  # type: ignore[no-untyped-def]
    """The streets of adults on foot and of fire engines, and what no circle jumps over."""
    import data.osm
    from data import standards
    from geo import coverage, network, usable
    from geo.city import PlanParams

    found = data.osm.read(extract(name))
    params = PlanParams.of(standards.load())
    net = network.build(found.ways)
    streets = {
        name: usable.streets(net, getattr(params, name), rules=params, island_m=params.walk.island_m)
        for name in ("walk", "fire_engine")
    }
    return streets, coverage.barriers([found.areas, found.lines], params.circle.barriers), params


def asked(size: int | str, profile: str) -> Prepared:
    """Twenty circles of 15 minutes, each from its own point in mid-street."""
    from geo import coverage
    from geo.snapping import Snaps

    by_profile, barriers, params = city(str(size))
    streets = by_profile[profile]
    edges = np.flatnonzero(streets.joined)
    edge = np.random.default_rng(4).choice(edges, POINTS, replace=False)
    points = [
        Snaps(np.zeros(1, np.int64), np.array([e]), np.array([streets.network.length_m[e] / 2]), np.zeros(1))
        for e in edge.tolist()
    ]

    def work() -> int:
        for at in points:
            coverage.around(streets, at, barriers, minutes=(15,), params=params.outline)
        return POINTS

    return POINTS, work


@case("20 circles of a 15 minutes' walk", unit="circles", sizes=SIZES)
def walk(size: int | str) -> Prepared:
    return asked(size, "walk")


@case("20 circles of a 15 minutes' drive", unit="circles", sizes=SIZES)
def drive(size: int | str) -> Prepared:
    return asked(size, "fire_engine")
