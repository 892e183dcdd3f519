"""Tiles as they go out: found in memory or on disk, else made, once however many ask, and a few at a time.

What decides a tile's bytes names it: its run or base map, its layer, place and limits, and the program that draws it.
"""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from functools import cache
from pathlib import Path
from threading import Lock
from typing import Any, BinaryIO, TypeVar

from starlette.exceptions import HTTPException

import tiles
from app import metrics
from app.answers import tag
from app.settings import Settings
from tiles.cache import Packed, TileFolder, TileMemory

Make = Callable[[], bytes]
T = TypeVar("T")
PLACE = Path("cache", "tiles")
"""Where tiles are kept in the workspace; may be deleted at any time."""


@cache
def program() -> str:
    """The program that draws, by its source: what another one drew is not shown as its own."""
    found = hashlib.sha256()
    root = Path(tiles.__file__).parent.parent
    for part in ("app", "data", "geo", "tiles"):
        for path in sorted((root / part).rglob("*.py")):
            found.update(path.read_bytes())
    return found.hexdigest()


def named(*parts: object) -> str:
    """The name of a tile by all that decides its bytes."""
    return tag(program(), *parts)


class Tiles:
    """The tiles of one server process."""

    def __init__(self, settings: Settings) -> None:
        self._wait_s = settings.tile_wait_s
        self._memory = TileMemory(settings.tile_memory)
        self._folder = TileFolder(settings.workspace / PLACE, settings.tile_disk)
        self._making: dict[str, Future[Any]] = {}
        self._lock = Lock()
        # What is on disk does not wait for what is being drawn.
        self._finders = ThreadPoolExecutor(2, "tiles-found")
        self._makers = ThreadPoolExecutor(settings.tile_makers, "tiles-made")
        self._on_disk = settings.tile_disk > 0

    def __repr__(self) -> str:
        return f"Tiles({self._memory!r}, {self._folder!r})"

    async def of(self, name: str, make: Make) -> Packed:
        """The tile of this name, which ``make`` draws; 503 when that takes too long, while it is drawn on."""
        if (tile := self._memory.get(name)) is not None:
            metrics.HIT.inc()
            return tile
        return await self._waited(self._once(name, self._finders, lambda: self._found(name, make)))

    async def archive(self, name: str, write: Callable[[BinaryIO], object]) -> Path:
        """The file of the archive of this name, which ``write`` writes; 503 when that takes too long, as above."""
        if not self._on_disk:
            raise HTTPException(404, "Archives are not kept here (RENXING_TILE_DISK is 0).")
        key = f"{name}.pmtiles"
        if (path := self._folder.archive(key)) is not None:
            return path
        return await self._waited(self._once(key, self._makers, lambda: self._folder.add_archive(key, write)))

    async def _waited(self, asked: Future[T]) -> T:
        waiting = asyncio.wrap_future(asked)
        waiting.add_done_callback(lambda future: future.cancelled() or future.exception())
        await asyncio.wait([waiting], timeout=self._wait_s)
        if not waiting.done():
            raise HTTPException(503, f"This takes longer than {self._wait_s:g} s to draw. Ask again in a moment.")
        return waiting.result()

    def _once(self, name: str, where: ThreadPoolExecutor, work: Callable[[], T | Future[T]]) -> Future[T]:
        """What ``work`` gives, or what it leads to; whoever asks while it is under way gets the same."""
        with self._lock:
            if (asked := self._making.get(name)) is not None:
                return asked
            asked = self._making[name] = Future()
            asked.set_running_or_notify_cancel()
        asked.add_done_callback(lambda _: self._making.pop(name))
        _settle(asked, where.submit(work))
        return asked

    def _found(self, name: str, make: Make) -> Packed | Future[Packed]:
        """The tile on disk, else the promise of one that is drawn."""
        found = self._folder.get(name) if self._on_disk else None
        if found is None:
            metrics.MISS.inc()
            return self._makers.submit(self._made, name, make)
        metrics.HIT.inc()
        self._memory.put(name, found)
        return found

    def _made(self, name: str, make: Make) -> Packed:
        tile = Packed.of(make())
        self._memory.put(name, tile)
        # An empty tile is soon made again, and there are more of them than of others.
        if self._on_disk and tile.body:
            self._finders.submit(self._folder.put, name, tile)
        return tile


def _settle(asked: Future[Any], work: Future[Any]) -> None:
    """Give to ``asked`` what ``work`` comes to, however often it passes on to another."""

    def done(ended: Future[Any]) -> None:
        if (error := ended.exception()) is not None:
            asked.set_exception(error)
        elif isinstance(result := ended.result(), Future):
            _settle(asked, result)
        else:
            asked.set_result(result)

    work.add_done_callback(done)
