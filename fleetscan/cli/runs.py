"""`fleetscan runs`: the runs that a store keeps, told, compared, judged again, removed."""

from __future__ import annotations

import json
import shlex
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.cli.options import (
    All,
    AsJson,
    Color,
    ColorChoice,
    CsvBom,
    CsvDelimiter,
    DataFolder,
    Keep,
    KeepFacts,
    Outputs,
    PlaybookName,
    Quiet,
    Show,
    StoreUrl,
    TicketColumns,
    WaiverFiles,
    days,
    report_options,
    show,
)
from fleetscan.errors import ExitStatus

if TYPE_CHECKING:
    from fleetscan.model.run import RunReport, RunSummary
    from fleetscan.report.options import ReportOptions
    from fleetscan.store import Store

app = typer.Typer(no_args_is_help=True, rich_markup_mode=None)

RunArgument = Annotated[str, typer.Argument(metavar="ID", help="Its id, the beginning of it, last, or last~1.")]


@app.command("list")
def list_runs(
    limit: Annotated[int, typer.Option("--limit", "-n", min=1, metavar="N", help="The newest N.")] = 30,
    as_json: AsJson = False,
    store: StoreUrl = None,
) -> None:
    """Show the runs, newest first."""
    from tabulate import tabulate

    from fleetscan.cli import run_tables as tables
    from fleetscan.store import open_store

    with open_store(store) as runs:
        found = runs.runs(limit)
    if as_json:
        typer.echo(json.dumps([tables.summary(run) for run in found], indent=2))
    elif not found:
        typer.echo("There is no run yet: fleetscan scan makes one.")
    else:
        rows = [tables.row(run) for run in found]
        typer.echo(tabulate(rows, tables.HEADERS, tablefmt="plain", disable_numparse=True, colalign=tables.ALIGNMENT))


@app.command("show")
def show_run(
    run: RunArgument = "last",
    output: Outputs = None,
    everything: All = False,
    quiet: Quiet = False,
    csv_delimiter: CsvDelimiter = ",",
    csv_bom: CsvBom = False,
    ticket_columns: TicketColumns = None,
    store: StoreUrl = None,
    color: ColorChoice = Color.AUTO,
) -> None:
    """Show a run as it was told when it ended; of an unfinished one what there is, and how to go on."""
    from fleetscan.cli.kept import bare, load
    from fleetscan.store import open_store

    wanted, options = show(everything, quiet), report_options(csv_delimiter, csv_bom, ticket_columns)
    with open_store(store) as runs:
        report, summary = load(runs, run)
        again = _unfinished(runs, summary, store)
    options = replace(options, command=bare(summary.command))
    if _tell(report, output or (), wanted, color, options, again) is ExitStatus.INTERNAL:
        raise typer.Exit(ExitStatus.INTERNAL)


@app.command()
def export(
    output: Outputs,
    run: RunArgument = "last",
    csv_delimiter: CsvDelimiter = ",",
    csv_bom: CsvBom = False,
    ticket_columns: TicketColumns = None,
    store: StoreUrl = None,
) -> None:
    """Write reports of a run: the formats of `scan -o`."""
    show_run(
        run,
        output,
        quiet=True,
        csv_delimiter=csv_delimiter,
        csv_bom=csv_bom,
        ticket_columns=ticket_columns,
        store=store,
    )


@app.command()
def diff(
    earlier: RunArgument = "last~1",
    later: RunArgument = "last",
    everything: All = False,
    as_json: AsJson = False,
    store: StoreUrl = None,
    color: ColorChoice = Color.AUTO,
) -> None:
    """Show what changed between two runs: new, fixed, still failing, no longer assessed, newly assessed, moved."""
    from fleetscan.cli import run_tables as tables
    from fleetscan.cli.past import resolve
    from fleetscan.cli.present import colors, width
    from fleetscan.report.changes import render
    from fleetscan.store import open_store

    with open_store(store) as runs:
        first, second = resolve(runs, earlier), resolve(runs, later)
        found = runs.diff(first, second)
    if as_json:
        typer.echo(json.dumps(tables.history(found, second if found.previous_run == first else first), indent=2))
    else:
        typer.echo(render(found, width=width(), color=colors(color), everything=everything))


