"""One run from its files to its exit code: what `scan` does once its options are known."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from contextlib import AbstractContextManager, ExitStack
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from fleetscan.cli import spans
from fleetscan.cli.again import again
from fleetscan.cli.logs import log_to_file, notice
from fleetscan.cli.options import Color, Show
from fleetscan.cli.past import LAST, Past, Task, earlier_readings, new_task, rerun, resolve, resume
from fleetscan.errors import ExitStatus, Mistakes, StoreError
from fleetscan.report.options import DEFAULTS, ReportOptions

if TYPE_CHECKING:
    from fleetscan.cli.hooks import Hook
    from fleetscan.cli.request import Request
    from fleetscan.model.run import HostReport, RunReport
    from fleetscan.report import ReportTarget
    from fleetscan.scan import Scan
    from fleetscan.store import Store

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Manner:
    """How a run is made, kept and told: none of this changes what it finds."""

    reports: ReportOptions = DEFAULTS
    show: Show = Show.PROBLEMS
    color: Color = Color.AUTO
    dry_run: bool = False
    forget_rejections: bool = False
    keeps: bool = True
    """Whether the run is written to a store."""
    store: str | None = None
    """Its address; None is the user's own."""
    store_words: tuple[str, ...] = ()
    """The options that name the store in a command to be repeated."""
    since: str | None = None
    keep_days: int = 0
    keep_facts: int | None = None
    log_file: str | None = None
    lock: str | None = None
    on_change: str | None = None

    def files(self) -> tuple[str, ...]:
        """The files that it names: the log, and the store where that is one."""
        store = None if self.store is None or "://" in self.store else self.store
        return tuple(path for path in (self.log_file, store) if path is not None)

    def open_store(self) -> AbstractContextManager[Store]:
        """The store that it names. Raises InputError with the cure."""
        from fleetscan.store import open_store

        return open_store(self.store)


def perform(request: Request, manner: Manner, past: Past | None) -> ExitStatus:
    """Make a run, write its reports, print its table; returns how the process should end."""
    from fleetscan.cli.exclusive import check_name, exclusive
    from fleetscan.cli.prepare import make_scan, preview
    from fleetscan.report import check_writable, target_list

    with ExitStack() as stack:
        stack.enter_context(log_to_file(manner.log_file))
        mistakes = Mistakes()
        with mistakes:
            lock = check_name(manner.lock)
        with mistakes:
            check_writable(target_list(request.output), (*request.files(), *manner.files()))
        with mistakes:
            store = stack.enter_context(manner.open_store()) if past else None
            task = _task(request, past, store)
        mistakes.settle()
        if task is None:
            print("No host of that run needs to be visited once more.")
            return ExitStatus.COMPLIANT
        targets = target_list(task.prepared.request.output)
        check_writable(targets, (*task.prepared.request.files(), *manner.files()))
        hook = _hook(manner, targets)
        if manner.dry_run:
            print(preview(task.prepared))
            return ExitStatus.COMPLIANT
        stack.enter_context(exclusive(lock))
        if store is None and manner.keeps:
            store = stack.enter_context(manner.open_store())
        compared = store if task.prepared.request.sample == spans.LAST else None
        recall = earlier_readings(compared, task.record.playbook)
        scan = make_scan(task.prepared, forget_rejections=manner.forget_rejections, recall=recall)
        task = task if task.begun else new_task(task.prepared)  # it begins now, whatever its preparation took
        since = resolve(store, manner.since) if store and manner.since not in (None, LAST) else ""
        return _Night(task, manner, scan, store, since, targets, hook).pass_by()


def _task(request: Request, past: Past | None, store: Store | None) -> Task | None:
    from fleetscan.cli.prepare import read

    if past is None or store is None:
        return new_task(read(request, datetime.now(UTC)))
    return resume(store, past, request) if past.rerun is None else rerun(store, past, request)


def _hook(manner: Manner, targets: tuple[ReportTarget, ...]) -> Hook | None:
    from fleetscan.cli.hooks import parse
    from fleetscan.report import STANDARD_OUTPUT

    if manner.on_change is None:
        return None
    return parse("--on-change", manner.on_change, reports=any(wanted.path != STANDARD_OUTPUT for wanted in targets))


