"""Studies made, changed and taken away by other systems; only by who has read what is there now."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Body, Form, Header, Path, Request, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException

from app import editing, submitting
from app.access import Caller, Scope, audit, needs
from app.answers import JSON, kept
from app.deps import Held, NamedStudy, Service
from app.editing import Match
from app.job_schemas import DefinitionPatch, JobOut, LayerForm, StudyForm
from app.jobs_told import told
from app.routes.jobs import IdempotencyKey, accepted
from app.routes.studies import study_out
from app.schemas import StudyOut
from app.store import Study
from app.submitting import Client
from geo.errors import Fault, UnreadableError

router = APIRouter(prefix="/api/v1/studies", tags=["studies"])
TOML = "application/toml"
MERGE_PATCH = "application/merge-patch+json"
LayerId = Annotated[str, Path(alias="layer", description="Id of the layer.", max_length=64)]
IfMatch = Annotated[
    str,
    Header(
        alias="If-Match", max_length=1000, description="ETag of the definition that was read; * for whatever it is."
    ),
]
OfStudy = Annotated[StudyForm, Form(media_type="multipart/form-data")]
OfLayer = Annotated[LayerForm, Form(media_type="multipart/form-data")]
AS_TOML = {"requestBody": {"required": True, "content": {TOML: {"schema": {"type": "string"}}}}}
Editor = Annotated[Caller, needs(Scope.edit)]


def match(if_match: str) -> Match:
    """The precondition of an edit; 428 where there is none."""
    if not if_match.strip():
        raise HTTPException(428, "Send If-Match with the ETag of the study's definition, so that no edit is lost.")
    return Match.of(if_match)


@router.post("", summary="Make a study", response_model=JobOut, status_code=202)
def create(
    held: Held,
    caller: Editor,
    form: Annotated[StudyForm, Form(media_type="multipart/form-data")],
    key: IdempotencyKey = "",
) -> Response:
    """A study of an OpenStreetMap extract, a boundary or both; they are read by a job before the study is there."""
    made = submitting.creation(held, form, Client(caller.id, key=key))
    if made.fresh:
        audit.note(held.register, caller, "study.create", study_id=made.job.study_id, said={"job_id": made.job.job_id})
    return accepted(made.job, told(made.job))


@router.delete("/{study}", summary="Delete a study and its runs", status_code=204, response_class=Response)
def delete(held: Held, named: NamedStudy, caller: Editor, if_match: IfMatch = "") -> Response:
    """Everything of the study goes: its inputs, its runs, its definition."""
    held.workspace.delete(named.study_id, require=match(if_match).require)
    held.jobs.forget(named.study_id)
    audit.note(held.register, caller, "study.delete", study_id=named.study_id)
    return Response(status_code=204)


@router.get(
    "/{study}/definition", summary="A study's definition, as study.toml has it", response_class=Response,
    responses={200: {"content": {TOML: {}}}}, dependencies=[needs(Scope.read)],
)  # fmt: skip
def definition(request: Request, named: NamedStudy) -> Response:
    """The text of study.toml. Its ETag is what edits name in ``If-Match``."""
    return kept(request, lambda: named.file.dump().encode(), media_type=TOML, state=editing.revision(named.file))


@router.put(
    "/{study}/definition", summary="Replace a study's definition", response_model=StudyOut, openapi_extra=AS_TOML
)
async def replace(request: Request, held: Held, named: NamedStudy, caller: Editor, if_match: IfMatch = "") -> Response:
    """The whole definition as TOML. Where the study lies and the files of its layers stay as they are."""
    text = _text(await request.body())
    required = match(if_match)
    changed = await run_in_threadpool(editing.replaced, held.workspace, named.study_id, text, required)
    await run_in_threadpool(_noted, held, caller, changed, "study.replace", {})
    return await run_in_threadpool(_answer, held, changed)


@router.patch("/{study}/definition", summary="Change a study's definition", response_model=StudyOut)
def patch(
    held: Held, named: NamedStudy, caller: Editor,
    body: Annotated[DefinitionPatch, Body(media_type=MERGE_PATCH)], if_match: IfMatch = "",
) -> Response:  # fmt: skip
    """Names, parameters, scenarios, rules of distance and what is said of layers, as a merge patch (RFC 7396)."""
    said = body.model_dump(exclude_unset=True)
    changed = editing.patched(held.workspace, named.study_id, said, match(if_match))
    _noted(held, caller, changed, "study.change", {"changed": sorted(said)})
    return _answer(held, changed)


@router.put("/{study}/layers/{layer}", summary="Send a layer", response_model=JobOut, status_code=202)
def put_layer(
    held: Held, named: NamedStudy, layer_id: LayerId, caller: Editor, form: OfLayer, if_match: IfMatch = "",
    key: IdempotencyKey = "",
) -> Response:  # fmt: skip
    """A file becomes a layer of the study; a job reads it and refuses it whole, or takes it in and tells what it found.

    A layer of this id that is there is replaced, with ``If-Match`` only.
    """
    required = Match.of(if_match) if if_match.strip() else None
    made = submitting.layer(held, named, layer_id, form, required, Client(caller.id, key=key))
    if made.fresh:
        said = {"layer_id": layer_id, "job_id": made.job.job_id}
        audit.note(held.register, caller, "layer.put", study_id=named.study_id, said=said)
    return accepted(made.job, told(made.job))


@router.delete("/{study}/layers/{layer}", summary="Take a layer out of a study", response_model=StudyOut)
def delete_layer(held: Held, named: NamedStudy, layer_id: LayerId, caller: Editor, if_match: IfMatch = "") -> Response:
    """The layer goes out of the definition and its scenarios; finished runs stay."""
    changed = editing.without_layer(held.workspace, named.study_id, layer_id, match(if_match))
    _noted(held, caller, changed, "layer.delete", {"layer_id": layer_id})
    return _answer(held, changed)


def _text(body: bytes) -> str:
    try:
        return body.decode("utf-8")
    except UnicodeDecodeError as error:
        raise UnreadableError(Fault("text in UTF-8", str(error), "body", "Send the definition as UTF-8.")) from None


def _noted(held: Service, caller: Caller, changed: Study, action: str, said: dict[str, Any]) -> None:
    whole = {**said, "revision": editing.revision(changed.file)}
    audit.note(held.register, caller, action, study_id=changed.study_id, said=whole)


def _answer(held: Service, changed: Study) -> Response:
    """The study as it is now; the ETag is that of its definition, for the next edit."""
    body = study_out(held, changed).model_dump(mode="json")
    headers = {"ETag": f'"{editing.revision(changed.file)}"', "Cache-Control": "no-store"}
    return Response(orjson.dumps(body), media_type=JSON, headers=headers)
