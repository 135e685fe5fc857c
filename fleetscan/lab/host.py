"""What the servers of a simulated host share: who may log on, what has happened, and how commands run."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from fleetscan.lab.accounts import Account, Accounts
from fleetscan.lab.commands import powershell_script, reads_stdin
from fleetscan.lab.counters import Counters
from fleetscan.lab.engine import Engine
from fleetscan.lab.fleet import SimulatedHost
from fleetscan.lab.playback import play

OnCrash = Callable[[Exception], None]


@dataclass(slots=True, kw_only=True)
class Runtime:
    """One simulated host while the lab runs."""

    spec: SimulatedHost
    engine: Engine
    account: Account | None
    """The one that clients are told to use, as the host knows it."""
    accounts: Accounts
    users_file: Path
    """The accounts as pyspnego reads them."""
    on_crash: OnCrash
    counters: Counters = field(default_factory=Counters)

    async def perform(
        self,
        command: str,
        user: str,
        read: Callable[[], Awaitable[bytes]],
        write: Callable[[str, bytes], Awaitable[None]],
    ) -> int:
        """Run a command: standard input from `read` if it is wanted, output to `write`; the exit code.

        A command that never ends waits here until it is cancelled.
        """
        self.counters.commands += 1
        stdin = await read() if reads_stdin(command) else b""
        outcome = await self.engine.run(self.spec.machine, command, stdin, user=user)
        slow = self.spec.powershell_seconds if _is_script(command) else 0.0
        playback = play(outcome, self.spec.fault, extra_seconds=slow)
        for step in playback.steps:
            if step.delay:
                await asyncio.sleep(step.delay)
            await write(step.stream, step.data)
        if playback.exit_code is None:
            await asyncio.get_running_loop().create_future()
            raise AssertionError("this future has no result")
        return playback.exit_code


def _is_script(command: str) -> bool:
    return command.startswith("sh ") or powershell_script(command) is not None
