"""A run's tables as tables of PostGIS, for QGIS and whoever speaks SQL.

::

    run_<run_id> . <layer>                     every table layer of a run, never changed
    study_<study_id> . <scenario>__<layer>     views on the run computed last for each scenario

Geometry is typed, in EPSG:4326 with a GiST index; what is not known is NULL. Rasters are files only: PostGIS' own
raster type serves no client better than the GeoTIFF. A name longer than PostgreSQL's 63 bytes ends in eight hex digits
of its SHA-256 instead.
"""

from __future__ import annotations

import hashlib
import io
from collections.abc import Callable, Collection, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, LiteralString

import numpy as np
import psycopg
import pyarrow as pa
import pyarrow.csv
import pyarrow.parquet
import shapely
from psycopg.sql import SQL, Composed, Identifier, Literal
from sqlalchemy import Connection, text

from app.store.ids import RUN_ID
from app.store.layer_words import about_column, about_layer
from app.store.runs import LayerRecord, Record
from geo.errors import ConflictError, Fault, ParameterError

LONGEST = 63
"""Bytes of a name in PostgreSQL; longer ones it cuts without a word."""
MADE_BY = "Made by Renxing; made anew or dropped without asking"
"""Said of every schema of ours, so that somebody else's of a like name is left alone."""
OURS = f"coalesce(obj_description(oid, 'pg_namespace'), '') = '{MADE_BY}'"
GEOMETRY, ROW = "geometry", "row_number"
SRID = 4326
NUL, STAND_IN = b"\0", "\ufffd".encode()
"""What text in PostgreSQL cannot hold, and what is shown in its place."""
TYPES = {pa.types.is_boolean: "boolean", pa.types.is_integer: "bigint", pa.types.is_floating: "double precision"}
MULTI: dict[str, Callable[..., Any]] = {
    "Point": shapely.multipoints, "LineString": shapely.multilinestrings, "Polygon": shapely.multipolygons,
}  # fmt: skip
Cursor = psycopg.Cursor[Any]


def identifier(name: str) -> str:
    """A name as PostgreSQL can have it."""
    if len(name.encode()) <= LONGEST:
        return name
    return f"{name[: LONGEST - 9]}_{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def run_schema(run_id: str) -> str:
    """The schema of a run's tables."""
    return f"run_{run_id}"


def study_schema(study_id: str) -> str:
    """The schema of a study's views."""
    return identifier(f"study_{study_id}")


def view_name(scenario_id: str, layer: str) -> str:
    """The view on a layer of a scenario's last run."""
    return identifier(f"{scenario_id}__{layer}")


def lay(connection: Connection, record: Record, folder: Path, *, readers: str = "") -> None:
    """Make a run's tables of the files in its ``folder``, in the transaction of ``connection``."""
    cursor, schema = _cursor(connection), run_schema(record.run_id)
    _make_schema(cursor, schema)
    about = f"{record.study_id}, {record.scenario_id}, run {record.run_id}"
    credit = "; ".join(record.attribution)
    for layer in record.layers:
        if layer.kind == "table":
            _lay_table(cursor, schema, layer, folder / layer.file)
            named = Identifier(schema, identifier(layer.layer))
            cursor.execute(_comment("TABLE", named, about_layer(layer, about, credit)))
    let_read(connection, schema, readers)


def drop(connection: Connection, schema: str) -> None:
    """Take a schema of ours away with all it holds. ConflictError when one of this name is somebody else's."""
    asked = text(f"SELECT nspname, ({OURS}) FROM pg_namespace WHERE nspname = :name")
    found = connection.execute(asked, {"name": schema}).first()
    if found is not None and not found[1]:
        cure = "Give Renxing a database of its own, or rename that schema."
        raise ConflictError(Fault("a schema of Renxing's own", "one of somebody else", schema, cure))
    _cursor(connection).execute(SQL("DROP SCHEMA IF EXISTS {} CASCADE").format(Identifier(schema)))


def show(connection: Connection, study_id: str, runs: Collection[Record], *, readers: str = "") -> None:
    """Make a study's views anew: on these runs, one of each scenario."""
    cursor, schema = _cursor(connection), study_schema(study_id)
    drop(connection, schema)
    _make_schema(cursor, schema)
    for run in runs:
        for layer in (layer for layer in run.layers if layer.kind == "table"):
            view = Identifier(schema, view_name(run.scenario_id, layer.layer))
            table = Identifier(run_schema(run.run_id), identifier(layer.layer))
            cursor.execute(SQL("CREATE VIEW {} AS SELECT * FROM {}").format(view, table))
            about = f"{study_id}, {run.scenario_id}, the run computed last: {run.run_id}"
            cursor.execute(_comment("VIEW", view, about_layer(layer, about, "; ".join(run.attribution))))
    let_read(connection, schema, readers)


def laid(connection: Connection) -> set[str]:
    """The runs that have tables."""
    asked = text(f"SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'run_') AND {OURS}")
    names = (str(name).removeprefix("run_") for name in connection.execute(asked).scalars())
    return {name for name in names if RUN_ID.fullmatch(name)}


def shown(connection: Connection) -> set[str]:
    """The schemas of studies' views there are."""
    asked = text(f"SELECT nspname FROM pg_namespace WHERE starts_with(nspname, 'study_') AND {OURS}")
    return set(connection.execute(asked).scalars())


