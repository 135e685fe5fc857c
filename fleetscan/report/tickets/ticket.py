"""From a run and its history to tickets: which there are, and what became of them since the night before."""

from __future__ import annotations

import hashlib
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetscan.model.finding import Finding, Status
from fleetscan.model.history import Change, ChangeKind
from fleetscan.model.run import HostReport, RunReport

_UNDECIDED = (Status.ERROR, Status.NOT_ASSESSED)


class State(StrEnum):
    """What is to be done with the ticket of a host and a check."""

    NEW = "new"
    """To be opened: there was none."""
    OPEN = "open"
    """Is open and stays so: it fails still, in part, or could not be looked at."""
    RESOLVED = "resolved"
    """To be closed: all of it was looked at, and nothing fails."""
    WAIVED = "waived"
    """Nothing is to be done until a day: somebody has answered for all of it."""
    NOT_ASSESSED = "not_assessed"
    """No ticket: of this host something is not known. Tickets that it has stay as they are."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ticket:
    """What is wrong with one check on one host. `findings` are those that fail, or that did when it was resolved."""

    key: str
    state: State
    report: HostReport
    findings: tuple[Finding, ...]
    unseen: tuple[Finding, ...] = ()
    """Objects that failed, and could not be looked at this time."""
    waived: int = 0
    """How many failing objects are left out, since somebody has answered for them."""
    first_seen: datetime | None = None
    """When it began to fail; None for what is no ticket."""

    @property
    def about(self) -> tuple[Finding, ...]:
        """What is told of: what fails, then what could not be looked at."""
        return (*self.findings, *self.unseen)


def tickets(report: RunReport) -> Iterator[Ticket]:
    """The tickets of a run, in the order of its hosts and checks.

    Only failures make tickets: a warning or a gap asks for no change. Without a history every ticket is new. What the
    run did not ask of a host has no ticket here, so that nothing is resolved that was not looked at.
    """
    history: dict[tuple[str, str], list[Change]] = defaultdict(list)
    for change in report.history.changes if report.history else ():
        finding = change.after or change.before
        if finding is not None:
            history[finding.host.casefold(), finding.check_id].append(change)
    for visited in report.hosts:
        for check, findings in _by_check(visited.findings).items():
            changes = history[visited.host.name.casefold(), check] if history else []
            ticket = _ticket(report, visited, findings, changes)
            if ticket is not None:
                yield ticket
        gaps = tuple(finding for finding in visited.findings if finding.status in _UNDECIDED)
        if gaps or visited.trouble:
            yield Ticket(key=_key(visited, ""), state=State.NOT_ASSESSED, report=visited, findings=gaps)


def _by_check(findings: Sequence[Finding]) -> Mapping[str, list[Finding]]:
    groups: dict[str, list[Finding]] = defaultdict(list)
    for finding in findings:
        groups[finding.check_id].append(finding)
    return groups


def _ticket(run: RunReport, visited: HostReport, findings: list[Finding], changes: list[Change]) -> Ticket | None:
    failing = [finding for finding in findings if finding.status is Status.FAIL]
    waived = [finding for finding in failing if finding.waiver]
    current = [finding for finding in failing if not finding.waiver]
    before = [change for change in changes if _was_open(change)]
    unseen = [change.before for change in before if change.kind is ChangeKind.NO_LONGER_ASSESSED and change.before]
    state, about = State.OPEN, current
    if current:
        state = State.OPEN if _had_ticket(before) or unseen else State.NEW
    elif not unseen and not waived:
        if not before:
            return None
        about = [change.before for change in before if change.before] or findings[:1]
        if not any(finding.status in _UNDECIDED for finding in findings):
            state = State.RESOLVED
    elif all(finding.waiver for finding in (*unseen, *waived)):
        state, about = State.WAIVED, waived or unseen
    began = [change.open_since for change in before if change.open_since]
    return Ticket(
        key=_key(visited, findings[0].check_id),
        state=state,
        report=visited,
        findings=tuple(about),
        unseen=tuple(unseen) if state is State.OPEN else (),
        waived=len(waived) if state is not State.WAIVED else 0,
        first_seen=run.started_at if state is State.NEW else min(began, default=run.started_at),
    )


def _was_open(change: Change) -> bool:
    """Whether it failed when it was last looked at before this run."""
    return change.kind is not ChangeKind.NEW and (
        change.open_since is not None
        or change.kind in (ChangeKind.FIXED, ChangeKind.STILL_FAILING)
        or (change.before is not None and change.before.status is Status.FAIL)
    )


def _had_ticket(before: Sequence[Change]) -> bool:
    """Whether any of the failures before had a ticket: what was waived had none, and gets one when the waiver ends."""
    return any(change.before is None or change.before.waiver is None for change in before)


def _key(visited: HostReport, check: str) -> str:
    text = f"{visited.host.name.casefold()}\x1f{check}"
    # The letters make sure that no spreadsheet reads a key as a number, and writes it back as another.
    return f"fs-{hashlib.sha256(text.encode(errors='surrogatepass')).hexdigest()[:16]}"
