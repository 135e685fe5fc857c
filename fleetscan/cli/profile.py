"""`fleetscan profile`: churn and load over time, from samples of the Hyper-V hosts."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.cli import options as opt
from fleetscan.cli import spans
from fleetscan.errors import ExitStatus, InputError, Problem

if TYPE_CHECKING:
    from fleetscan.model.playbook import Playbook
    from fleetscan.model.profile import ProfileReport
    from fleetscan.profile import Wishes
    from fleetscan.report import ReportTarget

LISTS = ("replication-limits", "storage-targets", "support-matrix")
"""The lists of the playbook that a profile is compared with."""
_LINK = re.compile(r"(\d{1,9}(?:\.\d{1,3})?)\s*([kmg]?)(?:bit|bps|bit/s)", re.IGNORECASE)
_PREFIXES = {"": 1, "k": 1_000, "m": 1_000_000, "g": 1_000_000_000}


def bandwidth(text: str | float) -> float:
    """Bits a second from `100Mbit`, `1Gbit`, `512kbit`."""
    match = _LINK.fullmatch(str(text).strip())
    if match is None or not float(match[1]):
        raise typer.BadParameter(f"'{text}' is no bandwidth; write 100Mbit, 1Gbit or 512kbit")
    return float(match[1]) * _PREFIXES[match[2].lower()]


def _span_option(name: str, text: str) -> object:
    return typer.Option(name, metavar="DURATION", parser=spans.span, show_default=False, help=text)


Inventories = Annotated[
    list[str] | None,
    typer.Option("--inventory", "-i", metavar="FILE", help="Inventory file; may be repeated; - reads standard input."),
]
Interval = Annotated[float, _span_option("--interval", "Time between two samples [60s].")]
Duration = Annotated[float, _span_option("--duration", "How long to sample [1h]; a day tells, a week tells more.")]
Rpo = Annotated[float | None, _span_option("--rpo", "How old a recovery point may become [15m].")]
Link = Annotated[
    float | None,
    typer.Option("--link", metavar="BANDWIDTH", parser=bandwidth, help="What the line to Azure carries: 100Mbit."),
]
Replicated = Annotated[
    bool, typer.Option("--replicated", help="Only machines that are replicated now: what today's limits must carry.")
]
Out = Annotated[
    Path | None,
    typer.Option("--out", metavar="FILE", help="The journal of samples [fleetscan-profile-<time>.jsonl]."),
]
Outputs = Annotated[
    list[str] | None,
    typer.Option("--output", "-o", metavar="FILE", help="Also write the report: .csv or .json, or FORMAT=FILE."),
]
All = Annotated[bool, typer.Option("--all", help="Show every machine and disk, not only the busiest.")]
HostTimeout = Annotated[
    float, typer.Option("--host-timeout", min=1, max=spans.WEEK, metavar="S", help="Seconds for one sample of a host.")
]
Growth = Annotated[
    float | None, typer.Option("--growth", metavar="PERCENT", min=0, max=1000, help="Growth to plan for [30].")
]


def profile(
    inventory: Inventories = None,
    limit: opt.Limit = None,
    data: opt.DataFolder = None,
    interval: Interval = 60.0,
    duration: Duration = 3600.0,
    out: Out = None,
    resume: Annotated[bool, typer.Option("--resume", help="Go on with the journal that --out names.")] = False,
    only_report: Annotated[bool, typer.Option("--report", help="Take no samples: report what --out has.")] = False,
    rpo: Rpo = None,
    growth: Growth = None,
    link: Link = None,
    replicated: Replicated = False,
    output: Outputs = None,
    planner: Annotated[
        Path | None,
        typer.Option("--planner-list", metavar="FILE", help="Write the machines as Microsoft's planner takes them."),
    ] = None,
    everything: All = False,
    concurrency: opt.Concurrency = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    host_timeout: HostTimeout = spans.HOST_SECONDS,
    forget_rejections: opt.ForgetRejections = False,
    color: opt.ColorChoice = opt.Color.AUTO,
) -> None:
    """Sample what machines read and write, and tell what it takes to replicate them.

    Each sample is one read-only visit to each Hyper-V host. Samples are kept as they come; Ctrl+C ends with the report
    of what is there.
    """
    from fleetscan import playbook as playbooks
    from fleetscan.cli.request import Request
    from fleetscan.cli.sampler import Ask, hyperv_only, sample
    from fleetscan.profile import Wishes

    targets = _targets(output or [], [*(inventory or ()), *([str(out)] if out else [])])
    grown = None if growth is None else 1 + growth / 100
    wishes = Wishes(rpo=rpo, growth=grown, link_bits=link, replicated=replicated)
    if only_report:
        path = _named(out, "--report")
        _finish(path, playbooks.load(None, data), wishes, targets, everything=everything, color=color, stopped=False)
    if not inventory:
        raise InputError.of("-i", "is missing", "name the inventory with the Hyper-V hosts, or add --report")
    request = Request(
        inventory=tuple(inventory),
        limit=limit,
        data=data,
        concurrency=concurrency,
        connect_timeout=connect_timeout,
        host_timeout=host_timeout,
    )
    new = Path(f"fleetscan-profile-{datetime.now(UTC):%Y%m%d-%H%M}.jsonl")
    journal = _named(out, "--resume") if resume else out or new
    ask = Ask(interval=interval, duration=duration, out=journal, resume=resume, planner=planner)
    prepared = hyperv_only(request)
    stopped = sample(prepared, ask, forget_rejections=forget_rejections)
    _finish(journal, prepared.book, wishes, targets, everything=everything, color=color, stopped=stopped)


def _named(out: Path | None, option: str) -> Path:
    if out is None:
        raise InputError.of(option, "which journal?", "name it with --out FILE")
    return out


def _targets(options: Sequence[str], taken: Sequence[str]) -> tuple[ReportTarget, ...]:
    """Where the report goes. Raises InputError, also for formats that a profile does not have."""
    from fleetscan.report import check_writable, target_list
    from fleetscan.report.profile_rows import FORMATS

    targets = target_list(options)
    wrong = [
        Problem(f"-o {target.path}", "a profile is written as .csv or .json", "name such a file")
        for target in targets
        if target.format not in FORMATS
    ]
    if wrong:
        raise InputError(wrong)
    check_writable(targets, taken)
    return targets


def _finish(
    path: Path,
    book: Playbook,
    wishes: Wishes,
    targets: Sequence[ReportTarget],
    *,
    everything: bool,
    color: opt.Color,
    stopped: bool,
) -> None:
    """Report what the journal has, and exit."""
    from fleetscan.cli.present import colors, width
    from fleetscan.cli.sampler import TOTALS
    from fleetscan.profile import read_journal, summarize
    from fleetscan.report import STANDARD_OUTPUT
    from fleetscan.report.profile_table import render

    used = tuple(source for source in book.data if source.id in LISTS)
    report = summarize(read_journal(path), book.probes[TOTALS].shape, book.lists, used, wishes)
    report = replace(report, interrupted=stopped)
    status = _status(report)
    written = [_write(report, target) for target in targets]
    if not any(target.path == STANDARD_OUTPUT for target in targets):
        columns = width()
        shown = [*written, str(path)]
        typer.echo(
            render(report, width=columns, color=colors(color), everything=everything, written=shown, exit_status=status)
        )
    raise typer.Exit(status)


def _write(report: ProfileReport, target: ReportTarget) -> str:
    from fleetscan.report import STANDARD_OUTPUT, files
    from fleetscan.report.profile_rows import render

    def parts() -> Iterator[bytes]:
        return (part.encode() for part in render(report, target.format))

    if target.path == STANDARD_OUTPUT:
        files.write_standard_output(parts, spare="fleetscan-profile-")
    else:
        files.write(Path(target.path), parts, spare="fleetscan-profile-")
    return f"{target.path} ({len(report.rows):,} rows)"


def _status(report: ProfileReport) -> ExitStatus:
    """As a scan: interrupted, then what does not fit, then what was not measured."""
    from fleetscan.model.finding import Status

    if report.interrupted:
        return ExitStatus.INTERRUPTED
    if any(row.status is Status.FAIL for row in report.rows):
        return ExitStatus.FINDINGS
    return ExitStatus.INCOMPLETE if report.gaps or not report.rows[0].samples else ExitStatus.COMPLIANT
