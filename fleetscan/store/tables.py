"""The tables.

A run has one visit for each host that was finished. The visits of one host with one playbook form a stream and are
numbered in it. What is the same as in the visit before is not written again:

- `spans`: from visit `first_seq` of a stream until before visit `until_seq` (NULL: still), one check on one object had
  one content. Content NULL: the object is gone. Unchanged findings cost nothing, however many nights they last.
- `blobs`: compressed JSON, once for each hash. The frame of a visit (its host as resolved, the order of its findings)
  says which of the spans belong to it, so that a run of few checks says nothing of the others.
- `answers`: what the probes said, as long as facts are kept.

`open_since` of a span: when the failure began that was open as of then. It is carried through visits that could not
look, so that a night without an answer neither closes nor renews a failure.

Foreign keys stand where rows belong to a row. What is kept once by its hash (blobs, contents) is shared, and swept when
nobody uses it any more: a key there would have the database look through all spans for each row that is swept.
"""

from __future__ import annotations

from sqlalchemy import (
    Boolean,
    CheckConstraint,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    UniqueConstraint,
    text,
)

from fleetscan.store.columns import Exact, Id, Moment

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

_HASH = LargeBinary(16)

writers = Table(
    "writers",
    metadata,
    Column("id", Integer, CheckConstraint("id = 1", name="one_row"), primary_key=True),
    Column("prunings", Integer, nullable=False),  # what a writer remembers of ids is void once this has changed
)

blobs = Table(
    "blobs",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", _HASH, nullable=False, unique=True),
    Column("body", LargeBinary, nullable=False),
)

runs = Table(
    "runs",
    metadata,
    Column("number", Id, primary_key=True),  # the order of runs: a clock may be set back
    Column("run_id", Exact, nullable=False, unique=True),
    Column("playbook", Exact, nullable=False),
    Column("playbook_title", Exact, nullable=False),
    Column("playbook_version", Exact, nullable=False),
    Column("tool_version", Exact, nullable=False),
    Column("fail_on", String(16), nullable=False),
    Column("command", Exact, nullable=False),
    Column("started_at", Moment, nullable=False),
    Column("ended_at", Moment),
    Column("interrupted", Boolean(create_constraint=False), nullable=False),
    Column("plan", Id, nullable=False),  # the hosts and checks that were selected
    Column("planned", Integer, nullable=False),  # how many hosts
    Column("outcome", Id),  # diagnoses, notices, dated lists
    sqlite_autoincrement=True,
)

streams = Table(
    "streams",
    metadata,
    Column("id", Id, primary_key=True),
    Column("playbook", Exact, nullable=False),
    Column("host", Exact, nullable=False),  # in lower case
    Column("last_seq", Integer, nullable=False),
    UniqueConstraint("playbook", "host"),
)

visits = Table(
    "visits",
    metadata,
    Column("id", Id, primary_key=True),
    Column("run", Id, ForeignKey("runs.number", ondelete="CASCADE"), nullable=False),
    Column("stream", Id, ForeignKey("streams.id"), nullable=False),
    Column("seq", Integer, nullable=False),
    Column("frame", Id, nullable=False),
    Column("started_at", Moment),
    Column("ended_at", Moment),
    Column("attempts", Integer, nullable=False),
    Column("verdict", String(16), nullable=False),
    Column("counts", String(80), nullable=False),  # findings of each status, in the order of Status, with commas
    Column("evidence", LargeBinary, nullable=False),  # six bytes of the hash of each answer, in the frame's order
    Column("trouble", Exact),
    Column("details", LargeBinary),  # compressed JSON: what the host says of itself, and seconds; kept as long as facts
    UniqueConstraint("run", "stream"),
    UniqueConstraint("stream", "seq"),
)

answers = Table(
    "answers",
    metadata,
    Column("visit", Id, ForeignKey("visits.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("probe", Exact, nullable=False),
    Column("reason", String(40)),
    Column("message", Exact, nullable=False),
    Column("ms", Integer, nullable=False),
    Column("sha256", Exact, nullable=False),
    Column("body", Id),
    sqlite_with_rowid=False,
)

checks = Table(
    "checks",
    metadata,
    Column("id", Id, primary_key=True),
    Column("name", Exact, nullable=False, unique=True),
)

objects = Table(
    "objects",
    metadata,
    Column("id", Id, primary_key=True),
    Column("stream", Id, ForeignKey("streams.id", ondelete="CASCADE"), nullable=False, index=True),
    Column("type", String(16), nullable=False),
    Column("name", Exact, nullable=False),
    Column("identity", Exact, nullable=False),  # a GUID, a path, the name of the host; empty where not known
    Column("nth", Integer, nullable=False),  # 0, or more where one check says several things of one object
)

contents = Table(
    "contents",
    metadata,
    Column("id", Id, primary_key=True),
    Column("hash", _HASH, nullable=False, unique=True),
    Column("definition", Id, nullable=False),  # title, article, severity … of the check
    Column("status", String(16), nullable=False),
    Column("reason", String(40)),
    Column("message", Exact, nullable=False),
    Column("expected", Exact, nullable=False),
    Column("observed", Exact, nullable=False),
    Column("remedy", Exact, nullable=False),
    Column("evidence", Exact, nullable=False),  # the probes, without the hashes of their answers
    Column("waiver", Exact),
)

spans = Table(
    "spans",
    metadata,
    Column("stream", Id, ForeignKey("streams.id", ondelete="CASCADE"), primary_key=True, autoincrement=False),
    Column("first_seq", Integer, primary_key=True, autoincrement=False),
    Column("check", Id, primary_key=True, autoincrement=False),
    Column("object", Id, primary_key=True, autoincrement=False),
    Column("until_seq", Integer),
    Column("content", Id),
    Column("open_since", Moment),
    sqlite_with_rowid=False,
)
Index(
    "ix_spans_open",
    spans.c.stream,
    spans.c.first_seq,
    postgresql_where=text("open_since IS NOT NULL"),
    sqlite_where=text("open_since IS NOT NULL"),
)
