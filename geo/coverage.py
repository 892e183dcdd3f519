"""Who is covered by which service, on an ordinary day and under a hazard: the recipe over circles, causes and rings.

``prepare`` binds stations and people to the streets of each service's profile and draws the circles of an ordinary
day; ``run`` asks the same under a scenario and tells the difference. What comes out is counted in ``geo.tallies``.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from geo import causes, circles, reach, routing, search, services, snapping
from geo.causes import Losses
from geo.circles import Bound, Reach
from geo.network import Network
from geo.outline import OutlineParams, Streets, outlines
from geo.reach import Drawn, Pieces
from geo.services import EVERYDAY, GROUPS, CircleParams, EverydayParams, ServiceParams
from geo.snapping import Snaps
from geo.usable import Usable

Ints = NDArray[np.int64]
Floats = NDArray[np.float64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]


@dataclass(frozen=True)
class Sites:
    """What there is: facilities, the plan's shelters, and by profile the people's places and the facilities on streets.

    ``homes`` and ``spots`` have a row a place with people and a facility.
    """

    facilities: gpd.GeoDataFrame
    shelters: gpd.GeoDataFrame
    homes: Mapping[str, Snaps]
    spots: Mapping[str, Snaps]


@dataclass(frozen=True)
class CoverageParams:
    """Every service, the everyday circle, how circles are drawn, and how stations are bound to streets.

    ``walking_ms`` is the speed of each profile that goes on foot, for the metres between door and street; engines
    arrive at the street.
    """

    services: Mapping[str, ServiceParams]
    everyday: EverydayParams
    circle: CircleParams
    outline: OutlineParams
    walking_ms: Mapping[str, float]
    entrance_max_m: float
    entrance_spread_m: float

    def asked(self) -> dict[str, ServiceParams]:
        """Every service by name, the six everyday categories among them."""
        return {**self.services, **{name: self._everyday(category) for name, category in EVERYDAY.items()}}

    def rings(self, name: str) -> tuple[float, ...]:
        """The rings to draw of a service, in minutes, smallest first: an everyday category's own, a group's none."""
        if name in GROUPS:
            return ()
        return (self.everyday.minutes,) if name in EVERYDAY else tuple(sorted(self.circle.minutes))

    def _everyday(self, category: str) -> ServiceParams:
        return ServiceParams(
            kinds=getattr(self.everyday, category), profile="walk", direction="towards",
            minutes=self.everyday.minutes, turnout_s=0, max_area_km2=0,
        )  # fmt: skip


@dataclass(frozen=True)
class Asked:
    """One service: its parameters, who is bound to which streets, and an ordinary day's reach and rings."""

    name: str
    params: ServiceParams
    streets: Usable
    bound: Bound
    normal: Reach
    rings: Mapping[float, shapely.Geometry]

    def __repr__(self) -> str:
        return f"Asked({self.name}: {self.normal!r})"


@dataclass(frozen=True)
class Covered:
    """Every service of a city on an ordinary day; ``barriers`` is what no circle jumps over."""

    asked: Mapping[str, Asked]
    sites: Sites
    barriers: Drawn
    params: CoverageParams

    def __repr__(self) -> str:
        return f"Covered({', '.join(self.asked)})"


@dataclass(frozen=True)
class Coverage:
    """Every service under a scenario, by name; without a hazard it is the ordinary day itself.

    ``out_of_service`` are the ids of facilities that a hazard reaches.
    """

    now: Mapping[str, Reach]
    rings: Mapping[str, Mapping[float, shapely.Geometry]]
    losses: Mapping[str, Losses] = field(default_factory=dict)
    out_of_service: frozenset[str] = frozenset()


def prepare(sites: Sites, usable: Mapping[str, Usable], *, barriers: Drawn, params: CoverageParams) -> Covered:
    """Every service on an ordinary day; ``usable`` has the streets of each profile that some service asks for."""
    asked = {}
    for name, service in params.asked().items():
        streets = usable[service.profile]
        bound = _bound(sites, streets, service, params)
        normal = circles.reached(streets, bound, params=service)
        drawn = rings(normal, streets, barriers, minutes=params.rings(name), params=params.outline)
        asked[name] = Asked(name, service, streets, bound, normal, drawn)
    return Covered(asked, sites, barriers, params)


def _bound(sites: Sites, streets: Usable, service: ServiceParams, params: CoverageParams) -> Bound:
    found = services.stations(sites.facilities, sites.shelters, service.kinds)
    walking = params.walking_ms.get(service.profile)
    spread = 0.0 if walking is None else params.entrance_spread_m
    shapes = np.asarray(found.geometry.to_numpy(), dtype=object)
    doors = snapping.entrances(
        streets.network, shapes, usable=streets.joined, max_m=params.entrance_max_m, spread_m=spread
    )
    doors = doors.where(doors.found)
    pace, homes = np.inf if walking is None else walking, sites.homes[service.profile]
    last_s = np.where(homes.found, homes.off_m / pace, np.nan)
    turnout = services.turnouts(found, service)[doors.place]
    return Bound(found, doors, turnout + doors.off_m / pace, homes, last_s)


def run(covered: Covered, usable: Mapping[str, Usable], *, out_of_service: Collection[str]) -> Coverage:
    """Every service under a hazard: ``usable`` as it is now, and the ids of stations that are out of service."""
    now, drawn, lost = {}, {}, {}
    for name, one in covered.asked.items():
        streets = usable[one.params.profile]
        there = ~one.bound.stations["facility_id"].isin(list(out_of_service)).to_numpy(dtype=bool)
        now[name] = circles.reached(streets, one.bound.of_stations(there), params=one.params)
        drawn[name] = rings(
            now[name], one.streets, covered.barriers, minutes=covered.params.rings(name), params=covered.params.outline
        )
        lost[name] = causes.losses(one.normal, now[name], out_of_service=~there)
    return Coverage(now, drawn, lost, frozenset(out_of_service))


