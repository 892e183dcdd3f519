"""A run as one GeoPackage that QGIS opens with its colours: the same run gives the same bytes."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pyogrio
import shapely

from app.export.qml import qml
from app.export.readme import readme
from app.export.values import attributes
from app.showing import Shown
from app.store import Run

NO_DATE = "1970-01-01"
"""Stands in the file where the format demands a date of change and no input has one."""
GEOMETRIES = (("point", "points"), ("line", "lines"), ("polygon", "areas"))
"""Kinds of geometry by dimension, and what a table of one is called where a layer has several."""
# The table is QGIS's own; its columns are as QGIS makes them when a style is saved into a GeoPackage.
STYLE_TABLE = """CREATE TABLE layer_styles (
    id INTEGER PRIMARY KEY AUTOINCREMENT NOT NULL, f_table_catalog TEXT(256), f_table_schema TEXT(256),
    f_table_name TEXT(256), f_geometry_column TEXT(256), styleName TEXT(30), styleQML TEXT, styleSLD TEXT,
    useAsDefault BOOLEAN, description TEXT, owner TEXT(30), ui TEXT(30), update_time DATETIME)"""
STYLE_ROW = """INSERT INTO layer_styles (f_table_catalog, f_table_schema, f_table_name, f_geometry_column, styleName,
    styleQML, styleSLD, useAsDefault, description, owner, ui, update_time)
    VALUES ('', '', ?, 'geom', ?, ?, '', 1, ?, '', NULL, ?)"""

STYLE_CONTENTS = """INSERT INTO gpkg_contents (table_name, data_type, identifier)
    VALUES ('layer_styles', 'attributes', 'layer_styles')"""


def write_geopackage(run: Run, layers: Sequence[str], path: Path) -> None:
    """Write table layers to a new GeoPackage at ``path``, each with the style it has on the map.

    Attribution, licences and notes are in the dataset's metadata. Columns keep their names, which end in the unit. A
    layer of points and areas becomes two tables, as a desktop draws each kind in its own way.
    """
    about = {"README": readme(run), "ATTRIBUTION": "; ".join(run.record.attribution)}
    styles = {}
    for layer in layers:
        shown = Shown(run, only=[layer])
        for table, geometry, frame in _split(layer, shown.table(layer)):
            _write_table(run, table, frame, path, about)
            if shown.layers:
                styles[table] = qml(shown.drawn_from(layer)[0].style, geometry)
    with closing(sqlite3.connect(path)) as database:
        _add_styles(database, styles, _date(run))
        _settle(database, _date(run))


def _split(layer: str, frame: gpd.GeoDataFrame) -> Iterator[tuple[str, str, gpd.GeoDataFrame]]:
    """A layer by kind of geometry: table name, kind, rows. One that is empty stays one."""
    dimension = shapely.get_dimensions(frame.geometry.to_numpy())
    found = sorted(set(dimension.tolist()) & set(range(len(GEOMETRIES))))
    if len(found) < 2:
        kind, _ = GEOMETRIES[found[0] if found else 2]
        yield layer, kind, frame
        return
    for number in found:
        kind, ending = GEOMETRIES[number]
        yield f"{layer}_{ending}", kind, frame[dimension == number]


def _write_table(run: Run, name: str, frame: gpd.GeoDataFrame, path: Path, about: Mapping[str, str]) -> None:
    first = not path.exists()
    pyogrio.write_dataframe(
        gpd.GeoDataFrame(attributes(frame), geometry=frame.geometry, crs=frame.crs),
        path,
        layer=name,
        driver="GPKG",
        append=not first,
        geometry_type=None if len(frame) else "Unknown",
        layer_options={"IDENTIFIER": name, "DESCRIPTION": f"{run.record.study_id}, {run.record.scenario_id}"},
        dataset_metadata=dict(about) if first else None,
    )


def _date(run: Run) -> str:
    """The day of the newest input, as the format wants it; what was made on which day is not part of a run."""
    days = [str(layer["date"]) for layer in run.record.recipe.inputs if layer.get("date")]
    return f"{max(days, default=NO_DATE)[:10]}T00:00:00.000Z"


def _add_styles(database: sqlite3.Connection, styles: Mapping[str, str], date: str) -> None:
    database.execute(STYLE_TABLE)
    database.executemany(STYLE_ROW, [(name, name, qml, "Renxing", date) for name, qml in sorted(styles.items())])
    database.execute(STYLE_CONTENTS)


def _settle(database: sqlite3.Connection, date: str) -> None:
    """Put one date wherever the time of writing stands, and lay the pages out anew."""
    database.execute("UPDATE gpkg_contents SET last_change = ?", (date,))
    database.execute("UPDATE gpkg_metadata_reference SET timestamp = ?", (date,))
    database.commit()
    database.execute("VACUUM")
