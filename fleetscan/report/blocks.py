"""Blocks of the screen: hosts that share their fate, with what was found there, why, and what to do about it."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fleetscan.model.finding import Status
from fleetscan.model.playbook import ObjectType
from fleetscan.model.run import HostReport
from fleetscan.report import words
from fleetscan.report.digest import (
    HOST,
    Block,
    Likeness,
    Problem,
    alike,
    gaps,
    gaps_alike,
    group,
    neutral,
    problems,
    wordings,
)
from fleetscan.report.layout import Column, Importance, command, pack, table
from fleetscan.report.screen import REMEDY_LINES, Screen

ROWS = 15
"""Rows of one block; more are folded further, and then counted."""
OWN_ROWS = 3
"""So many objects of which the same is found have a row each; more share one."""
CAUSES = 5
"""Failing checks of one block that are explained."""

_HEADING = (Status.FAIL, Status.WARN, Status.ERROR, Status.NOT_ASSESSED, Status.PASS)
_COLUMNS = (
    Column("status"),
    Column("severity"),
    Column("object", floors=(20, 14, 9), middle=True),
    Column("check", floors=(30, 22, 10)),
    Column("found", floors=(26, 16, 10)),
    Column("expected", floors=(20, 12, 8)),
    Column("item", floors=(5, 5, 5)),
)
_IMPORTANCE = Importance(shrink=(6, 5, 4, 3, 2), spare=(5,), drop=(6, 1, 4))


def block(screen: Screen, told: Block) -> list[str]:
    """Hosts of which the same can be told."""
    failing = [pair for problem in told.problems for pair in problem.pairs if pair[1].status is Status.FAIL]
    return [
        *heading(screen, told.hosts),
        *_trouble(screen, told.hosts),
        *_rows(screen, told.problems),
        *_causes(screen, group(failing, lambda pair: pair[1].check_id)),
        *(line for gap in told.gaps for line in _gap(screen, gap)),
    ]


def whole_host(screen: Screen, report: HostReport) -> list[str]:
    """One host with all its findings, a row each, problems first."""
    rows = sorted((Problem(((report, finding),)) for finding in report.findings), key=lambda row: row.order)
    causes = group(problems(report), lambda pair: (pair[1].check_id, pair[1].status))
    return [
        *heading(screen, [report]),
        *_trouble(screen, [report]),
        *_table(screen, rows),
        *(line for cause in causes for line in _cause(screen, cause)),
        *(line for gap in group(gaps(report), gaps_alike(Likeness.FOUND)) for line in _gap(screen, gap)),
    ]


def heading(screen: Screen, reports: Sequence[HostReport], *, counts: bool = True) -> list[str]:
    """Who they are, what they are for, how they stand: `hv07.paris.corp.example · hyperv · FAIL · 2 fail, 55 pass`."""
    first = reports[0]
    verdict = first.verdict if words.standing(first) == words.WAIVED else first.open_verdict
    sums: Counter[Status] = sum((report.counts() for report in reports), Counter())
    assessed = any(sums[status] for status in (Status.FAIL, Status.WARN, Status.ERROR, Status.PASS))
    items = (
        screen.hosts(reports),
        words.plural(len(reports), "host") if len(reports) > 1 else "",
        words.roles(reports),
        screen.status(verdict, words.verdict(verdict)),
        first.trouble.reason.value if first.trouble else "",
        words.counted(sums, _HEADING, waived=words.waived(reports)) if counts and assessed else "",
    )
    lines = pack([item for item in items if item], screen.width, indent="  ")
    longer = pack([item for item in (*items, *_time(reports)) if item], screen.width, indent="  ")
    return longer if len(longer) == len(lines) else lines


def _time(reports: Sequence[HostReport]) -> list[str]:
    seconds = [spent for report in reports if (spent := words.visit_seconds(report)) is not None]
    attempts = max(report.attempts for report in reports)
    tried = [words.plural(attempts, "attempt")] if attempts > 1 else []
    up_to = "up to " if len(reports) > 1 else ""
    return [*tried, f"{up_to}{words.duration(max(seconds))}"] if seconds else tried


def _trouble(screen: Screen, reports: Sequence[HostReport]) -> list[str]:
    troubles = [(report.host, report.trouble) for report in reports if report.trouble]
    if not troubles:
        return []
    messages = ((neutral(trouble.message, host), trouble.message) for host, trouble in troubles)
    (wording, example), *others = wordings(messages)
    text = example if len(reports) == 1 or others else wording.replace(HOST, words.each(ObjectType.HOST))
    more = f" (and {words.plural(len(others), 'other wording')})" if others else ""
    # A hint may hold a command for one host: one that can be typed is worth more than one for all.
    hint = next((trouble.hint for _, trouble in troubles if trouble.hint), "")
    lines = screen.sentence(screen.grid.lay(text + more))
    return lines + (screen.sentence(screen.grid.lay(f"Try: {hint}")) if hint else [])


def _rows(screen: Screen, problems: Sequence[Problem]) -> list[str]:
    rows = [single for problem in problems for single in _apart(problem)]
    if len(rows) > ROWS:
        screen.shortened = True
        rows = list(group((pair for problem in problems for pair in problem.pairs), alike(Likeness.CHECK)))
    hidden = len(rows) - ROWS
    more = [f"  … and {words.plural(hidden, 'more row')}"] if hidden > 0 else []
    return _table(screen, rows[:ROWS]) + more


def _apart(problem: Problem) -> list[Problem]:
    if len(problem.hosts) > 1 or len(problem.pairs) > OWN_ROWS:
        return [problem]
    return [Problem((pair,)) for pair in problem.pairs]


def _table(screen: Screen, problems: Sequence[Problem]) -> list[str]:
    if not problems:
        return []
    rows = [_row(screen, problem) for problem in problems]
    return [f"  {line}" for line in table(_COLUMNS, rows, screen.width - 2, _IMPORTANCE)]


def _row(screen: Screen, problem: Problem) -> list[str]:
    first = problem.first
    undecided = first.status not in (Status.PASS, Status.WARN, Status.FAIL)
    return [
        screen.status(first.status, row_status(first.status)) + (f", {words.WAIVED}" if first.waiver else ""),
        first.severity.value,
        screen.objects(problem),
        screen.grid.lay(first.check_id),
        screen.told(problem, "observed") or (first.reason.value if first.reason and undecided else ""),
        screen.told(problem, "expected"),
        screen.item(first),
    ]


def row_status(status: Status) -> str:
    """Only a failure is in capitals."""
    return words.verdict(status) if status is Status.FAIL else words.status_words(status)


def _causes(screen: Screen, checks: Sequence[Problem]) -> list[str]:
    hidden = len(checks) - CAUSES
    more = [f"  … and the remedies of {words.plural(hidden, 'more check')}"] if hidden > 0 else []
    screen.shortened = screen.shortened or hidden > 0
    return [line for check in checks[:CAUSES] for line in _cause(screen, check)] + more


def _cause(screen: Screen, problem: Problem) -> list[str]:
    """Why a check fails, and what to do about it: once for all its objects."""
    first = problem.first
    # A check without words of its own is told by its title, which says what ought to be.
    own_words = first.message not in ("", first.check_title)
    message = screen.told(problem, "message" if own_words else "check_title")
    required = "" if own_words else "required: "
    lines = screen.sentence(f"{screen.grid.lay(first.check_id)}: {required}{message}", rest="    ")
    remedy = screen.told(problem, "remedy")
    names = screen.names(problem) if len(problem.hosts) == 1 and len(problem.pairs) > OWN_ROWS else ""
    if names and names not in remedy:
        lines += screen.sentence(f"{words.plural_of(first.object_type)}: {names}", first="    ", rest="      ")
    if remedy:
        lines += screen.sentence(f"Remedy: {remedy}", first="    ", rest="      ", lines=REMEDY_LINES)
    if first.action and first.status is Status.FAIL and screen.plan:
        lines += command("Plan it:", f"{screen.plan} {screen.grid.lay(first.check_id)}", screen.width, indent="    ")
    return lines


def _gap(screen: Screen, problem: Problem) -> list[str]:
    """What could not be judged, with the checks that this leaves open."""
    first = problem.first
    checks = list(dict.fromkeys(finding.check_id for _, finding in problem.pairs))
    items = [
        screen.status(first.status, words.status_words(first.status)),
        first.reason.value if first.reason else "",
        f"{words.plural(len(problem.pairs), 'finding')} of {screen.grid.lay(_some(checks))}",
    ]
    lines = pack([f"  {items[0]}", *(item for item in items[1:] if item)], screen.width, indent="    ")
    return lines + screen.sentence(screen.told(problem, "message"), first="    ", rest="    ")


def _some(checks: Sequence[str]) -> str:
    more = f", +{len(checks) - 3:,} more" if len(checks) > 3 else ""
    return ", ".join(checks[:3]) + more
