"""Commands on runs: compute, show, export, replay."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.noted import note
from app.cli.options import WORKSPACE, AsJson, ExportFormat, InLanguage, StudyName, WorkspacePath, language

if TYPE_CHECKING:
    from app.replay import Replayed
    from app.store import Run, Study, Workspace


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("run")(run)
    app.command("show")(show)
    app.command("export")(export)
    app.command("replay")(replay)


def run(
    study: StudyName,
    scenario: Annotated[
        list[str] | None,
        typer.Option("--scenario", metavar="ID", help="Scenario to compute; may be repeated (default: all)."),
    ] = None,
    set_: Annotated[
        list[str] | None,
        typer.Option(
            "--set",
            metavar="PARAM=VALUE",
            help="Parameter by dotted name, in its own unit, e.g. "
            "walk.max_minutes=20; may be repeated (default: as study.toml and the standards say).",
        ),
    ] = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Compute a study's scenarios and keep the runs; the same study gives the same run."""
    from app.cli.screen import Stages, print_json, said, say

    stages = Stages(language(lang))
    with stages("starting"):
        from app import store
        from app.cli.results import print_headlines, run_json
        from app.parameters import parsed
        from app.run import compute

        opened = store.opened(workspace)
        found = opened.find(study)
    done = compute(opened, found.study_id, scenarios=scenario or (), overrides=parsed(set_ or ()), stage=stages)
    if fresh := [each.run.run_id for each in done if each.fresh]:
        note(opened, stages.lang, "run.compute", found.study_id, runs=fresh)
    if as_json:
        print_json({"runs": [run_json(each.run, fresh=each.fresh) for each in done], "seconds": stages.seconds})
    else:
        print_headlines(found.file, [each.run for each in done], language(lang))
    for each in done:
        key = "computed" if each.fresh else "there_already"
        say(said(key, stages.lang, run=each.run.run_id, scenario=each.run.record.scenario_id))
    say(stages.summary())


