"""Tables with geometry from files: GeoJSON, GeoPackage, Shapefile (zipped or with its companions), FlatGeobuf,
GeoParquet, and CSV with longitude and latitude.

The form is told by the first bytes, never by the name alone, and only these forms are opened.
"""

from __future__ import annotations

import csv
import io
import zipfile
from collections.abc import Iterable, Mapping
from pathlib import Path

import geopandas as gpd
import numpy as np
import pandas as pd
import pyogrio
import shapely
from pyogrio.errors import DataSourceError

from data.extents import in_degrees
from geo.crs import known
from geo.errors import ColumnError, CrsError, Fault, FileMissingError, LimitError, UnreadableError, refuse

FEATURES_MAX, VERTICES_MAX, COLUMNS_MAX = 2_000_000, 20_000_000, 256
IN_ZIP = (".shp", ".geojson", ".gpkg")
UNPACKED_MAX, UNPACKED_RATIO_MAX, ENTRIES_MAX = 2 << 30, 100, 200
EMPTY = "an empty file"
EXPECTED = "a GeoJSON, GeoPackage, Shapefile (zipped), FlatGeobuf, GeoParquet or CSV file"
LONGITUDE = ("lon", "lng", "longitude", "x", "经度", "経度")
LATITUDE = ("lat", "latitude", "y", "纬度", "緯度")
ENCODINGS = ("utf-8-sig", "gb18030")
"""What a CSV may be written in, tried in this order: GB 18030 reads GBK and GB 2312 as well."""
_MAGIC = {
    b"SQLite format 3\0": "gpkg", b"\0\0\x27\x0a": "shp", b"fgb\x03": "fgb", b"PAR1": "parquet", b"PK\x03\x04": "zip",
    b"II*\0": "raster", b"MM\0*": "raster",
}  # fmt: skip


def read(
    path: str | Path, *, crs: str | None = None, columns: Mapping[str, str] | None = None, into: str | None = None
) -> gpd.GeoDataFrame:
    """The file's one table, its geometry flat (no z), in the CRS ``into`` (default: its own).

    ``crs`` is the file's CRS where it says none, or a wrong one; a CSV always needs it. ``columns`` renames: target to
    the file's own name. Raises FileMissingError, UnreadableError, LimitError, CrsError and ColumnError.
    """
    path = Path(path)
    form = _form(path)
    frame = _csv(path, columns or {}) if form == "csv" else _opened(path, form)
    frame = _located(_renamed(frame, columns or {}, path), crs, path)
    if shapely.get_num_coordinates(frame.geometry.to_numpy()).sum() > VERTICES_MAX:
        raise LimitError(Fault(f"at most {VERTICES_MAX:,} vertices", "more", str(path), "Simplify or cut it."))
    frame = frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs)
    return frame if into is None else frame.to_crs(into)


def _form(path: Path) -> str:
    if not path.exists():
        raise FileMissingError(Fault(EXPECTED, "no such file", str(path), "Check the path."))
    if not path.is_file():
        raise UnreadableError(Fault(EXPECTED, "a folder", str(path)))
    with path.open("rb") as stream:
        start = stream.read(1024)
    form = next((form for magic, form in _MAGIC.items() if start.startswith(magic)), None)
    if form is None:
        form = _text_form(start)
    if form in (None, "raster"):
        found = "a raster" if form else f"something else, beginning {start[:12]!r}" if start else EMPTY
        raise UnreadableError(Fault(EXPECTED, found, str(path)))
    return str(form)


def _text_form(start: bytes) -> str | None:
    """``json`` or ``csv``; None for what is neither."""
    text = start.removeprefix(b"\xef\xbb\xbf").lstrip()
    if text.startswith((b"{", b"[")):
        return "json"
    if not text or b"\0" in start or text.startswith(b"<"):
        return None
    return "csv" if b"\n" in text or b"," in text else None


def _opened(path: Path, form: str) -> gpd.GeoDataFrame:
    if form == "parquet":
        return _parquet(path)
    source = in_zip(path) if form == "zip" else str(path)
    if form == "shp":
        _require_companions(path)
    try:
        layer = _one_layer(source, path)
        info = pyogrio.read_info(source, layer=layer)
        _check_size(info["features"], len(info["fields"]), path)
        return pyogrio.read_dataframe(source, layer=layer)
    except (DataSourceError, ValueError, UnicodeDecodeError) as error:
        raise UnreadableError(Fault(EXPECTED, f"“{error}”", str(path), "Export it again.")) from error


def _one_layer(source: str, path: Path) -> str:
    """The name of the file's one layer with geometry."""
    layers = [str(name) for name, geometry in pyogrio.list_layers(source) if geometry is not None]
    if len(layers) != 1:
        found = f"{len(layers)} ({', '.join(layers[:5])})" if layers else "none"
        raise UnreadableError(Fault("one layer with geometry", found, str(path), "Save the layer alone."))
    return layers[0]


def _check_size(features: int, columns: int, path: Path) -> None:
    faults = []
    if features > FEATURES_MAX:
        faults.append(Fault(f"at most {FEATURES_MAX:,} rows", f"{features:,}", str(path), "Cut it to the study."))
    if columns > COLUMNS_MAX:
        faults.append(Fault(f"at most {COLUMNS_MAX} columns", f"{columns}", str(path), "Leave out what is not needed."))
    refuse(LimitError, faults)


