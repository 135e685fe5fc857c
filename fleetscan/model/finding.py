"""Findings: one check on one object of one host."""

from __future__ import annotations

import hashlib
import pickle
import threading
import zlib
from collections import Counter
from collections.abc import Callable, Container, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields
from enum import StrEnum
from functools import cache, lru_cache
from operator import attrgetter, itemgetter
from typing import Any, NamedTuple, TypeAlias, overload

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

    @property
    def shared(self) -> tuple[object, ...]:
        """What it has in common with all findings of the same check, as one value."""
        return _shared_values(self)


class Outcome(NamedTuple):
    """What totals tell findings apart by."""

    status: Status
    severity: Severity
    reason: Reason | None
    waived: bool

    @property
    def left_out(self) -> bool:
        """Whether it waits for hosts that whoever made the run left out of it: nothing went wrong with it."""
        return self.reason is Reason.ACROSS_LEFT_OUT


_outcome = cache(Outcome)
"""Every host has the same few: each is kept once."""

_SHARED = ("check_id", "check_title", "article", "severity", "object_type", "why", "action", "reference")
"""What all findings of a check have in common: most of their text, which would be kept with every host."""
_OWN = tuple(field.name for field in fields(Finding) if field.name not in _SHARED)
_shared_values, _own_values = attrgetter(*_SHARED), attrgetter(*_OWN)
_fill_shared, _fill_own = (tuple(Finding.__dict__[name].__set__ for name in names) for names in (_SHARED, _OWN))
_Row: TypeAlias = tuple[Any, ...]
"""The place of what is shared in `_known`, then the values of the other fields."""
_STATUS, _WAIVER, _REASON = (_OWN.index(name) + 1 for name in ("status", "waiver", "reason"))
_CHECK, _SEVERITY = (_SHARED.index(name) for name in ("check_id", "severity"))

_known: list[tuple[Any, ...]] = []
_places: dict[tuple[Any, ...], int] = {}
_adding = threading.Lock()


def _row(finding: Finding) -> _Row:
    shared = _shared_values(finding)
    place = _places.get(shared)
    if place is None:
        with _adding:
            place = _places.setdefault(shared, len(_known))
            if place == len(_known):
                _known.append(shared)
    return place, *_own_values(finding)


def _finding(row: _Row) -> Finding:
    """What `Finding(…)` makes of these values, which it made once before, in a third of the time: millions are read."""
    finding = Finding.__new__(Finding)
    for fill, value in zip(_fill_shared, _known[row[0]], strict=True):
        fill(finding, value)
    for fill, value in zip(_fill_own, row[1:], strict=True):
        fill(finding, value)
    return finding


def _reader(name: str) -> Callable[[_Row], Any]:
    """What gives one field of a row."""
    if name in _SHARED:
        index = _SHARED.index(name)
        return lambda row: _known[row[0]][index]
    return itemgetter(_OWN.index(name) + 1)


class PackedFindings(Sequence[Finding]):
    """Findings that are kept, not worked with: compressed, since those of thousands of hosts wait for their report."""

    __slots__ = ("_bytes", "tally")

    def __init__(self, findings: Sequence[Finding]) -> None:
        self._pack([_row(finding) for finding in findings])

    def _pack(self, rows: Sequence[_Row]) -> None:
        self._bytes = zlib.compress(pickle.dumps(rows, 5), 1)
        self.tally = Counter(
            _outcome(row[_STATUS], _known[row[0]][_SEVERITY], row[_REASON], row[_WAIVER] is not None) for row in rows
        )

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

    def columns(self, *names: str) -> Iterator[tuple[Any, ...]]:
        """Some fields of all findings, in a fraction of the time that making the findings takes."""
        readers = [_reader(name) for name in names]
        return (tuple([read(row) for read in readers]) for row in _rows(self._bytes))

    def at(self, places: Iterable[int]) -> dict[int, Finding]:
        """The findings at these places among all."""
        rows = _rows(self._bytes)
        return {place: _finding(rows[place]) for place in places}

    def of_checks(self, checks: Container[str]) -> dict[int, Finding]:
        """The findings of these checks, by their place among all."""
        return self.at(at for at, row in enumerate(_rows(self._bytes)) if _known[row[0]][_CHECK] in checks)

    def with_others(self, others: Mapping[int, Finding]) -> PackedFindings:
        """The same findings, with others at these places."""
        if not others:
            return self
        rows = list(_rows(self._bytes))
        for place, finding in others.items():
            rows[place] = _row(finding)
        packed = PackedFindings.__new__(PackedFindings)
        packed._pack(rows)
        return packed

    def __len__(self) -> int:
        return self.tally.total()

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Sequence) and tuple(self) == tuple(other)

    def __hash__(self) -> int:
        return hash(tuple(self))


@lru_cache(maxsize=2)
def _rows(packed: bytes) -> list[_Row]:
    """Reports go from host to host and look at each more than once."""
    rows: list[_Row] = pickle.loads(zlib.decompress(packed))  # noqa: S301 # written above, kept in memory, never from outside
    return rows


@lru_cache(maxsize=2)
def _unpacked(packed: bytes) -> tuple[Finding, ...]:
    return tuple(map(_finding, _rows(packed)))


def tally(findings: Sequence[Finding]) -> Counter[Outcome]:
    """How many findings there are of each outcome."""
    if isinstance(findings, PackedFindings):
        return findings.tally
    return Counter(
        _outcome(finding.status, finding.severity, finding.reason, finding.waiver is not None) for finding in findings
    )


def of_status(findings: Sequence[Finding], wanted: Container[Status]) -> list[Finding]:
    """The findings that have one of these statuses."""
    if not isinstance(findings, PackedFindings):
        return [finding for finding in findings if finding.status in wanted]
    places = (place for place, row in enumerate(_rows(findings._bytes)) if row[_STATUS] in wanted)
    return list(findings.at(places).values())
