"""Highways as ``geo.network.Ways``: nodes, coordinates in metres, tags, and what stands on the way."""

from __future__ import annotations

from collections import Counter

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

import data.osm.kinds as kinds
from data.osm.raw import Raw, Tags
from data.osm.turns import restrictions
from data.osm.values import names
from geo.crs import WGS84, reproject
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways

_PLAIN_TAGS = tuple(tag for tag in WAY_TAGS if tag not in ("name", "name_zh", "name_en"))


def pieces(raw: Raw, counts: Counter[str]) -> list[int]:
    """Positions in ``raw.streets`` of what is a street; what is not is counted by why."""
    kept = []
    for position, row in enumerate(raw.streets.row):
        why_not = kinds.street(raw.things.tags[row], closed=bool(raw.things.closed[row]))
        if why_not:
            counts[f"streets_{why_not}"] += 1
        else:
            kept.append(position)
    counts["streets"] = len(kept)
    return kept


def middle(raw: Raw, kept: list[int]) -> tuple[float, float]:
    """Median longitude and latitude of the streets' nodes: long ways that leave the extract do not move it."""
    lon, lat = np.median(shapely.get_coordinates(raw.streets.shape[kept]), axis=0)
    return float(lon), float(lat)


def ways(raw: Raw, kept: list[int], *, crs: str, counts: Counter[str]) -> Ways:
    """The streets in a metric CRS. A way cut by missing nodes has a row for each piece, with the same ``way_id``."""
    lines = raw.streets.shape[kept]
    x, y = reproject(*shapely.get_coordinates(lines).T, source=WGS84, target=crs)
    size = shapely.get_num_coordinates(lines)
    lost = ~np.isfinite(np.add.reduceat(x + y, np.cumsum(size) - size))
    counts["streets_beyond_projection"] += int(lost.sum())
    points = np.repeat(~lost, size)
    rows = [row for row, gone in zip(kept, lost, strict=True) if not gone]
    node = np.fromiter((n for row in rows for n in raw.streets.nodes[row]), dtype=np.int64)
    start = np.r_[0, np.cumsum(size[~lost])].astype(np.int64)
    tags = _tags(raw, rows)
    turns = restrictions(raw.turns, set(tags["way_id"]), set(node.tolist()), counts=counts)
    return Ways(tags, start, node, x[points], y[points], _barriers(raw, node), crs, turns)


def _tags(raw: Raw, rows: list[int]) -> pd.DataFrame:
    tags = [raw.things.tags[raw.streets.row[row]] for row in rows]
    columns: dict[str, object] = {"way_id": np.array([raw.streets.way[row] for row in rows], dtype=np.int64)}
    columns |= _texts(tags, _PLAIN_TAGS)
    called = [names(t) for t in tags]
    for position, name in enumerate(("name", "name_zh", "name_en")):
        columns[name] = pd.Series([c[position] for c in called], dtype=object)
    return pd.DataFrame(columns)[["way_id", *WAY_TAGS]]


def _barriers(raw: Raw, on_street: NDArray[np.int64]) -> pd.DataFrame:
    nodes = set(on_street.tolist())
    found = sorted({number: tags for number, tags in raw.barriers if number in nodes}.items())
    columns: dict[str, object] = {"node_id": np.array([number for number, _ in found], dtype=np.int64)}
    return pd.DataFrame(columns | _texts([tags for _, tags in found], BARRIER_TAGS))


def _texts(tags: list[Tags], keys: tuple[str, ...]) -> dict[str, object]:
    return {key: pd.Series([t.get(key) for t in tags], dtype=object) for key in keys}
