"""Numbers as they leave the house: no more digits than were measured."""

from __future__ import annotations

from typing import Any

import geopandas as gpd
import pandas as pd

DECIMALS = {"share": 4, "m2": 1, "km2": 3, "km": 2, "s": 1, "m": 2}
"""Digits after the point by the unit in a column's name (``walk_s_median``, ``share_wet``); the first that is in it."""


def decimals(column: str) -> int | None:
    """Digits after the point for a column; None: as it is."""
    words = column.split("_")
    if "per" in words:
        return 2
    return next((digits for unit, digits in DECIMALS.items() if unit in words), None)


def rounded(column: str, value: Any) -> Any:
    """One value of a column, a measure to what it is worth."""
    digits = decimals(column)
    return round(value, digits) if isinstance(value, float) and digits is not None else value


def attributes(frame: gpd.GeoDataFrame) -> pd.DataFrame:
    """The columns of a layer without its geometry, measures rounded to what they are worth."""
    plain = pd.DataFrame(frame.drop(columns=frame.geometry.name))
    measures = [str(name) for name, kind in plain.dtypes.items() if kind.kind == "f"]
    return plain.round({name: digits for name in measures if (digits := decimals(name)) is not None})


def records(frame: gpd.GeoDataFrame) -> list[dict[str, Any]]:
    """The rows of ``attributes`` as plain values; NaN where a measure is missing."""
    plain = attributes(frame)
    names = [str(name) for name in plain.columns]
    return [dict(zip(names, row, strict=True)) for row in zip(*(plain[name].tolist() for name in names), strict=True)]
