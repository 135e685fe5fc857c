"""The command that is worth running after an incomplete run, ready to be copied."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from typing import TYPE_CHECKING

from fleetscan.model.reasons import Reason

if TYPE_CHECKING:
    from fleetscan.cli.request import Request
    from fleetscan.model.run import RunReport

LONGEST_PATTERN = 60
"""Columns of a host pattern: a longer one would be broken over two lines, and could not be copied."""


def again(report: RunReport, request: Request, store_words: Sequence[str] | None) -> str:
    """The command that visits the hosts that were not assessed; empty where all were.

    `store_words` are the options that name the store that the run is in; None where it is in none, so that the command
    must say everything itself.
    """
    troubles = [(host.host.name, host.trouble.reason) for host in report.hosts if host.trouble is not None]
    if not troubles:
        return ""
    if store_words is None:
        from fleetscan.report.names import pattern_of

        pattern = shlex.quote(pattern_of([name for name, _ in troubles]))
        command = request.command()
        return f"{command} -l {pattern}" if command and len(pattern) <= LONGEST_PATTERN else ""
    cut_off = any(reason in (Reason.CANCELLED, Reason.TIMEOUT_RUN) for _, reason in troubles)
    what = ["--resume"] if cut_off else ["--rerun", "unreachable"]
    source = ["-i", "-"] if "-" in request.inventory else []
    return shlex.join(["fleetscan", "scan", *source, *what, "--run", report.run_id, *store_words])
