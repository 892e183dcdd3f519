"""Corridors on the map, and what is worth saying of them."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray
from shapely.ops import substring

from geo.directions import called
from geo.lifelines import Lifelines
from geo.network import Network
from geo.reasons import Finding
from geo.trunk_roads import CorridorParams

Floats = NDArray[np.float64]

TRUNK = "trunk"
NAMES = {
    "emergency": ("corridor to reserves and emergency shelters", "紧急疏散通道"),
    "fixed": ("corridor to shelters for nights", "固定避难场所通道"),
    TRUNK: ("rescue trunk road", "救灾干道"),
}
"""What each class of corridor is called in English and Chinese."""
LAYER = {
    **dict.fromkeys(("corridor_id", "name_en", "name_zh", "class", "state"), "object"),
    **dict.fromkeys(("length_m", "need_m", "clear_m", "short_m", "short_length_m", "cost"), "float64"),
    **{"terminals": "int64", "text_en": "object", "text_zh": "object"},
}
"""Columns of ``layer`` before the geometry, and their types."""
STATES = ("wide_enough", "widen", "not_known")
"""How a street stands now against the width asked for."""


def findings(found: Lifelines) -> tuple[Finding, ...]:
    """What is worth saying of terminals that are not joined twice, and of streets of unknown width."""
    ways, unknown = found.terminals["ways"], int(found.corridors["clear_m"].isna().sum())
    said = [
        ("lifelines_not_joined", int((ways == 0).sum()), "{n} reserves and shelters cannot be joined to a trunk road.",
         "{n}处留白用地和避难场所无法连接救灾干道。"),
        ("lifelines_joined_once", int((ways == 1).sum()),
         "{n} reserves and shelters hang on a single street: no second way to a trunk road exists.",
         "{n}处留白用地和避难场所仅靠唯一道路连接，不存在第二条通道。"),
        ("lifelines_width_not_known", unknown, "The clear width of {n} stretches of corridor is not known.",
         "{n}段通道的净宽未知。"),
    ]  # fmt: skip
    return tuple(
        Finding(code, en.format(n=f"{n:,}"), zh.format(n=f"{n:,}"), "warning", count=n) for code, n, en, zh in said if n
    )


def layer(found: Lifelines, network: Network, clear_m: Floats, *, params: CorridorParams) -> gpd.GeoDataFrame:
    """Corridors and trunk roads as lines, one row a street, class and state (``LAYER``), in the network's CRS.

    ``state``: ``wide_enough`` now, ``widen`` or ``not_known``. ``clear_m`` is the least, ``short_m`` the most that is
    lacking, over ``short_length_m``, NaN where it is not known. Trunk roads have no cost here. Streets without a name
    are told apart by their way.
    """
    rows = pd.concat([found.corridors, _trunk_rows(found, network, clear_m, params)], ignore_index=True)
    edge, short = rows["edge"].to_numpy(dtype=np.int64), rows["short_m"].to_numpy(dtype=np.float64)
    rows["state"] = np.select([np.isnan(short), short > 0], [STATES[2], STATES[1]], default=STATES[0])
    names = network.edge_tag("name", edge)
    ways = [f"w{way}" for way in network.tags["way_id"].to_numpy()[network.way[edge]]]
    rows["street"] = [way if name is None else name for name, way in zip(names, ways, strict=True)]
    rows["geometry"] = np.array(_lines(network, rows), dtype=object)
    groups = rows.groupby(["class", "state", "street"], sort=True)
    made = [_feature(network, i, group) for i, (_, group) in enumerate(groups)]
    columns = {name: pd.Series([row[name] for row in made], dtype=dtype) for name, dtype in LAYER.items()}
    shapes = gpd.GeoSeries([row["geometry"] for row in made], crs=network.crs)
    return gpd.GeoDataFrame(columns, geometry=shapes, crs=network.crs)


def _trunk_rows(found: Lifelines, network: Network, clear_m: Floats, params: CorridorParams) -> pd.DataFrame:
    edge = np.flatnonzero(found.trunk)
    columns = {
        "edge": edge, "class": TRUNK, "from_m": 0.0, "to_m": network.length_m[edge],
        "length_m": network.length_m[edge], "need_m": params.trunk_m, "clear_m": clear_m[edge],
        "short_m": np.maximum(params.trunk_m - clear_m[edge], 0.0), "cost": 0.0, "terminals": 0,
    }  # fmt: skip
    return pd.DataFrame(columns)


def _lines(network: Network, rows: pd.DataFrame) -> list[shapely.Geometry]:
    """The shape of each stretch."""
    columns = zip(rows["edge"], rows["from_m"], rows["to_m"], strict=True)
    return [
        network.lines[edge]
        if low <= 0 and high >= network.length_m[edge]
        else substring(network.lines[edge], low, high)
        for edge, low, high in columns
    ]


def _feature(network: Network, number: int, group: pd.DataFrame) -> dict[str, object]:
    """One row of the layer from the stretches of one street."""
    one = group["edge"].to_numpy(dtype=np.int64)[:1]
    tags = (network.edge_tag(tag, one).tolist()[0] for tag in ("name", "name_zh", "name_en", "highway"))
    en, zh = called(*tags)
    kind, state = str(group["class"].iloc[0]), str(group["state"].iloc[0])
    length, short = float(group["length_m"].sum()), float(group["short_m"].max(skipna=False))
    lacking = float(group["length_m"][group["short_m"] > 0].sum()) if state != STATES[2] else np.nan
    told_en, told_zh = _state(state, short, length)
    return {
        "corridor_id": f"c{number + 1}", "name_en": en, "name_zh": zh, "class": kind, "state": state,
        "length_m": length, "need_m": float(group["need_m"].iloc[0]), "clear_m": float(group["clear_m"].min()),
        "short_m": short, "short_length_m": lacking, "cost": float(group["cost"].sum()),
        "terminals": int(group["terminals"].max()), "text_en": f"{en}, {NAMES[kind][0]}: {told_en}",
        "text_zh": f"{zh}，{NAMES[kind][1]}：{told_zh}",
        "geometry": shapely.line_merge(shapely.union_all(group["geometry"].to_list())),
    }  # fmt: skip


def _state(state: str, short_m: float, length_m: float) -> tuple[str, str]:
    if state == STATES[0]:
        return f"wide enough now over {length_m:,.0f} m.", f"现状满足，长{length_m:,.0f}米。"
    if state == STATES[1]:
        return (
            f"widen by up to {short_m:.1f} m over {length_m:,.0f} m.",
            f"需拓宽至多{short_m:.1f}米，长{length_m:,.0f}米。",
        )
    return f"clear width not known over {length_m:,.0f} m.", f"{length_m:,.0f}米净宽未知。"
