"""Runs: the record, the summary by community, the layers and their downloads. A run never changes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated, Any, Literal

import orjson
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.concurrency import run_in_threadpool

from app import streams, submitting
from app.access import Caller, Scope, audit, needs
from app.answers import JSON, WHILE_LOOKED_AT, kept, sent, tag
from app.deps import Held, NamedRun, RunId, Service
from app.export import Format, as_csv, as_flatgeobuf, as_geojson, as_geopackage, as_parquet, records
from app.job_schemas import ExportIn, JobOut, RunOut
from app.jobs_told import told
from app.links import here
from app.routes import jobs
from app.routes.jobs import After, IdempotencyKey, LastEvent
from app.schemas import LayerList, LayerOut, Summary
from app.settings import Settings
from app.store import Record, Run
from app.store.runs import LayerRecord
from geo.errors import ConflictError, Fault, LimitError

router = APIRouter(prefix="/api/v1/runs", tags=["runs"])
LayerName = Annotated[str, Path(description="Name of the layer.")]
Ending = Annotated[Format, Path(description="Form of the file: geojson, gpkg, csv, fgb or parquet.")]
ExportFormat = Annotated[
    Literal["geojson", "gpkg", "csv", "fgb", "parquet", "archive"], Query(description="Form of the export (word).")
]

WRITERS: dict[Format, tuple[Callable[[Run, str], bytes], str]] = {
    Format.geojson: (as_geojson, "application/geo+json"),
    Format.gpkg: (as_geopackage, "application/geopackage+sqlite3"),
    Format.csv: (as_csv, "text/csv; charset=utf-8"),
    Format.fgb: (as_flatgeobuf, "application/vnd.flatgeobuf"),
    Format.parquet: (as_parquet, "application/vnd.apache.parquet"),
}


@router.get(
    "/{run}", summary="One run: what was computed from what, and what was found", response_model=Record | RunOut
)
def record(request: Request, held: Held, run_id: RunId) -> Response:
    """The record as it is kept: recipe, headline, audit, notes, layers; before that, how far its job is."""
    if (named := held.workspace.run_there(run_id)) is None:
        return Response(orjson.dumps(_not_yet(held, run_id)), media_type=JSON, headers={"Cache-Control": "no-store"})
    return kept(
        request, lambda: orjson.dumps(named.record.model_dump()), media_type=JSON, state=tag(named.run_id),
        cache=WHILE_LOOKED_AT,
    )  # fmt: skip


@router.get(
    "/{run}/events", summary="What happens to a run while it is computed", response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, **jobs.OVER},
)  # fmt: skip
async def events(request: Request, held: Held, run_id: RunId, after: After = 0, last: LastEvent = "") -> Response:
    """The events of the job that computes it (``/api/v1/jobs``); 204 when it is there already."""
    if await run_in_threadpool(held.workspace.run_there, run_id) is not None:
        return streams.over()
    found = await run_in_threadpool(submitting.job_of, held, run_id)
    return await jobs.streamed(request, held, found.job_id, after, last)


@router.delete("/{run}", summary="Take a run back while it is computed", response_model=RunOut)
def cancel(held: Held, run_id: RunId, caller: Annotated[Caller, needs(Scope.run)]) -> Response:
    """Its job is cancelled. A run that is there is never changed: it goes with its study."""
    if held.workspace.run_there(run_id) is not None:
        raise ConflictError(Fault("a run that is being computed", "one that is there", run_id))
    held.jobs.cancel(submitting.job_of(held, run_id).job_id)
    body = _not_yet(held, run_id)
    audit.note(held.register, caller, "run.cancel", study_id=body["study_id"], said={"run_id": run_id})
    return Response(orjson.dumps(body), media_type=JSON)


@router.post("/{run}/exports", summary="Have a whole run written as one zip", response_model=JobOut, status_code=202)
def export(
    held: Held, named: NamedRun, body: ExportIn, caller: Annotated[Caller, needs(Scope.run)], key: IdempotencyKey = ""
) -> Response:
    """A job writes it; its ``result`` has the path of the file."""
    made = submitting.export(held, named, body.format, submitting.Client(caller.id, key=key))
    return jobs.accepted(made.job, told(made.job))


@router.get(
    "/{run}/export.zip", summary="A run that was exported", response_class=Response,
    responses={200: {"content": {jobs.ZIP: {}}}},
)  # fmt: skip
def exported(request: Request, held: Held, named: NamedRun, format: ExportFormat = "gpkg") -> Response:
    """The zip of the last export in this form; 404 when none was made (POST …/exports) or it was swept away."""
    return jobs.file_of(request, held, submitting.exported(held, named, format))


@router.get("/{run}/summary", summary="One row per community, with reasons", response_model=Summary)
def summary(request: Request, named: NamedRun) -> Response:
    """Who is served, who is not and why, for each community; the people of all rows are the people of the study."""
    return kept(
        request, lambda: _summary(named), media_type=JSON, state=tag(named.run_id, "summary"), cache=WHILE_LOOKED_AT
    )


@router.get("/{run}/layers", summary="The layers of a run", response_model=LayerList)
def layers(request: Request, named: NamedRun) -> Response:
    """Every layer with its columns and the paths of its downloads."""
    listed = LayerList(layers=[_layer(named, layer) for layer in named.record.layers])
    return sent(request, listed, cache=WHILE_LOOKED_AT)


@router.get("/{run}/layers/{layer}.{format}", summary="One layer as a file", response_class=Response)
def download(request: Request, held: Held, named: NamedRun, layer: LayerName, format: Ending) -> Response:
    """A table layer as GeoJSON (longitude, latitude on WGS 84), GeoPackage with styles, CSV, FlatGeobuf, GeoParquet."""
    write, media_type = WRITERS[format]
    named.file(layer, "table")
    _refuse_large(named, named.layer(layer), held.settings)
    name = f"{named.record.study_id}-{named.record.scenario_id}-{layer}.{format}"
    return kept(
        request,
        lambda: write(named, layer),
        media_type=media_type,
        state=tag(named.run_id, layer, format),
        cache=WHILE_LOOKED_AT,
        headers={"Content-Disposition": f'attachment; filename="{name}"'} if format is not Format.geojson else None,
    )


def _not_yet(held: Service, run_id: str) -> dict[str, Any]:
    """The fields of ``RunOut``: how far the job of a run is."""
    found = told(submitting.job_of(held, run_id))
    return {
        **{name: found[name] for name in RunOut.model_fields if name in found},
        "run_id": run_id,
        "job": found["href"],
    }


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
    base = here().path(f"/api/v1/runs/{run.run_id}/layers/{layer.layer}")
    formats = list(Format) if layer.kind == "table" else []
    return LayerOut(
        **layer.model_dump(exclude={"file", "sha256", "hazard"}), downloads={f: f"{base}.{f}" for f in formats}
    )


def _refuse_large(run: Run, layer: LayerRecord, settings: Settings) -> None:
    if layer.rows > settings.download_features:
        cure = f"Have it written by POST {here().path(f'/api/v1/runs/{run.run_id}/exports')} instead."
        fault = Fault(f"at most {settings.download_features} features", str(layer.rows), layer.layer, cure)
        raise LimitError(fault, limit="download")
