"""Runs to report on: small makers, and a fleet as it would be on a bad morning."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import replace
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
    digits = hashlib.sha256(name.encode()).hexdigest()
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
        "seconds": {Stage.CONNECT: 0.021, Stage.LOGON: 0.3, Stage.COMMAND: seconds - 0.321},
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


HOST_CHECKS = ("host-services-running", "provider-version", "blob-connections", "vmms-admin-events")
VM_CHECKS = ("backup-service-enabled", "replication-not-paused", "hrl-free-space")
GUEST_CHECKS = ("vss-writers-stable",)
CHECKS = (*HOST_CHECKS, *VM_CHECKS, *GUEST_CHECKS)

_FACE: dict[str, dict[str, object]] = {
    "host-services-running": {"article": ("RP-3", "EP-3"), "severity": Severity.HIGH, "expected": "running"},
    "provider-version": {
        "article": ("RP-1",),
        "severity": Severity.MEDIUM,
        "expected": "5.24.0902.11 (list of 2026-10)",
    },
    "blob-connections": {"article": ("RP-5", "RP-4"), "severity": Severity.MEDIUM, "expected": "at least 1"},
    "vmms-admin-events": {"article": ("EP-4", "VH-1"), "severity": Severity.LOW, "expected": "none in 24 h"},
    "backup-service-enabled": {
        "article": ("AC-7", "VH-2"),
        "severity": Severity.CRITICAL,
        "expected": "enabled, status OK",
        "action": "enable-backup-service",
    },
    "replication-not-paused": {"article": ("RP-2", "CR-2"), "severity": Severity.HIGH, "expected": "Replicating"},
    "hrl-free-space": {"article": ("PF-4",), "severity": Severity.MEDIUM, "expected": "below 50 % of the free space"},
    "vss-writers-stable": {"article": ("AC-2",), "severity": Severity.HIGH, "expected": "all stable"},
}


def _healthy(where: Host, vms: Sequence[str]) -> dict[tuple[str, str], Finding]:
    findings = [finding(where.name, check, **_FACE[check]) for check in HOST_CHECKS]
    findings += [finding(where.name, check, vm=vm, **_FACE[check]) for check in VM_CHECKS for vm in vms]
    findings.append(
        finding(
            where.name,
            "vss-writers-stable",
            Status.NOT_APPLICABLE,
            reason=Reason.ROLE_MISMATCH,
            message="the check is for hosts with role guest",
            **_FACE["vss-writers-stable"],
        )
    )
    return {(found.check_id, found.object_name): found for found in findings}


def fleet() -> RunReport:
    """Twelve hosts, thirty VMs, eight checks: what a bad morning looks like."""
    names = [f"hv{number:02}.paris.corp.example" for number in range(1, 10)]
    vms = {
        name: [f"{word}{index:02}" for word in ("sql", "web", "app")][: 3 if index < 4 else 4]
        for index, name in enumerate(names, 1)
    }
    vms[names[6]] = ["sql01", "web03", "web04", "bücher-db", "受注サーバー01"]
    reports = []
    for name in names:
        where = host(name, vmm_server="vmm01.paris.corp.example")
        found = _healthy(where, vms[name])

        def change(
            check: str, thing: str, status: Status, _found: dict[tuple[str, str], Finding] = found, **more: object
        ) -> None:
            values = {"status": status, "reason": _REASONS[status]} | more
            _found[check, thing] = replace(_found[check, thing], **values)  # type: ignore[arg-type] # a test's shorthand

        if name[:4] in ("hv01", "hv02", "hv04", "hv05", "hv06"):
            change(
                "provider-version",
                name,
                Status.WARN,
                observed="5.24.0814.2",
                message="a newer Site Recovery provider is known",
                remedy="Install the newest Azure Site Recovery provider.",
            )
        if name[:4] == "hv07":
            _bad_host(change, name)
        if name[:4] == "hv08":
            for vm in vms[name]:
                change(
                    "backup-service-enabled",
                    vm,
                    Status.FAIL,
                    observed="disabled",
                    message=f"{vm} gets no application-consistent snapshots: its backup integration service is disabled",
                    remedy=f"Enable the backup integration service of {vm}.",
                )
            denied = "Access to root\\virtualization\\v2 is denied: the account needs to be in Hyper-V Administrators"
            change(
                "vmms-admin-events",
                name,
                Status.NOT_ASSESSED,
                reason=Reason.PERMISSION_DENIED,
                message=denied,
                expected="",
            )
            change(
                "blob-connections",
                name,
                Status.NOT_ASSESSED,
                reason=Reason.PERMISSION_DENIED,
                message=denied,
                expected="",
            )
        if name[:4] == "hv09":
            reports.append(unreached(replace(where, address="10.1.2.9"), CHECKS))
            continue
        reports.append(visit(where, found.values()))
    vmm = host("vmm01.paris.corp.example", Role.VMM)
    reports.append(
        visit(vmm, [finding(vmm.name, "host-services-running", **_FACE["host-services-running"])], seconds=0.8)
    )
    for name in ("srv-sql-cluster-node-a.long-subdomain.production.lyon.corp.example", "lin01.lyon.corp.example"):
        role = Role.LINUX_GUEST if name.startswith("lin") else Role.GUEST
        where = host(name, role, zone="lyon")
        if role is Role.GUEST:
            failed = finding(
                name,
                "vss-writers-stable",
                Status.FAIL,
                vm="srv-sql-cluster-node-a",
                observed="SqlServerWriter: failed (8), retryable",
                message="the writer SqlServerWriter failed at 01:12Z: its service SQLWriter stopped",
                remedy="Restart the service SQLWriter in the guest.",
                **_FACE["vss-writers-stable"],
            )
            reports.append(visit(where, [replace(failed, object_type=ObjectType.GUEST)], seconds=74.2))
        else:
            reports.append(visit(where, [finding(name, "linux-daemons-running", vm="lin01")]))
    return run(reports)


def _bad_host(change, name: str) -> None:  # type: ignore[no-untyped-def] # a closure of `fleet`
    change(
        "backup-service-enabled",
        "sql01",
        Status.FAIL,
        observed="disabled",
        message="sql01 has had no application-consistent snapshot since 2026-11-22 21:14Z because its backup integration service is disabled on hv07",
        remedy="Enable the backup integration service of sql01.",
    )
    change(
        "replication-not-paused",
        "web03",
        Status.FAIL,
        observed="Suspended for 3 h",
        message="replication of web03 has been paused since 2026-11-23 23:02Z",
        remedy="Resume the replication of web03 in Hyper-V Manager.",
    )
    change(
        "hrl-free-space",
        "web03",
        Status.WARN,
        observed="61 % of the free space",
        message="the change log of web03 grows while its replication is paused",
    )
    change(
        "hrl-free-space",
        "受注サーバー01",
        Status.WARN,
        observed="53 % of the free space",
        message="the change log of 受注サーバー01 grows",
    )
    change(
        "vmms-admin-events",
        name,
        Status.ERROR,
        reason=Reason.PROBE_FAILED,
        message="Get-WinEvent: The RPC server is unavailable",
        expected="",
    )
