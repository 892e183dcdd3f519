"""What is kept open between requests: catalogues, layers up to a number and a weight, and rows that were found."""

from __future__ import annotations

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from app.ogc.catalogue import Catalogue, Collection, of_run, of_study
from app.ogc.matching import matching
from app.ogc.table import Rows, Table, opened
from app.ogc.tree import Node, written
from app.opened import Opened
from app.store import Workspace
from app.store.ids import known_id
from geo.errors import Fault, NotFoundError

CATALOGUES = 64
FOUND_MEMORY = 16 * 2**20
"""Memory of the rows that conditions were true of (bytes): whoever turns pages need not search again."""
FOUND = 256
TRUSTED_S = 2.0
"""A catalogue is made anew after this, where a workspace changes without its files showing it (seconds)."""


@dataclass(frozen=True)
class _Place:
    """A study, or one run of it, as its files are now."""

    study_id: str
    run_id: str
    state: tuple[float, ...]


@dataclass(frozen=True)
class _Layer:
    """A layer of a run."""

    run_id: str
    layer: str
    path: Path = field(compare=False)


@dataclass(frozen=True)
class _Search:
    """A condition put to a layer; conditions are the same when they are written the same."""

    layer: _Layer
    said: str
    condition: Node = field(compare=False)


class Shelf:
    """At most ``layers`` open layers of together at most ``memory`` bytes; safe to use from many threads."""

    def __init__(self, workspace: Workspace, *, layers: int, memory: int) -> None:
        self._workspace = workspace
        self._catalogues: Opened[_Place, Catalogue] = Opened(self._catalogue, most=CATALOGUES)
        self._tables: Opened[_Layer, Table] = Opened(_open, most=layers, weigh=_weight, memory=memory)
        self._found: Opened[_Search, NDArray[np.uint32]] = Opened(
            self._search, most=FOUND, weigh=lambda rows: int(rows.nbytes), memory=FOUND_MEMORY
        )

    def __repr__(self) -> str:
        return f"Shelf({len(self._tables)} layers open)"

    def catalogue(self, study_id: str, run_id: str = "") -> Catalogue:
        """The collections of a study, or of one run of it; NotFoundError where there is none."""
        folder = self._workspace.root / known_id(study_id, what="study")
        said = folder / "runs" / known_id(run_id, what="run") / "run.json" if run_id else folder / "latest.json"
        state = (_changed(folder / "study.toml"), _changed(said), time.monotonic() // TRUSTED_S)
        return self._catalogues.get(_Place(study_id, run_id, state))

    def table(self, collection: Collection) -> Table:
        """The layer of a collection, open."""
        return self._tables.get(_layer(collection))

    def rows(self, collection: Collection, condition: Node | None) -> Rows:
        """The rows of which a condition is true."""
        if condition is None:
            return np.arange(len(self.table(collection)))
        found = self._found.get(_Search(_layer(collection), written(condition), condition))
        return found.astype(np.int64)

    def _catalogue(self, place: _Place) -> Catalogue:
        study = self._workspace.study(place.study_id)
        if not place.run_id:
            return of_study(study, self._workspace.latest(place.study_id))
        run = self._workspace.run(place.run_id)
        if run.record.study_id != place.study_id:
            raise NotFoundError(Fault(f"a run of {place.study_id}", repr(place.run_id)))
        return of_run(study, run)

    def _search(self, search: _Search) -> NDArray[np.uint32]:
        return matching(search.condition, self._tables.get(search.layer)).astype(np.uint32)


def _layer(collection: Collection) -> _Layer:
    name = collection.layer.layer
    return _Layer(collection.run.run_id, name, collection.run.file(name, "table"))


def _open(layer: _Layer) -> Table:
    found = opened(layer.path)
    # Reading takes twice the memory of what is kept; what Arrow holds on to would count for the service.
    pa.default_memory_pool().release_unused()
    return found


def _weight(table: Table) -> int:
    return table.nbytes


def _changed(path: Path) -> float:
    try:
        return os.stat(path).st_mtime_ns
    except OSError:
        return 0.0
