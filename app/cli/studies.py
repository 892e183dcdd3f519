"""Commands on studies: make one, add to one."""

from __future__ import annotations

import math
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from app.cli.noted import note
from app.cli.options import (
    WORKSPACE,
    AsJson,
    InLanguage,
    StateOfCity,
    StreetsFrom,
    StudyName,
    TimeOfDay,
    WorkspacePath,
    language,
)

if TYPE_CHECKING:
    from app.cli.screen import Stages
    from app.store import Study, Workspace
    from data.study import Layer


def register(app: typer.Typer) -> None:
    """Add the commands."""
    app.command("sample")(sample)
    app.command("new")(new)
    app.command("add")(add)
    app.command("derive")(derive)
    app.command("scenario")(scenario)
    app.command("remove")(remove)


def sample(
    study: Annotated[str, typer.Argument(metavar="[STUDY]", help="Built-in study: helsinki.")] = "helsinki",
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Make the built-in study, real streets and houses, and compute it; one that is there already is kept."""
    from app.cli.screen import Stages

    stages = Stages(language(lang))
    with stages("starting"):
        from app import store
        from app.run import compute
        from data import sample as samples

        opened = store.opened(workspace)
        file, inputs = samples.study(study)
    if file.study_id not in opened.studies():
        with stages("making the study"):
            opened.create(file, inputs)
        note(opened, stages.lang, "study.create", file.study_id, sample=study)
    done = compute(opened, file.study_id, stage=stages)
    ids = ", ".join(each.run.run_id for each in done)
    _tell(opened.study(file.study_id), as_json, stages, "ready", study=file.study_id, runs=ids)


def new(
    study: Annotated[str, typer.Argument(metavar="STUDY", help="Id of the new study, or a name to make one from.")],
    osm: Annotated[
        Path | None,
        typer.Option("--osm", metavar="FILE", help="OpenStreetMap extract (.osm.pbf, .osm, .osm.gz, .osm.bz2)."),
    ] = None,
    place: Annotated[
        str | None,
        typer.Option(
            "--place",
            metavar="TEXT",
            help="Place to fetch from OpenStreetMap when online, e.g. 'Kampen, Netherlands'; at most 2500 km2.",
        ),
    ] = None,
    boundary: Annotated[
        Path | None,
        typer.Option(
            "--boundary",
            metavar="FILE",
            help="Outline of the study: polygons in any CRS (default: "
            "the whole extract; with --place the place's own). Alone it makes a study with streets of your own.",
        ),
    ] = None,
    crs: Annotated[
        str | None,
        typer.Option(
            "--crs",
            metavar="EPSG:N|gcj02|bd09",
            help="Coordinate system of the boundary (default: as its file says).",
        ),
    ] = None,
    streets: Annotated[
        StreetsFrom,
        typer.Option(
            "--streets",
            help="map: from the extract or from layers of streets; lattice: made, where nobody has any.",
        ),
    ] = StreetsFrom.map,
    name: Annotated[
        str, typer.Option("--name", metavar="TEXT", help="Title of the study in any script (default: STUDY).")
    ] = "",
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Make a study from an OpenStreetMap extract (--osm), a place by name (--place) or an outline alone (--boundary).

    Files are copied into the workspace.
    """
    from app.cli.screen import Stages

    if (osm is not None and place is not None) or (osm is None and place is None and boundary is None):
        said = "Give one of --osm FILE and --place TEXT, or --boundary FILE alone for a study with streets of your own."
        raise typer.BadParameter(said, param_hint="--osm / --place")
    stages = Stages(language(lang))
    with stages("starting"):
        _warm()
        from app import store
        from app.adding import new_study

        opened = store.opened(workspace)
    if place is None:
        made = new_study(opened, study, osm, boundary=boundary, boundary_crs=crs, streets=streets.value, name=name,
                         stage=stages)  # fmt: skip
    else:
        made = _from_place(opened, study, place, boundary, name, stages)
    note(opened, stages.lang, "study.create", made.study_id)
    _tell(made, as_json, stages, "made", study=made.study_id, folder=made.folder)


def add(
    study: StudyName,
    kind: Annotated[
        str,
        typer.Argument(
            metavar="KIND",
            help="hazard, communities, population, shelters, facilities, buildings, streets, elevation, lots, supplies "
            "or sources (faults, dykes, blue lines, … that rules of distance keep away from).",
        ),
    ],
    file: Annotated[
        Path,
        typer.Argument(
            metavar="FILE",
            help="Raster (hazard, elevation, population) or table with geometry (all but hazard and elevation).",
        ),
    ],
    scenario: Annotated[
        str,
        typer.Option(
            "--scenario",
            metavar="ID",
            help="Scenario the hazard is in force in, made when it is not there "
            "(default: an emergency named like the layer).",
        ),
    ] = "",
    hazard: Annotated[
        str,
        typer.Option(
            "--hazard",
            metavar="TYPE",
            help="What the hazard is: flood, flood_velocity, flood_duration, flood_arrival, tsunami, storm_surge, "
            "fire, wildfire, wind, sand, earthquake, earthquake_pga, collapse, landslide, debris_flow or debris.",
        ),
    ] = "",
    unit: Annotated[
        str,
        typer.Option(
            "--unit",
            metavar="U",
            help="Unit of the values: of a depth of water m, cm, mm or ft; of a speed m/s or km/h; level, 0 none to 5 "
            "worst; … (default: levels, m/s of velocity and degrees of intensity; all others, such as depths, must be "
            "said); of a raster of people: people, people/km2, people/ha.",
        ),
    ] = "",
    crs: Annotated[
        str | None,
        typer.Option(
            "--crs",
            metavar="EPSG:N|gcj02|bd09",
            help="Coordinate system of the file; gcj02 and bd09 are those of Chinese map services (default: as the "
            "file says).",
        ),
    ] = None,
    map_: Annotated[
        list[str] | None,
        typer.Option(
            "--map",
            metavar="FIELD=COLUMN",
            help="Which column of the file a field is read from (default: columns of the field's name), or "
            "FIELD:=VALUE for the same value in every row; with a hazard VALUE=NUMBER, what each value of the file "
            "stands for, in --unit (none: not affected), level=COLUMN of its outlines, or @NAME of a known table of "
            "classes. May be repeated.",
        ),
    ] = None,
    where: Annotated[
        list[str] | None,
        typer.Option(
            "--where",
            metavar="COLUMN=VALUE[,VALUE…]",
            help="Take only the rows of a table whose column, as the file names it, has one of the values (COLUMN= an "
            'empty cell, COLUMN!=VALUE the others; a value with a comma in "quotes"). May be repeated: all must hold.',
        ),
    ] = None,
    nodata: Annotated[
        list[str] | None,
        typer.Option(
            "--nodata",
            metavar="V",
            help="Value that means not known, in the file's unit (default: as the file says). May be repeated.",
        ),
    ] = None,
    name: Annotated[
        str,
        typer.Option(
            "--name", metavar="TEXT", help="Id of the layer, or a name to make one from (default: the file's)."
        ),
    ] = "",
    return_period: Annotated[
        float | None,
        typer.Option("--return-period", metavar="YEARS", help="Return period of the hazard in years, more than 0."),
    ] = None,
    hour: Annotated[
        float | None,
        typer.Option("--hour", metavar="H", min=0, help="Hours after the beginning at which the hazard is like this."),
    ] = None,
    uncertainty: Annotated[
        float | None,
        typer.Option(
            "--uncertainty",
            metavar="U",
            min=0,
            help="How far the hazard's true value may lie above or below, in --unit (default: not known).",
        ),
    ] = None,
    time: Annotated[
        TimeOfDay | None, typer.Option("--time", help="When people are there (default: at any time).")
    ] = None,
    date: Annotated[
        str | None,
        typer.Option("--date", metavar="YYYY-MM-DD", help="When the data were current: year, month or day."),
    ] = None,
    source: Annotated[str | None, typer.Option("--source", metavar="TEXT", help="Who made the data.")] = None,
    licence: Annotated[
        str | None, typer.Option("--licence", metavar="TEXT", help="Its licence, e.g. CC-BY-4.0.")
    ] = None,
    attribution: Annotated[
        str | None, typer.Option("--attribution", metavar="TEXT", help="Whom to name on maps and in exports.")
    ] = None,
    replace: Annotated[
        bool,
        typer.Option("--replace", help="Take the place of the layer of this name, in its scenarios too (flag)."),
    ] = False,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Add a file to a study; it is opened and checked before anything is written."""
    from app.cli.screen import Stages, said, say

    stages = Stages(language(lang))
    with stages("starting"):
        _warm()
        from app import store
        from app.adding import Addition, mapping, nodata_of
        from app.adding import add as add_layer

        opened = store.opened(workspace)
        _refuse_years(return_period)
        mapped = mapping(map_ or ())
        what = Addition(
            kind,
            file,
            name=name,
            scenario=scenario,
            hazard=hazard,
            unit=unit,
            crs=crs,
            nodata=nodata_of(nodata or ()),
            columns=mapped.columns,
            constants=mapped.constants,
            where=tuple(where or ()),
            class_table=mapped.class_table,
            return_period_y=return_period,
            hours=hour,
            uncertainty=uncertainty,
            time=time.value if time else None,
            date=date,
            source=source,
            licence=licence,
            attribution=attribution,
            replace=replace,
        )
    before = opened.find(study)
    changed, layer, notes = add_layer(opened, before.study_id, what, stage=stages)
    for each in notes:
        say(said("note", stages.lang, text=each.zh if stages.lang == "zh" else each.en))
    done = "added" if len(changed.file.layers) > len(before.file.layers) else "replaced"
    note(opened, stages.lang, "layer.put", changed.study_id, layer_id=layer.layer_id, kind=layer.kind)
    called = said(f"kind.{layer.kind}", stages.lang)
    _tell(changed, as_json, stages, done, kind=called, layer=_named(layer), study=changed.study_id)


def derive(
    study: StudyName,
    hazard: Annotated[
        str,
        typer.Argument(
            metavar="HAZARD",
            help="What to make of the study's map: waterside, steep_slope, fuel_industry, power_line or old_dense.",
        ),
    ],
    scenario: Annotated[
        str,
        typer.Option("--scenario", metavar="ID", help="Scenario it is in force in (default: one of its own)."),
    ] = "",
    name: Annotated[
        str,
        typer.Option("--name", metavar="TEXT", help="Id of the layer, or a name to make one from (default: HAZARD)."),
    ] = "",
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Let a study have a hazard made from its own map and heights, without a file."""
    from app.cli.screen import Stages

    stages = Stages(language(lang))
    with stages("starting"):
        from app import adding, store

        opened = store.opened(workspace)
        changed = adding.derive(opened, opened.find(study).study_id, hazard, scenario=scenario, name=name)
    layer_id = changed.file.layers[-1].layer_id
    note(opened, stages.lang, "layer.put", changed.study_id, layer_id=layer_id, derived=hazard)
    _tell(changed, as_json, stages, "derived", study=changed.study_id, layer=layer_id)


def scenario(
    study: StudyName,
    name: Annotated[
        str, typer.Argument(metavar="SCENARIO", help="Id of the scenario, or a title to make one from; made if new.")
    ],
    hazard: Annotated[
        list[str] | None,
        typer.Option("--hazard", metavar="LAYER", help="Id of a hazard in force; may be repeated (default: as it is)."),
    ] = None,
    time: Annotated[TimeOfDay | None, typer.Option("--time", help="When it is (default: as it is; night).")] = None,
    state: Annotated[StateOfCity | None, typer.Option("--state", help="State of the city (default: as it is).")] = None,
    title: Annotated[str | None, typer.Option("--title", metavar="TEXT", help="Title (default: as it is).")] = None,
    title_zh: Annotated[str | None, typer.Option("--title-zh", metavar="TEXT", help="Title in Chinese.")] = None,
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Make or change a scenario: the hazards in force, day or night, and the state of the city."""
    from app.cli.screen import Stages

    stages = Stages(language(lang))
    with stages("starting"):
        from app import store
        from app.emergencies import set_scenario

        opened = store.opened(workspace)
        found = opened.find(study)
        changed = set_scenario(
            opened, found.study_id, name, hazards=hazard, time=time and time.value, state=state and state.value,
            title=title, title_zh=title_zh,
        )  # fmt: skip
    note(opened, stages.lang, "scenario.put", changed.study_id, scenario=name)
    _tell(changed, as_json, stages, "scenario", study=changed.study_id, scenario=name)


def remove(
    study: StudyName,
    layer: Annotated[str, typer.Argument(metavar="LAYER", help="Id of the layer, as renxing check shows it.")],
    lang: InLanguage = None,
    as_json: AsJson = False,
    workspace: WorkspacePath = WORKSPACE,
) -> None:
    """Take a layer out of a study, and a hazard out of its scenarios; finished runs stay."""
    from app.cli.screen import Stages

    stages = Stages(language(lang))
    with stages("starting"):
        from app import store

        opened = store.opened(workspace)
        changed = opened.remove_layer(opened.find(study).study_id, layer)
    note(opened, stages.lang, "layer.delete", changed.study_id, layer_id=layer)
    _tell(changed, as_json, stages, "removed", study=changed.study_id, layer=layer)


def _from_place(opened: Workspace, study: str, place: str, boundary: Path | None, name: str, stages: Stages) -> Study:
    """Fetch the place into a temporary folder, then make the study of it."""
    import tempfile

    import shapely

    from app import place as places
    from app.adding import new_study
    from app.settings import Settings

    settings = Settings.read()
    cache = opened.path / "cache" / "places"
    with tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        extract, outline = Path(folder, "place.osm"), Path(folder, "outline.geojson")
        with stages("finding the place"):
            found = places.find(place, nominatim_url=settings.nominatim_url, cache=cache)
            outline.write_text(shapely.to_geojson(found.outline), encoding="utf-8")
        with stages("fetching the extract"):
            fetched = places.fetch(found, extract, overpass_url=settings.overpass_url, cache=cache)
        title = name or found.name
        return new_study(
            opened, study, extract, boundary=boundary or outline, name=title, fetched=fetched.isoformat(), stage=stages
        )


def _warm() -> None:
    """Let the process that reads foreign files load while this one does."""
    from data import guarded

    guarded.warm()


def _refuse_years(return_period: float | None) -> None:
    """A return period is a number of years that passes; not zero, and not without end."""
    from geo.errors import Fault, ParameterError

    if return_period is not None and not 0 < return_period < math.inf:
        cure = "Write --return-period 100, or leave it out."
        raise ParameterError(Fault("years, a number more than 0", f"{return_period:g}", "--return-period", cure))


def _named(layer: Layer) -> str:
    """A layer's id, and what it is called where the id says nothing."""
    return layer.layer_id if layer.called == layer.layer_id else f"{layer.layer_id} ({layer.called})"


def _tell(study: Study, as_json: bool, stages: Stages, key: str, /, **gaps: object) -> None:
    from app.cli.screen import print_json, said, say

    if as_json:
        print_json({"study_id": study.study_id, "folder": str(study.folder), **study.file.model_dump(mode="json")})
    else:
        typer.echo(said(key, stages.lang, **gaps))
    say(stages.summary())
