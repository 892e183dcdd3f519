"""Commands that ask a study a question and keep nothing: the way from a point, what if, what hangs on thresholds."""

from __future__ import annotations

from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import WORKSPACE, AsJson, InLanguage, StudyName, WorkspacePath, language

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
    from app.cli.screen import Stages, print_json, say

    stages = Stages(language(lang))
    with stages("starting"):
        from app import asking, told
        from app.cli.answered import print_route
        from geo import one_point

        lon, lat = asking.position(start)
        found, named = _asked(workspace, study, scenario)
    now = _situation(found, named, stages)
    with stages("asking the way"):
        guide = one_point.guide(now, profile=profile.value)
        answer = asking.way(guide, lon, lat)
        data = told.route(answer, guide)
    if as_json:
        about = {"study_id": found.study_id, "scenario_id": named.scenario_id, "lon": lon, "lat": lat}
        print_json({**about, **data, "attribution": told.credits(found, named)})
    else:
        print_route(data, told.credits(found, named), language(lang))
    say(stages.summary())
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
    from app.cli.screen import Stages

    stages = Stages(language(lang))
    with stages("starting"):
        from app.cli.edits import asked

        found, named = _asked(workspace, study, scenario)
        body = asked(named.scenario_id, against, add or (), remove or (), room or (), close or (), open_ or ())
    _what_if(found, named, body, stages, as_json=as_json)


def _what_if(found: Study, named: Scenario, body: WhatIfIn, stages: Stages, *, as_json: bool) -> None:
    from app import asking, held, told
    from app.cli.answered import print_changes
    from app.cli.options import Language
    from app.cli.screen import print_json, say
    from app.settings import Settings
    from geo import situation
    from geo import what_if as edited

    other = held.scenario_of(found, body.against or named.scenario_id)
    now = _situation(found, named, stages)
    with stages("computing what changes"):
        same = other.scenario_id == named.scenario_id
        asking.same_time(named, other)
        before = now if same else situation.of(now.base, held.in_force(other))
        wanted = asking.edits(body, now, limits=Settings.read())
        changes = edited.changes(before, edited.apply(now, wanted) if wanted else now)
    credits = list(dict.fromkeys([*told.credits(found, named), *told.credits(found, other)]))
    if as_json:
        about = {"study_id": found.study_id, "scenario_id": named.scenario_id, "against": other.scenario_id}
        print_json({**about, **told.changed(changes, most=Settings.read().what_if_features), "attribution": credits})
    else:
        print_changes(changes, credits, Language(stages.lang))
    say(stages.summary())


def sensitivity(
    study: StudyName,
    scenario: OneScenario = "",
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Show how results move when walking speed, room, depth of water and the longest walk move a little."""
    from app.cli.screen import Stages, print_json, say

    stages = Stages(language(lang))
    with stages("starting"):
        from app import told
        from app.cli.answered import print_moved
        from geo import sensitivity as thresholds

        found, named = _asked(workspace, study, scenario)
    now = _situation(found, named, stages)
    with stages("moving thresholds"):
        moved = thresholds.moved(now, params=now.base.params.sensitivity)
    if as_json:
        about = {"study_id": found.study_id, "scenario_id": named.scenario_id}
        print_json({**about, **told.moved(moved), "attribution": told.credits(found, named)})
    else:
        print_moved(moved, told.credits(found, named), language(lang))
    say(stages.summary())


def _asked(workspace: Path, study: str, scenario: str) -> tuple[Study, Scenario]:
    """The study and the scenario that a question is about."""
    from app import held
    from app.store import Workspace

    found = Workspace.open(workspace).find(study)
    return found, held.scenario_of(found, scenario)


def _situation(found: Study, named: Scenario, stages: Stages) -> Situation:
    """The city under the scenario, from the study's inputs."""
    from app import held
    from geo import situation

    with stages("preparing the city"):
        base = held.prepared(found, named.time)
    with stages(f"computing {named.scenario_id}"):
        return situation.of(base, held.in_force(named))