# -- one table -------------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Columns:
    """A table's columns as PostgreSQL has them: names and types in order, and which one names a row."""

    types: dict[str, str]
    key: str

    @property
    def defined(self) -> Composed:
        """Name and type of each; a number counts the rows where no column names them."""
        said = [SQL("{} {}").format(Identifier(name), SQL(kind)) for name, kind in self.types.items()]
        if self.key not in self.types:
            said.insert(0, SQL("{} bigint GENERATED ALWAYS AS IDENTITY").format(Identifier(self.key)))
        return SQL(", ").join(said)

    @property
    def names(self) -> Composed:
        """The names of what is given."""
        return SQL(", ").join(map(Identifier, self.types))


def _lay_table(cursor: Cursor, schema: str, layer: LayerRecord, path: Path) -> None:
    """One layer: written in one go, then its key and its index, which is quicker than row by row."""
    kind, content = _readable(pa.parquet.read_table(path), layer)
    columns = _columns(content, kind)
    table = Identifier(schema, identifier(layer.layer))
    cursor.execute(SQL("CREATE TABLE {} ({})").format(table, columns.defined))
    written = io.BytesIO()
    pa.csv.write_csv(content, written, pa.csv.WriteOptions(include_header=False))
    with cursor.copy(SQL("COPY {} ({}) FROM STDIN (FORMAT csv)").format(table, columns.names)) as rows:
        rows.write(written.getvalue().replace(NUL, STAND_IN))
    cursor.execute(SQL("ALTER TABLE {} ADD PRIMARY KEY ({})").format(table, Identifier(columns.key)))
    cursor.execute(SQL("CREATE INDEX ON {} USING gist ({})").format(table, Identifier(GEOMETRY)))
    said = {name: about for name in columns.types if (about := about_column(name))}
    where = (schema, identifier(layer.layer))
    # All in one message: one each would take longer than the rest.
    cursor.execute(SQL("; ").join(_comment("COLUMN", Identifier(*where, name), about) for name, about in said.items()))


def _readable(table: pa.Table, layer: LayerRecord) -> tuple[str, pa.Table]:
    """The kind of geometry, and the table with its shapes as PostGIS reads them, under names that it can have."""
    shapes = shapely.from_wkb(table.column(GEOMETRY).to_numpy(zero_copy_only=False))
    kind, shapes = _of_one_kind(shapes, layer.geometry)
    written = shapely.to_wkb(shapely.set_srid(shapes, SRID), hex=True, include_srid=True)
    place = table.schema.get_field_index(GEOMETRY)
    table = table.set_column(place, GEOMETRY, pa.array(written, type=pa.large_string()))
    return kind, table.rename_columns([identifier(name) for name in table.column_names])


def _of_one_kind(shapes: np.ndarray[Any, Any], kinds: Collection[str]) -> tuple[str, np.ndarray[Any, Any]]:
    """Shapes of one kind and of its multiple all as the multiple; others stay, and the column takes any."""
    single = {kind.removeprefix("Multi") for kind in kinds}
    if len(kinds) == 1 and single <= MULTI.keys():
        return next(iter(kinds)), shapes
    if len(single) != 1 or not single <= MULTI.keys():
        return "Geometry", shapes
    (kind,) = single
    several = shapes.copy()
    alone = np.flatnonzero(shapely.get_type_id(shapes) == shapely.GeometryType[kind.upper()].value)
    several[alone] = MULTI[kind](shapes[alone], indices=np.arange(len(alone)))
    return f"Multi{kind}", several


def _columns(table: pa.Table, kind: str) -> Columns:
    types = {field.name: _type(field.type) for field in table.schema}
    types[GEOMETRY] = f"geometry({kind}, {SRID})"
    named = next((name for name in types if name.endswith("_id") and _names_rows(table.column(name))), None)
    counted = next(name for name in (ROW, f"{ROW}_", f"{ROW}__") if name not in types)
    return Columns(types, named or counted)


def _type(kind: pa.DataType) -> str:
    return next((name for fits, name in TYPES.items() if fits(kind)), "text")


def _names_rows(column: pa.ChunkedArray) -> bool:
    return column.null_count == 0 and len(column.unique()) == len(column)


def _comment(of: LiteralString, what: Identifier, said: str) -> Composed:
    return SQL("COMMENT ON {} {} IS {}").format(SQL(of), what, Literal(said))


def _make_schema(cursor: Cursor, schema: str) -> None:
    cursor.execute(SQL("CREATE SCHEMA {}").format(Identifier(schema)))
    cursor.execute(_comment("SCHEMA", Identifier(schema), MADE_BY))


def let_read(connection: Connection, schema: str, readers: str) -> None:
    """Let the role of readers, where one is named, use a schema. ParameterError when there is no such role."""
    cursor = _cursor(connection)
    if not readers:
        return
    if cursor.execute("SELECT 1 FROM pg_roles WHERE rolname = %s", (readers,)).fetchone() is None:
        cure = "Make it: CREATE ROLE name NOLOGIN; or set no RENXING_DATABASE_READERS."
        raise ParameterError(Fault("a role of PostgreSQL", repr(readers[:80]), "RENXING_DATABASE_READERS", cure))
    for said in _grants(Identifier(schema), Identifier(readers)):
        cursor.execute(said)


def _grants(schema: Identifier, role: Identifier) -> Iterator[Composed]:
    yield SQL("GRANT USAGE ON SCHEMA {} TO {}").format(schema, role)
    yield SQL("GRANT SELECT ON ALL TABLES IN SCHEMA {} TO {}").format(schema, role)


def _cursor(connection: Connection) -> Cursor:
    """A cursor of psycopg in the transaction of ``connection``, for what SQLAlchemy has no words for."""
    driver = connection.connection.driver_connection
    assert isinstance(driver, psycopg.Connection)
    return driver.cursor()
