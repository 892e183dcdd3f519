"""The scenarios: which hazards are in force, how much of the study they are known for, and how much they affect."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from app.checks.findings import found_here
from app.checks.ground import Floats, Ground, share
from app.checks.report import FindingModel, HazardCheck, ScenarioCheck
from data.study import Layer, StudyFile
from data.study.layers import title_of


def scenarios(file: StudyFile, shares: Mapping[str, tuple[float, float]]) -> tuple[ScenarioCheck, ...]:
    """Each scenario with its hazards; ``shares`` of the ground are known and affected (0-1), by layer."""
    layers = file.hazard_layers()
    return tuple(
        ScenarioCheck(
            scenario_id=one.scenario_id, name=one.name, name_zh=one.name_zh, state=one.state, time=one.time,
            hazards=tuple(_hazard(layers[name], shares.get(name)) for name in one.hazards),
        )
        for one in file.scenarios
    )  # fmt: skip


def shares(looked: Mapping[str, Floats], ground: Ground | None, *, above: float) -> dict[str, tuple[float, float]]:
    """Of each raster, looked up all over the ground, the share (0-1) that is known, and that is more than ``above``."""
    if ground is None:
        return {}
    return {
        name: (share(~np.isnan(of), ground), share(np.nan_to_num(of) > above, ground)) for name, of in looked.items()
    }


def _hazard(layer: Layer, share: tuple[float, float] | None) -> HazardCheck:
    en, zh = title_of(layer)
    known, affected = share or (None, None)
    return HazardCheck(
        layer_id=layer.layer_id, called=layer.called, en=en, zh=zh, return_period_y=layer.return_period_y,
        known_share=known, affected_share=affected,
    )  # fmt: skip


def findings(file: StudyFile) -> Iterator[FindingModel]:
    """What is to be said of scenarios and of hazards that are in none."""
    if not file.scenarios:
        yield found_here("no_scenario", "error")
    in_force = {name for one in file.scenarios for name in one.hazards}
    for name in file.hazard_layers():
        if name not in in_force:
            yield found_here("hazard_in_no_scenario", "warning", layer_id=name)
    for one in file.scenarios:
        if one.state != "normal" and not one.hazards:
            yield found_here("scenario_without_hazard", "warning", name=one.name, where=f"scenario {one.scenario_id}")
