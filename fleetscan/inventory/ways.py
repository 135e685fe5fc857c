"""The Hyper-V hosts that lead to a guest, by the names that the inventory gives them."""

from __future__ import annotations

from collections.abc import Sequence, Set
from dataclasses import replace

from fleetscan.inventory.draft import HostMistakes, Setting
from fleetscan.model.host import Host, Role, TransportName
from fleetscan.model.text import one_line
from fleetscan.suggest import did_you_mean


class Ways:
    """Finds hosts by name, by short name where there is only one of it, and all nodes by the name of their cluster."""

    def __init__(self, hosts: Sequence[Host], broken: Set[str], mistakes: HostMistakes) -> None:
        """`broken` names hosts of which not all is known."""
        self._broken = broken
        self._mistakes = mistakes
        self._by_name: dict[str, list[Host]] = {}
        self._by_cluster: dict[str, list[Host]] = {}
        shorts: dict[str, list[Host]] = {}
        for host in hosts:
            self._by_name[host.name.casefold()] = [host]
            shorts.setdefault(host.name.partition(".")[0].casefold(), []).append(host)
            if host.cluster and Role.HYPERV in host.roles:
                self._by_cluster.setdefault(host.cluster.casefold(), []).append(host)
        self._by_name = {short: found for short, found in shorts.items() if len(found) == 1} | self._by_name

    def followed(self, host: Host, via: Setting | None) -> Host:
        """The host with `via` as full names, each once; mistakes are noted at the setting."""
        if via is None:
            return host
        if host.transport is not TransportName.DIRECT:
            return replace(host, via=(), vm="")
        found: dict[str, None] = {}
        for name in host.via:
            ways = self._find(name)
            if not ways:
                known = [*self._by_name, *self._by_cluster]
                cure = did_you_mean(name.casefold(), known) or "name a Hyper-V host of this inventory, or its cluster"
                self._mistakes.add(host.name, via.place, f'there is no host or cluster "{one_line(name)}"', cure)
            for way in ways:
                message, cure = _refused(host, way)
                if message and way.name not in self._broken:
                    self._mistakes.add(host.name, via.place, message, cure)
                found[way.name] = None
        return replace(host, via=tuple(found))

    def _find(self, name: str) -> list[Host]:
        return self._by_name.get(name.casefold()) or self._by_cluster.get(name.casefold(), [])


def _refused(guest: Host, way: Host) -> tuple[str, str]:
    """Why a host cannot lead to a guest, and the cure; empty where it can."""
    if way.name == guest.name:
        return "via names the host itself", "name the Hyper-V host that runs its VM"
    if Role.HYPERV not in way.roles:
        return f"via {way.name}, which does not have the role hyperv", "name the Hyper-V host that runs the VM"
    if way.transport is TransportName.DIRECT:
        cure = "name a host that is reached over winrm or ssh"
        return f"via {way.name}, which is reached through PowerShell Direct itself", cure
    return "", ""
