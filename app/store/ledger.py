"""What the register holds, as tables: the same in SQLite and in PostgreSQL.

Times are UTC seconds since 1970 (float): the same number in both, compared without a time zone. What a table of
PostgreSQL alone holds (studies, runs, files) is empty in SQLite, where folders hold it.
"""

from __future__ import annotations

from sqlalchemy import (
    JSON,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    UniqueConstraint,
)  # fmt: skip
from sqlalchemy.types import BigInteger

ids = String(64)
many = BigInteger().with_variant(Integer, "sqlite")
"""A number that counts up: SQLite counts up only what it calls INTEGER."""
nothing = JSON(none_as_null=True)
"""JSON where None is nothing at all, not the word null."""
metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "pk": "pk_%(table_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s",
    }
)

job = Table(
    "job", metadata,
    Column("job_id", ids, primary_key=True),
    Column("kind", String(32), nullable=False),
    Column("study_id", ids),
    Column("state", String(16), nullable=False),
    Column("asked", JSON, nullable=False),
    Column("caller", String(128), nullable=False),
    Column("made_at", Float, nullable=False),
    Column("started_at", Float),
    Column("ended_at", Float),
    Column("attempts", Integer, nullable=False, default=0),
    Column("token", String(32)),
    Column("worker", String(128)),
    Column("lease_until", Float),
    Column("cancel", Boolean, nullable=False, default=False),
    Column("progress", Float, nullable=False, default=0.0),
    Column("stage", String(200)),
    Column("result", nothing),
    Column("problem", nothing),
    Index(None, "state", "made_at"), Index(None, "study_id", "made_at"), Index(None, "caller", "made_at"),
)  # fmt: skip
"""``token`` names the lease: who does not hold it any more may say nothing more of the job."""

job_event = Table(
    "job_event", metadata,
    Column("event_id", many, primary_key=True, autoincrement=True),
    Column("job_id", ids, ForeignKey("job.job_id", ondelete="CASCADE"), nullable=False),
    Column("at", Float, nullable=False),
    Column("kind", String(16), nullable=False),
    Column("said", JSON, nullable=False),
    Index(None, "job_id", "event_id"),
    sqlite_autoincrement=True,
)  # fmt: skip

job_run = Table(
    "job_run", metadata,
    Column("run_id", ids, primary_key=True),
    Column("job_id", ids, ForeignKey("job.job_id", ondelete="CASCADE"), primary_key=True),
)  # fmt: skip
"""Which jobs were asked for a run."""

asked_before = Table(
    "asked_before", metadata,
    Column("caller", String(128), primary_key=True),
    Column("idempotency_key", String(200), primary_key=True),
    Column("digest", String(64), nullable=False),
    Column("job_id", ids, nullable=False),
    Column("at", Float, nullable=False),
)  # fmt: skip
"""What an ``Idempotency-Key`` was used for: ``digest`` is of method, path and body."""

api_key = Table(
    "api_key", metadata,
    Column("key_id", ids, primary_key=True),
    Column("name", String(200), nullable=False),
    Column("secret_sha256", String(64), nullable=False),
    Column("scopes", String(64), nullable=False),
    Column("per_minute", Integer),
    Column("runs_per_day", Integer),
    Column("made_at", Float, nullable=False),
    Column("ends_at", Float),
    Column("revoked_at", Float),
    Column("used_at", Float),
    UniqueConstraint("secret_sha256"),
)  # fmt: skip

audit = Table(
    "audit", metadata,
    Column("audit_id", many, primary_key=True, autoincrement=True),
    Column("at", Float, nullable=False),
    Column("caller", String(128), nullable=False),
    Column("address", String(64)),
    Column("request_id", String(64)),
    Column("action", String(64), nullable=False),
    Column("study_id", ids),
    Column("said", JSON, nullable=False),
    Index(None, "study_id", "audit_id"),
    sqlite_autoincrement=True,
)  # fmt: skip
"""Who changed what; rows are added, never changed."""

secret = Table(
    "secret", metadata,
    Column("name", String(64), primary_key=True),
    Column("value", LargeBinary, nullable=False),
)  # fmt: skip
"""What the service signs with."""

# -- PostgreSQL only: what folders hold otherwise ----------------------------------------------------------------------

study = Table(
    "study", metadata,
    Column("study_id", ids, primary_key=True),
    Column("revision", Integer, nullable=False),
    Column("definition", Text, nullable=False),
    Column("changed_at", Float, nullable=False),
)  # fmt: skip

study_file = Table(
    "study_file", metadata,
    Column("study_id", ids, ForeignKey("study.study_id", ondelete="CASCADE"), primary_key=True),
    Column("path", String(300), primary_key=True),
    Column("sha256", String(64), nullable=False),
)  # fmt: skip
"""The files of a study's folder but for its definition, by their path in it."""

run = Table(
    "run", metadata,
    Column("run_id", ids, primary_key=True),
    Column("study_id", ids, ForeignKey("study.study_id", ondelete="CASCADE"), nullable=False),
    Column("scenario_id", ids, nullable=False),
    Column("record", JSON, nullable=False),
    Column("made_at", Float, nullable=False),
    Index(None, "study_id"),
)  # fmt: skip

latest = Table(
    "latest", metadata,
    Column("study_id", ids, ForeignKey("study.study_id", ondelete="CASCADE"), primary_key=True),
    Column("scenario_id", ids, primary_key=True),
    Column("run_id", ids, ForeignKey("run.run_id", ondelete="CASCADE"), nullable=False),
)  # fmt: skip

blob = Table(
    "blob", metadata,
    Column("sha256", String(64), primary_key=True),
    Column("bytes", many, nullable=False),
)  # fmt: skip
"""Files by their content."""

blob_part = Table(
    "blob_part", metadata,
    Column("sha256", String(64), ForeignKey("blob.sha256", ondelete="CASCADE"), primary_key=True),
    Column("part", Integer, primary_key=True),
    Column("content", LargeBinary, nullable=False),
)  # fmt: skip

spooled = Table(
    "spooled", metadata,
    Column("sha256", String(64), ForeignKey("blob.sha256", ondelete="CASCADE"), primary_key=True),
    Column("at", Float, nullable=False),
)  # fmt: skip
"""What jobs take and give: these files are not to be collected."""