@app.command()
def evaluate(
    run: RunArgument = "last",
    playbook: PlaybookName = None,
    data: DataFolder = None,
    waivers: WaiverFiles = None,
    output: Outputs = None,
    everything: All = False,
    quiet: Quiet = False,
    store: StoreUrl = None,
    color: ColorChoice = Color.AUTO,
) -> None:
    """Judge what the hosts of a run answered by today's checks, without touching a host. The store is not changed."""
    from fleetscan.cli import kept
    from fleetscan.report.options import DEFAULTS
    from fleetscan.store import open_store

    wanted = show(everything, quiet)
    with open_store(store) as runs:
        report = kept.evaluate(runs, run, playbook, data, waivers)
    raise typer.Exit(_tell(report, output or (), wanted, color, DEFAULTS, ""))


@app.command()
def prune(
    keep: Keep = None,
    keep_runs: Annotated[
        int, typer.Option("--keep-runs", min=0, metavar="N", help="Keep the last N runs of each playbook.")
    ] = 0,
    keep_facts: KeepFacts = None,
    store: StoreUrl = None,
) -> None:
    """Remove old runs, and the facts of runs that stay. The last finished run of a playbook always stays."""
    from fleetscan.store import open_store

    if keep is None and not keep_runs and keep_facts is None:
        raise typer.BadParameter("say what to keep: --keep 365d, --keep-runs N, --keep-facts N")
    with open_store(store) as runs:
        pruned = runs.prune(keep_runs=keep_runs, keep_days=days(keep), facts_runs=keep_facts)
    for word, removed in (("removed", pruned.runs), ("removed the facts of", pruned.facts)):
        for run in removed:
            typer.echo(f"{word} {run}")
    typer.echo(f"{len(pruned.runs)} runs removed, {len(pruned.facts)} runs lost their facts.")


@app.command("import")
def bring_in(
    file: Annotated[str, typer.Argument(metavar="FILE", help="Another store: the file of a run that lost its own.")],
    store: StoreUrl = None,
) -> None:
    """Take over the runs of another store, such as the file that a scan wrote when its own store went away."""
    from pathlib import Path

    from fleetscan.errors import InputError
    from fleetscan.store import open_store

    if "://" not in file and not Path(file).is_file():
        raise InputError.of(file, "there is no such file", "check the path")
    with open_store(store) as runs, open_store(file) as other:
        taken = runs.bring_in(other)
        where = runs.shown
    for run in taken:
        typer.echo(f"took {run} over into {where}")
    typer.echo(f"{len(taken)} runs taken over." if taken else "Every run of it is here already.")


def _unfinished(runs: Store, summary: RunSummary, store: str | None) -> str:
    """How to go on with a run that is not finished; tells who is making it, or how far it came."""
    from fleetscan.cli.exclusive import maker
    from fleetscan.report.names import fold_text

    pending = runs.pending(summary.run_id)
    if not pending:
        return ""
    making = maker(summary.run_id)
    names = fold_text([host.name for host in pending], 200)
    state = f"under way{making}" if making else summary.state.value
    text = f"run {summary.run_id} is {state}: {len(pending)} of {summary.hosts} hosts are still to be visited: {names}"
    typer.echo(text, err=True)
    named = ["--store", store] if store and "://" not in store else []
    return "" if making else shlex.join(["fleetscan", "scan", "--resume", "--run", summary.run_id, *named])


def _tell(
    report: RunReport, output: Sequence[str], wanted: Show, color: Color, options: ReportOptions, again: str
) -> ExitStatus:
    """Write the reports and print the table; returns how a scan that came to this would have ended."""
    from fleetscan.cli.present import present, save
    from fleetscan.report import check_writable, target_list
    from fleetscan.scan.outcome import exit_status

    targets = target_list(output)
    check_writable(targets)
    status, written = save(report, targets, exit_status(report), options)
    present(report, targets, None, show=wanted, color=color, written=written, again=again)
    return status
