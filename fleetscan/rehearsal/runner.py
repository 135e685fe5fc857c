"""Judges cases and compares what is found with what was expected."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime

from fleetscan.errors import InputError, Problem
from fleetscan.judge import conclude, judge
from fleetscan.model.finding import Finding, Status
from fleetscan.model.playbook import Playbook
from fleetscan.model.run import HostReport
from fleetscan.model.text import one_line
from fleetscan.rehearsal.schema import Expectation
from fleetscan.rehearsal.situation import Situation
from fleetscan.rehearsal.suite import Rehearsal
from fleetscan.suggest import did_you_mean

NOBODY = "-"
"""Stands for the object of a finding that is about none."""


@dataclass(frozen=True, slots=True)
class Performance:
    """How a case went. `differences` says what was expected and what was found instead; empty: all as expected."""

    rehearsal: Rehearsal
    findings: tuple[Finding, ...]
    differences: tuple[str, ...]

    @property
    def line(self) -> str:
        """Check, case and differences on one line, with the place of the case if it failed."""
        title = f"{self.rehearsal.check.id}: {self.rehearsal.case.name}"
        if not self.differences:
            return f"ok: {title}"
        return f"{self.rehearsal.origin}: {title}: {'; '.join(self.differences)}"


def rehearse(playbook: Playbook, rehearsals: Iterable[Rehearsal]) -> tuple[Performance, ...]:
    """Judge each case; raises InputError where findings are expected of no object, or of not all."""
    problems: list[Problem] = []
    done = tuple(_perform(playbook, rehearsal, problems) for rehearsal in rehearsals)
    if problems:
        raise InputError(problems)
    return done


def _perform(playbook: Playbook, rehearsal: Rehearsal, problems: list[Problem]) -> Performance:
    expect = rehearsal.case.expect
    found = _findings(playbook, rehearsal)
    by_key = dict(_keyed(found))
    problems += _strangers(rehearsal, by_key)
    differences = [
        f"[{key}] {difference}"
        for key, expectation in expect.items()
        if key in by_key
        for difference in _differences(expectation, by_key[key])
    ]
    return Performance(rehearsal, found, tuple(differences))


def _findings(playbook: Playbook, rehearsal: Rehearsal) -> tuple[Finding, ...]:
    """What the check says of the host of the case, in a run with its other hosts."""
    check = rehearsal.check
    compared = check.across.checks if check.across is not None else ()
    book = replace(playbook, checks=tuple(c for c in playbook.checks if c.id in (check.id, *compared)))
    reports = [_report(book, situation) for situation in (rehearsal.situation, *rehearsal.others)]
    return tuple(finding for finding in conclude(book, reports)[0].findings if finding.check_id == check.id)


def _report(playbook: Playbook, situation: Situation) -> HostReport:
    return HostReport(
        host=situation.host,
        started_at=None,
        ended_at=datetime.fromisoformat(str(situation.facts.meta["now"])),
        facts=situation.facts,
        findings=judge(situation.host, situation.facts, playbook),
    )


def _keyed(findings: tuple[Finding, ...]) -> Iterator[tuple[str, Finding]]:
    """Each finding under the name of its object, or its id where two have the same name."""
    names = Counter(finding.object_name for finding in findings)
    for finding in findings:
        unique = names[finding.object_name] == 1 and finding.object_name
        yield (finding.object_name if unique else finding.object_id) or NOBODY, finding


def _strangers(rehearsal: Rehearsal, found: dict[str, Finding]) -> Iterator[Problem]:
    expect = rehearsal.case.expect
    for key in expect.keys() - found.keys():
        cure = did_you_mean(key, found.keys() - expect.keys(), "there are findings about")
        message = f'{rehearsal.case.name}: there is no finding about "{one_line(key, 80)}"'
        yield rehearsal.problem("expect", key, message=message, cure=cure or "remove it", key=True)
    for key, finding in found.items():
        if key not in expect:
            message = f'{rehearsal.case.name}: nothing is expected of "{key}", and the check found {_said(finding)}'
            cure = f"add it with {finding.status} if that is right"
            yield rehearsal.problem("expect", message=message, cure=cure)


def _differences(expectation: Expectation, finding: Finding) -> Iterator[str]:
    if (expectation.status, expectation.reason or finding.reason) != (finding.status, finding.reason):
        reason = f" ({expectation.reason})" if expectation.reason else ""
        yield f"expected {expectation.status}{reason}, found {_said(finding)}"
        return
    for name in ("observed", "expected"):
        wanted, text = getattr(expectation, name), getattr(finding, name)
        if wanted is not None and wanted != text:
            yield f'expected {name} "{wanted}", found "{text}"'
    for name in ("message", "remedy"):
        part, text = getattr(expectation, name), getattr(finding, name)
        if part is not None and part not in text:
            yield f'expected "{part}" in the {name}, found "{text}"'


def _said(finding: Finding) -> str:
    """Status and reason, and where nothing was judged, why."""
    reason = f" ({finding.reason})" if finding.reason else ""
    unclear = finding.status in (Status.ERROR, Status.NOT_ASSESSED)
    return f"{finding.status}{reason}" + (f": {finding.message}" if unclear and finding.message else "")
