"""GeoPackages looked at before they are opened: a database can hold more than tables.

A view can be a question that never ends, a virtual table another file (GDAL's SQLite knows ``VirtualText`` and others),
a computed column whatever it likes. None of them is data, so a file with one is refused. SQLite is asked what is in the
file through a connection that can do nothing else, and only for a while.
"""

from __future__ import annotations

import re
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from itertools import count
from pathlib import Path

from data.forms import broken
from geo.errors import Fault, UnreadableError, refuse

CURE = "Save the layer alone as a new GeoPackage in QGIS (Export > Save Features As)."
CLOSE = "Close it in the other program (QGIS, for example) and give it again."
PLAIN = re.compile(
    r"CREATE\s+(?:TABLE|(?:UNIQUE\s+)?INDEX)\s"
    r"|CREATE\s+VIRTUAL\s+TABLE\s+(?:\"(?:[^\"]|\"\")*\"|'[^']*'|\S+)\s+USING\s+\"?rtree\W"
    r"|CREATE\s+TRIGGER\s+[\"'\[`]?(?:rtree_|gpkg_|trigger_(?:insert|delete)_feature_count_)",
    re.IGNORECASE,
)
"""How everything in a GeoPackage is described: tables, indexes, and the triggers that keep indexes and counts."""
BESIDE = ("-wal", "-journal")
"""Files beside a database that hold what another program has not put into it yet."""
STEPS, CALLS = 1000, 20_000
"""After so many steps of its machine SQLite asks whether to go on; it may so many times."""
TOLD, SHOWN = 5, 60
"""So many strange things are named, each with so much of how it is described."""


def require_plain(path: Path, *, where: str) -> None:
    """UnreadableError, with what is wrong, for a GeoPackage that holds more than tables with their indexes."""
    with _asked(path, where) as database:
        found = _strange(database)
    refuse(UnreadableError, [Fault("tables and nothing else", each, where, CURE) for each in found])


def contents(path: Path, *, where: str) -> frozenset[str]:
    """The kinds of data a GeoPackage says it holds (``features``, ``tiles``, …); none without a list.

    Raises as ``require_plain`` where the list is no plain table.
    """
    with _asked(path, where) as database:
        listed = database.execute("SELECT type FROM sqlite_master WHERE name = 'gpkg_contents'").fetchall()
        plain = listed == [("table",)]
    if not plain:
        require_plain(path, where=where)
        return frozenset()
    with _asked(path, where) as database:
        return frozenset(str(kind) for (kind,) in database.execute("SELECT DISTINCT data_type FROM gpkg_contents"))


@contextmanager
def _asked(path: Path, where: str) -> Iterator[sqlite3.Connection]:
    """A connection that changes nothing, believes nothing and gives up."""
    left = count(CALLS, -1)
    try:
        with closing(sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)) as database:
            database.set_progress_handler(lambda: next(left) <= 0, STEPS)
            database.execute("PRAGMA trusted_schema = OFF")
            database.text_factory = lambda text: text.decode("utf-8", "replace")
            _require_closed(path, where)
            yield database
    except (sqlite3.Error, OverflowError, UnicodeError) as error:
        raise UnreadableError(Fault("a whole GeoPackage", broken(error), where, CURE)) from error


def _require_closed(path: Path, where: str) -> None:
    for ending in BESIDE:
        beside = path.with_name(path.name + ending)
        if beside.exists() and beside.stat().st_size:
            found = f"{beside.name} beside it"
            raise UnreadableError(Fault("a GeoPackage that nobody has open", found, where, CLOSE))


def _strange(database: sqlite3.Connection) -> list[str]:
    """What is no table and no index, and tables with columns that are computed."""
    described = database.execute("SELECT type, name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
    found = [f"{kind} {name} ({sql[:SHOWN]} …)" for kind, name, sql in described if not PLAIN.match(sql)]
    tables = [name for kind, name, _ in described if kind == "table"] if not found else []
    for name in tables:
        computed = database.execute("SELECT name FROM pragma_table_xinfo(?) WHERE hidden IN (2, 3)", (name,)).fetchall()
        found += [f"a computed column {column} in {name}" for (column,) in computed]
    return found[:TOLD]
