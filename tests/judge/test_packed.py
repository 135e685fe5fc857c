"""Findings that are kept packed are the same findings."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import TYPE_CHECKING

from fleetscan.model import finding
from fleetscan.model.finding import Finding, PackedFindings, Status, tally
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


def test_they_are_counted_without_being_unpacked() -> None:
    packed = PackedFindings(FINDINGS)
    finding._unpacked.cache_clear()
    assert tally(packed) == {(Status.FAIL, False): 1, (Status.FAIL, True): 1, (Status.PASS, False): 1}
    assert finding._unpacked.cache_info().misses == 0


def test_some_are_looked_at_and_changed_without_making_the_others(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(FAILED, check_id="disk-free", status=Status.WARN)
    packed = PackedFindings((*FINDINGS, other))
    made: list[object] = []
    monkeypatch.setattr(finding, "Finding", lambda **values: made.append(values["check_id"]) or Finding(**values))
    assert packed.column("check_id") == [FAILED.check_id] * 3 + ["disk-free"]
    assert packed.of_checks({"disk-free"}) == {3: other}
    changed = packed.with_others({3: replace(other, status=Status.PASS, reason=None)})
    assert tally(changed) == {(Status.FAIL, False): 1, (Status.FAIL, True): 1, (Status.PASS, False): 2}
    assert made == ["disk-free"]
    assert tuple(changed)[:3] == FINDINGS
    assert packed.with_others({}) is packed


def test_findings_that_say_the_same_of_many_objects_take_a_tenth() -> None:
    many = [replace(FAILED, object_id=f"vm-{number}", object_name=f"vm {number}") for number in range(200)]
    assert len(PackedFindings(many)._bytes) < 200 * 18
