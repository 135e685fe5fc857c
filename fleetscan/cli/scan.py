"""`fleetscan scan`: the main job."""

from __future__ import annotations

import typer

from fleetscan.cli import options as opt
from fleetscan.cli import spans
from fleetscan.model.playbook import Severity


def scan(
    inventory: opt.InventoryFiles,
    limit: opt.Limit = None,
    playbook: opt.PlaybookName = None,
    data: opt.DataFolder = None,
    waivers: opt.WaiverFiles = None,
    check: opt.Checks = None,
    tag: opt.Tags = None,
    output: opt.Outputs = None,
    csv_delimiter: opt.CsvDelimiter = ",",
    csv_bom: opt.CsvBom = False,
    fail_on: opt.FailOn = Severity.LOW,
    everything: opt.All = False,
    quiet: opt.Quiet = False,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would be contacted and asked; contact nothing."),
    concurrency: opt.Concurrency = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    host_timeout: spans.HostTimeout = None,
    run_timeout: opt.RunTimeout = 0.0,
    sample: spans.Sample = 0.0,
    forget_rejections: opt.ForgetRejections = False,
    color: opt.ColorChoice = opt.Color.AUTO,
) -> None:
    """Visit the hosts of an inventory, run the checks of a playbook, and show what is not as it should be.

    Nothing on any host is changed.
    """
    from fleetscan.cli.night import Manner, perform
    from fleetscan.cli.request import Request

    request = Request(
        inventory=tuple(inventory),
        limit=limit,
        playbook=playbook,
        data=data,
        waivers=tuple(waivers or ()),
        checks=tuple(check or ()),
        tags=tuple(tag or ()),
        fail_on=fail_on,
        concurrency=concurrency,
        connect_timeout=connect_timeout,
        host_timeout=spans.host_seconds(host_timeout, sample),
        run_timeout=run_timeout,
        sample=sample,
    )
    manner = Manner(
        output=tuple(output or ()),
        reports=opt.report_options(csv_delimiter, csv_bom),
        show=opt.show(everything, quiet),
        color=color,
        dry_run=dry_run,
        forget_rejections=forget_rejections,
    )
    raise typer.Exit(perform(request, manner))
