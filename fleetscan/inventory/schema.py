"""The inventory file as users write it: what pydantic checks, and what the published JSON Schema says."""

from __future__ import annotations

import ipaddress
import re
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, ConfigDict, Field, model_validator
from pydantic.types import StringConstraints

from fleetscan.inventory.expand import RangeError, expand
from fleetscan.model.host import Role, TransportName, WinRMAuth
from fleetscan.validate import Strict, mistake

_LABEL = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?", re.ASCII)
_BRACKETED = re.compile(r"\[[0-9A-Fa-f]*:[0-9A-Fa-f:.]*:[0-9A-Fa-f:.%\w]*\]")
_GROUP = re.compile(r"\w[\w.-]*")
RESERVED_GROUPS = ("all", "ungrouped")


def is_ip(text: str) -> bool:
    """Whether a text is an IPv4 or IPv6 address (with or without a zone such as `%eth0`)."""
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def check_host(text: str) -> str:
    """A host name or IP address as it is, or a `mistake`."""
    if is_ip(text):
        return text
    if ":" in text:
        raise mistake(f'"{text}" is neither a host name nor an IPv6 address', "write the port under winrm or ssh")
    labels = text.split(".")
    if len(text) > 253 or not all(_LABEL.fullmatch(label) for label in labels):
        raise mistake(
            f'"{text}" is not a host name', "use letters, digits, - and _, in parts of at most 63, joined by dots"
        )
    if labels[-1].isdigit():
        raise mistake(f'"{text}" is neither a host name nor an IPv4 address', "an IPv4 address is like 10.1.2.41")
    return text


def _check_hosts(text: str) -> str:
    if _BRACKETED.match(text):
        raise mistake(f'"{text}": an address has no brackets here', "write it bare, and a port under winrm or ssh")
    try:
        names = expand(text)
    except RangeError as error:
        raise mistake(error.message, error.cure) from error
    for name in names:
        check_host(name)
    return text


def check_group(text: str) -> str:
    """The name of a group as it is, or a `mistake`."""
    if text in RESERVED_GROUPS:
        raise mistake(f'a group cannot be called "{text}"', "`all` means every host; choose another name")
    if not _GROUP.fullmatch(text):
        raise mistake(f'"{text}" cannot be the name of a group', "use letters, digits, `_`, `-` and `.`")
    return text


def _not_bool(value: object) -> object:
    if isinstance(value, bool):
        raise mistake("must be a whole number")
    return value


def _printable(text: str) -> str:
    if not text.isprintable():
        raise mistake("holds characters that cannot be printed", "remove them")
    return text


def _path(text: str) -> str:
    if not text.startswith("/"):
        raise mistake(f'"{text}" is no path of a listener', "begin it with /, as in /wsman")
    return text


def _service(text: str) -> str:
    if not re.fullmatch("[A-Za-z]+", text):
        raise mistake(f'"{text}" is no service class', "write HTTP, WSMAN or HOST")
    return text


Text = Annotated[str, StringConstraints(min_length=1), AfterValidator(_printable)]
Name = Annotated[str, AfterValidator(check_host)]
GroupName = Annotated[str, AfterValidator(check_group)]
HostPattern = Annotated[str, AfterValidator(_check_hosts)]
Port = Annotated[int, Field(ge=1, le=65535), BeforeValidator(_not_bool)]


class _Entry(Strict):
    model_config = ConfigDict(use_attribute_docstrings=True)


class WinRMEntry(_Entry):
    """How to reach a WinRM listener."""

    scheme: Literal["https", "http"] | None = None
    """https unless said otherwise."""
    port: Port | None = None
    """5986 with https, 5985 with http, unless said otherwise."""
    path: Annotated[str, Field(json_schema_extra={"pattern": "^/"}), AfterValidator(_path)] | None = None
    """/wsman unless said otherwise."""
    auth: WinRMAuth | None = None
    """kerberos unless said otherwise; basic is accepted with https only."""
    ca_file: Text | None = None
    """PEM file of the authorities to trust, relative to this file; without it those of the system."""
    tls_name: Name | None = None
    """The name that the certificate must hold, where it is not the name of the host."""
    insecure_skip_tls_verification: bool | None = None
    """Accept any certificate. Whoever sits in between can then read and change everything."""
    spn_service: (
        Annotated[str, Field(json_schema_extra={"pattern": "^[A-Za-z]+$"}), AfterValidator(_service)] | None
    ) = None
    """Service class of the Kerberos principal: HTTP, WSMAN or HOST."""
    channel_binding: bool | None = None
    """Tie the logon to the TLS channel; on unless said otherwise."""


class SSHEntry(_Entry):
    """How to reach an SSH server."""

    port: Port | None = None
    """22 unless said otherwise."""
    known_hosts: Text | None = None
    """File of known host keys, relative to this file; without it ~/.ssh/known_hosts."""


