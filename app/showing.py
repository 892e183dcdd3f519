"""Runs and base maps as they are shown: opened once, drawn many times."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from functools import cached_property, lru_cache
from threading import Lock
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely

from app import views
from app.drawings import SERVICES
from app.memory import give_back
from app.store import Run, Study
from data.study import read_map
from geo.errors import Fault, NotFoundError
from geo.network import Ways
from geo.services import SHELTER
from tiles import basemap
from tiles.basemap import BaseMap
from tiles.layer import Layer, Raster
from tiles.source import Source, prepare

TABLES = 2
"""Tables of a run that are kept at the same time: a large one is hundreds of megabytes."""
LOOKING = Lock()
"""One run at a time is looked through, for the same reason."""


class Shown:
    """A run to be drawn, or some layers of it. Of its tables only the last few read are kept."""

    def __init__(self, run: Run, *, only: Collection[str] | None = None) -> None:
        self.run = run
        self.names: Collection[str] = run.layers.keys() if only is None else only
        self.table = lru_cache(maxsize=TABLES)(run.table)

    def __repr__(self) -> str:
        return f"Shown({self.run!r})"

    @property
    def headline(self) -> Mapping[str, Any]:
        """The run in a few numbers."""
        return self.run.record.headline

    @property
    def limits(self) -> Mapping[str, float]:
        """The minutes within which each service counts as there, of the services with a limit."""
        return limits(self.run.record.recipe.parameters)

    def raster(self, name: str) -> Raster:
        """A raster as a file to be drawn."""
        return Raster(self.run.file(name, "raster"), self.run.layer(name).unit or "")

    @cached_property
    def layers(self) -> list[Layer]:
        """Every layer as it is drawn, without its features."""
        with LOOKING:
            found = views.layers(self, bare=True)
            self.table.cache_clear()
            give_back()
        return found

    def drawn_from(self, table: str) -> list[Layer]:
        """The drawings of one table or raster, its own first; NotFoundError when it is not in the run or not drawn."""
        self.run.layer(table)
        found = [layer for layer in self.layers if layer.table == table]
        found.sort(key=lambda layer: layer.layer_id != table)
        if not found:
            raise NotFoundError(Fault("a layer that is drawn on the map", table, self.run.run_id))
        return found

    def columns(self, table: str) -> list[str]:
        """The columns of a table that its drawings need: those that its tiles carry."""
        wanted = dict.fromkeys(c for layer in self.drawn_from(table) for c in layer.columns if c)
        return [column for column in wanted if column in self.run.layer(table).columns]

    def source(self, table: str) -> Source:
        """A table made ready for vector tiles, with the columns its drawings need."""
        path = self.run.file(table, "table")

        def column(name: str) -> pd.Series:
            return pd.read_parquet(path, columns=[name])[name]

        shapes = gpd.read_parquet(path, columns=["geometry"])
        source = prepare(table, shapes, columns=self.columns(table), read=column)
        del shapes
        give_back()
        return source


def limits(parameters: Mapping[str, Any]) -> dict[str, float]:
    """The limit of each service among a run's parameters, minutes; that of shelters is the walk's."""
    kept = [(service, parameters.get(service, {}).get("minutes")) for service in SERVICES]
    kept.append((SHELTER, parameters.get("walk", {}).get("max_minutes")))
    return {service: float(minutes) for service, minutes in kept if isinstance(minutes, int | float)}


def base_map(study: Study) -> BaseMap:
    """The base map of a study, from its OpenStreetMap layer; InputError when it has none."""
    extract = read_map(study.file, study.folder)
    return basemap.build(
        streets=street_lines(extract.ways), buildings=extract.buildings, areas=extract.areas, lines=extract.lines,
        places=extract.places,
    )  # fmt: skip


def street_lines(ways: Ways) -> gpd.GeoDataFrame:
    """Each way as one line with its tags."""
    way = np.repeat(np.arange(len(ways)), np.diff(ways.start))
    lines = shapely.linestrings(ways.x, ways.y, indices=way)
    return gpd.GeoDataFrame(ways.tags, geometry=lines, crs=ways.crs)
