"""Coverage by length of street: what can be said where nobody knows how many people live.

Points stand on the streets of a service's profile, each for the metres round it. A point counts for the smallest
community that holds it; a street that a hazard closes is reached by nobody.
"""

from __future__ import annotations

from collections.abc import Mapping

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


def street_shares(told: Told, units: gpd.GeoDataFrame) -> pd.DataFrame:
    """``<service>_street_share`` of each community now, and ``_normal``: the share of its streets reached in time.

    Streets are those open to the service's profile on an ordinary day; NaN where a community has none, and for a
    service of which no station is in the data.
    """
    columns: dict[str, Floats] = {}
    on_streets: dict[int, tuple[Snaps, Ints, Floats]] = {}
    for name in MEASURED:
        one, now = told.covered.asked[name], told.coverage.now[name]
        points, unit, metres = on_streets.setdefault(id(one.streets), _points(one.streets, units, told))
        columns[f"{name}_street_share"] = _share(now, points, unit, metres, len(units))
        columns[f"{name}_street_share_normal"] = _share(one.normal, points, unit, metres, len(units))
    return pd.DataFrame(columns, index=units.index)


def headline(told: Told) -> dict[str, float]:
    """The shares of ``street_shares`` over all streets of the study, in a community or not."""
    found = {}
    for name in MEASURED:
        one = told.covered.asked[name]
        points = territories.samples(one.streets.network, one.streets.joined, spacing_m=_spacing(told))
        metres, everywhere = _metres(one.streets, points), np.zeros(len(points), dtype=np.int64)
        for when, reached in (("", told.coverage.now[name]), ("_normal", one.normal)):
            found[f"{name}_street_share{when}"] = float(_share(reached, points, everywhere, metres, 1)[0])
    return found


def _spacing(told: Told) -> float:
    return told.covered.params.circle.spacing_m


def _points(streets: Usable, units: gpd.GeoDataFrame, told: Told) -> tuple[Snaps, Ints, Floats]:
    """Points on streets, the community of each (-1: none), and the metres each stands for."""
    points = territories.samples(streets.network, streets.joined, spacing_m=_spacing(told))
    x, y = reach.points(streets.network, points)
    outlines = np.asarray(units.geometry.to_numpy(), dtype=object)
    return points, smallest_holding(np.asarray(shapely.points(x, y)), outlines), _metres(streets, points)


def _metres(streets: Usable, points: Snaps) -> Floats:
    return np.asarray(streets.network.length_m[points.edge] / np.bincount(points.edge)[points.edge])


def _share(reached: Reach, points: Snaps, unit: Ints, metres: Floats, n: int) -> Floats:
    """The share of the metres of each unit (n,) that are reached in time; NaN where no station is in the data."""
    if not len(reached.bound.stations):
        return np.full(n, np.nan)
    inside = unit != NONE
    in_time = circles.seconds_at(reached, points) <= reached.params.minutes * 60
    whole = np.bincount(unit[inside], metres[inside], minlength=n)
    there = np.bincount(unit[inside & in_time], metres[inside & in_time], minlength=n)
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
