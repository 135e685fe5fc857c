"""What a profile comes to: load over time, for the fleet, its hosts, their machines and disks.

Sizes are bytes, rates bytes or operations a second, bandwidths bits a second; MB are 1,048,576 bytes.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetscan.model.finding import Status
from fleetscan.model.playbook import DataSource

MEGABYTE = 1_048_576


class Scope(StrEnum):
    """What a row of a profile is about."""

    FLEET = "fleet"
    HOST = "host"
    VM = "vm"
    DISK = "disk"


@dataclass(frozen=True, slots=True)
class Load:
    """One rate over time: its average, the value that 95 of 100 samples do not exceed, and its highest sample."""

    average: float
    p95: float
    peak: float


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileRow:
    """The load of one object. Churn is what is written to disks that are not excluded from replication."""

    scope: Scope
    host: str = ""
    vm_id: str = ""
    vm: str = ""
    disk: str = ""
    size_bytes: int | None = None
    samples: int
    """How many intervals could be measured."""
    churn: Load
    iops: Load
    throughput: Load
    needed_bits: float | None = None
    """The bandwidth that keeps the recovery point objective all the time, growth included; of fleet and hosts."""
    needed_bits_90: float | None = None
    """The one that keeps it for 90 of 100 samples."""
    limit_bits: float | None = None
    """The link of the fleet, or the upload limit of a host; None if there is none."""
    storage: str = ""
    """Where a machine can be replicated to, or the managed disk that carries a disk."""
    status: Status = Status.PASS
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """How often a host was not measured when it should have been, and what was said the last time."""

    host: str
    missed: int
    of: int
    last_reason: str = ""
    last_message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileReport:
    """A profile as far as it got."""

    tool_version: str
    started_at: datetime
    ended_at: datetime
    interval: float
    planned: int
    """Samples that were to be taken of each host."""
    taken: int
    rpo: float
    growth: float
    """1.3 for growth of 30 %; what is compared with limits has been multiplied by it."""
    rows: tuple[ProfileRow, ...]
    gaps: tuple[Gap, ...]
    unreplicated: int = 0
    """Machines in the rows that are not replicated now."""
    damaged: int = 0
    """Lines of the journal that could not be read."""
    restarted: int = 0
    """Measurements that were thrown away since a total had begun anew."""
    data: tuple[DataSource, ...] = ()
    interrupted: bool = False
