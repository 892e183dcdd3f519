"""Tables with geometry from files: GeoJSON, TopoJSON, GeoPackage, Shapefile (zipped or with its companions),
FlatGeobuf, GeoParquet, CSV and Excel with longitude and latitude or WKT.

The form is told by the first bytes, never by the name alone, and only its one driver opens it.
"""

from __future__ import annotations

import tempfile
import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import orjson
import pandas as pd
import pyarrow.parquet
import pyogrio
import shapely

from data import coordinates, depth, encodings, forms, geopackages, limits, located, numbers, rows, shapefiles, sheets
from data.archives import taken_out
from data.choosing import chosen
from data.forms import EXPECTED
from data.headers import usual
from data.joined import Joined
from data.located import Near
from geo.errors import ColumnError, Fault, RenxingError, UnreadableError, refuse
from geo.reasons import Finding

BREAKS = (
    RuntimeError, ValueError, TypeError, LookupError, NameError, AttributeError, OSError, shapely.errors.ShapelyError,
)  # fmt: skip
"""What readers raise over a broken file: GDAL and PROJ RuntimeErrors, Arrow and Python the others."""
WHOLE = frozenset({"csv", "xlsx", *forms.PREFIXED})
"""Forms that are read as a whole before anything is known of them."""
TABLE = "table"
"""What a mapping calls the one of several layers, sheets or zipped files that is meant: ``table=roads``."""
PLACING = frozenset({*coordinates.TARGETS, TABLE})
"""What a mapping may name on its left beside our columns: where rows are, and which table."""
Join = Callable[[pd.DataFrame], Joined]
"""What lays rows that say no place on outlines they name."""
LONGITUDE, LATITUDE = (usual("place")[name].names for name in ("lon", "lat"))


@dataclass(frozen=True, eq=False)
class Read:
    """A file's one table in a known CRS, what is to be said of it, and what was done to its content.

    The index of ``table`` counts the rows as the file has them, from 0, those of a sheet with its header; a row that
    lies nowhere on earth is not there. ``conversions`` are texts such as ``gcj02 -> EPSG:4326`` and ``GB18030 ->
    UTF-8``; ``placing`` are the file's columns that say where rows are, ``choosing`` those that say which rows are
    taken; ``joined``: by the names of outlines.
    """

    table: gpd.GeoDataFrame
    path: Path
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()
    placing: tuple[str, ...] = ()
    joined: bool = False
    choosing: tuple[str, ...] = ()

    def __repr__(self) -> str:
        return f"Read({len(self.table)} rows of {self.path.name}, {self.table.crs})"

    def into(self, crs: str) -> Read:
        """The same in another CRS; rows that cannot lie there are left out, and said."""
        done = self.table.to_crs(crs)
        lost = np.isinf(shapely.bounds(np.asarray(done.geometry.to_numpy(), dtype=object))).any(axis=1)
        if not lost.any():
            return replace(self, table=done)
        where = rows.where(done, lost)
        en = f"{{n}} rows cannot lie in {crs} ({rows.listed(where)}) and are left out."
        note = rows.found("rows_off_earth", "warning", en, f"{{n}}行无法投影到{crs}，未计入。", rows=where)
        return replace(self, table=done[~lost], notes=(*self.notes, note))


@dataclass(frozen=True, eq=False)
class _Raw:
    """What stands in a file: a table whose geometry may have no CRS yet."""

    table: gpd.GeoDataFrame
    notes: tuple[Finding, ...] = ()
    conversions: tuple[str, ...] = ()
    placing: tuple[str, ...] = ()
    joined: bool = False
    choosing: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Asked:
    """What the caller says of the file: columns, rows that are taken, and what joins those without a place."""

    columns: Mapping[str, str]
    only: Sequence[str]
    join: Join | None


