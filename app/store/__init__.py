"""Studies and runs, on disk or in a database."""

from __future__ import annotations

from app.store.opening import opened
from app.store.runs import Outcome, Raster, Recipe, Record, Run
from app.store.workspace import Study, Workspace

__all__ = ["Outcome", "Raster", "Recipe", "Record", "Run", "Study", "Workspace", "opened"]
