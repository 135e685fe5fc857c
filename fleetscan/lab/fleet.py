"""A fleet of simulated hosts: a folder with `fleet.yaml`, or many hosts made from one.

fleet.yaml            accounts, defaults and groups with their hosts
hosts/<name>.yaml     the facts of one host; `extends: ../base.yaml` merges them over others
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Annotated, Literal

from pydantic import Field

from fleetscan.errors import InputError, Problem
from fleetscan.factfile import Fact, overlay
from fleetscan.lab.accounts import Account
from fleetscan.lab.facts import Machine, varied
from fleetscan.lab.faults import REJECTIONS, Fault, possible
from fleetscan.validate import Strict, check
from fleetscan.yamlfile import Document, read

Transport = Literal["winrm", "ssh", "direct"]
Auth = Literal["ntlm", "kerberos", "basic", "certificate"]
NotNegative = Annotated[float, Field(ge=0)]


class Settings(Strict):
    """How a simulated host is reached and how it behaves; in `defaults`, in a group, or under `lab` of a host."""

    transport: Transport | None = None
    via: str | None = None
    """With the transport `direct`: the host of this fleet that runs the guest."""
    scheme: Literal["https", "http"] | None = None
    auth: Auth | None = None
    account: str | None = None
    default_shell: Literal["cmd", "powershell"] | None = None
    """What sshd starts on Windows."""
    fault: Fault | None = None
    latency_ms: NotNegative | None = None
    """Milliseconds of a round trip."""
    powershell_seconds: NotNegative | None = None
    """Seconds that PowerShell takes on the host."""
    max_shells: Annotated[int, Field(ge=0)] | None = None
    max_envelope_kb: Annotated[int, Field(ge=32)] | None = None
    strict_channel_binding: bool | None = None

    def over(self, other: Settings) -> Settings:
        """These settings, and those of the other where these say nothing."""
        return other.model_copy(update=self.model_dump(exclude_none=True))


class _Account(Strict):
    username: str
    password: str = ""
    key: bool = False
    """Whether the lab makes an SSH key for this user: then it has no password."""
    certificate: bool = False
    """Whether the lab makes a client certificate for this user."""


class _Group(Strict):
    roles: list[str]
    zone: str | None = None
    cluster: str | None = None
    vmm_server: str | None = None
    lab: Settings = Settings()
    hosts: list[str]


class _FleetFile(Strict):
    title: str = ""
    accounts: dict[str, _Account]
    defaults: Settings = Settings()
    groups: dict[str, _Group]


@dataclass(frozen=True, slots=True, kw_only=True)
class SimulatedHost:
    """One host of a fleet, with every default filled in."""

    machine: Machine
    group: str = "lab"
    transport: Transport = "winrm"
    via: str = ""
    """The host that leads to it, where the transport is `direct`: it listens nowhere itself."""
    scheme: Literal["https", "http"] = "https"
    auth: Auth = "ntlm"
    account: str = "audit"
    default_shell: Literal["cmd", "powershell"] = "cmd"
    fault: Fault | None = None
    latency: float = 0.0
    """Seconds of a round trip."""
    powershell_seconds: float = 0.0
    max_shells: int = 30
    max_envelope: int = 512_000
    strict_channel_binding: bool = False

    @property
    def name(self) -> str:
        """The name in the inventory."""
        return self.machine.name

    @property
    def tls(self) -> bool:
        """Whether clients are told to use TLS."""
        return self.transport == "winrm" and self.scheme == "https"


@dataclass(frozen=True, slots=True, kw_only=True)
class Group:
    """What the inventory says of a group, beside its hosts."""

    roles: tuple[str, ...] = ("hyperv",)
    zone: str = ""
    cluster: str = ""
    vmm_server: str = ""


DEFAULT_ACCOUNT = Account("CORP\\svc-audit", "correct-horse-battery-staple")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fleet:
    """Simulated hosts, and the accounts that may log on to them."""

    hosts: tuple[SimulatedHost, ...]
    groups: Mapping[str, Group] = field(default_factory=lambda: {"lab": Group()})
    accounts: Mapping[str, Account] = field(default_factory=lambda: {"audit": DEFAULT_ACCOUNT})
    keys: frozenset[str] = frozenset()
    """The accounts that log on by SSH key."""
    certificates: frozenset[str] = frozenset()
    """The accounts that have a client certificate."""
    title: str = ""

    def only(self, names: Iterable[str]) -> Fleet:
        """The same fleet with these hosts only."""
        wanted = set(names)
        return replace(self, hosts=tuple(host for host in self.hosts if host.name in wanted))


def load(folder: Path) -> Fleet:
    """Read a fleet; raises InputError with everything that is wrong in fleet.yaml."""
    document = read(folder / "fleet.yaml")
    file, problems = check(_FleetFile, document.data, document)
    if file is None:
        raise InputError(problems)
    problems += _passwords(document, file)
    hosts: list[SimulatedHost] = []
    files = _Files()
    for group_name, group in file.groups.items():
        base = group.lab.over(file.defaults)
        for index, name in enumerate(group.hosts):
            host = _host(folder, name, group_name, base, files)
            problems += _impossible(document, ("groups", group_name, "hosts", index), host, file.accounts)
            hosts.append(host)
    if problems:
        raise InputError(problems)
    return Fleet(
        title=file.title,
        hosts=tuple(hosts),
        groups={name: _group(group) for name, group in file.groups.items()},
        accounts={name: Account(entry.username, entry.password) for name, entry in file.accounts.items()},
        keys=frozenset(name for name, entry in file.accounts.items() if entry.key),
        certificates=frozenset(name for name, entry in file.accounts.items() if entry.certificate),
    )


def _passwords(document: Document, file: _FleetFile) -> list[Problem]:
    """Each account has one way to log on."""
    return [
        document.problem(("accounts", name), f"{name} must have one of password, `key: true` and `certificate: true`")
        for name, entry in file.accounts.items()
        if bool(entry.password) + entry.key + entry.certificate != 1
    ]


def _group(group: _Group) -> Group:
    return Group(
        roles=tuple(group.roles),
        zone=group.zone or "",
        cluster=group.cluster or "",
        vmm_server=group.vmm_server or "",
    )


def _impossible(
    document: Document, loc: Sequence[str | int], host: SimulatedHost, accounts: Mapping[str, _Account]
) -> list[Problem]:
    if host.transport == "direct" and not host.via:
        return [document.problem(loc, f"{host.name}: the transport direct needs via")]
    if host.account not in accounts:
        return [document.problem(loc, f"{host.name}: there is no account {host.account}")]
    if host.fault is not None and not possible(host.fault, transport=host.transport, tls=host.tls):
        return [document.problem(loc, f"{host.name}: the fault {host.fault} needs another transport or scheme")]
    return []


def _host(folder: Path, name: str, group: str, base: Settings, files: _Files) -> SimulatedHost:
    path = folder / "hosts" / f"{name}.yaml"
    merged = files.merged(path).value
    assert isinstance(merged, dict)  # noqa: S101 # mappings over mappings
    facts = dict(merged)
    document = files.read(path)
    own, problems = check(Settings, facts.pop("lab", {}), document, ("lab",))
    machine, more = check(Machine, {"name": name, **facts}, document)
    if own is None or machine is None:
        raise InputError(problems + more)
    return _simulated(machine, group, own.over(base))


def _simulated(machine: Machine, group: str, settings: Settings) -> SimulatedHost:
    given = settings.model_dump(exclude_none=True)
    latency = given.pop("latency_ms", 0.0) / 1000
    if "max_envelope_kb" in given:
        given["max_envelope"] = given.pop("max_envelope_kb") * 1024
    return SimulatedHost(machine=machine, group=group, latency=latency, **given)


class _Files:
    """The files of a fleet, each read once: many hosts extend the same facts."""

    def __init__(self) -> None:
        self._documents: dict[Path, Document] = {}

    def read(self, path: Path) -> Document:
        """A file; raises InputError."""
        path = path.resolve()
        if path not in self._documents:
            self._documents[path] = read(path)
        return self._documents[path]

    def merged(self, path: Path, seen: tuple[Path, ...] = ()) -> Fact:
        """The facts of a file over those that it extends; raises InputError, also for a circle."""
        path = path.resolve()
        document = self.read(path)
        if not isinstance(document.data, dict):
            raise InputError.of(str(path), "must be a mapping")
        if path in seen:
            raise InputError.of(str(path), "extends itself", "break the circle")
        data = dict(document.data)
        parent = data.pop("extends", None)
        facts = Fact(data, document)
        if parent is None:
            return facts
        if not isinstance(parent, str):
            raise InputError([document.problem(("extends",), "extends must be the path of a file")])
        problems: list[Problem] = []
        result = overlay(self.merged(path.parent / parent, (*seen, path)), facts, problems)
        if problems:
            raise InputError(problems)
        return result


def many(
    base: SimulatedHost,
    count: int,
    *,
    pattern: str = "hv{:04d}.lab.example",
    misbehave: float = 0.0,
    faults: Sequence[Fault] | None = None,
) -> Fleet:
    """Copies of a host with names, computer names and VM ids of their own.

    The share `misbehave` of them, evenly spread, has one of the faults, in turn. Without a list these are all that such
    a host can have but rejected logons, which would soon stop a whole scan.
    """
    if faults is None:
        able = (fault for fault in Fault if possible(fault, transport=base.transport, tls=base.tls))
        faults = [fault for fault in able if fault not in REJECTIONS]
    hosts = []
    used = 0
    for number in range(1, count + 1):
        fault = base.fault
        if int(number * misbehave) > int((number - 1) * misbehave):
            fault, used = faults[used % len(faults)], used + 1
        machine = varied(base.machine, pattern.format(number))
        hosts.append(replace(base, machine=machine, fault=fault))
    return Fleet(hosts=tuple(hosts), groups={base.group: Group()})
