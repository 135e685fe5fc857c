"""Markdown for pull requests, wikis and chats: what is wrong, folded so that a fleet fits into a comment."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence

from fleetscan.model.finding import Status, tally
from fleetscan.model.history import ChangeKind, History
from fleetscan.model.run import HostReport, RunReport
from fleetscan.model.text import one_line
from fleetscan.report.digest import Pair, Problem, group
from fleetscan.report.names import fold, fold_text
from fleetscan.report.words import ORDER, duration, plural, status_words, utc

ROWS = 100
"""Rows of a table of problems; how many more there are is told."""
OBJECTS = 12
WORDINGS = 5
"""Different findings of one check that have a row each."""
TEXT = 300
"""Characters of a text in a cell."""

_MARKUP = re.compile(r"[\\`*_{}\[\]<>|~$&!#^]|:(?=//)|^[-+=]")
"""What means something to CommonMark or GitHub within a line, or at its beginning; a backslash takes that away."""
_NUMBERED = re.compile("^([0-9]+)(?=[.)])")
"""A list begins like this."""


def render(report: RunReport) -> Iterator[str]:
    """The run: totals, what is new, diagnoses, failures and warnings by check, hosts by verdict, all of them."""
    yield f"# {_plain(report.playbook_title)}: {_sentence(report)}\n\n"
    seconds = (report.ended_at - report.started_at).total_seconds()
    yield f"Run {code(report.run_id)} of {code(report.playbook)} {_plain(report.playbook_version)}, "
    yield f"{utc(report.started_at)}, {duration(seconds)}, fleetscan {_plain(report.tool_version)}.\n"
    for notice in report.notices:
        yield f"\n> Notice: {_plain(notice)}\n"
    yield from _totals(report)
    yield from _news(report.history)
    yield from _diagnoses(report)
    pairs = [pair for pair in report.findings() if pair[1].status not in (Status.PASS, Status.NOT_APPLICABLE)]
    yield from _problems("Failures", [pair for pair in pairs if pair[1].status is Status.FAIL])
    yield from _problems("Warnings", [pair for pair in pairs if pair[1].status is Status.WARN])
    yield from _gaps([pair for pair in pairs if pair[1].status in (Status.ERROR, Status.NOT_ASSESSED)])
    yield from _hosts(report)


def code(text: str) -> str:
    """Text from a host as a code span: no link, no mention, no markup, on one line."""
    text = one_line(text, TEXT).replace("|", "\\|")
    if not text:
        return ""
    fence = "`" * (max(map(len, re.findall("`+", text)), default=0) + 1)
    pad = " " if text.startswith("`") or text.endswith("`") else ""
    return f"{fence}{pad}{text}{pad}{fence}"


def _plain(text: str) -> str:
    """A sentence in which nothing is markup. An `@` is code, since a mention would call somebody."""
    escaped = _MARKUP.sub(lambda match: f"\\{match[0]}", one_line(text, 2_000))
    return _NUMBERED.sub(r"\1\\", escaped).replace("www", "w\N{ZERO WIDTH NON-JOINER}ww").replace("@", "`@`")


def _sentence(report: RunReport) -> str:
    failing = sum(
        any(outcome.status is Status.FAIL and not outcome.waived for outcome in tally(host.findings))
        for host in report.hosts
    )
    dark = sum(host.trouble is not None for host in report.hosts)
    parts = [f"{plural(failing, 'host')} failing" if failing else "nothing fails"]
    parts += [f"{dark:,} not assessed"] if dark else []
    return f"{', '.join(parts)}, of {plural(len(report.hosts), 'host')}" + (" (interrupted)" * report.interrupted)


def _table(header: Sequence[str], rows: Iterable[Sequence[str]], right: Sequence[str] = ()) -> Iterator[str]:
    """A table; the columns named in `right` hold numbers. What is cut off is counted below it."""
    yield f"\n| {' | '.join(header)} |\n"
    yield f"|{'|'.join('---:' if name in right else '---' for name in header)}|\n"
    left = 0
    for number, row in enumerate(rows):
        if number < ROWS:
            yield f"| {' | '.join(row)} |\n"
        else:
            left += 1
    if left:
        yield f"\n… and {left:,} more\n"


def _totals(report: RunReport) -> Iterator[str]:
    hosts, findings = Counter(host.verdict for host in report.hosts), report.counts()
    waived = sum(count for host in report.hosts for outcome, count in tally(host.findings).items() if outcome.waived)
    rows = [[status_words(status), f"{hosts[status]}", f"{findings[status]}"] for status in ORDER]
    rows.append(["total", f"{len(report.hosts)}", f"{findings.total()}"])
    yield from _table(["", "hosts", "findings"], rows, right=["hosts", "findings"])
    if waived:
        yield f"\n{plural(waived, 'finding')} of these waived.\n"


def _news(history: History | None) -> Iterator[str]:
    if history is None:
        return
    kinds = Counter(change.kind for change in history.changes)
    told = ", ".join(f"{kinds[kind]:,} {kind.value.replace('_', ' ')}" for kind in ChangeKind if kinds[kind])
    yield f"\nSince {code(history.previous_run)} of {utc(history.previous_started_at)}: {told or 'no change'}.\n"


def _diagnoses(report: RunReport) -> Iterator[str]:
    if not report.diagnoses:
        return
    yield "\n## Diagnosis\n\n"
    for diagnosis in report.diagnoses[:ROWS]:
        yield f"- {_plain(diagnosis.text)}\n"
    if len(report.diagnoses) > ROWS:
        yield f"\n… and {len(report.diagnoses) - ROWS:,} more\n"


def _problems(title: str, pairs: Sequence[Pair]) -> Iterator[str]:
    if not pairs:
        return
    problems = sorted(_folded_problems(pairs), key=lambda problem: (problem.first.waiver is not None, problem.order))
    yield f"\n## {title}\n"
    header = ["severity", "check", "hosts", "objects", "found", "expected", "item"]
    yield from _table(header, (_problem(problem) for problem in problems))


def _folded_problems(pairs: Sequence[Pair]) -> tuple[Problem, ...]:
    """A problem for each check and what was found, or for the check alone where too many different things were."""
    found: dict[str, set[str]] = {}
    for _, finding in pairs:
        found.setdefault(finding.check_id, set()).add(finding.observed)

    def alike(pair: Pair) -> tuple[object, ...]:
        finding = pair[1]
        told = finding.observed if len(found[finding.check_id]) <= WORDINGS else None
        return finding.check_id, told, finding.waiver.id if finding.waiver else ""

    return group(pairs, alike)


def _problem(problem: Problem) -> list[str]:
    first = problem.first
    names = problem.objects()
    objects = ", ".join(code(name) for name in names[:OBJECTS])
    more = f" and {len(names) - OBJECTS:,} more" if len(names) > OBJECTS else ""
    waived = f" (waived until {first.waiver.expires.isoformat()})" if first.waiver else ""
    return [
        first.severity.value + waived,
        code(first.check_id),
        code(_fold(problem.hosts)),
        "" if names == [host.host.name for host in problem.hosts] else objects + more,
        code(first.observed or first.message) + _others(problem),
        code(first.expected),
        _plain(", ".join(first.article)),
    ]


def _others(problem: Problem) -> str:
    count = len({finding.observed for _, finding in problem.pairs}) - 1
    return f" and {plural(count, 'other value')}" if count else ""


def _gaps(pairs: Sequence[Pair]) -> Iterator[str]:
    """What could not be looked at: by reason, with the hosts."""
    gaps = group(pairs, lambda pair: pair[1].reason)
    if not gaps:
        return
    yield "\n## Not assessed\n"
    rows = (
        [code(gap.first.reason or ""), code(_fold(gap.hosts)), f"{len(gap.pairs)}", code(gap.first.message)]
        for gap in gaps
    )
    yield from _table(["reason", "hosts", "findings", "for example"], rows, right=["findings"])


def _hosts(report: RunReport) -> Iterator[str]:
    """Every host by its verdict; numbered names are folded, none is left out."""
    yield "\n## Hosts\n\n"
    for status in ORDER:
        names = [host.host.name for host in report.hosts if host.verdict is status]
        if names:
            yield f"- {status_words(status)} ({len(names)}): {', '.join(map(code, _folded(names)))}\n"


def _folded(names: Sequence[str]) -> list[str]:
    return [str(folded) for folded in fold(names)]


def _fold(hosts: Iterable[HostReport]) -> str:
    return fold_text([host.host.name for host in hosts], TEXT)
