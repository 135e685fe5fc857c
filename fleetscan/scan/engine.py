"""All visits of a run: how many at once, how long in all, and how they are stopped."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import Protocol

import anyio
from anyio.lowlevel import checkpoint

from fleetscan.credentials import Vault
from fleetscan.judge import judge
from fleetscan.model.facts import HostFacts
from fleetscan.model.host import Host, Inventory, TransportName
from fleetscan.model.playbook import Playbook
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport, Trouble
from fleetscan.powershell.payload import Payload, build
from fleetscan.scan.capacity import little_memory
from fleetscan.scan.guard import LogonGuard
from fleetscan.scan.guest import PER_HOST, GuestVisit
from fleetscan.scan.memory import RejectionMemory
from fleetscan.scan.visit import Budget, Recall, Visit

MOST_UNJUDGED = 64
"""Visited hosts that may wait in memory for their judgement."""
LULL_SECONDS = 0.1
"""How often those look at least whether it is their time."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ScanOptions:
    """How a scan may spend its time; seconds. `run_timeout` 0 means no limit for the whole run.

    `sample` 0 means one reading of totals; otherwise there are two, that far apart, within `host_timeout`.
    """

    concurrency: int = 64
    connect_timeout: float = 10.0
    host_timeout: float = 120.0
    run_timeout: float = 0.0
    sample: float = 0.0


class Observer(Protocol):
    """Who wants to see a scan while it runs. Called on the event loop: do little."""

    def on_stage(self, host: Host, stage: Stage) -> None:
        """A host reached a step of its visit."""

    def on_done(self, report: HostReport) -> None:
        """A host is finished."""


class _Limits:
    """How many visits there may be at once: in all, in a zone, and through a Hyper-V host to its guests."""

    def __init__(self, inventory: Inventory, concurrency: int) -> None:
        self._everywhere = anyio.CapacityLimiter(concurrency)
        zones = (zone for zone in inventory.zones.values() if zone.concurrency)
        self._zones = {zone.name: anyio.CapacityLimiter(zone.concurrency) for zone in zones}
        self._guests: dict[tuple[str, ...], anyio.CapacityLimiter] = {}

    def of(self, host: Host, ways: Sequence[Host]) -> list[anyio.CapacityLimiter]:
        """The limits of one visit, the narrowest first: who waits for that one takes no place from others."""
        limits = [self._everywhere]
        if ways[0].zone in self._zones:
            limits.insert(0, self._zones[ways[0].zone])
        if host.transport is TransportName.DIRECT:
            most = PER_HOST * len(ways)
            limits.insert(0, self._guests.setdefault(host.via, anyio.CapacityLimiter(most)))
        return limits


