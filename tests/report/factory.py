"""Small makers of what reports are made of."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from datetime import UTC, datetime, timedelta

from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, RunReport, Trouble

START = datetime(2026, 11, 24, 2, 0, 0, tzinfo=UTC)
PAYLOAD = hashlib.sha256(b"payload").hexdigest()

_REASONS = {
    Status.PASS: None,
    Status.WARN: Reason.CRITERION_WARN,
    Status.FAIL: Reason.CRITERION_FAIL,
    Status.ERROR: Reason.CHECK_UNDECIDED,
    Status.NOT_APPLICABLE: Reason.PRECONDITION_ABSENT,
    Status.NOT_ASSESSED: Reason.UNREACHABLE_REFUSED,
}


def host(name: str, *roles: Role, zone: str = "paris", **settings: object) -> Host:
    values: dict[str, object] = {"name": name, "address": name, "roles": roles or (Role.HYPERV,), "zone": zone}
    return Host(**(values | settings))  # type: ignore[arg-type] # a test's shorthand


def finding(name: str, check: str, status: Status = Status.PASS, **changes: object) -> Finding:
    """A finding on the host itself; `vm="sql01"` makes it one on that VM."""
    vm = changes.pop("vm", None)
    values: dict[str, object] = {
        "host": name,
        "check_id": check,
        "check_title": check.replace("-", " ").capitalize(),
        "article": ("RP-3",),
        "severity": Severity.HIGH,
        "object_type": ObjectType.HOST if vm is None else ObjectType.VM,
        "object_id": name if vm is None else vm_id(str(vm)),
        "object_name": name if vm is None else vm,
        "status": status,
        "reason": _REASONS[status],
        "message": "" if status is Status.PASS else f"{check} is {status}",
        "reference": "https://learn.microsoft.com/azure/site-recovery/hyper-v-azure-troubleshoot",
        "evidence_ref": "host-services@0123456789ab",
    }
    return Finding(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def vm_id(name: str) -> str:
    digits = hashlib.sha256(name.encode(errors="surrogatepass")).hexdigest()
    return f"{digits[:8]}-{digits[8:12]}-{digits[12:16]}-{digits[16:20]}-{digits[20:32]}"


def visit(where: Host, findings: Iterable[Finding], *, seconds: float = 1.9, **changes: object) -> HostReport:
    """A visit that brought facts."""
    values: dict[str, object] = {
        "host": where,
        "started_at": START + timedelta(seconds=1),
        "ended_at": START + timedelta(seconds=1 + seconds),
        "facts": HostFacts(
            meta={"computer": where.name.partition(".")[0].upper(), "culture": "de-DE", "elevated": True},
            answers={
                "host-services": ProbeAnswer(
                    probe="host-services", data={"services": {"vmms": {"state": "Running"}}}, ms=112, sha256=PAYLOAD
                )
            },
            payload_sha256=PAYLOAD,
        ),
        "findings": tuple(findings),
        "attempts": 1,
        "seconds": {Stage.CONNECT: 0.021, Stage.LOGON: 0.3, Stage.COMMAND: max(seconds - 0.321, 0.0)},
    }
    return HostReport(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def unreached(
    where: Host, checks: Sequence[str], reason: Reason = Reason.UNREACHABLE_REFUSED, **changes: object
) -> HostReport:
    """A visit that never came to an answer: each check not assessed, for the same reason."""
    values: dict[str, object] = {
        "reason": reason,
        "stage": Stage.CONNECT,
        "message": f"{where.address} refuses port 5986, but listens on 5985: is the HTTPS listener configured?",
        "hint": f"fleetscan doctor {where.name}",
    }
    trouble = Trouble(**(values | changes))  # type: ignore[arg-type] # a test's shorthand
    findings = [
        finding(
            where.name, check, Status.NOT_ASSESSED, reason=reason, message=trouble.message, object_name="", object_id=""
        )
        for check in checks
    ]
    return visit(where, findings, trouble=trouble, facts=HostFacts(), seconds=5.0, attempts=2)


def run(hosts: Iterable[HostReport], **changes: object) -> RunReport:
    values: dict[str, object] = {
        "run_id": "20261124-0200-k3f7",
        "tool_version": "0.1.0",
        "playbook": "asr-hyperv",
        "playbook_title": "Hyper-V to Azure replication",
        "playbook_version": "1.0",
        "check_count": 8,
        "started_at": START,
        "ended_at": START + timedelta(seconds=8.4),
        "hosts": tuple(hosts),
        "fail_on": Severity.LOW,
    }
    return RunReport(**(values | changes))  # type: ignore[arg-type] # a test's shorthand
