"""Findings: one check on one object of one host."""

from __future__ import annotations

import hashlib
import pickle
import zlib
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import lru_cache
from operator import attrgetter
from typing import overload

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


_NAMES = tuple(field.name for field in fields(Finding))
_values = attrgetter(*_NAMES)


class PackedFindings(Sequence[Finding]):
    """Findings that are kept, not worked with: compressed, since those of thousands of hosts wait for their report."""

    __slots__ = ("_bytes", "tally")

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._bytes = zlib.compress(pickle.dumps([_values(finding) for finding in findings], 5), 1)
        self.tally = tally(findings)

    @classmethod
    def of(cls, findings: Sequence[Finding]) -> PackedFindings:
        """Pack them, unless they are packed."""
        return findings if isinstance(findings, cls) else cls(findings)

    @overload
    def __getitem__(self, index: int) -> Finding: ...
    @overload
    def __getitem__(self, index: slice) -> tuple[Finding, ...]: ...
    def __getitem__(self, index: int | slice) -> Finding | tuple[Finding, ...]:
        return _unpacked(self._bytes)[index]

    def __iter__(self) -> Iterator[Finding]:
        return iter(_unpacked(self._bytes))

    def __len__(self) -> int:
        return self.tally.total()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> tuple[Finding, ...]:
    """Reports go from host to host and look at each more than once."""
    rows = pickle.loads(zlib.decompress(packed))  # noqa: S301 # written above, kept in memory, never from outside
    return tuple(Finding(**dict(zip(_NAMES, row, strict=True))) for row in rows)


def tally(findings: Sequence[Finding]) -> Counter[tuple[Status, bool]]:
    """How many findings there are of each status, without and with a waiver."""
    if isinstance(findings, PackedFindings):
        return findings.tally
    return Counter((finding.status, finding.waiver is not None) for finding in findings)
