"""Each layer of a study read as a run reads it, on its own: a refusal is kept, and the others go on."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import TypeAlias, TypeVar

import geopandas as gpd
import numpy as np
from numpy.typing import NDArray

from app.checks.findings import broken, found_here, refused, told
from app.checks.report import FindingModel
from app.showing import street_lines
from app.store.inputs import input_digest
from data import given, rasters, streetlines, vectors
from data.osm import Extract
from data.study import Layer, StudyFile, layers, mapped, read_outline, units
from data.study.definition import STREETS
from data.study.outline import Ground as Near
from data.study.outline import Outline, ground_of
from geo.errors import RenxingError
from geo.hazards import Grid, Hazard
from geo.readied import Base

Content: TypeAlias = layers.Content | Extract
Result = TypeVar("Result")
PEOPLE = "population"


@dataclass(frozen=True, eq=False)
class Read:
    """A layer and what is in it: ``content`` None when it was refused.

    ``raw`` is a table as the file has it, its columns renamed as study.toml says; ``sha256`` the file's as it is now;
    ``conversions`` (text) were done to the content.
    """

    layer: Layer
    sha256: str = ""
    content: Content | None = None
    raw: vectors.Read | None = None
    conversions: tuple[str, ...] = ()
    findings: tuple[FindingModel, ...] = field(default=())

    def __repr__(self) -> str:
        return f"Read({self.layer.layer_id}: {self.content!r}, {len(self.findings)} findings)"

    @property
    def usable(self) -> bool:
        """Whether a run can go on with it."""
        return not any(finding.severity == "error" for finding in self.findings)

    @property
    def table(self) -> gpd.GeoDataFrame | None:
        """The rows that are used, where it is a table."""
        return self.content if isinstance(self.content, gpd.GeoDataFrame) else None

    @property
    def grid(self) -> Grid | None:
        """The cells, where it is a raster or a hazard."""
        held = self.content.grid if isinstance(self.content, Hazard) else self.content
        return held if isinstance(held, Grid) else None


def every(study: StudyFile, folder: Path, drawn: Outline | None) -> list[Read]:
    """Every layer of a study, in the order of its definition; ``drawn`` is its outline.

    The map comes first: without an outline, it says where the study lies, against which coordinates are read.
    """
    maps = {layer.layer_id: one(study, folder, layer, Near(study.crs, None)) for layer in study.of_kind("osm")}
    near = _near(study, drawn, maps.values())
    read = {of.layer_id: one(study, folder, of, near) for of in study.layers if of.kind not in ("osm", PEOPLE)} | maps
    near = replace(near, units=_units(read.values()))
    return [read.get(layer.layer_id) or one(study, folder, layer, near) for layer in study.layers]


def _units(read: Iterable[Read]) -> gpd.GeoDataFrame | None:
    """The outlines that people without places are joined to."""
    every = list(read)
    given_ = [table for one in of_kind(every, "communities") if (table := one.table) is not None]
    maps = [one.content.boundaries for one in every if isinstance(one.content, Extract)]
    return units.of(given_, maps[0] if maps else None)


def _near(study: StudyFile, drawn: Outline | None, maps: Iterable[Read]) -> Near:
    """Where the study lies, as a run tells its readers."""
    if drawn is not None:
        return ground_of(study, drawn)
    return Near(study.crs, next((read.content.bounds for read in maps if isinstance(read.content, Extract)), None))


def one(study: StudyFile, folder: Path, layer: Layer, near: Near) -> Read:
    """One layer; whatever is wrong with it is among its findings. One that is made from others is not read."""
    path = folder / layer.file
    if layer.derived:
        return Read(layer)
    if not path.is_file():
        return Read(layer, findings=(found_here("file_missing", "error", layer_id=layer.layer_id, where=layer.file),))
    sha256 = input_digest(path)
    found, refusal = attempted(partial(_opened, study, folder, layer, near), folder=folder, layer_id=layer.layer_id)
    read = replace(found or Read(layer), sha256=sha256)
    said = [*refusal]
    if layer.sha256 and sha256 != layer.sha256:
        said.append(found_here("file_changed", "warning", layer_id=layer.layer_id, where=layer.file))
    return replace(read, findings=(*read.findings, *said))


def made(read: Read, base: Base | None) -> Read:
    """A layer that is made from others with what the prepared city has of it; others as they are."""
    of = None if base is None else base.hazards.get(read.layer.layer_id)
    return replace(read, content=of) if read.layer.derived and of is not None else read


def attempted(
    read: Callable[[], Result], *, folder: Path, layer_id: str = ""
) -> tuple[Result | None, tuple[FindingModel, ...]]:
    """What a reader gives; None and what it refused where it did.

    A reader must refuse, not fail: when one does fail, that is told as well, and the other layers go on.
    """
    try:
        return read(), ()
    except RenxingError as error:
        return None, refused(error, folder=folder, layer_id=layer_id)
    except Exception as error:
        return None, (broken(error, layer_id=layer_id),)


def _opened(study: StudyFile, folder: Path, layer: Layer, near: Near) -> Read:
    """What a run would have of one layer, and what is to be said of it."""
    path, name = folder / layer.file, layer.layer_id
    if layer.kind == "osm":
        extract = mapped.extract_of(layer, study, folder)
        return Read(layer, content=extract, findings=told(mapped.map_notes(extract.counts), layer_id=name))
    found = layers.read(layer, path, ground=near)
    content, notes = found.content, found.notes
    if layer.kind == STREETS:
        ways, more = streetlines.ways([found.table])
        content, notes = street_lines(ways), (*notes, *more)
    return Read(layer, "", content, _raw(layer, path, near), found.conversions, told(notes, layer_id=name))


def _raw(layer: Layer, path: Path, near: Near) -> vectors.Read | None:
    """A table as its file has it; None for what is none."""
    if layer.kind not in (*given.KINDS, STREETS) or rasters.is_raster(path):
        return None
    join = layers.join_of(layer, path, near)
    return vectors.read(path, crs=layer.crs, columns=layer.columns, join=join, only=layer.where)


def outline(study: StudyFile, folder: Path) -> tuple[Outline | None, tuple[FindingModel, ...]]:
    """The study's outline, None without one or when it was refused; and what was refused."""
    if study.boundary is not None and not (folder / study.boundary).is_file():
        return None, (found_here("file_missing", "error", where=study.boundary),)
    return attempted(partial(read_outline, study, folder), folder=folder)


def shapes(table: gpd.GeoDataFrame) -> NDArray[np.object_]:
    """The geometry of a table."""
    return np.asarray(table.geometry.to_numpy(), dtype=object)


def of_kind(reads: Iterable[Read], kind: str) -> list[Read]:
    """The layers of one kind that can be used."""
    return [read for read in reads if read.layer.kind == kind and read.usable]
