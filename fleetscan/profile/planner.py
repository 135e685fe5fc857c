"""The list of machines that Microsoft's Deployment Planner for Hyper-V takes as -VMListFile.

Documented on learn.microsoft.com/azure/site-recovery/hyper-v-deployment-planner-run: one machine a line, the name or
address of its host, a backslash, its name as the host has it. The encoding is not documented.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass

from fleetscan.model.playbook import JSON

REFUSED = "“”[]`"
"""Characters in names that the planner does not take."""


@dataclass(frozen=True, slots=True)
class PlannerList:
    """The text of the file, how many machines it has, and those that the planner would not take."""

    text: str
    count: int
    left_out: tuple[str, ...]


def planner_list(hosts: Iterable[tuple[str, Mapping[str, JSON]]]) -> PlannerList:
    """The list, from each host's address and its answer of `vm-storage-counters`; a machine on two hosts once."""
    lines: list[str] = []
    left_out: list[str] = []
    seen: set[str] = set()
    for host, answer in hosts:
        machines = answer.get("vms")
        for machine in machines if isinstance(machines, list) else []:
            if not isinstance(machine, dict) or str(machine["id"]) in seen:
                continue
            seen.add(str(machine["id"]))
            name = str(machine["name"])
            if any(char in name for char in REFUSED):
                left_out.append(f"{host}\\{name}")
            else:
                lines.append(f"{host}\\{name}")
    return PlannerList("".join(f"{line}\r\n" for line in lines), len(lines), tuple(left_out))
