"""Runs that are gone on with, or made once more for some of their hosts."""

from __future__ import annotations

import logging
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleetscan.cli.options import Which
from fleetscan.cli.request import STDIN, Request
from fleetscan.errors import InputError, Problem, StoreError
from fleetscan.model.finding import Status
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunRecord, RunReport, RunState

if TYPE_CHECKING:
    from fleetscan.cli.prepare import Prepared
    from fleetscan.model.facts import HostFacts
    from fleetscan.model.host import Host
    from fleetscan.scan.visit import Recall
    from fleetscan.store import Store

LAST = "last"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Past:
    """What is wanted of an earlier run: to go on with it, or to visit some of its hosts once more."""

    run: str | None
    """The run as the user names it; None means the one that is meant most often."""
    rerun: Which | None
    """None: go on with it."""
    given: frozenset[str]
    """The options that are given now, by the name of their field in Request: they stand above those of then."""


@dataclass(frozen=True, slots=True)
class Task:
    """What is to be done: the run, the scan of the hosts that are still to be visited, and what is known already."""

    prepared: Prepared
    record: RunRecord
    known: Mapping[str, HostReport] = field(default_factory=dict)
    """Reports of hosts that the run has visited already, by name."""
    begun: bool = False
    """Whether the run is in the store already."""


def resolve(store: Store, run: str) -> str:
    """The id of a run: of its beginning, of `last`, or of `last~1`, the one before that. Raises InputError."""
    word, tilde, back = run.partition("~")
    if word == LAST and tilde and back.isdecimal():
        found = store.runs(int(back) + 1)
        if len(found) <= int(back):
            cure = "`fleetscan runs list` shows them"
            raise InputError.of(store.shown, f"there are only {len(found)} runs, none is {run}", cure)
        return found[-1].run_id
    return store.run(run).run_id


def resume(store: Store, past: Past, given: Request) -> Task:
    """Go on with a run, the last unfinished one if none is named. Raises InputError where it would not be the same."""
    run_id = resolve(store, past.run) if past.run else _unfinished(store)
    record, left = store.record(run_id), store.pending(run_id)
    if not left:
        cure = f"fleetscan runs show {run_id}"
        raise InputError.of("--resume", f"the run {run_id} is complete: no host is left to be visited", cure)
    prepared = _read(recall(record.command, given, past.given), record.started_at, left)
    pending = {host.name for host in left}
    done = {report.host.name: report for report in store.load(run_id).hosts if report.host.name not in pending}
    problems = [*_other_checks(record, prepared), *_other_hosts(left, prepared)]
    if not problems:
        problems = _other_verdicts(done, prepared)
    if problems:
        raise InputError(problems)
    return Task(prepared, record, done, begun=True)


def rerun(store: Store, past: Past, given: Request) -> Task | None:
    """A new run over some hosts of an earlier one, the last if none is named; None if there are no such hosts."""
    run_id = resolve(store, past.run or LAST)
    record, report = store.record(run_id), store.load(run_id)
    names = set(_chosen(report, past.rerun))
    if past.rerun is Which.UNREACHABLE:
        names |= {host.name for host in store.pending(run_id)}
    hosts = [host for host in record.hosts if host.name in names]
    if not hosts:
        return None
    # Its reports were of all the hosts: they are not overwritten by one of a few.
    request = replace(recall(record.command, given, past.given), output=given.output)
    return new_task(_read(request, datetime.now(UTC), hosts))


def new_task(prepared: Prepared) -> Task:
    """A run that begins now."""
    from fleetscan import __version__
    from fleetscan.scan.outcome import new_run_id

    book, request = prepared.book, prepared.request
    moment = datetime.now(UTC)
    record = RunRecord(
        run_id=new_run_id(moment),
        started_at=moment,
        playbook=book.name,
        playbook_title=book.title,
        playbook_version=book.version,
        checks=tuple(check.id for check in book.checks),
        hosts=prepared.hosts,
        fail_on=request.fail_on,
        tool_version=__version__,
        command=request.record(),
        left_out=prepared.left_out,
    )
    return Task(prepared, record)


