"""How complete the data is: the measures of ``geo.completeness`` for a prepared city, and what they let suspect."""

from __future__ import annotations

import math
from collections.abc import Sequence

import shapely

from app.checks.findings import told
from app.checks.ground import Ground
from app.checks.reading import Read, of_kind
from app.checks.report import FindingModel, Measure
from data import standards
from geo.completeness import Completeness, CompletenessParams, completeness
from geo.readied import Base

OF_HOMES = frozenset({
    "buildings_none", "quarters_may_be_missing", "buildings_thin_on_land", "levels_few", "use_few",
})  # fmt: skip
"""What only matters where people are estimated from buildings."""
SAME_AS = {
    "no_stations_fire": "fire_station_none", "no_stations_medical": "hospital_none",
    "no_stations_police": "police_none", "no_shelters": "shelters_few",
}  # fmt: skip
"""What a plan says, and what says the same of it with more to go by."""


def measured(
    base: Base | None, reads: Sequence[Read], ground: Ground | None
) -> tuple[tuple[Measure, ...], tuple[FindingModel, ...]]:
    """The measures, and what is to be said of them; nothing of a city that cannot be prepared or has no streets."""
    if base is None or base.city.ways is None:
        return (), ()
    found = _completeness(base, ground)
    rows = [{str(name): value for name, value in row.items()} for row in found.shares.to_dict("records")]
    given = bool(of_kind(reads, "population"))
    kept = [finding for finding in found.findings if not (given and finding.code in OF_HOMES)]
    return tuple(_measure(row) for row in rows), told(kept)


def _completeness(base: Base, ground: Ground | None) -> Completeness:
    city = base.city
    assert city.ways is not None
    within = ground.shape if ground and isinstance(ground.shape, shapely.Polygon | shapely.MultiPolygon) else None
    return completeness(
        city.ways, city.buildings, city.facilities, city.shelters, city.areas, city.lines,
        params=CompletenessParams.of(standards.load()), people=base.people.total or None, within=within,
    )  # fmt: skip


def _measure(row: dict[str, object]) -> Measure:
    numbers = {name: _known(row[name]) for name in ("of", "share")}
    return Measure.model_validate({**row, "count": round(float(str(row["count"])), 1), **numbers})


def _known(value: object) -> float | None:
    number = float(str(value))
    return None if math.isnan(number) else round(number, 4)


def without_doubles(notes: Sequence[FindingModel], better: Sequence[FindingModel]) -> tuple[FindingModel, ...]:
    """What a plan says that is not said better already, and each thing once."""
    codes = {finding.code for finding in better}
    kept = [note for note in notes if SAME_AS.get(note.code) not in codes]
    return tuple(dict.fromkeys((*kept, *better)))
