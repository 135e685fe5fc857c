"""Which engine runs a machine's commands."""

from __future__ import annotations

from enum import StrEnum

from fleetscan.lab.direct import DirectEngine
from fleetscan.lab.engine import Engine, Outcome
from fleetscan.lab.facts import Machine
from fleetscan.lab.linux import ShEngine
from fleetscan.lab.powershell import PowerShellEngine


class Choice(StrEnum):
    """How a lab runs commands."""

    DIRECT = "direct"
    """Answers come straight from the facts."""
    REAL = "real"
    """Scripts run in a real PowerShell and a real sh; whatever this machine lacks is answered directly."""


class RealEngine:
    """PowerShell for Windows machines and `sh` for Linux machines, as far as this machine has them."""

    def __init__(self) -> None:
        direct = DirectEngine()
        self._windows: Engine = PowerShellEngine.find() or direct
        self._linux: Engine = ShEngine.find() or direct

    async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        """Run one command."""
        engine = self._linux if machine.os.family == "linux" else self._windows
        return await engine.run(machine, command, stdin, user=user)

    async def aclose(self) -> None:
        """Leave no process behind."""
        await self._windows.aclose()
        await self._linux.aclose()


def engine(choice: Choice) -> Engine:
    """Make an engine."""
    return DirectEngine() if choice is Choice.DIRECT else RealEngine()
