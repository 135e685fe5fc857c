"""Simulated hosts for the tests of the transports, and what a test may ask about this process afterwards."""

from __future__ import annotations

import gc
import os
from collections.abc import AsyncIterator, Callable, Iterator
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext
from dataclasses import dataclass, field, replace
from pathlib import Path

import anyio
import pytest

from fleetscan.lab import Fault, Fleet, Lab, SimulatedHost
from fleetscan.lab.engine import Outcome
from fleetscan.lab.facts import OS, Machine
from fleetscan.model.host import Host, SSHSettings, TransportName, WinRMAuth, WinRMSettings
from fleetscan.model.login import Login, Secret
from fleetscan.model.reasons import Stage
from fleetscan.transports import Connection, connector
from fleetscan.transports import winrm as winrm_transport

NAME = "hv01.lab.example"
MEGABYTE = b"".join(b"%015d\n" % number for number in range(65_536))
VARIANTS: dict[str, SimulatedHost] = {
    "winrm-http-ntlm": SimulatedHost(machine=Machine(name=NAME), scheme="http"),
    "winrm-https-ntlm": SimulatedHost(machine=Machine(name=NAME)),
    "winrm-https-basic": SimulatedHost(machine=Machine(name=NAME), auth="basic"),
    "ssh-windows-cmd": SimulatedHost(machine=Machine(name=NAME), transport="ssh"),
    "ssh-linux": SimulatedHost(machine=Machine(name=NAME, os=OS(family="linux")), transport="ssh"),
}


@dataclass
class Commands:
    """What the simulated hosts can run, and what they were given."""

    stdin: list[bytes] = field(default_factory=list)

    async def run(self, machine: Machine, command: str, stdin: bytes, *, user: str = "") -> Outcome:
        self.stdin.append(stdin)
        return {
            "sort greet": Outcome(stdout="Grüße aus Zürich\r\n".encode(), stderr="Fehler: äöü".encode()),
            "sort megabyte": Outcome(stdout=MEGABYTE),
            "sort three": Outcome(exit_code=3),
            "sort slow": Outcome(stdout=b"late", seconds=0.7),
            "sort lines": Outcome(stdout=b"first\nsecond\n"),
        }[command]

    async def aclose(self) -> None:
        pass


@dataclass
class Ground:
    """One simulated host, and how to reach it."""

    lab: Lab
    host: Host
    login: Login
    commands: Commands
    stages: list[Stage] = field(default_factory=list)

    async def connect(self, *, connect_timeout: float = 5.0) -> Connection:
        connect = connector(self.host.transport)
        return await connect(
            self.host, self.login, connect_timeout=connect_timeout, on_stage=self.stages.append, showing=nullcontext
        )

    @asynccontextmanager
    async def connected(self) -> AsyncIterator[Connection]:
        connection = await self.connect()
        try:
            yield connection
        finally:
            await connection.aclose()

    @property
    def counters(self):  # type: ignore[no-untyped-def] # Counters of the lab
        return self.lab.counters(NAME)


Prepare = Callable[..., AbstractAsyncContextManager[Ground]]


@asynccontextmanager
async def prepare(spec: SimulatedHost, **winrm: object) -> AsyncIterator[Ground]:
    """A lab with that host. Keyword arguments change its WinRM settings."""
    commands = Commands()
    async with Lab(Fleet(hosts=(spec,)), engine=commands) as lab:
        place, account = lab.place(NAME), lab.account(spec.account)
        settings = WinRMSettings(
            scheme=spec.scheme, port=place.port, auth=WinRMAuth(spec.auth), ca_file=str(lab.ca_file)
        )
        host = Host(
            name=NAME,
            address=place.address,
            roles=(),
            transport=TransportName(spec.transport),
            winrm=replace(settings, **winrm),  # type: ignore[arg-type] # the test knows
            ssh=SSHSettings(port=place.port, known_hosts=str(lab.folder / "known_hosts")),
        )
        yield Ground(lab, host, Login(username=account.username, password=Secret(account.password)), commands)
        assert lab.crashes == []


def faulty(variant: str, fault: Fault) -> SimulatedHost:
    """A variant's host with a fault."""
    return replace(VARIANTS[variant], fault=fault)


def busy_threads() -> int:
    """Worker threads of WinRM that still do something."""
    return winrm_transport._limiter().borrowed_tokens


def open_files() -> int:
    """File descriptors of this process, where the system tells."""
    folder = Path("/proc/self/fd")
    return len(os.listdir(folder)) if folder.is_dir() else 0  # noqa: PTH208 # a listing without stat of each


async def settled(condition: Callable[[], bool], seconds: float = 1.5) -> bool:
    """Whether the condition becomes true in that time."""
    for _ in range(int(seconds / 0.02)):
        if condition():
            return True
        await anyio.sleep(0.02)
    return condition()


@pytest.fixture(autouse=True, scope="module")
def nothing_left_open() -> Iterator[None]:
    """Collect what tests have left open while it can still be told which: warnings are errors."""
    yield
    gc.collect()


@pytest.fixture(params=sorted(VARIANTS))
async def ground(request: pytest.FixtureRequest, anyio_backend: str) -> AsyncIterator[Ground]:
    """Each kind of host in turn."""
    async with prepare(VARIANTS[request.param]) as ready:
        yield ready
