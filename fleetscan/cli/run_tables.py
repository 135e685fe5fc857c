"""Runs and their changes as rows for people and as values for programs."""

from __future__ import annotations

from typing import Any

from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import Change, History
from fleetscan.model.run import RunSummary
from fleetscan.report.words import utc

HEADERS = ("run", "began (UTC)", "state", "playbook", "hosts", "failing", "not assessed", "fail", "warn")
ALIGNMENT = ("left", "left", "left", "left", "right", "right", "right", "right", "right")


def row(run: RunSummary) -> list[str]:
    """A line of the list, as HEADERS name it."""
    hosts = f"{run.hosts:,}" if run.done == run.hosts else f"{run.done:,} of {run.hosts:,}"
    return [
        run.run_id,
        f"{run.started_at:%Y-%m-%d %H:%M}",
        run.state.value,
        f"{run.playbook} {run.playbook_version}",
        hosts,
        f"{run.failing_hosts:,}",
        f"{run.unassessed_hosts:,}",
        f"{run.counts[Status.FAIL]:,}",
        f"{run.counts[Status.WARN]:,}",
    ]


def summary(run: RunSummary) -> dict[str, Any]:
    """A run for programs."""
    return {
        "run_id": run.run_id,
        "playbook": run.playbook,
        "playbook_version": run.playbook_version,
        "started_at": utc(run.started_at),
        "ended_at": utc(run.ended_at) or None,
        "state": run.state.value,
        "hosts": run.hosts,
        "hosts_done": run.done,
        "hosts_failing": run.failing_hosts,
        "hosts_not_assessed": run.unassessed_hosts,
        "finding_counts": {status.value: run.counts[status] for status in Status},
        "has_facts": run.has_facts,
        "fail_on": run.fail_on.value,
        "tool_version": run.tool_version,
        "command": run.command,
    }


def history(found: History, later: str) -> dict[str, Any]:
    """What changed between two runs, for programs."""
    return {
        "earlier": found.previous_run,
        "earlier_started_at": utc(found.previous_started_at),
        "later": later,
        "changes": [_change(change) for change in found.changes],
        "moves": [
            {"vm_id": move.vm_id, "vm_name": move.vm_name, "before": list(move.before), "after": list(move.after)}
            for move in found.moves
        ],
    }


def _change(change: Change) -> dict[str, Any]:
    told = change.after or change.before
    assert told is not None  # noqa: S101 - a change is made of at least one
    return {
        "kind": change.kind.value,
        "finding_key": told.key,
        "host": told.host,
        "check_id": told.check_id,
        "severity": told.severity.value,
        "object_type": told.object_type.value,
        "object_id": told.object_id,
        "object_name": told.object_name,
        "open_since": utc(change.open_since) or None,
        "before": _finding(change.before),
        "after": _finding(change.after),
    }


def _finding(finding: Finding | None) -> dict[str, Any] | None:
    if finding is None:
        return None
    return {
        "status": finding.status.value,
        "reason_code": finding.reason.value if finding.reason else "",
        "observed": finding.observed,
        "waived": finding.waiver is not None,
    }
