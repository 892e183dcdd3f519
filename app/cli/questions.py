"""Commands that ask a study a question and keep nothing: the way from a point, what if, what hangs on thresholds."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import WORKSPACE, AsJson, InLanguage, Language, StudyName, WorkspacePath, language

if TYPE_CHECKING:
    from app.cli.screen import Stages
    from app.schemas import WhatIfIn
    from app.store import Study
    from data.study import Scenario
    from geo.situation import Situation

NO_ANSWER = 3
"""Exit code where there is no way."""
NEGATIVE = {"ignore_unknown_options": True}
"""A longitude may begin with a minus: it is no option."""


class Walker(StrEnum):
    """Who asks the way: ``geo.one_point.PROFILES``, which is not loaded to show help."""

    walk = "walk"
    elderly = "elderly"
    stroller = "stroller"
    wheelchair = "wheelchair"


OneScenario = Annotated[
    str, typer.Option("--scenario", metavar="ID", help="Scenario to ask (default: the study's first).")
]


@dataclass(frozen=True)
class Question:
    """What a command asks of: a scenario of a study, with the stages told meanwhile and the language."""

    study: Study
    scenario: Scenario
    stages: Stages
    lang: Language

    @classmethod
    def of(cls, workspace: Path, study: str, scenario: str, lang: InLanguage) -> Question:
        """A question about a study by its name and a scenario by its id, the first where none is named.

        What takes long to load is loaded under the stage that is told; the commands bring in the rest after that.
        """
        from app.cli.screen import Stages

        stages = Stages(language(lang))
        with stages("starting"):
            from app import held, store

            found = store.opened(workspace).find(study)
            return cls(found, held.scenario_of(found, scenario), stages, language(lang))

    @property
    def about(self) -> dict[str, object]:
        """What an answer as JSON begins with."""
        return {"study_id": self.study.study_id, "scenario_id": self.scenario.scenario_id}

    def situation(self) -> Situation:
        """The city under the scenario, from the study's inputs."""
        from app import held
        from geo import situation

        with self.stages("preparing the city"):
            base = held.prepared(self.study, self.scenario.time)
        with self.stages(f"computing {self.scenario.scenario_id}"):
            return situation.of(base, held.in_force(self.scenario))

    def credits(self) -> list[str]:
        """Whom the answer is owed to."""
        from app import told

        return told.credits(self.study, self.scenario)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("route", context_settings=NEGATIVE)(route)
    app.command("what-if")(what_if)
    app.command("sensitivity")(sensitivity)


def route(
    study: StudyName,
    start: Annotated[str, typer.Argument(metavar="LON,LAT", help="Point in degrees (WGS 84), e.g. 5.92,52.56.")],
    scenario: OneScenario = "",
    profile: Annotated[Walker, typer.Option("--profile", help="Who asks the way.")] = Walker.walk,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Say the way from a point to the nearest safe shelter with room.

    The exit code is 3 where there is no way.
    """
    question = Question.of(workspace, study, scenario, lang)
    from app import asking, told
    from app.cli.answered import print_route
    from app.cli.screen import print_json, say
    from geo import one_point

    lon, lat = asking.position(start)
    now = question.situation()
    with question.stages("asking the way"):
        guide = one_point.guide(now, profile=profile.value)
        answer = asking.way(guide, lon, lat)
        data = told.route(answer, guide)
    if as_json:
        print_json({**question.about, "lon": lon, "lat": lat, **data, "attribution": question.credits()})
    else:
        print_route(data, question.credits(), question.lang)
    say(question.stages.summary())
    if not data["ways"]:
        raise typer.Exit(NO_ANSWER)


def what_if(
    study: StudyName,
    scenario: OneScenario = "",
    against: Annotated[
        str, typer.Option("--against", metavar="ID", help="Scenario to compare with (default: the same, unchanged).")
    ] = "",
    add: Annotated[
        list[str] | None,
        typer.Option("--add", metavar="LON,LAT,ROOM[,NAME]", help="Shelter to add, room in people; may be repeated."),
    ] = None,
    remove: Annotated[
        list[str] | None, typer.Option("--remove", metavar="ID", help="Shelter to take away; may be repeated.")
    ] = None,
    room: Annotated[
        list[str] | None, typer.Option("--room", metavar="ID=N", help="Room of a shelter in people; may be repeated.")
    ] = None,
    close: Annotated[
        list[str] | None, typer.Option("--close", metavar="STREET", help="Id of a street to close; may be repeated.")
    ] = None,
    open_: Annotated[
        list[str] | None, typer.Option("--open", metavar="STREET", help="Id of a street to open; may be repeated.")
    ] = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Show what changes with shelters added or taken away and streets closed or opened; nothing is kept."""
    question = Question.of(workspace, study, scenario, lang)
    from app.cli.edits import asked

    named = question.scenario.scenario_id
    body = asked(named, against, add or (), remove or (), room or (), close or (), open_ or ())
    _what_if(question, body, as_json=as_json)


def _what_if(question: Question, body: WhatIfIn, *, as_json: bool) -> None:
    from app import asking, held, told
    from app.cli.answered import print_changes
    from app.cli.screen import print_json, say
    from app.settings import Settings
    from geo import situation
    from geo import what_if as edited

    named = question.scenario
    other = held.scenario_of(question.study, body.against or named.scenario_id)
    now = question.situation()
    with question.stages("computing what changes"):
        same = other.scenario_id == named.scenario_id
        asking.same_time(named, other)
        before = now if same else situation.of(now.base, held.in_force(other))
        wanted = asking.edits(body, now, limits=Settings.read())
        changes = edited.changes(before, edited.apply(now, wanted) if wanted else now)
    credits = list(dict.fromkeys([*question.credits(), *told.credits(question.study, other)]))
    if as_json:
        data = {"against": other.scenario_id, **told.changed(changes, most=Settings.read().what_if_features)}
        print_json({**question.about, **data, "attribution": credits})
    else:
        print_changes(changes, credits, question.lang)
    say(question.stages.summary())


def sensitivity(
    study: StudyName,
    scenario: OneScenario = "",
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Show how results move when walking speed, room, depth of water and the longest walk move a little."""
    question = Question.of(workspace, study, scenario, lang)
    from app import told
    from app.cli.answered import print_moved
    from app.cli.screen import print_json, say
    from geo import sensitivity as thresholds

    now = question.situation()
    with question.stages("moving thresholds"):
        moved = thresholds.moved(now, params=now.base.params.sensitivity)
    if as_json:
        print_json({**question.about, **told.moved(moved), "attribution": question.credits()})
    else:
        print_moved(moved, question.credits(), question.lang)
    say(question.stages.summary())
