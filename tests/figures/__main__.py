"""`make bench`: the figures of docs/figures.md, measured on this machine. The lab runs in a process of its own.

python -m tests.figures [visit] [fleet] [kept] [faults] [interrupt] [password] [html] [store] [article]
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tests.labs import RunningLab, running_lab

HOSTS = 200
CONCURRENCY = 64
LATENCY_MS = 20
POWERSHELL_SECONDS = 1.0
HOST_TIMEOUT = 20.0
# As installed: Python compiles a module once, not at every start.
ENVIRONMENT = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
OPEN_STORE = "from fleetscan.store import open_store; open_store().close()"
ROOMS = "cli.scan, cli.present, cli.running, inventory, store, playbook, scan.outcome, transports.winrm, report.table"


@dataclass(frozen=True)
class Usage:
    """What one scan cost and came to."""

    wall: float
    cpu: float
    memory_mb: float
    status: int
    document: dict[str, Any]


@contextmanager
def lab(*options: str) -> Iterator[RunningLab]:
    """Start simulated hosts: WinRM over HTTP with sealed NTLM unless the options say otherwise."""
    with tempfile.TemporaryDirectory() as folder, running_lab(Path(folder), *options) as running:
        yield running


def scan(lab: RunningLab, *options: str, interrupt_at: int = 0) -> Usage:
    """Scan the lab in a process of its own, as a user would, and measure that process."""
    with tempfile.TemporaryDirectory() as folder:
        document = Path(folder, "result.json")
        command = [sys.executable, "-m", "fleetscan", "scan", "-i", str(lab.inventory), "-o", str(document), "--quiet"]
        environment = ENVIRONMENT | lab.environment | {"FLEETSCAN_STATE_DIR": folder}
        # As every night but the first, the store is there.
        subprocess.run([sys.executable, "-c", OPEN_STORE], env=environment, check=True)
        began = time.monotonic()
        process = subprocess.Popen([*command, *options], env=environment, stdout=subprocess.DEVNULL)
        if interrupt_at:
            while lab.total("commands") < interrupt_at:
                time.sleep(0.05)
            process.send_signal(signal.SIGINT)
            began = time.monotonic()
        _, status, usage = os.wait4(process.pid, 0)
        process.returncode = os.waitstatus_to_exitcode(status)
        return Usage(
            wall=time.monotonic() - began,
            cpu=usage.ru_utime + usage.ru_stime,
            memory_mb=usage.ru_maxrss / 1024,
            status=process.returncode,
            document=json.loads(document.read_text()),
        )


SCAN = ("--concurrency", str(CONCURRENCY))
ALONE = (*SCAN, "--no-store")
"""What a scan itself costs; `kept` measures what writing it to the store costs besides."""
FLEET = (
    *("--hosts", str(HOSTS), "--scheme", "http", "--auth", "ntlm"),
    *("--latency-ms", str(LATENCY_MS), "--powershell-seconds", str(POWERSHELL_SECONDS)),
)


def visit() -> None:
    """What one visit sends."""
    with lab("--hosts", "1", "--scheme", "http", "--auth", "ntlm") as hosts:
        scan(hosts)
        [counters] = hosts.counters().values()
    say("requests per host, NTLM over http, with the logon", counters["requests"], "at most 9")
    say("TCP connections per host", counters["connections"], "at most 2")


def fleet() -> None:
    """Healthy hosts with latency and a PowerShell that takes its second."""
    with lab(*FLEET) as hosts:
        usage = scan(hosts, *ALONE)
        still_open = hosts.total("shells_open")
    one = POWERSHELL_SECONDS + 8 * LATENCY_MS / 1000
    say(
        f"wall time, {HOSTS} hosts, {CONCURRENCY} at once",
        f"{usage.wall:.1f} s",
        f"ideal {HOSTS / CONCURRENCY * one:.1f} s",
    )
    say("client CPU per host, Python's start included", f"{usage.cpu / HOSTS * 1000:.1f} ms")
    say("peak memory of the client", f"{usage.memory_mb:.0f} MB")
    say("hosts without a trouble", sum(not host["trouble"] for host in usage.document["hosts"]), f"of {HOSTS}")
    say("shells left open", still_open, "0")


def kept() -> None:
    """The same hosts, each written to the store when it is finished."""
    with lab(*FLEET) as hosts:
        usage = scan(hosts, *SCAN)
    say(f"wall time, {HOSTS} hosts, {CONCURRENCY} at once", f"{usage.wall:.1f} s")
    say("client CPU per host, Python's start included", f"{usage.cpu / HOSTS * 1000:.1f} ms")
    say("peak memory of the client", f"{usage.memory_mb:.0f} MB")


def faults() -> None:
    """Two hosts in five misbehave, in every way that the lab knows."""
    with lab(*FLEET, "--misbehave", "0.4") as hosts:
        usage = scan(hosts, *ALONE, "--host-timeout", str(HOST_TIMEOUT), "--connect-timeout", "3")
        still_open, failed = hosts.total("shells_open"), hosts.failed_logons()
    reasons = Counter(host["trouble"]["reason"] for host in usage.document["hosts"] if host["trouble"])
    healthy = sum(not host["trouble"] for host in usage.document["hosts"])
    waves = HOST_TIMEOUT + 5
    say(f"wall time, {HOSTS} hosts of which 40 % misbehave", f"{usage.wall:.1f} s", f"a host may take {waves:.0f} s")
    say("hosts without a trouble", healthy, f"{HOSTS * 6 // 10} are healthy; some faults do no harm")
    say("hosts with a trouble", ", ".join(f"{reason} {count}" for reason, count in reasons.most_common()))
    say("shells left open, for the host's idle timeout", still_open, "hosts that never answer a Delete")
    say("peak memory of the client", f"{usage.memory_mb:.0f} MB", "at most 100 MB")
    say("failed logons by account", dict(failed))


def interrupt() -> None:
    """One Ctrl+C in the middle."""
    with lab(*FLEET) as hosts:
        usage = scan(hosts, *SCAN, interrupt_at=100)
        started, still_open = hosts.total("commands"), hosts.total("shells_open")
    reports = usage.document["hosts"]
    finished = sum(not host["trouble"] for host in reports)
    say("from Ctrl+C to the end", f"{usage.wall:.1f} s", "at most 5 s")
    say("exit status", usage.status, "130")
    say("hosts in the report", len(reports), f"of {HOSTS}")
    say("hosts finished and reported", finished, f"{started} were started")
    say("shells left open", still_open, "0")


def password() -> None:
    """A password that every host rejects."""
    with lab(*FLEET, "--fault", "wrong-password") as hosts:
        usage = scan(hosts, *SCAN)
        failed = hosts.failed_logons()
    say(f"failed logons, wrong password, {HOSTS} hosts", sum(failed.values()), "at most 2")
    say("wall time", f"{usage.wall:.1f} s")


def html() -> None:
    """The HTML report of a large fleet, in a real browser."""
    from tests.figures.html import measure

    measure(say)


def store() -> None:
    """Nights of 1,000 hosts in SQLite and in PostgreSQL."""
    from tests.figures.store import run

    run(say)


def article() -> None:
    """The built-in playbook: payloads, probes on a host with 100 machines, the judge of 1,000 hosts."""
    from tests.figures.article import run

    run(say)


def say(what: str, value: object, bound: str = "") -> None:
    """One line of the result."""
    print(f"  {what:58} {value!s:>20}   {bound}", flush=True)


def main(names: Sequence[str]) -> None:
    """Run the named measurements, or all, each in a process of its own.

    Linux counts what a process was forked from as its peak, so a scan must not be started by one that has grown.
    """
    measures = (visit, fleet, kept, faults, interrupt, password, html, store, article)
    every = {function.__name__: function for function in measures}
    if len(names) == 1:
        print(names[0], "·", every[names[0]].__doc__, flush=True)
        every[names[0]]()
        return
    warm_up = "".join(f"import fleetscan.{room}\n" for room in ROOMS.split(", "))
    subprocess.run([sys.executable, "-c", warm_up], env=ENVIRONMENT, check=True)
    for name in names or every:
        subprocess.run([sys.executable, "-m", "tests.figures", name], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
