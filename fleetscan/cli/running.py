"""How a command runs a scan: on the event loop, stopped by Ctrl+C or SIGTERM, its report made whatever happens."""

from __future__ import annotations

import os
import signal
import stat
import sys
import threading
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import TYPE_CHECKING, Protocol, TextIO

import anyio

from fleetscan.cli.progress import Bar, Silent
from fleetscan.model.reasons import Reason
from fleetscan.model.run import HostReport

if TYPE_CHECKING:
    from fleetscan.scan import Scan


class Stoppable(Protocol):
    """What can be told to end in order."""

    def stop(self, reason: Reason) -> None:
        """Start nothing more, and end what is under way."""


class Job(Stoppable, Protocol):
    """Work that runs until it is done, or stopped."""

    async def run(self) -> None:
        """Do it."""


class _Stopper:
    """The first signal ends the scan in order, the second one at once, the third one whatever is going on."""

    def __init__(self, scan: Stoppable) -> None:
        self.stopped = False
        self.hurried = False
        self._scan = scan

    def install(self) -> None:
        """Listen from the running event loop; does nothing outside the main thread, where signals cannot be had."""
        if threading.current_thread() is not threading.main_thread():
            return
        import asyncio

        loop = asyncio.get_running_loop()

        def on_signal(number: int, _frame: FrameType | None) -> None:
            _leave_lost_terminal(hung_up=number not in (signal.SIGINT, signal.SIGTERM))
            if self.hurried:
                raise KeyboardInterrupt
            if self.stopped:
                # From a callback of its own it ends the loop; out of the midst of a task it would be told as a crash.
                self.hurried = True
                loop.call_soon_threadsafe(_interrupt)
                return
            self.stopped = True
            print("Stopping: no further host is contacted, open shells are closed (5 s at most).", file=sys.stderr)
            loop.call_soon_threadsafe(self._scan.stop, Reason.CANCELLED)

        for number in _signals():
            signal.signal(number, on_signal)


def _signals() -> list[signal.Signals]:
    """What ends a run in order: Ctrl+C, a polite kill, a terminal that was closed, unless it is to run on (nohup)."""
    ends = [signal.SIGINT, signal.SIGTERM]
    if sys.platform == "win32" or _outlives_terminal():
        return ends
    return [*ends, signal.SIGHUP]


def _outlives_terminal() -> bool:
    """Whether nobody will tell us that the terminal was closed: it may be gone at any time (nohup)."""
    return sys.platform != "win32" and signal.getsignal(signal.SIGHUP) is signal.SIG_IGN


def _leave_lost_terminal(*, hung_up: bool = False) -> None:
    """If the terminal is gone, writing to it would fail: what it would have shown goes nowhere from now on.

    We are told that it `hung_up`, or see that it takes nothing.
    """
    for stream in (sys.__stdout__, sys.__stderr__):
        if stream is not None and _is_terminal(stream) and (hung_up or not _takes_text(stream)):
            nowhere = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nowhere, stream.fileno())
            os.close(nowhere)


def _takes_text(stream: TextIO) -> bool:
    try:
        os.write(stream.fileno(), b"")
    except OSError:
        return False
    return True


def _is_terminal(stream: TextIO) -> bool:
    """Also of one that is hung up, which `isatty` denies."""
    return stat.S_ISCHR(os.fstat(stream.fileno()).st_mode)


@contextmanager
def reports_first() -> Iterator[None]:
    """Until the reports are written, an impatient second Ctrl+C must not cost them: it is told, one more is obeyed."""
    told = False

    def on_signal(number: int, _frame: FrameType | None) -> None:
        nonlocal told
        _leave_lost_terminal(hung_up=number not in (signal.SIGINT, signal.SIGTERM))
        if told:
            raise KeyboardInterrupt
        told = True
        print("The reports are being written; once more to give them up.", file=sys.stderr)

    with _handling(on_signal):
        yield


@contextmanager
def _handling(handler: Callable[[int, FrameType | None], None]) -> Iterator[None]:
    previous = {number: signal.getsignal(number) for number in _signals()}
    try:
        for number in previous:
            signal.signal(number, handler)
        yield
    finally:
        for number, handled in previous.items():
            signal.signal(number, handled)


def _nobody(_report: HostReport) -> None:
    """Nobody watches."""


@dataclass(frozen=True, slots=True)
class Conducted:
    """A scan that is over: with `collect`, it tells of every host."""

    scan: Scan
    interrupted: bool


def conduct(
    make: Callable[[Callable[[Scan], Awaitable[None]]], Awaitable[None]],
    *,
    show_progress: bool,
    watch: Callable[[HostReport], None] = _nobody,
) -> Conducted:
    """Run the scan that `make` hands over; `watch` sees each host as it is finished, on the event loop.

    `make` prepares a scan (and, for the demo, the lab around it) and calls what it is given with it.
    """
    scans: list[tuple[Scan, _Stopper]] = []

    async def run(scan: Scan) -> None:
        stopper = _Stopper(scan)
        scans.append((scan, stopper))
        stopper.install()
        shown = show_progress and sys.stderr.isatty() and not _outlives_terminal()
        bar = Bar(len(scan.hosts), watch) if shown else Silent(watch)
        with bar:
            await scan.run(bar)
        if _outlives_terminal():
            _leave_lost_terminal()

    async def main() -> None:
        await make(run)

    try:
        # The runner of asyncio takes SIGINT for itself where it finds Python's own handler: ours must be there first.
        with _handling(_interrupt):
            anyio.run(main)
    except KeyboardInterrupt:
        if not scans:
            raise
    scan, stopper = scans[0]
    return Conducted(scan, stopper.stopped)


def run_job(job: Job) -> bool:
    """Run a job on the event loop; whether it was stopped by a signal before its end."""
    stopper = _Stopper(job)

    async def main() -> None:
        stopper.install()
        await job.run()

    try:
        with _handling(_interrupt):
            anyio.run(main)
    except KeyboardInterrupt:
        if not stopper.stopped:
            raise
    return stopper.stopped


def _interrupt(_number: int = 0, _frame: FrameType | None = None) -> None:
    raise KeyboardInterrupt
