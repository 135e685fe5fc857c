"""`fleetscan demo`: the main job on simulated hosts, nothing to configure."""

from __future__ import annotations

import io
import os
import shutil
import sys
import textwrap
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import typer

from fleetscan.cli import options as opt
from fleetscan.errors import ExitStatus
from fleetscan.model.playbook import Severity

if TYPE_CHECKING:
    from fleetscan.scan import Scan


def demo(
    output: opt.Outputs = None,
    everything: opt.All = False,
    quiet: opt.Quiet = False,
    color: opt.ColorChoice = opt.Color.AUTO,
) -> None:
    """Scan a simulated fleet: real WinRM and SSH connections on this machine, simulated Windows behind them."""
    from fleetscan import inventory as inventories
    from fleetscan import playbook as playbooks
    from fleetscan.cli.present import present, save
    from fleetscan.cli.running import conduct, reports_first
    from fleetscan.credentials import Vault
    from fleetscan.lab import Choice, Lab, PowerShellEngine, demo_fleet, engine
    from fleetscan.report import check_writable, target_list
    from fleetscan.scan import Scan, ScanOptions
    from fleetscan.scan.outcome import exit_status, new_run_id, run_report

    show = opt.show(everything, quiet)
    targets = target_list(output or [])
    check_writable(targets)
    book = playbooks.load(None)

    async def make(conduct: Callable[[Scan], Awaitable[None]]) -> None:
        choice = Choice.REAL if PowerShellEngine.find() else Choice.DIRECT
        async with Lab(demo_fleet(), engine=engine(choice)) as lab:
            _tell(f"Starting a simulated fleet, {lab.describe()}.")
            os.environ.update(lab.environment)
            fleet = inventories.load(["-"], io.StringIO(lab.inventory()))
            vault = Vault(fleet.credentials)
            vault.prepare({host.credential for host in fleet.hosts})
            scan_options = ScanOptions(connect_timeout=3, host_timeout=30)
            await conduct(Scan(fleet, fleet.hosts, book, vault, scan_options))

    with reports_first():
        started_at = datetime.now(UTC)
        conducted = conduct(make, show_progress=show is not opt.Show.QUIET)
        report = run_report(
            conducted.scan,
            conducted.scan.collect(),
            book,
            run_id=new_run_id(started_at),
            started_at=started_at,
            fail_on=Severity.LOW,
            interrupted=conducted.interrupted,
        )
        status = exit_status(report)
        ending, written = save(report, targets, status)
    present(report, targets, status, show=show, color=color, written=written, again="")
    if report.interrupted or ending is ExitStatus.INTERNAL:
        raise typer.Exit(ending)
    _tell(
        f"Every host above was simulated. A scan of real hosts would have ended with {status.value}; "
        "the demo itself succeeded."
    )


def _tell(text: str) -> None:
    """A notice for people, in the width of their terminal."""
    print(textwrap.fill(text, shutil.get_terminal_size().columns), file=sys.stderr)
