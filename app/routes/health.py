"""Whether the service is alive and ready, and what its limits are."""

from __future__ import annotations

from fastapi import APIRouter

from app import __version__
from app.deps import Held
from app.schemas import Health, Limit, Limits, Ready
from app.settings import Settings

router = APIRouter(tags=["service"])
LIMITS = (
    *("body_bytes", "download_features", "site_check_extent_m", "site_check_lots", "site_check_vertices"),
    *("tile_bytes", "tile_features"),
    *("what_if_edits", "what_if_features", "what_if_vertices"),
)


@router.get("/healthz", summary="Whether the process answers")
def healthz() -> Health:
    """Answers as long as the process runs."""
    return Health(status="ok", version=__version__)


@router.get("/readyz", summary="Whether the workspace can be read")
def readyz(held: Held) -> Ready:
    """Answers 503 while the workspace cannot be read."""
    return Ready(status="ready", studies=len(held.workspace.studies()))


@router.get("/limits", summary="What may be asked at most")
def limits(held: Held) -> Limits:
    """Every limit with its value; beyond one the answer is 413 with the code `limit`."""
    fields = Settings.model_fields
    return Limits(
        limits=[
            Limit(name=name, value=getattr(held.settings, name), description=fields[name].description or "")
            for name in LIMITS
        ]
    )
