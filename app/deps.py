"""What routes are given: the workspace, the study or run that a path names, and what is kept open between requests."""

from __future__ import annotations

import math
import os
import time
from functools import cached_property
from threading import Event
from typing import Annotated

from fastapi import Depends, Path, Request
from starlette.concurrency import run_in_threadpool

from app import metrics
from app.held import Cities
from app.jobs import JobParams, Jobs
from app.maps.guard import MapPage
from app.metrics import Counts
from app.ogc.shelf import Shelf
from app.opened import Opened
from app.pages import MapAsked, map_view
from app.ready import PLACE, Ready
from app.settings import Settings
from app.showing import Shown, base_map
from app.store import Run, Study, Workspace, opened
from app.store.opening import register_of
from app.store.register import Register
from app.store.shared_spool import spool_of
from app.store.spool import Spool
from app.store.workspace import DEFINITION
from app.streams import Streams
from app.tiling import Tiles, named
from tiles.basemap import BaseMap
from tiles.cache import TileMemory
from tiles.mvt import TileParams
from tiles.source import Source

LAYERS = 1000
"""Layers that are kept ready for tiles; their memory is the limit that counts."""
PAGES = 32
"""Map pages that are kept drawn; each is a few hundred kilobytes."""
LOOKED_UP_S = 5.0
"""A run that was there is taken to be there for this long, seconds; so is a study that is not a folder here."""


class Service:
    """What one server process holds: its settings, its workspace, and what it keeps open."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = opened(settings)
        self._shown: Opened[str, Shown] = Opened(self._show, most=settings.open_runs)
        self._bases: Opened[tuple[str, ...], BaseMap] = Opened(
            self._base, most=settings.open_runs, weigh=lambda base: base.nbytes, memory=settings.layer_memory
        )
        self._sources: Opened[tuple[str, str], Source] = Opened(
            self._source, most=LAYERS, weigh=lambda source: source.nbytes, memory=settings.layer_memory
        )
        self.tiles = Tiles(settings)
        self._ready = Ready(settings.workspace / PLACE, settings.layer_disk)
        self._seen: dict[str, float] = {}
        self._base_keys: dict[str, tuple[object, tuple[str, ...]]] = {}
        self.cities = Cities(cities=settings.held_cities, situations=settings.held_situations)
        self.shelf = Shelf(self.workspace, layers=settings.ogc_open_layers, memory=settings.ogc_memory)

        self.answers = TileMemory(settings.answer_memory)
        self._pages: Opened[MapAsked, MapPage] = Opened(self._page, most=PAGES)
        self.leaving = Event()
        """Set when the service was told to end: streams end then, and /readyz says no."""
        self.streams = Streams(
            lambda: self.jobs, self.leaving,
            most=settings.event_streams, most_per_caller=settings.event_streams_caller,
        )  # fmt: skip

    def __repr__(self) -> str:
        return f"Service({self.workspace!r})"

    @cached_property
    def counts(self) -> Counts:
        """What Prometheus reads."""
        return Counts(self.register)

    def count_open(self) -> None:
        """Bring the counts of what is kept open up to date."""
        metrics.OPEN_RUNS.set(len(self._shown))

    @cached_property
    def register(self) -> Register:
        """The register: jobs, keys, who changed what. Opened when it is first needed."""
        return register_of(self.workspace, self.settings)

    @cached_property
    def jobs(self) -> Jobs:
        """The jobs of this workspace."""
        return Jobs(self.register, params=JobParams.of(self.settings))

    @cached_property
    def spool(self) -> Spool:
        """The files that jobs take and give."""
        return spool_of(self.settings.workspace, self.register)

    @cached_property
    def tile_params(self) -> TileParams:
        """How much a vector tile may hold."""
        return TileParams(max_features=self.settings.tile_features, max_bytes=self.settings.tile_bytes)

    def shown(self, run_id: str) -> Shown:
        """A run to be drawn."""
        return self._shown.get(run_id)

    async def require_run(self, run_id: str) -> None:
        """NotFoundError when there is no such run; looked up once in a while."""
        if time.monotonic() - self._seen.get(run_id, -math.inf) > LOOKED_UP_S:
            await run_in_threadpool(self.workspace.run, run_id)
            self._seen[run_id] = time.monotonic()

    def page(self, asked: MapAsked) -> MapPage:
        """A map page, drawn once for the same study, runs, language and reader's address."""
        return self._page(asked) if asked.tickets else self._pages.get(asked)

    def source(self, run_id: str, layer: str) -> Source:
        """A table of a run ready to be cut into tiles."""
        return self._sources.get((run_id, layer))

    def base(self, key: tuple[str, ...]) -> BaseMap:
        """The base map of a study, by what decides it."""
        return self._bases.get(key)

    async def base_of(self, study_id: str) -> tuple[str, ...]:
        """What decides a study's base map; its definition is read again when it changed."""
        state = self._state_of(study_id)
        known = self._base_keys.get(study_id)
        if known is None or known[0] != state:
            study = await run_in_threadpool(self.workspace.study, study_id)
            known = self._base_keys[study_id] = (state, self.base_key(study))
        return known[1]

    def _state_of(self, study_id: str) -> object:
        """What changes with a study's definition: its file, else time."""
        if type(self.workspace) is Workspace:
            try:
                found = os.stat(self.workspace.root / study_id / DEFINITION)
            except (OSError, ValueError):
                return time.monotonic()
            return found.st_mtime_ns, found.st_size, found.st_ino
        return time.monotonic() // LOOKED_UP_S

    def base_key(self, study: Study) -> tuple[str, ...]:
        """What decides a study's base map: its maps and street lines, and its CRS."""
        drawn = (*study.file.of_kind("osm"), *study.file.of_kind("streets"))
        return (study.study_id, study.file.crs, *(layer.sha256 for layer in drawn))

    def _source(self, key: tuple[str, str]) -> Source:
        run_id, layer = key
        (found,) = self._ready.get(named(*key), lambda: [self.shown(run_id).source(layer)])
        return found

    def _page(self, asked: MapAsked) -> MapPage:
        from app.maps.page import render  # Folium takes its time: only when a page is asked for

        return render(map_view(self.shown(asked.run_id), asked.study, asked.latest, asked.lang))

    def _show(self, run_id: str) -> Shown:
        return Shown(self.workspace.run(run_id))

    def _base(self, key: tuple[str, ...]) -> BaseMap:
        return BaseMap(self._ready.get(named(*key), lambda: base_map(self.workspace.study(key[0])).sources))


async def service(request: Request) -> Service:
    """The service this request came to; asked on the spot, so that nobody waits for a thread to hear it."""
    held = request.app.state.service
    assert isinstance(held, Service)
    return held


Held = Annotated[Service, Depends(service)]
StudyId = Annotated[str, Path(alias="study", description="Id of the study.")]
RunId = Annotated[str, Path(alias="run", description="Id of the run: sixteen hex digits.")]


def study(held: Held, study_id: StudyId) -> Study:
    """The study the path names."""
    return held.workspace.study(study_id)


def run(held: Held, run_id: RunId) -> Run:
    """The run the path names."""
    return held.workspace.run(run_id)


NamedStudy = Annotated[Study, Depends(study)]
NamedRun = Annotated[Run, Depends(run)]
