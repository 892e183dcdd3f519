"""A layer held open: columns as the run keeps them, shapes as WKB with their boxes; rows become features on demand."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property, lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import shapely
from numpy.typing import NDArray

from app.ogc.crs import Crs
from geo.errors import Fault, NotFoundError

Kind = Literal["text", "number", "integer", "bool", "date", "instant", "none"]
"""What a column holds; ``none``: no row has a value."""
Rows = NDArray[np.int64]
AT_ONCE = 20_000
"""Shapes that are decoded at the same time when their boxes are measured."""
GEOMETRY = "geometry"


def kind_of(type_: pa.DataType) -> Kind:
    """What a column of this type holds."""
    kinds: list[tuple[Any, Kind]] = [
        (pa.types.is_boolean, "bool"), (pa.types.is_integer, "integer"), (pa.types.is_floating, "number"),
        (pa.types.is_null, "none"), (pa.types.is_date, "date"), (pa.types.is_timestamp, "instant"),
    ]  # fmt: skip
    return next((kind for test, kind in kinds if test(type_)), "text")


@dataclass(frozen=True)
class Described:
    """The columns of a layer with what they hold, known without reading its rows; ``geometry`` is not among them."""

    columns: Mapping[str, Kind]


@lru_cache(maxsize=4096)
def described(path: Path) -> Described:
    """The columns of a table of a run, which never changes."""
    schema = pq.read_schema(path)
    return Described({field.name: kind_of(field.type) for field in schema if field.name != _geometry(schema)})


@dataclass(frozen=True, eq=False)
class Table:
    """Columns (n rows) by name, texts as dictionaries; ``wkb`` (n,) and ``boxes`` (4, n) in degrees, NaN for no shape.

    ``key`` is the column that names the rows, empty where none does: then they are numbered from 1.
    """

    columns: Mapping[str, pa.Array]
    wkb: pa.Array
    boxes: NDArray[np.float64]
    key: str

    def __repr__(self) -> str:
        return f"Table({len(self)} rows, {len(self.columns)} columns, {self.nbytes / 1e6:.1f} MB)"

    def __len__(self) -> int:
        return len(self.wkb)

    @property
    def nbytes(self) -> int:
        """The memory it takes (bytes)."""
        return int(sum(column.nbytes for column in self.columns.values()) + self.wkb.nbytes + self.boxes.nbytes)

    def kind(self, name: str) -> Kind:
        """What a column holds."""
        return kind_of(_plain_type(self.columns[name].type))

    @cached_property
    def _batch(self) -> pa.RecordBatch:
        """The columns as one, from which rows are taken at once."""
        return pa.RecordBatch.from_arrays(list(self.columns.values()), list(self.columns))

    def shapes(self, rows: Rows) -> NDArray[np.object_]:
        """The shapes of some rows (longitude, latitude); None where there is none."""
        found = shapely.from_wkb(self.wkb.take(pa.array(rows)).to_numpy(zero_copy_only=False))
        return np.asarray(np.where(shapely.is_empty(found), None, found), dtype=object)

    def features(self, rows: Rows, crs: Crs) -> list[dict[str, Any]]:
        """Some rows as GeoJSON features with their coordinates in ``crs``; what is not known is NaN or None."""
        shapes = shapely.to_geojson(crs.from_degrees(self.shapes(rows)))
        values = [_values(column) for column in self._batch.take(pa.array(rows)).columns]
        told = zip(*values, strict=True) if values else iter([()] * len(rows))
        return [
            {"type": "Feature", "id": name, "geometry": None if shape is None else orjson.Fragment(shape),
             "properties": dict(zip(self.columns, row, strict=True))}
            for name, shape, row in zip(self.ids(rows), shapes, told, strict=True)
        ]  # fmt: skip

    def ids(self, rows: Rows) -> list[str] | list[int]:
        """What names some rows."""
        return _values(self.columns[self.key].take(pa.array(rows))) if self.key else (rows + 1).tolist()

    def row(self, name: str) -> int:
        """The row of this name; NotFoundError when there is none."""
        found = self._row(name)
        if found < 0:
            raise NotFoundError(Fault("the id of a feature of this collection", repr(name[:80])))
        return found

    def _row(self, name: str) -> int:
        if not self.key:
            number = int(name) if name.isascii() and name.isdecimal() and len(name) < 12 else 0
            return number - 1 if str(number) == name and number <= len(self) else -1
        column = self.columns[self.key]
        at = pc.index(column.dictionary, name).as_py()
        return int(pc.index(column.indices, at).as_py()) if at >= 0 else -1


def opened(path: Path) -> Table:
    """A table of a run, opened."""
    schema = pq.read_schema(path)
    geometry = _geometry(schema)
    texts = [field.name for field in schema if kind_of(field.type) == "text" and field.name != geometry]
    # Not read_table: its data sets and threads cost 60 MB more.
    with pq.ParquetFile(path, read_dictionary=texts) as file:
        whole = file.read(use_threads=False).unify_dictionaries()
    wkb = _joined(whole[geometry]).cast(pa.binary())
    columns = {name: _known(_joined(whole[name])) for name in whole.column_names if name != geometry}
    return Table(columns, wkb, _boxes(wkb), _key(columns))


def _geometry(schema: pa.Schema) -> str:
    said = (schema.metadata or {}).get(b"geo", b"{}")
    return str(orjson.loads(said).get("primary_column", GEOMETRY))


def _joined(column: pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)


def _known(column: pa.Array) -> pa.Array:
    """The column with null for every value that is no number."""
    if not pa.types.is_floating(column.type):
        return column
    return pc.if_else(pc.is_nan(column), pa.scalar(None, column.type), column)


def _key(columns: Mapping[str, pa.Array]) -> str:
    """The first column whose name ends in ``_id`` when it names every row alone."""
    name = next((name for name in columns if name.endswith("_id")), "")
    if not name or not pa.types.is_dictionary(columns[name].type) or columns[name].null_count:
        return ""
    column = columns[name]
    return name if pc.count_distinct(column.indices).as_py() == len(column) else ""


def _boxes(wkb: pa.Array) -> NDArray[np.float64]:
    parts = [
        shapely.bounds(shapely.from_wkb(wkb[start : start + AT_ONCE].to_numpy(zero_copy_only=False)))
        for start in range(0, len(wkb), AT_ONCE)
    ]
    return np.ascontiguousarray(np.concatenate([np.empty((0, 4)), *parts]).T)


def _plain_type(type_: pa.DataType) -> pa.DataType:
    return type_.value_type if pa.types.is_dictionary(type_) else type_


def _values(column: pa.Array) -> list[Any]:
    """Values as Python has them; a number that is not known is NaN, anything else None."""
    if pa.types.is_dictionary(column.type):
        column = column.dictionary_decode()
    plain = pa.types.is_floating(column.type) or pa.types.is_string(column.type) or not column.null_count
    if plain and not pa.types.is_temporal(column.type):
        return list(column.to_numpy(zero_copy_only=False).tolist())
    return list(column.to_pylist())
