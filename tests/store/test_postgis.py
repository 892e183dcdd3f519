"""A run's layers as tables of PostGIS: what QGIS and SQL find there."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import geopandas as gpd
import numpy as np
import pandas as pd
import psycopg
import pytest
import shapely

from app.store import Outcome, Workspace, postgis
from app.store.shared import SharedWorkspace
from geo.errors import ConflictError, ParameterError
from tests.app.hand_made import HOSTILE, outcome, recipe, saved, study_file, table, workspace
from tests.store.kinds import Store


def asked(store: Store, said: str, *values: object) -> list[tuple[Any, ...]]:
    """What the database answers."""
    with psycopg.connect(store.database, autocommit=True) as connection:
        return connection.execute(said.encode(), values).fetchall()


def test_every_layer_is_a_table_with_its_crs_index_and_key(shared: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=shared.open)
    schema = f"run_{run.run_id}"
    listed = "SELECT f_table_name, type, srid FROM geometry_columns WHERE f_table_schema = %s ORDER BY 1"
    assert asked(shared, listed, schema) == [
        ("communities", "POLYGON", 4326), ("cut_off", "GEOMETRY", 4326), ("demand", "POINT", 4326),
        ("shelters", "GEOMETRY", 4326), ("streets", "LINESTRING", 4326),
    ]  # fmt: skip
    indexes = dict(asked(shared, "SELECT indexname, indexdef FROM pg_indexes WHERE schemaname = %s", schema))
    assert sum("USING gist (geometry)" in said for said in indexes.values()) == 5
    assert "(demand_id)" in indexes["demand_pkey"]
    assert {(n,) for n in run.layers} - {(n,) for (n,) in asked(shared, TABLES, schema)} == {("hazard_flood",)}


TABLES = "SELECT table_name FROM information_schema.tables WHERE table_schema = %s"


def test_a_table_is_the_layer(shared: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=shared.open)
    with psycopg.connect(shared.database) as connection:
        for name in ("demand", "communities", "shelters"):
            said = f'SELECT * FROM run_{run.run_id}."{name}" ORDER BY 1'
            with pytest.warns(UserWarning, match="SQLAlchemy"):
                found = gpd.read_postgis(said, connection, geom_col="geometry")
            kept = run.table(name)
            assert found.crs == kept.crs and list(found.columns) == list(kept.columns)
            assert shapely.equals_exact(found.geometry, kept.geometry, tolerance=0).all()
            for column in kept.columns.drop("geometry"):
                assert plain(found[column]) == plain(kept[column]), column


def plain(column: pd.Series[Any]) -> list[object]:
    """Values, None where nothing is known."""
    return list(column.astype(object).where(column.notna(), None))


def test_text_from_data_stays_text(shared: Store, tmp_path: Path) -> None:
    _, run = saved(tmp_path, of=shared.open)
    assert asked(shared, f"SELECT name FROM run_{run.run_id}.communities WHERE community_id = 'c1'") == [(HOSTILE,)]


def test_shapes_of_one_kind_and_its_multiple_are_the_multiple(shared: Store, tmp_path: Path) -> None:
    made = workspace(tmp_path, of=shared.open)
    square, dot = shapely.box(0, 0, 9, 9), shapely.Point(1, 1)
    nowhere: Any = None
    notes = ["x\0y", "", None]
    frames = {
        "areas": table([square, shapely.multipolygons([square]), nowhere], area_id=["a", "b", "c"], note=notes),
        "mixed": table([dot, square], mixed_id=["a", "a"]),
        "a" * 64: table([dot], **{"b" * 70: [1.0], "row_number": [True]}),
    }  # fmt: skip
    run = made.save(recipe(study_file(), 1), Outcome(tables=frames))
    listed = "SELECT f_table_name, type FROM geometry_columns WHERE f_table_schema = %s"
    long = postgis.identifier("a" * 64)
    assert dict(asked(shared, listed, f"run_{run.run_id}")) == {
        "areas": "MULTIPOLYGON", "mixed": "GEOMETRY", long: "POINT",
    }  # fmt: skip
    assert len(long) == 63 and long.startswith("a" * 54 + "_")
    found = asked(shared, f"SELECT area_id, note, ST_AsText(geometry) IS NULL FROM run_{run.run_id}.areas ORDER BY 1")
    assert found == [("a", "x\ufffdy", False), ("b", "", False), ("c", None, True)]
    assert asked(shared, f"SELECT mixed_id, row_number FROM run_{run.run_id}.mixed") == [("a", 1), ("a", 2)]


def test_views_show_the_run_computed_last(shared: Store, tmp_path: Path) -> None:
    made, _ = saved(tmp_path, of=shared.open)
    assert asked(shared, "SELECT count(*) FROM study_kampen.flood__demand") == [(2,)]
    fewer = outcome()
    fewer = Outcome(tables={"demand": fewer.tables["demand"].iloc[:1]})
    made.mark_latest(made.save(recipe(study_file(), 1, x=1), fewer))
    assert asked(shared, "SELECT count(*) FROM study_kampen.flood__demand") == [(1,)]
    assert asked(shared, TABLES, "study_kampen") == [("flood__demand",)]
    assert "OpenStreetMap" in asked(shared, "SELECT obj_description('study_kampen.flood__demand'::regclass)")[0][0]
    made.edit("kampen", lambda file: file.model_copy(update={"scenarios": file.scenarios[:1]}))
    assert asked(shared, TABLES, "study_kampen") == []
    made.delete("kampen")
    assert asked(shared, r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^(run|study)_'") == []


def test_somebody_elses_schema_is_left_alone(shared: Store, tmp_path: Path) -> None:
    made, _ = saved(tmp_path, of=shared.open)
    with psycopg.connect(shared.database, autocommit=True) as connection:
        connection.execute("CREATE SCHEMA study_delft; CREATE SCHEMA study_others; CREATE SCHEMA run_0123456789abcdef")
    assert isinstance(made, SharedWorkspace)
    made.tidy()
    delft = workspace(tmp_path, "delft", of=shared.open)
    with pytest.raises(ConflictError, match="study_delft"):
        delft.mark_latest(delft.save(recipe(study_file("delft"), 1), outcome()))
    there = asked(shared, r"SELECT nspname FROM pg_namespace WHERE nspname ~ '^(run|study)_' AND nspname !~ 'kampen'")
    assert {"study_delft", "study_others", "run_0123456789abcdef"} <= {name for (name,) in there}


def test_tables_that_are_missing_are_made_again(shared: Store, tmp_path: Path) -> None:
    made, run = saved(tmp_path, of=shared.open)
    assert isinstance(made, SharedWorkspace)
    with psycopg.connect(shared.database, autocommit=True) as connection:
        connection.execute(f"DROP SCHEMA run_{run.run_id} CASCADE")
    assert made.tidy().runs_laid == 1
    assert asked(shared, "SELECT count(*) FROM study_kampen.flood__demand") == [(2,)]


def test_a_role_may_read_results_and_nothing_else(shared: Store, tmp_path: Path) -> None:
    def open_for_readers(path: Path) -> Workspace:
        return SharedWorkspace.join(path, shared.database, readers="renxing readers")

    with pytest.raises(ParameterError, match="CREATE ROLE"):
        saved(tmp_path, of=open_for_readers)
    with psycopg.connect(shared.database, autocommit=True) as connection:
        connection.execute('CREATE ROLE "renxing readers" NOLOGIN')
        try:
            made = open_for_readers(tmp_path / "workspace")
            made.mark_latest(made.save(recipe(study_file(), 1), outcome()))
            connection.execute('SET ROLE "renxing readers"')
            assert connection.execute("SELECT ST_SRID(geometry) FROM study_kampen.flood__demand").fetchone() == (4326,)
            for said in ("SELECT * FROM renxing.secret", "DELETE FROM study_kampen.flood__demand"):
                with pytest.raises(psycopg.errors.InsufficientPrivilege):
                    connection.execute(said.encode())
        finally:
            connection.execute("RESET ROLE")
            connection.execute('DROP OWNED BY "renxing readers"; DROP ROLE "renxing readers"')


def test_names_are_never_cut_short_alike() -> None:
    one, other = postgis.view_name("s" * 64, "demand"), postgis.view_name("s" * 63 + "t", "demand")
    assert one != other and len(one) == len(other) == 63
    assert postgis.study_schema("kampen") == "study_kampen"
    assert np.unique([len(postgis.study_schema("x" * n)) for n in (60, 64)]).tolist() == [63]
