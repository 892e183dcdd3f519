"""New studies and new layers: a file is opened and understood before anything is written."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import shapely

from app.run import Stage
from app.store import Study, Workspace
from app.store.ids import is_id, made_id
from data import given, osm, rasters, study, vectors
from data.extents import Bounds, in_degrees, require_overlap
from data.osm.extract import ATTRIBUTION, LICENCE, SOURCE
from data.osm.files import header
from data.study import Layer, Scenario, StudyFile, read_outline
from data.study.city import BEYOND_M, LABELS, RASTERS
from data.study.definition import HAZARDS
from geo import population
from geo.crs import WGS84, metric_crs
from geo.errors import Fault, ParameterError, UnreadableError, refuse
from geo.reasons import Sentence

NORMAL = Scenario(scenario_id="normal", name="Normal day", name_zh="平时")
KINDS = ("hazard", *given.KINDS)
"""What can be added to a study."""
METRES_PER_DEGREE = 111_320.0
"""Of latitude; of longitude at the equator."""
UNITS = tuple(rasters.METRES)


@dataclass(frozen=True)
class Addition:
    """What a person says of a file: its kind, and what the file does not say itself."""

    kind: str
    path: Path
    name: str = ""
    scenario: str = ""
    hazard: str = ""
    unit: str = ""
    crs: str | None = None
    nodata: float | None = None
    columns: Mapping[str, str] = field(default_factory=dict)
    return_period_y: float | None = None
    source: str | None = None
    licence: str | None = None
    attribution: str | None = None


def new_study(
    workspace: Workspace, title: str, extract: Path, *, boundary: Path | None = None, name: str = "",
    stage: Stage = lambda _: nullcontext(),
) -> Study:  # fmt: skip
    """Make a study from an OpenStreetMap extract, with an ordinary day as its one scenario.

    ``title`` is its id or a name to make one from; ``name`` the title shown (default: the title). The extract and the
    boundary are read before the study is there; a refusal leaves nothing behind.
    """
    with stage("looking at the extract"):
        date = header(extract).date
        crs = _crs(extract, boundary)
    layer = Layer(
        layer_id="osm",
        kind="osm",
        file="inputs/osm",
        source=SOURCE,
        licence=LICENCE,
        attribution=ATTRIBUTION,
        date=date,
    )
    file = StudyFile(
        study_id=made_id(title, what="study"), name=name or title, crs=crs, layers=[layer], scenarios=[NORMAL]
    )  # fmt: skip
    with stage("reading the extract"):
        return workspace.create(file, {"osm": extract}, boundary=boundary, check=study.load)


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
    with stage("reading the file"):
        bounds, notes = _looked_at(what, found)
    with stage("comparing it with the study"):
        reach = _extent(found) if what.kind == "hazard" else _widened(_extent(found))
        require_overlap(bounds, reach, where=str(what.path))
    with stage("taking it in"):
        changed = workspace.add_layer(study_id, layer, what.path, change=lambda file: _with_scenario(file, what, layer))
    return changed, changed.file.layers[-1], notes


def _crs(extract: Path, boundary: Path | None) -> str:
    """The metric CRS for the middle of the place."""
    if boundary is not None:
        west, south, east, north = vectors.read(boundary, into=WGS84).total_bounds
        if not all(map(math.isfinite, (west, south, east, north))):
            raise UnreadableError(Fault("an outline (polygons)", "none", str(boundary), "Give the place's area."))
        return metric_crs((west + east) / 2, (south + north) / 2)
    box = header(extract).bounds
    return metric_crs((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) if box else osm.read(extract).crs


def _option_faults(what: Addition) -> list[Fault]:
    """Options that a kind needs, and those that it has no use for."""
    if what.kind not in KINDS:
        return [Fault(f"a kind of {', '.join(KINDS)}", repr(what.kind), "KIND")]
    faults = []
    if what.kind == "hazard":
        if what.hazard not in HAZARDS:
            faults.append(Fault(f"a hazard of {', '.join(HAZARDS)}", repr(what.hazard or "none"), "--hazard"))
        if what.unit not in UNITS:
            faults.append(
                Fault(f"the unit of the file's values: {', '.join(UNITS)}", repr(what.unit or "none"), "--unit")
            )
    else:
        idle = {
            "--hazard": what.hazard,
            "--unit": what.unit,
            "--scenario": what.scenario,
            "--return-period": what.return_period_y,
        }
        faults += [
            Fault("it only with a hazard", f"{name} {value}", f"kind {what.kind}")
            for name, value in idle.items()
            if value
        ]
    if what.columns and what.kind == "hazard":
        faults.append(Fault("--map only with a table", "a hazard raster", "--map"))
    return faults


def _layer(what: Addition) -> Layer:
    hazard = what.kind == "hazard"
    return Layer(
        layer_id=made_id(what.name or what.path.name.split(".")[0], what=what.kind),
        kind=what.kind,
        file=f"inputs/{what.kind}",
        source=what.source,
        licence=what.licence,
        attribution=what.attribution,
        hazard=what.hazard if hazard else None,
        unit=what.unit if hazard else None,
        crs=what.crs,
        nodata=what.nodata,
        return_period_y=what.return_period_y,
        columns=dict(what.columns),
    )


def _looked_at(what: Addition, of: Study) -> tuple[Bounds, tuple[Sentence, ...]]:
    """Read the file as a run would: where it lies in degrees, and what is to be known of it."""
    where = str(what.path)
    if what.kind == "hazard":
        grid, notes = rasters.read(what.path, unit=what.unit, crs=what.crs, nodata=what.nodata)
        return in_degrees(grid.bounds, crs=grid.crs, where=where), notes
    if what.kind == "population" and what.path.suffix.lower() in RASTERS:
        people, notes = rasters.people(what.path, into=of.file.crs, crs=what.crs, nodata=what.nodata)
        return in_degrees(_box(people.total_bounds), crs=of.file.crs, where=where), notes
    frame = vectors.read(what.path, crs=what.crs, columns=what.columns)
    if (frame.geometry.isna() | frame.geometry.is_empty).all():
        raise UnreadableError(Fault("rows with a place", "none", where, "Give points or outlines."))
    bounds = in_degrees(_box(frame.total_bounds), crs=str(frame.crs), where=where)
    table, notes = given.read(what.path, what.kind, into=of.file.crs, crs=what.crs, columns=what.columns)
    if what.kind == "population":
        notes = (*notes, *population.given(table).notes)
    return bounds, notes


def _box(edges: Iterable[float]) -> Bounds:
    west, south, east, north = (float(edge) for edge in edges)
    return west, south, east, north


def _extent(of: Study) -> Bounds:
    """Where the study lies, in degrees: its outline, else its extract."""
    outline = read_outline(of.file, of.folder)
    if outline is None:
        return study.read_map(of.file, of.folder).bounds
    return in_degrees(_box(shapely.bounds(outline)), crs=of.file.crs, where=str(of.file.boundary))


def _emergency(scenario_id: str, what: Addition, layer: Layer) -> Scenario:
    """A new scenario of one hazard, called as the person called it, else after the hazard."""
    en, zh = LABELS[what.hazard]
    if layer.return_period_y is not None:
        en, zh = f"{en}, 1 in {layer.return_period_y:g} years", f"{layer.return_period_y:g}年一遇{zh}"
    elif scenario_id != what.hazard:
        en, zh = f"{en} · {scenario_id}", f"{zh} · {scenario_id}"
    if what.scenario and not is_id(what.scenario):
        en = zh = what.scenario
    return Scenario(scenario_id=scenario_id, name=en, name_zh=zh, state="emergency", hazards=(layer.layer_id,))


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
    here = next((i for i, s in enumerate(scenarios) if s.scenario_id == wanted), None)
    if here is None:
        scenarios.append(_emergency(wanted, what, layer))
    else:
        there = scenarios[here]
        scenarios[here] = there.model_copy(update={"hazards": (*there.hazards, layer.layer_id)})
    return file.model_copy(update={"scenarios": scenarios})
