"""The hosts of a run beside each other: which belong together, and what was found on each, for checks across hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum, auto
from functools import cache
from typing import TypeAlias

from fleetscan.model.finding import Finding, PackedFindings, Status
from fleetscan.model.host import Host
from fleetscan.model.playbook import JSON, Across, ObjectType, Playbook, Relation
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport

Place: TypeAlias = tuple[ObjectType, str]
"""An object: its type and id."""

_UNSEEN = (Status.ERROR, Status.NOT_ASSESSED)
_GROUPS = (Relation.CLUSTER, Relation.VMM_SERVER)
"""Relations that are fields of a host with the same names."""


class Standing(Enum):
    """What a run has to do with a host."""

    VISITED = auto()
    LEFT_OUT = auto()
    """The inventory has it, and it was not to be visited this time."""
    UNKNOWN = auto()


@dataclass(frozen=True, slots=True)
class Peer:
    """One host that an object belongs to, and what the compared checks found there."""

    variable: dict[str, JSON]
    """What expressions read of it; of what was not found out they see nothing, so that it fails nobody."""
    unseen: str | None
    """Why it does not have all that is compared, in words; None if it has."""
    standing: Standing


class Fleet:
    """An index of a run's findings: by host for the compared checks, by object for where it was seen."""

    def __init__(self, playbook: Playbook, reports: Sequence[HostReport], left_out: Sequence[Host] = ()) -> None:
        compared = {name for check in playbook.checks if check.across is not None for name in check.across.checks}
        self._own = {report.host.name: report for report in reports}
        hosts = {report.host: str(report.facts.meta.get("computer", "")) for report in reports}
        hosts |= dict.fromkeys(left_out, "")
        self._position = {host.name: number for number, host in enumerate(hosts)}
        self._names: defaultdict[str, list[Host]] = defaultdict(list)
        self._groups: defaultdict[tuple[Relation, str], list[str]] = defaultdict(list)
        self._seen: defaultdict[tuple[ObjectType, str], list[HostReport]] = defaultdict(list)
        self._findings: dict[tuple[str, str, str], Finding] = {}
        """By host, check, and the folded id of the virtual machine, which is empty for findings of the host itself."""
        self._peer = cache(self._make_peer)
        self._others = cache(self._find_others)
        for host, computer in hosts.items():
            for name in _names_of(host, computer):
                self._names[name].append(host)
            for relation in _GROUPS:
                self._groups[relation, group_of(host, relation)].append(host.name)
        for report in reports:
            self._add(report.host.name, report, compared)

    def _add(self, name: str, report: HostReport, compared: set[str]) -> None:
        findings = PackedFindings.of(report.findings)
        for kind, identity in set(findings.columns("object_type", "object_id")):
            if kind is not ObjectType.HOST and identity:
                seen = self._seen[kind, identity.casefold()]
                if not seen or seen[-1] is not report:
                    seen.append(report)
        for finding in findings.of_checks(compared).values():
            if finding.object_type is ObjectType.HOST:
                self._findings[name, finding.check_id, ""] = finding
            elif finding.object_type is ObjectType.VM:
                self._findings[name, finding.check_id, finding.object_id.casefold()] = finding

    def seen_by_many(self, kind: ObjectType) -> Iterator[tuple[str, list[HostReport]]]:
        """Each object of a type that several hosts showed, by its folded id, with these hosts."""
        for (other, identity), seen in self._seen.items():
            if other is kind and len(seen) > 1:
                yield identity, seen

    def peers(self, across: Across, host: str, place: Place, named: Iterable[str]) -> Sequence[Peer]:
        """The hosts of an object: its own, then others in the order of the run, then names that no host has."""
        own = self._own[host]
        seen = {
            other.host.name
            for relation in across.hosts
            if relation not in _GROUPS
            for other in self._related(relation, own, place)
        }
        groups = tuple(relation for relation in across.hosts if relation in _GROUPS)
        machine = place[1].casefold() if Relation.MACHINE in across.hosts else ""
        return self._others(across.checks, host, groups, frozenset(seen), tuple(named), machine)

    def _find_others(
        self,
        checks: tuple[str, ...],
        host: str,
        groups: tuple[Relation, ...],
        seen: frozenset[str],
        named: tuple[str, ...],
        machine: str,
    ) -> Sequence[Peer]:
        """Most machines of a host share theirs."""
        own, found = self._own[host], set(seen)
        for relation in groups:
            group = group_of(own.host, relation)
            found |= set(self._groups[relation, group]) if group else {host}
        matches = {name: self.find(name, own.host) for name in named}
        found |= {match.name for match in matches.values() if match is not None}
        order = sorted(found, key=lambda name: (name != host, self._position[name]))
        return [self._peer(checks, name, name == host, machine) for name in order] + [
            _stranger(name) for name, match in matches.items() if match is None
        ]

    def find(self, name: str, near: Host) -> Host | None:
        """The host of that full or short name; where several share a short one, that of the same cluster, else none."""
        for spelling in (name.casefold(), name.partition(".")[0].casefold()):
            found = self._names.get(spelling, [])
            close = [other for other in found if near.cluster and other.cluster == near.cluster]
            for choice in (found, close):
                if len(choice) == 1:
                    return choice[0]
        return None

    def _related(self, relation: Relation, own: HostReport, place: Place) -> Iterable[HostReport]:
        kind, identity = place[0], place[1].casefold()
        if relation is Relation.GUEST:
            return self._seen[ObjectType.GUEST, identity]
        if relation is Relation.MACHINE:
            return self._seen[ObjectType.VM, identity]
        return [own, *self._seen[kind, identity]]

    def _make_peer(self, checks: tuple[str, ...], name: str, here: bool, machine: str) -> Peer:
        if name not in self._own:
            variable = _variable(name, here=here, known=True, assessed=False, findings=())
            return Peer(variable, f"{name} was left out of this run", Standing.LEFT_OUT)
        told = {
            check: self._findings.get((name, check, machine)) or self._findings.get((name, check, ""))
            for check in checks
        }
        found = [finding for finding in told.values() if finding is not None]
        missing = [check for check, finding in told.items() if finding is None]
        unseen = _unseen(self._own[name], found, missing)
        return Peer(
            _variable(name, here=here, known=True, assessed=unseen is None, findings=found), unseen, Standing.VISITED
        )


