"""A finding as a row that stands alone: the same columns in CSV and in JSON."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fleetscan.model.finding import Finding
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report.words import utc

COLUMNS: Mapping[str, str] = {
    "run_id": "The run that made the row.",
    "finding_key": "The same for the same check on the same object of the same host in every run.",
    "assessed_at": "When the visit to the host ended, UTC, ISO 8601; the end of the run if there was no visit.",
    "host": "The host, as the inventory names it.",
    "host_role": "Its roles, joined by `;`.",
    "zone": "The zone from which it is reached.",
    "cluster": "Its cluster, empty for none.",
    "vmm_server": "The VMM server that manages it, empty for none.",
    "object_type": "What the row is about: `host`, `vm`, `guest`, `disk` or `fleet`.",
    "object_id": "The id of the object: a VM's GUID, a disk's path, the host's name; empty if they are not known.",
    "object_name": "The name of the object, for people; names are not unique.",
    "check_id": "The check, by the name of its file.",
    "check_title": "What ought to be, in one line.",
    "article": "The items of the article that the check answers, joined by `;`.",
    "severity": "How much a failure matters: `critical`, `high`, `medium`, `low` or `info`.",
    "status": "The outcome: `pass`, `warn`, `fail`, `error`, `not_applicable` or `not_assessed`.",
    "reason_code": "Why it is not a pass, from a closed list; empty for a pass.",
    "message": "What is wrong, or why it could not be found out, in a sentence.",
    "expected": "What would pass.",
    "observed": "What was found.",
    "waived": "`true` if a waiver covers the row; the status stays what it is.",
    "waiver_id": "That waiver, empty for none.",
    "waiver_expires": "Its last day, empty for none.",
    "remedy": "What to do about it.",
    "reference": "Where to read more.",
    "evidence_ref": "The answers that were judged, `probe@hash`, joined by `;`.",
    "tool_version": "The version of fleetscan.",
    "payload_sha256": "The hash of the script that ran on the host, empty if none did.",
}
"""Their names and what is in them, in their order."""

Row = dict[str, str | bool]


def rows(run: RunReport) -> Iterator[Row]:
    """Every finding of the run, in its order, with the keys of COLUMNS. What is not known is an empty text."""
    for report in run.hosts:
        row: Row = dict.fromkeys(COLUMNS, "")
        row |= of_host(run, report)
        for finding in report.findings:
            yield row | of_check(finding) | of_finding(finding)


def of_host(run: RunReport, report: HostReport) -> Row:
    """What all findings of a host have in common."""
    host = report.host
    return {
        "run_id": run.run_id,
        "assessed_at": utc(report.ended_at or report.started_at or run.ended_at),
        "host": host.name,
        "host_role": ";".join(host.roles),
        "zone": host.zone,
        "cluster": host.cluster,
        "vmm_server": host.vmm_server,
        "tool_version": run.tool_version,
        "payload_sha256": report.facts.payload_sha256,
    }


def of_check(finding: Finding) -> Row:
    """What it has in common with all findings of the same check."""
    return {
        "object_type": finding.object_type.value,
        "check_id": finding.check_id,
        "check_title": finding.check_title,
        "article": ";".join(finding.article),
        "severity": finding.severity.value,
        "reference": finding.reference,
    }


def of_finding(finding: Finding) -> Row:
    """What is its own."""
    return {
        "finding_key": finding.key,
        "object_id": finding.object_id,
        "object_name": finding.object_name,
        "status": finding.status.value,
        "reason_code": finding.reason.value if finding.reason else "",
        "message": finding.message,
        "expected": finding.expected,
        "observed": finding.observed,
        "waived": finding.waiver is not None,
        "waiver_id": finding.waiver.id if finding.waiver else "",
        "waiver_expires": finding.waiver.expires.isoformat() if finding.waiver else "",
        "remedy": finding.remedy,
        "evidence_ref": finding.evidence_ref,
    }
