"""The inventory of a running fleet, in the format that fleetscan reads."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from ruamel.yaml import YAML

from fleetscan.lab.fleet import Fleet, SimulatedHost
from fleetscan.model.playbook import JSON


@dataclass(frozen=True, slots=True)
class Place:
    """Where a host listens."""

    address: str
    port: int


def render(
    fleet: Fleet, places: Mapping[str, Place], credentials: dict[str, JSON], *, ca_file: Path, known_hosts: Path
) -> str:
    """The YAML text: each host with its address and port, its group with roles, and no secret."""
    groups: dict[str, JSON] = {}
    for name, group in fleet.groups.items():
        members = [host for host in fleet.hosts if host.group == name]
        settings: dict[str, JSON] = {"roles": list(group.roles)}
        more = {"zone": group.zone, "cluster": group.cluster, "vmm_server": group.vmm_server}
        settings |= {key: value for key, value in more.items() if value}
        hosts: list[JSON] = [_entry(host, places[host.name]) for host in members]
        groups[name] = {**settings, "hosts": hosts}
    defaults: JSON = {"winrm": {"ca_file": str(ca_file)}, "ssh": {"known_hosts": str(known_hosts)}}
    out = io.StringIO()
    yaml = YAML(typ="safe", pure=True)
    yaml.default_flow_style = None
    yaml.sort_base_mapping_type_on_output = False  # type: ignore[assignment] # ruamel declares it as None
    yaml.width = 200
    yaml.dump({"defaults": defaults, "credentials": credentials, "groups": groups}, out)
    return out.getvalue()


def _entry(host: SimulatedHost, place: Place) -> dict[str, JSON]:
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
