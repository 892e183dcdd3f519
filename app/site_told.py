"""A site check as data in degrees: the verdict, every rule, the ground, and what is on the map."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import shapely
from numpy.typing import NDArray

from app.export.values import rounded
from app.fields import named
from app.planned import told as planned_told
from app.site_schemas import LotIn
from app.sites import Asked, Many
from app.snippet import Around
from app.store import Study
from app.store.runs import credit
from app.store.tables import in_degrees
from app.texts import words
from app.texts.phrases import told_in_chinese
from geo.errors import RenxingError
from geo.land import Land
from geo.site_check import RULES, Checked
from geo.zoning import JUDGED

Shapes = NDArray[np.object_]
GIVEN = "_given"
"""Ends the name of a property of a lot that has the name of one of ours."""


def credits(study: Study) -> list[str]:
    """Whom to name: the sources of every layer of the study, of which land takes account of all."""
    layers = [layer.model_dump(mode="json") for layer in study.file.layers]
    return list(dict.fromkeys(said for layer in layers if (said := credit(layer))))


def checked(found: Checked, asked: Asked, land: Land) -> dict[str, Any]:
    """The answer for one place, without its map."""
    gloss = words(f"site.gloss.{found.verdict}")
    (shape,) = _json([asked.shape], land)
    return {
        "verdict": found.verdict,
        "verdict_en": gloss.en,
        "verdict_zh": gloss.zh,
        "said_en": found.reason_en,
        "said_zh": found.reason_zh,
        "shares": {zone: rounded("share", share) for zone, share in found.shares.items()},
        "planned": planned_told(asked.what),
        "lot_id": asked.lot_id,
        "geometry": shape,
        "area_m2": round(float(shapely.area(asked.shape)), 1),
        "ground": _ground(found, land),
        "rules": [_plain(row) for row in found.rules[list(RULES)].to_dict("records")],
    }


def _ground(found: Checked, land: Land) -> dict[str, Any]:
    ground, units = found.ground, land.communities
    row = units[(units["community_id"] == ground.community_id).to_numpy()]
    name = named(row.iloc[0]) if len(row) else None
    return {
        "level": _known(ground.level),
        "unknown_share": round(ground.unknown_share, 4),
        "community_id": ground.community_id,
        "community_name": name.of("en") or None if name else None,
        "community_name_zh": name.of("zh") or None if name else None,
    }


def _plain(row: Mapping[Any, Any]) -> dict[str, Any]:
    """One row as JSON has it: what is not known is null, measures are no finer than they are worth."""
    return {name: _rounded(name, _known(value)) for name, value in row.items()}


def _rounded(name: Any, value: Any) -> Any:
    """A measure to what it is worth; all else as it is."""
    return rounded(str(name), value) if isinstance(value, float) else value


def _known(value: Any) -> Any:
    """A value; None where it is missing."""
    if value is None or value is pd.NA or (isinstance(value, float) and not math.isfinite(value)):
        return None
    return value


def _json(shapes: Sequence[shapely.Geometry], land: Land) -> list[orjson.Fragment]:
    moved = in_degrees(np.array([*shapes, None], dtype=object)[:-1], source=land.crs)
    return [orjson.Fragment(text) for text in shapely.to_geojson(moved)]


def features(around: Around) -> dict[str, Any]:
    """What the map of a place shows, as GeoJSON."""
    zones, sources = around.zones, around.sources
    shapes = [around.asked.shape, *zones.geometry, *sources.geometry]
    told = [{"part": "lot", "verdict": around.checked.verdict}, *_rows("zone", zones), *_rows("source", sources)]
    pairs = zip(_json(shapes, around.land), told, strict=True)
    return _collection({"type": "Feature", "geometry": shape, "properties": row} for shape, row in pairs)


def _rows(part: str, table: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    rows = table.drop(columns=[table.geometry.name, "community_id", "zone_id"], errors="ignore").to_dict("records")
    return [{"part": part, **_plain(row)} for row in rows]


def _collection(found: Any) -> dict[str, Any]:
    return {"type": "FeatureCollection", "features": [*found]}


# -- many lots ---------------------------------------------------------------------------------------------------------


def lots(sent: Sequence[LotIn], many: Many) -> dict[str, Any]:
    """Lots as they were sent, their own properties first, each with its verdict or why it has none."""
    rows = judgements(many)
    return _collection(_lot(lot, row) for lot, row in zip(sent, rows, strict=True)) | {"counts": many.counts}


def _lot(lot: LotIn, row: dict[str, Any]) -> dict[str, Any]:
    given = {f"{name}{GIVEN}" if name in row else name: value for name, value in (lot.properties or {}).items()}
    named = {} if lot.id is None else {"id": lot.id}
    return {"type": "Feature", **named, "geometry": lot.geometry.model_dump(), "properties": {**given, **row}}


def judgements(many: Many) -> list[dict[str, Any]]:
    """For each lot the columns of its verdict, and ``problem`` (its code and words): None where it has a verdict."""
    rows = [_plain(row) for row in many.table[list(JUDGED)].to_dict("records")]
    return [{**row, **_problem(many.refused.get(number))} for number, row in enumerate(rows)]


def plain_rows(table: pd.DataFrame) -> list[dict[str, Any]]:
    """Rows as JSON has them: dates as text, what is not known null."""
    return [{name: _told(value) for name, value in _plain(row).items()} for row in table.to_dict("records")]


def _told(value: Any) -> Any:
    return value if value is None or isinstance(value, str | int | float | bool) else str(value)


def _problem(error: RenxingError | None) -> dict[str, Any]:
    if error is None:
        return {"problem": None, "problem_en": None, "problem_zh": None}
    chinese = "\n".join(map(told_in_chinese, error.faults)) or str(error)
    return {"problem": error.code, "problem_en": str(error), "problem_zh": chinese}