@dataclass(frozen=True, slots=True)
class _Night:
    task: Task
    manner: Manner
    scan: Scan
    store: Store | None
    since: str
    """The run to compare with; empty for the last one."""
    targets: tuple[ReportTarget, ...]
    hook: Hook | None

    def pass_by(self) -> ExitStatus:
        """The run itself, and what follows from it."""
        from fleetscan.cli.aftermath import call, prune
        from fleetscan.cli.present import present, save
        from fleetscan.cli.running import reports_first
        from fleetscan.report import STANDARD_OUTPUT
        from fleetscan.scan.outcome import exit_status

        run_id, manner = self.task.record.run_id, self.manner
        log.info("run %s begins: %d hosts, playbook %s", run_id, len(self.scan.hosts), self.task.record.playbook)
        with reports_first():
            report, told = self._run_kept(self.store) if self.store else (self._run(_log), [])
            kept = not told
            for text in report.notices:
                log.info("notice: %s", text)
            options = replace(manner.reports, command=self.task.prepared.request.bare())
            status, written = save(report, self.targets, exit_status(report), options)
            status = status if kept else ExitStatus.INTERNAL
            for text in written:
                log.info("wrote %s", text)
        present(
            report,
            self.targets,
            status,
            show=Show.CHANGES if manner.since and manner.show is Show.PROBLEMS else manner.show,
            color=manner.color,
            written=written,
            again=again(report, self.task.prepared.request, manner.store_words if self.store and kept else None),
        )
        if manner.show is Show.QUIET or any(target.path == STANDARD_OUTPUT for target in self.targets):
            for text in told:  # the table would have said it
                notice(text)
        if self.hook is not None:
            call(self.hook, report, status, self.targets, self.task.prepared.fleet)
        if self.store is not None and kept:
            prune(self.store, manner.keep_days, manner.keep_facts)
        log.info("run %s ends: exit %d", run_id, status)
        return status

    def _run_kept(self, store: Store) -> tuple[RunReport, list[str]]:
        """The report with its history, and why the store does not have all of it, if so."""
        from fleetscan.cli.exclusive import making
        from fleetscan.cli.recorder import Recorder
        from fleetscan.store import Journal

        with making(self.task.record.run_id):
            journal = Journal(store, self.task.record, begun=self.task.begun)
            recorder = Recorder(journal)

            def watch(report: HostReport) -> None:
                recorder.on_done(report)
                _log(report)

            with recorder:
                report = self._run(watch)
            journal.finish(report)
        told = list(journal.notices)
        if not told:
            try:
                report = self._with_history(store, report)
            except StoreError as error:
                told.append(f"{error.message}; what changed is not known")
        return replace(report, notices=(*report.notices, *told)), told

    def _run(self, watch: Callable[[HostReport], None]) -> RunReport:
        from fleetscan.cli.running import conduct
        from fleetscan.scan.outcome import run_report

        async def make(run: Callable[[Scan], Awaitable[None]]) -> None:
            await run(self.scan)

        record, prepared = self.task.record, self.task.prepared
        conducted = conduct(make, show_progress=self.manner.show is not Show.QUIET, watch=watch)
        visited = {**self.task.known} | {report.host.name: report for report in self.scan.collect()}
        self.scan.reports.clear()  # they are about to be superseded, and those of a large fleet take their room
        report = run_report(
            self.scan,
            tuple(visited.pop(host.name) for host in record.hosts),
            prepared.book,
            run_id=record.run_id,
            started_at=record.started_at,
            fail_on=prepared.request.fail_on,
            interrupted=conducted.interrupted,
            others=record.left_out,
        )
        hosts = tuple(map(prepared.waivers.settle, report.hosts))  # also what only the whole run could tell
        return replace(report, hosts=hosts, notices=(*report.notices, *prepared.waivers.notices(hosts)))

    def _with_history(self, store: Store, report: RunReport) -> RunReport:
        if self.since:
            return replace(report, history=store.diff(self.since, report.run_id, nights=30))
        history = store.history(report.run_id)
        if history is None and self.manner.since:
            nothing = f"there is no earlier finished run of {report.playbook} to compare with"
            return replace(report, notices=(*report.notices, nothing))
        return replace(report, history=history)


def _log(report: HostReport) -> None:
    log.info("%s: %s", report.host.name, report.trouble.reason if report.trouble else report.verdict)
