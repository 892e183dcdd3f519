"""Layers made ready for tiles, kept in the workspace's cache, where the next process opens them at once.

A large layer takes seconds and hundreds of megabytes to be made ready, and a few milliseconds to be mapped into memory.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Callable, Sequence
from pathlib import Path

from app.settings import Settings
from app.showing import Shown
from app.store import Run, files
from app.tiling import named
from geo.errors import ConflictError
from tiles import laid
from tiles.source import Source

PLACE = Path("cache", "layers")
"""Where they are in the workspace; may be deleted at any time."""


def warm(run: Run, settings: Settings) -> int:
    """Make the layers of a run ready that maps show as tiles, before anybody asks; how many there are."""
    shown, ready = Shown(run), Ready(settings.workspace / PLACE, settings.layer_disk)
    tables = sorted({layer.table for layer in shown.layers if layer.delivery == "mvt"})
    for table in tables if settings.layer_disk else ():
        ready.get(named(run.run_id, table), lambda table=table: [shown.source(table)])  # type: ignore[misc]
    return len(tables)


class Ready:
    """Sets of layers by name, in at most ``most_bytes`` of files; with 0 none is kept."""

    def __init__(self, folder: Path, most_bytes: int) -> None:
        self.folder = folder
        self._most = most_bytes

    def __repr__(self) -> str:
        return f"Ready({self.folder}, at most {self._most} bytes)"

    def get(self, name: str, make: Callable[[], Sequence[Source]]) -> tuple[Source, ...]:
        """The layers of this name as they were laid down, else as ``make`` gives them; the name tells all of them."""
        if not self._most:
            return tuple(make())
        if (found := self._found(name)) is not None:
            return found
        made = tuple(make())
        with contextlib.suppress(OSError, ConflictError):
            self._lay_down(name, made)
            self._sweep(besides=name)
            return self._found(name) or made
        return made

    def _found(self, name: str) -> tuple[Source, ...] | None:
        folder = self.folder / name
        try:
            parts = sorted((part for part in folder.iterdir() if part.is_dir()), key=lambda part: int(part.name))
            os.utime(folder)
        except (OSError, ValueError):
            return None
        found = [laid.pick_up(part) for part in parts]
        whole = [source for source in found if source is not None]
        return tuple(whole) if len(whole) == len(found) > 0 else None

    def _lay_down(self, name: str, sources: Sequence[Source]) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(self.folder / name, ignore_errors=True)
        with files.building(self.folder / name) as fresh:
            for i, source in enumerate(sources):
                (fresh / f"{i}").mkdir()
                laid.lay_down(source, fresh / f"{i}")

    def _sweep(self, *, besides: str) -> None:
        """Let go of those opened longest ago until no more is held than may be."""
        files.sweep(self.folder)
        found = sorted((path.stat().st_mtime, path) for path in self.folder.iterdir() if path.is_dir())
        sizes = {path: sum(file.stat().st_size for file in path.rglob("*.npy")) for _, path in found}
        held = sum(sizes.values())
        for _, path in found:
            if held > self._most and path.name not in (besides,) and not path.name.startswith(files.PREFIX):
                shutil.rmtree(path, ignore_errors=True)
                held -= sizes[path]
