"""From a study's files to the city a plan is made for.

What a given table does to what the map says: communities, people, buildings and streets stand in its place, shelters
and facilities are added to it. A study without an extract has given streets and nothing else of a map. With an
outline, people, buildings, communities and facilities are those inside; streets, shelters, land and water are kept a
good walk beyond it, since the nearest shelter may lie across the line.
"""

from __future__ import annotations

import dataclasses
import hashlib
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import TypeVar

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data import given, osm, rasters, standards, streetlines, vectors
from data.extents import Bounds, in_degrees, require_overlap
from data.hazards import KINDS as HAZARD_KINDS
from data.naming import of_layer
from data.osm.refuges import floor_areas
from data.osm.tables import PLACES
from data.repair import repaired
from data.study.definition import ELEVATION, STREETS, Layer, StudyFile
from geo import lattice
from geo.city import City
from geo.errors import Fault, FileMissingError, InputError, UnreadableError, refuse
from geo.hazards import Grid, Hazard
from geo.network import Ways
from geo.reasons import Sentence
from geo.tables import AREAS, BOUNDARIES, BUILDINGS, FACILITIES, LINES, SHELTERS, empty

BEYOND_M = 2000.0
"""How far beyond the outline streets and shelters are kept, metres."""
POINT = 0
"""What shapely calls a point."""
HULL = 0.3
"""How closely an outline follows the points it is drawn round: 0 closest, 1 convex."""
RASTERS = (".tif", ".tiff", ".asc")
LATTICE = "lattice"
NO_STREETS = (
    'Add lines of streets: renxing add STUDY streets FILE; or, where nobody has any, say streets = "lattice" in '
    "study.toml (renxing new --streets lattice)."
)
Tables = dict[str, gpd.GeoDataFrame]
Frame = TypeVar("Frame", bound=pd.DataFrame)


def load(study: StudyFile, folder: Path, *, cache: Path | None = None) -> City:
    """The city of a study whose files lie in ``folder``; the map is kept in ``cache`` (default ``folder/cache``).

    Raises FileMissingError with every file that is not there, and what each loader raises.
    """
    refuse(FileMissingError, _missing(study, folder))
    extract, said = _mapped(study, folder, cache)
    outline = read_outline(study, folder)
    extent = extract.bounds if outline is None else _extent(outline, study.crs, str(study.boundary))
    if outline is not None:
        require_overlap(extract.bounds, extent, where=_where(study))
    tables, notes = _given(study, folder)
    hazards, more = _hazards(study, folder, extent)
    heights, last = _elevation(study, folder, extent)
    said = (*_map_notes(extract.counts), *said, *notes, *more, *last)
    city = _city(study, extract, tables, hazards, said, heights)
    return city if outline is None else clipped(city, outline)


def read_map(study: StudyFile, folder: Path, *, cache: Path | None = None) -> osm.Extract:
    """What is known of the study's ground, in its CRS: its OpenStreetMap extract, with the given streets in the place
    of the extract's; the given streets alone where there is no extract.

    The extract comes from ``cache`` (default ``folder/cache``) when it was read before. Raises InputError when there
    are neither streets nor an extract, or several extracts.
    """
    return _mapped(study, folder, cache)[0]


def _mapped(study: StudyFile, folder: Path, cache: Path | None) -> tuple[osm.Extract, tuple[Sentence, ...]]:
    """The map, and what is to be said of given streets."""
    maps, lines = study.of_kind("osm"), study.of_kind(STREETS)
    if not (maps or lines) and study.streets == LATTICE:
        return _bare(study, folder), ()
    if len(maps) > 1 or not (maps or lines):
        cure = "Keep one; merge them beforehand." if maps else NO_STREETS
        expected = "one layer of kind osm" if maps else "the streets of the study"
        raise InputError(Fault(expected, f"{len(maps)}" if maps else "none yet", study.study_id, cure))
    extract = _extract(maps[0], study, folder, cache) if maps else None
    if not lines:
        assert extract is not None
        return extract, ()
    ways, said = _given_streets(study, folder)
    return (_ground(ways) if extract is None else dataclasses.replace(extract, ways=ways)), said


