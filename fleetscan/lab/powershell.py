"""The engine that really runs scripts: a PowerShell, with stand-ins for what only Windows has.

Two programs will do: `pshost` (named by FLEETSCAN_PSHOST), which keeps warm processes that take requests as JSON lines,
or PowerShell 7 (`pwsh` on the path), one process a command. The stand-ins are the .ps1 files in `standins`, run before
the script, with the machine's facts in `$SimHost`.
Neither program can pretend to another culture: `_host` names none.
A script that kills its process loses its output in `pshost`, and keeps it in `pwsh`, as on Windows.
"""

from __future__ import annotations

import asyncio
import base64
import json
import os
import re
import shutil
import tempfile
from abc import ABC, abstractmethod
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fleetscan.lab.commands import is_encoded, powershell_script, run_builtin
from fleetscan.lab.engine import Outcome
from fleetscan.lab.facts import Guest, Machine
from fleetscan.lab.moments import at, clock
from fleetscan.lab.processes import end, run

_LONGEST_ANSWER = 256 * 1024 * 1024
_PATIENCE_MS = 600_000
_WORD = re.compile(r"'([a-z][a-z0-9-]*)'")


class WorkerDiedError(Exception):
    """The process ended before it answered: the script killed it, as the payload's watchdog does."""


def _standins() -> list[str]:
    return [str(path) for path in sorted((Path(__file__).parent / "standins").glob("*.ps1"))]


def words_of_standins() -> frozenset[str]:
    """The quoted words of the stand-ins, among them the probes whose facts they answer from."""
    texts = (Path(path).read_text(encoding="utf-8") for path in _standins())
    return frozenset(word for text in texts for word in _WORD.findall(text))


def _quoted(text: str) -> str:
    return "'" + text.replace("'", "''") + "'"


def _facts(machine: Machine) -> dict[str, Any]:
    facts = machine.model_dump(mode="json", exclude={"guests"})
    facts["os"]["computer"] = machine.computer
    if machine.guests:
        facts["standins"] = _standins()
        facts["guests"] = [_guest(guest) for guest in machine.guests]
    return facts


def _guest(guest: Guest) -> dict[str, Any]:
    """What the stand-in for PowerShell Direct needs of a guest: who may log on, its facts, what Windows knows there."""
    account = {"username": guest.username, "password": guest.password}
    return {"id": guest.id, **account, "facts": _facts(guest.machine), "prepare": _prepared(guest.machine, "")}


def _prepared(machine: Machine, script: str) -> str:
    """The script, with what Windows knows of itself set before it: name, PowerShell version, language mode."""
    lines = [
        f"$env:COMPUTERNAME = {_quoted(machine.computer)}",
        f"$PSVersionTable.PSVersion = [version]{_quoted(machine.os.powershell)}",
    ]
    if machine.os.language_mode != "FullLanguage":
        lines.append(f"$ExecutionContext.SessionState.LanguageMode = {_quoted(machine.os.language_mode)}")
    return "\n".join([*lines, script])


def _encoded(script: str) -> list[str]:
    return ["-NoProfile", "-NonInteractive", "-EncodedCommand", base64.b64encode(script.encode("utf-16-le")).decode()]


class PowerShellEngine(ABC):
    """Runs PowerShell scripts for real; other commands are a few of cmd's own."""

    @staticmethod
    def find() -> PowerShellEngine | None:
        """The engine that this machine has a PowerShell for; None where there is none."""
        pshost = os.environ.get("FLEETSCAN_PSHOST")
        if pshost:
            return PshostEngine(pshost)
        pwsh = shutil.which("pwsh")
        return PwshEngine(pwsh) if pwsh else None

    async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        """Run a PowerShell script, or one of cmd's built-in commands."""
        script = powershell_script(command)
        if script is None:
            return run_builtin(machine, user, command, stdin)
        machine = at(machine, clock(machine), totals=False)
        return await self._run(machine, _prepared(machine, script), stdin, clixml=is_encoded(command))

    @abstractmethod
    async def _run(self, machine: Machine, script: str, stdin: bytes, *, clixml: bool) -> Outcome: ...

    @abstractmethod
    async def aclose(self) -> None:
        """Leave no process behind."""


