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
from geo.tables import FACILITIES, NAMES

Ints = NDArray[np.int64]


def facilities(of: Mapped, counts: Counter[str]) -> gpd.GeoDataFrame:
    """Everything that serves, each place once, ``geo.tables.FACILITIES``; points and outlines as mapped."""
    rows, kind, weak = _serving(of, counts)
    columns = {"kind": text(kind), "weak": np.array(weak, dtype=bool)}
    every = frame(of, FACILITIES, rows, of.place(rows), columns)
    once = each_place_once(every)
    counts["facilities_parts_of_another"] = len(every) - len(once)
    counts["facilities"] = len(once)
    return once.drop(columns="weak")


def _serving(of: Mapped, counts: Counter[str]) -> tuple[list[int], list[str], list[bool]]:
    """Rows of what serves, its kind, and whether that is known only from what it was built as."""
    rows, kind, weak = [], [], []
    for row in of.notable:
        tags = of.things.tags[row]
        by_tag = kinds.facility(tags)
        found = by_tag or kinds.built_as(tags)
        if found is None or of.drawn_again(row, kinds.facility):
            continue
        if kinds.out_of_use(tags):
            counts["facilities_out_of_use"] += 1
        elif of.is_somewhere(row):
            rows.append(row)
            kind.append(found)
            weak.append(by_tag is None)
        else:
            counts["facilities_cut_off"] += 1
    return rows, kind, weak


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
