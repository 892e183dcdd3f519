"""Sites that could be shelters: which of them a hazard leaves usable, how many they hold, and who reaches them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cached_property
from typing import NamedTuple

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo import rating, reaching, readied
from geo.pairs import Pairs
from geo.redealt import Reach
from geo.shelters import CLOSED, OPEN
from geo.situation import Situation
from geo.tables import NAMES, SHELTERS

Ints = NDArray[np.int64]


class Told(NamedTuple):
    """What is told of a site: its id, its own, Chinese and English name, its kind, and its shape."""

    ident: str
    name: str | None
    name_zh: str | None
    name_en: str | None
    kind: str | None
    shape: shapely.Point | shapely.Polygon | shapely.MultiPolygon

    @property
    def point(self) -> shapely.Point:
        """A point on the site."""
        return self.shape.representative_point()


def told(sites: gpd.GeoDataFrame) -> list[Told]:
    """What is told of each site of a table, (sites,)."""
    words = [[each if isinstance(each, str) else None for each in sites[column]] for column in (*NAMES, "kind")]
    return [Told(*row) for row in zip(sites["shelter_id"].astype(str), *words, sites.geometry, strict=True)]


@dataclass(frozen=True, eq=False)
class Openings:
    """Usable sites (``table``: columns of the shelters as they are rated), their ``room`` (sites,) and their ``pairs``.

    Sites whose room is not known are left out: what opening them does is not known either.
    """

    table: gpd.GeoDataFrame
    room: Ints
    pairs: Pairs

    def __len__(self) -> int:
        return len(self.table)

    def __repr__(self) -> str:
        return f"Openings({len(self)} sites for {int(self.room.sum()):,} people)"

    @cached_property
    def told(self) -> list[Told]:
        """What is told of each site, (sites,)."""
        return told(self.table)

    @cached_property
    def by_site(self) -> tuple[Ints, Ints]:
        """Where the pairs of each site begin, (sites + 1,), and the pairs in that order."""
        order = np.argsort(self.pairs.site, kind="stable").astype(np.int64)
        return np.searchsorted(self.pairs.site[order], np.arange(self.pairs.sites + 1)).astype(np.int64), order

    def reach(self, site: int) -> Reach:
        """The places that reach one of the sites."""
        first, order = self.by_site
        rows = order[first[site] : first[site + 1]]
        return Reach(self.pairs.place[rows], self.pairs.cost_ms[rows])


def candidates(now: Situation) -> gpd.GeoDataFrame:
    """What could be opened: sites known that are not in the plan, and shelters of it that the list says are closed."""
    known, sites = now.base.city.shelters, now.sites
    closed = set(sites["shelter_id"][(sites["reason_code"] == CLOSED).to_numpy()])
    names = known["shelter_id"]
    wanted = ~names.isin(sites["shelter_id"]) | names.isin(closed)
    found = known[wanted.to_numpy(dtype=bool)].sort_values("shelter_id").reset_index(drop=True)
    if "state" in found:
        found["state"] = found["state"].where(found["state"] != CLOSED, OPEN)
    return found


def spots(
    shapes: Sequence[shapely.Geometry], ids: Sequence[str], names: Sequence[tuple[object, ...]], *, crs: str
) -> gpd.GeoDataFrame:
    """Places where nothing is yet, as a table of shelters; ``names`` are those of ``NAMES`` and the kind of ground."""
    area = shapely.area(np.array(shapes, dtype=object)).astype(np.float64)
    columns: dict[str, object] = {c.name: [np.nan if c.kind == "float" else None] * len(ids) for c in SHELTERS.columns}
    columns |= {name: [row[at] for row in names] for at, name in enumerate((*NAMES, "kind"))}
    columns |= {"shelter_id": list(ids), "tier": ["emergency"] * len(ids), "origin": ["candidate"] * len(ids)}
    kinds = {c.name: "float64" if c.kind == "float" else "object" for c in SHELTERS.columns}
    table = pd.DataFrame(columns | {"area_m2": np.where(area > 0, area, np.nan)}).astype(kinds)
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(list(shapes), crs=crs))


def usable(now: Situation, sites: gpd.GeoDataFrame, *, unknown_room: int | None = None) -> Openings:
    """Those of ``sites`` that the hazards in force leave usable, whose room is known, and that somebody reaches.

    ``unknown_room`` is what a site of unknown room holds, None: it is left out.
    """
    base, streets = now.base, now.ways["walk"]
    doors = readied.doors_of(base.usable["walk"], sites, base.params)
    open_ = rating.open_doors(doors, streets)
    surveyed = readied.survey(base.city, sites, base.params)
    rated = rating.rated(
        sites, surveyed, doors, open_, now.faced, base.communities, way=base.network.way, params=base.params
    )
    capacity = rated["capacity_people"].to_numpy(dtype=np.float64)
    if unknown_room is not None:
        capacity = np.where(np.isnan(capacity), unknown_room, capacity)
    kept = np.flatnonzero(rated["usable"].to_numpy(dtype=bool) & (np.nan_to_num(capacity) >= 1))
    number = np.full(len(sites) + 1, -1)
    number[kept] = np.arange(len(kept))
    mine = open_.where(number[open_.place] >= 0)
    ways = reaching.pairs(
        streets.graph, now.refuge.walks.places, replace(mine, place=number[mine.place]),
        limit_s=float(np.max(now.refuge.pace.limit_s)), speed_ms=now.refuge.pace.speed_ms, sites=len(kept),
    )  # fmt: skip
    everybody = int(base.seekers.people.sum())
    room = np.clip(np.floor(capacity[kept]), 0, everybody).astype(np.int64)
    return Openings(rated.iloc[kept].reset_index(drop=True), room, ways)
