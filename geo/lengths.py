"""Coverage by length of street: what can be said where nobody knows how many people live.

Points stand on the streets of a service's profile, each for the metres round it. A point counts for the smallest
community that holds it; a street that a hazard closes is reached by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import circles, reach, services, territories
from geo.circles import Reach
from geo.evacuation import WalkParams
from geo.membership import NONE, smallest_holding
from geo.reasons import for_streets
from geo.snapping import Snaps
from geo.summary import StatusParams, status
from geo.tables import without_nan
from geo.tallies import ENGINES, Told
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]

MEASURED = (*ENGINES, "supplies", services.SHELTER)
"""Services whose share of streets is told."""


@dataclass(frozen=True)
class Shares:
    """The share of streets reached in time: ``communities`` (units,) and ``city``, in columns of the same names."""

    communities: pd.DataFrame
    city: Mapping[str, float]


def street_shares(told: Told, units: gpd.GeoDataFrame) -> Shares:
    """``<service>_street_share`` now, and ``_normal``, of each community and of all streets, in a community or not.

    Streets are those open to the service's profile on an ordinary day; NaN where there are none, and for a service of
    which no station is in the data.
    """
    asked = {name: told.covered.asked[name] for name in MEASURED}
    on_streets = _points({one.params.profile: one.streets for one in asked.values()}, units, told)
    communities, city = {}, {}
    for name, one in asked.items():
        points, unit, metres = on_streets[one.params.profile]
        for column, reached in ((f"{name}_street_share", told.coverage.now[name]),
                                (f"{name}_street_share_normal", one.normal)):  # fmt: skip
            in_time = _in_time(reached, points)
            communities[column] = _share(in_time, unit, metres, len(units))
            city[column] = float(_share(in_time, np.zeros(len(points), dtype=np.int64), metres, 1)[0])
    return Shares(pd.DataFrame(communities, index=units.index), city)


def _points(
    by_profile: Mapping[str, Usable], units: gpd.GeoDataFrame, told: Told
) -> dict[str, tuple[Snaps, Ints, Floats]]:
    """By profile points on its streets, the community of each (-1: none), and the metres each stands for."""
    network = next(iter(by_profile.values())).network
    anybody = np.logical_or.reduce([streets.joined for streets in by_profile.values()])
    points = territories.samples(network, anybody, spacing_m=told.covered.params.circle.spacing_m)
    outlines = np.asarray(units.geometry.to_numpy(), dtype=object)
    unit = smallest_holding(np.asarray(shapely.points(*reach.points(network, points))), outlines)
    metres = network.length_m[points.edge] / np.bincount(points.edge)[points.edge]
    open_ = {profile: streets.joined[points.edge] for profile, streets in by_profile.items()}
    return {profile: (points.where(mine), unit[mine], metres[mine]) for profile, mine in open_.items()}


def _in_time(reached: Reach, points: Snaps) -> Floats:
    """1 where a point is reached in time, else 0; NaN throughout where no station is in the data."""
    if not len(reached.bound.stations):
        return np.full(len(points), np.nan)
    return (circles.seconds_at(reached, points) <= reached.params.minutes * 60).astype(float)


def _share(in_time: Floats, unit: Ints, metres: Floats, n: int) -> Floats:
    """The share of the metres of each unit (n,) that are reached in time."""
    inside = unit != NONE
    whole = np.bincount(unit[inside], metres[inside], minlength=n)
    there = np.bincount(unit[inside], (metres * in_time)[inside], minlength=n)
    return np.asarray(np.divide(there, whole, out=np.full(n, np.nan), where=whole > 0))


def judged(units: gpd.GeoDataFrame, *, params: StatusParams, walk: WalkParams) -> gpd.GeoDataFrame:
    """Communities of a study that knows no people, with status and reason by the streets from which a shelter is near.

    ``units`` has the columns of ``street_shares``. Numbers of people become NaN: nobody counted them. A community
    without streets, or in a city without shelters, stays ``empty``.
    """
    rows = [_judgement(row, params, walk.max_minutes) for row in units.to_dict("records")]
    units = uncounted(units)
    table = pd.DataFrame(rows, columns=["status", "reason_code", "reason_en", "reason_zh"], index=units.index)
    return gpd.GeoDataFrame(units.assign(**{str(name): column for name, column in without_nan(table).items()}))


def uncounted(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table with NaN for every number of people: nobody counted them."""
    counts = [str(name) for name in table.columns if str(name).startswith("people") or "_people_" in str(name)]
    return gpd.GeoDataFrame(table.assign(**dict.fromkeys(counts, np.nan)))


def _judgement(row: Mapping[str, float], params: StatusParams, minutes: float) -> tuple[str, str, str, str]:
    now, normal = row["shelter_street_share"], row["shelter_street_share_normal"]
    said = for_streets(now, normal, minutes=minutes)
    return "empty" if np.isnan(now) else status(now, params), said.code, said.en, said.zh
