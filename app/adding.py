"""New studies and new layers: a file is opened and understood before anything is written."""

from __future__ import annotations

import math
import re
from collections.abc import Collection, Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

import shapely

from app.run import Stage
from app.store import Study, Workspace
from app.store.ids import is_id, made_id
from data import given, osm, rasters, streetlines, study, vectors
from data.extents import Bounds, in_degrees, require_overlap
from data.hazards import HAZARDS, usual_unit
from data.hazards import KINDS as HAZARD_KINDS
from data.naming import of_layer
from data.osm.extract import ATTRIBUTION, LICENCE, SOURCE
from data.osm.files import header
from data.study import Layer, Scenario, StudyFile, read_outline
from data.study.city import BEYOND_M, RASTERS, label
from data.study.definition import ELEVATION, STREETS, TABLES, is_number
from geo import population
from geo.crs import WGS84, metric_crs
from geo.errors import Fault, ParameterError, UnreadableError, refuse
from geo.reasons import Sentence

NORMAL = Scenario(scenario_id="normal", name="Normal day", name_zh="平时")
KINDS = ("hazard", *given.KINDS, STREETS, ELEVATION)
"""What can be added to a study."""
NOTHING = "none"
"""What a class of a hazard's raster stands for where nothing is affected."""
TILE = re.compile(r"[ns]\d\d[ew]\d\d\d")
"""Name of an SRTM tile, which says where it lies."""
METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude at the equator."""


@dataclass(frozen=True)
class Addition:
    """What a person says of a file: its kind, and what the file does not say itself.

    ``columns`` are a table's: our name -> the file's; a hazard's raster has there what its values stand for: ``{"1":
    "2.0", "4": "none"}``. ``constants`` are our columns with one value in every row.
    """

    kind: str
    path: Path
    name: str = ""
    scenario: str = ""
    hazard: str = ""
    unit: str = ""
    crs: str | None = None
    nodata: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    constants: Mapping[str, str] = field(default_factory=dict)
    return_period_y: float | None = None
    hours: float | None = None
    uncertainty: float | None = None
    time: Literal["day", "night"] | None = None
    date: str | None = None
    source: str | None = None
    licence: str | None = None
    attribution: str | None = None


def new_study(
    workspace: Workspace, title: str, extract: Path | None, *, boundary: Path | None = None,
    boundary_crs: str | None = None, streets: Literal["map", "lattice"] = "map", name: str = "",
    stage: Stage = lambda _: nullcontext(),
) -> Study:  # fmt: skip
    """Make a study from an OpenStreetMap extract, with an ordinary day as its one scenario.

    Without an extract it is made from its ``boundary``, and needs a layer of streets before it can be computed, or
    ``streets`` as a ``lattice`` where nobody has any. ``boundary_crs`` is the boundary's where its file says none.
    ``title`` is its id or a name to make one from; ``name`` the title shown (default: the title). The extract and the
    boundary are read before the study is there; a refusal leaves nothing behind.
    """
    if extract is None and boundary is None:
        raise ParameterError(Fault("an extract or a boundary", "neither", "renxing new", "Give --osm or --boundary."))
    with stage("looking at the place"):
        crs = _crs(extract, boundary, boundary_crs)
        layers = [] if extract is None else [_map_layer(extract)]
    file = StudyFile(study_id=made_id(title, what="study"), name=name or title, crs=crs, layers=layers,
                     boundary_crs=boundary_crs, streets=streets, scenarios=[NORMAL])  # fmt: skip
    with stage("reading the place"):
        if extract is None:
            return workspace.create(file, {}, boundary=boundary, check=read_outline)
        return workspace.create(file, {"osm": extract}, boundary=boundary, check=study.load)


def _map_layer(extract: Path) -> Layer:
    return Layer(layer_id="osm", kind="osm", file="inputs/osm", source=SOURCE, licence=LICENCE,
                 attribution=ATTRIBUTION, date=header(extract).date)  # fmt: skip


def add(
    workspace: Workspace, study_id: str, what: Addition, *, stage: Stage = lambda _: nullcontext()
) -> tuple[Study, Layer, tuple[Sentence, ...]]:
    """Add a file to a study: the study, the new layer, and what is to be known of the file.

    A hazard comes with a scenario: the named one, or an emergency of its own. Everything that is wrong with the file,
    its place or the options is refused before anything is written.
    """
    found = workspace.study(study_id)
    refuse(ParameterError, _option_faults(what))
    layer = _layer(what)
    refuse(ParameterError, _layer_faults(layer, what, found))
    with stage("reading the file"):
        bounds, notes = _looked_at(what, found)
        notes = of_layer(layer.layer_id, notes)
    with stage("comparing it with the study"):
        reach = _extent(found) if what.kind in ("hazard", ELEVATION) else _widened(_extent(found))
        require_overlap(bounds, reach, where=str(what.path))
    with stage("taking it in"):
        changed = workspace.add_layer(study_id, layer, what.path, change=lambda file: _with_scenario(file, what, layer))
    return changed, changed.file.layers[-1], notes


def _crs(extract: Path | None, boundary: Path | None, boundary_crs: str | None) -> str:
    """The metric CRS for the middle of the place."""
    if boundary is not None:
        west, south, east, north = vectors.read(boundary, crs=boundary_crs, into=WGS84).total_bounds
        if not all(map(math.isfinite, (west, south, east, north))):
            raise UnreadableError(Fault("an outline (polygons)", "none", str(boundary), "Give the place's area."))
        return metric_crs((west + east) / 2, (south + north) / 2)
    assert extract is not None
    box = header(extract).bounds
    return metric_crs((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) if box else osm.read(extract).crs


def _option_faults(what: Addition) -> list[Fault]:
    """Options that a kind needs, and those that it has no use for."""
    if what.kind not in KINDS:
        return [Fault(f"a kind of {', '.join(KINDS)}", repr(what.kind), "KIND")]
    if what.kind == "hazard":
        return _hazard_faults(what)
    idle = {
        "--hazard": what.hazard, "--unit": what.unit, "--scenario": what.scenario,
        "--return-period": what.return_period_y, "--hour": what.hours, "--uncertainty": what.uncertainty,
    }  # fmt: skip
    faults = [
        Fault("it only with a hazard", f"{name} {value}", f"kind {what.kind}") for name, value in idle.items() if value
    ]
    if (what.columns or what.constants) and what.kind not in TABLES:
        faults.append(Fault("--map only with a table or a hazard", f"kind {what.kind}", "--map"))
    return faults


def _hazard_faults(what: Addition) -> list[Fault]:
    faults = []
    units = HAZARD_KINDS[what.hazard].units if what.hazard in HAZARDS else {}
    if what.hazard not in HAZARDS:
        faults.append(Fault(f"a hazard of {', '.join(HAZARDS)}", repr(what.hazard or "none"), "--hazard"))
    if (what.unit or usual_unit(what.hazard)) not in units:
        known = tuple(units) or tuple(dict.fromkeys(unit for kind in HAZARD_KINDS.values() for unit in kind.units))
        faults.append(Fault(f"the unit of the file's values: {', '.join(known)}", repr(what.unit or "none"), "--unit"))
    cure = f"Write --map 1=2.0 --map 4={NOTHING}: each value of the file and what it stands for, in --unit."
    expected = f"VALUE=NUMBER, from 0 on, or VALUE={NOTHING}"
    wrong = [f"{value}={meaning}" for value, meaning in what.columns.items() if not _explains(value, meaning)]
    wrong += [f"{value}:={text}" for value, text in what.constants.items()]
    faults += [Fault(expected, written, "--map", cure) for written in wrong]
    return faults + _twice((value, "=", meaning) for value, meaning in what.columns.items() if is_number(value))


def _explains(value: str, meaning: str) -> bool:
    """Whether this says of a raster's value what it stands for."""
    return is_number(value) and (meaning == NOTHING or (is_number(meaning) and float(meaning) >= 0))


