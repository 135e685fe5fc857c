"""The report of a profile: one row for the fleet and for each host, machine and disk that was measured."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fleetscan import __version__
from fleetscan.model.finding import Status
from fleetscan.model.playbook import JSON, DataSource
from fleetscan.model.profile import Gap, ProfileReport, ProfileRow, Scope
from fleetscan.profile.journal import Contents
from fleetscan.profile.limits import Limits
from fleetscan.profile.measure import Machine, Measure
from fleetscan.profile.series import Series, load, needed, worst_delay

_PRIMARY = 1
"""Replication mode of a machine that is replicated from here."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Wishes:
    """What a user wants the load to be held against. None: as the Deployment Planner reckons."""

    rpo: float | None = None
    growth: float | None = None
    link_bits: float | None = None
    replicated: bool = False
    """Only the machines that are replicated now."""


def summarize(
    contents: Contents,
    shape: Mapping[str, JSON],
    lists: Mapping[str, JSON],
    data: tuple[DataSource, ...],
    wishes: Wishes,
) -> ProfileReport:
    """Read a journal from its beginning to its end. `shape` is that of the sampled answers."""
    maker = _Maker(contents, shape, Limits.of(lists), wishes)
    rows, gaps = tuple(maker.rows()), tuple(maker.gaps())
    return ProfileReport(
        tool_version=__version__,
        started_at=contents.plan.began,
        ended_at=maker.ended,
        interval=contents.plan.interval,
        planned=contents.plan.samples,
        taken=contents.taken,
        rpo=maker.rpo,
        growth=maker.growth,
        rows=rows,
        gaps=gaps,
        unreplicated=sum(row.scope is Scope.VM and row.vm_id not in maker.replicated for row in rows),
        damaged=contents.damaged,
        restarted=maker.measure.restarted,
        data=data,
    )


