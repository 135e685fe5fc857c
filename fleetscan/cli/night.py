"""One run from its files to its exit code: what `scan` does once its options are known."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleetscan.cli.options import Color, Show
from fleetscan.errors import ExitStatus
from fleetscan.report.options import DEFAULTS, ReportOptions

if TYPE_CHECKING:
    from fleetscan.cli.request import Request
    from fleetscan.scan import Scan


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a run is made and told: none of this changes what it finds."""

    output: tuple[str, ...] = ()
    reports: ReportOptions = DEFAULTS
    show: Show = Show.PROBLEMS
    color: Color = Color.AUTO
    dry_run: bool = False
    forget_rejections: bool = False


def perform(request: Request, manner: Manner) -> ExitStatus:
    """Make a run, write its reports, print its table; returns how the process should end."""
    from fleetscan.cli.prepare import make_scan, preview, read
    from fleetscan.cli.present import present, save
    from fleetscan.cli.running import reports_first, run_scan
    from fleetscan.report import check_writable, target_list
    from fleetscan.scan.outcome import exit_status, new_run_id

    options = replace(manner.reports, command=replace(request, checks=(), tags=()).command())
    targets = target_list(manner.output)
    check_writable(targets)
    prepared = read(request)
    if manner.dry_run:
        print(preview(prepared))
        return ExitStatus.COMPLIANT
    scan = make_scan(prepared, forget_rejections=manner.forget_rejections)

    async def make(conduct: Callable[[Scan], Awaitable[None]]) -> None:
        await conduct(scan)

    with reports_first():
        report = run_scan(
            make,
            prepared.book,
            run_id=new_run_id(datetime.now(UTC)),
            fail_on=request.fail_on,
            show_progress=manner.show is not Show.QUIET,
        )
        report = replace(report, notices=(*report.notices, *prepared.waivers.notices(report.hosts)))
        status, written = save(report, targets, exit_status(report), options)
    present(report, targets, status, show=manner.show, color=manner.color, written=written, command=request.command())
    return status