def _twice(said: Iterable[tuple[str, str, str]]) -> list[Fault]:
    """What is said more than once of one column or one class: ``1=1`` and ``1.0=2``."""
    by_name: dict[str, list[str]] = {}
    for name, mark, value in said:
        key = _class(name) if is_number(name) else name
        by_name.setdefault(key, []).append(f"{name}{mark}{value}")
    return [
        Fault(f"{name} explained once", " and ".join(each), "--map", "Keep one of them.")
        for name, each in by_name.items() if len(each) > 1
    ]  # fmt: skip


def _layer_faults(layer: Layer, what: Addition, of: Study) -> list[Fault]:
    """What does not fit the study, or would not be found in it again."""
    faults = []
    if layer.kind == ELEVATION and of.file.of_kind(ELEVATION):
        there = of.file.of_kind(ELEVATION)[0].layer_id
        faults.append(Fault("one layer of heights", f"{there} in the study already", "KIND", "Merge them beforehand."))
    if what.path.suffix.lower() == rasters.SRTM_ENDING and not TILE.fullmatch(layer.layer_id):
        cure = "Leave --name out, or give the tile in a zip."
        faults.append(Fault("an SRTM tile under its own name, such as N42E001.hgt", layer.layer_id, "--name", cure))
    return faults


def _layer(what: Addition) -> Layer:
    hazard, table = what.kind == "hazard", what.kind in TABLES
    return Layer(
        layer_id=made_id(what.name or what.path.name.split(".")[0], what=what.kind),
        kind=what.kind,
        file=f"inputs/{what.kind}",
        source=what.source,
        licence=what.licence,
        attribution=what.attribution,
        hazard=what.hazard if hazard else None,
        unit=(what.unit or usual_unit(what.hazard)) if hazard else None,
        classes=_classes(what.columns) if hazard else {},
        crs=what.crs,
        nodata=what.nodata,
        return_period_y=what.return_period_y,
        hours=what.hours,
        uncertainty=what.uncertainty,
        time=what.time,
        date=what.date,
        columns=dict(what.columns) if table else {},
        constants=dict(what.constants) if table else {},
    )


