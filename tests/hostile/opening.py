"""A file opened as the program opens it, in the process that is confined: what comes of it.

Imported by every child, so it imports nothing that a child has not got already.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from data import intake, osm
from data.study import Layer, StudyFile
from data.study.opening import place_told

NEAR = (118.78, 32.03, 118.84, 32.09)
"""Where the study lies, degrees."""
INTO = "EPSG:32650"


def opened(given: str, path: str, scratch: str | None = None) -> dict[str, Any]:
    """What the program takes from a file given as a layer of a kind, a study's definition or an archive.

    Temporary files go to the folder ``scratch``, if one is named.
    """
    tempfile.tempdir = scratch or tempfile.tempdir
    if given == "study":
        return {"study": StudyFile.load(Path(path)).name}
    if given == "archive":
        return _replayed(path)
    if given == "osm":
        return place_told(path, None, None) | {"counts": osm.read(path).counts}
    return intake.layer_told(described(given), path, INTO, NEAR)


def described(given: str) -> dict[str, Any]:
    """A layer of a kind (``shelters``, ``shelters EPSG:4326``) as ``study.toml`` has it."""
    kind, _, crs = given.partition(" ")
    more = {"hazard": {"hazard": "flood", "unit": "m"}, "population": {"unit": "people"}}.get(kind, {})
    said = {"layer_id": "x", "kind": kind, "file": "inputs/x", "crs": crs or None, **more}
    return Layer.model_validate(said).model_dump(mode="json")


def _replayed(path: str) -> dict[str, Any]:
    from app.replay import replay
    from app.store import Workspace

    with tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        return {"runs": len(replay(Workspace(Path(folder) / "workspace"), Path(path)))}
