"""Hosts and inventories, fully resolved: after loading, a host has no parents and no password."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum


class Role(StrEnum):
    """What a machine is for. A host may have several."""

    HYPERV = "hyperv"
    VMM = "vmm"
    GUEST = "guest"
    LINUX_GUEST = "linux-guest"


class TransportName(StrEnum):
    """How a host is reached."""

    WINRM = "winrm"
    SSH = "ssh"
    DIRECT = "direct"
    """PowerShell Direct: through the Hyper-V host that runs the machine, without any network of its own."""


class WinRMAuth(StrEnum):
    """How WinRM proves who we are. `basic` is accepted over https only."""

    KERBEROS = "kerberos"
    NTLM = "ntlm"
    CERTIFICATE = "certificate"
    CREDSSP = "credssp"
    BASIC = "basic"


@dataclass(frozen=True, slots=True, kw_only=True)
class WinRMSettings:
    """How to reach a WinRM listener."""

    scheme: str = "https"
    port: int = 5986
    path: str = "/wsman"
    auth: WinRMAuth = WinRMAuth.KERBEROS
    ca_file: str | None = None
    """PEM file of the authorities to trust; None means those of the system."""
    tls_name: str | None = None
    """The name that the certificate must hold; None means the name of the host."""
    insecure_skip_tls_verification: bool = False
    spn_service: str = "HTTP"
    """Service class of the Kerberos principal: HTTP, WSMAN or HOST."""
    channel_binding: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class SSHSettings:
    """How to reach an SSH server."""

    port: int = 22
    known_hosts: str | None = None
    """Path of a known-hosts file; None means the user's own `~/.ssh/known_hosts`."""


class SecretKind(StrEnum):
    """Where a secret comes from. It is never in the inventory itself."""

    ENV = "env"
    FILE = "file"
    COMMAND = "command"
    PROMPT = "prompt"
    KEYRING = "keyring"


@dataclass(frozen=True, slots=True)
class SecretSource:
    """A reference to a secret: the variable, the path, the command line, the question, the keyring service."""

    kind: SecretKind
    value: str
    origin: str = ""
    """`file:line:column` of the reference, for messages."""
    argv: tuple[str, ...] = ()
    """The words of a command that is started without a shell; empty: `value` is a line for the shell."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Credential:
    """A named way to log on, without its secrets."""

    name: str
    username: str
    password: SecretSource | None = None
    private_key: str | None = None
    """Path of an SSH private key."""
    passphrase: SecretSource | None = None
    certificate: str | None = None
    """Path of a PEM client certificate for WinRM; its key is `certificate_key`."""
    certificate_key: str | None = None
    parallel_logons: int = 8
    """How many logons may be under way at once after the first one succeeded (see docs/credentials.md)."""
    origin: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One machine, with everything that a visit needs but the secret."""

    name: str
    address: str
    """Where to connect: a name or an IP address. Equal to `name` unless the inventory says otherwise."""
    roles: tuple[Role, ...]
    groups: tuple[str, ...] = ()
    zone: str = ""
    cluster: str = ""
    vmm_server: str = ""
    """The VMM server that manages this host, "" for none: it decides which services the host must run."""
    transport: TransportName = TransportName.WINRM
    via: tuple[str, ...] = ()
    """Names of the Hyper-V hosts that can run this guest; they are asked for it where `transport` is `direct`."""
    vm: str = ""
    """Name or GUID of the guest's VM; "" means: named like the guest, with or without its domain."""
    winrm: WinRMSettings = field(default_factory=WinRMSettings)
    ssh: SSHSettings = field(default_factory=SSHSettings)
    credential: str = ""
    origin: str = ""

    @property
    def vm_names(self) -> tuple[str, ...]:
        """What the guest's VM may be called on its host, the likeliest first."""
        return (self.vm,) if self.vm else tuple(dict.fromkeys((self.name, self.name.partition(".")[0])))


@dataclass(frozen=True, slots=True)
class Zone:
    """Hosts that are reached together. `concurrency` 0 means: only the limit of the whole run."""

    name: str
    concurrency: int = 0


@dataclass(frozen=True, slots=True)
class Inventory:
    """The hosts of one inventory, in its order, with the credentials and zones that they name."""

    hosts: tuple[Host, ...]
    credentials: Mapping[str, Credential]
    zones: Mapping[str, Zone] = field(default_factory=dict)
    sources: tuple[str, ...] = ()
    notices: tuple[str, ...] = ()
    """What the reader of a run should know about how the inventory was read."""

    def involved(self, hosts: Iterable[Host]) -> tuple[Host, ...]:
        """These hosts, and those that lead to them: whose files, libraries and secrets a scan of them needs."""
        named = {host.name: host for host in self.hosts}
        return tuple({name: named[name] for host in hosts for name in (host.name, *host.via)}.values())
