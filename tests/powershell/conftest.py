"""A real PowerShell for payloads: FLEETSCAN_PSHOST, or pwsh on the PATH."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable

import pytest

from fleetscan.powershell.payload import Invocation
from tests import machine


@pytest.fixture(scope="session")
def powershell() -> str:
    """The path of a PowerShell that takes powershell.exe's switches."""
    return machine.powershell()


@pytest.fixture
def execute(powershell: str) -> Callable[[Invocation], subprocess.CompletedProcess[bytes]]:
    """Run an invocation as a host would."""

    def run(invocation: Invocation) -> subprocess.CompletedProcess[bytes]:
        command = [powershell, *invocation.command.split()[1:]]
        environment = {**os.environ, "PSHOST_STDIN": "1"}
        return subprocess.run(command, input=invocation.stdin, capture_output=True, env=environment, timeout=50)

    return run
