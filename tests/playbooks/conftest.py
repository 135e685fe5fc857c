"""A warm PowerShell for the tests of a module."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from fleetscan.lab import PowerShellEngine
from tests.machine import NO_POWERSHELL


@pytest.fixture(scope="module")
def anyio_backend() -> str:
    """The same as everywhere; module-wide, since the engine lives as long."""
    return "asyncio"


@pytest.fixture(scope="module")
async def powershell(anyio_backend: str) -> AsyncIterator[PowerShellEngine]:
    """The real engine with the stand-ins of the lab."""
    engine = PowerShellEngine.find()
    if engine is None:
        pytest.skip(NO_POWERSHELL)
    yield engine
    await engine.aclose()
