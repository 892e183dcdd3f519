"""Pages for people. Each has its JSON twin under /api/v1."""

from __future__ import annotations

from collections.abc import Callable
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response

from app.answers import kept, tag
from app.deps import Held, NamedRun, NamedStudy, Service
from app.maps import index
from app.maps.guard import policy
from app.pages import MapAsked, chosen, index_view, language
from app.reference import reference
from app.store import Run, Study

router = APIRouter(tags=["pages"])
HTML = "text/html; charset=utf-8"
Lang = Annotated[str, Query(description="Language of the page: zh or en (default: the reader's, by Accept-Language).")]


@router.get("/", summary="The studies", response_class=Response)
def index_page(request: Request, held: Held, lang: Lang = "") -> Response:
    """Every study with its numbers and the ways to its maps."""
    spoken = language(lang, request.headers.get("accept-language", ""))
    page = index.render(index_view(held.workspace, spoken))
    return kept(request, page.html.encode, media_type=HTML, state=tag(page.html), headers=page.headers)


@router.get("/studies/{study}", summary="A study's map", response_class=Response)
def study_page(
    request: Request, held: Held, named: NamedStudy, lang: Lang = "",
    scenario: Annotated[str, Query(description="Scenario to show (default: the first that is no ordinary day).")] = "",
) -> Response:  # fmt: skip
    """The map of the run computed last: community risk, shelters, streets, and why each stands as it does."""
    latest = held.workspace.latest(named.study_id)
    run = chosen(named, latest, scenario)
    return _page(request, held, run.run_id, named, latest, lang)


@router.get("/api/v1/runs/{run}/map", summary="A run's map", response_class=Response)
def run_page(request: Request, held: Held, named: NamedRun, lang: Lang = "") -> Response:
    """The map of this very run, whatever was computed later."""
    study = held.workspace.study(named.record.study_id)
    return _page(request, held, named.run_id, study, {named.record.scenario_id: named}, lang)


@router.get("/docs", summary="This reference", response_class=Response)
def docs(request: Request) -> Response:
    """Every route with its parameters and answers; the machine-readable form is /openapi.json."""
    text = reference(request.app.openapi())
    headers = {"Content-Security-Policy": policy(text, scripts=False)}
    return kept(request, text.encode, media_type=HTML, state=tag(text), headers=headers)


def _page(
    request: Request, held: Service, run_id: str, study: Study, latest: dict[str, Run], lang: str
) -> Response:  # fmt: skip
    spoken = language(lang, request.headers.get("accept-language", ""))
    page = held.page(MapAsked.of(run_id, study, latest, spoken))
    build: Callable[[], bytes] = page.html.encode
    return kept(request, build, media_type=HTML, state=tag(page.html), headers=page.headers)
