"""Child processes that end with the call that started them, also when it is cancelled."""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import sys
from pathlib import Path

import anyio

from fleetscan.lab.engine import Outcome


async def run(
    program: str,
    arguments: list[str],
    stdin: bytes,
    *,
    environment: dict[str, str] | None = None,
    folder: Path | None = None,
) -> Outcome:
    """Run a program to its end. What it has started ends with it, on systems that have sessions of processes."""
    pipe = asyncio.subprocess.PIPE
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        stdin=pipe,
        stdout=pipe,
        stderr=pipe,
        env=environment,
        cwd=folder,
        start_new_session=True,
    )
    try:
        stdout, stderr = await process.communicate(stdin)
    finally:
        _kill_session(process.pid)
        await end(process)
    return Outcome(stdout, stderr, process.returncode or 0)


async def end(process: asyncio.subprocess.Process, *, patience: float = 0) -> None:
    """Close a process's input, and kill it when it has not ended after `patience` seconds; not to be cancelled."""
    with anyio.CancelScope(shield=True):
        ending = asyncio.ensure_future(process.communicate(b""))
        await asyncio.wait([ending], timeout=patience)
        if process.returncode is None:
            process.kill()
        await ending


def _kill_session(leader: int) -> None:
    if sys.platform != "win32":
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(leader, signal.SIGKILL)
