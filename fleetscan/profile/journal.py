"""The journal of a profile: JSON lines, one sample of one host a line, appended and never changed.

Each line is one write, so that a killed process leaves at most one torn line at the end; it is skipped when the journal
is read, and the next line begins on a line of its own.

    {"kind": "begin", "fleetscan": "0.1.0", "at": …, "interval": 60, "samples": 60, "hosts": ["hv01", …]}
    {"kind": "resume", "at": …, "sample": 17}
    {"kind": "host", "host": "hv01", "at": …, "facts": {"vm-disks": {…}, …}}
    {"kind": "sample", "host": "hv01", "sample": 0, "at": …, "totals": {…}}
    {"kind": "gap", "host": "hv01", "sample": 1, "at": …, "reason": "unreachable.refused", "message": …}
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import BinaryIO

from fleetscan import __version__
from fleetscan.errors import FleetscanError, InputError
from fleetscan.model.playbook import JSON


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a profile set out to do: how many samples of which hosts, so many seconds apart."""

    began: datetime
    interval: float
    samples: int
    hosts: tuple[str, ...]


@dataclass(slots=True)
class Contents:
    """A journal that was read: its plan, how far it came, and its lines, which are read again for each use."""

    path: Path
    plan: Plan
    taken: int = 0
    """The number of the next sample: all before it were due."""
    damaged: int = 0
    facts: dict[str, Mapping[str, JSON]] = field(default_factory=dict)
    """Host → the answers that do not change with each sample."""

    def entries(self) -> Iterator[Mapping[str, JSON]]:
        """The samples and gaps, as they were written."""
        for entry in _lines(self.path):
            if entry is not None and entry.get("kind") in ("sample", "gap"):
                yield entry


class Journal:
    """A journal that is being written. Raises FleetscanError where the disk takes nothing more."""

    def __init__(self, path: Path, stream: BinaryIO) -> None:
        self.path = path
        self._stream = stream

    @classmethod
    def begin(cls, path: Path, plan: Plan) -> Journal:
        """Start a new journal. Raises InputError if there is one, or none can be written there."""
        try:
            stream = path.open("xb", buffering=0)
        except FileExistsError:
            cure = "go on with it by --resume, or name another file"
            raise InputError.of(f"--out {path}", "is there already", cure) from None
        except OSError as error:
            raise InputError.of(f"--out {path}", f"cannot be written: {error.strerror}", "name another file") from None
        journal = cls(path, stream)
        hosts: list[JSON] = list(plan.hosts)
        journal.add(
            "begin", plan.began, fleetscan=__version__, interval=plan.interval, samples=plan.samples, hosts=hosts
        )
        return journal

    @classmethod
    def resume(cls, path: Path, at: datetime, sample: int) -> Journal:
        """Go on with a journal. A line that was torn stays, and is ended."""
        try:
            torn = not path.read_bytes().endswith(b"\n")
            stream = path.open("ab", buffering=0)
        except OSError as error:
            raise InputError.of(f"--out {path}", f"cannot be written: {error.strerror}", "name another file") from None
        journal = cls(path, stream)
        if torn:
            journal.write(b"\n")
        journal.add("resume", at, sample=sample)
        return journal

    def add(self, kind: str, at: datetime, **values: JSON) -> None:
        """Write one line."""
        line = json.dumps({"kind": kind, "at": at.isoformat(), **values}, separators=(",", ":"))
        self.write(line.encode("ascii") + b"\n")

    def write(self, line: bytes) -> None:
        """Write bytes as they are."""
        try:
            self._stream.write(line)
        except OSError as error:
            hint = "free some space and go on with --resume: what was sampled is kept"
            raise FleetscanError(f"{self.path} cannot be written any more: {error.strerror}", hint=hint) from error

    def close(self) -> None:
        """Nothing more comes."""
        self._stream.close()


def read_journal(path: Path) -> Contents:
    """Read a journal. Raises InputError where there is none."""
    found: Contents | None = None
    damaged = 0
    try:
        for entry in _lines(path):
            if entry is None:
                damaged += 1
            elif entry.get("kind") == "begin" and found is None:
                found = Contents(path, _plan(entry))
            elif found is not None:
                _note(found, entry)
    except OSError as error:
        raise InputError.of(str(path), f"cannot be read: {error.strerror}", "name the --out of a profile") from None
    if found is None:
        raise InputError.of(str(path), "is no journal of a profile", "name the --out of a profile")
    found.damaged = damaged
    return found


def _lines(path: Path) -> Iterator[dict[str, JSON] | None]:
    """Each line; None for one that is torn."""
    with path.open("rb") as stream:
        for line in stream:
            if not line.strip():
                continue
            try:
                entry = json.loads(line)
            except ValueError:
                entry = None
            yield entry if isinstance(entry, dict) else None


def _plan(entry: Mapping[str, JSON]) -> Plan:
    hosts = entry["hosts"]
    assert isinstance(hosts, Sequence)  # noqa: S101 # written by `begin`
    return Plan(
        began=datetime.fromisoformat(str(entry["at"])),
        interval=float(str(entry["interval"])),
        samples=int(str(entry["samples"])),
        hosts=tuple(str(host) for host in hosts),
    )


def _note(contents: Contents, entry: Mapping[str, JSON]) -> None:
    facts, number = entry.get("facts"), entry.get("sample")
    if entry.get("kind") == "host" and isinstance(facts, dict):
        contents.facts[str(entry["host"])] = facts
    elif entry.get("kind") in ("sample", "gap") and isinstance(number, int):
        contents.taken = max(contents.taken, number + 1)
