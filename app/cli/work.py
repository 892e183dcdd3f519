"""Commands on work that is queued: a worker that does it, and the jobs."""

from __future__ import annotations

from enum import StrEnum
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.noted import note
from app.cli.options import WORKSPACE, AsJson, InLanguage, Language, WorkspacePath, language

if TYPE_CHECKING:
    from pathlib import Path

    from app.jobs import Job, Jobs


class JobState(StrEnum):
    """States of a job: those of ``app.jobs.STATES``, which is not loaded to show help."""

    waiting = "waiting"
    running = "running"
    done = "done"
    failed = "failed"
    cancelled = "cancelled"
    parked = "parked"


JobName = Annotated[str, typer.Argument(metavar="JOB", help="Id of the job, as renxing jobs shows it.")]
group = typer.Typer(invoke_without_command=True, no_args_is_help=False)


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("worker")(worker)
    app.add_typer(group, name="jobs", help="Show, cancel and retry jobs.")


def worker(
    once: Annotated[bool, typer.Option("--once", help="End when no job waits any more (flag).")] = False,
    name: Annotated[str, typer.Option("--name", metavar="NAME", help="Name of this worker in the log.")] = "worker",
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Do the jobs of a workspace, one at a time; several workers share them.

    Told to end (SIGTERM, ctrl-C) it gives the job under way back, and another worker takes it up.
    """
    import signal
    import threading

    from app import logs
    from app.jobs.worker import work
    from app.settings import Settings

    settings = Settings.read(workspace=workspace)
    logs.set_up(settings.log)
    stop = threading.Event()
    for told in (signal.SIGTERM, signal.SIGINT):
        signal.signal(told, lambda *_: stop.set())
    work(settings, worker_id=name, stop=stop, once=once)


@group.callback()
def jobs(
    context: typer.Context,
    study: Annotated[
        str | None, typer.Option("--study", metavar="STUDY", help="Only those of this study (default: all).")
    ] = None,
    state: Annotated[
        list[JobState] | None, typer.Option("--state", help="Only those in this state; may be repeated (default: all).")
    ] = None,
    most: Annotated[int, typer.Option("--most", min=1, max=1000, help="Jobs shown, the newest (count).")] = 50,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """List jobs, the newest first, where no other command is given."""
    if context.invoked_subcommand is not None:
        return
    from app.cli.screen import print_json

    found = _jobs(workspace).listed(study_id=study, states=[each.value for each in state or ()], limit=most)
    if as_json:
        print_json({"jobs": [_plain(job) for job in found]})
    else:
        _print(found, language(lang))


@group.command("show")
def show(job: JobName, lang: InLanguage = None, as_json: AsJson = False, workspace: WorkspacePath = WORKSPACE) -> None:
    """Show one job with its log and what came of it."""
    from app.cli.screen import print_json

    queue = _jobs(workspace)
    found, events = queue.get(job), queue.events(job)
    if as_json:
        print_json({**_plain(found), "events": [vars(event) for event in events]})
        return
    _print([found], language(lang))
    for event in events:
        typer.echo(f"{_clock(event.at)}  {_said(event.kind, event.said, language(lang))}")
    if found.problem is not None:
        typer.echo(str(found.problem[f"detail{_ending(language(lang))}"]))


@group.command("cancel")
def cancel(
    job: JobName, lang: InLanguage = None, as_json: AsJson = False, workspace: WorkspacePath = WORKSPACE
) -> None:
    """Take a job back: at once when it waits, within seconds when it runs."""
    _changed(_jobs(workspace).cancel(job), workspace, "cancel", lang, as_json)


@group.command("retry")
def retry(job: JobName, lang: InLanguage = None, as_json: AsJson = False, workspace: WorkspacePath = WORKSPACE) -> None:
    """Let a job that failed, was cancelled or was parked wait for a worker again."""
    _changed(_jobs(workspace).retry(job), workspace, "retry", lang, as_json)


def _jobs(workspace: Path) -> Jobs:
    from app.jobs import JobParams, Jobs
    from app.settings import Settings
    from app.store.register import Register

    settings = Settings.read(workspace=workspace)
    return Jobs(Register.open(settings.workspace, settings.database), params=JobParams.of(settings))


def _changed(job: Job, workspace: Path, what: str, lang: Language | None, as_json: bool) -> None:
    from app.store import opened

    note(opened(workspace), language(lang), f"job.{what}", job.study_id, job_id=job.job_id)
    _tell(job, f"job_{what}", lang, as_json)


def _tell(job: Job, key: str, lang: Language | None, as_json: bool) -> None:
    from app.cli.screen import print_json, said, say
    from app.texts import codes

    if as_json:
        print_json(_plain(job))
    spoken = language(lang)
    say(said(key, spoken, job=job.job_id, state=codes("job_state")[job.state].of(spoken)))


def _plain(job: Job) -> dict[str, Any]:
    """A job as JSON: times as seconds since 1970 (UTC)."""
    return dict(vars(job))


def _print(found: list[Job], lang: Language) -> None:
    from app.cli.tables import Column, print_table
    from app.texts import codes, words

    states, kinds = codes("job_state"), codes("job_kind")
    headings = ("study", "id", "kind", "state", "stage", "progress", "made")
    columns = [Column(words(f"job.{name}").of(lang), number=name in ("progress", "made")) for name in headings]
    rows = [
        (job.study_id or "", job.job_id, kinds[job.kind].of(lang) if job.kind in kinds else job.kind,
         states[job.state].of(lang), _stage(job, lang), f"{job.progress:.0%}", _clock(job.made_at))
        for job in found
    ]  # fmt: skip
    print_table(words("job.title").of(lang), columns, rows, lang)


def _stage(job: Job, lang: Language) -> str:
    from app.texts.phrases import in_chinese

    if job.problem is not None:
        return str(job.problem[f"title{_ending(lang)}"])
    return (in_chinese(job.stage) if lang == "zh" else job.stage) if job.stage and not job.ended else ""


def _said(kind: str, said: Any, lang: Language) -> str:
    from app.legible import legible
    from app.texts import codes

    if kind == "state":
        why = f" ({said['why']})" if said.get("why") else ""
        return codes("job_state")[said["state"]].of(lang) + why
    if kind == "progress":
        return f"{said['progress']:.0%}"
    return legible(str(said[f"stage{_ending(lang)}"] if kind == "stage" else said["log"]))


def _ending(lang: Language) -> str:
    """Which of two keys holds words in this language."""
    return "_zh" if lang == "zh" else ""


def _clock(at: float) -> str:
    """Seconds since 1970 as local time."""
    import datetime

    return datetime.datetime.fromtimestamp(at).astimezone().strftime("%Y-%m-%d %H:%M:%S")
