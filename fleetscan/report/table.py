"""What the terminal shows of a run: problems first, alike ones once, the next step last."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Literal, TypeVar

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Status
from fleetscan.model.run import HostReport, RunReport
from fleetscan.report import changes, diagnosis, overview, words
from fleetscan.report.blocks import block, whole_host
from fleetscan.report.digest import Block, Likeness, Problem, alike, blocks, group, problems, waived
from fleetscan.report.grid import Grid
from fleetscan.report.layout import NARROWEST, command, cut, pack, wrap
from fleetscan.report.screen import Screen

BLOCKS = 12
"""Blocks of one kind that a screen may have before it must fold further."""
WORST = 3
"""Blocks that are still shown where folding further did not help."""

NOTICE_LINES = 12
"""Of a notice nothing is cut: its end says what to do."""
FRESH_MONTHS = 6
"""Lists of versions and limits that are older are worth a notice."""

_Part = TypeVar("_Part")


def render(
    report: RunReport,
    *,
    width: int = 100,
    color: bool = False,
    show: Literal["problems", "all", "quiet", "changes"] = "problems",
    written: Sequence[str] = (),
    exit_status: ExitStatus | None = None,
    again: str = "",
    plan: str = "",
) -> str:
    """The report for a terminal of `width` columns; no line is longer, unless the terminal is narrower than 40.

    `written` are the files that were made, `again` is the command that is worth running next, `plan` the one that plans
    a cure, to be followed by a check's id. Lines end with a line feed, the last one does not.
    """
    screen = Screen(Grid(color), max(width, NARROWEST), plan)
    if show == "quiet":
        return screen.grid.develop(_quiet(screen, report, written, exit_status))
    body = _body(screen, report, show)
    parts = [_header(screen, report), *body, _footer(screen, report, written, exit_status, again)]
    lines = [line for part in parts if part for line in (*part, "")][:-1]
    return "\n".join(screen.grid.develop(line).rstrip() for line in lines)


def _header(screen: Screen, report: RunReport) -> list[str]:
    zones = {host.host.zone for host in report.hosts if host.host.zone}
    hosts = words.plural(len(report.hosts), "host")
    items = [
        f"fleetscan {report.tool_version}",
        f"playbook {report.playbook} {report.playbook_version} ({words.plural(report.check_count, 'check')})",
        f"{hosts} in {words.plural(len(zones), 'zone')}" if zones else hosts,
        f"run {report.run_id}",
    ]
    lines = pack([screen.grid.lay(item) for item in items], screen.width, indent="  ")
    notices = [f"Notice: {notice}" for notice in report.notices]
    if report.interrupted:
        notices.insert(0, "Interrupted: what was not finished by then counts as not assessed.")
    for notice in notices:
        lines += screen.sentence(screen.grid.lay(notice), first="", rest="  ", lines=NOTICE_LINES)
    return lines


def _old_data(report: RunReport) -> str:
    """The lists that the checks compared with, where they may be outdated."""
    ages = [(source, source.months_old(report.started_at)) for source in report.data]
    old = [f"{source.id} ({source.as_of}, {months} months)" for source, months in ages if months > FRESH_MONTHS]
    if not old:
        return ""
    return f"Old lists: {', '.join(old)}. `fleetscan playbook show` names sources, --data takes newer ones."


def _body(screen: Screen, report: RunReport, show: str) -> list[list[str]]:
    since = [changes.line(screen, report.history)] if report.history else []
    if show == "all":
        return [*since, *_everything(screen, report)]
    if show == "changes" and report.history:
        return changes.section(screen, report.history)
    return [*since, *_problems(screen, report)]


def _everything(screen: Screen, report: RunReport) -> list[list[str]]:
    summary = [overview.fleet(screen, report)] if len(report.hosts) > 1 else []
    if report.diagnoses:
        summary.append(diagnosis.section(screen, report, everything=True))
    return summary + [whole_host(screen, host) for host in report.hosts]


def _problems(screen: Screen, report: RunReport) -> list[list[str]]:
    fine = (Status.PASS, Status.NOT_APPLICABLE, Status.WARN)
    bad = [host for host in report.hosts if host.open_verdict not in fine]
    seen = [host for host in bad if any(problems(host))]
    unseen = [host for host in bad if not any(problems(host))]
    warned = [host for host in report.hosts if host.open_verdict is Status.WARN]
    accepted = waived(report.hosts)
    parts = [overview.fleet(screen, report)] if len(report.hosts) > 1 else []
    if report.diagnoses:
        parts.append(diagnosis.section(screen, report))
    parts += _assessed(screen, seen) + _unassessed(screen, unseen) + _warned(screen, warned)
    parts.append(overview.waived(screen, accepted))
    if not bad and not warned:
        parts.append(["No problems were found" + (" but those that are waived." if accepted else ".")])
    return parts


def _assessed(screen: Screen, reports: Sequence[HostReport]) -> list[list[str]]:
    """The hosts with failures and the like. Where they are too many and too different, the checks speak for them."""
    told = _fewest(screen, lambda likeness: blocks(reports, likeness))
    if len(told) <= BLOCKS:
        return [block(screen, one) for one in told]
    screen.shortened = True
    failures = group((pair for report in reports for pair in problems(report)), alike(Likeness.CHECK))
    ordered = sorted(failures, key=lambda problem: (*problem.order, -len(problem.hosts)))
    rest = [report for one in told[WORST:] for report in one.hosts]
    return [
        overview.by_check(screen, ordered),
        *(block(screen, one) for one in told[:WORST]),
        _others(screen, rest, "More hosts with such problems"),
    ]


def _unassessed(screen: Screen, reports: Sequence[HostReport]) -> list[list[str]]:
    told: list[Block] = _fewest(screen, lambda likeness: blocks(reports, likeness))
    parts = [block(screen, one) for one in told[:BLOCKS]]
    rest = [report for one in told[BLOCKS:] for report in one.hosts]
    return [*parts, _by_reason(screen, rest)]


def _by_reason(screen: Screen, reports: Sequence[HostReport]) -> list[str]:
    """The hosts that have no block of their own any more, by what kept them from being assessed."""
    if not reports:
        return []
    screen.shortened = True
    reasons: dict[str, dict[int, HostReport]] = {}
    for report in reports:
        reason = report.trouble.reason.value if report.trouble else "some checks"
        reasons.setdefault(reason, {})[id(report)] = report
    lines = ["More hosts that were not assessed:"]
    for reason, hosts in sorted(reasons.items(), key=lambda item: -len(item[1])):
        names = screen.hosts(tuple(hosts.values()), screen.width - 4)
        lines += pack([f"  {reason}", names], screen.width, indent="    ")
    return lines


def _warned(screen: Screen, reports: Sequence[HostReport]) -> list[list[str]]:
    pairs = [pair for report in reports for pair in problems(report)]
    found: Sequence[Problem] = _fewest(screen, lambda likeness: group(pairs, alike(likeness)))
    ordered = sorted(found, key=lambda problem: (*problem.order, -len(problem.hosts)))
    rest = [report for problem in ordered[BLOCKS:] for report in problem.hosts]
    return [*overview.warnings(screen, ordered[:BLOCKS]), _others(screen, rest, "More hosts with warnings")]


def _fewest(screen: Screen, fold: Callable[[Likeness], Sequence[_Part]]) -> list[_Part]:
    """The parts with as much detail as leaves few enough of them."""
    for likeness in Likeness:
        parts = list(fold(likeness))
        if len(parts) <= BLOCKS:
            break
    screen.shortened = screen.shortened or likeness is not Likeness.OBJECT
    return parts


def _others(screen: Screen, reports: Sequence[HostReport], label: str) -> list[str]:
    if not reports:
        return []
    screen.shortened = True
    different = tuple({id(report): report for report in reports}.values())
    return [f"{label}:", *pack([f"  {screen.hosts(different, screen.width - 2)}"], screen.width)]


def _host_totals(report: RunReport) -> str:
    counts: Counter[Status] = Counter(host.verdict for host in report.hosts)
    spared = Counter(host.verdict for host in report.hosts if host.open_verdict is not host.verdict)
    return f"{words.plural(counts.total(), 'host')}: {words.counted(counts, waived=spared) or 'none'}"


def _finding_totals(report: RunReport) -> str:
    counts = report.counts()
    spared = words.waived(report.hosts)
    return f"{words.plural(counts.total(), 'finding')}: {words.counted(counts, waived=spared) or 'none'}"


def _seconds(report: RunReport) -> str:
    return words.duration((report.ended_at - report.started_at).total_seconds())


def _footer(
    screen: Screen, report: RunReport, written: Sequence[str], exit_status: ExitStatus | None, again: str
) -> list[str]:
    lines = pack([_host_totals(report), _seconds(report)], screen.width, indent="  ")
    lines += pack(_finding_totals(report).replace(", ", ",\n").split("\n"), screen.width, indent="  ", separator=" ")
    old_data = _old_data(report)
    if old_data:
        lines += screen.sentence(screen.grid.lay(old_data), first="", rest="  ", lines=NOTICE_LINES)
    if screen.shortened:
        lines += wrap("Shown in short: --all shows each finding, -o FILE.csv writes them.", screen.width, rest="  ")
    if written:
        files = [screen.grid.lay(name) for name in written]
        files = [f"{name}," for name in files[:-1]] + files[-1:]
        lines += pack([f"Wrote {files[0]}", *files[1:]], screen.width, indent="  ", separator=" ")
    if exit_status is not None:
        lines += wrap(f"Exit {exit_status.value}: {_meaning(report, exit_status)}", screen.width, rest="  ")
    if again:
        lines += command("Again:", screen.grid.lay(again), screen.width)
    return lines


def _meaning(report: RunReport, status: ExitStatus) -> str:
    return f"{status.meaning} {report.fail_on}" if status is ExitStatus.FINDINGS else status.meaning


def _quiet(screen: Screen, report: RunReport, written: Sequence[str], exit_status: ExitStatus | None) -> str:
    """One line; what does not fit goes, the totals of the hosts and the exit code last."""
    hosts, found, seconds = _host_totals(report), _finding_totals(report), _seconds(report)
    code = [f"exit {exit_status.value}"] if exit_status is not None else []
    since = [f"since {report.history.previous_run}: {changes.summary(report.history)}"] if report.history else []
    files = [f"wrote {', '.join(map(screen.grid.lay, written))}"] if written else []
    for items in (
        [f"run {report.run_id}", hosts, found, *since, *files, *code, seconds],
        [hosts, found, *since, *files, *code, seconds],
        [hosts, found, *since, *code, seconds],
        [hosts, *since, *code, seconds],
        [hosts, *code, seconds],
        [hosts, *code],
    ):
        line = " · ".join(items)
        if len(line) <= screen.width:
            return line
    return cut(line, screen.width)
