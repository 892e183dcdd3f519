"""A GeoPackage holds tables; anything else in it is refused before GDAL opens it."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import geopandas as gpd
import pytest
import shapely

from data import geopackages
from geo.errors import UnreadableError


@pytest.fixture
def sound(tmp_path: Path) -> Callable[..., Path]:
    def make(*statements: str, layer: str = "a") -> Path:
        path = tmp_path / "a.gpkg"
        table = gpd.GeoDataFrame({"n": [1, 2]}, geometry=shapely.points([[1, 2], [3, 4]]), crs="EPSG:4326")
        table.to_file(path, driver="GPKG", layer=layer, engine="pyogrio")
        with closing(sqlite3.connect(path, isolation_level=None)) as database:
            for statement in statements:
                database.execute(statement)
        return path

    return make


@pytest.mark.parametrize("layer", ["a", 'my "odd" layer', "it's (1)", "避难所", "view"])
def test_what_programs_write_is_sound(sound: Callable[..., Path], layer: str) -> None:
    assert geopackages.contents(sound(layer=layer), where="x") == {"features"}


@pytest.mark.parametrize(("statement", "said"), [
    ("CREATE VIEW v AS SELECT 1", "view v"),
    ("CREATE TRIGGER t AFTER DELETE ON a BEGIN SELECT 1; END", "trigger t"),
    ("CREATE VIRTUAL TABLE f USING fts4(x)", "table f"),
    ("ALTER TABLE a ADD COLUMN g GENERATED ALWAYS AS (n * 2) VIRTUAL", "a computed column g in a"),
])  # fmt: skip
def test_what_is_no_table_is_named(sound: Callable[..., Path], statement: str, said: str) -> None:
    with pytest.raises(UnreadableError, match=said) as refused:
        geopackages.require_plain(sound(statement), where="town.gpkg")
    assert refused.value.faults[0].where == "town.gpkg" and "QGIS" in refused.value.faults[0].fix


def test_one_that_is_open_elsewhere(sound: Callable[..., Path]) -> None:
    path = sound()
    path.with_name("a.gpkg-wal").write_bytes(b"changes")
    with pytest.raises(UnreadableError, match=r"a\.gpkg-wal beside it"):
        geopackages.require_plain(path, where="x")


def test_a_list_of_tables_that_never_ends(sound: Callable[..., Path]) -> None:
    endless = "WITH RECURSIVE c(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM c) SELECT max(x) AS data_type FROM c"
    path = sound("ALTER TABLE gpkg_contents RENAME TO old", f"CREATE VIEW gpkg_contents AS {endless}")
    with pytest.raises(UnreadableError, match="view gpkg_contents"):
        geopackages.contents(path, where="x")


def test_noise(tmp_path: Path) -> None:
    path = tmp_path / "a.gpkg"
    path.write_bytes(b"SQLite format 3\0" + b"\xff" * 4096)
    with pytest.raises(UnreadableError, match="a whole GeoPackage"):
        geopackages.require_plain(path, where="x")