def read(
    path: str | Path, *, crs: str | None = None, columns: Mapping[str, str] | None = None, into: str | None = None,
    near: Near | None = None, join: Join | None = None, only: Sequence[str] = (),
) -> Read:  # fmt: skip
    """The file's one table, its geometry flat (no z), in the CRS ``into`` (default: its own).

    ``crs`` is the file's CRS (``EPSG:N``, ``gcj02``, ``bd09``) where it says none, or a wrong one; a CSV always needs
    it. ``columns`` renames: target to the file's own name, or to a sum of them (``MALE+FEM``); ``lon``, ``lat`` and
    ``wkt`` say where rows are, ``table`` which of several layers is meant. ``near`` is where the study lies, degrees:
    against it coordinates are checked. ``only`` says which rows are taken (``data.choosing``), before anything is made
    of them. ``join`` lays the rows of a table of cells that says no place on outlines; their
    CRS is theirs, whatever ``crs`` says. Raises FileMissingError, UnreadableError, LimitError, CrsError, ColumnError.
    """
    path, columns = Path(path), columns or {}
    raw = _raw(path, _Asked(columns, only, join), str(path))
    _check_size(len(raw.table), len(raw.table.columns), path)
    _require_short(raw.table, path)
    limits.VERTICES.require(int(shapely.get_num_coordinates(raw.table.geometry.to_numpy()).sum()), str(path))
    frame = _flat(_renamed(raw.table, columns, path))
    found = located.located(frame, crs=None if raw.joined else crs, near=near, into=into, where=str(path))
    notes, conversions = (*raw.notes, *found.notes), (*raw.conversions, *found.conversions)
    done = Read(found.frame, path, notes, conversions, raw.placing, raw.joined, raw.choosing)
    return done if into is None else done.into(into)


def _raw(path: Path, asked: _Asked, where: str) -> _Raw:
    """What stands in the file, of whichever form it is."""
    form = forms.told(path, where=where)
    if form == "zip":
        with taken_out(path, asked.columns.get(TABLE)) as inside:
            return _raw(inside, asked, where)
    if form in WHOLE:
        limits.FILE_SIZE.require(path.stat().st_size, where)
    if form in ("csv", "xlsx"):
        return _placed(_sheet(path, form, asked.columns.get(TABLE), where), asked, where)
    if form == "parquet":
        return _parquet(path, asked, where)
    return _some(_opened(path, form, asked.columns.get(TABLE), where), asked, where)


def _sheet(path: Path, form: str, name: str | None, where: str) -> sheets.Sheet:
    return sheets.read_csv(path, where=where) if form == "csv" else sheets.read_xlsx(path, name, where=where)


def _placed(sheet: sheets.Sheet, asked: _Asked, where: str) -> _Raw:
    """A table of cells, those of its rows that are taken, with the places that its columns say."""
    _check_size(len(sheet.table), len(sheet.table.columns), Path(where))
    some = chosen(sheet.table, asked.only, where=where)
    notes, conversions = (*sheet.notes, *some.notes), (*sheet.conversions, *some.conversions)
    if asked.join is not None and not coordinates.says(some.table, asked.columns):
        found = asked.join(some.table)
        return _Raw(found.frame, (*notes, *found.notes), conversions, found.columns, True, some.columns)
    places = coordinates.placed(some.table, asked.columns, where=where)
    crs = None if places.srid is None else f"EPSG:{places.srid}"
    table = some.table.drop(columns="geometry", errors="ignore")
    frame = gpd.GeoDataFrame(table, geometry=places.shapes, crs=crs)
    return _Raw(frame, (*notes, *places.notes), conversions, places.columns, choosing=some.columns)


def _some(raw: _Raw, asked: _Asked, where: str) -> _Raw:
    """The rows that are taken of a table that has its places already."""
    some = chosen(raw.table, asked.only, where=where)
    notes, conversions = (*raw.notes, *some.notes), (*raw.conversions, *some.conversions)
    return replace(raw, table=some.table, notes=notes, conversions=conversions, choosing=some.columns)


# -- GDAL ----------------------------------------------------------------------------------------------------------


def _opened(path: Path, form: str, layer: str | None, where: str) -> _Raw:
    """What GDAL's one driver for the form reads."""
    if form == "gpkg":
        geopackages.require_plain(path, where=where)
    if form == "shp":
        shapefiles.complete(path, where=where)
    try:
        with _as_utf8(path, form, where) as (readable, notes, conversions), _heard() as said:
            source = forms.source(readable, form)
            name = _one_layer(source, layer, where)
            encoding, more = _encoding(readable, form, where)
            frame, mended = _features(source, name, encoding, forms.DRIVERS[form], where)
            if form == "topojson":
                frame, more = _with_bare_rows_counted(frame, readable)
    except RenxingError:
        raise
    except BREAKS as error:
        found = forms.broken(error).replace(str(path), path.name)
        raise UnreadableError(Fault(EXPECTED, found, where, "Export it again.")) from error
    recoded = () if encoding in (None, encodings.UTF8) else (f"{encoding} -> UTF-8",)
    return _Raw(frame, (*notes, *more, *mended, *_told(said)), (*conversions, *recoded))


