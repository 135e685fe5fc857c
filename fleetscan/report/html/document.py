"""A run as the page reads it: one JSON document of tables, in which each text stands once."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping

from fleetscan.model.diagnosis import Diagnosis
from fleetscan.model.finding import Status
from fleetscan.model.history import ChangeKind, History
from fleetscan.model.run import HostReport, RunReport, Trouble
from fleetscan.report.html.evidence import evidence
from fleetscan.report.html.findings import STATUSES, FindingTable
from fleetscan.report.html.heat import LABEL_WIDTH, heat
from fleetscan.report.html.machines import machines
from fleetscan.report.html.strings import Strings
from fleetscan.report.names import fold_text
from fleetscan.report.words import utc, visit_seconds

NIGHTS = 30
"""Columns of the trend, this night included."""


def document(report: RunReport) -> dict[str, object]:
    """Everything that the page shows. All text in it is clean; numbers are finite."""
    strings = Strings()
    table = FindingTable(report, strings)
    glance = heat(report, table)
    made: dict[str, object] = {
        "run": _run(report, strings),
        "hosts": [_host(host, row, strings) for host, row in zip(report.hosts, glance.rows, strict=True)],
        "digests": [[strings.add(part) for pair in rows.digests.items() for part in pair] for rows in table.hosts],
        "heat": glance.document,
        "evidence": evidence(report, table),
        "machines": machines(report, strings),
        "troubles": _troubles(report, strings),
        "diagnoses": [_diagnosis(diagnosis, strings) for diagnosis in report.diagnoses],
        "history": _history(report.history, strings),
        "trend": _trend(report, strings),
    }
    return made | table.document() | {"strings": strings.table}


def _run(report: RunReport, strings: Strings) -> dict[str, object]:
    clean = strings.clean
    return {
        "id": clean(report.run_id),
        "version": clean(report.tool_version),
        "playbook": clean(report.playbook),
        "title": clean(report.playbook_title),
        "playbookVersion": clean(report.playbook_version),
        "checks": report.check_count,
        "started": utc(report.started_at),
        "ended": utc(report.ended_at),
        "interrupted": report.interrupted,
        "notices": [clean(notice) for notice in report.notices],
        "data": [
            [clean(source.id), clean(source.as_of), source.months_old(report.started_at)] for source in report.data
        ],
        "verdicts": _by_status(Counter(host.verdict for host in report.hosts)),
        "counts": _by_status(report.counts()),
    }


def _by_status(counts: Mapping[Status, int]) -> list[int]:
    return [counts.get(status, 0) for status in STATUSES]


def _host(report: HostReport, row: int, strings: Strings) -> list[object]:
    host, add = report.host, strings.add
    seconds = visit_seconds(report)
    return [
        add(host.name),
        add(host.address),
        add("+".join(host.roles)),
        add(host.zone),
        add(host.cluster),
        add(host.vmm_server),
        STATUSES.index(report.verdict),
        row,
        add(utc(report.started_at)),
        None if seconds is None else round(seconds, 1),
        report.attempts,
        _trouble(report.trouble, strings),
    ]


def _trouble(trouble: Trouble | None, strings: Strings) -> list[int] | None:
    if trouble is None:
        return None
    return [strings.add(text) for text in (trouble.reason.value, trouble.stage.value, trouble.message, trouble.hint)]


def _troubles(report: RunReport, strings: Strings) -> list[list[object]]:
    """Why visits failed: reason, hosts as folded names, how many, and what was said of the first; most hosts first."""
    groups: dict[str, list[HostReport]] = defaultdict(list)
    for host in report.hosts:
        if host.trouble is not None:
            groups[host.trouble.reason.value].append(host)
    told: list[list[object]] = []
    for hosts in sorted(groups.values(), key=len, reverse=True):
        names = [strings.clean(host.host.name) for host in hosts]
        said = _trouble(hosts[0].trouble, strings) or []
        told.append([strings.add(fold_text(names, LABEL_WIDTH)), strings.add(names[0]), len(hosts), *said])
    return told


def _diagnosis(diagnosis: Diagnosis, strings: Strings) -> dict[str, object]:
    add = strings.add
    return {
        "vm": add(diagnosis.vm_name),
        "hosts": [add(host) for host in diagnosis.hosts],
        "says": add(diagnosis.says),
        "causes": [
            [add(cause.host), add(cause.check_id), add(", ".join(cause.article)), add(cause.because), add(cause.remedy)]
            for cause in diagnosis.causes
        ],
        "unseen": [add(check) for check in diagnosis.unseen],
    }


def _history(history: History | None, strings: Strings) -> dict[str, object] | None:
    if history is None:
        return None
    add = strings.add
    counts = Counter(change.kind for change in history.changes)
    gone = Counter(change.kind for change in history.changes if change.after is None)
    return {
        "run": add(history.previous_run),
        "started": utc(history.previous_started_at),
        "counts": {kind.value: counts[kind] for kind in ChangeKind},
        "gone": {kind.value: gone[kind] for kind in ChangeKind},
        "moves": [
            [add(move.vm_name), [add(host) for host in move.before], [add(host) for host in move.after]]
            for move in history.moves
        ],
    }


def _trend(report: RunReport, strings: Strings) -> list[list[object]]:
    """Run, start, hosts, failing hosts, hosts not assessed, failures: the nights before, then this one."""
    verdicts = Counter(host.verdict for host in report.hosts)
    nights = [
        [
            strings.clean(night.run_id),
            utc(night.started_at),
            night.hosts,
            night.failing_hosts,
            night.unassessed_hosts,
            night.counts.get(Status.FAIL, 0),
        ]
        for night in (report.history.nights if report.history else ())
        if night.run_id != report.run_id
    ]
    last: list[object] = [
        strings.clean(report.run_id),
        utc(report.started_at),
        len(report.hosts),
        verdicts[Status.FAIL],
        verdicts[Status.NOT_ASSESSED],
        report.counts()[Status.FAIL],
    ]
    return [*nights, last][-NIGHTS:]
