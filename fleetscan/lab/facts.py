"""The truth about a simulated machine: its operating system, and what each probe would find."""

from __future__ import annotations

import json
import re
import uuid
from collections.abc import Iterator

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from fleetscan.model.playbook import JSON


class OS(BaseModel):
    """What a machine says of itself."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    family: str = "windows"
    """windows or linux"""
    build: str = "20348"
    computer: str = ""
    """Empty means: the host's name up to its first dot, in upper case on Windows."""
    domain: str = "corp.example"
    language: str = "en-US"
    language_mode: str = "FullLanguage"
    powershell: str = "5.1.20348.2227"
    elevated: bool = True
    codepage: int = 437
    now: str = ""
    """ISO 8601; empty means the clock of the machine that runs the lab."""


class Guest(BaseModel):
    """A machine that a Hyper-V host leads to through PowerShell Direct, and who may log on there."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    username: str
    password: str
    machine: Machine

    @property
    def id(self) -> str:
        """The GUID of its VM, as the guest tells it; empty if it does not."""
        for answer in self.machine.probes.values():
            told = answer.get("guest") if isinstance(answer, dict) else None
            if isinstance(told, dict):
                return str(told.get("id", ""))
        return ""


class Machine(BaseModel):
    """One simulated machine. What is not listed here is kept for the stand-ins, which see all of it."""

    model_config = ConfigDict(extra="allow", frozen=True)

    name: str
    os: OS = Field(default_factory=OS)
    probes: dict[str, JsonValue] = Field(default_factory=dict)
    guests: tuple[Guest, ...] = ()
    """Those of its VMs that can be asked through PowerShell Direct."""

    @property
    def computer(self) -> str:
        """The name that the machine has for itself."""
        if self.os.computer:
            return self.os.computer
        short = self.name.partition(".")[0]
        return short.upper()[:15] if self.os.family == "windows" else short


_GUID = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}", re.IGNORECASE)


def varied(machine: Machine, name: str) -> Machine:
    """A copy under another name, in a cluster of its own, whose VMs have ids of their own; other ids stay."""
    ids = {str(vm.get("id", "")).casefold() for vm in _vms(machine.probes)}
    text = json.dumps(machine.probes)

    def vary(match: re.Match[str]) -> str:
        old = match[0].casefold()
        return str(uuid.uuid5(uuid.NAMESPACE_DNS, f"{old}.{name}")) if old in ids else match[0]

    probes = _alone(json.loads(_GUID.sub(vary, text)) if ids else machine.probes, name)
    system = machine.os.model_copy(update={"computer": ""})
    return machine.model_copy(update={"name": name, "os": system, "probes": probes})


def _alone(probes: dict[str, JSON], name: str) -> dict[str, JSON]:
    """The same facts on a machine that is the only node of its cluster: the other nodes were not copied."""
    cluster = probes.get("cluster")
    nodes = cluster.get("nodes") if isinstance(cluster, dict) else None
    if not isinstance(cluster, dict) or not isinstance(nodes, list) or not nodes or not isinstance(nodes[0], dict):
        return probes
    own = {**nodes[0], "name": name.partition(".")[0].upper()}
    return {**probes, "cluster": {**cluster, "nodes": [own]}}


def _vms(value: JSON) -> Iterator[dict[str, JSON]]:
    """Every member of a list named `vms`."""
    if isinstance(value, dict):
        for key, item in value.items():
            if key == "vms" and isinstance(item, list):
                yield from (vm for vm in item if isinstance(vm, dict))
            yield from _vms(item)
    elif isinstance(value, list):
        for item in value:
            yield from _vms(item)