def _parquet(path: Path) -> gpd.GeoDataFrame:
    try:
        frame = gpd.read_parquet(path)
    except (ValueError, OSError) as error:
        raise UnreadableError(Fault("a GeoParquet file", f"“{error}”", str(path), "Export it again.")) from error
    _check_size(len(frame), len(frame.columns), path)
    return frame


def _require_companions(path: Path) -> None:
    lacking = [end for end in (".shx", ".dbf") if not path.with_suffix(end).exists()]
    if lacking:
        cure = "Zip all its files together and give the zip."
        raise UnreadableError(Fault("a Shapefile with its .shx and .dbf", f"no {', '.join(lacking)}", str(path), cure))


def in_zip(path: Path, endings: tuple[str, ...] = IN_ZIP) -> str:
    """The one file of these endings in a zip, as GDAL names it; refuses bombs before anything is unpacked."""
    try:
        with zipfile.ZipFile(path) as archive:
            entries = archive.infolist()
    except zipfile.BadZipFile as error:
        raise UnreadableError(Fault("a zip file", f"“{error}”", str(path), "Zip it again.")) from error
    unpacked = sum(entry.file_size for entry in entries)
    if len(entries) > ENTRIES_MAX or unpacked > min(UNPACKED_MAX, UNPACKED_RATIO_MAX * path.stat().st_size + (1 << 20)):
        found = f"{len(entries)} files, {unpacked:,} bytes unpacked"
        raise LimitError(Fault("a zip of one layer", found, str(path), "Zip the layer alone."))
    inside = [e.filename for e in entries if e.filename.lower().endswith(endings)]
    inside = [name for name in inside if not name.startswith("__MACOSX")]
    if len(inside) != 1:
        found = f"{len(inside)} ({', '.join(inside[:5])})"
        raise UnreadableError(Fault(f"one file {', '.join(endings)} in the zip", found, str(path), "Zip it alone."))
    return f"/vsizip/{path}/{inside[0]}"


def _csv(path: Path, columns: Mapping[str, str]) -> gpd.GeoDataFrame:
    """Rows as points; longitude and latitude are found by name or by the mapping ``lon=`` and ``lat=``."""
    text = _decoded(path)
    try:
        dialect = csv.Sniffer().sniff(text[:5000], delimiters=",;\t|")
        separator = dialect.delimiter
    except csv.Error:
        separator = ","
    try:
        table = pd.read_csv(io.StringIO(text), sep=separator, dtype_backend="numpy_nullable", skipinitialspace=True)
    except (pd.errors.ParserError, pd.errors.EmptyDataError) as error:
        raise UnreadableError(Fault("a CSV table", f"“{error}”", str(path), "Save it again as CSV.")) from error
    _check_size(len(table), len(table.columns), path)
    lon = _coordinate(table, columns.get("lon"), LONGITUDE, path)
    lat = _coordinate(table, columns.get("lat"), LATITUDE, path)
    points = np.full(len(table), None, dtype=object)
    there = np.isfinite(lon + lat)
    points[there] = shapely.points(lon[there], lat[there])
    return gpd.GeoDataFrame(table, geometry=points)


def _decoded(path: Path) -> str:
    content = path.read_bytes()
    for encoding in ENCODINGS:
        try:
            return content.decode(encoding)
        except UnicodeDecodeError:
            continue
    found = "bytes that are none of these"
    raise UnreadableError(Fault(f"text in {', '.join(ENCODINGS)}", found, str(path), "Save it as UTF-8."))


def _coordinate(table: pd.DataFrame, named: str | None, usual: Iterable[str], path: Path) -> np.ndarray:
    name = named or next((c for c in table.columns if str(c).strip().lower() in usual), None)
    if name is None or name not in table.columns:
        wanted = next(iter(usual))
        found = f"columns {', '.join(map(str, table.columns))}"
        raise ColumnError(Fault(f"a column {wanted}", found, str(path), f"Map it with --map {wanted}=COLUMN."))
    return pd.to_numeric(table[name], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)


def _renamed(frame: gpd.GeoDataFrame, columns: Mapping[str, str], path: Path) -> gpd.GeoDataFrame:
    wanted = {target: name for target, name in columns.items() if target not in ("lon", "lat")}
    there = f"columns {', '.join(str(c) for c in frame.columns if c != frame.geometry.name)}"
    refuse(ColumnError, [
        Fault(f"a column {name!r} to use as {target}", there, str(path), "Check --map.")
        for target, name in wanted.items() if name not in frame.columns
    ])  # fmt: skip
    copies = {target: frame[name] for target, name in wanted.items()}
    gone = [name for name in frame.columns if name in {*wanted, *wanted.values()}]
    return frame.drop(columns=gone).assign(**copies)


def _located(frame: gpd.GeoDataFrame, crs: str | None, path: Path) -> gpd.GeoDataFrame:
    """The frame in the CRS that was given or that it says, its coordinates plausible there."""
    if crs is not None:
        frame = frame.set_crs(known(crs, where=str(path)), allow_override=True)
    if frame.crs is None:
        cure = "Name it with --crs EPSG:N (GPS and OpenStreetMap: EPSG:4326)."
        raise CrsError(Fault("a coordinate system", "none in the file", str(path), cure))
    shapes = frame.geometry.to_numpy()
    if not (shapely.is_missing(shapes) | shapely.is_empty(shapes)).all():
        bounds = tuple(float(b) for b in frame.total_bounds)
        in_degrees((bounds[0], bounds[1], bounds[2], bounds[3]), crs=frame.crs.to_string(), where=str(path))
    return frame
