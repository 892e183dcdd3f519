"""Runs: the record, the summary by community, the layers and their downloads. A run never changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

import orjson
from fastapi import APIRouter, Path, Request, Response

from app.answers import WHILE_LOOKED_AT, kept, tag
from app.deps import Held, NamedRun
from app.export import Format, as_csv, as_geojson, as_geopackage, as_parquet, records
from app.schemas import LayerList, LayerOut, Summary
from app.settings import Settings
from app.store import Record, Run
from app.store.runs import LayerRecord
from geo.errors import Fault, LimitError

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])
LayerName = Annotated[str, Path(description="Name of the layer.")]
Ending = Annotated[Format, Path(description="Form of the file: geojson, gpkg, csv or parquet.")]
JSON = "application/json"


WRITERS: dict[Format, tuple[Callable[[Run, str], bytes], str]] = {
    Format.geojson: (as_geojson, "application/geo+json"),
    Format.gpkg: (as_geopackage, "application/geopackage+sqlite3"),
    Format.csv: (as_csv, "text/csv; charset=utf-8"),
    Format.parquet: (as_parquet, "application/vnd.apache.parquet"),
}


@router.get("/{run}", summary="One run: what was computed from what, and what was found", response_model=Record)
def record(request: Request, named: NamedRun) -> Response:
    """The record as it is kept: recipe, headline, audit, notes, layers."""
    return kept(
        request,
        lambda: orjson.dumps(named.record.model_dump()),
        media_type=JSON,
        state=tag(named.run_id),
        cache=WHILE_LOOKED_AT,
    )


@router.get("/{run}/summary", summary="One row per community, with reasons", response_model=Summary)
def summary(request: Request, named: NamedRun) -> Response:
    """Who is served, who is not and why, for each community; the people of all rows are the people of the study."""
    return kept(
        request, lambda: _summary(named), media_type=JSON, state=tag(named.run_id, "summary"), cache=WHILE_LOOKED_AT
    )


@router.get("/{run}/layers", summary="The layers of a run")
def layers(named: NamedRun) -> LayerList:
    """Every layer with its columns and the paths of its downloads."""
    return LayerList(layers=[_layer(named, layer) for layer in named.record.layers])


@router.get("/{run}/layers/{layer}.{format}", summary="One layer as a file", response_class=Response)
def download(request: Request, held: Held, named: NamedRun, layer: LayerName, format: Ending) -> Response:
    """A table layer as GeoJSON (longitude, latitude on WGS 84), GeoPackage with styles, or CSV."""
    write, media_type = WRITERS[format]
    named.file(layer, "table")
    _refuse_large(named.layer(layer), held.settings)
    name = f"{named.record.study_id}-{named.record.scenario_id}-{layer}.{format}"
    return kept(
        request,
        lambda: write(named, layer),
        media_type=media_type,
        state=tag(named.run_id, layer, format),
        cache=WHILE_LOOKED_AT,
        headers={"Content-Disposition": f'attachment; filename="{name}"'} if format is not Format.geojson else None,
    )


def _summary(run: Run) -> bytes:
    record = run.record
    return orjson.dumps(
        {
            "run_id": run.run_id,
            "study_id": record.study_id,
            "scenario_id": record.scenario_id,
            "headline": record.headline,
            "attribution": record.attribution,
            "communities": records(run.table("communities")),
        }
    )


def _layer(run: Run, layer: LayerRecord) -> LayerOut:
    base = f"/api/v1/runs/{run.run_id}/layers/{layer.layer}"
    formats = list(Format) if layer.kind == "table" else []
    return LayerOut(
        **layer.model_dump(exclude={"file", "sha256", "hazard"}), downloads={f: f"{base}.{f}" for f in formats}
    )


def _refuse_large(layer: LayerRecord, settings: Settings) -> None:
    if layer.rows > settings.download_features:
        cure = "Export it with renxing export instead."
        raise LimitError(Fault(f"at most {settings.download_features} features", str(layer.rows), layer.layer, cure))
