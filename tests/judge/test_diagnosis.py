"""Diagnoses: symptoms of a machine joined with causes in it, in its guest, on its host, by id and never by guess."""

from __future__ import annotations

from dataclasses import replace

import pytest

from fleetscan.judge import diagnose
from fleetscan.model.diagnosis import Cause, DiagnosisRule
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Role
from fleetscan.model.playbook import ObjectType, Playbook, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, Trouble
from tests.factory import host, playbook
from tests.judge.test_judge import check

VM = "c1fcc74a-3527-51b7-9f20-851ac3bec535"
RULE = DiagnosisRule(
    "no-snapshot",
    "no snapshots",
    ("symptom",),
    (
        Cause("service", "its service is disabled"),
        Cause("agent", "the agent of its host is stopped"),
        Cause("vmm", "VMM is stopped"),
        Cause("writers", "writers of the guest failed"),
        Cause("not-selected", "never told"),
    ),
)
KINDS = {
    "symptom": ObjectType.VM,
    "service": ObjectType.VM,
    "agent": ObjectType.HOST,
    "vmm": ObjectType.HOST,
    "writers": ObjectType.GUEST,
}


@pytest.fixture
def book() -> Playbook:
    checks = tuple(check(name, object=kind) for name, kind in KINDS.items())
    return replace(playbook(checks=checks), diagnoses=(RULE,))


def finding(where: str, check_id: str, status: Status, identity: str = VM) -> Finding:
    kind = KINDS[check_id]
    return Finding(
        host=where,
        check_id=check_id,
        check_title=check_id,
        article=("AC-7",),
        severity=Severity.HIGH,
        object_type=kind,
        object_id=where if kind is ObjectType.HOST else identity,
        object_name=where if kind is ObjectType.HOST else "sql01",
        status=status,
        reason=None,
        message="",
    )


def report(name: str, *statuses: tuple[str, Status], identity: str = VM, **changes: object) -> HostReport:
    return HostReport(
        host=host(name, **changes),
        started_at=None,
        ended_at=None,
        facts=HostFacts(),
        findings=tuple(finding(name, check_id, status, identity) for check_id, status in statuses),
    )


HEALTHY = (("service", Status.PASS), ("agent", Status.PASS))
GUEST = report("guest", ("writers", Status.PASS), roles=(Role.GUEST,))


def test_a_machine_without_symptom_has_no_diagnosis(book: Playbook) -> None:
    reports = [report("hv01", ("symptom", Status.PASS), ("service", Status.FAIL))]
    assert diagnose(book, reports) == ()


def test_causes_are_found_in_the_machine_its_guest_its_host_and_their_vmm(book: Playbook) -> None:
    reports = [
        report("hv01", ("symptom", Status.FAIL), ("service", Status.FAIL), ("agent", Status.FAIL), vmm_server="vmm01"),
        report("vmm01", ("vmm", Status.FAIL), roles=(Role.VMM,)),
        report("guest", ("writers", Status.FAIL), identity=VM.upper(), roles=(Role.GUEST,)),
        report("hv02", ("agent", Status.FAIL)),
    ]
    [diagnosis] = diagnose(book, reports)
    found = [(cause.check_id, cause.host) for cause in diagnosis.causes]
    assert found == [("service", "hv01"), ("agent", "hv01"), ("vmm", "vmm01"), ("writers", "guest")]
    assert diagnosis.unseen == ()
    assert diagnosis.text.startswith("sql01: no snapshots, because its service is disabled (hv01, AC-7); the agent")


def test_a_warning_explains_only_where_nothing_is_plainly_wrong(book: Playbook) -> None:
    warned = report("hv01", ("symptom", Status.FAIL), ("service", Status.WARN), ("agent", Status.PASS))
    [diagnosis] = diagnose(book, [warned, GUEST])
    assert [cause.check_id for cause in diagnosis.causes] == ["service"]
    failed = report("hv01", ("symptom", Status.FAIL), ("service", Status.WARN), ("agent", Status.FAIL))
    [diagnosis] = diagnose(book, [failed, GUEST])
    assert [cause.check_id for cause in diagnosis.causes] == ["agent"]