def recall(command: str, given: Request, names: Collection[str]) -> Request:
    """What an earlier run was asked, the options `names` as they are `given` now. Raises InputError."""
    try:
        earlier = Request.parse(command)
    except ValueError as error:
        message = f"the command of that run cannot be read any more: {error}"
        raise InputError.of("--run", message, "scan anew") from error
    asked = replace(earlier, **{name: getattr(given, name) for name in names if hasattr(given, name)})
    if STDIN in asked.inventory and "inventory" not in names:
        message = "the inventory of that run came from standard input"
        raise InputError.of("--run", message, "give it again: -i - or -i FILE")
    return asked


def earlier_readings(store: Store | None, playbook: str) -> Recall:
    """What each host answered when it last did. A store that cannot be read has nothing, and the checks say so."""

    def told(host: Host) -> HostFacts | None:
        try:
            found = store.previous_facts(host.name, playbook) if store is not None else None
        except StoreError as error:
            log.warning("%s: %s", host.name, error.message)
            return None
        return found[1] if found is not None else None

    return told


def _read(request: Request, moment: datetime, hosts: Sequence[Host]) -> Prepared:
    from fleetscan.cli.prepare import read

    return read(request, moment, [host.name for host in hosts])


def _unfinished(store: Store) -> str:
    for run in store.runs():
        if run.state is not RunState.FINISHED:
            return run.run_id
    cure = "name one with --run to visit the hosts that it left out, or scan anew"
    raise InputError.of("--resume", f"no run in {store.shown} is unfinished", cure)


def _chosen(report: RunReport, which: Which | None) -> Iterator[str]:
    blind = (Status.NOT_ASSESSED, Status.ERROR)
    for host in report.hosts:
        if which is Which.FAILED:
            wanted = host.open_verdict is Status.FAIL
        else:
            wanted = host.trouble is not None or host.verdict in blind
        if wanted:
            yield host.host.name


def _other_checks(record: RunRecord, prepared: Prepared) -> Iterator[Problem]:
    book = prepared.book
    anew = "scan anew, or give the playbook of then with -p"
    if (book.name, book.version) != (record.playbook, record.playbook_version):
        was = f"{record.playbook} {record.playbook_version}"
        yield Problem(f"run {record.run_id}", f"was made with {was}, not with {book.name} {book.version}", anew)
    now = {check.id for check in book.checks}
    for word, checks in (("not any more", set(record.checks) - now), ("only now", now - set(record.checks))):
        if checks:
            some = ", ".join(sorted(checks)[:5]) + (" …" if len(checks) > 5 else "")
            yield Problem(f"run {record.run_id}", f"the playbook has {some} {word}", anew)


def _other_hosts(left: tuple[Host, ...], prepared: Prepared) -> Iterator[Problem]:
    """Hosts that would be judged as something else now. How they are reached may change: that may be the cure."""
    for then, now in zip(left, prepared.hosts, strict=True):
        for name in ("roles", "groups", "zone", "cluster", "vmm_server"):
            if set(getattr(then, name)) != set(getattr(now, name)):
                message = f"{now.name} has other {name.replace('_', ' ')} than when the run began"
                yield Problem(now.origin, message, "scan anew, or put the inventory back")


def _other_verdicts(done: Mapping[str, HostReport], prepared: Prepared) -> list[Problem]:
    """Checks that judge the same facts otherwise now: looked for on one host of each set of roles."""
    from fleetscan.judge import judge

    samples = {report.host.roles: report for report in done.values() if report.facts.answers and not report.trouble}
    changed: set[str] = set()
    across = {check.id for check in prepared.book.checks if check.across}  # these are judged at the end, all anew
    for report in samples.values():
        before = {found.key: (found.status, found.reason) for found in report.findings}
        moved = {key for key, (_, reason) in before.items() if reason is Reason.OBJECT_MOVED}
        now = judge(report.host, report.facts, prepared.book)
        other = (found for found in now if before.get(found.key) != (found.status, found.reason))
        changed |= {found.check_id for found in other if found.check_id not in across and found.key not in moved}
    some = ", ".join(sorted(changed)[:5]) + (" …" if len(changed) > 5 else "")
    message = f"the playbook has changed since the run began: {some} would judge the same facts otherwise"
    return [Problem(prepared.book.origin or prepared.book.name, message, "scan anew")] if changed else []
