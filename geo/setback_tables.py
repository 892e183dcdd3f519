"""Rules of distance as tables: every source that one names, and the ground of each."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from geo.setbacks import Kept, Setbacks, ground
from geo.tables import NAMES, without_nan

Shapes = NDArray[np.object_]

SOURCES = ("source_id", "layer", "kind", *NAMES, "rules", "distance_m")
"""Columns of ``sources_table``."""
LAYER = (
    "rule_id", "set", "zone", "name_en", "name_zh", "standard", "clause", "grade", "distance", "least_distance_m",
    "most_distance_m", "sources", "area_m2",
)  # fmt: skip
"""Columns of ``layer``."""


def sources_table(setbacks: Setbacks) -> gpd.GeoDataFrame:
    """Every source that a rule names, once: columns ``SOURCES`` and geometry, sorted by layer and id.

    ``rules`` are the ids of its rules, joined by ``;``, ``distance_m`` is the largest that one asks.
    """
    parts = [_pieces(kept) for kept in setbacks.kept if len(kept)]
    if not parts:
        columns = {name: pd.Series(dtype="float64" if name == "distance_m" else "object") for name in SOURCES}
        return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=setbacks.crs), crs=setbacks.crs)
    every = pd.concat(parts, ignore_index=True)
    by = every.groupby(["layer", "source_id"], sort=True)
    table = by.head(1).sort_values(["layer", "source_id"], ignore_index=True)
    table["distance_m"] = by["distance_m"].max().to_numpy()
    table["rules"] = [";".join(dict.fromkeys(rules)) for _, rules in by["rules"]]
    shapes = [_joined(np.array(pieces, dtype=object)) for _, pieces in by["geometry"]]
    return gpd.GeoDataFrame(without_nan(table[list(SOURCES)]), geometry=shapes, crs=setbacks.crs)


def _pieces(kept: Kept) -> pd.DataFrame:
    told = {"source_id": kept.source_id, "layer": kept.rule.layer, "kind": kept.kind}
    rest = {"rules": kept.rule_id, "distance_m": kept.distance_m, "geometry": kept.shapes}
    return pd.DataFrame({**told, **{name: kept.names[name].to_numpy() for name in NAMES}, **rest})


def _joined(pieces: Shapes) -> shapely.Geometry:
    """The pieces of one source, some several times, as one shape."""
    different = list({id(piece): piece for piece in pieces}.values())
    found = shapely.union_all(different) if len(different) > 1 else different[0]
    return shapely.line_merge(found) if found.geom_type == "MultiLineString" else found


def layer(setbacks: Setbacks, *, within: shapely.Geometry | None = None) -> gpd.GeoDataFrame:
    """The ground of each rule that has sources and is asked of ground: columns ``LAYER`` and geometry, in their order.

    ``distance`` as the rule writes it, ``least_distance_m`` and ``most_distance_m`` what that comes to; merged, and
    only what lies ``within`` the study's ground.
    """
    found = [(setbacks.kept[row], shapes) for zone in ("let", "prevent") for row, shapes in ground(setbacks, zone=zone)]
    shapes = [_clipped(pieces, within) for _, pieces in found]
    rows = [(*_described(kept), area) for (kept, _), area in zip(found, shapely.area(shapes), strict=True)]
    table = pd.DataFrame(rows, columns=list(LAYER))
    return gpd.GeoDataFrame(table, geometry=gpd.GeoSeries(shapes, crs=setbacks.crs), crs=setbacks.crs)


def _described(kept: Kept) -> tuple[str | float, ...]:
    rule, far = kept.rule, kept.distance_m
    told = rule.zone, rule.en, rule.zh, rule.standard, rule.clause, rule.grade, rule.distance
    return (kept.rule_id, kept.set_id, *told, float(far.min()), kept.most_m, kept.sources)


def _clipped(pieces: Shapes, within: shapely.Geometry | None) -> shapely.Geometry:
    if within is not None:
        pieces = pieces[shapely.intersects(within, pieces)]
    merged = shapely.disjoint_subset_union_all(pieces)
    return merged if within is None else shapely.intersection(merged, within)
