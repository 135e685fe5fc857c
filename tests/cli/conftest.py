"""The installed command against a lab in a process of its own, as a user runs it."""

from __future__ import annotations

import json
import os
import shlex
import subprocess
import sys
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest


@dataclass(frozen=True)
class RunningLab:
    inventory: Path
    environment: dict[str, str]
    counters_url: str

    def counters(self) -> dict[str, dict[str, Any]]:
        with urllib.request.urlopen(self.counters_url) as answer:  # noqa: S310 - a loopback address of our own
            hosts: dict[str, dict[str, Any]] = json.load(answer)["hosts"]
        return hosts

    def requests(self) -> int:
        return sum(host["connections"] for host in self.counters().values())


StartLab = Callable[..., RunningLab]


@pytest.fixture
def start_lab(tmp_path: Path) -> Iterator[StartLab]:
    """Starts labs with the given options, and ends them after the test."""
    yield from _labs(tmp_path)


@pytest.fixture(scope="module")
def untouched(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningLab]:
    """A lab for all tests in which nothing may be contacted."""
    labs = _labs(tmp_path_factory.mktemp("untouched"))
    yield next(labs)("--hosts", "1")
    next(labs, None)


def _labs(folder: Path) -> Iterator[StartLab]:
    processes: list[subprocess.Popen[str]] = []

    def start(*options: str) -> RunningLab:
        inventory, environment = folder / "lab.yaml", folder / "lab.env"
        command = [
            sys.executable,
            "-m",
            "fleetscan.lab",
            "--inventory",
            str(inventory),
            "--environment",
            str(environment),
        ]
        process = subprocess.Popen([*command, *options], stdout=subprocess.PIPE, text=True)
        processes.append(process)
        assert process.stdout is not None
        url = ""
        for line in process.stdout:
            url = next((word for word in line.split() if word.startswith("http://")), url)
            if line.startswith("ready"):
                break
        values = dict(word.split("=", 1) for word in shlex.split(environment.read_text(encoding="utf-8")))
        return RunningLab(inventory, values, url)

    yield start
    for process in processes:
        process.terminate()
        process.wait(20)
        assert process.stdout is not None
        process.stdout.close()


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
