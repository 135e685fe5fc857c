"""What all tests share: asyncio everywhere, and no silent skip where everything is required."""

from __future__ import annotations

import os

import pytest


@pytest.fixture
def anyio_backend() -> str:
    """asyncssh runs on asyncio only, so everything does."""
    return "asyncio"


@pytest.fixture(autouse=True)
def state(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Rejected logons of one test are no business of another, nor of the user who runs the tests."""
    monkeypatch.setenv("FLEETSCAN_STATE_DIR", str(tmp_path_factory.mktemp("state")))


EVERYTHING = os.environ.get("FLEETSCAN_REQUIRE_ALL") == "1"
"""The machine promises to have all that any test needs: a skip is a failure."""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item: pytest.Item, call: pytest.CallInfo[None]):  # type: ignore[no-untyped-def] # pytest's hook protocol
    report = yield
    if EVERYTHING and report.skipped and not hasattr(report, "wasxfail"):
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(collector: pytest.Collector):  # type: ignore[no-untyped-def] # pytest's hook protocol
    """The same for modules that skip themselves as a whole."""
    report = yield
    if EVERYTHING and report.skipped:
        report.outcome = "failed"
        report.longrepr = f"skipped where nothing may be skipped: {report.longrepr}"
    return report