def test_an_unknown_cause_is_said_to_be_unknown(book: Playbook) -> None:
    [diagnosis] = diagnose(book, [report("hv01", ("symptom", Status.WARN), *HEALTHY), GUEST])
    assert diagnosis.causes == ()
    assert diagnosis.unseen == ()
    assert "the cause is not known: every check that could explain it passes" in diagnosis.text


@pytest.mark.parametrize("guest", [None, report("guest", ("writers", Status.NOT_ASSESSED), identity="guest")])
def test_a_guest_that_was_not_reached_is_named_never_passed(book: Playbook, guest: HostReport | None) -> None:
    reports = [report("hv01", ("symptom", Status.FAIL), *HEALTHY), *([guest] if guest else [])]
    [diagnosis] = diagnose(book, reports)
    assert diagnosis.unseen == ("its guest (not reached, or not in the inventory)",)
    assert "could not be looked at" in diagnosis.text


TROUBLE = Trouble(reason=Reason.UNREACHABLE_REFUSED, stage=Stage.CONNECT, message="the connection is refused")


@pytest.mark.parametrize(
    ("name", "settings", "unseen"),
    [
        ("SQL01.corp.example", {}, "its guest SQL01.corp.example (not reached: unreachable.refused)"),
        ("db.corp.example", {"vm": "sql01"}, "its guest db.corp.example (not reached: unreachable.refused)"),
        ("db.corp.example", {}, "its guest (not reached, or not in the inventory)"),
    ],
)
def test_a_guest_that_was_not_reached_is_told_by_the_name_of_its_machine(
    book: Playbook, name: str, settings: dict[str, object], unseen: str
) -> None:
    silent = report(name, ("writers", Status.NOT_ASSESSED), identity=name, roles=(Role.GUEST,), **settings)
    reports = [report("hv01", ("symptom", Status.FAIL), *HEALTHY), replace(silent, trouble=TROUBLE)]
    [diagnosis] = diagnose(book, reports)
    assert diagnosis.unseen == (unseen,)


def test_a_guest_that_does_not_know_its_machine_is_told_and_joined_with_nothing(book: Playbook) -> None:
    silent = report("sql01", ("writers", Status.FAIL), identity="sql01", roles=(Role.LINUX_GUEST,))
    [diagnosis] = diagnose(book, [report("hv01", ("symptom", Status.FAIL), *HEALTHY), silent])
    assert diagnosis.causes == ()
    assert diagnosis.unseen == ("its guest sql01 (it does not say which machine it is)",)


def test_of_two_machines_of_the_same_name_no_guest_is_told(book: Playbook) -> None:
    machines = report("hv01", ("symptom", Status.FAIL), *HEALTHY)
    twin = report("hv02", ("symptom", Status.PASS), identity="11111111-1111-4111-8111-111111111111")
    silent = report("sql01", ("writers", Status.NOT_ASSESSED), identity="sql01", roles=(Role.GUEST,))
    [diagnosis] = diagnose(book, [machines, twin, silent])
    assert diagnosis.unseen == ("its guest (not reached, or not in the inventory)",)


def test_what_was_not_assessed_is_named(book: Playbook) -> None:
    reports = [
        report("hv01", ("symptom", Status.FAIL), ("service", Status.PASS), ("agent", Status.NOT_ASSESSED)),
        GUEST,
    ]
    [diagnosis] = diagnose(book, reports)
    assert diagnosis.unseen == ("agent",)


def test_a_machine_on_two_hosts_has_one_diagnosis_that_names_both(book: Playbook) -> None:
    reports = [
        report("hv01", ("symptom", Status.FAIL), *HEALTHY),
        report("hv02", ("symptom", Status.PASS), ("service", Status.PASS), ("agent", Status.FAIL)),
        GUEST,
    ]
    [diagnosis] = diagnose(book, reports)
    assert diagnosis.hosts == ("hv01", "hv02")
    assert [(cause.check_id, cause.host) for cause in diagnosis.causes] == [("agent", "hv02")]
