"""Ways to reach a host. Heavy libraries are imported when a host first needs them."""

from __future__ import annotations

from importlib import import_module

from fleetscan.model.host import TransportName
from fleetscan.transports.base import Connect, Connection, Output

__all__ = ["Connect", "Connection", "Output", "connector"]

_MODULES = {TransportName.WINRM: "fleetscan.transports.winrm", TransportName.SSH: "fleetscan.transports.ssh"}


def connector(name: TransportName) -> Connect:
    """The `connect` function of a transport."""
    connect: Connect = import_module(_MODULES[name]).connect
    return connect
