"""Studies: what they are made of, and which runs they have."""

from __future__ import annotations

from fastapi import APIRouter

from app.deps import Held, NamedStudy
from app.schemas import LayerIn, RunBrief, RunList, ScenarioOut, StudyBrief, StudyList, StudyOut
from app.store import Run, Study
from data.study import Layer

router = APIRouter(prefix="/api/v1/studies", tags=["studies"])


@router.get("", summary="Every study")
def studies(held: Held) -> StudyList:
    """The studies of the workspace, by id."""
    found, broken = held.workspace.readable()
    return StudyList(
        studies=[StudyBrief.model_validate(_brief(study)) for study in found],
        unreadable={name: held.workspace.hidden(str(error)) for name, error in broken.items()},
    )


@router.get("/{study}", summary="One study: its inputs, scenarios and latest runs")
def study(held: Held, named: NamedStudy) -> StudyOut:
    """The definition as study.toml has it, and for each scenario the run computed last."""
    latest = held.workspace.latest(named.study_id)
    return StudyOut.model_validate(
        {
            **_brief(named),
            "crs": named.file.crs,
            "layers": [_layer(layer) for layer in named.file.layers],
            "scenarios": [_scenario(s.model_dump(), latest.get(s.scenario_id)) for s in named.file.scenarios],
            "parameters": named.file.parameters,
        }
    )


@router.get("/{study}/runs", summary="Every finished run of a study")
def runs(held: Held, named: NamedStudy) -> RunList:
    """Runs in the order of their names; a run that is still being computed is not there."""
    latest = {run.run_id for run in held.workspace.latest(named.study_id).values()}
    return RunList(runs=[brief(run, latest=run.run_id in latest) for run in held.workspace.runs(named.study_id)])


def brief(run: Run, *, latest: bool) -> RunBrief:
    """A run as lists show it."""
    record = run.record
    return RunBrief(
        run_id=run.run_id,
        study_id=record.study_id,
        scenario_id=record.scenario_id,
        latest=latest,
        headline=record.headline,
        href=f"/api/v1/runs/{run.run_id}",
    )


def _brief(study: Study) -> dict[str, object]:
    return {
        "study_id": study.study_id,
        "name": study.file.name,
        "name_zh": study.file.name_zh,
        "href": f"/api/v1/studies/{study.study_id}",
        "page": f"/studies/{study.study_id}",
    }


def _layer(layer: Layer) -> LayerIn:
    return LayerIn.model_validate(layer.model_dump(include=set(LayerIn.model_fields)))


def _scenario(defined: dict[str, object], run: Run | None) -> ScenarioOut:
    kept = {name: value for name, value in defined.items() if name in ScenarioOut.model_fields}
    return ScenarioOut.model_validate({**kept, "run_id": run.run_id if run else None})
