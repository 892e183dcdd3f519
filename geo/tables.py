"""The tables that travel between the parts: their columns, units, and what missing means.

Every table is a GeoDataFrame with a RangeIndex in the study's metric CRS, with string ids that are unique.
Missing text is None, a missing measure is NaN; zero is a measurement.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import geopandas as gpd
import numpy as np
import pandas as pd

from geo.errors import ColumnError, Fault, refuse

NAMES = ("name", "name_zh", "name_en")


@dataclass(frozen=True)
class Column:
    """One column: ``kind`` is text, float, int, bool; ``id`` is unique non-empty text.

    A column that is not ``required`` may lack altogether.
    """

    name: str
    kind: str
    help: str
    required: bool = True


@dataclass(frozen=True)
class Schema:
    """The columns of a table and the geometry types it may hold (empty: any)."""

    name: str
    columns: tuple[Column, ...]
    geometry: frozenset[str] = field(default_factory=frozenset)

    @property
    def id_column(self) -> str:
        """The column that names a row."""
        return next(c.name for c in self.columns if c.kind == "id")


def _names(what: str) -> tuple[Column, ...]:
    return (
        Column("name", "text", f"Name of the {what} as locals write it."),
        Column("name_zh", "text", "Chinese name."),
        Column("name_en", "text", "English name."),
    )


POLYGONS = frozenset({"Polygon", "MultiPolygon"})
LINESTRINGS = frozenset({"LineString", "MultiLineString"})

BUILDINGS = Schema(
    "buildings",
    (
        Column("building_id", "id", "Stable id, e.g. w123 for OSM way 123."),
        *_names("building"),
        Column("use", "text", "Use: the OSM building value or the source's own word; 'yes' when only known to be one."),
        Column("levels", "float", "Storeys above ground; NaN when not recorded."),
        Column("height_m", "float", "Height in metres; NaN when not recorded."),
    ),
    POLYGONS,
)

FACILITIES = Schema(
    "facilities",
    (
        Column("facility_id", "id", "Stable id, e.g. n42 for OSM node 42."),
        *_names("facility"),
        Column("kind", "text", "What it is: fire_station, hospital, clinic, police, school, sports, …"),
    ),
)

SHELTERS = Schema(
    "shelters",
    (
        Column("shelter_id", "id", "Stable id."),
        *_names("shelter"),
        Column("kind", "text", "What it is on an ordinary day: school, park, assembly_point, …"),
        Column("tier", "text", "emergency, short, mid, long or central; None when not stated."),
        Column("origin", "text", "mapped or official: a shelter; candidate: could become one."),
        Column("area_m2", "float", "Site area in square metres; NaN for a point of unknown extent."),
        Column("floor_m2", "float", "Floor area of buildings on the site in square metres; NaN when unknown."),
        Column("capacity", "float", "Declared people; NaN when not declared."),
        Column("state", "text", "open, closed or damaged; None when not stated: open.", False),
        Column("normal_use", "text", "What it is used for on an ordinary day, in the list's words.", False),
        Column("conversion_h", "float", "Hours until it can open, from its normal use; NaN when not stated.", False),
        Column("opening", "text", "When or by whom it is opened, in the list's words.", False),
        Column("entrances", "float", "Stated number of independent ways in; NaN when not stated.", False),
    ),
)

AREAS = Schema(
    "areas",
    (
        Column("area_id", "id", "Stable id."),
        *_names("area"),
        Column("kind", "text", "Land use: water, park, forest, grass, farmland, residential, industrial, …"),
    ),
    POLYGONS,
)

LINES = Schema(
    "lines",
    (
        Column("line_id", "id", "Stable id."),
        *_names("line"),
        Column("kind", "text", "What it is: river, stream, canal, ditch, railway, power_line, pipeline, dyke, wall."),
        Column("voltage_v", "float", "Highest voltage of a power line in volts; NaN when not recorded."),
    ),
    LINESTRINGS,
)

BOUNDARIES = Schema(
    "boundaries",
    (
        Column("boundary_id", "id", "Stable id."),
        *_names("boundary"),
        Column("kind", "text", "administrative or place."),
        Column("admin_level", "float", "OSM admin_level; NaN for a place."),
    ),
    POLYGONS,
)

COMMUNITIES = Schema(
    "communities",
    (
        Column("community_id", "id", "Stable id."),
        *_names("community"),
        Column("parent_id", "text", "The unit above; None at the top or when unknown."),
        Column("level", "text", "grid, community, subdistrict, district or city."),
        Column("source", "text", "Where the outline comes from; a made grid says so."),
    ),
    POLYGONS,
)

DEMAND = Schema(
    "demand",
    (
        Column("demand_id", "id", "Stable id: the building or cell the people are at."),
        Column("people", "int", "Whole persons; 0 when nobody is there."),
    ),
)

LOTS = Schema(
    "lots",
    (
        Column("lot_id", "id", "Stable id: the parcel's number where it has one."),
        *_names("lot"),
        Column("use", "text", "What the land is for, in the plan's words; None when not stated."),
        Column("area_m2", "float", "Area in square metres as the plan states it; NaN when not stated."),
    ),
    POLYGONS,
)

SUPPLIES = Schema(
    "supplies",
    (
        Column("supply_id", "id", "Stable id: one item at one place."),
        *_names("place"),
        Column("tier", "text", "Who holds it: community, school, supermarket or household; None when not stated."),
        Column("item", "text", "What it is: water, rice, tents, …"),
        Column("quantity", "float", "How much of it, in unit; NaN when not stated."),
        Column("unit", "text", "What quantity counts: bottles, kg, pieces, …"),
        Column("expiry", "text", "Last day it is good, YYYY-MM-DD or YYYY-MM; None when it keeps or is not stated."),
        Column("agreement_until", "text", "Last day of the agreement with the holder, as expiry; None without one."),
    ),
)

SOURCES = Schema(
    "sources",
    (
        Column("source_id", "id", "Stable id."),
        *_names("thing"),
        Column("kind", "text", "What it is: fault, dyke, blue_line, debris_fan, slope, pipeline, hazardous_works, …"),
        Column("height_m", "float", "Height of a slope, dyke or mast in metres; NaN when not stated.", False),
        Column("voltage_v", "float", "Voltage of a power line in volts; NaN when not stated.", False),
        Column("cover_m", "float", "Depth of soil over a fault in metres; NaN when not stated.", False),
        Column("intensity", "float", "Seismic intensity there, degrees; NaN: the study's.", False),
        Column("volume_m3", "float", "What a tank or works holds, cubic metres; NaN when not stated.", False),
        Column("grade", "float", "Class of a station or works, 1 the largest; NaN when not stated.", False),
    ),
)

ALL = (BUILDINGS, FACILITIES, SHELTERS, AREAS, LINES, BOUNDARIES, COMMUNITIES, DEMAND, LOTS, SUPPLIES, SOURCES)


def without_nan(table: pd.DataFrame) -> pd.DataFrame:
    """The table with None, not NaN, where text is missing; pandas may take a column of text and None for either."""
    texts = [name for name in table.columns if not pd.api.types.is_numeric_dtype(table[name])]
    return table.assign(**{name: table[name].astype(object).where(table[name].notna(), None) for name in texts})


def beside(table: gpd.GeoDataFrame, *more: pd.DataFrame) -> gpd.GeoDataFrame:
    """Columns of tables with the same rows side by side, geometry last."""
    parts = [table.drop(columns="geometry"), *(m.set_axis(table.index) for m in more)]
    return gpd.GeoDataFrame(pd.concat(parts, axis=1), geometry=table.geometry, crs=table.crs)


def empty(schema: Schema, *, crs: str) -> gpd.GeoDataFrame:
    """No rows, the right columns."""
    dtypes = {"float": "float64", "int": "int64", "bool": "bool"}
    columns = {c.name: pd.Series(dtype=dtypes.get(c.kind, "object")) for c in schema.columns}
    return gpd.GeoDataFrame(columns, geometry=gpd.GeoSeries([], crs=crs), crs=crs)


def checked(frame: gpd.GeoDataFrame, schema: Schema) -> gpd.GeoDataFrame:
    """The frame itself when it keeps the schema; ColumnError with every fault otherwise."""
    refuse(ColumnError, _faults(frame, schema))
    return frame


def _faults(frame: gpd.GeoDataFrame, schema: Schema) -> Iterator[Fault]:
    for column in schema.columns:
        where = f"table {schema.name}, column {column.name}"
        if column.name not in frame.columns and not column.required:
            continue
        if column.name not in frame.columns:
            yield Fault(column.help, f"columns {', '.join(map(str, frame.columns))}", where, "Map it with --map.")
        else:
            yield from _value_faults(frame[column.name], column, where)
    yield from _geometry_faults(frame, schema)


def _value_faults(values: pd.Series, column: Column, where: str) -> Iterator[Fault]:
    if column.kind == "id":
        if values.isna().any() or values.duplicated().any():
            bad = values[values.isna() | values.duplicated()].head(3).tolist()
            yield Fault("a unique id in every row", f"missing or repeated {bad}", where)
    elif column.kind in ("float", "int") and not pd.api.types.is_numeric_dtype(values):
        yield Fault(f"{column.kind} numbers", f"{values.dtype}", where)
    elif column.kind == "int" and len(values) and (values.isna().any() or not np.all(values == np.floor(values))):
        yield Fault("whole numbers", "fractions or missing values", where)


def _geometry_faults(frame: gpd.GeoDataFrame, schema: Schema) -> Iterator[Fault]:
    where = f"table {schema.name}"
    if frame.crs is None or not frame.crs.is_projected:
        yield Fault("a projected CRS in metres", str(frame.crs), where)
    missing = int((frame.geometry.isna() | frame.geometry.is_empty).sum())
    if missing:
        yield Fault("a geometry in every row", f"{missing} rows without", where)
    kinds = set(frame.geometry.geom_type.dropna().unique())
    if schema.geometry and kinds - schema.geometry:
        yield Fault(" or ".join(sorted(schema.geometry)), ", ".join(sorted(kinds - schema.geometry)), where)
