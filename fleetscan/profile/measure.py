"""From the readings of a journal to series of rates: of each disk, each machine, each host, and the fleet."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fleetscan import totals
from fleetscan.model.playbook import JSON
from fleetscan.profile.series import Rates, Series

LONGEST = 1.5
"""A measured interval may be so much longer than the plan; a longer one would hide its peaks in an average."""


@dataclass(slots=True)
class Machine:
    """A virtual machine: its name, the host that it was last seen on, its series and those of its disks."""

    name: str = ""
    host: str = ""
    series: Series = field(default_factory=Series)
    disks: dict[str, Series] = field(default_factory=lambda: defaultdict(Series))


@dataclass(slots=True)
class _Last:
    number: int
    answer: Mapping[str, JSON]


class Measure:
    """Takes samples in the order in which they were written."""

    def __init__(
        self,
        shape: Mapping[str, JSON],
        interval: float,
        excluded: Mapping[str, frozenset[str]],
        only: frozenset[str] | None = None,
    ) -> None:
        """`excluded` names the disks of each machine that are not replicated: what they take is no churn.

        With `only`, machines with other ids are left out.
        """
        self.machines: dict[str, Machine] = defaultdict(Machine)
        self.hosts: dict[str, Series] = defaultdict(Series)
        self.readings: dict[str, int] = defaultdict(int)
        self.restarted = 0
        self._shape = shape
        self._interval = interval
        self._excluded = excluded
        self._only = only
        self._last: dict[str, _Last] = {}
        self._fleet: dict[int, Rates] = defaultdict(Rates)

    @property
    def fleet(self) -> Series:
        """The sum of all hosts, for each interval in which any was measured."""
        series = Series()
        for number in sorted(self._fleet):
            series.add(self._fleet[number])
        return series

    def add(self, host: str, number: int, answer: Mapping[str, JSON]) -> None:
        """One more reading of a host."""
        self.readings[host] += 1
        last, self._last[host] = self._last.get(host), _Last(number, answer)
        if last is None:
            return
        seconds = totals.elapsed(last.answer, answer)
        if seconds is None:
            self.restarted += _counting(answer)
            return
        if seconds > self._interval * LONGEST:
            return
        measured = totals.measured(self._shape, last.answer, answer)
        whole = Rates()
        for machine in _items(measured.get("vms")):
            rates = self._machine(host, machine)
            if rates is not None:
                whole += rates
        self.hosts[host].add(whole)
        self._fleet[number] += whole

    def _machine(self, host: str, entry: Mapping[str, JSON]) -> Rates | None:
        """The rates of a machine, None if it was not running."""
        vm_id = str(entry["id"])
        if self._only is not None and vm_id not in self._only:
            return None
        machine = self.machines[vm_id]
        machine.name, machine.host = str(entry["name"]), host
        whole, known = Rates(), False
        for device in _items(entry.get("devices")):
            path = str(device["path"])
            rates = _rates(device)
            if rates is None:
                self.restarted += "value" in _part(device, "write_bytes")
                continue
            known = True
            machine.disks[path].add(rates)
            churn = 0.0 if path.casefold() in self._excluded.get(vm_id, ()) else rates.churn
            whole += Rates(churn, rates.iops, rates.throughput)
        if not known:
            return None
        machine.series.add(whole)
        return whole


def _rates(device: Mapping[str, JSON]) -> Rates | None:
    keys = ("write_bytes", "read_bytes", "writes", "reads")
    told = [_part(device, key).get("per_second") for key in keys]
    numbers = [value for value in told if isinstance(value, float)]
    if len(numbers) < len(keys):
        return None
    written, read, writes, reads = numbers
    return Rates(written, writes + reads, written + read)


def _counting(answer: Mapping[str, JSON]) -> bool:
    sample = answer.get(totals.SAMPLE)
    return isinstance(sample, Mapping) and sample.get("ticks") is not None


def _part(entry: Mapping[str, JSON], key: str) -> Mapping[str, JSON]:
    part = entry.get(key)
    return part if isinstance(part, Mapping) else {}


def _items(value: JSON) -> Iterable[Mapping[str, JSON]]:
    return [item for item in value if isinstance(item, Mapping)] if isinstance(value, list) else []
