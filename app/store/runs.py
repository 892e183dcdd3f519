"""A run: one scenario of one study, computed. Named by all that went in, written whole, never changed."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import geopandas as gpd
import numpy as np
import orjson
from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError
from rasterio.warp import transform_bounds

from app.store.files import digest
from app.store.grids import read_grid, write_grid
from app.store.ids import is_id
from app.store.tables import laid_down, read_table, write_table
from geo.crs import WGS84
from geo.errors import Fault, NotFoundError, UnreadableError
from geo.hazards import Grid

FORMAT = 1
"""Form of a run folder. Part of every run's name: another form is another run."""
RECORD = "run.json"
RECORDS = 64
"""Records that are kept in memory: one is read in milliseconds, but for every request."""
SORTED = orjson.OPT_SORT_KEYS | orjson.OPT_SERIALIZE_NUMPY
FROZEN = ConfigDict(frozen=True, extra="forbid")


class Recipe(BaseModel):
    """Everything that decides a run's result. Equal recipes are one run."""

    model_config = FROZEN

    format: int = Field(default=FORMAT, description="Form of the run folder (number).")
    program: str = Field(description="Version of Renxing.")
    standards: str = Field(description="SHA-256 over the tables of standards in force (hex).")
    study: dict[str, JsonValue] = Field(description="Id, names, CRS and boundary of the study.")
    inputs: list[dict[str, JsonValue]] = Field(description="Every layer in force, with the SHA-256 of its file.")
    scenario: dict[str, JsonValue] = Field(description="The scenario as study.toml defines it.")
    parameters: dict[str, JsonValue] = Field(description="Every parameter in force, defaults included.")

    @property
    def run_id(self) -> str:
        """First sixteen hex digits of the SHA-256 over the recipe as canonical JSON."""
        return hashlib.sha256(orjson.dumps(self.model_dump(), option=SORTED)).hexdigest()[:16]


@dataclass(frozen=True)
class Raster:
    """A hazard as a layer of a run: the grid and the unit of its values."""

    grid: Grid
    hazard: str
    unit: str


@dataclass(frozen=True)
class Outcome:
    """What a computation gives to be kept: tables in any CRS, rasters, and what was found in words and numbers."""

    tables: Mapping[str, gpd.GeoDataFrame]
    rasters: Mapping[str, Raster] = field(default_factory=dict)
    headline: Mapping[str, Any] = field(default_factory=dict)
    audit: Sequence[Mapping[str, Any]] = ()
    notes: Sequence[Mapping[str, str]] = ()


class Note(BaseModel):
    """Something to know beside the numbers, in both languages."""

    model_config = FROZEN

    code: str = Field(description="What it is about; stays the same.")
    en: str = Field(description="In English.")
    zh: str = Field(description="In Chinese.")


class LayerRecord(BaseModel):
    """One layer of a run, without its data."""

    model_config = FROZEN

    layer: str = Field(description="Name of the layer.")
    kind: Literal["table", "raster"] = Field(description="A table with geometry, or a raster.")
    file: str = Field(description="File inside the run folder.")
    sha256: str = Field(description="SHA-256 of that file (hex).")
    rows: int = Field(description="Rows of a table; cells of a raster (count).")
    columns: list[str] = Field(default=[], description="Columns of a table; a name ends in its unit.")
    geometry: list[str] = Field(default=[], description="Geometry types that occur.")
    bounds: tuple[float, float, float, float] | None = Field(
        default=None, description="West, south, east, north (degrees, WGS 84); none when the layer is empty."
    )
    hazard: str | None = Field(default=None, description="Kind of hazard of a raster.")
    unit: str | None = Field(default=None, description="Unit of a raster's values.")


class Record(BaseModel):
    """``run.json``: what was computed from what, and what was found."""

    model_config = FROZEN

    run_id: str = Field(description="Name of the run: sixteen hex digits.")
    recipe: Recipe = Field(description="Everything that decided the result.")
    headline: dict[str, JsonValue] = Field(description="The run in a few numbers; a name ends in its unit.")
    audit: list[dict[str, JsonValue]] = Field(description="Counts that must agree, each with what was found.")
    notes: list[Note] = Field(description="What a reader should know before using the numbers.")
    attribution: list[str] = Field(description="Whom to name when the results are shown.")
    layers: list[LayerRecord] = Field(description="The layers, in the order of their names.")

    @property
    def study_id(self) -> str:
        """The study this is a run of."""
        return str(self.recipe.study["study_id"])

    @property
    def scenario_id(self) -> str:
        """The scenario this is a run of."""
        return str(self.recipe.scenario["scenario_id"])


