"""The judge: every check of a playbook, on every object of one host, comes to exactly one finding.

"Could not look" is never a failure and never nothing: a probe without an answer gives its reason to all the findings
that would have read it.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from fleetscan.errors import ExpressionError
from fleetscan.judge.fleet import Fleet, Peer, Standing, group_of
from fleetscan.judge.measures import measured, unmeasured
from fleetscan.judge.objects import Objects, Subject
from fleetscan.model.facts import HostFacts, ProbeAnswer
from fleetscan.model.finding import Finding, PackedFindings, Status
from fleetscan.model.host import Host
from fleetscan.model.playbook import JSON, Across, Bound, Check, Expression, ObjectType, Playbook, Relation
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, Trouble
from fleetscan.model.text import one_line

HOSTS = "hosts"
"""The variable with the hosts that a check across hosts compares."""

_UNDECIDED_FAMILIES = {"probe", "answer", "check"}
"""Reasons of these families mean that the host was asked and the answer is no use: an error, not a missing visit."""

_GRAVITY = {
    Standing.VISITED: Reason.ACROSS_NOT_ASSESSED,
    Standing.UNKNOWN: Reason.ACROSS_UNKNOWN_HOST,
    Standing.LEFT_OUT: Reason.ACROSS_LEFT_OUT,
}
"""Why a check across hosts is not decided, by the hosts that are missing; the gravest first."""


@dataclass(frozen=True, slots=True)
class _Verdict:
    status: Status
    reason: Reason | None
    message: str = ""


def judge(host: Host, facts: HostFacts, playbook: Playbook, trouble: Trouble | None = None) -> tuple[Finding, ...]:
    """All findings of one host, in playbook order. `trouble` says why there are facts missing, if there are.

    Totals need a second reading in the facts.
    """
    facts = measured(facts, playbook).without_nulls()
    court = _Court(host, facts, Objects(host, facts), playbook, trouble)
    return tuple(finding for check in playbook.checks for finding in court.try_check(check))


def judge_across(report: HostReport, playbook: Playbook, fleet: Fleet) -> HostReport:
    """The report with its findings of checks across hosts judged, now that the findings of all hosts are there."""
    checks = {
        check.id: check for check in playbook.checks if check.across and set(check.roles) & set(report.host.roles)
    }
    if not checks:
        return report
    findings = PackedFindings.of(report.findings)
    old = findings.of_checks(checks)
    if not old:
        return report
    facts = report.facts.only({probe for check in checks.values() for probe in check.probes}).without_nulls()
    court = _Court(report.host, facts, Objects(report.host, facts), playbook, report.trouble, fleet)
    judged: dict[str, dict[str, Finding]] = {}

    def newest(finding: Finding) -> Finding:
        check = checks[finding.check_id]
        if finding.reason is Reason.OBJECT_MOVED:
            return finding
        if check.id not in judged:
            judged[check.id] = {new.object_id: new for new in court.try_check(check)}
        stranger = Subject(
            finding.object_id, finding.object_name, {"id": finding.object_id, "name": finding.object_name}
        )
        # An object that only probes of other checks named is known by its name alone.
        return judged[check.id].get(finding.object_id) or court.try_subject(check, stranger)

    new = {place: newest(finding) for place, finding in old.items()}
    changed = {place: finding for place, finding in new.items() if finding != old[place]}
    return report.told(findings.with_others(changed))


@dataclass(frozen=True, slots=True)
class _Court:
    host: Host
    facts: HostFacts
    objects: Objects
    playbook: Playbook
    trouble: Trouble | None
    fleet: Fleet | None = None
    """None: not all hosts have been visited yet."""
    shared: dict[tuple[str, ...], dict[str, JSON]] = field(default_factory=dict)
    """The variables of earlier checks with the same probes, but for the object."""
    evidence: dict[tuple[str, ...], str] = field(default_factory=dict)

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
        fleet = check.object is ObjectType.FLEET
        found = self._fleet_of(check) if fleet else self.objects.of(check.object, check.probes)
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
                yield self._finding(check, subject, gap) if gap else self.try_subject(check, subject)

    def _fleet_of(self, check: Check) -> list[Subject]:
        """The hosts that belong together, as one object: named after what they have in common, or after the host."""
        relations = check.across.hosts if check.across is not None else ()
        names = [group_of(self.host, relation) for relation in relations]
        name = next(filter(None, names), self.host.name)
        return [Subject(name, name, {"id": name, "name": name})]

    def _gap(self, check: Check) -> _Verdict | None:
        """Why the check cannot be judged at all: the first of its probes that brought nothing."""
        for probe in check.probes:
            answer = self.facts.answers.get(probe)
            if answer is None or answer.reason is not None:
                return self._missing(probe, answer)
            if self.playbook.probes[probe].totals and (why := unmeasured(answer)):
                return _Verdict(Status.NOT_APPLICABLE, Reason.PRECONDITION_UNMEASURED, why)
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

    def try_subject(self, check: Check, subject: Subject) -> Finding:
        """The finding about one object, from answers that are all there."""
        variables = self._variables(check, subject)
        bound = self.playbook.bind(variables)
        try:
            if check.across is None:
                verdict = _decide(check, bound)
            elif self.fleet is None:
                verdict = _Verdict(Status.NOT_ASSESSED, Reason.ACROSS_PENDING, "not all hosts have been visited yet")
                return self._finding(check, subject, verdict)
            else:
                peers = self._peers(check, check.across, self.fleet, subject, bound)
                bound = self.playbook.bind(variables | {HOSTS: [peer.variable for peer in peers]})
                verdict = _decide(check, bound)
                if set(check.across.hosts) != {Relation.MACHINE}:
                    verdict = _complete(verdict, peers)
        except ExpressionError as error:
            verdict = _Verdict(Status.ERROR, Reason.CHECK_EXPRESSION, error.message)
        return self._finding(check, subject, verdict, bound)

    def _peers(self, check: Check, across: Across, fleet: Fleet, subject: Subject, bound: Bound) -> Sequence[Peer]:
        names: list[str] = []
        if across.named is not None:
            value = across.named.evaluate(bound)
            if not isinstance(value, list):
                raise ExpressionError(f"{across.named.position}: `{across.named.source}` gave no list of names")
            names = [str(name) for name in value if name]
        return fleet.peers(across, self.host.name, (check.object, subject.id), names)

    def _variables(self, check: Check, subject: Subject) -> dict[str, JSON]:
        shared = self.shared.get(check.probes) or self.shared.setdefault(check.probes, self._host_variables(check))
        variables = dict(shared)
        if check.object is not ObjectType.HOST:
            variables[check.object.value] = subject.facts
        if check.across is not None:
            variables[HOSTS] = []
        return variables

    def _host_variables(self, check: Check) -> dict[str, JSON]:
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
            object_name=_text(subject.name),
            status=verdict.status,
            reason=verdict.reason,
            message=_text(message),
            why=check.why,
            expected=_text(check.expected.render(bound)) if judged and check.expected is not None else "",
            observed=_observed(check.observed, bound) if judged else "",
            remedy=_text(check.remedy.text.render(bound)) if judged and verdict.status is not Status.PASS else "",
            action=check.remedy.action,
            reference=check.reference,
            evidence_ref=self._evidence(check),
        )

    def _evidence(self, check: Check) -> str:
        if check.probes not in self.evidence:
            answers = (self.facts.answers.get(probe) for probe in check.probes)
            told = (f"{answer.probe}@{answer.sha256[:12]}" for answer in answers if answer and answer.sha256)
            self.evidence[check.probes] = ";".join(told)
        return self.evidence[check.probes]


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


def _complete(verdict: _Verdict, peers: Sequence[Peer]) -> _Verdict:
    """A failure is one, whatever other hosts would say; a pass needs all of them, a warning those that were visited."""
    if verdict.status not in (Status.PASS, Status.WARN):
        return verdict
    missing = {peer.standing for peer in peers if peer.unseen is not None}
    gravest = next((standing for standing in _GRAVITY if standing in missing), None)
    if gravest is None or (verdict.status is Status.WARN and gravest is not Standing.VISITED):
        return verdict
    return _Verdict(Status.NOT_ASSESSED, _GRAVITY[gravest], "; ".join(peer.unseen for peer in peers if peer.unseen))


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


@lru_cache(maxsize=1024)
def _text(text: str) -> str:
    """One line; a large run says the same of thousands of objects, so equal texts are kept once."""
    return sys.intern(one_line(text))
