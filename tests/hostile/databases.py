"""GeoPackages: views that never end, triggers, other databases, tables that are none, blobs that lie."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

from tests.hostile import seeds
from tests.hostile.maker import case, hostile

ENDLESS = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT x AS fid, x AS geom FROM c"


def changed(*statements: str) -> Callable[[Path], None]:
    """The sound GeoPackage after these statements."""

    def make(path: Path) -> None:
        path.write_bytes(seeds.gpkg())
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            database.execute("PRAGMA writable_schema = ON")
            for statement in statements:
                database.executescript(statement)

    return make


def schema(old: str, new: str) -> str:
    """Rewrite what the file says its tables are."""
    return f"UPDATE sqlite_master SET sql = replace(sql, '{old}', '{new}') WHERE name = 'shelters'"


def blob(content: bytes) -> str:
    return f"UPDATE shelters SET geom = x'{content.hex()}' WHERE fid = 2"


def registered(view: str) -> tuple[str, ...]:
    return (
        f"UPDATE gpkg_contents SET table_name = '{view}'; UPDATE gpkg_geometry_columns SET table_name = '{view}';"
        "DROP TABLE IF EXISTS gpkg_ogr_contents",
    )


HEAD = b"GP\0\1" + struct.pack("<i", 4326)
POLYGONS = struct.pack("<BIII", 1, 3, 0xFFFFFFFF, 0xFFFFFFFF)
COLUMNS = ", ".join(f"c{i} TEXT" for i in range(1900))
MADE: dict[str, tuple[str, str, tuple[str, ...]]] = {
    "view.gpkg": ("time: a view that never ends", "unreadable", (f"CREATE VIEW v AS {ENDLESS}", *registered("v"))),
    "view_beside.gpkg": (
        "time: a view that never ends beside the table",
        "unreadable",
        (f"CREATE VIEW v AS {ENDLESS}",),
    ),
    "contents.gpkg": (
        "time: the list of tables is a view that never ends",
        "unreadable",
        (
            "ALTER TABLE gpkg_contents RENAME TO old",
            "CREATE VIEW gpkg_contents AS WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT old.* "
            "FROM old, c ORDER BY x DESC",
        ),
    ),
    "sorted_view.gpkg": (
        "time: a join of 10^18 rows",
        "unreadable",
        (
            "CREATE VIEW v AS SELECT a.fid, a.geom, a.name FROM shelters a, "
            + ", ".join(f"shelters b{i}" for i in range(22)),
            *registered("v"),
        ),
    ),
    "trigger.gpkg": (
        "files: a trigger that writes",
        "unreadable",
        ("CREATE TRIGGER t AFTER UPDATE ON shelters BEGIN DELETE FROM shelters; END",),
    ),
    "function.gpkg": (
        "files: a view that calls load_extension and readfile",
        "unreadable",
        ("CREATE VIEW v AS SELECT fid, geom, load_extension('./evil') AS name FROM shelters", *registered("v")),
    ),
    "virtual.gpkg": (
        "files: a virtual table over a file",
        "unreadable",
        (
            "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING "
            "VirtualText(''../secret.txt'', ''UTF-8'', 1, COMMA)')",
            *registered("v"),
        ),
    ),
    "ogr_virtual.gpkg": (
        "network: a virtual table of GDAL's over an address",
        "unreadable",
        (
            "INSERT INTO sqlite_master VALUES ('table', 'v', 'v', 0, 'CREATE VIRTUAL TABLE v USING "
            "VirtualOGR(''http://127.0.0.1:9/a.geojson'')')",
            *registered("v"),
        ),
    ),
    "master.gpkg": ("reader: the table of tables as a layer", "unreadable", registered("sqlite_master")),
    "no_table.gpkg": ("reader: a layer that is not there", "unreadable", registered("nowhere")),
    "quotes.gpkg": (
        "SQL: a name that ends the statement",
        "accepted",
        (
            'ALTER TABLE shelters RENAME TO "x""; DROP TABLE gpkg_contents; --"',
            "UPDATE gpkg_contents SET table_name = 'x\"; DROP TABLE gpkg_contents; --'; "
            "UPDATE gpkg_geometry_columns SET table_name = 'x\"; DROP TABLE gpkg_contents; --'",
            "DROP TABLE gpkg_ogr_contents",
        ),
    ),
    "columns.gpkg": (
        "memory: 1 900 columns",
        "limit-properties",
        (f"CREATE TABLE wide (fid INTEGER PRIMARY KEY, geom BLOB, {COLUMNS})", *registered("wide")),
    ),
    "generated.gpkg": (
        "time: a column that is computed",
        "unreadable",
        ("ALTER TABLE shelters ADD COLUMN g BLOB GENERATED ALWAYS AS (randomblob(900000000)) VIRTUAL",),
    ),
    "text_shape.gpkg": (
        "reader: text where a shape should be",
        "unreadable",
        ("UPDATE shelters SET geom = 'POINT(1 2)'",),
    ),
    "lying_blob.gpkg": (
        "memory: an outline of four billion rings",
        "accepted:rows_without_geometry",
        (blob(HEAD + POLYGONS),),
    ),
    "deep_blob.gpkg": (
        "stack: 50 000 collections in each other",
        "accepted:rows_without_geometry",
        (blob(HEAD + struct.pack("<BII", 1, 7, 1) * 50_000 + struct.pack("<BIdd", 1, 1, 118.8, 32.05)),),
    ),
    "huge_blob.gpkg": (
        "memory: a text of 100 MB",
        "limit-text",
        ("UPDATE shelters SET name = printf('%.*c', 100000000, 'x') WHERE fid = 1",),
    ),
    "srs.gpkg": (
        "reader: a coordinate system that is noise",
        "crs",
        (
            "UPDATE gpkg_spatial_ref_sys SET definition = printf('%.*c', 1000000, '['), organization = 'x', "
            "organization_coordsys_id = 77 WHERE srs_id = 4326",
        ),
    ),
    "collation.gpkg": (
        "reader: a table sorted in a way that nobody knows",
        "accepted",
        (schema('"name" TEXT', '"name" TEXT COLLATE nobody'),),
    ),
    "check.gpkg": (
        "reader: a schema that is no SQL",
        "unreadable",
        (schema("CREATE TABLE", "CREATE GARBAGE ;; TABLE"),),
    ),
}
for _name, (_after, _ends, _statements) in MADE.items():
    hostile(_name, _after, _ends)(changed(*_statements))


def overwritten(at: int, value: bytes) -> Callable[[], bytes]:
    def content() -> bytes:
        whole = bytearray(seeds.gpkg())
        whole[at : at + len(value)] = value
        return bytes(whole)

    return content


case("application.gpkg", "reader: another program's database", "accepted", overwritten(68, b"EVIL"))
case("page_size.gpkg", "reader: pages of no size", "unreadable", overwritten(16, b"\0\0"))
case("pages.gpkg", "reader: noise for the second page", "crs", overwritten(4096, b"\xff" * 4096))
case("cut.gpkg", "reader: half a database", "unreadable", lambda: seeds.gpkg()[:40_000])
case("only_head.gpkg", "reader: sixteen bytes of a database", "unreadable", lambda: seeds.gpkg()[:16])
case("raster.gpkg", "reader: a database for a raster", "unreadable", seeds.gpkg, given="elevation")


@hostile("wal.gpkg", "files: a log of changes beside it that is noise", "unreadable")
def with_log(path: Path) -> None:
    path.write_bytes(overwritten(18, b"\x02\x02")())
    path.with_name("wal.gpkg-wal").write_bytes(b"\x37\x7f\x06\x82" + b"\xff" * 5000)
    path.with_name("wal.gpkg-shm").write_bytes(b"\xff" * 32768)


@hostile("journal.gpkg", "files: a journal beside it that names another file", "unreadable")
def with_journal(path: Path) -> None:
    path.write_bytes(seeds.gpkg())
    head = b"\xd9\xd5\x05\xf9\x20\xa1\x63\xd7" + struct.pack(">IIII", 1, 0, 24, 512) + struct.pack(">I", 4096)
    path.with_name("journal.gpkg-journal").write_bytes(head.ljust(512, b"\0") + bytes(4104))


@hostile("attach.gpkg", "files: another database by its name", "unreadable")
def attaching(path: Path) -> None:
    with closing(sqlite3.connect(path.with_name("other.db"))) as other:
        other.executescript("CREATE TABLE t (fid INTEGER PRIMARY KEY, geom BLOB); INSERT INTO t VALUES (1, x'00')")
    view = "INSERT INTO sqlite_master VALUES ('view', 'v', 'v', 0, 'CREATE VIEW v AS SELECT * FROM other.t')"
    changed(view, *registered("v"))(path)
