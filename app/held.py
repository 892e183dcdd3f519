"""Cities kept ready in memory for questions that cannot wait: prepared once, whoever asks first, the others wait.

What is kept is named by its content (``checking.state``: the definition, every input, the program): a study that has
changed is another one, and is prepared anew when somebody asks. An error is not kept.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from threading import Lock

from app import checking
from app.opened import Opened
from app.run import parameters
from app.store import Study
from data import study as studies
from data.study import Scenario
from geo import city, land, one_point, readied, sensitivity, situation
from geo.errors import Fault, NotFoundError
from geo.land import Land
from geo.one_point import Guide
from geo.population import Time
from geo.readied import Base
from geo.sensitivity import Sensitivity
from geo.situation import Situation


@dataclass(frozen=True)
class Wanted:
    """Something of a study as its files are now; ``part`` is a time of day, a scenario, or a scenario and a profile."""

    study: Study = field(compare=False, repr=False)
    study_id: str
    state: str
    part: tuple[str, ...]

    @classmethod
    def of(cls, study: Study, *part: str) -> Wanted:
        """A part of a study, named by what the study holds now."""
        return cls(study, study.study_id, checking.state(study), part)

    def also(self, *part: str) -> Wanted:
        """Another part of the same study in the same state."""
        return Wanted(self.study, self.study_id, self.state, part)


class Cities:
    """At most ``cities`` prepared cities, ``situations`` of them under scenarios; safe to use from many threads."""

    def __init__(self, *, cities: int, situations: int, prepare: Callable[[Study, Time], Base] | None = None) -> None:
        self._make = prepare or prepared
        # Two large cities prepared at the same time need the memory of both.
        self._one_at_a_time = Lock()
        self._bases: Opened[Wanted, Base] = Opened(self._prepare, most=cities)
        self._situations: Opened[Wanted, Situation] = Opened(self._situate, most=situations)
        self._guides: Opened[Wanted, Guide] = Opened(self._guide, most=situations * len(one_point.PROFILES))
        self._moved: Opened[Wanted, Sensitivity] = Opened(self._move, most=situations)
        self._lands: Opened[Wanted, Land] = Opened(self._divide, most=cities)

    def __repr__(self) -> str:
        return f"Cities({len(self._bases)} prepared, {len(self._situations)} situations)"

    def situation(self, study: Study, scenario_id: str) -> Situation:
        """The study under a scenario; an empty id is the study's first."""
        return self._situations.get(Wanted.of(study, scenario_of(study, scenario_id).scenario_id))

    def guide(self, study: Study, scenario_id: str, profile: str) -> Guide:
        """What answers where to go from a point, for one of ``one_point.PROFILES``."""
        return self._guides.get(Wanted.of(study, scenario_of(study, scenario_id).scenario_id, profile))

    def moved(self, study: Study, scenario_id: str) -> Sensitivity:
        """How the results of a scenario move when thresholds move."""
        return self._moved.get(Wanted.of(study, scenario_of(study, scenario_id).scenario_id))

    def land(self, study: Study) -> Land:
        """What becomes of the study's land, the same in every scenario."""
        return self._lands.get(Wanted.of(study, scenario_of(study, "").time))

    def _divide(self, wanted: Wanted) -> Land:
        return land.of(self._bases.get(wanted)).warm()

    def _prepare(self, wanted: Wanted) -> Base:
        with self._one_at_a_time:
            return self._make(wanted.study, "day" if wanted.part == ("day",) else "night")

    def _situate(self, wanted: Wanted) -> Situation:
        asked = scenario_of(wanted.study, wanted.part[0])
        return situation.of(self._bases.get(wanted.also(asked.time)), in_force(asked))

    def _guide(self, wanted: Wanted) -> Guide:
        scenario_id, profile = wanted.part
        return one_point.guide(self._situations.get(wanted.also(scenario_id)), profile=profile)

    def _move(self, wanted: Wanted) -> Sensitivity:
        now = self._situations.get(wanted)
        return sensitivity.moved(now, params=now.base.params.sensitivity)


def prepared(study: Study, time: Time) -> Base:
    """A study's city read from its inputs and made ready, by day or by night."""
    params = parameters(study, {})
    return readied.prepare(studies.load(study.file, study.folder), params=params, time=time)


def scenario_of(study: Study, scenario_id: str) -> Scenario:
    """The scenario of this id, the first of the study for an empty one; NotFoundError names those there are."""
    known = {scenario.scenario_id: scenario for scenario in study.file.scenarios}
    if scenario_id in known or (known and not scenario_id):
        return known[scenario_id or next(iter(known))]
    raise NotFoundError(Fault(f"a scenario of the study ({', '.join(known)})", repr(scenario_id), "scenario"))


def in_force(scenario: Scenario) -> city.Scenario:
    """A scenario of study.toml as it is computed."""
    return city.Scenario(scenario.scenario_id, scenario.state, tuple(scenario.hazards), scenario.time)
