"""The kinds of jobs. Loading this loads what they compute with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from app.jobs.task import Kind, Task
from app.run import compute
from app.tasks import add_layer, create_study, write_export

BEFORE, A_TIME, A_SCENARIO = 2, 2, 2
"""Stages of computing: looking and reading, those of each time of day, those of each scenario."""


def run(task: Task) -> dict[str, Any]:
    """Compute scenarios of a study (all when none is named) and keep the runs; what is there is not computed again."""
    asked, study_id = task.asked, str(task.study_id)
    named = asked.get("scenarios") or ()
    scenarios = [s for s in task.workspace.study(study_id).file.scenarios if not named or s.scenario_id in named]
    times = {scenario.time for scenario in scenarios}
    task.expect(BEFORE + A_TIME * len(times) + A_SCENARIO * len(scenarios))
    overrides = asked.get("overrides") or {}
    promised = asked.get("run_ids") or ()
    done = compute(task.workspace, study_id, scenarios=named, overrides=overrides, stage=task.stage, promised=promised)
    for each in done:
        task.log(f"{each.run.run_id} {each.run.record.scenario_id}: {'computed' if each.fresh else 'there already'}")
    told = [{"run_id": each.run.run_id, "scenario_id": each.run.record.scenario_id, "fresh": each.fresh}
            for each in done]  # fmt: skip
    return {"runs": told}


KINDS: Mapping[str, Kind] = {
    "run": Kind(run), "create_study": Kind(create_study), "add_layer": Kind(add_layer), "export": Kind(write_export),
}  # fmt: skip
"""Every kind of job by its name; a new one is a function of ``Task`` and a row here."""
