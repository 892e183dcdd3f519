"""What takes time, asked for over HTTP: understood and refused at once where that can be, else left to a worker."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import orjson
from fastapi import UploadFile

from app.additions import as_form, as_said, option_faults
from app.deps import Service
from app.editing import Match, require_place
from app.job_schemas import LayerForm, StudyForm
from app.jobs import Asked, Job, State, Submitted
from app.run import parameters, recipe
from app.store import Run, Study
from app.store.ids import is_id, made_id
from app.uploads import Upload, taken
from data.study import Scenario
from geo.errors import ConflictError, Fault, NotFoundError, ParameterError, refuse

DONE: tuple[State, ...] = ("done",)


@dataclass(frozen=True)
class Client:
    """Who asks: the caller's id, how many runs a day it may ask for, and its ``Idempotency-Key`` (empty: none)."""

    caller: str
    runs_per_day: int | None = None
    key: str = ""

    def again(self, *request: Any) -> Asked | None:
        """What a request, as it was sent, is known by when it comes again; None without a key."""
        if not self.key:
            return None
        return Asked(self.key, hashlib.sha256(orjson.dumps(request, option=orjson.OPT_SORT_KEYS)).hexdigest())


@dataclass(frozen=True)
class AskedRuns:
    """The runs that were asked for, by scenario, and the job that computes those that are not there."""

    run_ids: Mapping[str, str]
    there: frozenset[str]
    job: Job | None


def runs(
    service: Service, study: Study, scenarios: Sequence[str], overrides: Mapping[str, Any], client: Client
) -> AskedRuns:
    """Have scenarios computed. Every refusal that a command line would make is made now; what is there stays."""
    again = client.again("run", study.study_id, scenarios, dict(overrides))
    before = service.jobs.asked(client.caller, again)
    run_ids = dict(zip(before.asked["scenarios"], before.asked["run_ids"], strict=True)) if before else None
    if run_ids is None:
        chosen, params = _chosen(study, scenarios), parameters(study, overrides)
        run_ids = {scenario.scenario_id: recipe(study, scenario, params).run_id for scenario in chosen}
    there = frozenset(run_id for run_id in run_ids.values() if service.workspace.has_run(study.study_id, run_id))
    if before is None and (again is not None or len(there) < len(run_ids)):
        # With a key there is a job in any case, so that the key is remembered; it finds the runs there.
        asked = {"scenarios": list(run_ids), "overrides": dict(overrides), "run_ids": list(run_ids.values())}
        before = service.jobs.submit(
            "run", asked, caller=client.caller, study_id=study.study_id, again=again, per_day=client.runs_per_day
        ).job
    return AskedRuns(run_ids, there, before)


def creation(service: Service, form: StudyForm, client: Client) -> Submitted:
    """Have a study made of an extract, a boundary, or both."""
    study_id = made_id(form.study, what="study")
    if form.osm is None and form.boundary is None:
        raise ParameterError(Fault("an extract or a boundary", "neither", "form", "Send osm, boundary, or both."))
    asked = {
        **form.model_dump(include={"study", "name", "streets", "boundary_crs"}),
        "osm": _kept(service, form.osm), "boundary": _kept(service, form.boundary),
    }  # fmt: skip
    again = client.again("create_study", asked)
    if before := service.jobs.asked(client.caller, again):
        return Submitted(before, fresh=False)
    if study_id in service.workspace.studies():
        raise ConflictError(Fault("a new study", "one of that name", study_id, "Choose another id."))
    return service.jobs.submit("create_study", asked, caller=client.caller, study_id=study_id, again=again)


def layer(
    service: Service, study: Study, layer_id: str, form: LayerForm, match: Match | None, client: Client
) -> Submitted:
    """Have a file taken into a study as a layer; one that is there is replaced, by who has read it (``match``).

    What was read is asked again when the layer is taken in: of two that were sent on one state the later is refused.
    """
    if not is_id(layer_id):
        raise ParameterError(Fault("a layer id of a-z, 0-9, _ and -, at most 64 characters", repr(layer_id[:80])))
    said = {**form.model_dump(exclude={"file"}), "layer_id": layer_id, "file": _kept(service, form.file)}
    again = client.again("add_layer", study.study_id, said)
    if before := service.jobs.asked(client.caller, again):
        return Submitted(before, fresh=False)
    said["revisions"] = sorted(match.revisions) if match else None
    require_place(study.file, layer_id, match)
    with as_form():
        refuse(ParameterError, option_faults(as_said(said, Path(said["file"]["name"]), replace=match is not None)))
    return service.jobs.submit("add_layer", said, caller=client.caller, study_id=study.study_id, again=again)


def export(service: Service, run: Run, format: str, client: Client) -> Submitted:
    """Have a whole run written as one zip."""
    asked = {"run_id": run.run_id, "format": format}
    again = client.again("export", asked)
    return service.jobs.submit("export", asked, caller=client.caller, study_id=run.record.study_id, again=again)


def exported(service: Service, run: Run, format: str) -> Job:
    """The last job that wrote a run in a form; NotFoundError when none did."""
    done = service.jobs.listed(study_id=run.record.study_id, kind="export", states=DONE, limit=1000)
    found = next((job for job in done if job.asked == {"run_id": run.run_id, "format": format}), None)
    if found is None:
        cure = f"POST /api/v1/runs/{run.run_id}/exports makes one."
        raise NotFoundError(Fault(f"an export as {format}", "none yet", run.run_id, cure))
    return found


def job_of(service: Service, run_id: str) -> Job:
    """The job that computes a run, or that did not get it done; NotFoundError when none was asked for."""
    if found := service.jobs.of_run(run_id):
        return found
    raise NotFoundError(Fault("a run that is there or was asked for", repr(run_id[:80]), "the workspace"))


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
