"""What a run is compared with: the runs before it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fleetscan.model.finding import Finding, Status
from fleetscan.model.reasons import Reason

DECIDED = frozenset({Status.PASS, Status.WARN, Status.FAIL, Status.NOT_APPLICABLE})
"""The statuses that say something of the object; after the others one knows no more than before."""


def ends_failure(status: Status, reason: Reason | None) -> bool:
    """Whether what failed before does not fail any more. Where nothing was measured, nobody knows."""
    return status in DECIDED and status is not Status.FAIL and reason is not Reason.PRECONDITION_UNMEASURED


class ChangeKind(StrEnum):
    """How a finding stands to the same finding of an earlier run. Failing means: status `fail`."""

    NEW = "new"
    """Fails, and did not when it was last decided."""
    FIXED = "fixed"
    """Failed when it was last decided, and does not any more; or its object is gone from a host that was assessed."""
    STILL_FAILING = "still_failing"
    NO_LONGER_ASSESSED = "no_longer_assessed"
    """Was decided in the earlier run, and is not in this one."""
    NEWLY_ASSESSED = "newly_assessed"
    """Was not decided in the earlier run (or not there), and is in this one, without failing."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """One finding that is not as it was, or that fails still.

    `before` is the finding of the earlier run, `after` that of this one; None where there is none.
    """

    kind: ChangeKind
    before: Finding | None
    after: Finding | None
    open_since: datetime | None = None
    """When the failure was first seen that was open before this run; a night without an answer does not close it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Move:
    """A virtual machine that is on other hosts than before."""

    vm_id: str
    vm_name: str
    before: tuple[str, ...]
    after: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Night:
    """One run in the trend: how many hosts there were, and how many findings of each status."""

    run_id: str
    started_at: datetime
    hosts: int
    failing_hosts: int
    unassessed_hosts: int
    counts: Mapping[Status, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """A run against an earlier one of the same playbook; `nights` has the runs before it, oldest first."""

    previous_run: str
    previous_started_at: datetime
    changes: tuple[Change, ...]
    moves: tuple[Move, ...] = ()
    nights: tuple[Night, ...] = ()
