"""Places of refuge: those the map says are one, and those that could become one."""

from __future__ import annotations

from collections import Counter
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import data.osm.kinds as kinds
from data.osm.facilities import each_place_once
from data.osm.raw import Ints
from data.osm.tables import Mapped, frame, text
from data.osm.tagging import Tags, under
from data.osm.values import count
from geo.tables import NAMES, SHELTERS, Column, Schema, checked

_SITES = Schema("sites", tuple(c for c in SHELTERS.columns if c.name in ("shelter_id", "kind", *NAMES)))
OPEN_KINDS = frozenset(kind for rules in kinds.OPEN_SPACES.values() for kind in rules.values())


def shelters(
    of: Mapped, facilities: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame, counts: Counter[str]
) -> gpd.GeoDataFrame:
    """Places of refuge in metres, ``geo.tables.SHELTERS``.

    ``origin`` is ``mapped`` where the map says it is one (``kinds.refuge``), else ``candidate``: schools, halls, sports
    grounds, …, and open ground of any size, whose tier is ``emergency``. More columns: ``valid_for`` and
    ``invalid_for`` (hazards, ``flood;fire``, None when nothing is said), ``access`` (as tagged) and ``levels_assumed``
    (in ``floor_m2`` some building of unknown height counts as one storey). Columns that a table need not have (state,
    conversion, entrances, …) are empty: no tags are agreed for them.
    """
    mapped = _refuges(of)
    could = facilities[facilities["kind"].isin(kinds.CANDIDATES)].rename(columns={"facility_id": "shelter_id"})
    could = could[mapped.columns]
    candidates = pd.concat([could, _open_ground(of, counts)], ignore_index=True)
    candidates = candidates[~candidates["shelter_id"].isin(mapped["shelter_id"])]
    counts["shelters_mapped"], counts["shelters_candidate"] = len(mapped), len(candidates)
    origin = ["mapped"] * len(mapped) + ["candidate"] * len(candidates)
    sites = pd.concat([mapped, candidates], ignore_index=True).assign(origin=text(origin))
    return checked(_with_room(gpd.GeoDataFrame(sites, crs=of.crs), of, buildings), SHELTERS)


def _refuges(of: Mapped) -> gpd.GeoDataFrame:
    """What the map says is a place of refuge."""
    rows = of.those(kinds.refuge)
    rows = rows[of.is_somewhere(rows)]
    return frame(of, _SITES, rows, of.place(rows), {"kind": text(of.things.tags.take(rows).each(kinds.refuge))})


def _open_ground(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Open ground with an outline, and civil-defence shelters, each once."""
    found = of.those(kinds.candidate)
    here = found[of.is_somewhere(found) & ~of.drawn_again(found, kinds.candidate)]
    is_open = of.things.tags.take(here).flags(lambda tags: kinds.candidate(tags) in OPEN_KINDS)
    rows = here[~shapely.is_missing(of.area[here]) | ~is_open]
    counts["open_ground_without_outline"] = len(here) - len(rows)
    kind = text(of.things.tags.take(rows).each(kinds.candidate))
    columns = {"kind": kind, "weak": np.zeros(len(rows), dtype=bool)}
    return each_place_once(frame(of, _SITES, rows, of.place(rows), columns)).drop(columns="weak")


def _with_room(sites: gpd.GeoDataFrame, of: Mapped, buildings: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The sites with tier, area, floor area, capacity and what the map says of their use."""
    tags = of.things.tags.take(_rows(sites["shelter_id"], of))
    area = np.asarray(sites.geometry.area, dtype=np.float64)
    floor, assumed = floor_areas(sites, buildings)
    is_open = sites["kind"].isin(OPEN_KINDS) & (sites["origin"] == "candidate")
    columns = {
        "tier": text("emergency" if is_it else None for is_it in is_open),
        "area_m2": np.where(area > 0, area, np.nan), "floor_m2": floor, "levels_assumed": assumed,
        "capacity": tags.numbers(_declared),
        "valid_for": text(tags.each(lambda t: kinds.hazards_said(t, valid=True))),
        "invalid_for": text(tags.each(lambda t: kinds.hazards_said(t, valid=False))),
        "access": text(tags.each(under("access"))),
    }  # fmt: skip
    columns |= {c.name: _nothing(c, len(sites)) for c in SHELTERS.columns if not c.required}
    geometry = sites.geometry
    return sites.drop(columns="geometry").assign(**columns).set_geometry(geometry)


def _nothing(column: Column, n: int) -> Any:
    """A column in which nothing is said."""
    return np.full(n, np.nan) if column.kind == "float" else text([None] * n)


def _rows(ids: pd.Series[Any], of: Mapped) -> Ints:
    """The rows of the named objects among all that were read."""
    may_be = of.those(lambda t: kinds.facility(t) or kinds.built_as(t) or kinds.refuge(t) or kinds.candidate(t))
    row_of = dict(zip(of.things.ids(may_be), may_be.tolist(), strict=True))
    return np.array([row_of[name] for name in ids], dtype=np.int64)


def _declared(tags: Tags) -> float:
    """People a refuge is said to hold. On a school ``capacity`` means pupils, so only its own key counts there."""
    only_a_refuge = kinds.facility(tags) in (None, "assembly_point")
    return count(tags.get("emergency:capacity") or (tags.get("capacity") if only_a_refuge else None))


def floor_areas(sites: gpd.GeoDataFrame, buildings: gpd.GeoDataFrame) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Floor area of the buildings on each site in square metres, (n,), and whether storeys had to be assumed.

    A building is on a site when an inner point of it is; where sites lie within sites, on the smallest. Footprint times
    storeys, one storey where none are recorded. NaN for a point, and where no building is mapped on the site.
    """
    shapes = np.asarray(sites.geometry.to_numpy(), dtype=object)
    on = np.asarray(buildings.geometry.to_numpy(), dtype=object)
    site, building = shapely.STRtree(shapely.point_on_surface(on)).query(shapes, predicate="contains")
    order = np.lexsort((site, shapely.area(shapes)[site]))
    building, first = np.unique(building[order], return_index=True)
    site = site[order][first]
    levels = buildings["levels"].to_numpy(dtype=np.float64)
    floor = shapely.area(on) * np.nan_to_num(levels, nan=1.0)
    total = np.bincount(site, weights=floor[building], minlength=len(shapes))
    unknown = np.bincount(site, weights=np.isnan(levels[building]), minlength=len(shapes)) > 0
    return np.where(total > 0, total, np.nan), unknown
