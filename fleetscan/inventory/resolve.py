"""One host: what its defaults, its groups and the host itself come to, and whether a visit can work with it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fleetscan.inventory.draft import HostDraft, HostMistakes, Settings
from fleetscan.inventory.groups import Inherited
from fleetscan.model.host import (
    Credential,
    Host,
    Role,
    SSHSettings,
    TransportName,
    WinRMAuth,
    WinRMSettings,
)
from fleetscan.suggest import did_you_mean

_WINDOWS = (Role.HYPERV, Role.VMM, Role.GUEST)
_PORTS = {"https": 5986, "http": 5985}


def resolve(draft: HostDraft, inherited: Inherited, defaults: Settings) -> Host:
    """The host as a scan uses it. The innermost setting wins, roles are those of `_roles`."""
    own = inherited.settings | draft.settings
    settings = defaults | own
    roles = _roles(draft, inherited, defaults)
    fallback = _fallback(roles, "via" in settings)
    # Only the host or a group can force winrm upon such a machine: defaults are written for the many.
    chosen = settings if fallback is TransportName.WINRM else own
    return Host(
        name=draft.name,
        address=_value(settings, "address", draft.name),
        roles=roles,
        groups=inherited.groups,
        zone=_value(settings, "zone", ""),
        cluster=_value(settings, "cluster", ""),
        vmm_server=_value(settings, "vmm_server", ""),
        transport=_value(chosen, "transport", fallback),
        via=_listed(_value(settings, "via", ())),
        vm=_value(settings, "vm", ""),
        winrm=_winrm(_nested(settings, "winrm.")),
        ssh=SSHSettings(**_nested(settings, "ssh.")),
        credential=_value(settings, "credential", ""),
        origin=str(draft.place),
    )


def _fallback(roles: Sequence[Role], has_way: bool) -> TransportName:
    if has_way:
        return TransportName.DIRECT
    return TransportName.SSH if Role.LINUX_GUEST in roles else TransportName.WINRM


def _listed(value: str | Sequence[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _roles(draft: HostDraft, inherited: Inherited, defaults: Settings) -> tuple[Role, ...]:
    """The host's own roles, else those of all its groups, else the default ones; in the order of the closed list."""
    chosen = _value(draft.settings, "roles", None) or inherited.roles or _value(defaults, "roles", ())
    return tuple(role for role in Role if role in chosen)


def _value(settings: Settings, name: str, otherwise: Any) -> Any:
    return settings[name].value if name in settings else otherwise


def _nested(settings: Settings, prefix: str) -> dict[str, Any]:
    return {name.removeprefix(prefix): setting.value for name, setting in settings.items() if name.startswith(prefix)}


def _winrm(values: dict[str, Any]) -> WinRMSettings:
    port = _PORTS[values.get("scheme", WinRMSettings().scheme)]
    return WinRMSettings(**{"port": port, **values})


class Judge:
    """Says why hosts cannot be visited as the inventory has them."""

    def __init__(
        self, credentials: Mapping[str, Credential], broken: Sequence[str], defaults: Settings, mistakes: HostMistakes
    ) -> None:
        """`broken` names credentials that are there, but have mistakes of their own."""
        self._credentials = credentials
        self._broken = broken
        self._defaults = defaults
        self._mistakes = mistakes

    def judge(self, host: Host, draft: HostDraft, inherited: Inherited, *, whole: bool) -> None:
        """Note every mistake of one host.

        Of one that is not whole, because of mistakes that are told already, only what holds whatever they hide.
        """
        settings = self._defaults | inherited.settings | draft.settings
        for conflict in inherited.conflicts:
            if conflict.name not in draft.settings:
                message = f"groups {' and '.join(conflict.groups)} disagree about {conflict.name}"
                cure = f"{conflict.places[0]} has another value; set it at the host, or in one group only"
                self._mistakes.add(host.name, conflict.places[1], message, cure)
        found = (*_contradictions(host), *self._access(host)) if whole else self._unknown(host)
        for name, message, cure in found:
            place = settings[name].place if name in settings else draft.place
            self._mistakes.add(host.name, place, message, cure)

    def _access(self, host: Host) -> Iterator[tuple[str, str, str]]:
        if not host.credential:
            yield "", "no credential", "add credential: NAME to the host, its group or defaults"
        elif host.credential in self._credentials:
            yield from _unfit(host, self._credentials[host.credential])
        else:
            yield from self._unknown(host)

    def _unknown(self, host: Host) -> Iterator[tuple[str, str, str]]:
        known = [*self._credentials, *self._broken]
        if host.credential and host.credential not in known:
            cure = did_you_mean(host.credential, known, "credentials:") or "describe it under credentials"
            yield "credential", f'there is no credential "{host.credential}"', cure


def _contradictions(host: Host) -> Iterator[tuple[str, str, str]]:
    """The setting at fault, the message and the cure of what cannot be true of one machine."""
    if not host.roles:
        yield "roles", "no role", f"add roles: [{', '.join(Role)}] (what applies) to the host or its group"
    if Role.LINUX_GUEST in host.roles:
        other = [role for role in host.roles if role in _WINDOWS]
        if other:
            yield "roles", f"both linux-guest and {', '.join(other)}", "one machine is either Linux or Windows"
        elif host.transport is TransportName.WINRM:
            yield "transport", "a linux-guest cannot be reached over winrm", "remove transport, or write ssh"
        elif host.transport is TransportName.DIRECT:
            yield "via", "PowerShell Direct leads into Windows guests only", "write transport: ssh for a linux-guest"
    elif host.transport is TransportName.DIRECT and not host.via:
        yield "transport", "transport direct leads through a Hyper-V host", "add via: HOST, the one that runs the VM"
    if host.transport is TransportName.WINRM and (host.winrm.auth, host.winrm.scheme) == (WinRMAuth.BASIC, "http"):
        cure = "use scheme: https, or auth: kerberos or ntlm"
        yield "winrm.auth", "auth basic over http shows the password to everybody on the way", cure


def _unfit(host: Host, credential: Credential) -> Iterator[tuple[str, str, str]]:
    if host.transport is TransportName.SSH:
        if credential.password is None and credential.private_key is None:
            cure = "give it a private_key or a password"
            yield "credential", f'credential "{credential.name}" has nothing that ssh could use', cure
    elif host.transport is TransportName.DIRECT:
        if not credential.username or credential.password is None:
            cure = "give it the username and the password of an administrator of the guest"
            yield "credential", f'credential "{credential.name}" lacks what PowerShell Direct logs on with', cure
    elif host.winrm.auth is WinRMAuth.CERTIFICATE:
        if credential.certificate is None:
            cure = "give it certificate and certificate_key"
            yield "credential", f'credential "{credential.name}" has no certificate', cure
    elif not credential.username:
        yield "credential", f'credential "{credential.name}" has no username', "add username"
    elif credential.password is None and host.winrm.auth is not WinRMAuth.KERBEROS:
        cure = "give it a password; only kerberos works without, with the ticket of the user who runs fleetscan"
        yield "credential", f'credential "{credential.name}" has no password', cure
