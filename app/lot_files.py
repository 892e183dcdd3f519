"""Files of lots judged row by row: what was given comes back whole, with the verdict of each lot beside it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import geopandas as gpd
import orjson
import pandas as pd
import shapely

from app import site_told, sites
from app.export import sheets
from app.export.geojson import features
from app.site_schemas import PlannedIn
from app.sites import Asked, Many
from app.store import files
from app.store.tables import laid_out
from data import lots
from data.extents import in_degrees
from data.lots import Lots
from geo.errors import RenxingError
from geo.land import Land

CSV = ".csv"


def read(path: Path, land: Land, *, crs: str | None, columns: Mapping[str, str]) -> Lots:
    """The lots of a file in the land's CRS."""
    west, south, east, north = shapely.bounds(land.ground).tolist()
    near = in_degrees((west, south, east, north), crs=land.crs, where="study")
    return lots.read(path, into=land.crs, near=near, crs=crs, columns=columns)


def judged(found: Lots, usual: PlannedIn, land: Land) -> Many:
    """What becomes of each lot; its own columns say what is planned, else ``usual``."""
    columns = {ours: found.table[theirs].tolist() for ours, theirs in found.columns.items()}
    said = (dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)) if columns else None
    rows = said or ({} for _ in range(len(found.table)))
    pairs = zip(found.table.index, found.table.geometry, rows, strict=True)
    return sites.judged([_asked(int(number) + 1, shape, row, usual, land) for number, shape, row in pairs], land)


def _asked(number: int, shape: object, row: Mapping[str, object], usual: PlannedIn, land: Land) -> Asked | RenxingError:
    where = f"row {number}"
    try:
        known = {name: value for name, value in row.items() if not pd.isna(value)}  # type: ignore[call-overload]
        what = sites.of_row(known, usual, land, where=where)
        return Asked(sites.on_the_ground(shape, land, where), what)
    except RenxingError as error:
        return error


def with_verdicts(found: Lots, many: Many) -> gpd.GeoDataFrame:
    """The file's rows and columns, and the columns of the verdict; a column of the same name becomes ``…_given``."""
    told = pd.DataFrame(site_told.judgements(many), index=found.table.index)
    given = found.table.rename(columns={name: f"{name}{site_told.GIVEN}" for name in told if name in found.table})
    shapes = given.geometry
    whole = pd.concat([pd.DataFrame(given.drop(columns=shapes.name)), told], axis=1)
    return gpd.GeoDataFrame(whole, geometry=shapes.to_numpy(), crs=found.table.crs)


def write(table: gpd.GeoDataFrame, out: Path) -> None:
    """Lots with their verdicts as GeoJSON or CSV (by the ending), longitude and latitude."""
    degrees = laid_out(table)
    with files.storing(out):
        files.write(out, sheets.written(degrees) if out.suffix.lower() == CSV else _geojson(degrees))


def _geojson(table: gpd.GeoDataFrame) -> bytes:
    found = {"type": "FeatureCollection", "features": features(table)}
    return orjson.dumps(found, default=str, option=orjson.OPT_SERIALIZE_NUMPY | orjson.OPT_NON_STR_KEYS)
