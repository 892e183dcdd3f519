"""What a city keeps its distance from."""

from __future__ import annotations

import geopandas as gpd
import pandas as pd
import shapely

import data.standards
from geo import setbacks, tables
from geo.setbacks import SetbackParams
from geo.tables import Schema

CRS = "EPSG:32631"
PARAMS = SetbackParams.of(data.standards.load())


def table(schema: Schema, rows: dict[str, tuple[str, shapely.Geometry]]) -> gpd.GeoDataFrame:
    columns = {c.name: [None] * len(rows) for c in schema.columns}
    columns |= {schema.id_column: list(rows), "kind": [kind for kind, _ in rows.values()]}
    return gpd.GeoDataFrame(columns, geometry=[shape for _, shape in rows.values()], crs=CRS)


BOX, LINE, POINT = shapely.box(0, 0, 1, 1), shapely.LineString([(0, 0), (1, 1)]), shapely.Point(0, 0)
AREAS = table(tables.AREAS, {"w2": ("water", BOX), "w1": ("industrial", BOX), "w9": ("park", BOX)})
LINES = table(tables.LINES, {"w3": ("power_line", LINE), "w4": ("wall", LINE)})
FACILITIES = table(tables.FACILITIES, {"n1": ("fuel", POINT), "n2": ("school", POINT)})


def test_sources_are_found_in_every_table_and_grouped() -> None:
    found = setbacks.sources([AREAS, LINES, FACILITIES], params=PARAMS)
    assert dict(zip(found["source_id"], found["group"], strict=True)) == {
        "n1": "fuel", "w1": "industry", "w2": "water", "w3": "power",
    }  # fmt: skip


def test_what_the_planner_names_counts_and_order_of_tables_does_not() -> None:
    walls = PARAMS.model_copy(update={"industry": ("wall",)})
    one, other = (setbacks.sources(order, params=walls) for order in ([LINES, AREAS], [AREAS, LINES]))
    assert one["source_id"].tolist() == ["w2", "w3", "w4"]
    pd.testing.assert_frame_equal(one.drop(columns="geometry"), other.drop(columns="geometry"))


def test_nothing_gives_an_empty_table() -> None:
    none = setbacks.sources([t.iloc[:0] for t in (AREAS, LINES, FACILITIES)], params=PARAMS)
    assert len(none) == 0 and none.columns.tolist() == [*setbacks.COLUMNS, "geometry"]