class PwshEngine(PowerShellEngine):
    """PowerShell 7, one process a command."""

    def __init__(self, program: str) -> None:
        self._program = program

    async def _run(self, machine: Machine, script: str, stdin: bytes, *, clixml: bool) -> Outcome:  # noqa: ARG002 # pwsh decides that by itself
        with tempfile.TemporaryDirectory(prefix="fleetscan-lab-") as folder:
            facts = Path(folder) / "facts.json"
            facts.write_text(json.dumps(_facts(machine)), encoding="ascii")
            lines = [f"$global:SimHost = Get-Content -Raw -Path {_quoted(str(facts))} | ConvertFrom-Json"]
            lines += [f". {_quoted(path)}" for path in _standins()]
            lines += ["$input | & {", script, "}"]
            return await run(self._program, _encoded("\n".join(lines)), stdin)

    async def aclose(self) -> None:
        """No process outlives its command."""


class _Worker:
    """One warm process. It runs one script at a time, so that a script may change or kill its process."""

    def __init__(self, program: str) -> None:
        self._program = program
        self._process: asyncio.subprocess.Process | None = None
        self._busy = False
        self._ending = asyncio.Lock()

    async def ask(self, request: Mapping[str, Any]) -> dict[str, Any]:
        """Send a request and wait for its answer; raises WorkerDiedError. A cancelled request ends the process."""
        process = await self._alive()
        self._busy = True
        line = b""
        assert process.stdin is not None  # noqa: S101 # both are pipes
        assert process.stdout is not None  # noqa: S101
        try:
            process.stdin.write(json.dumps(request).encode() + b"\n")
            await process.stdin.drain()
            line = await process.stdout.readline()
        except (BrokenPipeError, ConnectionResetError):
            line = b""
        finally:
            if not line:  # the script has killed the process, or nobody waits for it any more
                await self.aclose()
        if not line:
            raise WorkerDiedError
        self._busy = False
        answer: dict[str, Any] = json.loads(line)
        return answer

    async def aclose(self) -> None:
        """End the process: while it is idle by the end of its input, so that it removes its files; else by force."""
        async with self._ending:  # whoever comes second waits until it is gone
            process, self._process = self._process, None
            if process is not None:
                await end(process, patience=0 if self._busy else 2)

    async def _alive(self) -> asyncio.subprocess.Process:
        if self._process is None or self._process.returncode is not None:
            pipe = asyncio.subprocess.PIPE
            self._process = await asyncio.create_subprocess_exec(
                self._program,
                "serve",
                stdin=pipe,
                stdout=pipe,
                limit=_LONGEST_ANSWER,
                env={**os.environ, "PSHOST_WORKERS": "1"},
            )
        return self._process


class PshostEngine(PowerShellEngine):
    """Warm `pshost` processes, shared by all hosts."""

    def __init__(self, program: str, *, workers: int | None = None) -> None:
        self._program = program
        self._workers = [_Worker(program) for _ in range(workers or min(os.cpu_count() or 1, 4))]
        self._idle: asyncio.LifoQueue[_Worker] = asyncio.LifoQueue()
        for worker in reversed(self._workers):
            self._idle.put_nowait(worker)

    async def _run(self, machine: Machine, script: str, stdin: bytes, *, clixml: bool) -> Outcome:
        request = {
            "id": 1,
            "script": script,
            "prelude": _standins(),
            "facts": _facts(machine),
            "stdin": stdin.decode("utf-8", "replace"),
            "timeout_ms": _PATIENCE_MS,
            "error_format": "clixml" if clixml else "text",
        }
        worker = await self._idle.get()
        try:
            answer = await worker.ask(request)
        except WorkerDiedError:
            return Outcome(exit_code=-1)  # pshost hands output over at the end: what there was has gone with it
        finally:
            self._idle.put_nowait(worker)
        if "failure" in answer:
            raise RuntimeError(f"pshost: {answer['failure']}")
        return Outcome(answer["stdout"].encode(), answer["stderr"].encode(), answer["exit_code"])

    async def aclose(self) -> None:
        """End all processes."""
        for worker in self._workers:
            await worker.aclose()
