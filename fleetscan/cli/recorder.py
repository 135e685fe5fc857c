"""Hosts on their way into the store, while the scan goes on."""

from __future__ import annotations

import queue
import threading
from types import TracebackType
from typing import TYPE_CHECKING

from fleetscan.model.reasons import Reason

if TYPE_CHECKING:
    from fleetscan.model.run import HostReport
    from fleetscan.store import Journal

_CUT_OFF = (Reason.CANCELLED, Reason.TIMEOUT_RUN)


class Recorder:
    """Writes each host down as soon as it is finished: in a thread of its own, one after the other.

    Visits never wait for it. What the run cut off is left for the end: it is no result, and still to be visited.
    """

    def __init__(self, journal: Journal) -> None:
        self._journal = journal
        self._waiting: queue.SimpleQueue[HostReport | None] = queue.SimpleQueue()
        self._thread = threading.Thread(target=self._write, name="store", daemon=True)

    def __enter__(self) -> Recorder:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Wait until all of them are written."""
        self._waiting.put(None)
        self._thread.join()

    def on_done(self, report: HostReport) -> None:
        """Take a finished host; returns at once."""
        if report.trouble is None or report.trouble.reason not in _CUT_OFF:
            self._waiting.put(report)

    def _write(self) -> None:
        while (report := self._waiting.get()) is not None:
            self._journal.add(report)
