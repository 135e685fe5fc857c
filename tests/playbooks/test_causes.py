"""From the facts of a host and its guest to the causes that the article names, by the built-in diagnoses."""

from __future__ import annotations

from copy import deepcopy
from typing import Any

import pytest

from fleetscan.judge import conclude, diagnose, judge
from fleetscan.model.diagnosis import Diagnosis
from fleetscan.model.run import HostReport
from tests.playbooks.support import as_host, builtin, facts_of, healthy, simulated

VM = "11111111-1111-4111-8111-111111111111"
Change = tuple[str, tuple[str | int, ...], Any]
"""A host, the way to one of its facts, and what stands there instead."""

MORE_DATA: Change = ("hv-one.example", ("host-events", "events"), [{"code": "0x800700ea"}])
MISMATCH: Change = ("hv-one.example", ("host-events", "events"), [{"code": "0x80070032"}])
WRITER: Change = ("hv-one.example", ("host-events", "events"), [{"code": "0x800423f4"}])
DYNAMIC: Change = ("guest.example", ("guest-disks", "drives", 1, "dynamic"), True)
BACKUP: Change = ("hv-one.example", ("vms", "vms", 0, "condition"), "BackingUpVirtualMachine")
PROTOCOL: Change = (
    "hv-one.example",
    ("vm-integration-services", "vms", 0, "backup"),
    {"enabled": True, "status": "ProtocolMismatch", "status_code": 32775},
)
DISABLED: Change = (
    "hv-one.example",
    ("vm-integration-services", "vms", 0, "backup"),
    {"enabled": False, "status": None, "status_code": None},
)
UPDATES: Change = ("guest.example", ("windows-version", "rollup_installed"), "2026-01-01T00:00:00Z")


def _event(change: dict[str, Any]) -> dict[str, Any]:
    return {"vm": VM, "event": 10172, "level": 2, "count": 1, "last": "now", "text": "Fehler", **change}


def diagnosed(*changes: Change, names: tuple[str, ...] = ("hv-one.example", "guest.example")) -> tuple[Diagnosis, ...]:
    """The diagnoses of a run over healthy hosts with these changes."""
    reports = []
    for name in names:
        spec = simulated(healthy(), name)
        probes: Any = deepcopy(spec.machine.probes)
        for _, way, value in (change for change in changes if change[0] == name):
            place = probes
            for step in way[:-1]:
                place = place[step]
            place[way[-1]] = [_event(each) for each in value] if way[-1] == "events" else value
        facts = facts_of(spec.machine.model_copy(update={"probes": probes}))
        host = as_host(healthy(), spec)
        findings = judge(host, facts, builtin())
        reports.append(HostReport(host=host, started_at=None, ended_at=None, facts=facts, findings=findings))
    return diagnose(builtin(), conclude(builtin(), reports))


def test_healthy_hosts_have_none() -> None:
    assert diagnosed() == ()


@pytest.mark.parametrize(
    ("changes", "rule", "causes"),
    [
        ((MORE_DATA, DYNAMIC), "error-more-data", ["guest-no-dynamic-disks"]),
        ((MORE_DATA, BACKUP), "error-more-data", ["vm-no-other-snapshots"]),
        ((MORE_DATA, DYNAMIC, BACKUP), "error-more-data", ["guest-no-dynamic-disks"]),
        ((MISMATCH, PROTOCOL), "error-version-mismatch", ["backup-service-ok"]),
        ((MISMATCH, UPDATES), "error-version-mismatch", ["guest-updates-recent"]),
        (
            (WRITER, DISABLED, DYNAMIC),
            "no-application-consistent-snapshot",
            ["backup-service-enabled", "guest-no-dynamic-disks"],
        ),
    ],
)
def test_causes(changes: tuple[Change, ...], rule: str, causes: list[str]) -> None:
    [diagnosis] = diagnosed(*changes)
    assert diagnosis.rule == rule
    assert [cause.check_id for cause in diagnosis.causes] == causes


def test_the_sentence_names_the_code_the_cause_and_the_item() -> None:
    [diagnosis] = diagnosed(MORE_DATA, DYNAMIC)
    assert diagnosis.text == (
        "sql01: snapshots fail with 0x800700EA (more data is available), because the guest has dynamic disks "
        "(guest.example, AC-5, ER-1)"
    )


def test_without_the_guest_its_disks_are_not_known() -> None:
    """A guest that nobody looked at has no dynamic disks and is not without them."""
    [diagnosis] = diagnosed(MORE_DATA, names=("hv-one.example",))
    assert diagnosis.causes == ()
    assert diagnosis.unseen == ("its guest (not reached, or not in the inventory)",)