def _extract(layer: Layer, study: StudyFile, folder: Path, cache: Path | None) -> osm.Extract:
    path = folder / layer.file
    with path.open("rb") as stream:
        sha256 = hashlib.file_digest(stream, "sha256").hexdigest()
    return osm.read_through(path, cache or folder / "cache", sha256=sha256, crs=study.crs)


def _given_streets(study: StudyFile, folder: Path) -> tuple[Ways, tuple[Sentence, ...]]:
    """The lines of all layers of streets together, so that one file goes on where another ends."""
    layers = study.of_kind(STREETS)
    read = [
        streetlines.read(folder / at.file, into=study.crs, crs=at.crs, columns=at.columns, constants=at.constants)
        for at in layers
    ]
    ways, notes = streetlines.ways([lines for lines, _ in read])
    said = (of_layer(at.layer_id, own) for at, (_, own) in zip(layers, read, strict=True))
    return ways, (*(note for own in said for note in own), *notes)


def _bare(study: StudyFile, folder: Path) -> osm.Extract:
    """An empty map of the study's outline."""
    outline = read_outline(study, folder)
    if outline is None:
        cure = "Give the study a boundary, or streets: renxing add STUDY streets FILE."
        raise InputError(Fault("an outline of a study without streets", "none", study.study_id, cure))
    none = _no_ways(study.crs)
    return _empty_map(none, _extent(outline, study.crs, str(study.boundary)))


def _no_ways(crs: str) -> Ways:
    return lattice.made((), crs=crs, params=lattice.LatticeParams.of(standards.load()))[0]


def _ground(ways: Ways) -> osm.Extract:
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


def _where(study: StudyFile) -> str:
    """The file that says where the streets are, or the outline where none does."""
    return next((layer.file for layer in (*study.of_kind("osm"), *study.of_kind(STREETS))), str(study.boundary))


def read_outline(study: StudyFile, folder: Path) -> shapely.Geometry | None:
    """The study's outline in its CRS: the polygons of its file, else the ground round its points; None without a file.

    UnreadableError when the file holds neither.
    """
    if study.boundary is None:
        return None
    shapes = vectors.read(folder / study.boundary, crs=study.boundary_crs, into=study.crs).geometry.to_numpy()
    areas = [repaired(s) for s in shapes if s is not None and s.geom_type in given.AREAL]
    outline: shapely.Geometry = shapely.union_all([area for area in areas if area is not None])
    if shapely.is_empty(outline):
        outline = _round_points(shapes[shapely.get_type_id(shapes) == POINT])
    if shapely.is_empty(outline):
        fault = Fault("an outline (polygons or points)", "neither", study.boundary, "Give the place's area.")
        raise UnreadableError(fault)
    return outline


def _round_points(points: NDArray[np.object_]) -> shapely.Geometry:
    """The ground that holds all points, and a margin; empty without points."""
    margin_m = standards.load().number("study.round_points_m")
    return shapely.buffer(shapely.concave_hull(shapely.union_all(points), ratio=HULL), margin_m)


def _missing(study: StudyFile, folder: Path) -> list[Fault]:
    files = [*(layer.file for layer in study.layers), *([study.boundary] if study.boundary else [])]
    lacking = [folder / file for file in files if not (folder / file).is_file()]
    cure = "Put it back, or take it out of study.toml."
    return [Fault("a file of the study", "none there", str(path), cure) for path in lacking]


def _extent(outline: shapely.Geometry, crs: str, where: str) -> Bounds:
    xmin, ymin, xmax, ymax = shapely.bounds(outline)
    return in_degrees((float(xmin), float(ymin), float(xmax), float(ymax)), crs=crs, where=where)


def _given(study: StudyFile, folder: Path) -> tuple[Tables, tuple[Sentence, ...]]:
    """The given tables by kind, several of one kind joined."""
    tables: Tables = {}
    notes: list[Sentence] = []
    for kind in given.KINDS:
        names = [layer.layer_id for layer in study.of_kind(kind)]
        parts = [_table(layer, folder, study.crs) for layer in study.of_kind(kind)]
        notes += [note for name, (_, said) in zip(names, parts, strict=True) for note in of_layer(name, said)]
        if parts:
            tables[kind] = joined([table for table, _ in parts], names)
    return tables, tuple(notes)


