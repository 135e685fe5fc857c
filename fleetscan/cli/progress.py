"""The progress bar: on a terminal, on standard error, gone at the end."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from fleetscan.model.finding import Status
from fleetscan.model.host import Host
from fleetscan.model.reasons import Stage
from fleetscan.model.run import HostReport

ECHO = 3
"""Columns that `^C` needs, and the cursor after it."""


def _nobody(_report: HostReport) -> None:
    """Nobody watches."""


class Silent:
    """An observer that shows nothing; `watch` is told of each host that is finished."""

    def __init__(self, watch: Callable[[HostReport], None] = _nobody) -> None:
        self._watch = watch

    def on_stage(self, host: Host, stage: Stage) -> None:
        """Nothing to show."""

    def on_done(self, report: HostReport) -> None:
        """Pass it on."""
        self._watch(report)

    def __enter__(self) -> Silent:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        return None


class Bar(Silent):
    """An observer that shows hosts done, failing and not assessed, and what the slowest host is doing."""

    def __init__(self, total: int, watch: Callable[[HostReport], None] = _nobody) -> None:
        from rich.console import Console, ConsoleDimensions
        from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
        from rich.table import Column

        super().__init__(watch)

        class Roomy(Console):
            """Leaves room at the end of a line, where the terminal echoes ^C: wrapped, it would tear the bar apart."""

            @property  # type: ignore[misc] # the setter of rich's is for terminals of a fixed size
            def size(self) -> ConsoleDimensions:
                whole = super().size
                return ConsoleDimensions(max(whole.width - ECHO, 1), whole.height)

        self._progress = Progress(
            BarColumn(),
            MofNCompleteColumn(table_column=Column(no_wrap=True, min_width=len(f"{total}/{total}"))),
            TextColumn("hosts"),
            TimeElapsedColumn(table_column=Column(no_wrap=True, min_width=len("0:00:00"))),
            # Last, since it changes its length: what stands before it does not jump.
            TextColumn("{task.description}", table_column=Column(no_wrap=True, overflow="ellipsis")),
            console=Roomy(file=sys.stderr),
            transient=True,
        )
        self._task = self._progress.add_task("", total=total)
        self._verdicts: Counter[Status] = Counter()
        self._under_way: dict[str, Stage] = {}

    def __enter__(self) -> Bar:
        self._progress.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._progress.stop()

    def on_stage(self, host: Host, stage: Stage) -> None:
        """Remember where a host is; the oldest one under way is shown."""
        self._under_way[host.name] = stage
        self._show()

    def on_done(self, report: HostReport) -> None:
        """Count a finished host."""
        super().on_done(report)
        self._under_way.pop(report.host.name, None)
        self._verdicts[report.verdict] += 1
        self._progress.advance(self._task)
        self._show()

    def _show(self) -> None:
        from rich.markup import escape

        failing, unknown = self._verdicts[Status.FAIL], self._verdicts[Status.NOT_ASSESSED]
        parts = [f"{failing} failing"] if failing else []
        parts += [f"{unknown} not assessed"] if unknown else []
        if self._under_way:
            name, stage = next(iter(self._under_way.items()))
            parts.append(escape(f"{name}: {stage}"))
        self._progress.update(self._task, description="  ".join(parts))
