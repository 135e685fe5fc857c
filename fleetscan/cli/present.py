"""What a person sees at the end of a run: the files that were written, the table, the last line."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence

from fleetscan.cli.options import Color, Show
from fleetscan.errors import ExitStatus, FleetscanError
from fleetscan.model.run import RunReport
from fleetscan.report import STANDARD_OUTPUT, ReportTarget

AGAIN_HOSTS = 6
"""How many hosts the last line names at most; a longer command is nothing to copy by hand."""


def present(
    report: RunReport, targets: Sequence[ReportTarget], status: ExitStatus, *, show: Show, color: Color, command: str
) -> ExitStatus:
    """Write the reports, print the table unless a report owns standard output, and say how the process should end.

    `command` is the scan command without a host pattern; it is repeated for the hosts that were not assessed.
    """
    from fleetscan.report import write
    from fleetscan.report.table import render

    written: list[str] = []
    for target in targets:
        try:
            written.append(write(report, target))
        except FleetscanError as error:
            print(f"fleetscan: {error.message}", file=sys.stderr)
            status = ExitStatus.INTERNAL
    if any(target.path == STANDARD_OUTPUT for target in targets):
        return status
    text = render(
        report,
        width=_width(),
        color=_colors(color),
        show=show.value,
        written=written,
        exit_status=status,
        again=_again(report, command),
    )
    print(text)
    return status


def _again(report: RunReport, command: str) -> str:
    names = [host.host.name for host in report.hosts if host.trouble is not None]
    if not names or not command or len(names) > AGAIN_HOSTS:
        return ""
    return f"{command} -l {shlex.quote(','.join(names))}"


def _width() -> int:
    """The terminal's width; a pipe gets 120 columns unless COLUMNS says otherwise."""
    return shutil.get_terminal_size((120, 24)).columns


def _colors(choice: Color) -> bool:
    if choice is not Color.AUTO:
        return choice is Color.ALWAYS
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
