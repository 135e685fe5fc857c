"""How long runs and facts are kept, and the sweeping of what nobody refers to any more.

- A run stays if it is one of the newest `keep_runs` finished ones of its playbook, or younger than `keep_days`; 0 means
  that this rule keeps nothing, and both at 0 that no run is removed. The last finished run of a playbook always stays.
- A run that never finished may be under way: it stays until UNFINISHED more have finished that were begun after it.
- Facts stay for the newest `facts_runs` finished runs of each playbook, and those newer than them; None: all stay.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Engine, Row, and_, bindparam, delete, func, select, union, update

from fleetscan.store.once import batches
from fleetscan.store.tables import answers, blobs, contents, runs, spans, streams, visits, writers

UNFINISHED = 10
"""Without a clock: that of a run under way may be set back, and its nights may be long."""

_EMPTY = 0.25
"""The share of a file that may be empty before it is written anew."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Pruned:
    """What was removed."""

    runs: tuple[str, ...]
    """The ids of the runs, oldest first."""
    facts: tuple[str, ...]
    """The ids of runs that stay and lost their facts, oldest first."""

    def __bool__(self) -> bool:
        return bool(self.runs or self.facts)


def prune(connection: Connection, now: datetime, *, keep_runs: int, keep_days: int, facts_runs: int | None) -> Pruned:
    """Remove what the rules do not keep, and sweep. In the writer's transaction: nobody sees half of it."""
    removed: list[Row[Any]] = []
    bare: list[Row[Any]] = []
    young = now - timedelta(days=keep_days)
    for known in _by_playbook(connection):
        old = _old(known, max(keep_runs, 1), young) if keep_runs or keep_days else []
        removed += old
        if facts_runs is not None:
            bare += _old([run for run in known if run not in old], facts_runs, now)
    bare = [run for run in bare if _has_facts(connection, run)]
    for batch in batches([run.number for run in removed]):
        connection.execute(delete(runs).where(runs.c.number.in_(batch)))
    for batch in batches([run.number for run in bare]):
        of_runs = select(visits.c.id).where(visits.c.run.in_(batch))
        connection.execute(delete(answers).where(answers.c.visit.in_(of_runs)))
        connection.execute(update(visits).where(visits.c.run.in_(batch)).values(details=None))
    pruned = Pruned(runs=_names(removed), facts=_names(bare))
    if pruned:
        _sweep(connection)
        connection.execute(update(writers).values(prunings=writers.c.prunings + 1))
    return pruned


def _by_playbook(connection: Connection) -> list[list[Row[Any]]]:
    found: dict[str, list[Row[Any]]] = defaultdict(list)
    for run in connection.execute(select(runs).order_by(runs.c.number.desc())):
        found[run.playbook].append(run)
    return list(found.values())


def _old(known: list[Row[Any]], keep: int, young: datetime) -> list[Row[Any]]:
    """The runs, of some that are given newest first, that are neither among the newest `keep` nor young."""
    finished = 0
    old = []
    for run in known:
        ended = run.ended_at is not None and not run.interrupted
        if finished >= (keep if ended else keep + UNFINISHED) and run.started_at < young:
            old.append(run)
        finished += ended
    return old


def _has_facts(connection: Connection, run: Row[Any]) -> bool:
    kept = select(visits.c.id).where(visits.c.run == run.number, visits.c.details.is_not(None)).limit(1)
    return connection.execute(kept).first() is not None


def _names(found: list[Row[Any]]) -> tuple[str, ...]:
    return tuple(run.run_id for run in sorted(found, key=lambda run: int(run.number)))


def _sweep(connection: Connection) -> None:
    """Remove what no run needs any more."""
    connection.execute(delete(streams).where(streams.c.id.not_in(select(visits.c.stream))))
    first = connection.execute(select(visits.c.stream, func.min(visits.c.seq)).group_by(visits.c.stream)).all()
    passed = and_(spans.c.stream == bindparam("of_stream"), spans.c.until_seq <= bindparam("first_visit"))
    if first:
        rows = [{"of_stream": stream, "first_visit": seq} for stream, seq in first]
        connection.execute(delete(spans).where(passed), rows)
    said = select(spans.c.content).where(spans.c.content.is_not(None)).distinct()
    connection.execute(delete(contents).where(contents.c.id.not_in(said)))
    shared = (runs.c.plan, runs.c.outcome, visits.c.frame, answers.c.body, contents.c.definition)
    used = union(*(select(column).where(column.is_not(None)) for column in shared))
    connection.execute(delete(blobs).where(blobs.c.id.not_in(used)))


def give_back_space(engine: Engine) -> None:
    """Make a SQLite file smaller when much of it is empty. A server does that by itself; what fails is tried next time.

    SQLite writes the file anew for it, which needs the room, and nobody else writing. The facts of the next night fill
    what those of the oldest one left, so a store that is pruned every night is hardly ever written anew.
    """
    if engine.dialect.name != "sqlite":
        return
    pooled = engine.raw_connection()
    try:
        connection: Any = pooled.driver_connection  # outside of any transaction: VACUUM wants it so
        pages, free = (connection.execute(f"PRAGMA {name}").fetchone()[0] for name in ("page_count", "freelist_count"))
        if free > _EMPTY * pages:
            connection.execute("VACUUM")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    except sqlite3.Error:
        return
    finally:
        pooled.close()
