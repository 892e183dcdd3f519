"""The register's first form: jobs, keys, the audit, and what PostgreSQL holds of studies."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ids, text, many = sa.String(64), sa.Text(), sa.BigInteger().with_variant(sa.Integer, "sqlite")


def upgrade() -> None:
    """Make every table."""
    _jobs()
    _runs_of_jobs()
    _keys()
    _studies()
    _blobs()


def _table(name: str, *parts: sa.schema.SchemaItem, key: tuple[str, ...], **how: bool) -> None:
    op.create_table(name, *parts, sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")), **how)


def _refers(table: str, column: str, other: str) -> sa.ForeignKeyConstraint:
    name = op.f(f"fk_{table}_{column}_{other}")
    return sa.ForeignKeyConstraint([column], [f"{other}.{column}"], name=name, ondelete="CASCADE")


def _index(table: str, *columns: str) -> None:
    op.create_index(op.f(f"ix_{table}_{'_'.join(columns)}"), table, columns)


def _jobs() -> None:
    _table(
        "job",
        sa.Column("job_id", ids, nullable=False),
        sa.Column("kind", sa.String(32), nullable=False),
        sa.Column("study_id", ids),
        sa.Column("state", sa.String(16), nullable=False),
        sa.Column("asked", sa.JSON(), nullable=False),
        sa.Column("caller", sa.String(128), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("started_at", sa.Float()),
        sa.Column("ended_at", sa.Float()),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("token", sa.String(32)),
        sa.Column("worker", sa.String(128)),
        sa.Column("lease_until", sa.Float()),
        sa.Column("cancel", sa.Boolean(), nullable=False),
        sa.Column("progress", sa.Float(), nullable=False),
        sa.Column("stage", sa.String(200)),
        sa.Column("result", sa.JSON()),
        sa.Column("problem", sa.JSON()),
        key=("job_id",),
    )
    for column in ("state", "study_id", "caller"):
        _index("job", column, "made_at")
    _table(
        "job_event",
        sa.Column("event_id", many, autoincrement=True, nullable=False),
        sa.Column("job_id", ids, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("kind", sa.String(16), nullable=False),
        sa.Column("said", sa.JSON(), nullable=False),
        _refers("job_event", "job_id", "job"),
        key=("event_id",),
        sqlite_autoincrement=True,
    )
    _index("job_event", "job_id", "event_id")
    _table(
        "asked_before",
        sa.Column("caller", sa.String(128), nullable=False),
        sa.Column("idempotency_key", sa.String(200), nullable=False),
        sa.Column("digest", ids, nullable=False),
        sa.Column("job_id", ids, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        key=("caller", "idempotency_key"),
    )


def _runs_of_jobs() -> None:
    _table(
        "job_run",
        sa.Column("run_id", ids, nullable=False),
        sa.Column("job_id", ids, nullable=False),
        _refers("job_run", "job_id", "job"),
        key=("run_id", "job_id"),
    )


def _keys() -> None:
    _table(
        "api_key",
        sa.Column("key_id", ids, nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("secret_sha256", ids, nullable=False),
        sa.Column("scopes", ids, nullable=False),
        sa.Column("per_minute", sa.Integer()),
        sa.Column("runs_per_day", sa.Integer()),
        sa.Column("made_at", sa.Float(), nullable=False),
        sa.Column("ends_at", sa.Float()),
        sa.Column("revoked_at", sa.Float()),
        sa.Column("used_at", sa.Float()),
        sa.UniqueConstraint("secret_sha256", name=op.f("uq_api_key_secret_sha256")),
        key=("key_id",),
    )
    _table(
        "audit",
        sa.Column("audit_id", many, autoincrement=True, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        sa.Column("caller", sa.String(128), nullable=False),
        sa.Column("address", ids),
        sa.Column("request_id", ids),
        sa.Column("action", ids, nullable=False),
        sa.Column("study_id", ids),
        sa.Column("said", sa.JSON(), nullable=False),
        key=("audit_id",),
        sqlite_autoincrement=True,
    )
    _index("audit", "study_id", "audit_id")
    _table(
        "secret",
        sa.Column("name", ids, nullable=False),
        sa.Column("value", sa.LargeBinary(), nullable=False),
        key=("name",),
    )


def _studies() -> None:
    _table(
        "study",
        sa.Column("study_id", ids, nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("definition", text, nullable=False),
        sa.Column("changed_at", sa.Float(), nullable=False),
        key=("study_id",),
    )
    _table(
        "study_file",
        sa.Column("study_id", ids, nullable=False),
        sa.Column("path", sa.String(300), nullable=False),
        sa.Column("sha256", ids, nullable=False),
        _refers("study_file", "study_id", "study"),
        key=("study_id", "path"),
    )
    _table(
        "run",
        sa.Column("run_id", ids, nullable=False),
        sa.Column("study_id", ids, nullable=False),
        sa.Column("scenario_id", ids, nullable=False),
        sa.Column("record", sa.JSON(), nullable=False),
        sa.Column("made_at", sa.Float(), nullable=False),
        _refers("run", "study_id", "study"),
        key=("run_id",),
    )
    _index("run", "study_id")
    _table(
        "latest",
        sa.Column("study_id", ids, nullable=False),
        sa.Column("scenario_id", ids, nullable=False),
        sa.Column("run_id", ids, nullable=False),
        _refers("latest", "study_id", "study"),
        _refers("latest", "run_id", "run"),
        key=("study_id", "scenario_id"),
    )


def _blobs() -> None:
    _table(
        "blob",
        sa.Column("sha256", ids, nullable=False),
        sa.Column("bytes", many, nullable=False),
        key=("sha256",),
    )
    _table(
        "blob_part",
        sa.Column("sha256", ids, nullable=False),
        sa.Column("part", sa.Integer(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        _refers("blob_part", "sha256", "blob"),
        key=("sha256", "part"),
    )
    _table(
        "spooled",
        sa.Column("sha256", ids, nullable=False),
        sa.Column("at", sa.Float(), nullable=False),
        _refers("spooled", "sha256", "blob"),
        key=("sha256",),
    )
