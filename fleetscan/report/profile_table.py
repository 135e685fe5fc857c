"""A profile on a terminal: how much must be sent, what does not fit, the busiest machines, and what is missing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from typing import TypeVar

from fleetscan.errors import ExitStatus
from fleetscan.model.finding import Status
from fleetscan.model.profile import MEGABYTE, Gap, ProfileReport, ProfileRow, Scope
from fleetscan.report import words
from fleetscan.report.grid import Grid
from fleetscan.report.layout import Column, Importance, pack, table, wrap
from fleetscan.report.words import plural

SHOWN = 20
"""Machines, disks or gaps of a kind that the screen shows; the files have all of them."""
NAMED = 3
"""Of those with the same trouble, so many are named in its sentence."""
_GIGABYTE = 1024 * MEGABYTE
_DAY = 86_400
_Row = TypeVar("_Row")


def render(
    report: ProfileReport, *, width: int, color: bool, everything: bool, written: Sequence[str], exit_status: ExitStatus
) -> str:
    """The whole screen. With `everything`, nothing is left out of it."""
    screen = _Screen(report, Grid(color=color), width, everything)
    parts = [screen.head(), screen.bandwidth(), screen.machines(), screen.disks(), screen.missing(), screen.notes()]
    last = f"Wrote {', '.join(written)} · exit {exit_status.value}" if written else f"exit {exit_status.value}"
    parts.append(wrap(screen.grid.lay(last), width))
    return screen.grid.develop("\n\n".join("\n".join(part) for part in parts if part))


class _Screen:
    def __init__(self, report: ProfileReport, grid: Grid, width: int, everything: bool) -> None:
        self.report = report
        self.grid = grid
        self.width = width
        self.everything = everything

    def head(self) -> list[str]:
        """What was measured, and for how long."""
        report = self.report
        count = Counter(row.scope for row in report.rows)
        items = [
            f"fleetscan {report.tool_version}",
            f"profile of {plural(count[Scope.HOST], 'host')} with {plural(count[Scope.VM], 'machine')}",
            f"{report.taken:,} of {report.planned:,} samples, {words.duration(report.interval)} apart",
            f"{words.utc(report.started_at)} to {words.utc(report.ended_at)}",
        ]
        lines = pack(items, self.width, indent="  ")
        if report.interrupted:
            lines.append("Interrupted: this is what was sampled until then; go on with --resume.")
        return lines

    def bandwidth(self) -> list[str]:
        """The fleet and its hosts: churn, and what must be sent."""
        rows = [row for row in self.report.rows if row.scope in (Scope.FLEET, Scope.HOST)]
        columns = [
            Column("", (30, 20, 12)),
            *(Column(title, right=True) for title in ("MB/s", "p95", "peak", "GB/day", "Mbit/s", "for 90 %", "limit")),
            Column("verdict"),
        ]
        cells = [
            [
                self.grid.lay(row.host or "fleet"),
                *_rates(row.churn.average, row.churn.p95, row.churn.peak),
                _number(row.churn.average * _DAY / _GIGABYTE),
                _bits(row.needed_bits),
                _bits(row.needed_bits_90),
                _bits(row.limit_bits),
                self._verdict(row),
            ]
            for row in self._shortened(rows)
        ]
        minutes, percent = self.report.rpo / 60, (self.report.growth - 1) * 100
        title = f"Churn, and the bandwidth that sends it within {minutes:g} min, with {percent:.0f} % growth"
        return [
            title,
            *table(columns, cells, self.width, Importance(shrink=(0,), spare=(6,), drop=(4,))),
            *self._rest(rows),
            *self._reasons(rows),
        ]

    def machines(self) -> list[str]:
        """The busiest machines, and those that are too busy."""
        rows = [row for row in self.report.rows if row.scope is Scope.VM]
        rows.sort(key=lambda row: (row.status is Status.PASS, -row.churn.average))
        columns = [
            Column("machine", (24, 16, 10)),
            Column("host", (30, 16, 10)),
            *(Column(title, right=True) for title in ("MB/s", "p95", "peak", "IOPS p95", "replicates to")),
            Column("verdict"),
        ]
        cells = [
            [
                self.grid.lay(row.vm),
                self.grid.lay(row.host),
                *_rates(row.churn.average, row.churn.p95, row.churn.peak),
                f"{row.iops.p95:,.0f}",
                row.storage,
                self._verdict(row),
            ]
            for row in self._shortened(rows)
        ]
        if not cells:
            return []
        lines = table(columns, cells, self.width, Importance(shrink=(1, 0), drop=(1,)))
        return ["Churn of machines, the busiest first", *lines, *self._rest(rows), *self._reasons(rows)]

    def disks(self) -> list[str]:
        """The managed disks that are needed: how many of each type, and the disks that none of their size carries.

        With `everything`, all disks and what each needs.
        """
        rows = [row for row in self.report.rows if row.scope is Scope.DISK]
        if not rows:
            return []
        kinds = Counter(row.storage.rpartition(" ")[0] or "none" for row in rows)
        lines = ["Managed disks that carry the disks: " + ", ".join(f"{count} {kind}" for kind, count in kinds.items())]
        told = rows if self.everything else [row for row in rows if row.status is not Status.PASS]
        columns = [
            Column("disk", (44, 30, 16), middle=True),
            Column("machine", (24, 16, 10)),
            Column("IOPS p95", right=True),
            Column("MB/s p95", right=True),
            Column("needs", (20, 12, 8)),
            Column("verdict"),
        ]
        cells = [
            [
                self.grid.lay(row.disk),
                self.grid.lay(row.vm),
                f"{row.iops.p95:,.0f}",
                _number(row.throughput.p95 / MEGABYTE),
                row.storage,
                self._verdict(row),
            ]
            for row in self._shortened(told)
        ]
        if cells:
            lines += table(columns, cells, self.width, Importance(shrink=(0, 1)))
        return wrap(lines[0], self.width, rest="  ") + lines[1:] + self._rest(told) + self._reasons(told)

    def missing(self) -> list[str]:
        """The hosts that lack samples."""
        lines: list[str] = []
        for gap in self._shortened_gaps():
            said = f"; last: {gap.last_reason} ({gap.last_message})" if gap.last_reason else f"; {gap.last_message}"
            text = self.grid.lay(f"{gap.host}: {gap.missed} of {plural(gap.of, 'sample')} missing{said}")
            lines += wrap(text, self.width, first="  ", rest="    ", lines=3)
        more = len(self.report.gaps) - SHOWN
        if lines and more > 0 and not self.everything:
            lines.append(f"  and {plural(more, 'more host')}; --all shows them")
        return ["Gaps: what happened then is in none of the numbers", *lines] if lines else []

    def notes(self) -> list[str]:
        """What the reader should know of how this was made."""
        report = self.report
        notes = []
        if report.unreplicated:
            machines = sum(row.scope is Scope.VM for row in report.rows)
            notes.append(
                f"{report.unreplicated} of {plural(machines, 'machine')} are not replicated now; what they write "
                "counts all the same: --replicated leaves them out."
            )
        if report.taken * report.interval < _DAY:
            measured = words.duration(max(report.taken - 1, 0) * report.interval)
            notes.append(f"This was measured over {measured}; planning needs a day at least, better a week.")
        if report.restarted:
            notes.append(f"{plural(report.restarted, 'measurement')} thrown away: a total had begun anew.")
        if report.damaged:
            notes.append(f"{plural(report.damaged, 'torn line')} of the journal skipped.")
        notes += [f"Compared with {source.id} of {source.as_of}: {source.source}" for source in report.data]
        return [line for note in notes for line in wrap(self.grid.lay(note), self.width, rest="  ")]

    def _verdict(self, row: ProfileRow) -> str:
        return "" if row.status is Status.PASS else self.grid.paint(row.status.value, words.COLOURS.get(row.status))

    def _reasons(self, rows: Sequence[ProfileRow]) -> list[str]:
        """What is wrong with the rows that have a verdict, in full; those with the same trouble together."""
        told: dict[str, list[str]] = {}
        for row in rows:
            if row.status is not Status.PASS:
                told.setdefault(row.message, []).append(row.disk or row.vm or row.host or "fleet")
        lines: list[str] = []
        for message, names in self._shortened(list(told.items())):
            more = "" if self.everything or len(names) <= NAMED else f" and {len(names) - NAMED:,} more"
            shown = ", ".join(names if self.everything else names[:NAMED])
            text = self.grid.lay(f"{shown}{more}: {message}")
            lines += wrap(text, self.width, first="  ", rest="    ")
        return lines

    def _shortened(self, rows: Sequence[_Row]) -> Sequence[_Row]:
        return rows if self.everything else rows[:SHOWN]

    def _shortened_gaps(self) -> Sequence[Gap]:
        return self.report.gaps if self.everything else self.report.gaps[:SHOWN]

    def _rest(self, rows: Sequence[ProfileRow]) -> list[str]:
        more = len(rows) - SHOWN
        return [f"and {more:,} more; --all shows them"] if more > 0 and not self.everything else []


def _rates(*rates: float) -> list[str]:
    return [_number(rate / MEGABYTE) for rate in rates]


def _number(value: float) -> str:
    return f"{value:,.1f}"


def _bits(bits: float | None) -> str:
    return "" if bits is None else _number(bits / 1_000_000)
