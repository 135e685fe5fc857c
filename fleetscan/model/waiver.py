"""Waivers: a failure that somebody has answered for, until a day."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Waiver:
    """Who accepts that a finding is not as it should be, why, and until when. It never hides the finding's status."""

    id: str
    owner: str
    ticket: str
    reason: str
    expires: date
    """The last day on which it counts."""