def _classes(said: Mapping[str, str]) -> dict[str, float]:
    """Values of a raster, each with the number it stands for."""
    return {_class(value): 0.0 if meaning == NOTHING else float(meaning) for value, meaning in said.items()}


def _class(value: str) -> str:
    """A value of a raster as study.toml has it: ``1.0`` is ``1``."""
    return f"{float(value):.9g}"


def mapping(said: Iterable[str]) -> tuple[dict[str, str], dict[str, str]]:
    """``field=column`` texts, and ``field:=value`` texts, as mappings.

    ParameterError names each text that is neither, and each field or class of which something is said twice.
    """
    parts = [_parted(text) for text in said]
    cure = "Write --map people=POP, or --map kind:=clinic for all rows."
    bad = [Fault("field=column or field:=value", repr(f"{name}{mark}{value}"), "--map", cure)
           for name, mark, value in parts if not (name and value)]  # fmt: skip
    refuse(ParameterError, [*bad, *_twice(part for part in parts if part[0])])
    return {n: v for n, mark, v in parts if mark == "="}, {n: v for n, mark, v in parts if mark == ":="}


def _parted(text: str) -> tuple[str, str, str]:
    """Field, mark and value of ``field=column`` or ``field:=value``, whichever mark comes first."""
    field_, mark, value = text.partition("=")
    if field_.endswith(":"):
        field_, mark = field_[:-1], ":="
    return field_.strip(), mark, value.strip()


def _looked_at(what: Addition, of: Study) -> tuple[Bounds, tuple[Sentence, ...]]:
    """Read the file as a run would: where it lies in degrees, and what is to be known of it."""
    where, into = str(what.path), of.file.crs
    if what.kind == "hazard":
        layer = _layer(what)
        grid, notes = rasters.read(what.path, unit=str(layer.unit), kind=what.hazard, crs=what.crs, nodata=what.nodata,
                                   classes=layer.classes)  # fmt: skip
        return in_degrees(grid.bounds, crs=grid.crs, where=where), notes
    if what.kind == ELEVATION:
        grid, notes = rasters.heights(what.path, crs=what.crs, nodata=what.nodata)
        return in_degrees(grid.bounds, crs=grid.crs, where=where), notes
    if what.kind == STREETS:
        lines, notes = streetlines.read(what.path, into=into, crs=what.crs, columns=what.columns,
                                        constants=what.constants)  # fmt: skip
        _, joined = streetlines.ways([lines])
        return in_degrees(_box(lines.total_bounds), crs=into, where=where), (*notes, *joined)
    if what.kind == "population" and what.path.suffix.lower() in RASTERS:
        people, notes = rasters.people(what.path, into=into, crs=what.crs, nodata=what.nodata)
        return in_degrees(_box(people.total_bounds), crs=into, where=where), notes
    return _table_looked_at(what, into)


