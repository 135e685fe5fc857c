"""What a visit brought back from one host: facts, not verdicts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from fleetscan.model.playbook import JSON
from fleetscan.model.reasons import Reason


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
