"""Places from the columns of a table without geometry: longitude and latitude, both in one column, or WKT.

Degrees may be decimal (``118.79``, ``118,79``) or in minutes and seconds (``118°47'24"E``, ``东经118度47分24秒``).
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

import numpy as np
import pandas as pd
import shapely
from numpy.typing import NDArray

from data import depth, headers, numbers, rows
from geo.errors import ColumnError, Fault
from geo.reasons import Finding

Floats = NDArray[np.float64]
Shapes = NDArray[np.object_]

TARGETS = ("lon", "lat", "x", "y", "wkt", "geometry", "pair")
"""What a mapping may name on its left to say where rows are."""
PARTS = {"lon": "lon", "x": "lon", "lat": "lat", "y": "lat", "wkt": "wkt", "geometry": "wkt", "pair": "pair"}
WKT = re.compile(r"\s*(?:SRID=(\d+);)?\s*((?:MULTI)?(?:POINT|LINESTRING|POLYGON)|GEOMETRYCOLLECTION)", re.IGNORECASE)
_HEX = re.compile(r"0[01][0-9A-Fa-f]{16,}\Z")
_EAST, _NORTH, _WEST, _SOUTH = r"e|东经|東経|東經|东|東", r"n|北纬|北緯|北", r"w|西经|西経|西經|西", r"s|南纬|南緯|南"
_SIDE = rf"(?P<{{name}}>{_EAST}|{_NORTH}|{_WEST}|{_SOUTH})"
_ANGLE = re.compile(
    rf"{_SIDE.format(name='before')}?\s*(?P<minus>-)?(?P<degrees>\d{{1,3}}(?:[.,]\d+)?)\s*(?:[°度º]|(?=\s\d))?\s*"
    rf"(?:(?P<minutes>\d{{1,2}}(?:[.,]\d+)?)\s*(?:['′’分]|(?=\s\d)|\Z)\s*)?"
    rf"(?:(?P<seconds>\d{{1,2}}(?:[.,]\d+)?)\s*(?:[\"″”秒]|''|′′|’’)?)?\s*{_SIDE.format(name='after')}?\Z"
)
_BOTH = re.compile(r"\s*[(\[]?\s*(-?\d+(?:\.\d+)?)\s*[,，;；\s]\s*(-?\d+(?:\.\d+)?)\s*[)\]]?\s*\Z")


@dataclass(frozen=True, eq=False)
class Places:
    """Geometries (rows,), None where a row has none, the columns they came from, and what is to be said.

    ``srid`` is the EPSG number that WKT names, None where it names none.
    """

    shapes: Shapes
    columns: tuple[str, ...]
    notes: tuple[Finding, ...] = ()
    srid: int | None = None

    def __repr__(self) -> str:
        return f"Places({len(self.shapes)} from {', '.join(self.columns)})"


def placed(table: pd.DataFrame, columns: Mapping[str, str], *, where: str) -> Places:
    """Where the rows of a table are, by ``columns`` (``lon``, ``lat``, ``wkt``: the file's), else by usual names.

    Raises ColumnError when nothing says it.
    """
    names = chosen(table, columns)
    if "lon" in names and "lat" in names:
        return _points(table, names["lon"], names["lat"])
    if "wkt" in names:
        depth.require_shallow(table[names["wkt"]], where)
        return _from_text(table[names["wkt"]])
    if "pair" in names:
        return _pairs(table[names["pair"]])
    wanted = "lat" if "lon" in names else "lon"
    found = f"columns {', '.join(map(str, table.columns))}"
    cure = f"Map it with --map {wanted}=COLUMN (and its fellow), or --map wkt=COLUMN."
    raise ColumnError(Fault(f"a column {wanted}", found, where, cure))


def chosen(table: pd.DataFrame, columns: Mapping[str, str]) -> dict[str, str]:
    """Which columns say where rows are: ``lon``, ``lat``, ``wkt``, ``pair`` -> the table's, of those there are."""
    said = {PARTS[ours]: theirs for ours, theirs in columns.items() if ours in PARTS and theirs in table.columns}
    if {"lon", "lat"} <= said.keys() or "wkt" in said or "pair" in said:
        return said
    free = [str(name) for name in table.columns if name not in columns.values()]
    found = headers.guess(free, headers.PLACE, wanted=[p for p in ("lon", "lat", "wkt", "pair") if p not in said],
                          fits=lambda ours, theirs: _fits(table[theirs], ours)).found  # fmt: skip
    return said | dict(found)


def says(table: pd.DataFrame, columns: Mapping[str, str]) -> bool:
    """Whether columns say where rows are, or a mapping means some to."""
    names = chosen(table, columns)
    return {"lon", "lat"} <= names.keys() or bool({"wkt", "pair"} & names.keys()) or bool(PARTS.keys() & columns)


def _fits(values: pd.Series[Any], ours: str) -> bool:
    """Whether a column can be what its header says."""
    written = values[[not numbers.missing(value) for value in values]].head(50)
    if not len(written):
        return ours in ("lon", "lat")
    if ours == "wkt":
        return all(isinstance(v, bytes) or WKT.match(str(v)) or _HEX.match(str(v).strip()) for v in written)
    if ours == "pair":
        return all(_BOTH.match(str(value)) for value in written)
    return bool(np.isfinite(degrees(written)).any())


def degrees(given: pd.Series[Any]) -> Floats:
    """Coordinates (rows,) from numbers and text, decimal or in minutes and seconds; NaN where there is none."""
    if pd.api.types.is_numeric_dtype(given):
        return given.to_numpy(dtype=np.float64, na_value=np.nan)
    return np.array([np.nan if numbers.missing(value) else _angle(str(value)) for value in given], dtype=np.float64)


@lru_cache(maxsize=65536)
def _angle(text: str) -> float:
    try:
        return float(text)
    except ValueError:
        pass
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    found = _ANGLE.match(plain)
    if found is None:
        return float(numbers.read(pd.Series([plain], dtype=object)).values[0])
    whole, minutes, seconds = (float((found[part] or "0").replace(",", ".")) for part in
                               ("degrees", "minutes", "seconds"))  # fmt: skip
    if minutes >= 60 or seconds >= 60:
        return np.nan
    side = found["before"] or found["after"] or ""
    backwards = bool(found["minus"]) != bool(re.match(rf"{_WEST}|{_SOUTH}", side))
    return (-1 if backwards else 1) * (whole + minutes / 60 + seconds / 3600)


def _points(table: pd.DataFrame, lon_name: str, lat_name: str) -> Places:
    lon, lat = degrees(table[lon_name]), degrees(table[lat_name])
    lost = [note for name, found in ((lon_name, lon), (lat_name, lat)) for note in _not_understood(table[name], found)]
    return Places(_at(lon, lat), (lon_name, lat_name), tuple(lost))


def _at(x: Floats, y: Floats) -> Shapes:
    points = np.full(len(x), None, dtype=object)
    there = np.isfinite(x) & np.isfinite(y)
    points[there] = shapely.points(x[there], y[there])
    return points


def _not_understood(given: pd.Series[Any], found: Floats) -> Sequence[Finding]:
    lost = np.isnan(found) & np.array([not numbers.missing(value) for value in given], dtype=bool)
    if not lost.any():
        return ()
    return (_lost(given, lost, "coordinates_not_understood", "coordinate", "坐标"),)


def _lost(given: pd.Series[Any], lost: Any, code: str, what: str, what_zh: str) -> Finding:
    where = rows.where(given, lost)
    en = f"{{n}} values of {given.name} are no {what} ({rows.listed(where)}); these rows have no place."
    zh = f"{given.name}列有{{n}}个值不是{what_zh}，这些行没有位置。"
    return rows.found(code, "warning", en, zh, rows=where, column=str(given.name), values=given)


def _pairs(given: pd.Series[Any]) -> Places:
    """Points from ``118.79,32.05``; latitude stands first where the header says so."""
    found = [None if numbers.missing(value) else _BOTH.match(str(value)) for value in given]
    first = np.array([float(f[1]) if f else np.nan for f in found], dtype=np.float64)
    second = np.array([float(f[2]) if f else np.nan for f in found], dtype=np.float64)
    swapped = headers.plain(str(given.name)).startswith(("lat", "纬", "緯"))
    lon, lat = (second, first) if swapped else (first, second)
    return Places(_at(lon, lat), (str(given.name),), tuple(_not_understood(given, lon)))


def _from_text(given: pd.Series[Any]) -> Places:
    """Geometries from WKT, EWKT, WKB, or WKB in hexadecimal letters."""
    srids = {int(f[1]) for v in given if isinstance(v, str) and (f := WKT.match(v)) and f[1]}
    shapes = np.array([_shape(value) for value in given] or [None], dtype=object)[: len(given)]
    lost = np.array([shape is None and not numbers.missing(value) for shape, value in zip(shapes, given, strict=True)])
    notes = (_lost(given, lost, "geometry_not_understood", "geometry", "图形"),) if lost.any() else ()
    return Places(shapes, (str(given.name),), notes, srids.pop() if len(srids) == 1 else None)


def _shape(value: object) -> shapely.Geometry | None:
    if isinstance(value, bytes):
        return shapely.from_wkb(value, on_invalid="ignore")
    if not isinstance(value, str) or numbers.missing(value):
        return None
    if _HEX.match(value.strip()):
        return shapely.from_wkb(value.strip(), on_invalid="ignore")
    return shapely.from_wkt(re.sub(r"^\s*SRID=\d+;", "", value, flags=re.IGNORECASE), on_invalid="ignore")
