"""Tiles: the layers of a run, and the base map of a study, drawn from the study's own extract."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Path, Request, Response

from app.answers import WHILE_LOOKED_AT, kept, tag
from app.deps import Held, NamedStudy, RunId
from app.schemas import TileJson, VectorLayer
from geo.errors import Fault, NotFoundError
from tiles import basemap, raster
from tiles.grid import MAX_ZOOM, Tile, is_tile

router = APIRouter(prefix="/tiles", tags=["tiles"])
MVT = "application/vnd.mapbox-vector-tile"
Zoom = Annotated[int, Path(description="Zoom (number, 0-22).")]
Column = Annotated[int, Path(description="Column of the tile, from the west (number, 0 to 2^z - 1).")]
Line = Annotated[int, Path(description="Row of the tile, from the north (number, 0 to 2^z - 1).")]
LayerName = Annotated[str, Path(description="Name of the layer.")]


@router.get("/{study}/base/{z}/{x}/{y}.mvt", summary="A tile of a study's base map", response_class=Response)
def base_tile(request: Request, held: Held, named: NamedStudy, z: Zoom, x: Column, y: Line) -> Response:
    """Streets, buildings, water, land use and names from the study's OpenStreetMap extract, as a vector tile."""
    tile, key = _tile(z, x, y), held.base_key(named)
    return kept(
        request, lambda: held.tile((key, tile), lambda: held.base(named).tile(tile, params=held.tile_params).body),
        media_type=MVT, state=tag(*key, *held.tile_params, z, x, y),
    )  # fmt: skip


@router.get("/{study}/base.json", summary="TileJSON of a study's base map")
def base_json(request: Request, held: Held, named: NamedStudy) -> TileJson:
    """Where the base map's tiles are and what is in them."""
    base = held.base(named)
    found = [layer.attribution for layer in named.file.layers if layer.kind == "osm" and layer.attribution]
    return TileJson(
        name=f"{named.file.name}, base map", tiles=[_url(request, f"{named.study_id}/base", "mvt")],
        minzoom=0, maxzoom=basemap.MAX_TILE_ZOOM, bounds=base.bounds, attribution="; ".join(found),
        vector_layers=[VectorLayer(id=source.name, fields={}) for source in base.sources],
    )  # fmt: skip


@router.get("/{run}/{layer}/{z}/{x}/{y}.mvt", summary="A vector tile of a run's layer", response_class=Response)
def vector_tile(request: Request, held: Held, run_id: RunId, layer: LayerName, z: Zoom, x: Column, y: Line) -> Response:
    """The features of a table layer in one tile, with the columns that maps show."""
    shown, tile = held.shown(run_id), _tile(z, x, y)
    shown.run.file(layer, "table")
    return kept(
        request, lambda: held.tile((run_id, layer, tile), lambda: held.draw(tile, shown.source(layer))),
        media_type=MVT, state=tag(run_id, layer, *held.tile_params, z, x, y), cache=WHILE_LOOKED_AT,
    )  # fmt: skip


@router.get("/{run}/{layer}/{z}/{x}/{y}.png", summary="A picture tile of a run's raster", response_class=Response)
def picture_tile(
    request: Request, held: Held, run_id: RunId, layer: LayerName, z: Zoom, x: Column, y: Line
) -> Response:
    """A hazard in its colours, 256 pixels wide; clear where it is dry, not known or outside."""
    shown, tile = held.shown(run_id), _tile(z, x, y)
    path = shown.run.file(layer, "raster")
    style = shown.drawn_from(layer)[0].style
    return kept(
        request, lambda: raster.draw(path, tile, style), media_type="image/png", state=tag(run_id, layer, z, x, y),
        cache=WHILE_LOOKED_AT,
    )  # fmt: skip


@router.get("/{run}/{layer}.json", summary="TileJSON of a run's layer")
def layer_json(request: Request, held: Held, run_id: RunId, layer: LayerName) -> TileJson:
    """Where the layer's tiles are and what is in them."""
    shown = held.shown(run_id)
    record, drawn = shown.run.layer(layer), shown.drawn_from(layer)
    vector = record.kind == "table"
    fields = {f.column: f.label.en for one in drawn for f in one.fields}
    return TileJson(
        name=drawn[0].title.en, tiles=[_url(request, f"{run_id}/{layer}", "mvt" if vector else "png")],
        minzoom=0, maxzoom=MAX_ZOOM, bounds=record.bounds, attribution="; ".join(shown.run.record.attribution),
        vector_layers=[VectorLayer(id=layer, fields=fields)] if vector else [],
    )  # fmt: skip


def _tile(z: int, x: int, y: int) -> Tile:
    if not is_tile(z, x, y):
        raise NotFoundError(Fault(f"zoom 0-{MAX_ZOOM}, x and y from 0 to 2^zoom - 1", f"{z}/{x}/{y}"))
    return Tile(z, x, y)


def _url(request: Request, path: str, form: str) -> str:
    return f"{str(request.base_url).rstrip('/')}/tiles/{path}/{{z}}/{{x}}/{{y}}.{form}"
