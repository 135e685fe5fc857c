"""Which engine runs a machine's commands."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum

from fleetscan.lab.direct import DirectEngine
from fleetscan.lab.engine import Engine, Outcome
from fleetscan.lab.facts import Machine
from fleetscan.lab.linux import PROBE, ShEngine
from fleetscan.lab.powershell import PowerShellEngine, words_of_standins
from fleetscan.model.playbook import Language


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
        powershell, shell = PowerShellEngine.find(), ShEngine.find()
        self._windows: Engine = powershell or direct
        self._linux: Engine = shell or direct
        found = {Language.POWERSHELL: powershell, Language.SH: shell}
        self.missing = frozenset(language for language, engine in found.items() if engine is None)
        """What is answered directly."""

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


def probes_with_standins(probes: Iterable[str]) -> frozenset[str]:
    """Those of the probes whose facts the real engines can show to a script: the stand-ins look them up by name."""
    return frozenset(probes) & (words_of_standins() | {PROBE})
