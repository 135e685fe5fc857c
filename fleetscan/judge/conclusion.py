"""What only the whole run can tell: machines that moved from host to host, and checks that look across hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from fleetscan.judge.fleet import Fleet
from fleetscan.judge.judge import judge, judge_across
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, PackedFindings, Status, tally
from fleetscan.model.host import Host
from fleetscan.model.playbook import ObjectType, Playbook
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport

_NEVER = datetime.min.replace(tzinfo=UTC)


def conclude(
    playbook: Playbook, reports: Sequence[HostReport], left_out: Sequence[Host] = ()
) -> tuple[HostReport, ...]:
    """The reports of all hosts of a run, with the findings that need more than one of them.

    `left_out` are hosts that are known and are not part of the run on purpose.
    Done again with more or newer reports, it comes to what these say: nothing of an earlier conclusion stays.
    """
    fresh = tuple(_afresh(playbook, report).packed() for report in reports)
    fleet = Fleet(playbook, fresh, left_out)
    left = _left(fleet)
    merged = tuple(_without(report, left[report.host.name]) if report.host.name in left else report for report in fresh)
    if not any(check.across for check in playbook.checks):
        return merged
    return tuple(judge_across(report, playbook, fleet) for report in merged)


def moved(report: HostReport) -> list[Finding]:
    """The findings of machines that were seen on another host later."""
    if all(outcome.reason is not Reason.OBJECT_MOVED for outcome in tally(report.findings)):
        return []
    findings = PackedFindings.of(report.findings)
    reasons = findings.columns("reason", "status")
    return list(findings.at(at for at, (reason, _) in enumerate(reasons) if reason is Reason.OBJECT_MOVED).values())


def _afresh(playbook: Playbook, report: HostReport) -> HostReport:
    """The report without what an earlier conclusion took out of it."""
    if not moved(report):
        return report
    return report.told(judge(report.host, report.facts, playbook, report.trouble))


def _left(fleet: Fleet) -> dict[str, dict[str, str]]:
    """Host → machines that it showed as its own, as a host did that was visited later → the name of that one."""
    left: defaultdict[str, dict[str, str]] = defaultdict(dict)
    copies: dict[str, set[str]] = {}
    for vm_id, seen in fleet.seen_by_many(ObjectType.VM):
        for report in seen:
            if report.host.name not in copies:
                copies[report.host.name] = _copies(report.facts)
        owners = [report for report in seen if vm_id not in copies[report.host.name]]
        last = max(owners, key=lambda report: report.ended_at or _NEVER).host.name if owners else ""
        for owner in owners:
            if owner.host.name != last:
                left[owner.host.name][vm_id] = last
    return left


def _copies(facts: HostFacts) -> set[str]:
    """The machines that run elsewhere, and of which the host holds a copy, which has the same id."""
    found: set[str] = set()
    for answer in facts.answers.values():
        entries = answer.data.get("vms") if answer.data is not None else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and entry.get("replica"):
                found.add(str(entry.get("id", "")).casefold())
    return found


def _without(report: HostReport, moved: dict[str, str]) -> HostReport:
    def told(finding: Finding) -> Finding:
        later = moved.get(finding.object_id.casefold()) if finding.object_type is ObjectType.VM else None
        if later is None:
            return finding
        return replace(
            finding,
            status=Status.NOT_APPLICABLE,
            reason=Reason.OBJECT_MOVED,
            message=f"it moved during the run: {later} showed it later, and it is judged there",
            expected="",
            observed="",
            remedy="",
        )

    return report.told([told(finding) for finding in report.findings])
