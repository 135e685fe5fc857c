"""What can be told of a ticket: one text for each name."""

from __future__ import annotations

import shlex
from collections.abc import Callable, Mapping, Sequence
from datetime import datetime, timedelta
from operator import attrgetter
from typing import TYPE_CHECKING

from fleetscan.model.finding import Finding
from fleetscan.model.playbook import Severity
from fleetscan.model.run import RunReport
from fleetscan.report.digest import neutral
from fleetscan.report.tickets.ticket import State, Ticket
from fleetscan.report.words import utc

if TYPE_CHECKING:
    from fleetscan.report.tickets.columns import TicketColumns

WORDINGS = 5
"""Different texts for the objects of one ticket; the others are counted."""

FIELDS: Mapping[str, str] = {
    "ticket_key": "The same for the same check on the same host in every run: what a ticket is found again by.",
    "state": "What to do with the ticket: `new`, `open`, `resolved`, `waived`, or none: `not_assessed`.",
    "priority": "From the severity: 1 for critical, 2 high, 3 medium, 4 low, 5 info.",
    "severity": "How much the failure matters: `critical`, `high`, `medium`, `low` or `info`.",
    "due_date": "Until when, from the severity, counted from the day on which it was first seen; empty for none.",
    "planned_window": "Empty: when it is to be done, for the change manager to fill in.",
    "owner": "Empty: who does it, for the change manager to fill in; of a waived row, who has answered for it.",
    "host": "The host, as the inventory names it.",
    "host_role": "Its roles, joined by `;`.",
    "zone": "The zone from which it is reached.",
    "cluster": "Its cluster, empty for none.",
    "vmm_server": "The VMM server that manages it, empty for none.",
    "check_id": "The check, by the name of its file; empty in a row for what is not assessed.",
    "check_title": "What ought to be, in one line.",
    "object_type": "What is affected: `host`, `vm`, `guest`, `disk` or `fleet`.",
    "object_count": "How many objects are affected.",
    "affected_objects": "Their names with their ids in brackets, joined by `;`; for `not_assessed` the checks.",
    "observed": "What was found, with the objects of which it was found where they differ.",
    "expected": "What would pass.",
    "message": "What is wrong, in a sentence.",
    "why": "Why it matters.",
    "remedy": "What to do about it.",
    "suggested_action": "The action of fleetscan that would do it, empty for none.",
    "verify_command": "The command that looks again: it is done when this ends with exit code 0.",
    "reference": "Where to read more.",
    "article": "The items of the article that the check answers, joined by `;`.",
    "first_seen": "When it was first seen to fail, UTC, ISO 8601; empty for what is no ticket.",
    "assessed_at": "When the visit to the host ended, UTC, ISO 8601; the end of the run if there was no visit.",
    "waived_count": "How many more failing objects are left out of the row, since they are waived.",
    "waiver_id": "The waiver of a waived row, empty for none.",
    "waiver_ticket": "Where that waiver was agreed on.",
    "waiver_expires": "Its last day.",
    "run_id": "The run that made the row.",
}


def fields(ticket: Ticket, run: RunReport, columns: TicketColumns, command: str) -> dict[str, str]:
    """A text for each name of FIELDS. `command` is the scan without hosts and checks, empty where that is unknown."""
    host = ticket.report.host
    gap = ticket.state is State.NOT_ASSESSED
    severity = min((finding.severity for finding in ticket.about), key=lambda s: s.rank, default=Severity.INFO)
    return dict.fromkeys(FIELDS, "") | {
        "ticket_key": ticket.key,
        "state": ticket.state.value,
        "priority": str(severity.rank + 1),
        "severity": severity.value,
        "due_date": "" if gap else _due(ticket, severity, columns.due_days),
        "host": host.name,
        "host_role": ";".join(host.roles),
        "zone": host.zone,
        "cluster": host.cluster,
        "vmm_server": host.vmm_server,
        "first_seen": utc(ticket.first_seen),
        "assessed_at": utc(ticket.report.ended_at or ticket.report.started_at or run.ended_at),
        "run_id": run.run_id,
        **(_gap(ticket) if gap else _failure(ticket)),
        "verify_command": _command(ticket, command),
    }


