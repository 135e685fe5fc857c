"""The inventory of a running fleet, in the format that fleetscan reads."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from fleetscan.lab.fleet import Fleet, SimulatedHost
from fleetscan.model.playbook import JSON


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host listens."""

    address: str
    port: int


def render(
    fleet: Fleet, places: Mapping[str, Place], credentials: Mapping[str, JSON], *, ca_file: Path, known_hosts: Path
) -> str:
    """The YAML text: each host with its address and port, its group with roles, and no secret."""
    lines = [
        "defaults:",
        f"  winrm: {_flow({'ca_file': str(ca_file)})}",
        f"  ssh: {_flow({'known_hosts': str(known_hosts)})}",
        "credentials:",
        *(f"  {name}: {_flow(entry)}" for name, entry in credentials.items()),
        "groups:",
    ]
    for name, group in fleet.groups.items():
        lines.append(f"  {name}:")
        more = {"zone": group.zone, "cluster": group.cluster, "vmm_server": group.vmm_server}
        settings = {"roles": list(group.roles)} | {key: value for key, value in more.items() if value}
        lines += [f"    {key}: {_flow(value)}" for key, value in settings.items()]
        members = [host for host in fleet.hosts if host.group == name]
        lines.append("    hosts:" if members else "    hosts: []")
        lines += [f"      - {_flow(_entry(host, places.get(host.name)))}" for host in members]
    return "\n".join([*lines, ""])


def _flow(value: object) -> str:
    """A value in one line: JSON is YAML, too."""
    return json.dumps(value, ensure_ascii=False)


def _entry(host: SimulatedHost, place: Place | None) -> dict[str, JSON]:
    if place is None:
        return {"name": host.name, "via": host.via, "credential": host.account}
    how: dict[str, JSON] = {"port": place.port}
    if host.transport == "winrm":
        how = {"scheme": host.scheme, "auth": host.auth, **how}
    return {
        "name": host.name,
        "address": place.address,
        "transport": host.transport,
        host.transport: how,
        "credential": host.account,
    }
