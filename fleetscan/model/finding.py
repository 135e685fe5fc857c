"""Findings: one check on one object of one host."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from enum import StrEnum

from fleetscan.model.playbook import ObjectType, Severity
from fleetscan.model.reasons import Reason
from fleetscan.model.waiver import Waiver


class Status(StrEnum):
    """The outcome of a finding. `error` and `not_assessed` are never a pass and never a failure."""

    PASS = "pass"
    WARN = "warn"
    FAIL = "fail"
    ERROR = "error"
    NOT_APPLICABLE = "not_applicable"
    NOT_ASSESSED = "not_assessed"


SYMPTOMATIC = frozenset({Status.FAIL, Status.WARN})
"""The statuses of a finding that a diagnosis explains, or explains others with."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One check on one object of one host. Every status but `pass` has a reason."""

    host: str
    check_id: str
    check_title: str
    article: tuple[str, ...]
    severity: Severity
    object_type: ObjectType
    object_id: str
    """A VM's GUID, a disk's path, or the host's name. Empty when the objects are not known."""
    object_name: str
    status: Status
    reason: Reason | None
    message: str
    why: str = ""
    """What a failure means for the machines: a sentence of the check."""
    expected: str = ""
    observed: str = ""
    remedy: str = ""
    action: str = ""
    reference: str = ""
    evidence_ref: str = ""
    """`<probe>@<first 12 digits of the answer's hash>`, joined by `;`."""
    waiver: Waiver | None = None
    """Who answers for it; the status stays what it is."""

    @property
    def key(self) -> str:
        """The same for the same check on the same object of the same host in every run."""
        text = f"{self.host.casefold()}\x1f{self.check_id}\x1f{self.object_type}\x1f{self.object_id.casefold()}"
        return hashlib.sha256(text.encode(errors="surrogatepass")).hexdigest()[:16]
