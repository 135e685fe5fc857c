"""The judge: every check of a playbook, on every object of one host, comes to exactly one finding.

"Could not look" is never a failure and never nothing: a probe without an answer gives its reason to all the findings
that would have read it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import dataclass, field

from fleetscan.errors import ExpressionError
from fleetscan.judge.objects import Subject, subjects
from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host
from fleetscan.model.playbook import JSON, Bound, Check, Expression, ObjectType, Playbook
from fleetscan.model.reasons import Reason
from fleetscan.model.run import Trouble
from fleetscan.model.text import one_line

_UNDECIDED_FAMILIES = {"probe", "answer", "check"}
"""Reasons of these families mean that the host was asked and the answer is no use: an error, not a missing visit."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: Status
    reason: Reason | None
    message: str = ""


def judge(host: Host, facts: HostFacts, playbook: Playbook, trouble: Trouble | None = None) -> tuple[Finding, ...]:
    """All findings of one host, in playbook order. `trouble` says why there are facts missing, if there are."""
    court = _Court(host, facts.without_nulls(), playbook, trouble)
    return tuple(finding for check in playbook.checks for finding in court.try_check(check))


@dataclass(frozen=True, slots=True)
class _Court:
    host: Host
    facts: HostFacts
    playbook: Playbook
    trouble: Trouble | None
    known: dict[tuple[str, ...], list[Subject] | None] = field(default_factory=dict)
    """The objects that earlier checks with the same probes were about: most checks share theirs."""

    def try_check(self, check: Check) -> Iterator[Finding]:
        """One finding for each object of the check."""
        if not set(check.roles) & set(self.host.roles):
            roles = " or ".join(check.roles)
            yield self._finding(
                check,
                self._nobody(check),
                _Verdict(Status.NOT_APPLICABLE, Reason.ROLE_MISMATCH, f"the check is for hosts with role {roles}"),
            )
            return
        gap = self._gap(check)
        found = self._subjects(check)
        if found is None:
            verdict = gap or _Verdict(
                Status.ERROR, Reason.CHECK_UNDECIDED, f"no probe of the playbook lists objects of type {check.object}"
            )
            yield self._finding(check, self._nobody(check), verdict)
        elif not found:
            none = _Verdict(Status.NOT_APPLICABLE, Reason.OBJECT_NONE, f"the host has no {check.object}")
            yield self._finding(check, self._nobody(check), gap or none)
        else:
            for subject in found:
                yield self._finding(check, subject, gap) if gap else self._try_subject(check, subject)

    def _subjects(self, check: Check) -> list[Subject] | None:
        key = (check.object.value, *check.probes)
        if key not in self.known:
            self.known[key] = subjects(check.object, self.host, self.facts, check.probes)
        return self.known[key]

    def _gap(self, check: Check) -> _Verdict | None:
        """Why the check cannot be judged at all: the first of its probes that brought nothing."""
        for probe in check.probes:
            answer = self.facts.answers.get(probe)
            if answer is None or answer.reason is not None:
                return self._missing(probe, answer)
        return None

    def _missing(self, probe: str, answer: ProbeAnswer | None) -> _Verdict:
        if answer is not None and answer.reason is not None:
            reason, message = answer.reason, answer.message
        elif self.trouble is not None:
            reason, message = self.trouble.reason, self.trouble.message
        else:
            reason, message = Reason.PROBE_NOT_RUN, f"the probe {probe} did not run"
        undecided = reason.family in _UNDECIDED_FAMILIES and reason is not Reason.PROBE_NOT_RUN
        return _Verdict(Status.ERROR if undecided else Status.NOT_ASSESSED, reason, message)

    def _try_subject(self, check: Check, subject: Subject) -> Finding:
        bound = self.playbook.bind(self._variables(check, subject))
        try:
            verdict = _decide(check, bound)
        except ExpressionError as error:
            verdict = _Verdict(Status.ERROR, Reason.CHECK_EXPRESSION, error.message)
        return self._finding(check, subject, verdict, bound)

    def _variables(self, check: Check, subject: Subject) -> dict[str, JSON]:
        host = self.host
        variables: dict[str, JSON] = {
            "host": {
                **self.facts.meta,
                "name": host.name,
                "roles": [role.value for role in host.roles],
                "groups": list(host.groups),
                "zone": host.zone,
                "cluster": host.cluster,
                "vmm_server": host.vmm_server,
            }
        }
        for probe in check.probes:
            data = self.facts.answers[probe].data
            if data is not None:
                variables[self.playbook.probes[probe].variable] = dict(data)
        if check.object is not ObjectType.HOST:
            variables[check.object.value] = subject.facts
        return variables

    def _nobody(self, check: Check) -> Subject:
        """The object of a finding whose objects are not known: the host itself, or nothing."""
        if check.object in (ObjectType.HOST, ObjectType.GUEST):
            return Subject(self.host.name, self.host.name)
        return Subject("", "")

    def _finding(self, check: Check, subject: Subject, verdict: _Verdict, bound: Bound | None = None) -> Finding:
        judged = bound is not None and verdict.status is not Status.NOT_APPLICABLE
        message = verdict.message
        if judged and check.message is not None and verdict.status in (Status.FAIL, Status.WARN):
            message = check.message.render(bound)
        return Finding(
            host=self.host.name,
            check_id=check.id,
            check_title=check.title,
            article=check.article,
            severity=check.severity,
            object_type=check.object,
            object_id=subject.id,
            object_name=one_line(subject.name),
            status=verdict.status,
            reason=verdict.reason,
            message=_text(message),
            expected=_text(check.expected.render(bound)) if judged and check.expected is not None else "",
            observed=_observed(check.observed, bound) if judged else "",
            remedy=_text(check.remedy.text.render(bound)) if judged and verdict.status is not Status.PASS else "",
            action=check.remedy.action,
            reference=check.reference,
            evidence_ref=self._evidence(check),
        )

    def _evidence(self, check: Check) -> str:
        answers = (self.facts.answers.get(probe) for probe in check.probes)
        return sys.intern(
            ";".join(f"{answer.probe}@{answer.sha256[:12]}" for answer in answers if answer and answer.sha256)
        )


