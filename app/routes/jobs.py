"""Jobs: how far what takes time is, what came of it, and taking it back."""

from __future__ import annotations

import math
from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Header, Path, Query, Request, Response
from fastapi.responses import FileResponse

from app.access import Caller, Scope, audit, needs
from app.access.edge import inner_path
from app.answers import JSON, PRIVATE, has, sent
from app.deps import Held, Service
from app.job_schemas import JobList, JobOut, State
from app.jobs import ENDED, Job
from app.jobs_told import told
from app.links import here
from app.store.ids import known_id
from app.streams import LOOK_EVERY_S
from geo.errors import Fault, NotFoundError

router = APIRouter(prefix="/api/v1/jobs", tags=["jobs"])
JobId = Annotated[str, Path(alias="job", description="Id of the job.", max_length=64)]
After = Annotated[
    int, Query(ge=0, le=2**53, description="Only events after this one (number; default: the header Last-Event-ID).")
]
LastEvent = Annotated[str, Header(alias="Last-Event-ID", description="Id of the last event that was received.")]
OVER: dict[int | str, dict[str, Any]] = {204: {"description": "There will be no more events."}}
ZIP = "application/zip"
IdempotencyKey = Annotated[
    str, Header(alias="Idempotency-Key", max_length=200, description="The same key with the same request is one job.")
]


@router.get("", summary="Jobs, the newest first", response_model=JobList, dependencies=[needs(Scope.read)])
def jobs(
    request: Request, held: Held,
    study: Annotated[str, Query(max_length=64, description="Only those of this study (id).")] = "",
    state: Annotated[list[State], Query(description="Only those in one of these states (words).", max_length=6)] = [],  # noqa: B006
    limit: Annotated[int, Query(ge=1, le=200, description="Most jobs on a page (count).")] = 50,
    before: Annotated[str, Query(max_length=64, description="Only those older than this job (id).")] = "",
) -> Response:  # fmt: skip
    """What was submitted and how far it is."""
    found = held.jobs.listed(
        study_id=(study and known_id(study, what="study")) or None, states=tuple(state), before=before or None,
        limit=limit + 1,
    )  # fmt: skip
    page = found[:limit]
    more = following(request, before=page[-1].job_id) if len(found) > limit else None
    body = {"jobs": [told(job) for job in page], "next": more}
    return sent(request, orjson.dumps(body), cache=PRIVATE)


@router.get("/{job}", summary="One job", response_model=JobOut, dependencies=[needs(Scope.read)])
def job(request: Request, held: Held, job_id: JobId) -> Response:
    """State, progress, and what came of it."""
    found = held.jobs.get(job_id)
    return sent(request, orjson.dumps(told(found)), cache=PRIVATE, headers=_soon(found))


@router.delete("/{job}", summary="Take a job back", response_model=JobOut)
def cancel(held: Held, job_id: JobId, caller: Annotated[Caller, needs(Scope.run)]) -> Response:
    """A waiting job is cancelled at once, a running one as soon as its worker hears of it; what is done stays."""
    found = held.jobs.cancel(job_id)
    audit.note(held.register, caller, "job.cancel", study_id=found.study_id, said={"job_id": job_id})
    return Response(orjson.dumps(told(found)), media_type=JSON)


@router.post("/{job}/retry", summary="Try a job again", response_model=JobOut, status_code=202)
def retry(held: Held, job_id: JobId, caller: Annotated[Caller, needs(Scope.run)]) -> Response:
    """A job that failed, was cancelled or was given up waits for a worker again."""
    found = held.jobs.retry(job_id)
    audit.note(held.register, caller, "job.retry", study_id=found.study_id, said={"job_id": job_id})
    return accepted(found, told(found))


@router.get(
    "/{job}/result", summary="The file that a job made", response_class=Response, dependencies=[needs(Scope.read)],
    responses={200: {"content": {ZIP: {}}}},
)  # fmt: skip
def result(request: Request, held: Held, job_id: JobId) -> Response:
    """The zip of an export, kept for some days."""
    return file_of(request, held, held.jobs.get(job_id))


def file_of(request: Request, held: Service, found: Job) -> Response:
    """The file that a job made; NotFoundError when it made none."""
    made = found.result or {}
    if "sha256" not in made:
        raise NotFoundError(Fault("a job that made a file", f"{found.kind}, {found.state}", found.job_id))
    headers = {"Cache-Control": "private, max-age=3600", "ETag": f'"{made["sha256"]}"'}
    if has(request, made["sha256"]):
        return Response(status_code=304, headers=headers)
    return FileResponse(held.spool.path(made["sha256"]), media_type=ZIP, filename=made["name"], headers=headers)


@router.get(
    "/{job}/events", summary="What happens to a job, as it happens", response_class=Response,
    responses={200: {"content": {"text/event-stream": {}}}, **OVER}, dependencies=[needs(Scope.read)],
)  # fmt: skip
async def events(request: Request, held: Held, job_id: JobId, after: After = 0, last: LastEvent = "") -> Response:
    """Server-sent events ``state``, ``stage``, ``progress`` and ``log``, from the first or from where one left off.

    Each has an id; a reader that comes again with ``Last-Event-ID`` misses none. The stream ends with the job; who
    comes again then with everything that was said gets 204, and need not come again.
    """
    return await streamed(request, held, job_id, after, last)


async def streamed(request: Request, held: Service, job_id: str, after: int, last: str) -> Response:
    """The events of a job after those a reader has."""
    since = int(last) if last.isdecimal() and len(last) < 16 else after
    return await held.streams.answer(job_id, since, caller=request.state.caller.id)


def following(request: Request, **after: str) -> str:
    """The path of the next page of a list."""
    url = request.url.include_query_params(**after)
    return here().path(f"{inner_path(request.scope)}?{url.query}")


def accepted(found: Job, body: dict[str, Any], location: str = "") -> Response:
    """202, and where the job is."""
    headers = {
        "Location": here().path(location or f"/api/v1/jobs/{found.job_id}"),
        "Cache-Control": "no-store",
        **_soon(found),
    }
    return Response(orjson.dumps(body), 202, headers, JSON)


def _soon(found: Job) -> dict[str, str]:
    """When to ask again, while it is not done."""
    return {} if found.state in ENDED else {"Retry-After": str(math.ceil(LOOK_EVERY_S))}
