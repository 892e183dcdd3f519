"""From a study's files to the city a plan is made for.

What a given table does to what the map says: communities, people, buildings and streets stand in its place, shelters
and facilities are added to it. A study without an extract has given streets and nothing else of a map, or none at all.
With an outline, people, buildings, communities and facilities are those inside.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Sequence
from pathlib import Path

import geopandas as gpd
import pandas as pd

import data.study.layers as layers
import data.study.units as units
from data import given, osm, rules
from data.extents import require_overlap
from data.naming import of_layer
from data.osm.refuges import floor_areas
from data.study.clipping import clipped, near
from data.study.definition import ELEVATION, LATTICE, STREETS, StudyFile
from data.study.layers import Read
from data.study.mapped import mapped
from data.study.outline import Ground, ground_of, read_outline
from geo.city import City
from geo.errors import Fault, FileMissingError, InputError, refuse
from geo.hazards import Hazard
from geo.reasons import Sentence

Tables = dict[str, gpd.GeoDataFrame]
PEOPLE = "population"


def load(study: StudyFile, folder: Path, *, cache: Path | None = None) -> City:
    """The city of a study whose files lie in ``folder``; the map is kept in ``cache`` (default ``folder/cache``).

    Raises FileMissingError with every file that is not there, and what each loader raises.
    """
    refuse(FileMissingError, _missing(study, folder))
    refuse(InputError, _too_many(study))
    extract, said = mapped(study, folder, cache)
    outline = read_outline(study, folder)
    ground = Ground(study.crs, extract.bounds) if outline is None else ground_of(study, outline)
    if ground.bounds is not None:
        require_overlap(extract.bounds, ground.bounds, where=_where(study))
    read = _read(study, folder, ground, extract.boundaries)
    city = _city(study, extract, read)
    sources, far = _sources(city, study, ground)
    notes = (*said, *_notes(read), *rules.told(study.rules), *far)
    city = dataclasses.replace(city, sources=sources, notes=notes, hazard_notes=_of_hazards(read))
    return city if outline is None else clipped(city, outline)


def _notes(read: Sequence[Read]) -> Iterable[Sentence]:
    """What the layers that count in every scenario gave to say."""
    others = [one for one in read if one.layer.kind != "hazard"]
    return (note for one in others for note in of_layer(one.layer.called, one.notes, layer_id=one.layer.layer_id))


def _of_hazards(read: Sequence[Read]) -> dict[str, tuple[Sentence, ...]]:
    """What each hazard gave to say, by layer id."""
    return {
        one.layer.layer_id: of_layer(one.layer.called, one.notes, layer_id=one.layer.layer_id)
        for one in read if one.layer.kind == "hazard"
    }  # fmt: skip


def _read(study: StudyFile, folder: Path, ground: Ground, boundaries: gpd.GeoDataFrame) -> list[Read]:
    """Every layer but the map and derived hazards, people last, who may be joined to the communities; one that lies
    elsewhere is refused."""
    wanted = [layer for layer in study.layers if layer.kind not in ("osm", STREETS) and not layer.derived]
    read = [layers.read(layer, folder / layer.file, ground=ground) for layer in wanted if layer.kind != PEOPLE]
    given_units = [one.table for one in read if one.layer.kind == "communities"]
    ground = dataclasses.replace(ground, units=units.of(given_units, boundaries))
    read += [layers.read(layer, folder / layer.file, ground=ground) for layer in wanted if layer.kind == PEOPLE]
    read.sort(key=lambda one: wanted.index(one.layer))
    for one in read:
        if one.grid is not None:
            layers.require_meeting(one, ground, where=one.layer.file)
    return read


def _sources(city: City, study: StudyFile, ground: Ground) -> tuple[gpd.GeoDataFrame | None, tuple[Sentence, ...]]:
    """What rules of distance keep away from, near the study; how much of it lies elsewhere."""
    if city.sources is None:
        return None, ()
    kept, far = near(city.sources, ground.wide)
    only = study.of_kind("sources")[0]
    return kept, of_layer(only.called, far, layer_id=only.layer_id) if len(study.of_kind("sources")) == 1 else far


def _missing(study: StudyFile, folder: Path) -> list[Fault]:
    named = [layer.file for layer in study.layers if not layer.derived]
    files = [*named, *([study.boundary] if study.boundary else [])]
    lacking = [folder / file for file in files if not (folder / file).is_file()]
    cure = "Put it back, or take it out of study.toml."
    return [Fault("a file of the study", "none there", str(path), cure) for path in lacking]


def _too_many(study: StudyFile) -> Iterable[Fault]:
    """Layers of which a study has one."""
    heights = study.of_kind(ELEVATION)
    if len(heights) > 1:
        names = ", ".join(layer.layer_id for layer in heights)
        yield Fault("one layer of kind elevation", names, study.study_id, "Keep one; merge them beforehand.")


def _where(study: StudyFile) -> str:
    """The file that says where the streets are, or the outline where none does."""
    return next((layer.file for layer in (*study.of_kind("osm"), *study.of_kind(STREETS))), str(study.boundary))


def _city(study: StudyFile, extract: osm.Extract, read: Sequence[Read]) -> City:
    tables = {kind: _of_kind(kind, read) for kind in given.KINDS if kind != PEOPLE}
    buildings = _else(tables["buildings"], extract.buildings)
    shelters, facilities = extract.shelters, extract.facilities
    if tables["facilities"] is not None:
        facilities = joined([facilities, tables["facilities"]], ["osm", "given"])
    if (official := tables["shelters"]) is not None:
        floor, _ = floor_areas(official, buildings)
        official = official.assign(floor_m2=official["floor_m2"].fillna(pd.Series(floor, index=official.index)))
        shelters = joined([shelters, official], ["osm", "given"])
    made = study.streets == LATTICE and not len(extract.ways)
    return City(
        crs=study.crs, rules=rules.merged(rules.load(), study.rules), sources=tables["sources"],
        ways=None if made else extract.ways, buildings=buildings, facilities=facilities,
        shelters=shelters, areas=extract.areas, lines=extract.lines, boundaries=extract.boundaries,
        communities=tables["communities"], people=_people(read), lots=tables["lots"], supplies=tables["supplies"],
        hazards={one.layer.layer_id: one.content for one in read if isinstance(one.content, Hazard)},
        derived={layer.layer_id: str(layer.hazard) for layer in study.layers if layer.derived},
        elevation=next((one.grid for one in read if one.layer.kind == ELEVATION), None),
    )  # fmt: skip


def _else(table: gpd.GeoDataFrame | None, other: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    return other if table is None else table


def _of_kind(kind: str, read: Sequence[Read], time: str | None = None) -> gpd.GeoDataFrame | None:
    """The given tables of a kind one below the other; None where there is none."""
    parts = [one for one in read if (one.layer.kind, one.layer.time) == (kind, time)]
    return joined([one.table for one in parts], [one.layer.layer_id for one in parts]) if parts else None


def _people(read: Sequence[Read]) -> dict[str | None, gpd.GeoDataFrame]:
    """The given people by the time they are there; None: at any time."""
    found = {time: _of_kind(PEOPLE, read, time) for time in (None, "day", "night")}
    return {time: table for time, table in found.items() if table is not None}


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
