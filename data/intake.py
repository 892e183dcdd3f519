"""Files of others looked at before anything is kept of them: by the readers a run uses, in a process of their own.

What comes back is small and plain: where a layer lies, what is to be said of it, what was done to its content. A file
that is refused, breaks its reader or wants more than is allowed raises here as any other fault.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import shapely

from data import compressed, osm, streetlines, vectors
from data.extents import Bounds, in_degrees
from data.guarded import Allowance, guarded
from data.study import layers
from data.study.definition import STREETS, Layer
from data.study.outline import Ground
from geo import population
from geo.crs import WGS84
from geo.errors import Fault, UnreadableError
from geo.reasons import SEVERITIES, Finding, Sentence, Severity

USUAL = Allowance()
NOTES_MAX, TEXT_MAX = 500, 4000
"""So many findings of a file are kept, and so much of each of their texts."""
TEXTS = ("code", "en", "zh", "column", "value", "do_en", "do_zh")
AREAL = frozenset({"Polygon", "MultiPolygon"})
Told = dict[str, Any]


@dataclass(frozen=True)
class Looked:
    """Where a layer lies (west, south, east, north, degrees), what to say of it, what was done to its content."""

    bounds: Bounds
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()


@dataclass(frozen=True)
class MapLooked:
    """What a map is: its metric CRS, its bounds in degrees, its date (None: not said), the counts of its content."""

    crs: str
    bounds: Bounds
    date: str | None
    counts: Mapping[str, int]


def look(layer: Layer, path: Path, *, ground: Ground, allowed: Allowance = USUAL) -> Looked:
    """Read a layer's file as a run will (``data.study.layers``; a map as ``data.osm``), in a child.

    Raises what its reader raises, LimitError when it needs more than is allowed, and UnreadableError when it breaks
    its reader.
    """
    said = guarded(layer_told, layer.model_dump(mode="json"), str(path), ground.crs, ground.bounds,
                   where=str(path), allowed=allowed)  # fmt: skip
    return Looked(_bounds(said), _notes(said), tuple(str(text)[:TEXT_MAX] for text in said["conversions"]))


def look_at_map(path: Path, *, crs: str | None = None, allowed: Allowance = USUAL) -> MapLooked:
    """Read an OpenStreetMap extract in a child; raises as ``look``."""
    said = guarded(map_told, str(path), crs, where=str(path), allowed=allowed)
    counts = {str(name): int(number) for name, number in said["counts"].items()}
    return MapLooked(str(said["crs"]), _bounds(said), said["date"] and str(said["date"]), counts)


def look_at_outline(path: Path, *, crs: str | None = None, allowed: Allowance = USUAL) -> Looked:
    """Read a study's outline in a child: where it lies; UnreadableError when it has no polygon, else as ``look``."""
    said = guarded(outline_told, str(path), crs, where=str(path), allowed=allowed)
    return Looked(_bounds(said), _notes(said), tuple(str(text)[:TEXT_MAX] for text in said["conversions"]))


# -- in the child --------------------------------------------------------------------------------------------------


def layer_told(layer: Mapping[str, Any], path: str, crs: str, bounds: Iterable[float] | None) -> Told:
    """What a layer's file holds, as JSON has it."""
    box = None if bounds is None else _box(bounds)
    described = Layer.model_validate(layer)
    if described.kind == "osm":
        found = map_told(path, crs)
        return {"bounds": found["bounds"], "notes": [], "conversions": []}
    read = layers.read(described, Path(path), ground=Ground(crs, box))
    _require_place(read, path)
    return {"bounds": read.bounds, "notes": _plain((*read.notes, *_counted(read))), "conversions": read.conversions}


def map_told(path: str, crs: str | None = None) -> Told:
    """What a map holds, as JSON has it."""
    compressed.require_modest(Path(path))
    found = osm.read(path, crs=crs)
    return {"crs": found.crs, "bounds": found.bounds, "date": found.date, "counts": found.counts}


def outline_told(path: str, crs: str | None = None) -> Told:
    """What a study's outline holds, as JSON has it."""
    content = vectors.read(path, crs=crs, into=WGS84)
    areas = content.table[content.table.geom_type.isin(AREAL)]
    if not len(areas) or areas.geometry.is_empty.all():
        raise UnreadableError(Fault("an outline (polygons)", "none", path, "Give the place's area."))
    edges = shapely.total_bounds(areas.geometry.to_numpy()).tolist()
    bounds = in_degrees((edges[0], edges[1], edges[2], edges[3]), crs=WGS84, where=path)
    return {"bounds": bounds, "notes": _plain(content.notes), "conversions": content.conversions}


def _box(bounds: Iterable[float]) -> Bounds:
    west, south, east, north = bounds
    return west, south, east, north


def _require_place(read: layers.Read, path: str) -> None:
    """UnreadableError when no row of a table lies anywhere."""
    shapes = getattr(read.content, "geometry", None)
    if shapes is not None and (shapes.isna() | shapes.is_empty).all():
        raise UnreadableError(Fault("rows with a place", "none", path, "Give points or outlines."))


def _counted(read: layers.Read) -> tuple[Sentence, ...]:
    """What only shows when people are counted, or streets are joined."""
    if read.layer.kind == "population":
        return tuple(population.given(read.content).notes)
    if read.layer.kind == STREETS:
        return tuple(streetlines.ways([read.content])[1])
    return ()


def _plain(notes: Iterable[Sentence]) -> list[Told]:
    return [dataclasses.asdict(note) for note in notes][:NOTES_MAX]


# -- in the parent: what a child says is not believed, only read ---------------------------------------------------


def _bounds(said: Told) -> Bounds:
    west, south, east, north = (float(edge) for edge in said["bounds"])
    if not np.isfinite([west, south, east, north]).all():
        raise UnreadableError(Fault("bounds in degrees", "none", "", "Export it again."))
    return west, south, east, north


def _notes(said: Told) -> tuple[Finding, ...]:
    return tuple(_finding(note) for note in said["notes"][:NOTES_MAX])


def _finding(said: Mapping[str, Any]) -> Finding:
    code, en, zh, column, value, do_en, do_zh = (str(said.get(name, ""))[:TEXT_MAX] for name in TEXTS)
    severity: Severity = next((known for known in SEVERITIES if known == said.get("severity")), "info")
    rows = tuple(int(row) for row in said.get("rows", ()))
    return Finding(code, en, zh, severity, int(said.get("count", 0)), rows, column, value, do_en, do_zh)
