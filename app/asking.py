"""Questions from outside put to a prepared city: degrees become metres of its CRS, and what cannot be is refused."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import chain
from typing import TypeVar

import numpy as np
import shapely
from numpy.typing import NDArray

from app.schemas import MultiPolygonIn, PolygonIn, ShelterIn, WhatIfIn
from app.settings import Settings
from data.study import Scenario
from geo import directions, one_point
from geo.crs import WGS84, reproject
from geo.errors import ConflictError, Fault, InputError, LimitError, NoOverlapError, ParameterError, refuse
from geo.one_point import Answer, Guide
from geo.readied import Base
from geo.situation import Situation
from geo.what_if import Edits, NewShelter

Floats = NDArray[np.float64]
Area = shapely.Polygon | shapely.MultiPolygon
Shape = TypeVar("Shape", bound=shapely.Geometry)
FROM = "Write longitude,latitude in degrees, e.g. 5.92,52.56."

DEGREES_MOST = 1e6
"""What is larger is no place anywhere; its outline could not even be judged."""
MARGIN_DEG = 0.1
"""Ground this far beyond the streets, degrees, is looked at where an area is closed."""


def position(text: str, *, where: str = "from") -> tuple[float, float]:
    """``lon,lat`` in degrees as numbers; ParameterError for anything else."""
    parts = text.split(",")
    try:
        lon, lat = (float(part) for part in parts)
    except ValueError:
        raise ParameterError(Fault("longitude,latitude", repr(text), where, FROM)) from None
    if not (-180 <= lon <= 180 and -90 <= lat <= 90):  # what is no number is not between either
        raise ParameterError(Fault("longitude within ±180, latitude within ±90", repr(text), where, FROM))
    return lon, lat


def way(guide: Guide, lon: float, lat: float) -> Answer:
    """The nearest safe shelter with room from a point (degrees); NoOverlapError says how far one lies outside."""
    there = metric(shapely.Point(lon, lat), "from", crs=guide.now.base.network.crs)
    found = one_point.nearest(guide, there)
    if found.said.code == "outside_data":
        raise _outside(guide.now.base, there, "from")
    return found


def edits(body: WhatIfIn, now: Situation, *, limits: Settings) -> Edits:
    """What is to be changed, in the city's CRS; LimitError for too much, and one error for everything that is wrong."""
    refuse(LimitError, _too_many(body, limits))
    added = _named(body.add, {*now.sites["shelter_id"]})
    close = [*body.close, *(_within(body.close_within, now.base) if body.close_within else ())]
    return Edits(
        add=tuple(_shelter(new, name, now.base, f"add.{i}") for i, (name, new) in enumerate(added)),
        remove=tuple(dict.fromkeys(body.remove)),
        room=dict(body.room),
        close=tuple(dict.fromkeys(close)),
        open=tuple(dict.fromkeys(body.open)),
    )


def same_time(now: Scenario, then: Scenario) -> None:
    """Refuse to compare scenarios of different times of day: other people stand at other places."""
    if now.time != then.time:
        wanted = f"a scenario of the same time of day ({now.time})"
        raise InputError(Fault(wanted, then.time, "against", "Compare their runs instead."))


def _too_many(body: WhatIfIn, limits: Settings) -> Iterator[Fault]:
    lists: tuple[Sequence[object], ...] = (body.add, body.remove, body.close, body.open)
    count = sum(map(len, lists)) + len(body.room)
    if count > limits.what_if_edits:
        yield Fault(f"at most {limits.what_if_edits} edits", str(count), "body")
    outlines = [new.geometry for new in body.add] + [body.close_within]
    vertices = sum(len(ring) for outline in outlines if outline for ring in chain.from_iterable(rings_of(outline)))
    if vertices > limits.what_if_vertices:
        yield Fault(f"at most {limits.what_if_vertices} vertices of polygons", str(vertices), "body", "Simplify them.")


def rings_of(outline: PolygonIn | MultiPolygonIn) -> list[list[list[list[float]]]]:
    """The rings of each polygon."""
    return [outline.coordinates] if isinstance(outline, PolygonIn) else outline.coordinates


