"""Findings that are kept packed are the same findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from fleetscan.model import finding
from fleetscan.model.finding import Finding, PackedFindings, Status, of_status, tally
from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.waiver import Waiver

if TYPE_CHECKING:
    import pytest

WAIVER = Waiver(id="w1", owner="ops", ticket="T-1", reason="known", expires=date(2027, 1, 31))
FAILED = Finding(
    host="hv01",
    check_id="vmms-running",
    check_title="VMM service runs",
    article=("RP-3",),
    severity=Severity.HIGH,
    object_type=ObjectType.HOST,
    object_id="hv01",
    object_name="hv01",
    status=Status.FAIL,
    reason=Reason.CRITERION_FAIL,
    message="it is stopped \ud800",
)
FINDINGS = (FAILED, replace(FAILED, waiver=WAIVER), replace(FAILED, status=Status.PASS, reason=None))


def test_they_come_back_as_they_were() -> None:
    packed = PackedFindings(FINDINGS)
    assert tuple(packed) == FINDINGS
    assert packed == FINDINGS
    assert (packed[1], packed[1:], len(packed)) == (FINDINGS[1], FINDINGS[1:], 3)
    assert packed != FINDINGS[:2]
    assert PackedFindings.of(packed) is packed
    assert hash(packed[0]) == hash(FAILED)
    assert type(packed[0]) is Finding


def counted(findings: PackedFindings) -> dict[tuple[Status, bool], int]:
    return {(outcome.status, outcome.waived): count for outcome, count in tally(findings).items()}


def test_they_are_counted_without_being_unpacked() -> None:
    packed = PackedFindings(FINDINGS)
    finding._unpacked.cache_clear()
    assert counted(packed) == {(Status.FAIL, False): 1, (Status.FAIL, True): 1, (Status.PASS, False): 1}
    assert tally(packed) == tally(FINDINGS)
    assert finding._unpacked.cache_info().misses == 0


def test_some_are_looked_at_and_changed_without_making_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(FAILED, check_id="disk-free", status=Status.WARN)
    packed = PackedFindings((*FINDINGS, other))
    made: list[object] = []
    make = finding._finding
    monkeypatch.setattr(finding, "_finding", lambda row: made.append(make(row).check_id) or make(row))
    assert list(packed.columns("check_id", "status"))[2:] == [
        (FAILED.check_id, Status.PASS),
        ("disk-free", Status.WARN),
    ]
    assert packed.of_checks({"disk-free"}) == {3: other}
    changed = packed.with_others({3: replace(other, status=Status.PASS, reason=None)})
    assert counted(changed) == {(Status.FAIL, False): 1, (Status.FAIL, True): 1, (Status.PASS, False): 2}
    assert of_status(packed, {Status.WARN}) == [other]
    assert made == ["disk-free"] * 2
    assert tuple(changed)[:3] == FINDINGS
    assert of_status(tuple(packed), {Status.WARN}) == [other]
    assert packed.with_others({}) is packed


def test_findings_that_say_the_same_of_many_objects_take_a_tenth() -> None:
    many = [replace(FAILED, object_id=f"vm-{number}", object_name=f"vm {number}") for number in range(200)]
    assert len(PackedFindings(many)._bytes) < 200 * 18
