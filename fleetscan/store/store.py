"""The store: what the rest of fleetscan sees of it."""

from __future__ import annotations

import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from types import TracebackType
from typing import Any

from sqlalchemy import Connection, Engine, Row, select

from fleetscan.errors import InputError, StoreError
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, PackedFindings
from fleetscan.model.history import History
from fleetscan.model.host import Host
from fleetscan.model.run import HostReport, RunRecord, RunReport, RunState, RunSummary
from fleetscan.store import catalogue, past, reader, retention, writer
from fleetscan.store.address import Address
from fleetscan.store.engine import reading, translated, writing
from fleetscan.store.findings import FindingWriter
from fleetscan.store.once import batches
from fleetscan.store.retention import Pruned
from fleetscan.store.tables import runs

_HOSTS_AT_ONCE = 100
"""How many hosts are put right in one transaction at the end of a run."""


class Store:
    """Runs, as they happen and for ever after. Made by `open_store`; a context manager that closes itself.

    Every method may be called from any thread; those that write wait for each other. A method that cannot do what it
    says raises StoreError with the cure, and has changed nothing. `run` arguments are a run's id, the beginning of one,
    or `last`; an unknown one raises InputError.
    """

    def __init__(self, engine: Engine, address: Address) -> None:
        self._engine = engine
        self._address = address
        self._lock = threading.Lock()
        self._findings = FindingWriter()
        self._prunings = -1
        self._written: dict[str, dict[str, Sequence[Finding]]] = {}

    @property
    def shown(self) -> str:
        """Where it is, safe to print."""
        return self._address.shown

    def __enter__(self) -> Store:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file or the server. Safe to call twice."""
        self._engine.dispose()

    def begin(self, run: RunRecord) -> None:
        """Write down a run before its first host is contacted. Its id must be new: StoreError otherwise."""
        with self._writing("begin the run") as connection:
            if connection.execute(select(runs.c.number).where(runs.c.run_id == run.run_id)).first() is not None:
                raise StoreError(f"{self._address.shown}: there is a run {run.run_id} already")
            writer.begin(connection, run)

    def add(self, run_id: str, report: HostReport) -> None:
        """Write down one host, for good: when this returns, neither `kill -9` nor a power cut takes it away.

        It blocks for some milliseconds (while another process writes: longer), so a scan calls it from a worker thread:
        `await anyio.to_thread.run_sync(store.add, run_id, report)`. A second report of a host replaces the first.
        """
        with self._writing(f"write {report.host.name}") as connection:
            writer.add(connection, self._findings, self._key(connection, run_id), report)
        self._written.setdefault(run_id, {})[report.host.name.casefold()] = PackedFindings.of(report.findings)

    def finish(self, report: RunReport) -> None:
        """Write down how a run ended: when, whether early, its diagnoses, notices and dated lists.

        The run then comes back as it is reported: hosts that were never added are added now, and findings that are not
        as they were added (what only all hosts together can tell, waivers) are put right. A run that was ended early
        may be gone on with (`pending`, `add`) and finished again.
        """
        written = self._written_of(report)
        for batch in batches(report.hosts, _HOSTS_AT_ONCE):
            with self._writing("end the run") as connection:
                run = self._key(connection, report.run_id)
                for host in batch:
                    findings = written.get(host.host.name.casefold())
                    if findings is None:
                        writer.add(connection, self._findings, run, host)
                    else:
                        writer.amend(connection, self._findings, run, host, findings)
        with self._writing("end the run") as connection:
            writer.finish(connection, self._key(connection, report.run_id), report)
        self._written.pop(report.run_id, None)

    def runs(self, limit: int | None = None) -> tuple[RunSummary, ...]:
        """All runs, newest first, or the newest `limit` of them."""
        with self._reading("list the runs") as connection:
            return catalogue.summaries(connection, limit=limit)

    def run(self, run: str) -> RunSummary:
        """One run: by its id, the beginning of one, or `last`."""
        with self._reading("find the run") as connection:
            number = self._find(connection, run).number
            return catalogue.summaries(connection, runs.c.number == number)[0]

    def record(self, run: str) -> RunRecord:
        """What `begin` was given."""
        with self._reading("read the run") as connection:
            return catalogue.record(connection, self._find(connection, run))

    def pending(self, run: str) -> tuple[Host, ...]:
        """The hosts of a run that are still to be visited, in its order.

        Those without a report, and those that the run itself cut off (`cancelled`, `timeout.run`).
        """
        with self._reading("read the run") as connection:
            return catalogue.pending(connection, self._find(connection, run))

    def load(self, run: str) -> RunReport:
        """A whole run as it was reported, without its `history`.

        Of a run that was never finished: what there is, `interrupted`; hosts without a report are absent (`pending`
        names them). Where facts are no longer kept, `facts` has only the hash of the payload, and `seconds` is empty.
        """
        with self._reading("read the run") as connection:
            return reader.load(connection, self._find(connection, run).number)

    def facts(self, run: str, host: str) -> HostFacts | None:
        """What a host answered in a run; None where it was not visited, or facts are no longer kept."""
        with self._reading("read facts") as connection:
            return reader.facts_of_run(connection, self._find(connection, run).number, host)

    def previous_facts(
        self, host: str, playbook: str, *, before: str | None = None
    ) -> tuple[datetime | None, HostFacts] | None:
        """What a host answered when it last did, with the end of that visit: in runs of the playbook before a run.

        None where it never did, or the facts are no longer kept.
        """
        with self._reading("read facts") as connection:
            number = self._find(connection, before).number if before is not None else None
            return reader.latest_facts(connection, host, playbook, number)

    def diff(self, earlier: str, later: str, *, nights: int = 0) -> History:
        """A run against an earlier one of the same playbook: see `model.history` for what counts as a change.

        The one that was begun first is the earlier one, whichever is named first. Hosts and checks that the later run
        did not select are left out; those that the earlier one did not are compared with what was last known of them.
        """
        with self._reading("compare the runs") as connection:
            chosen = [self._find(connection, earlier), self._find(connection, later)]
            first, second = sorted(chosen, key=lambda run: int(run.number))
            return past.history(connection, first, second, nights, self._address.shown)

    def history(self, run: str, *, nights: int = 30) -> History | None:
        """A run against the last finished one of its playbook before it, with up to `nights` of those.

        None where there is no finished one before it. `replace(report, history=…)` puts it into a report.
        """
        with self._reading("compare the runs") as connection:
            later = self._find(connection, run)
            earlier = past.previous(connection, later)
            if earlier is None:
                return None
            return past.history(connection, earlier, later, nights, self._address.shown)

    def bring_in(self, other: Store) -> tuple[str, ...]:
        """Take over the runs of another store, such as the spool of a `Journal`; gives the ids of those.

        A run that is here already gets the hosts that it lacks; one that is finished here is left alone. Taking over
        the same store twice changes nothing. Runs count as begun when they are brought in.
        """
        taken = []
        here = {run.run_id: run.state for run in self.runs()}
        for run in reversed(other.runs()):
            if here.get(run.run_id) is RunState.FINISHED:
                continue
            if run.run_id not in here:
                self.begin(other.record(run.run_id))
            report = other.load(run.run_id)
            missing = {host.name for host in self.pending(run.run_id)}
            for host in report.hosts:
                if host.host.name in missing:
                    self.add(run.run_id, host)
            if run.ended_at is not None:
                self.finish(report)
            taken.append(run.run_id)
        return tuple(taken)

    def prune(self, *, keep_runs: int = 0, keep_days: int = 0, facts_runs: int | None = None) -> Pruned:
        """Remove old runs, and the facts of runs that stay; gives what was removed. See `retention` for the rules."""
        with self._writing("prune") as connection:
            pruned = retention.prune(
                connection, datetime.now(UTC), keep_runs=keep_runs, keep_days=keep_days, facts_runs=facts_runs
            )
        if pruned:
            retention.give_back_space(self._engine)
        return pruned

    def _written_of(self, report: RunReport) -> dict[str, Sequence[Finding]]:
        """The findings of each host as they are in the store; those that another process wrote are read."""
        written = self._written.get(report.run_id, {})
        with self._reading("read the run") as connection:
            number = self._key(connection, report.run_id).number
            there = catalogue.hosts_with_a_visit(connection, number)
            others = set(there) - written.keys()
            if not others:
                return written
            return {
                host.host.name.casefold(): host.findings for host in reader.read_hosts(connection, number, others)
            } | written

    @contextmanager
    def _writing(self, doing: str) -> Iterator[Connection]:
        with self._lock, translated(self._address, doing), writing(self._engine) as (connection, prunings):
            if prunings != self._prunings:
                self._findings.forget()
                self._prunings = prunings
            try:
                yield connection
            except BaseException:
                self._findings.forget()  # ids of rows that are now rolled back
                raise

    @contextmanager
    def _reading(self, doing: str) -> Iterator[Connection]:
        with translated(self._address, doing), reading(self._engine) as connection:
            yield connection

    def _find(self, connection: Connection, run: str) -> Row[Any]:
        return catalogue.find(connection, run, self._address.shown)

    def _key(self, connection: Connection, run_id: str) -> writer.RunKey:
        columns = (runs.c.number, runs.c.playbook, runs.c.started_at)
        found = connection.execute(select(*columns).where(runs.c.run_id == run_id)).one_or_none()
        if found is None:
            raise InputError.of(self._address.shown, f'there is no run "{run_id}"', "it was pruned, or never begun")
        return writer.RunKey(found.number, found.playbook, found.started_at)
