"""A layer as PMTiles: a map of it for any web page or desktop, without a server."""

from __future__ import annotations

import io

import geopandas as gpd
import pandas as pd

from app.store import Run
from tiles import archive
from tiles.archive import ArchiveParams
from tiles.source import prepare


def as_pmtiles(run: Run, layer: str, *, params: ArchiveParams | None = None) -> bytes:
    """One table layer with all its columns as an archive of vector tiles, to zoom 15 where they are not too many."""
    path, columns = run.file(layer, "table"), run.layer(layer).columns

    def column(name: str) -> pd.Series:
        return pd.read_parquet(path, columns=[name])[name]

    source = prepare(layer, gpd.read_parquet(path, columns=["geometry"]), columns=columns, read=column)
    file = io.BytesIO()
    name, credit = f"{run.record.study_id}, {layer}", "; ".join(run.record.attribution)
    archive.write(file, [source], name=name, attribution=credit, params=params or ArchiveParams())
    return file.getvalue()
