"""What a user asks of a scan: all that decides what comes out of it, and the command that asks it again."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from fleetscan.model.playbook import Severity

STDIN = "-"


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """The options of `scan` that say what is asked of whom. Paths are as the user wrote them."""

    inventory: tuple[str, ...]
    limit: str | None = None
    playbook: str | None = None
    data: str | None = None
    waivers: tuple[str, ...] = ()
    checks: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fail_on: Severity = Severity.LOW
    concurrency: int = 64
    connect_timeout: float = 10.0
    host_timeout: float = 120.0
    run_timeout: float = 0.0
    sample: float = 0.0

    def command(self) -> str:
        """The command without a host pattern; empty where it cannot be given again: standard input was read."""
        if STDIN in self.inventory:
            return ""
        return shlex.join(["fleetscan", "scan", *(word for option in self._options() for word in option)])

    def _options(self) -> Iterator[tuple[str, str]]:
        yield from (("-i", path) for path in self.inventory)
        yield from [("-p", self.playbook)] if self.playbook else []
        yield from [("--data", self.data)] if self.data else []
        yield from (("--waivers", path) for path in self.waivers)
        yield from (("--check", check) for check in self.checks)
        yield from (("--tag", tag) for tag in self.tags)
        yield from [("--sample", f"{self.sample:g}")] if self.sample else []
