"""What the demo shows: a believable night, with the troubles that its facts hold and no others."""

from __future__ import annotations

from typing import Any

import pytest

from fleetscan.lab import demo_fleet
from fleetscan.model.finding import Finding, Status
from tests.playbooks.support import as_host, facts_of, findings_of, simulated, speaking

FLEET = demo_fleet()
TROUBLE = {
    "hv01.paris.corp.example": {
        ("backup-service-enabled", "sql01", "fail"),
        ("replication-not-paused", "web03", "fail"),
        ("hrl-not-growing-unsent", "web03", "fail"),
        ("app-consistent-snapshot-recent", "sql01", "fail"),
        ("replication-health", "web03", "warn"),
        ("hrl-free-space", "web03", "warn"),
    },
    "hv02.paris.corp.example": set(),
    "hv03.paris.corp.example": {
        ("replication-health", "compta01", "fail"),
        ("resynchronization-not-due", "compta01", "fail"),
        ("vm-connection-events", "compta01", "warn"),
        ("backup-service-ok", "ged01", "fail"),
        ("app-consistent-snapshot-recent", "ged01", "warn"),
        ("recovery-services-agent-version", "hv03.paris.corp.example", "warn"),
        ("site-recovery-provider-version", "hv03.paris.corp.example", "warn"),
    },
    "hv11.lyon.corp.example": {
        ("recovery-services-agent-running", "hv11.lyon.corp.example", "fail"),
        *(
            (check, name, "warn")
            for check in ("replication-health", "replication-recent")
            for name in ("erp01", "erp02", "erp03", "rds01")
        ),
    },
    "vmm01.lyon.corp.example": {("vmm-hosts-respond", "vmm01.lyon.corp.example", "warn")},
    "sql01.paris.corp.example": {
        ("vss-writers-healthy", "sql01", "fail"),
        ("guest-vss-events-absent", "sql01", "fail"),
    },
    "web03.paris.corp.example": set(),
    "dc01.paris.corp.example": set(),
    "erp01.lyon.corp.example": {("guest-vss-requestor", "erp01", "fail")},
    "lin01.paris.corp.example": set(),
}


def _findings(name: str, language: str = "") -> tuple[Finding, ...]:
    spec = simulated(FLEET, name)
    machine = speaking(spec.machine, language) if language else spec.machine
    return findings_of(as_host(FLEET, spec), facts_of(machine))


def _trouble(findings: tuple[Finding, ...]) -> set[tuple[Any, ...]]:
    good = (Status.PASS, Status.NOT_APPLICABLE)
    return {
        (finding.check_id, finding.object_name, finding.status.value)
        for finding in findings
        if finding.status not in good
    }


@pytest.mark.parametrize("name", list(TROUBLE))
def test_trouble(name: str) -> None:
    """Each host has exactly the troubles that the demo tells of."""
    assert _trouble(_findings(name)) == TROUBLE[name]


def test_the_rest_is_not_assessed() -> None:
    """hv12 refuses all questions about machines; hv13 does not answer at all. No other host is left out."""
    assert {host.name for host in FLEET.hosts} - TROUBLE.keys() == {"hv12.lyon.corp.example", "hv13.lyon.corp.example"}
    statuses = {status for _, _, status in _trouble(_findings("hv12.lyon.corp.example"))}
    assert statuses == {"not_assessed"}
    assert simulated(FLEET, "hv13.lyon.corp.example").fault is not None


def test_thirty_machines() -> None:
    """The demo has thirty machines, each under an id of its own."""
    answers: list[Any] = [host.machine.probes.get("vms", {}) for host in FLEET.hosts]
    machines = [machine["id"] for answer in answers for machine in answer.get("vms", [])]
    assert len(machines) == len(set(machines)) == 30