@dataclass(frozen=True)
class Run:
    """A run in the workspace."""

    folder: Path
    record: Record

    def __repr__(self) -> str:
        return f"Run({self.run_id} of {self.record.study_id}, scenario {self.record.scenario_id})"

    @property
    def run_id(self) -> str:
        """The run's name."""
        return self.record.run_id

    @cached_property
    def layers(self) -> dict[str, LayerRecord]:
        """The layers by name."""
        return {layer.layer: layer for layer in self.record.layers}

    def layer(self, name: str) -> LayerRecord:
        """One layer; NotFoundError names those there are."""
        if name not in self.layers:
            there = ", ".join(sorted(self.layers))
            raise NotFoundError(Fault(f"a layer of run {self.run_id} ({there})", repr(name[:80])))
        return self.layers[name]

    def table(self, name: str) -> gpd.GeoDataFrame:
        """A table layer in EPSG:4326."""
        return read_table(self.file(name, "table"))

    def raster(self, name: str) -> Raster:
        """A raster layer in its own CRS."""
        layer = self.layer(name)
        grid = read_grid(self.file(name, "raster"))
        return Raster(grid, hazard=layer.hazard or "", unit=layer.unit or "")

    def file(self, name: str, kind: str) -> Path:
        """The file of a layer that must be of this kind: table or raster."""
        layer = self.layer(name)
        if layer.kind != kind:
            raise NotFoundError(Fault(f"a {kind}", f"a {layer.kind}", f"layer {name} of run {self.run_id}"))
        return self.folder / layer.file


def write_run(folder: Path, recipe: Recipe, outcome: Outcome) -> Record:
    """Fill an empty ``folder`` with a run: ``run.json`` and ``layers/``."""
    (folder / "layers").mkdir()
    tables = [_write_table(folder, name, frame) for name, frame in sorted(outcome.tables.items())]
    rasters = [_write_raster(folder, name, raster) for name, raster in sorted(outcome.rasters.items())]
    record = Record(
        run_id=recipe.run_id,
        recipe=recipe,
        headline=_plain(outcome.headline),
        audit=[_plain(check) for check in outcome.audit],
        notes=[Note.model_validate(note) for note in outcome.notes],
        attribution=_attribution(recipe),
        layers=sorted([*tables, *rasters], key=lambda layer: layer.layer),
    )
    (folder / RECORD).write_bytes(written(record))
    return record


def written(record: Record) -> bytes:
    """``run.json`` of a run: the same record gives the same bytes."""
    return orjson.dumps(record.model_dump(), option=SORTED | orjson.OPT_INDENT_2 | orjson.OPT_APPEND_NEWLINE)


def read_run(folder: Path) -> Run:
    """Open a run folder; UnreadableError when somebody changed it."""
    try:
        found = (folder / RECORD).stat()
        return Run(folder, _record(folder / RECORD, found.st_ino, found.st_mtime_ns, found.st_size))
    except (OSError, ValidationError) as error:
        cure = "Delete the folder and run the study again."
        raise UnreadableError(Fault("a run as it was written", type(error).__name__, str(folder), cure)) from error


@lru_cache(maxsize=RECORDS)
def _record(path: Path, *_: int) -> Record:
    """A record as its file has it; the file's state is part of what it is known by, so another file is another one."""
    return Record.model_validate_json(path.read_bytes())


def _plain(values: Mapping[str, Any]) -> dict[str, JsonValue]:
    plain: dict[str, JsonValue] = orjson.loads(orjson.dumps(dict(values), option=SORTED | orjson.OPT_NON_STR_KEYS))
    return plain


def _attribution(recipe: Recipe) -> list[str]:
    return list(dict.fromkeys(named for layer in recipe.inputs if (named := credit(layer))))


def credit(layer: Mapping[str, JsonValue]) -> str:
    """Whom to name for an input: as it wants to be named, else its source and licence; empty where neither is known."""
    if layer.get("attribution") or not layer.get("source"):
        return str(layer.get("attribution") or "")
    return f"{layer['source']} ({layer['licence']})" if layer.get("licence") else str(layer["source"])


def _write_table(folder: Path, name: str, frame: gpd.GeoDataFrame) -> LayerRecord:
    kept = laid_down(frame)
    file = f"layers/{_layer_name(name)}.parquet"
    write_table(kept, folder / file)
    west, south, east, north = (float(edge) for edge in kept.total_bounds)
    nowhere = not np.isfinite(kept.total_bounds).all()
    return LayerRecord(
        layer=name,
        kind="table",
        file=file,
        sha256=digest(folder / file),
        rows=len(kept),
        columns=[str(c) for c in kept.columns if c != kept.geometry.name],
        geometry=sorted(set(kept.geom_type.dropna())),
        bounds=None if nowhere else (west, south, east, north),
    )


def _write_raster(folder: Path, name: str, raster: Raster) -> LayerRecord:
    file = f"layers/{_layer_name(name)}.tif"
    write_grid(raster.grid, folder / file)
    return LayerRecord(
        layer=name,
        kind="raster",
        file=file,
        sha256=digest(folder / file),
        rows=raster.grid.values.size,
        bounds=_grid_bounds(raster.grid),
        hazard=raster.hazard,
        unit=raster.unit,
    )


def _layer_name(name: str) -> str:
    if not is_id(name):
        raise ValueError(f"not a layer name: {name!r}")
    return name


def _grid_bounds(grid: Grid) -> tuple[float, float, float, float]:
    """The box of a grid in degrees, its edges followed point by point since they bend."""
    west, south, east, north = transform_bounds(grid.crs, WGS84, *grid.bounds)
    return round(west, 7), round(south, 7), round(east, 7), round(north, 7)
