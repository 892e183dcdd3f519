"""A layer as CSV that a spreadsheet opens with Chinese intact and without running anything."""

from __future__ import annotations

import csv
import io

import geopandas as gpd
import numpy as np
import shapely

from app.export.values import attributes
from app.store import Run

BOM = "\ufeff"
FORMULA = ("=", "+", "-", "@", "\t", "\r", "\n", "＝", "＋", "－", "＠")
"""A text that starts so would be run as a formula by a spreadsheet (the wide signs in an East Asian one); it gets an
apostrophe in front."""


def as_csv(run: Run, layer: str) -> bytes:
    """One table layer as UTF-8 CSV."""
    return written(run.table(layer))


def written(frame: gpd.GeoDataFrame) -> bytes:
    """A table in degrees as CSV: its columns, then ``lon`` and ``lat`` of a point inside each feature (degrees).

    A feature that is nowhere, such as a circle that reaches nothing, has none.
    """
    plain = attributes(frame)
    shapes = np.array(frame.geometry.to_numpy(), dtype=object)
    shapes[shapely.is_empty(shapes)] = None
    inside = shapely.point_on_surface(shapes)
    plain = plain.assign(lon=shapely.get_x(inside).round(7), lat=shapely.get_y(inside).round(7))
    text = plain.select_dtypes(["object", "str", "category"]).columns
    plain = plain.assign(**{name: plain[name].map(_harmless) for name in text})
    buffer = io.StringIO()
    plain.to_csv(buffer, index=False, lineterminator="\r\n", quoting=csv.QUOTE_MINIMAL)
    return (BOM + buffer.getvalue()).encode()


def _harmless(value: object) -> object:
    return f"'{value}" if isinstance(value, str) and value.startswith(FORMULA) else value
