"""Ways to reach a host. Heavy libraries are imported when a host first needs them."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from importlib import import_module

from fleetscan.errors import Problem
from fleetscan.model.host import Host, TransportName, WinRMAuth
from fleetscan.transports.base import Connect, Connection, Output, Showing

__all__ = ["Connect", "Connection", "Output", "Showing", "connector", "not_installed"]

_MODULES = {TransportName.WINRM: "fleetscan.transports.winrm", TransportName.SSH: "fleetscan.transports.ssh"}


def connector(name: TransportName) -> Connect:
    """The `connect` function of a transport. PowerShell Direct has none: its way begins at another host."""
    connect: Connect = import_module(_MODULES[name]).connect
    return connect


def not_installed(hosts: Iterable[Host]) -> list[Problem]:
    """The ways to log on that these hosts need and this machine lacks, each once, at the first host that needs it."""
    users: dict[WinRMAuth, list[Host]] = defaultdict(list)
    for host in hosts:
        if host.transport is TransportName.WINRM:
            users[host.winrm.auth].append(host)
    if not users:
        return []
    from fleetscan.transports import winrm_login

    problems = []
    for auth, (first, *others) in users.items():
        if not winrm_login.installed(auth):
            message, cure = winrm_login.told_as_missing(auth)
            more = f" and {len(others):,} more" if others else ""
            problems.append(Problem(first.origin, f"{first.name}{more}: {message}", cure))
    return problems
