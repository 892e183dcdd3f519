"""Numbers as they leave the house: no more digits than were measured."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd

DECIMALS = {"share": 4, "m2": 1, "s": 1, "m": 2}
"""Digits after the point by the unit in a column's name (``walk_s_median``, ``share_wet``); the first that is in it."""


def decimals(column: str) -> int | None:
    """Digits after the point for a column; None: as it is."""
    words = column.split("_")
    if "per" in words:
        return 2
    return next((digits for unit, digits in DECIMALS.items() if unit in words), None)


def attributes(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """The columns of a layer without its geometry, measures rounded to what they are worth."""
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    digits = {name: decimals(name) for name in plain.select_dtypes("floating").columns}
    return plain.round({name: n for name, n in digits.items() if n is not None})