@contextmanager
def _heard() -> Iterator[list[warnings.WarningMessage]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        yield said


@contextmanager
def _as_utf8(path: Path, form: str, where: str) -> Iterator[tuple[Path, tuple[Finding, ...], tuple[str, ...]]]:
    """The file, or a copy of it in UTF-8 when it is text in another encoding."""
    content = path.read_bytes() if form in forms.PREFIXED else b""
    if encodings.fits([content], encodings.UTF8):
        yield path, (), ()
        return
    text, guess = encodings.text(content, where=where)
    with tempfile.TemporaryDirectory(prefix="renxing-") as folder:
        copy = Path(folder) / f"layer.{form}"
        copy.write_text(text, encoding="utf-8")
        yield copy, (shapefiles.assumed(guess, "file"),), (f"{guess.encoding} -> UTF-8",)


def _one_layer(source: str, wanted: str | None, where: str) -> str:
    """The name of the file's one layer with geometry, or of the one that is wanted."""
    layers = [str(name) for name, geometry in pyogrio.list_layers(source) if geometry is not None]
    if wanted is not None and wanted in layers:
        return wanted
    if len(layers) != 1:
        found = f"{len(layers)} ({', '.join(layers[:8])})" if layers else "none"
        cure = f"Name it: --map table={layers[0]}." if layers else "Save the layer alone."
        raise UnreadableError(Fault("one layer with geometry", found, where, cure))
    return layers[0]


def _features(
    source: str, layer: str, encoding: str | None, driver: str, where: str
) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    info = pyogrio.read_info(source, layer=layer, encoding=encoding)
    if info["driver"] != driver:
        raise UnreadableError(Fault(f"a file of {driver}", f"one of {info['driver']}", where, forms.SAVE_AS))
    _check_size(info["features"], len(info["fields"]), Path(where))
    read_ = partial(pyogrio.read_dataframe, source, layer=layer, encoding=encoding)
    try:
        return read_(), ()
    except shapely.errors.GEOSException:
        return _closed(read_(on_invalid="fix"), read_(on_invalid="ignore"))


def _closed(frame: gpd.GeoDataFrame, as_written: gpd.GeoDataFrame) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """Rows of which some outlines did not end where they began, and which; what is no outline even so has no place."""
    open_ = rows.where(frame, frame.geometry.notna() & as_written.geometry.isna())
    if not len(open_):
        return frame, ()
    en = f"{{n}} outlines do not end where they begin ({rows.listed(open_)}) and were closed."
    return frame, (rows.found("outlines_closed", "repaired", en, "{n}个面的边界未闭合，已闭合。", rows=open_),)


def _encoding(path: Path, form: str, where: str) -> tuple[str | None, tuple[Finding, ...]]:
    """What a Shapefile's text is written in; other forms say it themselves."""
    if form != "shp":
        return None, ()
    found = shapefiles.encoding(path, where=where)
    return found.name, found.notes


def _with_bare_rows_counted(frame: gpd.GeoDataFrame, path: Path) -> tuple[gpd.GeoDataFrame, tuple[Finding, ...]]:
    """The rows of a TopoJSON by their place in the file: its driver leaves out, unsaid, those without geometry."""
    objects = orjson.loads(path.read_bytes().removeprefix(b"\xef\xbb\xbf")).get("objects", {}).values()
    parts = [part for each in objects for part in each.get("geometries", [each])]
    bare = np.array([part.get("type") is None for part in parts], dtype=bool)
    if not bare.any() or len(parts) - bare.sum() != len(frame):
        return frame, ()
    lost = np.flatnonzero(bare)
    en = f"{{n}} rows have no place ({rows.listed(list(lost))}) and are left out."
    note = rows.found("rows_without_geometry", "warning", en, "{n}行没有位置，未计入。", rows=list(lost))
    return frame.set_index(np.flatnonzero(~bare)), (note,)


def _told(said: list[warnings.WarningMessage]) -> tuple[Finding, ...]:
    """What the driver found worth a warning."""
    texts = dict.fromkeys(str(each.message)[:300] for each in said)
    return tuple(
        Finding("reader_warned", f"The reader says: {text}", f"读取程序提示：{text}", "warning") for text in texts
    )


def _check_size(features: int, columns: int, path: Path) -> None:
    limits.FEATURES.require(features, str(path))
    limits.PROPERTIES.require(columns, str(path))


def _require_short(frame: pd.DataFrame, path: Path) -> None:
    """LimitError for a text, or a column's name, that no person wrote; UnreadableError for one that is no UTF-8."""
    names = max((len(str(name)) for name in frame.columns), default=0)
    columns = (frame.iloc[:, i] for i in range(len(frame.columns)))
    texts = (column for column in columns if column.dtype == object or column.dtype == "str")
    longest = (max((len(cell) for cell in column.array if isinstance(cell, str)), default=0) for column in texts)
    try:
        limits.TEXT.require(max(names, *longest, 0), str(path))
    except UnicodeDecodeError as error:
        raise UnreadableError(Fault("text in UTF-8", str(error), str(path), "Export it again.")) from error


# -- Parquet -------------------------------------------------------------------------------------------------------


def _parquet(path: Path, asked: _Asked, where: str) -> _Raw:
    """GeoParquet, or a plain Parquet table with a column of WKB or WKT, or longitude and latitude."""
    try:
        shape = pyarrow.parquet.read_metadata(path)
        _check_size(shape.num_rows, shape.num_columns, Path(where))
        if b"geo" in (shape.metadata or {}):
            _require_shallow(path, where)
            return _some(_Raw(gpd.read_parquet(path)), asked, where)
        plain = pyarrow.parquet.read_table(path).to_pandas(ignore_metadata=True)
    except RenxingError:
        raise
    except BREAKS as error:
        raise UnreadableError(Fault("a GeoParquet file", f"“{error}”", where, "Export it again.")) from error
    return _placed(sheets.Sheet(plain.reset_index(drop=True)), asked, where)


def _require_shallow(path: Path, where: str) -> None:
    """LimitError for shapes nested too deep, which are WKB in columns of bytes."""
    file = pyarrow.parquet.ParquetFile(path)
    binary = [part.name for part in file.schema_arrow if pyarrow.types.is_binary(part.type)]
    for batch in file.iter_batches(columns=binary) if binary else ():
        for column in batch.columns:
            depth.require_shallow(column.to_pylist(), where)


# -- columns and shapes --------------------------------------------------------------------------------------------


def _renamed(frame: gpd.GeoDataFrame, columns: Mapping[str, str], path: Path) -> gpd.GeoDataFrame:
    wanted = {target: name for target, name in columns.items() if target not in PLACING}
    there = f"columns {', '.join(str(c) for c in frame.columns if c != frame.geometry.name)}"
    sums = {name: parts for name in wanted.values() if name not in frame.columns and (parts := _parts(frame, name))}
    refuse(ColumnError, [
        Fault(f"a column {name!r} to use as {target}", there, str(path), "Check --map.")
        for target, name in wanted.items() if name not in frame.columns and name not in sums
    ])  # fmt: skip
    copies = {target: _sum(frame, sums[name]) if name in sums else frame[name] for target, name in wanted.items()}
    used = {*wanted, *wanted.values(), *(part for parts in sums.values() for part in parts)}
    return frame.drop(columns=[name for name in frame.columns if name in used]).assign(**copies)


def _parts(frame: pd.DataFrame, name: str) -> list[str]:
    """The columns that ``A+B`` adds up; empty when it is no sum of columns."""
    parts = [part.strip() for part in name.split("+")]
    return parts if len(parts) > 1 and all(part in frame.columns for part in parts) else []


def _sum(frame: pd.DataFrame, parts: list[str]) -> Any:
    """The parts of every row added up; NaN where one is not known."""
    return np.sum([numbers.read(frame[part], "people").values for part in parts], axis=0)


def _flat(frame: gpd.GeoDataFrame) -> gpd.GeoDataFrame:
    """The frame without heights."""
    return frame.set_geometry(shapely.force_2d(frame.geometry.to_numpy()), crs=frame.crs)
