"""Series of rates, and what is told of them: average, 95th percentile, peak, the bandwidth that carries them."""

from __future__ import annotations

import statistics
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from fleetscan.model.profile import Load

_STEPS = 60
"""Halvings of the interval in which a bandwidth is looked for: more than a float can tell apart."""


def load(values: Sequence[float]) -> Load:
    """Average, 95th percentile (between the samples beside it, as spreadsheets do) and peak; zeros for none."""
    if not values:
        return Load(0.0, 0.0, 0.0)
    p95 = values[0] if len(values) == 1 else statistics.quantiles(values, n=20, method="inclusive")[18]
    return Load(statistics.fmean(values), p95, max(values))


def needed(churn: Sequence[float], interval: float, rpo: float, share: float = 1.0) -> float:
    """The least bytes a second with which what is written is sent within `rpo` seconds, in that share of the samples.

    What is not sent within an interval waits for the next ones; the first sample finds nothing waiting. It is never
    less than the average: what is still waiting when the samples end must be sent, too.
    """
    if not churn or not max(churn):
        return 0.0
    low, high = statistics.fmean(churn), max(churn)
    if _late(churn, interval, low, rpo) <= (1.0 - share) * len(churn):
        return low
    for _ in range(_STEPS):
        middle = (low + high) / 2
        late = _late(churn, interval, middle, rpo)
        low, high = (low, middle) if late <= (1.0 - share) * len(churn) else (middle, high)
    return high


def worst_delay(churn: Sequence[float], interval: float, bandwidth: float) -> float:
    """The longest that anything waits to be sent at so many bytes a second."""
    return max(_delays(churn, interval, bandwidth), default=0.0)


def _late(churn: Sequence[float], interval: float, bandwidth: float, rpo: float) -> int:
    """After how many of the samples something waits longer than it may."""
    return sum(delay > rpo for delay in _delays(churn, interval, bandwidth))


def _delays(churn: Iterable[float], interval: float, bandwidth: float) -> Iterable[float]:
    waiting = 0.0
    for rate in churn:
        waiting = max(waiting + (rate - bandwidth) * interval, 0.0)
        yield waiting / bandwidth if bandwidth else float("inf")


@dataclass(slots=True)
class Series:
    """Churn, operations and throughput of one object, a value each for every measured interval."""

    churn: array[float] = field(default_factory=lambda: array("d"))
    iops: array[float] = field(default_factory=lambda: array("d"))
    throughput: array[float] = field(default_factory=lambda: array("d"))

    def add(self, rates: Rates) -> None:
        """One more interval."""
        self.churn.append(rates.churn)
        self.iops.append(rates.iops)
        self.throughput.append(rates.throughput)


@dataclass(slots=True)
class Rates:
    """One interval: bytes written (to replicated disks), operations, and bytes moved, each a second."""

    churn: float = 0.0
    iops: float = 0.0
    throughput: float = 0.0

    def __iadd__(self, other: Rates) -> Rates:
        self.churn += other.churn
        self.iops += other.iops
        self.throughput += other.throughput
        return self
