"""Tiles: the layers of a run, and the base map of a study, drawn from the study's own extract."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, BinaryIO

from fastapi import APIRouter, Path, Request, Response
from fastapi.responses import FileResponse

from app import tilejson
from app.answers import REVALIDATE, WHILE_LOOKED_AT, has, labels, sent, takes_gzip
from app.deps import Held, NamedRun, NamedStudy, RunId, Service, StudyId
from app.schemas import TileJson
from app.tiling import Make, named
from geo.errors import Fault, NotFoundError
from tiles import archive, mvt, raster
from tiles.archive import ArchiveParams
from tiles.basemap import MAX_TILE_ZOOM
from tiles.grid import MAX_ZOOM, Tile, is_tile

router = APIRouter(prefix="/tiles", tags=["tiles"])
MVT, PNG, PMTILES = "application/vnd.mapbox-vector-tile", "image/png", "application/vnd.pmtiles"
Zoom = Annotated[int, Path(description="Zoom (number, 0-22).")]
Column = Annotated[int, Path(description="Column of the tile, from the west (number, 0 to 2^z - 1).")]
Line = Annotated[int, Path(description="Row of the tile, from the north (number, 0 to 2^z - 1).")]
LayerName = Annotated[str, Path(description="Name of the layer.")]
VECTOR: dict[int | str, dict[str, Any]] = {
    200: {"description": "The tile.", "content": {MVT: {"schema": {"type": "string", "format": "binary"}}}},
    204: {"description": "Nothing is there."},
}
ARCHIVE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The archive.", "content": {PMTILES: {"schema": {"type": "string", "format": "binary"}}}},
    206: {
        "description": "The part asked for.",
        "content": {PMTILES: {"schema": {"type": "string", "format": "binary"}}},
    },
}
PICTURE: dict[int | str, dict[str, Any]] = {
    200: {"description": "The tile.", "content": {PNG: {"schema": {"type": "string", "format": "binary"}}}}
}


@router.get(
    "/{study}/base/{z}/{x}/{y}.mvt", summary="A tile of a study's base map", response_class=Response, responses=VECTOR
)
async def base_tile(request: Request, held: Held, study_id: StudyId, z: Zoom, x: Column, y: Line) -> Response:
    """Streets, buildings, water, land use and names from the study's OpenStreetMap extract, as a vector tile."""
    tile, key = _tile(z, x, y), await held.base_of(study_id)

    def make() -> bytes:
        return held.base(key).tile(tile, params=held.tile_params).body

    return await _answer(request, held, named(*key, held.tile_params, z, x, y), make, MVT, cache=REVALIDATE)


@router.get("/{study}/base.json", summary="TileJSON of a study's base map", response_model=TileJson)
def base_json(request: Request, held: Held, study: NamedStudy) -> Response:
    """Where the base map's tiles are and what is in them."""
    return sent(request, tilejson.of_base(study, held.base(held.base_key(study))))


@router.get(
    "/{run}/{layer}/{z}/{x}/{y}.mvt", summary="A vector tile of a run's layer", response_class=Response,
    responses=VECTOR,
)  # fmt: skip
async def vector_tile(
    request: Request, held: Held, run_id: RunId, layer: LayerName, z: Zoom, x: Column, y: Line
) -> Response:
    """The features of a table layer in one tile, with the columns that maps show."""
    tile = _tile(z, x, y)
    await held.require_run(run_id)

    def make() -> bytes:
        return mvt.encode(tile, [held.source(run_id, layer)], params=held.tile_params).body

    return await _answer(request, held, named(run_id, layer, held.tile_params, z, x, y), make, MVT)


@router.get(
    "/{run}/{layer}/{z}/{x}/{y}.png", summary="A picture tile of a run's raster", response_class=Response,
    responses=PICTURE,
)  # fmt: skip
async def picture_tile(
    request: Request, held: Held, run_id: RunId, layer: LayerName, z: Zoom, x: Column, y: Line
) -> Response:
    """A hazard in its colours, 256 pixels wide; clear where it is dry, not known or outside."""
    tile = _tile(z, x, y)
    await held.require_run(run_id)

    def make() -> bytes:
        shown = held.shown(run_id)
        return raster.draw(shown.run.file(layer, "raster"), tile, shown.drawn_from(layer)[0].style)

    return await _answer(request, held, named(run_id, layer, "png", z, x, y), make, PNG)


