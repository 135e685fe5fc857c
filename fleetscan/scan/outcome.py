"""From visits to a run: its identity, its notices, and what the process tells its caller."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime

from fleetscan import __version__
from fleetscan.errors import ExitStatus
from fleetscan.judge import conclude, diagnose, moved
from fleetscan.model.finding import PackedFindings, Status, tally
from fleetscan.model.host import Host
from fleetscan.model.playbook import DataSource, Playbook, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunReport
from fleetscan.scan.engine import Scan

_ALPHABET = "23456789abcdefghjkmnpqrstuvwxyz"


def new_run_id(now: datetime) -> str:
    """A short id that sorts by time, can be spoken on the telephone and used in a file name."""
    return f"{now:%Y%m%d-%H%M}-" + "".join(secrets.choice(_ALPHABET) for _ in range(4))


def run_report(
    scan: Scan,
    hosts: tuple[HostReport, ...],
    playbook: Playbook,
    *,
    run_id: str,
    started_at: datetime,
    fail_on: Severity,
    interrupted: bool,
    others: Sequence[Host] = (),
) -> RunReport:
    """Put a finished or interrupted scan together: what only all hosts together can tell is judged here.

    `others` are the remaining hosts of the inventory, which nobody wanted to visit this time.
    """
    hosts = conclude(playbook, hosts, others)
    return RunReport(
        run_id=run_id,
        tool_version=__version__,
        playbook=playbook.name,
        playbook_title=playbook.title,
        playbook_version=playbook.version,
        check_count=len(playbook.checks),
        started_at=started_at,
        ended_at=datetime.now(UTC),
        hosts=hosts,
        fail_on=fail_on,
        interrupted=interrupted,
        diagnoses=diagnose(playbook, hosts),
        data=_compared(playbook, hosts),
        notices=(*scan.guard.notices, *_weakened(hosts), *_moved(hosts), *_left_open(hosts)),
    )


def exit_status(report: RunReport) -> ExitStatus:
    """Interrupted outranks all; then failures at or above `fail_on`; then anything that was not assessed.

    A finding that waits for a host that was left out on purpose is no such thing: the run did what was asked.
    """
    if report.interrupted:
        return ExitStatus.INTERRUPTED
    found = {outcome for host in report.hosts for outcome in tally(host.findings)}
    for outcome in found:
        if outcome.status is Status.FAIL and outcome.severity.rank <= report.fail_on.rank and not outcome.waived:
            return ExitStatus.FINDINGS
    statuses = {outcome.status for outcome in found if not outcome.left_out}
    unknown = statuses & {Status.ERROR, Status.NOT_ASSESSED} or any(host.trouble for host in report.hosts)
    return ExitStatus.INCOMPLETE if unknown else ExitStatus.COMPLIANT


def _compared(playbook: Playbook, hosts: tuple[HostReport, ...]) -> tuple[DataSource, ...]:
    """The lists that anything was compared with: an old one that no check came to need is nobody's concern."""
    unused = {check.id: check for check in playbook.checks if check.data}
    needed: set[str] = set()
    for host in hosts:
        if not unused:
            break  # most runs have seen all of them on the first hosts
        for check_id, status in PackedFindings.of(host.findings).columns("check_id", "status"):
            if check_id in unused and status is not Status.NOT_APPLICABLE:
                needed |= set(unused.pop(check_id).data)
    return tuple(source for source in playbook.data if source.id in needed)


def _weakened(hosts: tuple[HostReport, ...]) -> list[str]:
    names = [report.host.name for report in hosts if report.host.winrm.insecure_skip_tls_verification]
    if not names:
        return []
    shown = ", ".join(names[:5]) + (f" and {len(names) - 5} more" if len(names) > 5 else "")
    return [f"TLS certificates were not verified for {shown} (insecure_skip_tls_verification)"]


def _left_open(hosts: tuple[HostReport, ...]) -> list[str]:
    """One line for each check that compares hosts, and misses some that were left out on purpose."""
    waited = (host.findings for host in hosts if any(outcome.left_out for outcome in tally(host.findings)))
    columns = (PackedFindings.of(findings).columns("check_id", "reason") for findings in waited)
    waiting = Counter(check for found in columns for check, reason in found if reason is Reason.ACROSS_LEFT_OUT)
    told = "looks at other hosts too, which this run left out"
    return [f"{check} {told}: {count} of its findings are not assessed" for check, count in waiting.items()]


def _moved(hosts: tuple[HostReport, ...]) -> list[str]:
    """One line for each machine that was seen on two hosts."""
    told: dict[str, str] = {}
    for report in hosts:
        for finding in moved(report):
            told.setdefault(
                f"{finding.object_id}@{report.host.name}",
                f"{finding.object_name} was seen on {report.host.name}, but {finding.message}",
            )
    return list(told.values())
