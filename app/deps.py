"""What routes are given: the workspace, the study or run that a path names, and what is kept open between requests."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from functools import cached_property
from typing import Annotated

from fastapi import Depends, Path, Request

from app.held import Cities
from app.opened import Opened
from app.settings import Settings
from app.showing import Shown, base_map
from app.store import Run, Study, Workspace
from tiles import mvt
from tiles.basemap import BaseMap, TileCache
from tiles.grid import Tile
from tiles.mvt import Source, TileParams


class Service:
    """What one server process holds: its settings, its workspace, and what it keeps open."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.workspace = Workspace.open(settings.workspace)
        self._shown: Opened[str, Shown] = Opened(self._show, most=settings.open_runs)
        self._bases: Opened[tuple[str, ...], BaseMap] = Opened(self._base, most=settings.open_runs)
        self._tiles = TileCache(settings.tile_memory)
        self.cities = Cities(cities=settings.held_cities, situations=settings.held_situations)

    def __repr__(self) -> str:
        return f"Service({self.workspace!r})"

    @cached_property
    def tile_params(self) -> TileParams:
        """How much a vector tile may hold."""
        return TileParams(max_features=self.settings.tile_features, max_bytes=self.settings.tile_bytes)

    def shown(self, run_id: str) -> Shown:
        """A run to be drawn."""
        return self._shown.get(run_id)

    def base(self, study: Study) -> BaseMap:
        """The base map of a study."""
        return self._bases.get(self.base_key(study))

    def base_key(self, study: Study) -> tuple[str, ...]:
        """What decides a study's base map: its maps and street lines, and its CRS."""
        drawn = (*study.file.of_kind("osm"), *study.file.of_kind("streets"))
        return (study.study_id, study.file.crs, *(layer.sha256 for layer in drawn))

    def draw(self, tile: Tile, source: Source) -> bytes:
        """One layer's vector tile."""
        return mvt.encode(tile, [source], params=self.tile_params).body

    def tile(self, key: Hashable, make: Callable[[], bytes]) -> bytes:
        """A vector tile, kept under what names its content."""
        return self._tiles.get(key, make)

    def _show(self, run_id: str) -> Shown:
        return Shown(self.workspace.run(run_id))

    def _base(self, key: tuple[str, ...]) -> BaseMap:
        return base_map(self.workspace.study(key[0]))


def service(request: Request) -> Service:
    """The service this request came to."""
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
