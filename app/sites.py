"""Places and lots put to a study's land: degrees become metres, what is planned becomes what rules see, limits hold.

One place gets every rule told (``geo.site_check``); many lots get the same verdict without the rules that are kept. A
lot of many that cannot be judged keeps its row, with the reason.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from app import asking
from app.planned import Planned, planned
from app.settings import Settings
from app.site_schemas import LineIn, LotIn, LotsIn, Place, PlannedIn, PointIn, SiteCheckIn
from geo import land as known_land
from geo import site_check, zoning
from geo.errors import Fault, InputError, LimitError, NotFoundError, ParameterError, RenxingError
from geo.land import Land
from geo.rules import TAGS
from geo.site_check import Checked
from geo.uses import Things

Shapes = NDArray[np.object_]
PLANNED = ("use", "class", "people", "beds", "height_m")
"""Properties of a lot that say what is planned on it."""


@dataclass(frozen=True, eq=False)
class Asked:
    """A place in the land's CRS, what is planned there, and the lot of the study that it is."""

    shape: shapely.Geometry
    what: Planned
    lot_id: str | None = None


@dataclass(frozen=True, eq=False)
class Many:
    """Lots (n,) as they were judged: ``table`` of ``zoning.JUDGED``, None and NaN in rows with a ``refused`` error."""

    table: pd.DataFrame
    refused: Mapping[int, RenxingError]

    def __repr__(self) -> str:
        return f"Many({len(self.table)} lots, {len(self.refused)} refused)"

    @property
    def counts(self) -> dict[str, int]:
        """Lots of each verdict, and those that were refused."""
        found = self.table["verdict"].value_counts()
        return {**{name: int(found.get(name, 0)) for name in zoning.VERDICTS}, "refused": len(self.refused)}


# -- one place ---------------------------------------------------------------------------------------------------------


def asked(body: SiteCheckIn, land: Land, *, limits: Settings) -> Asked:
    """The place that a body is about.

    Raises ParameterError for a use or class that nobody knows, NotFoundError for no such lot, InputError for an outline
    that crosses itself, NoOverlapError outside the study, LimitError for what is larger than a lot.
    """
    if body.lot_id is not None:
        return _lot(body, body.lot_id, land, limits)
    place = body.geometry or PointIn(type="Point", coordinates=[body.lon or 0.0, body.lat or 0.0])
    _few_vertices([place], limits)
    return Asked(_within(_metric(place, "geometry", land), land, limits, "geometry"), _what(body, land))


def _lot(body: SiteCheckIn, lot_id: str, land: Land, limits: Settings) -> Asked:
    """One of the study's lots; its own use where none is said."""
    lots = land.base.city.lots
    rows = np.zeros(0, dtype=np.int64) if lots is None else np.flatnonzero(lots["lot_id"] == lot_id)
    if lots is None or not len(rows):
        there = f"a lot of the study (it has {0 if lots is None else len(lots):,})"
        raise NotFoundError(Fault(there, repr(lot_id), "lot_id", "Add lots with renxing add STUDY lots FILE."))
    shape = _within(lots.geometry.iloc[rows[0]], land, limits, "lot_id")
    own = lots["use"].iloc[rows[0]]
    what = _what(body, land) if body.use or not isinstance(own, str) else _what(body, land, own)
    return Asked(shape, what, lot_id)


def _what(said: PlannedIn, land: Land, own: str | None = None) -> Planned:
    return planned(
        said.use or own, class_=said.class_, people=said.people, beds=said.beds, height_m=said.height_m,
        params=land.params.uses, known=own is None,
    )  # fmt: skip


def check(found: Asked, land: Land) -> Checked:
    """The verdict with every rule."""
    return site_check.check(land, found.shape, found.what.things)


def _metric(place: Place, where: str, land: Land) -> shapely.Geometry:
    """What was sent, in the land's CRS."""
    shape: shapely.Geometry
    if isinstance(place, PointIn):
        shape = shapely.Point(place.coordinates[:2])
    elif isinstance(place, LineIn):
        shape = shapely.LineString([position[:2] for position in place.coordinates])
        if not shape.length:
            raise InputError(Fault("a line with a length", "one place twice", where))
    else:
        shape = asking.drawn(place, where)
    return asking.metric(shape, where, crs=land.crs)


