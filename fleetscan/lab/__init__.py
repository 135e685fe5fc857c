"""Simulated hosts that speak real WinRM and SSH: the ground of `fleetscan demo`, of playbook tests and of our own."""

from __future__ import annotations

from pathlib import Path

from fleetscan.lab.direct import DirectEngine
from fleetscan.lab.engine import Engine, Outcome
from fleetscan.lab.engines import Choice, engine
from fleetscan.lab.facts import OS, Machine
from fleetscan.lab.faults import Fault
from fleetscan.lab.fleet import Fleet, Group, SimulatedHost, load, many
from fleetscan.lab.lab import Lab
from fleetscan.lab.powershell import PowerShellEngine

__all__ = [
    "OS",
    "Choice",
    "DirectEngine",
    "Engine",
    "Fault",
    "Fleet",
    "Group",
    "Lab",
    "Machine",
    "Outcome",
    "PowerShellEngine",
    "SimulatedHost",
    "demo_fleet",
    "engine",
    "load",
    "many",
]


def demo_fleet() -> Fleet:
    """The fleet that `fleetscan demo` scans; raises InputError where its files are damaged."""
    return load(Path(__file__).parent / "fleets" / "demo")
