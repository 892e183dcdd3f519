"""Studies: what they are made of, and which runs they have."""

from __future__ import annotations

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Query, Request, Response

from app import submitting
from app.access import Caller, Scope, audit, needs
from app.answers import JSON, sent
from app.deps import Held, NamedStudy, Service
from app.editing import revision
from app.job_schemas import RunsIn, RunsOut
from app.jobs_told import told
from app.links import here
from app.routes.jobs import IdempotencyKey, accepted, following
from app.schemas import LayerIn, RunBrief, RunList, ScenarioOut, StudyBrief, StudyList, StudyOut
from app.store import Run, Study
from app.submitting import AskedRuns, Client
from data.study import Layer

router = APIRouter(prefix="/api/v1/studies", tags=["studies"])
After = Annotated[str, Query(max_length=64, description="Only entries behind this one (id).")]
PageSize = Annotated[int, Query(ge=1, le=1000, description="Most entries on a page (count).")]


@router.get("", summary="Every study", response_model=StudyList)
def studies(
    request: Request,
    held: Held,
    limit: PageSize = 100,
    after: After = "",
) -> Response:
    """The studies of the workspace, by id."""
    found, broken = held.workspace.readable()
    page = [study for study in found if study.study_id > after][: limit + 1]
    listed = StudyList(
        studies=[StudyBrief.model_validate(_brief(study)) for study in page[:limit]],
        unreadable={name: held.workspace.hidden(str(error)) for name, error in broken.items()},
        next=following(request, after=page[limit - 1].study_id) if len(page) > limit else None,
    )
    return sent(request, listed)


@router.get("/{study}", summary="One study: its inputs, scenarios and latest runs", response_model=StudyOut)
def study(request: Request, held: Held, named: NamedStudy) -> Response:
    """The definition as study.toml has it, and for each scenario the run computed last."""
    return sent(request, study_out(held, named))


def study_out(held: Service, named: Study) -> StudyOut:
    """A study as it is told."""
    latest = held.workspace.latest(named.study_id)
    return StudyOut.model_validate(
        {
            **_brief(named),
            "crs": named.file.crs,
            "layers": [_layer(layer) for layer in named.file.layers],
            "scenarios": [_scenario(s.model_dump(), latest.get(s.scenario_id)) for s in named.file.scenarios],
            "parameters": named.file.parameters,
            "revision": revision(named.file),
        }
    )


@router.get("/{study}/runs", summary="Every finished run of a study", response_model=RunList)
def runs(
    request: Request,
    held: Held,
    named: NamedStudy,
    limit: PageSize = 100,
    after: After = "",
) -> Response:
    """Runs in the order of their names; a run that is still being computed is not there."""
    latest = {run.run_id for run in held.workspace.latest(named.study_id).values()}
    found = [run for run in held.workspace.runs(named.study_id) if run.run_id > after][: limit + 1]
    listed = RunList(
        runs=[brief(run, latest=run.run_id in latest) for run in found[:limit]],
        next=following(request, after=found[limit - 1].run_id) if len(found) > limit else None,
    )
    return sent(request, listed)


@router.post("/{study}/runs", summary="Have scenarios computed", response_model=RunsOut, status_code=202,
             responses={200: {"model": RunsOut, "description": "Every run is there already."}})  # fmt: skip
def submit(
    held: Held, named: NamedStudy, body: RunsIn, caller: Annotated[Caller, needs(Scope.run)], key: IdempotencyKey = ""
) -> Response:
    """A job computes the runs that are not there. The same study, scenario and parameters are the same run, once."""
    client = Client(caller.id, caller.runs_per_day, key)
    found = submitting.runs(held, named, body.scenarios, body.parameters, client)
    if found.job is None:
        return Response(orjson.dumps(asked_runs(found)), media_type=JSON, headers={"Cache-Control": "no-store"})
    said = {"job_id": found.job.job_id, **body.model_dump(exclude_defaults=True)}
    audit.note(held.register, caller, "run.submit", study_id=named.study_id, said=said)
    return accepted(found.job, asked_runs(found), f"/api/v1/runs/{next(iter(found.run_ids.values()))}")


def asked_runs(found: AskedRuns) -> dict[str, Any]:
    """The fields of ``RunsOut``."""
    state = found.job.state if found.job else "done"
    runs = [
        {"run_id": run_id, "scenario_id": name, "state": "done" if run_id in found.there else state,
         "href": here().path(f"/api/v1/runs/{run_id}")}
        for name, run_id in found.run_ids.items()
    ]  # fmt: skip
    return {"job": found.job and told(found.job), "runs": runs}


def brief(run: Run, *, latest: bool) -> RunBrief:
    """A run as lists show it."""
    record = run.record
    return RunBrief(
        run_id=run.run_id,
        study_id=record.study_id,
        scenario_id=record.scenario_id,
        latest=latest,
        headline=record.headline,
        href=here().path(f"/api/v1/runs/{run.run_id}"),
    )


def _brief(study: Study) -> dict[str, object]:
    return {
        "study_id": study.study_id,
        "name": study.file.name,
        "name_zh": study.file.name_zh,
        "href": here().path(f"/api/v1/studies/{study.study_id}"),
        "page": here().path(f"/studies/{study.study_id}"),
    }


def _layer(layer: Layer) -> LayerIn:
    return LayerIn.model_validate(layer.model_dump(include=set(LayerIn.model_fields)))


def _scenario(defined: dict[str, object], run: Run | None) -> ScenarioOut:
    kept = {name: value for name, value in defined.items() if name in ScenarioOut.model_fields}
    return ScenarioOut.model_validate({**kept, "run_id": run.run_id if run else None})
