"""The history of a run: what it is compared with, what changed, what moved, and the nights before it."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, Row, select

from fleetscan.errors import InputError
from fleetscan.model.history import Change, History, Night
from fleetscan.store import catalogue, compare
from fleetscan.store.moves import MoveFinder
from fleetscan.store.reader import FindingReader
from fleetscan.store.tables import runs


def previous(connection: Connection, run: Row[Any]) -> Row[Any] | None:
    """The last finished run of the same playbook that was begun before this one."""
    query = select(runs).where(_finished_before(run)).order_by(runs.c.number.desc()).limit(1)
    return connection.execute(query).one_or_none()


def history(connection: Connection, earlier: Row[Any], later: Row[Any], nights: int, shown: str) -> History:
    """A run against an earlier one of the same playbook; raises InputError where they cannot be compared."""
    if earlier.playbook != later.playbook:
        raise InputError.of(
            shown,
            f"{earlier.run_id} is a run of {earlier.playbook}, {later.run_id} one of {later.playbook}",
            "compare two runs of the same playbook",
        )
    if earlier.number == later.number:
        raise InputError.of(shown, f"{earlier.run_id} cannot be compared with itself", "name another run")
    reader = FindingReader(connection)
    finder = MoveFinder()
    found: dict[str, list[Change]] = {}
    for batch in compare.pairs(connection, earlier.number, later.number):
        for pair in batch:
            finder.see(pair)
        found |= compare.changes(connection, reader, batch)
    order = [host.name.casefold() for host in catalogue.plan(connection, later).hosts]
    return History(
        previous_run=earlier.run_id,
        previous_started_at=earlier.started_at,
        changes=tuple(change for host in dict.fromkeys([*order, *found]) for change in found.get(host, [])),
        moves=finder.moves(connection),
        nights=_nights(connection, later, nights),
    )


def _nights(connection: Connection, run: Row[Any], limit: int) -> tuple[Night, ...]:
    newest_first = catalogue.summaries(connection, _finished_before(run), limit=limit)
    return tuple(
        Night(
            run_id=night.run_id,
            started_at=night.started_at,
            hosts=night.done,
            failing_hosts=night.failing_hosts,
            unassessed_hosts=night.unassessed_hosts,
            counts=night.counts,
        )
        for night in reversed(newest_first)
    )


def _finished_before(run: Row[Any]) -> Any:
    return (
        (runs.c.playbook == run.playbook)
        & (runs.c.number < run.number)
        & runs.c.ended_at.is_not(None)
        & runs.c.interrupted.is_(False)
    )