def _stranger(name: str) -> Peer:
    variable = _variable(name, here=False, known=False, assessed=False, findings=())
    return Peer(variable, f"{name} is not in the inventory", Standing.UNKNOWN)


def _variable(name: str, *, here: bool, known: bool, assessed: bool, findings: Sequence[Finding]) -> dict[str, JSON]:
    return {
        "name": name,
        "here": here,
        "known": known,
        "assessed": assessed,
        "findings": [
            {
                "check": finding.check_id,
                "title": finding.check_title,
                "status": finding.status.value,
                "observed": finding.observed,
                "expected": finding.expected,
            }
            for finding in findings
            if finding.status not in _UNSEEN
        ],
    }


def _unseen(report: HostReport, findings: Sequence[Finding], missing: Sequence[str]) -> str | None:
    name = report.host.name
    if report.trouble is not None and not findings:
        return f"{name}: {report.trouble.message}"
    if findings and all(finding.reason is Reason.ROLE_MISMATCH for finding in findings):
        return f"{name}: {findings[0].message}"
    for finding in findings:
        if finding.status in _UNSEEN:
            return f"{name}: {finding.check_id} could not be judged ({finding.reason}: {finding.message})"
    return f"{name}: {', '.join(missing)} was not judged" if missing else None


def group_of(host: Host, relation: Relation) -> str:
    """The name of the group of hosts that a relation puts a host into; "" for none."""
    fields: Mapping[Relation, str] = {Relation.CLUSTER: host.cluster, Relation.VMM_SERVER: host.vmm_server}
    return fields.get(relation, "")


def _names_of(host: Host, computer: str) -> set[str]:
    """How others may call a host: as the inventory does, and as it calls itself, in full and in short."""
    return {name.casefold() for name in (host.name, host.name.partition(".")[0], host.address, computer) if name}
