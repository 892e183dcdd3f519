"""What is known of a study's ground: its OpenStreetMap extract, and streets that were given or are to be made."""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable
from pathlib import Path

import data.study.layers as layers
from data import osm, standards, streetlines
from data.extents import Bounds, in_degrees
from data.naming import of_layer
from data.osm.tables import PLACES
from data.study.definition import LATTICE, STREETS, Layer, StudyFile
from data.study.outline import Ground, ground_of, read_outline
from geo import lattice
from geo.errors import Fault, InputError
from geo.network import Ways
from geo.reasons import Sentence
from geo.tables import AREAS, BOUNDARIES, BUILDINGS, FACILITIES, LINES, SHELTERS, empty

NO_STREETS = (
    'Add lines of streets: renxing add STUDY streets FILE; or, where nobody has any, say streets = "lattice" in '
    "study.toml (renxing new --streets lattice)."
)
Notes = tuple[Sentence, ...]


def read_map(study: StudyFile, folder: Path, *, cache: Path | None = None) -> osm.Extract:
    """What is known of the study's ground, in its CRS: its OpenStreetMap extract, with the given streets in the place
    of the extract's; the given streets alone where there is no extract, nothing where there are no streets either.

    The extract comes from ``cache`` (default ``folder/cache``) when it was read before. Raises InputError when there
    are neither streets nor an extract, or several extracts.
    """
    return mapped(study, folder, cache)[0]


def mapped(study: StudyFile, folder: Path, cache: Path | None) -> tuple[osm.Extract, Notes]:
    """The map, and what is to be said of it and of given streets."""
    maps, lines = study.of_kind("osm"), study.of_kind(STREETS)
    if not (maps or lines) and study.streets == LATTICE:
        return _bare(study, folder), ()
    if len(maps) > 1 or not (maps or lines):
        cure = "Keep one; merge them beforehand." if maps else NO_STREETS
        expected = "one layer of kind osm" if maps else "the streets of the study"
        raise InputError(Fault(expected, f"{len(maps)}" if maps else "none yet", study.study_id, cure))
    extract = extract_of(maps[0], study, folder, cache) if maps else None
    said = () if extract is None else tuple(map_notes(extract.counts))
    if extract is not None and not lines:
        return extract, said
    ways, notes = given_streets(study, folder, _near(study, folder, extract))
    return (_streets_alone(ways) if extract is None else dataclasses.replace(extract, ways=ways)), (*said, *notes)


def extract_of(layer: Layer, study: StudyFile, folder: Path, cache: Path | None = None) -> osm.Extract:
    """The extract of a layer of kind osm, from ``cache`` (default ``folder/cache``) when it was read before."""
    path = folder / layer.file
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return osm.read_through(path, cache or folder / "cache", sha256=sha256, crs=study.crs)


def given_streets(study: StudyFile, folder: Path, ground: Ground) -> tuple[Ways, Notes]:
    """The lines of all layers of streets together, so that one file goes on where another ends."""
    read = [layers.read(layer, folder / layer.file, ground=ground) for layer in study.of_kind(STREETS)]
    ways, notes = streetlines.ways([one.table for one in read])
    return ways, (*(note for one in read for note in of_layer(one.layer.layer_id, one.notes)), *notes)


def _near(study: StudyFile, folder: Path, extract: osm.Extract | None) -> Ground:
    """Where the streets of a study should lie: in its outline, else on its map, else anywhere."""
    outline = read_outline(study, folder)
    if outline is not None:
        return ground_of(study, outline)
    return Ground(study.crs, None if extract is None else extract.bounds)


def _bare(study: StudyFile, folder: Path) -> osm.Extract:
    """An empty map of the study's outline."""
    outline = read_outline(study, folder)
    if outline is None:
        cure = "Give the study a boundary, or streets: renxing add STUDY streets FILE."
        raise InputError(Fault("an outline of a study without streets", "none", study.study_id, cure))
    bounds = ground_of(study, outline).bounds
    assert bounds is not None
    return _empty_map(lattice.made((), crs=study.crs, params=lattice.LatticeParams.of(standards.load()))[0], bounds)


def _streets_alone(ways: Ways) -> osm.Extract:
    """Streets and an otherwise empty map."""
    xmin, ymin, xmax, ymax = (float(edge) for edge in (ways.x.min(), ways.y.min(), ways.x.max(), ways.y.max()))
    return _empty_map(ways, in_degrees((xmin, ymin, xmax, ymax), crs=ways.crs, where=STREETS))


def _empty_map(ways: Ways, bounds: Bounds) -> osm.Extract:
    schemas = (BUILDINGS, FACILITIES, SHELTERS, AREAS, LINES, BOUNDARIES, PLACES)
    buildings, facilities, shelters, areas, lines, boundaries, places = (empty(s, crs=ways.crs) for s in schemas)
    return osm.Extract(
        ways=ways, buildings=buildings, facilities=facilities, shelters=shelters, areas=areas, lines=lines,
        boundaries=boundaries, places=places, crs=ways.crs, date=None, counts=dict.fromkeys(osm.COUNTS, 0),
        bounds=bounds, source="", licence="", attribution="",
    )  # fmt: skip


def map_notes(counts: dict[str, int]) -> Iterable[Sentence]:
    """What the map leaves open that a reader of the plan must know."""
    buildings = sum(counts[f"buildings_{why}"] for why in ("without_outline", "not_closed", "cut_off"))
    said = {
        "map_streets_not_built": (counts["streets_not_built"], "{n} streets of the map are planned or being built and "
                                  "not used.", "地图中{n}条街道在规划或建设中，未使用。"),
        "map_buildings_left_out": (buildings, "{n} buildings of the map have no whole outline and are left out.",
                                   "地图中{n}栋建筑轮廓不完整，未计入。"),
        "map_boundaries_by_edge": (counts["boundaries_closed_by_edge"], "{n} boundaries are cut off by the extract and "
                                   "closed along its edge.", "{n}个行政界线被数据范围截断，沿数据边缘闭合。"),
        "map_boundaries_left_out": (counts["boundaries_cut_off"], "{n} boundaries are cut off by the extract and left "
                                    "out.", "{n}个行政界线被数据范围截断，未计入。"),
        "map_water_by_edge": (counts["water_closed_by_edge"], "{n} water areas are cut off by the extract and closed "
                              "along its edge.", "{n}处水域被数据范围截断，沿数据边缘闭合。"),
        "map_water_cut_off": (counts["water_cut_off"], "{n} water areas are cut off by the extract; only their shores "
                              "are known.", "{n}处水域被数据范围截断，仅知其岸线。"),
    }  # fmt: skip
    for code, (n, en, zh) in said.items():
        if n:
            yield Sentence(code, en.format(n=n), zh.format(n=n))
