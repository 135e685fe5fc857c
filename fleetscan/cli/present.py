"""What a person sees at the end of a run: the reports are written, then the table is printed."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from collections.abc import Sequence
from dataclasses import replace

from fleetscan.cli.options import Color, Show
from fleetscan.errors import ExitStatus, FleetscanError
from fleetscan.model.run import RunReport
from fleetscan.report import STANDARD_OUTPUT, ReportTarget
from fleetscan.report.names import pattern_of
from fleetscan.report.options import DEFAULTS, ReportOptions

AGAIN_MARGIN = 8
"""Columns that the pattern of the next command leaves free: broken over two lines it could not be copied."""


def save(
    report: RunReport, targets: Sequence[ReportTarget], status: ExitStatus, options: ReportOptions = DEFAULTS
) -> tuple[ExitStatus, Sequence[str]]:
    """Write the reports; returns how the process should end, and what to tell of the files."""
    from fleetscan.report import write

    options = replace(options, exit_status=status)
    written: list[str] = []
    for target in targets:
        try:
            written.append(write(report, target, options))
        except FleetscanError as error:
            print(f"fleetscan: {error.message}" + (f"; {error.hint}" if error.hint else ""), file=sys.stderr)
            status = ExitStatus.INTERNAL
    return status, written


def present(
    report: RunReport,
    targets: Sequence[ReportTarget],
    status: ExitStatus,
    *,
    show: Show,
    color: Color,
    written: Sequence[str],
    command: str,
) -> None:
    """Print the table, unless a report owns standard output.

    `command` is the scan command without a host pattern; it is repeated for the hosts that were not assessed.
    """
    from fleetscan.report.table import render

    if any(target.path == STANDARD_OUTPUT for target in targets):
        return
    width = _width()
    text = render(
        report,
        width=width,
        color=_colors(color),
        show=show.value,
        written=written,
        exit_status=status,
        again=_again(report, command, width - AGAIN_MARGIN),
    )
    try:
        print(text, flush=True)
    except BrokenPipeError:
        raise
    except OSError as error:
        close_stdout()
        raise FleetscanError(
            f"the table cannot be written to standard output: {error.strerror}",
            hint="free some space, and scan again with -o FILE: a report in a file is never lost",
        ) from error


def close_stdout() -> None:
    """Nobody takes what we write: let Python's last flush go nowhere instead of complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _again(report: RunReport, command: str, width: int) -> str:
    names = [host.host.name for host in report.hosts if host.trouble is not None]
    if not names or not command:
        return ""
    pattern = shlex.quote(pattern_of(names))
    return f"{command} -l {pattern}" if len(pattern) <= width else ""


def _width() -> int:
    """The terminal's width; a pipe gets 120 columns unless COLUMNS says otherwise."""
    return shutil.get_terminal_size((120, 24)).columns


def _colors(choice: Color) -> bool:
    if choice is not Color.AUTO:
        return choice is Color.ALWAYS
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