def _table(layer: Layer, folder: Path, crs: str) -> tuple[gpd.GeoDataFrame, tuple[Sentence, ...]]:
    path = folder / layer.file
    if layer.kind == "population" and path.suffix.lower() in RASTERS:
        return rasters.people(path, into=crs, crs=layer.crs, nodata=layer.nodata)
    return given.read(path, layer.kind, into=crs, crs=layer.crs, columns=layer.columns, constants=layer.constants)


def joined(tables: Sequence[gpd.GeoDataFrame], names: Sequence[str]) -> gpd.GeoDataFrame:
    """Tables of one kind one below the other; an id that a table before has already gets its table's name in front."""
    seen: set[str] = set()
    parts = []
    for table, name in zip(tables, names, strict=True):
        key = table.columns[0]
        ids = [f"{name}-{i}" if i in seen else str(i) for i in table[key]]
        seen |= set(ids)
        parts.append(table.assign(**{key: pd.Series(ids, index=table.index, dtype=object)}))
    if len(parts) == 1:
        return parts[0]
    every = pd.concat(parts, ignore_index=True)
    texts = [c for c in every.columns if every[c].dtype == object]
    every = every.assign(**{c: every[c].astype(object).where(every[c].notna(), None) for c in texts})
    return gpd.GeoDataFrame(every, geometry="geometry", crs=tables[0].crs)


def _hazards(study: StudyFile, folder: Path, extent: Bounds) -> tuple[dict[str, Hazard], tuple[Sentence, ...]]:
    found: dict[str, Hazard] = {}
    notes: list[Sentence] = []
    for name, layer in study.hazard_layers().items():
        of = HAZARD_KINDS[str(layer.hazard)]
        grid, said = rasters.read(
            folder / layer.file, unit=str(layer.unit), kind=str(layer.hazard), crs=layer.crs, nodata=layer.nodata,
            classes=layer.classes,
        )  # fmt: skip
        require_overlap(in_degrees(grid.bounds, crs=grid.crs, where=layer.file), extent, where=layer.file)
        en, zh = label(str(layer.hazard), layer.return_period_y)
        found[name] = Hazard(name, str(layer.hazard), of.unit, grid, of.none_is, label_zh=zh, label_en=en)
        notes += of_layer(name, said)
    return found, tuple(notes)


def label(hazard: str, return_period_y: float | None) -> tuple[str, str]:
    """What a hazard is called in English and Chinese: ``Flood, 1 in 100 years``."""
    en, zh = HAZARD_KINDS[hazard].en, HAZARD_KINDS[hazard].zh
    years = return_period_y
    return (en, zh) if years is None else (f"{en}, 1 in {years:g} years", f"{years:g}年一遇{zh}")


def _elevation(study: StudyFile, folder: Path, extent: Bounds) -> tuple[Grid | None, tuple[Sentence, ...]]:
    """The heights of the ground, None where nobody gave them."""
    layers = study.of_kind(ELEVATION)
    if len(layers) > 1:
        names = ", ".join(layer.layer_id for layer in layers)
        cure = "Keep one; merge them beforehand."
        raise InputError(Fault("one layer of kind elevation", names, study.study_id, cure))
    if not layers:
        return None, ()
    grid, notes = rasters.heights(folder / layers[0].file, crs=layers[0].crs, nodata=layers[0].nodata)
    require_overlap(in_degrees(grid.bounds, crs=grid.crs, where=layers[0].file), extent, where=layers[0].file)
    return grid, of_layer(layers[0].layer_id, notes)


def _city(
    study: StudyFile, extract: osm.Extract, tables: Tables, hazards: dict[str, Hazard], notes: tuple[Sentence, ...],
    elevation: Grid | None,
) -> City:  # fmt: skip
    buildings = tables.get("buildings", extract.buildings)
    shelters, facilities = extract.shelters, extract.facilities
    if "facilities" in tables:
        facilities = joined([facilities, tables["facilities"]], ["osm", "given"])
    if "shelters" in tables:
        official = tables["shelters"]
        floor, _ = floor_areas(official, buildings)
        official = official.assign(floor_m2=official["floor_m2"].fillna(pd.Series(floor, index=official.index)))
        shelters = joined([shelters, official], ["osm", "given"])
    return City(
        crs=study.crs, ways=None if study.streets == LATTICE and not len(extract.ways) else extract.ways,
        buildings=buildings, facilities=facilities, shelters=shelters,
        areas=extract.areas, lines=extract.lines, boundaries=extract.boundaries, communities=tables.get("communities"),
        demand=tables.get("population"), hazards=hazards, notes=notes,
        elevation=elevation,
    )  # fmt: skip


