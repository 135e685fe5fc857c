"""Runs as a store keeps them: loaded whole, and judged again."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleetscan.cli.past import resolve
from fleetscan.cli.request import Request
from fleetscan.errors import InputError
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Status
from fleetscan.model.history import DECIDED, Change, ChangeKind, History, ends_failure
from fleetscan.model.host import Host, Inventory
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, RunRecord, RunReport, RunSummary, Trouble

if TYPE_CHECKING:
    from fleetscan.model.finding import Finding
    from fleetscan.model.playbook import Playbook
    from fleetscan.store import Store


def load(store: Store, run: str) -> tuple[RunReport, RunSummary]:
    """A run with its history. Hosts that an unfinished one did not come to are in it, too: as not assessed."""
    summary = store.run(resolve(store, run))
    report = store.load(summary.run_id)
    there = {host.host.name for host in report.hosts}
    record = store.record(summary.run_id)
    missing = [host for host in record.hosts if host.name not in there]
    if missing:
        hosts = {host.host.name: host for host in report.hosts}
        hosts |= {host.host.name: host for host in _unvisited(record, missing)}
        report = replace(report, hosts=tuple(hosts[host.name] for host in record.hosts))
    return replace(report, history=store.history(summary.run_id)), summary


def _unvisited(record: RunRecord, hosts: Sequence[Host]) -> list[HostReport]:
    from fleetscan.judge import judge

    message = "the run ended before this host was contacted"
    trouble = Trouble(reason=Reason.CANCELLED, stage=Stage.QUEUED, message=message)
    book = _book(record, None, None)
    return [
        HostReport(
            host=host,
            started_at=None,
            ended_at=record.started_at,
            facts=HostFacts(),
            findings=judge(host, HostFacts(), book, trouble),
            trouble=trouble,
        )
        for host in hosts
    ]


def evaluate(
    store: Store, run: str, playbook: str | None, data: str | None, waiver_files: Sequence[str] | None
) -> RunReport:
    """A run judged by today's checks from the facts of then; its history says which verdicts are others now.

    Raises InputError where the facts are no longer kept.
    """
    from fleetscan import waivers
    from fleetscan.judge import conclude, diagnose, judge

    before, summary = load(store, run)
    _require_facts(before)
    record = store.record(summary.run_id)
    book = _book(record, playbook, data)
    files = waiver_files if waiver_files is not None else _asked(record.command).waivers
    moment = datetime.now(UTC)
    rules = waivers.load(files, book)
    accepted = waivers.Waivers.of(rules, Inventory(hosts=record.hosts, credentials={}), moment)
    judged = [replace(one, findings=judge(one.host, one.facts, book, one.trouble)) for one in before.hosts]
    hosts = tuple(map(accepted.settle, conclude(book, judged, record.left_out)))
    told = f"judged again at {moment:%Y-%m-%d %H:%MZ}: the facts are those of {before.started_at:%Y-%m-%d %H:%MZ}"
    return replace(
        before,
        playbook=book.name,
        playbook_title=book.title,
        playbook_version=book.version,
        check_count=len(book.checks),
        hosts=hosts,
        data=book.data,
        diagnoses=diagnose(book, hosts),
        history=_compared(before, hosts),
        notices=(*before.notices, *accepted.notices(hosts), told),
    )


def _require_facts(report: RunReport) -> None:
    if not any(host.facts.answers for host in report.hosts) and any(host.trouble is None for host in report.hosts):
        cure = "judge a later run, or scan anew; --keep-facts says for how many runs they are kept"
        raise InputError.of(f"run {report.run_id}", "what its hosts answered is no longer kept", cure)


def bare(command: str) -> str:
    """The command of a run without its hosts and checks; empty where it cannot be given again."""
    asked = _asked(command)
    return asked.bare() if asked.inventory else ""


def _asked(command: str) -> Request:
    try:
        return Request.parse(command)
    except ValueError:
        return Request()


def _book(record: RunRecord, playbook: str | None, data: str | None) -> Playbook:
    """The playbook of a run as it is today, with the checks that were selected then."""
    from fleetscan import playbook as playbooks

    asked = _asked(record.command)
    book = playbooks.load(playbook or asked.playbook or record.playbook, data or asked.data)
    return playbooks.select(book, asked.check, asked.tag)


def _compared(before: RunReport, hosts: Sequence[HostReport]) -> History:
    then = {finding.key: finding for _, finding in before.findings()}
    now = {finding.key: finding for host in hosts for finding in host.findings}
    changes = []
    for key in dict.fromkeys([*now, *then]):
        kind = _kind(then.get(key), now.get(key))
        if kind is not None:
            changes.append(Change(kind=kind, before=then.get(key), after=now.get(key)))
    return History(previous_run=before.run_id, previous_started_at=before.started_at, changes=tuple(changes))


def _kind(before: Finding | None, after: Finding | None) -> ChangeKind | None:
    """The same words as for two runs, for two verdicts on the same facts."""
    failed, fails = (one is not None and one.status is Status.FAIL for one in (before, after))
    if fails:
        return ChangeKind.STILL_FAILING if failed else ChangeKind.NEW
    decided = after is not None and after.status in DECIDED
    was_decided = before is not None and before.status in DECIDED
    if failed:
        ended = after is None or ends_failure(after.status, after.reason)
        return ChangeKind.FIXED if ended else ChangeKind.NO_LONGER_ASSESSED
    if was_decided and after is not None and not decided:
        return ChangeKind.NO_LONGER_ASSESSED
    return ChangeKind.NEWLY_ASSESSED if decided and not was_decided else None
