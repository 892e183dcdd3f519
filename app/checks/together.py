"""What only several layers together can tell: whether they meet, whether a plan comes out, where two disagree.

The plan's own preparation is run on the layers that can be used, so that streets, people, communities and shelters are
those of a run.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import geopandas as gpd
import numpy as np
import shapely
from numpy.typing import NDArray

from app.checks.findings import found_here, refused, told
from app.checks.ground import Ground
from app.checks.layers import extent
from app.checks.params import CheckParams
from app.checks.places import misplaced
from app.checks.reading import Read, attempted, of_kind, shapes
from app.checks.report import FindingModel
from data import study
from data.extents import distance_km, overlap, require_overlap
from data.study import StudyFile
from data.study.outline import BEYOND_M
from geo import readied, snapping
from geo.city import PlanParams
from geo.errors import NoOverlapError
from geo.readied import Base
from geo.reasons import Severity

RASTERS = ("hazard", "elevation")
"""Kinds that a run refuses when they do not meet the study."""
COMMUNITIES = ("communities_", "parents_")
"""How the codes of findings begin that are about the outlines of communities."""
FEW = 5
"""So many rows or names are given with a finding."""
Shapes = NDArray[np.object_]


def met(read: Read, ground: Ground | None, folder: Path) -> Read:
    """The layer, refused when it lies elsewhere: rasters beyond the study, tables beyond what a walk bridges."""
    box, of = extent(read), read.layer
    if ground is None or box is None:
        return read
    near_m = 0.0 if of.kind in RASTERS else BEYOND_M
    if overlap(box, ground.extent) or distance_km(box, ground.extent) * 1000 <= near_m - 1e-9:
        return read
    try:
        require_overlap(box, ground.extent, where=of.file)
    except NoOverlapError as error:
        return replace(read, findings=(*read.findings, *refused(error, folder=folder, layer_id=of.layer_id)))
    return read


def tried(
    file: StudyFile, folder: Path, reads: Sequence[Read], ground: Ground | None, params: PlanParams | None,
    limits: CheckParams,
) -> tuple[Base | None, tuple[FindingModel, ...]]:  # fmt: skip
    """The layers that can be used, prepared as a run does before any scenario, and what was found on the way.

    None when a run could not get so far. Findings are of layers and of the study as a whole.
    """
    lost = {read.layer.layer_id for read in reads if not read.usable}
    base, stopped = _prepared(file, folder, lost, params)
    if base is None:
        return None, stopped
    said = {(f.code, f.en) for read in reads for f in read.findings}
    called = {layer.called: layer.layer_id for layer in file.layers}
    every = dict.fromkeys((*base.notes, *(note for name in base.city.derived for note in base.hazard_notes[name])))
    notes = [f for f in told(every, layers=called) if (f.code, f.en) not in said]
    owned = (_owned(note, reads) for note in notes)
    return base, (*misplaced(reads), *owned, *_across(base, reads, limits))


def _owned(note: FindingModel, reads: Sequence[Read]) -> FindingModel:
    """What a plan says of communities as a whole is said of their layer, where there is one."""
    mine = not note.layer_id and note.code.startswith(COMMUNITIES)
    return note.model_copy(update={"layer_id": _only(reads, "communities")}) if mine else note


def _prepared(
    file: StudyFile, folder: Path, lost: set[str], params: PlanParams | None
) -> tuple[Base | None, tuple[FindingModel, ...]]:
    """The city of the layers that are left, prepared; what stands in the way where it cannot be."""
    if params is None:
        return None, ()
    left = file.model_copy(update={"layers": [layer for layer in file.layers if layer.layer_id not in lost]})
    undrawn = _undrawn(params)
    base, stopped = attempted(lambda: readied.prepare(study.load(left, folder), params=undrawn), folder=folder)
    return base, tuple(_placed(finding, file) for finding in stopped)


def _undrawn(params: PlanParams) -> PlanParams:
    """The parameters without rings: drawing circles takes longest, and nobody looks at them here."""
    return params.model_copy(update={"circle": params.circle.model_copy(update={"minutes": ()})})


def _placed(finding: FindingModel, file: StudyFile) -> FindingModel:
    """A refusal with the layer whose file it names."""
    named = next((layer.layer_id for layer in file.layers if layer.file and layer.file in finding.where), "")
    return finding.model_copy(update={"layer_id": named})


def _across(base: Base, reads: Sequence[Read], limits: CheckParams) -> list[FindingModel]:
    return [
        *_people_off_street(base, reads, limits),
        *_shelters_off_street(base, reads, limits),
        *_facilities_off_street(base, reads, limits),
        *_drawn_twice(base, reads, limits),
    ]


def _people_off_street(base: Base, reads: Sequence[Read], limits: CheckParams) -> Iterator[FindingModel]:
    """People at places with no street for walkers within reach."""
    lost = ~base.places.found
    people = int(base.demand["people"].to_numpy()[lost].sum())
    if people:
        share = people / base.people.total
        yield found_here(
            "people_off_street", _weight(share, limits), layer_id=_only(reads, "population"), count=int(lost.sum()),
            people=f"{people:,}", share=_percent(share), places=f"{int(lost.sum()):,}",
            metres=f"{base.params.walk.snap_max_m:g}", value=str(base.demand["demand_id"].to_numpy()[lost][0]),
        )  # fmt: skip


def _shelters_off_street(base: Base, reads: Sequence[Read], limits: CheckParams) -> Iterator[FindingModel]:
    """Shelters of the plan that no street for walkers leads to."""
    met = np.bincount(base.doors.place[base.doors.found], minlength=len(base.shelters)) > 0
    if lost := int((~met).sum()):
        names = _names(base.shelters[~met], "shelter_id")
        yield found_here(
            "shelters_off_street", _weight(lost / len(met), limits), layer_id=_only(reads, "shelters"), count=lost,
            n=f"{lost:,}", total=f"{len(met):,}", metres=f"{base.params.shelter.entrance_max_m:g}", names=names,
        )  # fmt: skip


def _facilities_off_street(base: Base, reads: Sequence[Read], limits: CheckParams) -> Iterator[FindingModel]:
    """Facilities with no street for walkers within reach."""
    places = base.city.facilities
    if not len(places):
        return
    max_m = base.params.walk.snap_max_m
    snaps = snapping.snap(base.network, shapes(places), usable=base.usable["walk"].joined, max_m=max_m)
    if lost := int((~snaps.found).sum()):
        yield found_here(
            "facilities_off_street", _weight(lost / len(places), limits), layer_id=_only(reads, "facilities"),
            count=lost, n=f"{lost:,}", total=f"{len(places):,}", metres=f"{max_m:g}",
            names=_names(places[~snaps.found], "facility_id"),
        )  # fmt: skip


def _drawn_twice(base: Base, reads: Sequence[Read], limits: CheckParams) -> Iterator[FindingModel]:
    """Given facilities and shelters of the same kind as one of the map, and next to it."""
    for kind, mapped in (("facilities", base.city.facilities), ("shelters", base.city.shelters)):
        for read in of_kind(reads, kind):
            table = read.table
            if table is None or not len(table):
                continue
            rows = _beside_same(table, _others(mapped, table), limits.same_place_m)
            if len(rows):
                yield found_here(
                    "near_the_same", "warning", layer_id=read.layer.layer_id, count=len(rows),
                    rows=tuple(int(row) + 1 for row in rows[:FEW]), n=f"{len(rows):,}", total=f"{len(table):,}",
                    metres=f"{limits.same_place_m:g}", names=_names(table.iloc[rows], table.columns[0]),
                )  # fmt: skip


def _others(every: gpd.GeoDataFrame, mine: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """Rows of the city's table that do not come from this layer: known by their place."""
    own = set(shapely.to_wkb(shapes(mine)))
    kept = [wkb not in own for wkb in shapely.to_wkb(shapes(every))]
    if "origin" in every.columns:
        kept = [keep and origin != "candidate" for keep, origin in zip(kept, every["origin"], strict=True)]
    return every[kept]


def _beside_same(table: gpd.GeoDataFrame, others: gpd.GeoDataFrame, within_m: float) -> NDArray[np.int64]:
    """Rows of ``table`` with another of the same kind within reach, sorted."""
    tree = shapely.STRtree(shapes(others))
    row, other = tree.query(shapes(table), predicate="dwithin", distance=within_m)
    same = table["kind"].to_numpy(dtype=object)[row] == others["kind"].to_numpy(dtype=object)[other]
    return np.unique(row[same])


def _weight(share: float, limits: CheckParams) -> Severity:
    return "warning" if share > limits.off_street_share else "info"


def _only(reads: Iterable[Read], kind: str) -> str:
    """The layer of a kind where there is one, and nothing else says the same."""
    found = of_kind(reads, kind)
    return found[0].layer.layer_id if len(found) == 1 else ""


def _names(rows: gpd.GeoDataFrame, key: str) -> str:
    """The first few by name, else by id."""
    named = [str(name or row_id) for name, row_id in zip(rows["name"], rows[key], strict=True)]
    return ", ".join(named[:FEW]) + (" …" if len(named) > FEW else "")


def _percent(share: float) -> str:
    return f"{share:.0%}" if share >= 0.005 else f"{share:.1%}"
