"""Commands on the storage as a whole: how it stands, all of it in one file, and back."""

from __future__ import annotations

import dataclasses
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.options import WORKSPACE, AsJson, InLanguage, WorkspacePath, language

if TYPE_CHECKING:
    from app.store.state import State


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("storage")(storage)
    app.command("backup")(backup)
    app.command("restore")(restore)


def storage(
    tidy: Annotated[
        bool,
        typer.Option(
            "--tidy", help="In a database: delete files nobody names, make the tables of runs that lack them (flag)."
        ),
    ] = False,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Say where studies are kept, in which form, how many and how large; nothing is changed without --tidy."""
    from app.cli.screen import Stages, print_json

    stages = Stages(language(lang))
    with stages("starting"):
        from app.settings import Settings
        from app.store.opening import opened_whole
        from app.store.state import state

        settings = Settings.read(workspace=workspace)
    if tidy:
        _tidy(settings.workspace, stages.lang)
    found = state(*opened_whole(settings, readonly=True))
    if as_json:
        print_json(dataclasses.asdict(found))
    else:
        _print_state(found, stages.lang)


def _tidy(workspace: Path, lang: str) -> None:
    from app.cli.screen import said, say
    from app.store import opened
    from app.store.shared import SharedWorkspace

    there = opened(workspace)
    if not isinstance(there, SharedWorkspace):
        say(said("tidy_folders", lang))
        return
    done = there.tidy()
    say(said("tidied", lang, laid=done.runs_laid, dropped=done.runs_dropped, files=done.files_collected))


def _print_state(found: State, lang: str) -> None:
    from app.cli.screen import said

    form = said("storage.empty", lang) if found.register_form is None else found.register_form
    older = said("storage.older", lang, newest=found.newest_form) if found.is_older else ""
    lines = [
        said(f"storage.{found.kind}", lang, place=found.place),
        said("storage.form", lang, form=form) + older,
        said("storage.held", lang, studies=found.studies, runs=found.runs),
        *(said("storage.size", lang, what=said(f"storage.of.{name}", lang), mb=f"{size / 1e6:,.1f}")
          for name, size in found.sizes.items()),
        *(said("storage.rows", lang, what=said(f"storage.of.{name}", lang), n=f"{n:,}")
          for name, n in found.counts.items()),
    ]  # fmt: skip
    typer.echo("\n".join(lines))


def backup(
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="File to write (zip).")],
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace a file of this name (flag).")] = False,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Write everything into one file while the service runs: studies, runs, jobs, keys, who changed what."""
    from app.cli.screen import Stages, print_json, said, say

    stages = Stages(language(lang))
    with stages("starting"):
        from app.settings import Settings
        from app.store import files
        from app.store.backup import backup as write
        from app.store.opening import opened_whole

        kept = opened_whole(Settings.read(workspace=workspace), readonly=True)
    with stages("writing the backup"):
        held = write(*kept, out, overwrite=overwrite)
    if as_json:
        print_json({"file": str(out), "sha256": files.digest(out), **dataclasses.asdict(held)})
    else:
        typer.echo(str(out))
    say(said("backed_up", stages.lang, **_told(held.studies, held.runs, held.jobs, held.bytes)))
    say(stages.summary())


def restore(
    archive: Annotated[Path, typer.Argument(metavar="FILE", help="File made with renxing backup.")],
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Take a backup into an empty workspace or database; everything is checked first, and comes whole or not at all."""
    from app.cli.screen import Stages, print_json, said, say

    stages = Stages(language(lang))
    with stages("starting"):
        from app.settings import Settings
        from app.store.opening import opened_whole
        from app.store.restoring import restore as take_in
        from app.store.shared import SharedWorkspace

        there, register_ = opened_whole(Settings.read(workspace=workspace))
    with stages("taking the backup in"):
        held = take_in(archive, there, register_)
    if isinstance(there, SharedWorkspace):
        with stages("making the tables of runs"):
            there.tidy()
    if as_json:
        print_json(dataclasses.asdict(held))
    say(said("restored", stages.lang, **_told(held.studies, held.runs, held.jobs, held.bytes)))
    say(stages.summary())


def _told(studies: int, runs: int, jobs: int, size: int) -> dict[str, object]:
    return {"studies": studies, "runs": runs, "jobs": jobs, "mb": f"{size / 1e6:,.1f}"}
