"""A run, from its beginning to what every report is made of."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum

from fleetscan.model.diagnosis import Diagnosis
from fleetscan.model.facts import HostFacts
from fleetscan.model.finding import Finding, Outcome, PackedFindings, Status, tally
from fleetscan.model.history import History
from fleetscan.model.host import Host
from fleetscan.model.playbook import DataSource, Severity
from fleetscan.model.reasons import Reason, Stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Trouble:
    """Why a visit did not (fully) succeed: what happened, at which stage, and what to try."""

    reason: Reason
    stage: Stage
    message: str
    hint: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostReport:
    """What one visit came to. Every selected host has exactly one, whatever happened."""

    host: Host
    started_at: datetime | None
    ended_at: datetime | None
    facts: HostFacts
    findings: Sequence[Finding]
    trouble: Trouble | None = None
    attempts: int = 0
    seconds: Mapping[str, float] = field(default_factory=dict)
    """Seconds spent in each stage."""

    def counts(self) -> Counter[Status]:
        """How many findings there are of each status."""
        return _by_status(tally(self.findings))

    def told(self, findings: Sequence[Finding]) -> HostReport:
        """The same report with other findings, packed if those were."""
        packed = isinstance(self.findings, PackedFindings)
        return replace(self, findings=PackedFindings.of(findings) if packed else tuple(findings))

    def packed(self) -> HostReport:
        """The same report in a tenth of the memory, for the time until all hosts are done."""
        return replace(self, facts=self.facts.packed(), findings=PackedFindings.of(self.findings))

    @property
    def verdict(self) -> Status:
        """The worst that is known of this host: fail, then error, not_assessed, warn, pass, not_applicable.

        What waits for hosts that were left out of the run on purpose makes no host worse.
        """
        return self._worst(tally(self.findings))

    @property
    def open_verdict(self) -> Status:
        """The worst that nobody has answered for: the verdict without the findings that are waived."""
        return self._worst(outcome for outcome in tally(self.findings) if not outcome.waived)

    def _worst(self, outcomes: Iterable[Outcome]) -> Status:
        found = {outcome.status for outcome in outcomes if not outcome.left_out}
        if self.trouble is not None and Status.FAIL not in found:
            return Status.NOT_ASSESSED
        order = (Status.FAIL, Status.ERROR, Status.NOT_ASSESSED, Status.WARN, Status.PASS)
        return next((status for status in order if status in found), Status.NOT_APPLICABLE)


def _by_status(outcomes: Counter[Outcome]) -> Counter[Status]:
    counts: Counter[Status] = Counter()
    for outcome, count in outcomes.items():
        counts[outcome.status] += count
    return counts


@dataclass(frozen=True, slots=True, kw_only=True)
class RunReport:
    """Everything that a report format may show. All formats count from `findings()`, so that totals agree."""

    run_id: str
    tool_version: str
    playbook: str
    playbook_title: str
    playbook_version: str
    check_count: int
    started_at: datetime
    ended_at: datetime
    hosts: tuple[HostReport, ...]
    fail_on: Severity
    interrupted: bool = False
    data: tuple[DataSource, ...] = ()
    """The dated lists that the checks compared with."""
    diagnoses: tuple[Diagnosis, ...] = ()
    history: History | None = None
    """This run against the one before it; None where nobody asked, or where there was none."""
    notices: tuple[str, ...] = ()
    """What the reader must know about how this run was made: verification switched off, a logon stopped …"""

    def findings(self) -> Iterator[tuple[HostReport, Finding]]:
        """Every finding with its host, in inventory order, then playbook order."""
        for report in self.hosts:
            for finding in report.findings:
                yield report, finding

    def counts(self) -> Counter[Status]:
        """How many findings of the whole run there are of each status."""
        return sum((report.counts() for report in self.hosts), Counter())


@dataclass(frozen=True, slots=True, kw_only=True)
class RunRecord:
    """What is known of a run before its first host: enough to finish it if it is cut off."""

    run_id: str
    started_at: datetime
    playbook: str
    playbook_title: str
    playbook_version: str
    checks: tuple[str, ...]
    """The ids of the selected checks, in playbook order."""
    hosts: tuple[Host, ...]
    """Everything that is to be visited, in its order, as the inventory resolved it: no secret is in it."""
    fail_on: Severity
    tool_version: str
    command: str = ""
    """The command line that asked for it, without the address of the store: that one may hold a password."""
    left_out: tuple[Host, ...] = ()
    """The other hosts of the inventory: the run knows of them, and asks them nothing."""


class RunState(StrEnum):
    """How far a run came."""

    UNFINISHED = "unfinished"
    """It was begun and never ended: it is under way, or it was killed."""
    INTERRUPTED = "interrupted"
    """It was ended early, in order."""
    FINISHED = "finished"


@dataclass(frozen=True, slots=True, kw_only=True)
class RunSummary:
    """One line of the list of runs."""

    run_id: str
    playbook: str
    playbook_version: str
    started_at: datetime
    ended_at: datetime | None
    state: RunState
    hosts: int
    """How many were to be visited."""
    done: int
    """How many have a report."""
    failing_hosts: int
    unassessed_hosts: int
    counts: Mapping[Status, int]
    has_facts: bool
    """Whether what the hosts answered is still kept, so that it can be judged again."""
    fail_on: Severity
    tool_version: str
    command: str = ""
