"""Model values as JSON and back. A field that an older fleetscan did not write gets its default."""

from __future__ import annotations

import json
import zlib
from dataclasses import dataclass, fields
from typing import Any, TypeVar

from pydantic import TypeAdapter

from fleetscan.model.diagnosis import Diagnosis
from fleetscan.model.host import Host
from fleetscan.model.playbook import DataSource, Severity

T = TypeVar("T")


class UnreadableError(Exception):
    """A record is damaged, or was written by another version in another form."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What a run is to do."""

    checks: tuple[str, ...]
    hosts: tuple[Host, ...]
    left_out: tuple[Host, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What is known of a run as a whole when it has ended."""

    diagnoses: tuple[Diagnosis, ...] = ()
    notices: tuple[str, ...] = ()
    data: tuple[DataSource, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What a visit has in common with the one before it, on most nights all of it."""

    host: Host
    payload_sha256: str
    probes: tuple[str, ...]
    """Whose hashes `visits.evidence` has."""
    layout: tuple[tuple[int, tuple[int, ...]], ...]
    """The findings in their order: ids of checks, each with ids of its objects."""


@dataclass(frozen=True, slots=True)
class Definition:
    """What the findings of a check say of the check itself; the names are those of a finding's fields."""

    check_title: str
    article: tuple[str, ...]
    severity: Severity
    action: str
    reference: str
    why: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Details:
    """What is interesting of a visit for as long as its facts are."""

    meta: dict[str, Any]
    seconds: dict[str, float]


_ADAPTERS: dict[Any, TypeAdapter[Any]] = {}


def dump(value: Any) -> str:
    """The JSON of a model value, in pure ASCII."""
    return json.dumps(value, default=_shallow, separators=(",", ":"))


def _shallow(value: Any) -> Any:
    """One level of a dataclass or a mapping: `json` asks again for what is in it."""
    if hasattr(value, "__dataclass_fields__"):
        return {field.name: getattr(value, field.name) for field in fields(value)}
    if hasattr(value, "isoformat"):
        return value.isoformat()
    return dict(value)


def load(kind: type[T], text: str | bytes) -> T:
    """The value that was dumped. Raises UnreadableError."""
    if kind not in _ADAPTERS:
        _ADAPTERS[kind] = TypeAdapter(kind)
    try:
        value: T = _ADAPTERS[kind].validate_python(json.loads(text))
    except ValueError as error:  # pydantic's is one, too
        raise UnreadableError(kind.__name__.lower()) from error
    return value


def pack(value: Any) -> bytes:
    """The JSON of a model value, compressed."""
    return zlib.compress(dump(value).encode(), 6)


def unpack(kind: type[T], body: bytes) -> T:
    """The value that was packed. Raises UnreadableError."""
    try:
        text = zlib.decompress(body)
    except zlib.error as error:
        raise UnreadableError(kind.__name__.lower()) from error
    return load(kind, text)
