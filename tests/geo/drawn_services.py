"""Services in a drawn city: streets walked and driven at one metre a second, stations and homes where the test says."""

from __future__ import annotations

from collections.abc import Mapping

import geopandas as gpd
import numpy as np
import shapely

from geo import routing, snapping
from geo.circles import Bound
from geo.network import Network
from geo.services import ServiceParams
from geo.snapping import Snaps
from geo.usable import Passage, Usable
from tests.geo.drawn import CRS, ORIGIN

Spots = list[tuple[float, float]]


def opened(
    net: Network,
    *,
    closed: tuple[int, ...] = (),
    one_way: tuple[int, ...] = (),
    slower: Mapping[int, float] | None = None,
) -> Usable:
    """The streets at one metre a second; edges ``closed``, ``one_way``, ``slower`` by a factor."""
    seconds = net.length_m.copy()
    for edge, factor in (slower or {}).items():
        seconds[edge] *= factor
    seconds[list(closed)] = np.nan
    back = seconds.copy()
    back[list(one_way)] = np.nan
    reason = np.full(len(net.u), None, dtype=object)
    reason[list(closed)] = "flooded"
    barred, none = np.zeros(len(net.x), dtype=bool), np.zeros(len(net.u))
    passage = Passage(seconds, back, reason, barred, False, None, none, 0)
    graph = routing.graph(net, seconds, back)
    return Usable(net, passage, graph, np.zeros(len(net.u), dtype=bool), 0)


def service(*, minutes: float, direction: str = "from", turnout_s: float = 0, max_area_km2: float = 0) -> ServiceParams:
    """A fire service over these streets."""
    return ServiceParams(
        kinds=("fire_station",), profile="car", direction=direction, minutes=minutes, turnout_s=turnout_s,
        max_area_km2=max_area_km2,
    )  # fmt: skip


def spots(net: Network, places: Spots) -> Snaps:
    """Places in metres from the drawing's first corner (east, north), on the nearest street."""
    points = shapely.points(np.array(places, dtype=float).reshape(-1, 2) + ORIGIN)
    return snapping.snap(net, points, usable=np.ones(len(net.u), dtype=bool), max_m=1000)


def bound(net: Network, stations: Spots, homes: Spots, *, turnout_s: float = 0) -> Bound:
    """Stations and homes on the streets; stations are called s0, s1, …"""
    doors, places = spots(net, stations), spots(net, homes)
    points = shapely.points(np.array(stations, dtype=float).reshape(-1, 2) + ORIGIN)
    names = [f"s{i}" for i in range(len(stations))]
    columns = {"facility_id": names, "name": names, "name_zh": None, "name_en": None, "kind": "fire_station"}
    table = gpd.GeoDataFrame(columns, geometry=points, crs=CRS)
    return Bound(table, doors, np.full(len(doors), float(turnout_s)), places, np.where(places.found, 0.0, np.nan))
