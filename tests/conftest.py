"""What all tests share: asyncio everywhere, and no silent skip where everything is required."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """asyncssh runs on asyncio only, so everything does."""
    return "asyncio"


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def] # pytest's hook protocol
    """With FLEETSCAN_REQUIRE_ALL=1 a skip is a failure: the machine promised to have everything."""
    report = yield
    if report.skipped and os.environ.get("FLEETSCAN_REQUIRE_ALL") == "1" and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report