def show(
    study: StudyName,
    scenario: Annotated[
        str | None, typer.Option("--scenario", metavar="ID", help="Scenario to show (default: each that was computed).")
    ] = None,
    every: Annotated[bool, typer.Option("--all", help="Show every community, not only the 20 weakest (flag).")] = False,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Show how each community stands and why, from the runs computed last."""
    from app import store
    from app.cli.results import print_communities, run_json
    from app.cli.screen import print_json

    opened = store.opened(workspace)
    found = opened.find(study)
    runs = _latest(opened, found.study_id, scenario)
    if as_json:
        print_json({"runs": [run_json(run, communities=True) for run in runs]})
        return
    for each in runs:
        print_communities(found.file, each, language(lang), every=every)


def export(
    study: StudyName,
    format: Annotated[
        ExportFormat,
        typer.Option(
            "--format",
            help="geojson, csv, fgb, parquet: a folder; gpkg: one file with "
            "styles; archive: the study and its runs, to be computed again elsewhere.",
        ),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="PATH", help="Folder (geojson, csv, fgb, parquet) or file (gpkg, archive) to write."
        ),
    ],
    run: Annotated[
        str | None, typer.Option("--run", metavar="ID", help="Run to export (default: the one computed last).")
    ] = None,
    scenario: Annotated[
        str | None,
        typer.Option("--scenario", metavar="ID", help="Scenario whose last run to export, where there are several."),
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace files of the same name (flag).")] = False,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Write a run as files for other programs, with its sources and licences."""
    from app.cli.screen import Stages, print_json, said, say

    stages = Stages(language(lang))
    with stages(f"writing {format.value}"):
        from app import store
        from app.export import Format
        from app.export import export as write

        opened = store.opened(workspace)
        if format is ExportFormat.archive:
            _archive(opened, opened.find(study), run, scenario, out, overwrite, as_json, stages.lang)
            return
        chosen = _one(opened, opened.find(study).study_id, run, scenario)
        written = write(chosen, Format(format.value), out, overwrite=overwrite)
    if as_json:
        print_json({"run_id": chosen.run_id, "files": [str(path) for path in written]})
    else:
        typer.echo("\n".join(map(str, written)))
    key = "file" if len(written) == 1 else "files"
    about = said(key, stages.lang, run=chosen.run_id, scenario=chosen.record.scenario_id, n=len(written))
    say(f"{about}{'，' if stages.lang == 'zh' else ', '}{stages.summary()}")


def _archive(
    workspace: Workspace, study: Study, run: str | None, scenario: str | None, out: Path, overwrite: bool,
    as_json: bool, lang: str,
) -> None:  # fmt: skip
    """Write the study with the run asked for, else with the last of every scenario."""
    from app.archive import write_archive
    from app.cli.screen import print_json, said, say

    asked = run is not None or scenario is not None
    runs = [_one(workspace, study.study_id, run, scenario)] if asked else _latest(workspace, study.study_id, None)
    written = write_archive(study, runs, out, overwrite=overwrite)
    if as_json:
        print_json({"study_id": study.study_id, "runs": [each.run_id for each in runs], "files": [str(written)]})
    else:
        typer.echo(str(written))
    key = "archive_one" if len(runs) == 1 else "archive"
    say(said(key, lang, study=study.study_id, n=len(runs), file=written.name))


def replay(
    archive: Annotated[Path, typer.Argument(metavar="ARCHIVE", help="File made with renxing export --format archive.")],
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Take a study out of an archive, compute its runs again, and compare them byte for byte."""
    from app.cli.screen import Stages, print_json, say

    stages = Stages(language(lang))
    with stages("starting"):
        import dataclasses

        from app import store
        from app.replay import replay as again

        opened = store.opened(workspace)
    done = again(opened, archive, stage=stages)
    note(opened, stages.lang, "study.replay", None, archive=archive.name, runs=[each.run_now for each in done])
    if as_json:
        print_json({"runs": [{**dataclasses.asdict(each), "same": each.same} for each in done]})
    for each in [] if as_json else done:
        typer.echo(_replayed(each, stages.lang))
    say(stages.summary())
    if not all(each.same for each in done):
        raise typer.Exit(1)


def _replayed(one: Replayed, lang: str) -> str:
    from app.cli.screen import said

    gaps = {"scenario": one.scenario_id, "then": one.run_then, "now": one.run_now, "n": one.layers}
    if one.same:
        return said("replayed_same", lang, **gaps)
    apart = "、" if lang == "zh" else ", "
    why = said("why", lang, names=apart.join(said(f"part.{part}", lang) for part in one.why)) if one.why else ""
    return said("replayed_other", lang, different=apart.join(one.different), why=why, **gaps)


def _latest(workspace: Workspace, study_id: str, scenario: str | None) -> list[Run]:
    from geo.errors import Fault, NotFoundError

    latest = workspace.latest(study_id)
    found = [run for name, run in latest.items() if scenario in (None, name)]
    if not found:
        cure = f"Compute it: renxing run {study_id}" + (f" --scenario {scenario}" if scenario else "")
        there = f"runs of {', '.join(latest)}" if latest else "none"
        raise NotFoundError(Fault(f"a run of {scenario or 'this study'}", there, study_id, cure))
    return found


def _one(workspace: Workspace, study_id: str, run_id: str | None, scenario: str | None) -> Run:
    from geo.errors import Fault, NotFoundError, ParameterError

    if run_id is not None:
        run = workspace.run(run_id)
        if run.record.study_id != study_id:
            raise NotFoundError(Fault(f"a run of {study_id}", f"one of {run.record.study_id}", run_id))
        return run
    found = _latest(workspace, study_id, scenario)
    if len(found) > 1:
        there = ", ".join(run.record.scenario_id for run in found)
        raise ParameterError(
            Fault("one run", f"one each of {there}", study_id, "Choose with --scenario ID or --run ID.")
        )
    return found[0]
