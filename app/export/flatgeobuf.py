"""A layer as FlatGeobuf: one file that is read in parts over HTTP, by QGIS, GDAL and browsers."""

from __future__ import annotations

import tempfile
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from app.export.values import attributes
from app.store import Run


def as_flatgeobuf(run: Run, layer: str) -> bytes:
    """One table layer with its columns, in degrees; missing values are null. Its rows are in the order of its index;
    a layer with a row that is nowhere has none, as the format cannot index such a row."""
    frame = run.table(layer)
    shapes = frame.geometry.to_numpy()
    indexed = bool(len(frame)) and not (shapely.is_missing(shapes) | shapely.is_empty(shapes)).any()
    about = {"TITLE": layer, "DESCRIPTION": "; ".join(run.record.attribution)}
    with tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        path = Path(folder, f"{layer}.fgb")
        pyogrio.write_dataframe(
            gpd.GeoDataFrame(attributes(frame), geometry=frame.geometry, crs=frame.crs), path, layer=layer,
            driver="FlatGeobuf", geometry_type=None if len(frame) else "Unknown",
            layer_options={**about, "SPATIAL_INDEX": "YES" if indexed else "NO", "TEMPORARY_DIR": folder},
        )  # fmt: skip
        return path.read_bytes()
