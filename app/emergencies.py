"""The scenario that a hazard is in force in: the one named, or an emergency of its own with a title of its own."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from app.store import Study, Workspace
from app.store.ids import is_id, made_id
from data.study import Layer, Scenario, StudyFile
from data.study.layers import title_of
from geo.errors import Fault, NotFoundError, refuse

APART = " · "
"""Between a scenario's title and the id that tells it from others of the same title."""
WITH = " + "
"""Between the hazards in a title."""


def with_scenario(file: StudyFile, layer: Layer, named: str) -> StudyFile:
    """The study with a hazard in force in the scenario ``named`` (an id or a title), else where it is, else in a new
    one."""
    in_force = any(layer.layer_id in scenario.hazards for scenario in file.scenarios)
    if layer.kind != "hazard" or (in_force and not named):
        return file
    wanted = made_id(named or layer.layer_id, what="scenario")
    scenarios = list(file.scenarios)
    here = next((i for i, s in enumerate(scenarios) if s.scenario_id == wanted), None)
    if here is not None and layer.layer_id in scenarios[here].hazards:
        return file
    if here is not None:
        scenarios[here] = _with_one_more(scenarios[here], layer, file)
        return file.model_copy(update={"scenarios": scenarios})
    new = _emergency(wanted, layer, named, taken={scenario.name for scenario in scenarios})
    title = title_of(layer)
    if new.name == _told_apart(title[0], _mark(wanted, [layer])):
        scenarios = [s if s.scenario_id == layer.hazard else _with_suffix(s, title, file.layers) for s in scenarios]
    return file.model_copy(update={"scenarios": [*scenarios, new]})


def _with_one_more(scenario: Scenario, layer: Layer, file: StudyFile) -> Scenario:
    """The scenario with another hazard; a title that was made of its hazards is made of them all."""
    known = file.hazard_layers()
    there = [known[name] for name in scenario.hazards if name in known]
    before, now = _together(there), _together([*there, layer])
    mark = _mark(scenario.scenario_id, file.layers)
    changed: dict[str, object] = {"hazards": (*scenario.hazards, layer.layer_id)}
    if now != before and (scenario.name, scenario.name_zh) in (before, _both_apart(before, mark)):
        others = {other.name for other in file.scenarios if other is not scenario}
        plain = scenario.name == before[0] and not _called(now[0], others)
        en, zh = now if plain else _both_apart(now, mark)
        changed |= {"name": en, "name_zh": zh}
    return scenario.model_copy(update=changed)


def _together(layers: Iterable[Layer]) -> tuple[str, str]:
    """What hazards are called together in English and Chinese; two of one title once."""
    titles = dict.fromkeys(map(title_of, layers))
    return WITH.join(en for en, _ in titles), WITH.join(zh for _, zh in titles)


def _emergency(scenario_id: str, layer: Layer, named: str, *, taken: Collection[str]) -> Scenario:
    """A new scenario of one hazard, called as the person called it, else after the hazard; each by another name."""
    en, zh = title_of(layer)
    plain = layer.return_period_y is None and layer.hours is None
    if _called(en, taken) or (plain and scenario_id != layer.hazard):
        en, zh = _both_apart((en, zh), _mark(scenario_id, [layer]))
    if named and not is_id(named):
        en = zh = named
    return Scenario(scenario_id=scenario_id, name=en, name_zh=zh, state="emergency", hazards=(layer.layer_id,))


def _mark(scenario_id: str, layers: Iterable[Layer]) -> str:
    """What tells a scenario from others of its title: its id, or what the layer is called that it is named after."""
    return next((layer.called for layer in layers if layer.layer_id == scenario_id), scenario_id)


def _told_apart(title: str, mark: str) -> str:
    return f"{title}{APART}{mark}"


def _both_apart(title: tuple[str, str], mark: str) -> tuple[str, str]:
    en, zh = title
    return _told_apart(en, mark), _told_apart(zh, mark)


def _called(title: str, names: Collection[str]) -> bool:
    """Whether a scenario has this title, by itself or told apart from others."""
    return any(name == title or name.startswith(title + APART) for name in names)


def _with_suffix(scenario: Scenario, title: tuple[str, str], layers: Iterable[Layer]) -> Scenario:
    """A scenario of this title (en, zh) with its mark behind it, now that another one of the title comes."""
    if (scenario.name, scenario.name_zh) != title:
        return scenario
    en, zh = _both_apart(title, _mark(scenario.scenario_id, layers))
    return scenario.model_copy(update={"name": en, "name_zh": zh})


def set_scenario(
    workspace: Workspace, study_id: str, named: str, *, hazards: Sequence[str] | None = None, **told: str | None
) -> Study:
    """Make or change the scenario ``named`` (an id or a title): what is told is changed, the rest stays.

    ``hazards`` are layer ids in force; ``told`` may be ``time``, ``state``, ``title`` and ``title_zh``. NotFoundError
    for a layer that is no hazard of the study.
    """
    scenario_id = made_id(named, what="scenario")
    fields = {"time": "time", "state": "state", "title": "name", "title_zh": "name_zh"}
    update: dict[str, object] = {fields[key]: value for key, value in told.items() if value is not None}
    update |= {} if hazards is None else {"hazards": tuple(hazards)}

    def changed(file: StudyFile) -> StudyFile:
        there = ", ".join(file.hazard_layers()) or "none yet"
        strange = [name for name in hazards or () if name not in file.hazard_layers()]
        refuse(NotFoundError, [Fault(f"a hazard of the study ({there})", repr(name), "--hazard") for name in strange])
        old = next((one for one in file.scenarios if one.scenario_id == scenario_id), None)
        new = (old or Scenario(scenario_id=scenario_id, name=named)).model_copy(update=update)
        kept = [new if one is old else one for one in file.scenarios]
        return file.model_copy(update={"scenarios": kept if old else [*kept, new]})

    return workspace.edit(study_id, changed)
