"""From findings to causes: the symptoms of a virtual machine, joined with what is wrong in it, its guest and its host.

Joins are by id: a guest tells which virtual machine it is, a finding of a machine names its host. Nothing is inferred
from what was not looked at: a cause that could not be assessed is named as such. Names join nothing but that: which
host of the inventory would be the guest of a machine if it had said so.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Sequence

from fleetscan.model.diagnosis import Cause, Diagnosis, DiagnosisRule, SeenCause
from fleetscan.model.finding import SYMPTOMATIC, Finding, PackedFindings, Status
from fleetscan.model.host import Role
from fleetscan.model.playbook import Check, ObjectType, Playbook
from fleetscan.model.run import HostReport

_UNSEEN = frozenset({Status.ERROR, Status.NOT_ASSESSED})
_TELLING = SYMPTOMATIC | _UNSEEN
_GUEST = "its guest (not reached, or not in the inventory)"
_GUESTS = frozenset({Role.GUEST, Role.LINUX_GUEST})


def diagnose(playbook: Playbook, reports: Sequence[HostReport]) -> tuple[Diagnosis, ...]:
    """A diagnosis for each virtual machine that has a symptom, in the order of the hosts; one for a machine on two."""
    if not playbook.diagnoses:
        return ()
    index = _Index(playbook, reports)
    return tuple(
        index.explain(rule, vm_id)
        for vm_id in index.machines
        for rule in playbook.diagnoses
        if index.symptoms(rule, vm_id)
    )


class _Index:
    """The findings of a run that tell of something, by check and object."""

    def __init__(self, playbook: Playbook, reports: Sequence[HostReport]) -> None:
        self._checks = {check.id: check for check in playbook.checks}
        self._read = {name for rule in playbook.diagnoses for name in (*rule.symptoms, *(c.check for c in rule.causes))}
        self._found: defaultdict[tuple[str, str], list[Finding]] = defaultdict(list)
        self.machines: dict[str, list[str]] = {}
        """VM id → the hosts that it was seen on."""
        self._names: dict[str, str] = {}
        self._guests: set[str] = set()
        """The machines whose guest told which one it is."""
        self._silent: defaultdict[str, list[HostReport]] = defaultdict(list)
        """By the names that their machines may have, guests that told of none: not reached, or they do not know."""
        self._vmm = {report.host.name: report.host.vmm_server for report in reports}
        for report in reports:
            told = self._add(report.host.name, PackedFindings.of(report.findings))
            if _GUESTS & set(report.host.roles) and not told:
                for name in report.host.vm_names:
                    self._silent[name.casefold()].append(report)
        self._named = Counter(name.casefold() for name in self._names.values())

    def _add(self, host: str, findings: PackedFindings) -> bool:
        """Note the findings of a host; whether it said which machine it is the guest of."""
        told = False
        telling = []
        for place, (check_id, status) in enumerate(findings.columns("check_id", "status")):
            if check_id in self._read and status in _TELLING:
                telling.append(place)
        for finding in findings.at(telling).values():
            identity = host if finding.object_type is ObjectType.HOST else finding.object_id
            self._found[finding.check_id, identity.casefold()].append(finding)
        for kind, identity, name in findings.columns("object_type", "object_id", "object_name"):
            if kind is ObjectType.VM and identity:
                vm_id = identity.casefold()
                hosts = self.machines.setdefault(vm_id, [])
                if host not in hosts[-1:]:
                    hosts.append(host)
                self._names.setdefault(vm_id, name)
            elif kind is ObjectType.GUEST:
                self._guests.add(identity.casefold())
                told = told or identity != host
        return told

    def symptoms(self, rule: DiagnosisRule, vm_id: str) -> list[Finding]:
        """The findings that show the symptom on this machine."""
        return [
            finding
            for check_id in rule.symptoms
            for finding in self._found.get((check_id, vm_id), ())
            if finding.status in SYMPTOMATIC
        ]

    def explain(self, rule: DiagnosisRule, vm_id: str) -> Diagnosis:
        """Go through the causes of a rule for one machine."""
        failed: list[SeenCause] = []
        warned: list[SeenCause] = []
        unseen: list[str] = []
        for cause in rule.causes:
            check = self._checks.get(cause.check)
            if check is None:
                continue  # the user asked for other checks only
            findings = self._related(check, vm_id)
            failures = [finding for finding in findings if finding.status is Status.FAIL]
            warnings = [finding for finding in findings if finding.status is Status.WARN]
            if failures:
                failed.append(_cause(cause, failures[0]))
            elif warnings:
                warned.append(_cause(cause, warnings[0]))
            elif check.object is ObjectType.GUEST and vm_id not in self._guests:
                unseen.append(self._guest_of(vm_id))
            elif any(finding.status in _UNSEEN for finding in findings):
                unseen.append(cause.check)
        symptoms = self.symptoms(rule, vm_id)
        return Diagnosis(
            rule=rule.id,
            vm_id=vm_id,
            vm_name=self._names[vm_id],
            hosts=tuple(self.machines[vm_id]),
            says=rule.says,
            symptoms=tuple(dict.fromkeys(finding.check_id for finding in symptoms)),
            # A warning explains a symptom only where nothing is plainly wrong.
            causes=tuple(failed or warned),
            unseen=tuple(dict.fromkeys(unseen)),
        )

    def _guest_of(self, vm_id: str) -> str:
        """Which guest could not be looked at, and why, for people to read."""
        name = self._names[vm_id].casefold()
        found = self._silent.get(name, [])
        if len(found) != 1 or self._named[name] > 1:
            return _GUEST
        trouble = found[0].trouble
        why = f"not reached: {trouble.reason}" if trouble is not None else "it does not say which machine it is"
        return f"its guest {found[0].host.name} ({why})"

    def _related(self, check: Check, vm_id: str) -> list[Finding]:
        """The findings of a check about this machine: its own, its guest's, those of its hosts and of their VMM."""
        if check.object is not ObjectType.HOST:
            return self._found.get((check.id, vm_id), [])
        names = {name: None for host in self.machines[vm_id] for name in (host, self._vmm.get(host)) if name}
        return [finding for host in names for finding in self._found.get((check.id, host.casefold()), ())]


def _cause(cause: Cause, finding: Finding) -> SeenCause:
    return SeenCause(
        check_id=finding.check_id,
        article=finding.article,
        host=finding.host,
        because=cause.because,
        remedy=finding.remedy,
        finding_key=finding.key,
    )
