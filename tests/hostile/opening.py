"""A file opened as the program opens it, in the process that is confined: what comes of it."""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import Any

from data import intake
from data.study import Layer, StudyFile
from tests.hostile.seeds import INTO, NEAR


def opened(given: str, path: str) -> dict[str, Any]:
    """What the program takes from a file given as a layer of a kind, a study's definition or an archive."""
    if given == "study":
        return {"study": StudyFile.load(Path(path)).name}
    if given == "archive":
        return _replayed(path)
    if given == "osm":
        return intake.map_told(path)
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
