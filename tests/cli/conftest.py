"""The installed command against a lab in a process of its own, as a user runs it."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests.labs import RunningLab, running_lab

StartLab = Callable[..., RunningLab]


@pytest.fixture
def start_lab(tmp_path: Path) -> Iterator[StartLab]:
    """Starts labs with the given options, and ends them after the test."""
    with ExitStack() as stack:
        yield lambda *options: stack.enter_context(running_lab(tmp_path, *options))


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab for all tests in which nothing may be contacted."""
    with running_lab(tmp_path_factory.mktemp("untouched"), "--hosts", "1") as lab:
        yield lab


FLEETSCAN = [sys.executable, "-m", "fleetscan"]


def fleetscan(*arguments: str, lab: RunningLab | None = None, **extra: str) -> subprocess.CompletedProcess[str]:
    """Run the command to its end; standard output and error apart."""
    environment = {**os.environ, **(lab.environment if lab else {}), "COLUMNS": "100", **extra}
    return subprocess.run(
        [*FLEETSCAN, *arguments],
        capture_output=True,
        encoding="utf-8",
        env=environment,
        stdin=subprocess.DEVNULL,
        timeout=60,
    )
