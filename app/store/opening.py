"""Where studies are kept, as the settings say: in folders, or in a database with a folder as its cache."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from app.settings import Settings
from app.store.workspace import Workspace

if TYPE_CHECKING:
    from app.store.register import Register


def opened(where: Settings | Path) -> Workspace:
    """The workspace of these settings, or of the environment's with this folder.

    Raises ParameterError for settings that are wrong, StorageError when the workspace cannot be had.
    """
    settings = where if isinstance(where, Settings) else Settings.read(workspace=where)
    if not settings.database:
        return Workspace.open(settings.workspace)
    from app.store.shared import SharedWorkspace  # loads the database's driver

    return SharedWorkspace.join(settings.workspace, settings.database, readers=settings.database_readers)


def register_of(workspace: Workspace, settings: Settings) -> Register:
    """The register that goes with an open workspace; a database's is the one that the workspace has open."""
    from app.store.register import Register
    from app.store.shared import SharedWorkspace

    return workspace.register if isinstance(workspace, SharedWorkspace) else Register.open(settings.workspace)


def opened_whole(settings: Settings, *, readonly: bool = False) -> tuple[Workspace, Register]:
    """The workspace with its register; with ``readonly`` neither is made, claimed or brought up to date."""
    from app.store.register import Register
    from app.store.shared import SharedWorkspace

    if readonly:
        register = Register.open(settings.workspace, settings.database, readonly=True)
        shared = SharedWorkspace(settings.workspace, register) if settings.database else None
        return shared or Workspace.open(settings.workspace), register
    workspace = opened(settings)
    return workspace, register_of(workspace, settings)
