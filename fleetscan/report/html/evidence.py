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

_Piece = tuple[str, str, str]
"""Probe, id of the object or empty, text."""


def evidence(report: RunReport, table: FindingTable) -> list[list[list[int]]]:
    """For each host, pieces of (probe, id of the object or 0, text), as places of texts.

    A reader finds a piece by probe and object, or by probe alone. What is beyond the budget is left out.
    """
    strings = table.strings
    wanted: dict[Status, list[tuple[int, _Piece]]] = {status: [] for status in _SHOWN}
    for number, host in enumerate(report.hosts):
        for status, piece in _of_host(host):
            wanted[status].append((number, piece))
    pieces: list[dict[tuple[int, int], int]] = [{} for _ in report.hosts]
    left = BUDGET
    for status in _SHOWN:
        for number, (probe, identity, text) in wanted[status]:
            left -= len(text)
            if left > 0:
                pieces[number].setdefault((strings.add(probe), strings.add(identity)), strings.add(text))
    return [[[*key, text] for key, text in found.items()] for found in pieces]


def _of_host(host: HostReport) -> Iterator[tuple[Status, _Piece]]:
    """Each piece once, for the first finding that asks for it."""
    told = [finding for finding in host.findings if finding.status in _SHOWN and finding.evidence_ref]
    data = {name: _plain(host, name) for name in {probe for finding in told for probe in _probes(finding)}}
    seen: set[tuple[str, str]] = set()
    for finding in sorted(told, key=lambda finding: _SHOWN.index(finding.status)):
        for probe in _probes(finding):
            answer = data[probe]
            about = _entry(answer, finding.object_id)
            key = probe, finding.object_id if about is not None else ""
            if answer is not None and key not in seen:
                seen.add(key)
                yield finding.status, (*key, _shortened(answer if about is None else about))


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
