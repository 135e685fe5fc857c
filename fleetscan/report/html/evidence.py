"""What a host answered, cut to the object that a finding is about: enough to believe a verdict."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping

from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import JSON
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.html.findings import FindingTable
from fleetscan.report.html.machines import entries

LONGEST = 2_000
"""Characters of one piece of evidence."""
BUDGET = 8_000_000
"""Characters of all evidence in a report; the gravest findings come first."""

_SHOWN = (Status.FAIL, Status.ERROR, Status.WARN)


def evidence(report: RunReport, table: FindingTable) -> list[list[list[int]]]:
    """For each host, pieces of (probe, name of the object or 0, id of the object or 0, text), as places of texts.

    A reader finds a piece by probe and object, or by probe alone. What is beyond the budget is left out.
    """
    pieces: list[list[list[int]]] = [[] for _ in report.hosts]
    left = BUDGET
    for status in _SHOWN:
        for number, host in enumerate(report.hosts):
            seen = {tuple(piece[:2]) for piece in pieces[number]}
            for piece in _of_host(host, status, table):
                if tuple(piece[:2]) not in seen and left > 0:
                    seen.add(tuple(piece[:2]))
                    left -= len(table.strings.table[piece[2]])
                    pieces[number].append(piece)
    return pieces


def _of_host(host: HostReport, status: Status, table: FindingTable) -> Iterator[list[int]]:
    told = [finding for finding in host.findings if finding.status is status and finding.evidence_ref]
    data = {name: _plain(host, name) for name in {p for f in told for p in _probes(f)}} if told else {}
    for finding in told:
        for probe in _probes(finding):
            about = _entry(data[probe], finding.object_id)
            if data[probe] is None:
                continue
            text = table.strings.add(_shortened(data[probe] if about is None else about))
            identity = table.strings.add(finding.object_id) if about is not None else 0
            yield [table.strings.add(probe), identity, text]


def _plain(host: HostReport, probe: str) -> dict[str, JSON] | None:
    answer = host.facts.answers.get(probe)
    return None if answer is None or answer.data is None else dict(answer.data)


def _probes(finding: Finding) -> list[str]:
    return [part.partition("@")[0] for part in finding.evidence_ref.split(";")]


def _entry(data: Mapping[str, JSON] | None, identity: str) -> JSON:
    """What the answer says of the object; None where it is no list of objects, or does not name this one."""
    for name in ("vms", "disks"):
        for entry in entries(data, name):
            if str(entry.get("id", "")).casefold() == identity.casefold():
                return entry
    return None


def _shortened(value: JSON) -> str:
    text = json.dumps(value, indent=1, ensure_ascii=False, default=dict)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"
