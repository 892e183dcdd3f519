"""Who changed what: for those who may do everything."""

from __future__ import annotations

from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Query, Request, Response
from pydantic import BaseModel, Field, JsonValue

from app import links
from app.access import Scope, audit, needs
from app.answers import sent
from app.deps import Held

router = APIRouter(prefix="/api/v1", tags=["service"])


class Change(BaseModel):
    """One thing that was changed."""

    audit_id: int = Field(description="Number of the entry; later ones are higher (number).")
    at: float = Field(description="When (UTC seconds since 1970).")
    caller: str = Field(description="Who: `key:` and the key's id, or `address:` and the address.")
    address: str | None = Field(description="The address it came from.")
    request_id: str | None = Field(description="Id of the request, as its answer and the log have it.")
    action: str = Field(description="What was done, such as `study.create`.")
    study_id: str | None = Field(description="The study it was done to.")
    said: dict[str, JsonValue] = Field(description="What else there is to say; `key` is the key's name.")


class Changes(BaseModel):
    """Some changes, the newest first."""

    changes: list[Change] = Field(description="The changes.")
    next: str | None = Field(description="Path of those before them; none when there are no more.")


@router.get("/audit", summary="Who changed what", response_model=Changes, dependencies=[needs(Scope.admin)])
def changes(
    request: Request, held: Held,
    study: Annotated[str, Query(max_length=64, description="Only changes to this study (id).")] = "",
    before: Annotated[int | None, Query(ge=1, le=2**53, description="Only entries before this one (number).")] = None,
    limit: Annotated[int, Query(ge=1, le=1000, description="Most entries on a page (count).")] = 100,
) -> Response:  # fmt: skip
    """Every change that was made over HTTP or by a command about keys, the newest first. It cannot be taken back."""
    found = audit.entries(held.register, study_id=study or None, before=before, limit=limit + 1)
    page = [Change.model_validate(vars(entry)) for entry in found[:limit]]
    more = _following(page[-1].audit_id, limit, study) if len(found) > limit else None
    return sent(request, Changes(changes=page, next=more), cache="no-store")


def _following(before: int, limit: int, study: str) -> str:
    """The path of the entries before one."""
    asked = {"before": before, "limit": limit} | ({"study": study} if study else {})
    return links.here().path(f"/api/v1/audit?{urlencode(asked)}")
