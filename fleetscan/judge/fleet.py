"""The hosts of a run beside each other: which belong together, and what was found on each, for checks across hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeAlias

from fleetscan.model.finding import Finding, Status
from fleetscan.model.host import Host
from fleetscan.model.playbook import JSON, Across, ObjectType, Playbook, Relation
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport

Place: TypeAlias = tuple[ObjectType, str]
"""An object: its type and id."""

_UNSEEN = (Status.ERROR, Status.NOT_ASSESSED)
_GROUPS = (Relation.CLUSTER, Relation.VMM_SERVER)
"""Relations that are fields of a host with the same names."""


@dataclass(frozen=True, slots=True)
class Peer:
    """One host that an object belongs to, and what the compared checks found there."""

    name: str
    here: bool
    """Whether it is the host that the finding stands at."""
    report: HostReport | None
    """None: the run has no host of that name."""
    findings: tuple[Finding, ...]
    missing: tuple[str, ...]
    """Compared checks that nobody judged there."""

    @property
    def variable(self) -> JSON:
        """What expressions read of it; of what was not found out they see nothing, so that it fails nobody."""
        return {
            "name": self.name,
            "here": self.here,
            "known": self.report is not None,
            "assessed": self.unseen is None,
            "findings": [
                {
                    "check": finding.check_id,
                    "title": finding.check_title,
                    "status": finding.status.value,
                    "observed": finding.observed,
                    "expected": finding.expected,
                }
                for finding in self.findings
                if finding.status not in _UNSEEN
            ],
        }

    @property
    def unseen(self) -> str | None:
        """Why it does not have all that is compared, in words; None if it has."""
        if self.report is None:
            return f"{self.name} is not part of this run"
        if self.report.trouble is not None and not self.findings:
            return f"{self.name}: {self.report.trouble.message}"
        if self.findings and all(finding.reason is Reason.ROLE_MISMATCH for finding in self.findings):
            return f"{self.name}: {self.findings[0].message}"
        for finding in self.findings:
            if finding.status in _UNSEEN:
                return f"{self.name}: {finding.check_id} could not be judged ({finding.reason}: {finding.message})"
        return f"{self.name}: {', '.join(self.missing)} was not judged" if self.missing else None


class Fleet:
    """An index of a run's findings: by host for the compared checks, by object for where it was seen."""

    def __init__(self, playbook: Playbook, reports: Sequence[HostReport]) -> None:
        compared = {name for check in playbook.checks if check.across is not None for name in check.across.checks}
        self._own = {report.host.name: report for report in reports}
        self._position = {name: number for number, name in enumerate(self._own)}
        self._names: defaultdict[str, list[HostReport]] = defaultdict(list)
        self._groups: defaultdict[tuple[Relation, str], list[HostReport]] = defaultdict(list)
        self._seen: defaultdict[tuple[ObjectType, str], dict[str, HostReport]] = defaultdict(dict)
        self._findings: dict[tuple[str, str], Finding] = {}
        for report in reports:
            for name in _names_of(report):
                self._names[name].append(report)
            for relation in _GROUPS:
                self._groups[relation, group_of(report.host, relation)].append(report)
            for finding in report.findings:
                if finding.object_type is ObjectType.HOST:
                    if finding.check_id in compared:
                        self._findings[report.host.name, finding.check_id] = finding
                elif finding.object_id:
                    place = (finding.object_type, finding.object_id.casefold())
                    self._seen[place].setdefault(report.host.name, report)

    def peers(self, across: Across, host: str, place: Place, named: Iterable[str]) -> list[Peer]:
        """The hosts of an object: its own, then others in the order of the run, then names that no host has."""
        own = self._own[host]
        found: dict[str, HostReport] = {}
        strangers: dict[str, None] = {}
        for relation in across.hosts:
            found |= {other.host.name: other for other in self._related(relation, own, place)}
        for name in named:
            match = self.find(name, own)
            if match is None:
                strangers[name] = None
            else:
                found[match.host.name] = match
        order = sorted(found, key=lambda name: (name != host, self._position[name]))
        return [self._peer(across, found[name], host) for name in order] + [
            Peer(name, here=False, report=None, findings=(), missing=()) for name in strangers
        ]

    def find(self, name: str, near: HostReport) -> HostReport | None:
        """The host of that full or short name; where several share a short one, that of the same cluster, else none."""
        for spelling in (name.casefold(), name.partition(".")[0].casefold()):
            found = self._names.get(spelling, [])
            close = [other for other in found if near.host.cluster and other.host.cluster == near.host.cluster]
            for choice in (found, close):
                if len(choice) == 1:
                    return choice[0]
        return None

    def _related(self, relation: Relation, own: HostReport, place: Place) -> Iterable[HostReport]:
        if relation in _GROUPS:
            group = group_of(own.host, relation)
            return self._groups[relation, group] if group else [own]
        kind, identity = place[0], place[1].casefold()
        if relation is Relation.GUEST:
            return self._seen[ObjectType.GUEST, identity].values()
        return [own, *self._seen[kind, identity].values()]

    def _peer(self, across: Across, report: HostReport, own: str) -> Peer:
        name = report.host.name
        found = {check: self._findings.get((name, check)) for check in across.checks}
        return Peer(
            name=name,
            here=name == own,
            report=report,
            findings=tuple(finding for finding in found.values() if finding is not None),
            missing=tuple(check for check, finding in found.items() if finding is None),
        )


def group_of(host: Host, relation: Relation) -> str:
    """The name of the group of hosts that a relation puts a host into; "" for none."""
    fields: Mapping[Relation, str] = {Relation.CLUSTER: host.cluster, Relation.VMM_SERVER: host.vmm_server}
    return fields.get(relation, "")


def _names_of(report: HostReport) -> set[str]:
    """How others may call a host: as the inventory does, and as it calls itself, in full and in short."""
    host, computer = report.host, str(report.facts.meta.get("computer", ""))
    return {name.casefold() for name in (host.name, host.name.partition(".")[0], host.address, computer) if name}
