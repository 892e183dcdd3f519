"""From a study to its runs: read the inputs, prepare the city, put each scenario on it, keep what comes out."""

from __future__ import annotations

import dataclasses
import functools
from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import data
import geo
from app import __version__, program
from app.parameters import changed
from app.store import Outcome, Raster, Recipe, Run, Study, Workspace
from app.store.inputs import input_digest
from data import standards, study
from data.study import Layer, Scenario
from geo import city as known
from geo import land, plan, readied
from geo.city import PlanParams
from geo.errors import Fault, NotFoundError, StaleError, refuse
from geo.plan import Plan

Stage = Callable[[str], AbstractContextManager[None]]


COMBINED = "combined"
"""The kind of the raster of all hazards together."""
ABOUT = {"study_id", "name", "name_zh", "crs", "streets", "boundary_crs", "rules"}
"""What a run's name holds of the study beside its layers and parameters; of rules of distance those that differ."""


@dataclass(frozen=True)
class Computed:
    """A run, and whether it was computed now or was there already."""

    run: Run
    fresh: bool


def compute(
    workspace: Workspace,
    study_id: str,
    *,
    scenarios: Sequence[str] = (),
    overrides: Mapping[str, Any] | None = None,
    stage: Stage = lambda _: nullcontext(),
    promised: Sequence[str] = (),
) -> list[Computed]:
    """Compute the scenarios of a study (all when none is named) and keep the runs.

    ``overrides`` are parameters by dotted name on top of the study's own; ``stage`` is told what is being done. A run
    that is there already is not computed again. Every refusal comes before anything is written; StaleError when the
    runs would not be those ``promised``, since the study was changed after they were.
    """
    with stage("checking the inputs"):
        found = workspace.study(study_id)
        chosen = _chosen(found, scenarios)
        params = parameters(found, overrides or {})
        recipes = {scenario.scenario_id: recipe(found, scenario, params) for scenario in chosen}
        _require_promised(study_id, [each.run_id for each in recipes.values()], promised)
    there = {run.run_id: run for run in workspace.runs(study_id)}
    missing = [s for s in chosen if recipes[s.scenario_id].run_id not in there]
    there |= _made(workspace, found, missing, params, recipes, stage) if missing else {}
    runs = [there[recipes[scenario.scenario_id].run_id] for scenario in chosen]
    # What a person tries out with other numbers is kept, but does not become what the study shows.
    for run in [] if overrides else runs:
        workspace.mark_latest(run)
    fresh = {recipes[scenario.scenario_id].run_id for scenario in missing}
    return [Computed(run, run.run_id in fresh) for run in runs]


def _require_promised(study_id: str, now: Sequence[str], promised: Sequence[str]) -> None:
    if promised and set(now) != set(promised):
        said = f"runs {', '.join(now)}: the study or the program was changed meanwhile"
        fault = Fault(f"runs {', '.join(promised)}", said, study_id, "Ask for the runs again.")
        raise StaleError(fault)


def parameters(of: Study, overrides: Mapping[str, Any]) -> PlanParams:
    """Every parameter in force: the standards', then the study's, then the overrides."""
    defaults = PlanParams.of(standards.load())
    return changed(changed(defaults, of.file.parameters, where="study.toml, [parameters]"), overrides, where="--set")


def recipe(of: Study, scenario: Scenario, params: PlanParams) -> Recipe:
    """All that decides the run of one scenario; files are hashed as they are now, whatever study.toml says."""
    definition = of.file
    about = definition.model_dump(mode="json", include=ABOUT)
    outline = input_digest(of.folder / definition.boundary) if definition.boundary else None
    return Recipe(
        program=f"{__version__}+{_program_digest()[:12]}",
        standards=program.digest(standards.FOLDER),
        study={**about, "boundary_sha256": outline},
        inputs=[_input(of, layer) for layer in sorted(definition.layers, key=lambda layer: layer.layer_id)],
        scenario=scenario.model_dump(mode="json"),
        parameters=params.model_dump(mode="json"),
    )


def _chosen(of: Study, names: Sequence[str]) -> list[Scenario]:
    known = {scenario.scenario_id: scenario for scenario in of.file.scenarios}
    there = ", ".join(known)
    refuse(
        NotFoundError,
        [Fault(f"a scenario of the study ({there})", repr(n), "--scenario") for n in names if n not in known],
    )
    return [scenario for name, scenario in known.items() if not names or name in names]


def _input(of: Study, layer: Layer) -> dict[str, Any]:
    digest = "" if layer.derived else input_digest(of.folder / layer.file)
    return {**layer.model_dump(mode="json"), "sha256": digest}


@functools.cache
def _program_digest() -> str:
    """Hex digits over the source that computes and the words it knows: a changed rule is another run."""
    return program.digest(Path(geo.__path__[0]), Path(data.__path__[0]), without=standards.FOLDER)


def _made(
    workspace: Workspace, of: Study, scenarios: Sequence[Scenario], params: PlanParams, recipes: Mapping[str, Recipe],
    stage: Stage,
) -> dict[str, Run]:  # fmt: skip
    """Compute and keep each scenario; the city is prepared once for all."""
    with stage("reading the inputs"):
        city = study.load(of.file, of.folder)
    runs = {}
    for time in dict.fromkeys(scenario.time for scenario in scenarios):
        with stage("preparing the city"):
            base = readied.prepare(city, params=params, time=time)
        with stage("judging the land"):
            ground = land.of(base)
        for scenario in (one for one in scenarios if one.time == time):
            with stage(f"computing {scenario.scenario_id}"):
                asked = known.Scenario(scenario.scenario_id, scenario.state, tuple(scenario.hazards), time)
                result = plan.run(base, asked, ground=ground)
            with stage("keeping the run"):
                run = workspace.save(recipes[scenario.scenario_id], outcome(result))
                runs[run.run_id] = run
    return runs


def outcome(result: Plan) -> Outcome:
    """What a plan gives to be kept: its tables, the rasters in force, and what it says in words and numbers."""
    kinds = [hazard.kind for hazard in result.faced]
    rasters = {
        f"hazard_{hazard.kind}" if kinds.count(hazard.kind) == 1 else f"hazard_{hazard.kind}_{hazard.hazard_id}":
        Raster(hazard.grid, hazard.kind, hazard.unit)
        for hazard in result.faced
    }  # fmt: skip
    if result.combined is not None and len(result.faced) > 1:
        rasters["hazard_combined"] = Raster(result.combined.level, COMBINED, "level")
    return Outcome(
        tables=result.layers,
        rasters=rasters,
        headline=result.headline,
        audit=[{**dataclasses.asdict(check), "ok": check.ok} for check in result.audit],
        notes=[{"code": note.code, "en": note.en, "zh": note.zh} for note in result.notes],
    )
