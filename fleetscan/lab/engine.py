"""What a simulated host does with a command line: the seam, and its result."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Protocol

from fleetscan.lab.facts import Machine


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a command wrote, how it ended, and the seconds that it takes on the simulated host."""

    stdout: bytes = b""
    stderr: bytes = b""
    exit_code: int = 0
    seconds: float = 0.0


class Engine(Protocol):
    """Runs commands for simulated hosts."""

    async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        """Run one command on one simulated host."""
        ...

    async def aclose(self) -> None:
        """Leave no process behind."""
        ...
