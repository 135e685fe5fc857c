"""Visits that come back: each host once an interval, on time, never twice at once, until all samples are taken."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field

import anyio

from fleetscan.model.host import Host
from fleetscan.model.reasons import Reason, Stage
from fleetscan.model.run import HostReport
from fleetscan.scan.engine import Scan

Keep = Callable[[Host, int, HostReport], bool]
"""Takes what a visit brought for a sample of that number; says whether it was an answer."""


class _Nobody:
    def on_stage(self, host: Host, stage: Stage) -> None:
        """Nobody watches."""

    def on_done(self, report: HostReport) -> None:
        """Nobody watches."""


@dataclass(slots=True, kw_only=True)
class Sampling:
    """Samples `first` up to `last` (not included) of every host, `interval` seconds apart.

    A host is asked by `opening` until that has brought an answer, and by `scan` from then on. One that is slower than
    the interval is left alone until its visit is over; the samples that were due meanwhile are not made up for.
    """

    opening: Scan
    scan: Scan
    interval: float
    first: int
    last: int
    keep: Keep
    _stopped: anyio.Event = field(default_factory=anyio.Event)

    def stop(self, reason: Reason) -> None:
        """End in order: no further sample, and the visits that are under way are ended."""
        self._stopped.set()
        self.opening.stop(reason)
        self.scan.stop(reason)

    async def run(self) -> None:
        """Take all samples."""
        began = anyio.current_time()
        async with anyio.create_task_group() as hosts:
            for host in self.scan.hosts:
                hosts.start_soon(self._follow, host, began)

    async def _follow(self, host: Host, began: float) -> None:
        opened = False
        for number in range(self.first, self.last):
            due = began + (number - self.first) * self.interval
            if anyio.current_time() > due + self.interval:
                continue
            with anyio.move_on_at(due):
                await self._stopped.wait()
            if self._stopped.is_set():
                return
            report = await (self.scan if opened else self.opening).visit(host, _Nobody())
            if not self._stopped.is_set():
                opened = self.keep(host, number, report) or opened
