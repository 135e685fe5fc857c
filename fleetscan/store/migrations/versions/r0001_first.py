"""The first schema."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

ID = sa.BigInteger().with_variant(sa.Integer(), "sqlite")


def upgrade() -> None:
    """Make all tables, those first that others refer to."""
    _blobs()
    _checks()
    _contents()
    _runs()
    _streams()
    _writers()
    _objects()
    _spans()
    _visits()
    _answers()
    op.execute("INSERT INTO writers (id, prunings) VALUES (1, 0)")


def _blobs() -> None:
    op.create_table(
        "blobs",
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_blobs")),
        sa.UniqueConstraint("hash", name=op.f("uq_blobs_hash")),
    )


def _checks() -> None:
    op.create_table(
        "checks",
        sa.Column("id", ID, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_checks")),
        sa.UniqueConstraint("name", name=op.f("uq_checks_name")),
    )


def _contents() -> None:
    op.create_table(
        "contents",
        sa.Column("id", ID, nullable=False),
        sa.Column("hash", sa.LargeBinary(length=16), nullable=False),
        sa.Column("definition", ID, nullable=False),
        sa.Column("status", sa.String(length=16), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("expected", sa.Text(), nullable=False),
        sa.Column("observed", sa.Text(), nullable=False),
        sa.Column("remedy", sa.Text(), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("waiver", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_contents")),
        sa.UniqueConstraint("hash", name=op.f("uq_contents_hash")),
    )


def _runs() -> None:
    op.create_table(
        "runs",
        sa.Column("number", ID, nullable=False),
        sa.Column("run_id", sa.Text(), nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("playbook_title", sa.Text(), nullable=False),
        sa.Column("playbook_version", sa.Text(), nullable=False),
        sa.Column("tool_version", sa.Text(), nullable=False),
        sa.Column("fail_on", sa.String(length=16), nullable=False),
        sa.Column("command", sa.Text(), nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=False),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("interrupted", sa.Boolean(), nullable=False),
        sa.Column("plan", ID, nullable=False),
        sa.Column("planned", sa.Integer(), nullable=False),
        sa.Column("outcome", ID, nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_runs")),
        sa.UniqueConstraint("run_id", name=op.f("uq_runs_run_id")),
        sqlite_autoincrement=True,
    )


def _streams() -> None:
    op.create_table(
        "streams",
        sa.Column("id", ID, nullable=False),
        sa.Column("playbook", sa.Text(), nullable=False),
        sa.Column("host", sa.Text(), nullable=False),
        sa.Column("last_seq", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_streams")),
        sa.UniqueConstraint("playbook", "host", name=op.f("uq_streams_playbook_host")),
    )


def _writers() -> None:
    op.create_table(
        "writers",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("prunings", sa.Integer(), nullable=False),
        sa.CheckConstraint("id = 1", name=op.f("ck_writers_one_row")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_writers")),
    )


def _objects() -> None:
    op.create_table(
        "objects",
        sa.Column("id", ID, nullable=False),
        sa.Column("stream", ID, nullable=False),
        sa.Column("type", sa.String(length=16), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("identity", sa.Text(), nullable=False),
        sa.Column("nth", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name=op.f("fk_objects_stream_streams"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_objects")),
    )
    op.create_index(op.f("ix_objects_stream"), "objects", ["stream"], unique=False)


def _spans() -> None:
    op.create_table(
        "spans",
        sa.Column("stream", ID, autoincrement=False, nullable=False),
        sa.Column("first_seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("check", ID, autoincrement=False, nullable=False),
        sa.Column("object", ID, autoincrement=False, nullable=False),
        sa.Column("until_seq", sa.Integer(), nullable=True),
        sa.Column("content", ID, nullable=True),
        sa.Column("open_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name=op.f("fk_spans_stream_streams"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("stream", "first_seq", "check", "object", name=op.f("pk_spans")),
        sqlite_with_rowid=False,
    )
    op.create_index(
        "ix_spans_open",
        "spans",
        ["stream", "first_seq"],
        unique=False,
        postgresql_where=sa.text("open_since IS NOT NULL"),
        sqlite_where=sa.text("open_since IS NOT NULL"),
    )


def _visits() -> None:
    op.create_table(
        "visits",
        sa.Column("id", ID, nullable=False),
        sa.Column("run", ID, nullable=False),
        sa.Column("stream", ID, nullable=False),
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("frame", ID, nullable=False),
        sa.Column("started_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("counts", sa.String(length=80), nullable=False),
        sa.Column("evidence", sa.LargeBinary(), nullable=False),
        sa.Column("trouble", sa.Text(), nullable=True),
        sa.Column("details", sa.LargeBinary(), nullable=True),
        sa.ForeignKeyConstraint(["run"], ["runs.number"], name=op.f("fk_visits_run_runs"), ondelete="CASCADE"),
        sa.ForeignKeyConstraint(["stream"], ["streams.id"], name=op.f("fk_visits_stream_streams")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_visits")),
        sa.UniqueConstraint("run", "stream", name=op.f("uq_visits_run_stream")),
        sa.UniqueConstraint("stream", "seq", name=op.f("uq_visits_stream_seq")),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("visit", ID, autoincrement=False, nullable=False),
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("probe", sa.Text(), nullable=False),
        sa.Column("reason", sa.String(length=40), nullable=True),
        sa.Column("message", sa.Text(), nullable=False),
        sa.Column("ms", sa.Integer(), nullable=False),
        sa.Column("sha256", sa.Text(), nullable=False),
        sa.Column("body", ID, nullable=True),
        sa.ForeignKeyConstraint(["visit"], ["visits.id"], name=op.f("fk_answers_visit_visits"), ondelete="CASCADE"),
        sa.PrimaryKeyConstraint("visit", "position", name=op.f("pk_answers")),
        sqlite_with_rowid=False,
    )
