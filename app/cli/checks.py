"""The command that says what a study's data is worth before a plan is trusted."""

from __future__ import annotations

import datetime
from enum import StrEnum
from typing import Annotated

import typer

from app.cli.options import WORKSPACE, AsJson, InLanguage, StudyName, WorkspacePath, language


class Least(StrEnum):
    """How much a finding must matter to be shown; the severities of ``geo.reasons``, which is not loaded for help."""

    error = "error"
    warning = "warning"
    repaired = "repaired"
    info = "info"


Shown = Annotated[
    Least, typer.Option("--severity", help="Findings that matter at least so much are shown; --json has all of them.")
]
Today = Annotated[
    datetime.datetime | None,
    typer.Option(
        "--today",
        metavar="DATE",
        formats=["%Y-%m-%d"],
        help="Day against which the age of the data is told (default: today; with --json no ages).",
    ),
]


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check")(check)


def check(
    study: StudyName,
    severity: Shown = Least.repaired,
    today: Today = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Say what is there, what is missing and what looks wrong; nothing is changed.

    The exit code is 0 when a plan can be computed, 1 when it cannot.
    """
    from app.cli.screen import Stages, print_json, say

    stages = Stages(language(lang))
    with stages("starting"):
        from app import store
        from app.checking import checked
        from app.checks.ages import aged
        from app.cli.findings import print_report

        found = store.opened(workspace).find(study)
    with stages("reading every layer"):
        report = checked(found).report
    if today is not None or not as_json:
        report = aged(report, today.date() if today else datetime.date.today())
    if as_json:
        print_json(report.model_dump(mode="json"))
    else:
        print_report(report, language(lang), least=severity.value)
    say(stages.summary())
    if report.verdict == "no":
        raise typer.Exit(1)
