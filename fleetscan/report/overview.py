"""The parts of the screen that look at the fleet and not at a host: verdicts by zone, failures by check, warnings."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence

from fleetscan.model.finding import Status
from fleetscan.model.playbook import ObjectType
from fleetscan.model.run import RunReport
from fleetscan.report import words
from fleetscan.report.blocks import heading, row_status
from fleetscan.report.digest import Problem
from fleetscan.report.layout import Column, Importance, cut, pack, table
from fleetscan.report.screen import Screen

PARTS = 12
"""Zones and roles that have a row each; the others share one, so that the columns add up."""

CHECKS = 12
"""Checks that have a row each; the others are counted."""

_VERDICTS = (Status.PASS, Status.WARN, Status.FAIL, Status.ERROR, Status.NOT_ASSESSED)
_BY_CHECK = (
    Column("status"),
    Column("severity"),
    Column("check", floors=(30, 24, 14)),
    Column("hosts", right=True),
    Column("findings", right=True),
    Column("found", floors=(26, 16, 10)),
    Column("expected", floors=(20, 12, 8)),
    Column("item", floors=(5, 5, 5)),
)
_IMPORTANCE = Importance(shrink=(7, 6, 5, 2), spare=(6,), drop=(7, 4, 1, 5))


def fleet(screen: Screen, report: RunReport) -> list[str]:
    """How many hosts of each zone and role came to which verdict."""
    parts = _parts(screen, report)
    rare = (words.WAIVED, words.status_words(Status.NOT_APPLICABLE))
    shown = list(map(words.status_words, _VERDICTS))
    shown += [word for word in rare if any(part[word] for part in parts.values())]
    columns = [Column("Fleet"), Column("hosts", right=True)]
    columns += [Column(word, right=True, always=True) for word in shown]
    rows = [
        [name, f"{part.total():,}", *(f"{part[word]:,}" if part[word] else "" for word in shown)]
        for name, part in parts.items()
    ]
    lines = table(columns, rows, screen.width)
    if max(map(len, lines)) <= screen.width:
        return lines
    return [
        line
        for name, part in parts.items()
        for line in pack([name, words.plural(part.total(), "host"), _counted(part, shown)], screen.width, indent="  ")
    ]


def _counted(part: Counter[str], order: Sequence[str]) -> str:
    return ", ".join(f"{part[word]:,} {word}" for word in order if part[word])


def _parts(screen: Screen, report: RunReport) -> Mapping[str, Counter[str]]:
    parts: dict[str, Counter[str]] = defaultdict(Counter)
    for host in report.hosts:
        zone = f"{host.host.zone}/" if host.host.zone else ""
        parts[cut(screen.grid.lay(zone + words.roles([host])), 32)][words.standing(host)] += 1
    if len(parts) <= PARTS:
        return parts
    bad = sorted(parts, key=lambda name: -(parts[name].total() - parts[name][Status.PASS.value]))
    kept, others = bad[: PARTS - 1], bad[PARTS - 1 :]
    rest: Counter[str] = sum((parts[name] for name in others), Counter())
    return {name: parts[name] for name in kept} | {f"{len(others):,} other parts": rest}


def waived(screen: Screen, problems: Sequence[Problem]) -> list[str]:
    """A sentence for each waiver and check: what is amiss, who has answered for it, until when."""
    if not problems:
        return []
    lines = [f"Waived: {words.plural(sum(len(problem.pairs) for problem in problems), 'finding')} somebody answers for"]
    for problem in problems[:CHECKS]:
        lines += screen.sentence(_waived(screen, problem), rest="    ")
    hidden = len(problems) - CHECKS
    return [*lines, f"  … and {words.plural(hidden, 'more check')}"] if hidden > 0 else lines


def _waived(screen: Screen, problem: Problem) -> str:
    first, waiver = problem.first, problem.first.waiver
    assert waiver is not None  # noqa: S101 - that is what makes it one
    objects = "" if first.object_type is ObjectType.HOST else f"{screen.names(problem)} on "
    where = objects + screen.hosts(problem.hosts, screen.width // 2)
    answer = screen.grid.lay(f"{waiver.owner}, {waiver.ticket}: {waiver.reason}")
    status = screen.status(first.status, row_status(first.status))
    return f"{status} {screen.grid.lay(first.check_id)} ({where}), waived until {waiver.expires} by {answer}"


def by_check(screen: Screen, problems: Sequence[Problem]) -> list[str]:
    """A row for each check that fails somewhere, with its hosts and its remedy: for a fleet that fails in many ways."""
    title, *rows = table(
        _BY_CHECK, [_check_row(screen, problem) for problem in problems[:CHECKS]], screen.width, _IMPORTANCE
    )
    lines = [title]
    for row, problem in zip(rows, problems, strict=False):
        lines += [row, *pack([f"  {screen.hosts(problem.hosts, screen.width - 2)}"], screen.width)]
        remedy = screen.told(problem, "remedy")
        lines += [cut(f"  Remedy: {remedy}", screen.width)] if remedy else []
    hidden = len(problems) - CHECKS
    return [*lines, f"… and {words.plural(hidden, 'more check')}"] if hidden > 0 else lines


def _check_row(screen: Screen, problem: Problem) -> list[str]:
    first = problem.first
    return [
        screen.status(first.status, row_status(first.status)),
        first.severity.value,
        screen.grid.lay(first.check_id),
        f"{len(problem.hosts):,}",
        f"{len(problem.pairs):,}",
        screen.told(problem, "observed"),
        screen.told(problem, "expected"),
        screen.item(first),
    ]


def warnings(screen: Screen, problems: Sequence[Problem]) -> list[list[str]]:
    """The warnings of hosts that have nothing worse: the hosts, then a line for each warning that they share."""
    together: dict[tuple[int, ...], list[Problem]] = defaultdict(list)
    for problem in problems:
        together[tuple(id(report) for report in problem.hosts)].append(problem)
    return [
        heading(screen, shared[0].hosts, counts=False)
        + [line for problem in shared for line in screen.sentence(_warning(screen, problem), rest="    ")]
        for shared in together.values()
    ]


def _warning(screen: Screen, problem: Problem) -> str:
    first = problem.first
    objects = "" if first.object_type is ObjectType.HOST else f" ({screen.objects(problem)})"
    found = screen.told(problem, "observed") or screen.told(problem, "message")
    expected = screen.told(problem, "expected")
    wanted = f"; expected: {expected}" if expected else ""
    items = f" [{screen.item(first)}]" if first.article else ""
    return f"{screen.grid.lay(first.check_id)}{objects}: {found}{wanted}{items}"