class _Maker:
    def __init__(self, contents: Contents, shape: Mapping[str, JSON], limits: Limits, wishes: Wishes) -> None:
        self._contents = contents
        self._limits = limits
        self._link = wishes.link_bits
        self.rpo = limits.rpo if wishes.rpo is None else wishes.rpo
        self.growth = limits.growth if wishes.growth is None else wishes.growth
        self.ended = contents.plan.began
        self._said: dict[str, tuple[str, str]] = {}
        self._sizes = dict(_sizes(contents.facts))
        excluded = _excluded(contents.facts)
        self.replicated = frozenset(excluded)
        only = self.replicated if wishes.replicated else None
        self.measure = Measure(shape, contents.plan.interval, excluded, only)
        for entry in contents.entries():
            self._read(entry)

    def _read(self, entry: Mapping[str, JSON]) -> None:
        host, answer = str(entry["host"]), entry.get("totals")
        self.ended = max(self.ended, datetime.fromisoformat(str(entry["at"])))
        if isinstance(answer, Mapping):
            self.measure.add(host, int(str(entry["sample"])), answer)
        else:
            self._said[host] = str(entry.get("reason", "")), str(entry.get("message", ""))

    def rows(self) -> Iterator[ProfileRow]:
        """The fleet, then each host with its machines and their disks; the busiest first."""
        yield self._fleet()
        machines = sorted(self.measure.machines.items(), key=lambda item: -sum(item[1].series.churn))
        for host in self._contents.plan.hosts:
            if host in self.measure.hosts:
                yield self._host(host)
            for vm_id, machine in machines:
                if machine.host == host and machine.series.churn:
                    yield self._machine(vm_id, machine)
                    for path, series in machine.disks.items():
                        yield self._disk(vm_id, machine, path, series)

    def gaps(self) -> Iterator[Gap]:
        """The hosts that lack samples."""
        due = self._contents.taken
        for host in self._contents.plan.hosts:
            missed = due - self.measure.readings[host]
            if missed > 0:
                reason, message = self._said.get(host, ("", "the visit before was not over"))
                yield Gap(host=host, missed=missed, of=due, last_reason=reason, last_message=message)

    def _fleet(self) -> ProfileRow:
        series = self.measure.fleet
        return self._bandwidth(_row(Scope.FLEET, series), series, self._link)

    def _host(self, host: str) -> ProfileRow:
        series = self.measure.hosts[host]
        limits = _upload_limits(self._contents.facts.get(host, {}))
        row = _row(Scope.HOST, series, host=host)
        return self._bandwidth(row, series, min(limits) if limits else None)

    def _bandwidth(self, row: ProfileRow, series: Series, limit: float | None) -> ProfileRow:
        interval = self._contents.plan.interval
        churn = [rate * self.growth for rate in series.churn]
        always, mostly = (8 * needed(churn, interval, self.rpo, share) for share in (1.0, 0.9))
        row = replace(row, needed_bits=always, needed_bits_90=mostly, limit_bits=limit)
        if limit is None or limit >= always:
            return row
        name = "the link" if row.scope is Scope.FLEET else "its upload limit"
        cure = f"it takes {always / 1_000_000:,.1f} Mbit/s"
        if not limit or 8 * sum(churn) / len(churn) > limit:
            message = f"{name} is below the average churn: replication never catches up; {cure}"
            return replace(row, status=Status.FAIL, message=message)
        delay = worst_delay(churn, interval, limit / 8)
        status = Status.WARN if limit >= mostly else Status.FAIL
        return replace(row, status=status, message=f"over {name} data waits up to {delay / 60:.0f} min; {cure}")

    def _machine(self, vm_id: str, machine: Machine) -> ProfileRow:
        row = _row(Scope.VM, machine.series, host=machine.host, vm_id=vm_id, vm=machine.name)
        storage, status, message = self._limits.machine(row.churn, row.iops, self.growth)
        return replace(row, storage=storage, status=status, message=message)

    def _disk(self, vm_id: str, machine: Machine, path: str, series: Series) -> ProfileRow:
        size = self._sizes.get((vm_id, path.casefold()))
        row = _row(Scope.DISK, series, host=machine.host, vm_id=vm_id, vm=machine.name, disk=path, size_bytes=size)
        storage, status, message = self._limits.disk(size, row.iops, row.throughput, self.growth)
        return replace(row, storage=storage, status=status, message=message)


def _row(scope: Scope, series: Series, **names: Any) -> ProfileRow:
    return ProfileRow(
        scope=scope,
        samples=len(series.churn),
        churn=load(series.churn),
        iops=load(series.iops),
        throughput=load(series.throughput),
        **names,
    )


def _excluded(facts: Mapping[str, Mapping[str, JSON]]) -> dict[str, frozenset[str]]:
    """Machine that is replicated from one of the hosts → the disks that are left out of its replication."""
    found: dict[str, frozenset[str]] = {}
    for answers in facts.values():
        answer: Any = answers.get("vm-replication") or {}
        for vm in answer.get("vms", []):
            if vm["replication"]["mode_code"] == _PRIMARY:
                found[vm["id"]] = frozenset(path.casefold() for path in vm["replication"]["excluded_disks"])
    return found


def _sizes(facts: Mapping[str, Mapping[str, JSON]]) -> Iterator[tuple[tuple[str, str], int]]:
    for answers in facts.values():
        answer: Any = answers.get("vm-disks") or {}
        for vm in answer.get("vms", []):
            for drive in vm["drives"]:
                if drive.get("size_bytes") is not None:
                    yield (vm["id"], drive["path"].casefold()), drive["size_bytes"]


def _upload_limits(answers: Mapping[str, JSON]) -> list[float]:
    """The limits on the upload of a host, in bits a second: of QoS policies, and those of the agent by the hour."""
    answer: Any = answers.get("azure-agents") or {}
    policies = [policy["bits_per_second"] for policy in answer.get("qos_policies") or []]
    hours = (answer.get("throttle") or {}).values()
    return [float(limit) for limit in (*policies, *hours) if limit]
