"""HDF (the results of InSpec, as Heimdall reads them): a profile for each host, a control for each of its checks."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import Severity
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.json_text import dump, separated
from fleetscan.report.words import utc

_IMPACT = {Severity.CRITICAL: 0.9, Severity.HIGH: 0.7, Severity.MEDIUM: 0.5, Severity.LOW: 0.3, Severity.INFO: 0.1}
_RESULT = {
    Status.PASS: "passed",
    Status.WARN: "passed",
    Status.FAIL: "failed",
    Status.NOT_APPLICABLE: "skipped",
}


def render(report: RunReport) -> Iterator[str]:
    """The run. Hosts are profiles, so that a host that was not reached shows as one that was not reviewed."""
    seconds = (report.ended_at - report.started_at).total_seconds()
    yield f'{{"platform": {dump({"name": "fleetscan", "release": report.tool_version})},\n'
    yield f'"version": {dump(report.tool_version)},\n"statistics": {dump({"duration": seconds})},\n"profiles": [\n'
    yield from separated(_profile(report, visited) for visited in report.hosts)
    yield "\n]}\n"


def _profile(report: RunReport, visited: HostReport) -> str:
    groups: dict[str, list[Finding]] = {}
    for finding in visited.findings:
        groups.setdefault(finding.check_id, []).append(finding)
    trouble = visited.trouble
    when = utc(visited.ended_at or visited.started_at or report.ended_at)
    profile = {
        "name": visited.host.name,
        "title": f"{report.playbook_title} on {visited.host.name}",
        "version": report.playbook_version,
        "summary": f"{trouble.reason.value}: {trouble.message}" if trouble else f"run {report.run_id}",
        "status": "loaded",
        "sha256": visited.facts.payload_sha256,
        "supports": [],
        "attributes": [],
        "groups": [],
        "controls": [_control(findings, when) for findings in groups.values()],
    }
    return dump(profile)


def _control(findings: Sequence[Finding], when: str) -> dict[str, object]:
    first = findings[0]
    statuses = {finding.status for finding in findings}
    failing = [finding for finding in findings if finding.status is Status.FAIL]
    control: dict[str, object] = {
        "id": f"{first.host}/{first.check_id}",
        "title": first.check_title,
        "desc": first.why or first.check_title,
        "descriptions": [{"label": "fix", "data": text} for text in dict.fromkeys(f.remedy for f in findings) if text],
        "impact": 0.0 if statuses == {Status.NOT_APPLICABLE} else _IMPACT[first.severity],
        "refs": [{"url": first.reference}] if first.reference else [],
        "tags": {"check": first.check_id, "severity": first.severity.value, "article": list(first.article)},
        "code": "",
        "source_location": {"ref": first.check_id, "line": 0},
        "results": [_result(finding, when, _undecided(findings, finding)) for finding in findings],
    }
    if failing and all(finding.waiver for finding in failing):
        control["waiver_data"] = _waiver(failing)
    return control


def _undecided(findings: Sequence[Finding], finding: Finding) -> str:
    """What to call an object that is not known: Heimdall sees an error first, then a failure, a pass, what is skipped.

    It must not hide behind another object that passes, and must not hide one that fails.
    """
    if any(other.status is Status.FAIL and not other.waiver for other in findings):
        return "skipped"
    passes = any(other.status in (Status.PASS, Status.WARN) for other in findings)
    return "error" if passes or finding.status is Status.ERROR else "skipped"


def _result(finding: Finding, when: str, undecided: str) -> dict[str, object]:
    status = _RESULT.get(finding.status, undecided)
    reason = f"{finding.reason.value}: " if finding.reason else ""
    waiver = finding.waiver
    waived = f"waived until {waiver.expires.isoformat()} by {waiver.owner} ({waiver.ticket}). " if waiver else ""
    found = f" Found: {finding.observed}. Expected: {finding.expected}." if finding.observed else ""
    message = f"{waived}{reason}{finding.message}{found}"
    thing = finding.object_name or finding.object_id
    return {
        "status": status,
        "code_desc": f"{finding.status.value}: {finding.object_type.value} {thing}".rstrip(),
        "run_time": 0,
        "start_time": when,
        "skip_message" if status == "skipped" else "message": message.strip(),
        "resource": finding.key,
    }


def _waiver(failing: Sequence[Finding]) -> dict[str, object]:
    waivers = {waiver.id: waiver for finding in failing if (waiver := finding.waiver)}.values()
    return {
        "run": True,
        "skipped_due_to_waiver": True,
        "expiration_date": min(waiver.expires for waiver in waivers).isoformat(),
        "justification": "; ".join(f"{waiver.reason} ({waiver.owner}, {waiver.ticket})" for waiver in waivers),
        "message": "",
    }
