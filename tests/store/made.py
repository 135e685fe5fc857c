"""Runs for tests of the store: small ones by hand, and any that hypothesis can think of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta

from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, RunRecord, RunReport, Trouble
from tests.factory import host as make_host

FIRST_NIGHT = datetime(2026, 11, 1, 2, 0, 0, 123456, tzinfo=UTC)
REASONS = {
    Status.FAIL: Reason.CRITERION_FAIL,
    Status.WARN: Reason.CRITERION_WARN,
    Status.ERROR: Reason.CHECK_EXPRESSION,
    Status.NOT_APPLICABLE: Reason.OBJECT_NONE,
    Status.NOT_ASSESSED: Reason.UNREACHABLE_TIMEOUT,
}


def finding(
    status: Status = Status.PASS, check: str = "backup", vm: str = "", host: str = "hv01", **more: object
) -> Finding:
    """What a check says of a VM, or of the host where none is named."""
    values: dict[str, object] = {
        "host": host,
        "check_id": check,
        "check_title": f"The {check} is as it should be",
        "article": ("AC-7",),
        "severity": Severity.HIGH,
        "object_type": ObjectType.VM if vm else ObjectType.HOST,
        "object_id": vm or host,
        "object_name": f"name of {vm}" if vm else host,
        "status": status,
        "reason": REASONS.get(status),
        "message": f"{check} is {status}",
        "remedy": "" if status is Status.PASS else "mend it",
        "reference": "https://learn.microsoft.com/",
    }
    return Finding(**(values | more))  # type: ignore[arg-type] # a test's shorthand


def blind(check: str = "backup", host: str = "hv01") -> Finding:
    """A check of VMs on a host that did not say which it has."""
    return replace(
        finding(Status.NOT_ASSESSED, check, host=host), object_type=ObjectType.VM, object_id="", object_name=""
    )


def report(*findings: Finding, host: Host | str = "hv01", night: int = 0, facts: HostFacts | None = None) -> HostReport:
    """A visit in a night."""
    machine = make_host(host) if isinstance(host, str) else host
    began = FIRST_NIGHT + timedelta(days=night, seconds=1)
    answer = ProbeAnswer(probe="vms", data={"night": night, "vms": [{"id": "a"}]}, ms=12, sha256=f"{night:064x}")
    unreached = bool(findings) and all(found.status is Status.NOT_ASSESSED for found in findings)
    return HostReport(
        host=machine,
        started_at=began,
        ended_at=began + timedelta(seconds=1.5),
        facts=facts or HostFacts(meta={"now": began.isoformat()}, answers={"vms": answer}, payload_sha256="c" * 64),
        findings=findings,
        trouble=Trouble(reason=Reason.UNREACHABLE_TIMEOUT, stage=Stage.CONNECT, message="silent")
        if unreached
        else None,
        attempts=1,
        seconds={"connect": 0.1 + 0.2, "answer": 1e-9},
    )


def run(run_id: str, *reports: HostReport, night: int = 0, playbook: str = "asr-hyperv", **more: object) -> RunReport:
    """A finished run."""
    began = FIRST_NIGHT + timedelta(days=night)
    values: dict[str, object] = {
        "run_id": run_id,
        "tool_version": "0.1.0",
        "playbook": playbook,
        "playbook_title": "A playbook",
        "playbook_version": "1.0",
        "check_count": len({found.check_id for each in reports for found in each.findings}),
        "started_at": began,
        "ended_at": began + timedelta(minutes=5),
        "hosts": reports,
        "fail_on": Severity.LOW,
    }
    return RunReport(**(values | more))  # type: ignore[arg-type] # a test's shorthand


def record(made: RunReport, hosts: Sequence[Host] | None = None) -> RunRecord:
    """What is known of a run before its first host."""
    checks = dict.fromkeys(found.check_id for _, found in made.findings())
    return RunRecord(
        run_id=made.run_id,
        started_at=made.started_at,
        playbook=made.playbook,
        playbook_title=made.playbook_title,
        playbook_version=made.playbook_version,
        checks=tuple(checks),
        hosts=tuple(hosts) if hosts is not None else tuple(each.host for each in made.hosts),
        fail_on=made.fail_on,
        tool_version=made.tool_version,
        command="fleetscan scan -i fleet.yaml",
    )
