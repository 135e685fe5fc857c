"""A lab in a process of its own, as `python -m fleetscan.lab` runs it."""

from __future__ import annotations

import json
import shlex
import subprocess
import sys
import urllib.request
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any


@dataclass(frozen=True)
class RunningLab:
    """Its inventory, the variables with its passwords, and where its counters are."""

    inventory: Path
    environment: dict[str, str]
    counters_url: str

    def counters(self) -> dict[str, dict[str, Any]]:
        """What each host has seen so far."""
        with urllib.request.urlopen(self.counters_url) as answer:  # noqa: S310 - a loopback address of our own
            hosts: dict[str, dict[str, Any]] = json.load(answer)["hosts"]
        return hosts

    def total(self, counter: str) -> int:
        """One counter, over all hosts."""
        return sum(host[counter] for host in self.counters().values())

    def failed_logons(self) -> Counter[str]:
        """Rejected logons by account, over all hosts."""
        return sum((Counter(host["failed_logons"]) for host in self.counters().values()), Counter())


@contextmanager
def running_lab(folder: Path, *options: str) -> Iterator[RunningLab]:
    """Start simulated hosts with the options of `python -m fleetscan.lab`; `folder` gets the inventory."""
    inventory, environment = folder / "lab.yaml", folder / "lab.env"
    files = ("--inventory", str(inventory), "--environment", str(environment))
    process = subprocess.Popen(
        [sys.executable, "-m", "fleetscan.lab", *files, *options], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    try:
        url = ""
        for line in process.stdout:
            url = next((word for word in line.split() if word.startswith("http://")), url)
            if line.startswith("ready"):
                break
        words = shlex.split(environment.read_text(encoding="utf-8"))
        yield RunningLab(inventory, dict(word.split("=", 1) for word in words), url)
    finally:
        process.terminate()
        process.wait(20)
        process.stdout.close()
