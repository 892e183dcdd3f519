"""What takes time, asked for over HTTP: understood and refused at once where that can be, else left to a worker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import orjson
from fastapi import UploadFile

from app.additions import as_said, option_faults
from app.deps import Service
from app.editing import Match
from app.job_schemas import LayerForm, StudyForm
from app.jobs import AGAIN, LIVE, Asked, Job, State, Submitted
from app.run import parameters, recipe
from app.store import Run, Study
from app.store.ids import is_id, made_id
from app.uploads import Upload, named_safely, taken
from data.study import Scenario
from geo.errors import ConflictError, Fault, NotFoundError, ParameterError, refuse

DONE: tuple[State, ...] = ("done",)


@dataclass(frozen=True)
class Client:
    """Who asks: the caller's id, how many runs a day it may ask for, and its ``Idempotency-Key`` (empty: none)."""

    caller: str
    runs_per_day: int | None = None
    key: str = ""

    def again(self, path: str, body: Any) -> Asked | None:
        """What this is known by when it is asked again."""
        if not self.key:
            return None
        said = orjson.dumps([path, body], option=orjson.OPT_SORT_KEYS)
        return Asked(self.key, hashlib.sha256(said).hexdigest())


@dataclass(frozen=True)
class AskedRuns:
    """The runs that were asked for, by scenario, and the job that computes those that are not there."""

    study: Study
    run_ids: Mapping[str, str]
    there: frozenset[str]
    job: Job | None


def runs(
    service: Service, study: Study, scenarios: Sequence[str], overrides: Mapping[str, Any], client: Client
) -> AskedRuns:
    """Have scenarios computed. Every refusal that a command line would make is made now; what is there stays."""
    chosen = _chosen(study, scenarios)
    params = parameters(study, overrides)
    run_ids = {scenario.scenario_id: recipe(study, scenario, params).run_id for scenario in chosen}
    there = frozenset(run_id for run_id in run_ids.values() if service.workspace.has_run(study.study_id, run_id))
    missing = {name: run_id for name, run_id in run_ids.items() if run_id not in there}
    asked = {"scenarios": list(run_ids), "overrides": dict(overrides), "run_ids": list(run_ids.values())}
    job = _submit(service, "run", asked, study.study_id, client).job if missing else None
    return AskedRuns(study, run_ids, there, job)


def creation(service: Service, form: StudyForm, client: Client) -> Submitted:
    """Have a study made of an extract, a boundary, or both."""
    study_id = made_id(form.study, what="study")
    if form.osm is None and form.boundary is None:
        raise ParameterError(Fault("an extract or a boundary", "neither", "form", "Send osm, boundary, or both."))
    if study_id in service.workspace.studies():
        raise ConflictError(Fault("a new study", "one of that name", study_id, "Choose another id."))
    asked = {
        **form.model_dump(include={"study", "name", "streets", "boundary_crs"}),
        "osm": _kept(service, form.osm), "boundary": _kept(service, form.boundary),
    }  # fmt: skip
    return _submit(service, "create_study", asked, study_id, client)


def layer(
    service: Service, study: Study, layer_id: str, form: LayerForm, match: Match | None, client: Client
) -> Submitted:
    """Have a file taken into a study as a layer; one that is there is replaced, by who has read it (``match``)."""
    if not is_id(layer_id):
        raise ParameterError(Fault("a layer id of a-z, 0-9, _ and -, at most 64 characters", repr(layer_id[:80])))
    there = any(one.layer_id == layer_id for one in study.file.layers)
    if there and match is None:
        cure = "Send If-Match with the study's ETag to replace it."
        raise ConflictError(Fault("a new layer id", "one in use", layer_id, cure))
    if match is not None:
        match.require(study.file)
    said = {**form.model_dump(exclude={"file"}), "layer_id": layer_id, "replace": there}
    refuse(ParameterError, option_faults(as_said(said, named_safely(form.file.filename))))
    return _submit(service, "add_layer", {**said, "file": _kept(service, form.file)}, study.study_id, client)


def export(service: Service, run: Run, format: str, client: Client) -> Submitted:
    """Have a whole run written as one zip."""
    return _submit(service, "export", {"run_id": run.run_id, "format": format}, run.record.study_id, client)


def exported(service: Service, run: Run, format: str) -> Job:
    """The last job that wrote a run in a form; NotFoundError when none did."""
    done = service.jobs.listed(study_id=run.record.study_id, states=DONE, limit=1000)
    wanted = ("export", {"run_id": run.run_id, "format": format})
    found = next((job for job in done if (job.kind, job.asked) == wanted), None)
    if found is None:
        cure = f"POST /api/v1/runs/{run.run_id}/exports makes one."
        raise NotFoundError(Fault(f"an export as {format}", "none yet", run.run_id, cure))
    return found


def job_of(service: Service, run_id: str) -> Job:
    """The job that computes a run, or that did not get it done; NotFoundError when none was asked for."""
    for states in (LIVE, AGAIN):
        found = [job for job in service.jobs.listed(states=states, limit=200) if run_id in job.asked.get("run_ids", ())]
        if found:
            return found[0]
    raise NotFoundError(Fault("a run that is there or was asked for", repr(run_id[:80]), "the workspace"))


def _submit(service: Service, kind: str, asked: Mapping[str, Any], study_id: str, client: Client) -> Submitted:
    per_day = client.runs_per_day if kind == "run" else None
    again = client.again(f"{kind} {study_id}", asked)
    return service.jobs.submit(
        kind, asked, caller=client.caller, study_id=study_id, again=again, per_day=per_day
    )  # fmt: skip


def _kept(service: Service, upload: UploadFile | None) -> dict[str, Any] | None:
    """A file in the spool, as a job names it."""
    if upload is None:
        return None
    found: Upload = taken(service.spool, upload, most=service.settings.upload_bytes)
    return {"sha256": found.sha256, "bytes": found.bytes, "name": found.name}


def _chosen(study: Study, names: Sequence[str]) -> list[Scenario]:
    known = {scenario.scenario_id: scenario for scenario in study.file.scenarios}
    there = ", ".join(known)
    cure = "GET the study for its scenarios."
    refuse(NotFoundError, [Fault(f"a scenario of the study ({there})", repr(name), "scenarios", cure)
                           for name in names if name not in known])  # fmt: skip
    return [scenario for name, scenario in known.items() if not names or name in names]
