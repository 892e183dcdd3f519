"""May this be built here, and why: one point or lot against every rule and whatever else asks for its ground.

The verdict is that of ``geo.zoning`` for what is planned: the same lot is judged alike on the map and here. Every rule
is told, whether it is broken, touched by a corner too small to count, kept, does not hold for what is planned, or has
nothing of its kind on the map.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import claimed, hazards, setbacks, zoning
from geo.errors import Fault, InputError, NoOverlapError
from geo.land import Land
from geo.setbacks import Kept
from geo.uses import Things
from geo.zoning import Judged

Shapes = NDArray[np.object_]

BROKEN, TOUCHED, KEPT = "broken", "touched", "kept"
NOT_FOR_IT, NOTHING_NEAR, NOT_KNOWN = "not_for_it", "nothing_near", "not_known"
STANDINGS = (BROKEN, TOUCHED, KEPT, NOT_KNOWN, NOTHING_NEAR, NOT_FOR_IT)
"""How a rule stands to a lot, as they are listed.

Touched: some of the lot is nearer than required, less of it than counts (``ZoningParams.least``): the verdict does not
change. Kept: all of it is as far as required. Not known: the study has no data of what the rule keeps away from.
"""
MET = (BROKEN, TOUCHED, KEPT)
"""Standings to a source that is there."""
RULES = (
    "rule_id", "standing", "zone", "en", "zh", "source_id", "source_name_en", "source_name_zh", "distance_m",
    "required_m", "share", "standard", "clause", "grade",
)  # fmt: skip
"""Columns of the rules: ``source_id`` of the nearest source and how far it is, NaN where none is near; ``share`` of the
lot in the rule's ground, 0 where it does not count."""


class Ground(NamedTuple):
    """What is known of the ground of a lot.

    ``level`` of all hazards together at its worst (NaN: not known), ``unknown_share`` of it of which no hazard tells;
    ``community_id`` None outside every community.
    """

    level: float
    unknown_share: float
    community_id: str | None


@dataclass(frozen=True, eq=False)
class Checked:
    """The answer: ``verdict`` with the shares of the lot, why in English and Chinese, every rule, and the ground."""

    verdict: str
    shares: Mapping[str, float]
    reason_en: str
    reason_zh: str
    rules: pd.DataFrame
    ground: Ground

    def __repr__(self) -> str:
        broken = int((self.rules["standing"] == BROKEN).sum())
        return f"Checked({self.verdict}: {broken} of {len(self.rules)} rules broken)"


def check(land: Land, shape: shapely.Geometry, what: Things) -> Checked:
    """One point, line or polygon (in the land's CRS) for what is planned there (one thing).

    Raises InputError for a shape that is empty, a collection, crosses itself, or lies wholly outside the study.
    """
    judgeable(land, shape)
    one = np.array([shape, None], dtype=object)[:-1]
    params = land.params.zoning
    near = land.claims.near(shape)
    claims = near.alike(claimed.between_buildings(land.setbacks, one, what, on="planned", reasons=near.reasons))
    judged = zoning.judge(one, land.asks(what, "planned"), claims, whole_share=params.lot_let_share, params=params)
    told: dict[str, Any] = {name: judged.table[name].iat[0] for name in zoning.JUDGED}
    return Checked(
        str(told["verdict"]),
        {zone: float(told[f"{zone}_share"]) for zone in zoning.ZONES},
        str(told["reason_en"]),
        str(told["reason_zh"]),
        _rules(land, shape, what, judged),
        _ground(land, one),
    )


def judgeable(land: Land, shape: shapely.Geometry, *, where: str = "geometry") -> shapely.Geometry:
    """The shape itself when it is a place or a lot on the study's ground; InputError or NoOverlapError otherwise."""
    if shapely.is_empty(shape):
        raise InputError(Fault("a point or a lot", "an empty geometry", where))
    if shapely.get_type_id(shape) == shapely.GeometryType.GEOMETRYCOLLECTION:
        raise InputError(Fault("a point, a line or a lot", "a GeometryCollection", where))
    if not shapely.is_valid(shape):
        why = shapely.is_valid_reason(shape)
        raise InputError(Fault("an outline that does not cross itself", str(why), where, "Mend the outline."))
    shapely.prepare(land.ground)
    if not shapely.intersects(land.ground, shape):
        far = float(shapely.distance(land.ground, shape))
        said = f"one {far / 1000:.1f} km outside it" if far >= 1000 else f"one {far:.0f} m outside it"
        raise NoOverlapError(Fault("a place within the study", said, where, "Check the order of lon and lat."))
    return shape


def _rules(land: Land, shape: shapely.Geometry, what: Things, judged: Judged) -> pd.DataFrame:
    """Every rule of distance and every other claim on the lot, broken ones first."""
    hits = {int(row["reason"]): row for row in _records(judged.hits)}
    facts = land.facts
    asked = setbacks.asked_of(land.setbacks, shape, what, on="planned")
    rows = [facts[k] | _standing(land.setbacks.kept[k], row, hits.get(k)) for k, row in enumerate(asked)]
    rows += [facts[k] | _on_its_own_ground(hit) for k, hit in hits.items() if k >= len(asked)]
    order = sorted(range(len(rows)), key=lambda k: (STANDINGS.index(str(rows[k]["standing"])), _far(rows[k]), k))
    # Column by column: a table of a hundred records takes as long to make as everything before it.
    return pd.DataFrame({name: [rows[k][name] for k in order] for name in RULES}, columns=list(RULES))


def _records(table: pd.DataFrame) -> list[dict[str, Any]]:
    """The rows of a small table."""
    columns = [table[name].tolist() for name in table.columns]
    return [dict(zip(table.columns, row, strict=True)) for row in zip(*columns, strict=True)]


def _far(row: Mapping[str, Any]) -> float:
    return float(row["distance_m"]) if row["distance_m"] == row["distance_m"] else np.inf


def _standing(kept: Kept, asked: setbacks.Row, hit: Mapping[str, Any] | None) -> dict[str, object]:
    """How one rule stands to the lot, and to which source."""
    source, there = asked.source, asked.source >= 0
    clear = (TOUCHED if asked.hit else KEPT) if there else NOTHING_NEAR if kept.known else NOT_KNOWN
    standing = BROKEN if hit is not None else clear if asked.applies else NOT_FOR_IT
    local, zh, en = kept.called[source] if there else (None, None, None)
    return {
        "standing": standing,
        "source_id": kept.source_id[source] if there else None,
        "source_name_en": _first(en, local),
        "source_name_zh": _first(zh, local),
        "distance_m": asked.distance_m,
        "required_m": asked.required_m,
        "share": 0.0 if hit is None else float(hit["share"]),
    }


def _first(*names: object) -> str | None:
    """The first name that there is."""
    return next((name for name in names if isinstance(name, str)), None)


def _on_its_own_ground(hit: Mapping[str, Any]) -> dict[str, object]:
    """A reserve or a place of refuge of which the lot is a part."""
    return {"standing": BROKEN, "source_id": hit["source_id"], "source_name_en": None, "source_name_zh": None,
            "distance_m": 0.0, "required_m": 0.0, "share": float(hit["share"])}  # fmt: skip


def _ground(land: Land, one: Shapes) -> Ground:
    name = land.units.holding(shapely.point_on_surface(one[0]))
    if land.combined_level is None:
        return Ground(np.nan, 1.0, name)
    found = hazards.expose_areas(one, crs=land.crs, hazard=land.combined_level)
    level, unknown = (found[column].to_numpy()[0] for column in ("max", "share_unknown"))
    return Ground(float(level), float(unknown), name)
