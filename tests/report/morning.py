"""Fleets on a bad morning: twelve hosts as an engineer would meet them, and two thousand with one fault."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache

from fleetscan.model.finding import Status
from fleetscan.model.host import Host, Role
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunReport
from tests.report.factory import finding, host, run, unreached, visit

CHECKS: Mapping[str, dict[str, object]] = {
    "host-services-running": {
        "article": ("RP-3", "EP-3"),
        "severity": Severity.HIGH,
        "observed": "running",
        "expected": "running",
    },
    "provider-version": {
        "article": ("RP-1",),
        "severity": Severity.MEDIUM,
        "observed": "5.24.0902.11",
        "expected": "5.24.0902.11 (list of 2026-10)",
    },
    "blob-connections": {
        "article": ("RP-5", "RP-4"),
        "severity": Severity.MEDIUM,
        "observed": "4",
        "expected": "at least 1",
    },
    "vmms-admin-events": {
        "article": ("EP-4", "VH-1"),
        "severity": Severity.LOW,
        "observed": "none",
        "expected": "none in 24 h",
    },
    "backup-service-enabled": {
        "article": ("AC-7", "VH-2"),
        "severity": Severity.CRITICAL,
        "observed": "enabled, status OK",
        "expected": "enabled, status OK",
        "action": "enable-backup-service",
    },
    "replication-not-paused": {
        "article": ("RP-2", "CR-2"),
        "severity": Severity.HIGH,
        "observed": "Replicating",
        "expected": "Replicating",
    },
    "hrl-free-space": {
        "article": ("PF-4",),
        "severity": Severity.MEDIUM,
        "observed": "3 % of the free space",
        "expected": "below 50 % of the free space",
    },
    "vss-writers-stable": {
        "article": ("AC-2",),
        "severity": Severity.HIGH,
        "observed": "all stable",
        "expected": "all stable",
    },
}
HOST_CHECKS = tuple(CHECKS)[:4]
VM_CHECKS = tuple(CHECKS)[4:7]
DENIED = "Access to root\\virtualization\\v2 is denied: the account needs to be in Hyper-V Administrators"


class HyperV:
    """A Hyper-V host in good health, until something is changed."""

    def __init__(self, where: Host, vms: Sequence[str]) -> None:
        self.where = where
        found = [finding(where.name, check, **CHECKS[check]) for check in HOST_CHECKS]
        found += [finding(where.name, check, vm=vm, **CHECKS[check]) for check in VM_CHECKS for vm in vms]
        elsewhere = {"observed": "", "expected": "", "reason": Reason.ROLE_MISMATCH, "message": "for guests"}
        face = CHECKS["vss-writers-stable"] | elsewhere
        found.append(finding(where.name, "vss-writers-stable", Status.NOT_APPLICABLE, **face))
        self.findings = {(each.check_id, each.object_name): each for each in found}

    def change(self, check: str, thing: str, status: Status, **changes: object) -> None:
        reason = finding("", check, status).reason
        changed: dict[str, object] = {"status": status, "reason": reason} | changes
        self.findings[check, thing] = replace(self.findings[check, thing], **changed)  # type: ignore[arg-type] # shorthand

    def lose(self, check: str, status: Status, reason: Reason, message: str) -> None:
        """The check of the host could not be judged."""
        self.change(check, self.where.name, status, reason=reason, message=message, observed="", expected="")

    def visit(self) -> HostReport:
        return visit(self.where, self.findings.values())


def fleet() -> RunReport:
    """Twelve hosts, thirty VMs, eight checks: a long host name, an umlaut, wide characters, a host that refuses."""
    return run([*_quiet(), _paused(), _disabled(), _refusing(), *_others()])


def _vms(number: int, count: int) -> list[str]:
    return [f"{word}{number:02}" for word in ("sql", "web", "app", "file")][:count]


def _hyperv(number: int, vms: Sequence[str] = ()) -> HyperV:
    return HyperV(host(f"hv{number:02}.paris.corp.example", vmm_server="vmm01.paris.corp.example"), vms)


def _quiet() -> list[HostReport]:
    """hv01 to hv06: nothing but an old provider, and not on hv03."""
    hosts = [_hyperv(number, _vms(number, 3 if number < 4 else 4)) for number in range(1, 7)]
    for old in hosts:
        if not old.where.name.startswith("hv03"):
            old.change(
                "provider-version",
                old.where.name,
                Status.WARN,
                observed="5.24.0814.2",
                message="a newer Site Recovery provider is known",
                remedy="Install the newest Azure Site Recovery provider.",
            )
    return [each.visit() for each in hosts]


def _paused() -> HostReport:
    """hv07: several things at once, on VMs with all kinds of names."""
    hv07 = _hyperv(7, ["sql01", "web03", "web04", "bücher-db", "受注サーバー01"])
    hv07.change(
        "backup-service-enabled",
        "sql01",
        Status.FAIL,
        observed="disabled",
        message="sql01 has had no application-consistent snapshot since 2026-11-22 21:14Z because its backup "
        "integration service is disabled on hv07",
        remedy="Enable the backup integration service of sql01.",
    )
    hv07.change(
        "replication-not-paused",
        "web03",
        Status.FAIL,
        observed="Suspended for 3 h",
        message="replication of web03 has been paused since 2026-11-23 23:02Z",
        remedy="Resume the replication of web03 in Hyper-V Manager.",
    )
    for vm, share in (("web03", 61), ("bücher-db", 57), ("受注サーバー01", 53)):
        grows = f"the change log of {vm} grows"
        hv07.change("hrl-free-space", vm, Status.WARN, observed=f"{share} % of the free space", message=grows)
    hv07.lose("vmms-admin-events", Status.ERROR, Reason.PROBE_FAILED, "Get-WinEvent: the RPC server is unavailable")
    return hv07.visit()


def _disabled() -> HostReport:
    """hv08: one fault on all VMs, and questions that the account may not ask."""
    vms = _vms(8, 4)
    hv08 = _hyperv(8, vms)
    for vm in vms:
        hv08.change(
            "backup-service-enabled",
            vm,
            Status.FAIL,
            observed="disabled",
            message=f"{vm} gets no application-consistent snapshots: its backup integration service is disabled",
            remedy=f"Enable the backup integration service of {vm}.",
        )
    for check in ("blob-connections", "vmms-admin-events"):
        hv08.lose(check, Status.NOT_ASSESSED, Reason.PERMISSION_DENIED, DENIED)
    return hv08.visit()


def _refusing() -> HostReport:
    return unreached(host("hv09.paris.corp.example", address="10.1.2.9"), tuple(CHECKS))


def _others() -> list[HostReport]:
    vmm = host("vmm01.paris.corp.example", Role.VMM)
    services = finding(vmm.name, "host-services-running", **CHECKS["host-services-running"])
    name = "srv-sql-cluster-node-a.long-subdomain.production.lyon.corp.example"
    face = CHECKS["vss-writers-stable"] | {
        "object_type": ObjectType.GUEST,
        "observed": "SqlServerWriter: failed (8), retryable",
        "message": "the writer SqlServerWriter failed at 01:12Z: its service SQLWriter stopped",
        "remedy": "Restart the service SQLWriter in the guest.",
    }
    writers = finding(name, "vss-writers-stable", Status.FAIL, vm="srv-sql-cluster-node-a", **face)
    linux = host("lin01.lyon.corp.example", Role.LINUX_GUEST, zone="lyon")
    return [
        visit(vmm, [services], seconds=0.8),
        visit(host(name, Role.GUEST, zone="lyon"), [writers], seconds=74.2),
        visit(linux, [finding(linux.name, "linux-daemons-running", vm="lin01")]),
    ]


@cache
def many(count: int = 2_000) -> RunReport:
    """One common fault: the backup service is off on other VMs of each host, and a service has stopped on all."""
    return run(_faulty(number) for number in range(1, count + 1))


def _faulty(number: int) -> HostReport:
    name = f"hv{number:04}.paris.corp.example"
    vms = [f"vm-{number:04}-{index}" for index in range(1 + number % 3)]
    sick = HyperV(host(name, zone="paris" if number % 2 else "lyon"), vms)
    sick.change(
        "host-services-running",
        name,
        Status.FAIL,
        observed="obengine stopped",
        message=f"obengine has stopped on {name}",
        remedy=f"Start obengine on {name}.",
    )
    for vm in vms:
        sick.change(
            "backup-service-enabled",
            vm,
            Status.FAIL,
            observed="disabled",
            message=f"the backup integration service of {vm} is disabled",
            remedy=f"Enable the backup integration service of {vm}.",
        )
    return sick.visit()


@cache
def dead(count: int = 2_000) -> RunReport:
    """All hosts refuse, each at an address of its own."""
    places = [(number, f"10.1.{number // 250}.{number % 250}") for number in range(1, count + 1)]
    return run(
        unreached(host(f"hv{number:04}.paris.corp.example", address=address), tuple(CHECKS))
        for number, address in places
    )


def mixed(count: int = 60) -> RunReport:
    """Each host fails in its own way."""
    reports = []
    checks = [check for check in CHECKS if check != "vss-writers-stable"]
    for number in range(1, count + 1):
        vm = f"vm{number:03}"
        sick = HyperV(host(f"hv{number:03}.paris.corp.example"), [vm])
        for bit, check in enumerate(checks):
            if number & 1 << bit:
                thing = vm if check in VM_CHECKS else sick.where.name
                status = Status.WARN if check == "provider-version" else Status.FAIL
                sick.change(check, thing, status, observed=f"{number} things", remedy=f"Mend {thing}.")
        reports.append(sick.visit())
    return run(reports)
