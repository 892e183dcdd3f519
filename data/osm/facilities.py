"""What serves in a city, each place once.

A school is often mapped several times: its grounds, its buildings, a point with its name. *One place is one row*:
of two objects of the same kind, the one that lies within the other is a part of it when it has no name, when both
have the same name, when it is known only by what it was built as (``building=school``), or when it is the only name
within grounds that have none, which then take it over. Two schools with different names on one site stay two. A
building known only by what it was built as counts at all only when it has a name (``kinds.built_as``).
"""

from __future__ import annotations

from collections import Counter

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import data.osm.kinds as kinds
from data.osm.tables import Mapped, frame, text
from data.osm.tagging import Tags
from geo.tables import FACILITIES, NAMES

Ints = NDArray[np.int64]


def facilities(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Everything that serves, each place once, ``geo.tables.FACILITIES``; points and outlines as mapped.

    More columns, None when not said: ``detail`` (``pillar`` of a hydrant, what a tank holds) and ``emergency_use``
    (what a place becomes in an emergency: ``shelter;staging_area``).
    """
    rows = _serving(of, counts)
    tags = of.things.tags.take(rows)
    weak = ~tags.flags(kinds.facility)
    columns = {
        "kind": text(tags.each(_kind)), "detail": text(tags.each(kinds.detail)),
        "emergency_use": text(tags.each(kinds.emergency_use)), "weak": weak,
    }  # fmt: skip
    every = frame(of, FACILITIES, rows, of.place(rows), columns)
    once = each_place_once(every)
    counts["facilities_parts_of_another"] = len(every) - len(once)
    counts["facilities"] = len(once)
    return once.drop(columns="weak")


def _serving(of: Mapped, counts: Counter[str]) -> Ints:
    """Rows of what serves and is somewhere; the rest is counted."""
    found = of.those(_kind)
    found = found[~of.drawn_again(found, kinds.facility)]
    gone = of.things.tags.take(found).flags(kinds.out_of_use)
    here = of.is_somewhere(found)
    counts["facilities_out_of_use"] += int(gone.sum())
    counts["facilities_cut_off"] += int((~gone & ~here).sum())
    return found[~gone & here]


def _kind(tags: Tags) -> str | None:
    """What serves here, by its own tag or else judging by the building."""
    return kinds.facility(tags) or kinds.built_as(tags)


def each_place_once(table: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The table without parts of other rows (rule above); needs ``kind``, names, and ``weak`` (bool)."""
    part, whole = _within_same_kind(table)
    name = table["name"].to_numpy(dtype=object)
    adopted = _only_name_within(part, whole, name)
    unnamed, known = pd.isna(name), table["weak"].to_numpy(dtype=bool)
    same = (name[part] == name[whole]) | (name[part] == adopted[whole])
    gone = part[unnamed[part] | known[part] | same]
    named = table.copy()
    for row, giver in _givers(gone, part, whole, name, adopted).items():
        named.loc[row, list(NAMES)] = table.loc[giver, list(NAMES)].to_numpy()
    return named.drop(index=np.unique(gone)).reset_index(drop=True)


def _within_same_kind(table: gpd.GeoDataFrame) -> tuple[Ints, Ints]:
    """Pairs of rows: a part, and a larger row of the same kind that its inner point lies in."""
    shapes = np.asarray(table.geometry.to_numpy(), dtype=object)
    area, kind = shapely.area(shapes), table["kind"].to_numpy(dtype=object)
    part, whole = shapely.STRtree(shapes).query(shapely.point_on_surface(shapes), predicate="within")
    larger = (area[whole] > area[part]) | ((area[whole] == area[part]) & (whole < part))
    kept = (part != whole) & (kind[part] == kind[whole]) & larger
    return part[kept], whole[kept]


def _only_name_within(part: Ints, whole: Ints, name: NDArray[np.object_]) -> NDArray[np.object_]:
    """For a row without a name, the one name its parts have; None when they have none, or several."""
    inside: dict[int, set[str]] = {}
    for p, w in zip(part.tolist(), whole.tolist(), strict=True):
        if name[w] is None and name[p] is not None:
            inside.setdefault(w, set()).add(name[p])
    adopted = np.full(len(name), None, dtype=object)
    for row, found in inside.items():
        if len(found) == 1:
            adopted[row] = found.pop()
    return adopted


def _givers(
    gone: Ints, part: Ints, whole: Ints, name: NDArray[np.object_], adopted: NDArray[np.object_]
) -> dict[int, int]:
    """For each row that takes over a name, the part it takes it from."""
    going = set(gone.tolist())
    pairs = zip(part.tolist(), whole.tolist(), strict=True)
    return {w: p for p, w in pairs if p in going and adopted[w] is not None and name[p] == adopted[w]}