def _named(added: Sequence[ShelterIn], taken: set[str]) -> list[tuple[str, ShelterIn]]:
    """New shelters by an id: the one given, else one that is free; ConflictError for one that is not."""
    given = [new.id for new in added if new.id is not None]
    twice = sorted({name for name in given if given.count(name) > 1 or name in taken})
    refuse(ConflictError, [Fault("a new id for each shelter", repr(name), "add") for name in twice])
    used = taken | {*given}
    free = (name for n in range(1, len(used) + len(added) + 2) if (name := f"new-{n}") not in used)
    return [(new.id or next(free), new) for new in added]


def _shelter(new: ShelterIn, shelter_id: str, base: Base, where: str) -> NewShelter:
    at = np.array([new.lon, new.lat], dtype=float)
    drawn_there = shapely.Point(at) if new.geometry is None else drawn(new.geometry, where)
    site = metric(drawn_there, where, crs=base.network.crs)
    if float(shapely.distance(one_point.hull(base.network), site)) > base.params.shelter.entrance_max_m:
        raise _outside(base, site, where)
    return NewShelter(shelter_id, site, new.room, new.name or "")


def _within(outline: PolygonIn | MultiPolygonIn, base: Base) -> list[str]:
    """Ids of the streets that an outline touches."""
    asked = drawn(outline, "close_within")
    # What lies far from the city has no place in its CRS, or a wrong one.
    near = shapely.intersection(asked, shapely.box(*_around(base)))
    if near.is_empty:
        raise NoOverlapError(Fault("an area that meets the study", "one far outside it", "close_within"))
    shape = metric(near, "close_within", crs=base.network.crs)
    rows = np.sort(base.network.tree.query(shape, predicate="intersects"))
    return [str(name) for name in base.network.street_ids[rows]]


def _around(base: Base) -> tuple[float, float, float, float]:
    """West, south, east, north of the city's streets with a margin, degrees."""
    x, y = base.network.x, base.network.y
    corners = np.array([(a, b) for a in (x.min(), x.max()) for b in (y.min(), y.max())])
    lon, lat = reproject(corners[:, 0], corners[:, 1], source=base.network.crs, target=WGS84)
    west, south, east, north = (float(edge) for edge in (lon.min(), lat.min(), lon.max(), lat.max()))
    return west - MARGIN_DEG, south - MARGIN_DEG, east + MARGIN_DEG, north + MARGIN_DEG


def drawn(outline: PolygonIn | MultiPolygonIn, where: str) -> Area:
    """A polygon in degrees; InputError for one that crosses itself."""
    try:
        parts = [shapely.Polygon(_ring(rings[0]), [_ring(r) for r in rings[1:]]) for rings in rings_of(outline)]
    except (ValueError, shapely.GEOSException) as error:
        raise InputError(Fault("a polygon of closed rings", str(error), where)) from None
    shape = parts[0] if len(parts) == 1 else shapely.MultiPolygon(parts)
    if np.abs(shapely.get_coordinates(shape)).max(initial=0.0) > DEGREES_MOST:
        raise InputError(Fault("positions in degrees", "numbers that are none", where))
    if not shapely.is_valid(shape) or shape.is_empty:
        raise InputError(Fault("a polygon that does not cross itself", shapely.is_valid_reason(shape), where))
    return shape


def _ring(ring: list[list[float]]) -> list[tuple[float, float]]:
    return [(position[0], position[1]) for position in ring]


def metric(shape: Shape, where: str, *, crs: str) -> Shape:
    """Degrees in a city's CRS; NoOverlapError for what lies where that has no coordinates."""

    def metres(degrees: Floats) -> Floats:
        return np.column_stack(reproject(degrees[:, 0], degrees[:, 1], source=WGS84, target=crs))

    moved: Shape = shapely.transform(shape, metres)
    if not np.isfinite(shapely.get_coordinates(moved)).all():
        raise NoOverlapError(Fault(f"a place that {crs} has coordinates for", "one far outside", where))
    return moved


def _outside(base: Base, shape: shapely.Geometry, where: str) -> NoOverlapError:
    far, _ = directions.distance(float(shapely.distance(one_point.hull(base.network), shape)))
    return NoOverlapError(Fault("a place within the study", f"one {far} outside its streets", where))
