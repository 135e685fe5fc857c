"""The judge: hosts × checks × objects are all there, with the right status and reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import pytest

from fleetscan.errors import ExpressionError
from fleetscan.judge import judge
from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Role
from fleetscan.model.playbook import JSON, Bound, Check, ObjectType, Remedy, Severity
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import Trouble
from tests.factory import host, playbook, probe

Variables = Mapping[str, JSON]


@dataclass(frozen=True)
class Rule:
    """An expression made of a Python function: the judge needs no more of it than its result."""

    function: Callable[[Variables], JSON]
    source: str = "rule"
    position: str = "check.yaml:1"

    def evaluate(self, bound: Bound) -> JSON:
        try:
            return self.function(bound)  # type: ignore[arg-type] # bind gives the variables themselves
        except KeyError as error:
            raise ExpressionError(f"no such key: {error}") from None


@dataclass(frozen=True)
class Words:
    source: str

    def render(self, bound: Bound) -> str:
        return self.source.format(**bound)  # type: ignore[arg-type] # bind gives the variables themselves


def check(identity: str = "c", **changes: object) -> Check:
    values: dict[str, object] = {
        "id": identity,
        "title": "Title",
        "why": "Why",
        "article": ("RP-3",),
        "roles": (Role.HYPERV,),
        "object": ObjectType.VM,
        "severity": Severity.HIGH,
        "probes": ("vms",),
        "passes": Rule(lambda v: v["vm"]["ok"] == 1),  # type: ignore[index,call-overload] # shapes are the test's own
        "remedy": Remedy(text=Words("repair it"), action=""),
        "reference": "https://example.invalid",
    }
    return Check(**(values | changes))  # type: ignore[arg-type] # a test's shorthand


def facts(**answers: dict[str, JSON] | Reason) -> HostFacts:
    made = {
        name: ProbeAnswer(probe=name, data=None, reason=value, message="said the host")
        if isinstance(value, Reason)
        else ProbeAnswer(probe=name, data=value, sha256="ab" * 32)
        for name, value in answers.items()
    }
    return HostFacts(meta={"now": "2026-01-01T00:00:00Z"}, answers=made)


def vms(*entries: dict[str, JSON]) -> dict[str, JSON]:
    return {"vms": [{"id": str(number), "name": f"vm{number}", **entry} for number, entry in enumerate(entries)]}


def verdicts(findings: tuple[Finding, ...]) -> list[tuple[str, Status, Reason | None]]:
    return [(finding.object_name, finding.status, finding.reason) for finding in findings]


def run(known: HostFacts, *checks: Check, trouble: Trouble | None = None) -> tuple[Finding, ...]:
    return judge(host(), known, playbook(probe("vms"), probe("more"), checks=checks), trouble)


def test_one_finding_an_object_in_the_order_of_the_host() -> None:
    findings = run(facts(vms=vms({"ok": 1}, {"ok": 0})), check())
    assert verdicts(findings) == [("vm0", Status.PASS, None), ("vm1", Status.FAIL, Reason.CRITERION_FAIL)]
    assert [finding.remedy for finding in findings] == ["", "repair it"]
    assert findings[0].evidence_ref == "vms@abababababab"


def test_when_then_pass_then_warn_then_fail() -> None:
    rule = check(
        when=Rule(lambda v: v["vm"]["state"] != "off"),  # type: ignore[index,call-overload]
        warns=Rule(lambda v: v["vm"]["ok"] == 2),  # type: ignore[index,call-overload]
        fails=Rule(lambda v: v["vm"]["ok"] == 3),  # type: ignore[index,call-overload]
    )
    states: list[dict[str, JSON]] = [{"ok": number, "state": "on"} for number in (1, 2, 3, 4)]
    findings = run(facts(vms=vms(*states, {"ok": 3, "state": "off"})), rule)
    assert [(f.status, f.reason) for f in findings] == [
        (Status.PASS, None),
        (Status.WARN, Reason.CRITERION_WARN),
        (Status.FAIL, Reason.CRITERION_FAIL),
        (Status.ERROR, Reason.CHECK_UNDECIDED),
        (Status.NOT_APPLICABLE, Reason.PRECONDITION_ABSENT),
    ]


def test_an_expression_that_cannot_be_computed_is_an_error_not_a_verdict() -> None:
    [finding] = run(facts(vms=vms({})), check())
    assert (finding.status, finding.reason) == (Status.ERROR, Reason.CHECK_EXPRESSION)
    assert "ok" in finding.message


def test_a_value_that_is_not_true_or_false_is_an_error() -> None:
    [finding] = run(facts(vms=vms({"ok": 1})), check(passes=Rule(lambda _: "yes")))
    assert (finding.status, finding.reason) == (Status.ERROR, Reason.CHECK_EXPRESSION)


@pytest.mark.parametrize(
    ("reason", "status"),
    [
        (Reason.PERMISSION_DENIED, Status.NOT_ASSESSED),
        (Reason.TIMEOUT_PROBE, Status.NOT_ASSESSED),
        (Reason.BLOCKED_LANGUAGE_MODE, Status.NOT_ASSESSED),
        (Reason.PROBE_FAILED, Status.ERROR),
        (Reason.PROBE_BAD_SHAPE, Status.ERROR),
        (Reason.ANSWER_DAMAGED, Status.ERROR),
    ],
)
def test_a_probe_without_an_answer_gives_its_reason_to_every_object(reason: Reason, status: Status) -> None:
    findings = run(facts(vms=vms({"ok": 1}, {"ok": 1}), more=reason), check(probes=("vms", "more")))
    assert verdicts(findings) == [("vm0", status, reason), ("vm1", status, reason)]


def test_unknown_objects_give_one_row_with_the_reason() -> None:
    [finding] = run(facts(vms=Reason.PERMISSION_DENIED), check())
    assert (finding.object_id, finding.status, finding.reason) == ("", Status.NOT_ASSESSED, Reason.PERMISSION_DENIED)


def test_no_object_is_not_applicable_never_a_pass() -> None:
    [finding] = run(facts(vms=vms()), check())
    assert (finding.status, finding.reason) == (Status.NOT_APPLICABLE, Reason.OBJECT_NONE)


def test_a_check_for_other_roles_is_there_and_not_applicable() -> None:
    [finding] = run(facts(), check(roles=(Role.VMM,)))
    assert (finding.status, finding.reason) == (Status.NOT_APPLICABLE, Reason.ROLE_MISMATCH)


def test_an_unreachable_host_has_a_row_for_every_check() -> None:
    trouble = Trouble(reason=Reason.UNREACHABLE_REFUSED, stage=Stage.CONNECT, message="refused")
    findings = run(
        HostFacts(), check("a"), check("b", object=ObjectType.HOST), check("c", roles=(Role.VMM,)), trouble=trouble
    )
    assert [(f.check_id, f.status) for f in findings] == [
        ("a", Status.NOT_ASSESSED),
        ("b", Status.NOT_ASSESSED),
        ("c", Status.NOT_APPLICABLE),
    ]
    assert findings[0].reason is Reason.UNREACHABLE_REFUSED


def test_an_object_that_only_another_probe_names_is_judged_too() -> None:
    """A VM without replication is not in the replication probe's answer; its row must still be there."""
    rule = check(probes=("more",), when=Rule(lambda v: "replication" in v["vm"]))  # type: ignore[operator]
    known = facts(vms=vms({"ok": 1}, {"ok": 1}), more={"vms": [{"id": "1", "name": "vm1", "replication": 4, "ok": 1}]})
    assert verdicts(run(known, rule)) == [
        ("vm0", Status.NOT_APPLICABLE, Reason.PRECONDITION_ABSENT),
        ("vm1", Status.PASS, None),
    ]


