"""Highways as ``geo.network.Ways``: nodes, coordinates in metres, tags, and what stands on the way."""

from __future__ import annotations

from collections import Counter
from functools import partial

import numpy as np
import pandas as pd

import data.osm.kinds as kinds
from data.osm.raw import Chains, Ints, Raw
from data.osm.tables import text
from data.osm.tagging import under
from data.osm.turns import restrictions
from data.osm.values import called
from geo.crs import WGS84, reproject
from geo.network import BARRIER_TAGS, WAY_TAGS, Ways
from geo.tables import NAMES

_PLAIN_TAGS = tuple(tag for tag in WAY_TAGS if tag not in NAMES)


def pieces(raw: Raw, counts: Counter[str]) -> Chains:
    """The stretches of ``raw.streets`` that are a street; what is not is counted by why."""
    of, things = raw.streets.of, raw.things
    tags = things.tags.take(of)
    open_, closed = (tags.each(partial(kinds.street, closed=whole)) for whole in (False, True))
    why_not = np.where(things.closed[of], closed, open_)
    for why, n in Counter(why for why in why_not.tolist() if why).items():
        counts[f"streets_{why}"] += n
    kept = raw.streets.take(np.array([why is None for why in why_not], dtype=bool))
    counts["streets"] = len(kept)
    return kept


def middle(streets: Chains) -> tuple[float, float]:
    """Median longitude and latitude of the streets' nodes: long ways that leave the extract do not move it."""
    lon, lat = streets.degrees()
    return float(np.median(lon)), float(np.median(lat))


def ways(raw: Raw, streets: Chains, *, crs: str, counts: Counter[str]) -> Ways:
    """The streets in a metric CRS. A way cut by missing nodes has a row for each piece, with the same ``way_id``."""
    x, y = reproject(*streets.degrees(), source=WGS84, target=crs)
    lost = ~np.isfinite(np.add.reduceat(x + y, streets.first[:-1]))
    counts["streets_beyond_projection"] += int(lost.sum())
    points = np.repeat(~lost, streets.size)
    kept = streets.take(~lost)
    tags = _tags(raw, kept)
    turns = restrictions(raw.turns, set(tags["way_id"]), _crossed(raw, kept.node), counts=counts)
    return Ways(tags, kept.first, kept.node, x[points], y[points], _barriers(raw, kept.node), crs, turns)


def _crossed(raw: Raw, on_street: Ints) -> set[int]:
    """The nodes of turns that are on a street."""
    named = {number for turn in raw.turns for form, number, _ in turn.members if form == "n"}
    return set(np.intersect1d(on_street, list(named)).tolist())


def _tags(raw: Raw, streets: Chains) -> pd.DataFrame:
    tags = raw.things.tags.take(streets.of)
    columns: dict[str, object] = {"way_id": raw.things.number[streets.of]}
    columns |= {key: text(tags.each(under(key))) for key in _PLAIN_TAGS}
    columns |= {name: text(tags.each(partial(called, name))) for name in NAMES}
    return pd.DataFrame(columns)[["way_id", *WAY_TAGS]]


def _barriers(raw: Raw, on_street: Ints) -> pd.DataFrame:
    nodes = set(np.intersect1d(on_street, [number for number, _ in raw.barriers]).tolist())
    found = sorted({number: tags for number, tags in raw.barriers if number in nodes}.items())
    columns: dict[str, object] = {"node_id": np.array([number for number, _ in found], dtype=np.int64)}
    columns |= {key: text([tags.get(key) for _, tags in found]) for key in BARRIER_TAGS}
    return pd.DataFrame(columns)
