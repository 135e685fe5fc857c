"""What a scan writes through: the store, and a file of its own when the store goes away in the middle."""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from pathlib import Path

from fleetscan import state
from fleetscan.errors import FleetscanError
from fleetscan.model.finding import Status
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport, RunRecord, RunReport
from fleetscan.store.opening import open_store
from fleetscan.store.store import Store

SPOOL = "spool"
"""The folder, beside the default store, of runs that their store could not take."""


class Journal:
    """The journal of one run. It raises no FleetscanError: a scan goes on, whatever becomes of its store.

    When the store fails, the run so far and what is still to come go to a SQLite file, the spool. That is a store in
    its own right, which `Store.bring_in` takes over. `notices` says so, and what to do. Methods may be called from any
    thread, by one at a time.
    """

    def __init__(self, store: Store, record: RunRecord, *, begun: bool = False) -> None:
        """Begin the run in the store; `begun`: it is there already, and is gone on with."""
        self.notices: list[str] = []
        self.spool: Path | None = None
        """The file that the run is written to instead; None while the store takes it."""
        self._record = record
        self._reports: dict[str, HostReport] = {}
        self._target: Store | None = store
        if not begun:
            self._write(lambda target: target.begin(record))

    def add(self, report: HostReport) -> None:
        """Write down one host; see `Store.add`."""
        self._reports[report.host.name] = report
        self._write(lambda target: target.add(self._record.run_id, report))

    def finish(self, report: RunReport) -> None:
        """Write down how the run ended, and what all hosts together say of one; see `Store.finish`."""
        concluded = {host.host.name: host for host in report.hosts}
        for early in list(self._reports.values()):
            late = concluded.get(early.host.name, early)
            if _verdicts(late) != _verdicts(early):
                self.add(late)
        if not self._write(lambda target: target.finish(report)):
            self._write(lambda target: target.finish(report))
        if self.spool is not None and self._target is not None:
            self._target.close()

    def _write(self, what: Callable[[Store], None]) -> bool:
        """Whether it was written; if not, the spool has all hosts so far."""
        if self._target is None:
            return True
        try:
            what(self._target)
        except FleetscanError as error:
            self._turn_to_spool(error)
            return False
        return True

    def _turn_to_spool(self, error: FleetscanError) -> None:
        cure = f" ({error.hint})" if error.hint else ""
        folders = [] if self.spool is not None else [state.folder() / SPOOL, Path(tempfile.gettempdir())]
        self._target = None
        for folder in folders:
            path = folder / f"{self._record.run_id}.db"
            try:
                self._target = self._fill(path)
            except (FleetscanError, OSError):
                continue
            self.spool = path
            self.notices.append(
                f"{error.message}{cure}. This run goes to {path} instead; "
                f"when the store is back: fleetscan runs import {path}"
            )
            return
        self.notices.append(f"{error.message}{cure}. The rest of this run is in no store, only in its reports")

    def _fill(self, path: Path) -> Store:
        path.parent.mkdir(parents=True, exist_ok=True)
        spool = open_store(str(path))
        try:
            spool.begin(self._record)
            for report in self._reports.values():
                spool.add(self._record.run_id, report)
        except BaseException:
            spool.close()
            raise
        return spool


def _verdicts(report: HostReport) -> list[tuple[Status, Reason | None, str]]:
    """What its findings say, without who answers for them."""
    return [(finding.status, finding.reason, finding.message) for finding in report.findings]
