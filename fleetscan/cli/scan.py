"""`fleetscan scan`: the main job."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from fleetscan.cli import options as opt
from fleetscan.cli import spans
from fleetscan.model.playbook import Severity

if TYPE_CHECKING:
    from fleetscan.cli.past import Past


def scan(
    context: typer.Context,
    inventory: opt.MaybeInventoryFiles = None,
    limit: opt.Limit = None,
    playbook: opt.PlaybookName = None,
    data: opt.DataFolder = None,
    waivers: opt.WaiverFiles = None,
    check: opt.Checks = None,
    tag: opt.Tags = None,
    output: opt.Outputs = None,
    csv_delimiter: opt.CsvDelimiter = ",",
    csv_bom: opt.CsvBom = False,
    ticket_columns: opt.TicketColumns = None,
    fail_on: opt.FailOn = Severity.LOW,
    since: opt.Since = None,
    everything: opt.All = False,
    quiet: opt.Quiet = False,
    resume: Annotated[bool, typer.Option("--resume", help="Finish the last unfinished run, or --run.")] = False,
    rerun: opt.Rerun = None,
    run: opt.RunId = None,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would be contacted and asked; contact nothing."),
    concurrency: opt.Concurrency = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    host_timeout: spans.HostTimeout = None,
    run_timeout: opt.RunTimeout = 0.0,
    sample: spans.Sample = None,
    forget_rejections: opt.ForgetRejections = False,
    store: opt.StoreUrl = None,
    no_store: Annotated[bool, typer.Option("--no-store", help="Keep nothing of this run but its reports.")] = False,
    keep: opt.Keep = None,
    keep_facts: opt.KeepFacts = None,
    on_change: opt.OnChange = None,
    log_file: opt.LogFile = None,
    lock: opt.Lock = None,
    color: opt.ColorChoice = opt.Color.AUTO,
) -> None:
    """Visit the hosts of an inventory, run the checks of a playbook, and show what is not as it should be.

    Nothing on any host is changed.
    """
    from fleetscan.cli.night import Manner, perform
    from fleetscan.cli.request import Request

    given = frozenset(name for name in context.params if _is_given(context, name))
    past = _past(resume, rerun, run, given)
    if past is None and not inventory:
        raise typer.BadParameter("name one with -i FILE", param_hint="'--inventory' / '-i'")
    if no_store and (
        sample == spans.LAST or any(one is not None for one in (since, on_change, past, keep, keep_facts))
    ):
        wrong = "--since, --on-change, --resume, --rerun, --keep and --sample last need a store"
        raise typer.BadParameter(f"{wrong}: --no-store excludes them")
    request = Request(
        inventory=tuple(inventory or ()),
        limit=limit,
        playbook=playbook,
        data=data,
        waivers=tuple(waivers or ()),
        check=tuple(check or ()),
        tag=tuple(tag or ()),
        output=tuple(output or ()),
        fail_on=fail_on,
        concurrency=concurrency,
        connect_timeout=connect_timeout,
        host_timeout=spans.host_seconds(host_timeout, spans.sample_seconds(sample)),
        run_timeout=run_timeout,
        sample=sample,
    )
    manner = Manner(
        reports=opt.report_options(csv_delimiter, csv_bom, ticket_columns),
        show=opt.show(everything, quiet),
        color=color,
        dry_run=dry_run,
        forget_rejections=forget_rejections,
        keeps=not no_store,
        store=store,
        store_words=("--store", store) if store and "store" in given and "://" not in store else (),
        since=since,
        keep_days=opt.days(keep),
        keep_facts=keep_facts,
        log_file=log_file,
        lock=lock,
        on_change=on_change,
    )
    raise typer.Exit(perform(request, manner, past))


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _past(resume: bool, rerun: opt.Which | None, run: str | None, given: frozenset[str]) -> Past | None:
    """What is wanted of an earlier run, if anything."""
    from fleetscan.cli.past import Past

    if resume and rerun is not None:
        raise typer.BadParameter("--resume and --rerun exclude each other")
    if not resume and rerun is None:
        if run is not None:
            raise typer.BadParameter("--run needs --resume or --rerun")
        return None
    for name in ("limit", "check", "tag") if resume else ("limit",):
        if name in given:
            raise typer.BadParameter(f"--{name} cannot be given: the run knows what it is of")
    return Past(run, rerun, given)
