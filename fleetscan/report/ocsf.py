"""OCSF for security data lakes: an array of Compliance Findings (class 2003), one for each finding."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import Severity
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.json_text import dump, separated

SCHEMA_VERSION = "1.5.0"
_SEVERITY = {
    Severity.INFO: (1, "Informational"),
    Severity.LOW: (2, "Low"),
    Severity.MEDIUM: (3, "Medium"),
    Severity.HIGH: (4, "High"),
    Severity.CRITICAL: (5, "Critical"),
}
_COMPLIANCE = {
    Status.PASS: (1, "Pass"),
    Status.WARN: (2, "Warning"),
    Status.FAIL: (3, "Fail"),
    Status.ERROR: (0, "Unknown"),
    Status.NOT_ASSESSED: (0, "Unknown"),
    Status.NOT_APPLICABLE: (99, "Other"),
}
_SETTLED = (Status.PASS, Status.NOT_APPLICABLE)


def render(report: RunReport) -> Iterator[str]:
    """The findings in their order, a line each. Our own status is in `unmapped`; a waived one is Suppressed."""
    yield "[\n"
    yield from separated(dump(_event(report, visited, finding)) for visited, finding in report.findings())
    yield "\n]\n"


def _event(report: RunReport, visited: HostReport, finding: Finding) -> dict[str, object]:
    severity_id, severity = _SEVERITY[finding.severity]
    status_id, status = _state(finding)
    looked = _milliseconds(visited.ended_at or visited.started_at or report.ended_at)
    event: dict[str, object] = {
        "activity_id": 1,
        "activity_name": "Create",
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": 2003,
        "class_name": "Compliance Finding",
        "type_uid": 200301,
        "type_name": "Compliance Finding: Create",
        "time": looked,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": status_id,
        "status": status,
        "status_code": finding.reason.value if finding.reason else "",
        "message": finding.message,
        "metadata": _metadata(report, finding),
        "finding_info": {
            "uid": finding.key,
            "title": finding.check_title,
            "desc": finding.why or finding.check_title,
            "last_seen_time": looked,
        },
        "compliance": {
            "control": finding.check_id,
            "requirements": list(finding.article),
            "standards": [report.playbook_title],
            "status_id": _COMPLIANCE[finding.status][0],
            "status": _COMPLIANCE[finding.status][1],
        },
        "resources": _resources(visited, finding),
        "unmapped": _unmapped(visited, finding),
    }
    if finding.waiver:
        event["status_detail"] = f"waived until {finding.waiver.expires.isoformat()}: {finding.waiver.reason}"
    if finding.remedy:
        event["remediation"] = {"desc": finding.remedy, "references": [finding.reference] if finding.reference else []}
    return event


def _state(finding: Finding) -> tuple[int, str]:
    if finding.waiver:
        return 3, "Suppressed"
    return (4, "Resolved") if finding.status in _SETTLED else (1, "New")


def _metadata(report: RunReport, finding: Finding) -> dict[str, object]:
    return {
        "version": SCHEMA_VERSION,
        "event_code": finding.check_id,
        "correlation_uid": report.run_id,
        "uid": f"{report.run_id}-{finding.key}",
        "product": {"name": "fleetscan", "vendor_name": "fleetscan", "version": report.tool_version},
    }


def _resources(visited: HostReport, finding: Finding) -> list[dict[str, object]]:
    host = visited.host
    resources: list[dict[str, object]] = [
        {"uid": host.name, "name": host.name, "type": "host", "labels": [*host.roles, *host.groups]}
    ]
    if finding.object_id and finding.object_id != host.name:
        kind = finding.object_type.value
        resources.append({"uid": finding.object_id, "name": finding.object_name or finding.object_id, "type": kind})
    return resources


def _unmapped(visited: HostReport, finding: Finding) -> dict[str, object]:
    waiver = finding.waiver
    return {
        "status": finding.status.value,
        "host": visited.host.name,
        "zone": visited.host.zone,
        "object_type": finding.object_type.value,
        "expected": finding.expected,
        "observed": finding.observed,
        "evidence_ref": finding.evidence_ref,
        "waived": waiver is not None,
        "waiver": {"id": waiver.id, "owner": waiver.owner, "ticket": waiver.ticket} if waiver else None,
    }


def _milliseconds(moment: datetime) -> int:
    return round(moment.timestamp() * 1000)
