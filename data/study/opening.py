"""A new study's files looked at in a process of their own, before anything is kept."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from data import osm, vectors
from data.compressed import require_modest
from data.guarded import guarded
from data.osm.files import header
from data.study.city import load
from data.study.definition import StudyFile
from data.study.outline import read_outline
from geo.crs import WGS84, metric_crs
from geo.errors import Fault, UnreadableError


@dataclass(frozen=True)
class Place:
    """Where a study will lie: the metric CRS for its middle, and the date of its map where it has one."""

    crs: str
    date: str | None


def place_of(extract: Path | None, boundary: Path | None, boundary_crs: str | None) -> Place:
    """Where the files put a study: in the middle of its boundary, else of its map; at least one of them is given.

    Raises what the readers raise, LimitError and UnreadableError (``data.guarded``).
    """
    where = str(extract or boundary)
    said = guarded(place_told, *(None if p is None else str(p) for p in (extract, boundary)), boundary_crs, where=where)
    return Place(str(said["crs"]), None if said["date"] is None else str(said["date"]))


def require_city(study: StudyFile, folder: Path) -> None:
    """Read a study as its first run will, and keep its map in its cache; raises what ``load`` raises."""
    guarded(city_told, study.model_dump(mode="json"), str(folder), where=str(folder))


def require_outline(study: StudyFile, folder: Path) -> None:
    """Read a study's outline; raises what ``read_outline`` raises."""
    guarded(outline_told, study.model_dump(mode="json"), str(folder), where=str(study.boundary))


# -- in the child --------------------------------------------------------------------------------------------------


def place_told(extract: str | None, boundary: str | None, boundary_crs: str | None) -> dict[str, Any]:
    """The CRS and the map's date, as JSON has them."""
    date = None
    if extract is not None:
        require_modest(Path(extract))
        date = header(Path(extract)).date
    return {"crs": _crs(extract, boundary, boundary_crs), "date": date}


def city_told(study: Mapping[str, Any], folder: str) -> bool:
    """Whether the city can be read: what cannot is raised."""
    load(StudyFile.model_validate(study), Path(folder))
    return True


def outline_told(study: Mapping[str, Any], folder: str) -> bool:
    """Whether the outline can be read: what cannot is raised."""
    return read_outline(StudyFile.model_validate(study), Path(folder)) is not None


def _crs(extract: str | None, boundary: str | None, boundary_crs: str | None) -> str:
    if boundary is not None:
        west, south, east, north = vectors.read(boundary, crs=boundary_crs, into=WGS84).table.total_bounds
        if not np.isfinite([west, south, east, north]).all():
            raise UnreadableError(Fault("an outline (polygons)", "none", boundary, "Give the place's area."))
        return metric_crs((west + east) / 2, (south + north) / 2)
    assert extract is not None
    box = header(Path(extract)).bounds
    return metric_crs((box[0] + box[2]) / 2, (box[1] + box[3]) / 2) if box else osm.read(extract).crs