def test_facts_of_one_vm_are_merged_by_id_from_the_asked_probes_only() -> None:
    seen: list[JSON] = []
    rule = check(probes=("vms", "more"), passes=Rule(lambda v: seen.append(v["vm"]) or True))  # type: ignore[func-returns-value]
    known = facts(
        vms=vms({"a": 1}), more={"vms": [{"id": "0", "name": "other name", "b": 2}]}, extra=vms({"secret": 1})
    )
    run(known, rule)
    assert seen == [{"id": "0", "name": "other name", "a": 1, "b": 2}]


def test_a_guest_is_found_by_the_id_that_it_tells() -> None:
    known = facts(more={"guest": {"id": "guid-1", "name": "sql01"}, "ok": True})
    rule = check(object=ObjectType.GUEST, probes=("more",), passes=Rule(lambda v: v["guest"]["id"] == "guid-1"))  # type: ignore[index,call-overload]
    [finding] = run(known, rule)
    assert (finding.object_id, finding.object_name, finding.status) == ("guid-1", "sql01", Status.PASS)


def test_null_and_absent_are_the_same() -> None:
    seen: list[JSON] = []
    rule = check(passes=Rule(lambda v: seen.append(v["vm"]) or True))  # type: ignore[func-returns-value]
    run(facts(vms=vms({"a": None, "b": {"c": None, "d": [{"e": None}]}})), rule)
    assert seen == [{"id": "0", "name": "vm0", "b": {"d": [{}]}}]


def test_keys_are_stable_and_apart() -> None:
    first = run(facts(vms=vms({"ok": 1}, {"ok": 0})), check("a"), check("b"))
    second = run(facts(vms=vms({"ok": 0}, {"ok": 0})), check("a"), check("b"))
    assert [f.key for f in first] == [f.key for f in second]
    assert len({f.key for f in first}) == 4
