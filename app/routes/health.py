"""Whether the service is alive and ready, what its limits are, and what it counts."""

from __future__ import annotations

from fastapi import APIRouter, Request, Response

from app import __version__, metrics, problems, readiness
from app.access import Scope, needs
from app.access.edge import HEADERS_MOST
from app.answers import sent
from app.deps import Held
from app.ogc.parser import SPATIAL_MAX
from app.schemas import Health, Limit, Limits, Ready
from app.settings import Settings
from data.limits import LIMITS
from tiles.grid import MAX_ZOOM

router = APIRouter(tags=["service"])
SETTINGS = {
    "archive_tiles": None, "body_bytes": "limit-body", "download_features": "limit-download",
    "event_streams": "limit-streams", "event_streams_caller": "limit-streams",
    "header_bytes": "request-header-fields-too-large", "job_cpu_s": "limit-time", "job_memory": "limit-memory",
    "job_wall_s": "limit-time", "ogc_filter_chars": "limit-filter_chars", "ogc_filter_depth": "limit-filter_depth",
    "ogc_limit_max": None, "queue_jobs": "limit-queue", "queue_jobs_caller": "limit-queue-caller",
    "requests_per_minute": "rate-limited", "site_check_extent_m": "limit-lot-size", "site_check_lots": "limit-lots",
    "site_check_vertices": "limit-lot-vertices", "tile_bytes": None, "tile_features": None,
    "tiles_per_minute": "rate-limited", "upload_bytes": "limit-upload", "what_if_edits": "limit",
    "what_if_features": None, "what_if_vertices": "limit",
}  # fmt: skip
"""Settings that say how much may be asked, each with the code of the refusal; None where less is told instead."""
FIXED = (
    Limit(
        name="headers", value=HEADERS_MOST, code="request-header-fields-too-large",
        description="Most headers of a request (count). It is fixed.",
    ),
    Limit(
        name="ogc_filter_shapes", value=SPATIAL_MAX, code="limit-filter_shapes",
        description="Most questions about shapes in one filter (count). It is fixed.",
    ),
    Limit(name="tile_zoom", value=MAX_ZOOM, code="not-found", description="Deepest zoom of a tile. It is fixed."),
    *(
        Limit(
            name=f"read_{of_file.code.replace('-', '_')}", value=of_file.most, code=f"limit-{of_file.code}",
            description=f"Of one file that is read: at most {of_file.most:,} {of_file.of}. It is fixed.",
        )
        for of_file in LIMITS
    ),
)  # fmt: skip
"""Limits that no setting moves."""
NOW = {"Cache-Control": "no-store"}


@router.get("/healthz", summary="Whether the process answers")
async def healthz() -> Health:
    """Answers as long as the process runs, however busy it is: it asks nobody."""
    return Health(status="ok", version=__version__)


@router.get("/readyz", summary="Whether the service can do its work", response_model=Ready)
async def readyz(request: Request, held: Held) -> Response:
    """Each part and whether it is right; 503 with the code `not-ready` while one is not, and once it is told to end."""
    parts = await readiness.told(held)
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


@router.get(
    "/limits", summary="What may be asked at most", dependencies=[needs(Scope.read)], response_model=Limits
)  # fmt: skip
def limits(request: Request, held: Held) -> Response:
    """Every limit with its value, and the code of the answer beyond it.

    Larger than a limit is 413 with a code `limit` or `limit-…`; too much at once, or too often, is 429 (`limit-queue`,
    `limit-streams`, `rate-limited` and the like). A job that goes beyond one fails with its code. Where a limit has no
    code nothing is refused: the answer holds no more than it says.
    """
    fields = Settings.model_fields
    set_here = [
        Limit(name=name, value=getattr(held.settings, name), code=code, description=fields[name].description or "")
        for name, code in SETTINGS.items()
    ]
    return sent(request, Limits(limits=sorted([*set_here, *FIXED], key=lambda limit: limit.name)))
