"""`python -m fleetscan.lab`: a fleet in a process of its own, for benchmarks and for trying things out."""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import shlex
import signal
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AsyncExitStack
from dataclasses import replace
from http import HTTPStatus
from pathlib import Path
from typing import get_args

from fleetscan.errors import InputError
from fleetscan.lab import Choice, Fault, Fleet, Lab, demo_fleet, engine, load, many
from fleetscan.lab.fleet import Auth, SimulatedHost
from fleetscan.lab.http import Connections, HTTPConnection, Peer, Request, Response


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a lab until SIGINT or SIGTERM; 2 means that the options or the fleet are wrong."""
    options = _parser().parse_args(arguments)
    try:
        fleet = _fleet(options)
    except (InputError, ValueError) as error:
        print(error, file=sys.stderr)
        return 2
    try:
        return asyncio.run(_run(options, fleet))
    except OSError as error:  # a port that is taken, a file that cannot be written
        print(error, file=sys.stderr)
        return 2


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m fleetscan.lab", description=__doc__)
    parser.add_argument("--fleet", type=Path, help="folder of a fleet; without it, that of `fleetscan demo`")
    parser.add_argument(
        "--hosts", type=_number(1, 100_000), metavar="N", help="N copies of one host instead of the fleet's own hosts"
    )
    parser.add_argument("--base", metavar="NAME", help="the host to copy; without it, the first of the fleet")
    parser.add_argument("--names", default="hv{:04d}.lab.example", metavar="PATTERN", help="names of the copies")
    parser.add_argument("--transport", choices=("winrm", "ssh"), help="for all hosts")
    parser.add_argument("--scheme", choices=("https", "http"), help="for all hosts")
    parser.add_argument("--auth", choices=get_args(Auth), help="for all hosts")
    parser.add_argument("--fault", choices=[str(fault) for fault in Fault], help="for all hosts")
    parser.add_argument(
        "--misbehave", type=_share, default=0.0, metavar="SHARE", help="share of the copies with faults"
    )
    parser.add_argument("--faults", nargs="+", choices=[str(fault) for fault in Fault], help="which faults these are")
    parser.add_argument("--latency-ms", type=float, help="milliseconds of a round trip, for all hosts")
    parser.add_argument("--powershell-seconds", type=float, help="seconds that PowerShell takes, for all hosts")
    parser.add_argument("--engine", choices=[str(choice) for choice in Choice], default=str(Choice.DIRECT))
    parser.add_argument("--own-addresses", action="store_true", help="an address of 127.0.0.0/8 for each host")
    parser.add_argument("--inventory", type=Path, metavar="FILE", help="write the inventory to this file")
    parser.add_argument(
        "--environment", type=Path, metavar="FILE", help="write NAME=password lines to this file, in the syntax of sh"
    )
    parser.add_argument(
        "--port", type=_number(0, 65_535), default=0, help="loopback port of /counters; a free one by default"
    )
    return parser


def _number(least: int, most: int) -> Callable[[str], int]:
    def number(text: str) -> int:
        value = int(text)
        if not least <= value <= most:
            raise argparse.ArgumentTypeError(f"{value} is not from {least} to {most}")
        return value

    return number


def _share(text: str) -> float:
    value = float(text)
    if not 0 <= value <= 1:
        raise argparse.ArgumentTypeError(f"{text} is not from 0 to 1")
    return value


def _fleet(options: argparse.Namespace) -> Fleet:
    fleet = load(options.fleet) if options.fleet else demo_fleet()
    if options.hosts is None:
        return replace(fleet, hosts=tuple(_changed(host, options) for host in fleet.hosts))
    named = [host for host in fleet.hosts if options.base in (None, host.name)]
    if not named:
        raise ValueError(f"the fleet has no host {options.base}")
    base = _changed(named[0], options)
    faults = [fault for fault in Fault if fault in options.faults] if options.faults else None
    copies = many(base, options.hosts, pattern=options.names, misbehave=options.misbehave, faults=faults)
    # A copy is the only node of its cluster (`facts.varied`); a cluster of hundreds would be none of Windows'.
    groups = {name: replace(group, cluster="") for name, group in fleet.groups.items()}
    return replace(fleet, hosts=copies.hosts, groups=groups, title="")


def _changed(host: SimulatedHost, options: argparse.Namespace) -> SimulatedHost:
    """The host with what the options say for all."""
    changes = {
        "transport": options.transport,
        "scheme": options.scheme,
        "auth": options.auth,
        "fault": next((fault for fault in Fault if fault == options.fault), None),
        "latency": options.latency_ms / 1000 if options.latency_ms is not None else None,
        "powershell_seconds": options.powershell_seconds,
    }
    return replace(host, **{key: value for key, value in changes.items() if value is not None})


async def _run(options: argparse.Namespace, fleet: Fleet) -> int:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: loop.call_soon_threadsafe(stop.set))
    async with AsyncExitStack() as stack:
        lab = Lab(fleet, engine=engine(Choice(options.engine)), own_addresses=options.own_addresses)
        await stack.enter_async_context(lab)
        _write(options, lab)
        port = await _serve_counters(stack, lab, options.port)
        print(lab.describe(), f"counters: http://127.0.0.1:{port}/counters", "ready", sep="\n", flush=True)
        await stop.wait()
        print(json.dumps(_report(lab)), flush=True)
    return 1 if lab.crashes else 0


def _write(options: argparse.Namespace, lab: Lab) -> None:
    if options.inventory:
        options.inventory.write_text(lab.inventory(), encoding="utf-8")
    if options.environment:
        lines = (f"{name}={shlex.quote(value)}\n" for name, value in lab.environment.items())
        options.environment.touch(mode=0o600)
        options.environment.write_text("".join(lines), encoding="utf-8")


def _report(lab: Lab) -> dict[str, object]:
    """All counters, and what the lab itself has used."""
    return {
        "hosts": lab.all_counters(),
        "crashes": [repr(crash) for crash in lab.crashes],
        "cpu_seconds": time.process_time(),
        "pid": os.getpid(),
    }


async def _serve_counters(stack: AsyncExitStack, lab: Lab, port: int) -> int:
    async def handle(request: Request, _: Peer) -> Response:
        if request.target != "/counters":
            return Response(HTTPStatus.NOT_FOUND)
        body = json.dumps(_report(lab)).encode()
        return Response(HTTPStatus.OK, body, (("Content-Type", "application/json"),))

    connections = Connections()
    loop = asyncio.get_running_loop()
    server = await loop.create_server(
        lambda: HTTPConnection(handle, connections, lab.crashes.append), "127.0.0.1", port
    )
    stack.push_async_callback(connections.aclose)
    stack.callback(server.close)
    return int(server.sockets[0].getsockname()[1])


if __name__ == "__main__":
    sys.exit(main())
