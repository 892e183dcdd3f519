"""Conditions on a layer: the same rows as plain Python finds one by one."""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson
import pytest
import shapely
from hypothesis import example, given, settings

from app.ogc.crs import CRS84
from app.ogc.matching import matching
from app.ogc.parser import parse
from app.ogc.table import Table, opened
from app.ogc.tree import In, Like, Literal, Node, Property
from app.store.tables import laid_down, write_table
from geo.errors import QueryError
from tests.app.ogc.awkward import ROWS, conditions, frame
from tests.app.ogc.one_by_one import true_of

Made = tuple[Table, list[dict[str, Any]]]


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Made:
    path = tmp_path_factory.mktemp("awkward") / "awkward.parquet"
    kept = laid_down(frame())
    write_table(kept, path)
    rows = [{k: None if v is None or v != v else v for k, v in row.items()} for row in kept.to_dict("records")]
    return opened(path), rows


@settings(max_examples=60, deadline=None)
@given(tree=conditions)
@example(tree=Like(Property("name"), Literal("%\n%")))
@example(tree=In(Property("depth_m"), (Literal(-0.0),)))
@example(tree=Like(Property("name"), Literal("𠮷_")))
@example(tree=Like(Property("name"), Literal("a\\%b")))
def test_rows_are_those_found_one_by_one(made: Made, tree: Node) -> None:
    table, rows = made
    expected = [i for i, row in enumerate(rows) if true_of(tree, row) is True]
    assert matching(tree, table).tolist() == expected


@pytest.mark.parametrize(("text", "count"), [
    ("never IS NULL", ROWS), ("never = 'x' OR NOT never = 'x'", 0), ("geometry IS NULL", 10), ("TRUE", ROWS),
    ("name = name", 56), ("people >= depth_m", 46), ("CASEI(name) = CASEI('straße')", 10), ("name = 'Straße'", 5),
    ("people = 4.0 OR people IN (9, 16.5)", 12), ("seen > DATE('2020-01-01')", 37), ("1 = 1", ROWS),
    ("'a' LIKE 'b'", 0),
])  # fmt: skip
def test_by_eye(made: Made, text: str, count: int) -> None:
    assert len(matching(parse(text), made[0])) == count


@pytest.mark.parametrize("text", [
    "people = 'x'", "name > 1", "open < TRUE", "people LIKE '1%'", "name LIKE name", "CASEI(people) = 'x'",
    "seen = '2023-01-30'", "name BETWEEN 1 AND 2",
    "people IN (1, 'x')", "missing = 1", "S_WITHIN(name, POINT(1 1))", "S_WITHIN(POINT(1 1), POINT(1 1))",
])  # fmt: skip
def test_what_cannot_be_compared_is_refused(made: Made, text: str) -> None:
    with pytest.raises(QueryError, match="filter: expected"):
        matching(parse(text), made[0])


def test_a_hostile_pattern_costs_no_more_than_its_length(made: Made) -> None:
    table = made[0]
    assert len(matching(Like(Property("name"), Literal("%a" * 900)), table)) == 0


def test_a_box_looks_only_at_shapes_on_its_edge(made: Made, monkeypatch: pytest.MonkeyPatch) -> None:
    table = made[0]
    known = int((~np.isnan(table.boxes[0])).sum())
    seen: list[int] = []
    decode = Table.shapes
    monkeypatch.setattr(Table, "shapes", lambda self, rows: seen.append(len(rows)) or decode(self, rows))
    west, south, east, north = np.nanmin(table.boxes[:2], axis=1).tolist() + np.nanmax(table.boxes[2:], axis=1).tolist()
    assert len(matching(parse(f"S_INTERSECTS(geometry, BBOX({west},{south},{east},{north}))"), table)) == known
    assert seen == [0]
    half = f"BBOX({west},{south},{(west + east) / 2},{north})"
    assert 0 < len(matching(parse(f"S_INTERSECTS(geometry, {half})"), table)) < known
    assert 0 < seen[1] < 15


def test_features_are_the_rows_as_they_are_kept(made: Made) -> None:
    table, rows = made
    found = table.features(np.arange(ROWS), CRS84)
    assert [feature["id"] for feature in found] == [row["row_id"] for row in rows]
    for feature, row in zip(found, rows, strict=True):
        values = {k: None if v is None or v != v else v for k, v in feature["properties"].items()}
        assert values == {k: v for k, v in row.items() if k != "geometry"}
        shape = feature["geometry"] and shapely.from_geojson(orjson.dumps(feature["geometry"]))
        assert shape is row["geometry"] is None or shapely.equals_exact(shape, row["geometry"])


def test_each_row_is_found_by_its_id(made: Made) -> None:
    table, rows = made
    assert [table.row(row["row_id"]) for row in rows] == list(range(ROWS))
