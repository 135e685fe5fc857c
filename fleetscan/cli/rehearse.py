"""`fleetscan playbook test`: do the checks of a playbook say what their authors expect?"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.cli.options import Checks, DataFolder
from fleetscan.errors import ExitStatus

if TYPE_CHECKING:
    from fleetscan.rehearsal import Performance, Rehearsal, Suite


def rehearse(
    name: Annotated[
        str, typer.Argument(metavar="[NAME|PATH]", help="A built-in playbook, or a folder.")
    ] = "asr-hyperv",
    checks: Checks = None,
    data: DataFolder = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Show every case, not only those that fail.")
    ] = False,
    strict: Annotated[bool, typer.Option("--strict", help="Exit with 3 when a check lacks cases, too.")] = False,
    execute: Annotated[
        bool,
        typer.Option("--execute", help="Also run the probes, in PowerShell with stand-ins, and compare their answers."),
    ] = False,
) -> None:
    """Judge the written cases of a playbook's `tests` folder. Nothing is contacted.

    Exit codes: 0 as expected · 2 a file is wrong · 3 a case fails.
    """
    from fleetscan import playbook as playbooks
    from fleetscan import rehearsal

    folder, _ = playbooks.locate(name)
    book = playbooks.load(name, data)
    suite = rehearsal.load(book, folder)
    chosen = playbooks.select(book, checks or ()).checks
    cases = [case for case in suite.rehearsals if case.check in chosen]
    done = rehearsal.rehearse(book, cases)
    for performance in done:
        if performance.differences or verbose:
            typer.echo(performance.line)
    typer.echo(_summary(done))
    failed = any(performance.differences for performance in done)
    gaps = rehearsal.gaps(chosen, cases)
    for gap in gaps:
        typer.echo(f"warning: {gap.line(whole=verbose)}", err=True)
    if execute:
        failed = _execute(suite, cases) or failed
    if failed or (strict and gaps):
        raise typer.Exit(ExitStatus.FINDINGS)


def _summary(done: tuple[Performance, ...]) -> str:
    failed = sum(bool(performance.differences) for performance in done)
    checks = len({performance.rehearsal.check.id for performance in done})
    end = f"{failed} failed" if failed else "all as expected"
    return f"{_counted(len(done), 'case')} of {_counted(checks, 'check')}: {end}"


def _execute(suite: Suite, cases: list[Rehearsal]) -> bool:
    """Run the probes; whether an answer was another one than the case says."""
    import anyio

    from fleetscan.rehearsal import execution

    report = anyio.run(execution.execute, suite.playbook, cases)
    for line in report.lines:
        typer.echo(line)
    typer.echo(report.summary)
    for line in report.skipped:
        typer.echo(f"skipped: {line}", err=True)
    return bool(report.lines)


def _counted(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
