"""``renxing check-site``: may it be built here, and why; one place, one of the study's lots, or a file of lots."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from app.cli.options import WORKSPACE, AsJson, InLanguage, StudyName, WorkspacePath, language

if TYPE_CHECKING:
    from app.cli.screen import Stages
    from app.site_schemas import PlannedIn, SiteCheckIn
    from app.store import Study
    from geo.land import Land


def register(app: typer.Typer) -> None:
    """Add the command."""
    app.command("check-site")(check_site)


def check_site(
    study: StudyName,
    at: Annotated[
        str | None, typer.Option("--at", metavar="LON,LAT", help="A point in degrees (WGS 84), e.g. 5.92,52.56.")
    ] = None,
    lot: Annotated[str | None, typer.Option("--lot", metavar="ID", help="One of the study's lots by its id.")] = None,
    file: Annotated[
        Path | None,
        typer.Option("--file", metavar="FILE", help="Lots in any form that renxing add takes; all are judged."),
    ] = None,
    use: Annotated[
        str | None,
        typer.Option(
            "--use",
            metavar="WORD",
            help="What is planned, in English or Chinese: hospital, 医院, park (default: an "
            "ordinary dwelling; with --lot the lot's own use).",
        ),
    ] = None,
    class_: Annotated[
        str | None,
        typer.Option(
            "--class", metavar="甲|乙|丙|丁", help="Its class by GB 50223, also A to D (default: by its use)."
        ),
    ] = None,
    people: Annotated[float | None, typer.Option("--people", metavar="N", min=0, help="People in it (people).")] = None,
    beds: Annotated[float | None, typer.Option("--beds", metavar="N", min=0, help="Beds in it (count).")] = None,
    height: Annotated[float | None, typer.Option("--height", metavar="M", min=0, help="Its height in metres.")] = None,
    crs: Annotated[
        str | None,
        typer.Option("--crs", metavar="EPSG:N|gcj02|bd09", help="Coordinate system of --file (default: as it says)."),
    ] = None,
    column: Annotated[
        list[str] | None,
        typer.Option(
            "--column",
            metavar="FIELD=COLUMN",
            help="Which column of --file says use, class, people, beds or height_m of "
            "each lot; may be repeated (default: columns of these names).",
        ),
    ] = None,
    map_: Annotated[
        Path | None, typer.Option("--map", metavar="OUT.svg", help="Write a map of the place to this file.")
    ] = None,
    out: Annotated[
        Path | None,
        typer.Option("--out", metavar="FILE.geojson|csv", help="Write the lots of --file with their verdicts."),
    ] = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Say whether something may be built on a place: let (让), prevent (防), avoid (避) or none, and every rule."""
    from app.cli.screen import Stages

    _understood(at, lot, file, map_, out, crs, column)
    stages = Stages(language(lang))
    found = _study(workspace, study, stages)
    said = {"use": use, "class": class_, "people": people, "beds": beds, "height_m": height}
    planned = {name: value for name, value in said.items() if value is not None}
    if file is not None:
        body = _validated(planned, one=False)
        _many(found, file, body, stages, crs=crs, columns=column or [], out=out, as_json=as_json)
        return
    place = {"lot_id": lot} if lot is not None else dict(zip(("lon", "lat"), _position(at), strict=True))
    _one(found, _validated({**place, **planned, "language": stages.lang}), stages, map_=map_, as_json=as_json)


def _understood(
    at: str | None, lot: str | None, file: Path | None, map_: Path | None, out: Path | None, crs: str | None,
    column: list[str] | None,
) -> None:  # fmt: skip
    """Refuse options that do not go together, as usage."""
    if sum(given is not None for given in (at, lot, file)) != 1:
        raise typer.BadParameter("Give one of --at LON,LAT, --lot ID and --file FILE.", param_hint="--at")
    idle = {"--out": out, "--crs": crs, "--column": column} if file is None else {"--map": map_}
    if given := [name for name, value in idle.items() if value]:
        needs = "--file" if file is None else "--at or --lot"
        raise typer.BadParameter(f"It goes with {needs}.", param_hint=given[0])
    if out is not None and out.suffix.lower() not in (".geojson", ".csv"):
        raise typer.BadParameter("A file that ends in .geojson or .csv.", param_hint="--out")


def _position(at: str | None) -> tuple[float, float]:
    from app import asking

    return asking.position(at or "", where="--at")


def _study(workspace: Path, name: str, stages: Stages) -> Study:
    with stages("starting"):
        from app import store

        return store.opened(workspace).find(name)


def _validated(said: dict[str, Any], *, one: bool = True) -> Any:
    """What was said, as the service takes it; ParameterError with everything that is wrong."""
    from pydantic import ValidationError

    from app.faults import expected
    from app.site_schemas import PlannedIn, SiteCheckIn
    from geo.errors import Fault, ParameterError

    try:
        return (SiteCheckIn if one else PlannedIn).model_validate(said)
    except ValidationError as error:
        faults = (Fault(expected(e), repr(e["input"])[:200], f"--{e['loc'][0] if e['loc'] else 'at'}")
                  for e in error.errors())  # fmt: skip
        raise ParameterError(*faults) from None


def _land(found: Study, stages: Stages) -> Land:
    """The study's land, made from its inputs."""
    from app import held
    from geo import land

    with stages("preparing the city"):
        base = held.prepared(found, held.scenario_of(found, "").time)
    with stages("judging the land"):
        return land.of(base)


def _one(found: Study, body: SiteCheckIn, stages: Stages, *, map_: Path | None, as_json: bool) -> None:
    from app import site_told, sites, snippet
    from app.cli.options import Language
    from app.cli.screen import print_json, say
    from app.cli.site_said import print_checked
    from app.settings import Settings
    from app.store import files

    land = _land(found, stages)
    asked = sites.asked(body, land, limits=Settings.read())
    checked = sites.check(asked, land)
    credits = site_told.credits(found)
    if map_ is not None:
        drawn = snippet.drawn(snippet.Around(asked, checked, land), stages.lang, "; ".join(credits))
        with files.storing(map_):
            files.write(map_, drawn.encode())
    told = site_told.checked(checked, asked, land)
    if as_json:
        print_json({"study_id": found.study_id, **told, "attribution": credits})
    else:
        print_checked(told, asked, credits, Language(stages.lang))
    say(stages.summary())


def _many(
    found: Study, file: Path, usual: PlannedIn, stages: Stages, *, crs: str | None, columns: list[str],
    out: Path | None, as_json: bool,
) -> None:  # fmt: skip
    from app import lot_files, site_told
    from app.additions import mapping
    from app.cli.options import Language
    from app.cli.screen import print_json, said, say
    from app.cli.site_said import print_many

    named = mapping(columns).columns
    land = _land(found, stages)
    with stages("reading the file"):
        lots = lot_files.read(file, land, crs=crs, columns=named)
    for note in lots.notes:
        say(said("note", stages.lang, text=note.zh if stages.lang == "zh" else note.en))
    with stages("judging the lots"):
        many = lot_files.judged(lots, usual, land)
        written = lot_files.with_verdicts(lots, many)
    if out is not None:
        lot_files.write(written, out)
    credits = site_told.credits(found)
    if as_json:
        rows = written.drop(columns=written.geometry.name)
        print_json({"study_id": found.study_id, "counts": many.counts, "file": out and str(out),
                    "lots": site_told.plain_rows(rows), "attribution": credits})  # fmt: skip
    else:
        print_many(many, written, credits, Language(stages.lang), out=out)
    say(stages.summary())
