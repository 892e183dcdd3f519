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

from data import rasters, streetlines
from data.extents import Bounds
from data.guarded import AGAIN, Allowance, guarded
from data.study import layers, units
from data.study.definition import STREETS, Layer, StudyFile
from data.study.outline import Ground
from geo import population
from geo.errors import Fault, UnreadableError
from geo.reasons import SEVERITIES, Finding, Sentence, Severity

USUAL = Allowance()
NOTES_MAX, TEXT_MAX = 500, 4000
"""So many findings of a file are kept, and so much of each of their texts."""
TEXTS = ("code", "en", "zh", "column", "value", "do_en", "do_zh")
Told = dict[str, Any]


@dataclass(frozen=True)
class Looked:
    """Where a layer lies (west, south, east, north, degrees), what to say of it, what was done to its content."""

    bounds: Bounds
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()


def look(
    layer: Layer, path: Path, *, ground: Ground, of: tuple[StudyFile, Path] | None = None, allowed: Allowance = USUAL
) -> Looked:
    """Read a layer's file as a run will (``data.study.layers``), in a child.

    ``of`` is the study and its folder, to whose communities people without places are joined.

    Raises what its reader raises, LimitError when it needs more than is allowed, and UnreadableError when it breaks
    its reader.
    """
    study = None if of is None else (of[0].model_dump(mode="json"), str(of[1]))
    said = guarded(layer_told, layer.model_dump(mode="json"), str(path), ground.crs, ground.bounds, study,
                   where=str(path), allowed=allowed)  # fmt: skip
    try:
        return Looked(_bounds(said), _notes(said), tuple(str(text)[:TEXT_MAX] for text in said["conversions"]))
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        fault = Fault("a file that its reader understands", "one that makes it say nonsense", str(path), AGAIN)
        raise UnreadableError(fault) from error


# -- in the child --------------------------------------------------------------------------------------------------


def layer_told(
    layer: Mapping[str, Any], path: str, crs: str, bounds: Iterable[float] | None,
    study: tuple[Mapping[str, Any], str] | None = None,
) -> Told:  # fmt: skip
    """What a layer's file holds, as JSON has it."""
    box = None if bounds is None else _box(bounds)
    described = Layer.model_validate(layer)
    ground = Ground(crs, box)
    if described.kind == "population" and study is not None and not rasters.is_raster(Path(path)):
        ground = units.with_units(ground, StudyFile.model_validate(study[0]), Path(study[1]))
    read = layers.read(described, Path(path), ground=ground)
    _require_place(read, path)
    return {"bounds": read.bounds, "notes": _plain((*read.notes, *_counted(read))), "conversions": read.conversions}


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
        raise ValueError("bounds are numbers")
    return west, south, east, north


def _notes(said: Told) -> tuple[Finding, ...]:
    return tuple(_finding(note) for note in said["notes"][:NOTES_MAX])


def _finding(said: Mapping[str, Any]) -> Finding:
    code, en, zh, column, value, do_en, do_zh = (str(said.get(name, ""))[:TEXT_MAX] for name in TEXTS)
    severity: Severity = next((known for known in SEVERITIES if known == said.get("severity")), "info")
    rows = tuple(int(row) for row in said.get("rows", ()))
    return Finding(code, en, zh, severity, int(said.get("count", 0)), rows, column, value, do_en, do_zh)