def _within(shape: shapely.Geometry, land: Land, limits: Settings, where: str) -> shapely.Geometry:
    """The shape itself when it is one that can be judged, and no larger than a lot."""
    site_check.judgeable(land, shape, where=where)
    west, south, east, north = shapely.bounds(shape).tolist()
    if max(east - west, north - south) > limits.site_check_extent_m:
        most = f"a lot of at most {limits.site_check_extent_m:,} m across"
        raise LimitError(Fault(most, f"{max(east - west, north - south):,.0f} m", where), limit="lot-size")
    return shape


def on_the_ground(shape: Any, land: Land, where: str) -> shapely.Geometry:
    """A lot of a file that was read: the shape itself when it can be judged."""
    if shape is None or shape.is_empty:
        raise InputError(Fault("a lot with an outline", "none", where))
    return site_check.judgeable(land, shape, where=where)


def _few_vertices(places: Iterable[Place], limits: Settings) -> None:
    count = sum(_vertices(place) for place in places)
    if count > limits.site_check_vertices:
        most = f"at most {limits.site_check_vertices:,} vertices"
        raise LimitError(Fault(most, f"{count:,}", "geometry", "Simplify the outlines."), limit="lot-vertices")


def _vertices(place: Place) -> int:
    if isinstance(place, PointIn):
        return 1
    if isinstance(place, LineIn):
        return len(place.coordinates)
    return sum(len(ring) for rings in asking.rings_of(place) for ring in rings)


# -- many lots ---------------------------------------------------------------------------------------------------------


def few(body: LotsIn, limits: Settings) -> None:
    """LimitError for more lots than one question may have, or more vertices."""
    if len(body.features) > limits.site_check_lots:
        most = f"at most {limits.site_check_lots:,} lots"
        cure = "Ask in parts, or use renxing check-site --file."
        raise LimitError(Fault(most, f"{len(body.features):,}", "features", cure), limit="lots")
    _few_vertices((lot.geometry for lot in body.features), limits)


def sent(body: LotsIn, land: Land, *, limits: Settings) -> Many:
    """What becomes of each lot of a collection."""
    usual = body.planned or PlannedIn()
    return judged([_or_refused(lot, row, usual, land, limits) for row, lot in enumerate(body.features)], land)


def _or_refused(lot: LotIn, row: int, usual: PlannedIn, land: Land, limits: Settings) -> Asked | RenxingError:
    where = f"features.{row}"
    try:
        what = of_row(lot.properties or {}, usual, land, where=where)
        return Asked(_within(_metric(lot.geometry, where, land), land, limits, where), what)
    except RenxingError as error:
        return error


def of_row(row: Mapping[str, Any], usual: PlannedIn, land: Land, *, where: str) -> Planned:
    """What is planned on a lot by its own properties (``PLANNED``), else as on every lot; its use may be any word."""
    own = {name: value for name in PLANNED if (value := row.get(name)) not in (None, "")}
    use = own.get("use")
    numbers = {name: _number(own[name], f"{where}.{name}") for name in PLANNED[2:] if name in own}
    said = usual.model_dump() | numbers
    return planned(
        str(use) if use is not None else usual.use, class_=str(own["class"]) if "class" in own else said["class_"],
        people=said["people"], beds=said["beds"], height_m=said["height_m"], params=land.params.uses,
        where=f"{where}.use", known=use is None,
    )  # fmt: skip


def _number(value: Any, where: str) -> float | None:
    """A number of 0 or more; None for what is not known; ParameterError for anything else."""
    try:
        number = float(value)
    except (TypeError, ValueError):
        number = -1.0
    if np.isnan(number):
        return None
    if isinstance(value, bool) or not 0 <= number < np.inf:
        raise ParameterError(Fault("a number of 0 or more", repr(value)[:200], where))
    return number


def judged(found: Sequence[Asked | RenxingError], land: Land) -> Many:
    """What becomes of each lot; rows that were refused stay, without a verdict."""
    kept = {row: one for row, one in enumerate(found) if isinstance(one, Asked)}
    refused = {row: one for row, one in enumerate(found) if isinstance(one, RenxingError)}
    shapes = np.array([*(one.shape for one in kept.values()), None], dtype=object)[:-1]
    done = known_land.planned(land, shapes, _stacked([one.what.things for one in kept.values()]))
    table = done.table.set_axis(list(kept), axis=0).reindex(range(len(found)))
    return Many(table, refused)


def _stacked(things: Sequence[Things]) -> Things:
    """Things one after another."""
    none = np.zeros(0, dtype=bool)
    tags = {name: np.concatenate([none, *(one.tags[name] for one in things)]) for name in TAGS}
    return Things(tags, np.concatenate([none.astype(object), *(one.class_ for one in things)]))
