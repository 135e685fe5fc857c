"""Host variables of Ansible as settings of fleetscan."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from fleetscan.inventory.schema import HostEntry
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean

_CONNECTIONS = {
    "winrm": "winrm",
    "psrp": "winrm",
    "ssh": "ssh",
    "smart": "ssh",
    "paramiko": "ssh",
    "paramiko_ssh": "ssh",
}
_SETTINGS = {
    "winrm": {
        "ansible_host": "address",
        "ansible_winrm_host": "address",
        "ansible_psrp_host": "address",
        "ansible_port": "winrm.port",
        "ansible_winrm_port": "winrm.port",
        "ansible_psrp_port": "winrm.port",
        "ansible_winrm_scheme": "winrm.scheme",
        "ansible_psrp_protocol": "winrm.scheme",
        "ansible_winrm_path": "winrm.path",
        "ansible_psrp_path": "winrm.path",
        "ansible_winrm_transport": "winrm.auth",
        "ansible_psrp_auth": "winrm.auth",
        "ansible_winrm_ca_trust_path": "winrm.ca_file",
        "ansible_psrp_ca_cert": "winrm.ca_file",
        "ansible_winrm_server_cert_validation": "winrm.insecure_skip_tls_verification",
        "ansible_psrp_cert_validation": "winrm.insecure_skip_tls_verification",
        "ansible_winrm_service": "winrm.spn_service",
        "ansible_psrp_negotiate_service": "winrm.spn_service",
        "ansible_winrm_send_cbt": "winrm.channel_binding",
        "ansible_psrp_negotiate_send_cbt": "winrm.channel_binding",
    },
    "ssh": {
        "ansible_host": "address",
        "ansible_ssh_host": "address",
        "ansible_port": "ssh.port",
        "ansible_ssh_port": "ssh.port",
    },
}
_VALIDATION = {"ignore": True, "validate": False}
"""Whether to skip the verification. `true` would read as the opposite of what was meant, so nothing else is taken."""
_SKIP = "winrm.insecure_skip_tls_verification"
_AUTH = {"ssl": "basic", "plaintext": "basic", "negotiate": None}
"""Ansible's names for the logon that are not ours. `negotiate` leaves the choice to us."""
_LOGIN = re.compile(r"ansible_(?:\w+_)?(?:user|password|pass|passphrase|private_key_file)")
_DETOUR = re.compile(r"ansible_(?:ssh_(?:common|extra)_args|\w+_proxy)")
_LISTS = ("roles", "via")
_OWN = [name for name in HostEntry.model_fields if name != "name"]


def is_login(variable: str) -> bool:
    """Whether a variable says who logs on, or how that is proven."""
    return _LOGIN.fullmatch(variable) is not None


def is_detour(variable: str) -> bool:
    """Whether a variable may lead a connection over a jump host or a proxy."""
    return _DETOUR.fullmatch(variable) is not None


def entry_of(variables: Mapping[str, Any]) -> tuple[dict[str, Any], list[tuple[str, str]]]:
    """The variables as a host entry, and the mistakes in them, each with its cure."""
    entry: dict[str, Any] = {}
    mistakes: list[tuple[str, str]] = []
    for variable, setting, value in _used(variables, mistakes):
        if _is_template(value):
            mistakes.append((f"{variable} holds a template, which Ansible does not fill in here", "write the value"))
            continue
        if isinstance(value, dict) and "__ansible_vault" in value:
            mistakes.append((f"{variable} is encrypted, which Ansible does not undo here", "write the value"))
            continue
        if setting == _SKIP and not isinstance(value, bool):
            shown = one_line(str(value), 80)
            mistakes.append((f'{variable}: "{shown}" is not one of {", ".join(_VALIDATION)}', "write one of them"))
            continue
        section, _, name = setting.rpartition(".")
        target = entry.setdefault(section, {}) if section else entry
        if isinstance(target, dict):
            target[name] = value
    return entry, mistakes


def _used(variables: Mapping[str, Any], mistakes: list[tuple[str, str]]) -> Iterator[tuple[str, str, Any]]:
    """Variable, setting and value of what fleetscan understands; the later wins."""
    connection = _connection(variables)
    if connection is not None and connection not in _CONNECTIONS:
        mistakes.append(
            (
                f"ansible_connection is {connection}",
                "fleetscan scans over winrm, psrp and ssh only; leave the host out: `--list --limit GROUP`",
            )
        )
        return
    transport = _CONNECTIONS[connection] if connection else _guessed(variables)
    if connection:
        yield "ansible_connection", "transport", transport
    if transport == "winrm" and str(variables.get("ansible_port")) == "5985":
        yield "ansible_port", "winrm.scheme", "http"  # both plugins do so unless the scheme is given
    for variable, setting in _SETTINGS[transport].items():
        value = _translated(setting, variables.get(variable))
        if value is not None:
            yield variable, setting, value
    for variable in variables:
        name = variable.removeprefix("fleetscan_")
        if name == variable:
            continue
        if name in _OWN:
            yield variable, name, _listed(variables[variable]) if name in _LISTS else variables[variable]
        else:
            cure = did_you_mean(variable, [f"fleetscan_{own}" for own in _OWN]) or "remove it"
            mistakes.append((f"unknown variable {variable}", cure))


def _connection(variables: Mapping[str, Any]) -> str | None:
    value = variables.get("ansible_connection")
    return None if value is None else str(value).rpartition(".")[2]  # ansible.builtin.winrm is winrm


def _guessed(variables: Mapping[str, Any]) -> str:
    """Ansible falls back to ssh; variables and ports of the other plugins say that this was not meant."""
    if any(name.startswith(("ansible_winrm_", "ansible_psrp_")) for name in variables):
        return "winrm"
    return "winrm" if str(variables.get("ansible_port")) in ("5985", "5986") else "ssh"


def _translated(setting: str, value: Any) -> Any:
    if setting == "winrm.auth":
        choices = _listed(value)
        return _AUTH.get(choices[0], choices[0]) if choices else None
    if setting == _SKIP and value is not None:
        return _VALIDATION.get(str(value), str(value))
    return value


def _listed(value: Any) -> list[Any]:
    if isinstance(value, str):
        return [part.strip() for part in value.split(",") if part.strip()]
    return value if isinstance(value, list) else []


def _is_template(value: Any) -> bool:
    return "{{" in str(value) or "{%" in str(value)
