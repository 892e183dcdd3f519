"""New studies and new layers: a file is opened in a process of its own and understood before anything is written."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import nullcontext
from pathlib import Path
from typing import Literal

from app.additions import Addition, layer_faults, layer_of, mapping, nodata_of, option_faults
from app.emergencies import with_scenario
from app.run import Stage
from app.store import Study, Workspace
from app.store.ids import made_id
from data import intake, study
from data.extents import Bounds, in_degrees, require_overlap
from data.naming import of_layer
from data.osm.extract import ATTRIBUTION, LICENCE, SOURCE
from data.study import Layer, Scenario, StudyFile
from data.study.definition import ELEVATION, STREETS
from data.study.opening import place_of, require_city, require_outline
from data.study.outline import Ground, ground_of, read_outline
from geo import derived
from geo.errors import ConflictError, Fault, ParameterError, refuse
from geo.reasons import Sentence

__all__ = ["Addition", "add", "derive", "mapping", "new_study", "nodata_of"]
NORMAL = Scenario(scenario_id="normal", name="Normal day", name_zh="平时")


def new_study(
    workspace: Workspace, title: str, extract: Path | None, *, boundary: Path | None = None,
    boundary_crs: str | None = None, streets: Literal["map", "lattice"] = "map", name: str = "",
    fetched: str | None = None, stage: Stage = lambda _: nullcontext(),
) -> Study:  # fmt: skip
    """Make a study from an OpenStreetMap extract, with an ordinary day as its one scenario.

    Without an extract it is made from its ``boundary``, and needs a layer of streets before it can be computed, or
    ``streets`` as a ``lattice`` where nobody has any. ``boundary_crs`` is the boundary's where its file says none.
    ``fetched`` is the day of an extract that does not say its own (YYYY-MM-DD).
    ``title`` is its id or a name to make one from; ``name`` the title shown (default: the title). The extract and the
    boundary are read before the study is there; a refusal leaves nothing behind.
    """
    if extract is None and boundary is None:
        raise ParameterError(Fault("an extract or a boundary", "neither", "renxing new", "Give --osm or --boundary."))
    with stage("looking at the place"):
        place = place_of(extract, boundary, boundary_crs)
    map_layer = Layer(layer_id="osm", kind="osm", file="inputs/osm", source=SOURCE, licence=LICENCE,
                      attribution=ATTRIBUTION, date=place.date or fetched)  # fmt: skip
    file = StudyFile(study_id=made_id(title, what="study"), name=name or title, crs=place.crs,
                     layers=[] if extract is None else [map_layer], boundary_crs=boundary_crs, streets=streets,
                     scenarios=[NORMAL])  # fmt: skip
    with stage("reading the place"):
        if extract is None:
            return workspace.create(file, {}, boundary=boundary, check=require_outline)
        return workspace.create(file, {"osm": extract}, boundary=boundary, check=require_city)


def add(
    workspace: Workspace, study_id: str, what: Addition, *, stage: Stage = lambda _: nullcontext(),
    require: Callable[[StudyFile], None] = lambda _: None,
) -> tuple[Study, Layer, tuple[Sentence, ...]]:  # fmt: skip
    """Add a file to a study: the study, the new layer, and what is to be known of the file.

    ``require`` may refuse the definition as it is when it is changed.

    A hazard comes with a scenario: the named one, or an emergency of its own; one that replaces another keeps its
    scenarios. Everything that is wrong with the file,
    its place or the options is refused before anything is written.
    """
    found = workspace.study(study_id)
    refuse(ParameterError, option_faults(what))
    layer = layer_of(what)
    refuse(ParameterError, layer_faults(layer, what, found))
    with stage("looking at the study"):
        ground = _ground(found)
    with stage("reading the file"):
        looked = intake.look(layer, what.path, ground=ground, of=(found.file, found.folder))
    if (near := _near(ground, what.kind)) is not None:
        require_overlap(looked.bounds, near, where=str(what.path))
    layer = layer.model_copy(update={"conversions": list(looked.conversions)})
    with stage("taking it in"):
        changed = workspace.add_layer(
            study_id, layer, what.path, replace=what.replace, require=require,
            change=lambda file: with_scenario(file, layer, what.scenario),
        )  # fmt: skip
    taken = next(there for there in changed.file.layers if there.layer_id == layer.layer_id)
    return changed, taken, of_layer(layer.called, looked.notes, layer_id=layer.layer_id)


def derive(workspace: Workspace, study_id: str, kind: str, *, scenario: str = "", name: str = "") -> Study:
    """Let a study have a hazard that is made from its own map and heights, in force in a scenario.

    ``kind`` is one of ``geo.derived.KINDS``. Raises ParameterError for another, and for steep slopes of a study without
    heights; ConflictError when the study has a layer of this name.
    """
    if kind not in derived.KINDS:
        raise ParameterError(Fault(f"a hazard of {', '.join(derived.KINDS)}", repr(kind), "HAZARD"))
    layer = Layer(layer_id=made_id(name or kind, what="hazard"), kind="hazard", hazard=kind, derived=True)

    def with_layer(file: StudyFile) -> StudyFile:
        if kind == "steep_slope" and not file.of_kind(ELEVATION):
            cure = f"Add it first: renxing add {file.study_id} elevation FILE"
            raise ParameterError(Fault("heights of the ground", "none in the study", "steep_slope", cure))
        if any(there.layer_id == layer.layer_id for there in file.layers):
            raise ConflictError(Fault("a new layer id", "one in use", layer.layer_id, "Choose another --name."))
        whole = file.model_copy(update={"layers": [*file.layers, layer]})
        return with_scenario(whole, layer, scenario)

    return workspace.edit(study_id, with_layer)


def _ground(of: Study) -> Ground:
    """Where the study lies: its outline, else its map; bounds None while it has neither."""
    outline = read_outline(of.file, of.folder)
    if outline is not None:
        return ground_of(of.file, outline)
    there = of.file.of_kind("osm") or of.file.of_kind(STREETS)
    return Ground(of.file.crs, study.read_map(of.file, of.folder).bounds if there else None)


def _near(ground: Ground, kind: str) -> Bounds | None:
    """Where a layer must lie, in degrees: rasters on the study, others where shelters still serve it as well."""
    if ground.wide is None or kind in ("hazard", ELEVATION):
        return ground.bounds
    return in_degrees(ground.wide, crs=ground.crs, where="study")