def ordinary(covered: Covered) -> Coverage:
    """The ordinary day as the result of a scenario without a hazard."""
    return Coverage(
        {name: one.normal for name, one in covered.asked.items()},
        {name: one.rings for name, one in covered.asked.items()},
    )


def barriers(tables: Iterable[gpd.GeoDataFrame], kinds: Collection[str]) -> Drawn:
    """The outlines of areas and the lines of some kinds, as what no circle jumps over; what runs in a tunnel is none.

    Each table has ``kind`` and geometry, lines also ``tunnel`` (None when not tagged).
    """
    shapes = [_lines(table, kinds) for table in tables]
    parts = shapely.get_parts(np.concatenate(shapes) if shapes else np.zeros(0, dtype=object))
    xy = shapely.get_coordinates(parts)
    start = np.r_[0, np.cumsum(shapely.get_num_coordinates(parts))].astype(np.int64)
    return Drawn(xy[:, 0].copy(), xy[:, 1].copy(), start)


def _lines(table: gpd.GeoDataFrame, kinds: Collection[str]) -> Shapes:
    above = (table["tunnel"].isna() | (table["tunnel"] == "no")) if "tunnel" in table else True
    shapes = np.asarray(table.geometry[table["kind"].isin(list(kinds)) & above].to_numpy(), dtype=object)
    areal = shapely.get_dimensions(shapes) == 2
    return np.where(areal, shapely.boundary(shapes), shapes)


def rings(
    reached: Reach, streets: Usable, barriers: Drawn, *, minutes: Sequence[float], params: OutlineParams
) -> dict[float, shapely.Geometry]:
    """The polygon of each ring; ``streets`` are those of an ordinary day: what is closed now is not claimed."""
    stretches = [circles.within(reached, m) for m in minutes]
    return dict(zip(minutes, polygons(stretches, reached, streets, barriers, params=params), strict=True))


def polygons(
    stretches: Sequence[Pieces], reached: Reach, streets: Usable, barriers: Drawn, *, params: OutlineParams
) -> list[shapely.Geometry]:
    """The honest outline of each set of stretches that a service reaches; the stations on them are inside."""
    places = [_stands(pieces, reached, streets.network) for pieces in stretches]
    return _outlined(stretches, streets, barriers, places, params)


def _stands(pieces: Pieces, reached: Reach, network: Network) -> Floats:
    """The doors on the stretches, and inner points of their stations, (places, 2)."""
    doors = reached.bound.doors
    doors = doors.where(circles.covering(pieces, doors.edge, doors.along_m) > 0)
    stations = reached.bound.stations.geometry.iloc[np.unique(doors.place)].representative_point()
    xy = (np.column_stack(reach.points(network, doors)), shapely.get_coordinates(stations.to_numpy()))
    return np.concatenate(xy)


def around(
    streets: Usable, at: Snaps, barriers: Drawn, *, minutes: Sequence[float], towards: bool = False,
    params: OutlineParams,
) -> dict[float, shapely.Geometry]:  # fmt: skip
    """The circles of one point (``at``, its rows on streets), in each of ``minutes``: from it, or ``towards`` it.

    Takes time by what is reached, not by the size of the city.
    """
    graph = streets.graph.reverse if towards else streets.graph
    found = search.within(graph, routing.roots(graph, at), max_s=max(minutes) * 60)
    stretches = [reach.beyond(graph, found.state, found.cost_ms, at, minutes=m) for m in minutes]
    places = np.column_stack(reach.points(streets.network, at.where(at.found)))
    shapes = _outlined(stretches, streets, barriers, [places] * len(stretches), params)
    return dict(zip(minutes, shapes, strict=True))


def _outlined(
    stretches: Sequence[Pieces], streets: Usable, barriers: Drawn, places: Sequence[Floats], params: OutlineParams
) -> list[shapely.Geometry]:
    network = streets.network
    aloft = network.aloft
    near = _near(network, stretches, margin_m=params.fill_m)
    drawings = [
        Streets(
            _with_points(reach.drawn(network, pieces.where(~aloft[pieces.edge])), stand),
            reach.drawn(network, reach.rest(pieces, near[streets.usable[near]], network.length_m)),
            reach.drawn(network, pieces.where(aloft[pieces.edge])),
        )
        for pieces, stand in zip(stretches, places, strict=True)
    ]
    return list(outlines(drawings, barriers, params=params))


def _with_points(lines: Drawn, xy: Floats) -> Drawn:
    """Lines and points, a point as a line without length: it touches the ground it stands on."""
    start = np.r_[lines.start, lines.start[-1] + 2 * np.arange(1, len(xy) + 1)]
    x, y = np.repeat(xy, 2, axis=0).T
    return Drawn(np.r_[lines.x, x], np.r_[lines.y, y], start.astype(np.int64))


def _near(network: Network, stretches: Sequence[Pieces], *, margin_m: float) -> Ints:
    """Every edge close enough to the stretches to matter to their outline, twice the ground that is claimed round."""
    edges = np.unique(np.concatenate([pieces.edge for pieces in stretches])) if stretches else np.zeros(0, np.int64)
    if not len(edges):
        return edges
    (west, south), (east, north) = network.boxes[edges, :2].min(axis=0), network.boxes[edges, 2:].max(axis=0)
    wide = 2 * margin_m
    return np.flatnonzero(network.meeting(west - wide, south - wide, east + wide, north + wide))
