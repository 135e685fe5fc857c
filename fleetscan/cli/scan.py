"""`fleetscan scan`: the main job."""

from __future__ import annotations

import shlex
import sys
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from fleetscan.cli import options as opt
from fleetscan.errors import InputError
from fleetscan.model.playbook import Severity

if TYPE_CHECKING:
    from fleetscan.model.host import Host, Inventory
    from fleetscan.model.playbook import Playbook
    from fleetscan.scan import Scan, ScanOptions


def scan(
    inventory: opt.InventoryFiles,
    limit: opt.Limit = None,
    playbook: opt.PlaybookName = None,
    data: opt.DataFolder = None,
    check: opt.Checks = None,
    tag: opt.Tags = None,
    output: opt.Outputs = None,
    fail_on: opt.FailOn = Severity.LOW,
    everything: opt.All = False,
    quiet: opt.Quiet = False,
    dry_run: bool = typer.Option(False, "--dry-run", help="Show what would be contacted and asked; contact nothing."),
    concurrency: opt.Concurrency = 64,
    connect_timeout: opt.ConnectTimeout = 10.0,
    host_timeout: opt.HostTimeout = 120.0,
    run_timeout: opt.RunTimeout = 0.0,
    forget_rejections: opt.ForgetRejections = False,
    color: opt.ColorChoice = opt.Color.AUTO,
) -> None:
    """Visit the hosts of an inventory, run the checks of a playbook, and show what is not as it should be.

    Nothing on any host is changed.
    """
    from fleetscan import inventory as inventories
    from fleetscan import playbook as playbooks
    from fleetscan.cli.present import present, save
    from fleetscan.cli.running import reports_first, run_scan
    from fleetscan.report import check_writable, target_list
    from fleetscan.scan import ScanOptions
    from fleetscan.scan.outcome import exit_status, new_run_id

    show = opt.show(everything, quiet)
    targets = target_list(output or [])
    check_writable(targets)
    book = playbooks.select(playbooks.load(playbook, data), check or [], tag or [])
    fleet = inventories.load(inventory, sys.stdin)
    hosts = inventories.select(fleet, limit, sys.stdin)
    inventories.check_files(hosts)
    if dry_run:
        typer.echo(_preview(hosts, book))
        return
    wanted = ScanOptions(
        concurrency=concurrency,
        connect_timeout=connect_timeout,
        host_timeout=host_timeout,
        run_timeout=run_timeout,
    )
    prepared = _prepare(fleet, hosts, book, wanted, forget_rejections=forget_rejections)

    async def make(conduct: Callable[[Scan], Awaitable[None]]) -> None:
        await conduct(prepared)

    with reports_first():
        report = run_scan(
            make, book, run_id=new_run_id(datetime.now(UTC)), fail_on=fail_on, show_progress=show is not opt.Show.QUIET
        )
        status, written = save(report, targets, exit_status(report))
    command = _command(inventory, playbook, data, check or [], tag or [])
    present(report, targets, status, show=show, color=color, written=written, command=command)
    raise typer.Exit(status)


def _prepare(
    fleet: Inventory, hosts: tuple[Host, ...], book: Playbook, wanted: ScanOptions, *, forget_rejections: bool
) -> Scan:
    """A scan that can start: its libraries and secrets are there. What is worth a notice goes to standard error."""
    from fleetscan.cli.logs import redact_log
    from fleetscan.credentials import Vault
    from fleetscan.scan import Scan
    from fleetscan.scan.capacity import affordable
    from fleetscan.scan.memory import RejectionMemory
    from fleetscan.transports import not_installed

    missing = not_installed(hosts)
    if missing:
        raise InputError(missing)
    vault = Vault(fleet.credentials)
    redact_log(vault.redactor)
    credentials = {host.credential for host in hosts}
    notices = [*fleet.notices, *vault.prepare(credentials)]
    possible, shortage = affordable(wanted.concurrency)
    for notice in (*notices, *([shortage] if shortage else [])):
        print(f"notice: {notice}", file=sys.stderr)
    memory = RejectionMemory()
    if forget_rejections:
        for credential in credentials:
            memory.forget(fleet.credentials[credential].username)
    return Scan(fleet, hosts, book, vault, replace(wanted, concurrency=possible), memory)


def _command(
    inventory: Sequence[str], playbook: str | None, data: str | None, checks: Sequence[str], tags: Sequence[str]
) -> str:
    """The command that asks the same once more; empty where it cannot be repeated: standard input is read."""
    if "-" in inventory:
        return ""
    options = [("-i", path) for path in inventory]
    options += [("-p", playbook)] if playbook else []
    options += [("--data", data)] if data else []
    options += [("--check", check) for check in checks]
    options += [("--tag", tag) for tag in tags]
    return shlex.join(["fleetscan", "scan", *(word for option in options for word in option)])


def _preview(hosts: tuple[Host, ...], book: Playbook) -> str:
    """What a scan would do: each host with its way in, each payload with its hash."""
    from tabulate import tabulate

    from fleetscan.powershell.payload import build
    from fleetscan.report.words import plural

    rows = []
    for host in hosts:
        settings = host.winrm if host.transport == "winrm" else host.ssh
        way = f"{host.winrm.scheme}, {host.winrm.auth}" if host.transport == "winrm" else "ssh"
        payload = build(book, host.roles)
        roles = ", ".join(host.roles)
        address = f"[{host.address}]" if ":" in host.address else host.address
        rows.append([host.name, roles, f"{address}:{settings.port}", way, host.credential, payload.sha256[:12]])
    table = tabulate(
        rows, ["host", "roles", "address", "by", "credential", "payload"], tablefmt="plain", disable_numparse=True
    )
    counts = f"{plural(len(hosts), 'host')}, {plural(len(book.checks), 'check')}"
    return f"{table}\n\n{counts} of {book.name}; nothing was contacted."
