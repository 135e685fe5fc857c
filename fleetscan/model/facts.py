"""What a visit brought back from one host: facts, not verdicts."""

from __future__ import annotations

import json
import zlib
from collections.abc import Container, ItemsView, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from fleetscan.model.playbook import JSON
from fleetscan.model.reasons import Reason

LATER = "_later"
"""Behind the name of a probe: its second answer in the same visit, for totals that only two readings tell of."""


class Packed(Mapping[str, JSON]):
    """An answer that is kept, not worked with: compressed, since thousands of hosts wait in memory for their report."""

    __slots__ = ("_bytes",)

    def __init__(self, data: Mapping[str, JSON]) -> None:
        self._bytes = zlib.compress(json.dumps(dict(data), separators=(",", ":")).encode(), 1)

    @classmethod
    def of(cls, data: Mapping[str, JSON]) -> Packed:
        """The answer packed; one that is packed already stays as it is."""
        return data if isinstance(data, Packed) else cls(data)

    @classmethod
    def from_bytes(cls, compressed: bytes) -> Packed:
        """What `compressed` gave, once more."""
        packed = cls.__new__(cls)
        packed._bytes = compressed
        return packed

    @property
    def compressed(self) -> bytes:
        """The answer as JSON, compressed by zlib."""
        return self._bytes

    @property
    def text(self) -> str:
        """The answer as JSON, in pure ASCII."""
        return zlib.decompress(self._bytes).decode("ascii")

    def items(self) -> ItemsView[str, JSON]:
        """All of it, unpacked once."""
        return self._data().items()

    def __getitem__(self, key: str) -> JSON:
        return self._data()[key]

    def __iter__(self) -> Iterator[str]:
        return iter(self._data())

    def __len__(self) -> int:
        return len(self._data())

    def _data(self) -> dict[str, JSON]:
        data: dict[str, JSON] = json.loads(zlib.decompress(self._bytes))
        return data


@dataclass(frozen=True, slots=True, kw_only=True)
class ProbeAnswer:
    """What one probe reported. `data` is None exactly when `reason` says why there is none."""

    probe: str
    data: Mapping[str, JSON] | None
    reason: Reason | None = None
    message: str = ""
    ms: int = 0
    """Milliseconds that the probe took on the host."""
    sha256: str = ""
    """Hash of the canonical answer, for `evidence_ref`."""


@dataclass(frozen=True, slots=True, kw_only=True)
class HostFacts:
    """All that one visit brought back.

    `meta` is what the payload says of the host itself: computer, now (UTC, ISO 8601), culture, ui_culture,
    language_mode, powershell, os_build, elevated. It is empty when the host never answered.
    """

    meta: Mapping[str, JSON] = field(default_factory=dict)
    answers: Mapping[str, ProbeAnswer] = field(default_factory=dict)
    payload_sha256: str = ""

    def without_nulls(self) -> HostFacts:
        """The same facts without keys that hold null: for whoever judges, null and absent are the same."""
        answers = {
            name: answer if answer.data is None else replace(answer, data=_without_nulls(dict(answer.data)))
            for name, answer in self.answers.items()
        }
        return replace(self, meta=_without_nulls(dict(self.meta)), answers=answers)

    def only(self, probes: Container[str]) -> HostFacts:
        """The same facts, of these probes."""
        return replace(self, answers={name: answer for name, answer in self.answers.items() if name in probes})

    def packed(self) -> HostFacts:
        """The same facts in a tenth of the memory."""
        if all(answer.data is None or isinstance(answer.data, Packed) for answer in self.answers.values()):
            return self
        answers = {
            name: answer if answer.data is None else replace(answer, data=Packed.of(answer.data))
            for name, answer in self.answers.items()
        }
        return replace(self, answers=answers)


def _without_nulls(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _without_nulls(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_without_nulls(item) for item in value]
    return value
