"""How the register comes from one form to the next: alembic's steps, run by the program itself.

A step is a file in ``versions``; one that was released is never changed. A register with a step that this program does
not know was made by a newer one and is refused.
"""

from __future__ import annotations

from pathlib import Path

from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.runtime.environment import EnvironmentContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection, Engine, text

from geo.errors import ConflictError, Fault

HERE = Path(__file__).parent
SCHEMA = "renxing"
"""Schema of PostgreSQL in which the register lies."""
LOCK = 7_237_001
"""Number of the lock of PostgreSQL under which one process at a time changes the form."""


def script() -> ScriptDirectory:
    """The steps."""
    config = Config()
    config.set_main_option("script_location", str(HERE))
    config.set_main_option("path_separator", "os")
    return ScriptDirectory.from_config(config)


def form(connection: Connection) -> str | None:
    """The form a register has now; None for an empty one."""
    return MigrationContext.configure(connection).get_current_revision()


def newest() -> str:
    """The form this program writes."""
    head = script().get_current_head()
    assert head is not None
    return head


def known_form(connection: Connection) -> str | None:
    """The form a register has now; ConflictError when this program does not know it, since a newer one made it."""
    now = form(connection)
    if now is not None and now not in {step.revision for step in script().walk_revisions()}:
        cure = "Use the newer Renxing that wrote it; this one can read a backup of its own time."
        raise ConflictError(Fault(f"a register of form {newest()} or older", f"form {now}", "register", cure))
    return now


def bring_up_to_date(engine: Engine) -> None:
    """Take the steps that are missing, all or none, one process at a time. ConflictError for a newer register."""
    steps = script()
    with engine.begin() as connection:
        if engine.dialect.name == "postgresql":
            connection.execute(text("SELECT pg_advisory_xact_lock(:lock)"), {"lock": LOCK})
            _make_schema(connection)
        if known_form(connection) != newest():
            _upgrade(steps, connection)


def _make_schema(connection: Connection) -> None:
    """The schema and PostGIS, where they are not there yet."""
    connection.execute(text(f"CREATE SCHEMA IF NOT EXISTS {SCHEMA}"))
    connection.execute(text("CREATE EXTENSION IF NOT EXISTS postgis SCHEMA public"))


def _upgrade(steps: ScriptDirectory, connection: Connection) -> None:
    context = EnvironmentContext(
        Config(), steps, fn=lambda revision, _: steps._upgrade_revs("head", revision), destination_rev="head"
    )
    with context:
        context.configure(connection=connection, transactional_ddl=False)
        context.run_migrations()