class Scan:
    """One run over the selected hosts of an inventory.

    `reports` grows while the scan runs, so that an interrupted one loses nothing; after `run` it has every host.
    `settle` may add to what was found of a host before anybody sees it. `recall` tells what a host answered earlier.
    """

    def __init__(
        self,
        inventory: Inventory,
        hosts: tuple[Host, ...],
        playbook: Playbook,
        vault: Vault,
        options: ScanOptions,
        memory: RejectionMemory | None = None,
        settle: Callable[[HostReport], HostReport] = lambda report: report,
        recall: Recall = lambda _host: None,
    ) -> None:
        self.hosts = hosts
        self.reports: dict[str, HostReport] = {}
        self.guard = LogonGuard(memory)
        self._inventory = inventory
        self._playbook = playbook
        self._vault = vault
        self._options = options
        self._settle = settle
        self._recall = recall
        self._named = {host.name: host for host in inventory.hosts}
        self._visits: dict[str, Visit] = {}
        self._stopped: Reason | None = None
        self._bench = anyio.Lock()
        """Whose turn it is to be judged: one host after the other."""
        self._unjudged = 0
        self._payloads: dict[frozenset[str], Payload] = {}
        self._limits = _Limits(inventory, options.concurrency)

    def asking(self, playbook: Playbook) -> Scan:
        """A scan of the same hosts for another playbook, which shares the limits of this one and its guard."""
        other = Scan(self._inventory, self.hosts, playbook, self._vault, self._options)
        other.guard, other._limits = self.guard, self._limits
        return other

    def stop(self, reason: Reason) -> None:
        """Start no further host, and end the visits that are under way. Safe to call more than once."""
        self._stopped = self._stopped or reason
        self._vault.give_up()
        for visit in list(self._visits.values()):
            visit.cancel(reason)

    async def run(self, observer: Observer) -> tuple[HostReport, ...]:
        """Visit every host; the reports come in the order of the hosts."""
        with little_memory():
            async with anyio.create_task_group() as clock:
                if self._options.run_timeout:
                    clock.start_soon(self._stop_in_time)
                async with anyio.create_task_group() as visits:
                    for host in self.hosts:
                        visits.start_soon(self.visit, host, observer)
                clock.cancel_scope.cancel()
        return self.collect()

    def collect(self) -> tuple[HostReport, ...]:
        """A report for every host; those that were never visited are reported as such."""
        return tuple(self.reports.get(host.name) or self._unvisited(host) for host in self.hosts)

    async def _stop_in_time(self) -> None:
        await anyio.sleep(self._options.run_timeout)
        self.stop(Reason.TIMEOUT_RUN)

    async def visit(self, host: Host, observer: Observer) -> HostReport:
        """Visit one host as soon as its limits allow it; never twice at the same time."""
        visit: Visit | None = None
        async with AsyncExitStack() as stack:
            for limit in self._limits.of(host, self._ways(host)):
                await stack.enter_async_context(limit)
            if not self._stopped:
                visit = self._visit(host, observer)
                await visit.run()
                del self._visits[host.name]
        self._unjudged += 1
        async with self._bench:
            await self._lull()
            report = (self._settle(visit.report()) if visit is not None else self._unvisited(host)).packed()
        self._unjudged -= 1
        self.reports[host.name] = report
        observer.on_done(report)
        return report

    async def _lull(self) -> None:
        """Until it is time to judge a host: that takes the processor from all others, so their logons go first."""
        await checkpoint()
        while self.guard.busy and self._unjudged < MOST_UNJUDGED and not self._stopped:
            await self.guard.change(LULL_SECONDS)

    def _visit(self, host: Host, observer: Observer) -> Visit:
        credentials = self._inventory.credentials
        ways = tuple((way, credentials[way.credential]) for way in self._ways(host))
        make = partial(GuestVisit, ways=ways) if host.transport is TransportName.DIRECT else Visit
        visit = make(
            host=host,
            credential=credentials[host.credential],
            payload=self._payload(host),
            playbook=self._playbook,
            budget=Budget(
                connect=self._options.connect_timeout, host=self._options.host_timeout, sample=self._options.sample
            ),
            guard=self.guard,
            vault=self._vault,
            on_stage=observer.on_stage,
            recall=self._recall,
        )
        self._visits[host.name] = visit
        return visit

    def _ways(self, host: Host) -> tuple[Host, ...]:
        """The hosts that a visit connects to: the host itself, or the Hyper-V hosts that lead to it."""
        return tuple(self._named[name] for name in host.via) or (host,)

    def _payload(self, host: Host) -> Payload:
        roles = frozenset(host.roles)
        if roles not in self._payloads:
            self._payloads[roles] = build(self._playbook, roles)
        return self._payloads[roles]

    def _unvisited(self, host: Host) -> HostReport:
        reason = self._stopped or Reason.CANCELLED
        out_of_time = reason is Reason.TIMEOUT_RUN
        message = "the budget of the whole run was used up" if out_of_time else "the scan was interrupted"
        trouble = Trouble(reason=reason, stage=Stage.QUEUED, message=f"{message} before this host was contacted")
        facts = HostFacts(payload_sha256=self._payload(host).sha256)
        return HostReport(
            host=host,
            started_at=None,
            ended_at=datetime.now(UTC),
            facts=facts,
            findings=judge(host, facts, self._playbook, trouble),
            trouble=trouble,
        )
