"""Every finding of a run, in columns: what is equal is told once, so that half a million of them are a small file."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from fleetscan.model.finding import SYMPTOMATIC, Finding, Status
from fleetscan.model.history import Change, ChangeKind
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.html.strings import Strings, names
from fleetscan.report.words import utc

STATUSES = (Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.WARN, Status.PASS, Status.NOT_APPLICABLE)
"""The most urgent first: the order of a host's verdict. Columns hold places in this list."""

CHANGES = ("", *(kind.value for kind in ChangeKind))
"""How a finding stands to the earlier run; columns hold places in this list."""

KIND_COLUMNS = (
    *("check", "status", "reason", "message", "expected", "observed"),
    *("remedy", "action", "evidence", "waiver", "change", "since"),
)

_Identity = tuple[str, str, str, str]


@dataclass(slots=True)
class HostRows:
    """The findings of one host: runs of (kind, first object, number of objects in a row that share it)."""

    objects: list[tuple[int, int]] = field(default_factory=list)
    """Name and id of each object, as places of texts."""
    runs: list[list[int]] = field(default_factory=list)
    digests: dict[str, str] = field(default_factory=dict)
    """Probe → the hash of the answer that was judged."""
    keys: list[int | str] = field(default_factory=list)
    """For each failure and warning its place among the findings, and the key by which tickets know it."""


class FindingTable:
    """Kinds of findings, and for each host which kind is said of which object."""

    def __init__(self, report: RunReport, strings: Strings) -> None:
        self.strings = strings
        self.checks: dict[tuple[object, ...], int] = {}
        self.kinds: dict[tuple[int, ...], int] = {}
        self.waivers: dict[tuple[int, ...], int] = {(): 0}
        self._changes = _changes(report)
        self.hosts = [self._rows(host) for host in report.hosts]

    def document(self) -> dict[str, object]:
        """The table as JSON will hold it. Texts are places in the table of strings."""
        checks = [[self.strings.add(str(part)) for part in key] for key in self.checks]
        return {
            "statuses": [status.value for status in STATUSES],
            "changes": list(CHANGES),
            "checks": checks,
            "waivers": [list(waiver) for waiver in self.waivers],
            "kinds": dict(zip(KIND_COLUMNS, map(list, zip(*self.kinds, strict=True)), strict=True))
            if self.kinds
            else {name: [] for name in KIND_COLUMNS},
            "objects": [[part for pair in rows.objects for part in pair] for rows in self.hosts],
            "keys": [rows.keys for rows in self.hosts],
            "runs": [[number for run in rows.runs for number in run] for rows in self.hosts],
        }

    def statuses(self) -> list[int]:
        """The status of each kind, as a place in STATUSES."""
        return [kind[1] for kind in self.kinds]

    def articles(self) -> list[tuple[str, ...]]:
        """The sections of the article that each kind belongs to: `RP` for RP-1 and RP-3."""
        by_check = [_sections(self.strings.clean(str(key[2]))) for key in self.checks]
        return [by_check[kind[0]] for kind in self.kinds]

    def _rows(self, report: HostReport) -> HostRows:
        rows = HostRows()
        places: dict[tuple[int, int], int] = {}
        host = self.strings.clean(report.host.name)
        for number, finding in enumerate(report.findings):
            if finding.status in SYMPTOMATIC:
                rows.keys += [number, finding.key]
            name, identity = self.strings.clean(finding.object_name), self.strings.clean(finding.object_id)
            key = self.strings.add(name), self.strings.add(identity)
            place = places.get(key)
            if place is None:
                place = places[key] = len(rows.objects)
                rows.objects.append(key)
            kind = self._kind(finding, names(host, name, identity), rows.digests)
            last = rows.runs[-1] if rows.runs else None
            if last and last[0] == kind and last[1] + last[2] == place:
                last[2] += 1
            else:
                rows.runs.append([kind, place, 1])
        return rows

    def _kind(self, finding: Finding, stand_ins: tuple[tuple[str, str], ...], digests: dict[str, str]) -> int:
        neutral, add = self.strings.add_neutral, self.strings.add
        change, since = self._change(finding)
        kind = (
            self._check(finding),
            STATUSES.index(finding.status),
            add(finding.reason.value if finding.reason else ""),
            neutral(finding.message, stand_ins),
            neutral(finding.expected, stand_ins),
            neutral(finding.observed, stand_ins),
            neutral(finding.remedy, stand_ins),
            add(finding.action),
            add(_probes(finding.evidence_ref, digests)),
            self._waiver(finding),
            CHANGES.index(change),
            add(utc(since)),
        )
        return self.kinds.setdefault(kind, len(self.kinds))

    def _check(self, finding: Finding) -> int:
        key = (
            finding.check_id,
            finding.check_title,
            ";".join(finding.article),
            finding.severity.value,
            finding.object_type.value,
            finding.reference,
            finding.why,
        )
        return self.checks.setdefault(key, len(self.checks))

    def _waiver(self, finding: Finding) -> int:
        waiver = finding.waiver
        if waiver is None:
            return 0
        texts = (waiver.id, waiver.owner, waiver.ticket, waiver.reason, waiver.expires.isoformat())
        return self.waivers.setdefault(tuple(map(self.strings.add, texts)), len(self.waivers))

    def _change(self, finding: Finding) -> tuple[str, datetime | None]:
        change = self._changes.get(_identity(finding)) if self._changes else None
        return (change.kind.value, change.open_since) if change else ("", None)


def _identity(finding: Finding) -> _Identity:
    return finding.host.casefold(), finding.check_id, finding.object_type.value, finding.object_id.casefold()


def _changes(report: RunReport) -> Mapping[_Identity, Change]:
    if report.history is None:
        return {}
    return {_identity(change.after): change for change in report.history.changes if change.after is not None}


def _probes(evidence_ref: str, digests: dict[str, str]) -> str:
    """The names of the probes; their hashes, which differ from host to host, go into `digests`."""
    found = []
    for part in filter(None, evidence_ref.split(";")):
        probe, _, digest = part.partition("@")
        digests[probe] = digest
        found.append(probe)
    return ";".join(found)


def _sections(article: str) -> tuple[str, ...]:
    return tuple(dict.fromkeys(item.partition("-")[0] for item in article.split(";") if item))
