"""JUnit XML for CI servers: a suite for each host, a case for each finding; valid against junit-10.xsd of Jenkins."""

from __future__ import annotations

import html
import re
from collections import Counter
from collections.abc import Iterator

from fleetscan.model.finding import Finding, Status, tally
from fleetscan.model.run import HostReport, RunReport
from fleetscan.model.text import clean
from fleetscan.report.words import utc, visit_seconds

_NO_CHARACTERS = re.compile("[\ufffe\uffff]")
"""What XML 1.0 cannot hold, and `clean` lets through."""

_ELEMENTS = {
    Status.FAIL: "failure",
    Status.ERROR: "error",
    Status.NOT_ASSESSED: "error",
    Status.NOT_APPLICABLE: "skipped",
}


def render(report: RunReport) -> Iterator[str]:
    """The run. What could not be looked at is an error, never a pass; a warning passes and says so in `system-out`."""
    counts = sum((_elements(visited) for visited in report.hosts), Counter[str]())
    seconds = (report.ended_at - report.started_at).total_seconds()
    yield '<?xml version="1.0" encoding="UTF-8"?>\n'
    name = f"fleetscan {report.playbook} {report.playbook_version} {report.run_id}"
    yield f"<testsuites{_attribute('name', name)}{_totals(counts)}{_time(seconds)}>\n"
    for visited in report.hosts:
        yield from _suite(report, visited)
    yield "</testsuites>\n"


def _element(status: Status, waived: bool) -> str:
    """The element that tells of a finding: `skipped` for a failure that is waived, none for what passes or warns."""
    return "skipped" if status is Status.FAIL and waived else _ELEMENTS.get(status, "")


def _elements(visited: HostReport) -> Counter[str]:
    counts: Counter[str] = Counter()
    for outcome, count in tally(visited.findings).items():
        counts[_element(outcome.status, outcome.waived)] += count
    return counts


def _suite(report: RunReport, visited: HostReport) -> Iterator[str]:
    host = visited.host
    counts = _elements(visited)
    began = utc(visited.started_at or report.started_at).removesuffix("Z")
    names = _attribute("name", host.name) + _attribute("hostname", host.name)
    totals = f"{_totals(counts)}{_attribute('skipped', str(counts['skipped']))}"
    yield f"<testsuite{names}{totals}{_time(visit_seconds(visited) or 0)}{_attribute('timestamp', began)}>\n"
    properties = {"roles": ";".join(host.roles), "zone": host.zone, "verdict": visited.verdict.value}
    if visited.trouble:
        properties |= {"trouble": f"{visited.trouble.reason}: {visited.trouble.message}"}
    yield "<properties>"
    for name, value in properties.items():
        yield f"<property{_attribute('name', name)}{_attribute('value', value)}/>"
    yield "</properties>\n"
    for finding in visited.findings:
        yield _case(finding)
    yield "</testsuite>\n"


def _case(finding: Finding) -> str:
    thing = finding.object_name or finding.object_id
    name = f"{finding.check_id} [{thing}]" if thing and thing != finding.host else finding.check_id
    head = f"<testcase{_attribute('classname', finding.host)}{_attribute('name', name)}"
    element = _element(finding.status, finding.waiver is not None)
    if element:
        message = _attribute("message", _message(finding))
        kind = _attribute("type", "waived" if element == "skipped" and finding.waiver else finding.status.value)
        return f"{head}><{element}{kind}{message}>{_text(_details(finding))}</{element}></testcase>\n"
    if finding.status is Status.WARN:
        warning = f"warn: {_message(finding)}\n{_details(finding)}"
        return f"{head}><system-out>{_text(warning)}</system-out></testcase>\n"
    return f"{head}/>\n"


def _message(finding: Finding) -> str:
    reason = f"{finding.reason.value}: " if finding.reason else ""
    waiver = finding.waiver
    waived = f"waived until {waiver.expires.isoformat()} by {waiver.owner} ({waiver.ticket}): " if waiver else ""
    return f"{waived}{reason}{finding.message}"


def _details(finding: Finding) -> str:
    told = {
        "check": finding.check_title,
        "severity": finding.severity.value,
        "found": finding.observed,
        "expected": finding.expected,
        "why": finding.why,
        "remedy": finding.remedy,
        "reference": finding.reference,
        "article": ";".join(finding.article),
        "key": finding.key,
    }
    return "\n".join(f"{name}: {text}" for name, text in told.items() if text)


def _totals(counts: Counter[str]) -> str:
    numbers = {"tests": counts.total(), "failures": counts["failure"], "errors": counts["error"]}
    return "".join(_attribute(name, str(number)) for name, number in numbers.items())


def _time(seconds: float) -> str:
    return _attribute("time", f"{max(seconds, 0):.3f}")


def _attribute(name: str, value: str) -> str:
    return f' {name}="{_text(value).replace(chr(10), "&#10;").replace(chr(9), "&#9;")}"'


def _text(value: str) -> str:
    return html.escape(_NO_CHARACTERS.sub("\N{REPLACEMENT CHARACTER}", clean(value)))
