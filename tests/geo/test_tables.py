"""Tables keep their schema or are refused with every fault."""

from __future__ import annotations

import geopandas as gpd
import numpy as np
import pytest
import shapely

from geo import tables
from geo.errors import ColumnError
from geo.tables import Schema

CRS = "EPSG:32631"


@pytest.mark.parametrize("schema", tables.ALL, ids=lambda s: s.name)
def test_an_empty_table_keeps_its_schema(schema: Schema) -> None:
    frame = tables.checked(tables.empty(schema, crs=CRS), schema)
    assert len(frame) == 0
    assert [c.name for c in schema.columns] == [c for c in frame.columns if c != "geometry"]


def demand(**columns: object) -> gpd.GeoDataFrame:
    points = shapely.points([[0, 0], [1, 1]])
    rows = {"demand_id": ["a", "b"], "people": np.array([1, 2]), "geometry": points} | columns
    return gpd.GeoDataFrame(rows, geometry="geometry", crs=CRS)


def test_a_good_table_passes_unchanged() -> None:
    frame = demand()
    assert tables.checked(frame, tables.DEMAND) is frame


@pytest.mark.parametrize(
    ("columns", "says"),
    [
        ({"demand_id": ["a", "a"]}, "unique id"),
        ({"demand_id": ["a", None]}, "unique id"),
        ({"people": [1.5, 2]}, "whole numbers"),
        ({"people": [np.nan, 2]}, "whole numbers"),
        ({"people": ["1", "2"]}, "int numbers"),
        ({"geometry": [None, shapely.Point(1, 1)]}, "geometry in every row"),
    ],
)
def test_each_fault_is_named(columns: dict[str, object], says: str) -> None:
    with pytest.raises(ColumnError, match=says):
        tables.checked(demand(**columns), tables.DEMAND)


def test_all_faults_come_together() -> None:
    frame = demand(demand_id=["a", "a"]).drop(columns="people").to_crs("EPSG:4326")
    with pytest.raises(ColumnError) as caught:
        tables.checked(frame, tables.DEMAND)
    assert len(caught.value.faults) == 3


def test_the_wrong_kind_of_geometry_is_refused() -> None:
    frame = gpd.GeoDataFrame(
        {c.name: [None] for c in tables.AREAS.columns} | {"area_id": ["a"]}, geometry=[shapely.Point(0, 0)], crs=CRS
    )
    with pytest.raises(ColumnError, match="MultiPolygon or Polygon, found Point"):
        tables.checked(frame, tables.AREAS)
