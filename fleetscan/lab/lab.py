"""Simulated hosts on this machine, behind real WinRM and SSH."""

from __future__ import annotations

import tempfile
from collections import Counter
from contextlib import AsyncExitStack
from dataclasses import asdict, dataclass, replace
from pathlib import Path
from types import TracebackType

import anyio

from fleetscan.lab.accounts import Account, Accounts, CredentialFiles, selected
from fleetscan.lab.counters import Counters
from fleetscan.lab.direct import DirectEngine
from fleetscan.lab.engine import Engine
from fleetscan.lab.facts import Guest
from fleetscan.lab.faults import Fault
from fleetscan.lab.fleet import Fleet, SimulatedHost
from fleetscan.lab.host import Runtime
from fleetscan.lab.inventory import Place, render
from fleetscan.lab.servers import ClosedPort, DeafPort, Server, WinRMServer
from fleetscan.lab.tls import Authority
from fleetscan.model.playbook import JSON

_WAYS = {"ssh": "over SSH", "winrm": "over WinRM", "direct": "through PowerShell Direct"}


@dataclass(frozen=True, slots=True)
class _Running:
    runtime: Runtime
    server: Server
    place: Place


class Lab:
    """Starts the hosts of a fleet, each on a port of its own; as an async context manager it also ends them.

    `engine` runs the commands (without one, answers come straight from the facts). With `own_addresses` each host has
    an address of its own in 127.0.0.0/8, which Linux and Windows allow.
    """

    def __init__(self, fleet: Fleet, *, engine: Engine | None = None, own_addresses: bool = False) -> None:
        self.fleet = fleet
        self.crashes: list[Exception] = []
        """What went wrong in the lab itself. It is empty, or the lab has a defect."""
        self._engine = engine or DirectEngine()
        self._own_addresses = own_addresses
        self._stack = AsyncExitStack()
        self._hosts: dict[str, _Running] = {}
        self._accounts: dict[str, Account] = {}

    async def __aenter__(self) -> Lab:
        async with AsyncExitStack() as stack:
            folder = stack.enter_context(tempfile.TemporaryDirectory(prefix="fleetscan-lab-"))
            await self._start(stack, Path(folder))
            self._stack = stack.pop_all()
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, traceback: TracebackType | None
    ) -> None:
        with anyio.CancelScope(shield=True):  # it takes no time, and a cancelled lab leaves nothing behind either
            await self._stack.aclose()

    @property
    def ca_file(self) -> Path:
        """PEM file of the authority that signed the hosts' certificates."""
        return self._authority.ca_file

    @property
    def environment(self) -> dict[str, str]:
        """The variables that hold the passwords of the inventory."""
        accounts = self.fleet.accounts.items()
        return {variable(name): account.password for name, account in accounts if account.password}

    def account(self, name: str) -> Account:
        """An account of the fleet, with the public key that the lab made for it."""
        return self._accounts[name]

    def key_file(self, account: str) -> Path:
        """The private key of an account that logs on by key."""
        return self.folder / f"{account}.key"

    def certificate_file(self, account: str) -> Path:
        """The client certificate of an account, with its key."""
        return self.folder / f"{account}.pem"

    def place(self, host: str) -> Place:
        """Where a host listens."""
        return self._hosts[host].place

    def counters(self, host: str) -> Counters:
        """What a host has seen so far."""
        running = self._hosts[host]
        running.server.refresh()
        return running.runtime.counters

    def all_counters(self) -> dict[str, JSON]:
        """The counters of every host, as JSON."""
        return {name: asdict(self.counters(name)) for name in self._hosts}

    def inventory(self) -> str:
        """The YAML text of an inventory of this fleet."""
        places = {name: running.place for name, running in self._hosts.items()}
        credentials: dict[str, JSON] = {
            name: self._credential(name, account) for name, account in self.fleet.accounts.items()
        }
        return render(self.fleet, places, credentials, ca_file=self.ca_file, known_hosts=self.folder / "known_hosts")

    def describe(self) -> str:
        """One line about the fleet, for people."""
        by: Counter[str] = Counter(host.transport for host in self.fleet.hosts)
        faults = sum(host.fault is not None for host in self.fleet.hosts)
        ways = ", ".join(f"{by[way]} {words}" for way, words in _WAYS.items() if by[way])
        title = f"{self.fleet.title}: " if self.fleet.title else ""
        return f"{title}{len(self.fleet.hosts)} simulated hosts on this machine ({ways}), {faults} of them with a fault"

    def _credential(self, name: str, account: Account) -> dict[str, JSON]:
        if name in self.fleet.keys:
            return {"username": account.username, "private_key": str(self.key_file(name))}
        if name in self.fleet.certificates:
            file = str(self.certificate_file(name))
            return {"username": account.username, "certificate": file, "certificate_key": file}
        return {"username": account.username, "password": {"env": variable(name)}}

    async def _start(self, stack: AsyncExitStack, folder: Path) -> None:
        self.folder = folder
        self._authority = Authority(folder)
        self._accounts = {name: self._with_key(name, account) for name, account in self.fleet.accounts.items()}
        for name in self.fleet.certificates:
            self._authority.client_files(self.fleet.accounts[name].username, self.certificate_file(name))
        files = CredentialFiles(folder)
        stack.enter_context(selected(files.write(self._accounts.values())))
        stack.push_async_callback(self._engine.aclose)
        listening = [host for host in self.fleet.hosts if host.transport != "direct"]
        for number, spec in enumerate(listening, 1):
            runtime = self._runtime(self._with_guests(spec), files)
            server = self._server(runtime)
            stack.push_async_callback(server.aclose)
            address = f"127.1.{number // 250}.{number % 250 + 1}" if self._own_addresses else "127.0.0.1"
            place = Place(address, await server.start(address))
            self._hosts[spec.name] = _Running(runtime, server, place)
        (folder / "known_hosts").write_text(self._known_hosts(), encoding="ascii")

    def _with_guests(self, spec: SimulatedHost) -> SimulatedHost:
        guests = [
            Guest(username=account.username, password=account.password, machine=host.machine)
            for host in self.fleet.hosts
            if host.via == spec.name
            for account in [self.fleet.accounts[host.account]]
        ]
        return replace(spec, machine=spec.machine.model_copy(update={"guests": tuple(guests)})) if guests else spec

    def _with_key(self, name: str, account: Account) -> Account:
        if name not in self.fleet.keys:
            return account
        from fleetscan.lab.ssh import new_key, public_text  # asyncssh is not needed by every fleet

        key = new_key()
        key.write_private_key(str(self.key_file(name)))
        self.key_file(name).chmod(0o600)
        return replace(account, public_key=public_text(key))

    def _runtime(self, spec: SimulatedHost, files: CredentialFiles) -> Runtime:
        accounts = list(self._accounts.values())
        if spec.fault is Fault.WRONG_PASSWORD:
            accounts = [replace(account, password=f"{account.password}!", public_key="") for account in accounts]
        elif spec.fault is Fault.UNAUTHORIZED:
            accounts = []
        return Runtime(
            spec=spec,
            engine=self._engine,
            account=self._accounts.get(spec.account),
            accounts=Accounts(tuple(accounts)),
            users_file=files.write(accounts),
            on_crash=self.crashes.append,
        )

    def _server(self, runtime: Runtime) -> Server:
        fault = runtime.spec.fault
        if fault is Fault.REFUSE:
            return ClosedPort()
        if fault in (Fault.HANG, Fault.RESET, Fault.TLS_HANDSHAKE):
            return DeafPort(runtime)
        if runtime.spec.transport == "winrm":
            return WinRMServer(runtime, self._authority)
        from fleetscan.lab.ssh import SSHServer  # asyncssh is not needed by every fleet

        return SSHServer(runtime)

    def _known_hosts(self) -> str:
        lines = (
            f"[{running.place.address}]:{running.place.port},[{name}]:{running.place.port} {running.server.known_key}\n"
            for name, running in self._hosts.items()
            if running.server.known_key
        )
        return "".join(lines)


def variable(account: str) -> str:
    """The environment variable of an account's password."""
    return f"FLEETSCAN_LAB_{account.upper().replace('-', '_')}_PASSWORD"
