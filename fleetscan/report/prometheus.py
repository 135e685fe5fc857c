"""Metrics for the textfile collector of Prometheus' node exporter. No label has more values than hosts or checks."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from fleetscan.model.finding import Status
from fleetscan.model.run import RunReport
from fleetscan.model.text import one_line
from fleetscan.report.options import DEFAULTS, ReportOptions

Labels = tuple[tuple[str, str], ...]
Samples = Mapping[Labels, float]


@dataclass(frozen=True, slots=True)
class Metric:
    """A gauge: its name, its labels, and what it says."""

    name: str
    labels: tuple[str, ...]
    help: str


METRICS = (
    Metric("fleetscan_info", ("version", "playbook", "playbook_version"), "Always 1: what made the run."),
    Metric("fleetscan_run_start_timestamp_seconds", (), "When the last run began."),
    Metric("fleetscan_run_end_timestamp_seconds", (), "When the last run ended."),
    Metric("fleetscan_run_duration_seconds", (), "How long the last run took."),
    Metric("fleetscan_run_interrupted", (), "1 if the last run was interrupted."),
    Metric("fleetscan_run_exit_code", (), "The exit code of the last run; missing where a stored run was exported."),
    Metric("fleetscan_hosts", ("verdict",), "Hosts of the last run by verdict."),
    Metric("fleetscan_findings", ("status",), "Findings of the last run by status, waived ones included."),
    Metric("fleetscan_findings_waived", ("status",), "Findings of the last run that are waived, by status."),
    Metric("fleetscan_host_findings", ("host", "status"), "Findings of a host by status, waived ones included."),
    Metric("fleetscan_host_assessed", ("host",), "1 if the visit to the host succeeded."),
    Metric(
        "fleetscan_host_last_success_timestamp_seconds",
        ("host",),
        "When the visit to the host ended; missing for a host that was not reached in the last run.",
    ),
    Metric("fleetscan_check_failing", ("check", "severity"), "Failing findings of a check that are not waived."),
)
"""All metrics, in their order."""


def render(report: RunReport, options: ReportOptions = DEFAULTS) -> Iterator[str]:
    """The metrics of a run in the text format 0.0.4, without times of samples, which the collector refuses."""
    samples = {**_run(report, options), **_counts(report), **_hosts(report)}
    for metric in METRICS:
        yield f"# HELP {metric.name} {metric.help}\n# TYPE {metric.name} gauge\n"
        for labels, value in samples[metric.name].items():
            told = ",".join(f'{name}="{text}"' for name, text in labels)
            yield f"{metric.name}{{{told}}} {_number(value)}\n" if told else f"{metric.name} {_number(value)}\n"


def _run(report: RunReport, options: ReportOptions) -> dict[str, Samples]:
    versions = {"version": report.tool_version, "playbook": report.playbook}
    status = options.exit_status
    return {
        "fleetscan_info": {_labels(**versions, playbook_version=report.playbook_version): 1},
        "fleetscan_run_start_timestamp_seconds": {(): report.started_at.timestamp()},
        "fleetscan_run_end_timestamp_seconds": {(): report.ended_at.timestamp()},
        "fleetscan_run_duration_seconds": {(): (report.ended_at - report.started_at).total_seconds()},
        "fleetscan_run_interrupted": {(): float(report.interrupted)},
        "fleetscan_run_exit_code": {} if status is None else {(): float(status)},
    }


def _counts(report: RunReport) -> dict[str, Samples]:
    checks: Counter[Labels] = Counter()
    waived: Counter[Status] = Counter()
    for _, finding in report.findings():
        failing = finding.status is Status.FAIL and not finding.waiver
        checks[_labels(check=finding.check_id, severity=finding.severity.value)] += failing
        waived[finding.status] += finding.waiver is not None
    return {
        "fleetscan_hosts": _by_status("verdict", Counter(host.verdict for host in report.hosts), Status),
        "fleetscan_findings": _by_status("status", report.counts(), Status),
        "fleetscan_findings_waived": _by_status("status", waived, (Status.FAIL, Status.WARN)),
        "fleetscan_check_failing": checks,
    }


def _hosts(report: RunReport) -> dict[str, Samples]:
    findings: Counter[Labels] = Counter()
    assessed: dict[Labels, float] = {}
    seen: dict[Labels, float] = {}
    for visited in report.hosts:
        counts = visited.counts()
        for status in Status:
            findings[_labels(host=visited.host.name, status=status.value)] += counts[status]
        host = _labels(host=visited.host.name)
        assessed[host] = float(visited.trouble is None)
        if visited.trouble is None and visited.ended_at is not None:
            seen[host] = visited.ended_at.timestamp()
    return {
        "fleetscan_host_findings": findings,
        "fleetscan_host_assessed": assessed,
        "fleetscan_host_last_success_timestamp_seconds": seen,
    }


def _by_status(label: str, counts: Mapping[Status, int], statuses: Iterable[Status]) -> Samples:
    return {((label, status.value),): counts.get(status, 0) for status in statuses}


def _labels(**texts: str) -> Labels:
    return tuple((name, one_line(text).replace("\\", "\\\\").replace('"', '\\"')) for name, text in texts.items())


def _number(value: float) -> str:
    return str(int(value)) if value == int(value) else f"{value:.3f}"