def _table_looked_at(what: Addition, into: str) -> tuple[Bounds, tuple[Sentence, ...]]:
    where = str(what.path)
    frame = vectors.read(what.path, crs=what.crs, columns=what.columns)
    if (frame.geometry.isna() | frame.geometry.is_empty).all():
        raise UnreadableError(Fault("rows with a place", "none", where, "Give points or outlines."))
    bounds = in_degrees(_box(frame.total_bounds), crs=str(frame.crs), where=where)
    table, notes = given.read(what.path, what.kind, into=into, crs=what.crs, columns=what.columns,
                              constants=what.constants)  # fmt: skip
    if what.kind == "population":
        notes = (*notes, *population.given(table).notes)
    return bounds, notes


def _box(edges: Iterable[float]) -> Bounds:
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north


def _extent(of: Study) -> Bounds:
    """Where the study lies, in degrees: its outline, else its map."""
    outline = read_outline(of.file, of.folder)
    if outline is None:
        return study.read_map(of.file, of.folder).bounds
    return in_degrees(_box(shapely.bounds(outline)), crs=of.file.crs, where=str(of.file.boundary))


def _emergency(scenario_id: str, what: Addition, layer: Layer, *, taken: Collection[str]) -> Scenario:
    """A new scenario of one hazard, called as the person called it, else after the hazard; each by another name."""
    en, zh = label(what.hazard, layer.return_period_y)
    if _called(en, taken) or (layer.return_period_y is None and scenario_id != what.hazard):
        en, zh = _told_apart(en, scenario_id), _told_apart(zh, scenario_id)
    if what.scenario and not is_id(what.scenario):
        en = zh = what.scenario
    return Scenario(scenario_id=scenario_id, name=en, name_zh=zh, state="emergency", hazards=(layer.layer_id,))


APART = " · "
"""Between a scenario's title and the id that tells it from others of the same title."""


def _told_apart(title: str, scenario_id: str) -> str:
    return f"{title}{APART}{scenario_id}"


def _called(title: str, names: Collection[str]) -> bool:
    """Whether a scenario has this title, by itself or told apart from others."""
    return any(name == title or name.startswith(title + APART) for name in names)


def _with_suffix(scenario: Scenario, title: tuple[str, str]) -> Scenario:
    """A scenario of this title (en, zh) with its id behind it, now that another one of the title comes."""
    if (scenario.name, scenario.name_zh) != title:
        return scenario
    en, zh = (_told_apart(said, scenario.scenario_id) for said in title)
    return scenario.model_copy(update={"name": en, "name_zh": zh})


def _widened(bounds: Bounds) -> Bounds:
    """An extent and the ground round it from which shelters still serve the study."""
    west, south, east, north = bounds
    up = BEYOND_M / METRES_PER_DEGREE
    across = up / math.cos(math.radians(max(abs(south), abs(north))))
    return west - across, south - up, east + across, north + up


def _with_scenario(file: StudyFile, what: Addition, layer: Layer) -> StudyFile:
    """The hazard in force in the named scenario, or in an emergency of its own."""
    if layer.kind != "hazard":
        return file
    wanted = made_id(what.scenario or layer.layer_id, what="scenario")
    scenarios = list(file.scenarios)
    taken = {scenario.name for scenario in scenarios}
    here = next((i for i, s in enumerate(scenarios) if s.scenario_id == wanted), None)
    if here is None:
        new = _emergency(wanted, what, layer, taken=taken)
        title = label(what.hazard, layer.return_period_y)
        if new.name == _told_apart(title[0], wanted):
            scenarios = [s if s.scenario_id == what.hazard else _with_suffix(s, title) for s in scenarios]
        scenarios.append(new)
    else:
        there = scenarios[here]
        scenarios[here] = there.model_copy(update={"hazards": (*there.hazards, layer.layer_id)})
    return file.model_copy(update={"scenarios": scenarios})