@router.get(
    "/{study}/base.pmtiles", summary="All tiles of a study's base map in one file", response_class=FileResponse,
    responses=ARCHIVE,
)  # fmt: skip
async def base_archive(request: Request, held: Held, study: NamedStudy) -> Response:
    """PMTiles 3, for maps without this service; parts of it may be asked for (Range)."""
    key = held.base_key(study)
    about = f"{study.file.name}, base map"

    def write(file: BinaryIO) -> None:
        credit = tilejson.credits_of(study)
        archive.write(file, held.base(key).sources, name=about, attribution=credit, params=limits(held))

    return await _archive(request, held, named(*key, limits(held)), write, f"{study.study_id}-base", cache=REVALIDATE)


@router.get(
    "/{run}/{layer}.pmtiles", summary="All tiles of a run's layer in one file", response_class=FileResponse,
    responses=ARCHIVE,
)  # fmt: skip
async def layer_archive(request: Request, held: Held, run: NamedRun, layer: LayerName) -> Response:
    """PMTiles 3, for maps without this service; parts of it may be asked for (Range)."""
    run.file(layer, "table")
    about, credit = f"{run.record.study_id}, {layer}", "; ".join(run.record.attribution)

    def write(file: BinaryIO) -> None:
        archive.write(file, [held.source(run.run_id, layer)], name=about, attribution=credit, params=limits(held))

    name = f"{run.record.study_id}-{run.record.scenario_id}-{layer}"
    return await _archive(request, held, named(run.run_id, layer, limits(held)), write, name)


@router.get("/{run}/{layer}.json", summary="TileJSON of a run's layer", response_model=TileJson)
def layer_json(request: Request, held: Held, named: NamedRun, layer: LayerName) -> Response:
    """Where the layer's tiles are and what is in them."""
    return sent(request, tilejson.of_layer(held.shown(named.run_id), layer))


def limits(held: Service) -> ArchiveParams:
    """How far an archive goes that is made for a download."""
    return ArchiveParams(max_zoom=MAX_TILE_ZOOM, max_tiles=held.settings.archive_tiles, tile=held.tile_params)


async def _archive(
    request: Request, held: Service, state: str, write: Callable[[BinaryIO], object], name: str,
    *, cache: str = WHILE_LOOKED_AT,
) -> Response:  # fmt: skip
    shown = labels(state, cache=cache, zipped=False)
    if has(request, state):
        return Response(status_code=304, headers=shown)
    path = await held.tiles.archive(state, write)
    return FileResponse(path, media_type=PMTILES, headers=shown, filename=f"{name}.pmtiles")


async def _answer(
    request: Request, held: Service, state: str, make: Make, media_type: str, *, cache: str = WHILE_LOOKED_AT
) -> Response:
    """The tile, 304 when the reader has it, or 204 when nothing is there.

    An empty vector tile is 204 and not 200 without bytes: Mapbox's and older MapLibre's programs take the latter for an
    error, QGIS, OpenLayers and protomaps-leaflet take both. A picture without anything is a clear one, since an image
    element without an image is broken.
    """
    zipped = takes_gzip(request) and media_type != PNG
    shown = labels(state, cache=cache, zipped=zipped)
    if has(request, state):
        return Response(status_code=304, headers=shown)
    tile = await held.tiles.of(state, make)
    if not tile.body:
        return Response(status_code=204, headers=shown)
    if tile.zipped and zipped:
        return Response(tile.body, media_type=media_type, headers={**shown, "Content-Encoding": "gzip"})
    return Response(tile.plain(), media_type=media_type, headers=shown)


def _tile(z: int, x: int, y: int) -> Tile:
    if not is_tile(z, x, y):
        raise NotFoundError(Fault(f"zoom 0-{MAX_ZOOM}, x and y from 0 to 2^zoom - 1", f"{z}/{x}/{y}"))
    return Tile(z, x, y)
