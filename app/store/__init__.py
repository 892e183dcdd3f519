"""Studies and runs on disk."""

from __future__ import annotations

from app.store.runs import Outcome, Raster, Recipe, Record, Run
from app.store.workspace import Study, Workspace

__all__ = ["Outcome", "Raster", "Recipe", "Record", "Run", "Study", "Workspace"]
