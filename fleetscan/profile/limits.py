"""What loads are compared with: the dated lists of the playbook, read once."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from fleetscan.model.finding import Status
from fleetscan.model.playbook import JSON
from fleetscan.model.profile import MEGABYTE, Load

GIBIBYTE = 1_073_741_824


@dataclass(frozen=True, slots=True)
class DiskSize:
    """One size of one type of managed disk, and what it carries."""

    kind: str
    name: str
    bytes: int
    iops: float
    throughput: float

    def carries(self, iops: float, throughput: float) -> bool:
        """Whether it has room for that load."""
        return iops <= self.iops and throughput <= self.throughput


@dataclass(frozen=True, slots=True)
class Limits:
    """Rates are bytes a second. `sizes` are in the order of preference: cheapest type first, then smallest."""

    standard: float
    premium: float
    most: float
    most_iops: tuple[float, float]
    """Of a disk, of a machine: beyond these the Deployment Planner calls a machine incompatible."""
    sizes: tuple[DiskSize, ...]
    growth: float
    rpo: float

    @classmethod
    def of(cls, lists: Mapping[str, JSON]) -> Limits:
        """The limits in the lists of the playbook."""
        data: Any = lists  # the playbook's own lists, or the user's, which have been compared with them
        churn, planner = data["replication_limits"]["churn_mb_per_second"], data["replication_limits"]["planner"]
        sizes = tuple(
            DiskSize(kind["name"], size["name"], size["gib"] * GIBIBYTE, size["iops"], size["mb_per_second"] * MEGABYTE)
            for kind in data["storage_targets"]["types"]
            for size in kind["sizes"]
        )
        return cls(
            standard=churn["standard"] * MEGABYTE,
            premium=churn["premium_16_kb_writes"] * MEGABYTE,
            most=data["support_matrix"]["churn_mb_per_second"] * MEGABYTE,
            most_iops=(data["replication_limits"]["most_iops"]["disk"], data["replication_limits"]["most_iops"]["vm"]),
            sizes=sizes,
            growth=1 + planner["growth_percent"] / 100,
            rpo=planner["rpo_minutes"] * 60,
        )

    def machine(self, churn: Load, iops: Load, growth: float) -> tuple[str, Status, str]:
        """Where a machine can be replicated to, by its average churn; its status, and why."""
        average = churn.average * growth
        if iops.p95 * growth > self.most_iops[1] and average <= self.premium:
            told = f"more than the {self.most_iops[1]:,} IOPS that the Deployment Planner accepts"
            return "premium", Status.WARN, told
        if average <= self.standard:
            return "standard", Status.PASS, ""
        if average <= self.premium:
            return "premium", Status.PASS, ""
        if average <= self.most:
            told = f"writes more than the {self.premium / MEGABYTE:g} MB/s that the Deployment Planner accepts"
            return "premium, large writes only", Status.WARN, told
        return "none", Status.FAIL, f"writes more than the {self.most / MEGABYTE:g} MB/s that Site Recovery carries"

    def disk(self, size: int | None, iops: Load, throughput: Load, growth: float) -> tuple[str, Status, str]:
        """The managed disk that carries a disk, by its 95th percentiles; its status, and why."""
        wanted = iops.p95 * growth, throughput.p95 * growth
        large = [entry for entry in self.sizes if size is None or entry.bytes >= size]
        own = {kind: min((e for e in large if e.kind == kind), key=lambda e: e.bytes) for kind in _kinds(large)}
        fitting = next((entry for entry in own.values() if entry.carries(*wanted)), None)
        if fitting is not None and size is not None:
            if wanted[0] <= self.most_iops[0]:
                return f"{fitting.kind} {fitting.name}", Status.PASS, ""
            told = f"more than the {self.most_iops[0]:,} IOPS of a disk that the Deployment Planner accepts"
            return f"{fitting.kind} {fitting.name}", Status.WARN, told
        larger = min((entry for entry in large if entry.carries(*wanted)), key=lambda e: e.bytes, default=None)
        if larger is None:
            return "none", Status.FAIL, "no managed disk of these types carries its load"
        if size is None:
            return f"{larger.kind} {larger.name}", Status.PASS, "its size is not known"
        return f"{larger.kind} {larger.name}", Status.WARN, "only a managed disk larger than itself carries its load"


def _kinds(sizes: list[DiskSize]) -> list[str]:
    return list(dict.fromkeys(size.kind for size in sizes))
