"""What a simulated host has seen: read by tests, printed by `python -m fleetscan.lab`."""

from __future__ import annotations

import time
from dataclasses import dataclass, field


@dataclass(slots=True)
class Counters:
    """Everything is counted since the start of the host; `shells_open` is now."""

    connections: int = 0
    requests: int = 0
    logons: int = 0
    failed_logons: dict[str, int] = field(default_factory=dict)
    """By the user name that was given."""
    shells_open: int = 0
    shells_opened: int = 0
    commands: int = 0
    last_request: float = 0.0
    """Seconds since 1970; 0 means never."""

    def request(self) -> None:
        """A request came in."""
        self.requests += 1
        self.last_request = time.time()

    def refused(self, username: str) -> None:
        """A logon failed."""
        self.failed_logons[username] = self.failed_logons.get(username, 0) + 1
