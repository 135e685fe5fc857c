"""What a person sees at the end of a run: the reports are written, then the table is printed."""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import sys
from collections.abc import Sequence
from dataclasses import replace

from fleetscan.cli.options import Color, Show
from fleetscan.errors import ExitStatus, FleetscanError
from fleetscan.model.run import RunReport
from fleetscan.report import STANDARD_OUTPUT, ReportTarget
from fleetscan.report.options import DEFAULTS, ReportOptions

WHOLE = 10_000
"""Columns of the one line for a mail or a log, which is not cut."""


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
    status: ExitStatus | None,
    *,
    show: Show,
    color: Color,
    written: Sequence[str],
    again: str,
) -> None:
    """Print the table, unless a report owns standard output. `again` is the command that is worth running next."""
    from fleetscan.report.table import render

    if any(target.path == STANDARD_OUTPUT for target in targets):
        return
    columns = WHOLE if show is Show.QUIET and not sys.stdout.isatty() else width()
    text = render(
        report,
        width=columns,
        color=colors(color),
        show=show.value,
        written=written,
        exit_status=status,
        again=again,
    )
    try:
        print(text, flush=True)
    except BrokenPipeError:
        close_stdout()  # who went away has read enough; the run ends as it would have
    except OSError as error:
        close_stdout()
        raise FleetscanError(
            f"the table cannot be written to standard output: {error.strerror}",
            hint="free some space, and scan again with -o FILE: a report in a file is never lost",
        ) from error


def close_stdout() -> None:
    """Nobody takes what we write: let Python's last flush go nowhere instead of complaining."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def width() -> int:
    """The terminal's width, also of the one behind a pager; else 120 columns, unless COLUMNS says otherwise."""
    beyond = 120
    with contextlib.suppress(OSError, ValueError):  # a stream may have no file behind it
        if stat.S_ISFIFO(os.fstat(sys.stdout.fileno()).st_mode):
            beyond = os.get_terminal_size(sys.stderr.fileno()).columns or beyond
    return shutil.get_terminal_size((beyond, 24)).columns


def colors(choice: Color) -> bool:
    """Whether to use colours."""
    if choice is not Color.AUTO:
        return choice is Color.ALWAYS
    return sys.stdout.isatty() and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
