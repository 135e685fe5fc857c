"""A finding as a row that stands alone: the same columns in CSV and in JSON."""

from __future__ import annotations

from collections.abc import Iterator

from fleetscan.model.finding import Finding
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.words import utc

COLUMNS = (
    "run_id",
    "finding_key",
    "assessed_at",
    "host",
    "host_role",
    "zone",
    "cluster",
    "vmm_server",
    "object_type",
    "object_id",
    "object_name",
    "check_id",
    "check_title",
    "article",
    "severity",
    "status",
    "reason_code",
    "message",
    "expected",
    "observed",
    "waived",
    "waiver_id",
    "waiver_expires",
    "remedy",
    "reference",
    "evidence_ref",
    "tool_version",
    "payload_sha256",
)

Row = dict[str, str | bool]


def rows(run: RunReport) -> Iterator[Row]:
    """Every finding of the run, in its order, with the keys of COLUMNS. What is not known is an empty text."""
    return (_row(run, report, finding) for report, finding in run.findings())


def _row(run: RunReport, report: HostReport, finding: Finding) -> Row:
    host = report.host
    return {
        "run_id": run.run_id,
        "finding_key": finding.key,
        "assessed_at": utc(report.ended_at or report.started_at or run.ended_at),
        "host": host.name,
        "host_role": ";".join(host.roles),
        "zone": host.zone,
        "cluster": host.cluster,
        "vmm_server": host.vmm_server,
        "object_type": finding.object_type.value,
        "object_id": finding.object_id,
        "object_name": finding.object_name,
        "check_id": finding.check_id,
        "check_title": finding.check_title,
        "article": ";".join(finding.article),
        "severity": finding.severity.value,
        "status": finding.status.value,
        "reason_code": finding.reason.value if finding.reason else "",
        "message": finding.message,
        "expected": finding.expected,
        "observed": finding.observed,
        "waived": finding.waiver is not None,
        "waiver_id": finding.waiver.id if finding.waiver else "",
        "waiver_expires": finding.waiver.expires.isoformat() if finding.waiver else "",
        "remedy": finding.remedy,
        "reference": finding.reference,
        "evidence_ref": finding.evidence_ref,
        "tool_version": run.tool_version,
        "payload_sha256": report.facts.payload_sha256,
    }