def clipped(city: City, outline: shapely.Geometry) -> City:
    """The city within an outline (polygon in its CRS); what is left out is counted in its notes."""
    shapely.prepare(outline)
    wide = shapely.buffer(outline, BEYOND_M)
    shapely.prepare(wide)
    kept = {
        "buildings": _with_inner_point(city.buildings, outline),
        "facilities": _with_inner_point(city.facilities, outline),
        "shelters": _with_inner_point(city.shelters, wide), "areas": _meeting(city.areas, wide),
        "lines": _meeting(city.lines, wide), "boundaries": _meeting(city.boundaries, outline),
        "communities": None if city.communities is None else _with_inner_point(city.communities, outline),
        "demand": None if city.demand is None else _with_inner_point(city.demand, outline),
    }  # fmt: skip
    ways = None if city.ways is None else _reaching(city.ways, wide)
    streets = 0 if city.ways is None or ways is None else len(city.ways) - len(ways)
    note = _clip_note(city, kept, streets)
    return dataclasses.replace(city, ways=ways, notes=(*city.notes, *note), outline=outline, **kept)


def _clip_note(city: City, kept: dict[str, gpd.GeoDataFrame | None], streets: int) -> Iterable[Sentence]:
    lost = {
        name: len(getattr(city, name)) - len(table)
        for name, table in kept.items() if table is not None and name in CLIPPED
    }  # fmt: skip
    lost["streets"] = streets
    if any(lost.values()):
        demand = kept.get("demand")
        if city.demand is not None and demand is not None:
            people = city.demand["people"].sum() - demand["people"].sum()
            lost["demand"], unit = round(float(people)), "people"
        else:
            unit = "places with people"
        said = {"demand": unit}
        en = ", ".join(f"{n:,} {said.get(name, name)}" for name, n in lost.items() if n)
        zh = "、".join(f"{CLIPPED[name]}{n}" for name, n in lost.items() if n)
        en = f"Outside the study's outline and left out: {en}."
        yield Sentence("outside_outline", en, f"研究范围外未计入：{zh}。")


CLIPPED = {"buildings": "建筑", "facilities": "设施", "shelters": "避难场所", "communities": "社区", "demand": "人口",
           "streets": "街道"}  # fmt: skip
"""Tables whose rows outside the outline are told, and their Chinese names."""


def _with_inner_point(table: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    inner = shapely.point_on_surface(table.geometry.to_numpy())
    return table[shapely.contains(area, inner)].reset_index(drop=True)


def _meeting(table: gpd.GeoDataFrame, area: shapely.Geometry) -> gpd.GeoDataFrame:
    return table[shapely.intersects(area, table.geometry.to_numpy())].reset_index(drop=True)


def _reaching(ways: Ways, area: shapely.Geometry) -> Ways:
    """The ways with a node in the area, whole, and the restrictions on turns between them."""
    inside = shapely.contains_xy(area, ways.x, ways.y)
    kept = np.logical_or.reduceat(inside, ways.start[:-1]) if len(ways) else np.zeros(0, dtype=bool)
    size = np.diff(ways.start)
    points = np.repeat(kept, size)
    node = ways.node[points]
    on_street = ways.barriers["node_id"].isin(node)
    tags = ways.tags[kept].reset_index(drop=True)
    return Ways(
        tags, np.r_[0, np.cumsum(size[kept])].astype(np.int64), node, ways.x[points], ways.y[points],
        ways.barriers[on_street].reset_index(drop=True), ways.crs, _between(ways.restrictions, set(tags["way_id"])),
    )  # fmt: skip


def _between(restrictions: pd.DataFrame, ways: set[int]) -> pd.DataFrame:
    """The restrictions on turns all of whose ways are there."""
    columns = (restrictions[name] for name in ("from_way", "via_ways", "to_way"))
    whole = [ways.issuperset((start, *via, end)) for start, via, end in zip(*columns, strict=True)]
    return restrictions[np.array(whole, dtype=bool)].reset_index(drop=True)


def _map_notes(counts: dict[str, int]) -> Iterable[Sentence]:
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