class SettingsEntry(_Entry):
    """What defaults, groups and hosts may say. The innermost wins; winrm and ssh are merged key by key."""

    roles: list[Role] | None = None
    """What the machine is for. The roles of all groups of a host are united; a host's own replace them."""
    zone: Text | None = None
    """Hosts that one jump box can reach share a zone."""
    cluster: Text | None = None
    """The failover cluster that the host belongs to."""
    vmm_server: Name | None = None
    """The VMM server that manages the host."""
    transport: TransportName | None = None
    """winrm unless said otherwise; linux-guest is reached over ssh, a guest with via through PowerShell Direct."""
    via: Text | Annotated[list[Text], Field(min_length=1)] | None = None
    """The Hyper-V host that runs the guest, several, or the name of their cluster: the guest is reached from there."""
    winrm: WinRMEntry | None = None
    ssh: SSHEntry | None = None
    credential: Text | None = None
    """Name of the credential to log on with."""


class HostEntry(SettingsEntry):
    """A host, or several by ranges, with settings of their own."""

    name: HostPattern
    """Name, or names by ranges: hv[01:40].corp.example."""
    address: HostPattern | None = None
    """Where to connect, when it is not the name. A range must have as many values as that of the name."""
    vm: Text | None = None
    """Name or GUID of the VM, where it is not called like the guest. Of a range, one with as many values."""


class GroupEntry(SettingsEntry):
    """Hosts that have something in common."""

    hosts: list[HostPattern | HostEntry] | None = None
    """Names, names with ranges, or mappings with settings."""
    children: list[Text] | None = None
    """Names of groups whose hosts belong to this group, too."""


class GroupNames(_Entry):
    """The groups that a row or a program names."""

    groups: list[GroupName]


class ZoneEntry(_Entry):
    """Hosts that are reached together."""

    concurrency: Annotated[int, Field(ge=0, le=10_000), BeforeValidator(_not_bool)] = 0
    """How many hosts of this zone may be visited at once; 0 leaves it to the limit of the run."""


def _secret(value: object) -> object:
    if isinstance(value, str | int | float):
        raise mistake("a secret is never in the file", "write {env: VARIABLE}, or file, command, prompt or keyring")
    return value


class SecretEntry(_Entry):
    """Where a secret comes from; exactly one of these."""

    model_config = ConfigDict(json_schema_extra={"minProperties": 1, "maxProperties": 1})

    env: Text | None = None
    """An environment variable."""
    file: Text | None = None
    """A file whose first line is the secret, relative to this file."""
    command: Text | Annotated[list[Text], Field(min_length=1)] | None = None
    """A command whose first line of output is the secret: a list of words, or a line for the shell."""
    prompt: Text | None = None
    """A question that is asked on the terminal."""
    keyring: Text | None = None
    """A service in the keyring of the operating system; the entry is that of the username."""

    @model_validator(mode="after")
    def _exactly_one(self) -> SecretEntry:
        given = self.model_dump(exclude_none=True)
        if len(given) != 1:
            count = "no source" if not given else f"{len(given)} sources ({', '.join(given)})"
            raise mistake(f"the secret has {count}", "keep one of env, file, command, prompt and keyring")
        return self


Secret = Annotated[SecretEntry, BeforeValidator(_secret)]


def _username(text: str) -> str:
    if text != text.strip() or not text.isprintable() or text.count("\\") > 1 or ("\\" in text and "@" in text):
        raise mistake("is not a username", r"write user@REALM, DOMAIN\user or user")
    return text


class CredentialEntry(_Entry):
    """A named way to log on."""

    username: Annotated[Text, AfterValidator(_username)] | None = None
    """user@REALM, DOMAIN\\user or user."""
    password: Secret | None = None
    private_key: Text | None = None
    """SSH private key, relative to this file."""
    passphrase: Secret | None = None
    """Opens the private key."""
    certificate: Text | None = None
    """PEM client certificate for WinRM, relative to this file."""
    certificate_key: Text | None = None
    """PEM key of the certificate; the same path when one file holds both."""
    parallel_logons: Annotated[int, Field(ge=1, le=1_000), BeforeValidator(_not_bool)] = 8
    """How many logons may be under way at once after the first one succeeded."""

    @model_validator(mode="after")
    def _consistent(self) -> CredentialEntry:
        if self.username is None and self.certificate is None:
            raise mistake('"username" is missing', "add it")
        if (self.certificate is None) != (self.certificate_key is None):
            raise mistake("certificate and certificate_key belong together", "give both; they may be the same file")
        if self.passphrase is not None and self.private_key is None:
            raise mistake("a passphrase needs a private_key", "add private_key, or remove passphrase")
        return self


class InventoryFile(_Entry):
    """An inventory of fleetscan."""

    defaults: SettingsEntry | None = None
    """Settings of every host that does not say otherwise."""
    credentials: dict[str, CredentialEntry] | None = None
    groups: dict[GroupName, GroupEntry] | None = None
    zones: dict[str, ZoneEntry] | None = None


def json_schema() -> dict[str, Any]:
    """The JSON Schema (2020-12) of the YAML format, for editors."""
    schema = InventoryFile.model_json_schema()
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
