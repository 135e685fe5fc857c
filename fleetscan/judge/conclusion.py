"""What only the whole run can tell: machines that moved from host to host, and checks that look across hosts."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime

from fleetscan.judge.fleet import Fleet
from fleetscan.judge.judge import judge, judge_across
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import ObjectType, Playbook
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport

_NEVER = datetime.min.replace(tzinfo=UTC)


def conclude(playbook: Playbook, reports: Sequence[HostReport]) -> tuple[HostReport, ...]:
    """The reports of all hosts of a run, with the findings that need more than one of them.

    Done again with more or newer reports, it comes to what these say: nothing of an earlier conclusion stays.
    """
    fresh = tuple(_afresh(playbook, report) for report in reports)
    merged = _merged(fresh)
    if not any(check.across for check in playbook.checks):
        return merged
    fleet = Fleet(playbook, merged)
    return tuple(judge_across(report, playbook, fleet).packed() for report in merged)


def _afresh(playbook: Playbook, report: HostReport) -> HostReport:
    """The report without what an earlier conclusion took out of it."""
    if not any(finding.reason is Reason.OBJECT_MOVED for finding in report.findings):
        return report
    return report.told(judge(report.host, report.facts, playbook, report.trouble))


def _merged(reports: tuple[HostReport, ...]) -> tuple[HostReport, ...]:
    """One set of findings for each machine: where two hosts showed it as theirs, that of the later visit."""
    places: defaultdict[str, list[HostReport]] = defaultdict(list)
    for report in reports:
        for vm_id in {f.object_id.casefold() for f in report.findings if f.object_type is ObjectType.VM}:
            places[vm_id].append(report)
    left: defaultdict[str, dict[str, str]] = defaultdict(dict)
    for vm_id, seen in places.items():
        owners = [] if len(seen) == 1 or not vm_id else [report for report in seen if not _replica(report.facts, vm_id)]
        if len(owners) > 1:
            last = max(owners, key=lambda report: report.ended_at or _NEVER).host.name
            for owner in owners:
                if owner.host.name != last:
                    left[owner.host.name][vm_id] = last
    return tuple(_without(report, left[report.host.name]) if report.host.name in left else report for report in reports)


def _replica(facts: HostFacts, vm_id: str) -> bool:
    """Whether the host holds a copy of a machine that runs elsewhere, which has the same id."""
    for answer in facts.answers.values():
        entries = answer.data.get("vms") if answer.data is not None else None
        for entry in entries if isinstance(entries, list) else ():
            if isinstance(entry, dict) and str(entry.get("id", "")).casefold() == vm_id and entry.get("replica"):
                return True
    return False


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
