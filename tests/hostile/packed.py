"""FlatGeobuf and Parquet: lengths that lie, and much from little."""

from __future__ import annotations

import io
import json
import pickle
import struct
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import shapely

from tests.hostile import seeds
from tests.hostile.maker import case


def fgb(at: int, value: bytes) -> Callable[[], bytes]:
    def content() -> bytes:
        whole = bytearray(seeds.fgb())
        whole[at : at + len(value)] = value
        return bytes(whole)

    return content


def parquet(table: pa.Table, **how: object) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(table, buffer, **how)
    return buffer.getvalue()


def repeated(rows: int) -> bytes:
    """So many rows of one place: a few bytes for as many as one likes."""
    place = shapely.to_wkb(shapely.Point(118.8, 32.05))
    one = pa.DictionaryArray.from_arrays(pa.array(np.zeros(1 << 20, np.int32)), pa.array([place]))
    table = pa.table({"geometry": pa.chunked_array([one] * (rows >> 20))})
    return parquet(table, use_dictionary=True, compression="zstd")


def with_text(size: int) -> bytes:
    """One long text for each of many rows, kept once."""
    text = pa.DictionaryArray.from_arrays(pa.array(np.zeros(100_000, np.int32)), pa.array(["x" * size]))
    table = pa.table({"name": text, "lon": np.full(100_000, 118.8), "lat": np.full(100_000, 32.05)})
    return parquet(table, use_dictionary=True, compression="zstd")


def with_geo(said: object) -> bytes:
    table = pq.read_table(io.BytesIO(seeds.parquet()))
    text = said if isinstance(said, bytes) else json.dumps(said).encode()
    return parquet(table.replace_schema_metadata({b"geo": text}))


def extension() -> bytes:
    """A column that says it is of a Python class, pickled."""

    class Touch:
        def __reduce__(self) -> tuple[object, tuple[str]]:
            return print, ("owned",)

    said = {b"ARROW:extension:name": b"arrow.py_extension_type", b"ARROW:extension:metadata": pickle.dumps(print)}
    field = pa.field("geometry", pa.binary(), metadata=said)
    table = pa.table([pa.array([shapely.to_wkb(shapely.Point(118.8, 32.05))])], schema=pa.schema([field]))
    return parquet(table.replace_schema_metadata({b"PANDAS_ATTRS": pickle.dumps([1]), b"pandas": b'{"columns": 5}'}))


def footer(length: int) -> bytes:
    whole = seeds.parquet()
    return whole[:-8] + struct.pack("<I", length) + b"PAR1"


def wkb(content: bytes) -> bytes:
    return parquet(pa.table({"geometry": pa.array([content], pa.binary())}))


GEO = {
    "version": "1.0.0",
    "primary_column": "geometry",
    "columns": {"geometry": {"encoding": "WKB", "geometry_types": []}},
}
case("rows.fgb", "memory: says 2^60 rows", "unreadable", fgb(8, struct.pack("<I", 0x7FFFFFFF)))
case("head_length.fgb", "memory: a header of two gigabytes", "unreadable", fgb(8, struct.pack("<I", 0x7FFFFFF0)))
case("noise.fgb", "reader: noise behind the header", "unreadable", lambda: seeds.fgb()[:400] + b"\xff" * 2000)
case(
    "index.fgb",
    "reader: an index that points anywhere",
    "unreadable",
    lambda: seeds.fgb()[:900] + b"\x7f" * 200 + seeds.fgb()[1100:],
)
case("cut.fgb", "reader: half a file", "unreadable", lambda: seeds.fgb()[:1500])
case("rows.parquet", "memory: 10^9 rows in a few kB", "limit-features", lambda: repeated(1 << 30))
case(
    "text.parquet", "memory: 50 GB of text in a few kB", "limit-memory", lambda: with_text(2 << 20), given=seeds.PLACES
)
case("geo_noise.parquet", "reader: a description that is no JSON", "unreadable", lambda: with_geo(b"{[\xff"))
case(
    "geo_types.parquet",
    "reader: a description of other types",
    "unreadable",
    lambda: with_geo({"version": 5, "primary_column": ["a"], "columns": "geometry"}),
)
case(
    "geo_column.parquet",
    "reader: a description of a column that is not there",
    "unreadable",
    lambda: with_geo({**GEO, "primary_column": "nowhere"}),
)
case(
    "geo_crs.parquet",
    "network: a coordinate system by address",
    "unreadable",
    lambda: with_geo(
        {
            **GEO,
            "columns": {
                "geometry": {
                    "encoding": "WKB",
                    "geometry_types": [],
                    "crs": {"type": "GeographicCRS", "href": "http://127.0.0.1:9/"},
                }
            },
        }
    ),
)
case("pickle.parquet", "code: objects of Python", "crs", extension)
case("footer.parquet", "memory: an end of four gigabytes", "unreadable", lambda: footer(0xFFFFFFFF))
case("footer0.parquet", "reader: an end of nothing", "unreadable", lambda: footer(0))
case("noise.parquet", "reader: noise between the marks", "unreadable", lambda: b"PAR1" + b"\xff" * 2000 + b"PAR1")
case(
    "columns.parquet",
    "memory: 2 000 columns",
    "limit-properties",
    lambda: parquet(pa.table({f"c{i}": [1] for i in range(2000)})),
)
case(
    "lying.parquet",
    "memory: an outline of four billion points",
    "crs",
    lambda: wkb(struct.pack("<BIII", 1, 3, 1, 0xFFFFFFFF)),
)
case(
    "deep.parquet",
    "stack: 100 000 collections in each other",
    "limit-depth",
    lambda: wkb(struct.pack("<BII", 1, 7, 1) * 100_000 + struct.pack("<BIdd", 1, 1, 118.8, 32.05)),
)
case(
    "nested.parquet",
    "reader: lists in lists for columns",
    "accepted",
    lambda: parquet(pa.table({"lon": [118.8], "lat": [32.05], "name": [[[{"a": [1, 2]}]]], "m": [{"k": b"\xff"}]})),
    given=seeds.PLACES,
)
