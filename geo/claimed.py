"""Who claims ground: rules of distance round their sources, reserves (留白) and places of refuge their own lot.

Refuge and reserves are claims like any other, so that a lot is told of them as it is told of a river. Gaps between
buildings are asked building by building (a row of houses wall to wall keeps none), and drawn nowhere.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import setbacks, uses
from geo.setbacks import Kept, On, Setbacks
from geo.uses import Things
from geo.zoning import AVOID, CLAIMED, EVERYBODY, PREVENT, REASONS, Claims

Ints = NDArray[np.int64]
Mask = NDArray[np.bool_]
Shapes = NDArray[np.object_]

RESERVE, REFUGE = "reserve", "refuge"
"""Ids of the reasons that are no rule of distance."""
PLANNING = "planning choice"
RESERVED = (
    RESERVE,
    PREVENT,
    PREVENT,
    "open ground of which some or all is reserved for emergencies",
    "应急留白地块（全部或部分留白）",
    PLANNING,
    "",
    "P",
)
KEPT_FREE = (REFUGE, AVOID, AVOID, "a place of refuge, or what can become one", "避险场所或可改造为避险场所的用地",
             PLANNING, "", "P")  # fmt: skip


def of_rules(found: Setbacks) -> Claims:
    """The ground of every rule but those between buildings, a claim a source; reasons in the order of ``found.kept``.

    Rules that draw nothing on the ground (``on``) claim theirs too: standing and planned things are asked of it.
    """
    rows = [(row, kept) for row, kept in enumerate(found.kept) if not _between_buildings(kept)]
    count = [len(kept) for _, kept in rows]
    return _claims(
        found,
        shapes=_joined([setbacks.around(kept) for _, kept in rows]),
        reason=np.repeat(np.array([row for row, _ in rows], dtype=np.int64), count),
        source=_joined([kept.shapes for _, kept in rows]),
        source_id=_joined([kept.source_id for _, kept in rows]),
        required_m=np.concatenate([np.zeros(0), *(kept.distance_m for _, kept in rows)]),
        whose=np.full(sum(count), EVERYBODY, dtype=np.int64),
    )


def between_buildings(
    found: Setbacks, shapes: Shapes, what: Things, *, on: On, reasons: pd.DataFrame | None = None
) -> Claims:
    """The gaps that things (n,) lack to buildings: a claim on that thing alone, of the building it is nearest to.

    ``reasons`` that are known already, the rules' first, are not told anew.
    """
    rows = [row for row, kept in enumerate(found.kept) if _between_buildings(kept)]
    some = replace(found, kept=tuple(found.kept[row] for row in rows))
    hits = setbacks.lacking(some, shapes, what, on=on)
    of = [(some.kept[rule], piece) for rule, piece in zip(hits["rule"], hits["source"], strict=True)]
    return _claims(
        found,
        shapes=_objects([setbacks.around(kept, [piece])[0] for kept, piece in of]),
        reason=np.array(rows, dtype=np.int64)[hits["rule"]],
        source=_objects([kept.shapes[piece] for kept, piece in of]),
        source_id=_objects([kept.source_id[piece] for kept, piece in of]),
        required_m=hits["required_m"],
        whose=hits["thing"],
        reasons=reasons,
    )


def drawn(found: Setbacks) -> Setbacks:
    """Without the rules between buildings, of which every building is a source."""
    return replace(found, kept=tuple(kept for kept in found.kept if not _between_buildings(kept)))


def of_lots(table: gpd.GeoDataFrame, ids: str, reason: tuple[str, ...]) -> Claims:
    """Lots that are claimed as they are, for one reason; those without area claim nothing."""
    areal = table[shapely.area(table.geometry.to_numpy()) > 0]
    n = len(areal)
    return Claims(
        pd.DataFrame([reason], columns=list(REASONS), dtype=object),
        np.asarray(areal.geometry.to_numpy(), dtype=object),
        np.zeros(n, dtype=np.int64),
        np.full(n, None, dtype=object),
        areal[ids].to_numpy(dtype=object),
        np.zeros(n),
        np.full(n, EVERYBODY, dtype=np.int64),
    )


def holds_for(found: Setbacks, reasons: pd.DataFrame, what: Things, *, on: On) -> Mask:
    """Which reason holds for what (reasons, n); reserves for whatever is built, places of refuge for everything."""
    asked = [what.meets(kept.rule.applies_to) & (on in kept.rule.on) for kept in found.kept]
    others = {RESERVE: what.tags["building"], REFUGE: np.ones(len(what), dtype=bool)}
    asked += [others[name] for name in reasons["reason_id"].iloc[len(asked) :]]
    return np.array(asked, dtype=bool).reshape(len(reasons), len(what))


def _between_buildings(kept: Kept) -> bool:
    return kept.rule.layer == "buildings"


def _claims(found: Setbacks, *, reasons: pd.DataFrame | None = None, **columns: Any) -> Claims:
    if reasons is None:
        reasons = pd.DataFrame([_reason(kept) for kept in found.kept], columns=list(REASONS), dtype=object)
    return Claims(reasons, *(columns[name] for name in CLAIMED))


def _reason(kept: Kept) -> tuple[str | None, ...]:
    rule = kept.rule
    ordinary = bool(uses.ORDINARY.meets(rule.applies_to)[0])
    drawn = "ground" in rule.on and not _between_buildings(kept)
    ground = None if not drawn else rule.zone if ordinary else PREVENT
    return kept.rule_id, rule.zone, ground, rule.en, rule.zh, rule.standard, rule.clause, rule.grade


def _joined(parts: list[Shapes]) -> Shapes:
    return np.concatenate([np.zeros(0, dtype=object), *parts])


def _objects(found: list[object]) -> Shapes:
    return np.fromiter(found, dtype=object, count=len(found))
