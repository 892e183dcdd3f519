"""Whether the service is alive and ready, what its limits are, and what it counts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response
from starlette.concurrency import run_in_threadpool

from app import __version__, metrics, problems, readiness
from app.access import Scope, needs
from app.deps import Held
from app.schemas import Health, Limit, Limits, Ready
from app.settings import Settings

router = APIRouter(tags=["service"])
LIMITS = (
    *(
        "body_bytes",
        "download_features",
        "event_streams",
        "ogc_filter_chars",
        "ogc_filter_depth",
        "ogc_limit_max",
        "site_check_extent_m",
        "site_check_lots",
        "site_check_vertices",
    ),
    *("requests_per_minute", "tile_bytes", "tile_features", "tiles_per_minute", "upload_bytes"),
    *("what_if_edits", "what_if_features", "what_if_vertices"),
)
NOW = {"Cache-Control": "no-store"}


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> Health:
    """Answers as long as the process runs, however busy it is: it asks nobody."""
    return Health(status="ok", version=__version__)


@router.get("/readyz", summary="Whether the service can do its work", response_model=Ready)
async def readyz(request: Request, held: Held) -> Response:
    """Each part and whether it is right; 503 with the code `not-ready` while one is not, and once it is told to end."""
    parts = await run_in_threadpool(readiness.parts, held)
    if all(part.ok for part in parts):
        return Response(
            Ready(status="ready", parts=parts).model_dump_json(), media_type="application/json", headers=NOW
        )
    return problems.not_ready(request, {part.part: part.said for part in parts if not part.ok})


@router.get(
    "/metrics", summary="Counts for Prometheus", response_class=Response,
    responses={200: {"content": {metrics.MEDIA_TYPE: {}}}},
)  # fmt: skip
def counts(request: Request, held: Held) -> Response:
    """Requests, jobs, tiles and memory in Prometheus' text form, of all processes of this service together."""
    metrics.require_reader(request, held.settings)
    held.count_open()
    return Response(held.counts.text(), media_type=metrics.MEDIA_TYPE, headers=NOW)


@router.get("/limits", summary="What may be asked at most", dependencies=[needs(Scope.read)])
def limits(held: Held) -> Limits:
    """Every limit with its value; beyond one the answer is 413 with the code `limit`."""
    fields = Settings.model_fields
    return Limits(
        limits=[
            Limit(name=name, value=getattr(held.settings, name), description=fields[name].description or "")
            for name in LIMITS
        ]
    )
