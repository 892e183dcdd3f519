"""The steps give the tables that the program writes to, on both engines."""

from __future__ import annotations

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import inspect

from app.store import ledger, migrations
from app.store.register import Register

FOREIGN = {"alembic_version", "spatial_ref_sys"}


def test_the_steps_give_the_tables_of_the_ledger(register: Register) -> None:
    with register.reading() as connection:
        ours = {"compare_type": True, "include_name": lambda name, kind, _: kind != "table" or name not in FOREIGN}
        context = MigrationContext.configure(connection, opts=ours)
        assert compare_metadata(context, ledger.metadata) == []
        made = inspect(connection)
        assert set(made.get_table_names()) - FOREIGN == set(ledger.metadata.tables)
        for name, table in ledger.metadata.tables.items():
            named = {index["name"] for index in made.get_indexes(name)} - {f"uq_{name}_secret_sha256"}
            assert named == {index.name for index in table.indexes}
            assert made.get_pk_constraint(name)["constrained_columns"] == [c.name for c in table.primary_key]


def test_a_register_that_is_up_to_date_is_left_alone(register: Register) -> None:
    migrations.bring_up_to_date(register.engine)
    with register.reading() as connection:
        assert migrations.form(connection) == migrations.newest()
