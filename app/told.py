"""What a prepared city answers, as data in degrees: ways, changed rows, moved thresholds."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import shapely

from app.export.geojson import features
from app.export.values import rounded
from app.store import Study
from app.store.runs import credit
from app.store.tables import Shapes, in_degrees, laid_down
from data.study import Scenario
from geo.one_point import Answer, Guide
from geo.sensitivity import Sensitivity
from geo.what_if import Changes

PLAIN = (
    *("role", "shelter_id", "length_m", "elderly_s", "stroller_s", "wheelchair_s", "depth_max_m", "level_max"),
    *("share_exposed", "share_unknown", "shared_m"),
)
"""Columns of a way that are told as they are."""


def as_json(answer: dict[str, Any]) -> bytes:
    """An answer as bytes; what is not known is null."""
    return orjson.dumps(answer, option=orjson.OPT_SERIALIZE_NUMPY)


def credits(study: Study, scenario: Scenario) -> list[str]:
    """Whom to name: the sources of every layer that counts in a scenario."""
    layers = [layer.model_dump(mode="json") for layer in study.file.counted(scenario)]
    return list(dict.fromkeys(said for layer in layers if (said := credit(layer))))


def route(found: Answer, guide: Guide) -> dict[str, Any]:
    """The answer to a point, without who asked where."""
    street = None
    if found.street is not None:
        name_en, name_zh = found.street
        off_m = round(float(found.place.off_m[0]), 2)
        street = {"street_id": found.street_id, "name_en": name_en, "name_zh": name_zh, "off_m": off_m}
    return {
        "profile": found.profile,
        "code": found.said.code,
        "said_en": found.said.en,
        "said_zh": found.said.zh,
        "street": street,
        "shelter": None if found.site is None else _shelter(found, guide),
        "ways": _ways(found, guide),
    }


def _shelter(found: Answer, guide: Guide) -> dict[str, Any]:
    sites, left = guide.now.sites, found.room_left
    row = {name: sites[name].iloc[found.site] for name in ("shelter_id", "name", "name_zh") if name in sites}
    named = {name: row[name] if isinstance(row.get(name), str) else None for name in ("name", "name_zh")}
    spot = sites.geometry.iloc[found.site].representative_point()
    lon, lat = shapely.get_coordinates(_degrees([spot], guide))[0].tolist()
    room = None if math.isnan(left) else int(left)
    return {"shelter_id": row["shelter_id"], **named, "lon": lon, "lat": lat, "room_left": room}


def _degrees(shapes: Sequence[shapely.Geometry], guide: Guide) -> Shapes:
    return in_degrees(np.array([*shapes], dtype=object), source=guide.now.base.network.crs)


def _ways(found: Answer, guide: Guide) -> list[dict[str, Any]]:
    shapes = shapely.to_geojson(_degrees([way["geometry"] for way in found.ways], guide))
    return [_way(way, shape) for way, shape in zip(found.ways, shapes, strict=True)]


def _way(way: Mapping[str, Any], shape: str) -> dict[str, Any]:
    steps = {f"steps_{lang}": way[f"directions_{lang}"].split("\n") for lang in ("en", "zh")}
    narrow = way["bottleneck"].split("; ") if way["bottleneck"] else []
    told = {name: rounded(name, way[name]) for name in PLAIN} | {"takes_s": rounded("walk_s", way["walk_s"])}
    return {**told, **steps, "bottleneck": narrow, "geometry": orjson.Fragment(shape)}


def changed(changes: Changes, *, most: int) -> dict[str, Any]:
    """The city before and after, and the changed rows of each layer, the ``most`` with most people."""
    return {
        "before": changes.before,
        "after": changes.after,
        "layers": {name: _collection(table, most) for name, table in changes.layers.items()},
    }


def _collection(table: gpd.GeoDataFrame, most: int) -> dict[str, Any]:
    shown = table
    if len(table) > most:
        shown = table.sort_values("people", ascending=False, kind="stable").head(most)
    cut = len(shown) < len(table)
    return {"type": "FeatureCollection", "rows": len(table), "cut": cut, "features": features(laid_down(shown))}


def moved(found: Sensitivity) -> dict[str, Any]:
    """Each threshold moved, with the communities that stand otherwise."""
    key, named = ["variant", "step"], ["community_id", "status_before", "status_after"]
    others = {at: rows[named].to_dict("records") for at, rows in found.communities.groupby(key)}
    variants = [
        {**row, "communities": others.get((row["variant"], row["step"]), [])} for row in found.table.to_dict("records")
    ]
    return {"people_served": found.people_served, "variants": variants}
