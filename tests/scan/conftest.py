"""Scans of lab fleets, as the command line makes them."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest

from fleetscan import inventory as inventories
from fleetscan import playbook as playbooks
from fleetscan.credentials import Vault
from fleetscan.lab import Lab
from fleetscan.model.host import Host
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Stage
from fleetscan.model.run import HostReport
from fleetscan.scan import Scan, ScanOptions


class Watcher:
    """An observer that remembers what it saw, and may act on it."""

    def __init__(self, on_done: Callable[[HostReport], None] | None = None) -> None:
        self.stages: list[tuple[str, Stage]] = []
        self.done: list[HostReport] = []
        self._act = on_done

    def on_stage(self, host: Host, stage: Stage) -> None:
        self.stages.append((host.name, stage))

    def on_done(self, report: HostReport) -> None:
        self.done.append(report)
        if self._act is not None:
            self._act(report)


@pytest.fixture(scope="session")
def book() -> Playbook:
    return playbooks.load(None)


@pytest.fixture
def prepare(monkeypatch: pytest.MonkeyPatch, book: Playbook) -> Callable[..., Scan]:
    """Make the scan of everything in a running lab."""

    def make(lab: Lab, **options: float) -> Scan:
        for name, value in lab.environment.items():
            monkeypatch.setenv(name, value)
        fleet = inventories.load(["-"], io.StringIO(lab.inventory()))
        vault = Vault(fleet.credentials)
        vault.prepare({host.credential for host in fleet.hosts})
        return Scan(fleet, fleet.hosts, book, vault, ScanOptions(**options))  # type: ignore[arg-type] # by name

    return make