def _decide(check: Check, bound: Bound) -> _Verdict:
    """When → pass → warn → fail. Without a `fail` of its own, what neither passes nor warns fails."""
    if check.when is not None and not _truth(check.when, bound):
        return _Verdict(Status.NOT_APPLICABLE, Reason.PRECONDITION_ABSENT, f"not: {check.when.source}")
    if _truth(check.passes, bound):
        return _Verdict(Status.PASS, None)
    if check.warns is not None and _truth(check.warns, bound):
        return _Verdict(Status.WARN, Reason.CRITERION_WARN, check.title)
    if check.fails is None or _truth(check.fails, bound):
        return _Verdict(Status.FAIL, Reason.CRITERION_FAIL, check.title)
    return _Verdict(Status.ERROR, Reason.CHECK_UNDECIDED, "what was found is neither a pass, a warning nor a failure")


def _truth(expression: Expression, bound: Bound) -> bool:
    value = expression.evaluate(bound)
    if not isinstance(value, bool):
        raise ExpressionError(f"{expression.position}: `{expression.source}` gave {value!r:.60}, not true or false")
    return value


def _observed(expression: Expression | None, bound: Bound | None) -> str:
    if expression is None or bound is None:
        return ""
    try:
        value = expression.evaluate(bound)
    except ExpressionError as error:
        return _text(f"? ({error.message})")
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, list):
        return _text(", ".join(str(item) for item in value))
    return _text("" if value is None else str(value))


def _text(text: str) -> str:
    """One line; a large run says the same of thousands of objects, so equal texts are kept once."""
    return sys.intern(one_line(text))
