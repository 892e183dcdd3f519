"""What programs that draw maps are told of tiles before they ask for any: TileJSON 3.0.0."""

from __future__ import annotations

import math
from collections.abc import Mapping

import numpy as np
import pyarrow.parquet as pq
import pyarrow.types as types

from app.links import here
from app.schemas import TileJson, VectorLayer
from app.showing import Shown
from app.store import Study
from tiles import raster
from tiles.archive import FIELDS
from tiles.basemap import MAX_TILE_ZOOM, BaseMap
from tiles.grid import to_world

Bounds = tuple[float, float, float, float]
SCREEN_TILES = 2
"""Tiles side by side on the smallest screen that is thought of."""


def of_base(study: Study, base: BaseMap) -> TileJson:
    """The base map of a study."""
    layers = [
        VectorLayer(
            id=source.name, fields={key: FIELDS[kind] for key, kind in source.carried.of_kinds()},
            minzoom=source.first_zoom, maxzoom=MAX_TILE_ZOOM,
        )
        for source in base.sources
    ]  # fmt: skip
    return TileJson(
        name=f"{study.file.name}, base map", tiles=[_url(f"{study.study_id}/base", "mvt")],
        minzoom=min(layer.minzoom for layer in layers), maxzoom=MAX_TILE_ZOOM, bounds=base.bounds,
        center=centre(base.bounds, MAX_TILE_ZOOM), attribution=credits_of(study), vector_layers=layers,
    )  # fmt: skip


def credits_of(study: Study) -> str:
    """Whom to name for a study's base map."""
    return "; ".join(layer.attribution for layer in study.file.layers if layer.kind == "osm" and layer.attribution)


def of_layer(shown: Shown, layer: str) -> TileJson:
    """A layer of a run, as vector tiles or as pictures; NotFoundError when it is not drawn."""
    record, drawn = shown.run.layer(layer), shown.drawn_from(layer)
    vector = record.kind == "table"
    deepest = MAX_TILE_ZOOM if vector else raster.deepest(shown.run.file(layer, "raster"))
    inside = [VectorLayer(id=layer, fields=fields(shown, layer), minzoom=0, maxzoom=deepest)] if vector else []
    return TileJson(
        name=drawn[0].title.en, tiles=[_url(f"{shown.run.run_id}/{layer}", "mvt" if vector else "png")], minzoom=0,
        maxzoom=deepest, bounds=record.bounds, center=centre(record.bounds, deepest) if record.bounds else None,
        attribution="; ".join(shown.run.record.attribution), vector_layers=inside,
    )  # fmt: skip


def fields(shown: Shown, layer: str) -> dict[str, str]:
    """What travels with the features of a table: its type, and what it is called on the map."""
    called: Mapping[str, str] = {f.column: f.label.en for one in shown.drawn_from(layer) for f in one.fields}
    schema = pq.read_schema(shown.run.file(layer, "table"))
    kinds = {column: _kind(schema.field(column).type) for column in shown.columns(layer)}
    return {column: f"{kind}: {called[column]}" if column in called else kind for column, kind in kinds.items()}


def _kind(type_: object) -> str:
    if types.is_boolean(type_):
        return FIELDS["flag"]
    return FIELDS["number"] if types.is_integer(type_) or types.is_floating(type_) else FIELDS["text"]


def centre(bounds: Bounds, deepest: int) -> tuple[float, float, int]:
    """The middle of ``bounds`` (degrees) and the zoom at which all of it is seen."""
    west, south, east, north = bounds
    x, y = to_world(np.array([west, east]), np.array([south, north]))
    widest = max(float(np.ptp(x)), float(np.ptp(y)), 1e-9)
    zoom = min(max(math.floor(math.log2(SCREEN_TILES / widest)), 0), deepest)
    return round((west + east) / 2, 6), round((south + north) / 2, 6), zoom


def _url(path: str, form: str) -> str:
    return here().absolute(f"/tiles/{path}/{{z}}/{{x}}/{{y}}.{form}")