def _failure(ticket: Ticket) -> dict[str, str]:
    told = ticket.about
    first = told[0]
    waiver = first.waiver if ticket.state is State.WAIVED else None
    unseen = f"\nCould not be looked at this time: {_names(ticket.unseen)}" if ticket.unseen else ""
    return {
        "owner": waiver.owner if waiver else "",
        "check_id": first.check_id,
        "check_title": first.check_title,
        "object_type": first.object_type.value,
        "object_count": str(len(told)),
        "affected_objects": "; ".join(dict.fromkeys(_name(finding) for finding in told)),
        "observed": _found(ticket.findings) + unseen,
        "expected": _likewise(ticket, told, "expected"),
        "message": _likewise(ticket, told, "message"),
        "why": first.why,
        "remedy": _likewise(ticket, told, "remedy"),
        "suggested_action": first.action,
        "reference": first.reference,
        "article": ";".join(first.article),
        "waived_count": str(ticket.waived),
        "waiver_id": waiver.id if waiver else "",
        "waiver_ticket": waiver.ticket if waiver else "",
        "waiver_expires": waiver.expires.isoformat() if waiver else "",
    }


def _gap(ticket: Ticket) -> dict[str, str]:
    """What is not known of a host, and why."""
    trouble = ticket.report.trouble
    reasons = dict.fromkeys(finding.reason.value for finding in ticket.findings if finding.reason)
    reason = trouble.reason.value if trouble else ", ".join(reasons)
    return {
        "check_title": f"not assessed: {reason}",
        "object_type": "host",
        "object_count": str(len(ticket.findings)),
        "affected_objects": "; ".join(dict.fromkeys(finding.check_id for finding in ticket.findings)),
        "observed": reason,
        "message": trouble.message if trouble else _likewise(ticket, ticket.findings, "message"),
        "remedy": trouble.hint if trouble else "",
        "waived_count": "0",
    }


def _due(ticket: Ticket, severity: Severity, days: Mapping[Severity, int]) -> str:
    begun: datetime | None = ticket.first_seen
    if begun is None or severity not in days:
        return ""
    return (begun + timedelta(days=days[severity])).date().isoformat()


def _command(ticket: Ticket, command: str) -> str:
    host = shlex.quote(ticket.report.host.name)
    check = "" if ticket.state is State.NOT_ASSESSED else f" --check {shlex.quote(ticket.about[0].check_id)}"
    # Not kept: a look by day that finds it done would take the news from the night that is to say `resolved`.
    return f"{command or 'fleetscan scan -i INVENTORY'} -l {host}{check} --fail-on info --no-store"


def _name(finding: Finding) -> str:
    name, identity = finding.object_name, finding.object_id
    return f"{name} [{identity}]" if name and identity and name.casefold() != identity.casefold() else name or identity


def _names(findings: Sequence[Finding]) -> str:
    return ", ".join(dict.fromkeys(finding.object_name or finding.object_id for finding in findings))


def _found(findings: Sequence[Finding]) -> str:
    """`disabled`, or where objects differ: `disabled: sql01, web03; degraded: app01`."""
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        groups.setdefault(finding.observed, []).append(finding)
    if len(groups) < 2:
        return "".join(groups)
    return "; ".join(f"{text or '(nothing)'}: {_names(members)}" for text, members in groups.items())


def _likewise(ticket: Ticket, findings: Sequence[Finding], attribute: str) -> str:
    """The different texts of the findings; those that differ only in the names of objects are told once."""
    read: Callable[[Finding], str] = attrgetter(attribute)
    groups: dict[str, list[Finding]] = {}
    for finding in findings:
        if text := read(finding):
            groups.setdefault(neutral(text, ticket.report.host, finding), []).append(finding)
    lines = []
    for members in list(groups.values())[:WORDINGS]:
        texts = dict.fromkeys(read(finding) for finding in members)
        more = f" (likewise for {_names(members[1:])})" if len(texts) > 1 else ""
        lines.append(next(iter(texts)) + more)
    left = sum(len(members) for members in list(groups.values())[WORDINGS:])
    return "\n".join([*lines, *([f"… and {left} more"] if left else [])])
