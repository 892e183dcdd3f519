"""What a study's data is worth before a plan is trusted: as data, and as a page."""

from __future__ import annotations

import datetime
from typing import Annotated

import orjson
from fastapi import APIRouter, Query, Request, Response

from app import checking, pages
from app.answers import JSON, kept, tag
from app.checks.ages import aged
from app.checks.report import Report
from app.deps import Held, NamedStudy
from app.maps import check
from app.routes.pages import HTML, Lang

router = APIRouter()
Today = Annotated[
    datetime.date | None,
    Query(description="Day (YYYY-MM-DD) against which the age of the data is told; none: no ages."),
]


@router.get(
    "/api/v1/studies/{study}/check", tags=["studies"], response_model=Report,
    summary="What a study's data is worth, layer by layer",
)  # fmt: skip
def report(request: Request, named: NamedStudy, today: Today = None) -> Response:
    """Whether a plan can be computed and why; what each layer is, covers and lacks; what was found, and what to do.

    A layer that cannot be used is told, never refused. It is computed once for the same inputs.
    """
    found = checking.checked(named).report
    told = found if today is None else aged(found, today)
    state = tag(checking.state(named), today)
    return kept(request, lambda: orjson.dumps(told.model_dump(mode="json")), media_type=JSON, state=state)


@router.get("/studies/{study}/check", tags=["pages"], summary="A study's check", response_class=Response)
def page(request: Request, held: Held, named: NamedStudy, lang: Lang = "") -> Response:
    """The same as a page: the verdict, where the layers lie, what a plan lacks, and every finding."""
    spoken = pages.language(lang, request.headers.get("accept-language", ""))
    found = checking.checked(named)
    today = found.model_copy(update={"report": aged(found.report, datetime.date.today())})
    drawn = check.render(pages.check_view(today, named, held.workspace.latest(named.study_id), spoken))
    return kept(request, drawn.html.encode, media_type=HTML, state=tag(drawn.html), headers=drawn.headers)
