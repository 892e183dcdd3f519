"""A layer as GeoJSON (RFC 7946): longitude before latitude on WGS 84, with its attribution on top."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import orjson
import shapely

from app.export.readme import sources
from app.export.values import records
from app.store import Run
from app.store.tables import id_column


def as_geojson(run: Run, layer: str) -> bytes:
    """One table layer as a FeatureCollection; missing values are null."""
    frame = run.table(layer)
    record = run.record
    return orjson.dumps({
        "type": "FeatureCollection",
        "name": layer,
        "attribution": record.attribution,
        "sources": sources(run),
        "study_id": record.study_id,
        "scenario_id": record.scenario_id,
        "run_id": run.run_id,
        "features": features(frame),
    }, option=orjson.OPT_SERIALIZE_NUMPY)  # fmt: skip


def features(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """The rows as GeoJSON features; geometries are written by GEOS and passed on as they are."""
    key = id_column(frame)
    shapes = shapely.to_geojson(frame.geometry.to_numpy())
    return [_feature(row, shape, key) for row, shape in zip(records(frame), shapes, strict=True)]


def _feature(properties: dict[str, Any], shape: str | None, key: str | None) -> dict[str, Any]:
    geometry = None if shape is None else orjson.Fragment(shape)
    named = {} if key is None else {"id": properties[key]}
    return {"type": "Feature", **named, "geometry": geometry, "properties": properties}
