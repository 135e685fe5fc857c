"""The list of runs: which there are, how far they came, and which one is meant."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, select

from fleetscan.errors import InputError
from fleetscan.model.finding import Status
from fleetscan.model.host import Host
from fleetscan.model.playbook import Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import RunRecord, RunState, RunSummary, Trouble
from fleetscan.store import codec
from fleetscan.store.reader import bodies
from fleetscan.store.tables import runs, streams, visits
from fleetscan.suggest import did_you_mean

LAST = "last"

_CUT_OFF = {Reason.CANCELLED, Reason.TIMEOUT_RUN}
"""Why a host was left out by the run, not by itself: it is still to be visited."""


def summaries(connection: Connection, *where: Any, limit: int | None = None) -> tuple[RunSummary, ...]:
    """Runs, newest first: in the order in which they were begun, whatever their clocks said."""
    query = select(runs).where(*where).order_by(runs.c.number.desc()).limit(limit)
    found = connection.execute(query).all()
    tallies = {row.number: _Tally() for row in found}
    if tallies:
        columns = (visits.c.run, visits.c.verdict, visits.c.counts, visits.c.details.is_not(None).label("kept"))
        for row in connection.execute(select(*columns).where(visits.c.run.between(min(tallies), max(tallies)))):
            if row.run in tallies:
                tallies[row.run].add(row)
    return tuple(_summary(row, tallies[row.number]) for row in found)


class _Tally:
    """What the visits of one run come to."""

    def __init__(self) -> None:
        self.verdicts: Counter[str] = Counter()
        self.findings = [0] * len(Status)
        self.kept = False

    def add(self, visit: Row[Any]) -> None:
        self.verdicts[visit.verdict] += 1
        self.kept = self.kept or visit.kept
        for place, count in enumerate(visit.counts.split(",")):
            self.findings[place] += int(count)


def state(run: Row[Any]) -> RunState:
    """How far a run came."""
    if run.ended_at is None:
        return RunState.UNFINISHED
    return RunState.INTERRUPTED if run.interrupted else RunState.FINISHED


def _summary(run: Row[Any], tally: _Tally) -> RunSummary:
    return RunSummary(
        run_id=run.run_id,
        playbook=run.playbook,
        playbook_version=run.playbook_version,
        started_at=run.started_at,
        ended_at=run.ended_at,
        state=state(run),
        hosts=run.planned,
        done=sum(tally.verdicts.values()),
        failing_hosts=tally.verdicts[Status.FAIL],
        unassessed_hosts=tally.verdicts[Status.NOT_ASSESSED],
        counts=dict(zip(Status, tally.findings, strict=True)),
        has_facts=tally.kept,
        fail_on=Severity(run.fail_on),
        tool_version=run.tool_version,
        command=run.command,
    )


def find(connection: Connection, wanted: str, shown: str) -> Row[Any]:
    """The run that is meant: by its id, by the beginning of it, or `last`. Raises InputError."""
    newest_first = select(runs).order_by(runs.c.number.desc())
    if wanted == LAST:
        run = connection.execute(newest_first.limit(1)).one_or_none()
        if run is None:
            raise InputError.of(shown, "the store has no run yet", "fleetscan scan makes one")
        return run
    exact = connection.execute(select(runs).where(runs.c.run_id == wanted)).one_or_none()
    if exact is not None:
        return exact
    known = list(connection.execute(select(runs.c.run_id).order_by(runs.c.number.desc())).scalars())
    alike = [run_id for run_id in known if wanted and run_id.casefold().startswith(wanted.casefold())]
    if len(alike) == 1:
        return connection.execute(select(runs).where(runs.c.run_id == alike[0])).one()
    if alike:
        some = ", ".join(alike[:5]) + (" …" if len(alike) > 5 else "")
        raise InputError.of(shown, f'"{wanted}" begins the names of {len(alike)} runs: {some}', "write more of it")
    cure = did_you_mean(wanted, [LAST, *known], "there are") or "see `fleetscan runs list`"
    raise InputError.of(shown, f'there is no run "{wanted}"', cure)


def record(connection: Connection, run: Row[Any]) -> RunRecord:
    """What was written down when the run began."""
    begun = plan(connection, run)
    return RunRecord(
        run_id=run.run_id,
        started_at=run.started_at,
        playbook=run.playbook,
        playbook_title=run.playbook_title,
        playbook_version=run.playbook_version,
        checks=begun.checks,
        hosts=begun.hosts,
        fail_on=Severity(run.fail_on),
        tool_version=run.tool_version,
        command=run.command,
        left_out=begun.left_out,
    )


def pending(connection: Connection, run: Row[Any]) -> tuple[Host, ...]:
    """The hosts that are still to be visited: those without a report, and those that the run itself cut off."""
    query = select(streams.c.host, visits.c.trouble).join(streams, streams.c.id == visits.c.stream)
    found = connection.execute(query.where(visits.c.run == run.number)).all()
    done = {row.host for row in found if not _cut_off(row.trouble)}
    return tuple(host for host in plan(connection, run).hosts if host.name.casefold() not in done)


def _cut_off(trouble: str | None) -> bool:
    return trouble is not None and codec.load(Trouble, trouble).reason in _CUT_OFF


def plan(connection: Connection, run: Row[Any]) -> codec.Plan:
    """What a run is to do."""
    return codec.unpack(codec.Plan, bodies(connection, [run.plan])[run.plan])


def hosts_with_a_visit(connection: Connection, number: int) -> Sequence[str]:
    """The hosts of a run that have a report, in lower case."""
    query = select(streams.c.host).join(visits, visits.c.stream == streams.c.id).where(visits.c.run == number)
    return connection.execute(query).scalars().all()
